"""A choice of sites as it may leave: travel before and after, and the table of sites."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed
from placeshaping._core.provenance import SourceFile
from placeshaping.project.place_inputs import (
    PlaceInputs,
    PlaceRecipe,
)
from placeshaping.project.siting_candidates import Candidates
from placeshaping.project.siting_demand import Demand
from placeshaping.project.siting_request import SitingRequest

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.disclosure.records import Records
    from placeshaping.disclosure.release import Release
    from placeshaping.reports.siting_words import SitingFacts


def release_siting(
    recipe: PlaceRecipe,
    request: SitingRequest,
    inputs: PlaceInputs,
    facts: SitingFacts,
    candidates: Candidates,
    made_on: dt.date,
    sources: Sequence[SourceFile],
) -> Release:
    """Make the release of travel before and after; it holds no demand."""
    from placeshaping.disclosure.facts import release_facts
    from placeshaping.joins.sectors import sectors_of
    from placeshaping.project.place_levels import levels_of, place_name
    from placeshaping.reports.siting_words import siting_cautions, siting_glance, siting_words

    unit, areas = request.unit, facts.areas
    columns: dict[str, pd.Series[Any]] = {unit: areas["after"], "nearest": areas["site"]}
    if facts.existing:
        columns |= {f"{unit}_before": areas["before"], "nearest_before": areas["site_before"]}
    levels = levels_of(inputs, columns, means=[unit, f"{unit}_before"])
    name = place_name(inputs.ladder)
    return release_facts(
        levels,
        _labels(request, facts, levels),
        title=request.title or f"Where to put {request.services}: {name}",
        subject=f"Travel to the nearest {request.service}",
        found=siting_words(facts),
        glance=siting_glance(facts, where=name),
        already_published=candidates.published_at,
        made_on=made_on,
        purpose=recipe.purpose,
        contact=recipe.contact,
        notes=(facts.plan.method, *_promises(request), *inputs.notes),
        cautions=siting_cautions(facts),
        places=_places(facts, candidates),
        sectors={} if inputs.postcodes is None else sectors_of(inputs.postcodes, inputs.areas),
        sources=sources,
    )


def _promises(request: SitingRequest) -> list[str]:
    """Name the deprivation index where the choice rests on it."""
    return [
        f"The choice uses the Index of Multiple Deprivation: in areas of its tenths "
        f"{listed(promise.deciles, most=10)} {promise.share:.0%} of the demand has a site within "
        f"{promise.within:g} {request.unit}."
        for promise in request.guarantees
    ]


def _labels(
    request: SitingRequest, facts: SitingFacts, levels: Mapping[str, gpd.GeoDataFrame]
) -> list[Any]:
    from placeshaping.shaping.travel_classes import label_change_in_travel, label_travel

    unit, before = request.unit, f"{request.unit}_before"
    after = {level: areas[unit] for level, areas in levels.items()}
    known: dict[str, Any] = {
        "threshold": request.threshold, "what": request.service, "unit": unit,
        "method": facts.plan.method,
    }  # fmt: skip
    if not facts.existing:
        return [label_travel(after, name="travel", **known)]
    today = {level: areas[before] for level, areas in levels.items()}
    title = f"{unit.capitalize()} to the nearest {request.service}"
    return [
        label_change_in_travel(today, after, unit=unit),
        label_travel(after, name="travel", title=f"{title}, proposed", button="Proposed", **known),
        label_travel(today, name="today", title=f"{title}, today", button="Today", **known),
    ]


def _places(facts: SitingFacts, candidates: Candidates) -> list[PublicPlaces]:
    """Return sites of today that stay, those that go, and new ones, as kinds of their own."""
    from placeshaping.disclosure.public_places import public_places

    chosen = facts.plan.sites.index
    groups = {
        "New sites": [name for name in chosen if name not in facts.existing],
        "Sites of today": [name for name in facts.existing if name in chosen],
        "Sites of today, left out": [name for name in facts.existing if name not in chosen],
    }
    points = candidates.points
    return [
        public_places(
            points.loc[names].assign(name=names).reset_index(drop=True)[["name", "geometry"]],
            title=title,
            published_at=candidates.published_at,
        )
        for title, names in groups.items()
        if names
    ]


def release_table(
    recipe: PlaceRecipe,
    request: SitingRequest,
    facts: SitingFacts,
    demand: Demand,
    released: Release,
) -> Records:
    """Release the table of sites: residents as they are, records as the policy has them."""
    from placeshaping.disclosure.fact_tables import release_fact_table, release_sites

    plan = facts.plan
    table = plan.sites.rename_axis("site").reset_index()
    words: dict[str, Any] = {
        "title": f"{released.title}: sites",
        "paragraph": released.found[0],
        "method": plan.method,
        "made_on": released.made_on,
        "purpose": recipe.purpose,
        "contact": recipe.contact,
        "cautions": plan.cautions,
        "sources": released.sources,
    }
    if request.demand == "residents":
        return release_fact_table(
            "sites",
            table.rename(columns={"demand": "residents"}),
            already_published=str(released.already_published),
            **words,
        )
    return release_sites(
        table.rename(columns={"demand": "count"}),
        policy=demand.policy,
        sensitivity=demand.sensitivity,
        already_published=demand.already_published,
        expires=recipe.expires,
        **words,
    )
