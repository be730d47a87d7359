"""Rates, intervals and smoothing against tables, scipy and esda."""

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda.smoothing import Empirical_Bayes, Spatial_Empirical_Bayes
from scipy import stats
from shapely import box

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.areas.neighbours import contiguity
from placeshaping.statistics.rates import (
    crude_rate,
    empirical_bayes_rate,
    local_empirical_bayes_rate,
    poor_denominator,
    wilson_interval,
)


def test_exact_limits_are_those_of_the_published_table():
    # 95 % limits of a Poisson count: Breslow and Day 1987, table 2.11 (as ratios of the count);
    # the absolute limits stand in Pearson and Hartley, Biometrika Tables I, table 40.
    limits = crude_rate([0, 1, 5, 10, 20], [1.0] * 5, per=1, method="exact")
    expected = {"lower": [0, 0.0253, 1.62, 4.80, 12.22], "upper": [3.69, 5.57, 11.67, 18.39, 30.89]}
    pd.testing.assert_frame_equal(limits[["lower", "upper"]], pd.DataFrame(expected), atol=0.006)


def test_byar_is_close_to_exact_from_ten_on_and_exact_below():
    counts = np.arange(0, 400)
    ones = np.ones(len(counts))
    byar = crude_rate(counts, ones, per=1)
    exact = crude_rate(counts, ones, per=1, method="exact")
    pd.testing.assert_frame_equal(byar[:10], exact[:10])
    assert (byar[10:] != exact[10:])["upper"].all()
    pd.testing.assert_frame_equal(byar, exact, rtol=0.005)


def test_byar_is_its_formula():
    rate = crude_rate([100], [1], per=1)
    z = 1.959963984540054
    assert rate["lower"].item() == pytest.approx(100 * (1 - 1 / 900 - z / 30) ** 3)
    assert rate["upper"].item() == pytest.approx(101 * (1 - 1 / 909 + z / (3 * 101**0.5)) ** 3)


@pytest.mark.parametrize("method", ["byar", "exact"])
def test_intervals_cover_as_often_as_they_say(method):
    draws = np.random.default_rng(1).poisson(14, 20_000)
    limits = crude_rate(draws, np.ones(len(draws)), per=1, level=0.9, method=method)
    covered = ((limits["lower"] <= 14) & (limits["upper"] >= 14)).mean()
    assert 0.89 < covered < 0.94


def test_rates_scale_with_per_and_keep_the_index():
    index = pd.Index(["b", "a"], name="area_code")
    rates = crude_rate(pd.Series([5, 10], index), pd.Series([2000, 1000], ["a", "b"]), per=100)
    assert rates.index.equals(index)
    assert rates["rate"].tolist() == [0.5, 0.5]


def test_nothing_over_nobody_is_missing_and_something_is_refused(caplog):
    assert crude_rate([0, None], [0, 5]).isna().all(axis=None)
    with pytest.raises(InputError, match=r"1 rows have events but an exposure of zero \(1\)"):
        crude_rate([0, 3], [0, 0])
    with caplog.at_level(logging.INFO):
        rates = crude_rate([5, 3], [10, 0], zero_exposure="missing")
    assert rates["rate"].isna().tolist() == [False, True]
    assert "their rates are missing" in caplog.text


@pytest.mark.parametrize(
    ("count", "exposure", "match"),
    [
        ([-1], [5], "1 counts are negative"),
        ([1], [-5], "1 exposures are negative"),
        ([1, 2], [5], "2 counts but 1 exposures"),
        ([1], [np.inf], "infinite"),
    ],
)
def test_impossible_numbers_are_refused(count, exposure, match):
    with pytest.raises(InputError, match=match):
        crude_rate(count, exposure)


def test_impossible_options_are_refused():
    with pytest.raises(InputError, match="level is 95"):
        crude_rate([1], [1], level=95)
    with pytest.raises(InputError, match="per is 0"):
        crude_rate([1], [1], per=0)


def test_series_of_unlike_areas_are_refused():
    with pytest.raises(InputError, match=r"1 of 2 rows have no exposure \(b\)"):
        crude_rate(pd.Series([1, 2], ["a", "b"]), pd.Series([1, 2], ["a", "c"]))
    with pytest.raises(InputError, match="repeated labels"):
        crude_rate(pd.Series([1, 2], ["a", "b"]), pd.Series([1, 2], ["a", "a"]))


def test_empirical_bayes_is_that_of_esda():
    rng = np.random.default_rng(3)
    people = rng.integers(200, 4000, 300)
    counts = rng.poisson(people * rng.gamma(2, 0.01, 300))
    expected = Empirical_Bayes(counts, people).r.ravel() * 1000
    smoothed = empirical_bayes_rate(counts, people)
    np.testing.assert_allclose(smoothed, expected, rtol=1e-12)
    assert smoothed.name == "eb_rate"


def test_areas_no_more_unlike_than_chance_all_get_the_overall_rate():
    smoothed = empirical_bayes_rate([10, 10, 10], [1000, 1000, 1000])
    assert smoothed.tolist() == [10, 10, 10]
    assert empirical_bayes_rate([0, 0], [10, 10]).tolist() == [0, 0]


def test_smoothing_leaves_out_areas_without_anybody():
    smoothed = empirical_bayes_rate([60, 0, 10], [1000, 0, 1000])
    assert smoothed.isna().tolist() == [False, True, False]
    assert smoothed[[0, 2]].tolist() == empirical_bayes_rate([60, 10], [1000, 1000]).tolist()
    with pytest.raises(EmptyError, match="no rate to smooth towards"):
        empirical_bayes_rate([0], [0])


def make_areas(size=7):
    shapes = [box(x, y, x + 1, y + 1) for y in range(size) for x in range(size)]
    return gpd.GeoDataFrame(geometry=shapes, index=[f"a{i:02}" for i in range(size * size)])


def test_local_empirical_bayes_is_that_of_esda():
    areas = make_areas()
    rng = np.random.default_rng(5)
    people = pd.Series(rng.integers(200, 4000, len(areas)), areas.index)
    counts = pd.Series(rng.poisson(people * rng.gamma(2, 0.01, len(areas))), areas.index)
    graph = contiguity(areas)
    expected = Spatial_Empirical_Bayes(counts.to_numpy(), people.to_numpy(), graph.to_W())
    smoothed = local_empirical_bayes_rate(counts, people, graph)
    np.testing.assert_allclose(smoothed, expected.r.ravel() * 1000, rtol=1e-10)


def test_local_smoothing_follows_the_codes_not_the_order():
    areas = make_areas()
    rng = np.random.default_rng(6)
    counts = pd.Series(rng.poisson(20, len(areas)), areas.index)
    people = pd.Series(rng.integers(500, 900, len(areas)), areas.index)
    graph = contiguity(areas)
    shuffled = counts.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(
        local_empirical_bayes_rate(shuffled, people, graph),
        local_empirical_bayes_rate(counts, people, graph).reindex(shuffled.index),
    )
    weighted = graph.transform("r")
    pd.testing.assert_series_equal(
        local_empirical_bayes_rate(counts, people, weighted),
        local_empirical_bayes_rate(counts, people, graph),
    )


def test_islands_keep_their_rate_and_gaps_are_left_out_of_neighbourhoods():
    shapes = [box(x, 0, x + 1, 1) for x in (0, 1, 2, 9)]
    areas = gpd.GeoDataFrame(geometry=shapes, index=list("abcd"))
    graph = contiguity(areas)
    counts = pd.Series([5, None, 9, 30], areas.index)
    smoothed = local_empirical_bayes_rate(counts, pd.Series(1000, areas.index), graph)
    assert smoothed[["a", "c", "d"]].tolist() == [5, 9, 30]
    assert np.isnan(smoothed["b"])
    with pytest.raises(InputError, match=r"1 of 1 areas are not in the graph of neighbours \(z\)"):
        local_empirical_bayes_rate(pd.Series([1], ["z"]), pd.Series([5], ["z"]), graph)
    with pytest.raises(EmptyError, match="no rate to smooth towards"):
        local_empirical_bayes_rate(counts * np.nan, counts, graph)


def test_wilson_is_that_of_scipy():
    successes, trials = np.array([0, 3, 7, 10]), np.array([5, 10, 12, 10])
    table = wilson_interval(successes, trials, level=0.9)
    for row, k, n in zip(table.itertuples(), successes, trials, strict=True):
        limits = stats.binomtest(k, n).proportion_ci(0.9, method="wilson")
        assert (row.lower, row.upper) == pytest.approx((limits.low, limits.high), abs=1e-12)
    assert wilson_interval([0], [0]).isna().all(axis=None)
    with pytest.raises(InputError, match="1 rows have more successes than trials"):
        wilson_interval([2], [1])


def test_a_town_centre_has_a_poor_denominator():
    counts = pd.Series([100, 90, 110, 95, 2000, 40], index=list("abcdef"))
    residents = pd.Series([1000, 1000, 1100, 900, 1500, 0], index=list("abcdef"))
    assert poor_denominator(counts, residents).tolist() == [False] * 4 + [True, True]


def test_few_events_do_not_make_a_poor_denominator():
    counts = [1, 1, 1, 1, 1, 3]
    assert not poor_denominator(counts, [1000] * 5 + [400]).any()
    assert not poor_denominator([0, 0, 0, 1], [100] * 4).any()
    assert not poor_denominator([None, 1], [10, None]).any()
