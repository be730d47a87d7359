"""
The file of the ledger: SQLite, opened safely by several processes at once.

A rollback journal and not a write-ahead log, which does not work on network
drives: a writer takes the file with BEGIN IMMEDIATE, and others wait for it.
Names are kept once, and numbers refer to them; the views `cells` and
`releases` show what a reader wants.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import placeshaping
from placeshaping._core.errors import (
    FileFormatError,
    LockedFileError,
    MissingFileError,
    OutputError,
)

FORMAT = "1"

APPLICATION = 0x706C6367
"""Marks an SQLite file as a ledger."""

WAIT = 30.0
"""Seconds to wait for another process that holds the ledger."""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE releases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dataset TEXT NOT NULL, title TEXT NOT NULL, made_on TEXT NOT NULL, policy TEXT NOT NULL,
    threshold INTEGER NOT NULL, rounding INTEGER NOT NULL, zeros_shown INTEGER NOT NULL,
    withdrawn_on TEXT, withdrawn_because TEXT, left_the_house INTEGER NOT NULL,
    method TEXT NOT NULL, state TEXT NOT NULL, digest TEXT NOT NULL, cells INTEGER NOT NULL
);
CREATE INDEX releases_of_dataset ON releases (dataset);
CREATE TABLE areas (id INTEGER PRIMARY KEY, level TEXT NOT NULL, area_code TEXT NOT NULL,
    UNIQUE (level, area_code));
CREATE TABLE spans (id INTEGER PRIMARY KEY, first TEXT NOT NULL, last TEXT NOT NULL,
    UNIQUE (first, last));
CREATE TABLE categories (id INTEGER PRIMARY KEY, category TEXT NOT NULL UNIQUE);
CREATE TABLE counts (
    release_id INTEGER NOT NULL REFERENCES releases (id),
    area_id INTEGER NOT NULL REFERENCES areas (id),
    span_id INTEGER NOT NULL REFERENCES spans (id),
    category_id INTEGER NOT NULL REFERENCES categories (id),
    status TEXT NOT NULL CHECK (status IN ('shown', 'hidden', 'missing')),
    count INTEGER CHECK (count IS NULL OR (count >= 0 AND status = 'shown')),
    threshold INTEGER NOT NULL,
    PRIMARY KEY (release_id, area_id, span_id, category_id)
) WITHOUT ROWID;
CREATE TABLE members (release_id INTEGER NOT NULL REFERENCES releases (id),
    kind TEXT NOT NULL CHECK (kind IN ('area', 'category')), whole TEXT NOT NULL,
    part TEXT NOT NULL, PRIMARY KEY (release_id, kind, whole, part)) WITHOUT ROWID;
CREATE VIEW cells AS
    SELECT counts.release_id, areas.level, areas.area_code, spans.first, spans.last,
        categories.category, counts.status, counts.count, counts.threshold
    FROM counts JOIN areas ON areas.id = area_id JOIN spans ON spans.id = span_id
        JOIN categories ON categories.id = category_id;
"""


def connect(path: Path, *, create: bool, wait: float) -> sqlite3.Connection:
    """
    Open the file of a ledger, and make it where there is none.

    Parameters
    ----------
    path
        The file.
    create
        Whether to make it where there is none.
    wait
        Seconds to wait for another process.

    Raises
    ------
    MissingFileError
        If there is none and `create` is false.
    FileFormatError
        If it is no ledger, damaged, or of a newer version.
    LockedFileError
        If another process holds it for longer than `wait`.
    OutputError
        If it cannot be made there.
    """
    if not path.exists() and not create:
        msg = f"There is no ledger {path.name}. It is made when the first release is recorded."
        raise MissingFileError(msg)
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "lies in a folder that does not exist"
        msg = f"The ledger {path.name} {what}. Name a file in a folder that is there."
        raise OutputError(msg)
    with told(path):
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
    try:
        with told(path):
            connection.execute("PRAGMA foreign_keys = ON")
            if create and _empty(connection):
                _make(connection)
            _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def is_ledger(path: Path) -> bool:
    """
    Tell whether a file bears the mark of a ledger, without opening it as one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "ledger.sqlite"
    ...     connect(file, create=True, wait=1.0).close()
    ...     is_ledger(file)
    True
    """
    with path.open("rb") as opened:
        head = opened.read(72)
    return head[:15] == b"SQLite format 3" and head[68:] == APPLICATION.to_bytes(4, "big")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """
    Turn what SQLite refuses into errors that name the remedy.

    Raises
    ------
    FileFormatError, LockedFileError, OutputError
        As `connect` says.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = (error.sqlite_errorcode or 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            msg = (
                f"The ledger {path.name} is held by another process. Wait until that has "
                "finished and try again; nothing was recorded."
            )
            raise LockedFileError(msg) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
                    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):  # fmt: skip
            msg = (
                f"The ledger {path.name} cannot be written ({error}). Free some space, or put it "
                "in a folder that may be written; nothing was recorded."
            )
            raise OutputError(msg) from error
        raise _damaged(path, error) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: object) -> FileFormatError:
    return FileFormatError(
        f"The ledger {path.name} is damaged, or is no ledger ({error}). Put back its last copy; "
        "do not delete it, since without it nothing tells what was released before."
    )


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """
    Hold the file alone, and write all or nothing.

    Raises
    ------
    LockedFileError, OutputError, FileFormatError
        As `told`.
    """
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.rollback()
            raise
        try:
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise


def _empty(connection: sqlite3.Connection) -> bool:
    """Tell whether a file holds nothing yet; waits while another process is making it."""
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was quicker."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _empty(connection):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            rows = [("format", FORMAT), ("made_by", f"placeshaping {placeshaping.__version__}")]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is no ledger, or of a newer version."""
    (mark,) = connection.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if mark != APPLICATION or "meta" not in tables:
        msg = f"{path.name} is no ledger of placeshaping. Name another file; nothing was written."
        raise FileFormatError(msg)
    row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if row is None or not str(row[0]).isdigit():
        raise _damaged(path, "its format is not told")
    if int(row[0]) > int(FORMAT):
        msg = (
            f"The ledger {path.name} is of format {row[0]}, which a newer version of placeshaping "
            f"made; this one reads format {FORMAT}. Update placeshaping; nothing was written."
        )
        raise FileFormatError(msg)
    lost = {"releases", "counts", "areas", "spans", "categories", "members", "cells"} - tables
    if lost:
        raise _damaged(path, f"it lacks {', '.join(sorted(lost))}")
