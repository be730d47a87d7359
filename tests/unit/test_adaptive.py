"""Areas that are too small to be shown, merged with their siblings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph
from shapely import box

from placeshaping._core.errors import ColumnError, UnmatchedError
from placeshaping.areas.ladder import make_ladder
from placeshaping.disclosure.adaptive import Partition, merge_areas
from placeshaping.disclosure.merged import MergedTables, apply_partition
from placeshaping.disclosure.policies import policy_named
from placeshaping.hotspots.study import analyse

PUBLIC, COUNCILLOR = policy_named("public"), policy_named("councillor")
MAY = pd.Timestamp("2025-05-01")


def strip(size: int, *, gap_after: int | None = None) -> gpd.GeoDataFrame:
    """Return unit squares in a row, A to H, with a gap of 1 after one of them."""
    codes = pd.Index([f"E0190000{i}" for i in range(1, size + 1)], name="area_code")
    x = np.arange(size) + (0 if gap_after is None else (np.arange(size) > gap_after))
    names = [f"Marsh 001{letter}" for letter in "ABCDEFGH"[:size]]
    return gpd.GeoDataFrame(
        {"area_name": names}, geometry=shapely.box(x, 0, x + 1, 1), index=codes, crs=27700
    )


def counted(areas: gpd.GeoDataFrame, counts: list[int]) -> pd.DataFrame:
    """Spread the counts over two months and two categories."""
    halves = [c // 2 for c in counts], [c - c // 2 for c in counts]
    return pd.concat(
        [
            pd.DataFrame(
                {"area_code": areas.index, "period": month, "category": name, "count": half}
            )
            for half, month, name in zip(
                halves, [MAY, MAY + pd.DateOffset(months=1)], ["Burglary", "Robbery"], strict=True
            )
        ],
        ignore_index=True,
    )


def above(areas: gpd.GeoDataFrame, parents: str, wards: str = "") -> pd.DataFrame:
    columns = {"msoa_code": list(parents), "msoa_name": [f"MSOA {p}" for p in parents]}
    if wards:
        columns |= {"ward_code": list(wards), "ward_name": [f"Ward {w}" for w in wards]}
    return pd.DataFrame(columns, index=areas.index)


def merged(
    counts: list[int], parents: str | None = None, policy: str = "public"
) -> tuple[Partition, list[str]]:
    areas = strip(len(counts))
    lookup = None if parents is None else above(areas, parents)
    partition = merge_areas(counted(areas, counts), areas, lookup, policy=policy_named(policy))
    return partition, partition.areas["shown"].str[8:].tolist()


def test_where_all_pass_nothing_is_merged() -> None:
    partition, shown = merged([10, 20, 30])
    assert shown == ["1", "2", "3"]
    assert list(partition.sentences()) == []
    assert partition.members().empty


def test_small_area_takes_the_neighbour_with_least_count() -> None:
    assert merged([30, 3, 20, 40])[1] == ["1", "2+1", "2+1", "4"]


def test_two_small_ones_are_merged_before_a_large_one_is_touched() -> None:
    assert merged([30, 6, 7, 40])[1] == ["1", "2+1", "2+1", "4"]


def test_neighbour_that_makes_it_pass_goes_before_a_smaller_one() -> None:
    assert merged([4, 3, 20, 40])[1] == ["1+2", "1+2", "1+2", "4"]
    assert merged([0, 3, 20], policy="councillor")[1] == ["1", "2+1", "2+1"]


def test_zero_is_merged_only_where_it_is_hidden() -> None:
    assert merged([0, 20, 30], policy="councillor")[1] == ["1", "2", "3"]
    assert merged([0, 20, 30], policy="public")[1] == ["1+1", "1+1", "3"]


def test_merging_ends_at_the_parent() -> None:
    partition, shown = merged([30, 3, 4, 50], "MMNN")
    assert shown == ["1+1", "1+1", "3+1", "3+1"]
    assert partition.parent == "msoa"


def test_what_no_sibling_helps_is_lifted_and_told() -> None:
    partition, shown = merged([3, 2, 40, 50], "MMNN")
    assert shown == ["1", "2", "3", "4"]
    assert partition.lifted.tolist() == ["E01900001", "E01900002"]
    assert next(iter(partition.sentences())).startswith("2 areas are hidden and shown only as par")


def test_areas_across_a_gap_are_merged_with_the_nearest_and_told() -> None:
    areas = strip(4, gap_after=0)
    partition = merge_areas(counted(areas, [3, 30, 20, 40]), areas, None, policy=PUBLIC)
    assert partition.areas["shown"].str[8:].tolist() == ["1+1", "1+1", "3", "4"]
    assert partition.apart == ("E01900001+1",)
    assert list(partition.sentences())[1] == (
        "Not all parts of Marsh 001A and 001B touch: where an area has no neighbour in reach, the "
        "nearest was taken."
    )


def test_island_beside_another_parent_takes_its_nearest_sibling() -> None:
    areas = strip(4)
    lookup = above(areas, "MNNM")
    partition = merge_areas(counted(areas, [3, 30, 20, 40]), areas, lookup, policy=PUBLIC)
    assert partition.areas["shown"].str[8:].tolist() == ["1+1", "2", "3", "1+1"]
    assert partition.facts["apart"] == 1


def test_areas_that_touch_at_a_corner_alone_are_not_preferred() -> None:
    areas = strip(3)
    areas = areas.set_geometry([box(0, 0, 1, 1), box(1, 1, 2, 2), box(1, 0, 2, 1)])
    partition = merge_areas(counted(areas, [3, 20, 30]), areas, None, policy=PUBLIC)
    assert partition.areas["shown"].str[8:].tolist() == ["1+1", "2", "1+1"]


def test_neighbours_may_be_given() -> None:
    areas = strip(3)
    links = pd.DataFrame(
        {"focal": areas.index[[0, 2, 1]], "neighbor": areas.index[[2, 0, 1]], "weight": [1, 1, 0]}
    )
    graph = Graph.from_adjacency(links)
    partition = merge_areas(counted(areas, [3, 20, 30]), areas, None, policy=PUBLIC, graph=graph)
    assert partition.areas["shown"].str[8:].tolist() == ["1+1", "2", "1+1"]
    with pytest.raises(UnmatchedError, match=r"graph: 1 areas are not in it \(E01900004\)"):
        merge_areas(counted(strip(4), [3, 4, 5, 6]), strip(4), None, policy=PUBLIC, graph=graph)


def test_areas_that_the_records_do_not_cover_are_merged_with_nothing() -> None:
    areas = strip(4)
    partition = merge_areas(
        counted(areas, [0, 3, 30, 20]), areas, None, policy=PUBLIC, covered=areas.index[1:]
    )
    assert partition.areas["shown"].str[8:].tolist() == ["1", "2+1", "2+1", "4"]
    assert partition.lifted.empty


def test_ladder_says_which_level_holds_siblings() -> None:
    areas = strip(4)
    lookup = above(areas, "MMNN", "UVVV").assign(district_code="D")
    counts = counted(areas, [3, 30, 4, 50])
    wards = make_ladder(areas, lookup, levels=["ward", "msoa", "district"])
    by_ward = merge_areas(counts, areas, wards, policy=PUBLIC)
    assert by_ward.parent == "ward"
    assert by_ward.lifted.tolist() == ["E01900001"]
    assert merge_areas(counts, areas, lookup, policy=PUBLIC).parent == "msoa"
    assert merge_areas(counts, areas, make_ladder(areas), policy=PUBLIC).parent is None


def test_policy_without_threshold_merges_nothing() -> None:
    assert merged([0, 1, 2], policy="internal")[1] == ["1", "2", "3"]


def test_bad_input_is_named() -> None:
    areas = strip(3)
    counts = counted(areas, [3, 20, 30])
    with pytest.raises(ColumnError, match="negative or fractional"):
        merge_areas(counts.assign(count=-1), areas, None, policy=PUBLIC)
    with pytest.raises(UnmatchedError, match="areas that the ladder lacks"):
        merge_areas(counts, areas.iloc[:2], None, policy=PUBLIC)
    with pytest.raises(UnmatchedError, match=r"1 of 3 areas have no msoa \(E01900003\)"):
        merge_areas(counts, areas, above(areas, "MMN").iloc[:2], policy=PUBLIC)
    with pytest.raises(ColumnError, match="lookup has no column 'ward_code'"):
        merge_areas(counts, areas, above(areas, "MMN"), policy=PUBLIC, parent="ward")


def test_names_of_merged_areas_say_their_parts() -> None:
    assert merged([3, 2, 30])[0].areas["area_name"].iloc[0] == "Marsh 001A, 001B and 001C"
    assert merged([3, 2, 1, 1, 1])[0].areas["area_name"].iloc[0] == "Marsh 001A"
    four = merged([3, 2, 2, 3])[0]
    assert four.areas["area_name"].unique().tolist() == ["Marsh 001A and 3 others"]
    areas = strip(2).assign(area_name=["North Fen", "Eastend"])
    two = merge_areas(counted(areas, [3, 20]), areas, None, policy=PUBLIC)
    assert two.areas["area_name"].iloc[0] == "North Fen and Eastend"


def test_members_name_the_parts_of_each_merged_area() -> None:
    assert merged([30, 3, 20, 40])[0].members().to_dict("list") == {
        "whole": ["E01900002+1", "E01900002+1"],
        "part": ["E01900002", "E01900003"],
    }


def test_cost_is_told_in_words() -> None:
    told = list(merged([30, 3, 20, 47])[0].sentences())
    assert told == [
        "2 of 4 areas are shown together with neighbours in reach, at most 2 as one, because too "
        "little was recorded in some of them; so 3 are left. Those merged hold 20% of the records."
    ]


def tables(wards: str = "UVVV") -> MergedTables:
    """Squares 2 and 3 become one; they lie in wards U and V where so said."""
    areas = strip(4)
    areas.attrs["vintage"] = "2021"
    counts = counted(areas, [30, 3, 20, 40])
    lookup = above(areas, "MMMM", wards)
    population = pd.DataFrame({"residents": [100, 300, 100, 50]}, index=areas.index)
    deprivation = pd.DataFrame({"imd_decile": [1, 2, 9, 4], "imd_rank": 5}, index=areas.index)
    return apply_partition(
        merge_areas(counts, areas, lookup, policy=PUBLIC),
        areas=areas,
        counts=counts,
        lookup=lookup,
        population=population[::-1],
        deprivation=deprivation,
        covered=areas.index[[1, 2, 3]],
    )


def test_tables_of_merged_areas_hold_together() -> None:
    made = tables()
    assert made.areas.index.tolist() == ["E01900001", "E01900002+1", "E01900004"]
    assert made.areas.geometry.area.tolist() == [1.0, 2.0, 1.0]
    assert shapely.coverage_is_valid(made.areas.geometry.to_numpy())
    assert made.areas.attrs == {"level": "lsoa", "vintage": "2021"}
    assert made.counts.groupby("area_code")["count"].sum().tolist() == [30, 23, 40]
    assert made.population is not None
    assert made.population["residents"].tolist() == [100, 400, 50]
    assert made.covered is not None
    assert made.covered.tolist() == ["E01900002+1", "E01900004"]


def test_decile_of_a_merged_area_is_the_mean_by_residents() -> None:
    made = tables().deprivation
    assert made is not None
    assert made.to_dict("list") == {"imd_decile": [1, 4, 4]}  # (300 x 2 + 100 x 9) / 400 = 3.75


def test_merged_area_goes_to_the_ward_with_most_residents() -> None:
    made = tables("UUVV")
    assert made.lookup is not None
    assert made.lookup["ward_code"].tolist() == ["U", "U", "V"]
    assert made.lookup["ward_name"].tolist() == ["Ward U", "Ward U", "Ward V"]
    assert made.notes[-1].startswith("1 of the areas put together lie in more than one area of t")
    assert len(tables().notes) == 1


def test_merged_tables_make_a_study_with_two_branches() -> None:
    made = tables("UUVV")
    assert made.lookup is not None
    ladder = make_ladder(
        made.areas, made.lookup.assign(district_code="D"), levels=["msoa", "ward", "district"]
    )
    study = analyse(made.counts, ladder, population=made.population, deprivation=made.deprivation)
    assert study.cubes["ward"][0, 0].tolist() == [53, 40]
    assert study.exposures["ward"]["residents"].tolist() == [500, 50]


def test_deciles_that_are_not_known_are_left_out_of_the_mean() -> None:
    areas = strip(4)
    counts = counted(areas, [3, 20, 4, 20])
    partition = merge_areas(counts, areas, above(areas, "MMNN"), policy=PUBLIC)
    deprivation = pd.DataFrame({"imd_decile": [pd.NA, 7, pd.NA, pd.NA]}, index=areas.index)
    made = apply_partition(partition, areas=areas, counts=counts, deprivation=deprivation)
    assert made.deprivation is not None
    assert made.deprivation["imd_decile"].tolist() == [7, pd.NA]


def test_tables_of_other_areas_are_refused() -> None:
    areas = strip(4)
    counts = counted(areas, [30, 3, 20, 40])
    partition = merge_areas(counts, areas, None, policy=PUBLIC)
    people = pd.DataFrame({"residents": 5}, index=areas.index[:3])
    with pytest.raises(UnmatchedError, match=r"population lacks 1 of 4 areas \(E01900004\)"):
        apply_partition(partition, areas=areas, counts=counts, population=people)
    more = strip(5)
    with pytest.raises(UnmatchedError, match=r"The partition lacks 1 of 5 areas \(E01900005\)"):
        apply_partition(partition, areas=more, counts=counts)
