"""Which encoding and delimiter a text table has."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice

from placeshaping._core.errors import FileFormatError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
_DELIMITERS = ",;\t|"
_BINARY = (b"PK\x03\x04", b"\x1f\x8b", b"PAR1", b"SQLite format 3", b"%PDF", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True)
class TextLayout:
    """
    How a text table is written.

    Attributes
    ----------
    encoding
        As Python names it.
    delimiter
        The character between columns.
    header
        The names in the first row.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]

    def to_utf8(self, raw: bytes) -> bytes:
        """
        Return the text in UTF-8 without byte order mark; unknown bytes of cp1252 are marked.

        Parameters
        ----------
        raw
            The bytes of the file.

        Returns
        -------
        text
            The same text in UTF-8.
        """
        if self.encoding == "utf-8":
            return raw
        if self.encoding == "utf-8-sig":
            return raw[len(codecs.BOM_UTF8) :]
        return raw.decode(self.encoding, errors="replace").encode("utf-8")


def sniff_encoding(raw: bytes) -> str:
    """
    Return the encoding of a text: what its byte order mark says, UTF-8, or Windows-1252.

    Parameters
    ----------
    raw
        The bytes of the file.

    Returns
    -------
    encoding
        As Python names it.

    Examples
    --------
    >>> sniff_encoding("café".encode("cp1252")), sniff_encoding("café".encode("utf-8"))
    ('cp1252', 'utf-8')
    """
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return encoding
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def sniff(raw: bytes, *, where: str) -> TextLayout:
    r"""
    Find out encoding, delimiter and header of a text table.

    Parameters
    ----------
    raw
        The bytes of the file.
    where
        Name of the file, for messages.

    Returns
    -------
    layout
        Encoding, delimiter and header.

    Raises
    ------
    FileFormatError
        If it is empty, or no text.

    Examples
    --------
    >>> sniff(b"a;b\r\n1;2\r\n", where="x.csv")
    TextLayout(encoding='utf-8', delimiter=';', header=('a', 'b'))
    """
    if not raw.strip():
        msg = f"{where} is empty. Export or download it again."
        raise FileFormatError(msg)
    encoding = sniff_encoding(raw)
    if raw.startswith(_BINARY) or (encoding in {"utf-8", "cp1252"} and b"\0" in raw[:_SAMPLE]):
        msg = f"{where} is not text: its content is not what its name says. Check the file."
        raise FileFormatError(msg)
    sample = raw[:_SAMPLE].decode(encoding, errors="replace")
    delimiter = _delimiter(sample)
    header = next(csv.reader(io.StringIO(sample), delimiter=delimiter), [])
    return TextLayout(encoding, delimiter, tuple(header))


def _delimiter(sample: str) -> str:
    """Choose the delimiter that splits the first rows most evenly into most columns."""
    best, best_score = ",", (0, 0)
    for delimiter in _DELIMITERS:
        rows = islice(csv.reader(io.StringIO(sample), delimiter=delimiter), 50)
        widths = Counter(len(row) for row in rows if row)
        if not widths:
            continue
        width, share = widths.most_common(1)[0]
        score = (share if width > 1 else 0, width)
        if score > best_score:
            best, best_score = delimiter, score
    return best
