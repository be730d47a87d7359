"""Small areas to larger ones: sums, weighted means, best fit, recoded districts."""

import logging

import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError
from placeshaping.areas.fits import best_fit
from placeshaping.joins.levels import convert_level

LSOAS = pd.Index([f"E0100000{i}" for i in range(1, 5)], name="area_code")
LOOKUP = pd.DataFrame(
    {
        "msoa_code": ["E02000001", "E02000001", "E02000002", "E02000002"],
        "ward_code": ["E05000002", "E05000001", "E05000001", "E05000001"],
        "district_code": ["E08000016"] * 3 + ["E08000019"],
        "beat": ["North", "North", "South", None],
    },
    index=LSOAS,
)
DISTRICTS = pd.DataFrame(
    {
        "district_code": ["E08000016", "E08000019", "E06000058", "E06000058"],
        "csp_code": ["E22000001", "E22000002", "E22000042", "E22000043"],
        "police_force_code": ["E23000011", "E23000011", "E23000039", "E23000039"],
    }
)


def make_table():
    return pd.DataFrame(
        {"residents": [1000, 1000, 3000, 500], "rate": [10.0, 20.0, 40.0, 0.0]}, index=LSOAS
    )


def make_counts():
    months = pd.date_range("2024-01-01", periods=2, freq="MS")
    counts = pd.MultiIndex.from_product([months, LSOAS], names=["period", "area_code"]).to_frame(
        index=False
    )
    return counts[["area_code", "period"]].assign(count=range(1, 9))


def test_counts_are_summed_and_rates_are_weighted():
    table = convert_level(
        make_table(), LOOKUP, to="msoa", intensive=["rate"], denominator="residents"
    )
    assert table.index.tolist() == ["E02000001", "E02000002"]
    assert table["residents"].tolist() == [2000, 3500]
    assert table["rate"].tolist() == pytest.approx([15, 120_000 / 3500])
    assert table["residents"].dtype == "int64"
    assert table.attrs["level"] == "msoa"
    report = table.attrs["conversions"][-1]
    assert (report.fit, report.areas, report.made) == ("exact", 4, 2)


def test_a_denominator_may_be_given_apart():
    rates = make_table()[["rate"]]
    people = make_table()["residents"]
    table = convert_level(rates, LOOKUP, to="ward", intensive=["rate"], denominator=people)
    assert table["rate"].tolist() == [10, (20_000 + 120_000) / 4500]
    with pytest.raises(UnmatchedError, match="Name a column of the table as denominator"):
        convert_level(rates, LOOKUP, to="ward", intensive=["rate"])


def test_long_tables_keep_their_periods():
    wards = convert_level(make_counts(), LOOKUP, to="ward")
    assert wards["count"].tolist() == [1, 9, 5, 21]
    assert wards["area_code"].tolist() == ["E05000002", "E05000001"] * 2
    assert wards.columns.tolist() == ["area_code", "period", "count"]
    assert wards.attrs["conversions"][-1].fit == "best fit"
    assert "(best fit)" in wards.attrs["conversions"][-1].sentences[0]


def test_any_column_of_a_lookup_is_a_level(caplog):
    with pytest.raises(UnmatchedError, match=r"1 of 4 areas have no 'beat' .*missing='drop'"):
        convert_level(make_counts(), LOOKUP, to="beat")
    with caplog.at_level(logging.WARNING):
        beats = convert_level(make_counts(), LOOKUP, to="beat", missing="drop")
    assert beats.groupby("area_code")["count"].sum().to_dict() == {"North": 14, "South": 10}
    report = beats.attrs["conversions"][-1]
    assert (report.fit, report.without) == ("as the lookup says", ("E01000004",))
    assert report.lost == {"count": pytest.approx(12 / 36)}
    assert "They are left out" in caplog.text
    assert any("33.3% of count" in sentence for sentence in report.sentences)


def test_a_table_with_a_column_for_each_level_serves_as_well():
    by_column = LOOKUP.rename_axis("lsoa_code").reset_index()
    expected = convert_level(make_counts(), LOOKUP, to="msoa")
    pd.testing.assert_frame_equal(convert_level(make_counts(), by_column, to="msoa"), expected)
    districts = convert_level(make_counts(), LOOKUP, to="district")
    msoas = convert_level(make_counts(), LOOKUP, to="msoa")
    steps = LOOKUP.iloc[[0, 2]][["msoa_code", "ward_code"]].reset_index(drop=True)
    assert convert_level(msoas, steps, to="ward")["count"].sum() == 36
    assert districts.attrs["level"] == "district"


@pytest.mark.parametrize(
    ("old", "new"), [("E08000016", "E08000038"), ("E08000019", "E08000039")]
)  # fmt: skip
def test_recoded_districts_are_recognised_either_way(old, new):
    for given, known in ((old, new), (new, old)):
        counts = pd.DataFrame({"area_code": [given], "count": [7]})
        lookup = DISTRICTS.replace({"district_code": {old: known}})
        made = convert_level(counts, lookup, to="police_force")
        assert made["count"].tolist() == [7]
        assert made.attrs["conversions"][-1].recoded == (given,)
        indexed = lookup.drop_duplicates("district_code").set_index("district_code")
        assert len(convert_level(counts, indexed, to="csp")) == 1


def test_codes_that_the_boundaries_lack_are_told_and_recoded_ones_written_as_there():
    areas = pd.DataFrame(index=pd.Index(["E08000038"], name="area_code"))
    made = convert_level(make_counts(), LOOKUP, to="district", areas=areas)
    assert made["area_code"].unique().tolist() == ["E08000038", "E08000019"]
    report = made.attrs["conversions"][-1]
    assert report.not_in_areas == ("E08000019",)
    assert "1 areas are not among the boundaries: E08000019." in report.sentences


def test_a_district_in_several_partnerships_is_told_and_fitted_where_shares_exist():
    counts = pd.DataFrame({"area_code": ["E08000016", "E06000058"], "count": [2, 8]})
    with pytest.raises(UnmatchedError, match=r"1 of 2 areas have more than one 'csp'.*best_fit"):
        convert_level(counts, DISTRICTS, to="csp")
    dropped = convert_level(counts, DISTRICTS, to="csp", missing="drop")
    assert dropped.attrs["conversions"][-1].several == ("E06000058",)
    assert convert_level(counts, DISTRICTS, to="police_force")["count"].tolist() == [2, 8]
    fits = best_fit(
        DISTRICTS.assign(people=[1, 1, 40, 60]), source="district", target="csp", weight="people"
    )
    made = convert_level(counts, fits, to="csp")
    assert made["area_code"].tolist() == ["E22000001", "E22000043"]
    assert made.attrs["conversions"][-1].share == pytest.approx(0.8)
    shares = DISTRICTS.assign(share=[1, 1, 0.7, 0.3])
    assert convert_level(counts, shares, to="csp")["area_code"].tolist()[1] == "E22000042"


def test_tags_and_attrs_are_kept():
    table = make_table()
    table.attrs["report"] = "read"
    tag_columns(table, {"rate": "audit_only"})
    made = convert_level(table, LOOKUP, to="msoa", intensive=["rate"], denominator="residents")
    assert column_tags(made) == {"rate": "audit_only"}
    assert made.attrs["report"] == "read"


def test_a_lookup_of_something_else_is_refused():
    with pytest.raises(ColumnError, match="no column 'csp'"):
        convert_level(make_counts(), LOOKUP, to="csp")
    with pytest.raises(ColumnError, match=r"not indexed .* no column 'lsoa_code'"):
        convert_level(make_counts(), DISTRICTS, to="csp")
    other = LOOKUP.set_axis([f"E0100900{i}" for i in range(4)], axis=0)
    with pytest.raises(UnmatchedError, match=r"4 of 4 areas have no 'msoa'"):
        convert_level(
            make_counts(), other.rename_axis("lsoa_code").reset_index(), to="msoa", missing="drop"
        )


@pytest.mark.parametrize("numbered", [False, True])
def test_a_councils_own_lookup_serves_by_the_column_that_holds_its_codes(numbered):
    codes = [1, 2, 3] if numbered else ["N1 ", "N2", "S1"]
    beats = pd.DataFrame({"name": "x", "beat_code": codes, "sector_code": ["N", "N", "S"]})
    counts = pd.DataFrame({"area_code": ["1", "2", "3"] if numbered else ["N1", "N2", "S1"]})
    counts["count"] = [1, 2, 4]
    made = convert_level(counts, beats, to="sector")
    assert made["count"].tolist() == [3, 4]
    indexed = convert_level(
        counts.assign(area_code=codes), beats.set_index("beat_code"), to="sector"
    )
    assert indexed["count"].tolist() == [3, 4]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_parent_is_none(blank):
    lookup = LOOKUP.assign(ward_code=["E05000002", blank, "E05000001", "E05000001"])
    with pytest.raises(UnmatchedError, match=r"1 of 4 areas have no 'ward' .*E01000002"):
        convert_level(make_counts(), lookup, to="ward")


def test_an_area_that_stands_twice_once_without_parent_has_the_one_it_has():
    rows = LOOKUP.rename_axis("lsoa_code").reset_index()
    twice = pd.concat([rows.assign(msoa_code=None), rows])
    assert convert_level(make_counts(), twice, to="msoa")["count"].sum() == 36


def test_a_series_that_changes_from_one_code_of_a_district_to_the_other_is_one():
    counts = pd.DataFrame({"area_code": ["E08000016", "E08000038"], "period": ["a", "b"]})
    made = convert_level(counts.assign(count=[1, 2]), DISTRICTS, to="csp")
    assert made["area_code"].tolist() == ["E22000001"] * 2


def test_a_misspelt_choice_is_refused():
    with pytest.raises(InputError, match=r"missing is 'allow'\. Give 'raise' or 'drop'"):
        convert_level(make_counts(), LOOKUP, to="msoa", missing="allow")
