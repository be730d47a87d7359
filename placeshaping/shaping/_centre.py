"""The shortest distance within which so many sites cover every area."""

from __future__ import annotations

import numpy as np

from placeshaping.shaping._covering import Floats, Ints, can_cover, cover_with


def nearest_cover(
    away: Floats,
    kept: Ints,
    sites: int,
    *,
    exact: bool,
    seconds: float,
    rng: np.random.Generator,
) -> tuple[float, float, Ints] | None:
    """
    Return the longest way, what it cannot go below, and the sites; None where none cover all.

    `away` has a row for each candidate; the distances themselves are halved
    until the shortest that covers is found, each by a search for a cover.
    """
    steps = np.unique(away[np.isfinite(away)])
    # no choice does better than every candidate together
    steps = steps[steps >= away.min(axis=0).max()]
    if not len(steps):
        return None
    found, _ = cover_with(away <= steps[-1], kept, sites, rng)
    if found is None and exact:
        found, _ = can_cover(away <= steps[-1], kept, sites, seconds=seconds)
    if found is None:
        return None
    low, high = 0, int(np.searchsorted(steps, _longest(away, found)))
    proved = 0  # shorter steps than this one are proved to be too short
    while low < high:
        middle = (low + high) // 2
        tried, refuted = cover_with(away <= steps[middle], kept, sites, rng)
        if tried is None and not refuted and exact:
            tried, refuted = can_cover(away <= steps[middle], kept, sites, seconds=seconds)
        if tried is None:
            low = middle + 1
            proved = low if refuted else proved
        else:
            found, high = tried, int(np.searchsorted(steps, _longest(away, tried)))
    return float(steps[high]), float(steps[min(proved, high)]), found


def _longest(away: Floats, chosen: Ints) -> float:
    return float(away[chosen].min(axis=0).max())
