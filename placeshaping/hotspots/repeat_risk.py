"""Near repeats for those who patrol: which records followed which, and where risk is raised now."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice, check_columns, check_unique, check_whole
from placeshaping._core.errors import InputError
from placeshaping.hotspots._event_points import event_days, event_points
from placeshaping.hotspots._space_time import Metric, find_close

_CELL = ["distance_band", "from_m", "to_m", "from_days", "to_days"]
_LIFT = ["ratio", "lower", "upper", "p_value", "q_value", "pattern"]


def near_repeat_pairs(
    events: pd.DataFrame,
    *,
    distance: float = 200,
    days: int = 14,
    metric: Metric = "euclidean",
    time: str = "time",
) -> pd.DataFrame:
    """
    List the pairs of events close in space and time: the originator and what followed.

    Parameters
    ----------
    events
        As for `knox`.
    distance
        Metres that a pair is less apart than.
    days
        Days that a pair is less apart than: 14 for up to 13 days.
    metric
        ``"euclidean"`` or ``"manhattan"``.
    time
        The column of dates or times.

    Returns
    -------
    pairs
        One row a pair, by the originators' times: ``originator`` and
        ``follow_on`` (index labels of `events`), ``distance`` (metres),
        ``days``. Of two events with the same time the one that stands first
        in the table is the originator.

    Raises
    ------
    InputError
        If a limit is not above zero, or places or dates are missing.
    CRSError, ColumnError, DuplicateError
        If coordinates are degrees, dates are none, or an index label stands twice.

    Examples
    --------
    >>> events = pd.DataFrame({"easting": [5e5, 5e5, 5.1e5], "northing": 2e5, "time": [9, 4, 5]})
    >>> near_repeat_pairs(events)
       originator  follow_on  distance  days
    0           1          0       0.0     5
    """
    check_choice(metric, ("euclidean", "manhattan"), name="metric")
    check_unique(events.index, where="events", what="index labels")
    limit = check_whole(days, name="days")
    if not (np.isfinite(distance) and distance > 0):
        msg = f"distance is {distance}; give metres above zero."
        raise InputError(msg)
    xy, dates = event_points(events), event_days(events, time)
    edges = np.array([0.0, distance])
    close = find_close(xy, dates, edges, same_place=False, metric=metric)
    ahead = np.repeat(np.arange(len(xy), dtype=np.uint32), np.diff(close.starts[0]))
    sorted_dates = dates[close.order].astype(np.int32)
    soon = np.abs(sorted_dates[ahead] - sorted_dates[close.others]) < limit
    one, other = close.order[ahead[soon]], close.order[close.others[soon]]
    rank = np.empty(len(xy), dtype=np.intp)
    rank[np.argsort(events[time].to_numpy(), kind="stable")] = np.arange(len(xy))
    swapped = rank[one] > rank[other]
    first, then = np.where(swapped, other, one), np.where(swapped, one, other)
    order = np.lexsort((rank[then], rank[first]))
    first, then = first[order], then[order]
    step = np.abs(xy[first] - xy[then])
    return pd.DataFrame(
        {
            "originator": events.index.take(first),
            "follow_on": events.index.take(then),
            "distance": step.sum(axis=1) if metric == "manhattan" else np.hypot(*step.T),
            "days": dates[then] - dates[first],
        }
    )


def risk_bands(
    events: pd.DataFrame,
    table: pd.DataFrame,
    *,
    on: dt.date | str | int,
    time: str = "time",
) -> pd.DataFrame:
    """
    Return the rings around recent events in which another is more likely on a day, and by how much.

    An event of so many days ago lies in one band of days of the table; each
    distance band of it is a ring around the event. The lift is how many times
    as many events follow there as if dates had nothing to do with places.
    Events after `on` are not looked at.

    Parameters
    ----------
    events
        As for `knox`; those of the last days are enough. The table should
        come from earlier ones.
    table
        From `knox`, of the same kind of event.
    on
        The day, as a date or as written ``"2024-05-31"``; a whole number
        where times are counted days.
    time
        The column of dates.

    Returns
    -------
    bands
        One row an event and ring, events in their order: ``event`` (index
        label), ``easting``, ``northing``, ``age_days``, ``distance_band``,
        ``from_m``, ``to_m``, ``days_left`` (that the lift holds for, `on`
        included), ``lift`` with its 95 % limits ``lower`` and ``upper``,
        ``p_value``, ``q_value``, ``pattern``.

    Raises
    ------
    ColumnError
        If `table` is none of `knox`.
    InputError
        If `on` is no day, or places or dates are missing.

    Examples
    --------
    >>> from placeshaping.hotspots.near_repeat import knox
    >>> spots = {"easting": np.arange(6) % 3 * 1e5, "northing": 0.0, "time": [1, 40, 80, 2, 60, 99]}
    >>> events = pd.DataFrame(spots)
    >>> table = knox(events, days=[0, 7], distances=[0, 100])
    >>> risk_bands(events, table, on=3)[["event", "age_days", "days_left", "lift"]]
       event  age_days  days_left  lift
    0      0         2          5   5.0
    1      0         2          5   NaN
    2      3         1          6   5.0
    3      3         1          6   NaN
    """
    check_columns(table.columns, [*_CELL, *_LIFT], where="table")
    xy, dates = event_points(events), event_days(events, time)
    age = _day(on) - dates
    recent = np.flatnonzero((age >= 0) & (age < table["to_days"].max()))
    cells = table[[*_CELL, *_LIFT]].rename(columns={"ratio": "lift"})
    each = pd.DataFrame(
        {
            "event": events.index.take(recent),
            "easting": xy[recent, 0],
            "northing": xy[recent, 1],
            "age_days": age[recent],
        }
    )
    joint = each.merge(cells, how="cross")
    inside = (joint["from_days"] <= joint["age_days"]) & (joint["age_days"] < joint["to_days"])
    bands = joint[inside].reset_index(drop=True)
    bands.insert(7, "days_left", bands["to_days"] - bands["age_days"])
    return bands.drop(columns=["from_days", "to_days"])


def _day(on: Any) -> int:
    """Return a day as counted from the first of January 1970."""
    if isinstance(on, (int, np.integer)):
        return int(on)
    try:
        day: NDArray[Any] = pd.DatetimeIndex([on]).tz_localize(None).to_numpy("datetime64[D]")
    except (ValueError, TypeError) as error:
        msg = f"on is {on!r}: give a date, or write it as '2024-05-31'."
        raise InputError(msg) from error
    return int(day.astype(np.int64)[0])
