"""Segments of a real city: the census's tenure, type of home and rooms."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from placeshaping.maps.words import label_words
from placeshaping.project.segments import make_area_segments
from placeshaping.verify.files import verify_files

pytestmark = pytest.mark.real

CENSUS = "https://www.nomisweb.co.uk/"


def test_leicester_falls_into_groups_that_can_be_told_in_words(
    real_data: Path, tmp_path: Path
) -> None:
    def table(name: str, category: str, variables: dict[str, str]) -> dict[str, object]:
        return {
            "file": str(real_data / "census" / name),
            "category": category,
            "of": "total_households",
            "already_published": CENSUS,
            "variables": variables,
        }

    recipe = {
        "title": "Areas that are alike in Leicester",
        "areas": {"file": str(real_data / "boundaries/leicester_lsoa_2021_shp")},
        "population": {"residents": str(real_data / "census/census2021-ts001-lsoa.csv.gz")},
        "deprivation": {"file": str(real_data / "deprivation/imd2025_lsoa21.csv.gz")},
        "output": {"folder": str(tmp_path / "out")},
        "segments": {
            "most": 6,
            "tables": [
                table(
                    "household_tenure21_lsoa21.csv.gz",
                    "tenure",
                    {
                        "Owned: Owns outright": "homes owned outright",
                        "Owned: Owns with a mortgage or loan": "homes owned with a mortgage",
                    },
                ),
                table(
                    "household_type21_lsoa21.csv.gz",
                    "type",
                    {"Detached": "detached homes", "Terraced": "terraced homes"},
                ),
            ],
        },
    }
    made = make_area_segments(recipe, made_on=dt.date(2026, 3, 1), folder=tmp_path)
    report = made.report
    assert report.portraits["areas"].sum() == 200
    assert 0.3 < report.explained < 0.9
    assert report.deciles is not None
    assert report.deciles.to_numpy().sum() == 200
    assert label_words([*report.portraits["name"], *report.portraits["portrait"]]) == []
    assert all(one.passed for one in verify_files(made.files, today=dt.date(2026, 3, 1)))
