"""A request for an inspection list: one TOML file that names the records and the team."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field

from placeshaping.project.sections import Section, check_keys, read_toml


class Properties(Section):
    """The premises that may be inspected, and what is known of them."""

    file: str
    key: str = "property"
    area: str = "area_code"
    features: list[str] = Field(min_length=1)
    tags: dict[str, Literal["open", "personal", "special", "audit_only"]] = {}


class Visits(Section):
    """What was inspected before, and what it found."""

    file: str
    key: str = "property"
    date: str = "date"
    found: str = "found"
    inspector: str | None = None
    random: str | None = None


class Complaints(Section):
    """Complaints about properties."""

    file: str
    key: str = "property"
    date: str = "date"


class Team(Section):
    """What the team can do."""

    inspections: int = Field(ge=1)
    first_day: dt.date
    by_lot: float = Field(default=0.1, ge=0, le=1)
    form: Literal["choose", "logistic", "boosted"] = "choose"
    share: float = Field(default=0.2, gt=0, lt=1)


class InspectionRequest(Section):
    """
    A whole request.

    Attributes
    ----------
    title, purpose, contact, lawful_basis
        Printed on every product; the purpose is needed.
    policy
        A list of properties leaves under no other.
    expires
        Last day on which the list may be used.
    properties, visits, complaints
        The records. Features tagged ``special`` or ``audit_only`` may be used
        and are named on every product.
    team
        How many inspections from which day, the share drawn by lot, and the
        share of the visits on record at which the model is tried.
    deprivation
        File of the Indices of Deprivation, for the audit alone.
    output
        Folder of the answer.
    seed
        Of lot, folds and resamples.
    """

    title: str = Field(min_length=1)
    purpose: str = Field(min_length=1)
    policy: Literal["restricted", "internal"] = "restricted"
    expires: dt.date | None = None
    contact: str = ""
    lawful_basis: str = ""
    properties: Properties
    visits: Visits
    complaints: Complaints | None = None
    team: Team
    deprivation: str | None = None
    output: str = "inspections"
    seed: int = 0


def read_inspection_request(path: str | Path) -> InspectionRequest:
    """
    Read a request.

    Parameters
    ----------
    path
        A TOML file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If it is no TOML, a key is missing, unknown or wrong; all such keys are
        told.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "homes.toml"
    ...     _ = file.write_text("title = 'Shared homes'")
    ...     read_inspection_request(file)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.RecipeError: homes.toml: purpose: this key is needed; ...
    """
    given = read_toml(path, kind="request")
    return check_keys(InspectionRequest, given, where=Path(path).name)
