"""Recorded crime as police.uk hands it out, with its quirks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from placeshaping._core.crs import to_degrees
from placeshaping.synthetic.district import District
from placeshaping.synthetic.names import FORCE

POLICE_COLUMNS: tuple[str, ...] = (
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
    "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context",
)  # fmt: skip
"""Columns of a street-level file of police.uk, in their order."""

_NO_ID = "Anti-social behaviour"
_FIRST_MIXED = np.datetime64("2023-02")
_FIRST_2021 = np.datetime64("2023-06")
_OUTCOMES: dict[str, float] = {
    "Investigation complete; no suspect identified": 0.43,
    "Unable to prosecute suspect": 0.33,
    "Status update unavailable": 0.04,
    "Court result unavailable": 0.06,
    "Local resolution": 0.04,
    "Action to be taken by another organisation": 0.03,
    "Formal action is not in the public interest": 0.02,
    "Awaiting court outcome": 0.03,
    "Offender given a caution": 0.02,
}
_SOLVED = ("Drugs", "Possession of weapons", "Shoplifting", "Public order")


def published_months(district: District) -> Iterator[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """
    Yield each month's file: its name (``"2022-07"``), its rows, and what was done to them.

    Every event of the month is there once. Added are exact duplicates and
    rows that repeat a Crime ID with another outcome; some rows lose their
    coordinates; a few are placed far outside the force. The counts of each
    are in the third item.

    Parameters
    ----------
    district
        As made by :func:`placeshaping.synthetic.district.make_district`.

    Examples
    --------
    >>> from placeshaping.synthetic.district import make_district
    >>> months = list(published_months(make_district(20, seed=1, months=1)))
    >>> months[0][0], list(months[0][1])[:2]
    ('2022-07', ['Crime ID', 'Month'])
    """
    events, snaps = district.events, district.snap_points
    tree = cKDTree(snaps[["easting", "northing"]].to_numpy())
    longitude, latitude = to_degrees(snaps["easting"], snaps["northing"])
    places = snaps.assign(Longitude=np.round(longitude, 6), Latitude=np.round(latitude, 6))
    first = np.datetime64(district.first_month, "M")
    starts = (first + np.arange(district.months + 1)).astype("datetime64[s]")
    cut = np.searchsorted(events["time"].to_numpy(), starts)
    for step in range(district.months):
        month = first + step
        rng = np.random.default_rng([district.seed, district.areas, 1_000 + step])
        part = events.iloc[cut[step] : cut[step + 1]]
        nearest = np.asarray(tree.query(part[["easting", "northing"]].to_numpy(), workers=-1)[1])
        rows, notes = _month(part, places.take(nearest), month, rng)
        yield str(month), rows, notes


def _month(
    part: pd.DataFrame, places: pd.DataFrame, month: np.datetime64, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, Any]]:
    n = len(part)
    kind = part["category"].astype("str").to_numpy(object)
    code, name = _lsoa_columns(places, month, n, rng)
    rows = pd.DataFrame(
        {
            "Crime ID": _crime_ids(n, rng),
            "Month": np.full(n, str(month), dtype=object),
            "Reported by": np.full(n, FORCE, dtype=object),
            "Falls within": np.full(n, FORCE, dtype=object),
            "Longitude": places["Longitude"].to_numpy(),
            "Latitude": places["Latitude"].to_numpy(),
            "Location": places["location"].to_numpy(object),
            "LSOA code": code,
            "LSOA name": name,
            "Crime type": kind,
            "Last outcome category": _outcomes(kind, rng),
            "Context": np.full(n, None, dtype=object),
        }
    )
    hidden = kind == _NO_ID
    rows.loc[hidden, ["Crime ID", "Last outcome category"]] = None
    missing = rng.random(n) < rng.uniform(0.01, 0.05)
    rows.loc[missing, ["Longitude", "Latitude", "LSOA code", "LSOA name"]] = None
    rows.loc[missing, "Location"] = "No Location"
    far = _send_away(rows, missing, rng)
    rows, twins, repeats = _repeat(rows, rng)
    rows = rows.sort_values(
        ["LSOA name", "Crime type", "Location"], kind="stable", ignore_index=True
    )
    text = [c for c in POLICE_COLUMNS if c not in ("Longitude", "Latitude")]
    notes = {
        "month": str(month), "events": n, "rows": len(rows), "exact_duplicates_added": twins,
        "crime_ids_repeated": repeats, "without_coordinates": int(rows["Longitude"].isna().sum()),
        "far_outside": far,
    }  # fmt: skip
    return rows.astype(dict.fromkeys(text, "str")), notes


def _lsoa_columns(
    places: pd.DataFrame, month: np.datetime64, n: int, rng: np.random.Generator
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return codes and names: of 2011 up to January 2023, of 2021 from June, mixed in between."""
    if month < _FIRST_MIXED:
        new = np.zeros(n, dtype=bool)
    elif month >= _FIRST_2021:
        new = np.ones(n, dtype=bool)
    else:
        new = rng.random(n) < 0.5
    code, name = (
        np.where(new, places[f"LSOA21{k}"].to_numpy(object), places[f"LSOA11{k}"].to_numpy(object))
        for k in ("CD", "NM")
    )
    return code, name


def _crime_ids(n: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    text = rng.bytes(32 * n).hex()
    return np.array([text[64 * k : 64 * (k + 1)] for k in range(n)], dtype=object)


def _outcomes(kind: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    names = np.array(list(_OUTCOMES), object)
    usual = np.array(list(_OUTCOMES.values()))
    solved = usual * np.array([0.4, 0.8, 1, 3, 3, 1, 2, 3, 3])
    pick = np.where(
        np.isin(kind, _SOLVED),
        rng.choice(len(names), size=len(kind), p=solved / solved.sum()),
        rng.choice(len(names), size=len(kind), p=usual / usual.sum()),
    )
    return np.asarray(names[pick])


def _send_away(rows: pd.DataFrame, missing: np.ndarray[Any, Any], rng: np.random.Generator) -> int:
    """Place a few records 60 to 200 km away, under codes of no area of the district."""
    spare = np.flatnonzero(~missing)
    count = min(len(spare), max(1, rng.poisson(0.0006 * len(rows)))) if len(spare) else 0
    away = rng.choice(spare, size=count, replace=False)
    rows.loc[away, "Longitude"] = np.round(rng.uniform(-2.6, -0.6, count), 6)
    rows.loc[away, "Latitude"] = np.round(rng.uniform(51.5, 52.9, count), 6)
    number = rng.integers(900, 1_000, count)
    rows.loc[away, "LSOA code"] = [f"E01949{k:03d}" for k in number]
    rows.loc[away, "LSOA name"] = [f"Otherstead 0{k % 90 + 10}A" for k in number]
    return int(count)


def _repeat(rows: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, int, int]:
    """Add exact duplicates, and rows that repeat a Crime ID with another outcome."""
    twins = rows[rng.random(len(rows)) < rng.uniform(0.002, 0.012)]
    named = rows[rows["Crime ID"].notna()]
    again = named[rng.random(len(named)) < 0.001].copy()
    again["Last outcome category"] = np.where(
        again["Last outcome category"] == "Local resolution",
        "Awaiting court outcome",
        "Local resolution",
    )
    return pd.concat([rows, twins, again], ignore_index=True), len(twins), len(again)
