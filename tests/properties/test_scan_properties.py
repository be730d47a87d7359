"""What must hold of any scan."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from placeshaping.hotspots._scan_kernels import log_ratio
from placeshaping.hotspots.scan import scan

PLACES = pd.DataFrame(
    np.random.default_rng(3).uniform(1e5, 2e5, (14, 2)).round(),
    index=[f"a{i:02}" for i in range(14)],
    columns=["easting", "northing"],
)
PEOPLE = pd.Series(np.random.default_rng(4).integers(50, 500, 14), index=PLACES.index)
tables = (
    arrays.arrays(np.int64, (14, 4), elements=st.integers(0, 30))
    .filter(lambda y: y.sum() > 5)
    .map(lambda y: pd.DataFrame(y, index=PLACES.index, columns=range(2020, 2024)))
)
KEY = ["radius", "areas", "observed", "expected", "log_likelihood_ratio"]


@settings(deadline=None, max_examples=40)
@given(tables, st.permutations(range(14)))
def test_clusters_do_not_depend_on_the_order_of_areas(cases, order):
    options = {"population": PEOPLE, "analysis": "retrospective", "simulations": 19}
    one = scan(cases, PLACES, **options)
    other = scan(cases.iloc[order], PLACES.sample(frac=1, random_state=1), **options)
    assert one.clusters["centre"].head(1).tolist() == other.clusters["centre"].head(1).tolist()
    np.testing.assert_allclose(
        one.clusters[KEY].head(1).astype(float), other.clusters[KEY].head(1).astype(float)
    )
    assert other.areas.index.tolist() == cases.index[order].tolist()
    np.testing.assert_allclose(other.areas.loc[cases.index, "expected"], one.areas["expected"])


@settings(deadline=None, max_examples=40)
@given(tables, st.floats(0.01, 1000))
def test_only_the_proportions_of_the_population_matter(cases, unit):
    options = {"analysis": "prospective", "simulations": 19}
    one = scan(cases, PLACES, population=PEOPLE, **options).clusters
    other = scan(cases, PLACES, population=PEOPLE * unit, **options).clusters
    np.testing.assert_allclose(
        one[KEY].to_numpy(float)[:1], other[KEY].to_numpy(float)[:1], rtol=1e-8
    )


@settings(deadline=None, max_examples=40)
@given(
    tables, st.sampled_from(["poisson", "permutation"]), st.sampled_from(["high", "low", "both"])
)
def test_a_cluster_adds_up(cases, model, rates):
    population = PEOPLE if model == "poisson" else None
    result = scan(
        cases, PLACES, model=model, population=population, rates=rates,
        analysis="retrospective", simulations=19, significance=1.0,
    )  # fmt: skip
    clusters, areas = result.clusters, result.areas
    for row in clusters.itertuples():
        members = areas.index[areas["rank"] == row.Index]
        assert len(members) == row.areas
        assert cases.loc[members, row.start : row.end].to_numpy().sum() == row.observed
        assert row.end - row.start + 1 == row.steps <= 2
        assert (row.observed > row.expected) == (rates == "high") or rates != "high"
    assert clusters["p_value"].is_monotonic_increasing
    assert clusters["p_value"].between(0.05, 1).all()
    assert clusters["p_gumbel"].between(0, 1).all()


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 500), st.data())
def test_a_ratio_never_exceeds_pearsons_chi_squared(total, data):
    """That is what lets the search leave out logarithms."""
    inside = data.draw(st.integers(0, total))
    expected = data.draw(st.floats(1e-3, 0.999)) * total
    chi = (inside - expected) ** 2 * total / (expected * (total - expected))
    assert log_ratio(float(inside), expected, float(total), 0.0) >= -1e-9
    assert log_ratio(float(inside), expected, float(total), 0.0) <= chi + 1e-9
    people = data.draw(st.integers(total + 1, 4 * total + 2))
    size = data.draw(st.integers(max(inside, 1), people - 1))
    if people - size < total - inside:
        return
    mean = total * size / people
    if not 0 < mean < total:
        return
    ratio = log_ratio(float(inside), mean, float(total), float(people))
    scale = total * people / (people - total)
    assert -1e-9 <= ratio <= (inside - mean) ** 2 * scale / (mean * (total - mean)) + 1e-9
