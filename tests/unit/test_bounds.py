"""What a reader knows of each cell, and how it is kept up while cells are hidden."""

from __future__ import annotations

import numpy as np
import pytest

from placeshaping.disclosure.cells import Cells, find_sums, make_cells
from placeshaping.disclosure.differences import (
    Knowledge,
    hide_by_bounds,
    known_bounds,
    propagate,
)


def table(seed: int, *, rounding: int, threshold: int = 5) -> Cells:
    """Build 12 areas in 4 in 2, with 3 categories and 4 periods and their totals."""
    rng = np.random.default_rng(seed)
    counts = rng.negative_binomial(1, 0.12, (4, 3, 12))
    counts = np.concatenate([counts.sum(axis=1, keepdims=True), counts], axis=1)
    fine = np.concatenate([counts.sum(axis=0, keepdims=True), counts], axis=0)
    middle = fine.reshape(5, 4, 4, 3).sum(axis=-1)
    top = middle.reshape(5, 4, 2, 2).sum(axis=-1)
    sums = find_sums(
        {"a": fine.shape, "b": middle.shape, "c": top.shape},
        periods_add_up=True,
        categories_add_up=True,
        parents=[("a", "b", np.arange(12) // 3), ("b", "c", np.arange(4) // 2)],
    )
    flat = np.concatenate([cube.ravel() for cube in (fine, middle, top)])
    return make_cells(flat, sums, threshold=threshold, rounding=rounding)


@pytest.mark.parametrize("base", [1, 2, 3, 5, 10])
@pytest.mark.parametrize(("threshold", "smallest"), [(0, 1), (3, 1), (7, 1), (7, 0)])
def test_a_reader_bounds_each_count_by_those_that_look_alike(
    base: int, threshold: int, smallest: int
) -> None:
    counts = np.arange(200)
    nothing = find_sums(
        {"a": (1, 1, 200)}, periods_add_up=False, categories_add_up=False, parents=[]
    )
    cells = make_cells(
        counts, nothing, threshold=threshold, smallest_hidden=smallest, rounding=base
    )
    lower, upper = known_bounds(cells, cells.primary)
    shown = base * np.rint(counts / base)
    for count in counts[~cells.primary][:150]:
        alike = counts[(shown == shown[count]) & ~cells.primary]
        assert (lower[count], upper[count]) == (alike.min(), alike.max())


@pytest.mark.parametrize("rounding", [1, 5])
def test_hiding_step_by_step_knows_what_starting_afresh_does(rounding: int) -> None:
    for seed in range(20):
        cells = table(seed, rounding=rounding)
        rng = np.random.default_rng(seed)
        kept_up = Knowledge(cells)
        for _ in range(6):
            shown = np.flatnonzero(cells.may_hide & ~kept_up.hidden)
            kept_up.hide(rng.choice(shown, 5, replace=False))
            afresh = Knowledge(cells, kept_up.hidden)
            np.testing.assert_array_equal(kept_up.lower, afresh.lower)
            np.testing.assert_array_equal(kept_up.upper, afresh.upper)
            np.testing.assert_array_equal(kept_up.inherent, afresh.inherent)


def test_bounds_always_hold_the_true_count() -> None:
    for seed in range(20):
        cells = table(seed, rounding=5)
        lower, upper = propagate(*known_bounds(cells, hide_by_bounds(cells)), cells.sums)
        assert (lower <= cells.counts).all()
        assert (upper >= cells.counts).all()


def test_a_sensitive_category_is_held_to_its_own_threshold() -> None:
    cells = table(3, rounding=5)
    doubled = np.where(np.arange(cells.size) % 2 == 0, 10, 5)
    strict = make_cells(cells.counts, cells.sums, threshold=doubled, rounding=5)
    hidden = hide_by_bounds(strict)
    even = doubled == 10
    small = (cells.counts > 0) & (cells.counts < 10)
    assert hidden[even & small].all()
    knowledge = Knowledge(strict, hidden)
    narrow = knowledge.given_away()
    assert (knowledge.upper[even & small & ~narrow] == 9).all()
    all_hidden = Knowledge(strict, strict.primary | strict.may_hide)
    assert (knowledge.lower[narrow] <= all_hidden.lower[narrow]).all()
    assert (knowledge.upper[narrow] >= all_hidden.upper[narrow]).all()


def test_what_was_hidden_before_is_hidden_first() -> None:
    sums = find_sums({"a": (1, 5, 1)}, periods_add_up=False, categories_add_up=True, parents=[])
    counts = np.array([60, 3, 8, 9, 40])
    before = np.array([False, False, False, True, False])
    plain = hide_by_bounds(make_cells(counts, sums, threshold=5))
    stable = hide_by_bounds(make_cells(counts, sums, threshold=5, hidden_before=before))
    assert np.flatnonzero(plain).tolist() == [1, 2]
    assert np.flatnonzero(stable).tolist() == [1, 3]


def test_a_cell_that_is_published_nowhere_is_not_hidden_and_says_nothing() -> None:
    sums = find_sums({"a": (1, 3, 1)}, periods_add_up=False, categories_add_up=True, parents=[])
    published = np.array([False, True, True])
    cells = make_cells(np.array([23, 3, 20]), sums, threshold=5, published=published)
    assert hide_by_bounds(cells).tolist() == [False, True, False]
