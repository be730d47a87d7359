"""What must hold of any values on any two sets of areas."""

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.joins.interpolation import _parts, _shares, interpolate_areal

edges = st.lists(st.integers(1, 39), max_size=5, unique=True).map(
    lambda cuts: [0, *sorted(cuts), 40]
)


def strips(prefix, cuts):
    shapes = [shapely.box(a, 0, b, 10) for a, b in itertools.pairwise(cuts)]
    index = pd.Index([f"{prefix}{i}" for i in range(len(shapes))], name="area_code")
    return gpd.GeoDataFrame(geometry=shapes, index=index, crs=27700)


@st.composite
def cases(draw):
    source, target = strips("S", draw(edges)), strips("T", draw(edges))
    people = draw(st.lists(st.integers(0, 50), min_size=20, max_size=20))
    via = strips("O", list(range(0, 42, 2))).assign(residents=people)
    counts = [draw(st.integers(0, 30)) for _ in range(len(source))]
    rates = [draw(st.floats(0, 100)) for _ in range(len(source))]
    table = pd.DataFrame({"count": counts, "rate": rates}, index=source.index)
    return table, source, target, draw(st.sampled_from([via, "area"]))


@settings(deadline=None, max_examples=60)
@given(cases(), st.booleans())
def test_totals_are_conserved_and_means_stay_within_their_range(case, whole):
    table, source, target, via = case
    made = interpolate_areal(table, source, target, via=via, intensive=["rate"], whole=whole)
    assert made["count"].sum() == pytest.approx(table["count"].sum())
    known = made["rate"].dropna()
    assert known.between(table["rate"].min() - 1e-9, table["rate"].max() + 1e-9).all()
    if whole:
        assert made["count"].dtype == "int64"


@settings(deadline=None, max_examples=60)
@given(cases(), st.sampled_from(["drop", "within"]), st.integers(1, 3))
def test_weights_sum_to_one_with_what_lies_outside(case, outside, first):
    _, source, target, via = case
    parts = _parts(source, target.iloc[first:] if len(target) > first else target, via, "residents")
    pairs = _shares(parts, outside)
    sums = pairs.groupby("source_code")["weight"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(source)))


@settings(deadline=None, max_examples=60)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case, random):
    table, source, target, via = case
    made = interpolate_areal(table, source, target, via=via, intensive=["rate"])
    mixed = [t.sample(frac=1, random_state=random.randrange(2**32)) for t in (table, source)]
    turned = interpolate_areal(*mixed, target.iloc[::-1], via=via, intensive=["rate"])
    pd.testing.assert_frame_equal(turned.sort_index(), made.sort_index())
