"""Composite indices: the published formulas worked out otherwise, and what cannot be ranked."""

import math

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.statistics.indices import (
    DEPRIVATION_WEIGHTS,
    composite_index,
    exponential_scores,
    rank_areas,
    shrink_rates,
)
from placeshaping.statistics.sensitivity import (
    describe_index,
    rank_sensitivity,
    weight_sensitivity,
)


def make_ranks(areas=60, domains=("cold", "cost", "damp"), seed=0):
    rng = np.random.default_rng(seed)
    need = rng.normal(size=areas)
    values = {name: need + rng.normal(size=areas) for name in domains}
    return rank_areas(pd.DataFrame(values, index=[f"a{i:03}" for i in range(areas)]))


EQUAL = {"cold": 1 / 3, "cost": 1 / 3, "damp": 1 / 3}


def test_scores_are_the_published_formula():
    scores = exponential_scores(pd.DataFrame({"x": range(1, 101)}))["x"]
    expected = [
        -23 * math.log(1 - (101 - r) / 100 * (1 - math.exp(-100 / 23))) for r in range(1, 101)
    ]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)
    assert scores.iloc[0] == pytest.approx(100)


def test_half_of_the_scale_goes_to_the_worst_tenth():
    scores = exponential_scores(pd.DataFrame({"x": range(1, 10_001)}))["x"]
    assert scores[1000] == pytest.approx(50, abs=0.5)


def test_ties_that_skip_ranks_are_averaged_first():
    skipped = exponential_scores(pd.DataFrame({"x": [1, 2, 2, 4]}))
    averaged = exponential_scores(pd.DataFrame({"x": [1, 2.5, 2.5, 4]}))
    pd.testing.assert_frame_equal(skipped, averaged)


def test_the_published_weights_are_not_normalised():
    assert sum(DEPRIVATION_WEIGHTS.values()) == pytest.approx(0.999)
    ranks = pd.DataFrame({name: [1, 2, 3] for name in DEPRIVATION_WEIGHTS})
    assert composite_index(ranks)["score"].iloc[0] == pytest.approx(99.9)


def test_deciles_are_those_of_the_ranks():
    index = composite_index(make_ranks(areas=47), EQUAL)
    assert index["decile"].tolist() == [math.ceil(10 * r / 47) for r in index["rank"]]
    assert index["decile"].between(1, 10).all()


def test_equal_scores_share_the_lowest_rank():
    ranks = pd.DataFrame({"x": [1, 2, 3, 4], "y": [2, 1, 3, 4]})
    assert composite_index(ranks, {"x": 1, "y": 1})["rank"].tolist() == [1, 1, 3, 4]


def test_ranks_follow_what_is_bad():
    values = pd.DataFrame({"jobs": [0.7, 0.5], "claims": [10, 90]}, index=["a", "b"])
    ranks = rank_areas(values, worst={"jobs": "low", "claims": "high"})
    assert ranks.loc["b"].tolist() == [1, 1]
    with pytest.raises(ColumnError, match="worst has no column 'claims'"):
        rank_areas(values, worst={"jobs": "low"})
    with pytest.raises(InputError, match="worst of jobs is 'bad'"):
        rank_areas(values, worst="bad")


def test_shrinkage_is_that_of_its_formulas():
    # Worked through equations 1 to 7 of appendix 1, Scottish Indices of Deprivation 2003.
    hits, people = [3, 30, 12], [20, 300, 60]
    logits = [math.log((r + 0.5) / (n - r + 0.5)) for r, n in zip(hits, people, strict=True)]
    centre = math.log((45 + 0.5) / (380 - 45 + 0.5))
    between = sum((m - centre) ** 2 for m in logits) / 2
    expected = []
    for r, n, m in zip(hits, people, logits, strict=True):
        own = (n + 1) * (n + 2) / (n * (r + 1) * (n - r + 1))
        weight = (1 / own) / (1 / own + 1 / between)
        shrunk = weight * m + (1 - weight) * centre
        expected.append(math.exp(shrunk) / (1 + math.exp(shrunk)))
    index = list("abc")
    table = shrink_rates(
        pd.Series(hits, index), pd.Series(people, index), pd.Series("Fen", list("cba"))
    )
    np.testing.assert_allclose(table["shrunk"], expected, rtol=1e-12)
    assert table["proportion"].tolist() == [0.15, 0.1, 0.2]


def test_areas_without_anybody_take_the_proportion_of_their_group():
    index = list("abcd")
    table = shrink_rates(
        pd.Series([0, 20, 30, 5], index),
        pd.Series([0, 100, 100, 50], index),
        pd.Series(["Fen", "Fen", "Fen", "Wold"], index),
    )
    assert table.loc["a", "shrunk"] == pytest.approx(50.5 / 201)
    assert np.isnan(table.loc["a", "proportion"])
    assert table.loc["d", "shrunk"] == pytest.approx(5.5 / 51)
    assert table["weight"].tolist()[0::3] == [0, 1]


@pytest.mark.parametrize(
    ("hits", "people", "match"),
    [
        ([5, 1], [4, 10], r"1 areas have a count above the exposure \(a\)"),
        ([-1, 1], [4, 10], "1 areas have a missing or negative"),
        ([None, 1], [4, 10], "1 areas have a missing or negative"),
    ],
)
def test_impossible_proportions_are_refused(hits, people, match):
    index = ["a", "b"]
    with pytest.raises(InputError, match=match):
        shrink_rates(pd.Series(hits, index), pd.Series(people, index), pd.Series("Fen", index))


def test_areas_without_a_group_are_refused():
    with pytest.raises(InputError, match="1 areas have no group"):
        shrink_rates(pd.Series([1, 2]), pd.Series([5, 5]), pd.Series(["Fen"]))


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(EmptyError, match="given: 1 and 1"):
        rank_areas(pd.DataFrame({"x": [1.0]}))
    with pytest.raises(DuplicateError, match="1 area codes stand more than once"):
        rank_areas(pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "a"]))
    with pytest.raises(ColumnError, match="Not numbers: name"):
        rank_areas(pd.DataFrame({"name": ["x", "y"]}))
    with pytest.raises(InputError, match=r"1 of 3 areas lack a value of x\."):
        rank_areas(pd.DataFrame({"x": [1.0, None, 2]}))


def test_weights_and_ranks_that_make_no_sense_are_refused():
    ranks = make_ranks(areas=5)
    with pytest.raises(ColumnError, match="no column 'warmth'"):
        composite_index(ranks, {"warmth": 1})
    with pytest.raises(InputError, match="weights of cold are not above zero"):
        composite_index(ranks, {"cold": 0})
    with pytest.raises(EmptyError, match="No weights"):
        composite_index(ranks, {})
    with pytest.raises(InputError, match="Ranks begin at 1"):
        composite_index(ranks - 1, EQUAL)
    with pytest.raises(InputError, match="steepness is 0"):
        composite_index(ranks, EQUAL, steepness=0)


def test_what_is_made_of_deprivation_is_for_audit_alone():
    ranks = make_ranks()
    tag_columns(ranks, {"cost": "audit_only"})
    assert column_tags(composite_index(ranks, EQUAL)) == dict.fromkeys(
        ["score", "rank", "decile"], "audit_only"
    )
    assert set(column_tags(rank_sensitivity(ranks, EQUAL, draws=5)).values()) == {"audit_only"}
    assert column_tags(composite_index(ranks, {"cold": 1})) == {}


def test_cautions_name_what_is_odd():
    ranks = make_ranks(areas=8)
    ranks["cost"] = 9 - ranks["cold"]
    ranks["damp"] = 4.5
    cautions = " ".join(composite_index(ranks, EQUAL).attrs["cautions"])
    assert "Only 8 areas" in cautions
    assert "damp rank every area alike" in cautions
    assert "cold and cost run against each other" in cautions


def test_one_domain_has_no_uncertain_weights():
    table = rank_sensitivity(make_ranks(), {"cold": 1}, draws=20)
    assert (table["lower"] == table["rank"]).all()
    assert (table["decile_kept"] == 1).all()


def test_more_spread_widens_the_intervals_and_seeds_repeat():
    ranks = make_ranks()
    narrow = rank_sensitivity(ranks, EQUAL, spread=0.1, draws=200)
    wide = rank_sensitivity(ranks, EQUAL, spread=0.5, draws=200)
    assert (wide["upper"] - wide["lower"]).mean() > (narrow["upper"] - narrow["lower"]).mean()
    pd.testing.assert_frame_equal(wide, rank_sensitivity(ranks, EQUAL, spread=0.5, draws=200))
    assert (wide["lower"] <= wide["rank"]).mean() > 0.95


def test_weights_drawn_vary_as_was_asked():
    from placeshaping.statistics.sensitivity import _draw_weights

    drawn = _draw_weights({"a": 2.0, "b": 2.0, "c": 2.0}, 20_000, 0.25, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.mean(axis=0), 1 / 3, atol=0.002)
    np.testing.assert_allclose(drawn.std(axis=0) * 3, 0.25, atol=0.005)


def test_one_weight_at_a_time_is_the_index_made_anew():
    ranks = make_ranks()
    table = weight_sensitivity(ranks, EQUAL, by=0.5).set_index(["domain", "change"])
    now = composite_index(ranks, EQUAL)
    anew = composite_index(ranks, {"cold": 0.5, "cost": 1, "damp": 1})
    shift = (anew["rank"] - now["rank"]).abs()
    row = table.loc[("cold", "lower")]
    assert row["weight"] == pytest.approx(0.2)
    assert (row["median_shift"], row["largest_shift"]) == (shift.median(), shift.max())
    assert row["decile_changed"] == (anew["decile"] != now["decile"]).mean()
    worst = now["decile"] == 1
    assert row["worst_decile_changed"] == (anew.loc[worst, "decile"] != 1).mean()


def test_a_weight_can_be_dropped_and_options_are_checked():
    table = weight_sensitivity(make_ranks(), {"cold": 1}, by=1)
    assert table["change"].tolist() == ["higher"]
    with pytest.raises(InputError, match="by is 2"):
        weight_sensitivity(make_ranks(), EQUAL, by=2)
    with pytest.raises(InputError, match="draws must be two or more"):
        rank_sensitivity(make_ranks(), EQUAL, draws=1)


def test_the_paragraph_says_how_wide_the_ranges_are():
    text = describe_index(rank_sensitivity(make_ranks(), EQUAL), name="damp index")
    assert text.startswith("The damp index ranks 60 areas, 1 being the worst off.")
    assert "Of the 6 areas in the worst-off tenth" in text
