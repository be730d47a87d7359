"""A network of streets, with names and main roads between the towns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping.synthetic.labels import Labels
from placeshaping.synthetic.mesh import Mesh
from placeshaping.synthetic.names import street_names
from placeshaping.synthetic.terrain import Flags, Floats, Ints, Terrain


@dataclass(frozen=True)
class Streets:
    """
    Segments between junctions.

    Attributes
    ----------
    a, b
        Cells whose seeds the segment joins.
    street
        Number of the street that the segment is part of.
    name
        Of each segment.
    kind
        ``"A road"``, ``"street"`` or ``"lane"``.
    middle
        The bend half way, shape (segments, 2), metres.
    """

    a: Ints
    b: Ints
    street: Ints
    name: NDArray[np.object_]
    kind: NDArray[np.object_]
    middle: Floats


def make_streets(
    mesh: Mesh, terrain: Terrain, distance: Floats, rng: np.random.Generator
) -> Streets:
    """
    Draw streets between neighbouring cells.

    Parameters
    ----------
    mesh
        Cells; those that only detail coast and border have no streets.
    terrain
        The lie of the land, for main roads between towns.
    distance
        From the nearest town, of each cell, in town radii: streets are sparser outside.
    rng
        Source of randomness.
    """
    a, b = _candidates(mesh)
    length = np.hypot(*(mesh.xy[a] - mesh.xy[b]).T)
    cells = len(mesh.xy)
    graph = coo_matrix((length, (a, b)), shape=(cells, cells)).tocsr()
    tree = minimum_spanning_tree(graph).tocoo()
    needed = np.isin(
        a * cells + b,
        np.concatenate(
            [
                tree.row.astype(np.int64) * cells + tree.col,
                tree.col.astype(np.int64) * cells + tree.row,
            ]
        ),
    )
    urban = (distance[a] < 1.3) & (distance[b] < 1.3)
    keep = needed | (rng.random(len(a)) < np.where(urban, 0.8, 0.5))
    a, b, length, urban = a[keep], b[keep], length[keep], urban[keep]
    main = _main_roads(mesh, terrain, a, b, length)
    street = _strokes(mesh, a, b, main)
    names = street_names(int(street.max()) + 1, rng)
    kind = np.where(main, "A road", np.where(urban, "street", "lane")).astype(object)
    along = mesh.xy[b] - mesh.xy[a]
    bend = rng.normal(0, 0.07, len(a)).clip(-0.15, 0.15)[:, None]
    middle = (mesh.xy[a] + mesh.xy[b]) / 2 + bend * np.column_stack([-along[:, 1], along[:, 0]])
    return Streets(a, b, street, names[street], kind, np.round(middle, 2))


def _candidates(mesh: Mesh) -> tuple[Ints, Ints]:
    """Return the Gabriel graph of the inhabited cells: pairs whose midpoint is nearest to them."""
    full = mesh.land & (mesh.weight >= 1)
    both = full[mesh.left] & full[mesh.right]
    a, b = mesh.left[both], mesh.right[both]
    start, end = mesh.vertices[mesh.start[both]], mesh.vertices[mesh.end[both]]
    along = end - start
    foot = ((mesh.xy[a] - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-9)
    near = (foot > 0) & (foot < 1)
    return a[near], b[near]


def _main_roads(mesh: Mesh, terrain: Terrain, a: Ints, b: Ints, length: Floats) -> Flags:
    """Return which segments lie on the shortest way between neighbouring towns."""
    cells = len(mesh.xy)
    used = np.unique(np.concatenate([a, b]))
    source = used[cKDTree(mesh.xy[used]).query(terrain.towns[:, :2])[1]]
    source = np.unique(source)
    graph = csr_matrix((length, (a, b)), shape=(cells, cells))
    far, before, owner = dijkstra(
        graph, directed=False, indices=source, min_only=True, return_predecessors=True
    )
    meet = (owner[a] != owner[b]) & np.isfinite(far[a]) & np.isfinite(far[b])
    low, high = np.minimum(owner[a], owner[b])[meet], np.maximum(owner[a], owner[b])[meet]
    way = (far[a] + far[b] + length)[meet]
    order = np.lexsort((way, high, low))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    chosen = np.flatnonzero(meet)[order[first]]
    on_way: set[tuple[int, int]] = set()
    for edge in chosen:
        on_way.add((int(a[edge]), int(b[edge])))
        for cell in (int(a[edge]), int(b[edge])):
            at = cell
            while before[at] >= 0:
                on_way.add((int(before[at]), at))
                at = int(before[at])
    pairs = np.array([(min(p), max(p)) for p in sorted(on_way)] or [(-1, -1)], dtype=np.int64)
    keys = pairs[:, 0] * cells + pairs[:, 1]
    return np.isin(np.minimum(a, b) * cells + np.maximum(a, b), keys)


def _strokes(mesh: Mesh, a: Ints, b: Ints, main: Flags) -> Ints:
    """Join segments that run on nearly straight through a junction into one street."""
    n = len(a)
    node = np.concatenate([a, b])
    other = np.concatenate([b, a])
    edge = np.concatenate([np.arange(n)] * 2)
    angle = np.arctan2(*(mesh.xy[other] - mesh.xy[node]).T[::-1])
    order = np.lexsort((edge, node))
    node, edge, angle = node[order], edge[order], angle[order]
    pairs = []
    for step in range(1, 7):
        same = np.flatnonzero(node[:-step] == node[step:]) if len(node) > step else np.empty(0, int)
        turn = np.abs(np.abs(angle[same] - angle[same + step]) - np.pi)
        turn = np.where(main[edge[same]] == main[edge[same + step]], turn, 9.0)
        pairs.append(np.column_stack([same, same + step, turn]))
    table = np.concatenate(pairs)
    table = table[table[:, 2] < 0.6]
    table = table[np.argsort(table[:, 2], kind="stable")]
    left, right = table[:, 0].astype(int), table[:, 1].astype(int)
    place = np.arange(len(table))
    best = np.full(len(node), len(table) + 1)
    np.minimum.at(best, left, place)
    np.minimum.at(best, right, place)
    mutual = (best[left] == place) & (best[right] == place)
    p, q = edge[left[mutual]], edge[right[mutual]]
    graph = coo_matrix((np.ones(len(p)), (p, q)), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def street_table(streets: Streets, mesh: Mesh, labels: Labels, oa: Ints) -> gpd.GeoDataFrame:
    """
    Return the segments as lines in EPSG:27700.

    Returns
    -------
    streets
        Columns `segment_id`, `street_id`, `name`, `kind`, `from_node`,
        `to_node` (junction numbers), `OA21CD` (of the first end), `length`
        (metres) and `geometry`.
    """
    xy = np.stack([mesh.xy[streets.a], streets.middle, mesh.xy[streets.b]], axis=1)
    lines: NDArray[Any] = shapely.linestrings(np.round(xy, 2))
    table = gpd.GeoDataFrame(
        {
            "segment_id": np.arange(len(lines)),
            "street_id": streets.street,
            "name": streets.name,
            "kind": streets.kind,
            "from_node": streets.a,
            "to_node": streets.b,
            "OA21CD": labels.oa[oa[streets.a]],
            "length": np.round(shapely.length(lines), 1),
        },
        geometry=lines,
        crs=NATIONAL_GRID,
    )
    return table.astype({"name": "str", "kind": "str", "OA21CD": "str"})
