"""Real records and boundaries: agreement with police.uk, totals, town centres, lookups."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from libpysal.graph import Graph

from placeshaping._core.crs import to_grid
from placeshaping.areas.lookups import make_lookup, read_changes
from placeshaping.areas.neighbours import contiguity, distance_band, k_nearest
from placeshaping.areas.selection import codes_within
from placeshaping.hotspots.getis import getis_ord
from placeshaping.joins.agreement import compare_published
from placeshaping.joins.index import build_index, read_index, write_index
from placeshaping.joins.points import assign_area, count_by_area, place_events
from placeshaping.sources.police import read_police
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


@pytest.fixture(scope="module")
def index(nation):
    return build_index(nation)


@pytest.fixture(scope="module", params=["leicestershire", "essex"])
def force(request, real_data):
    """Return the name of a force and its records."""
    return request.param, read_police(real_data / "police_uk" / f"{request.param}.zip")


def by_sjoin(x, y, areas):
    """Return the lowest code of the areas that geopandas says hold each point, else touch it."""
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=27700)
    lowest = {}
    for predicate in ("within", "intersects"):
        joined = gpd.sjoin(points, areas[["geometry"]], predicate=predicate)
        lowest[predicate] = joined.groupby(joined.index)["area_code"].min().reindex(points.index)
    return lowest["within"].fillna(lowest["intersects"])


def test_every_place_of_a_force_has_the_area_that_a_spatial_join_finds(force, nation, index):
    places = force[1][["easting", "northing"]].dropna().drop_duplicates().reset_index(drop=True)
    expected = by_sjoin(places["easting"], places["northing"], nation)
    assigned = assign_area(places, index)
    assert assigned.fillna("").tolist() == expected.fillna("").tolist()


def test_places_moved_about_have_the_area_that_a_spatial_join_finds(force, nation, index):
    places = force[1][["easting", "northing"]].dropna().drop_duplicates().to_numpy()
    places = places + np.random.default_rng(7).normal(0, 500, places.shape)
    expected = by_sjoin(*places.T, nation)
    row, several = index.locate(*places.T)
    assert pd.Series(nation.index).take(np.maximum(row, 0)).where(row >= 0).fillna("").tolist() == (
        expected.fillna("").tolist()
    )
    assert several == 0


def test_vertices_and_middles_of_national_borders_have_the_area_of_a_spatial_join(nation, index):
    vertices = shapely.get_coordinates(nation.geometry.to_numpy())[::17]
    middles = (vertices[1:] + vertices[:-1]) / 2
    x, y = np.vstack([vertices, middles]).T
    expected = by_sjoin(x, y, nation).fillna("").tolist()
    row, _ = index.locate(x, y)
    assert np.append(nation.index.to_numpy(), "")[row].tolist() == expected
    assert index.memory < 150e6


def test_an_index_of_the_nation_is_kept_and_read(index, tmp_path):
    write_index(index, tmp_path / "lsoa.index")
    again = read_index(tmp_path / "lsoa.index")
    x, y = np.random.default_rng(3).uniform(3e5, 6e5, (2, 50_000))
    np.testing.assert_array_equal(again.locate(x, y)[0], index.locate(x, y)[0])


def test_agreement_with_police_uk_is_told_for_each_force(
    force, nation, index, changes, record_property
):
    table = compare_published(force[1], nation, changes=changes, index=index)
    record_property(f"agreement_{force[0]}", round(table.attrs["share"], 4))
    assert table.attrs["share"] == pytest.approx(0.955, abs=0.01)
    assert table["by_coordinate"].sum() == table["by_code"].sum()
    assert (table["agree"] <= table[["by_coordinate", "by_code"]].min(axis=1)).all()


def test_neighbours_of_the_nation_hold_all_that_libpysal_finds(nation):
    """It finds those that share vertices; a few more touch where a vertex is missing."""
    ours = contiguity(nation).sparse
    theirs = Graph.build_contiguity(nation, rook=False).sparse
    assert (ours < theirs).nnz == 0
    one, other = (ours > theirs).nonzero()
    shapes = nation.geometry.to_numpy()
    assert len(one) <= 20
    assert shapely.intersects(shapes[one], shapes[other]).all()


def test_areas_of_a_county_that_share_border_are_those_of_libpysal(county):
    ours = contiguity(county, rook=True).sparse
    assert (ours != Graph.build_contiguity(county, rook=True).sparse).nnz == 0


def test_nearest_and_band_are_those_of_libpysal(county):
    centres = county.centroid
    assert (k_nearest(county, k=6).sparse != Graph.build_knn(centres, k=6).sparse).nnz == 0
    band = Graph.build_distance_band(centres, 3000)
    assert (distance_band(county, distance=3000).sparse != band.sparse).nnz == 0
