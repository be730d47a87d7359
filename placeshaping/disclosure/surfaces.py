"""
Surfaces that may leave: five classes at most, and nothing where few cases carry them.

A kernel density written as numbers gives its points back: 25 of 25 came back
from one of two significant figures. So no array of densities leaves. What does
is a class for each cell, between edges that were stated before, and only where
enough cases, none of them with more than half of the weight, stand behind it;
or a surface spread from area counts that are protected already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from numpy.typing import ArrayLike, NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter

from placeshaping._core.checks import check_columns
from placeshaping._core.crs import areas_to_grid
from placeshaping._core.errors import DisclosureError, EmptyError, InputError
from placeshaping.disclosure._support import Kernel, kernel_support
from placeshaping.disclosure.classes import (
    DENSITY_EDGES,
    assign_fixed,
    check_edges,
    class_labels,
)
from placeshaping.disclosure.own_policies import known_policy
from placeshaping.disclosure.policies import Policy
from placeshaping.hotspots.comparison import RelativeDensity

Transform = tuple[float, float, float, float, float, float]

LARGEST_SHARE = 0.5
"""The most that one place may carry of a cell's density."""

NODATA = 0
"""What stands in a cell that shows nothing."""

DENSITY_UNIT = "records per km² a year"

_ALIKE = 0.9
_MANY_CELLS = 50_000_000
_M2 = 1e6


@dataclass(frozen=True, repr=False)
class Raster:
    """
    A surface of classes, as it may leave.

    Attributes
    ----------
    name
        Of the layer.
    kind
        ``"kernel"``: from events, masked by support; ``"counts"``: spread from
        protected area counts.
    classes
        uint8, north at the top; 0 shows nothing, 1 is the lowest class. It
        cannot be written to.
    transform
        Six numbers as rasterio's `Affine` has them, EPSG:27700, metres.
    edges
        Inner edges of the classes.
    unit
        Of the edges.
    bandwidth
        Metres.
    least
        Effective cases that every cell shown rests on; 0 where it rests on
        area counts.
    facts
        What the masking cost: `cells`, `shown`.

    Raises
    ------
    DisclosureError
        If it holds more than five classes, or edges that may come from data.
    """

    name: str
    kind: Literal["kernel", "counts"]
    classes: NDArray[np.uint8]
    transform: Transform
    edges: tuple[float, ...]
    unit: str = DENSITY_UNIT
    bandwidth: float = 0.0
    least: int = 0
    facts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse more classes than there are labels; keep a copy that stays as it is."""
        edges = check_edges(self.edges)
        kept = np.array(self.classes)
        if kept.ndim != 2 or kept.dtype != np.uint8 or (kept > len(edges) + 1).any():
            msg = (
                f"A raster that leaves holds classes 0 to {len(edges) + 1} as uint8 in two "
                f"dimensions; this one is {kept.dtype} of shape {kept.shape}."
            )
            raise DisclosureError(msg)
        kept.flags.writeable = False
        object.__setattr__(self, "classes", kept)
        object.__setattr__(self, "edges", edges)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in words, lowest first."""
        return class_labels(self.edges, unit=self.unit)

    @property
    def cell(self) -> float:
        """Side of a cell, metres."""
        return float(self.transform[0])

    @property
    def declaration(self) -> dict[str, Any]:
        """What a file says of this surface, so that it can be checked."""
        return {
            "item": "raster",
            "kind": self.kind,
            "edges": list(self.edges),
            "unit": self.unit,
            "bandwidth": self.bandwidth,
            "cell": self.cell,
            "least": self.least,
            "nodata": NODATA,
        }

    @property
    def statement(self) -> tuple[str, ...]:
        """What a reader must know of this surface, in sentences."""
        shown, cells = int((self.classes > NODATA).sum()), self.classes.size
        basis = (
            f"A cell is shown only where at least {self.least} effective cases within "
            f"{self.bandwidth:,.0f} m stand behind it, none with more than half of the weight"
            if self.kind == "kernel"
            else "The surface is spread from area counts that are protected; areas that are "
            "hidden stay blank"
        )
        return (
            f"{basis}: {shown:,} of {cells:,} cells are shown.",
            f"{len(self.labels)} classes ({self.unit}) with edges stated beforehand; the "
            "densities themselves are not in the file.",
        )

    def __repr__(self) -> str:
        """Say in a line what it is."""
        rows, columns = self.classes.shape
        return f"<Raster {self.name!r}: {rows} x {columns} cells of {self.cell:g} m, {self.kind}>"


def mask_surface(
    values: ArrayLike,
    transform: Sequence[float],
    events: gpd.GeoDataFrame,
    *,
    bandwidth: float,
    policy: str | Policy,
    classes: Sequence[float] = DENSITY_EDGES,
    kernel: Kernel = "quartic",
    weights: str | None = None,
    unit: str = DENSITY_UNIT,
    name: str = "density",
) -> Raster:
    """
    Turn a kernel density into classes, and show nothing where too few cases carry it.

    A cell rests on n = (sum of w)² / (sum of w²) effective cases (Kish), w
    being the kernel weights of the places around it; records at one place
    (to 1 m) are one case with their weights together, for a repeat victim is
    one person. It is shown where n reaches the policy's threshold and no
    place has more than half of the weight (or the policy's dominance).

    Parameters
    ----------
    values
        Density of each cell, in `unit`, north at the top; missing as NaN.
    transform
        Six numbers (or an `Affine`) that place it: EPSG:27700, metres.
    events
        The points that the density was made of.
    bandwidth
        Metres: the radius of a quartic kernel, the standard deviation of a
        Gaussian one.
    policy
        Who the surface is for.
    classes
        Inner edges, at most four: round numbers on a scale stated beforehand.
    kernel
        The one that the density was made with.
    weights
        Column of the weights that events had in the density; by default each
        had 1. Unlike weights leave fewer effective cases.
    unit
        Of `values` and `classes`.
    name
        Of the layer.

    Returns
    -------
    raster
        Classes that may leave.

    Raises
    ------
    DisclosureError
        If the cells are smaller than the policy allows, the edges may come
        from the data, or no cell passes; or for a `RelativeDensity`, which has
        no form that may leave.
    InputError
        If the density was not made of these events at this bandwidth.
    EmptyError
        If there are no events.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> spots = gpd.points_from_xy(*rng.normal(5000, 300, (2, 200)))
    >>> events = gpd.GeoDataFrame(geometry=spots, crs=27700)
    >>> where = Affine(100, 0, 3000, 0, -100, 7000)
    >>> from placeshaping.disclosure._support import kernel_support
    >>> weight, _, _ = kernel_support(events, where, (40, 40), bandwidth=500)
    >>> density = weight * 3 / (np.pi * 0.5**2)
    >>> raster = mask_surface(density, where, events, bandwidth=500, policy="public")
    >>> raster.labels[0], int(raster.classes.max())
    ('under 20 records per km² a year', 3)
    """
    _check_no_ratio(values)
    rules = known_policy(policy)
    edges = check_edges(classes)
    grid = np.asarray(values, dtype=np.float64)
    place = _placed(transform, grid)
    _check_cell(place[0], rules)
    total, squared, largest = kernel_support(
        events,
        place,
        (grid.shape[0], grid.shape[1]),
        bandwidth=bandwidth,
        kernel=kernel,
        weights=weights,
    )
    _check_alike(grid, total)
    known = np.isfinite(grid)
    if rules.threshold:
        share = min(LARGEST_SHARE, rules.dominance or LARGEST_SHARE)
        known &= (total**2 >= rules.threshold * squared) & (total > 0) & (largest <= share * total)
    if not known.any():
        msg = (
            f"No cell rests on {rules.threshold} effective cases within {bandwidth:,.0f} m. Take a "
            "larger bandwidth, a longer period, or surface_from_counts."
        )
        raise DisclosureError(msg)
    shown = np.where(known, assign_fixed(grid, edges), NODATA).astype(np.uint8)
    facts = {"cells": int(grid.size), "shown": int(known.sum())}
    return Raster(
        name, "kernel", shown, place, edges, unit, float(bandwidth), rules.threshold, facts
    )


def surface_from_counts(
    areas: gpd.GeoDataFrame,
    *,
    policy: str | Policy,
    cell: float,
    bandwidth: float,
    years: float = 1.0,
    count: str = "count",
    classes: Sequence[float] = DENSITY_EDGES,
    unit: str = DENSITY_UNIT,
    name: str = "density",
) -> Raster:
    """
    Spread protected area counts over their areas and smooth them into a surface.

    It is worked out from what may leave, so it gives away no more than that.
    Hidden areas stay blank and lend nothing to those around them.

    Parameters
    ----------
    areas
        Polygons with protected counts, as a release has them; missing where
        hidden.
    policy
        The one that the counts obey.
    cell
        Side of a cell, metres.
    bandwidth
        Standard deviation of the Gaussian that smooths, metres; 0 for none.
    years
        Length of the period.
    count
        Column of the counts.
    classes
        Inner edges, at most four.
    unit
        Of `classes`.
    name
        Of the layer.

    Returns
    -------
    raster
        Classes that may leave.

    Raises
    ------
    DisclosureError
        If counts are not protected, the cells are smaller than the policy
        allows, or every area is hidden.
    InputError
        If cell or years are not above zero, or there would be too many cells.

    Examples
    --------
    >>> from shapely import box
    >>> shapes = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)]
    >>> areas = gpd.GeoDataFrame({"count": [150, None]}, geometry=shapes, crs=27700)
    >>> raster = surface_from_counts(areas, policy="public", cell=500, bandwidth=0)
    >>> raster.classes.tolist()
    [[3, 3, 0, 0], [3, 3, 0, 0]]
    """
    rules = known_policy(policy)
    check_columns(areas.columns, [count], where="areas")
    edges = check_edges(classes)
    metres = areas_to_grid(areas, where="areas")
    counts = metres[count].to_numpy(dtype="float64", na_value=np.nan)
    _check_protected(counts, rules)
    _check_cell(cell, rules)
    place, shape = _grid_over(metres, cell, years)
    density = counts / (metres.area.to_numpy() / _M2) / years
    position = rasterize(
        zip(metres.geometry, range(1, len(metres) + 1), strict=True),
        out_shape=shape,
        transform=Affine(*place),
        dtype="int32",
    )
    spread = np.concatenate([[np.nan], density])[position]
    smooth = _smoothed(spread, bandwidth / cell)
    shown = assign_fixed(smooth, edges)
    facts = {"cells": int(shown.size), "shown": int((shown > NODATA).sum())}
    return Raster(name, "counts", shown, place, edges, unit, float(bandwidth), 0, facts)


def _placed(transform: Sequence[float], grid: NDArray[np.float64]) -> Transform:
    numbers = tuple(float(number) for number in tuple(transform)[:6])
    if grid.ndim != 2 or not grid.size:
        msg = f"values have the shape {grid.shape}; give rows and columns."
        raise InputError(msg)
    if len(numbers) != 6 or numbers[1] or numbers[3] or not numbers[0] == -numbers[4] > 0:
        msg = f"transform is {numbers}; give square cells, north at the top: (a, 0, x, 0, -a, y)."
        raise InputError(msg)
    return (numbers[0], 0.0, numbers[2], 0.0, numbers[4], numbers[5])


def _check_no_ratio(values: object) -> None:
    """Refuse a relative density: its cells rest on cases and controls, and both must be enough."""
    if isinstance(values, RelativeDensity):
        msg = (
            "A relative density has no form that may leave: whoever knows the controls works the "
            "cases out from the ratio. Release the density of the cases by mask_surface, or rates "
            "of areas; keep the ratio for your own look."
        )
        raise DisclosureError(msg)


def _check_cell(cell: float, rules: Policy) -> None:
    if rules.finest_cell is not None and cell < rules.finest_cell:
        msg = (
            f"Cells of {cell:g} m are finer than policy {rules.name!r} allows "
            f"({rules.finest_cell} m). Take larger cells."
        )
        raise DisclosureError(msg)


def _check_alike(grid: NDArray[np.float64], total: NDArray[np.float64]) -> None:
    """Refuse a density that follows other points, or another bandwidth, than are given."""
    known = np.isfinite(grid) & (total > 0)
    if not known.any():
        msg = "No event lies within a bandwidth of any cell. Check the CRS and the transform."
        raise InputError(msg)
    if np.ptp(grid[known]) == 0 or np.ptp(total[known]) == 0:
        return
    alike = float(np.corrcoef(grid[known], total[known])[0, 1])
    if alike < _ALIKE:
        msg = (
            f"The values do not look like a kernel density of these events at this bandwidth "
            f"(correlation {alike:.2f}). Give the events, weights, kernel and bandwidth it was "
            "made of; "
            "for another kind of surface use surface_from_counts."
        )
        raise InputError(msg)


def _check_protected(counts: NDArray[np.float64], rules: Policy) -> None:
    known = np.isfinite(counts)
    if not known.any():
        msg = "Every area is hidden or missing; there is nothing to spread."
        raise EmptyError(msg)
    small = known & (counts < rules.threshold) & ~((counts == 0) & rules.zeros_shown)
    uneven = known & ~small & (np.mod(counts, rules.rounding) != 0)
    if small.any() or uneven.any():
        msg = (
            f"{int(small.sum()):,} counts are under {rules.threshold} and {int(uneven.sum()):,} "
            f"are not rounded to {rules.rounding}: policy {rules.name!r} has not been applied. "
            "Take the counts of a release made under it."
        )
        raise DisclosureError(msg)


def _grid_over(
    areas: gpd.GeoDataFrame, cell: float, years: float
) -> tuple[Transform, tuple[int, int]]:
    if not (cell > 0 and years > 0):
        msg = f"cell is {cell} m and years {years}; both must be above zero."
        raise InputError(msg)
    low_x, low_y, high_x, high_y = areas.total_bounds
    west, north = np.floor(low_x / cell) * cell, np.ceil(high_y / cell) * cell
    rows = max(int(np.ceil((north - low_y) / cell)), 1)
    columns = max(int(np.ceil((high_x - west) / cell)), 1)
    if rows * columns > _MANY_CELLS:
        msg = f"{rows:,} x {columns:,} cells are too many. Take larger cells than {cell:g} m."
        raise InputError(msg)
    return (float(cell), 0.0, float(west), 0.0, -float(cell), float(north)), (rows, columns)


def _smoothed(spread: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Smooth over the cells that are known; the others stay unknown."""
    if not width > 0:
        return spread
    known = np.isfinite(spread)
    above: NDArray[np.float64] = gaussian_filter(
        np.where(known, spread, 0.0), width, mode="constant"
    )
    below = gaussian_filter(known.astype(np.float64), width, mode="constant")
    return np.where(known, above / np.where(known, below, 1.0), np.nan)
