"""The commands access and site on the built-in district: products, bad input, planted leaks."""

from __future__ import annotations

import copy
import datetime as dt
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    DisclosureError,
    InputError,
    RecipeError,
    UnmatchedError,
)
from placeshaping.project.access import AccessOutcome, run_access
from placeshaping.project.siting import SitingOutcome, run_siting
from placeshaping.verify.files import verify_file, verify_files

DAY = dt.date(2026, 1, 31)
BASE: dict[str, Any] = {
    "title": "Libraries",
    "contact": "nobody@example.org",
    "areas": {
        "file": "lsoa_2021.gpkg",
        "lookups": ["lookup_lsoa21_msoa21_ward_district.csv"],
        "postcodes": "postcodes.csv",
    },
    "population": {"residents": "population.csv"},
    "deprivation": {"file": "deprivation.csv"},
    "places": [
        {
            "file": "libraries.csv",
            "title": "Libraries",
            "already_published": "https://example.org/libraries",
        }
    ],
}
ACCESS: dict[str, Any] = {"service": "library"}
SITING: dict[str, Any] = {
    "existing": "Libraries",
    "new": 2,
    "service": "library",
    "services": "libraries",
}
RECORDS: dict[str, Any] = {
    "sites": 4,
    "service": "depot",
    "services": "depots",
    "demand": "records",
    "already_published": "https://example.org/areas",
    "output": "depots",
}


@pytest.fixture(scope="module")
def folder(district_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the district's files, with its libraries as a list of their own."""
    copied = tmp_path_factory.mktemp("places") / "district"
    shutil.copytree(district_folder, copied)
    services = pd.read_csv(copied / "services.csv")
    libraries = services[services["category"] == "Library"]
    libraries.drop(columns="category").to_csv(copied / "libraries.csv", index=False)
    return copied


def access(folder: Path, asked: dict[str, Any] = ACCESS, **changes: Any) -> AccessOutcome:
    recipe = {**copy.deepcopy(BASE), **changes, "access": asked}
    return run_access(recipe, made_on=DAY, folder=folder)


def site(folder: Path, asked: dict[str, Any] = SITING, **changes: Any) -> SitingOutcome:
    recipe = {**copy.deepcopy(BASE), **changes, "siting": asked}
    return run_siting(recipe, made_on=DAY, folder=folder)


@pytest.fixture(scope="module")
def measured(folder: Path) -> AccessOutcome:
    return access(folder)


@pytest.fixture(scope="module")
def chosen(folder: Path) -> SitingOutcome:
    return site(folder)


def test_access_leads_with_how_many_are_beyond(measured: AccessOutcome) -> None:
    table = measured.released.tables["lsoa"]
    beyond = table.areas["residents"].to_numpy()[table.values["minutes"].to_numpy() > 15].sum()
    share = beyond / table.areas["residents"].sum()
    assert measured.found[0].startswith(f"{share:.0%} of residents")
    assert "67 and over" in " ".join(measured.found)
    assert "concentration index" in " ".join(measured.found)


def test_all_files_of_access_withstand_the_attacker(measured: AccessOutcome) -> None:
    verdicts = verify_files(measured.files, today=DAY)
    assert all(one.passed for one in verdicts)
    judged = {one.file: one.judged_policy for one in verdicts}
    assert judged.pop("report.md") == "public"  # it declares nothing, and holds words alone
    assert set(judged.values()) == {"facts"}
    names = {path.name for path in measured.files}
    assert {"map.html", "layers.gpkg", "tables.xlsx", "equity.csv", "ages.xlsx"} <= names


def test_larger_areas_have_the_mean_of_their_residents(measured: AccessOutcome) -> None:
    small, wards = (measured.released.tables[level] for level in ("lsoa", "ward"))
    minutes = small.values["minutes"].to_numpy()
    people = small.areas["residents"].to_numpy(dtype=float)
    ward = small.areas["parent_code"].to_numpy()
    for code, mean in zip(wards.areas.index, wards.values["minutes"], strict=True):
        assert mean == pytest.approx(
            np.average(minutes[ward == code], weights=people[ward == code])
        )


def test_layers_open_in_qgis_with_the_classes_of_travel(measured: AccessOutcome) -> None:
    path = measured.folder / "layers.gpkg"
    with closing(sqlite3.connect(path)) as database:
        styles = database.execute(
            "SELECT f_table_name, styleName, useAsDefault FROM layer_styles"
        ).fetchall()
    assert ("lsoa", "Minutes to the nearest library"[:30], 1) in styles
    layer = gpd.read_file(path, layer="lsoa")
    assert {"minutes", "nearest", "residents", "travel"} <= set(layer.columns)


def test_postcodes_are_nearer_to_where_people_live_than_middles(folder: Path) -> None:
    asked = {**ACCESS, "origins": "postcodes", "output": "by-postcode", "catchments": True}
    made = access(folder, asked)
    table = made.released.tables["lsoa"].values
    assert table["minutes"].notna().all()
    assert (table["per_1000"] >= 0).all()
    assert all(one.passed for one in verify_files(made.files, today=DAY))


def test_metres_stand_where_metres_were_asked_for(folder: Path) -> None:
    asked = {**ACCESS, "unit": "metres", "threshold": 1200.0, "output": "metres"}
    made = access(folder, asked)
    assert "more than 1,200 metres in a straight line from" in made.found[0]
    said = (made.folder / "equity.csv-metadata.json").read_text(encoding="utf-8")
    assert "Metres to the nearest service" in said
    assert "minutes" not in said.casefold()
    two = {**SITING, "unit": "metres", "threshold": 1200.0, "output": "metres-siting"}
    assert "metres to the nearest one on average" in site(folder, two).found[0]


def test_streets_make_ways_longer(folder: Path, measured: AccessOutcome) -> None:
    asked = {**ACCESS, "streets": "streets.gpkg", "outside": "drop", "output": "by-street"}
    made = access(folder, asked)
    along = made.released.tables["lsoa"].values["minutes"]
    straight = measured.released.tables["lsoa"].values["minutes"]
    assert (along.dropna() >= straight[along.notna()] - 1e-6).all()
    assert "along streets" in made.found[0]


def test_a_network_in_parts_is_told_and_areas_beyond_it_are_counted(folder: Path) -> None:
    streets = gpd.read_file(folder / "streets.gpkg").to_crs(27700)
    west, south, east, _ = streets.total_bounds
    middle = (west + east) / 2
    half = streets[streets.bounds["maxx"] < middle]
    apart = LineString([(east - 50, south), (east, south)])
    parts = gpd.GeoDataFrame(geometry=[*half.geometry, apart], crs=27700)
    parts.to_file(folder / "half.gpkg")
    asked = {**ACCESS, "streets": "half.gpkg", "outside": "drop", "output": "half"}
    made = access(folder, asked)
    said = " ".join((*made.found, *made.released.cautions))
    assert "falls into" in said
    assert "can be reached by the ways that are known" in said
    unreached = made.released.tables["lsoa"].values["travel"].eq("not_reached")
    assert unreached.any()


def test_areas_without_residents_are_told(folder: Path) -> None:
    people = pd.read_csv(folder / "population.csv")
    people.loc[0, "residents"] = 0
    people.to_csv(folder / "empty.csv", index=False)
    made = access(folder, {**ACCESS, "output": "empty"}, population={"residents": "empty.csv"})
    assert "1 areas have no residents." in made.notes


def test_places_that_cannot_be_located_are_named(folder: Path) -> None:
    places = pd.read_csv(folder / "libraries.csv").drop(columns=["easting", "northing"])
    places.loc[0, "postcode"] = "ZZ9 9ZZ"
    places.to_csv(folder / "posted.csv", index=False)
    kind = {**BASE["places"][0], "file": "posted.csv", "postcodes": "postcodes.csv"}
    made = access(folder, {**ACCESS, "output": "posted"}, places=[kind])
    assert any("could not be located" in note and places.loc[0, "name"] in note
               for note in made.notes)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "changes", "error", "told"),
    [
        ({}, {}, RecipeError, "access.service: this key is needed"),
        ({**ACCESS, "servises": "x"}, {}, RecipeError, "did you mean services"),
        ({**ACCESS, "services": "Pools"}, {}, RecipeError, "places are: Libraries"),
        (ACCESS, {"places": []}, RecipeError, r"Add a section \[\[places\]\]"),
        (ACCESS, {"population": {}}, RecipeError, "population.residents: this key is needed"),
        ({**ACCESS, "ages": {"old": "age_99"}}, {}, ColumnError, "has no column age_99"),
        ({**ACCESS, "speeds": {"lane": 30}}, {}, RecipeError, "name it as 'streets'"),
        ({**ACCESS, "streets": "streets.gpkg"}, {}, UnmatchedError, "outside='drop'"),
        ({**ACCESS, "streets": "lsoa_2021.gpkg"}, {}, InputError, "no lines"),
        (
            {**ACCESS, "origins": "postcodes"},
            {"areas": {"file": "lsoa_2021.gpkg"}},
            RecipeError,
            "areas.postcodes of the recipe",
        ),
    ],
)  # fmt: skip
def test_bad_access_recipes_name_the_remedy(
    folder: Path, asked: dict[str, Any], changes: dict[str, Any], error: Any, told: str
) -> None:
    with pytest.raises(error, match=told):
        access(folder, asked, **changes)


def test_streets_in_degrees_that_say_metres_are_refused(folder: Path) -> None:
    line = gpd.GeoDataFrame(geometry=[LineString([(-1.1, 52.1), (-1.2, 52.2)])], crs=27700)
    line.to_file(folder / "degrees.gpkg")
    with pytest.raises(CRSError, match="those are degrees"):
        access(folder, {**ACCESS, "streets": "degrees.gpkg"})


def test_siting_tells_before_after_and_the_gap(chosen: SitingOutcome) -> None:
    said = " ".join(chosen.found)
    assert "today it is" in chosen.found[0]
    assert "How good the choice is: " in said
    assert ("How good", "proved to be the best") in chosen.released.glance
    assert chosen.plan.objective < (chosen.plan.before or 0)
    assert [kind.title for kind in chosen.released.places] == ["New sites", "Sites of today"]
    assert [one.name for one in chosen.released.labels] == ["change", "travel", "today"]


def test_all_files_of_siting_withstand_the_attacker(chosen: SitingOutcome) -> None:
    verdicts = verify_files(chosen.files, today=DAY)
    assert all(one.passed for one in verdicts)
    sites = pd.read_csv(chosen.folder / "sites.csv")
    residents = chosen.released.tables["lsoa"].areas["residents"].sum()
    assert sites["residents"].sum() == pytest.approx(residents, abs=len(sites))


def test_no_area_gets_farther_where_all_sites_are_kept(chosen: SitingOutcome) -> None:
    table = chosen.released.tables["lsoa"].values
    assert (table["minutes"] <= table["minutes_before"] + 1e-9).all()
    assert not table["change"].eq("farther").any()


def test_records_weigh_in_as_their_policy_lets_them_out(folder: Path) -> None:
    records = {"file": "fly_tipping.csv", "kind": "services"}
    made = site(folder, RECORDS, records=[records], policy="councillor", ledger="none")
    sites = pd.read_csv(made.folder / "sites.csv")
    shown = sites.loc[sites["status"] == "shown", "count"]
    assert len(shown)
    assert (shown % 5 == 0).all()
    assert "residents" not in sites
    assert all(one.passed for one in verify_files(made.files, today=DAY))
    for name in ("lsoa.csv", "map.html", "layers.gpkg", "tables.xlsx"):
        assert b"demand" not in (made.folder / name).read_bytes()
    weights = made.plan.areas["demand"]
    assert set(np.mod(weights, 5)) <= {0.0, 2.5}


def test_the_choice_by_records_is_remembered_in_the_ledger(folder: Path) -> None:
    from placeshaping.disclosure.ledger import open_ledger

    records = {"file": "fly_tipping.csv", "kind": "services"}
    site(folder, RECORDS, records=[records], policy="councillor", ledger="places.sqlite")
    with open_ledger(folder / "places.sqlite") as ledger:
        assert len(ledger.list()) == 1


@pytest.mark.parametrize(
    ("asked", "changes", "error", "told"),
    [
        ({**SITING, "new": 500}, {}, InputError, "Ask for fewer"),
        ({**SITING, "sites": 9}, {}, RecipeError, "'sites' in all, or 'new' ones"),
        ({**SITING, "candidates": "Plots"}, {}, RecipeError, "there are no places 'Plots'"),
        ({**SITING, "capacity": 10.0}, {}, InputError, "Allow more sites or larger ones"),
        ({**SITING, "capacities": {"Nowhere": 5.0}}, {}, UnmatchedError, "that are no candidates"),
        ({**SITING, "measure": "maximal covering"}, {}, RecipeError, "which need it"),
        ({**SITING, "demand": "records"}, {}, RecipeError, r"Add \[records\]"),
        (
            {**SITING, "guarantees": [{"deciles": [1], "within": 1.0}]},
            {},
            InputError,
            "Allow more sites, go farther",
        ),
        (
            {**SITING, "guarantees": [{"deciles": [1], "within": 60.0}]},
            {"deprivation": None},
            RecipeError,
            r"a section \[deprivation\]",
        ),
        (
            {"sites": 2, "service": "hub", "services": "hubs"},
            {},
            RecipeError,
            "siting.already_published: this key is needed",
        ),
    ],
)
def test_bad_siting_recipes_name_the_remedy(
    folder: Path, asked: dict[str, Any], changes: dict[str, Any], error: Any, told: str
) -> None:
    with pytest.raises(error, match=told):
        site(folder, asked, **changes)


def test_records_under_a_policy_without_counts_cannot_choose_sites(folder: Path) -> None:
    records = {"file": "fly_tipping.csv", "kind": "services"}
    with pytest.raises(RecipeError, match="another policy"):
        site(
            folder, RECORDS, records=[records], policy="police", purpose="A test.",
            expires=dt.date(2026, 12, 31), ledger="none",
        )  # fmt: skip


def test_a_guarantee_names_the_deprivation_index_on_the_products(folder: Path) -> None:
    promise = {"deciles": [1, 2], "within": 90.0}
    made = site(folder, {**SITING, "guarantees": [promise], "output": "promised"})
    said = " ".join(made.released.notes)
    assert "uses the Index of Multiple Deprivation: in areas of its tenths 1, 2" in said
    assert "Index of Multiple Deprivation" in (made.folder / "report.html").read_text("utf-8")


@pytest.mark.parametrize("measure", ["p-centre", "maximal covering", "set covering"])
def test_every_measure_makes_products(folder: Path, measure: str) -> None:
    asked = {**SITING, "measure": measure, "output": measure.replace(" ", "-")}
    if measure == "set covering":
        del asked["new"]
    if measure.endswith("covering"):
        asked["within"] = 60.0
    made = site(folder, asked)
    assert any(sentence.startswith("How good the choice is") for sentence in made.found)


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def test_a_count_planted_beside_minutes_is_refused(measured: AccessOutcome, tmp_path: Path) -> None:
    for name in ("lsoa.csv", "ward.csv", "district.csv", "csv-metadata.json"):
        shutil.copy(measured.folder / name, tmp_path)
    assert verify_file(tmp_path / "lsoa.csv", today=DAY).passed
    table = pd.read_csv(tmp_path / "lsoa.csv")
    table.assign(count=7).to_csv(tmp_path / "lsoa.csv", index=False)
    told = [one.what for one in verify_file(tmp_path / "lsoa.csv", today=DAY).breaches]
    assert any("where only classes and ranks may leave" in what for what in told)


@pytest.mark.parametrize("column", ["minutes", "visits", "nearest"])
def test_counts_that_call_themselves_travel_are_refused(
    measured: AccessOutcome, tmp_path: Path, column: str
) -> None:
    path = tmp_path / "layers.gpkg"
    shutil.copy(measured.folder / "layers.gpkg", path)
    with closing(sqlite3.connect(path)) as database, database:
        known = [row[1] for row in database.execute("PRAGMA table_info(lsoa_values)")]
        if column not in known:
            database.execute(f"ALTER TABLE lsoa_values ADD COLUMN {column} INTEGER")
        database.execute(f"UPDATE lsoa_values SET {column} = fid % 9")
    assert not verify_file(path, today=DAY).passed


def test_a_planted_declaration_does_not_let_counts_of_records_out(
    chosen: SitingOutcome, tmp_path: Path
) -> None:
    for name in ("sites.csv", "sites.csv-metadata.json"):
        shutil.copy(chosen.folder / name, tmp_path)
    table = pd.read_csv(tmp_path / "sites.csv")
    table.rename(columns={"residents": "count"}).to_csv(tmp_path / "sites.csv", index=False)
    assert not verify_file(tmp_path / "sites.csv", today=DAY).passed


def test_a_planted_measure_in_the_page_is_refused(measured: AccessOutcome, tmp_path: Path) -> None:
    import base64
    import gzip
    import re

    page = (measured.folder / "map.html").read_text(encoding="utf-8")
    block = re.search(r'id="placeshaping-data"[^>]*>([^<]+)<', page)
    assert block is not None
    data = json.loads(gzip.decompress(base64.b64decode(block[1])))
    size = len(data["levels"][0]["codes"])
    data["levels"][0]["measures"]["referrals"] = [3] * size
    packed = base64.b64encode(gzip.compress(json.dumps(data).encode())).decode()
    path = tmp_path / "map.html"
    path.write_text(page.replace(block[1], packed), encoding="utf-8")
    told = [one.proof for one in verify_file(path, today=DAY).breaches]
    assert any("referrals" in proof for proof in told)


def test_the_report_needs_the_address_of_what_it_rests_on(folder: Path) -> None:
    kind = {**BASE["places"][0], "already_published": "on our intranet"}
    with pytest.raises(DisclosureError, match="https://"):
        access(folder, ACCESS, places=[kind])
