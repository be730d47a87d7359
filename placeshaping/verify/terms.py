"""The terms under which a file may be used, and shares that tell of everybody or of one."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from placeshaping.verify.cells import cell_names, count_columns, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_SHARE = re.compile(
    r"(?i)%|\b(?:pct|percent(?:age)?|share|proportion)\b|(?:^|_)(?:pct|share)(?:_|$)"
)
_LARGEST = "largest_share"
_RATES = ("rate", "lower", "upper", "rate_smoothed")
_HUNDRED = 100.0


def check_terms(contents: Contents, rules: Rules, *, today: dt.date | None) -> Iterator[Breach]:
    """
    Look whether a file says until when and for what it may be used, and whether it still may.

    Parameters
    ----------
    contents
        A file.
    rules
        What it is held to.
    today
        The date to judge by; None leaves the expiry unjudged.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> file = Contents("csv", declaration={"policy": "police", "expires": "2026-01-31"})
    >>> for breach in check_terms(file, RULES["police"], today=dt.date(2026, 2, 1)):
    ...     print(breach.what, breach.proof)
    has expired 2026-01-31 is before 2026-02-01
    """
    said: Mapping[str, Any] = contents.declaration or {}
    expires = _date(said.get("expires"))
    if rules.expiry_needed and said and expires is None:
        what = f"does not say until when it may be used, which {rules.policy!r} demands"
        yield Breach("declaration", what, f"expires: {said.get('expires')}", "terms")
    if expires is not None and today is not None and expires < today:
        yield Breach("declaration", "has expired", f"{expires} is before {today}", "terms")
    if rules.map_shareable is False and contents.draws:
        what = f"is a map, which {rules.policy!r} does not let anybody pass on"
        yield Breach("file", what, attack="terms")
    if not rules.counts_shown:
        for table in contents.tables:
            yield from _counts_in(table)


def _date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _counts_in(table: Table) -> Iterator[Breach]:
    """Look for counts and rates where classes alone may leave."""
    if not table.frame.columns.is_unique:
        return
    rates = [name for name in _RATES if name in table.frame]
    for column in [*count_columns(table.frame.columns), *rates]:
        known = np.isfinite(numbers_of(table.frame[column]))
        if known.any():
            cells = number_of(int(known.sum()), "number")
            what = f"{cells} in {column!r}, where only classes and ranks may leave"
            yield Breach(table.where, what, "; ".join(cell_names(table.frame, known)), "counts")


def check_shares(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look for shares that tell of everybody in an area, or of nobody, or mostly of one.

    Where a count of zero may be shown, a share of zero may be, too.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame({"area_code": ["a", "b"], "percent": [100, 45.5]})
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> [breach.proof for breach in check_shares(contents, RULES["councillor"])]
    ['a: percent 100']
    """
    if not rules.protects:
        return
    for table in contents.tables:
        frame = table.frame
        if not frame.columns.is_unique or "area_code" not in frame:
            continue
        for column in frame.columns:
            if str(column) == _LARGEST:
                yield from _dominated(table, rules)
            elif _SHARE.search(str(column)):
                yield from _whole(table, str(column), rules)


def _whole(table: Table, column: str, rules: Rules) -> Iterator[Breach]:
    share = numbers_of(table.frame[column])
    known = np.isfinite(share)
    if not known.any():
        return
    full = _HUNDRED if share[known].max() > 1 else 1.0
    telling = known & (share >= full)
    if not rules.zeros_shown:
        telling |= known & (share <= 0)
    if telling.any():
        names = cell_names(table.frame, telling)
        proof = "; ".join(
            f"{name}: {column} {value:g}"
            for name, value in zip(names, share[telling], strict=False)
        )
        areas = number_of(int(telling.sum()), "share")
        what = f"{areas} in {column!r} of none or of all, which tells of everybody there"
        yield Breach(table.where, what, proof, "shares")


def _dominated(table: Table, rules: Rules) -> Iterator[Breach]:
    """Look for values of which one contributor has too large a share."""
    share = numbers_of(table.frame[_LARGEST])
    if rules.dominance is None:
        return
    most = rules.dominance * (_HUNDRED if np.nanmax(share, initial=0.0) > 1 else 1.0)
    with np.errstate(invalid="ignore"):
        over = share > most
    if over.any():
        values = number_of(int(over.sum()), "value")
        what = f"{values} of which one contributor has more than {rules.dominance:.0%}"
        yield Breach(table.where, what, "; ".join(cell_names(table.frame, over)), "dominance")
