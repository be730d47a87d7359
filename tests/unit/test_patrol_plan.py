"""Patrol areas: connected, of equal size, and near to the best that scattered cells could do."""

from __future__ import annotations

from itertools import combinations, pairwise

import geopandas as gpd
import numpy as np
import pytest
from numpy.typing import NDArray
from shapely import LineString, box

from placeshaping._core.errors import InputError
from placeshaping.likelihood.units import Units, make_cells, make_units
from placeshaping.shaping.network import Network, make_network
from placeshaping.shaping.patrol import plan_patrols


def district(columns: int, rows: int) -> Units:
    study = gpd.GeoDataFrame(geometry=[box(0, 0, columns * 250, rows * 250)], crs=27700)
    return make_units(make_cells(study, size=250))


def is_connected(cells: list[int], units: Units) -> bool:
    reached, waiting = {cells[0]}, [cells[0]]
    while waiting:
        for other in units.neighbours[[waiting.pop()]].indices.tolist():
            if other in cells and other not in reached:
                reached.add(other)
                waiting.append(other)
    return len(reached) == len(cells)


def rough(units: Units, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).gamma(0.3, 1, len(units))


@pytest.mark.parametrize("seed", range(8))
def test_areas_are_connected_apart_and_of_equal_size(seed: int) -> None:
    units = district(14, 12)
    plan = plan_patrols(rough(units, seed), units, patrols=4, cells=30)
    assert plan.cells.index.is_unique
    assert sorted(plan.patrols["cells"]) == [7, 7, 8, 8]
    for _, cells in plan.cells.groupby("patrol"):
        assert is_connected(units.codes.get_indexer(cells.index).tolist(), units)
        assert cells["visit"].tolist() == list(range(1, len(cells) + 1))


@pytest.mark.parametrize("seed", range(8))
def test_one_small_area_is_close_to_the_best_there_is(seed: int) -> None:
    units = district(6, 5)
    expected = rough(units, seed)
    best = max(
        expected[list(cells)].sum()
        for cells in combinations(range(len(units)), 4)
        if is_connected(list(cells), units)
    )
    found = plan_patrols(expected, units, patrols=1, cells=4).patrols["expected"].iloc[0]
    assert found >= 0.9 * best


def test_what_walking_costs_is_told() -> None:
    units = district(14, 12)
    plan = plan_patrols(rough(units, 1), units, patrols=3, cells=18)
    assert 0 < plan.share_of_expected <= plan.best_share <= 1
    assert plan.share_of_area == pytest.approx(18 / 168)


def test_the_first_patrol_expects_most_and_starts_at_its_likeliest_cell() -> None:
    units = district(14, 12)
    expected = rough(units, 2)
    plan = plan_patrols(expected, units, patrols=3, cells=18)
    assert plan.patrols["expected"].is_monotonic_decreasing
    first = plan.cells[plan.cells["visit"] == 1]
    top = plan.cells.groupby("patrol")["expected"].max()
    assert first.set_index("patrol")["expected"].tolist() == top.tolist()
    assert plan.cells.loc[units.codes[expected.argmax()], "rank"] == 1


def test_a_row_of_cells_is_walked_there_and_back() -> None:
    units = district(8, 1)
    expected = np.array([0, 5, 4, 4, 3, 0, 0, 0.0])
    plan = plan_patrols(expected, units, patrols=1, cells=4, dwell_minutes=10)
    assert plan.patrols["walk_km"].iloc[0] == pytest.approx(1.5)
    assert plan.patrols["minutes"].iloc[0] == pytest.approx(40 + 1.5 / 4 * 60)


def test_a_share_of_the_area_becomes_so_many_cells() -> None:
    units = district(10, 10)
    assert len(plan_patrols(rough(units, 3), units, patrols=2, share=0.1).cells) == 10


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"patrols": 0, "cells": 3}, "patrols is 0"),
        ({"patrols": 2}, "one of"),
        ({"patrols": 2, "cells": 3, "share": 0.1}, "one of"),
        ({"patrols": 2, "share": 1.5}, "share is 1.5"),
        ({"patrols": 5, "cells": 3}, "3 cells for 5 patrols"),
        ({"patrols": 1, "cells": 99}, "the district has 12"),
    ],
)
def test_what_cannot_be_planned_is_refused(asked: dict[str, float], said: str) -> None:
    units = district(4, 3)
    with pytest.raises(InputError, match=said):
        plan_patrols(np.ones(12), units, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [np.ones(5), np.full(12, np.nan), np.full(12, -1.0)])
def test_expected_counts_that_are_none_are_refused(wrong: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match=r"one for each|zero or more"):
        plan_patrols(wrong, district(4, 3), patrols=1, cells=2)


def comb(units: Units, *, gap: bool = False) -> Network:
    """Streets north and south through every column, joined along the southern edge alone."""
    middles = np.unique(units.xy[:, 0])
    top = units.xy[:, 1].max() + 100
    teeth = [LineString([(x, 0), (x, top)]) for x in middles]
    base = [LineString([(a, 0), (b, 0)]) for a, b in pairwise(middles)]
    lines = teeth + (base[:-1] if gap else base)
    return make_network(gpd.GeoDataFrame(geometry=lines, crs=27700))


def test_streets_decide_the_order_of_visits() -> None:
    units = district(2, 4)  # a dead end on either side: up one, down, and up the other
    expected = np.linspace(1, 2, len(units))
    along = plan_patrols(expected, units, patrols=1, cells=8, streets=comb(units))
    straight = plan_patrols(expected, units, patrols=1, cells=8)
    column = units.xy[units.codes.get_indexer(along.cells.index), 0]
    assert (np.diff(column) != 0).sum() == 1
    assert along.patrols["walk_km"].iloc[0] > straight.patrols["walk_km"].iloc[0]
    assert not along.cells["off_streets"].any()
    assert set(along.cells.index) == set(straight.cells.index)


def test_cells_that_no_street_joins_are_told_and_visited_by_straight_lines() -> None:
    units = district(3, 2)
    network = comb(units, gap=True)
    plan = plan_patrols(np.ones(6), units, patrols=1, cells=6, streets=network)
    off = units.xy[units.codes.get_indexer(plan.cells.index[plan.cells["off_streets"]]), 0]
    assert set(off) == {units.xy[:, 0].max()}
    far = make_network(
        gpd.GeoDataFrame(geometry=[LineString([(9000, 9000), (9100, 9000)])], crs=27700)
    )
    plan = plan_patrols(np.ones(6), units, patrols=1, cells=6, streets=far)
    assert plan.cells["off_streets"].all()
    assert np.isfinite(plan.patrols["walk_km"]).all()
