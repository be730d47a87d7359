"""Records of patrol layers are judged like every other file: each planted leak is found."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from placeshaping.verify.files import verify_file
from placeshaping.verify.transparency_file import ODT

CELL = "S250E457000N298250"
ROW = {
    "category": "Burglary", "model": "trailing 12 months", "share": 0.05, "n": 40.0, "N": 100.0,
    "hit_rate": 0.4, "note": "",
}  # fmt: skip
BURDEN = [
    {"group": "White", "residents": 900, "flagged_residents": 60, "share": 0.75,
     "flagged_share": 0.6, "burden_ratio": 0.8, "lower": 0.7, "upper": 0.95, "screened": True},
    {"group": "Asian", "residents": 300, "flagged_residents": 40, "share": 0.25,
     "flagged_share": 0.4, "burden_ratio": 1.6, "lower": 1.1, "upper": 2.03, "screened": False},
    {"group": "Other", "residents": 0, "flagged_residents": 0, "share": 0.0,
     "flagged_share": 0.0, "burden_ratio": None, "lower": None, "upper": None, "screened": False},
]  # fmt: skip
RECORD: dict[str, Any] = {
    "kind": "patrol layer transparency record",
    "version": 1,
    "declaration": {"policy": "councillor", "expires": "2026-02-06", "purpose": "A test."},
    "facts": {
        "title": "Patrol areas", "offences": {"Burglary": "reported"}, "unlocated": 0.03,
        "parameters": {"level": 0.25, "kind": "plain"}, "marks": [],
        "sources": [{"role": "records", "name": "a.zip", "sha256": "1" * 64, "rows": None}],
    },
    "scores": [ROW],
    "groups": [{**ROW, "group": "1", "kind": "deprivation decile"}],
    "calibration": None,
    "audit": {
        "burdens": {"ethnic group": BURDEN},
        "drifts": {"deprivation decile": [{"group": "1", "2026-01-02": 1.1, "change": 0.0}]},
    },
}  # fmt: skip
STANDARD: dict[str, Any] = {
    "standard": "Algorithmic Transparency Recording Standard",
    "standard_version": "3.0",
    "missing": ["2.1.2 Team"],
    "sections": {"One": [{"number": "1.1", "attribute": "name", "name": "Name", "answer": "A"}]},
}


def judged(tmp_path: Path, record: dict[str, Any]) -> list[str]:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    verdict = verify_file(path, today=dt.date(2026, 2, 3))
    return [f"{breach.where}: {breach.what}" for breach in verdict.breaches]


def test_a_sound_record_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, RECORD) == []
    assert judged(tmp_path, STANDARD) == []


def planted(**leaks: Any) -> dict[str, Any]:
    """Plant a value at a path written with double underscores."""
    record = copy.deepcopy(RECORD)
    for path, value in leaks.items():
        *steps, last = path.split("__")
        at: Any = record
        for step in steps:
            at = at[int(step) if step.isdigit() else step]
        at[last] = value
    return record


@pytest.mark.parametrize(
    ("leak", "told"),
    [
        ({"scores__0__n": 3.0}, "scores: 1 number of events under 5 or not rounded to 5"),
        ({"scores__0__N": 101.0}, "scores: 1 number of events under 5"),
        ({"groups__0__n": 41.0}, "groups: 1 number of events under 5"),
        ({"groups__0__hit_rate": 0.4183}, "groups: tells a hit rate too exactly"),
        ({"scores__0__hit_rate": 0.99}, "a hit rate that tells of fewer than 5"),
        ({"groups__0__note": "withheld"}, "whose number of events is withheld"),
        ({"facts__unlocated": 0.0312345}, "tells the share 'unlocated' too exactly"),
        ({"facts__flagged": [CELL]}, "holds the field 'flagged', which is not on the list"),
        ({"facts__marks": [f"{CELL} is a car park"]}, "names a cell of a grid"),
        ({"facts__parameters": {CELL: 0.7}}, "names a cell of a grid"),
        ({"facts__parameters": {"scores": [0.1, 0.2]}}, "holds what is no any of a list"),
        ({"facts__sources": [{"rows": 1234}]}, "holds what must be left out"),
        ({"facts__purpose": "at 52.63621, -1.13345"}, "tells the coordinates of a place"),
        ({"facts__purpose": "1 2 3 4 5 6 7 8 9 10 11 12 13"}, "holds a list of numbers"),
        ({"audit__cells": {"a": 1}}, "holds the field 'cells', which is not on the list"),
        ({"audit__drifts": {"x": [{CELL: 1}]}}, "which is not on the list"),
        (
            {"audit__burdens__ethnic group__0__residents": 3},
            "burden by ethnic group: 1 number of residents under 5 or not rounded to 5",
        ),
        ({"audit__burdens__ethnic group__1__flagged_residents": 41}, "1 number of residents"),
        ({"audit__burdens__ethnic group__1__share": 0.2512}, "tells a share that is not worked"),
        ({"audit__burdens__ethnic group__1__burden_ratio": 1.63}, "tells a share that is not"),
        ({"audit__burdens__ethnic group__1__residents": None}, "tells a share that is not"),
        ({"audit__burdens__ethnic group__1__lower": 1.1234}, "a limit of an interval too exactly"),
        ({"audit__burdens__ethnic group__1__upper_code": "E01"}, "which is not on the list"),
        ({"audit__burdens__ethnic group__1__group": CELL}, "names a cell of a grid"),
        ({"audit__drifts__deprivation decile__0__change": 0.1234}, "of a release too exactly"),
        ({"calibration": [{"observed": 2.0}]}, "calibration: 1 number of events under 5"),
        ({"declaration": {"policy": "councillor", "expires": "2026-02-01"}}, "has expired"),
    ],
)
def test_a_planted_leak_is_found(tmp_path: Path, leak: dict[str, Any], told: str) -> None:
    assert any(told in one for one in judged(tmp_path, planted(**leak)))


def test_a_record_of_the_standard_must_not_name_cells_or_more(tmp_path: Path) -> None:
    leaky = copy.deepcopy(STANDARD)
    leaky["sections"]["One"][0]["answer"] = f"Most is expected in {CELL}."
    assert any("names a cell of a grid" in one for one in judged(tmp_path, leaky))
    leaky = {**STANDARD, "scores": [{"n": 1}]}
    assert any("'scores', which is not on the list" in one for one in judged(tmp_path, leaky))


def odt(body: str, *, more: dict[str, str] | None = None) -> bytes:
    written = io.BytesIO()
    space = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    content = f'<d:document-content xmlns:d="{space}"><d:p>{body}</d:p></d:document-content>'
    members = {"mimetype": ODT, "content.xml": content, "styles.xml": "<a/>", "meta.xml": "<a/>",
               "META-INF/manifest.xml": "<a/>", **(more or {})}  # fmt: skip
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return written.getvalue()


@pytest.mark.parametrize(
    ("body", "more", "told"),
    [
        ("Sound.", {}, None),
        (f"{CELL}: 3", {}, "names a cell of a grid"),
        ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13", {}, "holds a list of numbers"),
        ("A", {"data.csv": "cell,count"}, "is not on the list of what an OpenDocument"),
        ("<d:script>3</d:script>", {}, "has an element that is not on the list"),
        ("A", {"meta.xml": f"<a>{CELL}</a>"}, "names a cell of a grid"),
        ("A", {"mimetype": "application/zip"}, "could not be read"),
        ("A", {"content.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}, "could not be read"),
    ],
)
def test_an_odt_is_judged(
    tmp_path: Path, body: str, more: dict[str, str], told: str | None
) -> None:
    path = tmp_path / "atrs.odt"
    path.write_bytes(odt(body, more=more))
    verdict = verify_file(path)
    assert verdict.kind == "odt"
    found = [breach.what for breach in verdict.breaches]
    assert found == [] if told is None else any(told in one for one in found)


def test_the_markdown_of_a_record_must_not_name_cells(tmp_path: Path) -> None:
    path = tmp_path / "transparency.md"
    path.write_text(f"# Transparency record: Burglary\n\nA1 is {CELL}.\n", encoding="utf-8")
    assert [breach.what for breach in verify_file(path).breaches] == [
        "names a cell of a grid, which a record must not"
    ]
