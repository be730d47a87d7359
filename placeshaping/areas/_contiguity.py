"""Which polygons share a vertex: found by the vertices themselves, without asking geometry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.areas._rings import Rings, room_for, scatter


def sharing_vertices(rings: Rings) -> NDArray[np.intp]:
    """Return the pairs of polygons that share a vertex, as two rows, each pair once, sorted."""
    size = int(rings.owner.max()) + 1
    keys = _pairs(rings.xy, rings.xy.view(np.uint64), rings.first, rings.owner, size)
    return np.stack(np.divmod(np.unique(keys), size)).astype(np.intp)


@compiled()
def _pairs(  # noqa: C901 (a kernel: one pass over the vertices)
    xy: NDArray[np.float64],
    bits: NDArray[np.uint64],
    first: NDArray[np.int64],
    owner: NDArray[np.int64],
    size: int,
) -> NDArray[np.int64]:
    """Return lower * size + higher for each pair, some of them several times."""
    room = room_for(len(xy))
    last = np.uint64(room - 1)
    slots = np.full(room, -1, dtype=np.int32)
    vertex_of = np.empty(len(xy), dtype=np.int32)  # entries: one for each polygon at a vertex
    area_of = np.empty(len(xy), dtype=np.int32)
    before = np.empty(len(xy), dtype=np.int32)
    latest = np.full(size, -1, dtype=np.int64)
    found = np.empty(1024, dtype=np.int64)
    made, count = 0, 0
    for ring in range(len(owner)):
        area = owner[ring]
        for vertex in range(first[ring], first[ring + 1] - 1):
            place = scatter(bits[vertex, 0], bits[vertex, 1]) & last
            while True:
                entry = slots[place]
                if entry < 0:
                    break
                known = vertex_of[entry]
                if xy[known, 0] == xy[vertex, 0] and xy[known, 1] == xy[vertex, 1]:
                    break
                place = (place + np.uint64(1)) & last
            newest, there = entry, False
            while entry >= 0:
                if area_of[entry] == area:
                    there = True
                entry = before[entry]
            if there:
                continue
            entry = newest
            while entry >= 0:
                other = area_of[entry]
                entry = before[entry]
                key = min(area, other) * size + max(area, other)
                if latest[area] == key:  # most follow the same border as the vertex before
                    continue
                latest[area] = key
                if count == len(found):
                    found = np.append(found, np.empty(count, dtype=np.int64))
                found[count] = key
                count += 1
            vertex_of[made], area_of[made], before[made] = vertex, area, newest
            slots[place] = made
            made += 1
    return found[:count]
