"""Kernel density against whole distance matrices, scikit-learn; edges, weights, grids."""

import geopandas as gpd
import numba
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial.distance import cdist
from sklearn.neighbors import KernelDensity

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.disclosure.surfaces import mask_surface
from placeshaping.hotspots.density import choose_cell, describe_density, kernel_density
from placeshaping.hotspots.surface import cells_over, study_area

HOLED = shapely.Polygon(
    [(400_000, 300_000), (406_000, 300_500), (405_000, 306_000), (399_500, 304_500)],
    [[(402_000, 302_000), (403_500, 302_200), (402_800, 303_500)]],
)


def make_events(number=200, seed=0):
    rng = np.random.default_rng(seed)
    xy = np.concatenate(
        [
            rng.normal([403_000, 303_900], 400, (number // 2, 2)),
            rng.uniform([399_500, 300_000], [406_000, 306_000], (number - number // 2, 2)),
        ]
    )
    return pd.DataFrame(xy, columns=["easting", "northing"])


def inside(events, shape=HOLED):
    kept = shapely.intersects_xy(shape, events["easting"], events["northing"])
    return events[kept].reset_index(drop=True)


def centres(surface):
    east, north = np.meshgrid(surface.cells.eastings, surface.cells.northings)
    return np.column_stack([east.ravel(), north.ravel()])


def by_matrix(events, surface, weights=None):
    """Every event in every cell, per square kilometre."""
    square = cdist(centres(surface), events[["easting", "northing"]], "sqeuclidean")
    share = square / surface.bandwidth**2
    if surface.kernel == "quartic":
        terms = 3 / np.pi * np.maximum(1 - share, 0) ** 2
    else:
        terms = np.exp(-share / 2) / (2 * np.pi)
    total = terms @ (np.ones(len(events)) if weights is None else weights)
    return total.reshape(surface.values.shape) / (surface.bandwidth / 1000) ** 2


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
def test_the_exact_sum_is_that_of_the_whole_matrix(kernel):
    events = make_events()
    surface = kernel_density(events, bandwidth=450, cell=100, kernel=kernel, exact=True)
    np.testing.assert_allclose(surface.values, by_matrix(events, surface), rtol=1e-9, atol=1e-12)


def test_gaussian_density_is_that_of_scikit_learn():
    events = make_events()
    surface = kernel_density(events, bandwidth=600, cell=250, kernel="gaussian")
    xy, where = events.to_numpy(), centres(surface)
    theirs = np.exp(KernelDensity(bandwidth=600).fit(xy).score_samples(where)) * len(events) * 1e6
    np.testing.assert_allclose(surface.values.ravel(), theirs, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("edge", ["diggle", "uniform", None])
def test_the_binned_sum_keeps_its_stated_error(kernel, edge):
    events = inside(make_events())
    options = {"bandwidth": 500, "cell": 100, "kernel": kernel, "within": HOLED, "edge": edge}
    binned, exact = (kernel_density(events, **options, exact=how) for how in (False, True))
    square = cdist(centres(binned), events.to_numpy(), "sqeuclidean")
    reach = (500 + 150) ** 2 if kernel == "quartic" else np.inf
    peak = (3 / np.pi if kernel == "quartic" else 1 / (2 * np.pi)) / 0.25
    limit = (100 / 500) ** 2 / (1 if kernel == "quartic" else 4)
    allowed = limit * peak * (square < reach).sum(axis=1).reshape(binned.values.shape)
    if edge is None:
        known = np.isfinite(exact.values)
        assert (np.abs(binned.values - exact.values) <= allowed + 1e-9)[known].all()
    largest = np.nanmax(np.abs(binned.values - exact.values)) / np.nanmax(exact.values)
    assert largest < 0.02
    stated = "4.00%" if kernel == "quartic" else "1.00%"
    assert f"off by at most {stated} of its peak" in binned.method
    assert "summed exactly" in exact.method


@pytest.mark.parametrize("kernel", ["quartic", "gaussian"])
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("within", [HOLED, gpd.GeoDataFrame(geometry=[HOLED], crs=27700)])
def test_what_falls_outside_is_given_back_inside(kernel, exact, within):
    events = inside(make_events())
    options = {"bandwidth": 700, "cell": 100, "kernel": kernel, "within": within, "exact": exact}
    assert kernel_density(events, **options).total == pytest.approx(len(events), rel=1e-9)
    assert kernel_density(events, **options, edge=None).total < 0.98 * len(events)
    heavy = events.assign(loss=np.arange(len(events), dtype=float))
    surface = kernel_density(heavy, **options, weights="loss")
    assert surface.total == pytest.approx(heavy["loss"].sum(), rel=1e-9)


def test_without_a_study_area_nothing_is_lost():
    events = make_events()
    for kernel, exact in (("quartic", True), ("quartic", False), ("gaussian", False)):
        surface = kernel_density(events, bandwidth=500, cell=50, kernel=kernel, exact=exact)
        assert surface.total == pytest.approx(len(events), rel=2e-4)
        assert "no edge correction" in surface.method


def test_uniform_correction_leaves_an_even_density_even():
    x, y = np.meshgrid(np.arange(400_025, 404_000, 50), np.arange(300_025, 304_000, 50))
    events = pd.DataFrame({"easting": x.ravel() + 0.0, "northing": y.ravel()})
    square = shapely.box(400_000, 300_000, 404_000, 304_000)
    options = {"bandwidth": 600, "cell": 50, "within": square}
    even = kernel_density(events, **options, edge="uniform").values
    assert np.isfinite(even).sum() == 80 * 80
    np.testing.assert_allclose(even[np.isfinite(even)], 400.0, rtol=1e-9)
    lost = kernel_density(events, **options, edge=None).values
    assert np.nanmin(lost) == pytest.approx(100, rel=0.2)
    assert lost[40, 40] == pytest.approx(400, rel=1e-3)


def test_two_events_weigh_as_one_of_double_weight():
    events = make_events(60).assign(loss=1.0)
    double = events.copy()
    double.loc[7, "loss"] = 2.0
    twice = pd.concat([events, events.loc[[7]]])
    options = {"bandwidth": 500, "cell": 100, "weights": "loss"}
    one, other = kernel_density(double, **options), kernel_density(twice, **options)
    np.testing.assert_allclose(one.values, other.values, rtol=1e-9)


def test_north_is_at_the_top_and_corners_are_multiples_of_the_cell():
    events = make_events(30)
    events[["easting", "northing"]] = [401_234.0, 305_678.0]
    events.loc[0, ["easting", "northing"]] = [403_000.0, 302_000.0]
    surface = kernel_density(events, bandwidth=300, cell=50)
    row, column = np.unravel_index(np.argmax(surface.values), surface.values.shape)
    assert row < surface.values.shape[0] / 4
    assert column < surface.values.shape[1] / 4
    a, _, west, _, e, north = surface.transform
    assert (a, e) == (50, -50)
    assert west % 50 == north % 50 == 0
    assert west + 50 * column <= 401_234 <= west + 50 * (column + 1)
    assert north - 50 * (row + 1) <= 305_678 <= north - 50 * row
    assert surface.bounds[3] == north
    assert surface.crs == "EPSG:27700"
    assert repr(surface).startswith("<Surface: ")


def test_a_surface_lends_its_cells_to_the_next():
    events = inside(make_events())
    first = kernel_density(events, bandwidth=500, cell=100, within=HOLED)
    month = kernel_density(events[:40], bandwidth=800, within=first)
    assert month.cells == first.cells
    assert (np.isnan(month.values) == np.isnan(first.values)).all()
    assert month.total == pytest.approx(40)
    with pytest.raises(InputError, match=r"cell is 50 m, but the surface given has cells of 100 m"):
        kernel_density(events, bandwidth=500, cell=50, within=first)
    with pytest.raises(UnmatchedError, match="events lie outside the study area"):
        kernel_density(make_events(), bandwidth=500, within=first)


def test_events_outside_are_refused_or_told():
    events = make_events()
    lost = len(events) - len(inside(events))
    with pytest.raises(UnmatchedError, match=rf"{lost} of 200 events lie outside the study area"):
        kernel_density(events, bandwidth=500, within=HOLED)
    surface = kernel_density(events, bandwidth=500, within=HOLED, outside="drop")
    assert surface.total == pytest.approx(200 - lost)
    assert surface.cautions[0].startswith(f"{lost} of 200 events lie outside the study area")


def test_a_density_can_be_released_in_classes():
    events = make_events(400, seed=3)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(events["easting"], events["northing"]), crs=27700
    )
    surface = kernel_density(points, bandwidth=600, cell=100)
    raster = mask_surface(
        surface.values, surface.transform, points, bandwidth=surface.bandwidth,
        kernel=surface.kernel, policy="public",
    )  # fmt: skip
    assert raster.classes.shape == surface.values.shape
    assert raster.classes.max() > 1


def test_answers_do_not_depend_on_the_number_of_threads_or_the_order_of_rows():
    events = make_events()
    surface = kernel_density(events, bandwidth=500, cell=100)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = kernel_density(events, bandwidth=500, cell=100)
    finally:
        numba.set_num_threads(threads)
    assert (alone.values == surface.values).all()
    mixed = kernel_density(events.sample(frac=1, random_state=1), bandwidth=500, cell=100)
    np.testing.assert_allclose(mixed.values, surface.values, rtol=1e-12, atol=1e-15)


def test_input_stays_as_it_is():
    events = inside(make_events()).assign(loss=2.0)
    before = events.copy()
    kernel_density(events, bandwidth=500, within=HOLED, weights="loss", exact=False)
    pd.testing.assert_frame_equal(events, before)


def test_cells_are_a_fifth_of_the_bandwidth_or_less():
    assert [choose_cell(h) for h in (20, 50, 300, 640, 1000, 1e6)] == [10, 10, 50, 125, 125, 2000]
    assert kernel_density(make_events(), bandwidth=640).cell == 125


def test_a_rule_gives_the_bandwidth_and_is_named():
    surface = kernel_density(make_events(), bandwidth="normal")
    assert "by the rule 'normal'" in surface.method
    assert surface.cell == choose_cell(surface.bandwidth)


def test_cautions_tell_what_a_reader_must_know(caplog):
    snapped = (make_events(40) // 1000) * 1000
    surface = kernel_density(snapped, bandwidth=200, cell=100)
    few, coarse, shared = surface.cautions
    assert few.startswith("Only 40 events")
    assert "is under 3 cells of 100 m" in coarse
    assert "of 40 events share their coordinates" in shared
    assert "moved to published points" in caplog.text
    assert kernel_density(make_events(), bandwidth=500).cautions == ()


def test_a_paragraph_says_how_concentrated_events_are():
    surface = kernel_density(inside(make_events()), bandwidth=500, cell=100, within=HOLED)
    told = describe_density(surface, what="burglaries")
    values = np.sort(surface.values[np.isfinite(surface.values)])
    share = (values[::-1].cumsum() < values.sum() / 2).mean()
    assert f"burglaries lie in {share:.0%} of the area" in told
    assert f"densest cell has {values.max():,.1f} per square" in told


def test_many_events_are_binned():
    events = pd.concat([make_events(3000)] * 3)
    assert "summed exactly" in kernel_density(events, bandwidth=900, cell=50).method
    fine = kernel_density(events, bandwidth=900, cell=10)
    assert "binned" in fine.method
    assert fine.values.min() == 0


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"easting": -1.1, "northing": 52.6}, CRSError, "those are degrees"),
        ({"easting": 4e5, "northing": 3e5}, InputError, "All 200 events stand at one place"),
        ({"northing": np.nan}, InputError, "200 of 200 rows of events have no coordinates"),
        ({"northing": np.arange(200) * 1e6}, InputError, "cells of 20 m are too many"),
    ],
)
def test_bad_events_are_refused(change, error, match):
    with pytest.raises(error, match=match):
        kernel_density(make_events().assign(**change), bandwidth=100)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"bandwidth": 80, "cell": 100}, InputError, r"80 m\) is below the cell \(100 m\)"),
        ({"bandwidth": 0}, InputError, "give metres above zero, or a rule"),
        ({"bandwidth": "best"}, InputError, "bandwidth is 'best'"),
        ({"bandwidth": 500, "cell": -1}, InputError, "cell is -1"),
        ({"kernel": "cone"}, InputError, "kernel is 'cone'"),
        ({"edge": "both"}, InputError, "edge is 'both'"),
        ({"outside": "keep"}, InputError, "outside is 'keep'"),
        ({"weights": "loss"}, ColumnError, "events has no column 'loss'"),
        ({"within": shapely.Point(0, 0)}, EmptyError, "within holds no area"),
    ],
)
def test_bad_options_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        kernel_density(make_events(), **{"bandwidth": 500, **options})


def test_too_few_events_are_refused():
    with pytest.raises(EmptyError, match="There are 9 events: a density needs at least 10"):
        kernel_density(make_events(9), bandwidth=500)
    far = shapely.box(0, 0, 1000, 1000)
    with pytest.raises(EmptyError, match="There are 0 events"):
        kernel_density(make_events(), bandwidth=500, within=far, outside="drop")


def test_another_reference_system_is_refused():
    events = make_events()
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(events["easting"], events["northing"]), crs=32630
    )
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        kernel_density(points, bandwidth=500)
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        study_area(gpd.GeoDataFrame(geometry=[HOLED], crs=32630))


def test_cells_cover_an_extent_and_its_margin():
    cells = cells_over((430, 250, 560, 390), 100, margin=100)
    assert cells.shape == (4, 4)
    assert cells.transform == (100, 0, 300, 0, -100, 500)
    assert cells.eastings.tolist() == [350, 450, 550, 650]
    assert cells.northings.tolist() == [450, 350, 250, 150]
