"""The configuration of a server of OGC API Features, and how it is started."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LICENCES = {
    "OGL": (
        "Open Government Licence v3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    )
}
"""Licences that go by a short name."""

NOT_STATED = "Not stated"
MOST = 10_000
"""Features that one answer may hold."""

_CRS = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_TILES = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
_CREDIT = '&copy; <a href="https://openstreetmap.org/copyright">OpenStreetMap contributors</a>'

Notes = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Collection:
    """
    One collection of a site.

    Attributes
    ----------
    name
        By which it is asked for; its file is of the same name.
    title
        In words.
    features
        How many it holds.
    box
        West, south, east, north, in degrees.
    spatial
        Whether its features have shapes.
    """

    name: str
    title: str
    features: int
    box: tuple[float, ...]
    spatial: bool


def config_text(
    collections: Sequence[Collection],
    notes: Notes,
    *,
    url: str,
    licence: str | None,
    provider: str | None,
) -> str:
    """
    Return a configuration for pygeoapi, as YAML.

    Parameters
    ----------
    collections
        What is served.
    notes
        What the layers say of themselves.
    url
        Address of the server as its readers see it.
    licence
        One of `LICENCES`, or a name or address.
    provider
        Who publishes.

    Examples
    --------
    >>> notes = [("title", "Crime"), ("periods", '[{"first": "2024-01", "last": "2025-12"}]')]
    >>> one = Collection("lsoa", "By LSOA", 64, (-1.2, 52.5, -1.0, 52.7), spatial=True)
    >>> text = config_text([one], notes, url="http://127.0.0.1:80", licence="OGL", provider=None)
    >>> [line.strip() for line in text.splitlines() if "lsoa.geojson" in line]
    ['data: lsoa.geojson']
    """
    contact = _first(notes, "contact") or NOT_STATED
    terms = dict(_licence(licence, url))
    lines = [
        "# Written by placeshaping publish. Start the server from this folder: see README.txt.",
        *_server(url),
        "logging:",
        "  level: ERROR",
        "metadata:",
        "  identification:",
        f"    title: {_text(_first(notes, 'title'))}",
        f"    description: {_text(_about(notes))}",
        f"    keywords: {json.dumps(['statistics', 'areas'])}",
        "    keywords_type: theme",
        f"    terms_of_service: {_text(terms['url'])}",
        f"    url: {_text(url)}",
        "  license:",
        *(f"    {key}: {_text(value)}" for key, value in terms.items()),
        "  provider:",
        f"    name: {_text(provider or contact)}",
        "  contact:",
        f"    name: {_text(contact)}",
    ]
    if re.fullmatch(r"[^\s@]+@[^\s@]+", contact):
        lines.append(f"    email: {_text(contact)}")
    lines.append("resources:")
    for collection in collections:
        lines += _resource(collection, notes)
    return "\n".join(lines) + "\n"


def _server(url: str) -> list[str]:
    port = re.search(r"^http://(?:127\.0\.0\.1|localhost):(\d+)", url)
    return [
        "server:",
        "  bind:",
        "    host: 127.0.0.1  # this machine alone; for others put a web server before it",
        f"    port: {port.group(1) if port else 5000}",
        f"  url: {_text(url)}",
        "  mimetype: application/json; charset=UTF-8",
        "  encoding: utf-8",
        "  gzip: true",
        "  languages: [en-GB]",
        "  pretty_print: false",
        "  admin: false",
        "  limits:",
        "    default_items: 1000",
        f"    max_items: {MOST}",
        "  map:  # tiles that a reader's browser asks for when it opens the server's own pages",
        f"    url: {_text(_TILES)}",
        f"    attribution: {_text(_CREDIT)}",
    ]


def _licence(licence: str | None, url: str) -> Iterator[tuple[str, str]]:
    """Yield name and address, without which pygeoapi writes no description; else the server's."""
    name, address = LICENCES.get((licence or "").upper(), (licence or NOT_STATED, None))
    yield "name", name
    yield "url", address or (name if name.startswith(("https://", "http://")) else url)


def _resource(collection: Collection, notes: Notes) -> list[str]:
    periods = json.loads(str(_first(notes, "periods")))
    year, month = (int(part) for part in periods[0]["last"].split("-"))
    lines = [
        f"  {collection.name}:",
        "    type: collection",
        f"    title: {_text(collection.title)}",
        f"    description: {_text(_about(notes))}",
        f"    keywords: {json.dumps(['statistics', collection.name])}",
        "    extents:",
        "      spatial:",
        f"        bbox: {json.dumps(list(collection.box))}",
        f"        crs: {_CRS}",
        "      temporal:",
        f"        begin: {periods[0]['first']}-01T00:00:00Z",
        f"        end: {_last_day(year, month)}T23:59:59Z",
        "    providers:",
        "      - type: feature",
        "        name: GeoJSON",
        f"        data: {collection.name}.geojson",
        f"        id_field: {'area_code' if collection.spatial else 'id'}",
    ]
    if collection.spatial:
        lines.append("        title_field: area_name")
    return lines


def _last_day(year: int, month: int) -> str:
    return f"{year:04}-{month:02}-{calendar.monthrange(year, month)[1]:02}"


def _about(notes: Notes) -> str:
    """Say what was hidden and why, what to mind, what it is not for, and until when."""
    told = [str(value) for key, value in notes if key in ("stamp", "purpose", "statement", "mind")]
    told += [f"Not for use: {value}" for key, value in notes if key == "not for"]
    told.append("A hidden or missing number is null, which the field status tells.")
    expires = _first(notes, "expires")
    if expires:
        told.append(f"Not to be used after {expires}: stop serving it then.")
    return " ".join(told)


def readme_text(collections: Sequence[Collection], notes: Notes, *, config: str) -> str:
    """
    Return how the folder is served, in words.

    Parameters
    ----------
    collections
        What is served.
    notes
        What the layers say of themselves.
    config
        Name of the configuration.

    Examples
    --------
    >>> readme_text([], [("title", "Crime in Marsh")], config="a.yml").splitlines()[0]
    'Crime in Marsh'
    """
    listed = "\n".join(f"  {one.name}: {one.title}" for one in collections)
    return f"""{_first(notes, "title")}

This folder is served by pygeoapi (https://pygeoapi.io) as it stands, from here:

  pip install pygeoapi

On Linux and macOS:

  export PYGEOAPI_CONFIG={config} PYGEOAPI_OPENAPI=openapi.yml
  pygeoapi openapi generate {config} --output-file openapi.yml
  pygeoapi serve

On Windows, in PowerShell:

  $env:PYGEOAPI_CONFIG = "{config}"; $env:PYGEOAPI_OPENAPI = "openapi.yml"
  pygeoapi openapi generate {config} --output-file openapi.yml
  pygeoapi serve

QGIS: Layer, Add Layer, WFS / OGC API - Features. GDAL: OAPIF:<address of the server>.

Collections:
{listed}

{_about(notes)}
"""


def _first(notes: Notes, key: str) -> str:
    return next((str(value) for name, value in notes if name == key), "")


def _text(value: str) -> str:
    """Return a text for YAML, in which pygeoapi would put variables of the system for ${...}."""
    return json.dumps(value.replace("${", "$ {"), ensure_ascii=False)
