"""What must hold of Moran, Geary and join counts on any values."""

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely import box

from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.geary import geary
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.join_counts import join_counts
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.moran import global_moran

SHAPES = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
AREAS = gpd.GeoDataFrame(geometry=SHAPES, index=[f"a{i:02}" for i in range(36)])
NEIGHBOURS = contiguity(AREAS)
values = arrays.arrays(np.int64, 36, elements=st.integers(0, 1000)).map(
    lambda y: pd.Series(y, AREAS.index)
)
orders = st.permutations(range(36))


@settings(deadline=None, max_examples=40)
@given(values, orders)
def test_local_scores_do_not_depend_on_the_order(y, order):
    scores = local_moran(y.iloc[order], NEIGHBOURS)
    assert scores.index.tolist() == y.index[order].tolist()
    columns = ["local_moran", "z_score", "p_value", "q_value"]
    np.testing.assert_allclose(
        scores.loc[y.index, columns],
        local_moran(y, NEIGHBOURS)[columns],
        atol=1e-8,
        equal_nan=True,
    )


@settings(deadline=None, max_examples=40)
@given(values, orders)
def test_whole_scores_do_not_depend_on_the_order(y, order):
    for measure in (global_moran, geary):
        one, other = measure(y, NEIGHBOURS), measure(y.iloc[order], NEIGHBOURS)
        np.testing.assert_allclose(one, other, atol=1e-8, equal_nan=True)


@settings(deadline=None, max_examples=40)
@given(values, st.floats(0.1, 100), st.floats(-100, 100))
def test_no_score_depends_on_unit_or_origin(y, unit, origin):
    moved = y * unit + origin
    for measure in (global_moran, geary):
        np.testing.assert_allclose(
            measure(moved, NEIGHBOURS), measure(y, NEIGHBOURS), atol=1e-6, equal_nan=True
        )
    columns = ["local_moran", "z_score"]
    one, other = (local_moran(v, NEIGHBOURS)[columns] for v in (y, moved))
    np.testing.assert_allclose(one, other, atol=1e-6, equal_nan=True)


@settings(deadline=None, max_examples=40)
@given(values)
def test_local_values_with_the_divisor_n_add_up_to_the_global_one(y):
    local = local_moran(y, NEIGHBOURS, ddof=0)["local_moran"]
    whole = global_moran(y, NEIGHBOURS)["moran"]
    np.testing.assert_allclose(local.mean(), whole, atol=1e-10)


@settings(deadline=None, max_examples=30)
@given(values, st.integers(0, 5))
def test_permutations_of_gi_and_of_local_moran_ask_the_same(y, seed):
    gi = getis_ord(y, NEIGHBOURS, star=False, permutations=49, rng=seed).dropna()
    moran = local_moran(y, NEIGHBOURS, permutations=49, rng=seed).loc[gi.index]
    off_mean = y[gi.index] != y.mean()
    np.testing.assert_allclose(
        gi["p_value"][off_mean], moran["p_value"][off_mean], atol=1e-12, equal_nan=True
    )


@settings(deadline=None, max_examples=40)
@given(values, st.sampled_from([0, 49]))
def test_p_and_q_are_probabilities_in_order(y, permutations):
    scores = local_moran(y, NEIGHBOURS, permutations=permutations).dropna()
    assert scores["p_value"].between(0, 1).all()
    assert (scores["q_value"] >= scores["p_value"] - 1e-12).all()
    labelled = scores[scores["cluster"] != "none"]
    assert (labelled["q_value"] < 0.05).all()


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(np.bool_, 36))
def test_all_joins_are_counted(marks):
    joins = join_counts(pd.Series(marks, AREAS.index), NEIGHBOURS)
    assert joins["count"].sum() == 110
    np.testing.assert_allclose(joins["expected"].sum(), 110)
