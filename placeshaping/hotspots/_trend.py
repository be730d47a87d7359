"""Mann-Kendall: whether a short series rises or falls, whatever the shape of the rise."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.compiled import compiled

TIE = 1e-9
"""Values that differ by less are one value: sums of the same numbers in another order."""


def mann_kendall(
    series: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Test each row for a trend (Mann 1945, Kendall 1975), with the correction for ties.

    The score is (S - sign of S) / sqrt(variance), the continuity correction
    that Mann-Kendall tables assume; two-sided p. Missing values are left out.
    A row in which nothing changes has score 0 and p 1; one of fewer than two
    values is missing.
    """
    trend = _trend_scores(np.ascontiguousarray(series), TIE)
    return trend, 2 * stats.norm.sf(np.abs(trend))


@compiled()
def _trend_scores(series: NDArray[np.float64], tie: float) -> NDArray[np.float64]:
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
