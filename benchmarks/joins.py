"""Real records of one force to its LSOAs, beside geopandas."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd

from benchmarks.harness import Result, beside
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.joins.points import assign_area, count_by_area
from placeshaping.sources.police import read_police

COUNTY = {"E06000016", "E06000017", *(f"E070001{number}" for number in range(29, 36))}
COLUMNS = ["Month", "Longitude", "Latitude", "Crime type"]


def run(data: Path) -> list[Result]:
    events = read_police(data / "police_uk" / "leicestershire.zip")
    located = events[events["easting"].notna()].reset_index(drop=True)
    areas = read_boundaries(data / "boundaries" / "leicester_lsoa_2021_shp")

    def ours() -> pd.Series:
        return assign_area(located, areas)

    def theirs() -> pd.Series:
        points = gpd.GeoDataFrame(
            geometry=gpd.points_from_xy(located["easting"], located["northing"]), crs=27700
        )
        joined = points.sjoin(areas[["geometry"]], how="left", predicate="within")
        return joined[~joined.index.duplicated()]["area_code"]

    def skilled() -> pd.Series:
        codes = theirs()
        table = located.assign(area_code=codes).dropna(subset=["area_code"])
        return table.groupby(["period", "category", "area_code"], observed=True).size()

    def counted() -> pd.DataFrame:
        return count_by_area(located, areas, outside="drop")

    mine, other = ours(), theirs()
    same = mine.fillna("") == other.fillna("")
    assign = beside(ours, theirs)
    count = beside(counted, skilled)
    long = counted()
    total_same = int(long["count"].sum()) == int(skilled().sum())
    rows = f"{len(located):,} real records, {len(areas)} LSOAs"
    return [
        _archive_to_counts(data),
        Result(
            "assign_area",
            f"{rows}: coordinates to codes",
            assign[0],
            peer="geopandas points_from_xy + sjoin",
            theirs=assign[1],
            same_answer=bool(same.all()),
        ),
        Result(
            "count_by_area",
            f"{rows}: coordinates to monthly counts by category",
            count[0],
            peer="geopandas sjoin + pandas groupby",
            theirs=count[1],
            same_answer=total_same,
        ),
    ]


def _archive_to_counts(data: Path) -> Result:
    """Time the way from an archive of police.uk to complete monthly counts of a county."""
    archive = data / "police_uk" / "leicestershire.zip"
    nation = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    districts = pd.read_csv(data / "lookups" / "lsoa21_ward24_lad24.csv.gz", index_col="LSOA21CD")
    areas = nation[nation.index.isin(districts.index[districts["LAD24CD"].isin(COUNTY)])]
    areas.attrs.update(nation.attrs)

    def ours() -> pd.DataFrame:
        events = read_police(archive).drop(columns="area_code")  # by place alone, as the peer does
        return count_by_area(events, areas, outside="drop")

    def theirs() -> pd.Series:
        with zipfile.ZipFile(archive) as packed:
            names = [name for name in packed.namelist() if name.endswith("-street.csv")]
            parts = [pd.read_csv(packed.open(name), usecols=COLUMNS) for name in names]
        table = pd.concat(parts, ignore_index=True).dropna(subset="Longitude")
        places = gpd.points_from_xy(table["Longitude"], table["Latitude"], crs=4326)
        points = gpd.GeoDataFrame(table, geometry=places).to_crs(27700)
        # "intersects", and the lowest code of those found: a record on a border counts once.
        joined = points.sjoin(areas[["geometry"]], predicate="intersects").sort_values("area_code")
        joined = joined[~joined.index.duplicated()]
        counts = joined.groupby(["Month", "Crime type", "area_code"]).size()
        months, kinds = (joined[name].sort_values().unique() for name in ("Month", "Crime type"))
        return counts.reindex(
            pd.MultiIndex.from_product([months, kinds, areas.index]), fill_value=0
        )

    def placed_by_us() -> float:
        events = read_police(archive).drop(columns="area_code")
        start = time.perf_counter()
        count_by_area(events, areas, outside="drop")
        return time.perf_counter() - start

    mine, other = ours(), theirs()
    same = mine.groupby("area_code")["count"].sum().to_dict() == (
        other.groupby(level=2).sum().to_dict()
    )
    taken = beside(ours, theirs)
    return Result(
        "archive_to_counts",
        f"324,093 rows, ZIP to {len(mine):,} monthly counts of {len(areas)} LSOAs by category",
        taken[0],
        peer="pandas read_csv + geopandas sjoin + groupby",
        theirs=taken[1],
        same_answer=same,
        notes={
            "of which places to counts, s": round(placed_by_us(), 3),
            "ours reads more": "duplicates, missing months and codes are told",
        },
    )
