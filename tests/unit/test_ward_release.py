"""A ward review as it leaves: small units joined, the rest rounded, and leaks found."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sqlite3
from contextlib import closing

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import DisclosureError, EmptyError
from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.wards import (
    WardRelease,
    protect_review,
    release_review,
    require_ward_release,
)
from placeshaping.layers.wards import write_proposals, write_wards
from placeshaping.reports.wards import write_review_report, write_review_workbook
from placeshaping.shaping.ward_search import propose_wards
from placeshaping.shaping.wards import make_proposal, make_review
from placeshaping.verify.files import verify_file

DAY = dt.date(2026, 11, 21)


def review_of(electors, *, places=None, prefix="u"):
    size = len(electors)
    units = gpd.GeoDataFrame(
        {"electors_now": electors, "electors_forecast": electors}, crs=27700,
        geometry=[box(100 * x, 0, 100 * x + 100, 100) for x in range(size)],
        index=[f"{prefix}{x}" for x in range(size)],
    )  # fmt: skip
    if places is not None:
        units["parish"] = list(places)
    return make_review(units, councillors=2, name="A row")


@pytest.fixture(scope="module")
def released():
    rng = np.random.default_rng(4)
    squares = [box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100)
               for y in range(6) for x in range(6)]  # fmt: skip
    units = gpd.GeoDataFrame(
        {"electors_now": rng.integers(2, 160, 36), "electors_forecast": rng.integers(2, 160, 36),
         "parish": np.repeat(["North", "Mid", "South"], 12), "name": "A place"},
        geometry=squares, crs=27700, index=[f"PD{i}" for i in range(36)],
    )  # fmt: skip
    units.loc["PD7", "electors_now"] = 3
    review = make_review(units, councillors=4, name="Grid")
    protected = protect_review(review, policy="public")[0]
    found = propose_wards(protected, most=2, chains=3, steps=300)
    return release_review(review, found, policy="public", title="Wards", made_on=DAY)


def test_small_units_are_joined_within_their_parish():
    review = review_of([100, 90, 3, 200], places="aabb")
    protected, members = protect_review(review, policy="councillor")
    assert members == {"u3": ("u2", "u3")}
    assert protected.units["electors_now"].tolist() == [100, 90, 205]
    assert protected.neighbours["metres"].tolist() == [100, 100]
    assert protected.units["outer_metres"].tolist() == [300, 200, 500]
    assert protected.units.area.tolist() == [10_000, 10_000, 20_000]


def test_the_protected_review_is_that_of_its_own_units():
    review = review_of([103, 92, 3, 201])
    protected, _ = protect_review(review, policy="public")
    anew = make_review(protected.units, councillors=2, name="A row")
    assert anew.digest == protected.digest
    assert anew.digest != review.digest
    assert anew.neighbours.equals(protected.neighbours)


def test_zero_is_shown_to_councillors_and_joined_for_the_public():
    review = review_of([100, 0, 90])
    assert protect_review(review, policy="councillor")[1] == {}
    assert protect_review(review, policy="public")[1] == {"u2": ("u1", "u2")}


def test_published_electors_leave_as_they_are():
    review = review_of([103, 2])
    wards = pd.Series(["x", "y"], index=review.units.index)
    one = make_proposal(review, wards, name="One", councillors={"x": 1, "y": 1})
    given = release_review(
        review, [one], policy="open", title="Wards", made_on=DAY, sensitivity="open",
        already_published="https://example.org/electors",
    )  # fmt: skip
    assert given.review.digest == review.digest
    assert "as published at https://example.org/electors" in " ".join(given.statement)
    with pytest.raises(DisclosureError, match="publishes the counts as they are"):
        release_review(review, [one], policy="open", title="Wards", made_on=DAY)


def test_policies_that_a_review_cannot_follow_are_refused():
    with pytest.raises(DisclosureError, match="finer than the policy 'public' lets out"):
        protect_review(review_of([100, 90], prefix="E0050000"), policy="public")
    with pytest.raises(DisclosureError, match="shows no counts"):
        protect_review(review_of([100, 90]), policy="police")


def test_a_small_unit_without_a_neighbour_is_refused():
    units = gpd.GeoDataFrame(
        {"electors_now": [100, 100, 3], "electors_forecast": 100}, crs=27700, index=list("abc"),
        geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100), box(900, 0, 990, 100)],
    )  # fmt: skip
    review = make_review(units, councillors=2, name="Island")
    with pytest.raises(DisclosureError, match=r"Unit c has fewer electors .* no neighbour"):
        protect_review(review, policy="public")


def test_units_that_would_all_be_joined_are_refused():
    with pytest.raises(DisclosureError, match="fewer than two units are left"):
        protect_review(review_of([3, 2, 4]), policy="public")


def test_a_ward_of_small_units_alone_cannot_be_shown():
    review = review_of([100, 3, 90])
    wards = pd.Series(list("xyz"), index=review.units.index)
    one = make_proposal(review, wards, name="One", councillors={"x": 1, "y": 1, "z": 1})
    with pytest.raises(EmptyError, match="1 wards are left without units"):
        release_review(review, [one], policy="public", title="Wards", made_on=DAY)
    with pytest.raises(EmptyError, match="no proposal to show"):
        release_review(review, [], policy="public", title="Wards", made_on=DAY)


def test_only_its_maker_makes_one_and_a_change_is_seen(released):
    with pytest.raises(DisclosureError, match="release_review"):
        WardRelease(
            **{
                field.name: getattr(released, field.name)
                for field in dataclasses.fields(WardRelease)
                if field.init and not field.name.startswith("_")
            }
        )
    before = released.review.units.loc["PD35", "electors_now"]
    released.review.units.loc["PD35", "electors_now"] = before + 5
    with pytest.raises(DisclosureError, match="changed after it was made"):
        require_ward_release(released, wanted_by="write_wards")
    released.review.units.loc["PD35", "electors_now"] = before
    ward = released.proposals[0].ward_of
    kept, ward.iloc[0] = ward.iloc[0], "W9"
    assert not released.unchanged
    ward.iloc[0] = kept
    assert released.unchanged


def test_nothing_small_or_unrounded_is_released(released):
    electors = released.review.units[["electors_now", "electors_forecast"]].to_numpy()
    assert (electors >= POLICIES["public"].threshold).all()
    assert (electors % 5 == 0).all()
    assert any("are made of several" in sentence for sentence in released.statement)


def test_what_is_written_passes_the_attack(released, tmp_path):
    paths = [
        write_wards(released, tmp_path / "wards.gpkg"),
        write_review_report(released, tmp_path / "report.html"),
        write_review_workbook(released, tmp_path / "wards.xlsx"),
        *write_proposals(released, tmp_path),
    ]
    for path in paths:
        verdict = verify_file(path)
        assert verdict.passed, (path.name, [breach.what for breach in verdict.breaches])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE units SET electors_now = 3 WHERE fid = 1", "under 10"),
        ("UPDATE units SET electors_forecast = 61 WHERE fid = 2", "not rounded to 5"),
        ("UPDATE proposal_a SET variance_now = variance_now + 0.0004 WHERE fid = 1",
         "'variance_now' not worked out from the electors that are shown"),
        ("UPDATE proposal_a SET electors_forecast = electors_forecast + 5 WHERE fid = 1",
         "not the sum of the units that are shown"),
        ("ALTER TABLE units ADD COLUMN true_electors INTEGER", "not on the list"),
        ("UPDATE units SET proposal_a = '37'", "not on the list"),
    ],
)  # fmt: skip
def test_a_planted_leak_in_the_layers_is_seen(released, tmp_path, change, found):
    path = write_wards(released, tmp_path / "wards.gpkg")
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(change)
    told = [breach.what for breach in verify_file(path).breaches]
    assert any(found in what for what in told), told


def test_a_planted_leak_in_a_workbook_is_seen(released, tmp_path):
    path = write_review_workbook(released, tmp_path / "wards.xlsx")
    book = openpyxl.load_workbook(path)
    heads = [cell.value for cell in book["Units"][1]]
    book["Units"].cell(row=2, column=heads.index("electors_now") + 1).value = 7
    book.save(path)
    told = [breach.what for breach in verify_file(path).breaches]
    assert any("under 10" in what for what in told), told


@pytest.mark.parametrize(
    "change", [{"electors": {"PD1": 3}}, {"units": {"PD1": 3}}, {"truth": [3, 4, 17]}]
)
def test_a_planted_leak_in_a_proposal_file_is_seen(released, tmp_path, change):
    path = write_proposals(released, tmp_path)[0]
    assert verify_file(path).passed
    held = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**held, **change}), encoding="utf-8")
    assert not verify_file(path).passed
