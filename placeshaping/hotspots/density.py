"""
Kernel density: records per square kilometre, smooth over the National Grid.

Each event is spread by a kernel; what would fall outside the study area is
given back inside. The numbers are for the analyst's desk: of a density the
points come back. What may leave is made of it by
`disclosure.surfaces.mask_surface`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from placeshaping._core.checks import check_choice
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import InputError, UnmatchedError
from placeshaping._core.words import in_plural
from placeshaping.hotspots._event_points import event_points
from placeshaping.hotspots._smoothing import (
    REACH,
    Kernel,
    Smoother,
    binned,
    binning_error,
    exact_mass,
    exact_sum,
    read_at,
)
from placeshaping.hotspots.bandwidth import (
    RULES,
    Rule,
    check_events,
    choose_bandwidth,
    event_weights,
)
from placeshaping.hotspots.surface import (
    Cells,
    Floats,
    Surface,
    cells_inside,
    cells_over,
    study_area,
)

Edge = Literal["diggle", "uniform"]
Within: TypeAlias = gpd.GeoDataFrame | BaseGeometry | Surface

_log = logging.getLogger(__name__)

UNIT = "records per square kilometre"

SIDES = (10, 20, 25, 50, 100, 125, 250, 500, 1000, 2000)
"""Sides of cells that are chosen from, metres."""

_M2 = 1e6
_AFFORDABLE = {"quartic": 2e8, "gaussian": 4e9}
_COARSE = 3.0
_FEW = 50
_SHARED = 0.5


def kernel_density(
    events: pd.DataFrame,
    *,
    bandwidth: float | Rule = "likelihood",
    cell: float | None = None,
    kernel: Kernel = "quartic",
    weights: str | None = None,
    within: Within | None = None,
    outside: Literal["raise", "drop"] = "raise",
    edge: Edge | None = "diggle",
    exact: bool | None = None,
) -> Surface:
    """
    Work out the density of events at the centre of each cell.

    Parameters
    ----------
    events
        Points in EPSG:27700, or columns ``easting`` and ``northing``.
    bandwidth
        Metres, the radius of a quartic kernel or the standard deviation of a
        Gaussian one; or a rule of `choose_bandwidth`.
    cell
        Side of a cell, metres; None: see `choose_cell`. The corners of cells
        are multiples of it.
    kernel
        ``"quartic"`` or ``"gaussian"``.
    weights
        Column of the weights of events.
    within
        The study area: polygons in EPSG:27700, or an earlier surface, whose
        cells are then taken. None: the extent of the events and what the
        kernels reach, with no edge to correct.
    outside
        Whether to refuse or to leave out events outside the study area.
    edge
        What falls outside is given back: ``"diggle"`` (1985) by each event,
        so that the whole is the number of events; ``"uniform"`` (Berman and
        Diggle 1989) in each cell, unbiased where the density is even; None:
        it is lost.
    exact
        Whether kernels are added up one by one, or events are shared among
        the four centres around them first and summed by Fourier transform: a
        cell is then off by at most (cell / bandwidth)² (a quarter of it for a
        Gaussian) of one event's peak, for each event in reach. None: exact up
        to 200 million terms for a quartic kernel, 4 billion for a Gaussian.

    Returns
    -------
    surface
        Densities per square kilometre, missing outside the study area.

    Raises
    ------
    EmptyError
        If there are fewer than ten events, or the study area is empty.
    InputError
        If all events stand at one place, the bandwidth is below the cell, or
        an option is none.
    UnmatchedError
        If events lie outside the study area and `outside` is ``"raise"``.
    CRSError, ColumnError
        If coordinates are degrees, or columns are missing.

    Examples
    --------
    >>> spots = np.random.default_rng(1).normal([450_000, 300_000], 1_000, (64, 2))
    >>> events = pd.DataFrame(spots, columns=["easting", "northing"])
    >>> surface = kernel_density(events, bandwidth=800, cell=100)
    >>> surface
    <Surface: 60 x 70 cells of 100 m, records per square kilometre, quartic 800 m>
    >>> round(surface.total, 1), round(float(surface.values.max()), 1)
    (64.0, 15.4)
    """
    check_choice(kernel, ("quartic", "gaussian"), name="kernel")
    check_choice(edge, ("diggle", "uniform", None), name="edge")
    check_choice(outside, ("raise", "drop"), name="outside")
    if isinstance(events, gpd.GeoDataFrame):
        check_on_grid(events.crs, where="events")
    xy, heavy = event_points(events), event_weights(events, weights)
    kept = _inside(xy, within, outside)
    xy, heavy, lost = xy[kept], heavy[kept], int((~kept).sum())
    check_events(xy)
    width = _bandwidth(events[kept], bandwidth, kernel, weights)
    cells, inside = _ground(xy, within, cell, width, kernel)
    if exact is None:
        exact = _terms(len(xy), cells, width, kernel) <= _AFFORDABLE[kernel]
    corrected = None if within is None else edge
    density = _density(xy, heavy, cells, inside, width, kernel, corrected, exact)
    values = np.where(inside, density * _M2, np.nan)
    cautions = tuple(_cautions(xy, width, cells.side, lost))
    for caution in cautions:
        _log.warning("%s", caution)
    method = _method(len(xy), width, bandwidth, cells, kernel, corrected, exact)
    return Surface(values, cells, UNIT, kernel, width, method, cautions)


def describe_density(surface: Surface, *, what: str = "records") -> str:
    """
    Say in one paragraph, for people who are not statisticians, how concentrated a density is.

    Parameters
    ----------
    surface
        From `kernel_density`.
    what
        The events, in words.

    Returns
    -------
    paragraph
        With the smallest share of the area that holds half of the events.

    Examples
    --------
    >>> spots = np.random.default_rng(1).normal([450_000, 300_000], 1_000, (64, 2))
    >>> events = pd.DataFrame(spots, columns=["easting", "northing"])
    >>> describe_density(kernel_density(events, bandwidth=800, cell=100))
    'Half of 64 records lie in 7% of the area (3.1 km² of 42.0), as smoothed over 800 m. ...'
    """
    if not isinstance(surface, Surface):
        msg = f"surface is a {type(surface).__name__}. Give what kernel_density returns."
        raise InputError(msg)
    known = np.sort(surface.values[np.isfinite(surface.values)])[::-1]
    half = int(np.searchsorted(np.cumsum(known), known.sum() / 2)) + 1
    size = surface.cell**2 / _M2
    return (
        f"Half of {surface.total:,.0f} {in_plural(what)} lie in {half / len(known):.0%} of the "
        f"area ({half * size:,.1f} km² of {len(known) * size:,.1f}), as smoothed over "
        f"{surface.bandwidth:,.0f} m. The densest cell has {known[0]:,.1f} per square kilometre, "
        f"the whole {surface.total / (len(known) * size):,.1f}. Where many people live, work or "
        "pass, many records are no surprise: compare with the population before calling a place "
        "a hot spot."
    )


def choose_cell(bandwidth: float) -> int:
    """
    Choose the side of cells: the largest round one of at most a fifth of the bandwidth.

    Parameters
    ----------
    bandwidth
        Metres.

    Returns
    -------
    cell
        One of `SIDES`, metres.

    Examples
    --------
    >>> choose_cell(640)
    125
    """
    fit = [side for side in SIDES if side <= bandwidth / 5]
    return fit[-1] if fit else SIDES[0]


def _inside(xy: Floats, within: Within | None, outside: str) -> NDArray[np.bool_]:
    """Tell which events lie in the study area; refuse others unless they are to be dropped."""
    if within is None:
        return np.ones(len(xy), dtype=np.bool_)
    if isinstance(within, Surface):
        row, column = within.cells.holding(xy)
        rows, columns = within.cells.shape
        inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        inside[inside] = np.isfinite(within.values[row[inside], column[inside]])
    else:
        inside = np.asarray(shapely.intersects_xy(study_area(within), xy[:, 0], xy[:, 1]))
    lost = int((~inside).sum())
    if lost and outside == "raise":
        msg = (
            f"{lost:,} of {len(xy):,} events lie outside the study area. Check the CRS, or pass "
            "outside='drop' to leave them out."
        )
        raise UnmatchedError(msg)
    return inside


def _bandwidth(
    events: pd.DataFrame, given: float | str, kernel: Kernel, weights: str | None
) -> float:
    if isinstance(given, str):
        check_choice(given, RULES, name="bandwidth")
        return choose_bandwidth(events, rule=given, kernel=kernel, weights=weights)  # type: ignore[arg-type]
    if not (np.isfinite(given) and given > 0):
        msg = f"bandwidth is {given}; give metres above zero, or a rule: {', '.join(RULES)}."
        raise InputError(msg)
    return float(given)


def _ground(
    xy: Floats, within: Within | None, cell: float | None, bandwidth: float, kernel: Kernel
) -> tuple[Cells, NDArray[np.bool_]]:
    """Return the cells, and which of them belong to the study area."""
    if isinstance(within, Surface):
        if cell is not None and cell != within.cell:
            msg = f"cell is {cell} m, but the surface given has cells of {within.cell:g} m."
            raise InputError(msg)
        _check_side(within.cell, bandwidth)
        return within.cells, np.isfinite(within.values)
    side = choose_cell(bandwidth) if cell is None else cell
    if cell is None:
        _log.info("Cells of %s m for a bandwidth of %s m.", side, f"{bandwidth:,.0f}")
    if within is None:
        bounds, margin = (*xy.min(axis=0), *xy.max(axis=0)), REACH[kernel] * bandwidth
        cells = cells_over(bounds, side, margin=margin)
        _check_side(cells.side, bandwidth)
        return cells, np.ones(cells.shape, dtype=np.bool_)
    shape = study_area(within)
    cells = cells_over(shape.bounds, side, margin=0)
    _check_side(cells.side, bandwidth)
    return cells, cells_inside(shape, cells, xy)


def _check_side(side: float, bandwidth: float) -> None:
    if bandwidth < side:
        msg = (
            f"The bandwidth ({bandwidth:,.0f} m) is below the cell ({side:g} m): nothing would be "
            f"smoothed. Take cells of {choose_cell(bandwidth)} m, or a larger bandwidth."
        )
        raise InputError(msg)


def _terms(events: int, cells: Cells, bandwidth: float, kernel: Kernel) -> float:
    """Return how many terms an exact sum has."""
    if kernel == "gaussian":
        return float(events) * cells.rows * cells.columns
    return float(events * np.pi * (bandwidth / cells.side) ** 2)


def _density(
    xy: Floats,
    weights: Floats,
    cells: Cells,
    inside: NDArray[np.bool_],
    bandwidth: float,
    kernel: Kernel,
    edge: str | None,
    exact: bool,
) -> Floats:
    """Return events per square metre."""
    shape, core = (cells.rows + 2, cells.columns + 2), np.s_[1:-1, 1:-1]
    smooth = None
    if not exact or edge == "uniform":
        smooth = Smoother(shape, cells.side, bandwidth, kernel)
    mass = np.ones(shape)
    if edge is not None and smooth is not None:
        mass = smooth(np.pad(inside, 1).astype(np.float64)) * cells.side**2
    if edge == "diggle":
        own = (
            exact_mass(xy, inside, cells, bandwidth, kernel) if exact else read_at(mass, xy, cells)
        )
        weights = weights / own
    if exact or smooth is None:
        density = exact_sum(xy, weights, cells, bandwidth, kernel)
    else:
        density = smooth(binned(xy, weights, cells))[core]
    if edge == "uniform":
        density = np.divide(density, mass[core], out=np.zeros(cells.shape), where=inside)
    return density


def _method(
    events: int,
    bandwidth: float,
    rule: float | str,
    cells: Cells,
    kernel: str,
    edge: str | None,
    exact: bool,
) -> str:
    by = f" by the rule {rule!r}" if isinstance(rule, str) else ""
    error = binning_error(bandwidth, cells.side, "gaussian" if kernel == "gaussian" else "quartic")
    how = (
        "summed exactly"
        if exact
        else f"binned, each event off by at most {error:.2%} of its peak in a cell"
    )
    border = {
        "diggle": "edge correction of Diggle (1985)",
        "uniform": "uniform edge correction",
        None: "no edge correction",
    }
    return (
        f"Kernel density of {events:,} events: {kernel} kernel, bandwidth {bandwidth:,.0f} m{by}, "
        f"cells of {cells.side:g} m, {border[edge]}, {how}."
    )


def _cautions(xy: Floats, bandwidth: float, side: float, lost: int) -> Iterator[str]:
    """Say what a reader must know of the surface."""
    if lost:
        yield f"{lost:,} of {lost + len(xy):,} events lie outside the study area and are left out."
    if len(xy) < _FEW:
        yield f"Only {len(xy)} events: with fewer than {_FEW} single events are seen as hot spots."
    if bandwidth < _COARSE * side:
        yield (
            f"The bandwidth ({bandwidth:,.0f} m) is under {_COARSE:g} cells of {side:g} m: between "
            "centres the surface may be higher. Take smaller cells."
        )
    places, together, most = _sharing(xy)
    if together > _SHARED * len(xy):
        yield (
            f"{together:,} of {len(xy):,} events share their coordinates with another "
            f"({places:,} places, up to {most:,} at one): where records are moved to published "
            "points, a peak may be such a point and not a place."
        )


def _sharing(xy: Floats) -> tuple[int, int, int]:
    """Return how many places there are, how many events share one, and the most at one."""
    bits = np.ascontiguousarray(xy).view(np.uint64)
    mixed = np.sort(bits[:, 0] * np.uint64(0x9E3779B97F4A7C15) + bits[:, 1])
    ends = np.flatnonzero(np.append(mixed[1:] != mixed[:-1], True))
    number = np.diff(ends, prepend=-1)
    return len(number), int(number[number > 1].sum()), int(number.max())
