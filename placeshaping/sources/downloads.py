"""
Files from a server: whole, going on where an earlier attempt broke off, or in parts.

The server's ``ETag`` or ``Last-Modified`` makes sure that all parts are of one
and the same file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error
from placeshaping._core.progress import track
from placeshaping.sources.answers import BLOCK, PassingError, StatusError, blocks
from placeshaping.sources.network import Connection, Trials

_PROGRESS = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_UNSATISFIED = re.compile(r"bytes \*/(\d+)")


class WholeOnlyError(FetchError):
    """A server hands out only whole files."""


@dataclass(frozen=True)
class Served:
    """
    What a server says of a file.

    Attributes
    ----------
    url
        The address that was asked; never the one of a redirect, which may hold a key.
    total
        Bytes of the whole file, where the server says so.
    etag, modified, date
        The headers ``ETag``, ``Last-Modified`` and ``Date``.
    """

    url: str
    total: int | None = None
    etag: str | None = None
    modified: str | None = None
    date: str | None = None

    @property
    def validator(self) -> str | None:
        """
        Say what tells this state of the file from any other.

        Returns
        -------
        validator
            A strong ``ETag``, else ``Last-Modified``, else ``None``.
        """
        strong = self.etag if self.etag and not self.etag.startswith("W/") else None
        return strong or self.modified


def get_range(
    connection: Connection, url: str, start: int, stop: int, *, state: Served | None = None
) -> tuple[bytes, Served]:
    """
    Return a part of a file.

    Parameters
    ----------
    connection
        The way to the server.
    url
        The address.
    start, stop
        First byte, and the one after the last.
    state
        What the server said of the file before; the part must be of the same state.

    Returns
    -------
    content, served
        The bytes, and what the server says of the file.

    Raises
    ------
    WholeOnlyError
        If the server hands out only whole files.
    FetchError
        If the file changed in the meantime, or the server cannot be reached.
    """
    headers = {"Range": f"bytes={start}-{stop - 1}"}
    if state is not None and state.validator:
        headers["If-Range"] = state.validator
    trials = Trials(connection, url)
    while True:
        try:
            with connection.opened(url, headers=headers) as response:
                served = _check_part(response, url, start, state)
                wanted = min(stop, served.total or stop) - start
                content = b"".join(blocks(response))
                if len(content) == wanted:
                    return content, served
                told = f"{len(content):,} bytes came for {wanted:,} asked"
                raise PassingError(told)
        except PassingError as trouble:
            trials.again(trouble)


def download(connection: Connection, url: str, part: Path, *, label: str) -> Served:
    """
    Download a file, going on where an earlier attempt or run broke off.

    Parameters
    ----------
    connection
        The way to the server.
    url
        The address.
    part
        Where the bytes go; a note of the server's state is kept beside it.
    label
        What the progress bar says.

    Returns
    -------
    served
        What the server says of the file.

    Raises
    ------
    FetchError
        If the server cannot be reached, refuses, keeps failing, or sends nothing.
    OutputError
        If the file cannot be written.
    """
    trials = Trials(connection, url)
    while True:
        held, state = _held(part, url)
        try:
            served = _download_once(connection, url, part, held, state, label)
        except PassingError as trouble:
            if part.exists() and part.stat().st_size - held >= _PROGRESS:
                trials.restart()
            trials.again(trouble)
        else:
            _note(part).unlink(missing_ok=True)
            return served


def _download_once(
    connection: Connection, url: str, part: Path, held: int, state: Served | None, label: str
) -> Served:
    headers = {}
    if held and state is not None and state.validator:
        headers = {"Range": f"bytes={held}-", "If-Range": state.validator}
    try:
        with connection.opened(url, headers=headers, ranged=bool(headers)) as response:
            return _save(response, url, part, held, state, label)
    except StatusError as refusal:  # 416: nothing is left to send, or the file is shorter now
        whole = _UNSATISFIED.match(str(refusal.headers.get("Content-Range", "")))
        if state is not None and whole is not None and int(whole[1]) == held:
            return state
        part.unlink(missing_ok=True)
        told = "the file is not as long as it was"
        raise PassingError(told) from refusal


def _served(response: Any, url: str, total: int | None) -> Served:
    headers = response.headers
    return Served(url, total, headers.get("ETag"), headers.get("Last-Modified"),
                  headers.get("Date"))  # fmt: skip


def _check_part(response: Any, url: str, start: int, state: Served | None) -> Served:
    host = urlsplit(url).netloc
    if response.status != 206:
        if state is not None and state.total is not None:
            msg = f"{host}: the file changed while it was read. Run it again."
            raise FetchError(msg)
        msg = f"{host} hands out only whole files, not parts of them."
        raise WholeOnlyError(msg)
    found = _RANGE.match(response.headers.get("Content-Range") or "")
    if found is None or int(found[1]) != start:
        told = f"{host} sent another part than was asked for"
        raise PassingError(told)
    served = _served(response, url, int(found[3]))
    if state is not None and (served.total != state.total or served.etag != state.etag):
        msg = f"{host}: the file changed while it was read. Run it again."
        raise FetchError(msg)
    return served


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _held(part: Path, url: str) -> tuple[int, Served | None]:
    """Return how much of the file is there from before, and of which state of it."""
    if not (part.is_file() and _note(part).is_file()):
        return 0, None
    try:
        state = Served(**json.loads(_note(part).read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return 0, None
    if state.url != url or state.validator is None:
        return 0, None
    return part.stat().st_size, state


def _save(
    response: Any, url: str, part: Path, held: int, state: Served | None, label: str
) -> Served:
    """Write the body after what is held, or from the start where the server sends all of it."""
    start, total = 0, None
    if response.status == 206:
        found = _RANGE.match(response.headers.get("Content-Range") or "")
        other = state is None or response.headers.get("ETag") != state.etag
        if found is None or int(found[1]) != held or other:
            part.unlink(missing_ok=True)
            told = "the server sent a part of another file than was asked for"
            raise PassingError(told)
        start, total = held, int(found[3])
    elif (response.headers.get("Content-Length") or "").isdecimal():
        total = int(response.headers["Content-Length"])
    served = _served(response, url, total)
    count = None if total is None else -(-(total - start) // BLOCK)
    try:
        if not start:
            part.write_bytes(b"")  # before the note: it must never speak of older bytes
        _note(part).write_text(json.dumps(vars(served)), encoding="utf-8")
        with part.open("ab") as stream:
            for block in track(blocks(response), label=label, total=count):
                stream.write(block)
    except OSError as error:
        raise output_error(error, part) from error
    size = part.stat().st_size
    if not size:
        host = urlsplit(url).netloc
        msg = f"{host} answers 200 but sends nothing. Look at {url} in a browser."
        raise FetchError(msg)
    if total is not None and size != total:
        part.unlink()
        told = f"{size:,} bytes came of {total:,}"
        raise PassingError(told)
    return served
