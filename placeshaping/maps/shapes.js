/* The shapes of the areas: decoding shared arcs, finding the one under a point and the one beside it. */
(function (P) {
  "use strict";

  /* World pixels from the top, at zoom 0 of Leaflet's own projection. */
  function height(lat) {
    const sine = Math.sin(lat * Math.PI / 180);
    return 256 * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI));
  }

  const digit = (code) => code - (code > 92 ? 36 : 35);

  /* Whole numbers from text, as docs/formats.md describes: one letter, two, or five. */
  P.steps = function (text) {
    const codes = new TextEncoder().encode(text);
    const size = codes.length;
    const made = new Int32Array(size);
    let n = 0;
    for (let at = 0; at < size; n += 1) {
      let z = digit(codes[at]);
      at += 1;
      if (z === 90) {
        z = ((digit(codes[at]) * 91 + digit(codes[at + 1])) * 91 + digit(codes[at + 2])) * 91 + digit(codes[at + 3]);
        at += 4;
      } else if (z >= 70) {
        z = 70 + (z - 70) * 91 + digit(codes[at]);
        at += 1;
      }
      made[n] = (z >>> 1) ^ -(z & 1);
    }
    return made.subarray(0, n);
  };

  /* The box around boxes: least x, least y, most x, most y. */
  P.around = function (boxes) {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const one of boxes) {
      if (one[0] < box[0]) { box[0] = one[0]; }
      if (one[1] < box[1]) { box[1] = one[1]; }
      if (one[2] > box[2]) { box[2] = one[2]; }
      if (one[3] > box[3]) { box[3] = one[3]; }
    }
    return box;
  };

  /* The shapes of all levels. Points of all arcs stand in one array, x and y in turn; arc i is what
     lies between starts[i] and starts[i + 1]. */
  P.Shapes = function (data) {
    const coded = data.arcs;
    const inner = P.steps(coded.inner);
    const size = inner.length;
    const starts = new Int32Array(size + 1);
    for (let i = 0; i < size; i += 1) { starts[i + 1] = starts[i] + inner[i] + 2; }
    const points = new Float64Array(2 * starts[size]);
    const arcBoxes = new Float64Array(4 * size);
    const levels = data.levels;
    const stored = unpacked();
    placed();
    const whole = { starts: starts, points: points };
    const rings = whenAsked((l) => stored[l] || dissolved(l));
    const boxes = whenAsked((l) => rings[l].map(boxOf));
    const centres = levels.map(() => null);
    const cells = levels.map(() => null);
    const borders = levels.map(() => null);
    const thinned = new Map();
    this.rings = rings;
    this.boxes = boxes;
    this.arcBoxes = arcBoxes;
    this.centres = {};
    levels.forEach((_, l) => Object.defineProperty(this.centres, l, { enumerable: true, get: () => rings[l].map((_, i) => centre(l, i)) && centres[l] }));
    this.centre = centre;
    const room = (box) => (box[2] - box[0]) * (box[3] - box[1]);
    const bySize = levels.map(() => null);
    this.bySize = function (l) { /* areas of a level, those with the largest boxes first */
      if (!bySize[l]) {
        const rooms = Float64Array.from(boxes[l], room);
        bySize[l] = Array.from(rooms.keys()).sort((a, b) => rooms[b] - rooms[a]);
      }
      return bySize[l];
    };
    this.borders = function (l) {
      if (!borders[l]) { borders[l] = bordersOf(rings[l]); }
      return borders[l];
    };

    /* What is worked out for a level when it is first asked for. */
    function whenAsked(make) {
      const known = [];
      const made = [];
      levels.forEach((_, l) => Object.defineProperty(made, l, { enumerable: true, get: () => known[l] || (known[l] = make(l)) }));
      return made;
    }

    /* Walk the rings: where an arc begins, and where the last of a ring ends, follows from its neighbours. */
    function placed() {
      const units = unrolled();
      const { origin, step } = coded;
      const lon = 256 / 360 * step[0];
      const left = 256 * (origin[0] / 360 + 0.5);
      const [low, heights] = heightsOf(units);
      for (let i = 0; i < size; i += 1) {
        let west = Infinity;
        let north = Infinity;
        let east = -Infinity;
        let south = -Infinity;
        for (let k = 2 * starts[i]; k < 2 * starts[i + 1]; k += 2) {
          const x = left + lon * units[k];
          const y = heights[units[k + 1] - low];
          points[k] = x;
          points[k + 1] = y;
          if (x < west) { west = x; }
          if (y < north) { north = y; }
          if (x > east) { east = x; }
          if (y > south) { south = y; }
        }
        arcBoxes[4 * i] = west;
        arcBoxes[4 * i + 1] = north;
        arcBoxes[4 * i + 2] = east;
        arcBoxes[4 * i + 3] = south;
      }
    }

    /* The projection asks for a logarithm: taken once for each row of the grid, from the lowest on. */
    function heightsOf(units) {
      let low = Infinity;
      let high = -Infinity;
      for (let k = 1; k < units.length; k += 2) {
        if (units[k] < low) { low = units[k]; }
        if (units[k] > high) { high = units[k]; }
      }
      const made = new Float64Array(Math.max(0, high - low + 1));
      for (let row = 0; row < made.length; row += 1) { made[row] = height(coded.origin[1] + (low + row) * coded.step[1]); }
      return [low, made];
    }

    function unrolled() {
      const units = new Int32Array(2 * starts[size]);
      const xs = P.steps(coded.x);
      const ys = P.steps(coded.y);
      const first = (arc) => arc < 0 ? starts[~arc + 1] - 1 : starts[arc]; /* the point that a ring meets first */
      const last = (arc) => arc < 0 ? starts[~arc] : starts[arc + 1] - 1;
      let x = 0;
      let y = 0;
      let n = 0;
      let met = 0;
      for (const level of stored) {
        for (const polygon of level || []) {
          for (const ring of polygon) {
            for (let at = 0; at < ring.length; at += 1) {
              const arc = ring[at];
              if (arc === met) {
                met += 1;
                const past = starts[met];
                let k = starts[arc];
                if (at > 0) { units[2 * k] = x; units[2 * k + 1] = y; k += 1; }
                const next = at + 1 < ring.length ? ring[at + 1] : ring[0];
                const follows = at + 1 === ring.length || (next < 0 ? ~next : next) < arc;
                for (; k < (follows ? past - 1 : past); k += 1, n += 1) {
                  x += xs[n];
                  y += ys[n];
                  units[2 * k] = x;
                  units[2 * k + 1] = y;
                }
                if (follows) { units[2 * past - 2] = units[2 * first(next)]; units[2 * past - 1] = units[2 * first(next) + 1]; }
              }
              x = units[2 * last(arc)];
              y = units[2 * last(arc) + 1];
            }
          }
        }
      }
      return units;
    }

    /* Which arcs the areas of a level are made of, where it has shapes of its own: area, ring, arc; ~i is
       arc i backwards. Most follow from the place where a ring stands: see docs/formats.md. */
    function unpacked() {
      const from = new Int32Array(size);
      const to = new Int32Array(size);
      const newest = new Int32Array(2 * size + 1).fill(-1); /* arcs that end at a place, the latest first */
      const before = new Int32Array(size);
      const run = new Uint8Array(size); /* backwards, so far */
      let met = 0;
      let places = 0;
      return levels.map(function (level) {
        if (!level.polygons) { return null; }
        const [many, sizes, codes, named] = ["rings", "sizes", "arcs", "named"].map((name) => P.steps(level.polygons[name]));
        let at = 0;
        let ring = 0;
        let n = 0;
        const next = () => named[n] < 0 ? ~(met + named[n]) : met - named[n];
        const start = (arc) => arc < 0 ? to[~arc] : from[arc];
        const fresh = function (here, end) {
          const arc = met;
          met += 1;
          from[arc] = here;
          to[arc] = end !== null ? end : codes[at + 1] === 0 ? places++ : start(next());
          before[arc] = newest[to[arc]];
          newest[to[arc]] = arc;
          return arc;
        };
        const known = function (here, place) {
          let arc = newest[here];
          for (let left = place; run[arc] || left > 1; arc = before[arc]) { left -= run[arc] ? 0 : 1; }
          return ~arc;
        };
        const walked = function (length) {
          const made = new Array(length);
          let here = -1;
          let home = -1;
          for (let k = 0; k < length; k += 1, at += 1) {
            const code = codes[at];
            if (k === 0) { home = code === 0 ? places++ : start(next()); here = home; }
            const arc = code === 0 ? fresh(here, k + 1 === length ? home : null) : code > 0 ? known(here, code) : next();
            if (code < 0) { n += 1; }
            if (arc < 0) { run[~arc] = 1; }
            here = arc < 0 ? from[~arc] : to[arc];
            made[k] = arc;
          }
          ring += 1;
          return made;
        };
        const made = new Array(many.length);
        for (let i = 0; i < many.length; i += 1) {
          made[i] = [];
          for (let left = many[i]; left > 0; left -= 1) { made[i].push(walked(sizes[ring])); }
        }
        return made;
      });
    }

    /* Areas of a coarser level: the borders that their parts do not share among themselves. */
    function dissolved(l) {
      const parts = levels[l].codes.map(() => []);
      stored[0].forEach(function (polygon, i) {
        const parent = P.ancestor(levels, 0, i, l);
        if (parent !== null) { for (const ring of polygon) { for (const arc of ring) { parts[parent].push(arc); } } }
      });
      return parts.map(stitched);
    }

    function stitched(used) {
      const times = new Map();
      for (const arc of used) {
        const one = arc < 0 ? ~arc : arc;
        times.set(one, (times.get(one) || 0) + 1);
      }
      const from = new Map();
      const open = used.filter((arc) => times.get(arc < 0 ? ~arc : arc) === 1);
      for (const arc of open) {
        const key = endKey(arc, true);
        if (!from.has(key)) { from.set(key, []); }
        from.get(key).push(arc);
      }
      const done = new Set();
      const found = [];
      for (const first of open) {
        if (done.has(first)) { continue; }
        const ring = [];
        let arc = first;
        while (arc !== undefined && !done.has(arc)) {
          done.add(arc);
          ring.push(arc);
          arc = (from.get(endKey(arc, false)) || []).find((next) => !done.has(next));
        }
        found.push(ring);
      }
      return found;
    }

    /* One word for the place at which an arc begins, or ends. */
    function endKey(arc, start) {
      const one = arc < 0 ? ~arc : arc;
      const k = start === arc >= 0 ? 2 * starts[one] : 2 * starts[one + 1] - 2;
      return points[k] + " " + points[k + 1];
    }

    function walk(ring, visit, level) {
      const given = level || whole;
      for (const arc of ring) {
        const one = arc < 0 ? ~arc : arc;
        const first = given.starts[one];
        const last = given.starts[one + 1] - 1;
        if (arc < 0) {
          for (let k = last; k > first; k -= 1) { visit(given.points[2 * k], given.points[2 * k + 1]); }
        } else {
          for (let k = first; k < last; k += 1) { visit(given.points[2 * k], given.points[2 * k + 1]); }
        }
      }
    }
    this.walk = walk;

    /* The same arcs with the points left out that lie nearer than `least` to the one before. An arc is
       thinned once for the areas on both its sides, and keeps its ends: nothing tears. */
    this.thin = function (least) {
      if (!thinned.has(least)) { thinned.set(least, thinnedBy(least)); }
      return thinned.get(least);
    };

    function thinnedBy(least) {
      const kept = new Float64Array(points.length);
      const from = new Int32Array(size + 1);
      let n = 0;
      for (let i = 0; i < size; i += 1) {
        const last = starts[i + 1] - 1;
        for (let k = starts[i]; k <= last; k += 1) {
          const x = points[2 * k];
          const y = points[2 * k + 1];
          if (n > from[i] && k < last && Math.abs(x - kept[2 * n - 2]) + Math.abs(y - kept[2 * n - 1]) < least) { continue; }
          kept[2 * n] = x;
          kept[2 * n + 1] = y;
          n += 1;
        }
        from[i + 1] = n;
      }
      return { starts: from, points: kept.slice(0, 2 * n) };
    }

    function boxOf(polygon) {
      let west = Infinity;
      let north = Infinity;
      let east = -Infinity;
      let south = -Infinity;
      for (const ring of polygon) {
        for (const arc of ring) {
          const at = 4 * (arc < 0 ? ~arc : arc);
          if (arcBoxes[at] < west) { west = arcBoxes[at]; }
          if (arcBoxes[at + 1] < north) { north = arcBoxes[at + 1]; }
          if (arcBoxes[at + 2] > east) { east = arcBoxes[at + 2]; }
          if (arcBoxes[at + 3] > south) { south = arcBoxes[at + 3]; }
        }
      }
      return [west, north, east, south];
    }

    function centre(l, i) {
      if (!centres[l]) { centres[l] = new Array(rings[l].length).fill(null); }
      if (!centres[l][i]) { centres[l][i] = centreOf(rings[l][i]); }
      return centres[l][i];
    }

    /* A point for a label: the middle of the widest stretch half way up the largest ring. */
    function centreOf(polygon) {
      let best = null;
      let most = -1;
      for (const ring of polygon) {
        let twice = 0;
        const xs = [];
        const ys = [];
        walk(ring, function (px, py) { xs.push(px); ys.push(py); });
        for (let k = 0; k < xs.length; k += 1) {
          const next = (k + 1) % xs.length;
          twice += xs[k] * ys[next] - xs[next] * ys[k];
        }
        if (Math.abs(twice) > most) { most = Math.abs(twice); best = [xs, ys]; }
      }
      if (!best || !best[0].length) { return [0, 0]; }
      const ys = best[1];
      let low = Infinity;
      let high = -Infinity;
      for (const y of ys) { low = Math.min(low, y); high = Math.max(high, y); }
      const middle = (low + high) / 2 + 1e-9;
      const cuts = crossings(best[0], ys, middle);
      let wide = [best[0][0], best[0][0]];
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        if (cuts[k + 1] - cuts[k] > wide[1] - wide[0]) { wide = [cuts[k], cuts[k + 1]]; }
      }
      return [(wide[0] + wide[1]) / 2, middle];
    }

    function crossings(xs, ys, level) {
      const found = [];
      for (let k = 0; k < xs.length; k += 1) {
        const next = (k + 1) % xs.length;
        if ((ys[k] > level) !== (ys[next] > level)) {
          found.push(xs[k] + (level - ys[k]) / (ys[next] - ys[k]) * (xs[next] - xs[k]));
        }
      }
      return found.sort((a, b) => a - b);
    }

    function bordersOf(areas) {
      const used = new Uint8Array(size);
      for (const polygon of areas) {
        for (const ring of polygon) { for (const arc of ring) { used[arc < 0 ? ~arc : arc] = 1; } }
      }
      return Int32Array.from(used.keys()).filter((arc) => used[arc]);
    }

    /* The area of a level at a point, or null. */
    this.at = function (l, px, py) {
      if (!cells[l]) { cells[l] = sorted(boxes[l]); }
      for (const i of cells[l](px, py)) {
        const box = boxes[l][i];
        if (px >= box[0] && px <= box[2] && py >= box[1] && py <= box[3] && inside(rings[l][i], px, py)) { return i; }
      }
      return null;
    };

    /* Which boxes may hold a point: those that touch its cell of a grid of about as many cells. */
    function sorted(all) {
      const around = P.around(all);
      const side = Math.max(1, Math.ceil(Math.sqrt(all.length)));
      const column = (x) => Math.min(side - 1, Math.max(0, Math.floor((x - around[0]) / (around[2] - around[0]) * side)));
      const row = (y) => Math.min(side - 1, Math.max(0, Math.floor((y - around[1]) / (around[3] - around[1]) * side)));
      const held = new Map();
      all.forEach(function (box, i) {
        for (let r = row(box[1]); r <= row(box[3]); r += 1) {
          for (let c = column(box[0]); c <= column(box[2]); c += 1) {
            const cell = r * side + c;
            if (held.has(cell)) { held.get(cell).push(i); } else { held.set(cell, [i]); }
          }
        }
      });
      return (px, py) => held.get(row(py) * side + column(px)) || [];
    }

    function inside(polygon, px, py) {
      let odd = false;
      for (const ring of polygon) {
        for (const arc of ring) {
          const one = arc < 0 ? ~arc : arc;
          for (let k = 2 * starts[one]; k < 2 * starts[one + 1] - 2; k += 2) {
            const y1 = points[k + 1];
            const y2 = points[k + 3];
            if ((y1 > py) !== (y2 > py) && px < points[k] + (py - y1) / (y2 - y1) * (points[k + 2] - points[k])) { odd = !odd; }
          }
        }
      }
      return odd;
    }
  };

  /* The next area in a direction: near, and not far off the line. */
  P.neighbourTowards = function (centres, from, dx, dy) {
    const start = centres[from];
    let best = null;
    let least = Infinity;
    centres.forEach(function (centre, i) {
      if (i === from) { return; }
      const along = (centre[0] - start[0]) * dx + (centre[1] - start[1]) * dy;
      const aside = Math.abs((centre[0] - start[0]) * dy) + Math.abs((centre[1] - start[1]) * dx);
      if (along <= 0 || aside > 1.8 * along) { return; }
      const far = along + 2 * aside;
      if (far < least) { least = far; best = i; }
    });
    return best;
  };
})(placeshaping);
