"""What `init` makes of a folder, and what it says where it can make nothing of it."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from placeshaping._core.errors import RecipeError
from placeshaping.areas.inspection import inspect_file
from placeshaping.project.found_files import find_files
from placeshaping.project.gather import gather
from placeshaping.project.pipeline import run
from placeshaping.project.protect import policy_of
from placeshaping.project.recipe import read_recipe
from placeshaping.project.start import recipe_text, write_recipe

CODES = [f"E0100{i:04}" for i in range(1, 17)]
RECORDS = "Date,Easting,Northing,Type\n" + "".join(
    f"{1 + i % 28:02}/0{1 + i % 3}/2024,40{i % 4}500,30{i // 4 % 4}500,A\n" for i in range(160)
)


def write_areas(folder: Path, *, year: str = "21") -> None:
    """Write 16 square LSOAs."""
    boxes = [
        shapely.box(x, y, x + 1000, y + 1000)
        for y in range(300_000, 304_000, 1000)
        for x in range(400_000, 404_000, 1000)
    ]
    names = [f"Marsh {1 + i // 4:03}{'ABCD'[i % 4]}" for i in range(16)]
    table = {f"LSOA{year}CD": CODES, f"LSOA{year}NM": names}
    gpd.GeoDataFrame(table, geometry=boxes, crs=27700).to_file(folder / "areas.gpkg")


def write_lookup(folder: Path, header: str, row: str) -> None:
    lines = [row.format(code=code) for code in CODES]
    (folder / "lookup.csv").write_text("\n".join([header, *lines, ""]))


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(RecipeError, match=r"found no files\. Put records and boundaries"):
        write_recipe(tmp_path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Easting,Northing\n400500,300500\n", r"a\.csv: services without dates.*records\.columns"),
        ("Date,Postcode\n03/02/2024,LE1 6XX\n", r"a\.csv: .*postcode alone.*records\.postcodes"),
        ("x,y z\nfoo,bar\n", r"a\.csv: unknown: Nothing in it says where records lie"),
        ("", r"a\.csv: .*empty"),
    ],
)
def test_each_file_is_told_why_it_does_not_serve(tmp_path, text, match):
    write_areas(tmp_path)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(RecipeError, match=f"(?is)found no records.*among 2 files:.*{match}"):
        find_files(tmp_path)


def test_missing_boundaries_are_told_with_what_there_is(tmp_path):
    (tmp_path / "a.csv").write_text(RECORDS)
    with pytest.raises(RecipeError, match=r"found no boundaries .* 1 file:\n  a\.csv: services"):
        find_files(tmp_path)


def test_without_a_lookup_the_recipe_says_what_naming_a_place_needs(tmp_path):
    write_areas(tmp_path)
    (tmp_path / "a.csv").write_text(RECORDS)
    text = recipe_text(find_files(tmp_path))
    assert "# To name a place, add a lookup from these areas to districts" in text
    assert "levels" not in text


def test_other_levels_of_the_lookups_are_offered(tmp_path):
    write_areas(tmp_path)
    (tmp_path / "a.csv").write_text(RECORDS)
    write_lookup(
        tmp_path, "LSOA21CD,WD24CD,WD24NM,LAD24CD,LAD24NM",
        "{code},E05000001,North,E07000001,Marshland",
    )  # fmt: skip
    text = recipe_text(find_files(tmp_path))
    assert '# levels = ["ward", "district"]    # instead of ["msoa", "district"]' in text
    assert '# within = "Essex"    # a district' in text
    asked = text.replace('# levels = ["ward", "district"]    #', 'levels = ["ward", "district"]  #')
    assert tomllib.loads(asked)["areas"]["levels"] == ["ward", "district"]


@pytest.mark.parametrize(
    "header", ["LSOA11CD,LAD22CD,LAD22NM", "LSOA11CD,LSOA21CD,LAD22CD,LAD22NM"]
)
def test_lookups_of_2011_serve_areas_of_2011(tmp_path, header):
    write_areas(tmp_path, year="11")
    (tmp_path / "a.csv").write_text(RECORDS)
    newer = "E01035001," if "LSOA21CD" in header else ""
    write_lookup(tmp_path, header, "{code}," + newer + "E07000001,Marshland")
    path = write_recipe(tmp_path)
    recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    assert recipe["areas"]["lookups"] == ["lookup.csv"]
    assert "within" not in recipe["areas"]
    outcome = run(path, made_on=dt.date(2026, 1, 31))
    assert "district" in outcome.release.levels


def write_beats(folder: Path) -> None:
    """Write 16 squares with a council's own codes."""
    write_areas(folder)
    areas = gpd.read_file(folder / "areas.gpkg").drop(columns=["LSOA21CD", "LSOA21NM"])
    (folder / "areas.gpkg").unlink()
    areas.assign(beat_code=[f"B{i:02}" for i in range(16)]).to_file(folder / "beats.gpkg")
    (folder / "a.csv").write_text(RECORDS)


def test_a_councils_own_areas_and_lookup_make_a_recipe(tmp_path):
    write_beats(tmp_path)
    rows = [f"B{i:02},S{i // 8},Sector {i // 8}" for i in range(16)]
    text = "\n".join(["beat_code,sector_code,sector_name", *rows, ""])
    (tmp_path / "lookup.csv").write_text(text)
    seen = inspect_file(tmp_path / "lookup.csv")
    assert (seen.kind, dict(seen.facts)["Codes of your own"]) == (
        "lookup", "beat_code, sector_code",
    )  # fmt: skip
    path = write_recipe(tmp_path)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["areas"]["lookups"] == ["lookup.csv"]
    lookup = gather(read_recipe(path), folder=tmp_path).lookup
    assert lookup.columns.tolist() == ["sector_code", "sector_name"]


def test_a_lookup_of_other_own_areas_is_passed_over(tmp_path):
    write_beats(tmp_path)
    rows = [f"X{i:02},S{i // 8}" for i in range(16)]
    (tmp_path / "lookup.csv").write_text("\n".join(["patch_code,sector_code", *rows, ""]))
    found = find_files(tmp_path)
    assert found.lookups == ()
    assert [name for name, _ in found.passed_over] == ["lookup.csv"]


@pytest.mark.parametrize(
    "text",
    [
        "offence_code,ward_name\nA,North\nA,South\n",
        "offence_code,disposal_code\nA,1\nA,2\nB,2\n",
        "post_code,beat\nLE1,1\nLE2,2\n",
    ],
)
def test_codes_that_name_no_row_make_no_lookup(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert inspect_file(tmp_path / "a.csv").kind == "unknown"


def test_init_names_the_keys_of_protection_and_the_records_for_the_ledger(tmp_path):
    write_areas(tmp_path)
    (tmp_path / "fly tips.2024.csv").write_text(RECORDS)
    text = write_recipe(tmp_path).read_text(encoding="utf-8")
    assert read_recipe(tmp_path / "recipe.toml").dataset == "fly tips"
    uncommented = re.sub(
        r"(?m)^# (?=(policy|expires|ledger|secret|merge|detail|sensitive) = )", "", text
    )
    uncommented = uncommented.replace('policy = "public"\n', "")
    (tmp_path / "recipe.toml").write_text(uncommented, encoding="utf-8")
    recipe = read_recipe(tmp_path / "recipe.toml")
    assert recipe.areas.merge is False
    assert (recipe.show.detail, recipe.show.sensitive) == ("keep", ["Burglary"])
    assert recipe.expires == dt.date(2030, 12, 31)
    assert policy_of(recipe, default="public").base == "councillor"


def test_init_passes_over_products_and_the_ledger_of_former_runs(tmp_path):
    write_areas(tmp_path)
    (tmp_path / "tips.csv").write_text(RECORDS)
    (tmp_path / "recipe.toml").write_text(
        'title = "x"\nrecords.file = "tips.csv"\nareas.file = "areas.gpkg"\n'
        'output.write = ["tables"]\noutput.folder = "products"\n'
    )
    run(tmp_path / "recipe.toml", made_on=dt.date(2026, 1, 31))
    assert (tmp_path / "ledger.sqlite").is_file()
    assert not find_files(tmp_path).passed_over
