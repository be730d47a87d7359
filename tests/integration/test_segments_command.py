"""Recipes become groups of areas: described, attacked, and none of them telling too much."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from placeshaping._core.errors import (
    ColumnError,
    DisclosureError,
    DuplicateError,
    EmptyError,
    GivesAwayError,
    InputError,
    RecipeError,
    VintageError,
)
from placeshaping.cli import app
from placeshaping.maps.words import label_words
from placeshaping.project.segments import attack, make_area_segments
from placeshaping.verify.files import verify_file, verify_files

DAY = dt.date(2026, 3, 1)
SIDE = 8
RECIPE = """
title = "Areas that are alike"
purpose = "To plan what is offered."
[areas]
file = "areas.gpkg"
[population]
residents = "people.csv"
[deprivation]
file = "imd.csv"
[segments]
groups = 3
most = 3
starts = 10
resamples = 20
[[segments.tables]]
file = "people.csv"
of = "residents"
already_published = "https://example.org/people"
variables = {{ young = "children under 16", old = "people aged 67 and over" }}
[[segments.tables]]
file = "homes.csv"
category = "tenure"
count = "n"
of = "homes"
already_published = "https://example.org/homes"
variables = {{ "Private rented" = "homes rented privately", "Owned" = "homes owned" }}
{more}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a place of 64 areas in three kinds, by columns of the grid."""
    folder = tmp_path_factory.mktemp("alike")
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    kind = np.minimum(column // 3, 2)
    codes = [f"E019{n:05}" for n in range(SIDE * SIDE)]
    squares = shapely.box(
        500_000 + 900 * column, 300_000 + 900 * row, 500_900 + 900 * column, 300_900 + 900 * row
    )
    names = [f"Anyton {n:03}" for n in range(SIDE * SIDE)]
    areas = gpd.GeoDataFrame({"LSOA21CD": codes, "LSOA21NM": names}, geometry=squares, crs=27700)
    pyogrio.write_dataframe(areas, folder / "areas.gpkg")
    people = rng.integers(1400, 1800, SIDE * SIDE)
    young = (people * (np.array([0.1, 0.2, 0.3])[kind] + rng.normal(0, 0.01, 64))).astype(int)
    old = (people * (np.array([0.3, 0.1, 0.15])[kind] + rng.normal(0, 0.01, 64))).astype(int)
    table = {"LSOA21CD": codes, "residents": people, "young": young, "old": old}
    pd.DataFrame(table).to_csv(folder / "people.csv", index=False)
    homes = people // 2
    rented = (homes * (np.array([0.1, 0.5, 0.2])[kind] + rng.normal(0, 0.02, 64))).astype(int)
    owned = (homes * (0.3 + rng.normal(0, 0.05, 64))).astype(int)
    long = [
        pd.DataFrame({"LSOA21CD": codes, "tenure": name, "n": n, "homes": homes})
        for name, n in (("Private rented", rented), ("Owned", owned))
    ]
    pd.concat(long).to_csv(folder / "homes.csv", index=False)
    decile = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
    pd.DataFrame({"LSOA code (2021)": codes, decile: 1 + kind * 4}).to_csv(
        folder / "imd.csv", index=False
    )
    pd.DataFrame({"LSOA21CD": codes, "group": np.array(["1a", "2b", "3c"])[kind]}).to_csv(
        folder / "official.csv", index=False
    )
    at = np.repeat(np.arange(64), rng.poisson(np.array([8, 60, 20])[kind]))
    xy = rng.uniform(5, 895, (len(at), 2))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, len(at)), unit="D")
    reports = {"date": days.strftime("%d/%m/%Y"), "category": "Fly-tipping",
               "easting": 500_000 + 900 * column[at] + xy[:, 0],
               "northing": 300_000 + 900 * row[at] + xy[:, 1]}  # fmt: skip
    pd.DataFrame(reports).to_csv(folder / "reports.csv", index=False)
    return folder


def ask(place: Path, name: str, more: str = "", **swaps: str) -> Path:
    text = RECIPE.format(more=more)
    for old, new in swaps.items():
        text = text.replace(SWAPS[old], new)
    path = place / f"{name}.toml"
    path.write_text(f'output.folder = "{name}"\n{text}')
    return path


SWAPS = {
    "groups": "groups = 3",
    "young": "young =",
    "homes": '"homes.csv"',
    "of": 'of = "homes"',
    "tenure": 'category = "tenure"',
    "title": 'title = "Areas that are alike"',
    "renting": '"homes rented privately"',
}
RECORDS = """
[[records]]
file = "reports.csv"
sensitivity = "personal"
"""


def text_of(path: Path) -> str:
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", path.read_text(), flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", page)


def test_open_tables_become_groups_that_withstand_the_attacker(place: Path) -> None:
    compare = '[segments.compare]\nfile = "official.csv"\ncolumn = "group"\nname = "the official"\n'
    made = make_area_segments(ask(place, "open", compare), made_on=DAY)
    assert all(one.passed for one in verify_files(made.files, today=DAY))
    assert made.report.portraits["areas"].sum() == 64
    assert made.report.agreement is not None
    assert made.report.agreement.adjusted_rand == 1
    assert made.report.steadiness.adjusted_rand > 0.95
    names = made.report.portraits["name"]
    assert names.str.contains("homes rented privately").any()
    table = pd.read_csv(made.folder / "lsoa.csv", encoding="utf-8-sig")
    assert set(table["segment"]) == {"group_a", "group_b", "group_c"}
    assert not {"count", "rate", "distance", "margin"} & set(table.columns)
    styles = pyogrio.read_dataframe(
        made.folder / "layers.gpkg", layer="layer_styles", read_geometry=False
    )
    default = styles.loc[styles["useAsDefault"].astype(bool), "styleName"]
    assert default.tolist() == ["Areas that are alike"]
    report = text_of(made.folder / "report.html")
    for words in ("agree at about 0.6 only", "How many groups", "Beside deprivation",
                  "nothing of any person", "Variables"):  # fmt: skip
        assert words in report, words
    assert label_words([report, *names]) == []


def test_records_are_protected_before_they_make_groups(place: Path) -> None:
    words = 'records = "reports of fly-tipping"\nkeep = ["reports of fly-tipping"]'
    path = ask(place, "own", RECORDS, groups=f"groups = 3\n{words}")
    path.write_text('policy = "councillor"\nledger = "none"\n' + path.read_text())
    made = make_area_segments(path, made_on=DAY)
    assert all(one.passed for one in verify_files(made.files, today=DAY))
    assert {one.declared_policy for one in verify_files(made.files)} == {"councillor"}
    table = made.report.release.table("lsoa")
    hidden = table["status"] == "hidden"
    assert hidden.any()
    assert table.loc[hidden, "segment"].isna().all()
    assert set(pd.to_numeric(table.loc[~hidden, "count"]) % 5) == {0}
    assert made.report.variables.loc["reports of fly-tipping", "used"]
    page = text_of(made.folder / "report.html")
    assert "made of the protected numbers" in page
    assert "per 1,000 residents a year" in page


def test_groups_do_not_change_with_what_protection_hides(place: Path) -> None:
    reports = pd.read_csv(place / "reports.csv")
    swaps = {"groups": 'groups = 3\nrecords = "reports"'}
    path = ask(place, "more", RECORDS, **swaps)
    path.write_text('policy = "councillor"\nledger = "none"\n' + path.read_text())
    made = make_area_segments(path, made_on=DAY)
    table = made.report.release.table("lsoa")
    hidden = table.loc[table["status"] == "hidden", "area_code"].astype(str).iloc[0]
    number = int(hidden[-5:])
    corner = (500_000 + 900 * (number % SIDE), 300_000 + 900 * (number // SIDE))
    inside = reports["easting"].between(corner[0], corner[0] + 900) & reports["northing"].between(
        corner[1], corner[1] + 900
    )
    one = reports[inside].head(1)
    fewer = reports[~inside]
    pd.concat([fewer, one]).to_csv(place / "fewer.csv", index=False)
    other = ask(place, "fewer", RECORDS.replace("reports.csv", "fewer.csv"), **swaps)
    other.write_text('policy = "councillor"\nledger = "none"\n' + other.read_text())
    again = make_area_segments(other, made_on=DAY)
    left = table.set_index("area_code")["segment"].astype(str)
    right = again.report.release.table("lsoa").set_index("area_code")["segment"].astype(str)
    assert left.compare(right).empty


def test_a_leak_planted_in_a_product_is_refused(place: Path, tmp_path: Path) -> None:
    path = ask(place, "leak", RECORDS, groups='groups = 3\nrecords = "reports of fly-tipping"')
    path.write_text('policy = "councillor"\nledger = "none"\n' + path.read_text())
    made = make_area_segments(path, made_on=DAY)
    report = tmp_path / "report.html"
    page = (made.folder / "report.html").read_text()
    planted = (
        "<table><tr><th>area_code</th><th>count</th></tr><tr><td>E01900001</td><td>3</td></tr>"
    )
    report.write_text(page.replace("</main>", f"{planted}</table></main>"))
    with pytest.raises(GivesAwayError, match="Nothing was written"):
        attack([report], made.report.release)
    table = tmp_path / "lsoa.csv"
    rows = pd.read_csv(made.folder / "lsoa.csv", encoding="utf-8-sig")
    rows.loc[rows["status"] == "hidden", "count"] = 3
    rows.to_csv(table, index=False)
    with pytest.raises(GivesAwayError, match="Nothing was written"):
        attack([table], made.report.release)
    distances = tmp_path / "scores.csv"
    rows = pd.read_csv(made.folder / "lsoa.csv", encoding="utf-8-sig")
    rows.assign(segment_distance=0.123456).to_csv(distances, index=False)
    assert not verify_file(distances, today=DAY).passed


def test_products_that_stay_inside_say_so_and_make_no_map(place: Path) -> None:
    path = ask(place, "inside", RECORDS, groups='groups = 3\nrecords = "reports"')
    path.write_text('policy = "restricted"\nexpires = 2026-12-31\n' + path.read_text())
    with pytest.raises(DisclosureError, match="makes no map that could be passed on"):
        make_area_segments(path, made_on=DAY)
    path.write_text('output.write = ["layers"]\n' + path.read_text())
    made = make_area_segments(path, made_on=DAY)
    names = {one.name for one in made.files}
    assert "layers.gpkg" in names
    assert not {"map.html", "tables.xlsx"} & names
    assert "for named officers only" in text_of(made.folder / "report.html")


def test_connected_groups_are_asked_for_by_their_method(place: Path) -> None:
    path = ask(place, "joined", groups='groups = 3\nmethod = "connected"')
    made = make_area_segments(path, made_on=DAY)
    assert "joining neighbouring areas alone" in made.report.method
    assert made.report.portraits["areas"].sum() == 64


def test_special_categories_need_a_reason_which_is_printed(place: Path) -> None:
    people = pd.read_csv(place / "people.csv")
    people["disabled"] = people["residents"] // 6 + people["young"] // 10
    people.to_csv(place / "health.csv", index=False)
    more = """
[[segments.tables]]
file = "health.csv"
of = "residents"
already_published = "https://example.org/people"
variables = { disabled = "disabled people" }
"""
    with pytest.raises(ColumnError, match=r"disabled people tells of a special category"):
        make_area_segments(ask(place, "special", more), made_on=DAY)
    reason = "Step-free access is planned by it"
    more += f'[[segments.special]]\nvariable = "disabled people"\nreason = "{reason}"\n'
    made = make_area_segments(ask(place, "special", more), made_on=DAY)
    for name in ("map.html", "report.html"):
        assert reason in text_of(made.folder / name), name
    for name in ("manifest.json", "csv-metadata.json"):
        assert reason in json.dumps(json.loads((made.folder / name).read_text())), name

    people.assign(ill=people["disabled"]).to_csv(place / "sums.csv", index=False)
    more = """
[[segments.tables]]
file = "sums.csv"
of = "residents"
already_published = "https://example.org/people"
sums = { "people with a blue badge" = ["young", "disabled"] }
"""
    with pytest.raises(ColumnError, match=r"blue badge tells of a special category"):
        make_area_segments(ask(place, "special", more), made_on=DAY)


SUMS = """
[[segments.tables]]
file = "homes.csv"
category = "tenure"
of = "homes"
already_published = "https://example.org/homes"
sums = {{ "homes of either kind" = {parts} }}
"""


def test_categories_are_added_up_into_one_variable(place: Path) -> None:
    more = SUMS.format(parts='["Private rented", "Owned"]')
    made = make_area_segments(ask(place, "sums", more), made_on=DAY)
    homes = pd.read_csv(place / "homes.csv")
    both = homes.groupby("LSOA21CD")["n"].sum() / homes.groupby("LSOA21CD")["homes"].first()
    row = made.report.variables.loc["homes of either kind"]
    assert row["mean"] == pytest.approx(100 * both.mean())
    assert "homes of either kind" in text_of(made.folder / "report.html")


@pytest.mark.parametrize(
    ("swaps", "more", "error", "match"),
    [
        ({"young": "yuong ="}, "", ColumnError, r"no column yuong\. Did you mean young\?"),
        ({"of": 'of = "home"'}, "", ColumnError, r"homes\.csv has no column home\. Did you mean"),
        ({"groups": "group = 3"}, "", RecipeError, r"segments\.group: there is no such key"),
        ({"tenure": 'code = "LSOA21CD"'}, "", ColumnError, "has no column Private rented, Owned"),
        ({"title": 'title = "The worst areas"'}, "", RecipeError, "worst labels places"),
        ({"renting": '"homes owned"'}, "", RecipeError, "two variables have the same words"),
        ({}, '[segments.names]\nZ = "Quiet"', RecipeError, "there is no group Z"),
        ({}, 'policy.name = "x"', RecipeError, "policy"),
        ({}, RECORDS, RecipeError, r"segments\.records: say what the records are"),
        ({"young": "residents ="}, "", RecipeError, r"'residents' is what is counted among \(of\)"),
        ({}, SUMS.format(parts='["Owned"]'), RecipeError, "name two columns or categories or more"),
        ({}, SUMS.format(parts='["Owned", "Owned"]'), RecipeError, "or more, each once"),
        ({}, SUMS.format(parts='["Owned", "Rent"]'), ColumnError, "no category of tenure Rent"),
    ],
)
def test_bad_recipes_are_told_by_what_is_wrong(
    place: Path, swaps: dict[str, str], more: str, error: type[Exception], match: str
) -> None:
    path = ask(place, "bad", more, **swaps)
    with pytest.raises(error, match=match):
        make_area_segments(path, made_on=DAY)


def test_tables_that_do_not_fit_are_refused(place: Path) -> None:
    homes = pd.read_csv(place / "homes.csv")
    path = ask(place, "unfit", homes='"odd.csv"')
    homes.assign(n=homes["n"] * 9).to_csv(place / "odd.csv", index=False)
    with pytest.raises(InputError, match=r"areas have a share under 0 or over 100 per cent"):
        make_area_segments(path, made_on=DAY)
    pd.concat([homes, homes]).to_csv(place / "odd.csv", index=False)
    with pytest.raises(DuplicateError, match="128 rows repeat an area and a category"):
        make_area_segments(path, made_on=DAY)
    old = homes.rename(columns={"LSOA21CD": "LSOA11CD"})
    old["LSOA11CD"] = old["LSOA11CD"].replace({"E01900000": "E01000009"})
    old.to_csv(place / "odd.csv", index=False)
    with pytest.raises(VintageError, match=r"The table odd\.csv is of 2011, the areas are of 2021"):
        make_area_segments(path, made_on=DAY)
    homes.assign(n="many").to_csv(place / "odd.csv", index=False)
    with pytest.raises(ColumnError, match=r"odd\.csv: 64 values of .* are no numbers"):
        make_area_segments(path, made_on=DAY)


def test_the_recipe_of_the_guide_runs_on_the_invented_district(district_folder: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "synthetic.md").read_text(encoding="utf-8")
    recipe = district_folder / "guide.toml"
    text = guide.split("```toml\n")[1].partition("```")[0]
    recipe.write_text(text.replace("groups = 3", "groups = 3\nstarts = 10\nresamples = 10"))
    made = make_area_segments(recipe, made_on=DAY)
    assert len(made.report.portraits) == 3
    assert "children under 18" in made.report.variables.index


def test_fewer_areas_than_groups_are_refused(place: Path, tmp_path: Path) -> None:
    for name in ("people.csv", "homes.csv", "imd.csv"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    few = gpd.read_file(place / "areas.gpkg").head(12)
    pyogrio.write_dataframe(few, tmp_path / "areas.gpkg")
    with pytest.raises(EmptyError, match="15 groups of 12 areas"):
        make_area_segments(ask(tmp_path, "few", groups="groups = 15"), made_on=DAY)


def test_the_command_prints_names_and_files(place: Path) -> None:
    path = ask(place, "printed")
    done = CliRunner().invoke(app, ["segments", str(path)])
    assert done.exit_code == 0, done.output
    assert "Areas that are alike" in done.output
    assert "report.html" in done.output
    done = CliRunner().invoke(app, ["segments", str(path), "--json"])
    assert json.loads(done.output)["policy"] == "facts"
