/* The proposal that is being painted: which unit lies in which ward, every step of it undone and redone. */
(function (P) {
  "use strict";

  const MOST_STEPS = 2000;
  const COLOURS = P.settings.wards.length;

  /* A proposal is { name, wards: [{ id, name, councillors }], of: place of each unit's ward, -1 for none }. */
  P.Painting = function (review, given, changed) {
    const painting = this;
    const of = new Int32Array(review.size).fill(-1);
    let done = [];
    let undone = [];
    let stroke = null;
    let touched = new Set();
    let slots = 0;
    painting.of = of;
    painting.wards = [];
    painting.name = "";
    painting.scores = null;
    painting.ward = (slot) => painting.wards.find((ward) => ward.slot === slot) || null;
    painting.nameOf = (slot) => slot < 0 ? "no ward" : painting.ward(slot).name;
    painting.canUndo = () => done.length > 0;
    painting.canRedo = () => undone.length > 0;
    painting.steps = () => done.length;
    put(given);
    rescore(true);

    /* Wards are kept in slots: a slot is never used for another ward, so that steps can be undone. */
    function put(proposal) {
      const made = proposal.wards.map((ward) => ({ slot: slots++, id: ward.id, name: ward.name, councillors: ward.councillors, colour: null }));
      painting.wards = made;
      painting.name = proposal.name;
      for (let i = 0; i < review.size; i += 1) { of[i] = proposal.of[i] < 0 ? -1 : made[proposal.of[i]].slot; }
      recolour();
    }

    function snapshot() { return { name: painting.name, wards: painting.wards.map((ward) => Object.assign({}, ward)) }; }

    /* ---- changes ---- */

    /* Give units to a ward; within a stroke they make one step with all that it gives. */
    painting.give = function (units, slot) {
      const own = stroke === null;
      if (own) { painting.begin(); }
      let many = 0;
      for (const i of units) {
        if (of[i] === slot) { continue; }
        if (!stroke.from.has(i)) { stroke.from.set(i, of[i]); }
        touched.add(of[i]).add(slot);
        of[i] = slot;
        many += 1;
      }
      if (own) { painting.end(); }
      return many;
    };

    painting.begin = function () {
      stroke = { from: new Map(), before: snapshot(), scores: painting.scores };
    };

    painting.painting = () => stroke !== null;

    painting.end = function () {
      const made = stroke;
      stroke = null;
      if (!made) { return null; }
      const units = Array.from(made.from.keys()).filter((i) => of[i] !== made.from.get(i));
      if (!units.length) { rescore(false); return null; }
      return keep({ units: units, from: units.map((i) => made.from.get(i)), to: units.map((i) => of[i]), before: made.before, after: null, scores: made.scores });
    };

    /* Leave a stroke as if it had not begun. */
    painting.abandon = function () {
      if (!stroke) { return []; }
      const units = Array.from(stroke.from.keys());
      units.forEach((i) => { touched.add(of[i]).add(stroke.from.get(i)); of[i] = stroke.from.get(i); });
      stroke = null;
      rescore(false);
      return units;
    };

    function keep(step) {
      const former = step.scores;
      rescore(false);
      const recoloured = separate(step.units);
      step.after = snapshot();
      delete step.scores;
      done.push(step);
      if (done.length > MOST_STEPS) { done.shift(); }
      undone = [];
      const news = { step: step, units: step.units, recoloured: recoloured, former: former };
      changed(news);
      return news;
    }

    /* Change the list of wards by `work`; it may give units, too. */
    function edited(work, everything) {
      const before = snapshot();
      const former = painting.scores;
      const held = of.slice();
      work();
      const units = [];
      for (let i = 0; i < review.size; i += 1) { if (of[i] !== held[i]) { units.push(i); touched.add(held[i]).add(of[i]); } }
      if (everything) { touched = new Set(painting.wards.map((ward) => ward.slot)); }
      keep({ units: units, from: units.map((i) => held[i]), to: units.map((i) => of[i]), before: before, scores: former });
    }

    painting.add = function (name, councillors) {
      const ids = new Set(painting.wards.map((ward) => ward.id));
      let n = painting.wards.length + 1;
      while (ids.has("W" + n)) { n += 1; }
      const ward = { slot: slots++, id: "W" + n, name: name || "Ward " + n, councillors: councillors, colour: null };
      edited(() => { ward.colour = rarest(); painting.wards.push(ward); });
      return ward.slot;
    };

    painting.edit = function (slot, facts) {
      const ward = painting.ward(slot);
      if (Object.keys(facts).every((key) => ward[key] === facts[key])) { return; }
      edited(() => Object.assign(ward, facts));
    };

    painting.remove = (slot) => edited(function () {
      painting.wards = painting.wards.filter((ward) => ward.slot !== slot);
      for (let i = 0; i < review.size; i += 1) { if (of[i] === slot) { of[i] = -1; } }
    });

    painting.call = (name) => edited(() => { painting.name = name; });

    /* Go on with another proposal; that, too, can be undone. */
    painting.replace = (proposal) => edited(() => put(proposal), true);

    painting.undo = () => back(done, undone, "from", "before");
    painting.redo = () => back(undone, done, "to", "after");

    function back(taken, given, side, list) {
      const step = taken.pop();
      if (!step) { return null; }
      const former = painting.scores;
      painting.wards = step[list].wards.map((ward) => Object.assign({}, ward));
      painting.name = step[list].name;
      step.units.forEach((i, k) => { touched.add(of[i]).add(step[side][k]); of[i] = step[side][k]; });
      given.push(step);
      rescore(false);
      const news = { step: step, units: null, recoloured: new Set(), former: former };
      changed(news);
      return news;
    }

    painting.rescore = () => rescore(false);

    function rescore(everything) {
      painting.scores = review.scores(of, painting.wards, everything ? null : painting.scores, touched);
      touched = new Set();
    }

    /* As a proposal, with its wards in their order. */
    painting.proposal = function () {
      const places = new Map(painting.wards.map((ward, k) => [ward.slot, k]));
      return {
        name: painting.name, wards: painting.wards.map((ward) => ({ id: ward.id, name: ward.name, councillors: ward.councillors })),
        of: Array.from(of, (slot) => places.has(slot) ? places.get(slot) : -1)
      };
    };

    /* ---- colours: none beside its like ---- */

    function besides() {
      const found = new Map(painting.wards.map((ward) => [ward.slot, new Map()]));
      for (let i = 0; i < review.size; i += 1) {
        for (const j of review.neighbours(i)) {
          if (of[i] !== of[j] && found.has(of[i]) && found.has(of[j])) { found.get(of[i]).set(of[j], 1 + (found.get(of[i]).get(of[j]) || 0)); }
        }
      }
      return found;
    }

    function used(slot, beside) {
      return new Set(Array.from(beside.get(slot).keys(), (other) => painting.ward(other).colour));
    }

    function times() {
      const many = new Array(COLOURS).fill(0);
      painting.wards.forEach((ward) => { if (ward.colour !== null) { many[ward.colour] += 1; } });
      return many;
    }

    function rarest(taken) {
      const many = times();
      const free = Array.from(many.keys()).filter((k) => !taken || !taken.has(k));
      return (free.length ? free : Array.from(many.keys())).reduce((best, k) => many[k] < many[best] ? k : best);
    }

    function recolour() {
      const beside = besides();
      const order = painting.wards.slice().sort((a, b) => beside.get(b.slot).size - beside.get(a.slot).size);
      order.forEach((ward) => { ward.colour = rarest(used(ward.slot, beside)); });
    }

    /* Where a stroke brought two wards of one colour together, one of them takes another. */
    function separate(units) {
      const { rows } = painting.scores;
      const near = new Set(units.flatMap((i) => [of[i], ...Array.from(review.neighbours(i), (j) => of[j])]).filter((slot) => rows.has(slot)));
      const given = new Set();
      for (const slot of near) {
        for (const other of rows.get(slot).besides) {
          const ward = painting.ward(other);
          if (!ward || ward.colour !== painting.ward(slot).colour) { continue; }
          ward.colour = rarest(new Set(Array.from(rows.get(other).besides, (beside) => painting.ward(beside) && painting.ward(beside).colour)));
          given.add(other);
        }
      }
      return given;
    }
  };

  /* Which wards of two proposals stand for each other: those that share most electors, each once. */
  P.matched = function (review, first, second) {
    const shared = new Map();
    for (let i = 0; i < review.size; i += 1) {
      if (first.of[i] < 0 || second.of[i] < 0) { continue; }
      const key = first.of[i] + " " + second.of[i];
      shared.set(key, (shared.get(key) || 0) + review.now[i] + 1);
    }
    const pairs = Array.from(shared, ([key, many]) => [...key.split(" ").map(Number), many]).sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]);
    const taken = new Set();
    const match = new Map();
    for (const [a, b] of pairs) {
      if (!match.has(b) && !taken.has(a)) { match.set(b, a); taken.add(a); }
    }
    return match;
  };
})(placeshaping);
