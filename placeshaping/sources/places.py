"""Where records lie: coordinates checked for the kind that they claim to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.crs import DEGREE_BOUNDS, GRID_BOUNDS, to_grid
from placeshaping._core.errors import ColumnError, CRSError
from placeshaping.sources.postcode_text import find_postcodes
from placeshaping.sources.values import to_numbers

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
    ended_postcodes, mended_postcodes
        Records located by a postcode that is no longer in use; by one in which
        a letter had been written for a digit or the reverse.
    """

    easting: Floats
    northing: Floats
    without: int
    null_island: int
    outside: int
    unreadable: int
    by_postcode: int = 0
    unknown_postcodes: int = 0
    ended_postcodes: int = 0
    mended_postcodes: int = 0


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
    found: dict[str, int] = {}
    if postcodes is not None and "postcode" in columns:
        x, y, found = _by_postcode(table[columns["postcode"]], x, y, postcodes)
    without = int(np.isnan(x).sum()) - null_island - outside - unreadable
    return Places(x, y, max(without, 0), null_island, outside, unreadable, **found)


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
) -> tuple[Floats, Floats, dict[str, int]]:
    open_rows = np.isnan(x)
    match = find_postcodes(values, postcodes.index)
    found = open_rows & (match.position >= 0)
    x, y = x.copy(), y.copy()
    x[found] = postcodes["easting"].to_numpy()[match.position[found]]
    y[found] = postcodes["northing"].to_numpy()[match.position[found]]
    located = found & np.isfinite(x)
    ended = np.zeros(len(postcodes) + 1, dtype=bool)  # the last one for those not found
    if "ended" in postcodes:
        ended[:-1] = postcodes["ended"].notna().to_numpy()
    counts = {
        "by_postcode": int(located.sum()),
        "unknown_postcodes": int((open_rows & ~located).sum()),
        "ended_postcodes": int((located & ended[match.position]).sum()),
        "mended_postcodes": int((located & match.mended).sum()),
    }
    return x, y, counts


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
        in metres, EPSG:27700, and `ended` where the file tells it (missing while
        in use); each postcode once, one in use before one that has ended.

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
    from placeshaping.sources.postcode_areas import read_postcode_directory

    if isinstance(postcodes, pd.DataFrame):
        if postcodes.index.name == "postcode" and {"easting", "northing"} <= set(postcodes):
            return postcodes
        named = postcodes.index.name is not None and postcodes.index.name not in postcodes
        table = postcodes.reset_index() if named else postcodes
        where, directory = "the postcode lookup", read_postcode_directory(table)
    else:
        where, directory = Path(postcodes).name, read_postcode_directory(postcodes)
    if "easting" not in directory:
        msg = (
            f"{where} has no easting and northing, nor longitude and latitude. It tells: "
            f"{listed([str(column) for column in directory.columns], most=12)}."
        )
        raise ColumnError(msg)
    return directory[[c for c in ("easting", "northing", "ended") if c in directory]]
