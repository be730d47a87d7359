"""Read KML: what its areas hold, and whether anything else in it says more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import note_pairs, number_run
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
    "coordinates": set(),
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
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if re.search(r"<!DOCTYPE|<!ENTITY", text, re.IGNORECASE):
        msg = "it defines entities, which KML does not need"
        raise UnreadableError(msg)
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - without entities
    except ElementTree.ParseError as error:
        raise UnreadableError(str(error)) from error
    contents = Contents("kml")
    contents.texts["text"] = text
    if re.search(r"<!--|<\?(?!xml )", text):
        contents.breach("file", "holds a comment or an instruction")
    _elements(root, contents)
    _document(root, contents)
    _placemarks(root, contents)
    return contents


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _find(element: ElementTree.Element, *names: str) -> Iterator[ElementTree.Element]:
    """Yield the elements down a path of names, whatever namespace they are of."""
    if not names:
        yield element
        return
    for child in element:
        if _tag(child) == names[0]:
            yield from _find(child, *names[1:])


def _words(element: ElementTree.Element, name: str) -> str:
    return next((child.text or "" for child in _find(element, name)), "")


def _elements(root: ElementTree.Element, contents: Contents) -> None:
    """Look for elements, attributes, texts and settings that are not needed."""
    said = set()
    for element in root.iter():
        tag = _tag(element)
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
    for data in _find(root, "Document", "ExtendedData", "Data"):
        value = _words(data, "value")
        items.setdefault(str(data.get("name")), value)
        words.append(value)
    for part in [*_find(root, "Document"), *_find(root, "Document", "Folder")]:
        words += [_words(part, "name"), _markup(_words(part, "description"), contents)]
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
    for folder in _find(root, "Document", "Folder"):
        for place in _find(folder, "Placemark"):
            schema, row = _row(place)
            _said(place, row, contents)
            rows.setdefault(schema, []).append(row)
            shapes.setdefault(schema, set()).update(_shapes(place))
            styles[row.get("status") in _MARKS].add(_words(place, "styleUrl"))
        edges = [float(low) for low, _ in _CLASS.findall(_words(folder, "description"))]
        contents.legends[_words(folder, "name")] = edges[1:]
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


def _row(place: ElementTree.Element) -> tuple[str, dict[str, str]]:
    for data in _find(place, "ExtendedData", "SchemaData"):
        schema = str(data.get("schemaUrl")).removeprefix("#").removeprefix("columns-")
        return schema, {str(item.get("name")): item.text or "" for item in data}
    items = _find(place, "ExtendedData", "Data")
    return "features", {str(item.get("name")): _words(item, "value") for item in items}


def _shapes(place: ElementTree.Element) -> set[str]:
    tags = {_tag(element) for element in place.iter()}
    return tags & {"Polygon", "Point", "LineString", "MultiTrack", "Track", "Model"}


def _said(place: ElementTree.Element, row: dict[str, str], contents: Contents) -> None:
    """Compare what an area's name and balloon tell with its data."""
    name = _words(place, "name")
    if name not in (row.get("area_name"), row.get("area_code")):
        contents.breach("<name>", "names an area otherwise than its data", name[:60])
    told = _markup(_words(place, "description"), contents)
    words = {value for value in row.values() if value and not _NUMBER.fullmatch(value)}
    for text in sorted(words, key=len, reverse=True):
        told = told.replace(text, " ")
    known = {float(value) for value in row.values() if _NUMBER.fullmatch(value)}
    for number in _NUMBER.findall(_LABELS.sub(" ", told)):
        if float(number.replace(",", "")) not in known:
            contents.breach("<description>", "tells a number that its data do not hold", number)
