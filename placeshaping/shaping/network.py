"""
A network of streets on which travel is measured.

Lines become edges between their ends; lines that share an end are joined
there. Travel is both ways on every line: one-way streets, turns and waiting
are not known. A place joins the network at the nearest point of the nearest
line, on foot.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import EmptyError, GeometryError, InputError
from placeshaping.shaping._points import Floats, check_metres

_log = logging.getLogger(__name__)

Ints = NDArray[np.int64]

WALKING_KM_H = 4.8
"""Walking speed: 80 metres a minute, as in London's public transport accessibility levels."""

APART = 0.05
"""Share of the network's length outside its main part above which a reader is warned."""


@dataclass(frozen=True, eq=False)
class Network:
    """
    Streets joined at their ends.

    Attributes
    ----------
    lines
        The geometry of each edge.
    start, end
        Number of the node at either end of each edge.
    metres, minutes
        Length of each edge, and time along it.
    nodes
        How many nodes there are.
    part
        Of each node, the number of the connected part that it is in; 0 is the
        largest.
    walking
        Speed in km an hour between a place and the network.
    method
        Speeds, in a sentence.
    cautions
        What a reader must know.
    """

    lines: NDArray[Any]
    start: Ints
    end: Ints
    metres: Floats
    minutes: Floats
    nodes: int
    part: Ints
    walking: float
    method: str
    cautions: tuple[str, ...]


def make_network(
    streets: gpd.GeoDataFrame,
    *,
    speeds: Mapping[str, float] | None = None,
    road_class: str | None = None,
    walking: float = WALKING_KM_H,
    tolerance: float = 0.5,
) -> Network:
    """
    Join streets to a network.

    Parameters
    ----------
    streets
        Lines in EPSG:27700, broken at junctions.
    speeds
        Speed in km an hour of each class of road; by default all are walked.
    road_class
        Column that holds the class, needed with `speeds`.
    walking
        Walking speed in km an hour: on the network where no speeds are given,
        and from a place to the network always.
    tolerance
        Metres; ends of lines in the same square of this size are one node.

    Returns
    -------
    network
        Edges, nodes and their connected parts.

    Raises
    ------
    CRSError
        If streets are not in metres (EPSG:27700).
    EmptyError
        If there are none.
    GeometryError
        If a row is no line or has no length.
    InputError
        If a class of road has no speed, or a speed is not above zero.

    Examples
    --------
    >>> from shapely import LineString
    >>> lines = [LineString([(0, 0), (800, 0)]), LineString([(800, 0), (800, 400)])]
    >>> streets = gpd.GeoDataFrame({"kind": ["A road", "lane"]}, geometry=lines, crs=27700)
    >>> network = make_network(streets, speeds={"A road": 48, "lane": 24}, road_class="kind")
    >>> network.nodes, network.minutes.tolist()
    (3, [1.0, 1.0])
    """
    if not (walking > 0 and tolerance > 0):
        msg = f"walking is {walking:g} km an hour, tolerance {tolerance:g} m: both must be above 0."
        raise InputError(msg)
    lines = _single_lines(streets)
    speed = _speed_of(streets, speeds, road_class, walking)[lines.index]
    shapes = lines.to_numpy()
    metres = shapely.length(shapes)
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(shapes, k)) for k in (0, -1)])
    squares = np.round(ends / tolerance).astype(np.int64)
    places, node = np.unique(squares, axis=0, return_inverse=True)
    start, end = node.ravel()[: len(shapes)], node.ravel()[len(shapes) :]
    part = _parts(start, end, len(places), metres)
    cautions = _cautions(part, start, metres)
    for caution in cautions:
        _log.warning("%s", caution)
    return Network(
        lines=shapes,
        start=start,
        end=end,
        metres=metres,
        minutes=metres / speed * 0.06,
        nodes=len(places),
        part=part,
        walking=walking,
        method=_method(speeds, walking),
        cautions=cautions,
    )


def _single_lines(streets: gpd.GeoDataFrame) -> Any:
    """Return every line of the streets, its row's position as index."""
    if not len(streets):
        msg = "There are no streets."
        raise EmptyError(msg)
    check_metres(streets, where="streets")
    shapes = gpd.GeoSeries(streets.geometry.to_numpy(), crs=streets.crs)
    wrong = ~shapes.geom_type.isin(["LineString", "MultiLineString"]) | ~(shapes.length > 0)
    if wrong.any():
        rows = list(streets.index[wrong.to_numpy()])
        msg = (
            f"{len(rows):,} of {len(streets):,} streets are no lines or have no length "
            f"({listed(rows)}). Leave them out, and give lines in metres."
        )
        raise GeometryError(msg)
    return shapes.explode()


def _speed_of(
    streets: gpd.GeoDataFrame,
    speeds: Mapping[str, float] | None,
    road_class: str | None,
    walking: float,
) -> Floats:
    if speeds is None:
        return np.full(len(streets), walking)
    if road_class is None:
        msg = "Speeds are by class of road: name the column that holds it as `road_class`."
        raise InputError(msg)
    check_columns(streets.columns, [road_class], where="streets")
    bad = [f"{kind}: {speed:g}" for kind, speed in speeds.items() if not speed > 0]
    if bad:
        msg = f"{len(bad)} speeds are not above zero ({listed(bad)}). Give km an hour."
        raise InputError(msg)
    found = streets[road_class].map(dict(speeds))
    if found.isna().any():
        kinds = sorted({str(kind) for kind in streets.loc[found.isna(), road_class]})
        msg = (
            f"{int(found.isna().sum()):,} of {len(streets):,} streets have a class without a "
            f"speed ({listed(kinds)}). Add it to `speeds`."
        )
        raise InputError(msg)
    return np.asarray(found.to_numpy(dtype="float64"))


def _parts(start: Ints, end: Ints, nodes: int, metres: Floats) -> Ints:
    """Return the connected part of each node, longest first."""
    graph = csr_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes))
    _, label = connected_components(graph, directed=False)
    length = np.bincount(label[start], metres)
    place = np.empty(len(length), dtype=np.int64)
    place[np.argsort(-length, kind="stable")] = np.arange(len(length))
    return np.asarray(place[label])


def _cautions(part: Ints, start: Ints, metres: Floats) -> tuple[str, ...]:
    outside = part[start] > 0
    if not outside.any():
        return ()
    share = float(metres[outside].sum() / metres.sum())
    text = (
        f"The network falls into {int(part.max()) + 1:,} parts: {share:.1%} of its length cannot "
        "be reached from the largest."
    )
    if share > APART:
        text += (
            " Are lines broken at junctions, and do their ends meet? A larger `tolerance` joins."
        )
    return (text,)


def _method(speeds: Mapping[str, float] | None, walking: float) -> str:
    if speeds is None:
        return f"along streets at {walking:g} km an hour, both ways"
    told = ", ".join(f"{kind} {speed:g}" for kind, speed in speeds.items())
    return f"along streets at stated speeds in km an hour ({told}), both ways, without delays"
