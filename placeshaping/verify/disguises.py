"""Counts that go by another name: in words, in classes, in how often a row stands."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping.verify.cells import MARKS, cell_names, check_counts, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.loose_numbers import code_pairs
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_NO_NUMBER = {
    "", "hidden", "missing", "suppressed", "-", "*", ":", "x", "c", "z", "[x]", "[c]", "[z]",
    "n/a", "na", "nan",
}  # fmt: skip
"""What may stand instead of a count."""

_VALUES = {
    "status": {"shown", "hidden", "missing"},
    "cluster": {"hot_99", "hot_95", "none", "cold_95", "cold_99"},
}
"""What may stand in columns of words."""

_TENTHS = {float(tenth) for tenth in range(1, 11)}
_RATES = ("rate", "lower", "upper", "rate_smoothed")
_PEOPLE = ("residents", "households", "exposure")
_FEWEST_PEOPLE = 100
_KEYS = ("area_code", "period", "category")


def check_disguises(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look for counts in columns whose names do not say that they count.

    Tables that are written for readers, with headings in words, are passed over.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame({"area_code": ["a", "b"], "count": ["three", "hidden"]})
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> [breach.what for breach in check_disguises(contents, RULES["public"])]
    ['1 count is neither a number nor a mark']
    """
    if not rules.protects and rules.counts_shown:
        return
    for table in contents.tables:
        if table.written_for_readers or not table.frame.columns.is_unique:
            continue
        yield from _words(table)
        yield from _names(table)
        yield from _keys(table)
        yield from _rates_alone(table)
        yield from _no_numbers(table, rules)
        if not rules.numbers:
            yield from _classes(table)
        for column in _disguised(table):
            yield from check_counts(table, column, rules)


def _texts(column: pd.Series) -> pd.Series:
    """Return what stands in a column as words, empty where there is nothing."""
    return column.astype(object).where(column.notna(), "").astype(str).str.strip()


def _words(table: Table) -> Iterator[Breach]:
    """Look for values that are none of those that a column may hold."""
    frame = table.frame
    for column, known in _VALUES.items():
        if column in frame:
            found = pd.Series(_texts(frame[column]).unique())
            odd = found[~found.str.casefold().isin(known | {""})]
            if len(odd):
                values = number_of(len(odd), "value is", names="values are")
                yield Breach(table.where, f"{values} no {column}", listed(list(odd)))
    if "imd_decile" in frame:
        tenths = pd.Series(numbers_of(frame["imd_decile"])).dropna().unique()
        no_tenths = sorted(set(tenths) - _TENTHS)
        if no_tenths:
            yield Breach(table.where, "the column 'imd_decile' holds no tenths", listed(no_tenths))


def _names(table: Table) -> Iterator[Breach]:
    """Look for numbers in the names of areas, periods and categories."""
    frame = table.frame
    for column in ("area_name", "period", "category"):
        if column in frame:
            found = pd.Series(_texts(frame[column]).unique())
            coded = found[found.map(lambda name: bool(code_pairs(name)))]
            if len(coded):
                what = f"the column {column!r} holds area codes with numbers"
                yield Breach(table.where, what, listed(list(coded)))
            bare = found[found.str.fullmatch(r"[0-9.]+") & ~found.str.fullmatch(r"(?:19|20)\d\d")]
            if len(bare) and column == "period":
                yield Breach(
                    table.where, "the column 'period' holds no periods", listed(list(bare))
                )


def _keys(table: Table) -> Iterator[Breach]:
    """Look for rows that stand more than once: their number is a count."""
    frame = table.frame
    keys = [c for c in _KEYS if c in frame]
    if "area_code" not in keys:
        return
    again = frame.duplicated(keys).to_numpy()
    if again.any():
        rows = number_of(int(again.sum()), "row stands", names="rows stand")
        what = f"{rows} there again: how often is a count of its own"
        yield Breach(table.where, what, "; ".join(cell_names(frame, again)))


def _rates_alone(table: Table) -> Iterator[Breach]:
    """Look for rates without the count that they were worked out from."""
    frame = table.frame
    if "count" in frame:
        return
    alone = [c for c in _RATES if c in frame and np.isfinite(numbers_of(frame[c])).any()]
    if alone:
        what = "holds rates without the counts that they were worked out from"
        yield Breach(table.where, what, listed(alone))


def _disguised(table: Table) -> Iterator[str]:
    """Name the columns that must be counts of something else than their name says."""
    frame = table.frame
    for column in _PEOPLE:
        if column in frame:
            people = numbers_of(frame[column])
            people = people[np.isfinite(people)]
            if len(people) and np.median(people) < _FEWEST_PEOPLE:
                yield column
    if "areas" in frame and "area_code" in frame:
        yield "areas"


def _classes(table: Table) -> Iterator[Breach]:
    """Look for hidden cells with a hot-spot class, which narrows what they hold."""
    frame = table.frame
    if not {"status", "cluster"} <= set(frame.columns):
        return
    marked = frame["status"].astype(str).str.casefold().isin(MARKS)
    leaking = (marked & (_texts(frame["cluster"]) != "")).to_numpy()
    if leaking.any():
        cells = number_of(int(leaking.sum()), "cell")
        what = f"{cells} marked as hidden, with a cluster all the same"
        yield Breach(table.where, what, "; ".join(cell_names(frame, leaking)))


def _no_numbers(table: Table, rules: Rules) -> Iterator[Breach]:
    """Look for counts that are neither numbers nor marks: "three", "3 crimes"."""
    if "count" not in table.frame:
        return
    given = table.frame["count"]
    words = _texts(given[~np.isfinite(numbers_of(given))])
    odd = words[~words.str.casefold().isin({*_NO_NUMBER, f"<{rules.threshold}"})]
    if len(odd):
        counts = number_of(len(odd), "count is", names="counts are")
        what = f"{counts} neither a number nor a mark"
        yield Breach(table.where, what, listed(list(dict.fromkeys(odd))))
