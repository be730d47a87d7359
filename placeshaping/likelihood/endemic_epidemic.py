"""
The areal counterpart of the self-exciting process, for monthly counts.

Expected counts are what the place has always had, and what last month's counts
of the place and of its neighbours add (Held, Hoehle and Hofmann 2005; Paul and
Held 2011)::

    mean[i, t] = a season[t] level[i] + l y[i, t-1] + f sum over j of w[j, i] y[j, t-1]

with counts negative binomial around it. `level` is the mean of a unit's other
months, shrunk towards the mean of all; w[j, i] shares a unit out evenly among
its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse, special

from placeshaping.likelihood.history import History
from placeshaping.likelihood.protocol import Fitted, Forecast, check_enough

Floats = NDArray[np.float64]

FEWEST_EVENTS, FEWEST_PAIRS = 200, 11
"""Events, and pairs of neighbouring months with data, that the model needs."""

SEASON_MONTHS = 24
"""Months with data from which on the model has a season."""

_NAMES = ("endemic", "own_last_month", "neighbours_last_month", "inverse_size")


@dataclass(frozen=True)
class EndemicEpidemic:
    """
    Level and season of a place, and what last month's counts add (Held et al. 2005).

    Attributes
    ----------
    season
        Whether a yearly wave is fitted where there are two years of data.

    Examples
    --------
    >>> EndemicEpidemic().name
    'endemic-epidemic'
    """

    season: bool = True

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return "endemic-epidemic"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedEndemicEpidemic:
        """
        Fit the model by maximum likelihood.

        Raises
        ------
        EmptyError
            If there are fewer than 200 events or 12 steps with data.
        """
        check_enough(history, self.name, events=FEWEST_EVENTS, steps=FEWEST_PAIRS + 1)
        problem = _make_problem(history, self.season)
        begin = warm.logs if isinstance(warm, FittedEndemicEpidemic) else _BEGIN
        waves = problem.waves.shape[1]
        first = np.concatenate([begin[:4], np.zeros(waves)])
        if len(begin) == len(first):
            first = begin
        bounds = [(-12.0, 3.0)] * 4 + [(-1.5, 1.5)] * waves
        found = optimize.minimize(problem.loss, first, jac=True, method="L-BFGS-B", bounds=bounds)
        errors = _standard_errors(problem, found.x)
        return FittedEndemicEpidemic(history, self, found.x, errors)


_BEGIN = np.log([0.7, 0.1, 0.1, 0.3])


@dataclass(frozen=True, eq=False)
class FittedEndemicEpidemic(Fitted):
    """
    Parameters on the logarithmic scale (the waves' as they are) and their standard errors.

    Attributes
    ----------
    history
        What is known.
    model
        The options.
    logs, errors
        Of the parameters, and then of cosine and sine of the yearly wave.
    """

    history: History
    model: EndemicEpidemic
    logs: Floats
    errors: Floats

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """Weights of the three parts, overdispersion, and standard errors."""
        found: dict[str, float | str] = {}
        for number, name in enumerate(_NAMES):
            value = float(np.exp(self.logs[number]))
            found[name] = value
            found[f"{name}_standard_error"] = value * float(self.errors[number])
        for number, name in enumerate(("cosine", "sine")[: len(self.logs) - 4]):
            found[name] = float(self.logs[4 + number])
            found[f"{name}_standard_error"] = float(self.errors[4 + number])
        return found

    def update(self, history: History) -> Self:
        """Take newer counts; the parameters stay."""
        return replace(self, history=history)

    def forecast(self, horizon: int = 1) -> Forecast:
        """Expect step after step, each from the expected counts of the one before."""
        history = self.history
        endemic, own, near, inverse = np.exp(self.logs[:4])
        counts = history.dense()
        level = _level(counts)
        before = np.where(np.isnan(counts[:, -1]), level, counts[:, -1])
        shared = _shared(history)
        waves = _waves(history.ahead(horizon), history.step.per_year, len(self.logs) - 4)
        season = np.exp(waves @ self.logs[4:])
        expected = np.empty((len(level), horizon))
        for step in range(horizon):
            before = endemic * season[step] * level + own * before + near * (shared @ before)
            expected[:, step] = before
        expected = np.maximum(expected, 1e-9)
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=expected,
            size=np.full(expected.shape, 1 / inverse if inverse > 1e-5 else np.inf),
            method=(
                f"Endemic-epidemic model (Held, Hoehle and Hofmann 2005): {endemic:.2f} of the "
                f"level of the place, {own:.2f} of its last {history.step.unit}, {near:.2f} of its "
                "neighbours'; negative binomial, maximum likelihood."
            ),
            cautions=history.cautions,
        )


@dataclass(frozen=True, eq=False)
class _Problem:
    """What the likelihood is made of, one row for each unit and step with data before it."""

    y: Floats
    level: Floats
    own: Floats
    near: Floats
    waves: Floats

    def loss(self, at: Floats) -> tuple[float, Floats]:
        """Return minus the log-likelihood and its gradient."""
        endemic, own, near, inverse = np.exp(at[:4])
        season = np.exp(self.waves @ at[4:])
        quiet = endemic * season * self.level
        mean = np.maximum(quiet + own * self.own + near * self.near, 1e-12)
        size = 1 / inverse
        y = self.y
        value = (
            special.gammaln(y + size)
            - special.gammaln(size)
            + size * np.log(size / (size + mean))
            + y * np.log(mean / (size + mean))
        ).sum()
        slope = (y - mean) / (mean * (1 + mean * inverse))
        of_size = (
            special.digamma(y + size)
            - special.digamma(size)
            + np.log(size / (size + mean))
            + (mean - y) / (size + mean)
        ).sum()
        gradient = np.array(
            [
                (slope * quiet).sum(),
                (slope * own * self.own).sum(),
                (slope * near * self.near).sum(),
                -of_size * size,
                *((slope * quiet) @ self.waves),
            ]
        )
        return -float(value), -gradient


def _make_problem(history: History, season: bool) -> _Problem:
    counts = history.dense()
    known = history.known
    at = np.flatnonzero(known[1:] & known[:-1]) + 1
    shared = _shared(history)
    wanted = 2 if season and known.sum() >= SEASON_MONTHS else 0
    waves = _waves(history.numbers[at], history.step.per_year, wanted)
    units = len(counts)
    return _Problem(
        y=counts[:, at].ravel(),
        level=np.column_stack([_level(counts, without=int(t)) for t in at]).ravel(),
        own=counts[:, at - 1].ravel(),
        near=cast("Floats", shared @ counts[:, at - 1]).ravel(),
        waves=np.tile(waves, (units, 1)),
    )


def _level(counts: Floats, *, without: int | None = None) -> Floats:
    """
    Return each unit's mean, shrunk towards the mean of all by a gamma prior.

    The prior's strength is the method of moments'; a step may be left out, so
    that no count explains itself.
    """
    known = ~np.isnan(counts[0])
    if without is not None:
        known[without] = False
    kept = counts[:, known]
    steps, means = kept.shape[1], kept.mean(axis=1)
    overall = max(means.mean(), 1e-9)
    between = max(means.var() - overall / steps, 1e-6 * overall**2)
    rate = overall / between
    return np.asarray((kept.sum(axis=1) + overall * rate) / (steps + rate))


def _shared(history: History) -> sparse.csr_array:
    """Return the matrix that shares each unit's count out evenly among its neighbours."""
    near = history.units.neighbours
    degree = np.maximum(near.sum(axis=0), 1)
    return sparse.csr_array(near @ sparse.diags_array(1 / degree))


def _waves(numbers: NDArray[np.int64], per_year: float, wanted: int) -> Floats:
    angle = 2 * np.pi * np.asarray(numbers, dtype=float) / per_year
    return np.column_stack([np.cos(angle), np.sin(angle)])[:, :wanted]


def _standard_errors(problem: _Problem, at: Floats, step: float = 1e-4) -> Floats:
    size = len(at)
    curvature = np.empty((size, size))
    for number in range(size):
        moved = step * np.eye(size)[number]
        up, down = problem.loss(at + moved)[1], problem.loss(at - moved)[1]
        curvature[number] = (up - down) / (2 * step)
    return np.sqrt(np.maximum(np.diag(np.linalg.pinv((curvature + curvature.T) / 2)), 0))
