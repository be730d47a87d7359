"""
The least that must be hidden, for small systems: cuts until no reader succeeds.

A covering programme chooses cells; a reader's linear programme attacks the
choice; where the reader succeeds, the dual says which cells would have stopped
it, one more condition for the covering programme (Fischetti and Salazar 2001).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from placeshaping.disclosure._solver import solve_cover, solve_linear
from placeshaping.disclosure.audit import (
    CLOSE,
    Witnesses,
    due_intervals,
    equations,
    followed_to,
    intervals,
)
from placeshaping.disclosure.cells import Cells, weights
from placeshaping.disclosure.differences import known_bounds

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST_CELLS = 150
"""Systems in which more cells might be hidden are not solved exactly."""

WARM_UP_TURNS = 40

MOST_TURNS = 60
"""Turns of covering and attacking after which an exact solution is given up."""


def suppress_exactly(cells: Cells, *, most_turns: int = MOST_TURNS) -> Bools | None:
    """
    Hide the cells of least weight that leave every small one its due interval.

    The reader knows all sums and that counts are whole numbers.

    Parameters
    ----------
    cells
        Cells of a release, shown exactly (rounding 1); about `MOST_CELLS`.
    most_turns
        Turns after which to give up.

    Returns
    -------
    hidden
        The cells to hide, the primary ones among them; None where no least
        choice was proved in the turns allowed.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 5, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> suppress_exactly(make_cells(np.array([40, 3, 20, 7, 10]), sums, threshold=5)).tolist()
    [False, True, False, True, False]
    """
    cover, reader = _Cover(cells), _Reader(cells)
    cover.warm_up(reader)
    for _ in range(most_turns):
        hidden = cover.choose()
        if hidden is None:
            return None
        cuts = reader.attack(hidden)
        if not cuts and reader.attack_whole(hidden):
            cuts = [(cells.may_hide & ~hidden).astype(float)]
        if not cuts:
            return hidden
        cover.cuts += cuts
    return None


def least_weight(cells: Cells, *, most_turns: int = 10) -> float:
    """
    Return a weight that no choice of cells to hide for others' sake can be below.

    The linear relaxation of the covering programme, with the conditions
    gathered in some turns: more turns, a higher bound.

    Parameters
    ----------
    cells
        Cells of a release, shown exactly (rounding 1).
    most_turns
        Turns of covering and attacking.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 5, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> round(least_weight(make_cells(np.array([40, 3, 20, 7, 10]), sums, threshold=5)), 1)
    8.0
    """
    cover, reader = _Cover(cells), _Reader(cells)
    cover.warm_up(reader, turns=most_turns)
    shares = cover.relaxed()
    return 0.0 if shares is None else float(weights(cells) @ shares)


class _Cover:
    """The cells of least weight that meet every condition so far."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.cuts: list[Floats] = []
        self._free = np.flatnonzero(cells.may_hide)
        self._weights = weights(cells)[self._free]

    def relaxed(self) -> Floats | None:
        """Return the share of each cell that the conditions so far need hidden."""
        return self._solve(whole=False)

    def warm_up(self, reader: _Reader, *, turns: int = WARM_UP_TURNS) -> None:
        """Gather conditions by linear programmes, which are quick, while those break any."""
        for _ in range(turns):
            shares = self.relaxed()
            if shares is None:
                return
            hidden = self.cells.primary | (shares >= 0.5)
            new = [cut for cut in reader.attack(hidden) if cut @ shares < 1 - CLOSE]
            if not new:
                return
            self.cuts += new

    def choose(self) -> Bools | None:
        """Return the primary cells and those of least weight; None where the search was long."""
        shares = self._solve(whole=True)
        return None if shares is None else self.cells.primary | (shares > 0.5)

    def _solve(self, *, whole: bool) -> Floats | None:
        shares = np.zeros(self.cells.size)
        if self.cuts:
            conditions = sparse.csr_matrix(np.array(self.cuts)[:, self._free])
            found = solve_cover(self._weights, conditions, 1 - CLOSE, whole=whole)
            if found is None:
                return None
            shares[self._free] = found
        return shares


class _Reader:
    """Attacks a choice of cells; remembers the tables that defeat it."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        all_hidden = cells.primary | cells.may_hide
        low, high = intervals(cells, all_hidden)
        self._due = self._clip(due_intervals(cells), (low, high))
        self._due_whole: tuple[Floats, Floats] | None = None
        self._all_hidden = all_hidden
        lower, upper = known_bounds(cells, all_hidden)
        upper = np.where(np.isinf(upper) & cells.primary, followed_to(cells), upper)
        self._columns = np.flatnonzero(upper > lower)
        self._lower = (lower - cells.counts)[self._columns]
        self._upper = (upper - cells.counts)[self._columns]
        matrix = equations(cells.sums, cells.size).tocsr()[:, self._columns]
        self._matrix = matrix[np.diff(matrix.indptr) > 0]
        self._tables: list[tuple[Bools, Floats]] = []

    def _clip(
        self, due: tuple[Floats, Floats], widest: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        mine = self.cells.primary
        return (
            np.where(mine, np.maximum(due[0], np.ceil(widest[0] - CLOSE)), due[0]),
            np.where(mine, np.minimum(due[1], np.floor(widest[1] + CLOSE)), due[1]),
        )

    def attack(self, hidden: Bools) -> list[Floats]:
        """Return the conditions that a choice breaks: shares of each cell that add up to 1."""
        witnesses = Witnesses(self.cells)
        witnesses.due = self._due
        for changed, deviations in self._tables:
            if not (changed & ~hidden).any():
                witnesses.add(deviations)
        cuts = []
        for cell, side in witnesses.each_missing():
            low, high = witnesses.missing()
            if not (low if side < 0 else high)[cell]:
                continue
            deviations, cut = self._one(hidden, cell, side)
            witnesses.add(deviations)
            changed = np.abs(deviations) > CLOSE
            self._tables.append((changed & self.cells.may_hide, deviations))
            if cut is not None:
                cuts.append(cut)
        return cuts

    def _one(self, hidden: Bools, cell: int, side: float) -> tuple[Floats, Floats | None]:
        """Push one cell as far as a table can; return the table, and what kept it from its due."""
        shown = self.cells.may_hide[self._columns] & ~hidden[self._columns]
        worth = -side * (self._columns == cell).astype(float)
        lower = np.where(shown, 0.0, self._lower)
        upper = np.where(shown, 0.0, self._upper)
        solution = solve_linear(worth, self._matrix, np.column_stack([lower, upper]))
        deviations = np.zeros(self.cells.size)
        if solution is None:
            return deviations, None
        deviations[self._columns] = solution.values
        wanted = abs(self._due[0 if side < 0 else 1][cell] - self.cells.counts[cell])
        if side * deviations[cell] >= wanted - CLOSE:
            return deviations, None
        slack = worth - self._matrix.T @ solution.prices
        return deviations, self._cut(slack, wanted)

    def _cut(self, slack: Floats, wanted: float) -> Floats:
        """Turn a dual solution into a condition on the cells that might be hidden."""
        reach = np.zeros(len(slack))
        down, up = slack > CLOSE, slack < -CLOSE
        reach[down] = slack[down] * -self._lower[down]
        reach[up] = -slack[up] * self._upper[up]
        free = self.cells.may_hide[self._columns]
        left = wanted - reach[~free].sum()
        cut = np.zeros(self.cells.size)
        cut[self._columns[free]] = np.minimum(reach[free] / left, 1.0)
        return cut

    def attack_whole(self, hidden: Bools) -> bool:
        """Tell whether a reader who knows that counts are whole numbers succeeds."""
        if self._due_whole is None:
            widest = intervals(self.cells, self._all_hidden, whole=True)
            self._due_whole = self._clip(self._due, widest)
        lower, upper = intervals(self.cells, hidden, whole=True)
        due = self._due_whole
        narrow = (lower > due[0] + CLOSE) | (upper < due[1] - CLOSE)
        return bool((narrow & self.cells.primary).any())
