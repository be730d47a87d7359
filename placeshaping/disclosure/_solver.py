"""The linear and whole-number programmes of scipy (HiGHS), with the sums as equations to zero."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

Floats = NDArray[np.float64]

MOST_NODES = 500
"""Nodes after which a covering programme is given up: a limit in seconds would not repeat."""

_linprog: Any = optimize.linprog
_milp: Any = optimize.milp


class Solution(NamedTuple):
    """
    A solved linear programme.

    Attributes
    ----------
    values
        One for each column.
    prices
        What each equation's right side is worth.
    """

    values: Floats
    prices: Floats


def solve_linear(worth: Floats, matrix: Any, bounds: Floats) -> Solution | None:
    """Make `worth` times the values least, with `matrix` times them zero; None where it fails."""
    result = _linprog(
        worth, A_eq=matrix, b_eq=np.zeros(matrix.shape[0]), bounds=bounds, method="highs-ds"
    )
    return Solution(result.x, result.eqlin.marginals) if result.status == 0 else None


def solve_values(worth: Floats, matrix: Any, bounds: Floats) -> Floats | None:
    """Do the same without the prices, which is quicker for small programmes."""
    result = _milp(
        worth,
        constraints=optimize.LinearConstraint(matrix, 0, 0),
        bounds=optimize.Bounds(*bounds.T),
        options={"presolve": False},
    )
    return np.asarray(result.x) if result.status == 0 else None


def solve_whole(worth: Floats, matrix: Any, bounds: Floats) -> Floats | None:
    """Do the same with whole numbers."""
    result = _milp(
        worth,
        constraints=optimize.LinearConstraint(matrix, 0, 0),
        bounds=optimize.Bounds(*bounds.T),
        integrality=np.ones(len(worth)),
    )
    return np.rint(result.x) if result.status == 0 else None


def solve_cover(
    weights: Floats, conditions: Any, least: float, *, whole: bool = True
) -> Floats | None:
    """Choose shares of columns, of least weight, so that every condition is at least `least`."""
    result = _milp(
        weights,
        constraints=optimize.LinearConstraint(conditions, least, np.inf),
        bounds=optimize.Bounds(0, 1),
        integrality=np.full(len(weights), int(whole)),
        options={"node_limit": MOST_NODES},
    )
    return np.asarray(result.x) if result.status == 0 else None
