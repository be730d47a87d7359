"""What must hold of emerging hot spots: one category for every series, whatever the order."""

from itertools import product

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from shapely import box

from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots._categories import CATEGORIES, classify
from placeshaping.hotspots.emerging import emerging_hotspots

SIZE = 5
CODES = pd.Index([f"a{i:02}" for i in range(SIZE * SIZE)], name="area_code")
AREAS = gpd.GeoDataFrame(
    geometry=[box(x, y, x + 1, y + 1) for y in range(SIZE) for x in range(SIZE)], index=CODES
)
NEIGHBOURS = contiguity(AREAS)
MONTHS = pd.date_range("2024-01-01", periods=8, freq="MS")
FLOATS = ["trend_z", "trend_p", "gi_star", "q_value", "mean_count"]

cubes = arrays.arrays(np.int64, (SIZE * SIZE, 8), elements=st.integers(0, 60)).map(
    lambda y: pd.DataFrame(y, index=CODES, columns=MONTHS).astype(float)
)


def definitions(series, trend, own, other):
    """Return each category's definition, word for word, of one series."""
    size, final = len(series), series[-1]
    count = series.count(own)
    share = count / size
    before = series[:-1]
    run = size - 1 - max((k for k in range(size) if series[k] != own), default=-1)
    significant = {own, other}
    return {
        "new": final == own and not significant & set(before),
        "consecutive": run >= 2 and not significant & set(series[: size - run]) and share < 0.9,
        "intensifying": final == own and share >= 0.9 and trend > 0,
        "persistent": final == own and share >= 0.9 and trend == 0,
        "diminishing": final == own and share >= 0.9 and trend < 0,
        "sporadic": final == own
        and own in before
        and share < 0.9
        and other not in series
        and run < count,
        "oscillating": final == own and other in before and share < 0.9,
        "historical": final not in significant and share >= 0.9,
    }


@pytest.mark.parametrize("size", [*range(2, 9), 10])
def test_every_series_falls_into_exactly_one_category(size):
    every = list(product((1, 0, -1), repeat=size))
    for trend in (-1, 0, 1):
        trends = np.full(len(every), trend, dtype=np.int8)
        codes = classify(np.array(every, dtype=np.int8), trends)
        assert ((codes >= 0) & (codes < 17)).all()
        for series, code in zip(every, codes, strict=True):
            hot = definitions(series, trend, 1, -1)
            cold = definitions(series, -trend, -1, 1)
            true = [f"{name}_hot" for name, holds in hot.items() if holds]
            true += [f"{name}_cold" for name, holds in cold.items() if holds]
            assert len(true) <= 1, (series, trend, true)
            assert CATEGORIES[code] == (true or ["no_pattern"])[0], (series, trend)


@pytest.mark.parametrize("size", range(2, 9))
def test_categories_are_mirrored_by_sign(size):
    every = np.array(list(product((1, 0, -1), repeat=size)), dtype=np.int8)
    for trend in (-1, 0, 1):
        trends = np.full(len(every), trend, dtype=np.int8)
        codes, mirrored = classify(every, trends), classify(-every, -trends)
        expected = np.where(codes == 16, 16, (codes + 8) % 16)
        np.testing.assert_array_equal(mirrored, expected)


@settings(deadline=None, max_examples=40)
@given(
    cubes,
    st.permutations(range(SIZE * SIZE)),
    st.permutations(range(8)),
    st.sampled_from(["cube", "neighbourhood_step", "step"]),
)
def test_results_stay_with_their_areas_in_any_order(cube, rows, columns, window):
    expected = emerging_hotspots(cube, NEIGHBOURS, window=window)
    shuffled = cube.iloc[rows, columns]
    result = emerging_hotspots(shuffled, NEIGHBOURS, window=window)
    assert result.index.equals(shuffled.index)
    back = result.loc[cube.index]
    assert back["category"].equals(expected["category"])
    np.testing.assert_allclose(back[FLOATS], expected[FLOATS], atol=1e-9, equal_nan=True)


@settings(deadline=None, max_examples=30)
@given(cubes, st.integers(2, 9))
def test_results_do_not_depend_on_the_unit(cube, unit):
    one, other = emerging_hotspots(cube, NEIGHBOURS), emerging_hotspots(cube * unit, NEIGHBOURS)
    assert one["category"].equals(other["category"])
    np.testing.assert_allclose(one["gi_star"], other["gi_star"], atol=1e-9, equal_nan=True)


@settings(deadline=None, max_examples=30)
@given(cubes, st.sets(st.integers(1, 6), max_size=3))
def test_shares_are_of_known_steps_and_add_up(cube, gaps):
    result = emerging_hotspots(cube.drop(columns=MONTHS[sorted(gaps)]), NEIGHBOURS)
    assert (result["known_steps"] == 8 - len(gaps)).all()
    assert ((result["hot_share"] + result["cold_share"]) <= 1).all()
    np.testing.assert_allclose(result["hot_share"] * result["known_steps"], result["hot_steps"])
    labelled = result["category"].astype(str)
    final_hot = labelled.str.endswith("_hot") & ~labelled.str.startswith("historical")
    assert (result.loc[final_hot, "gi_star"] > 0).all()
    assert (result.loc[final_hot, "q_value"] < 0.05).all()
