"""The report on a backtest: its first sentence, its tables, what it withholds, its files."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import EmptyError
from placeshaping.disclosure.policies import POLICIES
from placeshaping.likelihood.backtest import backtest
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.history import history_of_counts
from placeshaping.likelihood.surfaces import KernelDensity
from placeshaping.likelihood.units import make_units
from placeshaping.reports.backtest import make_report, write_report
from placeshaping.reports.backtest_tables import tabulate_scores
from placeshaping.reports.backtest_words import words_of_scores
from placeshaping.verify.files import verify_file

MODELS = [TrailingCounts("12 months"), TrailingCounts("last"), KernelDensity(), SameSeason()]
TODAY = dt.date(2026, 2, 3)


def history(mean, *, category="Burglary", side=10, months=22, seed=1):
    rng = np.random.default_rng(seed)
    codes = [f"E01{i:06}" for i in range(side * side)]
    place = np.arange(side * side)
    shapes = box(
        place % side * 900, place // side * 900, place % side * 900 + 900, place // side * 900 + 900
    )
    level = rng.gamma(0.5, 2 * mean, side * side)
    periods = pd.date_range("2023-01-01", periods=months, freq="MS")
    counts = pd.DataFrame(
        {
            "area_code": np.tile(codes, months),
            "period": np.repeat(periods, side * side),
            "category": category,
            "count": rng.poisson(np.tile(level, months)),
        }
    )
    areas = gpd.GeoDataFrame(geometry=shapes, index=codes, crs=27700)
    return history_of_counts(counts, make_units(areas), target=category)


@pytest.fixture(scope="module")
def done():
    return backtest(history(2.0), MODELS, origins=12, refit_every=3, shares=[0.02, 0.05, 0.1])


@pytest.fixture(scope="module")
def rare():
    return backtest(history(0.02), MODELS[:2], origins=9, shares=[0.02, 0.05, 0.1])


def report_on(one, policy="open", **more):
    backtests = {"Burglary": one} | more
    return make_report(
        backtests,
        title="A test",
        made_on=TODAY,
        policy=POLICIES[policy],
        already_published="https://data.police.uk",
    )


def test_the_first_sentence_says_by_how_much_and_how_surely(done):
    lead = report_on(done).lead
    assert "trailing counts for Burglary" in lead
    assert "of events in 5 % of the area" in lead
    assert "95 % interval" in lead
    assert lead.endswith(".")


def test_the_first_sentence_speaks_of_every_offence(done):
    lead = report_on(done, Robbery=done).lead
    assert "offences" in lead
    assert "Burglary" in lead
    assert "Robbery" in lead


def test_the_scores_are_those_of_the_comparison(done):
    report = report_on(done)
    own = report.comparisons["Burglary"][0.05].table
    rows = report.scores[report.scores["share"] == 0.05].set_index("model")
    for name in ("hit_rate", "pai", "pei", "poisson_deviance", "lift_vs_baseline"):
        np.testing.assert_allclose(rows[name], own[name])
        np.testing.assert_allclose(rows[f"{name}_lower"], own[f"{name}_lower"])
    assert rows["n"].tolist() == own["n"].round().tolist()
    assert rows["default"].sum() == rows["baseline"].sum() == 1


def test_few_events_are_withheld_with_all_that_comes_from_them(rare):
    report = report_on(rare, "councillor")
    caught = pd.concat(
        one.table.assign(share=share) for share, one in report.comparisons["Burglary"].items()
    )
    few = (caught["n"] < 5).to_numpy()
    assert few.any()
    hidden = report.scores[few]
    assert (hidden["note"] == "withheld").all()
    for name in ("n", "hit_rate", "pai_upper", "pei", "lift_vs_baseline", "difference", "p_value"):
        assert hidden[name].isna().all(), name
    assert not few.all() or "too few events" in report.lead


def test_no_difference_is_shown_where_the_baseline_is_withheld(done):
    scores = tabulate_scores(report_on(done).comparisons, policy=POLICIES["open"])
    least = int(scores["n"].min()) + 1
    strict = type(POLICIES["public"])(
        **{**vars(POLICIES["nhs"]), "threshold": 5 * (least // 5 + 1)}
    )
    hidden = tabulate_scores(report_on(done).comparisons, policy=strict)
    without = hidden[hidden["baseline"] & (hidden["note"] == "withheld")]
    beside = hidden[hidden["share"].isin(without["share"])]
    assert beside["difference"].isna().all()
    assert beside["lift_vs_baseline"].isna().all()


def test_counts_are_rounded_as_the_policy_rounds(done):
    scores = report_on(done, "councillor").scores
    assert (scores["n"].dropna() % 5 == 0).all()
    assert (scores["N"].dropna() % 5 == 0).all()
    assert (report_on(done, "open").scores["N"] % 5 != 0).any()


def test_a_policy_without_counts_is_taken_for_councillors(done):
    assert report_on(done, "police").policy.name == "councillor"


def test_groups_of_the_calibration_hold_enough_events(rare, done):
    groups = report_on(rare, "councillor").calibration
    assert (groups["observed"] >= 5).all()
    assert groups["group"].str.contains(" to ").any()
    whole = report_on(done).calibration
    for model, rows in whole.groupby("model"):
        scores = done.scores[(done.scores["share"] == 0.02) & (done.scores["model"] == model)]
        total = scores[[f"observed_{i}" for i in range(10)]].to_numpy().sum()
        assert rows["observed"].sum() == pytest.approx(total)


def test_the_folder_holds_page_tables_figures_and_manifest(done, tmp_path):
    paths = write_report(report_on(done), tmp_path / "out")
    names = [path.name for path in paths]
    assert names[:4] == ["report.html", "scores.csv", "calibration.csv", "stability.csv"]
    assert {"burglary_hit_rate.png", "burglary_pai.png", "burglary_calibration.png"} < set(names)
    assert all(path.stat().st_size > 100 for path in paths)
    manifest = json.loads(paths[-1].read_text("utf-8"))
    assert manifest["backtests"]["Burglary"]["origins"] == 12
    assert [one["name"] for one in manifest["outputs"]] == names[:-1]
    assert len(pd.read_csv(paths[1])) == len(report_on(done).scores)


def test_the_choice_names_the_model_for_a_patrol_layer(done, tmp_path):
    report = report_on(done)
    path = next(p for p in write_report(report, tmp_path) if p.name == "choice.json")
    choice = json.loads(path.read_text("utf-8"))
    assert choice["model"] == report.defaults["Burglary"]
    assert choice["sentence"] == report.lead
    rows = report.scores[(report.scores["share"] == 0.05) & report.scores["default"]]
    assert choice["offences"]["Burglary"]["hit_rate"] == pytest.approx(
        rows["hit_rate"].item(), 1e-5
    )


def test_the_same_report_gives_the_same_bytes(done, tmp_path):
    first = write_report(report_on(done), tmp_path / "a")
    again = write_report(report_on(done), tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]


@pytest.mark.parametrize("policy", ["open", "councillor", "public"])
def test_the_page_withstands_the_attacker(done, tmp_path, policy):
    page = write_report(report_on(done, policy), tmp_path)[0]
    text = page.read_text("utf-8")
    assert "script-src" not in text.split("</head>")[0]
    assert text.count("data:image/png") == 4
    verdict = verify_file(page, policy=policy)
    assert [breach.what for breach in verdict.breaches] == []


def test_a_report_without_backtests_is_refused():
    with pytest.raises(EmptyError, match="no backtest"):
        make_report({}, title="x", made_on=TODAY, policy=POLICIES["open"])


def test_a_deviance_without_interval_is_told_with_the_reason():
    row = {"category": "Burglary", "model": "counts", "note": "", "origins": 3, "share": 0.05,
           "baseline": True, "chosen": True, "default": True, "hit_rate": 0.4,
           "hit_rate_lower": 0.3, "hit_rate_upper": 0.5, "poisson_deviance": 0.9,
           "poisson_deviance_lower": np.nan, "poisson_deviance_upper": np.nan}  # fmt: skip
    said = words_of_scores(pd.DataFrame([row]), 0.05, POLICIES["public"])
    told = "The deviance has no interval: 3 periods are kept for reporting, and a bootstrap over"
    assert said[-1].startswith(told)
    sure = {**row, "poisson_deviance_lower": 0.8, "poisson_deviance_upper": 1.0}
    assert not any("deviance" in one for one in
                   words_of_scores(pd.DataFrame([sure]), 0.05, POLICIES["public"]))  # fmt: skip
    both = pd.DataFrame([row, {**sure, "model": "another", "default": False, "chosen": False,
                               "baseline": False}])  # fmt: skip
    assert "The deviance of counts has no" in words_of_scores(both, 0.05, POLICIES["public"])[-1]
