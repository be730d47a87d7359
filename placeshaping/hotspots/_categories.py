"""The 17 categories of emerging hot spots: which one a series of steps falls into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHAPES = (
    "new",
    "consecutive",
    "intensifying",
    "persistent",
    "diminishing",
    "sporadic",
    "oscillating",
    "historical",
)
"""What a hot spot, or a cold spot, may be."""

CATEGORIES = (
    *(f"{shape}_hot" for shape in SHAPES),
    *(f"{shape}_cold" for shape in SHAPES),
    "no_pattern",
)
"""Categories of areas in the order of a legend: hot, cold, none."""

UNKNOWN = -2
"""State of a bin without a score; 1 is hot, -1 cold, 0 neither."""

Whole = NDArray[np.int64]


def classify(states: NDArray[np.int8], trend: NDArray[np.int8]) -> Whole:
    """
    Return the place in `CATEGORIES` of each row; -1 where its final step is unknown.

    `states` holds a row for each area and a column for each step: 1 hot, -1
    cold, 0 neither, `UNKNOWN` where there is no score. `trend` is 1, -1 or 0 as
    the scores rise, fall or do neither. Unknown steps count nowhere.
    """
    hot, cold = _of_sign(states, trend, 1), _of_sign(states, trend, -1)
    none = len(CATEGORIES) - 1
    code = np.where(hot >= 0, hot, np.where(cold >= 0, cold + len(SHAPES), none))
    return np.asarray(np.where(states[:, -1] == UNKNOWN, -1, code), dtype=np.int64)


def _of_sign(states: NDArray[np.int8], trend: NDArray[np.int8], sign: int) -> Whole:
    """Return the place in `SHAPES` of each row, looked at for hot (1) or cold (-1); else -1."""
    known = (states != UNKNOWN).sum(axis=1)
    own = (states == sign).sum(axis=1)
    other = (states == -sign).any(axis=1)
    final = states[:, -1] == sign
    mostly = 10 * own >= 9 * known
    run = _final_run(states, sign)
    moving = trend * sign  # a cold spot intensifies where scores fall
    rules = [
        ("intensifying", final & mostly & (moving > 0)),
        ("persistent", final & mostly & (moving == 0)),
        ("diminishing", final & mostly & (moving < 0)),
        ("oscillating", final & ~mostly & other),
        ("new", final & ~mostly & ~other & (own == 1)),
        ("consecutive", final & ~mostly & ~other & (own > 1) & (run == own)),
        ("sporadic", final & ~mostly & ~other & (run < own)),
        ("historical", (states[:, -1] == 0) & mostly & (own > 0)),
    ]
    places = [SHAPES.index(shape) for shape, _ in rules]
    return np.select([rule for _, rule in rules], places, default=-1)


def _final_run(states: NDArray[np.int8], sign: int) -> Whole:
    """Count the known steps of a sign at the end, up to the first known one that is not of it."""
    backward = states[:, ::-1]
    broken = np.logical_or.accumulate((backward != sign) & (backward != UNKNOWN), axis=1)
    return np.asarray(((backward == sign) & ~broken).sum(axis=1), dtype=np.int64)
