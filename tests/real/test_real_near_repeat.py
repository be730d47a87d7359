"""Near repeats of aggravated assault in Chicago: ten years with dates."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pyproj import Transformer

from placeshaping.hotspots.near_repeat import describe_near_repeat, knox
from placeshaping.hotspots.repeat_risk import near_repeat_pairs, risk_bands

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real_near_repeat")]


@pytest.fixture(scope="module")
def assaults(real_data: Path) -> pd.DataFrame:
    path = real_data / "daily" / "chicago_aggravated_assaults.csv.gz"
    table = pd.read_csv(path, parse_dates=["date"]).rename(columns={"date": "time"})
    to_metres = Transformer.from_crs(4326, 26971, always_xy=True)
    east, north = to_metres.transform(table["longitude"], table["latitude"])
    return table.assign(easting=east, northing=north)


def test_a_week_after_an_assault_others_are_near(assaults):
    table = knox(assaults[:11_000], permutations=199, rng=1, correction=None)
    assert table.attrs["pairs"] == 198_865
    cells = table.set_index(["distance_band", "day_band"])
    near = cells.loc[("over 0 m, under 100 m", "0 to 6 days")]
    far = cells.loc[("400 m to under 500 m", "0 to 6 days")]
    assert near["p_value"] == 0.005
    assert 1.0 < near["lower"] < near["ratio"] < 1.5
    assert 0.95 < far["ratio"] < 1.06
    told = describe_near_repeat(table, what="assaults")
    assert told.startswith("In 11,000 assaults, the pairs ")


def test_ten_years_are_feasible_and_tell_of_trends(assaults):
    table = knox(assaults, permutations=64, correction=None)
    assert table.attrs["pairs"] == 36_272_405
    same = table[table["to_m"] == 0].set_index("day_band")["ratio"]
    assert 2.0 < same["0 to 6 days"] < 2.3
    assert 1.3 < same["28 to 34 days"] < 1.5  # long after too: places changed over the years
    assert any("rose or fell at their own pace" in text for text in table.attrs["cautions"])


def test_risk_bands_of_a_day_come_from_the_year_before(assaults):
    before = assaults[assaults["time"] < "2011-01-01"]
    table = knox(before, permutations=99)
    bands = risk_bands(assaults, table, on="2011-01-01")
    events = assaults.loc[bands["event"], "time"]
    assert events.max() < pd.Timestamp("2011-01-02")
    assert events.min() >= pd.Timestamp("2010-11-28")
    assert bands.groupby("event").size().eq(6).all()
    pairs = near_repeat_pairs(before, distance=100, days=7)
    seen = table[(table["to_m"] <= 100) & (table["to_days"] == 7)]["observed"].sum()
    assert len(pairs) == seen
