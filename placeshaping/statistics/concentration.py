"""
How unequally events fall: Gini, Lorenz curves, and the concentration index.

The Gini coefficient says how unequal areas are, whoever lives there. The
concentration index asks whether what is counted falls on the deprived: it is
the same area under a curve, with the areas in the order of deprivation
(Kakwani, Wagstaff and van Doorslaer 1997). `slope_index` and `decile_table`
stand in `inequality`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.checks import check_choice, check_labelled, check_result, check_unique
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import uncapitalised
from placeshaping.statistics._counts import aligned, check_level, usable_exposure
from placeshaping.statistics.inequality import SlopeIndex

_log = logging.getLogger(__name__)


UNBOUNDED = 1000.0
"""A ratio's upper limit from here on is no number to tell."""


@dataclass(frozen=True)
class ConcentrationIndex:
    """
    How far events fall on the deprived, from -1 to 1.

    Attributes
    ----------
    index
        Below zero: the deprived have more than their share. Zero: no gradient.
    standard_error, lower, upper
        Its standard error, and the interval by the normal law.
    level
        Confidence level of the interval.
    interval
        What the interval holds: ``"areas"`` or ``"sampling"``.
    """

    index: float
    standard_error: float
    lower: float
    upper: float
    level: float
    interval: str


def lorenz_curve(
    count: pd.Series[float],
    exposure: pd.Series[float],
    *,
    by: pd.Series[float] | None = None,
) -> pd.DataFrame:
    """
    Add events up over people, from the most deprived area (or the lowest rate) on.

    Parameters
    ----------
    count
        Events of each area, indexed by area code.
    exposure
        Residents, households or the like of each area.
    by
        Deprivation rank or decile, 1 = most deprived: the curve is a
        concentration curve. Areas of equal rank make one step. By default the
        areas' own rates: the Lorenz curve.

    Returns
    -------
    curve
        One row a step, a first row of zeros: ``people`` and ``events``, shares
        of the whole up to and including the step, and ``areas`` (in the step).
        Tagged as `by` is. ``attrs["left_out_areas"]`` counts
        areas without count, exposure or rank.

    Raises
    ------
    InputError
        If a number is negative, there are events over an exposure of zero, or
        the indexes do not match.
    EmptyError
        If there are no events or nobody.

    Examples
    --------
    >>> areas = ["a", "b", "c"]
    >>> count, people = pd.Series([6, 3, 1], areas), pd.Series([10, 10, 20], areas)
    >>> lorenz_curve(count, people, by=pd.Series([1, 2, 3], areas))
       people  events  areas
    0    0.00     0.0      0
    1    0.25     0.6      1
    2    0.50     0.9      1
    3    1.00     1.0      1
    """
    events, people, key, left_out = _ordered(count, exposure, by)
    steps, step = np.unique(key, return_inverse=True)
    sums = [np.bincount(step, values, len(steps)) for values in (people, events)]
    curve = pd.DataFrame(
        {
            name: np.concatenate([[0.0], np.cumsum(values) / values.sum()])
            for name, values in zip(("people", "events"), sums, strict=True)
        }
    )
    curve["areas"] = np.concatenate([[0], np.bincount(step, minlength=len(steps))])
    curve.attrs["left_out_areas"] = left_out
    tag = column_tags(by).get(str(by.name)) if by is not None else None
    if tag is not None:
        tag_columns(curve, dict.fromkeys(curve.columns, tag))
    return curve


def gini(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """
    Work out the Gini coefficient: 0 where all have the same, near 1 where one has all.

    Parameters
    ----------
    values
        Counts of areas, or of street segments. With `weights`: events of each
        area over its weight.
    weights
        People of each area; by default areas count alike.

    Returns
    -------
    gini
        Missing (NaN) where there is nothing to share out.

    Raises
    ------
    InputError
        If a number is negative, or there are events over a weight of zero.

    Examples
    --------
    >>> gini([1, 1, 1, 1]), gini([0, 0, 0, 8])
    (0.0, 0.75)
    """
    counts, people, index = aligned(
        values, np.ones(np.size(np.asarray(values))) if weights is None else weights
    )
    people = usable_exposure(counts, people, index, "raise")
    known = np.isfinite(counts) & np.isfinite(people)
    counts, people = counts[known], people[known]
    if not counts.sum() > 0:
        return float("nan")
    order = np.argsort(counts / people, kind="stable")
    return max(float(1 - _twice_the_area(counts[order], people[order])), 0.0)


def concentration_index(
    count: pd.Series[float],
    exposure: pd.Series[float],
    rank: pd.Series[float],
    *,
    level: float = 0.95,
    interval: Literal["areas", "sampling"] = "areas",
) -> ConcentrationIndex:
    """
    Work out how far events fall on the deprived.

    Parameters
    ----------
    count
        Events of each area (or each decile), indexed by code.
    exposure
        Residents, households or the like.
    rank
        Deprivation rank or decile, 1 = most deprived; equal ranks are one group.
    level
        Confidence level of the interval.
    interval
        ``"areas"``: as if the areas were drawn from many like them (Kakwani
        et al. 1997, with the number of groups); it holds what clustering adds.
        ``"sampling"``: the Poisson error of the counts alone; too narrow where
        one event brings others.

    Returns
    -------
    index
        With its standard error and interval.

    Raises
    ------
    InputError
        If a number is negative, there are events over an exposure of zero, or
        the indexes do not match.
    EmptyError
        If there are no events, or fewer than three groups.

    Examples
    --------
    >>> groups = pd.Index(range(1, 6), name="quintile")
    >>> births = pd.Series([29939, 28776, 26528, 24689, 19739], groups)
    >>> deaths = pd.Series([154.7, 152.9, 119.5, 86.9, 54.3], groups) * births / 1000
    >>> found = concentration_index(deaths, births, pd.Series(groups, groups))
    >>> round(found.index, 4)
    -0.1694
    """
    check_level(level)
    check_choice(interval, ["areas", "sampling"], name="interval")
    events, people, key, left_out = _ordered(count, exposure, rank)
    if left_out:
        _log.warning("%s areas lack a count, an exposure or a rank: left out.", left_out)
    steps, step = np.unique(key, return_inverse=True)
    if len(steps) < 3:
        msg = f"There are {len(steps)} groups by rank; a concentration index needs three."
        raise EmptyError(msg)
    events, people = (
        np.asarray(np.bincount(step, values, len(steps)), dtype=np.float64)
        for values in (events, people)
    )
    index = float(1 - _twice_the_area(events, people))
    share, part = people / people.sum(), events / events.sum()
    middle = np.cumsum(share) - share / 2
    if interval == "sampling":
        spread = (part * middle**2).sum() - (part * middle).sum() ** 2
        variance = 4 * spread / events.sum()
    else:
        upto = np.cumsum(part)
        pull = part / share * (2 * middle - 1 - index) + 2 - (upto - part) - upto
        variance = ((share * pull**2).sum() - (1 + index) ** 2) / len(share)
    error = float(np.sqrt(max(variance, 0.0)))
    half = float(stats.norm.isf((1 - level) / 2)) * error
    return ConcentrationIndex(index, error, index - half, index + half, level, interval)


def describe_inequality(
    table: pd.DataFrame, slope: SlopeIndex, *, what: str = "recorded crime"
) -> str:
    """
    Say in a paragraph how rates go with deprivation.

    Parameters
    ----------
    table
        From `decile_table`.
    slope
        From `slope_index` of the same table.
    what
        What was counted.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> from placeshaping.statistics.inequality import slope_index
    >>> deciles = pd.RangeIndex(1, 4, name="decile")
    >>> table = pd.DataFrame({"exposure": 1000.0, "count": [50, 40, 30]}, deciles)
    >>> table["rate"] = table["count"]
    >>> print(describe_inequality(table, slope_index(table)))
    Rates of recorded crime rise with deprivation. At the most deprived end they are 2.2 times ...
    """
    check_result(table, made_by="decile_table", columns=["rate"])
    if not isinstance(slope, SlopeIndex):
        msg = f"slope is a {type(slope).__name__}. Give slope_index(table)."
        raise InputError(msg)
    per = table.attrs.get("per", 1000)
    sure = slope.lower > 0 or slope.upper < 0
    what = uncapitalised(what)
    if not sure:
        text = f"There is no clear slope of {what} with deprivation: chance and scatter do as much."
    else:
        way = "rise with deprivation" if slope.slope > 0 else "fall as deprivation rises"
        text = f"Rates of {what} {way}."
    if np.isfinite(slope.relative):
        high = slope.relative_upper
        upto = f"to {high:.1f}" if high < UNBOUNDED else "upwards"
        text += (
            f" At the most deprived end they are {slope.relative:.1f} times as high as at the "
            f"least ({slope.relative_lower:.1f} {upto} with {slope.level:.0%} confidence),"
        )
    else:
        text += " Between the two ends there is"
    text += (
        f" a gap of {slope.slope:,.0f} per {per:,.0f} ({slope.lower:,.0f} to {slope.upper:,.0f})."
    )
    lost = table.attrs.get("left_out_areas", 0)
    if lost:
        text += f" {lost:,} areas without a decile or residents are left out."
    return text + " It says where, and not why."


def _twice_the_area(events: NDArray[np.float64], people: NDArray[np.float64]) -> float:
    """Return twice the area under the curve of cumulative events over cumulative people."""
    x = np.concatenate([[0.0], np.cumsum(people) / people.sum()])
    y = np.concatenate([[0.0], np.cumsum(events) / events.sum()])
    return float((np.diff(x) * (y[1:] + y[:-1])).sum())


def _ordered(
    count: pd.Series[float], exposure: pd.Series[float], by: pd.Series[float] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int]:
    """Return events, people and sorting key of the areas that have all three."""
    for values, name in ((count, "count"), (exposure, "exposure")):
        check_labelled(values, name=name)
    check_unique(count.index, where="count")
    events, people, index = aligned(count, exposure)
    with_people = usable_exposure(events, people, index, "raise")
    if by is None:
        key = events / with_people
    else:
        check_labelled(by, name="rank")
        check_unique(by.index, where="rank")
        if not index.isin(by.index).all():
            lost = int((~index.isin(by.index)).sum())
            msg = f"{lost:,} of {len(index):,} areas have no rank. Give one; unknown ones as NaN."
            raise InputError(msg)
        key = np.asarray(by.reindex(index).to_numpy(dtype="float64", na_value=np.nan))
    known = np.isfinite(events) & np.isfinite(with_people) & np.isfinite(key)
    events, people, key = events[known], people[known], key[known]
    if not events.sum() > 0:
        msg = "There are no events in areas with people and a rank: nothing to share out."
        raise EmptyError(msg)
    return events, people, key, int((~known).sum())
