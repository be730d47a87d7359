"""Which cell does a point lie in, to the bend of the boundary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from placeshaping._core.compiled import compiled
from placeshaping.synthetic.mesh import Mesh
from placeshaping.synthetic.terrain import Floats, Ints


@dataclass(frozen=True)
class Locator:
    """
    Finds cells, and points inside cells.

    Attributes
    ----------
    mesh
        With its arcs bent.
    begin, arcs
        Arcs of cell `i` stand at ``arcs[begin[i]:begin[i + 1]]``.
    area
        Running total of the triangles between each such arc and the cell's seed.
    """

    mesh: Mesh
    begin: Ints
    arcs: Ints
    area: Floats

    @cached_property
    def tree(self) -> cKDTree:
        """Return the seeds, indexed."""
        return cKDTree(self.mesh.xy)

    def cell_at(self, xy: Floats) -> Ints:
        """Return the cell of each point, shape (n, 2); cells outside the land included."""
        if not len(xy):
            return np.empty(0, dtype=np.int64)
        near = np.asarray(self.tree.query(xy, workers=-1)[1], dtype=np.int64)
        return self._corrected(xy, near)

    def points_in(self, cells: Ints, rng: np.random.Generator) -> Floats:
        """Return a random point inside each of the given land cells, shape (n, 2)."""
        m = self.mesh
        low = self.area[self.begin[cells]]
        high = self.area[self.begin[cells + 1]]
        pick = np.searchsorted(self.area, low + (high - low) * rng.random(len(cells)), "right") - 1
        pick = np.clip(pick, self.begin[cells], self.begin[cells + 1] - 1)
        arc = self.arcs[pick]
        u, v = np.sqrt(rng.random(len(cells)))[:, None], rng.random(len(cells))[:, None]
        seed = m.xy[cells]
        side = (1 - v) * m.vertices[m.start[arc]] + v * m.vertices[m.end[arc]]
        xy = seed + u * (side - seed)
        astray = ~m.land[self._corrected(xy, cells)]
        xy[astray] = seed[astray] + 0.4 * (xy[astray] - seed[astray])
        return np.asarray(xy)

    def _corrected(self, xy: Floats, cells: Ints) -> Ints:
        m = self.mesh
        out = cells.copy()
        _correct(
            xy, out, self.begin, self.arcs, m.left, m.right, m.start, m.end, m.vertices,
            m.bends, m.offset,
        )  # fmt: skip
        return out


def make_locator(mesh: Mesh) -> Locator:
    """
    Index a mesh for finding points.

    Examples
    --------
    >>> from placeshaping.synthetic.mesh import make_mesh
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> mesh = make_mesh(make_terrain(10, rng), rng)
    >>> locator = make_locator(mesh)
    >>> cells = np.flatnonzero(mesh.land)[:3]
    >>> bool((locator.cell_at(locator.points_in(cells, rng)) == cells).all())
    True
    """
    cells = np.concatenate([mesh.left, mesh.right])
    arcs = np.concatenate([np.arange(len(mesh.left))] * 2)
    order = np.argsort(cells, kind="stable")
    cells, arcs = cells[order], arcs[order]
    begin = np.searchsorted(cells, np.arange(len(mesh.xy) + 1))
    a, b = mesh.vertices[mesh.start[arcs]], mesh.vertices[mesh.end[arcs]]
    seed = mesh.xy[cells]
    (ax, ay), (bx, by) = (a - seed).T, (b - seed).T
    area = np.abs(ax * by - ay * bx) / 2
    return Locator(mesh, begin, arcs, np.concatenate([[0.0], np.cumsum(area)]))


@compiled()
def _correct(
    xy: Floats,
    out: Ints,
    begin: Ints,
    arcs: Ints,
    left: Ints,
    right: Ints,
    start: Ints,
    end: Ints,
    vertices: Floats,
    bends: Floats,
    offset: Ints,
) -> None:
    for i in range(len(xy)):
        cell = out[i]
        for k in range(begin[cell], begin[cell + 1]):
            arc = arcs[k]
            inner = offset[arc + 1] - offset[arc]
            if inner == 0:
                continue
            ax, ay = vertices[start[arc], 0], vertices[start[arc], 1]
            dx, dy = vertices[end[arc], 0] - ax, vertices[end[arc], 1] - ay
            span = dx * dx + dy * dy
            px, py = xy[i, 0] - ax, xy[i, 1] - ay
            t = (px * dx + py * dy) / span
            if t <= 0.0 or t >= 1.0:
                continue
            rise = dx * py - dy * px
            step = int(t * (inner + 1))
            before, after = 0.0, 0.0
            if step > 0:
                q = offset[arc] + step - 1
                before = dx * (bends[q, 1] - ay) - dy * (bends[q, 0] - ax)
            if step < inner:
                q = offset[arc] + step
                after = dx * (bends[q, 1] - ay) - dy * (bends[q, 0] - ax)
            share = t * (inner + 1) - step
            line = before + share * (after - before)
            if left[arc] == cell and rise < line:
                out[i] = right[arc]
                break
            if right[arc] == cell and rise > line:
                out[i] = left[arc]
                break
