"""What a server's answer may be: a passing trouble, a page that is no data, or its bytes."""

from __future__ import annotations

import http.client
import json
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from placeshaping._core.errors import FetchError

BLOCK = 1 << 18
"""Bytes that are handed on at once."""

SLOWEST = 1_000
"""Bytes that must come in the time after which a connection counts as broken."""

_ENCODINGS = {"gzip", "x-gzip", "deflate"}
_PAGE = re.compile(rb"(<\?xml[^>]*>|<!--.*?-->|\s)*<(!doctype\s+html|html|head|body)\b", re.S)


class StatusError(Exception):
    """
    The answer to a question that an error status can answer, as 416 does for the rest of a file.

    Parameters
    ----------
    status
        The status.
    headers
        The answer's headers.
    told
        What happened, as a message says it.
    """

    def __init__(self, status: int, headers: Message, told: str) -> None:
        super().__init__(told)
        self.status, self.headers = status, headers


class PassingError(Exception):
    """
    A trouble that may be gone at the next attempt.

    Parameters
    ----------
    told
        What happened, as a message says it.
    wait
        Seconds that the server asks to wait, where it does.
    """

    def __init__(self, told: str, *, wait: float | None = None) -> None:
        super().__init__(told)
        self.wait = wait


def words(reason: object) -> str:
    """
    Put into words why a connection failed.

    Parameters
    ----------
    reason
        The error.

    Returns
    -------
    words
        Without a full stop.
    """
    text = str(getattr(reason, "strerror", None) or reason or type(reason).__name__)
    return text.strip().rstrip(".")


def blocks(
    response: Any, *, timeout: float = 60.0, clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """
    Yield the body of an answer.

    Parameters
    ----------
    response
        From `Connection.opened`.
    timeout
        Seconds of waiting in which at least `SLOWEST` bytes must come.
    clock
        Tells the time in seconds.

    Yields
    ------
    block
        Bytes.

    Raises
    ------
    PassingError
        If the body is not as long as the server said, or hardly comes.
    """
    expected = _declared(response)
    probing = expected is not None and response.will_close and response.length == expected
    if expected is not None and probing:
        response.length = expected + 1  # so that a byte too many is seen rather than passed over
    reader = _Reader(response, timeout, clock)
    while expected is None or reader.got < expected:
        block = reader.block(BLOCK if expected is None else min(BLOCK, expected - reader.got))
        if block:
            yield block
        if reader.trouble is not None:
            raise reader.trouble
        if not block:
            break
    if expected is not None and reader.got < expected:
        told = f"the connection broke off after {reader.got:,} of {expected:,} bytes"
        raise PassingError(told)
    if probing and _read_on(response):
        told = f"more than the {expected:,} bytes came that were said to be all"
        raise PassingError(told)


def _declared(response: Any) -> int | None:
    """Return the length that counts: chunks tell their end themselves (RFC 9112, 6.3)."""
    declared = response.headers.get("Content-Length")
    if response.chunked or not declared or not declared.isdecimal():
        return None
    return int(declared)


class _Reader:
    """Reads what is there, and keeps what came before a trouble."""

    def __init__(self, response: Any, timeout: float, clock: Callable[[], float]) -> None:
        self._response, self._timeout, self._clock = response, timeout, clock
        self._waited, self._came = 0.0, 0
        self.got = 0
        self.trouble: PassingError | None = None

    def block(self, count: int) -> bytes:
        held = bytearray()
        while len(held) < count and self.trouble is None:
            piece = self._piece(count - len(held))
            if not piece:
                break
            held += piece
            self.got += len(piece)
        return bytes(held)

    def _piece(self, count: int) -> bytes:
        before = self._clock()
        try:
            piece: bytes = self._response.read1(count)
        except (OSError, ValueError, http.client.HTTPException) as error:
            told = f"the connection broke off after {self.got:,} bytes ({words(error)})"
            self.trouble = PassingError(told)
            return b""
        self._waited += self._clock() - before
        self._came += len(piece)
        if self._waited >= self._timeout:
            if self._came < SLOWEST and piece:
                told = f"fewer than {SLOWEST:,} bytes in {self._timeout:g} seconds"
                self.trouble = PassingError(told)
            self._waited, self._came = 0.0, 0
        return piece


def _read_on(response: Any) -> bool:
    """Tell whether a server that said it would close sends more than it said."""
    response.length = 1
    try:
        return bool(response.read(1))
    except (OSError, ValueError, http.client.HTTPException):
        return False


def encoding_of(response: Any, host: str) -> str | None:
    """
    Return how a body is compressed.

    Parameters
    ----------
    response
        From `Connection.opened`.
    host
        Name of the server, for the message.

    Returns
    -------
    encoding
        ``None`` where it is not.

    Raises
    ------
    FetchError
        If it is compressed in a way that was not asked for and cannot be undone.
    """
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().casefold()
    if encoding == "identity":
        return None
    if encoding not in _ENCODINGS:
        msg = (
            f"{host} sends it compressed as {encoding!r}, which was not asked for. Download it in "
            "a browser."
        )
        raise FetchError(msg)
    return encoding


def unpacked(
    packed: Iterable[bytes], encoding: str, host: str, *, most: int | None = None
) -> Iterator[bytes]:
    """
    Yield a compressed body as it was before.

    Parameters
    ----------
    packed
        Blocks of it.
    encoding
        From `encoding_of`.
    host
        Name of the server, for messages.
    most
        The most bytes that it may become.

    Yields
    ------
    block
        Bytes.

    Raises
    ------
    FetchError
        If it is damaged, or becomes longer than that.
    """
    undo = zlib.decompressobj(zlib.MAX_WBITS | 32 if encoding != "deflate" else zlib.MAX_WBITS)
    got = 0
    try:
        for block in packed:
            rest = block
            while rest:
                plain = undo.decompress(rest, BLOCK)
                rest = undo.unconsumed_tail
                got += len(plain)
                if most is not None and got > most:
                    msg = f"{host} sends more than {most:,} bytes, which is no page of data."
                    raise FetchError(msg)
                yield plain
        yield undo.flush()
    except zlib.error as error:
        msg = f"{host} sends it compressed, and damaged ({error}). Run it again."
        raise FetchError(msg) from error
    if not undo.eof:
        msg = f"{host} sends it compressed, and damaged (it is cut short). Run it again."
        raise FetchError(msg)


def parse_json(body: bytes, url: str) -> Any:
    """
    Read an answer as JSON.

    Parameters
    ----------
    body
        The bytes.
    url
        What was asked.

    Returns
    -------
    content
        As `json.loads` gives it.

    Raises
    ------
    PassingError
        If it is empty or cut short.
    FetchError
        If it is a web page.
    """
    host = urlsplit(url).netloc
    if not body.strip():
        told = f"{host} answers with nothing"
        raise PassingError(told)
    refuse_web_page(body, host)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        told = f"{host} answers with something cut short or garbled"
        raise PassingError(told) from error


def refuse_web_page(start: bytes, host: str) -> None:
    """
    Refuse a web page where data were asked for: what networks show that want a sign-in.

    Parameters
    ----------
    start
        The first bytes of the answer.
    host
        Name of the server, for the message.

    Raises
    ------
    FetchError
        If it is one.
    """
    if _PAGE.match(start[:512].lstrip(b"\xef\xbb\xbf").lower()):
        msg = (
            f"{host} answers with a web page instead of data: your network may want you to sign "
            "in, or block the address. Open it in a browser first."
        )
        raise FetchError(msg)
