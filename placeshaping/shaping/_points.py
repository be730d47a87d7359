"""Places of demand and supply: points in metres, one for each row of a table."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.crs import DEGREE_BOUNDS, check_on_grid
from placeshaping._core.errors import CRSError, EmptyError, GeometryError, InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_POINT = 0


def check_metres(table: gpd.GeoDataFrame, *, where: str) -> None:
    """
    Refuse a table that is not in EPSG:27700, or says so and holds degrees.

    Raises
    ------
    CRSError
        If it is not in metres of the National Grid.
    """
    check_on_grid(table.crs, where=where)
    x, y, far_x, far_y = table.total_bounds
    west, south, east, north = DEGREE_BOUNDS
    if west <= x <= far_x <= east and south <= y <= far_y <= north:
        msg = (
            f"{where} says EPSG:27700 (metres) but holds coordinates like {x:.3f}, {y:.3f}: those "
            "are degrees. Use set_crs(4326, allow_override=True).to_crs(27700)."
        )
        raise CRSError(msg)


def points_of(table: gpd.GeoDataFrame, *, where: str, what: str) -> Floats:
    """
    Return easting and northing of each row: of a point, else of the middle of an area.

    Raises
    ------
    CRSError
        If the table is not in metres.
    EmptyError
        If it has no rows.
    DuplicateError
        If a label stands twice.
    GeometryError
        If a row has no geometry.
    """
    if not len(table):
        msg = f"{where}: there are no {what}."
        raise EmptyError(msg)
    check_unique(table.index, where=where, what=what)
    check_metres(table, where=where)
    shapes = table.geometry.to_numpy()
    lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if lost.any():
        msg = (
            f"{where}: {int(lost.sum()):,} of {len(table):,} {what} have no place "
            f"({listed(list(table.index[lost]))}). Locate them, or leave them out."
        )
        raise GeometryError(msg)
    if (shapely.get_type_id(shapes) != _POINT).any():
        shapes = shapely.centroid(shapes)
    return np.ascontiguousarray(shapely.get_coordinates(shapes))


def weights_of(values: pd.Series[float], index: pd.Index, *, where: str, what: str) -> Floats:
    """
    Return numbers of zero or more in the order of an index.

    Raises
    ------
    InputError
        If a row has none, or a number is missing or below zero.
    EmptyError
        If all are zero.
    """
    check_unique(values.index, where=where, what=what)
    absent = index[~index.isin(values.index)]
    if len(absent):
        msg = (
            f"{where}: {len(absent):,} of {len(index):,} {what} have no value "
            f"({listed(list(absent))}). Give one for each, zero where there is none."
        )
        raise InputError(msg)
    found = values.reindex(index).to_numpy(dtype="float64", na_value=np.nan)
    numbers = np.asarray(found, dtype=np.float64)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        msg = (
            f"{where}: {int(wrong.sum()):,} of {len(index):,} {what} have a number that is missing "
            f"or below zero ({listed(list(index[wrong]))}). Give zero or more."
        )
        raise InputError(msg)
    if not numbers.sum() > 0:
        msg = f"{where} is zero for all {len(index):,} {what}. Check the column."
        raise EmptyError(msg)
    return numbers


def same_places(xy: Floats) -> int:
    """
    Count rows that stand where an earlier one stands.

    Examples
    --------
    >>> same_places(np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0]]))
    1
    """
    return len(xy) - len(np.unique(xy, axis=0))
