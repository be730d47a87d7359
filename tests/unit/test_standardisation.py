"""Standardised rates against published examples and against scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.statistics.ages import EUROPEAN_STANDARD, band_ages
from placeshaping.statistics.standardisation import (
    describe_ratios,
    directly_standardised_rate,
    indirectly_standardised_ratio,
)

# Down's syndrome by mother's age, fifth and later children, Michigan 1950 to 1964
# (Stark and Mantel 1966; Fay and Feuer 1997, table II)
BANDS = ["0-19", "20-24", "25-29", "30-34", "35-39", "40+"]
CASES = [0, 8, 63, 112, 262, 295]
BIRTHS = [327, 30666, 123419, 149919, 104088, 34392]
ALL_BIRTHS = [319933, 931318, 786511, 488235, 237863, 61313]


def one_area(values, bands=BANDS):
    return pd.DataFrame([values], index=["Michigan"], columns=bands)


def test_the_published_rate_comes_out_with_dobsons_interval():
    table = directly_standardised_rate(
        one_area(CASES), one_area(BIRTHS), standard=pd.Series(ALL_BIRTHS, BANDS)
    ).loc["Michigan"]
    assert table["rate"] == pytest.approx(75.52901, abs=5e-6)  # R dsrTest 1.0.0, its vignette
    weight = np.array(ALL_BIRTHS) / sum(ALL_BIRTHS) / np.array(BIRTHS)
    variance, total = (weight**2 * CASES).sum(), sum(CASES)
    low, high = stats.chi2.ppf(0.025, 2 * total) / 2, stats.chi2.ppf(0.975, 2 * total + 2) / 2
    expected = [75.52901 + 1e5 * (variance / total) ** 0.5 * (x - total) for x in (low, high)]
    assert table[["lower", "upper"]].tolist() == pytest.approx(expected, abs=0.005)


def test_the_textbook_rate_comes_out():
    # Gardner and Altman, Statistics with Confidence, 1989, p. 62: 5.7 %
    bands = ["0-39", "40-59", "60-79", "80+"]
    table = directly_standardised_rate(
        one_area([4, 13, 8, 7], bands),
        one_area([96, 237, 105, 32], bands),
        standard=pd.Series([2773, 2556, 1113, 184], bands),
        per=100,
    )
    assert table["rate"].item() == pytest.approx(5.7, abs=0.05)


def test_equal_ages_give_the_crude_rate():
    people = EUROPEAN_STANDARD.to_frame("a").T
    table = directly_standardised_rate(people / 100, people)
    assert table["rate"].item() == pytest.approx(1000)
    assert table["count"].item() == pytest.approx(1000)


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(2)
    risk, people = np.array([0.001, 0.004, 0.03]), np.array([4000, 2000, 500])
    standard = pd.Series([50.0, 30.0, 20.0], ["0-39", "40-64", "65+"])
    truth = (standard / 100 * risk).sum() * 1e5
    draws = pd.DataFrame(rng.poisson(risk * people, (4000, 3)), columns=standard.index)
    base = pd.DataFrame(np.tile(people, (4000, 1)), columns=standard.index)
    table = directly_standardised_rate(draws, base, standard=standard, fewest=0)
    covered = ((table["lower"] <= truth) & (truth <= table["upper"])).mean()
    assert 0.94 < covered < 0.98


def test_few_events_and_empty_bands_have_no_rate(caplog):
    bands = ["0-64", "65+"]
    table = directly_standardised_rate(
        pd.DataFrame([[5, 4], [20, 0], [20, 9]], index=list("abc"), columns=bands),
        pd.DataFrame([[500, 400], [900, 0], [900, 90]], index=list("cba")[::-1], columns=bands),
        standard=pd.Series([80, 20], bands),
    )
    assert table["rate"].isna().tolist() == [True, True, False]
    assert "1 of 3 areas have fewer than 10 events" in caplog.text
    assert "1 of 3 areas have nobody in some age band" in table.attrs["cautions"][1]


def test_unknown_age_bands_are_refused_with_a_guess():
    good = one_area(BIRTHS)
    standard = pd.Series(ALL_BIRTHS, BANDS)
    wrong = one_area(CASES).rename(columns={"20-24": "20-25"})
    with pytest.raises(ColumnError, match=r"20-25 are no age bands of the standard\. Did you mean"):
        directly_standardised_rate(wrong, good, standard=standard)
    with pytest.raises(ColumnError, match="the age bands 40\\+ of the standard are missing"):
        directly_standardised_rate(one_area(CASES).drop(columns="40+"), good, standard=standard)


def test_impossible_numbers_are_refused():
    standard = pd.Series(ALL_BIRTHS, BANDS)
    cases, births = one_area(CASES), one_area(BIRTHS)
    with pytest.raises(
        InputError, match=r"1 areas have missing, negative or infinite numbers of events"
    ):
        directly_standardised_rate(-cases, births, standard=standard)
    with pytest.raises(
        InputError, match=r"missing, negative or infinite numbers of people \(Michigan\)"
    ):
        directly_standardised_rate(cases, births.rename(index={"Michigan": "x"}), standard=standard)
    with pytest.raises(InputError, match="events in an age band without people"):
        directly_standardised_rate(cases, births * 0, standard=standard)
    with pytest.raises(EmptyError, match="no areas to standardise"):
        directly_standardised_rate(cases.iloc[:0], births, standard=standard)
    with pytest.raises(DuplicateError, match="1 area codes stand more than once"):
        directly_standardised_rate(pd.concat([cases, cases]), births, standard=standard)
    with pytest.raises(InputError, match="standard population has negative"):
        directly_standardised_rate(cases, births, standard=standard * 0)


def ratio(count, people, reference=(200, 300), base=(10_000, 5_000)):
    bands = ["0-64", "65+"]
    return indirectly_standardised_ratio(
        pd.Series(count, list("ab")),
        pd.DataFrame(people, index=list("ba"), columns=bands).iloc[:, ::-1],
        reference_count=pd.Series(reference, bands),
        reference_population=pd.Series(base, bands),
        per=1000,
    )


def test_expected_events_are_worked_by_hand():
    table = ratio([60, 7], [[700, 100], [900, 600]])
    assert table["expected"].tolist() == [900 * 0.02 + 600 * 0.06, 700 * 0.02 + 100 * 0.06]
    assert table["ratio"].tolist() == [60 / 54, 7 / 20]
    limits = [stats.chi2.ppf(0.025, 14) / 2, stats.chi2.ppf(0.975, 16) / 2]
    assert table.loc["b", ["ratio_lower", "ratio_upper"]].tolist() == pytest.approx(
        [x / 20 for x in limits]
    )
    crude = 500 / 15_000 * 1000
    assert table["rate"].tolist() == pytest.approx([60 / 54 * crude, 7 / 20 * crude])


def test_the_reference_itself_is_as_expected():
    bands = ["0-64", "65+"]
    table = indirectly_standardised_ratio(
        pd.Series([500], ["all"]),
        pd.DataFrame([[10_000, 5_000]], index=["all"], columns=bands),
        reference_count=pd.Series([200, 300], bands),
        reference_population=pd.Series([10_000, 5_000], bands),
    )
    assert table["ratio"].item() == pytest.approx(1)


def test_the_paragraph_counts_areas_beyond_chance():
    text = describe_ratios(ratio([90, 7], [[700, 100], [900, 600]]), what="falls")
    assert text.startswith("In all 97 falls were counted where 74 would be expected")
    assert "In 1 of 2 areas there are more" in text
    assert "and in 1 fewer" in text


def test_events_where_none_are_expected_are_refused():
    with pytest.raises(InputError, match=r"1 areas have events where none are expected \(b\)"):
        ratio([60, 7], [[0, 0], [900, 600]])
    assert np.isnan(ratio([60, 0], [[0, 0], [900, 600]]).loc["b", "ratio"])
    with pytest.raises(InputError, match="events in an age band without people"):
        ratio([60, 7], [[1, 1], [900, 600]], base=(10_000, 0))


def test_areas_without_population_are_refused():
    bands = ["0-64", "65+"]
    with pytest.raises(InputError, match=r"1 areas have no population \(b\)"):
        indirectly_standardised_ratio(
            pd.Series([1, 2], list("ab")),
            pd.DataFrame([[9, 9]], index=["a"], columns=bands),
            reference_count=pd.Series([1, 2], bands),
            reference_population=pd.Series([10, 20], bands),
        )


def test_single_years_add_up_to_bands_and_conserve_people():
    rng = np.random.default_rng(0)
    ages = [*map(str, range(90)), "90+"]
    table = pd.DataFrame(rng.integers(0, 50, (3, 91)), index=list("abc"), columns=ages)
    banded = band_ages(table[ages[::-1]])
    assert banded.columns.tolist() == EUROPEAN_STANDARD.index.tolist()
    assert banded.sum(axis=1).tolist() == table.sum(axis=1).tolist()
    assert banded["5-9"].tolist() == table[["5", "6", "7", "8", "9"]].sum(axis=1).tolist()


def test_bands_in_words_are_read():
    table = pd.DataFrame([[1, 2, 3]], columns=["Aged 0 to 15", "16-64", "Aged 65 and over"])
    banded = band_ages(table, bands=pd.Index(["0-64", "65+"]))
    assert banded.to_dict("list") == {"0-64": [3], "65+": [3]}


def test_ages_that_do_not_fit_the_bands_are_refused():
    bands = pd.Index(["0-64", "65+"])
    with pytest.raises(ColumnError, match="Age '60-69' lies in none of the bands"):
        band_ages(pd.DataFrame(columns=["60-69"]), bands=bands)
    with pytest.raises(ColumnError, match="'total' is no age or age band"):
        band_ages(pd.DataFrame(columns=["total"]))
    with pytest.raises(ColumnError, match="holds ages that another column holds"):
        band_ages(pd.DataFrame(columns=["0-64", "5"]), bands=bands)
    with pytest.raises(ColumnError, match="for the ages 65\\+"):
        band_ages(pd.DataFrame(columns=["0-64", "65-79"]), bands=bands)
    with pytest.raises(ColumnError, match="ends before it begins"):
        band_ages(pd.DataFrame(columns=["64-60"]), bands=bands)
