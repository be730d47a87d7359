"""Cut areas into parts of equal population, and keep the parts in one piece."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from placeshaping.synthetic.mesh import Mesh
from placeshaping.synthetic.terrain import Flags, Floats, Ints


def divide(
    xy: Floats,
    weight: Floats,
    parent: Ints,
    parts: Ints,
    rng: np.random.Generator,
    *,
    least: int = 1,
) -> Ints:
    """
    Cut each parent into so many parts of about equal weight, by halving across its long side.

    Parameters
    ----------
    xy
        Points, shape (n, 2).
    weight
        Of each point.
    parent
        Of each point: 0 to p - 1, none empty.
    parts
        Of each parent, at least 1.
    rng
        Turns the cuts a little.
    least
        Points in a part, where the parent has enough of them.

    Returns
    -------
    part
        Of each point: 0 to ``parts.sum() - 1``, the parts of a parent in a row.

    Examples
    --------
    >>> xy = np.column_stack([np.arange(6.0), np.zeros(6)])
    >>> same = np.zeros(6, dtype=int)
    >>> halves = divide(xy, np.ones(6), same, np.array([2]), np.random.default_rng(0))
    >>> sorted(np.bincount(halves).tolist())
    [3, 3]
    """
    group = parent.astype(np.int64)
    want = np.asarray(parts, dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(want)[:-1]])
    while (want > 1).any():
        low = want // 2
        second = _second_half(xy, weight, group, want, low, least, rng)
        groups = len(want)
        group = np.where(second, group + groups, group)
        want, first = (
            np.concatenate([np.where(want > 1, low, want), np.where(want > 1, want - low, 0)]),
            np.concatenate([first, first + low]),
        )
        live = want > 0
        renumber = np.cumsum(live) - 1
        group, want, first = renumber[group], want[live], first[live]
    return np.asarray(first[group])


def _second_half(
    xy: Floats,
    weight: Floats,
    group: Ints,
    want: Ints,
    low: Ints,
    least: int,
    rng: np.random.Generator,
) -> Flags:
    groups = len(want)
    turn = rng.normal(0, 0.22, groups)
    along = _along(xy, weight, group, groups, turn)
    order = np.lexsort((along, group))
    sizes = np.bincount(group, minlength=groups)
    begin = np.cumsum(sizes) - sizes
    sorted_group = group[order]
    running = np.cumsum(weight[order])
    before = np.concatenate([[0.0], running])[begin]
    total = np.bincount(group, weights=weight, minlength=groups)
    middle = running - before[sorted_group] - weight[order] / 2
    second = middle > (total * low / want)[sorted_group]
    rank = np.arange(len(order)) - begin[sorted_group]
    each = np.clip(sizes // want, 1, least)
    second[rank < (low * each)[sorted_group]] = False
    second |= rank >= (sizes - (want - low) * each)[sorted_group]
    second &= (want > 1)[sorted_group]
    out = np.empty(len(order), dtype=bool)
    out[order] = second
    return out


def _along(xy: Floats, weight: Floats, group: Ints, groups: int, turn: Floats) -> Floats:
    """Return each point's position along its group's main axis."""
    total = np.maximum(np.bincount(group, weights=weight, minlength=groups), 1e-12)
    centre = np.column_stack(
        [np.bincount(group, weights=weight * v, minlength=groups) / total for v in xy.T]
    )
    dx, dy = (xy - centre[group]).T
    xx, yy, xy_ = (
        np.bincount(group, weights=weight * v, minlength=groups)
        for v in (dx * dx, dy * dy, dx * dy)
    )
    angle = 0.5 * np.arctan2(2 * xy_, xx - yy) + turn
    return np.asarray(dx * np.cos(angle)[group] + dy * np.sin(angle)[group])


def share_out(weight: Floats, group: Ints, total: int) -> Ints:
    """
    Share a number of parts among groups by weight, at least one each, none beyond its cells.

    Examples
    --------
    >>> share_out(np.ones(6), np.array([0, 0, 0, 0, 1, 1]), 3).tolist()
    [2, 1]
    """
    mass = np.bincount(group, weights=weight)
    most = np.bincount(group)
    exact = mass / mass.sum() * total
    parts: Ints = np.clip(np.floor(exact), 1, most).astype(np.int64)
    while parts.sum() != total:
        step = 1 if parts.sum() < total else -1
        room = parts < most if step > 0 else parts > 1
        need = np.where(room, (exact - parts) * step / np.maximum(parts, 1) ** 0.5, -np.inf)
        take = np.argsort(-need, kind="stable")[: min(abs(total - parts.sum()), room.sum())]
        parts[take] += step
    return np.asarray(parts)


def mend(mesh: Mesh, cells: Ints, label: Ints, parent: Ints) -> Ints:
    """
    Give fragments of an area to the neighbour that they touch most, inside the same parent.

    Parts that touch no other area of the parent (islands) stay.

    Parameters
    ----------
    mesh
        For who touches whom.
    cells
        Cells that are labelled.
    label, parent
        Of each of these cells.

    Examples
    --------
    >>> from placeshaping.synthetic.mesh import make_mesh
    >>> from placeshaping.synthetic.terrain import make_terrain
    >>> rng = np.random.default_rng(1)
    >>> mesh = make_mesh(make_terrain(10, rng), rng)
    >>> cells = np.flatnonzero(mesh.land)
    >>> label = rng.integers(0, 2, len(cells))
    >>> mended = mend(mesh, cells, label, np.zeros_like(label))
    >>> bool((mended != label).any())
    True
    """
    row = np.full(len(mesh.xy), -1, dtype=np.int64)
    row[cells] = np.arange(len(cells))
    both = mesh.land[mesh.left] & mesh.land[mesh.right]
    a, b = row[mesh.left[both]], row[mesh.right[both]]
    span = np.hypot(*(mesh.vertices[mesh.start[both]] - mesh.vertices[mesh.end[both]]).T)
    within = parent[a] == parent[b]
    a, b, span = a[within], b[within], span[within]
    label = label.copy()
    for _ in range(6):
        piece = _pieces(a, b, label)
        stray = _strays(piece, label, mesh.weight[cells])
        over = (stray[piece[a]] | stray[piece[b]]) & (label[a] != label[b])
        if not over.any():
            break
        source = np.concatenate([piece[a[over]], piece[b[over]]])
        target = np.concatenate([label[b[over]], label[a[over]]])
        touch = np.concatenate([span[over], span[over]])
        move = stray[source]
        best = heaviest(source[move], target[move], touch[move], len(stray), label.max() + 1)
        moved = best[piece] >= 0
        label[moved] = best[piece][moved]
    return label


def _pieces(a: Ints, b: Ints, label: Ints) -> Ints:
    same = label[a] == label[b]
    n = len(label)
    graph = coo_matrix((np.ones(same.sum()), (a[same], b[same])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _strays(piece: Ints, label: Ints, weight: Floats) -> Flags:
    """Return which pieces are not the heaviest of their label."""
    mass = np.bincount(piece, weights=weight) + 1e-9 * np.bincount(piece)
    owner = np.zeros(len(mass), dtype=np.int64)
    owner[piece] = label
    order = np.lexsort((-mass, owner))
    stray = np.ones(len(mass), dtype=bool)
    first = np.concatenate([[True], np.diff(owner[order]) > 0])
    stray[order[first]] = False
    return stray


def heaviest(source: Ints, target: Ints, weight: Floats, sources: int, targets: int) -> Ints:
    """
    Return, for each source, the target with the largest summed weight; -1 for none.

    Examples
    --------
    >>> one, two = np.array([0, 0, 1]), np.array([3, 4, 3])
    >>> heaviest(one, two, np.array([1.0, 2.0, 1.0]), 3, 5).tolist()
    [4, 3, -1]
    """
    best = np.full(sources, -1, dtype=np.int64)
    if not len(source):
        return best
    pair, where = np.unique(source * targets + target, return_inverse=True)
    total = np.bincount(where, weights=weight)
    order = np.argsort(total, kind="stable")
    best[pair[order] // targets] = pair[order] % targets
    return best
