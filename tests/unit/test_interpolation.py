"""Areas that do not nest: hand-worked grids, and tobler where it is installed."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.joins.interpolation import interpolate_areal


def make_areas(codes, shapes, **columns):
    index = pd.Index(codes, name="area_code")
    return gpd.GeoDataFrame(columns, geometry=shapes, index=index, crs=27700)


def strips(prefix, *edges):
    shapes = [shapely.box(a, 0, b, 100) for a, b in itertools.pairwise(edges)]
    return make_areas([f"{prefix}{i}" for i in range(1, len(edges))], shapes)


BEATS = strips("B", 0, 200, 400)
WARDS = strips("W", 0, 100, 300, 400)
PEOPLE = make_areas(
    [f"O{i}" for i in range(4)],
    [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200, 300)],
    residents=[300, 100, 50, 150],
)


def make_table():
    return pd.DataFrame({"count": [40, 20], "rate": [10.0, 30.0]}, index=BEATS.index)


def test_values_go_where_people_live():
    table = interpolate_areal(make_table(), BEATS, WARDS, via=PEOPLE, intensive=["rate"])
    assert table.index.tolist() == ["W1", "W2", "W3"]
    assert table["count"].tolist() == [30, 10 + 5, 15]
    assert table["rate"].tolist() == [10, (10 * 100 + 30 * 50) / 150, 30]
    report = table.attrs["conversions"][-1]
    assert (report.via, report.sources, report.targets, report.divided) == ("residents", 2, 3, 2)
    assert report.largest_share == 0.75
    assert "weighted by residents: 2 were divided, and 75.0%" in report.sentences[0]


def test_points_serve_as_well_as_polygons():
    points = PEOPLE.set_geometry(PEOPLE.representative_point())
    first = interpolate_areal(make_table()[["count"]], BEATS, WARDS, via=PEOPLE)
    pd.testing.assert_frame_equal(
        first, interpolate_areal(make_table()[["count"]], BEATS, WARDS, via=points)
    )


def test_area_is_the_weight_only_when_named():
    with pytest.raises(InputError, match="Nothing says where in the areas people live"):
        interpolate_areal(make_table()[["count"]], BEATS, WARDS)
    table = interpolate_areal(make_table(), BEATS, WARDS, via="area", intensive=["rate"])
    assert table["count"].tolist() == [20, 30, 10]
    assert table["rate"].tolist() == [10, 20, 30]


def test_long_tables_keep_their_periods_and_whole_numbers():
    months = pd.date_range("2024-01-01", periods=2, freq="MS")
    counts = pd.DataFrame(
        {"area_code": ["B1", "B2"] * 2, "period": np.repeat(months, 2), "count": [3, 1, 3, 1]}
    )
    made = interpolate_areal(counts, BEATS, WARDS, via=PEOPLE, whole=True)
    assert made["count"].dtype == "int64"
    assert made.groupby("period")["count"].sum().tolist() == [4, 4]
    assert made["area_code"].tolist() == ["W1", "W2", "W3"] * 2
    assert made.groupby("area_code")["count"].sum().tolist() == [5, 2, 1]  # ties: first code


def test_parts_outside_are_refused_left_out_or_kept_within():
    inner = WARDS.iloc[:2]
    counts = make_table()[["count"]]
    with pytest.raises(UnmatchedError, match=r"1 source areas lie partly .*B2 75\.0%"):
        interpolate_areal(counts, BEATS, inner, via=PEOPLE)
    dropped = interpolate_areal(counts, BEATS, inner, via=PEOPLE, outside="drop")
    assert dropped["count"].tolist() == [30, 15]
    report = dropped.attrs["conversions"][-1]
    assert report.outside == {"B2": 0.75}
    assert report.lost == {"count": 0.25}
    assert "partly outside (B2): 25.0% of count" in report.sentences[1]
    within = interpolate_areal(counts, BEATS, inner, via=PEOPLE, outside="within")
    assert within["count"].tolist() == [30, 30]
    assert within.attrs["conversions"][-1].outside == {}
    by_area = interpolate_areal(counts, BEATS, inner, via="area", outside="drop")
    assert by_area["count"].tolist() == [20, 30]
    nowhere = interpolate_areal(counts, BEATS, WARDS.iloc[:1], via=PEOPLE, outside="within")
    assert nowhere["count"].tolist() == [40]
    assert nowhere.attrs["conversions"][-1].outside == {"B2": 1.0}


def test_areas_without_people_or_parts_are_shared_or_given_whole():
    counts = make_table()[["count"]]
    nobody = interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.assign(residents=0))
    assert nobody["count"].tolist() == [20, 30, 10]
    sparse = interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.iloc[:2])
    assert sparse.sum()["count"] == 60
    report = sparse.attrs["conversions"][-1]
    assert report.without_parts == ("B2",)
    assert report.unreached == ("W3",)
    assert "1 areas hold no output area" in " ".join(report.sentences)


def test_targets_that_nothing_reaches_are_told():
    made = interpolate_areal(make_table()[["count"]], BEATS, strips("W", 0, 400, 500), via=PEOPLE)
    assert made.index.tolist() == ["W1"]
    assert made.attrs["conversions"][-1].unreached == ("W2",)


def test_slivers_of_rounding_are_no_parts():
    moved = strips("W", 0, 200 + 1e-10, 400)
    made = interpolate_areal(make_table()[["count"]], BEATS, moved, via="area")
    assert made.attrs["conversions"][-1].divided == 0
    assert made["count"].tolist() == [40, 20]


def test_tags_and_attrs_are_kept():
    table = make_table()
    tag_columns(table, {"rate": "audit_only"})
    target = WARDS.copy()
    target.attrs.update(level="ward", vintage="2021")
    made = interpolate_areal(table, BEATS, target, via=PEOPLE, intensive=["rate"])
    assert column_tags(made) == {"rate": "audit_only"}
    assert made.attrs["level"] == "ward"


def test_unusable_input_is_refused():
    counts = make_table()[["count"]]
    with pytest.raises(UnmatchedError, match=r"1 of 2 areas of the table are not .*\(B2\)"):
        interpolate_areal(counts, BEATS.iloc[:1], WARDS, via=PEOPLE)
    with pytest.raises(ColumnError, match="via has no column 'residents'"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.drop(columns="residents"))
    with pytest.raises(ColumnError, match="1 of 4 values of 'residents' are missing, no"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.assign(residents=[1, None, 2, 3]))
    with pytest.raises(CRSError, match="EPSG:27700 is needed"):
        interpolate_areal(counts, BEATS, WARDS.set_crs(4326, allow_override=True), via=PEOPLE)
    with pytest.raises(CRSError, match="via: the reference system is EPSG:4326"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.to_crs(4326))
    with pytest.raises(ColumnError, match="1 of 4 values"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.assign(residents=[1, np.inf, 2, 3]))
    shapes = PEOPLE.geometry.where(PEOPLE.index != "O1")
    with pytest.raises(GeometryError, match="1 of 4 output areas in via have no geometry"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE.set_geometry(shapes))
    with pytest.raises(InputError, match="outside is 'nearest'"):
        interpolate_areal(counts, BEATS, WARDS, via=PEOPLE, outside="nearest")


def test_a_target_in_whose_parts_nobody_lives_has_zero():
    people = PEOPLE.assign(residents=[0, 100, 50, 150])
    made = interpolate_areal(make_table(), BEATS, WARDS, via=people, intensive=["rate"])
    assert made["count"].tolist() == [0, 45, 15]
    assert made["rate"].tolist() == [10, pytest.approx((100 * 10 + 50 * 30) / 150), 30]
    assert made.attrs["conversions"][-1].unreached == ()


@pytest.mark.parametrize("via", [PEOPLE, "area"])
def test_codes_may_be_numbers(via):
    table = make_table()[["count"]]
    named = interpolate_areal(table, BEATS, WARDS, via=via)
    made = interpolate_areal(
        table.set_axis([1, 2]), BEATS.set_axis([1, 2]), WARDS.set_axis([7, 8, 9]), via=via
    )
    assert made.index.tolist() == ["7", "8", "9"]
    assert made["count"].tolist() == named["count"].tolist()


@pytest.mark.filterwarnings("ignore")
def test_weighting_by_area_equals_tobler():
    area_weighted = pytest.importorskip("tobler.area_weighted", reason="extra: shaping")
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.arange(5) * 100.0, np.arange(5) * 100.0)
    source = make_areas(
        [f"S{i:02}" for i in range(25)],
        shapely.box(x.ravel(), y.ravel(), x.ravel() + 100, y.ravel() + 100),
        count=rng.integers(0, 50, 25).astype(float), rate=rng.uniform(0, 9, 25),
    )  # fmt: skip
    a, b = np.meshgrid(np.arange(4) * 170.0 - 60, np.arange(4) * 170.0 - 60)
    target = make_areas(
        [f"T{i:02}" for i in range(16)],
        shapely.box(a.ravel(), b.ravel(), a.ravel() + 170, b.ravel() + 170),
    )
    ours = interpolate_areal(
        pd.DataFrame(source[["count", "rate"]]), source, target, via="area", intensive=["rate"]
    )
    theirs = area_weighted.area_interpolate(
        source, target, extensive_variables=["count"], intensive_variables=["rate"]
    )
    assert ours["count"].to_numpy() == pytest.approx(theirs["count"].to_numpy())
    assert ours["rate"].to_numpy() == pytest.approx(theirs["rate"].to_numpy())
