"""
Invented premises, visits to them and complaints about them, with the truth beside.

Licensed rented homes of a district: some are badly kept. Inspectors went where
there were complaints and where they had long not been, some of them strict and
some lenient, and a share of the visits was drawn by lot. Since the true chance
of a fault is known, a model of inspections can be held to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_whole
from placeshaping._core.columns import tag_columns

LANDLORDS = ("one property", "two to five", "more than five", "agent")
STRICTNESS = {"Inspector A": 0.9, "Inspector B": 0.1, "Inspector C": -0.8}
"""How much likelier each records a fault, on the scale of log odds."""

_FIRST, _LAST = np.datetime64("2022-01-01"), np.datetime64("2025-12-31")
_BY_LOT = 0.15

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Premises:
    """
    Invented premises.

    Attributes
    ----------
    properties
        Index ``property``: ``area_code``, ``storeys``, ``age`` (years),
        ``landlord``, ``arrears`` (share of council tax unpaid; tagged
        ``personal``; missing for some).
    visits
        ``property``, ``date``, ``found``, ``inspector``, ``random``.
    complaints
        ``property``, ``date``.
    truth
        Chance that a fault is there to be found, by property.
    """

    properties: pd.DataFrame
    visits: pd.DataFrame
    complaints: pd.DataFrame
    truth: pd.Series[float]


def make_premises(
    count: int = 1_500, *, areas: Sequence[str] | None = None, seed: int = 0
) -> Premises:
    """
    Invent premises.

    Parameters
    ----------
    count
        How many.
    areas
        Codes of the areas that they lie in; by default forty invented ones.
    seed
        Of everything.

    Returns
    -------
    premises
        Properties, visits over four years (one and a half a property),
        complaints, and the truth.

    Raises
    ------
    InputError
        If `count` is no whole number of 50 or more.

    Examples
    --------
    >>> made = make_premises(400, seed=1)
    >>> len(made.properties), len(made.visits), sorted(made.visits.inspector.unique())
    (400, 576, ['Inspector A', 'Inspector B', 'Inspector C'])
    """
    check_whole(count, name="count", least=50)
    rng = np.random.default_rng(seed)
    codes = np.array(areas if areas is not None else [f"E01{i:06}" for i in range(1, 41)])
    area = rng.integers(0, len(codes), count)
    properties, odds = _properties(area, codes, rng)
    complaints = _complaints(odds, rng)
    visits = _visits(odds, complaints, rng)
    names = properties.index.to_numpy()
    for table in (complaints, visits):
        table["property"] = names[table["property"]]
    truth = pd.Series(1 / (1 + np.exp(-odds)), index=properties.index, name="truth")
    return Premises(properties, visits, complaints, truth)


def _properties(
    area: NDArray[Any], codes: NDArray[Any], rng: np.random.Generator
) -> tuple[pd.DataFrame, Floats]:
    count = len(area)
    storeys = 1 + rng.binomial(4, 0.35, count)
    age = np.round(rng.gamma(3.0, 25.0, count))
    landlord = rng.choice(len(LANDLORDS), count, p=[0.45, 0.3, 0.1, 0.15])
    arrears = np.clip(rng.beta(0.6, 4.0, count), 0, 1)
    nearby = rng.normal(0, 0.4, len(codes))[area]
    odds = (
        -2.3 + 0.45 * (storeys - 2.4) + 0.012 * (age - 75) + 3.0 * (arrears - 0.13)
        + np.array([0.0, 0.2, 0.9, -0.3])[landlord] + nearby + rng.normal(0, 0.5, count)
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "area_code": codes[area],
            "storeys": storeys,
            "age": age,
            "landlord": np.array(LANDLORDS)[landlord],
            "arrears": np.where(rng.random(count) < 0.05, np.nan, np.round(arrears, 2)),
        },
        index=pd.Index([f"P{i:05}" for i in range(count)], name="property"),
    )
    tag_columns(table, {"arrears": "personal"})
    return table, odds


def _complaints(odds: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Tenants complain more where there is a fault, and some complain anyway."""
    number = rng.poisson(0.3 + 2.2 / (1 + np.exp(-odds)))
    span = int((_LAST - _FIRST).astype(int))
    days = _FIRST + rng.integers(0, span, number.sum()).astype("timedelta64[D]")
    return _dated(np.repeat(np.arange(len(odds)), number), days)


def _visits(odds: Floats, complaints: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Send inspectors month by month, mostly after complaints."""
    count = len(odds)
    months = np.arange("2022-01", "2026-01", dtype="datetime64[M]")
    each = max(1, round(1.5 * count / len(months)))
    last = np.full(count, _FIRST - 400)
    told = complaints["date"].to_numpy(dtype="datetime64[D]")
    rows = []
    for month in months:
        day = month.astype("datetime64[D]")
        recent = np.bincount(
            complaints["property"][(told < day) & (told >= day - 365)], minlength=count
        )
        wait = (day - last).astype(int) / 365
        rank = recent + 0.4 * wait + rng.normal(0, 0.8, count)
        lot = rng.random(each) < _BY_LOT
        listed = np.argsort(-rank)[: each - lot.sum()]
        drawn = rng.choice(np.setdiff1d(np.arange(count), listed), lot.sum(), replace=False)
        gone = np.concatenate([listed, drawn])
        last[gone] = day
        rows.append(
            pd.DataFrame(
                {
                    "property": gone,
                    "date": day + rng.integers(0, 28, len(gone)).astype("timedelta64[D]"),
                    "random": np.arange(len(gone)) >= len(listed),
                }
            )
        )
    visits = pd.concat(rows, ignore_index=True)
    who = rng.integers(0, len(STRICTNESS), len(visits))
    strict = np.array(list(STRICTNESS.values()))[who]
    seen = 1 / (1 + np.exp(-(odds[visits["property"]] + strict)))
    visits["found"] = rng.random(len(visits)) < seen
    visits["inspector"] = np.array(list(STRICTNESS))[who]
    return visits[["property", "date", "found", "inspector", "random"]]


def _dated(key: NDArray[Any], days: NDArray[Any]) -> pd.DataFrame:
    table = pd.DataFrame({"property": key, "date": days.astype("datetime64[s]")})
    return table.sort_values("date", kind="stable", ignore_index=True)
