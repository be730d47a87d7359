"""Reports in a browser: no request, no script, no overflow; readable on a phone and on paper."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pytest

from placeshaping.pages.report import (
    ReportContent,
    ReportFigure,
    ReportSection,
    ReportTable,
    render_report,
)
from placeshaping.reports.backtest_figures import draw_stability

pytestmark = pytest.mark.browser

DAY = dt.date(2026, 2, 3)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    stability = pd.DataFrame(
        {"model": ["a", "b"], "compactness": [0.5, 0.6], "turnover": [0.2, 0.1], "always": 0.4}
    )
    figure = ReportFigure(draw_stability(stability, title="T"), "A figure.", "Two models.")
    heads = ("Model", *(f"Measure {n} (interval)" for n in range(9)))
    rows = tuple((f"model {m}", *["0.312 (0.201 to 0.402)"] * 9) for m in range(8))
    tables = [ReportTable(f"Scores {n}", heads, rows) for n in range(4)]
    sections = tuple(
        ReportSection(f"Part {n}", ("A sentence.",), ("One.",), (table,), (figure,), folded=n == 3)
        for n, table in enumerate(tables)
    )
    content = ReportContent(
        "A report <i>on</i> something with-a-name-that-is-very-long-indeed-and-has-no-space-at-all",
        "It beats trailing counts.",
        (("Who", "me"), ("When", "now")),
        ("Few events.",),
        sections,
        ("The end.",),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(content), "utf-8")
    return path


def opened(browser: Any, path: Path, *, width: int, scheme: str = "light") -> Any:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, offline=True, color_scheme=scheme
    )
    page = context.new_page()
    page.told = []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("request", lambda r: page.told.append(r.url) if r.url.startswith("http") else None)
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_asked_for_and_nothing_overflows(
    browser: Any, page_file: Path, width: int
) -> None:
    page = opened(browser, page_file, width=width)
    assert page.told == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("[...document.images].every((i) => i.naturalWidth > 0 && i.alt)")
    assert page.evaluate("document.querySelector('h1').textContent").startswith("A report <i>")


def test_scripts_cannot_run_in_a_report(browser: Any, page_file: Path) -> None:
    page = opened(browser, page_file, width=1280)
    page.evaluate(
        "document.body.appendChild(Object.assign(document.createElement('script'),"
        "{textContent: 'window.ran = true'}))"
    )
    assert page.evaluate("window.ran") is None


def test_wide_tables_scroll_by_keyboard(browser: Any, page_file: Path) -> None:
    page = opened(browser, page_file, width=390)
    frame = page.locator(".table-frame").first
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert frame.evaluate("(one) => one.scrollLeft") > 0


def test_paper_shows_whole_tables_and_no_navigation(browser: Any, page_file: Path) -> None:
    page = opened(browser, page_file, width=720)
    page.emulate_media(media="print")
    assert page.locator("nav").evaluate("(one) => getComputedStyle(one).display") == "none"
    cut = page.evaluate(
        "[...document.querySelectorAll('.table-frame')].filter("
        "(f) => getComputedStyle(f).overflowX !== 'visible').length"
    )
    assert cut == 0
    assert len(page.pdf(format="A4")) > 10_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, page_file: Path, scheme: str) -> None:
    axe = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    if not axe.is_file():
        reason = "axe-core is not there: set AXE to its axe.min.js, or npm install axe-core"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (in CI this test must run)")
        pytest.skip(reason)
    page = opened(browser, page_file, width=1280, scheme=scheme)
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate(
        "() => axe.run().then((r) => r.violations.map((v) => v.id + ' ' + v.nodes[0].html))"
    )
    assert found == []
