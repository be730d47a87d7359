/* The areas on the map: drawing them on a canvas with their borders, outlines and names. */
(function (P) {
  "use strict";

  const AT_ONCE = 3000; /* points: a browser fills many short paths far sooner than a long one */

  /* A Leaflet layer that draws all areas of a level on one canvas, and what is pointed at on another. */
  P.AreaLayer = L.Renderer.extend({
    initialize: function (shapes, levels, options) {
      L.Renderer.prototype.initialize.call(this, L.extend({ padding: 0.25 }, options));
      this._shapes = shapes;
      this._levels = levels;
      this._widths = [];
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
      this._takePens();
    },
    _takePens: function () {
      this._context = this._sheets[0].getContext("2d");
      this._marker = this._sheets[1].getContext("2d");
    },
    /* On paper a browser draws a sheet white where it was cleared, over those beneath it: each picture
       for paper is drawn on new sheets. */
    _renew: function () {
      this._sheets = this._sheets.map(function (sheet) {
        const fresh = sheet.cloneNode(false);
        sheet.replaceWith(fresh);
        return fresh;
      });
      this._takePens();
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
      if (onPaper()) { this._renew(); }
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
      this._inks = P.look.night ? { line: "rgba(235, 240, 242, 0.4)", top: "rgba(255, 255, 255, 0.9)", ink: "#ffffff", soft: "#dfe4e6", halo: "rgba(16, 20, 23, 0.9)" }
        : { line: "rgba(11, 12, 12, 0.45)", top: "rgba(11, 12, 12, 0.85)", ink: "#0b0c0c", soft: "#26292b", halo: "rgba(255, 255, 255, 0.92)" };
      this._fillAreas(pen);
      this._strokeBorders(pen, scale);
      this._labels(pen, scale);
      this._point();
    },
    _blank: function (pen) {
      pen.setTransform(this._dense, 0, 0, this._dense, 0, 0);
      if (!onPaper()) { pen.clearRect(0, 0, this._sheets[0].width, this._sheets[0].height); }
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
      /* A hot spot of a few pixels must be seen too: strong areas come last, on a rim around them that
         leaves their own colour as it is, however small and dense they are. */
      const strong = (k) => k >= 0 && Boolean(state.classes[k].strong);
      const order = Array.from(groups.keys());
      const inParts = (polygons, draw) => {
        for (let next = 0; next < polygons.length;) {
          pen.beginPath();
          for (let n = 0; n < AT_ONCE && next < polygons.length; next += 1) { n += this._trace(pen, polygons[next]); }
          draw();
        }
      };
      const paint = (k) => {
        const fills = k >= 0 ? [state.classes[k].colour] : (k === -1 ? [P.look.hidden, hatch(pen, this._dense)] : [P.look.missing, dots(pen, this._dense)]);
        inParts(groups.get(k), () => fills.forEach((fill) => { pen.fillStyle = fill; pen.fill("evenodd"); }));
      };
      order.filter((k) => !strong(k)).forEach(paint);
      pen.lineJoin = "round";
      pen.strokeStyle = this._inks.ink;
      pen.lineWidth = Math.max(1.8, Math.min(3, this._typical(state.level) * this._scale / 6));
      order.filter(strong).forEach((k) => inParts(groups.get(k), () => pen.stroke()));
      order.filter(strong).forEach(paint);
    },
    _strokeBorders: function (pen, scale) {
      const top = this._shapes.rings.length - 1;
      const level = this._state.level;
      const near = scale * 256 / 40075 > 12; /* pixels a kilometre */
      if (this._typical(level) * scale > 5) { this._strokeArcs(pen, this._shapes.borders(level), near ? 1 : 0.6, this._inks.line); }
      if (top > level) { this._strokeArcs(pen, this._shapes.borders(top), near ? 2.5 : 1.2, this._inks.top); }
    },
    /* The middle one of the areas' widths: where that is a few pixels, borders would hide the colours. */
    _typical: function (level) {
      if (this._widths[level] === undefined) {
        const widths = Float64Array.from(this._shapes.boxes[level], (box) => box[2] - box[0]).sort();
        this._widths[level] = widths[widths.length >> 1];
      }
      return this._widths[level];
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
        if ((box[3] - box[1]) * scale < height * need || !this._sees(box)) { return; }
        pen.font = font;
        const width = pen.measureText(words).width;
        if ((box[2] - box[0]) * scale < width * need) { return; }
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
        const box = this._shapes.boxes[state.level][own];
        const beyond = Math.min(120, (box[3] - box[1]) * scale / 2 + 16);
        write(state.level, own, this._levels[state.level].names[own], "700 14px " + family, this._inks.ink, 16, 0, [-beyond, beyond, 0]);
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

  const onPaper = () => document.documentElement.classList.contains("printing");

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
})(placeshaping);
