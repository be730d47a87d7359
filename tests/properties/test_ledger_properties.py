"""After the conflicts are followed to the end, no attacker with linear programmes finds one."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from placeshaping.disclosure.ledger_differences import find_differences
from placeshaping.disclosure.ledger_system import Known, error_of
from placeshaping.disclosure.policies import POLICIES, Policy

MONTHS = 6
EXACT = Policy("exact", "test", 5, 1, zeros_shown=True, numbers=False, method="suppress")
SPANS = [(a, b) for a in range(MONTHS) for b in range(a, MONTHS)]

Bound = tuple[int, int, float, float]


def release(true: np.ndarray, spans: list[tuple[int, int]], policy: Policy, name: str) -> Known:
    """Hide the small counts of some spans and round the rest."""
    rows = []
    for a, b in spans:
        count = int(true[a : b + 1].sum())
        small = policy.smallest_hidden <= count < policy.threshold
        shown = None if small else policy.rounding * round(count / policy.rounding)
        rows.append(("lsoa", "a", f"2024-{a + 1:02}", f"2024-{b + 1:02}", "x",
                     "hidden" if small else "shown", shown, policy.threshold))  # fmt: skip
    columns = ["level", "area_code", "first", "last", "category", "status", "count", "threshold"]
    cells = pd.DataFrame(rows, columns=columns).astype({"count": "Int64"})
    members = pd.DataFrame(columns=["kind", "whole", "part"], dtype=str)
    return Known(name, policy.smallest_hidden, error_of(policy), cells, members)


def bounds(known: Known, zeros: set[int]) -> list[Bound]:
    """Say what each cell tells: first and last month, lowest and highest count."""
    found = []
    for n, row in enumerate(known.cells.itertuples()):
        a, b = int(row.first[5:]) - 1, int(row.last[5:]) - 1
        if row.status == "hidden":
            low, high = (0 if n in zeros else known.smallest_hidden), np.inf
        elif row.count == 0 and known.smallest_hidden:
            low, high = 0, 0
        else:
            error = known.error or 0
            low, high = max(row.count - error, row.threshold), row.count + error
        found.append((a, b, float(low), float(high)))
    return found


def interval(cells: list[Bound], a: int, b: int) -> tuple[float, float]:
    """Find the least and the most that the months a to b can have, by linear programming."""

    def months(first: int, last: int) -> np.ndarray:
        return ((np.arange(MONTHS) >= first) & (np.arange(MONTHS) <= last)).astype(float)

    above = [(months(f, t), high) for f, t, _, high in cells if np.isfinite(high)]
    below = [(-months(f, t), -low) for f, t, low, _ in cells]
    matrix, right = zip(*above, *below, strict=True)
    ends = []
    for sign in (1, -1):
        solved = linprog(sign * months(a, b), A_ub=np.array(matrix), b_ub=np.array(right))
        ends.append(np.inf if solved.status == 3 else sign * solved.fun)
        assert solved.status in (0, 3)
    return round(ends[0]), np.inf if np.isinf(ends[1]) else round(ends[1])


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
    hidden = new.cells.index.isin(found.cells.index)
    zeros = set(np.flatnonzero(hidden & (new.cells["count"] == 0).fillna(False).to_numpy(bool)))
    cells = new.cells.copy()
    cells.loc[hidden, "status"] = "hidden"
    cells.loc[hidden, "count"] = pd.NA
    alone = bounds(Known(new.name, new.smallest_hidden, new.error, cells, new.members), zeros)
    by_old = [bound for one in before for bound in bounds(one, set())]
    given_away = 0
    for a, b in itertools.combinations(range(MONTHS + 1), 2):
        low, high = interval([*by_old, *alone], a, b - 1)
        narrower = policy.smallest_hidden <= high < policy.threshold and (
            high < policy.threshold - 1 or low > policy.smallest_hidden
        )
        if narrower:
            sides = [interval(by_old, a, b - 1), interval(alone, a, b - 1)]
            given_away += all(low > side[0] or high < side[1] for side in sides)
    # what is left rests on the marks of hidden cells alone, and is told
    assert given_away == 0 or found.unavoidable > 0
