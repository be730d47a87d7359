"""What must hold of any table of changes and any counts."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.joins._shares import shares_of
from placeshaping.joins.levels import convert_level
from placeshaping.joins.vintages import _turned, convert_vintage

MONTHS = pd.date_range("2023-01-01", periods=3, freq="MS")
KEYS = ["area_code", "period"]


@st.composite
def all_changes(draw):
    """Draw groups of areas: unchanged, split, merged, or irregular."""
    rows, old, new = [], 0, 0
    for kind in draw(st.lists(st.sampled_from("USMX"), min_size=1, max_size=6)):
        many = draw(st.integers(2, 4))
        before = [f"E0100{old + i:04}" for i in range(many if kind in "MX" else 1)]
        after = [f"E0109{new + i:04}" for i in range(many if kind in "SX" else 1)]
        old, new = old + len(before), new + len(after)
        if kind == "X":  # a chain: each old one reaches two new ones, but for the last
            pairs = [(b, a) for i, b in enumerate(before) for a in after[i : i + 2]]
        else:
            pairs = [(b, a) for b in before for a in (before if kind == "U" else after)]
        rows += [(b, a, kind) for b, a in pairs]
    return pd.DataFrame(rows, columns=["lsoa11_code", "lsoa21_code", "change"])


@st.composite
def cases(draw):
    changes = draw(all_changes())
    to = draw(st.sampled_from(["2011", "2021"]))
    codes = sorted({*changes["lsoa11_code"], *changes["lsoa21_code"]})
    row = st.tuples(st.sampled_from(codes), st.sampled_from(list(MONTHS)), st.integers(0, 40))
    rows = draw(st.lists(row, min_size=1, max_size=30))
    weights = {code: draw(st.integers(0, 2000)) for code in codes}
    table = pd.DataFrame(rows, columns=[*KEYS, "count"])
    return changes, to, table, pd.Series(weights, name="residents")


@settings(deadline=None, max_examples=80)
@given(cases(), st.booleans())
def test_totals_are_conserved_in_every_period(case, whole):
    changes, to, table, weights = case
    made = convert_vintage(table, changes, to=to, weights=weights, whole=whole, incomplete="allow")
    before = table.groupby("period")["count"].sum()
    after = made.groupby("period")["count"].sum()
    assert after.to_dict() == pytest.approx(before.to_dict())
    wanted = changes["lsoa11_code" if to == "2011" else "lsoa21_code"]
    assert set(made["area_code"]) <= set(wanted)
    assert not made.duplicated(KEYS).any()
    if whole:
        assert made["count"].dtype == "int64"
        assert (made["count"] >= 0).all()


@settings(deadline=None, max_examples=80)
@given(cases(), st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case, whole, random):
    changes, to, table, weights = case
    options = {"to": to, "weights": weights, "whole": whole, "incomplete": "allow"}
    shuffled = table.sample(frac=1, random_state=random.randrange(2**32))
    mixed = changes.sample(frac=1, random_state=random.randrange(2**32))
    first = convert_vintage(table, changes, **options)
    second = convert_vintage(shuffled, mixed, **options)
    pd.testing.assert_frame_equal(
        first.sort_values(KEYS, ignore_index=True), second.sort_values(KEYS, ignore_index=True)
    )


@settings(deadline=None, max_examples=80)
@given(all_changes(), st.sampled_from(["2011", "2021"]), st.data())
def test_weights_of_every_area_sum_to_one(changes, to, data):
    rows = _turned(changes, to)
    weights = {code: data.draw(st.integers(0, 9)) for code in rows["target_code"].unique()}
    for given_weights in (pd.Series(weights), "equal"):
        pairs = shares_of(rows, given_weights, to=to).pairs
        sums = pairs.groupby("source_code")["weight"].sum()
        assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
        assert (pairs["weight"] >= 0).all()
        irregular = pairs[pairs["irregular"]]
        assert irregular["weight"].isin([0, 1]).all()


@settings(deadline=None, max_examples=60)
@given(cases())
def test_whole_numbers_stay_within_one_of_their_running_share(case):
    changes, to, table, weights = case
    exact = convert_vintage(table, changes, to=to, weights=weights, incomplete="allow")
    whole = convert_vintage(table, changes, to=to, weights=weights, whole=True, incomplete="allow")
    sums = [t.groupby("area_code")["count"].sum() for t in (exact, whole)]
    sources = changes.groupby("lsoa21_code" if to == "2021" else "lsoa11_code").size()
    allowed = sources.reindex(sums[0].index).to_numpy()
    assert (np.abs(sums[0] - sums[1]).to_numpy() <= 2 * allowed).all()


@settings(deadline=None, max_examples=60)
@given(cases(), st.data())
def test_levels_conserve_totals_whatever_the_order(case, data):
    changes, _, table, _ = case
    codes = sorted({*changes["lsoa11_code"], *changes["lsoa21_code"]})
    parents = [data.draw(st.sampled_from(["W1", "W2", "W3"])) for _ in codes]
    lookup = pd.DataFrame({"ward_code": parents}, index=pd.Index(codes, name="area_code"))
    made = convert_level(table, lookup, to="ward")
    backwards = convert_level(table.iloc[::-1], lookup.iloc[::-1], to="ward")
    keys = table["area_code"].map(lookup["ward_code"])
    expected = table["count"].groupby([keys, table["period"]]).sum()
    for result in (made, backwards):
        assert result.set_index(KEYS)["count"].to_dict() == expected.to_dict()
