"""Change between two periods: scipy's exact tests, simulations, and a dispersion by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import DuplicateError, EmptyError, InputError
from placeshaping.statistics.change import CHANGES, change_between, describe_change
from placeshaping.statistics.dispersion import change_dispersion, describe_dispersion

AREAS = pd.Index([f"a{i}" for i in range(6)], name="area_code")
BEFORE = pd.Series([50, 8, 0, 30, 0, 120], AREAS)
AFTER = pd.Series([90, 6, 4, 0, 0, 118], AREAS)


def test_intervals_and_p_values_are_those_of_the_exact_binomial():
    table = change_between(BEFORE, AFTER)
    for code in ["a0", "a1", "a5"]:
        test = stats.binomtest(int(AFTER[code]), int(BEFORE[code] + AFTER[code]), 0.5)
        limits = test.proportion_ci(0.95, method="exact")
        expected = [limits.low / (1 - limits.low), limits.high / (1 - limits.high)]
        assert table.loc[code, ["lower", "upper"]].tolist() == pytest.approx(expected)
        assert table.loc[code, "p_value"] == pytest.approx(test.pvalue)


def test_exposures_shift_the_share_that_is_expected():
    days = pd.Series(366.0, AREAS), pd.Series(90.0, AREAS)
    table = change_between(BEFORE, AFTER, exposure_before=days[0], exposure_after=days[1])
    assert table.loc["a0", "ratio"] == pytest.approx(90 / 90 / (50 / 366))
    share = 90 / 456
    tails = [stats.binom.sf(89, 140, share), stats.binom.cdf(90, 140, share)]
    assert table.loc["a0", "p_value"] == pytest.approx(2 * min(tails))
    low = stats.binomtest(90, 140).proportion_ci(0.95, method="exact").low
    assert table.loc["a0", "lower"] == pytest.approx(low / (1 - low) * 366 / 90)


def test_zeros_have_one_sided_limits_and_nothing_at_all_is_no_test():
    table = change_between(BEFORE, AFTER)
    assert table.loc["a2", ["ratio", "upper"]].tolist() == [np.inf, np.inf]
    assert table.loc["a2", "lower"] > 0
    assert table.loc["a3", ["ratio", "lower"]].tolist() == [0, 0]
    assert table.loc["a3", "upper"] < 0.2
    assert table.loc["a4", ["ratio", "p_value", "q_value"]].isna().all()
    assert table["q_value"].notna().sum() == 5


def test_a_period_without_events_is_no_error():
    nothing = BEFORE * 0
    for against in ("no change", "overall"):
        up = change_between(nothing, BEFORE, against=against)
        down = change_between(BEFORE, nothing, against=against)
        assert up.attrs["overall"]["ratio"] == np.inf
        assert down.attrs["overall"]["ratio"] == 0
        changed = against == "no change"
        assert (up.loc["a5", "change"] == "up_99") is changed
        assert (down.loc["a5", "change"] == "down_99") is changed
    assert "rose by inf" not in describe_change(change_between(nothing, BEFORE))


def test_the_overall_change_is_that_of_the_sums():
    overall = change_between(BEFORE, AFTER).attrs["overall"]
    limits = stats.binomtest(218, 208 + 218).proportion_ci(0.95, method="exact")
    assert (overall["before"], overall["after"]) == (208, 218)
    assert overall["ratio"] == pytest.approx(218 / 208)
    assert overall["lower"] == pytest.approx(limits.low / (1 - limits.low))
    assert overall["upper"] == pytest.approx(limits.high / (1 - limits.high))


def simulate(seed, areas=1500, rise=1.0, clumps=1):
    rng = np.random.default_rng(seed)
    index = pd.RangeIndex(areas)
    mean = rng.gamma(2, 15, areas) / clumps
    return [pd.Series(rng.poisson(mean * by) * clumps, index) for by in (1, rise)]


def test_no_change_is_called_a_change_no_more_often_than_stated():
    table = change_between(*simulate(1), correction=None)
    assert 0.02 < (table["p_value"] < 0.05).mean() <= 0.05
    assert (change_between(*simulate(1))["change"] == "none").sum() >= len(table) - 8
    assert ((table["lower"] <= 1) & (table["upper"] >= 1)).mean() > 0.95


def test_a_rise_everywhere_is_no_difference_from_the_whole():
    before, after = simulate(2, rise=1.5)
    plain = change_between(before, after, correction=None)
    against = change_between(before, after, against="overall", correction=None)
    assert (plain["p_value"] < 0.05).mean() > 0.3
    assert (against["p_value"] < 0.05).mean() <= 0.05
    assert plain.attrs["dispersion"] == pytest.approx(1, abs=0.15)


def test_series_of_events_are_scaled_down_to_what_they_tell():
    before, after = simulate(3, clumps=4)
    plain = change_between(before, after, correction=None)
    scaled = change_between(before, after, correction=None, overdispersion="scaled")
    assert plain.attrs["dispersion"] == pytest.approx(4, rel=0.15)
    assert "4" in plain.attrs["cautions"][0]
    assert (plain["p_value"] < 0.05).mean() > 0.2
    assert (scaled["p_value"] < 0.05).mean() <= 0.055
    assert scaled.attrs["cautions"] == ()
    np.testing.assert_allclose(scaled["ratio"], plain["ratio"])


def test_areas_that_did_change_do_not_hide_themselves():
    before, after = simulate(4, areas=400)
    after.iloc[:40] *= 4
    table = change_between(before, after, overdispersion="scaled")
    assert table.attrs["dispersion"] < 2.5
    assert (table["change"].iloc[:40] == "up_99").mean() > 0.4
    few = change_between(pd.Series([1, 0] * 50), pd.Series([0, 1] * 50))
    assert few.attrs["dispersion"] == pytest.approx(1, abs=0.02)


def test_changes_are_classed_by_sign_and_q():
    table = change_between(BEFORE, AFTER)
    assert table["change"].tolist()[:2] == ["up_99", "none"]
    assert table.loc["a3", "change"] == "down_99"
    assert tuple(table["change"].cat.categories) == CHANGES
    assert table["difference"].tolist() == [40, -2, 4, -30, 0, -2]
    p = table["p_value"].dropna()
    expected = stats.false_discovery_control(p)
    np.testing.assert_allclose(table["q_value"].dropna(), expected)


def test_the_order_of_the_first_period_is_kept():
    table = change_between(BEFORE, AFTER.iloc[::-1])
    assert table.index.equals(AREAS)
    pd.testing.assert_frame_equal(table, change_between(BEFORE, AFTER))


def test_gaps_are_left_out_and_told():
    after = AFTER.astype(float)
    after["a0"] = np.nan
    table = change_between(BEFORE, after)
    assert table.loc["a0", ["ratio", "p_value"]].isna().all()
    assert "1 of 6 areas lack a count" in table.attrs["cautions"][0]


def test_impossible_changes_are_refused():
    with pytest.raises(InputError, match=r"1 areas of the second period are not in the first"):
        change_between(BEFORE.iloc[1:], AFTER)
    with pytest.raises(InputError, match=r"1 of 6 rows have no later count \(a0\)"):
        change_between(BEFORE, AFTER.iloc[1:])
    with pytest.raises(InputError, match="2 later counts are negative"):
        change_between(BEFORE, pd.Series([-1, -1, 0, 0, 0, 0], AREAS))
    with pytest.raises(DuplicateError, match="before: 6 area codes stand more than once"):
        change_between(pd.concat([BEFORE, BEFORE]), AFTER)
    with pytest.raises(EmptyError, match="No area has an event"):
        change_between(BEFORE * 0, AFTER * 0)
    with pytest.raises(InputError, match="One exposure is given without the other"):
        change_between(BEFORE, AFTER, exposure_after=BEFORE)
    with pytest.raises(InputError, match="exposure of zero"):
        change_between(BEFORE, AFTER, exposure_before=AFTER * 0, exposure_after=BEFORE + 1)


def test_the_paragraph_tells_of_whole_and_areas():
    text = describe_change(change_between(BEFORE, AFTER), what="Demand")
    assert text.startswith(
        "There is no clear overall change in demand, from 208 to 218 (between -14 %"
    )
    assert "1 of 5 areas rose by more than chance explains" in text
    assert "looked at: a0 (50 to 90)." in text
    names = pd.Series({"a0": "Fen Ditch", "a1": "Wold"})
    assert "Fen Ditch (50 to 90)" in describe_change(change_between(BEFORE, AFTER), names=names)
    calm = describe_change(change_between(BEFORE, BEFORE))
    assert calm.endswith("None of 4 areas changed by more than chance explains.")
    days = pd.Series(10, AREAS)
    fall = change_between(BEFORE, AFTER, exposure_before=days, exposure_after=days * 2)
    assert "fell by 48 % overall as a rate" in describe_change(fall)
    against = describe_change(change_between(BEFORE, AFTER, against="overall"))
    assert "rose more, or fell less, than the whole" in against


def dispersion(before, after, **options):
    return change_dispersion(pd.Series(before), pd.Series(after), **options)


def test_a_dispersion_worked_by_hand():
    # changes 12, 7, 3, 0, -4, -6: the whole rises by 12 and the first alone undoes it
    before, after = [10, 10, 10, 10, 10, 10], [22, 17, 13, 10, 6, 4]
    table = dispersion(before, after)
    assert table["remaining"].tolist() == [0, -7, -10, -10, -6, 0]
    assert table["contributes"].tolist() == [True, False, False, False, False, False]
    assert (table.attrs["odi"], table.attrs["ncdi"]) == pytest.approx((1 / 6, 2 / 6))


def test_dispersion_is_the_search_for_the_first_prefix_that_undoes_it():
    rng = np.random.default_rng(0)
    before = pd.Series(rng.poisson(30, 40))
    after = pd.Series(rng.poisson(34, 40))
    for method in ("match", "remove"):
        table = change_dispersion(before, after, method=method)
        order = (after - before).sort_values(ascending=False, kind="stable").index
        needed = 0
        while needed < 40:
            left = order[needed:]
            if after[left].sum() - before[left].sum() <= 0:
                break
            needed += 1
        assert table.attrs["contributing"] == needed
        assert table.loc[order[:needed], "contributes"].all()
        assert table["contributes"].sum() == needed
    assert table["order"].sort_values().tolist() == list(range(1, 41))


def test_a_fall_is_the_mirror_of_a_rise():
    rise = dispersion([10, 20, 30], [40, 25, 20])
    fall = dispersion([40, 25, 20], [10, 20, 30], direction="decrease")
    assert fall.attrs["odi"] == rise.attrs["odi"]
    assert fall["contributes"].tolist() == rise["contributes"].tolist()


def test_no_rise_has_no_drivers():
    table = dispersion([10, 20], [10, 15])
    assert not table["contributes"].any()
    assert np.isnan(table.attrs["odi"])
    assert describe_dispersion(table) == (
        "There is no overall rise in recorded crime, so no area drives one."
    )


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="1 areas lack a count in one period"):
        dispersion([10, None], [10, 15])
    with pytest.raises(InputError, match="1 areas lack a count in one period"):
        dispersion([10], [10, 15])
    with pytest.raises(EmptyError, match="There are no areas"):
        change_dispersion(pd.Series(dtype=float), pd.Series(dtype=float))
    with pytest.raises(InputError, match="method is 'drop'"):
        dispersion([10], [10], method="drop")


def test_the_paragraph_names_the_drivers():
    text = describe_dispersion(dispersion([10, 20, 30], [40, 60, 29]), what="demand")
    assert "(69 more, 115 %) comes down to 2 of 3 areas: had they stayed" in text
    assert "They are 1, 0." in text
    small = dispersion([10, 20, 30], [40, 5, 20])
    text = describe_dispersion(small, names=pd.Series(["Fen", "Wold", "Marsh"]))
    assert "It is Fen." in text
    assert "small beside the 55 by which areas went up and down" in text
