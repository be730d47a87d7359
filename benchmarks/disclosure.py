"""
Protecting a county and the country: time, memory, and what is hidden beyond the least.

Counts are random and skewed as recorded crime is: areas differ (negative
binomial), categories differ a hundredfold, and an area has its own mixture.
Each piece of work runs in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Result
from placeshaping.disclosure.audit import audit
from placeshaping.disclosure.cells import Cells, find_sums, make_cells, weights
from placeshaping.disclosure.differences import hide_by_bounds
from placeshaping.disclosure.optimum import least_weight, suppress_exactly
from placeshaping.disclosure.suppression import protect_cells, suppress_by_witnesses

SHARES = (32, 20, 10, 7, 6, 6, 5, 4, 3.5, 2.5, 1.5, 1, 1, 0.5)
"""Per cent of the records in each category, roughly as the police report them."""

A_YEAR = 100.0
"""Records in an area in a year."""

SIZES = (125, 500, 1000)

PROVED = (60, 125, 250)
"""Areas of the places that are rounded and proved by linear programmes."""

SMALL = ((5, 3, 1), (8, 5, 1), (10, 4, 1), (4, 3, 2), (5, 3, 2))
"""Areas, categories and periods of systems that are solved exactly."""

BOUNDED = 10
"""Areas of the place for which a bound from below is worked out by linear relaxation."""


def county(
    areas: int,
    *,
    periods: int,
    yearly: float,
    categories: int = len(SHARES),
    middle: float = 5.25,
    large: int = 125,
    **options: Any,
) -> Cells:
    """Draw a place of three levels, with totals over categories and periods."""
    rng = np.random.default_rng(areas)
    share = np.array(SHARES[:categories]) / sum(SHARES[:categories])
    mixture = share[:, None] * rng.gamma(3, 1 / 3, (categories, areas))
    mean = rng.gamma(1.2, 1 / 1.2, areas) * mixture * yearly
    counts = rng.poisson(mean, (periods, categories, areas))
    if categories > 1:
        counts = np.concatenate([counts.sum(axis=1, keepdims=True), counts], axis=1)
    if periods > 1:
        counts = np.concatenate([counts.sum(axis=0, keepdims=True), counts], axis=0)
    number = max(round(areas / middle), 1)
    inside = np.arange(areas) * number // areas
    largest = np.arange(number) // max(round(large / middle), 1)
    cubes = {"lsoa": counts, "msoa": _added(counts, inside)}
    cubes["district"] = _added(cubes["msoa"], largest)
    sums = find_sums(
        {name: cube.shape for name, cube in cubes.items()},
        periods_add_up=periods > 1,
        categories_add_up=categories > 1,
        parents=[
            ("lsoa", "msoa", inside),
            ("lsoa", "district", largest[inside]),
            ("msoa", "district", largest),
        ],
    )
    blocks = (largest[inside], largest, np.arange(largest[-1] + 1))
    block = [
        np.broadcast_to(number, cube.shape).ravel()
        for number, cube in zip(blocks, cubes.values(), strict=True)
    ]
    flat = np.concatenate([cube.ravel() for cube in cubes.values()])
    return make_cells(flat, sums, threshold=5, block=np.concatenate(block), **options)


def _added(counts: np.ndarray, inside: np.ndarray) -> np.ndarray:
    return np.add.reduceat(counts, np.flatnonzero(np.diff(inside, prepend=-1)), axis=-1)


def run(data: Path) -> Iterator[Result]:
    """Yield the rows as they are measured, the quick ones first."""
    del data  # nothing real is needed
    yield _beyond_the_least()
    yield _beyond_the_bound()
    yield _by_month()
    yield _rounded()
    yield _national()
    yield _suppressed()


def _suppressed() -> Result:
    taken = {areas: alone(areas, method="suppress", periods=3, yearly=A_YEAR) for areas in SIZES}
    largest, smallest = taken[SIZES[-1]], taken[SIZES[0]]
    small = county(SIZES[0], periods=3, yearly=A_YEAR)
    safe = not audit(small, protect_cells(small, method="suppress").hidden).narrow.any()
    growth = (largest["seconds"] / largest["cells"]) / (smallest["seconds"] / smallest["cells"])
    return Result(
        "disclosure_suppress",
        "1,000 LSOAs, 3 levels, 14 categories, 3 years and totals, shown exactly",
        largest["seconds"],
        limit=300,
        same_answer=safe,
        notes={
            **_notes(largest),
            **{f"{n} LSOAs": f"{t['seconds']:.1f} s" for n, t in taken.items()},
            "time a cell, largest over smallest": f"{growth:.2f}",
            "memory limit of 4 GB": "met" if largest["memory"] <= 4 else "NOT MET",
        },
    )


def _by_month() -> Result:
    taken = {
        areas: alone(areas, method="round", periods=36, yearly=A_YEAR / 12, rounding=5)
        for areas in SIZES
    }
    return Result(
        "disclosure_round_months",
        "1,000 LSOAs, 3 levels, 14 categories, 36 months and totals, rounded to 5",
        taken[SIZES[-1]]["seconds"],
        limit=30,
        notes={
            **_notes(taken[SIZES[-1]]),
            **{f"{n} LSOAs": f"{t['seconds']:.2f} s" for n, t in taken.items()},
        },
    )


def _rounded() -> Result:
    """Protect districts by year, small enough for linear programmes around each small count."""
    options = {"periods": 3, "yearly": A_YEAR, "rounding": 5}
    taken = {areas: alone(areas, method="round", **options) for areas in PROVED}
    return Result(
        "disclosure_round_years",
        "250 LSOAs, 3 levels, 14 categories, 3 years and totals, rounded to 5",
        taken[PROVED[-1]]["seconds"],
        limit=120,
        notes={
            **_notes(taken[PROVED[-1]]),
            **{f"{n} LSOAs": f"{t['seconds']:.1f} s" for n, t in taken.items()},
        },
    )


def _national() -> Result:
    taken = alone(35_672, method="round", periods=12, yearly=A_YEAR / 12, rounding=5, categories=1)
    return Result(
        "disclosure_round_national",
        "35,672 LSOAs, 3 levels, 1 category, 12 months and total, rounded to 5",
        taken["seconds"],
        limit=600,
        notes=_notes(taken),
    )


def _notes(taken: dict[str, Any]) -> dict[str, Any]:
    return {
        "cells": f"{taken['cells']:,}",
        "cells a second": f"{taken['cells'] / taken['seconds']:,.0f}",
        "primary": f"{taken['primary']:,}",
        "secondary": f"{taken['secondary']:,}",
        "memory": f"{taken['memory']:.2f} GB",
        "proved by": taken["how"],
    }


def alone(areas: int, **options: Any) -> dict[str, Any]:
    """Protect a place in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_protect, areas, options).result()


def _protect(areas: int, options: dict[str, Any]) -> dict[str, Any]:
    method = options.pop("method")
    protect_cells(county(12, periods=2, yearly=9.0, rounding=5), method="round")  # compiled
    cells = county(areas, **options)
    start = time.perf_counter()
    protection = protect_cells(cells, method=method)
    return {
        "seconds": time.perf_counter() - start,
        "cells": cells.size,
        "primary": protection.n_primary,
        "secondary": protection.n_secondary,
        "how": protection.audited,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def _beyond_the_bound() -> Result:
    """Compare it with a bound from below, on a small place with all its sums."""
    cells = county(BOUNDED, periods=3, yearly=A_YEAR)
    hidden = protect_cells(cells, method="suppress").hidden & ~cells.primary
    start = time.perf_counter()
    bound = least_weight(cells)
    return Result(
        "disclosure_beyond_bound",
        f"weight hidden for others' sake over its linear relaxation, {cells.size:,} cells",
        float(weights(cells)[hidden].sum()) / bound,
        unit="x",
        notes={
            "cells": f"{int(hidden.sum()):,} hidden beyond {int(cells.primary.sum()):,}",
            "lower bound": f"weight {bound:,.0f}, in {time.perf_counter() - start:.0f} s",
        },
    )


def _beyond_the_least() -> Result:
    """Compare what is hidden for others' sake with the proved least, on small systems."""
    weight = {"least": 0.0, "witnesses": 0.0, "bounds": 0.0}
    number = dict.fromkeys(weight, 0)
    solved = 0
    for areas, categories, periods in SMALL:
        cells = county(areas, periods=periods, yearly=60.0, categories=categories)
        least = suppress_exactly(cells)
        if least is None:
            continue
        solved += 1
        chosen = {
            "least": least,
            "witnesses": suppress_by_witnesses(cells),
            "bounds": hide_by_bounds(cells),
        }
        for name, hidden in chosen.items():
            weight[name] += float(weights(cells)[hidden & ~cells.primary].sum())
            number[name] += int((hidden & ~cells.primary).sum())
    notes = {name: f"{number[name]} cells, weight {weight[name]:,.0f}" for name in weight}
    return Result(
        "disclosure_beyond_least",
        f"weight hidden for others' sake over the proved least, {solved} small systems",
        weight["witnesses"] / weight["least"],
        unit="x",
        notes=notes,
    )
