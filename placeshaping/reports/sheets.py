"""Tables for a spreadsheet: notes first, then one sheet a level."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.reports.notes import Row, notes_of_tables
from placeshaping.reports.packing import Sheet, pack_workbook

MOST_ROWS = 1_048_575
"""Rows that a sheet of Excel holds below its header."""

COLUMNS = (
    "area_code", "area_name", "members", "imd_decile", "period", "category", "status", "class",
    "rank", "count", "rate", "lower", "upper", "rate_smoothed", "cluster", "gi_star", "q_value",
)  # fmt: skip
"""Columns of a level's sheet; deciles at the finest level, scores only where they may leave."""

SCORES = ("gi_star", "q_value")

DECIMALS = 4
"""Decimals of a score."""

SUFFIX = ".xlsx"

_WIDTHS = {
    "area_code": 12, "area_name": 32, "period": 18, "category": 30, "status": 9, "count": 9,
    "rate_smoothed": 15, "cluster": 10, "imd_decile": 12, "areas": 8, "exposure": 14,
}  # fmt: skip
_FORMATS = {
    "count": "#,##0", "class": "0", "rank": "0", "areas": "#,##0", "exposure": "#,##0",
    "imd_decile": "0", "gi_star": "0.0000", "q_value": "0.0000",
}  # fmt: skip
_TEXTS = {"area_code", "area_name", "members", "period", "category", "status", "cluster"}
_TITLE = Font(bold=True, size=14)
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="12436D")
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def write_tables(release: Release, path: str | Path, *, most_rows: int = MOST_ROWS) -> Path:
    """
    Write a release as a workbook.

    The sheet "Notes" comes first: what the workbook shows, how to read it,
    what each column holds, and last what the file declares of itself, so that
    it can be checked. Then one sheet a level, finest first, with a row for
    each area, period and category; then "Deprivation" and "Inequality" where
    deprivation is known. Scores are rounded to 4 decimals. A level with more rows than a
    sheet holds is given with the view that opens first alone, which Notes
    says. Numbers are numbers; texts stay texts, whatever they begin with.
    The same release gives the same bytes.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write; its name ends in ``.xlsx``.
    most_rows
        Rows that a sheet may have below its header.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    OutputError
        If the file's name ends otherwise, or it cannot be written.

    Examples
    --------
    >>> write_tables({}, "tables.xlsx")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_tables takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_tables")
    path = Path(path)
    if path.suffix.casefold() != SUFFIX:
        msg = (
            f"{path.name}: write_tables writes a workbook of Excel. Name it "
            f"{path.with_suffix(SUFFIX).name}."
        )
        raise OutputError(msg)
    shortened = [t.short_label for t in release.tables.values() if len(t.values) > most_rows]
    frames = dict(_frames(release, most_rows))
    book = Workbook()
    notes = book.active
    if isinstance(notes, Worksheet):
        columns = [str(column) for frame in frames.values() for column in frame.columns]
        _write_notes(notes, notes_of_tables(release, columns, shortened=shortened))
    sheets = {}
    for name, frame in frames.items():
        sheets[name] = _prepare(book.create_sheet(name), frame)
    book.properties.creator = "placeshaping"
    book.properties.title = _text(release.title)
    made = dt.datetime.combine(release.made_on, dt.time())
    book.properties.created = made
    buffer = io.BytesIO()
    book.save(buffer)
    with staged_file(path) as staged:
        pack_workbook(buffer, staged, sheets=sheets, made=made)
    return path


def _frames(release: Release, most_rows: int) -> Iterator[tuple[str, pd.DataFrame]]:
    for table in release.tables.values():
        yield table.short_label[:31], _level_frame(table, most_rows)
    if release.deprivation is not None:
        yield "Deprivation", release.deprivation.values
        yield "Inequality", release.deprivation.slopes


def _level_frame(table: AreaTable, most_rows: int) -> pd.DataFrame:
    """Return the rows of a level, or those of the view that opens first where they are too many."""
    values = table.values
    if len(values) > most_rows:
        values = values.iloc[: len(table.areas)]
    known = [name for name in ("area_name", "members", "imd_decile") if name in table.areas]
    told = table.areas[known].reindex(values["area_code"].astype(str))
    frame = values.assign(**{name: told[name].array for name in known})
    return in_order(frame, COLUMNS)


def in_order(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """
    Return a table of a release with its columns in order, its scores rounded.

    Parameters
    ----------
    frame
        Numbers of a level.
    columns
        Names, as far as they are there; what is not among them, as labels of
        areas, comes after, as do the scores behind it.

    Returns
    -------
    table
        A copy.

    Examples
    --------
    >>> in_order(pd.DataFrame({"emerging": ["none"], "count": [5]}), ["count"]).columns.tolist()
    ['count', 'emerging']
    """
    known = [name for name in columns if name in frame]
    further = [name for name in frame.columns if name not in columns]
    scores = [
        name for name in (*SCORES, *further) if name in frame and frame[name].dtype.kind == "f"
    ]
    return frame[[*known, *further]].round(dict.fromkeys(scores, DECIMALS))


def _write_notes(sheet: Worksheet, rows: Sequence[Row]) -> None:
    """Write the notes; a heading runs on into the next column, everything else is wrapped."""
    sheet.title = "Notes"
    for number, row in enumerate(rows, start=1):
        key = sheet.cell(row=number, column=1)
        _put(key, row.key)
        key.font = Font(bold=True)
        if row.value != "":
            value = sheet.cell(row=number, column=2)
            _put(value, row.value)
            key.alignment = value.alignment = _WRAPPED
        elif number == 1:
            key.font = _TITLE
        else:
            for column in (1, 2):
                cell = sheet.cell(row=number, column=column)
                cell.font, cell.fill = _HEAD, _HEAD_FILL
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 100


def _put(cell: Any, value: str | int) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        cell.value = value
        return
    cell.value = _text(value)
    cell.data_type = "s"  # openpyxl takes a text that begins with "=" for a formula
    cell.quotePrefix = True


def _text(value: object) -> str:
    return ILLEGAL_CHARACTERS_RE.sub("", str(value))


def _prepare(sheet: Worksheet, frame: pd.DataFrame) -> Sheet:
    """Set a sheet up: header, widths, formats; its rows are written when it is packed."""
    formats = []
    for number, column in enumerate(frame.columns, start=1):
        head = sheet.cell(row=1, column=number, value=str(column))
        head.font, head.fill = _HEAD, _HEAD_FILL
        sample = sheet.cell(row=2, column=number)
        if column not in _TEXTS:
            sample.number_format = _FORMATS.get(str(column), "0.00")
        formats.append(sample)
        sheet.column_dimensions[get_column_letter(number)].width = _WIDTHS.get(str(column), 11)
    sheet.freeze_panes = "A2"
    last = get_column_letter(len(frame.columns))
    sheet.auto_filter.ref = f"A1:{last}{len(frame) + 1}"
    return Sheet(frame, [cell.style_id for cell in formats])
