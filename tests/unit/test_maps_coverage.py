"""Compact coverage: what is decoded is what was encoded, borders are shared, nothing tears."""

from __future__ import annotations

import json
from collections import Counter

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from placeshaping._core.errors import GeometryError
from placeshaping.maps._references import read_references
from placeshaping.maps.coverage import (
    choose_tolerance,
    decode_coverage,
    encode_coverage,
    polygons_to_text,
    steps_from_text,
    steps_to_text,
)

ORIGIN = np.array([450_000.0, 300_000.0])


def frame(shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy + ORIGIN)
    return gpd.GeoDataFrame(geometry=moved, crs=27700)


def wobbly(side: int) -> list[shapely.Geometry]:
    """Return a coverage whose shared borders wind: squares whose sides are bent."""
    squares = [
        box(480 * x, 480 * y, 480 * (x + 1), 480 * (y + 1))
        for y in range(side)
        for x in range(side)
    ]
    bent = shapely.transform(
        shapely.segmentize(np.array(squares, dtype=object), 20.0),
        lambda xy: xy + 25 * np.column_stack([np.sin(xy[:, 1] / 37), np.cos(xy[:, 0] / 31)]),
    )
    return list(bent)


def differences(areas: gpd.GeoDataFrame, decoded: list[shapely.Geometry]) -> np.ndarray:
    back = gpd.GeoSeries(decoded, crs=4326).to_crs(27700).to_numpy()
    return np.asarray(
        [shapely.hausdorff_distance(a, b) for a, b in zip(areas.geometry, back, strict=True)]
    )


def test_decoding_gives_the_shapes_back_within_the_grid() -> None:
    areas = frame(wobbly(6))
    coverage = encode_coverage([areas], tolerance=0)
    assert coverage.shared
    assert differences(areas, decode_coverage(coverage)).max() < 1.0


def test_decoded_neighbours_share_their_borders_exactly() -> None:
    areas = frame(wobbly(6))
    coverage = encode_coverage([areas], tolerance=20)
    decoded = np.array(decode_coverage(coverage), dtype=object)
    assert shapely.coverage_is_valid(decoded)
    assert differences(areas, list(decoded)).max() < 80
    assert coverage.points < shapely.get_num_coordinates(areas.geometry.to_numpy()).sum() / 3


def test_every_border_is_stored_once() -> None:
    coverage = encode_coverage([frame([box(0, 0, 1e3, 1e3), box(1e3, 0, 2e3, 1e3)])])
    polygons = coverage.polygons[0]
    assert polygons is not None
    assert len(steps_from_text(coverage.arcs["inner"])) == 3
    times = Counter(arc if arc >= 0 else ~arc for arc in polygons.arcs.tolist())
    assert sorted(times.values()) == [1, 1, 2]


def test_holes_islands_and_parts_survive() -> None:
    hole = box(300, 300, 600, 600)
    ring = Polygon(box(0, 0, 1000, 1000).exterior, [hole.exterior])
    parts = MultiPolygon([box(1000, 0, 2000, 1000), box(3000, 0, 3500, 500)])
    areas = frame([ring, hole, parts])
    decoded = decode_coverage(encode_coverage([areas], tolerance=0))
    assert differences(areas, decoded).max() < 1.0
    back = gpd.GeoSeries(decoded, crs=4326).to_crs(27700).area.to_numpy()
    assert np.allclose(back, areas.area, rtol=0.01)


def test_coarser_levels_of_a_coverage_need_no_shapes_of_their_own() -> None:
    small = wobbly(6)
    large = frame([shapely.union_all(small[:18]), shapely.union_all(small[18:])])
    coverage = encode_coverage([frame(small), large])
    assert coverage.polygons[1] is None
    with pytest.raises(GeometryError, match="has no shapes of its own"):
        decode_coverage(coverage, 1)


def test_level_that_cuts_across_the_first_has_shapes_of_its_own() -> None:
    small = wobbly(6)
    pairs = frame([shapely.union_all(small[i : i + 2]) for i in range(0, 36, 2)])
    branch = frame([shapely.union_all(small[:17]), shapely.union_all(small[17:])])
    top = frame([shapely.union_all(small)])
    coverage = encode_coverage([pairs, branch, top])
    assert coverage.shared
    assert [polygons is None for polygons in coverage.polygons] == [False, False, True]
    assert differences(branch, decode_coverage(coverage, 1)).max() < 60


def test_areas_that_overlap_are_still_drawn_level_by_level() -> None:
    small = [box(0, 0, 1010, 1000), box(1000, 0, 2000, 1000)]
    areas, large = frame(small), frame([shapely.union_all(small)])
    coverage = encode_coverage([areas, large])
    assert not coverage.shared
    assert differences(areas, decode_coverage(coverage, 0)).max() < 20
    assert differences(large, decode_coverage(coverage, 1)).max() < 20


def test_tolerance_follows_the_size_of_the_areas() -> None:
    def squares(side: float) -> gpd.GeoDataFrame:
        return frame([box(0, 0, side, side)])

    chosen = [choose_tolerance(squares(side)) for side in (50, 620, 3_000, 90_000)]
    assert chosen == [2.0, 10.0, 50.0, 100.0]


def test_thousands_of_areas_are_simplified_twice_as_far() -> None:
    x, y = np.divmod(np.arange(20_000), 200)
    squares = shapely.box(640 * x, 640 * y, 640 * (x + 1), 640 * (y + 1))
    areas = gpd.GeoDataFrame(geometry=squares, crs=27700)
    assert choose_tolerance(areas) == 20.0
    assert choose_tolerance(areas.iloc[1:]) == 10.0


def test_steps_of_every_size_come_back_from_their_text() -> None:
    edges = [0, 34, 35, 944, 945, 10_000, 34_000_000]
    steps = np.asarray([*edges, *[-edge for edge in edges], -35, -36, -945, -946])
    assert (steps_from_text(steps_to_text(steps)) == steps).all()
    assert len(steps_to_text([34, -35])) == 2
    assert len(steps_to_text([35, 944])) == 4


def test_arcs_of_every_level_come_back_from_their_text() -> None:
    small = wobbly(6)
    branch = frame([shapely.union_all(small[:17]), shapely.union_all(small[17:])])
    pairs = frame([shapely.union_all(small[i : i + 2]) for i in range(0, 36, 2)])
    stored = encode_coverage([pairs, branch]).polygons
    coded = polygons_to_text(stored)
    texts = [
        np.concatenate([steps_from_text(level[name]) for level in coded if level is not None])
        for name in ("arcs", "named", "sizes", "rings")
    ]
    read = read_references(*texts[:3])
    assert (read == np.concatenate([level.arcs for level in stored if level is not None])).all()
    assert (
        texts[3] == np.concatenate([level.rings for level in stored if level is not None])
    ).all()


def test_steps_need_no_escape_in_json() -> None:
    text = steps_to_text(np.arange(-3_000, 3_000))
    assert json.dumps(text) == f'"{text}"'


def test_points_are_no_areas() -> None:
    with pytest.raises(GeometryError, match="1 of 2 areas are empty or no polygons"):
        encode_coverage([frame([box(0, 0, 9, 9), Point(1, 1)])])
