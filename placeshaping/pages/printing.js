/* On paper the map has a size of its own, light colours, and all of it is shown; afterwards all is put back. */
(function (P) {
  "use strict";

  P.printing = function (page) {
    let before = null;
    const root = document.documentElement;
    document.getElementById("print").addEventListener("click", () => window.print());
    document.getElementById("print-table").addEventListener("change", (event) => root.classList.toggle("with-table", event.target.checked));

    const panes = () => [page.pane, page.compare.pane()].filter(Boolean);

    window.addEventListener("beforeprint", function () {
      if (before) { return; }
      before = panes().map(({ map, layer }) => ({ centre: map.getCenter(), zoom: map.getZoom(), snap: map.options.zoomSnap, dense: layer.options.dense }));
      root.classList.add("printing");
      page.appearance.paper(true);
      page.fixed(function () {
        for (const { map, layer } of panes()) {
          map.options.zoomSnap = 0;
          layer.options.dense = 3;
          map.invalidateSize({ animate: false });
          map.fitBounds(page.bounds, { animate: false, padding: [4, 4] });
          layer._update();
        }
      });
    });

    window.addEventListener("afterprint", function () {
      if (!before) { return; }
      root.classList.remove("printing");
      page.appearance.paper(false);
      page.fixed(function () {
        panes().forEach(function ({ map, layer }, k) {
          map.options.zoomSnap = before[k].snap;
          layer.options.dense = before[k].dense;
          map.invalidateSize({ animate: false });
          map.setView(before[k].centre, before[k].zoom, { animate: false });
          layer._update();
        });
      });
      before = null;
    });
  };
})(placeshaping);
