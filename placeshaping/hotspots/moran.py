"""Moran's I of a whole map: whether areas are like their neighbours at all."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from placeshaping.hotspots._lattice import Floats, Weights, lay_out
from placeshaping.hotspots._permutation import check_permutations
from placeshaping.hotspots._rate_index import empirical_bayes_index
from placeshaping.hotspots._whole import (
    Assumption,
    Measure,
    WeightSums,
    check_assumption,
    describe,
    finish,
    measure_series,
)


@overload
def global_moran(
    values: pd.DataFrame,
    neighbours: Graph,
    *,
    population: pd.Series[Any] | None = ...,
    weights: Weights = ...,
    assumption: Assumption = ...,
    permutations: int = ...,
    rng: int | np.random.Generator = ...,
) -> pd.DataFrame: ...
@overload
def global_moran(
    values: pd.Series[Any],
    neighbours: Graph,
    *,
    population: pd.Series[Any] | None = ...,
    weights: Weights = ...,
    assumption: Assumption = ...,
    permutations: int = ...,
    rng: int | np.random.Generator = ...,
) -> pd.Series[float]: ...
def global_moran(
    values: pd.Series[Any] | pd.DataFrame,
    neighbours: Graph,
    *,
    population: pd.Series[Any] | None = None,
    weights: Weights = "row",
    assumption: Assumption = "randomisation",
    permutations: int = 0,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame | pd.Series[float]:
    """
    Work out Moran's I (Moran 1950) with its expectation, variance and p-value.

    Above its expectation, neighbours are alike; below it, they differ.
    Expectation and variance are those of Cliff and Ord (1981, chapter 2), as in
    esda and spdep. Areas with a missing value are left out. Islands count in
    the mean and in the number of areas, as in esda (spdep takes them off that
    number unless ``adjust.n=FALSE``).

    Parameters
    ----------
    values
        Counts or rates of the areas, indexed by area code; in a DataFrame one
        column for each series (period, category).
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours.
    population
        Where given, `values` are counts and the rates over this population are
        looked at, each brought to the scale of its own chance (Assunção and
        Reis 1999).
    weights
        ``"row"``: each area's neighbours weigh one together; ``"binary"``: one
        each, so that areas with many neighbours weigh more.
    assumption
        Of expectation, variance and score: ``"randomisation"`` (the values as
        they are, anywhere) or ``"normality"``.
    permutations
        Number of random rearrangements of the values for a p-value; 0 for that
        of the normal distribution.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    result
        Of a DataFrame: one row a series, columns ``moran``, ``expected``,
        ``variance``, ``z_score``, ``p_value`` (two-sided), ``areas``. Of a
        Series: that row. ``attrs["cautions"]`` lists what a reader must know,
        ``attrs["method"]`` says what was done.

    Raises
    ------
    EmptyError
        If there are fewer than four areas.
    InputError
        If no area has a neighbour, areas of `values` are not in `neighbours`,
        values are infinite, or an option is none of its choices.
    ColumnError
        If values are not numbers.
    DuplicateError, UnmatchedError
        If an area stands twice, or has no population.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> counts = pd.Series(range(36), index=areas.index)
    >>> global_moran(counts, contiguity(areas))[["moran", "z_score"]].round(3).to_dict()
    {'moran': 0.822, 'z_score': 9.344}
    """
    check_assumption(assumption)
    check_permutations(permutations)
    if population is not None:
        rates = empirical_bayes_index(values, population)
        values = rates.iloc[:, 0] if isinstance(values, pd.Series) else rates
    lattice = lay_out(values, neighbours, least=4)
    columns = measure_series(
        lattice,
        MORAN,
        weights=weights,
        assumption=assumption,
        permutations=permutations,
        generator=np.random.default_rng(rng),
    )
    of = " of rates (Assunção and Reis 1999)" if population is not None else ""
    method = describe(
        f"Moran's I{of}", weights=weights, assumption=assumption, permutations=permutations
    )
    return finish(lattice, columns, method=method, permutations=permutations)


def _scale(z: Floats, sums: WeightSums) -> Floats:
    factor: Floats = sums.n / (sums.s0 * (z**2).sum(axis=0))
    return factor


def _total(z: Floats, matrix: sparse.csr_array, _sums: WeightSums) -> Floats:
    total: Floats = (z * (matrix @ z)).sum(axis=0)
    return total


def _expected(sums: WeightSums) -> float:
    return -1 / (sums.n - 1)


def _variance(z: Floats, sums: WeightSums, assumption: Assumption) -> Floats:
    """Return the variance of I, of each series (Cliff and Ord 1981, pp. 44 and 46)."""
    n, s0, s1, s2 = float(sums.n), sums.s0, sums.s1, sums.s2
    squared = 1 / (n - 1) ** 2
    if assumption == "normality":
        one = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2) - squared
        return np.full(z.shape[1], one)
    kurtosis = (z**4).mean(axis=0) / (z**2).mean(axis=0) ** 2
    first = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    second = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    variance: Floats = (first - second) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - squared
    return variance


MORAN = Measure("moran", _scale, _total, _expected, _variance)
"""Moran's I, as a sum over pairs of neighbours."""
