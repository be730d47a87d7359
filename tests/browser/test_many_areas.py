"""A page of more than 5,000 areas: its map comes first, its words and its table follow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse
from placeshaping.maps.area_map import area_map

pytestmark = pytest.mark.browser

SIDE = 72

LOOK_WHEN_READY = """addEventListener('DOMContentLoaded', () => placeshaping.ready.then(() => {
  const canvas = document.querySelector('#map canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const full = data.filter((value, k) => k % 4 === 3 && value === 255).length;
  window.first = [document.querySelectorAll('#table tbody tr').length, full];
}));"""


def squares() -> Release:
    """5,184 squares of a kilometre, with a count each and 1,000 residents."""
    x, y = (axis.ravel() for axis in np.meshgrid(range(SIDE), range(SIDE), indexing="ij"))
    codes = pd.Index([f"E01{900_001 + i}" for i in range(SIDE**2)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {i}" for i in range(SIDE**2)]},
        geometry=shapely.box(
            400_000 + x * 1000, 300_000 + y * 1000, 401_000 + x * 1000, 301_000 + y * 1000
        ),
        index=codes,
        crs=27700,
    )
    counts = pd.DataFrame(
        {
            "area_code": codes,
            "period": pd.Timestamp("2025-05-01"),
            "category": "Burglary",
            "count": 20 + np.arange(SIDE**2),
        }
    )
    people = pd.DataFrame({"residents": np.full(SIDE**2, 1000)}, index=codes)
    study = analyse(counts, make_ladder(areas), population=people, hot_spots_of=None)
    return release(
        study,
        policy="open",
        title="Squares",
        made_on=dt.date(2026, 1, 5),
        sensitivity="open",
        already_published="https://example.org",
    )


def test_the_map_is_drawn_before_the_table_and_the_table_follows(
    browser: Any, tmp_path: Path
) -> None:
    area_map(squares()).save(tmp_path / "map.html")
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(LOOK_WHEN_READY)
    page.goto((tmp_path / "map.html").as_uri())
    rows, drawn = page.evaluate("async () => { await placeshaping.ready; return window.first; }")
    assert rows == 0
    assert drawn > 100_000
    page.wait_for_function("() => document.querySelectorAll('#table tbody tr').length === 2000")
    assert "5,184 areas; the first 2,000 are listed" in page.inner_text("#table-count")
    assert page.inner_text("#table tbody tr:first-child").startswith(f"Marsh {SIDE**2 - 1}\n")
    page.click("#measures button[value=count]")
    page.get_by_label("Filter by name or code").fill("Marsh 777")
    page.wait_for_function("() => document.querySelectorAll('#table tbody tr').length === 1")
    assert page.inner_text("#table tbody td") == "797"
    page.goto((tmp_path / "map.html").as_uri() + f"#area=E01{900_001 + 5000}")
    page.reload()
    page.evaluate("() => placeshaping.ready")
    assert "Marsh 5000" in page.inner_text("#details-body")
    assert errors == []
    page.close()
