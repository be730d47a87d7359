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

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from placeshaping.disclosure import _bounds
from placeshaping.disclosure._bounds import Incidence
from placeshaping.disclosure.cells import Cells, Sums, make_cells
from placeshaping.disclosure.policies import Policy

Floats = NDArray[np.float64]


def incidence(sums: Sums, size: int) -> Incidence:
    """
    Arrange sums by their parts and by their cells.

    Parameters
    ----------
    sums
        Sums among the cells.
    size
        Number of cells.

    Examples
    --------
    >>> one = Sums(np.array([0]), np.array([2, 1]), np.array([0, 0]))
    >>> arranged = incidence(one, 3)
    >>> arranged.parts.tolist(), arranged.sums.tolist()
    ([1, 2], [0, 0, 0])
    """
    number = len(sums.totals)
    part_start, parts = _rows(sums.sum_of_part, sums.parts, number)
    cells = np.concatenate([sums.parts, sums.totals])
    of = np.concatenate([sums.sum_of_part, np.arange(number, dtype=np.intp)])
    sum_start, in_sums = _rows(cells, of, size)
    return Incidence(sums.totals.astype(np.intp), part_start, parts, sum_start, in_sums)


def _rows(
    row: NDArray[np.intp], value: NDArray[np.intp], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Sort values by row, then by value; return where each row starts, and the values."""
    start = np.zeros(size + 1, dtype=np.intp)
    np.cumsum(np.bincount(row, minlength=size), out=start[1:])
    return start, value[np.lexsort((value, row))].astype(np.intp)


def known_bounds(cells: Cells, hidden: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """
    Return what a reader knows of each cell before any sum: its least and its greatest count.

    A shown count is the rounded one, halves to the even multiple; a small count
    is known to be small (the worst case: all hidden cells bear one mark); what
    is hidden for another's sake is at least the smallest count that is hidden.

    Parameters
    ----------
    cells
        The cells.
    hidden
        Those that are not shown.

    Returns
    -------
    lower, upper
        Whole numbers; infinity where nothing bounds a cell from above.

    Examples
    --------
    >>> sums = Sums(*(np.empty(0, dtype=np.intp) for _ in range(3)))
    >>> cells = make_cells(np.array([0, 3, 12, 25]), sums, threshold=5, rounding=5)
    >>> low, high = known_bounds(cells, cells.primary)
    >>> low.tolist(), high.tolist()
    ([0.0, 1.0, 8.0, 23.0], [0.0, 4.0, 12.0, 27.0])
    """
    base, threshold = cells.rounding, cells.threshold
    multiple = np.rint(cells.counts / base)
    # With an even base the half lies on the even multiples' side.
    half = np.where(multiple % 2 == 0, base // 2, (base - 1) // 2)
    lower = np.maximum(base * multiple - half, threshold).astype(float)
    upper = base * multiple + half
    zero = (multiple == 0) & (cells.smallest_hidden > 0)
    lower = np.where(zero, 0.0, lower)
    upper = np.where(zero & (half < threshold), 0.0, upper)
    away = hidden | ~cells.published
    lower = np.where(away, np.minimum(cells.smallest_hidden, cells.counts), lower)
    upper = np.where(away, np.where(cells.small, cells.ceiling, np.inf), upper)
    return np.where(cells.published, lower, 0.0), upper


def propagate(
    lower: Floats, upper: Floats, sums: Sums, *, rounds: int = 50
) -> tuple[Floats, Floats]:
    """
    Tighten bounds through all sums until nothing changes.

    Parameters
    ----------
    lower, upper
        What is known of each cell.
    sums
        Sums among the cells.
    rounds
        How often each sum may be looked at, on average; few times are needed.

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
    lower, upper = lower.astype(float), upper.astype(float)
    waiting = np.ones(len(sums.totals), dtype=np.bool_)
    arranged = incidence(sums, len(lower))
    _bounds.tighten(lower, upper, waiting, rounds * len(waiting), arranged)
    return lower, upper


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

    `hide_by_bounds` for one threshold.

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
    away = np.zeros_like(hidden) if unpublished is None else unpublished
    cells = make_cells(
        counts,
        sums,
        threshold=policy.threshold,
        smallest_hidden=policy.smallest_hidden,
        rounding=policy.rounding,
        published=~away,
    )
    not_covered = np.where(cells.small & ~hidden, 0, cells.threshold)
    return hide_by_bounds(replace(cells, threshold=not_covered, always_hidden=hidden)) | away


def hide_by_bounds(cells: Cells) -> NDArray[np.bool_]:
    """
    Hide cells until propagated bounds leave every small one the interval that its mark says.

    A hidden total is known to be at least the number of its hidden parts; no
    further hiding can change that, and it is not counted as given away.

    Parameters
    ----------
    cells
        All cells of a release.

    Returns
    -------
    hidden
        The cells to hide; those published nowhere are not among them.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums
    >>> sums = find_sums(
    ...     {"lsoa": (1, 4, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([30, 3, 20, 7]), sums, threshold=5)
    >>> hide_by_bounds(cells).tolist()
    [False, True, False, True]
    """
    knowledge = Knowledge(cells)
    preference = _preference(cells)
    while len(further := _in_guilty_sums(knowledge, preference)):
        knowledge.hide(further)
    widest = Knowledge(cells, cells.primary | cells.may_hide)
    while len(further := _behind_guilty_sums(knowledge, preference, widest)):
        knowledge.hide(further)
    return knowledge.hidden & cells.published


def _in_guilty_sums(knowledge: Knowledge, preference: NDArray[np.int64]) -> NDArray[np.intp]:
    """Choose a cell of each sum that leaves a small count less than its mark says."""
    guilty = _bounds.narrowing(
        (knowledge.lower, knowledge.upper),
        knowledge.given_away(),
        (knowledge.inherent, knowledge.cells.due_most),
        knowledge.incidence,
    )
    return _bounds.choose(guilty, preference, knowledge.hidden, knowledge.incidence)


def _behind_guilty_sums(
    knowledge: Knowledge, preference: NDArray[np.int64], widest: Knowledge
) -> NDArray[np.intp]:
    """
    Choose cells further off, where the sums that narrow a small count have nothing left to hide.

    Followed are the hidden cells through which they narrow it, and the sums
    that narrow those, until there is something to hide.
    """
    tight = (knowledge.lower > widest.lower) | (knowledge.upper < widest.upper)
    watched = knowledge.cells.small & tight
    known, due = (knowledge.lower, knowledge.upper), (widest.lower, widest.upper)
    while True:
        guilty = _bounds.narrowing(known, watched, due, knowledge.incidence)
        further = _bounds.choose(guilty, preference, knowledge.hidden, knowledge.incidence)
        reached = _bounds.cells_of(guilty, len(tight), knowledge.incidence)
        wider = watched | (reached & tight & knowledge.hidden)
        if len(further) or (wider == watched).all():
            return further
        watched = wider


def _preference(cells: Cells) -> NDArray[np.int64]:
    """Rank the cells that may be hidden, best first: hidden before, then small; -1 for the rest."""
    order = np.lexsort((np.arange(cells.size), cells.counts, ~cells.hidden_before))
    rank = np.empty(cells.size, dtype=np.int64)
    rank[order] = np.arange(cells.size)
    return np.where(cells.may_hide, rank, -1)


class Knowledge:
    """
    What a reader knows once the bounds are propagated, kept up while cells are hidden.

    Parameters
    ----------
    cells
        The cells.
    hidden
        Those not shown; by default the primary ones.

    Attributes
    ----------
    lower, upper
        What the reader knows of each cell.
    inherent
        What each cell is known to hold at least, whatever else were hidden.
    """

    def __init__(self, cells: Cells, hidden: NDArray[np.bool_] | None = None) -> None:
        self.cells = cells
        self.incidence = incidence(cells.sums, cells.size)
        self.hidden = (cells.primary if hidden is None else hidden) | ~cells.published
        self._given = known_bounds(cells, self.hidden)
        self.lower, self.upper = (bound.copy() for bound in self._given)
        self.inherent = np.where(self.hidden & cells.published, self._given[0], 0.0)
        self._tighten(np.ones(len(cells.sums.totals), dtype=np.bool_))
        self._raise_inherent(np.ones(len(cells.sums.totals), dtype=np.bool_))

    def hide(self, further: NDArray[np.intp]) -> None:
        """Hide more cells: forget what was known through them, and propagate from there."""
        before = self._given
        self.hidden[further] = True
        self._given = known_bounds(self.cells, self.hidden)
        lower_wider = further[self._given[0][further] < before[0][further]]
        upper_wider = further[self._given[1][further] > before[1][further]]
        wider = np.concatenate([2 * lower_wider, 2 * upper_wider + 1])
        waiting = _bounds.relax((self.lower, self.upper), self._given, wider, self.incidence)
        self._tighten(waiting)
        self.inherent[further] = np.maximum(self.inherent[further], self.cells.smallest_hidden)
        touched = np.zeros_like(waiting)
        _bounds.touch(touched, further, self.incidence)
        self._raise_inherent(touched)

    def given_away(self) -> NDArray[np.bool_]:
        """Tell which small cells are left a narrower interval than their mark says."""
        narrow = (self.lower > self.inherent) | (self.upper < self.cells.due_most)
        return self.cells.small & narrow

    def _tighten(self, waiting: NDArray[np.bool_]) -> None:
        visits = 50 * len(waiting)
        _bounds.tighten(self.lower, self.upper, waiting, visits, self.incidence)

    def _raise_inherent(self, waiting: NDArray[np.bool_]) -> None:
        unbounded = np.full(self.cells.size, np.inf)
        visits = 50 * len(waiting)
        _bounds.tighten(self.inherent, unbounded, waiting, visits, self.incidence)
