"""Autocorrelation of a whole map: sums of weights, random rearrangements, the table of results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse, stats

from placeshaping._core.checks import check_choice
from placeshaping._core.errors import InputError
from placeshaping.hotspots._lattice import (
    FEW_AREAS,
    Floats,
    Lattice,
    Weights,
    log_cautions,
    tell_constant,
    weigh,
)

Assumption: TypeAlias = Literal["randomisation", "normality"]

_BLOCK = 1 << 21
"""Values rearranged at a time: bounds the memory whatever the number of permutations."""


@dataclass(frozen=True)
class WeightSums:
    """
    Sums over a matrix of weights, as Cliff and Ord (1981) name them.

    Attributes
    ----------
    n
        Areas.
    s0, s1, s2
        The sum of all weights; half the sum of the squares of both directions
        together; the sum of squares of what goes out of and into each area.
    degree
        What goes out of and into each area.
    """

    n: int
    s0: float
    s1: float
    s2: float
    degree: Floats


def weight_sums(matrix: sparse.csr_array) -> WeightSums:
    """Sum a matrix of weights up."""
    both = matrix + matrix.T
    degree = np.asarray(both.sum(axis=1), dtype=float)
    return WeightSums(
        n=matrix.shape[0],
        s0=float(matrix.sum()),
        s1=float(both.power(2).sum() / 2),
        s2=float((degree**2).sum()),
        degree=degree,
    )


@dataclass(frozen=True)
class Measure:
    """
    A statistic of a whole series that is a scaled sum over pairs of neighbours.

    Attributes
    ----------
    name
        Of its column.
    scale
        Deviations from the mean (areas by series), sums of weights -> factor of each series.
    total
        Deviations, weights, their sums -> the sum over pairs, of each series.
    expected
        Sums of weights -> expectation.
    variance
        Deviations, sums of weights, assumption -> variance of each series.
    """

    name: str
    scale: Callable[[Floats, WeightSums], Floats]
    total: Callable[[Floats, sparse.csr_array, WeightSums], Floats]
    expected: Callable[[WeightSums], float]
    variance: Callable[[Floats, WeightSums, Assumption], Floats]


def measure_series(
    lattice: Lattice,
    measure: Measure,
    *,
    weights: Weights,
    assumption: Assumption,
    permutations: int,
    generator: np.random.Generator,
) -> dict[str, Floats]:
    """Work a measure out for each series; missing where nothing varies or nothing is near."""
    check_connected(lattice)
    observed, expected, variance, p_values = np.full((4, len(lattice.series)), np.nan)
    for rows, columns in lattice.patterns():
        varying = columns[~lattice.constant[columns]]
        matrix = weigh(lattice.adjacency[rows][:, rows], weights)
        if not len(varying) or not matrix.nnz:
            continue
        y, sums = lattice.numbers[np.ix_(rows, varying)], weight_sums(matrix)
        z = y - y.mean(axis=0)
        scale = measure.scale(z, sums)
        observed[varying] = scale * measure.total(z, matrix, sums)
        expected[varying] = measure.expected(sums)
        variance[varying] = measure.variance(z, sums, assumption)
        for place, column in enumerate(varying if permutations else ()):
            drawn = partial(_drawn, measure, scale[place], matrix, sums)
            one = [column]
            p_values[one] = permuted_p(
                drawn, z[:, place], observed[one], expected[one], permutations, generator
            )
    z_scores = scores_of(observed, expected, variance)
    p_values = np.where(np.isnan(z_scores), np.nan, p_values)
    return {
        measure.name: observed,
        "expected": expected,
        "variance": variance,
        "z_score": z_scores,
        "p_value": p_values if permutations else two_sided_normal(z_scores),
        "areas": lattice.known.sum(axis=0).astype(float),
    }


def scores_of(observed: Floats, expected: Floats, variance: Floats) -> Floats:
    """Return how many standard deviations lie between; missing where there is no variance."""
    z_scores = np.full(observed.shape, np.nan)
    varies = variance > 1e-14
    np.divide(observed - expected, np.sqrt(np.where(varies, variance, 1)), z_scores, where=varies)
    return z_scores


def _drawn(
    measure: Measure, scale: float, matrix: sparse.csr_array, sums: WeightSums, z: Floats
) -> Floats:
    return np.asarray(scale * measure.total(z, matrix, sums)[None])


def rearranged(
    values: Floats, permutations: int, generator: np.random.Generator
) -> Iterator[Floats]:
    """Yield random rearrangements of a series, each a column, a block at a time."""
    block = max(1, _BLOCK // len(values))
    for done in range(0, permutations, block):
        width = min(block, permutations - done)
        yield generator.permuted(np.tile(values, (width, 1)), axis=1).T


def permuted_p(
    statistic: Callable[[Floats], Floats],
    values: Floats,
    observed: Floats,
    expected: Floats,
    permutations: int,
    generator: np.random.Generator,
) -> Floats:
    """
    Return twice the tail on the side of the expectation where each observed value lies.

    Parameters
    ----------
    statistic
        Series in columns -> values of shape (k, columns).
    values
        One series.
    observed, expected
        Of shape (k,).
    permutations, generator
        How many rearrangements, and their source.
    """
    tail = np.zeros(len(observed), dtype=np.int64)
    side = np.sign(observed - expected)[:, None]
    slack = 1e-10 * np.maximum(1.0, np.abs(observed))[:, None]
    for block in rearranged(values, permutations, generator):
        beyond = side * (statistic(block) - observed[:, None])
        tail += (beyond >= -slack).sum(axis=1)
    p_values: Floats = np.minimum(1.0, 2 * (tail + 1) / (permutations + 1))
    return p_values


def two_sided_normal(z_scores: Floats) -> Floats:
    """Return the two-sided p-value of z-scores."""
    p_values: Floats = 2 * stats.norm.sf(np.abs(z_scores))
    return p_values


def check_connected(lattice: Lattice) -> None:
    """Refuse a graph without any neighbours."""
    if not lattice.adjacency.nnz:
        msg = (
            f"None of the {len(lattice.index):,} areas has a neighbour. Give a graph that joins "
            "them: contiguity(areas, islands='nearest'), k_nearest(areas, k=4)."
        )
        raise InputError(msg)


def tell_whole(lattice: Lattice, scores: Floats, *, analytic: bool) -> list[str]:
    """Say what a reader must know about results of whole series; count every missing one."""
    areas, series = len(lattice.index), len(lattice.series)
    cautions = []
    if areas < FEW_AREAS and analytic:
        cautions.append(f"Only {areas} areas: under {FEW_AREAS} the normal approximation is poor.")
    missing = int((~lattice.known).any(axis=1).sum())
    if missing:
        cautions.append(f"{missing:,} of {areas:,} areas lack a value in some series: left out.")
    alone = int((lattice.adjacency.sum(axis=1) == 0).sum())
    if alone:
        cautions.append(
            f"{alone:,} of {areas:,} areas have no neighbours: they count in the mean alone."
        )
    rest = int((~np.isfinite(scores) & ~lattice.constant).sum())
    if rest:
        cautions.append(
            f"{rest:,} of {series:,} series have fewer than {lattice.least} values, none beside "
            "each other, or every area beside every other: no scores."
        )
    return cautions


def finish(
    lattice: Lattice, columns: Mapping[str, Floats], *, method: str, permutations: int
) -> pd.DataFrame | pd.Series[float]:
    """Lay results of whole series out: one row a series, or the row itself of a Series."""
    cautions = tell_whole(lattice, columns["z_score"], analytic=not permutations)
    table = pd.DataFrame(dict(columns), index=lattice.series)
    result = table.iloc[0] if lattice.single else table
    result.attrs = {
        "method": method,
        "cautions": log_cautions(cautions, tell_constant(lattice)),
        "permutations": permutations,
    }
    return result


def describe(name: str, *, weights: Weights, assumption: str, permutations: int) -> str:
    """Say in one sentence what was worked out, and where variances and p-values come from."""
    shares = "row-standardised" if weights == "row" else "binary"
    p_value = f"{permutations:,} rearrangements" if permutations else "the normal distribution"
    return (
        f"{name} with {shares} weights; expectation and variance under {assumption} (Cliff and "
        f"Ord 1981), two-sided p-values from {p_value}."
    )


def check_assumption(assumption: str) -> None:
    """Refuse an assumption that is not one."""
    check_choice(assumption, ["randomisation", "normality"], name="assumption")
