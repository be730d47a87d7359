"""What chance does not explain: cells compared with draws from the population."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.errors import EmptyError
from placeshaping._core.progress import track
from placeshaping.hotspots._denominator import Denominator
from placeshaping.hotspots._smoothing import Kernel, Smoother, binned
from placeshaping.hotspots.surface import Cells, Floats

_ROUNDING = 1e-9


def compare(
    points: Floats,
    denominator: Denominator,
    cells: Cells,
    inside: NDArray[np.bool_],
    bandwidth: float,
    kernel: Kernel,
    permutations: int,
    alternative: str,
    least: float,
    rng: int | np.random.Generator,
) -> dict[str, Any]:
    """Return ratio, p-values and expected cases of each cell, and the p-value of the whole."""
    shape, core = (cells.rows + 2, cells.columns + 2), np.s_[1:-1, 1:-1]
    smooth = Smoother(shape, cells.side, bandwidth, kernel)
    twice = Smoother(shape, cells.side, bandwidth, kernel, squared=True)
    number, grid = len(points), denominator.grid(cells)
    seen = smooth(binned(points, np.ones(number), cells))[core]
    whole, square = smooth(grid)[core], twice(grid)[core]
    mean, variance = _moments(whole, square, number, denominator)
    thin = mean**2 < least * number * square / denominator.weights.sum()
    shown = inside & ~thin & (variance > 0)
    if not shown.any():
        msg = (
            f"No cell has {least:g} expected cases under the kernel: {number:,} cases within "
            f"{bandwidth:,.0f} m are too thin. Take a larger bandwidth or a longer period."
        )
        raise EmptyError(msg)
    spread = np.sqrt(np.where(shown, variance, 1.0))
    score = np.where(shown, (seen - mean) / spread, 0.0)
    if permutations:
        p_value, p_global = _permuted(
            score, mean, spread, shown, smooth, denominator, cells, number, permutations,
            alternative, rng,
        )  # fmt: skip
    else:
        tail = stats.norm.sf(score if alternative == "greater" else np.abs(score))
        p_value, p_global = tail * (1 if alternative == "greater" else 2), np.nan
    below = _controls_share(whole, seen, number, denominator) if denominator.controls else mean
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(shown, seen / below, np.nan)
        expected = np.where(inside, mean**2 * denominator.weights.sum() / (number * square), np.nan)
    p_value = np.where(shown, p_value, np.nan)
    return {"ratio": ratio, "p_value": p_value, "expected": expected, "p_global": p_global}


def _controls_share(whole: Floats, seen: Floats, cases: int, denominator: Denominator) -> Floats:
    """Return what the controls would have the kernel sum of the cases be."""
    controls = np.where(whole - seen > _ROUNDING * whole, whole - seen, 0.0)
    return np.asarray(controls * (cases / (len(denominator.xy) - cases)))


def _moments(
    whole: Floats, square: Floats, cases: int, denominator: Denominator
) -> tuple[Floats, Floats]:
    """Return mean and variance of the cases' kernel sum over all draws: exact."""
    total = float(denominator.weights.sum())
    mean = whole * (cases / total)
    if denominator.controls:
        variance = cases * (total - cases) / (total * (total - 1)) * (square - whole**2 / total)
    else:
        variance = square * (cases / total) - mean**2 / cases
    return mean, np.maximum(variance, 0.0)


def _permuted(
    score: Floats,
    mean: Floats,
    spread: Floats,
    shown: NDArray[np.bool_],
    smooth: Smoother,
    denominator: Denominator,
    cells: Cells,
    cases: int,
    permutations: int,
    alternative: str,
    rng: int | np.random.Generator,
) -> tuple[Floats, float]:
    """Return p-values of cells, and of the most extreme cell anywhere."""
    above, below = np.zeros(score.shape, dtype=np.int64), np.zeros(score.shape, dtype=np.int64)
    most = 0
    signed = (lambda z: z) if alternative == "greater" else np.abs
    limit = signed(score)[shown].max() - 1e-9
    generators = np.random.default_rng(rng).spawn(permutations)
    for generator in track(generators, label="Placing cases by chance"):
        drawn = smooth(denominator.draw(cases, cells, generator))[1:-1, 1:-1]
        drawn = (drawn - mean) / spread
        above += drawn >= score - 1e-9
        below += drawn <= score + 1e-9
        most += bool(signed(drawn[shown]).max() >= limit)
    tail = above if alternative == "greater" else 2 * np.minimum(above, below) + 1
    p_value = np.minimum((tail + 1) / (permutations + 1), 1.0)
    return p_value, (most + 1) / (permutations + 1)
