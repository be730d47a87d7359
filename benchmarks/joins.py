"""Real records of one force to its LSOAs, beside geopandas."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from benchmarks.harness import Result, beside
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.joins.points import assign_area, count_by_area
from placeshaping.sources.police import read_police


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
