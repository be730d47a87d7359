"""
Places that are no area of any map: which small areas they are made of, and what these add up to.

A drawn polygon is answered from small areas by stated weights, the share of
each area's residents (or, where nothing is known of where they live, of its
ground) that lies inside. What goes in is what may be seen anyway: protected
counts. What comes out is worked out from them and from outlines that anybody
has, so that no set of drawn polygons, however they differ, tells more than
the small areas themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.crs import check_on_grid
from placeshaping._core.errors import ColumnError, GeometryError, InputError, UnmatchedError

FEWEST_RESIDENTS = 1_000
"""Residents under whom a drawn place is not answered: the fewest of an LSOA."""

SLIVER = 0.01
"""Share of an area under which it counts as outside, and within which of all as inside."""

MOST_HIDDEN = 0.10
"""Share of a place's weight that hidden areas may have; above it there is no answer."""

MOST_OUTSIDE = 0.05
"""Share of a drawn polygon that may lie beyond the areas."""


@dataclass(frozen=True, eq=False)
class BestFit:
    """
    What small areas a place is made of.

    Attributes
    ----------
    weights
        Share of each small area that lies in the place, by area code; areas
        of none are left out.
    weighted_by
        ``"residents of 1,040 output areas"``, ``"ground"`` or ``"whole areas"``.
    outside
        Share of the polygon that lies beyond all areas.
    """

    weights: pd.Series[float]
    weighted_by: str
    outside: float = 0.0

    @property
    def divided(self) -> int:
        """How many areas lie in the place in part."""
        return int((self.weights < 1).sum())

    @property
    def sentence(self) -> str:
        """How the place was put together, in words."""
        areas = f"{len(self.weights):,} small area{'s' if len(self.weights) != 1 else ''}"
        if not self.divided:
            return f"Put together from {areas}, each whole."
        return (
            f"Answered by best fit from {areas}, of which {self.divided:,} lie inside in part and "
            f"were weighted by {self.weighted_by}."
        )


def fit_drawn(
    drawn: shapely.Geometry,
    areas: gpd.GeoDataFrame,
    *,
    parts: gpd.GeoDataFrame | None = None,
) -> BestFit:
    """
    Say which share of each area lies in a drawn polygon.

    Parameters
    ----------
    drawn
        Polygon or several, EPSG:27700.
    areas
        Small areas indexed by `area_code`, EPSG:27700.
    parts
        Points (or polygons, each standing for a point inside it) with
        `residents` and `area_code` of the area that each is a part of: output
        areas. ``attrs["counts"]`` says what else than residents was counted
        (electors). Without them areas are weighted by ground.

    Returns
    -------
    fit
        Weights in the order of `areas`. Under 1 % counts as none and over
        99 % as all: nobody draws along a boundary exactly.

    Raises
    ------
    GeometryError
        If the polygon is empty, crosses itself or is none.
    UnmatchedError
        If more than 5 % of it lies beyond the areas.
    CRSError, ColumnError
        If tables are not on the National Grid, or `parts` lacks a column.

    Examples
    --------
    >>> codes = pd.Index(["a", "b"], name="area_code")
    >>> squares = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=codes, crs=27700)
    >>> fit = fit_drawn(shapely.box(0, 0, 150, 100), areas)
    >>> fit.weights.to_dict(), fit.weighted_by
    ({'a': 1.0, 'b': 0.5}, 'ground')
    """
    check_on_grid(areas.crs, where="areas")
    check_drawn(drawn)
    shapes = areas.geometry.to_numpy()
    shared = np.zeros(len(areas))
    near = shapely.STRtree(shapes).query(drawn, predicate="intersects")
    shared[near] = shapely.area(shapely.intersection(shapes[near], drawn))
    outside = max(0.0, 1 - float(shared.sum()) / drawn.area)
    if outside > MOST_OUTSIDE:
        msg = (
            f"{outside:.0%} of the polygon lies outside the areas; at most {MOST_OUTSIDE:.0%} may. "
            "Draw it inside, or name areas that reach further."
        )
        raise UnmatchedError(msg)
    share = pd.Series(shared / shapely.area(shapes), index=areas.index)
    by = "ground"
    if parts is not None:
        share, by = _by_residents(drawn, share, parts)
    share = share.where(share >= SLIVER, 0.0).where(share <= 1 - SLIVER, 1.0)
    return BestFit(share[share > 0].rename("weight"), by, outside)


def _by_residents(
    drawn: shapely.Geometry, ground: pd.Series[float], parts: gpd.GeoDataFrame
) -> tuple[pd.Series[float], str]:
    """Return the share of each area's residents inside; of its ground where it has no part."""
    check_columns(parts.columns, ["residents", "area_code"], where="parts")
    check_on_grid(parts.crs, where="parts")
    shapely.prepare(drawn)
    inside = shapely.intersects(drawn, parts.geometry.representative_point().to_numpy())
    people = parts["residents"].to_numpy(dtype=float)
    codes = parts["area_code"].astype(str).to_numpy()
    everybody = pd.Series(people, index=codes).groupby(level=0).sum().reindex(ground.index)
    within = pd.Series(people * inside, index=codes).groupby(level=0).sum().reindex(ground.index)
    share = (within / everybody.where(everybody > 0)).fillna(ground)
    return share, f"{parts.attrs.get('counts', 'residents')} of {len(parts):,} output areas"


def check_drawn(drawn: Any) -> None:
    """
    Refuse what is no polygon, or one that crosses itself.

    Raises
    ------
    GeometryError
        If it is something else, empty or crosses itself; the message says where.

    Examples
    --------
    >>> check_drawn(shapely.Point(0, 0))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.GeometryError: A place is drawn as a polygon, not as a Point. ...
    """
    kind = getattr(drawn, "geom_type", type(drawn).__name__)
    if kind not in ("Polygon", "MultiPolygon"):
        msg = f"A place is drawn as a polygon, not as a {kind}. Close the line, and save it again."
        raise GeometryError(msg)
    if drawn.is_empty:
        msg = "The polygon is empty: it encloses no ground. Draw it again."
        raise GeometryError(msg)
    if not drawn.is_valid:
        reason = shapely.is_valid_reason(drawn).replace("[", " at ").rstrip("]")
        msg = f"The polygon is not usable ({reason}). Draw it again without crossing its own line."
        raise GeometryError(msg)


def check_size(fit: BestFit, residents: pd.Series[float] | None) -> None:
    """
    Refuse a place that is smaller than a small area may be.

    Parameters
    ----------
    fit
        What it is made of.
    residents
        Residents of each small area; None where they are not known.

    Raises
    ------
    InputError
        If fewer than 1,000 people live in it or, where that is not known, it
        makes up less than one small area; the message names the areas that
        it touches.

    Examples
    --------
    >>> fit = BestFit(pd.Series({"E01000001": 0.4}), "ground")
    >>> check_size(fit, pd.Series({"E01000001": 1500}))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: About 600 people live in the place that was drawn; ...
    """
    touched = listed([str(code) for code in fit.weights.index])
    if residents is None:
        if fit.weights.sum() < 1:
            msg = (
                "The place that was drawn makes up less than one small area. Draw a larger one, or "
                f"ask for the areas that it touches: {touched}."
            )
            raise InputError(msg)
        return
    people = float((fit.weights * residents.reindex(fit.weights.index)).sum())
    if people < FEWEST_RESIDENTS:
        about = f"About {people:,.0f} people live" if people >= 1 else "Nobody lives"
        msg = (
            f"{about} in the place that was drawn; at least {FEWEST_RESIDENTS:,} are needed, as "
            f"in a small area. Draw a larger one, or ask for the areas that it touches: {touched}."
        )
        raise InputError(msg)


@dataclass(frozen=True)
class CountRules:
    """
    What is known of released counts, as far as sums of them need it.

    Attributes
    ----------
    threshold
        Counts under this are hidden.
    rounding
        What shown counts, and answers, are rounded to.
    zeros_shown
        Whether zero is shown.
    change
        How far a shown count may lie from the true one.
    """

    threshold: int
    rounding: int
    zeros_shown: bool
    change: float

    @property
    def smallest_hidden(self) -> int:
        """The smallest count that a hidden one may be."""
        return 1 if self.zeros_shown else 0


def weighted_counts(
    counts: pd.DataFrame, weights: pd.Series[float], *, rules: CountRules
) -> pd.DataFrame:
    """
    Add released counts up by weights, with the standard error that this brings.

    A hidden count stands for the middle of what its mark says. The error has
    three parts, taken as independent: what rounding may have changed (uniform
    within its step), what a hidden count may be (uniform within its mark), and
    where in a divided area its records lie (each inside with the probability
    of the weight). Records cluster more than that: take the last for the
    least that it may be.

    Parameters
    ----------
    counts
        One row an area, in the index, and one column a series (period,
        category); released counts, missing where hidden.
    weights
        Share of each area that lies in the place, by area code.
    rules
        Of the release.

    Returns
    -------
    answers
        One row a series: ``count`` (rounded as the release is; missing where
        it would be under the threshold, or hidden areas have more than a
        tenth of the weight), ``standard_error`` (of the sum, before rounding),
        ``hidden`` (share of the weight that hidden areas have).

    Raises
    ------
    UnmatchedError
        If an area of the place has no row.
    ColumnError
        If a weight is not above 0 and at most 1.

    Examples
    --------
    >>> counts = pd.DataFrame({"2025": [20, 10]}, index=["a", "b"])
    >>> rules = CountRules(threshold=5, rounding=5, zeros_shown=True, change=2)
    >>> weighted_counts(counts, pd.Series({"a": 1.0, "b": 0.5}), rules=rules).round(2)
          count  standard_error  hidden
    2025   25.0            2.24     0.0
    """
    absent = weights.index.difference(counts.index)
    if len(absent):
        msg = (
            f"{len(absent):,} of {len(weights):,} areas of the place have no counts "
            f"({listed(list(absent))}). Take counts and areas of the same release."
        )
        raise UnmatchedError(msg)
    w = weights.to_numpy(dtype=float)[:, None]
    if not ((w > 0) & (w <= 1)).all():
        msg = "weights: shares of areas are above 0 and at most 1. Leave areas of none out."
        raise ColumnError(msg)
    shown = counts.loc[weights.index].to_numpy(dtype=float, na_value=np.nan)
    hidden = np.isnan(shown)
    least, most = rules.smallest_hidden, max(rules.threshold - 1, rules.smallest_hidden)
    held = np.where(hidden, (least + most) / 2, shown)
    spread = np.where(hidden, _uniform(most - least), _uniform(2 * rules.change))
    spread[~hidden & (shown == 0)] = 0.0  # a zero that is shown is one
    error = np.sqrt((w**2 * spread + w * (1 - w) * held).sum(axis=0))
    total = (w * held).sum(axis=0)
    part = (w * hidden).sum(axis=0) / w.sum()
    return pd.DataFrame(
        {
            "count": _as_released(total, part, rules),
            "standard_error": error,
            "hidden": part,
        },
        index=counts.columns,
    )


def _uniform(span: float) -> float:
    """Return the variance of a whole number that is uniform within a span."""
    return ((span + 1) ** 2 - 1) / 12


def _as_released(
    total: NDArray[np.float64], hidden: NDArray[np.float64], rules: CountRules
) -> NDArray[np.float64]:
    """Round sums as the release is rounded, and hide those that it would hide."""
    rounded = rules.rounding * np.floor(total / rules.rounding + 0.5)
    small = (rounded < rules.threshold) & ~((total == 0) & rules.zeros_shown)
    return np.where(small | (hidden > MOST_HIDDEN), np.nan, rounded)
