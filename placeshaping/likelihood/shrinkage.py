"""
Sparse counts lean on what is known of all units: priors, dispersion, levels.

Counts of a unit over a long time are Poisson with a rate of its own; rates differ
between units like a gamma distribution, whose two parameters come from the counts
themselves (Clayton and Kaldor 1987). The count that follows is then negative binomial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from placeshaping.likelihood._distributions import log_probability
from placeshaping.likelihood.history import History

Floats = NDArray[np.float64]

_LEAST_EVENTS = 1e-3


@dataclass(frozen=True)
class GammaPrior:
    """
    How the rates of the units differ: a gamma distribution.

    Attributes
    ----------
    events
        Shape: how many events the prior is worth.
    exposure
        Inverse scale: over how much exposure they were seen.
    """

    events: float
    exposure: float

    @property
    def mean(self) -> float:
        """Mean rate."""
        return self.events / self.exposure


def fit_prior(counts: Floats, exposure: Floats) -> GammaPrior:
    """
    Estimate the gamma distribution of rates by the likelihood of the counts.

    The mean rate is that of all units together; the shape is the one under
    which the counts, then negative binomial, are likeliest. By moments a
    single town centre would make the rates differ so much that a unit without
    events is expected to have none: of thefts from the person in
    Leicestershire the quietest half of the areas had ten times what that expected.

    Parameters
    ----------
    counts
        Events of each unit, not all zero.
    exposure
        What each was observed over (days, times a unit's weight).

    Returns
    -------
    prior
        Worth at most as many events as there are: where the units differ by
        no more than chance would have it, all get nearly the same rate.

    Examples
    --------
    >>> prior = fit_prior(np.array([9.0, 1.0, 2.0, 0.0]), np.full(4, 10.0))
    >>> round(prior.mean, 3), round(prior.events, 2)
    (0.3, 0.81)
    """
    mean = float(counts.sum()) / float(exposure.sum())
    expected = mean * exposure

    def surprise(log_events: float) -> float:
        size = np.full_like(expected, np.exp(log_events))
        return -float(log_probability(counts, expected, size).sum())

    limits = (np.log(_LEAST_EVENTS), np.log(float(counts.sum())))
    events = float(np.exp(optimize.minimize_scalar(surprise, bounds=limits, method="bounded").x))
    return GammaPrior(events, events / mean)


def dispersion(
    counts: sparse.csc_array, expected: Floats, *, lengths: Floats | None = None
) -> float:
    """
    Estimate by moments how much more than Poisson counts vary around what was expected.

    Parameters
    ----------
    counts
        Observed, shape (units, steps).
    expected
        Of each unit, for one step.
    lengths
        Length of each step relative to that one; all 1 by default.

    Returns
    -------
    size
        Of the negative binomial distribution; infinite where counts vary no
        more than Poisson counts do.

    Examples
    --------
    >>> counts = sparse.csc_array([[6, 0, 6, 0], [3, 3, 3, 3]])
    >>> round(dispersion(counts, np.array([3.0, 3.0])), 2)
    6.0
    """
    times = np.ones(counts.shape[1]) if lengths is None else lengths
    cross = float(expected @ (counts @ times))
    square = float((expected**2).sum() * (times**2).sum())
    squares = float((counts.data.astype(np.float64) ** 2).sum())
    excess = squares - 2 * cross + square - float(expected.sum() * times.sum())
    return square / excess if excess > 0 else float("inf")


def with_one_more(surface: Floats, events: float, exposure: Floats) -> Floats:
    """
    Share out a total as a surface says, after one more event spread over all units.

    With many events the surface stays what it is; with few it leans on the
    whole; no unit is impossible.

    Parameters
    ----------
    surface
        Weight of each unit, zero or more.
    events
        How many events it rests on.
    exposure
        Weight of each unit where nothing is known.

    Returns
    -------
    shares
        Above zero, adding up to 1.

    Examples
    --------
    >>> with_one_more(np.array([1.0, 0.0]), 3, np.ones(2)).tolist()
    [0.875, 0.125]
    """
    even = exposure / exposure.sum()
    whole = float(surface.sum())
    own = surface / whole if whole > 0 else even
    return np.asarray((events * own + even) / (events + 1))


def daily_level(history: History, steps: int) -> float:
    """
    Mean number of events a day in the last steps, of those with data.

    Parameters
    ----------
    history
        What is known.
    steps
        How many steps to look back.

    Returns
    -------
    level
        All units together.
    """
    known = history.known[-steps:]
    days = float(history.days[-steps:][known].sum())
    return float(history.total(steps).sum()) / days if days > 0 else float("nan")
