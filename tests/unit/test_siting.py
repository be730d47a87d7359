"""Sites against brute force and spopt, and what is refused."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import EmptyError, InputError, UnmatchedError
from placeshaping.shaping.siting import (
    Guarantee,
    maximal_covering,
    p_centre,
    p_median,
    set_covering,
)
from placeshaping.shaping.siting_words import describe_siting
from placeshaping.shaping.travel import costs_from_table


def draw(seed, areas=18, candidates=9):
    """Areas and candidates at random in a square of 30 minutes."""
    rng = np.random.default_rng(seed)
    a, c = rng.random((areas, 2)) * 30, rng.random((candidates, 2)) * 30
    away = np.linalg.norm(a[:, None] - c[None], axis=2)
    origins = pd.Index([f"a{i}" for i in range(areas)], name="area_code")
    services = pd.Index([f"c{j}" for j in range(candidates)])
    demand = pd.Series(rng.integers(0, 20, areas).astype(float), index=origins)
    pairs = pd.DataFrame(
        {
            "origin": np.repeat(origins, candidates),
            "service": np.tile(services, areas),
            "cost": away.ravel(),
        }
    )
    return away, demand, costs_from_table(pairs, origins, services)


def choices(candidates, sites, kept):
    every = itertools.combinations(range(candidates), sites)
    return [list(s) for s in every if set(kept) <= set(s)]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("existing", [(), ("c2",)])
def test_four_questions_agree_with_brute_force(existing, exact):
    away, demand, costs = draw(3)
    people, kept = demand.to_numpy(), [int(site[1]) for site in existing]
    options = {"existing": existing, "exact": exact}
    sets = choices(9, 3, kept)
    median = p_median(demand, costs, sites=3, **options)
    best = min(away[:, s].min(axis=1) @ people for s in sets) / people.sum()
    assert median.objective == pytest.approx(best)
    assert median.bound <= best + 1e-9
    cover = maximal_covering(demand, costs, sites=3, within=8, **options)
    best = max(people[away[:, s].min(axis=1) <= 8].sum() for s in sets) / people.sum()
    assert cover.objective == pytest.approx(best)
    assert cover.bound >= best - 1e-9
    peopled = away[people > 0]
    centre = p_centre(demand, costs, sites=3, **options)
    best = min(peopled[:, s].min(axis=1).max() for s in sets)
    assert centre.objective == pytest.approx(best)
    assert centre.areas["minutes"][people > 0].max() == pytest.approx(best)
    fewest = set_covering(demand, costs, within=14, **options)
    best = next(
        size
        for size in range(1, 10)
        if any((peopled[:, s].min(axis=1) <= 14).all() for s in choices(9, size, kept))
    )
    assert (fewest.objective, fewest.proven) == (best, True)
    if exact:
        assert median.proven
        assert cover.proven
        assert centre.proven


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_guarantees_are_kept_at_the_least_cost(share):
    away, demand, costs = draw(4)
    people, group = demand.to_numpy(), slice(0, 6)
    least = share * people[group].sum()
    feasible = [
        s
        for s in choices(9, 3, [])
        if people[group][away[group][:, s].min(axis=1) <= 9].sum() >= least - 1e-9
    ]
    best = min(away[:, s].min(axis=1) @ people for s in feasible) / people.sum()
    promise = Guarantee(list(costs.origins[group]), within=9, share=share)
    plan = p_median(demand, costs, sites=3, guarantees=[promise], exact=True)
    assert plan.objective == pytest.approx(best)
    assert plan.proven
    quick = p_median(demand, costs, sites=3, guarantees=[promise])
    assert quick.bound <= best + 1e-9 <= quick.objective + 2e-9
    assert p_median(demand, costs, sites=3).objective <= best


def test_capacities_are_kept_and_shared_areas_told():
    _, demand, costs = draw(5)
    room = pd.Series(demand.sum() / 2.9, index=costs.services)
    plan = p_median(demand, costs, sites=3, capacity=room, exact=True)
    quick = p_median(demand, costs, sites=3, capacity=room)
    assert (plan.sites["demand"] <= plan.sites["capacity"] + 1e-6).all()
    assert plan.sites["demand"].sum() == pytest.approx(demand.sum())
    assert quick.bound <= plan.objective <= quick.objective + 1e-9
    assert plan.areas["sites"].max() >= 2
    assert plan.objective >= p_median(demand, costs, sites=3).objective
    loose = p_median(demand, costs, sites=3, capacity=room * 100, exact=True)
    assert loose.objective == pytest.approx(p_median(demand, costs, sites=3, exact=True).objective)


@pytest.mark.filterwarnings("ignore:.*PuLP 4.0:DeprecationWarning")
def test_spopt_finds_the_same():
    locate = pytest.importorskip("spopt.locate")
    pulp = pytest.importorskip("pulp")
    away, demand, costs = draw(6, areas=40, candidates=15)
    solver = pulp.PULP_CBC_CMD(msg=False)
    people = demand.to_numpy()
    theirs = locate.PMedian.from_cost_matrix(away, people, p_facilities=4).solve(solver)
    ours = p_median(demand, costs, sites=4, exact=True)
    assert ours.objective * people.sum() == pytest.approx(theirs.problem.objective.value())
    theirs = locate.MCLP.from_cost_matrix(away, people, 6.0, p_facilities=4).solve(solver)
    ours = maximal_covering(demand, costs, sites=4, within=6.0, exact=True)
    assert ours.objective * people.sum() == pytest.approx(theirs.problem.objective.value())
    everybody = demand + 1
    theirs = locate.PCenter.from_cost_matrix(away, p_facilities=4).solve(solver)
    ours = p_centre(everybody, costs, sites=4, exact=True)
    assert ours.objective == pytest.approx(theirs.problem.objective.value())
    theirs = locate.LSCP.from_cost_matrix(away, 12.0).solve(solver)
    ours = set_covering(everybody, costs, within=12.0, exact=True)
    assert ours.objective == theirs.problem.objective.value()


def test_plans_tell_before_and_after_in_the_order_of_the_areas():
    away, demand, costs = draw(7)
    plan = p_median(demand, costs, sites=4, existing=["c1", "c5"])
    assert plan.areas.index.equals(costs.origins)
    np.testing.assert_allclose(plan.areas["minutes_before"], away[:, [1, 5]].min(axis=1))
    assert (plan.areas["minutes"] <= plan.areas["minutes_before"] + 1e-12).all()
    assert plan.sites["existing"].sum() == 2
    assert plan.before == pytest.approx(
        np.average(plan.areas["minutes_before"], weights=demand.to_numpy())
    )
    free = p_median(demand, costs, sites=4, existing=["c1", "c5"], keep=False)
    assert free.objective <= plan.objective + 1e-12
    assert free.before == plan.before


def test_all_candidates_and_one_candidate_are_answered():
    away, demand, costs = draw(8)
    assert p_median(demand, costs, sites=9).objective == pytest.approx(
        np.average(away.min(axis=1), weights=demand)
    )
    assert p_median(demand, costs, sites=1).proven
    assert p_median(demand, costs, sites=2, existing=["c0", "c1"]).proven


def test_words_give_the_gap_or_say_that_there_is_none():
    _, demand, costs = draw(9)
    plan = maximal_covering(demand, costs, sites=3, within=8, existing=["c0"], exact=True)
    text = describe_siting(plan, what="libraries")
    assert "None of as many would do better." in text
    assert re.search(r"\d+\.\d% of residents are within 8 minutes, today \d+\.\d%", text)
    assert "Fewer would not do." in describe_siting(set_covering(demand, costs, within=14))


def test_the_demand_is_not_changed():
    _, demand, costs = draw(10)
    before, cost = demand.copy(), costs.cost.copy()
    p_median(demand, costs, sites=2, guarantees=[Guarantee(["a0"], within=25)])
    pd.testing.assert_series_equal(demand, before)
    np.testing.assert_array_equal(costs.cost, cost)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"sites": 10}, InputError, "10 sites were asked for, and there are 9 candidates"),
        ({"sites": 0}, InputError, "sites is 0. Give a whole number"),
        ({"sites": 1, "existing": ["c1", "c2"]}, InputError, "2 existing ones are kept"),
        ({"sites": 3, "existing": ["x"]}, UnmatchedError, "1 of 1 existing sites are not among"),
        (
            {"sites": 1, "guarantees": [Guarantee(["a0", "a1", "a2", "a3"], 0.1)]},
            InputError,
            "No choice of 1 from 9 candidates was found with every guarantee kept",
        ),
        ({"sites": 1, "guarantees": [Guarantee(["z"], 5)]}, UnmatchedError, "1 areas that costs"),
        ({"sites": 1, "guarantees": [Guarantee(["a0"], 5, 2)]}, InputError, "share of 2 within 5"),
    ],
)
def test_bad_questions_are_refused(options, error, message):
    _, demand, costs = draw(1)
    with pytest.raises(error, match=re.escape(message)):
        p_median(demand, costs, **options)


def test_bad_demand_is_refused():
    _, demand, costs = draw(1)
    with pytest.raises(InputError, match="1 of 18 areas have a number that is missing or below"):
        p_median(demand.where(demand.index != "a3", -1), costs, sites=2)
    with pytest.raises(EmptyError, match="demand is zero for all 18 areas"):
        p_median(demand * 0, costs, sites=2)
    with pytest.raises(InputError, match="2 of 18 areas have no value"):
        p_median(demand.iloc[2:], costs, sites=2)
    with pytest.raises(InputError, match="have room for 2 at most"):
        p_median(demand, costs, sites=2, capacity=pd.Series(1.0, index=costs.services))


def test_candidates_and_areas_out_of_reach_are_named():
    origins, services = pd.Index(["a", "b"]), pd.Index(["x", "far"])
    people = pd.Series([1.0, 1.0], index=origins)
    pairs = pd.DataFrame({"origin": ["a", "b"], "service": ["x", "x"], "cost": [1.0, 2.0]})
    with pytest.raises(InputError, match=re.escape("1 of 2 candidates are out of reach of every")):
        p_median(people, costs_from_table(pairs, origins, services), sites=1)
    alone = costs_from_table(pairs.iloc[:1], origins, pd.Index(["x"]))
    with pytest.raises(InputError, match=re.escape("1 areas with demand reach no candidate (b)")):
        p_median(people, alone, sites=1)
    plan = maximal_covering(people, alone, sites=1, within=5)
    assert plan.objective == 0.5
    assert "1 areas with demand are in reach of no candidate." in plan.cautions
    with pytest.raises(InputError, match="have no candidate within 5 minutes"):
        set_covering(people * [1, 1], costs_from_table(
            pairs.assign(cost=[1.0, 9.0]), origins, pd.Index(["x"])), within=5)  # fmt: skip


def test_a_tight_guarantee_leaves_a_bound_that_says_something():
    """Penalties on forbidden pairs once drove the bound below nothing: a gap of thousands of %."""
    rng = np.random.default_rng(3)
    a, c = rng.random((120, 2)) * 60, rng.random((40, 2)) * 60
    away = np.linalg.norm(a[:, None] - c[None], axis=2)
    origins, services = pd.RangeIndex(120).astype(str), pd.RangeIndex(40).astype(str)
    pairs = pd.DataFrame(
        {"origin": np.repeat(origins, 40), "service": np.tile(services, 120), "cost": away.ravel()}
    )
    demand = pd.Series(10.0, index=origins)
    group = pd.Series((np.arange(120) < 30).astype(float), index=origins)
    costs = costs_from_table(pairs, origins, services)
    longest = p_centre(demand * group, costs, sites=6).objective
    near = Guarantee(origins[:30], within=1.02 * longest)
    plan = p_median(demand, costs, sites=6, guarantees=[near])
    assert plan.gap < 0.1
