"""
Gi* within a space-time cube.

A bin is an area in a step. One that the records do not hold is unknown: it has
no score, and is nobody's neighbour.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse, stats

from placeshaping._core.checks import check_choice, check_whole
from placeshaping.hotspots._lattice import adjacency
from placeshaping.statistics.testing import false_discovery_rate

Window = Literal["cube", "neighbourhood_step", "step"]
"""
What a neighbourhood is compared with: every bin of the cube, those of the
steps that its neighbourhood spans, or those of its own step.
"""


def cube_scores(
    cube: pd.DataFrame,
    neighbours: Graph,
    *,
    window: Window = "cube",
    steps_before: int = 1,
    correction: Literal["fdr"] | None = "fdr",
) -> pd.DataFrame:
    """
    Work out Gi* of every bin, that is of every area in every step.

    A bin's neighbourhood is its area and the neighbours of its area, in its
    own step and the `steps_before` steps before it, as far as they are known.
    Weights are binary. An area without neighbours has no score.

    Parameters
    ----------
    cube
        From `make_cube`; missing where unknown.
    neighbours
        Graph of the same areas, in any order.
    window
        What a neighbourhood is compared with, see `Window`.
    steps_before
        How many earlier steps belong to a neighbourhood; with 0 and
        ``window="step"`` each step is what `getis_ord` makes of it alone.
    correction
        ``"fdr"``: Benjamini and Hochberg among the bins that are compared
        with one another: all of the cube, or those of each step; None:
        q-values are the p-values.

    Returns
    -------
    scores
        One step after the other, in the order of the cube's areas: columns
        ``period``, ``gi_star``, ``p_value`` (two-sided), ``q_value``; missing
        where the bin is unknown or nothing varies.

    Raises
    ------
    InputError
        If areas of `cube` are not in `neighbours`, or an option is unknown.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.areas.neighbours import contiguity
    >>> areas = gpd.GeoDataFrame(geometry=[box(x, 0, x + 1, 1) for x in range(4)], index=[*"abcd"])
    >>> cube = pd.DataFrame([[0.0, 0.0], [0.0, 0.0], [3.0, 1.0], [9.0, 2.0]], index=areas.index)
    >>> cube_scores(cube, contiguity(areas), steps_before=0)["gi_star"].round(3).tolist()
    [-0.991, -0.62, 1.506, 2.179, -0.991, -1.093, -0.62, -0.198]
    """
    z, p, q = bin_scores(cube, neighbours, window, steps_before, correction)
    areas, steps = cube.shape
    columns = {
        "period": cube.columns.take(np.repeat(np.arange(steps), areas)),
        "gi_star": z.ravel(order="F"),
        "p_value": p.ravel(order="F"),
        "q_value": q.ravel(order="F"),
    }
    return pd.DataFrame(columns, index=cube.index.take(np.tile(np.arange(areas), steps)))


def bin_scores(
    cube: pd.DataFrame,
    neighbours: Graph,
    window: Window,
    steps_before: int,
    correction: Literal["fdr"] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return z-, p- and q-values, areas by steps."""
    check_choice(window, get_args(Window), name="window")
    check_choice(correction, ["fdr", None], name="correction")
    steps_before = check_whole(steps_before, name="steps_before", least=0)
    values = cube.to_numpy(dtype=float)
    near = adjacency(neighbours, cube.index)
    z = _z_scores(values, near, window, min(steps_before, values.shape[1] - 1))
    p = 2 * stats.norm.sf(np.abs(z))
    if correction is None:
        return z, p, p
    if window == "cube":
        return z, p, np.asarray(false_discovery_rate(p.ravel())).reshape(p.shape)
    return z, p, np.asarray(false_discovery_rate(p))


def _z_scores(
    values: NDArray[np.float64], near: sparse.csr_array, window: Window, before: int
) -> NDArray[np.float64]:
    """Return the z-score of each bin (Ord and Getis 1995, binary weights)."""
    known = np.isfinite(values)
    centred = np.where(known, values - values[known].mean(), 0.0)
    present = known.astype(float)
    others = _summed(near @ present, before)
    members = others + _summed(present, before)
    own = _summed(near @ centred + centred, before)
    size, mean, variance = _compared_with(centred, values, known, window, before)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(variance * members * (size - members) / (size - 1))
    z = np.full(values.shape, np.nan)
    usable = known & (others > 0) & (spread > 0)
    np.divide(own - members * mean, spread, out=z, where=usable)
    return z


def _summed(table: NDArray[np.float64], before: int) -> NDArray[np.float64]:
    """Add to each step the steps before it."""
    total = table.copy()
    for lag in range(1, before + 1):
        total[:, lag:] += table[:, :-lag]
    return total


def _compared_with(
    centred: NDArray[np.float64],
    values: NDArray[np.float64],
    known: NDArray[np.bool_],
    window: Window,
    before: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return number, mean and variance of the bins that each step is compared with."""
    sums = np.array([known.sum(axis=0), centred.sum(axis=0), (centred**2).sum(axis=0)], dtype=float)
    low = np.where(known, values, np.inf).min(axis=0)
    high = np.where(known, values, -np.inf).max(axis=0)
    if window == "cube":
        sums = np.repeat(sums.sum(axis=1)[:, None], values.shape[1], axis=1)
        low, high = np.full_like(low, low.min()), np.full_like(high, high.max())
    elif window == "neighbourhood_step":
        sums = _summed(sums, before)
        span = [slice(max(t - before, 0), t + 1) for t in range(len(low))]
        low = np.array([low[steps].min() for steps in span])
        high = np.array([high[steps].max() for steps in span])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[1] / sums[0]
        variance = sums[2] / sums[0] - mean**2
        flat = (high <= low) | (variance <= 1e-12 * sums[2] / sums[0])
    return sums[0], mean, np.where(flat, 0.0, variance)
