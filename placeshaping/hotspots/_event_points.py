"""Where and when events were: coordinates in metres, dates in whole days."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns
from placeshaping._core.crs import looks_like_degrees
from placeshaping._core.errors import ColumnError, CRSError, EmptyError, GeometryError, InputError

_LONGEST = 32_767


def event_points(events: pd.DataFrame, *, where: str = "events") -> NDArray[np.float64]:
    """
    Return eastings and northings in metres, one row an event.

    Parameters
    ----------
    events
        Points in a reference system in metres, or a table with columns
        ``easting`` and ``northing``.
    where
        Name of the table, for messages.

    Returns
    -------
    xy
        Two columns, in the order of `events`.

    Raises
    ------
    EmptyError
        If there are no events.
    ColumnError
        If a table has no such columns, or they hold no numbers.
    CRSError
        If coordinates are degrees, or points state no reference system.
    InputError, GeometryError
        If events have no coordinates.

    Examples
    --------
    >>> event_points(pd.DataFrame({"easting": [450_000], "northing": [300_100.5]})).tolist()
    [[450000.0, 300100.5]]
    """
    if not len(events):
        msg = f"{where} has no rows. Check the selection that made it."
        raise EmptyError(msg)
    if isinstance(events, gpd.GeoDataFrame) and events.active_geometry_name:
        return _of_geometry(events, where)
    check_columns(events.columns, ["easting", "northing"], where=where)
    columns = events[["easting", "northing"]]
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in columns.dtypes):
        msg = f"easting and northing of {where} hold no numbers. Convert them to metres first."
        raise ColumnError(msg)
    xy = columns.to_numpy(dtype="float64", na_value=np.nan)
    _check_finite(xy, where)
    extent = np.array([*xy.min(axis=0), *xy.max(axis=0)])
    if looks_like_degrees(extent):
        msg = (
            f"{where} holds coordinates like {xy[0, 0]:.4f}, {xy[0, 1]:.4f}: those are degrees. "
            "Give metres: from longitude and latitude, to_grid makes eastings and northings."
        )
        raise CRSError(msg)
    return np.ascontiguousarray(xy)


def _of_geometry(events: gpd.GeoDataFrame, where: str) -> NDArray[np.float64]:
    shapes = events.geometry
    wrong = int(((shapes.geom_type != "Point") | shapes.is_empty | shapes.isna()).sum())
    if wrong:
        msg = f"{wrong:,} of {len(events):,} rows of {where} have no point. Leave them out first."
        raise GeometryError(msg)
    if events.crs is None:
        msg = f"{where} states no coordinate reference system. Set it, as with set_crs(27700)."
        raise CRSError(msg)
    if events.crs.is_geographic or {axis.unit_name for axis in events.crs.axis_info} != {"metre"}:
        msg = (
            f"{where} is in {events.crs.to_string()}, whose unit is not the metre. "
            f"Project it: {where}.to_crs(27700)."
        )
        raise CRSError(msg)
    xy: NDArray[np.float64] = shapely.get_coordinates(shapes.to_numpy())
    _check_finite(xy, where)
    return xy


def _check_finite(xy: NDArray[np.float64], where: str) -> None:
    lost = int((~np.isfinite(xy)).any(axis=1).sum())
    if lost:
        msg = (
            f"{lost:,} of {len(xy):,} rows of {where} have no coordinates. Leave them out "
            f"({where}.dropna(subset=['easting', 'northing'])) and say how many they were."
        )
        raise InputError(msg)


def event_days(events: pd.DataFrame, time: str, *, where: str = "events") -> NDArray[np.int64]:
    """
    Return the date of each event as a number of days since the first of January 1970.

    Times of day fall away: two events of one date are 0 days apart. A column
    of whole numbers is taken as days that are counted already.

    Parameters
    ----------
    events
        One row an event.
    time
        The column of dates or times.
    where
        Name of the table, for messages.

    Returns
    -------
    days
        In the order of `events`.

    Raises
    ------
    ColumnError
        If there is no such column, or it holds neither dates nor whole numbers.
    InputError
        If dates are missing, or lie 90 years apart.

    Examples
    --------
    >>> event_days(pd.DataFrame({"time": pd.to_datetime(["1970-01-03 23:59"])}), "time").tolist()
    [2]
    """
    check_columns(events.columns, [time], where=where)
    column: pd.Series[Any] = events[time]
    missing = int(column.isna().sum())
    if missing:
        msg = (
            f"{missing:,} of {len(column):,} rows of {where} have no {time}. Leave them out first."
        )
        raise InputError(msg)
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.start_time
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        local = column.dt.tz_localize(None)
        days = local.to_numpy(dtype="datetime64[D]").astype(np.int64)
    elif pd.api.types.is_integer_dtype(column.dtype):
        days = column.to_numpy(dtype=np.int64)
    else:
        msg = (
            f"{time} of {where} holds {column.dtype}, not dates. Convert it: "
            f"pd.to_datetime({where}[{time!r}])."
        )
        raise ColumnError(msg)
    span = int(days.max() - days.min())
    if span >= _LONGEST:
        msg = f"{time} of {where} spans {span:,} days, 90 years or more. Correct its dates."
        raise InputError(msg)
    return np.asarray(days, dtype=np.int64)
