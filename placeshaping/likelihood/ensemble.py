"""
Several models at once, each with the weight that its past forecasts earned.

The weights are those under which the mixture of the members' distributions gave
what happened the highest probability (stacking by the log score: Yao, Vehtari,
Simpson and Gelman 2018), at origins that all lie before the cutoff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.errors import EmptyError
from placeshaping.likelihood._distributions import log_probability
from placeshaping.likelihood.history import History
from placeshaping.likelihood.protocol import Fitted, Forecast, Model

Floats = NDArray[np.float64]

_ORIGINS = {"month": 6, "week": 8, "day": 28}


@dataclass(frozen=True)
class Ensemble:
    """
    A mixture of models, stacked by past log score.

    Attributes
    ----------
    members
        The models.
    origins
        Past steps on which weights are chosen; None: six months, eight weeks,
        or 28 days.
    """

    members: tuple[Model, ...]
    origins: int | None = None

    @property
    def name(self) -> str:
        """As in a table of models."""
        return "ensemble"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedEnsemble:
        """
        Fit the members before the past origins, weigh them there, and fit them anew.

        Members that cannot be fitted have no weight. See `protocol.Model.fit`.
        """
        origins = self.origins or _ORIGINS[history.step.unit]
        if origins >= history.steps:
            msg = (
                f"{self.name} needs more than {origins} {history.step.unit}s to weigh its members "
                f"on; before {history.cutoff:%d %B %Y} there are {history.steps}."
            )
            raise EmptyError(msg)
        former = warm.fits if isinstance(warm, FittedEnsemble) else {}
        early = _fits(self.members, history.cut(history.steps - origins), former)
        past: dict[str, Floats] = {}
        for name, fit in early.items():
            table = _log_probabilities(fit, history, origins)
            if table is not None:
                past[name] = table
        fits = _fits([m for m in self.members if m.name in past], history, early)
        names = [name for name in past if name in fits]
        if not names:
            msg = f"No member of the {self.name} has the history that it needs."
            raise EmptyError(msg)
        weights = stack([past[name] for name in names])
        return FittedEnsemble(
            self,
            history,
            {name: fits[name] for name in names},
            dict(zip(names, weights.tolist(), strict=True)),
        )


@dataclass(frozen=True, eq=False)
class FittedEnsemble(Fitted):
    """
    Fitted members and their weights.

    Attributes
    ----------
    model, history
        What they came from.
    fits
        The members, by name.
    weights
        Adding up to 1.
    """

    model: Ensemble
    history: History
    fits: Mapping[str, Fitted]
    weights: Mapping[str, float]

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """The weights."""
        return {f"weight of {name}": weight for name, weight in self.weights.items()}

    def update(self, history: History) -> Self:
        """Return the same weights and parameters with another history."""
        fits = {name: fit.update(history) for name, fit in self.fits.items()}
        return replace(self, history=history, fits=fits)

    def forecast(self, horizon: int = 1) -> Forecast:
        """Forecast the steps that follow; see `protocol.Fitted.forecast`."""
        history = self.history
        shape = (len(history.units), horizon)
        mean, square = np.zeros(shape), np.zeros(shape)
        used = {name: weight for name, weight in self.weights.items() if weight > 0}
        for name, weight in used.items():
            one = self.fits[name].forecast(horizon)
            mean += weight * one.expected
            square += weight * (one.expected + one.expected**2 * (1 + 1 / one.size))
        excess = square - mean**2 - mean
        size = np.full(shape, np.inf)
        np.divide(mean**2, excess, out=size, where=excess > 1e-12 * mean)
        shares = ", ".join(f"{name} {weight:.0%}" for name, weight in used.items())
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=mean,
            size=size,
            method=(
                f"Mixture of models ({shares}), stacked by the log score of past origins; negative "
                "binomial with the mean and variance of the mixture."
            ),
            cautions=history.cautions,
        )


def stack(log_probabilities: list[Floats], *, steps: int = 500) -> Floats:
    """
    Find the weights of a mixture that give past observations the highest probability.

    Parameters
    ----------
    log_probabilities
        Of each member: the log probability of every observation.
    steps
        Most rounds of the EM algorithm, which raises the likelihood in each;
        the problem is concave.

    Returns
    -------
    weights
        Zero or more, adding up to 1; under one in a thousand is zero.

    Examples
    --------
    >>> stack([np.log([0.8, 0.8, 0.2]), np.log([0.2, 0.2, 0.8])]).round(3).tolist()
    [0.778, 0.222]
    """
    table = np.stack(log_probabilities)
    density = np.exp(table - table.max(axis=0))
    weights = np.full(len(table), 1 / len(table))
    for _ in range(steps):
        joint = weights[:, None] * density
        new = (joint / joint.sum(axis=0)).mean(axis=1)
        settled = float(np.abs(new - weights).max()) < 1e-7
        weights = new
        if settled:
            break
    weights = np.where(weights < 1e-3, 0.0, weights)
    return np.asarray(weights / weights.sum())


def _fits(
    members: tuple[Model, ...] | list[Model], history: History, warm: Mapping[str, Fitted]
) -> dict[str, Fitted]:
    fits = {}
    for member in members:
        try:
            fits[member.name] = member.fit(history, warm=warm.get(member.name))
        except EmptyError:
            continue  # it has no weight, which the parameters show
    return fits


def _log_probabilities(fit: Fitted, history: History, origins: int) -> Floats | None:
    """Return the log probability of every count at the past origins; None without a forecast."""
    parts = []
    for step in range(history.steps - origins, history.steps):
        if not history.known[step]:
            continue
        try:
            forecast = fit.update(history.cut(step)).forecast(1)
        except EmptyError:
            return None
        observed = history.at(step)
        mean, size = (np.ascontiguousarray(a[:, 0]) for a in (forecast.expected, forecast.size))
        parts.append(log_probability(observed, mean, size))
    return np.concatenate(parts) if parts else None
