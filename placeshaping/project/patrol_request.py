"""
A planner's request for patrol areas: the shift, the offences, how much, and who answers for it.

A request is a TOML file. Paths in it are relative to its folder. Whatever is
wrong with it is told by the name of the key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import RecipeError
from placeshaping.project.patrol_sections import (
    Census,
    Cover,
    Offences,
    Organisation,
    Override,
    Shift,
    Triggers,
)
from placeshaping.project.recipe import Areas, Deprivation, Population, Records, read_recipe
from placeshaping.project.sections import Section, check_keys, read_toml

MODELS = (
    "trailing 12 months", "trailing 28 days", "trailing all", "same season last year",
    "kernel density", "ProMap", "self-exciting", "endemic-epidemic", "boosted", "ensemble",
)  # fmt: skip
"""What a request may name; the first is the default."""

_WINDOW = re.compile(r"trailing (?:last|all|\d+ (?:days|weeks|months))")


class PatrolRequest(Section):
    """
    A whole request.

    Records and areas stand in it, or are taken from the recipe that it names,
    and so do `population` and `deprivation`, by which the layer is audited and
    which no model sees; nor does it see `census`, which stands in the request
    alone. `organisation` is what only the organisation knows, for
    the record of the transparency standard.
    `decides` is the person who answers for sending patrols there; `expires`
    the last day of use, by default the day after the shift ends; `untimed`
    what becomes of records without a time.
    """

    title: str | None = None
    purpose: str = Field(min_length=1)
    decides: str = Field(min_length=1)
    contact: str = ""
    shift: Shift
    offences: Offences
    cover: Cover
    recipe: str | None = None
    records: list[Records] = []
    areas: Areas | None = None
    population: Population | None = None
    deprivation: Deprivation | None = None
    census: list[Census] = []
    triggers: Triggers = Triggers()
    override: Override | None = None
    organisation: Organisation = Organisation()
    model: str | None = None
    backtest: str | None = None
    streets: str | None = None
    expires: dt.date | None = None
    untimed: Literal["raise", "drop", "draw"] = "raise"
    seed: int = 0
    output: str | None = None

    @field_validator("records", "census", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, dict) else given

    @field_validator("model")
    @classmethod
    def _known_model(cls, given: str | None) -> str | None:
        if given is None or is_model(given):
            return given
        near = near_names(given, MODELS)
        hint = f" (did you mean {listed(near)}?)" if near else ""
        msg = f"there is no model {given!r}{hint}; there are {listed(list(MODELS), most=20)}"
        raise ValueError(msg)

    @property
    def last_day(self) -> dt.date:
        """The last day on which the products may be used."""
        return self.expires or self.shift.ends.date() + dt.timedelta(days=1)

    @property
    def heading(self) -> str:
        """Title of the products."""
        return self.title or f"Patrol areas: {' and '.join(self.offences.names)}"


def is_model(name: str) -> bool:
    """
    Tell whether a request may name a model: one of `MODELS`, or another window of counts.

    Examples
    --------
    >>> is_model("self-exciting"), is_model("trailing 6 months"), is_model("oracle")
    (True, True, False)
    """
    return name in MODELS or bool(_WINDOW.fullmatch(name))


def read_request(path: str | Path, *, changes: Mapping[str, Any] | None = None) -> PatrolRequest:
    r"""
    Read and validate a request; records and areas that it lacks come from its recipe.

    Parameters
    ----------
    path
        A TOML file.
    changes
        Keys to take in the place of those of the file; a section's by their
        names, a share or number of cells in the place of either.

    Returns
    -------
    request
        Complete, with paths as they stand in the file.

    Raises
    ------
    MissingFileError
        If there is no such file, or no such recipe.
    RecipeError
        If it is not TOML, or a key is missing, unknown or wrong.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "late.toml"
    ...     _ = file.write_text("[shift]\ndate = 2026-11-22")
    ...     read_request(file)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: late.toml: purpose: this key is needed; ...
    """
    path, given = Path(path), read_toml(path, kind="request")
    return make_request(_changed(given, changes or {}), folder=path.parent, where=path.name)


def _changed(given: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(given)
    for key, value in changes.items():
        if not isinstance(value, Mapping):
            changed[key] = value
            continue
        section = dict(given.get(key, {}))
        if {"share", "cells"} & set(value):
            section = {
                k: one for k, one in section.items() if k not in ("share", "cells", "minutes")
            }
        if value:
            changed[key] = {**section, **value}
    return changed


def make_request(
    given: Mapping[str, Any], *, folder: str | Path = ".", where: str = "request"
) -> PatrolRequest:
    """
    Validate a request that is at hand as a dictionary.

    Parameters
    ----------
    given
        Its content.
    folder
        What the path of its recipe is relative to.
    where
        Name for messages.

    Returns
    -------
    request
        Complete.

    Raises
    ------
    RecipeError
        If a key is missing, unknown or wrong.

    Examples
    --------
    >>> make_request({"shift": {"date": "2026-11-22", "start": "25:00"}})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: request: purpose: this key is needed; ...
    """
    request = check_keys(PatrolRequest, dict(given), where=where)
    if request.recipe is not None:
        recipe = read_recipe(Path(folder) / request.recipe)
        beside = Path(request.recipe).parent
        request = request.model_copy(
            update={
                "records": request.records or [_moved(one, beside) for one in recipe.records],
                "areas": request.areas or _moved_areas(recipe.areas, beside),
                "population": request.population or _moved_people(recipe.population, beside),
                "deprivation": request.deprivation
                or _moved_deprivation(recipe.deprivation, beside),
            }
        )
    missing = [name for name in ("records", "areas") if not getattr(request, name)]
    if missing:
        msg = f"{where}: {' and '.join(missing)}: needed, or name a recipe that has them."
        raise RecipeError(msg)
    return request


def digest_of(path: str | Path) -> str:
    """
    Return the checksum by which an answered request is known again.

    Parameters
    ----------
    path
        The request.

    Returns
    -------
    digest
        SHA-256 of its bytes.
    """
    return hashlib.sha256(check_file(path).read_bytes()).hexdigest()


def _moved(records: Records, beside: Path) -> Records:
    """Make paths of a recipe's records relative to the request's folder."""
    postcodes = None if records.postcodes is None else str(beside / records.postcodes)
    return records.model_copy(update={"file": str(beside / records.file), "postcodes": postcodes})


def _moved_areas(areas: Areas, beside: Path) -> Areas:
    changes = None if areas.changes is None else str(beside / areas.changes)
    lookups = [str(beside / name) for name in areas.lookups]
    update = {"file": str(beside / areas.file), "lookups": lookups, "changes": changes}
    return areas.model_copy(update=update)


def _moved_people(population: Population, beside: Path) -> Population:
    named = population.model_dump(exclude_none=True)
    return Population(**{key: str(beside / name) for key, name in named.items()})


def _moved_deprivation(deprivation: Deprivation | None, beside: Path) -> Deprivation | None:
    return None if deprivation is None else Deprivation(file=str(beside / deprivation.file))
