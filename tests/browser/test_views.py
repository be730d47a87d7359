"""Views of the page: in its address, over time, two beside each other, in the dark, on paper."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from placeshaping.disclosure.release import Release
from placeshaping.maps.palettes import DARK

pytestmark = pytest.mark.browser

SHOWN = """() => { const { state, model } = placeshaping; return {
  measure: state.measure, level: model.levels[state.level].level,
  category: model.categories[state.category].label, period: model.periods[state.period].label,
  area: state.chosen === null ? null : model.levels[state.level].codes[state.chosen] }; }"""

POINT_OF = """([i, id]) => {
  const { page, shapes, state } = placeshaping;
  const map = id === 'map' ? page.pane.map : page.compare.pane().map;
  const c = shapes.centres[state.level][i];
  const p = map.latLngToContainerPoint(L.CRS.EPSG3857.pointToLatLng(L.point(c), 0));
  const box = document.getElementById(id).getBoundingClientRect();
  return [box.left + p.x, box.top + p.y];
}"""


@pytest.fixture
def axe() -> Path:
    """Return axe-core; without it the tests of accessibility are passed over, but not in CI."""
    named = os.environ.get("AXE")
    near = [Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"]
    for path in [Path(named)] if named else near:
        if path.is_file():
            return path
    reason = "axe-core is not there: set AXE to its axe.min.js, or npm install axe-core"
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI this test must run)")
    pytest.skip(reason)


@pytest.fixture
def page_of(browser: Any, map_file: Path) -> Iterator[Any]:
    """Return a function that opens the page in another way, and watch what it complains of."""
    contexts: list[Any] = []
    errors: list[str] = []

    def open_page(fragment: str = "", **options: Any) -> Any:
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.goto(map_file.as_uri() + fragment)
        page.evaluate("() => placeshaping.ready")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def said(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).fragment)


# ---- the address ----


def test_the_address_tells_the_view_and_opens_it_again(
    opened: Any, page_of: Any, released: Release
) -> None:
    page = opened.page
    assert urlsplit(page.url).fragment == ""
    page.get_by_role("button", name="Count", exact=True).click()
    page.get_by_role("button", name="Neighbourhoods").click()
    page.get_by_label("Category", exact=True).select_option(index=2)
    page.get_by_label("Period", exact=True).select_option(index=1)
    opened.run("() => placeshaping.choose(3)")
    code = str(released.tables["msoa"].areas.index[3])
    found = said(page)
    assert found["show"] == ["count"]
    assert found["detail"] == ["msoa"]
    assert found["category"] == [released.categories[2].label]
    assert found["area"] == [code]
    again = page_of("#" + urlsplit(page.url).fragment)
    assert again.evaluate(SHOWN) == opened.run(SHOWN)
    assert (
        again.locator("#details-body .name").inner_text()
        == page.locator("#details-body .name").inner_text()
    )
    assert again.locator("#map-heading").inner_text() == page.locator("#map-heading").inner_text()


def test_the_back_button_takes_a_step_back(opened: Any) -> None:
    page = opened.page
    first = opened.run(SHOWN)
    page.get_by_role("button", name="Neighbourhoods").click()
    second = opened.run(SHOWN)
    opened.run("() => placeshaping.choose(2)")
    page.go_back()
    page.wait_for_function("() => placeshaping.state.chosen === null")
    assert opened.run(SHOWN) == second
    page.go_back()
    page.wait_for_function("() => placeshaping.state.level === 0")
    assert opened.run(SHOWN) == first
    assert page.locator("#levels [value=lsoa]").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize(
    "fragment",
    [
        "#detail=nowhere&show=nothing&period=1066&category=<b>&area=E00000000&at=x,y,z",
        "#at=999,999,99&area=__proto__&beside=constructor",
        "#%E0%A4%A",
        "#table-section",
    ],
)
def test_what_an_address_says_that_is_not_there_is_passed_over(
    opened: Any, page_of: Any, fragment: str
) -> None:
    assert page_of(fragment).evaluate(SHOWN) == opened.run(SHOWN)


def test_the_place_on_the_map_is_in_the_address_once_it_was_moved(
    opened: Any, page_of: Any
) -> None:
    opened.run("() => placeshaping.map.setZoom(13, { animate: false })")
    opened.page.wait_for_function("() => location.hash.includes('at=')")
    again = page_of(
        "#" + urlsplit(opened.page.url).fragment, viewport={"width": 900, "height": 700}
    )
    look = """() => { const m = placeshaping.map; const c = m.getCenter();
      return [c.lat, c.lng, m.getZoom()]; }"""
    np.testing.assert_allclose(again.evaluate(look), opened.run(look), atol=0.002)


def test_the_link_can_be_copied_and_says_what_a_file_can_share(opened: Any) -> None:
    page = opened.page
    page.get_by_role("button", name="Hot spots", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_label("Link to this view").input_value()
    assert link.endswith("#show=hotspots")
    assert opened.run("() => document.activeElement.id") == "link"
    page.wait_for_function("() => document.getElementById('link-hint').textContent")
    assert "opens this file on this computer" in page.locator("#link-hint").inner_text()


# ---- the periods ----


def test_the_slider_and_the_list_of_periods_go_together(opened: Any, released: Release) -> None:
    page = opened.page
    slide = page.get_by_label("Step through the periods")
    slide.focus()
    page.keyboard.press("End")
    last = len(released.periods) - 1
    label = released.periods[last].label
    assert opened.run("() => placeshaping.state.period") == last
    assert page.get_by_label("Period", exact=True).input_value() == str(last)
    assert slide.get_attribute("aria-valuetext") == label
    assert label in page.locator("#map-heading").inner_text()
    page.wait_for_function(
        "(label) => document.getElementById('table-title').textContent.includes(label)", arg=label
    )
    page.get_by_label("Period", exact=True).select_option(index=1)
    assert slide.input_value() == "1"


def test_playing_goes_through_the_periods_and_stops(opened: Any, released: Release) -> None:
    page = opened.page
    page.clock.install()
    page.get_by_role("button", name="Play the periods").click()
    assert opened.run("() => placeshaping.state.period") == 1
    assert page.get_by_role("button", name="Pause").is_visible()
    for _ in released.periods[1:]:
        page.clock.run_for(1600)
    assert opened.run("() => placeshaping.state.period") == len(released.periods) - 1
    assert page.get_by_role("button", name="Play the periods").is_visible()
    assert released.periods[-1].label in page.locator("#table-title").inner_text()


def test_pause_stops_at_once(opened: Any) -> None:
    page = opened.page
    page.clock.install()
    page.get_by_role("button", name="Play the periods").click()
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(5000)
    assert opened.run("() => placeshaping.state.period") == 1


def test_who_asked_for_less_motion_steps_by_hand(page_of: Any, released: Release) -> None:
    page = page_of(reduced_motion="reduce")
    page.clock.install()
    for place in range(1, len(released.periods)):
        page.get_by_role("button", name="Next period").click()
        page.clock.run_for(5000)
        assert page.evaluate("() => placeshaping.state.period") == place


def test_sliding_is_announced_at_most_once_a_second(opened: Any) -> None:
    heard = opened.run(
        """async () => {
        const live = document.getElementById('live'); let times = 0;
        new MutationObserver(() => { times += 1; }).observe(live, { childList: true });
        const slide = document.getElementById('slide');
        for (const value of [2, 1, 2, 1, 2, 1]) {
          slide.value = value; slide.dispatchEvent(new Event('input'));
        }
        await new Promise((done) => setTimeout(done, 100));
        return times; }"""
    )
    assert heard == 1


def test_an_area_is_drawn_over_the_periods_with_the_same_in_words(
    opened: Any, released: Release
) -> None:
    opened.run("() => placeshaping.choose(10)")
    chart = opened.page.locator("#details-body svg.trend")
    table = released.tables["lsoa"]
    code = table.areas.index[10]
    label = released.categories[0].label
    views = [table.view(period=p.label, category=label).loc[code] for p in released.periods[1:]]
    shown = [view for view in views if view["status"] == "shown"]
    assert chart.locator("circle").count() == len(shown)
    words = chart.get_attribute("aria-label")
    assert f"from {shown[0]['rate']:.1f}" in words
    apart = shown[-1]["lower"] > shown[0]["upper"] or shown[-1]["upper"] < shown[0]["lower"]
    assert ("No clear change" in words) == (not apart)
    assert (
        "District" in opened.page.locator("#details-body .keys").inner_text()
        or str(released.tables["district"].areas["area_name"].iloc[0])
        in opened.page.locator("#details-body .keys").inner_text()
    )


def test_a_hidden_period_is_a_gap_in_the_line(opened: Any) -> None:
    drawn = opened.run(
        """() => { const one = (value) => ({ value: value, lower: value, upper: value });
        const gap = { value: null, lower: null, upper: null, status: 'hidden' };
        const mine = [one(3), one(4), gap, one(5)];
        const labels = ['a', 'b', 'c', 'd'];
        const svg = placeshaping.trend(labels, mine, [], 'words');
        return [svg.querySelector('path.mine').getAttribute('d').match(/[ML]/g).join(''),
          svg.querySelectorAll('.gap').length, placeshaping.trendWords(labels, mine)]; }"""
    )
    assert drawn[:2] == ["MLM", 1]
    assert drawn[2].endswith("1 period is hidden.")


# ---- two maps ----


def test_two_maps_show_two_periods_move_together_and_share_classes(
    opened: Any, released: Release
) -> None:
    page = opened.page
    page.get_by_role("button", name="Compare").click()
    last = released.periods[-1].label
    assert last in page.locator("#beside-title").inner_text()
    assert "Both maps have the same classes" in page.locator("#same-classes").inner_text()
    rows = page.locator("#beside-list .range").all_inner_texts()
    assert [row for row in page.locator("#legend .range").all_inner_texts() if row in rows]
    assert page.locator("#first-legend #legend").is_visible()
    opened.run("() => placeshaping.map.setZoom(12.5, { animate: false })")
    both = """() => [placeshaping.map, placeshaping.page.compare.pane().map].map((map) => {
      const c = map.getCenter(); return [c.lat, c.lng, map.getZoom()]; })"""
    first, second = opened.run(both)
    np.testing.assert_allclose(first, second, atol=1e-4)
    opened.run("() => placeshaping.page.compare.pane().map.panBy([60, 0], { animate: false })")
    first, second = opened.run(both)
    np.testing.assert_allclose(first, second, atol=1e-4)
    page.get_by_role("button", name="Compare").click()
    assert not page.locator("#map-beside").is_visible()
    assert page.locator("#side #legend").is_visible()


def test_pointing_at_one_map_shows_the_area_on_both(opened: Any, released: Release) -> None:
    opened.page.get_by_role("button", name="Compare").click()
    opened.page.mouse.move(*opened.run(POINT_OF, [10, "map-beside"]))
    name = str(released.tables["lsoa"].areas["area_name"].iloc[10])
    assert name in opened.page.locator("#tip").inner_text()
    assert name in opened.page.locator("#tip-beside").inner_text()
    assert (
        opened.page.locator("#tip").inner_text() != opened.page.locator("#tip-beside").inner_text()
    )
    opened.run("() => placeshaping.choose(10)")
    assert "On the second map" in opened.page.locator("#details-body").inner_text()


def test_two_layers_stand_beside_each_other_and_in_the_address(
    opened: Any, page_of: Any, released: Release
) -> None:
    page = opened.page
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("Show on the second map").select_option("hotspots")
    assert page.locator("#beside-title").inner_text().startswith("Second map: Hot spots of")
    assert "classes of its own" in page.locator("#same-classes").inner_text()
    again = page_of("#" + urlsplit(page.url).fragment)
    assert again.locator("#beside-title").inner_text() == page.locator("#beside-title").inner_text()
    page.get_by_role("button", name="Districts").click()
    assert "Hot spots" not in page.locator("#beside-title").inner_text()


@pytest.mark.parametrize("opened", [(390, 844)], indirect=True)
def test_on_a_phone_the_second_map_lies_below_the_first(opened: Any) -> None:
    opened.page.get_by_role("button", name="Compare").click()
    first = opened.page.locator("#map").bounding_box()
    second = opened.page.locator("#map-beside").bounding_box()
    assert second["y"] > first["y"] + first["height"]
    assert second["width"] == first["width"]
    assert opened.run("() => document.documentElement.scrollWidth <= innerWidth")


# ---- rate by deprivation ----


def test_rate_by_deprivation_has_nine_classes_whose_counts_are_those_of_the_release(
    opened: Any, released: Release
) -> None:
    opened.page.get_by_role("button", name="Rate and deprivation").click()
    edges = opened.run("() => placeshaping.model.thirds(0)")
    table = released.tables["lsoa"]
    view = table.view(period=released.periods[0].label, category=released.categories[0].label)
    rate = view["rate"].to_numpy(dtype=float)
    decile = table.areas["imd_decile"].to_numpy(dtype=float)
    rows = len(edges) - 1
    full = opened.run("() => placeshaping.view.full")
    assert len(full) == 3 * rows
    for row in range(rows):
        top = np.inf if row == rows - 1 else edges[row + 1]
        for column, (low, high) in enumerate(((8, 10), (4, 7), (1, 3))):
            inside = (rate >= edges[row]) & (rate < top) & (decile >= low) & (decile <= high)
            assert full[3 * row + column] == inside.sum()
    assert opened.page.locator("#legend .square tbody td").count() == 3 * rows
    marks = opened.page.locator("#legend .square .mark").all_inner_texts()
    assert marks[:3] == [f"{rows}A", f"{rows}B", f"{rows}C"]
    opened.page.mouse.move(*opened.run(POINT_OF, [10, "map"]))
    assert "deprivation decile" in opened.page.locator("#tip").inner_text()
    assert "Rate and deprivation together" in opened.page.locator("#words-body").inner_text()


# ---- names, detail, dark, paper ----


def test_more_names_stand_on_the_map_as_one_zooms_in_and_none_lies_on_another(
    opened: Any,
) -> None:
    written = opened.run(
        """async () => {
        const { layer, map } = placeshaping; const pen = layer._context;
        const old = pen.fillText.bind(pen); let boxes = [];
        pen.fillText = (words, x, y) => {
          const wide = pen.measureText(words).width / 2;
          boxes.push([x - wide, y - 6, x + wide, y + 6]); old(words, x, y); };
        const home = map.getZoom();
        const found = [];
        for (const zoom of [-1.5, 0]) {
          map.setZoom(home + zoom, { animate: false });
          await new Promise((done) => setTimeout(done, 300));
          boxes = []; layer._draw();
          await new Promise((done) => setTimeout(done, 300));
          found.push(boxes.slice());
        }
        return found; }"""
    )
    assert len(written[1]) > len(written[0]) > 0
    for boxes in written:
        for k, one in enumerate(boxes):
            for two in boxes[k + 1 :]:
                assert not (
                    one[0] < two[2] and one[2] > two[0] and one[1] < two[3] and one[3] > two[1]
                )


def test_the_detail_follows_the_zoom_if_asked(opened: Any, released: Release) -> None:
    opened.run("() => placeshaping.choose(10)")
    opened.run("() => placeshaping.map.setZoom(8, { animate: false })")
    assert opened.run(SHOWN)["level"] == "lsoa"
    opened.page.get_by_label("follows the zoom").check()
    assert opened.run(SHOWN)["level"] != "lsoa"
    opened.run("() => placeshaping.map.setZoom(14, { animate: false })")
    shown = opened.run(SHOWN)
    assert (shown["level"], shown["area"]) == ("lsoa", released.tables["lsoa"].areas.index[10])


def test_dark_follows_the_system_and_the_button(page_of: Any) -> None:
    page = page_of(color_scheme="dark")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    assert page.evaluate("() => placeshaping.look.hidden") == DARK["hidden"]
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.evaluate("() => placeshaping.look.hidden") != DARK["hidden"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("width", "height", "scale"), [(320, 640, 2), (1280, 800, 1), (640, 400, 2)]
)
def test_axe_finds_nothing_in_any_view(
    page_of: Any, axe: Path, scheme: str, width: int, height: int, scale: int
) -> None:
    page = page_of(
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
    )
    page.add_script_tag(path=str(axe))
    for prepare in (
        "() => placeshaping.choose(10)",
        "() => document.querySelector('#measures [value=both]').click()",
        "() => document.getElementById('compare').click()",
        "() => document.getElementById('copy').click()",
    ):
        page.evaluate(prepare)
        result = page.evaluate(
            "(kinds) => axe.run({runOnly: kinds})",
            ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        )
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in result["violations"]] == []
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_level_table_and_back_with_the_keyboard_alone(opened: Any) -> None:
    page = opened.page

    def tab_to(test: str) -> None:
        for _ in range(400):
            page.keyboard.press("Tab")
            if opened.run(f"() => {{ const e = document.activeElement; return {test}; }}"):
                style = "() => getComputedStyle(document.activeElement).outlineStyle"
                assert opened.run(style) == "solid"
                return
        pytest.fail(f"Tab never reached {test}")

    tab_to("e.value === 'msoa' && e.closest('#levels')")
    page.keyboard.press("Enter")
    assert opened.run(SHOWN)["level"] == "msoa"
    assert "by neighbourhood" in page.locator("#live").inner_text()
    tab_to("e.closest('#table thead th') && e.innerText.includes('Records')")
    page.keyboard.press("Enter")
    assert page.locator("#table thead th").nth(1).get_attribute("aria-sort") == "descending"
    tab_to("e.closest('#table tbody th')")
    page.keyboard.press("Enter")
    assert opened.run("() => document.activeElement.id") == "details"
    assert opened.run(SHOWN)["area"] is not None


@pytest.mark.parametrize(("paper", "wide"), [("A4", 210), ("A3", 297)])
def test_map_legend_and_words_fit_one_sheet(opened: Any, paper: str, wide: int) -> None:
    pages = opened.page.pdf(format=paper, prefer_css_page_size=False)
    assert pages.count(b"/Type /Page\n") <= 4
    opened.run("() => dispatchEvent(new Event('beforeprint'))")
    opened.page.emulate_media(media="print")
    width = int((wide - 24) / 25.4 * 96)
    opened.page.set_viewport_size({"width": width, "height": int(width * 1.414)})
    foot, right = opened.run(
        """() => { const box = document.getElementById('words-body').getBoundingClientRect();
        const map = document.getElementById('map').getBoundingClientRect();
        return [box.bottom + scrollY, map.right]; }"""
    )
    assert foot <= ({"A4": 297, "A3": 420}[paper] - 24) / 25.4 * 96
    assert right <= width + 1
    opened.run("() => dispatchEvent(new Event('afterprint'))")
