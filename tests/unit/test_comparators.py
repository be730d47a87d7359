"""Nearest statistical neighbours and differences, against scipy, scikit-learn and a textbook."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import zscore
from sklearn.neighbors import NearestNeighbors

from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.statistics.comparators import compare_estimates, nearest_neighbours


@pytest.fixture
def indicators():
    rng = np.random.default_rng(3)
    codes = pd.Index([f"E0590{n:04}" for n in range(40)], name="area_code")[::-1]
    return pd.DataFrame(
        {"density": rng.lognormal(3, 1, 40), "young": rng.random(40), "old": rng.random(40)},
        index=codes,
    )


def estimates(*rows):
    return pd.DataFrame(rows, columns=["value", "lower", "upper"])


def test_neighbours_are_those_of_scikit_learn_on_z_scores(indicators):
    found = nearest_neighbours(indicators, most=4)
    scores = zscore(indicators.to_numpy())
    distance, place = NearestNeighbors(n_neighbors=5).fit(scores).kneighbors(scores)
    expected = indicators.index.to_numpy()[place[:, 1:]].ravel()
    assert found["neighbour"].tolist() == expected.tolist()
    np.testing.assert_allclose(found["distance"], distance[:, 1:].ravel() / np.sqrt(3))
    assert found["area_code"].iloc[::4].tolist() == indicators.index.tolist()


def test_units_do_not_matter(indicators):
    other = indicators.assign(density=indicators["density"] * 1e6 + 12)
    pd.testing.assert_frame_equal(nearest_neighbours(indicators), nearest_neighbours(other))


def test_the_variables_are_named_and_constant_ones_left_out(indicators):
    found = nearest_neighbours(indicators.assign(same=4.0))
    assert found.attrs["variables"] == ("density", "young", "old")
    assert "same" in found.attrs["cautions"][0]
    assert "density, young, old" in found.attrs["method"]


def test_the_input_stays_as_it_was(indicators):
    before = indicators.copy(deep=True)
    nearest_neighbours(indicators)
    pd.testing.assert_frame_equal(indicators, before)


def test_two_areas_are_too_few(indicators):
    with pytest.raises(EmptyError, match="2 areas to compare; at least 3"):
        nearest_neighbours(indicators.iloc[:2])


def test_missing_indicators_are_named(indicators):
    indicators.iloc[3, 1] = np.nan
    with pytest.raises(ColumnError, match="1 of 40 areas lack an indicator \\(young\\)"):
        nearest_neighbours(indicators)


def test_text_is_refused(indicators):
    with pytest.raises(ColumnError, match="holds text"):
        nearest_neighbours(indicators.assign(name="a"))


def test_indicators_that_do_not_vary_are_refused(indicators):
    with pytest.raises(ColumnError, match="No indicator varies"):
        nearest_neighbours(indicators[["old"]] * 0)


def test_an_area_stands_once(indicators):
    with pytest.raises(DuplicateError, match="indicators"):
        nearest_neighbours(pd.concat([indicators, indicators.iloc[:1]]))


def test_the_difference_of_two_shares_is_newcombes():
    """Newcombe (1998), table II, case (a): 56/70 and 48/80, method 10: 0.0524 to 0.3339."""
    one, two = (56 / 70, 0.6918, 0.8769), (48 / 80, 0.4905, 0.7003)
    found = compare_estimates(estimates(one), estimates(two)).iloc[0]
    assert found["difference"] == pytest.approx(0.2)
    assert found["lower"] == pytest.approx(0.0524, abs=5e-4)
    assert found["upper"] == pytest.approx(0.3339, abs=5e-4)
    assert found["told"] == "above"


def test_what_cannot_be_told_apart_is_not_sure():
    found = compare_estimates(
        estimates((5, 4, 6), (1, 0.5, 1.5), (np.nan, np.nan, np.nan)),
        estimates((5.5, 4.5, 6.5), (5, 4, 6), (1, 1, 1)),
    )
    assert found["told"].tolist()[:2] == ["not sure", "below"]
    assert pd.isna(found["told"].iloc[2])


def test_estimates_outside_their_interval_are_refused():
    with pytest.raises(InputError, match="1 of 1 values lie outside"):
        compare_estimates(estimates((5, 6, 7)), estimates((1, 1, 1)))


def test_unlike_rows_are_refused():
    with pytest.raises(InputError, match="unlike index"):
        compare_estimates(estimates((1, 1, 1)), estimates((1, 1, 1), (1, 1, 1)))
