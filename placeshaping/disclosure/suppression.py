"""
Which further cells to hide so that no small one can be worked out.

Small systems are solved exactly. Larger ones are built up from witnesses:
tables that agree with everything shown and differ from the true one in small
cells. A linear programme looks for tables in which many small cells reach their
due values while few and light shown cells change; the cells that change are
those that must be hidden for the reader to be unable to rule the table out.
What is hidden is thereby no more than the witnesses need, and every small cell
has its two witnesses when the search ends (after the linear-programming
heuristics for cell suppression of Kelly, Golden and Assad 1992 and Fischetti
and Salazar 2001).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.errors import InputError
from placeshaping.disclosure import _bounds
from placeshaping.disclosure.audit import (
    How,
    Programme,
    Witnesses,
    equations,
    find_witnesses,
)
from placeshaping.disclosure.cells import Cells, weights
from placeshaping.disclosure.differences import hide_by_bounds, incidence, known_bounds
from placeshaping.disclosure.optimum import MOST_CELLS, suppress_exactly
from placeshaping.disclosure.pieces import pieces, restricted

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

METHODS = ("round", "suppress")

MOST_ROUNDED = 300
"""Rounded releases with more cells are looked at around each small count, not as a whole."""

MOST_NEARBY = 10_000
"""Rounded releases with more cells are protected by propagated bounds alone."""

NEARBY = 1500
"""How many cells around a small count are looked at together."""

WIDEST_NEARBY = 24
"""Sums of more parts are not followed from one part to the others."""

FIRST_PRICE = 1.0
"""
What it costs, against a due value reached, to change a shown count, times the root of its weight.

Dear at first, so that only light cells are hidden; where that serves no cell
any more, cheaper by `STEP`, down to `LAST_PRICE`.
"""

STEP = 3.0

LAST_PRICE = 1e-4

_MOST_THREADS = 8


@dataclass(frozen=True)
class Protection:
    """
    Which cells of a release are hidden, and how that was proved.

    Attributes
    ----------
    hidden
        All that must be hidden of what is published.
    audited
        ``"exact"``: least weight, no reader who knows that counts are whole
        numbers can do better; ``"lp"``: by linear programmes; ``"bounds"``: by
        bounds propagated through every sum, which is no linear programme.
    n_primary
        Cells hidden for their own sake.
    n_secondary
        Cells hidden for another's sake.
    """

    hidden: Bools
    audited: How
    n_primary: int
    n_secondary: int


def protect_cells(cells: Cells, *, method: Literal["round", "suppress"]) -> Protection:
    """
    Choose the cells to hide so that no small one can be worked out from the others.

    Parameters
    ----------
    cells
        All cells of a release. See `check_cells` for what they must obey.
    method
        ``"round"``: cells are shown rounded, and hidden until propagated bounds
        leave each small one what its mark says; up to `MOST_NEARBY` cells
        linear programmes then make sure. ``"suppress"``: cells are shown exactly.

    Returns
    -------
    protection
        What to hide.

    Raises
    ------
    InputError
        If the method is not one of these, or does not fit the rounding.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> protection = protect_cells(cells, method="suppress")
    >>> protection.hidden.tolist(), protection.audited
    ([False, True, False, True], 'exact')
    """
    if method not in METHODS:
        msg = f"method is {method!r}; use one of: {', '.join(METHODS)}."
        raise InputError(msg)
    if method == "suppress" and cells.rounding != 1:
        msg = (
            f"method 'suppress' shows counts as they are, and rounding is {cells.rounding}. "
            "Use rounding 1, or method 'round'."
        )
        raise InputError(msg)
    hidden, how = _rounded(cells) if method == "round" else _exact(cells)
    primary = int(cells.primary.sum())
    return Protection(hidden, how, primary, int(hidden.sum()) - primary)


def _rounded(cells: Cells) -> tuple[Bools, How]:
    hidden = hide_by_bounds(cells)
    if cells.size > MOST_NEARBY:
        return hidden, "bounds"
    search = _Search(cells, hidden)
    search.look_nearby()
    if cells.size <= MOST_ROUNDED:
        search.look_around()
        search.complete()
    else:
        search.settle_nearby()
    return search.hidden, "lp"


def _exact(cells: Cells) -> tuple[Bools, How]:
    """Protect the pieces that no sum ties together each by itself, several at a time."""
    hidden = cells.primary.copy()
    guilty = [piece for piece in pieces(cells) if cells.primary[piece].any()]
    small = int((cells.primary | cells.may_hide).sum()) <= MOST_CELLS
    proved: How = "exact"
    with _threads() as pool:
        done = pool.map(lambda piece: _exact_piece(restricted(cells, piece), small), guilty)
        for piece, (found, how) in zip(guilty, done, strict=True):
            hidden[piece] = found
            proved = proved if how == "exact" else how
    return hidden, proved


def _threads() -> ThreadPoolExecutor:
    """Start threads: the solver lets others work meanwhile."""
    return ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS))


def _exact_piece(cells: Cells, small: bool) -> tuple[Bools, How]:
    least = suppress_exactly(cells) if small else None
    if least is not None:
        if not cells.filled.any():
            return least, "exact"
        further = suppress_by_witnesses(replace(cells, marks_known=False), hidden=least)
        return further, "exact" if np.array_equal(further, least) else "lp"
    search = _Search(cells, cells.primary)
    search.complete()
    if cells.filled.any():
        search = _Search(replace(cells, marks_known=False), search.hidden, known=search.witnesses)
        search.look_around()
        search.complete()
    return search.hidden, "lp"


def suppress_by_witnesses(cells: Cells, *, hidden: Bools | None = None) -> Bools:
    """
    Hide cells until every small one has a witness for both ends of its due interval.

    Blocks (districts) are worked through one by one, those that share a hidden
    cell across blocks together; what cannot be reached within them is looked
    for in the whole release. What not even hiding everything could give is not due.

    Parameters
    ----------
    cells
        All cells of a release.
    hidden
        Cells to hide in any case; by default the primary ones.

    Returns
    -------
    hidden
        The cells to hide, the given ones among them.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> suppress_by_witnesses(cells).tolist()
    [False, True, False, True]
    """
    search = _Search(cells, cells.primary if hidden is None else hidden | cells.primary)
    if hidden is not None:
        search.look_around()
    search.complete()
    return search.hidden


class _Search:
    """
    Witnesses found so far, and what must be hidden for them.

    Parameters
    ----------
    cells
        All cells of a release.
    hidden
        Those that are hidden in any case.
    known
        Witnesses found while no more was hidden, for a reader who knew no less.
    """

    def __init__(self, cells: Cells, hidden: Bools, *, known: Witnesses | None = None) -> None:
        self.cells, self.hidden = cells, hidden.copy()
        self.witnesses = Witnesses(cells)
        if known is not None:
            self.witnesses.low, self.witnesses.high = known.low, known.high
        self._matrix = equations(cells.sums, cells.size)
        self._weights = np.sqrt(weights(cells))
        self._incidence = incidence(cells.sums, cells.size)

    def complete(self) -> None:
        """Hide until nothing is missing: block by block, then in the whole release."""
        for within, further in _groups(self.cells):
            self.run(within, further)
        everywhere = np.ones(self.cells.size, dtype=bool)
        self.run(everywhere, self.cells.may_hide)
        self.settle(everywhere, self.cells.may_hide)

    def look_around(self) -> None:
        """Find the tables that need nothing more to be hidden."""
        self.look_nearby()
        programme = Programme(self.cells, self.hidden, matrix=self._matrix)
        find_witnesses(programme, self.witnesses)
        for cell, side in self.witnesses.each_missing():
            self.witnesses.add(programme.solve(self._aim(cell, side)))

    def look_nearby(self) -> None:
        """Do the same around each small cell: only cells near to it differ from the true table."""
        with _threads() as pool:
            for found in pool.map(self._look_in, np.unique(self.cells.block)):
                self.witnesses.take_over(found)

    def _look_in(self, block: int) -> Witnesses:
        """Look for the witnesses of one block's cells, apart from what is found for others."""
        witnesses, mine = self.witnesses.copy(), self.cells.block == block
        lower, upper = known_bounds(self.cells, self.hidden)
        for within, cell, side in self._missing_nearby(witnesses, upper > lower, mine):
            aims = witnesses.aims(within & mine, first=(cell, side))
            witnesses.add(self._programme(within).solve(aims))
        return witnesses

    def settle_nearby(self) -> None:
        """Hide what is needed around each cell that still lacks a witness."""
        may_vary = self.hidden | self.cells.may_hide | ~self.cells.published
        for within, cell, side in self._missing_nearby(self.witnesses, may_vary):
            programme = self._programme(within, self.cells.may_hide & within)
            for price in (FIRST_PRICE, LAST_PRICE, 0.0):
                if self.witnesses.lacks(cell, side):
                    self._take(programme, self._aim(cell, side), price)

    def _missing_nearby(
        self, witnesses: Witnesses, varies: Bools, mine: Bools | None = None
    ) -> Iterator[tuple[Bools, int, float]]:
        """Yield each value that is missing when its turn comes, and the cells around it."""
        for cell, side in witnesses.each_missing(mine):
            if not witnesses.lacks(cell, side):
                continue
            around = _bounds.nearest(cell, varies, NEARBY, WIDEST_NEARBY, self._incidence)
            within = np.zeros(self.cells.size, dtype=bool)
            within[around] = True
            yield within, cell, side

    def _aim(self, cell: int, side: float) -> Floats:
        aim = np.zeros(self.cells.size)
        aim[cell] = side
        return aim

    def run(self, within: Bools, further: Bools) -> None:
        """Look for tables that serve many cells at once, cheap ones first."""
        price = FIRST_PRICE
        left = self.witnesses.number_missing(within)
        if not left:
            return
        programme = self._programme(within, further)
        while left and price > LAST_PRICE:
            self._take(programme, self.witnesses.aims(within), price)
            before, left = left, self.witnesses.number_missing(within)
            if left == before:
                price /= STEP

    def settle(self, within: Bools, further: Bools) -> None:
        """Look for what is still missing, one value at a time; what is beyond reach is not due."""
        missing = self.witnesses.each_missing(within)
        if not missing:
            return
        programme = self._programme(within, further)
        for cell, side in missing:
            for price in (LAST_PRICE, 0.0):
                if self.witnesses.lacks(cell, side):
                    self._take(programme, self._aim(cell, side), price)
            end = 0 if side < 0 else 1
            reached = (self.witnesses.low, self.witnesses.high)[end][cell]
            self.witnesses.due[end][cell] = reached

    def _programme(self, within: Bools, further: Bools | None = None) -> Programme:
        return Programme(
            self.cells, self.hidden, further=further, within=within, matrix=self._matrix
        )

    def _take(self, programme: Programme, aims: Floats, price: float) -> None:
        """Solve, hide what the table changes, and count the table in."""
        cost = np.where(self.hidden, 0.0, price * self._weights)
        deviations = programme.solve(aims, cost)
        before = self.witnesses.number_missing()
        low, high = self.witnesses.low.copy(), self.witnesses.high.copy()
        self.witnesses.add(deviations)
        if self.witnesses.number_missing() < before:
            self.hidden |= programme.beyond(deviations, self.cells)
        else:
            self.witnesses.low, self.witnesses.high = low, high


def _groups(cells: Cells) -> list[tuple[Bools, Bools]]:
    """
    Divide the cells by block; blocks tied by a primary cell stay together.

    Returns
    -------
    groups
        Pairs of masks: the cells of a group, and those of them that may be
        hidden without tying it to another.
    """
    sums, blocks = cells.sums, cells.block
    of_total = blocks[sums.totals]
    across = of_total < 0
    across[sums.sum_of_part[blocks[sums.parts] != of_total[sums.sum_of_part]]] = True
    tying = np.zeros(cells.size, dtype=bool)
    tying[sums.totals[across]] = True
    tying[sums.parts[across[sums.sum_of_part]]] = True
    tied = np.unique(blocks[tying & cells.primary])
    together = np.isin(blocks, tied) | (tying & (blocks < 0) & (len(tied) > 0))
    groups = [(together, cells.may_hide & together)] if together.any() else []
    rest = (blocks == block for block in np.unique(blocks[~together & (blocks >= 0)]))
    return groups + [(within, cells.may_hide & within & ~tying) for within in rest]
