"""The routing solver, PyVRP: what it is asked, and what it answers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.optional import require

Floats = NDArray[np.float64]

SECOND = 60
"""Units of the solver, which counts in whole numbers, in a minute."""

FAR = 10**8
"""Seconds that stand for a way there is not."""

PATIENCE = 2_000
"""Turns without a better plan after which the solver stops, and 50 more for each stop."""

LOADS = 1_000
"""Units of the solver in one unit of load, where loads are fractions."""


@dataclass(frozen=True, eq=False)
class Task:
    """
    Checked arrays.

    Attributes
    ----------
    minutes
        From each place to each: depots first, then stops; infinite for none.
    depots
        How many of them are depots.
    fleet
        Vehicles of each depot.
    shift
        Minutes of a round.
    service, load
        Of each stop.
    capacity
        Of a vehicle; infinite for none.
    windows
        First and last minute at which a visit may begin.
    seconds, seed
        What the solver is given.
    """

    minutes: Floats
    depots: int
    fleet: list[int]
    shift: float
    service: Floats
    load: Floats
    capacity: float
    windows: tuple[Floats, Floats]
    seconds: float
    seed: int


def solve(task: Task) -> list[tuple[int, list[int]]] | None:
    """
    Find rounds: the depot of each and its stops in order; None where none was found that hold.

    Travel, service and windows are rounded up or down to whole seconds so
    that a round that holds there holds in minutes too.

    Raises
    ------
    MissingExtraError
        If pyvrp is not installed.
    """
    pyvrp = require("pyvrp", extra="shaping")
    stops = require("pyvrp.stop", extra="shaping")
    patience = stops.NoImprovement(PATIENCE + 50 * len(task.load))
    with warnings.catch_warnings():
        # that a plan is hard to find is told by not finding one
        warnings.simplefilter("ignore", category=UserWarning)
        found = pyvrp.solve(
            _problem(task, pyvrp),
            stop=stops.MultipleCriteria([stops.MaxRuntime(task.seconds), patience]),
            seed=task.seed,
            collect_stats=False,
            display=False,
        )
    if not found.is_feasible():
        return None
    routes = [
        (int(route.start_depot()), [int(one.idx) for one in route.schedule() if one.is_client()])
        for route in found.best.routes()
    ]
    routes = [(depot, visits) for depot, visits in routes if visits]
    return None if _uses_no_way(task, routes) else routes


def _problem(task: Task, pyvrp: Any) -> Any:
    """Write the task in whole numbers: seconds, and loads as they are or in thousandths."""
    travel = np.where(np.isfinite(task.minutes), np.ceil(task.minutes * SECOND - 1e-6), FAR)
    travel = travel.astype(np.int64)
    units = 1 if _whole(task.load) and (np.isinf(task.capacity) or _whole(task.capacity)) else LOADS
    loaded = bool(np.isfinite(task.capacity))
    load = np.ceil(task.load * units - 1e-6).astype(np.int64)
    service = np.ceil(task.service * SECOND - 1e-6).astype(np.int64)
    first = np.ceil(task.windows[0] * SECOND - 1e-6).astype(np.int64)
    last = np.floor(task.windows[1] * SECOND + 1e-6).astype(np.int64)
    shift = int(task.shift * SECOND + 1e-6)
    capacity = [int(task.capacity * units + 1e-6)] if loaded else []
    clients = [
        pyvrp.Client(
            task.depots + k,
            delivery=[int(load[k])] if loaded else [],
            service_duration=int(service[k]),
            tw_early=int(first[k]),
            tw_late=int(max(first[k], last[k])),
        )
        for k in range(len(load))
    ]
    types = [
        pyvrp.VehicleType(
            number,
            capacity=capacity,
            start_depot=depot,
            end_depot=depot,
            tw_late=shift,
            shift_duration=shift,
        )
        for depot, number in enumerate(task.fleet)
        if number
    ]
    return pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(len(travel))],
        clients=clients,
        depots=[pyvrp.Depot(k) for k in range(task.depots)],
        vehicle_types=types,
        distance_matrices=[travel],
        duration_matrices=[travel],
    )


def _whole(values: float | Floats) -> bool:
    return bool(np.all(np.asarray(values) == np.rint(values)))


def _uses_no_way(task: Task, routes: list[tuple[int, list[int]]]) -> bool:
    """Tell whether a round goes where there is no way."""
    for depot, visits in routes:
        places = [depot, *(task.depots + stop for stop in visits), depot]
        if not np.isfinite(task.minutes[places[:-1], places[1:]]).all():
            return True
    return False
