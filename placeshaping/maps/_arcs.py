"""The borders of some areas, each once: rings of shared vertices, cut where borders meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.areas._rings import room_for, scatter

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Arcs:
    """
    Areas put together from arcs, as flat arrays.

    Attributes
    ----------
    xy
        Places of the vertices, shape (vertices, 2).
    vertex
        Vertices of all arcs in a row.
    first
        Where each arc begins in `vertex`, and the end of the last.
    used
        The arcs of all rings in a row; ``~i`` is arc i backwards. Outer rings
        run against the clock, holes with it.
    sizes
        How many arcs each ring has.
    rings
        How many rings each area has.
    """

    xy: NDArray[np.float64]
    vertex: Whole
    first: Whole
    used: Whole
    sizes: Whole
    rings: Whole


def cut_into_arcs(shapes: NDArray[Any]) -> Arcs:
    """
    Cut the rings of polygons where borders meet; neighbours get the same arc.

    Parameters
    ----------
    shapes
        Polygons and multipolygons.

    Returns
    -------
    arcs
        In the order in which the rings meet them.

    Examples
    --------
    >>> from shapely import box
    >>> arcs = cut_into_arcs(np.array([box(0, 0, 1, 1), box(1, 0, 2, 1)]))
    >>> arcs.used.tolist(), arcs.sizes.tolist()
    ([0, 1, -1, 2], [2, 2])
    """
    kind, xy, offsets = shapely.to_ragged_array(shapes)
    xy = xy[:, :2] + 0.0  # -0.0 and 0.0 are one place
    many = kind == shapely.GeometryType.MULTIPOLYGON
    parts = np.asarray(offsets[1], dtype=np.int64)
    areas = np.asarray(offsets[2], dtype=np.int64) if many else np.arange(len(parts))
    hole = np.ones(len(offsets[0]) - 1, dtype=np.bool_)
    hole[parts[:-1][np.diff(parts) > 0]] = False
    number, places = _numbered(xy, np.ascontiguousarray(xy).view(np.uint64))
    path, begin = _paths(xy, number, np.asarray(offsets[0], dtype=np.int64), hole)
    vertex, first, used, sizes = _cut(path, begin, _junctions(path, begin, len(places)))
    return Arcs(xy[places], vertex, first, used, sizes, np.diff(parts[areas]))


@compiled()
def _numbered(xy: NDArray[np.float64], bits: NDArray[np.uint64]) -> tuple[Whole, Whole]:
    """Give equal places one number; return that of each vertex, and one vertex of each number."""
    room = room_for(len(xy))
    last = np.uint64(room - 1)
    slots = np.full(room, -1, dtype=np.int64)
    number = np.empty(len(xy), dtype=np.int64)
    places = np.empty(len(xy), dtype=np.int64)
    made = 0
    for at in range(len(xy)):
        slot = scatter(bits[at, 0], bits[at, 1]) & last
        while slots[slot] >= 0:
            known = places[slots[slot]]
            if xy[known, 0] == xy[at, 0] and xy[known, 1] == xy[at, 1]:
                break
            slot = (slot + np.uint64(1)) & last
        if slots[slot] < 0:
            slots[slot] = made
            places[made] = at
            made += 1
        number[at] = slots[slot]
    return number, places[:made].copy()


@compiled()
def _paths(
    xy: NDArray[np.float64], number: Whole, offsets: Whole, hole: NDArray[np.bool_]
) -> tuple[Whole, Whole]:
    """Write rings without repeated vertices, areas to their left; empty where nothing is left."""
    path = np.empty(len(number), dtype=np.int64)
    begin = np.zeros(len(offsets), dtype=np.int64)
    n = 0
    for ring in range(len(offsets) - 1):
        low, past = offsets[ring], offsets[ring + 1]
        twice = 0.0
        for at in range(low, past - 1):
            x, y = xy[at, 0] - xy[low, 0], xy[at, 1] - xy[low, 1]
            twice += x * (xy[at + 1, 1] - xy[low, 1]) - (xy[at + 1, 0] - xy[low, 0]) * y
            if at == low or number[at] != path[n - 1]:
                path[n] = number[at]
                n += 1
        while n - begin[ring] > 1 and path[n - 1] == path[begin[ring]]:
            n -= 1
        if n - begin[ring] < 3:
            n = begin[ring]
        if (twice < 0) != hole[ring]:
            path[begin[ring] : n] = path[begin[ring] : n][::-1].copy()
        begin[ring + 1] = n
    return path[:n].copy(), begin


@compiled()
def _junctions(path: Whole, begin: Whole, size: int) -> NDArray[np.bool_]:
    """
    Tell at which vertices arcs end: those that have not two neighbours, or are a spike's tip.

    Between two such vertices all rings go the same way, so the areas on both sides stay the same.
    """
    beside = np.full((size, 2), -1, dtype=np.int64)
    found = np.zeros(size, dtype=np.bool_)
    for ring in range(len(begin) - 1):
        low, past = begin[ring], begin[ring + 1]
        for at in range(low, past):
            vertex = path[at]
            before = path[at - 1 if at > low else past - 1]
            after = path[at + 1 if at + 1 < past else low]
            if before == after:
                found[vertex] = True
            for other in (before, after):
                if beside[vertex, 0] < 0:
                    beside[vertex, 0] = other
                elif beside[vertex, 0] == other:
                    continue
                elif beside[vertex, 1] < 0:
                    beside[vertex, 1] = other
                elif beside[vertex, 1] != other:
                    found[vertex] = True
    return found


@compiled()
def _cut(  # noqa: C901 (a kernel: one pass over the rings)
    path: Whole, begin: Whole, junction: NDArray[np.bool_]
) -> tuple[Whole, Whole, Whole, Whole]:
    """Cut rings at junctions; an arc is known by its end and the vertex next to that."""
    newest = np.full(len(junction), -1, dtype=np.int64)  # of the ends at a vertex
    before = np.empty(2 * len(path), dtype=np.int64)
    second = np.empty(2 * len(path), dtype=np.int64)
    vertex = np.empty(2 * len(path), dtype=np.int64)
    first = np.zeros(len(path) + 1, dtype=np.int64)
    used = np.empty(len(path), dtype=np.int64)
    sizes = np.zeros(len(begin) - 1, dtype=np.int64)
    arcs, ends, n = 0, 0, 0
    for ring in range(len(begin) - 1):
        low, size = begin[ring], begin[ring + 1] - begin[ring]
        if size == 0:
            continue
        start, least = -1, 0
        for at in range(size):
            if junction[path[low + at]]:
                start = at
                break
            if path[low + at] < path[low + least]:
                least = at
        start = least if start < 0 else start
        at = 0
        while at < size:
            end = at + 1
            while end < size and not junction[path[low + (start + end) % size]]:
                end += 1
            head = path[low + (start + at) % size]
            follows = path[low + (start + at + 1) % size]
            entry = newest[head]
            while entry >= 0 and second[entry] != follows:
                entry = before[entry]
            if entry >= 0:
                used[n] = entry // 2 if entry % 2 == 0 else ~(entry // 2)
            else:
                used[n] = arcs
                for step in range(at, end + 1):
                    vertex[first[arcs] + step - at] = path[low + (start + step) % size]
                first[arcs + 1] = first[arcs] + end + 1 - at
                tail = path[low + (start + end) % size]
                near = path[low + (start + end - 1) % size]
                before[ends], second[ends], newest[head] = newest[head], follows, ends
                ends += 1
                before[ends], second[ends], newest[tail] = newest[tail], near, ends
                ends += 1
                arcs += 1
            n += 1
            sizes[ring] += 1
            at = end
    return vertex[: first[arcs]].copy(), first[: arcs + 1].copy(), used[:n].copy(), sizes
