"""`placeshaping backtest`: from recipe to report; interrupted ones go on; bad ones say why."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping import cli
from placeshaping._core.errors import DisclosureError, InputError, RecipeError
from placeshaping.project.backtest import run_backtest
from placeshaping.project.backtest_request import make_backtest_request, make_models
from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.files import write_district

TODAY = dt.date(2026, 2, 3)
RECIPE = """
title = "Crime in Fenmarch (invented)"
purpose = "A test."
contact = "nobody@example.org"
policy = "{policy}"
records = {{ file = "crime.zip", sensitivity = "personal" }}
areas = {{ file = "lsoa_2021.gpkg", changes = "lookup_lsoa11_lsoa21.csv" }}

[backtest]
{section}
"""
SECTION = """
offences = {offences}
models = ["trailing 12 months", "trailing last", "kernel density"]
origins = 9
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("district")
    write_district(make_district(40, seed=5, months=24), folder)
    return folder


def write(folder, *, offences='["Burglary", "Vehicle crime"]', policy="councillor", more="", name):
    path = folder / f"{name}.toml"
    section = (
        SECTION.format(offences=offences) + f'working = "w-{name}"\noutput = "{name}"\n' + more
    )
    path.write_text(RECIPE.format(policy=policy, section=section), "utf-8")
    return path


@pytest.fixture(scope="module")
def done(folder):
    return run_backtest(write(folder, name="plain"), made_on=TODAY)


def test_the_report_holds_every_offence_model_and_share(done):
    scores = pd.read_csv(done.folder / "scores.csv")
    assert set(scores["category"]) == {"Burglary", "Vehicle crime"}
    assert len(scores) == 2 * 3 * 4
    assert set(scores["share"]) == {0.01, 0.02, 0.05, 0.1}
    shown = scores["n"].dropna()
    assert len(shown)
    assert (shown % 5 == 0).all()
    assert (shown >= 5).all()


def test_the_page_begins_with_the_finding(done):
    page = (done.folder / "report.html").read_text("utf-8")
    lead = page.split('<p class="lead">')[1].split("</p>")[0]
    assert lead == done.report.lead.replace("'", "&#39;")
    assert "trailing counts" in lead or "counts are used" in lead


def test_an_interrupted_backtest_goes_on(done, folder):
    working = folder / "w-plain" / "burglary"
    files = {path: path.read_bytes() for path in working.rglob("*") if path.is_file()}
    gone = [path for path in files if "scores" in path.name or "scores" in path.parent.name][-3:]
    assert len(gone) == 3
    for path in gone:
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in files if path not in gone}
    again = run_backtest(folder / "plain.toml", made_on=TODAY)
    pd.testing.assert_frame_equal(again.report.scores, done.report.scores)
    untouched = [path for path, time in kept.items() if path.stat().st_mtime_ns == time]
    assert len(untouched) >= len(kept) // 2


def test_the_command_prints_the_finding_and_the_files(done, folder, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["backtest", str(folder / "plain.toml"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["finding"] == done.report.lead
    assert "report.html" in told["files"]
    assert told["offences"]["Burglary"]["model"] == done.report.defaults["Burglary"]


def test_cells_of_a_grid_can_be_the_places(folder):
    path = write(folder, offences='"Burglary"', more="grid = 1000\n", name="grid")
    outcome = run_backtest(path, made_on=TODAY)
    assert "cells of 1000 m" in outcome.report.places


def test_days_are_forecast_from_records_with_times(tmp_path):
    rng = np.random.default_rng(2)
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 150 * 24, 1500), "h")
    place = np.minimum(rng.gamma(1.0, 700, (1500, 2)), 3999)
    events = pd.DataFrame({"Date": days.strftime("%d/%m/%Y %H:%M"), "Category": "Burglary"})
    events["Easting"], events["Northing"] = 400_000 + place[:, 0], 300_000 + place[:, 1]
    events.to_csv(tmp_path / "records.csv", index=False)
    boxes = [box(x, y, x + 2000, y + 2000) for x in (400_000, 402_000) for y in (300_000, 302_000)]
    codes = [f"E0100000{n}" for n in range(1, 5)]
    areas = gpd.GeoDataFrame({"LSOA21CD": codes, "LSOA21NM": codes}, geometry=boxes, crs=27700)
    areas.to_file(tmp_path / "lsoa_2021.gpkg")
    text = RECIPE.format(
        policy="internal",
        section='step = "day"\ngrid = 500\norigins = 9\ndelay = 1\noffences = "Burglary"\n'
        'models = ["trailing 28 days", "kernel density"]\n',
    )
    text = text.replace("crime.zip", "records.csv")
    text = text.replace(', changes = "lookup_lsoa11_lsoa21.csv"', "")
    path = tmp_path / "daily.toml"
    path.write_text(text, "utf-8")
    outcome = run_backtest(path, made_on=TODAY)
    assert "cells of 500 m" in outcome.report.places
    assert outcome.report.backtests["Burglary"].plan.delay == 1
    page = (outcome.folder / "report.html").read_text("utf-8")
    assert "Internal: not protected, do not share" in page
    assert "9 days forecast one by one" in page


def test_offences_that_patrols_discover_are_refused_without_a_signature(folder):
    with pytest.raises(InputError, match="patrols discover it"):
        run_backtest(write(folder, offences='"Drugs"', name="drugs"), made_on=TODAY)


def test_a_signature_is_printed(folder):
    signed = '[backtest.overrides]\nDrugs = { by = "A. Name", reason = "To show the drift." }\n'
    path = write(folder, offences='"Drugs"', more=signed, name="signed")
    outcome = run_backtest(path, made_on=TODAY)
    page = (outcome.folder / "report.html").read_text("utf-8")
    assert "Allowed by A. Name: To show the drift." in page


def test_personal_records_are_not_reported_under_the_open_policy(folder):
    with pytest.raises(DisclosureError, match="anybody can have already"):
        run_backtest(write(folder, policy="open", name="open"), made_on=TODAY)


def test_a_recipe_without_the_section_says_how_to_add_it(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('title = "x"', "utf-8")
    with pytest.raises(RecipeError, match=r"no section \[backtest\]"):
        run_backtest(path, made_on=TODAY)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"model": ["x"]}, "there is no such key .did you mean models"),
        ({"models": ["kernel densty"]}, "did you mean kernel density"),
        ({"models": ["kernel density"]}, "add trailing counts"),
        ({"models": ["trailing all", "self-exciting"]}, "say grid = 250"),
        ({"shares": [0.0]}, "shares of the area above 0"),
        ({"grid": 300}, "backtest.grid"),
        ({"overrides": {"Drugs": {"by": "", "reason": "x"}}}, "backtest.overrides.Drugs.by"),
    ],
)
def test_wrong_keys_are_told_by_name(section, told):
    with pytest.raises(RecipeError, match=told):
        make_backtest_request(section)


def test_models_suit_the_step():
    monthly = [model.name for model in make_models(make_backtest_request({}))]
    daily = [
        model.name for model in make_models(make_backtest_request({"step": "day", "grid": 250}))
    ]
    assert "endemic-epidemic" in monthly
    assert "ensemble" in monthly
    assert "self-exciting" in daily
    assert "self-exciting" not in monthly


def test_groups_of_residents_are_audited_where_the_recipe_says_who_lives_where(done, folder):
    assert not (done.folder / "groups.csv").exists()
    path = write(folder, offences='"Burglary"', name="people")
    audited = 'population.residents = "population.csv"\ndeprivation.file = "deprivation.csv"\n'
    path.write_text(path.read_text("utf-8").replace("[backtest]", audited + "[backtest]"), "utf-8")
    outcome = run_backtest(path, made_on=TODAY)
    groups = pd.read_csv(outcome.folder / "groups.csv")
    assert set(groups["kind"]) == {"deprivation decile"}
    told = groups.dropna(subset=["N"])
    assert len(told)
    assert (told[["n", "N"]] % 5 == 0).all(axis=None)
    assert (told["N"] - told["n"] >= 0).all()
    rate = (told["n"] / told["N"]).round(2)
    np.testing.assert_allclose(told["hit_rate"], rate, atol=0.0051)
    assert groups.loc[groups["N"].isna(), "note"].eq("withheld").all()
    scores = pd.read_csv(outcome.folder / "scores.csv")
    used = scores[scores["default"] & (scores["share"] == 0.05)]
    assert groups["model"].unique().tolist() == used["model"].tolist()
    plain = pd.read_csv(done.folder / "scores.csv")
    same = plain[plain["category"] == "Burglary"].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, scores)  # an audit, no input


def test_residents_of_cells_keep_their_number_and_tag(folder):
    path = write(folder, offences='"Burglary"', more="grid = 1000\n", name="cells")
    audited = 'population.residents = "population.csv"\ndeprivation.file = "deprivation.csv"\n'
    path.write_text(path.read_text("utf-8").replace("[backtest]", audited + "[backtest]"), "utf-8")
    outcome = run_backtest(path, made_on=TODAY)
    assert (outcome.folder / "groups.csv").is_file()
