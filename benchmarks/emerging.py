"""
Emerging hot spots of all of England and Wales, and what chance alone makes of them.

``python -m benchmarks.emerging`` prints the simulations that docs/emerging.md
quotes: shares of areas labelled where nothing clusters, and what becomes of
the hot spots planted in the built-in district.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box

from benchmarks.harness import Result, seconds
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.cube_scores import cube_scores
from placeshaping.hotspots.emerging import emerging_hotspots
from placeshaping.hotspots.getis import getis_ord
from placeshaping.joins.points import count_by_area
from placeshaping.synthetic.district import District, make_district

MONTHS = 36


def run(data: Path) -> list[Result]:
    counts, graph = _nation(data)

    def ours() -> pd.DataFrame:
        return emerging_hotspots(counts, graph)

    one = counts.iloc[:, :3]
    alone = cube_scores(one, graph, window="step", steps_before=0)["gi_star"]
    same = np.allclose(alone, getis_ord(one, graph)["gi_star"], atol=1e-10, equal_nan=True)
    return [
        Result(
            "emerging_hotspots",
            f"emerging hot spots, {len(counts):,} LSOAs by {MONTHS} months",
            seconds(ours, times=3),
            same_answer=bool(same),
            limit=10.0,
            notes={
                "same answer": "Gi* of single steps, as getis_ord",
                "elsewhere": "R sfdep took 8 s of CPU time for 168 areas x 10 steps",
            },
        ),
        Result(
            "emerging_memory",
            "peak memory of a process that does that, above its input, of which boundaries",
            _peak(data),
            unit="GB",
            limit=2.0,
        ),
    ]


def _nation(data: Path) -> tuple[pd.DataFrame, object]:
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    rng = np.random.default_rng(1)
    level = rng.gamma(1.0, 3.0, (len(areas), 1))
    months = pd.date_range("2023-01-01", periods=MONTHS, freq="MS")
    drawn = rng.poisson(level, (len(areas), MONTHS))
    counts = pd.DataFrame(drawn, index=areas.index, columns=months).astype(float)
    return counts, contiguity(areas, islands="nearest")


def _peak(data: Path) -> float:
    """Return the peak of a process of its own, boundaries and neighbours included."""
    code = (
        "import resource, sys; from pathlib import Path; from benchmarks import emerging as e;"
        "e.emerging_hotspots(*e._nation(Path(sys.argv[1])));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=True
    )
    return int(told.stdout) / 2**20


def _grid(size: int = 25) -> gpd.GeoDataFrame:
    squares = [box(x, y, x + 1, y + 1) for y in range(size) for x in range(size)]
    return gpd.GeoDataFrame(geometry=squares, index=[f"a{i:03}" for i in range(size * size)])


def chance(datasets: int = 100) -> pd.DataFrame:
    """Return shares of areas, bins and trends called significant where nothing clusters."""
    areas = _grid()
    graph = contiguity(areas)
    rows = []
    for mean in (0.2, 1.0, 5.0, 20.0):
        for window in ("cube", "neighbourhood_step", "step"):
            for before in (0, 1):
                rng = np.random.default_rng(7)
                found = []
                for _ in range(datasets):
                    counts = pd.DataFrame(
                        rng.poisson(mean, (len(areas), MONTHS)), areas.index, range(MONTHS)
                    )
                    result = emerging_hotspots(counts, graph, window=window, steps_before=before)
                    hot = result["hot_steps"].sum() + result["cold_steps"].sum()
                    found.append(
                        (
                            (result["category"] != "no_pattern").mean(),
                            hot / counts.size,
                            hot > 0,
                            (result["trend_p"] < 0.05).mean(),
                        )
                    )
                shares = np.mean(found, axis=0)
                rows.append((mean, window, before, *shares))
    names = ["mean count", "window", "steps before", "areas labelled", "bins significant"]
    return pd.DataFrame(rows, columns=[*names, "data sets with any", "trends below 0.05"])


def planted(seeds: int = 20) -> pd.DataFrame:
    """Return what becomes of the planted hot spots, by category of offence."""
    rows = []
    for seed in range(1, seeds + 1):
        district = make_district(200, seed=seed, months=MONTHS)
        areas = district.lsoa.set_index("LSOA21CD").rename_axis("area_code")
        graph = contiguity(areas, islands="nearest")
        for category in ("Burglary", "Vehicle crime"):
            months, truth = planted_counts(district, areas, category)
            quarters = months.T.groupby(pd.PeriodIndex(months.columns, freq="Q")).sum().T
            for steps, counts in (("months", months), ("quarters", quarters)):
                result = emerging_hotspots(counts, graph)
                label = str(result.loc[truth.idxmax(), "category"])
                hot = result["category"].astype(str).str.endswith("_hot")
                rows.append((category, steps, label, label.endswith("_hot"), int(hot.sum())))
    return pd.DataFrame(rows, columns=["offence", "steps", "category", "found", "hot areas"])


def planted_counts(
    district: District, areas: gpd.GeoDataFrame, category: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Return true counts by area and month, and of the planted events by area."""
    events = district.events[district.events["category"] == category]
    month = events["time"].dt.to_period("M").dt.to_timestamp()
    placed = events[["easting", "northing"]].assign(period=month.to_numpy())
    every = count_by_area(placed, areas, by="period", outside="drop")
    wide = every.pivot(index="area_code", columns="period", values="count").loc[areas.index]
    own = placed[(events["origin"] == "planted").to_numpy()]
    total = count_by_area(own, areas, by=(), outside="drop").set_index("area_code")["count"]
    return wide, total


if __name__ == "__main__":
    print(chance().round(4).to_string(index=False))
    found = planted()
    print(found.groupby(["offence", "steps"])[["found", "hot areas"]].mean().to_string())
    print(found.groupby(["offence", "steps"])["category"].value_counts().to_string())
