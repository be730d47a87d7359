"""The main job on the built-in district."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from placeshaping.project.pipeline import Outcome, run

RECIPE = """\
# The main job on an invented district. Change a line, run it again:
#     placeshaping run recipe.toml
title = "Recorded crime in {name} (invented)"
purpose = "To show what placeshaping makes of a police force's monthly files."
contact = "nobody@example.org"
# Who will see it: open, public, councillor, police, nhs, ons-10-5, restricted or internal.
policy = "councillor"

[records]
file = "{crime}"
sensitivity = "personal"        # as if they were the force's own, not published ones

[areas]
file = "lsoa_2021.gpkg"
lookups = ["lookup_lsoa21_msoa21_ward_district.csv"]
changes = "lookup_lsoa11_lsoa21.csv"

[population]
residents = "population.csv"
households = "population.csv"

[deprivation]
file = "deprivation.csv"

[show]
by = "year"
find = ["emerging"]             # what is new, lasting or passing, month by month

[output]
folder = "products"
"""


def run_demo(folder: str | Path, *, made_on: dt.date, areas: int = 200, seed: int = 2) -> Outcome:
    """
    Invent a district, write its files and a recipe, and run it.

    Parameters
    ----------
    folder
        Where to put them; files of a former demo are replaced.
    made_on
        Date that the products bear.
    areas
        Small areas (LSOAs) of the district.
    seed
        Of the district.

    Returns
    -------
    outcome
        As of `run`.
    """
    from placeshaping.synthetic.district import make_district
    from placeshaping.synthetic.files import write_district

    folder = Path(folder)
    district = make_district(areas, seed=seed)
    write_district(district, folder)
    recipe = folder / "recipe.toml"
    names = district.districts["LAD24NM"]
    name = names.iloc[0] if len(names) == 1 else f"{names.iloc[0]} and around"
    text = RECIPE.format(name=name, crime="crime.zip")
    recipe.write_text(text, encoding="utf-8")
    return run(recipe, made_on=made_on)
