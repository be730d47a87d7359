"""Round sheets: a page to print, a table, and files for a phone or a satnav."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.crs import to_degrees
from placeshaping._core.output import staged_file, staged_folder
from placeshaping.disclosure.records import Records, require_records
from placeshaping.layers.geojson import write_collection
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable, render_report
from placeshaping.reports.records import write_records

FILES = ("rounds.html", "rounds.gpx", "rounds.geojson", "rounds.xlsx", "rounds.csv")
"""What is written."""

_NAMESPACE = "http://www.topografix.com/GPX/1/1"
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECIMALS = 6


def write_rounds(records: Records, folder: str | Path) -> list[Path]:
    """
    Write rounds as a page, a workbook, CSV, GPX and GeoJSON.

    Parameters
    ----------
    records
        From `release_rounds`.
    folder
        Where to write; other files in it stay.

    Returns
    -------
    paths
        The files that were written.

    Raises
    ------
    DisclosureError
        If `records` are no `Records`.
    OutputError
        If they cannot be written; older ones are then as they were.

    Examples
    --------
    >>> write_rounds({}, "rounds")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_rounds takes Records, not a dict. ...
    """
    records = require_records(records, wanted_by="write_rounds")
    folder = Path(folder)
    with staged_folder(folder) as staged:
        page = render_report(rounds_page(records))
        (staged / "rounds.html").write_text(page, encoding="utf-8", newline="\n")
        _write_gpx(records, staged / "rounds.gpx")
        _write_geojson(records, staged / "rounds.geojson")
        for name in ("rounds.xlsx", "rounds.csv"):
            write_records(records, staged / name)
        names = sorted(path.name for path in staged.iterdir())
    return [folder / name for name in names]


def rounds_page(records: Records) -> ReportContent:
    """
    Put the page together: one sheet a round, to be printed and taken along.

    Parameters
    ----------
    records
        From `release_rounds`.

    Returns
    -------
    content
        For `pages.report.render_report`.
    """
    table = records.table
    until = records.expires
    return ReportContent(
        title=records.title,
        lead=records.paragraph,
        facts=(
            ("Rounds", f"{table['round'].nunique():,}"),
            ("Stops", f"{len(table):,}"),
            *((("Use until", f"{until.day} {until:%B %Y}"),) if until is not None else ()),
        ),
        cautions=records.cautions,
        sections=(
            *(_round(number, part) for number, part in table.groupby("round", sort=True)),
            ReportSection("How it was planned", points=(records.method,)),
            ReportSection("Who may see it", points=records.statement),
            ReportSection("It must not be used", points=records.not_for),
        ),
        footer=(f"Contact: {records.contact}.",) if records.contact else (),
        stamp=records.policy.stamp,
        declaration=records.declaration,
    )


def _round(number: Any, part: pd.DataFrame) -> ReportSection:
    loaded = "load" in part
    heads = ("Order", "Stop", "Arrive", "Begin", "Leave", *(("Load",) if loaded else ()), "Done")
    rows = tuple(
        (
            str(row["order"]), str(row["stop"]), row["arrives"], row["begins"], row["leaves"],
            *((f"{row['load']:g}",) if loaded else ()), "\u2610",
        )
        for row in part.to_dict("records")
    )  # fmt: skip
    caption = f"Round {number}: {len(part):,} stops, times by the clock"
    return ReportSection(f"Round {number}", tables=(ReportTable(caption, heads, rows, words=(1,)),))


def _degrees(table: pd.DataFrame) -> Iterator[dict[str, str]]:
    lon, lat = to_degrees(table["easting"].to_numpy(float), table["northing"].to_numpy(float))
    for x, y in zip(np.asarray(lon), np.asarray(lat), strict=True):
        yield {"lat": f"{y:.{_DECIMALS}f}", "lon": f"{x:.{_DECIMALS}f}"}


def _write_gpx(records: Records, path: Path) -> None:
    """Write a route for each round, and a waypoint for each stop."""
    table = records.table
    root = Xml.Element(
        "gpx", xmlns=_NAMESPACE, version="1.1", creator=str(records.declaration["made_by"])
    )
    said = Xml.SubElement(root, "metadata")
    _text(said, "name", records.title)
    _text(said, "desc", " ".join((*records.statement, *records.not_for)))
    _text(said, "keywords", json.dumps(records.declaration, ensure_ascii=False, sort_keys=True))
    places = list(_degrees(table))
    for row, place in zip(table.to_dict("records"), places, strict=True):
        _text(Xml.SubElement(root, "wpt", place), "name", _named(row))
    for number, part in table.groupby("round", sort=True):
        route = Xml.SubElement(root, "rte")
        _text(route, "name", f"Round {number}")
        for row, place in zip(part.to_dict("records"), _degrees(part), strict=True):
            _text(Xml.SubElement(route, "rtept", place), "name", _named(row))
    Xml.indent(root, "")
    with staged_file(path) as staged:
        Xml.ElementTree(root).write(staged, encoding="utf-8", xml_declaration=True)


def _named(row: dict[Any, Any]) -> str:
    return f"{row['round']}.{row['order']} {row['stop']}"


def _text(parent: Xml.Element, tag: str, value: str) -> None:
    Xml.SubElement(parent, tag).text = _ILLEGAL.sub("", value)


def _write_geojson(records: Records, path: Path) -> None:
    table = records.table
    points = gpd.points_from_xy(table["easting"], table["northing"])
    texts = {name: table[name].astype(object) for name in ("stop", "arrives", "begins", "leaves")}
    layer = gpd.GeoDataFrame(table.assign(**texts), geometry=points, crs=27700)
    write_collection(layer, path, name="rounds", said=dict(records.declaration))
