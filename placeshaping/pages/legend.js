/* The legend of a map: its classes in words, with the number of areas in each. */
(function (P) {
  "use strict";

  const WORDS = {
    count: "Number of records. Larger areas and town centres have more.",
    decile: "Tenths of all areas in England; 1 is most deprived."
  };

  P.legend = function (model, where, view, title, list) {
    const layer = P.settings.layers[where.measure];
    /* Of a layer of words only the classes that some area has, but hot spots and cold ones always. */
    const listed = (k) => !layer || where.measure === "hotspots" || view.full[k] > 0;
    title.textContent = layer ? layer.about : WORDS[where.measure] || "Records " + model.per(where.category) + (where.measure === "both" ? ", and deprivation (tenths of all areas in England; 1 is most deprived)." : ".");
    const lines = where.measure === "both" ? [square(model, where, view)] : view.classes.map((one, k) => listed(k) ? line(swatch("", one.mark || String(k + 1), one.colour), one.label, view.full[k], one.meaning) : "").filter(Boolean);
    if (view.hidden) { lines.push(line(swatch("hatched", ""), "Hidden to protect people", view.hidden, layer ? "The number is hidden, and so is what would tell of it." : "")); }
    if (view.missing) { lines.push(line(swatch("dotted", ""), layer && view.cells.some((cell, i) => cell.status === "shown" && view.of[i] < 0) ? "Not looked for, or no data" : "No data", view.missing)); }
    list.replaceChildren(...lines);
  };

  function swatch(kind, mark, colour) {
    const made = P.make("span", { class: ("swatch " + kind).trim(), "aria-hidden": "true" }, mark);
    if (colour) { made.style.backgroundColor = colour; made.style.color = inkOn(colour); }
    return made;
  }

  function line(sample, label, n, meaning) {
    return P.make("li", {}, sample, P.make("span", { class: "range" }, label), P.make("span", { class: "n" }, P.areas(n)), meaning ? P.make("span", { class: "hint" }, meaning) : "");
  }

  /* Rate by deprivation: a square, highest rates on top, most deprived on the right, with counts. */
  function square(model, where, view) {
    const rows = model.thirds(where.category).length - 1;
    const heads = P.DECILES.map((one) => P.make("th", { scope: "col" }, P.make("strong", {}, one.mark), " " + one.label));
    const table = P.make("table", { class: "square" }, P.make("caption", { class: "unseen" }, "Number of areas by rate and deprivation"),
      P.make("thead", {}, P.make("tr", {}, P.make("td", {}, "Rate"), ...heads)));
    const body = P.make("tbody");
    for (let row = rows - 1; row >= 0; row -= 1) {
      const cells = P.DECILES.map(function (_, column) {
        const one = view.classes[3 * row + column];
        const made = P.make("td", {}, P.make("span", { class: "mark", "aria-hidden": "true" }, one.mark), P.make("span", { class: "n" }, P.areas(view.full[3 * row + column])));
        made.style.backgroundColor = one.colour;
        made.style.color = inkOn(one.colour);
        if (one.strong) { made.className = "strong"; }
        return made;
      });
      body.append(P.make("tr", {}, P.make("th", { scope: "row" }, P.make("strong", {}, String(row + 1)), " " + view.classes[3 * row].rates), ...cells));
    }
    table.append(body);
    return P.make("li", { class: "whole-line" }, table);
  }

  function inkOn(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    const [red, green, blue] = [r, g, b].map((one) => one / 255 <= 0.04045 ? one / 255 / 12.92 : Math.pow((one / 255 + 0.055) / 1.055, 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#0b0c0c" : "#ffffff";
  }
})(placeshaping);
