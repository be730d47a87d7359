"""Catchments over 3.5 million pairs beside PySAL access, and the pairs themselves."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from access.fca import two_stage_fca

from benchmarks.harness import Result, beside, seconds
from placeshaping.shaping.access import floating_catchment
from placeshaping.shaping.travel import travel_costs

AREAS, SERVICES = 35_000, 100


def run(data: Path) -> list[Result]:
    """Time 35,000 areas by 100 services: places are drawn, so `data` is not read."""
    del data
    rng = np.random.default_rng(1)
    homes, clinics = (
        gpd.GeoDataFrame(
            index=pd.Index([f"{letter}{i}" for i in range(count)]),
            geometry=gpd.points_from_xy(*(rng.random((2, count)) * 2000)),
            crs=27700,
        )
        for letter, count in (("a", AREAS), ("s", SERVICES))
    )
    people = pd.Series(rng.integers(500, 3000, AREAS) * 1.0, index=homes.index, name="people")
    supply = pd.Series(rng.integers(1, 9, SERVICES) * 1.0, index=clinics.index, name="supply")
    costs = travel_costs(homes, clinics)
    table = pd.DataFrame(
        {
            "origin": np.repeat(homes.index, np.diff(costs.starts)),
            "dest": clinics.index[costs.service],
            "cost": costs.cost,
        }
    )

    def ours() -> pd.Series:
        return floating_catchment(costs, people, supply=supply, within=15, per=1).areas["access"]

    def theirs() -> pd.Series:
        return two_stage_fca(
            people.to_frame(),
            supply.to_frame(),
            table,
            max_cost=15,
            demand_index=True,
            demand_name="people",
            supply_name="supply",
        )

    taken = beside(ours, theirs, times=3)
    same = bool(np.allclose(ours(), theirs().reindex(homes.index).fillna(0)))
    pairs = f"{len(costs.cost):,} pairs"
    return [
        Result(
            "floating_catchment",
            f"two-step floating catchment, {pairs}",
            taken[0],
            peer="PySAL access two_stage_fca",
            theirs=taken[1],
            same_answer=same,
            limit=1.0,
        ),
        Result(
            "access_pairs",
            f"straight-line pairs from points and the catchment, {pairs}",
            seconds(
                lambda: floating_catchment(
                    travel_costs(homes, clinics), people, supply=supply, within=15
                ),
                times=3,
            ),
            limit=1.0,
        ),
    ]
