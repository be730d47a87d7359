"""Land in several pieces, joined as people would: each to what lies nearest."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from placeshaping._core.checks import listed
from placeshaping._core.errors import UnmatchedError
from placeshaping.areas.neighbours import detached_parts

if TYPE_CHECKING:
    from libpysal.graph import Graph

_log = logging.getLogger(__name__)


def join_pieces(areas: gpd.GeoDataFrame, neighbours: Graph) -> Graph:
    """
    Make neighbours of the two nearest areas of pieces that do not touch, until all hang together.

    Parameters
    ----------
    areas
        Polygons indexed by area code, in metres.
    neighbours
        Of these areas, from `areas.neighbours.contiguity`.

    Returns
    -------
    neighbours
        The same where all hung together already. What was joined is logged.

    Raises
    ------
    UnmatchedError
        If the neighbours are of other areas.

    Examples
    --------
    >>> from shapely import box
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(5, 0, 6, 1), box(6, 0, 7, 1)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=list("abcd"), crs=27700)
    >>> sorted(join_pieces(areas, contiguity(areas))["b"].index)
    ['a', 'c']
    """
    from libpysal.graph import Graph

    if not areas.index.isin(neighbours.unique_ids).all() or len(areas) != neighbours.n:
        msg = f"neighbours are of {neighbours.n:,} other areas than the {len(areas):,} given."
        raise UnmatchedError(msg)
    joined = []
    while (part := detached_parts(neighbours).reindex(areas.index)).max() > 0:
        own = part == part.max()  # the smallest
        index = areas[~own].sindex.nearest(areas.geometry[own], return_all=False)[1]
        gaps = areas.geometry[own].distance(areas.geometry[~own].iloc[index], align=False)
        place = int(np.argmin(gaps.to_numpy()))
        one, other = areas.index[own][place], areas.index[~own][index[place]]
        joined.append(f"{one} with {other}")
        pairs = neighbours.adjacency.reset_index()
        pairs = pairs[pairs["weight"] > 0]
        neighbours = Graph.from_arrays(
            [*pairs["focal"], one, other],
            [*pairs["neighbor"], other, one],
            np.ones(len(pairs) + 2),
        )
    if joined:
        _log.warning("%s pieces that do not touch were joined: %s.", len(joined), listed(joined))
    return neighbours
