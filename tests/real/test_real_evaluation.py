"""A pretended measure against burglary in Leicestershire: nothing was done, nothing is reported."""

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping.areas.neighbours import k_nearest
from placeshaping.disclosure.panels import protect_panel
from placeshaping.disclosure.policies import POLICIES
from placeshaping.joins.points import count_by_area
from placeshaping.shaping.evaluation import make_panel, rings_around
from placeshaping.shaping.evaluation_results import evaluate
from placeshaping.shaping.evaluation_words import describe_evaluation
from placeshaping.shaping.trial_design import pair_areas, smallest_effects, trial_power
from placeshaping.sources.police import read_police

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def burglary(real_data):
    nation = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    lookup = pd.read_csv(real_data / "lookups" / "lad24_csp24_pfa24.csv")
    districts = lookup.loc[lookup["PFA24NM"] == "Leicestershire", "LAD24CD"]
    areas = nation[nation["LADCD"].isin(districts)].to_crs(27700)
    areas = areas.rename(columns={"LSOA21CD": "area_code"}).set_index("area_code")
    events = read_police(real_data / "police_uk" / "leicestershire.zip")
    counts = count_by_area(events, areas, outside="drop")
    return areas, counts[counts["category"] == "Burglary"]


@pytest.fixture(scope="module")
def panel(burglary):
    areas, counts = burglary
    middle = areas.index[areas["LSOA21NM"].str.startswith("Leicester")][40]
    treated = [middle, *k_nearest(areas, k=11)[middle].index]
    rings = rings_around(areas, treated, steps=2)
    return make_panel(counts, treated=treated, start="2025-01-01", rings=rings, before=24, after=12)


@pytest.mark.parametrize("policy", ["open", "councillor", "public"])
def test_a_pretended_measure_is_a_null_result_under_any_policy(panel, policy):
    protected = protect_panel(panel, policy=POLICIES[policy])
    synthetic = policy == "open"
    found = evaluate(protected.whole, blocks=protected.blocks, synthetic=synthetic)
    told = describe_evaluation(found, what="Burglary", measure="a pretended measure")
    assert found.verdict == "none"
    assert told.startswith("No effect of a pretended measure on burglary could be seen")
    assert "would have been seen in four cases out of five" in told
    row = found.of("treated")
    assert row["percent_lower"] < 0 < row["percent_upper"]
    assert 10 < row["detectable"] < 80
    if synthetic:
        assert found.control is not None
        assert "specifications of a synthetic control" in told


def test_protection_moves_the_difference_by_less_than_its_standard_error(panel):
    exact, rounded = (
        evaluate(protect_panel(panel, policy=POLICIES[name]).whole).of("treated")
        for name in ("open", "councillor")
    )
    assert abs(exact["difference"] - rounded["difference"]) < exact["se"]


def test_a_trial_of_real_burglary_sees_what_its_power_says(burglary):
    areas, counts = burglary
    recent = counts[counts["period"] >= "2025-01-01"]
    wide = recent.pivot_table(index="area_code", columns="period", values="count", aggfunc="sum")
    pairs = pair_areas(wide.sum(axis=1).to_frame("burglary"))["pair"]
    power = trial_power(
        wide, pairs, effects=[0.0, 0.2, 0.4], months=[6], numbers=[100, 300], simulations=400
    )
    smallest = smallest_effects(power).set_index("pairs")
    assert len(areas) > 600
    assert smallest.loc[300, "effect"] < 0.4
    assert (smallest["false_positives"] < 0.10).all()
