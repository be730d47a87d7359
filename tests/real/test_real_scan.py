"""Scans of two forces: what is stable, and known on the ground."""

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping.hotspots.cube import make_cube
from placeshaping.hotspots.scan import scan
from placeshaping.hotspots.scan_words import scan_sentences
from placeshaping.maps.words import label_words
from placeshaping.sources.police import read_police

pytestmark = pytest.mark.real

DISTRICTS = {
    "leicestershire": {"E06000016", "E06000017", *(f"E070001{i}" for i in range(29, 36))},
    "essex": {"E06000033", "E06000034", *(f"E070000{i}" for i in range(66, 78))},
}
LEICESTER_CENTRE = "E01034022"


@pytest.fixture(scope="module")
def force(real_data):
    """Return a maker of areas, residents and the cube of a force and an offence."""
    nation = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet")
    nation = nation.rename(columns={"LSOA21CD": "area_code", "LSOA21NM": "area_name"})
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    total = next(column for column in census.columns if "total" in column.lower())
    people = census.set_index("geography code")[total]
    records = {}

    def make(name, category):
        areas = nation[nation["LADCD"].isin(DISTRICTS[name])].set_index("area_code").to_crs(27700)
        areas["geometry"] = areas.geometry.make_valid()
        areas.attrs.update(level="lsoa", vintage="2021")
        if name not in records:
            records[name] = read_police(real_data / "police_uk" / f"{name}.zip")
        cube = make_cube(records[name], areas=areas, category=category)
        return areas, people.reindex(areas.index), cube

    return make


def test_theft_from_shops_clusters_in_the_centre_of_leicester(force):
    areas, people, cube = force("leicestershire", "Shoplifting")
    result = scan(cube, areas, population=people, max_share=0.1, simulations=99)
    assert result.areas.loc[LEICESTER_CENTRE, "cluster"] == "most_likely_high"
    top = result.clusters.loc[1]
    assert top["p_value"] == 0.01
    assert top["relative_risk"] > 3
    assert top["areas"] <= 0.1 * len(areas)
    assert top["radius"] < 3000
    assert result.areas["observed"].sum() == cube.to_numpy().sum()


def test_burglary_that_rose_in_hinckley_at_the_end_is_a_prospective_cluster(force):
    areas, _, cube = force("leicestershire", "Burglary")
    result = scan(
        cube, areas, model="permutation", analysis="prospective", max_share=0.1, simulations=99
    )
    hinckley = areas["area_name"].str.contains("Hinckley")
    labelled = result.areas["cluster"] != "none"
    assert (labelled & hinckley).sum() >= 4
    ranks = result.areas.loc[labelled & hinckley, "rank"].unique()
    found = result.clusters.loc[ranks]
    assert (found["end"] == pd.Timestamp("2025-12-01")).all()
    assert (found["start"] >= pd.Timestamp("2025-10-01")).any()
    assert (found["recurrence"] >= 20).all()


def test_vehicle_crime_clusters_at_lakeside_and_stansted(force):
    areas, people, cube = force("essex", "Vehicle crime")
    result = scan(cube, areas, population=people, max_share=0.1, simulations=99)
    named = result.areas.set_index(areas["area_name"])
    assert named.loc["Thurrock 022C", "rank"] == 1  # a shopping centre
    assert named.loc["Uttlesford 006E", "rank"] > 0  # an airport
    assert "Steps missing in the records and left out: 66." in result.clusters.attrs["cautions"]


def test_a_scan_over_a_gap_says_so_and_its_sentences_judge_nobody(force):
    areas, _, cube = force("essex", "Vehicle crime")
    result = scan(
        cube, areas, model="permutation", analysis="retrospective", max_share=0.02, simulations=19
    )
    assert "may reach across them" in result.clusters.attrs["cautions"][0]
    assert not result.areas.loc[result.areas["rank"].notna()].empty
    texts = scan_sentences(result.clusters, names=areas["area_name"].to_dict())
    assert len(texts) == len(result.clusters)
    assert label_words(list(texts)) == []
