"""Grids: squares that nest, hexagons that fit, the same code everywhere."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Polygon, box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    EmptyError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.areas.grids import SIZES, cell_codes, make_grid, parent_cells
from placeshaping.joins.cells import count_by_cell
from placeshaping.joins.points import count_by_area

EXTENT = (449_870.0, 299_930.0, 453_210.0, 303_333.0)


def make_areas(*shapes):
    codes = [f"E0100000{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(geometry=list(shapes), index=codes, crs=27700)


def scattered(count=3000):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(EXTENT[0], EXTENT[2], count), rng.uniform(EXTENT[1], EXTENT[3], count)
    x[::7], y[::5] = np.round(x[::7] / 125) * 125, np.round(y[::5] / 125) * 125
    return x, y


def test_squares_stand_on_the_national_grid():
    cells = make_grid(EXTENT, size=250)
    corner = shapely.bounds(cells.geometry.to_numpy())
    assert (corner % 250 == 0).all()
    assert (shapely.area(cells.geometry.to_numpy()) == 250**2).all()
    assert cells.index[0] == "S250E449750N299750"
    assert cells.index.is_unique
    assert cells.attrs == {"level": "grid_250", "vintage": None}
    assert cells.crs.to_epsg() == 27700


@pytest.mark.parametrize("size", SIZES[1:])
def test_each_square_has_four_of_the_next_smaller_size(size):
    small = make_grid((450_000, 300_000, 452_000, 302_000), size=size // 2)
    large = make_grid((450_000, 300_000, 452_000, 302_000), size=size)
    parents = parent_cells(small.index, size=size)
    assert parents.value_counts().to_dict() == dict.fromkeys(large.index, 4)
    assert parents.name == f"grid_{size}_code"
    joined = small.dissolve(parents).geometry.normalize()
    assert shapely.equals(joined.to_numpy(), large.geometry[joined.index].to_numpy()).all()


@pytest.mark.parametrize("shape", ["square", "hexagon"])
@pytest.mark.parametrize("size", [125, 1000])
def test_the_code_of_a_point_is_that_of_the_cell_that_holds_it(shape, size):
    x, y = scattered()
    cells = make_grid((449_000.0, 299_000.0, 454_000.0, 304_000.0), size=size, shape=shape)
    codes = cell_codes(x, y, size=size, shape=shape)
    shapes = cells.geometry[codes].to_numpy()
    assert (shapely.distance(shapes, shapely.points(x, y)) < 1e-6).all()
    if shape == "square":
        low = shapely.bounds(shapes)[:, :2]
        assert ((low <= np.column_stack([x, y])) & (np.column_stack([x, y]) < low + size)).all()


def test_hexagons_fit_without_gap_or_overlap():
    cells = make_grid(EXTENT, size=500, shape="hexagon")
    shapes = cells.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    assert np.allclose(shapely.area(shapes), 500**2)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(len(cells) * 500**2)
    assert shapely.covers(shapely.union_all(shapes), box(*EXTENT))
    assert cells.attrs["level"] == "hexagon_500"


@pytest.mark.parametrize("shape", ["square", "hexagon"])
def test_a_cell_has_the_same_code_and_place_in_every_grid(shape):
    whole = make_grid(EXTENT, size=250, shape=shape)
    part = make_grid((451_000, 301_000, 452_000, 302_000), size=250, shape=shape)
    assert part.index.isin(whole.index).all()
    assert shapely.equals_identical(
        part.geometry.to_numpy(), whole.geometry[part.index].to_numpy()
    ).all()


def test_cells_follow_the_outline_whole_or_clipped():
    areas = make_areas(
        Polygon([(450_000, 300_000), (452_000, 300_000), (450_000, 302_000)]),
        box(454_000, 300_000, 454_500, 300_500),
    )
    whole, cut = make_grid(areas, size=500), make_grid(areas, size=500, clip=True)
    assert whole.index.equals(cut.index)
    assert len(whole) == 4 + 3 + 2 + 1 + 1
    assert shapely.area(cut.geometry.to_numpy()).sum() == pytest.approx(areas.area.sum())
    assert (shapely.area(whole.geometry.to_numpy()) == 500**2).all()
    assert set(cut.geom_type) == {"Polygon"}


def test_clipping_leaves_no_lines():
    areas = make_areas(Polygon([(0, 0), (400, 0), (400, 500), (100, 500), (100, 550), (0, 550)]))
    cut = make_grid(areas, size=500, clip=True)
    assert set(cut.geom_type) <= {"Polygon", "MultiPolygon"}
    assert cut.area.sum() == pytest.approx(areas.area.sum())


def test_sizes_that_do_not_nest_are_refused():
    with pytest.raises(InputError, match="size is 300: give one of 125, 250, 500, 1000"):
        make_grid(EXTENT, size=300)
    with pytest.raises(InputError, match="give 'square' or 'hexagon'"):
        cell_codes([1.0], [1.0], size=250, shape="circle")
    with pytest.raises(InputError, match="2 of 3 codes are not of squares smaller than 500 m"):
        parent_cells(["S250E0N0", "S500E0N0", "H250E0N0"], size=500)
    with pytest.raises(InputError, match="would have"):
        make_grid((0, 0, 700_000, 1_300_000), size=125)


def test_what_cannot_be_covered_is_refused():
    with pytest.raises(EmptyError, match="is empty"):
        make_grid((1, 1, 1, 2), size=125)
    with pytest.raises(EmptyError, match="no areas to cover"):
        make_grid(make_areas(box(0, 0, 1, 1)).iloc[:0], size=125)
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        make_grid(make_areas(box(0, 0, 1, 1)).to_crs(4326), size=125)
    with pytest.raises(GeometryError, match="1 of 1 areas have invalid"):
        make_grid(make_areas(Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])), size=125)


def test_points_without_coordinates_have_no_cell():
    codes = cell_codes([np.nan, 10.0, -10.0], [1.0, 1.0, 1.0], size=125)
    assert pd.isna(codes[0])
    assert codes[1:].tolist() == ["S125E0N0", "S125E-125N0"]


def make_events():
    x, y = scattered()
    rng = np.random.default_rng(2)
    months = pd.date_range("2025-01-01", periods=3, freq="MS")
    return pd.DataFrame(
        {
            "easting": x,
            "northing": y,
            "period": months[rng.integers(0, 3, len(x))],
            "category": pd.Categorical(rng.choice(["Burglary", "Robbery"], len(x))),
        }
    )


def test_counts_of_cells_nest():
    events = make_events()
    small = count_by_cell(events, size=250)
    large = count_by_cell(events, size=1000)
    assert small["count"].sum() == large["count"].sum() == len(events)
    parents = parent_cells(small["area_code"].unique(), size=1000)
    keys = [small["area_code"].map(parents), small["period"], small["category"].astype("str")]
    summed = small["count"].groupby(keys).sum()
    direct = large.astype({"category": "str"}).set_index(["area_code", "period", "category"])
    assert summed.to_dict() == direct["count"].to_dict()
    assert large.attrs["level"] == "grid_1000"


def test_counting_by_cell_is_counting_by_area_without_the_geometry():
    events = make_events()
    free = (events["easting"] % 125 != 0) & (events["northing"] % 125 != 0)
    cells = make_grid(EXTENT, size=250)
    direct = count_by_cell(events[free], size=250, cells=cells)
    pd.testing.assert_frame_equal(direct, count_by_area(events[free], cells))


def test_events_without_a_cell_are_refused_or_left_out():
    events = pd.DataFrame({"easting": [10.0, np.nan, 9000.0], "northing": [10.0, 10.0, 10.0]})
    with pytest.raises(UnmatchedError, match="1 of 3 events have no coordinates"):
        count_by_cell(events, size=125, by=())
    counts = count_by_cell(events, size=125, by=(), outside="drop")
    assert counts["area_code"].tolist() == ["S125E0N0", "S125E9000N0"]
    cells = make_grid((0, 0, 250, 125), size=125)
    counts = count_by_cell(events, size=125, by=(), cells=cells, outside="drop")
    assert counts["count"].tolist() == [1, 0]
    with pytest.raises(EmptyError, match="No event has coordinates"):
        count_by_cell(events.iloc[[1]], size=125, by=(), outside="drop")


def test_a_point_one_step_from_a_border_is_in_the_cell_that_holds_it():
    lines = np.arange(-4_000, 6_000, 7) * 125.0
    x = np.concatenate([np.nextafter(lines, -np.inf), lines, np.nextafter(lines, np.inf)])
    for size in (125, 250, 500, 1000):
        codes = pd.Series(cell_codes(x, x[::-1].copy(), size=size))
        west = codes.str.extract(r"E(-?\d+)N", expand=False).astype(float).to_numpy()
        assert ((west <= x) & (x < west + size)).all()
        if size > 125:
            smaller = cell_codes(x, x[::-1].copy(), size=125)
            assert parent_cells(smaller, size=size).tolist() == codes.tolist()


def test_coordinates_that_are_no_place_are_refused():
    with pytest.raises(InputError, match="1 of 2 points are beyond 1e"):
        cell_codes([1e300, 1.0], [1.0, 1.0], size=250)
    with pytest.raises(InputError, match=r"easting has shape \(2,\), northing \(1,\)"):
        cell_codes([1.0, 2.0], [1.0], size=250)
    with pytest.raises(InputError, match="is no place"):
        make_grid((0, 0, np.inf, 1), size=125)
    with pytest.raises(InputError, match="size is '125'"):
        make_grid((0, 0, 1, 1), size="125")


def test_codes_that_are_no_squares_have_no_parent():
    with pytest.raises(InputError, match=r"4 of 5 codes .*S125E7N0, nan, S999E0N0, H125E0N0"):
        parent_cells(["S125E7N0", None, "S125E0N0", "S999E0N0", "H125E0N0"], size=500)


def test_events_that_cannot_be_counted_in_cells_are_refused():
    events = pd.DataFrame({"easting": [-1.1, np.nan], "northing": [52.6, 52.7]})
    with pytest.raises(CRSError, match=r"of 1 events, such as -1.100, 52.600, are degrees"):
        count_by_cell(events, size=250, by=(), outside="drop")
    cells = make_grid((450_000, 300_000, 451_000, 301_000), size=500)
    events = pd.DataFrame({"easting": [450_001.0], "northing": [300_001.0]})
    with pytest.raises(InputError, match=r"cells are of grid_500, the events .* by grid_250"):
        count_by_cell(events, size=250, cells=cells, by=())
    with pytest.raises(ColumnError, match="'easting' of 1 events holds something that is no num"):
        count_by_cell(events.assign(easting="x"), size=250, by=())
    with pytest.raises(InputError, match="outside is 'nearest'"):
        count_by_cell(events, size=250, by=(), outside="nearest")
