"""Which model a request takes and why: what it says itself, or what a backtest has chosen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import FileFormatError, InputError
from placeshaping.project.patrol_request import MODELS, PatrolRequest, is_model

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.likelihood.offences import Target

CHOICE = "choice.json"
"""In which file of its folder a backtest tells what it has chosen."""

_TABLES = ("scores.csv", "calibration.csv", "groups.csv")
"""In which files of its folder its report's tables are."""


def choose_model(request: PatrolRequest, folder: Path) -> tuple[str, str]:
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


def scores_of(request: PatrolRequest, *, folder: Path) -> tuple[pd.DataFrame | None, ...]:
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
    scores, calibration, groups
        As `backtest_tables` and `backtest_groups` make them; None where there
        are none.
    """
    if request.backtest is None:
        return None, None, None
    path, offences = folder / request.backtest, target_of(request).name
    beside = path if path.is_dir() else path.parent
    return tuple(_rows_of(beside / name, offences) for name in _TABLES)


def _rows_of(file: Path, offences: str) -> pd.DataFrame | None:
    import pandas as pd

    if not file.is_file():
        return None
    table = pd.read_csv(file, dtype={"note": str, "group": str})
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
        if "tags={" in str(error):
            raise InputError(_untagged(given.names, given.tags)) from error
        remedy = str(error).split(" Whoever needs it")[0]
        if remedy == str(error):
            raise
        msg = (
            f"offences: {remedy} Whoever needs it all the same signs for it in the request: "
            '[offences.overrides.Drugs] with by = "..." and reason = "..."; both are printed.'
        )
        raise InputError(msg) from error


def _untagged(names: Sequence[str], tags: Mapping[str, str]) -> str:
    """Say what to do about an offence of which nobody knows how it comes to be recorded."""
    from placeshaping.sources.offences import OFFENCE_TAGS

    unknown = [name for name in names if name not in {**OFFENCE_TAGS, **tags}]
    near = near_names(unknown[0], OFFENCE_TAGS)
    hint = f" Did you mean {listed(near)}?" if near else ""
    return (
        f"offences.names: {listed(unknown)} is no category of police.uk.{hint} For one of your "
        f'own, say how it comes to be recorded: [offences.tags] with "{unknown[0]}" = "reported" '
        "(or mixed, or discovered where patrols find it)."
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
