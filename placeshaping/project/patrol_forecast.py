"""From a planner's request to what is expected of each cell in that shift."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping.project.patrol_choice import choose_model, target_of
from placeshaping.project.patrol_request import MODELS, PatrolRequest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from placeshaping.likelihood.history import History
    from placeshaping.likelihood.offences import Target
    from placeshaping.likelihood.protocol import Fitted, Model
    from placeshaping.likelihood.steps import Resolution, Step
    from placeshaping.project.patrol_place import Place

_MOST_AHEAD = {"month": 3, "week": 4, "day": 7}
"""Steps that a model looks ahead; what lies further is expected as the last of them."""

_STALE = 31
"""Days between the last record and the shift above which the product says so."""


@dataclass(frozen=True, eq=False)
class FittedPlace:
    """
    A model fitted to the records of a district, ready to answer requests.

    Attributes
    ----------
    place
        Where.
    fitted
        The model and its history.
    model
        Its name.
    because
        Why this model, in a sentence.
    """

    place: Place
    fitted: Fitted
    model: str
    because: str


def fit_place(request: PatrolRequest, place: Place, *, folder: Path) -> FittedPlace:
    """
    Fit the request's model to what was recorded before the shift.

    Parameters
    ----------
    request
        Offences, shift and model.
    place
        What was recorded.
    folder
        What the path of a backtest is relative to.

    Returns
    -------
    fitted
        For `expect`.

    Raises
    ------
    InputError
        If an offence is refused, or times are missing.
    EmptyError
        If there are too few events; the message says how many are needed.
    """
    target = target_of(request)
    name, because = choose_model(request, folder)
    history = make_history(request, place, target)
    return FittedPlace(place, make_model(name).fit(history), name, because)


def make_model(name: str) -> Model:
    """
    Return a model by the name that a request gives it.

    Examples
    --------
    >>> make_model("trailing 12 months").name
    'trailing 12 months'
    """
    from placeshaping.project.backtest_request import make_backtest_request, make_models

    beside = list(dict.fromkeys([MODELS[0], name]))  # a backtest never goes without plain counts
    return make_models(make_backtest_request({"models": beside, "grid": 250}))[-1]


def make_history(request: PatrolRequest, place: Place, target: Target) -> History:
    """
    Count the offences by cell and step: by shift where times are known, else by day or month.

    Parameters
    ----------
    request
        The shift, and what becomes of records without a time.
    place
        What was recorded.
    target
        The offences.

    Returns
    -------
    history
        Up to the shift, nothing after it.
    """
    import pandas as pd

    from placeshaping.likelihood.history import history_of_events

    begins = pd.Timestamp(request.shift.begins.replace(tzinfo=None))
    step = _step(request, place.resolution)
    column = "time" if place.resolution != "month" else "period"
    last = place.events[column].max()
    further = pd.offsets.MonthBegin(1) if step.unit == "month" else pd.Timedelta(days=1)
    whole = last.normalize() + further
    events = (
        place.events if column == "time" else place.events.drop(columns="time", errors="ignore")
    )
    history = history_of_events(
        events,
        place.units,
        target=target,
        step=step,
        first=events[column].min(),
        cutoff=min(begins, whole),
        untimed=request.untimed,
        rng=request.seed,
    )
    told = (*history.cautions, *_told_of_time(request, place.resolution, history))
    return replace(history, cautions=told)


def expect(request: PatrolRequest, fitted: Fitted) -> NDArray[np.float64]:
    """
    Return what is expected of each cell in the shift, or in the month that holds it.

    Parameters
    ----------
    request
        The shift.
    fitted
        The model.

    Returns
    -------
    expected
        One number a unit; for ranks and classes, never shown itself.
    """
    import numpy as np
    import pandas as pd

    history = fitted.history
    begins = pd.Timestamp(request.shift.begins.replace(tzinfo=None))
    number = int(history.step.number([begins])[0][0])
    ahead = max(number - (history.first + history.steps) + 1, 1)
    if "season" not in type(getattr(fitted, "model", None)).__name__.lower():
        ahead = min(ahead, _MOST_AHEAD[history.step.unit])
    return np.asarray(fitted.forecast(ahead).expected[:, -1], dtype=np.float64)


def _step(request: PatrolRequest, resolution: Resolution) -> Step:
    from placeshaping.likelihood.steps import Step

    shift = request.shift
    if resolution == "month":
        return Step("month")
    if resolution == "day" or shift.start == shift.end:
        return Step("day", zone=shift.zone)
    return Step("day", shift=(shift.start, shift.end), zone=shift.zone)


def _told_of_time(request: PatrolRequest, resolution: Resolution, history: History) -> list[str]:
    """Say what the times of the records allow."""
    shift = request.shift
    told = []
    if resolution == "month":
        told.append(
            "The records tell the month alone: the answer is the same for every shift of "
            f"{shift.date:%B %Y}."
        )
    elif resolution == "day":
        told.append("The records tell the day alone: the answer is the same for all its shifts.")
    gap = (shift.date - history.cutoff.date()).days
    if gap > _STALE:
        told.append(
            f"The records end {gap:,} days before the shift ({_day(history.cutoff)}): what has "
            "changed since is not in the answer."
        )
    clock = shift.hours - _by_the_clock(request)
    if clock:
        turned = "longer" if clock > 0 else "shorter"
        told.append(f"The clocks change in this shift: it is {abs(clock):g} hour {turned}.")
    return told


def _by_the_clock(request: PatrolRequest) -> float:
    begins, ends = (one.replace(tzinfo=None) for one in (request.shift.begins, request.shift.ends))
    return (ends - begins).total_seconds() / 3600


def _day(moment: pd.Timestamp) -> str:
    last = moment - dt.timedelta(days=1)
    return f"{last.day} {last:%B %Y}"
