"""
Make the pictures of access and siting for the gallery, on the invented district.

    placeshaping demo out/demo
    python maps/access_gallery.py

Needs Chromium and playwright, as `maps/gallery.py` does. The pictures go to docs/images.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
from gallery import HERE, IMAGES, MADE_ON, shrink, take
from playwright.sync_api import sync_playwright

from placeshaping.project.access import run_access
from placeshaping.project.siting import run_siting

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "access": ("access", {}),
    "access-wards": ("access", {"detail": "ward"}),
    "siting": ("siting", {}),
    "siting-before-after": ("siting", {"show": "today", "beside": "travel"}),
}
"""Name of the picture -> product, and what stands in the address of the view."""


def main() -> None:
    """Run both commands on the demo's files, and take the pictures."""
    demo = HERE.parent / "out" / "demo"
    pages = make_pages(demo)
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (product, view) in VIEWS.items():
            shrink(take(browser, pages[product], view), IMAGES / f"{name}.png")
        browser.close()


def make_pages(demo: Path) -> dict[str, Path]:
    """Run both commands on the files of a demo, and return their maps."""
    services = pd.read_csv(demo / "services.csv")
    services[services["category"] == "Library"].to_csv(demo / "libraries.csv", index=False)
    recipe: dict[str, Any] = {
        "title": "Libraries",
        "areas": {
            "file": "lsoa_2021.gpkg",
            "lookups": ["lookup_lsoa21_msoa21_ward_district.csv"],
        },
        "population": {"residents": "population.csv"},
        "deprivation": {"file": "deprivation.csv"},
        "places": [
            {
                "file": "libraries.csv",
                "title": "Libraries",
                "already_published": "https://example.org/libraries",
            }
        ],
    }
    access = {"service": "library", "streets": "streets.gpkg", "outside": "drop"}
    made = run_access({**recipe, "access": access}, made_on=MADE_ON, folder=demo)
    siting = {"existing": "Libraries", "new": 3, "service": "library", "services": "libraries"}
    chosen = run_siting({**recipe, "siting": siting}, made_on=MADE_ON, folder=demo)
    return {"access": made.folder / "map.html", "siting": chosen.folder / "map.html"}


if __name__ == "__main__":
    main()
