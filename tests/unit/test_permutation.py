"""Draws that serve every area at once, against draws counted area by area."""

import numpy as np
import pytest
from scipy import sparse, stats

from placeshaping.hotspots._permutation import (
    count_tails,
    draw_ids,
    find_holders,
    neighbour_tails,
    two_sided,
)


def make_adjacency(size, seed=0, density=0.1):
    random = np.random.default_rng(seed).random((size, size)) < density
    np.fill_diagonal(random, False)
    return sparse.csr_array((random | random.T).astype(float))


def counted_one_by_one(values, adjacency, ids):
    """Take the first of each order that are not the area itself, and add their values up."""
    above, below = [], []
    for i in range(len(values)):
        members = int(adjacency[[i]].sum())
        sums = np.array([values[order[order != i][:members]].sum() for order in ids.T])
        observed = (adjacency[[i]] @ values)[0]
        above.append((sums >= observed - 1e-9).sum())
        below.append((sums <= observed + 1e-9).sum())
    return np.array(above), np.array(below)


@pytest.mark.parametrize("density", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("kind", ["counts", "measures"])
def test_one_table_of_orders_gives_each_area_its_own_draws(density, kind):
    rng = np.random.default_rng(5)
    adjacency = make_adjacency(40, density=density)
    values = rng.poisson(1.5, 40).astype(float) if kind == "counts" else rng.lognormal(size=40)
    members = np.diff(adjacency.indptr).astype(np.int64)
    ids = draw_ids(rng.random((500, members.max() + 1)), 40)
    above, below = (np.zeros(40, dtype=np.int64) for _ in range(2))
    order = np.argsort(members, kind="stable")
    near = adjacency @ values
    count_tails(values, near, members, order, ids, *find_holders(ids, 40), 1e-9, above, below)
    expected = counted_one_by_one(values, adjacency, ids)
    alone = members == 0
    np.testing.assert_array_equal(above[~alone], expected[0][~alone])
    np.testing.assert_array_equal(below[~alone], expected[1][~alone])
    assert not above[alone].any()


def test_an_order_has_each_number_once_and_every_place_is_as_likely():
    ids = draw_ids(np.random.default_rng(0).random((40_000, 4)), 7)
    assert (np.diff(np.sort(ids, axis=0), axis=0) > 0).all()
    for place in ids:
        assert stats.chisquare(np.bincount(place, minlength=7)).pvalue > 1e-4


def test_holders_are_all_places_but_the_spare_one():
    ids = draw_ids(np.random.default_rng(1).random((50, 6)), 9)
    start, held = find_holders(ids, 9)
    for i in range(9):
        found = {(int(k), int(r)) for r, k in held[start[i] : start[i + 1]]}
        assert found == set(zip(*map(np.ndarray.tolist, np.nonzero(ids[:-1] == i)), strict=True))


def test_every_draw_is_counted_whatever_the_block():
    adjacency = make_adjacency(30, density=0.5)
    values = np.random.default_rng(2).normal(size=(30, 2))
    above, below = neighbour_tails(values, adjacency, 150_001, np.random.default_rng(0))
    both = above + below - 150_001  # draws of the very neighbours are on either side
    assert (both >= 0).all()
    assert (both < 100).all()
    again = neighbour_tails(values[:, [1]], adjacency, 150_001, np.random.default_rng(0))
    np.testing.assert_array_equal(above[:, [1]], again[0])


def test_equal_sums_of_large_whole_numbers_are_found_equal():
    adjacency = make_adjacency(30, density=0.3)
    values = np.random.default_rng(2).poisson(1, (30, 1)).astype(float)
    low, high = (
        neighbour_tails(y, adjacency, 999, np.random.default_rng(0)) for y in (values, values + 1e9)
    )
    np.testing.assert_array_equal(low, high)


def test_a_p_value_is_twice_the_tail_to_which_the_score_points():
    above, below = np.array([4, 4, 4, 0]), np.array([95, 95, 95, 99])
    p_values = two_sided(above, below, np.array([1.0, -1.0, 0.0, 2.0]), 99)
    assert p_values.tolist() == [0.1, 1.0, 1.0, 0.02]
