"""The compiled index: the same area as shapely says, on the hardest places."""

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from placeshaping._core.errors import (
    CRSError,
    EmptyError,
    FileFormatError,
    GeometryError,
    InputError,
    MissingFileError,
)
from placeshaping.areas._rings import borders_of, rings_of
from placeshaping.joins._exact import _exact_side, side_of
from placeshaping.joins.index import build_index, read_index, write_index
from placeshaping.joins.points import assign_area, count_by_area, place_events


def make_areas(shapes, codes=None):
    codes = codes or [f"E01{i:06}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(
        geometry=list(shapes), index=pd.Index(codes, name="area_code", dtype="str"), crs=27700
    )


def by_shapely(areas, x, y):
    """Return the first area with each point inside, else on its border, and those in several."""
    order = np.argsort(areas.index.to_numpy(dtype="str"), kind="stable")
    shapes = areas.geometry.to_numpy()[order]
    points = shapely.points(x, y)
    point, area = shapely.STRtree(shapes).query(points, predicate="intersects")
    inside = shapely.contains_properly(shapes[area], points[point])
    touching, holding = np.full((2, len(x)), len(areas))
    np.minimum.at(touching, point, area)
    np.minimum.at(holding, point[inside], area[inside])
    several = np.bincount(point[inside], minlength=len(x)) > 1
    lowest = np.where(holding < len(areas), holding, touching)
    return np.append(order, -1)[lowest], int(several.sum())


def hard_points(areas, index, *, seed=0, random=4000):
    """Return vertices, points on borders and lines of the grid, and those one step beside."""
    rng = np.random.default_rng(seed)
    vertices = shapely.get_coordinates(areas.geometry.to_numpy())
    ends = borders_of(rings_of(areas.geometry.to_numpy())).ends
    share = rng.uniform(0, 1, (len(ends), 1))
    along = ends[:, :2] + share * (ends[:, 2:] - ends[:, :2])
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    free = rng.uniform(low - 1, high + 1, (random, 2))
    x0, y0, size = index.corner
    on_lines = free.copy()
    on_lines[::2, 0] = x0 + np.round((free[::2, 0] - x0) / size) * size
    on_lines[1::2, 1] = y0 + np.round((free[1::2, 1] - y0) / size) * size
    level = np.column_stack([rng.uniform(low[0], high[0], len(vertices)), vertices[:, 1]])
    upright = np.column_stack([vertices[:, 0], rng.uniform(low[1], high[1], len(vertices))])
    points = np.vstack(
        [vertices, (ends[:, :2] + ends[:, 2:]) / 2, along, free, on_lines, level, upright]
    )
    steps = [points]
    for toward in (-np.inf, np.inf):
        for axis in range(2):
            moved = points.copy()
            moved[:, axis] = np.nextafter(moved[:, axis], toward)
            steps.append(moved)
    return np.vstack(steps).T


def check_against_shapely(areas, *, random=1000, **options):
    index = build_index(areas, **options)
    x, y = hard_points(areas, index, random=random)
    row, several = index.locate(x, y, threads=1)
    expected, expected_several = by_shapely(areas, x, y)
    np.testing.assert_array_equal(row, expected)
    assert several == expected_several


E, N = 412_345.678, 287_654.321
HERE = np.array([E, N])


def star(points, radius, inner, x=0.0, y=0.0):
    angle = np.arange(2 * points) * np.pi / points
    reach = np.where(np.arange(2 * points) % 2, inner, radius)
    return Polygon(np.column_stack([E + x + reach * np.cos(angle), N + y + reach * np.sin(angle)]))


def at(shape):
    return shapely.transform(shape, lambda xy: xy + HERE)


PLACES = {
    "squares": [at(box(i, j, i + 1, j + 1)) for i in range(4) for j in range(4)],
    "one large among small": [
        at(box(0, 0, 1000, 1000)),
        *[at(box(1000 + i, j, 1001 + i, j + 1)) for i in range(5) for j in range(5)],
    ],
    "hole filled and hole empty": [
        at(Polygon(box(0, 0, 9, 9).exterior, [box(1, 1, 3, 3).exterior, box(5, 5, 7, 8).exterior])),
        at(box(1, 1, 3, 3)),
    ],
    "ring within ring within ring": [
        at(
            Polygon(
                box(i, i, 20 - i, 20 - i).exterior, [box(i + 1, i + 1, 19 - i, 19 - i).exterior]
            )
        )
        for i in range(8)
    ],
    "parts and islands": [
        at(MultiPolygon([box(0, 0, 1, 1), box(3, 3, 4, 4), box(30, 0, 30.01, 0.01)])),
        at(MultiPolygon([box(1, 0, 3, 1), box(0, 3, 3, 4)])),
    ],
    "parts that touch at a corner": [
        at(MultiPolygon([box(0, 0, 1, 1), box(1, 1, 2, 2)])),
        at(MultiPolygon([box(1, 0, 2, 1), box(0, 1, 1, 2)])),
    ],
    "many at one vertex": [
        Polygon(
            [
                (E, N),
                (E + np.cos(a), N + np.sin(a)),
                (E + np.cos(a + np.pi / 90), N + np.sin(a + np.pi / 90)),
            ]
        )
        for a in np.arange(180) * np.pi / 90
    ],
    "stars that overlap": [star(7, 10, 4), star(9, 8, 3, 5, 2), star(5, 12, 5, -4, 3)],
    "areas within areas": [at(box(i, i, 20 - i, 20 - i)) for i in range(9)],
    "the same area twice": [at(box(0, 0, 3, 3)), at(box(0, 0, 3, 3)), at(box(3, 0, 4, 3))],
    "seventy layers": [at(box(0, 0, 10 + i / 100, 10)) for i in range(70)],
    "thin": [at(Polygon([(0, 0), (1000, 1e-3), (1000, 2e-3)])), at(box(0, -5, 1000, -4))],
    "nearly level": [
        at(Polygon([(0, 0), (100, 1e-7), (100, 50), (0, 50)])),
        at(Polygon([(0, 0), (100, 1e-7), (100, -50), (0, -50)])),
    ],
    "borders with unlike vertices": [at(box(0, 0, 1, 3)), at(box(1, 0, 2, 1)), at(box(1, 1, 2, 3))],
}


@pytest.mark.parametrize("cell", [None, 0.7, 7.3])
@pytest.mark.parametrize("name", PLACES)
def test_the_area_is_the_one_that_shapely_finds(name, cell):
    areas = make_areas(PLACES[name])
    if name == "one large among small" and cell == 0.7:
        cell = 3.1
    random = 100 if name == "seventy layers" else 1000
    check_against_shapely(areas, cell=cell, random=random)
    check_against_shapely(areas.iloc[::-1], cell=cell, random=random)


def test_borders_along_lines_of_the_grid_are_settled():
    areas = make_areas([box(i, j, i + 1, j + 1) for i in range(1, 5) for j in range(1, 5)])
    check_against_shapely(areas, cell=1.0)
    check_against_shapely(areas, cell=0.5)


def test_random_outlines_agree_with_shapely():
    rng = np.random.default_rng(5)
    seeds = shapely.multipoints(rng.uniform(0, 1000, (300, 2)) + HERE)
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds))
    check_against_shapely(make_areas(cells))
    check_against_shapely(make_areas(shapely.buffer(cells, 3.7)))
    check_against_shapely(make_areas(shapely.buffer(cells, -3.7)))


def test_coordinates_on_a_coarse_lattice_meet_every_tie():
    rng = np.random.default_rng(2)
    shapes = []
    while len(shapes) < 40:
        shape = Polygon(rng.integers(0, 12, (6, 2)))
        if shape.is_valid and shape.area > 0:
            shapes.append(shape)
    areas = make_areas(shapes)
    index = build_index(areas, cell=1.0)
    x, y = (grid.ravel() / 2 for grid in np.meshgrid(np.arange(-4, 30.0), np.arange(-4, 30.0)))
    for cell in (1.0, 0.5, 1.7):
        index = build_index(areas, cell=cell)
        np.testing.assert_array_equal(index.locate(x, y)[0], by_shapely(areas, x, y)[0])


def test_the_side_of_a_line_is_exact():
    rng = np.random.default_rng(3)
    for _ in range(2000):
        ax, ay, bx, by = rng.uniform(4e5, 4e5 + 10, 4)
        share = rng.uniform(-1, 2)
        px, py = ax + share * (bx - ax), ay + share * (by - ay)
        a, b, c, d, p, q = map(Fraction, (ax, ay, bx, by, px, py))
        exact = (c - a) * (q - b) - (d - b) * (p - a)
        sign = (exact > 0) - (exact < 0)
        assert _exact_side(ax, ay, bx, by, px, py) == sign
        assert side_of(ax, ay, bx, by, px, py) == sign


def test_points_without_coordinates_or_far_away_have_no_area():
    index = build_index(make_areas([box(0, 0, 1, 1)]))
    x = [np.nan, 0.5, np.inf, -np.inf, 1e300, -1e300, 0.5]
    y = [0.5, np.nan, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert index.locate(x, y)[0].tolist() == [-1] * 6 + [0]


def test_no_points_have_no_areas():
    row, several = build_index(make_areas([box(0, 0, 1, 1)])).locate([], [])
    assert len(row) == 0
    assert several == 0


def test_threads_do_not_change_the_answer():
    index = build_index(make_areas(PLACES["stars that overlap"]))
    x, y = np.random.default_rng(1).uniform(-12, 14, (2, 100_001)) + HERE[:, None]
    alone, several = index.locate(x, y, threads=1)
    together, also = index.locate(x, y, threads=3)
    np.testing.assert_array_equal(alone, together)
    assert several == also > 0


def test_several_threads_may_ask_at_once():
    index = build_index(make_areas(PLACES["squares"]))
    x, y = np.random.default_rng(1).uniform(0, 4, (2, 50_000)) + HERE[:, None]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: index.locate(x, y)[0], range(8)))
    assert all((answer == answers[0]).all() for answer in answers)


def test_an_index_can_be_pickled_and_kept_in_a_file(tmp_path):
    index = build_index(make_areas(PLACES["ring within ring within ring"]))
    write_index(index, tmp_path / "areas.index")
    x, y = np.random.default_rng(1).uniform(0, 20, (2, 1000)) + HERE[:, None]
    expected = index.locate(x, y)[0]
    for again in (pickle.loads(pickle.dumps(index)), read_index(tmp_path / "areas.index")):
        np.testing.assert_array_equal(again.locate(x, y)[0], expected)
        assert again.codes.equals(index.codes)
        assert again.memory == index.memory
    events = pd.DataFrame({"easting": x, "northing": y})
    kept = read_index(tmp_path / "areas.index")
    areas = make_areas(PLACES["ring within ring within ring"])
    count_by_area(events, areas, by=(), outside="drop", index=kept)


def test_a_file_that_is_no_index_is_refused(tmp_path):
    (tmp_path / "x.index").write_bytes(b"PK no index")
    with pytest.raises(FileFormatError, match=r"x\.index is no index of areas"):
        read_index(tmp_path / "x.index")
    with (tmp_path / "y.index").open("wb") as stream:
        np.savez(stream, format=0)
    with pytest.raises(FileFormatError, match="of another version"):
        read_index(tmp_path / "y.index")
    with pytest.raises(MissingFileError, match=r"z\.index"):
        read_index(tmp_path / "z.index")


def test_memory_is_stated_in_bytes():
    index = build_index(make_areas(PLACES["squares"]))
    assert index.memory == sum(
        getattr(index, name).nbytes
        for name in index.__dataclass_fields__
        if name not in ("codes", "bounds", "outlines")
    )


def test_areas_that_cannot_serve_are_refused():
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        build_index(make_areas([box(0, 0, 1, 1)]).to_crs(4326))
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    with pytest.raises(GeometryError, match="1 of 2 areas have invalid"):
        build_index(make_areas([box(0, 0, 1, 1), bow]))
    with pytest.raises(GeometryError, match="1 of 1 areas have invalid or missing"):
        build_index(make_areas([None]))
    with pytest.raises(GeometryError, match="1 of 2 areas have invalid"):
        build_index(make_areas([box(0, 0, 1, 1), Point(0, 0)]))
    for cell in (0, -1, 1e-12, np.nan, np.inf):
        with pytest.raises(InputError, match="give the side of a cell in metres, 1e-09 or more"):
            build_index(make_areas([box(0, 0, 1, 1)]), cell=cell)
    with pytest.raises(EmptyError, match="All 2 areas are empty"):
        build_index(make_areas([Polygon(), MultiPolygon()]))
    with pytest.raises(InputError, match="Give larger ones"):
        build_index(make_areas([box(0, 0, 1e5, 1e5)]), cell=1)


def test_unlike_numbers_of_coordinates_are_refused():
    with pytest.raises(InputError, match="one of each a point"):
        build_index(make_areas([box(0, 0, 1, 1)])).locate([1.0, 2.0], [1.0])


def test_an_index_of_other_areas_is_refused():
    index = build_index(make_areas([box(0, 0, 1, 1)]))
    events = pd.DataFrame({"easting": [0.5], "northing": [0.5]})
    with pytest.raises(InputError, match="other outlines of the same codes"):
        place_events(events, make_areas([box(0, 0, 1, 2)]), index=index)
    with pytest.raises(InputError, match="of 1 areas, is of other areas than these 1"):
        place_events(events, make_areas([box(0, 0, 1, 1)], ["E01999999"]), index=index)


def test_an_index_of_moved_borders_is_refused_though_the_extent_is_the_same(tmp_path):
    before = make_areas([box(0, 0, 2, 1), box(2, 0, 4, 1)])
    after = make_areas([box(0, 0, 3, 1), box(3, 0, 4, 1)])
    events = pd.DataFrame({"easting": [2.5], "northing": [0.5]})
    write_index(build_index(before), tmp_path / "areas.index")
    index = read_index(tmp_path / "areas.index")
    assert place_events(events, before, index=index).tolist() == ["E01000001"]
    with pytest.raises(InputError, match="other outlines of the same codes"):
        place_events(events, after, index=index)


def test_placing_by_an_index_is_placing_by_the_areas():
    areas = make_areas(PLACES["parts and islands"])
    index = build_index(areas)
    x, y = hard_points(areas, index)
    events = pd.DataFrame({"easting": x, "northing": y}).sample(frac=1, random_state=1)
    expected = assign_area(events, areas)
    pd.testing.assert_series_equal(assign_area(events, index), expected)
    placed = place_events(events, areas, index=index, outside="nearest", limit=2)
    again = place_events(events, areas, outside="nearest", limit=2)
    pd.testing.assert_series_equal(placed, again)
    assert placed.attrs["report"] == again.attrs["report"]
    assert placed.attrs["report"].by_nearest > 0


def test_many_places_are_placed_as_few_are():
    areas = make_areas(PLACES["stars that overlap"])
    x, y = np.random.default_rng(4).uniform(-12, 14, (2, 120_000)) + HERE[:, None]
    events = pd.DataFrame({"easting": x, "northing": y})
    many = place_events(events, areas, outside="drop")
    few = pd.concat([assign_area(events[:60_000], areas), assign_area(events[60_000:], areas)])
    assert many.tolist() == few.tolist()


@pytest.mark.parametrize("indexed", [True, False])
def test_the_area_that_holds_a_point_goes_before_one_that_it_borders(indexed):
    """As `sjoin(predicate="within")` has it, also where areas overlap or do not meet exactly."""
    overlapping = make_areas([at(box(0, 0, 2, 2)), at(box(1, 0, 3, 2))])
    edge = overlapping.geometry.iloc[0].bounds[2]
    events = pd.DataFrame({"easting": [edge, edge], "northing": [N + 1.0, N + 2.0]})
    given = build_index(overlapping) if indexed else overlapping
    assert assign_area(events, given).tolist() == ["E01000001", "E01000000"]
    corner = Polygon([(0, 0), (3, 0), (3, 1), (1.5, 1 + 1e-9), (0, 1)])
    uneven = make_areas([box(0, 1, 1.5, 2), box(1.5, 1, 3, 2), corner], ["A", "B", "C"])
    point = pd.DataFrame({"easting": [1.5], "northing": [1.0]})
    given = build_index(uneven) if indexed else uneven
    assert assign_area(point, given).tolist() == ["C"]


@pytest.mark.parametrize("indexed", [True, False])
def test_overlaps_are_told(caplog, indexed):
    areas = make_areas([at(box(0, 0, 2, 2)), at(box(1, 0, 3, 2))])
    events = pd.DataFrame({"easting": E + np.array([0.5, 1.5, 1.5, 2.5, 1.0]), "northing": N + 1.0})
    index = build_index(areas) if indexed else None
    with caplog.at_level(logging.WARNING):
        placed = place_events(events, areas, index=index)
    assert placed.attrs["report"].in_several == 2
    assert "2 of 5 events lie inside more than one area: areas overlap" in caplog.text
    assert placed.tolist() == ["E01000000"] * 3 + ["E01000001", "E01000000"]


def test_rings_are_those_that_shapely_gives():
    closing = Polygon([(0, 0), (0, 1), (1, 1), (0, 0), (0, 0)])
    corner = MultiPolygon([Polygon([(5, 5), (6, 5), (6, 6)]), Polygon([(5, 5), (4, 5), (4, 4)])])
    eight = Polygon([(0, 0), (1, 1), (1, -1), (0, 0), (-1, 1), (-1, -1)])
    odd = [closing, corner, Polygon([(0, 0), (0, 0), (0, 1), (1, 1)]), eight]
    for shapes in [*PLACES.values(), odd, [*odd, *PLACES["hole filled and hole empty"], *odd]]:
        found = rings_of(np.array(shapes))
        parts, of_part = shapely.get_parts(shapes, return_index=True)
        rings, of_ring = shapely.get_rings(parts, return_index=True)
        np.testing.assert_array_equal(found.xy, shapely.get_coordinates(rings))
        np.testing.assert_array_equal(np.diff(found.first), shapely.get_num_coordinates(rings))
        np.testing.assert_array_equal(found.owner, of_part[of_ring])


def test_repeated_vertices_do_no_harm():
    twice = Polygon([(0, 0), (0, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 0), (0, 0)])
    areas = make_areas([at(twice), at(box(1, 0, 2, 1)), at(MultiPolygon([twice, box(5, 0, 6, 1)]))])
    check_against_shapely(areas.iloc[:2])
    check_against_shapely(areas.iloc[1:])


def test_heights_of_vertices_are_left_aside():
    flat, tall = box(0, 0, 1, 1), shapely.force_3d(box(1, 0, 2, 1), 7.0)
    assert build_index(make_areas([flat, tall])).locate([0.5, 1.5], [0.5, 0.5])[0].tolist() == [
        0,
        1,
    ]


def test_an_index_of_areas_with_one_vertex_moved_is_refused():
    before = make_areas([Polygon([(0, 0), (4, 0), (4, 4), (2, 2), (0, 4)]), box(5, 0, 6, 1)])
    after = make_areas([Polygon([(0, 0), (4, 0), (4, 4), (2, 3), (0, 4)]), box(5, 0, 6, 1)])
    assert (before.total_bounds == after.total_bounds).all()
    events = pd.DataFrame({"easting": [2.0], "northing": [1.0]})
    assert place_events(events, before, index=build_index(before)).tolist() == [before.index[0]]
    with pytest.raises(InputError, match="other outlines of the same codes"):
        place_events(events, after, index=build_index(before))
