"""Counts that hide under another name, in words, in code, or out of sight: all must be found."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import json
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.reports.sheets import write_tables
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.files import verify_file
from placeshaping.verify.rules import RULES
from placeshaping.verify.subtraction import check_subtraction

MakeStudy = Callable[..., Study]
COUNTS = {f"E019{number:05d}": number * 7 % 9 for number in range(1, 31)}
LIST = " ".join(map(str, COUNTS.values()))


def found(path: Path, **options: Any) -> str:
    breaches = verify_file(path, **options).breaches
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in breaches)


def table(header: str, row: Callable[[str, int], str]) -> str:
    return "\n".join([header, *(row(code, count) for code, count in COUNTS.items())])


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


# --- tables


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("area_code,residents", "{0},{1}", "numbers in 'residents' under 10"),
        ("area_code,households", "{0},{1}", "numbers in 'households' under 10"),
        ("area_code,exposure", "{0},{1}", "numbers in 'exposure' under 10"),
        ("area_code,areas", "{0},{1}", "numbers in 'areas' under 10"),
        ("area_code,imd_decile", "{0},{1}", "holds no tenths"),
        ("area_code,rate", "{0},{1}", "holds rates without the counts"),
        ("area_code,rate_smoothed", "{0},{1}", "holds rates without the counts"),
        ("area_code,count", "{0},{1} crimes", "30 counts are neither a number nor a mark"),
        ("area_code,count", "{0},=3", "30 counts are neither a number nor a mark [=3]"),
        ("area_code,count", "{0},three", "30 counts are neither a number nor a mark [three]"),
        ("area_code,count", "{0},<3", "30 counts are neither a number nor a mark [<3]"),
        ("area_code,count", "{0},\N{ARABIC-INDIC DIGIT THREE}", "neither a number nor a mark"),
        ("area_code,cluster", "{0},{1}", "values are no cluster"),
        ("area_code,status", "{0},{1}", "values are no status"),
        ("area_code,period", "{0},{1}", "the column 'period' holds no periods"),
        ("area_name,status", "{0} {1},shown", "the column 'area_name' holds area codes with"),
        ("area_code,category", "{0},Arson\n{0},Arson", "30 rows stand there again"),
    ],
)  # fmt: skip
def test_counts_in_a_column_of_another_name(
    tmp_path: Path, header: str, row: str, expected: str
) -> None:
    assert expected in found(written(tmp_path, "x.csv", table(header, row.format)))


@pytest.mark.parametrize("policy", ["public", "councillor"])
def test_hidden_cell_with_a_class(tmp_path: Path, policy: str) -> None:
    text = table("area_code,status,count,cluster", lambda code, _: f"{code},hidden,,hot_99")
    path = written(tmp_path, "x.csv", text)
    assert "30 cells marked as hidden, with a cluster all the same" in found(path, policy=policy)
    assert found(written(tmp_path, "y.csv", text.replace("hot_99", "")), policy=policy) == ""


@pytest.mark.parametrize("mark", ["", "hidden", "-", "[c]", "<10"])
def test_marks_may_stand_instead_of_counts(tmp_path: Path, mark: str) -> None:
    text = table("area_code,residents,count", lambda code, _: f"{code},1520,{mark}")
    assert found(written(tmp_path, "x.csv", text)) == ""


# --- texts and JSON


@pytest.mark.parametrize("name", ["x.txt", "x.md"])
@pytest.mark.parametrize(
    "row", ["{0}: {1} burglaries", "{0},{1}", "| {0} | {1} |", "{0} 2025: {1}"]
)
def test_text_with_codes_and_numbers_is_a_table(tmp_path: Path, name: str, row: str) -> None:
    text = found(written(tmp_path, name, table("Burglary", row.format)))
    assert "codes with numbers" in text
    assert "under 10" in text


def test_text_of_words_withstands(tmp_path: Path) -> None:
    words = "Of 12 areas, E01900001 and E01900002 are in Marshwick. In 2025 there were 3 meetings."
    words += "\nE01900003 in 2023, E01900004 in 2024, E01900005 (2022), E01900006, E01900007."
    assert found(written(tmp_path, "x.txt", words)) == ""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([[code, count] for code, count in COUNTS.items()], "2 fields are not on the list"),
        ({"x": LIST}, "holds a list of numbers"),
        ({"x": LIST.replace(" ", ";")}, "holds a list of numbers"),
    ],
)
def test_json_with_counts_in_another_form(tmp_path: Path, data: object, expected: str) -> None:
    assert expected in found(written(tmp_path, "x.json", json.dumps(data)))


def feature(**fields: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"area_code": "E01900001"}, "geometry": None} | fields


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (feature(id=3), "has features whose id is neither the area's code nor a running number"),
        (feature(burglaries=3), "feature: holds the field 'burglaries'"),
        (
            feature(
                geometry={
                    "type": "GeometryCollection",
                    "geometries": [{"type": "Point", "coordinates": [-1.1, 52.6]}],
                }
            ),
            "holds points or lines",
        ),
        (
            feature(geometry={"type": "LineString", "coordinates": [[0, 0], [0, 0]]}),
            "holds points or lines",
        ),
    ],
)
def test_features_with_counts_beside_their_properties(
    tmp_path: Path, given: dict[str, Any], expected: str
) -> None:
    text = json.dumps({"type": "FeatureCollection", "features": [given]})
    assert expected in found(written(tmp_path, "x.geojson", text))


@pytest.mark.parametrize(
    "change",
    [
        {"facts": {"true": COUNTS}},
        {"facts": {"lsoa": {"hidden": 3, "list": [1, 2]}}},
        {"recipe": {"purpose": json.dumps(COUNTS)}},
        {"recipe": {"purpose": LIST}},
    ],
)
def test_manifest_with_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    manifest: dict[str, Any] = {
        "declaration": {"policy": "public"}, "recipe": {}, "inputs": [], "versions": {},
        "facts": {"lsoa": {"hidden": 3}, "notes": ["3 of them"]}, "outputs": [],
    }  # fmt: skip
    assert found(written(tmp_path, "manifest.json", json.dumps(manifest))) == ""
    assert found(written(tmp_path, "manifest.json", json.dumps(manifest | change))) != ""


# --- pages


def joined(row: str) -> str:
    return "".join(row.format(code, count) for code, count in COUNTS.items())


ENCODED = base64.b64encode(bytes(range(256)) * 8).decode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<ul>" + joined("<li>{0} <b>{1}</b></li>") + "</ul>", "codes with numbers"),
        (joined("<div><span>{0}</span><span>{1}</span></div>"), "codes with numbers"),
        ("<table>" + joined("<tr><td>{0}</td><td>{1}</td></tr>") + "</table>", "codes with"),
        ("<table><tr><th>Area</th><th>Burglary</th></tr><tr><td>Marsh</td><td>3</td></tr></table>",
         "1 number in 'Burglary' under 10"),
        (f"<script>var d = {json.dumps(COUNTS)};</script>", "codes with numbers"),
        (f"<script>var d = {json.dumps(list(COUNTS.items()))};</script>", "codes with numbers"),
        ("<svg>" + joined('<path aria-label="{0}, {1} burglaries"/>') + "</svg>", "codes with"),
        (f'<script>var d = "{LIST}";</script>', "holds a list of numbers"),
        (f'<div data-n="{LIST}"></div>', "holds a list of numbers"),
        (f"<p>{LIST}</p>", "holds a list of numbers"),
        ("<script>d=[[52.6,-1.1],[52.7,-1.1],[52.8,-1],[1,2],[3,4],[5,6],[7,8]]</script>",
         "holds a list of numbers"),
        (f"<script>var d = ['{ENCODED[:80]}', 'x'];</script>", "holds encoded data"),
        (f"<script>var d = '{ENCODED[:900]}' + '{ENCODED[900:]}';</script>", "holds encoded data"),
        (f'<img alt="" src="data:image/png;base64,{ENCODED}">', "holds data that are no picture"),
        (f'<a href="data:text/csv;base64,{ENCODED}">x</a>', "holds data that are no picture"),
        ("<script>L.circleMarker([52.6, -1.1], {}).addTo(m)</script>", "holds points"),
        ("<script>L.marker([52.6, -1.1]).addTo(m)</script>", "holds points"),
        ("<script>p.setContent(`<div>3 crimes</div>`)</script>", "counts 3, under 10"),
    ],
)  # fmt: skip
def test_page_with_counts_outside_its_data(tmp_path: Path, body: str, expected: str) -> None:
    page = f'<!doctype html><html lang="en"><body>{body}</body></html>'
    assert expected in found(written(tmp_path, "x.html", page))


def test_page_with_counts_in_its_styles(tmp_path: Path) -> None:
    rules = "".join(f'.{code}::after{{content:"{count}"}}' for code, count in COUNTS.items())
    assert "codes with numbers" in found(written(tmp_path, "x.html", f"<style>{rules}</style>"))


def test_page_with_a_second_payload(tmp_path: Path) -> None:
    block = '<script type="text/plain" id="placeshaping-data">{"format": 1}</script>'
    assert "payload: stands more than once" in found(written(tmp_path, "x.html", block * 2))


def test_page_with_counts_in_its_packed_library(tmp_path: Path) -> None:
    code = f"var counts = {json.dumps(COUNTS)}; fetch('https://example.org/x');"
    packed = base64.b64encode(gzip.compress(code.encode())).decode()
    block = '<script type="text/plain" id="placeshaping-library" data-encoding="{}">{}</script>'
    told = found(written(tmp_path, "x.html", block.format("gzip+base64", packed)))
    assert "codes with numbers" in told
    assert "reaches an outside address" in told
    styled = block.replace("library", "library-styles")
    assert "codes with numbers" in found(
        written(tmp_path, "z.html", styled.format("gzip+base64", packed))
    )
    told = found(written(tmp_path, "y.html", block.format("gzip+base64", packed[:40])))
    assert "packed library: could not be read" in told


# --- workbooks


@pytest.fixture(scope="module")
def good(make_study: MakeStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = release(
        make_study(mean=1.0), policy="councillor", title="Crime", made_on=dt.date(2026, 1, 31)
    )
    folder = tmp_path_factory.mktemp("good")
    write_layers(made, folder / "layers.gpkg")
    write_tables(made, folder / "tables.xlsx")
    return folder


def _number_format(book: openpyxl.Workbook) -> None:
    book["LSOA"]["F2"].number_format = '"3"'


def _hidden_column(book: openpyxl.Workbook) -> None:
    book["LSOA"].column_dimensions["C"].hidden = True


def _hidden_row(book: openpyxl.Workbook) -> None:
    book["LSOA"].row_dimensions[3].hidden = True


def _name(book: openpyxl.Workbook) -> None:
    book.defined_names["x"] = DefinedName("x", attr_text=f"{{{LIST.replace(' ', ',')}}}")


def _property(book: openpyxl.Workbook) -> None:
    book.properties.description = json.dumps(list(COUNTS.values()))


def _header(book: openpyxl.Workbook) -> None:
    book["LSOA"].oddHeader.center.text = LIST


def _validation(book: openpyxl.Workbook) -> None:
    book["LSOA"].add_data_validation(DataValidation(type="list", formula1='"1,2,3"'))


def _note(book: openpyxl.Workbook) -> None:
    for code, count in COUNTS.items():
        book["Notes"].append(["note", f"{code}: {count} burglaries"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_number_format, "has a format that writes a number of its own"),
        (_hidden_column, "LSOA: has rows or columns that are hidden"),
        (_hidden_row, "LSOA: has rows or columns that are hidden"),
        (_name, "names something that is no range of cells"),
        (_property, "docProps/core.xml: holds a list of numbers"),
        (_header, "LSOA: holds <headerFooter>, which is not on the list"),
        (_validation, "LSOA: holds <dataValidations>, which is not on the list"),
        (_note, "<Notes>: codes with numbers"),
    ],
)
def test_workbook_with_counts_out_of_sight(
    good: Path, tmp_path: Path, change: Callable[[openpyxl.Workbook], None], expected: str
) -> None:
    book = openpyxl.load_workbook(good / "tables.xlsx")
    book.save(tmp_path / "same.xlsx")
    assert found(tmp_path / "same.xlsx") == ""
    change(book)
    book.save(tmp_path / "changed.xlsx")
    assert expected in found(tmp_path / "changed.xlsx")


@pytest.mark.parametrize("part", ["xl/raw.csv", "xl/worksheets/sheet99.xml", "docProps/custom.xml"])
def test_workbook_with_a_part_too_many(good: Path, tmp_path: Path, part: str) -> None:
    path = tmp_path / "tables.xlsx"
    shutil.copy(good / "tables.xlsx", path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(part, "<x/>")
    assert f"{part}: is a part of a workbook that can hold data out of sight" in found(path)


# --- layers


PAIRS = json.dumps(COUNTS)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE VIEW v AS SELECT area_code, residents AS rate FROM lsoa", "v: is a view that"),
        (f"CREATE TRIGGER t AFTER INSERT ON placeshaping BEGIN SELECT '{PAIRS}'; END",
         "t: is a trigger that"),
        (f"CREATE TRIGGER rtree_x_geom_insert AFTER INSERT ON lsoa BEGIN SELECT '{PAIRS}'; END",
         "rtree_x_geom_insert: is a trigger that"),
        ("CREATE INDEX i ON lsoa (area_code) WHERE residents > 3", "i: is a index that"),
        ("CREATE TABLE gpkg_extra AS SELECT area_code, 3 AS count FROM lsoa",
         "gpkg_extra: 64 counts under 5"),
        ("CREATE TABLE rtree_x AS SELECT area_code, 3 AS count FROM lsoa",
         "rtree_x: 64 counts under 5"),
        ("CREATE TABLE b AS SELECT 3 AS fid, area_code FROM lsoa",
         "b: has row numbers other than 1, 2, 3"),
        ("CREATE TABLE b AS SELECT area_code FROM lsoa", "b: is a table that is not on the list"),
        ("CREATE TABLE pts AS SELECT x'47500001' AS geom", "holds geometries that are no areas"),
        ("CREATE TABLE other AS SELECT area_code, 3 AS shape FROM lsoa",
         "holds geometries that are no areas"),
        (f"UPDATE layer_styles SET description = '{PAIRS}'", "<layer_styles>: codes with numbers"),
        (f"INSERT INTO placeshaping (key, value) VALUES ('note', '{PAIRS}')",
         "<placeshaping>: codes with numbers"),
        ("UPDATE placeshaping SET value = 'open' WHERE key = 'policy'",
         "declares the policy 'open', which hides nothing, yet that it hides"),
    ],
)  # fmt: skip
def test_layers_with_counts_out_of_sight(
    good: Path, tmp_path: Path, statement: str, expected: str
) -> None:
    path = tmp_path / "layers.gpkg"
    shutil.copy(good / "layers.gpkg", path)
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(statement)
    assert expected in found(path)


def test_points_in_a_layer_of_areas(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "layers.gpkg"
    shutil.copy(good / "layers.gpkg", path)
    point = b"GP\0\1" + (27700).to_bytes(4, "little") + b"\1\1\0\0\0" + bytes(16)
    with closing(sqlite3.connect(path)) as opened, opened:
        for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            opened.create_function(name, 1, lambda _: 0)
        opened.execute("UPDATE lsoa SET geom = ? WHERE fid = 1", (point,))
    assert "lsoa: holds geometries that are no areas, or of no layer [point]" in found(path)


# --- archives and declarations


def test_archive_that_says_something_beside_its_files(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("E01900001 has 3.csv", "area_code,count\nE01900001,20\n")
        archive.comment = b"E01900001,3"
    text = found(path)
    assert "file: holds a comment [E01900001,3]" in text
    assert "file: names an area in the name of a file" in text


def test_archive_that_holds_nothing_does_not_pass(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w"):
        pass
    assert "is an archive that holds nothing" in found(tmp_path / "x.zip")


@pytest.mark.parametrize("address", ["http://x", "https://", "www.example.org", "https://x/y.z", 3])
def test_open_needs_an_address_that_can_be_one(tmp_path: Path, address: object) -> None:
    declaration = {"policy": "open", "already_published": address}
    text = json.dumps(
        {"declaration": declaration, "rows": [{"area_code": "E01900001", "count": 3}]}
    )
    assert "without the address" in found(written(tmp_path, "x.json", text))


def test_verdict_on_an_open_file_says_that_counts_were_not_checked(tmp_path: Path) -> None:
    declaration = {"policy": "open", "already_published": "https://data.police.uk"}
    path = written(tmp_path, "x.json", json.dumps({"declaration": declaration}))
    verdict = verify_file(path)
    assert verdict.passed
    assert verdict.note == "counts not checked: declared open at https://data.police.uk"
    assert verdict.note in verdict.checks
    assert verify_file(path, policy="public").note is None


# --- several sums at once


def cells(rows: list[tuple[str, str, int | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["area_code", "category", "count"])
    frame.insert(1, "period", "2025")
    frame["status"] = frame["count"].notna().map({True: "shown", False: "hidden"})
    return frame


def two_levels(lsoa: list[tuple[str, str, int | None]], msoa: list[Any]) -> Contents:
    finer = cells(lsoa).assign(parent_code="E02900001")
    return Contents("csv", tables=[Table("lsoa_values", finer), Table("msoa_values", cells(msoa))])


def test_hidden_cell_left_one_value_by_two_sums_together() -> None:
    """One sum leaves the first area 1 or 2 records; two of its categories have at least 1 each."""
    lsoa = [
        ("E01900001", "All", None), ("E01900001", "A", None), ("E01900001", "B", None),
        ("E01900001", "C", 0),
        ("E01900002", "All", 5), ("E01900002", "A", 5), ("E01900002", "B", 0),
        ("E01900002", "C", 0),
    ]  # fmt: skip
    msoa = [
        ("E02900001", "All", 5), ("E02900001", "A", None), ("E02900001", "B", None),
        ("E02900001", "C", 0),
    ]  # fmt: skip
    words, breaches = check_subtraction(two_levels(lsoa, msoa), RULES["councillor"])
    assert any("all sums together" in word and "4 exact" in word for word in words)
    assert "E01900001 All 2025 is at most 7 - 5 = 2" in breaches[0].proof
    told = {finding.cell: finding.proof for finding in breaches[0].cells}
    assert "so 1" in told["E01900001 A 2025"] or "= 1" in told["E01900001 A 2025"]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rounding=st.sampled_from([1, 5]))
def test_what_all_sums_together_say_is_true(data: st.DataObject, rounding: int) -> None:
    """Whatever is hidden, the values that they leave hold the true one, and none contradict."""
    parts = data.draw(st.lists(st.integers(0, 9), min_size=9, max_size=9))
    true = np.array(parts).reshape(3, 3)
    true = np.hstack([true.sum(axis=1, keepdims=True), true])
    true = np.vstack([true, true.sum(axis=0)])
    more = np.array(data.draw(st.lists(st.booleans(), min_size=16, max_size=16))).reshape(4, 4)
    hidden = ((true > 0) & (true < 5)) | (more & (true > 0))
    names = ["All", "A", "B", "C"]
    shown = [
        [None if hidden[a, c] else int(rounding * np.rint(true[a, c] / rounding)) for c in range(4)]
        for a in range(4)
    ]
    lsoa = [(f"E0190000{a}", names[c], shown[a][c]) for a in range(3) for c in range(4)]
    msoa = [("E02900001", names[c], shown[3][c]) for c in range(4)]
    rules = replace(RULES["councillor"], rounding=rounding)
    words, breaches = check_subtraction(two_levels(lsoa, msoa), rules)
    assert not any("no counts can fulfil" in word for word in words)
    for finding in (finding for breach in breaches for finding in breach.cells):
        code, name, _ = finding.cell.split(" ")
        value = true[3 if code == "E02900001" else int(code[-1]), names.index(name)]
        spans = re.findall(r"(?:so|be|=) (\d+)(?: to (\d+))?(?= \(|,|$)", finding.proof)
        assert int(spans[-1][0]) <= value <= int(spans[-1][1] or spans[-1][0]), finding
