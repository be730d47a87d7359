"""Real codes: FixMyStreet counts and recorded crime between census years, levels, parts."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.fits import best_fit
from placeshaping.areas.lookups import make_lookup, read_changes, read_lookup
from placeshaping.joins.interpolation import interpolate_areal
from placeshaping.joins.levels import convert_level
from placeshaping.joins.points import assign_area
from placeshaping.joins.vintages import convert_vintage
from placeshaping.sources.police import read_police
from placeshaping.sources.populations import read_population

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def changes(real_data):
    return read_changes(real_data / "lookups" / "lsoa11_lsoa21_lad22.csv.gz")


@pytest.fixture(scope="module")
def residents_2021(real_data):
    return read_population(real_data / "census" / "census2021-ts001-lsoa.csv.gz")


@pytest.fixture(scope="module")
def residents_2011(real_data):
    return read_population(real_data / "census" / "population_mid2019_age_lsoa11.csv.gz")


@pytest.fixture(scope="module")
def reports(real_data):
    table = pd.read_csv(real_data / "services" / "fixmystreet_lsoa11_2018_2019.csv.gz")
    counts = table.rename(columns={"lsoa": "area_code", "SHEF_B_CODE": "category"})
    counts = counts.assign(period=pd.to_datetime(counts["month"]), count=counts["reports"])
    return counts[["area_code", "period", "category", "count"]]


@pytest.fixture(scope="module")
def to_district(real_data):
    return read_lookup(real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz")


def test_fixmystreet_there_equals_an_independent_count(reports, changes, residents_2021, real_data):
    made = convert_vintage(reports, changes, weights=residents_2021, incomplete="allow")
    assert made["count"].sum() == pytest.approx(680_330)
    raw = pd.read_csv(real_data / "lookups" / "lsoa11_lsoa21_lad22.csv.gz")
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    people = census.set_index("geography code").iloc[:, 2]
    raw["people"] = raw["LSOA21CD"].map(people)
    raw["share"] = raw["people"] / raw.groupby("LSOA11CD")["people"].transform("sum")
    irregular = raw["CHNGIND"] == "X"
    own = {"E01008187": "E01035624", "E01023964": "E01035608", "E01023508": "E01035609"}
    best = raw["LSOA11CD"].map(own).fillna(raw["LSOA21CD"]) == raw["LSOA21CD"]
    raw.loc[irregular, "share"] = best[irregular].astype(float)
    joined = reports.merge(raw, left_on="area_code", right_on="LSOA11CD")
    joined["part"] = joined["count"] * joined["share"]
    keys = ["LSOA21CD", "period", "category"]
    expected = joined[joined["share"] > 0].groupby(keys)["part"].sum()
    result = made.set_index(["area_code", "period", "category"])["count"]
    assert len(result) == len(expected)
    assert np.abs(result.reindex(expected.index) - expected).max() < 1e-9
    report = made.attrs["conversions"][-1]
    assert report.areas == {
        "unchanged": 29_485, "merged": 196, "split": 825, "irregular": 6, "already": 0,
    }  # fmt: skip
    assert report.estimated["count"] == pytest.approx(0.055, abs=0.001)


def test_fixmystreet_there_and_back_conserves_totals(
    reports, changes, residents_2021, residents_2011
):
    options = {"incomplete": "allow", "whole": True}
    there = convert_vintage(reports, changes, weights=residents_2021, **options)
    back = convert_vintage(there, changes, to="2011", weights=residents_2011, **options)
    assert there["count"].sum() == back["count"].sum() == 680_330
    monthly = reports.groupby(["period", "category"])["count"].sum()
    assert there.groupby(["period", "category"])["count"].sum().equals(monthly)
    assert back.groupby(["period", "category"])["count"].sum().equals(monthly)
    before = reports.groupby("area_code")["count"].sum()
    after = back.groupby("area_code")["count"].sum()
    merged = changes.loc[changes["change"].isin(["M", "X"]), "lsoa11_code"]
    same = before.index.difference(merged)
    assert after.reindex(same).equals(before.reindex(same))


def test_residents_of_2019_come_close_to_the_census(changes, residents_2011, residents_2021):
    made = convert_vintage(residents_2011[["residents"]], changes, weights=residents_2021)
    assert len(made) == 35_672
    assert made["residents"].sum() == pytest.approx(residents_2011["residents"].sum())
    ratio = made["residents"] / residents_2021["residents"].reindex(made.index)
    assert ratio.median() == pytest.approx(1, abs=0.02)
    assert made.index.is_unique


def test_the_police_series_is_on_one_year_and_near_the_coordinates(
    real_data, changes, residents_2021
):
    events = read_police(real_data / "police_uk" / "leicestershire.zip")
    known = events.dropna(subset=["area_code", "easting"])
    known = known[known["area_code"].isin({*changes["lsoa11_code"], *changes["lsoa21_code"]})]
    counts = known.groupby(["area_code", "period"]).size().rename("count").reset_index()
    made = convert_vintage(counts, changes, weights=residents_2021, incomplete="allow", whole=True)
    report = made.attrs["conversions"][-1]
    assert report.found == "mixed"
    assert made["count"].sum() == len(known)
    assert set(made["area_code"]) <= set(changes["lsoa21_code"])
    areas = read_boundaries(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    placed = assign_area(known, areas)
    by_place = known.assign(area_code=placed).groupby(["area_code", "period"]).size()
    by_code = made.set_index(["area_code", "period"])["count"]
    early = known["period"] < "2023-06"
    for months, limit in ((early, 0.07), (~early, 0.07)):
        held = by_code[by_code.index.get_level_values("period").isin(known[months]["period"])]
        other = by_place[by_place.index.get_level_values("period").isin(known[months]["period"])]
        moved = held.sub(other, fill_value=0).abs().sum() / 2 / months.sum()
        print(f"{months.sum():,} records: {moved:.2%} in another area than by coordinate")
        assert moved < limit


def test_barnsley_and_sheffield_are_recognised(real_data, to_district, residents_2021):
    to_force = read_lookup(real_data / "lookups" / "lad24_csp24_pfa24.csv")
    names = {"E08000016": "E08000038", "E08000019": "E08000039"}
    districts = convert_level(residents_2021[["residents"]], to_district, to="district")
    raw = pd.read_csv(real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz")
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    joined = raw.merge(census, left_on="LSOA21CD", right_on="geography code")
    counted = joined.groupby("LAD24CD")[census.columns[3]].sum()
    assert districts["residents"].to_dict() == counted.to_dict()
    newer = districts.rename(index=names)
    newer.attrs.update(districts.attrs)
    force = convert_level(newer, to_force, to="police_force", missing="drop")
    assert force.attrs["conversions"][-1].recoded == tuple(sorted(names.values()))
    old = convert_level(districts, to_force, to="police_force", missing="drop")
    pd.testing.assert_frame_equal(force, old)
    boundaries = gpd.read_file(real_data / "boundaries" / "lad_2024.gpkg")
    code = next(c for c in boundaries.columns if c.upper().endswith("CD"))
    areas = boundaries.set_index(code)
    written = convert_level(
        residents_2021[["residents"]], to_district.replace(names), to="district", areas=areas
    )
    assert set(names) <= set(written.index)
    assert written.attrs["conversions"][-1].not_in_areas == ()


def test_districts_of_several_partnerships_are_told(real_data, to_district, residents_2021):
    to_csp = read_lookup(real_data / "lookups" / "lad24_csp24_pfa24.csv")
    districts = convert_level(residents_2021[["residents"]], to_district, to="district")
    made = convert_level(districts, to_csp, to="csp", missing="drop")
    report = made.attrs["conversions"][-1]
    assert report.several == (
        "E06000058", "E06000060", "E06000061", "E06000062", "E06000063", "E06000064", "E07000244",
    )  # fmt: skip
    assert report.without == ()
    assert 0.03 < report.lost["residents"] < 0.06
    left = made["residents"].sum() + report.lost["residents"] * districts["residents"].sum()
    assert left == pytest.approx(districts["residents"].sum())


def test_wards_that_the_boundaries_lack_are_told(real_data, to_district, residents_2021):
    wards = gpd.read_file(real_data / "boundaries" / "ward_2022.gpkg")
    code = next(c for c in wards.columns if c.upper().startswith("WD") and "CD" in c.upper())
    made = convert_level(
        residents_2021[["residents"]], to_district, to="ward", areas=wards.set_index(code)
    )
    report = made.attrs["conversions"][-1]
    assert report.fit == "best fit"
    assert made["residents"].sum() == residents_2021["residents"].sum()
    assert 0.1 < len(report.not_in_areas) / len(made) < 0.3


def test_output_areas_reach_every_level(real_data):
    to_lsoa = read_lookup(real_data / "lookups" / "oa21_lsoa21_ew.csv.gz")
    oas = gpd.GeoDataFrame(index=pd.Index(to_lsoa["oa_code"], name="area_code"))
    oas.attrs["level"] = "oa"
    files = [real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz", to_lsoa]
    lookup = make_lookup(oas, files, levels=["lsoa", "ward", "district"])
    assert lookup.notna().all(axis=None)
    counts = pd.DataFrame({"count": 1}, index=oas.index)
    counts.attrs["level"] = "oa"
    for level, areas in (("lsoa", 35_672), ("district", 318)):
        made = convert_level(counts, lookup, to=level)
        assert (len(made), made["count"].sum()) == (areas, 188_880)
    fits = best_fit(lookup.reset_index(), source="lsoa", target="ward")
    assert fits["share"].eq(1).all()


def test_leicester_goes_to_its_wards_through_small_areas(real_data, residents_2021):
    city = read_boundaries(real_data / "boundaries" / "leicester_lsoa_2021_shp")
    wards = read_boundaries(real_data / "boundaries" / "ward_2022.gpkg", duplicates="dissolve")
    near = wards[wards.intersects(city.union_all())]
    people = city.assign(residents=residents_2021["residents"].reindex(city.index))
    table = people[["residents"]].drop(columns="geometry", errors="ignore")
    options = {"outside": "within"}
    by_people = interpolate_areal(pd.DataFrame(table), city, near, via=people, **options)
    by_area = interpolate_areal(pd.DataFrame(table), city, near, via="area", **options)
    for made in (by_people, by_area):
        assert made["residents"].sum() == pytest.approx(table["residents"].sum())
    both = pd.concat([by_people["residents"], by_area["residents"]], axis=1).fillna(0)
    assert np.corrcoef(both.to_numpy().T)[0, 1] > 0.95
