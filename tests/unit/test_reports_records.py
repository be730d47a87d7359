"""Files of results that are not of areas: what they hold, and that the attacker judges them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely import LineString, Point

from placeshaping._core.errors import InputError, OutputError
from placeshaping.disclosure.records import Records, release_records
from placeshaping.hotspots.repeats import repeat_locations
from placeshaping.hotspots.streets import hot_streets
from placeshaping.hotspots.time_of_day import temporal_profile
from placeshaping.layers.streets import write_streets
from placeshaping.reports.records import write_records
from placeshaping.verify.files import verify_file

DAY = dt.date(2026, 1, 31)
LAST = dt.date(2026, 3, 31)


def released(result: pd.DataFrame, policy: str, **options: Any) -> Records:
    return release_records(
        result, policy=policy, title="A title", made_on=DAY, purpose="A test", expires=LAST,
        **options,
    )  # fmt: skip


def found(path: Path, **options: Any) -> str:
    breaches = verify_file(path, **options).breaches
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in breaches)


@pytest.fixture(scope="module")
def profile() -> pd.DataFrame:
    times = pd.date_range("2025-01-01", periods=900, freq="7h13min")
    quiet = temporal_profile(pd.DataFrame({"time": times}), by="hour")
    quiet.loc[4, "count"] = 3.0
    return quiet


@pytest.fixture(scope="module")
def segments() -> gpd.GeoDataFrame:
    lines = [LineString([(0, y), (500, y)]) for y in range(0, 2000, 100)]
    streets = gpd.GeoDataFrame({"name": "=Lane"}, index=range(20), geometry=lines, crs=27700)
    points = [Point(100, 805)] * 60 + [Point(9, 100 * n) for n in range(4)]
    return hot_streets(gpd.GeoDataFrame(geometry=points, crs=27700), streets, draws=19)


@pytest.fixture(scope="module")
def places() -> pd.DataFrame:
    days = pd.to_datetime(["2025-01-05", "2025-02-09", "2025-03-01"])
    return repeat_locations({"noise": pd.DataFrame({"uprn": [1, 1, 2], "date": days})}, key="uprn")


@pytest.mark.parametrize("policy", ["public", "councillor", "police", "nhs", "ons-10-5"])
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_protected_files_withstand(
    profile: pd.DataFrame, segments: gpd.GeoDataFrame, tmp_path: Path, policy: str, suffix: str
) -> None:
    for name, result in (("hours", profile), ("streets", segments)):
        for path in write_records(released(result, policy), tmp_path / f"{name}{suffix}"):
            verdict = verify_file(path, today=DAY)
            assert verdict.breaches == ()
            assert verdict.declared_policy == verdict.judged_policy == policy


@pytest.mark.parametrize("policy", ["public", "police"])
def test_streets_go_into_a_geopackage_that_withstands(
    segments: gpd.GeoDataFrame, tmp_path: Path, policy: str
) -> None:
    records = released(segments, policy, street="name")
    path = write_streets(records, tmp_path / "streets.gpkg")
    assert found(path, today=DAY) == ""
    read = gpd.read_file(path, layer="streets")
    assert read["class"].tolist() == records.table["class"].tolist()
    assert read.geometry.geom_equals(segments.geometry, align=False).all()


def test_raw_counts_in_a_file_of_records_are_found(profile: pd.DataFrame, tmp_path: Path) -> None:
    path, described = write_records(released(profile, "public"), tmp_path / "hours.csv")
    raw = profile[["hour", "hours", "count"]].assign(status="shown")
    raw.to_csv(path, index=False)
    text = found(path)
    assert "1 count under 10" in text
    assert "not rounded to 5" in text
    said = json.loads(described.read_text(encoding="utf-8"))
    assert said["notes"][0]["placeshaping"]["policy"] == "public"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"index": lambda t: t["index"] + 0.02}, "in 'index' not worked out from the counts"),
        ({"upper": lambda t: t["upper"] * 0.9}, "in 'upper' not worked out from the counts"),
        ({"index": lambda t: t["index"].fillna(0.1)}, "marked as hidden, with index"),
        ({"street": "Mill Lane"}, "field is not on the list"),
    ],
)
def test_changed_files_are_found(
    profile: pd.DataFrame, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    records = released(profile, "public")
    path = write_records(records, tmp_path / "hours.csv")[0]
    records.table.assign(**change).to_csv(path, index=False)
    assert told in found(path)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({"observed": [12, 40]}, "not rounded to 5"),
        ({"observed": [20, 40]}, "of pairs that fewer than 10 records can make"),
        ({"observed": [None, 40]}, "expected numbers of a band with a hidden cell"),
        ({"expected": [44.7, 40]}, "expected number not rounded to 5"),
        ({"ratio": [1.13, 1.0]}, "in 'ratio' not worked out"),
        ({"lower": [0.9, 0.8]}, "not on the list"),
        ({"pattern": ["12", "more"]}, "holds no patterns"),
    ],
)
def test_tables_of_pairs_that_tell_too_much_are_found(
    profile: pd.DataFrame, tmp_path: Path, raw: dict[str, Any], told: str
) -> None:
    path, described = write_records(released(profile, "public"), tmp_path / "pairs.csv")
    said = described.read_text(encoding="utf-8").replace('"profile"', '"near_repeat"')
    described.write_text(said, encoding="utf-8")
    good = {
        "distance_band": "0 m to under 100 m", "day_band": ["0 to 6 days", "7 to 13 days"],
        "status": ["shown", "shown"], "observed": [50, 40], "expected": [45, 40],
        "ratio": [1.1, 1.0], "pattern": "more",
    }  # fmt: skip
    pd.DataFrame(good).to_csv(path, index=False)
    assert found(path) == ""
    pd.DataFrame({**good, **raw}).to_csv(path, index=False)
    assert told in found(path)


def test_numbers_of_records_in_words_are_found(profile: pd.DataFrame, tmp_path: Path) -> None:
    path = write_records(released(profile, "public"), tmp_path / "hours.xlsx")[0]
    book = openpyxl.load_workbook(path)
    book["Notes"]["B3"] = "3 records have no time."
    book.save(path)
    assert "counts 3 in words" in found(path)


def test_counts_of_streets_are_found(segments: gpd.GeoDataFrame, tmp_path: Path) -> None:
    records = released(segments, "public")
    path = write_records(records, tmp_path / "streets.csv")[0]
    bare = pd.DataFrame(records.table.drop(columns="geometry"))
    bare.assign(count=segments["count"].to_numpy()).to_csv(path, index=False)
    assert "not on the list of those that may leave" in found(path)
    bare.assign(length_km=segments["count"].to_numpy()).to_csv(path, index=False)
    assert "no lengths of streets" in found(path)


def test_lists_pass_only_where_their_policy_is_named(places: pd.DataFrame, tmp_path: Path) -> None:
    path = write_records(released(places, "restricted"), tmp_path / "places.xlsx")[0]
    assert "under which nothing leaves" in found(path, today=DAY)
    assert found(path, policy="restricted", today=DAY) == ""
    assert "has expired" in found(path, policy="restricted", today=LAST + dt.timedelta(days=1))
    book = openpyxl.load_workbook(path)
    for row in book["Notes"].iter_rows():
        if row[0].value == "policy":
            row[1].value = "public"
    book.save(path)
    assert "is a list of places or records" in found(path)


def test_a_workbook_has_notes_first_and_numbers_as_numbers(
    profile: pd.DataFrame, tmp_path: Path
) -> None:
    records = released(profile, "public")
    path = write_records(records, tmp_path / "hours.xlsx")[0]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Notes", "Profile"]
    sheet = book["Profile"]
    assert sheet.freeze_panes == "A2"
    head = [cell.value for cell in sheet[1]]
    assert head == list(records.table.columns)
    assert isinstance(sheet.cell(row=2, column=head.index("count") + 1).value, int)
    assert sheet.cell(row=6, column=head.index("count") + 1).value is None
    said = {row[0].value: row[1].value for row in book["Notes"].iter_rows() if row[1].value}
    assert said["What it shows"] == records.paragraph
    assert said["policy"] == "public"
    assert said["Purpose"] == "A test"


def test_a_table_of_text_is_described(segments: gpd.GeoDataFrame, tmp_path: Path) -> None:
    records = released(segments, "councillor", street="name")
    path, described = write_records(records, tmp_path / "streets.csv")
    assert described.name == "streets.csv-metadata.json"
    said = json.loads(described.read_text(encoding="utf-8"))
    columns = said["tables"][0]["tableSchema"]["columns"]
    assert [one["name"] for one in columns] == ["segment", "street", "length_km", "class"]
    assert "1 is under 10" in columns[3]["dc:description"]
    table = pd.read_csv(path, encoding="utf-8-sig")
    assert table["street"].unique().tolist() == ["'=Lane"]


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.gpkg"])
def test_the_same_records_give_the_same_bytes(
    segments: gpd.GeoDataFrame, tmp_path: Path, name: str
) -> None:
    records = released(segments, "public")
    write = write_streets if name.endswith("gpkg") else write_records
    once, again = tmp_path / "one" / name, tmp_path / "two" / name
    for path in (once, again):
        path.parent.mkdir()
        write(records, path)
    assert once.read_bytes() == again.read_bytes()


def test_other_names_and_shapes_are_refused(profile: pd.DataFrame, tmp_path: Path) -> None:
    records = released(profile, "public")
    with pytest.raises(OutputError, match=r"writes .*\.xlsx"):
        write_records(records, tmp_path / "hours.ods")
    with pytest.raises(InputError, match="hold no lines"):
        write_streets(records, tmp_path / "hours.gpkg")
