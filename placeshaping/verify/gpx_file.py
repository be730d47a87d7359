"""Read GPX: its waypoints as a table, and whether anything else in it says more."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from placeshaping.verify._xml import open_xml, tag_of, words_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.loose_numbers import note_pairs

_ATTRIBUTES: dict[str, set[str]] = {
    "gpx": {"version", "creator"}, "metadata": set(), "name": set(), "desc": set(),
    "keywords": set(), "wpt": {"lat", "lon"}, "rte": set(), "rtept": {"lat", "lon"}, "cmt": set(),
}  # fmt: skip
"""Element -> the attributes that it may have; other elements are not on the list."""

_DEGREES = re.compile(r"-?\d{1,3}\.\d{1,6}")
_NUMBER = re.compile(r"\d")


def read_gpx(path: Path) -> Contents:
    """
    Read GPX.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        A table of its waypoints. Elements that are not needed, and numbers
        among the reasons of a waypoint, are breaches.

    Raises
    ------
    UnreadableError
        If it is not GPX, or defines entities.
    """
    root, contents = open_xml(path, "gpx")
    for element in root.iter():
        _element(element, contents)
    _declaration(root, contents)
    _waypoints(root, contents)
    return contents


def _element(element: ElementTree.Element, contents: Contents) -> None:
    tag = tag_of(element)
    if tag not in _ATTRIBUTES:
        contents.breach(f"<{tag}>", "is not on the list")
        return
    if odd := set(element.attrib) - _ATTRIBUTES[tag]:
        contents.breach(f"<{tag}>", "has attributes that are not on the list", str(sorted(odd)))
    for name in ("lat", "lon"):
        given = element.get(name)
        if given is not None and not _DEGREES.fullmatch(given):
            contents.breach(f"<{tag}>", "is at no place", given[:40])


def _declaration(root: ElementTree.Element, contents: Contents) -> None:
    said = next((child for child in root if tag_of(child) == "metadata"), None)
    if said is None:
        return
    words = f"{words_of(said, 'name')}\n{words_of(said, 'desc')}"
    note_pairs("words", words, contents)
    try:
        declared = json.loads(words_of(said, "keywords") or "null")
    except ValueError:
        contents.breach("<keywords>", "is no declaration")
        return
    if isinstance(declared, dict) and "policy" in declared:
        contents.declaration = declared
        contents.note_views(declared.get("periods"), declared.get("categories"))


def _waypoints(root: ElementTree.Element, contents: Contents) -> None:
    rows = []
    for point in (child for child in root if tag_of(child) == "wpt"):
        rows.append({"area_code": words_of(point, "cmt"), "area_name": words_of(point, "name")})
        reasons = words_of(point, "desc")
        if _NUMBER.search(reasons):
            contents.breach("<desc>", "tells a number of a waypoint", reasons[:60])
    if rows:
        contents.tables.append(Table("waypoints", pd.DataFrame(rows)))
