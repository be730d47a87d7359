"""How large cells should be, and how far neighbours reach: defaults by stated rules."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse, spatial

from placeshaping._core.crs import looks_like_degrees
from placeshaping._core.errors import CRSError, EmptyError
from placeshaping.areas.grids import SIZES
from placeshaping.hotspots._lattice import Lattice
from placeshaping.hotspots._whole import measure_series
from placeshaping.hotspots.moran import MORAN
from placeshaping.joins._geometry import coordinates

SNAPPED_FLOOR = 250
"""Metres: no cell below this on records that were moved to anchor points, as on police.uk."""

_STEPS = 20
_NEIGHBOURS = 30


@dataclass(frozen=True)
class CellSize:
    """
    A size of cells, and why it was chosen.

    Attributes
    ----------
    size
        Side in metres, one of `areas.grids.SIZES`.
    reason
        One sentence.
    """

    size: int
    reason: str


@dataclass(frozen=True)
class Reach:
    """
    A distance within which areas are neighbours, and why it was chosen.

    Attributes
    ----------
    distance
        Metres, from centre to centre.
    reason
        One sentence.
    scores
        Score of global Moran at each distance that was tried.
    """

    distance: float
    reason: str
    scores: pd.Series[float]


def choose_cell_size(events: pd.DataFrame, *, snapped: bool | None = None) -> CellSize:
    """
    Choose the size of cells in which to count events.

    The size of the nested grids that is nearest, in proportion, to the larger
    of these two:

    - the square that would hold two events on average, were they spread
      evenly over the kilometre squares that hold any (the rule of Greig-Smith
      and Griffith for quadrats, on the ground where there are events);
    - the median distance from a place to the next place with an event;

    and at least 250 m where records were moved to anchor points, as on
    police.uk: smaller cells would show the anchor points.

    Parameters
    ----------
    events
        Events with ``easting`` and ``northing`` (metres, EPSG:27700), or
        points; those without coordinates are left out.
    snapped
        Whether the records were moved to anchor points; by default judged:
        they were where there are fewer than half as many places as events.

    Returns
    -------
    size
        The size, and the reason in a sentence.

    Raises
    ------
    EmptyError
        If fewer than two places have events.
    ColumnError, CRSError
        If the events have no coordinates, or not on the National Grid.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> events = pd.DataFrame(rng.uniform(400_000, 404_000, (200, 2)))
    >>> choose_cell_size(events.set_axis(["easting", "northing"], axis="columns")).size
    500
    """
    xy = np.column_stack(coordinates(events))
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) and looks_like_degrees([*xy.min(axis=0), *xy.max(axis=0)]):
        msg = "The coordinates of the events are degrees. Give metres: to_grid makes them."
        raise CRSError(msg)
    places = np.unique(xy, axis=0)
    if len(places) < 2:
        msg = (
            f"The {len(xy):,} events with coordinates do not lie at two places or more, which a "
            "size of cells needs. Check the selection that made them."
        )
        raise EmptyError(msg)
    squares = len(np.unique(xy // 1_000, axis=0))
    sparse_side = math.sqrt(2 * squares * 1e6 / len(xy))
    gap = float(np.median(_nearest(spatial.KDTree(places), places, 1)))
    judged = snapped is None
    snapped = len(places) < len(xy) / 2 if snapped is None else snapped
    wanted = max(sparse_side, gap)
    size = min(SIZES, key=lambda side: abs(math.log(side / wanted)))
    size = max(size, SNAPPED_FLOOR) if snapped else size
    reason = (
        f"Cells of {size:,} m: the {len(xy):,} events lie in {squares:,} kilometre squares, where "
        f"a cell of {sparse_side:,.0f} m would hold two of them; the next place with an event is "
        f"{gap:,.0f} m away (median)"
    )
    if snapped:
        seen = f"only {len(places):,} places are distinct, so they" if judged else "they"
        reason += f"; {seen} were moved to anchor points, and no cell is below {SNAPPED_FLOOR} m"
    if wanted > SIZES[-1] * math.sqrt(2):
        reason += ". No larger grid is offered: the events are thin, and areas may serve better"
    return CellSize(size, f"{reason}.")


def choose_distance(values: pd.Series[Any], areas: gpd.GeoDataFrame) -> Reach:
    """
    Choose the distance within which areas count as neighbours.

    Global Moran is worked out at growing distances: from the first at which
    99 % of the areas have a neighbour, by half the mean distance to the
    nearest, as long as areas have at most 30 neighbours on average (beyond
    that a hot spot is the whole town). The first distance at which its score
    stands above those before and after is taken, if the score is above 1.96:
    there clustering is most pronounced. Without such a peak, the mean distance
    to the k-th nearest area is taken, k being a twentieth of the areas, at
    least 3 and at most 30.

    Parameters
    ----------
    values
        Counts or rates, indexed by area code; missing ones are left out.
    areas
        Polygons of the same areas, in metres.

    Returns
    -------
    reach
        The distance, the reason in a sentence, and the scores.

    Raises
    ------
    EmptyError
        If fewer than five areas have values.

    Examples
    --------
    >>> from placeshaping.areas.grids import make_grid
    >>> cells = make_grid((0, 0, 8_000, 8_000), size=500)
    >>> x, y = cells.centroid.x, cells.centroid.y
    >>> count = 100 * np.exp(-((x - 4_000) ** 2 + (y - 4_000) ** 2) / 2e6)
    >>> round(choose_distance(count.round(), cells).distance)
    1196
    """
    known = values.dropna()
    if len(known) < 5:
        msg = f"{len(known):,} areas have values: a distance needs five. Give touching neighbours."
        raise EmptyError(msg)
    chosen = areas.loc[known.index]
    centres = shapely.get_coordinates(shapely.centroid(chosen.geometry.to_numpy()))
    tree = spatial.KDTree(centres)
    nearest = _nearest(tree, centres, 1)
    distances = _distances(nearest, tree)
    scores = pd.Series(
        _scores(known, centres, tree, distances), pd.Index(distances), name="z_score"
    )
    peak = _first_peak(scores)
    if peak is not None:
        reason = (
            f"Neighbours within {peak:,.0f} m: of {len(scores)} distances from "
            f"{scores.index[0]:,.0f} to {scores.index[-1]:,.0f} m, global Moran has its first peak "
            f"there (score {scores[peak]:.1f})."
        )
        return Reach(peak, reason, scores)
    k = min(max(3, round(0.05 * len(known))), _NEIGHBOURS, len(known) - 1)
    mean = float(_nearest(tree, centres, k).mean())
    reason = (
        f"Neighbours within {mean:,.0f} m, the mean distance to the {k} nearest: global Moran has "
        f"no peak among the {len(scores)} distances that were tried."
    )
    return Reach(mean, reason, scores)


def _nearest(tree: spatial.KDTree, xy: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Return the distance of each place to the k-th nearest other one."""
    found: NDArray[np.float64] = np.asarray(tree.query(xy, k=[k + 1])[0])[:, 0]
    return found


def _distances(nearest: NDArray[np.float64], tree: spatial.KDTree) -> list[float]:
    """Return the distances to try."""
    start = max(float(np.quantile(nearest, 0.99)), 1.0)
    step = float(nearest.mean()) / 2 or start
    tried = [start]
    while len(tried) < _STEPS:
        following = tried[-1] + step
        pairs = tree.count_neighbors(tree, following) - tree.n
        if pairs > _NEIGHBOURS * tree.n:
            break
        tried.append(following)
    return [round(d + 1e-3, 3) for d in tried]


def _scores(
    values: pd.Series[Any],
    centres: NDArray[np.float64],
    tree: spatial.KDTree,
    distances: list[float],
) -> list[float]:
    """Return the score of global Moran for each distance."""
    pairs = tree.query_pairs(distances[-1], output_type="ndarray")
    apart = np.hypot(*(centres[pairs[:, 0]] - centres[pairs[:, 1]]).T)
    numbers = values.to_numpy(dtype="float64")[:, None]
    scores = []
    for distance in distances:
        one, other = pairs[apart <= distance].T
        both = (np.r_[one, other], np.r_[other, one])
        adjacency = sparse.csr_array((np.ones(2 * len(one)), both), shape=(len(numbers),) * 2)
        lattice = Lattice(values.index, pd.Index([0]), True, numbers, adjacency, 4)
        measured = measure_series(
            lattice,
            MORAN,
            weights="row",
            assumption="randomisation",
            permutations=0,
            generator=np.random.default_rng(0),
        )
        scores.append(float(measured["z_score"][0]))
    return scores


def _first_peak(scores: pd.Series[float]) -> float | None:
    z = scores.to_numpy()
    for i in range(1, len(z) - 1):
        if z[i] > z[i - 1] and z[i] > z[i + 1] and z[i] > 1.96:
            return float(scores.index[i])
    return None
