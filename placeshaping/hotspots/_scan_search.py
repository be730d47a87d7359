"""The search of a scan: the best window of each centre, in the data and in simulations."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.progress import track
from placeshaping.hotspots._scan_kernels import scan_centres, scan_circles
from placeshaping.hotspots.scan_models import Model
from placeshaping.hotspots.scan_windows import Windows, window_lists

Floats = NDArray[np.float64]

FEWEST_CASES = 2
"""A cluster of high rates has at least so many cases, as in SaTScan."""


class Found(NamedTuple):
    """The best window of each centre."""

    ratio: Floats
    depth: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


Look = Callable[[NDArray[Any], float, bool], Found]


@dataclass(frozen=True)
class Search:
    """What is looked for."""

    model: Model
    xy: Floats
    side: int
    first_end: int
    longest: int
    max_share: float
    max_radius: float


def search_windows(
    search: Search, simulations: int, generator: np.random.Generator
) -> tuple[Found, Floats]:
    """Return the best window of each centre, and the highest ratio of each simulation."""
    seeds = generator.integers(0, 2**63, simulations)
    maxima = np.zeros(simulations)
    parts: list[Found] = []
    share = search.model.weight / search.model.weight.sum()
    options = {"max_share": search.max_share, "max_radius": search.max_radius}
    for windows in window_lists(search.xy, share, **options):
        look = _looker(search, windows)

        def highest(number: int, look: Look = look) -> float:
            drawn = search.model.draw(np.random.default_rng(seeds[number]))
            before = float(maxima[number])
            return max(before, float(look(drawn, before, False).ratio.max(initial=0)))

        parts.append(look(search.model.cases, 0.0, True))
        with ThreadPoolExecutor(numba.get_num_threads()) as pool:
            runs = pool.map(highest, range(simulations))
            maxima[:] = list(track(runs, label="Simulating", total=simulations))
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True))), maxima


def _looker(search: Search, windows: Windows) -> Look:
    """Return a search of these windows in any counts: above a floor, of each centre or of all."""
    model, side, fewest = search.model, search.side, float(FEWEST_CASES)
    baseline = _running(model.expected)

    def circles(counts: NDArray[Any], floor: float, each: bool) -> Found:
        ratio, depth = scan_circles(
            counts[:, 0].astype(float), baseline[:, 1].copy(),
            windows.order, windows.start, windows.closes,
            model.total, model.people, side, fewest, floor, each,
        )  # fmt: skip
        return Found(ratio, depth, np.zeros_like(depth), np.ones_like(depth))

    def stretches(counts: NDArray[Any], floor: float, each: bool) -> Found:
        found = scan_centres(
            _running(counts), baseline, windows.order, windows.start, windows.closes,
            model.total, model.people, side, fewest, search.first_end, search.longest, floor, each,
        )  # fmt: skip
        return Found(*found)

    return circles if model.cases.shape[1] == 1 else stretches


def _running(table: NDArray[Any]) -> Floats:
    """Return sums over time, from nothing to all."""
    sums = np.zeros((table.shape[0], table.shape[1] + 1))
    np.cumsum(table, axis=1, out=sums[:, 1:])
    return sums
