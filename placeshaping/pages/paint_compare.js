/* Other proposals: those that came with the page, copies and loaded ones; one of them beside the present one. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);

  P.Others = function (page, given) {
    const { review, painting } = page;
    const others = this;
    const book = given.slice();
    let beside = null; /* the proposal that is compared with */
    let differs = new Set();

    choices();
    el("compare").addEventListener("click", function () {
      if (beside) { shut(); } else { open(book[Number(el("other").value)]); }
    });
    el("other").addEventListener("change", () => { if (beside) { open(book[Number(el("other").value)]); } });
    el("start").addEventListener("click", function () {
      const chosen = book[Number(el("other").value)];
      painting.replace(chosen);
      say("You now work on \u201c" + chosen.name + "\u201d. Undo brings yours back.");
    });
    el("keep").addEventListener("click", function () {
      const copy = painting.proposal();
      copy.name = fresh(copy.name + " (copy)");
      others.add(copy);
      say("A copy is kept as \u201c" + copy.name + "\u201d until this page is closed; save it as a file to keep it for longer.");
    });

    function say(words) { el("other-words").textContent = words; }

    function fresh(name) {
      let made = name;
      for (let n = 2; book.some((one) => one.name === made); n += 1) { made = name + " " + n; }
      return made;
    }

    others.add = function (proposal) {
      book.push(proposal);
      choices();
      el("other").value = String(book.length - 1);
    };

    others.differs = (i) => differs.has(i);
    others.open = () => beside !== null;

    function choices() {
      const before = el("other").value || "0";
      el("other").replaceChildren(...book.map((one, k) => P.make("option", { value: k }, one.name)));
      el("other").value = before;
    }

    function open(proposal) {
      beside = proposal;
      el("compare").setAttribute("aria-pressed", "true");
      others.show();
      page.redraw();
      el("compare-section").focus({ preventScroll: true });
      el("compare-section").scrollIntoView({ behavior: P.still ? "auto" : "smooth", block: "start" });
    }

    function shut() {
      beside = null;
      differs = new Set();
      el("compare").setAttribute("aria-pressed", "false");
      el("compare-section").hidden = true;
      page.redraw();
    }

    /* Find what differs, and put both score tables side by side. Returns whether the map must be drawn anew. */
    others.show = function () {
      if (!beside) { return false; }
      const mine = painting.proposal();
      const match = P.matched(review, mine, beside);
      const found = new Set();
      for (let i = 0; i < review.size; i += 1) {
        const other = beside.of[i] < 0 ? -1 : match.has(beside.of[i]) ? match.get(beside.of[i]) : -2;
        if (other !== mine.of[i]) { found.add(i); }
      }
      const same = found.size === differs.size && Array.from(found).every((i) => differs.has(i));
      differs = found;
      el("compare-section").hidden = false;
      const electors = Array.from(found).reduce((all, i) => all + review.now[i], 0);
      el("compare-words").textContent = found.size
        ? P.many(found.size, "unit") + " with " + P.many(electors, "elector") + " now " + (found.size === 1 ? "lies" : "lie") + " in another ward than in \u201c" + beside.name + "\u201d: hatched on the map. Wards stand for each other where they share most electors."
        : "Every unit lies in the same ward as in \u201c" + beside.name + "\u201d. Wards stand for each other where they share most electors.";
      const slots = beside.wards.map((ward, k) => Object.assign({ slot: k }, ward));
      const theirs = review.scores(Int32Array.from(beside.of), slots);
      el("compare-body").replaceChildren(
        summaries(painting.scores, theirs),
        wardsOf("Mine: " + painting.name, painting.scores), wardsOf(beside.name, theirs));
      return !same;
    };

    function summaries(mine, theirs) {
      const rows = [
        ["Wards", (s) => P.count(s.summary.wards)],
        ["Councillors", (s) => P.count(s.summary.councillors)],
        ["Wards beyond " + review.mark + ", forecast", (s) => P.count(s.summary.over_forecast)],
        ["Wards beyond " + review.mark + ", now", (s) => P.count(s.summary.over_now)],
        ["Farthest from the average, forecast", (s) => s.summary.farthest_forecast ? P.signed(s.summary.farthest_forecast.variance_forecast) : "none"],
        ["Farthest from the average, now", (s) => s.summary.farthest_now ? P.signed(s.summary.farthest_now.variance_now) : "none"],
        ["Wards in several parts", (s) => P.count(s.summary.detached)],
        ["Wards within another", (s) => P.count(s.summary.doughnuts)],
        ...review.groups.map((group) => [P.kinds[group.kind][1].replace(/^./, (one) => one.toUpperCase()) + " split", (s) => P.count(s.summary.splits[group.kind])]),
        ["Mean compactness (0 to 1)", (s) => s.summary.compactness === null ? "none" : P.fixed(s.summary.compactness, 2)],
        ["Borders of units that are borders of wards", (s) => P.count(s.summary.cut_edges)],
        ["Units without a ward", (s) => P.count(s.unplaced)],
        ["Faults", (s) => P.count(P.judged(review, s).faults.length)]
      ];
      return tableOf("Both in figures", ["Measure", "Mine", beside.name], rows.map(([name, words]) => [name, words(mine), words(theirs)]));
    }

    function wardsOf(caption, scores) {
      const rows = Array.from(scores.rows.values(), (row) => [row.name, P.count(row.councillors), P.count(row.forecast), P.signed(row.variance_forecast), P.signed(row.variance_now)]);
      return tableOf(caption, ["Ward", "Cllrs", "Electors, forecast", "Variance, forecast", "Variance now"], rows);
    }

    function tableOf(caption, heads, rows) {
      return P.make("div", { class: "table-frame", role: "region", "aria-label": caption, tabindex: "0" }, P.make("table", {},
        P.make("caption", {}, caption),
        P.make("thead", {}, P.make("tr", {}, ...heads.map((head, k) => P.make("th", { scope: "col", class: k ? "number" : null }, head)))),
        P.make("tbody", {}, ...rows.map((row) => P.make("tr", {}, ...row.map((words, k) => P.make(k ? "td" : "th", k ? { class: "number" } : { scope: "row" }, words)))))));
    }
  };
})(placeshaping);
