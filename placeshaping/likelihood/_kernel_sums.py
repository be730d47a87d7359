"""Gaussian kernels of events at each other, as one sparse matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.compiled import compiled
from placeshaping.likelihood._close_pairs import sorted_into_squares

Floats = NDArray[np.float64]

_REACH = 4.0  # bandwidths after which a kernel is cut off; less than 0.04 % lies beyond


def kernel_matrix(
    x: Floats, y: Floats, band: NDArray[np.int64], bandwidths: Floats
) -> sparse.csr_array:
    """
    Return the density that each event's kernel has at each other event.

    Parameters
    ----------
    x, y
        Places in metres.
    band
        Number of the bandwidth of each event.
    bandwidths
        Metres.

    Returns
    -------
    kernels
        Shape (events, events): row, the event whose kernel it is; column,
        where it is felt. Per square metre; an event does not feel itself.
    """
    counts = np.zeros(len(x) + 1, dtype=np.int64)
    for sources, squares, bandwidth in _bands(x, y, band, bandwidths):
        _count(x, y, sources, _REACH * bandwidth, counts, *squares)
    first = np.cumsum(counts)
    targets = np.empty(first[-1], dtype=np.int32)
    values = np.empty(first[-1], dtype=np.float32)
    for sources, squares, bandwidth in _bands(x, y, band, bandwidths):
        _fill(x, y, sources, bandwidth, first, targets, values, *squares)
    return sparse.csr_array((values, targets, first), shape=(len(x), len(x)))


def _bands(
    x: Floats, y: Floats, band: NDArray[np.int64], bandwidths: Floats
) -> Iterator[tuple[NDArray[np.intp], Any, float]]:
    """Yield the events of each bandwidth, and all events sorted into squares of its reach."""
    for number, bandwidth in enumerate(bandwidths.tolist()):
        order, start, columns = sorted_into_squares(x, y, _REACH * bandwidth)
        yield np.flatnonzero(band == number), (order, start, columns, x.min(), y.min()), bandwidth


@compiled(parallel=True)
def _count(
    x: Any, y: Any, sources: Any, reach: float, counts: Any,
    order: Any, start: Any, columns: int, x0: float, y0: float,
) -> None:  # fmt: skip
    rows = (len(start) - 1) // columns
    for s in numba.prange(len(sources)):
        i = sources[s]
        column, row = int((x[i] - x0) // reach), int((y[i] - y0) // reach)
        found = 0
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            low = start[r * columns + max(column - 1, 0)]
            high = start[r * columns + min(column + 1, columns - 1) + 1]
            for k in range(low, high):
                j = order[k]
                if j != i and (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2 < reach**2:
                    found += 1
        counts[i + 1] = found


@compiled(parallel=True)
def _fill(
    x: Any, y: Any, sources: Any, bandwidth: float, first: Any, targets: Any, values: Any,
    order: Any, start: Any, columns: int, x0: float, y0: float,
) -> None:  # fmt: skip
    rows = (len(start) - 1) // columns
    flat, height, reach = 0.5 / bandwidth**2, 1 / (2 * np.pi * bandwidth**2), _REACH * bandwidth
    for s in numba.prange(len(sources)):
        i = sources[s]
        column, row = int((x[i] - x0) // reach), int((y[i] - y0) // reach)
        at = first[i]
        for r in range(max(row - 1, 0), min(row + 2, rows)):
            low = start[r * columns + max(column - 1, 0)]
            high = start[r * columns + min(column + 1, columns - 1) + 1]
            for k in range(low, high):
                j = order[k]
                apart = (x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2
                if j != i and apart < reach**2:
                    targets[at], values[at] = j, height * np.exp(-flat * apart)
                    at += 1
