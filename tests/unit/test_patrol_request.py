"""Requests for patrol areas: what is refused, and that the message names key and remedy."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from placeshaping._core.errors import InputError, RecipeError
from placeshaping.project.patrol import check_request
from placeshaping.project.patrol_forecast import make_model
from placeshaping.project.patrol_request import MODELS, PatrolRequest, make_request, read_request
from placeshaping.project.patrol_sections import Organisation
from placeshaping.reports import atrs

LONDON = ZoneInfo("Europe/London")
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=LONDON)


def given(**changes: Any) -> dict[str, Any]:
    return {
        "purpose": "Presence.",
        "decides": "Insp. A. Name",
        "shift": {"date": dt.date(2026, 11, 22), "start": "22:00", "end": "06:00"},
        "offences": {"names": "Burglary"},
        "cover": {"share": 0.02},
        "records": {"file": "a.csv"},
        "areas": {"file": "b.gpkg"},
        **changes,
    }


def on(date: dt.date, start: str, end: str) -> PatrolRequest:
    return make_request(given(shift={"date": date, "start": start, "end": end}))


def test_a_shift_over_midnight_ends_the_next_day() -> None:
    shift = make_request(given()).shift
    assert shift.ends == dt.datetime(2026, 11, 23, 6, tzinfo=LONDON)
    assert shift.hours == 8


@pytest.mark.parametrize(("date", "hours"), [(dt.date(2026, 3, 28), 7), (dt.date(2026, 10, 24), 9)])
def test_a_night_of_clock_changes_is_an_hour_shorter_or_longer(date: dt.date, hours: int) -> None:
    assert on(date, "22:00", "06:00").shift.hours == hours


def test_products_expire_the_day_after_the_shift() -> None:
    assert make_request(given()).last_day == dt.date(2026, 11, 24)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cover": {"share": 1.2}}, "cover.share: 1.2 is more than the whole district"),
        ({"cover": {"share": 0.1, "cell_size": 125}}, "no cells under 250 m"),
        ({"cover": {"share": 0.1, "cell_size": 300}}, "write one of 250"),
        ({"cover": {}}, "one of 'share'"),
        ({"cover": {"share": 0.1, "cells": 3}}, "share and cells are given"),
        ({"cover": {"minutes": 90}}, "how many 'patrols'"),
        ({"cover": {"share": 0.1, "patrols": 20}}, "less than or equal to 19"),
        ({"shift": {"date": "soon"}}, "shift.date: write the day as 2026-01-31"),
        ({"shift": {"date": dt.date(2026, 1, 1), "start": "25:00"}}, "write the time as '22:00'"),
        ({"shift": {"date": dt.date(2026, 1, 1), "zone": "Mars/Olympus"}}, "no time zone"),
        ({"model": "self exciting"}, "did you mean self-exciting"),
        ({"pupose": "x"}, r"pupose: there is no such key \(did you mean purpose"),
        ({"decides": ""}, "decides: must not be empty"),
        ({"triggers": {"most_rises": 1}}, r"did you mean most_rise"),
        ({"override": {"by": "A", "because": ""}}, "override.because: must not be empty"),
        ({"records": []}, "records: needed, or name a recipe"),
        ({"organisation": {"teams": "A"}}, r"organisation.teams.*did you mean team"),
        ({"organisation": {"external_supplier_involvement": "perhaps"}}, "'Yes' or 'No'"),
    ],
)
def test_a_wrong_key_is_named_with_its_remedy(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        make_request(given(**changes))


def test_a_shift_that_is_over_is_refused() -> None:
    late = on(dt.date(2026, 11, 19), "22:00", "12:00")
    with pytest.raises(RecipeError, match="the shift ended at 12:00 on 20 November 2026"):
        check_request(late, now=NOON)


def test_a_shift_that_still_runs_is_answered() -> None:
    check_request(on(dt.date(2026, 11, 19), "22:00", "12:01"), now=NOON)


def test_products_must_not_expire_before_the_shift_ends() -> None:
    with pytest.raises(RecipeError, match="expires: 2026-11-22 is before the shift ends"):
        check_request(make_request(given(expires=dt.date(2026, 11, 22))), now=NOON)


def test_a_discovered_offence_is_refused_unless_somebody_signs() -> None:
    with pytest.raises(InputError, match=r"offences: Drugs is tagged 'discovered'.*overrides"):
        check_request(make_request(given(offences={"names": "Drugs"})), now=NOON)
    signed = {"names": "Drugs", "overrides": {"Drugs": {"by": "A", "reason": "B"}}}
    check_request(make_request(given(offences=signed)), now=NOON)


def test_records_and_areas_come_from_a_recipe_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    recipe = 'title = "x"\nrecords.file = "crime.zip"\nareas.file = "lsoa.gpkg"\n'
    (tmp_path / "recipes" / "r.toml").write_text(recipe)
    alone = {k: v for k, v in given().items() if k not in ("records", "areas")}
    request = make_request({**alone, "recipe": "recipes/r.toml"}, folder=tmp_path)
    assert Path(request.records[0].file) == Path("recipes/crime.zip")
    assert request.areas is not None
    assert Path(request.areas.file) == Path("recipes/lsoa.gpkg")


def test_who_lives_there_comes_from_a_recipe_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    recipe = 'title = "x"\nrecords.file = "a.zip"\nareas.file = "b.gpkg"\n'
    recipe += 'population.residents = "people.csv"\ndeprivation.file = "imd.csv"\n'
    (tmp_path / "recipes" / "r.toml").write_text(recipe)
    request = make_request(given(recipe="recipes/r.toml"), folder=tmp_path)
    assert request.population is not None
    assert Path(str(request.population.residents)) == Path("recipes/people.csv")
    assert request.deprivation is not None
    assert Path(request.deprivation.file) == Path("recipes/imd.csv")
    assert make_request(given()).deprivation is None


def test_what_is_no_toml_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("shift = 22:00")
    with pytest.raises(RecipeError, match=r"r.toml is not a request in TOML"):
        read_request(tmp_path / "r.toml")


@pytest.mark.parametrize("name", [*MODELS, "trailing 6 months"])
def test_every_model_that_a_request_may_name_is_there(name: str) -> None:
    assert make_request(given(model=name)).model == name
    assert make_model(name).name == name


def test_the_keys_of_the_organisation_are_those_of_the_record_of_the_standard() -> None:
    assert set(Organisation.model_fields) == {one.name for one in fields(atrs.Organisation)}


def test_an_offence_that_nobody_knows_is_told_with_near_names_and_the_key() -> None:
    told = r"offences.names: Burglry is no category.*Did you mean Burglary\?.*\[offences.tags\]"
    with pytest.raises(InputError, match=told):
        check_request(make_request(given(offences={"names": "Burglry"})), now=NOON)
