"""The styles of a layer, as QGIS 3 reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from xml.etree import ElementTree as Xml

import pandas as pd

from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.public_places import PublicPlaces
from placeshaping.disclosure.tables import COUNT_EDGES
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.maps.classes import class_edges
from placeshaping.maps.palettes import (
    CLUSTERS,
    HIDDEN_FILL,
    HIDDEN_HATCH,
    MISSING_FILL,
    OUTLINE,
    ClusterStyle,
    label_styles,
    sequential,
)

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_VERSION = "3.22.0"
_HIDDEN, _MISSING = -1.0, -2.0
_POINT, _POLYGON = "0", "2"
_MARKS = ("diamond", "square", "triangle", "circle")
_MARK = {
    "color": "255,255,255,255", "outline_color": "11,12,12,255", "outline_style": "solid",
    "outline_width": "0.4", "outline_width_unit": "MM", "size": "3", "size_unit": "MM",
    "scale_method": "diameter", "joinstyle": "miter",
}  # fmt: skip


@dataclass(frozen=True)
class LayerStyle:
    """
    One style of a layer.

    Attributes
    ----------
    layer
        The layer it is for.
    name, description
        As QGIS lists it.
    qml
        The style itself, as an XML document.
    default
        Whether QGIS draws the layer with it.
    """

    layer: str
    name: str
    description: str
    qml: str
    default: bool


def styles_of(
    layer: pd.DataFrame, name: str, *, title: str, labels: Sequence[LabelScheme] = ()
) -> list[LayerStyle]:
    """
    Return the styles of a layer: rates by class, hot spots and further labels where there are some.

    Parameters
    ----------
    layer
        The layer's columns.
    name
        Its name in the file.
    title
        Of the product.
    labels
        Further labels of the areas, as far as the layer has their columns.

    Returns
    -------
    styles
        The first is the default. Where there is no rate, counts are classed;
        where there are no counts, the layer has classes already.

    Examples
    --------
    >>> layer = pd.DataFrame({"status": "shown", "count": [10, 20], "rate": [1.5, 8.0]})
    >>> [style.name for style in styles_of(layer, "lsoa", title="Recorded crime")]
    ['Rate']
    """
    if "count" in layer:
        rated = bool(layer["rate"].notna().any())
        column = "rate" if rated else "count"
        about = "per 1,000 a year" if rated else "number of records"
    else:
        column, about = "class", "class of the number of records"
    found = []
    if column in layer:
        drawn = _graduated(layer, column)
        found = [LayerStyle(name, column.capitalize(), f"{title}: {about}", drawn, default=True)]
    if "cluster" in layer:
        drawn = _categorised("cluster", tuple(CLUSTERS.values()))
        found.append(LayerStyle(name, "Hot spots", f"{title}: Gi*", drawn, default=False))
    for scheme in labels:
        if scheme.name in layer:
            drawn = _categorised(scheme.name, label_styles(scheme))
            about = f"{title}: {scheme.title}"
            alone = not found  # of measures that count no records
            found.append(LayerStyle(name, scheme.title[:30], about, drawn, default=alone))
    if (
        column == "class" and column in layer and len(found) > 1
    ):  # classes of records are not what it was made for
        first, second, *rest = found
        found = [replace(second, default=True), *rest, replace(first, default=False)]
    return found


def places_style(kinds: Sequence[PublicPlaces], name: str, *, title: str) -> LayerStyle:
    """
    Return the style of public places: a mark for each kind, the same as on the page.

    Parameters
    ----------
    kinds
        Of the release, in its order.
    name
        The layer's name in the file.
    title
        Of the product.

    Returns
    -------
    style
        Its default.
    """
    root = _document()
    renderer = Xml.SubElement(
        root,
        "renderer-v2",
        type="categorizedSymbol",
        attr="kind",
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
        referencescale="-1",
    )
    categories = Xml.SubElement(renderer, "categories")
    symbols = Xml.SubElement(renderer, "symbols")
    for place, kind in enumerate(kinds):
        _category(categories, str(place), kind.title, kind.title)
        symbol = _symbol(symbols, str(place), "marker")
        _symbol_layer(symbol, "SimpleMarker", {**_MARK, "name": _MARKS[place % len(_MARKS)]})
    drawn = _finished(root, '"kind"', named="name", geometry=_POINT)
    return LayerStyle(name, "Places", f"{title}: public places", drawn, default=True)


def _graduated(layer: pd.DataFrame, column: str) -> str:
    """
    Class a column.

    QGIS gives a value to the first range that holds it, both ends included:
    the highest stands first, so that a value on an edge is of the class above
    it, as it is on the map.
    """
    values = layer[column].dropna().to_numpy(dtype="float64")
    edges = class_edges(values) if len(values) else (0.0, 1.0)
    labels = [f"{lower:g} to under {upper:g}" for lower, upper in pairwise(edges)]
    if column == "class":
        labels = list(class_labels(COUNT_EDGES, unit="records"))
        edges = tuple(float(one) for one in range(1, len(labels) + 2))
    colours = sequential(len(edges) - 1)
    root = _document()
    renderer = Xml.SubElement(
        root,
        "renderer-v2",
        type="graduatedSymbol",
        attr=f"CASE WHEN \"status\" = 'hidden' THEN {_HIDDEN:g} WHEN \"status\" = 'missing' "
        f'OR "{column}" IS NULL THEN {_MISSING:g} ELSE "{column}" END',
        graduatedMethod="GraduatedColor",
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
        referencescale="-1",
    )
    ranges = Xml.SubElement(renderer, "ranges")
    symbols = Xml.SubElement(renderer, "symbols")
    classes = list(enumerate(pairwise(edges)))
    for place, (lower, upper) in reversed(classes):
        _range(ranges, str(place), lower, upper, labels[place])
    for place, _ in classes:
        _fill(symbols, str(place), colours[place])
    hidden, missing = str(len(classes)), str(len(classes) + 1)
    _range(ranges, hidden, _HIDDEN, _HIDDEN, "Hidden")
    _hatched(symbols, hidden)
    _range(ranges, missing, _MISSING, _MISSING, "No data")
    _fill(symbols, missing, MISSING_FILL)
    Xml.SubElement(renderer, "classificationMethod", id="Custom")
    shown = f"round(\"{column}\", 1) || ' ({column})'"
    return _finished(root, f'CASE WHEN "status" = \'shown\' THEN {shown} ELSE "status" END')


def _range(parent: Xml.Element, symbol: str, lower: float, upper: float, label: str) -> None:
    Xml.SubElement(
        parent,
        "range",
        symbol=symbol,
        lower=f"{lower:.15f}",
        upper=f"{upper:.15f}",
        label=label,
        render="true",
    )


def _categorised(column: str, styles: Sequence[ClusterStyle]) -> str:
    root = _document()
    renderer = Xml.SubElement(
        root,
        "renderer-v2",
        type="categorizedSymbol",
        attr=f"CASE WHEN \"status\" = 'hidden' THEN 'hidden' ELSE \"{column}\" END",
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
        referencescale="-1",
    )
    categories = Xml.SubElement(renderer, "categories")
    symbols = Xml.SubElement(renderer, "symbols")
    found = [(c.value, c.label, c.colour) for c in styles]
    found += [("hidden", "Hidden", HIDDEN_FILL), ("", "Not worked out", MISSING_FILL)]
    for place, (value, label, colour) in enumerate(found):
        _category(categories, str(place), value, label)
        if value == "hidden":
            _hatched(symbols, str(place))
        else:
            _fill(symbols, str(place), colour)
    told = f'CASE WHEN "status" = \'hidden\' THEN "status" ELSE "{column}" END'
    return _finished(root, told)


def _category(parent: Xml.Element, symbol: str, value: str, label: str) -> None:
    Xml.SubElement(
        parent, "category", symbol=symbol, value=value, type="string", label=label, render="true"
    )


def _document() -> Xml.Element:
    return Xml.Element(
        "qgis",
        version=_VERSION,
        styleCategories="LayerConfiguration|Symbology|MapTips",
        hasScaleBasedVisibilityFlag="0",
    )


def _finished(
    root: Xml.Element, value: str, *, named: str = "area_name", geometry: str = _POLYGON
) -> str:
    Xml.SubElement(root, "previewExpression").text = f'"{named}"'
    tip = Xml.SubElement(root, "mapTip", enabled="1")
    tip.text = f'<b>[% "{named}" %]</b><br>[% {value} %]'
    Xml.SubElement(root, "layerGeometryType").text = geometry
    Xml.indent(root, " ")
    return _HEAD + Xml.tostring(root, encoding="unicode")


def _symbol(parent: Xml.Element, name: str, kind: str) -> Xml.Element:
    return Xml.SubElement(
        parent, "symbol", name=name, type=kind, alpha="1", clip_to_extent="1", force_rhr="0"
    )


def _symbol_layer(symbol: Xml.Element, kind: str, properties: Mapping[str, str]) -> Xml.Element:
    """Add a symbol layer; its properties stand twice, for QGIS before and after 3.26."""
    layer = Xml.SubElement(symbol, "layer", {"class": kind}, enabled="1", locked="0")
    layer.set("pass", "0")
    options = Xml.SubElement(layer, "Option", type="Map")
    for key, value in properties.items():
        Xml.SubElement(options, "Option", name=key, type="QString", value=value)
    for key, value in properties.items():
        Xml.SubElement(layer, "prop", k=key, v=value)
    return layer


def _fill(parent: Xml.Element, name: str, colour: str) -> Xml.Element:
    symbol = _symbol(parent, name, "fill")
    _symbol_layer(
        symbol,
        "SimpleFill",
        {
            "color": _rgba(colour),
            "style": "solid",
            "outline_color": _rgba(OUTLINE),
            "outline_style": "solid",
            "outline_width": "0.1",
            "outline_width_unit": "MM",
            "joinstyle": "bevel",
        },
    )
    return symbol


def _hatched(parent: Xml.Element, name: str) -> None:
    """Draw diagonal lines over a ground, so that hidden is not told by colour alone."""
    symbol = _fill(parent, name, HIDDEN_FILL)
    pattern = _symbol_layer(
        symbol,
        "LinePatternFill",
        {
            "angle": "45",
            "distance": "1.5",
            "distance_unit": "MM",
            "line_width": "0.26",
            "line_width_unit": "MM",
            "color": _rgba(HIDDEN_HATCH),
        },
    )
    line = _symbol(pattern, f"@{name}@1", "line")
    _symbol_layer(
        line,
        "SimpleLine",
        {
            "line_color": _rgba(HIDDEN_HATCH),
            "line_style": "solid",
            "line_width": "0.26",
            "line_width_unit": "MM",
            "capstyle": "square",
            "joinstyle": "bevel",
        },
    )


def _rgba(colour: str) -> str:
    parts: Sequence[int] = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return ",".join(str(part) for part in (*parts, 255))
