"""Postcode sectors and the areas that their postcodes lie in, to find a place by."""

from __future__ import annotations

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import UnmatchedError

LEAST_SHARE = 0.05
"""Share of a sector's postcodes below which an area is no part of it."""

_SECTOR = re.compile(r"^([A-Z]{1,2}\d[A-Z\d]? \d)[A-Z]{2}$")


def sectors_of(directory: pd.DataFrame, areas: gpd.GeoDataFrame) -> dict[str, tuple[str, ...]]:
    """
    Find the areas in which the postcodes of each sector lie.

    Parameters
    ----------
    directory
        Postcodes with `easting` and `northing`, and perhaps `ended`, as
        `read_postcodes` reads them. Those no longer in use are left out.
    areas
        Polygons indexed by area code, EPSG:27700.

    Returns
    -------
    sectors
        Sector (``"LE1 6"``) -> codes of the areas that hold at least a
        twentieth of its postcodes, the one with most of them first.

    Raises
    ------
    UnmatchedError
        If no postcode lies in the areas.

    Examples
    --------
    >>> codes = pd.Index(["E01000001", "E01000002"], name="area_code")
    >>> squares = [shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    >>> places = {"easting": [1.0, 11.0, 12.0], "northing": 1.0}
    >>> postcodes = pd.DataFrame(places, index=["LE1 6AA", "LE1 6AB", "LE1 6AD"])
    >>> sectors_of(postcodes, areas)
    {'LE1 6': ('E01000002', 'E01000001')}
    """
    check_columns(directory.columns, ["easting", "northing"], where="directory")
    west, south, east, north = areas.total_bounds
    near = directory["easting"].between(west, east) & directory["northing"].between(south, north)
    if "ended" in directory:
        near &= directory["ended"].isna()
    found = directory.loc[near]
    sector = found.index.to_series().astype("str").str.extract(_SECTOR, expand=False).to_numpy()
    points = shapely.points(found["easting"].to_numpy(), found["northing"].to_numpy())
    tree = shapely.STRtree(areas.geometry.to_numpy())
    row, place = tree.query(points, predicate="intersects")
    first = np.unique(row, return_index=True)[1]  # a point on a border lies in the first
    pairs = pd.DataFrame({"sector": sector[row[first]], "area": place[first]}).dropna()
    if pairs.empty:
        msg = (
            f"None of the {len(directory):,} postcodes lies in the {len(areas):,} areas. Check "
            "that both are of the same place."
        )
        raise UnmatchedError(msg)
    many = pairs.value_counts().rename("postcodes").reset_index()
    whole = many.groupby("sector")["postcodes"].transform("sum")
    many = many[many["postcodes"] >= LEAST_SHARE * whole]
    many = many.sort_values(["sector", "postcodes", "area"], ascending=[True, False, True])
    codes = areas.index.astype(str).to_numpy()
    return {
        str(name): tuple(codes[group.to_numpy()])
        for name, group in many.groupby("sector", sort=True)["area"]
    }
