"""
Numbers that come back by subtraction: found, and hidden with a neighbour.

A released table is full of sums: categories add up to their total, periods to
the whole span, small areas to the larger ones. Where all of a sum is shown
but one hidden part, subtraction gives that part back, as exactly as the
rounding leaves it. Each sum is looked at by itself; where the interval that is
left for a hidden cell is narrower than what its mark says, the smallest shown
part of that sum is hidden too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placeshaping.disclosure.policies import Policy

Cubes = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Sums:
    """
    Every sum that a reader of a release can form.

    Attributes
    ----------
    totals
        Flat cell number of each sum's total.
    parts, sum_of_part
        Flat cell numbers of the parts, and the sum that each is part of.
    """

    totals: NDArray[np.intp]
    parts: NDArray[np.intp]
    sum_of_part: NDArray[np.intp]


def find_sums(
    shapes: Mapping[str, tuple[int, int, int]],
    *,
    periods_add_up: bool,
    categories_add_up: bool,
    parents: Iterable[tuple[str, str, NDArray[np.intp]]],
) -> Sums:
    """
    List the sums among the cells of some cubes.

    Parameters
    ----------
    shapes
        Level -> (periods, categories, areas). Cells are numbered level by
        level, each in C order.
    periods_add_up, categories_add_up
        Whether the first period (category) is the sum of the others.
    parents
        For pairs of levels (finer, coarser): position of each finer area's
        parent.

    Examples
    --------
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> sums.totals.tolist(), sums.parts.tolist()
    ([0], [1, 2])
    """
    cells: dict[str, NDArray[np.intp]] = {}
    start = 0
    for level, shape in shapes.items():
        size = int(np.prod(shape))
        cells[level] = np.arange(start, start + size, dtype=np.intp).reshape(shape)
        start += size
    found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]] = []
    for cube in cells.values():
        if categories_add_up and cube.shape[1] > 1:
            found.append(_along(cube[:, 0, :], np.moveaxis(cube[:, 1:, :], 1, 0)))
        if periods_add_up and cube.shape[0] > 1:
            found.append(_along(cube[0], cube[1:]))
    for finer, coarser, position in parents:
        total = cells[coarser]
        number = np.arange(total.size, dtype=np.intp).reshape(total.shape)
        found.append((total.ravel(), cells[finer].ravel(), number[..., position].ravel()))
    return _joined(found)


def _along(
    totals: NDArray[np.intp], parts: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Sum `parts` along their first axis."""
    number = np.arange(totals.size, dtype=np.intp).reshape(totals.shape)
    return totals.ravel(), parts.ravel(), np.broadcast_to(number, parts.shape).ravel()


def _joined(
    found: Sequence[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]],
) -> Sums:
    offset, totals, parts, number = 0, [], [], []
    for total, part, of in found:
        totals.append(total)
        parts.append(part)
        number.append(of + offset)
        offset += len(total)
    nothing = [np.empty(0, dtype=np.intp)]
    return Sums(*(np.concatenate(arrays or nothing) for arrays in (totals, parts, number)))


def hide_differences(
    counts: NDArray[np.int64], hidden: NDArray[np.bool_], sums: Sums, *, policy: Policy
) -> NDArray[np.bool_]:
    """
    Hide further cells until no single sum gives a hidden one away.

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

    Returns
    -------
    hidden
        The cells to hide, the given ones among them.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import Policy
    >>> exact = Policy("exact", "test", 5, 1, zeros_shown=True, numbers=False)
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> counts = np.array([30, 3, 20, 7])
    >>> hide_differences(counts, counts < 5, sums, policy=exact).tolist()
    [False, True, False, True]
    """
    primary, hidden = hidden, hidden.copy()
    while True:
        leaking = _leaking(counts, primary, hidden, sums, policy)
        if not leaking.any():
            return hidden
        hidden[_to_hide(counts, hidden, sums, leaking)] = True


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


def _leaking(
    counts: NDArray[np.int64],
    primary: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    sums: Sums,
    policy: Policy,
) -> NDArray[np.bool_]:
    """Tell which sums leave a hidden part a narrower interval than its mark says."""
    lower, upper = _bounds(counts, primary, hidden, policy)
    size = len(sums.totals)
    unbounded = np.bincount(sums.sum_of_part, ~np.isfinite(upper[sums.parts]), minlength=size)
    finite = np.where(np.isfinite(upper), upper, 0.0)
    low = np.bincount(sums.sum_of_part, lower[sums.parts], minlength=size)
    high = np.bincount(sums.sum_of_part, finite[sums.parts], minlength=size)
    high = np.where(unbounded > 0, np.inf, high)
    of = sums.sum_of_part
    known = ~hidden[sums.totals][of] & primary[sums.parts]
    least = lower[sums.totals][of] - (high[of] - finite[sums.parts])
    most = upper[sums.totals][of] - (low[of] - lower[sums.parts])
    narrowed = (least > policy.smallest_hidden) | (most < policy.threshold - 1)
    leaking = np.zeros(size, dtype=bool)
    leaking[of[known & narrowed]] = True
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
    return np.concatenate([chosen, sums.totals[helpless]])
