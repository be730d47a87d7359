"""What a choice of sites is asked: checked arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_unique, check_whole, listed
from placeshaping._core.errors import InputError, UnmatchedError
from placeshaping.shaping._median import Flags, Floats, Ints, Share
from placeshaping.shaping._points import weights_of
from placeshaping.shaping.travel import TravelCosts


@dataclass(frozen=True)
class Guarantee:
    """
    A distance within which a group of areas has a site, whatever is best for all.

    Attributes
    ----------
    areas
        Labels of the group, such as the most deprived tenth.
    within
        The distance, in the unit of the costs, itself included.
    share
        Least share of the group's demand that has a site within it; 1 is all.
    """

    areas: Sequence[object]
    within: float
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class Problem:
    """
    Checked arrays.

    Attributes
    ----------
    minutes
        Cost of each candidate (row) for each area (column), infinite where
        there is none; minutes or metres.
    kept, existing
        Positions of candidates.
    groups
        Which areas each guarantee is for; those without demand are not.
    """

    costs: TravelCosts
    minutes: Floats
    demand: Floats
    count: int
    kept: Ints
    existing: Ints
    guarantees: tuple[Guarantee, ...]
    groups: tuple[Flags, ...]

    def weighted(self, values: Floats) -> Floats:
        """Return values times demand; what cannot be costs more than all that can."""
        usable = np.isfinite(values)
        cost = np.where(usable, values, 0) * self.demand
        cost[~usable & (self.demand > 0)] = _penalty(cost)
        return np.ascontiguousarray(cost)

    def allowed(self) -> Floats:
        """Return costs, infinite where a guarantee of a whole group forbids the pair."""
        away = self.minutes.copy()
        for guarantee, group in zip(self.guarantees, self.groups, strict=True):
            if guarantee.share == 1:
                away[(away > guarantee.within) & group] = np.inf
        return away

    def forced(self, cost: Floats) -> Floats:
        """Return costs with a penalty on pairs that a guarantee of a whole group forbids."""
        forbidden = ~np.isfinite(self.allowed()) & np.isfinite(self.minutes)
        if not forbidden.any():
            return cost
        return np.ascontiguousarray(np.where(forbidden, _penalty(cost), cost))

    def share(self) -> Share | None:
        """Return the guarantee of a part of a group, if there is one."""
        for guarantee, group in zip(self.guarantees, self.groups, strict=True):
            if guarantee.share < 1:
                people = np.where(group, self.demand, 0)
                covers = (self.minutes <= guarantee.within) * people
                return Share(np.ascontiguousarray(covers), guarantee.share * float(people.sum()))
        return None

    def meets(self, chosen: Ints, *, reach: bool = False) -> bool:
        """Tell whether sites hold every guarantee, and reach everybody if they must."""
        least = self.minutes[chosen].min(axis=0)
        if reach and not np.isfinite(least[self.demand > 0]).all():
            return False
        for guarantee, group in zip(self.guarantees, self.groups, strict=True):
            people = self.demand[group]
            inside = people[least[group] <= guarantee.within].sum()
            if inside < guarantee.share * people.sum() * (1 - 1e-12):
                return False
        return True

    def check_within(self, within: float) -> None:
        """Refuse a distance that is not above zero, or that costs were not measured to."""
        if not 0 < within <= self.costs.limit:
            msg = (
                f"{within:g} {self.costs.unit} were asked for; it must be above 0, and costs were "
                f"measured up to {self.costs.limit:g}."
            )
            raise InputError(msg)

    def check_covered(self, covers: Flags, within: float) -> None:
        """Refuse areas that no candidate covers."""
        bare = ~covers.any(axis=0) & (self.demand > 0)
        if bare.any():
            msg = (
                f"{int(bare.sum()):,} areas with demand have no candidate within {within:g} "
                f"{self.costs.unit}, or their guarantee "
                f"({listed(list(self.costs.origins[bare]))}). Add candidates, or go farther."
            )
            raise InputError(msg)


def make_problem(
    demand: pd.Series[float],
    costs: TravelCosts,
    sites: int | None,
    existing: Sequence[object],
    keep: bool,
    guarantees: Iterable[Guarantee],
    *,
    whole: bool = False,
    reach: bool = True,
) -> Problem:
    """
    Check what was given, and lay it out.

    Raises
    ------
    InputError
        As `p_median` says.
    """
    people = weights_of(demand, costs.origins, where="demand", what="areas")
    check_unique(costs.services, where="costs", what="candidates")
    away = np.ascontiguousarray(costs.matrix().T)
    today = costs.services.get_indexer(pd.Index(list(existing)))
    if (today < 0).any():
        strange = [site for site, place in zip(existing, today, strict=True) if place < 0]
        msg = (
            f"{len(strange):,} of {len(today):,} existing sites are not among the candidates "
            f"({listed(strange)}). Measure costs to them too."
        )
        raise UnmatchedError(msg)
    today = np.unique(today).astype(np.int64)
    kept = today if keep else today[:0]
    promised = tuple(guarantees)
    problem = Problem(
        costs=costs,
        minutes=away,
        demand=people,
        count=_checked_count(sites, len(away), len(kept)),
        kept=kept,
        existing=today,
        guarantees=promised,
        groups=tuple(_group(g, costs, people, whole=whole) for g in promised),
    )
    _check_reach(problem, reach)
    if sum(g.share < 1 for g in promised) > 1:
        msg = "At most one guarantee may be of a share below 1; the others must be of all."
        raise InputError(msg)
    return problem


def impossible(problem: Problem) -> str:
    """Say that no choice was found that holds what was asked for."""
    asked = "every area in reach" if not problem.guarantees else "every guarantee kept"
    return (
        f"No choice of {problem.count:,} from {len(problem.minutes):,} candidates was found with "
        f"{asked}. Allow more sites, go farther, or ask for a smaller share."
    )


def _penalty(cost: Floats) -> float:
    return 2 * float(cost.max(axis=0).sum()) + 1


def _checked_count(sites: int | None, candidates: int, kept: int) -> int:
    if sites is None:
        return kept
    count = check_whole(sites, name="sites")
    if count > candidates:
        msg = (
            f"{count:,} sites were asked for, and there are {candidates:,} candidates. Ask for "
            "fewer."
        )
        raise InputError(msg)
    if count < kept:
        msg = (
            f"{count:,} sites were asked for, and {kept:,} existing ones are kept. `sites` counts "
            "them too: ask for more, or pass keep=False."
        )
        raise InputError(msg)
    return count


def _group(guarantee: Guarantee, costs: TravelCosts, people: Floats, *, whole: bool) -> Flags:
    if not (0 < guarantee.share <= 1 and 0 < guarantee.within <= costs.limit):
        msg = (
            f"A guarantee is for a share of {guarantee.share:g} within {guarantee.within:g}: the "
            f"share must be above 0 and at most 1, the distance at most {costs.limit:g}."
        )
        raise InputError(msg)
    if whole and guarantee.share < 1:
        msg = "Here all areas must be in reach: a guarantee's share can only be 1."
        raise InputError(msg)
    labels = pd.Index(list(guarantee.areas))
    strange = labels[~labels.isin(costs.origins)]
    if len(strange):
        msg = (
            f"A guarantee names {len(strange):,} areas that costs do not know "
            f"({listed(list(strange))})."
        )
        raise UnmatchedError(msg)
    return np.asarray(costs.origins.isin(labels)) & (people > 0)


def _check_reach(problem: Problem, reach: bool) -> None:
    usable = np.isfinite(problem.minutes)
    useless = np.asarray(~usable.any(axis=1))
    if useless.any():
        msg = (
            f"{int(useless.sum()):,} of {len(useless):,} candidates are out of reach of every "
            f"area ({listed(list(problem.costs.services[useless]))}). Are they outside the study "
            "area? Leave them out, or measure costs farther."
        )
        raise InputError(msg)
    bare = ~usable.any(axis=0) & (problem.demand > 0)
    if reach and bare.any():
        msg = (
            f"{int(bare.sum()):,} areas with demand reach no candidate "
            f"({listed(list(problem.costs.origins[bare]))}). Measure costs farther, or leave "
            "these areas out."
        )
        raise InputError(msg)
