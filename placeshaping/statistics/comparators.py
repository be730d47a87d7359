"""
Whom to compare an area with, and whether a difference can be told from chance.

Nearest statistical neighbours are the areas most like one in what it is, not
in how it fares: Euclidean distance over standardised indicators, as the
nearest-neighbours model of the Chartered Institute of Public Finance and
Accountancy has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_unique, check_whole, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError

Polarity = Literal["higher", "lower", "neither"]
"""Which end of an indicator is the better one, if any."""

DIFFERENCES = ("below", "not sure", "above")
"""What a comparison comes to: the interval of the difference leaves zero out, or not."""

FEWEST_AREAS = 3
"""Areas under which nothing can be said of who is like whom."""


def nearest_neighbours(indicators: pd.DataFrame, *, most: int = 5) -> pd.DataFrame:
    """
    Find the areas most like each area.

    Every indicator is centred and divided by its standard deviation over all
    areas, so that each counts alike; the distance is Euclidean (Everitt et al.
    2011, *Cluster Analysis*, section 3.3), divided by the root of the number
    of indicators so that it reads as a typical difference in standard
    deviations.

    Parameters
    ----------
    indicators
        One row an area, one column an indicator, numbers. Indicators that do
        not vary are left out, and told.
    most
        How many neighbours of each area.

    Returns
    -------
    neighbours
        One row an area and neighbour, areas in the order of the input and
        neighbours by distance: ``area_code``, ``neighbour``, ``rank`` (1 for
        the nearest), ``distance``. Ties go by the order of the input.
        ``attrs``: ``method``, ``variables``, ``cautions``.

    Raises
    ------
    ColumnError
        If an indicator holds missing values or no numbers, or none varies.
    EmptyError
        If there are fewer than three areas.
    DuplicateError
        If an area stands twice.

    Examples
    --------
    >>> areas = pd.Index(["a", "b", "c"], name="area_code")
    >>> table = pd.DataFrame({"aged 67 or over": [0.1, 0.3, 0.12]}, index=areas)
    >>> nearest_neighbours(table, most=1)["neighbour"].tolist()
    ['c', 'c', 'a']
    """
    check_unique(indicators.index, where="indicators")
    most = check_whole(most, name="most")
    if len(indicators) < FEWEST_AREAS:
        msg = (
            f"There are {len(indicators):,} areas to compare; at least {FEWEST_AREAS} are needed. "
            "Take a finer level, or a wider place."
        )
        raise EmptyError(msg)
    values, kept, constant = _standardised(indicators)
    distance = _distances(values)
    most = min(most, len(indicators) - 1)
    order = np.argsort(distance, axis=1, kind="stable")[:, :most]
    codes = indicators.index.to_numpy()
    table = pd.DataFrame(
        {
            "area_code": np.repeat(codes, most),
            "neighbour": codes[order.ravel()],
            "rank": np.tile(np.arange(1, most + 1), len(codes)),
            "distance": np.take_along_axis(distance, order, axis=1).ravel(),
        }
    )
    table.attrs = {
        "variables": kept,
        "method": (
            f"The areas nearest by Euclidean distance over {len(kept)} standardised indicators, "
            f"each counting alike: {', '.join(kept)}."
        ),
        "cautions": (
            (f"The same everywhere, and so left out: {listed(constant)}.",) if constant else ()
        ),
    }
    return table


def _standardised(
    indicators: pd.DataFrame,
) -> tuple[NDArray[np.float64], tuple[str, ...], tuple[str, ...]]:
    """Return z-scores of the indicators that vary, their names, and the names of the others."""
    try:
        values = indicators.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = "indicators holds text where numbers are needed. Leave those columns out."
        raise ColumnError(msg) from error
    missing = ~np.isfinite(values)
    if missing.any():
        names = [str(name) for name in indicators.columns[missing.any(axis=0)]]
        msg = (
            f"{int(missing.any(axis=1).sum()):,} of {len(indicators):,} areas lack an indicator "
            f"({listed(names)}). Fill them in, or leave those areas or indicators out."
        )
        raise ColumnError(msg)
    spread = values.std(axis=0)
    varies = spread > 1e-12 * np.maximum(1.0, np.abs(values).max(axis=0, initial=0.0))
    names = [str(name) for name in indicators.columns]
    if not varies.any():
        msg = f"No indicator varies ({listed(names)}). Give others."
        raise ColumnError(msg)
    scores = (values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies]
    kept = tuple(name for name, one in zip(names, varies, strict=True) if one)
    return scores, kept, tuple(name for name in names if name not in kept)


def _distances(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return distances between all areas; an area's own is infinite."""
    square = np.zeros((len(scores), len(scores)))
    for column in scores.T:
        square += np.subtract.outer(column, column) ** 2
    np.fill_diagonal(square, np.inf)
    distance: NDArray[np.float64] = np.sqrt(square / scores.shape[1])
    return distance


def compare_estimates(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """
    Compare two columns of estimates that have intervals of their own.

    The interval of the difference is put together from the two by the method
    of variance estimates recovery (Zou and Donner 2008, *Statistics in
    Medicine* 27, 1693), which needs no symmetric intervals and takes the two
    estimates as independent. An area that is a part of what it is compared
    with is not: the interval is then a little too wide.

    Parameters
    ----------
    own, other
        Columns ``value``, ``lower``, ``upper``, with the same index. An
        estimate without an interval (a count of everybody) may have its value
        for both limits.

    Returns
    -------
    comparison
        Index of `own`; ``difference`` (own minus other), ``lower``, ``upper``
        and ``told``, one of `DIFFERENCES`; missing where a value is missing.

    Raises
    ------
    InputError
        If the indexes differ, or a value lies outside its interval.

    Examples
    --------
    >>> one = pd.DataFrame({"value": [8.0], "lower": [7.0], "upper": [9.0]})
    >>> two = pd.DataFrame({"value": [5.0], "lower": [4.5], "upper": [5.6]})
    >>> compare_estimates(one, two).round(2)
       difference  lower  upper   told
    0         3.0   1.83   4.12  above
    """
    if not own.index.equals(other.index):
        msg = (
            f"own and other have {len(own):,} and {len(other):,} rows of unlike index. Align "
            "them: other.reindex(own.index)."
        )
        raise InputError(msg)
    for table, name in ((own, "own"), (other, "other")):
        _check_limits(table, name)
    first, second = (_floats(table, ("value", "lower", "upper")) for table in (own, other))
    difference = first[0] - second[0]
    below = np.hypot(first[0] - first[1], second[2] - second[0])
    above = np.hypot(first[2] - first[0], second[0] - second[1])
    lower, upper = difference - below, difference + above
    told = np.where(lower > 0, 2, np.where(upper < 0, 0, 1))
    codes = np.where(np.isnan(difference), -1, told)
    return pd.DataFrame(
        {
            "difference": difference,
            "lower": lower,
            "upper": upper,
            "told": pd.Categorical.from_codes(codes, categories=pd.Index(DIFFERENCES)),
        },
        index=own.index,
    )


def _floats(table: pd.DataFrame, columns: Sequence[str]) -> list[NDArray[np.float64]]:
    return [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in columns]


def _check_limits(table: pd.DataFrame, name: str) -> None:
    value, lower, upper = _floats(table, ("value", "lower", "upper"))
    slack = 1e-9 * np.maximum(1.0, np.abs(np.nan_to_num(value)))
    odd = (value < lower - slack) | (value > upper + slack)
    if odd.any():
        msg = (
            f"{name}: {int(odd.sum()):,} of {len(table):,} values lie outside their intervals. "
            "Check which column is which."
        )
        raise InputError(msg)
