"""Who touches whom along how many metres, and which units no border connects."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse

from placeshaping.areas._rings import borders_of, rings_of
from placeshaping.areas.neighbours import contiguity

Whole = NDArray[np.int64]

_NO_BORDER = 1.0
"""Metres of border under which a unit has none with the outside: what rounding leaves."""


def border_pairs(units: gpd.GeoDataFrame, *, snap: float) -> tuple[pd.DataFrame, Whole]:
    """
    Find the borders of polygons.

    Returns
    -------
    pairs, outer
        Row numbers `one` < `other` and whole `metres` of border, at least 1;
        and of each unit the whole metres that it shares with no other.
    """
    shapes = units.geometry.to_numpy()
    graph = contiguity(units, rook=True, snap=snap)
    focal, neighbour = sparse.coo_array(graph.sparse).coords
    once = focal < neighbour
    one, other = focal[once].astype(np.int64), neighbour[once].astype(np.int64)
    order = np.lexsort((other, one))
    one, other = one[order], other[order]
    length = _lengths(shapes, one, other, snap)
    metres = np.maximum(1, np.round(length)).astype(np.int64)
    shared = np.bincount(one, length, len(units)) + np.bincount(other, length, len(units))
    left = shapely.length(shapely.boundary(shapes)) - shared
    slack = _NO_BORDER + 2 * snap * (np.bincount(one, minlength=len(units)) > 0)
    outer = np.where(left > slack, np.round(left), 0).astype(np.int64)
    pairs = pd.DataFrame({"one": one, "other": other, "metres": metres})
    return pairs, outer


def _lengths(
    shapes: NDArray[np.object_], one: Whole, other: Whole, snap: float
) -> NDArray[np.float64]:
    """Return the metres of border of each pair; pieces that both share vertex by vertex first."""
    size = len(shapes)
    borders = borders_of(rings_of(shapes))
    both = borders.sides[:, 1] >= 0
    sides = np.sort(borders.sides[both].astype(np.int64), axis=1)
    ends = borders.ends[both]
    keys = one * size + other
    place = np.searchsorted(keys, sides[:, 0] * size + sides[:, 1])
    piece = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    known = place < len(keys)
    known[known] = keys[place[known]] == (sides[known, 0] * size + sides[known, 1])
    length = np.bincount(place[known], piece[known], len(keys))
    loose = np.zeros(size, dtype=np.bool_)
    loose[borders.sides[~both, 0]] = True
    asked = np.flatnonzero(loose[one] & loose[other])
    edges = shapely.boundary(shapes)
    wide = shapely.buffer(edges, snap) if snap > 0 else edges
    met = shapely.length(shapely.intersection(edges[one[asked]], wide[other[asked]]))
    length[asked] = np.maximum(length[asked], met)
    return np.asarray(length, dtype=np.float64)


def groups_of(pairs: Whole, size: int) -> Whole:
    """Return the number of the group of each unit, as pairs connect them: 0 for the largest."""
    links = sparse.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(size, size))
    label = sparse.csgraph.connected_components(links, directed=False)[1]
    by_size = np.argsort(-np.bincount(label), kind="stable")
    rank = np.empty(len(by_size), dtype=np.int64)
    rank[by_size] = np.arange(len(by_size))
    return np.asarray(rank[label], dtype=np.int64)
