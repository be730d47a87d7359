"""
Asking public servers politely: pauses, retries, resumed and partial downloads, proxies.

On the standard library, so that a locked-down machine needs nothing more: it
takes the proxy from ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` (on
Windows and macOS also from the system's settings), and trusts the system's
certificates, among them those of a network that inspects its traffic.
"""

from __future__ import annotations

import http.client
import ssl
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
from placeshaping.sources.answers import PassingError, StatusError, blocks, parse_json, words

_PASSING = {408, 425, 429, 500, 502, 503, 504}


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from an encrypted address to one that is not."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.scheme not in {"http", "https"} or (old.scheme == "https" != new.scheme):
            text = (
                f"{old.netloc} redirects to an unsafe address ({new.scheme}). It is not followed."
            )
            raise FetchError(text)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


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
        Seconds without a byte after which a connection counts as broken.
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
        rng: int | np.random.Generator | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.attempts = attempts
        self.interval = interval
        self.longest_wait = longest_wait
        self.timeout = timeout
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
                    return b"".join(blocks(response))
            except PassingError as trouble:
                trials.again(trouble)

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
        if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
            msg = f"{url} is no web address (https://...). Correct it in the catalogue."
            raise FetchError(msg)
        if self._asked:
            self.pause(self.interval)
        self._asked = True
        try:
            response = self._open(url, dict(headers or {}), data)
        except urllib.error.HTTPError as refusal:
            with refusal:
                _refused(refusal, url, ranged=ranged)
        with response:
            self._reached.add(urllib.parse.urlsplit(url).netloc)
            self.date = response.headers.get("Date") or self.date
            yield response

    def _open(self, url: str, headers: dict[str, str], data: bytes | None) -> Any:
        if self._opener is None:
            self._opener = urllib.request.build_opener(_CarefulRedirects())
        agent = f"placeshaping/{versions('placeshaping').get('placeshaping', '0')}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url, data=data, headers={"User-Agent": agent, "Accept": "*/*", **headers}
        )
        host = urllib.parse.urlsplit(url).netloc
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            raise self._unreachable(host, error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(host, error) from error

    def _unreachable(self, host: str, reason: object) -> Exception:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return FetchError(
                f"{host} shows a certificate that this machine does not trust "
                f"({reason.verify_message}). If your network inspects its traffic, have its "
                "certificate added to the system's, or name it in SSL_CERT_FILE."
            )
        told = f"{host} cannot be reached ({words(reason)})"
        passing = isinstance(
            reason, ConnectionResetError | TimeoutError | http.client.HTTPException | ssl.SSLError
        )
        if passing or host in self._reached:
            return PassingError(told)
        proxy = "" if urllib.request.getproxies() else (
            " If your network has a proxy, name it in HTTPS_PROXY."
        )  # fmt: skip
        return FetchError(f"{told}. Check the connection.{proxy}")

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
        self._host = urllib.parse.urlsplit(url).netloc
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
            msg = f"{self._host} asks to wait {trouble.wait:,.0f} seconds. Run it again after that."
            raise FetchError(msg) from trouble
        if self._tried >= connection.attempts:
            msg = f"{self._host}: gave up after {self._tried:,} attempts; at the last, {trouble}."
            raise FetchError(msg) from trouble
        connection.wait(self._tried, trouble.wait)


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
        told += ": the proxy wants a name and a password (HTTPS_PROXY=http://name:password@host)"
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
    except (ValueError, TypeError):
        return None
