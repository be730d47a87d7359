"""What the ledger keeps of one release: the values that left, and never the true ones."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, DisclosureError, DuplicateError, InputError
from placeshaping.disclosure.policies import Policy

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release

KEYS = ["level", "area_code", "first", "last", "category"]
"""What a cell is known by."""

CELLS = [*KEYS, "status", "count", "threshold"]
MEMBERS = ["kind", "whole", "part"]
STATUSES = ("shown", "hidden", "missing")

_MONTH = r"\d{4}-(0[1-9]|1[0-2])"


@dataclass(frozen=True, repr=False)
class LedgerEntry:
    """
    One release as the ledger keeps it.

    Attributes
    ----------
    dataset
        Name of the records that were counted. Only releases of one dataset
        can be subtracted from each other.
    title, made_on
        As they stand on the products.
    policy
        The rules that the numbers obey.
    cells
        One row a released number: `level`, `area_code`, `first` and `last`
        (months as ``"2025-01"``), `category`, `status` (``"shown"``,
        ``"hidden"``, ``"missing"``), `count` (Int64, as released; none where
        hidden, missing, or shown as a class alone) and `threshold`.
    members
        What areas and categories are made of: `kind` (``"area"`` or
        ``"category"``), `whole`, `part`. An area or category without rows is
        made of itself.
    """

    dataset: str
    title: str
    made_on: dt.date
    policy: Policy
    cells: pd.DataFrame
    members: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse what is no table of released counts."""
        if not self.dataset.strip():
            msg = "A release is recorded under the name of its dataset, which is empty. Name it."
            raise InputError(msg)
        check_columns(self.cells.columns, CELLS, where="cells")
        check_columns(self.members.columns, MEMBERS, where="members")
        _check_cells(self.cells)
        _check_released(self.cells, self.policy)
        _check_members(self.cells, self.members)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return (
            f"<LedgerEntry {self.dataset!r}, {self.title!r}, policy {self.policy.name!r}, "
            f"{len(self.cells):,} cells>"
        )

    @property
    def digest(self) -> str:
        """Checksum of dataset, rules, cells and members, whatever their order."""
        rules = (self.policy.method, self.policy.threshold, self.policy.rounding,
                 self.policy.zeros_shown)  # fmt: skip
        return digest_of(self.dataset, rules, self.cells, self.members)


def digest_of(
    dataset: str,
    rules: tuple[str, int, int, bool],
    cells: pd.DataFrame,
    members: pd.DataFrame,
) -> str:
    """
    Return a checksum of a release that does not depend on the order of its rows.

    Parameters
    ----------
    dataset
        Name of the records.
    rules
        Method, threshold, rounding, and whether zeros are shown.
    cells, members
        As in `LedgerEntry`.
    """
    found = hashlib.sha256(repr((dataset, *rules)).encode())
    for table, columns in ((cells, CELLS), (members, MEMBERS)):
        rows = table[columns[0]].astype(str)
        for name in columns[1:]:
            rows = rows + "\x1f" + table[name].astype(str).fillna("")
        found.update("\x1e".join(sorted(rows)).encode())
    return found.hexdigest()


def entry_of(release: Release, *, members: pd.DataFrame | None = None) -> LedgerEntry:
    """
    Take from a release what the ledger keeps of it.

    Parameters
    ----------
    release
        What leaves.
    members
        Further rows of `LedgerEntry.members`: what merged areas are made of.

    Returns
    -------
    entry
        With the deprivation deciles as areas ``"imd_decile 1"`` to
        ``"imd_decile 10"`` of the level ``"imd_decile"``.
    """
    tables = [table.values.assign(level=level) for level, table in release.tables.items()]
    groups = release.deprivation
    if groups is not None:
        codes = groups.name + " " + groups.values[groups.name].astype(str)
        tables.append(groups.values.assign(level=groups.name, area_code=codes))
    wanted = ["level", "area_code", "period", "category", "status", "count"]
    cells = pd.concat(
        [
            table.reindex(columns=wanted).astype(dict.fromkeys(wanted[:-1], str))
            for table in tables  # a release of classes alone has no counts
        ],
        ignore_index=True,
    )
    policy = release.policy
    months = {p.label: (f"{p.first:%Y-%m}", f"{p.last:%Y-%m}") for p in release.periods}
    cells["first"] = cells["period"].map({label: first for label, (first, _) in months.items()})
    cells["last"] = cells["period"].map({label: last for label, (_, last) in months.items()})
    cells["threshold"] = policy.threshold
    cells.loc[cells["category"].isin(list(release.sensitive)), "threshold"] = (
        policy.sensitive_threshold
    )
    if not policy.counts_shown:
        cells["count"] = pd.NA
    cells["count"] = cells["count"].astype("Int64")
    known = pd.DataFrame(list(_members(release)), columns=MEMBERS, dtype=str)
    if members is not None:
        known = pd.concat([known, members[MEMBERS].astype(str)]).drop_duplicates(ignore_index=True)
    return LedgerEntry(
        release.dataset, release.title, release.made_on, policy, cells[CELLS].copy(), known
    )


def _members(release: Release) -> Iterator[tuple[str, str, str]]:
    """Say what the larger areas, deciles and categories of a release are made of."""
    for category in release.categories:
        for part in category.parts:
            yield "category", category.label, part
    finest = release.tables[release.levels[0]].areas
    made_of = {str(code): [str(code)] for code in finest.index}
    if "members" in finest:
        merged = finest["members"].dropna()
        made_of |= {str(code): str(parts).split() for code, parts in merged.items()}
    for held in _holders(release).values():
        for code, whole in held.items():
            for part in made_of[str(code)]:
                if part != whole:
                    yield "area", str(whole), part


def _holders(release: Release) -> dict[str, pd.Series[str]]:
    """Return, for each level and for the deciles, what holds each of the finest areas."""
    finest = release.tables[release.levels[0]].areas
    holders = {release.levels[0]: pd.Series(finest.index.astype(str), index=finest.index)}
    for level, table in release.tables.items():
        if level in holders and table.parent_level is not None:
            parents = table.areas["parent_code"].astype(str)
            holders[table.parent_level] = holders[level].map(parents)
        elif f"{level}_code" in finest:
            holders[level] = finest[f"{level}_code"].astype(str)
    if release.deprivation is not None and "imd_decile" in finest:
        deciles = finest["imd_decile"].dropna().astype(str)
        holders["imd_decile"] = release.deprivation.name + " " + deciles
    return holders


def _check_cells(cells: pd.DataFrame) -> None:
    for name in ("first", "last"):
        odd = cells.loc[~cells[name].astype(str).str.fullmatch(_MONTH), name]
        if len(odd):
            msg = (
                f"cells: {len(odd):,} rows of {name!r} are no month ({odd.iloc[0]!r}). "
                "Write months as 2025-01."
            )
            raise ColumnError(msg)
    if late := int((cells["first"].astype(str) > cells["last"].astype(str)).sum()):
        msg = f"cells: {late:,} spans end before they begin. Exchange first and last."
        raise ColumnError(msg)
    strange = cells.loc[~cells["status"].isin(STATUSES), "status"]
    if len(strange):
        msg = f"cells: status {strange.iloc[0]!r} is none of {', '.join(STATUSES)}."
        raise ColumnError(msg)
    twice = cells.duplicated(KEYS)
    if twice.any():
        first = ", ".join(map(str, cells.loc[twice, KEYS].iloc[0]))
        msg = f"cells: {int(twice.sum()):,} cells stand twice ({first}). Keep one of each."
        raise DuplicateError(msg)


def _check_released(cells: pd.DataFrame, policy: Policy) -> None:
    """Refuse counts that cannot have been released: below zero, hidden, or under the threshold."""
    counts = pd.to_numeric(cells["count"])
    wrong = ((counts < 0) | (counts % 1 != 0)).fillna(False).astype(bool)
    if wrong.any():
        msg = f"cells: {int(wrong.sum()):,} counts are negative or fractional."
        raise ColumnError(msg)
    hidden = (cells["status"] != "shown") & counts.notna()
    small = (counts < cells["threshold"]) & ((counts > 0) | (not policy.zeros_shown))
    small &= policy.method in ("round", "suppress")
    bad = (hidden | small.fillna(False)).astype(bool)
    if bad.any():
        name = _words(cells.loc[bad].iloc[0])
        msg = (
            f"{int(bad.sum()):,} cells hold counts that the policy {policy.name!r} hides ({name}). "
            "The ledger takes released values alone: make the entry from a Release."
        )
        raise DisclosureError(msg)


def _words(cell: pd.Series[Any]) -> str:
    return f"{cell['area_code']} {cell['category']} {cell['first']} to {cell['last']}"


def _check_members(cells: pd.DataFrame, members: pd.DataFrame) -> None:
    """Refuse areas that lie in two areas of one level, and rows that stand twice."""
    if (again := members.duplicated(MEMBERS)).any():
        row = ", ".join(map(str, members.loc[again, MEMBERS].iloc[0]))
        msg = f"members: {int(again.sum()):,} rows stand twice ({row}). Keep one of each."
        raise DuplicateError(msg)
    areas = cells[["level", "area_code"]].drop_duplicates()
    inside = members[members["kind"] == "area"].merge(
        areas, left_on="whole", right_on="area_code", how="inner"
    )
    twice = inside[inside.duplicated(["level", "part"])]
    if len(twice):
        level, part = str(twice["level"].iloc[0]), str(twice["part"].iloc[0])
        wholes = inside.loc[(inside["level"] == level) & (inside["part"] == part), "whole"]
        msg = (
            f"{len(twice):,} areas lie in two areas of one level ({part} in "
            f"{listed(list(wholes))}, level {level}). Give a lookup in which each lies in one."
        )
        raise InputError(msg)
