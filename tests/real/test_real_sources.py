"""Every kind of real file, against counts made apart with csv, zipfile, sqlite3 and pandas."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from placeshaping._core.codes import made_for_2021
from placeshaping._core.columns import column_tags
from placeshaping._core.errors import ColumnError, CRSError, DuplicateError, GeometryError
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.inspection import inspect_file
from placeshaping.sources.deprivation import read_deprivation
from placeshaping.sources.police import read_police
from placeshaping.sources.populations import read_population
from placeshaping.sources.services import read_services
from placeshaping.sources.tabular import read_table

pytestmark = pytest.mark.real


def raw_rows(path: Path, *, encoding: str = "utf-8-sig") -> list[dict[str, str]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(data.decode(encoding), newline="")))


def police_rows(path: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode("utf-8-sig")
            rows += csv.DictReader(io.StringIO(text, newline=""))
    return rows


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("essex", "2018-10", "2025-12"), ("leicestershire", "2023-01", "2025-12")],
)
def test_police_archives_agree_with_a_plain_count(real_data, name, first, last):
    path = real_data / "police_uk" / f"{name}.zip"
    rows = police_rows(path)
    events = read_police(path)
    report = events.attrs["report"]
    ids = Counter((r["Crime ID"], r["Crime type"]) for r in rows if r["Crime ID"])
    repeated = sum(n - 1 for n in ids.values())
    equal = sum(n - 1 for n in Counter(tuple(r.values()) for r in rows).values())
    assert report.rows_read == len(rows)
    assert report.repeated_crime_ids == repeated
    assert report.rows_kept == len(events) == len(rows) - repeated
    assert (report.duplicates, report.duplicates_kept) == (equal, equal)
    assert report.not_selected == report.without_month == report.without_category == 0
    # one Crime ID of Essex stands twice, located once: the row without a place is left out
    gone = sum(1 for r in rows if not r["Longitude"]) - report.without_coordinates
    assert gone == repeated
    assert (report.first_month, report.last_month) == (first, last)
    months = sorted({r["Month"] for r in rows})
    span = [str(p) for p in pd.period_range(first, last, freq="M")]
    assert report.missing_months == tuple(m for m in span if m not in months)
    for month in months:
        coded = sum(1 for r in rows if r["Month"] == month and made_for_2021(r["LSOA code"]))
        assert report.coded_2021[month] == coded
        era = "2011" if not coded else "mixed" if month < "2023-06" else "2021"
        assert report.vintages[month] == era
    held = Counter((r["LSOA code"], r["Month"], r["Crime type"]) for r in rows if r["LSOA code"])
    ours = events.dropna(subset=["area_code"])
    month = ours["period"].dt.strftime("%Y-%m")
    assert Counter(zip(ours["area_code"], month, ours["category"], strict=True)) == held


def test_police_points_agree_with_geopandas(real_data):
    import geopandas as gpd

    path = real_data / "police_uk" / "essex.zip"
    member = "2025-06/2025-06-essex-street.csv"
    with zipfile.ZipFile(path) as archive:
        raw = pd.read_csv(archive.open(member)).dropna(subset=["Longitude"])
    points = gpd.GeoSeries.from_xy(raw["Longitude"], raw["Latitude"], crs=4326).to_crs(27700)
    events = read_police(path, months=("2025-06", "2025-06")).dropna(subset=["easting"])
    assert len(events) == len(raw)
    assert abs(events["easting"].to_numpy() - points.x.to_numpy()).max() < 0.01
    assert abs(events["northing"].to_numpy() - points.y.to_numpy()).max() < 0.01


def test_a_selection_of_both_forces_is_counted_right(real_data):
    folder = real_data / "police_uk"
    events = read_police(folder, months=("2024-03", "2024-06"), categories=["burglary", "Robbery"])
    expected: Counter[tuple[str, str, str]] = Counter()
    for force in ("essex", "leicestershire"):
        for row in police_rows(folder / f"{force}.zip"):
            if "2024-03" <= row["Month"] <= "2024-06" and row["Crime type"] in {
                "Burglary",
                "Robbery",
            }:
                expected[force, row["Month"], row["Crime type"]] += 1
    month = events["period"].dt.strftime("%Y-%m")
    assert Counter(zip(events["force"], month, events["category"], strict=True)) == expected
    report = events.attrs["report"]
    assert report.missing_months == ()
    assert report.missing_by_force == {"essex": ("2024-05", "2024-06")}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_three_years_are_read_in_two_seconds_and_half_a_gigabyte(real_data):
    path = real_data / "police_uk" / "leicestershire.zip"
    code = (
        "import sys, time\n"
        "from placeshaping.sources.police import read_police\n"
        "started = time.process_time()\n"
        "events = read_police(sys.argv[1])\n"
        "spent = time.process_time() - started\n"
        "held = open('/proc/self/status').read().split('VmHWM:')[1].split()[0]\n"
        "print(len(events), spent, held)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    rows, seconds, peak = done.stdout.split()
    assert int(rows) == 324_093
    assert float(seconds) < 4  # CPU seconds of all threads; about 1.5 on the reference machine
    assert int(peak) < 500_000


BOUNDARIES = {
    "lad_2024.gpkg": ("LAD24CD", "district", None),
    "msoa_2021_ew.gpkg": ("MSOA21CD", "msoa", "2021"),
    "pfa_2020.gpkg": ("PFA20CD", "police_force", None),
}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_geopackages_agree_with_sqlite(real_data, name):
    column, level, vintage = BOUNDARIES[name]
    path = real_data / "boundaries" / name
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as base:
        table = name.removesuffix(".gpkg")
        query = f"select {column}, {column[:-2]}NM from {table} order by fid"
        expected = base.execute(query).fetchall()
    areas = read_boundaries(path)
    assert list(zip(areas.index, areas["area_name"], strict=True)) == expected
    assert (areas.attrs["level"], areas.attrs["vintage"]) == (level, vintage)
    assert areas.is_valid.all()


def test_a_ward_that_stands_twice_is_refused_and_can_be_dissolved(real_data):
    path = real_data / "boundaries" / "ward_2022.gpkg"
    with pytest.raises(DuplicateError, match=r"1 area codes stand more than once \(E05014284\)"):
        read_boundaries(path)
    assert len(read_boundaries(path, duplicates="dissolve")) == 8_482


@pytest.mark.parametrize(("year", "count", "invalid"), [("2021", 35_672, 8), ("2011", 34_753, 6)])
def test_national_geoparquet_is_whole_and_repaired(real_data, year, count, invalid):
    path = real_data / "boundaries" / f"lsoa_{year}_ew.parquet"
    column = f"LSOA{year[2:]}CD"
    codes = pd.read_parquet(path, columns=[column])[column].tolist()
    areas = read_boundaries(path)
    assert areas.index.tolist() == codes
    assert len(areas) == count
    assert areas.attrs["vintage"] == year
    assert len(areas.attrs["report"].repaired) == invalid
    assert areas.is_valid.all()
    assert set(areas.geom_type) <= {"Polygon", "MultiPolygon"}
    # England and Wales measure 151,000 km2 to the mean high-water mark
    assert 148_000 < areas.area.sum() / 1e6 < 155_000


def test_a_county_is_cut_from_the_nation_in_no_time(real_data):
    lookup = raw_rows(real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz")
    districts = {f"E07000{n}" for n in range(129, 136)} | {"E06000016", "E06000017"}
    codes = {row["LSOA21CD"] for row in lookup if row["LAD24CD"] in districts}
    path = real_data / "boundaries" / "lsoa_2021_ew.parquet"
    read_boundaries(path, codes=list(codes)[:1])
    started = time.process_time()
    areas = read_boundaries(path, codes=codes)
    assert time.process_time() - started < 1.5
    assert set(areas.index) == codes
    assert areas.attrs["report"].not_found == ()


def test_geojson_and_shapefile_agree_with_the_nation(real_data):
    folder = real_data / "boundaries"
    features = json.loads((folder / "colchester_lsoa_2021.geojson").read_text())["features"]
    codes = [feature["properties"]["LSOA21CD"] for feature in features]
    colchester = read_boundaries(folder / "colchester_lsoa_2021.geojson")
    assert colchester.index.tolist() == codes
    leicester = read_boundaries(folder / "leicester_lsoa_2021_shp")
    assert len(leicester) == 200
    for areas in (colchester, leicester):
        nation = read_boundaries(folder / "lsoa_2021_ew.parquet", codes=areas.index)
        ratio = areas.area / nation.area.reindex(areas.index)
        assert abs(ratio - 1).max() < 1e-3


def test_messy_boundaries_are_refused_with_the_remedy(real_data):
    wrong = real_data / "messy" / "leeds_oa_wrong_crs.geojson"
    with pytest.raises(CRSError, match=r'those are metres\. Give crs="EPSG:27700" '):
        read_boundaries(wrong)
    areas = read_boundaries(wrong, crs=27700)
    assert (len(areas), areas.attrs["level"]) == (150, "oa")
    messy = real_data / "messy" / "lsoa_invalid_and_duplicated.gpkg"
    with pytest.raises(DuplicateError, match="3 area codes stand more than once"):
        read_boundaries(messy)
    mended = read_boundaries(messy, duplicates="first")
    assert len(mended) == 18
    assert len(mended.attrs["report"].repaired) == 8
    assert mended.is_valid.all()
    with pytest.raises(GeometryError, match="Give polygons"):
        read_boundaries(real_data / "services" / "hospitals_2022_england.gpkg")
    with pytest.raises(CRSError, match="outside the United Kingdom"):
        read_boundaries(real_data / "daily" / "chicago_police_districts.kml")


def test_deprivation_2019_agrees_between_files_and_with_the_raw_text(real_data):
    folder = real_data / "deprivation"
    one = read_deprivation(folder / "File_1_-_IMD2019_Index_of_Multiple_Deprivation.csv.gz")
    sheet = read_deprivation(folder / "File_1_-_IMD2019_Index_of_Multiple_Deprivation.xlsx")
    two = read_deprivation(folder / "File_2_-_IoD2019_Domains_of_Deprivation.csv.gz")
    assert one.equals(sheet)
    assert two[["imd_rank", "imd_decile"]].equals(one)
    rows = raw_rows(folder / "File_1_-_IMD2019_Index_of_Multiple_Deprivation.csv.gz")
    ranks = [int(r["Index of Multiple Deprivation (IMD) Rank"].replace(",", "")) for r in rows]
    assert one["imd_rank"].tolist() == ranks
    assert one.index.tolist() == [r["LSOA code (2011)"] for r in rows]
    assert (min(ranks), max(ranks)) == (1, 32_844)
    raw = raw_rows(folder / "File_2_-_IoD2019_Domains_of_Deprivation.csv.gz")
    crime = [int(r["Crime Decile (where 1 is most deprived 10% of LSOAs)"]) for r in raw]
    assert two["crime_decile"].tolist() == crime
    assert len(two.columns) == 16
    for table in (one, two):
        assert (table.attrs["vintage"], table.attrs["edition"]) == ("2011", "2019")
        assert set(column_tags(table)) == set(table.columns)


def test_deprivation_2025_agrees_with_the_raw_text(real_data):
    path = real_data / "deprivation" / "imd2025_lsoa21.csv.gz"
    table = read_deprivation(path)
    rows = raw_rows(path)
    assert table.index.tolist() == [r["LSOA21CD"] for r in rows]
    assert table["imd_rank"].tolist() == [float(r["IMD_rank"]) for r in rows]
    assert table["housing_score"].tolist() == [float(r["Housing_and_Services_score"]) for r in rows]
    assert len(table.columns) == 24
    assert (table.attrs["vintage"], table.attrs["edition"]) == ("2021", "2025")


def test_the_composite_index_agrees_with_the_raw_text(real_data):
    path = real_data / "deprivation" / "composite_uk_imd_E.csv.gz"
    table = read_deprivation(path)
    rows = raw_rows(path)
    assert len(table) == len(rows) == 42_619
    assert table["imd_decile"].tolist() == [int(r["UK_IMD_E_pop_decile"]) for r in rows]
    assert table.attrs["edition"] == "composite"


CENSUS = {
    "census2021-ts001-lsoa.csv.gz": (
        "residents", "geography code", "Residence type: Total; measures: Value", "2021"),
    "disability21_lsoa21_ew.csv.gz": ("residents", "LSOA21CD", "total_residents", "2021"),
    "ethnicity21_lsoa21.csv.gz": ("residents", "LSOA21CD", "total_residents", "2021"),
    "household_overcrowding21_lsoa21.csv.gz":
        ("households", "LSOA21CD", "total_households", "2021"),
    "household_tenure21_lsoa21.csv.gz": ("households", "LSOA21CD", "total_households", "2021"),
    "household_type21_lsoa21.csv.gz": ("households", "LSOA21CD", "total_households", "2021"),
    "population_mid2019_age_lsoa11.csv.gz": ("residents", "LSOA11CD", "total_population", "2011"),
}  # fmt: skip


@pytest.mark.parametrize("name", CENSUS)
def test_census_tables_agree_with_the_raw_text(real_data, name):
    column, code, source, vintage = CENSUS[name]
    path = real_data / "census" / name
    expected = {row[code]: float(row[source]) for row in raw_rows(path)}
    table = read_population(path)
    assert list(table.columns) == [column]
    assert table[column].to_dict() == expected
    assert table.attrs["vintage"] == vintage


def test_single_years_of_age_add_up_to_the_total(real_data, tmp_path):
    path = real_data / "census" / "population_mid2019_age_lsoa11.csv.gz"
    raw = pd.read_csv(path)
    raw.drop(columns="total_population").to_csv(tmp_path / "ages.csv", index=False)
    assert read_population(tmp_path / "ages.csv").equals(read_population(path))


def test_denominators_agree_between_text_and_workbook(real_data):
    folder = real_data / "deprivation"
    text = read_population(folder / "File_6_-_IoD2019_Population_Denominators.csv.gz")
    sheet = read_population(folder / "File_6_-_IoD2019_Population_Denominators.xlsx")
    assert text.equals(sheet)
    book = openpyxl.load_workbook(
        folder / "File_6_-_IoD2019_Population_Denominators.xlsx", read_only=True
    )
    total = sum(row[4] for row in book["Population Denominators"].iter_rows(
        min_row=2, values_only=True) if row[0])  # fmt: skip
    assert text["residents"].sum() == total


def test_fixmystreet_counts_are_kept(real_data):
    path = real_data / "services" / "fixmystreet_lsoa11_2018_2019.csv.gz"
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in raw_rows(path):
        expected[row["month"], row["lsoa"], row["SHEF_B_CODE"]] += int(row["reports"])
    events = read_services(path)
    month = events["period"].dt.strftime("%Y-%m")
    ours = events.groupby([month, "area_code", "category"], observed=True)["count"].sum()
    assert ours.to_dict() == dict(expected)
    assert events.attrs["report"].missing_months == ()


POINTS = (
    "gm_dentists.csv", "gm_gambling_premises.csv", "gm_jobcentreplus.csv", "gm_libraries.csv",
    "gm_probation_offices.csv", "trafford_general_practices.csv", "trafford_care_homes.csv",
)  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_service_points_are_located(real_data, name):
    path = real_data / "services" / name
    rows = raw_rows(path)
    located = [r for r in rows if r["lon"] not in {"", "NA"}]
    if name == "trafford_care_homes.csv":
        located = [r for r in located if r["inspection_date"] not in {"", "NA"}]
    events = read_services(path)
    assert int(events["easting"].notna().sum()) == len(located)
    report = events.attrs["report"]
    assert report.rows_kept + report.without_date == len(rows)
    inside = events["easting"].dropna().between(340_000, 420_000)
    assert inside.all()


def test_services_placed_by_code_or_postcode(real_data, tmp_path):
    folder = real_data / "services"
    for name, column in (("gm_pharmacies.csv", "ward_code"), ("gm_food_banks.csv", "Area code")):
        rows = raw_rows(folder / name)
        events = read_services(folder / name)
        assert events["area_code"].tolist() == [row[column] for row in rows]
    known = {r["postcode"]: r for r in raw_rows(folder / "gm_dentists.csv")}
    lookup = pd.DataFrame(
        [{"pcds": p, "lat": r["lat"], "long": r["lon"]} for p, r in known.items()]
    )
    lookup.to_csv(tmp_path / "postcodes.csv", index=False)
    rows = raw_rows(folder / "gm_pharmacies.csv")
    events = read_services(folder / "gm_pharmacies.csv", postcodes=tmp_path / "postcodes.csv")
    assert events["easting"].notna().tolist() == [row["postcode"] in known for row in rows]


def test_hospitals_come_from_their_geometries(real_data):
    path = real_data / "services" / "hospitals_2022_england.gpkg"
    events = read_services(path, category="Hospital")
    with sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True) as base:
        count = base.execute("select count(*) from hospitals_2022_england").fetchone()[0]
    assert len(events) == count
    assert events["easting"].notna().all()


def test_windows_text_and_empty_rows_are_read(real_data):
    path = real_data / "messy" / "licensed_premises_cp1252.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("cp1252"), newline="")))
    dated = [row for row in rows if row["CASEDATE"]]
    table = read_table(path)
    assert table.attrs["report"].encoding == "cp1252"
    names = [row["PREMISESNAME"].strip() for row in dated]
    assert table["PREMISESNAME"].dropna().tolist() == [name for name in names if name]
    with pytest.raises(ColumnError, match="by postcode alone"):
        read_services(path)
    postcodes = sorted({row["POSTCODE"].strip() for row in dated})
    lookup = pd.DataFrame({"pcds": postcodes, "oseast1m": 384_000, "osnrth1m": 398_000})
    events = read_services(path, postcodes=lookup)
    report = events.attrs["report"]
    assert report.rows_kept == len(dated)
    assert report.columns["date"] == "CASEDATE"
    assert report.blank_rows + report.without_date + report.table.empty_rows == len(rows) - len(
        dated
    )
    first = pd.to_datetime(pd.Series([row["CASEDATE"] for row in dated]), format="%d/%m/%Y")
    assert events["time"].tolist() == first.tolist()


def test_daily_records_from_abroad_are_refused(real_data):
    with pytest.raises(CRSError, match="none of its 148,636 located records lies in the United"):
        read_services(real_data / "daily" / "chicago_aggravated_assaults.csv.gz")


KINDS = {
    "police_uk/essex.zip": "police",
    "boundaries/lad_2024.gpkg": "boundaries",
    "boundaries/leicester_lsoa_2021_shp": "boundaries",
    "boundaries/lsoa_2011_ew.parquet": "boundaries",
    "deprivation/imd2025_lsoa21.csv.gz": "deprivation",
    "deprivation/composite_uk_imd_E.csv.gz": "deprivation",
    "deprivation/File_6_-_IoD2019_Population_Denominators.csv.gz": "population",
    "census/household_type21_lsoa21.csv.gz": "population",
    "lookups/lad24_csp24_pfa24.csv": "lookup",
    "lookups/oa21_lsoa21_ew.csv.gz": "lookup",
    "lookups/lsoa11_lsoa21_lad22.csv.gz": "lookup",
    "services/gm_pharmacies.csv": "services",
    "services/fixmystreet_lsoa11_2018_2019.csv.gz": "services",
    "services/hospitals_2022_england.gpkg": "services",
    "services/fixmystreet_shef_b_codes.csv": "unknown",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_is_told_apart(real_data, name):
    found = inspect_file(real_data / name)
    assert found.kind == KINDS[name]
    assert found.rows
