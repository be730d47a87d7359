"""The outcome of comparing cases with a population: a surface, its contours, a paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from rasterio.features import shapes as polygons_of
from rasterio.transform import Affine

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import InputError
from placeshaping._core.words import in_plural
from placeshaping.hotspots.surface import Cells, Floats

CELLS_ALONE = (
    "Each cell is judged by itself: some lie inside a contour by chance. Look at p_global first."
)
"""What a reader of contours must know."""


@dataclass(frozen=True, repr=False, eq=False)
class RelativeDensity:
    """
    A surface of relative risk, unprotected.

    Attributes
    ----------
    ratio
        Density of the cases over that of the population, each as a share of
        its whole; 1 is as everywhere. Missing where too few cases are
        expected, infinite where there are cases and no controls, north at the
        top.
    p_value
        Of each cell by itself, that chance alone gives as extreme a ratio.
    expected
        Effective cases expected under the kernel: those of equal weight whose
        number would vary as much.
    p_global
        That chance alone gives as extreme a cell anywhere (the largest
        standardised difference); missing without permutations.
    cells
        Where they are, EPSG:27700.
    kernel, bandwidth
        Metres; one for cases and population.
    method
        One sentence.
    cautions
        What a reader must know.
    """

    ratio: Floats
    p_value: Floats
    expected: Floats
    p_global: float
    cells: Cells
    kernel: str
    bandwidth: float
    method: str
    cautions: tuple[str, ...] = ()

    @property
    def log_ratio(self) -> Floats:
        """Natural logarithm of the ratio; minus infinity where there are no cases."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.ratio))

    def contours(self, *, level: float = 0.05) -> gpd.GeoDataFrame:
        """
        Return the areas inside tolerance contours.

        Each cell is judged by itself: of cells where chance alone rules, a
        share of `level` lies inside. Look at `p_global` first.

        Parameters
        ----------
        level
            p-value below which a cell is inside.

        Returns
        -------
        areas
            Polygons in EPSG:27700, largest first: ``risk`` (``"higher"`` or
            ``"lower"``), ``square_km``, ``ratio`` (the most extreme inside).
        """
        found: list[dict[str, Any]] = []
        for risk, side in (("higher", self.ratio > 1), ("lower", self.ratio < 1)):
            inside = side & (self.p_value < level)
            for outline, value in polygons_of(
                inside.astype(np.uint8), mask=inside, transform=Affine(*self.cells.transform)
            ):
                if value:
                    shape = shapely.geometry.shape(outline)
                    found.append({"risk": risk, "geometry": shape, **self._of(shape, risk)})
        columns = ["risk", "square_km", "ratio", "geometry"]
        table = gpd.GeoDataFrame(found, columns=columns, geometry="geometry", crs=NATIONAL_GRID)
        table = table.sort_values("square_km", ascending=False, ignore_index=True)
        table.attrs = {
            "method": f"{self.method} Contours at p {level:g}.",
            "cautions": (*self.cautions, CELLS_ALONE),
        }
        return table

    def _of(self, shape: shapely.Polygon, risk: str) -> dict[str, float]:
        """Return the size of a polygon and its most extreme ratio."""
        west, south, east, north = shape.bounds
        place, side = self.cells, self.cells.side
        rows = slice(round((place.north - north) / side), round((place.north - south) / side))
        columns = slice(round((west - place.west) / side), round((east - place.west) / side))
        within = np.meshgrid(place.eastings[columns], place.northings[rows])
        inside = shapely.contains_xy(shape, *within)
        held = self.ratio[rows, columns][inside]
        return {
            "square_km": shape.area / 1e6,
            "ratio": float(held.max() if risk == "higher" else held.min()),
        }

    def __repr__(self) -> str:
        """Say in a line what it is."""
        rows, columns = self.ratio.shape
        return (
            f"<RelativeDensity: {rows} x {columns} cells of {self.cells.side:g} m, "
            f"{self.kernel} {self.bandwidth:,.0f} m>"
        )


def describe_relative_density(
    comparison: RelativeDensity, *, what: str = "records", level: float = 0.05
) -> str:
    """
    Say in one paragraph, for people who are not statisticians, where cases are out of proportion.

    Parameters
    ----------
    comparison
        From `relative_density`.
    what
        The cases, in words.
    level
        Of the contours.

    Returns
    -------
    paragraph
        With the size of the areas, and whether chance alone would do it.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.hotspots.relative_density import relative_density
    >>> rng = np.random.default_rng(1)
    >>> homes = pd.DataFrame(rng.uniform(4e5, 4.04e5, (400, 2)), columns=["easting", "northing"])
    >>> found = relative_density(homes[::4], homes, bandwidth=400, cell=100, permutations=99)
    >>> describe_relative_density(found, what="burglaries")
    'Nowhere are burglaries out of proportion to the population by more than chance allows...'
    """
    if not isinstance(comparison, RelativeDensity):
        msg = f"comparison is a {type(comparison).__name__}. Give what relative_density returns."
        raise InputError(msg)
    what = in_plural(what)
    areas = comparison.contours(level=level)
    chance = comparison.p_global
    if areas.empty or chance > level:
        return (
            f"Nowhere are {what} out of proportion to the population by more than chance allows"
            f"{'' if np.isnan(chance) else f' (p {chance:.3f} for the whole map)'}. That is no "
            "proof that risk is even."
        )
    told = []
    for risk, name, most in (("higher", "more", "max"), ("lower", "fewer", "min")):
        part = areas[areas["risk"] == risk]
        if len(part):
            told.append(
                f"{name} {what} than the population would have in {len(part)} "
                f"{'place' if len(part) == 1 else 'places'} of {part['square_km'].sum():.1f} km² "
                f"together (up to {part['ratio'].max():.1f} times)"
                if most == "max"
                else f"{name} in {len(part)} of {part['square_km'].sum():.1f} km² "
                f"(down to {part['ratio'].min():.1f} times)"
            )
    whole = "" if np.isnan(chance) else f" For the whole map chance has p {chance:.3f}."
    return f"There are {', and '.join(told)}, averaged over {comparison.bandwidth:,.0f} m.{whole}"
