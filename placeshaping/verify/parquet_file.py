"""Read a Parquet file: its columns, its metadata, and what may hide between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from placeshaping._core.checks import listed
from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.places import LAYER as PLACES
from placeshaping.verify.places import take_places

DECLARATION = "placeshaping"
"""The key of the metadata under which a file says what it obeys."""

_KEYS = {DECLARATION, "geo", "ARROW:schema", "pandas"}
_GEO = {"version", "primary_column", "columns", "creator"}
_GEO_COLUMN = {
    "encoding", "geometry_types", "crs", "bbox", "edges", "orientation", "epoch", "covering",
}  # fmt: skip
_OF_THE_FORMAT = (b"PARQUET:", b"ARROW:extension:")
_MAGIC, _TAIL = 4, 8
_CORNERS = (4, 6)


def read_parquet(path: Path) -> Contents:
    """
    Read a Parquet file, with or without shapes.

    Beside its rows it may hold more than its readers show: entries of a
    dictionary that no row has, extremes of a column that no row bears out,
    bytes between the columns, keys of metadata. Each is a breach.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        One table, named by the level that the file declares.

    Raises
    ------
    UnreadableError
        If it is not Parquet, is damaged, or has columns within columns.
    """
    contents = Contents("parquet")
    try:
        with pq.ParquetFile(path) as file:
            _metadata(file, contents)
            _spare_bytes(file, path, contents)
            table = _rows(file, path, contents)
            _extremes(file.metadata, table, contents)
    except (pa.ArrowException, shapely.errors.ShapelyError) as error:
        raise UnreadableError(str(error)) from error
    _table(table, contents)
    return contents


def _metadata(file: pq.ParquetFile, contents: Contents) -> None:
    """Look at what the file says of itself, and for what it says beside that."""
    found = file.metadata.metadata or {}
    given = {key.decode(errors="replace"): value for key, value in found.items()}
    for key in given.keys() - _KEYS:
        contents.breach("metadata", f"holds the key {key!r}, which is not on the list")
    for field in file.schema_arrow:
        odd = [k for k in field.metadata or {} if not k.startswith(_OF_THE_FORMAT)]
        if odd:
            what = f"has metadata of the column {field.name!r}, which no column needs"
            contents.breach("metadata", what, odd[0].decode(errors="replace"))
    contents.texts["created by"] = str(file.metadata.created_by)
    for key in ("geo", "pandas", DECLARATION):
        if key in given:
            contents.texts[key] = given[key].decode(errors="replace").replace("\\\\", "\\")
    for where, text in contents.texts.items():
        note_pairs(where, text, contents)
        run = number_run(text)
        if run:
            contents.breach(where, "holds a list of numbers", run[:80])
    declared = _json(given.get(DECLARATION))
    if declared:
        contents.declaration = declared
        contents.note_views(declared.get("periods"), declared.get("categories"))
    _geo(_json(given.get("geo")), contents)


def _json(raw: bytes | None) -> dict[str, Any]:
    try:
        data = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        msg = f"its metadata are no JSON: {error}"
        raise UnreadableError(msg) from error
    return data if isinstance(data, dict) else {}


def _geo(geo: Mapping[str, Any], contents: Contents) -> None:
    odd = set(geo) - _GEO
    columns = geo.get("columns")
    for column in columns.values() if isinstance(columns, Mapping) else []:
        odd |= set(column) - _GEO_COLUMN if isinstance(column, Mapping) else {"a column"}
        box = column.get("bbox", [0] * 4) if isinstance(column, Mapping) else []
        if not isinstance(box, list) or len(box) not in _CORNERS:
            contents.breach("geo", "has a bounding box that is none", str(box)[:80])
    for key in sorted(odd):
        contents.breach("geo", f"holds the field {key!r}, which is not on the list")


def _spare_bytes(file: pq.ParquetFile, path: Path, contents: Contents) -> None:
    """Add up what the columns and the footer take, and compare with the file."""
    meta = file.metadata
    groups = [meta.row_group(n) for n in range(meta.num_row_groups)]
    used = sum(g.column(n).total_compressed_size for g in groups for n in range(g.num_columns))
    spare = path.stat().st_size - used - meta.serialized_size - _MAGIC - _TAIL
    if spare:
        contents.breach("file", "holds bytes that belong to no column", f"{spare:,} bytes")


def _rows(file: pq.ParquetFile, path: Path, contents: Contents) -> pa.Table:
    """Read all rows; look into the dictionaries of texts and shapes on the way."""
    schema = file.schema_arrow
    nested = [f.name for f in schema if pa.types.is_nested(f.type)]
    if nested:
        msg = f"it has columns within columns ({listed(nested)})"
        raise UnreadableError(msg)
    texts = [f.name for f in schema if _is_text(f.type)]
    table = pq.read_table(path, read_dictionary=texts, partitioning=None)
    for name in texts:
        if table.schema.names.count(name) > 1:
            continue
        spare = list(_unused(table[name]))
        if spare:
            what = f"has entries in the dictionary of {name!r} that no row has"
            contents.breach("file", what, listed([str(entry)[:40] for entry in spare]))
    return table


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )


def _unused(column: pa.ChunkedArray) -> Iterator[Any]:
    for chunk in column.chunks:
        if not isinstance(chunk, pa.DictionaryArray):
            continue
        used = np.zeros(len(chunk.dictionary), dtype=bool)
        used[chunk.indices.drop_null().to_numpy(zero_copy_only=False)] = True
        for place in np.flatnonzero(~used):
            yield chunk.dictionary[int(place)].as_py()


def _extremes(meta: pq.FileMetaData, table: pa.Table, contents: Contents) -> None:
    """Compare the smallest and largest number that each column states with its rows."""
    start = 0
    for number in range(meta.num_row_groups):
        group = meta.row_group(number)
        rows = table.slice(start, group.num_rows)
        start += group.num_rows
        for place in range(group.num_columns):
            stated = group.column(place).statistics
            values = rows.column(place)
            numeric = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
            if stated is None or not stated.has_min_max or not numeric:
                continue
            known = values.drop_null().to_numpy()
            known = known[np.isfinite(known)]
            real = (known.min(), known.max()) if len(known) else None
            if real != (stated.min, stated.max):
                name = group.column(place).path_in_schema
                what = f"states extremes of {name!r} that its rows do not bear out"
                contents.breach("file", what, f"{stated.min} to {stated.max}")


def _table(table: pa.Table, contents: Contents) -> None:
    """Make a table of the rows, with the kinds of its shapes."""
    level = (contents.declaration or {}).get("level")
    names = [n for n in table.schema.names if _is_shape(table, n)]
    kinds: set[str] = set()
    for name in names:
        kinds |= _kinds(table[name], name, contents)
    frame = table.drop_columns(names).to_pandas()
    for name in frame.select_dtypes("category"):
        frame[name] = frame[name].astype(object)
    where = level if isinstance(level, str) else "features"
    if level == PLACES and "places" in (contents.declaration or {}) and len(names) == 1:
        shapes = shapely.from_wkb(table[names[0]].to_pylist())
        points = [(s.x, s.y) if _is_point(s) else None for s in shapes]
        if take_places(frame, points, contents, where=where):
            return
    contents.tables.append(Table(where, frame, ", ".join(sorted(kinds)) or None))


def _is_point(shape: Any) -> bool:
    return shape is not None and shape.geom_type == "Point" and not shape.is_empty


def _is_shape(table: pa.Table, name: str) -> bool:
    kind = table.schema.field(name).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _kinds(column: pa.ChunkedArray, name: str, contents: Contents) -> set[str]:
    raw = pd.unique(pd.Series(column.drop_null().to_pylist(), dtype=object))
    shapes = shapely.from_wkb(raw)
    if shapely.has_z(shapes).any():
        contents.breach(name, "holds a third coordinate, which no area needs")
    return {str(shape.geom_type) for shape in shapes if shape is not None}
