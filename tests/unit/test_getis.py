"""Gi and Gi* against esda, worked grids, and what cannot be scored."""

import logging
import os
import shutil
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from esda import G_Local
from scipy import stats
from shapely import box

import placeshaping
from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.getis import CLUSTERS, enough_permutations, getis_ord


def make_grid(size=8):
    shapes = [box(x, y, x + 1, y + 1) for y in range(size) for x in range(size)]
    codes = pd.Index([f"a{i:03}" for i in range(size * size)], name="area_code")
    return gpd.GeoDataFrame(geometry=shapes, index=codes)


GRID = make_grid()
NEIGHBOURS = contiguity(GRID)


def make_counts(seed=0, mean=4.0):
    rng = np.random.default_rng(seed)
    return pd.Series(rng.poisson(rng.gamma(1, mean, len(GRID))), index=GRID.index)


def make_measures(seed=0):
    return pd.Series(np.random.default_rng(seed).lognormal(size=len(GRID)), index=GRID.index)


@pytest.mark.parametrize("star", [True, False])
@pytest.mark.parametrize("values", [make_counts(), make_measures(), make_counts(2, 0.2)])
def test_scores_are_those_of_esda(values, star):
    reference = G_Local(
        values.to_numpy(float), NEIGHBOURS, transform="B", star=star, permutations=0
    )
    scores = getis_ord(values, NEIGHBOURS, star=star)
    np.testing.assert_allclose(scores["gi_star"], reference.Zs, atol=1e-10)
    # esda's p-values are one-sided (its issue 199)
    np.testing.assert_allclose(scores["p_value"], 2 * reference.p_norm, atol=1e-12)
    expected = stats.false_discovery_control(scores["p_value"])
    np.testing.assert_allclose(scores["q_value"], expected, rtol=1e-12)


@pytest.mark.parametrize("star", [True, False])
def test_row_standardised_weights_give_the_same_score(star):
    # Ord and Getis (1995): the variance holds the sum of squared weights, of k shares 1 / k.
    # esda's has the sum of the weights there, so its own score of these weights is another.
    y = make_measures().to_numpy(float)
    graph = NEIGHBOURS.assign_self_weight(1) if star else NEIGHBOURS
    shares = G_Local(y, graph, transform="R", star=star, permutations=0)
    k = NEIGHBOURS.cardinalities.to_numpy() + star
    held = 0 if star else y
    n = len(y) - (not star)
    mean = (y.sum() - held) / n
    variance = ((y**2).sum() - held**2) / n - mean**2
    local_mean = shares.Gs * (y.sum() - held)
    expected = (local_mean - mean) / np.sqrt(variance * (n / k - 1) / (n - 1))
    scores = getis_ord(make_measures(), NEIGHBOURS, star=star)["gi_star"]
    np.testing.assert_allclose(scores, expected, atol=1e-10)
    assert np.abs(shares.Zs - scores).max() > 1


def test_a_score_worked_by_hand():
    # Four areas in a row with 0, 0, 3, 9; the last neighbourhood holds 3 + 9 of 12.
    areas = gpd.GeoDataFrame(geometry=[box(x, 0, x + 1, 1) for x in range(4)], index=list("abcd"))
    scores = getis_ord(pd.Series([0, 0, 3, 9], areas.index), contiguity(areas))
    mean, variance = 3.0, (9 + 9 + 0 + 36) / 4
    expected = (12 - 2 * mean) / np.sqrt(variance * 2 * (4 - 2) / 3)
    assert scores.loc["d", "gi_star"] == pytest.approx(expected)
    assert "Only 4 areas" in scores.attrs["cautions"][0]


def test_classes_follow_sign_and_q():
    values = pd.Series(20.0, index=GRID.index) + make_measures()
    values.iloc[[0, 1, 2, 8, 9, 10, 16, 17, 18]] += 60
    scores = getis_ord(values, NEIGHBOURS)
    assert scores.loc["a009", "cluster"] == "hot_99"
    assert tuple(scores["cluster"].cat.categories) == CLUSTERS
    mirrored = getis_ord(-values, NEIGHBOURS)
    assert mirrored.loc["a009", "cluster"] == "cold_99"
    for row in scores.itertuples():
        level = {True: "99", False: "95"}[row.q_value < 0.01]
        sign = "hot" if row.gi_star > 0 else "cold"
        assert row.cluster == (f"{sign}_{level}" if row.q_value < 0.05 else "none")


def test_without_correction_q_is_p_and_more_is_found():
    values = make_measures(4)
    values.iloc[[0, 1, 8, 9]] += 2
    raw, corrected = (getis_ord(values, NEIGHBOURS, correction=c) for c in (None, "fdr"))
    assert raw["q_value"].equals(raw["p_value"])
    assert (corrected["q_value"] >= raw["q_value"]).all()
    assert (raw["cluster"] != "none").sum() > (corrected["cluster"] != "none").sum()


def test_the_order_of_values_and_graph_may_differ():
    values = make_counts()
    shuffled = values.sample(frac=1, random_state=1)
    scores = getis_ord(shuffled, NEIGHBOURS)
    assert scores.index.equals(shuffled.index)
    expected = getis_ord(values, NEIGHBOURS).loc[shuffled.index]
    pd.testing.assert_frame_equal(scores, expected, check_exact=False, rtol=1e-12)


def test_a_table_gives_what_each_of_its_series_gives():
    table = pd.DataFrame({"x": make_counts(1), "y": make_measures(2), "z": make_counts(3)})
    table = table.astype(float)
    table.iloc[5, 1] = np.nan
    scores = getis_ord(table, NEIGHBOURS)
    assert scores["series"].tolist() == np.repeat(list("xyz"), len(GRID)).tolist()
    for name in table:
        alone = getis_ord(table[name], NEIGHBOURS)
        of_table = scores[scores["series"] == name].drop(columns="series")
        pd.testing.assert_frame_equal(of_table, alone, check_exact=False, rtol=1e-10)


def test_areas_without_a_value_are_left_out_of_everything():
    values = make_measures()
    values.iloc[[10, 30]] = np.nan
    scores = getis_ord(values, NEIGHBOURS)
    kept = GRID[values.notna()]
    expected = getis_ord(values.dropna(), contiguity(kept))
    pd.testing.assert_frame_equal(scores[values.notna()], expected, check_exact=False, rtol=1e-10)
    assert scores[values.isna()].isna().all(axis=None)
    assert "2 of 64 areas lack a value" in scores.attrs["cautions"][0]


def test_islands_have_no_score(caplog):
    areas = pd.concat([GRID, gpd.GeoDataFrame(geometry=[box(50, 50, 51, 51)], index=["island"])])
    with caplog.at_level(logging.WARNING):
        neighbours = contiguity(areas)
        scores = getis_ord(pd.Series(range(65), areas.index), neighbours)
    assert scores.loc["island"].isna().all()
    assert scores.drop("island").notna().all(axis=None)
    assert "1 of 65 areas have no neighbours and no score" in caplog.text


@pytest.mark.parametrize("value", [0.0, 7.3])
def test_a_constant_series_has_no_scores_and_no_hot_spots(value):
    scores = getis_ord(pd.Series(value, GRID.index), NEIGHBOURS, permutations=9)
    assert scores[["gi_star", "p_value", "q_value"]].isna().all(axis=None)
    assert (scores["cluster"] == "none").all()
    assert any("Every area has the same value" in caution for caution in scores.attrs["cautions"])


def test_large_values_keep_their_precision():
    values = make_counts()
    shifted = getis_ord(values + 1e9, NEIGHBOURS)["gi_star"]
    np.testing.assert_allclose(shifted, getis_ord(values, NEIGHBOURS)["gi_star"], atol=1e-6)


@pytest.mark.parametrize("values", [make_measures(5), make_counts(6)])
def test_permutations_come_to_the_exact_tails(values):
    # Sixteen areas: every choice of neighbours can be listed, 6,435 for those in the middle.
    areas = make_grid(4)
    neighbours = contiguity(areas)
    values = pd.Series(values.to_numpy(float)[:16], areas.index)
    scores = getis_ord(values, neighbours, permutations=99_999, rng=1)
    for code in areas.index:
        near = neighbours[code].index
        others = values.drop(code)
        sums = np.array([sum(chosen) for chosen in combinations(others, len(near))])
        observed = values[near].sum()
        hot = scores.loc[code, "gi_star"] > 0
        tail = (sums >= observed - 1e-9) if hot else (sums <= observed + 1e-9)
        exact = min(1, 2 * tail.mean())
        assert scores.loc[code, "p_value"] == pytest.approx(exact, abs=0.012)


def test_permutation_p_values_are_uniform_where_nothing_is_there():
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(len(GRID), 60)), index=GRID.index)
    p_values = getis_ord(table, NEIGHBOURS, permutations=999, rng=3)["p_value"]
    assert (p_values < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert (p_values < 0.5).mean() == pytest.approx(0.5, abs=0.05)


def test_permutations_are_repeatable_by_their_seed():
    values = make_counts()
    first, again, other = (
        getis_ord(values, NEIGHBOURS, permutations=199, rng=seed)["p_value"]
        for seed in (1, np.random.default_rng(1), 2)
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_a_floor_too_high_for_the_correction_is_told(caplog):
    with caplog.at_level(logging.WARNING):
        getis_ord(make_counts(), NEIGHBOURS, permutations=99)
    assert "no p-value is below 0.02: 26 of 64 areas must be there" in caplog.text
    caplog.clear()
    getis_ord(make_counts(), NEIGHBOURS, permutations=99, correction=None)
    assert "no p-value" not in caplog.text


def test_so_many_permutations_that_one_area_can_be_found():
    enough = enough_permutations(len(GRID))
    values = pd.Series(np.arange(64.0), GRID.index)
    one_less, just = (
        getis_ord(values, NEIGHBOURS, permutations=p).attrs["cautions"]
        for p in (enough - 1, enough)
    )
    assert "2 of 64 areas must be there" in one_less[0]
    assert f"({enough:,} are enough)" in one_less[0]
    assert not just
    few = getis_ord(values, NEIGHBOURS, permutations=9).attrs["cautions"][0]
    assert "no area can be found" in few


def test_what_was_done_is_told():
    scores = getis_ord(make_counts(), NEIGHBOURS, star=False, permutations=99, correction=None)
    assert scores.attrs["method"] == (
        "Gi (Ord and Getis 1995) with binary weights; two-sided p-values from 99 conditional "
        "permutations, not corrected for the number of areas."
    )


def test_an_outlier_among_equal_values_has_a_score_and_missing_ones_are_counted():
    values = pd.Series(0.0, GRID.index)
    values["a000"] = 5
    scores = getis_ord(values, NEIGHBOURS, star=False)
    assert np.isnan(scores.loc["a000", "gi_star"])  # all the others hold one value
    assert any("1 of 64 areas have no score" in told for told in scores.attrs["cautions"])
    assert getis_ord(values, NEIGHBOURS).loc["a000", "cluster"] == "hot_99"


def test_what_cannot_be_scored_is_refused():
    values = make_counts()
    with pytest.raises(EmptyError, match="trusted; given: 2"):
        getis_ord(values.iloc[:2], NEIGHBOURS)
    with pytest.raises(InputError, match=r"1 of 64 areas are not in the graph .*\(elsewhere\)"):
        getis_ord(values.rename({"a000": "elsewhere"}), NEIGHBOURS)
    with pytest.raises(InputError, match="1 values are infinite"):
        getis_ord(values.astype(float).replace(values.iloc[0], np.inf).head(3), NEIGHBOURS)
    with pytest.raises(ColumnError, match="Not numbers"):
        getis_ord(values.astype(str), NEIGHBOURS)
    with pytest.raises(EmptyError, match="There is no series of values"):
        getis_ord(pd.DataFrame(index=GRID.index), NEIGHBOURS)
    with pytest.raises(InputError, match=r"permutations is 9\.5"):
        getis_ord(values, NEIGHBOURS, permutations=9.5)
    with pytest.raises(InputError, match="correction is 'holm'"):
        getis_ord(values, NEIGHBOURS, correction="holm")
    with pytest.raises(DuplicateError, match="values: 1 area codes"):
        getis_ord(values.rename({"a000": "a001"}), NEIGHBOURS)


PERMUTE = """
import warnings
warnings.simplefilter("error")
import numpy as np
from placeshaping.hotspots import _permutation
print(_permutation.__file__)
from scipy import sparse
ring = sparse.csr_array(np.roll(np.eye(6), 1, 0) + np.roll(np.eye(6), -1, 0))
rng = np.random.default_rng(0)
print(_permutation.neighbour_tails(np.arange(6.0)[:, None], ring, 9, rng)[0].ravel())
"""


def run_with(environment, cwd):
    return subprocess.run(
        [sys.executable, "-c", PERMUTE],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )


def test_permutations_work_where_the_named_cache_folder_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = run_with({"NUMBA_CACHE_DIR": str(tmp_path / "file" / "cache")}, tmp_path)
    assert done.returncode == 0, done.stderr


def test_permutations_work_where_no_cache_can_be_written_at_all(tmp_path):
    source = Path(placeshaping.__file__).parent
    copied = tmp_path / "placeshaping"
    shutil.copytree(source, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in [copied, *(f for f in copied.rglob("*") if f.is_dir())]:
        (folder / "__pycache__").write_text("in the way")
    (tmp_path / "home").write_text("in the way")
    nowhere = str(tmp_path / "home" / "cache")
    done = run_with(
        {
            "PYTHONPATH": str(tmp_path),
            "NUMBA_CACHE_DIR": nowhere,
            "HOME": nowhere,
            "XDG_CACHE_HOME": nowhere,
            "LOCALAPPDATA": nowhere,
        },
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(copied))


def test_permutations_of_the_whole_map_equal_drawing_neighbourhoods_anew():
    rng = np.random.default_rng(5)
    areas = make_grid(7)
    graph = contiguity(areas)
    counts = pd.Series(rng.poisson(rng.gamma(0.5, 4, len(areas))), index=areas.index)
    ours = getis_ord(counts, graph, permutations=20_000, hold="nothing", correction=None)
    values = counts.to_numpy(dtype=float)
    matrix = graph.sparse.toarray() + np.eye(len(areas))
    drawn = np.array([matrix @ rng.permutation(values) for _ in range(4000)])
    observed = matrix @ values
    above, below = (drawn >= observed).mean(axis=0), (drawn <= observed).mean(axis=0)
    expected = np.minimum(1, 2 * np.where(ours["gi_star"] > 0, above, below))
    assert np.abs(ours["p_value"] - expected).max() < 0.05


def test_whole_map_permutations_label_no_skewed_map_by_chance():
    rng = np.random.default_rng(6)
    areas = make_grid(15)
    skewed = rng.poisson(rng.gamma(0.5, 4, (len(areas), 120)))
    table = pd.DataFrame(skewed, index=areas.index)
    graph = contiguity(areas)

    def labelled(**options):
        found = getis_ord(table, graph, **options)
        return float((found["cluster"] != "none").groupby(found["series"]).any().mean())

    assert labelled(permutations=9_000, hold="nothing") < 0.1 < labelled()


def test_a_busy_area_is_hot_with_its_neighbours_and_not_by_itself():
    areas = make_grid(15)
    alone, together = (pd.Series(1, index=areas.index) for _ in range(2))
    alone.iloc[112] = together.iloc[112] = 50
    together.iloc[[97, 111, 113, 127]] = 20
    graph = contiguity(areas)
    options = {"permutations": enough_permutations(225), "hold": "nothing"}
    assert getis_ord(together, graph, **options)["cluster"].iloc[112] == "hot_99"
    assert getis_ord(alone, graph, **options)["cluster"].iloc[112] == "none"


def test_gi_without_the_area_itself_cannot_draw_it():
    areas = make_grid(5)
    with pytest.raises(InputError, match="star=True"):
        getis_ord(
            pd.Series(range(25), index=areas.index), contiguity(areas), star=False, hold="nothing"
        )
