"""What rounds are asked: checked arrays for the solver, and what no plan can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, check_whole, listed
from placeshaping._core.errors import InputError, UnmatchedError
from placeshaping.shaping._points import points_of
from placeshaping.shaping._rounds_solver import Task
from placeshaping.shaping.network import Network
from placeshaping.shaping.travel import travel_costs

Floats = NDArray[np.float64]


def places_of(stops: gpd.GeoDataFrame, depots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return depots and stops as one table of points."""
    goal = points_of(depots, where="depots", what="depots")
    start = points_of(stops, where="stops", what="stops")
    both = stops.index.intersection(depots.index)
    if len(both):
        msg = (
            f"{len(both):,} labels are of a stop and of a depot ({listed(list(both))}). Give each "
            "place its own."
        )
        raise InputError(msg)
    labels = depots.index.append(stops.index)
    points = gpd.points_from_xy(*np.vstack([goal, start]).T)
    return gpd.GeoDataFrame(geometry=points, index=labels, crs=stops.crs)


def fleet_of(vehicles: int | Mapping[Any, int], depots: pd.Index) -> list[int]:
    """Return how many vehicles each depot has."""
    if isinstance(vehicles, Mapping):
        strange = [name for name in vehicles if name not in depots]
        if strange:
            msg = (
                f"vehicles names {len(strange):,} depots that there are not ({listed(strange)}). "
                f"There are: {listed(list(depots))}."
            )
            raise UnmatchedError(msg)
        fleet = [check_whole(vehicles.get(name, 0), name="vehicles", least=0) for name in depots]
    else:
        fleet = [check_whole(vehicles, name="vehicles")] * len(depots)
    if not sum(fleet):
        msg = "There are no vehicles. Give one at least."
        raise InputError(msg)
    return fleet


def minutes_of(
    places: gpd.GeoDataFrame,
    given: pd.DataFrame | None,
    network: Network | None,
    speed: float,
    detour: float,
    reach: float,
) -> tuple[Floats, str, tuple[str, ...]]:
    """Return travel between all places, how it was measured, and what to know of it."""
    if given is None:
        costs = travel_costs(
            places, places, network=network, walking=speed, detour=detour, reach=reach
        )
        facts = tuple(one for one in costs.cautions if "another one stands" not in one)
        matrix = costs.matrix()
        x, y = places.get_coordinates().to_numpy().T
        matrix[(x[:, None] == x) & (y[:, None] == y)] = 0.0  # not to the street and back
        return matrix, costs.method, facts
    check_unique(given.index, where="minutes")
    absent = places.index[~places.index.isin(given.index) | ~places.index.isin(given.columns)]
    if len(absent):
        msg = (
            f"minutes: {len(absent):,} of {len(places):,} places are not in it "
            f"({listed(list(absent))}). Give rows and columns for each depot and stop."
        )
        raise UnmatchedError(msg)
    matrix = given.reindex(index=places.index, columns=places.index).to_numpy(dtype="float64")
    if (matrix < 0).any():
        msg = f"minutes: {int((matrix < 0).sum()):,} are below zero. Give zero or more."
        raise InputError(msg)
    known = np.where(np.isnan(matrix), np.inf, matrix)
    np.fill_diagonal(known, 0.0)
    return known, "Travel from a table.", ()


def above_zero(value: float, name: str) -> float:
    """Refuse a number that is not above zero."""
    if not value > 0:
        msg = f"{name} is {value:g}; it must be above zero."
        raise InputError(msg)
    return float(value)


def column_of(stops: gpd.GeoDataFrame, given: float | str, name: str) -> Floats:
    """Return a number for each stop, from a column or the same for all."""
    if isinstance(given, str):
        check_columns(stops.columns, [given], where="stops")
        values = pd.to_numeric(stops[given], errors="coerce").to_numpy(dtype="float64")
    else:
        values = np.full(len(stops), float(given))
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        msg = (
            f"{name}: {int(wrong.sum()):,} of {len(stops):,} stops have a number that is missing "
            f"or below zero ({listed(list(stops.index[wrong]))}). Give zero or more."
        )
        raise InputError(msg)
    return np.asarray(values, dtype=np.float64)


def loads_of(stops: gpd.GeoDataFrame, load: str | None, capacity: float | None) -> Floats:
    """Return what each stop adds; nothing where vehicles have no limit."""
    if (load is None) != (capacity is None):
        msg = "capacity and load go together: say what a vehicle holds, and what each stop adds."
        raise InputError(msg)
    return np.zeros(len(stops)) if load is None else column_of(stops, load, "load")


def windows_of(
    stops: gpd.GeoDataFrame, windows: tuple[str, str] | None, shift: float
) -> tuple[Floats, Floats]:
    """Return the first and last minute at which each visit may begin."""
    if windows is None:
        return np.zeros(len(stops)), np.full(len(stops), float(shift))
    check_columns(stops.columns, list(windows), where="stops")
    first, last = (
        pd.to_numeric(stops[name], errors="coerce").to_numpy(dtype="float64") for name in windows
    )
    first, last = np.nan_to_num(first, nan=0.0), np.nan_to_num(last, nan=float(shift))
    wrong = (first > last) | (last < 0)
    if wrong.any():
        msg = (
            f"windows: {int(wrong.sum()):,} of {len(stops):,} stops close before they open "
            f"({listed(list(stops.index[wrong]))}). Give minutes after the start of the shift."
        )
        raise InputError(msg)
    return np.maximum(first, 0.0), np.minimum(last, float(shift))


def check_possible(task: Task, labels: pd.Index) -> None:
    """Refuse what no plan can do, and say which stops are in the way."""
    room = task.capacity * sum(task.fleet)
    if task.load.sum() > room * (1 + 1e-9):
        msg = (
            f"Stops add {task.load.sum():,g}, and {sum(task.fleet):,} vehicles hold {room:,g}. "
            "Give more vehicles, larger ones, or several shifts."
        )
        raise InputError(msg)
    large = task.load > task.capacity * (1 + 1e-9)
    if large.any():
        msg = (
            f"{int(large.sum()):,} stops add more than a vehicle holds, {task.capacity:,g} "
            f"({listed(list(labels[large]))}). Split them, or take larger vehicles."
        )
        raise InputError(msg)
    used = [k for k, number in enumerate(task.fleet) if number]
    out = task.minutes[used, task.depots :]
    back = task.minutes[task.depots :, used].T
    begins = np.maximum(out, task.windows[0])
    late = np.asarray(
        ((begins > task.windows[1]) | (begins + task.service + back > task.shift)).all(axis=0)
    )
    if late.any():
        msg = (
            f"{int(late.sum()):,} of {len(labels):,} stops cannot be visited and left again within "
            f"a shift of {task.shift:g} minutes and their windows "
            f"({listed(list(labels[late]))}). Leave them out, or allow a longer shift."
        )
        raise InputError(msg)


def impossible(task: Task) -> str:
    """Say that no plan was found, and what would help."""
    work = float(task.service.sum())
    return (
        f"No plan was found in which {sum(task.fleet):,} vehicles visit all {len(task.load):,} "
        f"stops within {task.shift:g} minutes each (visits alone take {work:,.0f}). Give more "
        "vehicles, a longer shift, wider windows, or the solver more seconds."
    )
