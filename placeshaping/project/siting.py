"""The command `site`: the best places for facilities, before and after, and how good they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import RecipeError, UnmatchedError
from placeshaping._core.provenance import SourceFile
from placeshaping.project.place_inputs import (
    PlaceInputs,
    folder_of,
    read_network,
    read_place,
    read_place_recipe,
)
from placeshaping.project.sections import check_keys
from placeshaping.project.siting_candidates import Candidates, read_candidates
from placeshaping.project.siting_demand import Demand, read_demand
from placeshaping.project.siting_release import release_siting, release_table
from placeshaping.project.siting_request import SitingRequest

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.disclosure.release import Release
    from placeshaping.reports.siting_words import SitingFacts
    from placeshaping.shaping.siting import SitingPlan
    from placeshaping.shaping.travel import TravelCosts


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
        table = release_table(given, request, facts, demand, released)
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
