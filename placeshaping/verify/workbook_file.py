"""Read a workbook from its XML, hidden sheets and all; openpyxl where the XML is unusual."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from placeshaping.verify.contents import Contents, Table, UnreadableError
from placeshaping.verify.rules import read_declaration

NOTES = "Notes"
"""The sheet in which a workbook says what it obeys."""

_PARTS_WITH_DATA = (
    "xl/pivotCache", "xl/pivotTables", "xl/externalLinks", "xl/comments", "xl/threadedComments",
    "xl/embeddings", "xl/media", "xl/drawings", "xl/charts", "xl/connections", "xl/queryTables",
    "xl/vbaProject", "xl/model", "customXml", "xl/customXml", "docProps/custom", "docProps/thumb",
)  # fmt: skip
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})(\d+)"(?: s="\d+")?(?: t="(\w+)")? ?(?:/>|>(.*?)</c>)', re.DOTALL
)
_ANY_CELL = re.compile(r"<(?:\w+:)?c[\s/>]")
_TEXT = re.compile(r"<t(?:\s[^>]*)?>(.*?)</t>", re.DOTALL)
_ITEM = re.compile(r"<si>(.*?)</si>|<si/>", re.DOTALL)
_VALUE = re.compile(r"<v>(.*?)</v>", re.DOTALL)

Cell = tuple[str, int, Any]


def read_workbook(path: Path) -> Contents:
    """
    Read every sheet of a workbook.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    contents
        One table a sheet; the first sheet named "Notes" as the declaration.

    Raises
    ------
    UnreadableError
        If it is not a workbook, or is damaged.
    """
    contents = Contents("xlsx")
    try:
        with zipfile.ZipFile(path) as archive:
            _read(archive, path, contents)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError, ValueError) as error:
        raise UnreadableError(str(error)) from error
    return contents


def _read(archive: zipfile.ZipFile, path: Path, contents: Contents) -> None:
    shared: list[str] = []
    for part in archive.namelist():
        if part.startswith(_PARTS_WITH_DATA):
            contents.breach(part, "is a part of a workbook that can hold data out of sight")
        if part.endswith((".xml", ".rels")) and "/worksheets/sheet" not in part:
            text = archive.read(part).decode("utf-8", errors="replace")
            if part == "xl/sharedStrings.xml":
                shared = [_joined(item) for item in _ITEM.findall(text)]
                text = "\n".join(shared)
            contents.texts[part] = text
    for name, state, part in _sheets(archive):
        if state != "visible":
            contents.breach(name, f"is a sheet that is {state}")
        xml = archive.read(part).decode("utf-8", errors="replace")
        _sheet(name, _cells(xml, shared, path, name), contents)
        if "<f>" in xml or "<f " in xml:
            contents.breach(name, "holds a formula", xml[xml.index("<f") :][:60])


def _joined(item: str) -> str:
    return unescape("".join(_TEXT.findall(item)))


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, str]]:
    """Yield name, state and part of every sheet."""
    relation = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    targets = {
        str(item.get("Id")): str(item.get("Target"))
        for item in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    }
    for item in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():  # noqa: S314
        if item.tag.rpartition("}")[2] != "sheet":
            continue
        target = targets[str(item.get(relation))].lstrip("/")
        part = target if target.startswith("xl/") else f"xl/{target}"
        yield str(item.get("name")), item.get("state", "visible"), part


def _cells(xml: str, shared: list[str], path: Path, name: str) -> list[Cell]:
    found = _CELL.findall(xml)
    if len(found) != len(_ANY_CELL.findall(xml)):
        return list(_with_openpyxl(path, name))
    cells = []
    for column, row, kind, inside in found:
        if kind == "s" and inside:
            cells.append((column, int(row), shared[int(_inner(inside))]))
        elif inside:
            cells.append((column, int(row), _cell_value(kind, inside)))
    return cells


def _cell_value(kind: str, inside: str) -> Any:
    if kind == "inlineStr":
        return _joined(inside)
    value = _inner(inside)
    if value == "":
        return None
    return unescape(value) if kind in ("str", "e", "d") else float(value)


def _inner(inside: str) -> str:
    if inside.startswith("<v>") and inside.endswith("</v>"):
        return inside[3:-4]
    value = _VALUE.search(inside)
    return value.group(1) if value else ""


def _with_openpyxl(path: Path, name: str) -> Iterator[Cell]:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for row in book[name].iter_rows():
            for cell in row:
                if cell.value is not None:
                    yield cell.column_letter, int(cell.row or 0), cell.value
    finally:
        book.close()


def _sheet(name: str, cells: list[Cell], contents: Contents) -> None:
    """Make a table of a sheet whose first row names its columns."""
    cells = [cell for cell in cells if cell[2] is not None]
    if not cells:
        return
    if name == NOTES:
        _notes(cells, contents)
        return
    first = min(row for _, row, _ in cells)
    heads = {column: str(value) for column, row, value in cells if row == first}
    columns: dict[str, dict[int, Any]] = {}
    for column, row, value in cells:
        if row != first:
            columns.setdefault(column, {})[row] = value
    frame = pd.DataFrame(
        {
            heads.get(column, f"column {column}"): pd.Series(values, dtype=object)
            for column, values in columns.items()
        }
    ).sort_index()
    contents.tables.append(Table(name, frame))


def _notes(cells: list[Cell], contents: Contents) -> None:
    items: dict[str, Any] = {}
    keys = {row: str(value).strip() for column, row, value in cells if column == "A"}
    for column, row, value in cells:
        if column == "B" and keys.get(row):
            items.setdefault(keys[row], value)
        known = column == "B" and keys.get(row) in ("format", "threshold", "rounding")
        if isinstance(value, int | float) and not isinstance(value, bool) and not known:
            contents.breach(NOTES, "holds a number beside its words", f"{column}{row}: {value:g}")
    declared = read_declaration(items)
    if "policy" in declared:
        contents.declaration = declared
        contents.note_views(declared.get("periods"), declared.get("categories"))
