"""Compiled kernels of bound propagation: a work-list of sums, and what hiding a cell undoes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


class Incidence(NamedTuple):
    """
    Which cells stand in which sums, both ways, as compressed rows.

    Attributes
    ----------
    totals
        Cell number of each sum's total.
    part_start, parts
        Parts of sum `s` are ``parts[part_start[s]:part_start[s + 1]]``, by cell number.
    sum_start, sums
        Sums that cell `c` stands in, as total or as part, likewise.
    """

    totals: Ints
    part_start: Ints
    parts: Ints
    sum_start: Ints
    sums: Ints


@compiled()
def _extent(one: int, lower: Floats, upper: Floats, among: Incidence) -> tuple[float, float, int]:
    """Return the least and the most of a sum's parts, and how many have no upper bound."""
    least, most, unbounded = 0.0, 0.0, 0
    for at in range(among.part_start[one], among.part_start[one + 1]):
        part = among.parts[at]
        least += lower[part]
        if upper[part] == np.inf:
            unbounded += 1
        else:
            most += upper[part]
    return least, most, unbounded


@compiled()
def _implied(
    one: int,
    cell: int,
    extent: tuple[float, float, int],
    lower: Floats,
    upper: Floats,
    among: Incidence,
) -> tuple[float, float]:
    """Return what a sum says of its total or of one of its parts."""
    least, most, unbounded = extent
    total = among.totals[one]
    if cell == total:
        return least, most if unbounded == 0 else np.inf
    free = upper[cell] == np.inf
    alone = unbounded == 1 if free else unbounded == 0
    others = most if free else most - upper[cell]
    low = lower[total] - others if alone else -np.inf
    return low, upper[total] - (least - lower[cell])


@compiled()
def tighten(lower: Floats, upper: Floats, waiting: Bools, visits: int, among: Incidence) -> int:
    """Tighten bounds in place through the waiting sums and all they touch; return the visits."""
    size = len(among.totals)
    first = np.flatnonzero(waiting)
    ring = np.empty(max(size, 1), dtype=np.intp)
    ring[: len(first)] = first
    head, left, done = 0, len(first), 0
    while left > 0 and done < visits:
        one = ring[head]
        head = (head + 1) % size
        left -= 1
        done += 1
        waiting[one] = False
        extent = _extent(one, lower, upper, among)
        # The total first: its parts then use what is known of it.
        for at in range(among.part_start[one] - 1, among.part_start[one + 1]):
            cell = among.totals[one] if at < among.part_start[one] else among.parts[at]
            low, high = _implied(one, cell, extent, lower, upper, among)
            if low <= lower[cell] and high >= upper[cell]:
                continue
            lower[cell] = max(low, lower[cell])
            upper[cell] = min(high, upper[cell])
            for place in range(among.sum_start[cell], among.sum_start[cell + 1]):
                other = among.sums[place]
                if other != one and not waiting[other]:
                    waiting[other] = True
                    ring[(head + left) % size] = other
                    left += 1
    return done


@compiled()
def _rests(
    one: int,
    kind: int,
    known: tuple[Floats, Floats],
    given: tuple[Floats, Floats],
    undone: Bools,
    stack: Ints,
    depth: int,
    among: Incidence,
) -> int:
    """
    Push the bounds that rest on one side of a sum: those that it implies as things stand.

    Side 0 is what its parts hold at least and its total at most; it bears on
    the total's least and on the parts' most. Side 1 is the other way round.
    """
    lower, upper = known
    extent = _extent(one, lower, upper, among)
    for at in range(among.part_start[one] - 1, among.part_start[one + 1]):
        cell = among.totals[one] if at < among.part_start[one] else among.parts[at]
        low, high = _implied(one, cell, extent, lower, upper, among)
        if (cell == among.totals[one]) == (kind == 0):
            mark = 2 * cell
            rests = lower[cell] > given[0][cell] and low >= lower[cell]
        else:
            mark = 2 * cell + 1
            rests = upper[cell] < given[1][cell] and high <= upper[cell]
        if rests and not undone[mark]:
            undone[mark] = True
            stack[depth] = mark
            depth += 1
    return depth


@compiled()
def relax(
    known: tuple[Floats, Floats],
    given: tuple[Floats, Floats],
    wider: Ints,
    among: Incidence,
) -> Bools:
    """
    Undo, in place, every bound that may rest on one that is now wider; return the sums to redo.

    `wider` holds ``2 * cell`` for a lower bound and ``2 * cell + 1`` for an upper one.
    """
    size = len(known[0])
    stack = np.empty(2 * size, dtype=np.intp)
    undone = np.zeros(2 * size, dtype=np.bool_)
    asked = np.zeros(2 * len(among.totals), dtype=np.bool_)
    undone[wider] = True
    stack[: len(wider)] = wider
    depth = len(wider)
    while depth > 0:
        depth -= 1
        cell, kind = stack[depth] // 2, stack[depth] % 2
        for place in range(among.sum_start[cell], among.sum_start[cell + 1]):
            one = among.sums[place]
            side = 1 - kind if cell == among.totals[one] else kind
            if not asked[2 * one + side]:
                asked[2 * one + side] = True
                depth = _rests(one, side, known, given, undone, stack, depth, among)
    waiting = np.zeros(len(among.totals), dtype=np.bool_)
    for mark in np.flatnonzero(undone):
        cell = mark // 2
        known[mark % 2][cell] = given[mark % 2][cell]
        touch(waiting, np.array([cell]), among)
    return waiting


@compiled()
def touch(waiting: Bools, cells: Ints, among: Incidence) -> None:
    """Mark the sums that some cells stand in."""
    for cell in cells:
        for place in range(among.sum_start[cell], among.sum_start[cell + 1]):
            waiting[among.sums[place]] = True


@compiled()
def cells_of(chosen: Bools, size: int, among: Incidence) -> Bools:
    """Mark the cells that stand in some sums."""
    found = np.zeros(size, dtype=np.bool_)
    for one in range(len(chosen)):
        if chosen[one]:
            found[among.totals[one]] = True
            for at in range(among.part_start[one], among.part_start[one + 1]):
                found[among.parts[at]] = True
    return found


@compiled()
def narrowing(
    known: tuple[Floats, Floats],
    watched: Bools,
    due: tuple[Floats, Floats],
    among: Incidence,
) -> Bools:
    """Tell which sums imply more of a watched cell than is due to a reader."""
    asked = np.zeros(len(among.totals), dtype=np.bool_)
    touch(asked, np.flatnonzero(watched), among)
    lower, upper = known
    found = np.zeros(len(among.totals), dtype=np.bool_)
    for one in range(len(asked)):
        if not asked[one]:
            continue
        extent = _extent(one, lower, upper, among)
        for at in range(among.part_start[one] - 1, among.part_start[one + 1]):
            cell = among.totals[one] if at < among.part_start[one] else among.parts[at]
            if watched[cell]:
                low, high = _implied(one, cell, extent, lower, upper, among)
                if low > due[0][cell] or high < due[1][cell]:
                    found[one] = True
                    break
    return found


@compiled()
def choose(guilty: Bools, preference: NDArray[np.int64], hidden: Bools, among: Incidence) -> Ints:
    """Choose, for each guilty sum, its best shown part to hide, or the total where none is."""
    chosen = np.zeros(len(hidden), dtype=np.bool_)
    for one in range(len(guilty)):
        if not guilty[one]:
            continue
        best = -1
        for at in range(among.part_start[one], among.part_start[one + 1]):
            part = among.parts[at]
            if hidden[part] or preference[part] < 0:
                continue
            if best < 0 or preference[part] < preference[best]:
                best = part
        if best >= 0:
            chosen[best] = True
        elif not hidden[among.totals[one]] and preference[among.totals[one]] >= 0:
            chosen[among.totals[one]] = True
    return np.flatnonzero(chosen)


@compiled()
def nearest(cell: int, varies: Bools, most: int, widest: int, among: Incidence) -> Ints:
    """
    Return the cells around one that vary, the fewest sums away first, itself among them.

    From a sum of more than `widest` parts only its total is reached. Beyond
    `most` cells only totals are added, of the sums that those stand in.
    """
    found = np.empty(len(varies), dtype=np.intp)
    seen = np.zeros(len(varies), dtype=np.bool_)
    found[0], seen[cell] = cell, True
    number, head = 1, 0
    while head < number:
        one = found[head]
        head += 1
        for place in range(among.sum_start[one], among.sum_start[one + 1]):
            of = among.sums[place]
            first, last = among.part_start[of], among.part_start[of + 1]
            last = last if last - first <= widest and number < most else first
            for at in range(first - 1, last):
                other = among.totals[of] if at < first else among.parts[at]
                if varies[other] and not seen[other]:
                    seen[other] = True
                    found[number] = other
                    number += 1
    return found[:number]
