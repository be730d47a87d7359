"""
Rates, their intervals, and smoothing towards the whole.

A rate of a small area is uncertain, and the interval says how much. Where
residents are a poor denominator (a town centre holds few residents and many
visitors), `poor_denominator` says so.
"""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.checks import listed
from placeshaping._core.errors import EmptyError, InputError

_log = logging.getLogger(__name__)

BYAR_FROM = 10
"""Counts below this take the exact interval, as in the guidance of public health bodies."""


def crude_rate(
    count: ArrayLike,
    exposure: ArrayLike,
    *,
    per: float = 1000.0,
    level: float = 0.95,
    method: Literal["byar", "exact"] = "byar",
    zero_exposure: Literal["raise", "missing"] = "raise",
) -> pd.DataFrame:
    """
    Work out rates with a Poisson interval for each.

    Parameters
    ----------
    count
        Events, zero or more; a Series keeps its index. Missing counts give
        missing rates.
    exposure
        What the events are divided by (residents, households), in the order
        of `count`; a Series is aligned with `count` by its index.
    per
        The rate is for this many units of `exposure`.
    level
        Confidence level of the interval.
    method
        ``"byar"``: Byar's approximation from ten events on (Breslow and Day
        1987, p. 69) and the exact limits below, the convention of the Office
        for Health Improvement and Disparities; ``"exact"``: limits from the
        chi-square distribution throughout (Garwood 1936).
    zero_exposure
        Whether events over an exposure of zero are refused or give a missing
        rate. No events over no exposure always give a missing rate.

    Returns
    -------
    rates
        Columns ``rate``, ``lower``, ``upper``.

    Raises
    ------
    InputError
        If a count or an exposure is negative, if there are events over an
        exposure of zero, or if the indexes do not match.

    Examples
    --------
    >>> crude_rate([12, 0], [1500, 1200]).round(2)
       rate  lower  upper
    0   8.0   4.13  13.98
    1   0.0   0.00   3.07
    """
    counts, exposures, index = _aligned(count, exposure)
    _check_level(level)
    if not per > 0:
        msg = f"per is {per}; it must be above zero (1,000 for a rate per 1,000)."
        raise InputError(msg)
    exposures = _usable_exposure(counts, exposures, index, zero_exposure)
    lower, upper = _poisson_limits(counts, level=level, exact=method == "exact")
    scale = per / exposures
    columns = {"rate": counts * scale, "lower": lower * scale, "upper": upper * scale}
    return pd.DataFrame(columns, index=index)


def empirical_bayes_rate(
    count: ArrayLike,
    exposure: ArrayLike,
    *,
    per: float = 1000.0,
    zero_exposure: Literal["raise", "missing"] = "raise",
) -> pd.Series[float]:
    """
    Smooth rates towards the rate of the whole, the more so the smaller the area.

    The global empirical Bayes estimator of Marshall (1991, "Mapping disease
    and mortality rates using empirical Bayes estimators"). Where the areas
    differ by no more than chance would have it, the estimated variance
    between them is negative and is set to zero, as Marshall does: every area
    then has the overall rate.

    Parameters
    ----------
    count
        Events; a Series keeps its index.
    exposure
        Residents, households or the like; a Series is aligned by its index.
    per
        The rate is for this many units of `exposure`.
    zero_exposure
        As in `crude_rate`.

    Returns
    -------
    rates
        Series ``eb_rate``; missing where count or exposure is missing or the
        exposure is zero.

    Raises
    ------
    InputError
        As in `crude_rate`.
    EmptyError
        If no area has both a count and an exposure.

    Examples
    --------
    >>> empirical_bayes_rate([60, 0, 10], [1000, 50, 1000]).round(1).tolist()
    [58.6, 18.3, 11.3]
    """
    counts, exposures, index = _aligned(count, exposure)
    exposures = _usable_exposure(counts, exposures, index, zero_exposure)
    known = np.isfinite(counts) & np.isfinite(exposures)
    if not known.any():
        msg = "No area has both a count and an exposure: there is no rate to smooth towards."
        raise EmptyError(msg)
    smoothed = np.full(len(counts), np.nan)
    smoothed[known] = _marshall(counts[known], exposures[known]) * per
    return pd.Series(smoothed, index=index, name="eb_rate")


def wilson_interval(
    successes: ArrayLike, trials: ArrayLike, *, level: float = 0.95
) -> pd.DataFrame:
    """
    Work out shares with Wilson's interval for each (Wilson 1927).

    Parameters
    ----------
    successes
        How many of the trials; a Series keeps its index.
    trials
        Trials; none at all give a missing share.
    level
        Confidence level of the interval.

    Returns
    -------
    shares
        Columns ``share``, ``lower``, ``upper``, each within 0 and 1.

    Raises
    ------
    InputError
        If a number is negative, or there are more successes than trials.

    Examples
    --------
    >>> wilson_interval([8], [10]).round(3)
       share  lower  upper
    0    0.8   0.49  0.943
    """
    hits, n, index = _aligned(successes, trials, names=("successes", "trials"))
    _check_level(level)
    if (hits > n).any():
        msg = f"{int((hits > n).sum()):,} rows have more successes than trials. Swap them?"
        raise InputError(msg)
    n = np.where(n > 0, n, np.nan)
    z = stats.norm.isf((1 - level) / 2)
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    lower = np.where(hits == 0, share, centre - half)
    upper = np.where(hits == n, share, centre + half)
    return pd.DataFrame({"share": share, "lower": lower, "upper": upper}, index=index)


def poor_denominator(
    count: ArrayLike, residents: ArrayLike, *, times: float = 5.0, level: float = 0.95
) -> pd.Series[bool]:
    """
    Tell where residents say little about how many people are there.

    A town centre, a retail park or an airport has few residents and many
    visitors; its rate over residents is no risk to anybody in particular. The
    rule: the rate, down to the lower limit of its interval, is more than
    `times` the rate of the median area (of the whole, where that is zero). So
    is any area with events and no residents. On recorded crime of 2025 the
    default finds the two LSOAs of the city centre in Leicester (of 200), the
    two of the town centre in Colchester (of 117), and in the counties 13 of
    634 and 23 of 1,111: town centres, shopping parks, an airport.

    Parameters
    ----------
    count
        Events of each area over the same time, all categories together.
    residents
        Residents; a Series is aligned with `count` by its index.
    times
        How many times the median area's rate is too much.
    level
        Confidence level of the interval.

    Returns
    -------
    poor
        Series ``poor_denominator`` with the index of `count`; False where
        count or residents are missing.

    Raises
    ------
    InputError
        As in `crude_rate`.

    Examples
    --------
    >>> poor_denominator([100, 120, 5000], [1000, 1100, 1200]).tolist()
    [False, False, True]
    """
    counts, people, index = _aligned(count, residents, names=("counts", "residents"))
    rates = crude_rate(counts, people, level=level, zero_exposure="missing", per=1.0)
    typical = rates["rate"].median()
    if typical == 0:
        typical = np.nansum(counts) / np.nansum(people)
    poor = (rates["lower"].to_numpy() > times * typical) | ((people == 0) & (counts > 0))
    return pd.Series(poor, index=index, name="poor_denominator")


def _aligned(
    count: ArrayLike, exposure: ArrayLike, *, names: tuple[str, str] = ("counts", "exposures")
) -> tuple[NDArray[np.float64], NDArray[np.float64], pd.Index]:
    """Return both as floats in the order of `count`, with its index."""
    if isinstance(count, pd.Series) and isinstance(exposure, pd.Series):
        exposure = _aligned_series(count.index, exposure, names[1])
    index = _index_of(count, exposure)
    counts, exposures = _floats(count, names[0]), _floats(exposure, names[1])
    if len(counts) != len(exposures):
        msg = f"{len(counts):,} {names[0]} but {len(exposures):,} {names[1]}. Give one for each."
        raise InputError(msg)
    return counts, exposures, index


def _aligned_series(index: pd.Index, exposure: pd.Series[float], name: str) -> pd.Series[float]:
    if exposure.index.equals(index):
        return exposure
    if not exposure.index.is_unique:
        msg = f"The index of the {name} has repeated labels. Give one row for each."
        raise InputError(msg)
    missing = index[~index.isin(exposure.index)]
    if len(missing):
        msg = (
            f"{len(missing):,} of {len(index):,} rows have no {name[:-1]} "
            f"({listed(list(missing))}). Give {name} with the same index; missing ones as NaN."
        )
        raise InputError(msg)
    return exposure.reindex(index)


def _index_of(count: ArrayLike, exposure: ArrayLike) -> pd.Index:
    for given in (count, exposure):
        if isinstance(given, pd.Series):
            return given.index
    return pd.RangeIndex(np.size(np.asarray(count)))


def _floats(values: ArrayLike, name: str) -> NDArray[np.float64]:
    if isinstance(values, pd.Series):
        floats = values.to_numpy(dtype="float64", na_value=np.nan)
    else:
        floats = np.atleast_1d(np.asarray(values, dtype="float64"))
    wrong = (floats < 0) | np.isinf(floats)
    if wrong.any():
        msg = f"{int(wrong.sum()):,} {name} are negative or infinite. Correct them first."
        raise InputError(msg)
    return floats


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        msg = f"level is {level}; it must lie between 0 and 1 (0.95 for a 95 % interval)."
        raise InputError(msg)


def _usable_exposure(
    counts: NDArray[np.float64],
    exposures: NDArray[np.float64],
    index: pd.Index,
    zero_exposure: str,
) -> NDArray[np.float64]:
    """Return exposures with zero made missing, refusing events over nobody."""
    impossible = (exposures == 0) & (counts > 0)
    if impossible.any():
        told = (
            f"{int(impossible.sum()):,} rows have events but an exposure of zero "
            f"({listed(list(index[impossible]))})"
        )
        if zero_exposure == "raise":
            msg = f"{told}. Correct them, or pass zero_exposure='missing' for missing rates."
            raise InputError(msg)
        _log.info("%s: their rates are missing.", told)
    return np.where(exposures > 0, exposures, np.nan)


def _poisson_limits(
    counts: NDArray[np.float64], *, level: float, exact: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return confidence limits of Poisson counts."""
    tail = (1 - level) / 2
    above = counts + 1
    if exact:
        return _exact_limits(counts, tail)
    z = stats.norm.isf(tail)
    positive = np.where(counts > 0, counts, 1.0)
    lower = counts * (1 - 1 / (9 * positive) - z / (3 * np.sqrt(positive))) ** 3
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    small = counts < BYAR_FROM
    lower[small], upper[small] = _exact_limits(counts[small], tail)
    return lower, upper


def _exact_limits(
    counts: NDArray[np.float64], tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    positive = np.where(counts > 0, counts, 1.0)
    lower = np.where(counts > 0, stats.chi2.ppf(tail, 2 * positive) / 2, 0 * counts)
    upper = np.asarray(stats.chi2.isf(tail, 2 * (counts + 1)) / 2)
    return lower, upper


def _marshall(counts: NDArray[np.float64], exposures: NDArray[np.float64]) -> NDArray[np.float64]:
    total = exposures.sum()
    mean = counts.sum() / total
    rates = counts / exposures
    between = (exposures * (rates - mean) ** 2).sum() / total - mean / exposures.mean()
    between = max(between, 0.0)
    if between == 0:
        return np.full(len(counts), mean)
    weight = between / (between + mean / exposures)
    smoothed: NDArray[np.float64] = weight * rates + (1 - weight) * mean
    return smoothed
