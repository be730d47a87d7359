"""A review as a graph for the search; units that should stay together as one node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping.shaping._ward_borders import groups_of
from placeshaping.shaping._ward_trees import Flags, Floats, Ints, Nodes
from placeshaping.shaping.ward_scores import place_labels
from placeshaping.shaping.wards import Review


@dataclass(frozen=True, eq=False)
class Weighed:
    """
    What the search trades off, in numbers that the kernels take.

    Attributes
    ----------
    compactness, today
        Worth of a seat in a ward that is a circle, and of equality today.
    places
        For each kind of place a label for each unit, and what a further ward
        that it reaches into costs.
    """

    compactness: float
    today: float
    places: Mapping[str, tuple[pd.Series[str], float]]


def together(review: Review) -> Ints:
    """
    Return the number of the group of each unit, which the first search leaves whole.

    Parishes that fit into a ward stay whole, then parish wards, then polling
    districts; each of one piece.
    """
    most = max(review.sizes) * (1 + review.tolerance)
    most *= review.units["electors_forecast"].sum() / review.councillors
    group = pd.Series([f"unit {i}" for i in range(len(review.units))], index=review.units.index)
    for kind, share in (("polling_district", 0.5), ("parish_ward", 0.9), ("parish", 0.9)):
        if kind not in review.places:
            continue
        names = place_labels(review, kind)
        electors = review.units["electors_forecast"].groupby(names).transform("sum")
        whole = names.notna() & (electors <= share * most)
        group = group.where(~whole, f"{kind} " + names.astype("str"))
    number = pd.factorize(group)[0].astype(np.int64)
    pairs = review.neighbours[["one", "other"]].to_numpy()
    pieces = groups_of(pairs[number[pairs[:, 0]] == number[pairs[:, 1]]], len(number))
    both = np.unique(np.column_stack([number, pieces]), axis=0, return_inverse=True)[1]
    return np.asarray(both, dtype=np.int64).ravel()


def graph_of(review: Review, node_of: Ints, weighed: Weighed) -> Nodes:
    """Lay out nodes, their borders and their places as flat arrays."""
    count = int(node_of.max()) + 1
    units = review.units
    pairs = review.neighbours[["one", "other"]].to_numpy()
    crossed, hosts, worth = _places(node_of, pairs, weighed)
    ends = node_of[pairs]
    metres = review.neighbours["metres"].to_numpy(dtype=np.float64)
    first, to, length, leaves = _links(ends, metres, crossed, count)
    place_first = np.searchsorted(hosts[:, 0], np.arange(count + 1)).astype(np.int64)
    allowed, can = _seats(review)

    def summed(column: str) -> Floats:
        sums = np.bincount(node_of, units[column].to_numpy(dtype=np.float64), count)
        return np.asarray(sums, dtype=np.float64)

    forecast, now = summed("electors_forecast"), summed("electors_now")
    return Nodes(
        first=first,
        to=to,
        metres=length,
        leaves=leaves,
        forecast=forecast,
        now=now,
        area=summed("square_metres"),
        outer=summed("outer_metres"),
        place_first=place_first,
        place=np.ascontiguousarray(hosts[:, 1]),
        worth=worth,
        allowed=allowed,
        can=can,
        fair=float(forecast.sum() / review.councillors),
        fair_now=float(now.sum() / review.councillors),
        tolerance=review.tolerance,
        compactness=float(weighed.compactness),
        today=float(weighed.today),
    )


def _places(
    node_of: Ints, pairs: Ints, weighed: Weighed
) -> tuple[
    Floats,
    Ints,
    Floats,
]:
    """Return how much each pair leaves behind, the places of each node, and the worth of each."""
    crossed = np.zeros(len(pairs))
    hosts, worth = [np.empty((0, 2), dtype=np.int64)], [np.empty(0)]
    known = 0
    for names, weight in weighed.places.values():
        number, found = pd.factorize(names)
        parted = number[pairs[:, 0]] != number[pairs[:, 1]]
        crossed += parted * min(1.0, weight)
        has = number >= 0
        hosts.append(np.column_stack([node_of[has], number[has] + known]))
        worth.append(np.full(len(found), float(weight)))
        known += len(found)
    return crossed, np.unique(np.vstack(hosts), axis=0).astype(np.int64), np.concatenate(worth)


def _links(
    ends: Ints,
    metres: Floats,
    crossed: Floats,
    count: int,
) -> tuple[Ints, Ints, Floats, Floats]:
    """Join the borders between the same two nodes, and list them from both sides."""
    apart = ends[:, 0] != ends[:, 1]
    low, high = ends[apart].min(axis=1), ends[apart].max(axis=1)
    links = pd.DataFrame(
        {"key": low * count + high, "metres": metres[apart], "leaves": crossed[apart]}
    )
    links = links.groupby("key").agg({"metres": "sum", "leaves": "min"})
    a, b = np.divmod(links.index.to_numpy(), count)
    focal, to = np.concatenate([a, b]), np.concatenate([b, a])
    order = np.lexsort((to, focal))
    first = np.searchsorted(focal[order], np.arange(count + 1)).astype(np.int64)
    length = np.tile(links["metres"].to_numpy(), 2)[order]
    leaves = np.tile(links["leaves"].to_numpy(), 2)[order]
    return first, to[order].astype(np.int64), length, leaves


def _seats(review: Review) -> tuple[Flags, Flags]:
    """Tell which numbers of councillors a ward may have, and which some wards have together."""
    allowed = np.zeros(max(review.sizes) + 1, dtype=np.bool_)
    allowed[list(review.sizes)] = True
    can = np.zeros(review.councillors + 1, dtype=np.bool_)
    can[0] = True
    for seats in range(1, review.councillors + 1):
        can[seats] = any(seats >= size and can[seats - size] for size in review.sizes)
    return allowed, can
