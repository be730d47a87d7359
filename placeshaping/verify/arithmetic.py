"""
Counts worked out again from rates.

A rate times the people it was worked out over, times the years, is the count.
Where that gives anything but the count that stands beside it, the rate was
worked out from the true one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_PER = 1000.0
_MOST_DECIMALS = 6
_EXAMPLES = 3
_GUESS_FAILED = 0.2
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def check_rates(
    contents: Contents, rules: Rules, *, known: pd.DataFrame | None = None
) -> tuple[int, list[Breach]]:
    """
    Multiply every rate by its denominator, and compare with the count.

    Parameters
    ----------
    contents
        A file's tables, with its periods and denominators where it has them.
    rules
        What it is held to.
    known
        Residents and households by area code that are public, though the file
        does not hold them.

    Returns
    -------
    tried
        Rates that could be turned back into counts.
    breaches
        Tables whose rates give away other counts than those shown.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame({"area_code": ["a"], "residents": [1500], "rate": [2.0]})
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> check_rates(contents, RULES["public"])[1][0].proof
    'a: rate 2 x 1,500 residents x 1 year / 1,000 = 3.00, so the count is 3'
    """
    found, tried = [], 0
    people = people_of(contents, known)
    for table in contents.tables:
        if "rate" not in table.frame:
            continue
        for exposure, guessed in _exposures(table, contents, people):
            usable, breach = _recovered(table, exposure, rules, guessed=guessed)
            tried += usable
            if breach:
                found.append(breach)
            if usable:
                break
    return tried, found


def years_of(label: str) -> float | None:
    """
    Return the length that a period's label tells, in years; None where it tells none.

    Examples
    --------
    >>> years_of("2023 to 2025"), years_of("Mar 2025"), years_of("2025 (Jan to Mar)")
    (3.0, 0.08333333333333333, 0.25)
    >>> years_of("2024 Q2"), years_of("Oct 2024 to Mar 2025"), years_of("winter")
    (0.25, 0.5, None)
    """
    text = label.casefold()
    years = [int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", text)]
    if not years:
        return None
    if re.search(r"\bq[1-4]\b", text):
        return 0.25
    months = [_MONTHS.index(m) for m in re.findall(r"\b(" + "|".join(_MONTHS) + r")[a-z]*\b", text)]
    if not months:
        return float(years[-1] - years[0] + 1)
    span = (years[-1] - years[0]) * 12 + months[-1] - months[0] + 1
    return span / 12 if span > 0 else None


def people_of(contents: Contents, known: pd.DataFrame | None = None) -> pd.DataFrame:
    """
    Collect residents and households of every area that the file names, or anybody knows.

    Examples
    --------
    >>> people_of(Contents("csv"), pd.DataFrame({"residents": [1500.0]}, index=["E01000001"]))
               residents
    E01000001     1500.0
    """
    parts = []
    for table in contents.tables:
        columns = [c for c in ("residents", "households") if c in table.frame]
        if columns and "area_code" in table.frame:
            part = pd.DataFrame({c: numbers_of(table.frame[c]) for c in columns})
            parts.append(part.set_axis(table.frame["area_code"].astype(str)))
    if not parts:
        return pd.DataFrame() if known is None else known
    everybody = pd.concat(parts)
    everybody = everybody[~everybody.index.duplicated()]
    return everybody if known is None else everybody.combine_first(known)


def _exposures(
    table: Table, contents: Contents, people: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, bool]]:
    """Yield, for each row, what its rate may have been worked out over; best guess first."""
    frame = table.frame
    if "exposure" in frame:
        amount = numbers_of(frame["exposure"])
        yield pd.DataFrame({"people": amount, "years": 1.0, "name": "person-years"}), False
        return
    if "area_code" not in frame or people.empty:
        return
    found = people.reindex(frame["area_code"].astype(str))
    years, guessed = _years(frame, contents)
    names = _denominators(frame, contents, people)
    amount = np.full(len(frame), np.nan)
    for name in people.columns:
        amount = np.where(names == name, found[name].to_numpy(), amount)
    yield pd.DataFrame({"people": amount, "years": years, "name": names}), guessed


def _years(frame: pd.DataFrame, contents: Contents) -> tuple[NDArray[np.float64], bool]:
    if "period" in frame:
        labels = frame["period"].astype(str)
        known = {label: contents.periods.get(label, years_of(label)) for label in labels.unique()}
        found = labels.map(known).to_numpy(dtype="float64", na_value=np.nan)
        return np.where(np.isnan(found), 1.0, found), bool(np.isnan(found).any())
    first = next(iter(contents.periods.values()), None)
    return np.full(len(frame), 1.0 if first is None else first), first is None


def _denominators(
    frame: pd.DataFrame, contents: Contents, people: pd.DataFrame
) -> NDArray[np.object_]:
    usual = "residents" if "residents" in people else str(people.columns[0])
    if not contents.denominators:
        return np.full(len(frame), usual, dtype=object)
    if "category" in frame:
        names = frame["category"].astype(str).map(contents.denominators)
        return names.to_numpy(dtype=object)
    return np.full(len(frame), next(iter(contents.denominators.values())), dtype=object)


def _recovered(
    table: Table, exposure: pd.DataFrame, rules: Rules, *, guessed: bool
) -> tuple[int, Breach | None]:
    frame = table.frame
    rate = numbers_of(frame["rate"])
    amount = (exposure["people"] * exposure["years"]).to_numpy(dtype="float64") / _PER
    usable = np.isfinite(rate) & np.isfinite(amount) & (amount > 0)
    if not usable.any():
        return 0, None
    count = rate * amount
    people = exposure["people"].to_numpy(dtype="float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        slack = 0.5 * 10.0 ** -decimals_of(rate[usable]) * amount + count * 0.5 / people + 1e-6
    lowest, highest = np.ceil(count - slack), np.floor(count + slack)
    whole = lowest <= highest
    if guessed and not whole[usable].mean() > 1 - _GUESS_FAILED:
        return 0, None
    shown = numbers_of(frame["count"]) if "count" in frame else np.full(len(frame), np.nan)
    with np.errstate(invalid="ignore"):
        other = np.isfinite(shown) & (np.abs(count - shown) > slack)
        bare = ~np.isfinite(shown) & whole & ~permitted(lowest, highest, rules)
    leaking = usable & (other | bare)
    if not leaking.any():
        return int(usable.sum()), None
    rows = np.flatnonzero(leaking)[:_EXAMPLES]
    names = cell_names(frame, rows)
    proofs = [
        f"{name}: rate {rate[row]:g} x {people[row]:,.0f} {exposure['name'].iloc[row]} x "
        f"{_years_in_words(exposure['years'].iloc[row])} / 1,000 = {count[row]:.2f}, so "
        f"the count is {span(lowest[row], highest[row])}"
        + (f"; shown as {shown[row]:g}" if np.isfinite(shown[row]) else "")
        for name, row in zip(names, rows, strict=True)
    ]
    rates = number_of(int(leaking.sum()), "rate")
    what = f"{rates} from which a count comes back that the policy hides"
    return int(usable.sum()), Breach(table.where, what, "; ".join(proofs))


def _years_in_words(years: float) -> str:
    return "1 year" if years == 1 else f"{years:.4g} years"


def span(lowest: float, highest: float) -> str:
    """
    Write the counts from `lowest` to `highest`.

    Examples
    --------
    >>> span(3, 3), span(3, 4)
    ('3', '3 to 4')
    """
    if lowest > highest:
        return "another"
    return f"{lowest:.0f}" if lowest == highest else f"{lowest:.0f} to {highest:.0f}"


def decimals_of(numbers: NDArray[np.float64]) -> int:
    """
    Return the decimals that some numbers are given to.

    Examples
    --------
    >>> decimals_of(np.array([1.0, 2.25]))
    2
    """
    for decimals in range(_MOST_DECIMALS):
        if np.allclose(numbers, np.round(numbers, decimals), rtol=0, atol=1e-9):
            return decimals
    return _MOST_DECIMALS


def permitted(
    lowest: NDArray[np.float64], highest: NDArray[np.float64], rules: Rules
) -> NDArray[np.bool_]:
    """
    Tell whether a count that may be shown lies in each span.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> permitted(np.array([3.0, 9.0]), np.array([4.0, 11.0]), RULES["councillor"]).tolist()
    [False, True]
    """
    smallest = rules.multiple * np.ceil(rules.threshold / rules.multiple)
    multiple = rules.multiple * np.floor(highest / rules.multiple)
    zero = rules.zeros_shown & (lowest <= 0)
    return np.asarray(zero | ((multiple >= lowest) & (multiple >= smallest)))
