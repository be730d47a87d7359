"""
The ledger: what has been released before, beside the project.

An SQLite file that holds every released value, and no other. A new release is
protected together with those before it, so that no reader of both learns by
subtraction what each of them hides.

In what order things happen, so that a crash at any time errs on the safe side:

1. `Ledger.conflicts` until nothing is found, and the products are written beside
   their folder and attacked.
2. `Ledger.record` with ``pending=True``: from now on it counts as out.
3. The products are moved into place.
4. `Ledger.confirm`.

Between 2 and 4 a crash leaves a release that is pending: it counts as out. The
same release made again is confirmed under the same number; one that is known
never to have left is withdrawn.
"""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.errors import DisclosureError, FileFormatError, InputError
from placeshaping.disclosure.ledger.differences import Differences, find_differences
from placeshaping.disclosure.ledger.entry import KEYS, LedgerEntry, digest_of
from placeshaping.disclosure.ledger.proof import TOGETHER
from placeshaping.disclosure.ledger.rows import (
    LedgerRelease,
    insert_release,
    read_cells,
    read_members,
)
from placeshaping.disclosure.ledger.store import WAIT, connect, told, transaction
from placeshaping.disclosure.ledger.system import Known, error_of

log = logging.getLogger(__name__)

LISTED = ["id", "dataset", "title", "made_on", "policy", "cells", "state", "left_the_house",
          "withdrawn_on", "withdrawn_because"]  # fmt: skip

STATES = ("pending", "recorded")


def open_ledger(path: str | Path, *, create: bool = True, wait: float = WAIT) -> Ledger:
    """
    Open the ledger of a project.

    Parameters
    ----------
    path
        An SQLite file.
    create
        Whether to make one where there is none.
    wait
        Seconds to wait for another process that holds it.

    Returns
    -------
    ledger
        To be used in a `with` block, or closed.

    Raises
    ------
    MissingFileError
        If there is none and `create` is false.
    FileFormatError
        If the file is no ledger, damaged, or of a newer version.
    LockedFileError
        If another process holds it for longer than `wait`.
    OutputError
        If it cannot be made there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_ledger(Path(folder) / "ledger.sqlite") as ledger:
    ...         len(ledger.list())
    0
    """
    return Ledger(Path(path), connect(Path(path), create=create, wait=wait))


@dataclass
class Ledger:
    """
    The releases of a project; `open_ledger` opens one.

    Attributes
    ----------
    path
        The file.
    """

    path: Path
    _connection: sqlite3.Connection = field(repr=False)
    _checked: dict[str, int] = field(default_factory=dict, repr=False)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def list(self) -> pd.DataFrame:
        """Return one row a release, oldest first: what it was, and whether it is still out."""
        rows = self._rows(f"SELECT {', '.join(LISTED)} FROM releases ORDER BY id")  # noqa: S608
        found = pd.DataFrame(rows, columns=LISTED).astype({"id": "int64", "cells": "int64"})
        found["left_the_house"] = found["left_the_house"].astype(bool)
        return found

    def show(self, release: int) -> LedgerRelease:
        """
        Return one release with its cells.

        Raises
        ------
        InputError
            If there is no release of that number.
        FileFormatError
            If cells of it were lost or changed.
        """
        columns = [*LISTED, "threshold", "rounding", "zeros_shown", "method", "digest"]
        query = f"SELECT {', '.join(columns)} FROM releases WHERE id = ?"  # noqa: S608
        rows = self._rows(query, (release,))
        if not rows:
            known = [str(n) for (n,) in self._rows("SELECT id FROM releases ORDER BY id")]
            msg = f"The ledger has no release {release}. It has: {', '.join(known) or 'none'}."
            raise InputError(msg)
        facts = dict(zip(columns, rows[0], strict=True))
        facts.update({name: bool(facts[name]) for name in ("left_the_house", "zeros_shown")})
        with told(self.path):
            cells = read_cells(self._connection, release)
            members = read_members(self._connection, release)
        self._refuse_changed(facts, cells, members)
        return LedgerRelease(facts, cells, members)

    def _refuse_changed(
        self, facts: dict[str, Any], cells: pd.DataFrame, members: pd.DataFrame
    ) -> None:
        """Refuse a release that was lost in part, or changed after it was recorded."""
        rules = (facts["method"], facts["threshold"], facts["rounding"], facts["zeros_shown"])
        digest = facts.pop("digest")
        if len(cells) == facts["cells"] and (
            not digest or digest == digest_of(facts["dataset"], rules, cells, members)
        ):
            return
        msg = (
            f"The ledger {self.path.name} is damaged: release {facts['id']} is not as it was "
            f"recorded ({len(cells):,} of its {facts['cells']:,} cells are there). Put back its "
            "last copy."
        )
        raise FileFormatError(msg)

    def conflicts(self, entry: LedgerEntry) -> pd.DataFrame:
        """
        Find the cells of a new release that give a count away together with former ones.

        Former releases are those of the same dataset that left the house,
        withdrawn or not: what was read is known.

        Parameters
        ----------
        entry
            The new release.

        Returns
        -------
        cells
            One row a cell that must be hidden, with the index of
            `entry.cells`: `level`, `area_code`, `first`, `last`, `category`,
            `other_release`, `proof`, `lower`, `upper`. With all of them
            hidden, nothing more is found. In `attrs`: `contradictions`
            (numbers that contradict others, as revised records do, and are
            left aside), `unavoidable` and `examples` (see `Differences`), and
            `proofs`, the equations alone, shortest first.
        """
        found = self._differences(entry)
        if found.contradictions:
            log.warning(
                "%s: %d released numbers or sums contradict those of former releases, as revised "
                "records do. They say nothing and are left aside.",
                entry.dataset, found.contradictions,
            )  # fmt: skip
        cells = found.cells
        cells.attrs = {
            "contradictions": found.contradictions,
            "unavoidable": found.unavoidable,
            "examples": list(found.examples),
            "proofs": sorted(cells["proof"][~cells["proof"].str.endswith(TOGETHER)], key=len),
        }
        return cells

    def _differences(self, entry: LedgerEntry) -> Differences:
        policy = entry.policy
        new = Known("this release", policy.smallest_hidden, error_of(policy), entry.cells,
                    entry.members)  # fmt: skip
        with told(self.path):  # one reading, whatever others write meanwhile
            self._connection.execute("BEGIN")
            try:
                self._checked[entry.dataset] = self._newest(entry.dataset)
                numbers = self._out(entry.dataset)[::-1]
                if self._same(entry) in numbers:  # it is out as it is
                    numbers = []
                former = [self._known(number) for number in numbers]
            finally:
                self._connection.execute("COMMIT")
        return find_differences(new, former, numbers=numbers, threshold=policy.threshold)

    def hidden_before(self, dataset: str, cells: pd.DataFrame) -> NDArray[np.bool_]:
        """
        Tell which cells were hidden in the newest release of a dataset that has them.

        Parameters
        ----------
        dataset
            Name of the records.
        cells
            With the columns `level`, `area_code`, `first`, `last`, `category`.

        Returns
        -------
        hidden
            In the order of `cells`; false for cells that were in no release.
        """
        hidden = pd.Series(False, index=pd.MultiIndex.from_frame(cells[KEYS].astype(str)))
        for number in self._out(dataset):
            with told(self.path):
                former = read_cells(self._connection, number)
            index = pd.MultiIndex.from_frame(former[KEYS].astype(str))
            position = index.get_indexer(hidden.index)
            there = position >= 0
            was = (former["status"] == "hidden").to_numpy()
            hidden[there] = was[position[there]]
        return hidden.to_numpy(dtype=bool)

    def record(self, entry: LedgerEntry, *, pending: bool = False) -> int:
        """
        Record a release; the same one again is not recorded twice.

        Parameters
        ----------
        entry
            What leaves. Of a release that does not leave (policies
            `internal` and `restricted`) no values are kept.
        pending
            Whether its products are yet to be moved into place; `confirm`
            says that they are.

        Returns
        -------
        number
            Of the release. That of the release recorded before where it is the same.

        Raises
        ------
        DisclosureError
            If another release of the dataset was recorded since `conflicts`.
        """
        digest = entry.digest
        with transaction(self._connection, self.path):
            number = self._same(entry, digest)
            if number is not None:
                log.warning(
                    "%s is in the ledger already, as release %d: it is not recorded again.",
                    entry.title, number,
                )  # fmt: skip
                if not pending:
                    self._set_state(number, "recorded")
                return number
            self._refuse_unchecked(entry)
            number = insert_release(
                self._connection, entry, digest, STATES[0] if pending else STATES[1]
            )
        self._checked.pop(entry.dataset, None)
        return number

    def confirm(self, release: int) -> None:
        """
        Say that the products of a pending release are in place.

        Raises
        ------
        InputError
            If there is no release of that number.
        """
        with transaction(self._connection, self.path):
            self._set_state(release, "recorded")

    def withdraw(
        self, release: int, *, because: str, on: dt.date, never_left: bool = False
    ) -> None:
        """
        Note that a release was withdrawn.

        What was read is known: it is still taken into account, unless it
        never left the house.

        Parameters
        ----------
        release
            Its number.
        because
            Why, in words.
        on
            The day.
        never_left
            Whether nobody outside has seen it.

        Raises
        ------
        InputError
            If there is no release of that number, it is withdrawn already,
            or no reason is given.
        """
        if not because.strip():
            msg = "A release is withdrawn for a reason. Say it in words."
            raise InputError(msg)
        with transaction(self._connection, self.path):
            facts = self.show(release).facts
            if facts["withdrawn_on"] is not None and not (never_left and facts["left_the_house"]):
                msg = f"Release {release} was withdrawn on {facts['withdrawn_on']} already."
                raise InputError(msg)
            self._connection.execute(
                "UPDATE releases SET withdrawn_on = ?, withdrawn_because = ?, "
                "left_the_house = left_the_house AND ? WHERE id = ?",
                (on.isoformat(), because.strip(), int(not never_left), release),
            )

    def _refuse_unchecked(self, entry: LedgerEntry) -> None:
        newest, checked = self._newest(entry.dataset), self._checked.get(entry.dataset)
        if checked is not None and newest != checked and entry.policy.leaves:
            msg = (
                f"Release {newest} of {entry.dataset!r} was recorded while this one was being "
                "made, so they have not been checked together. Run it again; nothing was recorded."
            )
            raise DisclosureError(msg)

    def _out(self, dataset: str) -> Sequence[int]:
        """Return the numbers of the releases that readers know, oldest first."""
        query = (
            "SELECT id FROM releases WHERE dataset = ? AND left_the_house = 1 AND cells > 0 "
            "ORDER BY id"
        )
        return [int(number) for (number,) in self._rows(query, (dataset,))]

    def _newest(self, dataset: str) -> int:
        query = "SELECT coalesce(max(id), 0) FROM releases WHERE dataset = ? AND left_the_house = 1"
        return int(self._rows(query, (dataset,))[0][0])

    def _same(self, entry: LedgerEntry, digest: str | None = None) -> int | None:
        """Return the number of the same release; one that does not leave is told by its title."""
        if not entry.policy.leaves:
            query = (
                "SELECT id FROM releases WHERE dataset = ? AND title = ? AND made_on = ? "
                "AND policy = ? AND cells = 0 AND withdrawn_on IS NULL"
            )
            facts = (entry.dataset, entry.title, entry.made_on.isoformat(), entry.policy.name)
            rows = self._rows(query, facts)
        else:
            query = (
                "SELECT id FROM releases WHERE dataset = ? AND digest = ? AND withdrawn_on IS NULL"
            )
            rows = self._rows(query, (entry.dataset, digest or entry.digest))
        return int(rows[0][0]) if rows else None

    def _set_state(self, release: int, state: str) -> None:
        changed = self._connection.execute(
            "UPDATE releases SET state = ? WHERE id = ?", (state, release)
        )
        if not changed.rowcount:
            msg = f"The ledger has no release {release}."
            raise InputError(msg)

    def _known(self, number: int) -> Known:
        release = self.show(number)
        facts = release.facts
        exact = facts["method"] in ("as_is", "round", "suppress")
        return Known(
            f"release {number}",
            1 if facts["zeros_shown"] else 0,
            facts["rounding"] // 2 if exact else None,
            release.cells,
            release.members,
        )

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> Sequence[tuple[Any, ...]]:
        with told(self.path):
            return self._connection.execute(query, values).fetchall()
