"""
Compact coverage: areas as shared, simplified, delta-coded arcs.

Neighbours share their border, so it is stored once. Levels above the finest
one need no geometry of their own: their borders are those arcs whose two
sides lie in different parents, and the page leaves the others out. The format
is described in ``docs/formats.md``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import GeometryError
from placeshaping.disclosure.classes import round_numbers
from placeshaping.maps._arcs import Arcs, Whole, cut_into_arcs
from placeshaping.maps._references import code_references, turn_rings
from placeshaping.maps._steps import points_from_steps, steps_of_points
from placeshaping.maps._thinning import thin_arcs

_log = logging.getLogger(__name__)

METRES_PER_DEGREE = 111_320.0
_STEPS_PER_TOLERANCE = 2
_SIDE_PER_TOLERANCE = 60
_TOLERANCES = (2.0, 100.0)
_MANY = 20_000
_FIRST_LETTER, _BACKSLASH = ord("#"), ord("\\")
_LETTERS, _ONE_LETTER = 91, 70
_TWO_LETTERS = _ONE_LETTER + _LETTERS * (_LETTERS - 1 - _ONE_LETTER)


@dataclass(frozen=True)
class Polygons:
    """
    Of which arcs the areas of a level are made.

    Attributes
    ----------
    rings
        How many rings each area has.
    sizes
        How many arcs each ring has.
    arcs
        The arcs of all rings in a row; ``~i`` is arc i backwards.
    """

    rings: Whole
    sizes: Whole
    arcs: Whole


@dataclass(frozen=True)
class Coverage:
    """
    The areas of every level, ready to be written into a page.

    Attributes
    ----------
    arcs
        `origin` (longitude, latitude), `step` (degrees a unit), and as
        `steps_to_text` writes them `inner` (points between the ends of each
        arc), `x` and `y` (units from the point before, of all points that do
        not follow from others: see ``docs/formats.md``).
    polygons
        One entry a level, finest first; None where a level is put together
        from the areas below it.
    tolerance
        Metres by which borders were simplified.
    shared
        Whether the areas are a valid coverage, so that levels share arcs;
        true of a single level.
    points
        Points stored.
    """

    arcs: dict[str, Any]
    polygons: tuple[Polygons | None, ...]
    tolerance: float
    shared: bool
    points: int


def choose_tolerance(areas: gpd.GeoDataFrame) -> float:
    """
    Choose how far borders may be simplified: a sixtieth of a typical area's side.

    A thirtieth where there are 20,000 areas or more, of which nobody looks at
    one for long and everybody waits for all. Rounded down to 1, 2, 2.5 or 5
    times a power of ten; from 2 to 100 metres.

    Parameters
    ----------
    areas
        Polygons in EPSG:27700.

    Returns
    -------
    tolerance
        Metres.

    Examples
    --------
    >>> from shapely import box
    >>> choose_tolerance(gpd.GeoDataFrame(geometry=[box(0, 0, 600, 700)], crs=27700))
    10.0
    """
    low, high = _TOLERANCES
    side = float(np.sqrt(np.median(shapely.area(areas.geometry.to_numpy()))))
    parts = _SIDE_PER_TOLERANCE / (2 if len(areas) >= _MANY else 1)
    wanted = float(np.clip(side / parts, low, high))
    return max([low, *round_numbers(low, wanted)])


def encode_coverage(
    levels: Sequence[gpd.GeoDataFrame], *, tolerance: float | None = None
) -> Coverage:
    """
    Simplify areas without tearing their common borders, and code them compactly.

    Parameters
    ----------
    levels
        Areas of each level in EPSG:27700, finest first. Later ones that are
        unions of the first need no shapes; others (wards where MSOAs are the
        first) are stored by themselves.
    tolerance
        Metres; by default `choose_tolerance` of the finest level. Zero keeps
        every vertex.

    Returns
    -------
    coverage
        Where the finest areas are not a valid coverage (gaps, overlaps), each
        level is simplified and stored by itself.

    Raises
    ------
    GeometryError
        If an area is no polygon, or is empty.

    Examples
    --------
    >>> from shapely import box
    >>> areas = gpd.GeoDataFrame(
    ...     geometry=[box(0, 0, 1e3, 1e3), box(1e3, 0, 2e3, 1e3)], crs=27700
    ... )
    >>> coverage = encode_coverage([areas])
    >>> coverage.shared, len(steps_from_text(coverage.arcs["inner"])), coverage.tolerance
    (True, 3, 10.0)
    """
    for areas in levels:
        _check_polygons(areas)
    chosen = choose_tolerance(levels[0]) if tolerance is None else float(tolerance)
    shapes = levels[0].geometry.to_numpy()
    # One level shares its arcs with none: whether it is valid need not be asked, which takes long.
    shared = len(levels) == 1 or bool(shapely.coverage_is_valid(shapes))
    unions = [shared and _are_unions(areas.geometry.to_numpy(), shapes) for areas in levels[1:]]
    cut = [
        None if united else _thinned(areas.geometry.to_numpy(), chosen)
        for areas, united in zip(levels, [False, *unions], strict=True)
    ]
    stored = [part for part in cut if part is not None]
    grid = _grid_of(stored, max(chosen, 2.0) / _STEPS_PER_TOLERANCE)
    units, first, polygons = _joined([_on_grid(part, grid) for part in stored])
    found = iter(polygons)
    arranged = tuple(None if part is None else next(found) for part in cut)
    inner, steps = steps_of_points(units, first, *_in_a_row(polygons))
    return Coverage(
        arcs={
            "origin": list(grid.origin),
            "step": list(grid.step),
            "inner": steps_to_text(inner),
            "x": steps_to_text(steps[:, 0]),
            "y": steps_to_text(steps[:, 1]),
        },
        polygons=arranged,
        tolerance=chosen,
        shared=shared,
        points=len(units),
    )


def decode_coverage(coverage: Coverage, level: int = 0) -> list[shapely.Geometry]:
    """
    Turn a coverage back into polygons, as the page does.

    Parameters
    ----------
    coverage
        Coded areas.
    level
        Position of a level that is stored.

    Returns
    -------
    shapes
        Polygons and multipolygons in longitude and latitude.

    Raises
    ------
    GeometryError
        If that level is put together from the one below it.
    """
    polygons = coverage.polygons[level]
    if polygons is None:
        msg = f"Level {level} has no shapes of its own: dissolve those of level 0 by their parents."
        raise GeometryError(msg)
    inner, *steps = (steps_from_text(coverage.arcs[name]) for name in ("inner", "x", "y"))
    stored = [part for part in coverage.polygons if part is not None]
    units, first = points_from_steps(inner, np.column_stack(steps), *_in_a_row(stored))
    degrees = units * np.asarray(coverage.arcs["step"]) + np.asarray(coverage.arcs["origin"])
    arcs = np.split(degrees, first[1:-1])
    rings = np.split(polygons.arcs, np.cumsum(polygons.sizes)[:-1])
    past = np.cumsum(polygons.rings)
    return [
        _shape_of(rings[end - many : end], arcs)
        for end, many in zip(past, polygons.rings, strict=True)
    ]


def _shape_of(rings: list[Whole], arcs: list[NDArray[np.float64]]) -> shapely.Geometry:
    closed = []
    for ring in rings:
        parts = [arcs[arc] if arc >= 0 else arcs[~arc][::-1] for arc in ring]
        closed.append(np.vstack([part[:-1] for part in parts] + [parts[0][:1]]))
    shapes = [shapely.make_valid(shapely.Polygon(ring)) for ring in closed if len(ring) > 3]
    whole: shapely.Geometry = shapely.Polygon()
    for shape in shapes:  # even-odd: a ring inside another one is a hole
        whole = shapely.symmetric_difference(whole, shape)
    return whole


@dataclass(frozen=True)
class _Grid:
    origin: tuple[float, float]
    step: tuple[float, float]


def _check_polygons(areas: gpd.GeoDataFrame) -> None:
    shapes = areas.geometry.to_numpy()
    wrong = ~np.isin(shapely.get_type_id(shapes), (3, 6)) | shapely.is_empty(shapes)
    if wrong.any():
        msg = (
            f"{int(wrong.sum()):,} of {len(areas):,} areas are empty or no polygons "
            f"(first: {areas.index[wrong][0]}). Repair or drop them before the map is made."
        )
        raise GeometryError(msg)


def _are_unions(above: NDArray[Any], shapes: NDArray[Any]) -> bool:
    """Tell whether larger areas are put together from whole small ones: their sizes add up."""
    tree = shapely.STRtree(above)
    part, holder = tree.query(shapely.point_on_surface(shapes), predicate="within")
    summed = np.bincount(holder, shapely.area(shapes)[part], minlength=len(above))
    return len(part) == len(shapes) and bool(np.allclose(summed, shapely.area(above), rtol=1e-6))


def simplify_areas(shapes: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """
    Simplify common borders once; keep a shape that would vanish as it was.

    Parameters
    ----------
    shapes
        Polygons.
    tolerance
        In their units; zero leaves them as they are.

    Returns
    -------
    shapes
        Outer rings run against the clock, holes with it.

    Examples
    --------
    >>> from shapely import Polygon
    >>> bent = Polygon([(0, 0), (5, 0.1), (10, 0), (10, 10), (0, 10)])
    >>> len(simplify_areas(np.array([bent]), 2.0)[0].exterior.coords)
    5
    """
    thinner = shapes
    for part in (1, 2, 4) if tolerance > 0 else ():
        try:
            thinner = shapely.coverage_simplify(shapes, tolerance / part)
            break
        except shapely.errors.GEOSException as error:  # a ring collapsed: try again, less far
            _log.info("Borders could not be simplified by %s m: %s", tolerance / part, error)
    gone = shapely.is_empty(thinner) | ~np.isin(shapely.get_type_id(thinner), (3, 6))
    kept = np.where(gone, shapes, thinner)
    oriented: NDArray[Any] = shapely.orient_polygons(kept)
    return oriented


def _thinned(shapes: NDArray[Any], tolerance: float) -> Arcs:
    """Cut areas into arcs, and leave out the vertices that the tolerance does not ask for."""
    arcs = cut_into_arcs(shapes)
    if tolerance <= 0 or len(arcs.vertex) == 0:
        return arcs
    kept = thin_arcs(arcs.xy, arcs.vertex, arcs.first, tolerance)
    first = np.r_[0, np.cumsum(kept)][arcs.first]
    return replace(arcs, vertex=arcs.vertex[kept], first=first)


def _grid_of(levels: Sequence[Arcs], metres: float) -> _Grid:
    west, south = (float(min(arcs.xy[:, axis].min() for arcs in levels)) for axis in (0, 1))
    east, north = (float(max(arcs.xy[:, axis].max() for arcs in levels)) for axis in (0, 1))
    lon, lat = to_degrees([west, west, east, east], [south, north, south, north])
    step_y = metres / METRES_PER_DEGREE
    step_x = step_y / float(np.cos(np.radians(lat.mean())))
    origin = (float(np.floor(lon.min() * 1e3) / 1e3), float(np.floor(lat.min() * 1e3) / 1e3))
    return _Grid(origin, (float(f"{step_x:.4g}"), float(f"{step_y:.4g}")))


def _on_grid(arcs: Arcs, grid: _Grid) -> tuple[Whole, Whole, Polygons]:
    """Round vertices to the grid; leave out arcs and rings of which nothing is left there."""
    seen = np.zeros(len(arcs.xy), dtype=bool)
    seen[arcs.vertex] = True
    units = np.zeros((len(arcs.xy), 2), dtype=np.int64)
    units[seen] = _quantised(arcs.xy[seen], grid)
    points = units[arcs.vertex]
    arc = np.repeat(np.arange(len(arcs.first) - 1), np.diff(arcs.first))
    again = np.r_[False, (points[1:] == points[:-1]).all(axis=1) & (arc[1:] == arc[:-1])]
    points, arc = points[~again], arc[~again]
    pieces = np.bincount(arc, minlength=len(arcs.first) - 1) - 1
    ring = np.repeat(np.arange(len(arcs.sizes)), arcs.sizes)
    known = np.where(arcs.used < 0, ~arcs.used, arcs.used)
    whole = np.bincount(ring, pieces[known], minlength=len(arcs.sizes)) >= 3
    stays = whole[ring] & (pieces[known] > 0)
    area = np.repeat(np.arange(len(arcs.rings)), arcs.rings)
    sizes = np.bincount(ring[stays], minlength=len(arcs.sizes))[whole]
    begin = np.r_[0, np.cumsum(pieces + 1)]
    at, first, used = _in_order_met(begin, turn_rings(arcs.used[stays], sizes))
    rings = np.bincount(area[whole], minlength=len(arcs.rings))
    polygons = Polygons(rings, sizes, used)
    return points[at], first, polygons


def _in_order_met(begin: Whole, used: Whole) -> tuple[Whole, Whole, Whole]:
    """
    Return arcs in the order in which they are met, turned where they are met backwards first.

    That is, where each of their points stands, where each arc begins, and which ones are used.
    """
    known = np.where(used < 0, ~used, used)
    arcs, place = np.unique(known, return_index=True)
    order = np.argsort(place)
    arcs, turned = arcs[order], used[place[order]] < 0
    size = np.diff(begin)[arcs]
    first = np.r_[0, np.cumsum(size)]
    along = np.arange(first[-1]) - np.repeat(first[:-1], size)
    backwards = np.repeat(turned, size)
    at = np.repeat(begin[arcs], size) + np.where(
        backwards, np.repeat(size, size) - 1 - along, along
    )
    number = np.empty(len(begin), dtype=np.int64)
    number[arcs] = np.arange(len(arcs))
    flipped = np.zeros(len(begin), dtype=bool)
    flipped[arcs] = turned
    new = number[known]
    return at, first, np.where((used < 0) != flipped[known], ~new, new)


def _quantised(points: NDArray[np.float64], grid: _Grid) -> Whole:
    lon, lat = to_degrees(points[:, 0], points[:, 1])
    x = np.rint((lon - grid.origin[0]) / grid.step[0])
    y = np.rint((lat - grid.origin[1]) / grid.step[1])
    return np.column_stack([x, y]).astype(np.int64)


def _joined(levels: Sequence[tuple[Whole, Whole, Polygons]]) -> tuple[Whole, Whole, list[Polygons]]:
    """Return the arcs of all levels numbered in a row."""
    points, first, polygons = [], [np.zeros(1, dtype=np.int64)], []
    before, arcs = 0, 0
    for part, begin, level in levels:
        points.append(part)
        first.append(begin[1:] + before)
        moved = np.where(level.arcs < 0, level.arcs - arcs, level.arcs + arcs)
        polygons.append(replace(level, arcs=moved))
        before += len(part)
        arcs += len(begin) - 1
    return np.vstack(points), np.concatenate(first), polygons


def _in_a_row(levels: Sequence[Polygons]) -> tuple[Whole, Whole]:
    """Return the arcs and the sizes of the rings of all levels."""
    return (
        np.concatenate([level.arcs for level in levels]),
        np.concatenate([level.sizes for level in levels]),
    )


def polygons_to_text(levels: Sequence[Polygons | None]) -> list[dict[str, str] | None]:
    """
    Write which arcs the areas of each level are made of as text.

    Arcs are numbered in the order in which they are met; most of the others
    follow from where a ring stands.

    Parameters
    ----------
    levels
        As `Coverage.polygons` has them.

    Returns
    -------
    coded
        For each level None, or as text `rings` (how many each area has),
        `sizes` (how many arcs each ring has), `arcs` (0 for the first arc that
        was not met before, n for the nth, the latest first, that ends where
        the ring stands and has not been run backwards, -1 for the next of
        `named`) and `named` (n for the arc n before the next new one, -n for
        that one backwards).

    Examples
    --------
    >>> two = Polygons(np.array([1, 1]), np.array([2, 2]), np.array([0, 1, ~0, 2]))
    >>> coded = polygons_to_text([two])[0]
    >>> [steps_from_text(coded[name]).tolist() for name in ("rings", "arcs", "named")]
    [[1, 1], [0, 0, -1, 0], [-2]]
    """
    stored = [polygons for polygons in levels if polygons is not None]
    codes, named = code_references(*_in_a_row(stored))
    coded: list[dict[str, str] | None] = []
    for polygons in levels:
        if polygons is None:
            coded.append(None)
            continue
        mine, codes = np.split(codes, [len(polygons.arcs)])
        names, named = np.split(named, [int((mine < 0).sum())])
        written = {"rings": polygons.rings, "sizes": polygons.sizes, "arcs": mine, "named": names}
        coded.append({name: steps_to_text(numbers) for name, numbers in written.items()})
    return coded


def steps_to_text(steps: ArrayLike) -> str:
    """
    Write whole numbers as text: small ones as one letter, others as two or five.

    A number n is folded to 2n, or -2n - 1 where it is negative. Up to 69 it is
    one of 91 letters (ASCII 35 to 126 without the backslash), up to 1,889 two,
    and above that the last letter and four more, base 91.

    Parameters
    ----------
    steps
        Whole numbers from -34 million to 34 million.

    Returns
    -------
    text
        For JSON, which needs to escape none of it.

    Examples
    --------
    >>> steps_to_text([0, -1, 1, 40, 5000])
    '#$%j-~#$5u'
    >>> steps_from_text("#$%j-~#$5u").tolist()
    [0, -1, 1, 40, 5000]
    """
    given = np.asarray(steps, dtype=np.int64)
    folded = np.where(given < 0, -2 * given - 1, 2 * given)
    two = (folded >= _ONE_LETTER) & (folded < _TWO_LETTERS)
    five = folded >= _TWO_LETTERS
    size = np.where(five, 5, np.where(two, 2, 1))
    first = np.cumsum(size) - size
    letters = np.zeros(int(size.sum()), dtype=np.int64)
    beyond = folded[two] - _ONE_LETTER
    letters[first] = np.where(five, _LETTERS - 1, folded)
    letters[first[two]] = _ONE_LETTER + beyond // _LETTERS
    letters[first[two] + 1] = beyond % _LETTERS
    for place in range(4):
        letters[first[five] + 1 + place] = folded[five] // _LETTERS ** (3 - place) % _LETTERS
    codes = letters + _FIRST_LETTER
    codes[codes >= _BACKSLASH] += 1
    return codes.astype(np.uint8).tobytes().decode("ascii")


def steps_from_text(text: str) -> NDArray[np.int64]:
    """
    Read what `steps_to_text` wrote.

    Parameters
    ----------
    text
        Letters.

    Returns
    -------
    steps
        Whole numbers.
    """
    codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64)
    letters = (codes - _FIRST_LETTER - (codes > _BACKSLASH)).tolist()
    found: list[int] = []
    at = 0
    while at < len(letters):
        folded = letters[at]
        extra = 0
        if folded == _LETTERS - 1:
            extra, folded = 4, 0
            for letter in letters[at + 1 : at + 5]:
                folded = folded * _LETTERS + letter
        elif folded >= _ONE_LETTER:
            extra = 1
            folded = _ONE_LETTER + (folded - _ONE_LETTER) * _LETTERS + letters[at + 1]
        found.append(-(folded + 1) // 2 if folded % 2 else folded // 2)
        at += 1 + extra
    return np.asarray(found, dtype=np.int64)
