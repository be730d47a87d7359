"""
Residents of a patrol layer's burden audit, as an attacker looks at them.

The record tells of groups of residents of a whole district; a group of few, or
a number to the last resident, would tell of people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import numpy as np

from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_LIMITS = ("lower", "upper", "per_crime_ratio", "per_crime_lower", "per_crime_upper")


def check_residents(record: Mapping[str, Any], rules: Rules) -> Iterator[Breach]:
    """
    Look for groups of few residents, and for shares that would give their numbers back.

    Parameters
    ----------
    record
        A transparency record; its burdens and their changes are looked at.
    rules
        What it is held to.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> few = {"audit": {"burdens": {"ethnic group": [{"group": "Other", "residents": 3}]}}}
    >>> [breach.what for breach in check_residents(few, RULES["councillor"])]
    ['1 number of residents under 5 or not rounded to 5']
    """
    audit = record.get("audit")
    tables = (audit.get("burdens") or {}) if isinstance(audit, dict) else {}
    for kind, table in tables.items() if isinstance(tables, dict) else ():
        rows = [row for row in table if isinstance(row, dict)] if isinstance(table, list) else []
        numbers = {
            f"{row.get('group')}: {key} {row[key]:g}": float(row[key])
            for row in rows
            for key in ("residents", "flagged_residents")
            if is_number(row.get(key))
        }
        bad = [told for told, number in numbers.items() if number and tells(number, rules)]
        if bad:
            many = number_of(len(bad), "number of residents", names="numbers of residents")
            what = f"{many} under {rules.threshold} or not rounded to {rules.rounding}"
            yield Breach(f"burden by {str(kind)[:40]}", what, "; ".join(bad[:3]), "counts")
        yield from _shares_of(f"burden by {str(kind)[:40]}", rows)
    yield from _changes(audit)


def _shares_of(where: str, rows: list[dict[str, Any]]) -> Iterator[Breach]:
    """Look for shares and ratios that do not come from the rounded numbers beside them."""
    wholes = {key: sum(float(row[key]) for row in rows if is_number(row.get(key)))
              for key in ("residents", "flagged_residents")}  # fmt: skip
    for row in rows:
        parts = {}
        for key, whole in wholes.items():
            number = row.get(key)
            parts[key] = float(number) / whole if is_number(number) and whole else np.nan
        share, flagged = parts["residents"], parts["flagged_residents"]
        wanted = {"share": share, "flagged_share": flagged,
                  "burden_ratio": flagged / share if share else np.nan}  # fmt: skip
        for key, value in wanted.items():
            if is_number(row.get(key)) and not np.isclose(row[key], value, rtol=1e-4, atol=1e-5):
                what = "tells a share that is not worked out from rounded numbers of residents"
                yield Breach(where, what, f"{row.get('group')}: {key} {row[key]:g}", "shares")
                return
        exact = [key for key in _LIMITS if _is_exact(row.get(key))]
        if exact:
            what = "tells a limit of an interval too exactly"
            yield Breach(where, what, f"{row.get('group')}: {exact[0]} {row[exact[0]]:g}", "shares")
            return


def _changes(audit: object) -> Iterator[Breach]:
    """Look for burdens of former releases that are told more exactly than to a hundredth."""
    drifts = audit.get("drifts") if isinstance(audit, dict) else None
    for kind, table in drifts.items() if isinstance(drifts, dict) else ():
        for row in table if isinstance(table, list) else ():
            exact = [key for key in row if _is_exact(row[key])] if isinstance(row, dict) else []
            if exact:
                what = "tells the burden of a release too exactly"
                yield Breach(f"change by {str(kind)[:40]}", what, f"{row[exact[0]]:g}", "shares")
                return


def _is_exact(value: object) -> bool:
    return is_number(value) and not np.isclose(value, round(value, 2), atol=1e-9)


def tells(count: float, rules: Rules) -> bool:
    """
    Tell whether a number is one that the rules keep back: small, or not rounded.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> [tells(number, RULES["councillor"]) for number in (4, 5, 7)]
    [True, False, True]
    """
    if not rules.counts_shown:
        return True
    return count < rules.threshold or (bool(rules.rounding) and count % rules.rounding != 0)


def is_number(value: object) -> TypeGuard[float]:
    """
    Tell whether a value of a record is a number.

    Examples
    --------
    >>> is_number(3), is_number(True), is_number("3")
    (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)
