"""Where records are, and which area holds them: the odd tables that users have."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from placeshaping._core.errors import ColumnError, CRSError, InputError
from placeshaping.joins._geometry import codes_at, coordinates, find


def make_areas(codes):
    index = pd.Index(codes, name="area_code")
    return gpd.GeoDataFrame(
        geometry=[box(i, 0, i + 1, 1) for i in range(len(codes))], index=index, crs=27700
    )


def test_empty_points_are_not_located():
    events = gpd.GeoDataFrame(geometry=[None, Point(1, 2), Point()], crs=27700)
    x, y = coordinates(events)
    np.testing.assert_array_equal(x, [np.nan, 1, np.nan])
    np.testing.assert_array_equal(y, [np.nan, 2, np.nan])


def test_points_and_areas_without_a_reference_system_are_refused():
    with pytest.raises(CRSError, match="events: no reference system is stated"):
        coordinates(gpd.GeoDataFrame(geometry=[Point(1, 2)]))


def test_coordinates_that_are_no_numbers_are_refused():
    events = pd.DataFrame({"easting": ["450000", "n/a"], "northing": [1.0, 2.0]})
    with pytest.raises(ColumnError, match="'easting' of 2 events holds something that is no num"):
        coordinates(events)


@pytest.mark.parametrize("limit", [0, -5.0, np.nan])
def test_a_limit_that_is_no_distance_is_refused(limit):
    with pytest.raises(InputError, match="give the greatest distance in metres"):
        find(np.array([0.5]), np.array([0.5]), make_areas(["A"]), limit=limit)


@pytest.mark.parametrize("codes", [["A", "B"], [1, 2]])
def test_codes_stay_what_they_are_beside_missing_ones(codes):
    placed = codes_at(np.array([1, -1, 0]), pd.Index(codes), pd.RangeIndex(3))
    assert placed[[0, 2]].tolist() == codes[::-1]
    assert placed.isna().tolist() == [False, True, False]
    assert not pd.api.types.is_float_dtype(placed)
