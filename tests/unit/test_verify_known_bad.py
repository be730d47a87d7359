"""Files that give something away, each in its own manner: the attacker must break every one."""

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
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.maps.area_map import area_map
from placeshaping.reports.sheets import write_tables
from placeshaping.statistics.rates import crude_rate
from placeshaping.verify.files import verify_file
from placeshaping.verify.verdict import Breach

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(make_study(mean=1.0), policy="councillor", title="Crime", made_on=DAY)


@pytest.fixture(scope="module")
def good(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    write_layers(made, folder / "layers.gpkg")
    write_tables(made, folder / "tables.xlsx")
    area_map(made).save(folder / "map.html")
    return folder


def found(path: Path, **options: Any) -> str:
    breaches = verify_file(path, **options).breaches
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in breaches)


@pytest.mark.parametrize("name", ["layers.gpkg", "tables.xlsx", "map.html"])
def test_files_of_a_release_withstand(good: Path, name: str) -> None:
    verdict = verify_file(good / name)
    assert verdict.breaches == ()
    assert verdict.declared_policy == verdict.judged_policy == "councillor"
    assert any("by subtraction" in c and not c.startswith("0 ") for c in verdict.checks)


# --- pages


def payload_of(page: str) -> dict[str, Any]:
    encoded = page.split('data-encoding="gzip+base64">')[1].split("</script>")[0]
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(encoded)))
    return data


def with_payload(page: str, data: dict[str, Any]) -> str:
    head, _, rest = page.partition('data-encoding="gzip+base64">')
    tail = rest.partition("</script>")[2]
    encoded = base64.b64encode(gzip.compress(json.dumps(data).encode(), mtime=0)).decode()
    return f'{head}data-encoding="gzip+base64">{encoded}</script>{tail}'


def changed(good: Path, folder: Path, change: Callable[[str], str]) -> Path:
    path = folder / "map.html"
    page = (good / "map.html").read_text(encoding="utf-8")
    path.write_text(change(page), encoding="utf-8")
    return path


def payload_changed(good: Path, folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    def applied(page: str) -> str:
        data = payload_of(page)
        change(data)
        return with_payload(page, data)

    return changed(good, folder, applied)


def test_payload_that_is_only_packed_again_withstands(good: Path, tmp_path: Path) -> None:
    assert found(payload_changed(good, tmp_path, lambda _: None)) == ""


def test_small_count_in_the_payload(good: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        counts = data["levels"][0]["count"]
        counts[counts.index(-1)] = 3

    assert "lsoa_values: 1 count under 5" in found(payload_changed(good, tmp_path, change))


def test_count_that_is_not_rounded(good: Path, tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["levels"][1]["count"][2] = 23

    assert "msoa_values: 1 count not rounded to 5" in found(payload_changed(good, tmp_path, change))


@pytest.mark.parametrize("place", ["", "levels", "categories", "periods"])
def test_field_that_is_not_on_the_list(good: Path, tmp_path: Path, place: str) -> None:
    def change(data: dict[str, Any]) -> None:
        (data[place][0] if place else data)["raw"] = [1, 2, 3]

    assert "holds the field 'raw', which is not on the list [[1, 2, 3]]" in found(
        payload_changed(good, tmp_path, change)
    )


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ('<div title="Marsh 001A: 3 crimes"></div>', "counts 3, under 5"),
        ('<svg><title>Marsh 001A, 1,234 recorded crimes</title></svg>', "counts 1234, not rounded"),
        ('<div data-label="count=2"></div>', "counts 2, under 5"),
        ("<table><tr><th>Area</th><th>Records</th></tr><tr><td>A</td><td>3</td></tr></table>",
         "1 number in 'Records' under 5"),
        ('<script type="application/json" id="more">{"a": 1}</script>', "holds data other than"),
        ('<script type="text/plain">1;2;3</script>', "holds data other than"),
        ("<script>var raw = [1,2,3,4,5,6,7,8,9,10,11,12,13];</script>", "holds a list of numbers"),
        ('<script>var x = {"type": "FeatureCollection"};</script>', "holds features outside"),
        (f"<script>var x = '{'QUJD' * 300}';</script>", "holds encoded data outside"),
        ("<!-- [1,2,3,4,5,6,7,8,9,10,11,12,13] -->", "comment: holds a list of numbers"),
        ('<script src="https://cdn.example/x.js"></script>', "reaches an outside address"),
        ('<img src="//tiles.example/1.png">', "reaches an outside address"),
        ('<link rel="stylesheet" href="http://a.example/x.css">', "reaches an outside address"),
        ("<style>@import 'https://a.example/x.css';</style>", "reaches an outside address"),
        ('<p style="background:url(//a.example/x.png)">x</p>', "reaches an outside address"),
        ("<script>fetch('https://a.example/')</script>", "reaches an outside address"),
        ("<script>new WebSocket('wss://a.example/')</script>", "reaches an outside address"),
        ("<script>import('//a.example/x.mjs')</script>", "reaches an outside address"),
        ('<a href="#x" ping="https://a.example/">x</a>', "reaches an outside address"),
        ('<img src="x" onerror="fetch(\'https://a.example/\')">', "reaches an outside address"),
        ('<meta http-equiv="refresh" content="0; url=https://a.example/">', "reaches an outside"),
        ("<p>Made from /home/ann/records.csv</p>", "tells a path of the machine"),
        (r"<script>var p = 'C:\\Users\\Ann\\records.csv';</script>", "tells a path of the machine"),
        ('<script type="application/json" id="placeshaping-declaration">{}</script>',
         "stands more than once"),
    ],
)  # fmt: skip
def test_page_with_something_added(good: Path, tmp_path: Path, added: str, expected: str) -> None:
    path = changed(good, tmp_path, lambda page: page.replace("</body>", f"{added}</body>"))
    assert expected in found(path)


@pytest.mark.parametrize(
    "added",
    [
        "<p>The counts are as published at https://data.police.uk/.</p>",
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M1,2,3,4,5,6,7,8,9,10,11,12,13Z"/></svg>',
        "<p>12 records could not be placed.</p>",
        "<style>a { background: url(data:image/gif;base64,R0lGODlhAQABAAAAADs=) }</style>",
        "<p>either/or, and/home pages</p>",
    ],
)
def test_what_a_page_may_hold(good: Path, tmp_path: Path, added: str) -> None:
    path = changed(good, tmp_path, lambda page: page.replace("</body>", f"{added}</body>"))
    assert found(path) == ""


def test_links_that_a_reader_may_click_are_listed(good: Path, tmp_path: Path) -> None:
    link = '<a href="https://data.police.uk/">source</a>'
    path = changed(good, tmp_path, lambda page: page.replace("</body>", f"{link}</body>"))
    verdict = verify_file(path)
    assert verdict.passed
    assert "https://data.police.uk/" in verdict.links


def test_payload_that_is_cut_short(good: Path, tmp_path: Path) -> None:
    path = changed(good, tmp_path, lambda page: page.replace("H4sI", "H4sIAAAA", 1))
    assert "payload: could not be read" in found(path)


def test_page_without_a_declaration_is_judged_as_public(good: Path, tmp_path: Path) -> None:
    path = changed(good, tmp_path, lambda p: p.replace("placeshaping-declaration", "other", 1))
    verdict = verify_file(path)
    assert verdict.judged_policy == "public"
    assert "under 10" in found(path)


# --- layers


def database(good: Path, folder: Path, *statements: str) -> Path:
    path = folder / "layers.gpkg"
    shutil.copy(good / "layers.gpkg", path)
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.create_function("ST_IsEmpty", 1, lambda _: 0)  # the layers' triggers call these
        for name in ("ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
            opened.create_function(name, 1, lambda _: 0)
        for statement in statements:
            opened.execute(statement)
    return path


def test_layer_with_a_column_too_many(good: Path, tmp_path: Path) -> None:
    path = database(
        good,
        tmp_path,
        "ALTER TABLE lsoa ADD COLUMN raw_count INTEGER",
        "UPDATE lsoa SET raw_count = 3",
    )
    text = found(path)
    assert "lsoa: 1 field is not on the list of those that may leave [raw_count]" in text
    assert "lsoa: 64 numbers in 'raw_count' under 5" in text


def test_raw_value_at_a_finer_level(good: Path, tmp_path: Path) -> None:
    path = database(
        good,
        tmp_path,
        "CREATE TABLE finer AS SELECT 'E00900001' AS area_code, 'Total' AS category, 10 AS count",
    )
    assert "finer: holds areas of the level 'oa', finer than an LSOA [E00900001]" in found(path)


def test_level_that_is_not_declared(good: Path, tmp_path: Path) -> None:
    path = database(
        good, tmp_path, "UPDATE placeshaping SET value = '[\"msoa\"]' WHERE key = 'levels'"
    )
    assert "holds areas of the level 'lsoa', which the file does not declare" in found(path)


def test_hidden_cell_that_carries_a_rate(good: Path, tmp_path: Path) -> None:
    path = database(good, tmp_path, "UPDATE lsoa_values SET rate = 1.5 WHERE status = 'hidden'")
    text = found(path)
    assert "cells marked as hidden, with a rate all the same" in text
    assert "rates from which a count comes back" in text


def test_table_that_is_not_listed_is_read_all_the_same(good: Path, tmp_path: Path) -> None:
    path = database(good, tmp_path, "CREATE TABLE notes (crimes INTEGER)",
                    "INSERT INTO notes VALUES (2)")  # fmt: skip
    assert "notes: 1 number in 'crimes' under 5" in found(path)


def test_deleted_rows_that_are_still_in_the_file(good: Path, tmp_path: Path) -> None:
    path = database(
        good,
        tmp_path,
        "CREATE TABLE raw AS SELECT * FROM lsoa_values",
        "DROP TABLE raw",
    )
    assert "file: holds pages of deleted rows" in found(path)


def test_margin_that_was_left(good: Path, tmp_path: Path) -> None:
    """A hidden cell whose total is shown, with nothing else hidden beside it."""
    path = tmp_path / "margin.csv"
    categories = ["All", "Burglary", "Robbery"]
    pd.DataFrame(
        {
            "area_code": "E01900001",
            "period": "2025",
            "category": categories,
            "status": ["shown", "shown", "hidden"],
            "count": [20, 20, None],
        }
    ).to_csv(path, index=False)
    text = found(path, policy="councillor")
    assert text == ""  # 18 to 22, less 18 to 22: anything from 1 to 4
    pd.DataFrame(
        {
            "area_code": "E01900001",
            "period": "2025",
            "category": [*categories, "Arson"],
            "status": ["shown", "shown", "hidden", "shown"],
            "count": [5, 5, None, 0],
        }
    ).to_csv(path, index=False)
    assert found(path, policy="councillor") == (
        "margin: 1 hidden count from subtraction, narrower than 1 to 4 [E01900001 Robbery 2025 is "
        "at most 7 - 5 = 2, so 1 to 2 (7: E01900001 All 2025; 5: E01900001 Burglary 2025)]"
    )


def test_margins_left_in_a_release_with_the_threshold_alone(
    good: Path, made: Release, make_study: MakeStudy, tmp_path: Path
) -> None:
    """Showing again what was hidden against subtraction must be noticed."""
    true = make_study(mean=1.0).table("lsoa")["count"]
    values = made.tables["lsoa"].values
    extra = values["status"].eq("hidden") & (true >= 5)
    assert extra.any()
    statements = [
        f"UPDATE lsoa_values SET status = 'shown', count = {5 * round(true[row] / 5)} "
        f"WHERE fid = {row + 1}"
        for row in values.index[extra]
    ]
    assert "from subtraction" in found(database(good, tmp_path, *statements))


# --- workbooks


def workbook(good: Path, folder: Path, change: Callable[[openpyxl.Workbook], None]) -> Path:
    book = openpyxl.load_workbook(good / "tables.xlsx")
    change(book)
    path = folder / "tables.xlsx"
    book.save(path)
    return path


def test_hidden_sheet_with_raw_values(good: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.create_sheet("Raw")
        sheet.append(["area_code", "count"])
        sheet.append(["E01900001", 3])
        sheet.sheet_state = "veryHidden"

    text = found(workbook(good, tmp_path, change))
    assert "Raw: is a sheet that is veryHidden" in text
    assert "Raw: 1 count under 5 [E01900001: count 3]" in text


def test_stray_number_far_from_the_table(good: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["LSOA"]["ZZ400"] = 3

    assert "LSOA: 1 field is not on the list" in found(workbook(good, tmp_path, change))


def test_number_among_the_notes(good: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["Notes"]["D9"] = 3

    assert "Notes: holds a number beside its words [D9: 3]" in found(
        workbook(good, tmp_path, change)
    )


def test_formula_and_comment(good: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["LSOA"]["G2"] = "=F2/1520"
        book["LSOA"]["F2"].comment = openpyxl.comments.Comment("really 3", "Ann")

    text = found(workbook(good, tmp_path, change))
    assert "LSOA: holds a formula" in text
    assert "is a part of a workbook that can hold data out of sight" in text


# --- tables of text


def test_rate_to_one_decimal_gives_back_a_small_count(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("area_code,residents,rate\nE01900001,1520,1.3\nE01900002,1610,6.2\n")
    alone, breach = verify_file(path).breaches
    assert alone.what == "holds rates without the counts that they were worked out from"
    assert breach == Breach(
        "rates",
        "1 rate from which a count comes back that the policy hides",
        "E01900001: rate 1.3 x 1,520 residents x 1 year / 1,000 = 1.98, so the count is 2",
    )


def test_rate_beside_a_rounded_count(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_text("area_code,residents,period,count,rate\nE01900001,1520,2023 to 2024,25,7.57\n")
    assert "= 23.01, so the count is 23; shown as 25" in found(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("area_code,count\nE01900001,0\n", "1 count under 10"),
        ("area_code;count\nE01900001;1,003\n", "1 count not rounded to 5"),
        ("area_code,count\nE00900001,20\n", "finer than an LSOA"),
        ("easting,northing\n450000,300000\n", "2 fields are not on the list"),
        ("area_code,count,source\nE01900001,20,/srv/data/x.csv\n", "tells a path of the machine"),
        ("area_name,Burglary 2024\nMarsh,3\n", "1 field is not on the list"),
    ],
)
def test_csv_without_a_declaration_is_judged_as_public(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    assert verify_file(path).judged_policy == "public"
    assert expected in found(path)


def test_geojson_with_points_and_more(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "properties": {"area_code": "E01900001", "count": 3, "uprn": 5},
        "geometry": {"type": "Point", "coordinates": [0, 52]},
    }
    path = tmp_path / "x.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature], "raw": [1]}))
    text = found(path)
    for expected in ("holds points", "1 count under 10", "[uprn]", "holds the field 'raw'"):
        assert expected in text


def test_archive_is_judged_by_what_it_holds(good: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(good / "map.html", "map.html")
        archive.writestr("inner/small.csv", "area_code,count\nE01900001,3\n")
    verdict = verify_file(path)
    assert verdict.kind == "zip"
    assert [b.where for b in verdict.breaches] == ["inner/small.csv: small"]


def test_interval_names_its_count_without_any_population(good: Path, tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book["LSOA"]
        true = crude_rate([23], [1520]).round(2).iloc[0]
        heads = {cell.value: cell.column for cell in sheet[1]}
        names = ("count", "rate", "lower", "upper")
        for name, value in zip(names, (25, *true[["rate", "lower", "upper"]]), strict=True):
            sheet.cell(2, heads[name], value)

    assert "is that of 23 records; shown as 25" in found(workbook(good, tmp_path, change))


@pytest.mark.parametrize("method", ["byar", "exact"])
def test_intervals_of_the_shown_counts_are_let_pass(tmp_path: Path, method: Any) -> None:
    counts = pd.Series(range(10, 2000, 5))
    rates = crude_rate(counts, 1300 + counts % 700, method=method).round(2)
    table = rates[["rate", "lower", "upper"]].assign(count=counts)
    table["area_code"] = [f"E0190{number:04d}" for number in range(len(table))]
    table.to_csv(tmp_path / "x.csv", index=False)
    assert found(tmp_path / "x.csv") == ""


def rewritten(good: Path, folder: Path, change: Callable[[str, list[str]], str]) -> Path:
    """Change the XML of every sheet, collecting texts to be shared, as other programs write it."""
    path = folder / "tables.xlsx"
    texts: list[str] = []
    with zipfile.ZipFile(good / "tables.xlsx") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name).decode()
            target.writestr(name, change(content, texts) if "/sheet" in name else content)
        items = "".join(f"<si><r><t>{text}</t></r></si>" for text in texts)
        target.writestr("xl/sharedStrings.xml", f"<sst>{items}</sst>")
    return path


def test_workbook_with_shared_texts_is_read_alike(good: Path, tmp_path: Path) -> None:
    def share(xml: str, texts: list[str]) -> str:
        def one(match: re.Match[str]) -> str:
            texts.append(match.group(1))
            return f't="s"><v>{len(texts) - 1}</v></c>'

        return re.sub(r't="inlineStr"><is><t[^>]*>(.*?)</t></is></c>', one, xml)

    verdict = verify_file(rewritten(good, tmp_path, share))
    assert verdict == verify_file(good / "tables.xlsx")


def test_workbook_with_unusual_xml_is_read_alike(good: Path, tmp_path: Path) -> None:
    def reorder(xml: str, _: list[str]) -> str:
        return re.sub(r'<c r="(\w+)" s="(\d+)"', r'<c s="\2" r="\1"', xml)

    verdict = verify_file(rewritten(good, tmp_path, reorder))
    assert verdict == verify_file(good / "tables.xlsx")
