/* The current view in words: when, hot spots, how sure, highest and lowest. The server's own words
   of the whole stand in the page until these replace them, in the same phrases. */
(function (P) {
  "use strict";

  const MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
  const POOR = 5; /* times the typical rate, as in the caution of the release */

  P.Summary = function (model) {
    const words = (l) => P.settings.words[model.levels[l].level];

    /* "January 2023 to December 2025", or how many months there are and how many are missing. */
    const when = function (p) {
      const period = model.periods[p];
      const [a, b] = [new Date(period.first), new Date(period.last)];
      const [first, last] = [MONTH.format(a), MONTH.format(b)];
      const lost = (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth() + 1 - period.months;
      if (first === last) { return first; }
      return lost > 0 ? P.count(period.months) + " months between " + first + " and " + last + " (" + P.count(lost) + " missing)" : first + " to " + last;
    };

    this.heading = (state) => "In words: " + P.lowerFirst(model.categories[state.category].label) + ", " + when(state.period) + ", by " + words(state.level).one;

    /* What stands at a glance, for the same choices as the map. */
    this.facts = function (state, cells) {
      const subject = model.categories[state.category].label + ": ";
      const found = spots(state.level, cells);
      return {
        when: when(state.period),
        hotspots: subject + (found ? P.count(found.hot) + " of " + P.count(found.size) + " " + words(state.level).many + (found.hidden ? ", " + P.count(found.hidden) + " hidden" : "") : "not looked for among " + words(state.level).many),
        sure: sure(state, cells) + P.settings.protection
      };
    };

    /* What the page opens with is told by its lead, with an interval; its cautions are of that view. */
    const opening = (state) => state.period === 0 && state.category === 0;

    this.sentences = function (state, view) {
      const found = [state.measure === "both" ? together(state, view) : "", extremes(state, view.cells), gathered(state, view.cells), ...labelled(state)].filter(Boolean);
      return opening(state) && found.length ? found : [whole(state), ...found];
    };

    /* Rate by deprivation: how far the two go together, with those that do well beside the others. */
    function together(state, view) {
      const rows = model.thirds(state.category).length - 1;
      const column = (k) => view.full.filter((_, at) => at % 3 === k).reduce((a, b) => a + b, 0);
      if (rows < 2 || !column(2) || !column(0)) { return ""; }
      const [low, high] = [view.classes[0].rates, view.classes[3 * (rows - 1)].rates].map(P.lowerFirst);
      const part = (k) => "of the " + P.count(column(k)) + " " + words(state.level).many + " in the " + (k ? "most" : "least") + " deprived three tenths of England, " +
        P.count(view.full[3 * (rows - 1) + k]) + " have a rate of " + high + " and " + P.count(view.full[k]) + " one " + (rows > 1 ? low : "");
      return "Rate and deprivation together: " + part(2) + "; " + part(0) + ".";
    }

    function spots(l, cells) {
      if (!model.can(l, "hotspots") || !cells.some((cell) => cell.cluster)) { return null; }
      const many = (kind) => cells.filter((cell) => cell.cluster && cell.cluster.startsWith(kind)).length;
      return { hot: many("hot"), cold: many("cold"), size: cells.length, hidden: cells.filter((cell) => cell.status === "hidden").length };
    }

    /* How many areas are in which class of each layer of words. */
    function labelled(state) {
      const codes = model.levels[state.level].codes;
      return Object.keys(P.settings.layers).filter((name) => name !== "hotspots" && model.can(state.level, name)).map(function (name) {
        const at = model.placed(state, name);
        const layer = P.settings.layers[name];
        const full = new Array(layer.classes.length).fill(0);
        let hidden = 0;
        codes.forEach(function (_, i) {
          const k = model.labelOf(name, state.level, at.period, at.category, i);
          if (k >= 0) { full[k] += 1; } else if (model.cell(state.level, at.period, at.category, i).status === "hidden") { hidden += 1; }
        });
        const told = layer.classes.map((one, k) => full[k] ? one.label + ": " + P.count(full[k]) : "").concat(hidden ? "hidden: " + P.count(hidden) : "").filter(Boolean);
        const other = at === state ? "" : " of " + P.lowerFirst(model.categories[at.category].label) + ", " + when(at.period);
        return full.some(Boolean) ? layer.title + other + ": " + told.join("; ") + "." : "";
      });
    }

    function middle(numbers) {
      const sorted = Array.from(numbers).sort((a, b) => a - b);
      const half = sorted.length >> 1;
      return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    function sure(state, cells) {
      const known = cells.filter((cell) => cell.rate !== null);
      if (!known.length) { return P.settings.countless ? P.settings.countless.sure : "Counts as recorded"; }
      return "The true yearly rate of a typical " + words(state.level).one + " lies within \u00b1" +
        P.rate(middle(known.map((cell) => (cell.upper - cell.lower) / 2))) + " per 1,000 (95%)";
    }

    function subject(state) {
      return model.categories[state.category].label + " in " + P.settings.place + ", " + when(state.period) + ": ";
    }

    function whole(state) {
      if (P.settings.countless) { return P.settings.countless.lead; }
      const total = model.total(state.period, state.category);
      if (!total) { return subject(state) + "the number of the whole map is not shown, because a part of it is hidden or missing."; }
      const digits = Math.max(String(total.count).length - 3, 0);
      const round = Math.round(total.count / Math.pow(10, digits)) * Math.pow(10, digits);
      const about = round === total.count && P.settings.exactly ? "" : "about ";
      return subject(state) + about + P.count(round) + " records" + (total.rate === null ? "." : ", or " + P.rate(total.rate) + " " + model.per(state.category) + ".");
    }

    function extremes(state, cells) {
      const names = model.levels[state.level].names;
      const known = cells.map((cell, i) => ({ cell: cell, name: names[i] })).filter((one) => one.cell.rate !== null);
      known.sort((a, b) => a.cell.rate - b.cell.rate);
      if (known.length < 2 || known[0].cell.rate === known[known.length - 1].cell.rate) { return ""; }
      const [low, high] = [known[0], known[known.length - 1]];
      const figure = (one, unit) => P.rate(one.cell.rate) + unit + ", 95% interval " + P.rate(one.cell.lower) + " to " + P.rate(one.cell.upper);
      const hidden = cells.filter((cell) => cell.status === "hidden").length;
      const zeros = known.filter((one) => one.cell.count === 0).length;
      const least = zeros > 1 ? "; none was recorded in " + P.count(zeros) + " of them" : " and lowest in " + low.name + " (" + figure(low, "") + ")";
      const text = "Among the " + P.count(known.length) + " " + words(state.level).many + " with a rate" + (hidden ? " (" + P.count(hidden) + " more are hidden)" : "") +
        ", that of " + P.lowerFirst(model.categories[state.category].label) + " was highest in " + high.name + " (" + figure(high, " " + model.per(state.category)) + ")" +
        least + "; half of them had less than " + P.rate(middle(known.map((one) => one.cell.rate))) + ".";
      return text + (visited(state, known, high) ? " " + P.settings.visited : "");
    }

    /* Where residents may be a poor denominator, as the release's own caution has it. */
    function visited(state, known, high) {
      if (opening(state) && P.settings.cautioned) { return false; }
      const total = model.total(state.period, state.category);
      const typical = middle(known.map((one) => one.cell.rate)) || (total && total.rate) || 0;
      return model.categories[state.category].denominator === "residents" && high.cell.lower > POOR * typical;
    }

    function gathered(state, cells) {
      const found = spots(state.level, cells);
      if (!found) { return ""; }
      const stand = found.hot === 1 ? " stands out as a hot spot" : " stand out as hot spots";
      const cold = found.cold === 0 ? "none as a cold spot" : found.cold === 1 ? "1 as a cold spot" : P.count(found.cold) + " as cold spots";
      return P.count(found.hot) + " of " + P.count(found.size) + " " + words(state.level).many + stand + " of " + P.lowerFirst(model.categories[state.category].label) +
        ", where more records gather than chance would bring together, and " + cold + ", where fewer do" +
        (found.hidden ? "; of " + P.count(found.hidden) + " it is hidden" : "") + ". " + P.settings.alarms;
    }
  };
})(placeshaping);
