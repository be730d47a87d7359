"""What must hold of any counts and any exposures."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.statistics.inequality import decile_table
from placeshaping.statistics.rates import crude_rate, empirical_bayes_rate, wilson_interval
from placeshaping.statistics.testing import false_discovery_rate

pairs = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(1, 10_000), st.integers(1, 10)),
    min_size=2,
    max_size=40,
)
probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=60)


def columns_of(rows):
    table = pd.DataFrame(rows, columns=["count", "people", "decile"])
    return table["count"], table["people"], table["decile"]


@settings(deadline=None)
@given(pairs, st.sampled_from([0.8, 0.95, 0.99]), st.sampled_from(["byar", "exact"]))
def test_rates_lie_within_their_intervals(rows, level, method):
    count, people, _ = columns_of(rows)
    rates = crude_rate(count, people, level=level, method=method)
    assert ((rates["lower"] <= rates["rate"]) & (rates["rate"] <= rates["upper"])).all()
    assert (rates["lower"] >= 0).all()
    wider = crude_rate(count, people, level=0.999, method=method)
    assert (wider["upper"] >= rates["upper"]).all()
    assert (wider["lower"] <= rates["lower"]).all()


@settings(deadline=None)
@given(pairs)
def test_smoothed_rates_lie_between_their_own_and_the_overall(rows):
    count, people, _ = columns_of(rows)
    own, overall = count / people * 1000, count.sum() / people.sum() * 1000
    smoothed = empirical_bayes_rate(count, people)
    slack = 1e-9 * (1 + overall + own)
    assert (smoothed >= np.minimum(own, overall) - slack).all()
    assert (smoothed <= np.maximum(own, overall) + slack).all()


@settings(deadline=None)
@given(pairs, st.randoms(use_true_random=False))
def test_smoothing_does_not_depend_on_the_order(rows, random):
    count, people, _ = columns_of(rows)
    order = random.sample(range(len(count)), len(count))
    shuffled = empirical_bayes_rate(count.iloc[order], people)
    np.testing.assert_allclose(
        shuffled.sort_index(), empirical_bayes_rate(count, people), rtol=1e-9, atol=1e-9
    )


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_shares_lie_within_nought_and_one(rows):
    hits = [k for k, _ in rows]
    trials = [k + more for k, more in rows]
    table = wilson_interval(hits, trials).dropna()
    assert ((table["lower"] >= 0) & (table["upper"] <= 1)).all()
    assert ((table["lower"] <= table["share"]) & (table["share"] <= table["upper"])).all()


@given(probabilities)
def test_q_values_are_no_smaller_and_keep_the_order(p_values):
    p, q = np.array(p_values), false_discovery_rate(p_values)
    assert (q >= p * (1 - 1e-12)).all()
    assert (q <= 1).all()
    order = np.argsort(p)
    assert (np.diff(q[order]) >= 0).all()


@settings(deadline=None)
@given(pairs)
def test_deciles_conserve_areas_events_and_people(rows):
    count, people, decile = columns_of(rows)
    table = decile_table(count, people, decile)
    assert table["areas"].sum() == len(rows)
    assert table["count"].sum() == count.sum()
    assert table["exposure"].sum() == people.sum()
