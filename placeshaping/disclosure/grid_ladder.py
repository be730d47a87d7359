"""
A grid that is as fine as its points allow: squares of 125 m to 1 km, each shown once.

A square is split into its four only where each of them may be shown. It then
gives way to them: no square is published together with one that it holds, so
that nothing can be had by subtraction between them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import DisclosureError, InputError
from placeshaping.areas.grids import SIZES, cell_codes, make_grid
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import suppress_small
from placeshaping.joins._geometry import coordinates
from placeshaping.joins._tally import weights_of
from placeshaping.joins.points import count_by_area

_log = logging.getLogger(__name__)

LEVEL = "grid"


@dataclass(frozen=True)
class GridLadder:
    """
    Squares of several sizes that cover a place, none of them twice.

    Attributes
    ----------
    cells
        Areas for `make_ladder`: indexed by `area_code` (as in `areas.grids`),
        `area_name` (the code), `level` (``"grid_250"``), `size` (metres) and
        `geometry` (EPSG:27700, with a vertex wherever a smaller square may
        end, so that neighbours of unlike sizes fit). From south-west to
        north-east.
    counts
        Unprotected: long table for `analyse`, of the events in each square.
    facts
        `cells` (size -> squares of it), `hidden` (squares of the largest size
        that may not be shown, and could not be put together further).
    """

    cells: gpd.GeoDataFrame
    counts: pd.DataFrame
    facts: Mapping[str, Any]

    def sentences(self) -> Iterator[str]:
        """Say in words which squares there are, for print."""
        sizes = [f"{count:,} of {size:,} m" for size, count in self.facts["cells"].items()]
        yield (
            f"Squares are as small as the numbers in them allow ({', '.join(sizes)}); none is "
            "shown together with a larger one that holds it."
        )
        if self.facts["hidden"]:
            yield f"{self.facts['hidden']:,} of the largest hold too little to be shown."


def make_grid_ladder(
    events: pd.DataFrame,
    place: gpd.GeoDataFrame | tuple[float, float, float, float],
    *,
    policy: Policy,
    finest: int | None = None,
    coarsest: int = SIZES[-1],
    by: Sequence[Literal["period", "category"]] = ("period", "category"),
    periods: Iterable[Any] | None = None,
    outside: Literal["raise", "drop"] = "raise",
) -> GridLadder:
    """
    Cover a place with squares as small as the policy lets out.

    Beginning with the largest, a square is split where all its quarters that
    meet the place pass: the count of all their events is not hidden by the
    threshold, which means enough of them, or none where zero is shown. The
    quarters are treated likewise; an empty square stays whole. Squares of the
    largest size that do not pass stay, and are hidden when the table is
    protected.

    Parameters
    ----------
    events
        Events with ``easting`` and ``northing`` (metres, EPSG:27700), or
        points; with an integer column ``count``, each row stands for so many.
    place
        Polygons in EPSG:27700 or an extent, as `make_grid` takes it: squares
        without events are part of the table.
    policy
        Whose threshold decides.
    finest, coarsest
        Sides of the smallest and the largest squares in metres, of 125, 250,
        500 and 1000; by default the policy's `finest_cell`, or 125.
    by, periods
        As in `joins.points.count_by_area`.
    outside
        Whether to refuse events without coordinates or outside all squares,
        or to leave them out.

    Returns
    -------
    grid
        Squares and their counts; the same whatever the order of the rows.

    Raises
    ------
    DisclosureError
        If `finest` is smaller than the policy lets out.
    InputError
        If a size is none of those that nest.
    UnmatchedError
        If events lie outside and `outside` is ``"raise"``.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> events = pd.DataFrame(
    ...     {"easting": [100.0, 900.0], "northing": [100.0, 100.0], "count": [40, 7]}
    ... )
    >>> place = (0, 0, 1000, 1000)
    >>> grid = make_grid_ladder(events, place, policy=policy_named("police"), finest=500, by=())
    >>> grid.counts
              area_code  count
    0      S500E0N0     40
    1    S500E500N0      7
    2    S500E0N500      0
    3  S500E500N500      0
    >>> make_grid_ladder(events, place, policy=policy_named("public"), by=()).counts
        area_code  count
    0  S1000E0N0     47
    """
    sizes = _sizes(policy, finest, coarsest)
    fine = make_grid(place, size=sizes[0])
    corners = shapely.bounds(fine.geometry.to_numpy())[:, :2].astype(np.int64)
    codes = cell_codes(*coordinates(events), size=sizes[0])
    at = fine.index.get_indexer(codes)
    weights = weights_of(events)
    inside = at >= 0
    total = np.bincount(
        at[inside], None if weights is None else weights[inside], minlength=len(fine)
    ).astype(np.int64)
    leaf = _leaves(corners, total, sizes, policy)
    cells, position = _cells(corners, leaf, sizes[0])
    placed = pd.Series(
        cells.index.to_series().array.take(np.append(position, -1)[at], allow_fill=True),
        index=events.index,
        name="area_code",
    )
    counts = count_by_area(events, cells, codes=placed, by=by, periods=periods, outside=outside)
    counts.attrs["level"] = LEVEL
    summed = np.bincount(position, total, minlength=len(cells)).astype(np.int64)
    facts = {
        "cells": {size: int((cells["size"] == size).sum()) for size in sizes},
        "hidden": int(suppress_small(summed, policy).sum()),
    }
    _log.info("Grid ladder: %s", facts)
    return GridLadder(cells, counts, MappingProxyType(facts))


def _sizes(policy: Policy, finest: int | None, coarsest: int) -> tuple[int, ...]:
    """Return the sizes from the smallest on, refusing those that the policy does not let out."""
    least = policy.finest_cell or SIZES[0]
    chosen = least if finest is None else finest
    if wrong := [size for size in (chosen, coarsest) if size not in SIZES]:
        msg = f"size is {wrong[0]}: give one of {listed(SIZES)}, the sizes that nest."
        raise InputError(msg)
    if chosen > coarsest:
        msg = f"finest ({chosen} m) is larger than coarsest ({coarsest} m)."
        raise InputError(msg)
    if chosen < least:
        msg = (
            f"The policy {policy.name!r} lets out no squares under {least} m, and {chosen} were "
            "asked for. Leave 'finest' out, or take another policy."
        )
        raise DisclosureError(msg)
    return tuple(size for size in SIZES if chosen <= size <= coarsest)


def _leaves(
    corners: NDArray[np.int64], total: NDArray[np.int64], sizes: Sequence[int], policy: Policy
) -> NDArray[np.int64]:
    """Return, for each of the smallest squares, the size of the one that is shown for it."""
    holder, passes, empty = {}, {}, {}
    for size in sizes:
        holder[size] = np.unique(corners // size, axis=0, return_inverse=True)[1].ravel()
        summed = np.bincount(holder[size], total).astype(np.int64)
        passes[size] = ~suppress_small(summed, policy)[holder[size]]
        empty[size] = (summed == 0)[holder[size]]
    leaf = np.full(len(corners), sizes[-1], dtype=np.int64)
    reached = np.ones(len(corners), dtype=bool)
    for size, quarter in pairwise(reversed(sizes)):
        failing = np.bincount(holder[size], ~passes[quarter])
        reached &= (failing[holder[size]] == 0) & ~empty[size]
        leaf[reached] = quarter
    return leaf


def _cells(
    corners: NDArray[np.int64], leaf: NDArray[np.int64], finest: int
) -> tuple[gpd.GeoDataFrame, NDArray[np.intp]]:
    """Return the squares that are shown, and the place of each smallest one's among them."""
    own = corners // leaf[:, None] * leaf[:, None]
    shown, position = np.unique(
        np.column_stack([own[:, 1], own[:, 0], leaf]), axis=0, return_inverse=True
    )
    y, x, size = shown.T
    codes = np.empty(len(shown), dtype=object)
    for one in np.unique(size):
        codes[size == one] = cell_codes(x[size == one], y[size == one], size=int(one))
    index = pd.Index(codes, dtype="str", name="area_code")
    squares = shapely.box(x, y, x + size, y + size)
    fitting = shapely.transform(shapely.segmentize(squares, float(finest)), np.rint)
    cells = gpd.GeoDataFrame(
        {
            "area_name": pd.Series(codes, index=index, dtype="str"),
            "level": pd.Series([f"grid_{one}" for one in size], index=index, dtype="str"),
            "size": pd.Series(size, index=index),
        },
        geometry=gpd.GeoSeries(fitting, index=index, crs=NATIONAL_GRID),
    )
    cells.attrs.update(level=LEVEL, vintage=None)
    return cells, position.ravel().astype(np.intp)
