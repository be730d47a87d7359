"""The self-exciting process: pairs, likelihood, recovery, forecasts, simulation, residuals."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from numpy.typing import NDArray

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.likelihood._background import adaptive_kernels, make_plane, month_factors
from placeshaping.likelihood._close_pairs import close_pairs
from placeshaping.likelihood._excitation import Trigger, log_likelihood, make_pairs
from placeshaping.likelihood.history import History, history_of_events
from placeshaping.likelihood.point_process import SelfExcitingFit, fit_self_exciting
from placeshaping.likelihood.residuals import residual_analysis, spatial_residuals
from placeshaping.likelihood.self_exciting import SelfExciting
from placeshaping.likelihood.simulation import simulate_process
from placeshaping.likelihood.steps import Step
from placeshaping.likelihood.units import make_cells, make_units

SIDE = 6000.0
AREA = shapely.box(0, 0, SIDE, SIDE)
TRUTH = Trigger(0.35, 0.12, 120.0)
START, DAYS = pd.Timestamp("2023-01-01"), 900


def draw(seed: int, trigger: Trigger = TRUTH, per_day: float = 1.6) -> pd.DataFrame:
    """Draw events by generations from an even background, without the package's own code."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(per_day * DAYS)
    newest = np.column_stack([rng.uniform(0, DAYS, count), rng.uniform(0, SIDE, (count, 2))])
    everything = [newest]
    while len(newest):
        parents = np.repeat(newest, rng.poisson(trigger.branching, len(newest)), axis=0)
        lag = rng.exponential(1 / trigger.decay, len(parents))
        near = rng.normal(0, trigger.spread, (len(parents), 2))
        born = parents + np.column_stack([lag, near])
        kept = (lag < trigger.most_days) & (born[:, 0] < DAYS)
        newest = born[kept & (born[:, 1:] > 0).all(axis=1) & (born[:, 1:] < SIDE).all(axis=1)]
        everything.append(newest)
    drawn = np.concatenate(everything)
    time = START + pd.to_timedelta(drawn[:, 0], unit="D")
    return pd.DataFrame({"time": time, "easting": drawn[:, 1], "northing": drawn[:, 2]})


def fitted(events: pd.DataFrame) -> SelfExcitingFit:
    return fit_self_exciting(events, AREA, start=START, end=START + pd.Timedelta(days=DAYS))


@pytest.fixture(scope="module")
def fit() -> SelfExcitingFit:
    return fitted(draw(1))


@pytest.fixture(scope="module")
def history() -> History:
    study = gpd.GeoDataFrame(geometry=[AREA], crs=27700)
    units = make_units(make_cells(study, size=250))
    return history_of_events(draw(1).assign(category="Burglary"), units, target="Burglary")


def sorted_events(count: int) -> tuple[NDArray[np.float64], ...]:
    rng = np.random.default_rng(3)
    days = np.sort(np.round(rng.uniform(0, 200, count), 1))
    return days, rng.uniform(0, 3000, count), rng.uniform(0, 3000, count)


def test_close_pairs_are_those_of_the_whole_matrix() -> None:
    days, x, y = sorted_events(400)
    first, earlier, lag, squared = close_pairs(days, x, y, within_days=30, within_metres=400)
    apart = days[:, None] - days
    distance = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    close = (apart > 0) & (apart < 30) & (distance < 400**2)
    later = np.repeat(np.arange(400), np.diff(first))
    assert set(zip(later.tolist(), earlier.tolist(), strict=True)) == set(
        zip(*map(np.ndarray.tolist, np.nonzero(close)), strict=True)
    )
    np.testing.assert_allclose(lag, apart[later, earlier], rtol=1e-5)
    np.testing.assert_allclose(squared, distance[later, earlier], rtol=1e-5)


def test_likelihood_is_that_of_the_dense_formula() -> None:
    days, x, y = sorted_events(300)
    area = shapely.box(-5000, -5000, 8000, 8000)
    trigger = Trigger(0.4, 0.2, 100.0, most_days=60, most_metres=1000)
    pairs = make_pairs(days, x, y, end=200.0, plane=make_plane(area, 200.0), limits=trigger)
    background = np.full(300, 1 / area.area)
    ours = log_likelihood(pairs, trigger, background, 1.2, 200.0)

    lag = days[:, None] - days
    distance = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    acting = (lag > 0) & (lag < 60) & (distance < 1000**2)
    in_time = 0.2 * np.exp(-0.2 * lag) / (1 - np.exp(-0.2 * 60))
    in_space = np.exp(-distance / 2e4) / (2 * np.pi * 1e4 * (1 - np.exp(-(1000**2) / 2e4)))
    rate = 1.2 * background + 0.4 * np.where(acting, in_time * in_space, 0).sum(axis=1)
    passed = (1 - np.exp(-0.2 * np.minimum(200 - days, 60))) / (1 - np.exp(-12))
    assert ours == pytest.approx(np.log(rate).sum() - 1.2 * 200 - 0.4 * passed.sum(), rel=1e-6)


def test_trigger_density_integrates_to_one() -> None:
    trigger = Trigger(1.0, 0.05, 300.0, most_days=40, most_metres=800)
    lag = (np.arange(4000) + 0.5) / 100
    radius = (np.arange(8000) + 0.5) / 10
    in_time = np.exp(-0.05 * lag).sum() / 100
    in_space = (2 * np.pi * radius * np.exp(-(radius**2) / (2 * 300**2))).sum() / 10
    assert trigger.height * in_time * in_space == pytest.approx(1.0, abs=1e-5)
    assert trigger.by(np.array([-1.0, 0.0, 40.0, 99.0])).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_background_keeps_all_its_mass_inside_the_study_area() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, 2000, (2, 500))
    area = shapely.box(0, 0, 2000, 2000)
    kernels = adaptive_kernels(area, x, y, neighbours=10, finest=75)
    mass = sum(
        surface[plane.inside].sum() * plane.size**2
        for plane, surface in kernels.surfaces(np.ones(500))
    )
    assert mass == pytest.approx(1.0, abs=0.02)


def test_an_event_does_not_explain_itself() -> None:
    x = y = np.array([1500.0, 3500.0])
    felt = adaptive_kernels(shapely.box(0, 0, 5000, 5000), x, y, neighbours=1, finest=75).felt
    assert felt.diagonal().tolist() == [0.0, 0.0]
    assert felt[0, 1] > 0


def test_kernels_at_events_are_those_of_the_raster() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.uniform(0, 2000, (2, 300))
    area = shapely.box(-1000, -1000, 3000, 3000)
    kernels = adaptive_kernels(area, x, y, neighbours=10, finest=75)
    read = sum(plane.at(surface, x, y) for plane, surface in kernels.surfaces(np.ones(300)))
    own = 1 / (2 * np.pi * kernels.bandwidths[kernels.band] ** 2) / kernels.mass / 300
    np.testing.assert_allclose(np.ones(300) / 300 @ kernels.felt + own, read, rtol=0.03)


def test_months_factors_have_mean_one_over_the_window() -> None:
    months = pd.date_range("2023-01-01", periods=730).month.to_numpy() - 1
    at = np.random.default_rng(2).integers(0, 730, 2000)
    factors = month_factors(months, at, np.ones(2000))
    assert factors[months].mean() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parameters_of_a_known_process_come_back(seed: int) -> None:
    table = fitted(draw(seed)).parameters
    truth = pd.Series([1.6, TRUTH.branching, TRUTH.decay, TRUTH.spread], index=table.index)
    off = (table["estimate"] - truth).abs() / table["standard_error"]
    assert (off < 3).all(), off
    assert (table["standard_error"] / table["estimate"] < 0.1).all()


def test_what_sets_off_nothing_has_a_branching_near_zero() -> None:
    found = fitted(draw(4, Trigger(0.0, 0.1, 100.0), per_day=2.0))
    assert found.trigger.branching < 0.03
    assert found.background_share.mean() > 0.95


def test_no_event_before_the_first_is_thought_caused(fit: SelfExcitingFit) -> None:
    assert fit.background_share[0] == pytest.approx(1.0)
    assert ((fit.background_share >= 0) & (fit.background_share <= 1 + 1e-12)).all()


def test_a_warm_start_ends_where_a_cold_one_does(fit: SelfExcitingFit) -> None:
    end = START + pd.Timedelta(days=DAYS)
    again = fit_self_exciting(draw(1), AREA, start=START, end=end, began_with=fit.trigger)
    np.testing.assert_allclose(again.parameters["estimate"], fit.parameters["estimate"], rtol=0.02)


def test_the_order_of_rows_changes_nothing(fit: SelfExcitingFit) -> None:
    shuffled = fitted(draw(1).sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(shuffled.parameters, fit.parameters)


def test_repeats_at_one_point_hold_the_spread_at_its_limit() -> None:
    events = draw(1)
    corners = events[["easting", "northing"]].clip(401, 5599)
    events[["easting", "northing"]] = (corners / 400).round() * 400
    found = fitted(events)
    assert found.trigger.spread == pytest.approx(25, rel=0.01)
    assert any("very same point" in caution for caution in found.cautions)


def test_events_elsewhere_are_left_out_and_told(fit: SelfExcitingFit) -> None:
    stray = draw(1).iloc[:7].assign(easting=99_000.0)
    found = fitted(pd.concat([draw(1), stray]))
    assert found.cautions[0].startswith("7 of ")
    pd.testing.assert_frame_equal(found.parameters, fit.parameters)


@pytest.mark.parametrize(
    ("events", "error", "said"),
    [
        (draw(1).head(99), EmptyError, "99 events .* at least 100"),
        (draw(1).assign(time=START), InputError, "monthly data"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    events: pd.DataFrame, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        fitted(events)


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        fit_self_exciting(draw(1), AREA, start=START, end=START)


@pytest.mark.parametrize("method", ["branching", "thinning"])
def test_simulations_are_as_long_as_the_record(fit: SelfExcitingFit, method: str) -> None:
    drawn = [simulate_process(fit, method=method, rng=seed) for seed in range(4)]  # type: ignore[arg-type]
    mean = np.mean([len(events) for events in drawn])
    expected = fit.background_per_day * DAYS / (1 - fit.trigger.branching)
    assert mean == pytest.approx(expected, rel=0.1)
    caused = np.concatenate([events["generation"] > 0 for events in drawn]).mean()
    assert caused == pytest.approx(fit.trigger.branching, abs=0.05)
    inside = shapely.contains_xy(AREA, drawn[0]["easting"], drawn[0]["northing"])
    assert inside.all()
    assert drawn[0]["day"].is_monotonic_increasing


def test_a_process_without_end_is_not_simulated(fit: SelfExcitingFit) -> None:
    endless = replace(fit, trigger=replace(fit.trigger, branching=1.2))
    with pytest.raises(InputError, match="never ends"):
        simulate_process(endless)


def test_gaps_of_the_right_process_are_exponential(fit: SelfExcitingFit) -> None:
    residuals = residual_analysis(fit)
    assert residuals.gaps.mean() == pytest.approx(1.0, abs=0.05)
    assert residuals.p_value > 0.01
    assert residuals.months["observed"].sum() == len(fit.events)
    assert residuals.months["expected"].sum() == pytest.approx(len(fit.events), rel=0.05)


def test_forecast_expects_about_what_comes(history: History) -> None:
    fitted_model = SelfExciting().fit(history.cut(700))
    totals = [
        fitted_model.update(history.cut(day)).forecast(1).expected.sum() for day in range(700, 760)
    ]
    came = history.counts[:, 700:760].sum()
    assert sum(totals) == pytest.approx(came, abs=3 * np.sqrt(came))


def test_forecast_falls_back_to_the_long_run(history: History) -> None:
    fitted_model = SelfExciting().fit(history.cut(800))
    far = fitted_model.forecast(60).expected[:, -1].sum()
    trigger = fitted_model.fit.trigger
    steady = fitted_model.background.sum() / (1 - trigger.branching)
    season = fitted_model.fit.season.mean()
    assert far == pytest.approx(steady * season, rel=0.15)


def test_a_recent_event_raises_the_cells_around_it(history: History) -> None:
    fitted_model = SelfExciting().fit(history)
    cell = len(history.units) // 2 + 12  # away from the border
    x, y = history.units.xy[cell]
    assert history.events is not None
    extra = history.events.tail(1).assign(
        time=history.cutoff - pd.Timedelta(hours=1), easting=x, northing=y, unit=cell
    )
    more = replace(history, events=pd.concat([history.events, extra]))
    rise = (fitted_model.update(more).forecast(1).expected - fitted_model.forecast(1).expected)[
        :, 0
    ]
    assert rise.argmax() == cell
    trigger = fitted_model.fit.trigger
    share = float(np.diff(trigger.by(np.array([1 / 24, 1 + 1 / 24])))[0])
    assert rise.sum() == pytest.approx(trigger.branching * share, rel=0.1)


def test_spatial_residuals_hold_every_event(history: History) -> None:
    fitted_model = SelfExciting().fit(history)
    found = spatial_residuals(fitted_model.fit, fitted_model.grid)
    assert found["observed"].sum() == len(fitted_model.fit.events)
    assert found["expected"].sum() == pytest.approx(found["observed"].sum(), rel=0.06)


def test_a_shift_expects_its_share_of_the_day(history: History) -> None:
    night = history_of_events(
        draw(1).assign(category="Burglary"),
        history.units,
        target="Burglary",
        step=Step("day", shift=("22:00", "06:00")),
    )
    whole = SelfExciting().fit(history).forecast(1).expected.sum()
    shift = SelfExciting().fit(night).forecast(1).expected.sum()
    assert shift == pytest.approx(whole / 3, rel=0.2)


def test_counts_alone_are_refused_with_the_model_that_takes_them(history: History) -> None:
    with pytest.raises(InputError, match="EndemicEpidemic"):
        SelfExciting().fit(replace(history, events=None))
