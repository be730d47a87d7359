"""What a recipe names is read as it is meant: census years, denominators, postcodes."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from placeshaping._core.errors import InputError
from placeshaping.disclosure.policies import policy_named
from placeshaping.project.gather import Gathered, gather
from placeshaping.project.notes import record_notes
from placeshaping.project.recipe import read_recipe

OLD = [f"E010000{number:02}" for number in range(1, 17)]
NEW = [*OLD[:15], "E01035001"]  # the sixteenth was given another code in 2021
RECORDS = "Date,Easting,Northing\n" + "".join(
    f"{1 + i % 28:02}/0{1 + i % 3}/2024,40{i % 4}500,30{i // 4 % 4}500\n" for i in range(160)
)


def name(place: int) -> str:
    return f"Marsh {1 + place // 4:03}{'ABCD'[place % 4]}"


def write_areas(folder: Path, *, year: str) -> None:
    boxes = [
        shapely.box(x, y, x + 1000, y + 1000)
        for y in range(300_000, 304_000, 1000)
        for x in range(400_000, 404_000, 1000)
    ]
    names = [name(place) for place in range(16)]
    table = {f"LSOA{year}CD": OLD if year == "11" else NEW, f"LSOA{year}NM": names}
    gpd.GeoDataFrame(table, geometry=boxes, crs=27700).to_file(folder / "areas.gpkg")


def write_folder(folder: Path, *, year: str, areas: str = "", more: str = "") -> Path:
    """Write areas of a census year, a lookup of both, and a recipe."""
    write_areas(folder, year=year)
    (folder / "records.csv").write_text(RECORDS, "utf-8")
    rows = [
        f"{old},{name(place)},{new},{name(place)},E0700000{1 + (place >= 8)},"
        f"{'Fen' if place >= 8 else 'Marshland'}"
        for place, (old, new) in enumerate(zip(OLD, NEW, strict=True))
    ]
    header = "LSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,LAD22CD,LAD22NM"
    (folder / "lookup.csv").write_text("\n".join([header, *rows, ""]), "utf-8")
    path = folder / "recipe.toml"
    path.write_text(
        'title = "T"\npurpose = "P"\ncontact = "C"\npolicy = "internal"\n'
        '[records]\nfile = "records.csv"\nsensitivity = "personal"\n'
        f'[areas]\nfile = "areas.gpkg"\nlookups = ["lookup.csv"]\n{areas}\n{more}\n',
        "utf-8",
    )
    return path


def gathered(path: Path) -> Gathered:
    return gather(read_recipe(path), folder=path.parent)


def notes(path: Path) -> str:
    recipe = read_recipe(path)
    made = gather(recipe, folder=path.parent)
    return "\n".join(record_notes(made, recipe, policy=policy_named("internal")))


@pytest.mark.parametrize(("year", "last"), [("11", OLD[-1]), ("21", NEW[-1])])
def test_place_is_found_among_areas_of_either_census_year(
    tmp_path: Path, year: str, last: str
) -> None:
    found = gathered(write_folder(tmp_path, year=year, areas='within = "Fen"'))
    assert found.areas.index.tolist() == [*OLD[8:15], last]
    assert set(found.lookup["district_name"]) == {"Fen"}
    assert found.lookup.index.equals(found.areas.index)
    assert found.counts["count"].sum() == 80


def test_place_that_no_year_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Fenn"):
        gathered(write_folder(tmp_path, year="11", areas='within = "Fenn"'))


def test_place_that_only_one_year_knows_is_found(tmp_path: Path) -> None:
    path = write_folder(tmp_path, year="21", areas='within = "North"')
    text = path.read_text(encoding="utf-8").replace('["lookup.csv"]', '["lookup.csv", "wards.csv"]')
    path.write_text(text, "utf-8")
    wards = [f"{code},E0500000{1 + place % 2},{'North' if place % 2 else 'South'}"
             for place, code in enumerate(NEW)]  # fmt: skip
    (tmp_path / "wards.csv").write_text("\n".join(["LSOA21CD,WD24CD,WD24NM", *wards, ""]), "utf-8")
    assert gathered(path).areas.index.tolist() == NEW[1::2]


def test_denominators_that_come_along_with_deprivation_are_told(tmp_path: Path) -> None:
    path = write_folder(tmp_path, year="21", more='[population]\nresidents = "imd.csv"')
    header = (
        "LSOA code (2021),Index of Multiple Deprivation (IMD) Score,"
        "Total population: mid 2022 (excluding prisoners)"
    )
    rows = [f"{code},10.5,{1000 + place}" for place, code in enumerate(NEW)]
    (tmp_path / "imd.csv").write_text("\n".join([header, *rows, ""]), "utf-8")
    told = "Residents: denominators of the Indices of Deprivation, mid-2022 (imd.csv)."
    assert told in notes(path)


def test_codes_that_are_names_are_told(tmp_path: Path) -> None:
    told = "Codes of level MSOA that are not official are names, told from the names of the LSOAs"
    assert told in notes(write_folder(tmp_path, year="21"))
    assert told in notes(write_folder(tmp_path, year="21", areas='within = "Fen"'))


def test_postcodes_ended_mended_and_unknown_are_told(tmp_path: Path) -> None:
    path = write_folder(tmp_path, year="21")
    text = path.read_text(encoding="utf-8").replace(
        'file = "records.csv"', 'file = "records.csv"\npostcodes = "postcodes.csv"'
    )
    path.write_text(text, "utf-8")
    rows = [
        *["03/02/2024,LE1 6XX"] * 40,
        "13/02/2024,LEI 6XX",
        "14/02/2024,LE1 6ZZ",
        "15/02/2024,LE2 1AA",
    ]
    (tmp_path / "records.csv").write_text("\n".join(["Date,Postcode", *rows, ""]), "utf-8")
    (tmp_path / "postcodes.csv").write_text(
        "pcds,doterm,oseast1m,osnrth1m\nLE1 6XX,,400500,300500\nLE2 1AA,201501,401500,300500\n",
        "utf-8",
    )
    assert (
        "Located by postcode: 42; of these, by one no longer in use: 1; after mending letters and "
        "digits that look alike: 1; neither coordinates nor a postcode of the directory: 1."
    ) in notes(path)
