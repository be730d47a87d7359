"""Arcs: each border once, thinned without tearing, written as steps that give it back."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from placeshaping.maps._arcs import Arcs, cut_into_arcs
from placeshaping.maps._references import code_references, read_references, turn_rings
from placeshaping.maps._steps import points_from_steps, steps_of_points
from placeshaping.maps._thinning import thin_arcs
from placeshaping.maps.coverage import _in_order_met


def cells(many: int, seed: int) -> np.ndarray:
    """Return a coverage whose borders wind: Voronoi cells, bent after they were made finer."""
    rng = np.random.default_rng(seed)
    seeds = shapely.multipoints(rng.uniform(0, 20_000, (many, 2)))
    parts = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=box(0, 0, 2e4, 2e4)))

    def bent(xy: np.ndarray) -> np.ndarray:
        return xy + 40 * np.column_stack([np.sin(xy[:, 1] / 90), np.cos(xy[:, 0] / 70)])

    whole = shapely.transform(np.array(parts, dtype=object), lambda xy: np.rint(xy))
    return shapely.transform(shapely.segmentize(whole, 60.0), lambda xy: bent(xy).round(3))


def shapes_of(arcs: Arcs, kept: np.ndarray) -> np.ndarray:
    pieces = [arcs.xy[arcs.vertex[a:b][kept[a:b]]] for a, b in zip(arcs.first, arcs.first[1:])]  # noqa: B905
    turned = [pieces[i] if i >= 0 else pieces[~i][::-1] for i in arcs.used]
    rings, at = [], 0
    for size in arcs.sizes:
        rings.append(np.vstack([part[:-1] for part in turned[at : at + size]]))
        at += size
    return np.array([Polygon(ring) for ring in rings], dtype=object)


def test_each_border_is_cut_once_and_used_from_both_sides() -> None:
    arcs = cut_into_arcs(cells(60, 1))
    times = Counter(np.where(arcs.used < 0, ~arcs.used, arcs.used).tolist())
    assert set(times.values()) == {1, 2}
    assert Counter(arcs.used.tolist()).most_common(1)[0][1] == 1


def test_an_island_and_the_hole_around_it_are_one_arc() -> None:
    island = box(3, 3, 6, 6)
    arcs = cut_into_arcs(np.array([Polygon(box(0, 0, 9, 9).exterior, [island.exterior]), island]))
    assert arcs.used.tolist() == [0, 1, ~1]
    assert arcs.rings.tolist() == [2, 1]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("tolerance", [15.0, 60.0, 300.0])
def test_thinned_areas_are_a_valid_coverage(seed: int, tolerance: float) -> None:
    shapes = cells(150, seed)
    assert shapely.coverage_is_valid(shapes)
    arcs = cut_into_arcs(shapes)
    thinned = shapes_of(arcs, thin_arcs(arcs.xy, arcs.vertex, arcs.first, tolerance))
    assert shapely.is_valid(thinned).all()
    assert shapely.coverage_is_valid(thinned)


def test_thinning_keeps_as_many_vertices_as_its_peer() -> None:
    shapes = cells(150, 4)
    arcs = cut_into_arcs(shapes)
    thinned = shapes_of(arcs, thin_arcs(arcs.xy, arcs.vertex, arcs.first, 40.0))
    peer = shapely.coverage_simplify(shapes, 40.0)
    ours, theirs = (shapely.get_num_coordinates(one).sum() for one in (thinned, peer))
    assert ours < 0.6 * shapely.get_num_coordinates(shapes).sum()
    assert ours == pytest.approx(theirs, rel=0.02)
    assert np.allclose(shapely.area(thinned), shapely.area(peer), rtol=0.02)


def test_a_corner_that_holds_another_vertex_is_not_cut() -> None:
    xy = np.array([[0.0, 0.0], [5.0, 3.0], [10.0, 0.0], [5.0, 1.0], [5.0, -9.0]])
    vertex, first = np.array([0, 1, 2, 3, 4]), np.array([0, 3, 5])
    assert thin_arcs(xy, vertex, first, 9.0).tolist() == [True] * 5
    xy[3] = [5.0, -1.0]
    assert thin_arcs(xy, vertex, first, 9.0).tolist() == [True, False, True, True, True]


def test_thin_areas_do_not_vanish() -> None:
    island, strip = box(0, 0, 3, 3), Polygon([(50, 0), (55, 1), (60, 0), (55, -1)])
    beside = Polygon([(60, 0), (55, 1), (50, 0), (50, 40), (60, 40)])
    arcs = cut_into_arcs(np.array([island, strip, beside]))
    thinned = shapes_of(arcs, thin_arcs(arcs.xy, arcs.vertex, arcs.first, 1000.0))
    assert (shapely.area(thinned) > 0).all()


def test_points_come_back_from_their_steps() -> None:
    arcs = cut_into_arcs(cells(60, 5))
    units = np.rint(arcs.xy[arcs.vertex]).astype(np.int64)
    inner, steps = steps_of_points(units, arcs.first, arcs.used, arcs.sizes)
    assert len(steps) < len(units) - len(inner)
    back, first = points_from_steps(inner, steps, arcs.used, arcs.sizes)
    assert (back == units).all()
    assert (first == arcs.first).all()


def test_spikes_come_back_from_their_steps() -> None:
    spiked = Polygon([(0, 0), (9, 0), (9, 9), (5, 9), (5, 15), (5, 9), (0, 9)])
    arcs = cut_into_arcs(np.array([spiked, box(9, 0, 12, 9)]))
    units = arcs.xy[arcs.vertex].astype(np.int64)
    inner, steps = steps_of_points(units, arcs.first, arcs.used, arcs.sizes)
    assert (points_from_steps(inner, steps, arcs.used, arcs.sizes)[0] == units).all()
    codes, named = code_references(arcs.used, arcs.sizes)
    assert (read_references(codes, named, arcs.sizes) == arcs.used).all()


def test_arcs_met_backwards_first_are_turned() -> None:
    at, first, used = _in_order_met(np.array([0, 2, 5, 9]), np.array([~1, 2, 1]))
    assert used.tolist() == [0, 1, ~0]
    assert at.tolist() == [4, 3, 2, 5, 6, 7, 8]
    assert first.tolist() == [0, 3, 7]


@pytest.mark.parametrize("seed", [1, 2])
def test_references_come_back_and_most_need_no_name(seed: int) -> None:
    arcs = cut_into_arcs(cells(100, seed))
    used = turn_rings(arcs.used, arcs.sizes)
    _, _, used = _in_order_met(arcs.first, used)
    codes, named = code_references(used, arcs.sizes)
    assert (read_references(codes, named, arcs.sizes) == used).all()
    assert len(named) < 1.3 * len(arcs.sizes)
    assert codes.max() <= 3


def test_references_to_areas_that_overlap_come_back() -> None:
    shapes = np.array([box(0, 0, 2, 2), box(1, 1, 3, 3), box(0, 0, 2, 2), box(2, 0, 4, 2)])
    arcs = cut_into_arcs(shapes)
    codes, named = code_references(arcs.used, arcs.sizes)
    assert (read_references(codes, named, arcs.sizes) == arcs.used).all()
