"""
Read the sheets of a profile: texts where they stand, tables by their left edges, the declaration.

Not any PDF can be read, only such as this package writes: texts as they are,
one after the other. What holds pictures, scripts, attachments or no readable
text is refused.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import note_pairs, number_run

_STREAM = re.compile(rb"<<((?:[^<>]|<<[^<>]*>>)*?)>>\s*stream\r?\n(.*?)endstream", re.DOTALL)
_REFUSED = (b"/JavaScript", b"/JS ", b"/EmbeddedFile", b"/Launch", b"/URI", b"/RichMedia")
_TEXT = re.compile(rb"(-?[\d.]+)\s+(-?[\d.]+)\s+cm\s+BT(.*?)ET|BT(.*?)ET", re.DOTALL)
_OBJECT = re.compile(rb"\((?:\\.|[^\\()])*\)", re.DOTALL)
_KEYWORDS = re.compile(rb"/Keywords\s*(\((?:\\.|[^\\()])*\))", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LARGEST = 50_000_000
_LINE = 10.0
_SAME = 0.05


@dataclass(frozen=True)
class _Block:
    """Lines that stand one under the other."""

    x: float
    y: float
    text: str


def read_pdf(path: Path) -> Contents:
    """
    Read a PDF as this package writes them.

    Raises
    ------
    UnreadableError
        If it is another.
    """
    raw = path.read_bytes()
    if not raw.startswith(b"%PDF-") or len(raw) > _LARGEST:
        msg = "it is no PDF as this program writes them"
        raise UnreadableError(msg)
    contents = Contents("pdf")
    for mark in _REFUSED:
        if mark in raw:
            contents.breach("file", "holds what is no text", mark.decode().strip("/ "))
    if re.search(rb"/Subtype\s*/Image\b", raw):
        contents.breach("file", "holds pictures, which cannot be judged")
    _declare(raw, contents)
    pieces = [piece for stream in _streams(raw) for piece in _pieces(stream)]
    if not pieces:
        msg = "it holds no text that can be read"
        raise UnreadableError(msg)
    blocks = list(_blocks(pieces))
    for number, rows in enumerate(_tables(blocks), 1):
        frame = pd.DataFrame([r[: len(rows[0])] for r in rows[1:]], columns=list(rows[0]))
        contents.tables.append(Table(f"<table> {number}", frame))
    words = "\n".join(block.text for block in blocks)
    contents.texts["text"] = words
    note_pairs("sheets", words, contents)
    for block in blocks:
        run = number_run(block.text)
        if run:
            contents.breach("sheets", "holds a list of numbers", run[:80])
    return contents


def _declare(raw: bytes, contents: Contents) -> None:
    found = _KEYWORDS.findall(raw)
    if len(found) != 1:
        contents.breach("declaration", "stands not once" if found else "is missing")
        return
    text = _unescaped(found[0])
    said = text.decode("utf-16") if text.startswith(b"\xfe\xff") else text.decode("latin-1")
    contents.texts["declaration"] = said
    try:
        declared = json.loads(said)
    except ValueError as error:
        contents.breach("declaration", "could not be read", str(error))
        return
    if isinstance(declared, dict):
        contents.declaration = declared


def _unescaped(string: bytes) -> bytes:
    r"""
    Return the bytes of a string of a PDF.

    Examples
    --------
    >>> _unescaped(rb"(a\(b\)\101)")
    b'a(b)A'
    """

    def plain(match: re.Match[bytes]) -> bytes:
        given = match.group(1)
        if given[:1].isdigit():
            return bytes([int(given, 8) & 255])
        return b"" if given in (b"\n", b"\r\n") else _PLAIN.get(given, given)

    return _ESCAPED.sub(plain, string[1:-1])


def _streams(raw: bytes) -> Iterator[bytes]:
    """Yield the streams that draw, unpacked."""
    for head, body in _STREAM.findall(raw):
        if b"/Type /XObject" in head or b"/FontFile" in head or b"/Length1" in head:
            continue
        unpacked = _inflated(body) if b"/FlateDecode" in head else body
        if b"BT" in unpacked:
            yield unpacked


def _inflated(body: bytes) -> bytes:
    """Unpack a stream; the line end after it is no part of it."""
    packed = zlib.decompressobj()
    try:
        unpacked = packed.decompress(body, _LARGEST)
    except zlib.error as error:
        msg = f"a stream of it is damaged: {error}"
        raise UnreadableError(msg) from error
    if not packed.eof or packed.unused_data.strip():
        msg = "a stream of it is damaged, or hides something behind its end"
        raise UnreadableError(msg)
    return unpacked


def _pieces(stream: bytes) -> Iterator[_Block]:
    """Yield the texts of a sheet with where they begin, in their order."""
    for match in _TEXT.finditer(stream):
        body = match.group(3) if match.group(3) is not None else match.group(4)
        at = match.group(1), match.group(2)
        place = re.search(rb"(-?[\d.]+)\s+(-?[\d.]+)\s+Td", body)
        move = (float(place[1]), float(place[2])) if place else (0.0, 0.0)
        x, y = (float(one or 0) + shift for one, shift in zip(at, move, strict=True))
        text = b"".join(_unescaped(one) for one in _OBJECT.findall(body)).decode("latin-1")
        if text.strip():
            yield _Block(x, y, text)


def _blocks(pieces: Sequence[_Block]) -> Iterator[_Block]:
    """Join lines that stand close under each other at one left edge."""
    open_, last = None, 0.0
    for piece in pieces:
        under = 0 < last - piece.y <= _LINE
        if open_ is not None and abs(piece.x - open_.x) < _SAME and under:
            open_ = _Block(open_.x, open_.y, f"{open_.text} {piece.text}")
        else:
            if open_ is not None:
                yield open_
            open_ = piece
        last = piece.y
    if open_ is not None:
        yield open_


def _tables(blocks: Sequence[_Block]) -> Iterator[list[list[str]]]:
    """Yield tables: rows of blocks on one line whose left edges are the same from row to row."""
    table: list[list[str]] = []
    edges: list[float] = []
    for row in _rows(blocks):
        own = [block.x for block in row]
        same = len(own) == len(edges) and all(
            abs(a - b) < _SAME for a, b in zip(own, edges, strict=True)
        )
        if not same:
            if len(table) > 1:
                yield table
            table, edges = [], own
        if len(row) > 1:
            table.append([block.text.strip() for block in row])
    if len(table) > 1:
        yield table


def _rows(blocks: Sequence[_Block]) -> Iterator[list[_Block]]:
    row: list[_Block] = []
    for block in blocks:
        if row and (abs(block.y - row[0].y) >= _SAME or block.x <= row[-1].x):
            yield row
            row = []
        row.append(block)
    if row:
        yield row
