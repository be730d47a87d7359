"""After the conflicts are followed to the end, no attacker with linear programmes finds one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from placeshaping.disclosure.ledger.differences import Differences, find_differences
from placeshaping.disclosure.ledger.system import Known, error_of
from placeshaping.disclosure.policies import POLICIES, Policy

MONTHS = 6
EXACT = Policy("exact", "test", 5, 1, zeros_shown=True, numbers=False, method="suppress")
SPANS = [(a, b) for a in range(MONTHS) for b in range(a, MONTHS)]


def release(
    true: np.ndarray,
    spans: list[tuple[int, int]],
    policy: Policy,
    name: str,
    *,
    areas: tuple[str, ...] = ("a",),
) -> Known:
    """Hide the small counts of some spans and round the rest; "ab" holds the areas a and b."""
    rows = []
    for area, (a, b) in itertools.product(areas, spans):
        inside = ["abc".index(letter) for letter in area]
        count = int(np.atleast_2d(true)[inside, a : b + 1].sum())
        small = policy.smallest_hidden <= count < policy.threshold
        shown = None if small else policy.rounding * round(count / policy.rounding)
        rows.append((f"level {areas}", area, f"2024-{a + 1:02}", f"2024-{b + 1:02}", "x",
                     "hidden" if small else "shown", shown, policy.threshold))  # fmt: skip
    columns = ["level", "area_code", "first", "last", "category", "status", "count", "threshold"]
    cells = pd.DataFrame(rows, columns=columns).astype({"count": "Int64"})
    made_of = [("area", area, letter) for area in areas if len(area) > 1 for letter in area]
    members = pd.DataFrame(made_of, columns=["kind", "whole", "part"], dtype=str)
    return Known(name, policy.smallest_hidden, error_of(policy), cells, members)


def bounds(
    known: Known, zeros: set[int], shape: tuple[int, int]
) -> list[tuple[np.ndarray, float, float]]:
    """Say what each cell tells: the areas and months it holds, lowest and highest count."""
    found = []
    for n, row in enumerate(known.cells.itertuples()):
        held = np.zeros(shape)
        inside = ["abc".index(letter) for letter in row.area_code]
        held[inside, int(row.first[5:]) - 1 : int(row.last[5:])] = 1
        if row.status == "hidden":
            low, high = (0 if n in zeros else known.smallest_hidden), np.inf
        elif row.count == 0 and known.smallest_hidden:
            low, high = 0, 0
        else:
            error = known.error or 0
            low, high = max(row.count - error, row.threshold), row.count + error
        found.append((held.ravel(), float(low), float(high)))
    return found


def interval(
    cells: list[tuple[np.ndarray, float, float]], target: np.ndarray
) -> tuple[float, float]:
    """Find the least and the most that some areas and months can have, by linear programming."""
    above = [(held, high) for held, _, high in cells if np.isfinite(high)]
    below = [(-held, -low) for held, low, _ in cells]
    matrix, right = zip(*above, *below, strict=True)
    ends = []
    for sign in (1, -1):
        solved = linprog(sign * target.ravel(), A_ub=np.array(matrix), b_ub=np.array(right))
        assert solved.status in (0, 3)
        ends.append(np.inf if solved.status == 3 else sign * solved.fun)
    return np.ceil(ends[0] - 1e-6), np.inf if np.isinf(ends[1]) else np.floor(ends[1] + 1e-6)


def given_away(
    new: Known, before: list[Known], found: Differences, policy: Policy, shape: tuple[int, int]
) -> int:
    """Hide what is to be hidden, and count what an attacker still finds in any area and span."""
    hidden = new.cells.index.isin(found.cells.index)
    zeros = set(np.flatnonzero(hidden & (new.cells["count"] == 0).fillna(False).to_numpy(bool)))
    cells = new.cells.copy()
    cells.loc[hidden, "status"] = "hidden"
    cells.loc[hidden, "count"] = pd.NA
    safe = Known(new.name, new.smallest_hidden, new.error, cells, new.members)
    alone = bounds(safe, zeros, shape)
    by_old = [bound for one in before for bound in bounds(one, set(), shape)]
    times = 0
    for size in range(1, shape[0] + 1):
        for inside in itertools.combinations(range(shape[0]), size):
            for a, b in itertools.combinations(range(shape[1] + 1), 2):
                target = np.zeros(shape)
                target[list(inside), a:b] = 1
                low, high = interval([*by_old, *alone], target)
                if policy.smallest_hidden <= high < policy.threshold and (
                    high < policy.threshold - 1 or low > policy.smallest_hidden
                ):
                    sides = [interval(by_old, target), interval(alone, target)]
                    times += all(low > side[0] or high < side[1] for side in sides)
    return times


@settings(max_examples=40, deadline=None)
@given(
    true=st.lists(st.integers(0, 9), min_size=MONTHS, max_size=MONTHS),
    former=st.lists(st.lists(st.sampled_from(SPANS), min_size=1, max_size=3, unique=True),
                    min_size=1, max_size=3),
    spans=st.lists(st.sampled_from(SPANS), min_size=1, max_size=3, unique=True),
    policy=st.sampled_from([EXACT, POLICIES["public"], POLICIES["councillor"]]),
)  # fmt: skip
def test_no_count_between_releases_is_given_away(
    true: list[int],
    former: list[list[tuple[int, int]]],
    spans: list[tuple[int, int]],
    policy: Policy,
) -> None:
    counts = np.array(true)
    before = [release(counts, one, policy, f"release {n}") for n, one in enumerate(former)]
    new = release(counts, spans, policy, "this release")
    found = find_differences(new, before, numbers=range(len(before)), threshold=policy.threshold)
    assert found.contradictions == 0
    # what is left rests on the marks of hidden cells alone, and is told
    left = given_away(new, before, found, policy, (1, MONTHS))
    assert left == 0 or found.unavoidable > 0


PARTITIONS = [("a", "b", "c"), ("ab", "c"), ("a", "bc"), ("abc",)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    true=arrays(np.int64, (3, 3), elements=st.sampled_from([0, 1, 2, 3, 5, 8, 12])),
    partitions=st.lists(st.sampled_from(PARTITIONS), min_size=2, max_size=3),
    spans=st.lists(st.sampled_from([(0, 1), (0, 2), (1, 2)]), min_size=3, max_size=3),
    policy=st.sampled_from([EXACT, POLICIES["public"], POLICIES["councillor"]]),
)
def test_no_area_between_partitions_is_given_away(
    true: np.ndarray,
    partitions: list[tuple[str, ...]],
    spans: list[tuple[int, int]],
    policy: Policy,
) -> None:
    made = [
        release(true, [span], policy, f"release {n}", areas=areas)
        for n, (areas, span) in enumerate(zip(partitions, spans, strict=False))
    ]
    new, before = made[0], made[1:]
    found = find_differences(new, before, numbers=range(len(before)), threshold=policy.threshold)
    assert found.contradictions == 0
    left = given_away(new, before, found, policy, true.shape)
    assert left == 0 or found.unavoidable > 0
