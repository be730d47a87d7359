"""The self-exciting fit beside dense expectation-maximisation, and on a whole city's record."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.harness import Result, beside
from placeshaping.likelihood.point_process import SelfExcitingFit, fit_self_exciting

START, DAYS, SIDE = pd.Timestamp("2022-01-01"), 1095, 15_000.0
AREA = shapely.box(0, 0, SIDE, SIDE)


def draw(count: int) -> pd.DataFrame:
    """Draw a record of a known process: towns of background, 0.3 set off by each event."""
    rng = np.random.default_rng(4)
    towns = rng.uniform(2000, SIDE - 2000, (40, 2))
    size = int(count * 0.7)
    newest = np.column_stack(
        [
            rng.uniform(0, DAYS, size),
            towns[rng.integers(0, 40, size)] + rng.normal(0, 500, (size, 2)),
        ]
    )
    everything = [newest]
    while len(newest):
        parents = np.repeat(newest, rng.poisson(0.3, len(newest)), axis=0)
        shift = np.column_stack(
            [rng.exponential(10, len(parents)), rng.normal(0, 150, (len(parents), 2))]
        )
        newest = (parents + shift)[parents[:, 0] + shift[:, 0] < DAYS]
        everything.append(newest)
    t, x, y = np.concatenate(everything).T
    inside = (x > 0) & (x < SIDE) & (y > 0) & (y < SIDE)
    time_of = START + pd.to_timedelta(t[inside], unit="D")
    return pd.DataFrame({"time": time_of, "easting": x[inside], "northing": y[inside]})


def dense(events: pd.DataFrame, *, steps: int = 200) -> dict[str, float]:
    """Fit by expectation and maximisation over the whole matrix of pairs, as the paper has it."""
    events = events.sort_values("time")
    t = ((events["time"] - START) / pd.Timedelta(days=1)).to_numpy()
    x, y = events["easting"].to_numpy(), events["northing"].to_numpy()
    lag = t[:, None] - t[None, :]
    squared = (x[:, None] - x[None, :]) ** 2 + (y[:, None] - y[None, :]) ** 2
    bandwidth = np.maximum(np.sqrt(np.partition(squared, 10, axis=0)[10]), 75.0)
    kernel = np.exp(-squared / (2 * bandwidth**2)) / (2 * np.pi * bandwidth**2)
    np.fill_diagonal(kernel, 0)
    weight, branching, decay, spread = np.full(len(t), 0.8), 0.2, 1 / 15, 200.0
    for _ in range(steps):
        background = kernel @ weight / DAYS
        trigger = np.where(
            lag > 0,
            branching
            * decay
            * np.exp(-decay * np.maximum(lag, 0) - squared / (2 * spread**2))
            / (2 * np.pi * spread**2),
            0,
        )
        rate = background + trigger.sum(axis=1)
        weight = background / rate
        chance = trigger / rate[:, None]
        former = np.array([branching, decay, spread])
        caused = chance.sum()
        branching = caused / (1 - np.exp(-decay * (DAYS - t))).sum()
        decay = caused / (chance * lag).sum()
        spread = np.sqrt((chance * squared).sum() / (2 * caused))
        if np.abs(np.log([branching, decay, spread]) - np.log(former)).max() < 1e-3:
            break
    return {"branching": branching, "decay_per_day": decay, "spread_metres": float(spread)}


def city(data: Path) -> tuple[pd.DataFrame, shapely.Geometry]:
    """Read the assaults of a city, in metres."""
    table = pd.read_csv(data / "daily" / "chicago_aggravated_assaults.csv.gz")
    points = gpd.GeoSeries.from_xy(table["longitude"], table["latitude"], crs=4326).to_crs(26916)
    area = gpd.read_file(data / "daily" / "chicago_police_districts.kml").to_crs(26916)
    when = pd.to_datetime(table["date"])
    events = pd.DataFrame({"time": when, "easting": points.x, "northing": points.y})
    return events, area.union_all()


def run(data: Path) -> list[Result]:
    events = draw(5000)

    def ours() -> SelfExcitingFit:
        end = START + pd.Timedelta(days=DAYS)
        return fit_self_exciting(events, AREA, start=START, end=end)

    mine, theirs = beside(ours, lambda: dense(events), times=3)
    found, expected = ours().parameters["estimate"], dense(events)
    apart = {name: abs(found[name] / value - 1) for name, value in expected.items()}
    whole, area = city(data)
    begin = time.perf_counter()
    fit = fit_self_exciting(whole, area, start="2010-01-01", end="2020-01-01")
    taken = time.perf_counter() - begin
    return [
        Result(
            "self_exciting_fit",
            f"self-exciting fit, {len(events):,} events",
            mine,
            peer="dense expectation-maximisation",
            theirs=theirs,
            same_answer=bool(max(apart.values()) < 0.1),
            notes={f"{name} apart": f"{value:.1%}" for name, value in apart.items()},
        ),
        Result(
            "self_exciting_city",
            f"self-exciting fit with standard errors, {len(fit.events):,} events of ten years",
            taken,
            limit=60.0,
            notes={
                "peak memory of the process, GB": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2
                ),
                "branching": round(fit.trigger.branching, 3),
            },
        ),
    ]
