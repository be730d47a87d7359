"""Rounds against brute force over every plan of small cases, and what they refuse."""

from __future__ import annotations

import itertools
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point

from placeshaping._core.errors import CRSError, InputError, UnmatchedError
from placeshaping.shaping._rounds_bound import least_travel
from placeshaping.shaping.network import make_network
from placeshaping.shaping.rounds import Rounds, describe_rounds, plan_rounds


def at(xy: Any, names: list[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(index=names, geometry=[Point(*one) for one in xy], crs=27700)


def drawn(seed: int, size: int, depots: int = 1) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    rng = np.random.default_rng(seed)
    stops = at(rng.uniform(0, 3000, (size, 2)), [f"s{k}" for k in range(size)])
    stops["load"] = rng.integers(1, 5, size)
    return stops, at(rng.uniform(0, 3000, (depots, 2)), [f"d{k}" for k in range(depots)])


def matrix_of(stops: gpd.GeoDataFrame, depots: gpd.GeoDataFrame) -> pd.DataFrame:
    xy = np.vstack([depots.get_coordinates(), stops.get_coordinates()])
    away = np.linalg.norm(xy[:, None] - xy, axis=2) / 4800 * 60
    names = depots.index.append(stops.index)
    return pd.DataFrame(away, names, names)


def partitions(items: list[int]) -> Any:
    """Yield every way to divide items into groups."""
    if not items:
        yield []
        return
    first, *rest = items
    for size in range(len(rest) + 1):
        for others in itertools.combinations(rest, size):
            left = [one for one in rest if one not in others]
            for further in partitions(left):
                yield [[first, *others], *further]


def holds(order: tuple[int, ...], away: Any, shift: float, service: float, windows: Any) -> bool:
    """Tell whether a round, started at its best moment, holds its windows and its shift."""
    latest = [windows[1][k] for k in order]
    for start in sorted({0.0, *np.arange(0, shift, 1.0)}):
        now, place, good = float(start), 0, True
        for stop, last in zip(order, latest, strict=True):
            now = max(now + away[place, stop + 1], windows[0][stop])
            good &= now <= last + 1e-9
            now, place = now + service, stop + 1
        end = now + away[place, 0]
        if good and end <= shift + 1e-9 and end - start <= shift + 1e-9:
            return True
    return False


def best_of_all(
    away: Any, load: Any, *, vehicles: int, capacity: float, shift: float, service: float,
    windows: Any = None,
) -> float:  # fmt: skip
    """Return the least travel of all plans, by trying every one."""
    size = len(load)
    windows = windows or (np.zeros(size), np.full(size, shift))
    best_round: dict[frozenset[int], float] = {}
    for many in range(1, size + 1):
        for group in itertools.combinations(range(size), many):
            if load[list(group)].sum() > capacity:
                continue
            found = np.inf
            for order in itertools.permutations(group):
                path = [0, *(k + 1 for k in order), 0]
                length = away[path[:-1], path[1:]].sum()
                if length < found and holds(order, away, shift, service, windows):
                    found = length
            best_round[frozenset(group)] = found
    return min(
        sum(best_round.get(frozenset(group), np.inf) for group in plan)
        for plan in partitions(list(range(size)))
        if len(plan) <= vehicles
    )


def check(plan: Rounds, stops: gpd.GeoDataFrame, away: pd.DataFrame) -> None:
    """Check that every stop is visited once and that times and travel add up."""
    assert sorted(plan.stops.index) == sorted(stops.index)
    assert plan.rounds["travel"].sum() == pytest.approx(plan.travel)
    assert (plan.rounds["minutes"] <= plan.shift + 1e-6).all()
    for number, table in plan.stops.groupby("round"):
        told: Any = plan.rounds.loc[number]
        depot = told["depot"]
        path = [depot, *table.sort_values("order").index, depot]
        length = sum(away.loc[a, b] for a, b in itertools.pairwise(path))
        assert told["travel"] == pytest.approx(length)
    assert plan.bound <= plan.travel + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_plans_travel_as_little_as_the_best_of_all(seed: int) -> None:
    stops, depots = drawn(seed, 6)
    away = matrix_of(stops, depots)
    plan = plan_rounds(stops, depots, vehicles=3, capacity=8, load="load", shift=200, seconds=2)
    best = best_of_all(
        away.to_numpy(), stops["load"].to_numpy(), vehicles=3, capacity=8, shift=200, service=5
    )
    check(plan, stops, away)
    assert plan.travel == pytest.approx(best, abs=0.02)
    assert plan.bound <= best + 1e-9
    assert (plan.rounds["load"] <= 8).all()


@pytest.mark.parametrize("seed", range(3))
def test_windows_and_shifts_are_held_as_brute_force_holds_them(seed: int) -> None:
    stops, depots = drawn(seed + 10, 5)
    rng = np.random.default_rng(seed)
    stops["open"] = rng.integers(0, 60, 5)
    stops["close"] = stops["open"] + 45
    away = matrix_of(stops, depots)
    plan = plan_rounds(stops, depots, vehicles=3, shift=180, windows=("open", "close"), seconds=2)
    best = best_of_all(
        away.to_numpy(), np.ones(5), vehicles=3, capacity=9, shift=180, service=5,
        windows=(stops["open"].to_numpy(float), stops["close"].to_numpy(float)),
    )  # fmt: skip
    check(plan, stops, away)
    begins = plan.stops["begins"].reindex(stops.index)
    assert (begins >= stops["open"] - 1e-6).all()
    assert (begins <= stops["close"] + 1e-6).all()
    assert plan.travel == pytest.approx(best, abs=0.2)


def test_a_round_about_a_circle_is_proved_the_shortest() -> None:
    turn = np.linspace(0, 2 * np.pi, 13)[:-1]
    ring = np.column_stack([np.cos(turn), np.sin(turn)]) * 1000 + 2000
    stops, depots = at(ring[1:], [f"s{k}" for k in range(11)]), at(ring[:1], ["yard"])
    plan = plan_rounds(stops, depots, vehicles=1, seconds=2)
    side = 2 * 1000 * np.sin(np.pi / 12) / 4800 * 60
    assert plan.travel == pytest.approx(12 * side)
    assert plan.proven
    assert plan.gap == 0
    assert describe_rounds(plan).endswith("No plan travels less.")


@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_never_above_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    away = rng.uniform(1, 9, (6, 6))  # longer one way than the other, detours that shorten
    np.fill_diagonal(away, 0)
    load = rng.integers(1, 4, 5).astype(float)
    best = best_of_all(away, load, vehicles=3, capacity=6, shift=1000, service=0)
    fewest = int(np.ceil(load.sum() / 6))
    bound = least_travel(away, 1, fewest=fewest, most=3, load=load, capacity=6)
    assert 0 < bound <= best + 1e-9


def test_stops_at_one_place_cost_no_travel_between_them() -> None:
    stops = at([(500, 0)] * 3, ["a", "b", "c"])
    plan = plan_rounds(stops, at([(0, 0)], ["yard"]), vehicles=1, speed=6, seconds=1)
    assert plan.travel == pytest.approx(10.0)
    assert plan.proven


def test_each_depot_sends_its_own_vehicles() -> None:
    stops = at([(0, 100), (0, -100), (9000, 100), (9000, -100)], list("abcd"))
    depots = at([(0, 0), (9000, 0)], ["west", "east"])
    plan = plan_rounds(stops, depots, vehicles={"west": 1, "east": 1}, seconds=1)
    owner = plan.stops["round"].map(plan.rounds["depot"])
    assert owner.to_dict() == {"a": "west", "b": "west", "c": "east", "d": "east"}


def test_rounds_follow_streets() -> None:
    lines = [LineString([(0, 0), (1000, 0)]), LineString([(1000, 0), (1000, 1000)])]
    network = make_network(gpd.GeoDataFrame(geometry=lines, crs=27700), walking=6)
    stops = at([(1000, 1000), (1000, 1000), (900, 60)], ["end", "too", "off the street"])
    plan = plan_rounds(stops, at([(0, 0)], ["yard"]), vehicles=1, network=network, seconds=0.5)
    assert plan.travel == pytest.approx(40.0 + 2 * 0.6)


def test_the_same_seed_gives_the_same_rounds() -> None:
    stops, depots = drawn(5, 12)
    first, again = (
        plan_rounds(stops, depots, vehicles=3, capacity=15, load="load", seconds=20, rng=4)
        for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.stops, again.stops)


def test_the_input_is_not_changed() -> None:
    stops, depots = drawn(1, 4)
    kept = stops.copy()
    plan_rounds(stops, depots, vehicles=2, seconds=0.2)
    pd.testing.assert_frame_equal(stops, kept)


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"capacity": 3, "load": "load"}, InputError, "Give more vehicles, larger ones"),
        ({"capacity": 8}, InputError, "capacity and load go together"),
        ({"shift": 3}, InputError, "cannot be visited and left again within a shift"),
        ({"vehicles": {"north": 1}}, UnmatchedError, "There are: d0"),
        ({"vehicles": 0}, InputError, "Give a whole number of 1 or more"),
        ({"service": -1.0}, InputError, "missing or below zero"),
        ({"service": "spell"}, InputError, "spell"),
        ({"windows": ("load", "zero")}, InputError, "close before they open"),
        ({"seconds": 0}, InputError, "must be above zero"),
    ],
)
def test_bad_input_names_the_remedy(changes: dict[str, Any], error: Any, told: str) -> None:
    stops, depots = drawn(2, 5)
    stops["zero"] = 0
    with pytest.raises(error, match=told):
        plan_rounds(stops, depots, **{"vehicles": 2, "seconds": 0.5, **changes})


def test_a_plan_that_is_not_found_names_the_remedy() -> None:
    stops, depots = drawn(2, 8)
    with pytest.raises(InputError, match="Give more vehicles, a longer shift, wider windows"):
        plan_rounds(stops, depots, vehicles=1, service=30, shift=150, seconds=0.5)


def test_degrees_for_metres_are_refused() -> None:
    stops = at([(-1.1, 52.6), (-1.2, 52.7)], ["a", "b"])
    with pytest.raises(CRSError, match="those are degrees"):
        plan_rounds(stops, at([(4e5, 3e5)], ["yard"]), vehicles=1)


def test_a_table_of_travel_must_hold_every_place() -> None:
    stops, depots = drawn(2, 4)
    table = matrix_of(stops, depots).drop(index="s1")
    with pytest.raises(UnmatchedError, match=r"1 of 5 places are not in it \(s1\)"):
        plan_rounds(stops, depots, vehicles=1, minutes=table)
