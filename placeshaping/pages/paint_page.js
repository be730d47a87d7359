/* The page's own start: who is told when something is painted, and in which words. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const VARIANCE = ["#5e3c99", "#b2abd2", "#f7f7f7", "#fdb863", "#e66101"];

  P.ready = start().catch(function (error) {
    el("trouble").hidden = false;
    el("trouble").textContent = typeof DecompressionStream === "undefined"
      ? "This browser is too old to open the map. Use Edge, Chrome or Firefox of 2023 or later, or Safari 16.4 or later."
      : "The page could not be opened: the file seems damaged. Ask for it again. (" + error.message + ")";
    throw error;
  });

  async function start() {
    const data = await P.unpack("placeshaping-data");
    const review = new P.Review(data);
    const shapes = new P.Shapes(data);
    const given = data.review.proposals;
    let slot = null; /* the ward that is painted with */
    let picking = false;
    let chosen = null; /* the unit of the card */
    let fresh = new Set(); /* units to be drawn again */
    let asked = 0;
    const painting = new P.Painting(review, given[0], changed);
    const page = P.page = {
      review: review, shapes: shapes, levels: data.levels, painting: painting, bounds: boundsOf(shapes.boxes[0]),
      slot: () => slot !== null && painting.ward(slot) ? slot : null,
      take: take, nextWard: nextWard, wardNumber: wardNumber, picking: () => picking, picked: picked, stopPicking: stopPicking,
      brush: () => Number(el("brush").value), spread: spread, give: (units) => giveTo(spread(units), page.slot()), giveTo: giveTo,
      changing: changing, flush: flush, redraw: redraw, choose: choose, showUnit: showUnit, about: about, spoken: spoken, nameOf: nameOf,
      say: say, undo: () => step("undo"), redo: () => step("redo"), lookOf: lookOf
    };
    page.appearance = new P.Appearance(redraw);
    const standing = new P.Standing(page);
    const wards = new P.Wards(page);
    const units = new P.Units(page);
    const others = page.others = new P.Others(page, given);
    const pane = page.pane = new P.PaintMap(page);
    const keeper = P.keeping(page);
    controls();
    P.paintFiles(page);
    P.paintPrinting(page);
    redraw();
    figures();

    function boundsOf(boxes) {
      const [west, north, east, south] = P.around(boxes);
      const at = (x, y) => L.CRS.EPSG3857.pointToLatLng(L.point(x, y), 0);
      return L.latLngBounds(at(west, south), at(east, north));
    }

    /* ---- words ---- */

    function say(words) {
      el("live").textContent = "";
      requestAnimationFrame(() => { el("live").textContent = words; });
    }

    function nameOf(i) {
      const name = review.names ? review.names[i] : "";
      return name && name !== review.codes[i] ? name + " (" + review.codes[i] + ")" : review.codes[i];
    }

    function wardOf(i) { return painting.of[i] < 0 ? "no ward" : painting.nameOf(painting.of[i]) + " ward"; }

    function placesOf(i) {
      return ["parish", "parish_ward", "polling_district", "community"].map(function (kind) {
        const name = review.groupOf(i, kind);
        return name ? P.kinds[kind][0] + " " + name : "";
      }).filter(Boolean);
    }

    function about(i) {
      const decile = review.decile && review.decile[i] !== null ? ["Deprivation decile " + review.decile[i] + " of 10 (1 most deprived)"] : [];
      return [nameOf(i), wardOf(i), P.many(review.now[i], "elector") + " now, " + P.count(review.forecast[i]) + " on the forecast", ...placesOf(i).map((words) => words.replace(/^./, (one) => one.toUpperCase())), ...decile];
    }

    function spoken(i) {
      const to = page.slot();
      const offer = to === null ? "choose a ward to paint with" : painting.of[i] === to ? "already in the ward you paint with" : "press Enter to give it to " + painting.nameOf(to);
      return "Unit " + nameOf(i) + ", " + wardOf(i) + ", " + P.many(review.now[i], "elector") + "; " + offer + ".";
    }

    /* ---- the ward to paint with ---- */

    function take(to) {
      slot = to;
      stopPicking();
      wards.show();
      card();
      help();
      pane.layer.show({ chosen: to === null ? -1 : to }, []);
    }

    function told(to) {
      take(to);
      const row = painting.scores.rows.get(to);
      say("You paint with " + painting.nameOf(to) + ": " + P.many(row.forecast, "elector") + " on the forecast, " + P.signed(row.variance_forecast) + ".");
    }

    function nextWard(way) {
      const order = painting.wards.map((ward) => ward.slot);
      const at = order.indexOf(page.slot());
      told(order[(at < 0 ? (way > 0 ? 0 : order.length - 1) : at + way + order.length) % order.length]);
    }

    function wardNumber(n) {
      if (n <= painting.wards.length) { told(painting.wards[n - 1].slot); } else { say("There is no ward " + n + "."); }
    }

    function picked(i) {
      stopPicking();
      if (i === null || painting.of[i] < 0) { say("There is no ward there."); return; }
      told(painting.of[i]);
    }

    function stopPicking() {
      picking = false;
      el("pick").setAttribute("aria-pressed", "false");
      el("map").classList.remove("picking");
      help();
    }

    /* ---- painting ---- */

    function spread(found) {
      const kind = el("spread").value;
      const all = new Set();
      for (const i of found) { for (const j of kind ? review.whole(i, kind) : [i]) { all.add(j); } }
      return Array.from(all);
    }

    function giveTo(found, to) {
      if (to === null) { say("Choose a ward to paint with first."); return 0; }
      return painting.give(found, to);
    }

    /* While a stroke goes on: drawn and counted once a picture. */
    function changing(found) {
      found.forEach((i) => fresh.add(i));
      if (!asked) { asked = requestAnimationFrame(flush); }
    }

    function flush() {
      cancelAnimationFrame(asked);
      asked = 0;
      painting.rescore();
      draw(Array.from(fresh));
      fresh = new Set();
      standing.show();
      wards.show();
    }

    function changed(news) {
      if (!page.pane) { return; }
      cancelAnimationFrame(asked);
      asked = 0;
      const all = news.units === null ? null : [...news.units, ...fresh];
      fresh = new Set();
      if (slot !== null && !painting.ward(slot)) { slot = null; }
      const recoloured = Array.from(news.recoloured.size ? review.codes.keys() : []).filter((i) => news.recoloured.has(painting.of[i]));
      draw(others.show() ? null : all, recoloured);
      figures();
      keeper.keep();
      say(said(news));
    }

    function said(news) {
      const { step: made } = news;
      const found = P.news(review, news.former, painting.scores);
      const many = made.units.length;
      const to = new Set(made.units.map((i) => painting.of[i]));
      const what = many ? P.many(many, "unit") + ", " + P.many(made.units.reduce((all, i) => all + review.now[i], 0), "elector") + ", now in " + (to.size === 1 ? painting.nameOf(Array.from(to)[0]) : P.count(to.size) + " wards") + "." : "The list of wards has changed.";
      return [what, ...found.fresh.slice(0, 3), found.fresh.length > 3 ? P.count(found.fresh.length - 3) + " more to mind." : "", found.gone ? P.many(found.gone, "fault is", "faults are") + " mended." : ""].filter(Boolean).join(" ");
    }

    function step(way) {
      const news = painting[way]();
      if (!news) { say(way === "undo" ? "There is nothing to undo." : "There is nothing to redo."); return; }
      say((way === "undo" ? "Undone. " : "Done again. ") + said(news));
    }

    /* ---- the map ---- */

    function lookOf(ward) { return [P.wardColours[ward.colour], el("patterns").checked ? ward.colour : null]; }

    const plainOf = (colour) => ({ colour: colour, pattern: null });

    function classOf(share) {
      if (share === null) { return 2; }
      const far = review.over(share) ? 2 : Math.abs(share) > review.tolerance / 2 ? 1 : 0;
      return 2 + (share < 0 ? -far : far);
    }

    function styles() {
      const by = el("colour-by").value;
      const bare = { colour: P.noWard, pattern: -1 };
      const looks = new Map(painting.wards.map(function (ward) {
        const row = painting.scores.rows.get(ward.slot);
        const [colour, pattern] = by === "ward" ? lookOf(ward) : [VARIANCE[classOf(row["variance_" + by])] || bare.colour, null];
        return [ward.slot, { colour: colour, pattern: pattern }];
      }));
      const decile = (i) => plainOf(review.decile[i] === null ? P.noWard : P.settings.deciles[Math.floor((review.decile[i] - 1) / 2)]);
      return function (i) {
        const look = by === "decile" ? decile(i) : looks.get(painting.of[i]) || bare;
        return others.differs(i) ? Object.assign({ differs: true }, look) : look;
      };
    }

    function draw(found, recoloured) {
      const by = el("colour-by").value;
      const partly = found && (by === "ward" || by === "decile");
      pane.layer.show({ of: painting.of, styleOf: styles(), labels: labels, chosen: page.slot() === null ? -1 : page.slot(), groupOf: lines() }, partly ? found : null, recoloured);
    }

    function redraw() {
      if (!page.pane) { return; }
      draw(null);
      wards.show();
      key();
    }

    function lines() {
      const group = review.groups.find((one) => one.kind === el("lines").value);
      return group ? group.of : null;
    }

    /* One label a ward, at the unit nearest to its middle: the ward that is painted with first, then
       those beyond the mark, then large ones, which are named where the name fits. */
    function labels() {
      const sums = new Map(painting.wards.map((ward) => [ward.slot, { x: 0, y: 0, n: 0, least: Infinity, i: -1, boxes: [] }]));
      const each = (work) => { for (let i = 0; i < review.size; i += 1) { const sum = sums.get(painting.of[i]); if (sum) { work(sum, i, shapes.centre(0, i)); } } };
      each((sum, i, at) => { const weight = review.area[i]; sum.x += weight * at[0]; sum.y += weight * at[1]; sum.n += weight; sum.boxes.push(shapes.boxes[0][i]); });
      each(function (sum, i, at) {
        const far = Math.hypot(at[0] - sum.x / sum.n, at[1] - sum.y / sum.n);
        if (far < sum.least) { sum.least = far; sum.i = i; }
      });
      return painting.wards.filter((ward) => sums.get(ward.slot).i >= 0).map(function (ward) {
        const sum = sums.get(ward.slot);
        const [x, y] = shapes.centre(0, sum.i);
        const row = painting.scores.rows.get(ward.slot);
        const over = review.over(row.variance_forecast);
        return { x: x, y: y, name: ward.name, words: P.signed(row.variance_forecast), over: over, box: P.around(sum.boxes), rank: (ward.slot === slot ? 4 : 0) + (over ? 2 : 0), size: sum.n };
      }).sort((a, b) => b.rank - a.rank || b.size - a.size);
    }

    function key() {
      const by = el("colour-by").value;
      const mark = review.mark.replace(" ", "\u00a0");
      const half = Number((50 * review.tolerance).toPrecision(6)) + "\u00a0%";
      const entries = by === "decile" ? P.settings.deciles.map((colour, k) => [colour, null, "Deciles " + (2 * k + 1) + " and " + (2 * k + 2) + (k === 0 ? " (most deprived)" : "")])
        : by === "ward" ? [] : [["more than " + mark + " below", 0], [half + " to " + mark + " below", 1], ["within " + half, 2], [half + " to " + mark + " above", 3], ["more than " + mark + " above", 4]].map(([words, k]) => [VARIANCE[k], null, words]);
      const boxes = entries.map(([colour, pattern, words]) => P.make("li", {}, P.swatch(colour, pattern), P.make("span", {}, words)));
      if (painting.scores.unplaced) { boxes.push(P.make("li", {}, P.swatch(P.noWard, -1), P.make("span", {}, "No ward yet"))); }
      boxes.push(P.make("li", {}, P.make("span", { class: "key-over", "aria-hidden": "true" }, "+12.3\u00a0%"), P.make("span", {}, "Ward more than " + mark + " from the average, forecast")));
      if (others.open()) { boxes.push(P.make("li", {}, P.make("span", { class: "swatch key-hatch", "aria-hidden": "true" }), P.make("span", {}, "In another ward in the other proposal"))); }
      el("key").replaceChildren(...boxes);
    }

    /* ---- figures ---- */

    function figures() {
      standing.show();
      wards.show();
      units.show();
      card();
      key();
      help();
      P.allow(el("undo"), painting.canUndo());
      P.allow(el("redo"), painting.canRedo());
      el("proposal-name").textContent = "\u201c" + painting.name + "\u201d, " + P.many(painting.wards.length, "ward") + ", " + P.many(review.size, "unit");
      if (document.activeElement !== el("name")) { el("name").value = painting.name; }
      if (!el("judgement").hidden) { standing.judge(); }
    }

    /* ---- one unit ---- */

    function choose(i) {
      chosen = i;
      card();
      if (i !== null) { say(spoken(i)); }
    }

    function card() {
      el("unit").hidden = chosen === null;
      if (chosen === null) { return; }
      const [name, ...rest] = about(chosen);
      el("unit-words").replaceChildren(P.make("strong", {}, name), ": " + rest.join("; ") + ".");
      const to = page.slot();
      const other = to !== null && painting.of[chosen] !== to;
      el("unit-give").hidden = !other;
      if (other) { el("unit-give").textContent = "Give it to " + painting.nameOf(to); }
      el("unit-pick").hidden = painting.of[chosen] < 0 || painting.of[chosen] === to;
      if (!el("unit-pick").hidden) { el("unit-pick").textContent = "Paint with " + painting.nameOf(painting.of[chosen]); }
    }

    function showUnit(i) {
      chosen = i;
      pane.show(i);
      card();
      el("map-section").scrollIntoView({ behavior: P.still ? "auto" : "smooth" });
      el("map").focus({ preventScroll: true });
      say(spoken(i));
    }

    /* ---- controls ---- */

    function help() {
      const to = page.slot() === null ? null : painting.nameOf(page.slot());
      const ward = to === null ? "the ward you choose" : to;
      const words = {
        move: "Drag to move the map; tap a unit for its figures. Choose \u201cPaint\u201d to give units to " + ward + ".",
        paint: to === null ? "Begin in a ward and drag over its neighbours: they join it." : "Tap a unit, or drag over several, to give them to " + to + ".",
        box: "Drag a box: units whose middle lies in it go to " + ward + ".",
        lasso: "Draw around units: those whose middle lies inside go to " + ward + "."
      };
      el("tool-help").textContent = picking ? "Tap the ward that you want to paint with." : words[el("tools").querySelector("[aria-pressed=true]").value];
    }

    function controls() {
      el("tools").addEventListener("click", function (event) {
        const button = event.target.closest("button");
        if (!button) { return; }
        for (const one of el("tools").children) { one.setAttribute("aria-pressed", String(one === button)); }
        el("brush-box").hidden = button.value !== "paint";
        stopPicking();
        pane.choose(button.value);
        help();
      });
      const kinds = review.groups.map((group) => group.kind);
      el("spread").append(...kinds.map((kind) => P.make("option", { value: kind }, "the whole " + P.kinds[kind][0])));
      el("lines").append(...kinds.map((kind) => P.make("option", { value: kind }, P.kinds[kind][1])));
      el("spread-box").hidden = el("lines-box").hidden = !kinds.length;
      if (review.decile) { el("colour-by").append(P.make("option", { value: "decile" }, "deprivation (audit only)")); }
      el("audit-words").textContent = review.decile ? "Deprivation is for audit only: it plays no part in the tests, and wards must not be drawn by it. Decile 1 is the most deprived tenth of areas; the mean is weighted by today's electors." : "";
      el("wards-words").textContent = "Variance is electors for each councillor against the average of the whole district: " + P.count(Math.round(review.total.forecast / review.councillors)) + " on the forecast, " + P.count(Math.round(review.total.now / review.councillors)) + " now. Each column can be sorted; variance by its size.";
      for (const id of ["colour-by", "lines", "patterns"]) { el(id).addEventListener("change", redraw); }
      el("undo").addEventListener("click", page.undo);
      el("redo").addEventListener("click", page.redo);
      document.addEventListener("keydown", function (event) {
        const typing = event.target.matches("input:not([type=radio]):not([type=checkbox]), textarea");
        if (!(event.ctrlKey || event.metaKey) || event.altKey || typing) { return; }
        const pressed = event.key.toLowerCase();
        if (pressed === "z" && !event.shiftKey) { page.undo(); } else if (pressed === "y" || pressed === "z") { page.redo(); } else { return; }
        event.preventDefault();
      });
      el("pick").addEventListener("click", function () {
        const on = !picking;
        stopPicking();
        picking = on;
        el("pick").setAttribute("aria-pressed", String(on));
        el("map").classList.toggle("picking", on);
        help();
      });
      el("add").addEventListener("click", function () {
        const to = painting.add("", Math.min(...review.sizes));
        take(to);
        el("edit-box").open = true;
        el("ward-name").focus();
        el("ward-name").select();
      });
      el("ward-councillors").append(...review.sizes.map((n) => P.make("option", { value: n }, String(n))));
      el("ward-councillors").addEventListener("change", () => painting.edit(page.slot(), { councillors: Number(el("ward-councillors").value) }));
      el("ward-name").addEventListener("change", function () {
        const name = el("ward-name").value.trim();
        if (name && page.slot() !== null) { painting.edit(page.slot(), { name: name }); }
      });
      el("ward-remove").addEventListener("click", function () {
        if (painting.wards.length < 2) { say("The last ward cannot be removed."); return; }
        const name = painting.nameOf(page.slot());
        painting.remove(page.slot());
        say(name + " is removed; its units lie in no ward. Undo brings it back.");
      });
      el("unit-give").addEventListener("click", () => page.give([chosen]));
      el("unit-pick").addEventListener("click", () => picked(chosen));
      el("judge").addEventListener("click", function () {
        el("judgement").hidden = false;
        standing.judge();
        el("judgement").focus({ preventScroll: true });
        el("judgement").scrollIntoView({ behavior: P.still ? "auto" : "smooth", block: "start" });
      });
    }
  }
})(placeshaping);
