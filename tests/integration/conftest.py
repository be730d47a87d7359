"""A small invented district on disk, and recipes for it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.files import write_district

RECIPE: dict[str, Any] = {
    "title": "Recorded crime in an invented district",
    "purpose": "A test.",
    "contact": "nobody@example.org",
    "policy": "councillor",
    "ledger": "none",
    "records": {"file": "crime.zip", "sensitivity": "personal"},
    "areas": {
        "file": "lsoa_2021.gpkg",
        "lookups": ["lookup_lsoa21_msoa21_ward_district.csv"],
        "changes": "lookup_lsoa11_lsoa21.csv",
    },
    "population": {"residents": "population.csv", "households": "population.csv"},
    "deprivation": {"file": "deprivation.csv"},
}


@pytest.fixture(scope="session")
def district_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the files of a district of 60 LSOAs, in a folder with a space and an accent."""
    folder = tmp_path_factory.mktemp("place") / "Fenmärch données 2025"
    write_district(make_district(60, seed=5), folder)
    return folder


@pytest.fixture(scope="session")
def base_recipe() -> dict[str, Any]:
    """Return the recipe that `recipe` starts from."""
    return copy.deepcopy(RECIPE)


@pytest.fixture
def recipe() -> Callable[..., dict[str, Any]]:
    """Return a maker of recipes: ``recipe(**{"records.file": "x.zip"})`` changes a key."""

    def make(**changes: Any) -> dict[str, Any]:
        made = copy.deepcopy(RECIPE)
        for key, value in changes.items():
            *sections, last = key.split(".")
            place = made
            for section in sections:
                place = place.setdefault(section, {})
            if value is None:
                place.pop(last, None)
            else:
                place[last] = value
        return made

    return make
