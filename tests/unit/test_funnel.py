"""Funnel limits against scipy's exact laws, simulations and the published formulas."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import DuplicateError, EmptyError, InputError
from placeshaping.statistics.funnel import FUNNEL, describe_funnel, funnel_limits

LIMITS = ["lower_998", "lower_95", "upper_95", "upper_998"]


def test_limits_lie_between_the_whole_counts_of_the_exact_law():
    exposure = np.array([40.0, 300, 5000, 90_000])
    table = funnel_limits(exposure * 0.02, exposure, per=1)
    counts = table[LIMITS].to_numpy() * exposure[:, None]
    for column, probability in enumerate((0.001, 0.025, 0.975, 0.999)):
        whole = stats.poisson.ppf(probability, exposure * 0.02)
        assert (counts[:, column] <= whole).all()
        assert (counts[:, column] >= np.maximum(whole - 1, 0)).all()


def test_limits_of_shares_are_interpolated_as_published():
    # Spiegelhalter 2005, appendix A.1.1, worked for one hospital of 50 cases and a target of 0.2
    table = funnel_limits([10, 200], [50, 1000], kind="share", per=100)
    whole = stats.binom.ppf(0.975, 50, 0.2)
    above, below = stats.binom.cdf([whole, whole - 1], 50, 0.2)
    expected = (whole - (above - 0.975) / (above - below)) / 50 * 100
    assert table.loc[0, "upper_95"] == pytest.approx(expected)
    assert table.attrs["target"] == pytest.approx(20)


def test_limits_of_large_areas_are_two_and_three_standard_errors():
    table = funnel_limits([400_000, 400_000], [1e6, 1e6], kind="share", per=1)
    error = (0.4 * 0.6 / 1e6) ** 0.5
    expected = 0.4 + stats.norm.ppf([0.001, 0.025, 0.975, 0.999]) * error
    np.testing.assert_allclose(table.loc[0, LIMITS].to_numpy(float), expected, atol=2e-6)


@pytest.mark.parametrize("kind", ["rate", "share"])
def test_chance_passes_the_limits_as_often_as_they_say(kind):
    rng = np.random.default_rng(4)
    people = rng.integers(300, 9000, 6000)
    draws = rng.poisson(people * 0.05) if kind == "rate" else rng.binomial(people, 0.05)
    places = funnel_limits(draws, people, kind=kind)["funnel"].value_counts(normalize=True)
    assert places["within"] == pytest.approx(0.95, abs=0.01)
    assert places["low_998"] + places["high_998"] == pytest.approx(0.002, abs=0.002)


def test_spread_beyond_chance_is_told_and_taken_in():
    rng = np.random.default_rng(5)
    people = rng.integers(2000, 9000, 800)
    counts = rng.poisson(people * 0.05 * rng.gamma(25, 1 / 25, 800))
    plain = funnel_limits(counts, people)
    assert plain.attrs["dispersion"] > 5
    assert "times as much as chance" in plain.attrs["cautions"][0]
    assert (plain["funnel"] == "within").mean() < 0.7
    for way in ("additive", "multiplicative"):
        wide = funnel_limits(counts, people, overdispersion=way)
        assert (wide["funnel"] == "within").mean() == pytest.approx(0.93, abs=0.05)
        assert wide.attrs["cautions"] == ()


def test_overdispersion_is_that_of_its_formulas():
    counts = np.array([30, 60, 45, 90, 20, 160, 75, 50])
    people = np.array([500, 900, 1000, 1300, 650, 2000, 900, 1100.0])
    target = counts.sum() / people.sum()
    error = 1 / (2 * np.sqrt(people))
    z = (np.sqrt(counts / people) - np.sqrt(target)) / error
    phi = (np.clip(z, *np.quantile(z, [0.1, 0.9])) ** 2).mean()
    table = funnel_limits(counts, people, overdispersion="multiplicative", per=1)
    assert table.attrs["dispersion"] == pytest.approx(phi)
    np.testing.assert_allclose(table["z_score"], z / phi**0.5)
    w = 1 / error**2
    tau = (8 * phi - 7) / (w.sum() - (w**2).sum() / w.sum())
    table = funnel_limits(counts, people, overdispersion="additive", per=1)
    np.testing.assert_allclose(table["z_score"], z * error / np.sqrt(error**2 + tau))
    upper = (np.sqrt(target) + stats.norm.ppf(0.975) * np.sqrt(error**2 + tau)) ** 2
    np.testing.assert_allclose(table["upper_95"], upper)


def test_areas_alike_are_never_held_to_less_than_chance():
    people = np.full(50, 1000.0)
    alike = funnel_limits(np.full(50, 40), people, overdispersion="additive")
    assert alike.attrs["dispersion"] == pytest.approx(0, abs=1e-20)
    assert alike["upper_95"].iloc[0] > 50
    twice = funnel_limits(np.full(50, 40), people, overdispersion="multiplicative")
    assert twice["upper_95"].iloc[0] == pytest.approx(alike["upper_95"].iloc[0])


def test_places_follow_limits_and_keep_the_index():
    index = pd.Index(["b", "a", "c"], name="area_code")
    table = funnel_limits(pd.Series([5, 90, 50], index), pd.Series(1000, index), target=50)
    assert table.index.equals(index)
    assert table["funnel"].tolist() == ["low_998", "high_998", "within"]
    assert tuple(table["funnel"].cat.categories) == FUNNEL
    ratio = funnel_limits(pd.Series([5, 90, 50], index), pd.Series(50, index), per=1, target=1)
    assert ratio["funnel"].tolist() == table["funnel"].tolist()


def test_areas_without_numbers_have_no_place():
    table = funnel_limits([10, None, 0, 12], [100, 100, 0, 110])
    assert table["funnel"].isna().tolist() == [False, True, True, False]
    assert "2 of 4 areas lack a count or an exposure" in table.attrs["cautions"][0]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"count": [5], "exposure": [9]}, EmptyError, "1 areas have a count and an exposure"),
        ({"count": [0, 0]}, InputError, "The target is 0 per unit of exposure"),
        ({"count": [50, 5], "kind": "share"}, InputError, "1 rows have more successes"),
        ({"kind": "counts"}, InputError, "kind is 'counts'"),
        ({"overdispersion": "yes"}, InputError, "overdispersion is 'yes'"),
        ({"winsorise": 0.5}, InputError, "winsorise must lie between"),
        ({"count": [-1, 5]}, InputError, "1 counts are negative"),
        ({"count": [1, 5], "exposure": [0, 5]}, InputError, "exposure of zero"),
    ],
)
def test_what_makes_no_funnel_is_refused(options, error, match):
    given = {"count": [3, 5], "exposure": [20, 30], **options}
    with pytest.raises(error, match=match):
        funnel_limits(given.pop("count"), given.pop("exposure"), **given)


def test_areas_that_stand_twice_are_refused():
    with pytest.raises(DuplicateError, match="count: 1 area codes stand more than once"):
        funnel_limits(pd.Series([1, 2], ["a", "a"]), pd.Series([10, 20], ["a", "a"]))


def test_the_paragraph_names_those_beyond_the_outer_limit():
    index = ["Fen", "Wold", "Marsh"]
    table = funnel_limits(pd.Series([5, 90, 50], index), pd.Series(1000, index), target=50)
    text = describe_funnel(table, what="rate of falls")
    assert "1 are within" in text
    assert "Wold (high); Fen (low)" in text
    calm = describe_funnel(funnel_limits([50, 51], [1000, 1000]))
    assert "Beyond the outer limit" not in calm
