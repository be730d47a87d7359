"""The command `review`: from a recipe to products, and files that come back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from placeshaping.cli import app, main
from placeshaping.project.review import check_proposal, protected_review, run_review
from placeshaping.shaping.ward_files import read_proposal
from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.electoral import make_electoral_places, make_present_wards
from placeshaping.verify.files import verify_file

RECIPE = """\
[review]
title = "Wards of {name} (invented)"
name = "{name} review"
councillors = {councillors}
bridges = "nearest"
policy = "open"
sensitivity = "open"
made_on = 2026-11-21
[review.units]
file = "oa.gpkg"
[review.electors]
file = "electors.csv"
code = "OA21CD"
now = "electors"
forecast = "electors_in_five_years"
published = "https://example.org/electors"
[review.places]
parish = {{file = "places.csv", column = "parish"}}
polling_district = {{file = "places.csv", column = "polling_district"}}
community = {{file = "places.csv", column = "community"}}
[review.present]
file = "electors.csv"
code = "OA21CD"
ward = "WD24CD"
wards = "present.csv"
name = "WD24NM"
[review.search]
proposals = 3
chains = 4
steps = 3_000
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of a review, before it is run."""
    where = tmp_path_factory.mktemp("a review")
    district = make_district(60, seed=3, months=1)
    district.oa.to_file(where / "oa.gpkg")
    district.electors.to_csv(where / "electors.csv", index=False)
    make_electoral_places(district).to_csv(where / "places.csv", index=False)
    present = make_present_wards(district)
    present.to_csv(where / "present.csv", index=False)
    text = RECIPE.format(name="Marshwick", councillors=present["councillors"].sum())
    (where / "review.toml").write_text(text, encoding="utf-8")
    return where


@pytest.fixture(scope="module")
def done(folder):
    """What the command printed, once it was run."""
    return CliRunner().invoke(app, ["review", str(folder / "review.toml")])


@pytest.fixture
def recipe(folder, done):
    assert done.exit_code == 0, done.output
    return folder / "review.toml"


def changed(recipe: Path, name: str, old: str, new: str) -> Path:
    text = recipe.read_text(encoding="utf-8")
    assert old in text
    path = recipe.with_name(name)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_products_are_written_and_pass_the_attack(recipe):
    names = {path.name for path in (recipe.parent / "review").iterdir()}
    assert {"painting.html", "report.html", "wards.gpkg", "wards.xlsx", "proposal-a.json"} <= names
    for path in (recipe.parent / "review").iterdir():
        assert verify_file(path).passed, path.name


def test_scores_and_distances_are_printed(done):
    assert "Proposals" in done.output
    assert "Present" in done.output
    assert "Electors who would be in another ward" in done.output


def test_proposals_are_within_the_mark_and_differ(recipe):
    review = protected_review(recipe)
    assert (review.parts == 0).all()
    for path in sorted((recipe.parent / "review").glob("proposal-*.json")):
        scores = score_proposal(review, read_proposal(path, review))
        assert scores.summary["detached"] == 0
        assert scores.summary["over_forecast"] == 0


def test_layers_hold_wards_units_and_styles(recipe):
    path = recipe.parent / "review" / "wards.gpkg"
    wards = gpd.read_file(path, layer="proposal_a")
    units = gpd.read_file(path, layer="units")
    by_units = units.groupby("proposal_a")["electors_forecast"].sum()
    assert wards.set_index("area_code")["electors_forecast"].to_dict() == by_units.to_dict()
    assert wards.area.sum() == pytest.approx(units.area.sum())
    with closing(sqlite3.connect(path)) as database:
        styled = [row[0] for row in database.execute("SELECT f_table_name FROM layer_styles")]
    assert "proposal_a" in styled
    assert "present_wards" in styled


def test_the_workbook_has_a_sheet_for_each_proposal(recipe):
    book = openpyxl.load_workbook(recipe.parent / "review" / "wards.xlsx", read_only=True)
    assert {"Notes", "Proposals", "Proposal A", "Present wards", "Units"} <= set(book.sheetnames)
    book.close()


def test_the_same_recipe_gives_the_same_bytes(recipe, tmp_path):
    before = {p.name: p.read_bytes() for p in (recipe.parent / "review").glob("*.*")}
    outcome = run_review(recipe, made_on=pd.Timestamp("2026-11-22").date())
    for path in outcome.files:
        if path.suffix != ".gpkg":
            assert path.read_bytes() == before[path.name], path.name
    assert json.loads(json.dumps(outcome.to_dict()))["proposals"][0]["proposal"] == "Proposal A"


def test_a_proposal_that_comes_back_is_judged(recipe):
    file = recipe.parent / "review" / "proposal-a.json"
    done = CliRunner().invoke(app, ["review", "check", str(file), "--recipe", str(recipe)])
    checked = check_proposal(file, recipe=recipe)
    assert done.exit_code == (0 if checked.passed else 1), done.output
    assert checked.sentences[0] in done.output
    told = CliRunner().invoke(
        app, ["review", "check", str(file), "--recipe", str(recipe), "--json"]
    )
    assert json.loads(told.output)["summary"] == checked.scores.summary


def test_two_proposals_are_compared(recipe):
    files = [str(recipe.parent / "review" / f"proposal-{one}.json") for one in "ab"]
    done = CliRunner().invoke(app, ["review", "compare", *files, "--recipe", str(recipe)])
    assert done.exit_code == 0, done.output
    assert "of electors would be in another ward" in done.output
    told = CliRunner().invoke(app, ["review", "compare", *files, "--recipe", str(recipe), "--json"])
    held = json.loads(told.output)
    assert held["distance"] >= 0.15
    assert held["changed"]


def refusal(capsys, *arguments: object) -> str:
    with pytest.raises(SystemExit, match=r"\d|^$") as stopped:
        main([str(argument) for argument in arguments])
    assert stopped.value.code == 1
    return capsys.readouterr().err


def test_an_unfinished_proposal_is_not_judged(recipe, capsys):
    held = json.loads((recipe.parent / "review" / "proposal-a.json").read_text(encoding="utf-8"))
    first = next(iter(held["units"]))
    held["units"][first] = None
    file = recipe.with_name("half.json")
    file.write_text(json.dumps(held), encoding="utf-8")
    told = refusal(capsys, "review", "check", file, "--recipe", recipe)
    assert f"not finished: 1 of {len(held['units'])} units are in no ward yet ({first})" in told


def test_a_proposal_of_another_area_is_refused(recipe, capsys):
    other = changed(recipe, "other.toml", "Marshwick review", "Elsewhere review")
    other = changed(other, "other.toml", "councillors = ", "tolerance = 0.05\ncouncillors = ")
    file = recipe.parent / "review" / "proposal-a.json"
    told = refusal(capsys, "review", "check", file, "--recipe", other)
    assert "belongs to the review 'Marshwick review', not to 'Elsewhere review'" in told


def test_missing_electors_are_listed(recipe, capsys):
    electors = pd.read_csv(recipe.with_name("electors.csv"))
    electors.iloc[2:].to_csv(recipe.with_name("short.csv"), index=False)
    short = changed(recipe, "short.toml", 'file = "electors.csv"\ncode = "OA21CD"\nnow',
                    'file = "short.csv"\ncode = "OA21CD"\nnow')  # fmt: skip
    told = refusal(capsys, "review", short)
    lost = ", ".join(electors["OA21CD"].iloc[:2])
    assert f"no number for 2 of {len(electors):,} units ({lost})" in told


def test_islands_are_told_with_bridges(recipe, capsys):
    apart = changed(recipe, "apart.toml", 'bridges = "nearest"\n', "")
    told = refusal(capsys, "review", apart)
    assert "apart from the rest" in told
    assert "Give bridges" in told


def test_output_areas_do_not_leave_under_public(recipe, capsys):
    public = changed(recipe, "public.toml", 'policy = "open"\nsensitivity = "open"',
                     'policy = "public"')  # fmt: skip
    told = refusal(capsys, "review", public)
    assert "finer than the policy 'public' lets out" in told


def test_restricted_gets_no_page(recipe):
    inside = changed(recipe, "restricted.toml", 'policy = "open"\nsensitivity = "open"',
                     'policy = "restricted"\nexpires = 2027-11-01\npurpose = "A draft"\n'
                     'output = "inside"')  # fmt: skip
    done = CliRunner().invoke(app, ["review", str(inside)])
    assert done.exit_code == 0, done.output
    assert "so there is no painting.html" in done.output
    assert not (recipe.parent / "inside" / "painting.html").exists()


def test_keys_that_are_not_known_are_told(recipe, capsys):
    wrong = changed(recipe, "wrong.toml", "councillors = ", "councilors = 3\ncouncillors = ")
    assert "review.councilors: there is no such key" in refusal(capsys, "review", wrong)
    wrong = changed(recipe, "wrong.toml", "chains = 4", "chains = 4\nemphasis = {parishes = 3}")
    assert "review.search.emphasis.parishes" in refusal(capsys, "review", wrong)
    wrong.write_text('title = "x"\n', encoding="utf-8")
    assert "has no section [review]" in refusal(capsys, "review", wrong)
