"""Where the codes that records carry agree with their coordinates, and where not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns
from placeshaping.joins._geometry import coordinates, find
from placeshaping.joins.index import AreaIndex
from placeshaping.joins.published import match_published


def compare_published(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    *,
    changes: pd.DataFrame | None = None,
    index: AreaIndex | None = None,
) -> pd.DataFrame:
    """
    Compare the area of each record's coordinates with the area of its code.

    Police.uk's own codes come from finer boundaries than those that are handed
    out for maps, so that some 4 to 5 % of its records lie on the other side of
    a border: this says between which areas.

    Parameters
    ----------
    events
        Events with ``easting``, ``northing`` (metres, EPSG:27700) and
        ``area_code``.
    areas
        Polygons indexed by ``area_code``, EPSG:27700.
    changes
        As in `joins.points.place_events`.
    index
        An index of `areas`, to be used again.

    Returns
    -------
    agreement
        Indexed by ``area_code`` in the order of `areas`: ``by_coordinate``
        (records that lie in the area and have a code that means an area),
        ``by_code`` (records whose code means the area, and that lie in one),
        ``agree`` (both), and ``share``, `agree` over `by_coordinate`, missing
        where nothing can be compared. ``attrs["share"]`` is that of all.

    Raises
    ------
    ColumnError
        If `events` have no coordinates or no codes.
    CRSError, DuplicateError, GeometryError, EmptyError
        As in `joins.points.assign_area`.

    Examples
    --------
    >>> from shapely import box
    >>> codes = pd.Index(["E01000001", "E01000002"], name="area_code")
    >>> squares = [box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    >>> events = pd.DataFrame({"easting": [500.0, 999.0], "northing": 500.0, "area_code": codes})
    >>> compare_published(events, areas)["agree"].tolist()
    [1, 0]
    """
    check_columns(events.columns, ["area_code"], where="The table of events")
    x, y = coordinates(events)
    placed = find(x, y, areas, index=index).inside
    meant = match_published(events["area_code"], areas, changes=changes).position
    both = (placed >= 0) & (meant >= 0)
    size = len(areas)
    table = pd.DataFrame(
        {
            "by_coordinate": np.bincount(placed[both], minlength=size),
            "by_code": np.bincount(meant[both], minlength=size),
            "agree": np.bincount(placed[both & (placed == meant)], minlength=size),
        },
        index=areas.index,
        dtype=np.int64,
    )
    table["share"] = table["agree"] / table["by_coordinate"].where(table["by_coordinate"] > 0)
    compared = int(both.sum())
    table.attrs["share"] = int(table["agree"].sum()) / compared if compared else None
    return table
