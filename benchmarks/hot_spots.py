"""Gi* and local Moran beside esda: the same answer, and the time of permutations."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from esda import G_Local, Moran_Local
from libpysal.graph import Graph

from benchmarks.harness import Result, beside, seconds
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.local_moran import local_moran

NATION = Path("boundaries") / "lsoa_2021_ew.parquet"
ENOUGH = 1_426_880
"""As many as the correction needs to find one of 35,672 areas."""
JOBS = os.cpu_count() or 1


def of_esda(kind: Any, values: np.ndarray, graph: Graph, permutations: int, jobs: int) -> Any:
    """Run esda's own compiled permutations, without keeping what they drew."""
    options = {"permutations": permutations, "keep_simulations": False, "n_jobs": jobs, "seed": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind is G_Local:
            return kind(values, graph, transform="B", star=True, **options)
        return kind(values, graph, transformation="r", **options)


def difference(ours: pd.DataFrame, theirs: Any) -> float:
    """Return the largest difference of two-sided p-values, in Monte Carlo standard errors."""
    draws = ours.attrs["permutations"]
    own, other = ours["p_value"].to_numpy(), np.minimum(1, 2 * theirs.p_sim)
    # esda takes the smaller tail, we the one to which the score points: near 1 they differ
    both = (own < 0.8) & (other < 0.8)
    typical = np.maximum((own + other) / 2, 10 / draws)
    error = np.sqrt(4 * typical * (1 - typical / 2) / draws)
    return float((np.abs(own - other) / error)[both].max())


MEASURE = """
import sys, threading, time
from pathlib import Path
import numpy as np
from scipy import sparse
from placeshaping.hotspots._permutation import neighbour_tails

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

def watch():
    while not done.is_set():
        seen.append(held())
        time.sleep(0.002)

size = 35_672  # in a ring, three neighbours on each side: no geometry is held
steps = np.concatenate([np.roll(np.arange(size), k) for k in (-3, -2, -1, 1, 2, 3)])
places = (np.tile(np.arange(size), 6), steps)
ring = sparse.csr_array((np.ones(len(steps)), places), shape=(size, size))
rng = np.random.default_rng(1)
values = rng.random((size, 1))
neighbour_tails(values, ring, 9, rng)
seen, done = [held()], threading.Event()
watcher = threading.Thread(target=watch)
watcher.start()
neighbour_tails(values, ring, int(sys.argv[1]), rng)
done.set()
watcher.join()
print(max(seen) - seen[0])
"""


def memory(permutations: int) -> int:
    """Return the MB that so many permutations of the nation hold at most (Linux alone)."""
    command = [sys.executable, "-c", MEASURE, str(permutations)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return round(float(told.stdout.split()[-1]))


def permuted(name: str, values: pd.Series, graph: Graph, permutations: int) -> Result:
    score, kind = {"getis_ord": (getis_ord, G_Local), "local_moran": (local_moran, Moran_Local)}[
        name
    ]
    numbers = values.to_numpy(float)

    def ours() -> pd.DataFrame:
        return score(values, graph, permutations=permutations, rng=1)

    def theirs() -> Any:
        return of_esda(kind, numbers, graph, permutations, 1)

    taken = beside(ours, theirs, times=2)
    notes: dict[str, Any] = {}
    if permutations > 999:  # joblib's start alone takes longer than so few
        notes[f"seconds of esda, n_jobs={JOBS}"] = seconds(
            lambda: of_esda(kind, numbers, graph, permutations, JOBS), times=1, warm=0
        )
    apart = difference(ours(), theirs())
    notes["largest difference of p in Monte Carlo errors"] = round(apart, 2)
    return Result(
        f"{name}_permuted_{permutations}",
        f"{len(values):,} areas, {permutations:,} conditional permutations, queen",
        taken[0],
        peer=f"esda {kind.__name__}, n_jobs=1",
        theirs=taken[1],
        same_answer=apart < 5,
        notes=notes,
    )


def run(data: Path) -> list[Result]:
    return [*analytic(data), *national(data)]


def analytic(data: Path) -> list[Result]:
    areas = read_boundaries(data / "boundaries" / "leicester_lsoa_2021_shp")
    graph = contiguity(areas, islands="nearest")
    rng = np.random.default_rng(1)
    values = pd.DataFrame(rng.poisson(20, (len(areas), 60)), index=areas.index)

    def ours() -> pd.DataFrame:
        return getis_ord(values, graph)

    def theirs() -> np.ndarray:
        scores = [
            G_Local(values[c].astype(float), graph, transform="B", star=True, permutations=0).Zs
            for c in values
        ]
        return np.concatenate(scores)

    taken = beside(ours, theirs)
    return [
        Result(
            "getis_ord",
            f"Gi* of {len(areas)} LSOAs, 60 series",
            taken[0],
            peer="esda G_Local",
            theirs=taken[1],
            same_answer=bool(np.allclose(ours()["gi_star"], theirs(), atol=1e-10)),
        )
    ]


def national(data: Path) -> list[Result]:
    areas = read_boundaries(data / NATION)
    graph = contiguity(areas, islands="nearest")
    rng = np.random.default_rng(1)
    # no whole numbers: esda tells equal sums apart by rounding, which would look like a difference
    values = pd.Series(rng.gamma(2, 10, len(areas)), index=areas.index)
    results = [
        permuted(name, values, graph, permutations)
        for permutations in (999, 9_999)
        for name in ("getis_ord", "local_moran")
    ]
    million = seconds(lambda: getis_ord(values, graph, permutations=ENOUGH), times=1)
    results.append(
        Result(
            "getis_ord_permuted_enough",
            f"{len(values):,} areas, {ENOUGH:,} permutations",
            million,
            notes={"memory peak of the draws, MB": memory(ENOUGH)},
        )
    )
    results[2].notes["memory peak of 9,999 draws, MB"] = memory(9_999)
    return results
