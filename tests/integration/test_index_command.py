"""Recipes become tenths of areas by need: described, attacked, and telling no hidden number."""

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
    EmptyError,
    GivesAwayError,
    InputError,
    RecipeError,
)
from placeshaping.cli import app
from placeshaping.maps.words import label_words
from placeshaping.project.composite_index import make_index
from placeshaping.project.segments import attack
from placeshaping.verify.files import verify_file, verify_files

DAY = dt.date(2026, 3, 1)
SIDE = 8
AREAS = SIDE * SIDE
RECIPE = """
title = "Need for winter visits"
purpose = "To plan visits."
[areas]
file = "areas.gpkg"
[population]
residents = "people.csv"
[deprivation]
file = "imd.csv"
[index]
name = "Need for winter visits"
draws = 100
weights = { Age = 2, Homes = 1@weights }@own
[[index.indicators]]
file = "people.csv"
column = "old"
of = "residents"
words = "people aged 67 and over"
domain = "Age"
more_need = "high"
already_published = "https://example.org/people"
[[index.indicators]]
file = "homes.csv"
column = "Central heating"
category = "heating"
of = "homes"
words = "homes with central heating"
domain = "Homes"
more_need = "low"
already_published = "https://example.org/homes"
@more
"""
RECORDS = """
[[records]]
file = "reports.csv"
sensitivity = "personal"
"""
OWN = '\nown = { words = "calls about cold homes", domain = "Calls", more_need = "high" }'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a place of 64 areas; need rises from west to east."""
    folder = tmp_path_factory.mktemp("need")
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(AREAS), SIDE)
    codes = [f"E019{n:05}" for n in range(AREAS)]
    squares = shapely.box(
        500_000 + 900 * column, 300_000 + 900 * row, 500_900 + 900 * column, 300_900 + 900 * row
    )
    names = [f"Anyton {n:03}" for n in range(AREAS)]
    areas = gpd.GeoDataFrame({"LSOA21CD": codes, "LSOA21NM": names}, geometry=squares, crs=27700)
    pyogrio.write_dataframe(areas, folder / "areas.gpkg")
    people = rng.integers(1400, 1800, AREAS)
    old = (people * (0.05 + 0.04 * column + rng.normal(0, 0.01, AREAS).clip(-0.02))).astype(int)
    table = {"LSOA21CD": codes, "residents": people, "old": old, "same": 7}
    pd.DataFrame(table).to_csv(folder / "people.csv", index=False)
    homes = people // 2
    warm = (homes * (0.9 - 0.05 * column + rng.normal(0, 0.02, AREAS))).astype(int)
    pd.DataFrame(
        {"LSOA21CD": codes, "heating": "Central heating", "n": warm, "homes": homes}
    ).to_csv(folder / "homes.csv", index=False)
    decile = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
    pd.DataFrame({"LSOA code (2021)": codes, decile: 9 - column}).to_csv(
        folder / "imd.csv", index=False
    )
    at = np.repeat(np.arange(AREAS), rng.poisson(4 + 6 * column))
    xy = rng.uniform(5, 895, (len(at), 2))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 366, len(at)), unit="D")
    reports = {"date": days.strftime("%d/%m/%Y"), "category": "Cold home",
               "easting": 500_000 + 900 * column[at] + xy[:, 0],
               "northing": 300_000 + 900 * row[at] + xy[:, 1]}  # fmt: skip
    pd.DataFrame(reports).to_csv(folder / "reports.csv", index=False)
    return folder


def ask(place: Path, name: str, more: str = "", *, weights: str = "", own: str = "",
        swap: tuple[str, str] = ("", "")) -> Path:  # fmt: skip
    text = RECIPE.replace("@more", more).replace("@weights", weights).replace("@own", own)
    path = place / f"{name}.toml"
    path.write_text(f'output.folder = "{name}"\n{text.replace(*swap) if swap[0] else text}')
    return path


def ask_own(place: Path, name: str, file: str = "reports.csv", policy: str = "councillor") -> Path:
    more = RECORDS.replace("reports.csv", file)
    path = ask(place, name, more, weights=", Calls = 1", own=OWN)
    path.write_text(f'policy = "{policy}"\nledger = "none"\n{path.read_text()}')
    return path


def text_of(path: Path) -> str:
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", path.read_text(), flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", page)


def test_open_tables_become_tenths_that_withstand_the_attacker(place: Path) -> None:
    made = make_index(ask(place, "open"), made_on=DAY)
    assert all(one.passed for one in verify_files(made.files, today=DAY))
    assert {path.name for path in made.files} == {
        "map.html", "report.html", "layers.gpkg", "tables.xlsx", "lsoa.csv", "csv-metadata.json",
        "manifest.json",
    }  # fmt: skip
    table = pd.read_csv(made.folder / "lsoa.csv", encoding="utf-8-sig").set_index("area_code")
    column = pd.Series(np.arange(AREAS) % SIDE, index=[f"E019{n:05}" for n in range(AREAS)])
    assert set(column[table.index[table["need_tenth"] == "tenth_one"]]) <= {6, 7}
    assert set(column[table.index[table["need_tenth"] == "tenth_ten"]]) <= {0, 1}
    assert not {"count", "rate", "score", "rank"} & set(table.columns)
    styles = pyogrio.read_dataframe(
        made.folder / "layers.gpkg", layer="layer_styles", read_geometry=False
    )
    assert "Need for winter visits" in styles["styleName"].tolist()
    report = text_of(made.folder / "report.html")
    for words in ("more need on these indicators", "If the weights were others",
                  "Which areas move", "Spearman", "Strengths", "66.7%"):  # fmt: skip
        assert words in report, words
    assert label_words([report]) == []
    assert made.report.beside is not None
    assert made.report.beside.to_numpy().sum() == AREAS


def test_tenths_are_those_of_the_published_steps(place: Path) -> None:
    made = make_index(ask(place, "steps"), made_on=DAY)
    from placeshaping.statistics.indices import shrink_rates

    people = pd.read_csv(place / "people.csv", index_col="LSOA21CD")
    homes = pd.read_csv(place / "homes.csv", index_col="LSOA21CD")
    whole = pd.Series("all", people.index)
    old = shrink_rates(people["old"], people["residents"], whole)["shrunk"].rank(ascending=False)
    warm = shrink_rates(homes["n"], homes["homes"], whole)["shrunk"].rank()
    turned = [(AREAS + 1 - ranks) / AREAS for ranks in (old, warm)]
    scores = [-23 * np.log(1 - one * (1 - np.exp(-100 / 23))) for one in turned]
    rank = (2 * scores[0] + scores[1]).round(9).rank(ascending=False, method="min")
    expected = np.ceil(10 * rank / AREAS).astype(int)
    pd.testing.assert_series_equal(
        made.report.tenths["decile"], expected, check_names=False, check_dtype=False
    )


def test_records_are_protected_before_areas_are_ranked(place: Path) -> None:
    made = make_index(ask_own(place, "own"), made_on=DAY)
    verdicts = verify_files(made.files, today=DAY)
    assert all(one.passed for one in verdicts)
    assert {one.declared_policy for one in verdicts} == {"councillor"}
    table = made.report.release.table("lsoa")
    hidden = table["status"] == "hidden"
    assert hidden.any()
    assert table.loc[hidden, ["need_tenth", "tenth_moves"]].isna().all(axis=None)
    assert set(pd.to_numeric(table.loc[~hidden, "count"]) % 5) == {0}
    assert set(made.report.tenths.index) == set(table.loc[~hidden, "area_code"].astype(str))
    page = text_of(made.folder / "report.html")
    assert "made of the protected numbers" in page
    assert "per 1,000 residents a year" in page


def test_no_product_changes_with_what_protection_hides(place: Path) -> None:
    made = make_index(ask_own(place, "before"), made_on=DAY)
    table = made.report.release.table("lsoa")
    counts = pd.read_csv(place / "reports.csv")
    inside = (
        ((counts["northing"] - 300_000) // 900) * SIDE + (counts["easting"] - 500_000) // 900
    ).astype(int)
    hidden = [int(code[-5:]) for code in table.loc[table["status"] == "hidden", "area_code"]]
    many = next(n for n in hidden if (inside == n).sum() >= 2)
    fewer = pd.concat([counts[inside != many], counts[inside == many].head(1)])
    fewer.to_csv(place / "fewer.csv", index=False)
    again = make_index(ask_own(place, "after", "fewer.csv"), made_on=DAY)
    other = again.report.release.table("lsoa")
    for name in ("need_tenth", "tenth_moves"):
        assert table[name].astype(str).tolist() == other[name].astype(str).tolist()
    pd.testing.assert_frame_equal(made.report.sensitivity, again.report.sensitivity)
    pd.testing.assert_frame_equal(made.report.indicators, again.report.indicators)


def test_a_leak_planted_in_a_product_is_refused(place: Path, tmp_path: Path) -> None:
    made = make_index(ask_own(place, "leak"), made_on=DAY)
    rows = pd.read_csv(made.folder / "lsoa.csv", encoding="utf-8-sig")
    table = tmp_path / "lsoa.csv"
    planted = rows.copy()
    planted.loc[planted["status"] == "hidden", "count"] = 3
    planted.to_csv(table, index=False)
    with pytest.raises(GivesAwayError, match="Nothing was written"):
        attack([table], made.report.release)
    scored = tmp_path / "scores.csv"
    rows.assign(need_score=np.linspace(1, 99.5, len(rows))).to_csv(scored, index=False)
    assert not verify_file(scored, today=DAY).passed
    report = tmp_path / "report.html"
    page = (made.folder / "report.html").read_text()
    told = "<table><tr><th>area_code</th><th>count</th></tr><tr><td>E01900001</td><td>3</td></tr>"
    report.write_text(page.replace("</main>", f"{told}</table></main>"))
    with pytest.raises(GivesAwayError, match="Nothing was written"):
        attack([report], made.report.release)


MORE = """
[[index.indicators]]
file = "people.csv"
column = "{column}"
words = "{words}"
domain = "Age"
more_need = "high"
already_published = "https://example.org/people"
"""


def test_special_categories_need_a_reason_which_is_printed(place: Path) -> None:
    more = MORE.format(column="residents", words="disabled people")
    with pytest.raises(ColumnError, match="disabled people tells of a special category"):
        make_index(ask(place, "special", more), made_on=DAY)
    reason = "Step-free visits are planned by it"
    more += f'[[index.special]]\nvariable = "disabled people"\nreason = "{reason}"\n'
    made = make_index(ask(place, "special", more), made_on=DAY)
    for name in ("map.html", "report.html"):
        assert reason in text_of(made.folder / name), name
    for name in ("manifest.json", "csv-metadata.json"):
        assert reason in json.dumps(json.loads((made.folder / name).read_text())), name


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"swap": ('"old"', '"odl"')}, ColumnError, r"no column odl\. Did you mean old\?"),
        ({"swap": ('"Central heating"\nc', '"Heat"\nc')}, ColumnError, "no category of heating"),
        ({"swap": ("Age = 2", "Age = 0")}, RecipeError, "weights: Age must be above zero"),
        ({"swap": ("Age = 2", "Age = -1")}, RecipeError, "weights: Age must be above zero"),
        ({"swap": ("Age = 2", "Agee = 2")}, RecipeError, r"domain Agee \(did you mean Age\?\)"),
        ({"swap": ("Age = 2, ", "")}, RecipeError, "weights: Age has none"),
        ({"more": MORE.format(column="same", words="x")}, InputError, "same in all 64 areas"),
        ({"more": MORE.format(column="old", words="homes with central heating")}, RecipeError,
         "two indicators have the same words"),
        ({"swap": ('"high"', '"higher"')}, RecipeError, "more_need"),
        ({"swap": ("draws = 100", 'shrink_within = "ward"')}, RecipeError, "no level 'ward'"),
        ({"more": RECORDS}, RecipeError, r"index\.own: say what the records are"),
        ({"own": OWN, "weights": ", Calls = 1"}, RecipeError, r"there are no \[\[records\]\]"),
        ({"swap": ("Need for winter visits", "The worst areas")}, RecipeError, "worst labels"),
        ({"swap": ('of = "residents"', 'of = "same"')}, InputError, "write shrink = false"),
    ],
)  # fmt: skip
def test_bad_recipes_are_told_by_what_is_wrong(
    place: Path, options: dict[str, str], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        make_index(ask(place, "bad", **options), made_on=DAY)  # type: ignore[arg-type]


def test_areas_that_a_table_lacks_are_told(place: Path) -> None:
    homes = pd.read_csv(place / "homes.csv")
    homes.iloc[3:].to_csv(place / "short.csv", index=False)
    path = ask(place, "short", swap=('"homes.csv"', '"short.csv"'))
    with pytest.raises(InputError, match=r"short\.csv: 3 of 64 areas have no value of homes with"):
        make_index(path, made_on=DAY)


def test_fewer_than_ten_areas_are_refused(place: Path, tmp_path: Path) -> None:
    for name in ("people.csv", "homes.csv", "imd.csv"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    pyogrio.write_dataframe(gpd.read_file(place / "areas.gpkg").head(9), tmp_path / "areas.gpkg")
    with pytest.raises(EmptyError, match="There are 9 areas, and deciles need 10 or more"):
        make_index(ask(tmp_path, "few"), made_on=DAY)


def test_the_command_prints_what_was_found_and_the_files(place: Path) -> None:
    path = ask(place, "printed")
    done = CliRunner().invoke(app, ["index", str(path)])
    assert done.exit_code == 0, done.output
    assert "more need on these indicators" in done.output
    assert "report.html" in done.output
    done = CliRunner().invoke(app, ["index", str(path), "--json"])
    told = json.loads(done.output)
    assert (told["policy"], told["areas"]) == ("facts", AREAS)


def test_the_recipe_of_the_guide_runs_on_the_invented_district(district_folder: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "indices.md").read_text(encoding="utf-8")
    text = guide.split("```toml\n")[1].partition("```")[0]
    recipe = district_folder / "need.toml"
    recipe.write_text(f'output.folder = "need"\n{text}')
    made = make_index(recipe, made_on=DAY)
    assert made.report.indicators["weight"].tolist() == pytest.approx([0.25, 0.25, 0.3, 0.2])
    assert "made of those Indices themselves" in made.report.agreement
