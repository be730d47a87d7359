"""Local Moran against esda, exact tails, and what cannot be scored."""

import warnings
from itertools import combinations

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    InputError,
    UnmatchedError,
)
from placeshaping.areas.neighbours import contiguity, k_nearest
from placeshaping.hotspots.local_moran import QUADRANTS, local_moran


def make_grid(size=8):
    shapes = [box(x, y, x + 1, y + 1) for y in range(size) for x in range(size)]
    codes = pd.Index([f"a{i:03}" for i in range(size * size)], name="area_code")
    return gpd.GeoDataFrame(geometry=shapes, index=codes)


GRID = make_grid()
NEIGHBOURS = contiguity(GRID)
RNG = np.random.default_rng(7)
COUNTS = pd.Series(RNG.poisson(RNG.gamma(1, 4, len(GRID))), GRID.index)
MEASURES = pd.Series(RNG.lognormal(size=len(GRID)), GRID.index)
OTHER = pd.Series(RNG.normal(size=len(GRID)) + MEASURES / 3, GRID.index)
PEOPLE = pd.Series(RNG.integers(200, 3000, len(GRID)), GRID.index)


def of_esda(kind, *columns, weights="row", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arrays = [column.to_numpy(float) for column in columns]
        return kind(*arrays, NEIGHBOURS, transformation=weights[0], **options)


@pytest.mark.parametrize("weights", ["row", "binary"])
@pytest.mark.parametrize("values", [COUNTS, MEASURES])
def test_values_and_moments_are_those_of_esda(values, weights):
    theirs = of_esda(esda.Moran_Local, values, weights=weights, permutations=0)
    scores = local_moran(values, NEIGHBOURS, weights=weights)
    np.testing.assert_allclose(scores["local_moran"], theirs.Is, atol=1e-10)
    # esda's moments are of the statistic that is scaled with n
    n = len(values)
    for moments, mean, variance in (
        ("conditional", theirs.EIc, theirs.VIc),
        ("total", theirs.EI, theirs.VI),
    ):
        ours = local_moran(values, NEIGHBOURS, weights=weights, moments=moments)["z_score"]
        expected = (theirs.Is * n / (n - 1) - mean) / np.sqrt(variance)
        np.testing.assert_allclose(ours, expected, atol=1e-10)


def test_dividing_by_n_changes_the_value_and_no_score():
    ours, of_spdep = (local_moran(MEASURES, NEIGHBOURS, ddof=d) for d in (1, 0))
    ratio = of_spdep["local_moran"] / ours["local_moran"]
    np.testing.assert_allclose(ratio, 64 / 63, rtol=1e-12)
    columns = ["z_score", "p_value", "q_value", "cluster"]
    pd.testing.assert_frame_equal(ours[columns], of_spdep[columns])


def test_weights_change_the_value_and_no_score():
    row, binary = (local_moran(MEASURES, NEIGHBOURS, weights=w) for w in ("row", "binary"))
    members = NEIGHBOURS.cardinalities.to_numpy()
    np.testing.assert_allclose(binary["local_moran"], row["local_moran"] * members, rtol=1e-12)
    np.testing.assert_allclose(binary["z_score"], row["z_score"], atol=1e-10)


def test_a_value_worked_by_hand():
    # Values 0, 0, 3, 9 in a row: deviations -3, -3, 0, 6; variance with n - 1 is 54 / 3.
    areas = gpd.GeoDataFrame(geometry=[box(x, 0, x + 1, 1) for x in range(4)], index=list("abcd"))
    scores = local_moran(pd.Series([0, 0, 3, 9], areas.index), contiguity(areas))
    assert scores["local_moran"].tolist() == pytest.approx([9 / 18, 4.5 / 18, 0, 0])
    assert scores.loc["c", "p_value"] == 1  # at the mean: neither high nor low
    assert "Only 4 areas" in scores.attrs["cautions"][0]


@pytest.mark.parametrize("ddof", [0, 1])
def test_bivariate_values_are_those_of_esda(ddof):
    theirs = of_esda(esda.Moran_Local_BV, MEASURES, OTHER, permutations=0)
    scores = local_moran(
        MEASURES, NEIGHBOURS, other=OTHER.sample(frac=1, random_state=1), ddof=ddof
    )
    scale = 64 / 63 if ddof == 0 else 1
    np.testing.assert_allclose(scores["local_moran"], theirs.Is * scale, atol=1e-10)


def test_a_variable_beside_itself_is_the_univariate_one():
    pd.testing.assert_frame_equal(
        local_moran(MEASURES, NEIGHBOURS, other=MEASURES, permutations=99),
        local_moran(MEASURES, NEIGHBOURS, permutations=99),
    )


def test_values_of_rates_are_those_of_esda():
    theirs = of_esda(esda.Moran_Local_Rate, COUNTS, PEOPLE, permutations=0)
    scores = local_moran(COUNTS, NEIGHBOURS, population=PEOPLE.iloc[::-1])
    np.testing.assert_allclose(scores["local_moran"], theirs.Is, atol=1e-10)
    few = pd.Series(3, GRID.index)  # less difference between areas than chance would make
    theirs = of_esda(esda.Moran_Local_Rate, few, PEOPLE, permutations=0)
    scores = local_moran(few, NEIGHBOURS, population=PEOPLE)
    np.testing.assert_allclose(scores["local_moran"], theirs.Is, atol=1e-10)


def test_permutation_p_values_are_those_of_esda():
    theirs = of_esda(esda.Moran_Local, MEASURES, permutations=9_999, seed=3)
    scores = local_moran(MEASURES, NEIGHBOURS, permutations=9_999, rng=1)
    upper = (theirs.sim >= theirs.Is).mean(axis=0)
    lower = (theirs.sim <= theirs.Is).mean(axis=0)
    expected = np.minimum(1, 2 * np.where(scores["z_score"] > 0, upper, lower))
    # two runs of 9,999 draws, each twice a tail: five standard errors
    error = 5 * np.sqrt(2 * 2 * expected * (1 - expected / 2) / 9_999) + 1e-3
    assert (np.abs(scores["p_value"] - expected) < error).all()


@pytest.mark.parametrize("bivariate", [False, True])
def test_permutations_come_to_the_exact_tails(bivariate):
    areas = make_grid(4)
    neighbours = contiguity(areas)
    values, other = (pd.Series(v.to_numpy(float)[:16], areas.index) for v in (COUNTS, OTHER))
    other = other if bivariate else None
    scores = local_moran(values, neighbours, other=other, permutations=99_999, rng=1)
    centred = values - values.mean()
    lagged = other - other.mean() if bivariate else centred
    for code in areas.index:
        near = neighbours[code].index
        sums = np.array([sum(chosen) for chosen in combinations(lagged.drop(code), len(near))])
        draws, observed = centred[code] * sums, centred[code] * lagged[near].sum()
        alike = scores.loc[code, "z_score"] > 0
        tail = (draws >= observed - 1e-9) if alike else (draws <= observed + 1e-9)
        assert scores.loc[code, "p_value"] == pytest.approx(min(1, 2 * tail.mean()), abs=0.012)


def test_labels_follow_side_sign_and_q():
    values = 20 + MEASURES
    values.iloc[[0, 1, 2, 8, 9, 10, 16, 17, 18]] += 60
    values.iloc[9] = 0  # a quiet area among busy ones
    values.iloc[[44, 45, 46, 52, 54, 60, 61, 62]] -= 20
    values.iloc[53] = 70
    scores = local_moran(values, NEIGHBOURS)
    assert scores.loc["a009", "cluster"] == "low_high"
    assert scores.loc["a001", "cluster"] == "high_high"
    assert scores.loc["a053", "cluster"] == "high_low"
    assert tuple(scores["cluster"].cat.categories) == QUADRANTS
    for code, row in scores.iterrows():
        side = "high" if values[code] > values.mean() else "low"
        near = {"high": "low", "low": "high"}[side] if row["z_score"] < 0 else side
        assert row["cluster"] == (f"{side}_{near}" if row["q_value"] < 0.05 else "none")


def test_labels_are_the_quadrants_of_esda():
    theirs = of_esda(esda.Moran_Local, MEASURES, permutations=0)
    scores = local_moran(MEASURES, NEIGHBOURS, correction=None)
    names = pd.Series(theirs.q, GRID.index).map(
        {1: "high_high", 2: "low_high", 3: "low_low", 4: "high_low"}
    )
    labelled = scores["cluster"] != "none"
    assert labelled.any()
    assert (scores["cluster"].astype(str) == names)[labelled].all()


def test_one_huge_value_makes_no_false_labels():
    # The mean is drawn up so far that all sums without the outlier lie below it.
    values = pd.Series(np.arange(64.0), GRID.index)
    values["a000"] = 1e6
    scores = local_moran(values, NEIGHBOURS, permutations=999, correction=None)
    # the busiest of the rest: neighbours' sums below the mean, yet above nearly all draws
    assert (scores.loc[["a062", "a063"], "z_score"] > 0).all()
    assert (scores.loc[["a062", "a063"], "cluster"] == "none").all()
    assert (scores.loc[["a002", "a003"], "cluster"] == "low_low").all()


def test_a_table_gives_what_each_of_its_series_gives():
    table = pd.DataFrame({"x": COUNTS.astype(float), "y": MEASURES})
    table.iloc[5, 1] = np.nan
    scores = local_moran(table, NEIGHBOURS, population=PEOPLE)
    assert scores["series"].tolist() == ["x"] * 64 + ["y"] * 64
    for name in table:
        alone = local_moran(table[name], NEIGHBOURS, population=PEOPLE)
        of_table = scores[scores["series"] == name].drop(columns="series")
        pd.testing.assert_frame_equal(of_table, alone, check_exact=False, rtol=1e-10)


def test_areas_without_a_value_are_left_out_of_everything():
    values, other = MEASURES.copy(), OTHER.copy()
    values.iloc[10], other.iloc[30] = np.nan, np.nan
    scores = local_moran(values, NEIGHBOURS, other=other)
    known = values.notna() & other.notna()
    expected = local_moran(values[known], contiguity(GRID[known]), other=other)
    pd.testing.assert_frame_equal(scores[known], expected, check_exact=False, rtol=1e-10)
    assert scores[~known].isna().all(axis=None)
    assert "2 of 64 areas lack a value" in scores.attrs["cautions"][0]


def test_no_result_is_missing_in_silence():
    areas = pd.concat([GRID, gpd.GeoDataFrame(geometry=[box(50, 50, 51, 51)], index=["island"])])
    values = pd.DataFrame({"x": range(65), "y": 3.0, "z": np.nan}, areas.index)
    values.loc[["a001", "a008", "a009"], "x"] = np.nan  # all neighbours of a000
    values.iloc[:2, 2] = [1.0, 2.0]
    scores = local_moran(values, contiguity(areas))
    told = "\n".join(scores.attrs["cautions"])
    assert "64 of 65 areas lack a value in some series and have no score there" in told
    assert "1 of 65 areas have no neighbours and no score" in told
    assert "1 of 3 series have fewer than 3 values: no scores" in told
    assert "1 of 65 areas have neighbours without a value and no score there" in told
    assert "1 of 3 series hold one value everywhere: no scores" in told
    x = scores[scores["series"] == "x"]
    assert x["z_score"].isna().sum() == 3 + 1 + 1
    assert (scores.loc[scores["series"] == "y", "cluster"] == "none").all()


def test_an_area_beside_every_other_has_no_score_and_that_is_told():
    areas = GRID.iloc[:6]
    scores = local_moran(pd.Series(range(6), areas.index), k_nearest(areas.set_crs(27700), k=5))
    assert scores["z_score"].isna().all()
    assert any("neighbourhood holds every area" in told for told in scores.attrs["cautions"])


def test_what_was_done_is_told():
    scores = local_moran(COUNTS, NEIGHBOURS, population=PEOPLE, permutations=99, weights="binary")
    method = scores.attrs["method"]
    for words in ("rates (Assunção and Reis 1999)", "binary", "n - 1", "99 conditional perm"):
        assert words in method
    assert "other areas" not in method


def test_what_cannot_be_scored_is_refused():
    with pytest.raises(EmptyError, match="trusted; given: 1"):
        local_moran(COUNTS.iloc[:1], NEIGHBOURS)
    with pytest.raises(InputError, match="are infinite"):
        local_moran(MEASURES.replace(MEASURES.iloc[0], np.inf), NEIGHBOURS)
    with pytest.raises(ColumnError, match="Not numbers"):
        local_moran(COUNTS.astype(str), NEIGHBOURS)
    with pytest.raises(DuplicateError, match="stand more than once"):
        local_moran(COUNTS.rename({"a000": "a001"}), NEIGHBOURS)
    with pytest.raises(InputError, match="1 counts are negative"):
        local_moran(COUNTS.where(COUNTS.index != "a003", -1), NEIGHBOURS, population=PEOPLE)
    with pytest.raises(InputError, match=r"events but a population of zero \(a0"):
        local_moran(COUNTS + 1, NEIGHBOURS, population=PEOPLE.where(PEOPLE.index != "a003", 0))
    with pytest.raises(UnmatchedError, match="population lacks 1 of 64 areas"):
        local_moran(COUNTS, NEIGHBOURS, population=PEOPLE.drop("a003"))
    with pytest.raises(UnmatchedError, match="other lacks 1 of 64 areas"):
        local_moran(COUNTS, NEIGHBOURS, other=OTHER.drop("a003"))
    with pytest.raises(InputError, match="for one variable alone"):
        local_moran(COUNTS, NEIGHBOURS, other=OTHER, moments="total")
    for option in ({"weights": "r"}, {"ddof": 2}, {"moments": "x"}, {"correction": "bh"}):
        with pytest.raises(InputError, match=f"{next(iter(option))} is .*Give"):
            local_moran(COUNTS, NEIGHBOURS, **option)
    with pytest.raises(InputError, match="permutations is -1"):
        local_moran(COUNTS, NEIGHBOURS, permutations=-1)


def test_a_population_of_zero_without_events_is_missing_and_told():
    counts = COUNTS.where(COUNTS.index != "a003", 0)
    people = PEOPLE.where(PEOPLE.index != "a003", 0)
    scores = local_moran(counts, NEIGHBOURS, population=people)
    assert scores.loc["a003"].isna().all()
    assert "1 of 64 areas lack a value" in scores.attrs["cautions"][0]


def test_no_events_at_all_have_no_scores():
    scores = local_moran(COUNTS * 0, NEIGHBOURS, population=PEOPLE)
    assert (scores["cluster"] == "none").all()
    assert "Every area has the same value" in scores.attrs["cautions"][0]


@pytest.mark.parametrize("permutations", [0, 9])
def test_what_does_not_vary_has_no_scores_and_that_is_told(permutations):
    table = pd.DataFrame({"flat": 3.0, "values": MEASURES})
    scores = local_moran(table, NEIGHBOURS, permutations=permutations)
    flat = scores[scores["series"] == "flat"]
    assert flat[["local_moran", "z_score", "p_value"]].isna().all(axis=None)
    assert (flat["cluster"] == "none").all()
    assert scores.loc[scores["series"] == "values", "p_value"].notna().all()
    beside = local_moran(MEASURES, NEIGHBOURS, other=OTHER * 0, permutations=permutations)
    assert beside["p_value"].isna().all()
    assert any("64 of 64 areas have no score" in told for told in beside.attrs["cautions"])
