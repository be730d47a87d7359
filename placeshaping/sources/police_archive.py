"""
One force out of the police.uk archive, which holds 36 months of all forces in one ZIP.

Where the server hands out parts of a file, only the list of contents and the
force's own members are read: a few megabytes of 1.7 GB.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import FetchError, RecipeError
from placeshaping._core.output import output_error
from placeshaping._core.progress import track
from placeshaping.sources.archives import open_archive
from placeshaping.sources.downloads import WholeOnlyError, download
from placeshaping.sources.network import Connection
from placeshaping.sources.police_files import force_key
from placeshaping.sources.remote_zip import RemoteZip, open_remote_zip

_MEMBER = re.compile(r"(?:^|/)(\d{4}-(?:0[1-9]|1[0-2]))-([^/\\]+)-street\.csv$", re.IGNORECASE)
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_LEVEL = 6


@dataclass(frozen=True)
class ForceFiles:
    """
    What was taken out of the archive.

    Attributes
    ----------
    path
        A ZIP in police.uk's layout.
    force
        The force, as the archive's file names have it.
    months
        Months taken, in order.
    missing
        Months asked for that the archive has, but not of this force.
    """

    path: Path
    force: str
    months: tuple[str, ...]
    missing: tuple[str, ...]


def check_month(month: str | None) -> str | None:
    """
    Return a month written as 2023-01.

    Parameters
    ----------
    month
        As text, or ``None``.

    Returns
    -------
    month
        The same.

    Raises
    ------
    RecipeError
        If it is no month.

    Examples
    --------
    >>> check_month("2023-01")
    '2023-01'
    """
    if month is not None and not _MONTH.match(month):
        msg = f"{month!r} is not a month. Write it as 2023-01."
        raise RecipeError(msg)
    return month


@contextmanager
def _open_edition(
    connection: Connection, url: str, folder: Path, *, whole: bool
) -> Iterator[RemoteZip]:
    """Open an edition in parts or, where asked, downloaded as a whole."""
    if not whole:
        try:
            with open_remote_zip(connection, url) as archive:
                yield archive
        except WholeOnlyError as error:
            msg = (
                f"{str(error).rstrip('.')}. Ask for the whole archive (about 1.7 GB; it can be "
                "interrupted and goes on later) with whole=True, on the command line --whole."
            )
            raise FetchError(msg) from error
        return
    path = folder / "whole.zip"
    if not path.is_file():
        part = path.with_suffix(".part")
        download(connection, url, part, label="Downloading the archive")
        if not zipfile.is_zipfile(part):
            part.unlink()
            msg = f"What came from {url} is no whole ZIP archive. Run it again."
            raise FetchError(msg)
        part.replace(path)
    with open_archive(path) as local:
        yield RemoteZip(local, url.rpartition("/")[2])


@dataclass(frozen=True)
class Editions:
    """
    The newest archive, and where the earlier ones are.

    Attributes
    ----------
    newest
        Address of the newest one.
    month_url
        Address of an earlier one, with ``{month}``; ``None`` where there are none.
    connection
        The way to the server.
    whole
        Whether to download whole editions rather than parts.
    local
        Address to file, of editions that are on disk.
    """

    newest: str
    month_url: str | None
    connection: Connection
    whole: bool = False
    local: Mapping[str, Path] = field(default_factory=dict)

    @contextmanager
    def open(self, url: str, folder: Path) -> Iterator[RemoteZip]:
        """
        Open one edition.

        Parameters
        ----------
        url
            Its address.
        folder
            Where a whole download goes.

        Yields
        ------
        archive
            Its members.
        """
        path = self.local.get(url)
        if path is not None:
            with open_archive(path) as archive:
                yield RemoteZip(archive, path.name)
            return
        part = folder / url.rpartition("/")[2].replace(".", "-")
        part.mkdir(parents=True, exist_ok=True)
        with _open_edition(self.connection, url, part, whole=self.whole) as remote:
            yield remote

    def before(self, month: str) -> str:
        """
        Return the address of the edition that ends just before a month.

        Parameters
        ----------
        month
            The first month of a later edition.

        Returns
        -------
        url
            The address.

        Raises
        ------
        FetchError
            If there are no earlier editions.
        """
        if self.month_url is None:
            msg = f"The archive begins with {month}. Ask for a later first month."
            raise FetchError(msg)
        year, number = int(month[:4]), int(month[5:])
        earlier = f"{year - 1}-12" if number == 1 else f"{year}-{number - 1:02}"
        return self.month_url.format(month=earlier)


def take_force(
    editions: Editions, folder: Path, *, force: str, first: str | None, last: str | None
) -> ForceFiles:
    """
    Write one force's street-level files into a ZIP of their own.

    Members that are in the folder from an earlier run, and whole, are not read again.

    Parameters
    ----------
    editions
        The archive and its earlier editions.
    folder
        Where to.
    force
        By file name (``"essex"``) or by name (``"Essex Police"``).
    first, last
        Months; the archive's own where not given.

    Returns
    -------
    files
        The ZIP, and what it holds.

    Raises
    ------
    FetchError
        If the archive has no such force or month, or is damaged.
    """
    months: set[str] = set()
    held: set[str] = set()
    taken: dict[str, Path] = {}
    url: str | None = editions.newest
    slug, oldest = force, None
    while url is not None:
        with editions.open(url, folder) as archive:
            members = _members(archive.members)
            slug = _slug(members, force, archive.place)
            edition = {month for month, _ in members}
            _check_earlier(edition, oldest, archive.place)
            oldest = min(edition)
            last = _last(last, edition, archive.place) if not months else last
            start = first or min(edition)
            wanted = {m for m in edition if start <= m <= (last or m)} - months
            chosen = {m: members[m, slug] for m in sorted(wanted) if (m, slug) in members}
            for month in track(list(chosen), label=f"Reading {slug}", total=len(chosen)):
                path = folder / f"{month}-{slug}-street.csv"
                taken[month] = _member(archive, chosen[month], path)
        held |= set(chosen)
        months |= wanted
        url = editions.before(oldest) if first and first < oldest else None
    if not taken:
        msg = f"The archive has no file of {slug} between {first or 'its start'} and {last}."
        raise FetchError(msg)
    path = folder / f"{slug}-{min(taken)}-to-{max(taken)}.zip"
    _pack(taken, slug, path)
    return ForceFiles(path, slug, tuple(sorted(taken)), tuple(sorted(months - held)))


def _members(names: Mapping[str, zipfile.ZipInfo]) -> dict[tuple[str, str], str]:
    return {(m[1], m[2].casefold()): name for name in names if (m := _MEMBER.search(name))}


def _slug(members: Mapping[tuple[str, str], str], force: str, place: str) -> str:
    forces = sorted({name for _, name in members})
    if not forces:
        msg = f"{place} holds no street-level files: it is not the police.uk archive."
        raise FetchError(msg)
    for name in forces:
        if force_key(name) == force_key(force):
            return name
    near = near_names(force, forces)
    hint = f"Did you mean {listed(near)}?" if near else f"It has {listed(forces, most=50)}."
    gone = " (Greater Manchester is not in it)" if "manchester" in force.casefold() else ""
    msg = f"{place} has no force {force!r}{gone}. {hint}"
    raise FetchError(msg)


def _check_earlier(edition: set[str], oldest: str | None, place: str) -> None:
    """Refuse an earlier edition that reaches no further back: there would be no end."""
    if oldest is not None and min(edition) >= oldest:
        msg = (
            f"{place} begins with {min(edition)}: there is no earlier archive behind that address. "
            f"Ask for {oldest} or a later first month."
        )
        raise FetchError(msg)


def _last(last: str | None, edition: set[str], place: str) -> str:
    newest = max(edition)
    if last is not None and last > newest:
        msg = f"{place} ends with {newest}; {last} is not in it. Ask for an earlier last month."
        raise FetchError(msg)
    return last or newest


def _member(archive: RemoteZip, name: str, path: Path) -> Path:
    info = archive.members[name]
    if path.is_file():
        content = path.read_bytes()
        if len(content) == info.file_size and zlib.crc32(content) == info.CRC:
            return path
    content = archive.read(name)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise output_error(error, path) from error
    return path


def _pack(taken: Mapping[str, Path], slug: str, path: Path) -> None:
    """Write the ZIP, alike for alike content."""
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for month in sorted(taken):
                info = zipfile.ZipInfo(f"{month}/{month}-{slug}-street.csv")
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, taken[month].read_bytes(), compresslevel=_LEVEL)
    except OSError as error:
        raise output_error(error, path) from error
