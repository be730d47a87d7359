/* The map under the hand: moving, painting, box and lasso; by mouse, finger and keyboard. */
(function (P) {
  "use strict";

  const STEP = 5; /* pixels between two looks along a stroke */

  P.still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  P.PaintMap = function (page) {
    const { review, shapes, painting } = page;
    const box = document.getElementById("map");
    const tip = document.getElementById("tip");
    const map = L.map(box, {
      keyboard: false, scrollWheelZoom: false, boxZoom: false, doubleClickZoom: false, zoomSnap: 0.25, zoomDelta: 0.75, minZoom: 4, maxZoom: 19,
      attributionControl: false, trackResize: false, zoomAnimation: !P.still, fadeAnimation: !P.still, inertia: !P.still
    });
    const pane = this;
    let active = null; /* the unit that is pointed at, or reached by the keyboard */
    let tool = "move";
    let drag = null;
    let home = "";
    pane.map = map;
    pane.active = () => active;
    map.setView(P.settings.centre, 9);
    L.control.scale({ maxWidth: 120 }).addTo(map);
    map.invalidateSize({ animate: false });
    whole();
    pane.layer = new P.WardLayer(shapes, page.levels);
    pane.layer.addTo(map);
    wholeButton();
    pointers();
    keyboard();
    new ResizeObserver(resized).observe(box);

    function whole() {
      map.fitBounds(page.bounds, { animate: false, padding: [10, 10] });
      home = place();
    }

    function place() {
      const centre = map.getCenter();
      return [centre.lat.toFixed(4), centre.lng.toFixed(4), map.getZoom().toFixed(2)].join();
    }

    function resized() {
      const all = home === place();
      map.invalidateSize({ animate: false });
      if (all) { whole(); }
    }

    pane.choose = function (name) {
      tool = name;
      const moving = tool === "move";
      map.dragging[moving ? "enable" : "disable"]();
      box.classList.toggle("painting", !moving);
      box.dataset.tool = tool;
      tip.hidden = true;
    };

    function wholeButton() {
      const Whole = L.Control.extend({
        options: { position: "topleft" },
        onAdd: function () {
          const bar = L.DomUtil.create("div", "leaflet-bar");
          const button = P.make("button", { type: "button", class: "whole", "aria-label": "Show the whole map", title: "Show the whole map" });
          button.append(P.svg("svg", { viewBox: "0 0 18 18", width: 18, height: 18, "aria-hidden": "true" },
            P.svg("path", { d: "M3 7V3h4M11 3h4v4M15 11v4h-4M7 15H3v-4", fill: "none", stroke: "currentColor", "stroke-width": 2 })));
          L.DomEvent.disableClickPropagation(bar);
          button.addEventListener("click", whole);
          bar.append(button);
          return bar;
        }
      });
      map.addControl(new Whole());
    }

    /* ---- where the pointer is ---- */

    const worldOf = (at) => map.project(map.containerPointToLatLng(at), 0);

    function unitAt(at) {
      const world = worldOf(at);
      return shapes.at(0, world.x, world.y);
    }

    function pointOf(event) {
      const around = box.getBoundingClientRect();
      return L.point(event.clientX - around.left - box.clientLeft, event.clientY - around.top - box.clientTop);
    }

    /* The units under the brush, all along the way from one point to the next. */
    function brushed(from, to) {
      const found = new Set();
      const radius = page.brush();
      const steps = Math.max(1, Math.ceil(from.distanceTo(to) / STEP));
      for (let k = 0; k <= steps; k += 1) {
        const at = L.point(from.x + (to.x - from.x) * k / steps, from.y + (to.y - from.y) * k / steps);
        for (const shift of around(radius)) {
          const i = unitAt(at.add(shift));
          if (i !== null) { found.add(i); }
        }
      }
      return found;
    }

    const rings = new Map();
    function around(radius) {
      if (!rings.has(radius)) {
        const made = [L.point(0, 0)];
        for (let r = 10; r <= radius; r += 10) {
          const many = Math.ceil(r / 2);
          for (let k = 0; k < many; k += 1) { made.push(L.point(r * Math.cos(2 * Math.PI * k / many), r * Math.sin(2 * Math.PI * k / many))); }
        }
        rings.set(radius, made);
      }
      return rings.get(radius);
    }

    /* The units whose middle lies in a line that closes upon itself. */
    function enclosed(line) {
      const loop = line.map(worldOf);
      const found = [];
      for (let i = 0; i < review.size; i += 1) {
        const [x, y] = shapes.centre(0, i);
        let odd = false;
        for (let k = 0, j = loop.length - 1; k < loop.length; j = k, k += 1) {
          const a = loop[k];
          const b = loop[j];
          if ((a.y > y) !== (b.y > y) && x < a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) { odd = !odd; }
        }
        if (odd) { found.push(i); }
      }
      return found;
    }

    /* ---- strokes ---- */

    function pointers() {
      box.addEventListener("pointerdown", down);
      box.addEventListener("pointermove", move);
      box.addEventListener("pointerup", up);
      box.addEventListener("pointercancel", leave);
      box.addEventListener("mouseleave", function () { if (!drag) { point(null); } map.scrollWheelZoom.disable(); });
      map.on("click", function (event) {
        map.scrollWheelZoom.enable();
        if (tool === "move" || page.picking()) { take(event.containerPoint); }
      });
      map.on("movestart zoomstart", () => { tip.hidden = true; });
      box.addEventListener("focus", () => map.scrollWheelZoom.enable());
    }

    const onMap = (event) => !event.target.closest(".leaflet-control");

    function take(at) {
      const i = unitAt(at);
      if (page.picking()) { page.picked(i); return; }
      page.choose(i);
      if (i !== null) { point(i, matchMedia("(hover: none)").matches ? at : null); }
    }

    function down(event) {
      if (tool === "move" || page.picking() || event.button !== 0 || !onMap(event)) { return; }
      if (!event.isPrimary) { leave(); return; }
      const at = pointOf(event);
      box.setPointerCapture(event.pointerId);
      drag = { line: [at], last: at };
      if (tool === "paint") {
        if (page.slot() === null) { page.picked(unitAt(at)); } /* a stroke that begins in a ward extends it */
        if (page.slot() === null) { drag = null; return; }
        painting.begin();
        stroke(at, at);
      }
    }

    function move(event) {
      const at = pointOf(event);
      if (!drag) {
        if (event.pointerType !== "touch") { point(onMap(event) ? unitAt(at) : null, at); }
        return;
      }
      if (tool === "paint") {
        const passed = event.getCoalescedEvents ? event.getCoalescedEvents().map(pointOf) : [at];
        for (const next of passed.length ? passed : [at]) { stroke(drag.last, next); drag.last = next; }
        point(unitAt(at), null);
      } else if (tool === "box") {
        const first = drag.line[0];
        drag.line = [first, L.point(at.x, first.y), at, L.point(first.x, at.y)];
        pane.layer.point(active, drag.line);
      } else if (at.distanceTo(drag.last) > 3) {
        drag.line.push(at);
        drag.last = at;
        pane.layer.point(active, drag.line);
      }
    }

    function stroke(from, to) {
      const units = page.spread(brushed(from, to)).filter((i) => painting.of[i] !== page.slot());
      if (units.length && painting.give(units, page.slot())) { page.changing(units); }
    }

    function up(event) {
      if (!drag) { return; }
      const line = drag.line;
      drag = null;
      box.releasePointerCapture(event.pointerId);
      pane.layer.point(active, null);
      if (tool === "paint") { painting.end(); return; }
      if (page.slot() === null) { page.say("Choose a ward to paint with first."); return; }
      if (line.length > 2) { page.give(enclosed(line)); }
    }

    function leave() {
      if (!drag) { return; }
      drag = null;
      if (painting.painting()) { page.changing(painting.abandon()); }
      pane.layer.point(active, null);
    }

    /* ---- the label at the pointer ---- */

    function point(i, at) {
      if (i !== active) { active = i; pane.layer.point(i, drag && tool !== "paint" ? drag.line : null); }
      if (i === null || !at) { tip.hidden = true; return; }
      const [head, ...lines] = page.about(i);
      tip.replaceChildren(P.make("strong", {}, head), ...lines.map((said) => P.make("span", {}, said)));
      tip.hidden = false;
      const size = map.getSize();
      tip.style.left = Math.max(4, Math.min(at.x + 16, size.x - tip.offsetWidth - 4)) + "px";
      tip.style.top = (at.y + 20 + tip.offsetHeight > size.y ? Math.max(4, at.y - tip.offsetHeight - 12) : at.y + 20) + "px";
    }

    pane.point = point;

    pane.show = function (i) {
      const spot = L.CRS.EPSG3857.pointToLatLng(L.point(shapes.centre(0, i)), 0);
      if (!map.getBounds().pad(-0.1).contains(spot)) { map.panTo(spot, { animate: false }); }
      point(i);
    };

    /* ---- the keyboard ---- */

    function keyboard() {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const keys = {
        Enter: () => paintActive(), " ": () => paintActive(), Escape: () => { leave(); page.stopPicking(); point(null); },
        "+": () => map.zoomIn(1), "=": () => map.zoomIn(1), "-": () => map.zoomOut(1), "0": whole,
        "[": () => page.nextWard(-1), "]": () => page.nextWard(1), p: () => { if (active !== null) { page.picked(active); } },
        u: () => page.undo(), r: () => page.redo()
      };
      box.addEventListener("keydown", function (event) {
        if (event.target !== box || event.altKey || event.metaKey || event.ctrlKey) { return; }
        const digit = /^[1-9]$/.test(event.key) ? Number(event.key) : 0;
        const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
        if (ways[event.key]) { step(ways[event.key]); }
        else if (digit) { page.wardNumber(digit); }
        else if (keys[key]) { keys[key](); }
        else { return; }
        event.preventDefault();
      });
    }

    function paintActive() {
      if (page.picking()) { page.picked(active); return; }
      if (active === null) { step([0, 0]); return; }
      if (page.slot() === null) { page.say("Choose a ward to paint with first: keys 1 to 9, or the list of wards."); return; }
      if (!page.give([active])) { page.say("Already in " + painting.nameOf(page.slot()) + "."); }
    }

    /* The next unit in a direction: a neighbour where there is one, else the nearest that way. */
    function step(way) {
      const centres = shapes.centres[0];
      let next = active;
      if (active === null) {
        const middle = map.project(map.getCenter(), 0);
        next = nearest(centres, middle.x, middle.y);
      } else {
        next = towards(centres, active, way);
        if (next === null) { page.say("No unit further that way. " + page.spoken(active)); return; }
      }
      pane.show(next);
      page.say(page.spoken(next));
    }

    function towards(centres, from, way) {
      const own = Array.from(review.neighbours(from));
      const [x, y] = centres[from];
      let best = null;
      let most = 0.35;
      for (const i of own) {
        const dx = centres[i][0] - x;
        const dy = centres[i][1] - y;
        const along = (dx * way[0] + dy * way[1]) / (Math.hypot(dx, dy) || 1);
        if (along > most) { most = along; best = i; }
      }
      return best === null ? P.neighbourTowards(centres, from, way[0], way[1]) : best;
    }

    function nearest(centres, x, y) {
      let best = 0;
      centres.forEach(function (one, i) {
        if (Math.hypot(one[0] - x, one[1] - y) < Math.hypot(centres[best][0] - x, centres[best][1] - y)) { best = i; }
      });
      return best;
    }
  };
})(placeshaping);
