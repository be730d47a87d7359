"""Five million points to the LSOAs of England and Wales, and those areas' neighbours."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from benchmarks.harness import Result, beside, seconds
from placeshaping.areas.boundaries import read_boundaries
from placeshaping.areas.neighbours import contiguity
from placeshaping.joins.index import build_index
from placeshaping.joins.points import assign_area
from placeshaping.sources.police import read_police

POINTS = 5_000_000
JITTER = 50.0


def jittered(data: Path, size: int) -> np.ndarray[Any, Any]:
    """Return real places of two forces, as often as needed, each moved about 50 m at random."""
    forces = [
        read_police(data / "police_uk" / f"{name}.zip") for name in ("leicestershire", "essex")
    ]
    places = pd.concat([force[["easting", "northing"]].dropna() for force in forces]).to_numpy()
    rng = np.random.default_rng(1)
    moved = rng.normal(0, JITTER, (size, 2))
    moved += places[np.arange(size) % len(places)]
    return np.ascontiguousarray(moved.T)


def run(data: Path) -> list[Result]:
    areas = read_boundaries(data / "boundaries" / "lsoa_2021_ew.parquet")
    easting, northing = jittered(data, POINTS)
    return [*_points(areas, easting, northing), *_neighbours(areas)]


def _points(
    areas: gpd.GeoDataFrame, easting: np.ndarray[Any, Any], northing: np.ndarray[Any, Any]
) -> list[Result]:
    def ours() -> pd.Series:
        return assign_area(pd.DataFrame({"easting": easting, "northing": northing}), areas)

    def theirs() -> pd.Series:
        points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(easting, northing), crs=27700)
        joined = points.sjoin(areas[["geometry"]], how="left", predicate="within")
        return joined["area_code"]

    mine, other = ours(), theirs()
    # A point in two areas (the source's borders cross by a hair) has two rows there, one here.
    lowest = other.groupby(level=0).min() if other.index.has_duplicates else other
    same = bool((mine.fillna("") == lowest.fillna("")).all())
    taken = beside(ours, theirs, times=3)
    built = seconds(lambda: build_index(areas), times=3)
    index = build_index(areas)
    asked = seconds(lambda: index.locate(easting, northing), times=3)
    notes: dict[str, Any] = {
        "building the index, s": round(built, 2),
        "asking it, s": round(asked, 2),
        "index, MB": round(index.memory / 1e6),
        "SedonaDB": _sedona(areas, easting, northing, mine),
        "DuckDB": "not measured: its spatial extension is downloaded when it is first used",
    }
    work = f"{len(easting):,} points to {len(areas):,} LSOAs, arrays to codes, index built anew"
    return [
        Result(
            "national_points",
            work,
            taken[0],
            peer="geopandas points_from_xy + sjoin",
            theirs=taken[1],
            same_answer=same,
            notes=notes,
        )
    ]


def _sedona(
    areas: gpd.GeoDataFrame,
    easting: np.ndarray[Any, Any],
    northing: np.ndarray[Any, Any],
    mine: pd.Series,
) -> str:
    """Time SedonaDB on the same points, where it is installed."""
    if importlib.util.find_spec("sedonadb") is None:
        return "not installed (pip install sedonadb geoarrow-pyarrow)"
    import pyarrow as pa
    import sedonadb

    database = sedonadb.connect()
    outlines = areas[["geometry"]].reset_index()
    found: list[pa.Table] = []

    def work() -> None:
        database.create_data_frame(outlines).to_view("areas", overwrite=True)
        table = pa.table({"id": np.arange(len(easting)), "x": easting, "y": northing})
        database.create_data_frame(table).to_view("points", overwrite=True)
        joined = database.sql(
            "SELECT p.id, a.area_code FROM "
            "(SELECT id, ST_SetSRID(ST_Point(x, y), 27700) AS place FROM points) p "
            "JOIN areas a ON ST_Within(p.place, a.geometry)"
        )
        found[:] = [pa.table(joined)]

    taken = seconds(work, times=1, warm=0)
    answer = found[0].to_pandas().groupby("id")["area_code"].min()
    same = bool((answer == mine.dropna()).all()) if len(answer) == mine.count() else False
    return f"{taken:.2f} s, same answer: {'yes' if same else 'NO'}"


def _neighbours(areas: gpd.GeoDataFrame) -> list[Result]:
    def ours() -> Graph:
        return contiguity(areas)

    def theirs() -> Graph:
        return Graph.build_contiguity(areas, rook=False)

    mine, other = ours().sparse, theirs().sparse
    taken = beside(ours, theirs, times=3)
    return [
        Result(
            "national_neighbours",
            f"queen contiguity of {len(areas):,} LSOAs",
            taken[0],
            peer="libpysal Graph.build_contiguity",
            theirs=taken[1],
            same_answer=bool((mine < other).nnz == 0),
            notes={
                "pairs of both": int(mine.multiply(other).nnz // 2),
                "pairs that share no vertex but touch or overlap, ours alone": int(
                    (mine > other).nnz // 2
                ),
            },
        )
    ]
