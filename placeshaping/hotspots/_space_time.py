"""Pairs of events close in space: found once, counted by time, permuted, left out by blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.errors import InputError
from placeshaping._core.progress import track
from placeshaping.hotspots._close_pairs import (
    LANES,
    count_close,
    count_permuted,
    count_seen,
    fill_close,
)

Metric = Literal["euclidean", "manhattan"]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

BLOCKS = 20
"""Parts of the study area, with as many events each, that are left out in turn."""

MANY_PAIRS = 1_000_000_000
"""More are not kept; each takes four bytes."""

_MANY_BLOCKS = 8  # of replicates, before the progress bar moves on


@dataclass(frozen=True)
class ClosePairs:
    """
    Pairs of events close in space.

    Attributes
    ----------
    order
        Events as they are numbered here: by the cells of a grid.
    starts, others
        The pairs; see `_close_pairs`.
    """

    order: NDArray[np.intp]
    starts: Whole
    others: NDArray[np.uint32]

    @property
    def per_band(self) -> Whole:
        """Number of pairs in each distance band."""
        found: Whole = self.starts[:, -1] - self.starts[:, 0]
        return found


def find_close(
    xy: Floats,
    days: Whole,
    edges: Floats,
    *,
    same_place: bool,
    metric: Metric,
    most: int = MANY_PAIRS,
) -> ClosePairs:
    """
    Find the pairs of events in each half-open distance band.

    Parameters
    ----------
    xy
        Metres.
    days
        Of the events; they order those of one place, so that rows may come in any order.
    edges
        Of the bands, rising.
    same_place
        Whether a distance of 0 m is a band of its own, before the others.
    metric
        How distance is measured.
    most
        Pairs that are kept.

    Raises
    ------
    InputError
        If there are more.
    """
    side = edges[-1] * (1 + 1e-9)  # so that rounding never puts a close pair two cells apart
    cell = np.floor((xy - xy.min(axis=0)) / side).astype(np.int64)
    width = int(cell[:, 0].max()) + 3  # a column free on each side keeps rows apart
    keys = cell[:, 1] * width + cell[:, 0] + 1
    order = np.lexsort((days, xy[:, 0], xy[:, 1], keys))
    x, y = (np.ascontiguousarray(xy[order, axis]) for axis in (0, 1))
    sorted_keys = keys[order]
    manhattan = metric == "manhattan"
    counts = count_close(x, y, sorted_keys, width, edges, same_place, manhattan)
    before = np.concatenate([[0], np.cumsum(counts.ravel())])
    if before[-1] > most:
        msg = (
            f"{before[-1]:,} pairs of events are within {edges[-1]:g} m: too many to keep. Take "
            "smaller distances, a shorter period or a part of the area."
        )
        raise InputError(msg)
    bands, events = counts.shape
    first = np.arange(bands)[:, None] * events + np.arange(events + 1)
    starts = before[first]
    others = np.empty(before[-1], dtype=np.uint32)
    fill_close(x, y, sorted_keys, width, edges, same_place, manhattan, starts, others)
    return ClosePairs(order, starts, others)


def time_pairs(days: Whole, edges: Whole) -> Whole:
    """
    Count all pairs of events, close in space or not, in each half-open band of days.

    Worked out from the number of events of each day, so it takes no pairs.

    Parameters
    ----------
    days
        From 0 on.
    edges
        Of the bands, rising.
    """
    daily = np.bincount(days)
    counted = np.zeros(len(edges) - 1, dtype=np.int64)
    for band in range(len(counted)):
        for lag in range(edges[band], min(edges[band + 1], len(daily))):
            same = int(daily @ daily - daily.sum()) // 2
            counted[band] += same if lag == 0 else int(daily[lag:] @ daily[:-lag])
    return counted


def expected_pairs(space: Whole, time: Whole, events: int) -> Floats:
    """
    Return the mean number of pairs in each cell over all permutations of the dates.

    Exact, not simulated: each pair of places is as likely as any other to get
    each pair of dates.
    """
    return np.asarray(np.outer(space, time) / (events * (events - 1) / 2))


def permuted_tails(
    pairs: ClosePairs, days: Whole, edges: Whole, seen: Whole, *, permutations: int, seed: int
) -> tuple[Whole, Whole]:
    """
    Count the permutations with at least, and at most, as many pairs as seen.

    Parameters
    ----------
    pairs
        Close in space.
    days
        Of the events, in their own order, from 0 on.
    edges
        Of the bands of days.
    seen
        Pairs in each distance band (rows) and band of days.
    permutations
        How many.
    seed
        Every replicate has its own from it, whatever the number of threads.
    """
    blocks = -(-permutations // LANES)
    seeds = np.random.SeedSequence(seed).generate_state(blocks * LANES, np.uint64)
    seeds = seeds.astype(np.uint64).reshape(blocks, LANES)
    short, limits = days[pairs.order].astype(np.int16), edges.astype(np.int16)
    above, below = np.zeros_like(seen), np.zeros_like(seen)
    steps = range(0, blocks, _MANY_BLOCKS)
    for start in track(steps, label="Permuting dates"):
        under = count_permuted(
            short, pairs.starts, pairs.others, limits, seeds[start : start + _MANY_BLOCKS]
        )
        drawn = np.diff(under, axis=2).transpose(0, 3, 1, 2).reshape(-1, *seen.shape)
        drawn = drawn[: permutations - start * LANES]
        above += (drawn >= seen).sum(axis=0)
        below += (drawn <= seen).sum(axis=0)
    return above, below


def seen_pairs(
    pairs: ClosePairs, days: Whole, edges: Whole, *, blocks: int = BLOCKS
) -> tuple[Whole, Whole, Whole]:
    """
    Count the pairs in each cell, and those that each block of the study area has a part in.

    Parameters
    ----------
    pairs
        Close in space.
    days
        Of the events, in their own order, from 0 on.
    edges
        Of the bands of days.
    blocks
        How many.

    Returns
    -------
    seen, touched, block
        Pairs by distance and days; the same for each block, with one more
        column for the pairs of any days; the block of each event, as
        `pairs.order` has them.
    """
    events = len(days)
    block = np.arange(events, dtype=np.int64) * blocks // events
    short, limits = days[pairs.order].astype(np.int16), edges.astype(np.int16)
    seen, touched = count_seen(short, pairs.starts, pairs.others, limits, block, blocks)
    return seen[:, :-1], touched, block


def ratio_limits(
    pairs: ClosePairs,
    days: Whole,
    edges: Whole,
    seen: Whole,
    touched: Whole,
    block: Whole,
    *,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """
    Return limits of observed over expected, blocks of the study area left out in turn.

    The jackknife (Efron and Tibshirani 1993, chapter 11) on the logarithm,
    never narrower than independent pairs would have it: those at one place
    share their events. Where no pair was seen, the upper limit is Poisson's.
    """
    blocks, events = len(touched), len(days)
    space, time = pairs.per_band, time_pairs(days, edges)
    expected = expected_pairs(space, time, events)
    ordered = days[pairs.order]
    logs = np.full((blocks, *seen.shape), np.nan)
    for left_out in range(blocks):
        kept = ordered[block != left_out]
        fewer = expected_pairs(space - touched[left_out, :, -1], time_pairs(kept, edges), len(kept))
        still = seen - touched[left_out, :, :-1]
        np.log(still / np.where(fewer > 0, fewer, np.nan), out=logs[left_out], where=still > 0)
    spread = (blocks - 1) / blocks * ((logs - logs.mean(axis=0)) ** 2).sum(axis=0)
    variance = np.fmax(spread, 1 / np.maximum(seen, 1))
    reach = np.exp(stats.t.ppf((1 + level) / 2, blocks - 1) * np.sqrt(variance))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = seen / expected
        upper = np.where(seen > 0, ratio * reach, -np.log((1 - level) / 2) / expected)
        lower = np.where(seen > 0, ratio / reach, ratio)
    return lower, upper
