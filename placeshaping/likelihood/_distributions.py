"""Negative binomial and Poisson counts by mean and size: log probability, CRPS, PIT."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

_TAIL = 1e-12

Floats = NDArray[np.float64]


@compiled()
def _log_probability(y: float, mean: float, size: float) -> float:
    if math.isinf(size):
        return y * math.log(mean) - mean - math.lgamma(y + 1)
    return (
        math.lgamma(y + size)
        - math.lgamma(size)
        - math.lgamma(y + 1)
        - size * math.log1p(mean / size)
        - y * math.log1p(size / mean)
    )


@compiled()
def _log_step(k: float, mean: float, size: float) -> float:
    """Log of the probability of k + 1 over that of k."""
    if math.isinf(size):
        return math.log(mean / (k + 1))
    return math.log((k + size) / (k + 1) * mean / (mean + size))


@compiled()
def log_probability(observed: Floats, mean: Floats, size: Floats) -> Floats:
    """Return the log of the probability of each observed count."""
    out = np.empty(len(observed))
    for i in range(len(observed)):
        out[i] = _log_probability(observed[i], mean[i], size[i])
    return out


@compiled()
def crps_and_pit(observed: Floats, mean: Floats, size: Floats) -> tuple[Floats, Floats, Floats]:
    """
    Return the CRPS of each count, and the distribution function below it and at it.

    The CRPS of a count is the sum over k of (F(k) - 1[y <= k])² (Czado,
    Gneiting and Held 2009), here up to where the upper tail is negligible.
    """
    crps, below, at = np.empty_like(mean), np.empty_like(mean), np.empty_like(mean)
    for i in range(len(mean)):
        y = observed[i]
        k, total, score = 0.0, 0.0, 0.0
        log_p = _log_probability(0.0, mean[i], size[i])
        while True:
            if k == y:
                below[i] = min(total, 1.0)
            total += math.exp(log_p)
            if k == y:
                at[i] = min(total, 1.0)
            gap = total if k < y else 1.0 - total
            score += gap * gap
            if k >= y and (1.0 - total < _TAIL or (k > mean[i] and math.exp(log_p) < _TAIL**2)):
                break
            log_p += _log_step(k, mean[i], size[i])
            k += 1.0
        crps[i] = score
    return crps, below, at
