"""Records into areas: known places, borders, holes, codes, census years."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import MultiPolygon, Point, Polygon, box

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DuplicateError,
    EmptyError,
    GeometryError,
    InputError,
    UnmatchedError,
    VintageError,
)
from placeshaping.joins.points import assign_area, count_by_area, place_events

E, N = 450_000.0, 300_000.0


def make_areas(shapes, codes=None, **attrs):
    codes = codes or [f"E0100000{i}" for i in range(1, len(shapes) + 1)]
    index = pd.Index(codes, name="area_code", dtype="str")
    areas = gpd.GeoDataFrame(geometry=list(shapes), index=index, crs=27700)
    areas.attrs.update(attrs)
    return areas


def square(column, row=0, size=1000.0):
    return box(E + column * size, N + row * size, E + (column + 1) * size, N + (row + 1) * size)


def make_events(points, codes=None, **columns):
    x, y = np.array(points, dtype=float).reshape(-1, 2).T
    events = pd.DataFrame({"easting": E + x, "northing": N + y, **columns})
    if codes is not None:
        events["area_code"] = pd.Series(codes, dtype="str")
    return events


@pytest.fixture
def two():
    return make_areas([square(0), square(1)])


NOWHERE = (np.nan, np.nan)


def test_points_take_the_code_of_the_area_that_holds_them(two):
    events = make_events([(500, 500), (1500, 500), (2500, 500), NOWHERE])
    events.index = [7, 3, 9, 1]
    assigned = assign_area(events, two)
    assert assigned.index.tolist() == [7, 3, 9, 1]
    assert assigned.iloc[:2].tolist() == ["E01000001", "E01000002"]
    assert assigned.iloc[2:].isna().all()
    assert assigned.name == "area_code"


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_border_points_go_to_the_lowest_code_whatever_the_order(order):
    quarters = make_areas([square(0), square(1), square(0, 1), square(1, 1)]).iloc[order]
    events = make_events([(1000, 1000), (1000, 1500), (1500, 1000), (0, 0), (2000, 2000)])
    assigned = assign_area(events, quarters).tolist()
    assert assigned == ["E01000001", "E01000003", "E01000002", "E01000001", "E01000004"]


def test_a_hole_belongs_to_the_area_that_fills_it_and_its_border_to_the_lower_code():
    hole = square(1, 1)
    ring = Polygon(square(0, size=3000).exterior, [hole.exterior])
    areas = make_areas([hole, ring], ["E01000009", "E01000002"])
    events = make_events([(1500, 1500), (500, 500), (1000, 1500)])
    assert assign_area(events, areas).tolist() == ["E01000009", "E01000002", "E01000002"]
    empty_hole = assign_area(events, areas.iloc[1:])
    assert empty_hole.isna().tolist() == [True, False, False]


def test_an_area_in_several_parts_holds_points_of_each():
    areas = make_areas([MultiPolygon([square(0), square(5)]), square(2)])
    events = make_events([(500, 500), (5500, 500), (2500, 500)])
    assert assign_area(events, areas).tolist() == ["E01000001", "E01000001", "E01000002"]


def test_a_table_of_points_is_as_good_as_columns(two):
    points = gpd.GeoDataFrame(geometry=[Point(E + 1500, N + 1), None], crs=27700)
    assert assign_area(points, two).iloc[0] == "E01000002"
    assert assign_area(points, two).isna().tolist() == [False, True]
    with pytest.raises(CRSError, match=r"EPSG:4326; EPSG:27700 is needed"):
        assign_area(points.set_crs(4326, allow_override=True), two)
    with pytest.raises(GeometryError, match="other than points: Polygon"):
        assign_area(gpd.GeoDataFrame(geometry=[square(0)], crs=27700), two)


def test_input_is_unchanged(two):
    events = make_events([(500, 500)], ["E01000002"], count=[2])
    before = events.copy()
    place_events(events, two)
    count_by_area(events, two, by=())
    pd.testing.assert_frame_equal(events, before)


def test_areas_that_cannot_serve_are_refused(two):
    events = make_events([(500, 500)])
    with pytest.raises(CRSError, match=r"areas\.to_crs\(27700\)"):
        assign_area(events, two.to_crs(4326))
    with pytest.raises(CRSError, match="no reference system"):
        assign_area(events, two.set_crs(None, allow_override=True))
    with pytest.raises(DuplicateError, match="1 area codes stand more than once"):
        assign_area(events, pd.concat([two, two.iloc[:1]]))
    with pytest.raises(EmptyError, match="no areas"):
        assign_area(events, two.iloc[:0])
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(GeometryError, match=r"1 of 2 areas have invalid .*\(E01000002\)"):
        assign_area(events, make_areas([square(0), bow]))


def test_events_without_coordinates_are_named(two):
    with pytest.raises(ColumnError, match=r"no column 'easting'. Did you mean Easting"):
        assign_area(pd.DataFrame({"Easting": [1.0], "northing": [1.0]}), two)


def test_degrees_for_metres_are_refused(two):
    events = pd.DataFrame({"easting": [-1.13], "northing": [52.63]})
    with pytest.raises(CRSError, match=r"-1\.130, 52\.630 are degrees"):
        place_events(events, two, outside="drop")


def test_codes_place_what_coordinates_cannot(two):
    points = [(500, 500), NOWHERE, (9000, 0), (9000, 0), NOWHERE, NOWHERE]
    codes = ["E01000002", "E01000002", "E01000001", "E01999999", None, "E01999999"]
    placed = place_events(make_events(points, codes), two, outside="drop")
    assert placed.iloc[:3].tolist() == ["E01000001", "E01000002", "E01000001"]
    assert placed.iloc[3:].isna().all()
    report = placed.attrs["report"]
    assert (report.rows, report.by_coordinate, report.by_code) == (6, 1, 2)
    assert (report.outside, report.unplaced, report.placed) == (1, 2, 3)
    assert report.published_agree == 0.0


def test_events_with_codes_alone_need_no_coordinates(two):
    events = pd.DataFrame({"area_code": ["E01000002", "E01000001"]})
    assert place_events(events, two).tolist() == ["E01000002", "E01000001"]
    assert place_events(events, two).attrs["report"].published_agree is None


def test_losses_are_refused_unless_they_are_accepted(two):
    events = make_events([(500, 500), (9000, 0), NOWHERE])
    with pytest.raises(UnmatchedError, match=r"2 of 3 events .*: 1 lie outside .* 1 have neither"):
        place_events(events, two)
    with pytest.raises(UnmatchedError, match='outside="drop"'):
        count_by_area(events, two, by=())
    counts = count_by_area(events, two, by=(), outside="drop")
    assert counts["count"].tolist() == [1, 0]


def test_nearest_takes_points_within_the_limit_only(two):
    events = make_events([(2050, 500), (2150, 500), (-99, 500)])
    placed = place_events(events, two, outside="nearest", limit=100)
    assert placed.iloc[[0, 2]].tolist() == ["E01000002", "E01000001"]
    assert placed.attrs["report"].by_nearest == 2
    assert placed.attrs["report"].outside == 1


CHANGES = pd.DataFrame(
    {
        "lsoa11_code": ["E01000001", "E01000002", "E01000003", "E01000004", "E01000004"],
        "lsoa21_code": ["E01000001", "E01035001", "E01035001", "E01035002", "E01035003"],
        "change": ["U", "M", "M", "S", "S"],
    }
)


def new_areas():
    codes = ["E01000001", "E01035001", "E01035002", "E01035003"]
    return make_areas([square(i) for i in range(4)], codes, vintage="2021")


def test_codes_of_2011_become_those_of_2021_where_that_is_one_area():
    codes = ["E01000001"] * 50 + ["E01000002", "E01000003"] * 25 + ["E01000004"]
    events = make_events([NOWHERE] * 101, codes)
    placed = place_events(events, new_areas(), changes=CHANGES, outside="drop")
    assert placed.value_counts().to_dict() == {"E01000001": 50, "E01035001": 50}
    assert placed.attrs["report"].other_vintage == 1


def test_codes_of_2021_go_back_to_2011_where_areas_were_split():
    areas = make_areas([square(0), square(1)], ["E01000001", "E01000004"], vintage="2011")
    events = pd.DataFrame({"area_code": ["E01035002", "E01035003", "E01000001"]})
    placed = place_events(events, areas, changes=CHANGES)
    assert placed.tolist() == ["E01000004", "E01000004", "E01000001"]


def test_codes_of_2011_alone_against_2021_areas_are_refused_with_the_remedy():
    codes = ["E01000001"] * 10 + ["E01000002"] * 3
    events = make_events([NOWHERE] * 13, codes)
    message = r"3 of 13 events .* of 2011 while the areas are of 2021.*read_changes.*boundaries of"
    with pytest.raises(VintageError, match=message):
        place_events(events, new_areas(), outside="drop")


def test_codes_of_2021_alone_against_2011_areas_are_refused():
    areas = make_areas([square(0)], vintage="2011")
    events = pd.DataFrame({"area_code": ["E01000001", "E01035001"]})
    with pytest.raises(VintageError, match="are of 2021 while the areas are of 2011"):
        place_events(events, areas, outside="drop")


def test_the_census_year_of_codes_does_not_matter_where_coordinates_serve():
    events = make_events([(500, 500), (1500, 500)], ["E01000001", "E01000002"])
    placed = place_events(events, new_areas())
    assert placed.tolist() == ["E01000001", "E01035001"]
    assert placed.attrs["report"].published_agree == 1.0


def test_codes_from_elsewhere_are_no_vintage_error():
    codes = ["E01000001"] * 5 + ["E01035001"] * 5 + ["E01011111"] * 5
    events = make_events([NOWHERE] * 15, codes)
    report = place_events(events, new_areas(), outside="drop").attrs["report"]
    assert (report.unplaced, report.other_vintage) == (5, 0)


def test_codes_of_another_level_are_refused(two):
    events = pd.DataFrame({"area_code": ["E02000001", "E02000002"]})
    with pytest.raises(UnmatchedError, match="of level 'msoa', the areas of level 'lsoa'"):
        place_events(events, two, outside="drop")


def test_no_events_have_no_areas(two):
    placed = place_events(make_events([]), two)
    assert placed.empty
    assert placed.attrs["report"].rows == 0


MONTHS = pd.to_datetime(["2025-01-01", "2025-03-01"])


def dated():
    return make_events(
        [(500, 500), (500, 500), (1500, 500), (1500, 500)],
        period=MONTHS[[1, 0, 0, 0]],
        category=pd.Categorical(["b", "a", "a", "b"], categories=["unused", "b", "a"]),
    )


def test_counts_are_a_complete_product_in_order(two):
    counts = count_by_area(dated(), two)
    assert counts.columns.tolist() == ["area_code", "period", "category", "count"]
    assert counts["area_code"].tolist() == ["E01000001", "E01000002"] * 4
    assert counts["category"].tolist() == ["b", "b", "a", "a"] * 2
    assert counts["period"].tolist() == [MONTHS[0]] * 4 + [MONTHS[1]] * 4
    assert counts["count"].tolist() == [0, 1, 1, 1, 1, 0, 0, 0]
    assert counts["count"].dtype == "int64"
    assert isinstance(counts["category"].dtype, pd.CategoricalDtype)
    assert counts.attrs["report"].rows == 4


def test_a_missing_month_is_missing_and_not_zero(two):
    assert pd.Timestamp("2025-02-01") not in set(count_by_area(dated(), two)["period"])
    listed = count_by_area(dated(), two, periods=pd.date_range("2025-01-01", periods=3, freq="MS"))
    assert listed.groupby("period")["count"].sum().tolist() == [3, 0, 1]


def test_counts_by_one_key_or_none(two):
    assert count_by_area(dated(), two, by=())["count"].tolist() == [2, 2]
    by_period = count_by_area(dated(), two, by=("period",))
    assert by_period["count"].tolist() == [1, 2, 1, 0]
    by_category = count_by_area(dated(), two, by=("category",), categories=["a", "b", "c"])
    assert by_category["count"].tolist() == [1, 1, 1, 1, 0, 0]


def test_a_count_column_weighs_the_rows(two):
    counts = count_by_area(dated().assign(count=[3, 1, 0, 2**53 - 1]), two, by=())
    assert counts["count"].tolist() == [4, 2**53 - 1]
    for wrong in ([1.5, 1, 1, 1], [-1, 1, 1, 1]):
        with pytest.raises(ColumnError, match="whole numbers of zero or more"):
            count_by_area(dated().assign(count=wrong), two, by=())


def test_given_codes_are_used_and_checked(two):
    events = dated()
    codes = pd.Series(["E01000002"] * 3 + [None], index=events.index, dtype="str")
    counts = count_by_area(events, two, codes=codes, by=(), outside="drop")
    assert counts["count"].tolist() == [0, 3]
    with pytest.raises(UnmatchedError, match="1 of 4 events have no code among the areas"):
        count_by_area(events, two, codes=codes)
    with pytest.raises(InputError, match="different indexes"):
        count_by_area(events, two, codes=codes.iloc[::-1])


def test_what_cannot_be_counted_is_told(two):
    with pytest.raises(ColumnError, match="1 of 4 events have no period"):
        count_by_area(dated().assign(period=[*MONTHS, MONTHS[0], pd.NaT]), two)
    with pytest.raises(InputError, match=r"2 events have a category that was not listed \(a\)"):
        count_by_area(dated(), two, categories=["b"])
    with pytest.raises(ColumnError, match="no column 'category'"):
        count_by_area(dated().drop(columns="category"), two)
    with pytest.raises(EmptyError, match="no period to count by"):
        count_by_area(dated().iloc[:0], two)


def test_options_that_are_no_choice_are_refused(two):
    events, codes = dated(), pd.Series(["E01000001"] * 4, dtype="str")
    with pytest.raises(InputError, match=r"outside is 'keep'\. Give 'raise', 'drop' or 'nearest'"):
        place_events(events, two, outside="keep")
    with pytest.raises(InputError, match=r"outside is 'keep'\. Give 'raise', 'drop' or 'nearest'"):
        count_by_area(events, two, outside="keep")
    for outside in ("keep", "nearest"):
        with pytest.raises(InputError, match=rf"outside is '{outside}'. Give 'raise' or 'drop'"):
            count_by_area(events, two, codes=codes, outside=outside)
    for by in (["month"], "periodcategory", ["period", "area"]):
        with pytest.raises(InputError, match=r"by is .* Give 'period' or 'category'"):
            count_by_area(events, two, by=by)


def test_one_key_may_be_named_alone(two):
    alone, listed = (count_by_area(dated(), two, by=by) for by in ("period", ["period"]))
    pd.testing.assert_frame_equal(alone, listed)
