"""The places that a model estimates for: small areas, or the cells of a grid."""

from __future__ import annotations

import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.errors import CRSError, GeometryError, InputError
from placeshaping.areas.grids import Shape, cell_codes, make_grid
from placeshaping.areas.neighbours import contiguity

_GRID = re.compile(r"^(grid|hexagon)_(\d+)$")


@dataclass(frozen=True, eq=False)
class Units:
    """
    Places in a fixed order, with what models need of their geometry.

    Attributes
    ----------
    codes
        Code of each unit; the index ``area_code``.
    area
        Area of each in square kilometres; cells at the edge of the study area
        count with the part inside.
    xy
        Centroids in metres, shape (units, 2).
    neighbours
        Binary, symmetric, without selves, shape (units, units).
    cell
        Side of the cells in metres (of hexagons: of the square as large);
        None for areas.
    shape
        Shape of the cells.
    """

    codes: pd.Index
    area: NDArray[np.float64]
    xy: NDArray[np.float64]
    neighbours: sparse.csr_array
    cell: int | None = None
    shape: Shape = "square"

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def spacing(self) -> float:
        """Side of a cell in metres; of areas, of the square as large as the median area."""
        return float(self.cell or 1000 * np.sqrt(np.median(self.area)))

    @property
    def exposure(self) -> NDArray[np.float64]:
        """
        How much is expected of a unit of which nothing is known, the mean being 1.

        Cells count by their area inside the study area. Small areas are drawn
        to hold about as many people each, and count alike.
        """
        if self.cell is None:
            return np.ones(len(self))
        return np.asarray(self.area / self.area.mean())

    def locate(
        self, easting: NDArray[np.float64], northing: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """Return the position of the cell that holds each point, -1 where none does."""
        if self.cell is None:
            msg = "Areas cannot place points by themselves. Give the events a column 'area_code'."
            raise InputError(msg)
        found = cell_codes(easting, northing, size=self.cell, shape=self.shape)
        return np.asarray(self.codes.get_indexer(found), dtype=np.intp)


def make_cells(areas: gpd.GeoDataFrame, *, size: int, shape: Shape = "square") -> gpd.GeoDataFrame:
    """
    Make the cells of a study area in any metric reference system, cut at its outline.

    In EPSG:27700 their codes are those of `areas.grids.make_grid`.

    Parameters
    ----------
    areas
        Polygons that together are the study area, in metres.
    size
        Side of the squares in metres: 125, 250, 500 or 1000.
    shape
        ``"square"`` or ``"hexagon"``.

    Returns
    -------
    cells
        Index ``area_code``, column ``geometry``, in the reference system of
        `areas`; ``attrs["level"]`` such as ``"grid_250"``.

    Raises
    ------
    CRSError
        If `areas` are in degrees or have no reference system.
    InputError
        If `size` or `shape` is another.

    Examples
    --------
    >>> from shapely import box
    >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 600, 500)], crs=32616)
    >>> make_cells(study, size=500).area.tolist()
    [250000.0, 50000.0]
    """
    _check_metres(areas)
    outline = areas.geometry.union_all()
    cells = make_grid(outline.bounds, size=size, shape=shape)
    shapely.prepare(outline)
    polygons = cells.geometry.to_numpy()
    inside = shapely.contains_properly(outline, polygons)
    parts = polygons.copy()
    parts[~inside] = shapely.intersection(polygons[~inside], outline)
    kept = shapely.area(parts) > 0
    index = cells.index[kept]
    cut = gpd.GeoDataFrame(geometry=gpd.GeoSeries(parts[kept], index=index, crs=areas.crs))
    cut.attrs.update(cells.attrs)
    return cut


def make_units(areas: gpd.GeoDataFrame, neighbours: Graph | None = None) -> Units:
    """
    Take from areas or cells what models need.

    Parameters
    ----------
    areas
        Polygons in metres, indexed by ``area_code``: small areas, or the cells
        of `make_cells` or `areas.grids.make_grid`, which are recognised by
        ``attrs["level"]``.
    neighbours
        Who is whose neighbour; areas that touch, by default.

    Returns
    -------
    units
        In the order of `areas`.

    Raises
    ------
    CRSError, DuplicateError, GeometryError
        If `areas` are in degrees, stand twice, or have no area.
    InputError
        If areas are not in `neighbours`.

    Examples
    --------
    >>> from shapely import box
    >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 1000, 500)], crs=27700)
    >>> units = make_units(make_cells(study, size=500))
    >>> len(units), units.area.tolist(), units.cell
    (2, [0.25, 0.25], 500)
    """
    _check_metres(areas)
    check_unique(areas.index, where="areas")
    shapes = areas.geometry.to_numpy()
    area = shapely.area(shapes) / 1e6
    flat = areas.index[~(area > 0)]
    if len(flat):
        msg = f"{len(flat):,} of {len(areas):,} areas have no extent ({listed(list(flat))})."
        raise GeometryError(msg)
    grid = _GRID.match(str(areas.attrs.get("level")))
    return Units(
        codes=pd.Index(areas.index, name="area_code"),
        area=area,
        xy=shapely.get_coordinates(shapely.centroid(shapes)),
        neighbours=_adjacency(areas, neighbours),
        cell=int(grid[2]) if grid else None,
        shape="hexagon" if grid and grid[1] == "hexagon" else "square",
    )


def _check_metres(areas: gpd.GeoDataFrame) -> None:
    if areas.crs is None or not areas.crs.is_projected:
        msg = f"areas are in {areas.crs or 'no reference system'}. Give them in metres: to_crs()."
        raise CRSError(msg)


def _adjacency(areas: gpd.GeoDataFrame, neighbours: Graph | None) -> sparse.csr_array:
    if len(areas) < 2:
        return sparse.csr_array((len(areas), len(areas)))
    graph = contiguity(areas) if neighbours is None else neighbours
    position = pd.Index(graph.unique_ids).get_indexer(areas.index)
    lost = areas.index[position < 0]
    if len(lost):
        msg = (
            f"{len(lost):,} of {len(areas):,} areas are not in the graph of neighbours "
            f"({listed(list(lost))}). Make it from the same areas: contiguity(areas)."
        )
        raise InputError(msg)
    matrix = sparse.csr_array(graph.sparse)[position][:, position]
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.data = np.ones_like(matrix.data, dtype=np.float64)
    return sparse.csr_array(matrix.maximum(matrix.T))
