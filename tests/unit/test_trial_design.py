"""Trials of areas: the least matching, a draw that can be repeated, power that is kept."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import DuplicateError, InputError
from placeshaping.shaping.trial_design import (
    draw_trial,
    pair_areas,
    smallest_effects,
    trial_power,
)

CODES = [f"a{n:02}" for n in range(60)]


def features(count, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"burglary": rng.poisson(20, count), "homes": rng.uniform(400, 900, count)},
        index=CODES[:count],
    )


@pytest.mark.parametrize(
    ("count", "seed", "columns"), [(20, 0, 2), (21, 1, 2), (34, 2, 2), (21, 3, 1)]
)
def test_the_sum_of_distances_is_the_least_that_networkx_finds(count, seed, columns):
    table = features(count, seed).iloc[:, :columns]
    pairs = pair_areas(table)
    scaled = ((table - table.mean()) / table.std(ddof=0)).to_numpy()
    graph = nx.Graph()
    for a in range(count):
        for b in range(a):
            graph.add_edge(a, b, weight=np.linalg.norm(scaled[a] - scaled[b]))
    least = sum(graph.edges[edge]["weight"] for edge in nx.min_weight_matching(graph))
    assert pairs.drop_duplicates("pair")["distance"].sum() == pytest.approx(least, rel=1e-3)
    assert pairs["pair"].isna().sum() == count % 2
    assert pairs.index.equals(table.index)


def test_more_partners_are_looked_at_where_the_nearest_do_not_suffice():
    # one area is nearest to all others, which lie in one far cluster each
    table = pd.DataFrame({"x": [0, 0.01, 0.02, 9, 9.01, 9.02]}, index=list("abcdef"))
    pairs = pair_areas(table, neighbours=1)
    assert pairs["pair"].notna().all()
    assert pairs["pair"].value_counts().eq(2).all()


def test_the_draw_is_on_the_record_and_can_be_repeated():
    pairs = pair_areas(features(20))
    first, second = (draw_trial(pairs, rng=11) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert first.attrs["drawn_with"]["seed"] == 11
    by_pair = first.groupby("pair")["arm"].apply(sorted)
    assert all(arms == ["comparison", "treated"] for arms in by_pair)


def test_either_area_of_a_pair_is_drawn_as_often():
    pairs = pd.DataFrame({"pair": [1, 1]}, index=["a", "b"])
    treated = [draw_trial(pairs, rng=seed).loc["a", "arm"] == "treated" for seed in range(400)]
    assert 0.43 < np.mean(treated) < 0.57


def test_power_is_that_of_the_formula_where_counts_are_poisson():
    rng = np.random.default_rng(0)
    counts = pd.DataFrame(rng.poisson(10.0, (60, 48)), index=CODES)
    pairs = pd.Series(np.repeat(np.arange(1, 31), 2), index=CODES)
    table = trial_power(
        counts, pairs, effects=[0.0, 0.15], months=[6], numbers=[30], simulations=2000
    ).set_index("effect")
    # per pair: mean 60 * 0.15 = 9 fewer, variance 60 + 51 + 60 + 60
    beyond = stats.t.ppf(0.975, 29)
    shift = 9 / np.sqrt(231 / 30)
    formula = stats.nct.sf(beyond, 29, shift) + stats.nct.cdf(-beyond, 29, shift)
    assert table.loc[0.15, "power"] == pytest.approx(formula, abs=0.06)
    assert table.loc[0.0, "power"] == pytest.approx(0.05, abs=0.025)
    assert table.loc[0.0, "records"] == pytest.approx(30 * 60, rel=0.03)


def test_more_pairs_and_longer_trials_see_smaller_effects():
    rng = np.random.default_rng(1)
    level = rng.gamma(2, 3, (60, 1))
    counts = pd.DataFrame(rng.poisson(level * np.ones((60, 48))), index=CODES)
    pairs = pair_areas(counts.sum(axis=1).to_frame())["pair"]
    smallest = smallest_effects(trial_power(counts, pairs, months=[6, 12], numbers=[10, 30]))
    found = smallest.set_index(["pairs", "months"])["effect"]
    assert found[30, 12] < found[10, 12]
    assert found[30, 12] < found[30, 6]


def test_bad_designs_are_told():
    table = features(20)
    with pytest.raises(InputError, match="3 areas by 2 features"):
        pair_areas(table.head(3))
    with pytest.raises(InputError, match="1 areas lack a value: a00"):
        pair_areas(table.astype(float).replace({"homes": {table.loc["a00", "homes"]: np.nan}}))
    with pytest.raises(DuplicateError, match="a00"):
        pair_areas(pd.concat([table, table.head(1)]))
    with pytest.raises(InputError, match="1 of 2 pairs do not have two areas"):
        draw_trial(pd.DataFrame({"pair": [1, 1, 2]}), rng=1)
    with pytest.raises(InputError, match="rng is None"):
        draw_trial(pair_areas(table), rng=None)
    counts = pd.DataFrame(np.full((20, 10), 3), index=table.index)
    pairs = pair_areas(table)["pair"]
    with pytest.raises(InputError, match="24 periods; there are 10"):
        trial_power(counts, pairs, months=[12])
    with pytest.raises(InputError, match="There are 10 pairs"):
        trial_power(counts, pairs, months=[2], numbers=[40])
    with pytest.raises(InputError, match="shares from 0 to 1"):
        trial_power(counts, pairs, months=[2], effects=[20])
