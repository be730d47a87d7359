"""Counts from scores, and edges of classes read as data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import shapely

from placeshaping.disclosure.classes import SCORE_EDGES, SCORE_LABELS, fixed_classes
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.legends import attack_legends, check_edges
from placeshaping.verify.payload import read_payload
from placeshaping.verify.rules import RULES
from placeshaping.verify.scores import attack_scores, invert_gi, invert_lq, invert_z, neighbours
from placeshaping.verify.verdict import Breach

RULE = RULES["councillor"]


def voronoi(number: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    square = shapely.box(0, 0, 10_000, 10_000)
    spots = shapely.MultiPoint(rng.uniform(0, 10_000, (number, 2)))
    return shapely.intersection(
        shapely.get_parts(shapely.voronoi_polygons(spots, extend_to=square)), square
    )


def gi_star(counts: np.ndarray, touching: np.ndarray) -> np.ndarray:
    weights = touching + np.eye(len(counts))
    members, size = weights.sum(axis=1), len(counts)
    spread = counts.std() * np.sqrt(members * (size - members) / (size - 1))
    return (weights @ counts - members * counts.mean()) / spread


def counts_of(number: int, mean: float = 4.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).negative_binomial(2, 2 / (2 + mean), number)


def texts(breaches: list[Breach]) -> str:
    return "\n".join(f"{b.where}: {b.what} [{b.proof}]" for b in breaches)


SHAPES = voronoi(80)
TOUCHING = neighbours(SHAPES)
CODES = [f"E01{900_001 + i}" for i in range(80)]
GEOMETRY = dict(zip(CODES, SHAPES, strict=True))


@pytest.mark.parametrize("mean", [0.6, 4.0, 15.0])
def test_gi_star_to_two_decimals_gives_every_count_back(mean: float) -> None:
    counts = counts_of(80, mean)
    back = invert_gi(gi_star(counts, TOUCHING).round(2), TOUCHING)
    assert back is not None
    assert back.counts.tolist() == (counts - counts.min()).tolist()


def test_shown_counts_tell_what_must_be_added() -> None:
    counts = counts_of(80) + 20
    shown = np.where(np.arange(80) < 10, 5 * np.rint(counts / 5), np.nan)
    back = invert_gi(gi_star(counts, TOUCHING).round(3), TOUCHING, shown=shown)
    assert back is not None
    assert np.abs(back.counts - counts).max() <= 1


def test_scores_of_some_areas_give_back_what_they_determine() -> None:
    counts = counts_of(80, 4.0, 5)
    scores = gi_star(counts, TOUCHING).round(3)
    scores[[3, 40]] = np.nan
    back = invert_gi(scores, TOUCHING)
    assert back is None or (
        np.nanmax(np.abs(back.counts - np.nanmin(back.counts) - counts + counts.min())) <= 1
    )


def test_scores_of_pairs_determine_no_single_count() -> None:
    pairs = np.kron(np.eye(40), np.array([[0, 1], [1, 0]])) > 0
    scores = gi_star(counts_of(80, 4.0, 5), pairs).round(3)
    assert invert_gi(scores, pairs) is None


@pytest.mark.parametrize("mean", [0.6, 6.0, 40.0])
def test_z_scores_to_two_decimals_give_every_count_back(mean: float) -> None:
    counts = counts_of(90, mean)
    back = invert_z(((counts - counts.mean()) / counts.std()).round(2))
    assert back is not None
    assert back.counts.tolist() == (counts - counts.min()).tolist()


@pytest.mark.parametrize("mean", [0.6, 6.0, 40.0])
def test_location_quotients_to_two_decimals_give_every_count_back(mean: float) -> None:
    counts = counts_of(90, mean)
    wholes = counts + np.random.default_rng(3).integers(60, 300, 90)
    quotients = ((counts / wholes) / (counts.sum() / wholes.sum())).round(2)
    back = invert_lq(quotients, wholes.astype(float))
    assert back is not None
    assert back.counts.tolist() == counts.tolist()


def test_numbers_that_are_no_scores_of_counts_give_nothing_back() -> None:
    rng = np.random.default_rng(4)
    assert invert_gi(rng.normal(size=80).round(2), TOUCHING) is None
    assert invert_z(rng.normal(size=80).round(3)) is None
    assert invert_lq(rng.gamma(2, 1, 80).round(3), rng.uniform(100, 300, 80)) is None
    assert invert_z(np.zeros(80)) is None
    assert invert_z(rng.normal(size=5)) is None


def scored(**columns: object) -> Table:
    return Table("lsoa_values", pd.DataFrame({"area_code": CODES, "category": "Arson", **columns}))


def test_hidden_counts_beside_gi_star_are_broken() -> None:
    counts = counts_of(80)
    shown = np.where(counts >= 5, 5 * np.rint(counts / 5), np.nan)
    table = scored(count=shown, gi_star=gi_star(counts, TOUCHING).round(2))
    told = texts(attack_scores(table, GEOMETRY, None, rules=RULE))
    assert "that the file does not show from 'gi_star'" in told
    assert "80 counts come back in all" in told
    first = int(np.flatnonzero((counts >= 1) & (counts < 5))[0])
    assert f"{CODES[first]}, Arson = {counts[first]}, for gi_star" in told


def test_z_scores_and_quotients_in_a_table_are_broken() -> None:
    counts = counts_of(80)
    wholes = counts + 90 + np.arange(80)
    table = scored(
        residents=wholes,
        z_score=((counts - counts.mean()) / counts.std()).round(2),
        lq=((counts / wholes) / (counts.sum() / wholes.sum())).round(2),
    )
    told = texts(attack_scores(table, {}, None, rules=RULE))
    assert "from 'z_score'" in told
    assert "from 'lq'" in told


def test_scores_that_left_as_classes_withstand() -> None:
    counts = counts_of(80)
    scores = pd.Series(gi_star(counts, TOUCHING), name="gi_star")
    classes = fixed_classes(scores, edges=SCORE_EDGES, labels=SCORE_LABELS).astype(str)
    table = scored(count=np.nan, gi_star=classes.tolist())
    assert attack_scores(table, GEOMETRY, None, rules=RULE) == []


def test_scores_of_protected_counts_give_back_no_more_than_those() -> None:
    shown = (5 * np.rint(counts_of(80, 30) / 5) + 5).astype(float)
    table = scored(count=shown, gi_star=gi_star(shown, TOUCHING).round(3))
    assert attack_scores(table, GEOMETRY, None, rules=RULE) == []


def test_nothing_is_tried_where_nothing_is_protected() -> None:
    counts = counts_of(80)
    table = scored(gi_star=gi_star(counts, TOUCHING).round(2))
    assert attack_scores(table, GEOMETRY, {"policy": "internal"}) == []


def style(edges: list[float], column: str) -> Contents:
    ranges = "".join(
        f'<range symbol="0" lower="{low:.15f}" upper="{up:.15f}"/>' for low, up in pairwise(edges)
    )
    extra = '<range lower="-1.0" upper="-1.0"/><range lower="-2.0" upper="-2.0"/>'
    text = f'<renderer-v2 attr="{column}" type="x"><ranges>{ranges}{extra}</ranges></renderer-v2>'
    return Contents("geopackage", texts={"layer_styles": text})


def legends(contents: Contents) -> str:
    return texts(list(attack_legends(contents, RULE)))


def test_ten_colour_bins_in_a_style_are_broken() -> None:
    assert "has 10 classes; at most 5 may leave" in legends(style(list(range(11)), "rate"))


def test_edges_equal_to_hidden_counts_are_broken() -> None:
    told = legends(style([0, 3, 7, 18, 41], "count"))
    assert (
        "4 class edges are no round number" in told or "3 class edges are no round number" in told
    )
    assert "nor a count that could be shown: values of the data [3, 7, 18]" in told


def test_edges_equal_to_rates_are_broken() -> None:
    contents = style([0, 2.0, 13.7251, 50], "rate")
    frame = pd.DataFrame({"area_code": ["a", "b"], "rate": [13.9, 40.0]})
    contents.tables.append(Table("lsoa_values", frame))
    assert "1 of 2 class edges is no round number: it is a value of the data [13.7251]" in legends(
        contents
    )


def test_round_edges_withstand() -> None:
    contents = style([0, 10, 20, 50, 100, 200], "count")
    contents.tables.append(Table("t", pd.DataFrame({"area_code": ["a"], "count": [50]})))
    assert legends(contents) == ""
    assert legends(style([0, 2.5, 5, 10], "rate")) == ""
    assert "2 of 3 class edges are no round num" in legends(style([0, 45, 47.5, 50, 60], "rate"))
    steps = style([0, 45, 47.5, 50, 60], "rate")
    steps.tables.append(Table("t", pd.DataFrame({"area_code": ["a"], "rate": [46.1]})))
    assert legends(steps) == ""
    assert list(check_edges(SCORE_EDGES, where="legend")) == []


def test_ten_colour_bins_of_a_page_are_broken() -> None:
    contents = Contents("html")
    edges = [0, 3.1, 4.7, 5.2, 6.9, 8.3, 9.9, 12.4, 17.7, 30.2, 50.1]
    read_payload({"format": 1, "levels": [], "classes": {"Arson": edges}}, contents)
    told = legends(contents)
    assert "legend of Arson: has 10 classes; at most 5 may leave" in told
    assert "9 of 9 class edges are no round numbers: they are values of the data" in told


def test_edges_to_two_decimals_are_broken_beside_shown_rates() -> None:
    contents = style([0, 13.73, 27.01, 50], "rate")
    contents.tables.append(Table("t", pd.DataFrame({"area_code": ["a"], "rate": [46.1]})))
    assert "2 of 2 class edges are no round numbers" in legends(contents)
