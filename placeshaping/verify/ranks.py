"""
Counts from the place that an area has among others.

A hidden area that stands between two shown ones, in the order of the rows or
by a rank, has a rate between theirs; with the people who live there, which
anybody can look up, that is a span of counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Contents
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, Finding, number_of

_RANK = re.compile(r"(?i)^(?:rank|position|place|order|quintile|quartile|decile|tertile|class)$")
_ROWS = "the order of the rows"
_FEWEST = 8
_EXAMPLES = 3
_PER = 1000.0

Floats = NDArray[np.float64]


def check_ranks(contents: Contents, rules: Rules, people: pd.DataFrame) -> Iterator[Breach]:
    """
    Look for hidden cells whose rank or place among the rows bounds their count.

    Parameters
    ----------
    contents
        A file's tables.
    rules
        What it is held to.
    people
        Indexed by area code: residents, households.

    Examples
    --------
    >>> from placeshaping.verify.contents import Table
    >>> from placeshaping.verify.rules import RULES
    >>> codes = [f"E0190000{n}" for n in range(9)]
    >>> table = pd.DataFrame({
    ...     "area_code": codes, "count": [None, 5, 5, 10, 10, 20, 25, 30, 40],
    ...     "rate": [None, 5, 5, 10, 10, 20, 25, 30, 40], "rank": range(9),
    ... })
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> people = pd.DataFrame({"residents": 400.0}, index=codes)
    >>> [breach.proof for breach in check_ranks(contents, RULES["councillor"], people)]
    ['E01900000: ranked by rank next to rates of at most 5, so with 400 people its count is 1 to 2']
    """
    for table in contents.tables:
        frame = table.frame
        if table.written_for_readers or not frame.columns.is_unique:
            continue
        if not {"area_code", "count"} <= set(frame.columns) or not len(frame):
            continue
        keys = [c for c in ("period", "category") if c in frame]
        groups = (
            (part for _, part in frame.groupby(keys, sort=False, observed=True))
            if keys
            else (frame,)
        )
        findings = [found for part in groups for found in _bounded(part, rules, people, contents)]
        if findings:
            counts = number_of(len(findings), "hidden count")
            what = f"{counts} from ranks, narrower than the mark says"
            proof = "; ".join(finding.proof for finding in findings[:_EXAMPLES])
            yield Breach(table.where, what, proof, "ranks", tuple(findings))


def _bounded(
    part: pd.DataFrame, rules: Rules, people: pd.DataFrame, contents: Contents
) -> Iterator[Finding]:
    count = numbers_of(part["count"])
    hidden = ~np.isfinite(count)
    if "status" in part:
        hidden &= (part["status"].astype(str).str.casefold() == "hidden").to_numpy()
    if not hidden.any() or (~hidden).sum() < _FEWEST - 1:
        return
    size = _size(part, people, contents)
    values = {"rate": numbers_of(part["rate"]) if "rate" in part else count / size * _PER,
              "count": count}  # fmt: skip
    for name, rank in _rankings(part):
        for measure, value in values.items():
            told = _between(rank, value, hidden, in_order=name == _ROWS)
            if told is None:
                continue
            yield from _narrow(part, hidden, told, size, rules, (name, measure))
            return


def _size(part: pd.DataFrame, people: pd.DataFrame, contents: Contents) -> Floats:
    """Return people times years for each row; missing where nobody knows."""
    if "residents" in part:
        size = numbers_of(part["residents"])
    elif "residents" in people:
        size = people["residents"].reindex(part["area_code"].astype(str)).to_numpy(float)
    else:
        size = np.full(len(part), np.nan)
    if "period" in part and contents.periods:
        size = size * contents.periods.get(str(part["period"].iloc[0]), 1.0)
    return np.asarray(size, dtype=np.float64)


def _rankings(part: pd.DataFrame) -> Iterator[tuple[str, Floats]]:
    """Yield everything that ranks the rows: columns of ranks and classes, and their order."""
    for column in part.columns:
        if _RANK.match(str(column)):
            rank = numbers_of(part[column])
            if np.isfinite(rank).all():
                yield str(column), rank
    yield _ROWS, np.arange(len(part), dtype=float)


def _between(
    rank: Floats, value: Floats, hidden: NDArray[np.bool_], *, in_order: bool
) -> tuple[Floats, Floats] | None:
    """Return the least and the most that each hidden row's value may be, if ranks tell."""
    shown = ~hidden & np.isfinite(value)
    fewest = _FEWEST if in_order else _FEWEST // 2
    if shown.sum() < _FEWEST - 1 or len(np.unique(value[shown])) < fewest:
        return None
    for sign in (1.0, -1.0):
        place = sign * rank
        known = np.lexsort((value, place))
        known = known[shown[known]]
        steps, further = np.diff(value[known]), np.diff(place[known]) > 0
        outside = (place[hidden] > place[shown].max()) | (place[hidden] < place[shown].min())
        if (steps[further] < 0).any() or (in_order and outside.all()):
            continue  # in a table that is sorted, hidden rows stand at an end together
        least = [value[shown & (place < p)].max(initial=0.0) for p in place[hidden]]
        most = [value[shown & (place > p)].min(initial=np.inf) for p in place[hidden]]
        return np.array(least), np.array(most)
    return None


def _narrow(
    part: pd.DataFrame,
    hidden: NDArray[np.bool_],
    told: tuple[Floats, Floats],
    size: Floats,
    rules: Rules,
    words: tuple[str, str],
) -> Iterator[Finding]:
    """Yield the hidden rows that are certain to be small, and narrower than their mark."""
    name, measure = words
    rows = np.flatnonzero(hidden)
    factor = size[rows] / _PER if measure == "rate" else np.ones(len(rows))
    smallest, largest = rules.smallest_hidden, rules.threshold - 1
    half = rules.half if measure == "count" else 0.0
    with np.errstate(invalid="ignore"):
        least = np.maximum(np.ceil(told[0] * factor - half - 1e-6), smallest)
        most = np.floor(told[1] * factor + half + 1e-6)
        found = (most >= least) & (most <= largest) & ((most < largest) | (least > smallest))
    for row in np.flatnonzero(found):
        cell = cell_names(part, rows[row : row + 1])[0]
        span = f"{least[row]:.0f}" + (f" to {most[row]:.0f}" if most[row] > least[row] else "")
        people = f"with {size[rows[row]]:,.0f} people " if measure == "rate" else ""
        yield Finding(
            cell,
            f"{cell}: ranked by {name} next to {measure}s of at most {told[1][row]:g}, so {people}"
            f"its count is {span}",
        )
