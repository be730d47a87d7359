"""LSOAs of 2011 and 2021: hand-worked changes of every kind, both ways."""

import logging

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.joins.vintages import BestFit, Split, convert_vintage

A, B, C, D, E, F, G = (f"E0100000{i}" for i in range(1, 8))
B1, B2, CD, EF, F1 = (f"E0103500{i}" for i in range(1, 6))
CHANGES = pd.DataFrame(
    [
        (A, A, "U"), (B, B1, "S"), (B, B2, "S"), (C, CD, "M"), (D, CD, "M"),
        (E, EF, "X"), (F, EF, "X"), (F, F1, "X"), (G, G, "U"),
    ],
    columns=["lsoa11_code", "lsoa21_code", "change"],
)  # fmt: skip
OLD = [A, B, C, D, E, F]
RESIDENTS = pd.Series({B1: 1500, B2: 500, EF: 1800, F1: 1200, C: 900, D: 600}, name="residents")
MONTHS = pd.date_range("2023-01-01", periods=3, freq="MS")


def make_counts(codes=OLD, counts=(1, 8, 2, 3, 5, 4)):
    return pd.DataFrame({"area_code": codes, "count": list(counts)})


def totals(table):
    return dict(zip(table["area_code"], table["count"], strict=True))


def test_each_kind_of_change_is_converted_as_worked_by_hand():
    table = convert_vintage(make_counts(), CHANGES, weights=RESIDENTS)
    assert totals(table) == {A: 1, B1: 6, B2: 2, CD: 5, EF: 5, F1: 4}
    report = table.attrs["conversions"][-1]
    assert report.areas == {
        "unchanged": 1, "merged": 2, "split": 1, "irregular": 2, "already": 0
    }  # fmt: skip
    assert report.splits == (
        Split(B, B1, 0.75, 8.0, pytest.approx(1.2247449)),
        Split(B, B2, 0.25, 8.0, pytest.approx(1.2247449)),
    )
    assert report.irregular == (BestFit(E, EF, ()), BestFit(F, F1, (EF,)))
    assert report.estimated == {"count": pytest.approx(17 / 23)}
    assert (report.found, report.to, report.weighted_by) == ("2011", "2021", "by residents")
    assert table.attrs["vintage"] == "2021"
    words = " ".join(report.sentences)
    assert "Split areas were shared out by residents; 73.9% of count" in words
    assert f"best fit: {E}, {F}." in words


def test_areas_without_split_stay_whole_numbers_and_need_no_weights():
    table = convert_vintage(make_counts([C, A, D], [2, 1, 3]), CHANGES)
    assert table["count"].dtype == "int64"
    assert totals(table) == {CD: 5, A: 1}
    assert table["area_code"].tolist() == [CD, A]


def test_the_way_back_is_exact_where_areas_were_split():
    back = convert_vintage(make_counts([A, B1, B2], [1, 6, 2]), CHANGES, to="2011")
    assert totals(back) == {A: 1, B: 8}
    assert back["count"].dtype == "int64"
    merged = convert_vintage(make_counts([CD], [5]), CHANGES, to="2011", weights=RESIDENTS)
    assert totals(merged) == {C: 3, D: 2}
    irregular = convert_vintage(make_counts([EF, F1], [5, 4]), CHANGES, to="2011")
    assert totals(irregular) == {E: 5, F: 4}


def test_the_overlap_decides_the_best_fit_and_the_shares_where_it_is_known():
    parts = pd.DataFrame(
        {
            "LSOA11CD": [B, B, B, E, F, F],
            "LSOA21CD": [B1, B2, B2, EF, EF, F1],
            "residents": [100, 200, 100, 300, 250, 50],
        }
    )
    counts = make_counts([B, E, F], [8, 5, 4])
    table = convert_vintage(counts, CHANGES, weights=parts)
    assert totals(table) == {B1: 2, B2: 6, EF: 9}
    report = table.attrs["conversions"][-1]
    assert report.irregular[1] == BestFit(F, EF, (F1,))
    assert report.weighted_by == "by residents of output areas"
    plain = convert_vintage(counts, CHANGES, weights=parts.drop(columns="residents"))
    assert totals(plain)[B1] == pytest.approx(8 / 3)


def test_a_series_that_changes_codes_half_way_comes_out_on_one_year():
    series = pd.DataFrame(
        {
            "area_code": [A, B, C, D, A, B, B1, C, CD, A, B1, B2, CD],
            "period": MONTHS[[0] * 4 + [1] * 5 + [2] * 4],
            "count": [1, 4, 2, 3, 1, 4, 2, 1, 5, 9, 3, 1, 7],
        }
    )
    table = convert_vintage(series, CHANGES, weights=RESIDENTS)
    assert set(table["area_code"]) == {A, B1, B2, CD}
    wide = table.pivot(index="period", columns="area_code", values="count")
    assert wide[B1].tolist() == [3, 5, 3]
    assert wide[B2].tolist() == [1, 1, 1]
    assert wide[CD].tolist() == [5, 6, 7]
    assert wide.sum(axis=1).tolist() == series.groupby("period")["count"].sum().tolist()
    report = table.attrs["conversions"][-1]
    assert (report.found, report.areas["already"]) == ("mixed", 3)
    assert table["period"].is_monotonic_increasing


def test_whole_numbers_follow_the_shares_over_time():
    months = pd.date_range("2020-01-01", periods=40, freq="MS")
    rare = pd.DataFrame({"area_code": B, "period": months, "count": 1})
    table = convert_vintage(rare, CHANGES, weights=RESIDENTS, whole=True)
    assert table["count"].dtype == "int64"
    assert table.groupby("area_code")["count"].sum().to_dict() == {B1: 30, B2: 10}
    assert table.groupby("period")["count"].sum().eq(1).all()
    first = table[(table["area_code"] == B2) & (table["count"] == 1)]["period"]
    assert first.diff().dropna().dt.days.between(120, 124).all()


def test_the_uncertainty_stands_beside_each_value():
    table = convert_vintage(make_counts(), CHANGES, weights=RESIDENTS, uncertainty=True)
    assert table.columns.tolist() == ["area_code", "count", "count_se"]
    doubt = dict(zip(table["area_code"], table["count_se"], strict=True))
    assert doubt == {A: 0, B1: pytest.approx(1.5**0.5), B2: doubt[B1], CD: 0, EF: 0, F1: 0}


def test_means_are_weighted_where_areas_are_put_together():
    index = pd.Index([C, D, B], name="area_code")
    table = pd.DataFrame({"residents": [900, 600, 2000], "rate": [10.0, 20.0, 7.0]}, index=index)
    converted = convert_vintage(
        table, CHANGES, weights=RESIDENTS, intensive=["rate"], denominator="residents"
    )
    assert converted.index.tolist() == [CD, B1, B2]
    assert converted.index.name == "area_code"
    assert converted["rate"].tolist() == [14, 7, 7]
    assert converted["residents"].tolist() == [1500, 1500, 500]
    by_code = convert_vintage(table[["rate"]], CHANGES, weights=RESIDENTS, intensive=["rate"])
    assert by_code["rate"].tolist() == [14, 7, 7]
    with pytest.raises(UnmatchedError, match=r"2 areas that are put together have nothing"):
        convert_vintage(table[["rate"]], CHANGES, weights="equal", intensive=["rate"])


def test_missing_values_stay_missing():
    counts = make_counts([A, C, D], [np.nan, np.nan, 3])
    table = convert_vintage(counts, CHANGES)
    assert table["count"].isna().tolist() == [True, True]


def test_attrs_and_tags_are_kept_and_the_input_unchanged():
    table = make_counts().assign(note="x", households=10)
    table.attrs.update(level="lsoa", report="how it was read")
    tag_columns(table, {"households": "personal", "note": "special"})
    before = table.copy()
    made = convert_vintage(table, CHANGES, weights=RESIDENTS, uncertainty=True)
    pd.testing.assert_frame_equal(table, before)
    assert column_tags(made) == {"households": "personal", "households_se": "personal"}
    assert made.attrs["report"] == "how it was read"
    assert made.attrs["conversions"][-1].left_out == ("note",)
    again = convert_vintage(
        made.drop(columns=["count_se", "households_se"]), CHANGES, to="2011", weights=RESIDENTS
    )
    assert len(again.attrs["conversions"]) == 2
    assert pd.concat([again, again])["count"].sum() == 46


def test_unknown_codes_are_counted_named_and_refused():
    with pytest.raises(UnmatchedError, match=r"1 of 2 area codes are not .* \(E01009999\)"):
        convert_vintage(make_counts([A, "E01009999"], [1, 2]), CHANGES)
    with pytest.raises(UnmatchedError, match=r"level 'msoa': only LSOAs can be converted"):
        convert_vintage(make_counts(["E02000001"], [1]), CHANGES)


def test_divided_areas_need_weights():
    with pytest.raises(InputError, match=r"1 areas were divided \(E01000002\).*'equal'"):
        convert_vintage(make_counts(), CHANGES)
    equal = convert_vintage(make_counts([B], [8]), CHANGES, weights="equal")
    assert equal["count"].tolist() == [4, 4]
    with pytest.raises(UnmatchedError, match=r"weights lack 1 of 2 parts .*E01035002"):
        convert_vintage(make_counts(), CHANGES, weights=RESIDENTS.drop(B2))
    nobody = convert_vintage(make_counts([B], [8]), CHANGES, weights=RESIDENTS * 0)
    assert nobody["count"].tolist() == [4, 4]
    with pytest.raises(ColumnError, match="weights are negative or infinite"):
        convert_vintage(make_counts(), CHANGES, weights=-RESIDENTS)
    with pytest.raises(ColumnError, match="weights has none of the columns residents"):
        convert_vintage(make_counts(), CHANGES, weights=RESIDENTS.to_frame("pop"))
    with pytest.raises(InputError, match="weights is 'even'"):
        convert_vintage(make_counts(), CHANGES, weights="even")
    frame = convert_vintage(make_counts(), CHANGES, weights=RESIDENTS.to_frame())
    assert totals(frame)[B1] == 6


def test_a_part_in_which_nobody_lives_has_zero_and_not_nothing():
    nobody = RESIDENTS.where(RESIDENTS.index != B2, 0)
    counts = make_counts([B], [8]).assign(rate=2.5)
    table = convert_vintage(counts, CHANGES, weights=nobody, intensive=["rate"])
    assert totals(table) == {B1: 8, B2: 0}
    assert table["rate"].tolist() == [2.5, 2.5]
    report = table.attrs["conversions"][-1]
    assert [(part.target_code, part.share) for part in report.splits] == [(B1, 1.0), (B2, 0.0)]
    assert report.estimated["count"] == 1.0
    output_areas = pd.DataFrame({"lsoa11_code": [B], "lsoa21_code": [B1], "residents": [10]})
    assert totals(convert_vintage(counts, CHANGES, weights=output_areas, extensive=["count"])) == {
        B1: 8,
        B2: 0,
    }


@pytest.mark.parametrize("weight", [np.inf, "many"])
def test_weights_that_are_no_counts_of_people_are_refused(weight):
    weights = RESIDENTS.astype(object).where(RESIDENTS.index != B2, weight)
    with pytest.raises(ColumnError, match=r"weights .*Give counts of people"):
        convert_vintage(make_counts([B], [8]), CHANGES, weights=weights)


def test_output_areas_without_residents_are_refused():
    output_areas = pd.DataFrame({"lsoa11_code": [B, B], "lsoa21_code": [B1, B2]})
    output_areas["residents"] = [10, None]
    with pytest.raises(ColumnError, match="1 of 2 weights are missing"):
        convert_vintage(make_counts([B], [8]), CHANGES, weights=output_areas)


def test_changes_and_options_of_another_kind_are_refused():
    with pytest.raises(ColumnError, match=r"9 of 9 changes are not U, S, M or X \(u, s, m, x\)"):
        convert_vintage(make_counts(), CHANGES.assign(change=CHANGES["change"].str.lower()))
    with pytest.raises(InputError, match="incomplete is 'drop'"):
        convert_vintage(make_counts(), CHANGES, weights=RESIDENTS, incomplete="drop")
    with pytest.raises(InputError, match="to is 2021"):
        convert_vintage(make_counts(), CHANGES, weights=RESIDENTS, to=2021)
    several = make_counts().assign(period="a").set_index(["area_code", "period"])
    with pytest.raises(ColumnError, match="index of several levels"):
        convert_vintage(several, CHANGES, weights=RESIDENTS)


def test_a_merged_area_that_lacks_a_part_is_refused_unless_allowed(caplog):
    with pytest.raises(UnmatchedError, match=r"1 areas \(E01035003\) .* lacks 1 \(E01000004\)"):
        convert_vintage(make_counts([A, C], [1, 2]), CHANGES)
    with caplog.at_level(logging.WARNING):
        table = convert_vintage(make_counts([A, C], [1, 2]), CHANGES, incomplete="allow")
    assert totals(table) == {A: 1, CD: 2}
    assert table.attrs["conversions"][-1].incomplete == (CD,)
    assert "Their values hold what is there" in caplog.text


def test_columns_of_unknown_kind_are_refused():
    table = make_counts().assign(imd_rank=1, period=MONTHS[0])
    with pytest.raises(ColumnError, match="whether imd_rank may be added up"):
        convert_vintage(table, CHANGES, weights=RESIDENTS)
    with pytest.raises(ColumnError, match=r"imd_rank: named as extensive and as intensive"):
        convert_vintage(table, CHANGES, extensive=["imd_rank"], intensive=["imd_rank"])
    chosen = convert_vintage(table, CHANGES, weights=RESIDENTS, extensive=["count"])
    assert chosen.columns.tolist() == ["area_code", "count", "period"]
    assert chosen.attrs["conversions"][-1].left_out == ("imd_rank",)
    with pytest.raises(ColumnError, match="holds no values"):
        convert_vintage(table[["area_code", "period"]], CHANGES)
    with pytest.raises(ColumnError, match=r"'count' holds (str|object), not numbers"):
        convert_vintage(table.astype({"count": str}), CHANGES, extensive=["count"])


def test_rows_that_cannot_be_meant_are_refused():
    with pytest.raises(ColumnError, match="1 of 6 rows have no area code"):
        convert_vintage(make_counts([A, B, C, D, E, None]), CHANGES)
    with pytest.raises(EmptyError, match="has no rows"):
        convert_vintage(make_counts([], []), CHANGES)
    twice = make_counts([A, A], [1, 2]).assign(rate=1.0)
    with pytest.raises(DuplicateError, match="1 rows repeat an area"):
        convert_vintage(twice, CHANGES, intensive=["rate"])
    with pytest.raises(DuplicateError, match="stand more than once"):
        convert_vintage(twice.set_index("area_code")[["count"]], CHANGES)
    assert convert_vintage(twice[["area_code", "count"]], CHANGES)["count"].tolist() == [3]
    with pytest.raises(ColumnError, match="whole=True needs whole numbers"):
        convert_vintage(make_counts([A], [0.5]), CHANGES, whole=True)
    with pytest.raises(InputError, match=r"to is '2031'"):
        convert_vintage(make_counts(), CHANGES, to="2031")
    with pytest.raises(ColumnError, match="no column 'change'"):
        convert_vintage(make_counts(), CHANGES.drop(columns="change"))
