/* A second map beside the first (below it on a phone): another layer or another period of the same areas. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);

  P.Compare = function (page) {
    const { data, model, state } = page;
    const where = Object.create(state); /* level, chosen and pointed-at area are those of the first map */
    const fields = { measure: el("beside-measure"), category: el("beside-category"), period: el("beside-period") };
    let pane = null;
    let moving = false;
    this.open = false;

    el("compare").addEventListener("click", () => { if (this.open) { this.shut(); } else { this.show(other()); } page.moved(); });
    for (const [name, field] of Object.entries(fields)) {
      field.addEventListener("change", () => { where[name] = name === "measure" ? field.value : Number(field.value); this.draw(); page.moved(); page.say("Second map: " + model.titleOf(where) + "."); });
    }

    this.where = () => this.open ? where : null;
    this.pane = () => this.open ? pane : null;

    /* What is worth seeing beside the first map: another period, or another layer where there is but one. */
    function other() {
      const last = data.periods.length - 1;
      if (last > 0) { return { measure: state.measure, category: state.category, period: state.period === 0 ? last : state.period === 1 ? last : state.period - 1 }; }
      const measures = Array.from(fields.measure.options).map((option) => option.value).filter((value) => value !== state.measure && model.can(state.level, value));
      return { measure: measures[0] || state.measure, category: state.category, period: state.period };
    }

    this.show = function (given) {
      Object.assign(where, given);
      this.open = true;
      frame(true);
      if (!pane) {
        pane = new P.Pane(page, P.newMap("map-beside"), where, el("tip-beside"));
        link(page.pane.map, pane.map);
        link(pane.map, page.pane.map);
      }
      page.pane.resized();
      pane.map.invalidateSize({ animate: false });
      follow(page.pane.map, pane.map);
      this.draw();
    };

    this.shut = function () {
      this.open = false;
      frame(false);
      page.pane.resized();
    };

    /* Both legends stand under their maps while there are two. */
    function frame(open) {
      el("maps").classList.toggle("two", open);
      el("bench").classList.toggle("two", open);
      el("first-tools").hidden = el("beside-tools").hidden = el("beside-box").hidden = el("beside-legend").hidden = !open;
      el("compare").setAttribute("aria-pressed", String(open));
      if (open) { el("first-legend").append(el("legend-box")); } else { el("side").prepend(el("legend-box")); }
    }

    this.draw = function () {
      if (!this.open) { return; }
      for (const option of fields.measure.options) { option.disabled = !model.can(state.level, option.value); }
      if (!model.can(state.level, where.measure)) { where.measure = state.measure; }
      for (const [name, field] of Object.entries(fields)) { field.value = String(where[name]); }
      pane.draw();
      el("first-title").textContent = "First map: " + model.titleOf(state);
      el("beside-title").textContent = "Second map: " + model.titleOf(where);
      P.legend(model, where, pane.view, el("beside-legend-title"), el("beside-list"));
      el("same-classes").textContent = same() ? "Both maps have the same classes: a colour means the same on both." : "Each map has classes of its own: compare where, not how dark.";
    };

    function same() {
      const ranked = (view) => view.classes.filter((one) => !one.none).map((one) => one.label + one.colour).join();
      return state.measure === where.measure && ranked(page.pane.view) === ranked(pane.view);
    }

    function link(from, to) {
      from.on("move zoom", function () { if (page.compare.open) { follow(from, to); } });
    }

    function follow(from, to) {
      if (moving) { return; }
      moving = true;
      to.setView(from.getCenter(), from.getZoom(), { animate: false });
      moving = false;
    }
  };
})(placeshaping);
