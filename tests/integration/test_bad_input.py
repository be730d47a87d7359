"""What goes wrong in practice is told clearly, and leaves nothing behind."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping import PlaceshapingError, run

MakeRecipe = Callable[..., dict[str, Any]]
DAY = dt.date(2026, 1, 31)


def refused(recipe: dict[str, Any], folder: Path, out: Path, match: str) -> None:
    recipe["output"] = {"folder": str(out / "products")}
    with pytest.raises(PlaceshapingError, match=match):
        run(recipe, folder=folder, made_on=DAY)
    assert not (out / "products").exists()
    assert not list(out.glob(".products*"))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"title": None}, r"title: this key is needed"),
        ({"polcy": "public"}, r"polcy: there is no such key \(did you mean policy\?\)"),
        ({"areas.flie": "x"}, r"areas\.flie: there is no such key \(did you mean file\?\)"),
        ({"policy": "secret"}, r"There is no policy 'secret'. There are: open, public"),
        ({"records.from": "2024-13"}, r"records\.from: write the month as 2024-01"),
        ({"records.from": "2024-01"}, r"records: give both 'from' and 'to'"),
        ({"records.from": "2024-05", "records.to": "2024-01"}, r"'from' \(2024-05\) is after"),
        ({"records": []}, r"records: List should have at least 1 item"),
        ({"policy": "open"}, r"sensitivity = 'personal'"),
        ({"records.file": "crimes.zip"}, r"crimes\.zip: no such file.*crime\.zip"),
        ({"records.categories": ["Burglery"]}, r"Burglary"),
        ({"records.from": "2019-01", "records.to": "2019-03"}, r"2022-07"),
        ({"records.forces": ["essex"]}, r"fenmarch"),
        (
            {"areas.file": "lsoa_2011.gpkg"},
            r"8 of 60 areas have no msoa.*areas are of 2011, the lookup of 2021",
        ),
        ({"areas.code": "LSOA21"}, r"LSOA21CD"),
        ({"areas.within": "Nowhere"}, r"Nowhere"),
        ({"population.residents": "services.csv"}, r"services\.csv"),
        ({"areas.lookups": ["population.csv"]}, r"population\.csv leads to no other level"),
    ],
)
def test_wrong_recipe_is_told_by_its_key(
    district_folder: Path,
    recipe: MakeRecipe,
    tmp_path: Path,
    changes: dict[str, Any],
    match: str,
) -> None:
    refused(recipe(**changes), district_folder, tmp_path, match)


def test_personal_inputs_are_combined_only_on_a_stated_basis(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    records = [
        {"file": "crime.zip", "sensitivity": "personal"},
        {"file": "fly_tipping.csv", "sensitivity": "personal"},
    ]
    refused(
        recipe(records=records), district_folder, tmp_path, r"only with 'lawful_basis' and 'dpia'"
    )


def test_truncated_archive(district_folder: Path, recipe: MakeRecipe, tmp_path: Path) -> None:
    whole = (district_folder / "crime.zip").read_bytes()
    broken = tmp_path / "crime.zip"
    broken.write_bytes(whole[: len(whole) // 2])
    refused(recipe(**{"records.file": str(broken)}), district_folder, tmp_path, r"crime\.zip")


def test_archive_without_a_column_suggests_the_nearest(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    broken = tmp_path / "crime.zip"
    with zipfile.ZipFile(district_folder / "crime.zip") as old, zipfile.ZipFile(broken, "w") as new:
        name = old.namelist()[0]
        new.writestr(name, old.read(name).replace(b"Longitude", b"Longtitude", 1))
    refused(recipe(**{"records.file": str(broken)}), district_folder, tmp_path, r"Longtitude")


def test_degrees_that_say_metres_and_the_reverse(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    areas = gpd.read_file(district_folder / "lsoa_2021.gpkg")
    for stated, held in ((4326, 27700), (27700, 4326)):
        wrong = tmp_path / f"says_{stated}.gpkg"
        areas.to_crs(held).set_crs(stated, allow_override=True).to_file(wrong)
        refused(
            recipe(**{"areas.file": str(wrong)}),
            district_folder,
            tmp_path,
            rf'says_{stated}\.gpkg says EPSG:{stated}.*crs="EPSG:{held}"',
        )


def test_duplicated_areas(district_folder: Path, recipe: MakeRecipe, tmp_path: Path) -> None:
    areas = gpd.read_file(district_folder / "lsoa_2021.gpkg")
    twice = tmp_path / "twice.gpkg"
    pd.concat([areas, areas.head(2)]).to_file(twice)
    refused(
        recipe(**{"areas.file": str(twice)}),
        district_folder,
        tmp_path,
        r"twice\.gpkg: 2 area codes stand more than once",
    )


def test_deprivation_of_the_wrong_vintage(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    text = (district_folder / "deprivation.csv").read_text(encoding="utf-8-sig")
    old = tmp_path / "iod2019.csv"
    old.write_text(text.replace("(2021)", "(2011)"), encoding="utf-8")
    refused(recipe(**{"deprivation.file": str(old)}), district_folder, tmp_path, r"2011")


def test_records_of_another_place(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    areas = gpd.read_file(district_folder / "lsoa_2021.gpkg")
    areas["geometry"] = areas.translate(-200_000, -100_000)
    areas["LSOA21CD"] = [f"E0193{i:04}" for i in range(len(areas))]
    elsewhere = tmp_path / "elsewhere.gpkg"
    areas.to_file(elsewhere)
    changes = {
        "areas.file": str(elsewhere),
        "areas.lookups": [],
        "areas.changes": None,
        "population": {},
        "deprivation": None,
    }
    refused(recipe(**changes), district_folder, tmp_path, r"(?s)same place|none of|outside")


def test_output_folder_under_a_file(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    made = recipe(**{"output.folder": str(tmp_path / "file" / "products")})
    with pytest.raises(PlaceshapingError, match=r"(?i)choose another folder"):
        run(made, folder=district_folder, made_on=DAY)


def test_failed_run_leaves_the_former_products(
    district_folder: Path, recipe: MakeRecipe, tmp_path: Path
) -> None:
    out = tmp_path / "products"
    out.mkdir()
    (out / "map.html").write_text("former")
    made = recipe(**{"output.folder": str(out), "records.categories": ["Robbery"],
                     "policy": "public", "areas.lookups": []})  # fmt: skip
    with pytest.raises(PlaceshapingError, match="longer span, fewer categories"):
        run(made, folder=district_folder, made_on=DAY)
    assert (out / "map.html").read_text() == "former"
    assert [p.name for p in tmp_path.iterdir()] == ["products"]


def test_recipe_that_is_no_toml(district_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text("title = 'x\n")
    with pytest.raises(PlaceshapingError, match=r"recipe\.toml is not a recipe in TOML"):
        run(file, made_on=DAY)
    file.write_bytes("title = 'Café'".encode("cp1252"))
    with pytest.raises(PlaceshapingError, match=r"Save it as UTF-8"):
        run(file, made_on=DAY)
    shutil.copytree(tmp_path, tmp_path / "folder")
    with pytest.raises(PlaceshapingError, match=r"is a folder"):
        run(tmp_path / "folder", made_on=DAY)
