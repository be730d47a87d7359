"""Masked points as a GeoPackage, which says of itself what it obeys."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.points import Features
from placeshaping.disclosure.release import Release, require_release
from placeshaping.layers.geopackage import NOTES
from placeshaping.layers.items import check_suffix, item_of
from placeshaping.layers.notes import notes_of

SUFFIXES = (".gpkg",)

_LISTED = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
VALUES (?, 'attributes', ?, ?, ?, 0)
"""


def write_features(release: Release, path: str | Path, *, item: str | None = None) -> Path:
    """
    Write the masked points of a release as a GeoPackage.

    One layer of points, and the table `placeshaping` with what the file says
    of itself. The same release gives the same content.

    Parameters
    ----------
    release
        What is published; it carries the points.
    path
        The file to write, ending in .gpkg.
    item
        Name of the points, where there are several.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it carries no such points.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_features({}, "points.gpkg")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_features takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_features")
    path = check_suffix(path, SUFFIXES)
    features = item_of(release, item, Features)
    notes = [*notes_of(release), *(("statement", sentence) for sentence in features.statement)]
    return write_points(features, path, notes=notes, made_on=release.made_on)


def write_points(
    features: Features,
    path: str | Path,
    *,
    notes: list[tuple[str, Any]],
    made_on: dt.date,
) -> Path:
    """
    Write masked points with the notes of the release that they belong to.

    Parameters
    ----------
    features
        Points that may leave.
    path
        The file to write.
    notes
        Keys and values that the file says of itself; those of the points are
        added.
    made_on
        Date that the file bears.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    said = [*notes, *((key, _text(value)) for key, value in features.declaration.items())]
    about = " ".join(features.statement)
    try:
        with staged_file(path) as staged:
            pyogrio.write_dataframe(
                features.points,
                staged,
                layer=features.name,
                driver="GPKG",
                geometry_type="Point",
                layer_options={"IDENTIFIER": features.name, "DESCRIPTION": about},
            )
            add_notes(staged, said, made_on)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        msg = (
            f"{path.name} could not be written ({str(error)[:100]}). The disk is full, or writing "
            "there is not permitted: free some space or choose another folder."
        )
        raise OutputError(msg) from error
    return path


def add_notes(path: Path, notes: Sequence[tuple[str, Any]], made_on: dt.date) -> None:
    """
    Add what a file says of itself, set the date of the release, and leave no gaps.

    Parameters
    ----------
    path
        A GeoPackage.
    notes
        Keys and values.
    made_on
        Date that the file bears.
    """
    made = dt.datetime.combine(made_on, dt.time()).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as database:
        with database:
            database.execute(
                f"CREATE TABLE {NOTES} (fid INTEGER PRIMARY KEY NOT NULL, key TEXT, value TEXT)"
            )
            database.executemany(
                f"INSERT INTO {NOTES} (key, value) VALUES (?, ?)",  # noqa: S608 - a constant
                [(key, str(value)) for key, value in notes],
            )
            database.execute(_LISTED, (NOTES, NOTES, "What this file says of itself.", made))
            database.execute("UPDATE gpkg_contents SET last_change = ?", (made,))
        # a copy, for a file's header counts its changes, which differ from run to run
        database.execute("VACUUM INTO ?", (str(path) + ".packed",))
    path.with_name(path.name + ".packed").replace(path)


def _text(value: Any) -> str | int | float:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, int | float) else str(value)
