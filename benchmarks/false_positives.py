"""
How often the statistics of `placeshaping.hotspots` are wrong, and how often they find.

Run as ``python -m benchmarks.false_positives [maps] [districts]``; prints the
two tables of docs/hot-spots.md. Nothing is clustered in the first: values are
drawn for each area by itself. The second is of invented districts in which a
hot spot was planted, with and without the planted events.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots.geary import geary
from placeshaping.hotspots.getis import getis_ord
from placeshaping.hotspots.join_counts import join_counts
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.moran import global_moran
from placeshaping.joins.points import assign_area
from placeshaping.statistics.rates import empirical_bayes_rate
from placeshaping.synthetic.district import District, make_district

DRAWS = 19_999
"""Enough for the correction of 400 areas: 2 / 20,000 is below 0.05 / 400."""


def draw_values(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    if kind == "normal":
        return rng.normal(size=shape)
    if kind == "counts, mean 20":
        return rng.poisson(20, shape).astype(float)
    if kind == "counts, mean 2":
        return rng.poisson(2, shape).astype(float)
    if kind == "counts, mean 0.2":
        return rng.poisson(0.2, shape).astype(float)
    return rng.poisson(rng.gamma(0.5, 4, shape)).astype(float)


KINDS = ("normal", "counts, mean 20", "counts, mean 2", "counts, mean 0.2", "skewed counts, mean 2")

Scored = Callable[[pd.DataFrame, Graph], pd.DataFrame]
LOCAL: dict[str, Scored] = {
    "Gi*, analytic": getis_ord,
    # the draws of local Moran are these too, and so are its p-values
    "Gi*, permutation": lambda v, g: getis_ord(v, g, permutations=DRAWS),
    "Gi, analytic": lambda v, g: getis_ord(v, g, star=False),
    "local Moran, analytic": local_moran,
    "local Moran, total moments": lambda v, g: local_moran(v, g, moments="total"),
}


def whole(values: pd.DataFrame, graph: Graph) -> Iterator[tuple[str, float]]:
    marks = values > values.mean()
    yield "global Moran, analytic", (global_moran(values, graph)["p_value"] < 0.05).mean()
    few = values.iloc[:, :200]
    drawn = global_moran(few, graph, permutations=999)["p_value"]
    yield "global Moran, permutation", (drawn < 0.05).mean()
    yield "Geary, analytic", (geary(values, graph)["p_value"] < 0.05).mean()
    drawn = geary(few, graph, permutations=999)["p_value"]
    yield "Geary, permutation", (drawn < 0.05).mean()
    joins = join_counts(marks, graph).loc["both", "p_value"]
    yield "join counts (both), analytic", (joins < 0.05).mean()


def nothing_there(areas: gpd.GeoDataFrame, maps: int) -> pd.DataFrame:
    """Return the share of areas with p below 0.05, and of maps with any label after correction."""
    graph = contiguity(areas, islands="nearest")
    rows = []
    for kind in KINDS:
        rng = np.random.default_rng(20)
        values = pd.DataFrame(draw_values(kind, (len(areas), maps), rng), areas.index)
        for name, scored in LOCAL.items():
            scores = scored(values, graph)
            labelled = (scores["cluster"] != "none").groupby(scores["series"]).any()
            rows.append((name, kind, (scores["p_value"] < 0.05).mean(), labelled.mean()))
        rows += [(name, kind, share, np.nan) for name, share in whole(values, graph)]
    columns = ["statistic", "values", "p below 0.05", "maps with a label"]
    return pd.DataFrame(rows, columns=columns)


def spots(district: District) -> Iterator[tuple[str, pd.DataFrame, pd.Series, str]]:
    """Yield name, events, whether planted, and area of the centre of each planted hot spot."""
    for number, name in ((0, "burglary, 36 months"), (1, "vehicle crime, last 9 months")):
        spot = district.truth["planted"][number]
        first = pd.Timestamp(district.truth["first_day"]) + pd.Timedelta(days=spot["first_day"])
        events = district.events
        chosen = (events["category"] == spot["category"]) & (events["time"] >= first)
        centre = pd.DataFrame({k: [spot[k]] for k in ("easting", "northing")})
        areas = district.lsoa.set_index("LSOA21CD")
        home = assign_area(centre, areas).iloc[0]
        yield name, events[chosen], events.loc[chosen, "origin"] == "planted", home


def power(districts: int) -> pd.DataFrame:
    """Return how often the area of a planted centre is found, with and without its events."""
    rows = []
    for seed in range(districts):
        district = make_district(200, seed=seed)
        areas = district.lsoa.set_index("LSOA21CD")
        graph = contiguity(areas, islands="nearest")
        people = district.population.set_index("LSOA21CD")["residents"].reindex(areas.index)
        for name, events, planted, home in spots(district):
            codes = assign_area(events, areas)
            for there, kept in (("with", codes), ("without", codes[~planted])):
                count = kept.value_counts().reindex(areas.index, fill_value=0)
                rate = empirical_bayes_rate(count, people)
                for what, scores in (
                    ("Gi* of counts", getis_ord(count, graph)),
                    ("Gi* of rates", getis_ord(rate, graph)),
                    ("local Moran of rates", local_moran(count, graph, population=people)),
                ):
                    label = str(scores.loc[home, "cluster"])
                    found = label.startswith(("hot", "high_high"))
                    hot = scores["cluster"].astype(str).str.startswith(("hot", "high_high")).sum()
                    rows.append((name, what, there, found, hot))
    table = pd.DataFrame(rows, columns=["spot", "statistic", "planted", "found", "hot areas"])
    return table.groupby(["spot", "statistic", "planted"]).mean().unstack("planted")


def main(maps: int, districts: int) -> None:
    logging.disable(logging.WARNING)
    areas = make_district(400, seed=1, months=1).lsoa.set_index("LSOA21CD")
    table = nothing_there(areas, maps)
    for column in ("p below 0.05", "maps with a label"):
        wide = table.pivot(index="statistic", columns="values", values=column)[list(KINDS)]
        print(f"\n{column}, {maps:,} maps of {len(areas)} areas\n")
        print((100 * wide.dropna()).round(1).to_string())
    if districts:
        print(f"\nplanted hot spots, {districts} districts of 200 areas\n")
        print(power(districts).round(2).to_string())


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [1_000, 100][len(given) :]))
