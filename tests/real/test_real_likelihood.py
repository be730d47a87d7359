"""Backtests on real records: they run, the plainest models do as well as they are known to."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping.joins.points import count_by_area
from placeshaping.likelihood.backtest import backtest
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.boosted import Boosted
from placeshaping.likelihood.comparison import compare
from placeshaping.likelihood.ensemble import Ensemble
from placeshaping.likelihood.history import history_of_counts, history_of_events
from placeshaping.likelihood.offences import Override, make_target
from placeshaping.likelihood.surfaces import KernelDensity, ProMap
from placeshaping.likelihood.units import make_cells, make_units
from placeshaping.sources.police import read_police

pytestmark = pytest.mark.real

STACKED = (TrailingCounts("12 months"), TrailingCounts("all"), KernelDensity(), Boosted())
MODELS = [TrailingCounts("last"), SameSeason(), ProMap(), *STACKED, Ensemble(STACKED)]


def force(real_data, name, pfa):
    nation = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    lookup = pd.read_csv(real_data / "lookups" / "lad24_csp24_pfa24.csv")
    districts = lookup.loc[lookup["PFA24NM"] == pfa, "LAD24CD"]
    areas = nation[nation["LADCD"].isin(districts)].to_crs(27700)
    areas = areas.rename(columns={"LSOA21CD": "area_code"}).set_index("area_code")
    areas["geometry"] = areas.geometry.make_valid()
    events = read_police(real_data / "police_uk" / f"{name}.zip")
    return count_by_area(events, areas, outside="drop"), make_units(areas)


@pytest.fixture(scope="module")
def leicestershire(real_data):
    return force(real_data, "leicestershire", "Leicestershire")


@pytest.fixture(scope="module")
def essex(real_data):
    return force(real_data, "essex", "Essex")


@pytest.fixture(scope="module")
def chicago(real_data):
    table = pd.read_csv(
        real_data / "daily" / "chicago_aggravated_assaults.csv.gz", parse_dates=["date"]
    )
    districts = gpd.read_file(real_data / "daily" / "chicago_police_districts.kml")
    points = gpd.points_from_xy(table["longitude"], table["latitude"], crs=4326).to_crs(32616)
    events = pd.DataFrame(
        {
            "easting": points.x,
            "northing": points.y,
            "time": table["date"],
            "category": "Aggravated assault",
        }
    )
    target = make_target(
        "Aggravated assault",
        tags={"Aggravated assault": "mixed"},
        overrides={"Aggravated assault": Override("The developers", "A test of the method.")},
    )
    units = make_units(make_cells(districts.to_crs(32616), size=250))
    return history_of_events(events, units, target=target)


@pytest.fixture(scope="module")
def burglary(leicestershire):
    counts, units = leicestershire
    history = history_of_counts(counts, units, target="Burglary")
    return backtest(history, MODELS, origins=24, refit_every=3)


def test_every_model_has_a_forecast_at_every_origin(burglary):
    assert (burglary.scores["reason"] == "").all()
    assert burglary.scores.groupby("model")["period"].nunique().eq(24).all()


def test_trailing_counts_of_a_year_are_hard_to_beat(burglary):
    table = compare(burglary, share=0.02).table
    assert table.loc["trailing 12 months", "hit_rate"] == pytest.approx(0.393, abs=0.005)
    assert table["lift_vs_baseline"].max() < 1.05
    assert table.loc["trailing last", "hit_rate"] < table.loc["trailing 12 months", "hit_rate"]
    assert table.loc["ProMap", "hit_rate"] < table.loc["trailing 12 months", "hit_rate"]


def test_every_flag_is_far_better_than_chance(burglary):
    at_one_percent = burglary.scores[burglary.scores["share"] == 0.01]
    assert (at_one_percent["pai"] > 10).all()
    assert (at_one_percent["pei"] <= 1).all()


def test_distributions_of_counts_are_about_right(burglary):
    pit = burglary.scores.groupby("model")[[f"pit_{i}" for i in range(10)]].mean()
    assert (pit.loc[["kernel density", "boosted", "ensemble"]] - 0.1).abs().max().max() < 0.02


def test_models_say_which_months_of_essex_they_lack(essex):
    counts, units = essex
    history = history_of_counts(counts, units, target="Burglary")
    assert (~history.known).sum() > 60
    origins = [f"2025-{month:02}-01" for month in range(7, 13)]
    done = backtest(history, [SameSeason(), *STACKED[:3]], origins=origins)
    reasons = done.scores[done.scores["reason"] != ""]
    assert set(reasons["model"]) == {
        "same season last year",
        "trailing 12 months",
        "kernel density",
    }
    assert reasons["reason"].str.contains("lacks the history").all()
    compared = compare(done)
    assert compared.baseline == "trailing all"
    assert any("Only 2 origins are left" in caution for caution in compared.cautions)


def test_chicago_has_its_area_and_almost_all_of_its_events(chicago, real_data):
    districts = gpd.read_file(real_data / "daily" / "chicago_police_districts.kml").to_crs(32616)
    whole = districts.geometry.union_all().area / 1e6
    assert chicago.units.area.sum() == pytest.approx(whole)
    assert chicago.outside.sum() == 8
    assert chicago.n == 148_628


def test_days_in_chicago_are_forecast_better_from_years_than_from_weeks(chicago):
    models = [TrailingCounts("28 days"), TrailingCounts("12 months"), TrailingCounts("all")]
    done = backtest(chicago, models, origins=56, refit_every=28)
    hits = done.scores[done.scores["share"] == 0.05].groupby("model")[["n", "N"]].sum()
    rate = hits["n"] / hits["N"]
    assert rate["trailing 12 months"] == pytest.approx(0.30, abs=0.02)
    assert rate["trailing 28 days"] < rate["trailing 12 months"] - 0.05
    assert np.isfinite(done.scores["log_score"]).all()
