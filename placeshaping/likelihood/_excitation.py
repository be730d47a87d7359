"""What earlier events add to the rate: sums over close pairs, and the likelihood they give."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled
from placeshaping.likelihood._background import Plane
from placeshaping.likelihood._close_pairs import close_pairs

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Trigger:
    """
    How one event sets off others: exponential in time, Gaussian in space.

    An event sets off `branching` others on average, less than `most_days`
    later and `most_metres` away; the densities are cut off there and integrate
    to one within.

    Attributes
    ----------
    branching
        Mean number of events that one sets off directly.
    decay
        Rate at which the influence fades, per day.
    spread
        Standard deviation of the distance in each direction, metres.
    most_days, most_metres
        Where the influence ends.
    least_metres
        Smallest spread that is looked for: places are rounded, and events at
        one and the same point would make it vanish.
    """

    branching: float
    decay: float
    spread: float
    most_days: float = 60.0
    most_metres: float = 1000.0
    least_metres: float = 25.0

    @property
    def height(self) -> float:
        """The rate per day and square metre at no lag and no distance, for a branching of one."""
        in_time = self.decay / -math.expm1(-self.decay * self.most_days)
        reach = -math.expm1(-(self.most_metres**2) / (2 * self.spread**2))
        return in_time / (2 * math.pi * self.spread**2 * reach)

    def by(self, days: Floats) -> Floats:
        """Return the share of an influence that has passed after so many days."""
        passed = -np.expm1(-self.decay * np.clip(days, 0, self.most_days))
        return np.asarray(passed / -math.expm1(-self.decay * self.most_days))


@dataclass(frozen=True)
class Pairs:
    """The pairs of close events, with what of each event's influence the window can show."""

    first: NDArray[np.int64]
    earlier: NDArray[np.int32]
    lag: NDArray[np.float32]
    squared: NDArray[np.float32]
    left: Floats
    spreads: Floats
    masses: Floats

    def sums(self, trigger: Trigger) -> Floats:
        """
        Return, for each event, sums over its earlier neighbours.

        Of the influence (height and branching left out), of influence times
        lag, and of influence times squared distance: shape (3, events).
        """
        sums = np.zeros((3, len(self.first) - 1))
        flat = 0.5 / trigger.spread**2
        over = _sum_up if len(self.lag) < _MANY else _sum_up_in_parallel
        over(self.first, self.lag, self.squared, trigger.decay, flat, sums)
        return sums

    def seen(self, trigger: Trigger) -> float:
        """Return how many events' whole influence falls in the window and the study area."""
        at = np.interp(np.log(trigger.spread), self.spreads, np.arange(len(self.spreads)))
        low = min(int(at), len(self.spreads) - 2)
        inside = self.masses[low] + (at - low) * (self.masses[low + 1] - self.masses[low])
        return float((trigger.by(self.left) * inside).sum())


_SPREADS = 6
_MANY = 300_000  # pairs from which on it pays to share them out among the cores


def make_pairs(
    days: Floats, x: Floats, y: Floats, *, end: float, plane: Plane, limits: Trigger
) -> Pairs:
    """Find the close pairs of events in the order of time, within the limits of a trigger."""
    found = close_pairs(days, x, y, within_days=limits.most_days, within_metres=limits.most_metres)
    spreads = np.geomspace(limits.least_metres, limits.most_metres, _SPREADS)
    masses = np.array([plane.inside_mass(x, y, spread) for spread in spreads])
    return Pairs(*found, end - days, np.log(spreads), masses)


def log_likelihood(
    pairs: Pairs, trigger: Trigger, background: Floats, rate: float, duration: float
) -> float:
    """
    Return the log-likelihood of the events.

    Parameters
    ----------
    pairs
        Close pairs.
    trigger
        Its parameters.
    background
        Background of each event per square metre, for a rate of one a day.
    rate
        Background events a day.
    duration
        Days of the window.
    """
    excited = trigger.branching * trigger.height * pairs.sums(trigger)[0]
    expected = rate * duration + trigger.branching * pairs.seen(trigger)
    intensity = np.maximum(rate * background + excited, 1e-300)
    return float(np.log(intensity).sum() - expected)


def improved(pairs: Pairs, trigger: Trigger, caused: Floats) -> Trigger:
    """
    Return the trigger that fits best what is now thought to be caused.

    The maximisation step, by safeguarded search in one parameter after the
    other, since cut-off and censoring leave no closed form.

    Parameters
    ----------
    pairs
        Close pairs.
    trigger
        The parameters so far.
    caused
        Expected number of caused events, their summed lags and squared
        distances.
    """
    number, lags, squares = caused

    def of_time(log_decay: float) -> float:
        new = replace(trigger, decay=math.exp(log_decay))
        passed = new.decay / -math.expm1(-new.decay * new.most_days)
        seen = max(float(new.by(pairs.left).sum()), 1e-9)
        return float(new.decay * lags + number * math.log(seen / passed))

    def of_space(log_spread: float) -> float:
        spread = math.exp(log_spread)
        reach = -math.expm1(-(trigger.most_metres**2) / (2 * spread**2))
        return float(number * math.log(spread**2 * reach) + squares / (2 * spread**2))

    decay = _minimum(of_time, 0.2 / trigger.most_days, 24.0)
    spread = _minimum(of_space, trigger.least_metres, trigger.most_metres)
    better = replace(trigger, decay=decay, spread=spread)
    return replace(better, branching=number / pairs.seen(better))


def _minimum(of: Any, low: float, high: float) -> float:
    from scipy.optimize import minimize_scalar

    bounds = (math.log(low), math.log(high))
    return math.exp(minimize_scalar(of, bounds=bounds, method="bounded").x)


@compiled()
def _sum_one(
    i: int, first: Any, lag: Any, squared: Any, decay: float, flat: float, sums: Any
) -> None:
    influence, lags, squares = 0.0, 0.0, 0.0
    for k in range(first[i], first[i + 1]):
        one = np.exp(-decay * lag[k] - flat * squared[k])
        influence += one
        lags += one * lag[k]
        squares += one * squared[k]
    sums[0, i], sums[1, i], sums[2, i] = influence, lags, squares


@compiled()
def _sum_up(first: Any, lag: Any, squared: Any, decay: float, flat: float, sums: Any) -> None:
    for i in range(len(first) - 1):
        _sum_one(i, first, lag, squared, decay, flat, sums)


@compiled(parallel=True)
def _sum_up_in_parallel(
    first: Any, lag: Any, squared: Any, decay: float, flat: float, sums: Any
) -> None:
    for i in numba.prange(len(first) - 1):
        _sum_one(i, first, lag, squared, decay, flat, sums)
