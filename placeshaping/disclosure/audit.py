"""
What a reader of a release can work out about each hidden cell, by linear programming.

The reader knows every sum of the release, what is shown, and what the mark of
a hidden cell says. A cell is safe when two tables that agree with all of that
hold its smallest and its largest due value: two witnesses. One programme finds
witnesses for many cells at once, because any table that it returns counts for
every cell that has reached its due value in it; the few cells that are left get
programmes of their own.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from placeshaping.disclosure._solver import solve_values, solve_whole
from placeshaping.disclosure.cells import Cells, Sums
from placeshaping.disclosure.differences import Knowledge, known_bounds

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

How = Literal["exact", "lp", "bounds"]
"""How far a protection was proved: by whole-number programmes, by linear ones, or by bounds."""

CLOSE = 1e-6
"""Values of a programme that differ by less are the same."""

_BEFORE_ALL = 1e4

FAR = 20
"""How many thresholds from its true count a cell without an upper bound is followed."""


@dataclass(frozen=True)
class Audit:
    """
    What an audit found.

    Attributes
    ----------
    narrow
        Primary cells that a reader can bound more narrowly than is due.
    lower, upper
        Of each cell, the least and the greatest value in a table that a reader
        cannot rule out, as far as the search went: where a cell is not narrow,
        at least as wide as is due.
    how
        ``"lp"``, or ``"bounds"`` where the system was too large for it.
    programmes
        How many programmes were solved.
    """

    narrow: Bools
    lower: Floats
    upper: Floats
    how: How
    programmes: int


def due_intervals(cells: Cells) -> tuple[Floats, Floats]:
    """
    Return the interval that a reader must be left for each primary cell.

    A small cell is due what its mark says: from the smallest hidden count to
    one under its threshold. A larger cell that must be hidden is due half its
    threshold either way. What a reader would know even if everything were
    hidden is not due. Of other cells nothing is due: both ends are the count.

    Parameters
    ----------
    cells
        All cells of a release.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> low, high = due_intervals(make_cells(np.array([10, 3, 7]), sums, threshold=5))
    >>> low.tolist(), high.tolist()
    ([10.0, 1.0, 7.0], [10.0, 4.0, 7.0])
    """
    counts = cells.counts.astype(float)
    half = cells.threshold // 2
    least = np.minimum(cells.smallest_hidden, counts)
    low = np.where(cells.small, least, np.maximum(least, counts - half))
    high = np.where(cells.small, cells.due_most, counts + half)
    widest = Knowledge(cells, cells.primary | cells.may_hide)
    return (
        np.where(cells.primary, np.maximum(low, widest.lower), counts),
        np.where(cells.primary, np.minimum(high, widest.upper), counts),
    )


def equations(sums: Sums, size: int) -> sparse.csc_matrix:
    """
    Write sums as a matrix whose product with the counts is zero.

    Examples
    --------
    >>> one = Sums(np.array([0]), np.array([1, 2]), np.array([0, 0]))
    >>> equations(one, 3).toarray().tolist()
    [[-1.0, 1.0, 1.0]]
    """
    number = len(sums.totals)
    rows = np.concatenate([sums.sum_of_part, np.arange(number)])
    columns = np.concatenate([sums.parts, sums.totals])
    values = np.repeat([1.0, -1.0], [len(sums.parts), number])
    return sparse.csc_matrix((values, (rows, columns)), shape=(number, size))


class Programme:
    """
    Tables that a reader cannot rule out, as deviations from the true one.

    Parameters
    ----------
    cells
        All cells.
    hidden
        Those that are not shown.
    further
        Cells that are shown and might be hidden: they may deviate at a cost.
    within
        Cells that may deviate at all; the others keep their true counts. A
        table found in a part of a release is one of the whole release.
    ended
        Cells that are followed only so far where nothing bounds them from
        above: those that may be rewarded. By default the primary ones.
    matrix
        The sums as `equations` has them.
    """

    def __init__(
        self,
        cells: Cells,
        hidden: Bools,
        *,
        further: Bools | None = None,
        within: Bools | None = None,
        ended: Bools | None = None,
        matrix: sparse.csc_matrix | None = None,
    ) -> None:
        inside = np.ones(cells.size, dtype=bool) if within is None else within
        loose = np.zeros_like(hidden) if further is None else further & inside & ~hidden
        lower, upper = known_bounds(cells, hidden)
        ended = cells.primary if ended is None else ended
        upper = np.where(np.isinf(upper) & ended, followed_to(cells), upper)
        self.size, self.solved = cells.size, 0
        self._fixed = np.flatnonzero(inside & (upper > lower))
        self._loose = np.flatnonzero(loose)
        most = (upper - cells.counts)[self._fixed]
        least = (lower - cells.counts)[self._fixed]
        down = lower[self._loose] - np.minimum(cells.smallest_hidden, lower[self._loose])
        none = np.zeros(len(self._loose))
        self._bounds = np.concatenate(
            [
                np.column_stack([least, most]),
                np.column_stack([none, np.full(len(none), np.inf)]),
                np.column_stack([none, down]),
            ]
        )
        matrix = equations(cells.sums, cells.size) if matrix is None else matrix
        columns = _without_empty_rows(matrix[:, np.concatenate([self._fixed, self._loose])])
        self._matrix = sparse.hstack([columns, -columns[:, len(self._fixed) :]]).tocsc()

    def solve(self, reward: Floats, cost: Floats | None = None, *, whole: bool = False) -> Floats:
        """
        Return the deviations that are worth most.

        Parameters
        ----------
        reward
            What one upwards is worth, for each cell.
        cost
            What one either way costs, for each cell that might be hidden.
        whole
            Whether only tables of whole numbers count.

        Returns
        -------
        deviations
            Of all cells; none anywhere (the true table) where the solver fails.
        """
        self.solved += 1
        found: Floats = np.zeros(self.size)
        if not len(self._bounds):
            return found
        price = np.zeros(len(self._loose)) if cost is None else cost[self._loose]
        worth = np.concatenate([-reward[self._fixed], price, price])
        number = len(self._fixed)
        solve = solve_whole if whole else solve_values
        solution: Floats | None = solve(worth, self._matrix, self._bounds)
        if solution is None:
            return found
        np.add.at(found, self._fixed, solution[:number])
        up, down = np.split(solution[number:], 2)
        np.add.at(found, self._loose, up - down)
        return found

    def beyond(self, deviations: Floats, cells: Cells) -> Bools:
        """Tell which shown cells deviate further than what is shown of them allows."""
        lower, upper = known_bounds(cells, np.zeros(self.size, dtype=bool))
        table = cells.counts + deviations
        out = np.zeros(self.size, dtype=bool)
        out[self._loose] = ((table < lower - CLOSE) | (table > upper + CLOSE))[self._loose]
        return out


def _without_empty_rows(columns: sparse.csc_matrix) -> sparse.csc_matrix:
    """Leave out the sums in which none of some columns stands."""
    used, rows = np.unique(columns.indices, return_inverse=True)
    shape = (len(used), columns.shape[1])
    return sparse.csc_matrix((columns.data, rows, columns.indptr), shape=shape)


def followed_to(cells: Cells) -> Floats:
    """Return how far up a cell is followed that nothing bounds."""
    found: Floats = cells.counts + FAR * np.maximum(cells.threshold, 1).astype(np.float64)
    return found


class Witnesses:
    """
    The due values that some table is known to reach.

    Parameters
    ----------
    cells
        All cells; their true counts are the first witness.
    seed
        Of the choice between up and down, where a cell lacks both.

    Attributes
    ----------
    low, high
        The least and the greatest value of each cell in any table so far.
    """

    def __init__(self, cells: Cells, *, seed: int = 0) -> None:
        self.cells = cells
        self.low, self.high = cells.counts.astype(float), cells.counts.astype(float)
        self.due = due_intervals(cells)
        self._random = np.random.default_rng(seed)

    def missing(self, within: Bools | None = None) -> tuple[Bools, Bools]:
        """Tell which primary cells lack a table with their lowest, their highest due value."""
        inside = self.cells.primary if within is None else self.cells.primary & within
        return (
            inside & (self.low > self.due[0] + CLOSE),
            inside & (self.high < self.due[1] - CLOSE),
        )

    def lacks(self, cell: int, side: float) -> bool:
        """Tell whether one cell lacks a table with its lowest (-1) or highest (+1) due value."""
        if side < 0:
            return bool(self.low[cell] > self.due[0][cell] + CLOSE)
        return bool(self.high[cell] < self.due[1][cell] - CLOSE)

    def copy(self) -> Witnesses:
        """Return what was found so far, to be added to apart."""
        same = copy(self)
        same.low, same.high = self.low.copy(), self.high.copy()
        same._random = np.random.default_rng(0)  # noqa: SLF001 - its own
        return same

    def take_over(self, others: Witnesses) -> None:
        """Count in what others have found."""
        np.minimum(self.low, others.low, out=self.low)
        np.maximum(self.high, others.high, out=self.high)

    def add(self, deviations: Floats) -> None:
        """Count a table in."""
        table = self.cells.counts + deviations
        np.minimum(self.low, table, out=self.low)
        np.maximum(self.high, table, out=self.high)

    def aims(
        self, within: Bools | None = None, *, first: tuple[int, float] | None = None
    ) -> Floats:
        """
        Return +1 for cells to raise, -1 for cells to lower, 0 for those that lack nothing.

        With `first`, a cell and its side, that one before all others, and of
        those each with a weight of its own, so that no two tables are alike.
        """
        low, high = self.missing(within)
        either = 2.0 * self._random.integers(0, 2, self.cells.size) - 1.0
        found = np.where(low & high, either, high.astype(float) - low)
        if first is not None:
            found *= self._random.random(self.cells.size)
            found[first[0]] = _BEFORE_ALL * first[1]
        return found

    def number_missing(self, within: Bools | None = None) -> int:
        """Count the due values that no table reaches yet."""
        low, high = self.missing(within)
        return int(low.sum() + high.sum())

    def each_missing(self, within: Bools | None = None) -> list[tuple[int, float]]:
        """List what is missing: the cell, and +1 or -1."""
        low, high = self.missing(within)
        pairs = [(int(c), -1.0) for c in np.flatnonzero(low)]
        return sorted(pairs + [(int(c), 1.0) for c in np.flatnonzero(high)])


def audit(cells: Cells, hidden: Bools, *, most_cells: int = 200_000) -> Audit:
    """
    Find the primary cells that a reader can bound more narrowly than is due.

    Breaches are first looked for by propagated bounds, safe cells by programmes
    for all cells together; what neither settles gets programmes of its own.

    Parameters
    ----------
    cells
        All cells of a release.
    hidden
        Those that are not shown.
    most_cells
        Systems in which more cells can vary are audited by bounds alone.

    Returns
    -------
    audit
        What was found, and how.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> audit(cells, cells.primary).narrow.tolist()
    [False, True, False, False]
    >>> audit(cells, np.array([False, True, False, True])).narrow.any()
    np.False_
    """
    witnesses = Witnesses(cells)
    knowledge = Knowledge(cells, hidden)
    narrow = cells.primary & (
        (knowledge.lower > witnesses.due[0]) | (knowledge.upper < witnesses.due[1])
    )
    varying = int((knowledge.upper > knowledge.lower).sum())
    if varying > most_cells:
        return Audit(narrow, knowledge.lower, knowledge.upper, "bounds", 0)
    programme = Programme(cells, hidden)
    find_witnesses(programme, witnesses, ~narrow)
    for cell, side in witnesses.each_missing(~narrow):
        if not narrow[cell]:
            alone = np.zeros(cells.size)
            alone[cell] = side
            witnesses.add(programme.solve(alone))
            low, high = witnesses.missing()
            narrow[cell] = (low if side < 0 else high)[cell]
    return Audit(narrow, witnesses.low, witnesses.high, "lp", programme.solved)


def find_witnesses(programme: Programme, witnesses: Witnesses, within: Bools | None = None) -> None:
    """
    Look for tables that serve many cells at once, until one serves none.

    Parameters
    ----------
    programme
        What a reader knows.
    witnesses
        What was found so far; added to.
    within
        Cells to look for; by default all.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> witnesses = Witnesses(cells)
    >>> find_witnesses(Programme(cells, np.array([False, True, False, True])), witnesses)
    >>> witnesses.low.tolist(), witnesses.high.tolist()
    ([30.0, 1.0, 20.0, 6.0], [30.0, 4.0, 20.0, 9.0])
    """
    before = witnesses.number_missing(within) + 1
    while 0 < (left := witnesses.number_missing(within)) < before:
        before = left
        witnesses.add(programme.solve(witnesses.aims(within)))


def intervals(
    cells: Cells, hidden: Bools, *, wanted: Bools | None = None, whole: bool = False
) -> tuple[Floats, Floats]:
    """
    Return exactly what a reader can work out of each cell: two programmes a cell.

    Parameters
    ----------
    cells
        All cells of a release.
    hidden
        Those that are not shown.
    wanted
        Cells to work out; by default the primary ones. Of the others what
        they show is returned.
    whole
        Whether the reader uses that counts are whole numbers; slower.

    Returns
    -------
    lower, upper
        Infinity where nothing bounds a cell from above within reach of its
        threshold.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> low, high = intervals(cells, np.array([False, True, False, True]))
    >>> low.tolist(), high.tolist()
    ([30.0, 1.0, 20.0, 1.0], [30.0, 4.0, 20.0, inf])
    """
    lower, upper = known_bounds(cells, hidden)
    asked = cells.primary if wanted is None else wanted
    programme = Programme(cells, hidden, ended=cells.primary | asked)
    for cell in np.flatnonzero(asked & (upper > lower)):
        one = np.zeros(cells.size)
        one[cell] = 1.0
        lower[cell] = cells.counts[cell] + programme.solve(-one, whole=whole)[cell]
        highest = cells.counts[cell] + programme.solve(one, whole=whole)[cell]
        upper[cell] = np.inf if highest >= followed_to(cells)[cell] else highest
    return lower, upper
