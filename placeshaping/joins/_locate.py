"""Which area holds a point: its cell's, or what is left after the borders on the way to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.joins._exact import side_beside, side_of
from placeshaping.joins._grid import GOES_ON, NOWHERE, cell_of, line


@compiled()
def _at_end(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> bool:
    """Tell whether a point is an end of a piece of border, or lies on a level one."""
    if y == ay and y == by:
        return ax <= x <= bx
    return (y == ay and x == ax) or (y == by and x == bx)


@compiled()
def _between(
    ax: float, ay: float, bx: float, by: float, right: float, bottom: float, top: float
) -> bool:
    """Tell whether a border meets the right side of a cell between two heights."""
    if (ay > top and by > top) or (ay <= bottom and by <= bottom):
        return False
    if bottom < ay <= top and bottom < by <= top:
        return True
    low = side_beside(ax, ay, bx, by, right, bottom)
    return low != side_beside(ax, ay, bx, by, right, top)


@compiled()
def _read_block(
    block: int,
    x: float,
    y: float,
    right: float,
    bottom: float,
    blocks: NDArray[np.int64],
    pieces: NDArray[np.float64],
    bits: NDArray[np.uint64],
) -> tuple[np.uint64, np.uint64]:
    """
    Return bits for the areas that hold a point, and for those on whose border it lies.

    From the corner the way goes up the right side of the cell, then left to
    the point. A border with the point on it may be counted or not.
    """
    inside = np.uint64(blocks[block, 3])
    touched = np.uint64(0)
    for piece in range(blocks[block, 0], blocks[block + 1, 0]):
        ax, ay = pieces[piece, 0], pieces[piece, 1]
        bx, by = pieces[piece, 2], pieces[piece, 3]
        across = (ay > y) != (by > y)
        if across and bx >= x:
            if ax > x and bx <= right:
                inside ^= bits[piece, 4]
            else:
                side = side_of(ax, ay, bx, by, x, y)
                if side == 0:
                    touched |= bits[piece, 4]
                elif bx <= right:
                    if (side > 0) == (by > ay):
                        inside ^= bits[piece, 4]
                elif side != side_beside(ax, ay, bx, by, right, y):
                    inside ^= bits[piece, 4]
        elif _at_end(ax, ay, bx, by, x, y):
            touched |= bits[piece, 4]
        if ax <= right < bx and _between(ax, ay, bx, by, right, bottom, y):
            inside ^= bits[piece, 4]
    return inside & ~touched, touched


@compiled()
def _lowest_bit(bits: np.uint64) -> int:
    number = 0
    while not bits & np.uint64(1):
        bits >>= np.uint64(1)
        number += 1
    return number


@compiled()
def _among_borders(
    block: int,
    x: float,
    y: float,
    right: float,
    bottom: float,
    blocks: NDArray[np.int64],
    pieces: NDArray[np.float64],
    bits: NDArray[np.uint64],
    members: NDArray[np.int32],
) -> tuple[int, int]:
    """
    Return the area that holds a point, -1 for none, and how many have it inside.

    The first that has it inside, else the first on whose border it lies.
    """
    best, beside, holding = -1, -1, 0
    while True:
        inside, touched = _read_block(block, x, y, right, bottom, blocks, pieces, bits)
        if beside < 0 and touched:
            beside = members[blocks[block, 1] + _lowest_bit(touched)]
        if inside:
            if best < 0:
                best = members[blocks[block, 1] + _lowest_bit(inside)]
            holding += 1 if inside & (inside - np.uint64(1)) == 0 else 2
        if blocks[block, 2] != GOES_ON:
            break
        block += 1
    behind = blocks[block, 2]
    if behind >= 0:
        holding += 1
        best = behind if best < 0 else min(best, behind)
    return (best if best >= 0 else beside), holding


@compiled()
def locate(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    grid: NDArray[np.float64],
    shape: NDArray[np.int64],
    cells: NDArray[np.int32],
    blocks: NDArray[np.int64],
    pieces: NDArray[np.float64],
    bits: NDArray[np.uint64],
    members: NDArray[np.int32],
    layered: NDArray[np.int64],
    rows: NDArray[np.int32],
    found: NDArray[np.int32],
) -> int:
    """
    Write the row of the area that holds each point, -1 for none; count those in several.

    `grid` is the corner of the grid (x, y) and the size of a cell, `shape` its
    rows and columns, `rows` the row of each area in the order of the codes,
    `layered` the cells that more than one area fills.
    """
    several = 0
    east, north = line(grid[0], grid[2], shape[1]), line(grid[1], grid[2], shape[0])
    for point in range(len(x)):
        found[point] = -1
        if not (grid[0] <= x[point] < east and grid[1] <= y[point] < north):
            continue  # what is not a number is not within either
        column = cell_of(grid[0], grid[2], x[point])
        row = cell_of(grid[1], grid[2], y[point])
        cell = row * shape[1] + column
        best, holding = -2 - cells[cell], 1
        if cells[cell] == NOWHERE:
            holding = 0
        elif cells[cell] >= 0:
            right = line(grid[0], grid[2], column + 1)
            bottom = line(grid[1], grid[2], row)
            best, holding = _among_borders(
                cells[cell], x[point], y[point], right, bottom, blocks, pieces, bits, members
            )
        if len(layered):
            place = np.searchsorted(layered, cell)
            if place < len(layered) and layered[place] == cell:
                holding = 2
        if best >= 0:
            found[point] = rows[best]
        several += holding > 1
    return several
