"""
Where patrols of a shift go: compact areas grown around the likeliest cells.

A patrol on foot or by car covers a few neighbouring cells, not a scatter over a
district. Areas are grown cell by cell, each connected and of equal size, so
that together they hold as much of the expected crime as such areas can; what
walkability costs against the same number of scattered cells is told.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.errors import InputError
from placeshaping.likelihood.units import Units
from placeshaping.shaping.network import Network
from placeshaping.shaping.visits import order_visits, round_length, ways_between

Floats = NDArray[np.float64]

DWELL_MINUTES = 15
"""
Minutes that a visit lasts: about the time after which a longer stay added little (Koper 1995).
"""

WALKING_KM_H = 4.0
"""Pace between cells, for the number of visits that fit in a shift."""


@dataclass(frozen=True, eq=False)
class PatrolPlan:
    """
    Patrol areas and the cells in them.

    Attributes
    ----------
    cells
        Indexed by ``area_code``, in the order of visits: ``patrol`` (1 is the
        area that expects most), ``visit`` (order within it), ``rank`` (1 is
        the likeliest cell of the district), ``expected``, ``off_streets``
        (whether the streets do not join it to the others: straight lines stand
        in).
    patrols
        Indexed by ``patrol``: ``cells``, ``area_km2``, ``expected``,
        ``walk_km`` (the round over its cells' centres), ``minutes`` (one round
        with its visits).
    share_of_area, share_of_expected
        Of the district, in all patrol areas together.
    best_share
        Of the expected crime, in as many scattered cells.
    method
        How the areas were made, in a sentence.
    """

    cells: pd.DataFrame
    patrols: pd.DataFrame
    share_of_area: float
    share_of_expected: float
    best_share: float
    method: str


def plan_patrols(
    expected: Floats,
    units: Units,
    *,
    patrols: int,
    cells: int | None = None,
    share: float | None = None,
    allowed: NDArray[np.bool_] | None = None,
    compactness: float = 0.0,
    corners: bool = True,
    dwell_minutes: float = DWELL_MINUTES,
    streets: Network | None = None,
) -> PatrolPlan:
    """
    Make connected patrol areas of equal size around the likeliest cells.

    Area after area is grown: from each of the likeliest free cells, the
    likeliest free cell that touches the area joins it (of equally likely ones
    the one nearest to its middle) until it is full, and of these areas the one
    that expects most is kept. Cells are then exchanged at the borders as long
    as that adds to what is expected.

    Parameters
    ----------
    expected
        Expected count of each unit in the shift.
    units
        The cells of a grid, or small areas.
    patrols
        How many patrol areas.
    cells
        How many cells in all; or
    share
        which share of the district's area, above 0 and at most 1. One of the
        two.
    allowed
        Which units may be part of an area; all, where not given.
    compactness
        From 0 to 1: how far an area grows by what is expected around a cell
        (it and those that touch it, on average) rather than in it alone. More
        gives rounder areas that hold a little less.
    corners
        Whether cells that touch at a corner alone make a connected area.
    dwell_minutes
        Minutes of each visit.
    streets
        Along which the cells of an area are visited (`make_network`, in the
        reference system of the units); straight lines, where not given.

    Returns
    -------
    plan
        Cells with the order of visits, and the patrol areas.

    Raises
    ------
    InputError
        If more is asked for than there is, or numbers do not match the units.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.likelihood.units import make_cells, make_units
    >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 1500, 500)], crs=27700)
    >>> units = make_units(make_cells(study, size=250))
    >>> expected = np.array([5, 3, 0, 0, 0, 9, 1, 0, 0, 0, 0, 4.0])
    >>> plan = plan_patrols(expected, units, patrols=2, cells=4)
    >>> plan.patrols["expected"].tolist(), round(plan.share_of_expected, 2)
    ([13.0, 8.0], 0.95)
    """
    _check(expected, units, patrols)
    free = np.ones(len(units), dtype=bool) if allowed is None else allowed.copy()
    wanted = _how_many(units, patrols, cells, share, int(free.sum()))
    sizes = [wanted // patrols + (k < wanted % patrols) for k in range(patrols)]
    near = _neighbour_lists(units, corners=corners)
    order = np.lexsort((np.arange(len(units)), -expected))
    worth = _worth(expected, units, compactness)
    grown: list[list[int]] = []
    for size in sizes:
        best = _best_area(worth, units, near, order, free, size)
        free[best] = False
        grown.append(best)
    _exchange(grown, worth, near, free)
    rounds = [_visits(area, expected, units, streets) for area in grown]
    return _plan(rounds, expected, units, order, wanted, dwell_minutes)


_SEEDS = 60
"""Likeliest free cells from which an area is tried."""


def _check(expected: Floats, units: Units, patrols: int) -> None:
    if expected.shape != (len(units),):
        msg = f"{expected.shape} expected counts for {len(units):,} units. Give one for each."
        raise InputError(msg)
    if not np.isfinite(expected).all() or (expected < 0).any():
        msg = "Expected counts must be numbers of zero or more, without gaps."
        raise InputError(msg)
    if patrols < 1:
        msg = f"patrols is {patrols}. Ask for one or more."
        raise InputError(msg)


def _worth(expected: Floats, units: Units, compactness: float) -> Floats:
    """Return what an area grows by: what is expected in a cell, and around it."""
    if not 0 <= compactness <= 1:
        msg = f"compactness is {compactness}. Give a number from 0 to 1."
        raise InputError(msg)
    if compactness == 0:
        return expected
    around = expected + units.neighbours @ expected
    many = 1 + np.diff(units.neighbours.indptr)
    return np.asarray((1 - compactness) * expected + compactness * around / many)


def _how_many(units: Units, patrols: int, cells: int | None, share: float | None, free: int) -> int:
    """Return the number of cells that was asked for."""
    if (cells is None) == (share is None):
        msg = "Say how much to cover by one of `cells` and `share`."
        raise InputError(msg)
    if share is not None and not 0 < share <= 1:
        msg = f"share is {share}. Give a share of the district's area between 0 and 1."
        raise InputError(msg)
    if cells is None:
        typical = float(np.median(units.area))
        cells = max(patrols, round(float(share or 0) * float(units.area.sum()) / typical))
    if not patrols <= cells <= free:
        barred = len(units) - free
        may = f", of which {barred:,} may not be part of a patrol area" if barred else ""
        msg = (
            f"{cells:,} cells for {patrols:,} patrols, and the district has {len(units):,}{may}: "
            "ask for at least one a patrol, and no more than there are."
        )
        raise InputError(msg)
    return cells


def _neighbour_lists(units: Units, *, corners: bool) -> list[NDArray[np.int32]]:
    matrix = units.neighbours
    if not corners and units.cell is not None:
        pairs = matrix.tocoo()
        apart = np.abs(units.xy[pairs.row] - units.xy[pairs.col]).min(axis=1)
        pairs.data = (apart < units.cell / 2).astype(float)
        matrix = pairs.tocsr()
        matrix.eliminate_zeros()
    return np.split(matrix.indices, matrix.indptr[1:-1])


def _best_area(
    expected: Floats,
    units: Units,
    near: list[NDArray[np.int32]],
    order: NDArray[np.intp],
    free: NDArray[np.bool_],
    size: int,
) -> list[int]:
    """Grow an area from each of the likeliest free cells; return the one that expects most."""
    seeds = order[free[order]][:_SEEDS]
    areas = [_grow(int(seed), expected, units, near, free, size) for seed in seeds]
    full = [area for area in areas if len(area) == size]
    if not full:
        msg = (
            f"No {size:,} free cells touch each other. Ask for fewer cells a patrol, or for more "
            "patrols."
        )
        raise InputError(msg)
    return max(full, key=lambda area: (expected[area].sum(), -_spread(area, units)))


def _grow(
    seed: int,
    expected: Floats,
    units: Units,
    near: list[NDArray[np.int32]],
    free: NDArray[np.bool_],
    size: int,
) -> list[int]:
    area: list[int] = []
    seen = {seed}
    heap: list[tuple[float, float, int]] = [(0.0, 0.0, seed)]
    while heap and len(area) < size:
        cell = heapq.heappop(heap)[2]
        area.append(cell)
        for other in near[cell].tolist():
            if free[other] and other not in seen:
                seen.add(other)
                away = float(np.hypot(*(units.xy[other] - units.xy[seed])))
                heapq.heappush(heap, (-float(expected[other]), away, other))
    return area


def _spread(area: list[int], units: Units) -> float:
    places = units.xy[area]
    return float(np.linalg.norm(places - places.mean(axis=0), axis=1).sum())


def _exchange(
    grown: list[list[int]],
    expected: Floats,
    near: list[NDArray[np.int32]],
    free: NDArray[np.bool_],
) -> None:
    """Give up the least likely cell of an area for a likelier free one, while it stays whole."""
    for area in grown:
        while True:
            swap = next(_swaps(area, expected, near, free), None)
            if swap is None:
                break
            out, into = swap
            area[area.index(out)] = into
            free[out], free[into] = True, False


def _swaps(
    area: list[int],
    expected: Floats,
    near: list[NDArray[np.int32]],
    free: NDArray[np.bool_],
) -> Iterator[tuple[int, int]]:
    around = {o for cell in area for o in near[cell].tolist() if free[o]}
    for into in sorted(around, key=lambda cell: -expected[cell]):
        for out in sorted(area, key=lambda cell: expected[cell]):
            if expected[out] >= expected[into]:
                break
            if _connected([cell for cell in area if cell != out] + [into], near):
                yield out, into


def _connected(area: list[int], near: list[NDArray[np.int32]]) -> bool:
    members, reached, waiting = set(area), {area[0]}, [area[0]]
    while waiting:
        for other in near[waiting.pop()].tolist():
            if other in members and other not in reached:
                reached.add(other)
                waiting.append(other)
    return len(reached) == len(members)


@dataclass(frozen=True, eq=False)
class _Round:
    """Cells of an area in the order of visits."""

    cells: NDArray[np.intp]
    metres: float
    off_streets: NDArray[np.bool_]


def _visits(area: list[int], expected: Floats, units: Units, streets: Network | None) -> _Round:
    """Order an area's cells as a short round that begins at the likeliest."""
    cells = np.array(sorted(area, key=lambda cell: (-expected[cell], cell)), dtype=np.intp)
    ways = ways_between(units.xy[cells], streets=streets)
    tour = order_visits(ways.metres, first=0)
    return _Round(cells[tour], round_length(ways.metres, tour), ways.straight[tour])


def _plan(
    rounds: list[_Round],
    expected: Floats,
    units: Units,
    order: NDArray[np.intp],
    wanted: int,
    dwell: float,
) -> PatrolPlan:
    rank = np.empty(len(units), dtype=np.int64)
    rank[order] = np.arange(1, len(units) + 1)
    rounds = sorted(rounds, key=lambda one: -expected[one.cells].sum())
    cells = np.concatenate([one.cells for one in rounds])
    many = [len(one.cells) for one in rounds]
    table = pd.DataFrame(
        {
            "patrol": np.repeat(np.arange(1, len(rounds) + 1), many),
            "visit": np.concatenate([np.arange(1, number + 1) for number in many]),
            "rank": rank[cells],
            "expected": expected[cells],
            "off_streets": np.concatenate([one.off_streets for one in rounds]),
        },
        index=units.codes[cells],
    )
    total = max(float(expected.sum()), 1e-12)
    return PatrolPlan(
        cells=table,
        patrols=_patrol_table(rounds, expected, units, dwell),
        share_of_area=float(units.area[cells].sum() / units.area.sum()),
        share_of_expected=float(expected[cells].sum() / total),
        best_share=float(expected[order[:wanted]].sum() / total),
        method=(
            f"{len(rounds):,} connected areas of about {wanted / len(rounds):.0f} cells, grown "
            "around the likeliest cells and improved by exchanging cells at their borders."
        ),
    )


def _patrol_table(
    rounds: list[_Round], expected: Floats, units: Units, dwell: float
) -> pd.DataFrame:
    walks = np.array([one.metres / 1000 for one in rounds])
    cells = np.array([len(one.cells) for one in rounds])
    return pd.DataFrame(
        {
            "cells": cells,
            "area_km2": [float(units.area[one.cells].sum()) for one in rounds],
            "expected": [float(expected[one.cells].sum()) for one in rounds],
            "walk_km": walks,
            "minutes": cells * dwell + walks / WALKING_KM_H * 60,
        },
        index=pd.RangeIndex(1, len(rounds) + 1, name="patrol"),
    )
