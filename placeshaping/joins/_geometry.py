"""Which polygon holds each point: a tree asked once for each place, or a compiled index."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import (
    ColumnError,
    EmptyError,
    GeometryError,
    InputError,
)

if TYPE_CHECKING:
    from placeshaping.joins.index import AreaIndex

Rows: TypeAlias = NDArray[np.intp] | NDArray[np.int32]

_MANY_RECORDS = 500_000
"""From this many records on, finding the places that they share costs more than it saves."""

_MANY_PLACES = 100_000
"""From this many places on, a compiled index is faster than a tree, its building included."""


def check_areas(areas: gpd.GeoDataFrame) -> None:
    """Refuse areas that cannot be joined to."""
    check_table(areas)
    tell_invalid(areas, shapely.is_valid(areas.geometry.values))


def check_table(areas: gpd.GeoDataFrame) -> None:
    """Refuse repeated codes, no areas, and another reference system."""
    check_unique(areas.index, where="areas")
    if len(areas) == 0:
        msg = "There are no areas. Check the selection that made them."
        raise EmptyError(msg)
    check_on_grid(areas.crs, where="areas")


def tell_invalid(areas: gpd.GeoDataFrame, valid: NDArray[np.bool_]) -> None:
    """Refuse areas that are not all valid."""
    broken = areas.index[~valid]
    if len(broken):
        msg = (
            f"{len(broken):,} of {len(areas):,} areas have invalid or missing geometry "
            f"({listed(list(broken))}). Read them with areas.boundaries.read_boundaries, "
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
    return _numbers(events, "easting"), _numbers(events, "northing")


def _numbers(events: pd.DataFrame, column: str) -> NDArray[np.float64]:
    try:
        numbers = pd.to_numeric(events[column])
    except (ValueError, TypeError) as error:
        msg = (
            f"The column {column!r} of {len(events):,} events holds something that is no number "
            f"({error}). Give metres, or leave the value missing."
        )
        raise ColumnError(msg) from error
    return np.asarray(numbers.to_numpy(dtype="float64", na_value=np.nan))


def _of_points(events: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    check_on_grid(events.crs, where="events")
    kinds = set(events.geom_type.dropna().unique())
    if not kinds <= {"Point"}:
        msg = f"events hold geometries other than points: {listed(sorted(kinds))}. Give points."
        raise GeometryError(msg)
    points = events.geometry.to_numpy()
    points = np.where(shapely.is_empty(points), None, points)  # empty is missing
    return shapely.get_x(points), shapely.get_y(points)


@dataclass(frozen=True)
class Found:
    """
    What geometry says of records.

    Attributes
    ----------
    inside
        Row of the area that holds each record; -1 where none does.
    nearest
        Row of the nearest area within the limit, for records that no area holds.
    several
        Records inside more than one area.
    """

    inside: Rows
    nearest: NDArray[np.intp]
    several: int


def find(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    areas: gpd.GeoDataFrame,
    *,
    limit: float | None = None,
    index: AreaIndex | None = None,
) -> Found:
    """
    Find the area of each record, checking the areas where they are not known yet.

    Recorded crime repeats its places, so that a few records or few places are
    asked of a tree of areas; many places are asked of a compiled index.
    """
    if limit is not None and not limit > 0:
        msg = f"limit is {limit}: give the greatest distance in metres, above zero."
        raise InputError(msg)
    inside: Rows
    if index is not None:
        check_index(index, areas)
        inside, several = index.locate(x, y)
    else:
        places = _distinct_places(x, y) if len(x) < _MANY_RECORDS else None
        if places is None or len(places[1][0]) > _MANY_PLACES:
            from placeshaping.joins.index import build_index

            inside, several = build_index(areas).locate(x, y)
        else:
            check_areas(areas)
            inside, several = _ask_tree(places, areas)
    nearest: NDArray[np.intp] = np.broadcast_to(np.intp(-1), len(x))
    if limit is not None:
        lost = np.flatnonzero((inside < 0) & np.isfinite(x) & np.isfinite(y))
        nearest = nearest.copy()
        nearest[lost] = nearest_rows(x[lost], y[lost], areas, limit)
    return Found(inside, nearest, several)


def positions(
    x: NDArray[np.float64], y: NDArray[np.float64], areas: gpd.GeoDataFrame, *, limit: float | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the row of `areas` that holds each point, and that of the nearest; -1 for none."""
    found = find(x, y, areas, limit=limit)
    return found.inside.astype(np.intp), found.nearest


def check_index(index: AreaIndex, areas: gpd.GeoDataFrame) -> None:
    """Refuse an index of other areas."""
    check_table(areas)
    same = index.codes.equals(areas.index)
    if same and index.outlines == sum_outlines(areas.geometry.to_numpy()):
        return
    how = "has other outlines of the same codes" if same else "is of other areas"
    msg = (
        f"The index, of {len(index.codes):,} areas, {how} than these {len(areas):,}. "
        "Build it anew with build_index(areas)."
    )
    raise InputError(msg)


def sum_outlines(shapes: NDArray[np.object_]) -> int:
    """Return a number that is another where any vertex of the outlines is; on any machine."""
    counts = shapely.get_num_coordinates(shapes).astype("<i4")
    vertices = shapely.get_coordinates(shapes).astype("<f8", copy=False)
    return zlib.crc32(vertices, zlib.crc32(counts))


def _ask_tree(
    places: tuple[NDArray[np.intp], tuple[NDArray[np.float64], NDArray[np.float64]]],
    areas: gpd.GeoDataFrame,
) -> tuple[NDArray[np.intp], int]:
    place, (place_x, place_y) = places
    order = np.argsort(areas.index.to_numpy(dtype="str"), kind="stable")
    shapes = areas.geometry.values[order]
    points = shapely.points(place_x, place_y)
    pairs = shapely.STRtree(shapes).query(points, predicate="intersects")
    again = np.bincount(pairs[0], minlength=len(points))[pairs[0]] > 1
    inner = pairs[:, again]
    inner = inner[:, shapely.contains_properly(shapes[inner[1]], points[inner[0]])]
    several = np.append(np.bincount(inner[0], minlength=len(points)) > 1, False)
    rows = np.append(order, -1)  # the last is for "no coordinates"
    held, touched = _lowest(inner, len(points)), _lowest(pairs, len(points))
    lowest = np.append(np.where(held >= 0, held, touched), -1)
    return rows[lowest[place]], int(several[place].sum())


def nearest_rows(
    x: NDArray[np.float64], y: NDArray[np.float64], areas: gpd.GeoDataFrame, limit: float
) -> NDArray[np.intp]:
    """Return the row of the nearest area within `limit` metres of each point; -1 for none."""
    place, (place_x, place_y) = _distinct_places(x, y)
    order = np.argsort(areas.index.to_numpy(dtype="str"), kind="stable")
    tree = shapely.STRtree(areas.geometry.values[order])
    points = shapely.points(place_x, place_y)
    pairs = tree.query_nearest(points, max_distance=limit, all_matches=True)
    nearest: NDArray[np.intp] = np.append(order, -1)[_lowest(pairs, len(points))][place]
    return nearest


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


def codes_at(position: Rows, codes: pd.Index, index: pd.Index) -> pd.Series[str]:
    """Return the code at each position, missing at -1."""
    if not pd.api.types.is_string_dtype(codes):
        codes = codes.astype(object)  # numbers would turn into decimals beside a missing one
    taken = codes.array.take(position, allow_fill=True)
    return pd.Series(taken, index=index, name="area_code", copy=False)
