"""Classed streets as a GeoPackage, which says of itself what it obeys."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from placeshaping._core.errors import InputError, OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.records import Records, require_records
from placeshaping.layers.features import SUFFIXES, add_notes
from placeshaping.layers.items import check_suffix
from placeshaping.layers.views import plain_texts

LAYER = "streets"


def write_streets(records: Records, path: str | Path) -> Path:
    """
    Write streets, as they may leave, as a GeoPackage of lines.

    One layer, `streets`, in the order of the street file, and the table
    `placeshaping` with what the file says of itself. The same records give the
    same content.

    Parameters
    ----------
    records
        From `release_records`, of the result of `hot_streets`.
    path
        The file to write, ending in .gpkg.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `records` are no `Records`.
    InputError
        If they hold no streets.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_streets({}, "streets.gpkg")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_streets takes Records, not a dict. ...
    """
    records = require_records(records, wanted_by="write_streets")
    path = check_suffix(path, SUFFIXES)
    if not isinstance(records.table, gpd.GeoDataFrame):
        msg = f"These records are of {records.name} and hold no lines. Use write_records."
        raise InputError(msg)
    lines = gpd.GeoDataFrame(plain_texts(records.table), crs=records.table.crs)
    try:
        with staged_file(path) as staged:
            pyogrio.write_dataframe(
                lines,
                staged,
                layer=LAYER,
                driver="GPKG",
                layer_options={"IDENTIFIER": records.title, "DESCRIPTION": records.paragraph},
            )
            add_notes(staged, records.notes, records.made_on)
    except (DataSourceError, DataLayerError, sqlite3.Error) as error:
        msg = (
            f"{path.name} could not be written ({str(error)[:100]}). The disk is full, or writing "
            "there is not permitted: free some space or choose another folder."
        )
        raise OutputError(msg) from error
    return path
