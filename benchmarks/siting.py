"""The p-median of 1,000 areas by 200 candidates: seconds, and the gap that is proved."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pulp
from spopt.locate import PMedian

from benchmarks.harness import Result, seconds
from placeshaping.shaping.siting import p_median
from placeshaping.shaping.travel import TravelCosts, travel_costs

PATIENCE = 600
"""Seconds that the peer is given."""


def draw(areas: int, candidates: int) -> tuple[pd.Series, TravelCosts]:
    rng = np.random.default_rng(0)
    homes = gpd.GeoDataFrame(
        index=pd.Index([f"a{i}" for i in range(areas)]),
        geometry=gpd.points_from_xy(*(rng.random((2, areas)) * 30_000)),
        crs=27700,
    )
    places = homes.iloc[rng.choice(areas, candidates, replace=False)]
    people = pd.Series(rng.integers(500, 3000, areas) * 1.0, index=homes.index)
    return people, travel_costs(homes, places)


def spopt(people: pd.Series, costs: TravelCosts, sites: int) -> tuple[float, float]:
    """Return seconds and mean cost of spopt, with PuLP's own CBC."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PMedian.from_cost_matrix(costs.matrix(), people.to_numpy(), p_facilities=sites)
        model.problem.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=PATIENCE))
    return time.perf_counter() - start, model.problem.objective.value() / people.sum()


def run(data: Path) -> list[Result]:
    """Time drawn places, so `data` is not read."""
    del data
    people, costs = draw(1_000, 200)
    plan = p_median(people, costs, sites=10)
    taken = seconds(lambda: p_median(people, costs, sites=10), times=3)
    theirs, value = spopt(people, costs, 10)
    return [
        Result(
            "p_median",
            "1,000 areas, 200 candidates, 10 sites, with a proved gap",
            taken,
            peer="spopt PMedian, CBC",
            theirs=theirs,
            same_answer=bool(np.isclose(plan.objective, value, rtol=plan.gap + 1e-6)),
            limit=5.0,
            notes={"gap": f"{plan.gap:.3%}", "mean minutes": plan.objective, "theirs": value},
        )
    ]
