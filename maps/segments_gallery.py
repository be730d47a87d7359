"""
Make the picture of areas that are alike for the gallery, on the invented district.

    placeshaping demo out/demo
    python maps/segments_gallery.py

Needs Chromium and playwright, as `maps/gallery.py` does. The picture goes to docs/images. The
recipe is the one of docs/synthetic.md.
"""

from __future__ import annotations

import os
import tomllib

from gallery import HERE, IMAGES, MADE_ON, shrink, take
from playwright.sync_api import sync_playwright

from placeshaping.project.segments import make_area_segments


def main() -> None:
    """Group the areas of the demo, and take the picture."""
    guide = (HERE.parent / "docs" / "synthetic.md").read_text(encoding="utf-8")
    recipe = tomllib.loads(guide.split("```toml\n")[1].partition("```")[0])
    made = make_area_segments(recipe, made_on=MADE_ON, folder=HERE.parent / "out" / "demo")
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shrink(take(browser, made.folder / "map.html", {}), IMAGES / "segments.png")
        browser.close()


if __name__ == "__main__":
    main()
