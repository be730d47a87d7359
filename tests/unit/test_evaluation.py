"""Displacement, difference in differences, event study: published figures, peers, truth."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import statsmodels.api as sm
from scipy import stats

from placeshaping._core.errors import CRSError, EmptyError, InputError, UnmatchedError
from placeshaping.shaping.difference import difference_in_differences
from placeshaping.shaping.displacement import (
    displacement,
    displacement_quotient,
    overdispersion,
    weighted_displacement,
)
from placeshaping.shaping.evaluation import in_blocks, make_panel, rings_around
from placeshaping.shaping.evaluation_results import evaluate
from placeshaping.shaping.evaluation_words import describe_evaluation, first_sentence
from placeshaping.shaping.event_study import event_study, pre_trend

CODES = [f"a{n:02}" for n in range(40)]


def table(values, codes=CODES, first="2023-01-01"):
    months = pd.date_range(first, periods=values.shape[1], freq="MS")
    return pd.DataFrame(
        {
            "area_code": np.repeat(codes[: len(values)], values.shape[1]),
            "period": np.tile(months, len(values)),
            "count": values.ravel(),
        }
    )


def drawn(effect=0.0, *, treated=8, seed=0, mean=5.0, drift=0.0):
    rng = np.random.default_rng(seed)
    means = np.repeat(rng.gamma(3, mean / 3, 40)[:, None], 24, axis=1)
    means[:treated, 12:] *= 1 + effect
    means[:treated] *= np.exp(drift * np.arange(24))
    return make_panel(table(rng.poisson(means)), treated=CODES[:treated], start="2024-01-01")


# Published figures


def test_the_difference_is_that_of_wheeler_and_ratcliffe():
    # Wheeler and Ratcliffe 2018: 207 to 110 treated, 308 to 318 compared, 178 to 157 around,
    # 150 to 140 compared with that; difference -118, variance 1,568, z -2.98, -196 to -40
    found = weighted_displacement([207, 110], [308, 318], [178, 157], [150, 140])
    row = found.loc["together"]
    assert row["difference"] == -118
    assert row["se"] ** 2 == pytest.approx(1568)
    assert row["z"] == pytest.approx(-2.98, abs=0.005)
    assert [round(row["lower"]), round(row["upper"])] == [-196, -40]
    assert found.loc["treated", ["difference"]].tolist() == [-107]
    assert found.loc["treated", "se"] == pytest.approx(30.7, abs=0.05)  # his weblog: -107 (30.7)


def test_unlike_times_are_weighted_as_wheeler_weights_them():
    # two years before, one after: -20 a year, variance 20 + 80/4 + 50 + 100/4 = 115
    row = weighted_displacement([80, 20], [100, 50], time_weights=[2, 1]).loc["treated"]
    assert (row["difference"], row["se"] ** 2) == (-20, pytest.approx(115))


def test_unlike_areas_are_weighted_as_wheeler_weights_them():
    # per area of 1.2, 0.9, 1.5 and 1.6: -91.9 (31.5) in the treated area
    found = weighted_displacement(
        [207, 110], [308, 318], [178, 157], [150, 140], area_weights=[1.2, 0.9, 1.5, 1.6]
    )
    row = found.loc["treated"].round(1)
    assert (row["difference"], row["se"]) == (-91.9, 31.5)


def test_the_quotient_is_worked_out_by_hand():
    # (157/318 - 178/308) / (110/318 - 207/308)
    by_hand = (0.493711 - 0.577922) / (0.345912 - 0.672078)
    assert displacement_quotient([207, 110], [308, 318], [178, 157]) == pytest.approx(
        by_hand, abs=1e-5
    )


def test_the_quotient_says_nothing_where_nothing_was_gained():
    assert np.isnan(displacement_quotient([100, 120], [100, 100], [50, 40]))
    assert np.isnan(displacement_quotient([100, 80], [0, 100], [50, 40]))


def test_counts_below_zero_and_weights_of_zero_are_refused():
    with pytest.raises(InputError, match="two counts of zero or more"):
        weighted_displacement([-1, 2], [3, 4])
    with pytest.raises(InputError, match="all above 0"):
        weighted_displacement([1, 2], [3, 4], time_weights=[0, 1])


# Displacement of a panel


def test_the_standard_error_allows_for_the_scale_of_the_comparison():
    # against 20,000 drawn tables: expected 100 before and after, 300 compared
    rng = np.random.default_rng(0)
    t0, t1, c0, c1 = (rng.poisson(mean, 20_000) for mean in (100, 100, 300, 300))
    drawn_se = (t1 - t0 * c1 / c0).std()
    counts = np.array([[100, 100], [150, 150], [150, 150]])
    panel = make_panel(table(counts), treated=["a00"], start="2023-02-01")
    assert displacement(panel).loc["treated", "se_poisson"] == pytest.approx(drawn_se, rel=0.02)


def test_rings_are_told_apart_and_together():
    values = np.full((6, 2), 100)
    values[0, 1], values[1, 1] = 50, 120
    rings = pd.Series({"a01": "ring 1", "a02": "ring 2"})
    panel = make_panel(table(values), treated=["a00"], start="2023-02-01", rings=rings)
    found = displacement(panel)
    assert found.index.tolist() == ["treated", "ring 1", "ring 2", "treated and rings"]
    assert found["difference"].tolist() == [-50, 20, 0, -30]
    assert found.loc["ring 1", "quotient"] == pytest.approx(-0.4)


def test_overdispersion_of_areas_of_one_size_is_that_of_the_homogeneity_test():
    # every area has 40 records in all: then Pearson's chi-squared weighs them alike
    rng = np.random.default_rng(3)
    before = rng.integers(8, 32, 40)
    values = np.column_stack([before, 40 - before])
    panel = make_panel(table(values), treated=CODES[:8], start="2023-02-01")
    chi = freedom = 0
    for role in ("treated", "comparison"):
        found = stats.chi2_contingency(np.stack(panel.sums(role)), correction=False)
        chi, freedom = chi + found.statistic, freedom + found.dof
    spread = overdispersion(panel)
    assert spread.freedom == freedom
    assert spread.factor == pytest.approx(chi / freedom)


def test_overdispersion_is_one_on_average_where_counts_are_poisson():
    factors = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        means = rng.gamma(2, 20, (40, 1)) * np.ones((40, 2)) * [1.0, 0.7] + 5
        panel = make_panel(table(rng.poisson(means)), treated=CODES[:8], start="2023-02-01")
        factors.append(overdispersion(panel).factor)
    assert 1.0 <= np.mean(factors) < 1.15  # never told under 1


def test_the_smallest_effect_is_seen_with_the_power_promised():
    rng = np.random.default_rng(5)
    values = np.full((21, 2), 100.0)
    panel = make_panel(table(values), treated=["a00"], start="2023-02-01")
    smallest = displacement(panel).loc["treated", "detectable"] / 100
    t0, c0, c1 = rng.poisson(100, 20_000), rng.poisson(2000, 20_000), rng.poisson(2000, 20_000)
    t1 = rng.poisson(100 * (1 - smallest), 20_000)
    se = np.sqrt(t1 + (c1 / c0) ** 2 * t0 + (t0 / c0) ** 2 * (c1 + (c1 / c0) ** 2 * c0))
    power = (np.abs(t1 - t0 * c1 / c0) > 1.96 * se).mean()
    assert 0.8 <= power < 0.9  # a fall leaves fewer records, and so a smaller error, than none


# Difference in differences, beside statsmodels


def fitted(panel, family):
    counts = panel.counts
    areas, periods = counts.shape
    area, period = np.repeat(np.arange(areas), periods), np.tile(np.arange(periods), areas)
    done = (panel.roles == "treated").to_numpy()[area] & panel.after[period]
    design = np.column_stack([np.eye(areas)[area], np.eye(periods)[period][:, 1:], done])
    model = sm.GLM(counts.to_numpy().ravel(), design.astype(float), family=family)
    keys = {"groups": area, "use_correction": False}
    fit = model.fit(cov_type="cluster", cov_kwds=keys, tol=1e-12)
    return fit.params[-1], fit.bse[-1]


@pytest.mark.parametrize(
    ("model", "family"), [("poisson", sm.families.Poisson()), ("linear", sm.families.Gaussian())]
)
def test_effect_and_clustered_error_are_those_of_statsmodels(model, family):
    panel = in_blocks(
        drawn(-0.3, treated=20, seed=2), 6
    )  # 20 and 20: one correction for both groups
    effect, se = fitted(panel, family)
    row = difference_in_differences(panel, model=model, inference="cluster").iloc[0]
    assert row["effect"] == pytest.approx(effect, abs=1e-6)
    assert row["se"] == pytest.approx(se * np.sqrt(20 / 19), rel=1e-4)


@pytest.mark.parametrize("model", ["poisson", "linear"])
@pytest.mark.parametrize("inference", ["cluster", "permutation"])
def test_a_planted_effect_is_found(model, inference):
    row = difference_in_differences(drawn(-0.4, mean=8.0), model=model, inference=inference).iloc[0]
    assert row["p_value"] < 0.02
    assert row["percent_lower"] < -40 < row["percent_upper"]


def test_the_wild_bootstrap_goes_with_the_clustered_error_where_areas_are_many():
    panel = drawn(-0.2, treated=20, seed=4)
    by = {
        name: difference_in_differences(panel, model="linear", inference=name).iloc[0]
        for name in ("cluster", "wild")
    }
    assert by["wild"]["p_value"] == pytest.approx(by["cluster"]["p_value"], abs=0.03)
    assert by["wild"]["lower"] == pytest.approx(by["cluster"]["lower"], abs=0.25)


def test_permutation_gives_every_rank_alike_where_nothing_was_done():
    panel = drawn(seed=1)
    p = []
    for which in CODES[:40:2]:
        counts = panel.counts.reset_index().melt("area_code", var_name="period", value_name="count")
        other = make_panel(counts, treated=[which], start="2024-01-01")
        row = difference_in_differences(other, inference="permutation").iloc[0]
        p.append(row["p_value"])
        assert (row["percent_lower"] <= 0 <= row["percent_upper"]) == (row["p_value"] > 0.05)
    assert 0.3 < np.mean(p) < 0.7


def test_few_areas_are_permuted_and_many_are_clustered():
    few, many = drawn(treated=3), drawn(treated=20)
    assert difference_in_differences(few)["inference"].tolist() == ["permutation"]
    assert difference_in_differences(many)["inference"].tolist() == ["cluster"]


def test_too_few_areas_are_told_with_how_many_are_needed():
    panel = make_panel(table(np.full((5, 4), 9)), treated=["a00"], start="2023-03-01")
    with pytest.raises(InputError, match=r"5 ways, and 20 are needed .* 19 where one area"):
        difference_in_differences(panel)
    with pytest.raises(InputError, match="needs 2 of each at least"):
        difference_in_differences(panel, inference="cluster")
    with pytest.raises(InputError, match="of the linear model"):
        difference_in_differences(panel, inference="wild")


def test_a_ratio_of_nothing_is_refused():
    values = np.full((30, 2), 5)
    values[0, 1] = 0
    panel = make_panel(table(values), treated=["a00"], start="2023-02-01")
    with pytest.raises(InputError, match="a ratio has no value"):
        difference_in_differences(panel)
    assert displacement(panel).loc["treated", "difference"] == -5


def test_results_do_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(1)
    counts = table(rng.poisson(5, (40, 12)))
    panels = [
        make_panel(one, treated=CODES[3:7], start="2023-07-01")
        for one in (counts, counts.sample(frac=1, random_state=2))
    ]
    first, second = (difference_in_differences(panel) for panel in panels)
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(*(displacement(panel) for panel in panels))


# Over time


def test_the_event_study_shows_when_it_began():
    series = event_study(in_blocks(drawn(-0.5, mean=20.0), 3))
    assert (series.loc[~series["after"], "ratio"].between(0.8, 1.2)).all()
    assert (series.loc[series["after"], "upper"] < 1).all()


def test_a_drift_before_is_seen_and_an_even_course_is_not():
    even, drifting = pre_trend(drawn(seed=6)), pre_trend(drawn(seed=6, drift=0.06, mean=10.0))
    assert (even["p_value"] > 0.05).all()
    assert drifting.loc["drift", "p_value"] < 0.01
    assert drifting.loc["drift", "lower"] > 0


def test_a_drift_is_told_in_the_first_sentence():
    panel = drawn(0.5, seed=6, drift=0.06, mean=10.0)
    found = evaluate(panel, blocks=panel, synthetic=False)
    assert found.apart_before
    assert found.verdict == "more"
    told = first_sentence(found, what="Burglary", measure="the lighting")
    assert "had gone apart before, so that this cannot be put down to the lighting" in told


def test_too_few_periods_before_are_told():
    with pytest.raises(InputError, match="needs at least 3"):
        pre_trend(make_panel(table(np.full((30, 3), 4)), treated=["a00"], start="2023-02-01"))


# In words


def test_an_effect_is_told_with_its_size_and_certainty():
    told = first_sentence(evaluate(drawn(-0.4, mean=10.0)), what="Burglary", measure="the lighting")
    assert told.startswith("After the lighting, burglary in the treated areas was ")
    assert "% lower than expected" in told
    assert "fewer" in told
    assert "95 % interval" in told


def test_no_effect_is_told_with_the_size_that_would_have_been_seen():
    found = evaluate(drawn())
    assert found.verdict == "none"
    told = first_sentence(found, what="Burglary", measure="the lighting")
    assert told.startswith("No effect of the lighting on burglary could be seen")
    assert "would have been seen in four cases out of five" in told


def test_the_paragraph_speaks_of_rings_time_before_and_specifications():
    rng = np.random.default_rng(0)
    rings = pd.Series({CODES[5]: "ring 1", CODES[6]: "ring 1"})
    panel = make_panel(
        table(rng.poisson(20, (40, 24))), treated=CODES[:1], start="2024-01-01", rings=rings
    )
    told = describe_evaluation(evaluate(panel, blocks=in_blocks(panel, 1)))
    for words in ("in ring 1", "Before the start", "specifications of a synthetic control"):
        assert words in told


# Bad input


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"treated": ["a0O"]}, UnmatchedError, "1 of 1 treated areas is not among .* did you mean"),
        ({"treated": []}, InputError, "No treated area"),
        ({"comparison": ["a00", "a01"]}, InputError, "treated and comparison areas at once: a00"),
        ({"comparison": ["a02"]}, InputError, "1 comparison areas; at least 2"),
        ({"start": "2020-01-01"}, InputError, "No period lies before 2020-01-01: .* begin with"),
        ({"start": "2030-01-01"}, InputError, "No period lies on or after 2030-01-01: .* end with"),
        ({"start": "soon"}, InputError, "Write the first day after as 2025-01-01"),
        ({"before": 9}, InputError, "9 periods before 2023-03-01 are asked for; there are 2"),
        ({"rings": pd.Series({"a00": "ring 1"})}, InputError, "treated and ring areas at once"),
        (
            {"rings": pd.Series({"a02": "ring 1"}), "comparison": ["a02", "a03"]},
            InputError,
            "1 comparison areas lie in a ring",
        ),
        (
            {"start": pd.Series({"a00": "2023-02-01", "a01": "2023-03-01"})},
            InputError,
            r"began at 2 different times \(2023-02-01, 2023-03-01\)",
        ),
    ],
)
def test_what_cannot_be_evaluated_is_told(options, error, told):
    given = {"treated": ["a00"], "start": "2023-03-01"} | options
    with pytest.raises(error, match=told):
        make_panel(table(np.full((30, 5), 3)), **given)


def test_counts_that_are_missing_or_below_zero_are_not_taken_for_zero():
    counts = table(np.full((30, 4), 3))
    with pytest.raises(InputError, match=r"1 of 120 counts are missing. Zero is a row"):
        make_panel(counts.iloc[1:], treated=["a01"], start="2023-03-01")
    with pytest.raises(InputError, match="120 counts are below zero"):
        make_panel(counts.assign(count=-1), treated=["a01"], start="2023-03-01")


def test_nothing_counted_before_is_refused():
    values = np.full((30, 4), 3)
    values[0, :2] = 0
    with pytest.raises(EmptyError, match="Nothing was counted in the treated areas before"):
        make_panel(table(values), treated=["a00"], start="2023-03-01")


def test_months_that_are_missing_for_all_are_told():
    counts = table(np.full((30, 8), 3))
    panel = make_panel(
        counts[counts["period"] != "2023-03-01"], treated=["a00"], start="2023-06-01"
    )
    assert "1 of 8 months are not in the records" in displacement(panel).attrs["cautions"][0]


def test_blocks_are_counted_from_the_start_and_broken_ones_left_out():
    counts = table(np.arange(30 * 11).reshape(30, 11))
    panel = make_panel(counts, treated=["a00"], start="2023-08-01")
    blocks = in_blocks(panel, 3)
    assert [f"{day:%Y-%m}" for day in blocks.counts.columns] == ["2023-02", "2023-05", "2023-08"]
    assert blocks.of("treated").tolist() == [[1 + 2 + 3, 4 + 5 + 6, 7 + 8 + 9]]
    with pytest.raises(InputError, match="no 12 whole months"):
        in_blocks(panel, 12)


# Rings


SQUARES = gpd.GeoDataFrame(
    geometry=[
        shapely.box(x, y, x + 100, y + 100) for y in (0, 100, 200) for x in range(0, 500, 100)
    ],
    index=[f"a{n:02}" for n in range(15)],
    crs=27700,
)


def test_rings_of_metres_go_by_centres():
    rings = rings_around(SQUARES, ["a00"], metres=[60, 200])
    assert rings[["a01", "a05", "a06"]].tolist() == ["ring 1", "ring 1", "ring 2"]
    assert rings[["a00", "a04"]].isna().all()
    assert rings.index.equals(SQUARES.index)


def test_rings_of_steps_go_by_contact():
    rings = rings_around(SQUARES, ["a00"], steps=2)
    assert rings[["a01", "a05", "a06"]].unique().tolist() == ["ring 1"]
    assert rings["a12"] == "ring 2"


def test_rings_are_refused_that_cannot_be():
    with pytest.raises(InputError, match="one of the two"):
        rings_around(SQUARES, ["a00"])
    with pytest.raises(InputError, match="must grow"):
        rings_around(SQUARES, ["a00"], metres=[500, 100])
    with pytest.raises(CRSError, match="in degrees"):
        rings_around(SQUARES.to_crs(4326), ["a00"], metres=[500])
    with pytest.raises(UnmatchedError, match="not among"):
        rings_around(SQUARES, ["b00"], steps=1)


# Areas that lie together


def shared(seed, *, shock=0.4, effect=0.0):
    """Draw 900 areas on a grid that share shocks with those near them; nine of them treated."""
    rng = np.random.default_rng(seed)
    side = 30
    block = np.arange(side) // 3
    coarse = rng.normal(0, shock, (10, 10, 2))
    logs = coarse[np.ix_(block, block)].reshape(side * side, 2)
    values = rng.poisson(40 * np.exp(logs))
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    codes = [f"c{n:03}" for n in range(side * side)]
    areas = gpd.GeoDataFrame(
        geometry=shapely.box(x.ravel(), y.ravel(), x.ravel() + 1, y.ravel() + 1), index=codes
    )
    near = (np.abs(x - 13) <= 1) & (np.abs(y - 13) <= 1)
    treated = [codes[n] for n in np.flatnonzero(near.ravel())]
    values[near.ravel(), 1] = rng.poisson(values[near.ravel(), 1] * (1 + effect))
    counts = table(values, codes=codes)
    return counts, treated, areas


def test_sets_that_lie_together_are_tested_against_sets_that_do():
    apart, together = [], []
    for seed in range(12):
        counts, treated, areas = shared(seed)
        when = {"treated": treated, "start": "2023-02-01"}
        apart.append(displacement(make_panel(counts, **when)).loc["treated", "p_value"])
        panel = make_panel(counts, areas=areas, **when)
        found = displacement(panel)
        together.append(found.loc["treated", "p_value"])
        assert found.attrs["straying"] > 1.5
        assert "lie together" in " ".join(found.attrs["cautions"])
        row = difference_in_differences(panel, draws=199).iloc[0]
        assert row["inference"] == "together"
        assert (row["p_value"] < 0.05) <= (row["lower"] > 0 or row["upper"] < 0)
    assert np.mean(np.array(apart) < 0.05) > 0.4
    assert np.mean(np.array(together) < 0.05) < 0.2


def test_a_strong_effect_is_seen_beyond_what_neighbours_share():
    counts, treated, areas = shared(3, shock=0.1, effect=-0.6)
    found = evaluate(make_panel(counts, areas=areas, treated=treated, start="2023-02-01"))
    assert found.verdict == "fewer"


def test_areas_that_lie_apart_are_tested_as_before():
    counts, _, areas = shared(1)
    scattered = [f"c{n:03}" for n in range(0, 900, 61)]
    when = {"treated": scattered, "start": "2023-02-01"}
    one, other = (make_panel(counts, areas=given, **when) for given in (None, areas))
    assert displacement(other).attrs["straying"] == 1.0
    pd.testing.assert_frame_equal(difference_in_differences(one), difference_in_differences(other))


def test_inference_together_needs_the_areas():
    with pytest.raises(InputError, match=r"needs the areas: make_panel\(\.\.\., areas=areas\)"):
        difference_in_differences(drawn(), inference="together")
