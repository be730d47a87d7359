"""The sections of a planner's request: shift, offences, cover, signatures, organisation."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from placeshaping._core.checks import listed
from placeshaping.project.sections import Section

SMALLEST_CELL = 250
"""Side in metres of the smallest cells that the policy `police` lets out."""

CELLS = (250, 500, 1000)

MOST_PATROLS = 19
"""One letter each, and one class for the rest: labels have at most twenty classes."""

_CLOCK = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


class Shift(Section):
    """When: a date and two clock times, local; an end that is not later lies on the next day."""

    date: dt.date
    start: str = "00:00"
    end: str = "00:00"
    zone: str = "Europe/London"

    @field_validator("start", "end")
    @classmethod
    def _clock(cls, given: str) -> str:
        if not _CLOCK.match(given):
            msg = "write the time as '22:00', in quotes"
            raise ValueError(msg)
        return given

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError) as error:
            msg = f"there is no time zone {given!r}; write 'Europe/London'"
            raise ValueError(msg) from error
        return given

    @property
    def begins(self) -> dt.datetime:
        """Its first moment."""
        return self._moment(self.date, self.start)

    @property
    def ends(self) -> dt.datetime:
        """The moment after its last."""
        later = self.end <= self.start
        return self._moment(self.date + dt.timedelta(days=later), self.end)

    @property
    def hours(self) -> float:
        """How long it lasts, with the clock changes of its zone."""
        return (
            self.ends.astimezone(dt.UTC) - self.begins.astimezone(dt.UTC)
        ).total_seconds() / 3600

    @property
    def words(self) -> str:
        """As it stands on products: ``"22 November 2026, 22:00 to 06:00"``."""
        return f"{self.date.day} {self.date:%B %Y}, {self.start} to {self.end}"

    def _moment(self, day: dt.date, clock: str) -> dt.datetime:
        return dt.datetime.combine(day, dt.time.fromisoformat(clock), tzinfo=ZoneInfo(self.zone))


class Signed(Section):
    """Somebody's signature under an offence that is refused by default."""

    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Offences(Section):
    """What the records are of: their names, and how those of one's own are recorded."""

    names: list[str] = Field(min_length=1)
    tags: dict[str, Literal["reported", "mixed", "discovered"]] = {}
    overrides: dict[str, Signed] = {}

    @field_validator("names", mode="before")
    @classmethod
    def _one_or_many(cls, given: object) -> object:
        return [given] if isinstance(given, str) else given


class Cover(Section):
    """How much: a share of the district, a number of cells, or patrols with their minutes."""

    share: float | None = Field(default=None, gt=0)
    cells: int | None = Field(default=None, ge=1)
    patrols: int | None = Field(default=None, ge=1, le=MOST_PATROLS)
    minutes: int | None = Field(default=None, ge=10)
    cell_size: int = SMALLEST_CELL
    dwell_minutes: int = Field(default=15, ge=1, le=120)

    @field_validator("share")
    @classmethod
    def _part_of_the_district(cls, given: float | None) -> float | None:
        if given is not None and given > 1:
            msg = f"{given:g} is more than the whole district; 0.02 is two hundredths of it"
            raise ValueError(msg)
        return given

    @field_validator("cell_size")
    @classmethod
    def _large_enough(cls, given: int) -> int:
        if given < SMALLEST_CELL:
            msg = f"the policy 'police' lets out no cells under {SMALLEST_CELL} m; write 250"
            raise ValueError(msg)
        if given not in CELLS:
            msg = f"write one of {listed(list(CELLS))} (metres)"
            raise ValueError(msg)
        return given

    @model_validator(mode="after")
    def _one_way(self) -> Cover:
        given = [name for name in ("share", "cells", "minutes") if getattr(self, name) is not None]
        if len(given) != 1:
            told = f"{' and '.join(given)} are given" if given else "none is given"
            msg = (
                "say how much by one of 'share' (of the area), 'cells', or 'patrols' with "
                f"'minutes'; {told}"
            )
            raise ValueError(msg)
        if self.minutes is not None and self.patrols is None:
            msg = "with 'minutes' of a patrol, say also how many 'patrols'"
            raise ValueError(msg)
        return self


class Census(Section):
    """
    Census composition of the areas, for the audit of the layer alone.

    Long (one row an area and group): `category` is the column that names the
    group, `count` that of the numbers; `without` are groups to leave out. Wide
    (a column a group): `columns` names them. `sums` puts groups together.
    `counted` is told by the table where it is not said.
    """

    file: str
    name: str | None = Field(default=None, min_length=2, max_length=40)
    counted: Literal["residents", "households"] | None = None
    category: str | None = None
    count: str = "n"
    columns: list[str] = []
    without: list[str] = []
    sums: dict[str, list[str]] = {}
    code: str | None = None
    sheet: str | None = None

    @model_validator(mode="after")
    def _one_layout(self) -> Census:
        if self.columns and (self.category or self.without):
            msg = (
                "name 'category' (and 'without') of a table with one row an area and group, or "
                "'columns' of one with a column a group, not both"
            )
            raise ValueError(msg)
        if self.category == self.count:
            msg = f"{self.count!r} cannot be both 'category' and 'count'"
            raise ValueError(msg)
        if self.columns and self.name is None:
            msg = "say what the columns tell apart: name = 'ethnic group'"
            raise ValueError(msg)
        parts = [part for some in self.sums.values() for part in some]
        twice = sorted({part for part in parts if parts.count(part) > 1})
        if twice:
            msg = f"sums: {listed(twice)} would count twice"
            raise ValueError(msg)
        return self


class Triggers(Section):
    """When the layer is withdrawn; where nothing is said, as `layer_audit.Triggers` has it."""

    least_lift: float | None = Field(default=None, ge=0)
    most_rise: float | None = Field(default=None, ge=0)


class Override(Section):
    """Somebody's signature under a layer that is withdrawn."""

    by: str = Field(min_length=1)
    because: str = Field(min_length=1)


class Organisation(Section):
    """
    What only the organisation knows, for the record of the transparency standard.

    The keys are those of `reports.atrs.Organisation`, and mean the same.
    """

    organisation: str = ""
    organisation_type: str = ""
    team: str = ""
    senior_responsible_owner: str = ""
    contact_email: str = ""
    website_url: str = ""
    region: str = ""
    function: str = ""
    capability: str = ""
    task: str = ""
    tags: str = ""
    external_supplier_involvement: Literal["", "Yes", "No"] = ""
    external_supplier: str = ""
    companies_house_number: str = ""
    external_supplier_role: str = ""
    procurement_procedure_type: str = ""
    data_access_terms: str = ""
    phase: str = ""
    maintenance: str = ""
    frequency_and_scale_of_usage: str = ""
    previous_process: str = ""
    required_training: str = ""
    appeals_and_review: str = ""
    source_data_url: str = ""
    data_sharing_agreements: str = ""
    data_access_and_storage: str = ""
    impact_assessment: str = ""
