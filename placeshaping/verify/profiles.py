"""
Profiles of areas: values in JSON, and the tables of their pages and sheets.

What a profile holds is known to the last field; its counts are judged as those
of any table, its rates and intervals turned back into counts, and its
indicators held against the counts that they are rates of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaincinv

from placeshaping._core.checks import listed
from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.loose_numbers import note_pairs
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

KINDS = ("area profile", "area profiles")

FIELDS: dict[str, set[str]] = {
    "profile": {"declaration", "place", "made_on", "indicators", "services", "alike", "hot_spots"},
    "place": {"name", "level", "codes", "weighted_by"},
    "indicators": {
        "key", "group", "label", "unit", "period", "polarity", "value", "lower", "upper", "beside",
    },
    "beside": {"place", "value", "told"},
    "services": {"name", "periods", "categories", "values"},
    "periods": {"label", "months", "first", "last"},
    "categories": {"label", "parts", "denominator"},
    "values": {
        "period", "category", "status", "count", "rate", "lower", "upper", "standard_error",
    },
}  # fmt: skip
"""Part of a profile -> the fields that it may have."""

PUBLIC = ("people", "deprivation", "access")
"""Groups of indicators that come from public facts; others are of counts."""

_Z = 1.959964
_PER = 1000.0
_HALF = 0.005
_PRINTED = 0.0551  # one decimal, of a rate that had two
_EXAMPLES = 3


def is_profile(declaration: Mapping[str, Any] | None) -> bool:
    """
    Tell whether a file declares itself a profile.

    Examples
    --------
    >>> is_profile({"kind": "area profile"}), is_profile(None)
    (True, False)
    """
    return (declaration or {}).get("kind") in KINDS


def read_profile(data: Mapping[str, Any], contents: Contents) -> None:
    """
    Turn a profile into tables, and note every field that it must not have.

    Examples
    --------
    >>> contents = Contents("json", {"kind": "area profile"})
    >>> read_profile({"declaration": {}, "victims": ["x"]}, contents)
    >>> [breach.what for breach in contents.breaches]
    ["holds the field 'victims', which is not on the list"]
    """
    for part, key in dict.fromkeys(_odd(data, "profile")):
        contents.breach(part, f"holds the field {key!r}, which is not on the list")
    place = data.get("place")
    place = place if isinstance(place, Mapping) else {}
    code = _code(place)
    level = str(place.get("level"))
    people = (contents.declaration or {}).get("people")
    if isinstance(people, Mapping):
        known = {str(k): [v] for k, v in people.items() if k in ("residents", "households")}
        contents.tables.append(Table("place", pd.DataFrame({"area_code": [code], **known})))
    services = [one for one in _list(data.get("services")) if isinstance(one, Mapping)]
    indicators = [one for one in _list(data.get("indicators")) if isinstance(one, Mapping)]
    for service in services:
        head = f"{service.get('name')}: " if len(services) > 1 else ""
        _service(service, contents, code=code, level=level, head=head)
        _indicators(service, indicators, contents)
    named = {str(service.get("name")) for service in services}
    for one in indicators:
        if str(one.get("group")) not in {*named, *PUBLIC}:
            contents.breach("indicators", "tells of something that is not declared", _text(one))
    words = [data.get("alike"), data.get("hot_spots"), place.get("name")]
    note_pairs("profile", str(words), contents)


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _values(given: Any) -> list[Any]:
    return list(given.values()) if isinstance(given, Mapping) else []


def _text(one: Mapping[str, Any]) -> str:
    return f"{one.get('group')}: {one.get('label')}"[:80]


def _code(place: Mapping[str, Any]) -> str:
    codes = _list(place.get("codes"))
    return str(codes[0]) if len(codes) == 1 else f"place {place.get('name')}"


def _odd(data: Any, part: str) -> Iterator[tuple[str, str]]:
    """Yield fields that are not on the list, with the part that they stand in."""
    if isinstance(data, list):
        for item in data:
            if isinstance(item, Mapping):
                yield from _odd(item, part)
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in FIELDS[part]:
                yield part, str(key)
            elif key in FIELDS and key != "declaration":
                yield from _odd(value, key)


def _service(
    service: Mapping[str, Any], contents: Contents, *, code: str, level: str, head: str
) -> None:
    """Make a table of a service's numbers; intervals that are widened are judged here."""
    rows = [row for row in _list(service.get("values")) if isinstance(row, Mapping)]
    if not rows:
        return
    frame = pd.DataFrame(rows).reindex(
        columns=["period", "category", "status", "count", "rate", "lower", "upper",
                 "standard_error"]
    )  # fmt: skip
    frame = frame.assign(area_code=code, category=head + frame["category"].astype(str))
    contents.note_views(
        service.get("periods"),
        [
            {**one, "label": f"{head}{one.get('label')}",
             "parts": [f"{head}{part}" for part in _list(one.get("parts"))]}
            for one in _list(service.get("categories")) if isinstance(one, Mapping)
        ],
    )  # fmt: skip
    summed = frame["standard_error"].notna()
    if summed.any():
        _widened(frame[summed], service, contents, head)
        frame.loc[summed, ["lower", "upper"]] = None
    contents.tables.append(Table(f"{level}_values", frame.drop(columns="standard_error")))


def _widened(
    frame: pd.DataFrame, service: Mapping[str, Any], contents: Contents, head: str
) -> None:
    """Look for intervals of sums that are not those of the counts and errors that are told."""
    people = (contents.declaration or {}).get("people")
    people = people if isinstance(people, Mapping) else {}
    amount = np.array(
        [
            float(people.get(str(contents.denominators.get(str(category))), np.nan))
            * contents.periods.get(str(period), np.nan)
            for category, period in zip(frame["category"], frame["period"], strict=True)
        ]
    )
    count, rate = numbers_of(frame["count"]), numbers_of(frame["rate"])
    error = _Z * numbers_of(frame["standard_error"])
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = _poisson(count)
        own = {
            "lower": np.maximum(count - np.hypot(count - low, error), 0),
            "upper": count + np.hypot(high - count, error),
        }
        for column, value in own.items():
            given = numbers_of(frame[column])
            slack = 2 * _HALF + 0.2 * _PER / amount + 0.002 * given
            other = np.isfinite(given) & ~(np.abs(given - value * _PER / amount) <= slack)
            if other.any():
                what = f"{number_of(int(other.sum()), 'interval')} of other counts than are shown"
                proof = "; ".join(cell_names(frame, other))
                contents.breach(f"services {head or service.get('name')}", what, proof)
    bare = ~np.isfinite(count) & np.isfinite(rate)
    if bare.any():
        what = f"{number_of(int(bare.sum()), 'rate')} of counts that are hidden"
        contents.breach("services", what, "; ".join(cell_names(frame, bare)))


def _poisson(count: Any) -> tuple[Any, Any]:
    """Return Byar's limits of counts, below ten the exact ones."""
    more = count + 1
    low = count * (1 - 1 / (9 * count) - _Z / (3 * np.sqrt(count))) ** 3
    high = more * (1 - 1 / (9 * more) + _Z / (3 * np.sqrt(more))) ** 3
    few = count < 10
    exact = np.where(count > 0, gammaincinv(np.maximum(count, 1), 0.025), 0.0)
    return np.where(few, exact, low), np.where(few, gammaincinv(more, 0.975), high)


def _indicators(
    service: Mapping[str, Any], indicators: list[Mapping[str, Any]], contents: Contents
) -> None:
    """Hold the rates of a service among the indicators against its numbers."""
    name = str(service.get("name"))
    periods = [one for one in _list(service.get("periods")) if isinstance(one, Mapping)]
    whole = str(periods[0].get("label")) if periods else ""
    told = {
        str(row.get("category")): row
        for row in _list(service.get("values"))
        if isinstance(row, Mapping) and str(row.get("period")) == whole
    }
    odd = []
    for one in indicators:
        if one.get("group") != name:
            continue
        row = told.get(str(one.get("label")))
        pairs = (("value", "rate"), ("lower", "lower"), ("upper", "upper"))
        if row is None or any(one.get(a) != row.get(b) for a, b in pairs):
            odd.append(_text(one))
    if odd:
        what = f"{number_of(len(odd), 'indicator')} of other numbers than are shown"
        contents.breach("indicators", what, listed(odd))


_GLANCE = re.compile(r"\b(\d{1,3}(?:,\d{3})*|\d+) in [^,.;]{4,40}, [\d,.]+ per 1,000\b")


def _told(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """Look at the counts that stand in sentences."""
    for number in map(int, (n.replace(",", "") for n in _GLANCE.findall(_words(contents)))):
        if rules.smallest_hidden <= number < rules.threshold:
            yield Breach("sentences", f"counts {number}, under {rules.threshold}", attack="counts")
        elif number % rules.multiple:
            what = f"counts {number}, not rounded to {rules.rounding}"
            yield Breach("sentences", what, attack="counts")


def _words(contents: Contents) -> str:
    return " ".join(contents.texts.get("text", "").split())


def check_profile(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Turn the rates of a profile's page or sheets back into counts.

    Examples
    --------
    >>> from placeshaping.verify.rules import RULES
    >>> said = {"kind": "area profile", "people": {"residents": 1000}, "years": {"Crime": 1}}
    >>> page = pd.DataFrame({"What": ["Crime"], "Number": ["10"], "Rate": ["12.0"]})
    >>> contents = Contents("html", said, [Table("<table> 1", page)])
    >>> [breach.what for breach in check_profile(contents, RULES["councillor"])]
    ['1 rate of another count than is shown']
    """
    if not is_profile(contents.declaration) or not rules.protects:
        return
    yield from _told(contents, rules)
    said = contents.declaration or {}
    people = [float(n) for n in _values(said.get("people")) if n]
    years = [float(n) for n in _values(said.get("years")) if n]
    amounts = [many * span / _PER for many in people for span in years]
    for table in contents.tables:
        if not {"Number", "Rate"} <= set(table.frame.columns) or not table.frame.columns.is_unique:
            continue
        frame = table.frame
        count, rate = numbers_of(frame["Number"]), numbers_of(frame["Rate"])
        fits = np.zeros(len(frame), dtype=bool)
        for amount in amounts:
            with np.errstate(invalid="ignore", divide="ignore"):
                slack = _PRINTED + count / amount / min(people)
                fits |= np.abs(count / amount - rate) <= slack
        for rows, what in (
            (np.isfinite(count) & np.isfinite(rate) & ~fits, "of another count than is shown"),
            (~np.isfinite(count) & np.isfinite(rate), "of a count that is hidden"),
        ):
            if rows.any():
                names = "; ".join(frame.iloc[:, 0].astype(str)[rows].tolist()[:_EXAMPLES])
                yield Breach(
                    table.where, f"{number_of(int(rows.sum()), 'rate')} {what}", names, "rates"
                )
