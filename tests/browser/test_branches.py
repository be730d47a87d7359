"""Wards beside MSOAs on the map: drawn, found under the pointer, and named."""

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
from placeshaping.disclosure.own_policies import make_policy
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import analyse
from placeshaping.maps.area_map import area_map

pytestmark = pytest.mark.browser

SIDE = 8

AT_CENTRES = """(l) => placeshaping.shapes.centres[l].map(
  (centre) => placeshaping.shapes.at(l, centre[0], centre[1]))"""

POINT_OF = """([l, i]) => {
  const { map, shapes } = placeshaping;
  const c = shapes.centres[l][i];
  const p = map.latLngToContainerPoint(L.CRS.EPSG3857.pointToLatLng(L.point(c), 0));
  const box = document.getElementById('map').getBoundingClientRect();
  return [box.left + p.x, box.top + p.y];
}"""


def branched(finest: str) -> Release:
    """64 squares, in 16 MSOAs of 2 x 2 and 8 wards of 8 x 1, in one district."""
    x, y = (axis.ravel() for axis in np.meshgrid(range(SIDE), range(SIDE), indexing="ij"))
    codes = pd.Index([f"E01{900_001 + i}" for i in range(SIDE**2)], name="area_code")
    areas = gpd.GeoDataFrame(
        {"area_name": [f"Marsh {i}" for i in range(SIDE**2)]},
        geometry=shapely.box(x * 1000, y * 1000, (x + 1) * 1000, (y + 1) * 1000),
        index=codes,
        crs=27700,
    )
    lookup = pd.DataFrame(
        {
            "msoa_code": [f"E02{900_001 + i}" for i in x // 2 * 4 + y // 2],
            "ward_code": [f"E05{900_001 + i}" for i in y],
            "ward_name": [f"Row {i}" for i in y],
            "district_code": "E07900001",
            "district_name": "West Fen",
        },
        index=codes,
    )
    counts = pd.DataFrame(
        {
            "area_code": codes,
            "period": pd.Timestamp("2025-05-01"),
            "category": "Burglary",
            "count": 20 + np.arange(SIDE**2),
        }
    )
    study = analyse(counts, make_ladder(areas, lookup, levels=["msoa", "ward", "district"]))
    return release(
        study,
        policy=make_policy({"name": "own", "base": "councillor", "finest": finest}),
        title="Two branches",
        made_on=dt.date(2026, 1, 5),
    )


@pytest.mark.parametrize("finest", ["lsoa", "msoa"])
def test_wards_beside_msoas_are_drawn_and_found_under_the_pointer(
    browser: Any, tmp_path: Path, finest: str
) -> None:
    made = branched(finest)
    assert made.levels[-3:] == ("msoa", "ward", "district")
    area_map(made).save(tmp_path / "map.html")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, offline=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "map.html").as_uri())
    page.evaluate("() => placeshaping.ready")
    level = made.levels.index("ward")
    assert page.evaluate(AT_CENTRES, level) == list(range(SIDE))
    page.click("#levels button[value=ward]")
    page.evaluate("document.getElementById('map-section').scrollIntoView()")
    for i in (0, SIDE - 1):
        across, down = page.evaluate(POINT_OF, [level, i])
        page.mouse.move(across - 5, down)
        page.mouse.move(across, down)
        assert page.inner_text("#tip").startswith(f"Row {i}")
    assert errors == []
    context.close()
