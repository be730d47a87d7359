"""Which areas touch: the neighbours that hot-spot statistics look at."""

from __future__ import annotations

import logging
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.errors import EmptyError, InputError

_log = logging.getLogger(__name__)


def contiguity(
    areas: gpd.GeoDataFrame,
    *,
    rook: bool = False,
    islands: Literal["tell", "nearest", "raise"] = "tell",
    snap: float = 0.0,
) -> Graph:
    """
    Find the areas that touch each area.

    Touching is asked of the geometry, not of equal vertices, so that borders
    whose vertices do not match count too.

    Parameters
    ----------
    areas
        Polygons indexed by ``area_code``.
    rook
        Whether neighbours must share a length of border; touching at a corner
        is enough otherwise (queen).
    islands
        Areas that touch nothing are told in the log and keep no neighbours,
        are tied to the nearest area (both ways), or are refused. Detached
        groups of several areas are told and left as they are.
    snap
        Gap in the units of `areas` up to which areas count as touching, for
        boundaries that do not fit exactly. With `rook`, borders must then run
        together for more than ten times this length.

    Returns
    -------
    neighbours
        Symmetric graph with binary weights, its areas in the order of `areas`.

    Raises
    ------
    EmptyError
        If there are fewer than two areas.
    InputError
        If an area touches nothing and `islands` is ``"raise"``.
    DuplicateError
        If an area code stands twice.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(2, 1, 3, 2)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=["a", "b", "c"])
    >>> contiguity(areas).cardinalities.tolist()
    [1, 2, 1]
    """
    check_unique(areas.index, where="areas")
    if len(areas) < 2:
        msg = f"There are {len(areas)} areas: neighbours need at least two."
        raise EmptyError(msg)
    shapes = areas.geometry.values
    tree = shapely.STRtree(shapes)
    pairs = _touching(shapes, tree, snap)
    if rook:
        pairs = pairs[:, _shared_border(shapes, pairs, snap)]
    alone = np.setdiff1d(np.arange(len(areas)), pairs)
    if len(alone):
        pairs = _settle_islands(pairs, alone, shapes, tree, areas.index, islands)
    graph = _graph(pairs, areas.index)
    _tell_parts(graph)
    return graph


def detached_parts(neighbours: Graph) -> pd.Series[int]:
    """
    Find the groups of areas that no chain of neighbours connects.

    Parameters
    ----------
    neighbours
        A graph, for instance from `contiguity`.

    Returns
    -------
    part
        For each area the number of its group: 0 for the largest, then by size.
        Islands are groups of one.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(0, 0, 1, 1), box(5, 0, 6, 1), box(6, 0, 7, 1)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=["a", "b", "c"])
    >>> detached_parts(contiguity(areas)).to_dict()
    {'a': 1, 'b': 0, 'c': 0}
    """
    label = sparse.csgraph.connected_components(neighbours.sparse, directed=False)[1]
    by_size = np.argsort(-np.bincount(label), kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    return pd.Series(rank[label], index=neighbours.unique_ids, name="part")


def _touching(shapes: NDArray[np.object_], tree: shapely.STRtree, snap: float) -> NDArray[np.intp]:
    """Return the pairs that touch, as two rows, each pair once."""
    if snap > 0:
        pairs = tree.query(shapes, predicate="dwithin", distance=snap)
    else:
        pairs = tree.query(shapes, predicate="intersects")
    once: NDArray[np.intp] = pairs[:, pairs[0] < pairs[1]]
    return once


def _shared_border(
    shapes: NDArray[np.object_], pairs: NDArray[np.intp], snap: float
) -> NDArray[np.bool_]:
    """Tell which pairs share more than points."""
    borders = shapely.boundary(shapes)
    other = shapely.buffer(borders, snap)[pairs[1]] if snap > 0 else borders[pairs[1]]
    shared: NDArray[np.bool_] = (
        shapely.length(shapely.intersection(borders[pairs[0]], other)) > 10 * snap
    )
    return shared


def _settle_islands(
    pairs: NDArray[np.intp],
    alone: NDArray[np.intp],
    shapes: NDArray[np.object_],
    tree: shapely.STRtree,
    index: pd.Index,
    islands: str,
) -> NDArray[np.intp]:
    told = f"{len(alone):,} of {len(index):,} areas touch no other ({listed(list(index[alone]))})"
    if islands == "raise":
        msg = f"{told}. Pass islands='nearest' to tie them to the nearest area, or raise snap."
        raise InputError(msg)
    if islands == "tell":
        _log.warning("%s: they have no neighbours.", told)
        return pairs
    _log.info("%s: each is tied to the nearest.", told)
    found = tree.query_nearest(shapes[alone], exclusive=True, all_matches=False)
    ties = np.sort(np.vstack([alone[found[0]], found[1]]), axis=0)
    return np.unique(np.hstack([pairs, ties]), axis=1)


def _graph(pairs: NDArray[np.intp], index: pd.Index) -> Graph:
    both = np.hstack([pairs, pairs[::-1]])
    size = len(index)
    ones = np.ones(both.shape[1])
    return Graph.from_sparse(sparse.csr_array((ones, both), shape=(size, size)), ids=index)


def _tell_parts(graph: Graph) -> None:
    sizes = detached_parts(graph).value_counts()
    detached = sizes[(sizes.index > 0) & (sizes > 1)]
    if len(detached):
        _log.info(
            "%s groups of areas (%s areas) touch no other group.", len(detached), detached.sum()
        )
