"""The invented district's areas: they fit together, and their codes and lookups agree with them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping._core.codes import is_synthetic, level_of, made_for_2021
from placeshaping._core.crs import DEGREE_BOUNDS, to_degrees
from placeshaping._core.errors import InputError
from placeshaping.synthetic.district import District, make_district


@pytest.fixture(scope="module")
def district() -> District:
    return make_district(120, seed=3, months=1)


@pytest.fixture(scope="module")
def several() -> District:
    return make_district(650, seed=5, months=1)


@pytest.mark.parametrize("name", ["oa", "lsoa", "lsoa_2011", "msoa", "wards", "districts"])
def test_areas_of_a_level_are_a_valid_coverage(district: District, name: str):
    shapes = getattr(district, name).geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize("name", ["oa", "lsoa", "lsoa_2011", "msoa", "wards"])
def test_every_level_covers_the_same_land(district: District, name: str):
    whole = shapely.union_all(district.districts.geometry.to_numpy())
    parts = shapely.coverage_union_all(getattr(district, name).geometry.to_numpy())
    assert shapely.equals(whole, parts)


def test_areas_of_several_districts_share_their_edges(several: District):
    assert len(several.districts) == 3
    for table in (several.oa, several.lsoa, several.msoa, several.districts):
        shapes = table.geometry.to_numpy()
        assert shapely.is_valid(shapes).all()
        assert shapely.coverage_is_valid(shapes)


@pytest.mark.parametrize(
    ("child", "parent", "code"),
    [("oa", "lsoa", "LSOA21CD"), ("oa", "lsoa_2011", "LSOA11CD"), ("oa", "wards", "WD24CD")],
)
def test_output_areas_dissolve_to_their_parents(
    district: District, child: str, parent: str, code: str
):
    small = getattr(district, child).merge(district.lookup_oa, on="OA21CD")
    built = small.dissolve(code, method="coverage").geometry
    given = getattr(district, parent).set_index(code).geometry
    assert built.index.equals(given.index)
    assert shapely.equals(built.to_numpy(), given.to_numpy()).all()


def test_lsoas_dissolve_to_msoas_and_district(district: District):
    table = district.lsoa.merge(district.lookup, on="LSOA21CD")
    for code, parent in (("MSOA21CD", district.msoa), ("LAD24CD", district.districts)):
        built = table.dissolve(code, method="coverage").geometry
        given = parent.set_index(code).geometry.loc[built.index]
        assert shapely.equals(built.to_numpy(), given.to_numpy()).all()


def test_edges_are_not_straight(district: District):
    area, length = district.lsoa.area, district.lsoa.length
    compact = 4 * np.pi * area / length**2
    assert 0.15 < compact.median() < 0.55  # real LSOAs: about 0.35; a hexagon: 0.91


def test_there_is_a_detached_part(district: District):
    assert district.districts.geometry.iloc[0].geom_type == "MultiPolygon"


def test_towns_are_dense_and_countryside_is_not(district: District):
    table = district.lsoa.merge(district.population, on="LSOA21CD")
    density = table["residents"] / (table.area / 1e6)
    assert density.quantile(0.1) < 400
    assert density.quantile(0.9) > 3_500
    assert density.max() < 45_000


def test_the_place_lies_where_the_national_grid_is_valid(several: District):
    west, south, east, north = several.districts.total_bounds
    longitude, latitude = to_degrees([west, east], [south, north])
    assert DEGREE_BOUNDS[0] < longitude.min() < longitude.max() < DEGREE_BOUNDS[2]
    assert DEGREE_BOUNDS[1] < latitude.min() < latitude.max() < DEGREE_BOUNDS[3]


def test_codes_are_of_the_right_level_and_invented(several: District):
    for table, code, level in (
        (several.oa, "OA21CD", "oa"),
        (several.lsoa, "LSOA21CD", "lsoa"),
        (several.lsoa_2011, "LSOA11CD", "lsoa"),
        (several.msoa, "MSOA21CD", "msoa"),
        (several.wards, "WD24CD", "ward"),
        (several.districts, "LAD24CD", "district"),
    ):
        assert table[code].is_unique
        assert all(level_of(c) == level for c in table[code])
        if level == "oa":
            assert table[code].between("E00500001", "E00999999").all()
        else:
            assert all(is_synthetic(c) for c in table[code])


def test_names_follow_the_official_style(district: District):
    merged = district.lookup
    assert merged["LSOA21NM"].is_unique
    assert merged["LSOA21NM"].str.fullmatch(r"Marshwick \d{3}[A-Z]").all()
    assert (merged["LSOA21NM"].str[:-1] == merged["MSOA21NM"]).all()
    assert district.wards["WD24NM"].is_unique
    north = district.msoa.set_index("MSOA21NM").sort_index().geometry.centroid.y
    assert north.iloc[0] > north.iloc[-1]


def test_new_codes_mark_exactly_the_changed_areas(district: District):
    lookup = district.lookup_2011
    fresh = lookup["LSOA21CD"].map(made_for_2021)
    assert (fresh == (lookup["CHNGIND"] != "U")).all()
    assert not lookup["LSOA11CD"].map(made_for_2021).any()
    same = lookup[lookup["CHNGIND"] == "U"]
    assert (same["LSOA11CD"] == same["LSOA21CD"]).all()
    assert (same["LSOA11NM"] == same["LSOA21NM"]).all()


def test_change_indicators_agree_with_the_geometry(district: District):
    lookup = district.lookup_2011
    assert set(lookup["CHNGIND"]) == {"U", "S", "M", "X"}
    old = district.lsoa_2011.set_index("LSOA11CD").geometry
    new = district.lsoa.set_index("LSOA21CD").geometry
    for change, rows in lookup.groupby("CHNGIND"):
        olds, news = old[rows["LSOA11CD"]].to_numpy(), new[rows["LSOA21CD"]].to_numpy()
        if change == "U":
            assert shapely.equals(olds, news).all()
        if change == "S":
            assert shapely.covers(olds, shapely.point_on_surface(news)).all()
            assert (shapely.area(news) < shapely.area(olds)).all()
        if change == "M":
            assert (shapely.area(olds) < shapely.area(news)).all()
        if change == "X":
            assert rows["LSOA11CD"].duplicated().any()
            assert rows["LSOA21CD"].duplicated().any()
        overlap = shapely.area(shapely.intersection(olds, news))
        assert (overlap > 1.0).all()


def test_split_and_merged_areas_add_up(district: District):
    lookup = district.lookup_2011
    old = district.lsoa_2011.set_index("LSOA11CD").area
    new = district.lsoa.set_index("LSOA21CD").area
    split = lookup[lookup["CHNGIND"] == "S"]
    summed = new[split["LSOA21CD"]].groupby(split["LSOA11CD"].to_numpy()).sum()
    assert summed.to_numpy() == pytest.approx(old[summed.index].to_numpy())
    merged = lookup[lookup["CHNGIND"] == "M"]
    summed = old[merged["LSOA11CD"]].groupby(merged["LSOA21CD"].to_numpy()).sum()
    assert summed.to_numpy() == pytest.approx(new[summed.index].to_numpy())
    assert merged.groupby("LSOA21CD").size().eq(2).all()


def test_wards_fit_lsoas_only_roughly(district: District):
    pairs = district.lookup_oa[["LSOA21CD", "WD24CD"]].drop_duplicates()
    spread = pairs.groupby("LSOA21CD").size()
    assert 0.05 < (spread > 1).mean() < 0.8
    fit = district.lookup.set_index("LSOA21CD")["WD24CD"]
    assert set(fit) == set(district.wards["WD24CD"])
    oas = district.lookup_oa.merge(district.electors, on="OA21CD", suffixes=("", "_e"))
    inside = oas.assign(hit=oas["WD24CD"] == oas["LSOA21CD"].map(fit))
    assert 0.6 < inside.loc[inside["hit"], "electors"].sum() / inside["electors"].sum() < 1


def test_population_adds_up_across_levels(district: District):
    people = district.population
    ages = [c for c in people.columns if c.startswith("age_")]
    assert people[ages].sum(axis=1).equals(people["residents"])
    assert people["residents"].between(1_000, 3_000).all()
    assert (people["households"] < people["residents"]).all()
    summed = district.electors.groupby("LSOA21CD")["electors"].sum()
    assert people.set_index("LSOA21CD")["electors"].equals(summed)
    later = district.electors.groupby("LSOA21CD")["electors_in_five_years"].sum()
    assert people.set_index("LSOA21CD")["electors_in_five_years"].equals(later)
    adults = people["residents"] - people["age_0_15"] - people["age_16_17"]
    assert (people["electors"] <= adults).all()


def test_the_number_of_areas_is_kept(several: District):
    assert len(several.lsoa) == len(several.population) == len(several.deprivation) == 650
    sizes = several.lookup.groupby("LAD24CD").size()
    assert sizes.between(120, 320).all()
    assert several.lookup.groupby("MSOA21CD").size().between(2, 9).all()
    per_lsoa = several.lookup_oa.groupby("LSOA21CD").size()
    assert per_lsoa.between(4, 6).all()


def test_streets_run_on_land_and_join(district: District):
    streets = district.streets
    land = district.districts.geometry.union_all()
    shapely.prepare(land)
    assert shapely.intersects(land, streets.geometry.to_numpy()).all()
    dry = shapely.length(shapely.intersection(land, streets.geometry.to_numpy())).sum()
    assert dry / streets.length.sum() > 0.999
    assert set(streets["kind"]) == {"A road", "street", "lane"}
    ends = pd.concat([streets["from_node"], streets["to_node"]]).value_counts()
    assert 2.2 < ends.mean() < 3.5
    assert streets.groupby("street_id")["name"].nunique().eq(1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"areas": 3}, "areas is 3; an invented district has 10 to"),
        ({"areas": 90_000}, "areas is 90,000"),
        ({"months": 0}, "months is 0; the crime record needs at least 1"),
        ({"first_month": "July"}, "first_month is 'July'; write it as '2022-07'"),
    ],
)
def test_senseless_sizes_are_refused(arguments: dict[str, object], message: str):
    with pytest.raises(InputError, match=re.escape(message)):
        make_district(**arguments)  # type: ignore[arg-type]
