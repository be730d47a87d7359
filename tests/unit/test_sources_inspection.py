"""What is in a file, and what is wrong with it: never a traceback."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from placeshaping.areas.inspection import inspect_file

POLICE = (
    "Crime ID,Month,Reported by,Longitude,Latitude,LSOA code,Crime type\n"
    "a,2024-01,Essex Police,0.9,51.9,E01021637,Burglary\n"
    "b,2024-03,Essex Police,,,,Burglary\n"
)
TABLES = {
    "records.csv": (POLICE, "police"),
    "tips.csv": ("Date,Easting,Northing\n03/02/2024,458700,304600\n", "services"),
    "counted.csv": ("month,lsoa,kind,reports\n2018-01,E01000014,A,3\n", "services"),
    "iod.csv": ("LSOA code (2011),Index of Multiple Deprivation (IMD) Rank\nE01000001,5\n",
                "deprivation"),
    "people.csv": ("LSOA21CD,residents\nE01000001,5\n", "population"),
    "lookup.csv": ("LSOA21CD,MSOA21CD,LAD22CD\nE01000001,E02000001,E09000001\n", "lookup"),
    "names.csv": ("name,colour\nA,red\nB,blue\n", "unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_kinds_are_told_apart(tmp_path, name):
    text, kind = TABLES[name]
    (tmp_path / name).write_text(text)
    found = inspect_file(tmp_path / name)
    assert (found.name, found.kind) == (name, kind)
    assert found.rows
    assert all(label and value for label, value in found.facts)
    assert [p.severity for p in found.problems if p.severity == "error"] == (
        ["error"] if kind == "unknown" else []
    )


def test_police_archives_tell_their_gaps(tmp_path):
    path = tmp_path / "crime.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for month in ("2024-01", "2024-03"):
            rows = [POLICE.splitlines()[0], *(r for r in POLICE.splitlines() if month in r)]
            archive.writestr(f"{month}/{month}-essex-street.csv", "\n".join([*rows, ""]))
    found = inspect_file(path)
    assert found.kind == "police"
    assert dict(found.facts)["Months"] == "2024-01 to 2024-03"
    told = " ".join(problem.what for problem in found.problems)
    assert "1 months are missing in between (2024-02)" in told
    assert "no coordinates" in told


def test_boundaries_tell_repairs_and_duplicates(tmp_path):
    path = tmp_path / "a.gpkg"
    shapes = [box(4e5, 3e5, 4.1e5, 3.1e5)] * 2
    gpd.GeoDataFrame({"LSOA21CD": ["E01000001"] * 2}, geometry=shapes, crs=27700).to_file(path)
    found = inspect_file(path)
    assert (found.kind, found.rows) == ("boundaries", 2)
    assert dict(found.facts)["Level"] == "LSOA"
    assert found.problems[0].severity == "error"
    assert "E01000001" in found.problems[0].what


def test_points_in_a_spatial_file_are_records(tmp_path):
    path = tmp_path / "a.gpkg"
    points = gpd.GeoDataFrame({"name": ["A"]}, geometry=[Point(4e5, 3e5)], crs=27700)
    points.to_file(path)
    assert inspect_file(path).kind == "services"


def test_degrees_for_metres_become_a_problem(tmp_path):
    path = tmp_path / "a.geojson"
    areas = gpd.GeoDataFrame({"LSOA21CD": ["E01000001"]}, geometry=[box(4e5, 3e5, 4.1e5, 3.1e5)])
    areas.set_crs(4326).to_file(path)
    found = inspect_file(path)
    assert (found.kind, found.rows) == ("boundaries", None)
    assert "those are metres" in found.problems[0].what
    assert "EPSG:27700" in found.problems[0].remedy


SUFFIXES = ("csv", "csv.gz", "xlsx", "zip", "gpkg", "geojson", "json", "shp", "parquet", "kml",
            "fgb", "ods", "pdf", "txt", "")  # fmt: skip
CONTENTS = (b"", b"nonsense", b"PK\x03\x04 cut", b"\x1f\x8b cut", b"\x00\xff" * 40, b"{}", b"a,b\n",
            b'{"type":"FeatureCollection","features":[]}', b"PAR1xxxxPAR1",
            b"SQLite format 3\x00" + b"\0" * 100)  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", CONTENTS)
def test_no_bad_file_raises(tmp_path, suffix, content):
    path = tmp_path / (f"bad.{suffix}" if suffix else "bad")
    path.write_bytes(content)
    found = inspect_file(path)
    assert found.problems
    assert all(problem.what and problem.remedy for problem in found.problems)


def test_missing_files_and_empty_folders_are_problems(tmp_path):
    assert "no such file" in inspect_file(tmp_path / "none.csv").problems[0].what
    assert inspect_file(tmp_path).problems[0].severity == "error"


def test_json_that_is_no_map_is_unknown(tmp_path):
    (tmp_path / "notes.json").write_text('{"a": 1, "b": [2, 3]}\n')
    found = inspect_file(tmp_path / "notes.json")
    assert found.kind == "unknown"
    assert found.problems
