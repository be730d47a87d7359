/* One area over the periods, beside the area above it: a small line chart, and the same in words. */
(function (P) {
  "use strict";

  const WIDE = 340;
  const HIGH = 150;
  const FRAME = { left: 40, right: 12, top: 10, bottom: 24 };

  /* `mine` and `whole`: one { value, lower, upper, status } for each period. */
  P.trend = function (labels, mine, whole, words) {
    const tops = mine.concat(whole).map((one) => Math.max(one.upper || 0, one.value || 0));
    const top = roundAbove(Math.max(...tops));
    if (!(top > 0) || mine.filter((one) => one.value !== null).length < 2) { return null; }
    const x = (k) => FRAME.left + 8 + k * (WIDE - FRAME.left - FRAME.right - 16) / (labels.length - 1);
    const y = (value) => HIGH - FRAME.bottom - value / top * (HIGH - FRAME.top - FRAME.bottom);
    const made = P.svg("svg", { viewBox: "0 0 " + WIDE + " " + HIGH, role: "img", "aria-label": words, class: "trend" });
    for (const value of [0, top / 2, top]) {
      made.append(P.svg("path", { class: "grid", d: "M" + FRAME.left + " " + y(value) + "H" + (WIDE - FRAME.right) }),
        P.svg("text", { x: FRAME.left - 5, y: y(value) + 4, "text-anchor": "end" }, P.edge(value)));
    }
    const every = Math.ceil(labels.length / 4);
    labels.forEach(function (label, k) {
      const shown = labels.length <= 4 || k === labels.length - 1 || (k % every === 0 && k < labels.length - every / 2);
      const anchor = k === 0 ? "start" : k === labels.length - 1 ? "end" : "middle";
      if (shown) { made.append(P.svg("text", { x: x(k) + (k === 0 ? -8 : k === labels.length - 1 ? 8 : 0), y: HIGH - 7, "text-anchor": anchor }, label)); }
    });
    draw("beside", whole);
    for (const [k, one] of mine.entries()) {
      if (one.value !== null && one.lower !== undefined) { made.append(P.svg("path", { class: "span", d: "M" + x(k) + " " + y(one.lower) + "V" + y(one.upper) })); }
    }
    draw("mine", mine);
    mine.forEach(function (one, k) {
      if (one.value !== null) { made.append(P.svg("circle", { class: "mine", cx: x(k), cy: y(one.value), r: labels.length > 15 ? 2 : 3.5 })); }
      else { const at = y(0) - 6; made.append(P.svg("path", { class: "gap", d: "M" + (x(k) - 4) + " " + (at - 4) + "l8 8m0 -8l-8 8" })); }
    });
    return made;

    /* A hidden period is a gap in the line, never a straight way across it. */
    function draw(kind, values) {
      let path = "";
      values.forEach(function (one, k) {
        if (one.value === null) { return; }
        path += (k > 0 && values[k - 1].value !== null ? "L" : "M") + x(k).toFixed(1) + " " + y(one.value).toFixed(1);
      });
      if (path) { made.append(P.svg("path", { class: kind, d: path })); }
    }
  };

  function roundAbove(value) {
    if (!(value > 0)) { return 0; }
    const power = Math.pow(10, Math.floor(Math.log10(value)));
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((one) => one * power).find((one) => one >= value);
  }

  /* What the line says, with its uncertainty. */
  P.trendWords = function (labels, mine) {
    const known = mine.map((one, k) => ({ one: one, label: labels[k] })).filter((entry) => entry.one.value !== null);
    if (known.length < 2) { return ""; }
    const [a, b] = [known[0], known[known.length - 1]];
    const hidden = mine.filter((one) => one.status === "hidden").length;
    const gaps = hidden ? " " + P.count(hidden) + (hidden === 1 ? " period is" : " periods are") + " hidden." : "";
    if (a.one.lower === undefined) { return "From " + P.count(a.one.value) + " records (" + a.label + ") to " + P.count(b.one.value) + " (" + b.label + ")." + gaps; }
    const from = "from " + P.rate(a.one.value) + " (" + a.label + ") to " + P.rate(b.one.value) + " (" + b.label + ")";
    if (b.one.lower > a.one.upper) { return "Higher at the end: " + from + "; the 95% intervals lie apart." + gaps; }
    if (b.one.upper < a.one.lower) { return "Lower at the end: " + from + "; the 95% intervals lie apart." + gaps; }
    return "No clear change: " + from + "; the 95% intervals overlap." + gaps;
  };
})(placeshaping);
