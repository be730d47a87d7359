"""Counts over a population, brought to one scale so that autocorrelation can be measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_labelled, check_unique, listed
from placeshaping._core.errors import InputError, UnmatchedError


def empirical_bayes_index(
    count: pd.Series[Any] | pd.DataFrame, population: pd.Series[Any]
) -> pd.DataFrame:
    """
    Standardise rates by what chance makes of a population of that size.

    Assunção and Reis (1999, "A new proposal to adjust Moran's I for
    population density"): the difference of each rate from the overall rate,
    over its standard deviation. Where the estimated variance between areas
    plus that of chance is negative, the variance of chance stands alone, as
    GeoDa and esda have it.

    Parameters
    ----------
    count
        Events, zero or more; in a DataFrame one column a series.
    population
        Residents, households or the like, of the same areas in any order.

    Returns
    -------
    index
        Of the shape of `count`; missing where count or population is missing
        or both are zero.

    Raises
    ------
    InputError
        If counts or populations are negative or infinite, or there are events
        over a population of zero.
    UnmatchedError
        If areas have no population.
    DuplicateError
        If an area stands twice.
    """
    check_labelled(count, name="values")
    table = count.to_frame() if isinstance(count, pd.Series) else count
    check_unique(table.index, where="values")
    check_labelled(population, name="population")
    check_unique(population.index, where="population")
    lost = table.index[~table.index.isin(population.index)]
    if len(lost):
        msg = (
            f"population lacks {len(lost):,} of {len(table):,} areas ({listed(list(lost))}). "
            "Give one of the same areas; missing ones as NaN."
        )
        raise UnmatchedError(msg)
    events = table.to_numpy(dtype="float64", na_value=np.nan)
    people = population.reindex(table.index).to_numpy(dtype="float64", na_value=np.nan)[:, None]
    _check(events, people, table.index)
    index = np.column_stack([_standardise(column, people[:, 0]) for column in events.T])
    return pd.DataFrame(index, index=table.index, columns=table.columns)


def _check(events: Any, people: Any, index: pd.Index) -> None:
    for name, numbers in (("counts", events), ("populations", people)):
        wrong = int(((numbers < 0) | np.isinf(numbers)).sum())
        if wrong:
            msg = f"{wrong:,} {name} are negative or infinite. Correct them first."
            raise InputError(msg)
    impossible = ((events > 0) & (people == 0)).any(axis=1)
    if impossible.any():
        msg = (
            f"{int(impossible.sum()):,} areas have events but a population of zero "
            f"({listed(list(index[impossible]))}). Correct them, or make their counts missing."
        )
        raise InputError(msg)


def _standardise(events: Any, people: Any) -> Any:
    index = np.full(len(events), np.nan)
    known = np.isfinite(events) & (people > 0)
    count, exposure = events[known], people[known]
    total = exposure.sum()
    if not count.sum():
        index[known] = 0.0  # one rate, zero, everywhere
        return index
    overall, rate = count.sum() / total, count / exposure
    between = (exposure * (rate - overall) ** 2).sum() / total - overall / exposure.mean()
    chance = overall / exposure
    variance = np.where(between + chance < 0, chance, between + chance)
    index[known] = (rate - overall) / np.sqrt(variance)
    return index
