"""Which polygon holds each point: asked once for each place, never once for each record."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import CRSError, EmptyError, GeometryError

_CHUNK = 200_000


def check_areas(areas: gpd.GeoDataFrame) -> None:
    check_unique(areas.index, where="areas")
    if len(areas) == 0:
        msg = "There are no areas. Check the selection that made them."
        raise EmptyError(msg)
    if areas.crs is None or areas.crs.to_epsg() != NATIONAL_GRID:
        stated = "no reference system" if areas.crs is None else areas.crs.to_string()
        msg = f"areas have {stated}; EPSG:27700 is needed. Use areas.to_crs(27700)."
        raise CRSError(msg)
    broken = areas.index[~shapely.is_valid(areas.geometry.values)]
    if len(broken):
        msg = (
            f"{len(broken):,} of {len(areas):,} areas have invalid or missing geometry "
            f"({listed(list(broken))}). Read them with areas.boundaries.read_areas, "
            "which repairs them, or use areas.make_valid()."
        )
        raise GeometryError(msg)


def coordinates(
    events: pd.DataFrame, *, optional: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eastings and northings; all missing where they are optional and not there."""
    if isinstance(events, gpd.GeoDataFrame) and "easting" not in events.columns:
        return _of_points(events)
    if optional and "easting" not in events.columns:
        missing = np.full(len(events), np.nan)
        return missing, missing
    check_columns(events.columns, ["easting", "northing"], where="The table of events")
    easting, northing = (
        pd.to_numeric(events[column]).to_numpy(dtype="float64", na_value=np.nan)
        for column in ("easting", "northing")
    )
    return easting, northing


def _of_points(events: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if events.crs is None or events.crs.to_epsg() != NATIONAL_GRID:
        stated = "no reference system" if events.crs is None else events.crs.to_string()
        msg = f"events have {stated}; EPSG:27700 is needed. Use events.to_crs(27700)."
        raise CRSError(msg)
    kinds = set(events.geom_type.dropna().unique())
    if not kinds <= {"Point"}:
        msg = f"events hold geometries other than points: {listed(sorted(kinds))}. Give points."
        raise GeometryError(msg)
    points = events.geometry.values
    return shapely.get_x(points), shapely.get_y(points)


def positions(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    areas: gpd.GeoDataFrame,
    *,
    limit: float | None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row of `areas` that holds each point, and that of the nearest; -1 for none."""
    place, (place_x, place_y) = _distinct_places(x, y)
    order = np.argsort(areas.index.to_numpy(dtype="str"), kind="stable")
    tree = shapely.STRtree(areas.geometry.values[order])
    inside = np.full(len(place_x) + 1, -1, dtype=np.intp)  # the last is for "no coordinates"
    nearest = inside.copy()
    for start in range(0, len(place_x), _CHUNK):
        chunk = slice(start, min(start + _CHUNK, len(place_x)))
        points = shapely.points(place_x[chunk], place_y[chunk])
        inside[chunk] = _lowest(tree.query(points, predicate="intersects"), len(points))
        if limit is not None:
            pairs = tree.query_nearest(points, max_distance=limit, all_matches=True)
            nearest[chunk] = _lowest(pairs, len(points))
    rows = np.append(order, -1)
    return rows[inside[place]], rows[nearest[place]]


def _distinct_places(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.intp], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the number of each row's place (-1: not located) and the coordinates of the places."""
    column, distinct_x = pd.factorize(x)
    row, distinct_y = pd.factorize(y)
    known = (column >= 0) & (row >= 0) & np.isfinite(x) & np.isfinite(y)
    joint = column.astype(np.int64) * max(len(distinct_y), 1) + row
    place = np.full(len(x), -1, dtype=np.intp)
    place[known], distinct = pd.factorize(joint[known])
    column, row = np.divmod(distinct, max(len(distinct_y), 1))
    return place, (distinct_x[column], distinct_y[row])


def _lowest(pairs: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return the lowest area of each point from pairs of point and area; -1 where it has none."""
    none = np.iinfo(np.intp).max
    lowest = np.full(size, none)
    np.minimum.at(lowest, pairs[0], pairs[1])
    return np.where(lowest == none, -1, lowest)


def codes_at(
    position: NDArray[np.intp], areas: gpd.GeoDataFrame, index: pd.Index
) -> pd.Series[str]:
    codes = pd.Series(areas.index, name="area_code").take(np.maximum(position, 0))
    codes.index = index
    return codes.where(position >= 0)
