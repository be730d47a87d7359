/* The page's own start: controls, map, legend, search, details. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = P.map = L.map("map", {
    keyboard: false, scrollWheelZoom: false, zoomSnap: 0.25, zoomDelta: 0.75, minZoom: 4, maxZoom: 18,
    attributionControl: false, zoomAnimation: !still, fadeAnimation: !still, inertia: !still
  });
  map.setView(P.settings.centre, 9);
  L.control.scale({ maxWidth: 120 }).addTo(map);

  P.ready = start().catch(function (error) {
    const trouble = el("trouble");
    trouble.hidden = false;
    trouble.textContent = typeof DecompressionStream === "undefined"
      ? "This browser is too old to open the map. Use Edge, Chrome or Firefox of 2023 or later, or Safari 16.4 or later."
      : "The map could not be opened: the file seems damaged. Ask for it again. (" + error.message + ")";
    throw error;
  });

  async function start() {
    const data = await P.unpack("placeshaping-data");
    const model = P.model = new P.Model(data);
    const shapes = P.shapes = new P.Shapes(data);
    const layer = P.layer = new P.AreaLayer(shapes, data.levels);
    const state = P.state = {
      level: Math.max(0, data.levels.findIndex((level) => level.level === el("levels").querySelector("[aria-pressed=true]").value)), measure: el("measures").querySelector("button").value, category: 0, period: 0,
      chosen: null, active: null
    };
    const summary = P.summary = new P.Summary(model);
    let view = null;
    let anchor = null; /* the finest area that stands for what was chosen, kept from level to level */
    const table = P.table = new P.Table(model, function (i) {
      choose(i, { zoom: true });
      el("map-section").scrollIntoView({ behavior: still ? "auto" : "smooth" });
      el("details").focus({ preventScroll: true });
    });
    const bounds = boundsOf(shapes.boxes[data.levels.length - 1]);
    map.invalidateSize({ animate: false });
    map.fitBounds(bounds, { animate: false, padding: [8, 8] });
    layer.addTo(map);
    wholeButton();
    controls();
    pointer();
    keyboard();
    search();
    printing();
    update();

    function boundsOf(boxes) {
      const low = [Math.min(...boxes.map((b) => b[0])), Math.max(...boxes.map((b) => b[3]))];
      const high = [Math.max(...boxes.map((b) => b[2])), Math.min(...boxes.map((b) => b[1]))];
      return L.latLngBounds(L.CRS.EPSG3857.pointToLatLng(L.point(low), 0), L.CRS.EPSG3857.pointToLatLng(L.point(high), 0));
    }

    function wholeButton() {
      const Whole = L.Control.extend({
        options: { position: "topleft" },
        onAdd: function () {
          const box = L.DomUtil.create("div", "leaflet-bar");
          const button = P.make("button", { type: "button", class: "whole", "aria-label": "Show the whole map", title: "Show the whole map" });
          button.append(picture("M3 7V3h4M11 3h4v4M15 11v4h-4M7 15H3v-4"));
          L.DomEvent.disableClickPropagation(box);
          button.addEventListener("click", () => map.fitBounds(bounds, { animate: !still, padding: [8, 8] }));
          box.append(button);
          return box;
        }
      });
      map.addControl(new Whole());
    }

    function picture(path) {
      const space = "http://www.w3.org/2000/svg";
      const made = document.createElementNS(space, "svg");
      const line = document.createElementNS(space, "path");
      for (const [name, value] of [["viewBox", "0 0 18 18"], ["width", "18"], ["height", "18"], ["aria-hidden", "true"]]) { made.setAttribute(name, value); }
      for (const [name, value] of [["d", path], ["fill", "none"], ["stroke", "currentColor"], ["stroke-width", "2"]]) { line.setAttribute(name, value); }
      made.append(line);
      return made;
    }

    /* ---- what is shown ---- */

    function update() {
      view = P.view = model.view(state);
      layer.show({ level: state.level, of: view.of, classes: view.classes, chosen: state.chosen, active: state.active, marks: el("marks").checked });
      el("map-heading").textContent = model.titleOf(state);
      map.getContainer().setAttribute("aria-label", "Map: " + model.titleOf(state));
      legend();
      details();
      words();
      table.show(view, state);
    }

    /* The words of the page follow the choices, as the map does. */
    function words() {
      const facts = summary.facts(state, view.cells);
      for (const [name, said] of Object.entries(facts)) {
        const place = el("fact-" + name);
        if (place) { place.textContent = said; }
      }
      el("words-heading").textContent = summary.heading(state);
      el("words-body").replaceChildren(...summary.sentences(state, view.cells).map((said) => P.make("p", { class: "finding" }, said)));
    }

    function redraw() {
      layer.show({ chosen: state.chosen, active: state.active });
    }

    function controls() {
      press("measures", (value) => { state.measure = value; });
      press("levels", function (value) { toLevel(data.levels.findIndex((level) => level.level === value)); });
      for (const id of ["category", "period"]) {
        el(id).addEventListener("change", function () { state[id] = Number(el(id).value); update(); announceView(); });
      }
      el("marks").addEventListener("change", () => layer.show({ marks: el("marks").checked }));
      el("print").addEventListener("click", () => window.print());
      allow();
    }

    function press(id, act) {
      for (const button of el(id).querySelectorAll("button")) {
        button.addEventListener("click", function () {
          if (button.getAttribute("aria-disabled") === "true") {
            el("live").textContent = button.title;
            return;
          }
          act(button.value);
          mark(id, button.value);
          update();
          announceView();
        });
      }
    }

    function mark(id, value) {
      for (const button of el(id).querySelectorAll("button")) { button.setAttribute("aria-pressed", String(button.value === value)); }
    }

    /* A measure that a level does not have cannot be chosen there, and says why. */
    function allow() {
      for (const button of el("measures").querySelectorAll("button")) {
        const can = model.can(state.level, button.value);
        button.setAttribute("aria-disabled", String(!can));
        button.title = can ? "" : P.settings.reasons[button.value] || "Not known at this level of detail.";
      }
      if (!model.can(state.level, state.measure)) {
        const first = Array.from(el("measures").querySelectorAll("button")).find((button) => model.can(state.level, button.value));
        state.measure = first.value;
        mark("measures", first.value);
      }
    }

    function toLevel(l) {
      state.level = l;
      state.active = null;
      state.chosen = anchor === null ? null : model.ancestor(0, anchor, l);
      el("tip").hidden = true;
      allow();
    }

    function announceView() {
      el("live").textContent = "Shown: " + model.titleOf(state) + ".";
    }

    function legend() {
      const list = view.classes.map((one, k) => line(P.make("span", { class: "swatch", "aria-hidden": "true" }, one.mark || String(k + 1)), one.colour, one.label, view.full[k], one.meaning));
      if (view.hidden) { list.push(line(P.make("span", { class: "swatch hatched", "aria-hidden": "true" }), null, "Hidden to protect people", view.hidden, state.measure === "hotspots" ? "The number is hidden, and so is what would tell of it." : "")); }
      if (view.missing) { list.push(line(P.make("span", { class: "swatch dotted", "aria-hidden": "true" }), null, state.measure === "hotspots" && view.cells.some((cell) => cell.status === "shown" && !cell.cluster) ? "Not looked for, or no data" : "No data", view.missing)); }
      el("legend").replaceChildren(...list);
      const words = { rate: "Records " + model.per(state.category) + ".", count: "Number of records. Larger areas and town centres have more.", decile: "Tenths of all areas in England; 1 is most deprived.", hotspots: "A hot spot counts the records of an area together with those of its neighbours, compared with the whole map. So an area of high rate may be none." };
      el("legend-title").textContent = words[state.measure];
    }

    function line(swatch, colour, label, n, meaning) {
      if (colour) { swatch.style.backgroundColor = colour; swatch.style.color = inkOn(colour); }
      const made = P.make("li", {}, swatch, P.make("span", { class: "range" }, label, meaning ? P.make("span", { class: "hint" }, meaning) : ""), P.make("span", { class: "n" }, P.areas(n)));
      return made;
    }

    function inkOn(colour) {
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
      const [red, green, blue] = [r, g, b].map((one) => one / 255 <= 0.04045 ? one / 255 / 12.92 : Math.pow((one / 255 + 0.055) / 1.055, 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#0b0c0c" : "#ffffff";
    }

    /* ---- choosing an area ---- */

    function choose(i, options) {
      state.chosen = i;
      state.active = null;
      anchor = state.level === 0 ? i : childOf(state.level, i);
      el("tip").hidden = true;
      redraw();
      details();
      table.mark(i);
      /* Beside the map the panel scrolls by itself: bring the figures to its top. */
      const side = el("side");
      if (i !== null) { side.scrollTop += el("details").getBoundingClientRect().top - side.getBoundingClientRect().top; }
      if (i !== null) { el("live").textContent = spoken(i); }
      if (options && options.zoom) { zoomTo(i); }
    }
    P.choose = choose;

    function childOf(l, i) {
      const centre = shapes.centres[l][i];
      let best = null;
      let least = Infinity;
      data.levels[0].codes.forEach(function (_, child) {
        if (model.ancestor(0, child, l) !== i) { return; }
        const one = shapes.centres[0][child];
        const far = Math.hypot(one[0] - centre[0], one[1] - centre[1]);
        if (far < least) { least = far; best = child; }
      });
      return best;
    }

    function zoomTo(i) {
      const box = shapes.boxes[state.level][i];
      const wide = Math.max(box[2] - box[0], box[3] - box[1]) * 1.2;
      const around = [box[0] - wide, box[1] - wide, box[2] + wide, box[3] + wide];
      map.fitBounds(boundsOf([around]), { animate: !still, maxZoom: 14 });
    }

    function spoken(i) {
      return data.levels[state.level].names[i] + ": " + model.say(state, view, i) + ".";
    }

    function areaAt(point) {
      const world = map.project(map.containerPointToLatLng(point), 0);
      return shapes.at(state.level, world.x, world.y);
    }

    function tip(i, point) {
      const box = el("tip");
      if (i === null) { box.hidden = true; return; }
      box.replaceChildren(P.make("strong", {}, data.levels[state.level].names[i]), P.make("span", {}, model.say(state, view, i)));
      box.hidden = false;
      const size = map.getSize();
      const wide = box.offsetWidth;
      const high = box.offsetHeight;
      box.style.left = Math.max(4, Math.min(point.x + 14, size.x - wide - 4)) + "px";
      box.style.top = (point.y + 18 + high > size.y ? Math.max(4, point.y - high - 12) : point.y + 18) + "px";
    }

    function pointer() {
      map.on("mousemove", function (event) {
        const i = areaAt(event.containerPoint);
        if (i !== state.active) { state.active = i; redraw(); }
        tip(i, event.containerPoint);
      });
      map.on("mouseout", function () { state.active = null; el("tip").hidden = true; redraw(); });
      map.on("click", function (event) {
        const i = areaAt(event.containerPoint);
        choose(i);
        if (matchMedia("(hover: none)").matches) { tip(i, event.containerPoint); }
      });
      map.on("movestart zoomstart", () => { el("tip").hidden = true; });
      /* The wheel zooms only once the map has been used, so that the page can be scrolled past it. */
      map.on("click focus", () => map.scrollWheelZoom.enable());
      map.getContainer().addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
      new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(map.getContainer());
    }

    function keyboard() {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      map.getContainer().addEventListener("keydown", function (event) {
        if (event.target !== map.getContainer() || event.ctrlKey || event.altKey || event.metaKey) { return; }
        if (ways[event.key]) { step(ways[event.key]); }
        else if (event.key === "Enter" || event.key === " ") { if (state.active !== null) { choose(state.active); } }
        else if (event.key === "Escape") { choose(null); }
        else if (event.key === "+" || event.key === "=") { map.zoomIn(1); }
        else if (event.key === "-") { map.zoomOut(1); }
        else if (event.key === "0") { map.fitBounds(bounds, { animate: !still, padding: [8, 8] }); }
        else { return; }
        event.preventDefault();
      });
    }

    function step(way) {
      const centres = shapes.centres[state.level];
      let from = state.active !== null ? state.active : state.chosen;
      if (from === null) {
        const middle = map.project(map.getCenter(), 0);
        from = nearest(centres, middle);
        state.active = from;
      } else {
        const next = P.neighbourTowards(centres, from, way[0], way[1]);
        if (next === null) { el("live").textContent = "No area further that way. " + spoken(from); return; }
        state.active = next;
      }
      const point = L.CRS.EPSG3857.pointToLatLng(L.point(centres[state.active]), 0);
      if (!map.getBounds().pad(-0.1).contains(point)) { map.panTo(point, { animate: false }); }
      redraw();
      tip(state.active, map.latLngToContainerPoint(point));
      el("live").textContent = spoken(state.active);
    }

    function nearest(centres, to) {
      let best = 0;
      centres.forEach(function (one, i) {
        if (Math.hypot(one[0] - to.x, one[1] - to.y) < Math.hypot(centres[best][0] - to.x, centres[best][1] - to.y)) { best = i; }
      });
      return best;
    }

    /* ---- the search ---- */

    function search() {
      const box = el("search");
      const list = el("search-list");
      let found = [];
      let at = -1;
      box.addEventListener("input", look);
      box.addEventListener("keydown", function (event) {
        if (event.key === "ArrowDown" && found.length) { point((at + 1) % found.length); }
        else if (event.key === "ArrowUp" && found.length) { point((at + found.length - 1) % found.length); }
        else if (event.key === "Enter") { if (found.length) { take(found[Math.max(at, 0)]); } else { none(); } }
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
          data.levels.forEach((level, l) => level.names.forEach(function (name, i) {
            const start = name.toLowerCase().indexOf(words);
            const code = level.codes[i].toLowerCase().startsWith(words);
            if (start >= 0 || code) { found.push({ l: l, i: i, rank: (start === 0 || code ? 0 : 1) + (name.toLowerCase() === words ? -1 : 0) }); }
          }));
          found.sort((a, b) => a.rank - b.rank || b.l - a.l || a.i - b.i);
          found = found.slice(0, 8);
        }
        list.replaceChildren(...found.map(function (one, k) {
          const level = data.levels[one.l];
          const item = P.make("li", { role: "option", id: "found-" + k, "aria-selected": "false" }, level.names[one.i], P.make("span", { class: "hint" }, " " + level.short + P.codeOf(level, one.i)));
          item.addEventListener("mousedown", function (event) { event.preventDefault(); take(one); });
          return item;
        }));
        list.hidden = !found.length;
        box.setAttribute("aria-expanded", String(Boolean(found.length)));
        box.removeAttribute("aria-activedescendant");
        if (words) { el("live").textContent = found.length ? P.count(found.length) + " found. Arrow down to choose." : "No area of that name."; }
      }

      function point(k) {
        at = k;
        Array.from(list.children).forEach((item, n) => item.setAttribute("aria-selected", String(n === k)));
        box.setAttribute("aria-activedescendant", "found-" + k);
        list.children[k].scrollIntoView({ block: "nearest" });
      }

      function none() {
        el("live").textContent = "No area of that name. Try a part of the name, or the code.";
      }

      function take(one) {
        if (one.l !== state.level) { toLevel(one.l); mark("levels", data.levels[one.l].level); update(); }
        box.value = data.levels[one.l].names[one.i];
        shut();
        choose(one.i, { zoom: true });
      }

      function shut() {
        list.hidden = true;
        found = [];
        box.setAttribute("aria-expanded", "false");
        box.removeAttribute("aria-activedescendant");
      }
    }

    /* ---- the details panel ---- */

    function details() {
      el("details").classList.toggle("empty", state.chosen === null);
      el("bench").classList.toggle("chosen", state.chosen !== null);
      el("details-body").replaceChildren(...P.describe(model, state));
    }

    /* On paper the map has a size of its own; the whole map is fitted to it, and the view put back after. */
    function printing() {
      let before = null;
      window.addEventListener("beforeprint", function () {
        if (before) { return; }
        before = { centre: map.getCenter(), zoom: map.getZoom(), snap: map.options.zoomSnap, dense: layer.options.dense };
        document.documentElement.classList.add("printing");
        map.options.zoomSnap = 0;
        layer.options.dense = 3;
        map.invalidateSize({ animate: false });
        map.fitBounds(bounds, { animate: false, padding: [4, 4] });
        layer._update();
      });
      window.addEventListener("afterprint", function () {
        if (!before) { return; }
        document.documentElement.classList.remove("printing");
        map.options.zoomSnap = before.snap;
        layer.options.dense = before.dense;
        map.invalidateSize({ animate: false });
        map.setView(before.centre, before.zoom, { animate: false });
        layer._update();
        before = null;
      });
    }
  }
})(placeshaping);
