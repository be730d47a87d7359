"""The data of a map page: counts, hot-spot classes and shapes in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import EmptyError
from placeshaping.disclosure.facts import FACT_COLUMNS
from placeshaping.disclosure.public_places import PublicPlaces
from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.maps.classes import Scheme, class_edges
from placeshaping.maps.coverage import Coverage, polygons_to_text
from placeshaping.maps.palettes import CLUSTERS

HIDDEN, MISSING = -1, -2
"""What stands in `count` instead of a number."""

_PEOPLE = ("residents", "households", "imd_decile")


@dataclass(frozen=True)
class ViewClasses:
    """
    The edges of all classes of a release; `view_classes` chooses them.

    Attributes
    ----------
    rates
        Category label -> edges: see `rate_classes`.
    counts
        Level -> category label -> edges: see `count_classes`.
    """

    rates: Mapping[str, list[float]]
    counts: Mapping[str, Mapping[str, list[list[float]]]]


def view_classes(release: Release, *, scheme: Scheme = "even") -> ViewClasses:
    """
    Choose the edges of the classes of rates and of counts, once for all that shows them.

    Parameters
    ----------
    release
        Protected numbers.
    scheme
        How the edges are chosen.

    Returns
    -------
    classes
        For `page_data` and `still.still_view`.
    """
    return ViewClasses(rate_classes(release, scheme=scheme), count_classes(release, scheme=scheme))


def page_data(release: Release, coverage: Coverage, *, classes: ViewClasses) -> dict[str, Any]:
    """
    Lay a release out as the data block of a page, described in ``docs/formats.md``.

    Parameters
    ----------
    release
        Protected numbers.
    coverage
        Shapes of its levels, in their order.
    classes
        Edges of its classes.

    Returns
    -------
    data
        Ready for JSON. Rates are not in it: the page works them out.
    """
    return {
        **_lookups(release),
        "format": 1,
        "periods": [
            {
                "label": period.label,
                "first": period.first.strftime("%Y-%m-%d"),
                "last": period.last.strftime("%Y-%m-%d"),
                "months": period.months,
            }
            for period in release.periods
        ],
        "categories": [
            {
                "label": category.label,
                "denominator": category.denominator,
                **({"parts": list(category.parts)} if len(category.parts) > 1 else {}),
            }
            for category in release.categories
        ],
        "levels": [
            _level(release, level, polygons)
            for level, polygons in zip(
                release.levels, polygons_to_text(coverage.polygons), strict=True
            )
        ],
        "clusters": list(CLUSTERS),
        "arcs": coverage.arcs,
        "classes": dict(classes.rates),
    }


def _lookups(release: Release) -> dict[str, Any]:
    """Return public places and postcode sectors, as far as there are some."""
    found: dict[str, Any] = {}
    if release.places:
        found["places"] = [_places(kind) for kind in release.places]
    finest = release.tables[release.levels[0]].areas.index.astype(str)
    sectors = {
        name: [int(place) for place in finest.get_indexer(list(codes)) if place >= 0]
        for name, codes in release.sectors.items()
    }
    if sectors := {name: places for name, places in sectors.items() if places}:
        found["sectors"] = sectors
    return found


def _places(kind: PublicPlaces) -> dict[str, Any]:
    x, y = to_degrees(kind.points.geometry.x, kind.points.geometry.y)
    return {
        "title": kind.title,
        "names": kind.points["name"].astype(str).tolist(),
        "x": np.round(x, 5).tolist(),
        "y": np.round(y, 5).tolist(),
    }


def rate_classes(release: Release, *, scheme: Scheme = "even") -> dict[str, list[float]]:
    """
    Choose the edges of the rates' classes: one set a category, for all levels and periods.

    Parameters
    ----------
    release
        Protected numbers.
    scheme
        How the edges are chosen.

    Returns
    -------
    classes
        Category label -> edges, from the whole span at the finest level.
        Categories without a rate are left out.
    """
    table = release.tables[release.levels[0]]
    if not release.policy.counts_shown:
        return {}
    rates = cube(release, table, "rate")[0]
    return {
        category.label: edges
        for category, values in zip(release.categories, rates, strict=True)
        if category.denominator is not None and (edges := _edges(values, scheme))
    }


def count_classes(
    release: Release, *, scheme: Scheme = "even"
) -> dict[str, dict[str, list[list[float]]]]:
    """
    Choose the edges of the counts' classes, for the whole span and for its parts.

    Parameters
    ----------
    release
        Protected numbers.
    scheme
        How the edges are chosen.

    Returns
    -------
    classes
        Level -> category label -> edges of the whole span, edges of the parts.
    """
    found: dict[str, dict[str, list[list[float]]]] = {}
    for level, table in release.tables.items() if release.policy.counts_shown else ():
        counts = cube(release, table, "count")
        found[level] = {
            category.label: [
                _edges(counts[0, place], scheme) or [0.0, 1.0],
                _edges(counts[1:, place], scheme) or [0.0, 1.0],
            ]
            for place, category in enumerate(release.categories)
        }
    return found


def cube(release: Release, table: AreaTable, column: str) -> NDArray[np.float64]:
    """
    Return a column of a table as an array of shape (periods, categories, areas).

    Parameters
    ----------
    release
        Whose periods and categories are the first two axes.
    table
        One level of it.
    column
        A column of numbers; what is hidden or missing becomes NaN.

    Returns
    -------
    cube
        Floats.
    """
    shape = (len(release.periods), len(release.categories), len(table.areas))
    values = table.values[column].to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(values, dtype="float64").reshape(shape)


def _edges(values: NDArray[np.float64], scheme: Scheme) -> list[float]:
    """Choose edges for what was recorded: where nothing was, an area has a class of its own."""
    try:
        return list(class_edges(values[values > 0], scheme=scheme))
    except EmptyError:
        return []


def _level(release: Release, level: str, polygons: Any) -> dict[str, Any]:
    table = release.tables[level]
    areas = table.areas
    made: dict[str, Any] = {
        "level": level,
        "label": table.label,
        "short": table.short_label,
        "codes": [str(code) for code in areas.index],
        "names": [str(name) for name in areas["area_name"]],
        **_parents(release, level),
    }
    for column in _PEOPLE:
        made[column] = _whole_numbers(areas[column]) if column in areas else None
    if "members" in areas:
        made["members"] = [None if pd.isna(codes) else str(codes) for codes in areas["members"]]
    made["count"] = _counts(table.values)
    made["cluster"] = _clusters(table.values)
    made["labels"] = {
        scheme.name: _letters(table.values[scheme.name], scheme)
        for scheme in release.labels
        if scheme.name in table.values
    }
    if found := _measured(table.values):
        made["measures"] = found
    made["polygons"] = polygons
    return made


def _measured(values: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the measures that count no records, as they are printed: numbers with one decimal."""
    found: dict[str, list[Any]] = {}
    for name in (name for name in FACT_COLUMNS if name in values):
        column = values[name]
        if pd.api.types.is_numeric_dtype(column):
            column = column.astype("float64").round(1)
        found[name] = column.astype(object).where(column.notna(), None).tolist()
    return found


def _parents(release: Release, level: str) -> dict[str, Any]:
    """Say where the areas of a level lie: in a level above, or under which of the finest."""
    table = release.tables[level]
    found: dict[str, Any] = {"parents": None}
    if table.parent_level is not None:
        found["parents"] = _positions(release, table.parent_level, table.areas["parent_code"])
        found["parent_level"] = release.levels.index(table.parent_level)
    finest = release.tables[release.levels[0]].areas
    if f"{level}_code" in finest:
        found["holds"] = _positions(release, level, finest[f"{level}_code"])
    return found


def _positions(release: Release, level: str, codes: pd.Series[str]) -> list[int | None]:
    positions = release.tables[level].areas.index.get_indexer(pd.Index(codes))
    return [int(position) if position >= 0 else None for position in positions]


def _whole_numbers(values: pd.Series[Any]) -> list[int | None]:
    return [None if pd.isna(value) else int(value) for value in values]


def _counts(values: pd.DataFrame) -> list[int | None]:
    status = values["status"].astype(str).to_numpy()
    if "count" not in values:  # the policy shows none
        marks = {"missing": MISSING, "hidden": HIDDEN}
        return [marks.get(one) for one in status]
    count = values["count"].fillna(0).to_numpy(dtype="int64")
    shown = np.where(status == "missing", MISSING, np.where(status == "hidden", HIDDEN, count))
    numbers: list[int | None] = shown.tolist()
    return numbers


def _letters(labels: pd.Series[Any], scheme: LabelScheme) -> str:
    """Write one letter a cell, by the place of its class; a point for none, and none at the end."""
    letters = {value: chr(ord("a") + place) for place, value in enumerate(scheme.values)}
    return "".join(labels.astype(object).map(letters).fillna(".")).rstrip(".")


def _clusters(values: pd.DataFrame) -> list[int] | None:
    if "cluster" not in values or values["cluster"].isna().all():
        return None
    order: Mapping[str, int] = {value: place for place, value in enumerate(CLUSTERS)}
    known: Sequence[Any] = values["cluster"].astype(object).tolist()
    return [order.get(str(value), -1) if not pd.isna(value) else -1 for value in known]
