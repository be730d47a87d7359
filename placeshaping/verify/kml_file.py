"""Read KML: what its areas hold, and whether anything else in it says more."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from placeshaping.verify._xml import find, open_xml, tag_of, words_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.places import LAYER as PLACES
from placeshaping.verify.places import take_places
from placeshaping.verify.rules import read_declaration

_ATTRIBUTES: dict[str, set[str]] = {
    "kml": set(), "Document": set(), "Folder": set(), "Placemark": set(), "name": set(),
    "open": set(), "visibility": set(), "description": set(), "styleUrl": set(),
    "Style": {"id"}, "ListStyle": set(), "listItemType": set(), "LineStyle": set(),
    "PolyStyle": set(), "BalloonStyle": set(), "color": set(), "width": set(), "fill": set(),
    "text": set(), "ExtendedData": set(), "Data": {"name"}, "value": set(),
    "Schema": {"name", "id"}, "SimpleField": {"type", "name"}, "SchemaData": {"schemaUrl"},
    "SimpleData": {"name"}, "MultiGeometry": set(), "Polygon": set(),
    "outerBoundaryIs": set(), "innerBoundaryIs": set(), "LinearRing": set(),
    "coordinates": set(), "Point": set(),
}  # fmt: skip
"""Element -> the attributes that it may have; other elements are not on the list."""

_LEAVES = {
    "name", "open", "visibility", "description", "styleUrl", "listItemType", "color", "width",
    "fill", "text", "value", "SimpleData", "coordinates",
}  # fmt: skip
_SETTINGS = {
    "open": r"[01]", "visibility": r"[01]", "listItemType": r"radioFolder|check", "fill": r"[01]",
    "color": r"[0-9a-f]{8}", "width": r"[0-9.]{1,4}", "text": r"\$\[description\]",
    "styleUrl": r"#[\w-]{1,40}",
}  # fmt: skip
_MARKUP = re.compile(
    r"<(?!/?(?:p|h3|table|tr|td)>|td bgcolor=\"#[0-9a-f]{6}\">)[^>]*>?", re.IGNORECASE
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_CLASS = re.compile(r"([\d.]+) to under ([\d.]+) ")
_PAIR = r"-?\d+(?:\.\d+)?(?:e-\d+)?,-?\d+(?:\.\d+)?(?:e-\d+)?"
_COORDINATES = re.compile(rf"{_PAIR}(?:\s+{_PAIR})*")
_LABELS = re.compile(r"per 1,000 a year|95 % interval|\(1 = most\)")
"""Words of a balloon that hold numbers of their own."""
_MARKS = ("hidden", "missing")
_OF_PLACES = {
    "Placemark", "name", "visibility", "ExtendedData", "SchemaData", "SimpleData", "Point",
    "coordinates",
}  # fmt: skip


def read_kml(path: Path) -> Contents:
    """
    Read KML.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        A table for each schema, of what the placemarks' data hold. What a
        balloon tells and the data do not, elements and markup that are not
        needed, and styles that tell a hidden area's class are breaches.

    Raises
    ------
    UnreadableError
        If it is not KML, or defines entities.
    """
    root, contents = open_xml(path, "kml")
    _elements(root, contents)
    _document(root, contents)
    _placemarks(root, contents)
    return contents


def _elements(root: ElementTree.Element, contents: Contents) -> None:
    """Look for elements, attributes, texts and settings that are not needed."""
    said = set()
    for element in root.iter():
        tag = tag_of(element)
        text = (element.text or "").strip()
        if tag not in _ATTRIBUTES:
            said.add((f"<{tag}>", "is not on the list", ""))
        elif odd := set(element.attrib) - _ATTRIBUTES[tag]:
            said.add((f"<{tag}>", "has attributes that are not on the list", str(sorted(odd))))
        if (text and tag not in _LEAVES) or (element.tail or "").strip():
            said.add((f"<{tag}>", "has a text that is out of sight", (text or "after it")[:60]))
        if tag in _SETTINGS and not re.fullmatch(_SETTINGS[tag], text):
            said.add((f"<{tag}>", "is set to what it cannot be", text[:60]))
        if tag == "coordinates" and not _COORDINATES.fullmatch(text):
            said.add((f"<{tag}>", "holds more than longitude and latitude", text[:60]))
    for where, what, proof in sorted(said):
        contents.breach(where, what, proof)


def _document(root: ElementTree.Element, contents: Contents) -> None:
    """Read the declaration, and the words of the document and its folders."""
    items: dict[str, str] = {}
    words = []
    for data in find(root, "Document", "ExtendedData", "Data"):
        value = words_of(data, "value")
        items.setdefault(str(data.get("name")), value)
        words.append(value)
    for part in [*find(root, "Document"), *find(root, "Document", "Folder")]:
        words += [words_of(part, "name"), _markup(words_of(part, "description"), contents)]
    text = "\n".join(words)
    note_pairs("words", text, contents)
    run = number_run(text)
    if run:
        contents.breach("words", "holds a list of numbers", run[:80])
    declared = read_declaration(items)
    if "policy" in declared:
        contents.declaration = declared
        contents.note_views(declared.get("periods"), declared.get("categories"))


def _markup(html: str, contents: Contents) -> str:
    """Return the words of a balloon; markup that could fetch or run something is a breach."""
    odd = _MARKUP.search(html)
    if odd:
        contents.breach("<description>", "holds markup that is not on the list", odd.group(0)[:60])
    return unescape(re.sub(r"<[^>]*>", " ", html))


def _placemarks(root: ElementTree.Element, contents: Contents) -> None:
    rows: dict[str, list[dict[str, str]]] = {}
    shapes: dict[str, set[str]] = {}
    styles: dict[bool, set[str]] = {True: set(), False: set()}
    taken = _public_places(root, contents)
    for folder in find(root, "Document", "Folder"):
        for place in find(folder, "Placemark"):
            schema, row = _row(place)
            if taken and "Point" in _shapes(place):
                continue
            _said(place, row, contents)
            rows.setdefault(schema, []).append(row)
            shapes.setdefault(schema, set()).update(_shapes(place))
            styles[row.get("status") in _MARKS].add(words_of(place, "styleUrl"))
        edges = [float(low) for low, _ in _CLASS.findall(words_of(folder, "description"))]
        contents.legends[words_of(folder, "name")] = edges[1:]
    for schema, found in rows.items():
        frame = pd.DataFrame(found).astype(object)
        frame = frame.where(frame.notna(), None)
        contents.tables.append(Table(schema, frame, ", ".join(sorted(shapes[schema]))))
    both = styles[True] & styles[False]
    if both:
        what = "draws hidden areas like shown ones, which tells their class"
        contents.breach("<styleUrl>", what, ", ".join(sorted(both)))
    if len(styles[True]) > len(_MARKS):
        contents.breach("<styleUrl>", "draws hidden areas in several ways", str(styles[True])[:80])


def _public_places(root: ElementTree.Element, contents: Contents) -> bool:
    """Tell whether all points are the public places that the file declares; faults are breaches."""
    places = [
        (words_of(folder, "name"), place)
        for folder in find(root, "Document", "Folder")
        for place in find(folder, "Placemark")
        if "Point" in _shapes(place)
    ]
    drawn = sum(tag_of(element) == "Point" for element in root.iter())
    declared = "places" in (contents.declaration or {})
    if drawn and (not declared or drawn != len(places)):
        contents.breach("<Point>", "is not on the list", f"{drawn:,} points")
    if not places or not declared:
        return False
    rows, points = [], []
    for folder, place in places:
        _, row = _row(place)
        if {tag_of(one) for one in place.iter()} - _OF_PLACES or folder != row.get("kind"):
            contents.breach("<Placemark>", "tells more of a place than its name", folder[:60])
        if words_of(place, "name") != row.get("name"):
            contents.breach("<name>", "names a place otherwise than its data", folder[:60])
        rows.append(row)
        found = [words.text or "" for words in find(place, "Point", "coordinates")]
        points.append(tuple(found[0].split(",")) if len(found) == 1 else None)
    return take_places(pd.DataFrame(rows), points, contents, where=PLACES)


def _row(place: ElementTree.Element) -> tuple[str, dict[str, str]]:
    for data in find(place, "ExtendedData", "SchemaData"):
        schema = str(data.get("schemaUrl")).removeprefix("#").removeprefix("columns-")
        return schema, {str(item.get("name")): item.text or "" for item in data}
    items = find(place, "ExtendedData", "Data")
    return "features", {str(item.get("name")): words_of(item, "value") for item in items}


def _shapes(place: ElementTree.Element) -> set[str]:
    tags = {tag_of(element) for element in place.iter()}
    return tags & {"Polygon", "Point", "LineString", "MultiTrack", "Track", "Model"}


def _said(place: ElementTree.Element, row: dict[str, str], contents: Contents) -> None:
    """Compare what an area's name and balloon tell with its data."""
    name = words_of(place, "name")
    if name not in (row.get("area_name"), row.get("area_code")):
        contents.breach("<name>", "names an area otherwise than its data", name[:60])
    told = _markup(words_of(place, "description"), contents)
    words = {value for value in row.values() if value and not _NUMBER.fullmatch(value)}
    for text in sorted(words, key=len, reverse=True):
        told = told.replace(text, " ")
    known = {float(value) for value in row.values() if _NUMBER.fullmatch(value)}
    for number in _NUMBER.findall(_LABELS.sub(" ", told)):
        if float(number.replace(",", "")) not in known:
            contents.breach("<description>", "tells a number that its data do not hold", number)
