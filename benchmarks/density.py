"""
Kernel density beside KDEpy and scikit-learn; levels of tolerance contours when run by itself.

``python -m benchmarks.density`` prints how often tolerance contours find what
is not there.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from KDEpy import FFTKDE
from sklearn.neighbors import KernelDensity

from benchmarks.harness import Result, beside
from placeshaping.hotspots.density import kernel_density
from placeshaping.hotspots.relative_density import relative_density
from placeshaping.hotspots.surface import Cells, Surface

POINTS = 1_000_000
SIDE = 1_000
CELL = 50.0
BANDWIDTH = 300.0
SAMPLE = 200  # cells that are worked out exactly, and by scikit-learn


def make_events() -> pd.DataFrame:
    """A million points: four towns of different size, and countryside."""
    rng = np.random.default_rng(0)
    towns = (((20, 30), 3.0), ((25, 25), 6.0), ((30, 20), 1.5), ((22, 22), 0.8))
    parts = [rng.normal(c, s, (POINTS // 5, 2)) for c, s in towns]
    parts.append(rng.uniform(2, 48, (POINTS - 4 * (POINTS // 5), 2)))
    xy = np.clip(np.concatenate(parts), 2, 48) * 1_000 + [400_000, 200_000]
    return pd.DataFrame(xy, columns=["easting", "northing"])


def exact_at(xy: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The exact sum at a few places, per square kilometre."""
    found = [np.exp(-((xy - place) ** 2).sum(axis=1) / 2 / BANDWIDTH**2).sum() for place in places]
    return np.array(found) / (2 * np.pi * (BANDWIDTH / 1000) ** 2)


def run(data: Path) -> list[Result]:
    del data
    events = make_events()
    xy = events.to_numpy()
    cells = Cells(400_000.0, 250_000.0, CELL, SIDE, SIDE)
    template = Surface(np.zeros((SIDE, SIDE)), cells, "", "gaussian", BANDWIDTH, "")
    east, north = np.meshgrid(cells.eastings, cells.northings[::-1], indexing="ij")
    grid = np.column_stack([east.ravel(), north.ravel()])

    def ours(edge: str | None = None) -> np.ndarray:
        return kernel_density(
            events, bandwidth=BANDWIDTH, kernel="gaussian", within=template, edge=edge, exact=False
        ).values

    def theirs() -> np.ndarray:
        found = FFTKDE(kernel="gaussian", bw=BANDWIDTH).fit(xy).evaluate(grid)
        return found.reshape(SIDE, SIDE).T[::-1] * POINTS * 1e6

    rng = np.random.default_rng(1)
    rows, columns = rng.integers(100, SIDE - 100, (2, SAMPLE))
    mine, other = ours(), theirs()
    rows[0], columns[0] = np.unravel_index(np.argmax(mine), mine.shape)
    places = np.column_stack([cells.eastings[columns], cells.northings[rows]])
    exact = exact_at(xy, places)
    top = exact.max()
    errors = [float(np.abs(v[rows, columns] - exact).max() / top) for v in (mine, other)]
    fast, peer = beside(ours, theirs)
    corrected, _ = beside(lambda: ours("diggle"), lambda: None, times=3)
    model = KernelDensity(bandwidth=BANDWIDTH, rtol=1e-3).fit(xy)
    start = time.perf_counter()
    scores = np.exp(model.score_samples(places)) * POINTS * 1e6
    slow = (time.perf_counter() - start) * SIDE * SIDE / SAMPLE
    work = f"Gaussian density, {POINTS:,} points on {SIDE:,} x {SIDE:,} cells"
    return [
        Result(
            "kernel_density",
            work,
            fast,
            peer="KDEpy FFTKDE",
            theirs=peer,
            same_answer=max(errors) < 0.05,
            notes={
                "largest error at the sampled cells, share of the highest": {
                    "ours": f"{errors[0]:.1e}", "KDEpy": f"{errors[1]:.1e}",
                },
                "with edge correction": round(corrected, 3),
            },
        ),
        Result(
            "kernel_density_scikit",
            work,
            fast,
            peer=f"scikit-learn KernelDensity (rtol 1e-3), {SAMPLE} cells measured, scaled",
            theirs=slow,
            same_answer=bool(np.abs(scores - exact).max() / top < 2e-3),
        ),
    ]  # fmt: skip


def levels(maps: int = 200, permutations: int = 199) -> None:
    """Print how often tolerance contours and the test of the whole find what is not there."""
    print(f"No difference, {maps} maps of 300 cases, bandwidth 500 m, shown from 5 expected cases:")
    for kind in ("controls", "people"):
        for tolerance in ("permutation", "asymptotic"):
            for alternative in ("two-sided", "greater"):
                rng = np.random.default_rng(11)
                inside, whole = [], []
                for _ in range(maps):
                    towns = rng.uniform(401_000, 409_000, (5, 2))
                    pool = towns[rng.integers(0, 5, 4000)] + rng.normal(0, 900, (4000, 2))
                    table = pd.DataFrame(pool, columns=["easting", "northing"]).assign(people=50)
                    chosen = rng.permutation(4000)
                    cases, others = table.iloc[chosen[:300]], table.iloc[chosen[300:1200]]
                    if kind == "people":
                        others = table
                        cases = table.iloc[rng.integers(0, 4000, 300)]
                    found = relative_density(
                        cases, others, people="people" if kind == "people" else None,
                        bandwidth=500, cell=200, tolerance=tolerance, permutations=permutations,
                        alternative=alternative, rng=int(rng.integers(1 << 30)),
                    )  # fmt: skip
                    shown = np.isfinite(found.p_value)
                    inside.append((found.p_value[shown] < 0.05).mean())
                    whole.append(found.p_global <= 0.05)
                told = f"{np.mean(whole):.3f}" if tolerance == "permutation" else "-"
                print(
                    f"  {kind:9}{tolerance:12}{alternative:10} cells at p < 0.05: "
                    f"{np.mean(inside):.3f}; maps with p_global <= 0.05: {told}"
                )


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    levels()
