"""The commands access and site on Greater Manchester's libraries and dentists."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from placeshaping.project.access import run_access
from placeshaping.project.siting import run_siting
from placeshaping.verify.files import verify_files

pytestmark = pytest.mark.real

DAY = dt.date(2026, 1, 31)
MANCHESTER = [
    "Bolton", "Bury", "Manchester", "Oldham", "Rochdale", "Salford", "Stockport", "Tameside",
    "Trafford", "Wigan",
]  # fmt: skip


def recipe_of(data: Path, folder: Path, within: list[str], kind: str) -> dict[str, Any]:
    """Return a recipe of places in some districts; their list is copied, one a name and place."""
    table = pd.read_csv(data / "services" / f"gm_{kind}.csv")
    name = next(column for column in table if "name" in column)
    table = table.rename(columns={name: "name"}).dropna(subset=["lon", "lat"])
    table = table[["name", "lon", "lat"]].drop_duplicates()
    table.to_csv(folder / f"{kind}.csv", index=False)
    return {
        "title": kind.capitalize(),
        "areas": {
            "file": str(data / "boundaries" / "lsoa_2021_ew.parquet"),
            "lookups": [str(data / "lookups" / "lsoa21_ward24_lad24.csv.gz")],
            "within": within,
        },
        "population": {"residents": str(data / "census" / "census2021-ts001-lsoa.csv.gz")},
        "deprivation": {"file": str(data / "deprivation" / "imd2025_lsoa21.csv.gz")},
        "places": [
            {
                "file": f"{kind}.csv",
                "title": kind.capitalize(),
                "already_published": "https://www.data.gov.uk",
            }
        ],
    }


def test_dentists_of_greater_manchester_are_nearer_to_the_deprived(
    real_data: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(real_data, tmp_path, MANCHESTER, "dentists")
    recipe["access"] = {"service": "dentist"}
    made = run_access(recipe, made_on=DAY, folder=tmp_path)
    table = made.released.tables["lsoa"]
    assert len(table.areas) > 1_600
    assert 2_800_000 < table.areas["residents"].sum() < 3_000_000
    equity = pd.read_csv(made.folder / "equity.csv").set_index("imd_decile")
    assert equity.loc[1, "share_beyond"] < equity.loc[10, "share_beyond"]
    assert "fall more on the less deprived areas" in " ".join(made.found)
    assert (made.folder / "map.html").stat().st_size < 2_000_000


def test_two_more_libraries_for_trafford(real_data: Path, tmp_path: Path) -> None:
    recipe = recipe_of(real_data, tmp_path, ["Trafford"], "libraries")
    recipe["siting"] = {
        "existing": "Libraries",
        "new": 2,
        "service": "library",
        "services": "libraries",
    }
    made = run_siting(recipe, made_on=DAY, folder=tmp_path)
    assert made.plan.objective < (made.plan.before or 0)
    assert made.plan.gap < 0.01
    assert all(one.passed for one in verify_files(made.files, today=DAY))
