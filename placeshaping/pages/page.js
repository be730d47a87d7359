/* The page's own start: what is shown, and who is told when it changes. */
(function (P) {
  "use strict";

  const MANY = 5000; /* areas whose words and table would keep the map waiting */

  const el = (id) => document.getElementById(id);
  P.map = P.newMap("map");

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
    const state = P.state = {
      level: Math.max(0, data.levels.findIndex((level) => level.level === el("levels").querySelector("[aria-pressed=true]").value)), measure: el("measures").querySelector("button").value, category: 0, period: 0,
      chosen: null, active: null
    };
    const summary = P.summary = new P.Summary(model);
    let anchor = null; /* the finest area that stands for what was chosen, kept from level to level */
    let held = false; /* while the page itself moves the map */
    const page = P.page = {
      data: data, model: model, shapes: shapes, state: state, map: P.map, bounds: boundsOf(shapes.boxes[data.levels.length - 1]),
      marks: () => el("marks").checked,
      say: (words) => { el("live").textContent = words; },
      update: update, choose: choose, point: point, show: show, fixed: fixed,
      moved: () => page.address.write(true),
      beside: () => page.compare.where()
    };
    P.choose = choose;
    page.appearance = new P.Appearance(() => update());
    const table = P.table = new P.Table(model, function (i) {
      choose(i, { zoom: true });
      el("map-section").scrollIntoView({ behavior: P.still ? "auto" : "smooth" });
      el("details").focus({ preventScroll: true });
    });
    const pane = page.pane = new P.Pane(page, P.map, state, el("tip"));
    P.layer = pane.layer;
    page.compare = new P.Compare(page);
    page.periods = new P.Periods(page);
    page.address = new P.Address(page);
    const controls = P.controls(page, toLevel);
    const take = function (l, i, others) {
      if (l !== state.level) { toLevel(l); update(); }
      choose(i, { zoom: others || true });
    };
    page.places = new P.Places(page, take);
    P.search(page, take);
    P.printing(page);
    byZoom();
    if (!page.address.start()) { update(); }

    function boundsOf(boxes) {
      const [west, north, east, south] = P.around(boxes);
      return L.latLngBounds(L.CRS.EPSG3857.pointToLatLng(L.point(west, south), 0), L.CRS.EPSG3857.pointToLatLng(L.point(east, north), 0));
    }

    /* ---- what is shown ---- */

    /* `quick` leaves the table and the words for when the periods rest. */
    function update(how) {
      if (!page.pane || !page.periods) { return; }
      pane.draw();
      P.view = pane.view;
      page.compare.draw();
      el("map-heading").textContent = model.titleOf(state);
      P.legend(model, state, P.view, el("legend-title"), el("legend"));
      controls.show();
      page.periods.show();
      if (how && how.quick) { page.address.write(false); return; }
      details();
      if (P.view.of.length > MANY) { follow(); } else { told(); }
      page.address.write(Boolean(how && how.step));
    }

    function told() {
      words();
      table.show(P.view, P.view.where);
    }

    /* Of many areas the words and the table follow once the map stands on the screen: it answers a drag
       before them and between them. */
    function follow() {
      const view = P.view;
      P.later(function () {
        if (view !== P.view) { return; }
        words();
        P.later(() => { if (view === P.view) { table.show(view, view.where); } });
      });
    }

    /* The words of the page follow the choices, as the map does. */
    function words() {
      const shown = P.view.where;
      const facts = summary.facts(shown, P.view.cells);
      for (const [name, said] of Object.entries(facts)) {
        const place = el("fact-" + name);
        if (place) { place.textContent = said; }
      }
      el("words-heading").textContent = summary.heading(shown);
      el("words-body").replaceChildren(...summary.sentences(shown, P.view).map((said) => P.make("p", { class: "finding" }, said)));
    }

    function toLevel(l) {
      state.level = l;
      state.active = null;
      state.chosen = anchor === null ? null : model.ancestor(0, anchor, l);
      el("tip").hidden = true;
      controls.allow();
    }

    /* A view from outside, as from the address: what does not go together is left out. */
    function show(asked) {
      page.periods.pause();
      Object.assign(state, { level: asked.level, measure: asked.measure, category: asked.category, period: asked.period, chosen: asked.chosen, active: null });
      anchor = anchorOf(state.chosen);
      controls.allow();
      pane.draw();
      if (asked.beside) { page.compare.show(asked.beside); } else if (page.compare.open) { page.compare.shut(); }
      update();
    }

    /* ---- choosing an area ---- */

    function anchorOf(i) { return i === null || state.level === 0 ? i : childOf(state.level, i); }

    function choose(i, options) {
      state.chosen = i;
      state.active = null;
      anchor = anchorOf(i);
      panes().forEach((one) => { one.tip(null); one.redraw(); });
      details();
      table.mark(i);
      /* Beside the map the figures stand at the top of the panel, which scrolls by itself. */
      if (i !== null) { el("side").scrollTop = 0; }
      if (i !== null) { page.say(pane.spoken(i)); }
      if (options && options.zoom) { zoomTo(Array.isArray(options.zoom) ? options.zoom : [i]); }
      page.address.write(true);
    }

    const panes = () => [pane, page.compare.pane()].filter(Boolean);

    /* The area that is pointed at on one map is shown on both. */
    function point(i, from, at) {
      const fresh = i !== state.active;
      state.active = i;
      for (const one of panes()) {
        if (fresh) { one.redraw(); }
        if (one === from) { one.tip(i, at); } else if (fresh) { one.tip(i); }
      }
    }

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

    function zoomTo(areas) {
      const boxes = areas.map((i) => shapes.boxes[state.level][i]);
      const box = P.around(boxes);
      const wide = Math.max(box[2] - box[0], box[3] - box[1]) * 1.2;
      fixed(() => P.map.fitBounds(boundsOf([[box[0] - wide, box[1] - wide, box[2] + wide, box[3] + wide]]), { animate: false, maxZoom: 14 }));
    }

    function fixed(move) { held = true; move(); held = false; }

    /* ---- the level by zoom: the finest whose areas are wide enough to be told apart ---- */

    function byZoom() {
      let wide = null;
      const typical = (boxes) => Float64Array.from(boxes, (box) => Math.sqrt((box[2] - box[0]) * (box[3] - box[1]))).sort()[boxes.length >> 1];
      const fit = function () {
        if (held || !el("by-zoom").checked) { return; }
        wide = wide || shapes.boxes.map(typical);
        const usable = data.levels.map((_, l) => l).filter((l) => model.can(l, state.measure) && (!data.levels[l].holds || l === state.level));
        const scale = Math.pow(2, P.map.getZoom());
        const found = usable.find((l) => wide[l] * scale >= 14);
        const l = found === undefined ? usable[usable.length - 1] : found;
        if (l !== state.level) { toLevel(l); update({ step: true }); page.say("Shown: " + model.titleOf(state) + "."); }
      };
      P.map.on("zoomend", fit);
      el("by-zoom").addEventListener("change", fit);
    }

    /* ---- the details panel ---- */

    function details() {
      el("details").classList.toggle("empty", state.chosen === null);
      el("bench").classList.toggle("chosen", state.chosen !== null);
      el("details-body").replaceChildren(...P.describe(model, state, page.compare.open && { where: page.beside(), view: page.compare.pane().view }, page.places));
    }
  }
})(placeshaping);
