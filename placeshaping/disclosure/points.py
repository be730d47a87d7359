"""
Points that may leave: moved so that many addresses could be the true one.

Best is not to publish points at all. Where they must be, each goes to the
nearest public point with at least eight addresses (as police.uk does it), or
into a ring around its place that holds from 8 to 80 addresses. How well that
hides is then counted, not assumed: for every point, how many addresses are no
farther from it than the true place is.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from placeshaping._core.checks import check_choice, check_columns
from placeshaping._core.crs import NATIONAL_GRID, areas_to_grid
from placeshaping._core.errors import DisclosureError, EmptyError, GeometryError, InputError
from placeshaping.disclosure._places import GridXY, MaskedPlaces, coordinates, mask_places
from placeshaping.disclosure.secret import Secret

_log = logging.getLogger(__name__)

FEWEST_ADDRESSES = 8
"""Addresses that a public point, or the inside of a ring, must stand for."""

COLUMNS = ("category", "period")
"""What may stand beside a masked point."""

_FEW_POINTS = 20
_FINEST_PRECISION = 1.0


@dataclass(frozen=True, repr=False)
class Features:
    """
    Masked points, as they may leave.

    Attributes
    ----------
    name
        Of the layer.
    kind
        ``"snapped"`` or ``"donut"``.
    points
        EPSG:27700; `geometry` and the columns that were asked for. In the
        order of what they show, with a new index, so that neither tells
        anything of the records.
    precision_m
        Metres: coordinates are multiples of it.
    least
        Addresses that each point is meant to hide among.
    most
        Addresses that the outer circle of a ring holds; None for snapped
        points.
    achieved
        Rank counted afterwards: `min`, `p5`, `median` of the number of
        addresses that are no farther from a masked point than its true place.
        Of fewer than 20 points only `min`, as what all of them reach.
    left_out
        Events that could not be masked, and why.
    """

    name: str
    kind: Literal["snapped", "donut"]
    points: gpd.GeoDataFrame
    precision_m: float
    least: int
    most: int | None
    achieved: dict[str, float]
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def declaration(self) -> dict[str, Any]:
        """What a file says of these points, so that it can be checked."""
        columns = [str(c) for c in self.points.columns if c != "geometry"]
        return {
            "item": "features",
            "layer": self.name,
            "kind": self.kind,
            "precision_m": self.precision_m,
            "least": self.least,
            "most": self.most,
            "achieved": self.achieved,
            "columns": columns,
        }

    @property
    def statement(self) -> tuple[str, ...]:
        """What a reader must know of these points, in sentences."""
        how = (
            f"Each point stands on the nearest public point with at least {self.least} addresses"
            if self.kind == "snapped"
            else f"Each point was moved to a random place within {self.least} to {self.most} "
            "addresses of its own, the same one each time"
        )
        reached = ", ".join(f"{name} {value:,.0f}" for name, value in self.achieved.items())
        said = [
            f"{how}; coordinates are rounded to {self.precision_m:g} m. No point is where "
            "something happened.",
            f"Addresses no farther from a point than its true place: {reached}.",
        ]
        said += [f"{number:,} events are left out: {why}." for why, number in self.left_out.items()]
        return tuple(said)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"<Features {self.name!r}: {len(self.points):,} points, {self.kind}>"


def snap_points(
    events: gpd.GeoDataFrame,
    public_points: gpd.GeoDataFrame,
    *,
    addresses: str = "addresses",
    least: int = FEWEST_ADDRESSES,
    address_points: gpd.GeoDataFrame | None = None,
    limit: float = 2_000.0,
    too_far: Literal["raise", "drop"] = "raise",
    columns: Sequence[str] = (),
    precision: float = 1.0,
    name: str = "points",
) -> Features:
    """
    Move each event to the nearest public point that stands for enough addresses.

    Parameters
    ----------
    events
        Points.
    public_points
        Points that anybody knows (middles of streets, stations, parks), with
        the number of addresses that are nearer to each than to any other.
    addresses
        Column of that number.
    least
        Addresses that a public point must have to be used.
    address_points
        One point an address; where given, the rank achieved is counted on
        them. Without, it is the number of addresses of the public point.
    limit
        Metres: an event farther than this from every such point cannot be
        snapped.
    too_far
        Whether to refuse or to leave such events out.
    columns
        Columns of `events` that leave with the points: of `COLUMNS`.
    precision
        Metres that coordinates are rounded to.
    name
        Of the layer.

    Returns
    -------
    features
        Points that may leave.

    Raises
    ------
    DisclosureError
        If events are too far from every usable point, or another column is
        asked for.
    EmptyError
        If there are no events, or no public point has enough addresses.

    Examples
    --------
    >>> events = gpd.GeoDataFrame(geometry=gpd.points_from_xy([12, 95], [3, 0]), crs=27700)
    >>> public = gpd.GeoDataFrame(
    ...     {"addresses": [9, 3, 20]}, geometry=gpd.points_from_xy([0, 90, 140], [0] * 3), crs=27700
    ... )
    >>> snapped = snap_points(events, public)
    >>> snapped.points.geometry.x.tolist(), snapped.achieved
    ([0.0, 140.0], {'min': 9.0})
    """
    check_choice(too_far, ("raise", "drop"), name="too_far")
    check_columns(public_points.columns, [addresses], where="public_points")
    _check_precision(precision)
    true = coordinates(events, where="events")
    usable = public_points[public_points[addresses].to_numpy(dtype=float, na_value=0.0) >= least]
    if usable.empty:
        msg = (
            f"None of {len(public_points):,} public points has {least} addresses. "
            "Give points that stand for more of them."
        )
        raise EmptyError(msg)
    anchors = coordinates(usable, where="public_points")
    distance, nearest = KDTree(anchors).query(true)
    far: NDArray[np.bool_] = np.asarray(distance) > limit
    _refuse_far(int(far.sum()), len(true), limit, too_far)
    masked = _to_precision(anchors[nearest], precision)[~far]
    if address_points is None:
        ranks = usable[addresses].to_numpy(dtype=float)[nearest][~far]
    else:
        ranks = count_nearer(masked, true[~far], coordinates(address_points, where="addresses"))
    return Features(
        name=name,
        kind="snapped",
        points=_released(events[~far], masked, columns),
        precision_m=precision,
        least=least,
        most=None,
        achieved=_distribution(ranks),
        left_out=_left_out(int(far.sum()), f"no public point within {limit:,.0f} m"),
    )


def donut(
    events: gpd.GeoDataFrame,
    addresses: gpd.GeoDataFrame,
    *,
    secret: Secret,
    k: tuple[int, int] = (FEWEST_ADDRESSES, 80),
    areas: gpd.GeoDataFrame | None = None,
    failed: Literal["raise", "drop"] = "raise",
    columns: Sequence[str] = (),
    precision: float = 10.0,
    name: str = "points",
) -> Features:
    """
    Move each event into a ring around its place, the same way every time.

    The inner circle holds `k[0]` addresses, the outer one `k[1]`: narrow in a
    town, wide in the country. Direction and distance come from an HMAC-SHA256
    of the place (rounded to 1 m) under a secret, evenly over the ring's area,
    so that a place masked again and again is always shown at the same point
    and averaging gives nothing. A move is kept only where at least `k[0]`
    addresses are no farther from the new point than the true place is, and
    at least `k[0]` have the point in a ring of their own, for whoever knows
    the method looks at those; otherwise the next move of the same place is
    tried. How often a place was recorded still shows in how many points
    coincide.

    Parameters
    ----------
    events
        Points.
    addresses
        One point for each address of the region, and of some way around it.
        With another list of addresses, the same place moves elsewhere.
    secret
        As `read_secret` returns it.
    k
        Addresses within the inner and the outer circle.
    areas
        Land: where given, no point is moved out of it.
    failed
        Whether to refuse or to leave out events that no move hides.
    columns
        Columns of `events` that leave with the points: of `COLUMNS`.
    precision
        Metres that coordinates are rounded to.
    name
        Of the layer.

    Returns
    -------
    features
        Points that may leave.

    Raises
    ------
    DisclosureError
        If some events cannot be hidden among `k[0]` addresses, or another
        column is asked for.
    EmptyError
        If there are no events.
    InputError
        If `k` is not two ascending numbers of at least `FEWEST_ADDRESSES`, or
        there are fewer addresses than `k[1]`.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(0.0, 400, 20), np.arange(0.0, 400, 20))
    >>> homes = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x.ravel(), y.ravel()), crs=27700)
    >>> masked = donut(homes.iloc[[190]], homes, secret=Secret(bytes(range(32))))
    >>> masked.achieved["min"] >= 8
    True
    """
    check_choice(failed, ("raise", "drop"), name="failed")
    _check_k(k, len(addresses))
    _check_precision(precision)
    true = coordinates(events, where="events")
    homes = coordinates(addresses, where="addresses")
    land = None if areas is None else _land(areas)
    places, back = np.unique(np.rint(true), axis=0, return_inverse=True)
    found: MaskedPlaces = mask_places(
        places, homes, k=k, secret=secret, precision=precision, land=land
    )
    masked, hidden = found.xy[back.ravel()], found.hidden[back.ravel()]
    why = f"no move hides them among {k[0]} addresses"
    if not hidden.all() and failed == "raise":
        msg = (
            f"{int((~hidden).sum()):,} of {len(events):,} events: {why}. Give the addresses "
            "further around, or pass failed='drop' to leave these events out."
        )
        raise DisclosureError(msg)
    return Features(
        name=name,
        kind="donut",
        points=_released(events[hidden], masked[hidden], columns),
        precision_m=precision,
        least=k[0],
        most=k[1],
        achieved=_distribution(found.ranks[back.ravel()][hidden]),
        left_out=_left_out(int((~hidden).sum()), why),
    )


def count_nearer(masked: GridXY, true: GridXY, addresses: GridXY) -> NDArray[np.float64]:
    """
    Count, for each masked point, the addresses that are no farther from it than the true place.

    That is the rank of the true place among the addresses, as seen by somebody
    who starts at the masked point and works outwards.

    Parameters
    ----------
    masked, true
        Metres, one row (x, y) a point.
    addresses
        One row an address.

    Returns
    -------
    ranks
        Whole numbers, one a point.

    Examples
    --------
    >>> homes = np.array([[0.0, 0], [10, 0], [20, 0], [90, 0]])
    >>> count_nearer(np.array([[12.0, 0]]), np.array([[0.0, 0]]), homes).tolist()
    [3.0]
    """
    distance = np.hypot(*(masked - true).T) * (1 + 1e-12)
    counted = KDTree(addresses).query_ball_point(masked, distance, return_length=True)
    return np.asarray(counted, dtype=np.float64)


def _check_k(k: tuple[int, int], addresses: int) -> None:
    inner, outer = k
    if not FEWEST_ADDRESSES <= inner < outer:
        msg = (
            f"k is {k}; give the addresses within the inner and the outer circle, the first at "
            f"least {FEWEST_ADDRESSES}, the second larger."
        )
        raise InputError(msg)
    if addresses < outer:
        msg = f"There are {addresses:,} addresses and the outer circle needs {outer:,}. Give more."
        raise InputError(msg)


def _check_precision(precision: float) -> None:
    if not precision >= _FINEST_PRECISION:
        msg = f"precision is {precision} m; masked coordinates leave at 1 m or coarser."
        raise DisclosureError(msg)


def _refuse_far(far: int, events: int, limit: float, too_far: str) -> None:
    if far and too_far == "raise":
        msg = (
            f"{far:,} of {events:,} events are more than {limit:,.0f} m from every public point "
            "with enough addresses. Give more public points, or pass too_far='drop' to leave "
            "these events out."
        )
        raise DisclosureError(msg)


def _land(areas: gpd.GeoDataFrame) -> shapely.Geometry:
    land = areas_to_grid(areas, where="areas").geometry.union_all()
    if land.is_empty:
        msg = "areas hold no land. Give the areas that points may lie in."
        raise GeometryError(msg)
    shapely.prepare(land)
    return land


def _to_precision(xy: GridXY, precision: float) -> GridXY:
    rounded: GridXY = np.rint(xy / precision) * precision
    return rounded


def _released(events: gpd.GeoDataFrame, masked: GridXY, columns: Sequence[str]) -> gpd.GeoDataFrame:
    """Put masked points in an order that comes from what they show alone."""
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown:
        msg = (
            f"{', '.join(map(repr, unknown))} may not leave with a masked point; what may is: "
            f"{', '.join(COLUMNS)}."
        )
        raise DisclosureError(msg)
    check_columns(events.columns, columns, where="events")
    table = pd.DataFrame(events[list(columns)]).reset_index(drop=True)
    table = table.assign(_x=masked[:, 0], _y=masked[:, 1])
    table = table.sort_values([*columns, "_x", "_y"], ignore_index=True)
    shown = gpd.points_from_xy(table["_x"], table["_y"])
    return gpd.GeoDataFrame(table[list(columns)], geometry=shown, crs=NATIONAL_GRID)


def _distribution(ranks: NDArray[np.float64]) -> dict[str, float]:
    if not len(ranks):
        msg = "No event is left to show. None could be masked as asked."
        raise EmptyError(msg)
    figures = {"min": float(ranks.min())}
    if len(ranks) >= _FEW_POINTS:
        figures["p5"] = float(np.floor(np.quantile(ranks, 0.05)))
        figures["median"] = float(np.floor(np.median(ranks)))
    _log.info("Addresses no farther than the true place: %s", figures)
    return figures


def _left_out(number: int, why: str) -> dict[str, int]:
    if not number:
        return {}
    _log.warning("%s events are left out: %s", f"{number:,}", why)
    return {why: number}
