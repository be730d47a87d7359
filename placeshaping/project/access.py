"""The command `access`: how far people have to a service, and whom the distance falls on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.provenance import SourceFile
from placeshaping.project.access_measure import Measured, measure_access
from placeshaping.project.access_request import AccessRequest
from placeshaping.project.place_inputs import (
    PlaceInputs,
    PlaceRecipe,
    Travel,
    folder_of,
    read_network,
    read_place,
    read_place_recipe,
)
from placeshaping.project.place_services import chosen_services
from placeshaping.project.sections import check_keys

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.disclosure.records import Records
    from placeshaping.disclosure.release import Release
    from placeshaping.reports.access_words import AccessFacts


@dataclass(frozen=True)
class AccessOutcome:
    """
    What the command made.

    Attributes
    ----------
    folder, files
        Where, and what was written.
    released
        What the map and layers show.
    found
        What was found, in sentences.
    notes
        What a reader must know of the inputs.
    """

    folder: Path
    files: tuple[Path, ...]
    released: Release
    found: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "found": list(self.found),
            "notes": list(self.notes),
        }


def run_access(
    recipe: str | Path | Mapping[str, Any], *, made_on: dt.date, folder: str | Path | None = None
) -> AccessOutcome:
    """
    Measure access to a service, and write map, layers, tables and report.

    Parameters
    ----------
    recipe
        A TOML file with a section `[access]`, or its content.
    made_on
        The day that products bear, unless the recipe says another.
    folder
        What paths in the recipe are relative to; by default the recipe's own
        folder, or the current one.

    Returns
    -------
    outcome
        Files and findings.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, or places lie outside the network.
    DisclosureError
        If a file gives something away; nothing is written then.
    """
    from placeshaping.project.place_products import write_place_products
    from placeshaping.reports.access_page import access_report

    base = folder_of(recipe, folder)
    given, asked = read_place_recipe(recipe, section="access")
    request = check_keys(AccessRequest, asked, where="recipe", under="access")
    inputs = read_place(given, folder=base, ages=request.ages)
    services = chosen_services(inputs.services, request.services, key="access.services")
    sources = list(inputs.sources)
    network = read_network(request, base, sources)
    measured = measure_access(request, inputs, services, network)
    facts = facts_of(request, inputs, services, measured)
    day = given.made_on or made_on
    released = release_access(
        given, request, inputs, services, measured, facts, made_on=day, sources=sources
    )
    tables = _tables(given, inputs, services, facts, released)
    report = access_report(facts, released, ladder=inputs.ladder)
    files = write_place_products(
        released,
        base / request.output,
        tables=tables,
        report=report,
        content=given.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"secret"}),
    )
    return AccessOutcome(base / request.output, files, released, released.found, inputs.notes)


def facts_of(
    request: AccessRequest, inputs: PlaceInputs, services: PublicPlaces, measured: Measured
) -> AccessFacts:
    """Put together what words and tables tell."""
    from placeshaping.reports.access_words import AccessFacts
    from placeshaping.shaping.equity import equity_table, people_beyond

    areas = measured.areas.assign(area_name=inputs.areas["area_name"], residents=inputs.residents)
    facts = AccessFacts(
        request.service,
        services.title,
        len(services.points),
        request.unit,
        request.threshold,
        _way(request),
        areas,
    )
    away, units = measured.travel[request.unit], measured.origins
    beyond = request.threshold
    if inputs.decile is not None and inputs.decile.notna().any():
        decile = units["area_code"].map(inputs.decile)
        table = equity_table(away, units["residents"], decile, beyond=beyond)
        facts = replace(facts, equity=table, concentration=_concentration(facts, inputs.decile))
    if inputs.ages is not None and inputs.ages.to_numpy().sum() > 0:
        share = units["residents"] / units["area_code"].map(inputs.residents).where(lambda n: n > 0)
        people = inputs.ages.reindex(units["area_code"]).set_axis(units.index)
        people = people.mul(share.fillna(0.0), axis=0)
        known = (
            units["area_code"].map(inputs.decile) if inputs.decile is not None else share * 0 + 1
        )
        facts = replace(facts, ages=people_beyond(away, people, known, beyond=beyond))
    return facts


def _concentration(facts: AccessFacts, decile: pd.Series[float]) -> Any:
    """Work out whom the long ways fall on; None where nobody has any, or tenths are too few."""
    from placeshaping.statistics.concentration import concentration_index

    used = facts.areas[(facts.areas["residents"] > 0) & decile.notna()]
    tenths = decile.reindex(used.index).astype("float64")
    if not used["beyond"].sum() > 0 or tenths.nunique() < 3:
        return None
    return concentration_index(used["beyond"], used["residents"], tenths)


def _way(request: Travel) -> str:
    if request.streets is None:
        way = "in a straight line" if request.detour == 1 else f"{request.detour:g} straight lines"
        return way if request.unit == "metres" else f"on foot, {way},"
    if request.unit == "metres":
        return "along streets"
    return "on foot along streets" if request.speeds is None else "by road at stated speeds"


def release_access(
    recipe: PlaceRecipe,
    request: AccessRequest,
    inputs: PlaceInputs,
    services: PublicPlaces,
    measured: Measured,
    facts: AccessFacts,
    *,
    made_on: dt.date,
    sources: Sequence[SourceFile],
) -> Release:
    """Make the release of the travel that was measured."""
    from placeshaping.disclosure.facts import release_facts
    from placeshaping.joins.sectors import sectors_of
    from placeshaping.project.place_levels import levels_of, place_name
    from placeshaping.reports.access_words import access_glance, access_words, cautions_of
    from placeshaping.shaping.travel_classes import label_travel

    columns = {request.unit: measured.areas["travel"], "nearest": measured.areas["nearest"]}
    if "per_1000" in measured.areas:
        columns["per_1000"] = measured.areas["per_1000"].round(3)
    levels = levels_of(inputs, columns, means=(request.unit,))
    labels = label_travel(
        {level: areas[request.unit] for level, areas in levels.items()},
        threshold=request.threshold,
        what=request.service,
        unit=request.unit,
        method=measured.method,
    )
    name = place_name(inputs.ladder)
    told = (*inputs.notes, *measured.cautions)
    return release_facts(
        levels,
        [labels],
        title=request.title or f"How far is the nearest {request.service}? {name}",
        subject=f"Travel to the nearest {request.service}",
        found=access_words(facts),
        glance=access_glance(facts, where=name),
        already_published=services.published_at,
        made_on=made_on,
        purpose=recipe.purpose,
        contact=recipe.contact,
        notes=(measured.method, *inputs.notes),
        cautions=tuple(cautions_of(told)),
        places=[services],
        sectors={} if inputs.postcodes is None else sectors_of(inputs.postcodes, inputs.areas),
        sources=sources,
    )


def _tables(
    recipe: PlaceRecipe,
    inputs: PlaceInputs,
    services: PublicPlaces,
    facts: AccessFacts,
    released: Release,
) -> list[Records]:
    """Release the tables of equity and of ages, as far as there are some."""
    from placeshaping.disclosure.fact_tables import release_fact_table

    names = {
        "decile": "imd_decile", "population": "residents", "beyond": "residents_beyond",
        "share": "share_beyond",
    }  # fmt: skip
    found: dict[Any, pd.DataFrame] = {}
    if facts.equity is not None:
        found["equity"] = facts.equity.reset_index().rename(columns=names)
    if facts.ages is not None:
        ages = facts.ages.rename(columns=names)
        found["ages"] = ages if inputs.decile is not None else ages.drop(columns="imd_decile")
    what = {"equity": "by tenth of deprivation", "ages": "by age band"}
    return [
        release_fact_table(
            kind,
            table[table["residents"] > 0],
            title=f"{released.title}: {what[kind]}",
            paragraph=released.found[0],
            method=_in_unit(table.attrs["method"], facts.unit),
            already_published=services.published_at,
            made_on=released.made_on,
            purpose=recipe.purpose,
            contact=recipe.contact,
            cautions=table.attrs["cautions"],
            sources=released.sources,
        )
        for kind, table in found.items()
    ]


def _in_unit(method: str, unit: str) -> str:
    """Write a method that speaks of minutes in the unit that was asked for."""
    if unit == "minutes":
        return method
    return method.replace("Minutes", unit.capitalize()).replace("minutes", unit)
