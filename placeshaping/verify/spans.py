"""Spans of months: what a period's label says, and how spans lie in one another."""

from __future__ import annotations

import re

Span = tuple[int, int]
"""First and last month, as months since year 0."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")
_MONTH = re.compile(r"\b(" + "|".join(_MONTHS) + r")[a-z]*\b")
_QUARTER = re.compile(r"\bq([1-4])\b")
_ISO = re.compile(r"\b((?:19|20)\d\d)-(0[1-9]|1[0-2])\b")


def span_of(label: str) -> Span | None:
    """
    Return the months that a period's label names; None where it names none for certain.

    Examples
    --------
    >>> def told(label):
    ...     span = span_of(label)
    ...     return span and tuple(f"{m // 12}-{m % 12 + 1:02}" for m in span)
    >>> told("2023 to 2025"), told("Mar 2025"), told("2024 Q2")
    (('2023-01', '2025-12'), ('2025-03', '2025-03'), ('2024-04', '2024-06'))
    >>> told("2025 (Jan to Mar)"), told("Oct 2024 to Mar 2025"), told("2025-03")
    (('2025-01', '2025-03'), ('2024-10', '2025-03'), ('2025-03', '2025-03'))
    >>> span_of("winter") is None
    True
    """
    text = label.casefold()
    iso = [int(year) * 12 + int(month) - 1 for year, month in _ISO.findall(text)]
    if iso:
        return (iso[0], iso[-1]) if iso[0] <= iso[-1] and len(iso) <= 2 else None
    years = [int(year) for year in _YEAR.findall(text)]
    if not years or len(years) > 2:
        return None
    quarters = [int(quarter) for quarter in _QUARTER.findall(text)]
    if quarters:
        first = years[0] * 12 + 3 * (quarters[0] - 1)
        return (first, years[-1] * 12 + 3 * (quarters[-1] - 1) + 2)
    months = [_MONTHS.index(month) for month in _MONTH.findall(text)]
    if len(months) > 2 or (len(years) == 2 and len(months) == 1):
        return None
    first = years[0] * 12 + (months[0] if months else 0)
    last = years[-1] * 12 + (months[-1] if months else 11)
    return (first, last) if first <= last else None


def month_number(text: object) -> int | None:
    """
    Return the number of a month that is written as a date or as year and month.

    Examples
    --------
    >>> month_number("2025-03"), month_number("2025-03-01") == month_number("2025-03")
    (24302, True)
    >>> month_number(None) is None
    True
    """
    found = _ISO.match(str(text)[:7])
    return None if found is None else int(found.group(1)) * 12 + int(found.group(2)) - 1


def span_name(span: Span) -> str:
    """
    Write a span as a reader would.

    Examples
    --------
    >>> span_name((24300, 24311)), span_name((24300, 24300)), span_name((24300, 24301))
    ('2025', 'Jan 2025', 'Jan 2025 to Feb 2025')
    """
    first, last = span
    if first % 12 == 0 and last % 12 == 11:
        years = first // 12, last // 12
        return f"{years[0]}" if years[0] == years[1] else f"{years[0]} to {years[1]}"
    ends = [f"{_MONTHS[month % 12].title()} {month // 12}" for month in (first, last)]
    return ends[0] if first == last else " to ".join(ends)
