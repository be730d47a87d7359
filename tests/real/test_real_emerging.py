"""Emerging hot spots of two forces: what is stable, and known on the ground."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.emerging import CATEGORIES, emerging_hotspots
from placeshaping.hotspots.emerging_words import emerging_paragraph, emerging_summary
from placeshaping.maps.words import label_words
from placeshaping.sources.police import read_police

pytestmark = pytest.mark.real

LEICESTERSHIRE = {"E06000016", "E06000017", *(f"E070001{i}" for i in range(29, 36))}
ESSEX = {"E06000033", "E06000034", *(f"E070000{i}" for i in range(66, 78))}
LEICESTER_CENTRE = "E01034022"
LAKESIDE = "Thurrock 022C"  # a shopping centre with some ten thousand parking places


@pytest.fixture(scope="module")
def nation(real_data):
    areas = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    areas = areas.rename(columns={"LSOA21CD": "area_code", "LSOA21NM": "area_name"})
    areas = areas.set_index("area_code").to_crs(27700)
    areas["geometry"] = areas.geometry.make_valid()
    areas.attrs.update(level="lsoa", vintage="2021")
    return areas


def part(nation, districts):
    areas = nation[nation["LADCD"].isin(districts)]
    areas.attrs.update(nation.attrs)
    return areas


@pytest.fixture(scope="module")
def leicestershire(real_data, nation):
    areas = part(nation, LEICESTERSHIRE)
    events = read_police(real_data / "police_uk" / "leicestershire.zip")
    return events, areas, contiguity(areas, islands="raise")


@pytest.fixture(scope="module")
def essex(real_data, nation):
    areas = part(nation, ESSEX)
    events = read_police(real_data / "police_uk" / "essex.zip")
    return events, areas, contiguity(areas, islands="nearest")


@pytest.mark.parametrize("window", ["cube", "neighbourhood_step", "step"])
@pytest.mark.parametrize("category", ["Shoplifting", "Violence and sexual offences"])
def test_the_centre_of_leicester_is_hot_nearly_always(leicestershire, category, window):
    events, areas, neighbours = leicestershire
    result = emerging_hotspots(events, neighbours, areas=areas, category=category, window=window)
    assert result.index.equals(areas.index)
    centre = result.loc[LEICESTER_CENTRE]
    assert centre["category"] in ("intensifying_hot", "persistent_hot", "diminishing_hot")
    assert centre["hot_share"] == 1
    assert centre["known_steps"] == 36
    assert result.attrs["cautions"] == ()
    hot = result["category"].astype(str).str.endswith("_hot")
    assert 0.01 < hot.mean() < 0.15


def test_burglary_that_rose_in_hinckley_at_the_end_is_new_or_consecutive(leicestershire):
    events, areas, neighbours = leicestershire
    result = emerging_hotspots(events, neighbours, areas=areas, category="Burglary")
    late = result["category"].isin(["new_hot", "consecutive_hot"])
    where = areas.loc[late, "area_name"].str.contains("Hinckley")
    assert where.sum() >= 4
    counts = make_cube(events, areas=areas, category="Burglary").loc[late[late].index[where]]
    assert counts.iloc[:, -2:].mean(axis=1).mean() > 2 * counts.iloc[:, :-2].mean(axis=1).mean()


def test_months_that_essex_lacks_are_told_and_count_nowhere(essex):
    events, areas, neighbours = essex
    result = emerging_hotspots(events, neighbours, areas=areas, category="Vehicle crime")
    assert len(result.attrs["steps"]) == 87
    assert len(result.attrs["missing_steps"]) == 66
    assert "66 of 87 steps are missing" in result.attrs["cautions"][0]
    assert (result["known_steps"] == 21).all()
    placed = make_cube(events, areas=areas, category="Vehicle crime")
    np.testing.assert_allclose(result["total_count"], placed.sum(axis=1))
    lakeside = result.loc[areas.index[areas["area_name"] == LAKESIDE][0]]
    assert lakeside["hot_share"] >= 0.9
    assert lakeside["total_count"] == result["total_count"].max()


def test_the_order_of_real_areas_does_not_matter(leicestershire):
    events, areas, neighbours = leicestershire
    cube = make_cube(events, areas=areas, category="Burglary")
    result = emerging_hotspots(cube, neighbours)
    shuffled = emerging_hotspots(cube.sample(frac=1, random_state=2), neighbours)
    pd.testing.assert_frame_equal(shuffled.loc[cube.index], result, rtol=1e-9, atol=1e-9)


def test_the_paragraph_of_a_county_names_places_and_judges_none(leicestershire):
    events, areas, neighbours = leicestershire
    result = emerging_hotspots(events, neighbours, areas=areas, category="Shoplifting")
    text = emerging_paragraph(result, names=areas["area_name"], what="shop thefts")
    assert "Leicester" in text
    assert label_words([text]) == []
    assert emerging_summary(result)["areas"].sum() == len(areas)
    assert set(result["category"].cat.categories) == set(CATEGORIES)
