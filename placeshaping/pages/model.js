/* The numbers behind the page: unpacking, rates and their intervals, views, classes, words. */
(function (P) {
  "use strict";

  /* Unpack the data block: base64, then gzip, inflated by the browser itself. */
  P.unpack = async function (id) {
    const stream = new Blob([P.bytes(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  };

  /* Work that can wait: after the next picture, when the browser has nothing better to do. */
  const idle = window.requestIdleCallback || ((work) => setTimeout(work, 50));
  P.later = (work) => requestAnimationFrame(() => idle(() => work(), { timeout: 1000 }));

  const whole = new Intl.NumberFormat("en-GB");
  const tenth = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const short = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 6 });
  P.count = (n) => whole.format(n);
  /* Half up at the second decimal, then at the first: as the words of the page are written. */
  P.rate = (x) => tenth.format(Math.round(Math.round(x * 100) / 10) / 10);
  P.edge = (x) => short.format(x);
  P.areas = (n) => whole.format(n) + (n === 1 ? " area" : " areas");

  /* The area of a coarser level that holds an area; null where there is none, as across branches. */
  P.ancestor = function (levels, l, i, target) {
    while (l < target && i !== null && i !== undefined) {
      if (l === 0 && levels[target].holds) { return levels[target].holds[i]; }
      if (!levels[l].parents) { return null; }
      i = levels[l].parents[i];
      l = levels[l].parent_level;
    }
    return l === target && i !== undefined ? i : null;
  };

  /* 95 % limits of a Poisson count: Byar's from ten on, exact below (a table made in Python). */
  const Z = 1.959963984540054;
  P.limits = function (n) {
    if (n < P.settings.exact.lower.length) {
      return [P.settings.exact.lower[n], P.settings.exact.upper[n]];
    }
    const m = n + 1;
    return [
      n * Math.pow(1 - 1 / (9 * n) - Z / (3 * Math.sqrt(n)), 3),
      m * Math.pow(1 - 1 / (9 * m) + Z / (3 * Math.sqrt(m)), 3)
    ];
  };

  P.Model = function (data) {
    const model = this;
    const levels = data.levels;
    model.data = data;
    model.levels = levels;
    model.periods = data.periods;
    model.categories = data.categories;
    const thirds = new Map();
    model.total = overall();

    const offset = (l, p, c) => (p * data.categories.length + c) * levels[l].codes.length;

    /* One area in one view: status, count, rate with its interval, hot-spot class. */
    model.cell = function (l, p, c, i) {
      const level = levels[l];
      const at = offset(l, p, c) + i;
      const n = level.count[at];
      const spot = level.cluster && level.cluster[at] >= 0 ? data.clusters[level.cluster[at]] : null;
      if (n < 0) {
        return { status: n === -1 ? "hidden" : "missing", count: null, rate: null, lower: null, upper: null, cluster: spot };
      }
      const scale = scaleOf(l, p, c, i);
      const cell = { status: "shown", count: n, rate: null, lower: null, upper: null, cluster: spot };
      if (n !== null && scale !== null) { /* null where the policy shows no counts */
        const limits = P.limits(n);
        cell.rate = n * scale;
        cell.lower = limits[0] * scale;
        cell.upper = limits[1] * scale;
      }
      return cell;
    };

    /* What a record adds to the yearly rate of an area; null where its people are not known. */
    function scaleOf(l, p, c, i) {
      const people = model.exposure(l, c, i);
      return people > 0 ? 1000 / (people * data.periods[p].months / 12) : null;
    }

    model.exposure = function (l, c, i) {
      const name = data.categories[c].denominator;
      const known = name ? levels[l][name] : null;
      return known && known[i] !== null ? known[i] : null;
    };

    /* The whole place: the sum of the coarsest level, where none of it is hidden. */
    function overall() {
      const found = new Map();
      return function (p, c) {
        const key = p + " " + c;
        if (!found.has(key)) { found.set(key, sumUp(p, c)); }
        return found.get(key);
      };
    }

    function sumUp(p, c) {
      const top = levels.length - 1;
      let n = 0;
      let people = 0;
      for (let i = 0; i < levels[top].codes.length; i += 1) {
        const one = levels[top].count[offset(top, p, c) + i];
        if (one === null || one < 0) { return null; }
        n += one;
        people += model.exposure(top, c, i) || 0;
      }
      const years = data.periods[p].months / 12;
      return { count: n, people: people, rate: people > 0 ? 1000 * n / (people * years) : null };
    }

    /* The area of a coarser level that holds an area. */
    model.ancestor = function (l, i, target) { return P.ancestor(levels, l, i, target); };

    /* A layer whose classes are words: the class of an area in it, -1 where it has none. */
    model.isLayer = (measure) => Boolean(P.settings.layers[measure]);
    model.labelOf = function (name, l, p, c, i) {
      const level = levels[l];
      const at = offset(l, p, c) + i;
      if (name === "hotspots") { return level.cluster ? level.cluster[at] : -1; }
      const letters = (level.labels && level.labels[name]) || "";
      return at < letters.length && letters[at] !== "." ? letters.charCodeAt(at) - 97 : -1;
    };
    model.labelWords = function (name, l, p, c, i) {
      const k = model.labelOf(name, l, p, c, i);
      return k >= 0 ? P.settings.layers[name].classes[k].label : null;
    };

    const labelled = new Map();
    function hasLabels(name, l, p, c) {
      const key = [name, l, p, c].join(" ");
      if (!labelled.has(key)) { labelled.set(key, levels[l].codes.some((_, i) => model.labelOf(name, l, p, c, i) >= 0)); }
      return labelled.get(key);
    }

    /* Labels that are of the whole span, or of all categories, are shown for their parts as well: titles say so. */
    model.placed = function (state, measure) {
      const name = measure || state.measure;
      if (!model.isLayer(name) || name === "hotspots") { return state; }
      const tries = [[state.period, state.category], [0, state.category], [0, 0]];
      const [p, c] = tries.find((one) => hasLabels(name, state.level, one[0], one[1])) || tries[0];
      return p === state.period && c === state.category ? state : Object.create(state, { period: { value: p }, category: { value: c }, measure: { value: name } });
    };

    model.can = function (l, measure) {
      if (measure === "rate") { return data.categories.some((_, c) => data.categories[c].denominator && levels[l][data.categories[c].denominator]); }
      if (measure === "hotspots") { return Boolean(levels[l].cluster); }
      if (model.isLayer(measure)) { return Boolean(levels[l].labels && levels[l].labels[measure]); }
      if (measure === "decile") { return Boolean(levels[l].imd_decile); }
      if (measure === "both") { return Boolean(levels[l].imd_decile) && model.can(l, "rate"); }
      return true;
    };

    /* What the map shows: the class of each area, and what the classes are. The cells, which the words and
       the table need, are made when they are asked for: the map is drawn without them. */
    model.view = function (asked) {
      const state = model.placed(asked);
      const { level: l, period: p, category: c } = state;
      const size = levels[l].codes.length;
      const start = offset(l, p, c);
      const counts = levels[l].count.slice(start, start + size);
      const classes = model.classes(state, counts.includes(0));
      const of = new Int8Array(size);
      const full = new Array(classes.length).fill(0);
      let hidden = 0;
      let missing = 0;
      for (let i = 0; i < size; i += 1) {
        of[i] = classOf(state, classes, counts[i], i);
        if (of[i] >= 0) { full[of[i]] += 1; } else if (of[i] === -1) { hidden += 1; } else { missing += 1; }
      }
      let cells = null;
      const made = () => Array.from({ length: size }, (_, i) => model.cell(l, p, c, i));
      return { classes: classes, of: of, full: full, hidden: hidden, missing: missing, where: state, get cells() { return cells || (cells = made()); } };
    };

    /* A hidden cell shows nothing but that it is hidden: a hot-spot class would narrow its count. */
    function classOf(state, classes, n, i) {
      if (state.measure === "decile") {
        const decile = levels[state.level].imd_decile[i];
        return decile === null ? -2 : Math.floor((decile - 1) / 2);
      }
      if (n < 0) { return n === -1 ? -1 : -2; }
      if (model.isLayer(state.measure)) {
        const k = model.labelOf(state.measure, state.level, state.period, state.category, i);
        return k >= 0 ? k : -2;
      }
      const scale = scaleOf(state.level, state.period, state.category, i);
      const value = state.measure === "count" ? n : n === null || scale === null ? null : n * scale;
      if (value === null) { return -2; }
      if (state.measure === "both") {
        const decile = levels[state.level].imd_decile[i];
        const row = model.thirds(state.category).slice(1, -1).filter((edge) => value >= edge).length;
        return decile === null ? -2 : 3 * row + P.DECILES.findIndex((one) => decile >= one.from);
      }
      let found = 0;
      if (value === 0) { return found; }
      while (found + 1 < classes.length && value >= classes[found + 1].from) { found += 1; }
      return found;
    }

    model.edges = function (state) {
      const label = data.categories[state.category].label;
      if (state.measure === "rate") { return data.classes[label] || [0, 1]; }
      const known = P.settings.countClasses[levels[state.level].level] || {};
      const pair = known[label] || [[0, 1], [0, 1]];
      return pair[state.period === 0 ? 0 : 1];
    };

    /* Three classes of the rate out of those of the rate's own map: the two edges that fill them most evenly. */
    model.thirds = function (c) {
      if (!thirds.has(c)) { thirds.set(c, mostEven(c)); }
      return thirds.get(c);
    };

    function mostEven(c) {
      const edges = data.classes[data.categories[c].label] || [0, 1];
      const inner = edges.slice(1, -1);
      if (inner.length < 3) { return edges; }
      const rates = levels[0].codes.map((_, i) => model.cell(0, 0, c, i).rate).filter((rate) => rate !== null);
      let best = null;
      inner.forEach((low, k) => inner.slice(k + 1).forEach(function (high) {
        const shares = [rates.filter((rate) => rate < low).length, rates.filter((rate) => rate >= low && rate < high).length, rates.filter((rate) => rate >= high).length];
        const least = Math.min(...shares);
        if (!best || least > best.least) { best = { least: least, edges: [edges[0], low, high, edges[edges.length - 1]] }; }
      }));
      return best.edges;
    }

    function bothClasses(state) {
      const edges = model.thirds(state.category);
      const rows = edges.length - 1;
      const made = [];
      for (let row = 0; row < rows; row += 1) {
        const rates = row === 0 && rows > 1 ? "Under " + P.edge(edges[1]) : row === rows - 1 ? P.edge(edges[row]) + " or more" : P.edge(edges[row]) + " to under " + P.edge(edges[row + 1]);
        P.DECILES.forEach(function (one, column) {
          made.push({ label: rates + "; deciles " + one.label, rates: rates, colour: P.look.both[rows === 2 && row === 1 ? 2 : row][column], mark: String(row + 1) + one.mark, strong: rows > 1 && row === rows - 1 && column === 2 });
        });
      }
      return made;
    }

    /* The classes of a view; areas where nothing was recorded have one of their own. */
    model.classes = function (state, zeros) {
      const look = P.look;
      if (state.measure === "both") { return bothClasses(state); }
      if (model.isLayer(state.measure)) {
        return P.settings.layers[state.measure].classes.map((one) => one.colour === P.settings.look.plain ? Object.assign({}, one, { colour: look.plain }) : one);
      }
      if (state.measure === "decile") {
        const colours = look.sequential[5];
        const words = ["1 and 2 (most deprived)", "3 and 4", "5 and 6", "7 and 8", "9 and 10 (least deprived)"];
        return words.map((label, k) => ({ label: label, colour: colours[4 - k], mark: String(2 * k + 1) + "-" + String(2 * k + 2) }));
      }
      const edges = model.edges(state);
      const last = edges.length - 2;
      const colours = look.sequential[last + 1];
      const none = zeros ? [{ label: "None recorded", colour: look.none, from: 0, none: true, mark: "0" }] : [];
      return none.concat(colours.map(function (colour, k) {
        let label = P.edge(edges[k]) + " to under " + P.edge(edges[k + 1]);
        if (k === last && k > 0) { label = P.edge(edges[k]) + " or more"; }
        if (k === 0) { label = firstClass(state, edges[1], zeros); }
        return { label: label, colour: colour, from: k === 0 && zeros ? Number.MIN_VALUE : edges[k], mark: String(k + 1) };
      }));
    };

    /* Where small counts are hidden, the first class of counts starts at the smallest shown. */
    function firstClass(state, edge, zeros) {
      if (state.measure === "count" && P.settings.smallest < edge) { return P.edge(P.settings.smallest) + " to under " + P.edge(edge); }
      return (zeros ? "Above 0 to under " : "Under ") + P.edge(edge);
    }

    model.per = (c) => "per 1,000 " + (data.categories[c].denominator || "residents") + " a year";

    function layerTitle(measure, what) {
      const layer = P.settings.layers[measure];
      return layer.alone ? layer.title : layer.title + " of " + lowerFirst(what);
    }

    model.titleOf = function (asked) {
      const state = model.placed(asked);
      const what = data.categories[state.category].label;
      const when = data.periods[state.period].label;
      const by = P.settings.words[levels[state.level].level] || levels[state.level].short;
      if (state.measure === "decile") { return "Index of Multiple Deprivation by " + by.one; }
      if (state.measure === "both") { return "Rate and deprivation: " + lowerFirst(what) + ", " + when + ", by " + by.one; }
      if (model.isLayer(state.measure)) { return layerTitle(state.measure, what) + ", " + when + ", by " + by.one; }
      if (state.measure === "rate") { return what + " " + model.per(state.category) + ", " + when + ", by " + by.one; }
      return "Number of records: " + lowerFirst(what) + ", " + when + ", by " + by.one;
    };

    /* One area's value in the words of the view, for the tooltip and the screen reader. */
    model.say = function (state, view, i) {
      const cell = view.cells[i];
      if (state.measure === "decile") {
        const decile = levels[state.level].imd_decile[i];
        return decile === null ? "deprivation not known" : "deprivation decile " + decile + " of 10 (1 is most deprived)";
      }
      const worded = model.isLayer(state.measure);
      if (cell.status === "hidden") { return worded ? P.HIDDEN_SPOT : "number hidden to protect people"; }
      if (cell.status === "missing") { return "no data"; }
      if (worded) { return view.of[i] >= 0 ? view.classes[view.of[i]].label + (cell.count === null ? "" : "; " + P.count(cell.count) + " records") : "not looked for here"; }
      const k = view.of[i];
      const ranked = view.classes.filter((one) => !one.none).length;
      const rank = k >= 0 && !view.classes[k].none && ranked > 1 ? ", class " + view.classes[k].mark + " of " + ranked : "";
      if (state.measure === "count") { return P.count(cell.count) + " records" + rank; }
      if (cell.rate === null) { return P.count(cell.count) + " records; no rate, the number of " + (data.categories[state.category].denominator || "residents") + " is not known"; }
      const rate = P.rate(cell.rate) + " " + model.per(state.category) + " (95% interval " + P.rate(cell.lower) + " to " + P.rate(cell.upper) + ")";
      if (state.measure !== "both") { return rate + rank; }
      const decile = levels[state.level].imd_decile[i];
      return rate + (decile === null ? "; deprivation not known" : "; deprivation decile " + decile + " of 10 (1 is most deprived); class " + view.classes[k].mark);
    };
  };

  /* The columns of rate by deprivation: from the least deprived to the most. */
  P.DECILES = [{ from: 8, mark: "A", label: "8 to 10, least deprived" }, { from: 4, mark: "B", label: "4 to 7" }, { from: 1, mark: "C", label: "1 to 3, most deprived" }];

  /* The code of an area after its level's name; none where its name serves as its code. */
  P.codeOf = (level, i) => level.codes[i] === level.names[i] ? "" : ", " + level.codes[i];

  P.HIDDEN_SPOT = "hidden to protect people, as its number is";

  /* "Burglary" becomes "burglary"; "ASB" stays. */
  function lowerFirst(text) {
    if (/^.[A-Z]/.test(text)) { return text; }
    return text.charAt(0).toLowerCase() + text.slice(1);
  }
  P.lowerFirst = lowerFirst;

  /* Make an element with text and attributes: never HTML from data. */
  P.make = (tag, attributes, ...inside) => filled(document.createElement(tag), attributes, inside);
  P.svg = (tag, attributes, ...inside) => filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, inside);

  function filled(made, attributes, inside) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value !== null && value !== undefined && value !== false) { made.setAttribute(name, value); }
    }
    made.append(...inside);
    return made;
  }
})(placeshaping);
