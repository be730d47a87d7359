"""
Local Moran: areas that are like their neighbours, and areas that are unlike them.

Of an area with standardised value z and the weighted sum of its neighbours'
standardised values, I is the product (Anselin 1995). Conventions differ in one
divisor: esda and GeoDa standardise with n - 1, spdep with n unless
``mlvar=FALSE``. It changes I by that factor and no score, p-value or label.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from scipy import sparse

from placeshaping._core.checks import check_choice, check_unique, listed
from placeshaping._core.errors import InputError, UnmatchedError
from placeshaping.hotspots._lattice import (
    LEVEL,
    Floats,
    Lattice,
    Weights,
    check_correction,
    lay_out,
    p_and_q,
    tell_local,
    weigh,
)
from placeshaping.hotspots._permutation import check_permutations, neighbour_tails, two_sided
from placeshaping.hotspots._rate_index import empirical_bayes_index

QUADRANTS = ("high_high", "low_low", "high_low", "low_high", "none")
"""Labels of local Moran: the area's own value, then that of its neighbours."""


def local_moran(
    values: pd.Series[Any] | pd.DataFrame,
    neighbours: Graph,
    *,
    other: pd.Series[Any] | None = None,
    population: pd.Series[Any] | None = None,
    weights: Weights = "row",
    ddof: Literal[0, 1] = 1,
    moments: Literal["conditional", "total"] = "conditional",
    permutations: int = 0,
    correction: Literal["fdr"] | None = "fdr",
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Work out local Moran of each area, with its p- and q-value and its label.

    A label is given where q is below 0.05: *high_high* and *low_low* areas are
    like their neighbours, *high_low* and *low_high* ones stand out from them.
    High and low are above and below the mean of all areas. Areas with a
    missing value are left out of the calculation, and they and islands get
    missing results.

    Parameters
    ----------
    values
        Counts or rates of the areas, indexed by area code; in a DataFrame one
        column for each series (period, category).
    neighbours
        Graph of the same areas, in any order. Its weights are not used, only
        whether two areas are neighbours.
    other
        Another variable, of which the neighbours' values are taken (bivariate
        local Moran): an area's own burglary beside its neighbours' vacancy.
        It says nothing of the two within one area.
    population
        Where given, `values` are counts, and rates over this population are
        looked at, each brought to the scale of its own chance (Assunção and
        Reis 1999): a small population's rate is no news.
    weights
        ``"row"``: the mean of the neighbours; ``"binary"``: their sum. That
        multiplies I by the number of neighbours and changes no score, p-value
        or label.
    ddof
        1: standardised with n - 1, as esda and GeoDa; 0: with n, as spdep.
    moments
        Of the score: ``"conditional"`` on the area's own value (Sokal, Oden
        and Thomson 1998, equations A7 and A8), or ``"total"`` randomisation
        (their A3 and A4). The total one calls areas with an extreme value of
        their own significant more often.
    permutations
        Number of random draws of the neighbours for a p-value; 0 for that of
        the normal distribution. The p-value is twice the tail to which the
        score points, so it cannot fall below 2 / (permutations + 1); where the
        correction needs less, that is told.
    correction
        ``"fdr"``: Benjamini and Hochberg within each series; None: q-values
        are the p-values.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    scores
        Index of `values`; columns ``local_moran`` (I), ``z_score`` (above zero
        where area and neighbours are alike), ``p_value``, ``q_value``,
        ``cluster`` (one of `QUADRANTS`). Of a DataFrame: the same one series
        after the other, with a first column ``series``.
        ``attrs["cautions"]`` lists what a reader must know, and counts every
        missing result; ``attrs["method"]`` says what was done.

    Raises
    ------
    EmptyError
        If there are fewer than three areas.
    InputError
        If areas of `values` are not in `neighbours`, values are infinite,
        counts over a population are negative, or an option is none of its
        choices.
    ColumnError
        If values are not numbers.
    DuplicateError, UnmatchedError
        If an area stands twice, or has no value in `other` or `population`.

    Examples
    --------
    >>> from shapely import box
    >>> import geopandas as gpd
    >>> from placeshaping.areas.neighbours import contiguity
    >>> squares = [box(x, y, x + 1, y + 1) for y in range(6) for x in range(6)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=[f"a{i:02}" for i in range(36)])
    >>> counts = pd.Series(1, index=areas.index)
    >>> counts.iloc[[0, 1, 6, 7]] = 20
    >>> local_moran(counts, contiguity(areas)).head(2).round(4)
         local_moran  z_score  p_value  q_value    cluster
    a00       7.7778   5.8310      0.0   0.0000  high_high
    a01       4.2778   4.3732      0.0   0.0001  high_high
    """
    _check_options(other, ddof, moments, permutations, correction)
    if population is not None:
        rates = empirical_bayes_index(values, population)
        values = rates.iloc[:, 0] if isinstance(values, pd.Series) else rates
    lattice, lagged = _with_other(values, other, neighbours)
    local, scores, drawn = (np.full(lattice.numbers.shape, np.nan) for _ in range(3))
    quadrant = np.zeros(lattice.numbers.shape, dtype=bool)
    generator = np.random.default_rng(rng)
    for rows, columns in lattice.patterns():
        block = np.ix_(rows, columns)
        y, adjacency = lattice.numbers[block], lattice.adjacency[rows][:, rows]
        x = _standardised(y)
        z = x if lagged is None else np.repeat(_standardised(lagged[rows][:, None]), y.shape[1], 1)
        local[block], scores[block] = _scored(x, z, weigh(adjacency, weights), ddof, moments)
        quadrant[block] = x > 0
        if permutations:
            above, below = neighbour_tails(z, adjacency, permutations, generator)
            upward = scores[block] * np.sign(x)
            drawn[block] = two_sided(above, below, upward, permutations)
    p_values, q_values = p_and_q(scores, drawn, permutations=permutations, correction=correction)
    cells = {
        "local_moran": local,
        "z_score": scores,
        "p_value": p_values,
        "q_value": q_values,
        "cluster": _labels(lattice, scores, q_values, quadrant),
    }
    result = lattice.long(cells)
    result.attrs = {
        "method": _method(other, population, weights, ddof, moments, permutations, correction),
        "cautions": tell_local(lattice, scores, permutations=permutations, correction=correction),
        "permutations": permutations,
        "correction": correction,
    }
    return result


def _check_options(
    other: object, ddof: int, moments: str, permutations: int, correction: str | None
) -> None:
    check_choice(ddof, [0, 1], name="ddof")
    check_choice(moments, ["conditional", "total"], name="moments")
    check_permutations(permutations)
    check_correction(correction)
    if other is not None and moments == "total":
        msg = "Total moments are known for one variable alone. Leave out other, or moments='total'."
        raise InputError(msg)


def _with_other(
    values: pd.Series[Any] | pd.DataFrame, other: pd.Series[Any] | None, neighbours: Graph
) -> tuple[Lattice, Floats | None]:
    """Lay both variables out; an area without the other one has no value."""
    if other is None:
        return lay_out(values, neighbours), None
    check_unique(other.index, where="other")
    table = values.to_frame() if isinstance(values, pd.Series) else values
    lost = table.index[~table.index.isin(other.index)]
    if len(lost):
        msg = (
            f"other lacks {len(lost):,} of {len(table):,} areas ({listed(list(lost))}). "
            "Give one of the same areas; missing ones as NaN."
        )
        raise UnmatchedError(msg)
    lagged = lay_out(other.reindex(table.index), neighbours).numbers[:, 0]
    known = values.where(pd.Series(np.isfinite(lagged), table.index), axis="index")
    return lay_out(known, neighbours), lagged


def _standardised(y: Floats) -> Floats:
    """Return deviations over the standard deviation with n; missing where nothing varies."""
    centred = y - y.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    spread[y.max(axis=0) == y.min(axis=0)] = np.nan
    z: Floats = centred / spread
    z[np.abs(z) < 1e-12] = 0
    return z


def _scored(
    x: Floats, z: Floats, matrix: sparse.csr_array, ddof: int, moments: str
) -> tuple[Floats, Floats]:
    """Return I and its score; missing for islands and where nothing varies."""
    n = len(x)
    scale = (n - ddof) / n
    sums = matrix.sum(axis=1)[:, None]
    squares = matrix.power(2).sum(axis=1)[:, None]
    lag = matrix @ z
    lag[sums[:, 0] == 0] = np.nan
    if moments == "conditional":
        expected = -z * sums / (n - 1)
        variance = n / (n - 2) * (squares - sums**2 / (n - 1)) * (1 - z**2 / (n - 1))
        deviation = np.sign(x) * (lag - expected)
    else:
        kurtosis = (z**4).mean(axis=0)
        expected = -sums / (n - 1)
        variance = (
            squares * (n - kurtosis) / (n - 1)
            + (sums**2 - squares) * (2 * kurtosis - n) / ((n - 1) * (n - 2))
            - expected**2
        )
        deviation = x * lag - expected
    score = np.full(x.shape, np.nan)
    usable = variance > 1e-12 * squares
    np.divide(deviation, np.sqrt(np.where(usable, variance, 1)), out=score, where=usable)
    return scale * x * lag, score


def _labels(
    lattice: Lattice, scores: Floats, q_values: Floats, high: np.ndarray[Any, np.dtype[np.bool_]]
) -> pd.Categorical[str]:
    """Label by the side of the mean, the sign of the score and q."""
    alike = scores > 0
    label = np.where(alike, np.where(high, 0, 1), np.where(high, 2, 3))
    label = np.where(q_values < LEVEL, label, 4)
    flat = lattice.known & lattice.constant
    label = np.where(np.isfinite(scores) | flat, label, -1)
    return pd.Categorical.from_codes(label.ravel(order="F"), pd.Index(QUADRANTS))


def _method(
    other: object,
    population: object,
    weights: str,
    ddof: int,
    moments: str,
    permutations: int,
    correction: str | None,
) -> str:
    kind = "Bivariate local Moran" if other is not None else "Local Moran"
    of = " of rates (Assunção and Reis 1999)" if population is not None else ""
    p_value = (
        f"{permutations:,} conditional permutations"
        if permutations
        else f"the normal distribution with {moments} moments (Sokal, Oden and Thomson 1998)"
    )
    shares = "row-standardised" if weights == "row" else "binary"
    corrected = (
        "corrected by Benjamini and Hochberg (1995) within each map"
        if correction
        else "not corrected for the number of areas"
    )
    return (
        f"{kind} (Anselin 1995){of} with {shares} weights, standardised with "
        f"{'n - 1' if ddof else 'n'}; two-sided p-values from {p_value}, {corrected}."
    )
