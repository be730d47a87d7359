"""
The grid of an index: which cells borders cross, and what is known of the others.

Cell (row, column) reaches from ``line(column)`` to ``line(column + 1)``, its
lower and left sides included. Whether an area holds a cell's lower right corner
(moved a nothing to the right and up, so that it is never on a border) is worked
out exactly, once; from there a point in the cell is reached along two short
lines, and each border that they cross changes the answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.joins._exact import side_beside

NOWHERE = -1
"""A cell without border that no area holds. One that area `a` holds says ``-2 - a``."""

GOES_ON = -2
"""In place of the area behind all borders of a block: the next block is of the same cell."""

WIDTH = 64
"""Areas of one block: one bit each."""


@compiled()
def line(origin: float, size: float, number: int) -> float:
    """Return the coordinate of a line of the grid; the same wherever it is asked for."""
    return origin + number * size


@compiled()
def cell_of(origin: float, size: float, value: float) -> int:
    """Return the row or column that holds a coordinate."""
    number = int(np.floor((value - origin) * (1.0 / size)))
    if value < line(origin, size, number):
        return number - 1
    if value >= line(origin, size, number + 1):
        return number + 1
    return number


@compiled()
def _columns_in_row(
    ends: NDArray[np.float64], edge: int, low: float, high: float
) -> tuple[float, float]:
    """Return how far a piece of border reaches from left to right between two heights."""
    ax, ay, bx, by = ends[edge, 0], ends[edge, 1], ends[edge, 2], ends[edge, 3]
    start, stop = ax, bx
    if ay != by:
        slope = (bx - ax) / (by - ay)
        at_low, at_high = ax + (low - ay) * slope, ax + (high - ay) * slope
        start = max(start, min(at_low, at_high))
        stop = min(stop, max(at_low, at_high))
    return start, stop


@compiled()
def trace_borders(
    ends: NDArray[np.float64],
    origin: NDArray[np.float64],
    size: float,
    columns: int,
    first: NDArray[np.int32],
    held: NDArray[np.int32],
) -> None:
    """
    Note the cells that each piece of border meets, or just misses.

    With an empty `held`, counts into ``first[cell + 1]``; else writes the
    pieces of each cell into `held` from ``first[cell]`` on, moving `first`.
    """
    slack = size * 1e-6
    counting = len(held) == 0
    for edge in range(len(ends)):
        left = cell_of(origin[0], size, ends[edge, 0] - slack)
        right = cell_of(origin[0], size, ends[edge, 2] + slack)
        bottom = min(ends[edge, 1], ends[edge, 3]) - slack
        top = max(ends[edge, 1], ends[edge, 3]) + slack
        lowest, highest = cell_of(origin[1], size, bottom), cell_of(origin[1], size, top)
        for row in range(lowest, highest + 1):
            start, stop = left, right
            if lowest < highest and left < right:
                low = line(origin[1], size, row) - slack
                high = line(origin[1], size, row + 1) + slack
                reach = _columns_in_row(ends, edge, low, high)
                start = max(left, cell_of(origin[0], size, reach[0] - slack))
                stop = min(right, cell_of(origin[0], size, reach[1] + slack))
            for cell in range(row * columns + start, row * columns + stop + 1):
                if counting:
                    first[cell + 1] += 1
                else:
                    held[first[cell]] = edge
                    first[cell] += 1


@compiled()
def sort_short(values: NDArray[np.int64], size: int) -> None:
    """Sort the first `size` values in place (Shell's method, gaps of Ciura)."""
    for gap in (1750, 701, 301, 132, 57, 23, 10, 4, 1):
        for place in range(gap, size):
            value = values[place]
            there = place
            while there >= gap and values[there - gap] > value:
                values[there] = values[there - gap]
                there -= gap
            values[there] = value


@compiled()
def _areas_of(edges: NDArray[np.int32], sides: NDArray[np.int32], found: NDArray[np.int64]) -> int:
    """Write the areas on either side of some pieces into `found`, sorted, each once."""
    size = 0
    for edge in edges:
        for side in range(2):
            area = sides[edge, side]
            if area < 0:
                continue
            known = False
            for place in range(max(0, size - WIDTH), size):
                if found[place] == area:
                    known = True
                    break
            if not known:
                found[size] = area
                size += 1
    sort_short(found, size)
    kept = 0
    for place in range(size):
        if kept == 0 or found[place] != found[kept - 1]:
            found[kept] = found[place]
            kept += 1
    return kept


@compiled()
def count_blocks(
    first: NDArray[np.int32], held: NDArray[np.int32], sides: NDArray[np.int32]
) -> tuple[int, int, int, int]:
    """Return how many blocks, pieces and areas the cells take, and the pieces of the fullest."""
    most = 0
    for cell in range(len(first) - 1):
        most = max(most, first[cell + 1] - first[cell])
    found = np.empty(2 * most, dtype=np.int64)
    blocks, pieces, areas = 0, 0, 0
    for cell in range(len(first) - 1):
        count = first[cell + 1] - first[cell]
        if count == 0:
            continue
        size = _areas_of(held[first[cell] : first[cell + 1]], sides, found)
        blocks += (size + WIDTH - 1) // WIDTH
        pieces += count * ((size + WIDTH - 1) // WIDTH)
        areas += size
    return blocks, pieces, areas, most


@compiled()
def _bit_of(found: NDArray[np.int64], start: int, stop: int, area: int) -> np.uint64:
    """Return the bit of an area within a block; none where it is of another block."""
    low, high = start, stop
    while low < high:
        middle = (low + high) // 2
        if found[middle] < area:
            low = middle + 1
        else:
            high = middle
    if low < stop and found[low] == area:
        return np.uint64(1) << np.uint64(low - start)
    return np.uint64(0)


@compiled()
def fill_blocks(
    first: NDArray[np.int32],
    held: NDArray[np.int32],
    ends: NDArray[np.float64],
    sides: NDArray[np.int32],
    most: int,
    cells: NDArray[np.int32],
    blocks: NDArray[np.int64],
    pieces: NDArray[np.float64],
    bits: NDArray[np.uint64],
    members: NDArray[np.int32],
) -> None:
    """
    Lay out the cells that borders cross, in blocks of up to 64 areas.

    A block holds where its pieces and its areas begin, the area behind all of
    them, and a bit for each area that holds the corner. A piece has its two
    ends and, in the same memory seen as `bits`, those of the areas on its sides.
    """
    found = np.empty(2 * most, dtype=np.int64)
    block, piece, member = 0, 0, 0
    for cell in range(len(cells)):
        if first[cell] == first[cell + 1]:
            continue
        edges = held[first[cell] : first[cell + 1]]
        size = _areas_of(edges, sides, found)
        cells[cell] = block
        for start in range(0, size, WIDTH):
            stop = min(start + WIDTH, size)
            blocks[block, 0], blocks[block, 1] = piece, member
            blocks[block, 2] = GOES_ON if stop < size else NOWHERE
            for place in range(start, stop):
                members[member] = found[place]
                member += 1
            for edge in edges:
                mask = _bit_of(found, start, stop, sides[edge, 0])
                if sides[edge, 1] >= 0:
                    mask |= _bit_of(found, start, stop, sides[edge, 1])
                if mask != np.uint64(0):
                    for end in range(4):
                        pieces[piece, end] = ends[edge, end]
                    bits[piece, 4] = mask
                    piece += 1
            block += 1
    blocks[block, 0], blocks[block, 1] = piece, member


@compiled()
def _corners_left_of(xy: NDArray[np.float64], vertex: int, x0: float, size: float, y: float) -> int:
    """Return how many lines of the grid pass to the left of a piece of border at a height."""
    a, b = vertex, vertex + 1
    if xy[a, 0] > xy[b, 0] or (xy[a, 0] == xy[b, 0] and xy[a, 1] > xy[b, 1]):
        a, b = b, a
    ax, ay, bx, by = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1]
    guess = ax + (y - ay) * ((bx - ax) / (by - ay))
    number = int(np.ceil((min(max(guess, ax), bx) - x0) / size))
    rising = by > ay
    while (side_beside(ax, ay, bx, by, line(x0, size, number), y) > 0) == rising:
        number += 1
    while (side_beside(ax, ay, bx, by, line(x0, size, number - 1), y) > 0) != rising:
        number -= 1
    return number


@compiled()
def _claim(
    cell: int,
    area: int,
    cells: NDArray[np.int32],
    blocks: NDArray[np.int64],
    members: NDArray[np.int32],
    layered: NDArray[np.bool_],
) -> None:
    """Note that an area holds the corner of a cell; areas come in the order of their codes."""
    block = cells[cell]
    if block < 0:
        if block == NOWHERE:
            cells[cell] = -2 - area
        else:
            layered[cell] = True
        return
    while True:
        for place in range(blocks[block, 1], blocks[block + 1, 1]):
            if members[place] == area:
                blocks[block, 3] ^= np.int64(1) << np.int64(place - blocks[block, 1])
                return
        if blocks[block, 2] != GOES_ON:
            break
        block += 1
    if blocks[block, 2] == NOWHERE:
        blocks[block, 2] = area
    else:
        layered[cell] = True


@compiled()
def claim_cells(
    xy: NDArray[np.float64],
    rings: NDArray[np.int64],
    ring_starts: NDArray[np.int64],
    origin: NDArray[np.float64],
    size: float,
    columns: int,
    cells: NDArray[np.int32],
    blocks: NDArray[np.int64],
    members: NDArray[np.int32],
    layered: NDArray[np.bool_],
) -> None:
    """
    Tell every cell whose corner an area holds, one row of corners after the other.

    The rings of area `a` are those from ``ring_starts[a]`` on; where each
    begins and ends in `xy` is in `rings`.
    """
    crossings = np.empty(1024, dtype=np.int64)
    for area in range(len(ring_starts) - 1):
        count = 0
        for ring in range(ring_starts[area], ring_starts[area + 1]):
            below = cell_of(origin[1], size, xy[rings[ring, 0], 1])
            for vertex in range(rings[ring, 0], rings[ring, 1] - 1):
                row, below = below, cell_of(origin[1], size, xy[vertex + 1, 1])
                for number in range(min(row, below), max(row, below) + 1):
                    y = line(origin[1], size, number)
                    if (xy[vertex, 1] > y) == (xy[vertex + 1, 1] > y):
                        continue
                    if count == len(crossings):
                        crossings = np.append(crossings, np.empty(count, dtype=np.int64))
                    passed = _corners_left_of(xy, vertex, origin[0], size, y)
                    crossings[count] = number * (columns + 1) + passed
                    count += 1
        sort_short(crossings, count)
        for pair in range(0, count - 1, 2):
            row, start = divmod(crossings[pair], columns + 1)
            stop = crossings[pair + 1] - row * (columns + 1)
            for column in range(start - 1, stop - 1):  # the corner is the cell's right side
                _claim(row * columns + column, area, cells, blocks, members, layered)
