"""
Asking public servers politely: pauses, retries, resumed and partial downloads, proxies.

On the standard library, so that a locked-down machine needs nothing more.
"""

from __future__ import annotations

import http.client
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

import numpy as np

from placeshaping._core.errors import FetchError
from placeshaping._core.provenance import versions
from placeshaping.sources.answers import (
    PassingError,
    StatusError,
    blocks,
    encoding_of,
    parse_json,
    unpacked,
)
from placeshaping.sources.routes import WANTS_A_NAME, make_opener, unreachable, web_address

_PASSING = {408, 425, 429, 500, 502, 503, 504}


class Connection:
    """
    A way to the outside world that is patient and polite.

    Parameters
    ----------
    attempts
        How often in a row to try before giving up; an attempt that brings
        a megabyte or more of a download starts the count anew.
    interval
        Seconds between two requests.
    longest_wait
        The most seconds to wait before an attempt; a server that asks for more is left alone.
    timeout
        Seconds without a byte, or with fewer than 1,000, after which a connection counts as
        broken.
    most
        The most bytes of an answer that is no file.
    rng
        Seed or generator of the jitter in the waits; drawn from the system where not given.
    pause
        The function that waits.

    Attributes
    ----------
    date
        When the last answer came, by the server's clock.

    Examples
    --------
    >>> waits = []
    >>> connection = Connection(attempts=1, pause=waits.append)
    >>> connection.get("ftp://example.org/a")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.FetchError: ftp://example.org/a is no web address ...
    """

    def __init__(
        self,
        *,
        attempts: int = 5,
        interval: float = 0.1,
        longest_wait: float = 120.0,
        timeout: float = 60.0,
        most: int = 1 << 30,
        rng: int | np.random.Generator | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.attempts = attempts
        self.interval = interval
        self.longest_wait = longest_wait
        self.timeout = timeout
        self.most = most
        self.pause = pause
        self._rng = np.random.default_rng(rng)
        self._opener: urllib.request.OpenerDirector | None = None
        self.date: str | None = None
        self._asked = False
        self._reached: set[str] = set()

    def get(self, url: str, *, form: Mapping[str, str] | None = None) -> bytes:
        """
        Return the body of an answer, retried where the trouble may pass.

        Parameters
        ----------
        url
            The address, with its query.
        form
            Fields to send in the body, where they are too long for the address.

        Returns
        -------
        body
            The bytes; possibly none.

        Raises
        ------
        FetchError
            If the server cannot be reached, refuses, or keeps failing.
        """
        trials = Trials(self, url)
        data = None if form is None else urllib.parse.urlencode(form).encode()
        while True:
            try:
                with self.opened(url, data=data) as response:
                    return self._body(response, url)
            except PassingError as trouble:
                trials.again(trouble)

    def _body(self, response: Any, url: str) -> bytes:
        host = urllib.parse.urlsplit(url).netloc
        encoding = encoding_of(response, host)
        got, parts = 0, []
        for block in blocks(response, timeout=self.timeout):
            got += len(block)
            parts.append(block)
            if got > self.most:
                msg = f"{host} sends more than {self.most:,} bytes, which is no page of data."
                raise FetchError(msg)
        body = b"".join(parts)
        if encoding is None:
            return body
        return b"".join(unpacked([body], encoding, host, most=self.most))

    def get_json(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> Any:
        """
        Return an answer read as JSON; one that is cut short is asked for again.

        Parameters
        ----------
        url
            The address, with its query.
        form
            Fields to send in the body.
        check
            Called with the answer; may raise `PassingError` to have it asked for again.

        Returns
        -------
        content
            As `json.loads` gives it.

        Raises
        ------
        FetchError
            If the server keeps answering with something else.
        """
        trials = Trials(self, url)
        while True:
            body = self.get(url, form=form)
            try:
                content = parse_json(body, url)
                if check is not None:
                    check(content)
            except PassingError as trouble:
                trials.again(trouble)
            else:
                return content

    @contextmanager
    def opened(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        ranged: bool = False,
    ) -> Iterator[Any]:
        """
        Open an address, after the pause that politeness asks for.

        Parameters
        ----------
        url
            The address.
        headers
            Headers to send.
        data
            A body to send.
        ranged
            Whether the rest of a file is asked for, so that 416 is an answer.

        Yields
        ------
        response
            Its `status`, `headers` and `read`.

        Raises
        ------
        PassingError
            If the trouble may be gone at the next attempt.
        FetchError
            If it will not be.
        StatusError
            If `ranged`, and nothing is left to send.
        """
        address = web_address(url)
        if self._asked:
            self.pause(self.interval)
        self._asked = True
        try:
            response = self._open(address, dict(headers or {}), data)
        except urllib.error.HTTPError as refusal:
            with refusal:
                _refused(refusal, url, ranged=ranged)
        with response:
            self._reached.add(urllib.parse.urlsplit(url).netloc)
            self.date = response.headers.get("Date") or self.date
            _check_status(response, url)
            yield response

    def _open(self, url: str, headers: dict[str, str], data: bytes | None) -> Any:
        if self._opener is None:
            self._opener = make_opener()
        agent = f"placeshaping/{versions('placeshaping').get('placeshaping', '0')}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url, data=data, headers={"User-Agent": agent, "Accept": "*/*", **headers}
        )
        known = urllib.parse.urlsplit(url).netloc in self._reached
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            raise unreachable(url, error.reason, known=known) from error
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(url, error, known=known) from error

    def wait(self, tried: int, asked: float | None) -> None:
        """
        Wait before the next attempt: as long as the server asks, else twice as long each time.

        Parameters
        ----------
        tried
            Attempts that failed so far.
        asked
            Seconds that the server asks for, where it does.
        """
        backoff = min(2.0 ** (tried - 1), self.longest_wait) * self._rng.uniform(0.5, 1.0)
        self.pause(backoff if asked is None else asked)


class Trials:
    """
    The count of attempts at one thing.

    Parameters
    ----------
    connection
        What is tried with.
    url
        What is asked for.
    """

    def __init__(self, connection: Connection, url: str) -> None:
        self._connection = connection
        self._host = urllib.parse.urlsplit(web_address(url)).netloc
        self._tried = 0

    def restart(self) -> None:
        """Count from the beginning: something was reached."""
        self._tried = 0

    def again(self, trouble: PassingError) -> None:
        """
        Wait for the next attempt, or give up.

        Parameters
        ----------
        trouble
            Why the last one failed.

        Raises
        ------
        FetchError
            If there were as many attempts as the connection allows, or the
            server asks for a longer wait than it allows.
        """
        self._tried += 1
        connection = self._connection
        if trouble.wait is not None and trouble.wait > connection.longest_wait:
            msg = f"{self._host} asks to wait {_span(trouble.wait)}. Run it again after that."
            raise FetchError(msg) from trouble
        if self._tried >= connection.attempts:
            msg = f"{self._host}: gave up after {self._tried:,} attempts; at the last, {trouble}."
            raise FetchError(msg) from trouble
        connection.wait(self._tried, trouble.wait)


def _check_status(response: Any, url: str) -> None:
    """Refuse a success that comes without what was asked for."""
    host = urllib.parse.urlsplit(url).netloc
    if response.status == 202:
        told = f"{host} answers 202: not ready yet"
        raise PassingError(told, wait=_retry_after(response.headers))
    if response.status in {204, 205}:
        msg = f"{host} answers {response.status} {response.reason} and sends nothing."
        raise FetchError(msg)


def _refused(refusal: urllib.error.HTTPError, url: str, *, ranged: bool) -> None:
    """Turn a status into a passing trouble or a final error."""
    host = urllib.parse.urlsplit(url).netloc
    told = f"{host} answers {refusal.code} {refusal.reason}".strip()
    if refusal.code in _PASSING:
        raise PassingError(told, wait=_retry_after(refusal.headers)) from refusal
    if refusal.code == 416 and ranged:
        raise StatusError(416, refusal.headers, told) from refusal
    if refusal.code in {404, 410}:
        told += f": nothing is at {url} any more. Set the new address in boundaries/catalogue.toml"
    elif refusal.code == 407:
        told += f" for the proxy. {WANTS_A_NAME.rstrip('.')}"
    elif refusal.code in {301, 302, 303, 307, 308} and refusal.headers.get("Location"):
        told = f"{host} redirects in a circle"
    msg = f"{told}."
    raise FetchError(msg) from refusal


def _retry_after(headers: Message) -> float | None:
    """Return the seconds to wait; a date is measured by the server's own clock."""
    text = str(headers.get("Retry-After") or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
        return max((then - parsedate_to_datetime(str(headers.get("Date")))).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):
        return None


def _span(seconds: float) -> str:
    """Write a wait of minutes or more in words."""
    if seconds > 86_400:
        return "more than a day"
    if seconds > 7_200:
        return f"{math.ceil(seconds / 3_600):,} hours"
    return f"{math.ceil(seconds / 60):,} minutes"
