"""One call for the question "where are the hot spots?": cleans, chooses, runs and explains."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from libpysal.graph import Graph

from placeshaping._core.checks import check_columns, check_labelled, check_unique, listed
from placeshaping._core.crs import GRID_BOUNDS, NATIONAL_GRID, check_on_grid, looks_like_degrees
from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.areas.grids import cell_codes, make_grid
from placeshaping.areas.neighbours import contiguity, distance_band
from placeshaping.hotspots.getis import FEW_AREAS, getis_ord
from placeshaping.hotspots.paragraph import describe_clusters
from placeshaping.hotspots.scale import choose_cell_size, choose_distance
from placeshaping.joins._geometry import coordinates
from placeshaping.joins.points import assign_area
from placeshaping.statistics.rates import empirical_bayes_rate

FEW_EVENTS = 60
"""With fewer events most cells hold none, and little can be told apart."""


_SKEWED = 0.25
"""Skewness of a neighbourhood's sum from which the tables of docs/hot-spots.md show an excess."""


@dataclass
class _Counted:
    """Counts of areas, and what was done to come to them."""

    areas: gpd.GeoDataFrame
    count: pd.Series[Any]
    told: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    size: int | None = None


def optimised_hotspots(
    records: pd.DataFrame | pd.Series[Any],
    *,
    areas: gpd.GeoDataFrame | None = None,
    within: gpd.GeoDataFrame | None = None,
    population: pd.Series[Any] | None = None,
    size: int | None = None,
    snapped: bool | None = None,
    distance: float | Literal["peak", "touching"] | None = None,
    event_id: str | None = None,
    permutations: int = 0,
    rng: int | np.random.Generator = 0,
    what: str = "records",
) -> gpd.GeoDataFrame:
    """
    Find the hot spots of events or counts, with choices made by stated rules and explained.

    Gi* (Ord and Getis 1995), two-sided, the false discovery rate controlled. A
    hot area is one that, with its neighbours, holds more than so many areas
    taken anywhere would; one very large count is enough for that. To ask
    whether high values lie *beside each other*, see `permutations`.

    Parameters
    ----------
    records
        Events, with ``easting`` and ``northing`` (metres, EPSG:27700) or as
        points; or a Series of counts indexed by area code. Events without
        coordinates, off the National Grid or with a repeated `event_id` are
        left out and told.
    areas
        Polygons indexed by ``area_code``, EPSG:27700, to count the events in;
        needed for counts. Without them events are counted in square cells.
    within
        Outline of the study area, EPSG:27700: cells are made in it, and those
        without events count. By default the hull of the events, which is told.
    population
        Residents or the like of `areas`: rates smoothed by empirical Bayes
        (Marshall 1991) are looked at in place of counts.
    size
        Side of the cells in metres; by default as `scale.choose_cell_size` says.
    snapped
        Whether the events were moved to anchor points, as on police.uk; by
        default judged from how many share a place.
    distance
        Metres within which areas are neighbours, ``"peak"`` for what
        `scale.choose_distance` says, or ``"touching"``. By default ``"peak"``
        for cells and ``"touching"`` for areas: one distance cannot suit both
        the small areas of a town and the large ones around it.
    event_id
        Column by which an event that stands twice is known.
    permutations
        Number of conditional permutations; 0 for p-values of the normal
        distribution. Permutations ask whether the neighbours of an area are
        high, whatever the area itself: a town centre among quiet areas is then
        not hot, and each of the quiet areas beside it may be.
    rng
        Seed or generator of the permutations.
    what
        What the records are, for the sentences: "burglaries".

    Returns
    -------
    hotspots
        Index ``area_code`` of cells or of `areas` in their order; columns
        ``count``, with `population` ``rate``, those of `getis_ord` and
        ``geometry``. ``attrs``: ``explanation`` (what was chosen and why, in
        sentences), ``summary`` (what was found, for readers who are not
        statisticians), ``cautions``, ``method``, ``size``, ``distance`` and
        ``permutations``.

    Raises
    ------
    EmptyError
        If no event has coordinates, or there are fewer than three areas.
    CRSError
        If coordinates are degrees, or areas are not on the National Grid.
    InputError
        If counts are given without areas, are negative or infinite, or
        options contradict each other.
    UnmatchedError
        If counts are of areas that are not in `areas`.
    ColumnError, DuplicateError
        If a column is missing, or an area stands twice.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> xy = np.vstack([rng.uniform(400_000, 408_000, (400, 2)),
    ...                 rng.normal(402_000, 250, (150, 2))])
    >>> events = pd.DataFrame(xy, columns=["easting", "northing"])
    >>> found = optimised_hotspots(events, what="burglaries")
    >>> found.attrs["size"], found["count"].idxmax(), found["cluster"].loc[found["count"].idxmax()]
    (500, 'S500E401500N401500', 'hot_99')
    """
    _check_options(areas, population, size, within)
    check_labelled(records, name="records")
    if isinstance(records, pd.Series):
        counted = _given(records, areas)
    else:
        counted = _of_events(records, areas, within, event_id, size, snapped)
    values = _values(counted, population)
    neighbours, reach = _neighbourhood(values, counted, distance, areas is None)
    scores = getis_ord(values, neighbours, permutations=permutations, rng=rng)
    result = gpd.GeoDataFrame(
        {"count": counted.count, **({} if population is None else {"rate": values}), **scores},
        geometry=counted.areas.geometry,
        index=counted.areas.index,
    )
    result.attrs = {
        "explanation": " ".join([*counted.told, reach[1], scores.attrs["method"]]),
        "summary": _summary(result, counted, what),
        "cautions": (
            *_few(counted),
            *counted.cautions,
            *_tell_empty(counted, scores),
            *([] if permutations else _tell_skewed(values, neighbours)),
            *scores.attrs["cautions"],
        ),
        "method": scores.attrs["method"],
        "size": counted.size,
        "distance": reach[0],
        "permutations": permutations,
    }
    return result


def _check_options(
    areas: gpd.GeoDataFrame | None,
    population: pd.Series[Any] | None,
    size: int | None,
    within: gpd.GeoDataFrame | None,
) -> None:
    if areas is not None and (size is not None or within is not None):
        msg = "size and within are of cells. Leave them out where areas are given."
        raise InputError(msg)
    if population is not None and areas is None:
        msg = "A population is of areas. Give areas, or leave the population out."
        raise InputError(msg)


def _given(counts: pd.Series[Any], areas: gpd.GeoDataFrame | None) -> _Counted:
    """Check counts of areas, and bring them into the order of the areas."""
    if areas is None:
        msg = "Counts need their areas: give areas=, polygons with the same codes."
        raise InputError(msg)
    check_on_grid(areas.crs, where="areas")
    check_unique(areas.index, where="areas")
    check_unique(counts.index, where="records")
    if not pd.api.types.is_numeric_dtype(counts.dtype):
        msg = "The counts hold no numbers. Give how many records each area has."
        raise ColumnError(msg)
    numbers = counts.astype("float64")
    wrong = int(((numbers < 0) | np.isinf(numbers)).sum())
    if wrong:
        msg = f"{wrong:,} of {len(counts):,} counts are negative or infinite. Correct them first."
        raise InputError(msg)
    unknown = counts.index[~counts.index.isin(areas.index)]
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(counts):,} counts are of areas that are not in `areas` "
            f"({listed(list(unknown))}). Give areas of the same codes and census year."
        )
        raise UnmatchedError(msg)
    lost = len(areas) - len(counts)
    told = [f"{int(numbers.sum()):,} records in {len(counts):,} areas, as they were given."]
    cautions = [f"{lost:,} areas have no count: missing, not zero."] if lost else []
    return _Counted(areas, numbers.reindex(areas.index), told, cautions)


def _of_events(
    events: pd.DataFrame,
    areas: gpd.GeoDataFrame | None,
    within: gpd.GeoDataFrame | None,
    event_id: str | None,
    size: int | None,
    snapped: bool | None,
) -> _Counted:
    kept, told = _clean(events, event_id)
    placed = len(kept)
    if within is not None:
        check_on_grid(within.crs, where="within")
        outline = shapely.union_all(within.geometry.to_numpy())
        shapely.prepare(outline)
        kept = kept[shapely.intersects_xy(outline, kept.to_numpy())]
    if areas is not None:
        counted = _Counted(areas, _tally(assign_area(kept, areas), areas.index), [told])
    elif len(kept):
        counted = _in_cells(kept, within, size, snapped)
        counted.told.insert(0, told)
    outside = placed - (int(counted.count.sum()) if len(kept) else 0)
    if outside == placed:
        msg = f"All of {placed:,} events lie outside. Check the selection, and where they are from."
        raise EmptyError(msg)
    if outside:
        counted.cautions.append(f"{outside:,} of {placed:,} events lie outside: left out.")
    return counted


def _clean(events: pd.DataFrame, event_id: str | None) -> tuple[pd.DataFrame, str]:
    """Return easting and northing of the events that can be placed, and what was left out."""
    table = pd.DataFrame(
        np.column_stack(coordinates(events)), columns=["easting", "northing"], index=events.index
    )
    if event_id is not None:
        check_columns(events.columns, [event_id], where="records")
        table["id"] = events[event_id].array
    placed = np.isfinite(table[["easting", "northing"]].to_numpy()).all(axis=1)
    left_out = [(int((~placed).sum()), "have no coordinates")]
    table = table[placed]
    if len(table) and _in_degrees(table):
        msg = "The coordinates of the events are degrees. Give metres: to_grid makes them."
        raise CRSError(msg)
    west, south, east, north = GRID_BOUNDS
    on_grid = table["easting"].between(west, east, inclusive="neither")
    on_grid &= table["northing"].between(south, north, inclusive="neither")
    left_out.append((int((~on_grid).sum()), "lie off the National Grid"))
    table = table[on_grid]
    if event_id is not None:
        repeated = table["id"].notna() & table["id"].duplicated()
        left_out.append((int(repeated.sum()), f"repeat a value of {event_id!r}"))
        table = table.loc[~repeated, ["easting", "northing"]]
    if table.empty:
        why = _left_out(left_out) or "there are none"
        msg = f"None of {len(events):,} events can be placed: {why}. Check the selection."
        raise EmptyError(msg)
    words = _left_out(left_out)
    left = f"; left out: {words}" if words else ""
    return table, f"{len(table):,} of {len(events):,} events can be placed{left}."


def _in_degrees(table: pd.DataFrame) -> bool:
    xy = table[["easting", "northing"]]
    return looks_like_degrees([*xy.min(), *xy.max()])


def _left_out(reasons: list[tuple[int, str]]) -> str:
    return ", ".join(f"{count:,} {why}" for count, why in reasons if count)


def _in_cells(
    kept: pd.DataFrame, within: gpd.GeoDataFrame | None, size: int | None, snapped: bool | None
) -> _Counted:
    """Count events in cells of the study area, zero where there are none."""
    told, cautions = [], []
    if size is None:
        chosen = choose_cell_size(kept, snapped=snapped)
        size, reason = chosen.size, chosen.reason
        told.append(reason)
    else:
        told.append(f"Cells of {size:,} m, as asked for.")
    if within is None:
        points = shapely.points(kept.to_numpy())
        hull = shapely.convex_hull(shapely.multipoints(points)).buffer(1)
        within = gpd.GeoDataFrame(geometry=[hull], crs=NATIONAL_GRID)
        cautions.append(
            "The study area is the hull of the events: cells in it without events count as zero, "
            "water and fields included. Give its outline as within=."
        )
    cells = make_grid(within, size=size)
    codes = pd.Series(
        cell_codes(kept["easting"].to_numpy(), kept["northing"].to_numpy(), size=size)
    )
    return _Counted(cells, _tally(codes, cells.index), told, cautions, size)


def _tally(codes: pd.Series[Any], index: pd.Index) -> pd.Series[Any]:
    return codes.value_counts().reindex(index, fill_value=0).astype("int64").rename("count")


def _values(counted: _Counted, population: pd.Series[Any] | None) -> pd.Series[Any]:
    """Return what Gi* looks at: counts, or smoothed rates."""
    if population is None:
        counted.told.append("Counts are looked at, not rates.")
        return counted.count
    counted.told.append(
        "Rates per 1,000 of the population are looked at, smoothed by empirical Bayes "
        "(Marshall 1991)."
    )
    return empirical_bayes_rate(counted.count, population, zero_exposure="missing")


def _neighbourhood(
    values: pd.Series[Any],
    counted: _Counted,
    distance: float | str | None,
    cells: bool,
) -> tuple[Graph, tuple[float | None, str]]:
    """Return neighbours, their distance where they have one, and the reason."""
    areas = counted.areas
    if distance == "touching" or (distance is None and not cells):
        reason = "Areas that touch are neighbours; one that touches none is tied to the nearest."
        return contiguity(areas, islands="nearest"), (None, reason)
    if distance is None or distance == "peak":
        reach = choose_distance(values, areas)
        return distance_band(areas, distance=reach.distance), (reach.distance, reach.reason)
    if isinstance(distance, str):
        msg = f"distance is {distance!r}. Give metres, 'peak' or 'touching'."
        raise InputError(msg)
    reason = f"Neighbours within {distance:,.0f} m, as asked for."
    return distance_band(areas, distance=distance), (float(distance), reason)


def _summary(result: pd.DataFrame, counted: _Counted, what: str) -> str:
    """Describe what was found, by the names of areas; cells have none."""
    if counted.size is not None:
        return describe_clusters(result, what=what, units="cells", most=0)
    return describe_clusters(result, what=what, names=counted.areas.get("area_name", None))


def _tell_empty(counted: _Counted, scores: pd.DataFrame) -> list[str]:
    """Say what cells in which nothing can be recorded do to the others."""
    if counted.size is None:
        return []
    cautions = []
    empty, cells = int((counted.count == 0).sum()), len(counted.count)
    if empty > cells / 2:
        cautions.append(
            f"{empty:,} of {cells:,} cells hold no record: beside so much open country a whole "
            "town is hot. Give the built-up outline as within=, or areas=."
        )
    cold = int(scores["cluster"].astype(str).str.startswith("cold").sum())
    if cold:
        cautions.append(
            f"{cold:,} cells are cold: many of them may be fields, water or places without "
            "anybody, where nothing can be recorded."
        )
    return cautions


def _tell_skewed(values: pd.Series[Any], neighbours: Graph) -> list[str]:
    """Say where sums of neighbours are too skewed for the normal distribution."""
    members = float(neighbours.cardinalities.mean()) + 1
    known = values.dropna().to_numpy(dtype="float64")
    if len(known) < 3:
        return []
    apart = known - known.mean()
    spread = float(np.sqrt((apart**2).mean()))
    if abs((apart**3).mean()) <= _SKEWED * math.sqrt(members) * spread**3 + 1e-12:
        return []
    return [
        "The values are skewed: one very large value is enough to make an area and its neighbours "
        "hot. Look at the counts beside the classes; permutations ask whether high values lie "
        "beside each other."
    ]


def _few(counted: _Counted) -> list[str]:
    events, areas = int(counted.count.sum()), int(counted.count.notna().sum())
    cautions = []
    if events < FEW_EVENTS:
        cautions.append(
            f"Only {events:,} records: with fewer than {FEW_EVENTS} little can be told apart. "
            "Take a longer period or a wider category."
        )
    if areas < FEW_AREAS:
        cautions.append(f"Only {areas:,} areas: hot spots need {FEW_AREAS} to be trusted.")
    return cautions
