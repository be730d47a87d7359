"""
What it takes to get from places of demand to services: all pairs within a limit.

In a straight line, along a network of streets, or from a table that a journey
planner wrote; in metres, or in minutes at stated speeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_columns, check_unique, listed
from placeshaping._core.errors import DuplicateError, InputError, UnmatchedError
from placeshaping.shaping._attach import (
    Joined,
    Outside,
    Unit,
    cut_off_words,
    far_words,
    join_places,
    ways_from_services,
    within_reach,
)
from placeshaping.shaping._pairs import count_within, fill_within
from placeshaping.shaping._points import Flags, Floats, points_of, same_places
from placeshaping.shaping.network import WALKING_KM_H, Network

REACH = 500.0
"""Metres between a place and the nearest street, above which it is outside the network."""

WHAT = ("origins", "services")
"""How places are called in messages."""


@dataclass(frozen=True, eq=False)
class TravelCosts:
    """
    What it takes to get from each origin to each service within a limit.

    Attributes
    ----------
    origins, services
        Their labels.
    starts
        Pairs of origin ``i`` are at ``starts[i]`` to ``starts[i + 1]``.
    service
        Position of the service of each pair.
    cost
        Of each pair, in `unit`.
    unit
        ``"minutes"`` or ``"metres"``.
    limit
        Pairs above it are left out; infinite where there is none.
    method, cautions
        How travel was measured, and what a reader must know.
    """

    origins: pd.Index
    services: pd.Index
    starts: NDArray[np.int64]
    service: NDArray[np.int32]
    cost: Floats
    unit: Unit
    limit: float
    method: str
    cautions: tuple[str, ...]

    def matrix(self) -> Floats:
        """Return costs of origins (rows) and services (columns), infinite where not in reach."""
        dense = np.full((len(self.origins), len(self.services)), np.inf)
        row = np.repeat(np.arange(len(self.origins)), np.diff(self.starts))
        dense[row, self.service] = self.cost
        return dense


def travel_costs(
    origins: gpd.GeoDataFrame,
    services: gpd.GeoDataFrame,
    *,
    limit: float | None = None,
    network: Network | None = None,
    unit: Unit = "minutes",
    walking: float = WALKING_KM_H,
    detour: float = 1.0,
    reach: float = REACH,
    outside: Outside = "raise",
) -> TravelCosts:
    """
    Measure travel from every origin to every service within a limit.

    Parameters
    ----------
    origins
        Points of areas or postcodes, or polygons (their middle is taken), in
        EPSG:27700.
    services
        Points in EPSG:27700.
    limit
        In `unit`; pairs above it are left out. None: no limit.
    network
        Streets from `make_network`; by default travel is in a straight line.
    unit
        ``"minutes"`` or ``"metres"``.
    walking
        Speed in km an hour of straight lines.
    detour
        Straight lines are this many times longer on the ground.
    reach
        Metres between a place and the nearest street, above which it is
        outside the network.
    outside
        Whether to refuse places outside the network, or to drop them: they
        have no pairs then.

    Returns
    -------
    costs
        All pairs within the limit.

    Raises
    ------
    CRSError, EmptyError, DuplicateError, GeometryError
        If tables are not in metres, empty, have a label twice or no places.
    UnmatchedError
        If places lie outside the network and `outside` is ``"raise"``.
    InputError
        If an option is not above zero.

    Examples
    --------
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(index=["a", "b"], geometry=[Point(0, 0), Point(800, 0)], crs=27700)
    >>> library = gpd.GeoDataFrame(index=["Mill Road"], geometry=[Point(0, 400)], crs=27700)
    >>> travel_costs(homes, library).matrix().round(1).tolist()
    [[5.0], [11.2]]
    """
    check_options(unit, outside, limit=limit, walking=walking, detour=detour, reach=reach)
    start = points_of(origins, where="origins", what="origins")
    goal = points_of(services, where="services", what="services")
    most = np.inf if limit is None else float(limit)
    if network is None:
        scale = detour if unit == "metres" else detour / walking * 0.06
        starts, service, cost = _straight(start, goal, most, scale)
        facts, method = line_words(unit, walking, detour)
    else:
        near = join_near(network, (start, goal), (origins, services), reach, outside)
        joined = join_places(network, start, goal, near, unit)
        starts, service, cost = _along(joined, most)
        facts, method = street_words(network, (start, goal), near)
    return TravelCosts(
        origins=origins.index,
        services=services.index,
        starts=starts,
        service=service,
        cost=cost,
        unit=unit,
        limit=most,
        method=f"Travel in {unit} {method}.",
        cautions=(*facts, *_double_words(goal)),
    )


def costs_from_table(
    pairs: pd.DataFrame, origins: pd.Index, services: pd.Index, *, unit: Unit = "minutes"
) -> TravelCosts:
    """
    Take travel costs from a table, as journey planners write them.

    Parameters
    ----------
    pairs
        Columns ``origin``, ``service``, ``cost``; a pair that is not in it, or
        has no cost, is out of reach.
    origins, services
        Labels of all origins and services, in the order of the results.
    unit
        ``"minutes"`` or ``"metres"``.

    Returns
    -------
    costs
        The pairs of the table.

    Raises
    ------
    ColumnError
        If a column is missing.
    UnmatchedError
        If the table names an origin or a service that is not known.
    DuplicateError
        If a pair, an origin or a service stands twice.
    InputError
        If a cost is below zero.

    Examples
    --------
    >>> pairs = pd.DataFrame({"origin": ["a", "b"], "service": ["x", "x"], "cost": [4.0, 9.0]})
    >>> costs_from_table(pairs, pd.Index(["a", "b"]), pd.Index(["x", "y"])).matrix().tolist()
    [[4.0, inf], [9.0, inf]]
    """
    check_choice(unit, ("minutes", "metres"), name="unit")
    check_columns(pairs.columns, ["origin", "service", "cost"], where="pairs")
    row = _positions(pairs["origin"], origins, "origins")
    column = _positions(pairs["service"], services, "services")
    cost = pairs["cost"].to_numpy(dtype="float64", na_value=np.nan)
    if (cost < 0).any():
        msg = f"{int((cost < 0).sum()):,} of {len(pairs):,} pairs have a cost below zero."
        raise InputError(msg)
    known = np.isfinite(cost)
    order = np.flatnonzero(known)
    key = row[order] * len(services) + column[order]
    if (np.diff(key) <= 0).any():
        ranked = np.argsort(key, kind="stable")
        order, key = order[ranked], key[ranked]
        twice = int((np.diff(key) == 0).sum())
        if twice:
            msg = f"{twice:,} of {len(pairs):,} pairs stand twice. Keep one of each."
            raise DuplicateError(msg)
    lost = int((~known).sum())
    return TravelCosts(
        origins=origins,
        services=services,
        starts=np.concatenate([[0], np.cumsum(np.bincount(row[order], minlength=len(origins)))]),
        service=column[order].astype(np.int32),
        cost=cost[order],
        unit=unit,
        limit=np.inf,
        method=f"Travel in {unit} from a table.",
        cautions=(f"{lost:,} pairs have no cost and are out of reach.",) if lost else (),
    )


def _straight(
    origins: Floats, services: Floats, limit: float, scale: float
) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    order = np.argsort(services[:, 0], kind="stable").astype(np.int32)
    x, y = services[order].T.copy()
    # a rounding above the limit: what is exactly at it is in
    metres = min(limit / scale * (1 + 1e-12), 1e9)
    count = count_within(origins, x, y, metres)
    starts = np.concatenate([[0], np.cumsum(count)])
    service, away = fill_within(origins, x, y, order, metres, starts)
    return starts, service, away * scale


def _along(joined: Joined, limit: float) -> tuple[NDArray[np.int64], NDArray[np.int32], Floats]:
    rows, columns, costs = [], [], []
    for block, found in ways_from_services(joined, limit):
        service, origin = np.nonzero(found <= min(limit, 1e12))
        rows.append(origin)
        columns.append(service + block.start)
        costs.append(found[service, origin])
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.lexsort((column, row))
    starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(joined.origins)))])
    return starts, column[order].astype(np.int32), np.concatenate(costs)[order]


def _positions(labels: pd.Series[str], index: pd.Index, what: str) -> NDArray[np.int64]:
    check_unique(index, where=what, what=what)
    codes, known = pd.factorize(labels)
    place = index.get_indexer(pd.Index(known))
    if (place < 0).any() or (codes < 0).any():
        strange = list(np.asarray(known)[place < 0])
        msg = (
            f"pairs names {len(strange):,} {what} that are not among the {len(index):,} given "
            f"({listed(strange)}), or none. Give all of them, or leave these pairs out."
        )
        raise UnmatchedError(msg)
    return np.asarray(place[codes], dtype=np.int64)


def check_options(unit: str, outside: str, **above_zero: float | None) -> None:
    """Refuse an unknown unit or choice, and numbers that must be above zero and are not."""
    check_choice(unit, ("minutes", "metres"), name="unit")
    check_choice(outside, ("raise", "drop"), name="outside")
    for name, value in above_zero.items():
        if value is not None and not value > 0:
            msg = f"{name} is {value:g}; it must be above zero."
            raise InputError(msg)


def line_words(unit: str, walking: float, detour: float) -> tuple[tuple[str, ...], str]:
    """Return cautions and the method of travel in a straight line."""
    method = "in a straight line"
    if detour != 1:
        method += f" times {detour:g}"
    if unit == "minutes":
        method += f" at {walking:g} km an hour"
    if detour != 1:
        return (), method
    return ("Straight lines are shorter than the ways that people go.",), method


def join_near(
    network: Network,
    xy: tuple[Floats, Floats],
    tables: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
    reach: float,
    outside: Outside,
) -> tuple[Flags, Flags]:
    """Tell which origins and services lie near the network, refusing others unless dropped."""
    first, second = (
        within_reach(network, places, table.index, reach=reach, outside=outside, what=what)
        for places, table, what in zip(xy, tables, WHAT, strict=True)
    )
    return first, second


def street_words(
    network: Network, xy: tuple[Floats, Floats], near: tuple[Flags, Flags]
) -> tuple[tuple[str, ...], str]:
    """Return cautions and the method of travel on streets."""
    facts = [
        word
        for places, kept, what in zip(xy, near, WHAT, strict=True)
        for word in (
            *far_words(network, places, kept, what),
            *cut_off_words(network, places[kept], what),
        )
    ]
    return (*network.cautions, *facts), network.method


def _double_words(services: Floats) -> tuple[str, ...]:
    twice = same_places(services)
    if not twice:
        return ()
    return (f"{twice:,} services stand where another one stands; each is counted.",)
