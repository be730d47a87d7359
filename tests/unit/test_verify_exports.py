"""What the attacker finds in Parquet, KML and metadata that were tampered with."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely.geometry import Point, Polygon, box

from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.kml import write_kml
from placeshaping.reports.csvw import METADATA, write_csv
from placeshaping.verify.files import verify_file
from placeshaping.verify.verdict import Verdict

SAID = {"policy": "councillor", "threshold": 5, "rounding": 5, "levels": ["lsoa"], "level": "lsoa"}
CODES = ["E01000001", "E01000002", "E01000003"]
BOXES = [box(450_000 + i, 300_000, 450_001 + i, 300_001) for i in range(3)]


@pytest.fixture(scope="module")
def made(make_study: Callable[..., Study]) -> Release:
    study = make_study(mean=1.0)
    return release(study, policy="councillor", title="T", made_on=dt.date(2026, 1, 31))


def parquet(path: Path, table: pa.Table, **said: object) -> Verdict:
    metadata = {b"placeshaping": json.dumps({**SAID, **said}).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path / "a.parquet")
    return verify_file(path / "a.parquet")


def whats(verdict: Verdict) -> str:
    return "; ".join(breach.what for breach in verdict.breaches)


def test_a_harmless_parquet_file_passes(tmp_path: Path) -> None:
    table = pa.table({"area_code": CODES, "count": [10, 20, None]})
    assert parquet(tmp_path, table).breaches == ()


def test_small_counts_in_parquet_are_found(tmp_path: Path) -> None:
    verdict = parquet(tmp_path, pa.table({"area_code": CODES, "count": [10, 3, None]}))
    assert "1 count under 5" in whats(verdict)
    assert verdict.kind == "parquet"


def test_rates_in_parquet_are_turned_back(tmp_path: Path) -> None:
    table = pa.table({"area_code": CODES, "residents": [1500] * 3, "rate": [2.0, 4.0, 20.0],
                      "category": ["All"] * 3, "period": ["2025"] * 3})  # fmt: skip
    views = {"categories": [{"label": "All", "denominator": "residents"}]}
    assert "a count comes back" in whats(parquet(tmp_path, table, **views))


def test_dictionary_entries_that_no_row_has_are_found(tmp_path: Path) -> None:
    names = pd.Categorical(["a", "b", "a"], categories=["a", "b", "Mr Smith, 3 burglaries"])
    table = pa.Table.from_pandas(pd.DataFrame({"area_code": CODES, "area_name": names}))
    assert "entries in the dictionary of 'area_name' that no row has" in whats(
        parquet(tmp_path, table)
    )


def test_bytes_between_columns_are_found(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet(tmp_path, pa.table({"area_code": CODES}))
    raw = path.read_bytes()
    footer = int.from_bytes(raw[-8:-4], "little") + 8
    path.write_bytes(raw[:-footer] + b"E01000001: 3 burglaries" + raw[-footer:])
    assert "holds bytes that belong to no column" in whats(verify_file(path))


def test_foreign_metadata_of_parquet_are_found(tmp_path: Path) -> None:
    table = pa.table({"area_code": CODES})
    said = {b"placeshaping": json.dumps(SAID).encode(), b"raw": b"[3, 4, 2]"}
    pq.write_table(table.replace_schema_metadata(said), tmp_path / "a.parquet")
    assert "holds the key 'raw'" in whats(verify_file(tmp_path / "a.parquet"))
    field = pa.field("area_code", pa.string(), metadata={"true": "3, 4, 2"})
    parquet(tmp_path, pa.table([CODES], schema=pa.schema([field])))
    assert "has metadata of the column 'area_code'" in whats(verify_file(tmp_path / "a.parquet"))


def test_points_and_heights_in_geoparquet_are_found(tmp_path: Path) -> None:
    points = gpd.GeoDataFrame(
        {"area_code": CODES}, geometry=[Point(450_000, 300_000)] * 3, crs=27700
    )
    points.to_parquet(tmp_path / "a.parquet")
    assert "holds points or lines" in whats(verify_file(tmp_path / "a.parquet"))
    tall = [Polygon([(0, 0, 3), (1, 0, 4), (1, 1, 2)])] * 3
    gpd.GeoDataFrame({"area_code": CODES}, geometry=tall, crs=27700).to_parquet(
        tmp_path / "b.parquet"
    )
    assert "a third coordinate" in whats(verify_file(tmp_path / "b.parquet"))


def test_geoparquet_of_others_can_be_read(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"area_code": CODES, "count": [10, 20, 30]}, geometry=BOXES, crs=27700)
    frame.to_parquet(tmp_path / "a.parquet")
    verdict = verify_file(tmp_path / "a.parquet")
    assert (verdict.judged_policy, verdict.breaches) == ("public", ())


@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1" + b"\0" * 40 + b"PAR1", b"<kml><Doc"])
@pytest.mark.parametrize("name", ["a.parquet", "a.kml"])
def test_damaged_files_do_not_pass(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).write_bytes(raw)
    assert "could not be read" in whats(verify_file(tmp_path / name))


def test_columns_within_columns_do_not_pass(tmp_path: Path) -> None:
    table = pa.table({"area_code": CODES, "count": [[3], [4], [2]]})
    assert "could not be read" in whats(parquet(tmp_path, table))


ONE = '<SimpleData name="status">'
KNOWN_BAD = {
    "is not on the list": ("<Placemark>", "<Placemark><Snippet>3 burglaries</Snippet>"),
    "has attributes that are not on the list": ("<Placemark>", '<Placemark id="c3">'),
    "has a text that is out of sight": ("<Placemark>", "<Placemark>3 burglaries"),
    "is set to what it cannot be": ("<width>1</width>", "<width>1 burglary</width>"),
    "more than longitude and latitude": ("<coordinates>", "<coordinates>-1.1,52.1,3 "),
    "holds a comment": ("<Placemark>", "<Placemark><!-- 3 burglaries -->"),
    "tells a number that its data do not hold": ("&lt;table&gt;", "&lt;table&gt;17 "),
    "names an area otherwise than its data": ("<Placemark>\n<name>", "<Placemark>\n<name>3 in "),
    "holds markup that is not on the list": (
        "&lt;table&gt;", "&lt;img src=\"https://a.example/b.png\"&gt;&lt;table&gt;"),
    "fields are not on the list": (ONE, f'<SimpleData name="raw">3</SimpleData>{ONE}'),
    "draws hidden areas like shown ones": ("#hidden<", "#class<"),
    "could not be read": ("<kml", "<!DOCTYPE kml [<!ENTITY a '3'>]><kml"),
}  # fmt: skip


@pytest.mark.parametrize("what", KNOWN_BAD)
def test_what_kml_could_hide_is_found(made: Release, tmp_path: Path, what: str) -> None:
    path = write_kml(made, tmp_path / "a.kml", category="Robbery")
    text = path.read_text(encoding="utf-8")
    old, new = KNOWN_BAD[what]
    new = new.replace("#class", str(re.search(r"#class-1-of-\d", text)[0]))
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = whats(verify_file(path)).replace("field is not", "fields are not")
    assert what in found


def test_a_small_count_in_kml_is_found(made: Release, tmp_path: Path) -> None:
    path = write_kml(made, tmp_path / "a.kml", category="Robbery")
    text = path.read_text(encoding="utf-8")
    hidden = '<SimpleData name="status">hidden</SimpleData>'
    text = text.replace(hidden, f'{hidden}<SimpleData name="count">3</SimpleData>', 1)
    path.write_text(text, encoding="utf-8")
    assert "marked as hidden, with a count all the same" in whats(verify_file(path))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d.update({"schema:true": "x"}), "holds the field 'schema:true'"),
        (lambda d: d["tables"][0].update({"rows": 3}), "holds the field 'rows'"),
        (lambda d: d.update({"dc:subject": 3}), "holds numbers beside its words"),
        (
            lambda d: d.update({"dc:subject": "E01000001: 3; E01000002: 4; E01000003: 2"}),
            "count",
        ),
        (lambda d: d.update({"dc:subject": "1 2 3 4 5 6 7 8 9 1 2 3 4"}), "a list of numbers"),
    ],
)
def test_what_metadata_could_hide_is_found(
    made: Release, tmp_path: Path, change: Callable[[dict], None], what: str
) -> None:
    write_csv(made, tmp_path)
    path = tmp_path / METADATA
    described = json.loads(path.read_text(encoding="utf-8"))
    change(described)
    path.write_text(json.dumps(described), encoding="utf-8")
    assert what in whats(verify_file(path))
