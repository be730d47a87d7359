/* Drafts in the browser where it keeps any, files in and out, and paper. */
(function (P) {
  "use strict";

  const el = (id) => document.getElementById(id);
  const WAIT = 500;

  /* A draft is kept after each step. A browser may keep nothing for a file: then the page says so. */
  P.keeping = function (page) {
    const { review, painting } = page;
    const key = "placeshaping-wards-" + review.digest;
    let waiting = 0;
    let kept = true;
    let saved = 0;
    offer();

    function store() {
      waiting = 0;
      try {
        localStorage.setItem(key, JSON.stringify({ on: Date.now(), proposal: P.savedProposal(review, painting.proposal()) }));
        kept = true;
      } catch (error) { kept = false; }
      el("kept-words").textContent = kept ? "A draft is kept in this browser, on this computer alone." : "This browser keeps no draft: save your work as a file before you close the page.";
    }

    function offer() {
      let found = null;
      try {
        const held = JSON.parse(localStorage.getItem(key));
        found = held && { on: new Date(held.on), proposal: P.readProposal(JSON.stringify(held.proposal), review) };
      } catch (error) { return; /* nothing is kept, or it cannot be read: as if there were none */ }
      if (!found || JSON.stringify(found.proposal) === JSON.stringify(painting.proposal())) { return; }
      const when = isNaN(found.on) ? "" : " on " + found.on.toLocaleString("en-GB", { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });
      el("draft-words").textContent = "You painted \u201c" + found.proposal.name + "\u201d in this browser" + when + ".";
      el("draft").hidden = false;
      el("draft-take").addEventListener("click", function () { el("draft").hidden = true; painting.replace(found.proposal); el("map").focus({ preventScroll: true }); });
      el("draft-leave").addEventListener("click", function () {
        el("draft").hidden = true;
        try { localStorage.removeItem(key); } catch (error) { /* it was not kept */ }
        el("map").focus({ preventScroll: true });
      });
    }

    window.addEventListener("pagehide", () => { if (waiting) { clearTimeout(waiting); store(); } });
    window.addEventListener("beforeunload", function (event) { if (!kept && painting.steps() !== saved) { event.preventDefault(); } });

    page.saved = () => { saved = painting.steps(); };
    return {
      keep: function () {
        clearTimeout(waiting);
        waiting = setTimeout(store, WAIT);
      }
    };
  };

  P.paintFiles = function (page) {
    const { review, painting } = page;
    const tell = (words) => { el("load-words").textContent = words; };

    el("name").addEventListener("change", function () {
      const name = el("name").value.trim();
      if (name && name !== painting.name) { painting.call(name); }
    });
    el("save").addEventListener("click", function () {
      P.download(JSON.stringify(P.savedProposal(review, painting.proposal()), null, 1) + "\n", P.fileName(painting.name, ".json"), "application/json");
      page.saved();
      tell("Saved as a file among your downloads.");
    });
    el("load").addEventListener("change", async function () {
      const file = el("load").files[0];
      if (!file) { return; }
      try {
        if (file.size > 20e6) { throw new Error("This file is too large to be a saved proposal."); }
        const proposal = P.readProposal(await file.text(), review);
        page.others.add(proposal);
        painting.replace(proposal);
        tell("\u201c" + proposal.name + "\u201d is loaded. Undo brings back what you had.");
      } catch (error) {
        tell("Not loaded. " + error.message + " Nothing was changed.");
      }
      el("load").value = "";
    });
    el("save-text").addEventListener("click", () => P.download(P.statement(page), P.fileName(painting.name, ".txt"), "text/plain"));
    el("save-csv").addEventListener("click", () => P.download(P.unitsCsv(page), P.fileName(painting.name, ".csv"), "text/csv"));
    el("save-geojson").addEventListener("click", () => P.download(JSON.stringify(P.geojson(page)) + "\n", P.fileName(painting.name, ".geojson"), "application/geo+json"));
    el("print").addEventListener("click", () => window.print());
  };

  /* On paper the map has a size of its own, light colours, and all of it is shown. */
  P.paintPrinting = function (page) {
    const { map, layer } = page.pane;
    const root = document.documentElement;
    let before = null;

    window.addEventListener("beforeprint", function () {
      if (before) { return; }
      before = { centre: map.getCenter(), zoom: map.getZoom(), snap: map.options.zoomSnap };
      root.classList.add("printing");
      page.appearance.paper(true);
      map.options.zoomSnap = 0;
      layer.options.dense = 3;
      map.invalidateSize({ animate: false });
      map.fitBounds(page.bounds, { animate: false, padding: [4, 4] });
      layer._update();
    });
    window.addEventListener("afterprint", function () {
      if (!before) { return; }
      root.classList.remove("printing");
      page.appearance.paper(false);
      map.options.zoomSnap = before.snap;
      delete layer.options.dense;
      map.invalidateSize({ animate: false });
      map.setView(before.centre, before.zoom, { animate: false });
      layer._update();
      before = null;
    });
  };
})(placeshaping);
