"""Scan statistics against what SaTScan printed."""

import numpy as np
import pandas as pd
import pytest

from placeshaping.hotspots._scan_kernels import log_ratio
from placeshaping.hotspots.scan import scan

# 143 medieval graves, 30 of them with affected teeth (Alt and Vach 1991; Waller and Gotway 2004,
# Applied Spatial Statistics for Public Health Data); coordinates as in the R package smacpod.
GRAVES = """
8072 8970, 9004 7953, 8614 8528, 8575 8840, 9139 8337, 8876 8641, 8996 8039, 9072 8894,
7898 8892, 8320 9010, 9052 8923, 8846 7633, 9130 7438, 9194 6474, 9338 5737, 9131 6958,
8102 7636, 9334 6740, 9183 6073, 9230 7068, 8889 7272, 8639 6916, 9110 6393, 8217 5835,
8167 5609, 9272 7095, 8341 6903, 8458 5106, 8546 6218, 9419 4177, 9215 4570, 8685 4497,
8400 4117, 9110 5067, 9310 5450, 8175 4862, 9361 7166, 8303 4935, 8536 4226, 8598 5377,
9435 4473, 8189 5720, 8797 4787, 8789 5006, 8326 9300, 8457 4785, 8326 9541, 5101 7115,
5100 6466, 8373 9379, 7042 8761, 4716 6733, 4714 6455, 4492 7463, 7212 8262, 5109 6590,
7209 7467, 7468 7789, 7768 7972, 7507 8280, 7796 7657, 7639 7009, 7237 7299, 7459 6591,
7620 6039, 6934 6918, 9149 3588, 8861 3882, 7708 5776, 7119 7784, 7042 7264, 7068 6341,
7039 6234, 8778 3844, 9485 3319, 5683 7046, 5305 6065, 5306 6065, 5456 6353, 4612 6147,
5717 6023, 5597 7725, 5231 7472, 5385 7052, 6092 7671, 4862 5969, 6252 8271, 6720 7541,
6720 7164, 6569 7391, 6258 7127, 5952 6278, 9558 9403, 9208 9114, 9352 7957, 7759 6222,
9473 8826, 7505 6024, 7974 6332, 7628 6730, 7634 6229, 8126 7269, 9756 9257, 10070 6739,
9752 6468, 10073 8273, 9405 10431, 9770 3469, 10147 8141, 10100 3085, 9262 10068, 9850 3656,
9990 3824, 9305 9661, 8831 9393, 9667 9541, 9570 9059, 9656 8356, 9547 7690, 9702 4581,
9416 9223, 9502 8846, 8937 9611, 10030 4274, 10263 4790, 10324 4389, 10232 7271, 10292 7562,
9497 7564, 9412 7463, 9722 7065, 9953 4673, 9757 5276, 9879 6309, 10061 5937, 10192 5291,
9716 6713, 9699 7240, 9665 5554, 10148 5222, 10156 5225, 10143 6317, 10373 3208
"""
AFFECTED = [
    *(5, 6, 16, 30, 35, 37, 41, 47, 58, 59, 62, 66, 71, 73, 75, 77, 78, 85, 89, 92, 94, 96),
    *(110, 112, 120, 133, 139, 140, 141, 143),
]

# SaTScan 9.3.1, Bernoulli, 999 replications, no geographical overlap
# (tests/satscangraveout.txt in the repository of smacpod).
PRINTED = [
    (126, 1359.71, 19, 11, 3.99, 3.78, 7.419340, 0.050),
    (66, 362.46, 3, 3, 0.63, 5.19, 4.808517, 0.665),
    (77, 1.00, 2, 2, 0.42, 5.04, 3.177442, 0.997),
]
MEMBERS = [
    {*(126, 124, 125, 132, 120, 113, 140, 141, 112, 41, 136, 30, 133, 108, 31, 143, 110, 139, 75)},
    {66, 89, 71},
    {77, 78},
]

# SaTScan 9.6 on leukaemia in New York: 552 cases among 1,057,673 people in 281 tracts
# (tests/scan_test_ny_poisson_circular_cartesian.txt in the repository of smerc).
LEUKAEMIA = [
    (111_674, 100, 14.083511, 1.87),
    (34_083, 38, 9.019716, 2.22),
    (78_280, 64, 6.114140, 1.64),
    (24_571, 25, 4.651839, 1.99),
    (9_840, 12, 3.363518, 2.37),
    (8_839, 11, 3.209485, 2.41),
]


@pytest.fixture(scope="module")
def graves():
    """Return affected graves, unaffected ones, and their places."""
    xy = np.array([pair.split() for pair in GRAVES.split(",")], dtype=float)
    places = pd.DataFrame(xy, index=range(1, 144), columns=["easting", "northing"])
    cases = pd.Series(0, index=places.index)
    cases[AFFECTED] = 1
    return cases, 1 - cases, places


@pytest.fixture(scope="module")
def found(graves):
    cases, controls, places = graves
    return scan(cases, places, model="bernoulli", controls=controls, significance=1.0)


def test_clusters_of_graves_are_those_of_satscan(found):
    columns = ["centre", "radius", "areas", "observed", "expected", "relative_risk"]
    columns += ["log_likelihood_ratio", "p_value"]
    ours = found.clusters[columns].head(3).to_numpy(dtype=float)
    theirs = np.array(PRINTED)
    decimals = [0, 2, 0, 0, 2, 2, 6]
    for column, digits in enumerate(decimals):
        np.testing.assert_array_equal(ours[:, column].round(digits), theirs[:, column])
    p_value = theirs[:, 7]
    error = np.sqrt(p_value * (1 - p_value) * 2 / 1000) + 1e-3
    assert (abs(ours[:, 7] - p_value) < 3 * error).all()


def test_clusters_of_graves_have_the_members_that_satscan_lists(found):
    for rank, members in enumerate(MEMBERS, 1):
        assert set(found.areas.index[found.areas["rank"] == rank]) == members


def test_many_simulations_give_the_p_value_of_a_plain_permutation(graves):
    cases, controls, places = graves
    precise = scan(cases, places, model="bernoulli", controls=controls, simulations=2999, rng=3)
    # 8,000 permutations in plain numpy gave 0.0695
    assert precise.clusters["p_value"].iloc[0] == pytest.approx(0.068, abs=0.012)
    assert precise.clusters["p_gumbel"].iloc[0] == pytest.approx(0.068, abs=0.012)


@pytest.mark.parametrize(("people", "cases", "ratio", "risk"), LEUKAEMIA)
def test_likelihood_and_risk_of_leukaemia_are_those_of_satscan(people, cases, ratio, risk):
    expected = 552 * people / 1_057_673
    assert log_ratio(float(cases), expected, 552.0, 0.0) == pytest.approx(ratio, abs=5e-7)
    assert cases / expected / ((552 - cases) / (552 - expected)) == pytest.approx(risk, abs=5e-3)
