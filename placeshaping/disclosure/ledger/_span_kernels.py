"""
Compiled kernels: bounds on all spans of all areas and categories, tightened in place.

`reach[p, q]` is the most that the records before `q` can exceed those before
`p` by; see `ledger_bounds`. `blame` holds, beside each bound, the lowest
number of the cells that it was worked out from, 0 where none has a number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

UNKNOWN = 1 << 29
"""Stands for "no upper bound"; twice as much still fits into 32 bits."""

Ints = NDArray[np.int32]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@compiled()
def lower_number(one: int, other: int) -> int:
    """Return the lower of two numbers of cells, of which 0 is none."""
    if one == 0 or (0 < other < one):
        return other
    return one


@compiled()
def tighten(reach: Ints, blame: Ints, i: int, j: int, weight: int, number: int) -> None:
    """Let all paths go by a new edge from `i` to `j`."""
    ends = len(reach)
    for p in range(ends):
        if reach[p, i] >= UNKNOWN:
            continue
        for q in range(ends):
            length = reach[p, i] + weight + reach[j, q]
            if length < reach[p, q] and reach[j, q] < UNKNOWN:
                reach[p, q] = length
                blame[p, q] = lower_number(lower_number(blame[p, i], number), blame[j, q])


@compiled()
def take_in(
    reach: Ints,
    blame: Ints,
    starts: Numbers,
    first: Numbers,
    last: Numbers,
    lower: Ints,
    upper: Ints,
    number: Ints,
) -> int:
    """
    Take cells in, one after the other; return how many contradict those before and say nothing.

    Those of group `g`, bounds ``reach[g]``, are `starts[g]` to `starts[g + 1]`.
    """
    wrong = 0
    for g in range(len(starts) - 1):
        for cell in range(starts[g], starts[g + 1]):
            i, j = first[cell], last[cell]
            if upper[cell] < -reach[g, j, i] or lower[cell] > reach[g, i, j]:
                wrong += 1
                continue
            if upper[cell] < reach[g, i, j]:
                tighten(reach[g], blame[g], i, j, upper[cell], number[cell])
            if lower[cell] > -reach[g, j, i]:
                tighten(reach[g], blame[g], j, i, -lower[cell], number[cell])
    return wrong


@compiled()
def close_one(reach: Ints, blame: Ints) -> bool:
    """Follow all paths of one group; tell whether they contradict themselves."""
    ends = len(reach)
    for k in range(ends):
        for p in range(ends):
            through = reach[p, k]
            if through >= UNKNOWN:
                continue
            for q in range(ends):
                if through + reach[k, q] < reach[p, q] and reach[k, q] < UNKNOWN:
                    reach[p, q] = through + reach[k, q]
                    blame[p, q] = lower_number(blame[p, k], blame[k, q])
            if reach[p, p] < 0:
                return True
    return False


@compiled()
def close(reach: Ints, blame: Ints, stamp: Ints, round_: int) -> Flags:
    """Follow all paths in the groups stamped with a round; tell which contradict themselves."""
    torn = np.zeros(len(reach), dtype=np.bool_)
    for g in range(len(reach)):
        if stamp[g] == round_:
            torn[g] = close_one(reach[g], blame[g])
    return torn


@compiled()
def together(reach: Ints, parts: Numbers, known: Ints, unknown: Ints) -> None:
    """Add up the parts of a sum for every span: the known bounds, and how many are unknown."""
    ends = reach.shape[1]
    known[:] = 0
    unknown[:] = 0
    for part in parts:
        for p in range(ends):
            for q in range(ends):
                value = reach[part, p, q]
                open_ = value >= UNKNOWN
                known[p, q] += 0 if open_ else value
                unknown[p, q] += 1 if open_ else 0


@compiled()
def lowest(blame: Ints, parts: Numbers, without: int, p: int, q: int) -> int:
    """Return the lowest number to blame among the parts of a sum but one."""
    found = 0
    for part in parts:
        if part != without:
            found = lower_number(found, blame[part, p, q])
    return found


@compiled()
def tell_total(
    reach: Ints, blame: Ints, total: int, parts: Numbers, known: Ints, unknown: Ints
) -> tuple[bool, bool]:
    """
    Let the parts tell of their total; return whether it changed, and whether it contradicts them.

    Spans for which it does are set unknown.
    """
    ends = reach.shape[1]
    wrong, news = False, False
    for p in range(ends):
        for q in range(ends):
            if unknown[p, q] == 0 and known[p, q] + reach[total, q, p] < 0:
                unknown[p, q], unknown[q, p], wrong = 2, 2, True
    for p in range(ends):
        for q in range(ends):
            if unknown[p, q] == 0 and known[p, q] < reach[total, p, q]:
                reach[total, p, q] = known[p, q]
                blame[total, p, q] = lowest(blame, parts, -1, p, q)
                news = True
    return news, wrong


@compiled()
def tell_part(
    reach: Ints, blame: Ints, total: int, parts: Numbers, part: int, known: Ints, unknown: Ints
) -> bool:
    """Let the total and the other parts tell of a part; return whether it changed."""
    ends = reach.shape[1]
    news = False
    for p in range(ends):
        for q in range(ends):
            own = reach[part, p, q]
            left = reach[total, q, p]
            if unknown[p, q] == 0:
                bound = left + known[p, q] - own
            elif unknown[p, q] == 1 and own >= UNKNOWN:
                bound = left + known[p, q]
            else:
                continue
            if bound < reach[part, q, p] and left < UNKNOWN:
                reach[part, q, p] = bound
                others = lowest(blame, parts, part, p, q)
                blame[part, q, p] = lower_number(blame[total, q, p], others)
                news = True
    return news


@compiled()
def add_up(
    reach: Ints,
    blame: Ints,
    totals: Numbers,
    starts: Numbers,
    parts: Numbers,
    stamp: Ints,
    frozen: Flags,
    silent: Flags,
    round_: int,
) -> None:
    """
    Let every sum along the first axis tell of its total and its parts, for every span.

    Sums of which nothing has changed since the round before are passed over.
    `silent` is set where a sum contradicts itself.
    """
    ends = reach.shape[2]
    known = np.empty((ends, ends), dtype=np.int32)
    unknown = np.empty((ends, ends), dtype=np.int32)
    for other in range(reach.shape[1]):
        bounds, blamed = reach[:, other], blame[:, other]
        for s in range(len(totals)):
            total, members = totals[s], parts[starts[s] : starts[s + 1]]
            news = stamp[total, other] >= round_ - 1
            for part in members:
                news = news or stamp[part, other] >= round_ - 1
            if not news:
                continue
            together(bounds, members, known, unknown)
            if frozen[total, other]:
                continue
            news, wrong = tell_total(bounds, blamed, total, members, known, unknown)
            silent[s, other] = silent[s, other] or wrong
            if news:
                stamp[total, other] = round_
            for part in members:
                if not frozen[part, other] and tell_part(
                    bounds, blamed, total, members, part, known, unknown
                ):
                    stamp[part, other] = round_


@compiled()
def list_given(
    reach: Ints,
    blame: Ints,
    by_old: Ints,
    alone: Ints,
    threshold: Numbers,
    smallest: int,
    found: Numbers,
) -> int:
    """
    List the counts that the joint bounds give away, and neither the old nor the new ones alone.

    Written into `found` as far as it has room: area, category, start, end,
    and the number to blame. Returned is how many there are.
    """
    areas, categories, ends, _ = reach.shape
    size = 0
    for a in range(areas):
        for c in range(categories):
            for p in range(ends):
                for q in range(p + 1, ends):
                    high, low = reach[a, c, p, q], -reach[a, c, q, p]
                    if not narrower(low, high, smallest, threshold[c] - 1):
                        continue
                    number = to_blame(reach[a, c], blame[a, c], by_old[a, c], alone[a, c], p, q)
                    if number > 0:
                        if size < len(found):
                            found[size] = (a, c, p, q, number)
                        size += 1
    return size


@compiled()
def narrower(low: int, high: int, smallest: int, most: int) -> bool:
    """Tell whether bounds lie under the threshold and leave out some of what a mark allows."""
    return smallest <= high <= most and (high < most or low > smallest)


@compiled()
def to_blame(reach: Ints, blame: Ints, by_old: Ints, alone: Ints, p: int, q: int) -> int:
    """Return the cell to blame for joint bounds narrower than those of both sides; 0 for none."""
    upper, lower = reach[p, q] < by_old[p, q], reach[q, p] < by_old[q, p]
    news = reach[p, q] < alone[p, q] or reach[q, p] < alone[q, p]
    if not news:
        return 0
    return lower_number(blame[p, q] if upper else 0, blame[q, p] if lower else 0)
