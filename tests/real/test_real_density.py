"""Burglary of 2025 in Colchester and Leicester: where locals know that it is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.crs import to_grid
from placeshaping.hotspots.bandwidth import choose_bandwidth
from placeshaping.hotspots.density import describe_density, kernel_density
from placeshaping.hotspots.relative_density import relative_density

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real_density")]

PEOPLE = "Residence type: Total; measures: Value"
PLACES = {
    "colchester": ("essex", "colchester_lsoa_2021.geojson"),
    "leicester": ("leicestershire", "leicester_lsoa_2021_shp"),
}


def burglaries(archive: Path) -> pd.DataFrame:
    parts = []
    with zipfile.ZipFile(archive) as whole:
        for name in sorted(whole.namelist()):
            if "/2025-" in name and name.endswith(".csv"):
                columns = ["Longitude", "Latitude", "Crime type"]
                parts.append(pd.read_csv(io.BytesIO(whole.read(name)), usecols=columns))
    table = pd.concat(parts, ignore_index=True)
    table = table[(table["Crime type"] == "Burglary") & table["Longitude"].notna()]
    east, north = to_grid(table["Longitude"], table["Latitude"])
    return pd.DataFrame({"easting": east, "northing": north})


@pytest.fixture(scope="module", params=list(PLACES))
def place(request, real_data: Path) -> tuple[str, pd.DataFrame, gpd.GeoDataFrame]:
    force, file = PLACES[request.param]
    areas = gpd.read_file(real_data / "boundaries" / file).to_crs(27700).set_index("LSOA21CD")
    areas["geometry"] = areas.make_valid()
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    areas["people"] = census.set_index("geography code")[PEOPLE].reindex(areas.index)
    return request.param, burglaries(real_data / "police_uk" / f"{force}.zip"), areas


def centre_of(name: str) -> shapely.Geometry:
    """Colchester from the castle to the Hythe; Leicester around the clock tower."""
    if name == "colchester":
        return shapely.box(598_500, 224_000, 602_800, 226_500)
    return shapely.Point(458_800, 304_500).buffer(800)


def test_the_densest_cell_is_where_locals_know_it(place):
    name, events, areas = place
    surface = kernel_density(events, within=areas, outside="drop")
    row, column = np.unravel_index(np.nanargmax(surface.values), surface.values.shape)
    densest = shapely.Point(surface.cells.eastings[column], surface.cells.northings[row])
    assert centre_of(name).contains(densest)
    inside = shapely.intersects_xy(
        shapely.union_all(areas.geometry.to_numpy()), events["easting"], events["northing"]
    )
    assert surface.total == pytest.approx(inside.sum())
    assert describe_density(surface, what="burglaries").startswith("Half of ")
    assert "lie outside the study area" in surface.cautions[0]


def test_rules_give_bandwidths_that_a_map_can_bear(place):
    _, events, areas = place
    shape = shapely.union_all(areas.geometry.to_numpy())
    own = events[shapely.intersects_xy(shape, events["easting"], events["northing"])]
    for rule in ("likelihood", "normal", "silverman", "nearest"):
        assert 300 < choose_bandwidth(own, rule=rule) < 3_500


def test_burglary_beside_residents_stands_out_in_the_centre(place):
    name, events, areas = place
    found = relative_density(
        events, areas, people="people", bandwidth=500, cell=100, outside="drop", permutations=99
    )
    assert found.p_global == 0.01
    higher = found.contours(level=0.05).query("risk == 'higher'")
    assert higher.intersects(centre_of(name)).any()
    assert higher["ratio"].max() > 2


def test_snapped_records_are_told(real_data):
    areas = gpd.read_file(real_data / "boundaries" / PLACES["leicester"][1]).to_crs(27700)
    events = burglaries(real_data / "police_uk" / "leicestershire.zip")
    surface = kernel_density(events, bandwidth=700, within=areas, outside="drop")
    assert any("moved to published points" in caution for caution in surface.cautions)
