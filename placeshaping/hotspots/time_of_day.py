"""
When events happen: by hour, weekday and month, with times that are known or only bounded.

A burglary is found in the evening and happened at some hour since the morning.
Aoristic analysis spreads such an event evenly over its span (Ratcliffe 2002,
"Aoristic signatures and the spatio-temporal analysis of high volume crime
patterns"). Hours are those of the clock on the wall; the hours that a clock
change adds or takes are counted as they were.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_columns, check_result, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import in_plural
from placeshaping.hotspots._clock import (
    check_fineness,
    check_time_column,
    hours_between,
    months_alone,
    tell_gaps,
    tell_midnight,
    to_utc,
)
from placeshaping.statistics._counts import check_level, poisson_limits

_log = logging.getLogger(__name__)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

By = Literal["hour", "weekday", "month"]

LITTLE = 0.05
"""Differences between weekdays or months below this are not named."""

_HOUR = 3_600_000_000  # microseconds
_CHUNK = 20_000  # events whose hours are laid out at once


def temporal_profile(
    events: pd.DataFrame,
    *,
    by: By | Sequence[By] = ("weekday", "hour"),
    start: str = "time",
    end: str | None = None,
    timezone: str = "Europe/London",
    longest: str | pd.Timedelta = "7D",
    out_of_order: Literal["raise", "drop"] = "raise",
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Count events by hour, weekday or month, beside how many such hours there were.

    Parameters
    ----------
    events
        One row an event. Without a time zone, times are those of the wall
        clock of `timezone`.
    by
        ``"hour"``, ``"weekday"``, ``"month"``, or several: by default hour by
        weekday.
    start
        Column of the time, or of the earliest time that the event may have been.
    end
        Column of the latest time, for spans; None where times are known. An
        event without an end is taken to have happened at its start.
    timezone
        Name of the time zone of the result, whole hours from Greenwich.
    longest
        Spans longer than this say nothing of hours and are left out, told.
    out_of_order
        Whether events that end before they start are refused or dropped.
    level
        Confidence level of the interval.

    Returns
    -------
    profile
        One row for each combination, in the order of the calendar: the columns
        of `by` (``weekday`` and ``month`` categorical), ``count`` (fractions
        where spans are spread), ``hours`` (how many such hours lie between the
        first and the last event's day), ``index`` (events an hour over the
        average of all hours; 1 = as usual), ``lower`` and ``upper`` (its
        Poisson interval; too narrow for spread spans). ``attrs``: ``events``,
        ``missing``, ``too_long``, ``dropped``, ``method``, ``cautions``.

    Raises
    ------
    ColumnError
        If a column is missing or holds no times, or if the records have no
        time of day (police.uk publishes months alone) and hours or weekdays
        are asked for.
    InputError
        If events end before they start, or an option is unknown.
    EmptyError
        If no event has a time.

    Examples
    --------
    >>> times = pd.to_datetime(["2025-03-07 23:10", "2025-03-08 00:40", "2025-03-08 23:50"])
    >>> profile = temporal_profile(pd.DataFrame({"time": times}), by="weekday")
    >>> profile.loc[profile["count"] > 0, ["weekday", "count", "hours"]]
        weekday  count  hours
    4    Friday    1.0     24
    5  Saturday    2.0     24
    """
    check_level(level)
    columns = [by] if isinstance(by, str) else list(by)
    for name in columns:
        check_choice(name, ["hour", "weekday", "month"], name="by")
    if not columns or len(set(columns)) < len(columns):
        msg = f"by is {by!r}. Name hour, weekday or month, each once."
        raise InputError(msg)
    hourly = aoristic(
        events, start=start, end=end, timezone=timezone, longest=longest, out_of_order=out_of_order,
        finest=_finest(columns),
    )  # fmt: skip
    profile = _summed(hourly, columns)
    low, high = poisson_limits(profile["count"].to_numpy(), level=level, exact=False)
    usual = profile["hours"] * profile["count"].sum() / profile["hours"].sum()
    usual = usual.where(usual > 0)
    profile["index"] = profile["count"] / usual
    profile["lower"], profile["upper"] = low / usual, high / usual
    profile.attrs = dict(hourly.attrs)
    return profile


def aoristic(
    events: pd.DataFrame,
    *,
    start: str = "time",
    end: str | None = "end",
    timezone: str = "Europe/London",
    longest: str | pd.Timedelta = "7D",
    out_of_order: Literal["raise", "drop"] = "raise",
    finest: By = "hour",
) -> pd.Series[float]:
    """
    Spread events evenly over the hours in which they may have happened.

    Parameters
    ----------
    events, start, end, timezone, longest, out_of_order
        As in `temporal_profile`.
    finest
        What the result is for: with ``"hour"`` or ``"weekday"`` records
        without a time of day, or without a day, are refused.

    Returns
    -------
    hourly
        Expected events in each hour of the record, from the first hour of its
        first day to the last of its last; index of hours in `timezone`. Its
        sum is the number of events used. ``attrs`` as in `temporal_profile`.

    Raises
    ------
    ColumnError, InputError, EmptyError
        As in `temporal_profile`.

    Examples
    --------
    >>> events = pd.DataFrame(
    ...     {"time": [pd.Timestamp("2025-03-07 22:30")], "end": [pd.Timestamp("2025-03-08 00:30")]}
    ... )
    >>> hourly = aoristic(events)
    >>> hourly[hourly > 0].tolist()
    [0.25, 0.5, 0.25]
    """
    check_choice(out_of_order, ["raise", "drop"], name="out_of_order")
    check_time_column(events, start)
    if end is not None:
        check_columns(events.columns, [end], where="events")
    begins, told = to_utc(events[start], start, timezone, late=False)
    check_fineness(events[start], begins, finest)
    ends = begins
    if end is not None:
        ends, more = to_utc(events[end], end, timezone, late=True)
        told += more
    known = begins.notna().to_numpy()
    first = begins[known].to_numpy().astype("datetime64[us]").astype(np.int64)
    last = ends[known].fillna(begins[known]).to_numpy().astype("datetime64[us]").astype(np.int64)
    kept, dropped = _in_order(first, last, begins.index[known], out_of_order)
    short = last - first <= pd.Timedelta(longest) / pd.Timedelta("1us")
    used = kept & short
    if not used.any():
        msg = f"None of {len(events):,} events has a time that can be used."
        raise EmptyError(msg)
    hours = hours_between(
        int(first[used].min()), int(last[used].max()), timezone,
        whole_months=months_alone(events[start]),
    )  # fmt: skip
    hourly = pd.Series(_spread(first[used], last[used], hours), index=hours, name="count")
    no_end = int(ends[known].isna().sum()) if end is not None else 0
    facts = {
        "events": int(used.sum()),
        "missing": int((~known).sum()),
        "no_end": no_end,
        "too_long": int((kept & ~short).sum()),
        "dropped": dropped,
    }
    spread = "; those with a span spread evenly over it (Ratcliffe 2002)" if end else ""
    cautions = [*_cautions(facts, len(events), longest), *told, *tell_gaps(hourly)]
    if finest == "hour":
        cautions += tell_midnight(events.loc[known, start])
    hourly.attrs = {
        "method": f"Events by the hours of the wall clock{spread}.",
        "cautions": tuple(cautions),
    }
    hourly.attrs.update(facts)
    for caution in hourly.attrs["cautions"]:
        _log.warning("%s", caution)
    return hourly


def describe_profile(profile: pd.DataFrame, *, what: str = "recorded events") -> str:
    """
    Say in a paragraph when events happen, in neutral words.

    Parameters
    ----------
    profile
        From `temporal_profile`, by hour and weekday, or by one of them.
    what
        What was counted.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> times = pd.to_datetime(["2025-03-07 23:10", "2025-03-08 00:40", "2025-03-08 23:50"])
    >>> print(describe_profile(temporal_profile(pd.DataFrame({"time": times}), by="hour")))
    Of 3 recorded events, 100% fall between 21:00 and 01:00, a time that makes up 17% of ...
    """
    check_result(
        profile,
        made_by="temporal_profile",
        columns=["count", "hours", "index"],
        facts=["events", "missing", "too_long", "dropped"],
    )
    total = profile["count"].sum()
    parts = []
    if "hour" in profile:
        hours = profile.groupby("hour")[["count", "hours"]].sum()
        at, share, part = _busiest_stretch(hours)
        parts.append(
            f"{share:.0%} fall between {at:02}:00 and {(at + 4) % 24 or 24:02}:00, a time that "
            f"makes up {part:.0%} of the day"
        )
    for column in ("weekday", "month"):
        if column in profile:
            sums = profile.groupby(column, observed=True)[["count", "hours"]].sum()
            usual = (sums["count"] / sums["hours"]) / (total / sums["hours"].sum())
            parts.append(_most_and_fewest(usual, column))
    if {"hour", "weekday"} <= set(profile.columns):
        top = profile.iloc[int(np.nanargmax(profile["index"]))]
        parts.append(
            f"the busiest single hour is {top['weekday']} {top['hour']:02}:00 to "
            f"{top['hour'] + 1:02}:00 ({top['index']:.1f} times an average hour)"
        )
    facts = profile.attrs
    text = f"Of {facts['events']:,} {in_plural(what)}, {'; '.join(parts)}. "
    lost = facts["missing"] + facts["too_long"] + facts["dropped"]
    if lost:
        text += f"{lost:,} more have no usable time and are left out. "
    return text + "Times are when an event was, or may have been; not when it was reported."


def _most_and_fewest(usual: pd.Series[float], column: str) -> str:
    if usual.max() < 1 + LITTLE and usual.min() > 1 - LITTLE:
        return f"{column}s differ by less than {LITTLE:.0%} from the average"
    return (
        f"{usual.idxmax()} has the most for its length ({usual.max():.1f} times the average) and "
        f"{usual.idxmin()} the fewest ({usual.min():.1f} times)"
    )


def _busiest_stretch(hours: pd.DataFrame) -> tuple[int, float, float]:
    """Find the four hours on end with the most events, past midnight too."""
    counts, lengths = (hours[name].to_numpy(dtype=float) for name in ("count", "hours"))
    rolled = [
        np.sum([np.roll(values, -step) for step in range(4)], axis=0)
        for values in (counts, lengths)
    ]
    at = int(np.argmax(rolled[0]))
    return at, float(rolled[0][at] / counts.sum()), float(rolled[1][at] / lengths.sum())


def _finest(columns: Sequence[By]) -> By:
    return next(name for name in ("hour", "weekday", "month") if name in columns)


def _in_order(
    first: NDArray[np.int64], last: NDArray[np.int64], index: pd.Index, way: str
) -> tuple[NDArray[np.bool_], int]:
    wrong = last < first
    if wrong.any() and way == "raise":
        msg = (
            f"{int(wrong.sum()):,} of {len(wrong):,} events end before they start (rows "
            f"{listed(list(index[wrong]))}). Correct them, or pass out_of_order='drop'."
        )
        raise InputError(msg)
    return ~wrong, int(wrong.sum())


def _spread(
    first: NDArray[np.int64], last: NDArray[np.int64], hours: pd.DatetimeIndex
) -> NDArray[np.float64]:
    """Lay events out over the hours that they touch, by the share of their span in each."""
    zero = int(hours[0].timestamp()) // 3600
    sums = np.zeros(len(hours))
    for at in range(0, len(first), _CHUNK):
        begin, finish = first[at : at + _CHUNK], last[at : at + _CHUNK]
        low = begin // _HOUR
        high = np.maximum(low, -(-finish // _HOUR) - 1)  # an end on the hour touches none after it
        touched = high - low + 1
        row = np.repeat(np.arange(len(begin)), touched)
        step = np.arange(len(row)) - np.repeat(np.cumsum(touched) - touched, touched)
        hour = low[row] + step
        inside = np.minimum((hour + 1) * _HOUR, finish[row]) - np.maximum(hour * _HOUR, begin[row])
        span = (finish - begin)[row]
        weight = np.where(span > 0, inside / np.maximum(span, 1), 1.0)
        sums += np.bincount(hour - zero, weight, len(hours))
    return sums


def _summed(hourly: pd.Series[float], columns: Sequence[str]) -> pd.DataFrame:
    """Add the hours of the record up to a full table of the combinations."""
    hours = pd.DatetimeIndex(hourly.index)
    parts: dict[str, tuple[NDArray[np.intp], pd.Index]] = {
        "hour": (np.asarray(hours.hour), pd.RangeIndex(24)),
        "weekday": (np.asarray(hours.day_of_week), pd.Index(WEEKDAYS)),
        "month": (np.asarray(hours.month) - 1, pd.Index(MONTHS)),
    }
    shape = tuple(len(parts[name][1]) for name in columns)
    cell = np.ravel_multi_index([parts[name][0] for name in columns], shape)
    size = int(np.prod(shape))
    places = np.unravel_index(np.arange(size), shape)
    table: dict[str, Any] = {}
    for name, place in zip(columns, places, strict=True):
        labels = parts[name][1]
        table[name] = (
            place if name == "hour" else pd.Categorical.from_codes(place, labels, ordered=True)
        )
    table["count"] = np.bincount(cell, hourly.to_numpy(), size)
    table["hours"] = np.bincount(cell, minlength=size)
    return pd.DataFrame(table)


def _cautions(facts: dict[str, int], events: int, longest: str | pd.Timedelta) -> Iterator[str]:
    if facts["missing"]:
        yield f"{facts['missing']:,} of {events:,} events have no time and are left out."
    if facts["no_end"]:
        yield f"{facts['no_end']:,} events have no end and are taken to have been at their start."
    if facts["too_long"]:
        yield (
            f"{facts['too_long']:,} of {events:,} events have a span of more than "
            f"{pd.Timedelta(longest)} and are left out."
        )
    if facts["dropped"]:
        yield f"{facts['dropped']:,} of {events:,} events end before they start and are left out."
