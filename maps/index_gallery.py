"""
Make the picture of an index of one's own for the gallery, on the invented district.

    placeshaping demo out/demo
    python maps/index_gallery.py

Needs Chromium and playwright, as `maps/gallery.py` does. The picture goes to docs/images. The
recipe is the one of docs/indices.md.
"""

from __future__ import annotations

import os
import tomllib

from gallery import HERE, IMAGES, MADE_ON, shrink, take
from playwright.sync_api import sync_playwright

from placeshaping.project.composite_index import make_index


def main() -> None:
    """Rank the areas of the demo, and take the picture."""
    guide = (HERE.parent / "docs" / "indices.md").read_text(encoding="utf-8")
    recipe = tomllib.loads(guide.split("```toml\n")[1].partition("```")[0]) | {
        "output": {"folder": "need"}
    }
    made = make_index(recipe, made_on=MADE_ON, folder=HERE.parent / "out" / "demo")
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shrink(take(browser, made.folder / "map.html", {}), IMAGES / "index.png")
        browser.close()


if __name__ == "__main__":
    main()
