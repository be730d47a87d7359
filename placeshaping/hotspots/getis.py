"""
Gi and Gi* of Getis and Ord: where high or low values stand together.

The score compares the sum over an area and its neighbours with what a random
arrangement of the same values would give (Ord and Getis 1995). p-values are
two-sided; the false discovery rate is controlled within each map. A count is a
count: of an area with many people, much is expected. Show the count beside
the score, or look at smoothed rates.

Weights are binary. Row-standardised weights divide an area's sum, its
expectation and its spread by one number, so that score and p-value are the
same (as spdep's ``localG`` has it). esda's ``transform="R"`` gives other scores: its
variance has the sum of the weights where that of their squares belongs.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import InputError
from placeshaping.hotspots._lattice import (
    FEW_AREAS,
    LEVEL,
    Lattice,
    check_correction,
    constant,
    lay_out,
    p_and_q,
    tell_local,
)
from placeshaping.hotspots._permutation import (
    check_permutations,
    enough_permutations,
    neighbour_tails,
    two_sided,
)

__all__ = ["CLUSTERS", "FEW_AREAS", "enough_permutations", "getis_ord"]

CLUSTERS = ("cold_99", "cold_95", "none", "hot_95", "hot_99")
"""Classes of Gi*, coldest first: the number is the confidence after correction, in per cent."""


def getis_ord(
    values: pd.Series[float] | pd.DataFrame,
    neighbours: Graph,
    *,
    star: bool = True,
    permutations: int = 0,
    hold: Literal["own", "nothing"] = "own",
    correction: Literal["fdr"] | None = "fdr",
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Work out Gi* (or Gi) of each area, with its p- and q-value and its class.

    Weights are binary; with `star` the area itself counts among its
    neighbours. Areas with a missing value are left out of the calculation, and
    they and islands get missing results. Where every value is the same there
    is nothing to compare: scores are missing, the class is ``"none"``.

    Parameters
    ----------
    values
        Counts or rates of the areas, indexed by area code; in a DataFrame one
        column for each series (period, category).
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours.
    star
        Whether the area itself belongs to its neighbourhood (Gi*) or not (Gi).
    permutations
        Number of random draws for a permutation p-value; 0 for the analytic
        one. The p-value is twice the tail to which the score points, so it
        cannot fall below 2 / (permutations + 1); where the correction needs
        less, that is told.
    hold
        What a permutation leaves in place. ``"own"``: the area's own value, so
        that only its neighbours are drawn, as in esda: a busy area among quiet
        ones is then not hot. ``"nothing"``: the whole neighbourhood is drawn,
        which is the arrangement at random that the analytic p-value
        approximates (Ord and Getis 1995), without its fault where counts are
        small or skewed. Gi* only.
    correction
        ``"fdr"``: Benjamini and Hochberg within each series; None: q-values
        are the p-values.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    scores
        Index of `values`; columns ``gi_star`` (z-score; for Gi too),
        ``p_value``, ``q_value``, ``cluster`` (one of `CLUSTERS`: hot or cold
        where q is below 0.05 or 0.01). Of a DataFrame: the same one series
        after the other, with a first column ``series``.
        ``attrs["cautions"]`` lists what a reader must know, and counts every
        missing result; ``attrs["method"]`` says what was done.

    Raises
    ------
    EmptyError
        If there are fewer than three areas.
    InputError
        If areas of `values` are not in `neighbours`, values are infinite, or
        an option is none of its choices.
    DuplicateError
        If an area stands twice.
    ColumnError
        If values are not numbers.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> counts = pd.Series(1, index=areas.index)
    >>> counts.iloc[[0, 1, 6, 7]] = 20
    >>> getis_ord(counts, contiguity(areas)).head(2).round(4)
         gi_star  p_value  q_value cluster
    a00   5.9161      0.0      0.0  hot_99
    a01   4.6771      0.0      0.0  hot_99
    """
    check_permutations(permutations)
    check_correction(correction)
    _check_hold(hold, star=star)
    lattice = lay_out(values, neighbours)
    scores = np.full(lattice.numbers.shape, np.nan)
    drawn = scores.copy()
    generator = np.random.default_rng(rng)
    for rows, columns in lattice.patterns():
        block = np.ix_(rows, columns)
        y, near = lattice.numbers[block], lattice.adjacency[rows][:, rows]
        scores[block] = _z_scores(y, near, star)
        if permutations:
            above, below = neighbour_tails(y, near, permutations, generator, hold_own=hold == "own")
            drawn[block] = two_sided(above, below, scores[block], permutations)
    p_values, q_values = p_and_q(scores, drawn, permutations=permutations, correction=correction)
    cells = {
        "gi_star": scores,
        "p_value": p_values,
        "q_value": q_values,
        "cluster": _clusters(lattice, scores, q_values),
    }
    result = lattice.long(cells)
    result.attrs = {
        "method": _method(star, permutations, hold, correction),
        "cautions": tell_local(lattice, scores, permutations=permutations, correction=correction),
        "star": star,
        "permutations": permutations,
        "hold": hold,
        "correction": correction,
    }
    return result


def _check_hold(hold: str, *, star: bool) -> None:
    check_choice(hold, ["own", "nothing"], name="hold")
    if hold == "nothing" and not star:
        msg = (
            "Gi leaves the area itself out, so its own value is held. Use star=True, or hold='own'."
        )
        raise InputError(msg)


def _method(star: bool, permutations: int, hold: str, correction: str | None) -> str:
    kind = "conditional permutations" if hold == "own" else "permutations of the whole map"
    p_value = (
        f"p-values from {permutations:,} {kind}"
        if permutations
        else "p-values from the normal distribution"
    )
    return (
        f"Gi{'*' if star else ''} (Ord and Getis 1995) with binary weights"
        f"{', the area itself among its neighbours' if star else ''}; two-sided {p_value}, "
        + (
            "corrected by Benjamini and Hochberg (1995) within each map."
            if correction
            else "not corrected for the number of areas."
        )
    )


def _z_scores(
    y: NDArray[np.float64], adjacency: sparse.csr_array, star: bool
) -> NDArray[np.float64]:
    """
    Return the z-score of each area and series; missing for islands and where nothing varies.

    Deviations from the mean of all areas stand for the values, which changes
    nothing but keeps the variance exact where values are large.
    """
    centred = y - y.mean(axis=0)
    members = adjacency.sum(axis=1)[:, None]
    usable = members > 0
    total = (centred**2).sum(axis=0)
    if star:
        size, held = len(y), np.zeros_like(y)
        own, members = adjacency @ centred + centred, members + 1
    else:
        size, held = len(y) - 1, centred
        own = adjacency @ centred
    mean = (centred.sum(axis=0) - held) / size
    variance = (total - held**2) / size - mean**2
    variance[(variance <= 1e-12 * total / size) | constant(y)] = 0
    spread = np.sqrt(variance * members * (size - members) / (size - 1))
    z = np.full(y.shape, np.nan)
    np.divide(own - members * mean, spread, out=z, where=usable & (spread > 0))
    return z


def _clusters(
    lattice: Lattice, scores: NDArray[np.float64], q_values: NDArray[np.float64]
) -> pd.Categorical[str]:
    """Class each area; of a constant series ``"none"``, missing where there is no score."""
    steps = (q_values < LEVEL).astype(int) + (q_values < 0.01)
    cluster = 2 + np.where(scores > 0, steps, -steps)
    flat = lattice.known & lattice.constant
    cluster = np.where(np.isfinite(scores) | flat, cluster, -1)
    return pd.Categorical.from_codes(cluster.ravel(order="F"), pd.Index(CLUSTERS), ordered=True)
