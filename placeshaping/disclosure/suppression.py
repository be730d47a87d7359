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

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.errors import InputError
from placeshaping.disclosure.audit import (
    How,
    Programme,
    Witnesses,
    equations,
    find_witnesses,
)
from placeshaping.disclosure.cells import Cells, weights
from placeshaping.disclosure.differences import hide_by_bounds
from placeshaping.disclosure.optimum import MOST_CELLS, suppress_exactly

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

METHODS = ("round", "suppress")

MOST_ROUNDED = 300
"""Rounded releases with more cells are protected by propagated bounds alone."""

FIRST_PRICE = 1.0
"""
What it costs, against a due value reached, to change a shown count, times the root of its weight.

Dear at first, so that only light cells are hidden; where that serves no cell
any more, cheaper by `STEP`, down to `LAST_PRICE`.
"""

STEP = 3.0

LAST_PRICE = 1e-4


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
        leave each small one what its mark says; up to `MOST_ROUNDED` cells
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
    if cells.size > MOST_ROUNDED:
        return hidden, "bounds"
    return suppress_by_witnesses(cells, hidden=hidden), "lp"


def _exact(cells: Cells) -> tuple[Bools, How]:
    hidden, how = _by_marks(cells)
    if not cells.filled.any():
        return hidden, how
    unsure = replace(cells, marks_known=False)
    further = suppress_by_witnesses(unsure, hidden=hidden)
    return further, how if np.array_equal(further, hidden) else "lp"


def _by_marks(cells: Cells) -> tuple[Bools, How]:
    if int((cells.primary | cells.may_hide).sum()) <= MOST_CELLS:
        least = suppress_exactly(cells)
        if least is not None:
            return least, "exact"
    return suppress_by_witnesses(cells), "lp"


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
    for within, further in _groups(cells):
        search.run(within, further)
    everywhere = np.ones(cells.size, dtype=bool)
    search.run(everywhere, cells.may_hide)
    search.settle(everywhere, cells.may_hide)
    return search.hidden


class _Search:
    """Witnesses found so far, and what must be hidden for them."""

    def __init__(self, cells: Cells, hidden: Bools) -> None:
        self.cells, self.hidden = cells, hidden.copy()
        self.witnesses = Witnesses(cells)
        self._matrix = equations(cells.sums, cells.size)
        self._weights = np.sqrt(weights(cells))

    def look_around(self) -> None:
        """Find the tables that need nothing more to be hidden."""
        programme = Programme(self.cells, self.hidden, matrix=self._matrix)
        find_witnesses(programme, self.witnesses)
        for cell, side in self.witnesses.each_missing():
            aim = np.zeros(self.cells.size)
            aim[cell] = side
            self.witnesses.add(programme.solve(aim))

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
                if (cell, side) in self.witnesses.each_missing():
                    aim = np.zeros(self.cells.size)
                    aim[cell] = side
                    self._take(programme, aim, price)
            end = 0 if side < 0 else 1
            reached = (self.witnesses.low, self.witnesses.high)[end][cell]
            self.witnesses.due[end][cell] = reached

    def _programme(self, within: Bools, further: Bools) -> Programme:
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
