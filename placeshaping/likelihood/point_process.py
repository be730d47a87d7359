"""
The self-exciting point process: some events set off others near by and soon after.

The rate at place s and time t (Mohler et al. 2011) is::

    mu(s) season(t) + sum over earlier events i of
        n w exp(-w (t - t_i)) exp(-|s - s_i|^2 / (2 sigma^2)) / (2 pi sigma^2)

cut off, and renormalised, after a stated time and distance. The background
mu is a kernel density with variable bandwidth over an even floor. The
expectation-maximisation algorithm separates what was set off from what was
not; maximum likelihood, with the shape of the background held, gives the final
parameters and their standard errors.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import optimize, sparse

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import EmptyError, InputError
from placeshaping.likelihood._background import (
    AdaptiveKernels,
    adaptive_kernels,
    make_plane,
    month_factors,
)
from placeshaping.likelihood._excitation import (
    Pairs,
    Trigger,
    improved,
    log_likelihood,
    make_pairs,
)

Floats = NDArray[np.float64]

FEWEST_EVENTS = 100
"""Events below which the parts cannot be told apart."""

SEASON_DAYS = 730
"""Length of a record from which on the months have factors of their own."""

PARAMETERS = ("background_per_day", "branching", "decay_per_day", "spread_metres")

_STEPS, _CLOSE = 200, 1e-3
_FEWEST_STEPS = 10


@dataclass(frozen=True, repr=False)
class SelfExcitingFit:
    """
    A fitted self-exciting process.

    Attributes
    ----------
    parameters
        Index `PARAMETERS`; columns ``estimate``, ``standard_error``,
        ``lower``, ``upper`` (95 %, on the logarithmic scale). They hold for
        the shape of the background as it was found.
    trigger
        The same three as an object.
    background_per_day
        Expected background events a day in the whole study area.
    background_share
        How likely each event was set off by none, in the order of time.
    season
        Factor of each calendar month, January first; ones where the record is
        too short.
    log_likelihood
        Of the events at the estimates.
    events
        `day` (days since `start`), `easting`, `northing` in the order of time.
    area, start, end
        Study area (metres) and window.
    steps, converged
        Of the expectation-maximisation.
    cautions
        What a reader must know.
    """

    parameters: pd.DataFrame
    trigger: Trigger
    background_per_day: float
    background_share: Floats
    season: Floats
    log_likelihood: float
    events: pd.DataFrame
    area: shapely.Geometry
    start: pd.Timestamp
    end: pd.Timestamp
    steps: int
    converged: bool
    cautions: tuple[str, ...]
    kernels: AdaptiveKernels
    even_share: float

    def __repr__(self) -> str:
        """Say in a line what was found."""
        t = self.trigger
        return (
            f"<SelfExcitingFit of {len(self.events):,} events: each sets off {t.branching:.2f} "
            f"others within about {1 / t.decay:.0f} days and {t.spread:.0f} m>"
        )

    def background(self, x: Floats, y: Floats) -> Floats:
        """
        Return the background at places, in events per day and square metre.

        Parameters
        ----------
        x, y
            Eastings and northings of one shape, metres; outside the study
            area there is none.
        """
        shape = np.zeros(np.shape(x))
        for plane, surface in self.kernels.surfaces(self.background_share):
            shape += plane.at(surface, x, y)
        shape = (1 - self.even_share) * shape + self.even_share / self.area.area
        inside = shapely.contains_xy(self.area, x, y)
        return np.where(inside, shape * self.background_per_day, 0.0)

    def season_of(self, day: NDArray[Any]) -> Floats:
        """Return the factor of the month in which each day (since `start`) lies."""
        when = pd.DatetimeIndex(self.start + pd.to_timedelta(np.asarray(day), unit="D"))
        return np.asarray(self.season[when.month.to_numpy() - 1])


def fit_self_exciting(
    events: pd.DataFrame,
    area: shapely.Geometry,
    *,
    start: dt.datetime | str,
    end: dt.datetime | str,
    most_days: float = 60.0,
    most_metres: float = 1000.0,
    least_metres: float = 25.0,
    neighbours: int = 10,
    finest: float = 75.0,
    began_with: Trigger | None = None,
) -> SelfExcitingFit:
    """
    Fit a self-exciting process to events with exact times and places.

    Parameters
    ----------
    events
        Columns ``time`` (local, without a zone), ``easting``, ``northing``
        (metres). Those outside window or area are left out, and told.
    area
        Study area, in the same metres.
    start, end
        The window: from the first instant on, up to the second.
    most_days, most_metres
        Where the influence of an event ends.
    least_metres
        Smallest spread that is looked for, in metres: recorded places are
        rounded, and repeats at one point would make the spread vanish.
    neighbours, finest
        The background's bandwidth at an event is the distance to this nearest
        neighbour, and not less than this, in metres.
    began_with
        A former estimate to start from (warm start).

    Returns
    -------
    fit
        Estimates with their standard errors, and what is needed to predict.

    Raises
    ------
    EmptyError
        If there are fewer than 100 events.
    InputError
        If the window is empty, or events share so few times that no order can
        be told (monthly data): use the areal model on counts instead.

    Notes
    -----
    Events at the very same time do not set each other off. Police times are
    often rounded; where many share a time, that is said in `cautions`.
    """
    window = pd.Timestamp(start), pd.Timestamp(end)
    known, cautions = _in_window(events, area, window)
    days = known["day"].to_numpy()
    x, y = known["easting"].to_numpy(), known["northing"].to_numpy()
    duration = (window[1] - window[0]) / pd.Timedelta(days=1)
    kernels = adaptive_kernels(area, x, y, neighbours=neighbours, finest=finest)
    limits = Trigger(0.2, 4 / most_days, most_metres / 5, most_days, most_metres, least_metres)
    plane = make_plane(area, most_metres / 5)
    pairs = make_pairs(days, x, y, end=duration, plane=plane, limits=limits)
    months = pd.date_range(window[0], periods=math.ceil(duration)).month.to_numpy() - 1
    problem = _Problem(
        pairs, kernels.felt, months.astype(np.int64), days.astype(np.int64), duration, area.area
    )
    found = _separate(problem, _begin(limits, began_with))
    estimate, table = _most_likely(problem, found)
    cautions += _doubts(estimate.trigger, found.converged)
    return SelfExcitingFit(
        parameters=table,
        trigger=estimate.trigger,
        background_per_day=estimate.rate,
        background_share=found.weight,
        season=found.season,
        log_likelihood=estimate.value,
        events=known,
        area=area,
        start=window[0],
        end=window[1],
        steps=found.steps,
        converged=found.converged,
        cautions=tuple(cautions),
        kernels=kernels,
        even_share=found.even_share,
    )


@dataclass(frozen=True)
class _Problem:
    pairs: Pairs
    felt: sparse.csr_array
    months: NDArray[np.int64]
    at: NDArray[np.int64]
    duration: float
    square_metres: float

    def kernel_density(self, weight: Floats) -> Floats:
        """Return the density at each event without its own kernel, or it would explain itself."""
        return np.asarray(weight / weight.sum() @ self.felt)

    def season(self, weight: Floats) -> Floats:
        if self.duration < SEASON_DAYS:
            return np.ones(12)
        return month_factors(self.months, self.at, weight)


@dataclass(frozen=True)
class _Separated:
    """Where the expectation-maximisation ended."""

    trigger: Trigger
    weight: Floats
    shape: Floats
    even_share: float
    season: Floats
    steps: int
    converged: bool


@dataclass(frozen=True)
class _Estimate:
    trigger: Trigger
    rate: float
    value: float


def _in_window(
    events: pd.DataFrame, area: shapely.Geometry, window: tuple[pd.Timestamp, pd.Timestamp]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the events of the window in the order of time, and what was left out."""
    check_columns(events.columns, ["time", "easting", "northing"], where="events")
    if not window[0] < window[1]:
        msg = f"The window from {window[0]} to {window[1]} is empty. Give a later end."
        raise InputError(msg)
    x, y = events["easting"].to_numpy(dtype=float), events["northing"].to_numpy(dtype=float)
    in_time = events["time"].between(*window, inclusive="left").to_numpy()
    shapely.prepare(area)
    inside = shapely.contains_xy(area, x, y)
    cautions = []
    if (in_time & ~inside).any():
        cautions.append(
            f"{int((in_time & ~inside).sum()):,} of {int(in_time.sum()):,} events lie outside the "
            "study area, or nowhere, and are left out."
        )
    kept = events.loc[in_time & inside, ["time", "easting", "northing"]]
    kept = kept.sort_values("time", kind="stable", ignore_index=True)
    if len(kept) < FEWEST_EVENTS:
        msg = (
            f"There are {len(kept):,} events in the window and the area; a self-exciting model "
            f"needs at least {FEWEST_EVENTS}. Take a longer window, or trailing counts."
        )
        raise EmptyError(msg)
    cautions += _shared_times(kept["time"], window)
    kept.insert(0, "day", (kept["time"] - window[0]) / pd.Timedelta(days=1))
    return kept.drop(columns="time"), cautions


def _shared_times(
    times: pd.Series[pd.Timestamp], window: tuple[pd.Timestamp, pd.Timestamp]
) -> list[str]:
    """Refuse times that are no more than months, and warn of rounded ones."""
    different = times.nunique()
    if different * 20 < (window[1] - window[0]).days:
        msg = (
            f"{len(times):,} events have {different:,} different times: that is monthly data, "
            "which cannot tell what came first. Use the areal model on monthly counts."
        )
        raise InputError(msg)
    shared = float(times.duplicated(keep=False).mean())
    if shared > 0.2:
        return [f"{shared:.0%} of the events share their time with another: times are rounded."]
    return []


def _begin(limits: Trigger, former: Trigger | None) -> Trigger:
    if former is None:
        return limits
    spread = max(former.spread, limits.least_metres)
    branching = min(max(former.branching, 0.02), 0.9)
    return replace(limits, branching=branching, decay=former.decay, spread=spread)


def _separate(problem: _Problem, trigger: Trigger) -> _Separated:
    """Tell background from triggered events by expectation and maximisation in turn."""
    count = len(problem.at)
    weight, even_share = np.full(count, 1 - trigger.branching), 0.1
    season, steps, converged = np.ones(12), 0, False
    while steps < _STEPS and not converged:
        kernel, season = problem.kernel_density(weight), problem.season(weight)
        factor = season[problem.months[problem.at]]
        even = even_share / problem.square_metres
        shape = ((1 - even_share) * kernel + even) * factor
        rate = weight.sum() / problem.duration
        excited = trigger.branching * trigger.height * problem.pairs.sums(trigger)
        intensity = rate * shape + excited[0]
        weight = rate * shape / intensity
        even_share = float((rate * even * factor / intensity).sum() / weight.sum())
        better = improved(problem.pairs, trigger, (excited / intensity).sum(axis=1))
        converged = steps > _FEWEST_STEPS and _change(trigger, better) < _CLOSE
        trigger, steps = better, steps + 1
    return _Separated(trigger, weight, shape, even_share, season, steps, converged)


def _change(one: Trigger, other: Trigger) -> float:
    pairs = zip(_logs(one), _logs(other), strict=True)
    return max(abs(a - b) for a, b in pairs)


def _logs(trigger: Trigger) -> tuple[float, float, float]:
    return math.log(trigger.branching), math.log(trigger.decay), math.log(trigger.spread)


def _most_likely(problem: _Problem, found: _Separated) -> tuple[_Estimate, pd.DataFrame]:
    """Maximise the likelihood in all four parameters, and take its curvature."""

    def parts(logs: Floats) -> tuple[Trigger, float]:
        rate, branching, decay, spread = np.exp(logs).tolist()
        return replace(found.trigger, branching=branching, decay=decay, spread=spread), rate

    def loss(logs: Floats) -> float:
        trigger, rate = parts(logs)
        return -log_likelihood(problem.pairs, trigger, found.shape, rate, problem.duration)

    begin = np.array([math.log(found.weight.sum() / problem.duration), *_logs(found.trigger)])
    bounds = [(value - 1.5, value + 1.5) for value in begin]
    limits = found.trigger
    bounds[3] = (math.log(limits.least_metres), math.log(limits.most_metres))
    best = optimize.minimize(loss, begin, method="L-BFGS-B", bounds=bounds).x
    trigger, rate = parts(best)
    errors = np.sqrt(np.maximum(np.diag(np.linalg.pinv(_curvature(loss, best))), 0))
    estimate = np.exp(best)
    table = pd.DataFrame(
        {
            "estimate": estimate,
            "standard_error": estimate * errors,
            "lower": np.exp(best - 1.96 * errors),
            "upper": np.exp(best + 1.96 * errors),
        },
        index=pd.Index(PARAMETERS, name="parameter"),
    )
    return _Estimate(trigger, rate, -loss(best)), table


def _curvature(of: Callable[[Floats], float], at: Floats, step: float = 0.01) -> Floats:
    """Return the matrix of second derivatives by central differences."""
    size = len(at)
    matrix = np.empty((size, size))
    steps = step * np.eye(size)
    for a in range(size):
        for b in range(a + 1):
            corners = [
                sa * sb * of(at + sa * steps[a] + sb * steps[b]) for sa in (1, -1) for sb in (1, -1)
            ]
            matrix[a, b] = matrix[b, a] = sum(corners) / (4 * step**2)
    return matrix


def _doubts(trigger: Trigger, converged: bool) -> list[str]:
    doubts = []
    if not converged:
        doubts.append(f"The estimates had not settled after {_STEPS} steps.")
    if math.exp(-trigger.decay * trigger.most_days) > 0.2:
        doubts.append(
            f"Over a fifth of the influence lies beyond {trigger.most_days:g} days, where it is "
            "cut off: the decay is uncertain. Give a larger most_days."
        )
    if trigger.spread < 1.02 * trigger.least_metres:
        doubts.append(
            f"Most of what follows an event happens at the very same point: the spread is held at "
            f"{trigger.least_metres:g} m, and its standard error means nothing."
        )
    if trigger.spread > trigger.most_metres / 2.5:
        doubts.append(
            f"The influence reaches {trigger.most_metres:g} m, where it is cut off: the spread "
            "is uncertain. Give a larger most_metres."
        )
    return doubts
