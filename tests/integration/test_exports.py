"""Further formats of a recipe's products."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.project.exports import EXPORTS, former_exports, write_export
from placeshaping.reports.manifest import write_manifest
from placeshaping.verify.files import verify_files

WRITTEN = {
    "geojson": ["lsoa.geojson", "msoa.geojson", "district.geojson"],
    "geoparquet": ["lsoa.parquet", "msoa.parquet", "district.parquet"],
    "kml": ["areas.kml"],
    "csv": ["lsoa.csv", "msoa.csv", "district.csv", "deprivation.csv", "inequality.csv",
            "csv-metadata.json"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(make_study: Callable[..., Study]) -> Release:
    day = dt.date(2026, 1, 31)
    return release(make_study(mean=1.0), policy="councillor", title="T", made_on=day)


@pytest.mark.parametrize("kind", EXPORTS)
def test_each_format_writes_the_files_that_it_names(
    made: Release, tmp_path: Path, kind: str
) -> None:
    paths = write_export(kind, made, tmp_path)
    assert [path.name for path in paths] == WRITTEN[kind]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_all_formats_together_withstand_and_are_known_again(made: Release, tmp_path: Path) -> None:
    paths = [path for kind in EXPORTS for path in write_export(kind, made, tmp_path)]
    write_manifest(made, tmp_path / "manifest.json", recipe={}, outputs=paths)
    verdicts = verify_files([tmp_path])
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []
    (tmp_path / "ward.csv").write_text("the user's own")
    assert former_exports(tmp_path) == sorted(path.name for path in paths)


@pytest.mark.parametrize("manifest", [None, "", "[]", '{"outputs": 3}', '{"outputs": [3]}'])
def test_without_a_manifest_nothing_is_a_former_product(
    tmp_path: Path, manifest: str | None
) -> None:
    (tmp_path / "lsoa.csv").write_text("the user's own")
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert former_exports(tmp_path) == []


def test_a_manifest_names_no_file_outside_the_folder(tmp_path: Path) -> None:
    said = {"outputs": [{"name": "../lsoa.csv"}, {"name": "notes.txt"}, {"name": "msoa.csv"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    for name in ("notes.txt", "msoa.csv"):
        (tmp_path / name).write_text("")
    assert former_exports(tmp_path) == ["msoa.csv"]
