"""The search for k sites: exchanges from several starts, a bound, and HiGHS where asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from placeshaping.shaping._swap import greedy, improve, lower_bound

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

STARTS = 20
"""Starts of the search: one greedy, the others drawn."""

CLOSED = 1e-6
"""A relative gap that is rounding."""

_ROUNDS = 3_000
_KEEP = 30
_RISES = 20
_HALVINGS = 8


@dataclass(frozen=True, eq=False)
class Share:
    """
    A least share of a group's demand to be covered.

    Attributes
    ----------
    covers
        What each candidate (row) covers of each area (column).
    needed
        How much must be covered.
    """

    covers: Floats
    needed: float


@dataclass(frozen=True, eq=False)
class Found:
    """
    Chosen candidates, what they cost, and what no choice can go below.

    Attributes
    ----------
    chosen
        Positions of candidates, kept ones first.
    total
        Cost of serving all areas.
    bound
        No choice of as many costs less.
    fixed_in, fixed_out
        Candidates that every better choice must, or cannot, have.
    """

    chosen: Ints
    total: float
    bound: float
    fixed_in: Flags
    fixed_out: Flags

    @property
    def gap(self) -> float:
        """Share of the cost that might be saved."""
        return relative_gap(self.total, self.bound)


def relative_gap(total: float, bound: float) -> float:
    """
    Return the share of a total that lies above its bound.

    Examples
    --------
    >>> relative_gap(100.0, 99.0), relative_gap(0.0, 0.0)
    (0.01, 0.0)
    """
    return max(0.0, (total - bound) / abs(total)) if total else 0.0


def served(cost: Floats, chosen: Ints) -> float:
    """Return the cost of serving all areas from the chosen candidates."""
    return float(cost[chosen].min(axis=0).sum())


def search(
    cost: Floats, kept: Ints, sites: int, rng: np.random.Generator, *, starts: int = STARTS
) -> Found:
    """Choose sites by exchanges from several starts; the bound is of Lagrange."""
    tried = starts_of(cost, kept, sites, rng, starts)
    totals = improve(cost, tried, len(kept))
    best, total = tried[totals.argmin()], float(totals.min())
    bound, price, worth = -np.inf, _first_price(cost, best, total), np.zeros(len(cost))
    for _ in range(2):
        found, price, value, sets = lower_bound(cost, kept, sites, total, price, _ROUNDS, _KEEP)
        if found > bound:
            bound, worth = float(found), value
        sets = _kept_first(sets, kept)
        totals = improve(cost, sets, len(kept))
        if len(sets) and totals.min() < total:
            best, total = sets[totals.argmin()], float(totals.min())
        if relative_gap(total, bound) < CLOSED:
            break
    fixed_in, fixed_out = _fixed(worth, kept, sites, bound, total)
    nearest = float(cost.min(axis=0).sum())
    return Found(best, total, min(max(bound, nearest), total), fixed_in, fixed_out)


def search_shared(
    cost: Floats, kept: Ints, sites: int, rng: np.random.Generator, share: Share
) -> Found | None:
    """
    Choose sites that also cover a group's share; None where none was found.

    Cover is paid for by a price on it: the lowest price at which enough is
    covered is sought by halving, and every price gives a bound.
    """

    def at(price: float) -> tuple[Found, float]:
        priced = np.ascontiguousarray(cost - price * share.covers)
        found = search(priced, kept, sites, rng)
        covered = float(share.covers[found.chosen].max(axis=0).sum())
        bound = found.bound + price * share.needed
        return replace(found, total=served(cost, found.chosen), bound=bound), covered

    most = search(np.ascontiguousarray(-share.covers), kept, sites, rng)
    if -most.total < share.needed * (1 - 1e-12):
        return None
    best: Found = replace(most, total=served(cost, most.chosen))
    bound, low, high, price = -np.inf, 0.0, 0.0, 0.0
    first = float(cost.max()) / max(float(share.covers.max()), 1e-12) / 2**12
    for _ in range(_RISES):
        found, covered = at(price)
        bound = max(bound, found.bound)
        if covered >= share.needed * (1 - 1e-12):
            best, high = min(best, found, key=lambda f: f.total), price
            break
        low, price = price, 4 * price if price else first
    for _ in range(_HALVINGS if high else 0):
        price = (low + high) / 2
        found, covered = at(price)
        bound = max(bound, found.bound)
        if covered >= share.needed * (1 - 1e-12):
            high = price
            best = found if found.total < best.total else best
        else:
            low = price
    none = np.zeros(len(cost), dtype=bool)
    return Found(best.chosen, best.total, min(bound, best.total), none, none)


def solve_exactly(
    cost: Floats,
    kept: Ints,
    sites: int,
    known: Found,
    *,
    seconds: float,
    share: Share | None = None,
) -> Found:
    """
    Prove or improve what the search found, by HiGHS.

    Candidates that the bound rules out are left out first; so are pairs that
    are dearer than an area's dearest possible site.
    """
    if known.gap < CLOSED and share is None:
        return replace(known, bound=known.total)
    fixed_in = known.fixed_in.copy()
    fixed_in[kept] = True
    open_ = np.flatnonzero(~known.fixed_out | fixed_in)
    part = cost[open_]
    row, column = _needed_pairs(part, fixed_in[open_], sites, all_pairs=share is not None)
    pairs, count = len(row), len(open_)
    objective = np.concatenate([part[row, column], np.zeros(count)])
    least = np.zeros(pairs + count)
    least[pairs:] = fixed_in[open_]
    rules = _rules(row, column, count, cost.shape[1], sites)
    if share is not None:
        covers = np.concatenate([share.covers[open_][row, column], np.zeros(count)])
        rules.append(optimize.LinearConstraint(covers[None, :], share.needed * (1 - 1e-9), np.inf))
    result = optimize.milp(
        objective,
        constraints=rules,
        integrality=np.concatenate([np.zeros(pairs), np.ones(count)]),
        bounds=optimize.Bounds(least, np.ones(pairs + count)),
        options={"time_limit": seconds, "mip_rel_gap": 1e-7},
    )
    return _judged(result, open_, pairs, cost, kept, known)


def _judged(
    result: optimize.OptimizeResult, open_: Ints, pairs: int, cost: Floats, kept: Ints, known: Found
) -> Found:
    """Return the better of what was known and what HiGHS found, with the better bound."""
    bound = known.bound
    if result.mip_dual_bound is not None:
        # what was ruled out costs at least what is known
        bound = max(bound, min(float(result.mip_dual_bound), known.total))
    if result.status == 2:  # nothing that was left in is feasible: what is known stands
        bound = known.total
    if result.x is None:
        return replace(known, bound=bound)
    chosen = open_[result.x[pairs:] > 0.5]
    total = served(cost, chosen)
    if total > known.total:
        return replace(known, bound=bound)
    chosen = np.concatenate([kept, chosen[~np.isin(chosen, kept)]])
    bound = total if result.status == 0 else min(bound, total)
    return replace(known, chosen=chosen, total=total, bound=bound)


def _rules(
    row: Ints, column: Ints, candidates: int, areas: int, sites: int
) -> list[optimize.LinearConstraint]:
    """Each area is served once, by open sites alone; so many sites are open."""
    pairs = len(row)
    which = np.arange(pairs)
    once = sparse.csr_array((np.ones(pairs), (column, which)), shape=(areas, pairs + candidates))
    signs = np.concatenate([np.ones(pairs), -np.ones(pairs)])
    places = (np.tile(which, 2), np.concatenate([which, pairs + row]))
    only_open = sparse.csr_array((signs, places), shape=(pairs, pairs + candidates))
    number = np.concatenate([np.zeros(pairs), np.ones(candidates)])[None, :]
    return [
        optimize.LinearConstraint(once, 1, 1),
        optimize.LinearConstraint(only_open, -np.inf, 0),
        optimize.LinearConstraint(number, sites, sites),
    ]


def _needed_pairs(
    cost: Floats, fixed_in: Flags, sites: int, *, all_pairs: bool
) -> tuple[Ints, Ints]:
    """Return the pairs of candidate and area that some choice may need."""
    if all_pairs:
        row, column = np.nonzero(np.isfinite(cost))
        return row, column
    # of so many candidates all but `sites` are shut: one of the nearest is open
    last = max(0, len(cost) - sites)
    dearest = np.partition(cost, last, axis=0)[last]
    if fixed_in.any():
        dearest = np.minimum(dearest, cost[fixed_in].min(axis=0))
    row, column = np.nonzero(cost <= dearest)
    return row, column


def _fixed(
    worth: Floats, kept: Ints, sites: int, bound: float, total: float
) -> tuple[Flags, Flags]:
    """Tell which candidates must be, or cannot be, in a choice that costs less than the total."""
    ranked = worth.copy()
    ranked[kept] = -np.inf
    order = np.argsort(ranked)
    inside, outside = order[len(kept) : sites], order[sites:]
    fixed_in, fixed_out = np.zeros(len(worth), dtype=bool), np.zeros(len(worth), dtype=bool)
    margin = total + 1e-9 * abs(total)
    if len(inside) and len(outside):
        fixed_out[outside] = bound + worth[outside] - worth[inside[-1]] > margin
        fixed_in[inside] = bound - worth[inside] + worth[outside[0]] > margin
    return fixed_in, fixed_out


def starts_of(cost: Floats, kept: Ints, sites: int, rng: np.random.Generator, count: int) -> Ints:
    """Return choices to start from: a greedy one, the others drawn."""
    free = np.setdiff1d(np.arange(len(cost)), kept)
    drawn = [rng.choice(free, sites - len(kept), replace=False) for _ in range(count - 1)]
    rows = [greedy(cost, kept, sites), *(np.concatenate([kept, new]) for new in drawn)]
    return np.array(rows, dtype=np.int64)


def _kept_first(sets: Ints, kept: Ints) -> Ints:
    """Return sets with the kept candidates in front (they have the lowest rank already)."""
    if not len(kept):
        return sets
    return np.array([np.concatenate([kept, s[~np.isin(s, kept)]]) for s in sets], dtype=np.int64)


def _first_price(cost: Floats, chosen: Ints, total: float) -> Floats:
    """
    Return prices to start from: the second lowest cost of each area.

    Where that is a penalty, above the cost of all areas together, it is the lowest:
    steps from so high a price would not come down to a bound that says anything.
    """
    rank = min(1, len(chosen) - 1)
    lowest, second = np.partition(cost[chosen], (0, rank), axis=0)[[0, rank]]
    return np.asarray(np.where(second > abs(total), lowest, second))
