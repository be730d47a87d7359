"""
Compiled kernels: spanning trees of a part of a graph, and where to cut them.

A region is a list of nodes that hang together and is to have so many
councillors. A random spanning tree is drawn (the least one by random keys;
edges that leave a place have higher keys, so that the tree runs through a
place before it leaves it), and cut where both sides have about the electors of
a whole number of councillors.
"""

# ruff: noqa: NPY002 (compiled code has the legacy generator alone; a seed for each chain)

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Nodes(NamedTuple):
    """
    What the kernels know of a graph; a node is a unit or several that stay together.

    `first`, `to`, `metres` and `leaves` list the neighbours of each node, the
    border with them, and how many places one leaves on the way. `near_places`
    counts from `place_first`. Seats that a ward may have are flagged in
    `allowed`, those that some wards make up together in `can`.
    """

    first: Ints
    to: Ints
    metres: Floats
    leaves: Floats
    forecast: Floats
    now: Floats
    area: Floats
    outer: Floats
    place_first: Ints
    place: Ints
    worth: Floats
    allowed: Flags
    can: Flags
    fair: float
    fair_now: float
    tolerance: float
    compactness: float
    today: float


@compiled()
def find_root(above: Ints, node: int) -> int:
    """Return the root of a node, and shorten its way there."""
    while above[node] != node:
        above[node] = above[above[node]]
        node = above[node]
    return node


@compiled()
def spanning_tree(  # noqa: C901 (a kernel: one pass over the edges)
    graph: Nodes, region: Ints, place_in: Ints
) -> tuple[Ints, Ints]:
    """
    Draw a spanning tree of a region.

    `place_in` tells where each node stands in the region, -1 elsewhere.
    Returned are the places in an order in which parents come first, and the
    parent of each; fewer than the region has where it does not hang together.
    """
    size = len(region)
    most = 0
    for node in region:
        most += graph.first[node + 1] - graph.first[node]
    one, other = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    key = np.empty(most)
    edges = 0
    heed = np.random.random()  # of places: some trees hardly see them, so that any cut can come up
    for i in range(size):
        node = region[i]
        for at in range(graph.first[node], graph.first[node + 1]):
            j = place_in[graph.to[at]]
            if j > i:
                one[edges], other[edges] = i, j
                key[edges] = np.random.random() + heed * graph.leaves[at]
                edges += 1
    above = np.arange(size)
    degree = np.zeros(size + 1, dtype=np.int64)
    taken = np.empty(size, dtype=np.int64)
    count = 0
    for edge in np.argsort(key[:edges]):
        a, b = find_root(above, one[edge]), find_root(above, other[edge])
        if a != b:
            above[a] = b
            taken[count] = edge
            count += 1
            degree[one[edge] + 1] += 1
            degree[other[edge] + 1] += 1
            if count == size - 1:
                break
    start = np.cumsum(degree)
    fill = start.copy()
    beside = np.empty(2 * count, dtype=np.int64)
    for k in range(count):
        a, b = one[taken[k]], other[taken[k]]
        beside[fill[a]], beside[fill[b]] = b, a
        fill[a] += 1
        fill[b] += 1
    order, parent = np.empty(size, dtype=np.int64), np.full(size, -1, dtype=np.int64)
    order[0] = np.random.randint(size)
    parent[order[0]] = order[0]
    done, seen = 0, 1
    while done < seen:
        node = order[done]
        done += 1
        for at in range(start[node], start[node + 1]):
            child = beside[at]
            if parent[child] < 0:
                parent[child] = node
                order[seen] = child
                seen += 1
    return order[:seen], parent


@compiled()
def leeway(graph: Nodes, seats: int) -> float:
    """Return how far a side may lie from its due; less where it is to be cut again."""
    largest = len(graph.allowed) - 1
    slack = 0.95 * graph.tolerance
    return slack if seats <= largest else slack * np.sqrt(largest / seats)


@compiled()
def best_cut(
    graph: Nodes, region: Ints, order: Ints, parent: Ints, seats: int, wish: int
) -> tuple[int, int, float]:
    """
    Choose the edge above a node at which to cut a tree, by chance among those that fit.

    Where none fits the one that comes closest is chosen. Returned are the
    node, the councillors of its side, and how far the cut lies outside what is
    allowed (0 where it fits); -1 where no cut can be. With a `wish` one of the
    sides has that many.
    """
    below = graph.forecast[region]
    for k in range(len(order) - 1, 0, -1):
        below[parent[order[k]]] += below[order[k]]
    total = below[order[0]]
    found, chosen, share, miss = 0, -1, 0, np.inf
    for k in range(1, len(order)):
        here = below[order[k]]
        about = here / graph.fair
        low = max(1, int(np.floor(about)) - 1)
        for x in range(low, min(seats - 1, low + 3) + 1):
            if not (graph.can[x] and graph.can[seats - x]):
                continue
            if wish > 0 and x != wish and seats - x != wish:
                continue
            one = abs(here / (x * graph.fair) - 1) - leeway(graph, x)
            other = abs((total - here) / ((seats - x) * graph.fair) - 1) - leeway(graph, seats - x)
            off = max(one, other, 0.0)
            if off == 0:
                found += 1
                if np.random.random() * found < 1:
                    chosen, share, miss = order[k], x, 0.0
            elif off < miss:
                chosen, share, miss = order[k], x, off
    return chosen, share, miss


@compiled()
def cut_in_two(
    graph: Nodes, region: Ints, place_in: Ints, seats: int, wish: int, tries: int
) -> tuple[Ints, int]:
    """Cut a region by the best of some trees; return the nodes of one side, and its councillors."""
    size = len(region)
    for i in range(size):
        place_in[region[i]] = i
    side, share, miss = np.empty(0, dtype=np.int64), 0, np.inf
    for _ in range(tries):
        order, parent = spanning_tree(graph, region, place_in)
        if len(order) < size:
            break
        node, x, off = best_cut(graph, region, order, parent, seats, wish)
        if node >= 0 and off < miss:
            inside = np.zeros(size, dtype=np.bool_)
            inside[node] = True
            for k in range(1, size):
                if inside[parent[order[k]]] and order[k] != order[0]:
                    inside[order[k]] = True
            side, share, miss = region[inside], x, off
        if miss == 0:
            break
    for i in range(size):
        place_in[region[i]] = -1
    return side, share


@compiled()
def carve(
    graph: Nodes,
    region: Ints,
    seats: int,
    wish: int,
    stay: Floats,
    tries: int,
    place_in: Ints,
    label: Ints,
    ward_seats: Ints,
    free: Ints,
) -> bool:
    """
    Cut a region again and again until every piece can be a ward.

    Labels and councillors of the new wards are written, from the labels that
    are `free` on. `stay` is the chance that a piece with so many councillors
    is left whole where it may be. False where a piece could not be cut.
    """
    nodes = region.copy()
    room = seats + 1
    begin, size, due = np.zeros(room, np.int64), np.zeros(room, np.int64), np.zeros(room, np.int64)
    size[0], due[0] = len(nodes), seats
    waiting, used = 1, 0
    inside = np.zeros(len(label), dtype=np.bool_)
    while waiting:
        waiting -= 1
        at, length, c = begin[waiting], size[waiting], due[waiting]
        piece = nodes[at : at + length].copy()
        whole = c < len(graph.allowed) and graph.allowed[c]
        if whole and wish == 0 and np.random.random() < stay[c]:
            side = piece[:0]
        else:
            side, x = cut_in_two(graph, piece, place_in, c, wish, tries)
        wish = 0
        if len(side) == 0:
            if not whole:
                return False
            ward = free[used]
            used += 1
            for node in piece:
                label[node] = ward
            ward_seats[ward] = c
            continue
        for node in side:
            inside[node] = True
        low, high = at, at + len(side)
        for node in piece:
            if inside[node]:
                nodes[low] = node
                low += 1
            else:
                nodes[high] = node
                high += 1
        for node in side:
            inside[node] = False
        begin[waiting], size[waiting], due[waiting] = at, len(side), x
        waiting += 1
        begin[waiting], size[waiting], due[waiting] = at + len(side), length - len(side), c - x
        waiting += 1
    return True
