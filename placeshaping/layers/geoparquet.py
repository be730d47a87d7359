"""One level as GeoParquet: every period and category, for Python, R and DuckDB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.layers.items import check_suffix
from placeshaping.layers.views import about, area_columns, layer_of, level_of_release, plain_texts

SUFFIXES = (".parquet", ".geoparquet")

DECLARATION = "placeshaping"
"""The key of the file's metadata under which it says what it obeys, as JSON."""

VERSION = "1.1.0"
"""Of the GeoParquet specification."""


def write_geoparquet(
    release: Release,
    path: str | Path,
    *,
    level: str | None = None,
    period: str | None = None,
    category: str | None = None,
) -> Path:
    """
    Write one level of a release as GeoParquet 1.1.

    One row for each period, category and area, in the order of the release,
    with the area's shape (EPSG:27700, WKB) in each: any one period and
    category is a layer. A shape is stored once, in the column's dictionary.
    The file's metadata hold, under `placeshaping`, what it says of itself.
    Hidden cells are null. The same release gives the same bytes.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .parquet.
    level
        By default the finest.
    period, category
        Labels; where either is given, that view alone (the other label by
        default the first). By default all.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If the release has no such level, period or category.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_geoparquet({}, "lsoa.parquet")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_geoparquet takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_geoparquet")
    path = check_suffix(path, SUFFIXES)
    table = level_of_release(release, level)
    if period is None and category is None:
        frame, places = _every_view(release, table)
    else:
        layer = layer_of(release, level=level, period=period, category=category)
        frame, places = layer.drop(columns="geometry"), np.arange(len(layer))
    shapes = pa.array(shapely.to_wkb(table.areas.geometry.array), type=pa.binary())
    columns = {str(name): _column(frame[name]) for name in frame.columns}
    geometry = pa.DictionaryArray.from_arrays(pa.array(places, type=pa.int32()), shapes)
    made = pa.table({**columns, "geometry": geometry})
    said = {
        b"geo": _dump(geo_metadata(table.areas)),
        DECLARATION.encode(): _dump({**about(release), "level": table.level}),
    }
    with staged_file(path) as staged:
        write_rows(made, staged, said)
    return path


def _every_view(release: Release, table: AreaTable) -> tuple[pd.DataFrame, Any]:
    """Put what is known of its area beside each number, and tell the area's place."""
    known = area_columns(release, table)
    values = table.values
    codes = values["area_code"].astype(str)
    places = table.areas.index.astype(str).get_indexer(codes)
    told = {name: table.areas[name].array.take(places) for name in known}
    beside = pd.DataFrame({"area_code": codes.array, **told}, index=values.index)
    rest = values.drop(columns="area_code")
    return pd.concat([beside, rest], axis="columns"), places


def _column(values: pd.Series) -> pa.Array:
    """Return a column of Arrow; a text's dictionary holds no text that no row has."""
    if pd.api.types.is_numeric_dtype(values):
        return pa.array(values, from_pandas=True)
    return pa.array(plain_texts(values.to_frame())[values.name], type=pa.string())


def geo_metadata(areas: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the metadata of GeoParquet for shapes in EPSG:27700."""
    column = {
        "encoding": "WKB",
        "geometry_types": sorted(set(areas.geom_type)),
        "crs": CRS.from_epsg(NATIONAL_GRID).to_json_dict(),
        "bbox": [float(edge) for edge in areas.total_bounds],
    }
    return {"version": VERSION, "primary_column": "geometry", "columns": {"geometry": column}}


def write_rows(table: pa.Table, path: Path, said: Mapping[bytes, bytes]) -> None:
    """
    Write one row group: so each shape is there once, however many rows have it.

    The schema of Arrow is left out, with which readers would give back the
    dictionary instead of the shapes.
    """
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        dictionary_pagesize_limit=2**30,
        write_statistics=[name for name in table.column_names if name != "geometry"],
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=max(table.num_rows, 1))
        writer.add_key_value_metadata(said)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
