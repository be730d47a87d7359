"""Land, sea, towns and villages: where an invented district could be."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LSOA_AREA = 3.0e6
"""Mean area of an LSOA in square metres (3 square kilometres)."""

LSOA_RESIDENTS = 1_650.0
"""Mean residents of an LSOA."""

URBAN_DENSITY = 4_300.0
"""Residents a square kilometre inside a town."""

_UNIT_AREAS = 200
_EAST_LIMIT = 655_000.0
_WEST, _SOUTH = 585_000.0, 401_000.0


@dataclass(frozen=True)
class Surface:
    """A smooth random surface of mean zero and standard deviation about one."""

    west: float
    south: float
    grids: tuple[tuple[float, float, Floats], ...]

    def __call__(self, x: Floats, y: Floats) -> Floats:
        """Return the surface's value at each point (metres)."""
        total = np.zeros(np.shape(x))
        for spacing, gain, grid in self.grids:
            at = np.stack([(y - self.south) / spacing + 2, (x - self.west) / spacing + 2])
            total += gain * ndimage.map_coordinates(grid, at, order=3, mode="reflect")
        return total


@dataclass(frozen=True)
class Terrain:
    """
    The lie of the land.

    Attributes
    ----------
    west, south, width, height
        The frame, in metres of the British National Grid, sea included.
    unit
        Length that the features are sized by: the side of a district.
    towns, villages
        One row each: easting, northing, radius (all metres), residents.
    """

    areas: int
    west: float
    south: float
    width: float
    height: float
    unit: float
    coast: float
    surfaces: dict[str, Surface] = field(repr=False)
    estuaries: Floats = field(repr=False)
    islands: Floats = field(repr=False)
    towns: Floats = field(repr=False)
    villages: Floats = field(repr=False)

    def depth(self, x: Floats, y: Floats) -> Floats:
        """Return how far inside the land a point lies, in rough metres; negative outside."""
        main = np.minimum(self._inland(x, y), self._shore(x, y))
        for estuary in self.estuaries:
            near = np.abs(y - estuary[0]) < 0.4 * self.unit
            near &= x > self.coast - estuary[1] - 0.4 * self.unit
            main[near] = np.minimum(main[near], self._bank(x[near], y[near], estuary))
        for island in self.islands:
            near = np.hypot(x - island[0], y - island[1]) < 0.3 * self.unit
            main[near] = np.maximum(main[near], self._isle(x[near], y[near], island))
        sides = np.minimum(x - self.west, self.west + self.width - x)
        ends = np.minimum(y - self.south, self.south + self.height - y)
        return np.minimum(main, np.minimum(sides, ends) - 0.03 * self.unit)

    def _inland(self, x: Floats, y: Floats) -> Floats:
        half = (self.height - 0.26 * self.unit) / 2
        middle_y = self.south + self.height / 2
        reach = self.coast - self.west - 0.1 * self.unit
        across = np.maximum(0.0, (self.coast - x) / reach)
        along = np.abs(y - middle_y) / half
        radius = (across**2.8 + along**2.8) ** (1 / 2.8)
        wave = self.surfaces["border"](x, y)
        fine = self.surfaces["border_fine"](x, y)
        return np.asarray((1 - radius) * half + self.unit * (0.05 * wave + 0.006 * fine))

    def _shore(self, x: Floats, y: Floats) -> Floats:
        wave = self.surfaces["shore"](x, y)
        return np.asarray(self.coast - x + 0.055 * self.unit * wave)

    def _bank(self, x: Floats, y: Floats, estuary: Floats) -> Floats:
        middle, length, mouth = estuary
        head = self.coast - length
        opening = np.clip((x - head) / length, 0.0, 1.6)
        line = middle + 0.06 * self.unit * self.surfaces["channel"](x, np.full_like(y, middle))
        half = mouth * opening**1.6
        rough = 0.006 * self.unit * self.surfaces["border_fine"](x, y) * (opening > 0)
        past_head = np.where(x < head, head - x, 0.0)
        return np.asarray(np.hypot(y - line, past_head) - half + rough * np.minimum(1, opening * 3))

    def _isle(self, x: Floats, y: Floats, island: Floats) -> Floats:
        middle_x, middle_y, long_half, short_half, angle = island
        dx, dy = x - middle_x, y - middle_y
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = dy * np.cos(angle) - dx * np.sin(angle)
        radius = np.hypot(along / long_half, across / short_half)
        wave = self.surfaces["border_fine"](x, y)
        return np.asarray((1 - radius) * short_half + 0.012 * self.unit * wave)

    def nearness(self, x: Floats, y: Floats) -> tuple[Ints, Floats]:
        """
        Return the town that each point is nearest to, and how near.

        Returns
        -------
        town
            Row of the town, by distance in town radii.
        distance
            That distance; below about 1.35 the point is in the town.
        """
        from scipy.spatial import cKDTree

        bend = np.exp(0.22 * self.surfaces["town"](x, y))
        tree = cKDTree(self.towns[:, :2])
        near = min(4, len(self.towns))
        metres, rows = tree.query(np.column_stack([x, y]), k=near)
        metres, rows = np.reshape(metres, (len(x), near)), np.reshape(rows, (len(x), near))
        scaled = metres / (self.towns[rows, 2] * bend[:, None])
        best = scaled.argmin(axis=1)
        take = np.arange(len(x))
        return np.asarray(rows[take, best], dtype=np.int64), scaled[take, best]


def make_surface(
    rng: np.random.Generator,
    frame: tuple[float, float, float, float],
    *,
    scale: float,
    octaves: int = 4,
    gain: float = 0.5,
) -> Surface:
    """
    Make a random surface: lattice noise in octaves, each half the scale of the one before.

    Parameters
    ----------
    rng
        Source of randomness.
    frame
        West, south, width, height in metres.
    scale
        Size of the largest features in metres.
    octaves
        Number of halvings.
    gain
        Amplitude of an octave relative to the one before.

    Examples
    --------
    >>> surface = make_surface(np.random.default_rng(1), (0, 0, 100, 100), scale=20)
    >>> surface(np.array([5.0]), np.array([5.0])).shape
    (1,)
    """
    west, south, width, height = frame
    grids = []
    power = np.sqrt(sum(gain ** (2 * k) for k in range(octaves)))
    for octave in range(octaves):
        spacing = scale / 2**octave
        shape = (int(height / spacing) + 6, int(width / spacing) + 6)
        grid = rng.standard_normal(shape)
        grids.append((spacing, 1.45 * gain**octave / power, grid))
    return Surface(west, south, tuple(grids))


def make_terrain(areas: int, rng: np.random.Generator) -> Terrain:
    """
    Lay out land, coast, estuaries, islands, towns and villages for a number of LSOAs.

    Parameters
    ----------
    areas
        Number of LSOAs that the land will hold.
    rng
        Source of randomness.

    Returns
    -------
    terrain
        In the North Sea off Lincolnshire where it fits; larger ones reach
        further west and north.

    Examples
    --------
    >>> terrain = make_terrain(200, np.random.default_rng(1))
    >>> terrain.towns.shape
    (3, 4)
    >>> float(terrain.depth(terrain.towns[:, 0], terrain.towns[:, 1]).min()) > 0
    True
    """
    size = float(np.sqrt(areas * LSOA_AREA))
    unit = float(np.sqrt(min(areas, _UNIT_AREAS) * LSOA_AREA))
    inland, tall = size * 1.0, size * 1.06 + 0.26 * unit
    width = 0.1 * unit + inland + 0.42 * unit
    west = min(_WEST, _EAST_LIMIT - width)
    frame = (west, _SOUTH, width, tall)
    surfaces = {
        "border": make_surface(rng, frame, scale=unit / 3, octaves=4, gain=0.45),
        "border_fine": make_surface(rng, frame, scale=unit / 14, octaves=3),
        "shore": make_surface(rng, frame, scale=unit / 3, octaves=5, gain=0.55),
        "channel": make_surface(rng, frame, scale=unit / 5, octaves=3),
        "town": make_surface(rng, frame, scale=unit / 9, octaves=2),
        "warp_x": make_surface(rng, frame, scale=unit / 8, octaves=3),
        "warp_y": make_surface(rng, frame, scale=unit / 8, octaves=3),
    }
    coast = west + 0.1 * unit + inland
    waters = max(1, round(tall / (1.3 * unit)))
    steps = (np.arange(waters) + 0.5) / waters
    middle = _SOUTH + tall * (steps + rng.uniform(-0.1, 0.02, waters) / waters)
    length = unit * rng.uniform(0.38, 0.52, waters)
    estuaries = np.column_stack([middle, length, unit * rng.uniform(0.055, 0.075, waters)])
    islands = _islands(estuaries, coast, unit, rng)
    bare = Terrain(
        areas, west, _SOUTH, width, tall, unit, coast, surfaces, estuaries, islands,
        np.empty((0, 4)), np.empty((0, 4)),
    )  # fmt: skip
    towns = _towns(bare, rng)
    villages = _villages(bare, towns, rng)
    return Terrain(
        areas, west, _SOUTH, width, tall, unit, coast, surfaces, estuaries, islands,
        towns, villages,
    )  # fmt: skip


def _islands(estuaries: Floats, coast: float, unit: float, rng: np.random.Generator) -> Floats:
    rows = []
    for middle, _, _ in estuaries:
        side = 0.24 * unit * (1 if rng.random() < 0.5 else -1)
        rows.append([coast + 0.24 * unit, middle + side, 0.11 * unit, 0.05 * unit, 1.15])
        rows.append([coast + 0.2 * unit, middle + 1.75 * side, 0.03 * unit, 0.02 * unit, 0.6])
    return np.array(rows)


def _towns(land: Terrain, rng: np.random.Generator) -> Floats:
    """Place towns: one at each estuary's head, then by the coast and inland."""
    units = max(1, round(land.areas / _UNIT_AREAS))
    people = land.areas * LSOA_RESIDENTS
    shares = np.concatenate([[0.40, 0.16, 0.09] * rng.uniform(0.8, 1.2, 3) for _ in range(units)])
    residents = shares / shares.sum() * 0.68 * people
    radius = np.sqrt(residents / (np.pi * URBAN_DENSITY)) * 1_000.0
    tries = 4_000 + 100 * len(shares)
    x = land.west + rng.random(tries) * land.width
    y = land.south + rng.random(tries) * land.height
    depth = land.depth(x, y)
    fit = (depth > 0) & (x < land.coast + 0.12 * land.unit)  # not on an island
    x, y, depth = x[fit], y[fit], depth[fit]
    chosen: list[list[float]] = []
    gap = np.full(len(x), np.inf)
    order = np.argsort(-residents, kind="stable")
    heads = [
        (land.coast - 0.92 * e[1], e[0] + 0.06 * land.unit * _channel_at(land, e))
        for e in land.estuaries
    ]
    for rank, k in enumerate(order):
        score = rng.random(len(x))
        if rank < len(heads):
            score = score * 0.2 - np.hypot(x - heads[rank][0], y - heads[rank][1]) / land.unit * 4
        elif rank % 2:  # a seaside town
            score -= np.minimum(12 * np.abs(depth - 0.5 * radius[k]) / land.unit, 4)
            score -= np.clip(2 * (land.coast - 0.2 * land.unit - x) / land.unit, 0, 2)
        else:  # a market town inland
            score += 3 * np.minimum(depth, 2 * radius[k]) / land.unit
        score -= 40 * np.clip(2 * radius[k] - gap, 0, None) / land.unit
        best = int(score.argmax())
        chosen.append([x[best], y[best], radius[k], residents[k]])
        gap = np.minimum(gap, np.hypot(x - x[best], y - y[best]) - 2 * radius[k])
    return np.array(chosen)


def _channel_at(land: Terrain, estuary: Floats) -> float:
    x = np.array([land.coast - 0.92 * estuary[1]])
    return float(land.surfaces["channel"](x, np.array([estuary[0]]))[0])


def _villages(land: Terrain, towns: Floats, rng: np.random.Generator) -> Floats:
    count = max(3, round(0.45 * land.areas))
    x = land.west + rng.random(count * 6) * land.width
    y = land.south + rng.random(count * 6) * land.height
    keep = land.depth(x, y) > 0.012 * land.unit
    x, y = x[keep], y[keep]
    from scipy.spatial import cKDTree

    metres, rows = cKDTree(towns[:, :2]).query(np.column_stack([x, y]))
    away = metres > 1.7 * towns[rows, 2]
    x, y = x[away][:count], y[away][:count]
    isle = land.islands[0::2]
    x, y = np.append(x, isle[:, 0]), np.append(y, isle[:, 1])
    weight = rng.lognormal(0, 0.7, len(x))
    residents = weight / weight.sum() * 0.15 * land.areas * LSOA_RESIDENTS
    radius = np.sqrt(residents / (np.pi * 1_800.0)) * 1_000.0
    return np.column_stack([x, y, radius, residents])
