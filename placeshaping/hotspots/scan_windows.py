"""Circular windows of scan statistics: the areas around each centre, nearest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.crs import check_on_grid, looks_like_degrees
from placeshaping._core.errors import CRSError, GeometryError, InputError

Floats = NDArray[np.float64]

LIST_LENGTH = 30_000_000
"""Entries of neighbour lists held at a time: 150 MB."""

BLOCK = 4_000_000
"""Distances worked out at a time: 100 MB while they are sorted."""

_DECIMALS = 6
"""Distances are compared to a thousandth of a millimetre: on a grid, many are equal."""


class Windows(NamedTuple):
    """Neighbour lists of some centres, one after the other."""

    first: int
    order: NDArray[np.int32]
    start: NDArray[np.int64]
    closes: NDArray[np.bool_]


def centres_of(areas: pd.DataFrame, index: pd.Index) -> Floats:
    """
    Return easting and northing of the centres of areas, in the order of an index.

    Parameters
    ----------
    areas
        Polygons on the British National Grid, whose centroids are taken; or a
        table with ``easting`` and ``northing``; indexed by area code.
    index
        Area codes.

    Returns
    -------
    xy
        One row an area, metres.

    Raises
    ------
    InputError
        If areas of the index have no row.
    CRSError
        If coordinates are degrees, or not of the National Grid.
    GeometryError
        If a place is missing.

    Examples
    --------
    >>> places = pd.DataFrame({"easting": [5e5, 6e5], "northing": 3e5}, index=["a", "b"])
    >>> centres_of(places, pd.Index(["b"])).tolist()
    [[600000.0, 300000.0]]
    """
    check_unique(areas.index, where="areas")
    unknown = index.difference(areas.index)
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(index):,} areas have no row in areas "
            f"({listed(list(unknown))}). Give the boundaries that the counts were made with."
        )
        raise InputError(msg)
    chosen = areas.loc[index]
    if isinstance(chosen, gpd.GeoDataFrame):
        check_on_grid(chosen.crs, where="areas")
        points = shapely.centroid(chosen.geometry.to_numpy())
        xy = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    else:
        check_columns(chosen.columns, ["easting", "northing"], where="areas")
        xy = chosen[["easting", "northing"]].to_numpy(dtype=float, na_value=np.nan)
    lost = index[~np.isfinite(xy).all(axis=1)]
    if len(lost):
        msg = f"{len(lost):,} of {len(index):,} areas have no place ({listed(list(lost))})."
        raise GeometryError(msg)
    if len(xy) and looks_like_degrees([*xy.min(axis=0), *xy.max(axis=0)]):
        msg = "areas: the coordinates look like degrees; metres of EPSG:27700 are needed."
        raise CRSError(msg)
    return xy


def distances_from(xy: Floats, centre: int | NDArray[np.intp]) -> Floats:
    """
    Return the distances of all areas from one centre or several, metres.

    Parameters
    ----------
    xy
        Of all areas.
    centre
        Its row, or rows.

    Returns
    -------
    distance
        Rounded so that equal distances are equal; a row for each centre.

    Examples
    --------
    >>> distances_from(np.array([[0.0, 0.0], [3.0, 4.0]]), 0).tolist()
    [0.0, 5.0]
    """
    away = xy[None] - np.atleast_2d(xy[centre])[:, None]
    distance = np.round(np.hypot(away[..., 0], away[..., 1]), _DECIMALS)
    return np.asarray(distance[0] if np.ndim(centre) == 0 else distance)


def window_lists(
    xy: Floats, share: Floats, *, max_share: float, max_radius: float
) -> Iterator[Windows]:
    """
    List the areas around each centre, as far as a window may reach.

    Areas at one distance enter together. Only so many centres are held at a
    time as `LIST_LENGTH` allows.

    Parameters
    ----------
    xy
        Centres of all areas, metres.
    share
        Of each area in the people (or cases) that limit a window's size.
    max_share
        Largest share of a window.
    max_radius
        Its largest radius, metres.

    Yields
    ------
    windows
        Lists of a run of centres. A centre whose own share is too large has
        an empty one.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    >>> (lists,) = window_lists(xy, np.full(3, 1 / 3), max_share=0.7, max_radius=np.inf)
    >>> lists.order.tolist(), lists.start.tolist()
    ([0, 1, 1, 2, 1], [0, 2, 3, 5])
    """
    areas = len(xy)
    block = max(1, BLOCK // areas)
    parts: list[tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]] = []
    first, held = 0, 0
    for low in range(0, areas, block):
        rows = np.arange(low, min(low + block, areas))
        part = _lists_of(xy, share, rows, max_share, max_radius)
        if parts and held + len(part[0]) > LIST_LENGTH:
            yield _joined(first, parts)
            first, held, parts = low, 0, []
        parts.append(part)
        held += len(part[0])
    yield _joined(first, parts)


def _lists_of(
    xy: Floats, share: Floats, rows: NDArray[np.intp], max_share: float, max_radius: float
) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]:
    distance = distances_from(xy, rows)
    order = _nearest_first(distance, max_radius)
    distance = np.take_along_axis(distance, order, axis=1)
    closes = np.ones(distance.shape, dtype=bool)
    closes[:, :-1] = distance[:, 1:] > distance[:, :-1]
    within = np.cumsum(share[order], axis=1) <= max_share + 1e-12
    allowed = closes & within & (distance <= max_radius)
    reach = np.where(allowed.any(axis=1), allowed.shape[1] - np.argmax(allowed[:, ::-1], axis=1), 0)
    kept = np.arange(order.shape[1]) < reach[:, None]
    return order[kept].astype(np.int32), closes[kept], reach.astype(np.int64)


def _nearest_first(distance: Floats, max_radius: float) -> NDArray[np.intp]:
    """Return the columns of each row in the order of distance, as far as the radius of any row."""
    most = int((distance <= max_radius).sum(axis=1).max())
    if most == distance.shape[1]:
        return np.argsort(distance, axis=1, kind="stable")
    near = np.sort(np.argpartition(distance, most, axis=1)[:, :most], axis=1)
    order = np.argsort(np.take_along_axis(distance, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _joined(
    first: int, parts: list[tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]]
) -> Windows:
    order, closes, reach = (np.concatenate(column) for column in zip(*parts, strict=True))
    start = np.concatenate([[0], np.cumsum(reach)]).astype(np.int64)
    return Windows(first, order, start, closes)
