"""
Hot streets: counts and rates per kilometre by street segment, and how concentrated they are.

A few street segments hold much of the recorded crime of most towns (Weisburd
2015, "The law of crime concentration and the criminology of place"). How few
depends on how many events there are at all, so every figure stands beside what
chance would do. For officers: a segment is a finer place than any policy but
``restricted`` lets out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_result, check_unique, check_whole, listed
from placeshaping._core.crs import DEGREE_BOUNDS, check_on_grid, looks_like_degrees
from placeshaping._core.errors import CRSError, EmptyError, GeometryError, InputError
from placeshaping._core.words import uncapitalised
from placeshaping.joins._geometry import coordinates
from placeshaping.statistics._counts import check_level, poisson_limits
from placeshaping.statistics.concentration import gini

_log = logging.getLogger(__name__)

HOLDS = ("none", "rest", "top_50", "top_25")
"""Segments without events, with some, and those that together hold 50 or 25 % of them."""

FEW_MATCHED = 0.9
"""Share of events on a street below which a reader is warned."""

_LINES = (1, 5)
_POINT = 0


def hot_streets(
    events: pd.DataFrame,
    streets: gpd.GeoDataFrame,
    *,
    within: float = 50.0,
    by: str | None = None,
    years: float = 1.0,
    level: float = 0.95,
    draws: int = 199,
    rng: int | np.random.Generator = 0,
) -> gpd.GeoDataFrame:
    """
    Count events on the nearest street segment, and rank the segments.

    Parameters
    ----------
    events
        Points in EPSG:27700.
    streets
        Lines in EPSG:27700, one row a segment (between two junctions).
    within
        Metres within which an event belongs to a street. An event as near to
        two segments (at a junction, where anchor points often lie) is shared
        between them.
    by
        Column whose segments are added up, such as a street's number; by
        default each row is a segment. Names recur from town to town: use a
        number.
    years
        Length of the record, for rates a year.
    level
        Confidence level of the interval of the rate.
    draws
        Random records that show how concentrated events would be by chance.
    rng
        Seed or generator of the random records.

    Returns
    -------
    segments
        Index and order of `streets` (or one row a value of `by`), its columns
        and: ``length_km``, ``count`` (fractions where events are shared),
        ``per_km`` (a year, with ``lower`` and ``upper``, Poisson), ``order``
        (1 = most events; ties share the lowest) and ``holds`` (one of `HOLDS`;
        segments tied at the cut are all in). ``attrs``: ``matched``,
        ``unmatched``, ``unlocated``, ``shared``, ``concentration``,
        ``method``, ``cautions``. ``concentration`` has for 25 and 50 % the
        least number of segments that hold as much (``segments_25``), their
        share of all (``share_25``), the same share if events fell on streets
        by their length alone (``chance_25``, an interval of 95 %), and
        ``gini`` (of counts; 0 = as even as so few events can be: Bernasco and
        Steenbeek 2017) with ``chance_gini``.

    Raises
    ------
    CRSError
        If a table is not in EPSG:27700, or its coordinates are degrees.
    GeometryError
        If streets are no lines, have no length, or events are no points.
    EmptyError
        If there are no streets, or no event lies near one.
    DuplicateError
        If a segment stands twice.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> lines = [LineString([(0, 0), (500, 0)]), LineString([(500, 0), (500, 250)])]
    >>> streets = gpd.GeoDataFrame(index=["Mill Lane", "The Row"], geometry=lines, crs=27700)
    >>> points = [Point(100, 5), Point(200, 5), Point(495, 100), Point(300, 400)]
    >>> table = hot_streets(gpd.GeoDataFrame(geometry=points, crs=27700), streets)
    >>> table[["length_km", "count", "per_km", "order"]]
               length_km  count  per_km  order
    Mill Lane       0.50      2     4.0      1
    The Row         0.25      1     4.0      2
    >>> table.attrs["unmatched"]
    1
    """
    check_level(level)
    _check_options(within, years)
    check_whole(draws, name="draws")
    points = _checked_points(events)
    segments = _checked_lines(streets, by)
    located = points[~(shapely.is_missing(points) | shapely.is_empty(points))]
    count, matched, shared = _nearest(located, segments, within)
    if not matched:
        msg = f"None of {len(points):,} events lies within {within:g} m of a street."
        msg = f"{msg} Check the places of both, or pass a larger distance."
        raise EmptyError(msg)
    length = shapely.length(segments.geometry.to_numpy()) / 1000
    low, high = poisson_limits(count, level=level, exact=False)
    result = segments.assign(
        length_km=length,
        count=count.astype(np.int64) if not shared else count,
        per_km=count / length / years,
        lower=low / length / years,
        upper=high / length / years,
        order=pd.Series(count).rank(method="min", ascending=False).to_numpy().astype(np.int64),
    )
    result["holds"] = _holds(count)
    facts = {
        "matched": matched,
        "unmatched": len(located) - matched,
        "unlocated": len(points) - len(located),
        "shared": shared,
    }
    result.attrs = {
        **facts,
        "concentration": _concentration(count, length, matched, draws, rng),
        "method": (
            f"Events on the nearest street segment within {within:g} m; rates per km a year over "
            f"{years:g} years; chance from {draws:,} records spread by length."
        ),
        "cautions": tuple(_cautions(facts, len(points), within, count, length)),
    }
    for caution in result.attrs["cautions"]:
        _log.warning("%s", caution)
    return result


def describe_streets(segments: pd.DataFrame, *, what: str = "recorded crime") -> str:
    """
    Say in a paragraph how concentrated events are on streets.

    Parameters
    ----------
    segments
        From `hot_streets`.
    what
        What was counted.

    Returns
    -------
    paragraph
        For people who are not statisticians; it names no street.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> lines = [LineString([(0, y), (500, y)]) for y in range(0, 4000, 100)]
    >>> streets = gpd.GeoDataFrame(geometry=lines, crs=27700)
    >>> points = [Point(100, 5)] * 30 + [Point(9, 100 * i) for i in range(30)]
    >>> print(describe_streets(hot_streets(gpd.GeoDataFrame(geometry=points, crs=27700), streets)))
    1 of 40 street segments (2.5%) hold half of all recorded crime. Spread by chance along all ...
    """
    check_result(
        segments,
        made_by="hot_streets",
        columns=["count"],
        facts=["concentration", "matched", "unmatched", "unlocated"],
    )
    facts = segments.attrs["concentration"]
    low, high = (100 * share for share in facts["chance_50"])
    some = facts["segments_50"]
    far = facts["share_50"] < facts["chance_50"][0]
    text = (
        f"{some:,} of {len(segments):,} street segments ({facts['share_50']:.1%}) hold half of all "
        f"{uncapitalised(what)}. Spread by chance along all streets, it would take "
        f"{low:.1f} to {high:.1f}% of them. "
    )
    text += (
        "So a small part of the streets has much more than its share. "
        if far
        else "So this is no more concentrated than chance would have it. "
    )
    lost = segments.attrs["unmatched"] + segments.attrs["unlocated"]
    if lost:
        share = lost / (lost + segments.attrs["matched"])
        text += f"{lost:,} records ({share:.0%}) lie on no street here and are left out. "
    return text + "A street with many records is often a busy one."


def _check_options(within: float, years: float) -> None:
    for value, name in ((within, "within"), (years, "years")):
        if not value > 0:
            msg = f"{name} is {value:g}; it must be above zero."
            raise InputError(msg)


def _checked_points(events: pd.DataFrame) -> NDArray[Any]:
    if not (isinstance(events, gpd.GeoDataFrame) and events.active_geometry_name):
        return _points_of(events)
    _check_metres(events, "events")
    points: NDArray[Any] = events.geometry.to_numpy()
    kinds = shapely.get_type_id(points)
    wrong = ~np.isin(kinds, (_POINT, -1))
    if wrong.any():
        msg = f"{int(wrong.sum()):,} of {len(points):,} events are no points. Give points alone."
        raise GeometryError(msg)
    return points


def _points_of(events: pd.DataFrame) -> NDArray[Any]:
    """Return the points of a table with eastings and northings, None where there are none."""
    xy = np.column_stack(coordinates(events))
    placed = np.isfinite(xy).all(axis=1)
    if placed.any() and looks_like_degrees([*xy[placed].min(axis=0), *xy[placed].max(axis=0)]):
        msg = "The coordinates of the events are degrees. Give metres: to_grid makes them."
        raise CRSError(msg)
    points = np.full(len(xy), None, dtype=object)
    points[placed] = shapely.points(xy[placed])
    return points


def _checked_lines(streets: gpd.GeoDataFrame, by: str | None) -> gpd.GeoDataFrame:
    """Return the segments, added up by a column where asked."""
    if not isinstance(streets, gpd.GeoDataFrame):
        msg = f"streets is a {type(streets).__name__}. Give lines: geopandas.read_file(path)."
        raise GeometryError(msg)
    if not len(streets):
        msg = "There are no streets. Check the selection that made them."
        raise EmptyError(msg)
    _check_metres(streets, "streets")
    lines = streets.geometry.to_numpy()
    wrong = ~np.isin(shapely.get_type_id(lines), _LINES) | ~(shapely.length(lines) > 0)
    if wrong.any():
        rows = list(streets.index[wrong])
        msg = (
            f"{len(rows):,} of {len(streets):,} streets are no lines or have no length "
            f"({listed(rows)}). Leave them out, and give lines in metres."
        )
        raise GeometryError(msg)
    if by is None:
        check_unique(streets.index, where="streets", what="segments")
        return streets
    check_columns(streets.columns, [by], where="streets")
    if streets[by].isna().any():
        msg = (
            f"{int(streets[by].isna().sum()):,} segments have no {by}. Fill it, or leave them out."
        )
        raise InputError(msg)
    return streets[[by, streets.geometry.name]].dissolve(by, sort=False)


def _check_metres(table: gpd.GeoDataFrame, where: str) -> None:
    check_on_grid(table.crs, where=where)
    x, y, far_x, far_y = table.total_bounds
    west, south, east, north = DEGREE_BOUNDS
    if west <= x <= far_x <= east and south <= y <= far_y <= north:
        msg = (
            f"{where} says EPSG:27700 (metres) but holds coordinates like {x:.3f}, {y:.3f}: those "
            "are degrees. Use set_crs(4326, allow_override=True).to_crs(27700)."
        )
        raise CRSError(msg)


def _nearest(
    points: NDArray[Any], segments: gpd.GeoDataFrame, within: float
) -> tuple[NDArray[np.float64], int, int]:
    """Return events on each segment, how many lie near one, and how many are shared."""
    tree = shapely.STRtree(segments.geometry.to_numpy())
    which, segment = tree.query_nearest(points, max_distance=within, all_matches=True)
    ties = np.bincount(which, minlength=len(points))
    count: NDArray[np.float64] = np.zeros(len(segments))
    count += np.bincount(segment, 1 / ties[which], len(segments))
    whole = np.round(count)
    near_whole = np.abs(count - whole) < 1e-9
    count[near_whole] = whole[near_whole]
    return count, int((ties > 0).sum()), int((ties > 1).sum())


def _holding(count: NDArray[np.float64], share: float) -> int:
    """Return the least number of segments that hold a share of the events."""
    falling = np.cumsum(np.sort(count)[::-1])
    return int(np.searchsorted(falling, share * falling[-1] * (1 - 1e-12)) + 1)


def _holds(count: NDArray[np.float64]) -> Any:
    """Class the segments; those tied with the last one that is needed are in with it."""
    falling = np.sort(count)[::-1]
    code = np.where(count > 0, 1, 0)
    for label, share in ((2, 0.5), (3, 0.25)):
        code[count >= falling[_holding(count, share) - 1]] = label
    return pd.Categorical.from_codes(code, pd.Index(HOLDS), ordered=True)


def _concentration(
    count: NDArray[np.float64],
    length: NDArray[np.float64],
    matched: int,
    draws: int,
    rng: int | np.random.Generator,
) -> dict[str, Any]:
    """Return how few segments hold a quarter and a half, beside what chance would do."""
    generator = np.random.default_rng(rng)
    random = [
        generator.multinomial(matched, length / length.sum()).astype(float) for _ in range(draws)
    ]
    facts: dict[str, Any] = {}
    for share in (25, 50):
        held = _holding(count, share / 100)
        facts[f"segments_{share}"] = held
        facts[f"share_{share}"] = held / len(count)
        chance = [_holding(drawn, share / 100) / len(count) for drawn in random]
        facts[f"chance_{share}"] = tuple(float(q) for q in np.quantile(chance, [0.025, 0.975]))
    facts["gini"] = _generalised_gini(count, matched)
    by_chance = [_generalised_gini(drawn, matched) for drawn in random]
    facts["chance_gini"] = tuple(float(q) for q in np.quantile(by_chance, [0.025, 0.975]))
    return facts


def _generalised_gini(count: NDArray[np.float64], events: int) -> float:
    """Return Gini against the most even spread of so few events (Bernasco and Steenbeek 2017)."""
    segments = len(count)
    if events >= segments:
        return gini(count)
    return max(segments / events * gini(count) - (segments / events - 1), 0.0)


def _cautions(
    facts: dict[str, int],
    events: int,
    within: float,
    count: NDArray[np.float64],
    length: NDArray[np.float64],
) -> Iterator[str]:
    if facts["matched"] < FEW_MATCHED * events:
        yield (
            f"{events - facts['matched']:,} of {events:,} events "
            f"({1 - facts['matched'] / events:.0%}) have no place or lie more than {within:g} m "
            "from every street, and are left out."
        )
    if facts["shared"]:
        yield (
            f"{facts['shared']:,} events are as near to two segments or more (a junction) and are "
            "shared between them."
        )
    short = (length < 0.05) & (count > 0)
    if short.any():
        yield (
            f"{int(short.sum()):,} segments with events are shorter than 50 m: their rates per km "
            "are high by their length alone. Rank by count."
        )
