"""
The shortest proof that a count is known: an equation of shown numbers.

The dual solution of a linear programme says with which sign each known number
enters the bound. Programmes over few sums are tried first, so that the
equation is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

from placeshaping.verify.bounds import Bounds, near
from placeshaping.verify.system import System

_linear: Any = linprog
"""Not every version of the stubs knows sparse matrices."""

_SIZES = (1, 8, 25, 80)
_MOST_TERMS = 8
_MOST_NAMED = 5
_SLACK = 1e-6


@dataclass(frozen=True)
class Equation:
    """The numbers that bound a cell: cells, how often each is taken, and its value."""

    cells: tuple[int, ...]
    times: tuple[float, ...]
    values: tuple[float, ...]
    bound: float

    def __str__(self) -> str:
        """Write it out: positive numbers first, then those taken away."""
        terms = sorted(zip(self.times, self.values, strict=True), key=lambda t: (t[0] < 0, -t[1]))
        taken = [t for t in terms if t[0] * t[1]]
        text = "".join(_term(times, value) for times, value in taken[:_MOST_TERMS])
        rest = sum(times * value for times, value in taken[_MOST_TERMS:])
        if rest:
            more = len(taken) - _MOST_TERMS
            text += f"{_term(np.sign(rest), abs(rest))} ({more} more)"
        text = text.removeprefix(" + ") if text else "0"
        return text if text == f"{self.bound:g}" else f"{text} = {self.bound:g}"


def _term(times: float, value: float) -> str:
    often = "" if abs(times) == 1 else f"{abs(times):g} x "
    return f" {'-' if times < 0 else '+'} {often}{value:g}"


@dataclass(frozen=True)
class Proof:
    """An equation in words, and the cells that it rests on."""

    text: str
    cells: tuple[int, ...] = ()


def proof_of(system: System, cell: int, known: Bounds, found: Bounds) -> Proof:
    """
    Write down why a cell can have no value but those that were found.

    Parameters
    ----------
    system
        The sums.
    cell
        Flat number of the cell.
    known
        What a reader knows to begin with.
    found
        What all sums leave.

    Returns
    -------
    proof
        As ``"Marsh End 014B Burglary 2025 = 412 - 405 - 4 = 3 (412: ...)"``.
    """
    most = _equation(system, cell, known, found.upper[cell], highest=True)
    least = None
    if found.lower[cell] > known.lower[cell]:
        least = _equation(system, cell, known, found.lower[cell], highest=False)
    used = [number for one in (most, least) if one is not None for number in one.cells]
    return Proof(_in_words(system, cell, most, least, found), tuple(dict.fromkeys(used)))


def _in_words(
    system: System, cell: int, most: Equation | None, least: Equation | None, found: Bounds
) -> str:
    name = system.name(cell)
    lower, upper = found.lower[cell], found.upper[cell]
    if most is None:
        return f"{name} can only be {_span(lower, upper)}, by all sums together"
    told = _terms(system, most)
    if least is not None and (least.cells, least.values) == (most.cells, most.values):
        return f"{name} = {most}{told}"
    text = f"{name} is at most {most}"
    if least is not None:
        return f"{text}, and at least {least}, so {_span(lower, upper)}{told}"
    return f"{text}, so {_span(lower, upper)}{told}"


def _span(lower: float, upper: float) -> str:
    return f"{lower:g}" if lower == upper else f"{lower:g} to {upper:g}"


def _terms(system: System, equation: Equation) -> str:
    """Say which cells the numbers of an equation are."""
    order = sorted(
        range(len(equation.cells)),
        key=lambda n: (equation.times[n] < 0, -equation.values[n]),
    )
    named = [
        f"{equation.values[n]:g}: {system.name(equation.cells[n])}"
        for n in order
        if equation.values[n]
    ]
    more = f"; and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f" ({'; '.join(named[:_MOST_NAMED])}{more})" if named else ""


def _equation(
    system: System, cell: int, known: Bounds, goal: float, *, highest: bool
) -> Equation | None:
    """Find the few sums that bound a cell as tightly as all do."""
    for most in _SIZES:
        around = near(system, cell, known, most=most)
        if not around.matrix.shape[0]:
            continue
        lower, upper = known.lower[around.cells], known.upper[around.cells]
        sign = -1.0 if highest else 1.0
        solved = _linear(
            np.where(around.cells == cell, sign, 0.0),
            A_eq=around.matrix,
            b_eq=np.zeros(around.matrix.shape[0]),
            bounds=np.column_stack([lower, upper]),
        )
        if not solved.success:
            continue
        bound = sign * solved.fun
        bound = np.floor(bound + _SLACK) if highest else np.ceil(bound - _SLACK)
        if (bound <= goal) if highest else (bound >= goal):
            times = sign * (solved.lower.marginals + solved.upper.marginals)
            used = np.flatnonzero(np.abs(times) > _SLACK)
            return Equation(
                tuple(int(n) for n in around.cells[used]),
                tuple(float(np.round(n, 6)) for n in times[used]),
                tuple(float(np.round(n, 6)) for n in solved.x[used]),
                float(bound),
            )
    return None
