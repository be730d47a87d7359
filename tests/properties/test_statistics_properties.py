"""What must hold of any change, index, profile, curve and street."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

from placeshaping.hotspots.repeats import repeat_locations
from placeshaping.hotspots.streets import hot_streets
from placeshaping.hotspots.time_of_day import aoristic
from placeshaping.statistics.change import change_between
from placeshaping.statistics.concentration import concentration_index, gini, lorenz_curve
from placeshaping.statistics.dispersion import change_dispersion
from placeshaping.statistics.funnel import funnel_limits
from placeshaping.statistics.indices import composite_index, exponential_scores, rank_areas

pairs = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=3, max_size=30)
values = st.lists(st.integers(0, 50), min_size=4, max_size=40)


def columns_of(rows):
    table = pd.DataFrame(rows, columns=["before", "after"])
    return table["before"], table["after"]


@settings(deadline=None)
@given(pairs.filter(lambda rows: any(a + b for a, b in rows)))
def test_turning_time_round_turns_the_ratio_over(rows):
    before, after = columns_of(rows)
    there, back = change_between(before, after), change_between(after, before)
    np.testing.assert_allclose(there["p_value"], back["p_value"], rtol=1e-9)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(there["lower"], 1 / back["upper"], rtol=1e-6)
    inside = there["ratio"].isna() | (
        (there["lower"] <= there["ratio"]) & (there["ratio"] <= there["upper"])
    )
    assert inside.all()


@settings(deadline=None)
@given(pairs)
def test_undoing_the_drivers_undoes_the_change(rows):
    before, after = columns_of(rows)
    table = change_dispersion(before, after)
    chosen = table["contributes"]
    rest = (after - before)[~chosen].sum()
    if after.sum() > before.sum():
        assert rest <= 0
        last = table.loc[table["order"] == table.attrs["contributing"], "difference"].iloc[0]
        assert rest + last > 0
    else:
        assert not chosen.any()


@settings(deadline=None)
@given(values.filter(any))
def test_gini_lies_within_nought_and_one_and_knows_no_scale(numbers):
    counts = np.array(numbers)
    assert -1e-12 <= gini(counts) < 1
    assert gini(counts * 3) == pytest.approx(gini(counts), abs=1e-12)
    assert gini(counts[::-1]) == pytest.approx(gini(counts), abs=1e-12)


@settings(deadline=None)
@given(values.filter(any))
def test_turning_the_ranks_round_turns_the_index_over(numbers):
    counts = pd.Series(numbers)
    people, rank = pd.Series(100, counts.index), pd.Series(np.arange(len(counts)) + 1)
    there = concentration_index(counts, people, rank)
    back = concentration_index(counts, people, -rank)
    assert there.index == pytest.approx(-back.index, abs=1e-12)
    curve = lorenz_curve(counts, people, by=rank)
    assert (np.diff(curve["events"]) >= 0).all()
    assert curve.iloc[-1][["people", "events"]].tolist() == pytest.approx([1, 1])


@settings(deadline=None)
@given(pairs.filter(lambda rows: any(a for a, _ in rows)), st.sampled_from(["none", "additive"]))
def test_limits_of_a_funnel_are_nested(rows, way):
    counts, people = columns_of(rows)
    table = funnel_limits(counts, people + 1, overdispersion=way)
    limits = table[["lower_998", "lower_95", "upper_95", "upper_998"]].to_numpy()
    assert (np.diff(limits, axis=1) >= -1e-9).all()
    assert (limits >= 0).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30))
def test_an_index_follows_ranks_and_not_units_or_order(rows):
    values = pd.DataFrame(rows, columns=["a", "b"])
    weights = {"a": 0.6, "b": 0.4}
    index = composite_index(rank_areas(values), weights)
    cubed = composite_index(rank_areas(values**3 * 10 - 5), weights)
    pd.testing.assert_frame_equal(index, cubed)
    turned = composite_index(rank_areas(values.iloc[::-1]), weights)
    pd.testing.assert_frame_equal(turned.iloc[::-1], index)
    scores = exponential_scores(rank_areas(values))
    assert ((scores > 0) & (scores <= 100 + 1e-9)).all(axis=None)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20_000_000), st.integers(0, 600_000)), min_size=1, max_size=30
    )
)
def test_spreading_over_hours_conserves_events(spans):
    starts = pd.Timestamp("2025-03-20") + pd.to_timedelta([s for s, _ in spans], unit="s")
    ends = starts + pd.to_timedelta([n for _, n in spans], unit="s")
    events = pd.DataFrame({"time": starts, "end": ends})
    hourly = aoristic(events)
    assert hourly.sum() == pytest.approx(len(spans))
    assert (hourly >= 0).all()
    turned = aoristic(events.iloc[::-1])
    np.testing.assert_allclose(turned, hourly, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-20, 320), st.integers(-20, 320)), min_size=1, max_size=40
    ).filter(lambda rows: any(0 <= x <= 300 and y % 100 == 0 and 0 <= y <= 300 for x, y in rows))
)
def test_streets_conserve_matched_events(places):
    lines = [LineString([(0, y), (300, y)]) for y in (0, 100, 200, 300)]
    lines += [LineString([(x, 0), (x, 300)]) for x in (0, 300)]
    streets = gpd.GeoDataFrame(geometry=lines, crs=27700)
    events = gpd.GeoDataFrame(geometry=[Point(p) for p in places], crs=27700)
    table = hot_streets(events, streets, within=30, draws=3)
    assert table["count"].sum() == pytest.approx(table.attrs["matched"])
    assert table.attrs["matched"] + table.attrs["unmatched"] == len(places)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from("xyz")), min_size=1, max_size=40))
def test_repeats_conserve_contacts(rows):
    table = pd.DataFrame(rows, columns=["uprn", "service"]).assign(date=pd.Timestamp("2025-01-01"))
    services = dict(iter(table.groupby("service")))
    places = repeat_locations(services, key="uprn", least=1)
    assert places["count"].sum() == len(rows)
    assert places[[f"count_{name}" for name in services]].sum(axis=1).equals(places["count"])
    assert (places["order"].diff().dropna() >= 0).all()
