"""
Classes for a choropleth: few, about equally full, and bounded by round numbers.

An edge is 1, 2, 2.5 or 5 times a power of ten wherever the values spread far
enough for that, so that a legend reads easily and no edge is somebody's value.
Schemes of mapclassify can be had by name; their edges are rounded likewise.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.errors import EmptyError, InputError
from placeshaping.disclosure.classes import MOST_CLASSES, round_numbers

Scheme = Literal[
    "even", "quantiles", "equal_interval", "fisher_jenks", "natural_breaks", "maximum_breaks"
]
"""``"even"`` is our own, the default; the others are mapclassify's."""

_CLASSIFIERS = {
    "quantiles": "Quantiles",
    "equal_interval": "EqualInterval",
    "fisher_jenks": "FisherJenks",
    "natural_breaks": "FisherJenks",
    "maximum_breaks": "MaximumBreaks",
}
_MOST_CLASSED = 2_000
_EVEN_ENOUGH = 0.7
_FEWEST_PER_CLASS = 2


def class_edges(
    values: ArrayLike, *, most: int = MOST_CLASSES, scheme: Scheme = "even"
) -> tuple[float, ...]:
    """
    Choose the edges of classes, by default of classes that are about equally full.

    Of all sets of up to `most` classes whose edges are 1, 2, 2.5 or 5 times a
    power of ten, the one whose classes are most evenly filled is taken (the
    largest entropy). Where the values are so alike that this would leave
    nearly all of them in one class, quantiles are
    rounded to multiples of such a number instead.

    With another `scheme` the edges are mapclassify's, each rounded to the
    nearest of such numbers; those that fall together are one. Where fewer
    than two would be left, they are rounded to multiples instead.

    Parameters
    ----------
    values
        Numbers of zero or more; missing ones are passed over.
    most
        The most classes there may be, from 1 to 5. There are fewer where the
        values are few.
    scheme
        How the edges are chosen. ``"natural_breaks"`` is Jenks's criterion,
        whose optimum ``"fisher_jenks"`` (Fisher 1958) finds: both are that
        optimum here, of 2,000 values spread evenly over the ranks where there
        are more. Schemes but ``"even"`` import mapclassify, which takes
        seconds to compile.

    Returns
    -------
    edges
        Ascending, one more than there are classes. Class i holds the values
        from `edges[i]` up to but not including `edges[i + 1]`; the first edge
        is 0, the last is above every value.

    Raises
    ------
    InputError
        If a value is negative or infinite, `most` is not from 1 to 5, or
        there is no such scheme.
    EmptyError
        If there is no value.

    Examples
    --------
    >>> class_edges([12, 31, 44, 47, 61, 75, 80, 110, 140, 260, 320])
    (0.0, 20.0, 50.0, 100.0, 200.0, 500.0)
    >>> class_edges([7, 7, 7])
    (0.0, 10.0)
    >>> class_edges([12, 31, 44, 47, 61, 75, 80, 110, 140, 260, 320], scheme="fisher_jenks")
    (0.0, 50.0, 100.0, 250.0, 500.0)
    """
    if scheme not in get_args(Scheme):
        msg = f"There is no scheme {scheme!r}. There are: {', '.join(get_args(Scheme))}."
        raise InputError(msg)
    if not 1 <= most <= MOST_CLASSES:
        msg = f"most is {most}; a map has from 1 to {MOST_CLASSES} classes."
        raise InputError(msg)
    numbers = _known(values)
    top = _round_above(float(numbers.max()))
    few = min(most, len(np.unique(numbers)), max(len(numbers) // _FEWEST_PER_CLASS, 1))
    if few == 1:
        return (0.0, top)
    if scheme != "even":
        return (0.0, *_rounded(_breaks(numbers, few, scheme), numbers), top)
    inner = _most_even(numbers, few)
    if _evenness(numbers, inner) < _EVEN_ENOUGH * np.log(few):
        rounded = _rounded_quantiles(numbers, few)
        if _evenness(numbers, rounded) > _evenness(numbers, inner):
            inner = rounded
    return (0.0, *inner, top)


def assign_class(values: ArrayLike, edges: Sequence[float]) -> NDArray[np.int64]:
    """
    Return the class of each value, counted from 0; -1 for a missing value.

    Parameters
    ----------
    values
        Numbers, missing as NaN.
    edges
        As `class_edges` returns them.

    Returns
    -------
    classes
        Integers of the shape of `values`.

    Examples
    --------
    >>> assign_class([0, 9.9, 10, float("nan")], (0, 10, 20)).tolist()
    [0, 0, 1, -1]
    """
    numbers = np.asarray(values, dtype="float64")
    found = np.searchsorted(np.asarray(edges[1:-1], dtype=float), numbers, side="right")
    return np.where(np.isnan(numbers), -1, found).astype(np.int64)


def _known(values: ArrayLike) -> NDArray[np.float64]:
    numbers: NDArray[np.float64] = np.asarray(values, dtype="float64").ravel()
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        msg = "There is no value to make classes of. Hidden and missing areas need none."
        raise EmptyError(msg)
    wrong = (numbers < 0) | np.isinf(numbers)
    if wrong.any():
        msg = f"{int(wrong.sum()):,} values are negative or infinite; classes start at 0."
        raise InputError(msg)
    return numbers


def _round_above(value: float) -> float:
    """Return the smallest round number above a value."""
    if value <= 0:
        return 1.0
    return round_numbers(value, value * 10)[0]


def _most_even(numbers: NDArray[np.float64], classes: int) -> tuple[float, ...]:
    positive = numbers[numbers > 0]
    low = max(float(positive.min()), float(numbers.max()) / 1e4)
    candidates = round_numbers(low * (1 - 1e-9), float(numbers.max()))
    best: tuple[float, ...] = ()
    best_score = 0.0
    for size in range(1, classes):
        for edges in combinations(candidates, size):
            score = _evenness(numbers, edges)
            if score > best_score + 1e-9 and not _crowded(edges):
                best, best_score = edges, score
    return best


def _crowded(edges: Sequence[float]) -> bool:
    """Tell whether 2 and 2.5 of the same power of ten both stand: too near to be of use."""
    return any(upper / lower < 1.5 for lower, upper in pairwise(edges))


def _evenness(numbers: NDArray[np.float64], inner: Sequence[float]) -> float:
    """Return the entropy of the classes' shares: largest where all are equally full."""
    classes = np.searchsorted(np.asarray(inner, dtype=float), numbers, side="right")
    share = np.bincount(classes, minlength=len(inner) + 1) / len(numbers)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def _rounded_quantiles(numbers: NDArray[np.float64], classes: int) -> tuple[float, ...]:
    """Round quantiles to multiples of the largest round number that keeps them apart."""
    if len(np.unique(numbers)) < classes:
        return ()
    return _rounded_to_steps(np.quantile(numbers, np.arange(1, classes) / classes), numbers)


def _breaks(numbers: NDArray[np.float64], classes: int, scheme: str) -> NDArray[np.float64]:
    """Return the inner edges of a scheme of mapclassify, unrounded."""
    import mapclassify

    ranked = np.sort(numbers)
    if len(ranked) > _MOST_CLASSED:  # Fisher's way takes the square of their number
        ranked = ranked[np.linspace(0, len(ranked) - 1, _MOST_CLASSED).round().astype(int)]
    with warnings.catch_warnings():  # fewer classes than asked for are no fault here
        warnings.simplefilter("ignore", UserWarning)
        found = getattr(mapclassify, _CLASSIFIERS[scheme])(ranked, k=classes)
    return np.unique(np.asarray(found.bins, dtype="float64")[:-1])


def _rounded(wanted: NDArray[np.float64], numbers: NDArray[np.float64]) -> tuple[float, ...]:
    """Round edges to the nearest round numbers; to their multiples where hardly one is left."""
    above = wanted[wanted > 0]
    if not len(above):
        return ()
    known = np.asarray(round_numbers(float(above.min()) / 10, float(above.max()) * 10))
    inside: list[float] = []
    for edge in above:
        near = float(known[np.argmin(np.abs(np.log(known / edge)))])
        if numbers.min() < near <= numbers.max() and not _crowded([*inside[-1:], near]):
            inside.append(near)
    stepped = _rounded_to_steps(above, numbers) if len(inside) < min(2, len(above)) else ()
    return stepped if len(stepped) > len(inside) else tuple(inside)


def _rounded_to_steps(
    wanted: NDArray[np.float64], numbers: NDArray[np.float64]
) -> tuple[float, ...]:
    """Round edges to multiples of the largest round number that keeps them apart."""
    spread = float(np.ptp(numbers))
    made: tuple[float, ...] = ()
    for step in reversed(round_numbers(spread / 1000, spread)) if spread > 0 else ():
        multiples = np.unique(np.round(wanted / step)) * step
        inside = multiples[(multiples > numbers.min()) & (multiples <= numbers.max())]
        if len(inside) > len(made):
            made = tuple(float(f"{edge:.6g}") for edge in inside)
        if len(made) == len(wanted):
            break
    return made
