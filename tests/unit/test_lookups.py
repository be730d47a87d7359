"""Lookups: columns recognised, files chained, parents missing or double."""

import gzip
import logging

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, InputError, MissingFileError, UnmatchedError
from placeshaping.areas.lookups import make_lookup, read_changes, read_lookup, recode_as

CODES = ["E01000003", "E01000001", "E01000002"]
NAMES = ["Marsh 002A", "Marsh 001A", "Marsh 001B"]


def make_areas(codes=CODES, names=NAMES, **attrs):
    index = pd.Index(codes, name="area_code")
    areas = gpd.GeoDataFrame({"area_name": names}, index=index)
    areas.attrs.update(attrs)
    return areas


TO_DISTRICT = pd.DataFrame(
    {
        "LSOA21CD": ["E01000001", "E01000002", "E01000003", "E01000004"],
        "WD24CD": ["E05000001", "E05000001", "E05000002", "E05000003"],
        "WD24NM": ["North", "North", "South", "Far"],
        "LAD24CD": ["E07000001", "E07000001", "E07000001", "E07000002"],
        "LAD24NM": ["Marsh", "Marsh", "Marsh", "Hill"],
    }
)
TO_FORCE = pd.DataFrame(
    {"LAD24CD": ["E07000002", "E07000001"], "PFA24CD": "E23000001", "PFA24NM": "Marshland"}
)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_lookups_are_chained_in_whatever_order_they_come(order):
    lookup = make_lookup(make_areas(), [[TO_DISTRICT, TO_FORCE][i] for i in order])
    assert lookup.index.tolist() == CODES
    assert lookup.index.name == "area_code"
    levels = ["msoa", "ward", "district", "police_force"]
    assert lookup.columns.tolist() == [f"{x}_{part}" for x in levels for part in ("code", "name")]
    assert lookup["ward_name"].tolist() == ["South", "North", "North"]
    assert lookup["police_force_name"].tolist() == ["Marshland"] * 3


def test_the_msoa_is_told_from_the_name_and_its_code_found_where_it_is_known():
    derived = make_lookup(make_areas(), [TO_DISTRICT])
    assert derived["msoa_code"].tolist() == ["Marsh 002", "Marsh 001", "Marsh 001"]
    known = pd.DataFrame({"MSOA21CD": ["E02000001"], "MSOA21NM": ["Marsh 001"]})
    coded = make_lookup(make_areas(), [TO_DISTRICT, known])
    assert coded["msoa_code"].tolist() == ["Marsh 002", "E02000001", "E02000001"]
    assert coded["msoa_name"].tolist() == derived["msoa_name"].tolist()


def test_a_lookup_is_believed_before_the_name():
    to_msoa = pd.DataFrame({"lsoa_code": CODES, "msoa_code": "E02000009", "msoa_name": "All"})
    assert make_lookup(make_areas(), [to_msoa])["msoa_name"].unique().tolist() == ["All"]


def test_names_of_another_form_give_no_msoa():
    lookup = make_lookup(make_areas(names=["x", "y", "z"]), [TO_DISTRICT])
    assert "msoa_code" not in lookup


def test_output_areas_reach_the_district_through_lsoas():
    oas = gpd.GeoDataFrame(index=pd.Index(["E00000001", "E00000002"], name="area_code"))
    to_lsoa = pd.DataFrame({"OA": oas.index, "geography_code": ["E01000001", "E01000003"]})
    lookup = make_lookup(oas, [TO_DISTRICT.assign(LSOA21NM="Marsh 001A"), to_lsoa])
    assert lookup["lsoa_code"].tolist() == ["E01000001", "E01000003"]
    assert lookup["district_name"].tolist() == ["Marsh", "Marsh"]
    assert lookup["msoa_name"].tolist() == ["Marsh 001", "Marsh 001"]


def test_recoded_districts_are_one():
    areas = make_areas()
    to_old = pd.DataFrame({"LSOA21CD": CODES, "LAD20CD": "E08000016"})
    to_force = pd.DataFrame({"LAD24CD": ["E08000038"], "PFA24CD": ["E23000010"]})
    lookup = make_lookup(areas, [to_old, to_force])
    assert lookup["police_force_code"].tolist() == ["E23000010"] * 3
    assert lookup["district_code"].tolist() == ["E08000016"] * 3


def test_several_files_may_cover_several_nations():
    english, rest = TO_DISTRICT.iloc[:2], TO_DISTRICT.iloc[2:]
    split = make_lookup(make_areas(), [english, rest])
    pd.testing.assert_frame_equal(split, make_lookup(make_areas(), [TO_DISTRICT]))


def test_an_area_that_no_lookup_has_is_told(caplog):
    message = r"1 of 3 areas have no ward \(E01000003\)\. Only 2 of the 3 areas are in.*census year"
    with pytest.raises(UnmatchedError, match=message):
        make_lookup(make_areas(), [TO_DISTRICT.iloc[:2]])
    with caplog.at_level(logging.INFO):
        lookup = make_lookup(make_areas(), [TO_DISTRICT.iloc[:2]], missing="allow")
    assert lookup["district_code"].isna().tolist() == [True, False, False]
    assert "have no district" in caplog.text


def test_two_parents_are_refused_at_the_levels_that_are_wanted():
    twice = pd.concat([TO_DISTRICT, TO_DISTRICT.iloc[:1].assign(WD24CD="E05000009")])
    with pytest.raises(InputError, match=r"1 of 3 areas lie in more than one ward \(E01000001\)"):
        make_lookup(make_areas(), [twice])
    lookup = make_lookup(make_areas(), [twice], levels=["district"])
    assert lookup.columns.tolist() == ["district_code", "district_name"]
    allowed = make_lookup(make_areas(), [twice], missing="allow")
    assert allowed["ward_name"].isna().tolist() == [False, True, False]


def test_a_double_parent_elsewhere_does_not_matter():
    twice = pd.concat([TO_DISTRICT, TO_DISTRICT.iloc[3:].assign(WD24CD="E05000009")])
    pd.testing.assert_frame_equal(
        make_lookup(make_areas(), [twice]), make_lookup(make_areas(), [TO_DISTRICT])
    )


def test_a_level_that_no_lookup_leads_to_is_told():
    with pytest.raises(InputError, match=r"No lookup leads to csp; they lead to: msoa, ward"):
        make_lookup(make_areas(), [TO_DISTRICT], levels=["csp"])


def test_columns_are_recognised_in_any_year_and_case(tmp_path):
    path = tmp_path / "lookup.csv.gz"
    text = "lsoa11cd,Lsoa21Cd,lad22nm,LAD22CD,note\nE01000001,E01000002,Marsh,E07000001,x\n"
    path.write_bytes(gzip.compress(text.encode()))
    lookup = read_lookup(path)
    assert lookup.to_dict("records") == [
        {
            "lsoa_code": "E01000002",
            "district_code": "E07000001",
            "district_name": "Marsh",
            "lsoa11_code": "E01000001",
        }
    ]
    assert lookup.attrs["vintage"] == "2021"


def test_workbooks_are_read_too(tmp_path):
    TO_FORCE.to_excel(tmp_path / "force.xlsx", index=False)
    lookup = make_lookup(make_areas(), [TO_DISTRICT, tmp_path / "force.xlsx"])
    assert lookup["police_force_code"].tolist() == ["E23000001"] * 3


def test_a_file_without_levels_is_refused(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("name,value\na,1\n")
    with pytest.raises(ColumnError, match=r"other\.csv holds no area codes.*name, value"):
        read_lookup(path)
    with pytest.raises(MissingFileError, match="no such file"):
        read_lookup(tmp_path / "nothing.csv")


def test_changes_are_read_under_either_name(tmp_path):
    path = tmp_path / "changes.csv"
    path.write_text("LSOA21CD,lsoa11cd,CHGIND,x\nE01035001,E01000002,m,1\n")
    changes = read_changes(path)
    assert changes.to_dict("list") == {
        "lsoa11_code": ["E01000002"],
        "lsoa21_code": ["E01035001"],
        "change": ["M"],
    }


def test_unknown_changes_are_refused(tmp_path):
    path = tmp_path / "changes.csv"
    path.write_text("LSOA11CD,LSOA21CD,CHNGIND\nE01000002,E01035001,Q\n")
    with pytest.raises(ColumnError, match=r"1 rows have a change indicator other than .*\(Q\)"):
        read_changes(path)
    path.write_text("LSOA11CD,LSOA21\nE01000002,E01035001\n")
    with pytest.raises(ColumnError, match="no column 'LSOA21CD'"):
        read_changes(path)


def test_county_divisions_are_a_level():
    to_division = pd.DataFrame(
        {"LSOA21CD": CODES, "CED24CD": "E58000001", "CED24NM": "Fenside", "LAD24CD": "E07000001"}
    )
    lookup = make_lookup(make_areas(), [to_division])
    assert lookup["county_division_name"].tolist() == ["Fenside"] * 3
    assert lookup.columns.tolist()[2:] == [
        "county_division_code", "county_division_name", "district_code", "district_name",
    ]  # fmt: skip


def test_recoded_districts_are_written_as_the_other_table_has_them():
    codes = pd.Series(["E08000016", "E08000039", "E06000001", None], index=list("abcd"))
    known = pd.Index(["E08000038", "E08000019"])
    made = recode_as(codes, known)
    assert made.tolist()[:3] == ["E08000038", "E08000019", "E06000001"]
    assert made.index.tolist() == list("abcd")
    assert made.isna().tolist() == [False, False, False, True]
    both = pd.Index(["E08000016", "E08000038", "E08000039"])
    assert recode_as(codes, both).tolist()[:2] == ["E08000016", "E08000039"]


def test_codes_that_are_names_are_counted():
    known = pd.DataFrame({"MSOA21CD": ["E02000001"], "MSOA21NM": ["Marsh 001"]})
    assert make_lookup(make_areas(), [TO_DISTRICT, known]).attrs["derived_codes"] == {"msoa": 1}
    assert make_lookup(make_areas(), [TO_DISTRICT]).attrs["derived_codes"] == {"msoa": 3}
    to_msoa = pd.DataFrame({"lsoa_code": CODES, "msoa_code": "E02000009", "msoa_name": "All"})
    assert make_lookup(make_areas(), [to_msoa]).attrs["derived_codes"] == {}


@pytest.mark.parametrize(
    ("areas", "match"),
    [
        (make_areas(["E01000007", "E01000008"], NAMES[:2]), "None of the areas is in the lookup"),
        (make_areas(vintage="2011"), r"1 of 3 areas.*The areas are of 2011, the lookup of 2021\."),
    ],
)
def test_why_areas_have_no_parent_is_told(areas, match):
    with pytest.raises(UnmatchedError, match=match):
        make_lookup(areas, [TO_DISTRICT.iloc[:2]])


def test_lsoas_of_both_years_serve_areas_of_either(tmp_path):
    path = tmp_path / "lsoa11_lsoa21_lad22.csv"
    path.write_text(
        "LSOA11CD,CHNGIND,LSOA21CD,LAD22NM,LAD22CD\n"
        "E01000001,M,E01035001,Marsh,E07000001\nE01000002,M,E01035001,Marsh,E07000001\n"
    )
    older = make_areas(["E01000002", "E01000001"], ["b", "a"], vintage="2011")
    assert make_lookup(older, [path])["district_name"].tolist() == ["Marsh", "Marsh"]
    assert make_lookup(older, [read_lookup(path)]).shape == (2, 2)
    newer = make_areas(["E01035001"], ["c"], vintage="2021")
    assert make_lookup(newer, [path]).columns.tolist() == ["district_code", "district_name"]


def test_own_levels_are_taken_as_they_are_named(tmp_path):
    path = tmp_path / "beats.csv"
    path.write_text(
        "sector_name,sector_code,beat_code,note\nNorth,S1,B1,x\nNorth,S1,B2,y\nSouth,S2,B3,z\n"
    )
    lookup = read_lookup(path)
    assert lookup.columns.tolist() == ["beat_code", "sector_code", "sector_name"]
    beats = make_areas(["B3", "B1", "B2"], ["c", "a", "b"], level="area")
    made = make_lookup(beats, [path])
    assert made.columns.tolist() == ["sector_code", "sector_name"]
    assert made["sector_name"].tolist() == ["South", "North", "North"]


def test_own_levels_that_do_not_fit_are_left_out_unless_asked_for():
    other = TO_DISTRICT.assign(team_code=["T1", "T1", None, "T2"])
    lookup = make_lookup(make_areas(), [other])
    assert "team_code" not in lookup
    with pytest.raises(UnmatchedError, match="1 of 3 areas have no team"):
        make_lookup(make_areas(), [other], levels=["team"])


def make_beats():
    codes = pd.Index(["B1", "B2"], name="area_code")
    return gpd.GeoDataFrame({"area_name": ["North", "South"]}, index=codes)


def test_blanks_around_codes_do_not_matter_and_blank_codes_are_none():
    padded = pd.DataFrame({"beat_code": ["B1 ", " B2"], "sector_code": ["S1", " S1"]})
    assert make_lookup(make_beats(), [padded])["sector_code"].tolist() == ["S1", "S1"]
    blank = pd.DataFrame({"beat_code": ["B1", "B2"], "sector_code": ["S1", " "]})
    with pytest.raises(UnmatchedError, match=r"1 of 2 areas have no sector \(B2\)"):
        make_lookup(make_beats(), [blank], levels=["sector"])


def test_codes_may_be_numbers():
    numbered = pd.DataFrame({"beat_code": [1, 2], "sector_code": [7, 7]})
    made = make_lookup(make_beats().set_axis(["1", "2"]), [numbered])
    assert made["sector_code"].tolist() == ["7", "7"]


def test_a_row_without_parent_does_not_hide_the_one_that_has_it():
    twice = pd.DataFrame(
        {
            "beat_code": ["B1", "B1", "B2"],
            "sector_code": [None, "S1", "S1"],
            "sector_name": [None, None, "Town"],
        }
    )
    made = make_lookup(make_beats(), [twice], levels=["sector"])
    assert made["sector_code"].tolist() == ["S1", "S1"]


def test_a_lookup_of_other_areas_is_refused_and_not_left_out():
    other = pd.DataFrame({"beat_code": ["X1", "X2"], "sector_code": ["S1", "S1"]})
    with pytest.raises(UnmatchedError, match="No lookup leads from all 2 areas"):
        make_lookup(make_beats(), [other])
    assert make_lookup(make_beats(), [other], missing="allow").empty
    with pytest.raises(InputError, match="missing is 'drop'"):
        make_lookup(make_beats(), [other], missing="drop")


def test_changes_without_a_code_are_refused(tmp_path):
    path = tmp_path / "changes.csv"
    path.write_text("LSOA11CD,LSOA21CD,CHNGIND\nE01000001,,U\nE01000002,E01000002,U\n")
    with pytest.raises(ColumnError, match="1 of 2 rows lack a code"):
        read_changes(path)
