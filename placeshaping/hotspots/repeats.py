"""
Repeated demand: places to which several services are called, or one again and again.

For the officers who visit. A table of addresses with dates of contact is about
identifiable people, so that every column of the result is tagged ``personal``;
it may leave under ``restricted`` alone, and with a lawful basis for bringing
the services together.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns, check_result, check_whole, listed
from placeshaping._core.columns import tag_columns
from placeshaping._core.crs import looks_like_degrees
from placeshaping._core.errors import ColumnError, CRSError, EmptyError, InputError

_log = logging.getLogger(__name__)

MUCH_OF_ONE = 0.2
"""Share of a service's records at one key from which on it seems to stand for "unknown"."""

_FEW = 20
_COUNT = "count_"


def repeat_locations(
    services: Mapping[str, pd.DataFrame],
    *,
    key: str | None = None,
    cell: float | None = None,
    date: str = "date",
    weight: str | None = None,
    least: int = 2,
    least_services: int = 1,
) -> pd.DataFrame:
    """
    Find the places with repeated demand, within a service and across services.

    Parameters
    ----------
    services
        Name of a service -> its records, one row a contact.
    key
        Column that names the place in every table: UPRN, address, or the like.
        Text is compared without regard to case and spaces; numbers without
        leading zeros or a ``.0`` at the end.
    cell
        Instead of `key`: metres to which the columns ``easting`` and
        ``northing`` are rounded (1 for anchor points). Neighbours may share a
        cell, and one place may fall in two.
    date
        Column of the day of the contact.
    weight
        Column that says how many contacts a row stands for, where there is one.
    least
        Contacts that a place needs, all services together.
    least_services
        Services that a place must have had contact with.

    Returns
    -------
    places
        Index ``place`` (the key, or ``"easting northing"``), most services
        first, then most contacts, then the key: ``order`` (ties share the
        lowest), ``services`` (how many), ``count``, ``first``, ``last``,
        ``days`` (from first to last), and ``count_<service>`` for each. All
        tagged ``personal``. ``attrs``: ``without_key`` (service -> records),
        ``places`` (all places seen), ``contacts``, ``share`` (of contacts that
        are at the places listed), ``method``, ``cautions``. There may be no rows.

    Raises
    ------
    ColumnError
        If a column is missing, dates are no dates, or a weight is no count.
    CRSError
        If eastings and northings are degrees.
    InputError
        If neither or both of `key` and `cell` are given.
    EmptyError
        If there are no services, or no record has a place.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-05", "2025-02-09", "2025-03-01"])
    >>> noise = pd.DataFrame({"uprn": [10, 10, 11], "date": days})
    >>> repairs = pd.DataFrame({"uprn": ["0010", "12"], "date": days[:2]})
    >>> places = repeat_locations({"noise": noise, "repairs": repairs}, key="uprn")
    >>> places[["services", "count", "days", "count_noise", "count_repairs"]]
           services  count  days  count_noise  count_repairs
    place
    10            2      3    35            2              1
    """
    for value, name in ((least, "least"), (least_services, "least_services")):
        check_whole(value, name=name)
    if (key is None) == (cell is None):
        msg = "Give either key (a column of UPRNs or addresses) or cell (metres to round to)."
        raise InputError(msg)
    if not isinstance(services, Mapping):
        msg = (
            f"services is a {type(services).__name__}. Give a table for each service by its name: "
            "{'noise': table}."
        )
        raise InputError(msg)
    if not services:
        msg = "There are no services. Give a table for each, by name."
        raise EmptyError(msg)
    parts = [_contacts(table, name, key, cell, date, weight) for name, table in services.items()]
    contacts = pd.concat(parts, ignore_index=True)
    placed = contacts[contacts["place"].notna() & (contacts["contacts"] > 0)]
    if placed.empty:
        msg = f"None of {len(contacts):,} records has a place. Check the column of the key."
        raise EmptyError(msg)
    places = _by_place(placed, list(services))
    chosen = places[(places["count"] >= least) & (places["services"] >= least_services)]
    result = _ranked(chosen)
    tag_columns(result, dict.fromkeys(["place", *result.columns], "personal"))
    lost = contacts[contacts["place"].isna()].groupby("service")["contacts"].sum()
    result.attrs.update(
        without_key={name: int(lost.get(name, 0)) for name in services},
        places=len(places),
        contacts=int(placed["contacts"].sum()),
        share=float(chosen["count"].sum() / placed["contacts"].sum()),
        method=(
            f"Places by {key if cell is None else f'easting and northing to {cell:g} m'} with "
            f"{least} or more contacts with {least_services} or more services."
        ),
        cautions=tuple(_cautions(contacts, placed, cell)),
    )
    for caution in result.attrs["cautions"]:
        _log.warning("%s", caution)
    return result


def describe_repeats(places: pd.DataFrame) -> str:
    """
    Say in a paragraph how much demand is repeated; it names no place.

    Parameters
    ----------
    places
        From `repeat_locations`.

    Returns
    -------
    paragraph
        For people who are not statisticians. Its numbers are true counts: what
        leaves the house passes the disclosure gate first.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-05", "2025-02-09", "2025-03-01"])
    >>> noise = pd.DataFrame({"uprn": [10, 10, 11], "date": days})
    >>> print(describe_repeats(repeat_locations({"noise": noise}, key="uprn")))
    1 of 2 places (50%) had repeated contact. They account for 67% of 3 contacts. ...
    """
    check_result(
        places,
        made_by="repeat_locations",
        columns=["services", "days"],
        facts=["places", "contacts", "share", "without_key"],
    )
    facts = places.attrs
    several = int((places["services"] > 1).sum())
    names = [str(name).removeprefix(_COUNT) for name in places if str(name).startswith(_COUNT)]
    text = (
        f"{len(places):,} of {facts['places']:,} places ({len(places) / facts['places']:.0%}) had "
        f"repeated contact. They account for {facts['share']:.0%} of {facts['contacts']:,} "
        "contacts. "
    )
    if len(names) > 1:
        text += f"{several:,} of them are known to more than one of {listed(names)}. "
    days = places["days"].dropna()
    if len(days):
        text += f"In half of them the first and the last contact are {days.median():,.0f} days "
        text += "apart or less. "
    lost = sum(facts["without_key"].values())
    if lost:
        text += f"{lost:,} contacts have no usable place and are left out. "
    return text + "Repeated contact may be need, a fault never mended, or one busy building."


def _contacts(
    table: pd.DataFrame,
    name: str,
    key: str | None,
    cell: float | None,
    date: str,
    weight: str | None,
) -> pd.DataFrame:
    """Return place, day, service and number of the contacts of one service."""
    where = f"The table of {name!r}"
    needed = [key] if key is not None else ["easting", "northing"]
    check_columns(table.columns, [*needed, date, *([weight] if weight else [])], where=where)
    if not pd.api.types.is_datetime64_any_dtype(table[date]):
        msg = (
            f"{where}: column {date!r} holds no dates but {table[date].dtype}. Read it with "
            "pandas.to_datetime(..., dayfirst=True)."
        )
        raise ColumnError(msg)
    number: Any = 1
    if weight is not None:
        number = table[weight].to_numpy(dtype="float64", na_value=np.nan)
        if not (np.isfinite(number) & (number >= 0) & (number == np.floor(number))).all():
            msg = f"{where}: column {weight!r} holds missing, negative or fractional numbers."
            raise ColumnError(msg)
    place = _keys(table[key]) if cell is None else _cells(table, cell, where)
    days = table[date] if table[date].dt.tz is None else table[date].dt.tz_localize(None)
    return pd.DataFrame(
        {
            "place": place.to_numpy(),
            "day": days.dt.normalize().to_numpy(),
            "service": name,
            "contacts": np.broadcast_to(number, len(table)).astype(np.int64),
        }
    )


def _keys(column: pd.Series[Any]) -> pd.Series[Any]:
    """Write the keys of unlike tables alike; blank ones are missing."""
    levels = pd.Index(column.dropna().unique())
    plain = {}
    for level in levels:
        text = re.sub(r"\s+", " ", str(level)).strip().casefold()
        number = re.fullmatch(r"0*(\d+)(?:\.0+)?", text)
        plain[level] = (number.group(1) if number else text.upper()) or None
    return column.astype("object").map(plain)


def _cells(table: pd.DataFrame, cell: float, where: str) -> pd.Series[Any]:
    if not cell > 0:
        msg = f"cell is {cell:g}; it must be above zero, in metres."
        raise InputError(msg)
    xy = table[["easting", "northing"]].to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(xy).all(axis=1)
    if known.any():
        low, high = xy[known].min(axis=0), xy[known].max(axis=0)
        if looks_like_degrees([*low, *high]):
            msg = (
                f"{where}: easting and northing look like degrees ({low[0]:.3f}, {low[1]:.3f}). "
                "Bring them onto the British National Grid: to_grid(longitude, latitude)."
            )
            raise CRSError(msg)
    rounded = np.round(np.where(known[:, None], xy, 0) / cell) * cell
    text = [f"{x:.0f} {y:.0f}" if k else None for (x, y), k in zip(rounded, known, strict=True)]
    return pd.Series(text, dtype="object")


def _by_place(placed: pd.DataFrame, services: list[str]) -> pd.DataFrame:
    """Return one row a place: contacts by service, first and last day."""
    counts = placed.pivot_table(
        index="place", columns="service", values="contacts", aggfunc="sum", fill_value=0
    ).reindex(columns=services, fill_value=0)
    days = placed.groupby("place")["day"].agg(["min", "max"]).reindex(counts.index)
    places = pd.DataFrame(
        {
            "services": (counts > 0).sum(axis=1),
            "count": counts.sum(axis=1).astype("int64"),
            "first": days["min"],
            "last": days["max"],
            "days": (days["max"] - days["min"]).dt.days.astype("Int64"),
        },
        index=counts.index,
    )
    for name in services:
        places[f"{_COUNT}{name}"] = counts[name].astype("int64")
    return places


def _ranked(places: pd.DataFrame) -> pd.DataFrame:
    """Sort by services, then contacts, then key; ties share the lowest place."""
    result = places.sort_index().sort_values(["services", "count"], ascending=False, kind="stable")
    pairs = result["services"] * (result["count"].max() + 1 if len(result) else 1) + result["count"]
    result.insert(0, "order", pairs.rank(method="min", ascending=False).astype("int64"))
    return result


def _cautions(contacts: pd.DataFrame, placed: pd.DataFrame, cell: float | None) -> Iterator[str]:
    """Say what a reader must know."""
    for name, part in contacts.groupby("service", sort=False):
        lost, total = int(part["place"].isna().sum()), len(part)
        if lost:
            yield f"{lost:,} of {total:,} records of {name!r} have no place and are left out."
        undated = int(part["day"].isna().sum())
        if undated:
            yield f"{undated:,} of {total:,} records of {name!r} have no date."
    sums = placed.groupby(["service", "place"])["contacts"].sum()
    for name, at in sums.groupby("service", sort=False):
        if at.sum() >= _FEW and at.max() > MUCH_OF_ONE * at.sum():
            yield (
                f"One key holds {at.max() / at.sum():.0%} of the contacts of {name!r}: does it "
                "stand for an unknown address, or for the service's own desk?"
            )
    if cell is not None:
        yield (
            f"Places are squares of {cell:g} m: neighbours may share one, and anchor points of "
            "police.uk stand for many addresses."
        )
