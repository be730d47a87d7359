"""A profile in a browser: nothing asked for, nothing overflows, axe is content, paper is whole."""

import datetime as dt
import os
from pathlib import Path

import pytest

from placeshaping.pages.report import render_report
from placeshaping.reports.profiles import ProfileMaker
from placeshaping.reports.profiles_page import index_of, page_of
from placeshaping.reports.profiles_places import Material

pytestmark = pytest.mark.browser

DAY = dt.date(2026, 2, 3)


@pytest.fixture(scope="module")
def pages(released, tmp_path_factory):
    """Pages of a district and of a neighbourhood, and the page that leads to both."""
    table = released.tables["lsoa"].areas
    ground = table[["area_name", "geometry", "residents", "households", "imd_decile"]].copy()
    ground["msoa_code"] = table["parent_code"]
    for level in ("msoa", "district"):
        areas = released.tables[level].areas
        if level == "district":
            ground["district_code"] = areas.index[0]
        ground[f"{level}_name"] = areas["area_name"].reindex(ground[f"{level}_code"]).to_numpy()
    ground = ground.astype({"residents": float, "households": float, "imd_decile": float})
    material = Material("Marsh", {"Recorded crime": released}, ground, "lsoa")
    maker = ProfileMaker(material, made_on=DAY)
    made = [
        maker.make(material.place_of(level, [released.tables[level].areas.index[0]]))
        for level in ("district", "msoa")
    ]
    folder = tmp_path_factory.mktemp("profiles")
    contents = {one.place.slug: page_of(one) for one in made}
    for name, content in {**contents, "index": index_of(made, title="Marsh")}.items():
        (folder / f"{name}.html").write_text(render_report(content), "utf-8")
    return [folder / f"{name}.html" for name in (*contents, "index")]


def opened(browser, path, *, width=1280, scheme="light"):
    context = browser.new_context(
        viewport={"width": width, "height": 800}, offline=True, color_scheme=scheme
    )
    page = context.new_page()
    page.told = []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("request", lambda r: page.told.append(r.url) if r.url.startswith("http") else None)
    page.goto(path.as_uri())
    return page


def test_pages_ask_for_nothing_and_fit_every_screen(browser, pages):
    for path in pages:
        for width in (320, 1280):
            page = opened(browser, path, width=width)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            assert page.evaluate("[...document.images].every((i) => i.naturalWidth > 0 && i.alt)")
            assert page.told == []
            page.context.close()


def test_the_finding_and_the_facts_are_on_the_first_screen(browser, pages):
    page = opened(browser, pages[1])
    for part in (".lead", ".facts"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] < 800
    assert len(page.pdf(format="A4")) > 10_000


def test_the_index_leads_to_the_pages(browser, pages):
    page = opened(browser, pages[-1])
    page.locator("tbody a").first.click()
    assert page.locator("h1").inner_text().endswith("profile")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, pages, scheme):
    axe = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    if not axe.is_file():
        reason = "axe-core is not there: set AXE to its axe.min.js, or npm install axe-core"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (in CI this test must run)")
        pytest.skip(reason)
    for path in pages[1:]:
        page = opened(browser, path, scheme=scheme)
        page.evaluate(axe.read_text(encoding="utf-8"))
        found = page.evaluate(
            "() => axe.run().then((r) => r.violations.map((v) => v.id + ' ' + v.nodes[0].html))"
        )
        assert found == []
        page.context.close()
