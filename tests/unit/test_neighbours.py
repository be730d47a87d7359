"""Which areas touch: corners, borders, gaps, islands."""

import logging

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph
from shapely import Polygon, box

from placeshaping._core.errors import (
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
)
from placeshaping.areas.neighbours import (
    _by_geometry,
    _by_vertices,
    contiguity,
    detached_parts,
    distance_band,
    k_nearest,
)


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


@pytest.mark.parametrize("codes", [list("dacbfe"), [7, 3, 9, 1, 8, 2], range(6)])
def test_a_graph_is_laid_out_as_libpysal_lays_it_out(codes):
    squares = [box(x, y, x + 1, y + 1) for x, y in [(0, 0), (9, 9), (1, 1), (5, 5), (0, 1), (1, 0)]]
    areas = gpd.GeoDataFrame(geometry=squares, index=list(codes))
    ours = contiguity(areas)
    theirs = Graph.from_sparse((ours.sparse > 0).astype(float), ids=areas.index)
    pd.testing.assert_series_equal(ours.adjacency, theirs.adjacency)
    built = Graph.build_contiguity(areas, rook=False).adjacency
    pd.testing.assert_series_equal(ours.adjacency, built.astype("float64"))
    for level in range(2):
        inner, other = ours.adjacency.index, theirs.adjacency.index
        assert inner.codes[level].tolist() == other.codes[level].tolist()
        assert inner.levels[level].equals(other.levels[level])
    assert ours.isolates.tolist() == theirs.isolates.tolist() == [codes[1], codes[3]]


def as_set(found):
    return {tuple(sorted(pair)) for pair in found.T.tolist()}


def coverage(seed, count=400):
    """A coverage of crooked areas with a hole, corners where four meet, and an area of parts."""
    rng = np.random.default_rng(seed)
    points = shapely.multipoints(rng.uniform(0, 1000, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points))
    cells = cells[shapely.distance(cells, shapely.Point(500, 500)) > 40]
    joined = [shapely.union_all(cells[:3]), *cells[3:]]
    squares = [box(3000 + x, y, 3001 + x, y + 1) for x in range(9) for y in range(9)]
    return np.array([*joined, *squares])


@pytest.mark.parametrize("rook", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_vertices_find_the_neighbours_that_geometry_and_libpysal_find(seed, rook):
    shapes = coverage(seed)
    found = _by_vertices(shapes, rook)
    assert as_set(found) == as_set(_by_geometry(shapes, rook, 0.0))
    areas = gpd.GeoDataFrame(geometry=shapes)
    reference = Graph.build_contiguity(areas, rook=rook)
    expected = {(a, b) for a, b in pairs(reference) if a < b}
    assert as_set(found) == expected


@pytest.mark.parametrize("rook", [True, False])
def test_vertices_that_do_not_match_are_found_all_the_same(rook):
    bricks = [
        box(x + (y % 2) / 2, y, x + (y % 2) / 2 + 1, y + 1) for x in range(15) for y in range(15)
    ]
    bricks += [box(100, 0, 110, 10), box(104, 4, 105, 5)]  # one within another
    shapes = np.array(bricks)
    assert as_set(_by_vertices(shapes, rook)) == as_set(_by_geometry(shapes, rook, 0.0))


def test_sheets_over_one_another_are_left_to_geometry():
    rng = np.random.default_rng(1)
    points = [shapely.multipoints(rng.uniform(0, 100, (60, 2))) for _ in range(2)]
    frame = box(0, 0, 100, 100)
    sheets = [shapely.get_parts(shapely.voronoi_polygons(p, extend_to=frame)) for p in points]
    assert _by_vertices(np.concatenate(sheets), False) is None


def test_shapes_without_outline_are_left_to_geometry():
    assert _by_vertices(np.array([box(0, 0, 1, 1), Polygon()]), False) is None


@pytest.mark.parametrize("rook", [True, False])
def test_many_areas_have_the_neighbours_that_libpysal_finds(rook):
    areas = grid(46)
    assert len(areas) > 2_000
    assert pairs(contiguity(areas, rook=rook)) == pairs(Graph.build_contiguity(areas, rook=rook))


def test_the_nearest_are_those_that_libpysal_finds():
    rng = np.random.default_rng(3)
    areas = gpd.GeoDataFrame(
        geometry=shapely.buffer(shapely.points(rng.uniform(0, 99, (60, 2))), 1)
    )
    areas.index = [f"{i:02}" for i in rng.permutation(60)]
    for k in (1, 4):
        graph = k_nearest(areas, k=k)
        assert graph.unique_ids.tolist() == areas.index.tolist()
        assert pairs(graph) == pairs(Graph.build_knn(areas.centroid, k=k))


def test_areas_at_one_place_have_as_many_neighbours_as_others():
    areas = make_areas([box(0, 0, 1, 1)] * 4 + [box(3, 0, 4, 1)])
    graph = k_nearest(areas, k=2)
    assert graph.cardinalities.tolist() == [2] * 5
    assert not any(focal == other for focal, other in pairs(graph))


def test_a_band_has_the_neighbours_that_libpysal_finds(caplog):
    rng = np.random.default_rng(3)
    areas = gpd.GeoDataFrame(
        geometry=shapely.buffer(shapely.points(rng.uniform(0, 99, (60, 2))), 1)
    )
    with caplog.at_level(logging.WARNING):
        graph = distance_band(areas, distance=9.0)
    assert pairs(graph) == pairs(Graph.build_distance_band(areas.centroid, 9.0))
    assert f"{len(graph.isolates)} of 60 areas have no neighbour within 9 m" in caplog.text


def test_distances_need_metres_and_sensible_numbers():
    squares = make_areas([box(0, 0, 1, 1), box(1, 0, 2, 1)])
    with pytest.raises(CRSError, match=r"in degrees .*to_crs\(27700\)"):
        k_nearest(squares.set_crs(4326), k=1)
    with pytest.raises(InputError, match="k is 0"):
        k_nearest(squares, k=0)
    with pytest.raises(EmptyError, match="2 neighbours need at least 3"):
        k_nearest(squares, k=2)
    with pytest.raises(InputError, match="above zero"):
        distance_band(squares, distance=0)
    with pytest.raises(EmptyError, match="at least two"):
        distance_band(squares[:1], distance=1)
    with pytest.raises(GeometryError, match=r"1 of 2 areas have no geometry \(b\)"):
        distance_band(make_areas([box(0, 0, 1, 1), None]), distance=1)


@pytest.mark.parametrize("k", [1.5, True, float("nan"), -1, "2"])
def test_the_number_of_nearest_is_a_whole_one(k):
    with pytest.raises(InputError, match=r"k is .*\. Give a whole number of 1 or more"):
        k_nearest(grid(3), k=k)
    assert k_nearest(grid(3), k=np.int64(2)).cardinalities.tolist() == [2] * 9


@pytest.mark.parametrize("lost", [None, Polygon()])
def test_areas_without_geometry_are_no_islands_but_refused(lost):
    areas = make_areas([box(0, 0, 1, 1), lost, box(1, 0, 2, 1)])
    with pytest.raises(GeometryError, match=r"1 of 3 areas have no geometry \(b\)"):
        contiguity(areas, islands="nearest")


def test_options_that_are_no_choice_are_refused():
    with pytest.raises(InputError, match=r"islands is 'join'\. Give 'tell', 'nearest' or 'raise'"):
        contiguity(grid(2), islands="join")
    for snap in (-1.0, np.nan, np.inf):
        with pytest.raises(InputError, match=r"snap is .*zero or more"):
            contiguity(grid(2), snap=snap)
