"""The results of a scan: a table of clusters, and a label for each area."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.hotspots._scan_kernels import log_ratio
from placeshaping.hotspots._scan_search import Found, Search
from placeshaping.hotspots.scan_windows import distances_from

Floats = NDArray[np.float64]

CLUSTERS = ("most_likely_high", "secondary_high", "secondary_low", "most_likely_low", "none")
"""Labels of areas, in the order of a legend."""


class Cluster(NamedTuple):
    centre: int
    radius: float
    members: NDArray[np.intp]
    begin: int
    end: int


def without_overlap(search: Search, found: Found, index: pd.Index, most: int) -> list[Cluster]:
    """
    List windows from the most likely down, none of which shares an area with one before.

    Of equal ones the window around the first area code counts, whatever the order of areas.
    """
    place = np.argsort(np.argsort(index.astype(str)))
    taken = np.zeros(len(search.xy), dtype=bool)
    chosen: list[Cluster] = []
    for centre in np.lexsort((place, -found.ratio.round(9))):
        if len(chosen) == most or found.ratio[centre] <= 0:
            break
        if taken[centre]:
            continue
        distance = distances_from(search.xy, int(centre))
        members = np.argsort(distance, kind="stable")[: found.depth[centre]]
        if taken[members].any():
            continue
        taken[members] = True
        span = int(found.begin[centre]), int(found.end[centre])
        chosen.append(Cluster(int(centre), float(distance[members[-1]]), members, *span))
    return chosen


def cluster_table(
    search: Search,
    table: pd.DataFrame,
    chosen: list[Cluster],
    maxima: Floats,
    analysis: str,
) -> pd.DataFrame:
    rows = [_cluster_row(search, table, one, analysis) for one in chosen]
    columns = ["centre", "radius", "areas", "start", "end", "steps", "observed", "expected"]
    columns += ["relative_risk", "log_likelihood_ratio"]
    index = pd.RangeIndex(1, len(rows) + 1, name="rank")
    clusters = pd.DataFrame(rows, columns=columns, index=index)
    ratio = clusters["log_likelihood_ratio"].to_numpy(dtype=float)
    reached = (maxima[None] >= ratio[:, None] * (1 - 1e-9)).sum(axis=1)
    clusters["p_value"] = (reached + 1) / (len(maxima) + 1)
    clusters["p_gumbel"] = gumbel_p(ratio, maxima)
    lasting = analysis == "prospective"
    clusters["recurrence"] = 1 / clusters["p_value"] if lasting else np.nan
    return clusters


def _cluster_row(
    search: Search, table: pd.DataFrame, one: Cluster, analysis: str
) -> dict[str, Any]:
    model = search.model
    span = np.ix_(one.members, np.arange(one.begin, one.end))
    observed, expected = float(model.cases[span].sum()), float(model.expected[span].sum())
    outside = (model.total - observed) / (model.total - expected)
    times = analysis != "spatial"
    return {
        "centre": table.index[one.centre],
        "radius": one.radius,
        "areas": len(one.members),
        "start": table.columns[one.begin] if times else None,
        "end": table.columns[one.end - 1] if times else None,
        "steps": one.end - one.begin,
        "observed": round(observed),
        "expected": expected,
        "relative_risk": observed / expected / outside if outside else math.inf,
        "log_likelihood_ratio": log_ratio(observed, expected, model.total, model.people),
    }


def gumbel_p(ratio: NDArray[np.float64], maxima: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return p-values from a Gumbel distribution fitted to the simulations by its moments.

    Abrams, Kulldorff and Kleinman (2010): it goes below what the rank among a
    limited number of simulations can tell.

    Parameters
    ----------
    ratio
        Log likelihood ratios of clusters.
    maxima
        The highest one of each simulation.

    Returns
    -------
    p_value
        One for each of `ratio`.

    Examples
    --------
    >>> gumbel_p(np.array([5.0, 20.0]), np.array([4.0, 5.0, 6.0])).round(9).tolist()
    [0.429623998, 2e-09]
    """
    scale = float(np.std(maxima, ddof=1)) * math.sqrt(6) / math.pi
    if scale == 0:
        return np.where(ratio > maxima.max(), 0.0, 1.0)
    mode = float(np.mean(maxima)) - np.euler_gamma * scale
    return np.asarray(-np.expm1(-np.exp(-(ratio - mode) / scale)))


def area_table(
    search: Search,
    table: pd.DataFrame,
    chosen: list[Cluster],
    clusters: pd.DataFrame,
    significance: float,
) -> pd.DataFrame:
    code = np.full(len(table), CLUSTERS.index("none"))
    columns = {name: np.full(len(table), np.nan) for name in ("rank", "relative_risk", "p_value")}
    figures = clusters[["observed", "expected", "relative_risk", "p_value"]].to_numpy(dtype=float)
    for rank, (one, figure) in enumerate(zip(chosen, figures, strict=True), 1):
        observed, expected, risk, p_value = figure
        if p_value > significance:
            continue
        order = "most_likely" if rank == 1 else "secondary"
        side = "high" if observed > expected else "low"
        code[one.members] = CLUSTERS.index(f"{order}_{side}")
        columns["rank"][one.members] = rank
        columns["relative_risk"][one.members] = risk
        columns["p_value"][one.members] = p_value
    labels = {
        "cluster": pd.Categorical.from_codes(code, pd.Index(CLUSTERS)),
        "rank": columns["rank"],
        "observed": search.model.cases.sum(axis=1),
        "expected": search.model.expected.sum(axis=1),
        "relative_risk": columns["relative_risk"],
        "p_value": columns["p_value"],
    }
    return pd.DataFrame(labels, index=table.index)
