"""
What every likelihood model is: it is fitted to a history, and forecasts what follows.

::

    fitted = model.fit(history)              # parameters, from the history alone
    fitted.predict(horizon)                  # table: area_code, period, expected, lower, upper
    fitted = fitted.update(longer_history)   # the same parameters, newer counts
    fitted = model.fit(newer, warm=fitted)   # parameters anew, starting from the old ones

A model is a small frozen object that holds options alone; what it learned is in
the fitted one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.likelihood.history import History
from placeshaping.likelihood.units import Units


@dataclass(frozen=True, eq=False)
class Forecast:
    """
    Expected counts of the steps that follow a history, with their distribution.

    Counts are negative binomial with this mean and variance ``expected +
    expected**2 / size``; Poisson where `size` is infinite.

    Attributes
    ----------
    units
        The places.
    periods
        First moment of each step.
    expected
        Shape (units, steps), above zero.
    size
        Shape (units, steps).
    method
        One sentence on where mean and distribution come from.
    cautions
        What a reader must know.
    """

    units: Units
    periods: pd.DatetimeIndex
    expected: NDArray[np.float64]
    size: NDArray[np.float64]
    method: str
    cautions: tuple[str, ...] = ()

    def table(self, *, level: float = 0.9) -> pd.DataFrame:
        """
        Lay the forecast out as a long table with prediction intervals.

        Parameters
        ----------
        level
            Probability that a count lies within its interval, at least.

        Returns
        -------
        table
            ``area_code``, ``period``, ``expected``, ``lower``, ``upper``; units
            within periods. ``attrs``: ``method``, ``cautions``, ``level``.

        Raises
        ------
        InputError
            If `level` is not between 0 and 1.
        """
        if not 0 < level < 1:
            msg = f"level is {level}. Give a probability between 0 and 1, for instance 0.9."
            raise InputError(msg)
        lower, upper = (self._quantile(q) for q in ((1 - level) / 2, (1 + level) / 2))
        units, steps = self.expected.shape
        table = pd.DataFrame(
            {
                "area_code": self.units.codes.take(np.tile(np.arange(units), steps)),
                "period": self.periods.take(np.repeat(np.arange(steps), units)),
                "expected": self.expected.ravel(order="F"),
                "lower": lower.ravel(order="F"),
                "upper": upper.ravel(order="F"),
            }
        )
        table.attrs = {"method": self.method, "cautions": self.cautions, "level": level}
        return table

    def _quantile(self, q: float) -> NDArray[np.float64]:
        poisson = ~np.isfinite(self.size)
        size = np.where(poisson, 1.0, self.size)
        found = np.asarray(stats.nbinom.ppf(q, size, size / (size + self.expected)))
        found[poisson] = stats.poisson.ppf(q, self.expected[poisson])
        return found


class Fitted(ABC):
    """A model with its parameters and the history that it forecasts from."""

    history: History

    @property
    @abstractmethod
    def parameters(self) -> Mapping[str, float | str]:
        """What was learned, in names and numbers that can be printed."""

    @abstractmethod
    def update(self, history: History) -> Self:
        """Return the same parameters with another history of the same units."""

    @abstractmethod
    def forecast(self, horizon: int = 1) -> Forecast:
        """Forecast the steps that follow the history, 1 to `horizon`."""

    def predict(self, horizon: int | str = 1, *, level: float = 0.9) -> pd.DataFrame:
        """
        Forecast the steps that follow the history, as a long table.

        Parameters
        ----------
        horizon
            Number of steps, or a text such as ``"1 month"``, ``"7 days"``.
        level
            Probability of the prediction intervals.

        Returns
        -------
        table
            ``area_code``, ``period``, ``expected``, ``lower``, ``upper``; see
            `Forecast.table`.

        Raises
        ------
        InputError
            If the horizon is shorter than a step, or `level` no probability.
        """
        return self.forecast(self.history.step.steps_in(horizon)).table(level=level)


@runtime_checkable
class Model(Protocol):
    """Options of a kind of model; a frozen dataclass whose repr states all of them."""

    @property
    def name(self) -> str:
        """A few words that tell the model from others in a table."""

    def fit(self, history: History, *, warm: Fitted | None = None) -> Fitted:
        """
        Learn the parameters from a history.

        Parameters
        ----------
        history
            All that the model may know.
        warm
            What was fitted to an earlier history of the same units, to start from.

        Returns
        -------
        fitted
            Ready to forecast.

        Raises
        ------
        EmptyError
            If the history is too short or holds too few events for this
            model; the message says what is needed.
        """


def check_enough(history: History, model: str, *, events: int = 0, steps: int = 0) -> None:
    """
    Refuse a history that is too poor for a model, saying how much it needs.

    Parameters
    ----------
    history
        What there is.
    model
        Name of the model.
    events, steps
        Least number of events and of steps with data.

    Raises
    ------
    EmptyError
        If there are fewer.
    """
    there: Any = history.n
    if there < events:
        msg = (
            f"{model} needs at least {events:,} events of {history.target.name}; before "
            f"{history.cutoff:%d %B %Y} there are {there:,}. Take a longer history, a larger area, "
            "or several offences together."
        )
        raise EmptyError(msg)
    there = int(history.known.sum())
    if there < steps:
        msg = (
            f"{model} needs at least {steps:,} {history.step.unit}s with data; before "
            f"{history.cutoff:%d %B %Y} there are {there:,}."
        )
        raise EmptyError(msg)
