"""What GerryChain says of our wards, and whether it finds any where we do."""

from __future__ import annotations

import random

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from gerrychain import Graph, Partition, constraints, updaters
from gerrychain.partition import recursive_tree_part
from shapely import box

from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.shaping.ward_search import propose_wards
from placeshaping.shaping.wards import make_proposal, make_review

WARDS = 17


@pytest.fixture(scope="module")
def review():
    rng = np.random.default_rng(1)
    squares = [box(x, y, x + 1, y + 1) for y in range(16) for x in range(16)]
    units = gpd.GeoDataFrame(
        {"electors_now": 100, "electors_forecast": rng.integers(60, 140, 256)},
        geometry=squares, crs=27700, index=[f"u{i}" for i in range(256)],
    )  # fmt: skip
    return make_review(units, councillors=WARDS, name="Grid", sizes=[1])


@pytest.fixture(scope="module")
def graph(review):
    bare = nx.Graph()
    for number, electors in enumerate(review.units["electors_forecast"]):
        bare.add_node(number, electors=int(electors))
    bare.add_edges_from(review.neighbours[["one", "other"]].to_numpy().tolist())
    return Graph.from_networkx(bare)


def test_scores_are_those_of_gerrychain(review, graph):
    best = propose_wards(review, most=1, chains=2, steps=500)[0]
    scores = score_proposal(review, best)
    theirs = Partition(
        graph, dict(enumerate(best.ward_of)),
        {"electors": updaters.Tally("electors"), "cut": updaters.cut_edges},
    )  # fmt: skip
    assert len(theirs["cut"]) == scores.summary["cut_edges"]
    assert theirs["electors"] == scores.wards["electors_forecast"].to_dict()
    assert constraints.contiguous(theirs)
    within = constraints.within_percent_of_ideal_population(
        theirs, review.tolerance, pop_key="electors"
    )
    assert within(theirs) == (scores.summary["over_forecast"] == 0)


def test_both_find_seventeen_wards_within_the_mark(review, graph):
    random.seed(0)
    fair = review.units["electors_forecast"].sum() / WARDS
    theirs = recursive_tree_part(graph, range(WARDS), fair, "electors", review.tolerance)
    label = pd.Series([str(theirs[i]) for i in range(len(theirs))], index=review.units.index)
    peer = make_proposal(
        review, label, name="Theirs", councillors=dict.fromkeys(sorted(label.unique()), 1)
    )
    assert score_proposal(review, peer).summary["over_forecast"] == 0
    for seed in range(3):
        ours = propose_wards(review, most=1, chains=1, steps=1, seed=seed)[0]
        assert score_proposal(review, ours).summary["over_forecast"] == 0


def test_the_search_is_at_least_as_compact_as_a_first_draw_of_theirs(review, graph):
    random.seed(1)
    fair = review.units["electors_forecast"].sum() / WARDS
    theirs = recursive_tree_part(graph, range(WARDS), fair, "electors", review.tolerance)
    edges = sum(theirs[a] != theirs[b] for a, b in graph.edges)
    ours = propose_wards(review, most=1, chains=2, steps=2_000)[0]
    assert score_proposal(review, ours).summary["cut_edges"] < edges
