"""What a server's answer may be: a passing trouble, a page that is no data, or its bytes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from placeshaping._core.errors import FetchError

BLOCK = 1 << 18
"""Bytes that are read at once."""


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


def blocks(response: Any) -> Iterator[bytes]:
    """
    Yield the body of an answer.

    Parameters
    ----------
    response
        From `Connection.opened`.

    Yields
    ------
    block
        Bytes.

    Raises
    ------
    PassingError
        If the body is not as long as the server said.
    """
    declared = response.headers.get("Content-Length")
    expected = int(declared) if declared and declared.isdecimal() else None
    if expected is not None and response.will_close and response.length == expected:
        response.length = expected + 1  # so that a byte too many is seen rather than passed over
    got = 0
    while expected is None or got < expected:
        left = BLOCK if expected is None else min(BLOCK, expected - got)
        block = _read(response, left, got)
        if not block:
            break
        got += len(block)
        yield block
    if expected is not None and got < expected:
        told = f"the connection broke off after {got:,} of {expected:,} bytes"
        raise PassingError(told)
    if expected is not None and response.length and _read_on(response):
        told = f"more than the {expected:,} bytes came that were said to be all"
        raise PassingError(told)


def _read(response: Any, count: int, got: int) -> bytes:
    try:
        block: bytes = response.read(count)
    except (OSError, http.client.HTTPException) as error:
        told = f"the connection broke off after {got:,} bytes ({words(error)})"
        raise PassingError(told) from error
    return block


def _read_on(response: Any) -> bool:
    """Tell whether a server that said it would close sends more than it said."""
    try:
        return bool(response.read(1))
    except (OSError, http.client.HTTPException):
        return False


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
    except ValueError as error:
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
    begin = start[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith((b"<!doctype html", b"<html")):
        msg = (
            f"{host} answers with a web page instead of data: your network may want you to sign "
            "in, or block the address. Open it in a browser first."
        )
        raise FetchError(msg)
