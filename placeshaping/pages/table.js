/* The table of the current view: the map's own numbers, sortable, filtered, downloadable. */
(function (P) {
  "use strict";

  const MOST_ROWS = 2000;
  const AT_ONCE = 250; /* the others follow in parts, between which the page answers */

  P.Table = function (model, choose) {
    const table = document.getElementById("table");
    const filter = document.getElementById("filter");
    const state = { key: null, down: true };
    let shown = null;
    let rows = [];
    let columns = [];
    let listed = [];

    filter.addEventListener("input", draw);

    this.show = function (view, where) {
      const { level: l, measure, category, period, chosen } = where;
      where = { level: l, measure: measure, category: category, period: period, chosen: chosen };
      shown = { view: view, where: where };
      columns = columnsOf(where);
      if (!columns.some((column) => column.key === state.key)) {
        state.key = where.measure === "both" ? "rate" : where.measure;
        if (!columns.some((column) => column.key === state.key)) { state.key = "count"; }
        state.down = where.measure !== "decile";
      }
      const level = model.levels[where.level];
      rows = level.codes.map((code, i) => ({
        i: i, code: code, name: level.names[i], cell: view.cells[i],
        people: model.exposure(where.level, where.category, i),
        decile: level.imd_decile ? level.imd_decile[i] : null
      }));
      document.getElementById("table-title").textContent =
        model.categories[where.category].label + ", " + model.periods[where.period].label +
        ". The numbers of the map, for the same choices.";
      head();
      draw();
    };

    this.mark = function (i) {
      if (shown) { shown.where.chosen = i; } /* for rows that are still to come */
      for (const row of table.tBodies[0].rows) {
        row.classList.toggle("chosen", Number(row.dataset.place) === i);
      }
    };

    const layersAt = (l) => Object.keys(P.settings.layers).filter((name) => model.can(l, name));

    function columnsOf(where) {
      const level = model.levels[where.level];
      const people = model.categories[where.category].denominator;
      const made = [
        { key: "name", label: "Area", value: (row) => row.name, text: true }
      ];
      if (!P.settings.countless) { made.push({ key: "count", label: "Records", value: (row) => row.cell.count, cell: countWords }); }
      if (people && level[people] && !P.settings.countless) {
        made.push(
          { key: "rate", label: "Per 1,000 " + people + " a year", value: (row) => row.cell.rate, cell: rateWords },
          { key: "interval", label: "95% interval", value: (row) => row.cell.lower, cell: intervalWords },
          { key: "people", label: people.charAt(0).toUpperCase() + people.slice(1), value: (row) => row.people, cell: (row) => row.people === null ? "not known" : P.count(row.people) });
      }
      for (const name of layersAt(where.level)) {
        const at = model.placed(where, name);
        const place = (row) => model.labelOf(name, where.level, at.period, at.category, row.i);
        made.push({ key: name, label: P.settings.layers[name].title + ": class" + (at === where ? "" : ", " + model.periods[at.period].label), text: true, value: (row) => place(row) >= 0 ? -place(row) : null,
          cell: (row) => place(row) >= 0 ? P.settings.layers[name].classes[place(row)].label : row.cell.status === "shown" ? "not looked for" : blank(row) });
      }
      if (P.furtherColumns) { made.push(...P.furtherColumns(model, where.level)); }
      if (level.imd_decile) {
        made.push({ key: "decile", label: "Deprivation decile (1 = most deprived tenth in England)", value: (row) => row.decile,
          cell: (row) => row.decile === null ? "not known" : String(row.decile) });
      }
      return made;
    }

    function blank(row) {
      return row.cell.status === "hidden" ? "hidden" : "no data";
    }

    function countWords(row) {
      return row.cell.count === null ? blank(row) : P.count(row.cell.count);
    }

    function rateWords(row) {
      return row.cell.rate === null ? blank(row) : P.rate(row.cell.rate);
    }

    function intervalWords(row) {
      return row.cell.rate === null ? blank(row) : P.rate(row.cell.lower) + " to " + P.rate(row.cell.upper);
    }

    function head() {
      const line = P.make("tr");
      for (const column of columns) {
        const sorted = column.key === state.key;
        const button = P.make("button", { type: "button" }, column.label, P.make("span", { class: "arrow", "aria-hidden": "true" }));
        button.addEventListener("click", function () {
          state.down = column.key === state.key ? !state.down : column.key !== "name" && column.key !== "decile";
          state.key = column.key;
          head();
          draw();
          table.tHead.rows[0].cells[columns.indexOf(column)].firstChild.focus();
        });
        line.append(P.make("th", {
          scope: "col", "data-label": column.label, class: column.text ? null : column.key === "decile" ? "number narrow" : "number",
          "aria-sort": sorted ? (state.down ? "descending" : "ascending") : null
        }, button));
      }
      table.tHead.replaceChildren(line);
    }

    function sorted() {
      const column = columns.find((one) => one.key === state.key) || columns[0];
      const words = filter.value.trim().toLowerCase();
      const kept = words ? rows.filter((row) => (row.name + " " + row.code).toLowerCase().includes(words)) : rows.slice();
      const sign = state.down ? -1 : 1;
      return kept.sort(function (a, b) {
        const x = column.value(a);
        const y = column.value(b);
        if (x === null || y === null) { return (x === null) - (y === null) || a.i - b.i; }
        const order = typeof x === "string" ? x.localeCompare(y, "en-GB", { numeric: true }) : x - y;
        return sign * order || a.i - b.i;
      });
    }

    function draw() {
      const kept = sorted();
      const some = kept.slice(0, MOST_ROWS);
      const body = table.tBodies[0];
      const add = function (from) {
        if (some !== listed) { return; }
        body.append(...some.slice(from, from + AT_ONCE).map(rowOf));
        if (from + AT_ONCE < some.length) { P.later(() => add(from + AT_ONCE)); }
      };
      listed = some;
      body.replaceChildren();
      add(0);
      const all = P.areas(kept.length) + (kept.length === rows.length ? "" : " of " + P.count(rows.length));
      document.getElementById("table-count").textContent =
        some.length < kept.length ? all + "; the first " + P.count(MOST_ROWS) + " are listed, the download holds all." : all + ".";
    }

    function rowOf(row) {
      const line = P.make("tr", { "data-place": row.i, class: row.i === shown.where.chosen ? "chosen" : null });
      for (const column of columns) {
        if (column.key === "name") {
          const button = P.make("button", { type: "button", class: "link" }, row.name);
          button.addEventListener("click", () => choose(row.i));
          line.append(P.make("th", { scope: "row" }, button, P.make("span", { class: "code" }, row.code === row.name ? "" : row.code)));
        } else {
          const words = column.cell(row);
          const pale = words === "hidden" || words === "no data" || words === "not looked for";
          line.append(P.make("td", { class: [column.text ? "" : "number", pale ? "pale" : ""].join(" ").trim() || null }, words));
        }
      }
      return line;
    }

    /* A spreadsheet must not take a name for a formula. */
    function field(value) {
      if (value === null || value === undefined) { return ""; }
      let text = String(value);
      if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) { text = "'" + text; }
      return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    }

    function valueOf(name, row, where) {
      const k = model.labelOf(name, where.level, where.period, where.category, row.i);
      return k >= 0 ? P.settings.layers[name].classes[k].value : null;
    }

    const decimals = (x) => x === null ? null : Math.round(x * 100) / 100;

    this.csv = function () {
      const where = shown.where;
      const names = ["area_code", "area_name", "level", "period", "category", "status", "count", "rate", "lower", "upper", ...layersAt(where.level).map((name) => P.settings.layers[name].column || name), "imd_decile"];
      const further = columns.filter((column) => column.field);
      names.push(...further.map((column) => column.field));
      const lines = [names.join(",")];
      for (const row of sorted()) {
        const cell = row.cell;
        lines.push([row.code, row.name, model.levels[where.level].level, model.periods[where.period].label,
          model.categories[where.category].label, cell.status, cell.count, decimals(cell.rate), decimals(cell.lower),
          decimals(cell.upper), ...layersAt(where.level).map((name) => valueOf(name, row, where)), row.decile, ...further.map((column) => column.value(row))].map(field).join(","));
      }
      return "\ufeff" + lines.join("\r\n") + "\r\n";
    };

    document.getElementById("download").addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([this.csv()], { type: "text/csv;charset=utf-8" }));
      const link = P.make("a", { href: address, download: "table.csv" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    });
  };
})(placeshaping);
