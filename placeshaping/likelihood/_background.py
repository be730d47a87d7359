"""The part of a rate that no earlier event explains: where, and in which month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage, sparse

from placeshaping._core.compiled import compiled
from placeshaping.likelihood._kernel_sums import kernel_matrix

Floats = NDArray[np.float64]

_CELLS_A_BANDWIDTH = 4
_MOST_CELLS = 1_000_000
_MOST_STEPS = 14  # half octaves: 128 times the finest bandwidth
_REACH = 4.0  # bandwidths after which a kernel is cut off


@dataclass(frozen=True)
class Plane:
    """
    A raster over the study area, on which kernels are summed.

    Attributes
    ----------
    west, south
        Corner in metres.
    size
        Side of a cell in metres.
    inside
        Whether the centre of a cell lies in the study area; rows from the south.
    """

    west: float
    south: float
    size: float
    inside: NDArray[np.bool_]

    def spread(self, x: Floats, y: Floats, weight: Floats) -> Floats:
        """Share the weight of points among the four cells around each, and add up."""
        total = np.zeros(self.inside.shape)
        column, row = (x - self.west) / self.size - 0.5, (y - self.south) / self.size - 0.5
        _deposit(column, row, weight, total)
        return total

    def at(self, values: Floats, x: Floats, y: Floats) -> Floats:
        """Read a raster at points, bilinearly."""
        column, row = (x - self.west) / self.size - 0.5, (y - self.south) / self.size - 0.5
        return np.asarray(ndimage.map_coordinates(values, [row, column], order=1, mode="nearest"))

    def smooth(self, values: Floats, bandwidth: float) -> Floats:
        """Blur with a Gaussian of a bandwidth in metres; nothing comes in from outside."""
        cells = bandwidth / self.size
        return np.asarray(ndimage.gaussian_filter(values, cells, mode="constant", truncate=_REACH))

    def inside_mass(self, x: Floats, y: Floats, bandwidth: float) -> Floats:
        """Return the share of a Gaussian around each point that lies in the study area."""
        mass = self.smooth(self.inside.astype(float), bandwidth)
        return np.clip(self.at(mass, x, y), 0.05, 1.0)

    @property
    def centres(self) -> tuple[Floats, Floats]:
        """Easting and northing of the cells' centres, of the shape of the raster."""
        rows, columns = self.inside.shape
        x = self.west + (np.arange(columns) + 0.5) * self.size
        y = self.south + (np.arange(rows) + 0.5) * self.size
        easting, northing = np.meshgrid(x, y)
        return easting, northing


def make_plane(area: shapely.Geometry, bandwidth: float) -> Plane:
    """
    Lay a raster over a study area, fine enough for a bandwidth.

    Parameters
    ----------
    area
        Polygon or polygons, metres.
    bandwidth
        Metres; a cell is a quarter of it, or more where that would be over a
        million cells.
    """
    west, south, east, north = area.bounds
    size = max(
        bandwidth / _CELLS_A_BANDWIDTH, np.sqrt((east - west) * (north - south) / _MOST_CELLS)
    )
    columns, rows = int((east - west) // size) + 1, int((north - south) // size) + 1
    plane = Plane(west, south, float(size), np.zeros((rows, columns), dtype=bool))
    shapely.prepare(area)
    return Plane(west, south, float(size), shapely.contains_xy(area, *plane.centres))


@dataclass(frozen=True)
class AdaptiveKernels:
    """
    A kernel density of events, each weighed by how likely it was set off by none.

    Each event's bandwidth is the distance to its `k`-th nearest neighbour
    (Zhuang, Ogata and Vere-Jones 2002; Mohler et al. 2011), rounded to half an
    octave so that events of like bandwidth share a raster. Every kernel is
    divided by its own mass inside the study area (Diggle 1985).
    """

    x: Floats
    y: Floats
    band: NDArray[np.int64]
    bandwidths: Floats
    planes: tuple[Plane, ...]
    mass: Floats

    def surfaces(self, weight: Floats) -> list[tuple[Plane, Floats]]:
        """Return the density a square metre of the events of each bandwidth; their sum counts."""
        made = []
        for number, (plane, bandwidth) in enumerate(zip(self.planes, self.bandwidths, strict=True)):
            of = self.band == number
            scaled = weight[of] / self.mass[of] / weight.sum()
            spread = plane.spread(self.x[of], self.y[of], scaled)
            made.append((plane, plane.smooth(spread, bandwidth) / plane.size**2))
        return made

    @property
    def felt(self) -> sparse.csr_array:
        """The density of each event's kernel (row) at each other event, inside the study area."""
        matrix = kernel_matrix(self.x, self.y, self.band, self.bandwidths)
        matrix.data /= np.repeat(self.mass, np.diff(matrix.indptr)).astype(np.float32)
        return matrix


def adaptive_kernels(
    area: shapely.Geometry, x: Floats, y: Floats, *, neighbours: int, finest: float
) -> AdaptiveKernels:
    """
    Give each event its bandwidth.

    Parameters
    ----------
    area
        Study area, metres.
    x, y
        Events, metres.
    neighbours
        Which nearest neighbour's distance is the bandwidth.
    finest
        Smallest bandwidth, metres.
    """
    from scipy.spatial import cKDTree

    places = np.column_stack([x, y])
    apart: Any = cKDTree(places).query(places, [min(neighbours, len(x) - 1) + 1])[0]
    steps = np.round(2 * np.log2(np.maximum(apart[:, 0], finest) / finest)).astype(np.int64)
    present, band = np.unique(np.minimum(steps, _MOST_STEPS), return_inverse=True)
    present, band = np.atleast_1d(present), np.asarray(band, dtype=np.int64)
    bandwidths = finest * np.exp2(present / 2)
    planes = tuple(make_plane(area, float(bandwidth)) for bandwidth in bandwidths)
    mass = np.empty(len(x))
    for number, (plane, bandwidth) in enumerate(zip(planes, bandwidths, strict=True)):
        of = band == number
        mass[of] = plane.inside_mass(x[of], y[of], float(bandwidth))
    return AdaptiveKernels(x, y, band, bandwidths, planes, mass)


@compiled()
def _deposit(column: Any, row: Any, weight: Any, total: Any) -> None:
    rows, columns = total.shape
    for i in range(len(weight)):
        left, below = int(np.floor(column[i])), int(np.floor(row[i]))
        right, above = column[i] - left, row[i] - below
        for dr in range(2):
            for dc in range(2):
                r = min(max(below + dr, 0), rows - 1)
                c = min(max(left + dc, 0), columns - 1)
                share = (above if dr else 1 - above) * (right if dc else 1 - right)
                total[r, c] += weight[i] * share


def month_factors(months: NDArray[np.int64], at: NDArray[np.int64], weight: Floats) -> Floats:
    """
    Return how far the background of each calendar month lies above the mean of the window.

    Parameters
    ----------
    months
        Month (0 to 11) of each day of the window.
    at
        Day of each event, counted from the first of the window.
    weight
        How likely each event is background.

    Returns
    -------
    factors
        Twelve numbers whose mean over the days of the window is 1; a month
        that the window lacks has 1.
    """
    days = np.bincount(months, minlength=12)
    events = np.bincount(months[at], weights=weight, minlength=12)
    overall = events.sum() / days.sum()
    return np.asarray(np.divide(events, days * overall, out=np.ones(12), where=days > 0))
