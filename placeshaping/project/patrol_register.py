"""
The override register: cells that a planner has marked as wrong, and why.

One SQLite file beside the requests. A mark is written whole or not at all, and
stays; whoever changes their mind marks the cell again.
"""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import InputError, LockedFileError

_TABLE = """
CREATE TABLE IF NOT EXISTS marks (
    id INTEGER PRIMARY KEY, cell TEXT NOT NULL, stop TEXT NOT NULL, answer TEXT NOT NULL,
    because TEXT NOT NULL, by TEXT NOT NULL, made_on TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Mark:
    """
    One cell that a planner has marked as wrong.

    Attributes
    ----------
    cell
        Its code.
    stop
        What the answer called it: ``"A1"``.
    answer
        Name of the answer's folder.
    because, by
        Why, and who says so.
    made_on
        When.
    """

    cell: str
    stop: str
    answer: str
    because: str
    by: str
    made_on: dt.date

    @property
    def sentence(self) -> str:
        """
        As it is printed on the next product.

        Examples
        --------
        >>> mark = Mark("S250E0N0", "A1", "late", "a car park", "A. Name", dt.date(2026, 11, 22))
        >>> mark.sentence
        'Cell S250E0N0 was marked as wrong by A. Name on 22 November 2026: a car park'
        """
        day = f"{self.made_on.day} {self.made_on:%B %Y}"
        return f"Cell {self.cell} was marked as wrong by {self.by} on {day}: {self.because}"


def mark_cell(
    answer: str | Path, cell: str, *, because: str, by: str, made_on: dt.date, register: str
) -> Mark:
    """
    Enter a cell of an answer in the register as wrong.

    Parameters
    ----------
    answer
        Folder of the answer.
    cell
        Its code, or what the answer calls it: ``"A1"``.
    because, by
        Why, and who says so. Both are printed on the next product.
    made_on
        When.
    register
        Name of the register's file, beside the folder.

    Returns
    -------
    mark
        As it was entered.

    Raises
    ------
    InputError
        If the answer has no such cell, or reason or name are empty.
    LockedFileError
        If the register cannot be written.
    """
    if not because.strip() or not by.strip():
        msg = "A mark needs a reason (--because) and a name (--by). Both are printed."
        raise InputError(msg)
    folder = Path(answer)
    names = _cells_of(folder)
    found = {code: name for code, name in names.items() if cell in (code, name)}
    if not found:
        near = near_names(cell, [*names.values()])
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = f"The answer in {folder.name} has no cell {cell!r}.{hint} Cells are called A1, A2 ..."
        raise InputError(msg)
    code, stop = next(iter(found.items()))
    mark = Mark(code, stop, folder.resolve().name, because.strip(), by.strip(), made_on)
    with _opened(folder.resolve().parent / register) as database, database:
        database.execute(_TABLE)
        database.execute(
            "INSERT INTO marks (cell, stop, answer, because, by, made_on) VALUES (?,?,?,?,?,?)",
            (mark.cell, mark.stop, mark.answer, mark.because, mark.by, mark.made_on.isoformat()),
        )
    return mark


def read_marks(register: str | Path) -> tuple[Mark, ...]:
    """
    Read a register.

    Parameters
    ----------
    register
        The file; nothing is marked where there is none.

    Returns
    -------
    marks
        In the order in which they were made.

    Examples
    --------
    >>> read_marks("no-such-register.sqlite")
    ()
    """
    path = Path(register)
    if not path.is_file():
        return ()
    with _opened(path) as database:
        rows = database.execute(
            "SELECT cell, stop, answer, because, by, made_on FROM marks ORDER BY id"
        ).fetchall()
    return tuple(
        Mark(cell, stop, answer, because, by, dt.date.fromisoformat(made_on))
        for cell, stop, answer, because, by, made_on in rows
    )


def _cells_of(folder: Path) -> dict[str, str]:
    """Return code and name of the cells of an answer's patrol areas."""
    tables = sorted(folder.glob("grid_*.csv")) if folder.is_dir() else []
    if not tables:
        msg = f"{folder.name} is no folder of an answer: it holds no table of cells."
        raise InputError(msg)
    with check_file(tables[0]).open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {row["area_code"]: row["area_name"] for row in rows if row["area_name"][1:].isdigit()}


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            yield database
    except sqlite3.Error as error:
        msg = (
            f"{path.name} could not be used ({error}). Close whatever has it open; nothing was "
            "changed."
        )
        raise LockedFileError(msg) from error
