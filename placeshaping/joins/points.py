"""
Records into areas: by coordinate, else by the code that they carry; then counted.

Coordinates of recorded crime are snap points that thousands of records share,
so geometry is asked once for each place, never once for each record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_choice
from placeshaping.joins._geometry import Rows, check_table, codes_at, coordinates, find
from placeshaping.joins._placement import check_placed, tell_several
from placeshaping.joins._tally import key_of, product, rows_of, tally, weights_of
from placeshaping.joins.published import PublishedCodes, match_published

if TYPE_CHECKING:
    from placeshaping.joins.index import AreaIndex


Outside = Literal["raise", "drop", "nearest"]

Key = Literal["period", "category"]


@dataclass(frozen=True)
class PlacementReport:
    """
    How records found their areas.

    Attributes
    ----------
    rows
        Records in all; the five numbers that follow add up to it.
    by_coordinate
        Lie in an area.
    by_code
        Not located in any area, placed by the code that they carry.
    by_nearest
        Located outside every area, given to the nearest within the limit.
    outside
        Located, but in no area, and not placed otherwise.
    unplaced
        Neither coordinates nor a usable code.
    other_vintage
        Of those not placed: records whose code is of the other census year.
    published_agree
        Of the records placed by coordinate whose code means one of the areas:
        the share whose code means the same area. None where there are none.
        Police.uk's own codes agree for about 95 %: its boundaries are finer.
    in_several
        Of the records placed by coordinate: inside more than one area, which
        means that areas overlap. They went to the code that sorts first.
    """

    rows: int
    by_coordinate: int
    by_code: int
    by_nearest: int
    outside: int
    unplaced: int
    other_vintage: int
    published_agree: float | None
    in_several: int = 0

    @property
    def placed(self) -> int:
        """Records that have an area."""
        return self.rows - self.outside - self.unplaced


def assign_area(events: pd.DataFrame, areas: gpd.GeoDataFrame | AreaIndex) -> pd.Series[str]:
    """
    Find the area that each event lies in, by its coordinates.

    A point on the border of several areas goes to the one whose code sorts
    first, so that every point has one area whatever the order of the rows.

    Parameters
    ----------
    events
        Events with the columns ``easting`` and ``northing`` (metres,
        EPSG:27700; missing where not located), or points in EPSG:27700.
    areas
        Polygons indexed by ``area_code``, EPSG:27700, or an index of them from
        `joins.index.build_index`, to be used again. Where areas overlap, a
        point in several goes to the one whose code sorts first, and the log
        says how many there are.

    Returns
    -------
    area_code
        Series with the index of `events`; missing where a point lies in no
        area or has no coordinates.

    Raises
    ------
    ColumnError, CRSError
        If the events have no coordinates, or not on the British National Grid.
    DuplicateError, GeometryError
        If area codes are repeated or geometries are invalid.

    Examples
    --------
    >>> from shapely import box
    >>> codes = pd.Index(["E01000001", "E01000002"], name="area_code")
    >>> squares = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    >>> events = pd.DataFrame({"easting": [500.0, 1000.0, 1500.0], "northing": 500.0})
    >>> assign_area(events, areas).tolist()
    ['E01000001', 'E01000001', 'E01000002']
    """
    x, y = coordinates(events)
    if isinstance(areas, pd.DataFrame):
        found = find(x, y, areas)
        tell_several(found.several, len(events))
        return codes_at(found.inside, areas.index, events.index)
    inside, several = areas.locate(x, y)
    tell_several(several, len(events))
    return codes_at(inside, areas.codes, events.index)


def place_events(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    *,
    changes: pd.DataFrame | None = None,
    outside: Outside = "raise",
    limit: float = 100.0,
    index: AreaIndex | None = None,
) -> pd.Series[str]:
    """
    Give each event its area: by coordinate, else by the code that it carries.

    Parameters
    ----------
    events
        Events with coordinates as in `assign_area`, or with published codes in
        ``area_code``, or both.
    areas
        Polygons indexed by ``area_code``, EPSG:27700.
    changes
        LSOA codes of 2011 and 2021 with the indicator of change, from
        `areas.lookups.read_changes`. Codes of the other census year are
        translated where that leads to one area (unchanged and merged areas).
    outside
        What to do with events that neither way can place: refuse, leave
        without an area, or give those with coordinates to the nearest area.
    limit
        Greatest distance in metres for ``outside="nearest"``.
    index
        An index of `areas` from `joins.index.build_index`, to be used again;
        built by itself where there are many places.

    Returns
    -------
    area_code
        Series with the index of `events`; its ``attrs["report"]`` is a
        `PlacementReport`.

    Raises
    ------
    UnmatchedError
        If events cannot be placed and `outside` is ``"raise"``, or if their
        codes are of another level than the areas.
    VintageError
        If more than 1 % of the events can only be placed by codes that belong
        to the other census year.
    CRSError, ColumnError, DuplicateError, GeometryError
        As in `assign_area`.

    Examples
    --------
    >>> from shapely import box
    >>> codes = pd.Index(["E01000001"], name="area_code")
    >>> areas = gpd.GeoDataFrame(geometry=[box(0, 0, 1000, 1000)], index=codes, crs=27700)
    >>> events = pd.DataFrame(
    ...     {"easting": [500.0, None], "northing": [500.0, None], "area_code": [None, "E01000001"]}
    ... )
    >>> placed = place_events(events, areas)
    >>> placed.tolist(), placed.attrs["report"].by_code
    (['E01000001', 'E01000001'], 1)
    """
    position, report = _place(
        events, areas, changes=changes, outside=outside, limit=limit, index=index
    )
    codes = codes_at(position, areas.index, events.index)
    codes.attrs["report"] = report
    return codes


def count_by_area(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    *,
    codes: pd.Series[str] | None = None,
    by: Key | Sequence[Key] = ("period", "category"),
    periods: Iterable[Any] | None = None,
    categories: Iterable[str] | None = None,
    outside: Outside = "raise",
    index: AreaIndex | None = None,
) -> pd.DataFrame:
    """
    Count the events of each area, period and category.

    Every area has a row for every period and category, with zero where nothing
    happened. A month in which `events` holds no record at all has no rows: it
    is missing, not zero, unless `periods` lists it.

    Parameters
    ----------
    events
        Events with ``period`` (first day) and ``category``; with an integer
        column ``count``, each row stands for that many events.
    areas
        Areas indexed by ``area_code``.
    codes
        Area of each event, from `place_events`; worked out where not given.
    by
        What to count by, besides the area: ``"period"``, ``"category"``, both
        or neither.
    periods
        The periods that the table has; those of `events` where not given.
    categories
        The categories that the table has, in this order; those of `events`
        where not given.
    outside
        As in `place_events`; with `codes` given, ``"raise"``, or ``"drop"`` to
        leave out events whose code is missing or not among the areas.
    index
        As in `place_events`.

    Returns
    -------
    counts
        Columns ``area_code``, those of `by`, and ``count`` (int64), ordered by
        period, then category, then area as in `areas`.
        ``attrs["report"]`` is the `PlacementReport`.

    Raises
    ------
    UnmatchedError
        If events belong to no area and `outside` is ``"raise"``.
    ColumnError
        If a column is missing or holds missing values.
    EmptyError
        If there are no periods or no categories to count by.
    InputError
        If an option is none of its choices, or `codes` are of other events.

    Examples
    --------
    >>> from shapely import box
    >>> codes = pd.Index(["E01000001", "E01000002"], name="area_code")
    >>> squares = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    >>> events = pd.DataFrame({"easting": [500.0, 600.0], "northing": 500.0})
    >>> count_by_area(events, areas, by=())
       area_code  count
    0  E01000001      2
    1  E01000002      0
    """
    wanted = (by,) if isinstance(by, str) else tuple(by)
    for one in wanted:
        check_choice(one, get_args(Key), name="by")
    if codes is None:
        area, told = _place(events, areas, outside=outside, index=index)
        report: PlacementReport | None = told
    else:
        check_choice(outside, ["raise", "drop"], name="outside")
        area, report = rows_of(codes, events, areas, outside), codes.attrs.get("report")
    keys: dict[str, pd.Index] = {}
    cell = np.zeros(len(events), dtype=np.int64)
    for column, listing in (("period", periods), ("category", categories)):
        if column in wanted:
            key, keys[column] = key_of(events, column, listing)
            cell = cell * len(keys[column]) + key
    cell = np.where(area >= 0, cell * len(areas) + area, -1)
    table = product(areas.index, keys)
    table["count"] = tally(cell, weights_of(events), len(table))
    table.attrs.update({name: areas.attrs.get(name) for name in ("level", "vintage")})
    table.attrs["report"] = report
    return table


def _place(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    *,
    outside: Outside,
    changes: pd.DataFrame | None = None,
    limit: float = 100.0,
    index: AreaIndex | None = None,
) -> tuple[NDArray[np.intp], PlacementReport]:
    """Return the row of `areas` of each event, -1 for none, and how it was found."""
    check_choice(outside, get_args(Outside), name="outside")
    check_table(areas)
    x, y = coordinates(events, optional="area_code" in events.columns)
    located = np.isfinite(x) & np.isfinite(y)
    found = find(x, y, areas, limit=limit if outside == "nearest" else None, index=index)
    published = _published(events, areas, changes)
    position = np.where(found.inside >= 0, found.inside, published.position)
    by_code = (found.inside < 0) & (position >= 0)
    position = np.where(position >= 0, position, found.nearest)
    lost = position < 0
    report = PlacementReport(
        rows=len(events),
        by_coordinate=int((found.inside >= 0).sum()),
        by_code=int(by_code.sum()),
        by_nearest=int((position >= 0).sum() - (found.inside >= 0).sum() - by_code.sum()),
        outside=int((lost & located).sum()),
        unplaced=int((lost & ~located).sum()),
        other_vintage=int((lost & published.unlike).sum()),
        published_agree=_agreement(found.inside, published),
        in_several=found.several,
    )
    check_placed(report, events, areas, x[located], y[located], outside)
    tell_several(report.in_several, report.rows)
    return position, report


def _published(
    events: pd.DataFrame, areas: gpd.GeoDataFrame, changes: pd.DataFrame | None
) -> PublishedCodes:
    if "area_code" in events.columns:
        return match_published(events["area_code"], areas, changes=changes)
    nothing = np.zeros(len(events), dtype=bool)
    return PublishedCodes(position=np.full(len(events), -1), unlike=nothing)


def _agreement(by_coordinate: Rows, published: PublishedCodes) -> float | None:
    comparable = (by_coordinate >= 0) & (published.position >= 0)
    if not comparable.any():
        return None
    return float((by_coordinate == published.position)[comparable].mean())
