"""
How flagged areas behave besides catching crime (Adepeju, Rosser and Cheng 2016).

A patrol walks a compact area more easily than scattered cells; an area that
changes every day is hard to plan for, one that never changes needs no forecast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from placeshaping.likelihood.scores import total


def compactness(flagged: ArrayLike, neighbours: sparse.csr_array) -> float:
    """
    Share of the flagged units' neighbours that are flagged themselves.

    Parameters
    ----------
    flagged
        Part of each unit that is flagged.
    neighbours
        Binary, without selves.

    Returns
    -------
    share
        1 where the flagged units form one large block, about the flagged share
        where they are scattered at random; missing where they have no neighbours.

    Examples
    --------
    >>> line = sparse.csr_array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    >>> compactness([1, 1, 0, 0], line), compactness([1, 0, 1, 0], line)
    (0.6666666666666666, 0.0)
    """
    part = np.asarray(flagged, dtype=np.float64)
    borders = total(part, np.asarray(neighbours.sum(axis=1), dtype=np.float64))
    return total(part, neighbours @ part) / borders if borders > 0 else float("nan")


def turnover(flagged: ArrayLike, before: ArrayLike, area: ArrayLike) -> float:
    """
    Share of the flagged area that was not flagged the period before.

    Parameters
    ----------
    flagged, before
        Part of each unit that is flagged, in a period and the one before it.
    area
        Area of each unit.

    Returns
    -------
    share
        0 where the same area is flagged again, 1 where none of it is.

    Examples
    --------
    >>> turnover([1, 1, 0], [0, 1, 1], [1, 1, 1])
    0.5
    """
    now, then, size = (np.asarray(a, dtype=np.float64) for a in (flagged, before, area))
    whole = total(now, size)
    return total(np.maximum(now - then, 0), size) / whole if whole > 0 else float("nan")


def caught_by_one(observed: ArrayLike, flagged: ArrayLike, other: ArrayLike) -> float:
    """
    Count the events in the area that one method flags and another does not.

    Parameters
    ----------
    observed
        Events of each unit.
    flagged, other
        Part of each unit that the one method flags, and the other.

    Returns
    -------
    events
        Caught by the first alone.

    Examples
    --------
    >>> caught_by_one([5, 2, 1], [1, 1, 0], [1, 0, 1])
    2.0
    """
    y, one, two = (np.asarray(a, dtype=np.float64) for a in (observed, flagged, other))
    return total(y, np.maximum(one - two, 0))
