"""Rows of cells into a header and a body, where titles may stand above the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Row = Sequence[str | None]

_LOOK = 40


@dataclass(frozen=True)
class Grid:
    """
    A table as rows of cells.

    Attributes
    ----------
    header
        The column names.
    header_row
        The row that they stand in, counted from 1.
    rows
        The rows below it, each as wide as the header.
    overflowing
        Rows that had values beyond the header's last column, which were left out.
    numbers
        The row number in the file of each of `rows`.
    """

    header: tuple[str, ...]
    header_row: int
    rows: list[tuple[str | None, ...]]
    numbers: list[int]
    overflowing: int

    @property
    def cells(self) -> int:
        """
        Multiply rows by columns: how large the table is.

        Returns
        -------
        cells
            How many.
        """
        return len(self.rows) * len(self.header)


def grid_of(rows: Sequence[Row]) -> Grid:
    """
    Find the header among the top rows and lay the others out under it.

    The header is the first row more than half as full as the fullest of the
    top ones. Short rows are filled up; rows with values beyond the header are
    left out and counted.

    Parameters
    ----------
    rows
        The rows, each a sequence of cells; a missing cell is ``None``.

    Returns
    -------
    grid
        Header and body.

    Examples
    --------
    >>> grid = grid_of([["Visits, 2024"], [], ["place", "visits"], ["A", "1"], ["B"]])
    >>> grid.header, grid.header_row, grid.rows
    (('place', 'visits'), 3, [('A', '1'), ('B', None)])
    """
    filled = [sum(1 for cell in row if _said(cell)) for row in rows[:_LOOK]]
    if not filled or not max(filled):
        return Grid((), 1, [], [], 0)
    place = next(at for at, count in enumerate(filled) if count > max(filled) / 2)
    width = _width(rows[place])
    body: list[tuple[str | None, ...]] = []
    numbers: list[int] = []
    overflowing = 0
    for number, row in enumerate(rows[place + 1 :], start=place + 2):
        if len(row) > width and _width(row) > width:
            overflowing += 1
            continue
        body.append((*row[:width], *[None] * (width - len(row))))
        numbers.append(number)
    return Grid(tuple(unique_names(rows[place][:width])), place + 1, body, numbers, overflowing)


def _said(cell: str | None) -> bool:
    return cell is not None and bool(cell.strip())


def _width(row: Row) -> int:
    return max((at for at, cell in enumerate(row, start=1) if _said(cell)), default=0)


def unique_names(header: Row) -> list[str]:
    """
    Name the unnamed columns and number repeated ones.

    Parameters
    ----------
    header
        The cells of the header.

    Returns
    -------
    names
        As many as there are cells, each once.

    Examples
    --------
    >>> unique_names(["a", "", "a"])
    ['a', 'column 2', 'a (2)']
    """
    names: list[str] = []
    for position, cell in enumerate(header, start=1):
        base = (cell or "").strip().lstrip("\ufeff") or f"column {position}"
        name, again = base, 2
        while name in names:
            name, again = f"{base} ({again})", again + 1
        names.append(name)
    return names
