"""A proposal of wards as a picture and a table, for readers without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from markupsafe import escape
from numpy.typing import NDArray

from placeshaping.maps.palettes import OUTLINE
from placeshaping.maps.still import svg_path
from placeshaping.pages.page import Still
from placeshaping.shaping.ward_scores import score_proposal, ward_numbers
from placeshaping.shaping.wards import Proposal, Review

WARD_COLOURS = (
    "#889aec",
    "#f9f1a6",
    "#d97d5f",
    "#a8dcff",
    "#46bd98",
    "#f9c4cd",
    "#bbcc33",
    "#9793a6",
)
"""Pale enough for dark names on them, apart for each kind of colour sight; each has a pattern."""

_WIDE = 1000
_HEADS = (
    "Ward",
    "Councillors",
    "Electors now",
    "Variance now",
    "Electors, forecast",
    "Variance, forecast",
)
_COLUMNS = [
    "name",
    "councillors",
    "electors_now",
    "variance_now",
    "electors_forecast",
    "variance_forecast",
]


@dataclass(frozen=True)
class _Frame:
    """The corner of a picture, and how many metres a unit of it is."""

    west: float
    north: float
    unit: float


def ward_still(review: Review, proposal: Proposal) -> Still:
    """
    Draw and tabulate a proposal.

    Parameters
    ----------
    review
        The area.
    proposal
        Its wards.

    Returns
    -------
    still
        An inline SVG of about 1,000 units in width, and the wards' figures in
        words.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> from placeshaping.shaping.wards import make_proposal, make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [90, 110], "electors_forecast": [100, 110]}, crs=27700,
    ...     geometry=[shapely.box(x, 0, x + 100, 100) for x in (0, 100)], index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> wards = pd.Series(["West", "East"], index=["a", "b"])
    >>> halves = make_proposal(review, wards, name="Halves", councillors={"West": 1, "East": 1})
    >>> ward_still(review, halves).rows[0]
    ('West', '1', '90', '-10.0 %', '100', '-4.8 %')
    """
    numbers = ward_numbers(review, proposal)
    west, south, east, north = map(float, review.units.total_bounds)
    frame = _Frame(west, north, (east - west) / _WIDE)
    scores = score_proposal(review, proposal).wards
    return Still(
        picture="".join(_picture(review, proposal, numbers, frame)),
        height=int(np.ceil((north - south) / frame.unit)),
        caption=f"{proposal.name}: {len(scores):,} wards for {review.councillors:,} councillors",
        classes=(),
        table_caption=f"{proposal.name}: the wards in figures",
        heads=_HEADS,
        rows=tuple(_row(row) for row in scores[_COLUMNS].to_numpy(dtype=object)),
    )


def _row(row: NDArray[np.object_]) -> tuple[str, ...]:
    name, seats, now, variance_now, forecast, variance = row
    return (
        str(name),
        f"{seats:,}",
        f"{now:,}",
        f"{100 * variance_now:+.1f} %",
        f"{forecast:,}",
        f"{100 * variance:+.1f} %",
    )


def _picture(
    review: Review, proposal: Proposal, numbers: NDArray[np.int64], frame: _Frame
) -> Iterator[str]:
    """Draw each ward in a colour that none beside it has, with its name."""
    names = proposal.wards["name"].astype(str).to_list()
    units = review.units.geometry.to_numpy()
    shapes = [shapely.union_all(units[numbers == ward]) for ward in range(len(names))]
    colours = _colours(review, numbers, len(names))
    yield f'<g fill-rule="evenodd" stroke="{OUTLINE}" stroke-width="2">'
    for shape, colour in zip(shapely.simplify(shapes, 1.5 * frame.unit), colours, strict=True):
        path = svg_path(shape, frame.west, frame.north, frame.unit)
        yield f'<path fill="{WARD_COLOURS[colour]}" d="{path}"/>'
    yield '</g><g font-family="sans-serif" font-size="15" font-weight="700" text-anchor="middle">'
    for name, point in zip(names, shapely.point_on_surface(shapes), strict=True):
        x, y = (point.x - frame.west) / frame.unit, (frame.north - point.y) / frame.unit
        yield f'<text x="{x:.0f}" y="{y:.0f}" fill="#0b0c0c">{escape(name)}</text>'
    yield "</g>"


def _colours(review: Review, numbers: NDArray[np.int64], size: int) -> list[int]:
    ends = numbers[review.neighbours[["one", "other"]].to_numpy()]
    beside: list[set[int]] = [set() for _ in range(size)]
    for one, other in ends[ends[:, 0] != ends[:, 1]].tolist():
        beside[one].add(other)
        beside[other].add(one)
    chosen = [-1] * size
    for ward in sorted(range(size), key=lambda ward: -len(beside[ward])):
        taken = {chosen[other] for other in beside[ward]}
        free = [colour for colour in range(len(WARD_COLOURS)) if colour not in taken] or [0]
        chosen[ward] = min(free, key=chosen.count)
    return chosen
