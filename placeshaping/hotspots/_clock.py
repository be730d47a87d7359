"""Times as they are written down: zones, clock changes, and records that hold dates alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import ColumnError, InputError

MUCH_MIDNIGHT = 0.02
"""Share of times at midnight sharp from which on it seems to stand for an unknown time."""


def check_time_column(events: pd.DataFrame, start: str) -> None:
    """Refuse a table without the column, naming the remedy where it holds months."""
    if start in events.columns:
        return
    if "period" in events.columns or "Month" in events.columns:
        msg = (
            f"events has no column {start!r}, only months (police.uk publishes no days or hours). "
            "For hours and weekdays ask the force or the service for its own records; for "
            "months pass start='period', by='month'."
        )
        raise ColumnError(msg)
    check_columns(events.columns, [start], where="events")


def check_fineness(column: pd.Series[Any], moments: pd.Series[Any], finest: str) -> None:
    """Refuse records that have no time of day, or no day, where those are asked for."""
    known = column[moments.notna()]
    if known.empty or finest == "month":
        return
    clock = pd.DatetimeIndex(known)
    midnight = bool((clock == clock.normalize()).all())
    if months_alone(column) and len(known) > 1:
        msg = (
            f"All {len(known):,} times are the first of a month: the records hold months alone, as "
            "police.uk publishes them. For hours and weekdays ask the force or the service for "
            "its own records; months can be shown with by='month'."
        )
        raise ColumnError(msg)
    if midnight and finest == "hour" and len(known) > 1:
        msg = (
            f"All {len(known):,} times are midnight: the records hold dates without a time of "
            "day. Use by='weekday' or by='month', or ask for records with times."
        )
        raise ColumnError(msg)


def months_alone(column: pd.Series[Any]) -> bool:
    """Tell whether every time is the first of a month at midnight."""
    clock = pd.DatetimeIndex(column.dropna())
    return bool(((clock == clock.normalize()) & (clock.day == 1)).all())


def to_utc(
    column: pd.Series[Any], name: str, timezone: str, *, late: bool
) -> tuple[pd.Series[Any], list[str]]:
    """Return times in UTC; those that the clock change doubles are read as wide as they can be."""
    if not pd.api.types.is_datetime64_any_dtype(column):
        msg = (
            f"Column {name!r} holds no times but {column.dtype}. Read it with "
            "pandas.to_datetime(..., dayfirst=True), and check a few days above the 12th."
        )
        raise ColumnError(msg)
    if column.dt.tz is not None:
        return column.dt.tz_convert("UTC").dt.tz_localize(None), []
    doubled = np.full(len(column), not late)  # True: summer time, the earlier of the two
    local = column.dt.tz_localize(timezone, ambiguous=doubled, nonexistent="shift_forward")
    moved = int((local.dt.tz_localize(None) != column)[column.notna()].sum())
    told = [
        f"{moved:,} times of {name!r} lie in the hour that the clocks skip in spring; they are "
        "taken as its end."
    ]
    return local.dt.tz_convert("UTC").dt.tz_localize(None), told if moved else []


def hours_between(
    first: int, last: int, timezone: str, *, whole_months: bool = False
) -> pd.DatetimeIndex:
    """Return the hours from the first day's first to the last day's (or month's) last."""
    ends = [pd.Timestamp(at, unit="us", tz="UTC").tz_convert(timezone) for at in (first, last)]
    offset = ends[0].utcoffset()
    if offset is None or offset.total_seconds() % 3600:
        msg = f"{timezone} is not a whole number of hours from Greenwich; such zones are not known."
        raise InputError(msg)
    day = ends[0].normalize().tz_convert("UTC")
    final = ends[1] + pd.offsets.MonthEnd(0) if whole_months else ends[1]
    after = (final.normalize() + pd.Timedelta(days=1, hours=12)).normalize().tz_convert("UTC")
    return pd.date_range(day, after, freq="h", inclusive="left").tz_convert(timezone)


def tell_gaps(hourly: pd.Series[Any]) -> Iterator[str]:
    """Warn of months without any event, which the records may lack."""
    hours = pd.DatetimeIndex(hourly.index)
    months = hourly.groupby((hours.year * 12 + hours.month).to_numpy()).sum()
    empty = int((months == 0).sum())
    if empty:
        yield (
            f"{empty:,} of {len(months):,} months from the first to the last event hold none. If "
            "the records lack them, take a stretch of time that they cover."
        )


def tell_midnight(column: pd.Series[Any]) -> Iterator[str]:
    """Warn where midnight sharp seems to stand for a time that nobody knew."""
    share = float((column == column.dt.normalize()).mean())
    if share > MUCH_MIDNIGHT:
        yield (
            f"{share:.0%} of the times are midnight sharp, which often stands for a time that "
            "nobody knew. Make those missing, or give a span."
        )
