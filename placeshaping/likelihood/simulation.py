"""Records drawn from a fitted self-exciting process, to see what it would bring about."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import InputError
from placeshaping.likelihood._excitation import Trigger
from placeshaping.likelihood.point_process import SelfExcitingFit

Floats = NDArray[np.float64]


def simulate_process(
    fit: SelfExcitingFit,
    *,
    method: Literal["branching", "thinning"] = "branching",
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Draw a record of the length of the fitted one, with nothing before its start.

    Parameters
    ----------
    fit
        The process.
    method
        ``"branching"``: background events first, then generation after
        generation of those that they set off; ``"thinning"``: one after the
        other in the order of time (Ogata 1981). Both draw from the same
        process; the second is slower and serves to check the first.
    rng
        Seed or generator.

    Returns
    -------
    events
        In the order of time: ``day`` (since the start), ``easting``,
        ``northing``, ``generation`` (0 for background).

    Raises
    ------
    InputError
        If each event sets off one or more others on average: there is no end
        to such a record.
    """
    check_choice(method, ("branching", "thinning"), name="method")
    if fit.trigger.branching >= 1:
        msg = (
            f"Each event sets off {fit.trigger.branching:.2f} others: such a record never ends. "
            "Only a process with a branching ratio below 1 can be simulated."
        )
        raise InputError(msg)
    generator = np.random.default_rng(rng)
    days = (fit.end - fit.start) / pd.Timedelta(days=1)
    draw = _by_branching if method == "branching" else _by_thinning
    drawn = draw(fit, days, generator)
    table = pd.DataFrame(drawn, columns=["day", "easting", "northing", "generation"])
    table = table.sort_values("day", kind="stable", ignore_index=True)
    return table.astype({"generation": "int64"})


def _by_branching(fit: SelfExcitingFit, days: float, rng: np.random.Generator) -> Floats:
    season = fit.season_of(np.arange(int(np.ceil(days))) + 0.5)
    lengths = np.minimum(1.0, days - np.arange(len(season)))
    number = rng.poisson(fit.background_per_day * season * lengths)
    day = np.repeat(np.arange(len(season)), number) + rng.random(number.sum()) * np.repeat(
        lengths, number
    )
    newest = np.column_stack([day, *_background_places(fit, len(day), rng), np.zeros(len(day))])
    generations = [newest]
    while len(newest):
        parents = np.repeat(newest, rng.poisson(fit.trigger.branching, len(newest)), axis=0)
        born = _offspring(fit.trigger, parents, rng)
        kept = (born[:, 0] < days) & shapely.contains_xy(fit.area, born[:, 1], born[:, 2])
        newest = born[kept]
        generations.append(newest)
    return np.concatenate(generations)


def _offspring(trigger: Trigger, parents: Floats, rng: np.random.Generator) -> Floats:
    """Draw one event set off by each row, by the inverse of the cut-off distributions."""
    whole = -np.expm1(-trigger.decay * trigger.most_days)
    lag = -np.log1p(-rng.random(len(parents)) * whole) / trigger.decay
    far = -np.expm1(-(trigger.most_metres**2) / (2 * trigger.spread**2))
    distance = trigger.spread * np.sqrt(-2 * np.log1p(-rng.random(len(parents)) * far))
    angle = 2 * np.pi * rng.random(len(parents))
    moved = np.column_stack([lag, distance * np.cos(angle), distance * np.sin(angle)])
    return np.column_stack([parents[:, :3] + moved, parents[:, 3] + 1])


def _background_places(
    fit: SelfExcitingFit, count: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw places from the kernels and the even floor, again where they fall outside."""
    kernels = fit.kernels
    chance = fit.background_share / fit.background_share.sum()
    x, y = np.empty(count), np.empty(count)
    missing = np.arange(count)
    even = rng.random(count) < fit.even_share
    source = rng.choice(len(chance), size=count, p=chance)
    bandwidth = kernels.bandwidths[kernels.band[source]]
    west, south, east, north = fit.area.bounds
    while len(missing):
        flat, of = even[missing], source[missing]
        step = rng.normal(0, bandwidth[missing], (2, len(missing)))
        random = rng.random((2, len(missing)))
        x[missing] = np.where(flat, west + random[0] * (east - west), kernels.x[of] + step[0])
        y[missing] = np.where(flat, south + random[1] * (north - south), kernels.y[of] + step[1])
        missing = missing[~shapely.contains_xy(fit.area, x[missing], y[missing])]
    return x, y


def _by_thinning(fit: SelfExcitingFit, days: float, rng: np.random.Generator) -> Floats:
    trigger, most = fit.trigger, float(fit.season.max())
    in_time = trigger.decay / -np.expm1(-trigger.decay * trigger.most_days)
    events: list[NDArray[np.float64]] = []
    acting: list[int] = []
    now = 0.0
    while True:
        acting = [k for k in acting if now - events[k][0] < trigger.most_days]
        lags = np.array([now - events[k][0] for k in acting])
        ceiling = fit.background_per_day * most + trigger.branching * in_time * float(
            np.exp(-trigger.decay * lags).sum()
        )
        now += rng.exponential(1 / ceiling)
        if now >= days:
            return np.array(events).reshape(-1, 4)
        lags = np.array([now - events[k][0] for k in acting])
        rates = trigger.branching * in_time * np.exp(-trigger.decay * lags)
        rates = np.where(lags < trigger.most_days, rates, 0.0)
        quiet = fit.background_per_day * float(fit.season_of(np.array([now]))[0])
        cumulated = np.cumsum([quiet, *rates])
        chosen = int(np.searchsorted(cumulated, rng.random() * ceiling, side="right"))
        if chosen > len(rates):
            continue
        if chosen == 0:
            x, y = _background_places(fit, 1, rng)
            new = np.array([now, x[0], y[0], 0.0])
        else:
            parent = events[acting[chosen - 1]]
            new = np.array([now, *_offspring(trigger, parent[None], rng)[0, 1:3], parent[3] + 1])
        if shapely.contains_xy(fit.area, new[1], new[2]):
            acting.append(len(events))
            events.append(new)
