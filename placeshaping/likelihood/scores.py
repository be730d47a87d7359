"""
How well a forecast did in one test window: pure functions on arrays.

With N events inside the study area, n of them in the flagged area, a the flagged
area and A the study area. `flagged` is the part of each unit that is flagged, as
`flagging.flag` gives it, so n need not be whole. A score over nothing (no events,
none to catch) is missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.errors import InputError
from placeshaping.likelihood._distributions import crps_and_pit, log_probability
from placeshaping.likelihood.flagging import density_groups, flag

Floats = NDArray[np.float64]


def total(values: Floats, part: Floats) -> float:
    """
    Sum values, of each unit the part that is flagged.

    Not a matrix product: that would share ten thousand numbers out among
    threads, and its last digits would depend on how many there are.

    Examples
    --------
    >>> total(np.array([4.0, 1.0]), np.array([1.0, 0.5]))
    4.5
    """
    return float((values * part).sum())


def hit_rate(observed: ArrayLike, flagged: ArrayLike) -> float:
    """
    Share of the events that lie in the flagged area, n / N.

    Parameters
    ----------
    observed
        Events of each unit.
    flagged
        Part of each unit that is flagged.

    Returns
    -------
    hit_rate
        0 to 1; missing without events.

    Examples
    --------
    >>> hit_rate([4, 1, 0], [1.0, 0.5, 0.0])
    0.9
    """
    y, part = _arrays(observed, flagged)
    return _ratio(total(y, part), float(y.sum()))


def pai(observed: ArrayLike, flagged: ArrayLike, area: ArrayLike) -> float:
    """
    Prediction accuracy index: hit rate over the share of area flagged.

    Chainey, Tompson and Uhlig (2008, "The utility of hotspot mapping for
    predicting spatial patterns of crime").

    Parameters
    ----------
    observed, flagged
        As in `hit_rate`.
    area
        Area of each unit.

    Returns
    -------
    pai
        1 for a flag thrown at random.

    Examples
    --------
    >>> pai([4, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1])
    3.2
    """
    part, size = _arrays(flagged, area)
    return _ratio(hit_rate(observed, flagged) * float(size.sum()), total(part, size))


def max_pai(observed: ArrayLike, flagged: ArrayLike, area: ArrayLike) -> float:
    """
    Return the PAI of an oracle that flags as much area and knows the events.

    Where units differ in size this is the bound of the knapsack problem, the
    last unit taken in part.

    Parameters
    ----------
    observed, flagged, area
        As in `pai`.

    Returns
    -------
    max_pai
        At least `pai`.

    Examples
    --------
    >>> max_pai([4, 1, 0, 0], [0, 0, 0, 1], [1, 1, 1, 1])
    3.2
    """
    y, size = _arrays(observed, area)
    part, _ = _arrays(flagged, area)
    wanted = total(part, size)
    return pai(y, flag(y, size, km2=wanted), size) if wanted > 0 else float("nan")


def pei(observed: ArrayLike, flagged: ArrayLike, area: ArrayLike) -> float:
    """
    Prediction efficiency index: PAI over that of the oracle (Hunt 2016).

    Parameters
    ----------
    observed, flagged, area
        As in `pai`.

    Returns
    -------
    pei
        0 to 1; missing without events.

    Examples
    --------
    >>> pei([4, 2, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1])
    0.5
    """
    return _ratio(pai(observed, flagged, area), max_pai(observed, flagged, area))


def recapture_ratio(observed: ArrayLike, training: ArrayLike, flagged: ArrayLike) -> float:
    """
    Share of events in the flagged area in the test window over that in training.

    Levine (2008, "The 'hottest' part of a hotspot"), as the recapture rate
    index; 1 where the hot spots hold as much as they did.

    Parameters
    ----------
    observed, flagged
        As in `hit_rate`.
    training
        Events of each unit in the training window.

    Returns
    -------
    ratio
        Missing without events in either.

    Examples
    --------
    >>> recapture_ratio([3, 3], [8, 2], [1, 0])
    0.625
    """
    return _ratio(hit_rate(observed, flagged), hit_rate(training, flagged))


def calibration_ratio(observed: ArrayLike, expected: ArrayLike, flagged: ArrayLike) -> float:
    """
    Predicted over observed events in the flagged area.

    Parameters
    ----------
    observed, flagged
        As in `hit_rate`.
    expected
        Expected count of each unit.

    Returns
    -------
    ratio
        Above 1 where too much was predicted; missing where nothing happened.

    Examples
    --------
    >>> calibration_ratio([4, 1], [3.0, 2.0], [1, 0])
    0.75
    """
    y, part = _arrays(observed, flagged)
    mean, _ = _arrays(expected, flagged)
    return _ratio(total(mean, part), total(y, part))


def lift_vs_baseline(observed: ArrayLike, flagged: ArrayLike, baseline: ArrayLike) -> float:
    """
    Hit rate over that of the baseline at the same area.

    Parameters
    ----------
    observed, flagged
        As in `hit_rate`.
    baseline
        Part of each unit that the baseline flags.

    Returns
    -------
    lift
        Missing where the baseline catches nothing.

    Examples
    --------
    >>> lift_vs_baseline([6, 3, 1], [1, 0, 0], [0, 1, 0])
    2.0
    """
    return _ratio(hit_rate(observed, flagged), hit_rate(observed, baseline))


def hit_rate_curve(
    observed: ArrayLike, expected: ArrayLike, area: ArrayLike
) -> tuple[Floats, Floats]:
    """
    Return the hit rate at every coverage: corners of a line that is straight between.

    Parameters
    ----------
    observed, expected
        Events, and what orders the units.
    area
        Area of each unit.

    Returns
    -------
    coverage, hit_rate
        Both from 0 to 1; one corner for each group of equal density.

    Examples
    --------
    >>> coverage, hits = hit_rate_curve([3, 1, 0, 0], [9, 1, 1, 0], [1, 1, 1, 1])
    >>> coverage.tolist(), hits.tolist()
    ([0.0, 0.25, 0.75, 1.0], [0.0, 0.75, 1.0, 1.0])
    """
    y, mean = _arrays(observed, expected)
    size, _ = _arrays(area, expected)
    order, group = density_groups(mean, size)
    covered = np.concatenate([[0.0], np.cumsum(np.bincount(group, size[order]))])
    caught = np.concatenate([[0.0], np.cumsum(np.bincount(group, y[order]))])
    hits = caught / caught[-1] if caught[-1] > 0 else np.full(len(caught), np.nan)
    return covered / covered[-1], hits


def area_under_hit_rate(
    observed: ArrayLike, expected: ArrayLike, area: ArrayLike, *, c_max: float
) -> float:
    """
    Mean hit rate over all coverages up to `c_max`, the area under its curve.

    Parameters
    ----------
    observed, expected, area
        As in `hit_rate_curve`.
    c_max
        Largest coverage, a share of the area; to be printed beside the score.

    Returns
    -------
    mean
        0 to 1; missing without events.

    Raises
    ------
    InputError
        If `c_max` is no share.

    Examples
    --------
    >>> area_under_hit_rate([3, 1, 0, 0], [9, 1, 1, 0], [1, 1, 1, 1], c_max=0.25)
    0.375
    """
    if not 0 < c_max <= 1:
        msg = f"c_max is {c_max}. Give a share of the area above 0, at most 1."
        raise InputError(msg)
    covered, hits = hit_rate_curve(observed, expected, area)
    inside = covered < c_max
    x = np.append(covered[inside], c_max)
    y = np.append(hits[inside], np.interp(c_max, covered, hits))
    return float(np.trapezoid(y, x) / c_max)


def poisson_deviance(observed: ArrayLike, expected: ArrayLike) -> float:
    """
    Mean Poisson deviance of the units; the smaller the better.

    Parameters
    ----------
    observed
        Events of each unit.
    expected
        Expected counts, above zero.

    Returns
    -------
    deviance
        Mean of 2 (y log(y / m) - y + m); infinite where an event was impossible.

    Examples
    --------
    >>> round(poisson_deviance([2, 0], [1.0, 0.5]), 4)
    0.8863
    """
    y, mean = _arrays(observed, expected)
    log_ratio = np.log(np.where(y > 0, y, 1.0)) - np.log(np.where(y > 0, _positive(mean), 1.0))
    return float(np.mean(2 * (y * log_ratio - y + mean)))


def log_score(observed: ArrayLike, expected: ArrayLike, size: ArrayLike = np.inf) -> float:
    """
    Mean negative log probability of what happened; the smaller the better.

    Parameters
    ----------
    observed, expected
        As in `poisson_deviance`.
    size
        Of the negative binomial distribution; infinite for Poisson.

    Returns
    -------
    score
        In nats a unit.

    Examples
    --------
    >>> round(log_score([0], [0.5]), 3)
    0.5
    """
    return float(-np.mean(log_probability(*_distributed(observed, expected, size))))


def brier(observed: ArrayLike, expected: ArrayLike, size: ArrayLike = np.inf) -> float:
    """
    Mean squared error of the probability that anything happens in a unit.

    Parameters
    ----------
    observed, expected, size
        As in `log_score`.

    Returns
    -------
    score
        0 to 1; the smaller the better.

    Examples
    --------
    >>> brier([0, 3], [np.log(2), np.log(2)])
    0.25
    """
    y, mean, sizes = _distributed(observed, expected, size)
    nothing = np.exp(log_probability(np.zeros_like(mean), mean, sizes))
    return float(np.mean((1 - nothing - (y > 0)) ** 2))


def crps(observed: ArrayLike, expected: ArrayLike, size: ArrayLike = np.inf) -> float:
    """
    Mean continuous ranked probability score; the smaller the better.

    In events: of a forecast without uncertainty it is the absolute error.

    Parameters
    ----------
    observed, expected, size
        As in `log_score`.

    Returns
    -------
    score
        Zero or more.

    Examples
    --------
    >>> round(crps([2], [1.5]), 4)
    0.4022
    """
    return float(np.mean(crps_and_pit(*_distributed(observed, expected, size))[0]))


def pit_histogram(
    observed: ArrayLike, expected: ArrayLike, size: ArrayLike = np.inf, *, bins: int = 10
) -> Floats:
    """
    Probability integral transform of counts, not randomised, as a histogram.

    Czado, Gneiting and Held (2009, "Predictive model assessment for count
    data"). Flat where the distribution is right; a valley where intervals are
    too narrow, a hill where they are too wide, a slope where the mean is off.

    Parameters
    ----------
    observed, expected, size
        As in `log_score`.
    bins
        Number of bars.

    Returns
    -------
    histogram
        Shares that add up to 1.

    Examples
    --------
    >>> pit_histogram([0], [np.log(2)], bins=4).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    _, below, at = crps_and_pit(*_distributed(observed, expected, size))
    edges = np.linspace(0, 1, bins + 1)
    width = np.maximum(at - below, np.finfo(float).tiny)
    reached = [float(np.clip((edge - below) / width, 0, 1).mean()) for edge in edges]
    return np.diff(np.asarray(reached))


def _arrays(one: ArrayLike, other: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        msg = f"Arrays of shapes {a.shape} and {b.shape} do not match. Give one value a unit."
        raise InputError(msg)
    return a, b


def _positive(mean: Floats) -> Floats:
    return np.maximum(mean, np.finfo(float).tiny)


def _distributed(observed: ArrayLike, expected: ArrayLike, size: ArrayLike) -> tuple[Floats, ...]:
    y, mean = _arrays(observed, expected)
    sizes = np.ascontiguousarray(np.broadcast_to(np.asarray(size, dtype=np.float64), y.shape))
    return np.ascontiguousarray(y), np.ascontiguousarray(_positive(mean)), sizes


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")
