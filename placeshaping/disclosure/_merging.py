"""Small areas merged with their siblings, one parent at a time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse


@dataclass
class Siblings:
    """
    The areas of one parent, as they are merged.

    Areas are numbered in the order of their codes; a group bears the number
    of its first area.

    Attributes
    ----------
    counts
        Records of each group.
    near
        Groups that each group touches.
    members
        Areas of each group.
    """

    counts: dict[int, int]
    near: dict[int, set[int]]
    members: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.members = {area: [area] for area in self.counts}

    def unite(self, one: int, other: int) -> int:
        """Merge two groups; return the number of what they have become."""
        kept, gone = min(one, other), max(one, other)
        self.counts[kept] += self.counts.pop(gone)
        self.members[kept] += self.members.pop(gone)
        for group in self.near.pop(gone) - {kept}:
            self.near[group].discard(gone)
            self.near[group].add(kept)
            self.near[kept].add(group)
        self.near[kept].discard(gone)
        return kept


def merge_siblings(
    siblings: Siblings, *, passes: Callable[[int], bool], shapes: NDArray[np.object_]
) -> Iterable[list[int]]:
    """
    Merge the groups that do not pass until all do, or only one is left.

    The group of fewest areas goes first, among those the one with the least
    count, so that groups grow evenly. Of the groups that it touches
    (the nearest, where it touches none) it takes one with which it passes;
    among those the one of fewest areas, then of least count, then of first
    code.

    Parameters
    ----------
    siblings
        The areas; changed in place.
    passes
        Whether a count may be shown.
    shapes
        Outline of every area, by its number.

    Returns
    -------
    groups
        The areas of each group.
    """
    counts, members = siblings.counts, siblings.members
    waiting = [(1, count, group) for group, count in counts.items() if not passes(count)]
    heapq.heapify(waiting)
    while waiting:
        size, count, group = heapq.heappop(waiting)
        if group not in members or len(members[group]) != size:
            continue  # it was merged since
        others = siblings.near[group] or _nearest(group, members, shapes)
        if not others:
            break

        def worth(other: int, count: int = count) -> tuple[bool, int, int, int]:
            together = passes(count + counts[other])
            return not together, len(members[other]), counts[other], other

        united = siblings.unite(group, min(others, key=worth))
        if not passes(counts[united]):
            heapq.heappush(waiting, (len(members[united]), counts[united], united))
    return members.values()


def _nearest(
    group: int, members: Mapping[int, Sequence[int]], shapes: NDArray[np.object_]
) -> Set[int]:
    """Return the other groups at the least distance."""
    own = shapes[members[group]][:, None]
    distance = {
        other: float(shapely.distance(own, shapes[areas][None, :]).min())
        for other, areas in members.items()
        if other != group
    }
    least = min(distance.values(), default=0.0)
    return {other for other, away in distance.items() if away == least}


def in_pieces(
    pairs: NDArray[np.intp], group: NDArray[np.intp], shapes: NDArray[np.object_]
) -> NDArray[np.bool_]:
    """
    Tell which groups consist of areas that do not all hang together.

    Parameters
    ----------
    pairs
        Areas taken for neighbours, as two rows; those tied across a gap do
        not count.
    group
        Group of each area.
    shapes
        Outline of each area.

    Returns
    -------
    apart
        One entry a group.
    """
    inside = pairs[:, group[pairs[0]] == group[pairs[1]]]
    inside = inside[:, shapely.intersects(shapes[inside[0]], shapes[inside[1]])]
    size = len(group)
    ones = np.ones(inside.shape[1], dtype=np.int8)
    links = sparse.csr_array((ones, inside), shape=(size, size))
    piece = sparse.csgraph.connected_components(links, directed=False)[1]
    several = np.unique(np.column_stack([group, piece]), axis=0)[:, 0]
    apart: NDArray[np.bool_] = np.bincount(several, minlength=int(group.max()) + 1) > 1
    return apart
