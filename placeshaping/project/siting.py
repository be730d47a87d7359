"""The command `site`: the best places for facilities, before and after, and how good they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import RecipeError, UnmatchedError
from placeshaping._core.provenance import SourceFile
from placeshaping.project.place_inputs import (
    PlaceInputs,
    PlaceRecipe,
    chosen_services,
    folder_of,
    labelled,
    read_network,
    read_place,
    read_place_recipe,
)
from placeshaping.project.sections import check_keys
from placeshaping.project.siting_demand import Demand, read_demand
from placeshaping.project.siting_request import AREAS, SitingRequest

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.disclosure.records import Records
    from placeshaping.disclosure.release import Release
    from placeshaping.reports.siting_words import SitingFacts
    from placeshaping.shaping.siting import SitingPlan
    from placeshaping.shaping.travel import TravelCosts


@dataclass(frozen=True)
class Candidates:
    """
    Where sites could be.

    Attributes
    ----------
    points
        Indexed by name: candidates and existing sites.
    existing
        Names of those in use today.
    published_at
        Address where they can be looked up.
    """

    points: gpd.GeoDataFrame
    existing: tuple[str, ...]
    published_at: str


@dataclass(frozen=True)
class SitingOutcome:
    """
    What the command made.

    Attributes
    ----------
    folder, files
        Where, and what was written.
    released
        What the map and layers show.
    plan
        The choice.
    found, notes
        What was found, and what a reader must know of the inputs.
    """

    folder: Path
    files: tuple[Path, ...]
    released: Release
    plan: SitingPlan
    found: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it; no demand, which policies may hide."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "sites": [str(name) for name in self.plan.sites.index],
            "objective": self.plan.objective,
            "bound": self.plan.bound,
            "gap": self.plan.gap,
            "found": list(self.found),
            "notes": list(self.notes),
        }


def run_siting(
    recipe: str | Path | Mapping[str, Any], *, made_on: dt.date, folder: str | Path | None = None
) -> SitingOutcome:
    """
    Choose sites and write map, layers, tables and report.

    Parameters
    ----------
    recipe
        A TOML file with a section `[siting]`, or its content.
    made_on
        The day that products bear, unless the recipe says another.
    folder
        What paths in the recipe are relative to; by default the recipe's own
        folder, or the current one.

    Returns
    -------
    outcome
        Files, the choice and what was found.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, there are more sites than candidates, or
        nothing meets what was asked for.
    DisclosureError
        If the policy is looser than the records allow, or a file gives
        something away; nothing is written then.
    """
    from placeshaping.project.place_products import write_place_products
    from placeshaping.reports.siting_page import siting_report

    base = folder_of(recipe, folder)
    given, asked = read_place_recipe(recipe, section="siting")
    request = check_keys(SitingRequest, asked, where="recipe", under="siting")
    inputs = read_place(given, folder=base)
    day = given.made_on or made_on
    candidates = read_candidates(request, inputs)
    sources = list(inputs.sources)
    with read_demand(request, given, inputs, folder=base, made_on=day) as demand:
        sources += demand.sources
        costs = _costs(request, inputs, candidates, base, sources)
        plan = solve(request, inputs, candidates, demand.weights, costs)
        facts = _facts(request, inputs, candidates, plan, demand)
        released = release_siting(given, request, inputs, facts, candidates, day, sources)
        table = _sites(given, request, facts, demand, released)
        report = siting_report(facts, released, table, ladder=inputs.ladder)
        content = given.model_dump(mode="json", by_alias=True, exclude_none=True,
                                   exclude={"secret"})  # fmt: skip
        with demand.entering() as enter:
            files = write_place_products(
                released,
                base / request.output,
                tables=[table],
                report=report,
                content=content,
                policy=demand.judged_by,
                enter=enter,
            )
    return SitingOutcome(base / request.output, files, released, plan, released.found, inputs.notes)


def read_candidates(request: SitingRequest, inputs: PlaceInputs) -> Candidates:
    """
    Put candidates and existing sites together.

    Raises
    ------
    RecipeError
        If there are no such places, or no address where they can be looked up.
    """
    import pandas as pd

    today = None
    if request.existing is not None:
        today = chosen_services(inputs.services, request.existing, key="siting.existing")
    named = None
    if request.candidates != AREAS:
        named = chosen_services(inputs.services, request.candidates, key="siting.candidates")
    address = request.already_published or next(
        (one.published_at for one in (named, today) if one is not None), None
    )
    if address is None:
        msg = (
            "siting.already_published: this key is needed: the address where anybody can find what "
            "the choice was worked out from (residents by area, for example)."
        )
        raise RecipeError(msg)
    points = _middles(inputs) if named is None else labelled(named)
    if today is None:
        return Candidates(points, (), address)
    existing = labelled(today)
    others = points[~points.index.isin(existing.index)]
    return Candidates(pd.concat([existing, others]), tuple(existing.index), address)


def _middles(inputs: PlaceInputs) -> gpd.GeoDataFrame:
    """Return the middles of the areas, named after them."""
    import geopandas as gpd

    names = inputs.areas["area_name"].astype(str)
    again = names.duplicated(keep=False)
    names = names.where(~again, names + " " + inputs.areas.index.astype(str))
    return gpd.GeoDataFrame(
        {"name": names.to_numpy()},
        geometry=inputs.areas.geometry.representative_point().to_numpy(),
        index=names.rename("site"),
        crs=inputs.areas.crs,
    )


def _costs(
    request: SitingRequest,
    inputs: PlaceInputs,
    candidates: Candidates,
    folder: Path,
    sources: list[SourceFile],
) -> TravelCosts:
    from placeshaping.shaping.travel import travel_costs

    return travel_costs(
        inputs.areas,
        candidates.points,
        network=read_network(request, folder, sources),
        unit=request.unit,
        walking=request.walking,
        detour=request.detour,
        outside=request.outside,
        reach=request.reach,
    )


def solve(
    request: SitingRequest,
    inputs: PlaceInputs,
    candidates: Candidates,
    demand: pd.Series[float],
    costs: TravelCosts,
) -> SitingPlan:
    """
    Choose sites as the request says.

    Raises
    ------
    InputError
        If nothing meets what was asked for.
    """
    from placeshaping.shaping import siting

    known: dict[str, Any] = {
        "existing": candidates.existing,
        "keep": request.keep,
        "guarantees": _guarantees(request, inputs),
        "exact": request.exact,
        "seconds": request.seconds,
        "rng": request.seed,
    }
    if request.measure == "set covering":
        return siting.set_covering(demand, costs, within=request.within or 0.0, **known)
    kept = len(candidates.existing) if request.keep else 0
    known["sites"] = kept + request.new if request.new is not None else request.sites
    if request.measure == "maximal covering":
        return siting.maximal_covering(demand, costs, within=request.within or 0.0, **known)
    if request.measure == "p-centre":
        return siting.p_centre(demand, costs, **known)
    return siting.p_median(demand, costs, capacity=_capacity(request, costs), **known)


def _guarantees(request: SitingRequest, inputs: PlaceInputs) -> list[Any]:
    from placeshaping.shaping.siting import Guarantee

    if request.guarantees and inputs.decile is None:
        msg = (
            "siting.guarantees: tenths of deprivation are not known. Name the file: a section "
            "[deprivation]."
        )
        raise RecipeError(msg)
    found = []
    for promise in request.guarantees:
        decile = inputs.decile
        group = [] if decile is None else list(decile.index[decile.isin(promise.deciles)])
        if not group:
            msg = (
                f"siting.guarantees: no area is in the tenths {listed(promise.deciles)} of "
                "deprivation. Name others, or leave the guarantee out."
            )
            raise RecipeError(msg)
        found.append(Guarantee(group, promise.within, promise.share))
    return found


def _capacity(request: SitingRequest, costs: TravelCosts) -> pd.Series[float] | None:
    import pandas as pd

    if request.capacity is None and not request.capacities:
        return None
    names = [str(name) for name in costs.services]
    strange = [name for name in request.capacities if name not in names]
    if strange:
        near = near_names(strange[0], names)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = (
            f"siting.capacities names {len(strange):,} places that are no candidates "
            f"({listed(strange)}).{hint}"
        )
        raise UnmatchedError(msg)
    if request.capacity is None and len(request.capacities) < len(names):
        bare = [name for name in names if name not in request.capacities]
        msg = (
            f"siting.capacities: {len(bare):,} candidates have none ({listed(bare)}). Give each "
            "one, or siting.capacity for all others."
        )
        raise RecipeError(msg)
    room = {name: request.capacities.get(name, request.capacity) for name in names}
    return pd.Series(room, dtype="float64").reindex(costs.services)


def _facts(
    request: SitingRequest,
    inputs: PlaceInputs,
    candidates: Candidates,
    plan: SitingPlan,
    demand: Demand,
) -> SitingFacts:
    from placeshaping.reports.siting_words import SitingFacts

    unit = request.unit
    areas = plan.areas.assign(
        area_name=inputs.areas["area_name"], residents=inputs.residents, after=plan.areas[unit]
    )
    if candidates.existing:
        areas = areas.assign(before=plan.areas[f"{unit}_before"])
    return SitingFacts(
        plan=plan,
        service=request.service,
        services=request.services,
        threshold=request.threshold,
        areas=areas,
        decile=inputs.decile,
        existing=candidates.existing,
        people=demand.name,
    )


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
        notes=(facts.plan.method, *inputs.notes),
        cautions=siting_cautions(facts),
        places=_places(facts, candidates),
        sectors={} if inputs.postcodes is None else sectors_of(inputs.postcodes, inputs.areas),
        sources=sources,
    )


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


def _sites(
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
