"""
Numbers that come back by subtraction: found, and hidden with a neighbour.

A released table is full of sums: categories add up to their total, periods to
the whole span, small areas to the larger ones. What a reader knows of each
cell (its rounded count, or that it is hidden) bounds the others of every sum
it stands in, and those bound the next. The bounds are propagated through all
sums until nothing changes. Where a small count is left a narrower interval than
its mark says, the smallest shown part of the sum that narrows it is hidden too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placeshaping.disclosure.cells import Sums
from placeshaping.disclosure.policies import Policy


def hide_differences(
    counts: NDArray[np.int64],
    hidden: NDArray[np.bool_],
    sums: Sums,
    *,
    policy: Policy,
    unpublished: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """
    Hide further cells until the sums give no hidden one away, or nothing is left to hide.

    A hidden total is known to be at least the number of its hidden parts; no
    further hiding can change that, and it is not counted as given away.

    Parameters
    ----------
    counts
        True counts of all cells, flat.
    hidden
        Cells that the threshold hides.
    sums
        Sums among the cells.
    policy
        Threshold and rounding.
    unpublished
        Cells that are published nowhere and only tie sums together.

    Returns
    -------
    hidden
        The cells to hide, the given ones among them.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums
    >>> from placeshaping.disclosure.policies import Policy
    >>> exact = Policy(
    ...     "exact", "test", 5, 1, zeros_shown=True, numbers=False, method="suppress"
    ... )
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> counts = np.array([30, 3, 20, 7])
    >>> hide_differences(counts, counts < 5, sums, policy=exact).tolist()
    [False, True, False, True]
    """
    primary = hidden
    hidden = primary.copy() if unpublished is None else primary | unpublished
    while True:
        leaking = _leaking(counts, primary, hidden, sums, policy)
        further = _to_hide(counts, hidden, sums, leaking)
        if not len(further):
            return hidden
        hidden[further] = True


def _bounds(
    counts: NDArray[np.int64],
    primary: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    policy: Policy,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a reader knows of each cell: its lowest and highest possible count."""
    half = (policy.rounding - 1) / 2
    shown = policy.rounding * np.rint(counts / policy.rounding)
    exact = counts == 0
    lower = np.where(exact, 0, np.maximum(shown - half, policy.threshold))
    upper = np.where(exact, 0, shown + half)
    lower = np.where(hidden, policy.smallest_hidden, lower)
    upper = np.where(hidden, np.where(primary, policy.threshold - 1, np.inf), upper)
    return lower, upper


@dataclass(frozen=True)
class _Implied:
    """What each sum says of its total and of each part."""

    total_least: NDArray[np.float64]
    total_most: NDArray[np.float64]
    part_least: NDArray[np.float64]
    part_most: NDArray[np.float64]


def _implied(lower: NDArray[np.float64], upper: NDArray[np.float64], sums: Sums) -> _Implied:
    size, of = len(sums.totals), sums.sum_of_part
    high = upper[sums.parts]
    unbounded = np.bincount(of, ~np.isfinite(high), minlength=size)
    finite = np.where(np.isfinite(high), high, 0.0)
    least = np.bincount(of, lower[sums.parts], minlength=size).astype(float)
    most = np.bincount(of, finite, minlength=size).astype(float)
    others_unbounded = unbounded[of] - ~np.isfinite(high) > 0
    others_most = np.where(others_unbounded, np.inf, most[of] - finite)
    return _Implied(
        total_least=least,
        total_most=np.where(unbounded > 0, np.inf, most),
        part_least=lower[sums.totals][of] - others_most,
        part_most=upper[sums.totals][of] - (least[of] - lower[sums.parts]),
    )


def propagate(
    lower: NDArray[np.float64], upper: NDArray[np.float64], sums: Sums, *, rounds: int = 50
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Tighten bounds through all sums until nothing changes.

    Parameters
    ----------
    lower, upper
        What is known of each cell.
    sums
        Sums among the cells.
    rounds
        The most rounds; few are needed.

    Returns
    -------
    lower, upper
        No wider than those given.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> low, high = propagate(np.array([10.0, 0.0, 7.0]), np.array([10.0, 99.0, 8.0]), sums)
    >>> low.tolist(), high.tolist()
    ([10.0, 2.0, 7.0], [10.0, 3.0, 8.0])
    """
    for _ in range(rounds):
        implied = _implied(lower, upper, sums)
        new_lower, new_upper = lower.copy(), upper.copy()
        np.maximum.at(new_lower, sums.totals, implied.total_least)
        np.minimum.at(new_upper, sums.totals, implied.total_most)
        np.maximum.at(new_lower, sums.parts, implied.part_least)
        np.minimum.at(new_upper, sums.parts, implied.part_most)
        if np.array_equal(new_lower, lower) and np.array_equal(new_upper, upper):
            break
        lower, upper = new_lower, new_upper
    return lower, upper


def _leaking(
    counts: NDArray[np.int64],
    primary: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    sums: Sums,
    policy: Policy,
) -> NDArray[np.bool_]:
    """Tell which sums leave a small hidden part a narrower interval than its mark says."""
    lower, upper = propagate(*_bounds(counts, primary, hidden, policy), sums)
    inherent, _ = propagate(
        np.where(hidden, float(policy.smallest_hidden), 0.0), np.full(len(counts), np.inf), sums
    )
    given_away = primary & ((lower > inherent) | (upper < policy.threshold - 1))
    implied = _implied(lower, upper, sums)
    narrows = (implied.part_least > inherent[sums.parts]) | (
        implied.part_most < policy.threshold - 1
    )
    leaking = np.zeros(len(sums.totals), dtype=bool)
    leaking[sums.sum_of_part[given_away[sums.parts] & narrows]] = True
    return leaking


def _to_hide(
    counts: NDArray[np.int64],
    hidden: NDArray[np.bool_],
    sums: Sums,
    leaking: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Choose, for each leaking sum, the smallest shown part, or the total where there is none."""
    of = sums.sum_of_part
    usable = leaking[of] & ~hidden[sums.parts] & (counts[sums.parts] > 0)
    part, number = sums.parts[usable], of[usable]
    order = np.lexsort((part, counts[part], number))
    first = np.unique(number[order], return_index=True)[1]
    chosen = part[order][first]
    helpless = leaking.copy()
    helpless[number] = False
    totals = sums.totals[helpless]
    return np.concatenate([chosen, totals[~hidden[totals]]])
