"""Months in words, as a sentence has them: "March and April 2019"."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from placeshaping.statistics.views import PeriodView

_MONTH = r"(?<![\w/.-])\d{4}-(?:0[1-9]|1[0-2])(?![-\w/])(?!\.\w)"
_MONTHS = re.compile(rf"{_MONTH}(?:, {_MONTH})*(?: and {_MONTH})?")


def period_words(period: PeriodView) -> str:
    """
    Write a period as months: ``"January 2023 to December 2025"``.

    Parameters
    ----------
    period
        What is shown as one.

    Returns
    -------
    words
        One month alone where there is but one; where months are missing, how
        many there are, and how many are missing.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", "2024-05-01", freq="MS")
    >>> from placeshaping.statistics.views import make_periods
    >>> period_words(make_periods(months)[0])
    'January 2024 to May 2024'
    >>> period_words(make_periods(months[[0, 3, 4]])[0])
    '3 months between January 2024 and May 2024 (2 missing)'
    """
    first, last = f"{period.first:%B %Y}", f"{period.last:%B %Y}"
    if first == last:
        return first
    lost = (period.last.year - period.first.year) * 12 + period.last.month - period.first.month + 1
    lost -= period.months
    if lost > 0:
        return f"{period.months:,} months between {first} and {last} ({lost:,} missing)"
    return f"{first} to {last}"


def month_words(text: str) -> str:
    """
    Write months in a sentence as words; file names stay as they are.

    Parameters
    ----------
    text
        A sentence, with months as ``2019-03``.

    Returns
    -------
    text
        Months that follow one another are drawn together.

    Examples
    --------
    >>> month_words("There are no records of Essex for 2019-03, 2019-04.")
    'There are no records of Essex for March and April 2019.'
    >>> month_words("2019-11, 2019-12, 2020-01, 2020-07 and 3 more; see 2019-03-essex.csv")
    'November 2019 to January 2020, July 2020 and 3 more; see 2019-03-essex.csv'
    """
    return _MONTHS.sub(lambda found: _listed(re.findall(_MONTH, found.group(0))), text)


def _listed(months: Sequence[str]) -> str:
    runs: list[list[pd.Period]] = []
    for month in (pd.Period(month, freq="M") for month in months):
        if runs and month == runs[-1][-1] + 1:
            runs[-1].append(month)
        else:
            runs.append([month])
    return ", ".join(_run_words(run) for run in runs)


def _run_words(run: Sequence[pd.Period]) -> str:
    first, last = run[0], run[-1]
    if len(run) == 1:
        return str(first.strftime("%B %Y"))
    start = first.strftime("%B") if first.year == last.year else first.strftime("%B %Y")
    between = "and" if len(run) == 2 else "to"
    return f"{start} {between} {last.strftime('%B %Y')}"
