"""The false discovery rate against scipy and a published example."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from placeshaping._core.errors import InputError
from placeshaping.statistics.testing import false_discovery_rate


def test_q_values_are_those_of_scipy():
    p = np.random.default_rng(0).beta(0.5, 1, 500)
    np.testing.assert_allclose(
        false_discovery_rate(p), stats.false_discovery_control(p), rtol=1e-13
    )


def test_benjamini_and_hochberg_find_four_in_their_own_example():
    # Benjamini and Hochberg 1995, section 4: 15 endpoints, four rejected at 0.05.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240,
         0.4262, 0.5719, 0.6528, 0.7590, 1.000]  # fmt: skip
    assert (false_discovery_rate(p) <= 0.05).sum() == 4


def test_missing_values_do_not_count_as_tests():
    p = pd.Series([0.01, np.nan, 0.02, np.nan], index=list("dbca"))
    q = false_discovery_rate(p)
    assert q.index.tolist() == list("dbca")
    np.testing.assert_allclose(q, [0.02, np.nan, 0.02, np.nan])


def test_each_column_is_a_family_of_its_own():
    p = pd.DataFrame(np.random.default_rng(1).random((40, 3)), columns=list("abc"))
    p.iloc[3, 1] = np.nan
    q = false_discovery_rate(p)
    for column in p:
        expected = stats.false_discovery_control(p[column].dropna())
        np.testing.assert_allclose(q[column].dropna(), expected, rtol=1e-13)


def test_nothing_gives_nothing():
    assert false_discovery_rate(np.array([])).size == 0
    assert np.isnan(false_discovery_rate([np.nan])).all()


def test_values_that_are_no_probabilities_are_refused():
    with pytest.raises(InputError, match="2 p-values lie outside 0 and 1"):
        false_discovery_rate([0.5, 1.2, -0.1])
