"""
What all sums together leave of each hidden count.

First every sum narrows its total and its parts, round after round, until
nothing changes. Then linear programmes (Fischetti and Salazar 2001; the
"auditing problem") give the exact bounds of the most suspicious cells: over the
whole of what they are tied to where that is small, and there in whole numbers;
else over the nearest sums, which can only find less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds as SciPyBounds
from scipy.optimize import LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from placeshaping._core.compiled import compiled
from placeshaping.verify.system import Floats, System

_linear: Any = linprog
"""Not every version of the stubs knows sparse matrices."""

MOST_EXACT = 150
"""Cells of a system that is solved in whole numbers."""

_MOST_NEAR = 80
_MOST_PARTS = 60
_MOST_ROUNDS = 50
_MOST_NODES = 200
_SLACK = 1e-6


@dataclass
class Bounds:
    """
    What is known of each cell.

    Attributes
    ----------
    lower, upper
        Flat.
    rounds
        Rounds that the propagation took.
    contradictions
        Sums that no counts can fulfil; they say nothing.
    solved, exact
        Cells that linear programmes were solved for, and for how many of them
        over everything that they are tied to.
    """

    lower: Floats
    upper: Floats
    rounds: int = 0
    contradictions: int = 0
    solved: int = 0
    exact: int = 0


@compiled()
def _narrow(  # noqa: C901
    lower: Floats,
    upper: Floats,
    totals: NDArray[np.intp],
    start: NDArray[np.intp],
    parts: NDArray[np.intp],
    live: NDArray[np.bool_],
) -> int:
    """Narrow totals by parts and parts by totals, along the middle axis; count the changes."""
    changed = 0
    for o in range(lower.shape[0]):
        for s in range(len(totals)):
            t = totals[s]
            for i in range(lower.shape[2]):
                if not live[o, s, i]:
                    continue
                low = 0.0
                high = 0.0
                unbounded = 0
                for k in range(start[s], start[s + 1]):
                    low += lower[o, parts[k], i]
                    if np.isinf(upper[o, parts[k], i]):
                        unbounded += 1
                    else:
                        high += upper[o, parts[k], i]
                if low > upper[o, t, i] or (unbounded == 0 and high < lower[o, t, i]):
                    live[o, s, i] = False
                    continue
                if low > lower[o, t, i]:
                    lower[o, t, i] = low
                    changed += 1
                if unbounded == 0 and high < upper[o, t, i]:
                    upper[o, t, i] = high
                    changed += 1
                least, most = lower[o, t, i], upper[o, t, i]
                if unbounded > 1 and np.isinf(most):
                    continue
                for k in range(start[s], start[s + 1]):
                    p = parts[k]
                    own_low, own_high = lower[o, p, i], upper[o, p, i]
                    free = np.isinf(own_high)
                    if unbounded == 0 or (unbounded == 1 and free):
                        others = high if free else high - own_high
                        if least - others > own_low:
                            lower[o, p, i] = least - others
                            changed += 1
                    if most - (low - own_low) < own_high:
                        upper[o, p, i] = most - (low - own_low)
                        changed += 1
    return changed


def propagate(system: System, lower: Floats, upper: Floats) -> Bounds:
    """
    Take what each sum leaves into the others until nothing changes.

    Parameters
    ----------
    system
        The sums.
    lower, upper
        What is known of each cell, flat or of the shape of the system.

    Returns
    -------
    bounds
        No wider than those given.

    Examples
    --------
    >>> from placeshaping.verify.system import system_of
    >>> empty = system_of([])
    >>> propagate(empty, empty.lower, empty.upper).rounds
    1
    """
    shape = system.lower.shape
    low, high = lower.reshape(shape).copy(), upper.reshape(shape).copy()
    views, live = [], []
    for number, axis in enumerate(system.axes):
        outer, inner = int(np.prod(shape[:number])), int(np.prod(shape[number + 1 :]))
        view = (outer, shape[number], inner)
        views.append((low.reshape(view), high.reshape(view), *axis.rows()))
        live.append(np.ones((outer, len(axis.totals), inner), dtype=np.bool_))
    rounds = 0
    for _ in range(_MOST_ROUNDS):
        rounds += 1
        if not sum(_narrow(*view, alive) for view, alive in zip(views, live, strict=True)):
            break
    dead = sum(int(alive.size - alive.sum()) for alive in live)
    return Bounds(low.ravel(), high.ravel(), rounds, dead)


@dataclass(frozen=True)
class Near:
    """Some of the sums around a cell: equations over `cells`, and whether there are no more."""

    cells: NDArray[np.intp]
    matrix: csr_array
    whole: bool


def near(system: System, cell: int, bounds: Bounds, *, most: int) -> Near:
    """
    Collect the sums around a cell, nearest first.

    Parameters
    ----------
    system
        The sums.
    cell
        Flat number of the cell.
    bounds
        Cells with one value do not tie their sums together.
    most
        So many cells without a known value at most.

    Returns
    -------
    near
        Equations: each row is a total less its parts.
    """
    loose = bounds.lower < bounds.upper
    order, seen = [cell], {cell}
    rows: list[NDArray[np.intp]] = []
    known: set[tuple[int, int, int]] = set()
    whole = True
    for current in order:
        for key, members in system.sums_with(current):
            if key in known:
                continue
            known.add(key)
            free = [int(member) for member in members[loose[members]]]
            new = [member for member in free if member not in seen]
            if len(seen) + len(new) > most or len(free) > _MOST_PARTS:
                whole = False
                continue
            rows.append(members)
            seen.update(new)
            order.extend(new)
    if not rows:
        return Near(np.array([cell]), csr_array((0, 1)), whole)
    flat = np.concatenate(rows)
    cells, column = np.unique(flat, return_inverse=True)
    start = np.cumsum([0, *(len(row) for row in rows)])
    sign = np.full(len(flat), -1.0)
    sign[start[:-1]] = 1.0
    return Near(cells, csr_array((sign, column, start), shape=(len(rows), len(cells))), whole)


def solve(system: System, bounds: Bounds, suspects: NDArray[np.intp], limit: Floats) -> None:
    """
    Narrow the bounds of some cells by linear programmes, in place.

    Parameters
    ----------
    system
        The sums.
    bounds
        What is known; the bounds of the suspects are narrowed.
    suspects
        Flat numbers of the cells.
    limit
        For each cell, flat: only below this does its lowest value matter.
    """
    for cell in (int(one) for one in suspects):
        around = near(system, cell, bounds, most=_MOST_NEAR)
        bounds.solved += 1
        bounds.exact += around.whole
        most = _extreme(around, bounds, cell, highest=True)
        if most is None:
            continue
        bounds.upper[cell] = min(bounds.upper[cell], np.floor(most + _SLACK))
        if bounds.upper[cell] < limit[cell]:
            least = _extreme(around, bounds, cell, highest=False)
            if least is not None:
                bounds.lower[cell] = max(bounds.lower[cell], np.ceil(least - _SLACK))


def _extreme(around: Near, bounds: Bounds, cell: int, *, highest: bool) -> float | None:
    """Return the highest or lowest value that a cell can have; None where that is not known."""
    lower, upper = bounds.lower[around.cells], bounds.upper[around.cells]
    aim = np.where(around.cells == cell, -1.0 if highest else 1.0, 0.0)
    rows = around.matrix.shape[0]
    if not rows:
        return None
    if around.whole and (lower < upper).sum() <= MOST_EXACT:
        found = milp(
            aim,
            constraints=LinearConstraint(around.matrix, 0, 0),
            bounds=SciPyBounds(lower, upper),
            integrality=np.ones(len(aim), dtype=np.int64),
            options={"node_limit": _MOST_NODES},
        )
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            return abs(float(found.mip_dual_bound))
    found = _linear(
        aim, A_eq=around.matrix, b_eq=np.zeros(rows), bounds=np.column_stack([lower, upper])
    )
    return float(found.x[around.cells == cell][0]) if found.success else None
