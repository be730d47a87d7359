"""Squares as small as the numbers in them allow."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from placeshaping._core.errors import ColumnError, DisclosureError, InputError, UnmatchedError
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.grid_ladder import GridLadder, make_grid_ladder
from placeshaping.disclosure.policies import policy_named
from placeshaping.hotspots.study import analyse

PUBLIC, POLICE = policy_named("public"), policy_named("police")
KILOMETRE = (0.0, 0.0, 1000.0, 1000.0)


def events(*quarters: int, size: int = 500) -> pd.DataFrame:
    """Return so many events in the squares of a size, row by row from the south-west."""
    across = 1000 // size
    return pd.DataFrame(
        {
            "easting": [(i % across + 0.5) * size for i in range(len(quarters))],
            "northing": [(i // across + 0.5) * size for i in range(len(quarters))],
            "count": quarters,
        }
    )


def grid(table: pd.DataFrame, policy: str = "public", **options: Any) -> GridLadder:
    return make_grid_ladder(table, KILOMETRE, policy=policy_named(policy), by=(), **options)


def test_square_is_split_where_all_its_quarters_pass() -> None:
    made = grid(events(10, 11, 12, 13), finest=500)
    assert made.cells["size"].tolist() == [500] * 4
    assert made.counts["count"].tolist() == [10, 11, 12, 13]
    assert made.cells.index.tolist()[:2] == ["S500E0N0", "S500E500N0"]


def test_square_stays_whole_where_one_quarter_does_not_pass() -> None:
    made = grid(events(90, 11, 12, 9), finest=500)
    assert made.counts.to_dict("list") == {"area_code": ["S1000E0N0"], "count": [122]}


def test_empty_quarters_are_split_off_only_where_zero_is_shown() -> None:
    assert len(grid(events(90, 11, 12, 0), finest=500).cells) == 1
    assert grid(events(90, 11, 12, 0), "councillor", finest=500).counts["count"].tolist() == [
        90, 11, 12, 0,
    ]  # fmt: skip


def test_empty_square_stays_whole() -> None:
    assert grid(events(0, 0, 0, 0), "councillor").cells["size"].tolist() == [1000]


def test_each_place_is_shown_once() -> None:
    fine = [40] * 16
    fine[15] = 3  # the north-east quarter cannot be split, the others can
    made = grid(events(*fine, size=250), finest=250)
    assert made.cells["size"].value_counts().to_dict() == {250: 12, 500: 1}
    assert made.counts.set_index("area_code")["count"]["S500E500N500"] == 123
    assert made.cells.geometry.area.sum() == 1_000_000
    assert shapely.union_all(made.cells.geometry.to_numpy()).area == 1_000_000
    assert made.facts == {"cells": {250: 12, 500: 1, 1000: 0}, "hidden": 0}


def test_neighbours_of_unlike_sizes_fit() -> None:
    fine = [40] * 16
    fine[15] = 3
    made = grid(events(*fine, size=250), finest=250)
    assert shapely.coverage_is_valid(made.cells.geometry.to_numpy())


def test_quarters_outside_the_place_do_not_hinder() -> None:
    corner = gpd.GeoDataFrame(
        geometry=[shapely.box(0, 0, 900, 400)], index=["coast"], crs="EPSG:27700"
    )
    made = make_grid_ladder(events(20, 30), corner, policy=PUBLIC, by=(), finest=500)
    assert made.cells.index.tolist() == ["S500E0N0", "S500E500N0"]


def test_largest_squares_that_do_not_pass_are_told() -> None:
    made = grid(events(3))
    assert made.facts["hidden"] == 1
    assert list(made.sentences()) == [
        "Squares are as small as the numbers in them allow (0 of 125 m, 0 of 250 m, 0 of 500 m, "
        "1 of 1,000 m); none is shown together with a larger one that holds it.",
        "1 of the largest hold too little to be shown.",
    ]


def test_policy_says_how_small_squares_may_be() -> None:
    table = events(*[40] * 64, size=125)
    assert set(grid(table).cells["size"]) == {125}
    assert set(grid(table, "police").cells["size"]) == {250}
    with pytest.raises(DisclosureError, match="'police' lets out no squares under 250 m, and 125"):
        grid(table, "police", finest=125)


def test_sizes_that_do_not_nest_are_refused() -> None:
    with pytest.raises(InputError, match="size is 300: give one of 125, 250, 500, 1000"):
        grid(events(3), finest=300)
    with pytest.raises(InputError, match=r"finest \(500 m\) is larger than coarsest \(250 m\)"):
        grid(events(3), finest=500, coarsest=250)


def test_events_outside_are_refused_or_left_out() -> None:
    table = events(20, 30)
    table.loc[2] = [5_000.0, 100.0, 7]
    with pytest.raises(UnmatchedError, match="1 of 3 events have no code among the areas"):
        grid(table)
    assert grid(table, outside="drop").counts["count"].sum() == 50


def test_counts_that_are_no_counts_are_refused() -> None:
    with pytest.raises(ColumnError, match="count"):
        grid(events(3).assign(count=-1))


def test_squares_make_a_study() -> None:
    table = events(40, 30, 20, 10).assign(category="Burglary", period=pd.Timestamp("2025-05-01"))
    made = make_grid_ladder(table, KILOMETRE, policy=PUBLIC, finest=500)
    ladder = make_ladder(made.cells)
    assert ladder.levels == ("grid",)
    assert analyse(made.counts, ladder).cubes["grid"][0, 0].tolist() == [40, 30, 20, 10]
