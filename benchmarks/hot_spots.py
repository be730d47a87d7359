"""Gi* beside esda."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from esda.getisord import G_Local

from benchmarks.harness import Result, beside
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.getis import getis_ord


def run(data: Path) -> list[Result]:
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

    def ours_permuted() -> pd.DataFrame:
        return getis_ord(values[0], graph, permutations=999, rng=1)

    def theirs_permuted() -> G_Local:
        return G_Local(
            values[0].astype(float), graph, transform="B", star=True, permutations=999, seed=1
        )

    same = np.allclose(ours()["gi_star"], theirs(), atol=1e-10)
    analytic, permuted = beside(ours, theirs), beside(ours_permuted, theirs_permuted)
    agree = float(np.abs(ours_permuted()["p_value"].to_numpy() - 2 * theirs_permuted().p_sim).max())
    return [
        Result(
            "getis_ord",
            f"Gi* of {len(areas)} LSOAs, 60 series",
            analytic[0],
            peer="esda G_Local",
            theirs=analytic[1],
            same_answer=bool(same),
        ),
        Result(
            "getis_ord_permuted",
            f"Gi* of {len(areas)} LSOAs, 999 conditional permutations",
            permuted[0],
            peer="esda G_Local",
            theirs=permuted[1],
            notes={"largest difference of two-sided p": round(agree, 4)},
        ),
    ]
