"""The order in which a patrol visits its cells: a short round, in straight lines or on streets."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import EmptyError
from placeshaping.shaping.network import Network
from placeshaping.shaping.travel import travel_costs

Floats = NDArray[np.float64]

_FURTHER = 4.0
"""Ways along streets are looked for up to so many times the straight line, and a kilometre."""


@dataclass(frozen=True, eq=False)
class Ways:
    """
    How far it is between places of a patrol.

    Attributes
    ----------
    metres
        Of each pair, shape (places, places), symmetric.
    straight
        Places that streets join to fewer than half of the others: their ways
        are straight lines.
    """

    metres: Floats
    straight: NDArray[np.bool_]


def ways_between(xy: Floats, *, streets: Network | None = None) -> Ways:
    """
    Measure the ways between places, along streets where these join them.

    Parameters
    ----------
    xy
        Places in metres, shape (places, 2); with `streets` in EPSG:27700.
    streets
        From `make_network`; None for straight lines.

    Returns
    -------
    ways
        Where the streets do not join two places, or a place lies more than 500
        metres from all of them, the straight line stands in.

    Examples
    --------
    >>> from shapely import LineString
    >>> from placeshaping.shaping.network import make_network
    >>> bend = LineString([(0, 0), (0, 400), (300, 400), (300, 0)])
    >>> streets = make_network(gpd.GeoDataFrame(geometry=[bend], crs=27700))
    >>> places = np.array([[0.0, 0.0], [300.0, 0.0]])
    >>> ways_between(places).metres[0, 1], ways_between(places, streets=streets).metres[0, 1]
    (np.float64(300.0), np.float64(1100.0))
    """
    direct = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    none = np.zeros(len(xy), dtype=bool)
    if streets is None or len(xy) == 1:
        return Ways(direct, none)
    along = _along(xy, streets, limit=_FURTHER * float(direct.max()) + 1000)
    joined = np.isfinite(along)
    np.fill_diagonal(joined, True)
    metres = np.where(joined, np.maximum(along, direct), direct)
    np.fill_diagonal(metres, 0.0)
    return Ways(metres, np.asarray((~joined).sum(axis=1) > (len(xy) - 1) / 2))


def _along(xy: Floats, streets: Network, *, limit: float) -> Floats:
    """Return metres along streets, infinite where there is no way."""
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*xy.T), crs=NATIONAL_GRID)
    try:
        costs = travel_costs(
            points, points, network=streets, unit="metres", limit=limit, outside="drop"
        )
    except EmptyError:  # no street near any of them
        return np.full((len(xy), len(xy)), np.inf)
    found = costs.matrix()
    return np.minimum(found, found.T)


def order_visits(metres: Floats, *, first: int) -> NDArray[np.intp]:
    """
    Order places as a short round that begins at one of them (nearest next, then 2-opt).

    Parameters
    ----------
    metres
        Of each pair, symmetric.
    first
        Position of the place that is visited first.

    Returns
    -------
    tour
        Positions in the order of visits.

    Examples
    --------
    >>> line = np.array([0.0, 100.0, 200.0, 300.0])
    >>> order_visits(np.abs(line[:, None] - line), first=1).tolist()
    [1, 0, 2, 3]
    """
    tour, left = [first], [place for place in range(len(metres)) if place != first]
    while left:
        nearest = int(metres[tour[-1], left].argmin())
        tour.append(left.pop(nearest))
    best = np.array(tour, dtype=np.intp)
    shorter = True
    while shorter:
        shorter = False
        for i in range(1, len(best) - 1):
            for j in range(i + 2, len(best) + 1):
                tried = np.concatenate([best[:i], best[i:j][::-1], best[j:]])
                if round_length(metres, tried) < round_length(metres, best) - 1e-6:
                    best, shorter = tried, True
    return best


def round_length(metres: Floats, tour: NDArray[np.intp]) -> float:
    """
    Return the length of a round over places and back to the first.

    Examples
    --------
    >>> round_length(np.array([[0.0, 5.0], [5.0, 0.0]]), np.array([0, 1]))
    10.0
    """
    return float(metres[tour, np.roll(tour, -1)].sum())
