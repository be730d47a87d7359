"""Surfaces that may leave: classes, where enough cases stand behind them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from placeshaping._core.errors import DisclosureError, EmptyError, InputError
from placeshaping.disclosure._support import kernel_support
from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.surfaces import (
    DENSITY_EDGES,
    Raster,
    mask_surface,
    surface_from_counts,
)
from placeshaping.hotspots.relative_density import relative_density

PLACE = (100.0, 0.0, 400_000.0, 0.0, -100.0, 306_000.0)
SHAPE = (60, 70)
CELLS = np.stack(
    np.meshgrid(400_050 + 100.0 * np.arange(70), 305_950 - 100.0 * np.arange(60)), axis=-1
)


def points(xy: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=shapely.points(xy), crs=27700)


def spots(seed: int = 2, number: int = 150) -> np.ndarray:
    """One thick cluster, one thin one, some alone."""
    rng = np.random.default_rng(seed)
    thick = rng.normal([403_000, 303_000], 300, (number, 2))
    thin = rng.normal([405_500, 301_500], 200, (6, 2))
    alone = rng.uniform([400_200, 300_200], [406_800, 305_800], (12, 2))
    return np.concatenate([thick, thin, alone])


def weights(xy: np.ndarray, bandwidth: float) -> np.ndarray:
    square = ((CELLS[:, :, None] - np.rint(xy)) ** 2).sum(axis=-1) / bandwidth**2
    return np.where(square < 1, (1 - square) ** 2, 0)


def density(xy: np.ndarray, bandwidth: float) -> np.ndarray:
    return weights(xy, bandwidth).sum(axis=-1) * 3 / (np.pi * (bandwidth / 1000) ** 2)


def test_support_is_what_the_kernel_weights_add_up_to() -> None:
    xy = spots()
    known = weights(xy, 500)
    total, squared, largest = kernel_support(points(xy), PLACE, SHAPE, bandwidth=500)
    np.testing.assert_allclose(total, known.sum(axis=-1), atol=1e-12)
    np.testing.assert_allclose(squared, (known**2).sum(axis=-1), atol=1e-12)
    np.testing.assert_allclose(largest, known.max(axis=-1), atol=1e-12)


def test_gaussian_support_reaches_as_far_as_the_density() -> None:
    xy = np.array([[403_050.0, 303_050.0]])
    total, _, _ = kernel_support(points(xy), PLACE, SHAPE, bandwidth=300, kernel="gaussian")
    apart = np.hypot(*(CELLS - xy[0]).transpose(2, 0, 1))
    np.testing.assert_allclose(total[apart <= 1800], np.exp(-(apart[apart <= 1800] ** 2) / 180_000))
    assert (total[apart > 1800] == 0).all()


def test_weights_of_events_count_in_the_support() -> None:
    xy, heavy = spots(), np.arange(len(spots())) % 7 + 1.0
    known = weights(xy, 500) * heavy
    events = points(xy).assign(loss=heavy)
    total, squared, largest = kernel_support(events, PLACE, SHAPE, bandwidth=500, weights="loss")
    np.testing.assert_allclose(total, known.sum(axis=-1), atol=1e-12)
    np.testing.assert_allclose(squared, (known**2).sum(axis=-1), atol=1e-12)
    np.testing.assert_allclose(largest, known.max(axis=-1), atol=1e-12)


def test_one_heavy_event_hides_what_its_neighbours_alone_would_show() -> None:
    xy = spots()
    events = points(xy).assign(loss=1.0)
    events.loc[events.index[0], "loss"] = 1_000.0
    heavy = weights(xy, 500) * events["loss"].to_numpy()
    values = heavy.sum(axis=-1) * 3 / (np.pi * 0.5**2)
    plain = mask_surface(density(xy, 500), PLACE, points(xy), bandwidth=500, policy="public")
    raster = mask_surface(values, PLACE, events, bandwidth=500, policy="public", weights="loss")
    dominated = heavy[..., 0] > 0.5 * heavy.sum(axis=-1)
    assert (raster.classes[dominated] == 0).all()
    assert (plain.classes[dominated] > 0).any()


def test_a_relative_density_has_no_form_that_may_leave() -> None:
    xy = spots()
    ratio = relative_density(points(xy), points(spots(3)), bandwidth=500, tolerance="asymptotic")
    with pytest.raises(DisclosureError, match="Release the density of the cases by mask_surface"):
        mask_surface(ratio, PLACE, points(xy), bandwidth=500, policy="public")


def test_nothing_is_shown_where_few_cases_carry_the_density() -> None:
    xy = spots()
    known = weights(xy, 500)
    effective = known.sum(axis=-1) ** 2 / np.maximum((known**2).sum(axis=-1), 1e-300)
    raster = mask_surface(density(xy, 500), PLACE, points(xy), bandwidth=500, policy="public")
    shown = raster.classes > 0
    assert shown.any()
    assert (effective[shown] >= 10).all()
    assert (effective[~shown] < 10).all()
    assert raster.least == 10
    assert raster.facts == {"cells": 4200, "shown": int(shown.sum())}


def test_classes_are_those_of_the_density() -> None:
    xy = spots()
    values = density(xy, 500)
    raster = mask_surface(values, PLACE, points(xy), bandwidth=500, policy="councillor")
    shown = raster.classes > 0
    known = 1 + np.searchsorted(DENSITY_EDGES, values[shown], side="right")
    assert raster.classes[shown].tolist() == known.tolist()
    assert raster.labels == (
        "under 20 records per km² a year",
        "20 to under 100 records per km² a year",
        "100 to under 500 records per km² a year",
        "500 to under 2,000 records per km² a year",
        "2,000 records per km² a year and over",
    )


def test_repeats_at_one_address_are_one_case() -> None:
    one = np.tile([[403_050.0, 303_050.0]], (200, 1))
    with pytest.raises(DisclosureError, match="No cell rests on 10 effective cases within 500 m"):
        mask_surface(density(one, 500), PLACE, points(one), bandwidth=500, policy="public")
    # nor is anything shown where that address has more than half of the weight
    both = np.concatenate([one, spots()])
    raster = mask_surface(density(both, 500), PLACE, points(both), bandwidth=500, policy="public")
    total, _, largest = kernel_support(points(both), PLACE, SHAPE, bandwidth=500)
    shown = raster.classes > 0
    assert (largest[shown] <= total[shown] / 2).all()


def test_numbers_that_were_not_made_of_the_events_are_refused() -> None:
    xy = spots()
    with pytest.raises(InputError, match=r"do not look like a kernel density .* \(correlation -"):
        mask_surface(-density(xy, 500), PLACE, points(xy), bandwidth=500, policy="public")
    far = points(xy + 1e6)
    with pytest.raises(InputError, match="No event lies within a bandwidth of any cell"):
        mask_surface(density(xy, 500), PLACE, far, bandwidth=500, policy="public")


def test_cells_finer_than_the_policy_are_refused() -> None:
    xy = spots()
    with pytest.raises(DisclosureError, match=r"Cells of 100 m are finer than .*'police' allows"):
        mask_surface(density(xy, 500), PLACE, points(xy), bandwidth=500, policy="police")


def test_many_or_taken_edges_are_refused() -> None:
    xy = spots()
    given = (density(xy, 500), PLACE, points(xy))
    with pytest.raises(DisclosureError, match="9 edges make 10 classes"):
        mask_surface(*given, bandwidth=500, policy="public", classes=range(1, 10))
    with pytest.raises(DisclosureError, match="is no round number"):
        mask_surface(*given, bandwidth=500, policy="public", classes=[given[0].mean()])


@pytest.mark.parametrize(
    ("transform", "match"),
    [((100, 5, 0, 0, -100, 0), "square cells"), ((100, 0, 0, 0, 100, 0), "square cells")],
)
def test_cells_must_be_squares_with_north_up(transform: tuple[float, ...], match: str) -> None:
    with pytest.raises(InputError, match=match):
        mask_surface(np.ones(SHAPE), transform, points(spots()), bandwidth=500, policy="public")


def test_unprotected_policy_masks_nothing() -> None:
    xy = spots()
    raster = mask_surface(density(xy, 500), PLACE, points(xy), bandwidth=500, policy="internal")
    assert (raster.classes > 0).all()


def squares(counts: list[float | None]) -> gpd.GeoDataFrame:
    shapes = [shapely.box(1000 * i, 0, 1000 * (i + 1), 1000) for i in range(len(counts))]
    return gpd.GeoDataFrame({"count": counts}, geometry=shapes, crs=27700)


def test_protected_counts_are_spread_over_their_areas() -> None:
    raster = surface_from_counts(
        squares([10, 150, None, 4000]), policy="public", cell=500, bandwidth=0, years=2
    )
    assert raster.classes.tolist() == [[1, 1, 2, 2, 0, 0, 5, 5]] * 2
    assert raster.transform == (500, 0, 0, 0, -500, 1000)


def test_hidden_areas_stay_blank_and_lend_nothing_when_smoothed() -> None:
    hidden = squares([300, None, 300])
    raster = surface_from_counts(hidden, policy="public", cell=250, bandwidth=400)
    assert raster.classes[:, 4:8].tolist() == [[0] * 4] * 4
    assert set(np.unique(raster.classes)) == {0, 3}  # 300 throughout, not drawn to nought


def test_counts_that_are_not_protected_are_refused() -> None:
    with pytest.raises(DisclosureError, match="1 counts are under 10 and 1 are not rounded to 5"):
        surface_from_counts(squares([3, 12, 15]), policy="public", cell=500, bandwidth=0)
    with pytest.raises(EmptyError, match="Every area is hidden"):
        surface_from_counts(squares([None, None]), policy="public", cell=500, bandwidth=0)
    shown = surface_from_counts(squares([0, 15]), policy="councillor", cell=500, bandwidth=0)
    assert (shown.classes > 0).all()


def test_grid_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="cell is 0 m"):
        surface_from_counts(squares([15]), policy="public", cell=0, bandwidth=0)
    with pytest.raises(InputError, match="cells are too many"):
        surface_from_counts(squares([15]), policy="public", cell=0.1, bandwidth=0)


def test_raster_holds_nothing_but_few_classes_and_stays_as_it_is() -> None:
    grid = np.array([[0, 1], [2, 5]], dtype=np.uint8)
    raster = Raster("a", "kernel", grid, PLACE, DENSITY_EDGES)
    grid[0, 0] = 3
    assert raster.classes[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        raster.classes[0, 0] = 1
    with pytest.raises(DisclosureError, match="classes 0 to 5 as uint8"):
        Raster("a", "kernel", grid.astype(float), PLACE, DENSITY_EDGES)  # type: ignore[arg-type]
    with pytest.raises(DisclosureError, match="classes 0 to 2 as uint8"):
        Raster("a", "kernel", grid, PLACE, (10.0,))


def test_threshold_of_the_policy_is_that_of_the_mask() -> None:
    xy = spots()
    given = (density(xy, 500), PLACE, points(xy))
    shown = {
        name: mask_surface(*given, bandwidth=500, policy=name).facts["shown"]
        for name in ("public", "councillor", "internal")
    }
    assert POLICIES["public"].threshold > POLICIES["councillor"].threshold
    assert shown["public"] < shown["councillor"] < shown["internal"]
