"""Profiles of every ward of Leicester: worked out, written, attacked. No peer does this."""

from __future__ import annotations

import datetime as dt
import tempfile
from contextlib import ExitStack
from pathlib import Path

from shapely import box

from benchmarks.harness import Result, seconds
from placeshaping._core.progress import quiet
from placeshaping.project.profile import prepare, run_profiles, write_profiles
from placeshaping.project.profile_places import every_place
from placeshaping.reports.profiles import ProfileMaker
from placeshaping.reports.profiles_places import Place
from placeshaping.shaping.profiles import fit_drawn

MADE_ON = dt.date(2026, 1, 31)
RECIPE = """
title = "Leicester"
policy = "councillor"
ledger = "none"
deprivation = {{ file = '{data}/deprivation/imd2025_lsoa21.csv.gz' }}

[records]
file = '{data}/police_uk/leicestershire.zip'
sensitivity = "personal"
from = "2024-01"
to = "2025-12"

[areas]
file = '{data}/boundaries/lsoa_2021_ew.parquet'
within = "Leicester"
lookups = ['{data}/lookups/lsoa21_ward24_lad24.csv.gz']
changes = '{data}/lookups/lsoa11_lsoa21_lad22.csv.gz'

[population]
residents = '{data}/census/census2021-ts001-lsoa.csv.gz'
"""


def run(data: Path) -> list[Result]:
    """Time the command as a whole, then what a ward and a drawn place take of it."""
    with tempfile.TemporaryDirectory() as name, quiet(on=True), ExitStack() as stack:
        folder = Path(name)
        recipe = folder / "recipe.toml"
        recipe.write_text(RECIPE.format(data=data.resolve().as_posix()), "utf-8")

        def everything() -> None:
            run_profiles(recipe, every="ward", made_on=MADE_ON, write=["html", "json"])

        whole = seconds(everything, times=1, warm=0)
        ready = prepare(recipe, made_on=MADE_ON, stack=stack)
        places = every_place(ready.material, "ward")

        def wards(*kinds: str) -> None:
            maker = ProfileMaker(ready.material, made_on=MADE_ON)
            profiles = [maker.make(place) for place in places]
            write_profiles(profiles, folder / "made", kinds, title="Leicester")

        pages = seconds(lambda: wards("html", "json"), times=3) / len(places)
        sheets = seconds(lambda: wards("html", "json", "pdf"), times=1, warm=0) / len(places)
        west, south, east, north = ready.material.ground.total_bounds
        middle = box(
            west + (east - west) / 3, south + (north - south) / 3,
            east - (east - west) / 3, north - (north - south) / 3,
        )  # fmt: skip

        def drawn() -> None:
            fit = fit_drawn(middle, ready.material.ground)
            ProfileMaker(ready.material, made_on=MADE_ON).make(Place("drawn", None, (), fit))

        asked = seconds(drawn, times=5)
    work = f"{len(places)} wards of Leicester, two years of recorded crime"
    return [
        Result(
            "profile: every ward", f"{work}: from the recipe to files that were attacked", whole
        ),
        Result("profile: one ward", f"{work}: page and values, written and attacked", pages),
        Result("profile: one ward with sheets", f"{work}: page, values and PDF", sheets),
        Result("profile: drawn place", "answered from released numbers of small areas", asked),
    ]
