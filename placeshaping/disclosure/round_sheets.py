"""
Rounds as they may leave: lists of places and times, for named staff alone.

A stop may be a bin or a person's home; nothing here can tell. So a round sheet
is a list like any other: under `restricted` with a purpose and a last day, or
under `internal`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.errors import DisclosureError, UnmatchedError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.permission import check_policy
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.records import _MAKER, Records
from placeshaping.disclosure.statement import disclosure_statement
from placeshaping.shaping.rounds import Rounds, describe_rounds

NOT_FOR = (
    "To judge how fast a person works: traffic, parking and breaks are not in the times.",
    "To keep after the day that it is for.",
)
"""What a round sheet must not be used for."""


def release_rounds(
    plan: Rounds,
    places: gpd.GeoDataFrame,
    *,
    policy: str | Policy,
    title: str,
    made_on: dt.date,
    begin: dt.time,
    what: str = "stops",
    purpose: str = "",
    contact: str = "",
    expires: dt.date | None = None,
    sources: Sequence[SourceFile] = (),
) -> Records:
    """
    Release rounds as a list for those who go them.

    Parameters
    ----------
    plan
        From `plan_rounds`.
    places
        The stops that it was made for, EPSG:27700.
    policy
        ``"restricted"``, ``"internal"``, or a council's own that lets lists out.
    title, purpose, contact, sources
        What stands on it.
    made_on, expires
        Date that it bears, and the last day on which it may be used.
    begin
        The clock time at which shifts start.
    what
        Name of the stops, in the plural.

    Returns
    -------
    records
        ``round``, ``order``, ``stop``, ``arrives``, ``begins`` and ``leaves``
        by the clock, ``travel`` (minutes from the place before), ``load``,
        ``easting``, ``northing``.

    Raises
    ------
    DisclosureError
        If the policy lets out no lists, or needs what is not given.
    UnmatchedError
        If `places` lacks a stop.
    """
    rules = known_policy(policy)
    if rules.leaves or rules.protects:
        msg = (
            f"Policy {rules.name!r} lets out no list of places, and rounds are one. Use "
            "policy='restricted' with a purpose and a last day, or 'internal' for your own desk."
        )
        raise DisclosureError(msg)
    check_policy(rules, sensitivity="personal", purpose=purpose, expires=expires, made_on=made_on)
    lost = plan.stops.index[~plan.stops.index.isin(places.index)]
    if len(lost):
        msg = f"{len(lost):,} stops of the rounds are not among the places. Give the same table."
        raise UnmatchedError(msg)
    return Records(
        name="rounds",
        title=title,
        kind="list",
        table=_sheet(plan, places, begin),
        policy=rules,
        paragraph=describe_rounds(plan, what=what),
        statement=tuple(
            disclosure_statement(
                rules, facts={}, left_out={}, already_published=None, expires=expires
            )
        ),
        method=plan.method,
        cautions=plan.cautions,
        least=0,
        purpose=purpose,
        contact=contact,
        lawful_basis="",
        made_on=made_on,
        expires=expires,
        already_published=None,
        sources=tuple(sources),
        not_for=NOT_FOR,
        _maker=_MAKER,
    )


def clock(begin: dt.time, minutes: float) -> str:
    """
    Write a moment of a shift by the clock.

    Examples
    --------
    >>> clock(dt.time(22, 30), 95.4)
    '00:05'
    """
    whole = begin.hour * 60 + begin.minute + round(minutes)
    return f"{whole // 60 % 24:02d}:{whole % 60:02d}"


def _sheet(plan: Rounds, places: gpd.GeoDataFrame, begin: dt.time) -> pd.DataFrame:
    stops = plan.stops
    points = places.geometry.reindex(stops.index)
    made = pd.DataFrame(
        {
            "round": stops["round"].to_numpy(),
            "order": stops["order"].to_numpy(),
            "stop": stops.index.astype(str),
        }
    )
    for name in ("arrives", "begins", "leaves"):
        made[name] = [clock(begin, value) for value in stops[name]]
    made["travel"] = stops["travel"].round(1).to_numpy()
    if stops["load"].any():
        made["load"] = stops["load"].to_numpy()
    made["easting"] = np.rint(points.x.to_numpy()).astype(np.int64)
    made["northing"] = np.rint(points.y.to_numpy()).astype(np.int64)
    return made
