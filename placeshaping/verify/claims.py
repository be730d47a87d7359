"""
What a file or a ledger says of each count: claims, before they are taken together.

A claim is a cell (area, period, category) with the lowest and the highest
value that a reader of it may believe. Rounding leaves a shown count an
interval; a hidden one may hold anything from its smallest value up, for it may
be hidden only to protect another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.cells import numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import Rules
from placeshaping.verify.spans import Span, span_of

DECILES = "imd_decile"
_KEYS = ("period", "category")
_CODES = re.compile(r"[^\s,;|+]+")
_SAME_NAME = 0.95
_PARENT = re.compile(r"parent_code|(?:lsoa|msoa|ward|district|county|csp|police_force)_code")


@dataclass
class Claims:
    """
    The claims of one source.

    Attributes
    ----------
    source
        Name of the file, or of the release in a ledger.
    cells
        Columns `area`, `period`, `category`, `lower`, `upper`, `shown` (the
        number that stands there; missing where there is none), `hidden`,
        `threshold`, `smallest` (the smallest count that is hidden).
    levels
        Code of an area -> its level.
    parents
        Code -> codes of the areas that hold it.
    members
        Code of an area made of others -> their codes.
    spans
        Label of a period -> its first and last month, where it is known.
    months
        Label -> months with data, where that is said.
    parts
        Category -> the categories that it is made of, where that is said.
    names
        Code -> name.
    dataset
        What is counted; claims of different data are not taken together.
    edition
        Which release it is of, where that is known: within one, the same
        cell must bear the same value everywhere.
    noisy
        Whether shown counts bear random noise.
    exact
        Whether shown counts are as they are.
    """

    source: str
    cells: pd.DataFrame
    levels: dict[str, str] = field(default_factory=dict)
    parents: dict[str, list[str]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    months: dict[str, int] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    dataset: str | None = None
    edition: str | None = None
    noisy: bool = False
    exact: bool = False


def believed(
    shown: NDArray[np.float64],
    hidden: NDArray[np.bool_],
    threshold: NDArray[np.float64],
    *,
    half: float,
    smallest: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return the lowest and the highest count that each cell may stand for.

    Parameters
    ----------
    shown
        The numbers that are shown; missing where there is none.
    hidden
        Cells that are marked as hidden.
    threshold
        Counts under this are not shown.
    half
        How far a shown number may lie from the true one.
    smallest
        The smallest count that is hidden.

    Examples
    --------
    >>> low, high = believed(
    ...     np.array([5.0, 0.0, np.nan]), np.array([False, False, True]), np.full(3, 5.0),
    ...     half=2, smallest=1,
    ... )
    >>> low.tolist(), high.tolist()
    ([5.0, 0.0, 1.0], [7.0, 0.0, inf])
    """
    exact = (shown == 0) & (smallest > 0)
    with np.errstate(invalid="ignore"):
        least = np.where(shown >= threshold, np.maximum(shown - half, threshold), shown - half)
    lower = np.where(exact, 0, np.maximum(least, 0))
    upper = np.where(exact, 0, shown + half)
    none = np.isnan(shown)
    return (
        np.where(none, np.where(hidden, smallest, 0), lower),
        np.where(none, np.inf, upper),
    )


def claims_of(contents: Contents, rules: Rules, *, source: str) -> Claims | None:
    """
    Collect the claims of a file; None where it holds no table of counts.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame({"area_code": ["a"], "count": [10]})
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> claims_of(contents, RULES["councillor"], source="t.csv").cells["upper"].tolist()
    [12.0]
    """
    tables = _tables(contents)
    if not tables:
        return None
    said = contents.declaration or {}
    found = Claims(source, pd.DataFrame(), spans=dict(contents.spans), parts=dict(contents.parts))
    found.members = dict(contents.members)
    found.dataset = _text(said.get("dataset"))
    found.edition = _text(said.get("release_id")) or _text(said.get("made_on"))
    found.noisy, found.exact = rules.method == "cell_key", rules.half == 0
    found.months = {label: round(years * 12) for label, years in contents.periods.items()}
    found.cells = pd.concat([_cells(table, rules, found) for table in tables], ignore_index=True)
    for label in found.cells["period"].unique():
        span = span_of(str(label))
        if span is not None:
            found.spans.setdefault(str(label), span)
    _geography(contents, found)
    return found


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _tables(contents: Contents) -> list[Table]:
    """Return the tables with counts: those by period and category, else any by area."""
    usable = [
        table
        for table in contents.tables
        if not table.written_for_readers
        and table.frame.columns.is_unique
        and "count" in table.frame
        and _key(table) in table.frame
        and len(table.frame)
    ]
    full = [table for table in usable if set(_KEYS) <= set(table.frame.columns)]
    return full or usable


def _key(table: Table) -> str:
    by_tenth = "area_code" not in table.frame and DECILES in table.frame
    return DECILES if by_tenth else "area_code"


def _cells(table: Table, rules: Rules, found: Claims) -> pd.DataFrame:
    frame, key = table.frame, _key(table)
    codes = frame[key].astype(str)
    if key == DECILES:
        codes = DECILES + " " + codes.str.removesuffix(".0")
    level = DECILES if key == DECILES else table.level
    found.levels.update(dict.fromkeys(codes.unique(), level))
    shown = numbers_of(frame["count"])
    hidden = _marked(frame, shown)
    keys = {
        name: frame[name].astype(str).to_numpy() if name in frame else np.full(len(frame), "")
        for name in _KEYS
    }
    threshold = rules.thresholds(keys["category"])
    lower, upper = believed(
        shown, hidden, threshold, half=rules.half, smallest=rules.smallest_hidden
    )
    return pd.DataFrame(
        {
            "area": codes.to_numpy(),
            **keys,
            "lower": lower,
            "upper": upper,
            "shown": shown,
            "hidden": hidden,
            "threshold": threshold,
            "smallest": rules.smallest_hidden,
        }
    )


def _marked(frame: pd.DataFrame, shown: NDArray[np.float64]) -> NDArray[np.bool_]:
    if "status" in frame:
        return (frame["status"].astype(str).str.casefold() == "hidden").to_numpy()
    return ~np.isfinite(shown)


def _geography(contents: Contents, found: Claims) -> None:
    """Collect names, what holds each area, and what larger ones are made of."""
    for table in contents.tables:
        frame = table.frame
        if "area_code" not in frame or not frame.columns.is_unique:
            continue
        if "area_name" in frame:
            found.names.update(_pairs(frame, "area_name"))
        for column in frame.columns:
            if _PARENT.fullmatch(str(column)):
                add_parents(found.parents, _pairs(frame, str(column)))
        if "members" in frame:
            found.members.update(
                {code: tuple(_CODES.findall(text)) for code, text in _pairs(frame, "members")}
            )
        if DECILES in frame:
            tenths = [
                (code, f"{DECILES} {tenth.removesuffix('.0')}")
                for code, tenth in _pairs(frame, DECILES)
            ]
            add_parents(found.parents, tenths)
    if not any(code for codes in found.parents.values() for code in codes if DECILES not in code):
        add_parents(found.parents, _by_name(found.names))


def _pairs(frame: pd.DataFrame, column: str) -> list[tuple[str, str]]:
    rows = frame[["area_code", column]].dropna().drop_duplicates()
    return list(zip(rows["area_code"].astype(str), rows[column].astype(str), strict=True))


def add_parents(parents: dict[str, list[str]], pairs: Iterable[tuple[str, str]]) -> None:
    """
    Note what holds each area.

    Examples
    --------
    >>> parents = {}
    >>> add_parents(parents, [("E01", "E02"), ("E01", "E05"), ("E01", "E02")])
    >>> parents
    {'E01': ['E02', 'E05']}
    """
    for code, above in pairs:
        known = parents.setdefault(code, [])
        if above not in known and above != code:
            known.append(above)


def _by_name(names: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find an LSOA's MSOA by its name: the same without its last letter."""
    codes = {name: code for code, name in names.items()}
    found = [(code, codes[name[:-1]]) for code, name in names.items() if name[:-1] in codes]
    finest = [code for code in names if code[:3] in ("E01", "W01")]
    fine = [pair for pair in found if pair[0][:3] in ("E01", "W01")]
    return found if finest and len(fine) > _SAME_NAME * len(finest) else []
