"""What must hold of any proposal of wards."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box, union_all

from placeshaping.disclosure.policies import POLICIES
from placeshaping.disclosure.wards import protect_review
from placeshaping.shaping.ward_compare import proposal_distance
from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.shaping.ward_search import propose_wards
from placeshaping.shaping.wards import ELECTORS, make_review


@st.composite
def reviews(draw):
    across, up = draw(st.integers(3, 7)), draw(st.integers(2, 6))
    squares = [box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100)
               for y in range(up) for x in range(across)]  # fmt: skip
    size = len(squares)
    electors = draw(st.lists(st.integers(0, 400), min_size=size, max_size=size))
    electors[0] += 1
    parish = draw(st.lists(st.sampled_from(["P", "Q", None]), min_size=size, max_size=size))
    units = gpd.GeoDataFrame(
        {"electors_now": electors, "electors_forecast": electors[::-1], "parish": parish},
        geometry=squares, crs=27700, index=[f"u{i}" for i in range(size)],
    )  # fmt: skip
    sizes = draw(st.sampled_from([(1,), (1, 2), (1, 2, 3), (2, 3), (3,)]))
    councillors = draw(st.integers(1, 3)) * max(sizes)
    return make_review(units, councillors=councillors, name="Drawn", sizes=sizes)


@settings(max_examples=40, deadline=None)
@given(reviews(), st.integers(0, 1000))
def test_any_proposal_is_a_partition_into_wards_of_one_piece(review, seed):
    proposals = propose_wards(review, seed=seed, chains=2, steps=150, apart=0.05)
    for one in proposals:
        assert list(one.ward_of.index) == list(review.units.index)
        assert set(one.ward_of) == set(one.wards.index)
        assert one.wards["councillors"].sum() == review.councillors
        assert one.wards["councillors"].isin(review.sizes).all()
        assert one.wards["name"].is_unique
        wards = score_proposal(review, one).wards
        assert (wards["parts"] == 1).all()
        for column in ("electors_now", "electors_forecast"):
            assert wards[column].sum() == review.units[column].sum()
        mean = np.average(wards["variance_forecast"], weights=wards["councillors"])
        assert abs(mean) < 1e-9


@settings(max_examples=40, deadline=None)
@given(reviews(), st.integers(0, 1000))
def test_compactness_is_that_of_the_dissolved_shape(review, seed):
    one = propose_wards(review, most=1, seed=seed, chains=1, steps=20)[0]
    wards = score_proposal(review, one).wards
    for ward, row in wards.iterrows():
        shape = union_all(review.units.geometry[one.ward_of == ward].to_numpy())
        assert abs(4 * np.pi * shape.area / shape.length**2 - row["compactness"]) < 1e-9


@settings(max_examples=30, deadline=None)
@given(reviews(), st.integers(0, 1000))
def test_distance_is_symmetric_and_at_most_one(review, seed):
    found = propose_wards(review, seed=seed, chains=3, steps=30, apart=0.0)
    for one in found:
        assert proposal_distance(review, one, one) == 0
        for other in found:
            there = proposal_distance(review, one, other)
            assert 0 <= there <= 1
            assert abs(there - proposal_distance(review, other, one)) < 1e-12


@settings(max_examples=30, deadline=None)
@given(reviews(), st.randoms())
def test_the_mark_of_a_review_does_not_depend_on_the_order_of_units(review, random):
    order = list(review.units.index)
    random.shuffle(order)
    known = ["electors_now", "electors_forecast", "parish", "geometry"]
    again = make_review(
        review.units.loc[order, known], councillors=review.councillors, name="Drawn",
        sizes=review.sizes,
    )  # fmt: skip
    assert again.digest == review.digest
    assert pd.Index(again.units.index).equals(pd.Index(order))


@settings(max_examples=60, deadline=None)
@given(reviews(), st.sampled_from(["public", "councillor", "nhs"]))
def test_no_unit_that_leaves_is_under_the_floor_and_none_is_lost(review, name):
    policy = POLICIES[name]
    electors = review.units[list(ELECTORS)]
    if (electors.min(axis=1) < policy.threshold).sum() >= len(electors) - 1:
        return  # only then may fewer than two units be left, which is refused
    protected, members = protect_review(review, policy=name)
    shown = protected.units[list(ELECTORS)].to_numpy()
    low = policy.smallest_hidden
    assert not ((shown >= low) & (shown < policy.threshold)).any()
    assert (shown % policy.rounding == 0).all()
    held = [code for code in protected.units.index if code not in members]
    held += [code for codes in members.values() for code in codes]
    assert sorted(held) == sorted(review.units.index)
    for code in protected.units.index:
        codes = list(members.get(code, [code]))
        before = electors.loc[codes].sum().to_numpy()
        assert (abs(protected.units.loc[code, list(ELECTORS)] - before) <= 2.5).all()
        whole = union_all(review.units.geometry[codes].to_numpy())
        assert protected.units.geometry[code].equals(whole)
        assert whole.geom_type == "Polygon"
    assert protected.units["square_metres"].sum() == review.units["square_metres"].sum()
    known = [*ELECTORS, "parish", "geometry"]
    anew = make_review(
        protected.units[known], councillors=review.councillors, name="Drawn", sizes=review.sizes
    )
    assert anew.digest == protected.digest
    assert anew.units["outer_metres"].tolist() == protected.units["outer_metres"].tolist()
