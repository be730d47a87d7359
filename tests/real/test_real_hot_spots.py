"""Hot spots of two forces where people who live there would expect them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.geary import geary
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.join_counts import join_counts
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.moran import global_moran
from placeshaping.hotspots.optimised import optimised_hotspots
from placeshaping.joins.points import count_by_area
from placeshaping.sources.police import read_police

pytestmark = pytest.mark.real

TOWNS = {"essex": "Colchester", "leicestershire": "Leicester"}
CENTRES = {"Colchester": (599_600, 225_100), "Leicester": (458_750, 304_550)}


@pytest.fixture(scope="module", params=TOWNS)
def town(request, real_data):
    """Return a town's name, its LSOAs and the records of its force."""
    events = read_police(real_data / "police_uk" / f"{request.param}.zip")
    nation = read_boundaries(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    name = TOWNS[request.param]
    return name, nation[nation["area_name"].str.startswith(f"{name} ")], events


def metres_from_centre(shapes, name):
    x, y = CENTRES[name]
    return np.hypot(shapes.centroid.x - x, shapes.centroid.y - y)


def of_category(events, category):
    return events[events["category"] == category]


@pytest.mark.parametrize("category", ["Shoplifting", "Violence and sexual offences"])
def test_hot_cells_lie_in_the_town_centre(town, category):
    name, areas, events = town
    found = optimised_hotspots(of_category(events, category), within=areas, what=category)
    assert found.attrs["size"] == 250  # snapped records: no smaller cell
    assert "anchor points" in found.attrs["explanation"]
    hot = found[found["cluster"] == "hot_99"]
    assert found["count"].idxmax() in hot.index
    hottest = found.loc[[found["gi_star"].idxmax()]]
    assert metres_from_centre(hottest, name).iloc[0] < 1_000
    assert metres_from_centre(hot, name).median() < 2_500
    assert hot["count"].mean() > 3 * found["count"].mean()


def test_hot_areas_lie_in_the_town_centre_and_the_centre_is_one(town):
    name, areas, events = town
    shops = of_category(events, "Shoplifting")
    found = optimised_hotspots(shops, areas=areas, what="shoplifting offences")
    assert found.index.equals(areas.index)
    hot = found[found["cluster"].astype(str).str.startswith("hot")]
    assert found["count"].idxmax() in hot.index
    assert metres_from_centre(hot, name).max() < 2_500
    assert f"{name} " in found.attrs["summary"]


def test_permutations_agree_with_the_normal_distribution_where_counts_are_many(town):
    _, areas, events = town
    counts = count_by_area(
        of_category(events, "Violence and sexual offences"), areas, by=(), outside="drop"
    ).set_index("area_code")["count"]
    neighbours = contiguity(areas, islands="nearest")
    rates = np.log1p(counts.reindex(areas.index))
    normal = getis_ord(rates, neighbours, star=False)
    drawn = getis_ord(rates, neighbours, star=False, permutations=99_999)
    assert np.corrcoef(normal["p_value"], drawn["p_value"])[0, 1] > 0.98
    hot = (normal["cluster"] != "none").sum()
    assert (normal["cluster"].astype(str) == drawn["cluster"].astype(str)).mean() > 0.95
    assert hot > 0


def test_recorded_crime_is_clustered_by_every_measure(town):
    _, areas, events = town
    neighbours = contiguity(areas, islands="nearest")
    long = count_by_area(events, areas, by=("category",), outside="drop")
    counts = long.pivot(index="area_code", columns="category", values="count")
    counts = counts.reindex(areas.index).astype(float)
    moran, spread = global_moran(counts, neighbours), geary(np.log1p(counts), neighbours)
    assert (moran["z_score"] > 2).mean() > 0.8
    assert (spread["z_score"] < -2).mean() > 0.8
    joins = join_counts(counts > counts.median(), neighbours)
    assert (joins.loc["both", "z_score"] > 2).mean() > 0.8
    local = local_moran(counts, neighbours)
    assert local["z_score"].notna().all()
    assert set(local["cluster"].unique()) >= {"none", "high_high"}
    assert isinstance(local["cluster"].dtype, pd.CategoricalDtype)
