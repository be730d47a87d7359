"""What must hold of any invented district, whatever the seed."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from placeshaping.synthetic.district import make_district
from placeshaping.synthetic.names import place_names, postcodes
from placeshaping.synthetic.partition import divide


@settings(max_examples=12, deadline=None)
@given(areas=st.integers(10, 320), seed=st.integers(0, 10_000))
def test_any_district_is_whole(areas: int, seed: int):
    district = make_district(areas, seed=seed, months=1)
    assert len(district.lsoa) == areas
    for table in (district.oa, district.lsoa, district.lsoa_2011, district.msoa, district.wards):
        shapes = table.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)
        assert table.iloc[:, 0].is_unique
    assert district.population["residents"].between(1_000, 3_000).all()
    total = district.districts.area.sum()
    assert 0.5 < total / (areas * 3.0e6) < 1.6
    assert set(district.lookup_2011["CHNGIND"]) == {"U", "S", "M", "X"}
    assert set(district.lookup["WD24CD"]) == set(district.wards["WD24CD"])
    land = district.districts.geometry.union_all()
    shapely.prepare(land)
    events = district.events
    assert shapely.contains_xy(land, events["easting"], events["northing"]).mean() > 0.999


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    seed=st.integers(0, 1_000),
    data=st.data(),
)
def test_division_gives_every_parent_its_parts(sizes: list[int], seed: int, data: st.DataObject):
    parts = np.array([data.draw(st.integers(1, size)) for size in sizes])
    rng = np.random.default_rng(seed)
    parent = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    xy = rng.random((len(parent), 2))
    label = divide(xy, np.ones(len(parent)), parent, parts, rng)
    assert set(label) == set(range(parts.sum()))
    first = np.concatenate([[0], np.cumsum(parts)])
    for one in range(len(sizes)):
        own = label[parent == one]
        assert own.min() >= first[one]
        assert own.max() < first[one + 1]
        counts = np.bincount(own - first[one], minlength=parts[one])
        assert counts.max() <= np.ceil(sizes[one] / parts[one]) + 3


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 30_000), seed=st.integers(0, 99))
def test_names_and_postcodes_never_repeat(count: int, seed: int):
    assert len(set(place_names(count, np.random.default_rng(seed)))) == count
    assert len(set(postcodes(count))) == count
