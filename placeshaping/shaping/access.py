"""
Access to services: how far the nearest is, how many lie within reach, and for how many people.

Travel is in a straight line or along a network of streets, in metres or in
minutes at stated speeds; a table of times from elsewhere serves too. Nothing
here knows opening hours, waiting lists, buses or hills.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.shaping._attach import Outside, Unit, join_places, nearest_of
from placeshaping.shaping._points import Flags, Floats, points_of, weights_of
from placeshaping.shaping.network import WALKING_KM_H, Network
from placeshaping.shaping.travel import (
    REACH,
    TravelCosts,
    check_options,
    join_near,
    line_words,
    street_words,
)

_log = logging.getLogger(__name__)

ENHANCED_BANDS = {10.0: 1.0, 20.0: 0.68, 30.0: 0.22}
"""Minutes and weights of the enhanced floating catchment (Luo and Qi 2009)."""


@dataclass(frozen=True, eq=False)
class Catchments:
    """
    Supply and demand within reach of each other.

    Attributes
    ----------
    areas
        Index of the origins: ``access`` (supply for `per` of the demand),
        ``services`` (how many are in reach).
    services
        Index of the services: ``supply``, ``demand`` (in reach, weighted),
        ``ratio`` (supply for `per` of it; missing where nobody is in reach).
    per
        Units of demand that ratios are for.
    method, cautions
        How it was worked out, and what a reader must know.
    """

    areas: pd.DataFrame
    services: pd.DataFrame
    per: float
    method: str
    cautions: tuple[str, ...]


def nearest_service(
    origins: gpd.GeoDataFrame,
    services: gpd.GeoDataFrame,
    *,
    network: Network | None = None,
    unit: Unit = "minutes",
    walking: float = WALKING_KM_H,
    detour: float = 1.0,
    reach: float = REACH,
    outside: Outside = "raise",
) -> pd.DataFrame:
    """
    Find the nearest service of every area or postcode, and what it takes to get there.

    Parameters
    ----------
    origins, services, network, unit, walking, detour, reach, outside
        As in `travel_costs`.

    Returns
    -------
    nearest
        Index of `origins`: ``nearest`` (label of the service) and ``minutes``
        or ``metres``; both missing where none can be reached. ``attrs``:
        ``unit``, ``method``, ``cautions``.

    Raises
    ------
    CRSError, EmptyError, DuplicateError, GeometryError
        If tables are not in metres, empty, have a label twice or no places.
    UnmatchedError
        If places lie outside the network and `outside` is ``"raise"``.
    InputError
        If an option is not above zero.

    Examples
    --------
    >>> from shapely import Point
    >>> homes = gpd.GeoDataFrame(index=["a", "b"], geometry=[Point(0, 0), Point(800, 0)], crs=27700)
    >>> library = gpd.GeoDataFrame(index=["Mill Road"], geometry=[Point(0, 400)], crs=27700)
    >>> nearest_service(homes, library, unit="metres").round(0)
         nearest  metres
    a  Mill Road   400.0
    b  Mill Road   894.0
    """
    check_options(unit, outside, walking=walking, detour=detour, reach=reach)
    start = points_of(origins, where="origins", what="origins")
    goal = points_of(services, where="services", what="services")
    if network is None:
        metres, position = cKDTree(goal).query(start)
        cost = metres * (detour if unit == "metres" else detour / walking * 0.06)
        facts, method = line_words(unit, walking, detour)
    else:
        near = join_near(network, (start, goal), (origins, services), reach, outside)
        cost, position = nearest_of(join_places(network, start, goal, near, unit))
        facts, method = street_words(network, (start, goal), near)
    found = np.isfinite(cost)
    label = services.index.take(np.maximum(position, 0)).to_series(index=origins.index)
    table = pd.DataFrame(
        {"nearest": label.where(found), unit: np.where(found, cost, np.nan)}, index=origins.index
    )
    if not found.all():
        facts = (*facts, f"{int((~found).sum()):,} of {len(found):,} origins reach no service.")
    for caution in facts:
        _log.info("%s", caution)
    table.attrs = {"unit": unit, "method": f"Nearest service {method}.", "cautions": facts}
    return table


def cumulative_opportunities(
    costs: TravelCosts, *, within: float, supply: pd.Series[float] | None = None
) -> pd.DataFrame:
    """
    Add up what can be reached within a threshold.

    Parameters
    ----------
    costs
        From `travel_costs` or `costs_from_table`.
    within
        Threshold in the unit of `costs`, itself included.
    supply
        What each service offers (places, hours, jobs); by default each is one.

    Returns
    -------
    reached
        Index of the origins: ``services`` (how many) and ``opportunities``
        (their supply). ``attrs``: ``method``, ``cautions``.

    Raises
    ------
    InputError
        If the threshold is above the limit of `costs`, or a supply is missing
        or below zero.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> pairs = pd.DataFrame({"origin": ["a", "a"], "service": ["x", "y"], "cost": [4.0, 9.0]})
    >>> costs = costs_from_table(pairs, pd.Index(["a", "b"]), pd.Index(["x", "y"]))
    >>> cumulative_opportunities(costs, within=5)["services"].to_dict()
    {'a': 1, 'b': 0}
    """
    _check_within(costs, within)
    inside = costs.cost <= within
    value = _supply_of(costs, supply)
    table = pd.DataFrame(
        {
            "services": _by_origin(costs, inside) @ np.ones(len(costs.services)),
            "opportunities": _by_origin(costs, inside) @ value,
        },
        index=costs.origins,
    ).astype({"services": "int64"})
    table.attrs = {
        "method": f"Services within {within:g} {costs.unit}. {costs.method}",
        "cautions": costs.cautions,
    }
    return table


def floating_catchment(
    costs: TravelCosts,
    demand: pd.Series[float],
    *,
    supply: pd.Series[float] | None = None,
    within: float | None = None,
    bands: Mapping[float, float] | None = None,
    per: float = 1000.0,
) -> Catchments:
    """
    Set supply against the demand within reach of it, by two-step floating catchments.

    First each service's supply is divided by the demand that it is in reach
    of; then each origin adds up these ratios of the services in its reach
    (Luo and Wang 2003). With bands, far pairs count less in both steps (the
    enhanced form, Luo and Qi 2009).

    Parameters
    ----------
    costs
        From `travel_costs` or `costs_from_table`.
    demand
        People or the like of each origin.
    supply
        What each service offers; by default each is one.
    within
        Reach in the unit of `costs`, itself included; or
    bands
        upper ends of bands and their weights, such as `ENHANCED_BANDS`.
    per
        Ratios are for this many units of demand.

    Returns
    -------
    catchments
        Access of areas, and ratios of services.

    Raises
    ------
    InputError
        If not one of `within` and `bands` is given, reaches past the limit of
        `costs`, or a demand or supply is missing or below zero.
    EmptyError
        If there is no demand, or no supply.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> pairs = pd.DataFrame({"origin": ["a", "b"], "service": ["x", "x"], "cost": [4.0, 9.0]})
    >>> costs = costs_from_table(pairs, pd.Index(["a", "b"]), pd.Index(["x"]))
    >>> people = pd.Series([300, 700], index=["a", "b"])
    >>> floating_catchment(costs, people, within=5).areas["access"].round(2).to_dict()
    {'a': 3.33, 'b': 0.0}
    """
    if (within is None) == (bands is None):
        msg = "Say how far a catchment reaches by one of `within` and `bands`."
        raise InputError(msg)
    steps = {float(within): 1.0} if within is not None else dict(sorted((bands or {}).items()))
    _check_bands(costs, steps)
    people = weights_of(demand, costs.origins, where="demand", what="origins")
    value = _supply_of(costs, supply)
    ends, weight = np.array(list(steps)), np.array([*steps.values(), 0.0])
    pair = weight[np.searchsorted(ends, costs.cost)] if len(ends) > 1 else costs.cost <= ends[0]
    weighted = _by_origin(costs, pair)
    reached = weighted.T @ people
    ratio = np.divide(value * per, reached, out=np.zeros_like(value), where=reached > 0)
    unused = int(((reached == 0) & (value > 0)).sum())
    alone = int((people[np.diff(weighted.indptr) == 0] > 0).sum())
    areas = pd.DataFrame(
        {"access": weighted @ ratio, "services": np.diff(weighted.indptr)}, index=costs.origins
    )
    return Catchments(
        areas=areas,
        services=pd.DataFrame(
            {"supply": value, "demand": reached, "ratio": np.where(reached > 0, ratio, np.nan)},
            index=costs.services,
        ),
        per=per,
        method=f"{_catchment_words(steps, costs.unit, per)} {costs.method}",
        cautions=(*costs.cautions, *_catchment_cautions(unused, alone)),
    )


def _by_origin(costs: TravelCosts, weight: Flags | Floats) -> csr_array:
    matrix = csr_array(
        (weight.astype(np.float64), costs.service, costs.starts),
        shape=(len(costs.origins), len(costs.services)),
        copy=True,  # zeros are taken out in place
    )
    matrix.eliminate_zeros()
    return matrix


def _supply_of(costs: TravelCosts, supply: pd.Series[float] | None) -> Floats:
    if supply is None:
        return np.ones(len(costs.services))
    return weights_of(supply, costs.services, where="supply", what="services")


def _check_within(costs: TravelCosts, within: float) -> None:
    if not 0 <= within <= costs.limit:
        msg = (
            f"{within:g} {costs.unit} were asked for, and costs were measured up to "
            f"{costs.limit:g}. Measure them with a larger limit."
        )
        raise InputError(msg)
    if not len(costs.cost):
        msg = f"No service lies within {costs.limit:g} {costs.unit} of any origin."
        raise EmptyError(msg)


def _check_bands(costs: TravelCosts, bands: Mapping[float, float]) -> None:
    if not bands or not all(weight >= 0 for weight in bands.values()):
        msg = "bands needs upper ends with weights of zero or more, such as {10: 1, 20: 0.68}."
        raise InputError(msg)
    _check_within(costs, max(bands))


def _catchment_words(steps: Mapping[float, float], unit: str, per: float) -> str:
    if len(steps) == 1:
        return (
            f"Two-step floating catchment (Luo and Wang 2003) of {next(iter(steps)):g} {unit}, "
            f"for {per:,.0f} of the demand."
        )
    told = ", ".join(f"{weight:g} to {end:g}" for end, weight in steps.items())
    return (
        f"Enhanced two-step floating catchment (Luo and Qi 2009), weights {told} {unit}, for "
        f"{per:,.0f} of the demand."
    )


def _catchment_cautions(unused: int, alone: int) -> tuple[str, ...]:
    words = ["Nobody beyond the given origins is counted: near the border access looks better."]
    if unused:
        words.append(f"{unused:,} services are in reach of no demand and add to no area's access.")
    if alone:
        words.append(f"{alone:,} areas with demand have no service in reach.")
    return tuple(words)
