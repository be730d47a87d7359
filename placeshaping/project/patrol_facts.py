"""What is known of a patrol product, for its pages and for programs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed

if TYPE_CHECKING:
    from placeshaping._core.provenance import SourceFile
    from placeshaping.project.patrol_audit import Judgement
    from placeshaping.project.patrol_forecast import FittedPlace
    from placeshaping.project.patrol_register import Mark
    from placeshaping.project.patrol_request import PatrolRequest
    from placeshaping.shaping.patrol import PatrolPlan

FLOOR = 5
"""Numbers of records under it are never told."""

STEPS = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Shares are told in the smallest of these steps that holds as many records as `FLOOR`."""

_TWO_DIGITS = 500


@dataclass(frozen=True)
class PatrolFacts:
    """
    What the transparency page, and whoever audits, needs to know of a patrol product.

    Attributes
    ----------
    title, purpose, decides, contact
        As the request says.
    shift
        In words.
    offences
        Offence -> how it comes to be recorded.
    overrides
        Sentences about refused offences that somebody signed for.
    model, because, parameters
        The model, why it was taken, and what it learned.
    method, visiting
        How cells became patrol areas, and how the order of visits was found.
    records_from, records_to
        First and last day of the records.
    unlocated, elsewhere
        Shares of the records without a place, and outside the district.
    seed
        Of whatever was drawn.
    sources
        Files by checksum.
    cells, patrols, share_of_area
        Cells flagged, in how many patrol areas, and their share of the district.
    flagged
        Codes of the flagged cells.
    cell_size
        Metres.
    made_on, expires
        Dates.
    cautions
        Sentences for every product.
    marks
        Cells that a planner has marked as wrong, in sentences.
    audited
        By which groups the layer was audited, in a sentence; empty where by none.
    request
        Checksum of the request.
    """

    title: str
    purpose: str
    decides: str
    contact: str
    shift: str
    offences: Mapping[str, str]
    overrides: tuple[str, ...]
    model: str
    because: str
    parameters: Mapping[str, float | str]
    method: str
    visiting: str
    records_from: str
    records_to: str
    unlocated: float
    elsewhere: float
    seed: int
    sources: tuple[SourceFile, ...]
    cells: int
    patrols: int
    share_of_area: float
    flagged: tuple[str, ...]
    cell_size: int
    made_on: dt.date
    expires: dt.date
    cautions: tuple[str, ...]
    marks: tuple[str, ...]
    audited: str
    request: str


def make_facts(
    request: PatrolRequest,
    fitted: FittedPlace,
    plan: PatrolPlan,
    marks: tuple[Mark, ...],
    judgement: Judgement,
    made_on: dt.date,
    digest: str,
) -> PatrolFacts:
    """
    Put together what is known of an answer.

    Parameters
    ----------
    request, fitted, plan, judgement
        What was asked for, and what came of it.
    marks
        Cells that planners have marked as wrong, of whatever answer.
    made_on
        Date that the products bear.
    digest
        Checksum of the request.

    Returns
    -------
    facts
        For every product.
    """
    place, history = fitted.place, fitted.fitted.history
    target = history.target
    flagged = tuple(str(code) for code in plan.cells.index)
    return PatrolFacts(
        title=request.heading,
        purpose=request.purpose,
        decides=request.decides,
        contact=request.contact,
        shift=request.shift.words,
        offences=dict(target.tags),
        overrides=target.cautions,
        model=fitted.model,
        because=fitted.because,
        parameters=told_parameters(fitted.fitted.parameters, history.n),
        method=plan.method,
        visiting=_visiting(request, plan),
        records_from=f"{history.periods[0]:%Y-%m-%d}",
        records_to=f"{history.cutoff - dt.timedelta(days=1):%Y-%m-%d}",
        unlocated=told_share(place.unlocated, place.rows),
        elsewhere=told_share(place.elsewhere, place.rows),
        seed=request.seed,
        sources=place.sources,
        cells=len(flagged),
        patrols=len(plan.patrols),
        share_of_area=plan.share_of_area,
        flagged=flagged,
        cell_size=request.cover.cell_size,
        made_on=made_on,
        expires=request.last_day,
        cautions=(*history.cautions, *judgement.signed),
        marks=tuple(mark.sentence for mark in marks if mark.cell in flagged),
        audited=judgement.audited,
        request=digest,
    )


def told_share(part: int, whole: int) -> float:
    """
    Return a share in the smallest of some steps that holds five records or more.

    Examples
    --------
    >>> told_share(137, 324_000), told_share(137, 3_200), told_share(7, 90)
    (0.0, 0.04, 0.1)
    """
    step = next((one for one in STEPS if one * whole >= FLOOR), 1.0)
    return round(round(part / whole / step) * step, 3)


def told_parameters(parameters: Mapping[str, float | str], records: int) -> dict[str, float | str]:
    """
    Return what a model has learned, so coarsely that no number of records comes back.

    The mean of a district, its cells and days give the records of the district; from one day's
    answer to the next that would be the records of the day.

    Parameters
    ----------
    parameters
        As they were learned.
    records
        How many the model has learned from.

    Returns
    -------
    told
        Numbers to two digits, of fewer than 500 records to one.

    Examples
    --------
    >>> told_parameters({"mean": 0.0037259, "kernel": "gaussian"}, 1753)
    {'mean': 0.0037, 'kernel': 'gaussian'}
    """
    digits = 2 if records >= _TWO_DIGITS else 1
    return {
        name: value if isinstance(value, str) else float(f"{value:.{digits}g}")
        for name, value in parameters.items()
    }


def _visiting(request: PatrolRequest, plan: PatrolPlan) -> str:
    """Say by what the order of visits goes, and how long the rounds are."""
    if request.streets is None:
        return (
            "No streets file was given: the order of visits goes by straight lines between the "
            "middles of cells, whatever lies between."
        )
    rounds = ", ".join(
        f"{letter} {km:.1f} km"
        for letter, km in zip(ascii_uppercase, plan.patrols["walk_km"], strict=False)
    )
    told = (
        f"The order of visits goes along the streets of {Path(request.streets).name}, from middle "
        f"to middle of the cells; rounds: {rounds}."
    )
    off = plan.cells[plan.cells["off_streets"]]
    if not len(off):
        return told
    names = [
        f"{ascii_uppercase[p - 1]}{v}" for p, v in zip(off["patrol"], off["visit"], strict=True)
    ]
    return f"{told} No street joins {listed(names)} to the others: there, straight lines stand in."
