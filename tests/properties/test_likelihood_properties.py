"""What holds of any history: no look ahead, no order of rows, flags that fill the area."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely import box

from placeshaping.likelihood import scores
from placeshaping.likelihood.backtest import backtest
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.boosted import Boosted
from placeshaping.likelihood.ensemble import Ensemble
from placeshaping.likelihood.flagging import flag
from placeshaping.likelihood.history import history_of_counts, history_of_events
from placeshaping.likelihood.surfaces import KernelDensity, ProMap
from placeshaping.likelihood.units import make_cells, make_units

UNITS = make_units(
    make_cells(gpd.GeoDataFrame(geometry=[box(0, 0, 2000, 1750)], crs=27700), size=500)
)
MONTHS = 24
TREES = Boosted(trees=8, fewest_in_leaf=10)
MODELS = [
    TrailingCounts("all"),
    TrailingCounts("12 months"),
    SameSeason(),
    KernelDensity(),
    ProMap(),
    TREES,
    Ensemble((TrailingCounts("all"), TREES), origins=3),
]
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])

counts_before = arrays(np.int64, (len(UNITS), MONTHS), elements=st.integers(1, 6))
futures = arrays(np.int64, (len(UNITS), 3), elements=st.integers(0, 50))
sizes = st.integers(1, 40)


def monthly(counts, rng=None):
    table = pd.DataFrame(
        {
            "area_code": np.repeat(UNITS.codes, counts.shape[1]),
            "period": np.tile(
                pd.date_range("2022-01-01", periods=counts.shape[1], freq="MS"), len(UNITS)
            ),
            "category": "Burglary",
            "count": counts.ravel(),
        }
    )
    if rng is not None:
        table = table.sample(frac=1, random_state=rng)
    return history_of_counts(table, UNITS, target="Burglary")


def point_events(seed, last_day):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "easting": rng.uniform(0, 2000, 400),
            "northing": rng.uniform(0, 1750, 400),
            "time": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(rng.uniform(0, last_day, 400), unit="D"),
            "category": "Burglary",
        }
    )


@FEW
@given(past=counts_before, one=futures, other=futures)
def test_nothing_after_the_cutoff_changes_a_forecast(past, one, other):
    for model in MODELS:
        forecasts = [
            model.fit(monthly(np.hstack([past, future])).cut(MONTHS)).forecast(2).expected
            for future in (one, other)
        ]
        assert np.array_equal(*forecasts), model.name


@FEW
@given(past=counts_before, one=futures, other=futures)
def test_nothing_after_an_origin_changes_its_scores(past, one, other):
    one[:, 0] = other[:, 0]  # the origin itself is what is scored
    one[0, 0] = other[0, 0] = 1
    tables = [
        backtest(
            monthly(np.hstack([past, future])),
            [TrailingCounts("all"), KernelDensity()],
            origins=["2024-01-01"],
        ).scores
        for future in (one, other)
    ]
    pd.testing.assert_frame_equal(*tables)


@FEW
@given(seed=st.integers(0, 2**32), change=st.integers(0, 2**32))
def test_events_after_the_cutoff_change_nothing(seed, change):
    past = point_events(seed, 100)
    later = point_events(change, 60).assign(time=lambda t: t["time"] + pd.Timedelta(days=101))
    whole = history_of_events(pd.concat([past, later]), UNITS, cutoff="2023-06-30")
    cut = whole.until("2023-04-11")
    alone = history_of_events(past, UNITS, cutoff="2023-04-11")
    assert (cut.counts != alone.counts).nnz == 0
    pd.testing.assert_frame_equal(cut.events, alone.events)
    model = TrailingCounts("28 days")
    assert np.array_equal(model.fit(cut).forecast().expected, model.fit(alone).forecast().expected)


@FEW
@given(past=counts_before, seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_nothing(past, seed):
    ordered, shuffled = monthly(past), monthly(past, rng=seed)
    assert (ordered.counts != shuffled.counts).nnz == 0


@given(data=st.data(), n=sizes)
@settings(max_examples=200, deadline=None)
def test_flags_fill_the_area_and_take_the_densest_first(data, n):
    expected = data.draw(arrays(np.float64, n, elements=st.sampled_from([0, 0.5, 1, 1, 2, 7.3])))
    area = data.draw(arrays(np.float64, n, elements=st.floats(0.01, 100)))
    share = data.draw(st.floats(0.001, 1))
    flagged = flag(expected, area, share=share)
    assert ((flagged >= 0) & (flagged <= 1)).all()
    assert (flagged * area).sum() == pytest.approx(share * area.sum())
    density = expected / area
    least = density[flagged > 0].min()
    assert (flagged[density > least * (1 + 1e-6)] == 1).all()


@given(data=st.data(), n=sizes)
@settings(max_examples=200, deadline=None)
def test_flags_do_not_depend_on_the_order_of_units(data, n):
    expected = data.draw(arrays(np.float64, n, elements=st.integers(0, 3)))
    area = data.draw(arrays(np.float64, n, elements=st.sampled_from([0.25, 1.0, 3.0])))
    order = np.array(data.draw(st.permutations(range(n))))
    flagged = flag(expected, area, share=0.3)
    assert flag(expected[order], area[order], share=0.3) == pytest.approx(flagged[order], abs=1e-9)


@given(data=st.data(), n=st.integers(2, 40))
@settings(max_examples=200, deadline=None)
def test_no_forecast_catches_more_than_the_oracle(data, n):
    observed = data.draw(arrays(np.float64, n, elements=st.integers(0, 9)))
    expected = data.draw(arrays(np.float64, n, elements=st.floats(0, 9)))
    area = data.draw(arrays(np.float64, n, elements=st.floats(0.1, 10)))
    if observed.sum():
        flagged = flag(expected, area, share=0.2)
        assert scores.pei(observed, flagged, area) <= 1 + 1e-9


@given(data=st.data(), n=st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_proper_scores_are_least_for_the_truth_on_average(data, n):
    mean = data.draw(arrays(np.float64, n, elements=st.floats(0.1, 8)))
    other = data.draw(arrays(np.float64, n, elements=st.floats(0.1, 8)))
    seed = data.draw(st.integers(0, 2**32 - 1))
    drawn = np.random.default_rng(seed).poisson(np.repeat(mean, 2000)).astype(float)
    true, false = np.repeat(mean, 2000), np.repeat(other, 2000)
    for score in (scores.log_score, scores.crps, scores.poisson_deviance):
        assert score(drawn, true) <= score(drawn, false) + 0.02
