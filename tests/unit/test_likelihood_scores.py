"""Scores against values worked out by hand, published examples and reference packages."""

import numpy as np
import pytest
from scipy import optimize, sparse, stats
from sklearn.metrics import brier_score_loss, mean_poisson_deviance

from placeshaping._core.errors import InputError
from placeshaping.likelihood import scores
from placeshaping.likelihood.flagging import flag
from placeshaping.likelihood.stability import caught_by_one, compactness, turnover
from placeshaping.likelihood.uncertainty import (
    Estimate,
    at_least,
    block_length,
    draw_blocks,
    holm,
    paired_chance,
    pooled_difference,
    pooled_lift,
    pooled_ratio,
    signed_rank,
)


def test_pai_is_that_of_the_example_of_chainey_and_others():
    # Chainey, Tompson and Uhlig 2008, p. 14: 25 % of future crime in 50 % of
    # the area gives 0.5; 20 % of crime in 10 % of the area gives 2; 25 % in
    # 50 km² of 500 gives 2.5.
    area = np.full(10, 50.0)
    half = np.repeat([1.0, 0.0], 5)
    assert scores.pai([5, 0, 0, 0, 0, 15, 0, 0, 0, 0], half, area) == pytest.approx(0.5)
    first = np.eye(10)[0]
    assert scores.pai([20, *[80 / 9] * 9], first, area) == pytest.approx(2.0)
    assert scores.pai([25, *[75 / 9] * 9], first, area) == pytest.approx(2.5)


def test_equal_scores_at_the_cut_share_the_area():
    assert flag([1, 1, 1, 1], [1, 1, 1, 1], share=0.5).tolist() == [0.5] * 4


def test_ties_are_of_density_and_share_in_proportion_to_area():
    # densities 2, 1, 1, 0: after the first, 1 km² is left for 1 + 3 km² of equals
    assert flag([2, 1, 3, 0], [1, 1, 3, 1], km2=2).tolist() == [1.0, 0.25, 0.25, 0.0]


def test_sharing_is_what_random_orders_give_on_average():
    rng = np.random.default_rng(1)
    expected, observed = np.array([3, 1, 1, 1, 1, 0.0]), np.array([4, 3, 0, 1, 2, 5.0])
    shared = scores.hit_rate(observed, flag(expected, np.ones(6), share=0.5))
    drawn = []
    for _ in range(4000):
        order = np.lexsort([rng.random(6), -expected])
        drawn.append(observed[order[:3]].sum() / observed.sum())
    assert shared == pytest.approx(np.mean(drawn), abs=0.01)


def test_densities_that_differ_by_rounding_alone_are_equal():
    third = 0.1 + 0.2
    assert flag([third, 0.3, 0.0], [1, 1, 1], km2=1).tolist() == pytest.approx([0.5, 0.5, 0])


@pytest.mark.parametrize("options", [{}, {"share": 0.1, "km2": 1}])
def test_how_much_to_flag_is_said_once(options):
    with pytest.raises(InputError, match=r"either share=0\.05 or km2=1\.5"):
        flag([1], [1], **options)


@pytest.mark.parametrize("options", [{"share": 0}, {"share": 1.1}, {"km2": 3}])
def test_more_area_than_there_is_cannot_be_flagged(options):
    with pytest.raises(InputError, match=r"of 2\.0 km² cannot be flagged"):
        flag([1, 1], [1, 1], **options)


def test_scores_must_be_numbers():
    with pytest.raises(InputError, match="Scores must be finite"):
        flag([np.nan, 1], [1, 1], share=0.5)


def test_the_oracle_is_the_bound_of_the_knapsack_problem():
    rng = np.random.default_rng(2)
    observed, area = rng.poisson(3, 12).astype(float), rng.uniform(0.2, 4, 12)
    flagged = flag(rng.random(12), area, share=0.3)
    bound = optimize.linprog(-observed, A_ub=[area], b_ub=[0.3 * area.sum()], bounds=(0, 1))
    best = -bound.fun / observed.sum() / 0.3
    assert scores.max_pai(observed, flagged, area) == pytest.approx(best)
    assert scores.pei(observed, flagged, area) == pytest.approx(
        scores.pai(observed, flagged, area) / best
    )


def test_pei_is_that_of_the_hand_worked_grid():
    # ten cells, two flagged: they catch 3 + 2 of 12 events, the best two catch 4 + 3
    observed = [3, 2, 4, 1, 1, 1, 0, 0, 0, 0]
    flagged = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    area = np.ones(10)
    assert scores.hit_rate(observed, flagged) == pytest.approx(5 / 12)
    assert scores.pai(observed, flagged, area) == pytest.approx(25 / 12)
    assert scores.max_pai(observed, flagged, area) == pytest.approx(35 / 12)
    assert scores.pei(observed, flagged, area) == pytest.approx(5 / 7)


def test_ratios_are_those_worked_by_hand():
    assert scores.recapture_ratio([2, 8], [4, 6], [1, 0]) == pytest.approx(0.2 / 0.4)
    assert scores.calibration_ratio([2, 8], [3.0, 4.0], [1, 0.5]) == pytest.approx(5 / 6)
    assert scores.lift_vs_baseline([6, 2, 2], [1, 0, 0], [0, 1, 0]) == pytest.approx(3)


def test_scores_over_nothing_are_missing():
    nothing, flagged = [0, 0], [1, 0]
    assert np.isnan(scores.hit_rate(nothing, flagged))
    assert np.isnan(scores.pei(nothing, flagged, [1, 1]))
    assert np.isnan(scores.calibration_ratio([0, 3], [1, 1], flagged))
    assert np.isnan(scores.lift_vs_baseline([0, 3], [0, 1], flagged))
    assert np.isnan(scores.max_pai([1, 1], [0, 0], [1, 1]))
    assert np.isnan(scores.area_under_hit_rate(nothing, [1, 2], [1, 1], c_max=0.5))


def test_area_under_hit_rate_is_the_mean_over_all_flagged_areas():
    rng = np.random.default_rng(3)
    observed, expected, area = rng.poisson(2, 30), rng.poisson(2, 30) + 0.5, rng.uniform(1, 3, 30)
    cuts = (np.arange(4000) + 0.5) / 4000 * 0.2
    mean = np.mean([scores.hit_rate(observed, flag(expected, area, share=c)) for c in cuts])
    found = scores.area_under_hit_rate(observed, expected, area, c_max=0.2)
    assert found == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("c_max", [0, 1.5])
def test_largest_coverage_must_be_a_share(c_max):
    with pytest.raises(InputError, match="c_max is"):
        scores.area_under_hit_rate([1], [1], [1], c_max=c_max)


def test_deviance_is_that_of_scikit_learn():
    rng = np.random.default_rng(4)
    observed, expected = rng.poisson(1.5, 50), rng.uniform(0.1, 4, 50)
    assert scores.poisson_deviance(observed, expected) == pytest.approx(
        mean_poisson_deviance(observed, expected)
    )


@pytest.mark.parametrize("size", [np.inf, 0.7, 30.0])
def test_log_score_and_brier_are_those_of_scipy_and_scikit_learn(size):
    rng = np.random.default_rng(5)
    observed, mean = rng.poisson(1.5, 40), rng.uniform(0.05, 6, 40)
    law = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))
    assert scores.log_score(observed, mean, size) == pytest.approx(-law.logpmf(observed).mean())
    chance = 1 - law.pmf(0)
    assert scores.brier(observed, mean, size) == pytest.approx(
        brier_score_loss(observed > 0, chance)
    )


@pytest.mark.parametrize("size", [np.inf, 0.7, 30.0])
def test_crps_is_the_sum_of_squared_gaps_of_the_distribution(size):
    observed, mean = np.array([0, 3, 11, 400]), np.array([0.2, 2.5, 25.0, 300.0])
    law = stats.poisson(mean) if np.isinf(size) else stats.nbinom(size, size / (size + mean))
    k = np.arange(20_000)[:, None]
    expected = ((law.cdf(k) - (k >= observed)) ** 2).sum(axis=0).mean()
    assert scores.crps(observed, mean, size) == pytest.approx(expected, rel=1e-6)


def test_crps_of_a_certain_forecast_is_the_absolute_error():
    assert scores.crps([5], [1e-12]) == pytest.approx(5)


def test_pit_is_flat_where_the_distribution_is_right_and_slopes_where_it_is_not():
    rng = np.random.default_rng(6)
    mean = rng.uniform(0.1, 5, 40_000)
    right = scores.pit_histogram(rng.poisson(mean), mean)
    assert right == pytest.approx(np.full(10, 0.1), abs=0.006)
    low = scores.pit_histogram(rng.poisson(2 * mean), mean)
    assert low[-1] > 0.2
    assert low.sum() == pytest.approx(1)


def test_arrays_must_match():
    with pytest.raises(InputError, match=r"shapes \(2,\) and \(1,\) do not match"):
        scores.hit_rate([1, 2], [1])


# -- stability


def test_compactness_of_a_block_is_higher_than_of_scattered_units():
    line = sparse.csr_array(np.eye(6, k=1) + np.eye(6, k=-1))
    assert compactness([1, 1, 1, 0, 0, 0], line) == pytest.approx(4 / 5)
    assert compactness([1, 0, 0, 1, 0, 1], line) == 0
    assert np.isnan(compactness([0] * 6, line))


def test_turnover_and_caught_by_one_are_those_worked_by_hand():
    assert turnover([1, 0.5, 0], [0, 0.5, 1], [1, 2, 1]) == pytest.approx(0.5)
    assert np.isnan(turnover([0], [1], [1]))
    assert caught_by_one([4, 2], [1, 0.5], [0.5, 1]) == 2


# -- uncertainty


def test_blocks_wrap_around_and_stay_together():
    drawn = draw_blocks(27, replicates=500, rng=1)
    assert block_length(27) == 3
    assert drawn.shape == (500, 27)
    steps = np.diff(drawn, axis=1) % 27
    assert (steps.reshape(500, -1)[:, [0, 1, 3, 4]] == 1).all()
    assert np.bincount(drawn.ravel()).min() > 400


def test_pooled_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    samples = draw_blocks(60, replicates=400, rng=1)
    held = 0
    for _ in range(200):
        total = rng.poisson(40, 60)
        caught = rng.binomial(total, 0.3)
        estimate = pooled_ratio(caught, total, samples=samples)
        held += estimate.lower <= 0.3 <= estimate.upper
    assert 0.88 <= held / 200 <= 0.99


def test_a_paired_difference_is_surer_than_two_intervals():
    rng = np.random.default_rng(8)
    total = rng.poisson(40, 60)
    level = rng.uniform(0.1, 0.5, 60)
    one = total * level
    samples = draw_blocks(60, rng=1)
    gap = pooled_difference(one + 1, one, total, samples=samples)
    alone = pooled_ratio(one, total, samples=samples)
    assert gap.upper - gap.lower < (alone.upper - alone.lower) / 5
    assert pooled_lift(2 * one, one, samples=samples).lower == pytest.approx(2)


def test_a_ratio_over_nothing_is_missing():
    assert np.isnan(pooled_ratio([0] * 6, [0] * 6, samples=draw_blocks(6)).lower)
    with pytest.raises(InputError, match="do not match"):
        pooled_ratio([0, 0], [0], samples=draw_blocks(2))


def test_a_bootstrap_over_few_origins_has_no_interval():
    few = pooled_ratio([1, 3], [10, 10], samples=draw_blocks(2))
    assert few.value == pytest.approx(0.2)
    assert np.isnan([few.lower, few.upper]).all()
    assert at_least(few, 0.1, 0.4) == Estimate(few.value, 0.1, 0.4)


def test_chance_of_a_paired_difference_is_that_of_agresti():
    # Agresti 2002, table 10.1: approval 944 and 880 of 1,600, 150 and 86
    # changed their minds: difference 0.04, 95 % interval 0.02 to 0.06
    assert paired_chance(150, 86, 1600) == pytest.approx((0.021, 0.059), abs=5e-4)
    assert np.isnan(paired_chance(0, 0, 0)).all()


def test_signed_ranks_are_those_of_scipy_without_ties():
    rng = np.random.default_rng(9)
    for pairs in (5, 9, 12):
        one, other = rng.random(pairs), rng.random(pairs)
        expected = stats.wilcoxon(one, other, method="exact").pvalue
        assert signed_rank(one, other) == pytest.approx(expected)


def test_signed_ranks_of_few_pairs_with_ties_are_exact():
    # four equal gains: only all signs alike are as one-sided, 2 of 16 ways
    assert signed_rank([1, 1, 1, 1], [0, 0, 0, 0]) == pytest.approx(2 / 16)
    assert signed_rank([1, 1, 1, 0, np.nan], [0, 0, 0, 0, 1]) == pytest.approx(2 / 8)
    assert signed_rank([1, 2], [1, 2]) == 1
    assert np.isnan(signed_rank([np.nan], [1]))


def test_signed_ranks_of_many_pairs_are_near_the_exact_ones():
    rng = np.random.default_rng(10)
    one, other = rng.random(40) + 0.1, rng.random(40)
    exact = stats.wilcoxon(one, other, method="exact").pvalue
    assert signed_rank(one, other) == pytest.approx(exact, abs=0.01)


def test_holm_is_that_of_the_hand_worked_example():
    # Holm 1979: 4, 3, 2 and 1 times the ordered p-values, never decreasing
    assert holm([0.04, 0.005, np.nan, 0.03, 0.01]).tolist() == pytest.approx(
        [0.06, 0.02, np.nan, 0.06, 0.03], nan_ok=True
    )
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
