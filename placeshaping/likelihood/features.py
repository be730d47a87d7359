"""
What a boosted model sees of a unit before a step: counts of the unit and around it.

Every feature of a step is made of steps before it alone, from running sums: the
mean daily count over some windows, of the unit and of its neighbours; the same
season last year; near-repeat exposure, which decays; the season; and covariates of
the place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placeshaping.likelihood.covariates import check_covariates
from placeshaping.likelihood.history import History

Floats = NDArray[np.float64]

WINDOWS = {
    "month": (1, 2, 3, 6, 12, 24),
    "week": (1, 2, 4, 8, 13, 52),
    "day": (1, 3, 7, 14, 28, 91, 365),
}
"""Steps over which counts are averaged."""

AROUND = {"month": (1, 3, 12), "week": (1, 4, 52), "day": (7, 28, 365)}
"""Steps over which the counts of neighbours are averaged."""

REPEAT_DAYS = 14.0
"""Near-repeat exposure falls to 1/e in so many days: the risk of burglary near one is raised for
about two weeks (Townsley, Homel and Chaseling 2003)."""

_YEAR = {"month": 12, "week": 52, "day": 364}


@dataclass(frozen=True, eq=False)
class Running:
    """
    Running sums over a history, from which the features of any step are made.

    Attributes
    ----------
    history
        What is known.
    start
        Position of the first step that is summed; earlier ones are not looked at.
    own, near
        Counts of the units, and of their neighbours, before each step from
        `start` on: shape (units, steps + 1).
    days
        Days with data before each step: shape (steps + 1,).
    repeat
        Near-repeat exposure before each step: shape (units, steps + 1).
    places
        Area and covariates of the units.
    """

    history: History
    start: int
    own: NDArray[np.float32]
    near: NDArray[np.float32]
    days: Floats
    repeat: NDArray[np.float32]
    places: Floats

    def mean(self, sums: NDArray[np.float32], before: int, steps: int) -> Floats:
        """Return the mean daily count in the steps before a position; missing without data."""
        last = min(before, self.history.steps) - self.start
        first = max(last - steps, 0)
        days = self.days[last] - self.days[first]
        counts = (sums[:, last] - sums[:, first]).astype(np.float64)
        return counts / days if days > 0 else np.full(len(counts), np.nan)


def run_sums(history: History, look_back: int) -> Running:
    """
    Sum a history's counts from one step to the next.

    Parameters
    ----------
    history
        What is known.
    look_back
        How many steps before its end matter.

    Returns
    -------
    running
        Single precision is exact here: counts stay under 16 million.
    """
    start = max(0, history.steps - look_back)
    counts = history.counts[:, start:].toarray().astype(np.float32)
    near = np.asarray(history.units.neighbours.astype(np.float32) @ counts)
    degree = np.maximum(history.units.neighbours.sum(axis=1), 1)[:, None]
    days = history.days[start:]
    known = np.where(history.known[start:], days, 0.0)
    places = history.units.area[:, None]
    if history.covariates is not None:
        checked = check_covariates(history.covariates, history.units.codes)
        places = np.hstack([places, checked.to_numpy(np.float64)])
    return Running(
        history=history,
        start=start,
        own=_before(counts),
        near=_before((near / degree).astype(np.float32)),
        days=np.concatenate([[0.0], np.cumsum(known)]),
        repeat=_decayed(counts + near, days),
        places=places,
    )


def feature_names(history: History) -> list[str]:
    """
    Name the features in the order of `features_of`.

    Examples
    --------
    >>> len(AROUND["month"]) + len(WINDOWS["month"])
    9
    """
    unit = history.step.unit
    names = [f"own, {steps} {unit}s" for steps in WINDOWS[unit]]
    names += [f"neighbours, {steps} {unit}s" for steps in AROUND[unit]]
    names += ["same season last year", "near-repeat exposure", "expected by the baseline"]
    names += ["season, sine", "season, cosine", "weekday", "area"]
    return names + ([] if history.covariates is None else list(map(str, history.covariates)))


def features_of(running: Running, step: int, base: Floats) -> Floats:
    """
    Make the features of all units for one step.

    Parameters
    ----------
    running
        Sums of the history.
    step
        Position of the step; at the history's end or beyond, features are
        those at its end, seasons those of the step.
    base
        Expected by the baseline, per day.

    Returns
    -------
    features
        Shape (units, features).
    """
    history = running.history
    unit = history.step.unit
    own = [running.mean(running.own, step, steps) for steps in WINDOWS[unit]]
    around = [running.mean(running.near, step, steps) for steps in AROUND[unit]]
    moment = history.step.starts([history.first + step])
    angle = 2 * np.pi * float(moment.day_of_year[0]) / 365.25
    weekday = float(moment.day_of_week[0]) if unit == "day" else np.nan
    same = np.column_stack([np.full(len(base), v) for v in (np.sin(angle), np.cos(angle), weekday)])
    at = min(step, history.steps) - running.start
    repeat = running.repeat[:, at].astype(np.float64)
    last_year = _last_year(running, step)
    return np.column_stack([*own, *around, last_year, repeat, base, same, running.places])


def _last_year(running: Running, step: int) -> Floats:
    """Return the mean daily count around the same time last year; missing without data."""
    history = running.history
    year = _YEAR[history.step.unit]
    half = {"month": 0, "week": 2, "day": 14}[history.step.unit]
    width = 2 * half + 1
    end = step - year + half + 1
    if end - width < running.start:
        return np.full(len(history.units), np.nan)
    return running.mean(running.own, end, width)


def _before(values: NDArray[np.float32]) -> NDArray[np.float32]:
    zero = np.zeros((len(values), 1), dtype=np.float32)
    return np.hstack([zero, np.cumsum(values, axis=1, dtype=np.float32)])


def _decayed(values: NDArray[np.float32], days: Floats) -> NDArray[np.float32]:
    kept = np.exp(-days / REPEAT_DAYS).astype(np.float32)
    out = np.zeros((len(values), values.shape[1] + 1), dtype=np.float32)
    for step, share in enumerate(kept):
        out[:, step + 1] = (out[:, step] + values[:, step]) * share
    return out
