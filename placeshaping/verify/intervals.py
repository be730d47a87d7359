"""
Counts worked out again from intervals.

How far the upper limit of a rate lies above it depends on the count alone, not
on the population: 5 records give a factor of 2.33, 25 one of 1.48. So a rate
with its interval names its count even where nobody knows how many people live
there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from placeshaping.verify.arithmetic import decimals_of, permitted, span
from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_MOST = 20_000
_Z = 1.959964
_TAIL = 0.025
_EXAMPLES = 3


def check_intervals(contents: Contents, rules: Rules) -> tuple[int, list[Breach]]:
    """
    Find the counts whose 95 % interval is the one that stands beside a rate.

    Both usual intervals are tried: Byar's approximation and the exact one of
    Garwood (1936).

    Parameters
    ----------
    contents
        A file's tables.
    rules
        What it is held to.

    Returns
    -------
    tried
        Intervals that could be turned back into counts.
    breaches
        Tables whose intervals belong to other counts than those shown.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame({"area_code": ["a"], "count": [10], "rate": [6.5], "upper": [12.81]})
    >>> contents = Contents("csv", tables=[Table("t", table)])
    >>> check_intervals(contents, RULES["public"])[1][0].proof
    'a: the interval of the rate 6.5 up to 12.81 is that of 8 records; shown as 10'
    """
    found, tried = [], 0
    for table in contents.tables:
        if {"rate", "upper"} <= set(table.frame.columns):
            usable, breach = _solve(table, rules)
            tried += usable
            found += breach
    return tried, found


def _factors() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest and largest upper limit over its count, for counts from 1 up."""
    count = np.arange(1, _MOST + 1, dtype=float)
    exact = gammaincinv(count + 1, 1 - _TAIL) / count
    more = count + 1
    byar = more * (1 - 1 / (9 * more) + _Z / (3 * np.sqrt(more))) ** 3 / count
    return np.minimum(exact, byar), np.maximum(exact, byar)


def _solve(table: Table, rules: Rules) -> tuple[int, list[Breach]]:
    rate, upper = numbers_of(table.frame["rate"]), numbers_of(table.frame["upper"])
    usable = np.isfinite(rate) & np.isfinite(upper) & (rate > 0) & (upper > rate)
    if not usable.any():
        return 0, []
    lowest, highest = _counts(rate, upper, usable)
    usable &= (lowest <= highest) & (highest < _MOST)
    count = table.frame.get("count")
    shown = np.full(len(rate), np.nan) if count is None else numbers_of(count)
    with np.errstate(invalid="ignore"):
        other = np.isfinite(shown) & ((shown < lowest) | (shown > highest))
    bare = ~np.isfinite(shown) & ~permitted(lowest, highest, rules)
    rows = np.flatnonzero(usable & (other | bare))
    if not len(rows):
        return int(usable.sum()), []
    first = rows[:_EXAMPLES]
    proofs = [
        f"{name}: the interval of the rate {rate[row]:g} up to {upper[row]:g} is that of "
        f"{span(lowest[row], highest[row])} records"
        + (f"; shown as {shown[row]:g}" if np.isfinite(shown[row]) else "")
        for name, row in zip(cell_names(table.frame, first), first, strict=True)
    ]
    intervals = number_of(len(rows), "interval")
    what = f"{intervals} from which a count comes back that the policy hides"
    return int(usable.sum()), [Breach(table.where, what, "; ".join(proofs))]


def _counts(
    rate: NDArray[np.float64], upper: NDArray[np.float64], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest count that fits, as far as the decimals tell."""
    half = 0.5 * 10.0 ** -min(decimals_of(rate[usable]), decimals_of(upper[usable])) + 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        smallest = (upper - half) / (rate + half)
        largest = np.where(rate > half, (upper + half) / (rate - half), np.inf)
    low, high = _factors()
    # both fall with the count: search them upside down
    lowest = _MOST - np.searchsorted(low[::-1], largest, side="right") + 1
    highest = _MOST - np.searchsorted(high[::-1], smallest, side="left")
    return lowest.astype(float), highest.astype(float)
