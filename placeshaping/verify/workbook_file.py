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
from placeshaping.verify.loose_numbers import note_pairs, number_run
from placeshaping.verify.rules import read_declaration

NOTES = "Notes"
"""The sheet in which a workbook says what it obeys."""

_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(?:app|core)\.xml|xl/workbook\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/styles\.xml|xl/theme/theme1\.xml|xl/sharedStrings\.xml"
)
"""Parts that a workbook may have beside its sheets."""

_ELEMENTS = {
    "worksheet", "sheetPr", "outlinePr", "pageSetUpPr", "tabColor", "dimension", "sheetViews",
    "sheetView", "pane", "selection", "sheetFormatPr", "cols", "col", "sheetData", "autoFilter",
    "pageMargins", "pageSetup", "printOptions",
}  # fmt: skip
"""What a sheet may consist of, beside rows and cells."""

_NOT_A_CELL = re.compile(
    r"<(?!/?(?:\w+:)?(?:row|c|v|f|is|t|r|rPr|b|sz|color|rFont|family)[\s/>])[^>]*"
)
_HIDDEN = re.compile(r"<(?:\w+:)?(?:col|row)\b[^>]*\bhidden=\"(?:1|true)\"[^>]*>")
_RANGE = re.compile(r"(?:'[^']+'|\w+)!\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?")
_NAME = re.compile(r"<(?:\w+:)?definedName\b[^>]*>(.*?)</", re.DOTALL)
_FORMAT = re.compile(r"formatCode=\"([^\"]*)\"")
_SPOKEN = re.compile(r"&quot;.*?\d.*?&quot;|\\\d")
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
    sheets = {part for _, _, part in _sheets(archive)}
    if archive.comment:
        contents.breach("file", "holds a comment", repr(archive.comment[:80]))
    for part in archive.namelist():
        if not _PARTS.fullmatch(part) and part not in sheets and not part.endswith("/"):
            contents.breach(part, "is a part of a workbook that can hold data out of sight")
        if part.endswith((".xml", ".rels")) and "/worksheets/sheet" not in part:
            text = archive.read(part).decode("utf-8", errors="replace")
            if part == "xl/sharedStrings.xml":
                shared = [_joined(item) for item in _ITEM.findall(text)]
                text = "\n".join(shared)
            contents.texts[part] = text
            _beside(part, text, contents)
    for name, state, part in _sheets(archive):
        if state != "visible":
            contents.breach(name, f"is a sheet that is {state}")
        xml = archive.read(part).decode("utf-8", errors="replace")
        _sheet(name, _cells(xml, shared, path, name), contents)
        _elements(name, xml, contents)
        if "<f>" in xml or "<f " in xml:
            contents.breach(name, "holds a formula", xml[xml.index("<f") :][:60])


def _beside(part: str, text: str, contents: Contents) -> None:
    """Look at what a workbook says beside its sheets: names, formats, properties."""
    if part == "xl/workbook.xml":
        for name in _NAME.findall(text):
            if not _RANGE.fullmatch(unescape(name).strip()):
                contents.breach(part, "names something that is no range of cells", name[:80])
    if part == "xl/styles.xml":
        for code in _FORMAT.findall(text):
            if _SPOKEN.search(code):
                contents.breach(
                    part, "has a format that writes a number of its own", unescape(code)
                )
    run = None if part == "xl/theme/theme1.xml" else number_run(text)
    if run:
        contents.breach(part, "holds a list of numbers", run[:80])
    if part.startswith("docProps/"):
        note_pairs(part, unescape(text), contents)


def _elements(name: str, xml: str, contents: Contents) -> None:
    """Look for anything in a sheet but its cells, and for rows and columns out of sight."""
    before, _, rest = xml.partition("<sheetData")
    data, _, after = rest.partition("</sheetData>")
    tags = dict.fromkeys(re.findall(r"<(?:\w+:)?(\w+)", before + after))
    for tag in tags:
        if tag not in _ELEMENTS:
            contents.breach(name, f"holds <{tag}>, which is not on the list")
    odd = _NOT_A_CELL.search(data.partition(">")[2])
    if odd:
        contents.breach(name, "holds something between its cells", odd.group(0)[:80])
    for part in (before, data):
        hidden = _HIDDEN.search(part)
        if hidden:
            contents.breach(name, "has rows or columns that are hidden", hidden.group(0)[:80])


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


_DECLARED_NUMBERS = {
    "format", "threshold", "rounding", "sensitive_threshold", "sensitive_factor", "largest_change",
    "finest_cell", "dominance",
}  # fmt: skip
"""Keys of a declaration that hold a number."""


def _notes(cells: list[Cell], contents: Contents) -> None:
    items: dict[str, Any] = {}
    keys = {row: str(value).strip() for column, row, value in cells if column == "A"}
    for column, row, value in cells:
        if column == "B" and keys.get(row):
            items.setdefault(keys[row], value)
        known = column == "B" and keys.get(row) in _DECLARED_NUMBERS
        if isinstance(value, int | float) and not isinstance(value, bool) and not known:
            contents.breach(NOTES, "holds a number beside its words", f"{column}{row}: {value:g}")
    words = "\n".join(str(value) for _, _, value in cells)
    contents.texts[NOTES] = words
    note_pairs(NOTES, words, contents)
    run = number_run(words)
    if run:
        contents.breach(NOTES, "holds a list of numbers", run[:80])
    declared = read_declaration(items)
    if "policy" in declared:
        contents.declaration = declared
        contents.note_views(declared.get("periods"), declared.get("categories"))
