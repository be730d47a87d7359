"""Files that a user dropped in by hand: which serve, and what to say where one is needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from placeshaping.sources.catalogue import Entry, find_entry
from placeshaping.sources.feature_pages import service_of
from placeshaping.sources.jobs import Asked
from placeshaping.sources.police_files import force_key

_FORMATS = {
    "features": (".gpkg", ".geojson", ".json", ".parquet", ".geoparquet", ".zip", ".shp", ".fgb"),
    "table": (".csv", ".gz", ".xlsx", ".parquet"),
    "nomis": (".csv", ".gz", ".xlsx", ".parquet"),
    "postcodes": (".csv", ".gz", ".zip", ".parquet"),
    "police": (".zip",),
}


def all_needed(entries: Mapping[str, Entry], entry: Entry, boundaries: Path) -> str:
    """
    Name all files that a place is found by, so that they are dropped in at one go.

    Parameters
    ----------
    entries
        The catalogue.
    entry
        What is fetched.
    boundaries
        The folder of files dropped in by hand.

    Returns
    -------
    sentence
        Empty where no more than one is lacking.
    """
    names = [
        *([entry.lookup] if entry.lookup else []),
        *(n for n, e in entries.items() if e.places),
    ]
    needed = [find_entry(entries, name) for name in dict.fromkeys([entry.name, *names])]
    lacking = [one.file for one in needed if not find_by_hand(one, boundaries)]
    if len(lacking) < 2:
        return ""
    return f"Without a network, a place of {entry.name} needs all of: {', '.join(lacking)}."


def find_by_hand(entry: Entry, folder: str | Path, *, force: str | None = None) -> tuple[Path, ...]:
    """
    Find the files in a folder that a user dropped in for an entry.

    Parameters
    ----------
    entry
        The catalogue's entry.
    folder
        Where to look; it need not exist.
    force
        Of recorded crime: the force.

    Returns
    -------
    files
        The one with the entry's own file name first.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return ()
    patterns = [entry.file, *entry.by_hand]
    formats = _FORMATS.get(entry.kind)
    if formats is not None:
        patterns.append(f"{entry.name}.*")
    if entry.kind == "police":
        slug = force_key(force or "").replace(" ", "-")
        patterns = [f"{entry.name}-{slug}*.zip", f"{slug}*.zip", f"{entry.name}.zip",
                    "latest.zip", "[0-9][0-9][0-9][0-9]-[0-9][0-9].zip"]  # fmt: skip
    files = sorted(path for path in folder.iterdir() if path.is_file())
    found = [
        path
        for pattern in patterns
        for path in files
        if fnmatchcase(path.name.casefold(), pattern.casefold())
        and (formats is None or path.name.casefold().endswith(formats))
    ]
    return tuple(dict.fromkeys(found))


def tell_parts(entry: Entry, path: Path, rows: int | None) -> tuple[str, ...]:
    """
    Tell where a file of areas dropped in by hand holds others than all.

    Parameters
    ----------
    entry
        The catalogue's entry.
    path
        The file.
    rows
        Rows in it, where that is known.

    Returns
    -------
    notes
        None, or one sentence.
    """
    if entry.kind != "features" or None in {rows, entry.rows} or rows == entry.rows:
        return ()
    return (f"{path.name} holds {rows:,} areas; all of {entry.name} are {entry.rows:,}.",)


def to_be_cut(entry: Entry, asked: Asked, dropped: Path) -> bool:
    """
    Tell whether only a part of a file dropped in by hand is wanted.

    Parameters
    ----------
    entry
        The catalogue's entry.
    asked
        What of it.
    dropped
        The file.

    Returns
    -------
    cut
        False where the file serves as it is.
    """
    if entry.kind == "police":
        return True
    zipped = entry.kind == "postcodes" and dropped.suffix.casefold() == ".zip"
    return bool(asked.within) or zipped


def by_hand_remedy(entry: Entry, asked: Asked, boundaries: Path) -> str:
    """
    Say which file to put where by hand.

    Parameters
    ----------
    entry
        The catalogue's entry.
    asked
        What of it.
    boundaries
        The folder of files dropped in by hand.

    Returns
    -------
    sentence
        With the page to download it from.
    """
    folder = boundaries if boundaries.is_absolute() else Path(os.curdir) / boundaries
    name = entry.file
    if entry.kind == "police":
        name = f"{entry.name}-{force_key(asked.force or '').replace(' ', '-')}.zip"
    elif entry.kind == "postcodes":
        name = "ONSPD_..._UK.zip"
    elif entry.kind == "features":
        name = f"{entry.file} (or {entry.name}.geojson, {entry.name}.parquet)"
    page = entry.page or entry.url
    search = ""
    if "/services/" in entry.url:
        search = f" (search there for {service_of(entry.url)})"
    return (
        f"By hand: download it in a browser from {page}{search}, put it into the folder "
        f"'{folder.name}' as {name}, and run the same again."
    )
