"""The inner loops of scan statistics: the likelihood ratio of every window."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@compiled()
def log_ratio(inside: float, expected: float, cases: float, people: float) -> float:
    """
    Return the log likelihood ratio of a window: the sum of O ln(O / E) over what it divides.

    Cases inside and outside; with `people` above zero (Bernoulli) also those
    who are no cases, inside and outside.
    """
    outside, expected_outside = cases - inside, cases - expected
    total = 0.0
    if inside > 0:
        total += inside * math.log(inside / expected)
    if outside > 0:
        total += outside * math.log(outside / expected_outside)
    if people > 0:
        size = np.rint(expected * people / cases)
        well = size - inside
        if well > 0:
            total += well * math.log(well / (size - expected))
        well_outside = people - size - outside
        if well_outside > 0:
            total += well_outside * math.log(well_outside / (people - size - expected_outside))
    return total


@compiled()
def best_time(
    seen: Floats,
    mean: Floats,
    cases: float,
    people: float,
    side: int,
    fewest: float,
    first_end: int,
    longest: int,
    best: float,
) -> tuple[float, int, int]:
    """
    Return the highest ratio above `best` of one circle's stretches of time, and which it is.

    `seen` and `mean` are sums over time of cases and of what is expected. A
    window's ratio never exceeds Pearson's chi-squared, which needs no
    logarithm: it sorts out nearly all windows.
    """
    begins, ends = -1, -1
    scale = cases * people / (people - cases) if people > 0 else cases
    for end in range(first_end, len(seen)):
        begin = max(0, end - longest)
        hits = 0
        for b in range(begin, end):
            m = mean[end] - mean[b]
            d = seen[end] - seen[b] - m
            d = d if side > 0 else (-d if side < 0 else abs(d))
            hits += (d > 0) & (d * d * scale > best * m * (cases - m))
        if hits == 0:
            continue
        for b in range(begin, end):
            c, m = seen[end] - seen[b], mean[end] - mean[b]
            asked = side >= 0 and c >= fewest if c > m else side <= 0
            if not asked or m <= 0 or m >= cases:
                continue
            value = log_ratio(c, m, cases, people)
            if value > best:
                best, begins, ends = value, b, end
    return best, begins, ends


@compiled()
def scan_centres(
    counts: Floats,
    baseline: Floats,
    order: NDArray[np.int32],
    start: Whole,
    closes: NDArray[np.bool_],
    cases: float,
    people: float,
    side: int,
    fewest: float,
    first_end: int,
    longest: int,
    floor: float,
    each: bool,
) -> tuple[Floats, Whole, Whole, Whole]:
    """
    Find the window of each centre with the highest log likelihood ratio.

    `counts` and `baseline` are sums over time: a row an area, column t the sum
    before step t. Centre i has the areas ``order[start[i]:start[i + 1]]``,
    nearest first; a window may end where `closes`. Windows of time end at
    `first_end` or later and last at most `longest` steps. `side` is 1 for high
    rates, -1 for low, 0 for both. Windows at or below `floor` are not looked
    for; without `each`, nor those below the best of the centres before, which
    is enough where the highest of all is asked for, and faster.
    """
    centres, steps = len(start) - 1, counts.shape[1] - 1
    ratio = np.zeros(centres)
    depth = np.zeros(centres, dtype=np.int64)
    begins, ends = depth.copy(), depth.copy()
    best = floor
    seen, mean = np.empty(steps + 1), np.empty(steps + 1)
    for i in range(centres):
        if each:
            best = floor
        seen[:] = 0.0
        mean[:] = 0.0
        for k in range(start[i], start[i + 1]):
            for t in range(1, steps + 1):
                seen[t] += counts[order[k], t]
                mean[t] += baseline[order[k], t]
            if not closes[k]:
                continue
            value, b, e = best_time(
                seen, mean, cases, people, side, fewest, first_end, longest, best
            )
            if e >= 0:
                best = value
                ratio[i], depth[i], begins[i], ends[i] = value, k + 1 - start[i], b, e
    return ratio, depth, begins, ends
