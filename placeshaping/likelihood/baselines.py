"""
The plain alternatives: what was counted there before is expected again.

Trailing counts have beaten prize-winning entries at forecasting competitions;
nothing is claimed for a model that does not beat them at the same area.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.likelihood.history import History
from placeshaping.likelihood.protocol import Fitted, Forecast, check_enough
from placeshaping.likelihood.shrinkage import GammaPrior, fit_prior
from placeshaping.likelihood.steps import Step

FEWEST_EVENTS = 10
"""Fewer events do not tell places apart."""

_WINDOW = re.compile(r"^(\d+) (day|week|month)s?$")
_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}

_METHOD = (
    "Counts of {window}, shrunk towards the mean of all units by a gamma prior fitted to them "
    "(Clayton and Kaldor 1987); the count that follows is negative binomial."
)


def window_steps(step: Step, window: str) -> int | None:
    """
    Return how many steps a window holds; None for all there are.

    Parameters
    ----------
    step
        The kind of step.
    window
        ``"last"``, ``"all"``, or such as ``"12 months"``, ``"28 days"``.

    Returns
    -------
    steps
        At least 1.

    Raises
    ------
    InputError
        If it is no window, or shorter than a step.

    Examples
    --------
    >>> window_steps(Step("month"), "12 months"), window_steps(Step("day"), "12 months")
    (12, 365)
    """
    if window in {"last", "all"}:
        return 1 if window == "last" else None
    match = _WINDOW.match(window)
    if match is None:
        msg = f"window is {window!r}. Give 'last', 'all', or such as '12 months', '28 days'."
        raise InputError(msg)
    many, unit = int(match[1]), match[2]
    steps = many if unit == step.unit else int(many * _DAYS[unit] / _DAYS[step.unit])
    if steps < 1:
        msg = (
            f"A window of {window} is shorter than a step of one {step.unit}. Take a longer one: "
            "'trailing 12 months'."
        )
        raise InputError(msg)
    return steps


@dataclass(frozen=True)
class TrailingCounts:
    """
    Expect what was counted on average in the last so many periods.

    Attributes
    ----------
    window
        ``"last"`` period, ``"all"``, or such as ``"12 months"``, ``"28 days"``.

    Examples
    --------
    >>> TrailingCounts("12 months").name
    'trailing 12 months'
    """

    window: str = "12 months"

    @property
    def name(self) -> str:
        """As in a table of models."""
        return f"trailing {self.window}"

    @property
    def rests_on(self) -> str:
        """Which periods, in words."""
        whole = {"last": "the last period", "all": "all periods"}
        return whole.get(self.window, f"the last {self.window}")

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedCounts:  # noqa: ARG002
        """Estimate the prior from the counts of the window; see `protocol.Model.fit`."""
        return _fitted(self, history)

    def looks_at(self, history: History, ahead: int) -> NDArray[np.intp]:  # noqa: ARG002
        """Return the positions of the steps that a forecast rests on."""
        steps = window_steps(history.step, self.window)
        if steps is None:
            return np.flatnonzero(history.known)
        return np.arange(history.steps - steps, history.steps)


@dataclass(frozen=True)
class SameSeason:
    """
    Expect what was counted at the same time last year.

    By the month: in the same month. By the day or week: in the days around the
    same day, `days` in all, because one day says little.

    Attributes
    ----------
    days
        How many days count, half of them before that day.
    """

    days: int = 28

    @property
    def name(self) -> str:
        """As in a table of models."""
        return "same season last year"

    @property
    def rests_on(self) -> str:
        """Which periods, in words."""
        return "the same season last year"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedCounts:  # noqa: ARG002
        """Estimate the prior from last year's counts; see `protocol.Model.fit`."""
        return _fitted(self, history)

    def looks_at(self, history: History, ahead: int) -> NDArray[np.intp]:
        """Return the positions of the steps that a forecast rests on."""
        if history.step.unit == "month":
            return np.array([history.steps + ahead - 12])
        width = 7 if history.step.unit == "week" else 1
        half = max(self.days // (2 * width), 0)
        same = history.steps + ahead - round(364 / width)  # the same weekday
        return np.arange(same - half, same - half + max(self.days // width, 1))


@dataclass(frozen=True, eq=False)
class FittedCounts(Fitted):
    """
    Trailing counts or those of last year's season, with the prior that they lean on.

    Attributes
    ----------
    model
        Which counts.
    history
        Where they are.
    prior
        Of the rates of units, per day.
    """

    model: TrailingCounts | SameSeason
    history: History
    prior: GammaPrior

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """Mean of the prior and what it is worth."""
        return {
            "prior mean per unit and day": self.prior.mean,
            "prior worth in events": self.prior.events,
        }

    def update(self, history: History) -> Self:
        """Return the same prior with newer counts."""
        return replace(self, history=history)

    def forecast(self, horizon: int = 1) -> Forecast:
        """Forecast the steps that follow; see `protocol.Fitted.forecast`."""
        history = self.history
        shape = (len(history.units), horizon)
        expected, size = np.empty(shape), np.empty(shape)
        for ahead, days in enumerate(history.days_ahead(horizon)):
            counts, exposure = _observed(self.model, history, ahead)
            size[:, ahead] = counts + self.prior.events
            rate = size[:, ahead] / (exposure + self.prior.exposure)
            expected[:, ahead] = rate * history.units.exposure * days
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=expected,
            size=size,
            method=_METHOD.format(window=self.model.rests_on),
            cautions=history.cautions,
        )


def _fitted(model: TrailingCounts | SameSeason, history: History) -> FittedCounts:
    check_enough(history, model.name, events=FEWEST_EVENTS)
    counts, exposure = _observed(model, history, 0)
    if counts.sum() < FEWEST_EVENTS:
        msg = (
            f"{model.name} needs at least {FEWEST_EVENTS} events of {history.target.name} in "
            f"{model.rests_on}; there are {counts.sum():,.0f}. Take a longer window."
        )
        raise EmptyError(msg)
    return FittedCounts(model, history, fit_prior(counts, exposure))


def _observed(
    model: TrailingCounts | SameSeason, history: History, ahead: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return counts and exposure in days of the units in the steps that a forecast rests on."""
    steps = model.looks_at(history, ahead)
    inside = (steps >= 0) & (steps < history.steps)
    lost = int((~inside).sum()) + int((~history.known[steps[inside]]).sum())
    if lost:
        msg = (
            f"{model.name} lacks the history: {lost:,} of the {len(steps):,} {history.step.unit}s "
            f"that it rests on have no data before {history.cutoff:%d %B %Y}."
        )
        raise EmptyError(msg)
    counts = np.asarray(history.counts[:, steps].sum(axis=1), dtype=np.float64)
    return counts, history.units.exposure * float(history.days[steps].sum())
