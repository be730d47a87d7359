"""
Compiled kernels: better wards by recombination and by moving single units, annealed.

Recombination (DeFord, Duchin and Solomon 2021): wards that touch are merged
and cut anew along a random spanning tree. What a set of wards costs is the sum
of what each costs, so that a change asks only for the wards it touches.
Every chain draws from a seed of its own: the answer does not depend on threads.
"""

# ruff: noqa: NPY002 (compiled code has the legacy generator alone; a seed for each chain)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from placeshaping._core.compiled import compiled
from placeshaping.shaping._ward_trees import Flags, Floats, Ints, Nodes, carve

OVER = 4.0
"""Cost of a seat in a ward beyond the mark, and again for each mark beyond that."""

ENCLOSED = 15.0
"""Cost of a ward that lies wholly within another."""

_SHIFTS = 8
_STARTS = 20
_TREES = 12
_THREE = 0.1
_KEEP = 0.75
_MARGIN = 0.995


@compiled()
def ward_cost(
    graph: Nodes, label: Ints, ward: int, seats: int, members: Ints, met: Ints, stamp: int
) -> float:
    """Return what a ward costs; `met` holds the stamp under which each place was last met."""
    forecast, now, area, border, split, loose = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    single, several = -1, False
    for node in members:
        forecast += graph.forecast[node]
        now += graph.now[node]
        area += graph.area[node]
        border += graph.outer[node]
        loose += graph.outer[node]
        for at in range(graph.first[node], graph.first[node + 1]):
            beside = label[graph.to[at]]
            if beside != ward:
                border += graph.metres[at]
                if graph.metres[at] > 0:
                    several |= single >= 0 and single != beside
                    single = beside
        for at in range(graph.place_first[node], graph.place_first[node + 1]):
            place = graph.place[at]
            if met[place] != stamp:
                met[place] = stamp
                split += graph.worth[place]
    away = abs(forecast / (seats * graph.fair) - 1) / graph.tolerance
    cost = seats * 0.25 * away * away
    if away > _MARGIN:
        cost += seats * OVER * (1 + away - _MARGIN)
    before = (now / (seats * graph.fair_now) - 1) / graph.tolerance
    cost += seats * graph.today * before * before
    cost += seats * graph.compactness * (1 - 4 * np.pi * area / max(border * border, 1.0))
    if loose == 0 and single >= 0 and not several:
        cost += ENCLOSED
    return cost + split


@compiled()
def members_of(label: Ints, ward: int) -> Ints:
    """Return the nodes of a ward."""
    return np.flatnonzero(label == ward)


@compiled()
def hangs_together(graph: Nodes, label: Ints, ward: int, without: int, seen: Flags) -> bool:
    """Tell whether a ward is still of one piece without one of its nodes."""
    members = members_of(label, ward)
    if len(members) < 2:
        return False
    stack = np.empty(len(members), dtype=np.int64)
    start = members[0] if members[0] != without else members[1]
    stack[0], height, found = start, 1, 1
    seen[start] = True
    while height:
        height -= 1
        node = stack[height]
        for at in range(graph.first[node], graph.first[node + 1]):
            beside = graph.to[at]
            if label[beside] == ward and beside != without and not seen[beside]:
                seen[beside] = True
                found += 1
                stack[height] = beside
                height += 1
    seen[members] = False
    return found == len(members) - 1


@compiled()
def doughnuts(graph: Nodes, label: Ints, wards: int) -> int:
    """Count the wards that lie wholly within another."""
    single = np.full(wards, -1, dtype=np.int64)
    open_ = np.zeros(wards, dtype=np.bool_)
    for node in range(len(label)):
        own = label[node]
        open_[own] |= graph.outer[node] > 0
        for at in range(graph.first[node], graph.first[node + 1]):
            beside = label[graph.to[at]]
            if beside != own and graph.metres[at] > 0:
                if single[own] < 0:
                    single[own] = beside
                elif single[own] != beside:
                    open_[own] = True
    return int(((single >= 0) & ~open_).sum())


@compiled()
def cut_edge(graph: Nodes, label: Ints) -> tuple[int, int]:
    """Draw a pair of neighbours in unlike wards; -1 where some tries find none."""
    for _ in range(200):
        node = np.random.randint(len(label))
        low, high = graph.first[node], graph.first[node + 1]
        if high > low:
            beside = graph.to[np.random.randint(low, high)]
            if label[beside] != label[node]:
                return node, beside
    return -1, -1


@compiled()
def merged(graph: Nodes, label: Ints, one: int, other: int) -> Ints:
    """Return the wards of two neighbours, now and then with a third that touches them."""
    wards = np.array([label[one], label[other], -1])
    if np.random.random() < _THREE:
        for _ in range(20):
            a, b = cut_edge(graph, label)
            if a < 0:
                break
            inside = label[a] == wards[0] or label[a] == wards[1]
            if inside and label[b] != wards[0] and label[b] != wards[1]:
                wards[2] = label[b]
                break
    return wards[wards >= 0]


@compiled()
def farthest(graph: Nodes, label: Ints, ward_seats: Ints) -> float:
    """Return how far the ward lies from its due that lies farthest, as a share."""
    held = np.zeros(len(ward_seats))
    for node in range(len(label)):
        held[label[node]] += graph.forecast[node]
    most = 0.0
    for ward in range(len(ward_seats)):
        if ward_seats[ward] > 0:
            most = max(most, abs(held[ward] / (ward_seats[ward] * graph.fair) - 1))
    return most


@compiled()
def start_anew(
    graph: Nodes, seats: int, stay: Floats, label: Ints, ward_seats: Ints, place_in: Ints
) -> bool:
    """Cut the whole into wards until all are within the mark; False where no cut succeeds."""
    everything = np.arange(len(label))
    free = np.arange(len(ward_seats))
    best, best_label, best_seats = np.inf, label.copy(), ward_seats.copy()
    for _ in range(_STARTS):
        ward_seats[:] = 0
        if carve(graph, everything, seats, 0, stay, _TREES, place_in, label, ward_seats, free):
            away = farthest(graph, label, ward_seats)
            if away < best:
                best = away
                best_label[:] = label
                best_seats[:] = ward_seats
            if away <= graph.tolerance:
                break
    label[:] = best_label
    ward_seats[:] = best_seats
    return bool(best < np.inf)


@compiled()
def anneal(  # noqa: C901 (a kernel: one pass over the steps)
    graph: Nodes,
    seats: int,
    label: Ints,
    ward_seats: Ints,
    stay: Floats,
    steps: int,
    hot: float,
    cold: float,
    seed: int,
) -> float:
    """
    Improve wards in place, from a seed; where no ward has seats yet, cut the whole first.

    Returned is what the best wards that were met cost; infinite where there
    are none.
    """
    np.random.seed(seed)
    place_in = np.full(len(label), -1, dtype=np.int64)
    if ward_seats.sum() == 0 and not start_anew(graph, seats, stay, label, ward_seats, place_in):
        return np.inf
    wards = len(ward_seats)
    met, seen = np.full(len(graph.worth), -1, dtype=np.int64), np.zeros(len(label), dtype=np.bool_)
    cost = np.zeros(wards)
    stamp = 0
    for ward in range(wards):
        if ward_seats[ward] == 0:
            continue
        stamp += 1
        members = members_of(label, ward)
        cost[ward] = ward_cost(graph, label, ward, ward_seats[ward], members, met, stamp)
    total = cost.sum()
    best, best_label, best_seats = float(total), label.copy(), ward_seats.copy()
    old_label, old_seats = label.copy(), ward_seats.copy()
    rings = doughnuts(graph, label, wards)
    for step in range(steps):
        heat = hot * (cold / hot) ** (step / steps)
        node, beside = cut_edge(graph, label)
        if node < 0:
            break
        if step % _SHIFTS:  # move one node
            touched = np.array([label[node], label[beside]])
            if not hangs_together(graph, label, label[node], node, seen):
                continue
            label[node] = label[beside]
        else:  # recombine
            touched = merged(graph, label, node, beside)
            wish = 0
            if len(touched) == 2 and np.random.random() < _KEEP:
                wish = ward_seats[touched[0]]
            touched = recombine(graph, touched, wish, stay, place_in, label, ward_seats)
            if len(touched) == 0:
                label[:] = old_label
                ward_seats[:] = old_seats
                continue
        before, after = 0.0, 0.0
        fresh = np.zeros(len(touched))
        for k in range(len(touched)):
            ward = touched[k]
            before += cost[ward]
            if ward_seats[ward] > 0:
                stamp += 1
                members = members_of(label, ward)
                fresh[k] = ward_cost(graph, label, ward, ward_seats[ward], members, met, stamp)
            after += fresh[k]
        taken = after <= before or np.random.random() < np.exp((before - after) / heat)
        if taken:
            now = doughnuts(graph, label, wards)
            taken = now <= rings
            rings = now if taken else rings
        if not taken:
            if step % _SHIFTS:
                label[node] = touched[0]
            else:
                label[:] = old_label
                ward_seats[:] = old_seats
            continue
        if step % _SHIFTS:
            old_label[node] = label[node]
        else:
            old_label[:] = label
            old_seats[:] = ward_seats
        for k in range(len(touched)):
            cost[touched[k]] = fresh[k]
        total += after - before
        if total < best - 1e-9:
            best = float(total)
            best_label[:] = label
            best_seats[:] = ward_seats
    label[:] = best_label
    ward_seats[:] = best_seats
    return best


@compiled()
def recombine(
    graph: Nodes,
    touched: Ints,
    wish: int,
    stay: Floats,
    place_in: Ints,
    label: Ints,
    ward_seats: Ints,
) -> Ints:
    """Merge wards and cut them anew; return those that changed, none where it did not work."""
    inside = np.zeros(len(label), dtype=np.bool_)
    due = 0
    for ward in touched:
        inside |= label == ward
        due += ward_seats[ward]
        ward_seats[ward] = 0
    region = np.flatnonzero(inside)
    unused = np.flatnonzero(ward_seats == 0)
    spare = np.empty(len(unused), dtype=np.int64)
    spare[: len(touched)] = touched
    count = len(touched)
    for ward in unused:
        if not (touched == ward).any():
            spare[count] = ward
            count += 1
    kept = np.where(stay > 0, 1.0, 0.0) if wish else stay
    if not carve(graph, region, due, wish, kept, 1, place_in, label, ward_seats, spare):
        return touched[:0]
    last = len(touched)
    while last < count and ward_seats[spare[last]] > 0:
        last += 1
    return spare[:last]


def anneal_all(
    graph: Nodes,
    seats: int,
    labels: Ints,
    ward_seats: Ints,
    stay: Floats,
    steps: int,
    hot: float,
    cold: float,
    seeds: Ints,
) -> Floats:
    """
    Run chains side by side, each in its row of `labels` and `ward_seats`; return the costs.

    In threads of Python's, which the kernels let run: a parallel kernel would
    take as long again to compile.
    """

    def run(c: int) -> float:
        return anneal(
            graph, seats, labels[c], ward_seats[c], stay[c], steps, hot, cold, int(seeds[c])
        )

    with ThreadPoolExecutor(numba.get_num_threads()) as pool:
        return np.array(list(pool.map(run, range(len(seeds)))), dtype=np.float64)
