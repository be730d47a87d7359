/* What is wrong with a proposal, and what should be looked at, in sentences. */
(function (P) {
  "use strict";

  /* The first of some names, as the package lists them everywhere. */
  P.few = function (names) {
    const most = 5;
    return names.slice(0, most).join(", ") + (names.length > most ? " and " + P.count(names.length - most) + " more" : "");
  };

  /* Faults stand in the way of the proposal; warnings must be argued for: the sentences of `placeshaping
     review check`, and before them what is not finished yet. */
  P.judged = function (review, scores) {
    const faults = [];
    const rows = Array.from(scores.rows.values());
    const note = (key, words) => faults.push({ key: key, words: words });
    if (scores.unplaced) { note("unplaced", P.many(scores.unplaced, "unit lies", "units lie") + " in no ward yet."); }
    rows.filter((row) => !row.units).forEach((row) => note("empty " + row.slot, row.name + " has no units yet."));
    rows.filter((row) => review.over(row.variance_forecast)).forEach((row) => note("forecast " + row.slot,
      row.name + " would be " + P.fixed(100 * Math.abs(row.variance_forecast), 1) + " % " + (row.variance_forecast > 0 ? "above" : "below") + " the average on the forecast; the mark is " + review.mark + "."));
    rows.filter((row) => row.parts > 1).forEach((row) => note("parts " + row.slot, row.name + " lies in " + P.count(row.parts) + " parts that do not touch."));
    rows.filter((row) => row.doughnut).forEach((row) => note("doughnut " + row.slot, row.name + " lies wholly within another ward."));
    rows.filter((row) => !review.sizes.includes(row.councillors)).forEach((row) => note("size " + row.slot, row.name + " has " + row.councillors + " councillors; a ward may have " + review.sizes.join(" or ") + "."));
    if (scores.summary.councillors !== review.councillors) {
      note("councillors", "The wards have " + P.count(scores.summary.councillors) + " councillors together, not " + P.count(review.councillors) + ".");
    }
    return { faults: faults, warnings: warned(review, scores, rows) };
  };

  function warned(review, scores, rows) {
    const found = [];
    const over = rows.filter((row) => review.over(row.variance_now));
    if (over.length) {
      found.push({ key: "now " + over.map((row) => row.slot).join(), words: P.count(over.length) + " of " + P.count(rows.length) + " wards would be beyond " + review.mark + " with today's electors (" + P.few(over.map((row) => row.name)) + ")." });
    }
    for (const [kind, [one, many]] of Object.entries(P.kinds)) {
      const names = scores.split.filter((split) => split.kind === kind).map((split) => split.name);
      if (names.length) {
        found.push({ key: kind + names.join(), words: P.count(names.length) + " " + (names.length === 1 ? one + " lies" : many + " lie") + " in several wards (" + P.few(names) + ")." });
      }
    }
    return found;
  }

  /* What a step has brought about: the new faults and warnings, in at most a few sentences. */
  P.news = function (review, former, scores) {
    const before = P.judged(review, former);
    const after = P.judged(review, scores);
    const held = new Set([...before.faults, ...before.warnings].map((one) => one.key));
    const kept = new Set([...after.faults, ...after.warnings].map((one) => one.key));
    const fresh = [...after.faults, ...after.warnings].filter((one) => !held.has(one.key));
    const gone = [...before.faults].filter((one) => !kept.has(one.key)).length;
    return { fresh: fresh.map((one) => one.words), gone: gone };
  };
})(placeshaping);
