"""Lists of public places: libraries, general practices, council offices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import ColumnError
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.places import locate, read_postcodes
from placeshaping.sources.tabular import read_table

_NAMES = ("name", "title", "site", "site name", "library", "practice", "organisation", "location")


def read_public_places(
    path: str | Path,
    *,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    postcodes: pd.DataFrame | str | Path | None = None,
) -> gpd.GeoDataFrame:
    r"""
    Read a list of public places with their names.

    Parameters
    ----------
    path
        Any table that `read_table` reads.
    name
        The column of names; guessed where not given.
    columns
        Which columns tell the place: ``easting`` and ``northing``,
        ``longitude`` and ``latitude``, or ``postcode``. Guessed where not given.
    postcodes
        Lookup from postcode to place, for lists with nothing better.

    Returns
    -------
    places
        `name` and points (EPSG:27700). Rows that cannot be located are left
        out; ``attrs["not_located"]`` counts them, ``attrs["lost"]`` names them.

    Raises
    ------
    ColumnError
        If nothing says what the places are called, or where they lie.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "libraries.csv"
    ...     _ = path.write_text("Name;Easting;Northing\nOld Library;458700;304600\n")
    ...     read_public_places(path)["name"].tolist()
    ['Old Library']
    """
    table = read_table(path)
    where = Path(path).name
    heads = {str(column).strip().casefold().replace("_", " "): column for column in table.columns}
    named = name or next((heads[head] for head in _NAMES if head in heads), None)
    named = named or next((c for head, c in heads.items() if head.endswith(" name")), None)
    if named is None or named not in table:
        msg = (
            f"{where} has no column of names{f' {name!r}' if name else ''}; it has "
            f"{listed([str(column) for column in table.columns], most=12)}. Name it: name = '...'."
        )
        raise ColumnError(msg)
    roles = dict(columns) if columns is not None else guess_columns(table)
    placed = {"easting", "longitude"} & set(roles) or (
        "postcode" in roles and postcodes is not None
    )
    if not placed:
        msg = (
            f"{where} does not say where its places lie: give columns of coordinates, or postcodes "
            "and a file that places them."
        )
        raise ColumnError(msg)
    lookup = None if postcodes is None else read_postcodes(postcodes)
    found = locate(table, roles, postcodes=lookup, where=where)
    located = np.isfinite(found.easting)
    places = gpd.GeoDataFrame(
        {"name": table.loc[located, str(named)].to_numpy()},
        geometry=gpd.points_from_xy(found.easting[located], found.northing[located]),
        crs=NATIONAL_GRID,
    )
    places.attrs["not_located"] = int((~located).sum())
    places.attrs["lost"] = tuple(table.loc[~located, str(named)].astype(str))
    return places
