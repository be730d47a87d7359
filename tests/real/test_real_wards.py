"""Colchester's seventeen wards of three, from LSOAs with residents for electors."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.shaping.ward_search import nearest_bridges, propose_wards
from placeshaping.shaping.wards import make_proposal, make_review

pytestmark = pytest.mark.real

COLCHESTER = "E07000071"
WARDS = 17


@pytest.fixture(scope="module")
def lookup(real_data):
    table = pd.read_csv(real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz", dtype=str)
    return table[table["LAD24CD"] == COLCHESTER].set_index("LSOA21CD")


@pytest.fixture(scope="module")
def review(real_data, lookup):
    areas = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet").to_crs(27700)
    units = areas.set_index("LSOA21CD").loc[lookup.index]
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    people = census.set_index("geography code").iloc[:, 2].astype(int)
    units["electors_now"] = units["electors_forecast"] = people.reindex(units.index)
    first = make_review(units, councillors=3 * WARDS, name="Colchester", sizes=[3])
    return make_review(
        units, councillors=3 * WARDS, name="Colchester", sizes=[3], bridges=nearest_bridges(first)
    )


def test_seventeen_wards_within_the_mark_are_found(review):
    best = propose_wards(review, most=1)[0]
    scores = score_proposal(review, best)
    assert len(scores.wards) == WARDS
    assert scores.faults == ()


def test_borders_add_up_to_the_outline(review):
    outline = review.units.geometry.union_all().length
    assert review.units["outer_metres"].sum() == pytest.approx(outline, rel=0.002)


def test_the_present_wards_are_scored(review, lookup):
    wards = lookup["WD24CD"].reindex(review.units.index)
    names = lookup.drop_duplicates("WD24CD").set_index("WD24CD")["WD24NM"].to_dict()
    seats = dict.fromkeys(sorted(wards.unique()), 3)
    present = make_proposal(review, wards, name="Present", councillors=seats, names=names)
    scores = score_proposal(review, present)
    assert len(scores.wards) == WARDS
    assert scores.wards["electors_now"].sum() == review.units["electors_now"].sum()
