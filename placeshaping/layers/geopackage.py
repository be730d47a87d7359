"""Layers for QGIS and any other GIS: one GeoPackage that carries its own styles."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.layers.notes import notes_of
from placeshaping.layers.places import LAYER as PLACES
from placeshaping.layers.places import places_notes, places_of
from placeshaping.layers.styles import LayerStyle, places_style, styles_of
from placeshaping.layers.views import area_columns

NOTES = "placeshaping"
"""The table in which the file says what it obeys."""

_STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
)
"""
_NOTES_TABLE = f"CREATE TABLE {NOTES} (fid INTEGER PRIMARY KEY NOT NULL, key TEXT, value TEXT)"
_LISTED = """
INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
VALUES (?, 'attributes', ?, ?, ?, 0)
"""


def write_layers(release: Release, path: str | Path) -> Path:
    """
    Write a release as a GeoPackage.

    One layer a level, finest first, with the view that opens first (all
    categories, the whole span); beside it a table with every period and
    category, joined by `area_code`. Deprivation has its own tables. Each layer
    carries the styles that QGIS picks up: "Rate", its default, "Hot spots",
    and one for each further layer of labels. Public places are the layer
    `places`: points with a mark for each kind. The table `placeshaping` holds
    what the file says of itself. The same release gives the same content.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    OutputError
        If the file cannot be written; an older one is then as it was.

    Examples
    --------
    >>> write_layers({}, "layers.gpkg")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_layers takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_layers")
    path = Path(path)
    with staged_file(path) as staged, _refusals_told(staged):
        styles: list[LayerStyle] = []
        for table in release.tables.values():
            layer = _layer(release, table)
            _write(layer, staged, table.level, _about(release, table), release.title)
            styles += styles_of(layer, table.level, title=release.title, labels=release.labels)
        for table in release.tables.values():
            about = f"{table.label}: every period and category. Join by area_code."
            _write(_long(table.values), staged, f"{table.level}_values", about, release.title)
        if release.deprivation is not None:
            about = "By tenth of the Index of Multiple Deprivation; 1 = most deprived."
            _write(_long(release.deprivation.values), staged, "deprivation", about, release.title)
            about = "Slope index of inequality, per 1,000 a year, and relative index."
            _write(_long(release.deprivation.slopes), staged, "inequality", about, release.title)
        if release.places:
            about = " ".join(kind.sentence for kind in release.places)
            _write(places_of(release), staged, PLACES, about, release.title, kind="Point")
            styles.append(places_style(release.places, PLACES, title=release.title))
        _finish(staged, release, styles)
    return path


@contextmanager
def _refusals_told(path: Path) -> Iterator[None]:
    """Tell what the file's drivers report in their own way, a full disk above all."""
    try:
        yield
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        reason = str(error).replace(str(path), path.name)
        reason = f"{reason[:100]}..." if len(reason) > 100 else reason
        msg = (
            f"{path.name} could not be written ({reason}). The disk is full, or writing there is "
            "not permitted: free some space or choose another folder. Nothing was changed."
        )
        raise OutputError(msg) from error


def _layer(release: Release, table: AreaTable) -> gpd.GeoDataFrame:
    """Put the numbers of the view that opens first beside the areas."""
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    columns = area_columns(release, table)
    numbers = view.reindex(table.areas.index.astype(str)).set_axis(table.areas.index)
    layer = table.areas[[*columns, "geometry"]].join(_long(numbers))
    layer.insert(0, "area_code", layer.index.astype(str))
    return layer.reset_index(drop=True)


def _long(values: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts are texts: a GIS knows no categories."""
    named = values.select_dtypes("category").columns
    texts = {name: values[name].astype("str").where(values[name].notna(), None) for name in named}
    return values.assign(**texts)


def _about(release: Release, table: AreaTable) -> str:
    view = f"{release.categories[0].label}, {release.periods[0].label}"
    return f"{release.subject} by {table.label}: {view}. {' '.join(release.statement)}"


def _write(
    table: pd.DataFrame | gpd.GeoDataFrame,
    path: Path,
    name: str,
    about: str,
    title: str,
    *,
    kind: str = "MultiPolygon",
) -> None:
    options = {"IDENTIFIER": f"{title}: {name}", "DESCRIPTION": about}
    spatial = isinstance(table, gpd.GeoDataFrame)
    pyogrio.write_dataframe(
        table,
        path,
        layer=name,
        driver="GPKG",
        append=path.exists(),
        geometry_type=kind if spatial else None,
        promote_to_multi=(spatial and kind.startswith("Multi")) or None,
        layer_options=options,
    )


def _finish(path: Path, release: Release, styles: list[LayerStyle]) -> None:
    """Add notes and styles, set every time to the date of the release, and leave no gaps."""
    made = dt.datetime.combine(release.made_on, dt.time()).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as database:
        with database:
            database.execute(_NOTES_TABLE)
            said = [*notes_of(release), *(places_notes(release) if release.places else [])]
            notes = [(key, str(value)) for key, value in said]
            database.executemany(f"INSERT INTO {NOTES} (key, value) VALUES (?, ?)", notes)  # noqa: S608
            database.execute(_LISTED, (NOTES, NOTES, "What this file says of itself.", made))
            database.execute(_STYLES)
            database.execute(_LISTED, ("layer_styles", "layer_styles", "Styles for QGIS.", made))
            for style in styles:
                _add_style(database, style, made)
            database.execute("UPDATE gpkg_contents SET last_change = ?", (made,))
        # a copy, for a file's header counts its changes, which differ from run to run
        database.execute("VACUUM INTO ?", (str(path) + ".packed",))
    path.with_name(path.name + ".packed").replace(path)


def add_styles(path: Path, styles: Sequence[LayerStyle], made_on: dt.date) -> None:
    """
    Add styles that QGIS picks up to a GeoPackage that has none.

    Parameters
    ----------
    path
        The file.
    styles
        Of its layers.
    made_on
        Date that they bear.
    """
    made = dt.datetime.combine(made_on, dt.time()).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_STYLES)
        database.execute(_LISTED, ("layer_styles", "layer_styles", "Styles for QGIS.", made))
        for style in styles:
            _add_style(database, style, made)


def _add_style(database: sqlite3.Connection, style: LayerStyle, made: str) -> None:
    database.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
        "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, "
        "update_time) VALUES ('', '', ?, 'geom', ?, ?, '', ?, ?, '', NULL, ?)",
        (style.layer, style.name, style.qml, style.default, style.description, made),
    )
