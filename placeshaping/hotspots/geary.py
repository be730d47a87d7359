"""Geary's C of a whole map: how far neighbours differ, from area to area."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from placeshaping.hotspots._lattice import Floats, Weights, lay_out
from placeshaping.hotspots._permutation import check_permutations
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
def geary(
    values: pd.DataFrame,
    neighbours: Graph,
    *,
    weights: Weights = ...,
    assumption: Assumption = ...,
    permutations: int = ...,
    rng: int | np.random.Generator = ...,
) -> pd.DataFrame: ...
@overload
def geary(
    values: pd.Series[Any],
    neighbours: Graph,
    *,
    weights: Weights = ...,
    assumption: Assumption = ...,
    permutations: int = ...,
    rng: int | np.random.Generator = ...,
) -> pd.Series[float]: ...
def geary(
    values: pd.Series[Any] | pd.DataFrame,
    neighbours: Graph,
    *,
    weights: Weights = "row",
    assumption: Assumption = "randomisation",
    permutations: int = 0,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame | pd.Series[float]:
    """
    Work out Geary's C (Geary 1954) with its variance and p-value.

    Below one, neighbours are alike; above it, they differ. It answers to
    differences between neighbours, where Moran's I answers to distance from
    the mean. Areas with a missing value are left out; islands count in the
    mean and in the number of areas, as in esda.

    Parameters
    ----------
    values
        Counts or rates of the areas, indexed by area code; in a DataFrame one
        column for each series (period, category).
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours.
    weights
        ``"row"``: each area's neighbours weigh one together; ``"binary"``: one
        each.
    assumption
        Of variance and score: ``"randomisation"`` (the values as they are,
        anywhere) or ``"normality"``.
    permutations
        Number of random rearrangements of the values for a p-value; 0 for that
        of the normal distribution.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    result
        Of a DataFrame: one row a series, columns ``geary``, ``expected`` (1),
        ``variance``, ``z_score`` (below zero where neighbours are alike, as in
        esda; spdep turns it round), ``p_value`` (two-sided), ``areas``. Of a
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
    DuplicateError
        If an area stands twice.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> counts = pd.Series(range(36), index=areas.index)
    >>> geary(counts, contiguity(areas))[["geary", "z_score"]].round(3).to_dict()
    {'geary': 0.12, 'z_score': -9.664}
    """
    check_assumption(assumption)
    check_permutations(permutations)
    lattice = lay_out(values, neighbours, least=4)
    columns = measure_series(
        lattice,
        GEARY,
        weights=weights,
        assumption=assumption,
        permutations=permutations,
        generator=np.random.default_rng(rng),
    )
    method = describe(
        "Geary's C", weights=weights, assumption=assumption, permutations=permutations
    )
    return finish(lattice, columns, method=method, permutations=permutations)


def _scale(z: Floats, sums: WeightSums) -> Floats:
    factor: Floats = (sums.n - 1) / (2 * sums.s0 * (z**2).sum(axis=0))
    return factor


def _total(z: Floats, matrix: sparse.csr_array, sums: WeightSums) -> Floats:
    """Return the weighted sum of squared differences between neighbours, of each series."""
    total: Floats = sums.degree @ z**2 - 2 * (z * (matrix @ z)).sum(axis=0)
    return total


def _expected(_sums: WeightSums) -> float:
    return 1.0


def _variance(z: Floats, sums: WeightSums, assumption: Assumption) -> Floats:
    """Return the variance of C, of each series (Cliff and Ord 1981, p. 56)."""
    n, s0, s1, s2 = float(sums.n), sums.s0, sums.s1, sums.s2
    if assumption == "normality":
        one = ((2 * s1 + s2) * (n - 1) - 4 * s0**2) / (2 * (n + 1) * s0**2)
        return np.full(z.shape[1], one)
    kurtosis = (z**4).mean(axis=0) / (z**2).mean(axis=0) ** 2
    first = (n - 1) * s1 * (n**2 - 3 * n + 3 - (n - 1) * kurtosis)
    second = (n - 1) * s2 * (n**2 + 3 * n - 6 - (n**2 - n + 2) * kurtosis) / 4
    third = s0**2 * (n**2 - 3 - (n - 1) ** 2 * kurtosis)
    variance: Floats = (first - second + third) / (n * (n - 2) * (n - 3) * s0**2)
    return variance


GEARY = Measure("geary", _scale, _total, _expected, _variance)
"""Geary's C, as a sum over pairs of neighbours."""
