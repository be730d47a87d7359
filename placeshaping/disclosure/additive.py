"""
Small-count rounding that keeps totals: small counts become 0 or the base, sums still add up.

The finest counts under the base are rounded, all published numbers are sums of
these and of the counts that were left as they are. Which of them are rounded
up is chosen so that the totals change little (Langsrud and Heldal 2018).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

_PASSES = 20
_LEAST_GAIN = 1e-9


def round_small(
    counts: NDArray[np.int64],
    base: NDArray[np.int64],
    totals: Mapping[str, NDArray[np.intp]],
) -> NDArray[np.int64]:
    """
    Round the small ones of some counts to 0 or the base, so that totals change little.

    Parameters
    ----------
    counts
        The finest counts, flat; their order decides between equals.
    base
        Of each count: from 1 to `base` - 1 it is small.
    totals
        Name of a table -> for each count the number of the total there that
        it is part of; -1 for none.

    Returns
    -------
    rounded
        Counts that are not small are as they were.

    Examples
    --------
    >>> counts = np.array([1, 2, 1, 1, 9, 3, 2])
    >>> area = np.array([0, 0, 0, 0, 1, 1, 1])
    >>> rounded = round_small(counts, np.full(7, 5), {"msoa": area})
    >>> rounded.tolist(), np.bincount(area, rounded).tolist()
    ([0, 5, 0, 0, 9, 5, 0], [5.0, 14.0])
    """
    small = np.flatnonzero((counts > 0) & (counts < base))
    rounded = counts.copy()
    if not len(small):
        return rounded
    start, size = [], 0
    for numbers in totals.values():
        start.append(np.where(numbers[small] < 0, -1, numbers[small] + size))
        size += int(numbers.max(initial=-1)) + 1
    among = np.ascontiguousarray(np.vstack(start).T) if start else np.zeros((len(small), 0), int)
    # taken in turn, so that of any run of counts about as many go up as their sum asks for
    running = np.cumsum(counts[small] / base[small])
    up = np.floor(running + 0.5) > np.floor(running - counts[small] / base[small] + 0.5)
    _improve(up, counts[small].astype(float), base[small].astype(float), among, size)
    rounded[small] = np.where(up, base[small], 0)
    return rounded


@compiled()
def _improve(
    up: NDArray[np.bool_],
    counts: NDArray[np.float64],
    base: NDArray[np.float64],
    among: NDArray[np.intp],
    size: int,
) -> None:
    """Turn single counts over as long as that lessens the squared change of the totals."""
    change = np.zeros(size)
    for one in range(len(up)):
        _add(change, among[one], (base[one] if up[one] else 0.0) - counts[one])
    for _ in range(_PASSES):
        turned = False
        for one in range(len(up)):
            step = -base[one] if up[one] else base[one]
            own = (base[one] if up[one] else 0.0) - counts[one]
            if (own + step) ** 2 - own**2 + _growth(change, among[one], step) < -_LEAST_GAIN:
                turned = True
                up[one] = not up[one]
                _add(change, among[one], step)
        if not turned:
            break


@compiled()
def _add(change: NDArray[np.float64], among: NDArray[np.intp], step: float) -> None:
    """Carry a change into the totals that it is part of."""
    for total in among:
        if total >= 0:
            change[total] += step


@compiled()
def _growth(change: NDArray[np.float64], among: NDArray[np.intp], step: float) -> float:
    """Return by how much the squared change of some totals would grow."""
    grown = 0.0
    for total in among:
        if total >= 0:
            grown += (change[total] + step) ** 2 - change[total] ** 2
    return grown
