"""
Files from a server: whole, going on where an earlier attempt broke off, or in parts.

The server's ``ETag`` or ``Last-Modified`` makes sure that all parts are of one
and the same file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from placeshaping._core.errors import FetchError
from placeshaping._core.output import output_error
from placeshaping._core.progress import track
from placeshaping.sources.answers import (
    BLOCK,
    PassingError,
    StatusError,
    blocks,
    encoding_of,
    unpacked,
)
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
    encoding
        How it is compressed on the way, where it is.
    """

    url: str
    total: int | None = None
    etag: str | None = None
    modified: str | None = None
    date: str | None = None
    encoding: str | None = None

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

    def is_same(self, other: Served) -> bool:
        """
        Tell whether two answers can be parts of one and the same file.

        Parameters
        ----------
        other
            What the server says at another time.

        Returns
        -------
        same
            Whether length, tag, date of change and compression agree, as far as both are told.
        """
        total = None in {self.total, other.total} or self.total == other.total
        dated = self.etag is not None or self.modified == other.modified
        return total and self.etag == other.etag and dated and self.encoding == other.encoding


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
            with connection.opened(url, headers=headers, ranged=True) as response:
                served = _check_part(response, url, start, state)
                wanted = min(stop, served.total or stop) - start
                return _exactly(wanted, blocks(response, timeout=connection.timeout)), served
        except StatusError as refusal:
            host = urlsplit(url).netloc
            msg = f"{host}: the file is empty, or shorter than it was. Run it again."
            raise FetchError(msg) from refusal
        except PassingError as trouble:
            trials.again(trouble)


def _exactly(wanted: int, body: Iterator[bytes]) -> bytes:
    content = bytearray()
    for block in body:
        content += block
        if len(content) > wanted:
            told = f"more came than the {wanted:,} bytes asked for"
            raise PassingError(told)
    if len(content) < wanted:
        told = f"{len(content):,} bytes came for {wanted:,} asked"
        raise PassingError(told)
    return bytes(content)


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
    furthest, _ = _held(part, url)
    while True:
        held, state = _held(part, url)
        try:
            served = _download_once(connection, url, part, held, state, label)
        except PassingError as trouble:
            reached = part.stat().st_size if part.exists() else 0
            if reached - furthest >= _PROGRESS:
                trials.restart()
                furthest = reached
            trials.again(trouble)
        else:
            _note(part).unlink(missing_ok=True)
            if served.encoding is not None:
                _unpack(part, served.encoding, urlsplit(url).netloc)
            return served


def _unpack(part: Path, encoding: str, host: str) -> None:
    """Undo the compression that a server applied on the way."""
    plain = part.with_name(part.name + ".plain")
    try:
        with part.open("rb") as packed, plain.open("wb") as stream:
            for block in unpacked(iter(lambda: packed.read(BLOCK), b""), encoding, host):
                stream.write(block)
        plain.replace(part)
    except FetchError:
        part.unlink()
        plain.unlink()
        raise
    except OSError as error:
        raise output_error(error, part) from error


def _download_once(
    connection: Connection, url: str, part: Path, held: int, state: Served | None, label: str
) -> Served:
    headers = {}
    if held and state is not None and state.validator:
        headers = {"Range": f"bytes={held}-", "If-Range": state.validator}
    try:
        with connection.opened(url, headers=headers, ranged=bool(headers)) as response:
            return _save(response, url, part, held, state, label, connection.timeout)
    except StatusError as refusal:  # 416: nothing is left to send, or the file is shorter now
        whole = _UNSATISFIED.match(str(refusal.headers.get("Content-Range", "")))
        if state is not None and whole is not None and int(whole[1]) == held:
            return state
        part.unlink(missing_ok=True)
        told = "the file is not as long as it was"
        raise PassingError(told) from refusal


def _served(response: Any, url: str, total: int | None) -> Served:
    headers, parts = response.headers, urlsplit(url)
    encoding = encoding_of(response, parts.netloc)
    if parts.path.casefold().endswith((".gz", ".tgz")):
        encoding = None  # some servers say so of files that are meant to stay compressed
    return Served(url, total, headers.get("ETag"), headers.get("Last-Modified"),
                  headers.get("Date"), encoding)  # fmt: skip


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
    if served.encoding is not None:
        msg = f"{host} compresses what it sends, and hands out only whole files."
        raise WholeOnlyError(msg)
    if state is not None and not served.is_same(state):
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
    response: Any,
    url: str,
    part: Path,
    held: int,
    state: Served | None,
    label: str,
    timeout: float,
) -> Served:
    """Write the body after what is held, or from the start where the server sends all of it."""
    start, total = _begin(response, url, part, held, state)
    served = _served(response, url, total)
    count = None if total is None else -(-(total - start) // BLOCK)
    try:
        if not start:
            part.write_bytes(b"")  # before the note: it must never speak of older bytes
        _note(part).write_text(json.dumps(vars(served)), encoding="utf-8")
        with part.open("ab") as stream:
            body = blocks(response, timeout=timeout)
            for block in track(body, label=label, total=count):
                stream.write(block)
    except OSError as error:
        raise output_error(error, part) from error
    size = part.stat().st_size
    if not size:
        host = urlsplit(url).netloc
        msg = f"{host} answers 200 but sends nothing. Look at {url} in a browser."
        raise FetchError(msg)
    if total is not None and size != total:
        if size > total:
            part.unlink()
        told = f"{size:,} bytes came of {total:,}"
        raise PassingError(told)
    return served


def _begin(
    response: Any, url: str, part: Path, held: int, state: Served | None
) -> tuple[int, int | None]:
    """Return where the body begins in the file, and how long the file is."""
    if response.status != 206:
        declared = response.headers.get("Content-Length") or ""
        known = declared.isdecimal() and not response.chunked
        return 0, int(declared) if known else None
    found = _RANGE.match(response.headers.get("Content-Range") or "")
    if found is not None and int(found[1]) == held and state is not None:
        served = _served(response, url, int(found[3]))
        if served.is_same(state):
            return held, int(found[3])
    part.unlink(missing_ok=True)
    told = "the server sent a part of another file than was asked for"
    raise PassingError(told)
