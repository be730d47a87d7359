"""
How far a kernel reaches: bandwidths by named rules, and by cross-validated likelihood.

A bandwidth is the standard deviation of a Gaussian kernel. For a quartic one,
whose bandwidth is its radius, it is 2.78 times as much: both then smooth alike
(the canonical bandwidths of Marron and Nolan 1988, in the plane).
"""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.spatial import KDTree

from placeshaping._core.checks import check_choice, check_columns, check_whole
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.hotspots._event_points import event_points
from placeshaping.hotspots._likelihood import binned_likelihood, exact_likelihood
from placeshaping.hotspots._smoothing import Kernel

Rule = Literal["likelihood", "normal", "scott", "silverman", "nearest"]
Floats = NDArray[np.float64]

_log = logging.getLogger(__name__)

RULES = ("likelihood", "normal", "scott", "silverman", "nearest")
"""Names of the rules."""

QUARTIC = (2304 / 5) ** (1 / 6)
"""Radius of the quartic kernel that smooths as much as a Gaussian of standard deviation one."""

FEWEST_EVENTS = 10

EXACT_PLACES = 3_000
"""Up to so many places the likelihood is worked out pair by pair."""

_TRIED = 24


def choose_bandwidth(
    events: pd.DataFrame,
    *,
    rule: Rule = "likelihood",
    kernel: Kernel = "quartic",
    weights: str | None = None,
    neighbours: int = 10,
) -> float:
    """
    Choose the bandwidth of a kernel density.

    Parameters
    ----------
    events
        Points in a reference system in metres, or columns ``easting`` and
        ``northing``.
    rule
        ``"likelihood"``: the one under which places are best foretold by all
        others (Habbema, Hermans and van den Broek 1974; Duin 1976), all
        records of a place left out together, searched from a fiftieth to twice
        the normal rule; pair by pair up to 3,000 places, binned above.
        ``"normal"``: best if the events were one normal cloud, s n^(-1/6)
        with s the mean spread of both coordinates; in the plane ``"scott"``
        (1992) and the general formula of Silverman (1986, p. 86) are this.
        ``"silverman"``: his robust rule (p. 48), 0.9 min(s, q / 1.34)
        n^(-1/6) with q the interquartile range.
        ``"nearest"``: mean distance of a place to its `neighbours`-th nearest
        other place (Williamson and others 1999).
    kernel
        ``"quartic"`` (the bandwidth is the radius) or ``"gaussian"`` (the
        standard deviation). The nearest neighbours' mean is taken as it is,
        the other rules are for a Gaussian and converted.
    weights
        Column of the weights of events.
    neighbours
        Of the rule ``"nearest"``.

    Returns
    -------
    bandwidth
        Metres.

    Raises
    ------
    EmptyError
        If there are fewer than ten events.
    InputError
        If all stand at one place, or in one line where a rule needs more.
    CRSError, ColumnError
        If coordinates are degrees, or columns are missing.

    Examples
    --------
    >>> spots = np.random.default_rng(1).normal([450_000, 300_000], 1_000, (64, 2))
    >>> events = pd.DataFrame(spots, columns=["easting", "northing"])
    >>> round(choose_bandwidth(events, rule="normal", kernel="gaussian"))
    459
    """
    check_choice(rule, RULES, name="rule")
    check_choice(kernel, ("quartic", "gaussian"), name="kernel")
    xy = event_points(events)
    heavy = event_weights(events, weights)
    xy, heavy = xy[heavy > 0], heavy[heavy > 0]
    check_events(xy)
    if rule == "nearest":
        found = _nearest(xy, check_whole(neighbours, name="neighbours"))
    else:
        found = _gaussian_rule(xy, heavy, rule) * (QUARTIC if kernel == "quartic" else 1.0)
    _log.info("Bandwidth %s m by rule %r for a %s kernel.", f"{found:,.0f}", rule, kernel)
    return found


def event_weights(events: pd.DataFrame, weights: str | None) -> Floats:
    """
    Return the weights of events, one each where no column is named.

    Parameters
    ----------
    events
        One row an event.
    weights
        Name of the column.

    Returns
    -------
    values
        In their order.

    Raises
    ------
    ColumnError
        If there is no such column, or it holds no numbers.
    InputError
        If a weight is negative or missing, or all are zero.

    Examples
    --------
    >>> event_weights(pd.DataFrame({"loss": [2, 3]}), "loss").tolist()
    [2.0, 3.0]
    """
    if weights is None:
        return np.ones(len(events))
    check_columns(events.columns, [weights], where="events")
    column = events[weights]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        msg = f"{weights} of events holds {column.dtype}, not numbers."
        raise ColumnError(msg)
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    wrong = int((~(np.isfinite(values) & (values >= 0))).sum())
    if wrong:
        msg = (
            f"{wrong:,} of {len(values):,} weights ({weights}) are negative, infinite or missing. "
            "Leave those events out, or correct them."
        )
        raise InputError(msg)
    if not values.sum() > 0:
        msg = f"All {len(values):,} weights ({weights}) are zero: there is nothing to spread."
        raise InputError(msg)
    return np.ascontiguousarray(values)


def check_events(xy: Floats) -> None:
    """
    Refuse events that make no density.

    Parameters
    ----------
    xy
        Metres.

    Raises
    ------
    EmptyError
        If there are fewer than ten.
    InputError
        If all stand at one place.

    Examples
    --------
    >>> check_events(np.zeros((3, 2)))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.EmptyError: There are 3 events: a density needs at least 10...
    """
    if len(xy) < FEWEST_EVENTS:
        msg = (
            f"There are {len(xy)} events: a density needs at least {FEWEST_EVENTS}. "
            "Take a longer period, or show them as a count."
        )
        raise EmptyError(msg)
    if (xy == xy[0]).all():
        msg = (
            f"All {len(xy):,} events stand at one place ({xy[0, 0]:,.0f}, {xy[0, 1]:,.0f}): there "
            "is no density to map. Show them as a count, and check how they were placed."
        )
        raise InputError(msg)


def _gaussian_rule(xy: Floats, weights: Floats, rule: str) -> float:
    """Return the bandwidth of a Gaussian kernel."""
    centred = xy - np.average(xy, axis=0, weights=weights)
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    variance = np.average(centred**2, axis=0, weights=weights) * effective / (effective - 1)
    spread = float(np.sqrt(variance.mean()))
    shrink = float(effective ** (-1 / 6))
    normal = spread * shrink
    if rule == "likelihood":
        return _by_likelihood(xy, weights, normal)
    if rule == "silverman":
        quartile = float(np.mean(np.subtract(*np.percentile(xy, [75, 25], axis=0))))
        narrow = min(spread, quartile / 1.34)
        if not narrow > 0:
            msg = (
                "The middle half of the events stands at one place: the rule 'silverman' gives no "
                "bandwidth. Use 'normal', 'nearest' or metres."
            )
            raise InputError(msg)
        return 0.9 * narrow * shrink
    return normal


def _nearest(xy: Floats, neighbours: int) -> float:
    """Return the mean distance of places to their k-th nearest other place."""
    places = np.unique(xy, axis=0)
    if len(places) <= neighbours:
        msg = f"{len(places)} places have no {neighbours}th neighbour. Take fewer neighbours."
        raise InputError(msg)
    distance, _ = KDTree(places).query(places, k=[neighbours + 1])
    return float(np.mean(distance))


def _by_likelihood(xy: Floats, weights: Floats, normal: float) -> float:
    """Search for the highest cross-validated likelihood: among many, then between two."""
    places, label = np.unique(xy, axis=0, return_inverse=True)
    heavy = np.bincount(label.ravel(), weights).astype(np.float64)
    likelihood = exact_likelihood if len(places) <= EXACT_PLACES else binned_likelihood
    tried = normal * np.geomspace(0.02, 2.0, _TRIED)
    scores = likelihood(places, heavy, tried)
    best = int(np.argmax(scores))
    if best == 0:
        _log.warning(
            "The likelihood rises down to the smallest bandwidth tried (%.0f m): places stand in "
            "tight clumps. Consider rule='normal' or metres.",
            tried[0],
        )
        return float(tried[0])
    low, high = (float(np.log(tried[k])) for k in (best - 1, min(best + 1, _TRIED - 1)))

    def loss(log_h: float) -> float:
        return -float(likelihood(places, heavy, np.exp([log_h]))[0])

    found = minimize_scalar(
        loss,
        bounds=(low, high),
        method="bounded",
        options={"xatol": 0.005},
    )
    return float(np.exp(found.x))
