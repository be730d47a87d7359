"""Which areas touch: the neighbours that hot-spot statistics look at."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse, spatial

from placeshaping._core.checks import check_choice, check_unique, check_whole, listed
from placeshaping._core.errors import CRSError, EmptyError, GeometryError, InputError

_log = logging.getLogger(__name__)

_MANY_AREAS = 2_000
"""From this many areas on, vertices are faster than geometry."""

_POLYGONS = (3, 6)

_SAMPLE = 1_000

_LAYERED = 1.02
"""Areas that hold a point inside an area, on average, above which areas lie in sheets."""


def contiguity(
    areas: gpd.GeoDataFrame,
    *,
    rook: bool = False,
    islands: Literal["tell", "nearest", "raise"] = "tell",
    snap: float = 0.0,
) -> Graph:
    """
    Find the areas that touch each area.

    Areas that share a vertex touch; so do those whose borders meet without
    one, and those that overlap. Of many areas the first are found from the
    vertices themselves, and geometry is asked only of areas with a piece of
    border that no other area has. On valid coverages the result is that of
    ``Graph.build_contiguity``; elsewhere it has the pairs that vertices miss.

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
        If an area touches nothing and `islands` is ``"raise"``; if `islands`
        is none of its choices, or `snap` is below zero or no number.
    GeometryError
        If areas have no geometry.
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
    check_choice(islands, ["tell", "nearest", "raise"], name="islands")
    if not 0 <= snap < np.inf:
        msg = f"snap is {snap}: give a gap in the units of the areas, zero or more."
        raise InputError(msg)
    _check_areas(areas)
    shapes = areas.geometry.to_numpy()
    pairs = _by_vertices(shapes, rook) if snap == 0 and len(areas) >= _MANY_AREAS else None
    if pairs is None:
        pairs = _by_geometry(shapes, rook, snap)
    alone = _without(pairs, len(areas))
    if len(alone):
        pairs = _settle_islands(pairs, alone, shapes, areas.index, islands)
    _tell_parts(pairs, len(areas))
    return _graph(pairs, areas.index)


def k_nearest(areas: gpd.GeoDataFrame, *, k: int) -> Graph:
    """
    Find the areas nearest to each area, by the distance of centroids.

    Parameters
    ----------
    areas
        Polygons or points indexed by ``area_code``, in metres.
    k
        How many neighbours each area has.

    Returns
    -------
    neighbours
        Graph with binary weights, its areas in the order of `areas`. It need
        not be symmetric: a remote area has neighbours whose own are nearer.

    Raises
    ------
    EmptyError
        If there are not more than `k` areas.
    InputError
        If `k` is no whole number of one or more.
    CRSError
        If `areas` are in degrees.
    GeometryError
        If areas have no geometry.
    DuplicateError
        If an area code stands twice.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(5, 0, 6, 1)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=["a", "b", "c"])
    >>> k_nearest(areas, k=1)["c"].to_dict()
    {'b': 1.0}
    """
    xy = _centres(areas)
    k = check_whole(k, name="k")
    if len(areas) <= k:
        msg = f"There are {len(areas)} areas: {k} neighbours need at least {k + 1}."
        raise EmptyError(msg)
    near: NDArray[np.intp] = np.asarray(spatial.KDTree(xy).query(xy, k=k + 1)[1])
    own = near == np.arange(len(xy))[:, None]
    own[~own.any(axis=1), -1] = True  # more than k areas at one place
    focal = np.repeat(np.arange(len(xy)), k)
    return _directed(np.vstack([focal, near[~own]]), areas.index)


def distance_band(areas: gpd.GeoDataFrame, *, distance: float) -> Graph:
    """
    Find the areas within a distance of each area, from centroid to centroid.

    Parameters
    ----------
    areas
        Polygons or points indexed by ``area_code``, in metres.
    distance
        Greatest distance in metres. Areas without any neighbour within it are
        told in the log.

    Returns
    -------
    neighbours
        Symmetric graph with binary weights, its areas in the order of `areas`.

    Raises
    ------
    EmptyError
        If there are fewer than two areas.
    InputError
        If `distance` is not above zero.
    CRSError
        If `areas` are in degrees.
    GeometryError
        If areas have no geometry.
    DuplicateError
        If an area code stands twice.

    Examples
    --------
    >>> from shapely import box
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(5, 0, 6, 1)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=["a", "b", "c"])
    >>> distance_band(areas, distance=1).cardinalities.tolist()
    [1, 1, 0]
    """
    xy = _centres(areas)
    if not distance > 0:
        msg = f"distance is {distance}: give metres, above zero."
        raise InputError(msg)
    pairs = spatial.KDTree(xy).query_pairs(distance, output_type="ndarray").T
    graph = _graph(pairs, areas.index)
    alone = list(graph.isolates)
    if alone:
        told = "%s of %s areas have no neighbour within %g m (%s)."
        _log.warning(told, f"{len(alone):,}", f"{len(areas):,}", distance, listed(alone))
    return graph


def _check_areas(areas: gpd.GeoDataFrame) -> None:
    """Refuse repeated codes, fewer than two areas, and areas without a place."""
    check_unique(areas.index, where="areas")
    if len(areas) < 2:
        msg = f"There are {len(areas)} areas: neighbours need at least two."
        raise EmptyError(msg)
    shapes = areas.geometry.to_numpy()
    lost = areas.index[shapely.is_missing(shapes) | shapely.is_empty(shapes)]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(areas):,} areas have no geometry ({listed(list(lost))}): where "
            "they lie is not known. Leave them out, or give the boundaries that have them."
        )
        raise GeometryError(msg)


def _centres(areas: gpd.GeoDataFrame) -> NDArray[np.float64]:
    _check_areas(areas)
    if areas.crs is not None and areas.crs.is_geographic:
        msg = f"areas are in degrees ({areas.crs.to_string()}). Use areas.to_crs(27700)."
        raise CRSError(msg)
    xy: NDArray[np.float64] = shapely.get_coordinates(shapely.centroid(areas.geometry.to_numpy()))
    return xy


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
    return pd.Series(_part_of_each(neighbours.sparse), index=neighbours.unique_ids, name="part")


def _part_of_each(matrix: sparse.csr_array) -> NDArray[np.intp]:
    label = sparse.csgraph.connected_components(matrix, directed=False)[1]
    by_size = np.argsort(-np.bincount(label), kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    ranked: NDArray[np.intp] = rank[label]
    return ranked


def _by_geometry(shapes: NDArray[np.object_], rook: bool, snap: float) -> NDArray[np.intp]:
    """Return the pairs that touch, as two rows, each pair once."""
    tree = shapely.STRtree(shapes)
    if snap > 0:
        pairs = tree.query(shapes, predicate="dwithin", distance=snap)
    else:
        pairs = tree.query(shapes, predicate="intersects")
    once: NDArray[np.intp] = pairs[:, pairs[0] < pairs[1]]
    return once[:, _shared_border(shapes, once, snap)] if rook else once


def _by_vertices(shapes: NDArray[np.object_], rook: bool) -> NDArray[np.intp] | None:
    """
    Return the pairs that touch, from vertices where those tell; None where they cannot.

    Two areas that touch without a common vertex have a piece of border that
    is not also another area's, or overlap. Sheets of areas that lie over each
    other, every piece of border shared within its sheet, would escape that:
    they are recognised by points inside every so many areas.
    """
    from placeshaping.areas._contiguity import sharing_vertices
    from placeshaping.areas._rings import borders_of, rings_of

    if not (np.isin(shapely.get_type_id(shapes), _POLYGONS) & ~shapely.is_empty(shapes)).all():
        return None
    tree = shapely.STRtree(shapes)
    sample = shapes[:: max(1, len(shapes) // _SAMPLE)]
    hits = tree.query(shapely.point_on_surface(sample), predicate="intersects")
    if hits.shape[1] > _LAYERED * len(sample):
        return None
    rings = rings_of(shapes)
    with ThreadPoolExecutor(max_workers=2) as pool:
        sharing = pool.submit(sharing_vertices, rings)
        sides = borders_of(rings).sides
    loose = np.unique(sides[sides[:, 1] < 0, 0])
    size = len(shapes)
    keys = _with_asked(_keys(sharing.result(), size), loose, shapes, tree)
    if rook:
        bordering = np.unique(_keys(sides[sides[:, 1] >= 0].T.astype(np.intp), size))
        others = _of_keys(np.setdiff1d(keys, bordering), size)
        others = others[:, np.isin(others, loose).all(axis=0)]
        more = others[:, _shared_border(shapes, others, 0.0)]
        keys = np.union1d(bordering, _keys(more, size))
    return _of_keys(keys, size)


def _with_asked(
    keys: NDArray[np.intp], loose: NDArray[np.int32], shapes: NDArray[np.object_], tree: Any
) -> NDArray[np.intp]:
    """Add the pairs that touch without a common vertex, one of the loose areas among them."""
    near = tree.query(shapes[loose])
    near[0] = loose[near[0]]
    near = near[:, near[0] != near[1]]
    asked = np.setdiff1d(_keys(near, len(shapes)), keys)
    one, other = _of_keys(asked, len(shapes))
    return np.union1d(keys, asked[shapely.intersects(shapes[one], shapes[other])])


def _keys(pairs: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return one number for each pair, the same for both of its orders."""
    keys: NDArray[np.intp] = pairs.min(axis=0) * size + pairs.max(axis=0)
    return keys


def _of_keys(keys: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    return np.stack(np.divmod(keys, size))


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
    tree = shapely.STRtree(shapes)
    found = tree.query_nearest(shapes[alone], exclusive=True, all_matches=False)
    ties = np.sort(np.vstack([alone[found[0]], found[1]]), axis=0)
    return np.unique(np.hstack([pairs, ties]), axis=1)


def _graph(pairs: NDArray[np.intp], index: pd.Index) -> Graph:
    return _directed(np.hstack([pairs, pairs[::-1]]), index)


def _directed(pairs: NDArray[np.intp], index: pd.Index) -> Graph:
    """Lay the pairs out as a graph does: by place, with a weight of 0 to itself where alone."""
    size = len(index)
    alone = _without(pairs[0], size)
    weights = np.repeat([1.0, 0.0], [pairs.shape[1], len(alone)])
    cells = np.hstack([pairs, [alone, alone]])
    matrix = sparse.csr_array((weights, cells), shape=(size, size))
    matrix.sum_duplicates()  # which sorts them
    focal = np.repeat(np.arange(size), np.diff(matrix.indptr))
    codes: Any = [focal, matrix.indices]
    ids = pd.Index(np.asarray(index))
    both = pd.MultiIndex(
        levels=[ids, ids], codes=codes, names=["focal", "neighbor"], verify_integrity=False
    )
    return Graph(pd.Series(matrix.data, index=both, name="weight"), is_sorted=True)


def _without(pairs: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Return the areas that no pair names."""
    return np.flatnonzero(np.bincount(pairs.ravel(), minlength=size) == 0)


def _tell_parts(pairs: NDArray[np.intp], size: int) -> None:
    matrix = sparse.csr_array((np.ones(pairs.shape[1]), pairs), shape=(size, size))
    sizes = np.bincount(_part_of_each(matrix))
    detached = sizes[1:][sizes[1:] > 1]
    if len(detached):
        told = "%s groups of areas (%s areas) touch no other group."
        _log.info(told, len(detached), detached.sum())
