"""The page of measures that count no records: minutes where counts would be, read and compared."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from placeshaping.project.siting import run_siting
from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.files import write_district

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Open the map of two more libraries in an invented district."""
    folder = tmp_path_factory.mktemp("siting")
    write_district(make_district(40, seed=4, months=3), folder)
    services = pd.read_csv(folder / "services.csv")
    services[services["category"] == "Library"].to_csv(folder / "libraries.csv", index=False)
    recipe = {
        "title": "Libraries",
        "areas": {
            "file": "lsoa_2021.gpkg",
            "lookups": ["lookup_lsoa21_msoa21_ward_district.csv"],
        },
        "population": {"residents": "population.csv"},
        "places": [
            {
                "file": "libraries.csv",
                "title": "Libraries",
                "already_published": "https://example.org/libraries",
            }
        ],
        "siting": {
            "existing": "Libraries", "new": 2, "service": "library", "services": "libraries",
        },
    }  # fmt: skip
    made = run_siting(recipe, made_on=dt.date(2026, 1, 31), folder=folder)
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.requests, opened.errors = [], []
    opened.on("request", lambda one: opened.requests.append(one.url))
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.goto((made.folder / "map.html").resolve().as_uri())
    opened.evaluate("() => placeshaping.ready")
    opened.released = made.released
    yield opened
    context.close()


def test_the_words_and_figures_are_those_of_the_release(page: Any) -> None:
    assert page.inner_text(".lead") == page.released.found[0]
    for sentence in page.released.found[1:]:
        assert sentence in page.inner_text("#words-body")
    table = page.released.tables["lsoa"].values
    page.evaluate("() => placeshaping.choose(3)")
    said = page.inner_text("#details-body")
    assert f"{table['minutes'].iloc[3]:.1f}"[:-1] in said
    assert table["nearest"].iloc[3] in said
    assert "records" not in said.casefold()


def test_the_table_and_its_download_hold_the_minutes(page: Any, tmp_path: Path) -> None:
    heads = page.locator("#table thead th").all_inner_texts()
    assert "Minutes to the nearest" in heads
    assert "Residents" in heads
    with page.expect_download() as waiting:
        page.click("#download")
    path = tmp_path / "table.csv"
    waiting.value.save_as(path)
    with path.open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    table = page.released.tables["lsoa"].values.set_index("area_code")
    assert len(rows) == len(table)
    for row in rows:
        assert float(row["minutes"]) == pytest.approx(
            table.loc[row["area_code"], "minutes"], abs=0.06
        )
        assert row["count"] in ("", "0")


def test_before_and_after_stand_side_by_side(page: Any) -> None:
    page.click("#measures button[value=today]")
    assert "today" in page.inner_text("#map-heading")
    page.click("#compare")
    page.select_option("#beside-measure", "travel")
    assert "proposed" in page.inner_text("#beside-title")
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(("file:", "blob:", "data:"))] == []
