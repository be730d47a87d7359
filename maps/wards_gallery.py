"""
Make the picture of the painting page for the gallery, on the invented district.

    placeshaping demo out/demo
    python maps/wards_gallery.py

Needs Chromium and playwright, as `maps/gallery.py` does. The picture goes to docs/images.
"""

from __future__ import annotations

import os

from gallery import HERE, IMAGES, MADE_ON, shrink, take
from playwright.sync_api import sync_playwright

from placeshaping.project.review import run_review


def main() -> None:
    """Search for wards of the demo, and take the picture of the page on which they are painted."""
    made = run_review(HERE.parent / "out" / "demo" / "review.toml", made_on=MADE_ON)
    page = next(path for path in made.files if path.name == "painting.html")
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shrink(take(browser, page, {}, top=True), IMAGES / "painting.png")
        browser.close()


if __name__ == "__main__":
    main()
