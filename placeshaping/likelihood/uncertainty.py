"""How sure a score is: bootstrap over blocks of origins, signed ranks, Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.errors import InputError

Floats = NDArray[np.float64]

_EXACT = 15

FEWEST_ORIGINS = 5
"""Of fewer origins a bootstrap says nothing."""


@dataclass(frozen=True)
class Estimate:
    """
    A value with its interval.

    Attributes
    ----------
    value, lower, upper
        The estimate and the limits of its interval; missing where there is
        nothing to estimate from.
    """

    value: float
    lower: float
    upper: float


def block_length(origins: int) -> int:
    """
    Choose how many origins in a row are drawn together: the cube root of their number.

    The rate of Hall, Horowitz and Jing (1995) for a variance or bias; one at a
    time where there are fewer than eight.

    Parameters
    ----------
    origins
        How many there are.

    Returns
    -------
    length
        At least 1.

    Examples
    --------
    >>> block_length(8), block_length(365)
    (2, 8)
    """
    return int(np.ceil(origins ** (1 / 3) - 1e-9)) if origins >= 8 else 1


def draw_blocks(
    origins: int, *, replicates: int = 2000, rng: int | np.random.Generator = 0
) -> NDArray[np.intp]:
    """
    Draw origins with replacement, in blocks that wrap around the end.

    The circular block bootstrap of Politis and Romano (1992): origins next to
    each other are alike, and stay together.

    Parameters
    ----------
    origins
        How many there are.
    replicates
        How many samples to draw.
    rng
        Seed or generator.

    Returns
    -------
    samples
        Positions, shape (replicates, origins).

    Examples
    --------
    >>> draw_blocks(4, replicates=2, rng=1).shape
    (2, 4)
    """
    length = block_length(origins)
    blocks = -(-origins // length)
    generator = np.random.default_rng(rng)
    starts = generator.integers(0, max(origins, 1), size=(replicates, blocks, 1))
    places = (starts + np.arange(length)) % max(origins, 1)
    drawn: NDArray[np.intp] = places.reshape(replicates, -1)[:, :origins]
    return drawn


def pooled_ratio(
    above: ArrayLike,
    below: ArrayLike,
    *,
    samples: NDArray[np.intp],
    level: float = 0.95,
) -> Estimate:
    """
    Ratio of two sums over origins, with a bootstrap interval.

    Parameters
    ----------
    above, below
        Of each origin, for instance events caught and events in all.
    samples
        From `draw_blocks`.
    level
        Of the interval.

    Returns
    -------
    estimate
        Percentile interval; its limits are missing where there are fewer than
        five origins, all of it where the lower sum is zero.

    Examples
    --------
    >>> estimate = pooled_ratio([2, 4, 3, 3, 3], [10] * 5, samples=draw_blocks(5, rng=1))
    >>> estimate.value
    0.3
    """
    top, bottom = _rows(above, below)
    if len(top) < FEWEST_ORIGINS:
        samples = samples[:0]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.float64(top.sum()) / bottom.sum()
        return _interval(value, top[samples].sum(axis=1) / bottom[samples].sum(axis=1), level)


def pooled_difference(
    one: ArrayLike,
    other: ArrayLike,
    below: ArrayLike,
    *,
    samples: NDArray[np.intp],
    level: float = 0.95,
) -> Estimate:
    """
    Difference of two pooled ratios over the same origins, with a bootstrap interval.

    Parameters
    ----------
    one, other
        Of each origin, what is above in either ratio.
    below
        What is below in both.
    samples, level
        As in `pooled_ratio`.

    Returns
    -------
    estimate
        Of the one less the other.

    Examples
    --------
    >>> pooled_difference([3, 4], [2, 4], [10, 10], samples=draw_blocks(2, rng=1)).value
    0.05
    """
    first, second = _rows(one, other)
    return pooled_ratio(first - second, below, samples=samples, level=level)


def pooled_lift(
    one: ArrayLike, other: ArrayLike, *, samples: NDArray[np.intp], level: float = 0.95
) -> Estimate:
    """
    Sum over origins of what one method caught over that of another.

    Parameters
    ----------
    one, other
        Events caught at each origin.
    samples, level
        As in `pooled_ratio`.

    Returns
    -------
    estimate
        Above 1 where the first caught more.

    Examples
    --------
    >>> pooled_lift([3] * 5, [2] * 5, samples=draw_blocks(5, rng=1)).lower
    1.5
    """
    return pooled_ratio(one, other, samples=samples, level=level)


def at_least(estimate: Estimate, lower: float, upper: float) -> Estimate:
    """
    Widen an interval until it holds another one.

    A handful of origins may happen to be alike, and a bootstrap over them then
    knows nothing of the chance within each.

    Parameters
    ----------
    estimate
        With an interval or without.
    lower, upper
        Limits of the other.

    Returns
    -------
    estimate
        The same value.

    Examples
    --------
    >>> at_least(Estimate(0.5, 0.45, 0.52), 0.4, 0.5)
    Estimate(value=0.5, lower=0.4, upper=0.52)
    """
    limits = float(np.fmin(estimate.lower, lower)), float(np.fmax(estimate.upper, upper))
    return Estimate(estimate.value, *limits)


def paired_chance(
    alone: float, missed: float, total: float, *, level: float = 0.95
) -> tuple[float, float]:
    """
    Interval of a difference of two hit rates on the same events, by chance alone.

    From the events that only one of two methods caught: Wald's interval for
    paired proportions (McNemar 1947; Agresti 2002, section 10.1).

    Parameters
    ----------
    alone, missed
        Events that the one caught and the other did not, and the other way round.
    total
        Events in all.
    level
        Of the interval.

    Returns
    -------
    lower, upper
        Of the one's hit rate less the other's.

    Examples
    --------
    >>> [round(limit, 3) for limit in paired_chance(12, 5, 100)]
    [-0.01, 0.15]
    """
    if total <= 0:
        return float("nan"), float("nan")
    value = (alone - missed) / total
    spread = np.sqrt(max(alone + missed - (alone - missed) ** 2 / total, 0)) / total
    half = float(stats.norm.isf((1 - level) / 2) * spread)
    return value - half, value + half


def signed_rank(one: ArrayLike, other: ArrayLike) -> float:
    """
    Two-sided p-value of Wilcoxon's signed rank test on paired scores.

    Zero differences are ranked and take no side (Pratt 1959). Exact for up to
    15 pairs, ties among them; by the normal approximation for more, which would
    be too sure of itself for few.

    Parameters
    ----------
    one, other
        Scores of two methods in the same periods; pairs with a missing one are
        left out.

    Returns
    -------
    p_value
        1 where all differences are zero; missing without pairs.

    Examples
    --------
    >>> signed_rank([1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0])
    0.03125
    """
    a, b = _rows(one, other)
    gap = (a - b)[np.isfinite(a) & np.isfinite(b)]
    gap = np.where(np.abs(gap) < 1e-12, 0.0, gap)
    if not len(gap):
        return float("nan")
    if not gap.any():
        return 1.0
    if len(gap) <= _EXACT:
        return _exact_signed_rank(gap)
    return float(stats.wilcoxon(gap, zero_method="pratt", method="approx", axis=None).pvalue)


def _exact_signed_rank(gap: Floats) -> float:
    """Share of all ways to sign the ranks that are at least as one-sided as the one seen."""
    ranks = stats.rankdata(np.abs(gap))[gap != 0]
    signs = 2.0 * ((np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks))) & 1) - 1
    seen = abs(float((np.sign(gap[gap != 0]) * ranks).sum()))
    return float((np.abs((signs * ranks).sum(axis=1)) >= seen - 1e-9).mean())


def holm(p_values: ArrayLike) -> Floats:
    """
    Correct p-values for several comparisons (Holm 1979).

    Parameters
    ----------
    p_values
        One for each comparison; missing ones stay missing and do not count.

    Returns
    -------
    adjusted
        In the same order, at most 1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    stepped = p[order] * (len(order) - np.arange(len(order)))
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def _rows(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape:
        msg = f"{a.shape} and {b.shape} do not match. Give one value for each origin in both."
        raise InputError(msg)
    return a, b


def _interval(value: float, drawn: Floats, level: float) -> Estimate:
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return Estimate(float(value), float("nan"), float("nan"))
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(lower), float(upper))
