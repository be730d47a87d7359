"""
Compiled kernels: which k candidates serve all areas at the least cost, and how low it can get.

``cost`` has a row for each candidate and a column for each area; an area is
served by the chosen candidate that costs it least. In ``chosen`` the first
``kept`` candidates may not be exchanged.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PATIENCE = 25
_SHORTEST_STEP = 1e-5


@compiled()
def nearest_two(cost: Floats, chosen: Ints, first: Floats, second: Floats, owner: Ints) -> None:
    """Fill in the two lowest costs of each area, and the place in `chosen` of the lowest."""
    first[:] = np.inf
    second[:] = np.inf
    for r in range(len(chosen)):
        row = cost[chosen[r]]
        for i in range(len(first)):
            if row[i] < first[i]:
                second[i] = first[i]
                first[i] = row[i]
                owner[i] = r
            elif row[i] < second[i]:
                second[i] = row[i]


@compiled()
def best_swap(
    cost: Floats, chosen: Ints, kept: int, first: Floats, second: Floats, owner: Ints
) -> tuple[float, int, int]:
    """Return the largest saving by one exchange, which place leaves and which candidate enters."""
    inside = np.zeros(len(cost), dtype=np.bool_)
    inside[chosen] = True
    loss = np.empty(len(chosen))
    best, leaves, enters = 0.0, -1, -1
    for j in range(len(cost)):
        if inside[j]:
            continue
        row = cost[j]
        loss[:] = 0.0
        gain = 0.0
        for i in range(len(first)):
            if row[i] < first[i]:
                gain += first[i] - row[i]
            else:
                loss[owner[i]] += min(row[i], second[i]) - first[i]
        for r in range(kept, len(chosen)):
            if gain - loss[r] > best:
                best, leaves, enters = gain - loss[r], r, j
    return best, leaves, enters


@compiled()
def interchange(cost: Floats, chosen: Ints, kept: int) -> float:
    """Exchange candidates, the best exchange first, until none saves anything; return the cost."""
    areas = cost.shape[1]
    first, second, owner = np.empty(areas), np.empty(areas), np.empty(areas, dtype=np.int64)
    nearest_two(cost, chosen, first, second, owner)
    while kept < len(chosen):
        saved, leaves, enters = best_swap(cost, chosen, kept, first, second, owner)
        if saved <= 1e-10 * (1.0 + np.abs(first).sum()):
            break
        chosen[leaves] = enters
        nearest_two(cost, chosen, first, second, owner)
    return float(first.sum())


@compiled(parallel=True)
def improve(cost: Floats, starts: Ints, kept: int) -> Floats:
    """Improve every start in place; return the costs."""
    total = np.empty(len(starts))
    for s in numba.prange(len(starts)):
        total[s] = interchange(cost, starts[s], kept)
    return total


@compiled()
def greedy(cost: Floats, kept: Ints, sites: int) -> Ints:
    """Add the candidate that saves most, one after another."""
    candidates, areas = cost.shape
    chosen = np.empty(sites, dtype=np.int64)
    chosen[: len(kept)] = kept
    inside = np.zeros(candidates, dtype=np.bool_)
    inside[kept] = True
    first = np.full(areas, np.inf)
    for j in kept:
        first = np.minimum(first, cost[j])
    for r in range(len(kept), sites):
        best, enters = np.inf, -1
        for j in range(candidates):
            if inside[j]:
                continue
            total = np.minimum(first, cost[j]).sum()
            if total < best or enters < 0:
                best, enters = total, j
        chosen[r] = enters
        inside[enters] = True
        first = np.minimum(first, cost[enters])
    return chosen


@compiled()
def lowered(cost: Floats, price: Floats, worth: Floats) -> None:
    """Fill in what each candidate takes off when areas pay their price to be served."""
    for j in range(len(cost)):
        row = cost[j]
        total = 0.0
        for i in range(len(price)):
            total += min(0.0, row[i] - price[i])
        worth[j] = total


@compiled()
def lower_bound(
    cost: Floats, kept: Ints, sites: int, upper: float, price: Floats, rounds: int, keep: int
) -> tuple[float, Floats, Floats, Ints]:
    """
    Raise the Lagrangian bound of the p-median by subgradient steps from a start.

    Returned are the bound, the prices and the worth of candidates that give
    it, and the last sets that were seen when it rose (`keep` of them).
    """
    candidates, areas = cost.shape
    worth, best_worth, best_price = np.empty(candidates), np.zeros(candidates), price.copy()
    price = price.copy()
    seen, sets = 0, np.empty((keep, sites), dtype=np.int64)
    best, step, waited = -np.inf, 1.0, 0
    for _ in range(rounds):
        lowered(cost, price, worth)
        ranked = worth.copy()
        ranked[kept] = -np.inf
        chosen = np.argsort(ranked)[:sites]
        bound = price.sum() + worth[chosen].sum()
        if seen == 0 or bound > best + 1e-9 * abs(best):
            best, waited = bound, 0
            best_worth[:], best_price[:] = worth, price
            sets[seen % keep] = chosen
            seen += 1
        else:
            waited += 1
        if waited >= _PATIENCE:
            step, waited = step / 2, 0
            price[:] = best_price
        if upper - best <= 1e-7 * (1.0 + abs(upper)) or step < _SHORTEST_STEP:
            break
        slope = np.ones(areas)
        for j in chosen:
            row = cost[j]
            for i in range(areas):
                slope[i] -= row[i] < price[i]
        size = (slope * slope).sum()
        if size == 0:
            break
        price += step * (upper - bound) / size * slope
    return best, best_price, best_worth, sets[: min(seen, keep)]
