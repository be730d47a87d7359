"""
Make the picture of a ward's profile for the gallery, on the invented district.

    placeshaping demo out/demo
    python maps/profile_gallery.py

Needs Chromium and playwright, as `maps/gallery.py` does. The pictures go to docs/images.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
from gallery import HERE, IMAGES, MADE_ON, shrink
from PIL import Image
from playwright.sync_api import sync_playwright

from placeshaping.project.profile import run_profiles

RECIPE = """
title = "Marshwick (invented)"
policy = "councillor"
ledger = "none"

[[records]]
file = "crime.zip"
sensitivity = "personal"
lawful_basis = "public task"
dpia = "invented"

[[records]]
file = "fly_tipping.csv"
lawful_basis = "public task"
dpia = "invented"

[areas]
file = "lsoa_2021.gpkg"
lookups = ["lookup_lsoa21_msoa21_ward_district.csv"]
changes = "lookup_lsoa11_lsoa21.csv"

[population]
residents = "population.csv"
households = "population.csv"

[deprivation]
file = "deprivation.csv"

[[places]]
file = "surgeries.csv"
title = "GP surgeries"
already_published = "https://example.org/surgeries"

[profile]
levels = ["ward", "district"]
parts = "oa_2021.gpkg"
parts_people = "electors_oa21.csv"
names = {"fly_tipping.csv" = "Fly-tipping reports"}
polarity = {"Fly-tipping reports" = "lower"}
"""


def main() -> None:
    """Make the profiles of the demo's first wards, and take the picture of one."""
    demo = HERE.parent / "out" / "demo"
    page = make_page(demo)
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1200, "height": 1150})
        opened.goto(page.resolve().as_uri())
        taken = page.with_suffix(".png")
        opened.screenshot(path=taken)
        browser.close()
    with Image.open(taken) as shot:
        shrink(shot.convert("RGB"), IMAGES / "profile.png")


def make_page(demo: Path) -> Path:
    """Write a recipe beside the demo's files, and return the page of a ward that has both ends."""
    services = pd.read_csv(demo / "services.csv")
    surgeries = services[services["category"] == "GP surgery"].drop(columns="category")
    surgeries.to_csv(demo / "surgeries.csv", index=False)
    (demo / "profile.toml").write_text(RECIPE, encoding="utf-8")
    ward = pd.read_csv(demo / "lookup_lsoa21_msoa21_ward_district.csv")["WD24NM"].iloc[1]
    made = run_profiles(demo / "profile.toml", [ward], made_on=MADE_ON, write=["html", "json"])
    return next(path for path in made.files if path.suffix == ".html")


if __name__ == "__main__":
    main()
