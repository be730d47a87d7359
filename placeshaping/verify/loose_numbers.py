"""Numbers where none should stand: in words, scripts, attributes, names and notes."""

from __future__ import annotations

import base64
import binascii
import re

import pandas as pd

from placeshaping.verify.contents import Contents, Table

PAIRS = 3
"""From so many area codes with a number on, a text is a table of counts."""

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_PAIR = re.compile(
    rf"\b([EWSNKJ]\d{{8}})\b(?:\D{{1,40}}?\b(?:19|20)\d\d\b)?\D{{1,40}}?(?<![\w.])"
    rf"(?!(?:19|20)\d\d\b)({_NUMBER})\b"
)
_RUN = re.compile(
    r"""(?<![\w.])-?\d+(?:\.\d+)?(?:[\s"'`|,;]+-?\d+(?:\.\d+)?){11,}"""
    r"""|(?:\[\s*-?\d+(?:\.\d+)?(?:\s*,\s*-?\d+(?:\.\d+)?){0,3}\s*\]\s*,\s*){6,}"""
)
_PIECES = re.compile(r"""(["'`])\s*[+,]?\s*\1""")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{1000,}={0,2}")
_QUOTED = re.compile(r"""(["'`])(?![0-9a-fA-F]+["'`])([A-Za-z0-9+/]{60,}={0,2})\1""")
_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?((?:;[\w=.-]+)*)(?:;base64),([A-Za-z0-9+/=%\s]*)")
_IMAGES = {
    "image/png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    "image/gif": (b"GIF8", b";"),
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
}
"""Kinds of picture: how their bytes begin, and how they end."""


def code_pairs(text: str) -> list[tuple[str, float]]:
    """
    Return the area codes of a text with the number that follows each; years are passed over.

    Examples
    --------
    >>> code_pairs('{"E01000001": 3}, E01000002 in 2025: 4 of them; E01000003 none')
    [('E01000001', 3.0), ('E01000002', 4.0)]
    """
    return [(code, float(number.replace(",", ""))) for code, number in _PAIR.findall(text)]


def note_pairs(where: str, text: str, contents: Contents) -> None:
    """
    Make a table of counts of a text in which area codes stand with numbers.

    Examples
    --------
    >>> contents = Contents("text")
    >>> note_pairs("text", "E01000001: 3; E01000002: 4; E01000003: 10", contents)
    >>> contents.tables[0].frame["count"].tolist()
    [3.0, 4.0, 10.0]
    """
    pairs = code_pairs(text)
    if len(pairs) >= PAIRS:
        frame = pd.DataFrame(pairs, columns=["area_code", "count"])
        contents.tables.append(Table(f"<{where}>: codes with numbers", frame))


def number_run(text: str) -> str | None:
    """
    Return the first run of twelve or more numbers, however they are divided.

    Six or more short lists one after the other are such a run, too.

    Examples
    --------
    >>> number_run('var d = "' + " ".join("012345678901") + '";')
    '0 1 2 3 4 5 6 7 8 9 0 1'
    >>> number_run("matrix(1, 0, 0, 1, 0, 0)") is None
    True
    """
    found = _RUN.search(text)
    return found.group(0) if found else None


def encoded_run(text: str) -> str | None:
    """
    Return the first stretch that looks like encoded data, also where it is cut in pieces.

    Examples
    --------
    >>> encoded_run("x = '" + "QUJD" * 130 + "' + '" + "QUJD" * 130 + "'")[:8]
    'QUJDQUJD'
    >>> encoded_run("sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") is None
    True
    """
    quoted = _QUOTED.search(text)
    if quoted:
        return quoted.group(2)
    found = _ENCODED.search(_PIECES.sub("", text))
    return found.group(0) if found else None


def without_pictures(text: str) -> tuple[str, list[str]]:
    """
    Cut the pictures out of a text, and name the data that only claim to be one.

    Examples
    --------
    >>> without_pictures("url(data:image/gif;base64,R0lGODlhAQABAAAAADs=)")
    ('url()', [])
    >>> without_pictures("url(data:image/png;base64,eyJhIjogM30=)")[1]
    ['image/png']
    """
    false = [
        kind or "no kind"
        for kind, _, body in _URI.findall(text)
        if not _is_picture(kind.casefold(), body)
    ]
    return _URI.sub("", text), false


def _is_picture(kind: str, body: str) -> bool:
    try:
        content = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    if kind == "image/svg+xml":
        text = content.decode("utf-8", errors="replace")
        return "<svg" in text and number_run(text.partition("<path")[0]) is None
    if kind not in _IMAGES:
        return False
    first, last = _IMAGES[kind]
    return content.startswith(first) and content.endswith(last)
