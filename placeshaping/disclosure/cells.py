"""
The cells of a release as one system: what is counted, and which sums tie the counts together.

Every level, period and category of a release stands in it, so that they are
protected together and not one table at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError

_LEVELS = 4
"""Sums within sums that are followed: categories, periods, and two levels of areas."""


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


@dataclass(frozen=True)
class Cells:
    """
    All cells of a release, flat, with the sums among them.

    Attributes
    ----------
    counts
        True counts.
    threshold
        Of each cell: counts under it are small; 0 where none is.
    smallest_hidden
        0 where zero is hidden too, else 1.
    rounding
        What shown cells are rounded to; 1 leaves them as they are.
    sums
        Every sum that a reader can form.
    published
        False where a cell is published nowhere and only ties sums together.
    block
        Number of the district (or other top area) that a cell lies in; -1 where it spans several.
    hidden_before
        Hidden in the release before: preferred where something must be hidden.
    always_hidden
        Must be hidden whatever the count.
    marks_known
        Whether a reader is taken to know of every small cell that it is small.
        Where not, a total whose hidden parts alone fill its mark is taken for
        one that may be hidden for another's sake.
    """

    counts: NDArray[np.int64]
    threshold: NDArray[np.int64]
    smallest_hidden: int
    rounding: int
    sums: Sums
    published: NDArray[np.bool_]
    block: NDArray[np.intp]
    hidden_before: NDArray[np.bool_]
    always_hidden: NDArray[np.bool_]
    marks_known: bool = True
    small: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    ceiling: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the small counts once, and the most that a reader takes a hidden one for."""
        small = (self.counts < self.threshold) & (self.counts >= self.smallest_hidden)
        object.__setattr__(self, "small", small & self.published)
        object.__setattr__(self, "ceiling", self._ceiling())

    def _ceiling(self) -> NDArray[np.float64]:
        """Return what the mark of each small cell leaves at most."""
        return np.where(
            self.small & (self.marks_known | ~self.filled), self.threshold - 1.0, np.inf
        )

    @property
    def filled(self) -> NDArray[np.bool_]:
        """The small totals whose hidden parts leave them one value under their threshold."""
        sums, size = self.sums, len(self.sums.totals)
        least = np.where(self.small, float(self.smallest_hidden), 0.0)
        for _ in range(_LEVELS):
            added = np.bincount(sums.sum_of_part, least[sums.parts], minlength=size)
            np.maximum.at(least, sums.totals, np.where(self.small[sums.totals], added, 0.0))
        return self.small & (least >= self.threshold - 1.0)

    @property
    def due_most(self) -> NDArray[np.float64]:
        """The value that a reader must not be able to rule out for each small cell."""
        return np.where(np.isfinite(self.ceiling), self.ceiling, self.threshold)

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.counts)

    @property
    def primary(self) -> NDArray[np.bool_]:
        """The cells that are hidden for their own sake: small, or never to be shown."""
        return self.small | (self.always_hidden & self.published)

    @property
    def may_hide(self) -> NDArray[np.bool_]:
        """The cells that can be hidden for another's sake; a zero that may be shown is none."""
        return self.published & ~self.primary & (self.counts >= max(self.smallest_hidden, 1))


def make_cells(
    counts: NDArray[np.int64],
    sums: Sums,
    *,
    threshold: int | NDArray[np.int64],
    smallest_hidden: int = 1,
    rounding: int = 1,
    published: NDArray[np.bool_] | None = None,
    block: NDArray[np.intp] | None = None,
    hidden_before: NDArray[np.bool_] | None = None,
    always_hidden: NDArray[np.bool_] | None = None,
) -> Cells:
    """
    Put cells together; what is not given is the same for all of them.

    Parameters
    ----------
    counts
        True counts, flat.
    sums
        Sums among the cells.
    threshold
        Counts under it are small; one for all or one for each.
    smallest_hidden
        0 where zero is hidden too, else 1.
    rounding
        What shown cells are rounded to.
    published, block, hidden_before, always_hidden
        As in `Cells`; by default all are published, lie in one block, and
        none was or must be hidden.

    Examples
    --------
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([10, 3, 7]), sums, threshold=5)
    >>> cells.primary.tolist()
    [False, True, False]
    """
    size = len(counts)
    none = np.zeros(size, dtype=bool)
    return Cells(
        counts=counts,
        threshold=np.broadcast_to(np.asarray(threshold, dtype=np.int64), size).copy(),
        smallest_hidden=smallest_hidden,
        rounding=rounding,
        sums=sums,
        published=~none if published is None else published,
        block=np.zeros(size, dtype=np.intp) if block is None else block,
        hidden_before=none if hidden_before is None else hidden_before,
        always_hidden=none if always_hidden is None else always_hidden,
    )


def weights(cells: Cells) -> NDArray[np.float64]:
    """
    Return what is lost by hiding each cell: its count and one, half of it if hidden before.

    Examples
    --------
    >>> none = Sums(*(np.empty(0, dtype=np.intp) for _ in range(3)))
    >>> before = np.array([False, True])
    >>> weights(make_cells(np.array([9, 9]), none, threshold=5, hidden_before=before)).tolist()
    [10.0, 5.0]
    """
    return np.where(cells.hidden_before, 0.5, 1.0) * (cells.counts.astype(float) + 1.0)


def check_cells(cells: Cells, *, name: Callable[[int], str] = "cell {}".format) -> None:
    """
    Refuse counts that are no counts, and totals that are not the sum of their parts.

    Parameters
    ----------
    cells
        Cells that are to be protected.
    name
        Turns a cell's number into words for the message.

    Raises
    ------
    InputError
        If counts are negative or fractional, if an array has another length
        than `counts`, or if a total differs from the sum of its parts.

    Examples
    --------
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> check_cells(make_cells(np.array([11, 3, 7]), sums, threshold=5))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: 1 of 1 totals is not the sum of its parts: cell 0 is 11, \
its 2 parts add up to 10. Build every total from the same records as its parts.
    """
    for label in ("threshold", "published", "block", "hidden_before", "always_hidden"):
        given = len(getattr(cells, label))
        if given != cells.size:
            msg = f"{label} has {given:,} entries for {cells.size:,} cells. Give one for each."
            raise InputError(msg)
    _check_whole(cells, name)
    _check_totals(cells, name)


def _check_whole(cells: Cells, name: Callable[[int], str]) -> None:
    with np.errstate(invalid="ignore"):
        fractional = np.flatnonzero(~(np.rint(cells.counts) == cells.counts))
    for kind, wrong in (("fractional", fractional), ("negative", np.flatnonzero(cells.counts < 0))):
        if len(wrong):
            shown = [f"{name(int(cell))} is {cells.counts[cell]}" for cell in wrong[:3]]
            msg = (
                f"{len(wrong):,} of {cells.size:,} counts are {kind} ({listed(shown)}). "
                "Disclosure control is for counts of records: whole numbers, 0 or more."
            )
            raise InputError(msg)


def _check_totals(cells: Cells, name: Callable[[int], str]) -> None:
    sums, size = cells.sums, len(cells.sums.totals)
    added = np.bincount(sums.sum_of_part, cells.counts[sums.parts], minlength=size)
    wrong = np.flatnonzero(added != cells.counts[sums.totals])
    if not len(wrong):
        return
    one = int(wrong[0])
    cell = int(sums.totals[one])
    verb = "is not the sum of its parts" if len(wrong) == 1 else "are not the sums of their parts"
    msg = (
        f"{len(wrong):,} of {size:,} totals {verb}: {name(cell)} is {cells.counts[cell]:,}, its "
        f"{int((sums.sum_of_part == one).sum()):,} parts add up to {int(added[one]):,}. "
        "Build every total from the same records as its parts."
    )
    raise InputError(msg)


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
        parent; -1 for areas that have none.

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
        total, inside = cells[coarser], position >= 0
        number = np.arange(total.size, dtype=np.intp).reshape(total.shape)
        parts = cells[finer][..., inside]
        found.append((total.ravel(), parts.ravel(), number[..., position[inside]].ravel()))
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
