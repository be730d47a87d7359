"""Layers of labels, public places and postcodes on the page: chosen, compared, searched, read."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping.disclosure.public_places import public_places
from placeshaping.disclosure.release import Release, release
from placeshaping.hotspots.finders import EMERGING, LOCAL_MORAN
from placeshaping.hotspots.labels import label_areas
from placeshaping.hotspots.study import Study
from placeshaping.maps.area_map import area_map
from placeshaping.maps.palettes import label_styles
from placeshaping.verify.files import verify_file

pytestmark = pytest.mark.browser

LIBRARIES = ("Central Library", "Harbour Library", "Mill Road Library")
PLACES = (3, 12, 40)


@pytest.fixture(scope="module")
def labelled(make_study: Callable[..., Study]) -> Release:
    """Return a release with two layers, libraries and postcode sectors."""
    study = make_study(mean=8.0)
    rng = np.random.default_rng(3)
    areas = study.ladder.areas["lsoa"]
    found = pd.concat(
        pd.DataFrame(
            {"label": rng.choice(EMERGING.values, len(areas)), "category": view.label},
            index=areas.index,
        )
        for view in study.categories
    )
    quadrants = pd.DataFrame(
        {"label": rng.choice(LOCAL_MORAN.values, len(areas))}, index=areas.index
    )
    study = study.with_labels(
        label_areas(replace(EMERGING, method="Invented."), {"lsoa": found}),
        label_areas(replace(LOCAL_MORAN, method="Invented."), {"lsoa": quadrants}),
    )
    points = areas.geometry.representative_point().iloc[list(PLACES)]
    libraries = gpd.GeoDataFrame({"name": LIBRARIES}, geometry=points.to_numpy(), crs=27700)
    return release(
        study,
        policy="councillor",
        title="Recorded crime",
        made_on=dt.date(2026, 1, 31),
        places=[
            public_places(libraries, title="Libraries", published_at="https://example.org/list")
        ],
        sectors={"ZZ1 1": areas.index[:6], "ZZ1 2": areas.index[6:12]},
    )


@pytest.fixture(scope="module")
def file(labelled: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layers") / "map.html"
    area_map(labelled).save(path)
    return path


@pytest.fixture
def page_of(browser: Any, file: Path) -> Iterator[Callable[..., Any]]:
    contexts: list[Any] = []
    errors: list[str] = []
    asked: list[str] = []

    def open_page(fragment: str = "", **options: Any) -> Any:
        contexts.append(browser.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("request", lambda r: asked.append(r.url))
        page.goto(file.as_uri() + fragment)
        page.evaluate("() => placeshaping.ready")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []


def legend(page: Any) -> dict[str, str]:
    lines = page.query_selector_all("#legend li")
    return {
        line.query_selector(".range").evaluate(
            "e => e.firstChild.textContent"
        ): line.query_selector(".n").inner_text()
        for line in lines
    }


def view(made: Release, column: str) -> pd.Series[Any]:
    table = made.tables["lsoa"]
    rows = table.view(period=made.periods[0].label, category=made.categories[0].label)
    return rows[column].dropna().astype(str)


def test_the_page_withstands_the_attacker(file: Path) -> None:
    assert verify_file(file).breaches == ()


def test_a_layer_is_chosen_by_button_and_its_legend_counts(
    page_of: Callable[..., Any], labelled: Release
) -> None:
    page = page_of()
    page.get_by_role("button", name="Emerging", exact=True).click()
    assert page.inner_text("#map-heading").startswith("Emerging hot spots of all recorded crime")
    words = {style.value: style.label for style in label_styles(EMERGING)}
    counts = view(labelled, "emerging").value_counts()
    expected = {
        words[value]: f"{count} area{'' if count == 1 else 's'}" for value, count in counts.items()
    }
    assert {label: n for label, n in legend(page).items() if label in words.values()} == expected
    assert "Emerging hot spots: " in page.inner_text("#words-body")


def test_labels_of_the_whole_span_are_shown_for_its_parts_and_the_title_says_so(
    page_of: Callable[..., Any],
) -> None:
    page = page_of("#show=local_moran&period=2024&category=Burglary")
    assert "of all recorded crime, 2024 to 2025" in page.inner_text("#map-heading")


def test_a_level_without_the_layer_says_so(page_of: Callable[..., Any]) -> None:
    page = page_of("#detail=msoa")
    button = page.get_by_role("button", name="Emerging", exact=True)
    assert button.get_attribute("aria-disabled") == "true"
    assert button.get_attribute("title")


def test_table_details_and_download_hold_the_labels(
    page_of: Callable[..., Any], labelled: Release
) -> None:
    page = page_of("#show=emerging&area=E01900001")
    words = {style.value: style.label for style in label_styles(EMERGING)}
    own = view(labelled, "emerging")["E01900001"]
    assert words[own] in page.inner_text("#details-body")
    assert "Emerging hot spots" in page.inner_text("#table thead")
    rows = list(
        csv.DictReader(
            page.evaluate("() => placeshaping.table.csv()").lstrip("\ufeff").splitlines()
        )
    )
    told = {row["area_code"]: row["emerging"] for row in rows if row["emerging"]}
    assert told == view(labelled, "emerging").to_dict()


def test_two_layers_stand_side_by_side(page_of: Callable[..., Any]) -> None:
    page = page_of("#show=emerging&beside=local_moran")
    assert page.inner_text("#beside-title").startswith("Second map: Alike and unlike neighbours")
    assert "High among high" in page.inner_text("#beside-list")


def test_public_places_are_marks_that_can_be_switched_off_and_a_list(
    page_of: Callable[..., Any],
) -> None:
    page = page_of()
    assert len(page.query_selector_all("#map .place-mark")) == len(LIBRARIES)
    page.get_by_label("Libraries (3)").uncheck()
    assert not page.query_selector_all("#map .place-mark")
    page.get_by_label("Libraries (3)").check()
    page.get_by_text("List of").click()
    page.get_by_role("button", name="Harbour Library").click()
    assert page.evaluate("() => placeshaping.state.chosen") == PLACES[1]
    assert "Public places here: Harbour Library" in page.inner_text("#details-body")
    assert "Harbour Library lies in" in page.inner_text("#live")


@pytest.mark.parametrize("asked", ["ZZ1 2", "zz12", "ZZ1 2AB"])
def test_a_postcode_finds_its_sector(page_of: Callable[..., Any], asked: str) -> None:
    page = page_of()
    page.get_by_label("Find an area by name, code, postcode or place").fill(asked)
    assert "postcode sector, in 6 areas" in page.inner_text("#search-list")
    page.keyboard.press("Enter")
    assert page.evaluate("() => placeshaping.state.chosen") == 6
    assert "Postcode sector ZZ1 2 lies in 6 areas" in page.inner_text("#live")


def test_a_place_is_found_by_its_name(page_of: Callable[..., Any]) -> None:
    page = page_of()
    page.get_by_label("Find an area").fill("mill")
    page.keyboard.press("Enter")
    assert page.evaluate("() => placeshaping.state.chosen") == PLACES[2]


def test_the_choice_of_dark_is_kept_for_the_next_time(page_of: Callable[..., Any]) -> None:
    page = page_of()
    page.click("#dark")
    page.reload()
    page.evaluate("() => placeshaping.ready")
    assert page.evaluate("() => document.documentElement.dataset.look") == "dark"
    page.click("#dark")
    page.reload()
    assert page.evaluate("() => document.documentElement.dataset.look") == "light"


def test_a_browser_that_keeps_nothing_opens_the_page_all_the_same(browser: Any, file: Path) -> None:
    context = browser.new_context(offline=True)
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("() => placeshaping.ready")
    page.click("#dark")
    assert page.evaluate("() => document.documentElement.dataset.look") == "dark"
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_layers_and_places_have_no_accessibility_faults(
    page_of: Callable[..., Any], width: int, scheme: str
) -> None:
    axe = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    if not axe.is_file():
        pytest.skip("axe-core is not there: set AXE to its axe.min.js")
    page = page_of(
        "#show=emerging&beside=local_moran&area=E01900001",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    page.get_by_text("List of").click()
    page.add_script_tag(content=axe.read_text(encoding="utf-8"))
    found = page.evaluate(
        "() => axe.run().then((r) => r.violations.map((v) => v.id + ' ' + v.nodes[0].html))"
    )
    assert found == []


def test_without_javascript_the_labels_are_in_words(browser: Any, file: Path) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert "Emerging hot spots: " in page.inner_text("#words-body")
    context.close()
