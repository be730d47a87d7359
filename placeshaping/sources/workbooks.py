"""XLSX workbooks: their sheets as text, with the header found where titles stand above it."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date, datetime, time
from typing import Any

from placeshaping._core.errors import FileFormatError
from placeshaping.sources.cells import Grid, grid_of


def read_sheets(raw: bytes, *, where: str, sheet: str | None = None) -> dict[str, Grid]:
    """
    Read the sheets of a workbook (only one where `sheet` names it).

    Parameters
    ----------
    raw
        The bytes of the file.
    where
        Name of the file, for messages.
    sheet
        The only sheet to read; all where not given.

    Returns
    -------
    sheets
        Name to rows of cells.

    Raises
    ------
    FileFormatError
        If it is no workbook, damaged, or protected by a password.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and filters it does not know
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            found = {
                tab.title: _grid(tab.iter_rows(values_only=True))
                for tab in book.worksheets
                if sheet is None or tab.title == sheet or sheet not in book.sheetnames
            }
            book.close()
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        msg = f"{where} is damaged or no workbook. Save it again as .xlsx, without a password."
        raise FileFormatError(msg) from error
    if not found:
        msg = f"{where} has no sheet with cells. Save the table again as .xlsx."
        raise FileFormatError(msg)
    return found


def _grid(cells: Any) -> Grid:
    rows = [tuple(cell_text(cell) for cell in row) for row in cells]
    while rows and not any(rows[-1]):
        rows.pop()
    return grid_of(rows)


def cell_text(cell: object) -> str | None:
    """
    Write a cell as text: dates as ISO, whole numbers without a point.

    Parameters
    ----------
    cell
        The value of one cell.

    Returns
    -------
    text
        ``None`` for an empty cell.

    Examples
    --------
    >>> cell_text(3.0), cell_text(datetime(2024, 2, 1)), cell_text(True), cell_text(None)
    ('3', '2024-02-01', 'TRUE', None)
    """
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime):
        whole = cell.time() == time()
        return cell.date().isoformat() if whole else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() or None
