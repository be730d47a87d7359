"""Mann-Kendall: whether a short series rises or falls, whatever the shape of the rise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.compiled import compiled

TIE = 1e-9
"""Values that differ by less are one value: sums of the same numbers in another order."""

Floats = NDArray[np.float64]


def mann_kendall(series: Floats, *, steps_before: int = 0) -> tuple[Floats, Floats]:
    """
    Test each row for a trend (Mann 1945, Kendall 1975), with the correction for ties.

    The score is (S - sign of S) / sqrt(variance), the continuity correction
    that Mann-Kendall tables assume; two-sided p. Missing values are left out.
    A row in which nothing changes has score 0 and p 1; one of fewer than two
    values is missing.

    Where each value is a sum over its own step and `steps_before` earlier
    ones, neighbouring values share steps and are correlated for that reason
    alone; the plain test would then call every sixth series a trend. The
    variance of S is that of such sums of independent normal values, worked out
    exactly, as Hamed and Rao (1998) do for correlations that are estimated.
    """
    trend = _trend_scores(np.ascontiguousarray(series), TIE)
    if steps_before:
        trend /= _shared(np.isfinite(series), steps_before)
    return trend, 2 * stats.norm.sf(np.abs(trend))


def _shared(known: NDArray[np.bool_], steps_before: int) -> Floats:
    """Return the factor by which shared steps widen the spread of S, for each row."""
    patterns, pattern = np.unique(known, axis=0, return_inverse=True)
    factors = np.ones(len(patterns))
    for number, present in enumerate(patterns):
        place = np.flatnonzero(present)
        if len(place) < 2:
            continue
        lag = place[:, None] - place
        window = ((lag >= 0) & (lag <= steps_before)).astype(float)
        window /= np.sqrt(window.sum(axis=1, keepdims=True))
        size = len(place)
        apart = size * (size - 1) * (2 * size + 5) / 18
        factors[number] = math.sqrt(_variance_of_s(window @ window.T) / apart)
    return factors[pattern.ravel()]


@compiled()
def _variance_of_s(correlation: Floats) -> float:
    """Return the variance of Kendall's S of normal values with these correlations."""
    r, n = correlation, len(correlation)
    total = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(n):
                for m in range(k + 1, n):
                    shared = r[j, m] - r[j, k] - r[i, m] + r[i, k]
                    if shared != 0:
                        scale = 2 * math.sqrt((1 - r[i, j]) * (1 - r[k, m]))
                        total += math.asin(max(-1.0, min(1.0, shared / scale)))
    return total * 2 / math.pi


@compiled()
def _trend_scores(series: Floats, tie: float) -> Floats:
    rows, steps = series.shape
    scores = np.full(rows, np.nan)
    known = np.empty(steps)
    for i in range(rows):
        n = 0
        for t in range(steps):
            if not math.isnan(series[i, t]):
                known[n] = series[i, t]
                n += 1
        if n < 2:
            continue
        rises = 0
        for t in range(1, n):
            for before in range(t):
                change = known[t] - known[before]
                rises += (change > tie) - (change < -tie)
        held = n * (n - 1) * (2 * n + 5)
        ordered = np.sort(known[:n])
        first = 0
        for t in range(1, n + 1):
            if t == n or ordered[t] - ordered[t - 1] > tie:
                size = t - first
                held -= size * (size - 1) * (2 * size + 5)
                first = t
        step = (rises > 0) - (rises < 0)
        scores[i] = (rises - step) / math.sqrt(held / 18) if held > 0 else 0.0
    return scores
