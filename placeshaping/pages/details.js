/* The details of one area: its figures beside its parents', its strengths and its needs, its periods. */
(function (P) {
  "use strict";

  P.describe = function (model, state, beside, places) {
    const data = model.data;
    return about();

    function about() {
      if (state.chosen === null) {
        return [P.make("p", { class: "hint" }, "Choose an area on the map, in the table or by its name.")];
      }
      const chain = [];
      for (let l = state.level; l < data.levels.length; l += 1) {
        const i = model.ancestor(state.level, state.chosen, l);
        if (i !== null) { chain.push({ l: l, i: i, cell: model.cell(l, state.period, state.category, i) }); }
      }
      const level = data.levels[state.level];
      return [
        P.make("p", { class: "name" }, level.names[state.chosen]),
        P.make("p", { class: "hint" }, level.label + P.codeOf(level, state.chosen)),
        P.make("p", {}, data.categories[state.category].label + ", " + data.periods[state.period].label + ":"),
        figures(chain), ...placed(), ...second(state.chosen), ...compared(chain[0]), ...trend(chain), ...parade(state.level, state.chosen), ...over(state.level, state.chosen)
      ];
    }

    function figures(chain) {
      const made = P.make("table", { class: "figures" });
      const heads = chain.map((one, k) => P.make("th", { scope: "col" }, k === 0 ? "This area" : data.levels[one.l].names[one.i]));
      made.append(P.make("thead", {}, P.make("tr", {}, P.make("td"), ...heads)));
      const body = P.make("tbody");
      const row = (label, value) => body.append(P.make("tr", {}, P.make("th", { scope: "row" }, label), ...chain.map((one) => P.make("td", { class: "number" }, value(one)))));
      const gap = (cell) => cell.status === "hidden" ? "hidden" : "no data";
      if (!P.settings.countless) { row("Records", (one) => one.cell.count === null ? gap(one.cell) : P.count(one.cell.count)); }
      if (chain.some((one) => one.cell.rate !== null)) {
        row("P" + model.per(state.category).slice(1), (one) => one.cell.rate === null ? gap(one.cell) : P.rate(one.cell.rate));
        row("95% interval", (one) => one.cell.rate === null ? "" : P.rate(one.cell.lower) + " to " + P.rate(one.cell.upper));
      }
      for (const name of Object.keys(P.settings.layers).filter((one) => model.can(state.level, one))) {
        const at = model.placed(state, name);
        const words = (one) => model.labelWords(name, one.l, at.period, at.category, one.i);
        row(P.settings.layers[name].title + (at === state ? "" : " (" + data.categories[at.category].label + ", " + data.periods[at.period].label + ")"),
          (one) => words(one) || (model.can(one.l, name) && one.cell.status !== "shown" ? gap(one.cell) : "not looked for"));
      }
      for (const name of ["residents", "households"]) {
        if (chain.some((one) => data.levels[one.l][name])) {
          row(name.charAt(0).toUpperCase() + name.slice(1), (one) => data.levels[one.l][name] && data.levels[one.l][name][one.i] !== null ? P.count(data.levels[one.l][name][one.i]) : "not known");
        }
      }
      const deciles = data.levels[state.level].imd_decile;
      if (deciles) { row("Deprivation decile (1 = most deprived)", (one) => one.l === state.level && deciles[one.i] !== null ? deciles[one.i] + " of 10" : ""); }
      made.append(body);
      return P.make("div", { class: "figures-frame", role: "region", "aria-label": "Figures of this area", tabindex: "0" }, made);
    }

    function placed() {
      const names = places ? places.of(state.level, state.chosen) : [];
      return names.length ? [P.make("p", {}, P.make("strong", {}, "Public places here: "), names.join(", ") + ".")] : [];
    }

    /* What the second map says of the same area. */
    function second(i) {
      if (!beside) { return []; }
      return [P.make("p", {}, P.make("strong", {}, "On the second map: "), model.say(beside.where, beside.view, i) + " (" + data.categories[beside.where.category].label + ", " + data.periods[beside.where.period].label + ").")];
    }

    /* The area over the periods, beside the largest area that holds it. */
    function trend(chain) {
      if (data.periods.length < 3) { return []; }
      const rated = chain[0].cell.rate !== null || data.periods.some((_, p) => model.cell(chain[0].l, p, state.category, chain[0].i).rate !== null);
      const whole = chain[chain.length - 1];
      const line = (one) => data.periods.slice(1).map(function (_, k) {
        const cell = model.cell(one.l, k + 1, state.category, one.i);
        return rated ? { value: cell.rate, lower: cell.lower, upper: cell.upper, status: cell.status } : { value: cell.count, status: cell.status };
      });
      const labels = data.periods.slice(1).map((period) => period.label);
      const mine = line(chain[0]);
      const said = P.trendWords(labels, mine);
      const drawn = P.trend(labels, mine, rated && whole !== chain[0] ? line(whole) : [], (rated ? "Rate " + model.per(state.category) : "Records") + " by period. " + said);
      if (!drawn) { return []; }
      const key = (kind, words) => P.make("span", { class: "key " + kind }, words);
      return [
        P.make("p", { class: "over" }, rated ? "Over time, " + model.per(state.category) : "Over time, records"), drawn,
        P.make("p", { class: "hint keys" }, key("mine", "This area" + (rated ? " (bar: 95% interval)" : "")), rated && whole !== chain[0] ? key("beside", data.levels[whole.l].names[whole.i]) : "", mine.some((one) => one.status === "hidden") ? key("gap", "hidden") : ""),
        P.make("p", {}, said)
      ];
    }

    function against(cell, total) {
      if (cell.rate === null || !total || total.rate === null) { return null; }
      if (cell.lower > total.rate) { return "above"; }
      return cell.upper < total.rate ? "below" : "like";
    }

    function compared(one) {
      const total = model.total(state.period, state.category);
      const found = against(one.cell, total);
      if (!found) { return []; }
      const words = { above: "Above the rate of the whole map", below: "Below the rate of the whole map", like: "About the rate of the whole map" };
      const sure = found === "like" ? "its interval holds that rate" : "its whole interval lies " + found + " it";
      return [P.make("p", {}, P.make("strong", {}, words[found]), " (" + P.rate(total.rate) + "): " + sure + ".")];
    }

    /* Strengths stand beside needs: the categories in which the area lies clearly below the whole. */
    function parade(l, i) {
      const sides = { below: [], above: [] };
      data.categories.forEach(function (category, c) {
        if (c === 0) { return; }
        const found = against(model.cell(l, state.period, c, i), model.total(state.period, c));
        if (found === "above" || found === "below") { sides[found].push(category.label); }
      });
      const made = [];
      if (sides.below.length) { made.push(P.make("p", {}, P.make("strong", {}, "Lower here than on the whole map: "), sides.below.join(", ") + ".")); }
      if (sides.above.length) { made.push(P.make("p", {}, P.make("strong", {}, "Higher here: "), sides.above.join(", ") + ".")); }
      return made;
    }

    function over(l, i) {
      if (data.periods.length < 2) { return []; }
      const lines = data.periods.slice(1).map(function (period, k) {
        const cell = model.cell(l, k + 1, state.category, i);
        const rate = cell.rate === null ? "" : " (" + P.rate(cell.rate) + " " + model.per(state.category) + ")";
        return P.make("li", {}, P.make("strong", {}, period.label + ": "), cell.count === null ? (cell.status === "hidden" ? "hidden" : "no data") : P.count(cell.count) + " records" + rate);
      });
      return [P.make("p", { class: "over" }, "Period by period:"), P.make("ul", {}, ...lines.slice(-12))];
    }
  };
})(placeshaping);
