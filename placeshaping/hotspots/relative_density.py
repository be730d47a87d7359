"""
Dual kernel density: where cases are more, or fewer, than the population would have it.

The log ratio of two kernel densities with one bandwidth (Bithell 1990; Kelsall
and Diggle 1995), and tolerance contours around what chance does not explain
(Hazelton and Davies 2009). With one bandwidth the edge corrections of both
cancel out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Literal, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from placeshaping._core.checks import check_choice, check_whole
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import EmptyError, InputError, UnmatchedError
from placeshaping.hotspots._denominator import Denominator, is_areal, spread_over
from placeshaping.hotspots._event_points import event_points
from placeshaping.hotspots._smoothing import Kernel
from placeshaping.hotspots._tolerance import compare
from placeshaping.hotspots.bandwidth import (
    RULES,
    Rule,
    check_events,
    choose_bandwidth,
    event_weights,
)
from placeshaping.hotspots.comparison import RelativeDensity
from placeshaping.hotspots.density import choose_cell
from placeshaping.hotspots.surface import Cells, Floats, cells_inside, cells_over, study_area

Alternative = Literal["two-sided", "greater"]

_log = logging.getLogger(__name__)

LEAST = 5.0
"""Cells in which fewer effective cases are expected are not shown."""

_MASKED = 0.2


def relative_density(
    cases: pd.DataFrame,
    population: pd.DataFrame,
    *,
    people: str | None = None,
    bandwidth: float | Rule = "normal",
    cell: float | None = None,
    kernel: Kernel = "gaussian",
    within: gpd.GeoDataFrame | None = None,
    outside: Literal["raise", "drop"] = "raise",
    tolerance: Literal["permutation", "asymptotic"] = "permutation",
    permutations: int = 999,
    alternative: Alternative = "two-sided",
    least: float = LEAST,
    rng: int | np.random.Generator = 0,
) -> RelativeDensity:
    """
    Compare the density of cases with that of the population they come from.

    Parameters
    ----------
    cases
        Points in EPSG:27700, or columns ``easting`` and ``northing``.
    population
        Controls: points of the same kind as cases. With `people`: points
        (such as population-weighted centroids) or polygons, over whose cells
        the people are spread evenly.
    people
        Column of `population`, the people at each point or in each area. They
        are taken as known, controls as a sample.
    bandwidth
        Metres, or a rule of `choose_bandwidth`, applied to cases and controls
        together, or to the cases where the population is known.
    cell
        Side of a cell, metres; None: see `choose_cell`.
    kernel
        ``"gaussian"`` or ``"quartic"``.
    within
        The study area, in EPSG:27700. None: the areas of the population, or
        the extent of all points.
    outside
        Whether to refuse or to leave out cases and people outside it.
    tolerance
        ``"permutation"``: p-values by random labels (controls) or by cases
        drawn from the population; ``"asymptotic"``: normal, with the exact
        mean and variance of those draws.
    permutations
        How many.
    alternative
        ``"two-sided"``, or ``"greater"`` for more cases than chance.
    least
        Cells where fewer effective cases are expected are masked.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    comparison
        Ratio, p-values, and contours.

    Raises
    ------
    EmptyError
        If there are fewer than ten cases or controls, or no cell passes.
    InputError
        If the bandwidth is below the cell, all cases stand at one place, or an
        option is none.
    UnmatchedError
        If cases lie outside the study area and `outside` is ``"raise"``.
    CRSError, ColumnError
        If coordinates are degrees, or columns are missing.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> columns = ["easting", "northing"]
    >>> homes = pd.DataFrame(rng.uniform(400_000, 404_000, (400, 2)), columns=columns)
    >>> burgled = pd.DataFrame(rng.normal([403_000, 402_000], 300, (60, 2)), columns=columns)
    >>> burgled = pd.concat([burgled, homes[:60]])
    >>> found = relative_density(burgled, homes, bandwidth=400, cell=100, permutations=99)
    >>> found.contours()[["risk", "ratio"]].round(1).head(1)
         risk  ratio
    0  higher    5.7
    """
    _check(tolerance, alternative, permutations, kernel, outside, least)
    areal = is_areal(population)
    if areal and people is None:
        msg = "population holds areas: name the column of people in them (people=...)."
        raise InputError(msg)
    points, others = _points(cases, population, areal)
    weights = event_weights(population, people)
    shape = _outline(population if areal and within is None else within)
    points, kept, lost = _cut(points, others, shape, outside)
    check_events(points)
    others, weights = (None if others is None else others[kept]), weights[kept]
    width = _bandwidth(points, others if people is None else None, bandwidth, kernel)
    cells = _cells(points, others, shape, cell, width)
    denominator = _denominator(points, others, weights, population, people, cells)
    inside = np.ones(cells.shape, dtype=np.bool_)
    if shape is not None:
        inside = cells_inside(shape, cells, points)
    draws = permutations if tolerance == "permutation" else 0
    parts = compare(
        points, denominator, cells, inside, width, kernel, draws, alternative, least, rng
    )
    masked = float(np.isnan(parts["ratio"][inside]).mean())
    cautions = tuple(_cautions(population, areal, lost, masked, width, least))
    for caution in cautions:
        _log.warning("%s", caution)
    against = f"{len(others):,} controls" if people is None and others is not None else f"{people}"
    method = (
        f"Ratio of kernel densities (Kelsall and Diggle 1995) of {len(points):,} cases and "
        f"{against}: {kernel} kernel, bandwidth {width:,.0f} m, cells of {cells.side:g} m, "
        + (f"{draws:,} permutations" if draws else "asymptotic p-values")
        + f", {alternative}; masked under {least:g} expected cases."
    )
    return RelativeDensity(
        **parts, cells=cells, kernel=kernel, bandwidth=width, method=method, cautions=cautions
    )


def _check(
    tolerance: str, alternative: str, permutations: int, kernel: str, outside: str, least: float
) -> None:
    check_choice(tolerance, ("permutation", "asymptotic"), name="tolerance")
    check_choice(alternative, ("two-sided", "greater"), name="alternative")
    check_choice(kernel, ("quartic", "gaussian"), name="kernel")
    check_choice(outside, ("raise", "drop"), name="outside")
    check_whole(permutations, name="permutations")
    if not least > 0:
        msg = f"least is {least}; give expected cases above zero."
        raise InputError(msg)


def _points(
    cases: pd.DataFrame, population: pd.DataFrame, areal: bool
) -> tuple[Floats, Floats | None]:
    for table, name in ((cases, "cases"), (population, "population")):
        if isinstance(table, gpd.GeoDataFrame):
            check_on_grid(table.crs, where=name)
    points = event_points(cases, where="cases")
    return points, None if areal else event_points(population, where="population")


def _outline(within: pd.DataFrame | None) -> Any:
    return None if within is None else study_area(cast("gpd.GeoDataFrame", within))


def _cut(
    points: Floats, others: Floats | None, shape: Any, outside: str
) -> tuple[Floats, Any, int]:
    """Return the cases inside, which of the population are, and how many cases are not."""
    if shape is None:
        return points, slice(None), 0
    here = np.asarray(shapely.intersects_xy(shape, points[:, 0], points[:, 1]))
    lost = int((~here).sum())
    if lost and outside == "raise":
        msg = (
            f"{lost:,} of {len(points):,} cases lie outside the study area. Check the CRS, or pass "
            "outside='drop' to leave them out."
        )
        raise UnmatchedError(msg)
    kept: Any = slice(None)
    if others is not None:
        kept = np.asarray(shapely.intersects_xy(shape, others[:, 0], others[:, 1]))
    return points[here], kept, lost


def _bandwidth(
    points: Floats, controls: Floats | None, given: float | str, kernel: Kernel
) -> float:
    if not isinstance(given, str):
        if not (np.isfinite(given) and given > 0):
            msg = f"bandwidth is {given}; give metres above zero, or a rule: {', '.join(RULES)}."
            raise InputError(msg)
        return float(given)
    pooled = points if controls is None else np.concatenate([points, controls])
    table = pd.DataFrame(pooled, columns=["easting", "northing"])
    return choose_bandwidth(table, rule=cast("Rule", given), kernel=kernel)


def _cells(
    points: Floats, others: Floats | None, shape: Any, cell: float | None, bandwidth: float
) -> Cells:
    side = choose_cell(bandwidth) if cell is None else cell
    together = points if others is None else np.concatenate([points, others])
    bounds = (*together.min(axis=0), *together.max(axis=0)) if shape is None else shape.bounds
    cells = cells_over(bounds, side, margin=0)
    if bandwidth < cells.side:
        msg = (
            f"The bandwidth ({bandwidth:,.0f} m) is below the cell ({side:g} m). Take cells of "
            f"{choose_cell(bandwidth)} m, or a larger bandwidth."
        )
        raise InputError(msg)
    return cells


def _denominator(
    points: Floats,
    others: Floats | None,
    weights: Floats,
    population: pd.DataFrame,
    people: str | None,
    cells: Cells,
) -> Denominator:
    if others is None:
        return spread_over(cast("gpd.GeoDataFrame", population), weights, cells)
    if people is not None:
        return Denominator(others, weights, controls=False)
    if len(others) < len(points) / 20 or len(others) < 10:
        msg = f"{len(others):,} controls are too few for {len(points):,} cases."
        raise EmptyError(msg)
    pooled = np.concatenate([points, others])
    return Denominator(pooled, np.ones(len(pooled)), controls=True)


def _cautions(
    population: pd.DataFrame,
    areal: bool,
    lost: int,
    masked: float,
    bandwidth: float,
    least: float,
) -> Iterator[str]:
    """Say what a reader must know of the comparison."""
    if lost:
        lie = "case lies" if lost == 1 else "cases lie"
        yield f"{lost:,} {lie} outside the study area, left out."
    if masked > _MASKED:
        yield (
            f"{masked:.0%} of the study area is not shown: fewer than {least:g} cases are expected "
            "there within the kernel."
        )
    if areal:
        areas = cast("gpd.GeoDataFrame", population).area.to_numpy()
        radius = float(np.median(np.sqrt(areas / np.pi)))
        if radius > bandwidth:
            yield (
                f"Half of the areas reach farther ({radius:,.0f} m) than the bandwidth "
                f"({bandwidth:,.0f} m): people are spread evenly over them, which they are not. "
                "Take smaller areas or a larger bandwidth."
            )
