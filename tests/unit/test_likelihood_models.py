"""Models: what they expect in cases that can be worked out, and when they refuse."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from shapely import box

from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.boosted import Boosted, _sample
from placeshaping.likelihood.ensemble import Ensemble, stack
from placeshaping.likelihood.history import history_of_counts, history_of_events
from placeshaping.likelihood.protocol import Fitted, Model
from placeshaping.likelihood.shrinkage import dispersion, fit_prior, with_one_more
from placeshaping.likelihood.surfaces import KernelDensity, ProMap
from placeshaping.likelihood.units import make_cells, make_units

SMALL_TREES = Boosted(trees=20, fewest_in_leaf=20)
MODELS = [
    TrailingCounts("last"),
    TrailingCounts("12 months"),
    TrailingCounts("all"),
    SameSeason(),
    KernelDensity(),
    ProMap(),
    SMALL_TREES,
    Ensemble((TrailingCounts("12 months"), SMALL_TREES)),
]


def names(model):
    return model.name


@pytest.fixture(scope="module")
def grid():
    study = gpd.GeoDataFrame(geometry=[box(0, 0, 4000, 4000)], crs=27700)
    return make_units(make_cells(study, size=500))


def monthly(units, counts, *, first="2022-01-01", covariates=None, drop=()):
    months = pd.date_range(first, periods=counts.shape[1], freq="MS")
    table = pd.DataFrame(
        {
            "area_code": np.repeat(units.codes, counts.shape[1]),
            "period": np.tile(months, len(units)),
            "category": "Burglary",
            "count": counts.ravel(),
        }
    )
    table = table[~table["period"].isin(pd.to_datetime(list(drop)))]
    return history_of_counts(table, units, target="Burglary", covariates=covariates)


@pytest.fixture(scope="module")
def history(grid):
    rate = np.random.default_rng(1).gamma(1.0, 1.5, len(grid))
    return monthly(grid, np.random.default_rng(2).poisson(rate[:, None], (len(grid), 30)))


@pytest.fixture(scope="module")
def daily(grid):
    rng = np.random.default_rng(3)
    places = rng.normal([1000, 3000], 500, (1500, 2)).clip(1, 3999)
    times = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.uniform(0, 450, 1500), unit="D")
    events = pd.DataFrame(
        {"easting": places[:, 0], "northing": places[:, 1], "time": times, "category": "Burglary"}
    )
    return history_of_events(events, grid)


@pytest.mark.parametrize("model", MODELS, ids=names)
@pytest.mark.parametrize("kind", ["history", "daily"])
def test_every_model_forecasts_both_kinds_of_history(model, kind, request):
    past = request.getfixturevalue(kind)
    if kind == "daily" and model == TrailingCounts("last"):
        model = TrailingCounts("28 days")  # one day holds too few events
    fitted = model.fit(past)
    table = fitted.predict(3)
    assert isinstance(model, Model)
    assert isinstance(fitted, Fitted)
    assert table.columns.tolist() == ["area_code", "period", "expected", "lower", "upper"]
    assert len(table) == 3 * len(past.units)
    assert (table["expected"] > 0).all()
    assert (table["lower"] <= table["upper"]).all()
    assert table["period"].min() == past.cutoff
    assert table["area_code"].iloc[: len(past.units)].tolist() == past.units.codes.tolist()
    assert table.attrs["method"].endswith(".")
    assert all(isinstance(name, str) for name in fitted.parameters)


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_every_model_is_deterministic_and_keeps_its_parameters_when_updated(model, history):
    fitted = model.fit(history.cut(27))
    again = model.fit(history.cut(27)).update(history).forecast().expected
    updated = fitted.update(history)
    assert updated.parameters == fitted.parameters
    assert np.array_equal(updated.forecast().expected, again)


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_a_warm_start_gives_much_the_same(model, history):
    cold = model.fit(history)
    warm = model.fit(history, warm=model.fit(history.cut(28)))
    assert np.corrcoef(cold.forecast().expected[:, 0], warm.forecast().expected[:, 0])[0, 1] > 0.95


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_expected_counts_add_up_to_about_what_happened(model, history):
    level = history.total(12).sum() / 12
    assert model.fit(history).forecast().expected.sum() == pytest.approx(level, rel=0.3)


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_too_few_events_are_refused_with_the_number_needed(model, grid):
    counts = np.zeros((len(grid), 30), dtype=int)
    counts[0, 25] = 3
    with pytest.raises(EmptyError, match=r"needs at least \d+ events|No member of the ensemble"):
        model.fit(monthly(grid, counts))


def test_intervals_hold_as_many_counts_as_they_say(history):
    table = TrailingCounts("all").fit(history.cut(29)).predict(level=0.8)
    inside = (history.at(29) >= table["lower"]) & (history.at(29) <= table["upper"])
    assert inside.mean() > 0.75


@pytest.mark.parametrize("level", [0, 1])
def test_a_level_must_be_a_probability(history, level):
    with pytest.raises(InputError, match="Give a probability between 0 and 1"):
        TrailingCounts().fit(history).predict(level=level)


def test_a_horizon_in_days_is_refused_on_months(history):
    with pytest.raises(InputError, match="shorter than the data bear"):
        TrailingCounts().fit(history).predict("14 days")


# -- trailing counts


def test_trailing_counts_are_the_posterior_of_a_gamma_prior(history):
    fitted = TrailingCounts("12 months").fit(history)
    forecast = fitted.forecast()
    counts, days = history.total(12), history.days[-12:].sum()
    mean = (counts + fitted.prior.events) / (days + fitted.prior.exposure) * 30
    assert history.days_ahead(1)[0] == 31
    assert forecast.expected[:, 0] == pytest.approx(mean / 30 * 31)
    assert forecast.size[:, 0] == pytest.approx(counts + fitted.prior.events)


def test_trailing_counts_rank_equal_cells_as_their_counts(history):
    expected = TrailingCounts("all").fit(history).forecast().expected[:, 0]
    assert stats.spearmanr(expected, history.total()).statistic == pytest.approx(1)


def test_rates_that_do_not_differ_shrink_to_their_mean():
    counts = np.full(50, 4.0)
    prior = fit_prior(counts, np.full(50, 10.0))
    rate = (counts[0] + 6 + prior.events) / (10 + prior.exposure)
    assert prior.mean == pytest.approx(0.4)
    assert rate == pytest.approx(0.4, abs=0.03)


def test_a_gamma_prior_is_recovered():
    rng = np.random.default_rng(5)
    exposure = np.full(20_000, 30.0)
    prior = fit_prior(rng.poisson(rng.gamma(2.0, 0.05, 20_000) * exposure).astype(float), exposure)
    assert (prior.events, prior.exposure) == pytest.approx((2.0, 20.0), rel=0.05)


def test_missing_months_make_windows_refuse_and_all_use_what_there_is(grid):
    counts = np.full((len(grid), 20), 2)
    gap = monthly(grid, counts, drop=["2023-03-01"])
    with pytest.raises(
        EmptyError, match="trailing 12 months lacks the history: 1 of the 12 months"
    ):
        TrailingCounts("12 months").fit(gap)
    expected = TrailingCounts("all").fit(gap).forecast().expected
    assert expected == pytest.approx(2.0, rel=0.05)
    with pytest.raises(EmptyError, match="kernel density lacks the history: 1 of the last 12"):
        KernelDensity().fit(gap)


def test_a_short_history_lacks_last_year(grid):
    with pytest.raises(EmptyError, match="same season last year lacks the history"):
        SameSeason().fit(monthly(grid, np.full((len(grid), 11), 2)))


def test_same_season_is_last_years_month(grid):
    counts = np.ones((len(grid), 24), dtype=int)
    counts[:5, 12] = 9  # January of last year
    expected = SameSeason().fit(monthly(grid, counts)).forecast(2).expected
    assert (expected[:5, 0] > 4).all()
    assert (expected[:5, 1] < 2).all()


def test_same_season_by_the_day_looks_at_four_weeks(daily):
    looks = SameSeason().looks_at(daily, 0)
    assert len(looks) == 28
    assert looks[14] == daily.steps - 364


# -- surfaces


def test_kernel_density_keeps_its_mass_inside(history):
    fitted = KernelDensity(bandwidth=700.0).fit(history)
    assert np.asarray(fitted.surface.matrix.sum(axis=0)) == pytest.approx(np.ones(64))
    assert fitted.parameters["bandwidth in metres"] == 700.0


def test_kernel_density_of_one_event_falls_like_a_gaussian(grid):
    counts = np.zeros((len(grid), 15), dtype=int)
    middle = int(np.argmin(((grid.xy - [2250, 2250]) ** 2).sum(axis=1)))
    counts[middle] = 100
    expected = KernelDensity(bandwidth=500.0).fit(monthly(grid, counts)).forecast().expected[:, 0]
    one = int(np.argmin(((grid.xy - [2750, 2250]) ** 2).sum(axis=1)))
    two = int(np.argmin(((grid.xy - [3250, 2250]) ** 2).sum(axis=1)))
    assert expected[one] / expected[middle] == pytest.approx(np.exp(-0.5), abs=0.01)
    assert expected[two] / expected[middle] == pytest.approx(np.exp(-2), abs=0.01)


def test_wide_clusters_choose_a_wider_bandwidth_than_spikes(grid):
    rng = np.random.default_rng(6)
    near = np.exp(-((grid.xy - [2000, 2000]) ** 2).sum(axis=1) / (2 * 1000**2))
    smooth = monthly(grid, rng.poisson(near[:, None] * 0.3, (64, 24)))
    spiky = monthly(grid, rng.poisson((rng.random(64) < 0.1)[:, None] * 3.0, (64, 24)))
    wide, narrow = (KernelDensity().fit(one).parameters for one in (smooth, spiky))
    assert wide["bandwidth in metres"] > narrow["bandwidth in metres"]


def test_promap_weighs_distance_and_time_as_published(grid):
    study = grid
    events = pd.DataFrame(
        {
            "easting": [1250.0, 250.0],
            "northing": [1250.0, 250.0],
            "time": pd.to_datetime(["2024-01-20 12:00", "2024-02-29 12:00"]),
            "category": "Burglary",
        }
    )
    history = history_of_events(pd.concat([events] * 8), study, first="2023-12-01")
    surface, events_used = ProMap().fit(history).surface.over(history)
    at = {tuple(place): value for place, value in zip(study.xy.tolist(), surface, strict=True)}
    # 40 days and half ago is 5 whole weeks, today 0; areas are 0.25 km² each
    assert events_used == 16
    near = 8 * 0.25 * (1 / (1 + 0) / (1 + 5) + 1 / (1 + 2) / (1 + 0))
    assert at[(1250.0, 1250.0)] == pytest.approx(near)  # 1,414 m off are 2 whole cells


def test_dispersion_of_poisson_counts_is_infinite_or_large_and_of_others_recovered():
    rng = np.random.default_rng(7)
    mean = rng.uniform(0.5, 3, 3000)
    poisson = sparse.csc_array(rng.poisson(mean[:, None], (3000, 6)))
    wide = sparse.csc_array(rng.poisson(mean[:, None] * rng.gamma(2.0, 0.5, (3000, 6))))
    assert dispersion(poisson, mean) > 40
    assert dispersion(wide, mean) == pytest.approx(2.0, rel=0.1)


def test_with_one_more_without_events_is_even():
    assert with_one_more(np.zeros(4), 0, np.ones(4)).tolist() == [0.25] * 4


# -- boosted


def test_boosting_finds_a_pattern_that_trailing_counts_miss(grid):
    rng = np.random.default_rng(8)
    moving = np.zeros((64, 60))
    for month in range(60):  # a third of the cells is busy, another third each month
        moving[month % 3 :: 3, month] = 3.0
    history = monthly(grid, rng.poisson(moving + 0.1), first="2019-01-01")
    model = Boosted(fewest_in_leaf=20)
    forecast = model.fit(history).forecast().expected[:, 0]
    busy = np.arange(64) % 3 == 60 % 3
    assert np.median(forecast[busy]) > 8 * np.median(forecast[~busy])


def test_boosting_learns_little_from_noise(grid):
    noise = np.random.default_rng(9).poisson(1.0, (64, 40))
    history = monthly(grid, noise)
    fitted = Boosted(fewest_in_leaf=50).fit(history)
    assert fitted.forecast().expected == pytest.approx(1.0, abs=0.35)


def test_replicates_widen_the_intervals(history):
    plain = SMALL_TREES.fit(history).forecast()
    wide = Boosted(trees=20, fewest_in_leaf=20, replicates=5).fit(history).forecast()
    assert np.array_equal(plain.expected, wide.expected)
    assert (wide.size < plain.size).all()
    assert "refits on resampled steps" in wide.method


def test_thinned_rows_count_the_more(daily):
    prior = fit_prior(daily.total(), np.full(64, float(daily.steps)))
    every = _sample(daily, prior, 10**6, np.random.default_rng(1))
    thinned = _sample(daily, prior, 4000, np.random.default_rng(1))
    assert len(thinned.count) < len(every.count) / 2
    assert thinned.count.sum() == every.count.sum()
    assert (thinned.weight * thinned.expected).sum() == pytest.approx(
        every.expected.sum(), rel=0.05
    )


def test_covariates_of_places_are_features_and_tagged_ones_are_refused_in_fit(grid):
    table = pd.DataFrame({"bars_nearby": np.arange(64.0)}, index=grid.codes)
    history = monthly(grid, np.full((64, 30), 2), covariates=table)
    assert SMALL_TREES.fit(history).parameters["features"].endswith("bars_nearby")
    tag_columns(history.covariates, {"bars_nearby": "audit_only"})
    with pytest.raises(ColumnError, match="must not enter a crime-likelihood model"):
        SMALL_TREES.fit(history)


# -- ensemble


def test_the_better_member_gets_the_weight(history):
    good, bad = TrailingCounts("all"), TrailingCounts("last")
    weights = Ensemble((good, bad)).fit(history).weights
    assert weights[good.name] > 0.9
    assert sum(weights.values()) == pytest.approx(1)


def test_members_without_the_history_have_no_weight(grid):
    rng = np.random.default_rng(10)
    history = monthly(grid, rng.poisson(2.0, (64, 13)))
    fitted = Ensemble((TrailingCounts("last"), TrailingCounts("12 months"))).fit(history)
    assert list(fitted.weights) == ["trailing last"]


def test_an_ensemble_needs_origins_and_members(grid):
    short = monthly(grid, np.full((64, 5), 2))
    with pytest.raises(EmptyError, match="needs more than 6 months"):
        Ensemble((TrailingCounts("last"),)).fit(short)
    with pytest.raises(EmptyError, match="No member of the ensemble"):
        Ensemble((SameSeason(),), origins=2).fit(short)


def test_a_mixture_has_the_mean_and_variance_of_its_members(history):
    fitted = Ensemble((TrailingCounts("all"), TrailingCounts("12 months"))).fit(history)
    mixed = fitted.forecast()
    parts = [fitted.fits[name].forecast() for name in fitted.weights]
    weights = np.array(list(fitted.weights.values()))[:, None, None]
    mean = np.stack([one.expected for one in parts])
    variance = mean + mean**2 / np.stack([one.size for one in parts])
    whole = (weights * (variance + mean**2)).sum(axis=0) - (weights * mean).sum(axis=0) ** 2
    assert mixed.expected == pytest.approx((weights * mean).sum(axis=0))
    assert mixed.expected + mixed.expected**2 / mixed.size == pytest.approx(whole)


def test_stacking_is_the_maximum_on_the_simplex():
    rng = np.random.default_rng(11)
    table = [np.log(rng.uniform(0.1, 1, 300)) for _ in range(2)]
    share = np.linspace(0, 1, 2001)[:, None]
    likelihood = np.log(share * np.exp(table[0]) + (1 - share) * np.exp(table[1])).sum(axis=1)
    assert stack(table, steps=5000)[0] == pytest.approx(share[likelihood.argmax(), 0], abs=2e-3)
