"""Outlines as plain arrays, and each piece of border once with the areas on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled


@dataclass(frozen=True)
class Rings:
    """
    Every ring of some polygons.

    Attributes
    ----------
    xy
        Coordinates, shape (vertices, 2).
    first
        Where each ring begins in `xy`, and the end of the last.
    owner
        Number of the polygon of each ring.
    """

    xy: NDArray[np.float64]
    first: NDArray[np.int64]
    owner: NDArray[np.int64]


@dataclass(frozen=True)
class Borders:
    """
    Straight pieces of border, each once, from its lesser end to its greater (by x, then y).

    Attributes
    ----------
    ends
        ax, ay, bx, by of each piece, shape (pieces, 4).
    sides
        The one or two polygons whose border it is, shape (pieces, 2); -1 for none.
    """

    ends: NDArray[np.float64]
    sides: NDArray[np.int32]


def rings_of(shapes: NDArray[np.object_]) -> Rings:
    """Take polygons and multipolygons apart; ``+ 0.0`` so that -0.0 and 0.0 are one vertex."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    xy += 0.0
    first, unclear = _split(xy, owner, len(shapes))
    odd = np.flatnonzero(unclear)
    if len(odd):
        starts = np.searchsorted(owner, odd)
        asked = [
            start + _ring_starts(shape) for start, shape in zip(starts, shapes[odd], strict=True)
        ]
        first = np.sort(np.concatenate([first, *asked]))
    return Rings(xy, np.append(first, len(xy)), owner[first])


def _ring_starts(shape: shapely.Geometry) -> NDArray[np.int64]:
    """Return the number of the vertex at which each ring begins."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    starts: NDArray[np.int64] = np.cumsum(shapely.get_num_coordinates(rings)).astype(np.int64)
    return np.append(0, starts[:-1])


@compiled()
def _split(
    xy: NDArray[np.float64], owner: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """
    Find where rings begin by where they come back to their start.

    Ten times as fast as asking for the rings. The polygons are told of which
    that is unclear, because the vertex that closes a ring comes again at once;
    none of their rings are among the results.
    """
    last = len(xy)
    first = np.empty(last // 2 + 1, dtype=np.int64)
    unclear = np.zeros(size, dtype=np.bool_)
    rings, vertex = 0, 0
    while vertex < last:
        area, before = owner[vertex], rings
        while vertex < last and owner[vertex] == area and not unclear[area]:
            start = vertex
            first[rings] = start
            rings += 1
            vertex += 1
            while vertex < last and owner[vertex] == area and not _same(xy, vertex, start):
                vertex += 1
            closed = vertex < last and owner[vertex] == area and vertex > start + 1
            if not closed:
                unclear[area] = True
                break
            vertex += 1
            unclear[area] = vertex < last and owner[vertex] == area and _same(xy, vertex, start)
        if unclear[area]:
            rings = before
            while vertex < last and owner[vertex] == area:
                vertex += 1
    return first[:rings].copy(), unclear


@compiled()
def _same(xy: NDArray[np.float64], one: int, other: int) -> bool:
    """Tell whether two vertices are at the same place."""
    return bool(xy[one, 0] == xy[other, 0] and xy[one, 1] == xy[other, 1])


def borders_of(rings: Rings) -> Borders:
    """Return the pieces of border; those that two polygons share are found by their ends."""
    ends, sides = _pair_edges(rings.xy, rings.xy.view(np.uint64), rings.first, rings.owner)
    return Borders(ends, sides)


@compiled()
def scatter(x: int, y: int) -> np.uint64:
    """Mix the bits of two coordinates into one well spread number."""
    mixed = (np.uint64(x) * np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(y)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))


@compiled()
def room_for(size: int) -> int:
    """Return the power of two that a hash table of at most `size` entries takes."""
    room = 16
    while 2 * room < 3 * size:
        room *= 2
    return room


@compiled()
def _pair_edges(
    xy: NDArray[np.float64],
    bits: NDArray[np.uint64],
    first: NDArray[np.int64],
    owner: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    room = room_for(len(xy))
    slots = np.full(room, -1, dtype=np.int32)
    last = np.uint64(room - 1)
    ends = np.empty((len(xy), 4))
    sides = np.full((len(xy), 2), -1, dtype=np.int32)
    made = 0
    for ring in range(len(owner)):
        area = owner[ring]
        for vertex in range(first[ring], first[ring + 1] - 1):
            a, b = vertex, vertex + 1
            if xy[a, 0] > xy[b, 0] or (xy[a, 0] == xy[b, 0] and xy[a, 1] > xy[b, 1]):
                a, b = b, a
            ax, ay, bx, by = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1]
            if ax == bx and ay == by:
                continue
            key = scatter(bits[a, 0], bits[a, 1]) + scatter(bits[b, 1], bits[b, 0])
            place = key & last
            while True:
                edge = slots[place]
                if edge < 0:
                    slots[place] = made
                    ends[made, 0], ends[made, 1] = ax, ay
                    ends[made, 2], ends[made, 3] = bx, by
                    sides[made, 0] = area
                    made += 1
                    break
                if (
                    sides[edge, 1] < 0
                    and sides[edge, 0] != area
                    and ends[edge, 0] == ax
                    and ends[edge, 1] == ay
                    and ends[edge, 2] == bx
                    and ends[edge, 3] == by
                ):
                    sides[edge, 1] = area
                    break
                place = (place + np.uint64(1)) & last
    return ends[:made], sides[:made]
