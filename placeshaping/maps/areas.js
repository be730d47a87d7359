/* The areas on the map: decoding shared arcs, drawing them on a canvas, finding the one under a point. */
(function (P) {
  "use strict";

  /* World pixels at zoom 0 of Leaflet's own projection. */
  function project(lon, lat) {
    const sine = Math.sin(lat * Math.PI / 180);
    return [256 * (lon / 360 + 0.5), 256 * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI))];
  }

  /* Whole numbers from text, as docs/formats.md describes: one letter, two, or five. */
  P.steps = function (text) {
    const codes = new TextEncoder().encode(text);
    for (let k = 0; k < codes.length; k += 1) { codes[k] -= codes[k] > 92 ? 36 : 35; }
    const made = new Int32Array(codes.length);
    let n = 0;
    for (let at = 0; at < codes.length;) {
      let z = codes[at];
      at += 1;
      if (z === 90) {
        z = ((codes[at] * 91 + codes[at + 1]) * 91 + codes[at + 2]) * 91 + codes[at + 3];
        at += 4;
      } else if (z >= 70) {
        z = 70 + (z - 70) * 91 + codes[at];
        at += 1;
      }
      made[n] = z % 2 ? -(z + 1) / 2 : z / 2;
      n += 1;
    }
    return made.subarray(0, n);
  };

  /* The shapes of all levels. Points of all arcs stand in one array, x and y in turn; arc i is what
     lies between starts[i] and starts[i + 1]. */
  P.Shapes = function (data) {
    const coded = data.arcs;
    const size = coded.lengths.length;
    const starts = new Int32Array(size + 1);
    for (let i = 0; i < size; i += 1) { starts[i + 1] = starts[i] + coded.lengths[i]; }
    const points = new Float64Array(2 * starts[size]);
    const ends = new Float64Array(2 * size); /* one number for the place at which an arc begins, and ends */
    const arcBoxes = new Float64Array(4 * size);
    decode();
    const whole = { starts: starts, points: points };
    const levels = data.levels;
    const stored = unpacked();
    const rings = levels.map((_, l) => stored[l] || dissolved(l));
    const boxes = rings.map((areas) => areas.map(boxOf));
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

    function decode() {
      let x = 0;
      let y = 0;
      const xs = P.steps(coded.x);
      const ys = P.steps(coded.y);
      for (let i = 0; i < size; i += 1) {
        const box = [Infinity, Infinity, -Infinity, -Infinity];
        for (let k = starts[i]; k < starts[i + 1]; k += 1) {
          x += xs[k];
          y += ys[k];
          const point = project(coded.origin[0] + x * coded.step[0], coded.origin[1] + y * coded.step[1]);
          points[2 * k] = point[0];
          points[2 * k + 1] = point[1];
          if (point[0] < box[0]) { box[0] = point[0]; }
          if (point[1] < box[1]) { box[1] = point[1]; }
          if (point[0] > box[2]) { box[2] = point[0]; }
          if (point[1] > box[3]) { box[3] = point[1]; }
          if (k === starts[i]) { ends[2 * i] = x * 67108864 + y; }
        }
        ends[2 * i + 1] = x * 67108864 + y;
        arcBoxes.set(box, 4 * i);
      }
    }

    /* Which arcs the areas of a level are made of, where it has shapes of its own: area, ring, arc; ~i is arc i backwards. */
    function unpacked() {
      let met = 0;
      return levels.map(function (level) {
        if (!level.polygons) { return null; }
        const sizes = P.steps(level.polygons.sizes);
        const arcs = P.steps(level.polygons.arcs);
        let at = 0;
        let ring = 0;
        return Array.from(P.steps(level.polygons.rings), function (many) {
          const made = new Array(many);
          for (let r = 0; r < many; r += 1, ring += 1) {
            made[r] = new Array(sizes[ring]);
            for (let k = 0; k < sizes[ring]; k += 1, at += 1) {
              made[r][k] = arcs[at] < 0 ? ~(met + arcs[at]) : met - arcs[at];
              if (arcs[at] === 0) { met += 1; }
            }
          }
          return made;
        });
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

    function endKey(arc, start) {
      return arc < 0 ? ends[2 * ~arc + (start ? 1 : 0)] : ends[2 * arc + (start ? 0 : 1)];
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
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (const ring of polygon) {
        for (const arc of ring) {
          const at = 4 * (arc < 0 ? ~arc : arc);
          box[0] = Math.min(box[0], arcBoxes[at]);
          box[1] = Math.min(box[1], arcBoxes[at + 1]);
          box[2] = Math.max(box[2], arcBoxes[at + 2]);
          box[3] = Math.max(box[3], arcBoxes[at + 3]);
        }
      }
      return box;
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
      const around = [Infinity, Infinity, -Infinity, -Infinity];
      for (const box of all) {
        around[0] = Math.min(around[0], box[0]);
        around[1] = Math.min(around[1], box[1]);
        around[2] = Math.max(around[2], box[2]);
        around[3] = Math.max(around[3], box[3]);
      }
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

  const AT_ONCE = 3000; /* points: a browser fills many short paths far sooner than a long one */

  /* A Leaflet layer that draws all areas of a level on one canvas, and what is pointed at on another. */
  P.AreaLayer = L.Renderer.extend({
    initialize: function (shapes, levels, options) {
      L.Renderer.prototype.initialize.call(this, L.extend({ padding: 0.25 }, options));
      this._shapes = shapes;
      this._levels = levels;
      this._state = null;
    },
    _initContainer: function () {
      this._container = document.createElement("div");
      this._container.setAttribute("aria-hidden", "true");
      this._sheets = [document.createElement("canvas"), document.createElement("canvas")];
      for (const sheet of this._sheets) {
        sheet.style.position = "absolute";
        sheet.style.left = sheet.style.top = "0";
      }
      this._container.style.position = "absolute";
      this._container.append(...this._sheets);
      this._context = this._sheets[0].getContext("2d");
      this._marker = this._sheets[1].getContext("2d");
    },
    _destroyContainer: function () {
      this._container.remove();
      delete this._container;
      delete this._context;
      delete this._marker;
    },
    _update: function () {
      if (this._map._animatingZoom && this._bounds) { return; }
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      const dense = Math.max(window.devicePixelRatio || 1, this.options.dense || 1);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      for (const sheet of this._sheets) {
        sheet.width = dense * size.x;
        sheet.height = dense * size.y;
        sheet.style.width = size.x + "px";
        sheet.style.height = size.y + "px";
      }
      this._dense = dense;
      this._draw();
    },
    _updatePaths: function () {},
    show: function (state) {
      const before = this._state;
      this._state = Object.assign({}, before, state);
      if (!this._map) { return; }
      const lasting = (key) => key === "active" || (before !== null && key === "chosen" && before.chosen === state.chosen);
      const keys = Object.keys(state);
      if (before && keys.length && keys.every(lasting)) { this._point(); } else { this._draw(); }
    },
    _draw: function () {
      if (!this._state || !this._bounds) { return; }
      const pen = this._context;
      const scale = Math.pow(2, this._zoom);
      const origin = this._map.getPixelOrigin().add(this._bounds.min);
      this._blank(pen);
      this._scale = scale;
      this._origin = origin;
      this._at = (x, y) => [x * scale - origin.x, y * scale - origin.y];
      this._lines = this._shapes.thin(0.75 / Math.pow(2, Math.min(20, Math.ceil(this._zoom + Math.log2(this._dense)))));
      const size = this._bounds.getSize();
      const low = [origin.x / scale, origin.y / scale];
      const high = [(origin.x + size.x) / scale, (origin.y + size.y) / scale];
      this._sees = (box) => box[2] >= low[0] && box[3] >= low[1] && box[0] <= high[0] && box[1] <= high[1];
      const boxes = this._shapes.arcBoxes;
      this._seesArc = (arc) => boxes[4 * arc + 2] >= low[0] && boxes[4 * arc + 3] >= low[1] && boxes[4 * arc] <= high[0] && boxes[4 * arc + 1] <= high[1];
      this._fillAreas(pen);
      this._inks = P.look.night ? { line: "rgba(235, 240, 242, 0.4)", top: "rgba(255, 255, 255, 0.9)", ink: "#ffffff", soft: "#dfe4e6", halo: "rgba(16, 20, 23, 0.9)" }
        : { line: "rgba(11, 12, 12, 0.45)", top: "rgba(11, 12, 12, 0.85)", ink: "#0b0c0c", soft: "#26292b", halo: "rgba(255, 255, 255, 0.92)" };
      this._strokeBorders(pen, scale);
      this._labels(pen, scale);
      this._point();
    },
    _blank: function (pen) {
      pen.setTransform(this._dense, 0, 0, this._dense, 0, 0);
      pen.clearRect(0, 0, this._sheets[0].width, this._sheets[0].height);
    },
    /* What is pointed at or chosen: drawn apart, so that nothing else need be drawn again. */
    _point: function () {
      if (!this._state || !this._bounds || !this._at) { return; }
      this._blank(this._marker);
      this._outline(this._marker, this._state.active, 2, null);
      this._outline(this._marker, this._state.chosen, 3.5, "#ffdd00");
    },
    /* Add an area to a path; return how many points it has. */
    _trace: function (pen, polygon) {
      const { starts, points } = this._lines;
      const scale = this._scale;
      const left = this._origin.x;
      const top = this._origin.y;
      let n = 0;
      for (const ring of polygon) {
        let open = false;
        for (const arc of ring) {
          const one = arc < 0 ? ~arc : arc;
          const step = arc < 0 ? -1 : 1;
          const past = arc < 0 ? starts[one] : starts[one + 1] - 1;
          for (let k = arc < 0 ? starts[one + 1] - 1 : starts[one]; k !== past; k += step) {
            if (open) { pen.lineTo(points[2 * k] * scale - left, points[2 * k + 1] * scale - top); } else { pen.moveTo(points[2 * k] * scale - left, points[2 * k + 1] * scale - top); open = true; }
            n += 1;
          }
        }
        pen.closePath();
      }
      return n;
    },
    _fillAreas: function (pen) {
      const state = this._state;
      const groups = new Map();
      this._shapes.rings[state.level].forEach((polygon, i) => {
        if (!this._sees(this._shapes.boxes[state.level][i])) { return; }
        const k = state.of[i];
        if (!groups.has(k)) { groups.set(k, []); }
        groups.get(k).push(polygon);
      });
      for (const [k, polygons] of groups) {
        const fills = k >= 0 ? [state.classes[k].colour] : (k === -1 ? [P.look.hidden, hatch(pen, this._dense)] : [P.look.missing, dots(pen, this._dense)]);
        const strong = k >= 0 && state.classes[k].strong;
        for (let next = 0; next < polygons.length;) {
          pen.beginPath();
          for (let n = 0; n < AT_ONCE && next < polygons.length; next += 1) { n += this._trace(pen, polygons[next]); }
          for (const fill of fills) { pen.fillStyle = fill; pen.fill("evenodd"); }
          if (strong) { /* a hot spot of a few pixels must be seen too */
            pen.strokeStyle = "#0b0c0c";
            pen.lineWidth = 1.6;
            pen.stroke();
          }
        }
      }
    },
    _strokeBorders: function (pen, scale) {
      const top = this._shapes.rings.length - 1;
      const level = this._state.level;
      const near = scale * 256 / 40075 > 12; /* pixels a kilometre */
      if (this._typical(level) * scale > 5) { this._strokeArcs(pen, this._shapes.borders(level), near ? 1 : 0.6, this._inks.line); }
      if (top > level) { this._strokeArcs(pen, this._shapes.borders(top), near ? 2.5 : 1.6, this._inks.top); }
    },
    /* The middle one of the areas' widths: where that is a few pixels, borders would hide the colours. */
    _typical: function (level) {
      const widths = Float64Array.from(this._shapes.boxes[level], (box) => box[2] - box[0]).sort();
      return widths[widths.length >> 1];
    },
    _strokeArcs: function (pen, arcs, width, colour) {
      const { starts, points } = this._lines;
      const scale = this._scale;
      const left = this._origin.x;
      const top = this._origin.y;
      pen.lineJoin = "round";
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      for (let next = 0; next < arcs.length;) {
        pen.beginPath();
        for (let n = 0; n < AT_ONCE && next < arcs.length; next += 1) {
          const arc = arcs[next];
          if (!this._seesArc(arc)) { continue; }
          pen.moveTo(points[2 * starts[arc]] * scale - left, points[2 * starts[arc] + 1] * scale - top);
          for (let k = starts[arc] + 1; k < starts[arc + 1]; k += 1) { pen.lineTo(points[2 * k] * scale - left, points[2 * k + 1] * scale - top); }
          n += starts[arc + 1] - starts[arc];
        }
        pen.stroke();
      }
    },
    _outline: function (pen, i, width, inner) {
      if (i === null || i === undefined) { return; }
      pen.beginPath();
      this._trace(pen, this._shapes.rings[this._state.level][i]);
      pen.lineJoin = "round";
      pen.strokeStyle = inner ? "#0b0c0c" : this._inks.ink;
      pen.lineWidth = inner ? width + 3 : width;
      pen.stroke();
      if (inner) { pen.strokeStyle = inner; pen.lineWidth = width - 1; pen.stroke(); }
    },
    /* Names where there is room: the coarsest level first; then class marks if asked for. */
    _labels: function (pen, scale) {
      const taken = [];
      const free = (box) => !taken.some((one) => box[0] < one[2] && box[2] > one[0] && box[1] < one[3] && box[3] > one[1]);
      const write = (l, i, words, font, colour, height, need, shifts) => {
        const box = this._shapes.boxes[l][i];
        if (!this._sees(box)) { return; }
        pen.font = font;
        const width = pen.measureText(words).width;
        if ((box[2] - box[0]) * scale < width * need || (box[3] - box[1]) * scale < height * need) { return; }
        const at = this._at(...this._shapes.centre(l, i));
        const room = (shift) => [at[0] - width / 2 - 3, at[1] + shift - height / 2 - 1, at[0] + width / 2 + 3, at[1] + shift + height / 2 + 1];
        const shift = shifts.find((one) => free(room(one)));
        if (shift === undefined) { return; }
        taken.push(room(shift));
        at[1] += shift;
        pen.lineJoin = "round";
        pen.lineWidth = 3.5;
        pen.strokeStyle = this._inks.halo;
        pen.strokeText(words, at[0], at[1]);
        pen.fillStyle = colour;
        pen.fillText(words, at[0], at[1]);
      };
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      const family = "system-ui, -apple-system, 'Segoe UI', Arial, sans-serif";
      const top = this._levels.length - 1;
      const state = this._state;
      const own = state.chosen === undefined ? null : state.chosen;
      if (own !== null) { /* what was chosen is named, however small it is */
        write(state.level, own, this._levels[state.level].names[own], "700 14px " + family, this._inks.ink, 16, 0, [-22, 22, 0]);
      }
      const named = (l, i) => l === state.level && i === own;
      if (state.marks) {
        state.of.forEach((k, i) => {
          const mark = k >= 0 ? state.classes[k].mark : "";
          if (mark) { write(state.level, i, mark, "600 12px " + family, this._inks.ink, 12, 1.1, [0]); }
        });
      }
      /* A name must not lie on a hot spot, which may be smaller than the name. */
      state.of.forEach((k, i) => {
        if (k < 0 || !state.classes[k].strong || top === 0) { return; }
        const at = this._at(...this._shapes.centre(state.level, i));
        taken.push([at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3]);
      });
      if (top > 0 || this._levels[0].codes.length < 40) {
        this._shapes.bySize(top).forEach((i) => named(top, i) || write(top, i, this._levels[top].names[i], "600 14px " + family, this._inks.ink, 16, 0.7, [0, -18, 18, -30, 30, -44, 44]));
      }
      for (let l = top - 1; l >= Math.max(state.level, 0); l -= 1) {
        this._shapes.bySize(l).forEach((i) => named(l, i) || write(l, i, this._levels[l].names[i], (l === state.level ? "400" : "600") + " 12px " + family, this._inks.soft, 14, l === state.level ? 2 : 1.5, [0]));
      }
    }
  });

  function tile(pen, dense, paint) {
    const made = document.createElement("canvas");
    made.width = 8 * dense;
    made.height = 8 * dense;
    const brush = made.getContext("2d");
    brush.scale(dense, dense);
    paint(brush);
    const pattern = pen.createPattern(made, "repeat");
    pattern.setTransform(new DOMMatrix().scale(1 / dense));
    return pattern;
  }

  function hatch(pen, dense) {
    return tile(pen, dense, function (brush) {
      brush.strokeStyle = P.look.hatch;
      brush.lineWidth = 1.2;
      brush.beginPath();
      for (const shift of [-8, 0, 8]) { brush.moveTo(shift - 1, 9); brush.lineTo(shift + 9, -1); }
      brush.stroke();
    });
  }

  function dots(pen, dense) {
    return tile(pen, dense, function (brush) {
      brush.fillStyle = P.look.hatch;
      brush.beginPath();
      brush.arc(4, 4, 1, 0, 2 * Math.PI);
      brush.fill();
    });
  }

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
