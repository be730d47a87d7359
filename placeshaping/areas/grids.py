"""
Grids of squares or hexagons, anchored to the British National Grid.

Squares of 125, 250, 500 and 1,000 m nest: each has four of the next smaller
size. A cell has the same code wherever and whenever it is made: its kind and
size, and the place of its lower left corner (a hexagon's: its centre) in metres.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.checks import listed
from placeshaping._core.crs import NATIONAL_GRID, check_on_grid
from placeshaping._core.errors import EmptyError, GeometryError, InputError

Shape: TypeAlias = Literal["square", "hexagon"]

SIZES = (125, 250, 500, 1000)
"""Sides of squares in metres; a hexagon of that size has the same area."""

_MOST_CELLS = 5_000_000
_FARTHEST = 1e9  # metres; beyond, whole metres run out of doubles and codes out of sense
_CODE = re.compile(r"^([SH])(\d+)E(-?\d+)N(-?\d+)$")
_LETTER = {"square": "S", "hexagon": "H"}


def make_grid(
    areas: gpd.GeoDataFrame | tuple[float, float, float, float],
    *,
    size: int,
    shape: Shape = "square",
    clip: bool = False,
) -> gpd.GeoDataFrame:
    """
    Make the cells of a grid that cover areas or an extent.

    Parameters
    ----------
    areas
        Polygons in EPSG:27700, or an extent: easting and northing, lowest then
        highest, in metres.
    size
        Side of the squares in metres: 125, 250, 500 or 1000. Hexagons have the
        area of a square of that size; they do not nest.
    shape
        ``"square"`` or ``"hexagon"`` (with a corner to the north).
    clip
        Whether cells are cut at the outline of `areas`, or at the extent. They
        keep their code. Whole cells are kept otherwise, all that share more
        than a border with the areas.

    Returns
    -------
    cells
        Index ``area_code``, columns ``area_name`` (the code) and ``geometry``
        (EPSG:27700), from south-west to north-east, row by row. ``attrs``:
        ``level`` such as ``"grid_250"`` or ``"hexagon_250"``, ``vintage`` None.

    Raises
    ------
    InputError
        If `size` or `shape` is another, or there would be over five million cells.
    CRSError, GeometryError
        If `areas` are not in EPSG:27700, or invalid.
    EmptyError
        If there is nothing to cover.

    Examples
    --------
    >>> cells = make_grid((450_000, 300_000, 451_000, 300_500), size=500)
    >>> cells.index.tolist()
    ['S500E450000N300000', 'S500E450500N300000']
    """
    _check_size(size, shape)
    outline, extent = _outline(areas)
    x, y = _places(extent, size, shape)
    polygons = _square(x, y, size) if shape == "square" else _hexagon(x, y, size)
    kept = _meeting(outline, polygons)
    polygons, codes = polygons[kept], _codes(x[kept], y[kept], size, shape)
    if clip:
        polygons = _clipped(outline, polygons)
    index = pd.Index(codes, dtype="str", name="area_code")
    cells = gpd.GeoDataFrame(
        {"area_name": pd.Series(codes, index=index, dtype="str")},
        geometry=gpd.GeoSeries(polygons, index=index, crs=NATIONAL_GRID),
    )
    cells.attrs.update(level=f"{'grid' if shape == 'square' else 'hexagon'}_{size}", vintage=None)
    return cells


def cell_codes(
    easting: ArrayLike, northing: ArrayLike, *, size: int, shape: Shape = "square"
) -> pd.Index:
    """
    Name the cell that holds each point, without any geometry.

    A point on the border of squares belongs to the one north or east of it.

    Parameters
    ----------
    easting, northing
        Coordinates in metres, EPSG:27700; not finite where there are none.
    size, shape
        As in `make_grid`.

    Returns
    -------
    codes
        The code of each point's cell, missing where a point has no coordinates.

    Raises
    ------
    InputError
        If `size` or `shape` is another, there are not as many eastings as
        northings, or coordinates are beyond a million kilometres.

    Examples
    --------
    >>> cell_codes([450_100.0], [300_700.0], size=500).tolist()
    ['S500E450000N300500']
    """
    _check_size(size, shape)
    x, y = (np.asarray(values, dtype=np.float64) for values in (easting, northing))
    if x.ndim != 1 or x.shape != y.shape:
        msg = f"easting has shape {x.shape}, northing {y.shape}. Give one of each a point."
        raise InputError(msg)
    known = np.isfinite(x) & np.isfinite(y)
    far = int(((np.abs(x) > _FARTHEST) | (np.abs(y) > _FARTHEST))[known].sum())
    if far:
        msg = f"{far:,} of {len(x):,} points are beyond {_FARTHEST:g} m. Check their coordinates."
        raise InputError(msg)
    place_x, place_y = _place_of(x[known], y[known], size, shape)
    joint = np.column_stack([place_y, place_x])
    distinct, label = np.unique(joint, axis=0, return_inverse=True)
    names = pd.Series(_codes(distinct[:, 1], distinct[:, 0], size, shape), dtype="str")
    position = np.full(len(x), -1, dtype=np.intp)
    position[known] = label.ravel()
    named: pd.Index = pd.Index(names.array.take(position, allow_fill=True), name="area_code")
    return named


def parent_cells(codes: Iterable[str], *, size: int) -> pd.Series[str]:
    """
    Name the larger square that holds each square.

    Parameters
    ----------
    codes
        Codes of squares, from `make_grid` or `cell_codes`.
    size
        Side of the larger squares: 250, 500 or 1000.

    Returns
    -------
    parents
        Code of the larger square, indexed by ``area_code``: a column of a
        lookup, for a ladder of grids.

    Raises
    ------
    InputError
        If a code is not that of a square, or of one not smaller than `size`.

    Examples
    --------
    >>> parent_cells(["S125E450125N300375"], size=500).tolist()
    ['S500E450000N300000']
    """
    _check_size(size, "square")
    index = pd.Index(list(codes), dtype="str", name="area_code")
    parts = [_CODE.match(str(code)) for code in index]
    wrong = [
        code
        for code, part in zip(index, parts, strict=True)
        if part is None or not _is_square(part, size)
    ]
    if wrong:
        msg = (
            f"{len(wrong):,} of {len(index):,} codes are not of squares smaller than {size} m "
            f"({listed(wrong)}). Only squares nest, each in a larger one."
        )
        raise InputError(msg)
    corner = np.array([[int(part[3]), int(part[4])] for part in parts if part]).reshape(-1, 2)
    x, y = corner.T // size * size
    name = f"grid_{size}_code"
    return pd.Series(_codes(x, y, size, "square"), index=index, name=name, dtype="str")


def _is_square(part: re.Match[str], below: int) -> bool:
    """Tell whether a code is that of a square smaller than `below`, standing on the grid."""
    side, east, north = int(part[2]), int(part[3]), int(part[4])
    on_grid = side in SIZES and east % side == 0 and north % side == 0
    return part[1] == "S" and side < below and on_grid


def _check_size(size: int, shape: str) -> None:
    if size not in SIZES:
        msg = f"size is {size!r}: give one of {listed(SIZES)}, the sizes that nest."
        raise InputError(msg)
    if shape not in _LETTER:
        msg = f"shape is {shape!r}: give 'square' or 'hexagon'."
        raise InputError(msg)


def _outline(
    areas: gpd.GeoDataFrame | tuple[float, float, float, float],
) -> tuple[shapely.Geometry, NDArray[np.float64]]:
    """Return what is to be covered, and its extent."""
    if not isinstance(areas, gpd.GeoDataFrame):
        extent = np.asarray(areas, dtype=np.float64)
        if extent.shape != (4,) or not (extent[:2] < extent[2:]).all():
            msg = f"The extent {areas} is empty. Give easting, northing, lowest then highest."
            raise EmptyError(msg)
        if (np.abs(extent) > _FARTHEST).any():
            msg = f"The extent {areas} is no place. Give metres on the National Grid."
            raise InputError(msg)
        return shapely.box(*extent), extent
    check_on_grid(areas.crs, where="areas")
    shapes = areas.geometry.to_numpy()
    if len(shapes) == 0 or shapely.is_empty(shapes).all():
        msg = "There are no areas to cover. Check the selection that made them."
        raise EmptyError(msg)
    broken = areas.index[~shapely.is_valid(shapes)]
    if len(broken):
        msg = (
            f"{len(broken):,} of {len(areas):,} areas have invalid or missing geometry "
            f"({listed(list(broken))}). Use areas.make_valid()."
        )
        raise GeometryError(msg)
    return shapely.union_all(shapes), areas.total_bounds


def _places(
    extent: NDArray[np.float64], size: int, shape: Shape
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the corners of the squares, or centres of the hexagons, that an extent may meet."""
    if shape == "square":
        west, south = np.floor(extent[:2] / size).astype(np.int64)
        east, north = np.ceil(extent[2:] / size).astype(np.int64)
        _check_many((east - west) * (north - south), size)
        x, y = np.meshgrid(np.arange(west, east), np.arange(south, north))
        return x.ravel() * size, y.ravel() * size
    across, rise = _hexagon_steps(size)
    margin = np.array([-1, 2])
    first, last = np.floor(extent[[1, 3]] / rise).astype(np.int64) + margin
    start, stop = np.floor(extent[[0, 2]] / across).astype(np.int64) + margin
    _check_many((last - first) * (stop - start), size)
    column, row = np.meshgrid(np.arange(start, stop), np.arange(first, last))
    return _hexagon_centre(column.ravel(), row.ravel(), size)


def _check_many(cells: int, size: int) -> None:
    if cells > _MOST_CELLS:
        msg = f"A grid of {size} m would have {cells:,} cells. Take larger ones, or fewer areas."
        raise InputError(msg)


def _place_of(
    x: NDArray[np.float64], y: NDArray[np.float64], size: int, shape: Shape
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the corner of the square, or the centre of the hexagon, that holds each point."""
    if shape == "square":
        corner = (np.floor(values / size).astype(np.int64) * size for values in (x, y))
        return cast("tuple[NDArray[np.int64], NDArray[np.int64]]", tuple(corner))
    across, rise = _hexagon_steps(size)
    best = np.full(len(x), np.inf)
    found_x, found_y = np.zeros((2, len(x)), dtype=np.int64)
    middle = np.round(y / rise).astype(np.int64)
    for row in (middle - 1, middle, middle + 1):  # hexagons are the places nearest to a centre
        column = np.round(x / across - (row % 2) / 2).astype(np.int64)
        distance = (x - (column + (row % 2) / 2) * across) ** 2 + (y - row * rise) ** 2
        centre = _hexagon_centre(column, row, size)
        nearer = distance < best
        best = np.where(nearer, distance, best)
        found_x, found_y = np.where(nearer, centre, (found_x, found_y))
    return found_x, found_y


def _hexagon_steps(size: int) -> tuple[float, float]:
    """Return the width of a hexagon with the area of a square, and the distance of two rows."""
    width = size * np.sqrt(2 / np.sqrt(3))
    return float(width), float(width * np.sqrt(3) / 2)


def _hexagon_centre(
    column: NDArray[np.int64], row: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return centres in whole metres, which name the hexagons."""
    across, rise = _hexagon_steps(size)
    x, y = (column + (row % 2) / 2) * across, row * rise
    return np.round(x).astype(np.int64), np.round(y).astype(np.int64)


def _codes(x: NDArray[np.int64], y: NDArray[np.int64], size: int, shape: Shape) -> list[str]:
    kind = f"{_LETTER[shape]}{size}"
    return [f"{kind}E{east}N{north}" for east, north in zip(x.tolist(), y.tolist(), strict=True)]


def _square(x: NDArray[np.int64], y: NDArray[np.int64], size: int) -> NDArray[np.object_]:
    return np.asarray(shapely.box(x, y, x + size, y + size))


def _hexagon(x: NDArray[np.int64], y: NDArray[np.int64], size: int) -> NDArray[np.object_]:
    """Return hexagons, their corners worked out alike for neighbours, so that they fit exactly."""
    across, rise = _hexagon_steps(size)
    row = np.round(y / rise).astype(np.int64)
    half = np.round(2 * x / across).astype(np.int64)
    # Corners lie on half widths and on thirds of a row.
    step_x = np.array([0, 1, 1, 0, -1, -1])
    step_y = np.array([2, 1, -1, -2, -1, 1])
    corners = np.empty((len(x), 6, 2))
    corners[:, :, 0] = (half[:, None] + step_x) * (across / 2)
    corners[:, :, 1] = (3 * row[:, None] + step_y) * (rise / 3)
    return np.asarray(shapely.polygons(corners))


def _meeting(outline: shapely.Geometry, polygons: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return the cells that share more than a border with an outline, in their order."""
    parts = shapely.get_parts(outline)
    tree = shapely.STRtree(polygons)
    part, cell = tree.query(parts, predicate="intersects")
    beside = shapely.touches(parts[part], polygons[cell])
    return np.unique(cell[~beside])


def _clipped(outline: shapely.Geometry, polygons: NDArray[np.object_]) -> NDArray[np.object_]:
    shapely.prepare(outline)
    crossing = np.flatnonzero(~shapely.contains(outline, polygons))
    cut = polygons.copy()
    cut[crossing] = shapely.intersection(polygons[crossing], outline)
    mixed = crossing[shapely.get_type_id(cut[crossing]) == 7]
    for place in mixed:  # polygons, and points or lines where only borders meet
        parts = shapely.get_parts(cut[place])
        cut[place] = shapely.union_all(parts[shapely.get_type_id(parts) == 3])
    return cut
