"""
Make the pictures of the gallery: run the recipes, open each map, take its picture.

    placeshaping demo out/demo
    python maps/gallery.py

Needs Chromium and playwright (`pip install 'placeshaping[test]'`); set CHROMIUM where it is
elsewhere. The pictures go to docs/images.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from placeshaping.maps.pictures import write_picture
from placeshaping.project.gather import gather
from placeshaping.project.pipeline import run
from placeshaping.project.protect import protect_gathered
from placeshaping.project.recipe import make_recipe

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
MADE_ON = dt.date(2026, 1, 5)
SIZE = (1200, 860)
MOST_BYTES = 150_000
CRIME, TIPPING, SERVICES = "recorded-crime", "fly-tipping", "fly-tipping-and-services"
KINDS = {"Library": "Libraries", "GP surgery": "General practices"}
"""Category of the invented services -> what a list of public places is called."""

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "rates": (CRIME, {}),
    "hot-spots": (CRIME, {"show": "hotspots"}),
    "emerging": (CRIME, {"show": "emerging"}),
    "clusters": (CRIME, {"show": "scan"}),
    "alike": (CRIME, {"show": "local_moran"}),
    "deprivation": (CRIME, {"show": "decile"}),
    "rate-and-deprivation": (CRIME, {"show": "both"}),
    "neighbourhoods": (CRIME, {"detail": "msoa", "category": "Burglary"}),
    "hidden": (CRIME, {"show": "count", "category": "Burglary", "period": "2024"}),
    "side-by-side": (CRIME, {"beside": "hotspots"}),
    "fly-tipping": (TIPPING, {}),
    "places": (SERVICES, {"show": "hotspots"}),
}
"""Name of the picture -> recipe, and what stands in the address of the view."""


def main() -> None:
    """Run the recipes, and take all pictures."""
    for name in (CRIME, TIPPING):
        run(HERE / f"{name}.toml", made_on=MADE_ON)
    run(with_services(), folder=HERE, made_on=MADE_ON)
    with sync_playwright() as play:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shrink(take(browser, page_of(CRIME), {}, top=True), IMAGES / "map.png")
        for name, (recipe, view) in VIEWS.items():
            shrink(take(browser, page_of(recipe), view), IMAGES / f"{name}.png")
        dark = {"color_scheme": "dark"}
        shrink(take(browser, page_of(CRIME), {}, **dark), IMAGES / "dark.png")
        browser.close()
    static()


def with_services() -> dict[str, Any]:
    """Return the recipe of fly-tipping with the public places of the invented district."""
    demo = HERE.parent / "out" / "demo"
    services = pd.read_csv(demo / "services.csv")
    places = []
    for category, title in KINDS.items():
        listed = demo / f"{title.lower().replace(' ', '_')}.csv"
        services[services["category"] == category].to_csv(listed, index=False)
        address = "https://example.org/services"
        places.append({"file": str(listed), "title": title, "already_published": address})
    recipe = tomllib.loads((HERE / f"{TIPPING}.toml").read_text(encoding="utf-8"))
    return {**recipe, "places": places, "output": {"folder": f"../out/{SERVICES}"}}


def page_of(recipe: str) -> Path:
    """Return the page that a recipe has made."""
    return HERE.parent / "out" / recipe / "map.html"


def take(
    browser: Browser, page: Path, view: dict[str, str], *, top: bool = False, **look: str
) -> Image.Image:
    """Open a page at a view, and return what the window shows: its top, or the map and legend."""
    context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, **look)
    opened = context.new_page()
    opened.goto(page.resolve().as_uri() + ("#" + urlencode(view) if view else ""))
    opened.evaluate("() => placeshaping.ready")
    opened.wait_for_timeout(400)
    if not top:
        opened.evaluate("document.getElementById('map-section').scrollIntoView()")
    opened.wait_for_timeout(400)
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder) / "shot.png"
        opened.screenshot(path=taken)
        context.close()
        with Image.open(taken) as shot:
            return shot.convert("RGB")


def static() -> None:
    """Draw the sheet for a report, small."""
    path = HERE / f"{CRIME}.toml"
    recipe = make_recipe(tomllib.loads(path.read_text(encoding="utf-8")))
    released = protect_gathered(recipe, gather(recipe, folder=HERE), made_on=MADE_ON)
    with tempfile.TemporaryDirectory() as folder:
        (sheet,) = write_picture(released, Path(folder) / "sheet.png", measure="hotspots")
        with Image.open(sheet) as drawn:
            small = drawn.convert("RGB").resize((1169, 827), Image.Resampling.LANCZOS)
    shrink(small, IMAGES / "sheet.png")


def shrink(picture: Image.Image, path: Path) -> None:
    """Write a picture with as many colours as fit into 150 kB."""
    for colours in (128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size < MOST_BYTES:
            return
    sys.exit(f"{path.name} has {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
