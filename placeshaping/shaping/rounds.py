"""
Rounds for staff and vehicles: who visits which stops, in which order, and when.

Bins to empty, premises to inspect, people to visit. The rounds are found by
PyVRP (Wouda, Lan and Kool 2024), an open solver, which looks for short rounds
and proves nothing; a bound of our own says what no plan can travel less than.
Traffic, parking, breaks and one-way streets are not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.errors import InputError
from placeshaping.shaping._rounds_bound import least_travel
from placeshaping.shaping._rounds_solver import Task, solve
from placeshaping.shaping._rounds_task import (
    above_zero,
    check_possible,
    column_of,
    fleet_of,
    impossible,
    loads_of,
    minutes_of,
    places_of,
    windows_of,
)
from placeshaping.shaping.network import WALKING_KM_H, Network
from placeshaping.shaping.travel import REACH

_log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

SHIFT = 480.0
"""Minutes of a shift unless told otherwise: eight hours."""

SECONDS = 10.0
"""Time that the solver is given."""

CLOSED = 1e-4
"""A gap under which a plan counts as proved to be the shortest."""


@dataclass(frozen=True, eq=False)
class Rounds:
    """
    Rounds, what each does when, and how good they are together.

    Attributes
    ----------
    stops
        Index of the stops, in the order of visits: ``round``, ``order``,
        ``arrives``, ``waits``, ``begins``, ``leaves`` (minutes after the start
        of the shift), ``travel`` from the place before, ``load``.
    rounds
        Index ``round``: ``depot``, ``stops``, ``load``, ``starts``, ``ends``,
        ``minutes`` (of the round), ``travel``, ``service``, ``waiting``.
    travel
        Minutes that all travel together.
    bound
        Minutes that no plan can travel less than.
    gap
        Their difference as a share of `travel`.
    proven
        Whether the gap is closed.
    vehicles, shift
        As they were given.
    method, cautions
        How it was planned, and what a reader must know.
    """

    stops: pd.DataFrame
    rounds: pd.DataFrame
    travel: float
    bound: float
    gap: float
    proven: bool
    vehicles: int
    shift: float
    method: str
    cautions: tuple[str, ...]


def plan_rounds(
    stops: gpd.GeoDataFrame,
    depots: gpd.GeoDataFrame,
    *,
    vehicles: int | Mapping[Any, int],
    shift: float = SHIFT,
    service: float | str = 5.0,
    capacity: float | None = None,
    load: str | None = None,
    windows: tuple[str, str] | None = None,
    minutes: pd.DataFrame | None = None,
    network: Network | None = None,
    speed: float = WALKING_KM_H,
    detour: float = 1.0,
    reach: float = REACH,
    seconds: float = SECONDS,
    rng: int = 0,
) -> Rounds:
    """
    Plan rounds that visit every stop once and travel little.

    Parameters
    ----------
    stops
        Points in EPSG:27700, each with a label of its own as index.
    depots
        Where rounds start and end; points likewise.
    vehicles
        How many there are at each depot; or how many at which.
    shift
        Minutes from the start of a round to its end.
    service
        Minutes at each stop, or the column that holds them.
    capacity
        What a vehicle holds; needs `load`. None for no limit.
    load
        Column of what each stop adds.
    windows
        Columns of the first and last minute, after the start of the shift, at
        which a visit may begin; a missing one is no limit.
    minutes
        Travel between all places, rows and columns labelled as `depots` and
        `stops`; by default in a straight line or along `network`.
    network
        Streets from `make_network`.
    speed
        Km an hour of straight lines.
    detour
        Straight lines are this many times longer on the ground.
    reach
        Metres between a place and the nearest street, above which it is
        outside the network.
    seconds
        Time that the solver is given. For the same answer on any machine see
        `rng`: it fixes the search, not how far it gets.
    rng
        Seed.

    Returns
    -------
    rounds
        Tables, minutes of travel, the bound and the gap.

    Raises
    ------
    MissingExtraError
        If pyvrp is not installed.
    CRSError, EmptyError, DuplicateError, GeometryError
        If tables are not in metres, empty, have a label twice or no places.
    UnmatchedError
        If places lie outside the network, or travel names others.
    InputError
        If loads are more than all vehicles hold, a stop cannot be visited
        within the shift, or no plan was found that visits all.

    Examples
    --------
    >>> from shapely import Point
    >>> yard = gpd.GeoDataFrame(index=["Yard"], geometry=[Point(0, 0)], crs=27700)
    >>> bins = gpd.GeoDataFrame(
    ...     geometry=[Point(0, 400), Point(300, 400), Point(300, 0)], index=list("abc"), crs=27700
    ... )
    >>> plan = plan_rounds(bins, yard, vehicles=1, speed=6, service=2, seconds=0.2)
    >>> round(plan.travel, 1), plan.rounds["stops"].tolist(), plan.proven
    (14.0, [3], True)
    """
    places = places_of(stops, depots)
    fleet = fleet_of(vehicles, depots.index)
    matrix, how, facts = minutes_of(places, minutes, network, speed, detour, reach)
    task = Task(
        minutes=matrix,
        depots=len(depots),
        fleet=fleet,
        shift=above_zero(shift, "shift"),
        service=column_of(stops, service, "service"),
        load=loads_of(stops, load, capacity),
        capacity=np.inf if capacity is None else above_zero(capacity, "capacity"),
        windows=windows_of(stops, windows, shift),
        seconds=above_zero(seconds, "seconds"),
        seed=int(rng),
    )
    check_possible(task, stops.index)
    routes = solve(task)
    if routes is None:
        raise InputError(impossible(task))
    return _rounds_of(task, routes, stops.index, depots.index, how, facts)


def _rounds_of(
    task: Task,
    routes: list[tuple[int, list[int]]],
    stops: pd.Index,
    depots: pd.Index,
    how: str,
    facts: tuple[str, ...],
) -> Rounds:
    order = sorted(routes, key=lambda one: (one[0], min(one[1])))
    timed = [_timed(task, depot, visits) for depot, visits in order]
    visited = pd.concat(
        [part.assign(round=k) for k, (part, _) in enumerate(timed, start=1)], ignore_index=True
    )
    table = visited.set_axis(stops.take(visited.pop("stop").to_numpy(dtype=np.intp)))
    table = table[["round", *[name for name in table.columns if name != "round"]]]
    whole = pd.DataFrame([told for _, told in timed], index=pd.RangeIndex(1, len(timed) + 1))
    whole.insert(0, "depot", [depots[depot] for depot, _ in order])
    travel = float(whole["travel"].sum())
    fewest = 1
    if np.isfinite(task.capacity):
        fewest = max(1, int(np.ceil(task.load.sum() / task.capacity - 1e-9)))
    bound = least_travel(
        task.minutes,
        task.depots,
        fewest=fewest,
        most=sum(task.fleet),
        load=task.load,
        capacity=task.capacity,
    )
    gap = max(0.0, (travel - bound) / travel) if travel else 0.0
    proven = gap < CLOSED
    told = (
        "proved to be the shortest" if proven
        else f"not proved to be the shortest; no plan can travel more than {gap:.1%} less"
    )  # fmt: skip
    cautions = (*facts, "Traffic, parking, breaks and one-way streets are not known here.")
    for caution in cautions:
        _log.info("%s", caution)
    return Rounds(
        stops=table,
        rounds=whole.rename_axis("round"),
        travel=travel,
        bound=travel if proven else bound,
        gap=0.0 if proven else gap,
        proven=proven,
        vehicles=sum(task.fleet),
        shift=task.shift,
        method=f"{len(whole):,} rounds over {len(stops):,} stops by PyVRP: {told}. {how}",
        cautions=cautions,
    )


def _timed(task: Task, depot: int, visits: list[int]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Work the times of a round out; it starts as late as it can without changing its end."""
    start = _latest_start(task, depot, visits)
    now, place, rows = start, depot, []
    for order, stop in enumerate(visits, start=1):
        way = float(task.minutes[place, task.depots + stop])
        arrives = now + way
        begins = max(arrives, float(task.windows[0][stop]))
        now = begins + float(task.service[stop])
        rows.append(
            {"stop": stop, "order": order, "arrives": arrives, "waits": begins - arrives,
             "begins": begins, "leaves": now, "travel": way, "load": float(task.load[stop])}
        )  # fmt: skip
        place = task.depots + stop
    home = float(task.minutes[place, depot])
    table = pd.DataFrame(rows)
    told = {
        "stops": len(visits),
        "load": float(table["load"].sum()),
        "starts": start,
        "ends": now + home,
        "minutes": now + home - start,
        "travel": float(table["travel"].sum()) + home,
        "service": float(task.service[visits].sum()),
        "waiting": float(table["waits"].sum()),
    }
    return table, told


def _latest_start(task: Task, depot: int, visits: list[int]) -> float:
    """Return how late a round can start so that it neither waits nor is late more than it must."""
    now, place, slack, waited = 0.0, depot, np.inf, 0.0
    for stop in visits:
        now += float(task.minutes[place, task.depots + stop])
        wait = max(0.0, float(task.windows[0][stop]) - now)
        waited += wait
        now += wait
        slack = min(slack, float(task.windows[1][stop]) - now + waited)
        now += float(task.service[stop])
        place = task.depots + stop
    return max(0.0, min(waited, slack))


def describe_rounds(plan: Rounds, *, what: str = "stops", unit: str = "vehicles") -> str:
    """
    Say in a paragraph what the rounds do, and how good they are.

    Parameters
    ----------
    plan
        From `plan_rounds`.
    what
        Name of the stops, in the plural.
    unit
        Name of who goes round, in the plural.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> from shapely import Point
    >>> yard = gpd.GeoDataFrame(index=["Yard"], geometry=[Point(0, 0)], crs=27700)
    >>> bins = gpd.GeoDataFrame(index=["a"], geometry=[Point(0, 400)], crs=27700)
    >>> describe_rounds(plan_rounds(bins, yard, vehicles=2, speed=6, seconds=0.2), what="bins")
    '1 of 2 vehicles visits all 1 bins: 8 minutes of travel and 5 at the bins, the longest ...'
    """
    table = plan.rounds
    visit = "visits" if len(table) == 1 else "visit"
    text = (
        f"{len(table):,} of {plan.vehicles:,} {unit} {visit} all {len(plan.stops):,} {what}: "
        f"{plan.travel:,.0f} minutes of travel and {table['service'].sum():,.0f} at the {what}, "
        f"the longest round {table['minutes'].max():,.0f} of {plan.shift:,.0f} minutes. "
    )
    if plan.proven:
        return text + "No plan travels less."
    return text + (
        "That this is the shortest is not proved: another plan could travel at most "
        f"{plan.gap:.1%} less."
    )
