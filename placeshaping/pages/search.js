/* Finding an area of any level by its name or code, by a postcode sector, or by a public place in it. */
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
        found.push(...sectors(words), ...page.places.find(words));
        found.sort((a, b) => a.rank - b.rank || (b.l || 0) - (a.l || 0) || (a.i || 0) - (b.i || 0));
        found = found.slice(0, 8);
      }
      list.replaceChildren(...found.map(function (one, k) {
        const level = levels[one.l];
        const hint = one.hint || level.short + P.codeOf(level, one.i);
        const item = P.make("li", { role: "option", id: "found-" + k, "aria-selected": "false" }, one.name || level.names[one.i], P.make("span", { class: "hint" }, " " + hint));
        item.addEventListener("mousedown", function (event) { event.preventDefault(); pick(one); });
        return item;
      }));
      list.hidden = !found.length;
      box.setAttribute("aria-expanded", String(Boolean(found.length)));
      box.removeAttribute("aria-activedescendant");
      if (words) { page.say(found.length ? P.count(found.length) + " found. Arrow down to choose." : "No area of that name."); }
    }

    /* A postcode, or the beginning of one, names its sector; the area with most of its postcodes is chosen. */
    function sectors(words) {
      const known = page.data.sectors || {};
      const bare = words.toUpperCase().replace(/\s+/g, "");
      if (!/^[A-Z]{1,2}\d/.test(bare)) { return []; }
      return Object.keys(known).filter(function (name) {
        const own = name.replace(" ", "");
        return own.startsWith(bare) || (bare.startsWith(own) && /^[A-Z]{0,2}$/.test(bare.slice(own.length)));
      }).map((name) => ({
        name: name, rank: 0, hint: "postcode sector, in " + P.areas(known[name].length), take: function () {
          take(0, known[name][0], known[name]);
          page.say("Postcode sector " + name + " lies in " + P.areas(known[name].length) + "; the one with most of its postcodes is " + levels[0].names[known[name][0]] + ".");
        }
      }));
    }

    function point(k) {
      at = k;
      Array.from(list.children).forEach((item, n) => item.setAttribute("aria-selected", String(n === k)));
      box.setAttribute("aria-activedescendant", "found-" + k);
      list.children[k].scrollIntoView({ block: "nearest" });
    }

    function pick(one) {
      box.value = one.name || levels[one.l].names[one.i];
      shut();
      if (one.take) { one.take(); } else { take(one.l, one.i); }
    }

    function shut() {
      list.hidden = true;
      found = [];
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }
  };
})(placeshaping);
