"""
What no plan of rounds can travel less than.

Rounds from a depot, one edge to the depot taken out of each, are a spanning
tree of depot and stops. A tree with multipliers on the stops, raised until it
looks like rounds, is the bound of Held and Karp for many vehicles (Christofides,
Mingozzi and Toth 1981; Fisher 1994). The other bound counts loads: a round
cannot be shorter than the way to its farthest stop and back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path

Floats = NDArray[np.float64]

STEPS = 300
"""Times that the multipliers are moved."""


def least_travel(
    minutes: Floats, depots: int, *, fewest: int, most: int, load: Floats, capacity: float
) -> float:
    """
    Return what all rounds together must travel at least.

    Parameters
    ----------
    minutes
        From each place (row) to each (column): depots first, then stops.
    depots
        How many of the places are depots.
    fewest, most
        Rounds that there must be, and may be.
    load
        Of each stop.
    capacity
        Of a vehicle; infinite for none.

    Returns
    -------
    minutes
        Both bounds are valid for journeys that differ by direction: the
        shorter of the two is taken, after every detour that shortens one.

    Examples
    --------
    >>> line = np.abs(np.subtract.outer([0.0, 1, 2, 3], [0.0, 1, 2, 3]))
    >>> least_travel(line, 1, fewest=1, most=1, load=np.ones(3), capacity=np.inf)
    6.0
    """
    known = csgraph_from_dense(minutes, null_value=np.inf)  # no way is none, not a way of zero
    shortest = shortest_path(known, directed=True)
    both = np.minimum(shortest, shortest.T)
    home = both[:depots, depots:].min(axis=0)
    among = both[depots:, depots:]
    out_and_back = shortest[:depots, depots:].min(axis=0) + shortest[depots:, :depots].min(axis=1)
    bound = float(out_and_back.max())
    if np.isfinite(capacity):
        bound = max(bound, float((out_and_back * load).sum() / capacity))
    return max(bound, _tree_bound(home, among, fewest, most, bound))


def _tree_bound(home: Floats, among: Floats, fewest: int, most: int, start: float) -> float:
    """Raise the multipliers of a tree until it has two edges at each stop, or steps run out."""
    size = len(home)
    price = np.zeros(size)
    best, scale, waited = start, 2.0, 0
    goal = 1.3 * max(start, float(2 * home.max()), _tree(home, among, price)[0])
    for _ in range(STEPS):
        total, degree = _tree(home, among, price)
        last = np.argsort(home + price, kind="stable")
        sums = np.cumsum((home + price)[last])
        few = min(fewest, size)
        rounds = few + int(np.argmin(sums[few - 1 : min(most, size)]))
        degree[last[:rounds]] += 1
        found = total + sums[rounds - 1] - 2 * price.sum()
        if found > best + 1e-9:
            best, waited = found, 0
        else:
            waited += 1
        off = degree - 2.0
        square = float((off**2).sum())
        if square == 0 or scale < 1e-3:
            break
        if waited == 15:
            scale, waited = scale / 2, 0
        goal = max(goal, 1.02 * best)
        price = price + scale * max(goal - found, 1e-6) / square * off
    return float(best)


def _tree(home: Floats, among: Floats, price: Floats) -> tuple[float, Floats]:
    """Return the length of the least spanning tree of depot and stops, and each stop's edges."""
    size = len(home)
    degree = np.zeros(size)
    near = home + price
    owner = np.full(size, -1)
    outside = np.ones(size, dtype=bool)
    total = 0.0
    for _ in range(size):
        one = int(np.argmin(np.where(outside, near, np.inf)))
        total += float(near[one])
        outside[one] = False
        degree[one] += 1
        if owner[one] >= 0:
            degree[owner[one]] += 1
        away = among[one] + price[one] + price
        nearer = outside & (away < near)
        near[nearer] = away[nearer]
        owner[nearer] = one
    return total, degree
