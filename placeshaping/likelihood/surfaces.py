"""
Surfaces over past events: kernel density and ProMap.

Both give a weight to every pair of units by the distance of their centroids, once,
and multiply the counts by it. They say where, not how much: the level is that of
the same window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, spatial

from placeshaping._core.errors import EmptyError
from placeshaping.likelihood.baselines import FEWEST_EVENTS, window_steps
from placeshaping.likelihood.history import History
from placeshaping.likelihood.protocol import Fitted, Forecast, check_enough
from placeshaping.likelihood.shrinkage import daily_level, dispersion, with_one_more
from placeshaping.likelihood.units import Units

Floats = NDArray[np.float64]

BANDWIDTHS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Bandwidths that are tried, in multiples of the units' spacing."""

_REACH = 3.0  # bandwidths: a Gaussian holds 99 % within
_HELD_OUT = {"month": 3, "week": 4, "day": 28}


@dataclass(frozen=True)
class KernelDensity:
    """
    Spread each past event around its place by a Gaussian kernel.

    Mass that would leave the study area stays inside it. The bandwidth is the
    one, of a few multiples of the units' spacing, under which the last steps
    of the history (three months, four weeks) were likeliest given the rest.

    Attributes
    ----------
    window
        Which events count; see `baselines.TrailingCounts`.
    bandwidth
        In metres; None to choose it.
    """

    window: str = "12 months"
    bandwidth: float | None = None

    @property
    def name(self) -> str:
        """As in a table of models."""
        return "kernel density"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedSurface:
        """Choose the bandwidth on the history's last steps; see `protocol.Model.fit`."""
        steps = _window(self.name, history, self.window)
        check_enough(history, self.name, events=FEWEST_EVENTS)
        units = history.units
        tried = self._candidates(units, warm)
        pairs = _pairs_of(warm, units, _REACH * max(tried))
        rest, held = _held_out(history, steps, self.name)
        fits = []
        for bandwidth in tried:
            surface = _FixedSurface(_gaussian(pairs, units, bandwidth), steps)
            expected = _expected(surface, rest, 1.0)
            fits.append((_log_likelihood(held, expected), -bandwidth, surface, expected))
        _, least, surface, expected = max(fits, key=lambda one: one[:2])
        return FittedSurface(
            model=self,
            history=history,
            surface=surface,
            size=_size(held, expected),
            pairs=pairs,
            told={"bandwidth in metres": -least},
        )

    def _candidates(self, units: Units, warm: Fitted | None) -> list[float]:
        if self.bandwidth is not None:
            return [self.bandwidth]
        every = [times * units.spacing for times in BANDWIDTHS]
        if not isinstance(warm, FittedSurface) or warm.model != self:
            return every
        last = int(np.argmin(np.abs(np.array(every) - float(warm.told["bandwidth in metres"]))))
        return every[max(last - 1, 0) : last + 2]

    @property
    def method(self) -> str:
        """One sentence for products."""
        return (
            f"Gaussian kernel density of the events of {self.window}, mass kept inside the study "
            "area, bandwidth by the likelihood of held-out steps; negative binomial around it, "
            "dispersion by moments on the same steps."
        )


@dataclass(frozen=True)
class ProMap:
    """
    Prospective map: recent and near events count more (Bowers, Johnson and Pease 2004).

    Each event adds ``1 / (1 + d) * 1 / (1 + t)`` to a unit, d being the whole
    cells and t the whole weeks between them, within 8 of each. Areas have no
    cells: their spacing stands in, the side of the median area as a square.

    Attributes
    ----------
    cells, weeks
        How far an event reaches.
    """

    cells: int = 8
    weeks: int = 8

    @property
    def name(self) -> str:
        """As in a table of models."""
        return "ProMap"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedSurface:
        """Measure dispersion on the history's last steps; see `protocol.Model.fit`."""
        steps = _window(self.name, history, f"{self.weeks * 7} days", floor=2)
        check_enough(history, self.name, events=FEWEST_EVENTS)
        units = history.units
        pairs = _pairs_of(warm, units, (self.cells + 1) * units.spacing)
        cells = np.floor(pairs.distance / units.spacing + 1e-9)
        weight = np.where(cells <= self.cells, 1 / (1 + cells), 0.0)
        matrix = sparse.csr_array(
            (weight * units.area[pairs.to], (pairs.to, pairs.of)), shape=(len(units),) * 2
        )
        surface = _FixedSurface(matrix, steps, weeks=self.weeks)
        rest, held = _held_out(history, steps, self.name)
        size = _size(held, _expected(surface, rest, 1.0))
        return FittedSurface(self, history, surface, size, pairs, {})

    @property
    def method(self) -> str:
        """One sentence for products."""
        return (
            f"ProMap (Bowers, Johnson and Pease 2004): events of {self.weeks} weeks within "
            f"{self.cells} cells, weighted 1/(1+d) 1/(1+t); negative binomial around it, "
            "dispersion by moments on held-out steps."
        )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Pairs of units within a reach, each with itself among them."""

    to: NDArray[np.intp]
    of: NDArray[np.intp]
    distance: Floats
    reach: float


@dataclass(frozen=True, eq=False)
class _FixedSurface:
    """Weights between units, and how many steps count how much."""

    matrix: sparse.csr_array
    steps: int
    weeks: int | None = None

    def over(self, history: History) -> tuple[Floats, float]:
        """Return the surface over a history's last steps, and the number of events under it."""
        steps = min(self.steps, history.steps)
        counts = history.counts[:, history.steps - steps :]
        if self.weeks is None:
            weighted = np.asarray(counts.sum(axis=1), dtype=np.float64)
        else:
            days = history.days[-steps:]
            elapsed = np.floor((np.cumsum(days[::-1])[::-1] - days / 2) / 7)
            weighted = counts @ np.where(elapsed <= self.weeks, 1 / (1 + elapsed), 0.0)
        return np.asarray(self.matrix @ weighted), float(counts.sum())


@dataclass(frozen=True, eq=False)
class FittedSurface(Fitted):
    """
    A surface with its dispersion.

    Attributes
    ----------
    model, history
        What it came from.
    surface
        Weights between units.
    size
        Of the negative binomial distribution around the expected count.
    pairs
        Distances between units, kept for the next fit.
    told
        Parameters that were chosen.
    """

    model: KernelDensity | ProMap
    history: History
    surface: _FixedSurface
    size: float
    pairs: _Pairs
    told: Mapping[str, float | str]

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """What was chosen, and the dispersion."""
        return {**self.told, "size of the negative binomial": self.size}

    def update(self, history: History) -> Self:
        """Return the same weights over newer counts."""
        return replace(self, history=history)

    def forecast(self, horizon: int = 1) -> Forecast:
        """Forecast the steps that follow; see `protocol.Fitted.forecast`."""
        history = self.history
        _check_known(self.model.name, history, self.surface.steps)
        daily = _expected(self.surface, history, 1.0)
        expected = daily[:, None] * history.days_ahead(horizon)[None, :]
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=expected,
            size=np.full(expected.shape, self.size),
            method=self.model.method,
            cautions=history.cautions,
        )


def _window(name: str, history: History, window: str, *, floor: int = 1) -> int:
    in_month = history.step.unit == "month" and window.endswith("days")
    steps = floor if in_month else window_steps(history.step, window) or history.steps
    _check_known(name, history, steps)
    return steps


def _check_known(name: str, history: History, steps: int) -> None:
    lost = max(steps - history.steps, 0) + int((~history.known[-steps:]).sum())
    if lost:
        msg = (
            f"{name} lacks the history: {lost:,} of the last {steps:,} {history.step.unit}s before "
            f"{history.cutoff:%d %B %Y} have no data."
        )
        raise EmptyError(msg)


def _held_out(history: History, steps: int, name: str) -> tuple[History, Any]:
    """Return the history without its last steps, and those counts with their lengths in days."""
    hold = min(_HELD_OUT[history.step.unit], max(steps // 2, 1))
    if not history.known[-hold:].all() or history.steps - hold < 1:
        msg = f"{name} needs data in the last {hold} {history.step.unit}s, and some before them."
        raise EmptyError(msg)
    return history.cut(history.steps - hold), (history.counts[:, -hold:], history.days[-hold:])


def _expected(surface: _FixedSurface, history: History, days: float) -> Floats:
    weights, events = surface.over(history)
    shares = with_one_more(weights, events, history.units.exposure)
    return shares * daily_level(history, surface.steps) * days


def _log_likelihood(held: Any, daily: Floats) -> float:
    """Poisson log likelihood of where held-out events fell, up to a constant."""
    counts, _ = held
    observed = np.asarray(counts.sum(axis=1), dtype=np.float64)
    return float(observed @ np.log(daily / daily.sum()))


def _size(held: Any, daily: Floats) -> float:
    counts, days = held
    return dispersion(counts, daily, lengths=days)


def _pairs_of(warm: Fitted | None, units: Units, reach: float) -> _Pairs:
    """Return the pairs within reach, those of an earlier fit where they reach as far."""
    known = isinstance(warm, FittedSurface) and warm.history.units is units
    if known and isinstance(warm, FittedSurface) and warm.pairs.reach >= reach:
        return warm.pairs
    found = spatial.KDTree(units.xy).query_pairs(reach, output_type="ndarray").T
    own = np.arange(len(units))
    to = np.concatenate([found[0], found[1], own])
    of = np.concatenate([found[1], found[0], own])
    return _Pairs(to, of, np.hypot(*(units.xy[to] - units.xy[of]).T), reach)


def _gaussian(pairs: _Pairs, units: Units, bandwidth: float) -> sparse.csr_array:
    """Return which share of an event in each unit (column) goes to each unit (row)."""
    near = pairs.distance <= _REACH * bandwidth
    to, of = pairs.to[near], pairs.of[near]
    weight = np.exp(-0.5 * (pairs.distance[near] / bandwidth) ** 2) * units.area[to]
    whole = np.bincount(of, weight, minlength=len(units))
    return sparse.csr_array((weight / whole[of], (to, of)), shape=(len(units),) * 2)
