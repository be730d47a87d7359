"""Read what was released before from a ledger, as anybody could who kept every product."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_file
from placeshaping._core.errors import FileFormatError, LockedFileError
from placeshaping.verify.claims import Claims, believed
from placeshaping.verify.rules import Rules
from placeshaping.verify.spans import Span, month_number, span_name

FORMAT = 1
"""The newest layout of a ledger that is understood here."""

_NEEDED = {"meta", "releases", "cells", "members"}
_WAIT = 5.0
_CELLS = (
    "SELECT level, area_code AS area, first, last, category, status, count, threshold "
    "FROM cells WHERE release_id = ?"
)
_RELEASES = (
    "SELECT * FROM releases WHERE NOT (left_the_house = 0 AND withdrawn_on IS NOT NULL) ORDER BY id"
)
"""A product that was withdrawn is still known, unless it never left the house."""


def read_ledger(path: str | Path) -> list[Claims]:
    """
    Read the releases of a ledger, without changing it.

    Parameters
    ----------
    path
        An SQLite file.

    Returns
    -------
    claims
        One for each release that readers know, oldest first.

    Raises
    ------
    MissingFileError
        If there is no such file.
    LockedFileError
        If another program holds it.
    FileFormatError
        If it is damaged, no ledger, or of a newer version.
    """
    path = check_file(path)
    try:
        with closing(_opened(path)) as database:
            _check(database, path.name)
            return [_claims(database, row) for row in database.execute(_RELEASES).fetchall()]
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            msg = f"{path.name} is in use by another program. Wait until it is done, and try again."
            raise LockedFileError(msg) from error
        msg = (
            f"{path.name} could not be read as a ledger ({error}). Restore it from a copy, or "
            "verify without it."
        )
        raise FileFormatError(msg) from error
    except (sqlite3.DatabaseError, ValueError, KeyError, IndexError) as error:
        msg = (
            f"{path.name} is damaged, or no ledger ({error}). Restore it from a copy, or verify "
            "without it."
        )
        raise FileFormatError(msg) from error


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_WAIT)
    database.row_factory = sqlite3.Row
    return database


def _check(database: sqlite3.Connection, name: str) -> None:
    found = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    if not found >= _NEEDED:
        msg = f"it has no {', '.join(sorted(_NEEDED - found))}"
        raise ValueError(msg)
    row = database.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    if row is None or int(row[0]) > FORMAT:
        version = "no version" if row is None else f"version {row[0]}"
        msg = (
            f"{name} is a ledger of {version}; this program reads up to {FORMAT}. Verify with "
            "the newer program that wrote it."
        )
        raise FileFormatError(msg)


def _claims(database: sqlite3.Connection, release: sqlite3.Row) -> Claims:
    number = release["id"]
    cells = pd.read_sql_query(_CELLS, database, params=(number,))
    rules = _rules(release)
    spans: dict[str, Span] = {}
    for first, last in dict.fromkeys(zip(cells["first"], cells["last"], strict=True)):
        start, end = month_number(first), month_number(last)
        if start is None or end is None or start > end:
            msg = f"the release {number} has a period from {first} to {last}"
            raise ValueError(msg)
        spans[f"{first} {last}"] = (start, end)
    shown = cells["count"].to_numpy(dtype=float, na_value=np.nan)
    hidden = (cells["status"] == "hidden").to_numpy()
    threshold = cells["threshold"].to_numpy(dtype=float)
    lower, upper = believed(
        shown, hidden, threshold, half=rules.half, smallest=rules.smallest_hidden
    )
    known = pd.DataFrame(
        {
            "area": cells["area"].astype(str),
            "period": [
                span_name(spans[f"{first} {last}"])
                for first, last in zip(cells["first"], cells["last"], strict=True)
            ],
            "category": cells["category"].astype(str),
            "lower": lower,
            "upper": upper,
            "shown": shown,
            "hidden": hidden,
            "threshold": threshold,
            "smallest": rules.smallest_hidden,
        }
    )
    made = Claims(
        f"release {number} of the ledger ({release['title']}, {release['made_on']})",
        known,
        levels=dict(zip(known["area"], cells["level"].astype(str), strict=True)),
        spans={span_name(span): span for span in spans.values()},
        dataset=str(release["dataset"]),
        edition=f"ledger {number}",
        noisy=rules.method == "cell_key",
        exact=rules.half == 0,
    )
    _members(database, number, made)
    return made


def _rules(release: sqlite3.Row) -> Rules:
    method = release["method"] if "method" in release.keys() else None  # noqa: SIM118 - a row
    rounding = int(release["rounding"])
    method = method or ("round" if rounding > 1 else "suppress")
    change = {"cell_key": 5.0, "additive": np.inf}.get(method)
    return Rules(
        str(release["policy"]),
        int(release["threshold"]),
        rounding,
        bool(release["zeros_shown"]),
        numbers=False,
        lsoa_or_coarser=True,
        method=method,
        change=change,
    )


def _members(database: sqlite3.Connection, number: int, made: Claims) -> None:
    areas: dict[str, list[str]] = {}
    categories: dict[str, list[str]] = {}
    rows = database.execute(
        "SELECT kind, whole, part FROM members WHERE release_id = ? ORDER BY whole, part", (number,)
    )
    for kind, whole, part in rows:
        (areas if kind == "area" else categories).setdefault(str(whole), []).append(str(part))
    made.members = {whole: tuple(parts) for whole, parts in areas.items() if parts != [whole]}
    made.parts = {whole: tuple(parts) for whole, parts in categories.items()}
