"""The ONS Postcode Directory: a new item each edition, found by search, one member of its ZIP."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error
from placeshaping.sources.geoportal import check_answer
from placeshaping.sources.network import Connection
from placeshaping.sources.remote_zip import RemoteZip

_TITLE = re.compile(r"^ONS Postcode Directory \((\w{3,9}) (\d{4})\)", re.IGNORECASE)
_MEMBER = re.compile(r"(^|/)Data/(ONSPD_[A-Z]{3}_\d{4}_UK)\.csv$", re.IGNORECASE)
_GUIDES = re.compile(r"guide|centroid|version notes|names and codes", re.IGNORECASE)


@dataclass(frozen=True)
class Edition:
    """
    One edition of the directory.

    Attributes
    ----------
    url
        Address of its ZIP.
    title
        As published.
    """

    url: str
    title: str


def newest_edition(connection: Connection, url: str, query: Mapping[str, str]) -> Edition:
    """
    Find the newest edition.

    Parameters
    ----------
    connection
        The way to the server.
    url
        Address of the sharing service.
    query
        Parameters of its search.

    Returns
    -------
    edition
        The one whose title names the latest month.

    Raises
    ------
    FetchError
        If the search finds none.
    """
    address = f"{url}/search?{urlencode(query)}"
    results = connection.get_json(address, check=check_answer).get("results")
    given = results if isinstance(results, list) else []
    found = [item for item in given if isinstance(item, dict)]
    editions = [(month, item) for item in found if (month := _month(item)) is not None]
    if not editions:
        titles = listed([str(item.get("title")) for item in found]) if found else "nothing"
        msg = (
            f"{urlsplit(url).netloc} finds no edition of the ONS Postcode Directory, but {titles}."
        )
        raise FetchError(msg)
    _, item = max(editions, key=lambda pair: (pair[0], str(pair[1].get("created") or 0)))
    return Edition(f"{url}/content/items/{quote(str(item['id']))}/data", str(item["title"]))


def _month(item: Mapping[str, Any]) -> str | None:
    title = str(item.get("title") or "").strip()
    found = _TITLE.match(title)
    if found is None or not item.get("id") or _GUIDES.search(title):
        return None
    for pattern in ("%B %Y", "%b %Y"):
        try:
            month = datetime.strptime(f"{found[1]} {found[2]}", pattern)  # noqa: DTZ007 - a month
        except ValueError:
            continue
        return month.strftime("%Y-%m")
    return None


def write_directory(archive: RemoteZip, folder: Path) -> Path:
    """
    Write the directory's one table as gzipped CSV.

    Parameters
    ----------
    archive
        The edition's ZIP.
    folder
        Where to.

    Returns
    -------
    path
        The file, its checksum verified against the archive's.

    Raises
    ------
    FetchError
        If the archive has no such table, or it is damaged.
    OutputError
        If it cannot be written.
    """
    found = [(name, m[2]) for name in archive.members if (m := _MEMBER.search(name))]
    if len(found) != 1:
        held = listed([name for name in archive.members if name.casefold().endswith(".csv")])
        msg = f"{archive.place} has no table Data/ONSPD_..._UK.csv; its tables: {held or 'none'}."
        raise FetchError(msg)
    name, stem = found[0]
    path = folder / f"{stem}.csv.gz"
    try:
        with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
            for chunk in archive.chunks(name):
                stream.write(chunk)
    except OSError as error:
        raise output_error(error, path) from error
    return path
