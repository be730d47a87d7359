"""What cases are compared with: controls, or people at points or in areas; and draws from them."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine

from placeshaping._core.errors import EmptyError
from placeshaping.hotspots._smoothing import binned
from placeshaping.hotspots.surface import Cells

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Denominator:
    """
    Where cases would be if chance alone placed them.

    Attributes
    ----------
    xy
        Places that cases are drawn from: cases and controls together, or
        those of the population.
    weights
        Of the places; of cases and controls one each.
    controls
        Whether cases are drawn without replacement from all points.
    jitter
        Side of the square around a place that a case is drawn in, metres.
    """

    xy: Floats
    weights: Floats
    controls: bool
    jitter: float = 0.0

    def grid(self, cells: Cells) -> Floats:
        """Return the weights shared out among centres."""
        return binned(self.xy, self.weights, cells)

    def draw(self, cases: int, cells: Cells, generator: np.random.Generator) -> Floats:
        """Return as many cases placed by chance, shared out among centres."""
        if self.controls:
            chosen = generator.permutation(len(self.xy))[:cases]
        else:
            running = np.cumsum(self.weights)
            drawn = generator.random(cases) * running[-1]
            chosen = np.minimum(np.searchsorted(running, drawn, "right"), len(running) - 1)
        xy = self.xy[chosen]
        if self.jitter:
            xy = xy + generator.uniform(-0.5, 0.5, xy.shape) * self.jitter
        return binned(xy, np.ones(cases), cells)


def is_areal(population: pd.DataFrame) -> bool:
    """Tell whether a population is given by areas."""
    if not isinstance(population, gpd.GeoDataFrame):
        return False
    return bool(shapely.get_dimensions(population.geometry.to_numpy()).max(initial=0) == 2)


def spread_over(areas: gpd.GeoDataFrame, people: Floats, cells: Cells) -> Denominator:
    """
    Spread the people of each area evenly over the cells whose centre it holds.

    An area too small to hold a centre puts its people at a point inside it.

    Parameters
    ----------
    areas
        Polygons in EPSG:27700.
    people
        Of each.
    cells
        Where they are spread.
    """
    shapes = areas.geometry.to_numpy()
    number = rasterize(
        zip(shapes, range(1, len(shapes) + 1), strict=True),
        out_shape=cells.shape,
        transform=Affine(*cells.transform),
        dtype="int32",
    )
    rows, columns = np.nonzero(number)
    area = number[rows, columns] - 1
    held = np.bincount(area, minlength=len(shapes))
    small = np.flatnonzero((held == 0) & (people > 0))
    points = shapely.get_coordinates(shapely.point_on_surface(shapes[small]))
    centres = np.column_stack([cells.eastings[columns], cells.northings[rows]])
    xy = np.concatenate([centres, points])
    weights = np.concatenate([people[area] / held[area], people[small]])
    if not weights.sum() > 0:
        msg = "Nobody lives in the study area. Check the column of people and the areas."
        raise EmptyError(msg)
    # Drawn cases fall anywhere in a cell; half a millimetre keeps them off its border.
    return Denominator(xy, weights, controls=False, jitter=cells.side - 0.001)
