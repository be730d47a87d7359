"""The map in a real browser with the network off: as a councillor opens it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from placeshaping.disclosure.release import Release
from placeshaping.maps.palettes import sequential

pytestmark = pytest.mark.browser

COLOURS_ON_MAP = """() => {
  const canvas = document.querySelector('#map canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const found = {};
  for (let k = 0; k < pixels.length; k += 4) {
    if (pixels[k + 3] === 255) {
      const key = '#' + [0, 1, 2].map((n) => pixels[k + n].toString(16).padStart(2, '0')).join('');
      found[key] = (found[key] || 0) + 1;
    }
  }
  return found;
}"""

COLOUR_AT_EACH = """() => {
  const { map, shapes, layer, state, view } = placeshaping;
  const canvas = document.querySelector('#map canvas');
  const pen = canvas.getContext('2d');
  const scale = Math.pow(2, map.getZoom());
  const origin = map.getPixelOrigin().add(layer._bounds.min);
  return shapes.centres[state.level].map((centre) => {
    const x = Math.round((centre[0] * scale - origin.x) * layer._dense);
    const y = Math.round((centre[1] * scale - origin.y) * layer._dense);
    const p = pen.getImageData(x, y, 1, 1).data;
    return '#' + [0, 1, 2].map((n) => p[n].toString(16).padStart(2, '0')).join('');
  });
}"""

POINT_OF = """(i) => {
  const { map, shapes, state } = placeshaping;
  const c = shapes.centres[state.level][i];
  const p = map.latLngToContainerPoint(L.CRS.EPSG3857.pointToLatLng(L.point(c), 0));
  const box = document.getElementById('map').getBoundingClientRect();
  return [box.left + p.x, box.top + p.y];
}"""


def first_view(released: Release, level: str) -> pd.DataFrame:
    table = released.tables[level]
    view = table.view(period=released.periods[0].label, category=released.categories[0].label)
    return view.assign(area_name=table.areas["area_name"])


def rows_of(opened: Any) -> list[list[str]]:
    found: list[list[str]] = opened.run(
        "() => [...document.querySelectorAll('#table tbody tr')]"
        ".map(r => [...r.cells].map(c => c.innerText.trim()))"
    )
    return found


def test_every_area_is_drawn_in_the_colour_of_its_class(opened: Any, released: Release) -> None:
    opened.run("() => { placeshaping.layer._labels = () => {}; placeshaping.layer.show({}); }")
    drawn = opened.run(COLOUR_AT_EACH)
    classes, of = opened.run("() => [placeshaping.view.classes, [...placeshaping.view.of]]")
    assert len(drawn) == len(released.tables["lsoa"].areas)
    wanted = [classes[k]["colour"] for k in of]
    assert np.mean([a == b for a, b in zip(drawn, wanted, strict=True)]) > 0.95
    ranked = [one for one in classes if not one.get("none")]
    assert set(sequential(len(ranked))) <= set(opened.run(COLOURS_ON_MAP))


def test_rates_and_intervals_worked_out_in_the_page_equal_the_release(
    opened: Any, released: Release
) -> None:
    for place, (_, table) in enumerate(released.tables.items()):
        cells = opened.run(
            """(l) => { const m = placeshaping.model; const out = [];
            for (let p = 0; p < m.periods.length; p += 1) {
              for (let c = 0; c < m.categories.length; c += 1) {
                for (let i = 0; i < m.levels[l].codes.length; i += 1) {
                  const e = m.cell(l, p, c, i);
                  out.push([e.status, e.count, e.rate, e.lower, e.upper, e.cluster]);
                } } } return out; }""",
            place,
        )
        values = table.values
        assert [cell[0] for cell in cells] == values["status"].astype(str).tolist()
        for column, name in enumerate(("count", "rate", "lower", "upper"), start=1):
            shown = np.array(
                [np.nan if c[column] is None else c[column] for c in cells], dtype=float
            )
            wanted = values[name].to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_allclose(shown, wanted, atol=0.00501, equal_nan=True)
        if "cluster" in values and values["cluster"].notna().any():
            shown_clusters = [cell[5] for cell in cells]
            assert shown_clusters == [None if pd.isna(c) else c for c in values["cluster"]]


def test_the_table_shows_the_released_numbers(opened: Any, released: Release) -> None:
    rows = rows_of(opened)
    view = first_view(released, "lsoa")
    assert len(rows) == len(view)
    by_code = {row[0].split("\n")[-1]: row for row in rows}
    for code, cell in view.iterrows():
        row = by_code[str(code)]
        assert row[0].startswith(str(cell["area_name"]))
        if cell["status"] == "hidden":
            assert row[1] == "hidden"
            continue
        assert row[1] == f"{cell['count']:,}"
        assert float(row[2].replace(",", "")) == pytest.approx(cell["rate"], abs=0.051)
        lower, upper = (float(part.replace(",", "")) for part in row[3].split(" to "))
        assert (lower, upper) == pytest.approx((cell["lower"], cell["upper"]), abs=0.051)


def test_pointing_at_an_area_tells_its_name_and_value(opened: Any, released: Release) -> None:
    opened.page.mouse.move(*opened.run(POINT_OF, 10))
    tip = opened.page.locator("#tip")
    assert tip.is_visible()
    view = first_view(released, "lsoa")
    assert str(view["area_name"].iloc[10]) in tip.inner_text()
    assert "per 1,000 residents a year (95% interval" in tip.inner_text()


@pytest.mark.parametrize("opened", [(390, 844)], indirect=True)
def test_a_tap_shows_the_details(opened: Any, released: Release) -> None:
    opened.page.locator("#map").scroll_into_view_if_needed()
    opened.page.touchscreen.tap(*opened.run(POINT_OF, 10))
    opened.page.wait_for_function("() => placeshaping.state.chosen === 10")
    name = str(first_view(released, "lsoa")["area_name"].iloc[10])
    assert name in opened.page.locator("#details-body").inner_text()
    assert name in opened.page.locator("#tip").inner_text()


def test_details_put_the_area_beside_its_parents(opened: Any, released: Release) -> None:
    opened.run("() => placeshaping.choose(10)")
    said = opened.page.locator("#details-body").inner_text()
    parent = released.tables["lsoa"].areas["parent_code"].iloc[10]
    assert str(released.tables["msoa"].areas.loc[parent, "area_name"]) in said
    assert str(released.tables["district"].areas["area_name"].iloc[0]) in said
    residents = released.tables["lsoa"].areas["residents"].iloc[10]
    assert f"{residents:,}" in said
    assert "the rate of the whole map" in said


def test_changing_the_level_keeps_the_place(opened: Any, released: Release) -> None:
    opened.run("() => placeshaping.choose(10)")
    opened.page.get_by_role("button", name="Neighbourhoods").click()
    assert len(rows_of(opened)) == len(released.tables["msoa"].areas)
    parent = released.tables["lsoa"].areas["parent_code"].iloc[10]
    chosen = opened.run("() => placeshaping.model.levels[1].codes[placeshaping.state.chosen]")
    assert chosen == parent
    opened.page.get_by_role("button", name="Small areas").click()
    assert opened.run("() => placeshaping.state.chosen") == 10


def test_dissolved_areas_have_the_outline_of_their_parts(opened: Any, released: Release) -> None:
    sizes = opened.run(
        """() => placeshaping.shapes.rings.map((level) => level.map((polygon) => {
          let sum = 0;
          for (const ring of polygon) {
            const xs = []; const ys = [];
            placeshaping.shapes.walk(ring, (x, y) => { xs.push(x); ys.push(y); });
            for (let k = 0; k < xs.length; k += 1) {
              const n = (k + 1) % xs.length;
              sum += xs[k] * ys[n] - xs[n] * ys[k];
            }
          }
          return Math.abs(sum);
        }))"""
    )
    small, middle, large = (np.array(level) for level in sizes)
    areas = released.tables["lsoa"].areas
    codes = released.tables["msoa"].areas.index
    by_parent = pd.Series(small).groupby(areas["parent_code"].to_numpy()).sum()
    np.testing.assert_allclose(middle, by_parent.reindex(codes).to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(large.sum(), small.sum(), rtol=1e-6)


def test_a_measure_that_a_level_lacks_says_why(opened: Any) -> None:
    opened.page.get_by_role("button", name="Hot spots", exact=True).click()
    assert "Hot spots of all recorded crime" in opened.page.locator("#map-heading").inner_text()
    opened.page.get_by_role("button", name="Districts").click()
    button = opened.page.get_by_role("button", name="Hot spots", exact=True)
    assert button.get_attribute("aria-disabled") == "true"
    assert "per 1,000" in opened.page.locator("#map-heading").inner_text()
    button.focus()
    button.press("Enter")
    assert "at least 30 areas" in opened.page.locator("#live").inner_text()


def test_category_and_period_change_map_legend_and_table(opened: Any, released: Release) -> None:
    label = released.categories[2].label
    opened.page.get_by_label("Category", exact=True).select_option(label=label)
    opened.page.get_by_label("Period", exact=True).select_option(index=1)
    heading = opened.page.locator("#map-heading").inner_text()
    assert label in heading
    assert released.periods[1].label in heading
    table = released.tables["lsoa"].view(period=released.periods[1].label, category=label)
    assert sum(row[1] == "hidden" for row in rows_of(opened)) == (table["status"] == "hidden").sum()
    in_legend = opened.run(
        "() => [...document.querySelectorAll('#legend .n')].map(n => parseInt(n.innerText))"
    )
    assert sum(in_legend) == len(table)


def test_search_finds_by_name_and_by_code(opened: Any, released: Release) -> None:
    areas = released.tables["lsoa"].areas
    box = opened.page.get_by_label("Find an area by name or code")
    box.fill(str(areas["area_name"].iloc[20]).lower())
    box.press("Enter")
    assert opened.run("() => placeshaping.state.chosen") == 20
    zoom = opened.run("() => placeshaping.map.getZoom()")
    box.fill(str(areas.index[31]))
    box.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "found-0"
    box.press("Enter")
    assert opened.run("() => placeshaping.state.chosen") == 31
    assert zoom > 10
    box.fill("nowhere at all")
    assert "No area of that name" in opened.page.locator("#live").inner_text()


def test_the_table_sorts_and_says_so(opened: Any) -> None:
    head = opened.page.locator("#table thead th").nth(1)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    numbers = [int(row[1].replace(",", "")) for row in rows_of(opened) if row[1] != "hidden"]
    assert numbers == sorted(numbers, reverse=True)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert opened.run("() => document.activeElement.closest('th').cellIndex") == 1


def test_the_table_filters(opened: Any, released: Release) -> None:
    code = str(released.tables["lsoa"].areas.index[7])
    opened.page.get_by_label("Filter by name or code").fill(code)
    assert [row[0].split("\n")[-1] for row in rows_of(opened)] == [code]
    assert "1 area of" in opened.page.locator("#table-count").inner_text()


def test_a_row_leads_to_the_map(opened: Any) -> None:
    opened.page.locator("#table tbody th button").first.click()
    assert opened.run("() => document.activeElement.id") == "details"
    assert opened.run("() => placeshaping.state.chosen") is not None


def test_the_download_holds_the_protected_table(
    opened: Any, released: Release, tmp_path: Path
) -> None:
    with opened.page.expect_download() as waiting:
        opened.page.get_by_role("button", name="Download").click()
    waiting.value.save_as(tmp_path / "table.csv")
    table = pd.read_csv(tmp_path / "table.csv").set_index("area_code")
    view = first_view(released, "lsoa")
    table = table.reindex(view.index)
    assert table["status"].tolist() == view["status"].astype(str).tolist()
    np.testing.assert_allclose(table["count"], view["count"].to_numpy(float, na_value=np.nan))
    np.testing.assert_allclose(table["rate"], view["rate"], atol=0.0101)


def test_the_map_can_be_walked_with_the_keyboard_alone(opened: Any, released: Release) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert opened.run("() => document.activeElement.innerText") == "Skip to the map"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if opened.run("() => document.activeElement.id") == "map":
            break
    assert opened.run("() => document.activeElement.id") == "map"
    assert opened.run("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
    heard = set()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.keyboard.press(key)
        heard.add(page.locator("#live").inner_text())
    names = released.tables["lsoa"].areas["area_name"]
    assert len(heard) >= 3
    assert all(any(str(name) in words for name in names) for words in heard)
    assert all("per 1,000" in words for words in heard)
    page.keyboard.press("Enter")
    chosen = opened.run("() => placeshaping.state.chosen")
    assert str(names.iloc[chosen]) in page.locator("#details-body").inner_text()
    page.keyboard.press("Escape")
    assert opened.run("() => placeshaping.state.chosen") is None


def test_the_policy_of_the_page_stops_what_would_leave(opened: Any) -> None:
    said = opened.run(
        """async () => { let said = [];
        document.addEventListener('securitypolicyviolation', (e) => said.push(e.violatedDirective));
        await fetch('https://example.org/').catch(() => {});
        const image = new Image(); image.src = 'https://example.org/a.png';
        await new Promise((done) => setTimeout(done, 200)); return said; }"""
    )
    assert set(said) >= {"connect-src", "img-src"}
    opened.errors.clear()
    opened.requests.clear()


@pytest.mark.parametrize("opened", [(320, 640), (390, 844), (1280, 800)], indirect=True)
def test_nothing_overflows_and_targets_are_large_enough(opened: Any) -> None:
    assert opened.run("() => document.documentElement.scrollWidth <= innerWidth")
    small = opened.run(
        """() => [...document.querySelectorAll('button, select, input, summary, .leaflet-bar a')]
        .filter((e) => e.offsetParent !== null)
        .map((e) => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
        .filter(([, box]) => box.width < 24 || box.height < 24).map(([words]) => words)"""
    )
    assert small == []


@pytest.mark.parametrize("opened", [(1366, 768)], indirect=True)
def test_no_control_falls_below_the_screen_of_a_laptop(opened: Any) -> None:
    opened.run("() => document.querySelector('#measures [value=hotspots]').click()")
    lowest = opened.run(
        """() => Math.max(...[...document.querySelectorAll('.controls :is(button, select, input)')]
        .filter((e) => e.offsetParent !== null).map((e) => e.getBoundingClientRect().bottom))"""
    )
    legend, top = opened.run(
        """() => [document.getElementById('legend-box'), document.getElementById('map')]
        .map((e) => e.getBoundingClientRect()).map((box, k) => k ? box.top : box.height)"""
    )
    assert legend > 400
    assert lowest < top < 450


@pytest.mark.parametrize("opened", [(320, 640), (1280, 800)], indirect=True)
def test_axe_finds_nothing(opened: Any) -> None:
    named = os.environ.get("AXE")
    near = [Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"]
    found = next((path for path in ([Path(named)] if named else near) if path.is_file()), None)
    if found is None:
        reason = "axe-core is not there: set AXE to its axe.min.js, or npm install axe-core"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (in CI this test must run)")
        pytest.skip(reason)
    opened.page.add_script_tag(path=str(found))
    for prepare in (
        "() => {}",
        "() => placeshaping.choose(10)",
        "() => document.querySelector('#measures [value=hotspots]').click()",
        "() => document.querySelector('#levels [value=district]').click()",
    ):
        opened.run(prepare)
        result = opened.run(
            "(kinds) => axe.run({runOnly: kinds})",
            ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        )
        assert [(v["id"], v["nodes"][0]["html"][:120]) for v in result["violations"]] == []


def test_without_script_the_finding_can_still_be_read(
    browser: Any, map_file: Path, released: Release
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(map_file.as_uri())
    words = page.locator("body").inner_text()
    picture = page.get_by_role("img", name="Map: All recorded crime per 1,000")
    assert picture.is_visible()
    assert picture.locator("g path").count() >= 3
    assert not page.locator("#bench").is_visible()
    rows = page.locator(".table-frame tbody tr").all_inner_texts()
    names = released.tables["lsoa"].areas["area_name"].astype(str)
    assert [any(name in row for row in rows) for name in names] == [True] * len(names)
    context.close()
    assert "JavaScript is switched off" in words
    assert "records, or" in words
    assert "stand" in words
    assert "About this map" in words


def test_it_prints_with_map_and_legend_and_the_table_if_asked(opened: Any) -> None:
    opened.page.get_by_label("Print this table too").check()
    opened.page.emulate_media(media="print")
    assert opened.page.locator("#map").is_visible()
    assert opened.page.locator("#legend").is_visible()
    assert opened.page.locator("#table").is_visible()
    opened.run("() => document.getElementById('print-table').click()")
    assert not opened.page.locator("#table").is_visible()
    assert not opened.page.locator(".controls").is_visible()
    assert len(opened.page.pdf(format="A4")) > 20_000


def test_words_and_tiles_follow_the_choices(opened: Any, released: Release) -> None:
    page = opened.page
    before = page.locator("#words-body").inner_text()
    label, period = released.categories[2].label, released.periods[1]
    page.get_by_label("Category", exact=True).select_option(label=label)
    page.get_by_label("Period", exact=True).select_option(index=1)
    small = label[0].lower() + label[1:]
    months = f"{period.first:%B %Y} to {period.last:%B %Y}"
    heading = page.locator("#words-heading").inner_text()
    assert heading == f"In words: {small}, {months}, by small area (LSOA)"
    assert page.locator("#fact-when").inner_text() == months
    said = page.locator("#words-body").inner_text()
    assert said != before
    assert f"that of {small} was highest in" in said
    view = released.tables["lsoa"].view(period=period.label, category=label)
    names = released.tables["lsoa"].areas["area_name"]
    assert str(names[view["rate"].idxmax()]) in said
    hidden = int((view["status"] == "hidden").sum())
    assert f"({hidden} more are hidden)" in said or not hidden
    hot = int(view["cluster"].astype(str).str.startswith("hot").sum())
    assert page.locator("#fact-hotspots").inner_text().startswith(f"{label}: {hot} of {len(view)} ")
    half = ((view["upper"] - view["lower"]) / 2).median()
    told = re.search(r"±([\d.]+) per 1,000", page.locator("#fact-sure").inner_text())
    assert told is not None
    assert float(told.group(1)) == pytest.approx(half, abs=0.06)
    page.get_by_role("button", name="Districts").click()
    assert "not looked for among districts" in page.locator("#fact-hotspots").inner_text()


def test_the_first_words_of_the_script_are_those_of_the_file(
    opened: Any, map_file: Path, browser: Any
) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    plain = context.new_page()
    plain.goto(map_file.as_uri())
    for place in ("#words-heading", "#fact-when", "#fact-hotspots", "#fact-sure"):
        assert opened.page.locator(place).inner_text() == plain.locator(place).inner_text()
    written = plain.locator("#words-body p").all_inner_texts()
    context.close()
    assert opened.page.locator("#words-body p").all_inner_texts() == written


def test_zero_has_a_class_of_its_own_and_small_counts_none(opened: Any, released: Release) -> None:
    opened.page.get_by_role("button", name="Count").click()
    for place, category in enumerate(released.categories):
        opened.page.get_by_label("Category", exact=True).select_option(index=place)
        opened.page.get_by_label("Period", exact=True).select_option(index=1)
        view = released.tables["lsoa"].view(
            period=released.periods[1].label, category=category.label
        )
        zeros = int((view["count"] == 0).sum())
        rows = opened.page.locator("#legend li").all_inner_texts()
        none = [row for row in rows if "None recorded" in row]
        assert len(none) == (1 if zeros else 0)
        if zeros:
            assert f"{zeros} area" in none[0]
        assert not any("Under" in row for row in rows)
        first = rows[1 if zeros else 0]
        assert f"{released.policy.threshold} to under" in first or "or more" in first


def test_an_area_whose_number_is_hidden_shows_no_hot_spot_class(
    opened: Any, released: Release
) -> None:
    opened.page.get_by_role("button", name="Hot spots", exact=True).click()
    found = 0
    for place, category in enumerate(released.categories):
        opened.page.get_by_label("Category", exact=True).select_option(index=place)
        opened.page.get_by_label("Period", exact=True).select_option(index=1)
        view = released.tables["lsoa"].view(
            period=released.periods[1].label, category=category.label
        )
        hidden = (view["status"] == "hidden").to_numpy()
        of = np.array(opened.run("() => [...placeshaping.view.of]"))
        assert (of[hidden] == -1).all()
        assert (of[~hidden] != -1).all()
        rows = opened.page.locator("#legend li").all_inner_texts()
        told = [row for row in rows if "Hidden to protect people" in row]
        assert len(told) == int(hidden.any())
        if hidden.any():
            found += 1
            assert f"{hidden.sum()} area" in told[0]
            assert "The number is hidden" in told[0]
            opened.run("(i) => placeshaping.choose(i)", int(np.flatnonzero(hidden)[0]))
            assert "hidden to protect people" in opened.page.locator("#live").inner_text()
    assert found


def test_the_figures_of_a_chosen_area_are_seen_without_scrolling(opened: Any) -> None:
    opened.page.mouse.click(*opened.run(POINT_OF, 10))
    assert opened.run("() => placeshaping.state.chosen") == 10
    top, bottom, shown = opened.run(
        """() => { const box = document.querySelector('#details .figures');
        const rows = [...box.querySelectorAll('tbody tr')].slice(0, 4);
        return [document.querySelector('#details .name').getBoundingClientRect().top,
          rows.at(-1).getBoundingClientRect().bottom, innerHeight]; }"""
    )
    assert 0 < top < bottom <= shown
    assert opened.run("() => scrollY") == 0


def test_the_chosen_area_is_named_on_the_map(opened: Any, released: Release) -> None:
    opened.run(
        """() => { window.written = [];
        const pen = placeshaping.layer._context; const old = pen.fillText.bind(pen);
        pen.fillText = (words, x, y) => { window.written.push(words); old(words, x, y); };
        placeshaping.choose(10); }"""
    )
    assert str(released.tables["lsoa"].areas["area_name"].iloc[10]) in opened.run("() => written")


def test_printing_fits_the_whole_map_and_puts_the_view_back(opened: Any) -> None:
    opened.run(
        "() => placeshaping.map.setView(placeshaping.map.getCenter(), 14, { animate: false })"
    )
    before = opened.run(
        "() => [placeshaping.map.getZoom(), document.getElementById('map').offsetWidth]"
    )
    inside = """() => { const { map, shapes, model } = placeshaping; const size = map.getSize();
      return shapes.boxes[model.levels.length - 1].every((box) =>
        [[box[0], box[1]], [box[2], box[3]]].every((corner) => {
          const p = map.latLngToContainerPoint(L.CRS.EPSG3857.pointToLatLng(L.point(corner), 0));
          return p.x >= 0 && p.y >= 0 && p.x <= size.x && p.y <= size.y; })); }"""
    assert not opened.run(inside)
    opened.run("() => dispatchEvent(new Event('beforeprint'))")
    assert opened.run(inside)
    sizes = {}
    opened.page.emulate_media(media="print")
    for name, (width, height) in {"portrait": (703, 1032), "landscape": (1032, 703)}.items():
        opened.page.set_viewport_size({"width": width, "height": height})
        sizes[name] = opened.run(
            """() => ['.map', '#legend'].map((place) => {
              const box = document.querySelector(place).getBoundingClientRect();
              return [box.right, box.bottom]; })"""
        )
        assert opened.run(inside)
        assert all(right <= width and bottom <= height for right, bottom in sizes[name])
    opened.page.emulate_media(media="screen")
    opened.page.set_viewport_size({"width": 1280, "height": 800})
    opened.run("() => dispatchEvent(new Event('afterprint'))")
    after = opened.run(
        "() => [placeshaping.map.getZoom(), document.getElementById('map').offsetWidth]"
    )
    assert after == before
