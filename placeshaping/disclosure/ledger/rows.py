"""Rows of the ledger: a release written, its cells and members read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placeshaping.disclosure.ledger.entry import KEYS, MEMBERS, LedgerEntry
from placeshaping.disclosure.policies import Policy


@dataclass(frozen=True)
class LedgerRelease:
    """
    One release as it stands in the ledger.

    Attributes
    ----------
    facts
        A row of `Ledger.list`, with `threshold`, `rounding`, `zeros_shown`
        and `method`.
    cells, members
        As in `LedgerEntry`.
    """

    facts: dict[str, Any]
    cells: pd.DataFrame
    members: pd.DataFrame


def insert_release(
    connection: sqlite3.Connection, entry: LedgerEntry, digest: str, state: str
) -> int:
    """Write a release, and its values if it leaves the house; return its number."""
    policy: Policy = entry.policy
    cells = entry.cells if policy.leaves else entry.cells.iloc[:0]
    members = entry.members if policy.leaves else entry.members.iloc[:0]
    made = connection.execute(
        "INSERT INTO releases (dataset, title, made_on, policy, threshold, rounding, "
        "zeros_shown, left_the_house, method, state, digest, cells) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.dataset, entry.title, entry.made_on.isoformat(), policy.name,
            policy.threshold, policy.rounding, int(policy.zeros_shown), int(policy.leaves),
            policy.method, state, digest if policy.leaves else "", len(cells),
        ),
    )  # fmt: skip
    number = int(made.lastrowid or 0)
    columns = [
        _numbered(connection, "areas", cells[["level", "area_code"]]),
        _numbered(connection, "spans", cells[["first", "last"]]),
        _numbered(connection, "categories", cells[["category"]]),
        cells["status"].astype(str).tolist(),
        [None if pd.isna(count) else int(count) for count in cells["count"]],
        cells["threshold"].astype(int).tolist(),
    ]
    connection.executemany(
        "INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((number, *row) for row in sorted(zip(*columns, strict=True), key=lambda r: r[:3])),
    )
    connection.executemany(
        "INSERT INTO members VALUES (?, ?, ?, ?)",
        ((number, *row) for row in members[MEMBERS].astype(str).itertuples(index=False)),
    )
    return number


def _numbered(connection: sqlite3.Connection, table: str, rows: pd.DataFrame) -> Sequence[int]:
    """Return the numbers of names in a table of names, new ones added."""
    names = ", ".join(rows.columns)
    group = rows.groupby(list(rows.columns), sort=True, observed=True).ngroup().to_numpy()
    first = np.unique(group, return_index=True)[1]
    unique = [tuple(map(str, row)) for row in rows.iloc[first].itertuples(index=False)]
    marks = ", ".join("?" * rows.shape[1])
    connection.executemany(
        f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})",  # noqa: S608
        unique,
    )
    rows_there = connection.execute(f"SELECT id, {names} FROM {table}")  # noqa: S608
    known = {tuple(row[1:]): row[0] for row in rows_there}
    numbers = np.array([known[row] for row in unique], dtype=np.int64)
    return [int(n) for n in numbers[group]] if len(rows) else []


def read_cells(connection: sqlite3.Connection, release: int) -> pd.DataFrame:
    """Return the cells of a release; names are read once and not once a cell."""
    query = (
        "SELECT area_id, span_id, category_id, status, count, threshold FROM counts "
        "WHERE release_id = ?"
    )
    numbers = ["area_id", "span_id", "category_id"]
    rows = pd.DataFrame(
        connection.execute(query, (release,)).fetchall(),
        columns=[*numbers, "status", "count", "threshold"],
    )
    found = {}
    for table, column in zip(("areas", "spans", "categories"), numbers, strict=True):
        names = ["level", "area_code"] if table == "areas" else ["first", "last"]
        names = ["category"] if table == "categories" else names
        known = pd.DataFrame(
            connection.execute(f"SELECT id, {', '.join(names)} FROM {table}").fetchall(),  # noqa: S608
            columns=["id", *names],
        ).set_index("id")
        for name in names:
            found[name] = known[name].reindex(rows[column]).to_numpy()
    found["status"] = rows["status"].to_numpy()
    cells = pd.DataFrame(found).astype(str)[[*KEYS, "status"]]
    cells["count"] = rows["count"].astype("Int64")
    cells["threshold"] = rows["threshold"].to_numpy(dtype=np.int64)
    return cells


def read_members(connection: sqlite3.Connection, release: int) -> pd.DataFrame:
    """Return what the areas and categories of a release are made of."""
    query = "SELECT kind, whole, part FROM members WHERE release_id = ?"
    return pd.DataFrame(
        connection.execute(query, (release,)).fetchall(), columns=MEMBERS, dtype=str
    )
