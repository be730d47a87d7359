/* What is shown stands in the page's address, so that a view can be shared and the back button works. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);

  /* Words, not positions, so that a link outlives the next edition of the map. What it does not know,
     it passes over. */
  P.Address = function (page) {
    const { data, model, state, map } = page;
    const usable = ["http:", "https:", "file:"].includes(location.protocol);
    const first = { measure: state.measure, level: state.level, category: state.category, period: state.period };
    let reading = false;

    /* A step that the back button takes back; without `step` the present entry is mended. */
    this.write = function (step) {
      if (!usable || reading) { return; }
      const words = said();
      if ("#" + words === location.hash || (!words && !location.hash)) { return; }
      const target = location.pathname + location.search + (words ? "#" + words : "");
      if (step) { history.pushState(null, "", target); } else { history.replaceState(null, "", target); }
    };

    this.read = function () {
      if (!usable || (location.hash && !location.hash.includes("="))) { return; }
      const given = new URLSearchParams(location.hash.slice(1));
      reading = true;
      page.show(asked(given));
      look(given.get("at"));
      reading = false;
    };

    /* When the page opens: whether its address asked for something. */
    this.start = function () {
      if (!usable || !location.hash.includes("=")) { return false; }
      this.read();
      return true;
    };

    window.addEventListener("popstate", () => this.read());
    map.on("moveend", () => { if (!page.pane.settling) { this.write(false); } });
    el("copy").addEventListener("click", copy);

    function place() {
      const centre = map.getCenter();
      return [centre.lat.toFixed(4), centre.lng.toFixed(4), map.getZoom().toFixed(2)].join(",");
    }

    function said() {
      const words = new URLSearchParams();
      if (state.measure !== first.measure) { words.set("show", state.measure); }
      if (state.level !== first.level) { words.set("detail", data.levels[state.level].level); }
      if (state.category !== first.category) { words.set("category", data.categories[state.category].label); }
      if (state.period !== first.period) { words.set("period", data.periods[state.period].label); }
      if (state.chosen !== null) { words.set("area", data.levels[state.level].codes[state.chosen]); }
      const beside = page.beside();
      if (beside) {
        words.set("beside", beside.measure);
        words.set("beside-category", data.categories[beside.category].label);
        words.set("beside-period", data.periods[beside.period].label);
      }
      if (!page.pane.atHome()) { words.set("at", place()); }
      return words.toString();
    }

    const position = (list, label, other) => { const at = list.findIndex((one) => one.label === label); return at < 0 ? other : at; };

    function asked(given) {
      const level = data.levels.findIndex((one) => one.level === given.get("detail"));
      const found = {
        level: level < 0 ? first.level : level, measure: measureOf(given.get("show")) || first.measure,
        category: position(data.categories, given.get("category"), first.category),
        period: position(data.periods, given.get("period"), first.period), chosen: null, beside: null
      };
      const i = data.levels[found.level].codes.indexOf(given.get("area"));
      if (i >= 0) { found.chosen = i; }
      const measure = measureOf(given.get("beside"));
      if (measure) {
        found.beside = { measure: measure, category: position(data.categories, given.get("beside-category"), 0), period: position(data.periods, given.get("beside-period"), 0) };
      }
      return found;
    }

    function measureOf(word) {
      return Array.from(el("measures").querySelectorAll("button")).some((button) => button.value === word) ? word : null;
    }

    function look(words) {
      if (!words) { page.pane.whole(); return; }
      const [lat, lon, zoom] = words.split(",").map(Number);
      const fair = Math.abs(lat) <= 85 && Math.abs(lon) <= 180 && zoom >= map.getMinZoom() && zoom <= map.getMaxZoom();
      if (fair) { page.fixed(() => map.setView([lat, lon], zoom, { animate: false })); }
    }

    /* The link stands in a box as well, for browsers that give no clipboard to a file. */
    function copy() {
      const link = location.href.split("#")[0] + (said() ? "#" + said() : "");
      el("link-box").hidden = false;
      el("link").value = link;
      el("link").focus();
      el("link").select();
      const where = location.protocol === "file:" ? "It opens this file on this computer. To share it, put the map on a website or a shared drive." : "";
      const tell = (words) => { el("link-hint").textContent = (words + " " + where).trim(); page.say(el("link-hint").textContent); };
      if (navigator.clipboard) {
        navigator.clipboard.writeText(link).then(() => tell("Copied."), () => tell("Copy it from the box."));
      } else { tell("Copy it from the box."); }
    }
  };
})(placeshaping);
