"""
Siting: the best places for k facilities, and how much better any others could be.

Four questions: the least travel (`p_median`), the shortest longest way
(`p_centre`), the most people within a distance (`maximal_covering`), the fewest
sites that leave nobody beyond it (`set_covering`). Sites are exchanged one by
one from several starts (Teitz and Bart 1968, by the quick accounts of Whitaker
1983); a Lagrangian bound says what no choice can go below, so that every
answer has its gap. Costs are as given: nothing here knows rents, plots or
whether a building is to be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from placeshaping._core.errors import InputError
from placeshaping.shaping._capacity import (
    search_with_capacity,
    shared_demand,
    solve_with_capacity,
)
from placeshaping.shaping._centre import nearest_cover
from placeshaping.shaping._covering import fewest
from placeshaping.shaping._median import (
    Floats,
    Found,
    Ints,
    search,
    search_shared,
    served,
    solve_exactly,
)
from placeshaping.shaping._points import weights_of
from placeshaping.shaping._siting_problem import Guarantee, Problem, impossible, make_problem
from placeshaping.shaping._siting_tables import SitingPlan, Task, plan_of
from placeshaping.shaping._swap import improve
from placeshaping.shaping.travel import TravelCosts

__all__ = [
    "Guarantee",
    "SitingPlan",
    "maximal_covering",
    "p_centre",
    "p_median",
    "set_covering",
]

SECONDS = 300.0
"""Time that HiGHS is given for an exact answer."""

_FAR = 1e6  # for pairs that cannot be, beside minutes and metres of one area


def p_median(
    demand: pd.Series[float],
    costs: TravelCosts,
    *,
    sites: int,
    existing: Sequence[object] = (),
    keep: bool = True,
    capacity: pd.Series[float] | None = None,
    guarantees: Iterable[Guarantee] = (),
    exact: bool = False,
    seconds: float = SECONDS,
    rng: int | np.random.Generator = 0,
) -> SitingPlan:
    """
    Choose sites so that people travel least on average.

    Parameters
    ----------
    demand
        People or the like of each area (the origins of `costs`).
    costs
        From every area to every candidate, by `travel_costs` or
        `costs_from_table`; pairs that are missing cannot be used.
    sites
        How many there shall be in all, the existing ones that are kept among
        them.
    existing
        Candidates that are in use today: the state before.
    keep
        Whether existing ones stay; otherwise they are candidates like others.
    capacity
        Demand that each candidate can take; an area may then be shared
        between sites.
    guarantees
        A distance within which groups of areas must have a site.
    exact
        Whether to close the gap by HiGHS.
    seconds
        Time that HiGHS is given.
    rng
        Seed or generator of the starts.

    Returns
    -------
    plan
        Sites, areas before and after, the mean cost, its bound and the gap.

    Raises
    ------
    InputError
        If there are more sites than candidates, demand is missing or below
        zero, candidates or existing sites are not known, or nothing found
        meets the capacities and guarantees.
    EmptyError
        If there is no demand.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> areas, places = pd.Index(["a", "b", "c"]), pd.Index(["x", "y"])
    >>> pairs = pd.DataFrame({"origin": ["a", "b", "c"] * 2, "service": ["x"] * 3 + ["y"] * 3,
    ...                       "cost": [1.0, 2.0, 9.0, 8.0, 6.0, 1.0]})
    >>> costs = costs_from_table(pairs, areas, places)
    >>> plan = p_median(pd.Series([10, 10, 20], index=areas), costs, sites=1)
    >>> plan.sites.index.tolist(), plan.objective, plan.gap
    (['y'], 4.0, 0.0)
    """
    problem = make_problem(demand, costs, sites, existing, keep, guarantees)
    task = Task(f"Least travel (p-median) with {problem.count:,} sites", "mean", None, exact)
    generator = np.random.default_rng(rng)
    if capacity is not None:
        return _with_capacity(problem, capacity, task, seconds, generator)
    cost = problem.weighted(problem.minutes)
    return plan_of(problem, _solve(problem, cost, task, seconds, generator), task)


def maximal_covering(
    demand: pd.Series[float],
    costs: TravelCosts,
    *,
    sites: int,
    within: float,
    existing: Sequence[object] = (),
    keep: bool = True,
    guarantees: Iterable[Guarantee] = (),
    exact: bool = False,
    seconds: float = SECONDS,
    rng: int | np.random.Generator = 0,
) -> SitingPlan:
    """
    Choose sites so that as many people as can be have one within a distance.

    The maximal covering problem of Church and ReVelle (1974).

    Parameters
    ----------
    demand, costs, sites, existing, keep, guarantees, exact, seconds, rng
        As in `p_median`.
    within
        The distance, in the unit of `costs`, itself included.

    Returns
    -------
    plan
        As of `p_median`; the objective is the share of demand that is covered,
        its bound the share that no choice can exceed.

    Raises
    ------
    InputError, EmptyError
        As `p_median`; also if `within` is above the limit of `costs`.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> areas, places = pd.Index(["a", "b", "c"]), pd.Index(["x", "y"])
    >>> pairs = pd.DataFrame({"origin": ["a", "b", "c"] * 2, "service": ["x"] * 3 + ["y"] * 3,
    ...                       "cost": [1.0, 2.0, 9.0, 8.0, 6.0, 1.0]})
    >>> costs = costs_from_table(pairs, areas, places)
    >>> plan = maximal_covering(pd.Series(10, index=areas), costs, sites=1, within=5)
    >>> plan.sites.index.tolist(), round(plan.objective, 3)
    (['x'], 0.667)
    """
    problem = make_problem(demand, costs, sites, existing, keep, guarantees, reach=False)
    problem.check_within(within)
    name = f"Most demand within {within:g} {costs.unit} (maximal covering), {problem.count:,} sites"
    task = Task(name, "covered", within, exact)
    cost = problem.weighted((problem.minutes > within).astype(np.float64))
    found = _solve(problem, cost, task, seconds, np.random.default_rng(rng))
    return plan_of(problem, found, task)


def p_centre(
    demand: pd.Series[float],
    costs: TravelCosts,
    *,
    sites: int,
    existing: Sequence[object] = (),
    keep: bool = True,
    guarantees: Iterable[Guarantee] = (),
    exact: bool = False,
    seconds: float = SECONDS,
    rng: int | np.random.Generator = 0,
) -> SitingPlan:
    """
    Choose sites so that the longest way to the nearest is as short as can be.

    Areas without demand do not count. Of choices with the same longest way,
    one with little travel is sought.

    Parameters
    ----------
    demand, costs, sites, existing, keep, guarantees, exact, seconds, rng
        As in `p_median`; guarantees must be of a whole group (share 1).

    Returns
    -------
    plan
        As of `p_median`; the objective is the longest way.

    Raises
    ------
    InputError, EmptyError
        As `p_median`.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> areas, places = pd.Index(["a", "b", "c"]), pd.Index(["x", "y"])
    >>> pairs = pd.DataFrame({"origin": ["a", "b", "c"] * 2, "service": ["x"] * 3 + ["y"] * 3,
    ...                       "cost": [1.0, 2.0, 9.0, 8.0, 6.0, 1.0]})
    >>> costs = costs_from_table(pairs, areas, places)
    >>> plan = p_centre(pd.Series(10, index=areas), costs, sites=1)
    >>> plan.sites.index.tolist(), plan.objective, plan.bound
    (['y'], 8.0, 8.0)
    """
    problem = make_problem(demand, costs, sites, existing, keep, guarantees, whole=True)
    task = Task(
        f"Shortest longest way (p-centre) with {problem.count:,} sites", "longest", None, exact
    )
    generator = np.random.default_rng(rng)
    peopled = problem.demand > 0
    found = nearest_cover(
        problem.allowed()[:, peopled],
        problem.kept,
        problem.count,
        exact=exact,
        seconds=seconds,
        rng=generator,
    )
    if found is None:
        raise InputError(impossible(problem))
    longest, bound, chosen = found
    polished = _polished(problem, chosen, longest, generator)
    none = np.zeros(len(problem.minutes), dtype=bool)
    return plan_of(problem, Found(polished, longest, bound, none, none), task)


def set_covering(
    demand: pd.Series[float],
    costs: TravelCosts,
    *,
    within: float,
    existing: Sequence[object] = (),
    keep: bool = True,
    guarantees: Iterable[Guarantee] = (),
    exact: bool = False,
    seconds: float = SECONDS,
    rng: int | np.random.Generator = 0,
) -> SitingPlan:
    """
    Choose the fewest sites that leave nobody beyond a distance (Toregas and others 1971).

    Of choices with as few sites, one with little travel is sought.

    Parameters
    ----------
    demand, costs, existing, keep, guarantees, exact, seconds, rng
        As in `p_median`; guarantees must be of a whole group (share 1).
    within
        The distance, in the unit of `costs`, itself included.

    Returns
    -------
    plan
        As of `p_median`; the objective is the number of sites.

    Raises
    ------
    InputError, EmptyError
        As `p_median`; also if an area has no candidate within the distance.

    Examples
    --------
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> areas, places = pd.Index(["a", "b", "c"]), pd.Index(["x", "y"])
    >>> pairs = pd.DataFrame({"origin": ["a", "b", "c"] * 2, "service": ["x"] * 3 + ["y"] * 3,
    ...                       "cost": [1.0, 2.0, 9.0, 8.0, 6.0, 1.0]})
    >>> costs = costs_from_table(pairs, areas, places)
    >>> set_covering(pd.Series(10, index=areas), costs, within=5).sites.index.tolist()
    ['x', 'y']
    """
    problem = make_problem(demand, costs, None, existing, keep, guarantees, whole=True)
    problem.check_within(within)
    covers = problem.allowed() <= within
    problem.check_covered(covers, within)
    generator = np.random.default_rng(rng)
    peopled = problem.demand > 0
    chosen, least = fewest(
        covers[:, peopled], problem.kept, exact=exact, seconds=seconds, rng=generator
    )
    chosen = _polished(problem, chosen, within, generator)
    none = np.zeros(len(covers), dtype=bool)
    found = Found(chosen, float(len(chosen)), float(least), none, none)
    task = Task(
        f"Fewest sites within {within:g} {costs.unit} (set covering)", "sites", within, exact
    )
    return plan_of(problem, found, task)


def _solve(
    problem: Problem,
    cost: Floats,
    task: Task,
    seconds: float,
    generator: np.random.Generator,
) -> Found:
    share = problem.share()
    cost = problem.forced(cost)
    found: Found | None
    if share is None:
        found = search(cost, problem.kept, problem.count, generator)
    else:
        found = search_shared(cost, problem.kept, problem.count, generator, share)
    if found is None or not problem.meets(found.chosen, reach=task.measure == "mean"):
        raise InputError(impossible(problem))
    if task.exact:
        found = solve_exactly(
            cost, problem.kept, problem.count, found, seconds=seconds, share=share
        )
    return found


def _polished(
    problem: Problem, chosen: Ints, within: float, generator: np.random.Generator
) -> Ints:
    """Exchange sites for less travel while every area stays within the distance."""
    away = problem.allowed()
    away[away > within] = np.inf
    cost = problem.weighted(away)
    better = search(cost, problem.kept, len(chosen), generator).chosen
    start = chosen[None, :].astype(np.int64)
    improve(cost, start, len(problem.kept))
    return min((start[0], better), key=lambda sites: served(cost, sites))


def _with_capacity(
    problem: Problem,
    capacity: pd.Series[float],
    task: Task,
    seconds: float,
    generator: np.random.Generator,
) -> SitingPlan:
    if problem.guarantees:
        msg = "Capacities and guarantees cannot be asked for together. Leave one of them out."
        raise InputError(msg)
    room = weights_of(capacity, problem.costs.services, where="capacity", what="candidates")
    free = np.setdiff1d(np.arange(len(room)), problem.kept)
    most = np.sort(room[free])[::-1][: problem.count - len(problem.kept)].sum()
    most += room[problem.kept].sum()
    total = float(problem.demand.sum())
    if most < total:
        msg = (
            f"{problem.count:,} sites have room for {most:,.0f} at most, and demand is "
            f"{total:,.0f}. Allow more sites or larger ones."
        )
        raise InputError(msg)
    cost = np.where(np.isfinite(problem.minutes), problem.minutes, _FAR)
    plain = search(problem.weighted(problem.minutes), problem.kept, problem.count, generator)
    found = search_with_capacity(
        cost, problem.demand, room, problem.kept, problem.count, [plain.chosen]
    )
    if found is None:
        raise InputError(impossible(problem))
    if task.exact:
        found = solve_with_capacity(
            cost, problem.demand, room, problem.kept, problem.count, found, seconds=seconds
        )
    flows = shared_demand(cost[found.chosen], problem.demand, room[found.chosen])
    if (flows[cost[found.chosen] >= _FAR] > 1e-6).any():
        raise InputError(impossible(problem))
    return plan_of(problem, found, task, flows=flows, capacity=room)
