"""Cross-validated likelihood of Gaussian kernels: each place foretold by all the others."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.hotspots._smoothing import Smoother, binned, read_at
from placeshaping.hotspots.surface import cells_over

Floats = NDArray[np.float64]

_CELLS = 1_000
_LEAST = 1e-300
_NOISE = 1e-13


def exact_likelihood(places: Floats, weights: Floats, bandwidths: Floats) -> Floats:
    """
    Return, for each bandwidth, the weighted sum of log densities, own place left out.

    Parameters
    ----------
    places
        Distinct, metres.
    weights
        Of each.
    bandwidths
        Standard deviations, metres.
    """
    others = _leave_out(places, weights, bandwidths)
    density = others / (2 * np.pi * bandwidths**2 * (weights.sum() - weights)[:, None])
    return np.asarray(weights @ np.log(np.maximum(density, _LEAST)))


@compiled(parallel=True)
def _leave_out(places: Floats, weights: Floats, bandwidths: Floats) -> Floats:
    total = np.zeros((len(places), len(bandwidths)))
    scale = -0.5 / bandwidths**2
    for i in numba.prange(len(places)):
        for j in range(len(places)):
            if i != j:
                square = (places[i, 0] - places[j, 0]) ** 2 + (places[i, 1] - places[j, 1]) ** 2
                for k in range(len(bandwidths)):
                    power = square * scale[k]
                    if power > -700.0:
                        total[i, k] += weights[j] * np.exp(power)
    return total


def binned_likelihood(places: Floats, weights: Floats, bandwidths: Floats) -> Floats:
    """
    Return the same from a grid of a thousand cells across, in time that hardly grows with places.

    A bandwidth under two cells cannot be told and scores minus infinity. A
    place without any other near counts as 1e-13 of the highest density, which
    is what the transform can tell from nothing.
    """
    bounds = (*places.min(axis=0), *places.max(axis=0))
    side = max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / _CELLS
    cells = cells_over(bounds, side, margin=0)
    grid = binned(places, weights, cells)
    right, below = (
        _fractions(places[:, 0] - cells.west, side),
        _fractions(cells.north - places[:, 1], side),
    )
    scores = np.full(len(bandwidths), -np.inf)
    for k in np.flatnonzero(bandwidths >= 2 * side):
        width = float(bandwidths[k])
        smooth = Smoother((grid.shape[0], grid.shape[1]), side, width, "gaussian")(grid)
        beside = np.exp(-((side / width) ** 2) / 2)
        peak = 1 / (2 * np.pi * width**2)
        own = peak * weights * _own(right, beside) * _own(below, beside)
        others = np.maximum(read_at(smooth, places, cells) - own, _NOISE * smooth.max())
        scores[k] = weights @ np.log(others / (weights.sum() - weights))
    return scores


def _fractions(metres: Floats, side: float) -> Floats:
    return np.asarray(np.mod(metres / side + 0.5, 1.0))


def _own(fraction: Floats, beside: float) -> Floats:
    """Return what a binned place adds to itself along one axis, next to the kernel's peak."""
    return np.asarray(fraction**2 + (1 - fraction) ** 2 + 2 * fraction * (1 - fraction) * beside)
