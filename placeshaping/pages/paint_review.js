/* What stays the same while wards are painted (units, electors, borders), and the scores of any proposal. */
(function (P) {
  "use strict";

  const ROUNDING = 1e-9;
  const DEPRIVED = 3; /* deciles that count as the most deprived */

  P.kinds = {
    parish: ["parish", "parishes"],
    parish_ward: ["parish ward", "parish wards"],
    polling_district: ["polling district", "polling districts"],
    community: ["community", "communities"]
  };

  /* As Python prints it: rounded to even where a number lies just between two. */
  P.fixed = function (x, decimals) {
    const size = Math.abs(x);
    const text = size.toFixed(decimals + 40);
    const kept = text.slice(0, -40);
    const even = "02468".includes(kept[kept.length - 1]);
    return /^50*$/.test(text.slice(-40)) && even ? kept : size.toFixed(decimals);
  };

  /* A share of one as a signed percentage: the sign stands for above or below the average. */
  P.signed = function (share) {
    if (share === null) { return "none"; }
    const text = P.fixed(100 * share, 1);
    return (Number(text) === 0 ? "" : share < 0 ? "\u2212" : "+") + text + "\u00a0%";
  };

  P.many = (n, one, several) => P.count(n) + " " + (n === 1 ? one : several || one + "s");

  P.listed = (words) => words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];

  P.Review = function (data) {
    const review = this;
    const level = data.levels[0];
    const given = data.review;
    const size = level.codes.length;
    Object.assign(review, {
      size: size, codes: level.codes, names: level.names, decile: level.imd_decile,
      now: Int32Array.from(level.count.slice(0, size)), forecast: Int32Array.from(level.count.slice(size)),
      name: given.name, digest: given.digest, councillors: given.councillors, sizes: given.sizes,
      tolerance: given.tolerance, groups: given.groups, area: given.square_metres, outer: given.outer_metres
    });
    review.place = new Map(review.codes.map((code, i) => [code, i]));
    review.total = { now: sum(review.now), forecast: sum(review.forecast) };
    review.mark = Number((100 * review.tolerance).toPrecision(6)) + " %";
    const { one: first, other: second, metres: border } = given.neighbours;
    const { starts, beside } = adjacency();
    const members = review.groups.map((group) => {
      const found = group.names.map(() => []);
      group.of.forEach((g, i) => { if (g >= 0) { found[g].push(i); } });
      return found;
    });

    function sum(values) { return values.reduce((all, one) => all + one, 0); }

    function adjacency() {
      const counts = new Int32Array(size + 1);
      first.forEach((i, k) => { counts[i + 1] += 1; counts[second[k] + 1] += 1; });
      for (let i = 0; i < size; i += 1) { counts[i + 1] += counts[i]; }
      const at = counts.slice(0, size);
      const found = new Int32Array(2 * first.length);
      first.forEach((i, k) => { found[at[i]++] = second[k]; found[at[second[k]]++] = i; });
      return { starts: counts, beside: found };
    }

    review.neighbours = (i) => beside.subarray(starts[i], starts[i + 1]);

    /* The units that go with one: itself, or its whole parish or polling district. */
    review.whole = function (i, kind) {
      const k = review.groups.findIndex((group) => group.kind === kind);
      const g = k < 0 ? -1 : review.groups[k].of[i];
      return g < 0 ? [i] : members[k][g];
    };

    review.groupOf = function (i, kind) {
      const group = review.groups.find((one) => one.kind === kind);
      return group && group.of[i] >= 0 ? group.names[group.of[i]] : "";
    };

    /* In how many parts a ward lies, over its own units alone; the units of each. */
    review.partsOf = function (of, slot) {
      const seen = new Uint8Array(size);
      const parts = [];
      for (let i = 0; i < size; i += 1) {
        if (of[i] !== slot || seen[i]) { continue; }
        const part = [i];
        seen[i] = 1;
        for (let next = 0; next < part.length; next += 1) {
          for (let k = starts[part[next]]; k < starts[part[next] + 1]; k += 1) {
            const j = beside[k];
            if (of[j] === slot && !seen[j]) { seen[j] = 1; part.push(j); }
          }
        }
        parts.push(part);
      }
      return parts;
    };

    /* The scores of a proposal: `of` is the slot of each unit's ward, -1 for none. `before` are former
       scores of which only the parts of `touched` wards need be looked for again. */
    review.scores = function (of, wards, before, touched) {
      const rows = new Map(wards.map((ward) => [ward.slot, blank(ward)]));
      let unplaced = 0;
      for (let i = 0; i < size; i += 1) {
        const row = rows.get(of[i]);
        if (row === undefined) { unplaced += 1; continue; }
        row.units += 1;
        row.now += review.now[i];
        row.forecast += review.forecast[i];
        row.area += review.area[i];
        row.outer += review.outer[i];
        if (review.decile && review.decile[i] !== null) {
          row.known += review.now[i];
          row.deciles += review.decile[i] * review.now[i];
          if (review.decile[i] <= DEPRIVED) { row.deprived += review.now[i]; }
        }
      }
      const cut = crossed(of, rows);
      const seats = wards.reduce((all, ward) => all + ward.councillors, 0);
      for (const row of rows.values()) {
        finish(row, seats);
        row.parts = before && !touched.has(row.slot) && before.rows.has(row.slot) ? before.rows.get(row.slot).parts : review.partsOf(of, row.slot).length;
      }
      const split = splits(of, rows, wards);
      const found = { rows: rows, split: split, unplaced: unplaced, wards: wards };
      found.summary = summed(found, cut);
      return found;
    };

    function blank(ward) {
      return {
        slot: ward.slot, name: ward.name, councillors: ward.councillors, units: 0, now: 0, forecast: 0, area: 0, outer: 0,
        edge: 0, known: 0, deciles: 0, deprived: 0, besides: new Set()
      };
    }

    /* The borders between wards, a part of the edge of both; a bridge of no metres makes no neighbour. */
    function crossed(of, rows) {
      let cut = 0;
      for (let k = 0; k < first.length; k += 1) {
        const a = of[first[k]];
        const b = of[second[k]];
        if (a === b) { continue; }
        cut += 1;
        meet(rows.get(a), b, border[k]);
        meet(rows.get(b), a, border[k]);
      }
      return cut;
    }

    function meet(row, other, metres) {
      if (!row) { return; }
      row.edge += metres;
      if (metres > 0) { row.besides.add(other); }
    }

    /* In the order of Python's own sums, so that the same numbers come out to the last digit. */
    function finish(row, seats) {
      row.variance_now = variance(row, row.now, review.total.now, seats);
      row.variance_forecast = variance(row, row.forecast, review.total.forecast, seats);
      const edge = Math.max(row.edge + row.outer, 1);
      row.compactness = row.units ? 4 * Math.PI * row.area / (edge * edge) : null;
      row.doughnut = row.units > 0 && row.outer === 0 && row.besides.size === 1 && !row.besides.has(-1);
      row.decile = row.known > 0 ? row.deciles / row.known : null;
      row.share = row.known > 0 ? row.deprived / row.known : null;
    }

    function variance(row, electors, all, seats) {
      const fair = row.councillors * all;
      return row.units && fair > 0 ? (electors * seats - fair) / fair : null;
    }

    function splits(of, rows, wards) {
      const found = [];
      review.groups.forEach(function (group, k) {
        members[k].forEach(function (units, g) {
          const slots = new Set(units.map((i) => of[i]).filter((slot) => rows.has(slot)));
          if (slots.size > 1) { found.push({ kind: group.kind, name: group.names[g], slots: wards.filter((ward) => slots.has(ward.slot)).map((ward) => ward.slot) }); }
        });
      });
      return found;
    }

    review.over = (variance) => variance !== null && Math.abs(variance) > review.tolerance + ROUNDING;

    function summed(found, cut) {
      const rows = Array.from(found.rows.values());
      const full = rows.filter((row) => row.units > 0);
      const largest = (key) => full.reduce((most, row) => !most || Math.abs(row[key]) > Math.abs(most[key]) ? row : most, null);
      return {
        wards: rows.length, councillors: rows.reduce((all, row) => all + row.councillors, 0),
        over_forecast: full.filter((row) => review.over(row.variance_forecast)).length,
        over_now: full.filter((row) => review.over(row.variance_now)).length,
        farthest_forecast: largest("variance_forecast"), farthest_now: largest("variance_now"),
        detached: full.filter((row) => row.parts > 1).length,
        doughnuts: full.filter((row) => row.doughnut).length,
        splits: Object.fromEntries(review.groups.map((group) => [group.kind, found.split.filter((one) => one.kind === group.kind).length])),
        compactness: full.length ? full.reduce((all, row) => all + row.compactness, 0) / full.length : null,
        cut_edges: cut
      };
    }
  };
})(placeshaping);
