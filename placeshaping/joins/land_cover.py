"""Areas cut down to the land on which people live, where no output areas are at hand."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import EmptyError
from placeshaping._core.optional import require
from placeshaping.joins._geometry import check_areas

_log = logging.getLogger(__name__)


def built_up(
    areas: gpd.GeoDataFrame, raster: str | Path, *, values: Sequence[int]
) -> gpd.GeoDataFrame:
    """
    Cut areas down to some classes of a land-cover raster.

    Given as the source of `joins.interpolation.interpolate_areal` with
    ``via="area"``, values are spread over houses and streets instead of fields
    (binary dasymetric mapping; Eicher and Brewer 2001).

    Parameters
    ----------
    areas
        Areas indexed by ``area_code``, EPSG:27700.
    raster
        Land cover, one class a pixel (UKCEH Land Cover Map: 20 urban, 21
        suburban; CORINE: 1 to 11), in any reference system.
    values
        The classes on which people live.

    Returns
    -------
    areas
        A copy with smaller geometries. An area without any such pixel keeps
        its own: ``attrs["without_built_up"]`` has their codes.

    Raises
    ------
    MissingFileError
        If there is no such raster.
    EmptyError
        If no area has a pixel of these classes.
    MissingExtraError
        If tobler (extra ``shaping``) is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import rasterio
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 100, 100)], index=["E01000001"], crs=27700)
    >>> cover = np.array([[20, 3], [3, 3]], dtype="uint8")  # a town in the north-west
    >>> grid = rasterio.Affine(50, 0, 0, 0, -50, 100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with rasterio.open(
    ...         f"{folder}/lcm.tif", "w", driver="GTiff", width=2, height=2, count=1,
    ...         dtype="uint8", crs="EPSG:27700", transform=grid,
    ...     ) as raster:
    ...         raster.write(cover, 1)
    ...     built_up(areas, f"{folder}/lcm.tif", values=[20, 21]).area.round().tolist()
    [2500.0]
    """
    check_areas(areas)
    path = check_file(raster)
    land = _land(areas, path, list(values))
    shapes = areas.geometry.to_numpy()
    cut = shapely.intersection(shapes, land)
    without = shapely.area(cut) == 0
    if without.all():
        raise EmptyError(_nothing(areas, path, values))
    codes = tuple(str(code) for code in areas.index[without])
    if codes:
        _log.info("%s areas have no built-up land and stay whole (%s).", len(codes), listed(codes))
    smaller = areas.set_geometry(gpd.GeoSeries(np.where(without, shapes, cut), index=areas.index,
                                               crs=areas.crs))  # fmt: skip
    smaller.attrs.update(areas.attrs)
    smaller.attrs["without_built_up"] = codes
    return smaller


def _land(areas: gpd.GeoDataFrame, path: Path, values: list[int]) -> shapely.Geometry:
    """Return the land of these classes as one geometry, in the areas' reference system."""
    tools = require("tobler.dasymetric.raster_tools", extra="shaping")
    nothing = next(value for value in range(256) if value not in values)
    with warnings.catch_warnings():
        # of tobler's own making: it writes the reference system as PROJ text, and old calls
        warnings.simplefilter("ignore")
        try:
            pixels = tools.extract_raster_features(
                areas, str(path), values, nodata=nothing, n_jobs=1, collapse_values=True
            )
        except (IndexError, ValueError) as error:  # tobler: no such pixel; rasterio: no overlap
            raise EmptyError(_nothing(areas, path, values)) from error
    return pixels.to_crs(areas.crs).union_all()


def _nothing(areas: gpd.GeoDataFrame, path: Path, values: Sequence[int]) -> str:
    return (
        f"{path.name}: none of {len(areas):,} areas has a pixel of the classes "
        f"{listed(list(values))}. Check the classes, and that the raster covers the areas."
    )
