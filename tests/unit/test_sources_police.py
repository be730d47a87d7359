"""Reading police.uk files, whole and damaged."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    FileFormatError,
    MissingFileError,
    RecipeError,
)
from placeshaping.sources.offences import CATEGORIES, OFFENCE_TAGS, normalise_category, offence_tag
from placeshaping.sources.police import read_police
from placeshaping.sources.police_files import force_key, parse_month

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context"
)


def line(
    crime_id="",
    month="2024-01",
    lon="0.900000",
    lat="51.890000",
    code="E01021637",
    category="Burglary",
    force="Essex Police",
    outcome="Under investigation",
):
    return (
        f"{crime_id},{month},{force},{force},{lon},{lat},On or near High Street,{code},"
        f"Colchester 018A,{category},{outcome},"
    )


def write(folder: Path, name: str, *lines: str, encoding="utf-8", end="\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(end.join([HEADER, *lines, ""]).encode(encoding))
    return path


def zipped(path: Path, members: dict[str, list[str]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in members.items():
            archive.writestr(name, "\n".join([HEADER, *lines, ""]))
    return path


def test_folder_file_and_archive_give_the_same_events(tmp_path):
    rows = [line("a"), line("b", lon="", lat="", code=""), line(category="Anti-social behaviour")]
    write(tmp_path / "2024-01", "2024-01-essex-street.csv", *rows)
    archive = zipped(tmp_path / "out.zip", {"2024-01/2024-01-essex-street.csv": rows})
    folder = read_police(tmp_path / "2024-01")
    assert list(folder.columns) == [
        "easting", "northing", "period", "area_code", "category", "force",
    ]  # fmt: skip
    for other in (archive, tmp_path / "2024-01" / "2024-01-essex-street.csv"):
        events = read_police(other)
        assert events.drop(columns="force").equals(folder.drop(columns="force"))
    assert folder["category"].tolist() == ["Burglary", "Burglary", "Anti-social behaviour"]
    assert folder["area_code"].isna().tolist() == [False, True, False]
    assert folder["period"].dt.strftime("%Y-%m-%d").unique().tolist() == ["2024-01-01"]


def test_paths_with_spaces_and_accents_are_read(tmp_path):
    folder = tmp_path / "Données de la police été" / "2024 01"
    write(folder, "2024-01-essex-street.csv", line("a"))
    assert len(read_police(folder.parent)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings_and_line_ends_do_not_matter(tmp_path, encoding):
    path = write(
        tmp_path, "2024-01-gwent-street.csv", line("a", category="Café crime"), encoding=encoding,
        end="\r\n",
    )  # fmt: skip
    assert read_police(path)["category"].tolist() == ["Café crime"]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_letter_with_an_accent_far_down_tells_the_encoding(tmp_path, encoding):
    lines = [line(str(number)) for number in range(500)]
    lines.append(line("last", category="Café crime"))
    path = write(tmp_path, "2024-01-gwent-street.csv", *lines, encoding=encoding)
    assert sum(read_police(path)["category"] == "Café crime") == 1


def test_a_bad_number_far_down_is_told(tmp_path):
    lines = [line(str(number)) for number in range(500)]
    for encoding in ("utf-8", "cp1252"):
        bad = [*lines, line("last", lon="west", category="Café crime")]
        path = write(tmp_path, "2024-01-gwent-street.csv", *bad, encoding=encoding)
        with pytest.raises(ColumnError, match="holds 'west', which is no number"):
            read_police(path)


def test_semicolons_and_spreadsheet_months_are_understood(tmp_path):
    path = tmp_path / "resaved.csv"
    path.write_text(
        "Crime ID;Month;Reported by;Longitude;Latitude;LSOA code;Crime type\r\n"
        "a;Jan-24;Essex Police;0.9;51.9;E01021637;Burglary\r\n"
        "b;01/02/2024;Essex Police;0.9;51.9;E01021637;Burglary\r\n"
    )
    events = read_police(path)
    assert events["period"].dt.strftime("%Y-%m").tolist() == ["2024-01", "2024-02"]
    assert events["force"].tolist() == ["essex", "essex"]


def test_equal_rows_without_crime_id_stay_and_are_counted(tmp_path):
    asb = line(category="Anti-social behaviour")
    write(tmp_path, "2024-01-essex-street.csv", asb, asb, asb)
    report = read_police(tmp_path).attrs["report"]
    assert (report.rows_kept, report.duplicates, report.duplicates_kept) == (3, 2, 2)


@pytest.mark.parametrize(
    "other",
    [{"lon": "0.900001"}, {"lat": ""}, {"code": ""}, {"category": "Drugs"}, {"outcome": ""}],
)
def test_rows_that_differ_in_one_column_are_no_duplicates(tmp_path, other):
    write(tmp_path, "2024-01-essex-street.csv", line(), line(**other))
    assert read_police(tmp_path).attrs["report"].duplicates == 0


def test_files_come_in_the_order_of_their_paths_whichever_is_read_first(tmp_path):
    months = [f"20{year}-{month:02}" for year in (23, 24) for month in range(1, 13)]
    members = {
        f"{month}/{month}-{force}-street.csv": [line(f"{force} {month}", month=month)] * (n % 5 + 1)
        for n, month in enumerate(months)
        for force in ("essex", "kent")
    }
    events = read_police(zipped(tmp_path / "out.zip", members))
    assert events["force"].tolist() == ["essex", "kent"] * 24
    assert events["period"].is_monotonic_increasing
    assert events.attrs["report"].repeated_crime_ids == sum(2 * (n % 5) for n in range(24))


def test_a_damaged_member_among_many_is_named(tmp_path):
    members = {f"2024-01-force{n}-street.csv": [line(str(n))] for n in range(20)}
    members["2024-01-force7-street.csv"] = ["cut,short"]
    with pytest.raises(FileFormatError, match=r"force7-street\.csv in out\.zip is cut short"):
        read_police(zipped(tmp_path / "out.zip", members))


def test_a_repeated_crime_id_keeps_the_located_row(tmp_path):
    write(
        tmp_path, "2024-01-essex-street.csv",
        line("a", lon="", lat="", code=""), line("a"), line("b"), line("b"),
    )  # fmt: skip
    events = read_police(tmp_path)
    report = events.attrs["report"]
    assert report.repeated_crime_ids == 2
    assert (report.duplicates, report.duplicates_kept) == (1, 0)
    assert events["easting"].notna().all()


def test_a_crime_id_in_two_months_is_one_crime(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"))
    write(tmp_path, "2024-02-essex-street.csv", line("a", month="2024-02"))
    assert len(read_police(tmp_path)) == 1


def test_one_crime_id_with_two_categories_is_two_offences(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"), line("a", category="Robbery"))
    assert read_police(tmp_path).attrs["report"].repeated_crime_ids == 0


def test_points_off_the_map_are_counted_and_not_located(tmp_path):
    write(
        tmp_path, "2024-01-essex-street.csv",
        line("a", lon="0", lat="0"), line("b", lon="-87.6", lat="41.8"), line("c"),
        line("d", lon="", lat=""),
    )  # fmt: skip
    events = read_police(tmp_path)
    report = events.attrs["report"]
    assert (report.outside, report.without_coordinates) == (2, 1)
    assert np.isnan(events["easting"]).tolist() == [True, True, False, True]


def test_every_row_is_accounted_for(tmp_path):
    write(
        tmp_path, "2024-01-essex-street.csv",
        line("a"), line("a"), line("b", month=""), line("c", category="Drugs"), line("d"),
    )  # fmt: skip
    report = read_police(tmp_path, categories=["burglary"]).attrs["report"]
    total = report.rows_kept + report.not_selected + report.without_month
    assert report.rows_read == total + report.repeated_crime_ids == 5
    assert (report.not_selected, report.without_month, report.repeated_crime_ids) == (1, 1, 1)


def test_months_and_forces_are_selected_and_gaps_told(tmp_path):
    for month in ("2023-12", "2024-01", "2024-03"):
        write(tmp_path / month, f"{month}-essex-street.csv", line(month, month=month))
    write(tmp_path / "2024-01", "2024-01-kent-street.csv", line("k", force="Kent Police"))
    events = read_police(tmp_path, months=("2024-01", "2024-04"))
    report = events.attrs["report"]
    assert report.missing_months == ("2024-02", "2024-04")
    assert report.missing_by_force == {"kent": ("2024-03",)}
    assert (report.first_month, report.last_month) == ("2024-01", "2024-03")
    for name in ("kent", "Kent Police"):
        only = read_police(tmp_path, forces=[name]).attrs["report"]
        assert only.forces == ("kent",)
        assert len(only.files) == 1


def test_code_vintages_are_told_by_month(tmp_path):
    write(tmp_path, "2023-01-essex-street.csv", line("a", month="2023-01"))
    write(tmp_path, "2023-05-essex-street.csv", line("b", month="2023-05", code="E01034000"))
    write(tmp_path, "2023-06-essex-street.csv", line("c", month="2023-06", code="E01034000"))
    write(tmp_path, "2023-07-essex-street.csv", line("d", month="2023-07", code=""))
    report = read_police(tmp_path).attrs["report"]
    assert dict(report.vintages) == {
        "2023-01": "2011", "2023-05": "mixed", "2023-06": "2021", "2023-07": "unknown",
    }  # fmt: skip
    assert report.coded_2021["2023-05"] == 1


def test_a_record_without_category_is_kept_by_name(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a", category=""), line("b"))
    events = read_police(tmp_path)
    assert events["category"].tolist() == ["Not stated", "Burglary"]
    assert events.attrs["report"].without_category == 1


def test_categories_asked_for_stay_even_where_empty(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"))
    events = read_police(tmp_path, categories=["Robbery", "burglary"])
    assert events["category"].cat.categories.tolist() == ["Burglary", "Robbery"]


def test_missing_path_names_near_ones(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"))
    with pytest.raises(MissingFileError, match="2024-01-essex-street"):
        read_police(tmp_path / "2024-01-esex-street.csv")


def test_truncated_archive_is_refused(tmp_path):
    path = zipped(tmp_path / "crime.zip", {"2024-01/2024-01-essex-street.csv": [line("a")] * 500})
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FileFormatError, match=r"crime\.zip is not a whole ZIP archive"):
        read_police(path)


def test_archive_with_a_damaged_member_is_refused(tmp_path):
    path = zipped(tmp_path / "crime.zip", {"2024-01/2024-01-essex-street.csv": [line("a")] * 500})
    raw = bytearray(path.read_bytes())
    raw[120:140] = b"\xff" * 20
    path.write_bytes(bytes(raw))
    with pytest.raises(FileFormatError, match="damaged"):
        read_police(path)


def test_archive_without_street_files_says_what_it_holds(tmp_path):
    path = zipped(tmp_path / "crime.zip", {"2024-01/2024-01-essex-outcomes.csv": [line("a")]})
    with pytest.raises(EmptyError, match=r"no street-level file .*essex-outcomes\.csv"):
        read_police(path)


def test_missing_column_suggests_near_names(tmp_path):
    path = tmp_path / "2024-01-essex-street.csv"
    path.write_text("Month,Longtitude,Latitude,LSOA code,Crime type\n2024-01,1,2,E,Burglary\n")
    with pytest.raises(ColumnError, match=r"'Longitude'\. Did you mean Longtitude"):
        read_police(path)


def test_text_in_a_coordinate_is_refused(tmp_path):
    path = write(tmp_path, "2024-01-essex-street.csv", line("a", lon="east"))
    with pytest.raises(ColumnError, match="holds 'east', which is no number"):
        read_police(path)


def test_file_cut_in_the_middle_of_a_row_is_refused(tmp_path):
    path = write(tmp_path, "2024-01-essex-street.csv", line("a"), "b,2024-01,Essex")
    with pytest.raises(FileFormatError, match="cut short"):
        read_police(path)


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "2024-01-essex-street.csv").write_bytes(b"")
    with pytest.raises(FileFormatError, match="is empty"):
        read_police(tmp_path)


def test_month_that_is_no_month_is_refused(tmp_path):
    path = write(tmp_path, "2024-01-essex-street.csv", line("a", month="soon"))
    with pytest.raises(ColumnError, match="'soon', which is no month"):
        read_police(path)


def test_same_file_twice_is_refused(tmp_path):
    write(tmp_path / "a", "2024-01-essex-street.csv", line("a"))
    write(tmp_path / "b", "2024-01-essex-street.csv", line("a"))
    with pytest.raises(DuplicateError, match="stand more than once"):
        read_police(tmp_path)


def test_empty_selection_says_what_there_is(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"))
    with pytest.raises(EmptyError, match=r"2024-01 to 2024-01 \(1 months\) of essex"):
        read_police(tmp_path, months=("2025-01", "2025-02"))
    with pytest.raises(EmptyError, match="essex"):
        read_police(tmp_path, forces=["kent"])
    with pytest.raises(EmptyError, match="no force kent"):
        read_police(tmp_path, forces=["essex", "kent"])
    with pytest.raises(EmptyError, match="with Burglary"):
        read_police(tmp_path, categories=["Drugs"])


def test_unknown_category_suggests_near_ones(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"))
    with pytest.raises(ColumnError, match="Did you mean Burglary"):
        read_police(tmp_path, categories=["Burglery"])


@pytest.mark.parametrize("months", [("2024", "2025"), ("2024-13", "2025-01")])
def test_months_must_be_months(tmp_path, months):
    with pytest.raises(RecipeError, match="is not a month"):
        read_police(tmp_path, months=months)


def test_months_must_be_in_order(tmp_path):
    with pytest.raises(RecipeError, match="comes after"):
        read_police(tmp_path, months=("2024-02", "2024-01"))


def test_offences_are_tagged_as_the_methods_say():
    assert {offence_tag(name) for name in CATEGORIES} == {"reported", "mixed", "discovered"}
    assert sorted(n for n in CATEGORIES if OFFENCE_TAGS[n] == "discovered") == [
        "Drugs", "Possession of weapons", "Public order",
    ]  # fmt: skip
    assert offence_tag("violence and sexual offences") == "mixed"
    with pytest.raises(ColumnError, match="is not a category"):
        offence_tag("Fly-tipping")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Criminal damage & arson", "Criminal damage and arson"),
        ("VIOLENCE AND SEXUAL OFFENCES", "Violence and sexual offences"),
        ("theft-from-the-person", "Theft from the person"),
        ("Public disorder and weapons", "Public disorder and weapons"),
        ("Violent crime", "Violent crime"),
    ],
)
def test_only_spelling_is_normalised(old, new):
    assert normalise_category(old) == new


def test_forces_are_known_by_any_of_their_names():
    assert force_key("Devon & Cornwall Police") == force_key("devon-and-cornwall")
    assert force_key("Police Service of Northern Ireland") == force_key("northern-ireland")
    assert force_key("btp") == force_key("British Transport Police")


def test_months_are_read_in_the_forms_of_spreadsheets():
    forms = ("2024-02", "Feb-24", "01/02/2024", "2024-02-01", "02/2024", "February 2024")
    assert {parse_month(text) for text in forms} == {"2024-02"}


def test_a_single_name_is_one_force_or_category(tmp_path):
    write(tmp_path, "2024-01-essex-street.csv", line("a"), line("b", category="Drugs"))
    write(tmp_path, "2024-01-kent-street.csv", line("c", force="Kent Police"))
    events = read_police(tmp_path, forces="essex", categories="burglary")
    listed = read_police(tmp_path, forces=["essex"], categories=["burglary"])
    assert events.attrs["report"] == listed.attrs["report"]
    assert len(events) == 1
