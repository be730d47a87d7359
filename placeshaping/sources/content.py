"""What came, checked before it is kept: checksum, kind of file, columns, number of rows."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.errors

from placeshaping._core.checks import listed
from placeshaping._core.errors import FetchError, InputError
from placeshaping._core.provenance import sha256
from placeshaping.sources.answers import refuse_web_page
from placeshaping.sources.catalogue import Entry
from placeshaping.sources.tabular import read_table
from placeshaping.sources.text import sniff_encoding

_TEXT = {".csv", ".tsv", ".txt"}
_TABLES = {*_TEXT, ".gz", ".xlsx", ".parquet"}
_AREAS = {".gpkg", ".geojson", ".json", ".parquet", ".geoparquet", ".zip", ".shp", ".fgb"}
_TAIL = 65_536


def check_content(path: Path, entry: Entry, *, origin: str, kind: str | None = None) -> int | None:
    """
    Check a file against what the catalogue says of it.

    Parameters
    ----------
    path
        The file, under any name.
    entry
        The catalogue's entry.
    origin
        Where the file came from, for messages.
    kind
        Ending of the name that tells what kind of file it is; the entry's own where not given.

    Returns
    -------
    rows
        Rows of a table, or areas; ``None`` of anything else.

    Raises
    ------
    FetchError
        If it is not the file that the entry describes.
    """
    with path.open("rb") as stream:
        start = stream.read(512)
    refuse_web_page(start, origin)
    _check_sum(path, entry, origin)
    if start.startswith(b"PK\x03\x04"):
        _check_zip(path, origin)
    kind = (kind or Path(entry.file).suffix).casefold()
    _check_end(path, start, kind, origin)
    if kind in {".zip", ".xlsx", ".ods", ".gpkg"} and not start.startswith((b"PK", b"SQLite")):
        msg = f"{origin}: this is no {kind} file. Look at {entry.url} in a browser."
        raise FetchError(msg)
    if kind in _TEXT:
        _check_no_message(start, origin)
    if kind in _AREAS and entry.kind == "features":
        return _check_areas(path, entry, origin)
    if Path(entry.file).suffix.casefold() not in _TEXT or kind not in _TABLES:
        return None
    if kind in _TEXT:
        _check_last_row(path, origin)
    return _check_table(path, entry, origin)


def _check_sum(path: Path, entry: Entry, origin: str) -> None:
    if entry.sha256 is None:
        return
    got = sha256(path)
    if got != entry.sha256:
        msg = (
            f"{origin}: the checksum is {got[:12]}..., not {entry.sha256[:12]}... as expected: "
            "another edition, or damaged on the way. If the publisher replaced it and you trust "
            f'it, write [{entry.name}] and sha256 = "{got}" into boundaries/catalogue.toml.'
        )
        raise FetchError(msg)


def _check_end(path: Path, start: bytes, kind: str, origin: str) -> None:
    """Refuse a file whose kind tells that its end is missing."""
    whole = True
    if start.startswith(b"\x1f\x8b"):
        whole = _unpacks(path)
    elif kind in {".parquet", ".geoparquet", ".json", ".geojson"}:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 64))
            end = stream.read().rstrip()
        whole = end.endswith(b"PAR1" if "parquet" in kind else (b"}", b"]"))
    if not whole:
        msg = f"{origin}: what came is cut short or damaged. Run it again."
        raise FetchError(msg)


def _unpacks(path: Path) -> bool:
    try:
        with gzip.open(path, "rb") as stream:
            while stream.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error):
        return False
    return True


def _check_no_message(start: bytes, origin: str) -> None:
    """Refuse an error that a server sends as XML or JSON under status 200."""
    begin = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin.startswith((b"<", b"{")):
        told = begin[:120].decode("utf-8", errors="replace").replace("\n", " ")
        msg = f"{origin}: what came is no table but a message: {told!r}. Run it again later."
        raise FetchError(msg)


def _check_areas(path: Path, entry: Entry, origin: str) -> int:
    """Check the columns of a file of areas; how many there are is told, a part may be meant."""
    try:
        if path.suffix.casefold() in {".parquet", ".geoparquet"}:
            held = pq.ParquetFile(path)
            names, count = list(held.schema_arrow.names), int(held.metadata.num_rows)
        else:
            about = pyogrio.read_info(path, force_feature_count=True)
            names, count = list(about["fields"]), int(about["features"])
    except (pyogrio.errors.DataSourceError, pa.ArrowException, OSError, ValueError) as error:
        msg = f"{origin}: what came holds no areas that can be read ({error})."
        raise FetchError(msg) from error
    absent = entry.missing_columns(names)
    if absent or not count:
        what = (
            f"no column {listed(absent)}; it has {listed(names, most=8)}" if absent else "no area"
        )
        msg = f"{origin} has {what}. Is it the file of [{entry.name}]?"
        raise FetchError(msg)
    return count


def _check_zip(path: Path, origin: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        msg = f"{origin}: what came is cut short or damaged ({error}). Run it again."
        raise FetchError(msg) from error
    if damaged:
        msg = f"{origin}: {damaged} in it is damaged. Run it again."
        raise FetchError(msg)


def _check_last_row(path: Path, origin: str) -> None:
    """Refuse a table whose last row has fewer cells than its header: it was cut short."""
    raw = path.read_bytes()
    encoding = sniff_encoding(raw[:_TAIL])
    if encoding.startswith(("utf-16", "utf-32")):
        return
    head = raw[:_TAIL].decode(encoding, errors="replace")
    tail = raw[-_TAIL:].decode(encoding, errors="replace").rstrip("\r\n").splitlines()
    header = next(csv.reader(io.StringIO(head)), [])
    last = next(csv.reader(tail[-1:]), [])
    if len(last) < len(header):
        msg = (
            f"{origin}: the table is cut short (its last row has {len(last):,} cells of "
            f"{len(header):,}). Run it again."
        )
        raise FetchError(msg)


def _check_table(path: Path, entry: Entry, origin: str) -> int:
    try:
        table = read_table(path)
    except InputError as error:
        msg = f"{origin}: what came is no table ({error})"
        raise FetchError(msg) from error
    names = [str(name) for name in table.columns]
    absent = entry.missing_columns(names)
    if absent:
        msg = f"{origin} has no column {listed(absent)}; it has {listed(names, most=8)}."
        raise FetchError(msg)
    if entry.rows is not None and len(table) != entry.rows:
        msg = (
            f"{origin}: {len(table):,} rows where {entry.rows:,} are expected. If the publisher "
            f"changed them, set `rows` under [{entry.name}] in boundaries/catalogue.toml."
        )
        raise FetchError(msg)
    return len(table)
