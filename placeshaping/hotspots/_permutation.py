"""Conditional permutation: draws of neighbours' values, with the area itself held fixed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled


@compiled()
def draw_ids(uniform: NDArray[np.float64], size: int) -> NDArray[np.int64]:
    """
    Draw, for each row of `uniform`, as many distinct numbers below `size` as it has columns.

    A partial Fisher-Yates shuffle; shuffling on from the last arrangement
    leaves every draw uniform.
    """
    draws, most = uniform.shape
    pool = np.arange(size)
    ids = np.empty((draws, most), dtype=np.int64)
    for r in range(draws):
        for k in range(most):
            chosen = k + int(uniform[r, k] * (size - k))
            pool[k], pool[chosen] = pool[chosen], pool[k]
            ids[r, k] = pool[k]
    return ids


@compiled()
def count_extremes(
    values: NDArray[np.float64],
    neighbours: NDArray[np.int64],
    observed: NDArray[np.float64],
    ids: NDArray[np.int64],
    tolerance: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Count the draws whose neighbour sum is at least, and at most, the observed one.

    `neighbours` is the number of other areas in each area's sum, `observed`
    that sum without the area itself. Draw `r` takes the first numbers of
    ``ids[r]``, counted over the other areas alone.
    """
    size = len(values)
    above = np.zeros(size, dtype=np.int64)
    below = np.zeros(size, dtype=np.int64)
    for i in range(size):
        for r in range(len(ids)):
            total = 0.0
            for k in range(neighbours[i]):
                other = ids[r, k]
                if other >= i:
                    other += 1
                total += values[other]
            if total >= observed[i] - tolerance:
                above[i] += 1
            if total <= observed[i] + tolerance:
                below[i] += 1
    return above, below
