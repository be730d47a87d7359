"""Profiles of Leicester's wards on real files: sums and shares against the files themselves."""

import datetime as dt

import pandas as pd
import pytest

from placeshaping.project.profile import run_profiles
from placeshaping.verify.files import verify_files

pytestmark = pytest.mark.real

RECIPE = """
title = "Leicester"
purpose = "A test."
ledger = "none"
records = {{ file = '{data}/police_uk/leicestershire.zip', from = "2025-01", to = "2025-12" }}
show = {{ by = "all" }}
deprivation = {{ file = '{data}/deprivation/imd2025_lsoa21.csv.gz' }}

[areas]
file = '{data}/boundaries/lsoa_2021_ew.parquet'
within = "Leicester"
lookups = ['{data}/lookups/lsoa21_ward24_lad24.csv.gz']
changes = '{data}/lookups/lsoa11_lsoa21_lad22.csv.gz'

[population]
residents = '{data}/census/census2021-ts001-lsoa.csv.gz'

[profile]
levels = ["ward", "district"]
"""


@pytest.fixture(scope="module")
def made(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("leicester")
    (folder / "recipe.toml").write_text(RECIPE.format(data=real_data.as_posix()), "utf-8")
    return run_profiles(
        folder / "recipe.toml",
        ["Leicester"],
        every="ward",
        made_on=dt.date(2026, 2, 3),
        write=["html", "json"],
    )


def test_wards_add_up_to_the_city(made):
    own = {one.place.name: one for one in made.profiles}
    city = own.pop("Leicester")
    assert len(own) == 21
    residents = {
        name: next(i.value for i in one.indicators if i.key == "residents")
        for name, one in {**own, "": city}.items()
    }
    assert residents.pop("") == sum(residents.values())
    assert sum(int(one.counted[0].number()["count"]) for one in own.values()) == int(
        city.counted[0].number()["count"]
    )


def test_the_share_in_the_most_deprived_fifth_is_that_of_the_published_file(made, real_data):
    city = next(one for one in made.profiles if one.place.name == "Leicester")
    index = pd.read_csv(real_data / "deprivation/imd2025_lsoa21.csv.gz").set_index("LSOA21CD")
    column = next(c for c in index if "decile" in c.casefold() and "imd" in c.casefold())
    ground = city.material.ground
    deprived = index[column].reindex(ground.index) <= 2
    share = 100 * ground.loc[deprived, "residents"].sum() / ground["residents"].sum()
    found = next(one.value for one in city.indicators if one.key == "deprivation:imd")
    assert found == round(share)


def test_the_city_centre_is_told_as_a_place_of_visitors(made):
    castle = next(one for one in made.profiles if one.place.name == "Castle")
    assert castle.crowded
    abbey = next(one for one in made.profiles if one.place.name == "Aylestone")
    assert not abbey.crowded


def test_neighbours_are_told_with_the_variables_that_made_them(made):
    for one in made.profiles:
        if one.place.level == "ward":
            assert len(one.alike) == 5
            assert "residents a hectare" in one.alike_by


def test_pages_and_values_withstand_the_attacker(made):
    assert all(verdict.passed for verdict in verify_files([made.folder]))
