"""What a choice of sites answers: tables of sites and areas, and how good the choice is."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from placeshaping.shaping._median import CLOSED, Floats, Found, Ints, relative_gap
from placeshaping.shaping._siting_problem import Problem

_log = logging.getLogger(__name__)

Measure = Literal["mean", "covered", "longest", "sites"]


@dataclass(frozen=True, eq=False)
class SitingPlan:
    """
    Chosen sites, what they do for every area, and how good the choice is.

    Attributes
    ----------
    sites
        Index of the chosen candidates, in their order: ``existing``,
        ``areas``, ``demand`` that each serves, its ``mean`` and ``longest``
        cost; ``capacity`` where given.
    areas
        Index of the areas: ``demand``, ``site``, its cost (a column named as
        `unit`), the same before (``site_before``, ``..._before``; missing
        without existing sites), ``covered`` and ``covered_before`` where a
        distance was asked for, ``sites`` (between how many an area is shared)
        where there are capacities.
    measure
        What `objective` is: ``"mean"`` cost, share of demand ``"covered"``,
        ``"longest"`` cost or number of ``"sites"``.
    objective, bound
        What the choice reaches, and what no choice can do better than.
    gap
        Their difference as a share of `objective`.
    proven
        Whether the gap is closed.
    before
        The objective of the existing sites alone; None without them.
    within
        The distance that was asked for, or None.
    unit
        ``"minutes"`` or ``"metres"``.
    method, cautions
        How sites were chosen, and what a reader must know.
    """

    sites: pd.DataFrame
    areas: pd.DataFrame
    measure: Measure
    objective: float
    bound: float
    gap: float
    proven: bool
    before: float | None
    within: float | None
    unit: str
    method: str
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What was asked: its name for the method, its measure, distance, and whether exactly."""

    name: str
    measure: Measure
    within: float | None
    exact: bool


def plan_of(
    problem: Problem,
    found: Found,
    task: Task,
    *,
    flows: Floats | None = None,
    capacity: Floats | None = None,
) -> SitingPlan:
    """Make the tables of a choice; `flows` share areas between sites (rows, as chosen)."""
    order = np.argsort(found.chosen)
    chosen = found.chosen[order]
    shares = flows[order] if flows is not None else _nearest_flows(problem, chosen)
    areas = _area_table(problem, chosen, shares, task.within, shared=flows is not None)
    objective, bound = (_measured(v, problem, task.measure) for v in (found.total, found.bound))
    gap = (
        relative_gap(-objective, -bound) if task.measure == "covered"
        else relative_gap(objective, bound)
    )  # fmt: skip
    proven = gap < CLOSED
    cautions = tuple(_cautions(problem, task, gap, proven=proven))
    for caution in cautions:
        _log.info("%s", caution)
    return SitingPlan(
        sites=_site_table(problem, chosen, shares, capacity),
        areas=areas,
        measure=task.measure,
        objective=objective,
        bound=objective if proven else bound,
        gap=0.0 if proven else gap,
        proven=proven,
        before=_before(problem, task),
        within=task.within,
        unit=problem.costs.unit,
        method=_method(problem, task, gap, proven=proven),
        cautions=cautions,
    )


def _nearest_flows(problem: Problem, chosen: Ints) -> Floats:
    away = problem.minutes[chosen]
    flows = np.zeros(away.shape)
    every = np.arange(away.shape[1])
    flows[away.argmin(axis=0), every] = np.where(np.isfinite(away.min(axis=0)), 1.0, 0.0)
    return flows * np.where(problem.demand > 0, problem.demand, 1e-300)


def _area_table(
    problem: Problem, chosen: Ints, flows: Floats, within: float | None, *, shared: bool
) -> pd.DataFrame:
    unit, names = problem.costs.unit, problem.costs.services
    away = problem.minutes[chosen]
    total = flows.sum(axis=0)
    reached = total > 0
    paid = np.where(flows > 0, flows * np.where(np.isfinite(away), away, 0), 0).sum(axis=0)
    cost = np.divide(paid, total, out=np.full(len(total), np.nan), where=reached)
    if not shared:
        cost = np.where(reached, away.min(axis=0), np.nan)
    most = names.take(chosen[flows.argmax(axis=0)]).to_series(index=problem.costs.origins)
    columns = {"demand": problem.demand, "site": most.where(reached), unit: cost}
    earlier = np.full(len(total), np.nan)
    if len(problem.existing):
        former = problem.minutes[problem.existing]
        earlier = np.where(np.isfinite(former.min(axis=0)), former.min(axis=0), np.nan)
        owner = names.take(problem.existing[former.argmin(axis=0)])
        columns["site_before"] = owner.to_series(index=most.index).where(np.isfinite(earlier))
        columns[f"{unit}_before"] = earlier
    if within is not None:
        columns["covered"] = cost <= within
        if len(problem.existing):
            columns["covered_before"] = earlier <= within
    if shared:
        columns["sites"] = (flows > 1e-9 * np.maximum(problem.demand, 1e-12)).sum(axis=0)
    return pd.DataFrame(columns, index=problem.costs.origins)


def _site_table(
    problem: Problem, chosen: Ints, flows: Floats, capacity: Floats | None
) -> pd.DataFrame:
    away = np.where(flows > 0, problem.minutes[chosen], 0)
    people = flows.sum(axis=1)
    used = flows > 1e-9 * np.maximum(problem.demand, 1e-12)
    mean = np.divide(
        (flows * away).sum(axis=1), people, out=np.zeros(len(chosen)), where=people > 0
    )
    columns = {
        "existing": np.isin(chosen, problem.existing),
        "areas": (used & (problem.demand > 0)).sum(axis=1),
        "demand": np.round(people, 9),
        "mean": mean,
        "longest": np.where(used & (problem.demand > 0), away, 0).max(axis=1),
    }
    if capacity is not None:
        columns["capacity"] = capacity[chosen]
    return pd.DataFrame(columns, index=problem.costs.services.take(chosen))


def _measured(value: float, problem: Problem, measure: Measure) -> float:
    if measure == "mean":
        return value / float(problem.demand.sum())
    if measure == "covered":
        return 1 - value / float(problem.demand.sum())
    return value


def _before(problem: Problem, task: Task) -> float | None:
    if not len(problem.existing):
        return None
    away = problem.minutes[problem.existing].min(axis=0)
    peopled = problem.demand > 0
    if task.measure == "sites":
        return float(len(problem.existing))
    if task.measure == "covered":
        inside = problem.demand[away <= (task.within or 0)].sum()
        return float(inside / problem.demand.sum())
    if task.measure == "longest":
        return float(away[peopled].max())
    return float(np.average(away[peopled], weights=problem.demand[peopled]))


def _method(problem: Problem, task: Task, gap: float, *, proven: bool) -> str:
    text = f"{task.name} from {len(problem.minutes):,} candidates"
    if len(problem.kept):
        text += f", {len(problem.kept):,} existing ones kept"
    for guarantee, group in zip(problem.guarantees, problem.groups, strict=True):
        text += f", {guarantee.share:.0%} of {int(group.sum()):,} areas within {guarantee.within:g}"
    how = "exchanges and a Lagrangian bound" + (" and HiGHS" if task.exact else "")
    told = "proved to be the best" if proven else f"at most {gap:.2%} from the best"
    return f"{text}, by {how}: {told}. {problem.costs.method}"


def _cautions(problem: Problem, task: Task, gap: float, *, proven: bool) -> list[str]:
    words = list(problem.costs.cautions)
    if not proven:
        words.append(f"Another choice could be better, by {gap:.2%} at most.")
    unreached = ~np.isfinite(problem.minutes.min(axis=0)) & (problem.demand > 0)
    if unreached.any():
        words.append(f"{int(unreached.sum()):,} areas with demand are in reach of no candidate.")
    if task.measure == "longest":
        words.append("One remote area decides the longest way: look at the least travel too.")
    return words
