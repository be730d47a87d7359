"""Join counts: whether marked areas lie beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from placeshaping._core.errors import InputError
from placeshaping.hotspots._lattice import Floats, Lattice, lay_out, log_cautions, tell_constant
from placeshaping.hotspots._permutation import check_permutations
from placeshaping.hotspots._whole import (
    WeightSums,
    check_connected,
    permuted_p,
    scores_of,
    tell_whole,
    two_sided_normal,
    weight_sums,
)

JOINS = ("both", "neither", "mixed")
"""Kinds of joins: both areas are marked, neither is, one of them is (BB, WW, BW elsewhere)."""


def join_counts(
    marked: pd.Series[Any] | pd.DataFrame,
    neighbours: Graph,
    *,
    permutations: int = 0,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Count the pairs of neighbours of which both, neither or one is marked.

    Expectations and variances are those of sampling without replacement: as
    many marks as there are, anywhere (Cliff and Ord 1981, pp. 36 to 41). Areas
    with a missing value are left out.

    Parameters
    ----------
    marked
        True or 1 where an area is marked (has a record, voted yes), indexed by
        area code; in a DataFrame one column for each series.
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours. A neighbour in one direction alone
        is half a join.
    permutations
        Number of random rearrangements of the marks for a p-value; 0 for that
        of the normal distribution, which needs many areas of either kind.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    joins
        One row a kind of join (index ``join``: `JOINS`), columns ``count``,
        ``expected``, ``variance``, ``z_score``, ``p_value`` (two-sided). Of a
        DataFrame: the same one series after the other, with a first column
        ``series``. ``attrs["cautions"]`` lists what a reader must know,
        ``attrs["method"]`` says what was done.

    Raises
    ------
    EmptyError
        If there are fewer than four areas.
    InputError
        If a mark is neither 0 nor 1, no area has a neighbour, or areas of
        `marked` are not in `neighbours`.
    ColumnError
        If marks are not numbers or truth values.
    DuplicateError
        If an area stands twice.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> marked = pd.Series(range(36), index=areas.index) < 12
    >>> join_counts(marked, contiguity(areas)).round(2)
             count  expected  variance  z_score  p_value
    join
    both      26.0     11.52      7.27     5.37      0.0
    neither   68.0     48.19     16.59     4.86      0.0
    mixed     16.0     50.29     21.31    -7.43      0.0
    """
    check_permutations(permutations)
    lattice = lay_out(marked, neighbours, least=4)
    check_connected(lattice)
    wrong = int((lattice.known & ~np.isin(lattice.numbers, (0.0, 1.0))).sum())
    if wrong:
        msg = f"{wrong:,} marks are neither 0 nor 1. Make them truth values: counts > 0."
        raise InputError(msg)
    generator = np.random.default_rng(rng)
    cells = np.full((5, len(JOINS), len(lattice.series)), np.nan)
    for rows, columns in lattice.patterns():
        matrix = lattice.adjacency[rows][:, rows]
        if not matrix.nnz:
            continue
        sums = weight_sums(matrix)
        for column in columns:
            x = lattice.numbers[rows, column]
            cells[:, :, column] = _one(x, matrix, sums, permutations, generator)
    result = _lay(lattice, cells)
    cautions = tell_whole(lattice, cells[3].sum(axis=0), analytic=not permutations)
    p_value = f"{permutations:,} rearrangements" if permutations else "the normal distribution"
    result.attrs = {
        "method": (
            "Join counts; expectation and variance of sampling without replacement (Cliff and Ord "
            f"1981), two-sided p-values from {p_value}."
        ),
        "cautions": log_cautions(cautions, tell_constant(lattice)),
        "permutations": permutations,
    }
    return result


def _one(
    x: Floats,
    matrix: sparse.csr_array,
    sums: WeightSums,
    permutations: int,
    generator: np.random.Generator,
) -> Floats:
    """Return count, expectation, variance, score and p-value of one series."""
    count = _counts(x[:, None], matrix, sums)[:, 0]
    expected, variance = _moments(float(x.sum()), sums)
    variance[variance < 1e-12 * sums.s0] = 0  # one or no mark, or all but one: nothing varies
    z_scores = scores_of(count, expected, variance)
    p_values = two_sided_normal(z_scores)
    if permutations:
        drawn = permuted_p(
            lambda x: _counts(x, matrix, sums), x, count, expected, permutations, generator
        )
        p_values = np.where(np.isnan(z_scores), np.nan, drawn)
    return np.array([count, expected, variance, z_scores, p_values])


def _counts(x: Floats, matrix: sparse.csr_array, sums: WeightSums) -> Floats:
    """Return the three counts of each series, from the joins of marked areas and their ends."""
    both = (x * (matrix @ x)).sum(axis=0) / 2
    ends = sums.degree @ x / 2
    mixed = ends - 2 * both
    return np.vstack([both, sums.s0 / 2 - both - mixed, mixed])


def _moments(marked: float, sums: WeightSums) -> tuple[Floats, Floats]:
    """Return expectations and variances (Cliff and Ord 1981, pp. 38 to 39)."""
    n, other = sums.n, sums.n - marked
    s0, s1, s2 = sums.s0, sums.s1, sums.s2
    two, three = n * (n - 1), n * (n - 1) * (n - 2)
    four = three * (n - 3)
    apart = s0**2 + s1 - s2
    expected, variance = [], []
    for m in (marked, other):
        mean = s0 * m * (m - 1) / (2 * two)
        square = s1 * m * (m - 1) / two + (s2 - 2 * s1) * m * (m - 1) * (m - 2) / three
        square += apart * m * (m - 1) * (m - 2) * (m - 3) / four
        expected.append(mean)
        variance.append(square / 4 - mean**2)
    pairs = marked * other
    mean = s0 * pairs / two
    square = 2 * s1 * pairs / two + (s2 - 2 * s1) * pairs * (n - 2) / three
    square += 4 * apart * pairs * (marked - 1) * (other - 1) / four
    return np.array([*expected, mean]), np.array([*variance, square / 4 - mean**2])


def _lay(lattice: Lattice, cells: Floats) -> pd.DataFrame:
    """Lay results of kinds by series out, one series after the other."""
    kinds, series = cells.shape[1:]
    names = ("count", "expected", "variance", "z_score", "p_value")
    columns: dict[str, Any] = {
        name: cell.ravel(order="F") for name, cell in zip(names, cells, strict=True)
    }
    if not lattice.single:
        columns = {"series": lattice.series.take(np.repeat(np.arange(series), kinds)), **columns}
    index = pd.Index(list(JOINS) * series, name="join")
    return pd.DataFrame(columns, index=index)
