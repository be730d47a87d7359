"""Events counted in the cells of a grid, by their coordinates alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice
from placeshaping._core.crs import looks_like_degrees
from placeshaping._core.errors import CRSError, EmptyError, InputError, UnmatchedError
from placeshaping.areas.grids import Shape, cell_codes
from placeshaping.joins._geometry import coordinates
from placeshaping.joins.points import count_by_area


def count_by_cell(
    events: pd.DataFrame,
    *,
    size: int,
    shape: Shape = "square",
    cells: gpd.GeoDataFrame | None = None,
    by: Sequence[Literal["period", "category"]] = ("period", "category"),
    periods: Iterable[Any] | None = None,
    categories: Iterable[str] | None = None,
    outside: Literal["raise", "drop"] = "raise",
) -> pd.DataFrame:
    """
    Count the events of each cell of a grid, period and category.

    Parameters
    ----------
    events
        Events with ``easting`` and ``northing`` (metres, EPSG:27700), and the
        columns of `by`; with an integer column ``count``, each row stands for
        that many events.
    size, shape
        The grid, as in `areas.grids.make_grid`.
    cells
        The cells to count in, from `make_grid`; where not given, those in which
        an event lies, from south-west to north-east. A cell that is not listed
        has no row: give the cells where zero matters.
    by, periods, categories
        As in `joins.points.count_by_area`.
    outside
        Whether to refuse events without coordinates or outside `cells`, or to
        leave them out.

    Returns
    -------
    counts
        As `joins.points.count_by_area` gives, the cell's code in ``area_code``.

    Raises
    ------
    InputError
        If `size` or `shape` is another, or that of `cells` is.
    CRSError
        If the coordinates are degrees.
    UnmatchedError
        If events lie in no cell and `outside` is ``"raise"``.
    ColumnError, EmptyError
        As in `count_by_area`; or if no event has coordinates.

    Examples
    --------
    >>> events = pd.DataFrame({"easting": [450_100.0, 450_200.0], "northing": 300_700.0})
    >>> count_by_cell(events, size=500, by=())
                area_code  count
    0  S500E450000N300500      2
    """
    check_choice(outside, ["raise", "drop"], name="outside")
    x, y = coordinates(events)
    _check_metres(x, y)
    level = f"{'grid' if shape == 'square' else 'hexagon'}_{size}"
    codes = cell_codes(x, y, size=size, shape=shape)
    lost = int(np.count_nonzero(codes.isna()))
    if lost and outside == "raise":
        msg = f"{lost:,} of {len(events):,} events have no coordinates. Pass outside='drop'."
        raise UnmatchedError(msg)
    if cells is None:
        cells = _occupied(codes, x, y)
    if cells.attrs.get("level", level) != level:
        msg = f"cells are of {cells.attrs['level']}, the events are counted by {level}. Use one."
        raise InputError(msg)
    placed = pd.Series(codes, index=events.index, name="area_code")
    counts = count_by_area(
        events,
        cells,
        codes=placed,
        by=by,
        periods=periods,
        categories=categories,
        outside=outside,
    )
    counts.attrs["level"] = level
    return counts


def _check_metres(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> None:
    """Refuse degrees, which would all lie in the cell at the grid's false origin."""
    located = np.isfinite(x) & np.isfinite(y)
    if not located.any():
        return
    x, y = x[located], y[located]
    if looks_like_degrees([x.min(), y.min(), x.max(), y.max()]):
        msg = (
            f"The coordinates of {len(x):,} events, such as {x[0]:.3f}, {y[0]:.3f}, are degrees. "
            "Give easting and northing in metres."
        )
        raise CRSError(msg)


def _occupied(
    codes: pd.Index, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]
) -> gpd.GeoDataFrame:
    """Return a table of the cells with events, row by row from the south-west."""
    first = pd.DataFrame({"code": codes, "x": x, "y": y}).dropna().drop_duplicates("code")
    if first.empty:
        msg = "No event has coordinates: there is no cell to count in."
        raise EmptyError(msg)
    corner = first["code"].str.extract(r"E(-?\d+)N(-?\d+)$").astype(np.int64)
    order = np.lexsort((corner[0], corner[1]))
    index = pd.Index(first["code"].to_numpy()[order], dtype="str", name="area_code")
    return gpd.GeoDataFrame(index=index)
