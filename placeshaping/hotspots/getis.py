"""
Gi and Gi* of Getis and Ord: where high or low values stand together.

The score compares the sum over an area and its neighbours with what a random
arrangement of the same values would give (Ord and Getis 1995). p-values are
two-sided; the false discovery rate is controlled within each map. A count is a
count: of an area with many people, much is expected. Show the count beside
the score, or look at smoothed rates.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy import sparse, stats

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.statistics.testing import false_discovery_rate

_log = logging.getLogger(__name__)

CLUSTERS = ("cold_99", "cold_95", "none", "hot_95", "hot_99")
"""Classes of Gi*, coldest first: the number is the confidence after correction, in per cent."""

FEW_AREAS = 30
"""With fewer areas the normal approximation of the analytic p-value is poor."""


def getis_ord(
    values: pd.Series[float] | pd.DataFrame,
    neighbours: Graph,
    *,
    star: bool = True,
    permutations: int = 0,
    correction: Literal["fdr"] | None = "fdr",
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Work out Gi* (or Gi) of each area, with its p- and q-value and its class.

    Weights are binary; with `star` the area itself counts among its
    neighbours. Areas with a missing value are left out of the calculation, and
    they and islands get missing results. Where every value is the same there
    is nothing to compare: scores are missing, the class is ``"none"``.

    Parameters
    ----------
    values
        Counts or rates of the areas, indexed by area code; in a DataFrame one
        column for each series (period, category).
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours.
    star
        Whether the area itself belongs to its neighbourhood (Gi*) or not (Gi).
    permutations
        Number of random draws for a conditional permutation p-value; 0 for the
        analytic p-value. The p-value is twice the smaller tail, so it cannot
        fall below 2 / (permutations + 1); where the correction needs less,
        that is told.
    correction
        ``"fdr"``: Benjamini and Hochberg within each series; None: q-values
        are the p-values.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    scores
        Index of `values`; columns ``gi_star`` (z-score; for Gi too),
        ``p_value``, ``q_value``, ``cluster`` (one of `CLUSTERS`: hot or cold
        where q is below 0.05 or 0.01). Of a DataFrame: the same one series
        after the other, with a first column ``series``.
        ``attrs["cautions"]`` lists what a reader must know.

    Raises
    ------
    EmptyError
        If there are fewer than three areas.
    InputError
        If areas of `values` are not in `neighbours`, or values are infinite.
    ColumnError
        If values are not numbers.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> counts = pd.Series(1, index=areas.index)
    >>> counts.iloc[[0, 1, 6, 7]] = 20
    >>> getis_ord(counts, contiguity(areas)).head(2).round(4)
         gi_star  p_value  q_value cluster
    a00   5.9161      0.0      0.0  hot_99
    a01   4.6771      0.0      0.0  hot_99
    """
    table = values.to_frame() if isinstance(values, pd.Series) else values
    check_unique(table.index, where="values")
    numbers = _numbers(table)
    adjacency = _adjacency(neighbours, table.index)
    scores = np.full(numbers.shape, np.nan)
    p_values = scores.copy()
    generator = np.random.default_rng(rng)
    for rows, columns in _patterns(numbers):
        block = np.ix_(rows, columns)
        y, near = numbers[block], adjacency[rows][:, rows]
        scores[block] = _z_scores(y, near, star)
        if permutations:
            p_values[block] = _permuted(y, near, permutations, generator)
    p_values = p_values if permutations else 2 * stats.norm.sf(np.abs(scores))
    p_values[np.isnan(scores)] = np.nan
    q_values = false_discovery_rate(p_values) if correction == "fdr" else p_values
    result = _result(table, numbers, scores, p_values, q_values)
    if isinstance(values, pd.Series):
        result = result.drop(columns="series")
    cautions = tuple(_cautions(numbers, adjacency, permutations, correction == "fdr"))
    flat = _flat_told(numbers)
    for caution in cautions:
        _log.warning("%s", caution)
    for told in flat:
        _log.info("%s", told)
    result.attrs = {
        "cautions": (*cautions, *flat),
        "star": star,
        "permutations": permutations,
        "correction": correction,
    }
    return result


def _numbers(table: pd.DataFrame) -> NDArray[np.float64]:
    if len(table) < 3:
        msg = f"There are {len(table)} areas: hot spots need at least three, and 30 to be trusted."
        raise EmptyError(msg)
    wrong = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if wrong:
        msg = f"{listed(wrong)} hold no numbers. Give counts or rates, one column a series."
        raise ColumnError(msg)
    numbers = table.to_numpy(dtype="float64", na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        msg = f"{infinite:,} values are infinite. Make them missing (NaN) or correct them."
        raise InputError(msg)
    return numbers


def _adjacency(neighbours: Graph, index: pd.Index) -> sparse.csr_array:
    """Return who is whose neighbour, without selves, in the order of `index`."""
    position = pd.Index(neighbours.unique_ids).get_indexer(index)
    unknown = index[position < 0]
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(index):,} areas are not in the graph of neighbours "
            f"({listed(list(unknown))}). Make it from the same areas: contiguity(areas)."
        )
        raise InputError(msg)
    matrix: sparse.csr_array = sparse.csr_array(neighbours.sparse)[position][:, position]
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.data = np.ones_like(matrix.data, dtype="float64")
    return matrix


def _patterns(
    numbers: NDArray[np.float64],
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Group the series by the areas that they have, so that each group is one matrix product."""
    known = np.isfinite(numbers)
    groups: dict[bytes, list[int]] = {}
    for column in range(numbers.shape[1]):
        groups.setdefault(known[:, column].tobytes(), []).append(column)
    patterns = [(np.flatnonzero(known[:, group[0]]), np.array(group)) for group in groups.values()]
    return [(rows, columns) for rows, columns in patterns if len(rows) > 2]


def _z_scores(
    y: NDArray[np.float64], adjacency: sparse.csr_array, star: bool
) -> NDArray[np.float64]:
    """
    Return the z-score of each area and series; missing for islands and where nothing varies.

    Deviations from the mean of all areas stand for the values, which changes
    nothing but keeps the variance exact where values are large.
    """
    centred = y - y.mean(axis=0)
    members = adjacency.sum(axis=1)[:, None]
    usable = members > 0
    total = (centred**2).sum(axis=0)
    if star:
        size, held = len(y), np.zeros_like(y)
        own, members = adjacency @ centred + centred, members + 1
    else:
        size, held = len(y) - 1, centred
        own = adjacency @ centred
    mean = (centred.sum(axis=0) - held) / size
    variance = (total - held**2) / size - mean**2
    variance[(variance <= 1e-12 * total / size) | _constant(y)] = 0
    spread = np.sqrt(variance * members * (size - members) / (size - 1))
    z = np.full(y.shape, np.nan)
    np.divide(own - members * mean, spread, out=z, where=usable & (spread > 0))
    return z


def _permuted(
    y: NDArray[np.float64],
    adjacency: sparse.csr_array,
    permutations: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Return twice the smaller tail among random draws of each area's neighbours."""
    from placeshaping.hotspots._permutation import count_extremes, draw_ids

    members = adjacency.sum(axis=1).astype(np.int64)
    near = adjacency @ y
    ids = draw_ids(generator.random((permutations, int(members.max(initial=0)))), len(y) - 1)
    p_values = np.empty_like(y)
    for column in range(y.shape[1]):
        series = np.ascontiguousarray(y[:, column])
        tolerance = 1e-9 * float(np.abs(series).max(initial=0))
        above, below = count_extremes(
            series, members, np.ascontiguousarray(near[:, column]), ids, tolerance
        )
        p_values[:, column] = 2 * (np.minimum(above, below) + 1) / (permutations + 1)
    return np.minimum(p_values, 1.0)


def _constant(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which series hold one value alone."""
    known = np.isfinite(numbers)
    high = np.where(known, numbers, -np.inf).max(axis=0)
    low = np.where(known, numbers, np.inf).min(axis=0)
    return np.asarray(high == low)


def _result(
    table: pd.DataFrame,
    numbers: NDArray[np.float64],
    scores: NDArray[np.float64],
    p_values: NDArray[np.float64],
    q_values: NDArray[np.float64],
) -> pd.DataFrame:
    """Lay the series out one after the other."""
    areas, series = table.shape
    steps = (q_values < 0.05).astype(int) + (q_values < 0.01)
    cluster = 2 + np.where(scores > 0, steps, -steps)
    flat = np.isfinite(numbers) & _constant(numbers)
    cluster = np.where(np.isfinite(scores) | flat, cluster, -1)
    classes = pd.Index(CLUSTERS)
    columns = {
        "series": table.columns.take(np.repeat(np.arange(series), areas)),
        "gi_star": scores.ravel(order="F"),
        "p_value": p_values.ravel(order="F"),
        "q_value": q_values.ravel(order="F"),
        "cluster": pd.Categorical.from_codes(cluster.ravel(order="F"), classes, ordered=True),
    }
    return pd.DataFrame(columns, index=table.index.take(np.tile(np.arange(areas), series)))


def _cautions(
    numbers: NDArray[np.float64],
    adjacency: sparse.csr_array,
    permutations: int,
    corrected: bool,
) -> Iterator[str]:
    """Say what a reader must know about the scores."""
    areas = len(numbers)
    if areas < FEW_AREAS and not permutations:
        yield f"Only {areas} areas: under {FEW_AREAS} the normal approximation of Gi* is poor."
    missing = np.isnan(numbers).any(axis=1).sum()
    if missing:
        yield f"{missing:,} of {areas:,} areas lack a value in some series and have no score there."
    islands = int((adjacency.sum(axis=1) == 0).sum())
    if islands:
        yield f"{islands:,} of {areas:,} areas have no neighbours and no score."
    needed = math.ceil(areas * 2 / (permutations + 1) / 0.05) if permutations else 0
    if corrected and needed > 1:
        yield (
            f"With {permutations:,} permutations no p-value is below {2 / (permutations + 1):.2g}: "
            f"{needed:,} of {areas:,} areas must be there before one is found. "
            "Use more permutations, or the analytic p-value (permutations=0)."
        )


def _flat_told(numbers: NDArray[np.float64]) -> tuple[str, ...]:
    """Say how many series cannot be scored; nothing wrong, a rare offence has such months."""
    flat, series = int(_constant(numbers).sum()), numbers.shape[1]
    return (f"{flat:,} of {series:,} series hold one value everywhere: no scores.",) if flat else ()
