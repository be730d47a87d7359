"""
What changed between two periods: by area, altogether, and which areas drove it.

Counts of small areas go up and down by chance. Each area's change is tested
given its total (the conditional binomial test of two Poisson counts: Przyborowski
and Wilenski 1940), and the tests are corrected for their number.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from placeshaping._core.checks import (
    check_choice,
    check_labelled,
    check_result,
    check_unique,
    listed,
)
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import Names, name_areas, uncapitalised
from placeshaping.statistics._counts import aligned, check_level, usable_exposure
from placeshaping.statistics.testing import false_discovery_rate

_log = logging.getLogger(__name__)

CHANGES = ("down_99", "down_95", "none", "up_95", "up_99")
"""Classes of change, falls first: the number is the confidence after correction, in per cent."""

MUCH_SPREAD = 1.5
"""Times the variance of chance from which on the Poisson test calls too much a change."""


_WINSORISED_NORMAL = 0.67865
"""Variance of a standard normal law with its outer tenths pulled in."""


def change_between(
    before: pd.Series[float],
    after: pd.Series[float],
    *,
    exposure_before: pd.Series[float] | None = None,
    exposure_after: pd.Series[float] | None = None,
    against: Literal["no change", "overall"] = "no change",
    overdispersion: Literal["none", "scaled"] = "none",
    correction: Literal["fdr"] | None = "fdr",
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Compare the counts of two periods in each area, with intervals.

    Parameters
    ----------
    before, after
        Events of each area, indexed by area code. Periods of unlike length
        need exposures (days, or people times years).
    exposure_before, exposure_after
        People, days or the like behind each count; by default the same.
    against
        What is tested: that the area did not change, or that it changed as
        all areas together did.
    overdispersion
        ``"scaled"`` divides all counts by the spread of the changes over that
        of chance before they are tested (quasi-Poisson), where it is above
        one: recorded crime comes in series, and the Poisson test alone calls
        too much a change.
    correction
        ``"fdr"``: Benjamini and Hochberg over the areas; None: q-values are
        the p-values.
    level
        Confidence level of the intervals.

    Returns
    -------
    change
        Index of `before`; columns ``before``, ``after``, ``difference``,
        ``ratio`` (of rates; after over before), ``lower``, ``upper``,
        ``p_value``, ``q_value`` and ``change`` (one of `CHANGES`). Areas
        without any event in both periods have no ratio and do not count as
        tests. ``attrs``: ``overall`` (before, after, ratio, lower, upper),
        ``dispersion``, ``method``, ``cautions``.

    Raises
    ------
    InputError
        If a number is negative, there are events over an exposure of zero, an
        area has no counterpart in the other period, or one exposure is given
        without the other.
    DuplicateError
        If an area stands twice.
    EmptyError
        If there are no events at all.

    Examples
    --------
    >>> areas = pd.Index(["a", "b", "c"], name="area_code")
    >>> table = change_between(pd.Series([50, 8, 0], areas), pd.Series([90, 6, 0], areas))
    >>> table[["difference", "ratio", "lower", "upper", "change"]].round(2)
               difference  ratio  lower  upper change
    area_code
    a                  40   1.80   1.26   2.60  up_99
    b                  -2   0.75   0.21   2.46   none
    c                   0    NaN    NaN    NaN    NaN
    """
    check_level(level)
    check_choice(against, ["no change", "overall"], name="against")
    check_choice(overdispersion, ["none", "scaled"], name="overdispersion")
    first, second, index = _counts(before, after)
    base = _exposures(first, second, index, exposure_before, exposure_after)
    known = np.isfinite(first) & np.isfinite(second) & np.isfinite(base)
    if not (first + second)[known].sum() > 0:
        msg = "No area has an event in either period: there is no change to tell of."
        raise EmptyError(msg)
    overall, expected = _overall(first, second, base, known)
    dispersion = _dispersion(first, second, base * overall, known)
    scale = max(dispersion, 1.0) if overdispersion == "scaled" else 1.0
    null = overall if against == "overall" else 1.0
    one, two = np.where(known, first, np.nan) / scale, np.where(known, second, np.nan) / scale
    ratio, lower, upper = _ratio_limits(one, two, base, level)
    p_values = _p_values(one, two, base * null)
    q_values = false_discovery_rate(p_values) if correction == "fdr" else p_values
    result = pd.DataFrame(
        {"before": pd.to_numeric(before), "after": pd.to_numeric(after).reindex(index)}, index=index
    )
    result["difference"] = result["after"] - result["before"]
    for name, values in (("ratio", ratio), ("lower", lower), ("upper", upper)):
        result[name] = values
    result["p_value"], result["q_value"] = p_values, q_values
    result["change"] = _classes(ratio > null, q_values)
    one, two = (np.array([total]) / scale for total in expected)
    whole = _ratio_limits(one, two, np.ones(1), level)
    result.attrs = {
        "overall": {
            "before": float(first[known].sum()),
            "after": float(second[known].sum()),
            **dict(zip(("ratio", "lower", "upper"), (float(x[0]) for x in whole), strict=True)),
        },
        "against": against,
        "as_rate": exposure_before is not None,
        "dispersion": dispersion,
        "method": (
            f"Ratio of two Poisson rates given their total, exact interval of {level:.0%}, tested "
            f"against {'the overall change' if against == 'overall' else 'no change'}"
            f"{f', counts divided by {scale:.2f}' if scale > 1 else ''}; "
            f"{'false discovery rate over the areas' if correction else 'not corrected'}."
        ),
        "cautions": tuple(_cautions(known, dispersion, scale)),
    }
    for caution in result.attrs["cautions"]:
        _log.warning("%s", caution)
    return result


def describe_change(
    change: pd.DataFrame,
    *,
    what: str = "recorded crime",
    names: Names | None = None,
    most: int = 3,
) -> str:
    """
    Say in a paragraph what changed, and where.

    Parameters
    ----------
    change
        From `change_between`.
    what
        What was counted: ``"burglaries"``, ``"shoplifting"``.
    names
        Area code -> name; codes stand where there is none.
    most
        How many areas to name, largest change first.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> areas = ["a", "b"]
    >>> print(describe_change(change_between(pd.Series([50, 8], areas), pd.Series([90, 6], areas))))
    Recorded crime rose by 66 % overall, from 58 to 96 (between +18 % and +133 %, allowing ...
    """
    check_result(
        change,
        made_by="change_between",
        columns=["change", "p_value"],
        facts=["overall", "against", "as_rate"],
    )
    overall = change.attrs["overall"]
    lower, upper = (100 * (overall[name] - 1) for name in ("lower", "upper"))
    rate = " as a rate" if change.attrs["as_rate"] else ""
    if lower <= 0 <= upper:
        text = f"There is no clear overall change in {uncapitalised(what)}{rate}"
    else:
        way = "rose" if overall["ratio"] > 1 else "fell"
        size = abs(100 * (overall["ratio"] - 1))
        by = f" by {_percent(size).lstrip('+')}" if np.isfinite(size) else ""
        text = f"{what[:1].upper()}{what[1:]} {way}{by} overall{rate}"
    text += f", from {overall['before']:,.0f} to {overall['after']:,.0f}"
    if np.isfinite(upper):
        text += f" (between {_percent(lower)} and {_percent(upper)}, allowing for chance)"
    return f"{text}. {_named_changes(change, names, most)}"


def _percent(value: float) -> str:
    """Write a change in per cent, with a decimal where it is small."""
    return f"{value:+.0f} %" if abs(value) >= 10 else f"{value:+.1f} %"


def _named_changes(change: pd.DataFrame, names: Names | None, most: int) -> str:
    """Say which areas rose and fell, the largest change first."""
    tested = int(change["p_value"].notna().sum())
    than = " than the whole" if change.attrs["against"] == "overall" else ""
    words = {"up": "rose", "down": "fell"}
    if than:
        words = {"up": "rose more, or fell less,", "down": "fell more, or rose less,"}
    sides = []
    for side, word in words.items():
        found = change[change["change"].isin([f"{side}_95", f"{side}_99"])]
        if found.empty:
            continue
        order = found["difference"].abs().sort_values(ascending=False, kind="stable").index
        largest = found.reindex(order).head(most)
        told = ", ".join(
            f"{name} ({row.before:,.0f} to {row.after:,.0f})"
            for name, row in zip(
                name_areas(largest.index, names), largest.itertuples(), strict=True
            )
        )
        above = "above all " if len(found) > most else ""
        sides.append(
            f"{len(found):,} of {tested:,} areas {word}{than} by more than chance explains, with "
            f"so many areas looked at: {above}{told}."
        )
    if not sides:
        word = "differs from the whole" if than else "changed"
        return f"None of {tested:,} areas {word} by more than chance explains."
    return " ".join(sides)


def _counts(
    before: pd.Series[float], after: pd.Series[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64], pd.Index]:
    for series, name in ((before, "before"), (after, "after")):
        check_labelled(series, name=name)
        check_unique(series.index, where=name)
    extra = after.index[~after.index.isin(before.index)]
    if len(extra):
        msg = (
            f"{len(extra):,} areas of the second period are not in the first "
            f"({listed(list(extra))}). Give both for each area; zero where nothing was recorded."
        )
        raise InputError(msg)
    return aligned(before, after, names=("counts", "later counts"))


def _exposures(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    index: pd.Index,
    before: pd.Series[float] | None,
    after: pd.Series[float] | None,
) -> NDArray[np.float64]:
    """Return the second exposure over the first, of each area."""
    if before is None and after is None:
        return np.ones(len(index))
    if before is None or after is None:
        msg = "One exposure is given without the other. Give exposure_before and exposure_after."
        raise InputError(msg)
    parts = []
    for counts, exposure in ((first, before), (second, after)):
        values = aligned(pd.Series(counts, index), exposure)[1]
        parts.append(usable_exposure(counts, values, index, "raise"))
    return parts[1] / parts[0]


def _overall(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    base: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> tuple[float, tuple[float, float]]:
    """Return the ratio of all areas together, and the counts that it stands on."""
    standing = float((first * base)[known].sum())
    total = float(second[known].sum())
    return (total / standing if standing > 0 else float("inf")), (standing, total)


def _ratio_limits(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    base: NDArray[np.float64],
    level: float,
) -> tuple[NDArray[np.float64], ...]:
    """Return ratios of rates with Clopper and Pearson's limits of the share that is after."""
    tail = (1 - level) / 2
    some = first + second > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        low = np.where(second > 0, special.betaincinv(second, first + 1, tail), 0.0)
        high = np.where(first > 0, special.betaincinv(second + 1, first, 1 - tail), 1.0)
        parts = (second / first, low / (1 - low), high / (1 - high))
        return tuple(np.where(some, part / base, np.nan) for part in parts)


def _share_after(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the events that falls into the second period at these odds."""
    with np.errstate(divide="ignore"):
        return 1 / (1 + 1 / odds)


def _p_values(
    first: NDArray[np.float64], second: NDArray[np.float64], base: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return twice the smaller tail of the share that is after, given the total."""
    share = _share_after(base)
    with np.errstate(invalid="ignore"):
        above = np.where(second > 0, special.betainc(second, first + 1, share), 1.0)
        below = np.where(first > 0, special.betaincc(second + 1, first, share), 1.0)
    p = np.minimum(2 * np.minimum(above, below), 1.0)
    return np.where(first + second > 0, p, np.nan)


def _dispersion(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    odds: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> float:
    """
    Return how many times the variance of chance the changes have, about the overall one.

    The spread of Pearson's residuals, those of the outer tenths pulled in (and
    the whole rescaled as for a normal law), so that areas that did change do
    not hide themselves; the plain one where that is smaller, as with few events.
    """
    total = first + second
    share = _share_after(odds)
    used = known & (total > 0) & (share > 0) & (share < 1)
    if used.sum() < 2:
        return 1.0
    residual = (second - total * share)[used] / np.sqrt((total * share * (1 - share))[used])
    freedom = used.sum() - 1
    plain = float((residual**2).sum() / freedom)
    pulled = np.clip(residual, *np.quantile(residual, [0.1, 0.9]))
    return min(plain, float((pulled**2).sum() / freedom / _WINSORISED_NORMAL))


def _classes(up: NDArray[np.bool_], q_values: NDArray[np.float64]) -> Any:
    steps = (q_values < 0.05).astype(int) + (q_values < 0.01)
    codes = np.where(np.isfinite(q_values), 2 + np.where(up, steps, -steps), -1)
    return pd.Categorical.from_codes(codes, pd.Index(CHANGES), ordered=True)


def _cautions(known: NDArray[np.bool_], dispersion: float, scale: float) -> Iterator[str]:
    lost = int((~known).sum())
    if lost:
        yield f"{lost:,} of {len(known):,} areas lack a count or an exposure and are left out."
    if dispersion > MUCH_SPREAD and scale == 1:
        yield (
            f"Changes vary {dispersion:.1f} times as much as chance alone would have it, so that "
            "some areas will seem changed that are not. Pass overdispersion='scaled'."
        )
