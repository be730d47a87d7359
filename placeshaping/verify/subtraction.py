"""
Hidden counts worked out by subtraction.

Categories add up to their total, periods to the whole span, areas to the
larger area, areas of a decile to the decile. A shown count stands for the
interval that rounding leaves it; a hidden one for anything from its smallest
value up, for it may be hidden only to protect another. Each sum is solved by
itself for each of its hidden parts; then what one sum leaves is taken into
the next, round after round, until nothing changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping.verify.contents import Contents
from placeshaping.verify.rules import Rules
from placeshaping.verify.sums import Cells, Sum, added, cells_of, sums_of
from placeshaping.verify.verdict import Breach, number_of

_EXAMPLES = 3
_MOST_ROUNDS = 20

Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]


def check_subtraction(contents: Contents, rules: Rules) -> tuple[list[str], list[Breach]]:
    """
    Solve every sum of a file for its hidden parts, alone and together.

    A breach is a hidden cell that is certain to be under the threshold and is
    left fewer values than its mark says by a single sum, or is left one value
    by all of them. Where the values that are left reach past the threshold,
    the cell may be one that is hidden to protect another; those are counted,
    not held against the file.

    Returns
    -------
    tried
        What was tried, in words.
    breaches
        One for each kind of sum that gives something away.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.contents import Table
    >>> from placeshaping.verify.rules import RULES
    >>> table = pd.DataFrame(
    ...     {
    ...         "area_code": "a",
    ...         "period": "2025",
    ...         "category": ["All", "Burglary", "Robbery", "Arson"],
    ...         "status": ["shown", "shown", "hidden", "shown"],
    ...         "count": [10, 10, None, 0],
    ...     }
    ... )
    >>> contents = Contents("csv", tables=[Table("lsoa_values", table)])
    >>> check_subtraction(contents, RULES["councillor"])[1]
    []
    """
    cells = cells_of(contents)
    if cells is None or not rules.threshold:
        return [], []
    counts = np.concatenate([cube.counts.ravel() for cube in cells.cubes])
    hidden = np.concatenate([cube.hidden.ravel() for cube in cells.cubes])
    bounds = _bounds(counts, hidden, rules)
    tried, unsure, found = 0, 0, []
    families = list(sums_of(cells, contents, bounds))
    for sums in families:
        solved, open_, breach = _solve(sums, cells, hidden, bounds, rules)
        tried, unsure = tried + solved, unsure + open_
        found += breach
    words = [f"{tried:,} hidden cells by subtraction"]
    if unsure:
        words.append(f"{unsure:,} of them are left few values, some of which reach the threshold")
    if families:
        more, breach = _together(families, cells, hidden, bounds, rules)
        words, found = words + more, found + breach
    return words, found


def _bounds(counts: NDArray[np.float64], hidden: NDArray[np.bool_], rules: Rules) -> Bounds:
    """Return the lowest and the highest value that each cell may have."""
    exact = counts == 0
    lower = np.where(exact, 0, np.maximum(counts - rules.half, rules.threshold))
    upper = np.where(exact, 0, counts + rules.half)
    lower = np.where(np.isnan(counts), np.where(hidden, rules.smallest_hidden, 0), lower)
    return lower, np.where(np.isnan(counts), np.inf, upper)


def _solve(
    sums: Sum, cells: Cells, hidden: NDArray[np.bool_], bounds: Bounds, rules: Rules
) -> tuple[int, int, list[Breach]]:
    """Solve each sum for each hidden part; say which are left too few values."""
    lower, upper = bounds
    low, high, unbounded = added(sums, lower, upper)
    target = np.flatnonzero(hidden[sums.part] & np.isfinite(upper[sums.total])[sums.of])
    of, cell = sums.of[target], sums.part[target]
    smallest, largest = rules.smallest_hidden, rules.threshold - 1
    least = np.where(unbounded[of] > 1, smallest, lower[sums.total][of] - high[of])
    least = np.maximum(least, smallest)
    most = upper[sums.total][of] - (low[of] - lower[cell])
    sure = (most >= smallest) & (most <= largest) & ((most < largest) | (least > smallest))
    unsure = (most > largest) & (least <= largest) & (most - least < largest - smallest)
    if not sure.any():
        return len(target), int(unsure.sum()), []
    proofs = [
        _proof(sums, cells, int(t), float(a), float(b), bounds)
        for t, a, b in list(zip(target[sure], least[sure], most[sure], strict=True))[:_EXAMPLES]
    ]
    what = (
        f"{number_of(int(sure.sum()), 'hidden count')} from subtraction ({sums.name}), narrower "
        f"than {smallest} to {largest}"
    )
    return len(target), int(unsure.sum()), [Breach(sums.level, what, "; ".join(proofs))]


def _proof(sums: Sum, cells: Cells, target: int, least: float, most: float, bounds: Bounds) -> str:
    lower, upper = bounds
    total = sums.total[sums.of[target]]
    others = sums.part[(sums.of == sums.of[target]) & (sums.part != sums.part[target])]
    shown = others[np.isfinite(upper[others])]
    left = len(others) - len(shown)
    rest = f" less {left} other hidden of at least {lower[others].min():g}" if left else ""
    span = f"{least:g}" if least == most else f"{least:g} to {most:g}"
    return (
        f"{cells.name(int(sums.part[target]))}: {cells.name(int(total))} is {lower[total]:g} to "
        f"{upper[total]:g}, its {len(shown):,} shown parts are {lower[shown].sum():g} to "
        f"{upper[shown].sum():g}{rest}, which leaves {span}"
    )


def _together(
    families: list[Sum], cells: Cells, hidden: NDArray[np.bool_], bounds: Bounds, rules: Rules
) -> tuple[list[str], list[Breach]]:
    """Solve all sums together; say which hidden cells are left one value."""
    rounds, (lower, upper) = _propagated(families, bounds)
    if (lower > upper).any():
        return ["sums not taken together: they contradict one another"], []
    smallest, largest = rules.smallest_hidden, rules.threshold - 1
    under = hidden & (upper <= largest)
    narrow = under & ((upper < largest) | (lower > smallest))
    marked = (bounds[0], np.where(hidden & (lower <= largest), np.fmin(bounds[1], largest), upper))
    words = [
        f"all sums together, {number_of(rounds, 'round')}: "
        f"{int(narrow.sum()):,} of {int(hidden.sum()):,} hidden cells are certain to be under "
        f"{rules.threshold} and left fewer values than {smallest} to {largest}; "
        f"{_narrowed(families, marked, hidden, rules):,} if every mark meant so"
    ]
    pinned = under & (lower == upper)
    if not pinned.any():
        return words, []
    first = np.flatnonzero(pinned)[:_EXAMPLES]
    proof = "; ".join(f"{cells.name(int(cell))} can only be {lower[cell]:g}" for cell in first)
    counts = number_of(int(pinned.sum()), "hidden count")
    what = f"{counts} left one value by all sums together ({number_of(rounds, 'round')})"
    return words, [Breach("file", what, proof)]


def _narrowed(families: list[Sum], bounds: Bounds, hidden: NDArray[np.bool_], rules: Rules) -> int:
    """Count the hidden cells that the sums narrow where each is taken to be under the threshold."""
    _, (lower, upper) = _propagated(families, bounds)
    within = hidden & (bounds[1] < rules.threshold) & (lower <= upper)
    return int((within & ((lower > rules.smallest_hidden) | (upper < rules.threshold - 1))).sum())


def _propagated(families: list[Sum], bounds: Bounds) -> tuple[int, Bounds]:
    """Take what each sum leaves into the others until nothing changes."""
    lower, upper = bounds[0].copy(), bounds[1].copy()
    for number in range(1, _MOST_ROUNDS + 1):
        before = lower.copy(), upper.copy()
        for sums in families:
            _tighten(sums, lower, upper)
        same = np.array_equal(before[0], lower) and np.array_equal(before[1], upper)
        if same or (lower > upper).any():
            return number, (lower, upper)
    return _MOST_ROUNDS, (lower, upper)


def _tighten(sums: Sum, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
    """Narrow the totals by their parts and the parts by their totals, in place."""
    low, high, unbounded = added(sums, lower, upper)
    total, part, of = sums.total, sums.part, sums.of
    filled = np.bincount(of, minlength=len(total)) > 0
    lower[total] = np.where(filled, np.maximum(lower[total], low), lower[total])
    known = filled & (unbounded == 0)
    upper[total] = np.where(known, np.minimum(upper[total], high), upper[total])
    bounded = np.isfinite(upper[part])
    own = np.where(bounded, upper[part], 0)
    alone = unbounded[of] - ~bounded == 0
    least = np.where(alone, lower[total][of] - (high[of] - own), -np.inf)
    most = upper[total][of] - (low[of] - lower[part])
    lower[part] = np.maximum(lower[part], least)
    upper[part] = np.minimum(upper[part], most)
