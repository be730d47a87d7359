"""The areal model: its likelihood, what it finds, what it expects."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from shapely import box

from placeshaping._core.errors import EmptyError
from placeshaping.likelihood.endemic_epidemic import EndemicEpidemic, _make_problem
from placeshaping.likelihood.history import History, history_of_counts
from placeshaping.likelihood.units import make_units

SIDE = 12
AREAS = gpd.GeoDataFrame(
    geometry=[
        box(x * 900, y * 900, x * 900 + 900, y * 900 + 900)
        for x in range(SIDE)
        for y in range(SIDE)
    ],
    index=[f"a{i:03}" for i in range(SIDE**2)],
    crs=27700,
)
UNITS = make_units(AREAS)


def history(own: float, steps: int = 48, missing: tuple[int, ...] = ()) -> History:
    """Counts around a level of each place, a share of which is last month's excess."""
    rng = np.random.default_rng(7)
    level = rng.gamma(2, 2, len(AREAS))
    counts = [rng.poisson(level)]
    for _ in range(steps - 1):
        counts.append(rng.poisson((1 - own) * level + own * counts[-1]))
    months = pd.date_range("2020-01-01", periods=steps, freq="MS")
    table = pd.DataFrame(
        {
            "area_code": np.tile(AREAS.index, steps),
            "period": np.repeat(months, len(AREAS)),
            "category": "Burglary",
            "count": np.concatenate(counts),
        }
    )
    kept = ~table["period"].isin(months[list(missing)])
    return history_of_counts(table[kept], UNITS, target="Burglary")


def test_gradient_is_that_of_the_likelihood() -> None:
    problem = _make_problem(history(0.3), season=True)
    at = np.array([-0.5, -2.0, -2.0, -1.0, 0.1, -0.1])
    numeric = approx_fprime(at, lambda logs: problem.loss(logs)[0], 1e-6)
    np.testing.assert_allclose(problem.loss(at)[1], numeric, rtol=1e-4, atol=0.05)


@pytest.mark.parametrize("own", [0.0, 0.3, 0.6])
def test_share_of_the_last_month_comes_back(own: float) -> None:
    found = EndemicEpidemic().fit(history(own)).parameters
    assert found["own_last_month"] == pytest.approx(own, abs=0.06)
    assert found["endemic"] == pytest.approx(1 - own, abs=0.08)


def test_forecast_adds_up_to_what_is_usual_and_stays_with_its_areas() -> None:
    given = history(0.3)
    forecast = EndemicEpidemic().fit(given).forecast(3)
    assert forecast.expected.sum(axis=0) == pytest.approx(given.n / given.steps, rel=0.06)
    usual = given.dense().mean(axis=1)
    assert np.corrcoef(forecast.expected[:, 2], usual)[0, 1] > 0.95


def test_months_without_data_are_left_out_not_taken_for_zero() -> None:
    whole, gappy = history(0.3), history(0.3, missing=(10, 11, 30))
    one, other = (EndemicEpidemic().fit(given).parameters for given in (whole, gappy))
    assert other["endemic"] == pytest.approx(one["endemic"], abs=0.05)


def test_a_short_history_is_refused_with_what_it_needs() -> None:
    with pytest.raises(EmptyError, match="at least 12 months"):
        EndemicEpidemic().fit(history(0.3, steps=8))


def test_warm_start_ends_at_the_same_place() -> None:
    given = history(0.3)
    cold = EndemicEpidemic().fit(given)
    warm = EndemicEpidemic().fit(given, warm=cold)
    np.testing.assert_allclose(warm.logs, cold.logs, atol=0.02)
