"""
On which side of a line a point lies, without rounding error.

The sign is taken from ordinary doubles where their error cannot change it,
else from an exact sum of partial products: Shewchuk (1997), Adaptive
precision floating-point arithmetic and fast robust geometric predicates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from placeshaping._core.compiled import compiled

_ERROR = 3.3306690738754716e-16  # (3 + 16 u) u with u = 2**-53: Shewchuk's bound A
_SPLIT = 134217729.0  # 2**27 + 1: Dekker


@compiled()
def _sum(a: float, b: float) -> tuple[float, float]:
    """Return the sum of two numbers and the rounding error of it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@compiled()
def _product(a: float, b: float) -> tuple[float, float]:
    """Return the product of two numbers and the rounding error of it."""
    total = a * b
    wide = _SPLIT * a
    a_high = wide - (wide - a)
    a_low = a - a_high
    wide = _SPLIT * b
    b_high = wide - (wide - b)
    b_low = b - b_high
    return total, a_low * b_low - (total - a_high * b_high - a_low * b_high - a_high * b_low)


@compiled()
def _grow(terms: NDArray[np.float64], size: int, value: float) -> int:
    """Add a number to an exact sum, kept as terms of increasing magnitude."""
    carried = value
    for place in range(size):
        carried, terms[place] = _sum(carried, terms[place])
    terms[size] = carried
    return size + 1


@compiled()
def _exact_side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    terms = np.zeros(16)
    size = 0
    for first, second, sign in (
        (_sum(bx, -ax), _sum(py, -ay), 1.0),
        (_sum(by, -ay), _sum(px, -ax), -1.0),
    ):
        for left in first:
            for right in second:
                high, low = _product(sign * left, right)
                size = _grow(terms, size, low)
                size = _grow(terms, size, high)
    for place in range(size - 1, -1, -1):
        if terms[place] != 0.0:
            return 1 if terms[place] > 0.0 else -1
    return 0


@compiled()
def side_of(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return 1 where p is left of the line from a to b, -1 where right, 0 on it."""
    left = (bx - ax) * (py - ay)
    right = (by - ay) * (px - ax)
    bound = _ERROR * (abs(left) + abs(right))
    if left - right > bound:
        return 1
    if right - left > bound:
        return -1
    return _exact_side(ax, ay, bx, by, px, py)


@compiled()
def side_beside(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """
    Return the side on which a point lies that was moved a nothing to the right, and less up.

    Never 0, so that the lines of the grid never touch a border (simulation of
    simplicity: Edelsbrunner and Muecke 1990). `a` is before `b` by x, then y.
    """
    side = side_of(ax, ay, bx, by, px, py)
    if side != 0:
        return side
    if by != ay:
        return -1 if by > ay else 1
    return 1
