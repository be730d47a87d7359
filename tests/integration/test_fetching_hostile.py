"""Fetching from a server on loopback that lies byte by byte: each answer is written out."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from placeshaping._core.errors import FetchError, OutputError
from placeshaping.sources.downloads import Served, WholeOnlyError, download, get_range
from placeshaping.sources.network import Connection
from placeshaping.sources.remote_zip import open_remote_zip

Answer = bytes | Callable[[str], bytes]


class RawServer:
    """Give the answers of a list, one a connection, the last one again and again; then close."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[str] = []
        self.drip = 0.0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client, contextlib.suppress(ConnectionError):
                self._answer(client)

    def _answer(self, client: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            block = client.recv(65_536)
            if not block:
                return
            request += block
        self.requests.append(request.decode("latin-1"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        content = answer(self.requests[-1]) if callable(answer) else answer
        if not self.drip:
            client.sendall(content)
            return
        for place in range(len(content)):
            client.sendall(content[place : place + 1])
            if self._stopped.wait(self.drip):
                return

    def asked(self, header: str) -> list[str | None]:
        """Return what each request said in a header."""
        found = [re.search(rf"(?im)^{header}: (.*)\r$", request) for request in self.requests]
        return [None if one is None else one[1] for one in found]

    def stop(self) -> None:
        self._stopped.set()
        self._socket.close()
        with contextlib.suppress(OSError):  # wakes `accept` where closing does not
            socket.create_connection(self._socket_address(), timeout=0.1).close()
        self._thread.join(timeout=5)

    def _socket_address(self) -> tuple[str, int]:
        return "127.0.0.1", int(self.url.rpartition(":")[2])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    made = RawServer()
    yield made
    made.stop()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}"]
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    if "Content-Length" not in given and "Transfer-Encoding" not in given:
        given["Content-Length"] = str(len(body))
    lines += [f"{key}: {value}" for key, value in given.items() if value]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def part_of(content: bytes, request: str, **headers: str) -> bytes:
    """Answer a request for a part as a server that knows parts."""
    found = re.search(r"(?im)^Range: bytes=(\d+)-(\d*)", request)
    if found is None:
        return answer(content, **headers)
    start = int(found[1])
    stop = min(int(found[2]) + 1 if found[2] else len(content), len(content))
    told = f"bytes {start}-{stop - 1}/{len(content)}"
    return answer(content[start:stop], "206 Partial Content", Content_Range=told, **headers)


def patient(**options: float) -> Connection:
    return Connection(**{"attempts": 3, "interval": 0.0, "timeout": 5.0, "rng": 0,
                         "pause": lambda _: None, **options})  # type: ignore[arg-type]  # fmt: skip


BIG = bytes(range(256)) * 8192  # 2 MB


# --- Downloads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["", '"one"'])
def test_download_that_always_breaks_off_at_the_same_place_ends(
    server: RawServer, tmp_path: Path, tag: str
) -> None:
    server.answers = [answer(BIG, Content_Length=str(len(BIG) + 1), ETag=tag)]
    with pytest.raises(FetchError, match=r"gave up after 3 attempts; at the last, .* broke off"):
        download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert len(server.requests) <= 6


def test_parts_smaller_than_asked_for_add_up(server: RawServer, tmp_path: Path) -> None:
    def small(request: str) -> bytes:
        start = int(re.search(r"bytes=(\d+)-", request)[1])  # type: ignore[index]
        stop = min(start + 1_100_000, len(BIG))
        told = f"bytes {start}-{stop - 1}/{len(BIG)}"
        return answer(BIG[start:stop], "206 Partial Content", Content_Range=told, ETag='"one"')

    server.answers = [answer(BIG[:9], Content_Length=str(len(BIG)), ETag='"one"'), small]
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == BIG


@pytest.mark.parametrize(
    "other", [{"Last_Modified": "Thu, 20 Nov 2025 10:00:00 GMT"}, {"more": "1"}]
)
def test_part_of_a_file_changed_since_is_not_taken_from_a_server_without_tags(
    server: RawServer, tmp_path: Path, other: dict[str, str]
) -> None:
    old, new = b"old " * 1000, b"new " * (1000 + len(other.pop("more", "")))
    date = {"Last_Modified": "Wed, 19 Nov 2025 10:00:00 GMT"}
    server.answers = [
        answer(old[:2000], Content_Length=str(len(old)), **date),
        lambda request: part_of(new, request, **{**date, **other}),
    ]
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == new


def test_part_without_its_place_is_not_taken(server: RawServer, tmp_path: Path) -> None:
    server.answers = [
        answer(BIG[:1000], Content_Length=str(len(BIG)), ETag='"one"'),
        answer(BIG[:1000], "206 Partial Content", ETag='"one"'),
        answer(BIG, ETag='"one"'),
    ]
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == BIG
    assert server.asked("Range") == [None, "bytes=1000-", None]


def test_part_that_nobody_asked_for_is_not_taken(server: RawServer, tmp_path: Path) -> None:
    told = f"bytes 0-999/{len(BIG)}"
    server.answers = [answer(BIG[:1000], "206 Partial Content", Content_Range=told, ETag='"one"')]
    with pytest.raises(FetchError, match="gave up"):
        download(patient(), f"{server.url}/a", tmp_path / "a", label="a")


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_file_that_comes_compressed_unasked_is_unpacked(
    server: RawServer, tmp_path: Path, encoding: str
) -> None:
    packed = zlib.compress(BIG) if encoding == "deflate" else gzip.compress(BIG)
    server.answers = [
        answer(packed[:50], Content_Length=str(len(packed)), Content_Encoding=encoding, ETag='"z"'),
        lambda request: part_of(packed, request, Content_Encoding=encoding, ETag='"z"'),
    ]
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == BIG
    server.answers = [answer(packed, Content_Encoding=encoding)]
    assert patient().get(f"{server.url}/a") == BIG


def test_compressed_file_of_that_name_stays_compressed(server: RawServer, tmp_path: Path) -> None:
    packed = gzip.compress(BIG)
    server.answers = [answer(packed, Content_Encoding="gzip")]
    download(patient(), f"{server.url}/a.csv.gz", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == packed


@pytest.mark.parametrize(
    ("body", "encoding", "match"),
    [
        (gzip.compress(BIG)[:-20], "gzip", "compressed, and damaged"),
        (b"no gzip", "gzip", "compressed, and damaged"),
        (b"x", "br", "compressed as 'br', which was not asked for"),
    ],
)
def test_compression_that_cannot_be_undone_is_told(
    server: RawServer, tmp_path: Path, body: bytes, encoding: str, match: str
) -> None:
    server.answers = [answer(body, Content_Encoding=encoding)]
    with pytest.raises(FetchError, match=match):
        download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    with pytest.raises(FetchError, match=match):
        patient().get(f"{server.url}/a")


def test_length_does_not_cut_an_answer_that_comes_in_chunks(
    server: RawServer, tmp_path: Path
) -> None:
    chunked = b"5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"
    server.answers = [answer(chunked, Transfer_Encoding="chunked", Content_Length="5")]
    assert patient().get(f"{server.url}/a") == b"abcdefghij"
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == b"abcdefghij"


@pytest.mark.parametrize("body", [b"5\r\nabc", b"zz\r\nabc\r\n", b"5\r\nabcde\r\n"])
def test_chunks_that_end_early_are_not_believed(server: RawServer, body: bytes) -> None:
    server.answers = [answer(body, Transfer_Encoding="chunked")]
    with pytest.raises(FetchError, match=r"gave up .* the connection broke off"):
        patient().get(f"{server.url}/a")


def test_drip_is_not_waited_for(server: RawServer, tmp_path: Path) -> None:
    server.drip = 0.01
    server.answers = [answer(b"x" * 10_000)]
    with pytest.raises(FetchError, match=r"gave up after 2 .*fewer than 1,000 bytes in 0\.1 sec"):
        download(patient(attempts=2, timeout=0.1), f"{server.url}/a", tmp_path / "a", label="a")


@pytest.mark.parametrize(
    ("status", "match"),
    [
        ("202 Accepted", r"gave up .*answers 202: not ready yet"),
        ("204 No Content", "answers 204 No Content and sends nothing"),
        ("304 Not Modified", "answers 304 Not Modified"),
    ],
)
def test_success_without_a_file_is_an_error(
    server: RawServer, tmp_path: Path, status: str, match: str
) -> None:
    server.answers = [answer(b"", status)]
    with pytest.raises(FetchError, match=match):
        download(patient(), f"{server.url}/a", tmp_path / "a", label="a")


@pytest.mark.parametrize("junk", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_told(server: RawServer, junk: bytes) -> None:
    server.answers = [junk]
    with pytest.raises(FetchError, match=r"gave up after 3 attempts; at the last, .*be reached"):
        patient().get(f"{server.url}/a")


def test_endless_answer_is_given_up(server: RawServer) -> None:
    server.answers = [answer(BIG, Content_Length="")]
    with pytest.raises(FetchError, match="sends more than 1,000,000 bytes"):
        patient(most=1_000_000).get(f"{server.url}/a")


def test_more_of_a_part_than_was_asked_for_is_not_read(server: RawServer) -> None:
    told = "bytes 0-9/2097152"
    server.answers = [answer(BIG, "206 Partial Content", Content_Range=told, Content_Length="")]
    with pytest.raises(FetchError, match="more came than the 10 bytes asked for"):
        get_range(patient(), f"{server.url}/a", 0, 10)


def test_part_of_a_file_of_another_date_is_refused(server: RawServer) -> None:
    server.answers = [
        lambda request: part_of(BIG, request, Last_Modified="Thu, 20 Nov 2025 10:00:00 GMT")
    ]
    state = Served(server.url, len(BIG), None, "Wed, 19 Nov 2025 10:00:00 GMT")
    with pytest.raises(FetchError, match="the file changed while it was read"):
        get_range(patient(), server.url, 0, 10, state=state)


def test_empty_file_has_no_parts(server: RawServer) -> None:
    refusal = "416 Range Not Satisfiable"
    server.answers = [answer(b"", refusal, Content_Range="bytes */0")]
    with pytest.raises(FetchError, match="is empty, or shorter than it was"):
        get_range(patient(), server.url, 0, 10)


def test_part_that_comes_compressed_is_no_part(server: RawServer) -> None:
    told = f"bytes 0-9/{len(BIG)}"
    server.answers = [answer(b"x" * 10, "206 Partial Content", Content_Range=told,
                             Content_Encoding="gzip")]  # fmt: skip
    with pytest.raises(WholeOnlyError, match="only whole files"):
        get_range(patient(), server.url, 0, 10)


# --- Redirects and waits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "match"),
    [
        ("/a", r"redirects in a circle\."),
        ("file:///etc/passwd", r"redirects to an unsafe address \(file\)"),
        ("ftp://127.0.0.1/a", r"redirects to an unsafe address \(ftp\)"),
        ("javascript:alert(1)", r"redirects to an unsafe address \(javascript\)"),
        ("//[::1", "redirects to what is no address"),
        ("http://127.0.0.1:port/a", "redirects to what is no address"),
        ("", "answers 302 Found"),
    ],
)
def test_redirect_that_leads_nowhere_is_told(server: RawServer, location: str, match: str) -> None:
    server.answers = [answer(b"", "302 Found", Location=location)]
    with pytest.raises(FetchError, match=match) as told:
        patient().get(f"{server.url}/a")
    assert "\n" not in str(told.value)
    assert len(server.requests) <= 11


def test_redirect_to_another_host_keeps_the_range(server: RawServer) -> None:
    other = RawServer()
    other.answers = [lambda request: part_of(BIG, request)]
    server.answers = [answer(b"", "302 Found", Location=f"{other.url}/b?key=1")]
    content, served = get_range(patient(), f"{server.url}/a", 256, 512)
    other.stop()
    assert content == BIG[256:512]
    assert served.url == f"{server.url}/a"


@pytest.mark.parametrize(
    "wait",
    ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"],
)
def test_absurd_wait_is_not_kept(server: RawServer, wait: str) -> None:
    date = "Fri, 20 Nov 2026 10:00:00 GMT"
    server.answers = [answer(b"", "429 Too Many Requests", Retry_After=wait, Date=date)]
    with pytest.raises(FetchError, match=r"asks to wait (more than a day)\. Run it again after"):
        patient().get(server.url)


@pytest.mark.parametrize(
    "wait",
    ["-5", "1.5", "soon", "Fri, 31 Dec 99999 23:59:59 GMT", "Fri, 20 Nov 2026 10:00:00 +99999999",
     "Fri, 20 Nov 2026 09:00:00 GMT", "\xb2", ""],
)  # fmt: skip
def test_wait_that_makes_no_sense_is_passed_over(server: RawServer, wait: str) -> None:
    date = "Fri, 20 Nov 2026 10:00:00 GMT"
    waits: list[float] = []
    server.answers = [answer(b"", "503 Unavailable", Retry_After=wait, Date=date), answer(b"ok")]
    connection = Connection(interval=0, rng=0, pause=waits.append)
    assert connection.get(server.url) == b"ok"
    assert all(0 <= seconds <= 1 for seconds in waits)


def test_longer_wait_is_told_in_minutes(server: RawServer) -> None:
    server.answers = [answer(b"", "429 Too Many Requests", Retry_After="600")]
    with pytest.raises(FetchError, match=r"asks to wait 10 minutes\. Run it again after that\."):
        patient().get(server.url)


def test_address_that_is_none_is_told_at_once() -> None:
    for url in ("http://127.0.0.1:port/a", "http://[::1/a", "http:///a", "http://a b/c"):
        with pytest.raises(FetchError, match=r"is no web address .*Correct it in the catalogue"):
            patient().get(url)


def test_letters_and_spaces_in_an_address_are_written_as_the_web_wants_them(
    server: RawServer,
) -> None:
    server.answers = [answer(b"ok")]
    assert patient().get(f"{server.url}/Dörfer und%20Städte.csv?q=é") == b"ok"
    assert server.requests[0].startswith("GET /D%C3%B6rfer%20und%20St%C3%A4dte.csv?q=%C3%A9 HTTP")


# --- Archives -----------------------------------------------------------------------------------


def archive() -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(2):
            made.writestr(f"a/{number}.csv", f"text {number} " * 200)
    return stream.getvalue()


def read_all(connection: Connection, url: str) -> None:
    with open_remote_zip(connection, url) as remote:
        for name in remote.members:
            remote.read(name)


def test_archive_damaged_anywhere_is_told(server: RawServer) -> None:
    """Every byte of headers and directory in turn is changed: an error of our own, or no harm."""
    whole = archive()
    directory = whole.index(b"PK\x01\x02")
    places = [*range(40), *range(directory, len(whole))]
    told = 0
    connection = patient(attempts=1)
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        server.answers = [lambda request, content=bytes(damaged): part_of(content, request)]
        try:
            read_all(connection, f"{server.url}/a.zip")
        except FetchError:
            told += 1
    assert told > 0.3 * len(places)


def test_large_archive_whose_directory_lies_is_told(server: RawServer) -> None:
    """An end record of 64 bits that points past the end, before the start, or at nothing."""
    end = b"PK\x05\x06" + b"\0\0" * 2 + b"\xff" * 12 + b"\0\0"
    for offset in (0, 10**6, 2**63 - 1, 2**64 - 1):
        record = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"\x2d\0" * 2 + b"\0" * 8
        record += (2**40).to_bytes(8, "little") * 3 + offset.to_bytes(8, "little")
        locator = (
            b"PK\x06\x07" + b"\0" * 4 + offset.to_bytes(8, "little") + (1).to_bytes(4, "little")
        )
        content = b"x" * 100 + record + locator + end
        server.answers = [lambda request, content=content: part_of(content, request)]
        with pytest.raises(FetchError, match=r"is no whole ZIP archive"):
            read_all(patient(attempts=1), f"{server.url}/a.zip")


# --- A full disk --------------------------------------------------------------------------------


def test_disk_that_takes_no_more_is_told(server: RawServer, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of file size are of POSIX")
    server.answers = [answer(BIG, ETag='"one"')]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(OutputError, match="could not be written"):
            download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    server.answers = [lambda request: part_of(BIG, request, ETag='"one"')]
    download(patient(), f"{server.url}/a", tmp_path / "a", label="a")
    assert (tmp_path / "a").read_bytes() == BIG
