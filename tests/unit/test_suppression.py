"""What must be hidden so that nothing small can be worked out, and what an audit finds."""

from __future__ import annotations

import numpy as np
import pytest

from placeshaping._core.errors import InputError
from placeshaping.disclosure.audit import audit, due_intervals, intervals
from placeshaping.disclosure.cells import Cells, Sums, check_cells, find_sums, make_cells, weights
from placeshaping.disclosure.differences import hide_by_bounds
from placeshaping.disclosure.optimum import least_weight, suppress_exactly
from placeshaping.disclosure.suppression import protect_cells, suppress_by_witnesses


def square(inside: list[list[int]], **options: object) -> Cells:
    """Build areas by categories with totals of both: the smallest table that can leak."""
    parts = np.array(inside)
    rows = np.concatenate([parts.sum(axis=0, keepdims=True), parts], axis=0)[None]
    top = rows.sum(axis=-1, keepdims=True)
    sums = find_sums(
        {"lsoa": rows.shape, "msoa": top.shape},
        periods_add_up=False,
        categories_add_up=True,
        parents=[("lsoa", "msoa", np.zeros(parts.shape[1], dtype=np.intp))],
    )
    counts = np.concatenate([rows.ravel(), top.ravel()])
    return make_cells(counts, sums, threshold=5, **options)  # type: ignore[arg-type]


TEXTBOOK = [[20, 50, 10], [8, 19, 22], [17, 32, 3]]


def test_margins_left_in_a_suppressed_table_are_broken() -> None:
    cells = square(TEXTBOOK)
    found = audit(cells, cells.primary)
    assert found.narrow.sum() == 1
    cell = int(np.flatnonzero(found.narrow)[0])
    assert (found.lower[cell], found.upper[cell]) == (3, 3)
    assert found.how == "lp"


def bridge() -> tuple[Cells, np.ndarray, int]:
    """
    Build two squares of hidden cells joined by one small cell.

    Two rows less two columns leave it alone, though no single sum says anything of it.
    """
    inside = np.full((4, 4), 20)
    inside[1, 2] = 3
    cells = square(inside.tolist())
    hidden = np.zeros((5, 4), dtype=bool)
    for row, column in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 2)]:
        hidden[row + 1, column] = True
    return cells, np.append(hidden.ravel(), [False] * 5), int(np.flatnonzero(cells.small)[0])


def test_two_rows_less_two_columns_are_worked_out_and_repaired() -> None:
    cells, hidden, cell = bridge()
    lower, upper = intervals(cells, hidden)
    assert (lower[cell], upper[cell]) == (3, 3)
    assert audit(cells, hidden).narrow[cell]
    repaired = suppress_by_witnesses(cells, hidden=hidden)
    assert repaired[hidden].all()
    assert not audit(cells, repaired).narrow.any()


def test_a_system_too_large_is_audited_by_bounds_and_says_so() -> None:
    cells, hidden, _ = bridge()
    found = audit(cells, hidden, most_cells=3)
    assert found.how == "bounds"
    assert not found.narrow.any()  # bounds see single sums only


def test_the_least_suppression_of_a_textbook_table() -> None:
    # Hiding the 3 needs one more in its row, one in its column and the cell where
    # those cross: 17 (or 32), 10 (or 22), and the crossing one. By hand the least is
    # the 10, the 17 and the 20 (50 in all) against 22, 17 and 8 (47 in all).
    cells = square(TEXTBOOK)
    hidden = suppress_exactly(cells)
    assert hidden is not None
    assert sorted(cells.counts[hidden & ~cells.primary].tolist()) == [8, 17, 22]
    protection = protect_cells(cells, method="suppress")
    assert protection.audited == "exact"
    assert (protection.n_primary, protection.n_secondary) == (1, 3)
    assert np.array_equal(protection.hidden, hidden)


def test_least_suppression_weighs_no_more_than_any_other_choice() -> None:
    rng = np.random.default_rng(4)
    for _ in range(4):
        cells = square(rng.negative_binomial(1, 0.12, (2, 3)).tolist())
        free = np.flatnonzero(cells.may_hide)
        found = suppress_exactly(cells)
        assert found is not None
        assert not audit(cells, found).narrow.any()
        for choice in range(2 ** len(free)):
            hidden = cells.primary.copy()
            hidden[free[(choice >> np.arange(len(free))) & 1 == 1]] = True
            if weights(cells)[hidden].sum() < weights(cells)[found].sum():
                assert audit(cells, hidden).narrow.any()


def test_what_was_hidden_before_stays_hidden() -> None:
    plain = square(TEXTBOOK)
    before = np.isin(plain.counts, [10, 20]) & ~plain.primary
    again = protect_cells(square(TEXTBOOK, hidden_before=before), method="suppress")
    assert sorted(plain.counts[again.hidden & ~plain.primary].tolist()) == [10, 17, 20]


def test_a_cell_that_must_be_hidden_is_hidden_and_left_wide() -> None:
    plain = square(TEXTBOOK)
    must = plain.counts == 32
    cells = square(TEXTBOOK, always_hidden=must)
    hidden = protect_cells(cells, method="suppress").hidden
    assert hidden[must].all()
    lower, upper = intervals(cells, hidden)
    assert (lower[must] <= 30).all()
    assert (upper[must] >= 34).all()


def test_witnesses_protect_what_the_bounds_leave_open() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        cells = square(rng.negative_binomial(1, 0.12, (6, 5)).tolist())
        hidden = suppress_by_witnesses(cells)
        assert not audit(cells, hidden).narrow.any()


def test_an_audit_agrees_with_the_exact_intervals() -> None:
    rng = np.random.default_rng(1)
    for rounding in (1, 5):
        for _ in range(6):
            cells = square(rng.negative_binomial(1, 0.12, (4, 4)).tolist(), rounding=rounding)
            hidden = cells.primary | (cells.may_hide & (rng.random(cells.size) < 0.2))
            low, high = due_intervals(cells)
            lower, upper = intervals(cells, hidden)
            narrow = cells.primary & ((lower > low + 1e-6) | (upper < high - 1e-6))
            assert np.array_equal(audit(cells, hidden).narrow, narrow)


def test_districts_are_protected_apart_as_well_as_together() -> None:
    rng = np.random.default_rng(2)
    parts = rng.negative_binomial(1, 0.1, (1, 4, 8))
    fine = np.concatenate([parts.sum(axis=1, keepdims=True), parts], axis=1)
    district = np.arange(8) // 4
    middle = np.stack([fine[..., district == one].sum(axis=-1) for one in range(2)], axis=-1)
    top = middle.sum(axis=-1, keepdims=True)
    sums = find_sums(
        {"lsoa": fine.shape, "district": middle.shape, "county": top.shape},
        periods_add_up=False,
        categories_add_up=True,
        parents=[
            ("lsoa", "district", district),
            ("district", "county", np.zeros(2, dtype=np.intp)),
        ],
    )
    counts = np.concatenate([cube.ravel() for cube in (fine, middle, top)])
    block = np.concatenate([np.tile(district, 5), np.tile([0, 1], 5), np.full(5, -1)])
    cells = make_cells(counts, sums, threshold=5, block=block)
    hidden = suppress_by_witnesses(cells)
    assert not audit(cells, hidden).narrow.any()
    assert not hidden[-5:].any()  # the county's totals stay


@pytest.mark.parametrize("kind", ["negative", "fractional"])
def test_counts_that_are_no_counts_are_refused(kind: str) -> None:
    wrong = {"negative": np.array([7, -3, 10]), "fractional": np.array([9.5, 2.5, 7.0])}[kind]
    sums = Sums(np.array([0]), np.array([1, 2]), np.array([0, 0]))
    cells = make_cells(wrong, sums, threshold=5)
    with pytest.raises(InputError, match=f"of 3 counts are {kind}"):
        check_cells(cells)


def test_a_total_that_is_not_its_parts_is_named() -> None:
    sums = Sums(np.array([0]), np.array([1, 2]), np.array([0, 0]))
    cells = make_cells(np.array([11, 3, 7]), sums, threshold=5)
    with pytest.raises(InputError, match="Marsh End is 11, its 2 parts add up to 10"):
        check_cells(cells, name=["Marsh End", "burglary", "drugs"].__getitem__)
    check_cells(make_cells(np.array([10, 3, 7]), sums, threshold=5))


def test_arrays_of_another_length_are_refused() -> None:
    sums = Sums(np.array([0]), np.array([1, 2]), np.array([0, 0]))
    cells = make_cells(np.array([10, 3, 7]), sums, threshold=5, block=np.zeros(2, dtype=np.intp))
    with pytest.raises(InputError, match="block has 2 entries for 3 cells"):
        check_cells(cells)


def test_a_method_that_does_not_fit_is_refused() -> None:
    cells = square(TEXTBOOK, rounding=5)
    with pytest.raises(InputError, match="Use rounding 1, or method 'round'"):
        protect_cells(cells, method="suppress")
    with pytest.raises(InputError, match="use one of: round, suppress"):
        protect_cells(cells, method="noise")  # type: ignore[arg-type]


def nested(rng: np.random.Generator, *, base: int, threshold: int) -> Cells:
    """Build twelve areas in three larger ones, by four categories and two periods, with totals."""
    parts = rng.negative_binomial(1, 0.12, (2, 4, 12))
    fine = np.concatenate([parts.sum(axis=1, keepdims=True), parts], axis=1)
    fine = np.concatenate([fine.sum(axis=0, keepdims=True), fine], axis=0)
    inside = np.arange(12) // 4
    middle = np.stack([fine[..., inside == one].sum(axis=-1) for one in range(3)], axis=-1)
    top = middle.sum(axis=-1, keepdims=True)
    shapes = {"lsoa": fine.shape, "msoa": middle.shape, "district": top.shape}
    sums = find_sums(
        shapes,
        periods_add_up=True,
        categories_add_up=True,
        parents=[("lsoa", "msoa", inside), ("msoa", "district", np.zeros(3, dtype=np.intp))],
    )
    counts = np.concatenate([fine.ravel(), middle.ravel(), top.ravel()])
    return make_cells(counts, sums, threshold=threshold, rounding=base)


def test_bounds_alone_leak_where_the_base_is_small_and_programmes_nearby_mend_it() -> None:
    rng = np.random.default_rng(11)
    leaked = 0
    for _ in range(3):
        cells = nested(rng, base=3, threshold=6)
        leaked += int(audit(cells, hide_by_bounds(cells)).narrow.sum())
        protection = protect_cells(cells, method="round")
        assert protection.audited == "lp"
        assert not audit(cells, protection.hidden).narrow.any()
    assert leaked > 0  # the known-bad example


def test_pieces_are_protected_as_if_each_were_alone() -> None:
    rng = np.random.default_rng(5)
    one = nested(rng, base=1, threshold=5)
    both = Cells(
        np.tile(one.counts, 2), np.tile(one.threshold, 2), 1, 1,
        Sums(
            *(np.concatenate([a, a + shift]) for a, shift in (
                (one.sums.totals, one.size), (one.sums.parts, one.size),
                (one.sums.sum_of_part, len(one.sums.totals)),
            ))
        ),
        *(np.tile(a, 2) for a in (one.published, one.block, one.hidden_before, one.always_hidden)),
    )  # fmt: skip
    alone, together = (protect_cells(c, method="suppress").hidden for c in (one, both))
    assert np.array_equal(together, np.tile(alone, 2))
    assert not audit(both, together).narrow.any()


def test_a_bound_from_below_is_below_the_least() -> None:
    cells = square(TEXTBOOK)
    least = suppress_exactly(cells)
    assert least is not None
    weight = weights(cells)[least & ~cells.primary].sum()
    assert 0 < least_weight(cells) <= weight + 1e-6
