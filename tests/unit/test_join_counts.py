"""Join counts against esda and every arrangement of the marks."""

from itertools import combinations

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from libpysal import examples
from shapely import box

from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.areas.neighbours import contiguity, distance_band
from placeshaping.hotspots.join_counts import JOINS, join_counts

SHAPES = [box(x, y, x + 1, y + 1) for y in range(8) for x in range(8)]
CODES = pd.Index([f"a{i:03}" for i in range(64)], name="area_code")
GRID = gpd.GeoDataFrame(geometry=SHAPES, index=CODES, crs=27700)
QUEEN = contiguity(GRID)
MARKED = pd.Series(np.random.default_rng(0).random(64) + np.arange(64) / 100 > 0.7, CODES)


@pytest.mark.filterwarnings("ignore")
def test_counts_are_those_of_esda():
    theirs = esda.Join_Counts(MARKED.to_numpy(float), QUEEN, permutations=0)
    ours = join_counts(MARKED, QUEEN)
    assert ours["count"].tolist() == pytest.approx([theirs.bb, theirs.ww, theirs.bw], abs=1e-10)
    assert ours["count"].sum() == theirs.J


def test_results_are_those_that_spdep_prints():
    # spdep: joincount.multi(cut(columbus$CRIME, c(0, 35, 80)), nb2listw(poly2nb(columbus), "B"))
    columbus = gpd.read_file(examples.get_path("columbus.shp"))
    crime, graph = columbus["CRIME"], contiguity(columbus)
    result = join_counts(crime > 35, graph)
    printed = {
        "both": [54, 27.694, 18.219, 6.1630],
        "neither": [35, 30.102, 19.247, 1.1164],
        "mixed": [29, 60.204, 26.630, -6.0468],
    }
    for join, row in printed.items():
        assert result.loc[join].iloc[:3].tolist() == pytest.approx(row[:3], abs=5e-4)
        assert result.loc[join, "z_score"] == pytest.approx(row[3], abs=5e-5)


def test_moments_are_those_of_all_arrangements():
    areas = GRID.iloc[[0, 1, 2, 8, 9, 16, 17]]
    graph = contiguity(areas)
    every = [
        pd.Series(areas.index.isin(chosen), areas.index) for chosen in combinations(areas.index, 3)
    ]
    results = join_counts(pd.DataFrame(dict(enumerate(every))), graph)
    for join in JOINS:
        of_kind = results.loc[join]
        assert of_kind["count"].mean() == pytest.approx(of_kind["expected"].iloc[0])
        assert of_kind["count"].var(ddof=0) == pytest.approx(of_kind["variance"].iloc[0])
    one = join_counts(every[0], graph, permutations=19_999)
    for join in JOINS:
        count, expected = one.loc[join, ["count", "expected"]]
        counts = results.loc[join, "count"]
        tail = ((counts >= count) if count > expected else (counts <= count)).mean()
        assert one.loc[join, "p_value"] == pytest.approx(min(1, 2 * tail), abs=0.02)


@pytest.mark.filterwarnings("ignore")
def test_permutation_p_values_are_those_of_esda():
    theirs = esda.Join_Counts(MARKED.to_numpy(float), QUEEN, permutations=999)
    ours = join_counts(MARKED, QUEEN, permutations=9_999)
    tail = (theirs.sim_bb >= theirs.bb).mean()
    assert 0.05 < tail < 0.45
    assert ours.loc["both", "p_value"] == pytest.approx(2 * tail, abs=0.1)


def test_a_table_gives_what_each_of_its_series_gives():
    table = pd.DataFrame({"x": MARKED, "y": ~MARKED})
    result = join_counts(table, QUEEN)
    assert result["series"].tolist() == ["x"] * 3 + ["y"] * 3
    for name in table:
        part = result[result["series"] == name].drop(columns="series")
        pd.testing.assert_frame_equal(part, join_counts(table[name], QUEEN))
    turned = result.iloc[3:].loc[["neither", "both", "mixed"], "z_score"].to_numpy()
    np.testing.assert_allclose(result["z_score"].iloc[:3], turned, atol=1e-10)


def test_missing_marks_are_left_out_and_told():
    values = MARKED.astype("boolean")
    values.iloc[5] = pd.NA
    result = join_counts(values, QUEEN)
    expected = join_counts(MARKED.drop("a005"), contiguity(GRID.drop("a005")))
    pd.testing.assert_frame_equal(result, expected)
    assert "1 of 64 areas lack a value" in result.attrs["cautions"][0]


@pytest.mark.parametrize("marks", [0, 1, 64])
def test_marks_that_cannot_vary_have_no_score_and_that_is_told(marks):
    result = join_counts(pd.Series(np.arange(64) < marks, CODES), QUEEN, permutations=9)
    assert np.isnan(result.loc["both", "z_score"])
    assert np.isnan(result.loc["both", "p_value"])
    assert result.attrs["cautions"]


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(InputError, match="1 marks are neither 0 nor 1"):
        join_counts(MARKED.astype(int).replace({0: 0}).where(CODES != "a000", 2), QUEEN)
    with pytest.raises(InputError, match="None of the 64 areas has a neighbour"):
        join_counts(MARKED, distance_band(GRID, distance=0.1))
    with pytest.raises(EmptyError, match="trusted; given: 1"):
        join_counts(MARKED.iloc[:1], QUEEN)
    with pytest.raises(ColumnError, match="Not numbers"):
        join_counts(MARKED.astype(str), QUEEN)
