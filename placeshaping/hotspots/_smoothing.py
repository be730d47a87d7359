"""
Kernel sums on a grid: by linear binning and Fourier transform, or one event after the other.

Kernels in the plane integrate to one: quartic 3 / (pi h^2) (1 - d^2/h^2)^2
within h, Gaussian exp(-d^2 / 2h^2) / (2 pi h^2).

Linear binning shares each event among the four centres around it, which is to
interpolate the kernel between them: one event is off in a cell by at most
(side / 2h)^2 of a Gaussian's peak, (side / h)^2 of a quartic's (an eighth of
the squared side times the largest second derivatives).
"""

from __future__ import annotations

import os
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from placeshaping._core.compiled import compiled
from placeshaping.hotspots.surface import Cells

Kernel = Literal["quartic", "gaussian"]
Floats = NDArray[np.float64]

REACH = {"quartic": 1.0, "gaussian": 6.0}
"""Bandwidths beyond which a kernel is taken as zero; a Gaussian is 1.5e-8 of its peak there."""

_NOISE = 1e-12
_CHUNK = 4096


def kernel_at(square: Floats, bandwidth: float, kernel: Kernel) -> Floats:
    """Return the kernel at squared distances, per square metre."""
    share = square / bandwidth**2
    if kernel == "gaussian":
        return np.asarray(np.exp(-share / 2) / (2 * np.pi * bandwidth**2))
    return np.asarray(3 / (np.pi * bandwidth**2) * np.maximum(1 - share, 0) ** 2)


def binning_error(bandwidth: float, side: float, kernel: Kernel) -> float:
    """Return the most that binning puts one event off by in a cell, as a share of its peak."""
    share = side / bandwidth
    return (share / 2) ** 2 if kernel == "gaussian" else share**2


@compiled()
def bin_linear(
    xy: Floats, weights: Floats, west: float, north: float, side: float, rows: int, columns: int
) -> Floats:
    """Share each event among the four centres around it; the grid has one cell more all round."""
    grid = np.zeros((rows + 2, columns + 2))
    for i in range(len(xy)):
        across = (xy[i, 0] - west) / side + 0.5
        down = (north - xy[i, 1]) / side + 0.5
        column, row = int(across), int(down)
        right, below = across - column, down - row
        weight = weights[i]
        grid[row, column] += weight * (1 - right) * (1 - below)
        grid[row, column + 1] += weight * right * (1 - below)
        grid[row + 1, column] += weight * (1 - right) * below
        grid[row + 1, column + 1] += weight * right * below
    return grid


@compiled()
def read_linear(grid: Floats, xy: Floats, west: float, north: float, side: float) -> Floats:
    """Interpolate between the four centres around each event; the transpose of `bin_linear`."""
    found = np.empty(len(xy))
    for i in range(len(xy)):
        across = (xy[i, 0] - west) / side + 0.5
        down = (north - xy[i, 1]) / side + 0.5
        column, row = int(across), int(down)
        right, below = across - column, down - row
        found[i] = (
            grid[row, column] * (1 - right) * (1 - below)
            + grid[row, column + 1] * right * (1 - below)
            + grid[row + 1, column] * (1 - right) * below
            + grid[row + 1, column + 1] * right * below
        )
    return found


class Smoother:
    """Convolves grids of one shape with one kernel; its own transform is taken once."""

    def __init__(
        self,
        shape: tuple[int, int],
        side: float,
        bandwidth: float,
        kernel: Kernel,
        *,
        squared: bool = False,
    ) -> None:
        """Transform the kernel, or its square."""
        self.shape = shape
        self.workers = min(os.cpu_count() or 1, 8)
        far = int(np.ceil(REACH[kernel] * bandwidth / side))
        reach = [min(far, size - 1) for size in shape]
        padded = [size + far_ for size, far_ in zip(shape, reach, strict=True)]
        self.padded = [fft.next_fast_len(size, real=True) for size in padded]
        square = [(np.arange(-far_, far_ + 1) * side) ** 2 for far_ in reach]
        laid = np.zeros(self.padded)
        power = 2 if squared else 1
        spread = kernel_at(square[0][:, None] + square[1], bandwidth, kernel) ** power
        laid[: 2 * reach[0] + 1, : 2 * reach[1] + 1] = spread
        laid = np.roll(laid, (-reach[0], -reach[1]), axis=(0, 1))
        # The kernel is symmetric, so its transform is real.
        self.transformed = fft.rfft2(laid, workers=self.workers).real.copy()

    def __call__(self, grid: Floats) -> Floats:
        """Return the sum over all cells of their value times the kernel, in every cell."""
        spectrum = fft.rfft2(grid, s=self.padded, workers=self.workers)
        spectrum *= self.transformed
        whole = fft.irfft2(spectrum, s=self.padded, workers=self.workers, overwrite_x=True)
        smooth = whole[: self.shape[0], : self.shape[1]]
        smooth[smooth < _NOISE * smooth.max(initial=0.0)] = 0.0
        return np.asarray(smooth)


def binned(xy: Floats, weights: Floats, cells: Cells) -> Floats:
    """Return the events shared out among centres, with one cell more all round."""
    return bin_linear(xy, weights, cells.west, cells.north, cells.side, *cells.shape)


def read_at(grid: Floats, xy: Floats, cells: Cells) -> Floats:
    """Return a grid with one cell more all round, interpolated at the events."""
    return read_linear(grid, xy, cells.west, cells.north, cells.side)


def exact_sum(
    xy: Floats, weights: Floats, cells: Cells, bandwidth: float, kernel: Kernel
) -> Floats:
    """Return the kernel sum in each centre, one event after the other."""
    if kernel == "quartic":
        order = np.argsort(-xy[:, 1], kind="stable")
        return _quartic_sum(
            xy[order], weights[order], cells.eastings, cells.northings, float(bandwidth)
        )
    total = np.zeros(cells.shape)
    for start in range(0, len(xy), _CHUNK):
        part = slice(start, start + _CHUNK)
        across, down = _gaussian_sides(xy[part], cells, bandwidth)
        total += (down * weights[part]) @ across.T
    return total / (2 * np.pi * bandwidth**2)


def exact_mass(
    xy: Floats, inside: NDArray[np.bool_], cells: Cells, bandwidth: float, kernel: Kernel
) -> Floats:
    """Return how much of each event's kernel lies in the cells that are inside."""
    if kernel == "quartic":
        return cells.side**2 * _quartic_mass(
            xy, inside, cells.eastings, cells.northings, float(bandwidth)
        )
    mass = np.empty(len(xy))
    for start in range(0, len(xy), _CHUNK):
        part = slice(start, start + _CHUNK)
        across, down = _gaussian_sides(xy[part], cells, bandwidth)
        mass[part] = np.einsum("ci,ci->i", across, inside.T.astype(np.float64) @ down)
    return mass * cells.side**2 / (2 * np.pi * bandwidth**2)


def _gaussian_sides(xy: Floats, cells: Cells, bandwidth: float) -> tuple[Floats, Floats]:
    across = np.exp(-(((cells.eastings[:, None] - xy[:, 0]) / bandwidth) ** 2) / 2)
    down = np.exp(-(((cells.northings[:, None] - xy[:, 1]) / bandwidth) ** 2) / 2)
    return across, down


@compiled(parallel=True)
def _quartic_sum(
    xy: Floats, weights: Floats, eastings: Floats, northings: Floats, bandwidth: float
) -> Floats:
    """Add up kernels row by row; events stand from north to south."""
    total = np.zeros((len(northings), len(eastings)))
    side = eastings[1] - eastings[0] if len(eastings) > 1 else bandwidth
    scale = 3 / (np.pi * bandwidth**2)
    south = -xy[:, 1]
    for row in numba.prange(len(northings)):
        first = np.searchsorted(south, -northings[row] - bandwidth)
        last = np.searchsorted(south, -northings[row] + bandwidth, side="right")
        for i in range(first, last):
            left_over = 1 - ((xy[i, 1] - northings[row]) / bandwidth) ** 2
            if left_over <= 0:
                continue
            half = np.sqrt(left_over) * bandwidth
            start = max(int(np.floor((xy[i, 0] - half - eastings[0]) / side)), 0)
            stop = min(int(np.ceil((xy[i, 0] + half - eastings[0]) / side)) + 1, len(eastings))
            for column in range(start, stop):
                share = left_over - ((eastings[column] - xy[i, 0]) / bandwidth) ** 2
                if share > 0:
                    total[row, column] += scale * weights[i] * share * share
    return total


@compiled(parallel=True)
def _quartic_mass(
    xy: Floats, inside: NDArray[np.bool_], eastings: Floats, northings: Floats, bandwidth: float
) -> Floats:
    """Add up each event's kernel over the centres inside."""
    mass = np.zeros(len(xy))
    side = eastings[1] - eastings[0] if len(eastings) > 1 else bandwidth
    scale = 3 / (np.pi * bandwidth**2)
    for i in numba.prange(len(xy)):
        x, y = xy[i]
        top = max(int(np.floor((northings[0] - y - bandwidth) / side)), 0)
        bottom = min(int(np.ceil((northings[0] - y + bandwidth) / side)) + 1, len(northings))
        start = max(int(np.floor((x - bandwidth - eastings[0]) / side)), 0)
        stop = min(int(np.ceil((x + bandwidth - eastings[0]) / side)) + 1, len(eastings))
        for row in range(top, bottom):
            for column in range(start, stop):
                if inside[row, column]:
                    square = (eastings[column] - x) ** 2 + (northings[row] - y) ** 2
                    share = 1 - square / bandwidth**2
                    if share > 0:
                        mass[i] += scale * share * share
    return mass
