"""No single sum of a protected table gives a hidden count away."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from placeshaping.disclosure.cells import Sums, find_sums
from placeshaping.disclosure.differences import hide_differences
from placeshaping.disclosure.policies import POLICIES, Policy
from placeshaping.disclosure.protection import suppress_small

AREAS, PARENTS = 6, 2
EXACT = Policy("exact", "test", 5, rounding=1, zeros_shown=True, numbers=False, method="suppress")


def cubes(parts: np.ndarray) -> dict[str, np.ndarray]:
    """Build totals over categories and periods, and the parents, from (2, 3, 6) parts."""
    with_total = np.concatenate([parts.sum(axis=1, keepdims=True), parts], axis=1)
    lower = np.concatenate([with_total.sum(axis=0, keepdims=True), with_total], axis=0)
    upper = np.stack([lower[..., :3].sum(axis=-1), lower[..., 3:].sum(axis=-1)], axis=-1)
    return {"lsoa": lower, "msoa": upper}


def least_of(hidden: np.ndarray, sums: Sums, smallest: int) -> np.ndarray:
    """Return the least that each cell must be when its hidden parts are as small as can be."""
    least = np.where(hidden, smallest, 0)
    for _ in range(6):  # deeper than any chain of totals here
        for number, total in enumerate(sums.totals):
            inside = sums.parts[sums.sum_of_part == number]
            least[total] = max(least[total], least[inside].sum())
    return least


def brute_force(
    counts: np.ndarray,
    hidden: np.ndarray,
    policy: Policy,
    total: int,
    parts: list[int],
    inherent: np.ndarray,
) -> None:
    """
    Try every value that each hidden part may have, one sum at a time.

    That a hidden total is at least what its hidden parts must be, no hiding can change.
    """
    half = (policy.rounding - 1) / 2

    def values(cell: int) -> tuple[float, float]:
        if hidden[cell]:
            small = counts[cell] < policy.threshold
            return policy.smallest_hidden, policy.threshold - 1 if small else np.inf
        if counts[cell] == 0:
            return 0, 0
        shown = policy.rounding * round(counts[cell] / policy.rounding)
        return max(shown - half, policy.threshold), shown + half

    if hidden[total]:
        return
    for cell in parts:
        if not hidden[cell] or counts[cell] >= policy.threshold:
            continue
        others = [values(other) for other in parts if other != cell]
        low, high = values(total)
        for value in (inherent[cell], policy.threshold - 1):
            least = value + sum(bounds[0] for bounds in others)
            most = value + sum(bounds[1] for bounds in others)
            assert least <= high
            assert most >= low


@settings(max_examples=60, deadline=None)
@given(
    parts=arrays(np.int64, (2, 3, AREAS), elements=st.integers(0, 30)),
    policy=st.sampled_from([EXACT, POLICIES["public"], POLICIES["councillor"]]),
)
def test_no_single_sum_narrows_a_hidden_count(parts: np.ndarray, policy: Policy) -> None:
    table = cubes(parts)
    counts = np.concatenate([cube.ravel() for cube in table.values()])
    sums = find_sums(
        {name: cube.shape for name, cube in table.items()},
        periods_add_up=True,
        categories_add_up=True,
        parents=[("lsoa", "msoa", np.array([0, 0, 0, 1, 1, 1]))],
    )
    for number, total in enumerate(sums.totals):
        assert counts[total] == counts[sums.parts[sums.sum_of_part == number]].sum()
    primary = suppress_small(counts, policy)
    hidden = hide_differences(counts, primary, sums, policy=policy)
    assert (hidden | ~primary).all()
    inherent = least_of(hidden, sums, policy.smallest_hidden)
    for number, total in enumerate(sums.totals):
        parts_of = sums.parts[sums.sum_of_part == number].tolist()
        brute_force(counts, hidden, policy, int(total), parts_of, inherent)


def test_every_sum_is_listed_once() -> None:
    sums = find_sums(
        {"lsoa": (3, 4, AREAS), "msoa": (3, 4, PARENTS)},
        periods_add_up=True,
        categories_add_up=True,
        parents=[("lsoa", "msoa", np.array([0, 0, 0, 1, 1, 1]))],
    )
    by_hand = 3 * (AREAS + PARENTS) + 4 * (AREAS + PARENTS) + 3 * 4 * PARENTS
    assert len(sums.totals) == by_hand
    listed = [
        (int(total), *sorted(sums.parts[sums.sum_of_part == number].tolist()))
        for number, total in enumerate(sums.totals)
    ]
    assert len(set(listed)) == by_hand
    assert all(len(set(one)) == len(one) for one in listed)
    assert all(a != b for a, b in itertools.pairwise(sorted(listed)))
