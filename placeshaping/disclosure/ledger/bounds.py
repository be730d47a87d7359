"""
What a reader of several releases knows of every count between any two of their dates.

For one area and category, `F(t)` is the number of records before the month
`t`. A released count of a span bounds a difference `F(end) - F(start)`, so all
that follows from the spans alone (their differences, chains and unions) are
shortest paths between their ends: exact, for whole numbers too. Areas that
hold others and categories that hold others then tie the spans of several
areas and categories together; those bounds are propagated until nothing changes.

`reach[p, q]` is the most that `F(q) - F(p)` can be: for p before q the upper
bound of the span, for p after q the lower bound, negated.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from placeshaping.disclosure.ledger._span_kernels import UNKNOWN, add_up, close, take_in

MOST_ROUNDS = 50


@dataclass(frozen=True)
class NestedSums:
    """
    Which areas (or categories) are the sum of others.

    Attributes
    ----------
    totals
        Number of each sum's total.
    starts
        Where the parts of each sum start in `parts`; one more at the end.
    parts
        Numbers of the parts.
    """

    totals: NDArray[np.int64]
    starts: NDArray[np.int64]
    parts: NDArray[np.int64]


@dataclass(frozen=True)
class SpanCells:
    """
    Bounds on counts, sorted by area and category; earlier ones count first.

    Attributes
    ----------
    area, category, start, end
        Numbers; `start` < `end` are ends of spans.
    lower, upper
        Inclusive; `UNKNOWN` for no upper bound.
    blame
        Number of the cell to hide should it help to give a count away; 0 for
        cells that are out already.
    """

    area: NDArray[np.int64]
    category: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    lower: NDArray[np.int32]
    upper: NDArray[np.int32]
    blame: NDArray[np.int32]

    def where(self, kept: NDArray[np.bool_]) -> SpanCells:
        """Return the cells that are kept."""
        return SpanCells(
            self.area[kept], self.category[kept], self.start[kept], self.end[kept],
            self.lower[kept], self.upper[kept], self.blame[kept],
        )  # fmt: skip


@dataclass(frozen=True)
class SpanBounds:
    """
    What is known of every span of every area and category.

    Attributes
    ----------
    reach, blame
        Shape (areas, categories, ends, ends); see the module. `blame` is the
        lowest number of the cells that a bound was worked out from.
    contradictions
        Number of cells and sums that contradict the others and so say nothing.
    """

    reach: NDArray[np.int32]
    blame: NDArray[np.int32]
    contradictions: int = field(default=0)


def bound_spans(
    cells: SpanCells,
    *,
    shape: tuple[int, int, int],
    area_sums: NestedSums,
    category_sums: NestedSums,
) -> SpanBounds:
    """
    Work out what follows from released counts for every span between their ends.

    Parameters
    ----------
    cells
        The released counts, as bounds.
    shape
        Numbers of areas, categories and ends of spans.
    area_sums, category_sums
        Areas and categories that are the sum of others.

    Returns
    -------
    bounds
        Never empty: what contradicts is left aside and counted.

    Examples
    --------
    A year has 12 records, the year and the month after it 15:

    >>> one = np.zeros(2, dtype=np.int64)
    >>> counts = np.array([12, 15], dtype=np.int32)
    >>> cells = SpanCells(one, one, one, one + [1, 2], counts, counts, counts * 0)
    >>> none = NestedSums(one[:0], one[:1], one[:0])
    >>> bounds = bound_spans(cells, shape=(1, 1, 3), area_sums=none, category_sums=none)
    >>> int(bounds.reach[0, 0, 1, 2]), -int(bounds.reach[0, 0, 2, 1])
    (3, 3)
    """
    used = np.unique(np.concatenate([cells.start, cells.end]))
    if 0 < len(used) < shape[2]:  # solve for the ends that occur, then spread to the others
        start, end = np.searchsorted(used, cells.start), np.searchsorted(used, cells.end)
        narrow = bound_spans(
            replace(cells, start=start, end=end),
            shape=(*shape[:2], len(used)),
            area_sums=area_sums,
            category_sums=category_sums,
        )
        return _spread(narrow, used, shape[2])
    areas, categories, ends = shape
    before = np.arange(ends)[:, None] < np.arange(ends)
    one = np.where(before, UNKNOWN, 0).astype(np.int32)
    reach = np.empty((areas, categories, ends, ends), dtype=np.int32)
    reach[:] = one
    blame = np.zeros_like(reach)
    group = cells.area * categories + cells.category
    starts = np.searchsorted(group, np.arange(areas * categories + 1))
    flat, blamed = reach.reshape(-1, ends, ends), blame.reshape(-1, ends, ends)
    wrong = take_in(
        flat, blamed, starts, cells.start, cells.end, cells.lower, cells.upper, cells.blame
    )
    stamp = np.zeros((areas, categories), dtype=np.int32)
    silent = [
        np.zeros((len(area_sums.totals), categories), dtype=np.bool_),
        np.zeros((len(category_sums.totals), areas), dtype=np.bool_),
    ]
    frozen = np.zeros((areas, categories), dtype=np.bool_)
    swapped = (1, 0, 2, 3)
    for round_ in range(1, MOST_ROUNDS):
        for sums, axes, quiet in zip(
            (area_sums, category_sums), ((0, 1, 2, 3), swapped), silent, strict=True
        ):
            add_up(
                reach.transpose(axes), blame.transpose(axes), sums.totals, sums.starts,
                sums.parts, stamp.transpose(axes[:2]), frozen.transpose(axes[:2]), quiet, round_,
            )  # fmt: skip
        if not (stamp == round_).any():
            break
        torn = close(flat, blamed, stamp.reshape(-1), round_)
        for g in np.flatnonzero(torn):
            flat[g], blamed[g] = one, 0
            take_in(
                flat[g : g + 1], blamed[g : g + 1], starts[g : g + 2], cells.start, cells.end,
                cells.lower, cells.upper, cells.blame,
            )  # fmt: skip
        frozen |= torn.reshape(frozen.shape)
    lost = int(wrong) + sum(int(quiet.sum()) for quiet in silent) + int(frozen.sum())
    return SpanBounds(reach, blame, lost)


def _spread(narrow: SpanBounds, used: NDArray[np.int64], ends: int) -> SpanBounds:
    """Bound the spans between all ends by those between some: a longer span holds no less."""
    number = np.arange(ends)
    below = np.searchsorted(used, number, side="right") - 1
    above = np.searchsorted(used, number, side="left")
    known = (below >= 0)[:, None] & (above < len(used))
    p, q = np.maximum(below, 0)[:, None], np.minimum(above, len(used) - 1)[None, :]
    reach = np.where(known, narrow.reach[:, :, p, q], UNKNOWN)
    shut = number[:, None] >= number
    spread = np.where(shut, np.minimum(reach, 0), reach).astype(np.int32)
    blame = np.where(known, narrow.blame[:, :, p, q], 0).astype(np.int32)
    return SpanBounds(spread, blame, narrow.contradictions)
