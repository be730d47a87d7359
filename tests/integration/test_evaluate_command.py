"""`placeshaping evaluate`: from recipe to report on an invented district with a planted effect."""

import dataclasses
import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from shapely import points

from placeshaping import cli
from placeshaping._core.errors import (
    DisclosureError,
    HiddenError,
    InputError,
    RecipeError,
    UnmatchedError,
)
from placeshaping.disclosure.ledger import open_ledger
from placeshaping.project.evaluate import run_evaluation
from placeshaping.project.evaluate_request import make_evaluation_request
from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.files import write_district
from placeshaping.verify.files import verify_file

TODAY = dt.date(2026, 2, 3)
RECIPE = """
title = "Patrols on foot in Marshwick (invented)"
purpose = "A test."
contact = "nobody@example.org"
policy = "{policy}"
records = {{ file = "crime.zip", sensitivity = "personal" }}
areas = {{ file = "lsoa_2021.gpkg", changes = "lookup_lsoa11_lsoa21.csv", lookups = ["{lookup}"] }}

[evaluation]
measure = "the patrols on foot"
treated = {treated}
start = "2024-01"
output = "{name}"
{more}
"""
LOOKUP = "lookup_lsoa21_msoa21_ward_district.csv"
KEPT = 0.45


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Write a district in which 55 % of records were prevented in 15 areas from 2024 on."""
    folder = tmp_path_factory.mktemp("district")
    district = make_district(60, seed=5, months=30)
    middle = district.lsoa.geometry.centroid
    near = middle.distance(middle.iloc[10]).sort_values(kind="stable").index[:15]
    areas = district.lsoa.loc[near]
    events = district.events
    inside = np.zeros(len(events), dtype=bool)
    whole = areas.geometry.union_all()
    late = (events["time"] >= "2024-01-01").to_numpy()
    xy = events.loc[late, ["easting", "northing"]].to_numpy()
    inside[late] = whole.contains(points(xy))
    lost = inside & (np.random.default_rng(1).random(len(events)) > KEPT)
    kept = dataclasses.replace(district, events=events[~lost].reset_index(drop=True))
    write_district(kept, folder)
    return folder, areas["LSOA21CD"].tolist(), areas["LSOA21NM"].tolist()


def write(place, name, *, policy="councillor", treated=None, more=""):
    folder, codes, _ = place
    path = folder / f"{name}.toml"
    chosen = json.dumps(codes if treated is None else treated)
    text = RECIPE.format(policy=policy, treated=chosen, name=name, more=more, lookup=LOOKUP)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def done(place):
    return run_evaluation(write(place, "plain"), made_on=TODAY)


def test_a_planted_effect_is_reported(done):
    row = done.report.findings.of("treated")
    assert done.report.findings.verdict == "fewer"
    # police.uk moves records to anchor points, so that some cross the edge
    assert -60 < row["percent"] < -25
    assert done.report.lead.startswith("After the patrols on foot, recorded crime in the treated")


def test_what_is_written_withstands_the_attacker(done):
    names = {file.name for file in done.files}
    assert {"report.html", "evaluation.json", "manifest.json", "rings.png", "series.png"} <= names
    assert {"range.png", "placebos.png"} <= names
    for name in ("report.html", "evaluation.json", "manifest.json"):
        verdict = verify_file(done.folder / name)
        assert verdict.declared_policy == "councillor"
        assert verdict.passed, verdict.breaches


def test_no_path_or_seed_stands_in_what_is_written(done):
    for name in ("report.html", "evaluation.json", "manifest.json"):
        text = (done.folder / name).read_text("utf-8")
        assert str(done.folder.parent) not in text
        assert '"seed"' not in text


def test_the_command_prints_the_finding_and_the_record(place, done, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["evaluate", str(place[0] / "plain.toml"), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["finding"] == done.report.lead
    assert told["verdict"] == "fewer"
    assert "report.html" in told["files"]


def test_an_offence_with_nothing_planted_before_the_start_is_a_null_result(place):
    _, codes, _ = place
    path = write(place, "null", policy="internal", treated=codes[:4], more="synthetic = false")
    path.write_text(path.read_text("utf-8").replace("2024-01", "2023-04") + "after = 9\n", "utf-8")
    outcome = run_evaluation(path, made_on=TODAY)
    assert outcome.report.findings.verdict == "none"
    assert "No effect of the patrols on foot on recorded crime could be seen" in outcome.report.lead
    page = (outcome.folder / "report.html").read_text("utf-8")
    assert "Internal: not protected, do not share" in page


def test_areas_may_be_named_and_larger_ones_evaluated(place):
    folder, codes, names = place
    by_name = run_evaluation(
        write(place, "named", treated=[names[0].upper(), *codes[1:]], more="synthetic = false"),
        made_on=TODAY,
    )
    assert by_name.report.where == tuple(names)
    lookup = pd.read_csv(folder / LOOKUP)
    within = lookup.loc[lookup["LSOA21CD"].isin(codes), "MSOA21NM"].value_counts()
    larger = run_evaluation(
        write(
            place,
            "larger",
            treated=[str(within.index[0])],
            more='level = "msoa"\nrings = 0\nsynthetic = false',
        ),
        made_on=TODAY,
    )
    assert larger.report.where == (str(within.index[0]),)
    assert larger.report.findings.of("treated")["difference"] < 0
    assert "Difference in differences was left out" in " ".join(larger.report.findings.left_out)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"treated": ["E01900O01"]}, UnmatchedError, "treated: 1 of 1 areas is not known.*E01900"),
        ({"more": 'categories = ["Burglry"]'}, RecipeError, "did you mean Burglary|Did you mean"),
        ({"more": 'level = "mosa"'}, RecipeError, "'mosa' is in no lookup.*Did you mean msoa"),
        ({"more": "after = 40"}, InputError, "40 periods after 2024-01-01 are asked for"),
        ({"policy": "open"}, DisclosureError, "anybody can have already"),
        (
            {"more": 'categories = ["Possession of weapons"]\nafter = 1\nbefore = 1'},
            (HiddenError, InputError),
            "fewer than 5 records|Nothing was counted",
        ),
    ],
)
def test_bad_requests_are_told(place, options, error, told):
    with pytest.raises(error, match=told):
        run_evaluation(write(place, "bad", **options), made_on=TODAY)
    assert not (place[0] / "bad").exists()


def test_comparison_areas_that_were_treated_are_refused(place):
    more = f"comparison = {json.dumps(place[1][:3])}"
    with pytest.raises(InputError, match="3 areas are treated and comparison areas at once"):
        run_evaluation(write(place, "both", more=more), made_on=TODAY)


def test_a_recipe_without_the_section_says_how_to_add_it(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('title = "x"', "utf-8")
    with pytest.raises(RecipeError, match=r"no section \[evaluation\]"):
        run_evaluation(path, made_on=TODAY)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ({"treated": ["a"]}, "evaluation.start: this key is needed"),
        ({"treated": [], "start": "2024-01"}, "evaluation.treated"),
        ({"treated": ["a"], "start": "January"}, "write the month as 2024-01"),
        ({"treated": ["a"], "start": {"a": "2024-01", "b": "2024-07"}}, "began at different times"),
        ({"treated": ["a"], "start": "2024-01", "ring_metres": [500, 100]}, "distances that grow"),
        ({"treated": ["a"], "start": "2024-01", "ring": 2}, "did you mean rings"),
        ({"treated": ["a"], "start": "2024-01", "block": 2}, "evaluation.block"),
    ],
)
def test_wrong_keys_are_told_by_name(section, told):
    with pytest.raises(RecipeError, match=told):
        make_evaluation_request(section)


def test_totals_are_entered_in_the_ledger(done):
    with open_ledger(done.folder.parent / "ledger.sqlite", create=False) as ledger:
        listed = ledger.list()
        numbers = listed.loc[listed["title"] == done.report.title, "id"]
        known = pd.concat([ledger.show(int(number)).cells for number in numbers])
    assert set(listed["state"]) == {"recorded"}
    after = known[(known["area_code"] == "treated") & (known["first"] == "2024-01")]["count"]
    assert done.report.protected.whole.total("treated", after=True) in after.tolist()
    assert {"treated", "comparison", "ring 1"} <= set(known["area_code"])
