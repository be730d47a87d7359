"""From a planner's request to what is expected of each cell in that shift."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import FileFormatError, InputError, UnmatchedError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.patrol_request import MODELS, PatrolRequest, is_model
from placeshaping.project.records import RecordFile, Sensitivity, read_records

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from placeshaping.likelihood.history import History
    from placeshaping.likelihood.offences import Target
    from placeshaping.likelihood.protocol import Fitted, Model
    from placeshaping.likelihood.steps import Resolution, Step
    from placeshaping.likelihood.units import Units

ELSEWHERE = 0.005
"""Share of records in the district below which they can only be of another place."""

CHOICE = "choice.json"
"""In which file of its folder a backtest tells what it has chosen."""

_TABLES = ("scores.csv", "calibration.csv")
"""In which files of its folder its report's tables are."""

_MOST_AHEAD = {"month": 3, "week": 4, "day": 7}
"""Steps that a model looks ahead; what lies further is expected as the last of them."""

_STALE = 31
"""Days between the last record and the shift above which the product says so."""


@dataclass(frozen=True, eq=False)
class Place:
    """
    Records and cells of a district, read once for any number of requests.

    Attributes
    ----------
    events
        One row a record that is in the district, with `easting`, `northing`,
        `period`, `category` and, where it is known, `time`.
    resolution
        How exactly times are known.
    areas
        The small areas of the district, indexed by code.
    cells, units
        The grid, cut at the district's outline.
    name
        Of the district, as far as it is named.
    sources
        Files by checksum.
    sensitivity, already_published
        The strictest of the records; where all of them are published.
    at
        Position of the cell of each record.
    rows, unlocated, elsewhere
        Records read, those without a place, and those outside the district.
    """

    events: pd.DataFrame
    resolution: Resolution
    areas: gpd.GeoDataFrame
    cells: gpd.GeoDataFrame
    units: Units
    name: str
    sources: tuple[SourceFile, ...]
    sensitivity: Sensitivity
    already_published: str | None
    at: NDArray[np.intp]
    rows: int
    unlocated: int
    elsewhere: int


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


def read_place(request: PatrolRequest, *, folder: Path) -> Place:
    """
    Read the records and areas that a request names, and lay cells over the district.

    Parameters
    ----------
    request
        What to read.
    folder
        What its paths are relative to.

    Returns
    -------
    place
        For `fit_place`.

    Raises
    ------
    InputError
        If a file cannot be used, or the records are of another place.
    """
    import pandas as pd

    from placeshaping.likelihood.steps import resolution_of
    from placeshaping.likelihood.units import make_cells, make_units
    from placeshaping.project.gather import read_areas

    if request.areas is None:
        msg = "areas: needed, or name a recipe that has them."
        raise InputError(msg)
    sources: list[SourceFile] = []
    areas, _ = read_areas(request.areas, folder=folder, sources=sources)
    files = read_records(request.records, folder=folder)
    events = _all_events(files)
    located = events["easting"].notna() & events["northing"].notna()
    cells = make_cells(areas, size=request.cover.cell_size)
    units = make_units(cells)
    known = events[located]
    at = units.locate(known["easting"].to_numpy(float), known["northing"].to_numpy(float))
    inside = at >= 0
    _check_here(int(inside.sum()), len(events))
    kept = known[inside].reset_index(drop=True)
    times = kept["time"] if "time" in kept else kept["period"]
    return Place(
        events=kept,
        resolution=resolution_of(pd.DatetimeIndex(times.dropna())),
        areas=areas,
        cells=cells,
        units=units,
        name=" and ".join(request.areas.within) or "the district",
        sources=(*(file.source for file in files), *sources, *_streets(request, folder)),
        sensitivity=_strictest(files),
        already_published=_published(files),
        at=at[inside],
        rows=len(events),
        unlocated=int((~located).sum()),
        elsewhere=int((~inside).sum()),
    )


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
    name, because = _choose_model(request, folder)
    history = make_history(request, place, target)
    return FittedPlace(place, make_model(name).fit(history), name, because)


def lift_of(request: PatrolRequest, model: str, *, folder: Path) -> float | None:
    """
    Return what the request's backtest says of a model: its lift over trailing counts.

    Parameters
    ----------
    request
        Which may name a backtest.
    model
        The one that is used.
    folder
        What the path of the backtest is relative to.

    Returns
    -------
    upper
        Upper limit of the lift; None where the model is the counts themselves,
        the backtest has chosen another, or there is none.
    """
    if request.backtest is None:
        return None
    chosen = _backtested(folder / request.backtest, target_of(request).name)
    upper = chosen.get("lift_vs_baseline_upper")
    if upper is None or model != chosen["model"] or model == chosen.get("baseline"):
        return None
    return float(upper)


def scores_of(
    request: PatrolRequest, *, folder: Path
) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """
    Return the protected tables of the request's backtest for its offences.

    Parameters
    ----------
    request
        Which may name a backtest.
    folder
        What the path of the backtest is relative to.

    Returns
    -------
    scores, calibration
        As `backtest_tables` makes them; None where there are none.
    """
    if request.backtest is None:
        return None, None
    path, offences = folder / request.backtest, target_of(request).name
    beside = path if path.is_dir() else path.parent
    scores, calibration = (_rows_of(beside / name, offences) for name in _TABLES)
    return scores, calibration


def _rows_of(file: Path, offences: str) -> pd.DataFrame | None:
    import pandas as pd

    if not file.is_file():
        return None
    table = pd.read_csv(file, dtype={"note": str})
    rows = table[table["category"] == offences]
    if "note" in rows:
        rows = rows.assign(note=rows["note"].fillna(""))
    return rows if len(rows) else None


def target_of(request: PatrolRequest) -> Target:
    """
    Check the offences of a request.

    Raises
    ------
    InputError
        If one is refused and nobody has signed for it.
    """
    from placeshaping.likelihood.offences import Override, make_target

    given = request.offences
    try:
        return make_target(
            given.names,
            tags=given.tags,
            overrides={k: Override(one.by, one.reason) for k, one in given.overrides.items()},
        )
    except InputError as error:
        remedy = str(error).split(" Whoever needs it")[0]
        if remedy == str(error):
            raise
        msg = (
            f"offences: {remedy} Whoever needs it all the same signs for it in the request: "
            '[offences.overrides.Drugs] with by = "..." and reason = "..."; both are printed.'
        )
        raise InputError(msg) from error


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


def _choose_model(request: PatrolRequest, folder: Path) -> tuple[str, str]:
    """Return the model's name, and why it was taken."""
    if request.model is not None:
        return request.model, f"Model: {request.model}, as the request says."
    if request.backtest is not None:
        chosen = _backtested(folder / request.backtest, target_of(request).name)
        return str(chosen["model"]), f"Model: {chosen['model']}. {chosen['sentence']}"
    return (
        MODELS[0],
        "Model: counts of the last twelve months, the plainest alternative; no backtest was named "
        "that another has beaten it.",
    )


def _backtested(path: Path, offences: str) -> Mapping[str, Any]:
    """Read what a backtest has chosen for the offences: the model and the report's sentence."""
    file = check_file(path / CHOICE if path.is_dir() else path)
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        msg = f"{file.name} is no result of a backtest: {error}. Run the backtest again."
        raise FileFormatError(msg) from error
    tested = found.get("offences") if isinstance(found, dict) else None
    one = tested.get(offences) if isinstance(tested, dict) else found
    if not isinstance(one, dict) or not is_model(str(one.get("model"))) or "sentence" not in one:
        there = f" It tells of {listed(list(tested))}." if isinstance(tested, dict) else ""
        msg = (
            f"{file.name} names no model that a patrol layer takes for {offences}.{there} Run the "
            "backtest for these offences, or name the model."
        )
        raise FileFormatError(msg)
    return one


def _all_events(files: Sequence[RecordFile]) -> pd.DataFrame:
    """Return the records of all files, one row each, with their times where all have them."""
    import pandas as pd

    tables = [file.events.assign(category=file.events["category"].astype(str))
              for file in files if file.events is not None]  # fmt: skip
    names = ["easting", "northing", "period", "category", "count", "time", "time_to"]
    wanted = [name for name in names if any(name in table for table in tables)]
    if not all("time" in table for table in tables):
        wanted = [name for name in wanted if not name.startswith("time")]
    events = pd.concat([table.reindex(columns=wanted) for table in tables], ignore_index=True)
    if "count" in events:
        times = events.pop("count").fillna(1).astype("int64")
        events = events.loc[events.index.repeat(times)].reset_index(drop=True)
    return events


def _check_here(inside: int, rows: int) -> None:
    if inside < max(1.0, ELSEWHERE * rows):
        msg = (
            f"Only {inside:,} of {rows:,} records lie in the areas: there are no data for them. "
            "Check that records and areas are of the same place."
        )
        raise UnmatchedError(msg)


def _strictest(files: Sequence[RecordFile]) -> Sensitivity:
    order: tuple[Sensitivity, ...] = ("open", "personal", "special")
    return max((file.sensitivity for file in files), key=order.index)


def _published(files: Sequence[RecordFile]) -> str | None:
    addresses = [file.already_published for file in files]
    return ", ".join(dict.fromkeys(a for a in addresses if a)) if all(addresses) else None


def _streets(request: PatrolRequest, folder: Path) -> list[SourceFile]:
    if request.streets is None:
        return []
    return [describe_file(folder / request.streets, "streets")]
