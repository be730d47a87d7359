"""Ward reviews: scores by hand, refusals, files, and the search against all there is."""

from __future__ import annotations

import itertools
import json

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.errors import (
    ColumnError,
    EmptyError,
    FileFormatError,
    InputError,
    UnmatchedError,
)
from placeshaping.shaping._ward_anneal import anneal_all
from placeshaping.shaping._ward_graph import graph_of
from placeshaping.shaping.ward_compare import (
    changed_units,
    distance_table,
    proposal_distance,
    score_table,
)
from placeshaping.shaping.ward_files import proposal_document, read_proposal
from placeshaping.shaping.ward_scores import score_proposal
from placeshaping.shaping.ward_search import (
    Emphasis,
    nearest_bridges,
    proposal_cost,
    propose_wards,
    weighed_by,
)
from placeshaping.shaping.wards import make_proposal, make_review


def grid(across, up, *, electors=100, **columns):
    squares = [box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100)
               for y in range(up) for x in range(across)]  # fmt: skip
    codes = [f"{'abcdefghij'[y]}{x}" for y in range(up) for x in range(across)]
    table = {"electors_now": electors, "electors_forecast": electors, **columns}
    return gpd.GeoDataFrame(table, geometry=squares, crs=27700, index=codes)


def proposal_of(review, letters, councillors):
    wards = pd.Series(list(letters), index=review.units.index)
    return make_proposal(review, wards, name="Drawn", councillors=councillors)


def test_borders_are_in_whole_metres_and_add_up_to_the_outline():
    review = make_review(grid(3, 2), councillors=2, name="Grid")
    assert len(review.neighbours) == 7
    assert (review.neighbours["metres"] == 100).all()
    assert review.units["outer_metres"].sum() == 1000
    assert review.units["outer_metres"].tolist() == [200, 100, 200, 200, 100, 200]


def test_borders_without_common_vertices_are_found():
    units = gpd.GeoDataFrame(
        {"electors_now": 1, "electors_forecast": 1}, crs=27700, index=list("abc"),
        geometry=[box(0, 0, 100, 200), box(100, 0, 200, 90), box(100, 90, 200, 200)],
    )  # fmt: skip
    review = make_review(units, councillors=1, name="Tee")
    assert review.neighbours["metres"].tolist() == [90, 110, 100]


def test_units_that_meet_at_a_corner_are_no_neighbours():
    review = make_review(grid(2, 2), councillors=2, name="Grid")
    assert [0, 3] not in review.neighbours[["one", "other"]].to_numpy().tolist()
    crossed = proposal_of(review, "xyyx", {"x": 1, "y": 1})
    assert score_proposal(review, crossed).wards["parts"].tolist() == [2, 2]


def test_variance_is_from_the_average_of_the_whole_district():
    review = make_review(grid(2, 1, electors=[100, 200]), councillors=3, name="Two", sizes=(1, 2))
    scores = score_proposal(review, proposal_of(review, "xy", {"x": 1, "y": 2}))
    assert scores.wards["variance_forecast"].tolist() == [0, 0]
    assert scores.faults == ()
    scores = score_proposal(review, proposal_of(review, "xy", {"x": 2, "y": 1}))
    assert scores.wards["variance_forecast"].tolist() == [-0.5, 1.0]
    assert scores.summary["over_forecast"] == 2


def test_exactly_the_mark_is_within_it():
    units = grid(2, 1, electors=[110, 90])
    review = make_review(units, councillors=2, name="Two")
    scores = score_proposal(review, proposal_of(review, "xy", {"x": 1, "y": 1}))
    assert scores.wards["variance_forecast"].tolist() == [0.1, -0.1]
    assert scores.summary["over_forecast"] == 0


def test_the_forecast_is_a_fault_and_today_a_warning():
    units = grid(2, 1, electors=[100, 100])
    units["electors_now"] = [50, 150]
    review = make_review(units, councillors=2, name="Two")
    scores = score_proposal(review, proposal_of(review, "xy", {"x": 1, "y": 1}))
    assert scores.faults == ()
    assert scores.warnings == ("2 of 2 wards would be beyond 10 % with today's electors (x, y).",)


def test_a_ward_within_another_is_a_doughnut():
    review = make_review(grid(3, 3), councillors=2, name="Nine")
    scores = score_proposal(review, proposal_of(review, "yyyyxyyyy", {"x": 1, "y": 1}))
    assert scores.wards["doughnut"].tolist() == [True, False]
    assert "x lies wholly within another ward." in scores.faults


def test_compactness_is_that_of_the_ward_as_a_whole():
    review = make_review(grid(4, 2), councillors=2, name="Eight")
    scores = score_proposal(review, proposal_of(review, "xxyyxxyy", {"x": 1, "y": 1}))
    assert scores.wards["compactness"].tolist() == pytest.approx([np.pi / 4, np.pi / 4])


def test_splits_are_listed_by_kind():
    units = grid(
        4, 1, parish=["P", "P", "P", None], parish_ward=["N", "S", "S", None],
        polling_district=["1", "1", "2", "3"],
    )  # fmt: skip
    review = make_review(units, councillors=2, name="Row")
    scores = score_proposal(review, proposal_of(review, "xxyy", {"x": 1, "y": 1}))
    assert scores.split.to_numpy().tolist() == [
        ["parish", "P", "W1, W2"],
        ["parish_ward", "P: S", "W1, W2"],
    ]
    assert scores.summary["split_polling_district"] == 0
    assert scores.summary["split_community"] is None


def test_parish_wards_of_one_name_in_two_parishes_are_two():
    units = grid(2, 1, parish=["P", "Q"], parish_ward=["North", "North"])
    review = make_review(units, councillors=2, name="Row")
    assert score_proposal(review, proposal_of(review, "xy", {"x": 1, "y": 1})).split.empty


def test_councillors_that_do_not_add_up_are_a_fault():
    review = make_review(grid(2, 1), councillors=3, name="Two")
    scores = score_proposal(review, proposal_of(review, "xy", {"x": 1, "y": 1}))
    assert "The wards have 2 councillors together, not 3." in scores.faults


def test_missing_electors_are_listed():
    units = grid(3, 1, electors=[100.0, np.nan, np.nan])
    with pytest.raises(InputError, match=r"electors_now is missing for 2 of 3 units \(a1, a2\)"):
        make_review(units, councillors=2, name="Row")


def test_odd_input_is_refused():
    with pytest.raises(ColumnError, match="no whole number of zero or more"):
        make_review(grid(2, 1, electors=[1.5, 2]), councillors=1, name="Row")
    with pytest.raises(ColumnError, match="electors_forecast"):
        make_review(grid(2, 1)[["electors_now", "geometry"]], councillors=1, name="Row")
    with pytest.raises(EmptyError, match="zero for every unit"):
        make_review(grid(2, 1, electors=0), councillors=1, name="Row")
    with pytest.raises(EmptyError, match="at least two"):
        make_review(grid(1, 1), councillors=1, name="Row")
    with pytest.raises(InputError, match="tolerance is 10"):
        make_review(grid(2, 1), councillors=1, name="Row", tolerance=10)
    with pytest.raises(InputError, match="fewer than the smallest ward"):
        make_review(grid(2, 1), councillors=1, name="Row", sizes=[2])
    with pytest.raises(UnmatchedError, match=r"bridges name 1 units that are not there \(zz\)"):
        make_review(grid(2, 1), councillors=1, name="Row", bridges=[("a0", "zz")])


def test_the_digest_tells_figures_apart_and_not_the_order_of_rows():
    units = grid(3, 1, electors=[1, 2, 3])
    review = make_review(units, councillors=2, name="Row")
    turned = make_review(units.iloc[::-1], councillors=2, name="Row")
    assert review.digest == turned.digest
    units.loc["a0", "electors_forecast"] = 9
    assert make_review(units, councillors=2, name="Row").digest != review.digest


def test_islands_are_told_with_the_nearest_bridge():
    units = grid(4, 1).drop("a2")
    review = make_review(units, councillors=3, name="Row")
    assert review.parts.tolist() == [0, 0, 1]
    with pytest.raises(InputError, match=r"apart from the rest, in 1 group .*\(a1, a3\)"):
        propose_wards(review)
    bridged = make_review(units, councillors=3, name="Row", bridges=nearest_bridges(review))
    assert (bridged.parts == 0).all()
    found = propose_wards(bridged, chains=2, steps=200)
    assert score_proposal(bridged, found[0]).faults == ()


def test_councillors_that_no_sizes_make_up_are_refused():
    review = make_review(grid(4, 1), councillors=7, name="Row", sizes=[2])
    with pytest.raises(InputError, match="7 councillors cannot be shared among wards of 2"):
        propose_wards(review)


def connected_partitions(review, wards):
    """Every way to divide units among so many wards that hang together."""
    graph = nx.Graph(review.neighbours[["one", "other"]].to_numpy().tolist())
    size = len(review.units)

    known: dict[tuple[int, ...], bool] = {}

    def whole(group):
        if group not in known:
            known[group] = nx.is_connected(graph.subgraph(group))
        return known[group]

    def grow(label, used):
        place = len(label)
        if place == size:
            groups = [tuple(i for i in range(size) if label[i] == w) for w in range(wards)]
            if used == wards and all(whole(group) for group in groups):
                yield label
            return
        for ward in range(min(used + 1, wards)):
            yield from grow([*label, ward], max(used, ward + 1))

    yield from grow([], 0)


def cost_by_hand(review, proposal, emphasis):
    scores = score_proposal(review, proposal)
    cost = 0.0
    for ward in scores.wards.itertuples():
        away = abs(ward.variance_forecast) / review.tolerance
        cost += ward.councillors * 0.25 * away**2
        cost += ward.councillors * 4 * (1 + away - 0.995) * (away > 0.995)
        cost += ward.councillors * emphasis.today * (ward.variance_now / review.tolerance) ** 2
        cost += ward.councillors * emphasis.compactness * (1 - ward.compactness)
        cost += 15 * ward.doughnut
    for kind in review.places:
        held = review.units[kind].groupby(proposal.ward_of).nunique().sum()
        cost += getattr(emphasis, kind) * held
    return cost


def test_the_cost_is_made_of_the_scores():
    rng = np.random.default_rng(0)
    units = grid(5, 5, electors=rng.integers(80, 130, 25), community=list("pqrst" * 5))
    review = make_review(units, councillors=6, name="Grid")
    emphasis = Emphasis(community=2.5, compactness=4)
    for one in propose_wards(review, chains=3, steps=50, apart=0.0):
        hand = cost_by_hand(review, one, emphasis)
        assert proposal_cost(review, one, emphasis=emphasis) == pytest.approx(hand)
    ring = proposal_of(review, "y" * 12 + "x" + "y" * 12, {"x": 1, "y": 5})
    hand = cost_by_hand(review, ring, emphasis)
    assert proposal_cost(review, ring, emphasis=emphasis) == pytest.approx(hand)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_best_of_all_partitions_of_a_small_grid_is_found(seed):
    rng = np.random.default_rng(seed)
    units = grid(4, 3, electors=rng.integers(80, 130, 12), community=list("pppqqpqqrrrr"))
    review = make_review(units, councillors=3, name="Grid", sizes=[1])
    labels = np.array(list(connected_partitions(review, 3)))
    every = np.ones((len(labels), 3), dtype=np.int64)
    costs = anneal_all(
        graph_of(review, np.arange(12), weighed_by(review, Emphasis(), None)),
        3, labels, every, np.ones((len(labels), 2)), 0, 1.0, 1.0, np.arange(len(labels)),
    )  # fmt: skip
    assert len(labels) > 400
    found = propose_wards(review, most=6, chains=6, steps=4_000, seed=seed, apart=0.0)
    best = min(proposal_cost(review, one) for one in found)
    assert best == pytest.approx(costs.min())


def test_the_search_gives_the_same_whatever_the_threads():
    import numba

    units = grid(8, 8, electors=np.arange(64) % 7 + 20)
    review = make_review(units, councillors=8, name="Grid")
    before = numba.get_num_threads()
    found = []
    try:
        for threads in {1, before}:
            numba.set_num_threads(threads)
            found.append(propose_wards(review, seed=3, chains=3, steps=500))
    finally:
        numba.set_num_threads(before)
    for one, other in itertools.pairwise(found):
        assert [list(p.ward_of) for p in one] == [list(p.ward_of) for p in other]


def test_parishes_that_fit_stay_whole():
    parish = [f"P{y // 2}{x // 2}" for y in range(8) for x in range(8)]
    review = make_review(grid(8, 8, parish=parish), councillors=8, name="Grid")
    best = propose_wards(review, most=1, chains=2, steps=3_000)[0]
    scores = score_proposal(review, best)
    assert scores.summary["split_parish"] == 0
    assert scores.faults == ()


def test_proposals_differ_by_what_is_asked_for():
    review = make_review(grid(8, 8), councillors=8, name="Grid")
    found = propose_wards(review, chains=6, steps=500, apart=0.2)
    assert [one.name for one in found][:2] == ["Proposal A", "Proposal B"]
    table = distance_table(review, found)
    assert (table.to_numpy()[~np.eye(len(found), dtype=bool)] >= 0.2).all()
    assert (score_table(review, found)["detached"] == 0).all()


def test_present_wards_are_a_start_and_are_kept_to():
    review = make_review(grid(8, 8), councillors=8, name="Grid")
    letters = ["AB"[x // 4] + "CD"[y // 4] for y in range(8) for x in range(8)]
    wards = pd.Series(letters, index=review.units.index)
    present = make_proposal(
        review, wards, name="Present", councillors=dict.fromkeys(sorted(set(letters)), 2)
    )
    found = propose_wards(
        review, present=present, chains=2, steps=500, emphasis=Emphasis(present=20)
    )
    assert min(proposal_distance(review, present, one) for one in found) == 0
    assert {"AC", "AD", "BC", "BD"} == set(found[0].wards["name"])


def test_changed_units_are_listed_under_matched_wards():
    review = make_review(grid(4, 1), councillors=2, name="Row")
    before = proposal_of(review, "xxyy", {"x": 1, "y": 1})
    after = proposal_of(review, "yyyx", {"x": 1, "y": 1})
    changed = changed_units(review, before, after)
    assert changed.to_dict("index") == {
        "a2": {"before": "y", "after": "y", "electors_forecast": 100}
    }


def test_a_proposal_comes_back_from_its_file(tmp_path):
    review = make_review(grid(4, 1), councillors=3, name="Row")
    one = proposal_of(review, "xyyy", {"y": 2, "x": 1})
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps(proposal_document(review, one)), encoding="utf-8")
    back = read_proposal(file, review)
    assert back.ward_of.equals(one.ward_of)
    assert back.wards.equals(one.wards)
    assert back.name == "Drawn"
    collection = {"type": "FeatureCollection", "features": []}
    collection["proposal"] = proposal_document(review, one)
    geo = tmp_path / "drawn.geojson"
    geo.write_text(json.dumps(collection), encoding="utf-8")
    assert read_proposal(geo, review).ward_of.equals(one.ward_of)


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"digest": "0" * 12}, InputError, "made with other units or electors"),
        ({"review": "Elsewhere", "digest": "0" * 12}, InputError, "belongs to the review 'Elsewh"),
        ({"units": {"a0": "W1", "a1": None, "a2": "W2", "a3": "W2"}}, EmptyError,
         r"not finished: 1 of 4 units .*\(a1\)"),
        ({"units": {"a0": "W1", "a1": "W9", "a2": "W2", "a3": "W2"}}, UnmatchedError,
         r"wards that it does not list \(W9\)"),
        ({"units": {"a0": "W1", "a1": "W2"}}, UnmatchedError, r"2 of 4 units have no ward"),
        ({"units": {"a0": "W1", "a1": "W2", "a2": "W2", "a3": "W2", "z": "W1"}}, UnmatchedError,
         r"1 units are not of the review 'Row' \(z\)"),
        ({"units": dict.fromkeys(["a0", "a1", "a2", "a3"], "W1")}, UnmatchedError,
         r"1 wards have no units \(W2\)"),
        ({"wards": [{"id": "W1", "councillors": 1}, {"id": "W2", "councillors": 1}]}, InputError,
         "have 2 councillors together, and the review is for 3"),
        ({"wards": [{"id": "W1", "councillors": "1"}, {"id": "W2"}]}, InputError,
         "W1 has '1' councillors"),
        ({"wards": [{"id": "W1", "councillors": 1}] * 2}, InputError, "stands twice"),
        ({"councillors": 9}, InputError, "it says 9 councillors, the review 3"),
        ({"version": 2}, FileFormatError, "of version 2"),
        ({"kind": "map"}, FileFormatError, "holds no proposal"),
        ({"units": []}, InputError, "was altered"),
    ],
)  # fmt: skip
def test_files_that_are_not_right_are_refused(tmp_path, change, error, told):
    review = make_review(grid(4, 1), councillors=3, name="Row")
    held = proposal_document(review, proposal_of(review, "xyyy", {"x": 1, "y": 2}))
    file = tmp_path / "drawn.json"
    file.write_text(json.dumps({**held, **change}), encoding="utf-8")
    with pytest.raises(error, match=told):
        read_proposal(file, review)


def test_a_damaged_file_is_refused(tmp_path):
    review = make_review(grid(4, 1), councillors=3, name="Row")
    file = tmp_path / "drawn.json"
    file.write_text('{"kind": "placesh', encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"drawn.json is damaged or no JSON"):
        read_proposal(file, review)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileFormatError, match="is no text"):
        read_proposal(file, review)


def test_a_table_is_held_to_the_electors_of_the_review(tmp_path):
    review = make_review(grid(2, 1), councillors=2, name="Row")
    file = tmp_path / "drawn.csv"
    head = "area_code,ward,ward_name,councillors,electors_now\n"
    file.write_text(f"{head}a0,W1,West,1,100\na1,W2,East,1,100\n", encoding="utf-8")
    assert read_proposal(file, review).wards["name"].tolist() == ["West", "East"]
    file.write_text(f"{head}a0,W1,West,1,100\na1,W2,East,1,90\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"electors_now of 1 units is not that .*\(a1\)"):
        read_proposal(file, review)
    file.write_text(f"{head}a0,W1,West,1,100\na1,W1,West,2,100\n", encoding="utf-8")
    with pytest.raises(InputError, match="no one number of councillors"):
        read_proposal(file, review)
    file.write_text(f"{head}a0,W1,West,1,100\na0,W1,West,1,100\n", encoding="utf-8")
    with pytest.raises(InputError, match="1 units stand twice"):
        read_proposal(file, review)


def test_an_emphasis_below_zero_is_refused():
    with pytest.raises(InputError, match="emphasis: parish must be zero or more"):
        Emphasis(parish=-1)


def test_outlines_that_do_not_fit_exactly_are_snapped():
    units = gpd.GeoDataFrame(
        {"electors_now": 100, "electors_forecast": 100}, crs=27700, index=list("abc"),
        geometry=[box(0, 0, 100, 100), box(100.4, 0, 200, 100), box(200, 0, 300, 100)],
    )  # fmt: skip
    apart = make_review(units, councillors=3, name="Row")
    assert apart.parts.tolist() == [1, 0, 0]
    review = make_review(units, councillors=3, name="Row", snap=0.5)
    assert review.neighbours[["one", "other"]].to_numpy().tolist() == [[0, 1], [1, 2]]
    assert review.neighbours["metres"].tolist() == pytest.approx([100, 100], abs=2)


def test_bridges_join_without_a_border():
    units = grid(4, 1).drop("a2")
    review = make_review(units, councillors=3, name="Row", bridges=[("a3", "a1"), ("a0", "a1")])
    assert review.neighbours.to_numpy().tolist() == [[0, 1, 100], [1, 2, 0]]
    scores = score_proposal(review, proposal_of(review, "xyy", {"x": 1, "y": 2}))
    assert scores.wards["parts"].tolist() == [1, 1]
    assert not scores.wards["doughnut"].any()
