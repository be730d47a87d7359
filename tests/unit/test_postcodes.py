"""Postcodes: dirty, ended, unknown; the directory's old and new layouts."""

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    InputError,
    MissingFileError,
    UnmatchedError,
)
from placeshaping.joins.postcodes import attach_postcodes
from placeshaping.sources.postcode_areas import read_postcode_directory

ONSPD = pd.DataFrame(
    {
        "pcd": ["LE1 6AA", "LE1 6AB", "LE1 6AC", "LE1 7AA", "LE4 0SP", "LE9 9ZZ"],
        "pcds": ["LE1 6AA", "LE1 6AB", "LE1 6AC", "LE1 7AA", "LE4 0SP", "LE9 9ZZ"],
        "doterm": [None, None, "201512", None, None, None],
        "usertype": ["0", "0", "0", "1", "0", "0"],
        "oseast1m": ["458700", "458800", "458900", "459500", "458000", ""],
        "osnrth1m": ["304600", "304600", "304600", "304000", "307000", ""],
        "oslaua": ["E06000016"] * 5 + ["E99999999"],
        "osward": ["E05000001"] * 6,
        "ced": ["E99999999"] * 6,
        "oa21": [f"E0000000{i}" for i in range(6)],
        "lsoa21": [f"E0100000{i}" for i in range(6)],
        "lsoa11": [f"E0100001{i}" for i in range(6)],
    }
)


def make_records(postcodes):
    return pd.DataFrame(
        {"Postcode": postcodes, "value": range(len(postcodes))},
        index=[f"r{i}" for i in range(len(postcodes))],
    )


def test_the_directory_is_read_in_its_layout():
    directory = read_postcode_directory(ONSPD)
    assert directory.columns.tolist() == [
        "easting", "northing", "oa_code", "lsoa_code", "lsoa11_code", "ward_code",
        "county_division_code", "district_code", "ended", "large_user",
    ]  # fmt: skip
    assert directory.loc["LE1 6AA", "easting"] == 458_700
    assert np.isnan(directory.loc["LE9 9ZZ", "easting"])
    assert directory["county_division_code"].isna().all()
    assert directory["district_code"].isna().tolist() == [False] * 5 + [True]
    assert directory["ended"].dropna().tolist() == [pd.Timestamp("2015-12-01")]
    assert directory.index[directory["large_user"]].tolist() == ["LE1 7AA"]


def test_the_new_layout_gives_the_same(tmp_path):
    names = {
        "oseast1m": "EAST1M", "osnrth1m": "NORTH1M", "oslaua": "LAD25CD", "osward": "WD25CD",
        "ced": "CED25CD", "oa21": "OA21CD", "lsoa21": "LSOA21CD", "lsoa11": "LSOA11CD",
        "usertype": "USRTYPIND", "doterm": "DOTERM", "pcds": "PCDS", "pcd": "PCD7",
    }  # fmt: skip
    ONSPD.rename(columns=names).to_csv(tmp_path / "new.csv", index=False)
    pd.testing.assert_frame_equal(
        read_postcode_directory(tmp_path / "new.csv"), read_postcode_directory(ONSPD)
    )


def test_a_postcode_in_use_again_is_the_one_in_use():
    twice = pd.concat([ONSPD, ONSPD.iloc[[2]].assign(doterm=None, lsoa21="E01000009")])
    directory = read_postcode_directory(twice)
    assert directory.loc["LE1 6AC", "lsoa_code"] == "E01000009"
    assert directory.index.is_unique


def test_dirty_postcodes_are_tidied_and_ended_ones_kept():
    records = make_records([" le16aa", "LE1-6AB.", "LE1  6AC", "LE1 7AA", None, "", "none"])
    made = attach_postcodes(records, ONSPD, take=["lsoa_code", "easting"])
    assert made.columns.tolist() == [
        "Postcode", "value", "lsoa_code", "easting", "postcode_match",
    ]  # fmt: skip
    assert made["lsoa_code"].tolist()[:4] == [f"E0100000{i}" for i in range(4)]
    assert made["postcode_match"].tolist()[:4] == ["current", "current", "ended", "current"]
    assert made["postcode_match"].isna().tolist() == [False] * 4 + [True] * 3
    report = made.attrs["postcodes"]
    assert (report.rows, report.current, report.ended, report.tidied) == (7, 3, 1, 3)
    assert (report.blank, report.malformed, report.unknown) == (2, 1, 0)
    assert report.malformed_values == ("none",)
    assert made.index.tolist() == records.index.tolist()
    assert "4 of 7 records were located by postcode, 1 of them" in report.sentences[0]


def test_letters_for_digits_are_mended_where_the_postcode_exists():
    records = make_records(["LEI 6AA", "LE4 OSP", "LE4 05P", "LE1 GAA", "LEI 9XX"])
    made = attach_postcodes(records, ONSPD, unmatched="allow")
    assert made["oa_code"].tolist()[:3] == ["E00000000", "E00000004", "E00000004"]
    assert made["oa_code"].isna().tolist() == [False] * 3 + [True] * 2
    report = made.attrs["postcodes"]
    assert (report.repaired, report.malformed) == (3, 2)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0L1 1AA", "OL1 1AA"),
        ("5I 2AB", "S1 2AB"),
        ("SWIA OAA", "SW1A 0AA"),
        ("sel0 oaa", "SE10 0AA"),
        ("E16 4A5", "E16 4AS"),
        ("w1a laa", "W1A 1AA"),
    ],
)
def test_letters_and_digits_are_mended_wherever_they_stand(written, meant):
    known = ["OL1 1AA", "S1 2AB", "SW1A 0AA", "SE10 0AA", "E16 4AS", "W1A 1AA"]
    directory = pd.DataFrame({"pcds": known, "lsoa21": [f"E0100000{i}" for i in range(6)]})
    made = attach_postcodes(make_records([written]), directory)
    assert made["lsoa_code"].tolist() == [f"E0100000{known.index(meant)}"]
    assert made.attrs["postcodes"].repaired == 1


def test_a_postcode_that_may_be_one_of_two_is_not_mended():
    both = pd.DataFrame({"pcds": ["W1S 1AA", "W15 1AA"], "lsoa21": ["E01000003", "E01000004"]})
    made = attach_postcodes(make_records(["WIS 1AA", "W1S 1AA"]), both, unmatched="allow")
    assert made["lsoa_code"].isna().tolist() == [True, False]
    assert made.attrs["postcodes"].malformed_values == ("WIS 1AA",)


def test_a_column_without_any_postcode_is_refused():
    with pytest.raises(UnmatchedError, match=r"2 of 2 values of 'Postcode' .*x, y.*Name the col"):
        attach_postcodes(make_records(["x", "y"]), ONSPD, unmatched="allow")
    assert attach_postcodes(make_records([None, " "]), ONSPD).attrs["postcodes"].blank == 2


def test_options_that_are_no_choice_are_refused():
    records = make_records(["LE1 6AA"])
    with pytest.raises(InputError, match="unmatched is 'drop'"):
        attach_postcodes(records, ONSPD, unmatched="drop")
    with pytest.raises(InputError, match="fallback is 'sectr'"):
        attach_postcodes(records, ONSPD, fallback=["sectr"])
    assert len(attach_postcodes(records, ONSPD, fallback="sector")) == 1


def test_unknown_postcodes_are_listed_and_refused():
    records = make_records(["LE1 6ZZ", "LE1 6ZZ", "AB1 1AA", "LE1 6AA"])
    with pytest.raises(UnmatchedError, match=r"3 of 4 records .*LE1 6ZZ, AB1 1AA.*fallback"):
        attach_postcodes(records, ONSPD)
    made = attach_postcodes(records, ONSPD, unmatched="allow")
    assert made.attrs["postcodes"].unknown_postcodes == ("LE1 6ZZ", "AB1 1AA")
    with pytest.raises(UnmatchedError, match="None matches: check that the directory covers"):
        attach_postcodes(records.iloc[:3], ONSPD, unmatched="allow")


def test_sector_and_district_stand_in_only_when_asked_for():
    records = make_records(["LE1 6ZZ", "LE1 9ZZ", "AB1 1AA", "LE1 6AA"])
    made = attach_postcodes(records, ONSPD, fallback=["sector", "district"], unmatched="allow")
    assert made["postcode_match"].tolist()[:2] == ["sector", "district"]
    assert made["lsoa_code"].iloc[0] == "E01000001"
    assert made["postcode_match"].isna().tolist() == [False, False, True, False]
    report = made.attrs["postcodes"]
    assert (report.by_sector, report.by_district, report.unknown, report.current) == (1, 1, 1, 1)
    assert "their area is a guess" in report.sentences[1]
    only = attach_postcodes(records, ONSPD, fallback=["sector"], unmatched="allow")
    assert only["lsoa_code"].isna().tolist() == [False, True, True, False]


def test_postcodes_without_a_place_are_told():
    made = attach_postcodes(make_records(["LE9 9ZZ", "LE1 6AA"]), ONSPD)
    assert made.attrs["postcodes"].without_place == 1
    assert made["lsoa_code"].notna().all()


def test_tags_attrs_and_repeated_labels_are_kept():
    records = make_records(["LE1 6AA", "LE1 6AB"]).set_axis(["same", "same"], axis=0)
    records.attrs["report"] = "read"
    tag_columns(records, {"Postcode": "personal"})
    before = records.copy()
    made = attach_postcodes(records, ONSPD, take=["lsoa_code"])
    assert made["lsoa_code"].tolist() == ["E01000000", "E01000001"]
    assert column_tags(made) == {"Postcode": "personal"}
    assert made.attrs["report"] == "read"
    pd.testing.assert_frame_equal(records, before)


def test_columns_are_named_when_they_cannot_be_told():
    records = make_records(["LE1 6AA"])
    renamed = records.rename(columns={"Postcode": "where"})
    assert attach_postcodes(renamed, ONSPD, column="where")["lsoa_code"].notna().all()
    with pytest.raises(ColumnError, match="no column 'Postcod'"):
        attach_postcodes(records, ONSPD, column="Postcod")
    with pytest.raises(ColumnError, match="no column 'postcode'"):
        attach_postcodes(records[["value"]], ONSPD)
    with pytest.raises(ColumnError, match=r"both have lsoa_code"):
        attach_postcodes(records.assign(lsoa_code="x"), ONSPD)
    with pytest.raises(ColumnError, match="no column 'imd'"):
        attach_postcodes(records, ONSPD, take=["imd"])


def test_tables_that_are_no_directory_are_refused(tmp_path):
    with pytest.raises(ColumnError, match="tells neither coordinates nor areas"):
        read_postcode_directory(ONSPD[["pcds", "doterm"]])
    with pytest.raises(ColumnError, match="no column 'pcds'"):
        read_postcode_directory(ONSPD[["lsoa21"]])
    with pytest.raises(ColumnError, match="no column 'osnrth1m'"):
        read_postcode_directory(ONSPD[["pcds", "oseast1m"]])
    with pytest.raises(MissingFileError, match="no such file"):
        attach_postcodes(make_records(["LE1 6AA"]), tmp_path / "none.csv")
    with pytest.raises(ColumnError, match="no column 'easting'"):
        attach_postcodes(make_records(["LE1 6ZZ", "LE1 6AA"]), ONSPD[["pcds", "lsoa21"]],
                         fallback=["sector"])  # fmt: skip


def test_postcodes_of_other_shapes_are_found_or_unknown_but_not_malformed():
    directory = pd.DataFrame({"pcds": ["GIR 0AA", "LE1 6AA"], "lsoa21": ["E01000001", "E01000002"]})
    records = make_records(["gir 0aa", "GIR OAA", "G1R 0AA", "BFPO 12", "bfpo801"])
    made = attach_postcodes(records, directory, unmatched="allow")
    assert made["lsoa_code"].tolist()[:3] == ["E01000001"] * 3
    report = made.attrs["postcodes"]
    assert (report.current, report.repaired, report.unknown, report.malformed) == (3, 2, 2, 0)
    assert report.unknown_postcodes == ("BFPO 12", "BFPO 801")


def test_a_directory_of_the_users_that_repeats_a_postcode_is_refused():
    directory = read_postcode_directory(ONSPD)
    with pytest.raises(DuplicateError, match=r"1 postcodes stand more than once \(LE1 6AA\)"):
        attach_postcodes(make_records(["LE1 6AA"]), pd.concat([directory, directory[:1]]))
