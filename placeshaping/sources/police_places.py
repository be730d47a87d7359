"""Coordinates of recorded crime on the National Grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeshaping._core.crs import DEGREE_BOUNDS, to_grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


def grid_places(longitude: Numbers, latitude: Numbers) -> tuple[Numbers, Numbers]:
    """
    Turn longitude and latitude into easting and northing, each distinct place once.

    Crimes are published at a few thousand snap points, which many share.

    Parameters
    ----------
    longitude, latitude
        Degrees (EPSG:4326), not a number where missing.

    Returns
    -------
    easting, northing
        Metres (EPSG:27700); not a number outside the United Kingdom.

    Examples
    --------
    >>> easting, northing = grid_places(np.array([0.9, 0.0]), np.array([51.9, 0.0]))
    >>> easting.round().tolist(), northing.round().tolist()
    ([599612.0, nan], [226358.0, nan])
    """
    west, south, east, north = DEGREE_BOUNDS
    inside = (longitude >= west) & (longitude <= east)
    inside &= (latitude >= south) & (latitude <= north)
    easting, northing = np.full((2, len(longitude)), np.nan)
    place, x, y = _distinct(longitude[inside], latitude[inside])
    grid_x, grid_y = to_grid(x, y)
    easting[inside], northing[inside] = grid_x[place], grid_y[place]
    return easting, northing


def _distinct(x: Numbers, y: Numbers) -> tuple[NDArray[np.intp], Numbers, Numbers]:
    """Return the number of each row's place, and the coordinates of the places."""
    column, distinct_x = pd.factorize(x)
    row, distinct_y = pd.factorize(y)
    rows = max(len(distinct_y), 1)
    place, distinct = pd.factorize(column * rows + row)
    column, row = np.divmod(distinct, rows)
    return place, distinct_x[column], distinct_y[row]
