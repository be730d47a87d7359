/* The wards beside the map and in the table: figures that follow the brush, and the ward to paint with. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);

  /* How far a ward lies from the average, in words and sign. */
  P.verdictOf = function (review, share) {
    if (share === null) { return "no units"; }
    if (!review.over(share)) { return "within " + review.mark; }
    return share > 0 ? "too many" : "too few";
  };

  P.Wards = function (page) {
    const { review, painting } = page;
    const list = el("ward-list");
    const columns = columnsOf(review);
    const order = { key: "forecast", down: true };
    const made = new Map();
    let lines = new Map();

    head();
    el("with-select").addEventListener("change", () => page.take(el("with-select").value === "" ? null : Number(el("with-select").value)));

    this.show = function () {
      if (!same()) { build(); }
      const { rows } = painting.scores;
      painting.wards.forEach((ward) => fill(lines.get(ward.slot), ward, rows.get(ward.slot)));
      select();
      card();
      table();
    };

    /* Whether the list still holds the same wards, so that only its figures change. */
    function same() {
      return lines.size === painting.wards.length && painting.wards.every((ward) => lines.has(ward.slot));
    }

    function build() {
      lines = new Map();
      list.replaceChildren(...painting.wards.map(function (ward, k) {
        const input = P.make("input", { type: "radio", name: "ward", value: ward.slot, autocomplete: "off" });
        input.addEventListener("change", () => page.take(ward.slot));
        const line = { input: input, key: k < 9 ? String(k + 1) : "", swatch: P.make("span", { class: "swatch-place" }), name: P.make("span", { class: "ward-name" }), seats: P.make("span", { class: "ward-seats" }), variance: P.make("span", { class: "ward-variance" }), look: "", words: "" };
        lines.set(ward.slot, line);
        return P.make("label", { class: "ward" }, input, line.swatch, line.name, line.variance);
      }));
      el("list-hint").textContent = "Variance on the forecast; the mark is " + review.mark + ".";
    }

    /* The same choice as a select, for narrow screens, where the list lies below the map. */
    function select() {
      const named = painting.wards.map((ward) => ward.slot + ward.name).join("\n");
      if (select.named !== named) {
        select.named = named;
        el("with-select").replaceChildren(P.make("option", { value: "" }, "choose a ward"), ...painting.wards.map((ward) => P.make("option", { value: ward.slot }, ward.name)));
      }
      el("with-select").value = page.slot() === null ? "" : String(page.slot());
    }

    function fill(line, ward, row) {
      const look = page.lookOf(ward);
      if (line.look !== look.join()) { line.look = look.join(); line.swatch.replaceChildren(P.swatch(...look), P.make("span", { class: "ward-key", "aria-hidden": "true" }, line.key)); }
      line.input.checked = page.slot() === ward.slot;
      const over = review.over(row.variance_forecast);
      const trouble = [over ? P.verdictOf(review, row.variance_forecast) : "", row.parts > 1 ? row.parts + " parts" : "", row.doughnut ? "within another" : ""].filter(Boolean).join(", ");
      const words = [ward.name, ward.councillors, row.units ? P.signed(row.variance_forecast) : "no units", trouble].join("|");
      if (line.words === words) { return; }
      line.words = words;
      line.seats.textContent = P.many(ward.councillors, "councillor");
      line.name.replaceChildren(ward.name + " ", line.seats);
      line.variance.replaceChildren(row.units ? P.signed(row.variance_forecast) : "no units", ...(trouble ? [P.make("strong", {}, trouble)] : []));
    }

    /* The ward that is painted with. */
    function card() {
      const ward = page.slot() === null ? null : painting.ward(page.slot());
      if (!ward) { el("with").replaceChildren(P.make("p", { class: "hint" }, "Choose a ward below, or pick one on the map.")); el("edit-box").hidden = true; return; }
      const row = painting.scores.rows.get(ward.slot);
      el("edit-box").hidden = false;
      el("with").replaceChildren(
        P.make("p", { class: "with-name" }, P.swatch(...page.lookOf(ward)), P.make("span", {}, ward.name)),
        P.make("p", { class: "with-figures" },
          P.count(row.forecast) + " electors on the forecast for " + P.many(ward.councillors, "councillor") + ": ", P.make("strong", {}, P.signed(row.variance_forecast)),
          " (" + P.verdictOf(review, row.variance_forecast) + "). Now " + P.count(row.now) + ", " + P.signed(row.variance_now) + "."));
      if (document.activeElement !== el("ward-name")) { el("ward-name").value = ward.name; }
      el("ward-councillors").value = String(ward.councillors);
    }

    /* ---- the table ---- */

    function head() {
      const line = P.make("tr", {});
      for (const column of columns) {
        const button = P.make("button", { type: "button" }, column.head, P.make("span", { class: "arrow", "aria-hidden": "true" }));
        button.addEventListener("click", function () {
          order.down = order.key === column.key ? !order.down : column.key !== "name";
          order.key = column.key;
          table();
        });
        line.append(P.make("th", { scope: "col", "data-key": column.key, "data-label": column.head, class: column.text ? null : "number" }, button));
      }
      el("wards-table").tHead.replaceChildren(line);
    }

    function table() {
      const { rows } = painting.scores;
      const column = columns.find((one) => one.key === order.key);
      const all = Array.from(rows.values());
      const value = (row) => column.sort ? column.sort(row) : column.value(row);
      all.sort(function (a, b) {
        const [x, y] = [value(a), value(b)];
        if (x === null || y === null) { return (x === null ? 1 : 0) - (y === null ? 1 : 0); }
        const way = typeof x === "string" ? x.localeCompare(y, "en-GB", { numeric: true }) : x - y;
        return order.down ? -way : way;
      });
      for (const cell of el("wards-table").tHead.rows[0].cells) {
        const mine = cell.dataset.key === order.key;
        if (mine) { cell.setAttribute("aria-sort", order.down ? "descending" : "ascending"); } else { cell.removeAttribute("aria-sort"); }
      }
      const body = el("wards-table").tBodies[0];
      const shown = all.map(lineOf);
      if (shown.length !== body.rows.length || shown.some((line, k) => body.rows[k] !== line)) { body.replaceChildren(...shown); }
    }

    /* The row of a ward, made once; its cells are written anew where their words have changed. */
    function lineOf(row) {
      if (!made.has(row.slot)) {
        made.set(row.slot, P.make("tr", {}, ...columns.map((one) => P.make(one.key === "name" ? "th" : "td", one.key === "name" ? { scope: "row" } : { class: one.text ? null : "number" }))));
      }
      const line = made.get(row.slot);
      line.classList.toggle("chosen", page.slot() === row.slot);
      columns.forEach(function (one, k) {
        const words = one.words(row);
        const text = words.map((word) => word.textContent || word).join("");
        if (line.cells[k].textContent !== text) { line.cells[k].replaceChildren(...words); }
      });
      return line;
    }
  };

  /* The columns of the table of wards; those of deprivation only where it is known. */
  function columnsOf(review) {
    const marked = (share) => [P.signed(share), " ", P.make(review.over(share) ? "strong" : "span", { class: "verdict" }, P.verdictOf(review, share))];
    const columns = [
      { key: "name", head: "Ward", text: true, value: (row) => row.name, words: (row) => [row.name] },
      { key: "councillors", head: "Councillors", value: (row) => row.councillors, words: (row) => [P.count(row.councillors)] },
      { key: "electors_now", head: "Electors now", value: (row) => row.now, words: (row) => [P.count(row.now)] },
      { key: "now", head: "Variance now", value: (row) => row.variance_now, sort: (row) => size(row.variance_now), words: (row) => marked(row.variance_now) },
      { key: "electors_forecast", head: "Electors, forecast", value: (row) => row.forecast, words: (row) => [P.count(row.forecast)] },
      { key: "forecast", head: "Variance, forecast", value: (row) => row.variance_forecast, sort: (row) => size(row.variance_forecast), words: (row) => marked(row.variance_forecast) },
      { key: "parts", head: "In one piece", value: (row) => row.parts + (row.doughnut ? 1 : 0), text: true, words: (row) => [pieces(row)] },
      { key: "compactness", head: "Compactness (0 to 1)", value: (row) => row.compactness, words: (row) => [row.compactness === null ? "none" : P.fixed(row.compactness, 2)] },
      { key: "units", head: "Units", value: (row) => row.units, words: (row) => [P.count(row.units)] }
    ];
    if (review.decile) {
      columns.push(
        { key: "decile", head: "Mean deprivation decile", value: (row) => row.decile, words: (row) => [row.decile === null ? "no data" : P.fixed(row.decile, 1)] },
        { key: "share", head: "Electors in deciles 1 to 3", value: (row) => row.share, words: (row) => [row.share === null ? "no data" : P.fixed(100 * row.share, 0) + "%"] });
    }
    return columns;
  }

  const size = (share) => share === null ? null : Math.abs(share);
  const pieces = (row) => !row.units ? "no units" : [row.parts > 1 ? "no, " + P.count(row.parts) + " parts" : "yes", row.doughnut ? "within another" : ""].filter(Boolean).join(", ");
})(placeshaping);
