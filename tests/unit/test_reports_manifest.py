"""The manifest that goes with a product."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

from placeshaping._core.errors import DisclosureError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.study import Study
from placeshaping.reports.manifest import write_manifest
from placeshaping.verify.files import verify_file

MakeStudy = Callable[..., Study]


@pytest.fixture(scope="module")
def made(make_study: MakeStudy) -> Release:
    return release(
        make_study(mean=1.0),
        policy="councillor",
        title="Crime",
        made_on=dt.date(2026, 1, 31),
        sources=[SourceFile("records", "a.zip", "00ff", 12)],
    )


def written(made: Release, folder: Path, recipe: dict[str, Any]) -> dict[str, Any]:
    output = folder / "tables.xlsx"
    output.write_bytes(b"abc")
    path = write_manifest(made, folder / "manifest.json", recipe=recipe, outputs=[output])
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_manifest_names_inputs_outputs_and_versions(made: Release, tmp_path: Path) -> None:
    content = written(made, tmp_path, {"title": "Crime"})
    assert list(content) == ["declaration", "recipe", "inputs", "versions", "facts", "outputs"]
    assert content["declaration"] == made.declaration
    assert content["inputs"] == [{"role": "records", "name": "a.zip", "sha256": "00ff", "rows": 12}]
    checksum = hashlib.sha256(b"abc").hexdigest()
    assert content["outputs"] == [{"name": "tables.xlsx", "sha256": checksum, "bytes": 3}]
    assert {"numpy", "pandas", "geopandas", "folium"} <= set(content["versions"])
    assert content["facts"]["statement"] == list(made.statement)


def test_recipe_stands_without_folders(made: Release, tmp_path: Path) -> None:
    recipe = {
        "records": {"file": "/home/ann/records.csv", "from": dt.date(2025, 1, 1)},
        "areas": [PurePosixPath("/srv/x.gpkg"), PureWindowsPath(r"C:\Users\Ann\y.gpkg")],
        "lookup": r"C:\Users\Ann\lookup.csv",
        "site": "https://example.org/a/b",
    }
    content = written(made, tmp_path, recipe)
    assert content["recipe"] == {
        "records": {"file": "records.csv", "from": "2025-01-01"},
        "areas": ["x.gpkg", "y.gpkg"],
        "lookup": "lookup.csv",
        "site": "https://example.org/a/b",
    }
    assert verify_file(tmp_path / "manifest.json").breaches == ()


def test_same_input_gives_the_same_bytes(made: Release, tmp_path: Path) -> None:
    written(made, tmp_path, {})
    first = (tmp_path / "manifest.json").read_bytes()
    written(made, tmp_path, {})
    assert (tmp_path / "manifest.json").read_bytes() == first


def test_anything_but_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DisclosureError, match="write_manifest takes a Release, not a dict"):
        write_manifest({}, tmp_path / "m.json", recipe={}, outputs=[])  # type: ignore[arg-type]
