/* Finding an area of any level by its name or code. */
(function (P) {
  "use strict";

  P.search = function (page, take) {
    const box = document.getElementById("search");
    const list = document.getElementById("search-list");
    const levels = page.data.levels;
    let found = [];
    let at = -1;
    box.addEventListener("input", look);
    box.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" && found.length) { point((at + 1) % found.length); }
      else if (event.key === "ArrowUp" && found.length) { point((at + found.length - 1) % found.length); }
      else if (event.key === "Enter") { if (found.length) { pick(found[Math.max(at, 0)]); } else { page.say("No area of that name. Try a part of the name, or the code."); } }
      else if (event.key === "Escape") { shut(); return; }
      else { return; }
      event.preventDefault();
    });
    box.addEventListener("blur", () => setTimeout(shut, 150));

    function look() {
      const words = box.value.trim().toLowerCase();
      found = [];
      at = -1;
      if (words) {
        levels.forEach((level, l) => level.names.forEach(function (name, i) {
          const start = name.toLowerCase().indexOf(words);
          const code = level.codes[i].toLowerCase().startsWith(words);
          if (start >= 0 || code) { found.push({ l: l, i: i, rank: (start === 0 || code ? 0 : 1) + (name.toLowerCase() === words ? -1 : 0) }); }
        }));
        found.sort((a, b) => a.rank - b.rank || b.l - a.l || a.i - b.i);
        found = found.slice(0, 8);
      }
      list.replaceChildren(...found.map(function (one, k) {
        const level = levels[one.l];
        const item = P.make("li", { role: "option", id: "found-" + k, "aria-selected": "false" }, level.names[one.i], P.make("span", { class: "hint" }, " " + level.short + P.codeOf(level, one.i)));
        item.addEventListener("mousedown", function (event) { event.preventDefault(); pick(one); });
        return item;
      }));
      list.hidden = !found.length;
      box.setAttribute("aria-expanded", String(Boolean(found.length)));
      box.removeAttribute("aria-activedescendant");
      if (words) { page.say(found.length ? P.count(found.length) + " found. Arrow down to choose." : "No area of that name."); }
    }

    function point(k) {
      at = k;
      Array.from(list.children).forEach((item, n) => item.setAttribute("aria-selected", String(n === k)));
      box.setAttribute("aria-activedescendant", "found-" + k);
      list.children[k].scrollIntoView({ block: "nearest" });
    }

    function pick(one) {
      box.value = levels[one.l].names[one.i];
      shut();
      take(one.l, one.i);
    }

    function shut() {
      list.hidden = true;
      found = [];
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }
  };
})(placeshaping);
