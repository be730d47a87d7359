"""The workbook that goes with a map."""

from __future__ import annotations

import dataclasses
import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError, OutputError
from placeshaping.areas.ladder import Ladder
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.reports.notes import derived_codes, notes_of_tables
from placeshaping.reports.sheets import write_tables
from placeshaping.verify.files import verify_file

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    study = make_study(mean=1.0, names="=Marsh & <Fen>")
    return release(
        study,
        policy="councillor",
        title="=HYPERLINK(1)",
        made_on=DAY,
        contact="@somebody",
        notes=["+1 is a note\x07", "-1 is another"],
    )


@pytest.fixture(scope="module")
def tables(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(made, tmp_path_factory.mktemp("tables") / "tables.xlsx")


def test_notes_begin_with_words_and_end_with_the_declaration(made: Release, tables: Path) -> None:
    book = openpyxl.load_workbook(tables)
    assert book.sheetnames == ["Notes", "LSOA", "MSOA", "District", "Deprivation", "Inequality"]
    notes = dict(book["Notes"].iter_rows(values_only=True))
    assert notes["policy"] == made.declaration["policy"]
    assert notes["threshold"] == 5
    keys = [row[0] for row in book["Notes"].iter_rows(values_only=True)]
    assert keys[0] == "=HYPERLINK(1)"
    assert keys.index("policy") > keys.index("Columns") > keys.index("What is hidden")
    for key in ("Period", "About the records", "Not for", "Contact", "How to read"):
        assert key in keys


def test_numbers_are_numbers_and_hidden_cells_are_empty(made: Release, tables: Path) -> None:
    frame = pd.read_excel(tables, sheet_name="LSOA")
    values = made.tables["lsoa"].values
    assert frame["area_code"].tolist() == values["area_code"].astype(str).tolist()
    assert frame["period"].astype(str).tolist() == values["period"].astype(str).tolist()
    for column in ("count", "rate", "lower", "upper", "rate_smoothed"):
        np.testing.assert_array_equal(
            frame[column].to_numpy(float), values[column].to_numpy(float, na_value=np.nan)
        )
    hidden = frame["status"] == "hidden"
    assert hidden.any()
    assert frame.loc[hidden, ["count", "rate", "rate_smoothed"]].isna().all().all()


def test_text_never_becomes_a_formula(tables: Path) -> None:
    book = openpyxl.load_workbook(tables)
    texts = [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value[:1] in "=+-@"
    ]
    assert len(texts) > 64
    assert {cell.data_type for cell in texts} == {"s"}
    with zipfile.ZipFile(tables) as archive:
        sheets = [n for n in archive.namelist() if "worksheets/" in n]
        assert all(b"<f>" not in archive.read(name) for name in sheets)


def test_names_with_markup_survive(tables: Path) -> None:
    names = pd.read_excel(tables, sheet_name="MSOA")["area_name"]
    assert names.iloc[0] == "=Marsh & <Fen> 001"


def test_headers_are_frozen_filtered_and_formats_set(tables: Path) -> None:
    book = openpyxl.load_workbook(tables)
    sheet = book["LSOA"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:L{sheet.max_row}"
    formats = {c.value: sheet.cell(2, c.column).number_format for c in sheet[1]}
    assert formats["count"] == "#,##0"
    assert formats["rate"] == "0.00"
    assert sheet.column_dimensions["B"].width > 20


def test_same_release_gives_the_same_bytes(made: Release, tables: Path, tmp_path: Path) -> None:
    assert write_tables(made, tmp_path / "again.xlsx").read_bytes() == tables.read_bytes()
    properties = openpyxl.load_workbook(tables).properties
    assert properties.created == properties.modified == pd.Timestamp(DAY)


def test_level_with_too_many_rows_keeps_the_view_that_opens_first(
    made: Release, tmp_path: Path
) -> None:
    path = write_tables(made, tmp_path / "short.xlsx", most_rows=500)
    lsoa = pd.read_excel(path, sheet_name="LSOA")
    assert len(lsoa) == 64
    assert set(lsoa["category"]) == {made.categories[0].label}
    msoa = pd.read_excel(path, sheet_name="MSOA")
    assert len(msoa) == len(made.tables["msoa"].values)
    notes = openpyxl.load_workbook(path)["Notes"]
    assert any(
        row[0] == "Rows left out" and "LSOA" in str(row[1])
        for row in notes.iter_rows(values_only=True)
    )


def test_workbook_withstands_the_attacker(tables: Path) -> None:
    assert verify_file(tables).breaches == ()


def test_anything_but_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="write_tables takes a Release, not a DataFrame"):
        write_tables(pd.DataFrame(), tmp_path / "x.xlsx")  # type: ignore[arg-type]


def test_every_column_is_explained_in_words(tables: Path) -> None:
    book = openpyxl.load_workbook(tables)
    notes = dict(book["Notes"].iter_rows(values_only=True))
    heads = {cell.value for sheet in book.worksheets[1:] for cell in sheet[1]}
    assert heads <= set(notes)
    assert "hidden" in notes["status"]


def test_finest_level_alone_says_its_tenth_of_deprivation(made: Release, tables: Path) -> None:
    lsoa = pd.read_excel(tables, sheet_name="LSOA")
    deciles = made.tables["lsoa"].areas["imd_decile"]
    assert lsoa["imd_decile"].tolist() == deciles.loc[lsoa["area_code"]].tolist()
    assert "imd_decile" not in pd.read_excel(tables, sheet_name="MSOA")


def test_scores_are_rounded_to_four_decimals(make_study: MakeStudy, tmp_path: Path) -> None:
    inside = release(make_study(), policy="internal", title="Desk", made_on=DAY)
    path = write_tables(inside, tmp_path / "desk.xlsx")
    frame = pd.read_excel(path, sheet_name="LSOA")
    for name in ("gi_star", "q_value"):
        scores = frame[name].dropna()
        assert len(scores)
        assert (scores == scores.round(4)).all()
    assert verify_file(path, policy="internal").breaches == ()


def test_codes_that_are_names_are_told(make_study: MakeStudy, made: Release) -> None:
    table = made.tables["msoa"]
    assert derived_codes(table.areas["area_name"], level="msoa") == ""
    named = table.areas.set_index(pd.Index(table.areas["area_name"], name="area_code"))
    told = derived_codes(named["area_name"], level="msoa")
    assert told.startswith("Codes of level MSOA that are not official are names")
    assert derived_codes(named["area_name"], level="area") == ""


@pytest.mark.parametrize("told_already", [False, True])
def test_codes_that_are_names_are_told_once(make_study: MakeStudy, told_already: bool) -> None:
    study = make_study()
    names = study.ladder.areas["msoa"].set_index("area_name", drop=False).rename_axis("area_code")
    names.attrs = study.ladder.areas["msoa"].attrs
    ladder = Ladder({**study.ladder.areas, "msoa": names}, study.ladder.positions)
    told = derived_codes(names["area_name"], level="msoa")
    notes = [told] if told_already else []
    own = release(
        dataclasses.replace(study, ladder=ladder),
        policy="internal",
        title="Desk",
        made_on=DAY,
        notes=notes,
    )
    rows = notes_of_tables(own, [])
    words = [row.value for row in rows[: [row.key for row in rows].index("Columns")]]
    assert words.count(told) == 1


@pytest.mark.parametrize("name", ["x.csv", "x.xls", "x"])
def test_other_suffixes_are_refused(made: Release, tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"writes a workbook of Excel\. Name it x\.xlsx\."):
        write_tables(made, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
