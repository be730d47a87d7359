"""Local empirical Bayes rates beside esda."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from esda.smoothing import Spatial_Empirical_Bayes

from benchmarks.harness import Result, beside
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.statistics.rates import local_empirical_bayes_rate


def run(data: Path) -> list[Result]:
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    graph = contiguity(areas, islands="nearest")
    weights = graph.to_W()
    rng = np.random.default_rng(1)
    people = pd.Series(rng.integers(1000, 2500, len(areas)), areas.index)
    counts = pd.Series(rng.poisson(people * rng.gamma(2, 0.02, len(areas))), areas.index)

    def ours() -> pd.Series[float]:
        return local_empirical_bayes_rate(counts, people, graph, per=1)

    def theirs() -> np.ndarray:
        return Spatial_Empirical_Bayes(counts.to_numpy(), people.to_numpy(), weights).r.ravel()

    times = beside(ours, theirs)
    return [
        Result(
            "local_empirical_bayes_rate",
            f"Rates of {len(areas):,} LSOAs smoothed towards their neighbours",
            times[0],
            peer="esda Spatial_Empirical_Bayes",
            theirs=times[1],
            same_answer=bool(np.allclose(ours(), theirs(), rtol=1e-9)),
        )
    ]
