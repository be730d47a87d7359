"""Libraries of Greater Manchester: who has how far, and where a few more would serve best."""

import geopandas as gpd
import pandas as pd
import pytest

from placeshaping._core.columns import column_tags
from placeshaping.shaping.access import nearest_service
from placeshaping.shaping.equity import describe_equity, equity_table
from placeshaping.shaping.siting import Guarantee, p_median
from placeshaping.shaping.siting_words import describe_siting
from placeshaping.shaping.travel import travel_costs
from placeshaping.sources.deprivation import read_deprivation

pytestmark = pytest.mark.real

DISTRICTS = [f"E0800000{i}" for i in range(1, 10)] + ["E08000010"]


@pytest.fixture(scope="module")
def manchester(real_data):
    lookup = pd.read_csv(real_data / "lookups" / "lsoa21_ward24_lad24.csv.gz", dtype=str)
    district = next(c for c in lookup if lookup[c].isin(DISTRICTS).any())
    codes = lookup.loc[lookup[district].isin(DISTRICTS), "LSOA21CD"]
    areas = gpd.read_parquet(real_data / "boundaries" / "lsoa_2021_ew.parquet").to_crs(27700)
    areas = areas.set_index("LSOA21CD")
    areas = areas.loc[areas.index.isin(codes)]
    census = pd.read_csv(real_data / "census" / "census2021-ts001-lsoa.csv.gz")
    people = census.set_index("geography code").iloc[:, 2].astype(float).reindex(areas.index)
    deprivation = read_deprivation(real_data / "deprivation" / "imd2025_lsoa21.csv.gz")
    return areas, people, deprivation["imd_decile"]


@pytest.fixture(scope="module")
def libraries(real_data):
    table = pd.read_csv(real_data / "services" / "gm_libraries.csv").dropna(subset=["lon", "lat"])
    points = gpd.points_from_xy(table["lon"], table["lat"], crs=4326).to_crs(27700)
    found = gpd.GeoDataFrame(table[["name"]], geometry=points)
    return found.drop_duplicates("name").set_index("name")


def test_libraries_are_nearer_to_the_deprived_of_greater_manchester(manchester, libraries):
    areas, people, decile = manchester
    nearest = nearest_service(areas, libraries)
    table = equity_table(nearest["minutes"], people, decile)
    assert len(areas) > 1_600
    assert table["population"].sum() == people.sum()
    assert table.loc[1, "share"] < table.loc[10, "share"]
    assert set(column_tags(table).values()) == {"audit_only"}
    assert "from the nearest library" in describe_equity(table, what="library")


def test_five_more_libraries_beside_the_ones_there_are(manchester, libraries):
    areas, people, decile = manchester
    middle = gpd.GeoDataFrame(geometry=areas.centroid)
    candidates = pd.concat([libraries[["geometry"]], middle.iloc[::8]])
    costs = travel_costs(middle, candidates)
    worst = decile.index[decile == 1].intersection(areas.index)
    plan = p_median(
        people,
        costs,
        sites=len(libraries) + 5,
        existing=list(libraries.index),
        guarantees=[Guarantee(list(worst), within=45)],
    )
    assert plan.sites["existing"].sum() == len(libraries)
    assert plan.gap < 0.01
    assert plan.objective < plan.before
    assert plan.areas.loc[worst, "minutes"].max() <= 45
    assert "today it is" in describe_siting(plan, what="libraries")
