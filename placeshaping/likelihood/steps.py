"""
Steps of time: months, weeks, days, or the same shift of every day.

Steps are numbered, so that a model counts in whole numbers and the calendar is
asked only where dates come in or go out. Times are local and carry no zone; a
zone tells how long a step was in the nights when clocks change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import InputError

StepUnit = Literal["month", "week", "day"]

Resolution = Literal["month", "day", "time"]
"""How exactly times are known: to the month, to the day, or to the minute."""

_DAYS = {"week": 7, "day": 1}
_MONDAY = 4  # 1970-01-01 was a Thursday; days are counted from the Monday after
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
_HORIZON = re.compile(r"^(\d+) (hour|day|week|month)s?$")
_HOURS = {"hour": 1, "day": 24, "week": 168, "month": 28 * 24}


@dataclass(frozen=True)
class Step:
    """
    One kind of step, and the numbering of such steps.

    Attributes
    ----------
    unit
        ``"month"``, ``"week"`` (from Monday) or ``"day"``.
    shift
        With days: local start and end, ``("22:00", "06:00")``; then the step
        is that shift, which belongs to the date on which it starts.
    zone
        Name of a time zone such as ``"Europe/London"``; None to take every day
        as 24 hours.

    Examples
    --------
    >>> night = Step("day", shift=("22:00", "06:00"), zone="Europe/London")
    >>> times = pd.to_datetime(pd.Series(["2025-03-30 01:30", "2025-03-30 12:00"]))
    >>> number, inside = night.number(times)
    >>> inside.tolist(), str(night.starts(number[:1])[0])
    ([True, False], '2025-03-29 22:00:00')
    >>> night.hours(number[:1]).tolist()  # the clocks went forward in that night
    [7.0]
    """

    unit: StepUnit = "month"
    shift: tuple[str, str] | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        """Check the options."""
        check_choice(self.unit, get_args(StepUnit), name="step")
        if self.shift is None:
            return
        if self.unit != "day":
            msg = f"A shift is part of a day, not of a {self.unit}. Use step 'day'."
            raise InputError(msg)
        wrong = [clock for clock in self.shift if not _CLOCK.match(clock)]
        if wrong or len(self.shift) != 2:
            msg = f"shift is {self.shift!r}. Give start and end as ('22:00', '06:00')."
            raise InputError(msg)

    @property
    def per_year(self) -> float:
        """How many steps a year has, about."""
        return 12.0 if self.unit == "month" else 365.25 / _DAYS[self.unit]

    @property
    def _begin(self) -> pd.Timedelta:
        return pd.Timedelta(f"{self.shift[0]}:00") if self.shift else pd.Timedelta(0)

    @property
    def _length(self) -> pd.Timedelta:
        """Length of a day's step by the clock, over midnight where the end is not later."""
        if not self.shift:
            return pd.Timedelta(days=_DAYS[self.unit])
        length = pd.Timedelta(f"{self.shift[1]}:00") - self._begin
        return length if length > pd.Timedelta(0) else length + pd.Timedelta(days=1)

    def number(self, times: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """
        Give the number of each time's step, and whether the time falls into one at all.

        A time outside the shift has the number of the shift before it.
        """
        stamps = pd.DatetimeIndex(times)
        if self.unit == "month":
            number = (stamps.year - 1970) * 12 + stamps.month - 1
            return np.asarray(number, dtype=np.int64), np.ones(len(stamps), dtype=bool)
        since = stamps - self._begin
        day = since.floor("D")
        days = np.asarray((day - pd.Timestamp(0)) // pd.Timedelta(days=1), dtype=np.int64)
        inside = np.asarray(since - day < self._length)
        size = _DAYS[self.unit]
        return (days if size == 1 else (days - _MONDAY) // size), inside | (self.shift is None)

    def starts(self, numbers: Any) -> pd.DatetimeIndex:
        """Return the first moment of each numbered step."""
        numbers = np.asarray(numbers, dtype=np.int64)
        if self.unit == "month":
            return pd.DatetimeIndex(numbers.astype("datetime64[M]").astype("datetime64[s]"))
        size = _DAYS[self.unit]
        days = numbers if size == 1 else numbers * size + _MONDAY
        return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]")) + self._begin

    def ends(self, numbers: Any) -> pd.DatetimeIndex:
        """Return the first moment after each numbered step."""
        if self.unit == "month":
            return self.starts(np.asarray(numbers) + 1)
        return self.starts(numbers) + self._length

    def hours(self, numbers: Any) -> NDArray[np.float64]:
        """Return how long each step was, by the zone's clock changes where a zone is given."""
        starts, ends = self.starts(numbers), self.ends(numbers)
        if self.zone is not None:
            starts, ends = (self._in_zone(times) for times in (starts, ends))
        return np.asarray((ends - starts) / pd.Timedelta(hours=1), dtype=np.float64)

    def _in_zone(self, times: pd.DatetimeIndex) -> pd.DatetimeIndex:
        first = np.ones(len(times), dtype=bool)
        return times.tz_localize(self.zone, ambiguous=first, nonexistent="shift_forward")

    def steps_in(self, horizon: int | str) -> int:
        """
        Return how many steps a horizon has; refuse one that is shorter than a step.

        Examples
        --------
        >>> Step("month").steps_in("2 months"), Step("day").steps_in("1 week")
        (2, 7)
        >>> Step("month").steps_in("7 days")
        Traceback (most recent call last):
            ...
        placeshaping._core.errors.InputError: A horizon of 7 days is shorter than ...
        """
        if isinstance(horizon, str):
            return self._steps_of_text(horizon)
        if isinstance(horizon, bool) or horizon < 1:
            msg = f"horizon is {horizon!r}. Give a number of steps, or '28 days', '1 month'."
            raise InputError(msg)
        return int(horizon)

    def _steps_of_text(self, horizon: str) -> int:
        match = _HORIZON.match(horizon)
        if match is None or int(match[1]) < 1:
            msg = f"horizon is {horizon!r}. Give a number of steps, or '28 days', '1 month'."
            raise InputError(msg)
        many, unit = int(match[1]), match[2]
        if unit == self.unit:
            return many
        hours, own = many * _HOURS[unit], _HOURS[self.unit]
        if hours < own:
            msg = (
                f"A horizon of {horizon} is shorter than the data bear: they are counted by the "
                f"{self.unit}. Ask for one {self.unit} or more."
            )
            raise InputError(msg)
        if hours % own:
            msg = f"A horizon of {horizon} is no whole number of {self.unit}s. Give it in those."
            raise InputError(msg)
        return hours // own


def resolution_of(times: Any) -> Resolution:
    """
    Tell how exactly times are known, by what they have in common.

    Times that are all the first of a month at midnight are months; all at
    midnight, days.

    Parameters
    ----------
    times
        Times of events, missing ones left out.

    Returns
    -------
    resolution
        ``"month"``, ``"day"`` or ``"time"``.

    Examples
    --------
    >>> resolution_of(["2024-01-01", "2024-03-01"]), resolution_of(["2024-01-01", "2024-01-09"])
    ('month', 'day')
    """
    stamps = pd.DatetimeIndex(times)
    if (stamps != stamps.normalize()).any():
        return "time"
    return "day" if (stamps.day != 1).any() else "month"
