"""
Get back the points that a kernel density was made of.

A density is the same bump laid down once for each event. How wide the bump is
shows in how fast the surface's spectrum falls. Then bumps are laid down again
one by one, each where it explains most of what is left, and after each the
places, heights and the width of all are fitted together (matching pursuit with
a local descent; Boyd and others 2017). Cells weigh by how exactly they are
written: where two figures stand, the thin edge of a bump tells as much as its
top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import maximum_filter
from scipy.optimize import nnls

Floats = NDArray[np.float64]

KERNELS = ("gaussian", "quartic")
"""The shapes that are tried."""

_WIDTHS = 1.2 * 1.12 ** np.arange(34)
_RINGS = 48
_FLOOR = 1e-5
_MOST_POINTS = 60
_CELLS_A_WIDTH = 3.0
_FINEST_SHARE = 1e-3
_GOOD = 0.6
_TOGETHER = 0.3
_PROGRESS = 0.985
_FEW_LEVELS = 5000
_CROWDED = 0.5


@dataclass(frozen=True)
class Recovered:
    """
    Points that explain a surface.

    Attributes
    ----------
    rows, columns
        Where they are, in cells, fractions allowed; (0, 0) is the middle of
        the first cell.
    heights
        How high the bump of each is, in the surface's own unit.
    kernel, bandwidth
        Shape of the bump, and its width in cells.
    explained
        Share of the surface's variance that they draw again.
    misfit
        Root mean square of what is left, in units of how exactly the cells
        are written: under 1 where everything is explained.
    """

    rows: Floats
    columns: Floats
    heights: Floats
    kernel: str
    bandwidth: float
    explained: float = 0.0
    misfit: float = float("inf")

    @property
    def times(self) -> Floats:
        """Heights in units of the height of one event: that which most are whole multiples of."""
        if not len(self.heights):
            return np.zeros(0)
        tried = np.sort(self.heights)[: max(len(self.heights) // 2, 1) + 1]
        times = self.heights[None] / tried[:, None]
        off = np.abs(times - np.maximum(np.rint(times), 1)) / np.maximum(np.rint(times), 1)
        unit = float(tried[np.argmin(off.mean(axis=1))])
        found: Floats = self.heights / unit
        return found

    @property
    def even(self) -> float:
        """Share of the heights that are whole multiples of the height of one event."""
        times = self.times
        near = np.abs(times - np.maximum(np.rint(times), 1)) < 0.2
        return float(near.mean()) if len(near) else 0.0


def recover_points(surface: Floats, *, most: int = _MOST_POINTS) -> Recovered:
    """
    Find the points whose bumps add up to a surface.

    Parameters
    ----------
    surface
        Densities by row and column; NaN is passed over.
    most
        The most points to look for.

    Returns
    -------
    recovered
        Of a Gaussian and a quartic bump, the one that leaves less unexplained.

    Examples
    --------
    >>> row, column = np.mgrid[:40, :40]
    >>> surface = np.exp(-((row - 12) ** 2 + (column - 20) ** 2) / 18)
    >>> found = recover_points(surface)
    >>> found.rows.round(1).tolist(), found.columns.round(1).tolist(), round(found.explained, 2)
    ([12.0], [20.0], 1.0)
    """
    best: Recovered | None = None
    for kernel, width in _likely_bumps(surface):
        found = _pursue(surface, kernel, width, most)
        best = found if best is None or found.misfit < best.misfit else best
        if best.misfit <= _GOOD:
            break
    return _with_share(surface, best or _nothing(KERNELS[0], 1.0))


def exactness(surface: Floats) -> Floats:
    """
    Return how exactly each cell is written: half of the last figure that may stand there.

    Examples
    --------
    >>> exactness(np.array([[0.0, 12.0, 150.0]])).round(2).tolist()
    [[0.15, 0.5, 5.0]]
    """
    size = np.abs(np.nan_to_num(surface))
    floor = _FINEST_SHARE * float(size.max())
    levels = np.unique(size)
    step = float(np.diff(levels).min()) if 1 < len(levels) < _FEW_LEVELS else 0.0
    if step and len(levels) >= _CROWDED * np.ptp(levels) / step:
        return np.full(size.shape, max(step / 2, floor))
    for figures in (1, 2, 3, 4):
        last = 10.0 ** (np.floor(np.log10(np.maximum(size, 1e-300))) - figures + 1)
        if np.allclose(np.rint(size / last) * last, size, rtol=1e-6, atol=0):
            return np.maximum(np.where(size > 0, last / 2, 0.0), floor)
    return np.full(size.shape, max(step / 2, floor))


def _centred(kernel: str, width: float, size: tuple[int, int]) -> Floats:
    """Return a bump in the corner of a grid that wraps around, as a transform wants it."""
    row = np.minimum(np.arange(size[0]), size[0] - np.arange(size[0])).astype(float)
    column = np.minimum(np.arange(size[1]), size[1] - np.arange(size[1])).astype(float)
    return _shape(kernel, (row[:, None] ** 2 + column[None, :] ** 2) / width**2)


def _padded(shape: tuple[int, ...], margin: float) -> tuple[int, int]:
    rows, columns = (int(side + np.ceil(margin)) for side in shape)
    return (int(fft.next_fast_len(rows, real=True)), int(fft.next_fast_len(columns, real=True)))


def _likely_bumps(surface: Floats) -> list[tuple[str, float]]:
    """Return for each shape the width whose spectrum falls as that of the surface does."""
    size = _padded(surface.shape, 24.0)
    radius = np.hypot(fft.fftfreq(size[0])[:, None], fft.rfftfreq(size[1])[None, :])
    ring = np.minimum((radius * 2 * _RINGS).astype(int), _RINGS - 1).ravel()
    times = np.maximum(np.bincount(ring, minlength=_RINGS), 1)

    def spectrum(grid: Floats) -> Floats:
        power = np.abs(fft.rfft2(grid, size)) ** 2
        rings = np.bincount(ring, power.ravel(), _RINGS) / times
        level: Floats = np.log(np.maximum(rings, _FLOOR * rings.max()) + 1e-300)
        return level

    level = spectrum(np.nan_to_num(surface))
    used = (level > level.max() + np.log(2 * _FLOOR)) & (np.arange(_RINGS) >= 1)
    used[:4] = True
    likely = []
    for kernel in KERNELS:
        off = [np.std((level - spectrum(_centred(kernel, w, size)))[used]) for w in _WIDTHS]
        likely.append((min(off), kernel, float(_WIDTHS[int(np.argmin(off))])))
    return [(kernel, width) for _, kernel, width in sorted(likely)]


def _nothing(kernel: str, width: float) -> Recovered:
    none = np.zeros(0)
    return Recovered(none, none, none, kernel, width)


def _pursue(surface: Floats, kernel: str, width: float, most: int) -> Recovered:
    """Lay bumps down a few at a time, fitting all of them together after each time."""
    stride = max(int(width / _CELLS_A_WIDTH), 1)
    first = stride // 2
    values = surface[first::stride, first::stride]
    exact = exactness(np.nan_to_num(surface))[first::stride, first::stride]
    weight = np.where(np.isfinite(values), 1 / exact, 0.0)
    values = np.nan_to_num(values)
    found = _nothing(kernel, width / stride)
    found = replace(found, misfit=_misfit(values, weight, found))
    while len(found.rows) < most and found.misfit > _GOOD:
        more = _descended(values, weight, _some_more(values, weight, found), steps=3)
        if more.misfit >= found.misfit * _PROGRESS:
            break
        found = more
    found = _descended(values, weight, found, steps=10)
    return replace(
        found,
        rows=first + found.rows * stride,
        columns=first + found.columns * stride,
        bandwidth=found.bandwidth * stride,
    )


def _descended(values: Floats, weight: Floats, found: Recovered, *, steps: int) -> Recovered:
    for _ in range(steps):
        better = _stepped(values, weight, found)
        if better.misfit >= found.misfit * 0.999:
            return better
        found = better
    return found


def _some_more(values: Floats, weight: Floats, found: Recovered) -> Recovered:
    """Add bumps where they explain most of what is left, far from each other; fit all heights."""
    left = (values - _drawn(values.shape, found)) * weight**2
    size = _padded(values.shape, 4 * found.bandwidth)
    bump = _centred(found.kernel, found.bandwidth, size)
    met = fft.irfft2(fft.rfft2(left, size) * fft.rfft2(bump), size)
    own = fft.irfft2(fft.rfft2(weight**2, size) * fft.rfft2(bump**2), size)
    gain = np.maximum(met, 0) ** 2 / np.maximum(own, 1e-6 * own.max())
    gain = gain[: values.shape[0], : values.shape[1]]
    apart = 2 * int(2 * found.bandwidth) + 1
    top = (gain == maximum_filter(gain, size=apart)) & (gain > _TOGETHER * gain.max())
    rows, columns = np.nonzero(top)
    more = replace(
        found,
        rows=np.append(found.rows, rows.astype(float)),
        columns=np.append(found.columns, columns.astype(float)),
        heights=np.append(found.heights, np.zeros(len(rows))),
    )
    square, _, _ = _squares(values.shape, more)
    bumps = _shape(more.kernel, square).reshape(len(more.rows), -1) * weight.ravel()
    heights, _ = nnls(bumps @ bumps.T, bumps @ (values * weight).ravel())
    more = replace(more, heights=heights)
    return replace(more, misfit=_misfit(values, weight, more))


def _squares(shape: tuple[int, ...], found: Recovered) -> tuple[Floats, Floats, Floats]:
    """Return for each bump and cell the squared distance, and its parts, in widths."""
    row = (np.arange(shape[0]) - found.rows[:, None]) / found.bandwidth
    column = (np.arange(shape[1]) - found.columns[:, None]) / found.bandwidth
    square: Floats = (row**2)[:, :, None] + (column**2)[:, None, :]
    return square, row[:, :, None], column[:, None, :]


def _shape(kernel: str, square: Floats) -> Floats:
    shape: Floats = np.exp(-square / 2) if kernel == "gaussian" else np.maximum(1 - square, 0) ** 2
    return shape


def _drawn(shape: tuple[int, ...], found: Recovered) -> Floats:
    square, _, _ = _squares(shape, found)
    drawn: Floats = np.tensordot(found.heights, _shape(found.kernel, square), axes=1)
    return drawn


def _misfit(values: Floats, weight: Floats, found: Recovered) -> float:
    left = (values - _drawn(values.shape, found)) * weight
    return float(np.sqrt((left**2).sum() / max(int((weight > 0).sum()), 1)))


def _stepped(values: Floats, weight: Floats, found: Recovered) -> Recovered:
    """Move places, heights and the width together: a step of Gauss and Newton, damped."""
    number = len(found.rows)
    step = _step(values, weight, found)
    for share in (1.0, 0.3):
        part = step * share
        moved = replace(
            found,
            rows=found.rows + np.clip(part[:number], -1.5, 1.5),
            columns=found.columns + np.clip(part[number : 2 * number], -1.5, 1.5),
            heights=np.maximum(found.heights + part[2 * number : 3 * number], 0.0),
            bandwidth=float(found.bandwidth * (1 + np.clip(part[-1], -0.1, 0.1))),
        )
        moved = replace(moved, misfit=_misfit(values, weight, moved))
        if moved.misfit < found.misfit:
            return moved
    return found


def _step(values: Floats, weight: Floats, found: Recovered) -> Floats:
    square, row, column = _squares(values.shape, found)
    bumps = _shape(found.kernel, square)
    steep = bumps if found.kernel == "gaussian" else np.sqrt(bumps) * 4.0
    slope = steep * found.heights[:, None, None]
    wider = (slope * square).sum(axis=0)[None]
    sideways = slope / found.bandwidth
    matrix = np.concatenate([sideways * row, sideways * column, bumps, wider]) * weight
    matrix = matrix.reshape(len(matrix), -1)
    gram = matrix @ matrix.T
    gram += np.diag(1e-3 * np.diag(gram) + 1e-12)
    left = (values - np.tensordot(found.heights, bumps, axes=1)) * weight
    return np.asarray(np.linalg.solve(gram, matrix @ left.ravel()), dtype=np.float64)


def _with_share(surface: Floats, found: Recovered) -> Recovered:
    """Leave out bumps of no height, and say how much of the surface the others draw again."""
    heights = found.heights
    kept = heights > 0.1 * np.median(heights) if len(heights) else heights > 0
    found = replace(
        found, rows=found.rows[kept], columns=found.columns[kept], heights=heights[kept]
    )
    known = np.isfinite(surface)
    values = surface[known]
    rest = float(((values - _drawn(surface.shape, found)[known]) ** 2).sum())
    spread = float(((values - values.mean()) ** 2).sum()) if len(values) else 0.0
    return replace(found, explained=1 - rest / spread if spread > 0 else 0.0)
