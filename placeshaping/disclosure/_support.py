"""How many cases, and how evenly, stand behind each cell of a kernel density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice
from placeshaping._core.compiled import compiled
from placeshaping._core.errors import InputError
from placeshaping.disclosure._places import coordinates
from placeshaping.hotspots._smoothing import REACH
from placeshaping.hotspots.bandwidth import event_weights

Kernel = Literal["quartic", "gaussian"]


def kernel_support(
    events: gpd.GeoDataFrame,
    transform: Sequence[float],
    shape: tuple[int, int],
    *,
    bandwidth: float,
    kernel: Kernel = "quartic",
    weights: str | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    Add up what each place weighs in each cell.

    Parameters
    ----------
    events
        Points; those at one place, to 1 m, count together.
    transform, shape
        The cells: EPSG:27700, rows and columns.
    bandwidth
        Metres.
    kernel
        ``"quartic"``: (1 - d²/h²)² within h; ``"gaussian"``: exp(-d²/2h²),
        cut off at 6 h, as `hotspots.density` does.
    weights
        Column of the weights of events; by default each is 1.

    Returns
    -------
    total, squared, largest
        For each cell the sum of the weights, of their squares, and the
        largest one.

    Raises
    ------
    InputError
        If the bandwidth is not above zero, or a weight is missing or below zero.
    ColumnError
        If there is no such column.

    Examples
    --------
    >>> spots = gpd.points_from_xy([50, 50, 150], [50, 50, 50])
    >>> events = gpd.GeoDataFrame(geometry=spots, crs=27700)
    >>> where = (100, 0, 0, 0, -100, 100)
    >>> total, squared, largest = kernel_support(events, where, (1, 2), bandwidth=200)
    >>> (total**2 / squared).round(2).tolist(), (largest / total).round(2).tolist()
    ([[1.52, 1.99]], [[0.78, 0.53]])
    """
    check_choice(kernel, tuple(REACH), name="kernel")
    if not (np.isfinite(bandwidth) and bandwidth > 0):
        msg = f"bandwidth is {bandwidth}; give metres above zero."
        raise InputError(msg)
    places, at = np.unique(
        np.rint(coordinates(events, where="events")), axis=0, return_inverse=True
    )
    times = np.bincount(at.ravel(), event_weights(events, weights))
    cell, _, west, _, down, north = (float(number) for number in tuple(transform)[:6])
    total, squared, largest = (np.zeros(shape) for _ in range(3))
    _add_places(
        places.astype(np.float64),
        times.astype(np.float64),
        (west, north, cell, -down),
        float(bandwidth),
        REACH[kernel],
        kernel == "gaussian",
        total,
        squared,
        largest,
    )
    return total, squared, largest


@compiled()
def _add_places(
    places: NDArray[np.float64],
    times: NDArray[np.float64],
    corner: tuple[float, float, float, float],
    bandwidth: float,
    reach: float,
    gaussian: bool,
    total: NDArray[np.float64],
    squared: NDArray[np.float64],
    largest: NDArray[np.float64],
) -> None:
    rows, columns = total.shape
    west, north, width, height = corner
    for i in range(len(places)):
        x, y = places[i]
        radius = reach * bandwidth
        first = max(int(np.ceil((north - y - radius) / height - 0.5)), 0)
        last = min(int(np.floor((north - y + radius) / height - 0.5)), rows - 1)
        left = max(int(np.ceil((x - west - radius) / width - 0.5)), 0)
        right = min(int(np.floor((x - west + radius) / width - 0.5)), columns - 1)
        for row in range(first, last + 1):
            down = north - (row + 0.5) * height - y
            for column in range(left, right + 1):
                across = west + (column + 0.5) * width - x
                square = (down * down + across * across) / (bandwidth * bandwidth)
                if square > reach * reach:
                    continue
                weight = np.exp(-square / 2) if gaussian else (1 - square) ** 2
                weight *= times[i]
                total[row, column] += weight
                squared[row, column] += weight * weight
                largest[row, column] = max(largest[row, column], weight)
