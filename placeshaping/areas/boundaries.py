"""
Outlines of areas: output areas, LSOAs, MSOAs, wards, districts, or a council's own.

Read from any format that users have, repaired where they are invalid, brought
onto the British National Grid, with what was done to them told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError as ProjError

from placeshaping._core.checks import check_choice, listed
from placeshaping._core.codes import level_of_all
from placeshaping._core.crs import GRID_BOUNDS, areas_to_grid
from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.areas.boundary_files import (
    BoundaryFile,
    as_text,
    open_boundaries,
    read_rows,
    read_values,
)
from placeshaping.sources.code_columns import CodeColumns, find_code_columns, vintage_of

_KML_NAMES = ("Name",)


@dataclass(frozen=True)
class BoundaryReport:
    """
    What was read from a file of areas and what was done to it.

    Attributes
    ----------
    name
        Base name of the file.
    code_column, name_column
        The columns that were taken as code and name.
    read
        Areas read (of those asked for).
    kept
        Areas of the result.
    repaired
        Codes whose invalid outlines were repaired.
    dropped_empty
        Codes left out because no polygon was there.
    without_code
        Rows left out because they have no code.
    duplicated
        Codes that stood more than once; see `duplicates`.
    duplicates
        How they were treated: ``"raise"``, ``"first"`` or ``"dissolve"``.
    not_found
        Codes that were asked for and are not in the file.
    crs
        The reference system that the outlines came in.
    """

    name: str
    code_column: str
    name_column: str | None
    read: int
    kept: int
    repaired: tuple[str, ...]
    dropped_empty: tuple[str, ...]
    without_code: int
    duplicated: tuple[str, ...]
    duplicates: str
    not_found: tuple[str, ...]
    crs: str


def read_boundaries(
    path: str | Path,
    *,
    code: str | None = None,
    name: str | None = None,
    crs: str | int | None = None,
    layer: str | None = None,
    duplicates: Literal["raise", "first", "dissolve"] = "raise",
    codes: Collection[str] | None = None,
    bbox: tuple[float, float, float, float] | None = None,
) -> gpd.GeoDataFrame:
    """
    Read the outlines of areas.

    Parameters
    ----------
    path
        GeoPackage, GeoJSON, Shapefile (or its folder), GeoParquet, KML or
        FlatGeobuf; zipped or not.
    code, name
        Columns of code and name; recognised by the official names where not given.
    crs
        The reference system that the coordinates are really in, where the
        file states none or a wrong one.
    layer
        The layer, where a file has several.
    duplicates
        What to do where a code stands twice: refuse, keep the first, or dissolve.
    codes
        Keep these areas only; the others are neither repaired nor transformed.
    bbox
        Keep areas whose extent meets this one: easting and northing, lowest then highest, in
        metres.

    Returns
    -------
    areas
        Index `area_code`, columns `area_name` and `geometry` (EPSG:27700), in the
        file's order. ``attrs``: `level`, `vintage`, `report` (`BoundaryReport`).

    Raises
    ------
    MissingFileError, FileFormatError
        If there is no such file, or it cannot be read.
    ColumnError
        If no column of codes is recognised, or the named one is missing.
    CRSError
        If the stated reference system cannot be right.
    DuplicateError
        If a code stands twice and `duplicates` is ``"raise"``.
    GeometryError
        If the file holds points or lines.
    VintageError
        If a column that says 2011 holds codes made for 2021.
    EmptyError
        If nothing of `codes` or `bbox` is in the file.
    InputError
        If `duplicates` or `bbox` cannot be meant.

    Examples
    --------
    >>> import tempfile
    >>> from shapely.geometry import box
    >>> areas = gpd.GeoDataFrame(
    ...     {"beat": ["A1", "A2"]}, crs=27700,
    ...     geometry=[box(4e5, 3e5, 4.1e5, 3.1e5), box(4.1e5, 3e5, 4.2e5, 3.1e5)],
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     areas.to_file(f"{folder}/beats.gpkg")
    ...     beats = read_boundaries(f"{folder}/beats.gpkg", code="beat")
    >>> list(beats.index), beats.attrs["level"]
    (['A1', 'A2'], 'area')
    """
    check_choice(duplicates, ["raise", "first", "dissolve"], name="duplicates")
    codes = _wanted(codes)
    file = open_boundaries(path, layer=layer)
    columns = _columns(file, code, name)
    wanted = [columns.code] if columns.name is None else [columns.code, columns.name]
    rows = read_rows(file, wanted, code=columns.code, codes=codes)
    if crs is not None:
        rows = rows.set_crs(_known_crs(crs), allow_override=True)
    table, without_code = _index_by_code(rows, columns, where=file.name)
    missing = () if codes is None else tuple(sorted({str(c) for c in codes} - set(table.index)))
    _check_any(file, table, columns, codes)
    stated = "none" if table.crs is None else str(table.crs.to_string())
    table = areas_to_grid(_within(table, bbox, where=file.name), where=file.name)
    _check_place(table, where=file.name)
    read = len(table)
    table, repaired, empty = repair_areas(table, where=file.name)
    table, duplicated = _settle_duplicates(table, duplicates, where=file.name)
    table.attrs["level"] = _level(table.index, columns)
    table.attrs["vintage"] = vintage_of(table.index, columns, where=file.name)
    table.attrs["report"] = BoundaryReport(
        name=file.name,
        code_column=columns.code,
        name_column=columns.name,
        read=read,
        kept=len(table),
        repaired=repaired,
        dropped_empty=empty,
        without_code=without_code,
        duplicated=duplicated,
        duplicates=duplicates,
        not_found=missing,
        crs=stated,
    )
    return table


def _wanted(codes: Collection[str] | None) -> tuple[str, ...] | None:
    if codes is None:
        return None
    wanted = (codes,) if isinstance(codes, str) else tuple(str(code).strip() for code in codes)
    if not wanted:
        msg = "codes is empty: there is nothing to read. Check the selection that made it."
        raise EmptyError(msg)
    return wanted


def _known_crs(crs: str | int) -> CRS:
    try:
        return CRS.from_user_input(crs)
    except ProjError as error:
        msg = f"crs is {crs!r}, which is no reference system that is known. Give one like 27700."
        raise CRSError(msg) from error


def _columns(file: BoundaryFile, code: str | None, name: str | None) -> CodeColumns:
    if code is None and str(file.source).casefold().endswith((".kml", ".kmz")):
        code = next((known for known in _KML_NAMES if known in file.columns), None)
        name = name or ("description" if "description" in file.columns else None)
    return find_code_columns(file.columns, code=code, name=name, where=file.name)


def _index_by_code(
    rows: gpd.GeoDataFrame, columns: CodeColumns, *, where: str
) -> tuple[gpd.GeoDataFrame, int]:
    values = as_text(rows[columns.code])
    known = values.notna().to_numpy() & (values != "").to_numpy()
    if not known.any() and len(rows):
        msg = (
            f"{where}: the column {columns.code!r} is empty. Name another with code= (areas.code "
            "in a recipe)."
        )
        raise ColumnError(msg)
    index = pd.Index(values[known].to_numpy(), dtype="str", name="area_code")
    names = index if columns.name is None else as_text(rows[columns.name])[known].to_numpy()
    table = gpd.GeoDataFrame(
        {"area_name": pd.Series(names, index=index, dtype="str")},
        geometry=gpd.GeoSeries(rows.geometry.to_numpy()[known], index=index, crs=rows.crs),
        crs=rows.crs,
    )
    table["area_name"] = table["area_name"].fillna(pd.Series(index, index=index))
    return table, int((~known).sum())


def _check_any(
    file: BoundaryFile,
    table: gpd.GeoDataFrame,
    columns: CodeColumns,
    codes: Collection[str] | None,
) -> None:
    if len(table):
        return
    if codes is None:
        msg = f"{file.name} holds no area. Export or download it again."
        raise EmptyError(msg)
    held = read_values(file, columns.code)
    msg = (
        f"{file.name} has none of the {len(codes):,} areas asked for "
        f"({listed(sorted(str(c) for c in codes), most=3)}); its column {columns.code} holds "
        f"{listed(held, most=3)}. Check level and census year of both."
    )
    raise EmptyError(msg)


def _within(
    table: gpd.GeoDataFrame, bbox: tuple[float, float, float, float] | None, *, where: str
) -> gpd.GeoDataFrame:
    """Keep what meets the extent, worked out in the file's own system to save transforming."""
    if bbox is None or table.crs is None:
        return table
    if len(bbox) != 4 or bbox[0] > bbox[2] or bbox[1] > bbox[3]:
        msg = f"bbox is {bbox}. Give easting and northing, lowest then highest, in metres."
        raise InputError(msg)
    there = Transformer.from_crs(27700, table.crs, always_xy=True)
    low_x, low_y, high_x, high_y = there.transform_bounds(*bbox)
    x0, y0, x1, y1 = shapely.bounds(table.geometry.to_numpy()).T
    meets = (x0 <= high_x) & (x1 >= low_x) & (y0 <= high_y) & (y1 >= low_y)
    if not meets.any():
        msg = f"{where} has no area within {bbox}. Give easting and northing in metres."
        raise EmptyError(msg)
    return table[meets]


def _check_place(table: gpd.GeoDataFrame, *, where: str) -> None:
    """Refuse areas that are not in the United Kingdom: most often exchanged axes."""
    low_x, low_y, high_x, high_y = table.total_bounds
    west, south, east, north = GRID_BOUNDS
    margin = 300_000  # Northern Ireland and the Channel Islands lie beyond the grid's own corners
    if (
        np.isfinite(table.total_bounds).all()
        and low_x >= west - margin
        and low_y >= south - margin
        and high_x <= east + margin
        and high_y <= north + margin
    ):
        return
    msg = (
        f"{where} lies outside the United Kingdom (easting {low_x:,.0f}, northing {low_y:,.0f}). "
        "Are longitude and latitude exchanged, or is the reference system another? "
        "Correct the file, or give crs= (areas.crs in a recipe)."
    )
    raise CRSError(msg)


def repair_areas(
    areas: gpd.GeoDataFrame, *, where: str
) -> tuple[gpd.GeoDataFrame, tuple[str, ...], tuple[str, ...]]:
    """
    Repair invalid outlines, keeping their polygonal parts, and leave out empty ones.

    Returns the areas, the codes repaired, and the codes left out.

    Parameters
    ----------
    areas
        Areas indexed by code.
    where
        Name of the file, for messages.

    Returns
    -------
    areas, repaired, dropped
        The areas kept, the codes repaired, and the codes left out.

    Raises
    ------
    GeometryError
        If there are no polygons at all.

    Examples
    --------
    >>> bow = shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))")
    >>> areas = gpd.GeoDataFrame(geometry=[bow], index=["A"], crs=27700)
    >>> mended, repaired, dropped = repair_areas(areas, where="beats")
    >>> repaired, float(mended.area["A"])
    (('A',), 2.0)
    """
    shapes = areas.geometry.to_numpy().copy()
    kinds = shapely.get_type_id(shapes)
    if len(shapes) and not np.isin(kinds, [3, 6, 7]).any():
        kind = {0: "points", 1: "lines", 4: "points", 5: "lines"}.get(int(kinds[0]), "nothing")
        msg = f"{where} holds {kind}, not areas. Give polygons."
        raise GeometryError(msg)
    invalid = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if invalid.any():
        # by linework: "structure" fills a hole that an inner shell lies in, and with it a neighbour
        shapes[invalid] = shapely.make_valid(shapes[invalid], method="linework")
    odd = np.flatnonzero(~np.isin(shapely.get_type_id(shapes), [3, 6]))
    for place in odd:
        shapes[place] = _polygons_of(shapes[place])
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    repaired = tuple(str(code) for code in areas.index[invalid & ~empty])
    dropped = tuple(str(code) for code in areas.index[empty])
    mended = areas.set_geometry(gpd.GeoSeries(shapes, index=areas.index, crs=areas.crs))
    return mended[~empty], repaired, dropped


def _polygons_of(shape: Any) -> Any:
    if shape is None:
        return None
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), [3, 6])])


def _settle_duplicates(
    table: gpd.GeoDataFrame, duplicates: str, *, where: str
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    again = table.index.duplicated(keep=False)
    if not again.any():
        return table, ()
    repeated = tuple(str(code) for code in table.index[again].unique())
    if duplicates == "raise":
        msg = (
            f"{where}: {len(repeated):,} area codes stand more than once ({listed(repeated)}). "
            'Pass duplicates="dissolve" (areas.duplicates in a recipe) to join the parts, or '
            '"first" to keep one.'
        )
        raise DuplicateError(msg)
    first = table[~table.index.duplicated()].copy()
    if duplicates == "dissolve":
        parts = table.geometry[again]
        shapes = first.geometry.to_numpy().copy()
        for code, group in parts.groupby(level=0):
            shapes[first.index.get_loc(code)] = shapely.union_all(group.to_numpy())
        first = first.set_geometry(gpd.GeoSeries(shapes, index=first.index, crs=first.crs))
    return first, repeated


def _level(index: pd.Index[Any], columns: CodeColumns) -> str:
    level = level_of_all(index)
    return columns.level or "area" if level == "area" else level
