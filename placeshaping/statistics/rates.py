"""
Rates, their intervals, and smoothing towards the whole.

A rate of a small area is uncertain, and the interval says how much. Where
residents are a poor denominator (a town centre holds few residents and many
visitors), `poor_denominator` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, stats

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.statistics._counts import BYAR_FROM as BYAR_FROM
from placeshaping.statistics._counts import (
    aligned,
    check_level,
    poisson_limits,
    usable_exposure,
)

if TYPE_CHECKING:
    from libpysal.graph import Graph


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
    counts, exposures, index = aligned(count, exposure)
    check_level(level)
    if not per > 0:
        msg = f"per is {per}; it must be above zero (1,000 for a rate per 1,000)."
        raise InputError(msg)
    exposures = usable_exposure(counts, exposures, index, zero_exposure)
    lower, upper = poisson_limits(counts, level=level, exact=method == "exact")
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
    counts, exposures, index = aligned(count, exposure)
    exposures = usable_exposure(counts, exposures, index, zero_exposure)
    known = np.isfinite(counts) & np.isfinite(exposures)
    if not known.any():
        msg = "No area has both a count and an exposure: there is no rate to smooth towards."
        raise EmptyError(msg)
    smoothed = np.full(len(counts), np.nan)
    smoothed[known] = _marshall(counts[known], exposures[known]) * per
    return pd.Series(smoothed, index=index, name="eb_rate")


def local_empirical_bayes_rate(
    count: ArrayLike,
    exposure: ArrayLike,
    neighbours: Graph,
    *,
    per: float = 1000.0,
    zero_exposure: Literal["raise", "missing"] = "raise",
) -> pd.Series[float]:
    """
    Smooth each rate towards the rate of its neighbourhood.

    The local estimator of Marshall (1991): as `empirical_bayes_rate`, with the
    mean and the variance of the area and its neighbours in place of those of
    the whole. Differences within a neighbourhood are lost, and so is part of
    what a hot-spot statistic looks for: it counts neighbours together anyway.

    Parameters
    ----------
    count
        Events by area code.
    exposure
        Residents, households or the like, aligned by its index.
    neighbours
        Graph of the same areas, in any order; its weights are not used. An
        island has itself alone for neighbourhood and keeps its own rate.
    per
        The rate is for this many units of `exposure`.
    zero_exposure
        As in `crude_rate`.

    Returns
    -------
    rates
        Series ``eb_rate``; missing where count or exposure is missing or the
        exposure is zero. Such areas are left out of their neighbours'
        neighbourhoods.

    Raises
    ------
    InputError
        As in `crude_rate`, or if areas are not in the graph.
    EmptyError
        If no area has both a count and an exposure.

    Examples
    --------
    >>> from libpysal.graph import Graph
    >>> codes = ["a", "b", "c", "d"]
    >>> row = Graph.from_arrays(list("abbccd"), list("bacbdc"), [1] * 6)
    >>> count = pd.Series([60, 0, 10, 20], codes)
    >>> people = pd.Series([1000, 50, 1000, 900], codes)
    >>> local_empirical_bayes_rate(count, people, row).round(1).tolist()
    [58.5, 18.3, 12.4, 19.3]
    """
    counts, exposures, index = aligned(count, exposure)
    exposures = usable_exposure(counts, exposures, index, zero_exposure)
    known = np.isfinite(counts) & np.isfinite(exposures)
    if not known.any():
        msg = "No area has both a count and an exposure: there is no rate to smooth towards."
        raise EmptyError(msg)
    near = _neighbourhoods(neighbours, index)[known][:, known]
    smoothed = np.full(len(counts), np.nan)
    smoothed[known] = _marshall_local(counts[known], exposures[known], near) * per
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
    hits, n, index = aligned(successes, trials, names=("successes", "trials"))
    check_level(level)
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
    counts, people, index = aligned(count, residents, names=("counts", "residents"))
    rates = crude_rate(counts, people, level=level, zero_exposure="missing", per=1.0)
    typical = rates["rate"].median()
    if typical == 0:
        typical = np.nansum(counts) / np.nansum(people)
    poor = (rates["lower"].to_numpy() > times * typical) | ((people == 0) & (counts > 0))
    return pd.Series(poor, index=index, name="poor_denominator")


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


def _neighbourhoods(neighbours: Graph, index: pd.Index) -> sparse.csr_array:
    """Return who is in whose neighbourhood, itself included, in the order of `index`."""
    check_unique(index, where="count")
    position = pd.Index(neighbours.unique_ids).get_indexer(index)
    if (position < 0).any():
        unknown = index[position < 0]
        msg = (
            f"{len(unknown):,} of {len(index):,} areas are not in the graph of neighbours "
            f"({listed(list(unknown))}). Make it from the same areas: contiguity(areas)."
        )
        raise InputError(msg)
    matrix = abs(sparse.csr_array(neighbours.sparse)[position][:, position])
    with_self: sparse.csr_array = sparse.csr_array(matrix + sparse.eye_array(len(index)))
    with_self.data = np.ones_like(with_self.data)
    return with_self


def _marshall_local(
    counts: NDArray[np.float64], exposures: NDArray[np.float64], near: sparse.csr_array
) -> NDArray[np.float64]:
    people = near @ exposures
    mean = near @ counts / people
    rates = counts / exposures
    pairs = near.tocoo()
    square = exposures[pairs.col] * (rates[pairs.col] - mean[pairs.row]) ** 2
    spread = np.bincount(pairs.row, square * pairs.data, len(counts)) / people
    between = np.maximum(spread - mean * near.sum(axis=1) / people, 0)
    chance = mean / exposures
    weight = np.divide(between, between + chance, out=np.zeros_like(mean), where=between > 0)
    smoothed: NDArray[np.float64] = mean + weight * (rates - mean)
    return smoothed
