"""Backtests of all models: monthly small areas, daily cells."""

from __future__ import annotations

import os
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd

from benchmarks.harness import Result
from placeshaping.joins.points import count_by_area
from placeshaping.likelihood.backtest import backtest
from placeshaping.likelihood.baselines import SameSeason, TrailingCounts
from placeshaping.likelihood.boosted import Boosted
from placeshaping.likelihood.comparison import compare
from placeshaping.likelihood.endemic_epidemic import EndemicEpidemic
from placeshaping.likelihood.ensemble import Ensemble
from placeshaping.likelihood.history import History, history_of_counts, history_of_events
from placeshaping.likelihood.offences import Override, make_target
from placeshaping.likelihood.self_exciting import SelfExciting
from placeshaping.likelihood.surfaces import KernelDensity, ProMap
from placeshaping.likelihood.units import make_cells, make_units
from placeshaping.sources.police import read_police

CATEGORIES = (
    "Burglary",
    "Vehicle crime",
    "Robbery",
    "Theft from the person",
    "Criminal damage and arson",
)
STACKED = (TrailingCounts("12 months"), TrailingCounts("all"), KernelDensity(), Boosted())
SIMPLE = (TrailingCounts("last"), SameSeason(), ProMap())
MONTHLY = (*SIMPLE, EndemicEpidemic(), *STACKED, Ensemble(STACKED))
DAILY = (
    TrailingCounts("28 days"),
    TrailingCounts("12 months"),
    TrailingCounts("all"),
    SelfExciting(),
)


def monthly(data: Path) -> list[History]:
    """Return monthly counts of LSOAs in Leicestershire, a history a category."""
    nation = gpd.read_parquet(data / "boundaries" / "lsoa_2021_ew.parquet")
    lookup = pd.read_csv(data / "lookups" / "lad24_csp24_pfa24.csv")
    districts = lookup.loc[lookup["PFA24NM"] == "Leicestershire", "LAD24CD"]
    areas = nation[nation["LADCD"].isin(districts)].to_crs(27700)
    areas = areas.rename(columns={"LSOA21CD": "area_code"}).set_index("area_code")
    areas["geometry"] = areas.geometry.make_valid()
    events = read_police(data / "police_uk" / "leicestershire.zip")
    counts = count_by_area(events, areas, outside="drop")
    units = make_units(areas)
    return [history_of_counts(counts, units, target=category) for category in CATEGORIES]


def daily(data: Path) -> History:
    """Return aggravated assaults in Chicago by day and cell of 250 m."""
    table = pd.read_csv(data / "daily" / "chicago_aggravated_assaults.csv.gz", parse_dates=["date"])
    districts = gpd.read_file(data / "daily" / "chicago_police_districts.kml").to_crs(32616)
    points = gpd.points_from_xy(table["longitude"], table["latitude"], crs=4326).to_crs(32616)
    name = "Aggravated assault"
    events = pd.DataFrame(
        {"easting": points.x, "northing": points.y, "time": table["date"], "category": name}
    )
    signed = {name: Override(by="The developers", reason="To measure the speed of the method.")}
    target = make_target(name, tags={name: "mixed"}, overrides=signed)
    return history_of_events(events, make_units(make_cells(districts, size=250)), target=target)


def run(data: Path) -> list[Result]:
    processes = min(2, os.cpu_count() or 1)
    histories = monthly(data)
    start = time.perf_counter()
    told = {}
    for history in histories:
        done = backtest(history, MONTHLY, origins=24, refit_every=3, processes=processes)
        told[history.target.name] = compare(done, share=0.05).sentence
    of_months = time.perf_counter() - start
    assaults = daily(data)
    start = time.perf_counter()
    done = backtest(assaults, DAILY, origins=365, refit_every=28, processes=processes)
    of_days = time.perf_counter() - start
    told[assaults.target.name] = compare(done, share=0.05).sentence
    return [
        Result(
            "backtest_monthly",
            f"{len(MONTHLY)} models, 24 origins, {len(histories)} categories, 634 LSOAs",
            of_months,
            limit=600,
            notes={name: told[name] for name in CATEGORIES},
        ),
        Result(
            "backtest_daily",
            f"{len(DAILY)} models, 365 origins, {len(assaults.units):,} cells of 250 m",
            of_days,
            limit=600,
            notes={assaults.target.name: told[assaults.target.name]},
        ),
    ]
