"""
K-means in compiled code: many starts side by side, the same answer on any number of threads.

Seeds by greedy k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's steps
with the bounds of Hamerly (2010), which leave out most distances and change no
answer. What is drawn at random is drawn beforehand.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

MOST_STEPS = 300


def best_k_means(
    values: NDArray[np.float64], groups: int, *, starts: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """
    Return the labels and centres of the best of many starts.

    Parameters
    ----------
    values
        Rows by columns.
    groups
        How many, at most as many as there are rows unlike each other.
    starts
        The one with the least sum of squares is taken; of equal ones the first.
    seed
        Of the starts.

    Returns
    -------
    labels, centres
        Of the rows, and of the groups by columns.
    """
    trials = 2 + int(np.log(groups))
    drawn = np.random.default_rng(seed).random((starts, groups, trials))
    labels, centres, sums = _run(np.ascontiguousarray(values, dtype=np.float64), drawn)
    best = int(np.argmin(sums))
    return labels[best].astype(np.intp), centres[best]


@compiled(parallel=True)
def _run(
    values: NDArray[np.float64], drawn: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:  # pragma: no cover
    starts, groups = drawn.shape[:2]
    rows, columns = values.shape
    labels = np.empty((starts, rows), np.int32)
    centres = np.empty((starts, groups, columns))
    sums = np.empty(starts)
    for start in numba.prange(starts):
        _seed(values, centres[start], drawn[start])
        _steps(values, labels[start], centres[start])
        total = 0.0
        for row in range(rows):
            total += _apart(values[row], centres[start, labels[start, row]])
        sums[start] = total
    return labels, centres, sums


@compiled()
def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:  # pragma: no cover
    total = 0.0
    for column in range(one.size):
        away = one[column] - other[column]
        total += away * away
    return total


@compiled()
def _seed(
    values: NDArray[np.float64], centres: NDArray[np.float64], drawn: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Draw the first centres: far from each other, the best of a few draws each."""
    rows = len(values)
    nearest = np.full(rows, np.inf)
    tried, best = np.empty(rows), np.empty(rows)
    for group in range(len(centres)):
        least, chosen = np.inf, 0
        for trial in range(drawn.shape[1] if group else 1):
            row = _far_row(nearest, drawn[group, trial])
            left = 0.0
            for place in range(rows):
                tried[place] = min(nearest[place], _apart(values[place], values[row]))
                left += tried[place]
            if left < least:
                least, chosen = left, row
                best[:] = tried
        nearest[:] = best
        centres[group] = values[chosen]


@compiled()
def _far_row(nearest: NDArray[np.float64], drawn: float) -> int:  # pragma: no cover
    """Choose a row with a chance that goes by how far it is from what was chosen before."""
    total = nearest.sum()
    if total == 0.0 or np.isinf(total):
        return int(drawn * len(nearest))
    mark, run, chosen = drawn * total, 0.0, 0
    for row in range(len(nearest)):
        run += nearest[row]
        if nearest[row] > 0:
            chosen = row
        if run > mark:
            break
    return chosen


@compiled()
def _steps(
    values: NDArray[np.float64], labels: NDArray[np.int32], centres: NDArray[np.float64]
) -> None:  # pragma: no cover
    """Move rows to their nearest centre and centres to their middle, until nothing moves."""
    rows, groups = len(values), len(centres)
    upper, lower = np.full(rows, np.inf), np.zeros(rows)
    half, moved = np.empty(groups), np.empty(groups)
    labels[:] = 0
    for _ in range(MOST_STEPS):
        for group in range(groups):
            least = np.inf
            for other in range(groups):
                if other != group:
                    least = min(least, _apart(centres[group], centres[other]))
            half[group] = 0.5 * np.sqrt(least)
        for row in range(rows):
            if upper[row] > max(half[labels[row]], lower[row]):
                labels[row] = _nearest(values[row], centres, row, upper, lower)
        _middle(values, labels, centres, moved)
        far = moved.max()
        if far == 0.0:
            break
        for row in range(rows):
            upper[row] += moved[labels[row]]
            lower[row] -= far


@compiled()
def _nearest(
    one: NDArray[np.float64],
    centres: NDArray[np.float64],
    row: int,
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
) -> int:  # pragma: no cover
    """Return the nearest centre of a row; note how far it is, and the next."""
    first, second, nearest = np.inf, np.inf, 0
    for group in range(len(centres)):
        away = _apart(one, centres[group])
        if away < first:
            first, second, nearest = away, first, group
        elif away < second:
            second = away
    upper[row], lower[row] = np.sqrt(first), np.sqrt(second)
    return nearest


@compiled()
def _middle(
    values: NDArray[np.float64],
    labels: NDArray[np.int32],
    centres: NDArray[np.float64],
    moved: NDArray[np.float64],
) -> None:  # pragma: no cover
    """Put each centre in the middle of its rows; an empty one on the row farthest from its own."""
    groups, columns = centres.shape
    middle = np.zeros((groups, columns))
    sizes = np.zeros(groups)
    for row in range(len(values)):
        sizes[labels[row]] += 1
        for column in range(columns):
            middle[labels[row], column] += values[row, column]
    for group in range(groups):
        if sizes[group] > 0:
            for column in range(columns):
                middle[group, column] /= sizes[group]
        else:
            farthest, most = 0, -1.0
            for row in range(len(values)):
                away = _apart(values[row], centres[labels[row]])
                if away > most:
                    farthest, most = row, away
            middle[group] = values[farthest]
        moved[group] = np.sqrt(_apart(middle[group], centres[group]))
        centres[group] = middle[group]
