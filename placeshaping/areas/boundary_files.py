"""Files of areas: which format, which layer, which columns, and only the rows asked for."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import FileFormatError, GeometryError
from placeshaping.sources.archives import Reader, list_members, looks_zipped
from placeshaping.sources.spatial import without_driver_warnings

_SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".parquet", ".geoparquet", ".kml", ".kmz",
             ".fgb", ".gml", ".tab", ".mif", ".topojson")  # fmt: skip
_POLYGONS = re.compile(r"polygon|surface|unknown|geometry|none", re.IGNORECASE)


@dataclass(frozen=True)
class BoundaryFile:
    """
    A file of areas, found and opened, its rows not yet read.

    Attributes
    ----------
    name
        Base name, for messages.
    source
        What pyogrio or pyarrow reads: a path, a path inside an archive, or bytes.
    layer
        The layer of a file that has several.
    columns
        Names of the columns beside the geometry.
    parquet
        Whether it is GeoParquet.
    geometry
        Name of the geometry column of GeoParquet.
    """

    name: str
    source: Any
    layer: str | None
    columns: tuple[str, ...]
    parquet: bool = False
    geometry: str = "geometry"


def open_boundaries(path: str | Path, *, layer: str | None = None) -> BoundaryFile:
    """
    Find the one table of areas in a file, a folder or a ZIP archive.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.
    layer
        The layer, where there are several.

    Returns
    -------
    file
        Where the areas are and which columns there are.

    Raises
    ------
    MissingFileError, FileFormatError
        If there is none, several, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> beats = gpd.GeoDataFrame({"beat": ["A1", "A2"]}, geometry=[box(0, 0, 1, 1)] * 2, crs=27700)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beats.to_parquet(f"{folder}/beats.parquet")
    ...     open_boundaries(f"{folder}/beats.parquet").columns
    ('beat',)
    """
    path = check_file(path)
    place = _only_member(path, layer)
    name = path.name
    if isinstance(place, bytes) or str(place).casefold().endswith((".parquet", ".geoparquet")):
        return _open_parquet(place, name)
    try:
        chosen = None if Path(place).suffix == ".shp" else _layer(place, layer, name)
        with without_driver_warnings():
            info = pyogrio.read_info(place, layer=chosen)
    except (DataSourceError, DataLayerError) as error:
        msg = (
            f"{name} cannot be read as areas ({_brief(error)}). Give a GeoPackage, GeoJSON, "
            "Shapefile, GeoParquet, KML or FlatGeobuf file."
        )
        raise FileFormatError(msg) from error
    return BoundaryFile(name, place, chosen, tuple(str(field) for field in info["fields"]))


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(";")[0][:160].rstrip(". ").split("/")[-1]


def _only_member(path: Path, layer: str | None) -> Any:
    """Return the path (or the bytes, of zipped GeoParquet) of the one file of areas."""
    if path.is_file() and not looks_zipped(path) and path.suffix.casefold() != ".zip":
        _refuse_other_kinds(path)
        return path
    if path.suffix.casefold() == ".kmz":
        return path
    members = list_members(path, suffixes=_SUFFIXES)
    if layer is not None and len(members) > 1:
        members = [m for m in members if Path(m.name).stem == layer] or members
    if len(members) != 1:
        held = f"holds {len(members):,} ({listed([m.name for m in members])})" if members else ""
        msg = (
            f"{path.name} {held or 'holds no file of areas'}: give one GeoPackage, GeoJSON, "
            "Shapefile, GeoParquet, KML or FlatGeobuf file, or name it with layer= (areas.layer "
            "in a recipe)."
        )
        raise FileFormatError(msg)
    member = members[0]
    if member.inside is None:
        return member.container
    if member.name.casefold().endswith("parquet"):
        with Reader() as reader:
            return reader.read(member)
    with Reader() as reader:
        reader.read(member)  # a damaged archive is told here, in words
    return f"/vsizip/{{{member.container.as_posix()}}}/{member.inside}"


def _refuse_other_kinds(path: Path) -> None:
    if path.suffix.casefold() in {".csv", ".xlsx", ".xls", ".ods", ".txt", ".gz", ".dbf", ".shx"}:
        hint = (
            f"Give the .shp file {path.stem}.shp."
            if path.suffix.casefold() in {".dbf", ".shx"}
            else "A table has no outlines. Give boundaries, such as the Open Geography portal's."
        )
        msg = f"{path.name} is no file of areas. {hint}"
        raise FileFormatError(msg)
    if path.stat().st_size == 0:
        msg = f"{path.name} is empty. Export or download it again."
        raise FileFormatError(msg)


def _layer(place: Any, layer: str | None, name: str) -> str | None:
    with without_driver_warnings():
        layers = pyogrio.list_layers(place)
    names = [str(row[0]) for row in layers]
    if layer is not None:
        if layer not in names:
            near = near_names(layer, names)
            hint = f"Did you mean {listed(near)}?" if near else f"It has: {listed(names, most=12)}."
            msg = f"{name} has no layer {layer!r}. {hint}"
            raise FileFormatError(msg)
        return layer
    areal = [str(row[0]) for row in layers if row[1] and _POLYGONS.search(str(row[1]))]
    if len(areal) == 1:
        return areal[0]
    if not areal:
        msg = f"{name} has no layer of areas, only {listed(names)}. Give polygons."
        raise GeometryError(msg)
    msg = (
        f"{name} has {len(areal):,} layers of areas ({listed(areal)}). Name one with layer= "
        "(areas.layer in a recipe)."
    )
    raise FileFormatError(msg)


def _open_parquet(place: Any, name: str) -> BoundaryFile:
    try:
        schema = pq.read_schema(io.BytesIO(place) if isinstance(place, bytes) else place)
    except (pa.ArrowInvalid, OSError) as error:
        msg = f"{name} is no whole Parquet file ({_brief(error)}). Download it again."
        raise FileFormatError(msg) from error
    meta = (schema.metadata or {}).get(b"geo")
    if meta is None:
        msg = f"{name} is Parquet without geometry. Give GeoParquet, as geopandas writes it."
        raise FileFormatError(msg)
    geometry = json.loads(meta)["primary_column"]
    shapes = set(json.loads(meta)["columns"])
    columns = tuple(column for column in schema.names if column not in shapes)
    return BoundaryFile(name, place, None, columns, parquet=True, geometry=geometry)


def read_rows(
    file: BoundaryFile, columns: Sequence[str], *, code: str, codes: Collection[str] | None
) -> gpd.GeoDataFrame:
    """
    Read the columns and geometries of the rows whose code is wanted.

    Parameters
    ----------
    file
        The file, as `open_boundaries` found it.
    columns
        Names of the columns to use.
    code
        The column of codes.
    codes
        Codes of the rows wanted; ``None`` for all.

    Returns
    -------
    rows
        The columns and the geometry, as the file has them.

    Raises
    ------
    FileFormatError
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> beats = gpd.GeoDataFrame({"beat": ["A1", "A2"]}, geometry=[box(0, 0, 1, 1)] * 2, crs=27700)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beats.to_parquet(f"{folder}/beats.parquet")
    ...     file = open_boundaries(f"{folder}/beats.parquet")
    ...     read_rows(file, ["beat"], code="beat", codes=["A2"])["beat"].tolist()
    ['A2']
    """
    try:
        if file.parquet:
            return _parquet_rows(file, columns, code, codes)
        with without_driver_warnings():
            if codes is None:
                return _ogr_rows(file, columns)
            return _ogr_rows(file, columns, fids=_fids(file, code, codes))
    except (DataSourceError, DataLayerError, pa.ArrowInvalid, OSError, ValueError) as error:
        msg = f"{file.name} is damaged ({_brief(error)}). Download or export it again."
        raise FileFormatError(msg) from error


def _parquet_rows(
    file: BoundaryFile, columns: Sequence[str], code: str, codes: Collection[str] | None
) -> gpd.GeoDataFrame:
    chosen = None
    if codes is not None:
        held = _column(file, code)
        wanted = held[_are_wanted(held, codes)].tolist()
        # An empty list has no type: one row is read then, and left out below.
        chosen = [(code, "in", wanted or held.dropna().head(1).tolist())]
    rows = gpd.read_parquet(_source(file), columns=[*columns, file.geometry], filters=chosen)
    rows = rows if codes is None else rows[_are_wanted(rows[code], codes)]
    shapes = shapely.force_2d(rows[file.geometry].to_numpy())
    flat = gpd.GeoSeries(shapes, index=rows.index, crs=rows[file.geometry].crs)
    return rows.assign(**{file.geometry: flat}).set_geometry(file.geometry)


def _source(file: BoundaryFile) -> Any:
    return io.BytesIO(file.source) if isinstance(file.source, bytes) else file.source


def _column(file: BoundaryFile, column: str) -> pd.Series[Any]:
    """Return the values of a column, without the geometries; of other files by row number."""
    if file.parquet:
        return cast(
            "pd.Series[Any]", pq.read_table(_source(file), columns=[column])[column].to_pandas()
        )
    rows = pyogrio.read_dataframe(
        file.source, layer=file.layer, columns=[column], read_geometry=False, fid_as_index=True
    )
    return cast("pd.Series[Any]", rows[column])


def as_text(values: pd.Series[Any]) -> pd.Series[Any]:
    """
    Return codes and names as text; numbers without a needless ``.0``.

    Parameters
    ----------
    values
        A column of a file.

    Returns
    -------
    text
        Without blanks around it; missing where `values` are.

    Examples
    --------
    >>> as_text(pd.Series([1.0, 2.0])).tolist()
    ['1', '2']
    """
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("str").where(values.notna()).str.strip()


def _are_wanted(values: pd.Series[Any], codes: Collection[str]) -> NDArray[np.bool_]:
    wanted: pd.Series[bool] = as_text(values).isin({str(code).strip() for code in codes})
    return wanted.to_numpy(dtype=bool)


def _ogr_rows(file: BoundaryFile, columns: Sequence[str], **options: Any) -> gpd.GeoDataFrame:
    rows = pyogrio.read_dataframe(
        file.source, layer=file.layer, columns=list(columns), force_2d=True, **options
    )
    if not isinstance(rows, gpd.GeoDataFrame):
        msg = f"{file.name} has no geometries. Give a file of areas."
        raise GeometryError(msg)
    return rows


def _fids(file: BoundaryFile, code: str, codes: Collection[str]) -> Any:
    """Find the rows of the wanted codes without reading their geometries."""
    held = _column(file, code)
    return held.index[_are_wanted(held, codes)].to_numpy()


def read_values(file: BoundaryFile, column: str) -> list[str]:
    """
    Return the distinct values of a column, without the geometries.

    Parameters
    ----------
    file
        The file, as `open_boundaries` found it.
    column
        Name of the column.

    Returns
    -------
    values
        Each value once, as text.

    Examples
    --------
    >>> import tempfile
    >>> from shapely import box
    >>> beats = gpd.GeoDataFrame({"beat": ["A1", "A2"]}, geometry=[box(0, 0, 1, 1)] * 2, crs=27700)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beats.to_parquet(f"{folder}/beats.parquet")
    ...     read_values(open_boundaries(f"{folder}/beats.parquet"), "beat")
    ['A1', 'A2']
    """
    return [str(value) for value in _column(file, column).dropna().unique()]
