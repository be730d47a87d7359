"""`placeshaping profile`: every ward, areas together, drawn places, several services; bad input."""

import dataclasses
import datetime as dt
import json
import shutil

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping import cli
from placeshaping._core.errors import (
    DisclosureError,
    GivesAwayError,
    InputError,
    PlaceshapingError,
    RecipeError,
)
from placeshaping.project.pipeline import run
from placeshaping.project.profile import run_profiles, write_profiles
from placeshaping.project.profile_inputs import read_benchmarks
from placeshaping.project.profile_request import read_profile_recipe
from placeshaping.verify.files import verify_files

DAY = dt.date(2026, 2, 3)
RECIPE = """
title = "Fenmarch (invented)"
purpose = "A test."
contact = "nobody@example.org"
policy = "councillor"
{head}
[[records]]
file = "crime.zip"
sensitivity = "personal"
{basis}
[[records]]
file = "fly_tipping.csv"
{basis}
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
file = "libraries.csv"
title = "Libraries"
already_published = "https://example.org/libraries"

[show]
by = "all"

[profile]
levels = ["ward", "district"]
parts = "oa_2021.gpkg"
parts_people = "electors_oa21.csv"
names = {{"fly_tipping.csv" = "Fly-tipping reports"}}
polarity = {{"Fly-tipping reports" = "lower"}}
{more}
"""
BASIS = 'lawful_basis = "public task"\ndpia = "DPIA 12"\n'


@pytest.fixture(scope="module")
def folder(district_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("profiles") / "données"
    shutil.copytree(district_folder, folder)
    places = pd.read_csv(folder / "services.csv")
    libraries = places[places["category"] == "Library"].drop(columns="category")
    libraries.to_csv(folder / "libraries.csv", index=False)
    write(folder)
    return folder


def write(folder, *, name="recipe.toml", basis=BASIS, head='ledger = "none"', more=""):
    path = folder / name
    path.write_text(RECIPE.format(basis=basis, head=head, more=more), "utf-8")
    return path


@pytest.fixture(scope="module")
def drawn(folder):
    """Two places that overlap, in degrees, as somebody would draw them."""
    wards = gpd.read_file(folder / "wards.gpkg")
    middle = wards.union_all().centroid
    shapes = [middle.buffer(6000), middle.buffer(6000).union(wards.geometry.iloc[0].buffer(10))]
    path = folder / "drawn.geojson"
    table = gpd.GeoDataFrame({"name": ["The middle", "A little more"]}, geometry=shapes, crs=27700)
    table.to_crs(4326).to_file(path)
    return path


@pytest.fixture(scope="module")
def done(folder, drawn):
    return run_profiles(
        folder / "recipe.toml",
        ["E07900001"],
        every="ward",
        drawn=[drawn],
        made_on=DAY,
        write=["html", "json"],
    )


def test_every_ward_has_a_page_values_and_a_line_in_the_index(done, folder):
    wards = gpd.read_file(folder / "wards.gpkg")
    names = {path.name for path in done.files}
    assert "index.html" in names
    assert len([name for name in names if name.endswith(".json")]) == len(wards) + 3
    index = (done.folder / "index.html").read_text("utf-8")
    for path in done.files:
        if path.suffix == ".html" and path.name != "index.html":
            assert f'href="{path.name}"' in index


def test_everything_that_was_written_withstands_the_attacker(done):
    verdicts = verify_files([done.folder], today=DAY)
    assert [(v.file, v.breaches) for v in verdicts if not v.passed] == []


def test_services_stand_side_by_side(done):
    page = next(path for path in done.files if path.name == "the-middle.html").read_text("utf-8")
    assert "Services side by side" in page
    assert "Fly-tipping reports" in page
    assert "nobody was matched across them" in page


def test_drawn_places_say_weights_and_standard_error(done):
    content = json.loads((done.folder / "the-middle.json").read_text("utf-8"))
    assert content["place"]["level"] == "drawn"
    assert content["place"]["weighted_by"].startswith("electors of ")
    values = [row for one in content["services"] for row in one["values"] if row["count"]]
    assert all(row["count"] % 5 == 0 for row in values)
    assert all(row["standard_error"] > 0 for row in values)


def test_the_small_area_counts_answer_as_the_wards_do(done):
    """The whole district, drawn, comes to the district's own numbers within their error."""
    own = {one.place.name: one for one in done.profiles}
    district = next(one for one in own.values() if one.place.level == "district")
    wards = [one for one in own.values() if one.place.level == "ward"]
    total = sum(int(one.counted[0].number()["count"]) for one in wards)
    assert total == pytest.approx(
        int(district.counted[0].number()["count"]), abs=2 * len(wards) + 5
    )


def test_a_borough_lists_its_wards_by_name(done):
    district = next(one for one in done.profiles if one.place.level == "district")
    assert list(district.inside) == sorted(district.inside)


def test_the_next_run_compares_with_this_one(done, folder, capsys):
    path = done.folder / "the-middle.json"
    content = json.loads(path.read_text("utf-8"))
    for one in content["indicators"]:
        if one["key"] == "Recorded crime:All recorded crime":
            one.update(value=1.0, lower=0.9, upper=1.1, period="2020")
    path.write_text(json.dumps(content), "utf-8")
    made = run_profiles(
        folder / "recipe.toml", made_on=DAY, drawn=[folder / "drawn.geojson"], write=["json", "pdf"]
    )
    since = {one.label: one.told for one in made.profiles[0].since}
    assert since["All recorded crime"] == "up"
    assert since["All fly-tipping reports"] == "the same"
    assert all(v.passed for v in verify_files(made.files, today=DAY))
    assert {path.suffix for path in made.files} == {".json", ".pdf"}


@pytest.mark.parametrize("kind", ["html", "json", "pdf"])
def test_a_leak_is_refused_and_nothing_is_written(done, folder, kind):
    profile = done.profiles[0]
    crime, tipping = profile.counted
    numbers = tipping.numbers.copy()
    numbers.iloc[0, numbers.columns.get_loc("count")] = 1007
    leaking = dataclasses.replace(
        profile, counted=(crime, dataclasses.replace(tipping, numbers=numbers))
    )
    with pytest.raises(GivesAwayError, match=r"not rounded to 5.*nothing was written"):
        write_profiles([leaking], folder / "leak", [kind], title="Fenmarch")
    assert not (folder / "leak").exists()


def test_what_was_released_is_entered_in_the_ledger(folder):
    from placeshaping.disclosure.ledger import open_ledger

    write(folder, name="kept.toml", head='ledger = "ledger.sqlite"', more='folder = "kept"')
    run_profiles(folder / "kept.toml", ["E07900001"], made_on=DAY, write=["json"])
    with open_ledger(folder / "ledger.sqlite") as ledger:
        assert set(ledger.list()["dataset"]) == {"Recorded crime", "Fly-tipping reports"}


def test_services_apart_and_together_are_not_both_released(folder):
    """Counts of all records less those of one service would be the other's, hidden ones too."""
    head = 'ledger = "{}.sqlite"'
    write(folder, name="apart.toml", head=head.format("apart"), more='folder = "apart"')
    run_profiles(folder / "apart.toml", ["E07900001"], made_on=DAY, write=["json"])
    with pytest.raises(DisclosureError, match="holds a release of Fly-tipping reports, Recorded c"):
        run(folder / "apart.toml", made_on=DAY)
    write(folder, name="both.toml", head=head.format("both"), more='folder = "both"')
    run(folder / "both.toml", made_on=DAY)
    with pytest.raises(DisclosureError, match="holds a release of Records: with"):
        run_profiles(folder / "both.toml", ["E07900001"], made_on=DAY, write=["json"])
    assert not (folder / "both").exists()


def test_personal_records_side_by_side_need_a_basis(folder):
    path = write(folder, name="bare.toml", basis="")
    with pytest.raises(RecipeError, match="'lawful_basis' and 'dpia'"):
        run_profiles(path, ["E07900001"], made_on=DAY)


def read_all(path):
    """Read a recipe, its section on profiles, and the figures of elsewhere that it names."""
    _, request = read_profile_recipe(path)
    return read_benchmarks(request, folder=path.parent)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('polarty = "x"', r"profile.polarty: there is no such key \(did you mean polarity"),
        ('folder = "."', "would lie beside the inputs"),
        ('benchmarks = "libraries.csv"', "has no column 'indicator'"),
        ('write = ["word"]', "profile.write"),
    ],
)
def test_wrong_keys_are_told(folder, more, message, monkeypatch):
    path = write(folder, name="wrong.toml", more=more)
    with pytest.raises(PlaceshapingError, match=message):
        read_all(path)


def test_a_place_must_be_asked_for(folder):
    with pytest.raises(InputError, match="Name an area"):
        run_profiles(folder / "recipe.toml", made_on=DAY)


def test_the_command_tells_what_it_found(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    write(folder, name="told.toml", more='folder = "told"')
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["profile", "E07900001", "-r", "told.toml", "--write", "json"])
    told = capsys.readouterr().out
    assert "Recorded crime" in told
    assert ".json" in told


def test_a_recipe_of_records_and_areas_alone_says_what_is_missing(folder, capsys):
    """No lookup, population, deprivation or place: sections say so, nothing fails."""
    recipe = """
title = "Bare"
policy = "public"
ledger = "none"
records = { file = "crime.zip", sensitivity = "personal" }
areas = { file = "lsoa_2021.gpkg" }
show = { by = "all" }
profile = { folder = "bare" }
"""
    (folder / "bare.toml").write_text(recipe, "utf-8")
    code = gpd.read_file(folder / "lsoa_2021.gpkg", rows=1)["LSOA21CD"].iloc[0]
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["profile", code, "-r", str(folder / "bare.toml"), "--json", "--write", "html"])
    made = json.loads(capsys.readouterr().out)
    page = (folder / "bare" / made["files"][0]).read_text("utf-8")
    for key in ("[population]", "[deprivation]", "[[places]]"):
        assert f"Add {key}" in page
