"""One view of one level as a layer: what formats without further tables can hold."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import listed, near_names
from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import InputError
from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.layers.notes import notes_of

AREA_COLUMNS = (
    "area_name", "members", "parent_code", "ward_code", "msoa_code", "residents", "households",
    "imd_decile",
)  # fmt: skip
"""What a layer tells of an area itself, in this order, where it is known."""

DECIMALS = 6
"""Decimals of a longitude or latitude: about a tenth of a metre."""

_WORDS = {
    "subject": "subject", "purpose": "purpose", "statement": "statement", "note": "notes",
    "mind": "mind", "not for": "not_for", "hot spots of": "hot_spots_of", "source": "sources",
    "contact": "contact", "how to read": "how_to_read",
}  # fmt: skip
_TEXTS = {"title", "made_by", "policy", "stamp", "already_published", "dataset"}
_MANY = {"statement", "notes", "mind", "not_for", "sources", "how_to_read"}


def area_columns(release: Release, table: AreaTable) -> list[str]:
    """Return what a layer tells of an area itself, and what an own policy lets out beside."""
    named = (*AREA_COLUMNS, *release.policy.extra_fields)
    return [name for name in named if name in table.areas]


def level_of_release(release: Release, level: str | None) -> AreaTable:
    """
    Return the table of a level; by default of the finest.

    Raises
    ------
    InputError
        If the release has no such level.
    """
    chosen = release.levels[0] if level is None else level
    if chosen not in release.tables:
        msg = f"The release has no level {chosen!r}; it has {listed(list(release.levels))}."
        raise InputError(msg)
    return release.tables[chosen]


def layer_of(
    release: Release,
    *,
    level: str | None = None,
    period: str | None = None,
    category: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Return the areas of a level with the numbers of one period and category.

    Parameters
    ----------
    release
        What is published.
    level
        By default the finest.
    period, category
        Labels; by default those of the view that opens first.

    Returns
    -------
    layer
        One row an area, in the order of the release: `area_code`, what is
        known of the area, `period`, `category`, `status`, the numbers, and
        `geometry` (EPSG:27700). Texts are plain objects.

    Raises
    ------
    InputError
        If the release has no such level, period or category.
    """
    table = level_of_release(release, level)
    period = _label(period, [view.label for view in release.periods], "period")
    category = _label(category, [view.label for view in release.categories], "category")
    codes = table.areas.index.astype(str)
    numbers = (
        table.view(period=period, category=category).reindex(codes).set_axis(table.areas.index)
    )
    known = area_columns(release, table)
    layer = table.areas[known].assign(period=period, category=category).join(numbers)
    layer.insert(0, "area_code", codes)
    layer = plain_texts(layer.reset_index(drop=True))
    return gpd.GeoDataFrame(layer, geometry=table.areas.geometry.array, crs=table.areas.crs)


def _label(given: str | None, known: list[str], kind: str) -> str:
    if given is None:
        return known[0]
    if given not in known:
        near = near_names(given, known)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = f"The release has no {kind} {given!r}.{hint} It has {listed(known, most=20)}."
        raise InputError(msg)
    return given


def plain_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """
    Return a table whose texts are Python's own, None where there is none.

    Examples
    --------
    >>> plain_texts(pd.DataFrame({"a": pd.Categorical(["x", None])}))["a"].tolist()
    ['x', None]
    """
    texts = {
        name: frame[name].astype(object).where(frame[name].notna(), None)
        for name in frame.columns
        if not pd.api.types.is_numeric_dtype(frame[name])
    }
    return frame.assign(**texts)


def about(release: Release) -> dict[str, Any]:
    """
    Return what a file says of itself: the declaration, views, and words, for JSON.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    said
        The declaration's keys; `periods` and `categories`; then words, in
        lists where there may be several.
    """
    return said_by(notes_of(release))


def said_by(notes: list[tuple[str, Any]]) -> dict[str, Any]:
    """
    Return notes, as they stand in a layer file, in the form for JSON.

    Parameters
    ----------
    notes
        Keys, which may repeat, and values; lists are JSON in a text.

    Examples
    --------
    >>> said_by([("policy", "public"), ("zeros_shown", "false"), ("mind", "a"), ("mind", "b")])
    {'policy': 'public', 'zeros_shown': False, 'mind': ['a', 'b']}
    """
    said: dict[str, Any] = {}
    for key, value in notes:
        name = _WORDS.get(key)
        if name in _MANY:
            said.setdefault(name, []).append(value)
        elif name is not None:
            said[name] = value
        elif key != "denominator":  # told by the categories already
            said[key] = value if key in _TEXTS else _parsed(value)
    return said


def _parsed(value: Any) -> Any:
    """Read numbers, lists and truth values from text."""
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and value[:1] in tuple("[{-0123456789"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def in_degrees(geometry: gpd.GeoSeries) -> NDArray[np.object_]:
    """
    Return shapes in WGS 84, rounded, outer rings anticlockwise (the right-hand rule).

    Parameters
    ----------
    geometry
        In EPSG:27700.

    Returns
    -------
    shapes
        Longitude and latitude with 6 decimals. Borders that were shared still
        are: the same point gives the same numbers. A point that rounding
        makes equal to the one before it is left out.
    """

    def degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        turned = np.column_stack(to_degrees(xy[:, 0], xy[:, 1]))
        return np.asarray(np.round(turned, DECIMALS), dtype=np.float64)

    turned = shapely.transform(np.asarray(geometry.array, dtype=object), degrees)
    merged = shapely.remove_repeated_points(turned)
    oriented = shapely.orient_polygons(merged, exterior_cw=False)
    return np.asarray(oriented, dtype=object)
