"""Public places as a layer of their own: name, kind, and where the list is published."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import InputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.layers.geojson import write_collection
from placeshaping.layers.geoparquet import DECLARATION, geo_metadata, write_rows
from placeshaping.layers.items import check_suffix
from placeshaping.layers.kml import NAMESPACE, put_text
from placeshaping.layers.notes import Note, notes_of
from placeshaping.layers.views import in_degrees, said_by

LAYER = "places"
"""The layer's name in every format."""

SUFFIXES = (".geojson", ".json", ".parquet", ".geoparquet", ".kml")

_COLUMNS = ["name", "kind", "published_at"]


def places_of(release: Release) -> gpd.GeoDataFrame:
    """
    Return the public places of a release, to the metre.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    places
        `name`, `kind`, `published_at` (the address at which anybody can find
        the list) and `geometry` (points, EPSG:27700), in the order of the
        release; without rows where it shows none.
    """
    kinds = [
        kind.points.assign(kind=kind.title, published_at=kind.published_at)
        for kind in release.places
    ]
    if not kinds:
        return gpd.GeoDataFrame({name: [] for name in _COLUMNS}, geometry=[], crs=NATIONAL_GRID)
    every = pd.concat(kinds, ignore_index=True)
    points = shapely.points(np.rint(shapely.get_coordinates(every.geometry)))
    texts = {name: every[name].astype(object).to_numpy() for name in _COLUMNS}
    places = gpd.GeoDataFrame(texts, geometry=points, crs=NATIONAL_GRID)
    return places.loc[~places.assign(at=places.geometry.to_wkb()).duplicated([*_COLUMNS, "at"])]


def places_notes(release: Release) -> list[Note]:
    """
    Return by what a checker knows that a layer holds these places and no other points.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    notes
        The key `places_sha256`: of the lines "kind, tab, name, tab, easting,
        tab, northing" in metres, sorted, with a line feed after each.
    """
    places = places_of(release)
    metres = shapely.get_coordinates(places.geometry).astype(int).tolist()
    rows = zip(places["kind"], places["name"], metres, strict=True)
    lines = sorted(f"{kind}\t{name}\t{x}\t{y}\n" for kind, name, (x, y) in rows)
    return [("places_sha256", hashlib.sha256("".join(lines).encode()).hexdigest())]


def write_places(release: Release, path: str | Path) -> Path:
    """
    Write the public places of a release as GeoJSON, GeoParquet or KML, by the file's name.

    One point a place, with its name, its kind and the address at which the
    list is published; `write_layers` puts the same into its GeoPackage. The
    file says of itself what the release's other files say. The same release
    gives the same bytes.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .geojson, .parquet or .kml.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it shows no public places.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_places({}, "places.kml")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_places takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_places")
    path = check_suffix(path, SUFFIXES)
    places = places_of(release)
    if places.empty:
        msg = "The release shows no public places: give some to release(..., places=[...])."
        raise InputError(msg)
    notes = [*notes_of(release), *places_notes(release)]
    write: Callable[[gpd.GeoDataFrame, Path, list[Note]], None] = _write_json
    if path.suffix.casefold() in (".parquet", ".geoparquet"):
        write = _write_parquet
    elif path.suffix.casefold() == ".kml":
        write = _write_kml
    with staged_file(path) as staged:
        write(places, staged, notes)
    return path


def _write_json(places: gpd.GeoDataFrame, path: Path, notes: list[Note]) -> None:
    write_collection(places, path, name=LAYER, said=said_by(notes))


def _write_parquet(places: gpd.GeoDataFrame, path: Path, notes: list[Note]) -> None:
    columns = {name: pa.array(places[name], type=pa.string()) for name in _COLUMNS}
    shapes = pa.array(shapely.to_wkb(places.geometry.array), type=pa.binary())
    said = {
        b"geo": _dump(geo_metadata(places)),
        DECLARATION.encode(): _dump({**said_by(notes), "level": LAYER}),
    }
    write_rows(pa.table({**columns, "geometry": shapes}), path, said)


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _write_kml(places: gpd.GeoDataFrame, path: Path, notes: list[Note]) -> None:
    """Write a folder a kind, with the readers' own pins: a picture of ours would be fetched."""
    root = Xml.Element("kml", xmlns=NAMESPACE)
    document = Xml.SubElement(root, "Document")
    put_text(document, "name", f"{dict(notes)['title']}: public places")
    put_text(document, "open", "1")
    said = Xml.SubElement(document, "ExtendedData")
    for key, value in notes:
        put_text(Xml.SubElement(said, "Data", name=key), "value", value)
    schema = Xml.SubElement(document, "Schema", name=LAYER, id=f"columns-{LAYER}")
    for name in _COLUMNS:
        Xml.SubElement(schema, "SimpleField", type="string", name=name)
    turned = places.set_geometry(gpd.GeoSeries(in_degrees(places.geometry), index=places.index))
    for kind, group in turned.groupby("kind", sort=False):
        folder = Xml.SubElement(document, "Folder")
        put_text(folder, "name", kind)
        put_text(folder, "visibility", "1")
        for row in group.itertuples():
            _placemark(folder, row)
    Xml.indent(root, "")
    Xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _placemark(folder: Xml.Element, row: Any) -> None:
    place = Xml.SubElement(folder, "Placemark")
    put_text(place, "name", row.name)
    put_text(place, "visibility", "1")
    data = Xml.SubElement(
        Xml.SubElement(place, "ExtendedData"), "SchemaData", schemaUrl=f"#columns-{LAYER}"
    )
    for name in _COLUMNS:
        put_text(Xml.SubElement(data, "SimpleData", name=name), None, getattr(row, name))
    point = Xml.SubElement(place, "Point")
    put_text(point, "coordinates", f"{row.geometry.x!r},{row.geometry.y!r}")
