"""
Results that are not of areas: summary tables, streets, lists of places or records.

A file declares that it holds one (`item`, `records`); what may stand in it is
listed here, and its counts, ratios and words are attacked as those of areas are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping.verify.cells import MARKS, cell_names, check_counts, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.evaluations import check_evaluation
from placeshaping.verify.record_columns import LISTS, declared_records
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_VALUES = ("observed", "expected", "ratio", "pattern", "count", "index", "class", "rank")
_PATTERNS = {"", "fewer", "as expected", "more"}
_MOST_CLASSES = 5
_FEWEST_LENGTHS = 5
_Z = 1.959964
_WORDS = re.compile(
    r"(?i)\b(\d{1,3}(?:,\d{3})+|\d+) (?:of (?:\d[\d,]*) )?"
    r"(?:events?|records?|contacts?|pairs?|crimes?|incidents?)\b"
)
_OF_RULES = re.compile(r"(?i)(?:under|fewer than|at least|or more|over|to) $")


def least_pairs(rules: Rules) -> int:
    """
    Return the least number of pairs that cannot come from fewer records than the threshold.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> least_pairs(RULES["public"]), least_pairs(RULES["councillor"])
    (37, 7)
    """
    return sum(range(rules.threshold - 1)) + 1


def check_records(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Attack files that hold results that are not of areas.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.rules import RULES
    >>> said = {"item": "records", "records": "near_repeat", "policy": "public"}
    >>> table = Table("near_repeat", pd.DataFrame({"observed": [20], "status": ["shown"]}))
    >>> contents = Contents("csv", said, [table])
    >>> [breach.what for breach in check_records(contents, RULES["public"])]
    ['1 number of pairs that fewer than 10 records can make']
    """
    name = declared_records(contents.declaration)
    if name is None:
        return
    if name in LISTS and (rules.protects or rules.leaves):
        what = f"is a list of places or records, which {rules.policy!r} does not let out"
        yield Breach("file", what, name, "records")
    if not rules.protects or name in LISTS:
        return
    for table in contents.tables:
        if table.frame.columns.is_unique and not table.written_for_readers:
            yield from _hidden(table)
            yield from _values(table, name, rules)
    yield from _counted(contents, rules)


def _values(table: Table, name: str, rules: Rules) -> Iterator[Breach]:
    if name == "near_repeat":
        yield from _pairs(table, rules)
    if name == "profile":
        yield from _index(table)
    if name == "streets":
        yield from _lengths(table)
    if name == "evaluation":
        yield from check_evaluation(table)
    if "class" in table.frame:
        classes = numbers_of(table.frame["class"])
        odd = np.isfinite(classes) & ~np.isin(classes, np.arange(1, _MOST_CLASSES + 1))
        if odd.any():
            what = f"the column 'class' holds no classes of 1 to {_MOST_CLASSES}"
            yield Breach(table.where, what, listed(sorted(set(classes[odd]))), "records")


def _lengths(table: Table) -> Iterator[Breach]:
    """Look for lengths that are whole numbers throughout: they count something."""
    if "length_km" not in table.frame:
        return
    lengths = numbers_of(table.frame["length_km"])
    known = lengths[np.isfinite(lengths)]
    if len(known) >= _FEWEST_LENGTHS and (known == np.rint(known)).all():
        what = "the column 'length_km' holds whole numbers, which are no lengths of streets"
        yield Breach(table.where, what, listed(list(known)), "records")


def _hidden(table: Table) -> Iterator[Breach]:
    """Look for hidden rows that tell something all the same."""
    frame = table.frame
    if "status" not in frame:
        return
    marked = frame["status"].astype(str).str.casefold().isin(MARKS).to_numpy()
    for column in _VALUES:
        if column in frame:
            texts = frame[column].astype(object).where(frame[column].notna(), "").astype(str)
            leaking = marked & (texts.str.strip() != "").to_numpy()
            if leaking.any():
                rows = number_of(int(leaking.sum()), "row")
                what = f"{rows} marked as hidden, with {column} all the same"
                yield Breach(table.where, what, "; ".join(cell_names(frame, leaking)), "records")


def _pairs(table: Table, rules: Rules) -> Iterator[Breach]:
    """Look at pairs that too few records can make, and at ratios of other numbers than shown."""
    frame = table.frame
    if "pattern" in frame:
        odd = sorted(set(frame["pattern"].dropna().astype(str)) - _PATTERNS)
        if odd:
            yield Breach(table.where, "the column 'pattern' holds no patterns", listed(odd))
    if "observed" not in frame:
        return
    yield from check_counts(table, "observed", rules)
    observed = numbers_of(frame["observed"])
    few = (observed >= max(rules.threshold, 1)) & (observed < least_pairs(rules))
    if few.any():
        many = number_of(int(few.sum()), "number", names="numbers")
        what = f"{many} of pairs that fewer than {rules.threshold} records can make"
        yield Breach(table.where, what, "; ".join(cell_names(frame, few)), "records")
    if "expected" in frame:
        yield from _margins(table)
        yield from _ratios(table, observed, rules)


def _margins(table: Table) -> Iterator[Breach]:
    """Look for expected numbers from which a band's pairs, and so a hidden cell, come back."""
    frame = table.frame
    hidden = ~np.isfinite(numbers_of(frame["observed"]))
    beside = np.zeros(len(frame), dtype=bool)
    for band in ("distance_band", "day_band"):
        if band in frame:
            names = frame[band].astype(str)
            beside |= names.isin(set(names[hidden])).to_numpy()
    columns = [name for name in ("expected", "ratio") if name in frame]
    told = beside & np.isfinite([numbers_of(frame[name]) for name in columns]).any(axis=0)
    if told.any():
        what = "tells expected numbers of a band with a hidden cell, which they can give back"
        yield Breach(table.where, what, "; ".join(cell_names(frame, told)), "records")


def _ratios(table: Table, observed: NDArray[np.float64], rules: Rules) -> Iterator[Breach]:
    expected = numbers_of(table.frame["expected"])
    uneven = np.isfinite(expected) & (np.mod(expected, rules.multiple) != 0)
    if uneven.any():
        numbers = number_of(int(uneven.sum()), "expected number")
        what = f"{numbers} not rounded to {rules.rounding}, which with a ratio gives the count back"
        yield Breach(table.where, what, "; ".join(cell_names(table.frame, uneven)), "records")
    if "ratio" in table.frame:
        with np.errstate(divide="ignore", invalid="ignore"):
            own = observed / expected
        yield from _other(table, "ratio", own, decimals=1)


def _index(table: Table) -> Iterator[Breach]:
    """Look at indices and intervals of other counts than those that are shown."""
    frame = table.frame
    if not {"count", "hours"} <= set(frame.columns):
        return
    count, hours = numbers_of(frame["count"]), numbers_of(frame["hours"])
    known = np.isfinite(count)
    with np.errstate(divide="ignore", invalid="ignore"):
        usual = hours * (count[known].sum() / hours[known].sum())
        if "index" in frame:
            yield from _other(table, "index", count / usual, decimals=2)
        large = np.where(count >= 10, count, np.nan)
        limits = {"lower": (large, -_Z), "upper": (large + 1, _Z)}
        for column, (base, z) in limits.items():
            if column in frame:
                byar = base * (1 - 1 / (9 * base) + z / (3 * np.sqrt(base))) ** 3
                yield from _other(table, column, byar / usual, decimals=2, only=count >= 10)


def _other(
    table: Table,
    column: str,
    own: NDArray[np.float64],
    *,
    decimals: int,
    only: NDArray[np.bool_] | None = None,
) -> Iterator[Breach]:
    """Look for numbers that are not those worked out from what is shown, or are finer than they."""
    given = numbers_of(table.frame[column])
    half = 0.5 * 10.0**-decimals
    looked = np.isfinite(given) if only is None else np.isfinite(given) & only
    with np.errstate(invalid="ignore"):
        near = np.abs(given - own) <= half + 1e-6 * np.abs(own) + 1e-9
        coarse = np.abs(given - np.round(given, decimals)) < 1e-9
        odd = looked & ~(near & coarse)
    if odd.any():
        numbers = number_of(int(odd.sum()), "number")
        what = f"{numbers} in {column!r} not worked out from the counts that are shown"
        yield Breach(table.where, what, "; ".join(cell_names(table.frame, odd)), "records")


def _counted(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """Look for exact numbers of records in the words."""
    for where, text in contents.texts.items():
        for found in _WORDS.finditer(text):
            number = int(found[1].replace(",", ""))
            rule = _OF_RULES.search(text[: found.start()])
            small = rules.smallest_hidden <= number < rules.threshold
            if not rule and (small or number % rules.multiple):
                what = f"counts {number:,} in words, under {rules.threshold} or not rounded"
                yield Breach(where, what, found[0], "records")
