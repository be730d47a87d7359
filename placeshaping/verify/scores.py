"""
Invert scores: get the counts back that a statistic was worked out from.

Gi*, z-scores and location quotients are the counts in disguise: counts are
whole numbers, so of all means and standard deviations only the true ones turn
every score into a whole number at once. For Gi* those are the sums over an
area and its neighbours, which the published shapes tell; the sums then give
the counts as the solution of a linear system.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Table
from placeshaping.verify.rules import Rules, judge_by
from placeshaping.verify.verdict import Breach, number_of

Floats = NDArray[np.float64]

GI = ("gi_star", "gistar", "gi*", "gi")
Z = ("z_score", "zscore", "z")
LQ = ("lq", "location_quotient")
"""Columns that are taken for a score, by what they are."""

_WHOLES = ("total", "residents", "households", "exposure")
_KEYS = ("period", "category")
_MOST_AREAS = 1500
_FEWEST_AREAS = 12
_SEEN = 0.35
_STEPS = 100_000
_SAMPLE = 150
_GAPS = 8
_LARGEST = 60.0
_MOST_GROUPS = 12
_BLOCK = 2_000_000
_OFFSETS = 96
_MATCHING = 0.98
_EXAMPLES = 3
_FEWEST_SHOWN = 3


@dataclass(frozen=True)
class Inverted:
    """
    Counts that scores give back.

    Attributes
    ----------
    counts
        One an area; NaN where the scores leave it open.
    mean, spread
        Mean and standard deviation of all counts, as found.
    """

    counts: Floats
    mean: float
    spread: float


def attack_scores(
    table: Table,
    geometry: Mapping[str, shapely.Geometry],
    declaration: Mapping[str, Any] | None,
    *,
    rules: Rules | None = None,
) -> list[Breach]:
    """
    Invert the scores of a table with the published shapes.

    Parameters
    ----------
    table
        With `area_code`, perhaps `period` and `category`, and scores.
    geometry
        Area code -> shape.
    declaration
        What the file says of itself.
    rules
        What it is held to; by default by its declaration.

    Returns
    -------
    breaches
        One for each column of scores that gives counts back which the file
        does not show.
    """
    held = rules or judge_by(declaration, None)[0]
    frame = table.frame
    if not held.protects or "area_code" not in frame or not frame.columns.is_unique:
        return []
    found: list[Breach] = []
    for column in frame.columns:
        kind = _kind(str(column))
        if kind:
            found += _attack_column(table, str(column), kind, geometry, held)
    return found


def invert_gi(
    scores: Floats, adjacency: NDArray[np.bool_], *, shown: Floats | None = None
) -> Inverted | None:
    """
    Get counts back from Gi* with binary weights, each area among its own neighbours.

    Parameters
    ----------
    scores
        Gi* of every area, rounded or not; NaN where it is not told.
    adjacency
        Which areas are neighbours.
    shown
        Counts that are known, perhaps rounded; NaN where they are not. They
        tell how much must be added to all counts alike, which the scores do
        not. Without them the smallest count is taken to be zero.

    Returns
    -------
    inverted
        None where no counts explain the scores.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> y = rng.poisson(3, 49)
    >>> x = np.arange(49) % 7
    >>> down = np.arange(49) // 7
    >>> near = np.maximum(abs(x[:, None] - x), abs(down[:, None] - down)) == 1
    >>> members = near.sum(axis=1) + 1
    >>> spread = np.sqrt(members * (49 - members) / 48) * y.std()
    >>> gi = (near @ y + y - members * y.mean()) / spread
    >>> inverted = invert_gi(gi.round(2), near)
    >>> bool((inverted.counts == y - y.min()).all())
    True
    """
    weights = adjacency.astype(np.float64)
    np.fill_diagonal(weights, 1.0)
    members, size = weights.sum(axis=1), len(weights)
    factor = np.sqrt(members * (size - members) / (size - 1))
    return _invert(scores, weights, members, factor, shown)


def invert_z(scores: Floats, *, shown: Floats | None = None) -> Inverted | None:
    """
    Get counts back from z-scores: (count - mean) / standard deviation.

    Parameters
    ----------
    scores
        One an area; NaN where it is not told.
    shown
        As for `invert_gi`.

    Returns
    -------
    inverted
        None where no counts explain the scores.

    Examples
    --------
    >>> y = np.random.default_rng(1).poisson(4, 40)
    >>> z = ((y - y.mean()) / y.std()).round(2)
    >>> bool((invert_z(z).counts == y - y.min()).all())
    True
    """
    ones = np.ones(len(scores))
    told = np.unique(scores[np.isfinite(scores)])
    gaps = np.unique(np.diff(told))[:_GAPS]
    guesses = [float(1 / gap) for gap in gaps[::-1] if gap > 0]
    return _invert(scores, np.eye(len(scores)), ones, ones, shown, guesses=guesses)


def invert_lq(quotients: Floats, wholes: Floats) -> Inverted | None:
    """
    Get counts back from location quotients and what they are shares of.

    Parameters
    ----------
    quotients
        (count / whole) / (all counts / all wholes) of each area.
    wholes
        Records of all categories, or residents, of each area.

    Returns
    -------
    inverted
        None where no counts explain the quotients.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> y, whole = rng.poisson(4, 60), rng.integers(80, 200, 60)
    >>> lq = ((y / whole) / (y.sum() / whole.sum())).round(2)
    >>> bool((invert_lq(lq, whole.astype(float)).counts == y).all())
    True
    """
    known = np.isfinite(quotients) & np.isfinite(wholes) & (wholes > 0)
    if known.sum() < _FEWEST_AREAS:
        return None
    half = _half_step(quotients[known])
    scaled = quotients[known] * wholes[known]
    for guess in [
        *_from_smallest(scaled),
        *_likely_scales(scaled, np.zeros(len(scaled)), half * wholes[known]),
    ]:
        share = guess
        for _ in range(3):
            whole = np.rint(share * scaled)
            share = float((scaled * whole).sum() / max(float((scaled**2).sum()), 1e-300))
        counts = np.rint(share * scaled)
        total = float(counts.sum() / wholes[known].sum())
        if not total > 0 or np.ptp(counts) == 0:
            continue
        again = counts / wholes[known] / total
        if (np.abs(again - quotients[known]) <= half * 1.01 + 1e-9).mean() >= _MATCHING:
            full = np.full(len(quotients), np.nan)
            full[known] = counts
            return Inverted(full, float(counts.mean()), float(counts.std()))
    return None


def _from_smallest(scaled: Floats) -> list[float]:
    """Return the factors that make the smallest numbers counts of 1, 2 or 3, smallest first."""
    least = np.sort(scaled[scaled > 0])[:_GAPS]
    return sorted(float(count / number) for number in least for count in (1, 2, 3))


def neighbours(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """
    Return which shapes touch: a border or a corner in common.

    Examples
    --------
    >>> squares = shapely.box([0, 1, 5], [0, 1, 5], [1, 2, 6], [1, 2, 6])
    >>> neighbours(squares).astype(int).tolist()
    [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    """
    touching = np.zeros((len(shapes), len(shapes)), dtype=np.bool_)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    touching[one, other] = touching[other, one] = True
    np.fill_diagonal(touching, False)
    return touching


def _kind(column: str) -> str | None:
    name = column.casefold().strip().replace(" ", "_")
    for kind, names in (("gi", GI), ("z", Z), ("lq", LQ)):
        if name in names:
            return kind
    return None


def _invert(
    scores: Floats,
    weights: Floats,
    members: Floats,
    factor: Floats,
    shown: Floats | None,
    *,
    guesses: Sequence[float] = (),
) -> Inverted | None:
    """Find the mean and spread at which every score is a whole number; solve for the counts."""
    known = np.isfinite(scores) & (factor > 0)
    if known.sum() < _FEWEST_AREAS or len(scores) > _MOST_AREAS:
        return None
    half = _half_step(scores[known])
    scaled, times = (scores * factor)[known], members[known]
    plain = len(weights) == int(weights.sum())
    backwards = weights[:, known] if plain else np.linalg.pinv(weights[known])
    told = np.abs(backwards @ weights[known] - np.eye(len(scores))).max(axis=1) < 1e-6
    if not told.any():
        return None
    for spread in [*guesses, *_likely_scales(scaled, times, half * factor[known])]:
        sums = _whole_sums(scaled, times, spread)
        exact = backwards @ sums
        counts = np.where(told, np.rint(exact), np.nan)
        if told.all() and not _explains(counts, scores, weights, factor, half):
            continue
        if not told.all() and np.abs(exact - counts)[told].max(initial=0.0) > 0.2:
            continue
        counts = _placed(counts, shown)
        return Inverted(counts, float(np.nanmean(counts)), float(np.nanstd(counts)))
    return None


def _half_step(scores: Floats) -> float:
    """Return half of the last decimal that is written."""
    for decimals in range(7):
        if np.allclose(np.round(scores, decimals), scores, rtol=0, atol=1e-9):
            return 0.5 * 10.0**-decimals
    return 1e-7


def _likely_scales(scaled: Floats, times: Floats, blur: Floats) -> list[float]:
    """
    Return the factors at which the numbers come nearest to whole ones, smallest first.

    `times` says how often an unknown number common to all is added to each.
    Points on a circle tell: where all numbers are whole but for that, their
    angles agree.
    """
    near = np.argsort(np.abs(scaled), kind="stable")[:: max(len(scaled) // _SAMPLE, 1)]
    scaled, times = scaled[near], times[near]
    reach = float(np.abs(scaled).max())
    if reach <= 0:
        return []
    step = 0.08 / reach
    largest = min(0.35 / max(float(np.median(blur)), 1e-12), _LARGEST)
    tried = np.arange(step, min(largest, step * _STEPS), step)
    score = _agreement(scaled, times, tried)
    fallen = np.flatnonzero(score < _SEEN)
    if not len(fallen):
        return []
    first = int(fallen[0])
    later = score[first:]
    tops = np.flatnonzero(
        (later[1:-1] >= later[:-2]) & (later[1:-1] >= later[2:]) & (later[1:-1] > _SEEN)
    )
    if not len(tops):
        return []
    heights = later[tops + 1]
    # the true factor's multiples fit as well: the smallest is tried first
    good = tops[heights >= 0.85 * heights.max()]
    rest = tops[np.argsort(-heights)][:20]
    order = sorted({*good.tolist()[:30], *rest.tolist()})
    return [_sharpened(scaled, times, float(tried[first + 1 + top]), step) for top in order]


def _agreement(scaled: Floats, times: Floats, tried: Floats) -> Floats:
    """Return for each factor how well the angles agree, from 0 to 1, at the best offset."""
    groups = np.unique(times)
    offsets = np.arange(_OFFSETS) / _OFFSETS
    turn = np.exp(2j * np.pi * offsets[:, None] * groups) if groups.any() else np.ones((1, 1))
    best = []
    block = max(_BLOCK // len(scaled), 1)
    for start in range(0, len(tried), block):
        angles = np.exp(2j * np.pi * tried[start : start + block, None] * scaled)
        grouped = np.stack([angles[:, times == group].sum(axis=1) for group in groups])
        best.append(np.abs(turn @ grouped).max(axis=0))
    return np.concatenate(best) / len(scaled) if best else np.zeros(0)


def _sharpened(scaled: Floats, times: Floats, scale: float, step: float) -> float:
    near = scale + step * np.linspace(-1, 1, 81)
    return float(near[int(np.argmax(_agreement(scaled, times, near)))])


def _whole_sums(scaled: Floats, times: Floats, spread: float) -> Floats:
    """Round to whole sums, settling the spread and the offset by regression."""
    offsets = np.arange(2 * _OFFSETS) / (2 * _OFFSETS)
    turned = spread * scaled[None] + offsets[:, None] * times
    offset = float(offsets[int(np.argmin(np.abs(turned - np.rint(turned)).mean(axis=1)))])
    both = np.column_stack([scaled, times])
    for _ in range(6):
        sums = np.rint(spread * scaled + offset * times)
        (spread, offset), *_ = np.linalg.lstsq(both, sums, rcond=None)
    whole: Floats = np.rint(spread * scaled + offset * times)
    return whole


def _explains(counts: Floats, scores: Floats, weights: Floats, factor: Floats, half: float) -> bool:
    """Work the scores out again from the counts, and compare."""
    spread = counts.std()
    if not spread > 0:
        return False
    members = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        again = (weights @ counts - members * counts.mean()) / (spread * factor)
        # a z-score may be worked out with n - 1
        other = again * np.sqrt((len(counts) - 1) / len(counts))
    known = np.isfinite(scores)
    return any(
        bool((np.abs(one - scores)[known] <= half * 1.01 + 1e-9).mean() >= _MATCHING)
        for one in (again, other)
    )


def _placed(counts: Floats, shown: Floats | None) -> Floats:
    """
    Settle what the scores leave open: a number added to all counts, or a factor of all.

    Without counts that are shown the smallest is taken to be zero, and the
    factor to be one.
    """
    if shown is not None:
        both = np.isfinite(counts) & np.isfinite(shown)
        if both.sum() >= _FEWEST_SHOWN and np.ptp(counts[both]) > 0:
            slope = float(np.polyfit(counts[both], shown[both], 1)[0])
            times = max(float(np.rint(slope)), 1.0)
            return times * counts + float(np.rint(np.mean((shown - times * counts)[both])))
    return counts - (np.nanmin(counts) if np.isfinite(counts).any() else 0.0)


def _attack_column(
    table: Table, column: str, kind: str, geometry: Mapping[str, shapely.Geometry], rules: Rules
) -> Iterator[Breach]:
    frame = table.frame
    keys = [key for key in _KEYS if key in frame]
    back, small, lines, cells = 0, 0, [], 0
    groups = frame.groupby(keys, sort=False) if keys else [((), frame)]
    for _, rows in itertools.islice(groups, _MOST_GROUPS):
        found = _inverted(rows, column, kind, geometry)
        if found is None:
            continue
        news = _unshown(rows, found.counts)
        back += int(news.sum())
        cells += int(np.isfinite(found.counts).sum())
        low = news & (found.counts >= rules.smallest_hidden) & (found.counts < rules.threshold)
        small += int(low.sum())
        lines += _lines(rows, column, found, low if low.any() else news)
    if back:
        what = (
            f"{number_of(back, 'count')} that the file does not show from {column!r}, "
            f"{small:,} of them under {rules.threshold}; {cells:,} counts come back in all"
        )
        yield Breach(table.where, what, "; ".join(lines[:_EXAMPLES]), attack="scores")


def _inverted(
    rows: pd.DataFrame, column: str, kind: str, geometry: Mapping[str, shapely.Geometry]
) -> Inverted | None:
    scores = numbers_of(rows[column])
    shown = numbers_of(rows["count"]) if "count" in rows else None
    if kind == "z":
        return invert_z(scores, shown=shown)
    if kind == "lq":
        whole = next((name for name in _WHOLES if name in rows), None)
        return None if whole is None else invert_lq(scores, numbers_of(rows[whole]))
    codes = rows["area_code"].astype(str)
    if not codes.is_unique or not codes.isin(list(geometry)).all() or len(rows) > _MOST_AREAS:
        return None
    shapes = np.array([geometry[code] for code in codes], dtype=object)
    return invert_gi(scores, neighbours(shapes), shown=shown)


def _unshown(rows: pd.DataFrame, counts: Floats) -> NDArray[np.bool_]:
    """Return which counts came back that do not stand in the file."""
    known: NDArray[np.bool_] = np.isfinite(counts)
    if "count" not in rows:
        return known
    given = numbers_of(rows["count"])
    differs: NDArray[np.bool_] = known & ~(given == counts)
    return differs


def _lines(
    rows: pd.DataFrame, column: str, found: Inverted, chosen: NDArray[np.bool_]
) -> list[str]:
    names = cell_names(rows, chosen)
    scores = numbers_of(rows[column])[chosen]
    return [
        f"{name} = {count:.0f}, for {column} {score:g} with mean {found.mean:.2f} and standard "
        f"deviation {found.spread:.2f}"
        for name, count, score in zip(names, found.counts[chosen], scores, strict=False)
    ]
