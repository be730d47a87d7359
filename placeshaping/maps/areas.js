/* The areas on the map: decoding shared arcs, drawing them on a canvas, finding the one under a point. */
(function (P) {
  "use strict";

  /* World pixels at zoom 0 of Leaflet's own projection. */
  function project(lon, lat) {
    const sine = Math.sin(lat * Math.PI / 180);
    return [256 * (lon / 360 + 0.5), 256 * (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI))];
  }

  P.Shapes = function (data) {
    const coded = data.arcs;
    const arcs = [];
    let x = 0;
    let y = 0;
    let at = 0;
    for (const length of coded.lengths) {
      const arc = new Float64Array(2 * length);
      for (let k = 0; k < length; k += 1, at += 1) {
        x += coded.x[at];
        y += coded.y[at];
        const point = project(coded.origin[0] + x * coded.step[0], coded.origin[1] + y * coded.step[1]);
        arc[2 * k] = point[0];
        arc[2 * k + 1] = point[1];
      }
      arcs.push(arc);
    }
    const levels = data.levels;
    const rings = levels.map((level, l) => level.polygons || dissolved(l));
    this.arcs = arcs;
    this.rings = rings;
    this.boxes = rings.map((areas) => areas.map(boxOf));
    this.centres = rings.map((areas) => areas.map(centreOf));
    this.borders = rings.map(bordersOf);

    /* Areas of a coarser level: the borders that their parts do not share among themselves. */
    function dissolved(l) {
      const parts = levels[l].codes.map(() => []);
      levels[0].polygons.forEach(function (polygon, i) {
        const parent = P.ancestor(levels, 0, i, l);
        if (parent !== null) { for (const ring of polygon) { parts[parent].push(...ring); } }
      });
      return parts.map(stitched);
    }

    function stitched(used) {
      const times = new Map();
      for (const arc of used) {
        const one = arc < 0 ? ~arc : arc;
        times.set(one, (times.get(one) || 0) + 1);
      }
      const starts = new Map();
      const open = used.filter((arc) => times.get(arc < 0 ? ~arc : arc) === 1);
      for (const arc of open) {
        const key = endKey(arc, true);
        if (!starts.has(key)) { starts.set(key, []); }
        starts.get(key).push(arc);
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
          arc = (starts.get(endKey(arc, false)) || []).find((next) => !done.has(next));
        }
        found.push(ring);
      }
      return found;
    }

    function endKey(arc, start) {
      const points = arcs[arc < 0 ? ~arc : arc];
      const first = (arc >= 0) === start;
      const at = first ? 0 : points.length - 2;
      return points[at] + " " + points[at + 1];
    }

    function walk(ring, visit) {
      for (const arc of ring) {
        const points = arcs[arc < 0 ? ~arc : arc];
        const count = points.length / 2;
        for (let k = 0; k < count - 1; k += 1) {
          const at = 2 * (arc < 0 ? count - 1 - k : k);
          visit(points[at], points[at + 1]);
        }
      }
    }
    this.walk = walk;

    function boxOf(polygon) {
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (const ring of polygon) {
        for (const arc of ring) {
          const points = arcs[arc < 0 ? ~arc : arc];
          for (let k = 0; k < points.length; k += 2) {
            box[0] = Math.min(box[0], points[k]);
            box[1] = Math.min(box[1], points[k + 1]);
            box[2] = Math.max(box[2], points[k]);
            box[3] = Math.max(box[3], points[k + 1]);
          }
        }
      }
      return box;
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
      const middle = (Math.min(...ys) + Math.max(...ys)) / 2 + 1e-9;
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
      const used = new Set();
      for (const polygon of areas) {
        for (const ring of polygon) { for (const arc of ring) { used.add(arc < 0 ? ~arc : arc); } }
      }
      return Array.from(used);
    }

    /* The area of a level at a point, or null. */
    const boxes = this.boxes;
    this.at = function (l, px, py) {
      for (let i = 0; i < boxes[l].length; i += 1) {
        const box = boxes[l][i];
        if (px >= box[0] && px <= box[2] && py >= box[1] && py <= box[3] && inside(rings[l][i], px, py)) { return i; }
      }
      return null;
    };

    function inside(polygon, px, py) {
      let odd = false;
      for (const ring of polygon) {
        for (const arc of ring) {
          const points = arcs[arc < 0 ? ~arc : arc];
          for (let k = 0; k + 3 < points.length; k += 2) {
            const y1 = points[k + 1];
            const y2 = points[k + 3];
            if ((y1 > py) !== (y2 > py) && px < points[k] + (py - y1) / (y2 - y1) * (points[k + 2] - points[k])) { odd = !odd; }
          }
        }
      }
      return odd;
    }
  };

  /* A Leaflet layer that draws all areas of a level on one canvas. */
  P.AreaLayer = L.Renderer.extend({
    initialize: function (shapes, levels, options) {
      L.Renderer.prototype.initialize.call(this, L.extend({ padding: 0.25 }, options));
      this._shapes = shapes;
      this._levels = levels;
      this._state = null;
    },
    _initContainer: function () {
      this._container = document.createElement("canvas");
      this._container.setAttribute("aria-hidden", "true");
      this._context = this._container.getContext("2d");
    },
    _destroyContainer: function () {
      this._container.remove();
      delete this._container;
      delete this._context;
    },
    _update: function () {
      if (this._map._animatingZoom && this._bounds) { return; }
      L.Renderer.prototype._update.call(this);
      const size = this._bounds.getSize();
      const dense = Math.max(window.devicePixelRatio || 1, this.options.dense || 1);
      L.DomUtil.setPosition(this._container, this._bounds.min);
      this._container.width = dense * size.x;
      this._container.height = dense * size.y;
      this._container.style.width = size.x + "px";
      this._container.style.height = size.y + "px";
      this._dense = dense;
      this._draw();
    },
    _updatePaths: function () {},
    show: function (state) {
      this._state = Object.assign({}, this._state, state);
      if (this._map) { this._draw(); }
    },
    _draw: function () {
      if (!this._state || !this._bounds) { return; }
      const pen = this._context;
      const scale = Math.pow(2, this._zoom);
      const origin = this._map.getPixelOrigin().add(this._bounds.min);
      pen.setTransform(this._dense, 0, 0, this._dense, 0, 0);
      pen.clearRect(0, 0, this._container.width, this._container.height);
      this._at = (x, y) => [x * scale - origin.x, y * scale - origin.y];
      const size = this._bounds.getSize();
      const low = [origin.x / scale, origin.y / scale];
      const high = [(origin.x + size.x) / scale, (origin.y + size.y) / scale];
      this._sees = (box) => box[2] >= low[0] && box[3] >= low[1] && box[0] <= high[0] && box[1] <= high[1];
      this._fillAreas(pen);
      this._strokeBorders(pen, scale);
      this._outline(pen, this._state.active, 2, null);
      this._outline(pen, this._state.chosen, 3.5, "#ffdd00");
      this._labels(pen, scale);
    },
    _trace: function (pen, polygon) {
      for (const ring of polygon) {
        let first = true;
        this._shapes.walk(ring, (x, y) => {
          const point = this._at(x, y);
          if (first) { pen.moveTo(point[0], point[1]); first = false; } else { pen.lineTo(point[0], point[1]); }
        });
        pen.closePath();
      }
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
        pen.beginPath();
        for (const polygon of polygons) { this._trace(pen, polygon); }
        const fills = k >= 0 ? [state.classes[k].colour] : (k === -1 ? [P.settings.look.hidden, hatch(pen, this._dense)] : [P.settings.look.missing, dots(pen, this._dense)]);
        for (const fill of fills) { pen.fillStyle = fill; pen.fill("evenodd"); }
        if (k >= 0 && state.classes[k].strong) { /* a hot spot of a few pixels must be seen too */
          pen.strokeStyle = "#0b0c0c";
          pen.lineWidth = 1.6;
          pen.stroke();
        }
      }
    },
    _strokeBorders: function (pen, scale) {
      const top = this._shapes.rings.length - 1;
      const level = this._state.level;
      const near = scale * 256 / 40075 > 12; /* pixels a kilometre */
      this._strokeArcs(pen, this._shapes.borders[level], near ? 1 : 0.6, "rgba(11, 12, 12, 0.45)");
      if (top > level) { this._strokeArcs(pen, this._shapes.borders[top], near ? 2.5 : 1.6, "rgba(11, 12, 12, 0.85)"); }
    },
    _strokeArcs: function (pen, arcs, width, colour) {
      pen.beginPath();
      for (const arc of arcs) {
        const points = this._shapes.arcs[arc];
        for (let k = 0; k < points.length; k += 2) {
          const point = this._at(points[k], points[k + 1]);
          if (k === 0) { pen.moveTo(point[0], point[1]); } else { pen.lineTo(point[0], point[1]); }
        }
      }
      pen.lineJoin = "round";
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    },
    _outline: function (pen, i, width, inner) {
      if (i === null || i === undefined) { return; }
      pen.beginPath();
      this._trace(pen, this._shapes.rings[this._state.level][i]);
      pen.lineJoin = "round";
      pen.strokeStyle = "#0b0c0c";
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
        const at = this._at(...this._shapes.centres[l][i]);
        const room = (shift) => [at[0] - width / 2 - 3, at[1] + shift - height / 2 - 1, at[0] + width / 2 + 3, at[1] + shift + height / 2 + 1];
        const shift = shifts.find((one) => free(room(one)));
        if (shift === undefined) { return; }
        taken.push(room(shift));
        at[1] += shift;
        pen.lineJoin = "round";
        pen.lineWidth = 3.5;
        pen.strokeStyle = "rgba(255, 255, 255, 0.92)";
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
        write(state.level, own, this._levels[state.level].names[own], "700 14px " + family, "#0b0c0c", 16, 0, [-22, 22, 0]);
      }
      const named = (l, i) => l === state.level && i === own;
      if (state.marks) {
        state.of.forEach((k, i) => {
          const mark = k >= 0 ? state.classes[k].mark : "";
          if (mark) { write(state.level, i, mark, "600 12px " + family, "#0b0c0c", 12, 1.1, [0]); }
        });
      }
      /* A name must not lie on a hot spot, which may be smaller than the name. */
      state.of.forEach((k, i) => {
        if (k < 0 || !state.classes[k].strong || top === 0) { return; }
        const at = this._at(...this._shapes.centres[state.level][i]);
        taken.push([at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3]);
      });
      if (top > 0 || this._levels[0].codes.length < 40) {
        this._levels[top].names.forEach((name, i) => named(top, i) || write(top, i, name, "600 14px " + family, "#0b0c0c", 16, 0.7, [0, -18, 18, -30, 30, -44, 44]));
      }
      for (let l = top - 1; l >= Math.max(state.level, 0); l -= 1) {
        this._levels[l].names.forEach((name, i) => named(l, i) || write(l, i, name, (l === state.level ? "400" : "600") + " 12px " + family, "#26292b", 14, l === state.level ? 2 : 1.5, [0]));
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
      brush.strokeStyle = P.settings.look.hatch;
      brush.lineWidth = 1.2;
      brush.beginPath();
      for (const shift of [-8, 0, 8]) { brush.moveTo(shift - 1, 9); brush.lineTo(shift + 9, -1); }
      brush.stroke();
    });
  }

  function dots(pen, dense) {
    return tile(pen, dense, function (brush) {
      brush.fillStyle = P.settings.look.hatch;
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
