/* How the proposal stands: at a glance, to mind while painting, and judged at the end. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const MOST_WARNED = 6;

  P.Standing = function (page) {
    const { review, painting } = page;

    this.show = function () {
      const { summary, unplaced } = painting.scores;
      const judged = P.judged(review, painting.scores);
      const far = summary.farthest_forecast;
      const split = review.groups.filter((group) => summary.splits[group.kind]).map((group) => P.many(summary.splits[group.kind], ...P.kinds[group.kind]));
      const whole = summary.detached + summary.doughnuts;
      fact([
        ["Verdict", judged.faults.length ? P.many(judged.faults.length, "fault") + " to mend" : "Meets every test", judged.faults.length ? "bad" : "good"],
        ["Councillors", P.count(summary.councillors) + " of " + P.count(review.councillors), summary.councillors === review.councillors ? "good" : "bad"],
        ["Beyond " + review.mark.replace(" ", "\u00a0"), P.many(summary.over_forecast, "ward") + " on the forecast, " + P.count(summary.over_now) + " now", summary.over_forecast ? "bad" : "good"],
        ["Farthest", far ? far.name + " " + P.signed(far.variance_forecast) : "none", ""],
        ["In one piece", unplaced ? P.many(unplaced, "unit") + " without a ward" : whole ? "all wards but " + P.count(whole) : "every ward", whole || unplaced ? "bad" : "good"],
        ...(review.groups.length ? [["Split", split.join(", ") || "nothing", ""]] : [])
      ]);
      const all = [...judged.faults, ...judged.warnings];
      const shown = all.slice(0, MOST_WARNED).map((one, k) => P.make("li", { class: k < judged.faults.length ? "fault" : "" }, one.words));
      if (all.length > MOST_WARNED) { shown.push(P.make("li", {}, P.count(all.length - MOST_WARNED) + " more: judge the proposal to see all.")); }
      el("warn-list").replaceChildren(...(shown.length ? shown : [P.make("li", {}, "Nothing: the proposal meets every test.")]));
    };

    function fact(list) {
      const boxes = el("facts").children;
      list.forEach(function ([name, words, state], k) {
        if (!boxes[k]) { el("facts").append(P.make("div", {}, P.make("dt", {}), P.make("dd", {}))); }
        const [term, told] = boxes[k].children;
        boxes[k].className = state;
        if (term.textContent !== name) { term.textContent = name; }
        if (told.textContent !== words) { told.textContent = words; }
      });
    }

    this.judge = function () {
      const judged = P.judged(review, painting.scores);
      const listOf = (found) => P.make("ul", {}, ...found.map((one) => P.make("li", {}, one.words)));
      const head = judged.faults.length
        ? [P.make("p", { class: "verdict-line bad" }, "Not yet. " + P.many(judged.faults.length, "fault stands", "faults stand") + " in the way:"), listOf(judged.faults)]
        : [P.make("p", { class: "verdict-line good" }, "\u201c" + painting.name + "\u201d meets all tests: " + P.many(painting.wards.length, "ward") + " of one piece for " + P.many(review.councillors, "councillor") + ", none more than " + review.mark + " from the average on the forecast.")];
      const care = judged.warnings.length ? [P.make("p", {}, "To be argued for:"), listOf(judged.warnings)] : [P.make("p", {}, "Nothing else needs to be argued for.")];
      el("judgement-body").replaceChildren(...head, ...care, P.make("p", { class: "hint" }, "These are tests of numbers and borders. Whether a ward reflects its communities, and makes for good local government, people must judge."));
    };
  };
})(placeshaping);
