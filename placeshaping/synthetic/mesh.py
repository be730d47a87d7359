"""
The mesh: small Voronoi cells from which every area is put together.

Neighbouring areas share the very same vertices because both are put together
from the same arcs. An arc between two cells runs inside the two triangles
that its straight line forms with the cells' seeds; those triangles do not
overlap, so no two arcs ever cross, however rough they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Voronoi, cKDTree

from placeshaping._core.compiled import compiled
from placeshaping.synthetic.terrain import Flags, Floats, Ints, Terrain

_ROOM = 0.55
_STEP = 45.0
_DECIMALS = 4  # a tenth of a millimetre: at a centimetre, very short arcs would close up


@dataclass(frozen=True)
class Mesh:
    """
    Cells and the arcs between them.

    Attributes
    ----------
    xy
        Seed of each cell, shape (cells, 2), metres.
    weight
        Relative number of residents; zero outside the land.
    land
        Whether a cell belongs to the district.
    left, right
        Cells on the two sides of an arc.
    start, end
        Vertices of an arc; the left cell lies to its left.
    vertices
        Shape (vertices, 2), metres.
    bends
        Coordinates of the arcs' inner points; those of arc `i` stand at
        ``offset[i]:offset[i + 1]``.
    """

    xy: Floats
    weight: Floats
    land: Flags
    left: Ints
    right: Ints
    start: Ints
    end: Ints
    vertices: Floats
    bends: Floats
    offset: Ints


def make_mesh(terrain: Terrain, rng: np.random.Generator, *, cells_per_area: int = 22) -> Mesh:
    """
    Cover land and surroundings with cells, dense where people live.

    Parameters
    ----------
    terrain
        The lie of the land.
    rng
        Source of randomness.
    cells_per_area
        Cells to an LSOA, about.

    Examples
    --------
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> mesh = make_mesh(make_terrain(10, rng), rng)
    >>> bool(mesh.land.any()), bool(mesh.weight[~mesh.land].any())
    (True, False)
    """
    xy, weight = _seeds(terrain, rng, terrain.areas * cells_per_area)
    land = terrain.depth(xy[:, 0], xy[:, 1]) > 0
    return _mesh_from(xy, weight, land, terrain)


def _seeds(terrain: Terrain, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    frame = np.array([terrain.west, terrain.south])
    size = np.array([terrain.width, terrain.height])
    people = terrain.areas * 1_650.0
    parts = [_around(terrain.towns, count / people, rng, terrain)]
    parts.append(_around(terrain.villages, count / people, rng, terrain))
    spread = 0.17 * count * size.prod() / (terrain.areas * 3.0e6)
    parts.append(frame + rng.random((int(spread), 2)) * size)
    dense = np.concatenate(parts)
    inside = ((dense >= frame) & (dense <= frame + size)).all(axis=1)
    dense = _spread_out(dense[inside])
    edge = _along_the_edge(terrain, rng)
    gap = cKDTree(dense).query(edge)[0]
    edge = edge[gap > 0.35 * np.median(gap)]
    weight = np.concatenate([np.ones(len(dense)), np.full(len(edge), 0.1)])
    return np.concatenate([dense, edge]), weight


def _around(places: Floats, rate: float, rng: np.random.Generator, terrain: Terrain) -> Floats:
    """Scatter seeds around towns or villages, their outlines bent."""
    number = np.maximum(1, (places[:, 3] * rate).astype(int))
    which = np.repeat(np.arange(len(places)), number)
    radius = np.sqrt(-np.log(1 - 0.93 * rng.random(len(which))))
    angle = 2 * np.pi * rng.random(len(which))
    reach = places[which, 2] * radius
    x = places[which, 0] + reach * np.cos(angle)
    y = places[which, 1] + reach * np.sin(angle)
    bend = np.exp(0.22 * terrain.surfaces["town"](x, y))
    return np.column_stack(
        [
            places[which, 0] + reach * bend * np.cos(angle),
            places[which, 1] + reach * bend * np.sin(angle),
        ]
    )


def _spread_out(xy: Floats, *, rounds: int = 4) -> Floats:
    """Push seeds apart so that cells come out less uneven than chance makes them."""
    for _ in range(rounds):
        found, rows = cKDTree(xy).query(xy, k=7, workers=-1)
        metres, near = np.asarray(found)[:, 1:], np.asarray(rows)[:, 1:]
        wanted = metres.mean(axis=1, keepdims=True)
        push = np.clip(wanted - metres, 0, None) / np.maximum(metres, 1e-6)
        xy = xy + 0.35 * ((xy[:, None, :] - xy[near]) * push[:, :, None]).mean(axis=1)
    return np.asarray(xy)


def _along_the_edge(terrain: Terrain, rng: np.random.Generator) -> Floats:
    """Return extra seeds on both sides of coast and border, so that these come out detailed."""
    step = terrain.unit / 110
    columns = np.arange(terrain.west, terrain.west + terrain.width, step)
    rows = np.arange(terrain.south, terrain.south + terrain.height, step)
    x, y = (axis.ravel() for axis in np.meshgrid(columns, rows))
    depth = terrain.depth(x, y)
    near = np.abs(depth) < 0.75 * step
    xy = np.column_stack([x[near], y[near]])
    return np.asarray(xy + rng.uniform(-0.45, 0.45, xy.shape) * step)


def _mesh_from(xy: Floats, weight: Floats, land: Flags, terrain: Terrain) -> Mesh:
    low, high = xy.min(axis=0), xy.max(axis=0)
    reach = (high - low).max() * 2
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = (low + high) / 2 + reach * np.column_stack([np.cos(turn), np.sin(turn)])
    cells = Voronoi(np.concatenate([xy, ring]))
    pairs = np.asarray(cells.ridge_points, dtype=np.int64)
    ends = np.asarray([r if len(r) == 2 else (-1, -1) for r in cells.ridge_vertices])
    n = len(xy)
    keep = np.asarray((pairs < n).all(axis=1) & (ends >= 0).all(axis=1))
    land = _tidied(land, xy, pairs[keep], terrain)
    weight = np.where(land, weight, 0.0)
    keep[keep] = land[pairs[keep]].any(axis=1)
    pairs, ends = pairs[keep], ends[keep].astype(np.int64)
    vertices = np.round(cells.vertices, _DECIMALS)
    a, b = cells.vertices[ends[:, 0]], cells.vertices[ends[:, 1]]
    side = _cross(b - a, xy[pairs[:, 0]] - a)
    swap = side < 0
    ends[swap] = ends[swap, ::-1]
    return Mesh(
        xy, weight, land, pairs[:, 0], pairs[:, 1], ends[:, 0], ends[:, 1], vertices,
        np.empty((0, 2)), np.zeros(len(pairs) + 1, dtype=np.int64),
    )  # fmt: skip


def _tidied(land: Flags, xy: Floats, pairs: Ints, terrain: Terrain) -> Flags:
    """Fill lakes, and drop scraps of land that are neither mainland nor one of the islands."""
    land = land.copy()
    for kind in (False, True):
        same = (land[pairs] == kind).all(axis=1)
        graph = coo_matrix((np.ones(same.sum()), pairs[same].T), shape=(len(xy), len(xy)))
        piece = connected_components(graph, directed=False)[1]
        size = np.bincount(piece, weights=land == kind)
        keep = size == size.max()
        if kind:
            far = np.isin(piece, np.unique(piece[_on_island(xy, terrain)]))
            keep[piece[far & (size[piece] >= 6)]] = True
        land[(land == kind) & ~keep[piece]] = not kind
    return land


def _on_island(xy: Floats, terrain: Terrain) -> Flags:
    metres = cKDTree(terrain.islands[:, :2]).query(xy)[0]
    return np.asarray(metres < 0.04 * terrain.unit)


def _cross(a: Floats, b: Floats) -> Floats:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def roughen(mesh: Mesh, label: Ints, rng: np.random.Generator) -> Mesh:
    """
    Bend the arcs between cells of unlike label, by midpoint displacement.

    Parameters
    ----------
    mesh
        With straight arcs.
    label
        Of each cell; arcs within a label stay straight.
    rng
        Source of randomness.

    Examples
    --------
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> mesh = make_mesh(make_terrain(10, rng), rng)
    >>> len(roughen(mesh, mesh.land.astype(int), rng).bends) > 0
    True
    """
    a, b = mesh.vertices[mesh.start], mesh.vertices[mesh.end]
    length = np.hypot(*(b - a).T)
    levels = np.clip(np.round(np.log2(np.maximum(length, 1) / _STEP)), 0, 4).astype(np.int64)
    levels[label[mesh.left] == label[mesh.right]] = 0
    inner = 2**levels - 1
    offset = np.concatenate([[0], np.cumsum(inner)])
    bends: Floats = np.empty((offset[-1], 2))
    for level in range(1, 5):
        arcs = np.flatnonzero(levels == level)
        if len(arcs):
            points = _bend(mesh, arcs, level, rng)
            slots = offset[arcs][:, None] + np.arange(2**level - 1)
            bends[slots] = points
    return replace(
        mesh, bends=np.asarray(np.round(bends, _DECIMALS), dtype=np.float64), offset=offset
    )


def _bend(mesh: Mesh, arcs: Ints, level: int, rng: np.random.Generator) -> Floats:
    """Return the inner points of arcs, shape (arcs, 2 ** level - 1, 2)."""
    a, b = mesh.vertices[mesh.start[arcs]], mesh.vertices[mesh.end[arcs]]
    along = b - a
    length = np.hypot(*along.T)
    unit = along / length[:, None]
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    steps = 2**level
    t = np.arange(steps + 1) / steps
    up = _ROOM * _tent(mesh.xy[mesh.left[arcs]] - a, unit, normal, length, t)
    down = _ROOM * _tent(mesh.xy[mesh.right[arcs]] - a, unit, -normal, length, t)
    y = np.zeros((len(arcs), steps + 1))
    stride = steps
    while stride > 1:
        half = stride // 2
        at = np.arange(half, steps, stride)
        rough = rng.normal(0, 0.21, (len(arcs), len(at))) * length[:, None] * stride / steps
        y[:, at] = (y[:, at - half] + y[:, at + half]) / 2 + rough
        y[:, at] = np.clip(y[:, at], -down[:, at], up[:, at])
        stride = half
    inner = slice(1, steps)
    line = a[:, None, :] + along[:, None, :] * t[None, inner, None]
    return np.asarray(line + normal[:, None, :] * y[:, inner, None])


def _tent(seed: Floats, unit: Floats, normal: Floats, length: Floats, t: Floats) -> Floats:
    """Return the height over the line, at each `t`, of the triangle that it forms with a seed."""
    foot = ((seed * unit).sum(axis=1) / length)[:, None]
    height = np.abs((seed * normal).sum(axis=1))[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where(foot > 0, t / foot, np.inf)
        falling = np.where(foot < 1, (1 - t) / (1 - foot), np.inf)
    return np.asarray(height * np.minimum(np.minimum(rising, falling), 1.0))


def dissolve(mesh: Mesh, label: Ints, count: int) -> NDArray[Any]:
    """
    Put areas together from the cells that bear their label.

    Parameters
    ----------
    mesh
        With its arcs bent.
    label
        Of each cell: 0 to `count` - 1, or negative for outside.
    count
        Number of areas.

    Returns
    -------
    polygons
        Array of shapely geometries, in the order of the labels; multipolygons
        where an area has detached parts.

    Examples
    --------
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> mesh = make_mesh(make_terrain(10, rng), rng)
    >>> whole = dissolve(mesh, np.where(mesh.land, 0, -1), 1)
    >>> bool(whole[0].is_valid)
    True
    """
    arcs = np.flatnonzero(label[mesh.left] != label[mesh.right])
    arc = np.concatenate([arcs, arcs])
    forward = np.repeat([True, False], len(arcs))
    area = np.concatenate([label[mesh.left[arcs]], label[mesh.right[arcs]]])
    first = np.where(forward, mesh.start[arc], mesh.end[arc])
    last = np.where(forward, mesh.end[arc], mesh.start[arc])
    used = area >= 0
    arc, forward, area, first, last = (v[used] for v in (arc, forward, area, first, last))
    order = np.lexsort((first, area))
    arc, forward, area, first, last = (v[order] for v in (arc, forward, area, first, last))
    size = len(mesh.vertices)
    follow = np.searchsorted(area * size + first, area * size + last)
    ring, place = _chain(follow)
    xy, ring_of_point = _ring_points(mesh, arc, forward, first, ring, place)
    rings = shapely.linearrings(xy, indices=ring_of_point)
    area_of_ring = np.empty(len(rings), dtype=np.int64)
    area_of_ring[ring] = area
    return _polygons(rings, area_of_ring, count)


def _chain(follow: Ints) -> tuple[Ints, Ints]:
    """Return each half arc's ring, and its place in the ring."""
    ring = np.full(len(follow), -1, dtype=np.int64)
    place = np.zeros(len(follow), dtype=np.int64)
    _walk(follow.astype(np.int64), ring, place)
    return ring, place


@compiled()
def _walk(follow: Ints, ring: Ints, place: Ints) -> None:
    rings = 0
    for begin in range(len(follow)):
        if ring[begin] >= 0:
            continue
        at, step = begin, 0
        while ring[at] < 0:
            ring[at] = rings
            place[at] = step
            at = follow[at]
            step += 1
        rings += 1


def _ring_points(
    mesh: Mesh, arc: Ints, forward: Flags, first: Ints, ring: Ints, place: Ints
) -> tuple[Floats, Ints]:
    """Lay the coordinates of the half arcs one after another, ring by ring."""
    order = np.lexsort((place, ring))
    arc, forward, first, ring = arc[order], forward[order], first[order], ring[order]
    inner = mesh.offset[arc + 1] - mesh.offset[arc]
    begin = np.concatenate([[0], np.cumsum(inner + 1)])
    xy = np.empty((begin[-1], 2))
    xy[begin[:-1]] = mesh.vertices[first]
    half = np.repeat(np.arange(len(arc)), inner)
    step = np.arange(len(half)) - np.repeat(np.cumsum(inner) - inner, inner)
    source = np.where(
        forward[half], mesh.offset[arc[half]] + step, mesh.offset[arc[half] + 1] - 1 - step
    )
    xy[begin[half] + 1 + step] = mesh.bends[source]
    ring_of_point = np.repeat(ring, inner + 1)
    new = np.ones(len(xy), dtype=bool)
    new[1:] = (xy[1:] != xy[:-1]).any(axis=1) | (ring_of_point[1:] != ring_of_point[:-1])
    return xy[new], ring_of_point[new]


def _polygons(rings: NDArray[Any], area: Ints, count: int) -> NDArray[Any]:
    order = np.argsort(area, kind="stable")
    rings, area = rings[order], area[order]
    shells = shapely.is_ccw(rings)
    number = np.bincount(area, minlength=count)
    out = np.empty(count, dtype=object)
    simple = (number[area] == 1) & shells
    out[area[simple]] = shapely.polygons(rings[simple])
    begin = np.searchsorted(area, np.arange(count + 1))
    for one in np.flatnonzero(number != 1):
        part = slice(begin[one], begin[one + 1])
        out[one] = _compound(rings[part], shells[part])
    return out


def _compound(rings: NDArray[Any], shells: Flags) -> Any:
    outer = shapely.polygons(rings[shells])
    holes: list[list[Any]] = [[] for _ in outer]
    for hole in rings[~shells]:
        inside = shapely.contains(outer, shapely.polygons(hole))
        holes[int(np.flatnonzero(inside)[0])].append(hole)
    parts = [
        shapely.polygons(ring, holes=inner or None)
        for ring, inner in zip(rings[shells], holes, strict=True)
    ]
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
