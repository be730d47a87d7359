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
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import GeometryError
from placeshaping.disclosure.classes import round_numbers

Polygons = list[list[list[int]]]
"""For each area its rings, each a list of arcs; ``~i`` is arc i backwards."""

_log = logging.getLogger(__name__)

METRES_PER_DEGREE = 111_320.0
_STEPS_PER_TOLERANCE = 4
_SIDE_PER_TOLERANCE = 60
_TOLERANCES = (2.0, 100.0)
_MANY = 20_000
_FIRST_LETTER, _BACKSLASH = ord("#"), ord("\\")
_LETTERS, _ONE_LETTER = 91, 70
_TWO_LETTERS = _ONE_LETTER + _LETTERS * (_LETTERS - 1 - _ONE_LETTER)


@dataclass(frozen=True)
class Coverage:
    """
    The areas of every level, ready to be written into a page.

    Attributes
    ----------
    arcs
        `origin` (longitude, latitude), `step` (degrees a unit), `lengths`
        (points of each arc), `x` and `y` (units, each the difference from the
        point before it, over all arcs in a row, as `steps_to_text` writes them).
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
    >>> coverage.shared, len(coverage.arcs["lengths"]), coverage.tolerance
    (True, 3, 10.0)
    """
    for areas in levels:
        _check_polygons(areas)
    chosen = choose_tolerance(levels[0]) if tolerance is None else float(tolerance)
    shapes = levels[0].geometry.to_numpy()
    # One level shares its arcs with none: whether it is valid need not be asked, which takes long.
    shared = len(levels) == 1 or bool(shapely.coverage_is_valid(shapes))
    simplified = [simplify_areas(shapes, chosen)]
    for areas in levels[1:]:
        above = areas.geometry.to_numpy()
        united = shared and _are_unions(above, shapes)
        simplified.append(above[:0] if united else simplify_areas(above, chosen))
    stored = [part for part in simplified if len(part)]
    grid = _grid_of(stored, max(chosen, 2.0) / _STEPS_PER_TOLERANCE)
    arcs: list[NDArray[np.int64]] = []
    polygons = [_cut_into_arcs(part, grid, arcs) if len(part) else None for part in simplified]
    return Coverage(
        arcs={"origin": list(grid.origin), "step": list(grid.step), **_delta_coded(arcs)},
        polygons=tuple(polygons),
        tolerance=chosen,
        shared=shared,
        points=sum(len(arc) for arc in arcs),
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
    lengths = coverage.arcs["lengths"]
    units = np.column_stack([np.cumsum(steps_from_text(coverage.arcs[axis])) for axis in "xy"])
    degrees = units * np.asarray(coverage.arcs["step"]) + np.asarray(coverage.arcs["origin"])
    arcs = np.split(degrees, np.cumsum(lengths)[:-1])
    return [_shape_of(rings, arcs) for rings in polygons]


def _shape_of(rings: list[list[int]], arcs: list[NDArray[np.float64]]) -> shapely.Geometry:
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


def _grid_of(levels: Sequence[NDArray[Any]], metres: float) -> _Grid:
    bounds = np.vstack([shapely.bounds(shapes) for shapes in levels])
    west, south = (float(value) for value in bounds[:, :2].min(axis=0))
    east, north = (float(value) for value in bounds[:, 2:].max(axis=0))
    lon, lat = to_degrees([west, west, east, east], [south, north, south, north])
    step_y = metres / METRES_PER_DEGREE
    step_x = step_y / float(np.cos(np.radians(lat.mean())))
    origin = (float(np.floor(lon.min() * 1e3) / 1e3), float(np.floor(lat.min() * 1e3) / 1e3))
    return _Grid(origin, (float(f"{step_x:.4g}"), float(f"{step_y:.4g}")))


def _cut_into_arcs(shapes: NDArray[Any], grid: _Grid, arcs: list[NDArray[np.int64]]) -> Polygons:
    """Quantise the rings of some areas, cut them where borders meet, add the arcs to `arcs`."""
    parts, area = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    owner = area[part]
    points, ring = shapely.get_coordinates(rings, return_index=True)
    units = _quantised(points, grid)
    again = np.r_[False, (units[1:] == units[:-1]).all(axis=1) & (ring[1:] == ring[:-1])]
    units, ring = units[~again], ring[~again]
    vertex, known_places = pd.factorize(units[:, 0] * (1 << 32) + units[:, 1])
    place = np.column_stack([known_places >> 32, known_places & ((1 << 32) - 1)])
    junction = _junctions(vertex, ring, owner, len(place))
    polygons: Polygons = [[] for _ in shapes]
    known: dict[tuple[int, int], int] = {}
    starts = np.searchsorted(ring, np.arange(len(rings) + 1))
    for number in range(len(rings)):
        path = vertex[starts[number] : starts[number + 1] - 1]
        if len(path) > 2:
            pieces = _pieces(path, junction)
            found = [_arc_number(piece, known, arcs, place) for piece in pieces]
            polygons[int(owner[number])].append(found)
    return polygons


def _quantised(points: NDArray[np.float64], grid: _Grid) -> NDArray[np.int64]:
    lon, lat = to_degrees(points[:, 0], points[:, 1])
    x = np.rint((lon - grid.origin[0]) / grid.step[0])
    y = np.rint((lat - grid.origin[1]) / grid.step[1])
    return np.column_stack([x, y]).astype(np.int64)


def _junctions(
    vertex: NDArray[np.intp], ring: NDArray[np.intp], owner: NDArray[np.intp], size: int
) -> NDArray[np.bool_]:
    """Tell at which vertices an arc must end: where the areas on its two sides change."""
    inside = ring[1:] == ring[:-1]
    start, end = vertex[:-1][inside], vertex[1:][inside]
    edge, pairs = pd.factorize(np.minimum(start, end) * size + np.maximum(start, end))
    edges = np.column_stack([pairs // size, pairs % size])
    # The areas beside an edge, whatever their order: a sum of one large number for each.
    marks = np.random.default_rng(0).integers(1, 1 << 52, int(owner.max()) + 1)
    beside = np.zeros(len(edges), dtype=np.int64)
    np.add.at(beside, edge, marks[owner[ring[:-1][inside]]])
    degree = np.bincount(edges.ravel(), minlength=size)
    low = np.full(size, np.iinfo(np.int64).max)
    high = np.zeros(size, dtype=np.int64)
    np.minimum.at(low, edges.ravel(), np.repeat(beside, 2))
    np.maximum.at(high, edges.ravel(), np.repeat(beside, 2))
    found: NDArray[np.bool_] = (degree != 2) | (low != high)
    return found


def _pieces(path: NDArray[np.intp], junction: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Cut a ring (without its repeated last vertex) at its junctions."""
    cuts = np.flatnonzero(junction[path])
    start = int(cuts[0]) if len(cuts) else int(np.argmin(path))
    turned = np.r_[path[start:], path[:start], path[start]]
    inner = cuts[1:] - start
    edges = [0, *inner.tolist(), len(path)]
    return [turned[a : b + 1] for a, b in pairwise(edges)]


def _arc_number(
    piece: NDArray[np.intp],
    known: dict[tuple[int, int], int],
    arcs: list[NDArray[np.int64]],
    place: NDArray[np.int64],
) -> int:
    """Return the number of an arc, storing it when it is met for the first time."""
    start = (int(piece[0]), int(piece[1]))
    if start not in known:
        number = len(arcs)
        arcs.append(place[piece])
        known[int(piece[-1]), int(piece[-2])] = ~number
        known[start] = number
    return known[start]


def _delta_coded(arcs: list[NDArray[np.int64]]) -> dict[str, Any]:
    units = np.vstack(arcs)
    steps = np.diff(units, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    return {
        "lengths": [len(arc) for arc in arcs],
        "x": steps_to_text(steps[:, 0]),
        "y": steps_to_text(steps[:, 1]),
    }


def polygons_to_text(levels: Sequence[Polygons | None]) -> list[dict[str, str] | None]:
    """
    Write which arcs the areas of each level are made of as text.

    Arcs are numbered in the order in which they are met, so that most of the
    text says "the next one", and the rest how far back an arc was first met.

    Parameters
    ----------
    levels
        As `Coverage.polygons` has them.

    Returns
    -------
    coded
        For each level None, or `rings` (how many each area has), `sizes` (how
        many arcs each ring has) and `arcs`: 0 for the first arc that was not
        met before, n for the one n before that, -n for that one backwards.

    Examples
    --------
    >>> coded = polygons_to_text([[[[0, 1]], [[2, ~0]]]])
    >>> [steps_from_text(coded[0][name]).tolist() for name in ("rings", "sizes", "arcs")]
    [[1, 1], [2, 2], [0, 0, 0, -3]]
    """
    coded: list[dict[str, str] | None] = []
    met = 0
    for polygons in levels:
        if polygons is None:
            coded.append(None)
            continue
        rings = [ring for rings in polygons for ring in rings]
        used = np.asarray([arc for ring in rings for arc in ring], dtype=np.int64)
        known = np.where(used < 0, ~used, used)
        following = np.maximum.accumulate(np.r_[met - 1, known])[:-1] + 1
        back = following - known
        coded.append(
            {
                "rings": steps_to_text([len(rings) for rings in polygons]),
                "sizes": steps_to_text([len(ring) for ring in rings]),
                "arcs": steps_to_text(np.where(used < 0, -back, back)),
            }
        )
        met = max(met, int(known.max(initial=-1)) + 1)
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
