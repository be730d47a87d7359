"""Compiled kernels: pairs of origins and services that lie within a distance."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]
Services = NDArray[np.int32]


@compiled()
def _strip(x: Floats, at: float, limit: float) -> tuple[int, int]:
    """Return the run of sorted `x` within a limit of a place."""
    return int(np.searchsorted(x, at - limit)), int(np.searchsorted(x, at + limit, side="right"))


@compiled(parallel=True)
def count_within(origins: Floats, x: Floats, y: Floats, limit: float) -> Positions:
    """Count the services within a limit of each origin; `x` is sorted."""
    count = np.zeros(len(origins), dtype=np.int64)
    square = limit * limit
    for i in numba.prange(len(origins)):
        low, high = _strip(x, origins[i, 0], limit)
        found = 0
        for k in range(low, high):
            across, along = x[k] - origins[i, 0], y[k] - origins[i, 1]
            found += across * across + along * along <= square
        count[i] = found
    return count


@compiled(parallel=True)
def fill_within(
    origins: Floats, x: Floats, y: Floats, order: Services, limit: float, starts: Positions
) -> tuple[Services, Floats]:
    """Return the service and the distance of every pair, origin after origin."""
    service = np.empty(starts[-1], dtype=np.int32)
    metres = np.empty(starts[-1])
    square = limit * limit
    for i in numba.prange(len(origins)):
        low, high = _strip(x, origins[i, 0], limit)
        place = starts[i]
        for k in range(low, high):
            across, along = x[k] - origins[i, 0], y[k] - origins[i, 1]
            away = across * across + along * along
            if away <= square:
                service[place] = order[k]
                metres[place] = math.sqrt(away)
                place += 1
    return service, metres
