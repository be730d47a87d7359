"""
How time grows: per point from 1 to 20 million, and to build from few to all vertices.

CPU time of all threads, the least of several rounds: growth is asked here, not
speed, and whatever else the machine does would look like growth.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.harness import Result
from benchmarks.national import jittered
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.joins.index import AreaIndex, build_index

MILLIONS = (1, 2, 5, 10, 20)
ROUNDS = 7
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
PICTURE = Path(__file__).parent / "growth.png"


def run(data: Path) -> list[Result]:
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    build_index(areas.iloc[:100])  # compiled before anything is measured
    built = _building(areas)
    asked = _asking(build_index(areas), *jittered(data, max(MILLIONS) * 1_000_000))
    _draw(asked, built)
    per_point = {f"{m} million": f"{1e9 * t / (m * 1e6):.0f} ns" for m, t in asked.items()}
    per_vertex = {f"{vertices:,} vertices": f"{1e9 * t / vertices:.0f} ns" for vertices, t in built}
    rates = [t / m for m, t in asked.items()]
    costs = [t / vertices for vertices, t in built]
    return [
        Result(
            "growth_points",
            "CPU time per point, 20 million over 1 million",
            rates[-1] / rates[0],
            unit="x",
            limit=1.25,
            notes=per_point,
        ),
        Result(
            "growth_vertices",
            "CPU time per vertex to build, all LSOAs over a sixteenth",
            costs[-1] / costs[0],
            unit="x",
            limit=1.5,
            notes=per_vertex,
        ),
    ]


def _asking(index: AreaIndex, easting: np.ndarray, northing: np.ndarray) -> dict[int, float]:
    """Return the seconds that each number of points takes."""
    parts = {million: slice(0, million * 1_000_000) for million in MILLIONS}
    return _least(
        {
            million: (lambda part=part: index.locate(easting[part], northing[part]))
            for million, part in parts.items()
        }
    )


def _building(areas: gpd.GeoDataFrame) -> list[tuple[int, float]]:
    """Return vertices and seconds for the areas of the west, up to each share of all."""
    easting = areas.geometry.bounds["minx"]
    parts = [areas[easting <= easting.quantile(share)] for share in SHARES]
    vertices = [int(shapely.get_num_coordinates(part.geometry.to_numpy()).sum()) for part in parts]
    taken = _least(
        {
            size: (lambda part=part: build_index(part))
            for size, part in zip(vertices, parts, strict=True)
        }
    )
    return list(taken.items())


def _least(works: dict[int, Callable[[], object]]) -> dict[int, float]:
    least = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - start)
    return least


def _draw(asked: dict[int, float], built: list[tuple[int, float]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    left.plot(list(asked), [1e3 * t / m for m, t in asked.items()], "o-", color="#12436D")
    left.set(
        xlabel="points, million",
        ylabel="CPU nanoseconds a point",
        title="Finding areas",
    )
    vertices, taken = zip(*built, strict=True)
    right.plot([v / 1e6 for v in vertices], taken, "o-", color="#801650")
    right.set(
        xlabel="vertices, million",
        ylabel="CPU seconds",
        title="Building the index",
    )
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.set(xlim=(0, axis.get_xlim()[1]), ylim=(0, axis.get_ylim()[1] * 1.1))
    figure.savefig(PICTURE, dpi=100)
    plt.close(figure)
