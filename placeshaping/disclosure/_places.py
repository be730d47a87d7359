"""Where a place goes: a ring by address density, a direction and distance by HMAC."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import CRSError, EmptyError, GeometryError
from placeshaping.disclosure.secret import Secret

GridXY = NDArray[np.float64]

_TRIES = 64
_LOOKED_AT = 5
"""So many times k nearest addresses are asked whether the point lies in their own ring."""


@dataclass(frozen=True)
class MaskedPlaces:
    """
    Where places went.

    Attributes
    ----------
    xy
        Metres, one row a place.
    ranks
        Addresses no farther from there than the place is.
    hidden
        Whether the place is hidden among enough addresses there.
    """

    xy: GridXY
    ranks: NDArray[np.float64]
    hidden: NDArray[np.bool_]


def coordinates(points: gpd.GeoDataFrame, *, where: str) -> GridXY:
    """Return eastings and northings in metres; refuse what is no point or states no system."""
    if not len(points):
        msg = f"{where} has no rows."
        raise EmptyError(msg)
    shapes = points.geometry
    wrong = int(((shapes.geom_type != "Point") | shapes.is_empty).sum())
    if wrong:
        msg = f"{wrong:,} of {len(points):,} rows of {where} have no point. Leave them out first."
        raise GeometryError(msg)
    if points.crs is None:
        msg = f"{where} states no coordinate reference system. Set it, as with set_crs(27700)."
        raise CRSError(msg)
    metres = shapes if points.crs.to_epsg() == NATIONAL_GRID else shapes.to_crs(NATIONAL_GRID)
    found: GridXY = shapely.get_coordinates(metres.to_numpy())
    if not np.isfinite(found).all():
        msg = f"{where} has points that are nowhere on the British National Grid. Check the CRS."
        raise CRSError(msg)
    return found


def mask_places(
    places: GridXY,
    homes: GridXY,
    *,
    k: tuple[int, int],
    secret: Secret,
    precision: float,
    land: shapely.Geometry | None,
) -> MaskedPlaces:
    """Move every place; where a move does not hide it, try the next one of the same place."""
    tree = KDTree(homes)
    inner, outer = _rings(tree, places, k)
    xy = places.copy()
    ranks = np.zeros(len(places))
    hidden = np.zeros(len(places), dtype=np.bool_)
    open_ = np.arange(len(places))
    for attempt in range(_TRIES):
        turn, share = _draws(places[open_], secret, attempt)
        far = np.sqrt(inner[open_] ** 2 + share * (outer[open_] ** 2 - inner[open_] ** 2))
        step = far[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
        moved = np.rint((places[open_] + step) / precision) * precision
        reach = np.hypot(*(moved - places[open_]).T)
        rank = np.asarray(
            tree.query_ball_point(moved, reach * (1 + 1e-12), return_length=True), dtype=float
        )
        good = (rank >= k[0]) & (reach > 0)
        good[good] &= _on_land(moved[good], land)
        good[good] &= _plausible(tree, moved[good], k, precision) >= k[0]
        xy[open_[good]], ranks[open_[good]], hidden[open_[good]] = moved[good], rank[good], True
        open_ = open_[~good]
        if not len(open_):
            break
    return MaskedPlaces(xy, ranks, hidden)


def _rings(
    tree: KDTree, places: GridXY, k: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the radius of the circles around each place that hold so many addresses."""
    distance = np.asarray(tree.query(places, k=list(k))[0])
    inner, outer = distance[:, 0], distance[:, 1]
    return inner, np.maximum(outer, inner + 1.0)


def _draws(
    places: GridXY, secret: Secret, attempt: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a direction (radians) and a share of the ring's area for each place."""
    digests = b"".join(
        secret.digest(f"donut 1|{x}|{y}|{attempt}".encode())[:16]
        for x, y in places.astype(np.int64).tolist()
    )
    numbers = np.frombuffer(digests, dtype=">u8").reshape(-1, 2) / 2.0**64
    return 2 * np.pi * numbers[:, 0], numbers[:, 1]


def _on_land(xy: GridXY, land: shapely.Geometry | None) -> NDArray[np.bool_]:
    if land is None:
        return np.ones(len(xy), dtype=np.bool_)
    inside: NDArray[np.bool_] = shapely.covers(land, shapely.points(xy))
    return inside


def _plausible(
    tree: KDTree, moved: GridXY, k: tuple[int, int], precision: float
) -> NDArray[np.int64]:
    """Count, among the nearest addresses, those that have the point in a ring of their own."""
    if not len(moved):
        return np.zeros(0, dtype=np.int64)
    near = min(_LOOKED_AT * k[0], len(tree.data))
    distance, homes = tree.query(moved, k=near)
    asked, back = np.unique(homes, return_inverse=True)
    inner, outer = _rings(tree, tree.data[asked], k)
    back = back.reshape(homes.shape)
    fits = (distance >= inner[back] - precision) & (distance <= outer[back] + precision)
    counted: NDArray[np.int64] = fits.sum(axis=1)
    return counted
