"""Where records lie: coordinates checked for the kind that they claim to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.crs import DEGREE_BOUNDS, GRID_BOUNDS, to_grid
from placeshaping._core.errors import ColumnError, CRSError
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.tabular import read_table
from placeshaping.sources.values import to_numbers, to_postcodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """
    Easting and northing of records, and how many have none and why.

    Attributes
    ----------
    easting, northing
        Metres, EPSG:27700; missing where a record is not located.
    without
        Records without coordinates (and without a known postcode).
    null_island
        Records at 0, 0: a missing place written as a number.
    outside
        Records outside the United Kingdom.
    unreadable
        Records whose coordinates are no numbers.
    by_postcode
        Records located by their postcode.
    unknown_postcodes
        Records whose postcode is not in the lookup, or none.
    """

    easting: Floats
    northing: Floats
    without: int
    null_island: int
    outside: int
    unreadable: int
    by_postcode: int = 0
    unknown_postcodes: int = 0


def locate(
    table: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    postcodes: pd.DataFrame | None = None,
    where: str,
) -> Places:
    """
    Locate records by easting and northing, longitude and latitude, or postcode.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.
    columns
        Role (``easting``, ``longitude``, ...) to column name.
    postcodes
        Lookup from `read_postcodes`, for rows without coordinates.
    where
        Name of the file, for messages.

    Returns
    -------
    places
        Easting and northing, and counts of what could not be located.

    Raises
    ------
    CRSError
        If a column holds metres for degrees, degrees for metres, longitude and
        latitude are exchanged, or nothing lies in the United Kingdom.

    Examples
    --------
    >>> table = pd.DataFrame({"e": ["458700", "0"], "n": ["304600", "0"]})
    >>> places = locate(table, {"easting": "e", "northing": "n"}, where="x.csv")
    >>> places.easting.tolist(), places.null_island
    ([458700.0, nan], 1)
    """
    count = len(table)
    x, y = np.full(count, np.nan), np.full(count, np.nan)
    unreadable = null_island = outside = 0
    if "easting" in columns or "longitude" in columns:
        degrees = "easting" not in columns
        names = ("longitude", "latitude") if degrees else ("easting", "northing")
        x, y, unreadable = _read_pair(table, [columns[name] for name in names], degrees)
        zero = (x == 0) & (y == 0)
        null_island = int(zero.sum())
        x[zero], y[zero] = np.nan, np.nan
        _check_kind(x, y, [columns[name] for name in names], degrees, where)
        west, south, east, north = DEGREE_BOUNDS if degrees else GRID_BOUNDS
        known = np.isfinite(x)
        off = known & ~((x >= west) & (x <= east) & (y >= south) & (y <= north))
        outside = int(off.sum())
        if outside and outside == known.sum():
            msg = (
                f"{where}: none of its {outside:,} located records lies in the United Kingdom "
                f"(the first at {x[off][0]:,.6g}, {y[off][0]:,.6g}). Check the column mapping."
            )
            raise CRSError(msg)
        x[off], y[off] = np.nan, np.nan
        if degrees:
            x, y = to_grid(x, y)
    by_postcode = unknown = 0
    if postcodes is not None and "postcode" in columns:
        x, y, by_postcode, unknown = _by_postcode(table[columns["postcode"]], x, y, postcodes)
    without = int(np.isnan(x).sum()) - null_island - outside - unreadable
    return Places(x, y, max(without, 0), null_island, outside, unreadable, by_postcode, unknown)


def _read_pair(table: pd.DataFrame, names: list[str], degrees: bool) -> tuple[Floats, Floats, int]:
    given = table[names].notna().any(axis=1).to_numpy()
    read = []
    for name in names:
        values = table[name]
        if degrees and not pd.api.types.is_numeric_dtype(values):
            values = values.astype("str").str.replace(r"^(-?\d{1,3}),(\d+)$", r"\1.\2", regex=True)
        read.append(to_numbers(values).to_numpy(copy=True))
    x, y = read
    half = ~(np.isfinite(x) & np.isfinite(y))
    x[half], y[half] = np.nan, np.nan
    return x, y, int((given & half).sum())


def _check_kind(x: Floats, y: Floats, names: list[str], degrees: bool, where: str) -> None:
    known = np.isfinite(x)
    total = int(known.sum())
    if not total:
        return
    a, b = x[known], y[known]
    columns = f"{names[0]} and {names[1]}"
    small = (np.abs(a) <= 180) & (np.abs(b) <= 90)
    example = f"{a[0]:,.5g}, {b[0]:,.5g}" if small[0] else f"{a[0]:,.0f}, {b[0]:,.0f}"
    if degrees and (~small).sum() > total / 2:
        msg = (
            f"{where}: {columns} are taken as degrees but hold values like {example}: those are "
            "metres. Map them as easting and northing."
        )
        raise CRSError(msg)
    if not degrees and small.sum() > total / 2:
        msg = (
            f"{where}: {columns} are taken as metres but hold values like {example}: those are "
            "degrees. Map them as longitude and latitude."
        )
        raise CRSError(msg)
    west, south, east, north = DEGREE_BOUNDS
    swapped = (a >= south) & (a <= north) & (b >= west) & (b <= east)
    if degrees and swapped.sum() > total / 2:
        msg = (
            f"{where}: {columns} hold values like {example}: longitude and latitude are "
            f"exchanged. Map longitude to {names[1]!r} and latitude to {names[0]!r}."
        )
        raise CRSError(msg)


def _by_postcode(
    values: pd.Series[Any], x: Floats, y: Floats, postcodes: pd.DataFrame
) -> tuple[Floats, Floats, int, int]:
    open_rows = np.isnan(x)
    place = postcodes.index.get_indexer(pd.Index(to_postcodes(values)))
    found = open_rows & (place >= 0)
    x, y = x.copy(), y.copy()
    x[found] = postcodes["easting"].to_numpy()[place[found]]
    y[found] = postcodes["northing"].to_numpy()[place[found]]
    located = found & np.isfinite(x)
    return x, y, int(located.sum()), int((open_rows & ~located).sum())


def read_postcodes(postcodes: pd.DataFrame | str | Path) -> pd.DataFrame:
    """
    Read a lookup from postcode to place, such as the ONS Postcode Directory.

    Parameters
    ----------
    postcodes
        A table or file with a column of postcodes (`pcds`, `postcode`, ...) and
        either easting and northing (`oseast1m`, `osnrth1m`) or longitude and latitude.

    Returns
    -------
    lookup
        Index `postcode` (capitals, one space), columns `easting` and `northing`
        in metres, EPSG:27700; each postcode once.

    Raises
    ------
    ColumnError
        If a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"pcds": ["le1 6xx"], "oseast1m": ["458700"], "osnrth1m": ["304600"]})
    >>> read_postcodes(table).loc["LE1 6XX"].to_list()
    [458700.0, 304600.0]
    """
    frame = isinstance(postcodes, pd.DataFrame)
    where = "the postcode lookup" if frame else Path(str(postcodes)).name
    table = postcodes if isinstance(postcodes, pd.DataFrame) else read_table(postcodes)
    if table.index.name is not None and table.index.name not in table.columns:
        table = table.reset_index()
    columns = guess_columns(table)
    if "postcode" not in columns:
        check_columns(table.columns, ["pcds"], where=where)
    if not {"easting", "longitude"} & set(columns):
        msg = (
            f"{where} has no easting and northing, nor longitude and latitude. "
            f"It has: {listed(list(table.columns), most=12)}."
        )
        raise ColumnError(msg)
    places = locate(table, columns, where=where)
    index = pd.Index(to_postcodes(table[columns["postcode"]]), name="postcode")
    lookup = pd.DataFrame({"easting": places.easting, "northing": places.northing}, index=index)
    lookup = lookup[lookup.index.notna()]
    return lookup[~lookup.index.duplicated()]
