"""Synthetic controls: exact weights, the range over specifications, placebos that are fair."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from placeshaping._core.errors import InputError
from placeshaping.shaping._simplex import simplex_weights
from placeshaping.shaping.evaluation import make_panel
from placeshaping.shaping.synthetic_control import MATCHED, SHARES, synthetic_control

CODES = [f"a{n:02}" for n in range(30)]


def panel(values, treated=1, start=12):
    months = pd.date_range("2023-01-01", periods=values.shape[1], freq="MS")
    counts = pd.DataFrame(
        {
            "area_code": np.repeat(CODES[: len(values)], values.shape[1]),
            "period": np.tile(months, len(values)),
            "count": values.ravel(),
        }
    )
    return make_panel(counts, treated=CODES[:treated], start=months[start])


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_a_general_solver(seed):
    rng = np.random.default_rng(seed)
    donors, target = rng.gamma(3, 10, (8, 12)), rng.gamma(3, 10, 8)
    weights = simplex_weights(target, donors)
    general = optimize.minimize(
        lambda w: ((donors @ w - target) ** 2).sum(),
        np.full(12, 1 / 12),
        jac=lambda w: 2 * donors.T @ (donors @ w - target),
        bounds=[(0, 1)] * 12,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-14, "maxiter": 500},
    )
    inside = np.clip(general.x, 0, None) / np.clip(general.x, 0, None).sum()
    own, other = (((donors @ w - target) ** 2).sum() for w in (weights, inside))
    assert own <= other * (1 + 1e-9)
    assert own == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_no_linear_step_within_the_simplex_is_better(seed):
    # the duality gap of the linear programme over the simplex: zero at the optimum alone
    rng = np.random.default_rng(seed)
    donors, target = rng.poisson(5, (10, 40)).astype(float), rng.poisson(5, 10).astype(float)
    weights = simplex_weights(target, donors)
    gradient = 2 * donors.T @ (donors @ weights - target)
    best = optimize.linprog(gradient, A_eq=np.ones((1, 40)), b_eq=[1.0]).fun
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert gradient @ weights - best < 1e-6 * max(abs(best), 1)


def test_a_planted_mixture_and_effect_come_back():
    rng = np.random.default_rng(0)
    values = rng.uniform(20, 80, (25, 24))
    values[0] = 0.5 * values[3] + 0.3 * values[7] + 0.2 * values[9]
    values[0, 12:] -= 10
    result = synthetic_control(panel(values))
    named = result.weights[result.weights > 1e-6].round(6)
    assert named.to_dict() == {"a03": 0.5, "a07": 0.3, "a09": 0.2}
    assert result.range.loc[0, "effect"] == pytest.approx(-10)
    assert result.range.loc[0, "p_value"] == pytest.approx(1 / 25)


def test_the_range_is_over_what_is_matched_how_long_and_each_donor():
    values = np.random.default_rng(1).poisson(30, (25, 24))
    result = synthetic_control(panel(values))
    table = result.range
    plain = table[table["left_out"] == ""]
    assert len(plain) == 2 * len(MATCHED) * len(SHARES)
    heavy = result.weights[result.weights > 0.01].index
    assert len(heavy) <= 10
    assert set(table["left_out"]) - {""} == set(heavy)
    assert table["percent"].nunique() > 10
    assert "specifications" in result.method


def test_p_values_are_fair_where_nothing_was_done():
    rng = np.random.default_rng(2)
    values = rng.poisson(30, (25, 20))
    p = []
    for which in range(0, 25, 4):
        order = np.r_[which, np.delete(np.arange(25), which)]
        p.append(synthetic_control(panel(values[order], start=14)).range.loc[0, "p_value"])
    assert 0.2 < np.mean(p) < 0.8  # 0.5 and 7 of them: more in benchmarks/evaluation.py


def test_several_treated_areas_are_compared_with_sets_of_as_many():
    values = np.random.default_rng(3).poisson(30, (30, 20))
    result = synthetic_control(panel(values, treated=4), placebos=40)
    assert result.placebos.shape == (40, 20)
    assert result.placebos.to_numpy().std() < values[5:].std() * 0.8  # means of four


def test_placebos_lie_together_where_the_treated_areas_do():
    values = np.random.default_rng(3).poisson(30, (30, 20))
    line = pd.DataFrame({"easting": np.arange(30.0), "northing": 0.0}, CODES)
    placed = dataclasses.replace(panel(values, treated=4), centres=line)
    result = synthetic_control(placed)
    assert 10 < len(result.placebos) <= 23  # there are 23 runs of four among the 26 others


def test_areas_beyond_all_others_are_told():
    values = np.random.default_rng(4).poisson(30, (25, 20))
    values[0] *= 5
    assert "more, or fewer, records before than any" in " ".join(
        synthetic_control(panel(values)).cautions
    )


def test_too_few_periods_and_donors_are_told():
    values = np.full((30, 20), 5)
    with pytest.raises(InputError, match=r"There are 3 periods before .* at least 6"):
        synthetic_control(panel(values, start=3))
    with pytest.raises(InputError, match=r"There are 9 comparison areas: .* at least 19"):
        synthetic_control(panel(values[:10]))
