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
def reaching(
    seen: Floats,
    mean: Floats,
    last_seen: float,
    last_mean: float,
    sign: float,
    cases: float,
    scale: float,
    best: float,
) -> int:
    """
    Count the stretches to one end whose chi-squared exceeds `best`, high (sign 1) or low (-1).

    Written so that the compiler makes it four windows at a time: no logarithm,
    no division, no branch.
    """
    hits = 0
    for b in range(len(seen)):
        m = last_mean - mean[b]
        d = (last_seen - seen[b] - m) * sign
        hits += 1 if (d > 0) and (d * d * scale > best * m * (cases - m)) else 0
    return hits


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
        for sign in (1.0, -1.0):
            if sign * side >= 0:
                hits += reaching(
                    seen[begin:end], mean[begin:end], seen[end], mean[end], sign, cases, scale, best
                )
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
            area_counts, area_baseline = counts[order[k]], baseline[order[k]]
            for t in range(len(seen)):
                seen[t] += area_counts[t]
                mean[t] += area_baseline[t]
            if not closes[k]:
                continue
            value, b, e = best_time(
                seen, mean, cases, people, side, fewest, first_end, longest, best
            )
            if e >= 0:
                best = value
                ratio[i], depth[i], begins[i], ends[i] = value, k + 1 - start[i], b, e
    return ratio, depth, begins, ends


@compiled()
def scan_circles(
    counts: Floats,
    baseline: Floats,
    order: NDArray[np.int32],
    start: Whole,
    closes: NDArray[np.bool_],
    cases: float,
    people: float,
    side: int,
    fewest: float,
    floor: float,
    each: bool,
) -> tuple[Floats, Whole]:
    """Find the circle of each centre as `scan_centres` does, where there is one step alone."""
    centres = len(start) - 1
    ratio, depth = np.zeros(centres), np.zeros(centres, dtype=np.int64)
    scale = cases * people / (people - cases) if people > 0 else cases
    best = floor
    for i in range(centres):
        if each:
            best = floor
        c, m = 0.0, 0.0
        for k in range(start[i], start[i + 1]):
            c += counts[order[k]]
            m += baseline[order[k]]
            d = c - m
            if d * d * scale <= best * m * (cases - m) or not closes[k]:
                continue
            asked = side >= 0 and c >= fewest if c > m else side <= 0
            if not asked or m <= 0 or m >= cases:
                continue
            value = log_ratio(c, m, cases, people)
            if value > best:
                best = value
                ratio[i], depth[i] = value, k + 1 - start[i]
    return ratio, depth
