"""Drawn places: weights, sums of released counts, and the error that they bring."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point, Polygon, box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.shaping.profiles import (
    BestFit,
    CountRules,
    check_size,
    fit_drawn,
    weighted_counts,
)

COUNCILLOR = CountRules(threshold=5, rounding=5, zeros_shown=True, change=2)
PUBLIC = CountRules(threshold=10, rounding=5, zeros_shown=False, change=2)


@pytest.fixture
def areas():
    shapes = [box(x * 100, y * 100, x * 100 + 100, y * 100 + 100) for y in (0, 1) for x in (0, 1)]
    index = pd.Index(["d", "c", "b", "a"], name="area_code")
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs=27700)


def test_ground_weighs_where_nothing_else_is_known(areas):
    fit = fit_drawn(box(0, 0, 150, 150), areas)
    assert fit.weights.to_dict() == {"d": 1.0, "c": 0.5, "b": 0.5, "a": 0.25}
    assert fit.divided == 3
    assert "3 lie inside in part and were weighted by ground" in fit.sentence


def test_residents_weigh_where_output_areas_are_given(areas):
    parts = gpd.GeoDataFrame(
        {"residents": [300, 100, 50], "area_code": ["c", "c", "d"]},
        geometry=[Point(110, 10), Point(190, 10), Point(50, 50)],
        crs=27700,
    )
    fit = fit_drawn(box(0, 0, 150, 100), areas, parts=parts)
    assert fit.weights.to_dict() == {"d": 1.0, "c": 0.75}
    assert fit.weighted_by == "residents of 3 output areas"


def test_slivers_are_none_and_nearly_all_is_all(areas):
    fit = fit_drawn(box(0, 0, 100.5, 99.5), areas)
    assert fit.weights.to_dict() == {"d": 1.0}
    assert fit.sentence == "Put together from 1 small area, each whole."


def test_a_polygon_outside_is_refused(areas):
    with pytest.raises(UnmatchedError, match="50% of the polygon lies outside"):
        fit_drawn(box(100, 0, 300, 100), areas)


def test_a_polygon_that_crosses_itself_is_refused_and_said_where(areas):
    bow = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    with pytest.raises(GeometryError, match="Self-intersection at 50 50"):
        fit_drawn(bow, areas)


@pytest.mark.parametrize(
    ("drawn", "message"),
    [(Point(1, 1), "not as a Point"), (Polygon(), "empty"), ("x", "not as a str")],
)
def test_what_is_no_polygon_is_refused(areas, drawn, message):
    with pytest.raises(GeometryError, match=message):
        fit_drawn(drawn, areas)


def test_degrees_are_refused(areas):
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        fit_drawn(box(0, 0, 1, 1), areas.to_crs(4326))


def test_parts_need_their_area(areas):
    parts = gpd.GeoDataFrame({"residents": [1]}, geometry=[Point(0, 0)], crs=27700)
    with pytest.raises(ColumnError, match="area_code"):
        fit_drawn(box(0, 0, 150, 100), areas, parts=parts)


def test_a_place_of_few_people_is_refused_and_its_areas_named():
    fit = BestFit(pd.Series({"E01000001": 0.4, "E01000002": 0.1}), "ground")
    with pytest.raises(InputError, match=r"About 750 people.*E01000001, E01000002"):
        check_size(fit, pd.Series({"E01000001": 1500, "E01000002": 1500}))
    with pytest.raises(InputError, match="Nobody lives"):
        check_size(fit, pd.Series({"E01000001": 0, "E01000002": 0}))
    with pytest.raises(InputError, match="less than one small area"):
        check_size(fit, None)
    check_size(BestFit(pd.Series({"a": 1.0}), "ground"), pd.Series({"a": 1000}))


def test_whole_areas_add_up():
    counts = pd.DataFrame({"x": [10, 25, 5]}, index=list("abc"))
    found = weighted_counts(counts, pd.Series({"c": 1.0, "a": 1.0}), rules=COUNCILLOR)
    assert found.loc["x", "count"] == 15
    assert found.loc["x", "standard_error"] == pytest.approx(2.0)


def test_answers_obey_the_rules_of_the_release():
    counts = pd.DataFrame({"few": [5, 5], "none": [0, 0], "many": [100, 55]}, index=list("ab"))
    weights = pd.Series({"a": 0.3, "b": 0.1})
    found = weighted_counts(counts, weights, rules=COUNCILLOR)["count"]
    assert np.isnan(found["few"])
    assert found["none"] == 0
    assert found["many"] == 35
    assert weighted_counts(counts, weights, rules=PUBLIC)["count"].isna().tolist() == [
        True,
        True,
        False,
    ]


def test_much_hidden_is_no_answer():
    counts = pd.DataFrame({"x": [100.0, np.nan]}, index=list("ab"))
    found = weighted_counts(counts, pd.Series({"a": 1.0, "b": 1.0}), rules=COUNCILLOR)
    assert np.isnan(found.loc["x", "count"])
    assert found.loc["x", "hidden"] == 0.5
    little = weighted_counts(counts, pd.Series({"a": 1.0, "b": 0.05}), rules=COUNCILLOR)
    assert little.loc["x", "count"] == 100


def test_areas_without_counts_are_refused():
    counts = pd.DataFrame({"x": [1]}, index=["a"])
    with pytest.raises(UnmatchedError, match="1 of 2 areas of the place"):
        weighted_counts(counts, pd.Series({"a": 1.0, "z": 1.0}), rules=COUNCILLOR)
    with pytest.raises(ColumnError, match="at most 1"):
        weighted_counts(counts, pd.Series({"a": 1.5}), rules=COUNCILLOR)


def test_the_standard_error_is_that_of_simulated_releases():
    rng = np.random.default_rng(8)
    true = np.array([40, 17, 3, 2, 90])
    weights = pd.Series([1.0, 0.5, 1.0, 1.0, 0.2], index=list("abcde"))
    shown = np.where(true < 5, np.nan, true.astype(float))
    said = weighted_counts(
        pd.DataFrame({"x": 5 * np.floor(shown / 5 + 0.5)}, index=list("abcde")),
        weights,
        rules=COUNCILLOR,
    ).loc["x", "standard_error"]
    drawn = np.where(np.isnan(shown), rng.integers(1, 5, (20_000, 5)), np.nan_to_num(shown))
    drawn = drawn + np.where(np.isnan(shown), 0, rng.integers(-2, 3, (20_000, 5)))
    inside = rng.binomial(drawn.astype(int), weights)
    assert inside.sum(axis=1).std() == pytest.approx(said, rel=0.03)


def test_pieces_of_a_place_weigh_what_the_place_does(areas):
    whole = fit_drawn(box(0, 0, 150, 150), areas).weights
    left = fit_drawn(box(0, 0, 70, 150), areas).weights
    right = fit_drawn(box(70, 0, 150, 150), areas).weights
    together = left.add(right, fill_value=0)
    pd.testing.assert_series_equal(together.reindex(whole.index), whole, check_names=False)


def test_a_polygon_of_several_parts_is_one_place(areas):
    both = shapely.union_all([box(0, 0, 50, 100), box(150, 0, 200, 100)])
    assert fit_drawn(both, areas).weights.to_dict() == {"d": 0.5, "c": 0.5}
