"""The map of areas on paper, as a browser records it: sheets lie over one another."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.browser


def test_no_sheet_of_the_map_is_cleared_for_paper(opened: Any) -> None:
    """A cleared sheet is printed white, and hides those beneath it."""
    opened.run(
        """() => { window.cleared = 0; const own = CanvasRenderingContext2D.prototype.clearRect;
        CanvasRenderingContext2D.prototype.clearRect = function (...box) {
          if (document.documentElement.classList.contains('printing')) { window.cleared += 1; }
          own.apply(this, box); };
        window.before = [...document.querySelectorAll('#map canvas')];
        dispatchEvent(new Event('beforeprint')); }"""
    )
    assert opened.run("() => window.cleared") == 0
    now = "[...document.querySelectorAll('#map canvas')]"
    assert opened.run(f"() => {now}.length === 2 && !{now}.some((c) => window.before.includes(c))")
    opened.run("() => dispatchEvent(new Event('afterprint'))")
    opened.page.mouse.move(640, 500)
    assert opened.run("() => window.cleared") == 0
