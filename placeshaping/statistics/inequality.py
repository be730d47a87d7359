"""How unlike rates are between deprived and other areas."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.checks import check_columns, check_labelled, check_unique, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.statistics._counts import floats
from placeshaping.statistics.rates import crude_rate

_log = logging.getLogger(__name__)

FEWEST = 3
"""Deciles with a rate that a slope needs."""


@dataclass(frozen=True)
class SlopeIndex:
    """
    The slope and relative index of inequality.

    Attributes
    ----------
    slope, lower, upper
        Rate of the most deprived end minus that of the least deprived end, by
        the fitted line, with its interval, in the units of the table's rates.
        Above zero: the more deprived, the higher the rate.
    relative, relative_lower, relative_upper
        Rate of the most deprived end over that of the least deprived end;
        missing where the line falls to zero or below at an end.
    level
        Confidence level of the intervals.
    interval
        What the intervals hold: ``"residual"`` or ``"sampling"``.
    """

    slope: float
    lower: float
    upper: float
    relative: float
    relative_lower: float
    relative_upper: float
    level: float
    interval: str


def decile_table(
    count: pd.Series[float],
    exposure: pd.Series[float],
    decile: pd.Series[float],
    *,
    per: float = 1000.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Add areas up by deprivation decile, and work out each decile's rate.

    Deciles are those of the index (1 = most deprived in the nation), so that a
    district may have few areas in one and none in another.

    Parameters
    ----------
    count
        Events of each area, indexed by area code.
    exposure
        Residents, households or the like of each area.
    decile
        Deprivation decile of each area, 1 to 10.
    per
        The rate is for this many units of `exposure`.
    level
        Confidence level of the interval.

    Returns
    -------
    table
        Index ``decile`` from 1 (most deprived) to 10; columns ``areas``,
        ``count``, ``exposure``, ``rate``, ``lower``, ``upper``. Areas that
        lack a decile or an exposure are left out and told in
        ``attrs["left_out_areas"]`` and ``attrs["left_out_count"]``.

    Raises
    ------
    InputError
        If a decile is not a whole number from 1 to 10, or if an area of
        `count` is in neither of the other two.
    DuplicateError
        If an area stands twice.

    Examples
    --------
    >>> areas = pd.Index(["a", "b", "c"], name="area_code")
    >>> count, people = pd.Series([9, 4, 2], areas), pd.Series([1000, 900, 1100], areas)
    >>> table = decile_table(count, people, pd.Series([1, 1, 10], areas))
    >>> table.loc[[1, 10], ["areas", "count", "rate"]].round(2)
            areas  count  rate
    decile
    1           2     13  6.84
    10          1      2  1.82
    """
    for values, name in ((count, "count"), (exposure, "exposure"), (decile, "decile")):
        check_labelled(values, name=name)
    people, deciles = (_of_areas(series, count.index) for series in (exposure, decile))
    numbers = floats(count, "counts")
    wrong = np.isfinite(deciles) & ~np.isin(deciles, np.arange(1, 11))
    if wrong.any():
        found = listed(sorted(set(deciles[wrong].tolist())))
        msg = f"{int(wrong.sum()):,} areas have a decile that is not one of 1 to 10: {found}."
        raise InputError(msg)
    kept = np.isfinite(deciles) & np.isfinite(people) & np.isfinite(numbers)
    group = np.where(kept, deciles, 0).astype(np.intp)
    sums = {
        "areas": np.bincount(group, minlength=11)[1:],
        "count": np.bincount(group, np.where(kept, numbers, 0), 11)[1:].astype(np.int64),
        "exposure": np.bincount(group, np.where(kept, people, 0), 11)[1:],
    }
    table = pd.DataFrame(sums, index=pd.RangeIndex(1, 11, name="decile"))
    table = table.join(crude_rate(table["count"], table["exposure"], per=per, level=level))
    lost = int(np.nansum(numbers[~kept]))
    if not kept.all():
        _log.warning(
            "%s areas (%s events) lack a decile or an exposure: left out of the deciles.",
            int((~kept).sum()),
            lost,
        )
    table.attrs.update(per=per, level=level, left_out_areas=int((~kept).sum()), left_out_count=lost)
    return table


def slope_index(
    table: pd.DataFrame,
    *,
    level: float = 0.95,
    interval: Literal["residual", "sampling"] = "residual",
) -> SlopeIndex:
    """
    Fit the slope index of inequality to a table of deciles.

    A line is fitted to the rates over the rank of each decile: the midpoint
    of its share of the population, counted from the most deprived, from 0 to
    1; deciles weigh by their population (Mackenbach and Kunst 1997; the
    technical guidance on the slope index of Public Health England, now the
    Office for Health Improvement and Disparities).

    Parameters
    ----------
    table
        From `decile_table`: columns ``exposure``, ``count``, ``rate``, most
        deprived first.
    level
        Confidence level of the intervals.
    interval
        ``"residual"``: from the scatter of the deciles about the line, with
        Student's t; it holds what chance, clustering and a bent line add.
        ``"sampling"``: from the Poisson error of each rate alone, what that
        guidance simulates; too narrow where one event brings others.

    Returns
    -------
    index
        The slope, the relative index, and their intervals.

    Raises
    ------
    EmptyError
        If fewer than three deciles have a rate.

    Examples
    --------
    >>> table = pd.DataFrame({"exposure": 1000.0, "count": [50, 40, 30], "rate": [50, 40, 30]})
    >>> index = slope_index(table)
    >>> round(index.slope, 1), round(index.relative, 2)
    (30.0, 2.2)
    """
    check_columns(table.columns, ["exposure", "count", "rate"], where="The table of deciles")
    used = table[(table["exposure"] > 0) & table["rate"].notna()]
    if len(used) < FEWEST:
        msg = f"{len(used)} deciles have a rate; a slope needs {FEWEST}. Take more areas."
        raise EmptyError(msg)
    weight = used["exposure"].to_numpy(dtype=float)
    rate = used["rate"].to_numpy(dtype=float)
    rank = (np.cumsum(weight) - weight / 2) / weight.sum()
    design = np.column_stack([1 - rank, rank])  # coefficients: rate at the two ends
    solve = np.linalg.solve(design.T * weight @ design, design.T * weight)
    ends = solve @ rate
    quantile = stats.norm.isf((1 - level) / 2)
    if interval == "residual":
        freedom = len(used) - 2
        scatter = (weight * (rate - design @ ends) ** 2).sum() / freedom
        variance, quantile = scatter / weight, stats.t.isf((1 - level) / 2, freedom)
    else:
        events = used["count"].to_numpy(dtype=float)
        # rate = events * scale / weight with a variance of events * (scale / weight)**2
        variance = np.divide(rate**2, events, out=np.zeros_like(rate), where=events > 0)
    return _index(ends, (solve * variance) @ solve.T, float(quantile), level, interval)


def _index(
    ends: NDArray[np.float64],
    covariance: NDArray[np.float64],
    quantile: float,
    level: float,
    interval: str,
) -> SlopeIndex:
    """Return slope and ratio of the fitted ends, the ratio's interval by the delta method."""
    contrast = np.array([1.0, -1.0])
    slope = float(contrast @ ends)
    half = quantile * float(np.sqrt(contrast @ covariance @ contrast))
    ratio = ratio_lower = ratio_upper = float("nan")
    if (ends > 0).all():
        ratio = float(ends[0] / ends[1])
        gradient = contrast / ends
        with np.errstate(over="ignore"):  # an end close to zero: the ratio may be anything
            spread = np.exp(quantile * np.sqrt(gradient @ covariance @ gradient))
        ratio_lower, ratio_upper = float(ratio / spread), float(ratio * spread)
    return SlopeIndex(
        slope, slope - half, slope + half, ratio, ratio_lower, ratio_upper, level, interval
    )


def _of_areas(series: pd.Series[float], index: pd.Index) -> NDArray[np.float64]:
    """Return the values of a series in the order of `index`."""
    check_unique(index, where="count")
    check_unique(series.index, where=str(series.name))
    missing = index[~index.isin(series.index)]
    if len(missing):
        msg = (
            f"{len(missing):,} of {len(index):,} areas have no {series.name or 'value'} "
            f"({listed(list(missing))}). Give one for each; unknown ones as NaN."
        )
        raise InputError(msg)
    return np.asarray(series.reindex(index).to_numpy(dtype="float64", na_value=np.nan))
