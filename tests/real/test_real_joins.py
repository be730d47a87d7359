"""Real records and boundaries: agreement with police.uk, totals, town centres, lookups."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from placeshaping._core.crs import to_grid
from placeshaping.areas.lookups import make_lookup, read_changes
from placeshaping.areas.neighbours import contiguity
from placeshaping.areas.selection import codes_within
from placeshaping.hotspots.getis import getis_ord
from placeshaping.joins.points import count_by_area, place_events
from placeshaping.statistics.rates import poor_denominator

pytestmark = pytest.mark.real

FORCE = {"E06000016", "E06000017", *(f"E070001{i}" for i in range(29, 36))}


@pytest.fixture(scope="module")
def raw(real_data):
    with zipfile.ZipFile(real_data / "police_uk" / "leicestershire.zip") as archive:
        names = sorted(n for n in archive.namelist() if n.endswith("-street.csv"))
        return pd.concat([pd.read_csv(archive.open(n)) for n in names], ignore_index=True)


@pytest.fixture(scope="module")
def events(raw):
    easting, northing = to_grid(raw["Longitude"], raw["Latitude"])
    return pd.DataFrame(
        {
            "easting": easting,
            "northing": northing,
            "period": pd.to_datetime(raw["Month"]),
            "category": raw["Crime type"].astype("category"),
            "area_code": raw["LSOA code"],
        }
    )


@pytest.fixture(scope="module")
def nation(real_data):
    areas = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    areas = areas.rename(columns={"LSOA21CD": "area_code", "LSOA21NM": "area_name"})
    areas = areas.set_index("area_code").to_crs(27700)
    areas["geometry"] = areas.geometry.make_valid()
    areas.attrs.update(level="lsoa", vintage="2021")
    return areas


@pytest.fixture(scope="module")
def county(nation):
    areas = nation[nation["LADCD"].isin(FORCE)]
    areas.attrs.update(nation.attrs)
    return areas


@pytest.fixture(scope="module")
def changes(real_data):
    return read_changes(real_data / "lookups" / "lsoa11_lsoa21_lad22.csv.gz")


def test_places_agree_with_the_codes_of_police_uk(events, nation, changes):
    report = place_events(events, nation, changes=changes, outside="drop").attrs["report"]
    assert report.published_agree == pytest.approx(0.955, abs=0.005)
    assert report.unplaced == events["easting"].isna().sum()
    assert report.by_coordinate + report.unplaced == len(events) == 324_093


def test_counts_are_those_of_a_spatial_join(events, county):
    located = events.dropna(subset="easting")
    points = gpd.GeoSeries.from_xy(located["easting"], located["northing"], crs=27700)
    joined = gpd.sjoin(points.to_frame("geometry"), county[["geometry"]], predicate="intersects")
    expected = joined.groupby(joined.index)["area_code"].min().value_counts()
    placed = place_events(events, county, outside="drop")
    counts = count_by_area(events.drop(columns="area_code"), county, by=(), outside="drop")
    totals = counts.set_index("area_code")["count"]
    assert totals[totals > 0].to_dict() == expected.to_dict()
    assert placed.attrs["report"].outside > 0


def test_the_whole_table_is_complete_and_conserves_the_records(events, county):
    codes = place_events(events, county, outside="drop")
    counts = count_by_area(events, county, codes=codes, outside="drop")
    assert len(counts) == len(county) * 36 * 14
    assert counts["count"].sum() == codes.notna().sum()
    monthly = events[codes.notna()].groupby("period").size()
    assert counts.groupby("period")["count"].sum().to_dict() == monthly.to_dict()


def test_the_shapefile_of_the_city_places_the_same_records(events, county, real_data):
    city = gpd.read_file(real_data / "boundaries" / "leicester_lsoa_2021_shp").set_index("LSOA21CD")
    of_file = place_events(events, city, outside="drop")
    of_nation = place_events(events, county, outside="drop")
    inside = of_nation.isin(city.index)
    assert (of_file[inside] == of_nation[inside]).mean() > 0.999
    assert of_file[~inside].notna().mean() < 0.01


def test_city_centres_and_few_others_have_a_poor_denominator(events, county, real_data):
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    residents = census.set_index("geography code").iloc[:, 2]
    city = county[county["LADCD"] == "E06000016"]
    year = events[events["period"].dt.year == 2025]
    counts = count_by_area(year, city, by=(), outside="drop").set_index("area_code")["count"]
    poor = poor_denominator(counts, residents)
    names = set(city.loc[poor, "area_name"])
    assert {"Leicester 041E", "Leicester 041D"} <= names
    assert len(names) <= 4


def test_the_lookups_cover_the_nation(nation, real_data):
    files = [
        real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz",
        real_data / "lookups" / "lad24_csp24_pfa24.csv",
        real_data / "boundaries" / "msoa_2021_ew.gpkg",
    ]
    lookup = make_lookup(nation, files, levels=["msoa", "ward", "district", "police_force"])
    assert lookup.notna().all(axis=None)
    assert lookup["msoa_code"].nunique() == 7264
    assert lookup["msoa_code"].str.fullmatch(r"[EW]02\d{6}").all()
    assert lookup["district_code"].nunique() == 318
    force = codes_within(lookup, ["leicestershire"], level="police_force")
    assert set(nation.loc[force, "LADCD"]) == FORCE
    assert len(codes_within(lookup, ["Leicester"])) == 200


def test_every_area_of_the_county_has_neighbours_and_a_score(events, county):
    neighbours = contiguity(county, islands="raise")
    counts = count_by_area(events, county, by=("category",), outside="drop")
    series = counts.pivot(index="area_code", columns="category", values="count")
    scores = getis_ord(series.reindex(county.index), neighbours)
    assert scores["gi_star"].notna().all()
    centre = scores.loc["E01034022"]
    assert (centre["cluster"] == "hot_99").sum() >= 10
    assert np.isfinite(scores["q_value"]).all()
