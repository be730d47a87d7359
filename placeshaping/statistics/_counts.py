"""Counts and what they are divided by: aligned, checked, with the limits of a Poisson count."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.checks import listed
from placeshaping._core.errors import ColumnError, InputError

_log = logging.getLogger(__name__)

BYAR_FROM = 10
"""Counts below this take the exact interval, as in the guidance of public health bodies."""


def aligned(
    count: ArrayLike, exposure: ArrayLike, *, names: tuple[str, str] = ("counts", "exposures")
) -> tuple[NDArray[np.float64], NDArray[np.float64], pd.Index]:
    """Return both as floats in the order of `count`, with its index."""
    if isinstance(count, pd.Series) and isinstance(exposure, pd.Series):
        exposure = _aligned_series(count.index, exposure, names[1])
    index = _index_of(count, exposure)
    counts, exposures = floats(count, names[0]), floats(exposure, names[1])
    if len(counts) != len(exposures):
        msg = f"{len(counts):,} {names[0]} but {len(exposures):,} {names[1]}. Give one for each."
        raise InputError(msg)
    return counts, exposures, index


def _aligned_series(index: pd.Index, exposure: pd.Series[float], name: str) -> pd.Series[float]:
    if exposure.index.equals(index):
        return exposure
    if not exposure.index.is_unique:
        msg = f"The index of the {name} has repeated labels. Give one row for each."
        raise InputError(msg)
    missing = index[~index.isin(exposure.index)]
    if len(missing):
        msg = (
            f"{len(missing):,} of {len(index):,} rows have no {name[:-1]} "
            f"({listed(list(missing))}). Give {name} with the same index; missing ones as NaN."
        )
        raise InputError(msg)
    return exposure.reindex(index)


def _index_of(count: ArrayLike, exposure: ArrayLike) -> pd.Index:
    for given in (count, exposure):
        if isinstance(given, pd.Series):
            return given.index
    return pd.RangeIndex(np.size(np.asarray(count)))


def floats(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        if isinstance(values, pd.Series):
            floats = values.to_numpy(dtype="float64", na_value=np.nan)
        else:
            floats = np.atleast_1d(np.asarray(values, dtype="float64"))
    except (TypeError, ValueError) as error:
        msg = f"The {name} are not all numbers ({error}). Read them with pandas.to_numeric first."
        raise ColumnError(msg) from error
    wrong = (floats < 0) | np.isinf(floats)
    if wrong.any():
        msg = f"{int(wrong.sum()):,} {name} are negative or infinite. Correct them first."
        raise InputError(msg)
    return floats


def check_level(level: float) -> None:
    if not 0 < level < 1:
        msg = f"level is {level}; it must lie between 0 and 1 (0.95 for a 95 % interval)."
        raise InputError(msg)


def usable_exposure(
    counts: NDArray[np.float64],
    exposures: NDArray[np.float64],
    index: pd.Index,
    zero_exposure: str,
) -> NDArray[np.float64]:
    """Return exposures with zero made missing, refusing events over nobody."""
    impossible = (exposures == 0) & (counts > 0)
    if impossible.any():
        told = (
            f"{int(impossible.sum()):,} rows have events but an exposure of zero "
            f"({listed(list(index[impossible]))})"
        )
        if zero_exposure == "raise":
            msg = f"{told}. Correct them, or pass zero_exposure='missing' for missing rates."
            raise InputError(msg)
        _log.info("%s: their rates are missing.", told)
    return np.where(exposures > 0, exposures, np.nan)


def poisson_limits(
    counts: NDArray[np.float64], *, level: float, exact: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return confidence limits of Poisson counts."""
    tail = (1 - level) / 2
    above = counts + 1
    if exact:
        return exact_limits(counts, tail)
    z = stats.norm.isf(tail)
    positive = np.where(counts > 0, counts, 1.0)
    lower = counts * (1 - 1 / (9 * positive) - z / (3 * np.sqrt(positive))) ** 3
    upper = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    small = counts < BYAR_FROM
    lower[small], upper[small] = exact_limits(counts[small], tail)
    return lower, upper


def exact_limits(
    counts: NDArray[np.float64], tail: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    positive = np.where(counts > 0, counts, 1.0)
    lower = np.where(counts > 0, stats.chi2.ppf(tail, 2 * positive) / 2, 0 * counts)
    upper = np.asarray(stats.chi2.isf(tail, 2 * (counts + 1)) / 2)
    return lower, upper
