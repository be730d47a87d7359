"""The pieces of a release that no sum ties together: what one gives away says nothing of others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from placeshaping.disclosure.cells import Cells, Sums


def pieces(cells: Cells) -> list[NDArray[np.intp]]:
    """
    Divide cells into those that sums tie together, through however many sums.

    Returns
    -------
    pieces
        Cell numbers of each, in order; cells that stand in no sum are left out.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 2)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([9, 3, 4, 1, 5, 2]), sums, threshold=5)
    >>> [one.tolist() for one in pieces(cells)]
    [[0, 2, 4], [1, 3, 5]]
    """
    sums, size = cells.sums, cells.size
    ends = (sums.parts, sums.totals[sums.sum_of_part])
    tied = sparse.coo_matrix((np.ones(len(sums.parts), dtype=bool), ends), shape=(size, size))
    number, piece = csgraph.connected_components(tied, directed=False)
    order = np.argsort(piece, kind="stable")
    starts = np.searchsorted(piece[order], np.arange(1, number))
    return [one for one in np.split(order, starts) if len(one) > 1]


def restricted(cells: Cells, piece: NDArray[np.intp]) -> Cells:
    """
    Return a piece as a system of its own, its cells numbered anew.

    Parameters
    ----------
    cells
        All cells.
    piece
        Cell numbers, in order, that no sum ties to others.

    Examples
    --------
    >>> from placeshaping.disclosure.cells import find_sums, make_cells
    >>> sums = find_sums(
    ...     {"lsoa": (1, 3, 2)}, periods_add_up=False, categories_add_up=True, parents=[]
    ... )
    >>> cells = make_cells(np.array([9, 3, 4, 1, 5, 2]), sums, threshold=5)
    >>> second = restricted(cells, np.array([1, 3, 5]))
    >>> second.counts.tolist(), second.sums.parts.tolist()
    ([3, 1, 2], [1, 2])
    """
    sums = cells.sums
    place = np.full(cells.size, -1, dtype=np.intp)
    place[piece] = np.arange(len(piece))
    kept = place[sums.totals] >= 0
    inside = kept[sums.sum_of_part]
    number = np.cumsum(kept) - 1
    return replace(
        cells,
        counts=cells.counts[piece],
        threshold=cells.threshold[piece],
        sums=Sums(
            place[sums.totals[kept]], place[sums.parts[inside]], number[sums.sum_of_part[inside]]
        ),
        published=cells.published[piece],
        block=cells.block[piece],
        hidden_before=cells.hidden_before[piece],
        always_hidden=cells.always_hidden[piece],
    )
