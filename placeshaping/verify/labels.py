"""
Labels of areas: words that a file declares, and nothing that hides a number in them.

A hot-spot category or a class of likelihood stands in a column of its own. The
file declares the column and the words that may stand in it; words are words,
few of them, and none stands where the number is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

MOST_WORDS = 20
"""Words that one column of labels may have: with many, each would be a number's own."""

_COLUMN = re.compile(r"[a-z]+(?:_[a-z]+)*")
_WORD = re.compile(r"[a-z]+(?:_[a-z]+)*(?:_9[059])?")
_OTHERS = {
    "area", "area_code", "area_name", "areas", "category", "class", "cluster", "count", "exposure",
    "fid", "geom", "geometry", "households", "imd_decile", "level", "lower", "members", "period",
    "rank", "ratio", "rate", "rate_smoothed", "residents", "slope", "status", "upper",
}  # fmt: skip
"""Columns that hold something else, and are judged as such."""

_MARKS = ("hidden", "missing")
_EXAMPLES = 3


def declared_labels(declaration: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """
    Return the columns of labels that a file declares, with their words; odd ones left out.

    Examples
    --------
    >>> declared_labels({"labels": {"emerging": ["new_hot_spot", "none"], "n": ["3", "4"]}})
    {'emerging': ('new_hot_spot', 'none')}
    """
    given = (declaration or {}).get("labels")
    return {
        str(column): tuple(words)
        for column, words in (given.items() if isinstance(given, Mapping) else ())
        if _fault(str(column), words) is None
    }


def label_columns(declaration: Mapping[str, Any] | None, rules: Rules, table: Table) -> set[str]:
    """Return the columns of a table that labels may take: words, and scores where they may."""
    found = set(declared_labels(declaration))
    if rules.numbers:
        heads = tuple(f"{column}_" for column in found)
        found |= {str(name) for name in table.frame.columns if str(name).startswith(heads)}
    return found


def check_labels(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look for labels that are no words, that were not declared, or that stand at hidden cells.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> frame = pd.DataFrame({"area_code": ["a"], "status": ["hidden"], "emerging": ["new"]})
    >>> contents = Contents("csv", {"labels": {"emerging": ["new"]}}, [Table("t", frame)])
    >>> [breach.what for breach in check_labels(contents, RULES["public"])]
    ['1 cell marked as hidden, with emerging all the same']
    """
    believed = not rules.protects and rules.counts_shown
    if believed or contents.kind == "geotiff":  # whose labels name classes of values
        return
    given = (contents.declaration or {}).get("labels")
    if given is not None and not isinstance(given, Mapping):
        yield Breach("declaration", "declares labels that are none", str(given)[:80], "labels")
    for column, words in given.items() if isinstance(given, Mapping) else ():
        fault = _fault(str(column), words)
        if fault:
            what = f"declares labels {str(column)!r} that are none: {fault}"
            yield Breach("declaration", what, str(words)[:80], "labels")
    known = declared_labels(contents.declaration)
    for table in contents.tables:
        if table.written_for_readers or not table.frame.columns.is_unique:
            continue
        for column in known:
            if column in table.frame:
                yield from _column(table, column, known[column], rules)


def _fault(column: str, words: Any) -> str | None:
    """Say why a declared column of labels is none; None where it is one."""
    if not _COLUMN.fullmatch(column) or column in _OTHERS:
        return "the column is one of something else"
    if not isinstance(words, list | tuple) or not words:
        return "there are no words"
    if len(words) > MOST_WORDS or len(set(map(str, words))) < len(words):
        return f"there may be {MOST_WORDS} different words"
    odd = [word for word in words if not isinstance(word, str) or not _WORD.fullmatch(word)]
    return f"{listed(odd)} is no word" if odd else None


def _column(table: Table, column: str, words: tuple[str, ...], rules: Rules) -> Iterator[Breach]:
    frame = table.frame
    given = frame[column]
    texts = given.astype(object).where(given.notna(), "").astype(str).str.strip()
    odd = sorted(set(texts[texts != ""]) - set(words))
    if odd:
        values = number_of(len(odd), "label is", names="labels are")
        what = f"{values} not among those that the file declares for {column!r}"
        yield Breach(table.where, what, listed(odd), "labels")
    if rules.numbers:
        return
    leaking = _not_shown(frame, rules) & (texts != "").to_numpy()
    if leaking.any():
        cells = number_of(int(leaking.sum()), "cell")
        what = f"{cells} marked as hidden, with {column} all the same"
        keys = [key for key in ("area_code", "period", "category") if key in frame]
        names = frame.loc[leaking, keys].astype(str).agg(", ".join, axis="columns")
        yield Breach(table.where, what, "; ".join(names[:_EXAMPLES]), "labels")


def _not_shown(frame: pd.DataFrame, rules: Rules) -> Any:
    """Return which rows are marked, or carry no number where they should."""
    marked = np.zeros(len(frame), dtype=bool)
    if "status" in frame:
        marked |= frame["status"].astype(str).str.casefold().isin(_MARKS).to_numpy()
    if "count" in frame and rules.counts_shown:
        marked |= frame["count"].isna().to_numpy()
    return marked
