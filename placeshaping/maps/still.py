"""
The first view as a picture and a table, for readers without JavaScript.

They hold nothing that the page does not show otherwise: the protected numbers
of one view, and borders coarser than those of the map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.maps.classes import assign_class
from placeshaping.maps.months import period_words
from placeshaping.maps.palettes import (
    HIDDEN_FILL,
    HIDDEN_HATCH,
    MISSING_FILL,
    NONE_FILL,
    OUTLINE,
    label_styles,
    sequential,
)
from placeshaping.maps.payload import ViewClasses
from placeshaping.maps.words import tenth, words_of
from placeshaping.pages.page import Still, StillClass

_WIDE = 1000
_MOST_CHARACTERS = 44_000
_MOST_ROWS = 60
_MOST_OUTLINED = _MOST_CHARACTERS // 20
_SQUARE = 10
_TOLERANCES = (1.0, 1.5, 2.5)
_Drawing = Callable[[NDArray[np.int64], list[str]], str]
"""Writes a picture for the class of each area and the colours of the classes."""

_HATCHED, _DOTTED = "url(#still-hatch)", "url(#still-dots)"
_NOT_SHOWN = {"hidden": "hidden", "missing": "no data"}


def still_of_labels(release: Release, scheme: LabelScheme) -> Still:
    """
    Draw and tabulate a layer of labels, where the policy shows no counts.

    Parameters
    ----------
    release
        Protected labels; the first category over the whole span is shown.
    scheme
        Of the layer.

    Returns
    -------
    still
        As `still_view` makes it, with the classes of the page and words in
        the place of numbers.
    """
    tables = [table for table in release.tables.values() if scheme.name in table.values]
    table, draw = _drawable(tables)
    styles = label_styles(scheme)
    values = _view(release, table)[scheme.name].astype(object)
    where = {style.value: place for place, style in enumerate(styles)}
    hidden = _view(release, table)["status"].astype(str).eq("hidden").to_numpy()
    of = values.map(where).fillna(len(styles) + 1).to_numpy(dtype=np.int64)
    of = np.where(hidden, len(styles), of)
    named = [(style.label, style.colour) for style in styles]
    named += [("Hidden to protect people", _HATCHED), ("Not looked for, or no data", _DOTTED)]
    used = [place for place in range(len(named)) if (of == place).any()]
    listed = _listed(tables)
    words = {style.value: style.label for style in styles}
    told = _view(release, listed).iloc[:_MOST_ROWS]
    names = listed.areas["area_name"].astype(str).iloc[:_MOST_ROWS]
    rows = zip(names, told[scheme.name].astype(object), told["status"].astype(str), strict=True)
    return Still(
        picture=draw(np.searchsorted(used, of), [named[place][1] for place in used]),
        height=_height(table),
        caption=_label_caption(release, table, scheme),
        classes=tuple(
            StillClass(named[place][0], _swatch(named[place][1]), f"{int((of == place).sum()):,}")
            for place in used
        ),
        table_caption=_label_caption(release, listed, scheme),
        heads=("Area", "Class"),
        rows=tuple(
            (name, words.get(value) or ("hidden" if status == "hidden" else "not looked for"))
            for name, value, status in rows
        ),
        left_out=max(len(listed.areas) - _MOST_ROWS, 0),
    )


def _label_caption(release: Release, table: AreaTable, scheme: LabelScheme) -> str:
    when = period_words(release.periods[0])
    return f"{scheme.title}: {release.categories[0].label}, {when}, by {words_of(table)[0]}"


def still_view(release: Release, *, classes: ViewClasses) -> Still:
    """
    Draw and tabulate the view that opens first, small enough for every page.

    The picture shows the finest level whose outlines fit in 44 kB (of
    thousands of areas without a coarser level, a mosaic of squares); the table
    lists the finest level of at most 60 areas, or the first 60 areas of the
    coarsest.

    Parameters
    ----------
    release
        Protected numbers; the first category over the whole span is shown, as
        a rate where its denominator is known.
    classes
        Edges of the classes, as for the map.

    Returns
    -------
    still
        An inline SVG of about 1,000 units in width, its legend, and the rows
        of the table as words.
    """
    tables = list(release.tables.values())
    table, draw = _drawable(tables)
    rated = _is_rated(release, table)
    view = _view(release, table)
    named, of = _classes(release, table, view, rated=rated, classes=classes)
    listed = _listed(tables)
    return Still(
        picture=draw(of, [fill for _, fill in named]),
        height=_height(table),
        caption=_caption(release, table, rated=rated),
        classes=tuple(
            StillClass(label, _swatch(fill), f"{int((of == place).sum()):,}")
            for place, (label, fill) in enumerate(named)
        ),
        table_caption=_caption(release, listed, rated=_is_rated(release, listed)),
        heads=_heads(release, listed),
        rows=_rows(release, listed),
        left_out=max(len(listed.areas) - _MOST_ROWS, 0),
    )


def _drawable(tables: Sequence[AreaTable]) -> tuple[AreaTable, _Drawing]:
    """Return the finest level whose outlines are short enough, and what draws it."""
    for table in tables:
        for tolerance in _TOLERANCES if len(table.areas) <= _MOST_OUTLINED else ():
            paths = _outlines(table, tolerance)
            if sum(map(len, paths)) <= _MOST_CHARACTERS:
                return table, partial(_filled, paths)
    table = tables[-1]
    if len(table.areas) > _MOST_OUTLINED:
        return table, partial(_mosaic, _owners(table))
    return table, partial(_filled, _outlines(table, 2 * _TOLERANCES[-1]))


def _owners(table: AreaTable) -> NDArray[np.int64]:
    """Lay squares over the map: each belongs to the area at its middle, -1 for none."""
    west, south, east, north = table.areas.total_bounds
    side = (east - west) / _WIDE * _SQUARE
    x, y = np.meshgrid(
        np.arange(west + side / 2, east, side), np.arange(north - side / 2, south, -side)
    )
    tree = shapely.STRtree(table.areas.geometry.to_numpy())
    found, areas = tree.query(shapely.points(x.ravel(), y.ravel()), predicate="intersects")
    of = np.full(x.shape, -1)
    of.ravel()[found] = areas
    return of


def _mosaic(owners: NDArray[np.int64], of: NDArray[np.int64], fills: list[str]) -> str:
    """Draw thousands of areas as rows of squares, each class one line as wide as they are."""
    classes = np.where(owners < 0, -1, of[owners])
    paths = "".join(
        f'<path stroke="{fill}" d="{_runs(classes == place)}"/>' for place, fill in enumerate(fills)
    )
    return (
        f"{_patterns(1 / _SQUARE)}"
        f'<g fill="none" transform="scale({_SQUARE}) translate(0 .5)">{paths}</g>'
    )


def _runs(ours: NDArray[np.bool_]) -> str:
    """Write where the squares of each row run, from one to the next in that row."""
    beside = np.pad(ours, ((0, 0), (1, 1))).astype(np.int8)
    row, start = np.nonzero(np.diff(beside, axis=1) == 1)
    past = np.nonzero(np.diff(beside, axis=1) == -1)[1]
    first = np.r_[True, row[1:] != row[:-1]][: len(row)]
    ahead = start - np.r_[0, past[:-1]][: len(row)]
    moves = np.where(first, start, ahead).tolist()
    return "".join(
        f"M{move},{at}h{wide}" if fresh else f"m{move},0h{wide}"
        for move, at, wide, fresh in zip(
            moves, row.tolist(), (past - start).tolist(), first.tolist(), strict=True
        )
    )


def _outlines(table: AreaTable, tolerance: float) -> list[str]:
    """Write each area as SVG path data, in units of a thousandth of the map's width."""
    west, _, east, north = table.areas.total_bounds
    unit = (east - west) / _WIDE
    shapes = table.areas.geometry.to_numpy()
    if shapely.coverage_is_valid(shapes):
        simple = shapely.coverage_simplify(shapes, tolerance * unit)
    else:
        simple = shapely.simplify(shapes, tolerance * unit)
    return [svg_path(shape, west, north, unit) for shape in simple]


def _height(table: AreaTable) -> int:
    west, south, east, north = table.areas.total_bounds
    return int(np.ceil(_WIDE * (north - south) / (east - west)))


def svg_path(shape: Any, west: float, north: float, unit: float) -> str:
    """
    Write a polygon as SVG path data, in whole units; rings smaller than one are left out.

    Parameters
    ----------
    shape
        Polygon or multipolygon.
    west, north
        Of the picture's corner, in the polygon's units.
    unit
        How many of those a unit of the picture is.

    Returns
    -------
    path
        For the attribute `d`.

    Examples
    --------
    >>> svg_path(shapely.box(0, 0, 20, 10), 0, 10, 1)
    'M20,10l0-10l-20,0l0,10z'
    """
    parts = shapely.get_parts(shape)
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return "".join(_ring(shapely.get_coordinates(ring), west, north, unit) for ring in rings)


def _ring(points: NDArray[np.float64], west: float, north: float, unit: float) -> str:
    """Write one ring as steps of whole units; one that is smaller than a unit is left out."""
    units = np.column_stack([points[:, 0] - west, north - points[:, 1]]) / unit
    whole = np.rint(units).astype(np.int64)
    steps = np.diff(whole, axis=0)
    steps = steps[steps.any(axis=1)][:-1]
    if len(steps) < 2:
        return ""
    way = "".join(f"{x}{',' if y >= 0 else ''}{y}l" for x, y in steps.tolist()).rstrip("l")
    return f"M{whole[0, 0]},{whole[0, 1]}l{way}z"


def _is_rated(release: Release, table: AreaTable) -> bool:
    return release.categories[0].denominator in table.areas


def _view(release: Release, table: AreaTable) -> pd.DataFrame:
    return table.view(period=release.periods[0].label, category=release.categories[0].label)


def _classes(
    release: Release, table: AreaTable, view: pd.DataFrame, *, rated: bool, classes: ViewClasses
) -> tuple[list[tuple[str, str]], NDArray[np.int64]]:
    """Return label and fill of each class, and the class of each area, as the page has them."""
    label = release.categories[0].label
    edges = classes.rates.get(label, []) if rated else []
    edges = edges or classes.counts[table.level][label][0]
    values = view["rate" if rated else "count"].to_numpy(dtype="float64", na_value=np.nan)
    zero, known = values == 0, ~np.isnan(values)
    labels = _labels(edges, least=0 if rated else release.policy.threshold, zeros=bool(zero.any()))
    named = [
        ("None recorded", NONE_FILL),
        *zip(labels, sequential(len(edges) - 1), strict=True),
        ("Hidden to protect people", _HATCHED),
        ("No data", _DOTTED),
    ]
    hidden = view["status"].astype(str).eq("hidden").to_numpy()
    of = np.where(hidden, len(named) - 2, len(named) - 1)
    of = np.where(known, assign_class(values, edges) + 1, of)
    of = np.where(zero, 0, of)
    used = [
        place for place in range(len(named)) if 0 < place < len(named) - 2 or (of == place).any()
    ]
    return [named[place] for place in used], np.searchsorted(used, of)


def _labels(edges: list[float], *, least: float, zeros: bool) -> list[str]:
    if len(edges) == 2:
        return [f"Under {edges[1]:,g}"]
    first = f"{'Above 0 to under' if zeros else 'Under'} {edges[1]:,g}"
    if 0 < least < edges[1]:
        first = f"{least:,g} to under {edges[1]:,g}"
    middle = [f"{low:,g} to under {high:,g}" for low, high in pairwise(edges[1:-1])]
    return [first, *middle, f"{edges[-2]:,g} or more"]


def _swatch(fill: str) -> str:
    return {_HATCHED: "hatched", _DOTTED: "dotted"}.get(fill, fill)


def _filled(shapes: list[str], of: NDArray[np.int64], fills: list[str]) -> str:
    """Write one path a class, over the patterns of what is hidden or missing."""
    paths = "".join(
        f'<path fill="{fill}" d="{"".join(shapes[i] for i in np.flatnonzero(of == place))}"/>'
        for place, fill in enumerate(fills)
    )
    return f'{_patterns(1)}<g fill-rule="evenodd" stroke="{OUTLINE}" stroke-width="0.6">{paths}</g>'


def _patterns(scale: float) -> str:
    """Write what hidden and missing numbers are filled with, where units are so many times less."""
    turned = "" if scale == 1 else f' patternTransform="scale({scale:g})"'
    return (
        "<defs>"
        f'<pattern id="still-hatch" width="8" height="8" patternUnits="userSpaceOnUse"{turned}>'
        f'<rect width="8" height="8" fill="{HIDDEN_FILL}"/>'
        f'<path d="M-1,9l10-10" stroke="{HIDDEN_HATCH}" stroke-width="1.4"/></pattern>'
        f'<pattern id="still-dots" width="8" height="8" patternUnits="userSpaceOnUse"{turned}>'
        f'<rect width="8" height="8" fill="{MISSING_FILL}"/>'
        f'<circle cx="4" cy="4" r="1" fill="{HIDDEN_HATCH}"/></pattern></defs>'
    )


def _caption(release: Release, table: AreaTable, *, rated: bool) -> str:
    category = release.categories[0]
    unit = f" per 1,000 {category.denominator} a year" if rated else ": number of records"
    return f"{category.label}{unit}, {period_words(release.periods[0])}, by {words_of(table)[0]}"


def _listed(tables: Sequence[AreaTable]) -> AreaTable:
    """Return the finest level that is short enough to be read as a table."""
    return next((table for table in tables if len(table.areas) <= _MOST_ROWS), tables[-1])


def _heads(release: Release, table: AreaTable) -> tuple[str, ...]:
    if not _is_rated(release, table):
        return ("Area", "Records")
    unit = f"Per 1,000 {release.categories[0].denominator} a year"
    return ("Area", "Records", unit, "95% interval")


def _rows(release: Release, table: AreaTable) -> tuple[tuple[str, ...], ...]:
    view = _view(release, table).iloc[:_MOST_ROWS]
    names = table.areas["area_name"].astype(str).iloc[:_MOST_ROWS]
    rated = _is_rated(release, table)
    return tuple(
        (name, *_cells(row, rated=rated))
        for name, row in zip(names, view.to_dict("records"), strict=True)
    )


def _cells(row: dict[Any, Any], *, rated: bool) -> tuple[str, ...]:
    blank = _NOT_SHOWN.get(str(row["status"]), "no data")
    count = blank if pd.isna(row["count"]) else f"{int(row['count']):,}"
    if not rated:
        return (count,)
    if pd.isna(row["rate"]):
        return (count, blank, "")
    return (count, tenth(row["rate"]), f"{tenth(row['lower'])} to {tenth(row['upper'])}")
