"""Fetching, against a real HTTP server on loopback that behaves as public ones do, and worse."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import io
import json
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import numpy as np
import pytest

from placeshaping._core.errors import FetchError, InputError, OutputError, RecipeError
from placeshaping._core.provenance import sha256
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.lookups import read_lookup
from placeshaping.sources.cache import Cache
from placeshaping.sources.fetch import Fetched, fetch
from placeshaping.sources.network import Connection
from placeshaping.sources.police import read_police
from placeshaping.sources.populations import read_population
from placeshaping.sources.tabular import read_table

# --- A server that does what it is told -------------------------------------------------------


@dataclass
class Seen:
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    sent: int = 0


@dataclass
class Fault:
    """What goes wrong with one request."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop_after: int | None = None
    length: Callable[[int], int] = lambda size: size
    body: bytes | None = None
    keep_open: bool = False
    reached: threading.Event | None = None
    hold: threading.Event | None = None


@dataclass
class Stored:
    content: bytes
    etag: str | None = '"one"'
    ranges: bool = True
    minds_if_range: bool = True
    modified: str | None = None


class Site:
    """Files, redirects and services, and the faults that their next requests meet."""

    def __init__(self) -> None:
        self.files: dict[str, Stored] = {}
        self.redirects: dict[str, str] = {}
        self.services: dict[str, Callable[[dict[str, str]], bytes]] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.log: list[Seen] = []
        self.url = ""

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in self.log if seen.path == path]

    def sent(self) -> int:
        return sum(seen.sent for seen in self.log)


class Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(body)

    def do_GET(self) -> None:
        self.answer(urlsplit(self.path).query)

    def answer(self, query: str) -> None:
        path = urlsplit(self.path).path
        form = {key: values[0] for key, values in parse_qs(query).items()}
        seen = Seen(path, form, dict(self.headers))
        self.site.log.append(seen)
        faults = self.site.faults.get(path)
        fault = faults.pop(0) if faults else Fault()
        if fault.status is not None:
            self.send(fault.status, fault.headers, b"", fault, seen)
        elif fault.body is not None:
            self.send(200, {}, fault.body, fault, seen)
        elif path in self.site.redirects:
            self.send(302, {"Location": self.site.redirects[path]}, b"", Fault(), seen)
        elif path in self.site.services:
            self.send(200, {}, self.site.services[path](form), fault, seen)
        elif path in self.site.files:
            self.send_file(self.site.files[path], fault, seen)
        else:
            self.send(404, {}, b"", fault, seen)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # a client that has read enough
            super().handle()

    def send_file(self, stored: Stored, fault: Fault, seen: Seen) -> None:
        headers = {} if stored.etag is None else {"ETag": stored.etag}
        if stored.modified:
            headers["Last-Modified"] = stored.modified
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", seen.headers.get("Range", ""))
        same = seen.headers.get("If-Range") in {None, stored.etag, stored.modified}
        same = same or not stored.minds_if_range
        if not (stored.ranges and asked and same):
            self.send(200, headers, stored.content, fault, seen)
            return
        size = len(stored.content)
        start = int(asked[1])
        stop = min(int(asked[2]) + 1 if asked[2] else size, size)
        if start >= size:
            self.send(416, {**headers, "Content-Range": f"bytes */{size}"}, b"", fault, seen)
            return
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        self.send(206, headers, stored.content[start:stop], fault, seen)

    def send(
        self, status: int, headers: dict[str, str], body: bytes, fault: Fault, seen: Seen
    ) -> None:
        self.protocol_version = "HTTP/1.1" if fault.keep_open else "HTTP/1.0"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(fault.length(len(body))))
        self.end_headers()
        part = body if fault.drop_after is None else body[: fault.drop_after]
        self.wfile.write(part)
        seen.sent += len(part)
        if fault.reached is not None:
            self.wfile.flush()
            fault.reached.set()
        if fault.hold is not None:
            fault.hold.wait(20)
            self.wfile.write(body[len(part) :])
        self.close_connection = True


def serve(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    handler = type("SiteHandler", (Handler,), {"site": made})
    for url in serve(handler):
        made.url = url
        yield made


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


class Desk:
    """`fetch` with a catalogue of the site's, a cache of the test's, and waits that are noted."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.waits: list[float] = []
        self.boundaries = folder / "boundaries"
        self.boundaries.mkdir()
        self.cache = folder / "cache"
        self.entries: list[str] = []

    def add(self, name: str, kind: str, path: str, **keys: Any) -> None:
        rows = [f"[{name}]", f'kind = "{kind}"', f'url = "{self.site.url}{path}"']
        tables = {key: value for key, value in keys.items() if isinstance(value, dict)}
        rows += [f"{key} = {json.dumps(v)}" for key, v in keys.items() if key not in tables]
        for key, table in tables.items():
            rows += [f"[{name}.{key}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items())]
        self.entries.append("\n".join(rows))
        (self.boundaries / "catalogue.toml").write_text("\n\n".join(self.entries), "utf-8")

    def fetch(self, what: str, *, attempts: int = 4, **options: Any) -> Fetched:
        connection = Connection(
            attempts=attempts, timeout=10, interval=0.0, rng=0, pause=self.waits.append
        )
        return fetch(
            what,
            boundaries=self.boundaries,
            cache=self.cache,
            connection=connection,
            **options,
        )

    def kept(self) -> list[str]:
        """Return the base names of all files in the cache that are not notes of it."""
        found = (self.cache / "files").rglob("*")
        return sorted(p.name for p in found if p.is_file() and p.suffix != ".json")

    @property
    def backoffs(self) -> list[float]:
        return [wait for wait in self.waits if wait]


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return Desk(site, tmp_path)


# --- Files ------------------------------------------------------------------------------------

ROWS = 60_000
TABLE = ("LSOA21CD,residents\n" + "".join(f"E01{i:06},{1000 + i}\n" for i in range(ROWS))).encode()


@pytest.fixture
def table(site: Site, desk: Desk) -> str:
    site.files["/people.csv"] = Stored(TABLE)
    desk.add("people", "file", "/people.csv", rows=ROWS, licence="OGL", vintage="2021")
    return "people"


def test_file_arrives_with_its_provenance_beside_it(site: Site, desk: Desk, table: str) -> None:
    fetched = desk.fetch(table)
    assert fetched.path.read_bytes() == TABLE
    assert (fetched.origin, fetched.rows, fetched.vintage) == ("network", ROWS, "2021")
    told = json.loads(fetched.path.with_name("people.csv.json").read_text(encoding="utf-8"))
    assert told["sha256"] == sha256(fetched.path) == fetched.sha256
    assert told["url"] == f"{site.url}/people.csv"
    assert told["served"]["etag"] == '"one"'
    assert told["fetched"].endswith("GMT")
    assert read_population(fetched)["residents"].sum() == sum(range(1000, 1000 + ROWS))


def test_what_was_fetched_is_not_asked_for_again(site: Site, desk: Desk, table: str) -> None:
    first = desk.fetch(table)
    again = desk.fetch(table)
    assert again.origin == "cache"
    assert again.path == first.path
    assert len(site.log) == 1
    assert desk.fetch(table, refresh=True).origin == "network"
    assert len(site.log) == 2


def test_damaged_file_in_the_cache_is_fetched_again(site: Site, desk: Desk, table: str) -> None:
    path = desk.fetch(table).path
    path.write_bytes(TABLE[:-10])
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert len(site.log) == 2


def test_file_is_copied_where_the_user_wants_it(desk: Desk, table: str, tmp_path: Path) -> None:
    fetched = desk.fetch(table, into=tmp_path / "work")
    assert fetched.path == tmp_path / "work" / "people.csv"
    assert fetched.path.read_bytes() == TABLE


def test_redirect_is_followed_and_its_key_not_kept(site: Site, desk: Desk) -> None:
    site.redirects["/latest"] = "/store/people.csv?signature=secret"
    site.files["/store/people.csv"] = Stored(TABLE)
    desk.add("people", "file", "/latest", file="people.csv", rows=ROWS)
    fetched = desk.fetch("people")
    assert fetched.path.read_bytes() == TABLE
    assert "secret" not in fetched.path.with_name("people.csv.json").read_text(encoding="utf-8")


def test_redirect_to_another_protocol_is_refused(site: Site, desk: Desk) -> None:
    site.redirects["/latest"] = "ftp://127.0.0.1/people.csv"
    desk.add("people", "file", "/latest")
    with pytest.raises(FetchError, match="unsafe address"):
        desk.fetch("people")


def test_wait_that_the_server_asks_for_is_kept(site: Site, desk: Desk, table: str) -> None:
    site.faults["/people.csv"] = [
        Fault(status=429, headers={"Retry-After": "1"}),
        Fault(status=429, headers={"Retry-After": "0"}),
    ]
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert desk.backoffs == [1.0]


def test_wait_until_a_date_is_measured_by_the_servers_clock(
    site: Site, desk: Desk, table: str
) -> None:
    later = "Fri, 31 Dec 2999 23:59:59 GMT"
    site.faults["/people.csv"] = [Fault(status=503, headers={"Retry-After": later})]
    with pytest.raises(FetchError, match=r"asks to wait more than a day"):
        desk.fetch(table)


def test_waits_grow_and_differ_and_end(site: Site, desk: Desk, table: str) -> None:
    site.faults["/people.csv"] = [Fault(status=503)] * 5
    with pytest.raises(FetchError, match=r"gave up after 5 attempts; at the last, .*answers 503"):
        desk.fetch(table, attempts=5)
    steps = [1.0, 2.0, 4.0, 8.0]
    assert len(desk.backoffs) == 4
    assert all(step / 2 <= wait <= step for step, wait in zip(steps, desk.backoffs, strict=True))
    assert len({wait / step for step, wait in zip(steps, desk.backoffs, strict=True)}) == 4
    assert desk.kept() == []


def test_requests_keep_their_distance(site: Site) -> None:
    site.files["/a"] = Stored(b"a")
    waits: list[float] = []
    connection = Connection(interval=0.25, pause=waits.append)
    assert [connection.get(f"{site.url}/a") for _ in range(3)] == [b"a"] * 3
    assert waits == [0.25, 0.25]


def test_broken_download_goes_on_where_it_broke(site: Site, desk: Desk, table: str) -> None:
    half = len(TABLE) // 2
    site.faults["/people.csv"] = [Fault(drop_after=half)]
    assert desk.fetch(table).path.read_bytes() == TABLE
    second = site.asked("/people.csv")[1]
    assert second.headers["Range"] == f"bytes={half}-"
    assert second.headers["If-Range"] == '"one"'
    assert site.sent() == len(TABLE)


def test_interrupted_run_is_taken_up_by_the_next(site: Site, desk: Desk, table: str) -> None:
    half = len(TABLE) // 2
    site.faults["/people.csv"] = [Fault(drop_after=half), Fault(status=503)]
    with pytest.raises(FetchError, match="gave up"):
        desk.fetch(table, attempts=2)
    assert desk.kept() == []
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert site.sent() == len(TABLE)
    assert not [path for path in (desk.cache / "partial").iterdir() if path.is_dir()]


def test_file_that_changed_meanwhile_is_not_patched_together(
    site: Site, desk: Desk, table: str
) -> None:
    site.faults["/people.csv"] = [Fault(drop_after=1000), Fault(status=503)]
    with pytest.raises(FetchError, match="gave up"):
        desk.fetch(table, attempts=2)
    new = TABLE.replace(b",1000\n", b",7777\n", 1)
    site.files["/people.csv"] = Stored(new, etag='"two"')
    assert desk.fetch(table).path.read_bytes() == new


@pytest.mark.parametrize("minds", [True, False])
def test_shorter_or_other_file_than_before_is_fetched_anew(
    site: Site, desk: Desk, minds: bool
) -> None:
    desk.add("people", "file", "/people.csv")
    site.files["/people.csv"] = Stored(TABLE)
    site.faults["/people.csv"] = [Fault(drop_after=50_000), Fault(status=503)]
    with pytest.raises(FetchError, match="gave up"):
        desk.fetch("people", attempts=2)
    new = TABLE[:19] + b"E01000001,7\n" * (2 if minds else 20_000)
    site.files["/people.csv"] = Stored(
        new, etag='"one"' if minds else '"two"', minds_if_range=minds
    )
    assert desk.fetch("people").path.read_bytes() == new


@pytest.mark.parametrize(
    "stored",
    [Stored(TABLE, ranges=False), Stored(TABLE, etag=None), Stored(TABLE, etag='W/"weak"')],
    ids=["no ranges", "no etag", "weak etag"],
)
def test_download_starts_anew_where_it_cannot_go_on(
    site: Site, desk: Desk, table: str, stored: Stored
) -> None:
    site.files["/people.csv"] = stored
    site.faults["/people.csv"] = [Fault(drop_after=1000)]
    assert desk.fetch(table).path.read_bytes() == TABLE


def test_date_of_change_serves_where_there_is_no_etag(site: Site, desk: Desk, table: str) -> None:
    date = "Wed, 19 Nov 2025 10:00:00 GMT"
    site.files["/people.csv"] = Stored(TABLE, etag=None, modified=date)
    site.faults["/people.csv"] = [Fault(drop_after=1000)]
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert site.asked("/people.csv")[1].headers["If-Range"] == date
    assert site.sent() == len(TABLE)


def test_file_that_was_whole_before_it_was_checked_is_taken(
    site: Site, desk: Desk, table: str
) -> None:
    site.faults["/people.csv"] = [
        Fault(length=lambda size: size + 10),
        Fault(status=503),
    ]
    with pytest.raises(FetchError, match="gave up"):
        desk.fetch(table, attempts=2)
    assert desk.kept() == []
    assert desk.fetch(table).path.read_bytes() == TABLE


def test_longer_length_than_the_body_is_not_believed(site: Site, desk: Desk, table: str) -> None:
    longer = Fault(length=lambda size: size + 10)
    site.files["/people.csv"] = Stored(TABLE, ranges=False)
    site.faults["/people.csv"] = [longer] * 4
    with pytest.raises(FetchError, match="broke off after 951,019 of 951,029 bytes"):
        desk.fetch(table)
    assert desk.kept() == []


def test_shorter_length_than_the_body_is_not_believed(site: Site, desk: Desk, table: str) -> None:
    shorter = Fault(length=lambda size: size // 2)
    site.faults["/people.csv"] = [shorter]
    assert desk.fetch(table).path.read_bytes() == TABLE
    site.files["/people.csv"] = Stored(TABLE, ranges=False)
    site.faults["/people.csv"] = [shorter] * 4
    with pytest.raises(FetchError, match="more than the 475,509 bytes came"):
        desk.fetch(table, refresh=True)
    assert len(desk.kept()) == 1


@pytest.mark.parametrize(
    ("keys", "size", "match"),
    [
        ({"rows": ROWS}, 475_509, "rows where 60,000 are expected"),
        ({"sha256": "0" * 64}, 475_509, "the checksum is"),
        ({}, 475_500, "cut short"),
    ],
)
def test_shorter_length_of_a_server_that_hides_it_is_seen_by_the_content(
    site: Site, desk: Desk, keys: dict[str, Any], size: int, match: str
) -> None:
    site.files["/people.csv"] = Stored(TABLE)
    desk.add("people", "file", "/people.csv", **keys)
    site.faults["/people.csv"] = [Fault(length=lambda _: size, keep_open=True)]
    with pytest.raises(FetchError, match=match):
        desk.fetch("people")
    assert desk.kept() == []


def test_nothing_under_status_200_is_an_error(site: Site, desk: Desk, table: str) -> None:
    site.faults["/people.csv"] = [Fault(body=b"")]
    with pytest.raises(FetchError, match="answers 200 but sends nothing"):
        desk.fetch(table)
    assert desk.kept() == []


def test_sign_in_page_is_not_taken_for_data(site: Site, desk: Desk, table: str) -> None:
    site.faults["/people.csv"] = [Fault(body=b"<!DOCTYPE html><title>Sign in</title>")]
    with pytest.raises(FetchError, match="a web page instead of data"):
        desk.fetch(table)
    assert desk.kept() == []


def test_wrong_checksum_is_told_with_the_remedy(site: Site, desk: Desk) -> None:
    site.files["/people.csv"] = Stored(TABLE)
    desk.add("people", "file", "/people.csv", sha256="ab" * 32)
    with pytest.raises(
        FetchError, match=r'not abababababab\.\.\. .*write \[people\] and sha256 = "'
    ):
        desk.fetch("people")
    assert desk.kept() == []


def test_wrong_checksum_after_going_on_is_tried_once_anew(site: Site, desk: Desk) -> None:
    other = TABLE.replace(b",1000\n", b",7777\n", 1)
    site.files["/people.csv"] = Stored(other, etag='"same"')
    desk.add("people", "file", "/people.csv", sha256=sha_of(TABLE, desk.folder))
    site.faults["/people.csv"] = [Fault(drop_after=1000), Fault(status=503)]
    with pytest.raises(FetchError, match="gave up"):
        desk.fetch("people", attempts=2)
    site.files["/people.csv"] = Stored(TABLE, etag='"same"')  # a server whose tag lies
    assert desk.fetch("people").path.read_bytes() == TABLE


def sha_of(content: bytes, folder: Path) -> str:
    path = folder / "content"
    path.write_bytes(content)
    return sha256(path)


def test_missing_file_names_the_catalogue_to_change(site: Site, desk: Desk) -> None:
    desk.add("people", "file", "/gone.csv", page="https://example.org/people")
    with pytest.raises(FetchError, match=r"404 .*Set the new address in boundaries/catalogue.toml"):
        desk.fetch("people")


def test_offline_names_the_file_to_put_where(desk: Desk, site: Site, tmp_path: Path) -> None:
    desk.add("people", "file", "/people.csv", page="https://example.org/people")
    text = (desk.boundaries / "catalogue.toml").read_text(encoding="utf-8")
    closed = closed_port()
    (desk.boundaries / "catalogue.toml").write_text(
        text.replace(site.url, f"http://127.0.0.1:{closed}"), "utf-8"
    )
    remedy = "cannot be reached .* from https://example.org/people, put it into the folder"
    with pytest.raises(FetchError, match=f"{remedy} 'boundaries' as people.csv"):
        desk.fetch("people")
    assert desk.waits == []


def closed_port() -> int:
    for url in serve(BaseHTTPRequestHandler):
        port = urlsplit(url).port
    return int(port or 0)


def test_file_dropped_in_by_hand_is_used_without_asking(site: Site, desk: Desk, table: str) -> None:
    (desk.boundaries / "people.csv").write_bytes(TABLE)
    fetched = desk.fetch(table)
    assert (fetched.origin, fetched.path) == ("by hand", desk.boundaries / "people.csv")
    assert site.log == []


def test_another_file_of_that_name_is_refused(site: Site, desk: Desk) -> None:
    desk.add("people", "file", "/people.csv", sha256="ab" * 32)
    (desk.boundaries / "people.csv").write_bytes(TABLE)
    with pytest.raises(FetchError, match=r"people\.csv \(dropped in by hand\): the checksum is"):
        desk.fetch("people")
    assert site.log == []


def test_same_is_not_fetched_twice_at_once(desk: Desk, table: str) -> None:
    request = {"source": "x"}
    cache = Cache(desk.cache)
    waits: list[float] = []
    with (
        cache.partial(request),
        pytest.raises(FetchError, match="being fetched by another process"),
        Cache(desk.cache).partial(request, pause=waits.append),
    ):
        pass
    assert sum(waits) == 600


def test_cache_that_cannot_be_written_is_told(desk: Desk, table: str) -> None:
    desk.cache.write_text("a file where the folder should be", "utf-8")
    with pytest.raises(OutputError, match="could not be written"):
        desk.fetch(table)


def test_source_that_is_not_known_suggests_near_ones(desk: Desk, table: str) -> None:
    with pytest.raises(RecipeError, match=r"no source 'peple'\. Did you mean people"):
        desk.fetch("peple")


def test_options_that_do_not_fit_are_refused(desk: Desk, table: str) -> None:
    with pytest.raises(RecipeError, match="comes whole: leave `within` out"):
        desk.fetch(table, within="Essex")
    with pytest.raises(RecipeError, match=r"takes no force: that is for recorded crime\.$"):
        desk.fetch(table, force="essex")
    with pytest.raises(RecipeError, match=r"takes no force.*For its areas: within='essex'"):
        desk.fetch("lsoa21", force="essex")
    with pytest.raises(RecipeError, match=r"by police force, not by place.*--force essex"):
        desk.fetch("crime", within="Essex")
    with pytest.raises(RecipeError, match="Name it: force='essex'"):
        desk.fetch("crime")
    with pytest.raises(RecipeError, match="address for programs"):
        desk.fetch("crime_api")


@pytest.mark.parametrize(
    ("name", "body", "match"),
    [
        ("a.csv", b'<?xml version="1.0"?><Error><Code>Denied</Code></Error>', "a message: '<"),
        ("a.csv", b'{"error": {"code": 498, "message": "Invalid token"}}', "a message: .*Invalid"),
        ("a.csv", b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE html>", "a web page instead"),
        ("a.csv", b"\n<head><title>Blocked</title>", "a web page instead"),
        ("a.csv.gz", gzip.compress(TABLE)[:-9], "cut short or damaged"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [{', "cut short or damaged"),
        ("a.parquet", b"PAR1 and no end", "cut short or damaged"),
    ],
)  # fmt: skip
def test_what_is_not_the_file_it_should_be_is_not_kept(
    site: Site, desk: Desk, name: str, body: bytes, match: str
) -> None:
    site.files[f"/{name}"] = Stored(body)
    desk.add("thing", "file", f"/{name}")
    with pytest.raises(FetchError, match=match):
        desk.fetch("thing")
    assert desk.kept() == []


def test_note_in_the_cache_that_is_none_is_passed_over(site: Site, desk: Desk, table: str) -> None:
    path = desk.fetch(table).path
    path.with_name("people.csv.json").write_text("[]", "utf-8")
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert len(site.log) == 2


def test_name_in_capitals_is_understood(desk: Desk, table: str) -> None:
    assert desk.fetch(" People ").source == "people"


def test_word_of_a_title_leads_to_the_source(desk: Desk, table: str) -> None:
    with pytest.raises(RecipeError, match=r"no source 'census'\. Did you mean population"):
        desk.fetch("census")


# --- Several processes, and Ctrl-C --------------------------------------------------------------


def started(desk: Desk, what: str) -> subprocess.Popen[str]:
    """Start the command as a user does, with Ctrl-C as a terminal has it."""
    command = [sys.executable, "-m", "placeshaping", "fetch", what]
    command += ["--boundaries", str(desk.boundaries), "--cache", str(desk.cache)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def test_two_processes_fetch_the_same_once(site: Site, desk: Desk, table: str) -> None:
    reached, hold = threading.Event(), threading.Event()
    site.faults["/people.csv"] = [Fault(drop_after=300_000, reached=reached, hold=hold)]
    one = started(desk, table)
    assert reached.wait(30)
    other = started(desk, table)
    line = other.stderr.readline() if other.stderr else ""
    assert line == "Note: Another process is fetching the same; waiting for it.\n"
    hold.set()
    results = [process.communicate(timeout=30) for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), results
    assert len(site.log) == 1
    assert desk.kept() == ["people.csv"]


def test_stopped_half_way_it_goes_on_next_time(site: Site, desk: Desk, table: str) -> None:
    reached, hold = threading.Event(), threading.Event()
    site.faults["/people.csv"] = [Fault(drop_after=600_000, reached=reached, hold=hold)]
    process = started(desk, table)
    assert reached.wait(30)
    until(lambda: sum(p.stat().st_size for p in desk.cache.rglob("*.part")) >= 1 << 18)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    hold.set()
    assert (process.returncode, told) == (130, "placeshaping: stopped. " + STOPPED)
    assert desk.kept() == []
    assert desk.fetch(table).path.read_bytes() == TABLE
    assert site.log[-1].headers["Range"].startswith("bytes=")


STOPPED = "Nothing half-written was left.\n"


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.02)
    pytest.fail("it took too long")


def test_process_killed_half_way_leaves_no_lock(site: Site, desk: Desk, table: str) -> None:
    reached, hold = threading.Event(), threading.Event()
    site.faults["/people.csv"] = [Fault(drop_after=300_000, reached=reached, hold=hold)]
    process = started(desk, table)
    assert reached.wait(30)
    process.kill()
    process.communicate(timeout=30)
    hold.set()
    assert desk.fetch(table).path.read_bytes() == TABLE


# --- A proxy ----------------------------------------------------------------------------------


def test_proxy_of_the_environment_is_used(
    site: Site, desk: Desk, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            passed.append(self.path)
            parts = urlsplit(self.path)
            upstream = http.client.HTTPConnection("127.0.0.1", urlsplit(site.url).port)
            upstream.request("GET", parts.path)
            answer = upstream.getresponse()
            body = answer.read()
            upstream.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    text = (desk.boundaries / "catalogue.toml").read_text(encoding="utf-8")
    (desk.boundaries / "catalogue.toml").write_text(
        text.replace(site.url, "http://statistics.invalid"), "utf-8"
    )
    for url in serve(Proxy):
        monkeypatch.setenv("HTTP_PROXY", url)
        assert desk.fetch(table).path.read_bytes() == TABLE
    assert passed == ["http://statistics.invalid/people.csv"]


# --- Feature services -------------------------------------------------------------------------


def feature_service(
    site: Site,
    name: str,
    rows: list[dict[str, Any]],
    *,
    most: int = 1000,
    outlines: bool = False,
    degrees: bool = False,
) -> str:
    """Add a service with ArcGIS's paging and its habit of errors under status 200."""
    base = f"/services/{name}/FeatureServer/0"
    fields = [{"name": key} for key in ["FID", *rows[0]]]
    about = {
        "name": name,
        "type": "Feature Layer" if outlines else "Table",
        "geometryType": "esriGeometryPolygon" if outlines else None,
        "fields": fields,
        "objectIdField": "FID",
        "maxRecordCount": most,
        "editingInfo": {"lastEditDate": 1700000000000},
    }
    numbered = [{"FID": number + 1, **row} for number, row in enumerate(rows)]

    def query(form: dict[str, str]) -> bytes:
        terms = re.findall(r"(\w+) IN \(((?:'(?:[^']|'')*',?)+)\)", form["where"])
        if not terms and form["where"] != "1=1":
            error = {"code": 400, "message": "Cannot perform query.", "details": ["'where'"]}
            return json.dumps({"error": error}).encode()
        wanted = [
            (column, {v.replace("''", "'") for v in re.findall(r"'((?:[^']|'')*)'", values)})
            for column, values in terms
        ]
        found = [
            row for row in numbered if not terms or any(row[c] in values for c, values in wanted)
        ]
        if form.get("returnCountOnly") == "true":
            return json.dumps({"count": len(found)}).encode()
        start = int(form["resultOffset"])
        page = found[start : start + min(int(form["resultRecordCount"]), most)]
        if form["f"] == "json":
            return json.dumps({"features": [{"attributes": row} for row in page]}).encode()
        features = [
            {"type": "Feature", "properties": row, "geometry": square(row["FID"], degrees=degrees)}
            for row in page
        ]
        return json.dumps({"type": "FeatureCollection", "features": features}).encode()

    site.services[base] = lambda _: json.dumps(about).encode()
    site.services[f"{base}/query"] = query
    return base


def square(number: int, *, degrees: bool) -> dict[str, Any]:
    x, y, size = 300_000 + 500 * (number % 50), 200_000 + 500 * (number // 50), 500.0
    if degrees:
        x, y, size = -2.0 + 0.001 * number, 52.0, 0.001
    ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


DISTRICTS = {
    "E07000071": "Colchester",
    "E07000072": "Epping Forest",
    "E06000033": "Southend-on-Sea",
    "E07000146": "King's Lynn and West Norfolk",
}


def lsoa_rows(count: int) -> list[dict[str, Any]]:
    names = list(DISTRICTS.values())
    return [
        {"LSOA21CD": f"E01{i:06}", "LSOA21NM": f"{names[i % 4]} {i:03}A"}
        for i in range(1, count + 1)
    ]


@pytest.fixture
def portal(site: Site, desk: Desk) -> Desk:
    """Add 2,300 areas, their lookup, and the tables that places are looked up in."""
    rows = lsoa_rows(2300)
    codes = list(DISTRICTS)
    lookup = [
        {"LSOA21CD": row["LSOA21CD"], "LAD25CD": codes[i % 4], "LAD25NM": DISTRICTS[codes[i % 4]]}
        for i, row in enumerate(rows, start=1)
    ]
    essex, norfolk = ("E23000028", "Essex"), ("E23000024", "Norfolk")
    forces = [
        {"LAD24CD": c, "LAD24NM": n, "PFA24CD": f[0], "PFA24NM": f[1]}
        for (c, n), f in zip(DISTRICTS.items(), [essex] * 3 + [norfolk], strict=True)
    ]
    counties = [
        {"LAD24CD": c, "LAD24NM": DISTRICTS[c], "CTY24CD": "E10000012", "CTY24NM": "Essex"}
        for c in ("E07000071", "E07000072")
    ]
    areas = feature_service(site, "LSOA21", rows, outlines=True)
    desk.add("lsoa21", "features", areas, rows=2300)
    desk.add("lsoa21_to_district", "table", feature_service(site, "LU", lookup), rows=2300,
             columns=["LSOA21CD", "LAD25CD"])  # fmt: skip
    desk.add("district_to_force", "table", feature_service(site, "PFA", forces))
    desk.add("district_to_county", "table", feature_service(site, "CTY", counties))
    desk.add("districts", "features", feature_service(site, "LAD", [
        {"LAD25CD": c, "LAD25NM": n} for c, n in DISTRICTS.items()], outlines=True))  # fmt: skip
    return desk


def edit_catalogue(desk: Desk, old: str, new: str) -> None:
    path = desk.boundaries / "catalogue.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), "utf-8")


QUERY = "/services/LSOA21/FeatureServer/0/query"


def test_pages_become_one_geopackage(site: Site, portal: Desk) -> None:
    fetched = portal.fetch("lsoa21")
    areas = read_boundaries(fetched)
    assert len(areas) == fetched.rows == 2300
    assert areas.crs.to_epsg() == 27700
    assert areas.index.is_unique
    assert areas.loc["E01000007"].geometry.bounds == (303_500, 200_000, 304_000, 200_500)
    pages = [seen.query for seen in site.asked(QUERY) if "resultOffset" in seen.query]
    assert [page["resultOffset"] for page in pages] == ["0", "1000", "2000"]
    assert {(p["outSR"], p["orderByFields"]) for p in pages} == {("27700", "FID")}


def test_same_areas_have_the_same_checksum(portal: Desk) -> None:
    assert portal.fetch("lsoa21").sha256 == portal.fetch("lsoa21", refresh=True).sha256


def test_service_that_sends_degrees_is_brought_onto_the_grid(site: Site, desk: Desk) -> None:
    base = feature_service(site, "LSOA21", lsoa_rows(5), outlines=True, degrees=True)
    desk.add("lsoa21", "features", base, rows=5)
    areas = read_boundaries(desk.fetch("lsoa21"))
    assert areas.crs.to_epsg() == 27700
    assert areas.total_bounds[0] > 300_000


def test_only_the_areas_of_the_place_are_asked_for(site: Site, portal: Desk) -> None:
    fetched = portal.fetch("lsoa21", within="Essex")
    assert fetched.path.name == "lsoa21-essex.gpkg"
    areas = read_boundaries(fetched)
    expected = {row["LSOA21CD"] for i, row in enumerate(lsoa_rows(2300), start=1) if i % 4 != 3}
    assert set(areas.index) == expected
    assert all("1=1" not in seen.query.get("where", "") for seen in site.asked(QUERY))
    assert (
        "taken as the police force (3 districts), not the county (2 districts)"
        in (fetched.notes[0])
    )
    lookup = site.asked("/services/LU/FeatureServer/0/query")
    assert all("E07000071" in seen.query["where"] for seen in lookup)


def test_level_before_a_name_settles_which_place(portal: Desk) -> None:
    fetched = portal.fetch("lsoa21", within="county: Essex")
    assert fetched.rows == 575 + 575


def test_several_places_and_names_with_an_apostrophe(portal: Desk) -> None:
    fetched = portal.fetch("lsoa21", within=["colchester", "King's Lynn and West Norfolk"])
    assert fetched.rows == 575 + 575


def test_lookup_that_cannot_be_had_matters_only_where_it_is_needed(
    site: Site, portal: Desk
) -> None:
    del site.services["/services/CTY/FeatureServer/0"]
    fetched = portal.fetch("lsoa21", within="Essex")
    assert fetched.notes == ("Without district_to_county, which could not be had.",)
    with pytest.raises(FetchError, match=r"'Kent' is no place .*district_to_county could not be"):
        portal.fetch("lsoa21", within="Kent")


def test_district_that_the_lookup_does_not_know_is_not_passed_over(
    site: Site, portal: Desk
) -> None:
    forces = [
        {"LAD24CD": c, "LAD24NM": n, "PFA24CD": "E23000028", "PFA24NM": "Essex"}
        for c, n in [*DISTRICTS.items(), ("E06000066", "Somerset")]
    ]
    feature_service(site, "PFA", forces)
    with pytest.raises(FetchError, match="has no area in Somerset: it knows the districts of an"):
        portal.fetch("lsoa21", within="Essex Police")
    assert "lsoa21" not in " ".join(portal.kept())


def test_layer_with_a_district_column_needs_no_lookup(site: Site, portal: Desk) -> None:
    fetched = portal.fetch("districts", within="Essex")
    assert fetched.rows == 3
    assert site.asked("/services/LU/FeatureServer/0/query") == []


def test_place_that_is_not_known_suggests_near_ones(portal: Desk) -> None:
    with pytest.raises(InputError, match="'Colchster' is no place that is known"):
        portal.fetch("lsoa21", within="Colchster")


def test_areas_dropped_in_by_hand_are_cut_to_the_place(site: Site, portal: Desk) -> None:
    whole = gpd.read_file(portal.fetch("lsoa21").path)
    whole.to_file(portal.boundaries / "LSOA21.geojson", driver="GeoJSON")
    site.log.clear()
    fetched = portal.fetch("lsoa21", within="Epping Forest")
    assert len(read_boundaries(fetched)) == 575
    assert site.asked(QUERY) == []
    assert portal.fetch("lsoa21").path == portal.boundaries / "LSOA21.geojson"


def test_lookups_dropped_in_by_hand_find_the_place_offline(site: Site, portal: Desk) -> None:
    for name in ("lsoa21", "lsoa21_to_district", "district_to_force", "district_to_county"):
        portal.fetch(name, into=portal.boundaries)
    site.log.clear()
    assert portal.fetch("lsoa21", within="Southend-on-Sea").rows == 575
    assert site.log == []


def test_all_files_that_a_place_needs_are_named_at_once(site: Site, portal: Desk) -> None:
    portal.fetch("lsoa21", into=portal.boundaries)
    for path in [path for path in site.services if "LSOA21" not in path]:
        del site.services[path]
    with pytest.raises(FetchError, match="district_to_force is needed") as told:
        portal.fetch("lsoa21", within="Essex")
    text = str(told.value)
    assert text.startswith("To find the place, district_to_force is needed: ")
    assert text.endswith(
        "a place of lsoa21 needs all of: lsoa21_to_district.csv, district_to_force.csv, "
        "district_to_county.csv."
    )
    assert text.count("By hand: ") == 1


def test_table_of_a_service_becomes_a_lookup(portal: Desk) -> None:
    lookup = read_lookup(portal.fetch("lsoa21_to_district"))
    assert list(lookup.columns) == ["lsoa_code", "district_code", "district_name"]
    assert len(lookup) == 2300


def error(code: int, message: str) -> Fault:
    return Fault(body=json.dumps({"error": {"code": code, "message": message}}).encode())


def test_error_under_status_200_is_an_error(site: Site, portal: Desk) -> None:
    site.faults[QUERY] = [error(400, "Invalid URL")]
    with pytest.raises(FetchError, match=r"The service says: Invalid URL \(code 400\).*By hand"):
        portal.fetch("lsoa21")
    assert portal.kept() == []


def test_passing_error_under_status_200_is_tried_again(site: Site, portal: Desk) -> None:
    site.faults[QUERY] = [error(503, "Busy"), Fault(), error(500, "Internal"), Fault(body=b'{"fe')]
    assert portal.fetch("lsoa21").rows == 2300
    assert len(portal.backoffs) == 3


def test_broken_paging_is_taken_up_by_the_next_run(site: Site, portal: Desk) -> None:
    site.faults[QUERY] = [Fault(), Fault(), *[Fault(status=503)] * 2]
    with pytest.raises(FetchError, match="gave up"):
        portal.fetch("lsoa21", attempts=2)
    assert portal.kept() == []
    site.log.clear()
    assert portal.fetch("lsoa21").rows == 2300
    offsets = [s.query.get("resultOffset") for s in site.asked(QUERY)]
    assert offsets == [None, "1000", "2000"]


def test_page_without_features_before_the_end_is_not_the_end(site: Site, portal: Desk) -> None:
    empty = Fault(body=b'{"type": "FeatureCollection", "features": []}')
    site.faults[QUERY] = [Fault(), Fault(), empty]
    assert portal.fetch("lsoa21").rows == 2300
    site.faults[QUERY] = [Fault(), *[empty] * 4]
    with pytest.raises(FetchError, match="sends no feature from number 0 on"):
        portal.fetch("lsoa21", refresh=True)


def test_wrong_number_of_areas_is_refused(portal: Desk) -> None:
    edit_catalogue(portal, "rows = 2300", "rows = 2301")
    with pytest.raises(FetchError, match="2,300 rows came where 2,301 are expected"):
        portal.fetch("lsoa21")
    assert portal.kept() == []


def test_feature_that_comes_twice_is_refused(site: Site, portal: Desk) -> None:
    twice = site.services[QUERY]

    def overlapping(form: dict[str, str]) -> bytes:
        if form.get("resultOffset") == "1000":
            form["resultOffset"] = "999"
        return twice(form)

    site.services[QUERY] = overlapping
    with pytest.raises(FetchError, match="sent 1 features twice"):
        portal.fetch("lsoa21")


def test_address_that_leads_to_another_layer_is_refused(portal: Desk) -> None:
    edit_catalogue(portal, "/services/LU/", "/services/PFA/")
    with pytest.raises(
        FetchError, match="PFA has no column LSOA21CD, LAD25CD; it has FID, LAD24CD"
    ):
        portal.fetch("lsoa21_to_district")


ABOUT = "/services/LSOA21/FeatureServer/0"


def changed(
    site: Site, path: str, change: Callable[[dict[str, str], Any], Any]
) -> Callable[[dict[str, str]], bytes]:
    """Have a service answer what a function makes of its answer; return it as it was."""
    whole = site.services[path]
    site.services[path] = lambda form: json.dumps(change(form, json.loads(whole(form)))).encode()
    return whole


def test_service_mended_since_is_asked_anew(site: Site, portal: Desk) -> None:
    def repeat(form: dict[str, str], answer: Any) -> Any:
        for one in answer.get("features", []):
            one["properties"]["FID"] = 7
        return answer

    whole = changed(site, QUERY, repeat)
    with pytest.raises(FetchError, match="features twice"):
        portal.fetch("lsoa21")
    site.services[QUERY] = whole
    assert portal.fetch("lsoa21").rows == 2300


def test_service_that_counts_too_few_is_found_out(site: Site, portal: Desk) -> None:
    def few(form: dict[str, str], answer: Any) -> Any:
        if "count" in answer:
            return {"count": 200}
        start = int(form["resultOffset"])
        features = answer["features"][:200]
        return {**answer, "features": features, "properties": {"exceededTransferLimit": start < 9}}

    whole = changed(site, QUERY, few)
    with pytest.raises(FetchError, match=r"sends more than the [0-9]+ features that it counted"):
        portal.fetch("lsoa21", within="Essex")
    assert not [name for name in portal.kept() if name.startswith("lsoa21-")]
    site.services[QUERY] = whole
    assert portal.fetch("lsoa21", within="Essex").rows == 1725


def test_flag_of_more_at_the_very_end_is_looked_into(site: Site, portal: Desk) -> None:
    changed(site, QUERY, lambda _, answer: {**answer, "exceededTransferLimit": True})
    assert portal.fetch("lsoa21").rows == 2300


def test_service_that_passes_over_the_page_size_is_found_out(site: Site, portal: Desk) -> None:
    changed(site, QUERY, lambda _, answer: {"count": 1500} if "count" in answer else answer)
    with pytest.raises(FetchError, match="sends more than the 1,500 features that it counted"):
        portal.fetch("lsoa21")


def test_same_page_again_and_again_is_found_out_without_identifiers(
    site: Site, portal: Desk
) -> None:
    path = "/services/LU/FeatureServer/0/query"
    whole = site.services[path]

    def first(form: dict[str, str]) -> bytes:
        answer = json.loads(whole({**form, "resultOffset": "0"}))
        if "count" in answer:
            return b'{"count": 2000}'
        for one in answer.get("features", []):
            del one["attributes"]["FID"]
        return json.dumps(answer).encode()

    site.services[path] = first
    edit_catalogue(portal, "rows = 2300", "")
    with pytest.raises(FetchError, match=r"sent 1,[0-9]{3} features twice"):
        portal.fetch("lsoa21_to_district")


def test_pages_in_any_order_give_the_same_file(site: Site, portal: Desk) -> None:
    straight = portal.fetch("lsoa21")

    def backwards(form: dict[str, str], answer: Any) -> Any:
        return {**answer, "features": answer.get("features", [])[::-1]}

    changed(site, QUERY, backwards)
    assert portal.fetch("lsoa21", refresh=True).sha256 == straight.sha256


def test_empty_table_is_not_kept(site: Site, portal: Desk) -> None:
    nothing = lambda _, answer: {"count": 0} if "count" in answer else answer  # noqa: E731
    changed(site, "/services/PFA/FeatureServer/0/query", nothing)
    with pytest.raises(FetchError, match="PFA holds nothing"):
        portal.fetch("district_to_force")
    assert portal.kept() == []


@pytest.mark.parametrize(
    "broken",
    [
        {"features": 3}, {"features": ["a"]}, {"features": [{"properties": [1]}]},
        {"features": [{"properties": {"LSOA21CD": {"a": 1}}}]}, [], 7, None,
        {"error": "busy"}, {"error": {"code": "x", "details": 3}}, {"count": True, "features": {}},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_answer_of_another_shape_is_told(site: Site, portal: Desk, broken: Any) -> None:
    changed(site, QUERY, lambda _, answer: answer if "count" in answer else broken)
    with pytest.raises(FetchError, match=r"[Tt]he service (answers|says|sends)"):
        portal.fetch("lsoa21")
    assert portal.kept() == []


@pytest.mark.parametrize(
    "broken",
    [{"fields": 3}, {"fields": ["a"]}, {"fields": [{}]}, {"fields": None}],
    ids=json.dumps,
)
def test_description_of_another_shape_is_told(site: Site, portal: Desk, broken: Any) -> None:
    changed(site, ABOUT, lambda _, answer: {**answer, **broken})
    with pytest.raises(FetchError, match="describes no columns of LSOA21"):
        portal.fetch("lsoa21")


def test_description_with_odd_details_serves(site: Site, portal: Desk) -> None:
    odd = {"maxRecordCount": "many", "editingInfo": [], "objectIdField": None}
    changed(site, ABOUT, lambda _, answer: {**answer, **odd})
    assert portal.fetch("lsoa21").rows == 2300


def test_service_that_sends_another_reference_system_and_says_so_is_brought_onto_the_grid(
    site: Site, desk: Desk
) -> None:
    base = feature_service(site, "LSOA21", lsoa_rows(5), outlines=True)
    desk.add("lsoa21", "features", base, rows=5)
    grid = read_boundaries(desk.fetch("lsoa21"))
    web = grid.to_crs(3857)

    def mercator(_: Any, answer: Any) -> Any:
        for one, outline in zip(answer.get("features", []), web.geometry, strict=False):
            one["geometry"] = json.loads(gpd.GeoSeries([outline]).to_json())["features"][0][
                "geometry"
            ]
        named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
        return {**answer, "crs": named}

    changed(site, f"{base}/query", mercator)
    areas = read_boundaries(desk.fetch("lsoa21", refresh=True))
    assert areas.geometry.geom_equals_exact(grid.geometry, 0.01).all()
    changed(site, f"{base}/query", lambda _, answer: {**answer, "crs": None})
    with pytest.raises(FetchError, match="outlines that are not on the British National Grid"):
        desk.fetch("lsoa21", refresh=True)


@pytest.mark.parametrize(
    ("geometry", "match"),
    [
        (None, "sends 0 outlines for 1,000 areas"),
        ({"type": "Polygon", "coordinates": "x"}, "sends 0 outlines for 1,000 areas"),
    ],
)
def test_areas_without_outlines_are_refused(
    site: Site, portal: Desk, geometry: Any, match: str
) -> None:
    def bare(_: Any, answer: Any) -> Any:
        features = [{**one, "geometry": geometry} for one in answer.get("features", [])]
        return {**answer, "features": features}

    changed(site, QUERY, bare)
    with pytest.raises(FetchError, match=match):
        portal.fetch("lsoa21")
    assert portal.kept() == []


def test_page_that_was_damaged_on_disk_is_asked_for_again(site: Site, portal: Desk) -> None:
    site.faults[QUERY] = [Fault(), Fault(), *[Fault(status=503)] * 2]
    with pytest.raises(FetchError, match="gave up"):
        portal.fetch("lsoa21", attempts=2)
    [page] = (portal.cache / "partial").rglob("0000-00000000.json")
    page.write_text(page.read_text(encoding="utf-8")[:1000], "utf-8")
    assert portal.fetch("lsoa21").rows == 2300


def test_page_that_cannot_be_written_is_told(site: Site, portal: Desk) -> None:
    site.faults[QUERY] = [Fault(), Fault(), *[Fault(status=503)] * 2]
    with pytest.raises(FetchError, match="gave up"):
        portal.fetch("lsoa21", attempts=2)
    [page] = (portal.cache / "partial").rglob("0000-00000000.json")
    page.with_name("0000-00001000.new").mkdir()
    with pytest.raises(OutputError, match="could not be written"):
        portal.fetch("lsoa21")


def test_long_question_is_asked_again_where_it_is_sent_on_to(site: Site, portal: Desk) -> None:
    site.services["/moved"] = site.services.pop(QUERY)
    site.redirects[QUERY] = "/moved"
    assert portal.fetch("lsoa21", within="Essex").rows == 1725
    assert any(len(seen.query["where"]) > 1500 for seen in site.asked("/moved"))


def test_file_of_other_areas_dropped_in_by_hand_is_refused(portal: Desk) -> None:
    address = 'LSOA21/FeatureServer/0"'
    edit_catalogue(portal, address, f'{address}\ncolumns = ["LSOA21CD"]')
    areas = gpd.read_file(portal.fetch("lsoa21").path)
    for name, driver in (("lsoa21.geojson", "GeoJSON"), ("lsoa21.gpkg", "GPKG")):
        path = portal.boundaries / name
        areas.rename(columns={"LSOA21CD": "LSOA11CD"}).to_file(path, driver=driver)
        with pytest.raises(
            FetchError, match=r"by hand\) has no column LSOA21CD.*Is it the file of"
        ):
            portal.fetch("lsoa21")
        areas.head(9).to_file(path, driver=driver)
        assert portal.fetch("lsoa21").notes == (f"{name} holds 9 areas; all of lsoa21 are 2,300.",)
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 3])
        with pytest.raises(FetchError, match=r"cut short|no areas that can be read"):
            portal.fetch("lsoa21")
        path.unlink()
    areas.to_parquet(portal.boundaries / "lsoa21.parquet")
    assert portal.fetch("lsoa21").rows == 2300


# --- Recorded crime ---------------------------------------------------------------------------

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context\n"
)


def crimes(month: str, force: str, count: int, rng: np.random.Generator) -> bytes:
    noise = rng.integers(0, 2**62, size=(count, 4))
    rows = "".join(
        f"{''.join(f'{n:015x}' for n in ids)},{month},{force},{force},0.9,51.9,On or near {i},"
        f"E01021637,Colchester 001A,Burglary,,\n"
        for i, ids in enumerate(noise)
    )
    return (HEADER + rows).encode()


def archive_of(
    months: Sequence[str], forces: Sequence[str], *, count: int = 4000, absent: Sequence[str] = ()
) -> bytes:
    stream = io.BytesIO()
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in months:
            for force in forces:
                name = f"{month}/{month}-{force}-street.csv"
                if name not in absent:
                    archive.writestr(name, crimes(month, force, count, rng))
                archive.writestr(f"{month}/{month}-{force}-outcomes.csv", "Crime ID,Month\n")
    return stream.getvalue()


@pytest.fixture(scope="module")
def big_archive() -> bytes:
    forces = ["avon-and-somerset", "essex", "kent", "metropolitan", "norfolk", "suffolk"]
    return archive_of(["2025-10", "2025-11", "2025-12"], forces,
                      absent=["2025-11/2025-11-norfolk-street.csv"])  # fmt: skip


@pytest.fixture
def police(site: Site, desk: Desk, big_archive: bytes) -> Desk:
    site.redirects["/data/archive/latest.zip"] = "/store/archive.zip?signature=secret"
    site.files["/store/archive.zip"] = Stored(big_archive)
    site.files["/data/archive/2025-09.zip"] = Stored(
        archive_of(["2025-08", "2025-09"], ["essex", "kent"], count=10)
    )
    month = f"{site.url}/data/archive/{{month}}.zip"
    desk.add("crime", "police", "/data/archive/latest.zip", month_url=month)
    return desk


def test_one_force_is_read_without_the_archive(
    site: Site, police: Desk, big_archive: bytes
) -> None:
    fetched = police.fetch("crime", force="essex")
    events = read_police(fetched)
    assert len(events) == 12_000
    assert fetched.path.name == "essex-2025-10-to-2025-12.zip"
    assert site.sent() < 0.6 * len(big_archive)
    with zipfile.ZipFile(fetched.path) as ours, zipfile.ZipFile(io.BytesIO(big_archive)) as whole:
        assert ours.namelist() == [f"2025-{m}/2025-{m}-essex-street.csv" for m in (10, 11, 12)]
        assert all(ours.read(name) == whole.read(name) for name in ours.namelist())


def test_months_are_chosen_and_forces_known_by_name(police: Desk) -> None:
    fetched = police.fetch("crime", force="Essex Police", first="2025-11", last="2025-11")
    assert read_police(fetched).attrs["report"].files == ("2025-11-essex-street.csv",)


def test_earlier_months_come_from_earlier_archives(police: Desk) -> None:
    fetched = police.fetch("crime", force="essex", first="2025-09", last="2025-10")
    assert fetched.path.name == "essex-2025-09-to-2025-10.zip"
    assert len(read_police(fetched)) == 4010


def test_month_that_a_force_did_not_publish_is_told(police: Desk) -> None:
    assert "Not published: 2025-11." in police.fetch("crime", force="norfolk").notes


def test_force_or_month_that_is_not_there_is_told(police: Desk) -> None:
    with pytest.raises(FetchError, match=r"has no force 'sufolk'\. Did you mean suffolk"):
        police.fetch("crime", force="sufolk")
    with pytest.raises(FetchError, match="Greater Manchester is not in it"):
        police.fetch("crime", force="greater-manchester")
    with pytest.raises(FetchError, match=r"ends with 2025-12; 2026-01 is not in it.*By hand"):
        police.fetch("crime", force="essex", last="2026-01")
    with pytest.raises(RecipeError, match="'2025-13' is not a month"):
        police.fetch("crime", force="essex", first="2025-13")


def test_part_that_breaks_off_is_asked_for_again(site: Site, police: Desk) -> None:
    site.faults["/store/archive.zip"] = [
        Fault(),
        Fault(drop_after=100),
        Fault(status=429, headers={"Retry-After": "1"}),
        Fault(length=lambda size: size + 5),
        Fault(length=lambda size: max(size - 5, 1)),
    ]
    assert len(read_police(police.fetch("crime", force="kent", attempts=5))) == 12_000
    assert 1.0 in police.waits


def test_members_that_came_are_not_asked_for_again(site: Site, police: Desk) -> None:
    police.fetch("crime", force="essex")
    count, size = len(site.asked("/store/archive.zip")), site.sent()
    site.log.clear()
    site.faults["/store/archive.zip"] = [Fault()] * (count - 1) + [Fault(status=503)] * 4
    with pytest.raises(FetchError, match="gave up"):
        police.fetch("crime", force="essex", refresh=True)
    site.log.clear()
    assert len(read_police(police.fetch("crime", force="essex", refresh=True))) == 12_000
    assert site.sent() < 0.8 * size


def test_archive_that_changes_meanwhile_is_refused(site: Site, police: Desk) -> None:
    store = site.files["/store/archive.zip"]
    new = Stored(store.content + b"x", etag='"two"')
    seen = []

    def change(_: int) -> int:
        seen.append(1)
        site.files["/store/archive.zip"] = new
        return 1

    site.faults["/store/archive.zip"] = [Fault(length=change)]
    with pytest.raises(FetchError, match="the file changed while it was read"):
        police.fetch("crime", force="essex")
    assert seen
    assert police.kept() == []


def test_earlier_archive_that_is_the_newest_again_is_not_asked_for_ever(
    site: Site, police: Desk, big_archive: bytes
) -> None:
    site.files["/data/archive/2025-09.zip"] = Stored(big_archive)
    with pytest.raises(FetchError, match=r"no earlier archive .*Ask for 2025-10 or a later first"):
        police.fetch("crime", force="essex", first="2025-01")


def test_member_that_would_leave_its_folder_is_passed_over(site: Site, police: Desk) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in ("2025-12-../../../essex", "2025-12-..\\essex", "2025-13-essex"):
            archive.writestr(f"2025-12/{name}-street.csv", HEADER)
    site.files["/store/archive.zip"] = Stored(stream.getvalue())
    with pytest.raises(FetchError, match="holds no street-level files"):
        police.fetch("crime", force="essex")


def test_damaged_member_never_reaches_the_cache(
    site: Site, police: Desk, big_archive: bytes
) -> None:
    with zipfile.ZipFile(io.BytesIO(big_archive)) as archive:
        place = archive.getinfo("2025-11/2025-11-essex-street.csv").header_offset + 5000
    damaged = bytearray(big_archive)
    damaged[place : place + 4] = b"\0\0\0\0"
    site.files["/store/archive.zip"] = Stored(bytes(damaged))
    with pytest.raises(FetchError, match=r"2025-11-essex-street\.csv in latest\.zip is damaged"):
        police.fetch("crime", force="essex")
    assert police.kept() == []


def test_server_without_ranges_is_asked_for_the_whole_only_when_told(
    site: Site, police: Desk, big_archive: bytes
) -> None:
    site.files["/store/archive.zip"] = Stored(big_archive, ranges=False)
    with pytest.raises(FetchError, match=r"only whole files.*--whole.*By hand"):
        police.fetch("crime", force="essex")
    fetched = police.fetch("crime", force="essex", whole=True)
    assert len(read_police(fetched)) == 12_000


def test_what_is_no_archive_is_told(site: Site, police: Desk) -> None:
    site.files["/store/archive.zip"] = Stored(b"not an archive" * 100)
    with pytest.raises(FetchError, match="is no whole ZIP archive"):
        police.fetch("crime", force="essex")


@pytest.mark.parametrize("name", ["latest.zip", "crime-essex.zip", "essex.zip", "2025-12.zip"])
def test_archive_dropped_in_by_hand_serves(
    site: Site, police: Desk, big_archive: bytes, name: str
) -> None:
    (police.boundaries / name).write_bytes(big_archive)
    fetched = police.fetch("crime", force="essex", first="2025-11")
    assert len(read_police(fetched)) == 8000
    assert fetched.origin == "by hand"
    assert site.log == []


# --- Postcodes --------------------------------------------------------------------------------

DIRECTORY = b"pcd7,pcds,lsoa21\n" + b"".join(
    b"CO%03d,CO %03d,E01021637\n" % (i, i) for i in range(999)
)


@pytest.fixture
def postcodes(site: Site, desk: Desk) -> Desk:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Data/multi_csv/ONSPD_AUG_2026_UK_CO.csv", DIRECTORY)
        archive.writestr("Data/ONSPD_AUG_2026_UK.csv", DIRECTORY)
        archive.writestr("User Guide/ONSPD User Guide.pdf", b"%PDF")
    site.files["/rest/content/items/august/data"] = Stored(stream.getvalue())
    items = [
        {"id": "guide", "title": "ONS Postcode Directory (August 2026) User Guide", "created": 9},
        {"id": "may", "title": "ONS Postcode Directory (May 2026) for the UK", "created": 8},
        {"id": "august", "title": "ONS Postcode Directory (August 2026) for the UK", "created": 7},
        {"id": "live", "title": "ONS Postcode Directory (Latest) Centroids", "created": 6},
    ]
    site.services["/rest/search"] = lambda _: json.dumps({"results": items}).encode()
    desk.add("postcodes", "postcodes", "/rest", query={"q": 'title:"ONS Postcode Directory"'})
    return desk


@pytest.mark.parametrize("ranges", [True, False])
def test_newest_postcode_directory_is_found(site: Site, postcodes: Desk, ranges: bool) -> None:
    site.files["/rest/content/items/august/data"].ranges = ranges
    fetched = postcodes.fetch("postcodes")
    assert fetched.path.name == "ONSPD_AUG_2026_UK.csv.gz"
    assert gzip.decompress(fetched.path.read_bytes()) == DIRECTORY
    assert len(read_table(fetched.path)) == 999
    assert fetched.notes[0] == "ONS Postcode Directory (August 2026) for the UK."


def test_search_without_an_edition_is_told(site: Site, postcodes: Desk) -> None:
    site.services["/rest/search"] = lambda _: b'{"results": [{"id": "a", "title": "Wards"}]}'
    with pytest.raises(FetchError, match="finds no edition of the ONS Postcode Directory, but War"):
        postcodes.fetch("postcodes")


def test_postcode_directory_dropped_in_by_hand_serves(site: Site, postcodes: Desk) -> None:
    content = site.files["/rest/content/items/august/data"].content
    (postcodes.boundaries / "ONSPD_AUG_2026.zip").write_bytes(content)
    fetched = postcodes.fetch("postcodes")
    assert gzip.decompress(fetched.path.read_bytes()) == DIRECTORY
    assert site.log == []


# --- Nomis ------------------------------------------------------------------------------------


@pytest.fixture
def nomis(site: Site, desk: Desk) -> Desk:
    people = [(f"E01{i:06}", 1000 + i) for i in range(1, 61)]

    def answer(form: dict[str, str]) -> bytes:
        if form.get("geography") != "TYPE151" or form.get("measures") != "20100":
            return b""
        start = int(form["RecordOffset"])
        rows = "".join(f'"{c}","x",{n},{len(people)}\n' for c, n in people[start : start + 25])
        return f"GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT\n{rows}".encode()

    site.services["/NM_2021_1.data.csv"] = answer
    desk.add("population", "nomis", "/NM_2021_1.data.csv", rows=60)
    return desk


def test_pages_of_nomis_become_a_population(site: Site, nomis: Desk) -> None:
    fetched = nomis.fetch("population")
    population = read_population(fetched)
    assert population["residents"].sum() == sum(1000 + i for i in range(1, 61))
    assert population.attrs["vintage"] == "2021"
    offsets = [seen.query["RecordOffset"] for seen in site.log]
    assert offsets == ["0", "25", "50"]
    assert "record_count" in site.log[0].query["select"]


def test_empty_answer_of_nomis_names_the_likely_parameter(site: Site, nomis: Desk) -> None:
    query = '[population.query]\ngeography = "TYPE15"\nc2021_restype_3 = "0"\n'
    query += 'measures = "20100"\nselect = "geography_code,geography_name,obs_value,record_count"\n'
    path = nomis.boundaries / "catalogue.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n" + query, "utf-8")
    match = r"NM_2021_1.* Likely: geography=TYPE15 \(known to work: TYPE151\)\."
    with pytest.raises(FetchError, match=match):
        nomis.fetch("population")
    assert nomis.kept() == []


@pytest.mark.parametrize("broken", [b"", b"GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_C"])
def test_later_page_that_comes_broken_is_asked_for_again(
    site: Site, nomis: Desk, broken: bytes
) -> None:
    site.faults["/NM_2021_1.data.csv"] = [Fault(), Fault(body=broken)]
    assert nomis.fetch("population").rows == 60


def test_rows_that_are_missing_are_told(site: Site, nomis: Desk) -> None:
    whole = site.services["/NM_2021_1.data.csv"]
    site.services["/NM_2021_1.data.csv"] = lambda form: (
        whole(form) if form["RecordOffset"] != "50" else whole({**form, "RecordOffset": "60"})
    )
    with pytest.raises(FetchError, match="sent 50 rows of 60"):
        nomis.fetch("population")
    assert nomis.kept() == []


def test_pages_of_nomis_that_came_are_not_asked_for_again(site: Site, nomis: Desk) -> None:
    site.faults["/NM_2021_1.data.csv"] = [Fault(), Fault(), *[Fault(status=503)] * 2]
    with pytest.raises(FetchError, match="gave up"):
        nomis.fetch("population", attempts=2)
    site.log.clear()
    assert nomis.fetch("population").rows == 60
    assert [seen.query["RecordOffset"] for seen in site.log] == ["0", "50"]


def test_pages_of_nomis_of_another_state_are_dropped(site: Site, nomis: Desk) -> None:
    site.faults["/NM_2021_1.data.csv"] = [Fault(), Fault(), *[Fault(status=503)] * 2]
    with pytest.raises(FetchError, match="gave up"):
        nomis.fetch("population", attempts=2)
    whole = site.services["/NM_2021_1.data.csv"]
    site.services["/NM_2021_1.data.csv"] = lambda form: whole(form).replace(b'"x"', b'"y"')
    site.log.clear()
    assert b'"x"' not in nomis.fetch("population").path.read_bytes()
    assert [seen.query["RecordOffset"] for seen in site.log] == ["0", "25", "50"]


def test_same_page_of_nomis_again_is_found_out(site: Site, nomis: Desk) -> None:
    whole = site.services["/NM_2021_1.data.csv"]
    site.services["/NM_2021_1.data.csv"] = lambda form: whole({**form, "RecordOffset": "0"})
    edit_catalogue(nomis, "rows = 60", "")
    with pytest.raises(FetchError, match=r"sent 75 rows of 60|codes came more than once"):
        nomis.fetch("population")
    assert nomis.kept() == []


def test_nomis_without_a_row_is_told(site: Site, nomis: Desk) -> None:
    header = b"GEOGRAPHY_CODE,GEOGRAPHY_NAME,OBS_VALUE,RECORD_COUNT\n"
    site.services["/NM_2021_1.data.csv"] = lambda _: header
    edit_catalogue(nomis, "rows = 60", "")
    with pytest.raises(FetchError, match="sent no row"):
        nomis.fetch("population")


def test_full_page_of_nomis_without_a_total_is_not_taken_for_all(site: Site, nomis: Desk) -> None:
    rows = b"".join(b"E01%06d,x,1\n" % number for number in range(25_000))
    site.services["/NM_2021_1.data.csv"] = lambda _: b"GEOGRAPHY_CODE,G,OBS_VALUE\n" + rows
    edit_catalogue(nomis, "rows = 60", "")
    with pytest.raises(FetchError, match=r"does not say how many .*Add record_count to `select`"):
        nomis.fetch("population")
