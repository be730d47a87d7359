/* Public places on top of the map: marks that can be switched off, and the same as a list. */
(function (P) {
  "use strict";

  const SHAPES = ["M7 1l6 6-6 6-6-6z", "M1 1h12v12H1z", "M7 1l6 11H1z", "M7 1a6 6 0 1 0 .01 0z"];

  P.Places = function (page, take) {
    const { data, shapes, state } = page;
    const kinds = (data.places || []).map(function (kind, k) {
      const points = kind.names.map((name, i) => ({ name: name, at: L.latLng(kind.y[i], kind.x[i]), areas: new Map() }));
      return { title: kind.title, shape: SHAPES[k % SHAPES.length], points: points, shown: true, layers: new Map() };
    });

    /* The area of the level that is shown in which a place lies. */
    function areaOf(point, l) {
      if (!point.areas.has(l)) {
        const world = L.CRS.EPSG3857.latLngToPoint(point.at, 0);
        const i = shapes.at(l, world.x, world.y);
        point.areas.set(l, i === undefined ? null : i);
      }
      return point.areas.get(l);
    }

    /* Names of the places in an area, for its label, its details and the screen reader. */
    this.of = (l, i) => kinds.filter((kind) => kind.shown).flatMap((kind) => kind.points.filter((point) => areaOf(point, l) === i).map((point) => point.name));

    this.find = (words) => kinds.flatMap((kind) => kind.points.filter((point) => point.name.toLowerCase().includes(words)).map((point) => ({
      name: point.name, hint: kind.title, rank: point.name.toLowerCase().startsWith(words) ? 0.5 : 1.5, take: () => choose(point)
    })));

    /* Where marks stand, in world pixels: no name is written there. */
    this.spots = () => kinds.filter((kind) => kind.shown).flatMap((kind) => kind.points.map((point) => L.CRS.EPSG3857.latLngToPoint(point.at, 0)));

    this.draw = function (map) {
      for (const kind of kinds) {
        if (!kind.layers.has(map)) {
          const icon = L.divIcon({ className: "place-mark", iconSize: [14, 14], html: mark(kind).outerHTML });
          kind.layers.set(map, L.layerGroup(kind.points.map((point) => L.marker(point.at, { icon: icon, interactive: false, keyboard: false }))));
        }
        if (kind.shown) { kind.layers.get(map).addTo(map); } else { kind.layers.get(map).remove(); }
      }
    };

    function mark(kind) {
      return P.svg("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, P.svg("path", { d: kind.shape, class: "place" }));
    }

    function choose(point) {
      const i = areaOf(point, state.level);
      if (i === null) { page.say(point.name + " lies outside the areas of the map."); return; }
      take(state.level, i);
      page.say(point.name + " lies in " + data.levels[state.level].names[i] + ".");
    }

    const box = document.getElementById("places-box");
    box.hidden = !kinds.length;
    box.append(...kinds.map(function (kind) {
      const tick = P.make("input", { type: "checkbox", autocomplete: "off" });
      tick.checked = true;
      tick.addEventListener("change", function () { kind.shown = tick.checked; page.update(); page.say(kind.title + (kind.shown ? " shown." : " not shown.")); });
      const entries = kind.points.map(function (point) {
        const button = P.make("button", { type: "button", class: "link" }, point.name);
        button.addEventListener("click", () => choose(point));
        return P.make("li", {}, button);
      });
      return P.make("div", { class: "place-kind" }, P.make("label", { class: "tick" }, tick, mark(kind), kind.title + " (" + P.count(kind.points.length) + ")"),
        P.make("details", {}, P.make("summary", {}, "List", P.make("span", { class: "unseen" }, " of " + P.lowerFirst(kind.title))), P.make("ul", { class: "places-list" }, ...entries)));
    }));
  };
})(placeshaping);
