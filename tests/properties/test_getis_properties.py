"""What must hold of Gi* on any values."""

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely import box

from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.getis import getis_ord

SHAPES = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
AREAS = gpd.GeoDataFrame(geometry=SHAPES, index=[f"a{i:02}" for i in range(36)])
NEIGHBOURS = contiguity(AREAS)
values = arrays.arrays(np.int64, 36, elements=st.integers(0, 1000)).map(
    lambda y: pd.Series(y, AREAS.index)
)


@settings(deadline=None, max_examples=50)
@given(values, st.permutations(range(36)))
def test_scores_do_not_depend_on_the_order(y, order):
    scores = getis_ord(y.iloc[order], NEIGHBOURS)
    assert scores.index.tolist() == y.index[order].tolist()
    expected = getis_ord(y, NEIGHBOURS)
    columns = ["gi_star", "p_value", "q_value"]
    np.testing.assert_allclose(
        scores.loc[y.index, columns], expected[columns], atol=1e-9, equal_nan=True
    )


@settings(deadline=None, max_examples=50)
@given(values, st.floats(0.1, 100), st.floats(-100, 100))
def test_scores_do_not_depend_on_unit_or_origin(y, unit, origin):
    scores = getis_ord(y, NEIGHBOURS)["gi_star"]
    moved = getis_ord(y * unit + origin, NEIGHBOURS)["gi_star"]
    np.testing.assert_allclose(moved, scores, atol=1e-6, equal_nan=True)


@settings(deadline=None, max_examples=50)
@given(values)
def test_hot_and_cold_are_mirrored(y):
    hot, cold = getis_ord(y, NEIGHBOURS), getis_ord(-y, NEIGHBOURS)
    np.testing.assert_allclose(hot["gi_star"], -cold["gi_star"], atol=1e-9, equal_nan=True)


@settings(deadline=None, max_examples=30)
@given(values, st.sampled_from([0, 49]))
def test_p_and_q_are_probabilities_in_order(y, permutations):
    scores = getis_ord(y, NEIGHBOURS, permutations=permutations).dropna()
    assert scores["p_value"].between(0, 1).all()
    assert (scores["q_value"] >= scores["p_value"] - 1e-12).all()
    assert (scores["q_value"] <= 1).all()
