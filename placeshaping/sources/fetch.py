"""
Fetching public data: from ``boundaries/``, from the cache, or from where they are published.

What a user dropped in by hand comes first, so that everything also works on a
machine that may not reach the network.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError, RecipeError
from placeshaping._core.output import output_error, staged_file
from placeshaping._core.provenance import sha256
from placeshaping.sources.by_hand import (
    all_needed,
    by_hand_remedy,
    find_by_hand,
    tell_parts,
    to_be_cut,
)
from placeshaping.sources.cache import BusyError, Cache, Kept, cache_folder
from placeshaping.sources.catalogue import Entry, find_entry, read_catalogue
from placeshaping.sources.collectors import collect
from placeshaping.sources.content import check_content
from placeshaping.sources.jobs import Asked, Job
from placeshaping.sources.network import Connection
from placeshaping.sources.police_archive import check_month
from placeshaping.sources.police_files import force_key


@dataclass(frozen=True)
class Fetched:
    """
    A fetched file; it can be given to any function that takes a path.

    Attributes
    ----------
    path
        Where it is.
    source
        Name of the catalogue's entry.
    sha256
        Its checksum.
    origin
        ``"network"``, ``"cache"`` or ``"by hand"``.
    rows
        Rows in it, where that is known.
    vintage, licence, attribution
        As the catalogue states them.
    notes
        What to know of it.
    """

    path: Path
    source: str
    sha256: str
    origin: str
    rows: int | None
    vintage: str | None
    licence: str
    attribution: str
    notes: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return str(self.path)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the same as plain values.

        Returns
        -------
        content
            For JSON.
        """
        return {**asdict(self), "path": str(self.path), "notes": list(self.notes)}


def list_sources(
    *, catalogue: str | Path | None = None, boundaries: str | Path = "boundaries"
) -> pd.DataFrame:
    """
    List what can be fetched.

    Parameters
    ----------
    catalogue
        A catalogue of the user's.
    boundaries
        The folder whose ``catalogue.toml`` changes entries.

    Returns
    -------
    sources
        Index `source`; columns `title`, `vintage`, `rows`, `licence`, `url`.

    Examples
    --------
    >>> list_sources().loc["imd2025", "vintage"]
    '2021'
    """
    entries = read_catalogue(catalogue, boundaries=boundaries).values()
    rows = [(e.name, e.title, e.vintage, e.rows, e.licence, e.url)
            for e in entries if e.kind != "address"]  # fmt: skip
    columns = ["source", "title", "vintage", "rows", "licence", "url"]
    return pd.DataFrame(rows, columns=columns).astype({"rows": "Int64"}).set_index("source")


def fetch(
    what: str,
    *,
    within: str | Sequence[str] | None = None,
    force: str | None = None,
    first: str | None = None,
    last: str | None = None,
    whole: bool = False,
    refresh: bool = False,
    into: str | Path | None = None,
    cache: str | Path | None = None,
    boundaries: str | Path = "boundaries",
    catalogue: str | Path | None = None,
    connection: Connection | None = None,
) -> Fetched:
    r"""
    Fetch public data, checked, into the cache.

    A file in `boundaries` that has the entry's file name (or one of its names
    by hand) is used as it is; else a file that was fetched before; else the
    network. Nothing enters the cache that is cut short, has another checksum
    than the catalogue says, or has not the rows that it must have.

    Parameters
    ----------
    what
        A name in the catalogue: ``"lsoa21"``, ``"imd2025"``, ``"crime"``,
        ``"postcodes"``, ``"population"``, ...; `list_sources` lists them.
    within
        Names or codes of districts, police forces, partnerships or counties,
        for areas; where a name stands for several, the widest is taken and told.
    force
        The police force, for ``"crime"``: ``"essex"`` or ``"Essex Police"``.
    first, last
        First and last month, for ``"crime"``, as ``"2023-01"``; all that the
        newest archive has where not given.
    whole
        Download whole archives where a server does not hand out parts.
    refresh
        Ask again, though the cache has an answer.
    into
        A folder to copy the file into.
    cache
        The folder of the cache; the system's where not given.
    boundaries
        The folder of files dropped in by hand and of the user's ``catalogue.toml``.
    catalogue
        A further catalogue, whose entries come first.
    connection
        Patience and pauses; the usual ones where not given.

    Returns
    -------
    fetched
        The file's path, checksum, licence and notes.

    Raises
    ------
    RecipeError
        If there is no such source, or it does not take such an option.
    FetchError
        If the server cannot be reached or sends something else; the message
        says which file to put where by hand.
    InputError
        If a place is not known.
    OutputError
        If the cache or `into` cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "catalogue.toml").write_text(
    ...         '[people]\nkind = "file"\nurl = "https://example.org/people.csv"\nrows = 1\n')
    ...     _ = (Path(folder) / "people.csv").write_text("LSOA21CD,residents\nE01000001,1474\n")
    ...     fetched = fetch("people", boundaries=folder)
    >>> fetched.origin, fetched.rows
    ('by hand', 1)
    """
    entries = read_catalogue(catalogue, boundaries=boundaries)
    entry = find_entry(entries, what)
    asked = _asked(entry, within=within, force=force, first=first, last=last)
    desk = _Desk(
        entries=entries,
        cache=Cache(cache if cache is not None else cache_folder()),
        boundaries=Path(boundaries),
        connection=connection or Connection(),
        refresh=refresh,
        whole=whole,
    )
    try:
        found = desk.obtain(entry, asked)
    except BusyError:
        raise
    except _LookupError as error:
        msg = f"{error} {all_needed(entries, entry, Path(boundaries))}".rstrip()
        raise FetchError(msg) from error
    except FetchError as error:
        msg = f"{str(error).rstrip()} {by_hand_remedy(entry, asked, Path(boundaries))}"
        raise FetchError(msg) from error
    return found if into is None else _copied(found, Path(into))


def _asked(
    entry: Entry,
    *,
    within: str | Sequence[str] | None,
    force: str | None,
    first: str | None,
    last: str | None,
) -> Asked:
    names = (within,) if isinstance(within, str) else tuple(within or ())
    if entry.kind == "address":
        msg = f"{entry.name} is an address for programs ({entry.url}); there is no file to fetch."
        raise RecipeError(msg)
    if names and entry.kind == "police":
        msg = (
            f"{entry.name} is fetched by police force, not by place: name the force "
            "(force='essex', or --force essex) and leave `within` out."
        )
        raise RecipeError(msg)
    if names and entry.kind != "features":
        msg = (
            f"{entry.name} comes whole: leave `within` out. "
            "What is not needed is passed over when it is read."
        )
        raise RecipeError(msg)
    given = [key for key, value in (("force", force), ("first", first), ("last", last)) if value]
    if given and entry.kind != "police":
        hint = ""
        if entry.kind == "features" and force:
            hint = f" For its areas: within='{force}', or --within {force}."
        msg = f"{entry.name} takes no {listed(given)}: that is for recorded crime.{hint}"
        raise RecipeError(msg)
    if entry.kind == "police" and not force:
        msg = f"{entry.name} is fetched for one force. Name it: force='essex', or --force essex."
        raise RecipeError(msg)
    check_month(first)
    check_month(last)
    if first and last and first > last:
        msg = f"The first month, {first}, comes after the last, {last}. Exchange them."
        raise RecipeError(msg)
    return Asked(names, force, first, last)


class _LookupError(FetchError):
    """A lookup that a place is found by cannot be had; the message names the remedy."""


@dataclass(frozen=True)
class _Desk:
    entries: Mapping[str, Entry]
    cache: Cache
    boundaries: Path
    connection: Connection
    refresh: bool
    whole: bool

    def obtain(self, entry: Entry, asked: Asked) -> Fetched:
        dropped = find_by_hand(entry, self.boundaries, force=asked.force)
        if dropped and not to_be_cut(entry, asked, dropped[0]):
            path = dropped[0]
            told = f"{path.name} (dropped in by hand)"
            rows = check_content(path, entry, origin=told, kind=path.suffix)
            notes = tell_parts(entry, path, rows)
            return _fetched(entry, path, sha256(path), "by hand", rows, notes)
        request = _request(entry, asked, dropped)
        kept = None if self.refresh else self.cache.find(request)
        if kept is not None:
            return _from_cache(entry, kept, "cache")
        origin = "by hand" if dropped else "network"
        return _from_cache(entry, self._collect(entry, asked, dropped, request), origin)

    def held(self, name: str) -> Path | None:
        """Return a lookup's file where it is at hand without asking anybody."""
        entry = find_entry(self.entries, name)
        dropped = find_by_hand(entry, self.boundaries)
        if dropped:
            return self.obtain(entry, Asked()).path
        kept = self.cache.find(_request(entry, Asked(), ()))
        return None if kept is None else kept.path

    def _collect(
        self, entry: Entry, asked: Asked, dropped: tuple[Path, ...], request: Mapping[str, Any]
    ) -> Kept:
        before = self.cache.find(request)
        with self.cache.partial(request, pause=self.connection.pause) as folder:
            meanwhile = self.cache.find(request)
            if meanwhile is not None and meanwhile != before:
                return meanwhile  # another process has just fetched it
            job = Job(
                entry=entry,
                entries=self.entries,
                asked=asked,
                connection=self.connection,
                folder=folder,
                by_hand=dropped,
                lookup=lambda name: self._lookup(name),
                lookup_held=self.held,
                places=tuple(name for name, other in self.entries.items() if other.places),
                whole=self.whole,
            )
            got = collect(job)
            served = None if got.served is None else asdict(got.served)
            provenance = {
                "rows": got.rows,
                "notes": list(got.notes),
                "source": entry.name,
                "title": entry.title,
                "url": entry.url,
                "vintage": entry.vintage,
                "licence": entry.licence,
                "attribution": entry.attribution,
                "request": request,
                "fetched": self.connection.date,
                "served": served,
            }
            return self.cache.keep(got.path, request, name=got.path.name, provenance=provenance)

    def _lookup(self, name: str) -> Path:
        entry = find_entry(self.entries, name)
        try:
            return replace(self, refresh=False).obtain(entry, Asked()).path
        except FetchError as error:
            told = by_hand_remedy(entry, Asked(), self.boundaries)
            msg = f"To find the place, {name} is needed: {error} {told}"
            raise _LookupError(msg) from error


def _request(entry: Entry, asked: Asked, dropped: Sequence[Path]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "source": entry.name,
        "url": entry.url,
        "sha256": entry.sha256,
        "query": dict(entry.query),
        "within": sorted(name.strip().casefold() for name in asked.within),
        "force": None if asked.force is None else force_key(asked.force),
        "months": [asked.first, asked.last],
    }
    if dropped:
        request["by_hand"] = [sha256(path) for path in dropped]
    return request


def _from_cache(entry: Entry, kept: Kept, origin: str) -> Fetched:
    told = kept.provenance
    notes = tuple(str(note) for note in told.get("notes") or ())
    if origin == "cache":
        date = told.get("fetched")
        when = f", as fetched on {date}" if date else ""
        notes = (*notes, f"From the cache{when}; refresh=True (--refresh) asks again.")
    return _fetched(entry, kept.path, kept.sha256, origin, told.get("rows"), notes)


def _fetched(
    entry: Entry, path: Path, digest: str, origin: str, rows: int | None, notes: tuple[str, ...]
) -> Fetched:
    return Fetched(path, entry.name, digest, origin, rows, entry.vintage, entry.licence,
                   entry.attribution, notes)  # fmt: skip


def _copied(found: Fetched, folder: Path) -> Fetched:
    target = folder / found.path.name
    try:
        with staged_file(target) as staged:
            shutil.copyfile(found.path, staged)
    except OSError as error:
        raise output_error(error, target) from error
    return replace(found, path=target)
