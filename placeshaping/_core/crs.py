"""
Coordinate reference systems: the British National Grid, and how to tell degrees from metres.

Longitude and latitude (EPSG:4326) become easting and northing (EPSG:27700)
with pyproj's best transformation at hand: where the OSTN15 grid is not
installed that is a seven-parameter shift, good to about 5 m.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import CRSError

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    from numpy.typing import ArrayLike, NDArray
    from pyproj import CRS

NATIONAL_GRID = 27700
"""EPSG code of the British National Grid, in metres."""

GRID_BOUNDS = (0.0, 0.0, 700_000.0, 1_300_000.0)
"""Extent of the British National Grid: easting and northing, lowest then highest."""

DEGREE_BOUNDS = (-9.5, 49.5, 2.5, 61.5)
"""Longitude and latitude of the United Kingdom, lowest then highest."""


@cache
def _transformer(source: int, target: int) -> Any:
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def to_grid(
    longitude: ArrayLike, latitude: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Turn longitude and latitude into easting and northing in metres.

    Missing values stay missing.

    Examples
    --------
    >>> easting, northing = to_grid([-1.133], [52.636])
    >>> int(easting[0] // 100), int(northing[0] // 100)
    (4587, 3046)
    """
    return _transform(longitude, latitude, 4326, NATIONAL_GRID)


def to_degrees(
    easting: ArrayLike, northing: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn easting and northing in metres into longitude and latitude."""
    return _transform(easting, northing, NATIONAL_GRID, 4326)


def _transform(
    x: ArrayLike, y: ArrayLike, source: int, target: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    import numpy as np

    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    known = np.isfinite(x) & np.isfinite(y)
    out_x, out_y = np.full(x.shape, np.nan), np.full(y.shape, np.nan)
    if known.any():
        out_x[known], out_y[known] = _transformer(source, target).transform(x[known], y[known])
    return out_x, out_y


def looks_like_degrees(bounds: ArrayLike) -> bool:
    """
    Tell whether an extent (min x, min y, max x, max y) can only be degrees.

    Examples
    --------
    >>> looks_like_degrees([-1.2, 52.5, -1.0, 52.7]), looks_like_degrees([4e5, 3e5, 5e5, 4e5])
    (True, False)
    """
    import numpy as np

    low_x, low_y, high_x, high_y = np.asarray(bounds, dtype=float)
    return bool(low_x >= -180 and high_x <= 180 and low_y >= -90 and high_y <= 90)


def check_on_grid(crs: CRS | None, *, where: str) -> None:
    """
    Refuse a table that is not on the British National Grid.

    Raises
    ------
    CRSError
        If it has another reference system, or none.

    Examples
    --------
    >>> check_on_grid(None, where="areas")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.CRSError: areas: no reference system is stated; EPSG:27700 ...
    """
    if crs is None:
        msg = (
            f"{where}: no reference system is stated; EPSG:27700 is needed. "
            f"Use {where}.set_crs(27700) if the coordinates are of the National Grid."
        )
        raise CRSError(msg)
    if crs.to_epsg() != NATIONAL_GRID:
        msg = (
            f"{where}: the reference system is {crs.to_string()}; EPSG:27700 is needed. "
            f"Use {where}.to_crs(27700)."
        )
        raise CRSError(msg)


def areas_to_grid(areas: gpd.GeoDataFrame, *, where: str) -> gpd.GeoDataFrame:
    """
    Bring areas onto the British National Grid, refusing a mislabelled system.

    Raises
    ------
    CRSError
        If there is no reference system, or the coordinates cannot be of the
        one that is stated.
    """
    bounds = areas.total_bounds
    degrees = looks_like_degrees(bounds)
    if areas.crs is None:
        guess = "EPSG:4326" if degrees else "EPSG:27700"
        msg = (
            f"{where} states no coordinate reference system; its coordinates look like {guess}. "
            f'Give crs="{guess}" (areas.crs in a recipe) if that is right.'
        )
        raise CRSError(msg)
    if areas.crs.is_geographic and not degrees:
        msg = (
            f"{where} says {areas.crs.to_string()} (degrees) but holds coordinates like "
            f"{bounds[0]:,.0f}, {bounds[1]:,.0f}: those are metres. "
            'Give crs="EPSG:27700" (areas.crs in a recipe) if it is on the British National Grid.'
        )
        raise CRSError(msg)
    if areas.crs.is_projected and degrees:
        msg = (
            f"{where} says {areas.crs.to_string()} (metres) but holds coordinates like "
            f"{bounds[0]:.3f}, {bounds[1]:.3f}: those are degrees. "
            'Give crs="EPSG:4326" (areas.crs in a recipe) if it holds longitude and latitude.'
        )
        raise CRSError(msg)
    return areas if areas.crs.to_epsg() == NATIONAL_GRID else areas.to_crs(NATIONAL_GRID)
