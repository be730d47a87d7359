"""Where published codes agree with coordinates."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import ColumnError
from placeshaping.joins.agreement import compare_published
from placeshaping.joins.index import build_index
from placeshaping.joins.points import place_events


def make_areas():
    codes = pd.Index(["E01000002", "E01000001", "E01000003"], name="area_code")
    shapes = [box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)]
    return gpd.GeoDataFrame(geometry=shapes, index=codes, crs=27700)


def make_events():
    return pd.DataFrame(
        {
            "easting": [5.0, 5.0, 15.0, None, 99.0, 15.0],
            "northing": [5.0] * 6,
            "area_code": [
                "E01000002", "E01000001", "E01000001", "E01000001", "E01000001", "E01999999",
            ],
        }
    )  # fmt: skip


def test_agreement_is_counted_by_area_in_the_order_of_the_areas():
    table = compare_published(make_events(), make_areas())
    assert table.index.tolist() == ["E01000002", "E01000001", "E01000003"]
    assert table["by_coordinate"].tolist() == [2, 1, 0]
    assert table["by_code"].tolist() == [1, 2, 0]
    assert table["agree"].tolist() == [1, 1, 0]
    assert table["share"].tolist()[:2] == [0.5, 1.0]
    assert table["share"].isna().tolist() == [False, False, True]
    assert table.attrs["share"] == pytest.approx(2 / 3)


def test_the_share_is_that_of_the_placement_report():
    events, areas = make_events(), make_areas()
    report = place_events(events, areas, outside="drop").attrs["report"]
    index = build_index(areas)
    assert compare_published(events, areas, index=index).attrs["share"] == report.published_agree


def test_nothing_to_compare_is_missing_not_zero():
    table = compare_published(make_events().iloc[[3, 4]], make_areas())
    assert table["share"].isna().all()
    assert table.attrs["share"] is None


def test_records_without_codes_are_refused():
    with pytest.raises(ColumnError, match="no column 'area_code'"):
        compare_published(make_events().drop(columns="area_code"), make_areas())
