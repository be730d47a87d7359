"""One police.uk CSV file: its bytes into columns."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import ColumnError, FileFormatError
from placeshaping.sources.digests import row_digests, text_digests
from placeshaping.sources.offences import NOT_STATED, normalise_category
from placeshaping.sources.text import TextLayout, sniff, sniff_encoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEEDED = ("Month", "Longitude", "Latitude", "LSOA code", "Crime type")
_TEXT = ("Crime ID", "Month", "Reported by", "Falls within", "Location", "LSOA code",
         "LSOA name", "Crime type", "Last outcome category", "Context")  # fmt: skip
_HEAD = 1 << 14
"""Bytes that tell delimiter and header; a few dozen lines."""

_BLOCK = 1 << 24
"""Bytes parsed in one piece: a month of most forces, so that columns come in one chunk."""

_ALIASES = {"british transport": "btp", "police service of northern ireland": "northern ireland"}


@dataclass(frozen=True)
class Part:
    """
    The rows of one file.

    Attributes
    ----------
    table
        `longitude`, `latitude`, `area_code`, `month`, `category`, `force`,
        `duplicate` (equal to an earlier row), `unnamed_duplicate` (and without Crime ID).
    ids
        A 64-bit digest of each row's Crime ID; 0 where there is none.
    rows
        A 64-bit digest of each row, all columns of the file included; ``None``
        where they were not asked for.
    """

    table: pd.DataFrame
    ids: NDArray[np.uint64]
    rows: NDArray[np.uint64] | None = None


def force_key(name: str) -> str:
    """
    Return a force's name in the form in which names are compared.

    Parameters
    ----------
    name
        A force by file name or by full name.

    Returns
    -------
    key
        Equal for equal forces.

    Examples
    --------
    >>> force_key("avon-and-somerset") == force_key("Avon & Somerset Constabulary")
    True
    >>> force_key("British Transport Police"), force_key("Metropolitan Police Service")
    ('btp', 'metropolitan')
    """
    words = re.sub(r"[^a-z]+", " ", name.casefold().replace("&", " and ")).strip()
    if words in _ALIASES:
        return _ALIASES[words]
    kept = " ".join(w for w in words.split() if w not in {"police", "constabulary", "service"})
    return _ALIASES.get(kept, kept)


def parse_part(raw: bytes, *, force: str | None, where: str, digest_rows: bool = False) -> Part:
    """
    Read the bytes of one file.

    `force` is the one that the file's name states; without it each row's own
    `Reported by` is taken.

    Parameters
    ----------
    raw
        The bytes of the file.
    force
        The force that the file's name states; ``None`` takes each row's own.
    where
        Name of the file, for messages.
    digest_rows
        Whether to digest whole rows too.

    Returns
    -------
    part
        Rows and digests of Crime IDs.

    Raises
    ------
    ColumnError
        If a column is missing, or a coordinate is no number.
    FileFormatError
        If it is no table.
    """
    table = _parse(raw, where)
    ids = _ids(table)
    duplicate = _duplicates(table, ids)
    columns = {
        "longitude": _numbers(table, "Longitude"),
        "latitude": _numbers(table, "Latitude"),
        "area_code": table["LSOA code"].to_pandas(),
        "month": _months(table["Month"], where),
        "category": _categories(table["Crime type"]),
        "force": _forces(table, force),
        "duplicate": duplicate,
        "unnamed_duplicate": duplicate & (ids == 0),
    }
    return Part(pd.DataFrame(columns), ids, _of_rows(table, ids) if digest_rows else None)


def _parse(raw: bytes, where: str) -> Any:
    """Parse a file as its first lines tell; as all of it tells where those are not typical."""
    layout = sniff(_head(raw), where=where)
    try:
        return _parse_as(layout, raw, where)
    except pa.ArrowInvalid as error:
        if layout.encoding == "utf-8" and sniff_encoding(raw) != "utf-8":
            return _parsed(sniff(raw, where=where), raw, where)
        raise _refusal(error, where) from error


def _head(raw: bytes) -> bytes:
    """Return the first whole lines; all of a text of two bytes a character, which cuts badly."""
    head = raw[: raw.rfind(b"\n", 0, _HEAD) + 1]
    return head if head and b"\0" not in head else raw


def _parsed(layout: TextLayout, raw: bytes, where: str) -> Any:
    try:
        return _parse_as(layout, raw, where)
    except pa.ArrowInvalid as error:
        raise _refusal(error, where) from error


def _parse_as(layout: TextLayout, raw: bytes, where: str) -> Any:
    known = {name.casefold(): name for name in (*_TEXT, "Longitude", "Latitude")}
    names = [known.get(name.strip().casefold(), name) for name in layout.header]
    check_columns(names, _NEEDED, where=where)
    numbers = dict.fromkeys(("Longitude", "Latitude"), pa.float64())
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()) | numbers,
        null_values=[""],
        strings_can_be_null=True,
    )
    return csv.read_csv(
        pa.BufferReader(layout.to_utf8(raw)),
        read_options=csv.ReadOptions(column_names=names, skip_rows=1, block_size=_BLOCK),
        parse_options=csv.ParseOptions(delimiter=layout.delimiter),
        convert_options=options,
    )


def _refusal(error: Exception, where: str) -> ColumnError | FileFormatError:
    if "conversion error" in str(error):
        value = str(error).rpartition("invalid value ")[2]
        return ColumnError(
            f"{where}: Longitude or Latitude holds {value}, which is no number. Correct it."
        )
    return FileFormatError(
        f"{where} is cut short or is not a table throughout ({_brief(error)}). Download it again."
    )


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0][:120].rstrip(". ")


def _numbers(table: Any, name: str) -> NDArray[np.float64]:
    column: NDArray[np.float64] = table[name].to_numpy()
    return column


def _ids(table: Any) -> NDArray[np.uint64]:
    if "Crime ID" not in table.column_names:
        return np.zeros(len(table), dtype=np.uint64)
    return text_digests(table["Crime ID"])


def _of_rows(table: Any, ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
    others = [name for name in table.column_names if name != "Crime ID"]
    return row_digests(table.select(others), ids)


def _duplicates(table: Any, ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Mark the rows equal in every column to an earlier one."""
    suspects = (ids == 0) | pd.Series(ids).duplicated(keep=False).to_numpy()
    rows = np.flatnonzero(suspects)
    duplicate = np.zeros(len(table), dtype=bool)
    if len(rows):
        digests = _of_rows(table.take(pa.array(rows)), ids[rows])
        duplicate[rows] = pd.Series(digests).duplicated().to_numpy()
    return duplicate


def _recode(column: Any, rename: Callable[[str], str | None]) -> Any:
    """Rename the values of a text column, each distinct one once; ``None`` makes it missing."""
    encoded = column.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    names = [rename(value) for value in encoded.dictionary.to_pylist()]
    categories = sorted({name for name in names if name is not None})
    position = {name: place for place, name in enumerate(categories)}
    places = np.array([-1 if name is None else position[name] for name in names] + [-1])
    codes = encoded.indices.fill_null(len(names)).to_numpy()
    positions: NDArray[np.int64] = places[codes]
    return pd.Categorical.from_codes(positions, categories=pd.Index(categories, dtype="str"))


def _months(column: Any, where: str) -> Any:
    months = _recode(column, parse_month)
    if len(months) and (months.codes < 0).all():
        seen = pc.drop_null(column)
        shown = repr(seen[0].as_py()) if len(seen) else "nothing"
        msg = f"{where}: the column Month holds {shown}, which is no month like 2024-01."
        raise ColumnError(msg)
    return months


def parse_month(text: str) -> str | None:
    """
    Read a month as police.uk writes it, or as a spreadsheet rewrites it.

    Parameters
    ----------
    text
        The text of one cell.

    Returns
    -------
    month
        As ``2024-01``; ``None`` where it is no month.

    Examples
    --------
    >>> parse_month("2024-01"), parse_month("Jan-24"), parse_month("01/02/2024"), parse_month("?")
    ('2024-01', '2024-01', '2024-02', None)
    """
    text = text.strip()
    for pattern in ("%Y-%m", "%b-%y", "%d/%m/%Y", "%Y-%m-%d", "%m/%Y", "%B %Y", "%b %Y"):
        try:
            return datetime.strptime(text, pattern).strftime("%Y-%m")  # noqa: DTZ007 - a month
        except ValueError:
            continue
    return None


def _categories(column: Any) -> Any:
    return _filled(_recode(column, lambda name: normalise_category(name) or None), NOT_STATED)


def _forces(table: Any, named: str | None) -> Any:
    if named is None and "Reported by" in table.column_names:
        stated = _recode(
            table["Reported by"], lambda name: force_key(name).replace(" ", "-") or None
        )
        return _filled(stated, "unknown")
    return pd.Categorical([named or "unknown"]).take(np.zeros(len(table), dtype=np.intp))


def _filled(values: Any, name: str) -> Any:
    if not (values.codes < 0).any():
        return values
    known = values if name in values.categories else values.add_categories([name])
    return known.fillna(name)
