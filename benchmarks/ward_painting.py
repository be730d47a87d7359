"""
Painting wards on a page of 5,000 units: from the stroke to the picture with every score anew.

The borders are those of the 5,000 LSOAs nearest to Leicester, the electors are invented, the wards
begin as 60 blocks. A repaint is everything that a step brings about: units given, electors,
variances, contiguity, compactness and splits counted, the map drawn (each canvas is read back, so
that nothing is left to be drawn later), list, table and warnings written and laid out.
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from benchmarks.harness import Result, seconds
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.disclosure.wards import WardRelease, release_review
from placeshaping.maps.ward_painting import painting_page
from placeshaping.shaping.wards import make_proposal, make_review

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
UNITS = 5_000
SIDES = (10, 6)
MOST = 50.0
"""Milliseconds that a repaint may take."""

REPAINTS = """() => {
  const { page } = placeshaping;
  const { painting, review, pane } = page;
  const sheets = pane.layer._sheets.map((sheet) => sheet.getContext("2d"));
  const settle = () => {
    for (const pen of sheets) { pen.getImageData(0, 0, 1, 1); }
    document.body.getBoundingClientRect();
  };
  const timed = (work) => {
    const start = performance.now();
    work();
    settle();
    return performance.now() - start;
  };
  const edges = Array.from(review.codes.keys()).filter((i) =>
    Array.from(review.neighbours(i)).some((j) => painting.of[j] !== painting.of[i]));
  const beside = (i) => painting.of[
    Array.from(review.neighbours(i)).find((j) => painting.of[j] !== painting.of[i])];
  const near = (i) => {
    const found = new Set([i]);
    for (const j of found) {
      for (const k of review.neighbours(j)) { if (found.size < 200) { found.add(k); } }
      if (found.size >= 200) { break; }
    }
    return Array.from(found);
  };
  settle();
  const one = [], frames = [], ends = [], whole = [];
  for (let k = 0; k < 200; k += 1) {
    const i = edges[Math.floor(k * edges.length / 200)];
    const slot = beside(i);
    if (slot === undefined) { continue; }
    one.push(timed(() => painting.give([i], slot)));
  }
  for (let k = 0; k < 20; k += 1) {
    const units = near(edges[Math.floor((k + 0.5) * edges.length / 20)]);
    const slot = painting.of[units[units.length - 1]];
    page.take(slot);
    settle();
    painting.begin();
    for (let n = 0; n < units.length; n += 10) {
      const some = units.slice(n, n + 10);
      frames.push(timed(() => { painting.give(some, slot); page.changing(some); page.flush(); }));
    }
    ends.push(timed(() => painting.end()));
    page.undo();
    settle();
    whole.push(timed(() => painting.give(units, slot)));
  }
  const scores = [];
  for (let k = 0; k < 50; k += 1) {
    const start = performance.now();
    review.scores(painting.of, painting.wards);
    scores.push(performance.now() - start);
  }
  return { one: one, frames: frames, ends: ends, whole: whole, scores: scores };
}"""


def released(data: Path) -> WardRelease:
    """Return a review of real borders and invented electors."""
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    away = areas.geometry.centroid.distance(shapely.Point(458_700, 304_400))
    units = areas.loc[away.nsmallest(UNITS).index.sort_values()]
    rng = np.random.default_rng(1)
    now = rng.integers(900, 1_600, len(units))
    units = units.assign(
        electors_now=now, electors_forecast=np.round(now * rng.uniform(0.95, 1.2, len(units)))
    )
    middles = units.geometry.centroid
    ranks = [
        (part.rank(method="first") - 1) * many // len(units)
        for part, many in zip((middles.x, middles.y), SIDES, strict=True)
    ]
    wards = (ranks[0] * SIDES[1] + ranks[1]).astype(int).map("Ward {}".format)
    units["polling_district"] = wards + " " + pd.Series(now % 9, index=units.index).astype(str)
    units["decile"] = rng.integers(1, 11, len(units))
    seats = dict.fromkeys(sorted(wards.unique()), 2)
    review = make_review(units, councillors=2 * len(seats), name="Invented electors")
    first = make_proposal(review, wards, name="Blocks", councillors=seats)
    return release_review(
        review,
        [first],
        policy="open",
        sensitivity="open",
        title="Invented electors on real borders",
        made_on=dt.date(2026, 1, 5),
        already_published="https://example.org",
    )


def run(data: Path) -> list[Result]:
    given = released(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "painting.html"
        writing = seconds(lambda: painting_page(given).save(path), times=3)
        size = path.stat().st_size / 1e6
        taken = painted(path)
    work = f"{UNITS:,} units, {SIDES[0] * SIDES[1]} wards, headless Chromium"
    page = Result("ward_page", f"writing the page of {UNITS:,} units", writing)
    page.notes["size in MB"] = round(size, 2)
    return [
        page,
        repaint("ward_paint_one", f"painting one unit: {work}", taken["one"]),
        repaint("ward_paint_frame", f"a frame of a brush over 200 units: {work}", taken["frames"]),
        repaint("ward_paint_end", f"the end of that stroke: {work}", taken["ends"]),
        repaint("ward_paint_200", f"200 units at once: {work}", taken["whole"]),
        repaint("ward_paint_scores", f"all scores counted from nothing: {work}", taken["scores"]),
    ]


def repaint(name: str, work: str, taken: list[float]) -> Result:
    made = Result(name, work, float(np.median(taken)), unit="ms", limit=MOST)
    made.notes["worst, ms"] = round(max(taken), 1)
    made.notes["repaints"] = len(taken)
    return made


def painted(path: Path) -> dict[str, Any]:
    """Paint in headless Chromium; return milliseconds."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(path.as_uri())
        page.evaluate("() => placeshaping.ready")
        page.evaluate(REPAINTS)
        page.reload()
        page.evaluate("() => placeshaping.ready")
        taken: dict[str, Any] = page.evaluate(REPAINTS)
        browser.close()
    return taken
