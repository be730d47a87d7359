"""
A planner's request becomes a folder of patrol products that has withstood the attacker.

Under the policy `police`: words and classes of cells, no counts, an expiry
date, a purpose, and the person who decides.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placeshaping._core.errors import HiddenError, RecipeError
from placeshaping._core.provenance import SourceFile
from placeshaping.project.patrol_audit import Judgement, judge, keep_burden, make_record
from placeshaping.project.patrol_forecast import (
    FittedPlace,
    Place,
    expect,
    fit_place,
    read_place,
    target_of,
)
from placeshaping.project.patrol_products import FILES as FILES
from placeshaping.project.patrol_products import MANIFEST as MANIFEST
from placeshaping.project.patrol_products import write_products
from placeshaping.project.patrol_register import Mark, read_marks
from placeshaping.project.patrol_request import PatrolRequest, digest_of, read_request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from placeshaping.disclosure.release import Release
    from placeshaping.hotspots.study import Study
    from placeshaping.project.patrol_labels import Nearby
    from placeshaping.reports.transparency import TransparencyRecord
    from placeshaping.shaping.patrol import PatrolPlan

REGISTER = "patrol-overrides.sqlite"
"""Cells that planners have marked as wrong; it lies beside the requests."""

CELLS_OF_A_PATROL = 8
"""Cells of a patrol where the request says how much, but not for how many patrols."""

COMPACTNESS = 0.5
"""How far patrol areas grow by what is expected around a cell; see `plan_patrols`."""

MOST_SHOWN = 1_500
"""Cells of a grid up to which all of it is shown; a telephone opens no more at ease."""

NEAR = 1_000.0
"""Metres around patrol areas that are shown of a larger grid."""

_LONGEST = 40

_DWELL = (
    "A visit of about {minutes} minutes is a hint: longer stays added little (Koper 1995). It is "
    "not an instruction to stop or search anybody."
)


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
    method
        How cells became patrol areas.
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
    request: str


@dataclass(frozen=True)
class PatrolAnswer:
    """
    What a request became.

    Attributes
    ----------
    folder, files
        Where the products are.
    release
        What they were made from.
    facts
        What it is, for programs.
    record
        The transparency record that lies among the products.
    """

    folder: Path
    files: tuple[Path, ...]
    release: Release
    facts: PatrolFacts
    record: TransparencyRecord

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of the answer."""
        facts = dataclasses.asdict(self.facts)
        return {"folder": str(self.folder), "files": [one.name for one in self.files], **facts}


def answer_request(
    path: str | Path, *, now: dt.datetime, changes: Mapping[str, Any] | None = None
) -> PatrolAnswer:
    """
    Answer one request: read, fit, forecast, plan, audit, protect, write, attack, hand over.

    Parameters
    ----------
    path
        The request, a TOML file.
    now
        The moment, with a zone: shifts that have ended by then are refused.
    changes
        Keys to take in the place of those of the file, by section.

    Returns
    -------
    answer
        In a folder beside the request, of its name unless `output` names another.

    Raises
    ------
    RecipeError, InputError
        If the request is wrong, refused, or cannot be answered from the records.
    WithdrawnError
        If a condition for withdrawing the layer is met and nobody has signed.
    DisclosureError
        If what was written would give something away.
    OutputError
        If the folder cannot be written; it is then as it was.
    """
    path = Path(path)
    request = read_request(path, changes=changes)
    check_request(request, now=now)
    fitted = fit_place(request, read_place(request, folder=path.parent), folder=path.parent)
    return answer(request, fitted, folder=path.parent, target=answer_folder_of(path, request),
                  made_on=now.date(), digest=digest_of(path))  # fmt: skip


def answer_folder_of(path: Path, request: PatrolRequest) -> Path:
    """Return where a request's products go: a folder beside it, of its name."""
    return path.parent / (request.output or path.stem)


def check_request(request: PatrolRequest, *, now: dt.datetime) -> None:
    """
    Refuse what can be refused before anything is read.

    Parameters
    ----------
    request
        What is asked for.
    now
        The moment, with a zone.

    Raises
    ------
    RecipeError
        If the shift is over, or the products would expire before it ends.
    InputError
        If an offence is refused.
    """
    target_of(request)
    zone = ZoneInfo(request.shift.zone)
    if request.shift.ends <= now:
        msg = (
            f"shift.date: the shift ended at {request.shift.ends:%H:%M on %d %B %Y}, and now it is "
            f"{now.astimezone(zone):%H:%M on %d %B %Y}. Ask for one to come."
        )
        raise RecipeError(msg)
    if request.last_day < request.shift.ends.date():
        msg = (
            f"expires: {request.last_day} is before the shift ends. Leave it out, or name a later."
        )
        raise RecipeError(msg)


def answer(
    request: PatrolRequest,
    fitted: FittedPlace,
    *,
    folder: Path,
    target: Path,
    made_on: dt.date,
    digest: str = "",
) -> PatrolAnswer:
    """
    Answer a request from a fitted model.

    Parameters
    ----------
    request
        What is asked for.
    fitted
        The model.
    folder
        Where the registers of overrides and of burdens are.
    target
        The folder to make.
    made_on
        Date that the products bear.
    digest
        Checksum of the request.

    Returns
    -------
    answer
        Its folder holds all products or is not there.

    Raises
    ------
    WithdrawnError
        If a condition for withdrawing the layer is met and nobody has signed.
    """
    from placeshaping.project.patrol_labels import count_nearby

    place, history = fitted.place, fitted.fitted.history
    expected = expect(request, fitted.fitted)
    marks = read_marks(folder / REGISTER)
    plan = _plan(request, place, expected)
    judgement = judge(request, fitted, plan, folder=folder, day=made_on)
    nearby = count_nearby(history)
    facts = _facts(request, fitted, plan, marks, judgement, made_on, digest)
    released = _released(request, fitted, plan, expected, nearby, facts)
    record = make_record(request, fitted, released, facts, judgement, folder=folder)
    files = write_products(request, released, target, facts, record)
    keep_burden(judgement, folder=folder, day=made_on)
    return PatrolAnswer(target, tuple(target / name for name in files), released, facts, record)


def _plan(request: PatrolRequest, place: Place, expected: NDArray[np.float64]) -> PatrolPlan:
    from placeshaping.shaping.patrol import plan_patrols

    cover, units = request.cover, place.units
    cells, patrols = _how_many(request, place)
    if cells > _LONGEST * patrols:
        msg = (
            f"cover: {cells:,} cells for {patrols} patrols are {cells / patrols:,.0f} each, more "
            f"than {_LONGEST} in one shift. Ask for more patrols, larger cells, or less area."
        )
        raise RecipeError(msg)
    return plan_patrols(
        expected,
        units,
        patrols=patrols,
        cells=cells,
        allowed=_tellable(_count_all(place)),
        compactness=COMPACTNESS,
        corners=False,
        dwell_minutes=cover.dwell_minutes,
    )


def _how_many(request: PatrolRequest, place: Place) -> tuple[int, int]:
    """Return the number of cells and of patrols that a request asks for."""
    from placeshaping.project.patrol_request import MOST_PATROLS
    from placeshaping.shaping.patrol import WALKING_KM_H

    cover, units = request.cover, place.units
    if cover.minutes is not None and cover.patrols is not None:
        walk = units.spacing / 1000 / WALKING_KM_H * 60
        return cover.patrols * max(int(cover.minutes // (cover.dwell_minutes + walk)), 1), (
            cover.patrols
        )
    cells = cover.cells
    if cells is None:
        whole = float(cover.share or 0) * float(units.area.sum())
        cells = max(round(whole / (cover.cell_size / 1000) ** 2), cover.patrols or 1)
    if cells > len(units):
        msg = f"cover.cells: {cells:,} cells are asked for, and the district has {len(units):,}."
        raise RecipeError(msg)
    wanted = cover.patrols or -(-cells // CELLS_OF_A_PATROL)
    return cells, min(wanted, MOST_PATROLS)


def _tellable(counted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which cells the policy's floor leaves open: none recorded, or enough."""
    import numpy as np

    from placeshaping.project.patrol_labels import FLOOR

    return np.asarray((counted == 0) | (counted >= FLOOR))


def _count_all(place: Place) -> NDArray[np.int64]:
    import numpy as np

    return np.bincount(place.at, minlength=len(place.units))


def _facts(
    request: PatrolRequest,
    fitted: FittedPlace,
    plan: PatrolPlan,
    marks: tuple[Mark, ...],
    judgement: Judgement,
    made_on: dt.date,
    digest: str,
) -> PatrolFacts:
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
        parameters=dict(fitted.fitted.parameters),
        method=plan.method,
        records_from=f"{history.periods[0]:%Y-%m-%d}",
        records_to=f"{history.cutoff - dt.timedelta(days=1):%Y-%m-%d}",
        unlocated=place.unlocated / place.rows,
        elsewhere=place.elsewhere / place.rows,
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
        request=digest,
    )


def _released(
    request: PatrolRequest,
    fitted: FittedPlace,
    plan: PatrolPlan,
    expected: NDArray[np.float64],
    nearby: Nearby,
    facts: PatrolFacts,
) -> Release:
    """Protect the whole grid; of a large one, or where too much is hidden, what lies around."""
    from placeshaping.project.patrol_labels import make_study, name_cells, patrol_labels

    place, history = fitted.place, fitted.fitted.history
    offences = " and ".join(history.target.categories)
    named = name_cells(place.cells, plan)
    method = f"Patrol areas: {plan.method} {fitted.because}"

    def study_of(cells: Any) -> Study:
        return patrol_labels(
            make_study(place, cells, category=f"{offences} (floor: all records)"),
            plan,
            expected,
            nearby,
            history,
            offences=offences,
            method=method,
        )

    if len(named) <= MOST_SHOWN:
        try:
            return _release(request, study_of(named), place, facts, ())
        except HiddenError:
            pass  # too much of the whole: what follows shows less
    around = _near(plan, place) & _tellable(_count_all(place))
    shown = named.loc[around]
    shown.attrs.update(named.attrs)
    told = (
        f"Shown are the patrol areas and the cells within {NEAR / 1000:g} km of them, but for gaps "
        "where fewer than five records lie in a cell, but some."
    )
    return _release(request, study_of(shown), place, facts, (told,))


def _near(plan: PatrolPlan, place: Place) -> NDArray[np.bool_]:
    """Tell which cells lie around the patrol areas."""
    import numpy as np
    from scipy.spatial import KDTree

    xy = place.units.xy
    flagged = xy[place.units.codes.get_indexer(plan.cells.index)]
    away, _ = KDTree(flagged).query(xy)
    return np.asarray(away <= NEAR)


def _release(
    request: PatrolRequest,
    study: Study,
    place: Place,
    facts: PatrolFacts,
    changes: tuple[str, ...],
) -> Release:
    from placeshaping.disclosure.release import NOT_FOR, release

    floor = (
        "What may be told of a cell goes by all records that were read, of whatever offence: a "
        "cell with fewer than five of them, but some, is in no patrol area and has no class."
    )
    return release(
        study,
        policy="police",
        title=f"{facts.title}, {facts.shift}",
        made_on=facts.made_on,
        subject="Recorded crime",
        purpose=facts.purpose,
        contact=facts.contact,
        sensitivity=place.sensitivity,
        expires=facts.expires,
        sources=[dataclasses.replace(one, rows=None) for one in place.sources],
        notes=_notes(request, facts),
        changes=(floor, *changes),
        not_for=(
            *NOT_FOR,
            "As a reason to suspect whoever is met in a cell, or to police it more hardly.",
        ),
    )


def _notes(request: PatrolRequest, facts: PatrolFacts) -> list[str]:
    """Write what every product says of the request, its records and who decides."""
    streets = (
        f"Streets: {Path(request.streets).name} was named; the order of visits still goes by "
        "straight lines between the middles of cells."
        if request.streets
        else "No streets file was given: the order of visits goes by straight lines between the "
        "middles of cells, whatever lies between."
    )
    offences = "; ".join(f"{name} ({tag})" for name, tag in facts.offences.items())
    return [
        f"Shift: {facts.shift}.",
        f"Who decides: {facts.decides}.",
        f"Offences, and how they come to be recorded: {offences}.",
        f"Records from {facts.records_from} to {facts.records_to}; {facts.unlocated:.1%} of those "
        f"read had no place, {facts.elsewhere:.1%} lie outside the district.",
        facts.because,
        f"Patrol areas: {facts.share_of_area:.1%} of the district. {facts.method}",
        streets,
        _DWELL.format(minutes=request.cover.dwell_minutes),
        *facts.cautions,
        *facts.marks,
    ]
