"""
Simplify arcs without tearing the areas between them.

Visvalingam and Whyatt's method (Cartographic Journal 30(1), 1993): again and
again the corner with the smallest triangle is cut off, as long as that is
smaller than the square of a tolerance. As in JTS's coverage simplifier, no
corner is cut where another vertex lies in its triangle: nothing crosses then.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.areas._rings import scatter
from placeshaping.maps._arcs import Whole

Places = NDArray[np.float64]

_CELL = 4.0
"""Width of the cells in which vertices are looked for, in tolerances."""


def thin_arcs(xy: Places, vertex: Whole, first: Whole, tolerance: float) -> NDArray[np.bool_]:
    """
    Tell which vertices of some arcs stay; their ends do.

    Parameters
    ----------
    xy
        Places of the vertices, shape (vertices, 2).
    vertex, first
        As `Arcs` has them: no vertex but an end lies on two arcs.
    tolerance
        In units of `xy`: cut corners are triangles of less than its square.

    Returns
    -------
    kept
        One for each entry of `vertex`. Arcs that share both ends keep a vertex
        between them, and rings three.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [5.0, 0.1], [10.0, 0.0]])
    >>> thin_arcs(xy, np.arange(3), np.array([0, 3]), 2.0).tolist()
    [True, False, True]
    """
    width = _CELL * tolerance
    spread = 2 ** int(np.ceil(np.log2(max(len(xy), 16))))
    held, begin = _cells(xy, width, spread)
    return _thin(xy, vertex, first, tolerance**2, width, held, begin)


@compiled()
def _cell(column: int, row: int, spread: int) -> int:
    """Return the bucket of a cell: any number of cells share one."""
    return int(scatter(column, row) & np.uint64(spread - 1))


@compiled()
def _cells(xy: Places, width: float, spread: int) -> tuple[Whole, Whole]:
    """Sort vertices by their cells: those in bucket b are ``held[begin[b]:begin[b + 1]]``."""
    bucket = np.empty(len(xy), dtype=np.int64)
    begin = np.zeros(spread + 1, dtype=np.int64)
    for at in range(len(xy)):
        column, row = int(np.floor(xy[at, 0] / width)), int(np.floor(xy[at, 1] / width))
        bucket[at] = _cell(column, row, spread)
        begin[bucket[at] + 1] += 1
    for at in range(spread):
        begin[at + 1] += begin[at]
    held = np.empty(len(xy), dtype=np.int64)
    free = begin[:-1].copy()
    for at in range(len(xy)):
        held[free[bucket[at]]] = at
        free[bucket[at]] += 1
    return held, begin


@compiled()
def _double(xy: Places, a: int, b: int, c: int) -> float:
    """Return twice the area of a triangle, negative where it runs with the clock."""
    along = (xy[b, 0] - xy[a, 0]) * (xy[c, 1] - xy[a, 1])
    return float(along - (xy[c, 0] - xy[a, 0]) * (xy[b, 1] - xy[a, 1]))


@compiled()
def _reach(xy: Places, a: int, b: int, low: float, high: float) -> tuple[float, float]:
    """Return the least and greatest x of a line between two heights; infinities if none."""
    x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1]
    if y1 > y2:
        x1, y1, x2, y2 = x2, y2, x1, y1
    if y2 < low or y1 > high:
        return np.inf, -np.inf
    if y1 < low:
        x1 += (x2 - x1) * (low - y1) / (y2 - y1)
        y1 = low
    if y2 > high:
        x2 = x1 + (x2 - x1) * (high - y1) / (y2 - y1)
    return min(x1, x2), max(x1, x2)


@compiled()
def _is_free(
    xy: Places,
    corner: tuple[int, int, int],
    live: NDArray[np.bool_],
    width: float,
    held: Whole,
    begin: Whole,
) -> bool:
    """Tell whether no other vertex that is left lies in or on a triangle."""
    a, b, c = corner
    turn = 1.0 if _double(xy, a, b, c) >= 0 else -1.0
    low = min(xy[a, 1], xy[b, 1], xy[c, 1])
    high = max(xy[a, 1], xy[b, 1], xy[c, 1])
    slack = 1e-9 * width
    for row in range(int(np.floor(low / width)), int(np.floor(high / width)) + 1):
        bottom, top = row * width - slack, (row + 1) * width + slack
        left, right = np.inf, -np.inf
        for p, q in ((a, b), (b, c), (c, a)):
            one, other = _reach(xy, p, q, bottom, top)
            left, right = min(left, one), max(right, other)
        if left > right:
            continue
        columns = (
            np.int64(np.floor((left - slack) / width)),
            np.int64(np.floor((right + slack) / width)),
        )
        for column in range(columns[0], columns[1] + 1):
            bucket = _cell(column, row, len(begin) - 1)
            for at in range(begin[bucket], begin[bucket + 1]):
                p = held[at]
                if not live[p] or p in (a, b, c):
                    continue
                if (
                    turn * _double(xy, a, b, p) >= 0
                    and turn * _double(xy, b, c, p) >= 0
                    and turn * _double(xy, c, a, p) >= 0
                ):
                    return False
    return True


@compiled()
def _least(vertex: Whole, first: Whole, size: int) -> NDArray[np.int64]:
    """Return how many vertices each arc must keep: 2, or 3 beside another between its ends."""
    newest = np.full(size, -1, dtype=np.int64)
    before = np.full(len(first) - 1, -1, dtype=np.int64)
    least = np.full(len(first) - 1, 2, dtype=np.int64)
    for arc in range(len(first) - 1):
        one, other = vertex[first[arc]], vertex[first[arc + 1] - 1]
        if one == other:
            least[arc] = 4
            continue
        low, high = min(one, other), max(one, other)
        twin = newest[low]
        while twin >= 0:
            if max(vertex[first[twin]], vertex[first[twin + 1] - 1]) == high:
                least[arc] = least[twin] = 3
            twin = before[twin]
        before[arc], newest[low] = newest[low], arc
    return least


@compiled()
def _push(heap: Places, owner: Whole, n: int, size: float, corner: int) -> int:
    """Add a corner to a heap of `n`, smallest triangle first; return its new length."""
    at = n
    while at > 0 and heap[(at - 1) // 2] > size:
        heap[at], owner[at] = heap[(at - 1) // 2], owner[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at], owner[at] = size, corner
    return n + 1


@compiled()
def _pop(heap: Places, owner: Whole, n: int) -> int:
    """Take the first from a heap of `n`; return its new length."""
    n -= 1
    size, corner = heap[n], owner[n]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= n:
            break
        if below + 1 < n and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= size:
            break
        heap[at], owner[at] = heap[below], owner[below]
        at = below
    heap[at], owner[at] = size, corner
    return n


@compiled()
def _thin(
    xy: Places,
    vertex: Whole,
    first: Whole,
    most: float,
    width: float,
    held: Whole,
    begin: Whole,
) -> NDArray[np.bool_]:
    live = np.ones(len(xy), dtype=np.bool_)
    kept = np.ones(len(vertex), dtype=np.bool_)
    least = _least(vertex, first, len(xy))
    longest = np.int64(np.max(np.diff(first)))
    before, after = np.empty(longest, dtype=np.int64), np.empty(longest, dtype=np.int64)
    size = np.empty(longest)
    heap, owner = np.empty(3 * longest), np.empty(3 * longest, dtype=np.int64)
    for arc in range(len(first) - 1):
        low, left = first[arc], first[arc + 1] - first[arc]
        n = 0
        for at in range(1, left - 1):
            before[at], after[at] = at - 1, at + 1
            size[at] = (
                abs(_double(xy, vertex[low + at - 1], vertex[low + at], vertex[low + at + 1])) / 2
            )
            if size[at] < most:
                n = _push(heap, owner, n, size[at], at)
        ends = left - 1
        while n > 0 and left > least[arc]:
            area, at = heap[0], owner[0]
            n = _pop(heap, owner, n)
            if not kept[low + at] or area != size[at]:
                continue  # cut already, or a triangle from before a neighbour was cut
            p, q = before[at], after[at]
            corner = (vertex[low + p], vertex[low + at], vertex[low + q])
            if not _is_free(xy, corner, live, width, held, begin):
                continue
            kept[low + at] = False
            live[vertex[low + at]] = False
            left -= 1
            after[p], before[q] = q, p
            for one in (p, q):
                if 0 < one < ends:
                    sides = vertex[low + before[one]], vertex[low + one], vertex[low + after[one]]
                    size[one] = abs(_double(xy, *sides)) / 2
                    if size[one] < most:
                        n = _push(heap, owner, n, size[one], one)
    return kept
