"""
Permutation: draws of the values of a neighbourhood, with the area itself held fixed or not.

The first k of a random order of all areas, an area itself left out, are a
random choice of k other areas. So one table of random orders serves every
area: where the area is not among the first k, its sum is that of the order,
the same for all areas with k neighbours; where it is, the next in the order
takes its place. The sums are sorted once for each k and searched, and only
the few orders that hold an area are looked at again for it: R k steps for
each k in place of R k for each area, with the same distribution. Where nothing
is held, areas with k members share one distribution, and none is looked at again.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_whole
from placeshaping._core.compiled import compiled

Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int64]

_BLOCK = 1 << 20
"""Numbers drawn at a time: bounds the memory whatever the number of permutations."""


def neighbour_tails(
    values: Floats,
    adjacency: sparse.csr_array,
    permutations: int,
    generator: np.random.Generator,
    *,
    hold_own: bool = True,
) -> tuple[Counts, Counts]:
    """
    Count the draws whose neighbours' sum is at least, and at most, the observed one.

    Parameters
    ----------
    values
        Areas by series, all known.
    adjacency
        Binary, without selves.
    permutations
        How many draws.
    generator
        Source of randomness; the same for all series.
    hold_own
        Whether an area's own value stays where it is and only its neighbours
        are drawn; if not, the area belongs to the sum and is drawn too.

    Returns
    -------
    above, below
        Of the shape of `values`.
    """
    size, series = values.shape
    if not hold_own:
        touched = sparse.diags_array((np.diff(adjacency.indptr) > 0).astype(float))
        adjacency = sparse.csr_array(adjacency + touched)
        adjacency.eliminate_zeros()
    members = np.diff(adjacency.indptr).astype(np.int64)
    most = int(members.max(initial=0))
    above, below = (np.zeros((series, size), dtype=np.int64) for _ in range(2))
    # whole numbers stay whole: sums that are equal are found equal
    moved = np.ascontiguousarray((values - np.median(values, axis=0)).T)
    near = np.ascontiguousarray((adjacency @ moved.T).T)
    tolerance = 1e-9 * np.abs(moved).max(axis=1, initial=0)
    order = np.argsort(members, kind="stable")
    for draws in _blocks(permutations, most + 1) if most else ():
        ids = draw_ids(generator.random((draws, most + 1)), size)
        start, held = find_holders(ids, size) if hold_own else _nobody(size)
        for s in range(series):
            count_tails(
                moved[s], near[s], members, order, ids, start, held, tolerance[s],
                above[s], below[s],
            )  # fmt: skip
    return above.T, below.T


def _nobody(size: int) -> tuple[Counts, NDArray[np.int32]]:
    """Return that no draw need be looked at again, in the form of `find_holders`."""
    return np.zeros(size + 2, dtype=np.int64), np.empty((0, 2), dtype=np.int32)


def two_sided(above: Counts, below: Counts, direction: Floats, permutations: int) -> Floats:
    """
    Return twice the tail on the side to which the score points, at most 1.

    Where the smaller tail lies on the other side (a few very large values draw
    the mean away from the median) the p-value is near 1, so that a class made
    of the sign and the p-value never contradicts the draws.
    """
    tail = np.where(direction > 0, above, np.where(direction < 0, below, permutations))
    p_values: Floats = np.minimum(1.0, 2 * (tail + 1) / (permutations + 1))
    return p_values


def enough_permutations(areas: int, *, level: float = 0.05) -> int:
    """
    Return the number of permutations with which the correction can find one area alone.

    The smallest two-sided p-value is 2 / (permutations + 1); Benjamini and
    Hochberg ask the smallest one of a map to be below `level` over the number
    of areas.

    Parameters
    ----------
    areas
        Areas of the map.
    level
        False discovery rate.

    Returns
    -------
    permutations
        For `getis_ord` and `local_moran`.

    Examples
    --------
    >>> enough_permutations(35_672)
    1426880
    """
    return math.floor(areas * 2 / level + 1e-6)


def check_permutations(permutations: int) -> int:
    """Return the number of permutations; zero means none."""
    return check_whole(permutations, name="permutations", least=0)


def _blocks(permutations: int, width: int) -> list[int]:
    block = max(1, _BLOCK // width)
    return [min(block, permutations - done) for done in range(0, permutations, block)]


@compiled()
def draw_ids(uniform: Floats, size: int) -> NDArray[np.int32]:
    """
    Draw, for each row of `uniform`, as many distinct numbers below `size` as it has columns.

    A partial Fisher-Yates shuffle; shuffling on from the last arrangement
    leaves every draw uniform. A draw is a column of the result.
    """
    draws, most = uniform.shape
    pool = np.arange(size).astype(np.int32)
    ids = np.empty((most, draws), dtype=np.int32)
    for r in range(draws):
        for k in range(most):
            chosen = k + int(uniform[r, k] * (size - k))
            pool[k], pool[chosen] = pool[chosen], pool[k]
            ids[k, r] = pool[k]
    return ids


@compiled()
def find_holders(ids: NDArray[np.int32], size: int) -> tuple[Counts, NDArray[np.int32]]:
    """
    Find the draws that hold each number, and where.

    Number `i` stands in draw ``held[j, 0]`` at place ``held[j, 1]`` for `j`
    from ``start[i]`` up to ``start[i + 1]``. The last place is a spare one and
    is left out.
    """
    most, draws = ids.shape[0] - 1, ids.shape[1]
    start = np.zeros(size + 2, dtype=np.int64)
    for k in range(most):
        for r in range(draws):
            start[ids[k, r] + 2] += 1
    start = np.cumsum(start)
    held = np.empty((most * draws, 2), dtype=np.int32)
    for k in range(most):
        for r in range(draws):
            i = ids[k, r] + 1
            held[start[i], 0] = r
            held[start[i], 1] = k
            start[i] += 1
    return start, held


@compiled()
def count_tails(
    values: Floats,
    near: Floats,
    members: Counts,
    order: NDArray[np.intp],
    ids: NDArray[np.int32],
    start: Counts,
    held: NDArray[np.int32],
    tolerance: float,
    above: Counts,
    below: Counts,
) -> None:
    """
    Add to `above` and `below` the draws on each side of the observed sum.

    `near` is the observed sum of each area's neighbours, `members` their
    number and `order` the areas by that number; `start` and `held` are those
    of `find_holders`.
    """
    draws = ids.shape[1]
    sums = np.zeros(draws)
    longer = np.zeros(draws)
    k = -1
    ranked = sums
    for i in order:
        if members[i] == 0:
            continue
        if members[i] != k:
            first = 0 if k < 0 else k
            k = members[i]
            for j in range(first, k):
                for r in range(draws):
                    sums[r] += values[ids[j, r]]
            for r in range(draws):
                longer[r] = sums[r] + values[ids[k, r]]
            ranked = np.sort(sums)
        low, high = near[i] - tolerance, near[i] + tolerance
        up = draws - np.searchsorted(ranked, low, side="left")
        down = np.searchsorted(ranked, high, side="right")
        for h in range(start[i], start[i + 1]):
            if held[h, 1] >= k:
                break  # places rise
            r = held[h, 0]
            other = longer[r] - values[i]
            up += int(other >= low) - int(sums[r] >= low)
            down += int(other <= high) - int(sums[r] <= high)
        above[i] += up
        below[i] += down
