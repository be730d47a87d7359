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

from placeshaping._core.errors import RecipeError
from placeshaping.project.patrol_audit import judge, keep_burden, make_record
from placeshaping.project.patrol_choice import target_of
from placeshaping.project.patrol_facts import PatrolFacts, make_facts
from placeshaping.project.patrol_forecast import FittedPlace, expect, fit_place
from placeshaping.project.patrol_place import Place, read_place
from placeshaping.project.patrol_products import FILES as FILES
from placeshaping.project.patrol_products import MANIFEST as MANIFEST
from placeshaping.project.patrol_products import write_products
from placeshaping.project.patrol_protect import protect, tellable
from placeshaping.project.patrol_register import read_marks
from placeshaping.project.patrol_request import PatrolRequest, digest_of, read_request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from placeshaping.disclosure.release import Release
    from placeshaping.reports.transparency import TransparencyRecord
    from placeshaping.shaping.patrol import PatrolPlan

REGISTER = "patrol-overrides.sqlite"
"""Cells that planners have marked as wrong; it lies beside the requests."""

CELLS_OF_A_PATROL = 8
"""Cells of a patrol where the request says how much, but not for how many patrols."""

COMPACTNESS = 0.5
"""How far patrol areas grow by what is expected around a cell; see `plan_patrols`."""

_LONGEST = 40


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
    judgement = judge(request, fitted, plan, expected, folder=folder, day=made_on)
    nearby = count_nearby(history)
    facts = make_facts(request, fitted, plan, marks, judgement, made_on, digest)
    released = protect(request, fitted, plan, expected, nearby, facts)
    record = make_record(request, fitted, released, facts, judgement, folder=folder)
    files = write_products(
        request,
        released,
        target,
        facts,
        record,
        when_sound=lambda: keep_burden(judgement, folder=folder, day=made_on),
    )
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
        allowed=tellable(place),
        compactness=COMPACTNESS,
        corners=False,
        dwell_minutes=cover.dwell_minutes,
        streets=place.streets,
    )


def _how_many(request: PatrolRequest, place: Place) -> tuple[int, int]:
    """Return the number of cells and of patrols that a request asks for."""
    from placeshaping.project.patrol_sections import MOST_PATROLS
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
        msg = (
            f"cover.cells: {cells:,} cells are asked for, and the district has {len(units):,}. Ask "
            "for fewer."
        )
        raise RecipeError(msg)
    wanted = cover.patrols or -(-cells // CELLS_OF_A_PATROL)
    return cells, min(wanted, MOST_PATROLS)
