"""
Scan statistics: speed, growth, and what chance alone makes of them.

``python -m benchmarks.scan`` prints the simulations that docs/scan.md quotes:
the share of data sets without a cluster in which one is found, and how often
the hot spots planted in the built-in district are.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd

from benchmarks.emerging import MONTHS, planted_counts
from benchmarks.harness import Result, seconds
from placeshaping.hotspots.scan import scan
from placeshaping.synthetic.district import make_district

PICTURE = Path(__file__).parent / "scan_growth.png"
AREAS = (125, 250, 500, 1000, 2000)
PERIODS = (1, 6, 12, 24, 36)
SIMULATIONS = 19
"""For growth: the first reading of the data and 19 simulations, told for one."""


def run(data: Path) -> list[Result]:  # noqa: ARG001 (all data are drawn)
    cases, places, people = _county(32, 19, 1175)
    had = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        taken = seconds(
            lambda: scan(cases, places, population=people, analysis="retrospective"), times=5
        )
        by_areas = {n: _one(n, 36) for n in AREAS}
        by_periods = {t: _one(500, t) for t in PERIODS}
    finally:
        numba.set_num_threads(had)
    _draw(by_areas, by_periods)
    return [
        Result(
            "scan_space_time",
            "retrospective Poisson scan, 32 areas x 19 years, 999 simulations, one core",
            taken,
            limit=2.5,
            notes={"elsewhere": "SaTScan took 2.4 s on one core for data of that size"},
        ),
        Result(
            "scan_growth",
            "CPU seconds of one simulation, 2,000 areas x 36 months, retrospective, 50 %",
            by_areas[2000],
            notes={
                **{f"{n:,} areas x 36": f"{1e3 * t:.1f} ms" for n, t in by_areas.items()},
                **{f"500 areas x {t}": f"{1e3 * s:.1f} ms" for t, s in by_periods.items()},
            },
        ),
    ]


def _county(
    areas: int, steps: int, total: int, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    codes = pd.Index([f"a{i:04}" for i in range(areas)], name="area_code")
    places = pd.DataFrame(
        rng.uniform(1e5, 5e5, (areas, 2)), index=codes, columns=["easting", "northing"]
    )
    people = pd.Series(rng.lognormal(10, 1.0, areas), index=codes)
    mean = np.repeat((people / people.sum() * total / steps).to_numpy()[:, None], steps, axis=1)
    return pd.DataFrame(rng.poisson(mean), codes, range(1973, 1973 + steps)), places, people


def _one(areas: int, steps: int) -> float:
    """Return the CPU seconds of one simulation."""
    cases, places, people = _county(areas, steps, 2 * areas * steps)
    analysis = "retrospective" if steps > 1 else "spatial"
    options: dict[str, Any] = {"population": people, "analysis": analysis}
    scan(cases.iloc[:20], places, simulations=19, **options)
    start = time.process_time()
    scan(cases, places, simulations=SIMULATIONS, **options)
    return (time.process_time() - start) / (SIMULATIONS + 1)


def _draw(by_areas: dict[int, float], by_periods: dict[int, float]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    left.loglog(list(by_areas), list(by_areas.values()), "o-", color="#12436D")
    left.set(xlabel="areas (36 months)", ylabel="CPU seconds a simulation", title="Areas")
    right.loglog(list(by_periods), list(by_periods.values()), "o-", color="#801650")
    right.set(xlabel="months (500 areas)", ylabel="CPU seconds a simulation", title="Months")
    for axis, at in ((left, AREAS), (right, PERIODS)):
        axis.set_xticks(at, [f"{place:,}" for place in at])
        axis.set_xticks([], minor=True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(PICTURE, dpi=100)
    plt.close(figure)


def chance(datasets: int = 1000, simulations: int = 99) -> pd.DataFrame:
    """Return the share of data sets without a cluster in which one is found at 0.05."""
    rows = []
    for model, analysis in (
        ("poisson", "spatial"),
        ("bernoulli", "spatial"),
        ("poisson", "retrospective"),
        ("poisson", "prospective"),
        ("permutation", "retrospective"),
        ("permutation", "prospective"),
    ):
        rng = np.random.default_rng(11)
        hits = []
        for number in range(datasets):
            _, places, people = _county(60, 12, 600, seed=5)
            mean = np.repeat((people / people.sum() * 50).to_numpy()[:, None], 12, axis=1)
            cases = pd.DataFrame(rng.poisson(mean), places.index, range(12))
            options: dict[str, Any] = {"poisson": {"population": people}}.get(model, {})
            if model == "bernoulli":
                options = {"controls": pd.DataFrame(rng.poisson(mean), places.index, range(12))}
            found = scan(
                cases, places, model=model, analysis=analysis, simulations=simulations,
                rng=number, **options,
            ).clusters  # fmt: skip
            hits.append([(found[kind].min() <= 0.05) for kind in ("p_value", "p_gumbel")])
        rank, gumbel = np.mean(hits, axis=0)
        rows.append((model, analysis, datasets, rank, gumbel))
    return pd.DataFrame(rows, columns=["model", "analysis", "data sets", "by rank", "by Gumbel"])


def planted(seeds: int = 20) -> pd.DataFrame:
    """Return how often the planted hot spots of the built-in district are found."""
    rows = []
    for seed in range(1, seeds + 1):
        district = make_district(200, seed=seed, months=MONTHS)
        areas = district.lsoa.set_index("LSOA21CD").rename_axis("area_code")
        people = district.population.set_index("LSOA21CD")["residents"]
        for category, model, analysis in (
            ("Burglary", "poisson", "spatial"),
            ("Vehicle crime", "permutation", "retrospective"),
            ("Vehicle crime", "permutation", "prospective"),
        ):
            counts, truth = planted_counts(district, areas, category)
            result = scan(
                counts, areas, model=model, analysis=analysis, max_share=0.1, simulations=199,
                population=people if model == "poisson" else None,
            )  # fmt: skip
            centre = truth.idxmax()
            rank = result.areas.loc[centre, "rank"]
            late = np.nan
            if analysis != "spatial" and rank == 1:
                begun = counts.columns.get_loc(result.clusters.loc[1, "start"])
                late = begun - round(MONTHS * 0.75)
            rows.append((category, analysis, rank == 1, rank > 0, late))
    columns = ["offence", "analysis", "most likely", "any cluster", "months late"]
    return pd.DataFrame(rows, columns=columns)


if __name__ == "__main__":
    print(chance().round(3).to_string(index=False))
    print(planted().groupby(["offence", "analysis"]).mean().round(2).to_string())
