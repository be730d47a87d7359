"""How each kind of source is fetched: from its address into a checked file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError
from placeshaping.sources.archives import open_archive
from placeshaping.sources.area_collector import collect_areas
from placeshaping.sources.catalogue import shipped_entry
from placeshaping.sources.content import check_content
from placeshaping.sources.downloads import Served, WholeOnlyError, download
from placeshaping.sources.feature_pages import (
    check_codes,
    new_pages_next_time,
    read_pages,
)
from placeshaping.sources.geoportal import describe_layer, fetch_pages
from placeshaping.sources.jobs import Collected, Job, check_fields, served_by, write_checked
from placeshaping.sources.nomis import fetch_rows, write_rows
from placeshaping.sources.police_archive import Editions, take_force
from placeshaping.sources.postcode_directory import newest_edition, write_directory
from placeshaping.sources.remote_zip import RemoteZip, open_remote_zip

_MONTH_ZIP = re.compile(r"^\d{4}-\d{2}\.zip$")


def collect(job: Job) -> Collected:
    """
    Fetch one source into a checked file.

    Parameters
    ----------
    job
        What, with what, and where to.

    Returns
    -------
    collected
        The file.

    Raises
    ------
    FetchError
        If the server cannot be reached, or what it sends is not what was asked for.
    """
    return _COLLECTORS[job.entry.kind](job)


def _file(job: Job) -> Collected:
    entry = job.entry
    part = job.folder / "download.part"
    resumed = part.is_file()
    while True:
        served = download(job.connection, entry.url, part, label=f"Downloading {entry.name}")
        path = job.folder / entry.file
        part.replace(path)
        try:
            return Collected(path, check_content(path, entry, origin=entry.file), served=served)
        except FetchError:
            path.unlink(missing_ok=True)
            if not resumed:
                raise
            resumed = False  # what was there from before may have been at fault: once more, anew


def _table(job: Job) -> Collected:
    entry = job.entry
    layer = describe_layer(job.connection, entry.url)
    layer = replace(layer, table=True)
    check_fields(layer, entry)
    pages = fetch_pages(job.connection, layer, job.folder, label=f"Fetching {entry.name}")
    with new_pages_next_time(job.folder):
        table = read_pages(pages, layer)
        check_codes(table, entry.code, rows=entry.rows, where=entry.name)
    path = job.folder / entry.file
    write_checked(
        path, lambda: table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    )
    return Collected(path, len(table), served=served_by(layer))


def _police(job: Job) -> Collected:
    asked, entry = job.asked, job.entry
    local = {}
    dated = {path.name: path for path in job.by_hand if _MONTH_ZIP.match(path.name)}
    if job.by_hand:
        others = [path for path in job.by_hand if path.name not in dated]
        local[entry.url] = others[0] if others else dated[max(dated)]
    if entry.month_url is not None:
        for name, path in dated.items():
            local[entry.month_url.format(month=name.removesuffix(".zip"))] = path
    editions = Editions(entry.url, entry.month_url, job.connection, job.whole, local)
    taken = take_force(
        editions, job.folder, force=asked.force or "", first=asked.first, last=asked.last
    )
    months = taken.months
    notes = [f"{len(months):,} months of {taken.force}, {months[0]} to {months[-1]}."]
    if taken.missing:
        notes.append(f"Not published: {listed(taken.missing, most=12)}.")
    return Collected(taken.path, None, tuple(notes), Served(entry.url))


def _postcodes(job: Job) -> Collected:
    if job.by_hand:
        with open_archive(job.by_hand[0]) as local:
            path = write_directory(RemoteZip(local, job.by_hand[0].name), job.folder)
        return Collected(path, notes=(f"Taken from {job.by_hand[0].name}.",))
    edition = newest_edition(job.connection, job.entry.url, job.entry.query)
    try:
        with open_remote_zip(job.connection, edition.url) as archive:
            path = write_directory(archive, job.folder)
            return Collected(path, notes=(f"{edition.title}.",), served=archive.served)
    except WholeOnlyError:
        part = job.folder / "onspd.zip.part"
        served = download(job.connection, edition.url, part, label=f"Downloading {edition.title}")
    check_content(part, replace(job.entry, file="onspd.zip"), origin=edition.title)
    with open_archive(part) as whole:
        path = write_directory(RemoteZip(whole, edition.title), job.folder)
    return Collected(path, notes=(f"{edition.title}.",), served=served)


def _nomis(job: Job) -> Collected:
    entry = job.entry
    usual = shipped_entry(entry.name)
    table = fetch_rows(
        job.connection,
        entry.url,
        entry.query,
        usual=None if usual is None else usual.query,
        folder=job.folder,
        label=f"Fetching {entry.name}",
    )
    path = job.folder / entry.file
    renamed = pd.DataFrame()

    def write() -> None:
        nonlocal renamed
        renamed = write_rows(table, path, rename=entry.rename)

    write_checked(path, write)
    code = next((new for old, new in entry.rename.items() if old.upper() == "GEOGRAPHY_CODE"), None)
    check_codes(renamed, code, rows=entry.rows, where=entry.name)
    return Collected(path, len(renamed), served=Served(entry.url))


_COLLECTORS: dict[str, Callable[[Job], Collected]] = {
    "file": _file,
    "table": _table,
    "features": collect_areas,
    "police": _police,
    "postcodes": _postcodes,
    "nomis": _nomis,
}
