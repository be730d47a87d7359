"""
A compiled index of areas: built once, then millions of points find their area exactly.

A uniform grid lies over the areas. A cell without border knows its one area; a
cell with borders holds those few pieces, each piece once with the areas on its
two sides. Time per point does not grow with the number of points, and building
takes time in proportion to the vertices.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.checks import check_file
from placeshaping._core.errors import EmptyError, FileFormatError, InputError
from placeshaping.areas._rings import Borders, Rings, borders_of, rings_of
from placeshaping.joins._geometry import check_table, sum_outlines, tell_invalid
from placeshaping.joins._grid import claim_cells, count_blocks, fill_blocks, trace_borders
from placeshaping.joins._locate import locate

_CELLS_PER_PIECE = 3
_MOST_CELLS = 2**27
_WORTH_A_THREAD = 20_000
_FORMAT = 3


@dataclass(frozen=True, eq=False)
class AreaIndex:
    """
    Areas made ready for finding the one that holds a point; from `build_index`.

    It can be pickled, so that worker processes share the work of building it.

    Attributes
    ----------
    codes
        The area codes, in the order of the areas that it was built from.
    bounds
        Lowest easting and northing, highest easting and northing, in metres.
    outlines
        Checksum of all vertices, by which other areas of the same codes are known.
    corner
        Easting and northing of the grid's first corner, and the side of a cell.
    shape
        Rows and columns of the grid.
    cells, blocks, pieces, members, layered, rows
        The compiled layout, described in `joins._grid`.
    """

    codes: pd.Index
    bounds: tuple[float, float, float, float]
    outlines: int
    corner: NDArray[np.float64]
    shape: NDArray[np.int64]
    cells: NDArray[np.int32]
    blocks: NDArray[np.int64]
    pieces: NDArray[np.float64]
    members: NDArray[np.int32]
    layered: NDArray[np.int64]
    rows: NDArray[np.int32]

    @property
    def memory(self) -> int:
        """
        Bytes that the layout takes, without the codes.

        Returns
        -------
        memory
            About 150 bytes for each piece of border.
        """
        return sum(array.nbytes for array in self._layout())

    def _layout(self) -> tuple[Any, ...]:
        return (
            self.corner,
            self.shape,
            self.cells,
            self.blocks,
            self.pieces,
            self.members,
            self.layered,
            self.rows,
        )

    def locate(
        self, easting: ArrayLike, northing: ArrayLike, *, threads: int | None = None
    ) -> tuple[NDArray[np.int32], int]:
        """
        Find the area that holds each point.

        A point on the border of several areas, or inside several that overlap,
        goes to the one whose code sorts first; one inside an area and on the
        border of another that overlaps it, to the one that it is inside.

        Parameters
        ----------
        easting, northing
            Coordinates in metres, EPSG:27700; not finite where there are none.
        threads
            How many threads share the work; as many as the process may use
            where not given.

        Returns
        -------
        row
            For each point the row of its area among `codes`, -1 where no area
            holds it.
        several
            How many points lie inside more than one area, which means that
            areas overlap there.

        Raises
        ------
        InputError
            If there are not as many eastings as northings.

        Examples
        --------
        >>> from shapely import box
        >>> codes = pd.Index(["E01000002", "E01000001"], name="area_code")
        >>> squares = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)]
        >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
        >>> index = build_index(areas)
        >>> row, several = index.locate([500, 1000, 2500], [500, 500, 500])
        >>> row.tolist(), several
        ([0, 1, -1], 0)
        """
        x = np.ascontiguousarray(easting, dtype=np.float64)
        y = np.ascontiguousarray(northing, dtype=np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            msg = f"easting has shape {x.shape}, northing {y.shape}. Give one of each a point."
            raise InputError(msg)
        found = np.empty(len(x), dtype=np.int32)
        layout = self._layout()
        layout = (*layout[:5], self.pieces.view(np.uint64), *layout[5:])

        def work(part: slice) -> int:
            arrays: tuple[Any, ...] = (x[part], y[part], *layout, found[part])
            return int(locate(*arrays))

        workers = max(1, min(threads or _cores(), len(x) // _WORTH_A_THREAD))
        step = -(-len(x) // (workers * 4)) if workers > 1 else max(len(x), 1)
        parts = [slice(start, start + step) for start in range(0, len(x), step)]
        if workers == 1:
            return found, sum(map(work, parts))
        with ThreadPoolExecutor(workers) as pool:
            return found, sum(pool.map(work, parts))


def build_index(areas: gpd.GeoDataFrame, *, cell: float | None = None) -> AreaIndex:
    """
    Make areas ready for finding the one that holds a point.

    Worth it from about a hundred thousand different places on, or where the
    same areas are asked again; `joins.points` builds one by itself then.

    Parameters
    ----------
    areas
        Polygons indexed by ``area_code``, EPSG:27700; overlaps are allowed.
    cell
        Side of a cell in metres; where not given, such that there are about
        three cells for each straight piece of border.

    Returns
    -------
    index
        The index.

    Raises
    ------
    CRSError, DuplicateError, EmptyError, GeometryError
        If `areas` are not in EPSG:27700, have repeated codes, are none or all
        empty, or have invalid geometry.
    InputError
        If `cell` is not above zero, too small for the coordinates, or gives a
        grid too large to hold.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], index=["E01000001"], crs=27700)
    >>> build_index(areas).locate([0.5], [0.5])[0].tolist()
    [0]
    """
    check_table(areas)
    shapes = areas.geometry.to_numpy()
    if shapely.is_missing(shapes).any():
        tell_invalid(areas, ~shapely.is_missing(shapes))
    with ThreadPoolExecutor(1) as pool:  # validity is checked beside the building
        valid = pool.submit(shapely.is_valid, shapes)
        order = np.argsort(areas.index.to_numpy(dtype="str"), kind="stable")
        polygons = np.isin(shapely.get_type_id(shapes), [3, 6]).all()
        index = _build(areas, order, cell) if polygons else None
        tell_invalid(areas, valid.result())
    if index is None:
        tell_invalid(areas, np.isin(shapely.get_type_id(shapes), [3, 6]))
    return cast("AreaIndex", index)


def write_index(index: AreaIndex, path: str | Path) -> None:
    """
    Keep an index in a file, to be read by `read_index`.

    Parameters
    ----------
    index
        The index.
    path
        The file to write; its name is taken as it is.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], index=["E01000001"], crs=27700)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_index(build_index(areas), f"{folder}/areas.index")
    ...     read_index(f"{folder}/areas.index").codes.tolist()
    ['E01000001']
    """
    names = [name for name in AreaIndex.__dataclass_fields__ if name not in ("codes", "bounds")]
    arrays = {name: getattr(index, name) for name in names}
    codes = index.codes.to_numpy(dtype="str")
    with Path(path).open("wb") as stream:
        np.savez(stream, format=_FORMAT, codes=codes, bounds=np.array(index.bounds), **arrays)


def read_index(path: str | Path) -> AreaIndex:
    """
    Read an index that `write_index` kept.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    index
        The index, as it was.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is no index, or one of another version.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)], index=["E01000001"], crs=27700)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_index(build_index(areas), f"{folder}/areas.index")
    ...     index = read_index(f"{folder}/areas.index")
    >>> index.locate([0.5, 7.0], [0.5, 0.5])[0].tolist()
    [0, -1]
    """
    path = check_file(path)
    try:
        with np.load(path, allow_pickle=False) as kept:
            values = {name: kept[name] for name in kept.files}
    except (ValueError, OSError, EOFError) as error:
        msg = f"{path.name} is no index of areas ({error}). Write it anew with write_index."
        raise FileFormatError(msg) from error
    if values.pop("format", None) != _FORMAT or set(values) != set(AreaIndex.__dataclass_fields__):
        msg = f"{path.name} is of another version. Write it anew with write_index."
        raise FileFormatError(msg)
    codes = pd.Index(values.pop("codes"), dtype="str", name="area_code")
    west, south, east, north = values.pop("bounds").tolist()
    outlines = int(values.pop("outlines"))
    return AreaIndex(codes=codes, bounds=(west, south, east, north), outlines=outlines, **values)


def _build(areas: gpd.GeoDataFrame, order: NDArray[np.intp], cell: float | None) -> AreaIndex:
    shapes = areas.geometry.to_numpy()
    rings = rings_of(shapes[order])
    if not len(rings.xy):
        msg = f"All {len(areas):,} areas are empty. Check the file or the selection."
        raise EmptyError(msg)
    borders = borders_of(rings)
    low, high = rings.xy.min(axis=0), rings.xy.max(axis=0)
    size = _cell_size(low, high, len(borders.ends)) if cell is None else float(cell)
    finest = _finest(low, high)  # below it two lines of the grid are the same double
    if not finest <= size < np.inf:
        msg = f"cell is {cell}: give the side of a cell in metres, {finest:g} or more."
        raise InputError(msg)
    origin = low - size
    columns, rows = (np.floor((high - origin) / size) + 2).tolist()
    if rows * columns > _MOST_CELLS:
        msg = f"Cells of {size:g} m make a grid of {rows * columns:,.0f}. Give larger ones."
        raise InputError(msg)
    shape = np.array([rows, columns], dtype=np.int64)
    layout = _lay_out(rings, borders, origin, size, shape, len(areas))
    return AreaIndex(
        codes=areas.index,
        bounds=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        outlines=sum_outlines(shapes),
        corner=np.array([*origin, size]),
        shape=shape,
        rows=order.astype(np.int32),
        **layout,
    )


def _lay_out(
    rings: Rings,
    borders: Borders,
    origin: NDArray[np.float64],
    size: float,
    shape: NDArray[np.int64],
    areas: int,
) -> dict[str, NDArray[Any]]:
    count, columns = int(shape.prod()), int(shape[1])
    first = np.zeros(count + 1, dtype=np.int32)
    trace_borders(borders.ends, origin, size, columns, first, np.empty(0, dtype=np.int32))
    if first.sum(dtype=np.int64) > np.iinfo(np.int32).max:
        msg = f"Cells of {size:g} m are crossed more than two billion times. Give larger ones."
        raise InputError(msg)
    np.cumsum(first, out=first)
    held = np.empty(first[-1], dtype=np.int32)
    trace_borders(borders.ends, origin, size, columns, first, held)
    first[1:] = first[:-1]  # filling moved each start to the next
    first[0] = 0
    made, pieces_at_most, members_made, most = count_blocks(first, held, borders.sides)
    cells = np.full(count, -1, dtype=np.int32)
    blocks = np.zeros((made + 1, 4), dtype=np.int64)
    pieces = np.empty((pieces_at_most, 5))
    bits = pieces.view(np.uint64)
    members = np.empty(members_made, dtype=np.int32)
    fill_blocks(
        first, held, borders.ends, borders.sides, most, cells, blocks, pieces, bits, members
    )
    del first, held
    used = int(blocks[-1, 0])
    if used < pieces_at_most:
        pieces = pieces[:used].copy()
    layered = np.zeros(count, dtype=np.bool_)
    reach = np.column_stack([rings.first[:-1], rings.first[1:]])
    starts = np.searchsorted(rings.owner, np.arange(areas + 1))
    claim_cells(rings.xy, reach, starts, origin, size, columns, cells, blocks, members, layered)
    return {
        "cells": cells,
        "blocks": blocks,
        "pieces": pieces,
        "members": members,
        "layered": np.flatnonzero(layered),
    }


def _cell_size(low: NDArray[np.float64], high: NDArray[np.float64], pieces: int) -> float:
    """Return the side of a cell that makes about three cells for each piece of border."""
    width, height = high - low
    size = float(np.sqrt(width * height / (_CELLS_PER_PIECE * pieces)))
    coarse = float(max(width, height)) / 2**24  # a long, thin extent must not make endless rows
    return max(size, coarse, _finest(low, high))


def _finest(low: NDArray[np.float64], high: NDArray[np.float64]) -> float:
    return float(np.abs([low, high]).max()) * 1e-9


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
