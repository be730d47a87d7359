"""Classes whose edges do not come from the data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import DisclosureError, InputError
from placeshaping.disclosure.classes import (
    DENSITY_EDGES,
    LIKELIHOOD_EDGES,
    SCORE_EDGES,
    SCORE_LABELS,
    assign_fixed,
    check_edges,
    class_labels,
    fixed_classes,
    fixed_edges,
    is_round,
)


def test_edges_do_not_change_with_the_data() -> None:
    rng = np.random.default_rng(1)
    found = {
        fixed_classes(pd.Series(rng.gamma(2, size, 50)), edges=fixed_edges(90)).attrs["edges"]
        for size in (1, 30, 900)
    }
    assert found == {(20.0, 50.0, 100.0, 200.0)}


@pytest.mark.parametrize("scale", [0.003, 0.9, 1, 7.2, 84, 999, 123_456])
@pytest.mark.parametrize("most", [2, 3, 4, 5])
def test_edges_stand_around_the_public_figure(scale: float, most: int) -> None:
    edges = fixed_edges(scale, most=most)
    assert len(edges) == most - 1
    assert all(map(is_round, edges))
    assert edges[0] / 1.6 <= scale * (1 if most > 2 else 1.6)
    assert edges[-1] * 1.6 >= scale
    assert list(edges) == sorted(set(edges))


@pytest.mark.parametrize("edges", [SCORE_EDGES, LIKELIHOOD_EDGES, DENSITY_EDGES])
def test_standing_edges_may_leave(edges: tuple[float, ...]) -> None:
    assert check_edges(edges) == edges


def test_edges_that_are_values_of_the_data_are_refused() -> None:
    counts = pd.Series([3.0, 7, 13, 18, 41])
    with pytest.raises(
        DisclosureError, match=r"3 of 3 class edges are no round number \(7, 13, 18"
    ):
        fixed_classes(counts, edges=counts.quantile([0.25, 0.5, 0.75]).tolist())


def test_more_than_five_classes_are_refused() -> None:
    with pytest.raises(DisclosureError, match="5 edges make 6 classes; at most 5 may leave"):
        check_edges([1, 2, 5, 10, 20])


@pytest.mark.parametrize("edges", [[], [2, 1], [1, 1]])
def test_edges_must_ascend(edges: list[float]) -> None:
    with pytest.raises(InputError, match="Class edges must ascend"):
        check_edges(edges)


def test_scores_leave_as_classes_with_their_index() -> None:
    scores = pd.Series([-3.0, -2, 0, 1.96, 2.6, np.nan], index=list("fedcba"), name="gi_star")
    classes = fixed_classes(scores, edges=SCORE_EDGES, labels=SCORE_LABELS)
    assert classes.index.tolist() == list("fedcba")
    assert classes.name == "gi_star"
    assert classes[:5].tolist() == ["cold_99", "cold_95", "none", "hot_95", "hot_99"]
    assert classes.isna().tolist() == [False] * 5 + [True]
    assert scores.dtype == float


def test_classes_are_counted_from_one_and_missing_is_nought() -> None:
    grid = np.array([[0.0, 19.9], [20.0, np.nan]])
    assert assign_fixed(grid, DENSITY_EDGES).tolist() == [[1, 1], [2, 0]]


def test_classes_are_said_in_words() -> None:
    assert class_labels([0.05, 1000]) == ("under 0.05", "0.05 to under 1,000", "1,000 and over")
    with pytest.raises(InputError, match="1 edges make 2 classes; 3 labels are given"):
        fixed_classes(pd.Series([1.0]), edges=[10], labels=["a", "b", "c"])


def test_scale_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="scale is 0; give a published figure"):
        fixed_edges(0)
    with pytest.raises(InputError, match="most is 6; there are from 2 to 5"):
        fixed_edges(1, most=6)
