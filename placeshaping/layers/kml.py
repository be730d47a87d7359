"""A release as KML, for Google Earth and what else opens it: a folder a level, coloured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from placeshaping._core.output import staged_file
from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.tables import COUNT_EDGES
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.layers.items import check_suffix
from placeshaping.layers.notes import notes_of
from placeshaping.layers.views import in_degrees, layer_of
from placeshaping.maps.classes import assign_class, class_edges
from placeshaping.maps.palettes import (
    CLUSTERS,
    HIDDEN_FILL,
    NONE_FILL,
    OUTLINE,
    label_styles,
    sequential,
)

SUFFIXES = (".kml",)

NAMESPACE = "http://www.opengis.net/kml/2.2"

_OPACITY, _HIDDEN_OPACITY, _FAINT = "b3", "e6", "33"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TYPES = {"i": "int", "f": "double"}
_SHOWN = {
    "count": "Records", "rate": "Rate per 1,000 a year", "class": "Class of the number of records",
    "rank": "Rank", "cluster": "Hot spots", "imd_decile": "Tenth of deprivation (1 = most)",
}  # fmt: skip
_UNITS = {"rate": "per 1,000 a year", "count": "records"}


def write_kml(
    release: Release,
    path: str | Path,
    *,
    period: str | None = None,
    category: str | None = None,
) -> Path:
    """
    Write a release as KML 2.2.

    A folder for each level, finest first; one of them is seen at a time. Areas
    are coloured by class as on the map, hidden ones are grey with a dark
    outline, and a balloon tells the numbers. The document's `ExtendedData`
    hold what the file says of itself. The same release gives the same bytes.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .kml.
    period, category
        Labels of what is shown; by default the view that opens first.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If the release has no such period or category.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_kml({}, "areas.kml")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_kml takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_kml")
    path = check_suffix(path, SUFFIXES)
    layers = {
        level: layer_of(release, level=level, period=period, category=category)
        for level in release.levels
    }
    root = Xml.Element("kml", xmlns=NAMESPACE)
    document = _document(root, release, next(iter(layers.values())))
    for level, layer in layers.items():
        _schema(document, level, layer)
    for level, layer in layers.items():
        label = release.tables[level].label
        first = level == release.levels[0]
        _folder(document, level, label, layer, open_first=first, labels=release.labels)
    Xml.indent(root, "")
    with staged_file(path) as staged:
        Xml.ElementTree(root).write(staged, encoding="utf-8", xml_declaration=True)
    return path


def _document(root: Xml.Element, release: Release, layer: pd.DataFrame) -> Xml.Element:
    """Begin a document: title, words, styles that all levels share, and the declaration."""
    document = Xml.SubElement(root, "Document")
    shown = f"{layer['category'].iloc[0]}, {layer['period'].iloc[0]}"
    put_text(document, "name", release.title)
    put_text(document, "open", "1")
    stamp = [release.policy.stamp] if release.policy.stamp else []
    words = [*stamp, f"{release.subject}: {shown}.", *release.statement, *release.cautions]
    words += [f"Not for use: {sentence}" for sentence in release.not_for]
    put_text(document, "description", "".join(f"<p>{_safe(sentence)}</p>" for sentence in words))
    put_text(document, "styleUrl", "#levels")
    style = Xml.SubElement(document, "Style", id="levels")
    put_text(Xml.SubElement(style, "ListStyle"), "listItemType", "radioFolder")
    _style(document, "none", NONE_FILL, _OPACITY)
    _style(document, "hidden", HIDDEN_FILL, _HIDDEN_OPACITY, width="2")
    _style(document, "missing", None, "00")
    for classes in range(1, 6):
        for place, colour in enumerate(sequential(classes), start=1):
            _style(document, f"class-{place}-of-{classes}", colour, _OPACITY)
    if "count" not in layer and release.labels:
        for one in label_styles(release.labels[0]):
            opacity = _OPACITY if one.strong or one.mark.isalnum() else _FAINT
            _style(document, f"label-{one.value}", one.colour, opacity)
    said = Xml.SubElement(document, "ExtendedData")
    for key, value in notes_of(release):
        put_text(Xml.SubElement(said, "Data", name=key), "value", value)
    return document


def _style(
    document: Xml.Element, name: str, fill: str | None, opacity: str, *, width: str = "1"
) -> None:
    style = Xml.SubElement(document, "Style", id=name)
    line = Xml.SubElement(style, "LineStyle")
    put_text(line, "color", _colour(OUTLINE, "ff"))
    put_text(line, "width", width)
    area = Xml.SubElement(style, "PolyStyle")
    put_text(area, "color", _colour(fill or NONE_FILL, opacity))
    if fill is None:
        put_text(area, "fill", "0")
    put_text(Xml.SubElement(style, "BalloonStyle"), "text", "$[description]")


def _colour(colour: str, opacity: str) -> str:
    """Return a colour as KML writes it: opacity, blue, green, red."""
    return opacity + colour[5:7] + colour[3:5] + colour[1:3]


def _schema(document: Xml.Element, level: str, layer: pd.DataFrame) -> None:
    schema = Xml.SubElement(document, "Schema", name=level, id=f"columns-{level}")
    for name in _columns(layer):
        kind = _TYPES.get(getattr(layer[name].dtype, "kind", "O"), "string")
        Xml.SubElement(schema, "SimpleField", type=kind, name=name)


def _columns(layer: pd.DataFrame) -> list[str]:
    return [str(name) for name in layer.columns if name != "geometry"]


def _folder(
    document: Xml.Element,
    level: str,
    label: str,
    layer: gpd.GeoDataFrame,
    *,
    open_first: bool,
    labels: Sequence[LabelScheme],
) -> None:
    """Write the areas of a level; only the first is seen when the file is opened."""
    folder = Xml.SubElement(document, "Folder")
    scheme = labels[0] if "count" not in layer and labels and labels[0].name in layer else None
    column = _drawn(layer)
    edges = _edges(layer, column)
    seen = "1" if open_first else "0"
    put_text(folder, "name", label)
    put_text(folder, "visibility", seen)
    put_text(folder, "description", _label_key(scheme) if scheme else _key(column, edges))
    styles = _label_styles(layer, scheme) if scheme else _styles(layer, column, edges)
    names = _columns(layer)
    shapes = in_degrees(layer.geometry)
    columns = [layer[name].tolist() for name in names]
    for row, style, shape in zip(zip(*columns, strict=True), styles, shapes, strict=True):
        values = {name: value for name, value in zip(names, row, strict=True) if _known(value)}
        place = Xml.SubElement(folder, "Placemark")
        put_text(place, "name", values.get("area_name", values["area_code"]))
        put_text(place, "visibility", seen)
        put_text(place, "description", _balloon(values, labels))
        put_text(place, "styleUrl", f"#{style}")
        data = Xml.SubElement(
            Xml.SubElement(place, "ExtendedData"), "SchemaData", schemaUrl=f"#columns-{level}"
        )
        for name, value in values.items():
            put_text(Xml.SubElement(data, "SimpleData", name=name), None, value)
        _polygons(place, shape)


def _drawn(layer: pd.DataFrame) -> str:
    """Return the column that colours the areas, as in the GeoPackage."""
    if "count" not in layer:
        return "class"
    return "rate" if layer["rate"].notna().any() else "count"


def _edges(layer: pd.DataFrame, column: str) -> tuple[float, ...]:
    """Choose the classes from what lies above zero, as on the map; none where nothing does."""
    if column == "class":
        return tuple(float(n) for n in range(1, len(COUNT_EDGES) + 3))
    values = layer[column].to_numpy(dtype=float, na_value=np.nan)
    above = values[values > 0]
    return class_edges(above) if len(above) else (0.0, 1.0)


def _styles(layer: pd.DataFrame, column: str, edges: Sequence[float]) -> list[str]:
    values = layer[column].to_numpy(dtype=float, na_value=np.nan)
    names = []
    for status, value, place in zip(
        layer["status"], values, assign_class(values, edges), strict=True
    ):
        if status == "hidden":
            names.append("hidden")
        elif np.isnan(value):
            names.append("missing")
        elif value == 0:
            names.append("none")
        else:
            names.append(f"class-{place + 1}-of-{len(edges) - 1}")
    return names


def _key(column: str, edges: Sequence[float]) -> str:
    """Tell what the colours mean, in a table of HTML."""
    if column == "class":
        labels: Sequence[str] = class_labels(COUNT_EDGES, unit="records")
    else:
        unit = _UNITS[column]
        labels = [f"{low:g} to under {high:g} {unit}" for low, high in pairwise(edges)]
    rows = list(zip(sequential(len(labels)), labels, strict=True))
    if column != "class":
        rows.insert(0, (NONE_FILL, "none recorded"))
    rows.append((HIDDEN_FILL, "hidden (dark outline)"))
    return _key_table(rows)


def _key_table(rows: Sequence[tuple[str, str]]) -> str:
    told = "".join(
        f'<tr><td bgcolor="{colour}">&nbsp;&nbsp;&nbsp;</td><td>{_safe(label)}</td></tr>'
        for colour, label in rows
    )
    return f"<table>{told}</table><p>No fill: no data.</p>"


def _label_styles(layer: pd.DataFrame, scheme: LabelScheme) -> list[str]:
    """Name the style of each area by its label, where a policy shows no counts."""
    return [
        "hidden"
        if status == "hidden"
        else f"label-{value}"
        if isinstance(value, str) and value
        else "missing"
        for status, value in zip(layer["status"], layer[scheme.name], strict=True)
    ]


def _label_key(scheme: LabelScheme) -> str:
    """Tell what the colours mean, in a table of HTML."""
    rows = [(style.colour, style.label) for style in label_styles(scheme)]
    return _key_table([*rows, (HIDDEN_FILL, "hidden (dark outline)")])


def _balloon(values: dict[str, Any], labels: Sequence[LabelScheme]) -> str:
    """Tell an area's numbers, in HTML; only numbers that stand in its data as well."""
    title = _safe(values.get("area_name", values["area_code"]))
    rows = [("", f"{values['category']}, {values['period']}")]
    if values["status"] != "shown":
        rows.append(("", values["status"]))
    rows += [(label, _told(n, values[n])) for n, label in _SHOWN.items() if n in values]
    rows += [
        (scheme.title, one.label)
        for scheme in labels
        for one in scheme.classes
        if one.value == values.get(scheme.name)
    ]
    if "lower" in values and "upper" in values:
        rows.append(("95 % interval", f"{values['lower']} to {values['upper']}"))
    told = "".join(f"<tr><td>{_safe(a)}</td><td>{_safe(b)}</td></tr>" for a, b in rows)
    return f"<h3>{title}</h3><table>{told}</table>"


def _polygons(place: Xml.Element, shape: Any) -> None:
    parts = shapely.get_parts(shape)
    parent = place if len(parts) == 1 else Xml.SubElement(place, "MultiGeometry")
    for part in parts:
        polygon = Xml.SubElement(parent, "Polygon")
        _ring(Xml.SubElement(polygon, "outerBoundaryIs"), part.exterior)
        for hole in part.interiors:
            _ring(Xml.SubElement(polygon, "innerBoundaryIs"), hole)


def _ring(parent: Xml.Element, ring: Any) -> None:
    points = shapely.get_coordinates(ring).tolist()
    line = " ".join([f"{x!r},{y!r}" for x, y in points])
    put_text(Xml.SubElement(parent, "LinearRing"), "coordinates", line)


def put_text(parent: Xml.Element, tag: str | None, value: object) -> None:
    """Put a text into an element, or into a new one in it; what XML cannot hold is left out."""
    element = parent if tag is None else Xml.SubElement(parent, tag)
    element.text = _ILLEGAL.sub("", str(value))


def _safe(value: object) -> str:
    """Escape a text for the HTML of a balloon, where $[...] would be replaced."""
    return escape(str(value)).replace("$[", "&#36;[")


def _told(name: str, value: Any) -> str:
    if name == "cluster" and value in CLUSTERS:
        return CLUSTERS[value].label
    return str(value)


def _known(value: object) -> bool:
    return value is not None and value is not pd.NA and value == value
