"""
Recorded crime drawn from a known self-exciting process.

For each category the rate at place s and time t is::

    mu(s) season(t) + sum over earlier events i of
        n w exp(-w (t - t_i)) exp(-|s - s_i|^2 / (2 sigma^2)) / (2 pi sigma^2)

(Mohler et al. 2011): every event sets off, on average, `n` others of its
category within about ``1 / w`` days and `sigma` metres.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from placeshaping.synthetic.locate import Locator
from placeshaping.synthetic.setting import Setting
from placeshaping.synthetic.terrain import Floats, Ints

_BURN_IN = 120.0


@dataclass(frozen=True)
class Offence:
    """
    Parameters of one category.

    Attributes
    ----------
    category
        Name, as on police.uk.
    yearly_per_1000
        Expected records per 1,000 residents and year, triggered ones included.
    branching
        Mean number of events that one event sets off directly (n).
    omega_per_day
        Rate at which the influence fades (w).
    sigma_metres
        Standard deviation of the distance in each direction.
    season, peak_day
        Amplitude of the yearly wave of the background, and the day of its peak.
    need, centre, shops
        How the background depends on place: ``residents * exp(need * z) *
        (1 + centre * centrality) + shops * number of shops``, scaled.
    """

    category: str
    yearly_per_1000: float
    branching: float
    omega_per_day: float
    sigma_metres: float
    season: float
    peak_day: int
    need: float
    centre: float
    shops: float


OFFENCES: tuple[Offence, ...] = (
    Offence("Anti-social behaviour", 12.0, 0.20, 0.14, 120, 0.25, 200, 0.45, 6, 0),
    Offence("Bicycle theft", 1.1, 0.20, 0.10, 150, 0.30, 210, 0.15, 12, 30),
    Offence("Burglary", 4.2, 0.32, 0.10, 180, 0.15, 345, 0.35, 0.4, 0),
    Offence("Criminal damage and arson", 7.9, 0.15, 0.10, 150, 0.10, 180, 0.45, 2, 0),
    Offence("Drugs", 2.6, 0.05, 0.20, 100, 0.05, 180, 0.55, 6, 0),
    Offence("Other crime", 2.0, 0.00, 0.10, 100, 0.00, 1, 0.35, 1, 0),
    Offence("Other theft", 6.6, 0.06, 0.10, 150, 0.08, 190, 0.25, 6, 60),
    Offence("Possession of weapons", 0.8, 0.00, 0.10, 100, 0.05, 180, 0.55, 5, 0),
    Offence("Public order", 7.6, 0.12, 0.14, 120, 0.18, 190, 0.45, 8, 20),
    Offence("Robbery", 0.8, 0.15, 0.14, 150, 0.08, 330, 0.55, 9, 0),
    Offence("Shoplifting", 7.8, 0.22, 0.10, 60, 0.08, 330, 0.10, 8, 2500),
    Offence("Theft from the person", 0.9, 0.10, 0.20, 100, 0.15, 340, 0.20, 25, 20),
    Offence("Vehicle crime", 5.8, 0.30, 0.14, 200, 0.10, 330, 0.30, 0.8, 10),
    Offence("Violence and sexual offences", 31.0, 0.14, 0.10, 120, 0.10, 195, 0.45, 3, 0),
)
"""The 14 categories of police.uk, with shares like those of a real force."""


@dataclass(frozen=True)
class Planted:
    """A hot spot that was put there on purpose: extra background around a point."""

    category: str
    easting: float
    northing: float
    sigma_metres: float
    first_day: int
    last_day: int
    events_per_day: float


def plant(
    setting: Setting, residents: Floats, xy: Floats, days: int, rng: np.random.Generator
) -> tuple[Planted, ...]:
    """
    Choose two hot spots: burglary that lasts throughout, vehicle crime that emerges late.

    Parameters
    ----------
    setting
        Features of cells; hot spots are put where people live but not in the centre.
    residents
        Of each cell.
    xy
        Seeds of cells, metres.
    days
        Length of the record.
    rng
        Source of randomness.
    """
    odds = residents * (setting.centrality < 0.1) * (residents > np.quantile(residents, 0.6))
    one, two = rng.choice(len(xy), size=2, replace=False, p=odds / odds.sum())
    late = round(days * 0.75)
    (x1, y1), (x2, y2) = np.round(xy[[one, two]]).tolist()
    return (
        Planted("Burglary", x1, y1, 250.0, 0, days, 0.10),
        Planted("Vehicle crime", x2, y2, 300.0, late, days, 0.25),
    )


def simulate(
    locator: Locator,
    setting: Setting,
    residents: Floats,
    shops: Floats,
    planted: tuple[Planted, ...],
    first: np.datetime64,
    days: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """
    Draw events.

    Parameters
    ----------
    locator, setting
        The mesh, and what its cells are like.
    residents, shops
        Of each cell.
    planted
        Extra hot spots.
    first
        First day of the record.
    days
        Its length.
    rng
        Source of randomness.

    Returns
    -------
    events
        One row an event in the order of time: `time`, `easting`, `northing`
        (true coordinates), `category`, `origin` (``"background"``,
        ``"triggered"``, ``"planted"``), `parent` (row number of the event that
        set it off; -1 for none, or one before the record began), `cell`.
    truth
        Parameters, and what was lost over the border.
    """
    parts = []
    truth: dict[str, Any] = {"offences": [], "planted": [asdict(spot) for spot in planted]}
    for number, offence in enumerate(OFFENCES):
        weight = _background(offence, setting, residents, shops)
        rate = offence.yearly_per_1000 / 1_000 * residents.sum() / 365.25
        own = [spot for spot in planted if spot.category == offence.category]
        part, lost = _one(offence, weight, rate, own, locator, first, days, rng)
        part["category"] = np.full(len(part["t"]), number, dtype=np.int8)
        parts.append(part)
        background = rate * (1 - offence.branching)
        truth["offences"].append(
            {**asdict(offence), "mu_per_day": background, "lost_outside": lost}
        )
    return _table(parts, first), truth


def _background(offence: Offence, setting: Setting, residents: Floats, shops: Floats) -> Floats:
    draw = (
        residents * np.exp(offence.need * setting.need) * (1 + offence.centre * setting.centrality)
    )
    return np.asarray(draw + offence.shops * shops)


def _season(offence: Offence, first: np.datetime64, days: int) -> Floats:
    """Return the background of each day relative to its mean, burn-in included."""
    day = first - np.timedelta64(int(_BURN_IN), "D") + np.arange(int(_BURN_IN) + days)
    of_year = (day - day.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
    wave = 1 + offence.season * np.cos(2 * np.pi * (of_year - offence.peak_day) / 365.25)
    return np.asarray(wave)


def _one(
    offence: Offence,
    weight: Floats,
    rate: float,
    spots: list[Planted],
    locator: Locator,
    first: np.datetime64,
    days: int,
    rng: np.random.Generator,
) -> tuple[dict[str, Any], int]:
    """Draw one category: background, planted spots, then generation after generation."""
    wave = _season(offence, first, days)
    count = rng.poisson(rate * (1 - offence.branching) * wave)
    t = np.repeat(np.arange(len(wave)) - _BURN_IN, count) + _hours(int(count.sum()), rng)
    cell = _pick(weight, len(t), rng)
    xy = locator.points_in(cell, rng)
    origin = np.zeros(len(t), dtype=np.int8)
    lost = 0
    for spot in spots:
        number = rng.poisson(spot.events_per_day * (spot.last_day - spot.first_day))
        at = np.array([spot.easting, spot.northing])
        extra = at + rng.normal(0, spot.sigma_metres, (number, 2))
        inside = locator.mesh.land[locator.cell_at(extra)]
        lost += int((~inside).sum())
        t = np.append(t, rng.uniform(spot.first_day, spot.last_day, number)[inside])
        xy = np.concatenate([xy, extra[inside]])
        origin = np.append(origin, np.full(int(inside.sum()), 2, dtype=np.int8))
    parent = np.full(len(t), -1)
    newest = np.arange(len(t))
    while len(newest) and offence.branching > 0:
        source = np.repeat(newest, rng.poisson(offence.branching, len(newest)))
        born = t[source] + rng.exponential(1 / offence.omega_per_day, len(source))
        place = xy[source] + rng.normal(0, offence.sigma_metres, (len(source), 2))
        inside = locator.mesh.land[locator.cell_at(place)]
        lost += int((~inside & (born < days) & (born >= 0)).sum())
        fit = inside & (born < days)
        newest = np.arange(len(t), len(t) + int(fit.sum()))
        t, xy = np.append(t, born[fit]), np.concatenate([xy, place[fit]])
        parent = np.append(parent, source[fit])
        origin = np.append(origin, np.ones(len(newest), dtype=np.int8))
    return {"t": t, "xy": xy, "origin": origin, "parent": parent}, lost


def _hours(count: int, rng: np.random.Generator) -> Floats:
    """Return times of day as shares of a day: most in the afternoon and evening."""
    evening = np.mod(rng.normal(17.5, 4.5, count), 24)
    return np.where(rng.random(count) < 0.7, evening, 24 * rng.random(count)) / 24


def _pick(weight: Floats, count: int, rng: np.random.Generator) -> Ints:
    running = np.cumsum(weight)
    at = np.searchsorted(running, rng.random(count) * running[-1], "right")
    return np.asarray(np.minimum(at, len(weight) - 1), dtype=np.int64)


def _table(parts: list[dict[str, Any]], first: np.datetime64) -> pd.DataFrame:
    start = np.cumsum([0, *(len(part["t"]) for part in parts)])
    t = np.concatenate([part["t"] for part in parts])
    xy = np.concatenate([part["xy"] for part in parts])
    origin = np.concatenate([part["origin"] for part in parts])
    category = np.concatenate([part["category"] for part in parts])
    parent = np.concatenate(
        [
            np.where(part["parent"] >= 0, part["parent"] + s, -1)
            for part, s in zip(parts, start, strict=False)
        ]
    )
    kept = np.flatnonzero(t >= 0)
    order = kept[np.argsort(t[kept], kind="stable")]
    row = np.full(len(t) + 1, -1)
    row[order] = np.arange(len(order))
    seconds = np.floor(t[order] * 86_400).astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "time": first.astype("datetime64[s]") + seconds,
            "easting": np.round(xy[order, 0], 1),
            "northing": np.round(xy[order, 1], 1),
            "category": _named(category[order], [offence.category for offence in OFFENCES]),
            "origin": _named(origin[order], ["background", "triggered", "planted"]),
            "parent": row[parent[order]],
        }
    )


def _named(codes: Ints, names: list[str]) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(codes, pd.Index(names, dtype="str"))
