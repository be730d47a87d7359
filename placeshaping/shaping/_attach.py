"""Places joined to a network, and shortest ways between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from placeshaping._core.checks import listed
from placeshaping._core.errors import EmptyError, UnmatchedError
from placeshaping.shaping._points import Flags, Floats
from placeshaping.shaping.network import Ints, Network

Outside = Literal["raise", "drop"]
Unit = Literal["minutes", "metres"]

_CELLS = 4_000_000  # of a block of distances: 32 MB


@dataclass(frozen=True, eq=False)
class Joined:
    """
    A network with origins and services as nodes of their own.

    Attributes
    ----------
    graph
        Undirected, in the unit that was asked for.
    origins, services
        Their nodes; -1 where too far from the network.
    """

    graph: csr_array
    origins: Ints
    services: Ints


def join_places(
    network: Network, origins: Floats, services: Floats, near: tuple[Flags, Flags], unit: Unit
) -> Joined:
    """Split the nearest edges at the places that are `near`, and tie the places to them."""
    xy = np.vstack([origins, services])
    used = np.concatenate(near)
    edge = _nearest_edge(network, xy)
    along = (
        shapely.line_locate_point(network.lines[edge], shapely.points(xy)) / network.metres[edge]
    )
    along = np.clip(along, 0, 1)
    away = _distance(network, xy, edge)
    feet = network.nodes + np.arange(len(xy))
    own = feet + len(xy)
    cost = network.minutes if unit == "minutes" else network.metres
    walk = away / network.walking * 0.06 if unit == "minutes" else away
    a, b, c = _split(network, cost, edge[used], along[used], feet[used])
    a, b = np.concatenate([a, feet[used]]), np.concatenate([b, own[used]])
    graph = _graph(a, b, np.concatenate([c, walk[used]]), network.nodes + 2 * len(xy))
    nodes = np.where(used, own, -1)
    return Joined(graph, nodes[: len(origins)], nodes[len(origins) :])


def within_reach(
    network: Network, xy: Floats, index: pd.Index, *, reach: float, outside: Outside, what: str
) -> Flags:
    """Tell which places lie within reach of the network; refuse the others unless dropped."""
    away = _distance(network, xy, _nearest_edge(network, xy))
    near: Flags = away <= reach
    if near.all():
        return near
    far = [f"{index[i]} ({away[i]:,.0f} m)" for i in np.argsort(-away)[: int((~near).sum())]]
    if outside == "raise":
        msg = (
            f"{len(far):,} of {len(index):,} {what} lie more than {reach:g} m from every street: "
            f"{listed(far)}. Check their places, give a larger network or `reach`, or pass "
            "outside='drop'."
        )
        raise UnmatchedError(msg)
    if not near.any():
        msg = f"All {len(index):,} {what} lie more than {reach:g} m from every street."
        raise EmptyError(msg)
    return near


def far_words(network: Network, xy: Floats, near: Flags, what: str) -> tuple[str, ...]:
    """Tell how many places were dropped, and how far off the farthest lies."""
    if near.all():
        return ()
    away = _distance(network, xy[~near], _nearest_edge(network, xy[~near]))
    return (
        f"{int((~near).sum()):,} {what} lie too far from the network (up to {away.max():,.0f} m) "
        "and are left out.",
    )


def cut_off_words(network: Network, xy: Floats, what: str) -> tuple[str, ...]:
    """Tell how many places stand on a part of the network that is cut off from the largest."""
    cut_off = int((network.part[network.start[_nearest_edge(network, xy)]] > 0).sum())
    if not cut_off:
        return ()
    return (f"{cut_off:,} {what} stand on streets that are cut off from the largest part.",)


def ways_from_services(joined: Joined, limit: float) -> Iterator[tuple[slice, Floats]]:
    """Yield blocks of services (rows) with their cost to every origin (columns)."""
    step = max(1, _CELLS // joined.graph.shape[0])
    for first in range(0, len(joined.services), step):
        block = slice(first, min(first + step, len(joined.services)))
        nodes = joined.services[block]
        found = np.full((len(nodes), len(joined.origins)), np.inf)
        known, placed = nodes >= 0, joined.origins >= 0
        if known.any():
            ways = dijkstra(joined.graph, directed=False, indices=nodes[known], limit=limit)
            found[np.ix_(known, placed)] = ways[:, joined.origins[placed]]
        yield block, found


def nearest_of(joined: Joined) -> tuple[Floats, Ints]:
    """Return the cost to the nearest service, and its position; inf and -1 where there is none."""
    known = np.flatnonzero(joined.services >= 0)
    cost, _, source = dijkstra(
        joined.graph,
        directed=False,
        indices=joined.services[known],
        min_only=True,
        return_predecessors=True,
    )
    position = np.full(joined.graph.shape[0], -1)
    position[joined.services[known]] = known
    placed = np.maximum(joined.origins, 0)
    found = np.where(joined.origins >= 0, cost[placed], np.inf)
    return found, np.where(np.isfinite(found), position[np.maximum(source[placed], 0)], -1)


def _nearest_edge(network: Network, xy: Floats) -> NDArray[np.intp]:
    tree = shapely.STRtree(network.lines)
    return np.asarray(tree.nearest(shapely.points(xy)))


def _distance(network: Network, xy: Floats, edge: NDArray[np.intp]) -> Floats:
    return np.asarray(shapely.distance(network.lines[edge], shapely.points(xy)))


def _split(
    network: Network, cost: Floats, edge: NDArray[np.intp], along: Floats, feet: Ints
) -> tuple[Ints, Ints, Floats]:
    """Return edges from foot to foot along each line, in the order of the line."""
    every = np.arange(len(network.lines))
    owner = np.concatenate([every, edge, every])
    place = np.concatenate([np.zeros(len(every)), along, np.ones(len(every))])
    node = np.concatenate([network.start, feet, network.end])
    turn = np.concatenate([np.zeros(len(every)), np.ones(len(edge)), np.full(len(every), 2.0)])
    order = np.lexsort((turn, place, owner))
    owner, place, node = owner[order], place[order], node[order]
    same = owner[1:] == owner[:-1]
    share = (place[1:] - place[:-1])[same]
    return node[:-1][same], node[1:][same], share * cost[owner[1:][same]]


def _graph(a: Ints, b: Ints, cost: Floats, nodes: int) -> csr_array:
    """Return the graph; of parallel edges the quickest (a sparse matrix would add them up)."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((cost, high, low))
    low, high, cost = low[order], high[order], cost[order]
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first &= low != high
    return csr_array((cost[first], (low[first], high[first])), shape=(nodes, nodes))
