"""All small areas in groups, beside scikit-learn; a district in connected ones, beside spopt."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from spopt.region import Skater

from benchmarks.harness import Result, seconds
from placeshaping.areas.neighbours import contiguity
from placeshaping.shaping.segment_pieces import join_pieces
from placeshaping.shaping.segment_variables import percentages, prepare_variables
from placeshaping.shaping.segments import make_segments

GROUPS, STARTS = 8, 50
TABLES = {
    "household_tenure21_lsoa21.csv.gz": ("tenure", "total_households"),
    "household_type21_lsoa21.csv.gz": ("type", "total_households"),
    "household_overcrowding21_lsoa21.csv.gz": ("occupancy_rating", "total_households"),
}


def read_shares(data: Path) -> pd.DataFrame:
    """Percentages of tenure, type of home and room of every small area."""
    found = []
    for name, (category, of) in TABLES.items():
        long = pd.read_csv(data / "census" / name)
        counts = long.pivot_table(index="LSOA21CD", columns=category, values="n")
        whole = long.drop_duplicates("LSOA21CD").set_index("LSOA21CD")[of]
        found.append(percentages(counts, whole))
    return pd.concat(found, axis="columns")


def national(shares: pd.DataFrame) -> list[Result]:
    prepared = prepare_variables(shares)
    used = list(prepared.values.columns)
    peer = make_pipeline(
        FunctionTransformer(np.arcsinh),
        MinMaxScaler(),
        KMeans(GROUPS, n_init=STARTS, random_state=0),
    )
    ours = seconds(
        lambda: make_segments(prepare_variables(shares), groups=GROUPS, starts=STARTS), times=1
    )
    segments = make_segments(prepared, groups=GROUPS, starts=STARTS)
    whole = shares.loc[prepared.values.index, used]
    start = time.perf_counter()
    labels = peer.fit_predict(whole)
    theirs = time.perf_counter() - start
    values = prepared.values.to_numpy()
    total = ((values - values.mean(axis=0)) ** 2).sum()
    inside = (1 - segments.attrs["explained"]) * total
    agreement = adjusted_rand_score(labels, segments["segment"].reindex(whole.index))
    inertia = float(peer[-1].inertia_)
    return [
        Result(
            "segments",
            f"{len(whole):,} areas by {len(used)} variables, {GROUPS} groups, {STARTS} starts",
            ours,
            peer="scikit-learn pipeline",
            theirs=theirs,
            same_answer=bool(inside <= inertia * (1 + 1e-4)),
            notes={
                "adjusted Rand": round(agreement, 3),
                "sum of squares over theirs": round(float(inside / inertia), 6),
                "explained": round(segments.attrs["explained"], 3),
            },
        )
    ]


def district(data: Path, shares: pd.DataFrame) -> list[Result]:
    areas = gpd.read_file(data / "boundaries" / "leicester_lsoa_2021_shp")
    areas = areas.set_index(next(name for name in areas if str(name).startswith("LSOA21CD")))
    prepared = prepare_variables(shares.reindex(areas.index))
    neighbours = join_pieces(areas, contiguity(areas))

    def work() -> pd.DataFrame:
        return make_segments(prepared, groups=6, method="connected", neighbours=neighbours)

    segments, ours = work(), seconds(work)
    frame = areas[["geometry"]].join(prepared.values)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Skater(frame, neighbours, list(prepared.values), n_clusters=6, floor=1)
        model.solve()
    theirs = time.perf_counter() - start
    values = prepared.values
    away = values - values.groupby(np.asarray(model.labels_)).transform("mean")
    explained = 1 - (away**2).to_numpy().sum() / ((values - values.mean()) ** 2).to_numpy().sum()
    return [
        Result(
            "segments_connected",
            f"{len(values):,} areas in 6 connected groups (another method: Ward, not SKATER)",
            ours,
            peer="spopt Skater",
            theirs=theirs,
            notes={
                "explained": round(segments.attrs["explained"], 3),
                "explained by theirs": round(float(explained), 3),
            },
        )
    ]


def run(data: Path) -> list[Result]:
    """Group the areas of the census of 2021."""
    shares = read_shares(data)
    return [*national(shares), *district(data, shares)]
