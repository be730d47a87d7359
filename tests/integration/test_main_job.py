"""The main job on the invented district: what it writes, and that the numbers are right."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import multiprocessing
import re
import sqlite3
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pytest

from placeshaping import read_police, run, verify_files
from placeshaping.project.pipeline import Outcome

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)


@pytest.fixture(scope="module")
def made(
    district_folder: Path, base_recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    out = str(tmp_path_factory.mktemp("out") / "products")
    return run(
        {**base_recipe, "policy": "internal", "output": {"folder": out}},
        folder=district_folder,
        made_on=DAY,
    )


def rows_of(archive: Path) -> list[dict[str, str]]:
    """Read the police files with nothing but the standard library."""
    rows = []
    with zipfile.ZipFile(archive) as members:
        for name in members.namelist():
            text = io.TextIOWrapper(members.open(name), encoding="utf-8", newline="")
            rows += list(csv.DictReader(text))
    return rows


def test_all_outputs_are_written_and_nothing_else(made: Outcome) -> None:
    names = sorted(path.name for path in made.folder.iterdir())
    assert names == ["layers.gpkg", "manifest.json", "map.html", "tables.xlsx"]
    assert [p.name for p in made.folder.parent.iterdir()] == ["products"]


def test_counts_agree_with_an_independent_count(made: Outcome, district_folder: Path) -> None:
    kept, seen = [], set()
    for row in rows_of(district_folder / "crime.zip"):
        key = (row["Crime ID"], row["Crime type"])
        if row["Crime ID"] and key in seen:
            continue
        seen.add(key)
        kept.append(row)
    by_month = Counter((row["Month"][:4], row["Crime type"]) for row in kept)
    values = made.release.tables["district"].values
    told = values.groupby(["period", "category"], observed=True)["count"].sum()
    lost = 0
    for (year, category), number in by_month.items():
        label = next(
            p for p in told.index.levels[0] if p.startswith(f"{year}") and "to 20" not in p
        )
        difference = number - told[label, category]
        assert difference >= 0
        lost += difference
    placement = next(note for note in made.release.notes if note.startswith("Of "))
    told = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", placement)]
    assert told[0] == len(kept)
    assert lost == told[3] + told[4]


def test_every_file_withstands_the_attacker_under_each_policy(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    for policy in ("public", "councillor"):
        out = tmp_path / policy
        run(
            recipe(**{"policy": policy, "output.folder": str(out)}),
            folder=district_folder,
            made_on=DAY,
        )
        verdicts = verify_files([out])
        assert len(verdicts) == 4
        assert {verdict.judged_policy for verdict in verdicts} == {policy}
        assert all(verdict.passed for verdict in verdicts), [v.breaches for v in verdicts]


def test_internal_files_fail_unless_the_policy_is_named(made: Outcome) -> None:
    assert not any(verdict.passed for verdict in verify_files([made.folder]))
    assert all(verdict.passed for verdict in verify_files([made.folder], policy="internal"))


def test_no_exact_total_undoes_the_rounding(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    """Neither notes nor statement nor manifest tell an exact number of records."""
    out = tmp_path / "products"
    protected = run(recipe(**{"output.folder": str(out)}), folder=district_folder, made_on=DAY)
    told = " ".join(note for note in protected.release.notes if not note.startswith("There are"))
    numbers = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", told)]
    assert all(number % 5 == 0 for number in numbers), told
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    records = next(source for source in manifest["inputs"] if source["role"] == "records")
    assert records.get("rows") is None
    assert set(protected.release.facts["lsoa"]) == {
        "cells",
        "hidden",
        "hidden_when_opened",
        "areas",
        "share_hidden",
        "rank_correlation",
        "moran_true",
        "moran_released",
    }


def test_checksum_of_few_records_is_withheld(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    text = (district_folder / "fly_tipping.csv").read_text(encoding="utf-8")
    few = tmp_path / "few.csv"
    few.write_text("\n".join(text.splitlines()[:900]), encoding="utf-8")
    changes = {
        "records": {"file": str(few), "sensitivity": "personal"},
        "show.by": "all",
        "output.folder": str(tmp_path / "products"),
    }
    run(recipe(**changes), folder=district_folder, made_on=DAY)
    manifest = json.loads((tmp_path / "products" / "manifest.json").read_text(encoding="utf-8"))
    checksums = {source["role"]: source["sha256"] for source in manifest["inputs"]}
    assert checksums["records"] is None
    assert checksums["areas"]


def test_layers_open_with_a_style_each(made: Outcome) -> None:
    path = made.folder / "layers.gpkg"
    for level, table in made.release.tables.items():
        layer = gpd.read_file(path, layer=level)
        assert layer.crs.to_epsg() == 27700
        assert layer["area_code"].tolist() == table.areas.index.tolist()
    with sqlite3.connect(path) as database:
        styled = {row[0] for row in database.execute("SELECT f_table_name FROM layer_styles")}
    assert styled == set(made.release.levels)


def test_sheets_hold_the_released_numbers(made: Outcome) -> None:
    book = openpyxl.load_workbook(made.folder / "tables.xlsx", read_only=True)
    assert book.sheetnames[0] == "Notes"
    assert len(book.sheetnames) >= 1 + len(made.release.levels)


def test_manifest_names_inputs_by_checksum_and_no_path(
    made: Outcome, district_folder: Path
) -> None:
    text = (made.folder / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    assert str(district_folder) not in text
    assert str(made.folder) not in text
    assert {"crime.zip", "lsoa_2021.gpkg", "population.csv", "deprivation.csv"} <= {
        source["name"] for source in manifest["inputs"]
    }
    assert all(len(source["sha256"]) == 64 for source in manifest["inputs"])
    assert {output["name"] for output in manifest["outputs"]} == {
        "map.html",
        "layers.gpkg",
        "tables.xlsx",
    }


def test_month_missing_in_the_middle_is_told_and_is_not_zero(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    archive = tmp_path / "crime.zip"
    with (
        zipfile.ZipFile(district_folder / "crime.zip") as old,
        zipfile.ZipFile(archive, "w") as new,
    ):
        for name in old.namelist():
            if "2023-05" not in name:
                new.writestr(name, old.read(name))
    changes = {
        "records.file": str(archive),
        "policy": "internal",
        "output.folder": str(tmp_path / "products"),
        "output.write": ["tables"],
    }
    made = run(recipe(**changes), folder=district_folder, made_on=DAY)
    whole = made.release.periods[0]
    assert whole.missing == ("2023-05",)
    assert whole.months == 35
    assert any("2023-05" in sentence for sentence in made.release.notes)
    assert any("2023-05" in sentence for sentence in made.release.cautions)


def test_services_run_like_crime(district_folder: Path, recipe: MakeRecipe, tmp_path: Path) -> None:
    changes = {
        "records": {"file": "fly_tipping.csv", "sensitivity": "open", "postcodes": "postcodes.csv"},
        "policy": "public",
        "show.subject": "Fly-tipping reports",
        "output.folder": str(tmp_path / "products"),
    }
    made = run(recipe(**changes), folder=district_folder, made_on=DAY)
    assert made.release.categories[0].label == "All fly-tipping reports"
    assert (tmp_path / "products" / "map.html").is_file()


def test_two_kinds_of_records_are_counted_together(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    records = [
        {"file": "crime.zip", "sensitivity": "open", "categories": ["Burglary"]},
        {"file": "fly_tipping.csv", "sensitivity": "open"},
    ]
    changes = {"records": records, "policy": "internal", "output.folder": str(tmp_path / "p")}
    made = run(recipe(**changes), folder=district_folder, made_on=DAY)
    labels = [view.label for view in made.release.categories]
    assert labels[0] == "All records"
    assert "Burglary" in labels
    assert len(labels) > 2


def test_reading_works_in_a_spawned_process(district_folder: Path) -> None:
    """As worker processes are started on Windows."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        events = pool.apply(read_police, (district_folder / "crime.zip",))
    assert len(events) == len(read_police(district_folder / "crime.zip"))


def test_products_of_a_looser_run_do_not_stay_beside_new_ones(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    out = tmp_path / "products"
    changes = {"policy": "internal", "output.folder": str(out)}
    run(recipe(**changes), folder=district_folder, made_on=DAY)
    (out / "my notes.txt").write_text("mine")
    changes = {"output.write": ["tables"], "output.folder": str(out)}
    run(recipe(**changes), folder=district_folder, made_on=DAY)
    assert {path.name for path in out.iterdir()} == {
        "manifest.json",
        "my notes.txt",
        "tables.xlsx",
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_products_are_the_same_on_a_cluster(
    district_folder: Path, base_recipe: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    tables = []
    for cluster in (None, "local:2"):
        out = tmp_path / str(cluster)
        changes = {"output": {"folder": str(out), "write": ["tables"]}}
        made = run({**base_recipe, **changes}, folder=district_folder, made_on=DAY, cluster=cluster)
        tables.append({level: made.release.table(level) for level in made.release.levels})
        notes = [note for note in made.release.notes if "cluster" not in note]
        tables[-1]["notes"] = notes
    here, there = tables
    assert here.pop("notes") == there.pop("notes")
    for level, table in here.items():
        assert table.equals(there[level])


def test_recipes_of_the_gallery_run(district_folder: Path, tmp_path: Path) -> None:
    gallery = sorted((Path(__file__).parents[2] / "maps").glob("*.toml"))
    assert gallery
    (tmp_path / "out").mkdir()
    (tmp_path / "maps").mkdir()
    (tmp_path / "out" / "demo").symlink_to(district_folder, target_is_directory=True)
    for recipe in gallery:
        copy = tmp_path / "maps" / recipe.name
        copy.write_text(recipe.read_text(encoding="utf-8"), encoding="utf-8")
        made = run(copy, made_on=DAY)
        assert (made.folder / "map.html").is_file()
