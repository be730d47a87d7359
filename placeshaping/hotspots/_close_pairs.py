"""
Compiled kernels: pairs of events close in space, and how many of them are close in time.

Pairs are stored once, by distance band and by the first event of the pair:
those of band ``b`` and event ``i`` are ``others[starts[b, i] : starts[b, i + 1]]``.
Four bytes a pair. Events stand in the order of the cells of a grid, so that
those of a pair are near each other in memory too.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

LANES = 64
"""So many replicates are counted at once."""

_FLUSH = 32_767

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Short = NDArray[np.int16]
Indices = NDArray[np.uint32]


@compiled()
def apart(x: Floats, y: Floats, i: int, j: int, manhattan: bool) -> float:
    """Return the distance of two events."""
    across, along = float(abs(x[i] - x[j])), float(abs(y[i] - y[j]))
    if manhattan:
        return across + along
    return math.sqrt(across * across + along * along)


@compiled()
def band_of(distance: float, edges: Floats, same_place: bool) -> int:
    """Return the half-open band of a distance, -1 outside all; 0 m may be a band of its own."""
    if same_place and distance == 0.0:
        return 0
    if distance < edges[0]:
        return -1
    for k in range(1, len(edges)):
        if distance < edges[k]:
            return k if same_place else k - 1
    return -1


@compiled()
def runs_of(keys: Whole, i: int, width: int) -> tuple[int, int, int, int]:
    """
    Return the two runs of later events that may be close to event `i`.

    `keys` are the events' cells (row times `width` plus column), sorted. The
    first run is the rest of its own cell and the next one, the second the
    three cells of the next row.
    """
    own = keys[i]
    first = np.searchsorted(keys, own + 1, side="right")
    low = np.searchsorted(keys, own + width - 1, side="left")
    high = np.searchsorted(keys, own + width + 1, side="right")
    return i + 1, first, low, high


@compiled(parallel=True)
def count_close(
    x: Floats, y: Floats, keys: Whole, width: int, edges: Floats, same_place: bool, manhattan: bool
) -> Whole:
    """Count the pairs of each distance band (rows) and first event (columns)."""
    bands = len(edges) - 1 + same_place
    counts = np.zeros((bands, len(x)), dtype=np.int64)
    for i in numba.prange(len(x)):
        start, stop, low, high = runs_of(keys, i, width)
        for run in range(2):
            for j in range(start if run == 0 else low, stop if run == 0 else high):
                band = band_of(apart(x, y, i, j, manhattan), edges, same_place)
                if band >= 0:
                    counts[band, i] += 1
    return counts


@compiled(parallel=True)
def fill_close(
    x: Floats,
    y: Floats,
    keys: Whole,
    width: int,
    edges: Floats,
    same_place: bool,
    manhattan: bool,
    starts: Whole,
    others: Indices,
) -> None:
    """Write the second event of each pair to its place."""
    bands = len(starts)
    for i in numba.prange(len(x)):
        place = starts[:, i].copy()
        start, stop, low, high = runs_of(keys, i, width)
        for run in range(2):
            for j in range(start if run == 0 else low, stop if run == 0 else high):
                band = band_of(apart(x, y, i, j, manhattan), edges, same_place)
                if 0 <= band < bands:
                    others[place[band]] = j
                    place[band] += 1


@compiled()
def count_seen(
    days: Short, starts: Whole, others: Indices, edges: Short, group: Whole, groups: int
) -> tuple[Whole, Whole]:
    """
    Count pairs by distance band and time band; once in all, once for each group they touch.

    The last column counts the pairs of a distance band whatever their days.
    """
    bands, steps = len(starts), len(edges) - 1
    seen = np.zeros((bands, steps + 1), dtype=np.int64)
    touched = np.zeros((groups, bands, steps + 1), dtype=np.int64)
    for band in range(bands):
        for i in range(len(days)):
            for k in range(starts[band, i], starts[band, i + 1]):
                j = others[k]
                lag = abs(np.int64(days[i]) - np.int64(days[j]))
                column = -1
                for step in range(steps):
                    if edges[step] <= lag < edges[step + 1]:
                        column = step
                for where in (column, steps):
                    if where < 0:
                        continue
                    seen[band, where] += 1
                    touched[group[i], band, where] += 1
                    if group[j] != group[i]:
                        touched[group[j], band, where] += 1
    return seen, touched


@compiled()
def draw(state: np.uint64, below: int) -> tuple[np.uint64, int]:
    """Return the next state and a whole number below a bound (splitmix64)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    # The upper 32 bits times the bound: uneven by less than one in 2**32 / bound.
    drawn = ((mixed >> np.uint64(32)) * np.uint64(below)) >> np.uint64(32)
    return state, int(drawn)


@compiled()
def shuffled(days: Short, seeds: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Return the days of the events, permuted anew in each of the lanes."""
    lanes = np.empty((len(days), LANES), dtype=np.int16)
    order = np.empty(len(days), dtype=np.int16)
    for lane in range(LANES):
        order[:] = days
        state = seeds[lane]
        for i in range(len(days) - 1, 0, -1):
            state, j = draw(state, i + 1)
            order[i], order[j] = order[j], order[i]
        lanes[:, lane] = order
    return lanes


@compiled(parallel=True)
def count_permuted(
    days: Short, starts: Whole, others: Indices, edges: Short, seeds: NDArray[np.uint64]
) -> Whole:
    """
    Count the pairs closer in time than each edge, after permuting the days of the events.

    Returned are, for each block of replicates, distance band and edge, the
    counts of its lanes. Sixteen bits hold a count until it is put away.
    """
    blocks, bands, steps = len(seeds), len(starts), len(edges)
    counts = np.zeros((blocks, bands, steps, LANES), dtype=np.int64)
    for block in numba.prange(blocks):
        lanes = shuffled(days, seeds[block])
        lag = np.empty(LANES, dtype=np.int16)
        held = np.zeros((steps, LANES), dtype=np.int16)
        pending = 0
        for band in range(bands):
            for i in range(len(days)):
                for k in range(starts[band, i], starts[band, i + 1]):
                    j = others[np.uint64(k)]
                    for lane in range(LANES):
                        late = np.int16(lanes[np.uint64(i), lane] - lanes[j, lane])
                        lag[lane] = np.int16(max(late, np.int16(-late)))
                    for step in range(steps):
                        edge = edges[step]
                        for lane in range(LANES):
                            held[step, lane] = np.int16(
                                held[step, lane] + np.int16(lag[lane] < edge)
                            )
                    pending += 1
                    if pending == _FLUSH:
                        counts[block, band] += held
                        held[:] = 0
                        pending = 0
            counts[block, band] += held
            held[:] = 0
            pending = 0
    return counts
