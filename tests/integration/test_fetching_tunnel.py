"""Fetching over TLS, directly and through a proxy that connects, on loopback."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import random
import re
import select
import socket
import ssl
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from placeshaping._core.errors import FetchError
from placeshaping.sources.downloads import get_range
from placeshaping.sources.fetch import Fetched, fetch
from placeshaping.sources.network import Connection

HOST = "statistics.test"
TABLE = b"LSOA21CD,residents\n" + b"".join(b"E01%06d,%d\n" % (i, i) for i in range(40_000))

# --- A certificate that signs itself, written out byte by byte (X.690, RFC 5280) ----------------


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(length)]) + length + body


def number(value: int) -> bytes:
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(hexadecimal: str) -> bytes:
    return der(6, bytes.fromhex(hexadecimal))


def prime(rng: random.Random, bits: int) -> int:
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
    while True:
        found = rng.getrandbits(bits) | (3 << (bits - 2)) | 1
        if all(found % n for n in small) and (found - 1) % 65_537 and pow(2, found - 1, found) == 1:
            return found


def pem(label: str, content: bytes) -> str:
    text = "\n".join(textwrap.wrap(base64.b64encode(content).decode(), 64))
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n"


def make_certificate(*hosts: str) -> tuple[str, str]:
    """Return a certificate for hosts and 127.0.0.1, and its key, as PEM; of no use elsewhere."""
    rng = random.Random(1)
    p, q, e = prime(rng, 1024), prime(rng, 1024), 65_537
    n, d = p * q, pow(e, -1, (p - 1) * (q - 1))
    secret = der(0x30, number(0), *map(number, (n, e, d, p, q, d % (p - 1), d % (q - 1),
                                                pow(q, -1, p))))  # fmt: skip
    public = der(0x30, number(n), number(e))
    rsa = der(0x30, oid("2a864886f70d010101"), der(5))
    sha256_rsa = der(0x30, oid("2a864886f70d01010b"), der(5))
    name = der(0x30, der(0x31, der(0x30, oid("550403"), der(12, b"loopback"))))
    names = [*(der(0x82, host.encode()) for host in hosts), der(0x87, bytes([127, 0, 0, 1]))]
    key_id = hashlib.sha256(public).digest()[:20]
    true = der(1, b"\xff")
    extensions = (
        (oid("551d11"), b"", der(0x30, *names)),
        (oid("551d13"), true, der(0x30, true)),
        (oid("551d0f"), true, der(3, b"\x02\x84")),
        (oid("551d0e"), b"", der(4, key_id)),
        (oid("551d23"), b"", der(0x30, der(0x80, key_id))),
    )
    held = der(0x30, *(der(0x30, kind, critical, der(4, value))
                       for kind, critical, value in extensions))  # fmt: skip
    dates = der(0x30, der(24, b"20200101000000Z"), der(24, b"99991231235959Z"))
    body = der(0x30, der(0xA0, number(2)), number(1), sha256_rsa, name, dates, name,
               der(0x30, rsa, der(3, b"\0", public)), der(0xA3, held))  # fmt: skip
    digest = der(0x30, der(0x30, oid("608648016503040201"), der(5)),
                 der(4, hashlib.sha256(body).digest()))  # fmt: skip
    padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
    signature = pow(int.from_bytes(padded, "big"), d, n).to_bytes(256, "big")
    certificate = der(0x30, body, sha256_rsa, der(3, b"\0", signature))
    return pem("CERTIFICATE", certificate), pem("RSA PRIVATE KEY", secret)


# --- A server that speaks TLS, and a proxy that connects ------------------------------------------


class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    break_off = False

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/plain":
            self.send_response(302)
            self.send_header("Location", f"http://{HOST}/people.csv")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        start = int(asked[1]) if asked else 0
        stop = min(int(asked[2]) + 1 if asked and asked[2] else len(TABLE), len(TABLE))
        self.send_response(206 if asked else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(stop - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(TABLE)}")
        self.end_headers()
        if type(self).break_off and not asked:
            self.wfile.write(TABLE[:100_000])
            self.close_connection = True
            return
        self.wfile.write(TABLE[start:stop])


class Tunnel(BaseHTTPRequestHandler):
    """Connects whatever host it is asked for with the server on loopback."""

    target: int
    password: str | None
    refusals: list[int]
    seen: list[str]

    def log_message(self, *_: Any) -> None:
        pass

    def do_CONNECT(self) -> None:
        self.seen.append(self.path)
        wanted = base64.b64encode(f"ann:{self.password}".encode()).decode()
        if self.password and self.headers.get("Proxy-Authorization") != f"Basic {wanted}":
            self.send_error(407)
        elif self.refusals:
            self.send_error(self.refusals.pop(0))
        else:
            with socket.create_connection(("127.0.0.1", self.target)) as upstream:
                self.send_response(200)
                self.end_headers()
                pass_on(self.connection, upstream)
        self.close_connection = True


def pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            ready, _, _ = select.select([one, other], [], [], 10)
            for source in ready:
                block = source.recv(65_536)
                if not block:
                    return
                (other if source is one else one).sendall(block)
            if not ready:
                return


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a client that does not trust the certificate."""


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None) -> Iterator[int]:
    server = QuietServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Place:
    """The server, the proxy before it, and `fetch` with a catalogue that names the server."""

    def __init__(
        self, folder: Path, port: int, proxy: int, pages: type[Pages], tunnel: type[Tunnel]
    ) -> None:
        self.folder, self.port, self.proxy = folder, port, proxy
        self.pages, self.tunnel = pages, tunnel
        self.certificate = folder / "certificate.pem"
        self.waits: list[float] = []

    def connection(self, attempts: int = 3) -> Connection:
        return Connection(attempts=attempts, interval=0, timeout=10, rng=0, pause=self.waits.append)

    def fetch(self, url: str = f"https://{HOST}/people.csv") -> Fetched:
        text = f'[people]\nkind = "file"\nurl = "{url}"\nfile = "people.csv"\nrows = 40_000\n'
        (self.folder / "catalogue.toml").write_text(text, "utf-8")
        cache = self.folder / "cache"
        return fetch("people", boundaries=self.folder, cache=cache, connection=self.connection())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    public, secret = make_certificate(HOST)
    (folder / "certificate.pem").write_text(public, "utf-8")
    (folder / "both.pem").write_text(public + secret, "utf-8")
    return folder


@pytest.fixture
def place(certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy", "ssl_cert_file",
                 "ssl_cert_dir", "requests_ca_bundle", "curl_ca_bundle"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "certificate.pem").write_bytes((certificate / "certificate.pem").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "both.pem")
    pages = type("ThesePages", (Pages,), {})
    with serving(pages, context) as port:
        held = {"target": port, "password": None, "refusals": [], "seen": []}
        tunnel = type("ThisTunnel", (Tunnel,), held)
        with serving(tunnel, None) as proxy:
            made = Place(tmp_path, port, proxy, pages, tunnel)
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy}")
            yield made


@pytest.fixture
def trusted(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SSL_CERT_FILE", str(place.certificate))
    return place


def test_encrypted_address_is_reached_through_a_proxy(trusted: Place) -> None:
    fetched = trusted.fetch()
    assert fetched.path.read_bytes() == TABLE
    assert trusted.tunnel.seen == [f"{HOST}:443"]


def test_download_through_a_proxy_goes_on_where_it_broke(trusted: Place) -> None:
    trusted.pages.break_off = True
    assert trusted.fetch().path.read_bytes() == TABLE
    assert len(trusted.tunnel.seen) == 2


def test_part_is_read_through_a_proxy(trusted: Place) -> None:
    content, served = get_range(trusted.connection(), f"https://{HOST}/a", 1000, 2000)
    assert (content, served.total) == (TABLE[1000:2000], len(TABLE))


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_named_for_other_programs_are_trusted_too(
    place: Place, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(place.certificate))
    assert place.fetch().path.read_bytes() == TABLE


def test_certificate_that_is_not_trusted_is_told_with_the_remedy(place: Place) -> None:
    with pytest.raises(FetchError, match=r"not trust \(self.signed.*name it in SSL_CERT_FILE\."):
        place.fetch()
    assert place.waits == []
    assert not (place.folder / "cache" / "files").exists()


def test_certificates_that_are_not_there_are_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    with pytest.raises(FetchError, match=r"it names /no/such\.pem, which is not there"):
        place.fetch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/other.pem")
    with pytest.raises(FetchError, match=r"REQUESTS_CA_BUNDLE names /no/other\.pem, which holds"):
        place.fetch()


def test_certificate_of_another_host_is_refused(trusted: Place) -> None:
    with pytest.raises(FetchError, match=r"does not trust \(.*Hostname mismatch"):
        trusted.fetch("https://elsewhere.test/people.csv")


def test_redirect_out_of_encryption_is_refused(trusted: Place) -> None:
    with pytest.raises(FetchError, match=r"redirects to an unsafe address \(http\)"):
        trusted.fetch(f"https://{HOST}/plain")


def test_host_named_in_no_proxy_is_asked_directly(
    trusted: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert trusted.fetch(f"https://127.0.0.1:{trusted.port}/a").path.read_bytes() == TABLE
    assert trusted.tunnel.seen == []


def test_proxy_that_wants_a_name_is_told_and_given_it(
    trusted: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted.tunnel.password = "s@cret"
    with pytest.raises(FetchError, match=r"answers 407 .*HTTPS_PROXY=http://name:password@host"):
        trusted.fetch()
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:zebra@127.0.0.1:{trusted.proxy}")
    refusal = rf"the proxy 127\.0\.0\.1:{trusted.proxy} answers 407"
    with pytest.raises(FetchError, match=refusal) as told:
        trusted.fetch()
    assert "zebra" not in str(told.value)
    monkeypatch.setenv("HTTPS_PROXY", f"http://ann:s%40cret@127.0.0.1:{trusted.proxy}")
    fetched = trusted.fetch()
    note = fetched.path.with_name("people.csv.json").read_text(encoding="utf-8")
    assert "cret" not in note


def test_proxy_that_refuses_a_host_is_told(trusted: Place) -> None:
    trusted.tunnel.refusals = [403]
    match = rf"the proxy 127\.0\.0\.1:\d+ answers 403 Forbidden\. Ask .* to allow {HOST}\."
    with pytest.raises(FetchError, match=match):
        trusted.fetch()
    assert trusted.waits == []


def test_proxy_in_trouble_is_asked_again(trusted: Place) -> None:
    trusted.tunnel.refusals = [502, 503]
    assert trusted.fetch().path.read_bytes() == TABLE
    assert len([wait for wait in trusted.waits if wait]) == 2


@pytest.mark.parametrize("scheme", ["http://ann:secret@", "", "http://"])
def test_proxy_that_cannot_be_reached_is_named_without_its_password(
    place: Place, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}127.0.0.1:{port}")
    match = rf"{HOST} cannot be reached through the proxy 127\.0\.0\.1:{port} \(.*HTTPS_PROXY"
    with pytest.raises(FetchError, match=match) as told:
        place.fetch()
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:port", "socks5://127.0.0.1:1", "http://["])
def test_proxy_that_is_written_wrongly_is_told_at_once(
    place: Place, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(FetchError, match=r"cannot be reached through the proxy .*HTTPS_PROXY"):
        place.fetch()
    assert place.waits == []
