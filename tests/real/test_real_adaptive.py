"""Coarsening, merged areas, branches and squares on the records of two forces."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.areas.ladder import make_ladder
from placeshaping.areas.neighbours import contiguity, detached_parts
from placeshaping.disclosure.adaptive import merge_areas
from placeshaping.disclosure.coarsening import choose_detail
from placeshaping.disclosure.grid_ladder import make_grid_ladder
from placeshaping.disclosure.merged import apply_partition
from placeshaping.disclosure.policies import policy_named
from placeshaping.hotspots.study import analyse
from placeshaping.project.gather import Gathered, gather
from placeshaping.project.recipe import Recipe, make_recipe
from placeshaping.project.records import put_together, read_records

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real_adaptive")]

HERE = Path(__file__).parent


def recipe_of(name: str) -> Recipe:
    return make_recipe(tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def leicestershire(real_data: Path) -> Gathered:
    return gather(recipe_of("leicestershire"), folder=real_data)


@pytest.fixture(scope="module")
def essex(real_data: Path) -> Gathered:
    return gather(recipe_of("essex"), folder=real_data)


def one(gathered: Gathered, category: str) -> pd.DataFrame:
    counts = gathered.counts
    return counts[counts["category"] == category]


@pytest.mark.parametrize(
    ("policy", "by", "sentence"),
    [
        (
            "public",
            "month",
            "Shown by year and five groups: by month and fourteen categories 96% of the non-zero "
            "cells would be under 10.",
        ),
        (
            "councillor",
            "month",
            "Shown by year and fourteen categories: by month and fourteen categories 86% of the "
            "non-zero cells would be under 5.",
        ),
        ("councillor", "year", "Shown by year and fourteen categories, the finest that was asked"),
    ],
)
def test_detail_of_leicestershire(
    leicestershire: Gathered, policy: str, by: Any, sentence: str
) -> None:
    ladder = make_ladder(leicestershire.areas)
    detail = choose_detail(leicestershire.counts, ladder, policy=policy_named(policy), by=by)
    assert detail.sentence.startswith(sentence)


@pytest.mark.parametrize("policy", ["public", "councillor"])
def test_three_years_of_all_crime_need_no_merging(leicestershire: Gathered, policy: str) -> None:
    partition = merge_areas(
        leicestershire.counts,
        leicestershire.areas,
        leicestershire.lookup,
        policy=policy_named(policy),
    )
    assert partition.facts["merged"] == partition.facts["lifted"] == 0


@pytest.mark.parametrize(
    ("policy", "category", "merged", "into", "lifted"),
    [
        ("public", "Burglary", 120, 59, 0),
        ("councillor", "Burglary", 26, 13, 0),
        ("public", "Possession of weapons", 410, 108, 206),
        ("councillor", "Possession of weapons", 414, 143, 34),
    ],
)
def test_merged_areas_of_leicestershire(
    leicestershire: Gathered, policy: str, category: str, merged: int, into: int, lifted: int
) -> None:
    rules, counts = policy_named(policy), one(leicestershire, category)
    areas, lookup = leicestershire.areas, leicestershire.lookup
    partition = merge_areas(counts, areas, lookup, policy=rules)
    facts = partition.facts
    assert (facts["merged"], facts["into"], facts["lifted"]) == (merged, into, lifted)
    assert facts["shown"] == 634 - merged + into
    made = apply_partition(
        partition,
        areas=areas,
        counts=counts,
        lookup=lookup,
        population=leicestershire.population,
        deprivation=leicestershire.deprivation,
    )
    assert made.lookup is not None
    assert made.population is not None
    assert leicestershire.population is not None
    assert shapely.coverage_is_valid(made.areas.geometry.to_numpy())
    assert made.areas.geometry.area.sum() == pytest.approx(areas.geometry.area.sum())
    assert made.counts["count"].sum() == counts["count"].sum()
    assert made.population["residents"].sum() == leicestershire.population["residents"].sum()
    total = made.counts.groupby("area_code")["count"].sum()
    small = (total < rules.threshold) & (total >= rules.smallest_hidden)
    assert sorted(total.index[small]) == sorted(partition.lifted)

    before = counts.groupby("area_code")["count"].sum().reindex(areas.index)
    of_parent = before.groupby(lookup["msoa_code"]).transform("sum")
    hopeless = (of_parent < rules.threshold) & (before >= rules.smallest_hidden)
    assert sorted(areas.index[hopeless]) == sorted(partition.lifted)

    for _, parts in areas.groupby(partition.areas["shown"]):
        if len(parts) > 1:
            assert lookup.loc[parts.index, "msoa_code"].nunique() == 1
            assert detached_parts(contiguity(parts, rook=True)).max() == 0

    ladder = make_ladder(made.areas, made.lookup, levels=["msoa", "ward", "district"])
    assert ("ward", "district") in ladder.pairs()
    assert not ladder.nests("msoa", "ward")
    study = analyse(made.counts, ladder, population=made.population, hot_spots_of=None)
    assert {int(cube[0, 0].sum()) for cube in study.cubes.values()} == {counts["count"].sum()}


def test_a_year_of_burglary_in_essex_is_merged_where_it_is_too_little(essex: Gathered) -> None:
    counts = one(essex, "Burglary")
    partition = merge_areas(
        counts, essex.areas, essex.lookup, policy=policy_named("councillor"), covered=essex.covered
    )
    assert partition.facts["lifted"] == 0
    assert partition.facts["shown"] == 644
    assert partition.apart == ("E01021979+4",)  # all of Tendring 011, in two pieces


def test_branches_of_leicestershire_add_up(leicestershire: Gathered) -> None:
    ladder = make_ladder(
        leicestershire.areas, leicestershire.lookup, levels=["msoa", "ward", "district"]
    )
    assert [len(areas) for areas in ladder.areas.values()] == [634, 127, 174, 9]
    assert ladder.pairs() == (
        ("lsoa", "msoa"),
        ("lsoa", "ward"),
        ("lsoa", "district"),
        ("msoa", "district"),
        ("ward", "district"),
    )
    ones = np.ones(634, dtype=np.int64)
    for lower, upper in ladder.pairs():
        parents = ladder.parents(lower, upper)
        summed = np.bincount(parents, ladder.sum_to(lower, ones))
        assert summed.tolist() == ladder.sum_to(upper, ones).tolist()


def test_squares_of_leicestershire_are_shown_once(
    leicestershire: Gathered, real_data: Path
) -> None:
    events = put_together(read_records(recipe_of("leicestershire").records, folder=real_data))
    rules = policy_named("police")
    made = make_grid_ladder(
        events, leicestershire.areas, policy=rules, by=("category",), outside="drop"
    )
    assert made.facts == {"cells": {250: 6403, 500: 1967, 1000: 1832}, "hidden": 203}
    assert made.counts["count"].sum() == 312_018
    assert shapely.coverage_is_valid(made.cells.geometry.to_numpy())
    total = made.counts.groupby("area_code", observed=True)["count"].sum()
    small = (total < rules.threshold) & (total > 0)
    assert set(made.cells.loc[total.index[small], "size"]) == {1000}
