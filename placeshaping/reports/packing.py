"""
The rows of large sheets, written as XML, and a workbook's parts packed alike every time.

openpyxl needs some 10 microseconds a cell and stamps every save with the time
of day. Here it lays out the workbook, and the rows of the large sheets are
put in afterwards, a column at a time.
"""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_SAMPLE = re.compile(r'<row r="2".*?(?=</sheetData>)', re.DOTALL)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_LEVEL = 6


@dataclass(frozen=True)
class Sheet:
    """
    The rows of a sheet, and the style of each of its columns.

    Attributes
    ----------
    frame
        The rows.
    styles
        Number of the cell format of each column in the workbook.
    """

    frame: pd.DataFrame
    styles: list[int]


def pack_workbook(
    laid_out: IO[bytes], target: Path, *, sheets: Mapping[str, Sheet], made: dt.datetime
) -> None:
    """
    Write a workbook with the rows of its large sheets, the same bytes for the same content.

    Parameters
    ----------
    laid_out
        The workbook as openpyxl saved it: in each of `sheets`, a header and
        one empty row that carries the styles.
    target
        The file to write.
    sheets
        Name -> rows.
    made
        The time that the workbook bears.
    """
    with (
        zipfile.ZipFile(laid_out) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed,
    ):
        parts = _parts(source)
        for name in source.namelist():
            content = source.read(name).decode()
            if name in parts and parts[name] in sheets:
                content = _filled(content, sheets[parts[name]])
            elif name == "docProps/core.xml":
                stamp = f"{made:%Y-%m-%dT%H:%M:%SZ}"
                content = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            entry = zipfile.ZipInfo(name, _FIRST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, content)


def _parts(source: zipfile.ZipFile) -> dict[str, str]:
    """Return the sheet that each part of a workbook holds."""
    relations = ElementTree.fromstring(source.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - own
    targets = {r.get("Id"): str(r.get("Target")).lstrip("/") for r in relations}
    book = ElementTree.fromstring(source.read("xl/workbook.xml"))  # noqa: S314 - own
    sheets = [item for item in book.iter() if item.tag.endswith("}sheet")]
    return {targets[sheet.get(_RELATION)]: str(sheet.get("name")) for sheet in sheets}


def _filled(xml: str, sheet: Sheet) -> str:
    last = f"{get_column_letter(max(len(sheet.frame.columns), 1))}{len(sheet.frame) + 1}"
    xml = re.sub(r'<dimension ref="[^"]*"', f'<dimension ref="A1:{last}"', xml)
    head, _, tail = _SAMPLE.sub("", xml).partition("</sheetData>")
    return f"{head}{_rows(sheet)}</sheetData>{tail}"


def _rows(sheet: Sheet) -> str:
    """Write the rows of a sheet, column by column, then side by side."""
    size = len(sheet.frame)
    numbers = [str(row) for row in range(2, size + 2)]
    columns = [
        _column(sheet.frame.iloc[:, place], get_column_letter(place + 1), style, numbers)
        for place, style in enumerate(sheet.styles)
    ]
    lines = map("".join, zip(*columns, strict=True))
    return "".join([f'<row r="{n}">{line}</row>' for n, line in zip(numbers, lines, strict=True)])


def _column(values: pd.Series, letter: str, style: int, numbers: list[str]) -> list[str]:
    """Write the cells of one column; a missing value has none."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    texts = _numbers(values) if numeric else _texts(values)
    head = f'<c r="{letter}'
    middle = f'" s="{style}"><v>' if numeric else f'" s="{style}" t="inlineStr"><is><t>'
    tail = "</v></c>" if numeric else "</t></is></c>"
    return [
        "" if text is None else head + number + middle + text + tail
        for number, text in zip(numbers, texts, strict=True)
    ]


def _numbers(values: pd.Series) -> list[str | None]:
    if pd.api.types.is_integer_dtype(values):
        return [None if value is pd.NA else str(value) for value in values.tolist()]
    floats = values.to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(floats)
    texts = map(repr, floats.tolist())
    return [text if k else None for text, k in zip(texts, known.tolist(), strict=True)]


def _texts(values: pd.Series) -> list[str | None]:
    codes, unique = pd.factorize(values, use_na_sentinel=True)
    found: list[str | None] = [
        escape(ILLEGAL_CHARACTERS_RE.sub("", str(text)), quote=False) for text in unique
    ]
    found.append(None)
    return [found[code] for code in codes.tolist()]
