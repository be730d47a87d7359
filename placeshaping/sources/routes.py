"""How a request finds its way: addresses, redirects, proxies and trusted certificates."""

from __future__ import annotations

import http.client
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from placeshaping._core.errors import FetchError
from placeshaping.sources.answers import PassingError, words

_SAFE = "%/:=&?~#+!$,;'@()*[]"
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}) ?(.*)")
_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def web_address(url: str) -> str:
    """
    Return an address as it is sent, letters beyond ASCII and spaces escaped.

    Parameters
    ----------
    url
        As the catalogue has it.

    Returns
    -------
    address
        In ASCII.

    Raises
    ------
    FetchError
        If it is no web address.

    Examples
    --------
    >>> web_address("https://example.org/two words.csv?q=%20")
    'https://example.org/two%20words.csv?q=%20'
    """
    if not _is_web(url):
        msg = f"{url} is no web address (https://...). Correct it in the catalogue."
        raise FetchError(msg)
    parts = urllib.parse.urlsplit(url)
    path, query = (urllib.parse.quote(text, safe=_SAFE) for text in (parts.path, parts.query))
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc, path or "/", query, ""))


def _is_web(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        whole = parts.port is None or parts.port > 0
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in {"http", "https"} and whole and bool(re.fullmatch(r"[^\s/]+", host))


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from an encrypted address to one that is not."""

    def http_error_302(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any
    ) -> Any:
        location = headers.get("Location")
        if location:
            try:
                _check_redirect(req.full_url, location)
            except FetchError:
                fp.close()
                raise
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.data is None or code == 303:
            return super().redirect_request(req, fp, code, msg, headers, newurl)
        # A question that is too long for an address is asked again where it was sent on to.
        return urllib.request.Request(  # noqa: S310 - the scheme was checked
            newurl.replace(" ", "%20"), data=req.data, headers=dict(req.headers), unverifiable=True
        )


def _check_redirect(old: str, location: str) -> None:
    host = urllib.parse.urlsplit(old).netloc
    try:
        target = urllib.parse.urljoin(old, location)
        scheme = urllib.parse.urlsplit(target).scheme
    except ValueError:
        target = scheme = ""
    encrypted = urllib.parse.urlsplit(old).scheme == "https"
    if scheme and (scheme not in {"http", "https"} or (encrypted and scheme != "https")):
        msg = f"{host} redirects to an unsafe address ({scheme}). It is not followed."
        raise FetchError(msg)
    if not _is_web(target):
        msg = f"{host} redirects to what is no address. Look at {old} in a browser."
        raise FetchError(msg)


def make_opener() -> urllib.request.OpenerDirector:
    """
    Make what opens addresses: through the proxy and with the certificates that are set.

    Returns
    -------
    opener
        With the proxy of ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY`` or the system,
        and certificates of the system, or of ``SSL_CERT_FILE``,
        ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE``.

    Raises
    ------
    FetchError
        If a file of certificates cannot be read.
    """
    context = ssl.create_default_context()
    for name in _CERTIFICATES:
        path = os.environ.get(name)
        if not path:
            continue
        place: Mapping[str, str] = {"capath" if Path(path).is_dir() else "cafile": path}
        try:
            context.load_verify_locations(**place)
        except OSError as error:  # ssl.SSLError is one
            msg = f"{name} names {path}, which holds no certificates ({words(error)}). Correct it."
            raise FetchError(msg) from error
    handler = urllib.request.HTTPSHandler(context=context)
    return urllib.request.build_opener(_CarefulRedirects(), handler)


def proxy_of(url: str) -> str | None:
    """
    Return the proxy that an address is reached through, without name and password.

    Parameters
    ----------
    url
        The address.

    Returns
    -------
    proxy
        Host and port; ``None`` where there is none.
    """
    parts = urllib.parse.urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return None
    return proxy.rpartition("://")[2].rpartition("@")[2].rstrip("/")


def unreachable(url: str, reason: object, *, known: bool) -> Exception:
    """
    Turn the reason why a server was not reached into an error that names the remedy.

    Parameters
    ----------
    url
        What was asked for.
    reason
        The error of the connection.
    known
        Whether the server was reached before.

    Returns
    -------
    error
        A `PassingError` where another attempt may succeed, else a `FetchError`.
    """
    host, proxy = urllib.parse.urlsplit(url).netloc, proxy_of(url)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return FetchError(
            f"{host} shows a certificate that this machine does not trust "
            f"({reason.verify_message}). If your network inspects its traffic, have its "
            f"certificate added to the system's, or name it in SSL_CERT_FILE{_misnamed()}."
        )
    tunnel = _TUNNEL.search(str(reason))
    if tunnel is not None:
        return _tunnel_error(host, proxy or "of the network", tunnel)
    through = f" through the proxy {proxy}" if proxy else ""
    told = f"{host} cannot be reached{through} ({words(reason)})"
    passing = isinstance(
        reason, ConnectionResetError | TimeoutError | http.client.HTTPException | ssl.SSLError
    ) and not isinstance(reason, http.client.InvalidURL)
    if passing or known:
        return PassingError(told)
    if proxy:
        return FetchError(f"{told}. Check the connection, and the proxy's name in HTTPS_PROXY.")
    hint = "" if urllib.request.getproxies() else (
        " If your network has a proxy, name it in HTTPS_PROXY."
    )  # fmt: skip
    return FetchError(f"{told}. Check the connection.{hint}")


def _tunnel_error(host: str, proxy: str, found: re.Match[str]) -> Exception:
    """Say what a proxy answers that is asked to connect to an encrypted address."""
    status, reason = int(found[1]), found[2].strip()
    told = f"{host} cannot be reached: the proxy {proxy} answers {status} {reason}".rstrip()
    if status == 407:
        return FetchError(f"{told}. {WANTS_A_NAME}")
    if status in {408, 429, 500, 502, 503, 504}:
        return PassingError(told)
    return FetchError(f"{told}. Ask those who run it to allow {host}.")


WANTS_A_NAME = (
    "It wants a name and a password (HTTPS_PROXY=http://name:password@host:port; letters such as "
    "@ written as %40)."
)
"""The remedy where a proxy wants a name."""


def _misnamed() -> str:
    path = os.environ.get("SSL_CERT_FILE")
    return f" (it names {path}, which is not there)" if path and not Path(path).is_file() else ""
