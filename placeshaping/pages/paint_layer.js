/* The units on the map, coloured by ward: what a stroke changes is drawn again, the rest stays. */
(function (P) {
  "use strict";

  P.wardColours = P.settings.wards;
  P.noWard = "#dcdcdc";

  const FAMILY = "system-ui, -apple-system, 'Segoe UI', Arial, sans-serif";
  const INK = "#0b0c0c";
  const SIDE = 12;
  const HIGH = 30; /* pixels of a name with its variance */
  const AROUND = 8; /* pixels: as far as the widest line reaches */

  /* One pattern a colour, as strokes within a square of twelve pixels. */
  const STROKES = [
    [], ["M-1,13L13,-1M-1,1L1,-1M11,13L13,11"], ["M3,3h1.6M9,9h1.6"], ["M0,6h12"],
    ["M-1,-1L13,13M-1,11L1,13M11,-1L13,1"], ["M6,0v12"], ["M0,6h12M6,0v12"], ["M3,6h6M6,3v6"]
  ];
  const DOTS = ["M2,2h1.4M8,8h1.4M8,2h1.4M2,8h1.4"];
  const HATCH = ["M-1,13L13,-1M-1,7L7,-1M5,13L13,5M-1,1L1,-1M11,13L13,11"];

  P.WardLayer = P.AreaLayer.extend({
    _initContainer: function () {
      P.AreaLayer.prototype._initContainer.call(this);
      const [fills, marker] = this._sheets;
      const [lines, wards, names] = Array.from({ length: 3 }, () => document.createElement("canvas"));
      for (const sheet of [lines, wards, names]) { sheet.style.cssText = fills.style.cssText; }
      this._sheets = [fills, lines, wards, names, marker];
      this._container.replaceChildren(...this._sheets);
      this._takePens();
      this._sides = this._sides || sidesOf(this._shapes);
    },
    _takePens: function () {
      const [fills, lines, wards, names, marker] = this._sheets;
      if (!marker) { return; } /* those of the layer that this one extends, which come first */
      [this._context, this._linesPen, this._wardsPen, this._namesPen, this._marker] = [fills, lines, wards, names, marker].map((sheet) => sheet.getContext("2d"));
    },
    _destroyContainer: function () {
      P.AreaLayer.prototype._destroyContainer.call(this);
      delete this._linesPen;
      delete this._wardsPen;
      delete this._namesPen;
    },
    /* The state: of, styleOf(unit), groupOf (units with the same share no dashed line), labels, chosen ward, differ. */
    show: function (state, units, recoloured) {
      const before = this._state ? this._state.chosen : null;
      this._state = Object.assign({}, this._state, state);
      if (!this._map || !this._at) { return; }
      if (!units) { this._draw(); return; }
      if (state.chosen !== undefined && state.chosen !== before) { this._wardLines(null); } else if (units.length) { this._wardLines(units); }
      this._refill(recoloured ? [...units, ...recoloured] : units);
      this._names();
    },
    _draw: function () {
      if (!this._state || !this._bounds) { return; }
      if (document.documentElement.classList.contains("printing")) { this._renew(); }
      const scale = Math.pow(2, this._zoom);
      const origin = this._map.getPixelOrigin().add(this._bounds.min);
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
      this._inks = { ink: INK, halo: "rgba(255, 255, 255, 0.92)", line: "rgba(11, 12, 12, 0.32)" };
      this._patterns = new Map();
      this._blank(this._context);
      this._refill(null);
      this._unitLines();
      this._wardLines(null);
      this._names();
      this._point();
    },
    _refill: function (units) {
      const pen = this._context;
      const groups = new Map();
      const all = units || this._shapes.rings[0].keys();
      for (const i of all) {
        if (!this._sees(this._shapes.boxes[0][i])) { continue; }
        const style = this._state.styleOf(i);
        const key = style.colour + style.pattern + Boolean(style.differs);
        if (!groups.has(key)) { groups.set(key, { style: style, polygons: [] }); }
        groups.get(key).polygons.push(this._shapes.rings[0][i]);
      }
      for (const { style, polygons } of groups.values()) {
        const fills = [style.colour];
        if (style.pattern !== null) { fills.push(this._pattern("p" + style.pattern, style.pattern < 0 ? DOTS : STROKES[style.pattern], 0.3, 1.2)); }
        if (style.differs) { fills.push(this._pattern("hatch", HATCH, 0.75, 1.6)); }
        for (let next = 0; next < polygons.length;) {
          pen.beginPath();
          for (let n = 0; n < 3000 && next < polygons.length; next += 1) { n += this._trace(pen, polygons[next]); }
          for (const fill of fills) { pen.fillStyle = fill; pen.fill("evenodd"); }
        }
      }
    },
    _pattern: function (key, strokes, strength, width) {
      if (!this._patterns.has(key)) {
        const made = document.createElement("canvas");
        made.width = made.height = Math.round(SIDE * this._dense);
        const brush = made.getContext("2d");
        brush.scale(made.width / SIDE, made.width / SIDE);
        brush.strokeStyle = "rgba(11, 12, 12, " + strength + ")";
        brush.lineWidth = width;
        strokes.forEach((path) => brush.stroke(new Path2D(path)));
        const pattern = this._context.createPattern(made, "repeat");
        pattern.setTransform(new DOMMatrix().scale(SIDE / made.width));
        this._patterns.set(key, pattern);
      }
      return this._patterns.get(key);
    },
    _unitLines: function () {
      const pen = this._linesPen;
      this._blank(pen);
      if (this._typical(0) * this._scale > 5) { this._strokeArcs(pen, this._shapes.borders(0), 0.7, this._inks.line); }
      const group = this._state.groupOf;
      if (group) {
        const arcs = this._between((i) => group[i]);
        pen.setLineDash([]);
        this._strokeArcs(pen, arcs, 2.6, "rgba(255, 255, 255, 0.85)");
        pen.setLineDash([6, 4]);
        this._strokeArcs(pen, arcs, 1.4, "#4c2c92");
        pen.setLineDash([]);
      }
    },
    /* Arcs on whose two sides something differs. */
    _between: function (of) {
      const { left, right } = this._sides;
      const found = [];
      for (let arc = 0; arc < left.length; arc += 1) {
        if (left[arc] >= 0 && (right[arc] < 0 || of(left[arc]) !== of(right[arc]))) { found.push(arc); }
      }
      return found;
    },
    /* The borders of wards; after a stroke only around the units that it changed. */
    _wardLines: function (units) {
      const pen = this._wardsPen;
      const { of, chosen } = this._state;
      const seen = this._seesArc;
      if (units) {
        const [west, north, east, south] = P.around(units.map((i) => this._shapes.boxes[0][i]));
        const [left, top] = this._at(west, north);
        const [right, bottom] = this._at(east, south);
        pen.save();
        pen.beginPath();
        pen.rect(left - AROUND, top - AROUND, right - left + 2 * AROUND, bottom - top + 2 * AROUND);
        pen.clip();
        pen.clearRect(left - AROUND, top - AROUND, right - left + 2 * AROUND, bottom - top + 2 * AROUND);
        const boxes = this._shapes.arcBoxes;
        const wide = 2 * AROUND / this._scale;
        this._seesArc = (arc) => boxes[4 * arc + 2] >= west - wide && boxes[4 * arc + 3] >= north - wide && boxes[4 * arc] <= east + wide && boxes[4 * arc + 1] <= south + wide && seen(arc);
      } else {
        this._blank(pen);
      }
      const all = this._between((i) => of[i]);
      this._strokeArcs(pen, all, 4.5, "rgba(255, 255, 255, 0.8)");
      this._strokeArcs(pen, all, 2.4, INK);
      if (chosen >= 0) {
        const { left, right } = this._sides;
        const own = all.filter((arc) => of[left[arc]] === chosen || (right[arc] >= 0 && of[right[arc]] === chosen));
        this._strokeArcs(pen, own, 7, INK);
        this._strokeArcs(pen, own, 3.6, "#ffdd00");
      }
      if (units) { pen.restore(); this._seesArc = seen; }
    },
    /* Names with their variance beneath, in their order, where there is room. */
    _names: function () {
      const pen = this._namesPen;
      const taken = [];
      this._blank(pen);
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      for (const label of this._state.labels()) {
        const at = this._at(label.x, label.y);
        pen.font = "700 14px " + FAMILY;
        const wide = Math.max(pen.measureText(label.name).width, 48) + 8;
        const room = [label.box[2] - label.box[0], label.box[3] - label.box[1]].map((side) => side * this._scale);
        if (!label.rank && (room[0] < 0.75 * wide || room[1] < HIGH)) { continue; }
        const box = [at[0] - wide / 2, at[1] - 20, at[0] + wide / 2, at[1] + 20];
        if (taken.some((one) => box[0] < one[2] && box[2] > one[0] && box[1] < one[3] && box[3] > one[1])) { continue; }
        taken.push(box);
        this._word(pen, label.name, at[0], at[1] - 9);
        pen.font = "600 12px " + FAMILY;
        if (label.over) {
          const size = pen.measureText(label.words).width + 10;
          pen.fillStyle = INK;
          pen.fillRect(at[0] - size / 2, at[1], size, 17);
          pen.fillStyle = "#ffffff";
          pen.fillText(label.words, at[0], at[1] + 9);
        } else {
          this._word(pen, label.words, at[0], at[1] + 9);
        }
      }
    },
    _word: function (pen, words, x, y) {
      pen.lineJoin = "round";
      pen.lineWidth = 3.5;
      pen.strokeStyle = this._inks.halo;
      pen.strokeText(words, x, y);
      pen.fillStyle = INK;
      pen.fillText(words, x, y);
    },
    /* The unit that is pointed at or reached by the keyboard, and the line of a box or lasso. */
    point: function (active, line) {
      this._state = Object.assign({}, this._state, { active: active, line: line || null });
      this._point();
    },
    _point: function () {
      if (!this._state || !this._at || !this._bounds) { return; }
      const pen = this._marker;
      this._blank(pen);
      const { active, line } = this._state;
      if (active !== null && active !== undefined) {
        for (const [width, colour] of [[6.5, "#ffffff"], [3.5, INK]]) {
          pen.beginPath();
          this._trace(pen, this._shapes.rings[0][active]);
          pen.lineJoin = "round";
          pen.lineWidth = width;
          pen.strokeStyle = colour;
          pen.stroke();
        }
      }
      if (line && line.length > 1) { this._loop(pen, line); }
    },
    _loop: function (pen, line) {
      const shift = this._map.containerPointToLayerPoint([0, 0]).subtract(this._bounds.min);
      pen.beginPath();
      line.forEach((at, k) => k ? pen.lineTo(at.x + shift.x, at.y + shift.y) : pen.moveTo(at.x + shift.x, at.y + shift.y));
      pen.closePath();
      pen.fillStyle = "rgba(255, 221, 0, 0.25)";
      pen.fill("evenodd");
      pen.lineWidth = 4;
      pen.strokeStyle = "#ffffff";
      pen.stroke();
      pen.lineWidth = 2;
      pen.strokeStyle = INK;
      pen.setLineDash([5, 4]);
      pen.stroke();
      pen.setLineDash([]);
    }
  });

  /* Which units lie on the two sides of each arc; -1 where there is none. */
  function sidesOf(shapes) {
    const size = shapes.arcBoxes.length / 4;
    const left = new Int32Array(size).fill(-1);
    const right = new Int32Array(size).fill(-1);
    shapes.rings[0].forEach(function (polygon, i) {
      for (const ring of polygon) {
        for (const arc of ring) {
          const one = arc < 0 ? ~arc : arc;
          if (left[one] < 0) { left[one] = i; } else { right[one] = i; }
        }
      }
    });
    return { left: left, right: right };
  }

  /* A swatch of a ward's colour and pattern, for lists: as an inline picture. */
  P.swatch = function (colour, pattern) {
    const made = P.svg("svg", { class: "swatch ward-swatch", viewBox: "0 0 36 24", preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" }, P.svg("rect", { width: 36, height: 24, fill: colour }));
    const strokes = pattern === null ? [] : pattern < 0 ? DOTS : STROKES[pattern];
    for (let x = 0; x < 36; x += SIDE) {
      for (let y = 0; y < 24; y += SIDE) {
        strokes.forEach((path) => made.append(P.svg("path", { d: path, transform: "translate(" + x + " " + y + ")", stroke: INK, "stroke-opacity": 0.45, "stroke-width": 1.2, fill: "none" })));
      }
    }
    return made;
  };
})(placeshaping);
