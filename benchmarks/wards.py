"""Wards of 1,000 and of 5,000 units: the first that pass, and how good the best are, by a peer."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import geopandas as gpd
import networkx as nx
import pandas as pd
from gerrychain import Graph, Partition, constraints, updaters
from gerrychain.optimization import SingleMetricOptimizer
from gerrychain.partition import recursive_tree_part
from gerrychain.proposals import recom

from benchmarks.harness import Result, seconds
from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.shaping.ward_search import nearest_bridges, propose_wards
from placeshaping.shaping.wards import Review, make_proposal, make_review
from placeshaping.synthetic.district import make_district

WARDS = 17
BURSTS = 100
"""Bursts of ten recombinations that the peer is given to lower its cut edges."""


def district(areas: int) -> Review:
    """Lay out the output areas of the invented district for as many wards of one councillor."""
    made = make_district(areas, seed=2, months=1)
    electors = made.electors.set_index("OA21CD")
    units = gpd.GeoDataFrame(made.oa.set_index("OA21CD"))
    units["electors_now"] = electors["electors"]
    units["electors_forecast"] = electors["electors_in_five_years"]
    wards = round(WARDS * areas / 200)
    review = make_review(units, councillors=wards, name="District", sizes=[1])
    return make_review(
        units, councillors=wards, name="District", sizes=[1], bridges=nearest_bridges(review)
    )


def graph_of(review: Review) -> Graph:
    graph = nx.Graph()
    for number, electors in enumerate(review.units["electors_forecast"]):
        graph.add_node(number, electors=int(electors))
    graph.add_edges_from(review.neighbours[["one", "other"]].to_numpy().tolist())
    return Graph.from_networkx(graph)


def first_of_theirs(graph: Graph, review: Review) -> dict[int, int]:
    fair = review.units["electors_forecast"].sum() / review.councillors
    return recursive_tree_part(graph, range(review.councillors), fair, "electors", review.tolerance)


def best_of_theirs(graph: Graph, review: Review, first: dict[int, int]) -> dict[int, int]:
    """Return the wards of the fewest cut edges that short bursts of recombinations find."""
    fair = review.units["electors_forecast"].sum() / review.councillors
    begin = Partition(
        graph, first, {"electors": updaters.Tally("electors"), "cut": updaters.cut_edges}
    )
    step = partial(recom, pop_col="electors", pop_target=fair, epsilon=review.tolerance)
    within = constraints.within_percent_of_ideal_population(
        begin, review.tolerance, pop_key="electors"
    )
    optimizer = SingleMetricOptimizer(
        step, [within], begin, lambda one: len(one["cut"]), maximize=False
    )
    for _ in optimizer.short_bursts(10, BURSTS):
        pass
    best = optimizer.best_part
    return {node: best.assignment[node] for node in range(len(review.units))}


def summary(review: Review, label: dict[int, int]) -> dict[str, float]:
    wards = pd.Series([str(label[i]) for i in range(len(label))], index=review.units.index)
    seats = dict.fromkeys(sorted(wards.unique()), 1)
    return score_proposal(review, make_proposal(review, wards, name="", councillors=seats)).summary


def told(score: dict[str, float]) -> str:
    return (
        f"farthest {score['largest_forecast']:.1%}, detached {score['detached']}, compactness "
        f"{score['compactness']:.3f}, cut edges {score['cut_edges']}"
    )


def run(data: Path) -> list[Result]:
    """Time the invented district, so `data` is not read."""
    del data
    random.seed(0)
    review = district(200)
    graph = graph_of(review)
    once = partial(propose_wards, review, most=1, chains=1, steps=1)
    ours = seconds(once)
    feasible = score_proposal(review, once()[0]).summary
    start = time.perf_counter()
    first = first_of_theirs(graph, review)
    theirs = time.perf_counter() - start
    results = [
        Result(
            "wards_first",
            f"{len(review.units):,} units, {WARDS} wards: first within 10 %",
            ours,
            peer="GerryChain recursive_tree_part",
            theirs=theirs,
            same_answer=feasible["over_forecast"] == summary(review, first)["over_forecast"] == 0,
            limit=1.0,
            notes={"ours": told(feasible), "theirs": told(summary(review, first))},
        )
    ]
    start = time.perf_counter()
    best = best_of_theirs(graph, review, first)
    theirs = time.perf_counter() - start
    ours = seconds(partial(propose_wards, review, most=5), times=3)
    found = [score_proposal(review, one).summary for one in propose_wards(review, most=5)]
    peer = summary(review, best)
    results.append(
        Result(
            "wards_search",
            f"{len(review.units):,} units, {WARDS} wards: {len(found)} proposals, whole search",
            ours,
            peer=f"GerryChain short_bursts, {10 * BURSTS:,} recombinations",
            theirs=theirs,
            same_answer=found[0]["cut_edges"] <= peer["cut_edges"],
            limit=20.0,
            notes={"ours": told(found[0]), "theirs": told(peer)},
        )
    )
    large = district(1_000)
    ours = seconds(partial(propose_wards, large, most=5), times=1, warm=0)
    score = score_proposal(large, propose_wards(large, most=1, chains=2)[0]).summary
    results.append(
        Result(
            "wards_large",
            f"{len(large.units):,} units, {large.councillors} wards: whole search",
            ours,
            limit=60.0,
            notes={"ours": told(score)},
        )
    )
    return results
