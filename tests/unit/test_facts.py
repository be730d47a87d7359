"""Measures that count no records: what they may hold, how areas are classed, what words say."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from placeshaping._core.errors import DisclosureError, EmptyError, InputError, RecipeError
from placeshaping.disclosure.fact_tables import release_fact_table, release_sites
from placeshaping.disclosure.facts import FACT_COLUMNS, FACT_HEADS, FACTS, release_facts
from placeshaping.disclosure.policies import POLICIES, policy_named
from placeshaping.disclosure.release import Release
from placeshaping.maps.area_map import area_map
from placeshaping.reports.access_words import AccessFacts, access_words, percent
from placeshaping.shaping.siting import p_median
from placeshaping.shaping.travel import costs_from_table
from placeshaping.shaping.travel_classes import label_change_in_travel, label_travel
from placeshaping.verify.rules import FACT_COLUMNS as ATTACKED

CODES = pd.Index([f"E0100000{k}" for k in range(4)], name="area_code")
DAY = dt.date(2026, 1, 31)


def areas(**columns: Any) -> gpd.GeoDataFrame:
    squares = [box(4e5 + 1000 * k, 3e5, 4e5 + 1000 * (k + 1), 3e5 + 1000) for k in range(4)]
    made = {"area_name": list("ABCD"), "residents": [100, 200, 0, 50], **columns}
    return gpd.GeoDataFrame(made, geometry=squares, index=CODES, crs=27700)


def facts(**changes: Any) -> Release:
    minutes = pd.Series([4.2, 11.5, 16.1, np.nan], CODES)
    options: dict[str, Any] = {
        "title": "Libraries",
        "subject": "Travel",
        "found": ["Half have a library near."],
        "glance": [("Beyond", "50 residents")],
        "already_published": "https://example.org",
        "made_on": DAY,
        **changes,
    }
    levels = options.pop("levels", {"lsoa": areas(minutes=minutes, nearest=["L", "L", "L", None])})
    labels = options.pop("labels", [label_travel({"lsoa": minutes}, threshold=15, what="library")])
    return release_facts(levels, labels, **options)


def test_facts_are_no_policy_that_a_recipe_can_name() -> None:
    assert "facts" not in POLICIES
    with pytest.raises(DisclosureError, match="There is no policy 'facts'"):
        policy_named("facts")


def test_the_attacker_has_the_same_list_of_measures() -> None:
    assert tuple(FACT_COLUMNS) == ATTACKED == FACTS.extra_fields == tuple(FACT_HEADS)


def test_a_release_of_facts_has_no_count_and_says_its_own_words() -> None:
    made = facts()
    assert {"count", "rate", "class", "rank"}.isdisjoint(made.tables["lsoa"].values)
    assert made.tables["lsoa"].values["travel"].tolist() == [
        "within_a_third", "within", "beyond", "not_reached",
    ]  # fmt: skip
    page = area_map(made).render()
    assert "Half have a library near." in page
    assert "50 residents" in page
    assert not re.search(r"\brecords? of\b", page.partition("<script>")[0])


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"levels": {"lsoa": areas(referrals=[1, 2, 3, 4])}}, DisclosureError, "no facts of areas"),
        ({"already_published": "the intranet"}, DisclosureError, "is no address"),
        ({"found": []}, EmptyError, "nothing to show"),
        ({"labels": []}, EmptyError, "nothing to show"),
    ],
)
def test_what_is_no_fact_is_refused(changes: dict[str, Any], error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        facts(**changes)


def test_tables_of_facts_hold_residents_and_no_records() -> None:
    common: dict[str, Any] = {
        "title": "T", "paragraph": "", "method": "", "already_published": "https://example.org",
        "made_on": DAY,
    }  # fmt: skip
    table = pd.DataFrame({"site": ["Hub"], "count": [4]})
    with pytest.raises(DisclosureError, match="leave through release_sites"):
        release_fact_table("sites", table, **common)
    with pytest.raises(DisclosureError, match="is no address"):
        release_fact_table("sites", table[["site"]], **{**common, "already_published": "here"})


@pytest.mark.parametrize(("policy", "least"), [("public", 10), ("councillor", 5), ("nhs", 8)])
def test_what_sites_serve_is_hidden_or_rounded(policy: str, least: int) -> None:
    sites = pd.DataFrame(
        {
            "site": [f"s{k}" for k in range(40)],
            "existing": False,
            "areas": 1,
            "count": np.arange(40.0),
            "longest": 2.5,
            "mean": 1.25,
        }
    )
    made = release_sites(
        sites, policy=policy, sensitivity="personal", title="T", paragraph="", method="",
        made_on=DAY,
    )  # fmt: skip
    shown = made.table["count"].dropna()
    assert (shown % 5 == 0).all()
    assert shown[shown > 0].min() >= least
    assert made.table["status"].eq("hidden").sum() == made.table["count"].isna().sum()
    assert "mean" not in made.table


@given(
    minutes=st.lists(st.floats(0, 200), min_size=4, max_size=4),
    threshold=st.floats(1, 60),
)
def test_an_area_is_far_exactly_where_it_is_beyond(minutes: list[float], threshold: float) -> None:
    travel = pd.Series(minutes, CODES)
    labels = label_travel({"lsoa": travel}, threshold=threshold, what="library")
    found = labels.tables["lsoa"]["label"].astype(str)
    clear = (travel - threshold).abs() > 1e-9 * threshold
    far = found.str.startswith("beyond")
    assert (far[clear] == (travel > threshold)[clear]).all()


def test_change_of_travel_knows_what_was_not_reached_before() -> None:
    before = pd.Series([np.nan, 20.0, 9.0, np.nan], CODES)
    after = pd.Series([12.0, 10.0, 12.0, np.nan], CODES)
    labels = label_change_in_travel({"lsoa": before}, {"lsoa": after})
    assert labels.tables["lsoa"]["label"].tolist() == [
        "much_nearer", "much_nearer", "farther", "same",
    ]  # fmt: skip


def test_a_threshold_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="above zero"):
        label_travel({"lsoa": pd.Series([1.0] * 4, CODES)}, threshold=0, what="library")


def told(**changes: Any) -> AccessFacts:
    travel = pd.Series([4.0, 16.0, 5.0, np.nan], CODES)
    table = pd.DataFrame(
        {
            "area_name": list("ABCD"),
            "residents": [100.0, 200.0, 0.0, 50.0],
            "travel": travel,
            "nearest": ["L", "L", "L", None],
            "beyond": [0.0, 200.0, 0.0, 50.0],
        },
        index=CODES,
    )
    table = table.assign(**changes)
    return AccessFacts("library", "Libraries", 1, "minutes", 15, "on foot", table)


def test_words_begin_with_how_many_are_beyond_and_name_who_reaches_none() -> None:
    said = access_words(told())
    assert said[0].startswith("71% of residents (about 250 of 350) live more than 15 minutes")
    assert any("From 1 areas (D) no library" in sentence for sentence in said)
    assert any("from B (16.0 minutes to L)" in sentence for sentence in said)


def test_nobody_beyond_is_good_news() -> None:
    said = access_words(told(beyond=0.0, travel=3.0))
    assert said[0].startswith("Nobody lives more than 15 minutes")


@pytest.mark.parametrize(
    ("part", "words"),
    [(0, "none"), (1, "under 1%"), (500, "50%"), (999, "over 99%"), (1000, "100%")],
)
def test_shares_are_none_or_all_only_where_they_are(part: int, words: str) -> None:
    assert percent(part, 1000) == words


def test_the_gap_stands_at_a_glance_whatever_it_is() -> None:
    from dataclasses import replace

    from placeshaping.reports.siting_words import SitingFacts, siting_glance, siting_words

    places = pd.Index(["x", "y"])
    pairs = pd.DataFrame(
        {"origin": list(CODES) * 2, "service": ["x"] * 4 + ["y"] * 4, "cost": np.arange(8.0)}
    )
    costs = costs_from_table(pairs, CODES, places)
    plan = p_median(pd.Series(10.0, CODES), costs, sites=2, existing=["x"])
    table = plan.areas.assign(
        area_name=list("ABCD"), residents=10.0, after=plan.areas["minutes"],
        before=plan.areas["minutes_before"],
    )  # fmt: skip
    known = SitingFacts(plan, "hub", "hubs", 15, table, None, ("x",), "residents")
    assert ("How good", "proved to be the best") in siting_glance(known, where="Here")
    open_plan = replace(plan, proven=False, gap=0.034)
    glance = siting_glance(replace(known, plan=open_plan), where="Here")
    assert ("How good", "at most 3.4% from the best") in glance
    assert any("at most 3.4% from the best" in one
               for one in siting_words(replace(known, plan=open_plan)))  # fmt: skip


def test_a_recipe_without_the_section_says_so() -> None:
    from placeshaping.project.place_inputs import read_place_recipe

    with pytest.raises(RecipeError, match=r"recipe has no section \[access\]"):
        read_place_recipe({"title": "x"}, section="access")
