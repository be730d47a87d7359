/* One map with its areas: pointing, walking with the keyboard, and the label at the pointer. */
(function (P) {
  "use strict";

  const MOST_NAMED = 4;

  P.still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  P.newMap = function (id) {
    const map = L.map(id, {
      keyboard: false, scrollWheelZoom: false, zoomSnap: 0.25, zoomDelta: 0.75, minZoom: 4, maxZoom: 18,
      attributionControl: false, trackResize: false, markerZoomAnimation: !P.still, zoomAnimation: !P.still, fadeAnimation: !P.still, inertia: !P.still
    });
    map.setView(P.settings.centre, 9);
    L.control.scale({ maxWidth: 120 }).addTo(map);
    return map;
  };

  /* `where` is what this map shows; a second map inherits from the first what it has not of its own. */
  P.Pane = function (page, map, where, tipBox) {
    const pane = this;
    const { data, model, shapes } = page;
    const layer = new P.AreaLayer(shapes, data.levels);
    pane.map = map;
    pane.layer = layer;
    pane.where = where;
    pane.view = null;
    let home = null;
    pane.settling = false;
    map.invalidateSize({ animate: false });
    fit();
    layer.addTo(map);
    wholeButton();
    pointer();
    keyboard();

    pane.draw = function () {
      pane.view = model.view(where);
      layer.show({ level: where.level, of: pane.view.of, classes: pane.view.classes, chosen: where.chosen, active: where.active, marks: page.marks(), spots: page.places ? page.places.spots() : [] });
      if (page.places) { page.places.draw(map); }
      map.getContainer().setAttribute("aria-label", "Map: " + model.titleOf(where));
    };

    pane.redraw = () => layer.show({ chosen: where.chosen, active: where.active });

    pane.spoken = (i) => [data.levels[where.level].names[i] + ": " + model.say(where, pane.view, i), ...placesAt(i)].join(". ") + ".";

    /* A few of the public places in an area. */
    function placesAt(i) {
      const names = page.places ? page.places.of(where.level, i) : [];
      return names.length > MOST_NAMED ? [names.slice(0, MOST_NAMED).join(", ") + " and " + P.count(names.length - MOST_NAMED) + " more"] : names.length ? [names.join(", ")] : [];
    }

    pane.whole = fit;

    /* Whether the whole is shown, as when the page opens. */
    pane.atHome = () => home === place();

    pane.resized = function () {
      const box = map.getContainer();
      const size = map.getSize();
      if (box.clientWidth === size.x && box.clientHeight === size.y) { return; }
      const whole = pane.atHome();
      pane.settling = true;
      map.invalidateSize({ animate: false });
      if (whole) { fit(); }
      pane.settling = false;
    };

    function fit() {
      map.fitBounds(page.bounds, { animate: false, padding: [8, 8] });
      home = place();
    }

    function place() {
      const centre = map.getCenter();
      return [centre.lat.toFixed(4), centre.lng.toFixed(4), map.getZoom().toFixed(2)].join();
    }

    /* The label: at the pointer, or at the area where the pointer is on the other map. */
    pane.tip = function (i, point) {
      if (i === null) { tipBox.hidden = true; return; }
      const at = point || map.latLngToContainerPoint(placeOf(i));
      tipBox.replaceChildren(P.make("strong", {}, data.levels[where.level].names[i]), P.make("span", {}, model.say(where, pane.view, i)), ...placesAt(i).map((said) => P.make("span", {}, said)));
      tipBox.hidden = false;
      const size = map.getSize();
      const wide = tipBox.offsetWidth;
      const high = tipBox.offsetHeight;
      tipBox.style.left = Math.max(4, Math.min(at.x + 14, size.x - wide - 4)) + "px";
      tipBox.style.top = (at.y + 18 + high > size.y ? Math.max(4, at.y - high - 12) : at.y + 18) + "px";
    };

    function placeOf(i) {
      return L.CRS.EPSG3857.pointToLatLng(L.point(shapes.centres[where.level][i]), 0);
    }

    function areaAt(point) {
      const world = map.project(map.containerPointToLatLng(point), 0);
      return shapes.at(where.level, world.x, world.y);
    }

    function wholeButton() {
      const Whole = L.Control.extend({
        options: { position: "topleft" },
        onAdd: function () {
          const box = L.DomUtil.create("div", "leaflet-bar");
          const button = P.make("button", { type: "button", class: "whole", "aria-label": "Show the whole map", title: "Show the whole map" });
          button.append(P.svg("svg", { viewBox: "0 0 18 18", width: 18, height: 18, "aria-hidden": "true" },
            P.svg("path", { d: "M3 7V3h4M11 3h4v4M15 11v4h-4M7 15H3v-4", fill: "none", stroke: "currentColor", "stroke-width": 2 })));
          L.DomEvent.disableClickPropagation(box);
          button.addEventListener("click", () => pane.whole());
          box.append(button);
          return box;
        }
      });
      map.addControl(new Whole());
    }

    function pointer() {
      map.on("mousemove", (event) => page.point(areaAt(event.containerPoint), pane, event.containerPoint));
      map.on("mouseout", () => page.point(null, pane));
      map.on("click", function (event) {
        const i = areaAt(event.containerPoint);
        page.choose(i);
        if (matchMedia("(hover: none)").matches) { pane.tip(i, event.containerPoint); }
      });
      map.on("movestart zoomstart", () => { tipBox.hidden = true; });
      /* The wheel zooms only once the map has been used, so that the page can be scrolled past it. */
      map.on("click focus", () => map.scrollWheelZoom.enable());
      map.getContainer().addEventListener("mouseleave", () => map.scrollWheelZoom.disable());
      new ResizeObserver(() => pane.resized()).observe(map.getContainer());
    }

    function keyboard() {
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      map.getContainer().addEventListener("keydown", function (event) {
        if (event.target !== map.getContainer() || event.ctrlKey || event.altKey || event.metaKey) { return; }
        if (ways[event.key]) { step(ways[event.key]); }
        else if (event.key === "Enter" || event.key === " ") { if (where.active !== null) { page.choose(where.active); } }
        else if (event.key === "Escape") { page.choose(null); }
        else if (event.key === "+" || event.key === "=") { map.zoomIn(1); }
        else if (event.key === "-") { map.zoomOut(1); }
        else if (event.key === "0") { pane.whole(); }
        else { return; }
        event.preventDefault();
      });
    }

    function step(way) {
      const centres = shapes.centres[where.level];
      const from = where.active !== null ? where.active : where.chosen;
      let next = null;
      if (from === null) {
        next = nearest(centres, map.project(map.getCenter(), 0));
      } else {
        next = P.neighbourTowards(centres, from, way[0], way[1]);
        if (next === null) { page.say("No area further that way. " + pane.spoken(from)); return; }
      }
      const place = placeOf(next);
      if (!map.getBounds().pad(-0.1).contains(place)) { map.panTo(place, { animate: false }); }
      page.point(next, pane);
      page.say(pane.spoken(next));
    }

    function nearest(centres, to) {
      let best = 0;
      centres.forEach(function (one, i) {
        if (Math.hypot(one[0] - to.x, one[1] - to.y) < Math.hypot(centres[best][0] - to.x, centres[best][1] - to.y)) { best = i; }
      });
      return best;
    }
  };
})(placeshaping);
