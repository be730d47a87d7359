"""Which column of an unknown table is the date, the place, the category, the count."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping._core.codes import level_of
from placeshaping.sources.values import share_of, to_dates, to_numbers, to_postcodes

if TYPE_CHECKING:
    Column = pd.Series[Any]

ROLES: tuple[str, ...] = (
    "date", "longitude", "latitude", "easting", "northing", "postcode", "area_code",
    "category", "count",
)  # fmt: skip
"""What a column of a records file can be used as."""

_SAMPLE = 2_000
_MOST = 0.8
_NAMES: dict[str, tuple[str, ...]] = {
    "date": ("date", "datetime", "month", "period", "reported", "date reported", "reported date",
             "date received", "received", "created", "created date", "date created", "case date",
             "casedate", "incident date", "event date", "opened", "logged", "timestamp", "time",
             "start date", "week", "day"),
    "longitude": ("longitude", "lon", "long", "lng", "x coord", "geo x"),
    "latitude": ("latitude", "lat", "y coord", "geo y"),
    "easting": ("easting", "eastings", "east", "bng e", "oseast1m", "grid e", "x"),
    "northing": ("northing", "northings", "north", "bng n", "osnrth1m", "grid n", "y"),
    "postcode": ("postcode", "post code", "pcds", "pcd", "postal code"),
    "category": ("category", "crime type", "type", "service", "service type", "case type",
                 "request type", "subject", "issue", "service name", "service code", "topic"),
    "count": ("count", "reports", "records", "cases", "incidents", "requests", "visits", "number",
              "quantity", "total", "n", "events", "referrals"),
}  # fmt: skip
_LOOSELY_COUNTS = {"number", "total", "n"}
_NOT_DATES = re.compile(r"birth|dob|extract|expir|end|updat|modif|inspect|valid|review|download")
_LEVELS = ("oa", "lsoa", "msoa", "ward", "district")


def guess_columns(table: pd.DataFrame) -> dict[str, str]:
    """
    Guess which column is which, by its name and by what it holds.

    Parameters
    ----------
    table
        As `read_table` gives it.

    Returns
    -------
    columns
        Role (one of `ROLES`) to column name, of the roles that were found. A
        column must hold what its name promises in most rows; of several levels
        of area codes the finest is taken, and one coarser than a ward only where
        nothing else says where a record lies. A column named like a count is
        taken as one though some of its values be none: `read_services` refuses
        those, rather than count each row as one record.

    Examples
    --------
    >>> table = pd.DataFrame({"Date reported": ["03/02/2024"], "Lat": ["52.6"], "Lon": ["-1.1"],
    ...                       "Type": ["Fly-tipping"]})
    >>> guess_columns(table)
    {'date': 'Date reported', 'longitude': 'Lon', 'latitude': 'Lat', 'category': 'Type'}
    """
    sample = table.head(_SAMPLE)
    found: dict[str, str] = {}
    found |= _date(sample)
    found |= _places(sample)
    found |= _area_code(sample, placed=bool({"longitude", "easting"} & set(found)))
    taken = set(found.values())
    rest = [str(name) for name in table.columns if name not in taken]
    found |= _category(table[rest])
    rest = [name for name in rest if name not in found.values()]
    found |= _count(table[rest])
    return {role: found[role] for role in ROLES if role in found}


def _plain(name: object) -> str:
    return re.sub(r"[\W_]+", " ", str(name).casefold()).strip()


def _named(role: str, names: Sequence[object]) -> list[str]:
    """Return the columns whose name is one of a role's, the best name first."""
    plain = {_plain(name): str(name) for name in reversed(names)}
    return [plain[known] for known in _NAMES[role] if known in plain]


def _first(role: str, table: pd.DataFrame, fits: Callable[[Column], bool]) -> dict[str, str]:
    for name in _named(role, list(table.columns)):
        if fits(table[name]):
            return {role: name}
    return {}


def _date(table: pd.DataFrame) -> dict[str, str]:
    named = _named("date", list(table.columns))
    also = [str(name) for name in table.columns if "date" in _plain(name) and name not in named]
    also.sort(key=lambda name: bool(_NOT_DATES.search(_plain(name))))
    typed = [str(n) for n in table.columns if pd.api.types.is_datetime64_any_dtype(table[n])]
    fitting = [
        name
        for name in dict.fromkeys([*named, *also, *typed])
        if not re.search(r"birth|dob", _plain(name)) and _holds_dates(table[name])
    ]
    varied = [name for name in fitting if len(table[name].dropna().unique()) > 1]
    best = varied or fitting
    return {"date": best[0]} if best else {}


def _holds_dates(values: Column) -> bool:
    known = values.dropna().head(500)
    if known.empty:
        return False
    read = to_dates(known).notna() | to_dates(known, order="american").notna()
    return share_of(read) >= _MOST


def _is_number(values: Column) -> bool:
    known = values.dropna()
    if known.empty:
        return False
    text = known.astype("str").str.replace(",", ".", regex=False)
    return share_of(pd.to_numeric(text, errors="coerce").notna()) >= _MOST


def _count(table: pd.DataFrame) -> dict[str, str]:
    """
    Find the column of counts, whether or not each value of it can be used.

    A count with one bad value is no reason to count every row as one record:
    whoever reads the column refuses the value. Names that are given to other
    things as well (the number of a house) must hold numbers in most rows.
    """
    for name in _named("count", list(table.columns)):
        known = table[name].dropna()
        share = share_of(to_numbers(known).notna())
        loose = _plain(name) in _LOOSELY_COUNTS
        if share >= _MOST or (share > 0 and not loose):
            return {"count": name}
    return {}


def _places(table: pd.DataFrame) -> dict[str, str]:
    found: dict[str, str] = {}
    for first, second in (("longitude", "latitude"), ("easting", "northing")):
        pair = {**_first(first, table, _is_number), **_first(second, table, _is_number)}
        if len(pair) == 2:
            found |= pair
    if found.get("easting", "").casefold() == "x" and "longitude" not in found:
        # x and y say nothing: what they hold does
        small = to_numbers(table[found["easting"]]).abs().median() <= 180
        if small:
            found = {"longitude": found["easting"], "latitude": found["northing"]}
    postcode = _first("postcode", table, _is_postcode)
    if not postcode:
        also = [n for n in table.columns if "postcode" in _plain(n) and _is_postcode(table[n])]
        postcode = {"postcode": str(also[0])} if also else {}
    return {**found, **postcode}


def _is_postcode(values: Column) -> bool:
    known = values.dropna()
    return bool(len(known)) and share_of(to_postcodes(known).notna()) >= _MOST


def _area_code(table: pd.DataFrame, *, placed: bool) -> dict[str, str]:
    held: dict[str, str] = {}
    for name in table.columns:
        values = table[name].dropna()
        if values.empty or not (pd.api.types.is_string_dtype(values) or values.dtype == object):
            continue
        levels = values.astype("str").map(level_of)
        top = str(levels.mode().iloc[0])
        if top in _LEVELS and share_of(levels == top) >= _MOST:
            held.setdefault(top, str(name))
    fine = _LEVELS[:4] if placed else _LEVELS
    best = next((held[level] for level in fine if level in held), None)
    if best is None and not placed:
        named = [str(n) for n in table.columns if _plain(n) in {"area code", "beat", "lsoa"}]
        best = named[0] if named else None
    return {} if best is None else {"area_code": best}


def _category(table: pd.DataFrame) -> dict[str, str]:
    named = _named("category", list(table.columns))
    loose = ("category", "type", "activity", "class", "group", "code", "label")
    also = [
        str(name)
        for word in loose
        for name in table.columns
        if word in _plain(name) and str(name) not in named
    ]
    for name in dict.fromkeys([*named, *also]):
        if _is_category(table[name], strict=name not in named):
            return {"category": name}
    return {}


def _is_category(values: Column, *, strict: bool) -> bool:
    known = values.dropna()
    if known.empty or pd.api.types.is_datetime64_any_dtype(values):
        return False
    distinct = known.nunique()
    if distinct > 200 or (len(known) > 20 and distinct > len(known) / 2):
        return False
    if not strict:
        return True
    text = known.astype("str")
    coded = share_of(text.head(500).map(level_of) != "area") > 0.1
    return (
        2 <= distinct <= 60
        and not coded
        and not text.str.startswith(("http", "www")).any()
        and not _is_number(known)
        and not _is_postcode(known)
    )
