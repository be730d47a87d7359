"""Sets of areas that might have been treated instead: what permutation tests draw from."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import spatial

from placeshaping.shaping.evaluation import Floats

_CLOSE = 0.6
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


def sets_together(
    places: Floats, chosen: int, *, most: int, rng: int | np.random.Generator
) -> Floats:
    """
    Return indicators of sets of areas that lie together, the actual one (the first areas) first.

    Each other set is an area with those nearest to it; none holds an area of
    the actual one.

    Parameters
    ----------
    places
        Middles of the areas, shape (areas, 2).
    chosen, most, rng
        As for `sets_of`.

    Examples
    --------
    >>> line = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0], [9, 0], [9.5, 0]])
    >>> sets_together(line, 2, most=9, rng=0).sum(axis=0).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    others = places[chosen:]
    near = spatial.KDTree(others).query(others, k=chosen)[1].reshape(len(others), chosen)
    members = np.unique(np.sort(near, axis=1), axis=0)
    if len(members) > most - 1:
        drawn = np.random.default_rng(rng).permutation(len(members))[: most - 1]
        members = members[np.sort(drawn)]
    found: Floats = np.zeros((len(members) + 1, len(places)))
    found[0, :chosen] = 1.0
    np.put_along_axis(found[1:], members + chosen, 1.0, axis=1)
    return found


def lie_together(places: Floats | None, chosen: int) -> bool:
    """
    Tell whether the first areas lie much closer together than areas drawn from all.

    Examples
    --------
    >>> line = np.column_stack([np.arange(60.0), np.zeros(60)])
    >>> lie_together(line, 4), lie_together(line[::-1][np.arange(60) * 17 % 60], 4)
    (True, False)
    """
    if places is None or chosen < 2 or len(places) < 3 * chosen:
        return False
    drawn = np.random.default_rng(0).random((199, len(places))).argsort(axis=1)[:, :chosen]
    members = places[np.vstack([np.arange(chosen), drawn])]
    middle = members.mean(axis=1, keepdims=True)
    away = np.sqrt(((members - middle) ** 2).sum(axis=2)).mean(axis=1)
    return bool(away[0] < _CLOSE * np.median(away[1:]))


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
