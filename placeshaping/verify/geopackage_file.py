"""Read a GeoPackage with nothing but SQLite."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import shapely

from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import code_pairs, note_pairs, number_run
from placeshaping.verify.places import LAYER as PLACES
from placeshaping.verify.places import take_places
from placeshaping.verify.record_columns import declared_records
from placeshaping.verify.review_columns import REVIEW_TABLE, is_review
from placeshaping.verify.rules import read_declaration

NOTES = "placeshaping"
"""The table in which a layer file says what it obeys."""

STYLES = "layer_styles"
"""The table in which QGIS looks for styles."""

_OWN = {
    "gpkg_contents", "gpkg_extensions", "gpkg_geometry_columns", "gpkg_ogr_contents",
    "gpkg_spatial_ref_sys", "gpkg_tile_matrix", "gpkg_tile_matrix_set", "sqlite_sequence",
    "sqlite_stat1",
}  # fmt: skip
"""The format's own tables."""

_BESIDE = {NOTES, STYLES, "deprivation", "inequality"}
"""Tables that a file of ours has beside those of its levels."""

_TRIGGER = re.compile(
    r"gpkg_tile_matrix_\w+|rtree_(\w+)_geom_(?:insert|delete|update\d?)"
    r"|trigger_(?:insert|delete)_feature_count_(\w+)"
)
_LONGEST_TRIGGER = 1000
_ENVELOPES = {1: 32, 2: 48, 3: 48, 4: 64}
_KINDS = {1: "point", 2: "line", 3: "polygon", 4: "points", 5: "lines", 6: "polygons"}
_AREAL = {"polygon", "polygons"}
_LINES = {"line", "lines"}
_SHORTEST = 13
_POINT_BYTES = 21
_GEOMETRY = ("geom", "geometry", "wkb_geometry", "the_geom", "shape")


def read_geopackage(path: Path) -> Contents:
    """
    Read every table of a GeoPackage, listed in its contents or not.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        With every table that is not the format's own.

    Raises
    ------
    UnreadableError
        If it is not a database, or is damaged.
    """
    contents = Contents("geopackage")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            _read(database, contents)
    except (sqlite3.Error, pd.errors.DatabaseError, OverflowError) as error:
        raise UnreadableError(str(error)) from error
    return contents


def _read(database: sqlite3.Connection, contents: Contents) -> None:
    names = dict(
        database.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')")
    )
    geometry = _geometries(database, names)
    trees = _trees(database, geometry)
    if NOTES in names:
        _notes(database, contents)
    _schema(database, contents)
    for name in names:
        if name == STYLES or name in _OWN:
            _texts(database, name, contents)
        elif name != NOTES and name not in trees:
            table = _table(database, name, geometry.get(name))
            if not _is_public(database, table, contents):
                contents.tables.append(table)
            _listed(database, name, contents)
            _blobs(database, name, name in geometry, contents)
    unused = database.execute("PRAGMA freelist_count").fetchone()[0]
    if unused:
        contents.breach("file", "holds pages of deleted rows", f"{unused:,} pages: VACUUM it")


def _is_public(database: sqlite3.Connection, table: Table, contents: Contents) -> bool:
    """Tell whether a layer holds the public places that the file declares; faults are breaches."""
    if table.where != PLACES or "places" not in (contents.declaration or {}):
        return False
    columns = [row[1] for row in database.execute(f"PRAGMA table_xinfo({_quoted(PLACES)})")]
    fields = [column for column in columns if column.casefold() in _GEOMETRY]
    blobs = database.execute(
        f"SELECT {', '.join(map(_quoted, fields)) or 'NULL'} FROM {PLACES}"  # noqa: S608 - quoted
    )
    points = [_xy(row[0]) if len(row) == 1 else None for row in blobs]
    return take_places(table.frame, points, contents, where=PLACES)


def _xy(blob: Any) -> tuple[float, ...] | None:
    """Return the two numbers of a point, None of anything else or of a point with more."""
    if not isinstance(blob, bytes) or _kind(blob) != "point":
        return None
    shape = _shape(blob)
    plain = shape is not None and not shape.is_empty and not shape.has_z
    exact = plain and len(blob) == 8 + _ENVELOPES.get(blob[3] >> 1 & 7, 0) + _POINT_BYTES
    return (shape.x, shape.y) if exact else None


def _trees(database: sqlite3.Connection, geometry: dict[str, str]) -> set[str]:
    """Name the spatial indexes that are truly some, each with the tables that it consists of."""
    rows = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
    real = {
        name
        for name, sql in rows
        if re.match(r"(?i)create virtual table .{1,80} using rtree\(", str(sql))
        and any(name.startswith(f"rtree_{layer}_") for layer in geometry)
    }
    return real | {f"{name}_{part}" for name in real for part in ("rowid", "node", "parent")}


def _schema(database: sqlite3.Connection, contents: Contents) -> None:
    """Look for views, and for triggers and indexes that are not those of the format."""
    rows = database.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger', 'index')"
    )
    for kind, name, sql in rows:
        usual = kind == "index" and (sql is None or not re.search(r"[\d']", sql.partition("(")[2]))
        if kind == "trigger":
            usual = bool(_TRIGGER.fullmatch(name)) and len(sql) < _LONGEST_TRIGGER
            usual = usual and not code_pairs(sql) and not number_run(sql)
        if not usual:
            contents.breach(name, f"is a {kind} that a layer file does not need", str(sql)[:80])


def _listed(database: sqlite3.Connection, name: str, contents: Contents) -> None:
    """Look for tables that a file of ours does not have."""
    levels = (contents.declaration or {}).get("levels")
    masked = {contents.masked_points} if contents.masked_points else set()
    masked |= contents.public_layers
    if declared_records(contents.declaration) == "streets":
        masked.add("streets")
    if is_review(contents.declaration) and REVIEW_TABLE.fullmatch(name):
        masked.add(name.casefold())
    known = {*levels, *_BESIDE, *masked} if isinstance(levels, list) else None
    if known is not None and name.casefold().removesuffix("_values") not in known:
        contents.breach(name, "is a table that is not on the list")
    columns = [
        row[1].casefold() for row in database.execute(f"PRAGMA table_xinfo({_quoted(name)})")
    ]
    if "fid" in columns:
        found = database.execute(
            f"SELECT count(*), min(fid), max(fid), count(DISTINCT fid) FROM {_quoted(name)}"  # noqa: S608
        ).fetchone()
        if found[0] and found != (found[0], 1, found[0], found[0]):
            what = "has row numbers other than 1, 2, 3 ...: they could be counts"
            contents.breach(name, what, f"{found[0]:,} rows from {found[1]} to {found[2]}")


def _blobs(database: sqlite3.Connection, name: str, spatial: bool, contents: Contents) -> None:
    """Look into columns of geometry for what is no area."""
    columns = [row[1] for row in database.execute(f"PRAGMA table_xinfo({_quoted(name)})")]
    for column in columns:
        if column.casefold() not in _GEOMETRY:
            continue
        rows = database.execute(
            f"SELECT substr({_quoted(column)}, 1, 80) FROM {_quoted(name)} "  # noqa: S608 - quoted
            f"WHERE {_quoted(column)} IS NOT NULL"
        )
        pointed = {contents.masked_points, *contents.public_layers}
        areal = {"point"} if name in pointed else _AREAL
        if name == "streets" and declared_records(contents.declaration) == name:
            areal = _LINES
        odd = {kind for (blob,) in rows if (kind := _kind(blob)) not in areal}
        if odd or not spatial:
            what = "holds geometries that are no areas, or of no layer"
            contents.breach(name, what, ", ".join(sorted(odd)) or column)


def _kind(blob: Any) -> str:
    """Name the kind of a geometry from its first bytes."""
    if not isinstance(blob, bytes) or not blob.startswith(b"GP") or len(blob) < _SHORTEST:
        return "no geometry"
    start = 8 + _ENVELOPES.get(blob[3] >> 1 & 7, 0)
    order = "little" if blob[start : start + 1] == b"\1" else "big"
    kind = int.from_bytes(blob[start + 1 : start + 5], order)  # type: ignore[arg-type]
    return _KINDS.get(kind % 1000, f"kind {kind}")


def _geometries(database: sqlite3.Connection, names: dict[str, Any]) -> dict[str, str]:
    if "gpkg_geometry_columns" not in names:
        return {}
    rows = database.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns")
    return {str(name): str(kind) for name, kind in rows}


def shapes_of_geopackage(path: Path) -> dict[str, shapely.Geometry]:
    """
    Read the shapes of a GeoPackage by area code.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    shapes
        Area code -> shape; of layers without codes there are none.
    """
    found: dict[str, shapely.Geometry] = {}
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        listed = "SELECT table_name, column_name FROM gpkg_geometry_columns"
        for name, column in database.execute(listed).fetchall():
            columns = [row[1] for row in database.execute(f"PRAGMA table_xinfo({_quoted(name)})")]
            if "area_code" in columns:
                rows = database.execute(
                    f"SELECT area_code, {_quoted(column)} FROM {_quoted(name)}"  # noqa: S608
                ).fetchall()
                found.update(
                    {str(code): _shape(blob) for code, blob in rows if _kind(blob) in _AREAL}
                )
    return found


def _shape(blob: bytes) -> shapely.Geometry:
    return shapely.from_wkb(blob[8 + _ENVELOPES.get(blob[3] >> 1 & 7, 0) :], on_invalid="ignore")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(database: sqlite3.Connection, name: str, geometry: str | None) -> Table:
    columns = [row[1] for row in database.execute(f"PRAGMA table_xinfo({_quoted(name)})")]
    kept = [c for c in columns if c != "fid" and not (geometry and c.casefold() in _GEOMETRY)]
    if not kept:
        return Table(name, pd.DataFrame(), geometry)
    rows = database.execute(
        f"SELECT {', '.join(_quoted(c) for c in kept)} FROM {_quoted(name)}"  # noqa: S608 - quoted
    ).fetchall()
    return Table(name, pd.DataFrame(rows, columns=kept), geometry)


def _notes(database: sqlite3.Connection, contents: Contents) -> None:
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({_quoted(NOTES)})")]
    unknown = [c for c in columns if c not in ("fid", "key", "value")]
    if unknown or not {"key", "value"} <= set(columns):
        contents.breach(NOTES, "is not a table of keys and values", ", ".join(columns))
        return
    rows = database.execute(f"SELECT key, value FROM {_quoted(NOTES)}")  # noqa: S608 - a constant
    pairs = [(str(key), value) for key, value in rows]
    items = dict(pairs)
    contents.texts[NOTES] = json.dumps(pairs, default=str, ensure_ascii=False)
    _prose(NOTES, "\n".join(str(value) for _, value in pairs), contents)
    contents.declaration = read_declaration(items) if items else None
    if contents.declaration:
        views = contents.declaration
        contents.note_views(views.get("periods"), views.get("categories"))


def _texts(database: sqlite3.Connection, name: str, contents: Contents) -> None:
    """Keep the texts of the format's own tables: paths and numbers may stand in them."""
    rows = database.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608 - quoted
    words = [cell for row in rows for cell in row if isinstance(cell, str)]
    if words:
        contents.texts[name] = "\n".join(words)
        _prose(name, contents.texts[name], contents)


def _prose(where: str, text: str, contents: Contents) -> None:
    """Look for counts among words."""
    note_pairs(where, text, contents)
    run = number_run(text)
    if run:
        contents.breach(where, "holds a list of numbers", run[:80])
