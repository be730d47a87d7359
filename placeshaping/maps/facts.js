/* Pages of measures that count no records: minutes and names stand where counts would. */
(function (P) {
  "use strict";

  const heads = P.settings && P.settings.measures;
  if (!heads) { return; }
  const Model = P.Model;
  const Table = P.Table;
  const WORDS = ["nearest", "nearest_before"];

  P.Model = function (data) {
    Model.call(this, data);
    const model = this;
    const levels = model.levels;
    const layer = (state) => P.settings.layers[state.measure];
    const by = (l) => (P.settings.words[levels[l].level] || { one: levels[l].short }).one;

    model.measure = (name, l, i) => { const values = levels[l].measures && levels[l].measures[name]; return values && values[i] !== null ? values[i] : null; };
    model.measured = (l) => Object.keys(heads).filter((name) => levels[l].measures && levels[l].measures[name]);
    model.valueWords = function (name, l, i) {
      const value = model.measure(name, l, i);
      if (value === null) { return WORDS.includes(name) ? "" : "none reached"; }
      return typeof value === "number" ? P.rate(value) : value;
    };

    const title = model.titleOf;
    model.titleOf = (state) => layer(state) ? layer(state).title + ", by " + by(state.level) : title(state);
    const say = model.say;
    model.say = function (state, view, i) {
      if (!layer(state)) { return say(state, view, i); }
      const parts = [view.of[i] >= 0 ? view.classes[view.of[i]].label : "not known"];
      const shown = model.measured(state.level).find((name) => !WORDS.includes(name));
      const value = shown ? model.measure(shown, state.level, i) : null;
      if (value !== null) { parts.push(P.rate(value) + " " + shown.split("_")[0]); }
      const nearest = model.measure("nearest", state.level, i);
      if (nearest) { parts.push(nearest); }
      return parts.join("; ");
    };
  };

  /* The server's words stay: they are of the whole, whatever is chosen. */
  const words = () => Array.from(document.querySelectorAll("#words-body p"), (one) => one.textContent);
  P.Summary = function () {
    const said = words();
    this.heading = () => document.getElementById("words-heading").textContent;
    this.facts = () => ({});
    this.sentences = () => said;
  };

  P.describe = function (model, state, beside, places) {
    if (state.chosen === null) { return [P.make("p", { class: "hint" }, "Choose an area on the map, in the table or by its name.")]; }
    const level = model.levels[state.level];
    const chain = [];
    for (let l = state.level; l < model.levels.length; l += 1) {
      const i = model.ancestor(state.level, state.chosen, l);
      if (i !== null) { chain.push({ l: l, i: i }); }
    }
    const names = places ? places.of(state.level, state.chosen) : [];
    const said = beside ? [P.make("p", {}, P.make("strong", {}, "On the second map: "), model.say(beside.where, beside.view, state.chosen) + ".")] : [];
    return [
      P.make("p", { class: "name" }, level.names[state.chosen]),
      P.make("p", { class: "hint" }, level.label + P.codeOf(level, state.chosen)),
      figures(model, state, chain), ...said,
      ...(names.length ? [P.make("p", {}, P.make("strong", {}, "Public places here: "), names.join(", ") + ".")] : [])
    ];
  };

  function figures(model, state, chain) {
    const top = chain.map((one, k) => P.make("th", { scope: "col" }, k === 0 ? "This area" : model.levels[one.l].names[one.i]));
    const table = P.make("table", { class: "figures" }, P.make("thead", {}, P.make("tr", {}, P.make("td"), ...top)));
    const body = P.make("tbody");
    const row = (label, value) => body.append(P.make("tr", {}, P.make("th", { scope: "row" }, label), ...chain.map((one) => P.make("td", { class: "number" }, value(one)))));
    for (const name of model.measured(state.level)) { row(heads[name], (one) => model.levels[one.l].measures[name] ? model.valueWords(name, one.l, one.i) : ""); }
    for (const name of Object.keys(P.settings.layers).filter((one) => model.can(state.level, one))) {
      row(P.settings.layers[name].title, (one) => model.labelWords(name, one.l, 0, 0, one.i) || "");
    }
    if (model.levels[state.level].residents) { row("Residents", (one) => model.levels[one.l].residents[one.i] === null ? "not known" : P.count(model.levels[one.l].residents[one.i])); }
    const deciles = model.levels[state.level].imd_decile;
    if (deciles) { row("Deprivation decile (1 = most deprived)", (one) => one.l === state.level && deciles[one.i] !== null ? deciles[one.i] + " of 10" : ""); }
    table.append(body);
    return P.make("div", { class: "figures-frame", role: "region", "aria-label": "Figures of this area", tabindex: "0" }, table);
  }

  P.Table = function (model, choose) {
    Table.call(this, model, choose);
    const show = this.show;
    this.show = function (view, where) {
      show.call(this, view, where);
      document.getElementById("table-title").textContent = "The measures of the map, for the same areas.";
    };
  };

  /* Columns of the page's table: measures, then residents. */
  P.furtherColumns = function (model, l) {
    const made = model.measured(l).map((name) => ({
      key: name, label: heads[name], text: WORDS.includes(name), field: name,
      value: (row) => model.measure(name, l, row.i), cell: (row) => model.valueWords(name, l, row.i)
    }));
    const people = model.levels[l].residents;
    if (people) { made.push({ key: "residents", label: "Residents", field: "residents", value: (row) => people[row.i], cell: (row) => people[row.i] === null ? "not known" : P.count(people[row.i]) }); }
    return made;
  };
})(placeshaping);
