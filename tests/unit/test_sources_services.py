"""Records of services: columns guessed, dates British, places checked."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely.geometry import Point

from placeshaping._core.errors import ColumnError, CRSError, EmptyError
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.places import read_postcodes
from placeshaping.sources.services import read_services

COLUMNS = ["easting", "northing", "period", "time", "category", "area_code"]


def csv(tmp_path, text, *, name="records.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_councils_export_is_read_without_a_mapping(tmp_path):
    path = csv(
        tmp_path,
        "Ref;Date reported;Type;Easting;Northing;Location\r\n"
        "1;03/02/2024 09:15;Fly-tipping;458700;304600;Caf\xe9\r\n"
        "2;13/02/2024 10:00;Graffiti;458800;304700;B\r\n"
        ";;;;;\r\n",
        encoding="cp1252",
    )
    events = read_services(path)
    assert list(events.columns) == COLUMNS
    assert events["period"].dt.strftime("%Y-%m-%d").tolist() == ["2024-02-01"] * 2
    assert events["time"].dt.strftime("%d %H:%M").tolist() == ["03 09:15", "13 10:00"]
    assert events["category"].tolist() == ["Fly-tipping", "Graffiti"]
    assert events["easting"].tolist() == [458700, 458800]
    report = events.attrs["report"]
    assert report.guessed
    assert report.columns == {
        "date": "Date reported", "easting": "Easting", "northing": "Northing", "category": "Type",
    }  # fmt: skip
    assert (report.table.empty_rows, report.table.encoding) == (1, "cp1252")
    assert report.ambiguous_dates == 0  # the 13th shows the order


def test_dates_of_either_order_are_counted(tmp_path):
    path = csv(
        tmp_path, "Date,Easting,Northing\n03/02/2024,458700,304600\n04/04/2024,458700,304600\n"
    )
    assert read_services(path).attrs["report"].ambiguous_dates == 1


def test_columns_not_needed_are_not_carried_on(tmp_path):
    path = csv(tmp_path, "Date,Lat,Lon,Name,Email\n03/02/2024,52.6,-1.1,Ann,a@example.org\n")
    assert not {"Name", "Email"} & set(read_services(path).columns)


def test_the_same_records_from_every_format(tmp_path):
    rows = {"Date": ["2024-02-03", "2024-03-13"], "Easting": [458700, 458800],
            "Northing": [304600, 304700]}  # fmt: skip
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.assign(Date=pd.to_datetime(frame["Date"])).to_parquet(tmp_path / "a.parquet")
    book = openpyxl.Workbook()
    book.active.append(list(rows))
    for date, x, y in zip(*rows.values(), strict=True):
        book.active.append([datetime.fromisoformat(date), x, y])
    book.save(tmp_path / "a.xlsx")
    points = [Point(x, y) for x, y in zip(rows["Easting"], rows["Northing"], strict=True)]
    gpd.GeoDataFrame(frame[["Date"]], geometry=points, crs=27700).to_file(tmp_path / "a.gpkg")
    expected = read_services(tmp_path / "a.csv")
    for name in ("a.parquet", "a.xlsx", "a.gpkg"):
        pd.testing.assert_frame_equal(read_services(tmp_path / name), expected)


def test_a_mapping_is_taken_as_it_is(tmp_path):
    path = csv(tmp_path, "seen,x,y,what\n01/04/2024,458700,304600,A\n")
    mapping = {"date": "seen", "easting": "x", "northing": "y", "category": "what"}
    events = read_services(path, columns=mapping)
    assert events["category"].tolist() == ["A"]
    assert not events.attrs["report"].guessed
    with pytest.raises(ColumnError, match=r"no column 'whta'\. Did you mean what"):
        read_services(path, columns={**mapping, "category": "whta"})
    with pytest.raises(ColumnError, match=r"no role 'dates' for a column\. Did you mean date"):
        read_services(path, columns={"dates": "seen"})
    with pytest.raises(ColumnError, match="easting is mapped but northing is not"):
        read_services(path, columns={"easting": "x"})


def test_counted_records_keep_their_counts(tmp_path):
    path = csv(tmp_path, "month,lsoa,kind,reports\n2018-01,E01000014,A,3\n2018-03,E01000025,B,\n"
                         "2018-03,E01000025,B,2\n")  # fmt: skip
    events = read_services(path)
    assert events["count"].tolist() == [3, 2]
    assert events["count"].dtype == "int64"
    assert events["area_code"].tolist() == ["E01000014", "E01000025"]
    assert "time" not in events.columns
    report = events.attrs["report"]
    assert report.without_count == 1
    assert report.missing_months == ("2018-02",)
    assert report.columns["count"] == "reports"


def test_fractions_are_no_counts(tmp_path):
    path = csv(tmp_path, "month,lsoa,mean\n2018-01,E01000014,1.5\n")
    with pytest.raises(ColumnError, match="are no counts"):
        read_services(path, columns={"date": "month", "area_code": "lsoa", "count": "mean"})


@pytest.mark.parametrize(("bad", "told"), [("1.5", "row 4: 1.5"), ("-2", "row 4: -2")])
@pytest.mark.parametrize("name", ["count", "Reports", "number"])
def test_one_bad_value_does_not_make_a_column_of_counts_vanish(tmp_path, name, bad, told):
    rows = "".join(f"2018-01,E01000014,{n}\n" for n in (4, 7, bad, 3, 5))
    path = csv(tmp_path, f"month,lsoa,{name}\n{rows}")
    with pytest.raises(ColumnError, match=rf"1 values of '{name}'.*{told}.*without count"):
        read_services(path)
    events = read_services(path, columns={"date": "month", "area_code": "lsoa"})
    assert "count" not in events


def test_counts_hidden_by_a_mark_are_refused(tmp_path):
    rows = "".join(f"2018-01,E01000014,{n}\n" for n in (12, "<5", "<5"))
    path = csv(tmp_path, f"month,lsoa,reports\n{rows}")
    with pytest.raises(
        ColumnError, match=r"2 values of 'reports' are no counts \(row 3: <5, row 4"
    ):
        read_services(path)


def test_unreadable_dates_are_left_out_and_told_by_row(tmp_path):
    rows = "".join(f"{day:02d}/02/2024,458700,304600\n" for day in range(1, 25))
    path = csv(tmp_path, f"Date,Easting,Northing\n{rows}soon,458700,304600\n,458700,304600\n")
    report = read_services(path).attrs["report"]
    assert (report.rows_read, report.rows_kept, report.without_date) == (26, 24, 2)
    assert report.undated_rows == (26, 27)


def test_dates_in_american_order_are_refused_until_named(tmp_path):
    path = csv(
        tmp_path, "Date,Easting,Northing\n01/31/2024,458700,304600\n02/03/2024,458700,304600\n"
    )
    with pytest.raises(ColumnError, match="fit the american order only"):
        read_services(path)
    events = read_services(path, date_order="american")
    assert events["period"].dt.month.tolist() == [1, 2]
    with pytest.raises(ColumnError, match="Use 'british'"):
        read_services(path, date_order="us")


def test_spreadsheet_day_numbers_are_dates(tmp_path):
    path = csv(tmp_path, "Date,Easting,Northing\n45325,458700,304600\n45326,458700,304600\n")
    assert read_services(path)["time"].dt.day.tolist() == [3, 4]


def test_a_column_without_dates_is_refused(tmp_path):
    path = csv(tmp_path, "Date,Easting,Northing\nsoon,458700,304600\n")
    with pytest.raises(ColumnError, match=r"holds no date \(soon\)"):
        read_services(path, columns={"date": "Date", "easting": "Easting", "northing": "Northing"})


def test_places_without_dates_have_no_period(tmp_path):
    path = csv(tmp_path, "name,lon,lat\nA,-1.133,52.636\n")
    events = read_services(path, category="Library")
    assert events["period"].isna().all()
    assert events["category"].tolist() == ["Library"]
    assert events.attrs["report"].first_month is None
    assert abs(events["easting"].item() - 458_700) < 100


def test_places_not_located_are_counted_by_reason(tmp_path):
    path = csv(
        tmp_path,
        "Easting,Northing\n458700,304600\n0,0\n,\n458700,east\n458700,\n9999999,5\n458700,304600\n"
        "458700,304601\n458700,304602\n",
    )
    events = read_services(path, columns={"easting": "Easting", "northing": "Northing"})
    report = events.attrs["report"]
    assert report.table.empty_rows == 1
    assert (report.null_island, report.outside, report.unreadable_coordinates) == (1, 1, 2)
    assert report.without_coordinates == 0
    assert int(np.isnan(events["easting"]).sum()) == 4


def test_null_island_in_degrees_is_not_located(tmp_path):
    path = csv(tmp_path, "lon,lat\n0,0\n-1.133,52.636\n0.0,51.5\n")
    events = read_services(path)
    assert events.attrs["report"].null_island == 1
    assert events["easting"].isna().tolist() == [True, False, False]


def test_metres_in_degrees_and_the_reverse_are_refused(tmp_path):
    metres = csv(tmp_path, "lon,lat\n458700,304600\n458800,304600\n")
    with pytest.raises(CRSError, match=r"taken as degrees but hold .* those are metres"):
        read_services(metres)
    degrees = csv(tmp_path, "easting,northing\n-1.1,52.6\n-1.2,52.5\n")
    with pytest.raises(CRSError, match=r"taken as metres but hold .* those are degrees"):
        read_services(degrees)


def test_exchanged_longitude_and_latitude_are_refused(tmp_path):
    path = csv(tmp_path, "lon,lat\n52.6,-1.1\n52.5,-1.2\n")
    with pytest.raises(CRSError, match="Map longitude to 'lat' and latitude to 'lon'"):
        read_services(path)


def test_records_all_abroad_are_refused(tmp_path):
    path = csv(tmp_path, "lon,lat\n-87.6,41.8\n-87.7,41.9\n")
    with pytest.raises(CRSError, match="none of its 2 located records lies in the United Kingdom"):
        read_services(path)


def test_decimal_commas_are_coordinates(tmp_path):
    path = csv(tmp_path, "lon;lat\n-1,133;52,636\n-1,134;52,637\n")
    assert abs(read_services(path)["easting"].iloc[0] - 458_700) < 100


def test_postcodes_locate_records_by_a_lookup(tmp_path):
    path = csv(
        tmp_path, "Date,Postcode\n03/02/2024,le16xx\n04/02/2024,CO4 3SQ\n05/02/2024,LE1 7ZZ\n"
    )
    with pytest.raises(
        ColumnError, match=r"by postcode alone \(Postcode\)\. Give postcodes= .records\.postcodes"
    ):
        read_services(path)
    lookup = csv(
        tmp_path, "pcds,oseast1m,osnrth1m\nLE1 6XX,458700,304600\nCO4 3SQ,0600000,0225000\n",
        name="pc.csv",
    )  # fmt: skip
    events = read_services(path, postcodes=lookup)
    assert events["easting"].tolist()[:2] == [458700, 600000]
    report = events.attrs["report"]
    assert (report.located_by_postcode, report.unknown_postcodes) == (2, 1)
    assert report.without_coordinates == 1
    frame = pd.read_csv(lookup)
    pd.testing.assert_frame_equal(read_services(path, postcodes=frame), events)


def test_a_postcode_lookup_needs_places(tmp_path):
    with pytest.raises(ColumnError, match="neither coordinates nor areas"):
        read_postcodes(pd.DataFrame({"pcds": ["LE1 6XX"], "name": ["A"]}))
    with pytest.raises(ColumnError, match=r"no easting and northing.*It tells: lsoa_code\."):
        read_postcodes(pd.DataFrame({"pcds": ["LE1 6XX"], "lsoa21": ["E01033561"]}))
    with pytest.raises(ColumnError, match="no column 'pcds'"):
        read_postcodes(pd.DataFrame({"name": ["A"]}))


def test_postcodes_are_mended_and_ended_ones_told(tmp_path):
    path = csv(tmp_path, "Postcode\nLEI 6XX\nle1 6x-x\nCO4 35Q\nCO4 3SQ\nLE1 7ZZ\n\n", name="r.csv")
    lookup = csv(
        tmp_path,
        "pcds,doterm,oseast1m,osnrth1m\nLE1 6XX,201512,1000,1000\nLE1 6XX,,458700,304600\n"
        "CO4 3SQ,201001,600000,225000\n",
        name="pc.csv",
    )
    for given in (lookup, read_postcodes(lookup), pd.read_csv(lookup)):
        events = read_services(path, columns={"postcode": "Postcode"}, postcodes=given)
        assert events["easting"].tolist()[:4] == [458700, 458700, 600000, 600000]
        report = events.attrs["report"]
        assert (report.located_by_postcode, report.unknown_postcodes) == (4, 1)
        assert (report.mended_postcodes, report.ended_postcodes) == (2, 2)


def test_newer_layout_of_the_postcode_directory_locates_records(tmp_path):
    path = csv(tmp_path, "Date,Postcode\n03/02/2024,le16xx\n")
    columns = {"PCDS": ["LE1 6XX"], "EAST1M": ["458700"], "NORTH1M": ["304600"], "DOTERM": [None]}
    assert read_services(path, postcodes=pd.DataFrame(columns))["easting"].tolist() == [458700]


def test_a_file_without_places_names_near_columns(tmp_path):
    path = csv(tmp_path, "Date,Longtitude,Latitud\n03/02/2024,-1.1,52.6\n")
    with pytest.raises(ColumnError, match=r"where a record lies .*Is it Longtitude"):
        read_services(path)


def test_no_usable_record_is_refused(tmp_path):
    path = csv(tmp_path, "Date,Easting,Northing,Much\n03/02/2024,458700,304600,\n")
    mapping = {"date": "Date", "easting": "Easting", "northing": "Northing", "count": "Much"}
    with pytest.raises(EmptyError, match="no usable record"):
        read_services(path, columns=mapping)
    with pytest.raises(ColumnError, match=r"1 values of 'Date' are no counts \(row 2: 03/02/2024"):
        read_services(path, columns={**mapping, "count": "Date"})


def test_words_for_nothing_are_nothing(tmp_path):
    rows = ["-1.1,52.6,NA,E01000001", "NA,NA,Shop,N/A", *["-1.2,52.6,Shop,E01000002"] * 3]
    path = csv(tmp_path, "\n".join(["lon,lat,type,lsoa", *rows]))
    events = read_services(path)
    assert events["category"].tolist()[:2] == ["Not stated", "Shop"]
    assert events["area_code"].isna().tolist()[:2] == [False, True]
    assert events.attrs["report"].without_coordinates == 1


def test_rows_that_say_nothing_are_blank(tmp_path):
    path = csv(tmp_path, "Date,lon,lat,link\n03/02/2024,-1.1,52.6,u\n,,,u\n,,,u\n")
    report = read_services(path).attrs["report"]
    assert (report.rows_read, report.blank_rows, report.without_date) == (3, 2, 0)


@pytest.mark.parametrize(
    ("columns", "role", "expected"),
    [
        ({"EXTRACTDATE": ["10/10/2014"] * 2, "CASEDATE": ["07/03/2005", "25/03/2005"]},
         "date", "CASEDATE"),
        ({"Date of birth": ["07/03/1985", "25/03/1990"]}, "date", None),
        ({"Month": ["2024-01", "2024-02"], "Closed date": ["07/03/2005", "25/03/2005"]},
         "date", "Month"),
        ({"LAD": ["E07000001"] * 2, "LSOA": ["E01000001"] * 2}, "area_code", "LSOA"),
        ({"Latitude": ["52", "53"], "Longitude": ["-1", "-2"], "Area code": ["E08000001"] * 2},
         "area_code", None),
        ({"x": ["-1.1", "-1.2"], "y": ["52.1", "52.2"]}, "longitude", "x"),
        ({"x": ["458700", "458800"], "y": ["304600", "304700"]}, "easting", "x"),
        ({"Subject": ["A", "A", "B", "B"]}, "category", "Subject"),
        ({"number": ["12a", "14"]}, "count", None),
        ({"cases": ["open", "closed"]}, "count", None),
        ({"cases": ["1", "-2"]}, "count", "cases"),
        ({"postcode": ["LE1 6XX", "unknown place"]}, "postcode", None),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_name_and_content(columns, role, expected):
    assert guess_columns(pd.DataFrame(columns)).get(role) == expected
