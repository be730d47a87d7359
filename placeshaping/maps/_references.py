"""
Which arcs the rings are made of, in few letters: most follow from where the ring stands.

A ring goes on with a new arc, or with one that ends where it stands and has
not been run backwards yet: mostly there is one. Only the first arc of a ring,
and one met before that follows a new arc, must be named.
"""

from __future__ import annotations

import numpy as np

from placeshaping._core.compiled import compiled
from placeshaping.maps._arcs import Whole


def turn_rings(used: Whole, sizes: Whole) -> Whole:
    """
    Begin each ring at an arc that was met before and follows one that was not, if there is one.

    Parameters
    ----------
    used, sizes
        The arcs of all rings in a row, and how many each ring has.

    Returns
    -------
    used
        The same rings.

    Examples
    --------
    >>> turn_rings(np.array([0, 1, 2, ~1]), np.array([2, 2])).tolist()
    [0, 1, -2, 2]
    """
    return _turned(used, sizes, int(np.where(used < 0, ~used, used).max(initial=-1)) + 1)


def code_references(used: Whole, sizes: Whole) -> tuple[Whole, Whole]:
    """
    Write which arcs the rings of all levels are made of.

    Parameters
    ----------
    used, sizes
        The arcs of all rings in a row, and how many each ring has; an arc is
        met for the first time forwards, in the order of the numbers.

    Returns
    -------
    codes, named
        For each arc 0 for one that was not met before, n for the nth (the
        latest first) that ends here and was not run backwards yet, -1 for one
        that is named; and for each of those how many before the next new one
        it is, negative where it runs backwards.

    Examples
    --------
    >>> codes, named = code_references(np.array([0, 1, ~1, 2]), np.array([2, 2]))
    >>> codes.tolist(), named.tolist()
    ([0, 0, -1, 0], [-1])
    """
    size = int(used.max(initial=-1)) + 1
    codes, named = _coded(used, sizes, size)
    return codes, named


def read_references(codes: Whole, named: Whole, sizes: Whole) -> Whole:
    """
    Read what `code_references` returns.

    Parameters
    ----------
    codes, named
        As it returns them.
    sizes
        How many arcs each ring has.

    Returns
    -------
    used
        The arcs of all rings in a row.
    """
    return _read(codes, named, sizes, int((codes == 0).sum()))


@compiled()
def _turned(used: Whole, sizes: Whole, size: int) -> Whole:
    met = np.zeros(size, dtype=np.bool_)
    turned = np.empty_like(used)
    at = 0
    for many in sizes:
        first = 0
        for k in range(many):
            arc, before = used[at + k], used[at + (k if k > 0 else many) - 1]
            if met[~arc if arc < 0 else arc] and not met[~before if before < 0 else before]:
                first = k
                break
        for k in range(many):
            turned[at + k] = used[at + (first + k) % many]
        for k in range(many):
            arc = used[at + k]
            met[~arc if arc < 0 else arc] = True
        at += many
    return turned


@compiled()
def _coded(  # noqa: C901 (a kernel: one pass over the rings)
    used: Whole, sizes: Whole, size: int
) -> tuple[Whole, Whole]:
    begins, ends = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    newest = np.full(2 * size + 1, -1, dtype=np.int64)  # arcs that end at a place
    before = np.full(size, -1, dtype=np.int64)
    run = np.zeros(size, dtype=np.bool_)
    codes, named = np.zeros(len(used), dtype=np.int64), np.zeros(len(used), dtype=np.int64)
    at, met, places, n = 0, 0, 0, 0
    for many in sizes:
        past, begin = at + many, at
        here, start, fresh = -1, -1, True
        while at < past:
            arc = used[at]
            if arc == met:
                met += 1
                if at == begin:
                    start, here, places = places, places, places + 1
                begins[arc] = here
                following = used[at + 1] if at + 1 < past else -1
                if at + 1 == past:
                    ends[arc] = start
                elif following == met:
                    ends[arc], places = places, places + 1
                else:
                    ends[arc] = ends[~following] if following < 0 else begins[following]
                before[arc], newest[ends[arc]] = newest[ends[arc]], arc
                here, fresh = ends[arc], True
            else:
                one = ~arc if arc < 0 else arc
                place = 0
                if arc < 0 and not fresh:
                    entry, seen = newest[here], 0
                    while entry >= 0:
                        if not run[entry]:
                            seen += 1
                            if entry == one:
                                place = seen
                                break
                        entry = before[entry]
                if place == 0:
                    codes[at] = -1
                    named[n] = one - met if arc < 0 else met - one
                    n += 1
                else:
                    codes[at] = place
                if at == begin:
                    start = ends[one] if arc < 0 else begins[one]
                run[one] = run[one] or arc < 0
                here, fresh = begins[one] if arc < 0 else ends[one], False
            at += 1
    return codes, named[:n].copy()


@compiled()
def _read(  # noqa: C901 (as _coded)
    codes: Whole, named: Whole, sizes: Whole, size: int
) -> Whole:
    begins, ends = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    newest = np.full(2 * size + 1, -1, dtype=np.int64)
    before = np.full(size, -1, dtype=np.int64)
    run = np.zeros(size, dtype=np.bool_)
    used = np.zeros(len(codes), dtype=np.int64)
    at, met, places, n = 0, 0, 0, 0
    for many in sizes:
        past, begin = at + many, at
        here, start = -1, -1
        while at < past:
            if codes[at] == 0:
                arc = met
                met += 1
                if at == begin:
                    start, here, places = places, places, places + 1
                begins[arc] = here
                if at + 1 == past:
                    ends[arc] = start
                elif codes[at + 1] == 0:
                    ends[arc], places = places, places + 1
                elif named[n] < 0:
                    ends[arc] = ends[met + named[n]]
                else:
                    ends[arc] = begins[met - named[n]]
                before[arc], newest[ends[arc]] = newest[ends[arc]], arc
                here = ends[arc]
                used[at] = arc
            else:
                if codes[at] < 0:
                    arc = ~(met + named[n]) if named[n] < 0 else met - named[n]
                    n += 1
                else:
                    entry, left = newest[here], codes[at]
                    while run[entry] or left > 1:
                        left -= 0 if run[entry] else 1
                        entry = before[entry]
                    arc = ~entry
                one = ~arc if arc < 0 else arc
                if at == begin:
                    start = ends[one] if arc < 0 else begins[one]
                run[one] = run[one] or arc < 0
                here = begins[one] if arc < 0 else ends[one]
                used[at] = arc
            at += 1
    return used
