"""
Counts from rates that were drawn towards their mean.

The empirical Bayes rate (Marshall 1991) of an area with n people and c records
is s = m + (A / (A + m / n)) (c / n - m), with the same mean m and variance A
for all areas. So c = n s + k s - k m with k = m / A: two numbers, the same
for all areas, and both follow from the shown counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from placeshaping.verify.arithmetic import decimals_of
from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Contents
from placeshaping.verify.verdict import Breach, Finding, number_of

_PER = 1000.0
_FEWEST = 20
_ROUNDS = 20
_TRIED = 61
_WHOLE = 0.12
_NEAR = 0.3
_EXAMPLES = 3

Floats = NDArray[np.float64]


def check_smoothed(contents: Contents, people: pd.DataFrame) -> tuple[int, list[Breach]]:
    """
    Turn smoothed rates back into counts.

    Parameters
    ----------
    contents
        A file's tables.
    people
        Indexed by area code: residents, households.

    Returns
    -------
    tried
        Rates that could be turned back.
    breaches
        Tables whose smoothed rates were worked out from other counts than
        those shown.

    Examples
    --------
    >>> check_smoothed(Contents("csv"), pd.DataFrame())
    (0, [])
    """
    tried, found = 0, []
    for table in contents.tables:
        frame = table.frame
        if not {"area_code", "rate_smoothed", "count"} <= set(frame.columns):
            continue
        keys = [c for c in ("period", "category") if c in frame]
        groups = (
            [part for _, part in frame.groupby(keys, sort=False, observed=True)]
            if keys
            else [frame]
        )
        findings: list[Finding] = []
        for part in groups:
            solved, odd = _turned_back(part, contents, people)
            tried += solved
            findings += odd
        if findings:
            counts = number_of(len(findings), "count")
            what = f"{counts} from smoothed rates, other than those shown"
            proof = "; ".join(finding.proof for finding in findings[:_EXAMPLES])
            found.append(Breach(table.where, what, proof, "smoothed rates", tuple(findings)))
    return tried, found


def _turned_back(
    part: pd.DataFrame, contents: Contents, people: pd.DataFrame
) -> tuple[int, list[Finding]]:
    smoothed = numbers_of(part["rate_smoothed"]) / _PER
    shown = numbers_of(part["count"])
    tried = []
    for size in _sizes(part, contents, people):
        usable = np.isfinite(smoothed) & np.isfinite(size) & (size > 0)
        known = usable & np.isfinite(shown)
        if known.sum() < _FEWEST or np.ptp(smoothed[known]) == 0:
            continue
        slack = 0.5 * 10.0 ** -decimals_of(smoothed[usable] * _PER) / _PER
        if _explained(smoothed[known], size[known], shown[known]) <= slack:
            return int(usable.sum()), []
        tried.append((size, usable, known, slack))
    for size, usable, known, slack in tried:
        counts = _solve(smoothed, size, shown, known, slack)
        if counts is None:
            continue
        whole = np.rint(counts)
        other = usable & (np.abs(counts - whole) < _NEAR) & ~(np.abs(whole - shown) < 0.5)
        rows = np.flatnonzero(other)
        names = [cell_names(part, rows[n : n + 1])[0] for n in range(len(rows))]
        return int(usable.sum()), [
            Finding(
                name,
                f"{name}: smoothed rate {smoothed[row] * _PER:g} x {size[row]:,.0f} people, less "
                f"what it was drawn towards the mean, gives {counts[row]:.2f}, so the count is "
                f"{whole[row]:.0f}"
                + (f"; shown as {shown[row]:g}" if np.isfinite(shown[row]) else ""),
            )
            for name, row in zip(names, rows, strict=True)
        ]
    return 0, []


def _sizes(part: pd.DataFrame, contents: Contents, people: pd.DataFrame) -> Iterator[Floats]:
    """Yield what the rates may have been worked out over, in person-years."""
    label = str(part["period"].iloc[0]) if "period" in part else ""
    years = contents.periods.get(label, 1.0)
    for name in ("residents", "households"):
        if name in part:
            yield numbers_of(part[name]) * years
        elif name in people:
            codes = part["area_code"].astype(str)
            yield people[name].reindex(codes).to_numpy(dtype=np.float64) * years


def _explained(smoothed: Floats, size: Floats, shown: Floats) -> float:
    """Return how far at least the rates lie from those that the shown counts give."""

    def misfit(logarithm: float) -> float:
        weight = 1 / (size + np.exp(logarithm))
        shift = ((smoothed - shown * weight) * weight).sum() / (weight**2).sum()
        return float(np.sqrt(np.mean((smoothed - (shown + shift) * weight) ** 2)))

    tried = np.linspace(-5.0, 25.0, _TRIED)
    best = tried[np.argmin([misfit(logarithm) for logarithm in tried])]
    step = tried[1] - tried[0]
    found = minimize_scalar(misfit, bounds=(best - step, best + step), method="bounded")
    return min(float(found.fun), misfit(best))


def _solve(
    smoothed: Floats, size: Floats, shown: Floats, known: NDArray[np.bool_], slack: float
) -> Floats | None:
    """Fit the two numbers that all areas share; None where the counts do not come out whole."""
    base = size * smoothed
    target = shown.copy()
    columns = np.column_stack([smoothed, np.ones(len(smoothed))])
    for _ in range(_ROUNDS):
        fitted, *_ = np.linalg.lstsq(columns[known], (target - base)[known], rcond=None)
        counts = base + columns @ fitted
        whole = np.maximum(np.rint(counts), 0)
        if np.array_equal(whole[known], target[known]):
            break
        target = np.where(known, whole, target)
    precise = known & ((size + abs(fitted[0])) * slack < _WHOLE)
    if precise.sum() < _FEWEST:
        return None
    error = np.sqrt(np.mean((counts - np.rint(counts))[precise] ** 2))
    return np.asarray(counts) if error < _WHOLE else None
