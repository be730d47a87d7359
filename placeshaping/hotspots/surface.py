"""A surface of numbers on the British National Grid, and the cells that it stands on."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine
from shapely.geometry.base import BaseGeometry

from placeshaping._core.crs import NATIONAL_GRID, check_on_grid
from placeshaping._core.errors import EmptyError, InputError

Floats = NDArray[np.float64]
Transform = tuple[float, float, float, float, float, float]

_MANY_CELLS = 50_000_000
_M2 = 1e6


@dataclass(frozen=True)
class Cells:
    """
    Square cells on the National Grid, north at the top, corners on multiples of their side.

    Attributes
    ----------
    west, north
        The upper left corner, metres.
    side
        Of a cell, metres.
    rows, columns
        How many.
    """

    west: float
    north: float
    side: float
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def transform(self) -> Transform:
        """Six numbers as rasterio's `Affine` has them."""
        return (self.side, 0.0, self.west, 0.0, -self.side, self.north)

    @property
    def eastings(self) -> Floats:
        """Of the centres, from west to east."""
        return np.asarray(self.west + (np.arange(self.columns) + 0.5) * self.side)

    @property
    def northings(self) -> Floats:
        """Of the centres, from north to south."""
        return np.asarray(self.north - (np.arange(self.rows) + 0.5) * self.side)

    def holding(self, xy: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """
        Return the row and column of the cell of each point; those outside have other numbers.

        A point on a border belongs to the cell north or east of it.
        """
        south = self.north - self.rows * self.side
        row = self.rows - 1 - np.floor((xy[:, 1] - south) / self.side).astype(np.int64)
        column = np.floor((xy[:, 0] - self.west) / self.side).astype(np.int64)
        return row, column


@dataclass(frozen=True, repr=False, eq=False)
class Surface:
    """
    Values of the cells of a raster, unprotected: for `disclosure.surfaces.mask_surface`.

    Attributes
    ----------
    values
        North at the top; missing (NaN) outside the study area.
    cells
        Where they are, EPSG:27700.
    unit
        Of `values`.
    kernel, bandwidth
        ``"quartic"`` with its radius or ``"gaussian"`` with its standard
        deviation, metres.
    method
        One sentence: what was done, by which source, with which parameters.
    cautions
        What a reader must know.
    """

    values: Floats
    cells: Cells
    unit: str
    kernel: str
    bandwidth: float
    method: str
    cautions: tuple[str, ...] = ()

    @property
    def transform(self) -> Transform:
        """Six numbers as rasterio's `Affine` has them."""
        return self.cells.transform

    @property
    def cell(self) -> float:
        """Side of a cell, metres."""
        return self.cells.side

    @property
    def crs(self) -> str:
        """The reference system."""
        return f"EPSG:{NATIONAL_GRID}"

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Easting and northing, lowest then highest."""
        place = self.cells
        east, south = place.west + place.columns * place.side, place.north - place.rows * place.side
        return place.west, south, east, place.north

    @property
    def total(self) -> float:
        """Integral over the study area; of a density per square kilometre, the events."""
        return float(np.nansum(self.values) * self.cell**2 / _M2)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        rows, columns = self.values.shape
        return (
            f"<Surface: {rows} x {columns} cells of {self.cell:g} m, {self.unit}, "
            f"{self.kernel} {self.bandwidth:,.0f} m>"
        )


def cells_over(bounds: tuple[float, float, float, float], side: float, *, margin: float) -> Cells:
    """
    Return the cells over an extent and a margin around it.

    Parameters
    ----------
    bounds
        Easting and northing, lowest then highest, metres.
    side
        Of a cell, metres.
    margin
        Metres.

    Returns
    -------
    cells
        Corners on multiples of the side.

    Raises
    ------
    InputError
        If the side is not above zero, or there would be over 50 million cells.

    Examples
    --------
    >>> cells_over((430, 250, 560, 390), 100, margin=0)
    Cells(west=400.0, north=400.0, side=100.0, rows=2, columns=2)
    """
    if not (np.isfinite(side) and side > 0):
        msg = f"cell is {side}; give metres above zero."
        raise InputError(msg)
    side = float(side)
    west, south = (float(np.floor((low - margin) / side)) for low in bounds[:2])
    east, north = (float(np.floor((high + margin) / side)) + 1 for high in bounds[2:])
    rows, columns = int(north - south), int(east - west)
    if rows * columns > _MANY_CELLS:
        msg = (
            f"{rows:,} x {columns:,} cells of {side:g} m are too many. Take larger cells, "
            "or leave out records that lie far from the rest."
        )
        raise InputError(msg)
    return Cells(west * side, north * side, side, rows, columns)


def study_area(within: gpd.GeoDataFrame | BaseGeometry) -> BaseGeometry:
    """
    Return a study area as one shape.

    Parameters
    ----------
    within
        Polygons in EPSG:27700, or a polygon in metres.

    Returns
    -------
    shape
        Their union.

    Raises
    ------
    CRSError
        If a table is not in EPSG:27700.
    EmptyError
        If it holds no area.

    Examples
    --------
    >>> study_area(shapely.box(0, 0, 1000, 1000)).area
    1000000.0
    """
    if isinstance(within, gpd.GeoDataFrame):
        check_on_grid(within.crs, where="within")
        shape = shapely.union_all(shapely.make_valid(within.geometry.to_numpy()))
    else:
        shape = within
    if not shape.area > 0:
        msg = "within holds no area. Give polygons."
        raise EmptyError(msg)
    shapely.prepare(shape)
    return shape


def cells_inside(shape: BaseGeometry, cells: Cells, xy: Floats) -> NDArray[np.bool_]:
    """
    Tell which cells belong to a study area: their centre lies in it, or they hold an event of it.

    Parameters
    ----------
    shape
        The study area.
    cells
        Where they are.
    xy
        Events inside it.
    """
    inside = rasterize(
        [(shape, 1)], out_shape=cells.shape, transform=Affine(*cells.transform), dtype="uint8"
    ).astype(bool)
    inside[cells.holding(xy)] = True
    return np.asarray(inside)
