"""Patrol areas as GPX 1.1, for a handheld device: a waypoint a visit, a route a patrol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pandas as pd
import shapely

from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import InputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.layers.items import check_suffix
from placeshaping.layers.views import DECIMALS, about

SUFFIXES = (".gpx",)

NAMESPACE = "http://www.topografix.com/GPX/1/1"

_STOP = re.compile(r"^([A-Z])(\d+)$")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Stop:
    """
    One visit of a patrol.

    Attributes
    ----------
    patrol, visit
        Letter, and place in the order of visits.
    code, name
        Of the cell.
    x, y
        A point inside it, EPSG:27700.
    reasons
        In words: what the labels of the cell say.
    """

    patrol: str
    visit: int
    code: str
    name: str
    x: float
    y: float
    reasons: str


def stops_of(release: Release) -> tuple[Stop, ...]:
    """
    Return the visits of a release of patrol areas, in their order.

    Parameters
    ----------
    release
        Whose areas are named by patrol and visit, and labelled `patrol`.

    Returns
    -------
    stops
        Patrol by patrol.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it has no patrol areas.

    Examples
    --------
    >>> stops_of({})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: stops_of takes a Release, not a dict. ...
    """
    given = require_release(release, wanted_by="stops_of")
    table = given.tables[given.levels[0]]
    if "patrol" not in table.values:
        msg = "The release has no patrol areas: its areas have no label 'patrol'."
        raise InputError(msg)
    view = table.view(period=given.periods[0].label, category=given.categories[0].label)
    words = {
        scheme.name: {one.value: one.label for one in scheme.classes}
        for scheme in given.labels
        if scheme.name != "patrol"
    }
    spans = {scheme.name: scheme.title for scheme in given.labels}
    inside = table.areas.geometry.representative_point()
    found: list[Stop] = []
    for code, name, point in zip(table.areas.index, table.areas["area_name"], inside, strict=True):
        match = _STOP.match(str(name))
        if match is None:
            continue
        row = view.loc[str(code)]
        if pd.isna(row["patrol"]) or row["patrol"] == "not_in_a_patrol":
            continue
        told = [_told(kind, words[kind].get(row[kind]), spans[kind]) for kind in words]
        reasons = "; ".join(one for one in told if one)
        found.append(Stop(match[1], int(match[2]), str(code), str(name), point.x, point.y, reasons))
    return tuple(sorted(found, key=lambda stop: (stop.patrol, stop.visit)))


def _told(kind: str, label: str | None, title: str) -> str:
    """Write a label as a reason: ``"at least ten nearby in the last four weeks"``."""
    if label is None:
        return ""
    span = title.partition(" in ")[2] if kind == "nearby" else ""
    return f"{label[:1].lower()}{label[1:]}{f' in {span}' if span else ''}"


def write_gpx(release: Release, path: str | Path) -> Path:
    """
    Write a release of patrol areas as GPX 1.1.

    A waypoint for each visit, named ``A1``, and a route for each patrol
    through them in their order and back to the first; WGS 84. The keywords of
    the metadata hold what the file says of itself. The same release gives the
    same bytes.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write, ending in .gpx.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it has no patrol areas.
    OutputError
        If the name ends otherwise, or the file cannot be written.

    Examples
    --------
    >>> write_gpx({}, "patrols.gpx")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_gpx takes a Release, not a dict. ...
    """
    given = require_release(release, wanted_by="write_gpx")
    path = check_suffix(path, SUFFIXES)
    stops = stops_of(given)
    creator = str(given.declaration["made_by"])
    root = Xml.Element("gpx", xmlns=NAMESPACE, version="1.1", creator=creator)
    said = Xml.SubElement(root, "metadata")
    _text(said, "name", given.title)
    words = [*given.statement, *given.notes, *(f"Not for use: {one}" for one in given.not_for)]
    _text(said, "desc", " ".join(words))
    _text(said, "keywords", json.dumps(about(given), ensure_ascii=False, sort_keys=True))
    lon, lat = to_degrees([stop.x for stop in stops], [stop.y for stop in stops])
    places = [
        {"lat": f"{y:.{DECIMALS}f}", "lon": f"{x:.{DECIMALS}f}"}
        for x, y in zip(np.asarray(lon), np.asarray(lat), strict=True)
    ]
    for stop, place in zip(stops, places, strict=True):
        _point(root, "wpt", stop, place)
    for letter in sorted({stop.patrol for stop in stops}):
        route = Xml.SubElement(root, "rte")
        _text(route, "name", f"Patrol {letter}")
        own = [pair for pair in zip(stops, places, strict=True) if pair[0].patrol == letter]
        for stop, place in [*own, *own[:1]] if len(own) > 1 else own:
            _point(route, "rtept", stop, place)
    Xml.indent(root, "")
    with staged_file(path) as staged:
        Xml.ElementTree(root).write(staged, encoding="utf-8", xml_declaration=True)
    return path


def _point(parent: Xml.Element, kind: str, stop: Stop, place: dict[str, str]) -> None:
    point = Xml.SubElement(parent, kind, place)
    _text(point, "name", stop.name)
    _text(point, "cmt", stop.code)
    if kind == "wpt":
        _text(point, "desc", stop.reasons)


def _text(parent: Xml.Element, tag: str, value: str) -> None:
    Xml.SubElement(parent, tag).text = _ILLEGAL.sub("", value)


def walk_km(stops: tuple[Stop, ...]) -> float:
    """
    Return the length of a round by straight lines.

    Parameters
    ----------
    stops
        Of one patrol.

    Returns
    -------
    km
        From the first to the last and back.

    Examples
    --------
    >>> round(walk_km(tuple(Stop("A", n, "", "", 250.0 * n, 0.0, "") for n in (1, 2))), 2)
    0.5
    """
    if len(stops) < 2:
        return 0.0
    points = [(stop.x, stop.y) for stop in (*stops, stops[0])]
    return float(shapely.length(shapely.linestrings(points))) / 1000
