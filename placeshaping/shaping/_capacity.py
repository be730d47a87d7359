"""
Sites with capacities: exchanges judged by a quick assignment, and a bound by knapsacks.

An area's demand may be shared between sites. ``cost`` is that of one unit of
demand, a row for each candidate and a column for each area.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from placeshaping._core.compiled import compiled
from placeshaping.shaping._median import Found
from placeshaping.shaping._swap import nearest_two

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDS = 400
_PATIENCE = 12


@compiled()
def assigned_cost(cost: Floats, demand: Floats, capacity: Floats, chosen: Ints) -> float:
    """
    Assign demand to the nearest site with room, those with most to lose first; return the cost.

    Infinite where the sites have too little room.
    """
    sites, areas = len(chosen), len(demand)
    room = capacity[chosen].copy()
    if room.sum() < demand.sum() * (1 - 1e-12):
        return np.inf
    first, second = np.empty(areas), np.empty(areas)
    nearest_two(cost, chosen, first, second, np.empty(areas, dtype=np.int64))
    total = 0.0
    for i in np.argsort(first - second):
        left = demand[i]
        while left > 0:
            best, owner = np.inf, -1
            for r in range(sites):
                if room[r] > 0 and cost[chosen[r], i] < best:
                    best, owner = cost[chosen[r], i], r
            if owner < 0:
                break  # a rounding of the last bit of room
            taken = min(left, room[owner])
            room[owner] -= taken
            left -= taken
            total += taken * best
    return total


@compiled()
def exchange(cost: Floats, demand: Floats, capacity: Floats, chosen: Ints, kept: int) -> float:
    """Make the first exchange that saves anything, until none does; return the cost."""
    total = assigned_cost(cost, demand, capacity, chosen)
    inside = np.zeros(len(cost), dtype=np.bool_)
    inside[chosen] = True
    better = True
    while better:
        better = False
        for r in range(kept, len(chosen)):
            for j in range(len(cost)):
                if inside[j]:
                    continue
                old = chosen[r]
                chosen[r] = j
                tried = assigned_cost(cost, demand, capacity, chosen)
                if tried < total * (1 - 1e-9):
                    total, better = tried, True
                    inside[old], inside[j] = False, True
                else:
                    chosen[r] = old
    return total


@compiled()
def knapsack_bound(
    cost: Floats,
    demand: Floats,
    capacity: Floats,
    kept: Ints,
    sites: int,
    upper: float,
    start: Floats,
) -> float:
    """Raise the Lagrangian bound; each candidate takes on what pays best, up to its capacity."""
    candidates, areas = cost.shape
    price, best_price = start.copy(), start.copy()
    best, step, waited = -np.inf, 1.0, 0
    worth, taken = np.empty(candidates), np.zeros((candidates, areas))
    for turn in range(_ROUNDS):
        taken[:] = 0.0
        for j in range(candidates):
            gain = cost[j] - price
            room, total = capacity[j], 0.0
            for i in np.argsort(gain):
                if gain[i] >= 0 or room <= 0:
                    break
                amount = min(room, demand[i])
                taken[j, i] = amount
                room -= amount
                total += amount * gain[i]
            worth[j] = total
        ranked = worth.copy()
        ranked[kept] = -np.inf
        chosen = np.argsort(ranked)[:sites]
        bound = (price * demand).sum() + worth[chosen].sum()
        if turn == 0 or bound > best:
            best, waited = bound, 0
            best_price[:] = price
        else:
            waited += 1
        if waited >= _PATIENCE:
            step, waited = step / 2, 0
            price[:] = best_price
        slope = demand.copy()
        for j in chosen:
            slope -= taken[j]
        size = (slope * slope).sum()
        if size == 0 or upper - best <= 1e-7 * upper:
            break
        price += step * (upper - bound) / size * slope
    return best


def search_with_capacity(
    cost: Floats, demand: Floats, capacity: Floats, kept: Ints, sites: int, starts: list[Ints]
) -> Found | None:
    """Choose sites with room for all demand; None where no start finds any."""
    starts = [*starts, _roomiest(capacity, kept, sites)]
    tried = [start.copy() for start in starts]
    totals = [exchange(cost, demand, capacity, chosen, len(kept)) for chosen in tried]
    best = int(np.argmin(totals))
    if not np.isfinite(totals[best]):
        return None
    chosen = tried[best]
    flows = shared_demand(cost[chosen], demand, capacity[chosen])
    total = float((flows * cost[chosen]).sum())
    rank = min(1, sites - 1)
    start = np.partition(cost[chosen], rank, axis=0)[rank]
    bound = float(knapsack_bound(cost, demand, capacity, kept, sites, total, start))
    none = np.zeros(len(cost), dtype=bool)
    return Found(chosen, total, min(bound, total), none, none)


def shared_demand(cost: Floats, demand: Floats, capacity: Floats) -> Floats:
    """Return the cheapest assignment of demand (columns) to sites (rows), by linear programming."""
    sites, areas = cost.shape
    which = np.arange(sites * areas)
    one = np.ones(len(which))
    rows = sparse.csr_array((one, (which // areas, which)), shape=(sites, len(which)))
    columns = sparse.csr_array((one, (which % areas, which)), shape=(areas, len(which)))
    room = np.minimum(capacity, demand.sum())
    result = optimize.milp(
        cost.ravel(),
        constraints=[
            optimize.LinearConstraint(rows, -np.inf, room * (1 + 1e-12)),
            optimize.LinearConstraint(columns, demand, demand),
        ],
    )
    return np.asarray(result.x).reshape(sites, areas)


def solve_with_capacity(
    cost: Floats,
    demand: Floats,
    capacity: Floats,
    kept: Ints,
    sites: int,
    known: Found,
    *,
    seconds: float,
) -> Found:
    """Prove or improve what the search found, by HiGHS."""
    count, areas = cost.shape
    pairs = count * areas
    which = np.arange(pairs)
    row, column = np.repeat(np.arange(count), areas), np.tile(np.arange(areas), count)
    width = pairs + count
    once = sparse.csr_array((np.ones(pairs), (column, which)), shape=(areas, width))
    signs = np.concatenate([np.ones(pairs), -np.ones(pairs)])
    places = (np.tile(which, 2), np.concatenate([which, pairs + row]))
    only_open = sparse.csr_array((signs, places), shape=(pairs, width))
    load = sparse.csr_array(
        (
            np.concatenate([demand[column], -np.minimum(capacity, demand.sum())]),
            (
                np.concatenate([row, np.arange(count)]),
                np.concatenate([which, pairs + np.arange(count)]),
            ),
        ),
        shape=(count, width),
    )
    number = np.concatenate([np.zeros(pairs), np.ones(count)])[None, :]
    least = np.zeros(width)
    least[pairs + kept] = 1
    result = optimize.milp(
        np.concatenate([(cost * demand).ravel(), np.zeros(count)]),
        constraints=[
            optimize.LinearConstraint(once, 1, 1),
            optimize.LinearConstraint(only_open, -np.inf, 0),
            optimize.LinearConstraint(load, -np.inf, 0),
            optimize.LinearConstraint(number, sites, sites),
        ],
        integrality=np.concatenate([np.zeros(pairs), np.ones(count)]),
        bounds=optimize.Bounds(least, np.ones(width)),
        options={"time_limit": seconds, "mip_rel_gap": 1e-7},
    )
    bound = max(known.bound, float(result.mip_dual_bound or -np.inf))
    if result.x is None or result.fun > known.total:
        return Found(
            known.chosen, known.total, min(bound, known.total), known.fixed_in, known.fixed_out
        )
    chosen = np.flatnonzero(result.x[pairs:] > 0.5)
    chosen = np.concatenate([kept, chosen[~np.isin(chosen, kept)]])
    total = float(result.fun)
    bound = total if result.status == 0 else min(bound, total)
    return Found(chosen, total, bound, known.fixed_in, known.fixed_out)


def _roomiest(capacity: Floats, kept: Ints, sites: int) -> Ints:
    free = np.setdiff1d(np.argsort(-capacity, kind="stable"), kept)
    free = free[np.argsort(-capacity[free], kind="stable")]
    return np.concatenate([kept, free[: sites - len(kept)]]).astype(np.int64)
