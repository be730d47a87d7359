"""Which earlier events lie close to each event, in space and in time."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Floats = NDArray[np.float64]


def close_pairs(
    days: Floats, x: Floats, y: Floats, *, within_days: float, within_metres: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """
    List, for each event, the earlier ones within a time and a distance.

    Memory is linear in the number of pairs: 12 bytes each.

    Parameters
    ----------
    days
        Times in days, rising.
    x, y
        Coordinates in metres.
    within_days, within_metres
        An earlier event counts if it is less than the first before the event,
        and less than the second away. One at the very same time is not earlier.

    Returns
    -------
    first
        Position at which the pairs of each event begin; one more at the end.
    earlier
        The earlier event of each pair, by position.
    lag, squared
        Days between the two, and their squared distance in square metres.
    """
    order, start, columns = sorted_into_squares(x, y, within_metres)
    square = (order, start, columns, x.min(), y.min())
    counts = np.zeros(len(days) + 1, dtype=np.int64)
    _count(days, x, y, *square, within_days, within_metres, counts)
    first = np.cumsum(counts)
    earlier = np.empty(first[-1], dtype=np.int32)
    lag = np.empty(first[-1], dtype=np.float32)
    squared = np.empty(first[-1], dtype=np.float32)
    _fill(days, x, y, *square, within_days, within_metres, first, earlier, lag, squared)
    return first, earlier, lag, squared


def sorted_into_squares(
    x: Floats, y: Floats, size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """
    Sort events into squares, row by row, and within each as they come.

    Returns
    -------
    order
        Positions of the events, square after square.
    start
        Where each square begins among them; one more at the end.
    columns
        Squares in a row.
    """
    column = ((x - x.min()) // size).astype(np.int64)
    row = ((y - y.min()) // size).astype(np.int64)
    columns = int(column.max()) + 1
    square = row * columns + column
    order = np.argsort(square, kind="stable").astype(np.int64)
    squares = (int(row.max()) + 1) * columns
    start = np.concatenate([[0], np.cumsum(np.bincount(square, minlength=squares))])
    return order, start.astype(np.int64), columns


@compiled()
def _later_than(days: Any, order: Any, low: int, high: int, bound: float) -> int:
    """Return the first position between two of a square's events that is later than a time."""
    while low < high:
        middle = (low + high) // 2
        if days[order[middle]] > bound:
            high = middle
        else:
            low = middle + 1
    return low


@compiled(parallel=True)
def _count(
    days: Any, x: Any, y: Any, order: Any, start: Any, columns: int, x0: float, y0: float,
    within_days: float, within_metres: float, counts: Any,
) -> None:  # fmt: skip
    rows = (len(start) - 1) // columns
    for i in numba.prange(len(days)):
        column, row = int((x[i] - x0) // within_metres), int((y[i] - y0) // within_metres)
        found = 0
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            for c in range(max(column - 1, 0), min(column + 2, columns)):
                low, high = start[r * columns + c], start[r * columns + c + 1]
                k = _later_than(days, order, low, high, days[i] - within_days)
                while k < high and days[order[k]] < days[i]:
                    j = order[k]
                    if (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 < within_metres**2:
                        found += 1
                    k += 1
        counts[i + 1] = found


@compiled(parallel=True)
def _fill(
    days: Any, x: Any, y: Any, order: Any, start: Any, columns: int, x0: float, y0: float,
    within_days: float, within_metres: float, first: Any, earlier: Any, lag: Any, squared: Any,
) -> None:  # fmt: skip
    rows = (len(start) - 1) // columns
    for i in numba.prange(len(days)):
        column, row = int((x[i] - x0) // within_metres), int((y[i] - y0) // within_metres)
        at = first[i]
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            for c in range(max(column - 1, 0), min(column + 2, columns)):
                low, high = start[r * columns + c], start[r * columns + c + 1]
                k = _later_than(days, order, low, high, days[i] - within_days)
                while k < high and days[order[k]] < days[i]:
                    j = order[k]
                    apart = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
                    if apart < within_metres**2:
                        earlier[at], lag[at], squared[at] = j, days[i] - days[j], apart
                        at += 1
                    k += 1
