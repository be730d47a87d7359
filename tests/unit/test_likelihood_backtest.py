"""Backtests: what they score, how they go on, what they say of models beside trailing counts."""

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import (
    DuplicateError,
    EmptyError,
    FileFormatError,
    InputError,
)
from placeshaping.likelihood.backtest import backtest, part_column
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.comparison import compare, summarise
from placeshaping.likelihood.diagnostics import calibration, stability
from placeshaping.likelihood.flagging import flag
from placeshaping.likelihood.history import history_of_counts
from placeshaping.likelihood.plan import Plan
from placeshaping.likelihood.protocol import Fitted, Forecast
from placeshaping.likelihood.surfaces import KernelDensity
from placeshaping.likelihood.units import make_cells, make_units

TRAILING = [TrailingCounts("12 months"), TrailingCounts("all")]


@dataclass(frozen=True)
class Oracle:
    """Knows the rates, and counts how often it was fitted and updated."""

    rates: tuple[float, ...]
    log: str = ""

    name = "oracle"

    def fit(self, history, *, warm=None):
        start = "warm" if warm is not None else "cold"
        return FittedOracle(self, history, f"{start} at {history.steps}")


@dataclass(frozen=True, eq=False)
class FittedOracle(Fitted):
    model: Oracle
    history: object
    told: str

    @property
    def parameters(self):
        return {"fit": self.told}

    def update(self, history):
        return replace(self, history=history)

    def forecast(self, horizon=1):
        expected = np.tile(np.array(self.model.rates)[:, None], horizon)
        periods = self.history.step.starts(self.history.ahead(horizon))
        return Forecast(
            self.history.units, periods, expected, np.full(expected.shape, np.inf), "Knows."
        )


def make_history(counts, *, drop=()):
    study = gpd.GeoDataFrame(geometry=[box(0, 0, 3000, 3000)], crs=27700)
    units = make_units(make_cells(study, size=500))
    months = pd.date_range("2022-01-01", periods=counts.shape[1], freq="MS")
    table = pd.DataFrame(
        {
            "area_code": np.repeat(units.codes, len(months)),
            "period": np.tile(months, len(units)),
            "category": "Burglary",
            "count": counts.ravel(),
        }
    )
    return history_of_counts(
        table[~table["period"].isin(pd.to_datetime(list(drop)))], units, target="Burglary"
    )


RATES = np.random.default_rng(1).gamma(1.0, 2.0, 36)


@pytest.fixture(scope="module")
def history():
    return make_history(np.random.default_rng(2).poisson(RATES[:, None], (36, 30)))


@pytest.fixture(scope="module")
def done(history):
    return backtest(history, TRAILING, origins=12)


def test_each_origin_is_forecast_from_what_was_known_before_it(history, done):
    origin = done.plan.origins[3]
    expected = TrailingCounts("all").fit(history.cut(origin)).forecast().expected[:, 0]
    flagged = flag(expected, history.units.area, share=0.05)
    rows = done.scores[done.scores["period"] == history.periods[origin]]
    row = rows[(rows["model"] == "trailing all") & (rows["share"] == 0.05)].iloc[0]
    assert row["n"] == pytest.approx((history.at(origin) * flagged).sum())
    assert row["N"] == history.at(origin).sum()
    assert row["flagged_km2"] == pytest.approx(0.05 * 9)


def test_the_flags_are_kept(history, done):
    period = history.periods[done.plan.origins[0]]
    rows = done.flags[(done.flags["period"] == period) & (done.flags["model"] == "trailing all")]
    area = history.units.area[rows["unit"].to_numpy()]
    for share in done.plan.shares:
        held = (rows[part_column(share)].to_numpy() * area).sum()
        assert held == pytest.approx(share * 9, rel=1e-5)


def test_a_reporting_delay_hides_the_last_steps(history):
    late = backtest(history, [TrailingCounts("all")], origins=["2024-06-01"], delay=2)
    known = history.cut(late.plan.origins[0] - 2)
    expected = TrailingCounts("all").fit(known).forecast(3).expected[:, 2]
    assert late.scores["expected"].iloc[0] == pytest.approx(expected.sum())


def test_parameters_are_refitted_at_a_rhythm_and_start_warm_within_a_chain(history):
    oracle = Oracle(tuple(RATES))
    told = backtest(history, [oracle], origins=12, refit_every=2).parameters["value"]
    first = history.steps - 12
    starts = ["cold", "warm", "warm", "warm", "cold", "warm"]
    assert told.tolist() == [f"{s} at {first + 2 * i}" for i, s in enumerate(starts)]


def test_an_interrupted_backtest_goes_on_where_it_stopped(history, done, tmp_path):
    folder = tmp_path / "backtest"
    backtest(history, TRAILING, origins=12, folder=folder)
    kept = sorted(folder.glob("*.scores.parquet"))
    assert len(kept) == 12
    for file in kept[5:9]:
        file.unlink()
    before = {file: file.stat().st_mtime_ns for file in kept if file.exists()}
    again = backtest(history, TRAILING, origins=12, folder=folder)
    pd.testing.assert_frame_equal(again.scores, done.scores, check_dtype=False)
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_a_resumed_backtest_has_the_same_warm_starts(history, tmp_path):
    oracle = Oracle(tuple(RATES))
    whole = backtest(history, [oracle], origins=8, refit_every=1, folder=tmp_path / "a")
    for file in sorted((tmp_path / "a").glob("*.scores.parquet"))[2:4]:
        file.unlink()
    again = backtest(history, [oracle], origins=8, refit_every=1, folder=tmp_path / "a")
    assert again.parameters["value"].tolist() == whole.parameters["value"].tolist()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"models": [TrailingCounts("all")]}, "changed: models"),
        ({"delay": 1}, "changed: plan"),
        ({"other": True}, "changed: data"),
    ],
)
def test_a_changed_configuration_is_noticed(history, tmp_path, options, told):
    backtest(history, TRAILING, origins=2, folder=tmp_path)
    arguments = {"models": TRAILING, **options}
    data = history.cut(29) if arguments.pop("other", False) else history
    with pytest.raises(InputError, match=told):
        backtest(data, arguments.pop("models"), origins=2, folder=tmp_path, **arguments)


def test_a_damaged_folder_is_told(history, tmp_path):
    (tmp_path / "backtest.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"backtest\.json is damaged"):
        backtest(history, TRAILING, origins=2, folder=tmp_path)


def test_models_that_lack_the_history_say_so():
    history = make_history(np.full((36, 14), 3))
    told = backtest(history, [SameSeason(), TrailingCounts("all")], origins=4)
    lacking = told.scores[told.scores["reason"] != ""]
    assert set(lacking["model"]) == {"same season last year"}
    assert lacking["reason"].str.contains("lacks the history").all()
    assert lacking["period"].nunique() == 2
    comparison = compare(told)
    assert comparison.table.loc["trailing all", "origins"] == 1


def test_a_model_without_any_forecast_is_told_in_the_comparison():
    history = make_history(np.full((36, 11), 3))
    compared = compare(backtest(history, [SameSeason(), TrailingCounts("all")], origins=9))
    assert compared.table.loc["same season last year", "origins"] == 0
    assert any(c.startswith("same season last year has no forecast") for c in compared.cautions)


def test_a_backtest_without_any_forecast_is_refused():
    history = make_history(np.full((36, 8), 3))
    with pytest.raises(EmptyError, match="No model has a forecast at any origin"):
        backtest(history, [SameSeason()], origins=3)


@pytest.mark.parametrize(
    ("origins", "told"),
    [
        (30, "30 origins are asked for; 29 of 30 steps"),
        (["2030-01-01"], r"1 of 1 origins have no data"),
        (["2022-01-01"], r"nothing known before them"),
        (0, "origins is 0"),
    ],
)
def test_origins_without_data_or_history_are_refused(history, origins, told):
    with pytest.raises(InputError, match=told):
        backtest(history, TRAILING, origins=origins)


def test_missing_steps_are_no_origins():
    history = make_history(np.full((36, 20), 3), drop=["2023-06-01"])
    assert 17 not in backtest(history, [TrailingCounts("all")], origins=5).plan.origins
    with pytest.raises(InputError, match="2023-06-01"):
        backtest(history, [TrailingCounts("all")], origins=["2023-06-01"])


def test_models_need_names_of_their_own(history):
    with pytest.raises(DuplicateError, match="Models need names of their own"):
        backtest(history, [TrailingCounts(), TrailingCounts()])


def test_chains_hold_a_few_refits():
    plan = Plan(tuple(range(10)), 0, 2, (0.05,), 0.1)
    assert plan.chains == [tuple(range(8)), (8, 9)]


# -- comparison


@pytest.fixture(scope="module")
def sure():
    """Rates are turned around after a year: old counts mislead, the oracle is not misled."""
    rng = np.random.default_rng(4)
    new = rng.permutation(np.repeat([0.1, 4.0], 18))
    old = 3 * (4.1 - new)
    rates = np.column_stack([np.tile(old[:, None], 12), np.tile(new[:, None], 26)])
    history = make_history(rng.poisson(rates))
    return backtest(
        history, [TrailingCounts("all"), Oracle(tuple(new))], origins=24, shares=(0.05, 0.25)
    )


def test_a_better_model_is_chosen_and_said_to_beat_trailing_counts(sure):
    compared = compare(sure, share=0.25)
    assert (compared.chosen, compared.default) == ("oracle", "oracle")
    assert compared.sentence.startswith("Oracle beats trailing all for Burglary: on the 8 origins")
    assert compared.sentence.endswith("It should be used.")
    assert compared.table.loc["oracle", "lift_vs_baseline_lower"] > 1
    assert compared.table.loc["oracle", "p_value"] < 0.05


def test_pooled_scores_are_those_of_the_origins_for_reporting(sure):
    compared = compare(sure, share=0.25)
    rows = sure.scores[(sure.scores["share"] == 0.25) & (sure.scores["model"] == "oracle")]
    late = rows[rows["period"] >= compared.periods[0]]
    assert len(late) == 8
    table = compared.table.loc["oracle"]
    assert table["hit_rate"] == pytest.approx(late["n"].sum() / late["N"].sum())
    assert table["pai"] == pytest.approx(table["hit_rate"] / 0.25)
    assert table["pei"] == pytest.approx(late["n"].sum() / late["n_oracle"].sum())
    assert table["poisson_deviance"] == pytest.approx(late["poisson_deviance"].mean())
    assert table["hit_rate_choosing"] == pytest.approx(
        (rows["n"].sum() - late["n"].sum()) / (rows["N"].sum() - late["N"].sum())
    )


def test_noise_does_not_beat_trailing_counts(history):
    flat = backtest(history, [*TRAILING, Oracle((1.0,) * 36)], origins=12)
    compared = compare(flat)
    assert compared.default.startswith("trailing")
    assert "No model beats trailing counts for Burglary" in compared.sentence


def test_the_trailing_counts_that_did_best_are_the_baseline():
    # what was counted in the first year misleads, the more so the longer it is remembered
    rng = np.random.default_rng(4)
    new = rng.permutation(np.repeat([0.2, 5.0], 18))
    rates = np.column_stack([np.tile(4 * (5.2 - new)[:, None], 12), np.tile(new[:, None], 30)])
    done = backtest(
        make_history(rng.poisson(rates)),
        [TrailingCounts("all"), TrailingCounts("12 months"), Oracle(tuple(new[::-1]))],
        origins=24,
        shares=(0.25,),
    )
    compared = compare(done, share=0.25)
    assert compared.baseline == compared.default == "trailing 12 months"
    assert "No model beats" in compared.sentence


def test_few_origins_are_never_sure(sure):
    few = backtest(sure.history, [TrailingCounts("all"), Oracle(tuple(RATES))], origins=6)
    compared = compare(few)
    assert compared.default == "trailing all"
    assert any("Only 2 origins are left" in caution for caution in compared.cautions)


def test_the_summary_holds_every_model_at_every_area(sure):
    table = summarise(sure)
    assert len(table) == 4
    assert len(table.attrs["sentences"]) == 2
    assert {"hit_rate", "pai", "pei", "poisson_deviance", "lift_vs_baseline"} <= set(table.columns)


def test_calibration_holds_all_events(sure):
    table = calibration(sure, "oracle")
    rows = sure.scores[(sure.scores["share"] == 0.05) & (sure.scores["model"] == "oracle")]
    assert table["observed"].sum() == rows["N"].sum()
    assert table["pit"].sum() == pytest.approx(1)
    assert table["ratio"].iloc[-1] == pytest.approx(1, abs=0.2)
    with pytest.raises(InputError, match="There are no forecasts of 'x'"):
        calibration(sure, "x")


def test_stability_tells_what_each_model_alone_catches(sure):
    table = stability(sure, share=0.25)
    assert table.loc["trailing all", "caught_alone"] == 0
    assert table.loc["oracle", "turnover"] == 0
    assert table.loc["oracle", "always"] == 1
    gap = table.loc["oracle", "caught_alone"] - table.loc["oracle", "missed_alone"]
    rows = sure.scores[sure.scores["share"] == 0.25].groupby("model")["n"].sum()
    assert gap == pytest.approx((rows["oracle"] - rows["trailing all"]) / 24, abs=1e-4)


def test_comparisons_need_trailing_counts_shares_and_origins(history, done):
    with pytest.raises(InputError, match="There are no trailing counts"):
        compare(backtest(history, [KernelDensity()], origins=4))
    with pytest.raises(InputError, match=r"the backtest flagged 0\.01, 0\.02, 0\.05, 0\.1"):
        compare(done, share=0.3)
    with pytest.raises(EmptyError, match="2 origins are too few"):
        compare(backtest(history, TRAILING, origins=2))
