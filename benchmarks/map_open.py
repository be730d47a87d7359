"""
All LSOAs of England and Wales on one page, beside folium.GeoJson: size, export, opening, panning.

The counts are invented; the borders are real. Both pages are opened from disk in headless Chromium;
what folium's page asks of the network comes from a server on loopback (`python -m benchmarks`
without Chromium, playwright or the npm packages named in `FILES` measures size and export alone).

Ready to pan means the same for both: every area stands on the page in its colour (folium's page is
loaded, ours has kept its promise `placeshaping.ready`) and two frames were painted after that. Our
table and sentences follow when the browser is idle, in parts between which a drag is answered.
"""

from __future__ import annotations

import datetime as dt
import functools
import http.server
import importlib.util
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.harness import Result, beside
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse
from placeshaping.maps.area_map import area_map

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
MODULES = Path(os.environ.get("NODE_MODULES", "node_modules"))
FILES = {
    "https://cdn.jsdelivr.net/npm/leaflet@1.9.3": "leaflet",
    "https://code.jquery.com/jquery-3.7.1.min.js": "jquery/dist/jquery.min.js",
    "https://cdn.jsdelivr.net/npm/bootstrap@5.2.2": "bootstrap",
    "https://cdnjs.cloudflare.com/ajax/libs/Leaflet.awesome-markers/2.0.2": (
        "leaflet.awesome-markers/dist"
    ),
    "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@6.2.0": (
        "@fortawesome/fontawesome-free"
    ),
    "https://netdna.bootstrapcdn.com/bootstrap/3.0.0/css/bootstrap-glyphicons.css": "absent.css",
    "https://cdn.jsdelivr.net/gh/python-visualization/folium": "absent",
}
"""Where folium's page looks, and in which npm package the same file is (two small ones in none)."""

COLOURS = ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494")

FRAMES = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"""
WATCH = """() => {
  window.frames_ = []; window.going_ = true;
  let last = performance.now();
  const tick = () => {
    const now = performance.now();
    window.frames_.push(now - last); last = now;
    if (window.going_) { requestAnimationFrame(tick); }
  };
  requestAnimationFrame(tick);
}"""
STOP = "() => { window.going_ = false; return window.frames_.slice(2); }"
HOVER = """() => {
  const box = document.querySelector('.leaflet-container').getBoundingClientRect();
  const taken = [];
  for (let k = 0; k < 300; k += 1) {
    const x = box.left + box.width * (0.1 + 0.8 * ((k * 37) % 100) / 100);
    const y = Math.min(box.top + box.height, innerHeight) * (0.1 + 0.8 * ((k * 61) % 100) / 100);
    const under = document.elementFromPoint(x, y);
    const start = performance.now();
    for (const type of ['mouseover', 'mousemove']) {
      const at = { bubbles: true, clientX: x, clientY: y, view: window };
      under.dispatchEvent(new MouseEvent(type, at));
    }
    taken.push(performance.now() - start);
  }
  return taken;
}"""


def national(data: Path, *, nearest: int | None = None) -> Release:
    """Return a release of all LSOAs, or of those nearest Leicester: invented counts, one month."""
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    if nearest is not None:
        away = areas.geometry.centroid.distance(shapely.Point(458_700, 304_400))
        areas = areas.loc[away.nsmallest(nearest).index.sort_values()]
    rng = np.random.default_rng(1)
    counts = pd.DataFrame(
        {
            "area_code": np.asarray(areas.index),
            "period": pd.Timestamp("2025-01-01"),
            "category": "Burglary",
            "count": rng.negative_binomial(2, 0.05, len(areas)),
        }
    )
    people = pd.DataFrame({"residents": rng.integers(1_000, 2_500, len(areas))}, index=areas.index)
    study = analyse(counts, make_ladder(areas), population=people, hot_spots_of=None)
    return release(
        study,
        policy="open",
        title="Invented counts on real borders",
        made_on=dt.date(2026, 1, 5),
        sensitivity="open",
        already_published="https://example.org",
    )


def run(data: Path) -> list[Result]:
    released = national(data)
    table = released.tables["lsoa"]
    view = table.view(period=released.periods[0].label, category="Burglary")
    frame = table.areas[["area_name", "geometry"]].join(view[["count", "rate"]]).to_crs(4326)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours.html", Path(folder) / "theirs.html"
        taken = beside(
            lambda: area_map(released).save(ours), lambda: plain_folium(frame, theirs), times=3
        )
        sizes = [path.stat().st_size / 1e6 for path in (ours, theirs)]
        peer = "folium.GeoJson"
        return [
            Result(
                "map_national_size",
                f"page of {len(frame):,} LSOAs, real borders",
                sizes[0],
                peer=peer,
                theirs=sizes[1],
                unit="MB",
                limit=4,
            ),
            Result(
                "map_national_export", "writing that page", taken[0], peer=peer, theirs=taken[1]
            ),
            *_opened(ours, theirs),
        ]


def plain_folium(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write the page that folium makes of the same areas and colours."""
    edges = np.array([50, 100, 250, 500])

    def style(feature: dict[str, Any]) -> dict[str, Any]:
        place = int(np.searchsorted(edges, feature["properties"]["rate"], side="right"))
        return {"fillColor": COLOURS[place], "fillOpacity": 0.8, "weight": 0.5, "color": "#333333"}

    plain = folium.Map(location=(52.8, -1.8), zoom_start=6, tiles=None)
    shown = folium.GeoJsonTooltip(["area_name", "count", "rate"])
    folium.GeoJson(frame, style_function=style, tooltip=shown).add_to(plain)
    plain.save(path)


def _opened(ours: Path, theirs: Path) -> list[Result]:
    missing = [name for name in ("leaflet", "jquery") if not (MODULES / name).is_dir()]
    if importlib.util.find_spec("playwright") is None or not CHROMIUM.is_file() or missing:
        print("opening is not measured: it needs Chromium, playwright and folium's npm packages")
        return []
    with _local(theirs):
        found = {name: _measured(path) for name, path in (("ours", ours), ("theirs", theirs))}
    mine, other = found["ours"], found["theirs"]
    peer = "folium.GeoJson, its files on loopback"
    rows = [
        ("map_national_open", "until ready to pan, headless Chromium", "open", "s", None),
        ("map_national_heap", "heap once open", "heap", "MB", None),
        ("map_national_pan", "median frame while panning the whole country", "pan", "ms", 50),
        ("map_national_pan_near", "the same, zoomed in", "pan_near", "ms", 50),
        ("map_national_redraw", "longest frame after a pan", "longest", "ms", None),
        ("map_national_hover", "median of pointing at an area", "hover", "ms", 16),
    ]
    return [
        Result(name, work, mine[key], peer=peer, theirs=other[key], unit=unit, limit=limit)
        for name, work, key, unit, limit in rows
    ]


@contextmanager
def _local(page: Path) -> Iterator[None]:
    """Serve the npm packages on loopback, and make a page take its files from there."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    handler = functools.partial(Quiet, directory=str(MODULES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = page.read_text(encoding="utf-8")
        for address, place in FILES.items():
            text = text.replace(address, f"http://127.0.0.1:{server.server_port}/{place}")
        page.write_text(text, encoding="utf-8")
        yield
        server.shutdown()


def _measured(path: Path) -> dict[str, float]:
    """Open a page and drag, zoom and point; return seconds, megabytes and milliseconds."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(600_000)
        inspector = page.context.new_cdp_session(page)
        inspector.send("Performance.enable")
        start = time.perf_counter()
        page.goto(path.as_uri())
        page.evaluate("() => window.placeshaping && placeshaping.ready")
        page.evaluate(FRAMES)
        opened = time.perf_counter() - start
        inspector.send("HeapProfiler.collectGarbage")
        metrics = inspector.send("Performance.getMetrics")["metrics"]
        heap = next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize")
        wide = _panned(page)
        hover = page.evaluate(HOVER)
        page.evaluate("() => window.placeshaping && placeshaping.map.scrollWheelZoom.enable()")
        for _ in range(4):
            page.mouse.wheel(0, -300)
            page.wait_for_timeout(700)
        near = _panned(page)
        browser.close()
    return {
        "open": opened,
        "heap": heap / 1e6,
        "pan": float(np.median(wide)),
        "longest": max(wide),
        "pan_near": float(np.median(near)),
        "hover": float(np.median(hover)),
    }


def _panned(page: Any) -> list[float]:
    """Drag the map to and fro; return the milliseconds between frames."""
    page.evaluate("document.querySelector('.leaflet-container').scrollIntoView({block: 'center'})")
    box = page.locator(".leaflet-container").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(WATCH)
    for way in (-1, 1, -1, 1):
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(20):
            page.mouse.move(x + 8 * way * step, y + 4 * way * step)
        page.mouse.up()
        page.wait_for_timeout(150)
    frames: list[float] = page.evaluate(STOP)
    return frames
