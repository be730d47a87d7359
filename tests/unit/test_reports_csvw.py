"""CSV files with metadata."""

from __future__ import annotations

import datetime as dt
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.reports.csvw import METADATA, write_csv
from placeshaping.verify.files import verify_file, verify_files

MakeStudy = Callable[..., Study]
DAY = dt.date(2026, 1, 31)
LICENCE = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
PYTHON = {"string": str, "integer": "Int64", "double": "float64"}


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(
        make_study(mean=1.0), policy="councillor", title="Crime in Marsh", made_on=DAY,
        contact="a@example.org",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(made: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder, é") / "tables"
    write_csv(made, folder, licence=LICENCE)
    return folder


@pytest.fixture(scope="module")
def described(folder: Path) -> dict[str, object]:
    return json.loads((folder / METADATA).read_text(encoding="utf-8"))


def read_as_described(folder: Path, described: dict, url: str) -> pd.DataFrame:
    """Read a file with nothing but what its metadata say."""
    table = next(table for table in described["tables"] if table["url"] == url)
    columns = table["tableSchema"]["columns"]
    kinds = {}
    for column in columns:
        kind = column["datatype"]
        kinds[column["titles"]] = PYTHON[kind["base"] if isinstance(kind, dict) else kind]
    dialect = described["dialect"]
    frame = pd.read_csv(
        folder / url, sep=dialect["delimiter"], encoding=dialect["encoding"], dtype=kinds,
        na_values=[""], keep_default_na=False,
    )  # fmt: skip
    assert frame.columns.tolist() == [column["titles"] for column in columns]
    assert not frame[table["tableSchema"]["primaryKey"]].duplicated().any()
    for column in columns:
        assert not (column.get("required") and frame[column["name"]].isna().any())
    return frame


@pytest.mark.parametrize("level", ["lsoa", "msoa", "district"])
def test_a_level_comes_back_as_its_metadata_say(
    made: Release, folder: Path, described: dict, level: str
) -> None:
    found = read_as_described(folder, described, f"{level}.csv")
    values = made.tables[level].values
    for name in ("period", "category", "area_code", "status"):
        assert found[name].tolist() == values[name].astype(str).tolist()
    for name in ("count", "rate", "lower", "upper", "rate_smoothed"):
        np.testing.assert_array_equal(
            found[name].to_numpy(float, na_value=np.nan),
            values[name].to_numpy(float, na_value=np.nan),
        )
    hidden = found["status"] == "hidden"
    assert hidden.any() == (values["status"] == "hidden").any()
    assert found.loc[hidden, ["count", "rate", "lower"]].isna().all(axis=None)


def test_deprivation_comes_back(made: Release, folder: Path, described: dict) -> None:
    assert made.deprivation is not None
    found = read_as_described(folder, described, "deprivation.csv")
    assert found["areas"].tolist() == made.deprivation.values["areas"].tolist()
    slopes = read_as_described(folder, described, "inequality.csv")
    np.testing.assert_array_equal(slopes["slope"], made.deprivation.slopes["slope"])


def test_metadata_describe_every_file_and_column(folder: Path, described: dict) -> None:
    assert described["@context"][0] == "http://www.w3.org/ns/csvw"
    urls = {table["url"] for table in described["tables"]}
    assert urls | {METADATA} == {path.name for path in folder.iterdir()}
    for table in described["tables"]:
        for column in table["tableSchema"]["columns"]:
            assert len(column["dc:description"]) > len(column["name"])
    assert described["dc:license"] == {"@id": LICENCE}
    assert described["notes"][0]["placeshaping"]["policy"] == "councillor"


def test_excel_is_told_the_encoding_and_lines_end_as_rfc_4180_says(folder: Path) -> None:
    raw = (folder / "lsoa.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfarea_code,area_name,")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 64 * 12 + 1


def test_a_name_cannot_become_a_formula(make_study: MakeStudy, tmp_path: Path) -> None:
    made = release(
        make_study(names='=HYPERLINK("x")'), policy="councillor", title="=1+1", made_on=DAY
    )
    write_csv(made, tmp_path)
    found = pd.read_csv(tmp_path / "lsoa.csv")
    assert found["area_name"].str.startswith("'=HYPERLINK").all()


def test_the_same_release_gives_the_same_bytes(made: Release, folder: Path, tmp_path: Path) -> None:
    for path in write_csv(made, tmp_path, licence=LICENCE):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_written_files_withstand_the_attacker(folder: Path) -> None:
    verdicts = verify_files([folder])
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []
    assert {v.declared_policy for v in verdicts if v.kind != "together"} == {"councillor"}


def test_a_table_without_its_metadata_is_judged_as_public(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "lsoa.csv"
    alone.write_bytes((folder / "lsoa.csv").read_bytes())
    verdict = verify_file(alone)
    assert (verdict.declared_policy, verdict.judged_policy) == (None, "public")
    other = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    other["tables"] = [table for table in other["tables"] if table["url"] != "lsoa.csv"]
    (tmp_path / METADATA).write_text(json.dumps(other), encoding="utf-8")
    assert verify_file(alone).declared_policy is None


@pytest.mark.parametrize("inside", ["", "tables/"])
def test_tables_in_an_archive_keep_their_metadata(
    folder: Path, tmp_path: Path, inside: str
) -> None:
    with zipfile.ZipFile(tmp_path / "tables.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{inside}{path.name}")
    verdict = verify_file(tmp_path / "tables.zip")
    assert (verdict.declared_policy, verdict.breaches) == ("councillor", ())


def test_only_a_release_is_written(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="write_csv takes a Release, not a DataFrame"):
        write_csv(pd.DataFrame(), tmp_path)
    assert list(tmp_path.iterdir()) == []
