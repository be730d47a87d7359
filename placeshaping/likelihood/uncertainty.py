"""How sure a score is: bootstrap over blocks of origins, signed ranks, Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.errors import InputError

Floats = NDArray[np.float64]

_EXACT = 15


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

    The rate of Hall, Horowitz and Jing (1995) for a variance or bias.

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
    return max(1, int(np.ceil(origins ** (1 / 3) - 1e-9)))


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
        Percentile interval; missing where the lower sum is zero.

    Examples
    --------
    >>> estimate = pooled_ratio([2, 4], [10, 10], samples=draw_blocks(2, rng=1))
    >>> estimate.value
    0.3
    """
    top, bottom = _rows(above, below)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _interval(
            top.sum() / bottom.sum(),
            top[samples].sum(axis=1) / bottom[samples].sum(axis=1),
            level,
        )


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
    >>> pooled_lift([3, 3], [2, 2], samples=draw_blocks(2, rng=1)).lower
    1.5
    """
    return pooled_ratio(one, other, samples=samples, level=level)


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
        return Estimate(float("nan"), float("nan"), float("nan"))
    lower, upper = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(lower), float(upper))
