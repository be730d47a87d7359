"""Sets of areas that might have been treated instead: what permutation tests draw from."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from placeshaping.shaping.evaluation import Floats

FEWEST_SETS = 20
"""Of fewer sets no test can reach 5 %."""


def sets_of(areas: int, chosen: int, *, most: int, rng: int | np.random.Generator) -> Floats:
    """
    Return indicators of sets of areas, the actual one (the first areas) first.

    Parameters
    ----------
    areas, chosen
        How many there are, and how many are in a set.
    most
        All sets are listed where there are no more than this; else so many,
        the actual one among them, are drawn.
    rng
        Seed or generator.

    Returns
    -------
    sets
        Shape (sets, areas), 1 for areas in the set.

    Examples
    --------
    >>> sets_of(4, 1, most=99, rng=0).tolist()[:2]
    [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
    >>> sets_of(50, 10, most=99, rng=0).shape
    (99, 50)
    """
    if math.comb(areas, chosen) <= most:
        members = np.array(list(itertools.combinations(range(areas), chosen)), dtype=np.intp)
    else:
        drawn = np.random.default_rng(rng).random((most - 1, areas)).argsort(axis=1)[:, :chosen]
        members = np.vstack([np.arange(chosen)[None, :], drawn])
    found: Floats = np.zeros((len(members), areas))
    np.put_along_axis(found, members, 1.0, axis=1)
    return found


def share_as_far(statistics: Floats) -> float:
    """
    Return the share of statistics at least as far from zero as the first: its p-value.

    Examples
    --------
    >>> share_as_far(np.array([2.0, -3.0, 1.0, 0.5]))
    0.5
    """
    far: NDArray[np.bool_] = np.abs(statistics) >= abs(statistics[0]) * (1 - 1e-9)
    return float(far.mean())
