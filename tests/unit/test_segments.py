"""Areas that are alike: what is compared, the groups, and how far they hold."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph
from scipy import stats
from scipy.sparse import csgraph
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score

from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping.areas.neighbours import contiguity, detached_parts
from placeshaping.shaping._k_means import best_k_means
from placeshaping.shaping.segment_agreement import adjusted_rand, compare_segments
from placeshaping.shaping.segment_choice import compare_groupings, segment_stability
from placeshaping.shaping.segment_pieces import join_pieces
from placeshaping.shaping.segment_variables import percentages, prepare_variables
from placeshaping.shaping.segments import (
    make_segments,
    profile_segments,
    segment_letters,
    segments_by_decile,
)

MIDDLES = np.array([[10.0, 70, 30], [60, 20, 30], [30, 45, 70], [80, 60, 5]])


def kinds_of_places(each: int = 15, spread: float = 1.0) -> tuple[pd.DataFrame, np.ndarray]:
    """Invent areas of four kinds that lie far apart."""
    rng = np.random.default_rng(3)
    kind = rng.permutation(np.repeat(np.arange(4), each))
    values = np.clip(MIDDLES[kind] + rng.normal(0, spread, (4 * each, 3)), 0, 100)
    codes = pd.Index([f"E019{n:05}" for n in range(4 * each)], name="area_code")
    return pd.DataFrame(values, codes, ["renting", "owning", "alone"]), kind


def grid(side: int) -> Graph:
    """Return the rook neighbours of a square grid, row by row."""
    number = np.arange(side * side).reshape(side, side)
    pairs = np.vstack([np.c_[number[:, :-1].ravel(), number[:, 1:].ravel()],
                       np.c_[number[:-1].ravel(), number[1:].ravel()]])  # fmt: skip
    both = np.vstack([pairs, pairs[:, ::-1]])
    codes = np.array([f"E019{n:05}" for n in range(side * side)])
    return Graph.from_arrays(codes[both[:, 0]], codes[both[:, 1]], np.ones(len(both)))


def test_groups_that_lie_apart_are_found_exactly() -> None:
    table, kind = kinds_of_places()
    segments = make_segments(prepare_variables(table), groups=4)
    assert adjusted_rand_score(kind, segments["segment"]) == 1
    assert segments.index.equals(table.index)
    assert segments["segment"].value_counts().tolist() == [15, 15, 15, 15]
    assert segments.attrs["explained"] > 0.98


@pytest.mark.parametrize("groups", [2, 3, 5, 8])
def test_k_means_is_as_good_as_that_of_scikit_learn(groups: int) -> None:
    values = np.random.default_rng(groups).random((300, 4))
    labels, centres = best_k_means(values, groups, starts=100, seed=1)
    peer = KMeans(groups, n_init=100, tol=0, random_state=1).fit(values)
    ours = ((values - centres[labels]) ** 2).sum()
    assert ours <= peer.inertia_ * (1 + 1e-4)  # noise alone has many nearly best groups
    nearest = ((values[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == labels).all()
    assert np.allclose(centres, [values[labels == g].mean(axis=0) for g in range(groups)])


def test_as_many_groups_as_unlike_rows_leave_nothing_inside() -> None:
    values = np.repeat([[0.0, 0], [0, 1], [1, 0], [1, 1]], [5, 1, 1, 3], axis=0)
    labels, centres = best_k_means(values, 4, starts=50, seed=0)
    assert np.array_equal(centres[labels], values)


def test_neither_order_of_rows_nor_of_columns_changes_the_groups() -> None:
    table, _ = kinds_of_places(spread=25)
    one = make_segments(prepare_variables(table), groups=3, starts=5)
    other = table.sample(frac=1, random_state=2)[["alone", "renting", "owning"]]
    again = make_segments(prepare_variables(other), groups=3, starts=5)
    assert again.index.equals(other.index)
    pd.testing.assert_frame_equal(again.loc[one.index], one, check_exact=False)


def test_the_largest_group_is_a_and_margins_tell_the_edge() -> None:
    table, _ = kinds_of_places()
    segments = make_segments(prepare_variables(table.iloc[3:]), groups=4)
    sizes = segments["segment"].value_counts(sort=False)
    assert sizes.index.tolist() == segment_letters(4)
    assert sizes.is_monotonic_decreasing
    assert segments["margin"].between(0, 1).all()
    assert (segments["second"] != segments["segment"]).all()
    centres = segments.attrs["centres"]
    own = prepare_variables(table.iloc[3:]).values[centres.columns]
    away = np.linalg.norm(own - centres.loc[segments["segment"]].to_numpy(), axis=1)
    assert np.allclose(away, segments["distance"])


def test_connected_groups_equal_ward_and_hang_together() -> None:
    rng = np.random.default_rng(8)
    neighbours = grid(8)
    table = pd.DataFrame(rng.random((64, 3)) * 100, neighbours.unique_ids, list("abc"))
    prepared = prepare_variables(table)
    segments = make_segments(prepared, groups=5, method="connected", neighbours=neighbours)
    peer = AgglomerativeClustering(5, connectivity=neighbours.sparse.tocsr()).fit(prepared.values)
    assert adjusted_rand_score(peer.labels_, segments["segment"]) == 1
    for letter in segment_letters(5):
        inside = (segments["segment"] == letter).to_numpy()
        matrix = neighbours.sparse.tocsr()[inside][:, inside]
        assert csgraph.connected_components(matrix, directed=False)[0] == 1
    free = make_segments(prepared, groups=5)
    assert free.attrs["explained"] > segments.attrs["explained"]


def test_land_in_pieces_and_missing_neighbours_are_refused_for_connected_groups() -> None:
    table, _ = kinds_of_places(each=4)
    prepared = prepare_variables(table)
    with pytest.raises(InputError, match=r"need neighbours: neighbours=contiguity\(areas\)"):
        make_segments(prepared, groups=2, method="connected")
    with pytest.raises(UnmatchedError, match="12 of 16 areas are not among the neighbours"):
        make_segments(prepared, groups=2, method="connected", neighbours=grid(2))
    pieces = Graph.from_arrays(table.index[[0, 1]], table.index[[1, 0]], [1.0, 1.0])
    whole = prepare_variables(table.iloc[:8])
    codes = table.index[:8]
    pairs = [(0, 1), (2, 3), (4, 5), (6, 7)]
    focal = [codes[a] for a, b in pairs] + [codes[b] for a, b in pairs]
    other = [codes[b] for a, b in pairs] + [codes[a] for a, b in pairs]
    pieces = Graph.from_arrays(focal, other, np.ones(8))
    with pytest.raises(InputError, match="lie in 4 pieces that do not touch"):
        make_segments(whole, groups=2, method="connected", neighbours=pieces)


def test_variables_are_transformed_as_the_official_classification_does() -> None:
    table, _ = kinds_of_places(spread=20)
    prepared = prepare_variables(table)
    for name in prepared.values:
        changed = np.arcsinh(table[name])
        expected = (changed - changed.min()) / (changed.max() - changed.min())
        assert np.allclose(prepared.values[name], expected)
    assert "Gale et al. 2016" in prepared.method
    powers = prepare_variables(table, transform="box_cox", scale="z")
    first = stats.zscore(stats.boxcox(table["renting"] + 1)[0])
    assert np.allclose(powers.values["renting"], first)
    assert "Gale" not in powers.method


def test_of_each_variable_it_is_said_why_it_is_not_used() -> None:
    table, _ = kinds_of_places(spread=20)
    rng = np.random.default_rng(5)
    table["not renting"] = 100 - table["renting"] + rng.normal(0, 0.01, len(table)).clip(0)
    table["same"] = 12.5
    table["rare"] = np.where(np.arange(len(table)) == 7, 90.0, 0.0)
    table["unknown"] = np.where(np.arange(len(table)) < 10, np.nan, 4.0 + np.arange(len(table)))
    found = prepare_variables(table, transform="none").variables
    assert found["used"].sum() == 3
    assert found.loc["same", "reason"] == "the same everywhere"
    assert found.loc["rare", "reason"].startswith("a few areas hold nearly all of it (skewness 7.")
    assert found.loc["unknown", "reason"] == "missing in 10 of 60 areas"
    reasons = found.loc[["renting", "not renting"], "reason"]
    assert sorted(reasons)[0] == ""
    assert "correlation -1.00), which is used" in sorted(reasons)[1]
    kept = prepare_variables(table, keep=["renting", "not renting", "rare"], transform="none")
    assert kept.variables["used"].sum() == 5


def test_what_is_left_out_for_another_comes_back_when_that_one_goes() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(50, 5, 300)
    chain = {f"v{n}": base + rng.normal(0, 1, 300).cumsum() * 0 + n * rng.normal(0, 1.2, 300)
             for n in range(4)}  # fmt: skip
    table = pd.DataFrame({**chain, "free": rng.random(300) * 40})
    prepared = prepare_variables(table, transform="none")
    used = prepared.values.corr().abs().to_numpy() - np.eye(prepared.values.shape[1])
    assert used.max() <= 0.9
    left = prepared.variables[~prepared.variables["used"]]
    assert (left["correlation"].abs() > 0.9).all()
    assert prepared.variables.loc[left["nearest"], "used"].all()


def test_areas_without_a_value_are_in_no_group_and_that_is_said() -> None:
    table, _ = kinds_of_places()
    table.iloc[5, 1] = np.nan
    prepared = prepare_variables(table)
    segments = make_segments(prepared, groups=4)
    assert segments.index[-1] == table.index[5]
    assert segments["segment"].isna().sum() == 1
    assert "1 of 60 areas lack a value and are in no group." in segments.attrs["cautions"]


def test_special_variables_are_refused_unless_named_and_then_told() -> None:
    table, _ = kinds_of_places()
    tag_columns(table, {"alone": "special"})
    with pytest.raises(ColumnError, match=r"1 variables are of a special category \(alone\)"):
        prepare_variables(table)
    prepared = prepare_variables(table, special=["alone"])
    assert any("used because it was asked for by name: alone" in c for c in prepared.cautions)


def test_shares_over_a_hundred_per_cent_are_refused() -> None:
    counts = pd.DataFrame({"renting": [5, 12]}, ["a", "b"])
    with pytest.raises(InputError, match=r"renting: 1 areas .* over 100 per cent \(b\)"):
        percentages(counts, pd.Series([10, 10], ["a", "b"]))
    shares = percentages(counts, pd.Series([20, 0], ["a", "b"]).replace(0, np.nan))
    assert shares["renting"].tolist()[0] == 25
    assert np.isnan(shares["renting"].iloc[1])


def test_tables_that_no_groups_can_be_made_of_are_refused() -> None:
    table, _ = kinds_of_places(each=2)
    with pytest.raises(EmptyError, match="9 groups of 8 areas, of which 8 are unlike"):
        make_segments(prepare_variables(table), groups=9)
    with pytest.raises(InputError, match="more than 19 cannot be told apart"):
        make_segments(prepare_variables(table), groups=20)
    same = pd.DataFrame(7.0, table.index, list("abc"))
    with pytest.raises(EmptyError, match=r"0 of 3 variables can be used.*the same everywhere"):
        prepare_variables(same)
    with pytest.raises(ColumnError, match=r"1 variables are no numbers \(word\)"):
        prepare_variables(table.assign(word="x"))
    with pytest.raises(InputError, match="1 variables have values below zero"):
        prepare_variables(table.assign(low=-1.0))
    with pytest.raises(ColumnError, match="rentin"):
        prepare_variables(table, keep=["rentin"])


def test_the_number_of_kinds_is_suggested_where_they_lie_apart() -> None:
    table, _ = kinds_of_places()
    found = compare_groupings(prepare_variables(table), groups=range(2, 7), starts=10)
    assert found.attrs["suggested"] == 4
    assert found["within"].is_monotonic_decreasing
    assert found["gap"].diff().idxmax() == 4
    assert found.loc[4, "steadiness"] == 1
    assert found.loc[4, "smallest"] == 15
    assert "the highest silhouette" in found.attrs["reason"]


def test_areas_that_differ_by_degrees_are_said_to() -> None:
    rng = np.random.default_rng(11)
    table = pd.DataFrame(rng.random((80, 5)) * 100, columns=list("abcde"))
    found = compare_groupings(prepare_variables(table), groups=[6, 7], starts=5)
    assert "differ by degrees more than in kind" in found.attrs["reason"]


def test_groups_that_lie_apart_come_back_and_others_do_not() -> None:
    table, _ = kinds_of_places()
    prepared = prepare_variables(table)
    steady = segment_stability(prepared, make_segments(prepared, groups=4), resamples=30)
    assert (steady.segments["jaccard"] == 1).all()
    assert (steady.adjusted_rand, steady.lower, steady.upper) == (1, 1, 1)
    assert set(steady.segments["steadiness"]) == {"very steady"}
    forced = segment_stability(prepared, make_segments(prepared, groups=6), resamples=30)
    assert forced.adjusted_rand < 0.99
    assert forced.segments["jaccard"].min() < 0.75
    assert (forced.segments["lower"] <= forced.segments["jaccard"]).all()


def test_connected_groups_are_judged_by_noise() -> None:
    neighbours = grid(6)
    kind = np.where(np.arange(36) % 6 < 3, 20.0, 80.0)
    rng = np.random.default_rng(0)
    values = {name: kind + rng.normal(0, 1, 36) for name in "ab"}
    prepared = prepare_variables(pd.DataFrame(values, neighbours.unique_ids), most_correlated=1)
    segments = make_segments(prepared, groups=2, method="connected", neighbours=neighbours)
    steady = segment_stability(prepared, segments, neighbours=neighbours, resamples=10)
    assert steady.adjusted_rand == 1
    assert "noise of 0.25 standard deviations" in steady.method


def test_profiles_are_weighted_means_and_their_ratio() -> None:
    table, _ = kinds_of_places()
    segments = make_segments(prepare_variables(table), groups=4)
    people = pd.Series(np.arange(1.0, 61), table.index)
    profile = profile_segments(table, segments, weights=people)
    members = segments.index[segments["segment"] == "B"]
    row = profile[(profile["segment"] == "B") & (profile["variable"] == "owning")].iloc[0]
    mean = np.average(table.loc[members, "owning"], weights=people[members])
    whole = np.average(table["owning"], weights=people)
    assert row["mean"] == pytest.approx(mean)
    assert row["times"] == pytest.approx(mean / whole)
    assert row["deviations"] == pytest.approx((mean - whole) / table["owning"].std())


def test_groups_are_counted_by_decile_and_unknown_ones_left_out() -> None:
    segment = pd.Categorical(["A", "B", None, "A"], categories=["A", "B"])
    table = segments_by_decile(
        pd.DataFrame({"segment": segment}, list("wxyz")), pd.Series([1, 10, 3], list("wxy"))
    )
    assert table.to_numpy().sum() == 2
    assert (table.loc["A", 1], table.loc["B", 10]) == (1, 1)


@pytest.mark.parametrize("kinds", [2, 5, 12])
def test_adjusted_rand_is_that_of_scikit_learn(kinds: int) -> None:
    rng = np.random.default_rng(kinds)
    one, other = rng.integers(0, kinds, 400), rng.integers(0, 4, 400)
    mixed = np.where(rng.random(400) < 0.6, one, other)
    for second in (other, mixed):
        assert adjusted_rand(one, second) == pytest.approx(adjusted_rand_score(one, second))


def test_agreement_has_an_interval_and_says_what_to_expect() -> None:
    table, kind = kinds_of_places(spread=20)
    segments = make_segments(prepare_variables(table), groups=4)
    official = pd.Series(kind, table.index).astype(str)
    found = compare_segments(segments["segment"], official, resamples=99)
    assert found.lower < found.adjusted_rand < found.upper
    assert found.table.to_numpy().sum() == found.areas == 60
    assert "agree at about 0.6 only" in found.sentence
    with pytest.raises(UnmatchedError, match="0 of 60 areas have both labels"):
        compare_segments(segments["segment"], official.rename(lambda code: f"x{code}"))


def test_pieces_of_land_are_joined_where_they_lie_nearest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    squares = [shapely.box(x, 0, x + 1, 1) for x in (0, 1, 4, 5, 9, 10)]
    areas = gpd.GeoDataFrame(geometry=squares, index=list("abcdef"), crs=27700)
    joined = join_pieces(areas, contiguity(areas))
    assert detached_parts(joined).max() == 0
    pairs = joined.adjacency[joined.adjacency > 0].index
    assert {("b", "c"), ("c", "b"), ("d", "e"), ("e", "d")} <= set(pairs)
    assert len(pairs) == 10
    assert "2 pieces that do not touch were joined" in caplog.text
    whole = areas.iloc[:2]
    neighbours = contiguity(whole)
    assert join_pieces(whole, neighbours) is neighbours
    with pytest.raises(UnmatchedError, match="neighbours are of 2 other areas than the 6 given"):
        join_pieces(areas, neighbours)
