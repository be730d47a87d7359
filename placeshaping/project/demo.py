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


REVIEW = """\
# A ward review of the invented district:
#     placeshaping review review.toml
#     placeshaping review check review/proposal-a.json --recipe review.toml
[review]
title = "Wards of {name} (invented)"
name = "{name} review"          # stands in every proposal file
councillors = {councillors}
sizes = [1, 2, 3]               # councillors that a ward may have
bridges = "nearest"             # islands: what they count as joined to; or pairs of codes
policy = "open"                 # the electors are published, at the address below
sensitivity = "open"

[review.units]
file = "oa_2021.gpkg"

[review.electors]
file = "electors_oa21.csv"
code = "OA21CD"
now = "electors"
forecast = "electors_in_five_years"
published = "https://example.org/invented-electors"

[review.places]                 # what wards should not split
parish = {{file = "electoral_places_oa21.csv", column = "parish"}}
polling_district = {{file = "electoral_places_oa21.csv", column = "polling_district"}}
community = {{file = "electoral_places_oa21.csv", column = "community"}}

[review.present]                # the wards as they are
file = "electors_oa21.csv"
code = "OA21CD"
ward = "WD24CD"
wards = "present_wards.csv"
name = "WD24NM"

[review.search]
proposals = 5
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
    from placeshaping.synthetic.electoral import make_present_wards
    from placeshaping.synthetic.files import write_district

    folder = Path(folder)
    district = make_district(areas, seed=seed)
    write_district(district, folder)
    recipe = folder / "recipe.toml"
    names = district.districts["LAD24NM"]
    name = names.iloc[0] if len(names) == 1 else f"{names.iloc[0]} and around"
    text = RECIPE.format(name=name, crime="crime.zip")
    recipe.write_text(text, encoding="utf-8")
    if len(names) == 1:  # a review is of one council
        seats = int(make_present_wards(district)["councillors"].sum())
        review = REVIEW.format(name=name, councillors=seats)
        (folder / "review.toml").write_text(review, encoding="utf-8")
    return run(recipe, made_on=made_on)
