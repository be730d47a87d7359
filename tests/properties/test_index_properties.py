"""What the index must hold on any coverage: one area a point, shapely's, whatever the order."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.areas.neighbours import _by_geometry, _by_vertices
from placeshaping.joins.index import build_index
from placeshaping.joins.points import count_by_area


def make_coverage(seed, count, holes):
    """Voronoi cells in a crooked frame, some left out, some joined into areas of several parts."""
    rng = np.random.default_rng(seed)
    at = rng.uniform(3e5, 6e5, 2)
    seeds = shapely.multipoints(rng.uniform(0, 1000, (count, 2)) + at)
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds))
    frame = shapely.multipoints(rng.uniform(-100, 1100, (8, 2)) + at).convex_hull
    cells = shapely.intersection(cells, frame)
    cells = cells[shapely.area(cells) > 1e-6]
    kept = cells[rng.uniform(size=len(cells)) >= holes]
    label = rng.integers(0, max(2, len(kept) // 2), len(kept))
    areas = gpd.GeoDataFrame({"label": label}, geometry=kept, crs=27700).dissolve("label")
    areas.index = pd.Index(
        rng.permutation([f"E01{i:06}" for i in range(len(areas))]), name="area_code"
    )
    areas = areas[areas.geom_type.isin(["Polygon", "MultiPolygon"]) & areas.is_valid]
    return areas, rng


coverages = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(4, 60), st.sampled_from([0.0, 0.2, 0.6])
)


def draw_points(areas, rng):
    low, high = areas.total_bounds.reshape(2, 2)
    free = rng.uniform(low - 5, high + 5, (300, 2))
    vertices = shapely.get_coordinates(areas.geometry.to_numpy())
    pick = rng.integers(0, len(vertices) - 1, 200)
    between = (vertices[pick] + vertices[pick + 1]) / 2
    return np.vstack([free, vertices[pick], between])


@settings(deadline=None, max_examples=60)
@given(coverages, st.sampled_from([None, 17.0, 300.0]))
def test_each_point_has_the_first_area_that_shapely_says_holds_it_else_touches_it(drawn, cell):
    areas, rng = make_coverage(*drawn)
    if areas.empty:
        return
    xy = draw_points(areas, rng)
    row, several = build_index(areas, cell=cell).locate(*xy.T)
    order = np.argsort(areas.index.to_numpy(dtype="str"))
    points = shapely.points(xy)
    touching = shapely.intersects(areas.geometry.to_numpy()[order][:, None], points[None])
    inside = shapely.contains_properly(areas.geometry.to_numpy()[order][:, None], points[None])
    expected = np.where(touching.any(axis=0), order[touching.argmax(axis=0)], -1)
    expected = np.where(inside.any(axis=0), order[inside.argmax(axis=0)], expected)
    np.testing.assert_array_equal(row, expected)
    assert several == (inside.sum(axis=0) > 1).sum()


@settings(deadline=None, max_examples=40)
@given(coverages, st.integers(0, 2**32 - 1))
def test_the_order_of_points_and_areas_does_not_matter(drawn, seed):
    areas, rng = make_coverage(*drawn)
    if areas.empty:
        return
    xy = draw_points(areas, rng)
    shuffle = np.random.default_rng(seed)
    points, rows = shuffle.permutation(len(xy)), shuffle.permutation(len(areas))
    first = areas.index.append(pd.Index(["none"]))[build_index(areas).locate(*xy.T)[0]]
    other = build_index(areas.iloc[rows])
    second = other.codes.append(pd.Index(["none"]))[other.locate(*xy[points].T)[0]]
    assert first[points].tolist() == second.tolist()


@settings(deadline=None, max_examples=40)
@given(coverages)
def test_counts_by_an_index_are_conserved(drawn):
    areas, rng = make_coverage(*drawn)
    if areas.empty:
        return
    xy = draw_points(areas, rng)
    events = pd.DataFrame({"easting": xy[:, 0], "northing": xy[:, 1]})
    index = build_index(areas)
    counts = count_by_area(events, areas, by=(), outside="drop", index=index)
    assert counts["count"].sum() == (index.locate(*xy.T)[0] >= 0).sum()
    plain = count_by_area(events, areas, by=(), outside="drop")
    assert counts["count"].tolist() == plain["count"].tolist()


@settings(deadline=None, max_examples=40)
@given(coverages, st.booleans())
def test_neighbours_by_vertices_are_those_by_geometry(drawn, rook):
    areas, _ = make_coverage(*drawn)
    if len(areas) < 2:
        return
    shapes = areas.geometry.to_numpy()
    found = _by_vertices(shapes, rook)
    if found is None:  # slivers of rounding make areas overlap at the points that were asked
        return
    expected = _by_geometry(shapes, rook, 0.0)
    assert set(map(tuple, found.T)) == set(map(tuple, np.sort(expected, axis=0).T))
