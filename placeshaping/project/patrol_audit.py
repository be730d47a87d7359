"""Who bears a patrol layer, whether it may be used, and the record that goes with it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.errors import ColumnError, RecipeError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.patrol_choice import lift_of, scores_of, target_of
from placeshaping.project.patrol_facts import FLOOR, STEPS

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from placeshaping.disclosure.release import Release
    from placeshaping.likelihood.offences import Override
    from placeshaping.project.patrol_facts import PatrolFacts
    from placeshaping.project.patrol_forecast import FittedPlace
    from placeshaping.project.patrol_request import PatrolRequest
    from placeshaping.reports.layer_audit import Decision, LayerAudit, Triggers, Urn
    from placeshaping.reports.transparency import TransparencyRecord
    from placeshaping.shaping.patrol import PatrolPlan

BURDENS = "patrol-burdens.json"
"""Burdens of former answers; it lies beside the requests."""

KIND = "deprivation decile"
"""The groups of residents that a layer is audited by, beside those of its census tables."""

ROUNDING = 5
"""Numbers of records are rounded to it before anything is worked out from them."""

_PRECISION = {
    "month": "Records tell the month.",
    "day": "Records tell the day.",
    "time": "Records tell the day and the time.",
}


@dataclass(frozen=True, eq=False)
class Judgement:
    """
    Who bears a layer, and whether it may be used.

    Attributes
    ----------
    audit
        Without burdens where neither residents with their deprivation nor a census
        table is given.
    decision
        It may; or somebody has signed for it.
    series
        What its burden is followed under from answer to answer, before the kind
        of the groups.
    sources
        Files that it was audited with, and that no model has seen.
    """

    audit: LayerAudit
    decision: Decision
    series: str
    sources: tuple[SourceFile, ...]

    @property
    def audited(self) -> str:
        """What every product says of the audit; nothing where nobody could be counted."""
        if not self.audit.burdens:
            return ""
        files = listed([one.name for one in self.sources], most=9)
        return (
            f"Audited by {listed(list(self.audit.burdens), most=9)} ({files}), which no model and "
            "no plan has seen: see the transparency record."
        )

    @property
    def signed(self) -> tuple[str, ...]:
        """What every product says of a withdrawn layer; nothing of another."""
        signed = self.decision.override
        if signed is None:
            return ()
        why = " ".join(self.decision.reasons)
        return (f"{why} Used all the same: {signed.by}. Reason: {signed.reason}",)


def judge(
    request: PatrolRequest,
    fitted: FittedPlace,
    plan: PatrolPlan,
    expected: NDArray[np.float64],
    *,
    folder: Path,
    day: dt.date,
) -> Judgement:
    """
    Audit a plan and decide whether it may be used; nothing is written.

    Parameters
    ----------
    request
        With its triggers and, where somebody has signed, its override.
    fitted
        The model and the place.
    plan
        What is flagged.
    expected
        What is expected of each unit in a step of the history.
    folder
        What paths are relative to; the register of burdens is in it.
    day
        Of the decision.

    Returns
    -------
    judgement
        For the record, and for `keep_burden`.

    Raises
    ------
    WithdrawnError
        If a condition for withdrawing the layer is met and nobody has signed.
    InputError
        If residents, deprivation or a census table cannot be used.
    """
    from placeshaping.reports.burden_register import read_burdens
    from placeshaping.reports.layer_audit import decide

    series = _series(request)
    sources: list[SourceFile] = []
    residents = _all_residents(request, fitted.place.areas, folder, sources)
    former = {
        kind: {
            when: burden
            for when, burden in read_burdens(folder / BURDENS, series=f"{series}{kind}").items()
            if when < day.isoformat()  # this answer takes the place of one of the same day
        }
        for kind in residents
    }
    audit = _audit(fitted, plan, residents, _urn(fitted, plan, expected), former)
    decision = decide(
        lift_upper=lift_of(request, fitted.model, folder=folder),
        audit=audit,
        decided_on=day,
        triggers=_triggers(request),
        override=_override(request),
    )
    return Judgement(audit, decision, series, tuple(sources))


def make_record(
    request: PatrolRequest,
    fitted: FittedPlace,
    released: Release,
    facts: PatrolFacts,
    judgement: Judgement,
    *,
    folder: Path,
) -> TransparencyRecord:
    """
    Put the transparency record of a layer together.

    Parameters
    ----------
    request, fitted, released, facts, judgement
        What is known of the layer.
    folder
        What the path of a backtest is relative to.

    Returns
    -------
    record
        For `transparency.write_record` and `atrs.make_atrs`.
    """
    from placeshaping.reports.transparency import LayerFacts, TransparencyRecord

    wanted = {one.name for one in dataclasses.fields(LayerFacts)}
    known = {
        one.name: getattr(facts, one.name)
        for one in dataclasses.fields(facts)
        if one.name in wanted
    }
    told = {
        **known,
        "unlocated": round(facts.unlocated, 3),
        "elsewhere": round(facts.elsewhere, 3),
        "sources": tuple(
            dataclasses.replace(one, rows=None) for one in (*facts.sources, *judgement.sources)
        ),
        "marks": tuple(re.sub(r"^Cell \S+", "A cell of this layer", one) for one in facts.marks),
        "precision": _PRECISION[fitted.place.resolution],
        "policy": released.policy.name,
        "privacy": tuple(one for one in released.statement if not one.startswith("Grid of")),
    }
    scores, calibration, groups = scores_of(request, folder=folder)
    return TransparencyRecord(
        LayerFacts(**told), judgement.decision, judgement.audit, scores, calibration, groups
    )


def keep_burden(judgement: Judgement, *, folder: Path, day: dt.date) -> None:
    """
    Enter the burden of an answer in the register, for the answers to come.

    Parameters
    ----------
    judgement
        Of the answer.
    folder
        Where the register is.
    day
        Of the answer.

    Raises
    ------
    OutputError
        If the register cannot be written.
    """
    from placeshaping.reports.burden_register import add_burden

    for kind, burden in judgement.audit.burdens.items():
        series = f"{judgement.series}{kind}"
        add_burden(folder / BURDENS, burden, series=series, released_on=day)


def _series(request: PatrolRequest) -> str:
    """Name what is followed: layers of one district, offence, shift and size of cells."""
    areas, shift = request.areas, request.shift
    named = [] if areas is None else areas.within or [Path(areas.file).stem]
    return (
        f"{' and '.join(named)}, {target_of(request).name}, {shift.start} to {shift.end}, "
        f"{request.cover.cell_size} m, by "
    )


def _all_residents(
    request: PatrolRequest, areas: gpd.GeoDataFrame, folder: Path, sources: list[SourceFile]
) -> dict[str, pd.DataFrame]:
    """Return residents by kind of group, each table tagged as an audit's alone."""
    from placeshaping.project.patrol_census import read_census

    deciles = _residents(request, areas, folder, sources)
    tables = {} if deciles is None else {KIND: deciles}
    for given in request.census:
        kind, people = read_census(given, areas, folder=folder)
        if kind in (*tables, KIND):
            msg = f"census: two tables are called {kind!r}. Tell them apart: name = '...'."
            raise RecipeError(msg)
        tables[kind] = people
        sources.append(describe_file(folder / given.file, f"{kind}, for the audit alone"))
    return tables


def _residents(
    request: PatrolRequest, areas: gpd.GeoDataFrame, folder: Path, sources: list[SourceFile]
) -> pd.DataFrame | None:
    """Return residents by decile of each small area, tagged as an audit's alone."""
    if request.population is None or request.population.residents is None:
        return None
    if request.deprivation is None:
        return None
    from placeshaping.joins.attributes import attach_deprivation, attach_population
    from placeshaping.likelihood.groups import residents_by_decile
    from placeshaping.sources.deprivation import read_deprivation
    from placeshaping.sources.populations import read_population

    files = (folder / request.population.residents, folder / request.deprivation.file)
    population, deprivation = read_population(files[0]), read_deprivation(files[1])
    for name, column, table in (
        (files[0].name, "residents", population),
        (files[1].name, "imd_decile", deprivation),
    ):
        if column not in table:
            msg = f"{name} holds no {column}; the audit of the layer needs it. Name another file."
            raise ColumnError(msg)
    people = attach_population(areas[["geometry"]], population)["residents"]
    decile = attach_deprivation(areas[["geometry"]], deprivation)["imd_decile"]
    sources += [
        describe_file(files[0], "residents, for the audit alone"),
        describe_file(files[1], "deprivation, for the audit alone"),
    ]
    table = residents_by_decile(decile, people)
    return table.loc[:, table.sum() > 0]


def _audit(
    fitted: FittedPlace,
    plan: PatrolPlan,
    residents: Mapping[str, pd.DataFrame],
    urn: Urn | None,
    former: Mapping[str, Mapping[str, pd.DataFrame]],
) -> LayerAudit:
    from placeshaping.likelihood.groups import share_flagged
    from placeshaping.reports.layer_audit import audit_layer

    place = fitted.place
    flagged = share_flagged(place.cells.loc[plan.cells.index], place.areas)
    return audit_layer(flagged.to_frame("this release"), residents, former=former, urn=urn)


def _urn(fitted: FittedPlace, plan: PatrolPlan, expected: NDArray[np.float64]) -> Urn | None:
    """
    Return what the feedback urn is run with: patrol areas against the rest of the district.

    From rounded numbers alone, so that whatever it prints gives nothing else
    away; None where either side holds fewer records than are ever told.
    """
    import numpy as np

    from placeshaping.reports.layer_audit import Urn

    history = fitted.fitted.history
    inside = history.units.codes.isin(plan.cells.index)
    counted = history.total()
    held = np.array([counted[inside].sum(), counted[~inside].sum()])
    if held.min() < FLOOR:
        return None
    rounded = np.round(held / ROUNDING) * ROUNDING
    step = next((one for one in STEPS[1:] if one * held.sum() >= ROUNDING), 0.5)
    share = float(expected[inside].sum() / expected.sum())
    share = float(np.clip(round(share / step) * step, step, 1 - step))
    a_day = float(rounded.sum() / history.days.sum())
    return Urn(
        expected=(a_day * share, a_day * (1 - share)),
        recorded=(float(rounded[0]), float(rounded[1])),
        tag=history.target.tag,
    )


def _triggers(request: PatrolRequest) -> Triggers:
    from placeshaping.reports.layer_audit import Triggers

    return Triggers(**request.triggers.model_dump(exclude_none=True))


def _override(request: PatrolRequest) -> Override | None:
    from placeshaping.likelihood.offences import Override

    given = request.override
    return None if given is None else Override(given.by, given.because)
