"""Read a page as a browser would, and as somebody with the source open would."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import re
import zlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd

from placeshaping.verify.addresses import outside, outside_in_css, outside_in_script
from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.loose_numbers import (
    encoded_run,
    note_pairs,
    number_run,
    without_pictures,
)
from placeshaping.verify.payload import read_payload
from placeshaping.verify.tiles import REACHES, without_tiles

DECLARATION = "placeshaping-declaration"
PAYLOAD = "placeshaping-data"
LIBRARY, LIBRARY_STYLES = "placeshaping-library", "placeshaping-library-styles"

_SCRIPT_TYPES = {"", "text/javascript", "application/javascript", "module", "text/ecmascript"}
_FETCHING = {
    "src", "srcset", "poster", "data", "background", "action", "formaction", "ping", "manifest",
    "xlink:href", "codebase", "archive", "cite", "longdesc", "profile", "imagesrcset",
}  # fmt: skip
_CLICKED = {"a", "area"}
_FEATURES = re.compile(r"""["']type["']\s*:\s*["'](?:FeatureCollection|Feature|Topology)["']""")
_COUNTED = re.compile(
    r"\b(\d{1,3}(?:,\d{3})+|\d+)\s+(?:\w+\s+){0,2}?"
    r"(?:crimes?|records?|incidents?|offences?|events?|cases?|reports?|visits?|referrals?)\b"
    r"|\b(?:count|crimes|records|incidents|offences|events|cases|reports)"
    r"""["']?\s*[:=]\s*["']?(\d+)""",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\bL\.(?:(?:circleMarker|marker|circle)\(\s*\[?\s*-?\d|heatLayer\()")
_FRAGMENT = re.compile(r"<(?:div|b|span|p|td|li)\b[^<>]*>\s*([^<>]+?)\s*<")
_DRAWN = (" d>", " points>", " viewbox>", " transform>", " style>")
_LABELS = {"title", "desc", "td", "th", "option", "text", "button", "label", "caption"}


_DRAWING = ("img", "svg", "canvas", "object", "embed", "iframe", "picture", "video")
"""Elements that may show a map; a script may draw one, too."""


def read_html(path: Path) -> Contents:
    """
    Read a page: what it declares, its data, its tables, texts and addresses.

    Parameters
    ----------
    path
        The page.

    Returns
    -------
    contents
        With a breach for everything that a page must not hold.

    Raises
    ------
    UnreadableError
        If it is not text.
    """
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        msg = "this is not a page: it holds binary data"
        raise UnreadableError(msg)
    contents = Contents("html")
    page = _Page(contents)
    text = raw.decode("utf-8-sig", errors="replace")
    page.feed(text)
    contents.draws |= "url(" in text
    page.close()
    page.finish()
    return contents


class _Page(HTMLParser):
    """Collects what matters from a page."""

    def __init__(self, contents: Contents) -> None:
        super().__init__(convert_charrefs=True)
        self.contents = contents
        self.text: list[str] = []
        self.everything: list[str] = []
        self.payloads = 0
        self.labels: list[str] = []
        self.open: list[str] = []
        self.script: dict[str, str] | None = None
        self.code: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at every attribute; remember where we are."""
        given = {name: value or "" for name, value in attrs}
        self._addresses(tag, given)
        if given.get("http-equiv", "").casefold() == "content-security-policy":
            self.policies.append(given.get("content", ""))
        for name, value in given.items():
            self._attribute(tag, name, value)
        if tag in _DRAWING or (tag == "script" and given.get("type") != "application/json"):
            self.contents.draws = True
        if tag in ("script", "style"):
            self.script = {"tag": tag, **given}
            self.code = []
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Judge a script that has ended."""
        if tag in ("script", "style") and self.script is not None:
            self._judge_code(self.script, "".join(self.code))
            self.script = None
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep text with the element it stands in."""
        if self.script is not None:
            self.code.append(data)
            return
        self.text.append(data)
        self._judge_text("text", data)
        inside = self.open[-1] if self.open else ""
        if _LABELS.intersection(self.open[-3:]):
            self.labels.append(data)
        if self.tables and self.tables[-1] and self.tables[-1][-1] and "table" in self.open:
            self.tables[-1][-1][-1] += data
        elif inside in ("template", "noscript"):
            self.labels.append(data)

    def handle_comment(self, data: str) -> None:
        """Look into comments as into code."""
        self._judge_text("comment", data)

    def _addresses(self, tag: str, given: dict[str, str]) -> None:
        for name, value in given.items():
            if name == "href" and tag in _CLICKED:
                self.contents.links.extend(outside(value))
                if value.strip().casefold().startswith("data:"):
                    self._judge_text(f"<{tag} href>", value)
            elif name == "href" or name in _FETCHING:
                self._refuse(f"<{tag} {name}>", outside(value))
            elif name == "style" or name in ("fill", "filter", "mask", "clip-path"):
                self._refuse(f"<{tag} {name}>", outside_in_css(value))
            elif name == "content" and given.get("http-equiv", "").casefold() == "refresh":
                self._refuse("<meta refresh>", outside(value.partition("=")[2].strip()))
            elif name == "srcdoc":
                self._refuse("<iframe srcdoc>", outside_in_script(value))
            elif name.startswith("on"):
                self._refuse(f"<{tag} {name}>", outside_in_script(value))

    def _attribute(self, tag: str, name: str, value: str) -> None:
        self._judge_text(f"<{tag} {name}>", value)
        if name in ("title", "alt", "content") or name.startswith(("aria-", "data-")):
            self.labels.append(value)

    def _refuse(self, where: str, addresses: list[str]) -> None:
        for address in addresses:
            self.contents.breach(where, REACHES, address[:200])

    def _judge_code(self, given: dict[str, str], code: str) -> None:
        if given["tag"] == "style":
            self._judge_style(code)
            return
        kind, name = given.get("type", "").strip().casefold(), given.get("id", "")
        if name == DECLARATION:
            self._declaration(code)
        elif name == PAYLOAD:
            self._payload(given, code)
        elif name in (LIBRARY, LIBRARY_STYLES):
            self._library(given, code, self._judge_script if name == LIBRARY else self._judge_style)
        elif kind in _SCRIPT_TYPES:
            self._judge_script(code)
        elif code.strip():
            what = "holds data other than those that a map declares"
            self.contents.breach(f'<script id="{name}" type="{kind}">', what, _start(code))

    def _judge_script(self, code: str) -> None:
        self._refuse("<script>", outside_in_script(code))
        self._judge_text("<script>", code)
        self._script(code)

    def _judge_style(self, code: str) -> None:
        self._refuse("<style>", outside_in_css(code))
        self._judge_text("<style>", code)

    def _library(self, given: dict[str, str], code: str, judge: Callable[[str], None]) -> None:
        """Judge what the page unpacks as if it stood there in full."""
        try:
            judge(_inflate(code, given.get("data-encoding", "")).decode("utf-8"))
        except (ValueError, OSError, EOFError, zlib.error) as error:
            what = f"{type(error).__name__}: {error}"
            self.contents.breach("packed library", "could not be read", what)

    def _script(self, code: str) -> None:
        """Look into a script for points, and for the words of its tooltips."""
        self.contents.texts[f"<script> {len(self.contents.texts)}"] = without_pictures(code)[0]
        self.labels += _FRAGMENT.findall(code)
        points = _POINTS.findall(code)
        if points:
            where = f"<script> {len(points):,} markers"
            self.contents.tables.append(Table(where, pd.DataFrame(), "POINT"))

    def _declaration(self, code: str) -> None:
        try:
            found = json.loads(code)
        except ValueError as error:
            self.contents.breach("declaration", "could not be read", str(error))
            return
        self.contents.texts["declaration"] = code
        if self.contents.declaration is not None:
            self.contents.breach("declaration", "stands more than once")
        elif isinstance(found, dict):
            self.contents.declaration = found

    def _payload(self, given: dict[str, str], code: str) -> None:
        where = "payload"
        self.payloads += 1
        if self.payloads > 1:
            self.contents.breach(where, "stands more than once")
        try:
            text = _inflate(code, given.get("data-encoding", "")).decode("utf-8")
            data = json.loads(text)
        except (ValueError, binascii.Error, OSError, EOFError, zlib.error) as error:
            self.contents.breach(where, "could not be read", f"{type(error).__name__}: {error}")
            return
        self.contents.texts[where] = text
        read_payload(data, self.contents)

    def _judge_text(self, where: str, text: str) -> None:
        """Look for data that hide in code, comments and attributes."""
        text, false = without_pictures(text)
        self.everything.append(text)
        for kind in false:
            self.contents.breach(where, "holds data that are no picture", kind)
        run = None if where.endswith(_DRAWN) else number_run(text)
        features = _FEATURES.search(text)
        for found, what in (
            (run, "holds a list of numbers outside the map's data"),
            (features and features.group(0), "holds features outside the map's data"),
            (encoded_run(text), "holds encoded data outside the map's data"),
        ):
            if found:
                self.contents.breach(where, what, _start(found))

    def finish(self) -> None:
        """Turn what was collected into tables and counts that are written out."""
        found, said = self.contents.breaches, self.contents.declaration
        found[:] = without_tiles(found, said, self.policies)
        for number, rows in enumerate(self.tables, start=1):
            full = [row for row in rows if row]
            if len(full) < 2:
                continue
            width = max(len(row) for row in full)
            heads = [head.strip() for head in full[0]] + [""] * (width - len(full[0]))
            cells = [[c.strip() for c in row] + [""] * (width - len(row)) for row in full[1:]]
            self.contents.tables.append(
                Table(f"<table> {number}", pd.DataFrame(cells, columns=heads))
            )
        self.contents.texts["text"] = "\n".join(self.text)
        note_pairs("page", "\n".join(self.everything), self.contents)
        self.contents.counted += [
            (_start(label), int((found.group(1) or found.group(2)).replace(",", "")))
            for label in self.labels
            for found in _COUNTED.finditer(html.unescape(label))
        ]


def _inflate(code: str, encoding: str) -> bytes:
    if encoding == "":
        return code.encode()
    if encoding != "gzip+base64":
        msg = f"encoding {encoding!r} is not known"
        raise ValueError(msg)
    return gzip.decompress(base64.b64decode("".join(code.split()), validate=True))


def _start(text: str, most: int = 80) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most] + "..."
