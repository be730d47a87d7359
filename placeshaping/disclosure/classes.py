"""
Classes whose edges do not come from the data.

An edge taken from the data is a value of the data: the top of a quantile class
is somebody's count. Here an edge is zero, a round number (1, 2, 2.5 or 5 times
a power of ten) on a scale that was stated before the data were looked at, or a
quantile of the normal distribution. Scores, hot spots and what models say
leave as such classes where a policy lets no numbers out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.errors import DisclosureError, InputError

MOST_CLASSES = 5
"""Classes that may leave: more of them draw the numbers again."""

SCORE_EDGES = (-2.58, -1.96, 1.96, 2.58)
"""Quantiles of the standard normal distribution: 99 and 95 per cent, two-sided."""

SCORE_LABELS = ("cold_99", "cold_95", "none", "hot_95", "hot_99")
"""Classes between those edges, coldest first."""

LIKELIHOOD_EDGES = (0.05, 0.1, 0.2, 0.5)
"""Edges for likelihoods and other shares of one."""

DENSITY_EDGES = (20.0, 100.0, 500.0, 2000.0)
"""Edges for records per square kilometre a year."""

_ROUND = (1.0, 2.0, 2.5, 5.0)
_NARROW = 1.5


def round_numbers(low: float, high: float) -> list[float]:
    """
    Return 1, 2, 2.5 and 5 times each power of ten, above `low` and up to `high`.

    Parameters
    ----------
    low, high
        Both above zero.

    Returns
    -------
    numbers
        Ascending.

    Examples
    --------
    >>> round_numbers(2, 20)
    [2.5, 5.0, 10.0, 20.0]
    """
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    made = [float(f"{digit}e{power}") for power in powers for digit in _ROUND]
    return [number for number in made if low < number <= high]


def is_round(number: float) -> bool:
    """
    Tell whether a number is zero, or 1, 2, 2.5 or 5 times a power of ten, of either sign.

    Examples
    --------
    >>> [is_round(x) for x in (0, 0.25, -50, 1.96, 37)]
    [True, True, True, False, False]
    """
    size = abs(float(number))
    if size == 0 or not math.isfinite(size):
        return size == 0
    digits = size / 10.0 ** math.floor(math.log10(size))
    return any(math.isclose(digits, known, rel_tol=1e-9) for known in (*_ROUND, 10.0))


def fixed_edges(scale: float, *, most: int = MOST_CLASSES) -> tuple[float, ...]:
    """
    Choose the inner edges of up to five classes around a figure that is public.

    Parameters
    ----------
    scale
        What is usual, and known without the data that are classed: a
        published rate of the country or the force, a target, last year's
        released total. Not the mean of the values to be classed.
    most
        Number of classes, from 2 to 5.

    Returns
    -------
    edges
        Ascending, one fewer than there are classes, each about double the
        one before; the usual lies in the middle.

    Raises
    ------
    InputError
        If `scale` is not above zero, or `most` not from 2 to 5.

    Examples
    --------
    >>> fixed_edges(84)
    (20.0, 50.0, 100.0, 200.0)
    >>> fixed_edges(84, most=3)
    (50.0, 100.0)
    """
    if not (math.isfinite(scale) and scale > 0):
        msg = f"scale is {scale}; give a published figure above zero."
        raise InputError(msg)
    if not 2 <= most <= MOST_CLASSES:
        msg = f"most is {most}; there are from 2 to {MOST_CLASSES} classes."
        raise InputError(msg)
    ladder = [
        n
        for n in round_numbers(scale / 1e3, scale * 1e3)
        if not str(n).strip("0.").startswith("25")
    ]
    nearest = int(np.argmin(np.abs(np.log(np.asarray(ladder) / scale))))
    first = nearest - (most - 1) // 2
    return tuple(ladder[first : first + most - 1])


def check_edges(edges: Sequence[float], *, most: int = MOST_CLASSES) -> tuple[float, ...]:
    """
    Return inner edges of classes; refuse those that may come from the data.

    Parameters
    ----------
    edges
        Ascending, without the two outer ends.
    most
        The most classes there may be.

    Returns
    -------
    edges
        As floats.

    Raises
    ------
    DisclosureError
        If there are more than five classes, or an edge is no round number and
        no quantile of `SCORE_EDGES`.
    InputError
        If they do not ascend.

    Examples
    --------
    >>> check_edges([10, 37])
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: 1 of 2 class edges is no round number (37): ...
    """
    given = tuple(float(edge) for edge in edges)
    if not given or any(not lower < upper for lower, upper in pairwise(given)):
        msg = f"Class edges must ascend, and there must be one at least; they are {given}."
        raise InputError(msg)
    if len(given) + 1 > most:
        msg = (
            f"{len(given)} edges make {len(given) + 1} classes; at most {most} may leave, for many "
            "classes draw the numbers again. Leave some edges out."
        )
        raise DisclosureError(msg)
    odd = [edge for edge in given if not is_round(edge) and edge not in SCORE_EDGES]
    if odd:
        verb = "is" if len(odd) == 1 else "are"
        msg = (
            f"{len(odd)} of {len(given)} class edges {verb} no round number "
            f"({', '.join(f'{edge:g}' for edge in odd)}): an edge taken from the data is a value "
            "of the data. Use 1, 2, 2.5 or 5 times a power of ten; fixed_edges(scale) makes them "
            "around a published figure."
        )
        raise DisclosureError(msg)
    return given


def assign_fixed(values: ArrayLike, edges: Sequence[float]) -> NDArray[np.uint8]:
    """
    Return the class of each value, counted from 1; 0 for a missing value.

    Parameters
    ----------
    values
        Numbers of any shape, missing as NaN.
    edges
        As `check_edges` takes them; a value on an edge is in the class above.

    Returns
    -------
    classes
        Of the shape of `values`.

    Examples
    --------
    >>> assign_fixed([3, 10, float("nan")], [10, 20]).tolist()
    [1, 2, 0]
    """
    numbers = np.asarray(values, dtype=np.float64)
    found = np.searchsorted(np.asarray(check_edges(edges)), numbers, side="right") + 1
    return np.where(np.isnan(numbers), 0, found).astype(np.uint8)


def class_labels(edges: Sequence[float], *, unit: str = "") -> tuple[str, ...]:
    """
    Write the classes between inner edges in words, lowest first.

    Examples
    --------
    >>> class_labels([10, 2000], unit="per km²")
    ('under 10 per km²', '10 to under 2,000 per km²', '2,000 per km² and over')
    """
    of = f" {unit}" if unit else ""
    texts = [f"{edge:,.12g}" for edge in check_edges(edges)]
    between = [f"{lower} to under {upper}{of}" for lower, upper in pairwise(texts)]
    return (f"under {texts[0]}{of}", *between, f"{texts[-1]}{of} and over")


def fixed_classes(
    values: pd.Series[float],
    *,
    edges: Sequence[float],
    labels: Sequence[str] | None = None,
    unit: str = "",
) -> pd.Series[str]:
    """
    Turn scores, rates, likelihoods or what else is a number into classes that may leave.

    Parameters
    ----------
    values
        Numbers; missing ones stay missing.
    edges
        Inner edges, ascending: `SCORE_EDGES` for z-scores and Gi*,
        `LIKELIHOOD_EDGES`, `DENSITY_EDGES`, or what `fixed_edges` makes around
        a published figure. Never quantiles, the mean or the largest value.
    labels
        Names of the classes, lowest first; by default in words.
    unit
        Of the values, for the words.

    Returns
    -------
    classes
        Ordered categorical with the index and name of `values`;
        ``attrs["edges"]`` holds the edges.

    Raises
    ------
    DisclosureError
        If there are more than five classes, or an edge may come from the data.
    InputError
        If edges do not ascend, or there is not one label a class.

    Examples
    --------
    >>> scores = pd.Series([2.71, -0.4, None], index=["a", "b", "c"], name="gi_star")
    >>> fixed_classes(scores, edges=SCORE_EDGES, labels=SCORE_LABELS).tolist()
    ['hot_99', 'none', nan]
    """
    known = check_edges(edges)
    names = class_labels(known, unit=unit) if labels is None else tuple(labels)
    if len(names) != len(known) + 1:
        msg = f"{len(known)} edges make {len(known) + 1} classes; {len(names)} labels are given."
        raise InputError(msg)
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    codes = assign_fixed(numbers, known).astype(np.int64) - 1
    classes = pd.Series(
        pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names), ordered=True),
        index=values.index,
        name=values.name,
    )
    classes.attrs["edges"] = known
    return classes
