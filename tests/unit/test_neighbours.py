"""Which areas touch: corners, borders, gaps, islands."""

import logging

import geopandas as gpd
import numpy as np
import pytest
from libpysal.graph import Graph
from shapely import Polygon, box

from placeshaping._core.errors import DuplicateError, EmptyError, InputError
from placeshaping.areas.neighbours import contiguity, detached_parts


def make_areas(shapes, codes=None):
    return gpd.GeoDataFrame(geometry=shapes, index=codes or list("abcdefghi")[: len(shapes)])


def grid(size):
    shapes = [box(x, y, x + 1, y + 1) for y in range(size) for x in range(size)]
    return make_areas(shapes, [f"{i:03}" for i in range(size * size)])


def pairs(graph):
    table = graph.adjacency[graph.adjacency > 0].reset_index()
    return set(zip(table["focal"], table["neighbor"], strict=True))


@pytest.mark.parametrize("rook", [True, False])
def test_a_grid_has_the_neighbours_that_libpysal_finds(rook):
    areas = grid(5)
    assert pairs(contiguity(areas, rook=rook)) == pairs(Graph.build_contiguity(areas, rook=rook))


def test_rook_needs_a_length_of_border():
    areas = make_areas([box(0, 0, 1, 1), box(1, 1, 2, 2), box(1, 0, 2, 1)])
    assert ("a", "b") in pairs(contiguity(areas))
    assert ("a", "b") not in pairs(contiguity(areas, rook=True))


def test_borders_with_unlike_vertices_touch():
    areas = make_areas([box(0, 0, 1, 3), box(1, 1, 2, 2)])
    assert pairs(contiguity(areas, rook=True)) == {("a", "b"), ("b", "a")}


def test_the_order_of_the_areas_is_kept():
    areas = grid(3).iloc[[4, 0, 8, 2, 6, 1, 3, 5, 7]]
    graph = contiguity(areas)
    assert graph.unique_ids.tolist() == areas.index.tolist()
    assert pairs(graph) == pairs(contiguity(grid(3)))


@pytest.mark.parametrize("rook", [True, False])
def test_snap_bridges_a_gap(rook):
    areas = make_areas([box(0, 0, 1, 1), box(1.001, 0, 2, 1), box(2, 0, 3, 1)])
    assert ("a", "b") not in pairs(contiguity(areas, rook=rook))
    assert ("a", "b") in pairs(contiguity(areas, rook=rook, snap=0.01))


def test_snap_does_not_make_rooks_of_corners():
    areas = make_areas([box(0, 0, 1, 1), box(1, 1, 2, 2), box(1, 0, 2, 1)])
    assert ("a", "b") not in pairs(contiguity(areas, rook=True, snap=0.01))


ISLAND = [box(0, 0, 1, 1), box(1, 0, 2, 1), box(4, 0, 5, 1)]


def test_islands_are_told_and_kept(caplog):
    with caplog.at_level(logging.WARNING):
        graph = contiguity(make_areas(ISLAND))
    assert graph.isolates.tolist() == ["c"]
    assert graph.n == 3
    assert "1 of 3 areas touch no other (c)" in caplog.text


def test_islands_can_be_tied_to_the_nearest_both_ways():
    graph = contiguity(make_areas(ISLAND), islands="nearest")
    assert {("c", "b"), ("b", "c")} <= pairs(graph)
    assert len(graph.isolates) == 0


def test_two_islands_nearest_to_each_other_are_tied_once():
    areas = make_areas([*ISLAND, box(5.5, 0, 6, 1)])
    graph = contiguity(areas, islands="nearest")
    assert graph.adjacency.max() == 1
    assert ("c", "d") in pairs(graph)


def test_islands_can_be_refused():
    with pytest.raises(InputError, match=r"1 of 3 areas touch no other \(c\).*islands='nearest'"):
        contiguity(make_areas(ISLAND), islands="raise")


def test_detached_groups_are_numbered_by_size(caplog):
    shapes = [box(9, 0, 10, 1), *[box(x, 0, x + 1, 1) for x in range(3)]]
    shapes += [box(x, 5, x + 1, 6) for x in range(2)]
    with caplog.at_level(logging.INFO):
        parts = detached_parts(contiguity(make_areas(shapes)))
    assert parts.tolist() == [2, 0, 0, 0, 1, 1]
    assert "1 groups of areas (2 areas) touch no other group" in caplog.text


def test_a_hole_and_its_ring_touch():
    ring = Polygon(box(0, 0, 3, 3).exterior, [box(1, 1, 2, 2).exterior])
    assert pairs(contiguity(make_areas([ring, box(1, 1, 2, 2)]), rook=True)) == {
        ("a", "b"),
        ("b", "a"),
    }


def test_one_area_has_no_neighbours():
    with pytest.raises(EmptyError, match="There are 1 areas"):
        contiguity(make_areas([box(0, 0, 1, 1)]))


def test_a_code_that_stands_twice_is_refused():
    with pytest.raises(DuplicateError, match="areas: 1 area codes"):
        contiguity(make_areas([box(0, 0, 1, 1), box(1, 0, 2, 1)], ["a", "a"]))


def test_weights_are_binary_and_symmetric():
    matrix = contiguity(grid(4)).sparse
    assert set(np.unique(matrix.data)) == {1.0}
    assert abs(matrix - matrix.T).max() == 0
