"""Any table, whatever its encoding, delimiter, sheet or header row."""

from __future__ import annotations

import gzip
import zipfile
from datetime import datetime

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely.geometry import Point, box

from placeshaping._core.errors import EmptyError, FileFormatError, MissingFileError
from placeshaping.sources.tabular import read_table
from placeshaping.sources.values import to_dates, to_numbers, to_postcodes


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_delimiter_and_line_ends_are_found_out(tmp_path, delimiter, encoding, end):
    rows = ["Café,Total", "Rhôs-ym,1", "B,2", "C,3"]
    text = end.join(row.replace(",", delimiter) for row in rows) + end
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    raw = mark + text.encode(encoding)
    (tmp_path / "a.csv").write_bytes(raw)
    table = read_table(tmp_path / "a.csv")
    assert table["Café"].tolist() == ["Rhôs-ym", "B", "C"]
    assert table["Total"].tolist() == ["1", "2", "3"]
    report = table.attrs["report"]
    assert report.delimiter == delimiter
    assert report.encoding == encoding.replace("utf-16-le", "utf-16")


def test_quoted_delimiters_and_line_breaks_stay_in_their_cell(tmp_path):
    (tmp_path / "a.csv").write_text('place,n\n"High Street,\nColchester",3\nB,4\n')
    table = read_table(tmp_path / "a.csv")
    assert table["place"].tolist() == ["High Street,\nColchester", "B"]


def test_gzip_and_zip_are_unpacked(tmp_path):
    raw = b"a,b\n1,2\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(raw))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/a.csv", raw)
    for name in ("a.csv.gz", "a.zip"):
        assert read_table(tmp_path / name).to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_empty_rows_are_dropped_and_counted_and_row_numbers_kept(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n,\n\n  , \n3,4\n")
    table = read_table(tmp_path / "a.csv")
    assert table["a"].tolist() == ["1", "3"]
    assert table.index.tolist() == [2, 6]
    assert table.attrs["report"].empty_rows == 3


def test_titles_above_the_header_are_passed_over(tmp_path):
    (tmp_path / "a.csv").write_text("Visits in 2024\n\nplace,kind,visits\nA,x,1\nB,y,2\n")
    table = read_table(tmp_path / "a.csv")
    assert list(table.columns) == ["place", "kind", "visits"]
    assert table.attrs["report"].header_row == 3
    assert table.index.tolist() == [4, 5]


def test_short_rows_are_filled_and_long_ones_counted(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c\n1,2\n1,2,3,,\n1,2,3,4\n")
    table = read_table(tmp_path / "a.csv")
    assert table.index.tolist() == [2, 3]
    assert table["c"].fillna("-").tolist() == ["-", "3"]
    assert table.attrs["report"].ragged_rows == 1


def test_unnamed_and_repeated_columns_get_names(tmp_path):
    (tmp_path / "a.csv").write_text("a,,a\n1,2,3\n")
    assert list(read_table(tmp_path / "a.csv").columns) == ["a", "column 2", "a (2)"]


def workbook(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        tab = book.create_sheet(name)
        for row in rows:
            tab.append(row)
    book.save(path)


def test_the_largest_sheet_is_read_and_its_header_found(tmp_path):
    path = tmp_path / "été 2024.xlsx"
    rows = [["Table 1"], [], ["Date", "Place", "n"]]
    rows += [
        [datetime.fromisoformat(f"2024-02-{day:02d}"), f"P{day}", 2.0 * day] for day in range(1, 5)
    ]
    rows += [[None, None, None], ["", None, None]]
    workbook(path, {"Notes": [["Read me"]], "Data": rows})
    table = read_table(path)
    assert table["Date"].tolist()[0] == "2024-02-01"
    assert table["n"].tolist() == ["2", "4", "6", "8"]
    report = table.attrs["report"]
    assert (report.sheet, report.header_row) == ("Data", 3)
    assert table.index.tolist() == [4, 5, 6, 7]
    assert read_table(path, sheet="Data").equals(table)
    with pytest.raises(FileFormatError, match=r"no sheet 'Date'\. Did you mean Data"):
        read_table(path, sheet="Date")


def test_parquet_keeps_its_types(tmp_path):
    frame = pd.DataFrame({"n": [1, 2], "when": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    frame.to_parquet(tmp_path / "a.parquet")
    table = read_table(tmp_path / "a.parquet")
    assert table["n"].tolist() == [1, 2]
    assert pd.api.types.is_datetime64_any_dtype(table["when"])


@pytest.mark.parametrize("crs", [4326, 27700])
def test_points_give_their_coordinates(tmp_path, crs):
    points = gpd.GeoDataFrame({"name": ["A"]}, geometry=[Point(450_000, 300_000)], crs=27700)
    points.to_crs(crs).to_file(tmp_path / "a.gpkg")
    table = read_table(tmp_path / "a.gpkg")
    if crs == 27700:
        np.testing.assert_allclose(table[["easting", "northing"]], [[450_000, 300_000]])
    else:
        np.testing.assert_allclose(table[["longitude", "latitude"]], [[-1.26, 52.6]], atol=0.02)


def test_outlines_give_a_point_inside(tmp_path):
    parks = gpd.GeoDataFrame({"name": ["A"]}, geometry=[box(4e5, 3e5, 4.1e5, 3.1e5)], crs=27700)
    parks.to_file(tmp_path / "a.gpkg")
    assert 4e5 < read_table(tmp_path / "a.gpkg")["easting"].item() < 4.1e5


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.parquet", "a.gpkg"])
def test_empty_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(FileFormatError, match=name.replace(".", r"\.")):
        read_table(tmp_path / name)


def test_damaged_files_are_refused(tmp_path):
    raw = gzip.compress(b"a,b\n" + b"1,2\n" * 5000)
    (tmp_path / "a.csv.gz").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FileFormatError, match="cut short or damaged"):
        read_table(tmp_path / "a.csv.gz")
    workbook(tmp_path / "a.xlsx", {"Data": [["a"], [1]]})
    raw = (tmp_path / "a.xlsx").read_bytes()
    (tmp_path / "b.xlsx").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FileFormatError, match="damaged or no workbook"):
        read_table(tmp_path / "b.xlsx")
    pd.DataFrame({"a": range(1000)}).to_parquet(tmp_path / "a.parquet")
    raw = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FileFormatError, match="no whole Parquet file"):
        read_table(tmp_path / "b.parquet")


def test_binary_named_csv_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"%PDF-1.7\x00\x01" * 20)
    with pytest.raises(FileFormatError, match="is not text"):
        read_table(tmp_path / "a.csv")


def test_header_alone_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(EmptyError, match="no rows under its header"):
        read_table(tmp_path / "a.csv")


def test_other_formats_and_folders_are_refused(tmp_path):
    (tmp_path / "a.ods").write_bytes(b"PK\x03\x04")
    with pytest.raises(FileFormatError, match=r"\.ods is not read. Save it as \.xlsx"):
        read_table(tmp_path / "a.ods")
    with pytest.raises(FileFormatError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(MissingFileError, match="no such file"):
        read_table(tmp_path / "none.csv")


def test_archive_of_several_tables_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")
    with pytest.raises(FileFormatError, match=r"holds 2 tables \(a\.csv, b\.csv\)"):
        read_table(tmp_path / "a.zip")


def test_numbers_are_read_as_people_write_them():
    written = [
        "1,296",
        "-1,296.5",
        "£2,000",
        "12 %",
        "(7)",
        "1 234",
        "\u22125",
        "1e3",
        "12,34",
        "x",
    ]
    read = to_numbers(pd.Series(written)).tolist()
    assert read[:8] == [1296, -1296.5, 2000, 12, -7, 1234, -5, 1000]
    assert np.isnan(read[8:]).all()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("03/02/2024", "2024-02-03"),
        ("3/2/24", "2024-02-03"),
        ("03.02.2024", "2024-02-03"),
        ("03-02-2024 14:30", "2024-02-03"),
        ("2024-02-03", "2024-02-03"),
        ("2024-02-03T14:30:00Z", "2024-02-03"),
        ("3 February 2024", "2024-02-03"),
        ("Sat 3 Feb 2024", "2024-02-03"),
        ("45325", "2024-02-03"),
        ("45325.75", "2024-02-03"),
        ("2024-02", "2024-02-01"),
        ("Feb-24", "2024-02-01"),
        ("202402", "2024-02-01"),
        ("2024", "2024-01-01"),
    ],
)
def test_dates_are_read_in_british_order(text, day):
    assert str(to_dates(pd.Series([text]))[0].date()) == day


@pytest.mark.parametrize(
    "text", ["31/31/2024", "01/31/2024", "soon", "7", "", "99999999", "30/02/2024"]
)
def test_what_is_no_british_date_is_missing(text):
    assert to_dates(pd.Series([text])).isna().all()


def test_american_order_is_read_when_asked_for():
    read = to_dates(pd.Series(["01/31/2024", "02/03/2024"]), order="american")
    assert read.dt.strftime("%Y-%m-%d").tolist() == ["2024-01-31", "2024-02-03"]


def test_clock_times_in_zones_become_london_time():
    stamps = pd.Series(pd.to_datetime(["2024-07-01T23:30:00Z"]))
    assert str(to_dates(stamps)[0]) == "2024-07-02 00:30:00"


def test_postcodes_are_normalised():
    read = to_postcodes(pd.Series(["sw1a1aa", "M1 1AE", " co4-3sq", "LEICESTER", None]))
    assert read.fillna("-").tolist() == ["SW1A 1AA", "M1 1AE", "CO4 3SQ", "-", "-"]


def test_postcodes_of_other_shapes_are_postcodes():
    given = ["gir0aa", "GIR 0AA", "bfpo 1", "BFPO12", "BFPO 801", "BF1 2AT", "GIR 1AA", "BFPO"]
    read = to_postcodes(pd.Series([*given, "BFPOX", "BFPO 12345", None]))
    assert read.tolist()[:6] == ["GIR 0AA", "GIR 0AA", "BFPO 1", "BFPO 12", "BFPO 801", "BF1 2AT"]
    assert read.isna().tolist() == [False] * 6 + [True] * 5
