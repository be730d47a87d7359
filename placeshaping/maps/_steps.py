"""
The points of arcs as steps from one to the next, each point once.

Rings are walked in their order. Where an arc begins and where the last one of
a ring ends follows from its neighbours, so that a point at which borders meet
is written when it is reached for the first time, and mostly never again.
"""

from __future__ import annotations

import numpy as np

from placeshaping._core.compiled import compiled
from placeshaping.maps._arcs import Whole


def steps_of_points(units: Whole, first: Whole, used: Whole, sizes: Whole) -> tuple[Whole, Whole]:
    """
    Return how many points lie between the ends of each arc, and the steps to those written.

    Parameters
    ----------
    units
        Points of all arcs in a row, shape (points, 2).
    first
        Where each arc begins in `units`, and the end of the last.
    used, sizes
        The arcs of all rings in a row, and how many each ring has; an arc is
        met for the first time forwards, in the order of the numbers.

    Returns
    -------
    inner, steps
        Shapes (arcs,) and (points written, 2).
    """
    return np.diff(first) - 2, _steps(units, first, used, sizes)


def points_from_steps(inner: Whole, steps: Whole, used: Whole, sizes: Whole) -> tuple[Whole, Whole]:
    """
    Read what `steps_of_points` returns.

    Parameters
    ----------
    inner, steps
        As it returns them.
    used, sizes
        As it was given them.

    Returns
    -------
    units, first
        As it was given them.
    """
    first = np.r_[0, np.cumsum(inner + 2)]
    return _points(first, steps, used, sizes), first


@compiled()
def _ends_here(used: Whole, at: int, past: int) -> bool:
    """Tell whether the end of a new arc follows from what comes after it in its ring."""
    if at + 1 == past:
        return True
    return bool((~used[at + 1] if used[at + 1] < 0 else used[at + 1]) < used[at])


@compiled()
def _steps(units: Whole, first: Whole, used: Whole, sizes: Whole) -> Whole:
    steps = np.empty_like(units)
    n, at, met = 0, 0, 0
    x, y = 0, 0
    for size in sizes:
        past = at + size
        begin = at
        while at < past:
            arc = used[at]
            if arc == met:
                met += 1
                low, high = first[arc], first[arc + 1]
                low = low if at == begin else low + 1
                high = high - 1 if _ends_here(used, at, past) else high
                for k in range(low, high):
                    steps[n, 0], steps[n, 1] = units[k, 0] - x, units[k, 1] - y
                    x, y = units[k, 0], units[k, 1]
                    n += 1
            last = first[~arc] if arc < 0 else first[arc + 1] - 1
            x, y = units[last, 0], units[last, 1]
            at += 1
    return steps[:n].copy()


@compiled()
def _points(first: Whole, steps: Whole, used: Whole, sizes: Whole) -> Whole:
    units = np.zeros((first[-1], 2), dtype=np.int64)
    n, at, met = 0, 0, 0
    x, y = 0, 0
    for size in sizes:
        past = at + size
        begin = at
        start_x, start_y = 0, 0
        while at < past:
            arc = used[at]
            if arc == met:
                met += 1
                low, high = first[arc], first[arc + 1]
                if at > begin:
                    units[low, 0], units[low, 1] = x, y
                low = low if at == begin else low + 1
                high = high - 1 if _ends_here(used, at, past) else high
                for k in range(low, high):
                    x, y = x + steps[n, 0], y + steps[n, 1]
                    units[k, 0], units[k, 1] = x, y
                    n += 1
                if at == begin:
                    start_x, start_y = units[first[arc], 0], units[first[arc], 1]
                if high < first[arc + 1]:
                    if at + 1 == past:
                        x, y = start_x, start_y
                    else:
                        following = used[at + 1]
                        end = first[~following + 1] - 1 if following < 0 else first[following]
                        x, y = units[end, 0], units[end, 1]
                    units[high, 0], units[high, 1] = x, y
            else:
                ends = first[~arc + 1] - 1 if arc < 0 else first[arc]
                if at == begin:
                    start_x, start_y = units[ends, 0], units[ends, 1]
                last = first[~arc] if arc < 0 else first[arc + 1] - 1
                x, y = units[last, 0], units[last, 1]
            at += 1
    return units
