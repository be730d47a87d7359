"""Rates by decile and the slope index: worked by hand, and against statistics done otherwise."""

import logging

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.statistics.inequality import decile_table, slope_index
from placeshaping.statistics.rates import crude_rate

AREAS = pd.Index(list("abcdef"), name="area_code")


def test_deciles_add_their_areas_up():
    table = decile_table(
        pd.Series([9, 4, 2, 0, 7, 1], AREAS),
        pd.Series([1000, 900, 1100, 500, 800, 700], AREAS),
        pd.Series([1, 1, 10, 4, 4, 10], AREAS).iloc[::-1],
    )
    assert table.index.tolist() == list(range(1, 11))
    assert table["areas"].tolist() == [2, 0, 0, 2, 0, 0, 0, 0, 0, 2]
    assert table.loc[[1, 4, 10], "count"].tolist() == [13, 7, 3]
    expected = crude_rate([13, 7, 3], [1900, 1300, 1800]).set_axis([1, 4, 10])
    columns = ["rate", "lower", "upper"]
    pd.testing.assert_frame_equal(table.loc[[1, 4, 10], columns], expected, check_names=False)
    assert table.loc[2, columns].isna().all()
    assert table.attrs["left_out_areas"] == 0


def test_areas_without_a_decile_are_told(caplog):
    with caplog.at_level(logging.WARNING):
        table = decile_table(
            pd.Series([9, 4, 2, 0, 7, 1], AREAS),
            pd.Series([1000, 900, None, 500, 800, 700], AREAS),
            pd.Series([1, None, 2, 3, 4, 5], AREAS),
        )
    assert table["count"].sum() == 17
    assert (table.attrs["left_out_areas"], table.attrs["left_out_count"]) == (2, 6)
    assert "2 areas (6 events) lack a decile" in caplog.text


def test_wrong_deciles_and_unknown_areas_are_refused():
    ones = pd.Series(1.0, AREAS)
    with pytest.raises(
        InputError, match=r"1 areas have a decile that is not one of 1 to 10: 32\.0"
    ):
        decile_table(ones, ones, pd.Series([1, 2, 3, 4, 5, 32], AREAS))
    with pytest.raises(InputError, match=r"1 of 6 areas have no imd_decile \(f\)"):
        decile_table(ones, ones, pd.Series(1, AREAS[:5], name="imd_decile"))


def line_table(intercept, slope, weights):
    weights = np.asarray(weights, dtype=float)
    rank = (np.cumsum(weights) - weights / 2) / weights.sum()
    rate = intercept + slope * rank
    count = rate * weights / 1000
    return pd.DataFrame({"exposure": weights, "count": count, "rate": rate})


def test_a_straight_line_is_found_exactly():
    index = slope_index(line_table(90, -60, [500, 800, 1000, 200, 900]))
    assert index.slope == pytest.approx(60)
    assert (index.lower, index.upper) == pytest.approx((60, 60))
    assert index.relative == pytest.approx(3)
    assert (index.relative_lower, index.relative_upper) == pytest.approx((3, 3))


def test_the_sign_says_who_is_worse_off():
    assert slope_index(line_table(90, -60, [1, 1, 1])).slope > 0
    assert slope_index(line_table(30, 60, [1, 1, 1])).slope < 0
    assert slope_index(line_table(30, 60, [1, 1, 1])).relative < 1


def test_equal_deciles_give_ordinary_regression():
    rng = np.random.default_rng(0)
    table = line_table(90, -60, np.full(10, 1000))
    table["rate"] += rng.normal(0, 5, 10)
    expected = stats.linregress((np.arange(10) + 0.5) / 10, table["rate"])
    index = slope_index(table)
    half = stats.t.ppf(0.975, 8) * expected.stderr
    assert index.slope == pytest.approx(-expected.slope)
    assert (index.lower, index.upper) == pytest.approx(
        (-expected.slope - half, -expected.slope + half)
    )


def test_the_sampling_interval_is_that_of_simulated_counts():
    counts = np.array([400, 350, 300, 280, 250, 210, 180, 160, 150, 120])
    people = np.array([9, 12, 10, 8, 11, 10, 9, 10, 12, 9]) * 1000.0

    def table(events):
        return pd.DataFrame({"exposure": people, "count": events, "rate": events / people * 1000})

    index = slope_index(table(counts), interval="sampling")
    draws = np.random.default_rng(0).poisson(counts, (1000, 10))
    simulated = [slope_index(table(draw)).slope for draw in draws]
    assert index.interval == "sampling"
    assert (index.upper - index.lower) / 2 == pytest.approx(1.96 * np.std(simulated), rel=0.08)


def test_deciles_without_people_are_left_out():
    table = line_table(90, -60, [500, 800, 1000])
    with_gap = pd.concat([table.iloc[:1], table.iloc[:1] * 0, table.iloc[1:]])
    with_gap.iloc[1, 2] = np.nan
    assert slope_index(with_gap).slope == pytest.approx(60)


def test_a_line_below_zero_has_no_ratio():
    index = slope_index(line_table(90, -100, [1, 1, 1]))
    assert np.isnan([index.relative, index.relative_lower, index.relative_upper]).all()
    assert index.slope == pytest.approx(100)


def test_too_few_deciles_are_refused():
    with pytest.raises(EmptyError, match="2 deciles have a rate; a slope needs 3"):
        slope_index(line_table(90, -60, [1, 1]))


def test_no_events_give_a_flat_line():
    table = line_table(0, 0, [1, 1, 1])
    for interval in ("residual", "sampling"):
        index = slope_index(table, interval=interval)
        assert (index.slope, index.lower, index.upper) == (0, 0, 0)


def test_ratio_over_an_end_close_to_zero_is_unbounded_not_an_error() -> None:
    """The line falls to within a hair of zero at one end: any ratio is possible."""
    zigzag = np.array([0, 3, -3, 3, -3, 3, -3, 3, -3, 0])
    unbounded = 0
    for top in np.linspace(5.13, 5.15, 801):
        rates = np.clip(np.linspace(top, 0, 10) + zigzag, 0, None)
        table = pd.DataFrame({"exposure": 1000.0, "count": rates, "rate": rates})
        unbounded += np.isinf(slope_index(table).relative_upper)
    assert unbounded
