"""Read a GeoPackage with nothing but SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.rules import read_declaration

NOTES = "placeshaping"
"""The table in which a layer file says what it obeys."""

_OWN = ("gpkg_", "rtree_", "sqlite_")
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
    for name in names:
        if name == NOTES:
            _notes(database, contents)
        elif name == "layer_styles" or name.startswith(_OWN):
            _texts(database, name, contents)
        else:
            contents.tables.append(_table(database, name, geometry.get(name)))
    unused = database.execute("PRAGMA freelist_count").fetchone()[0]
    if unused:
        contents.breach("file", "holds pages of deleted rows", f"{unused:,} pages: VACUUM it")


def _geometries(database: sqlite3.Connection, names: dict[str, Any]) -> dict[str, str]:
    if "gpkg_geometry_columns" not in names:
        return {}
    rows = database.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns")
    return {str(name): str(kind) for name, kind in rows}


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
    items = {str(key): value for key, value in rows}
    contents.texts[NOTES] = json.dumps(items, default=str, ensure_ascii=False)
    contents.declaration = read_declaration(items) if items else None
    if contents.declaration:
        views = contents.declaration
        contents.note_views(views.get("periods"), views.get("categories"))


def _texts(database: sqlite3.Connection, name: str, contents: Contents) -> None:
    """Keep the texts of the format's own tables: paths may stand in them."""
    if name.startswith("rtree_"):
        return
    rows = database.execute(f"SELECT * FROM {_quoted(name)}")  # noqa: S608 - quoted
    words = [cell for row in rows for cell in row if isinstance(cell, str)]
    if words:
        contents.texts[name] = "\n".join(words)
