"""
Who has far to go: by age and by deprivation.

Deprivation serves to look at the result, never to make a model of people:
its columns are tagged ``audit_only``, and so is every table made here of them.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.columns import Tag, column_tags, tag_columns
from placeshaping._core.errors import EmptyError, InputError

Floats = NDArray[np.float64]

FAR = 15.0
"""Minutes beyond which a service is far."""

_GROUPS = range(1, 11)


def people_beyond(
    minutes: pd.Series[float],
    population: pd.DataFrame,
    decile: pd.Series[float],
    *,
    beyond: float = FAR,
) -> pd.DataFrame:
    """
    Count people who have farther to go than a limit, by age band and deprivation decile.

    Parameters
    ----------
    minutes
        Of each area to the nearest service, as `nearest_service` gives it;
        missing where there is none in reach: those people are beyond.
    population
        People of each area, one column an age band.
    decile
        Deprivation decile of each area, 1 (most deprived) to 10.
    beyond
        The limit; exactly at it is not beyond.

    Returns
    -------
    table
        One row a decile and age band: ``decile``, ``age``, ``population``,
        ``beyond``, ``share`` (missing where there are no people). Rows of
        decile 0 hold areas without a decile, if there are any. ``attrs``:
        ``method``, ``cautions`` and the tags of the columns.

    Raises
    ------
    InputError
        If an area lacks people, a number is below zero, or a decile is none.
    EmptyError
        If there are no people.

    Examples
    --------
    >>> areas = pd.Index(["a", "b"], name="area_code")
    >>> people = pd.DataFrame({"0-15": [30, 10], "16+": [70, 90]}, index=areas)
    >>> table = people_beyond(pd.Series([5.0, 20.0], areas), people, pd.Series([1, 10], areas))
    >>> table[table["population"] > 0][["decile", "age", "population", "beyond"]]
        decile   age  population  beyond
    0        1  0-15        30.0     0.0
    1        1   16+        70.0     0.0
    18      10  0-15        10.0    10.0
    19      10   16+        90.0    90.0
    """
    people = _people(minutes, population)
    group = _deciles(minutes.index, decile)
    far = ~(minutes.to_numpy(dtype=float) <= beyond)
    sums = np.zeros((11, people.shape[1], 2))
    np.add.at(sums[:, :, 0], group, people)
    np.add.at(sums[:, :, 1], group[far], people[far])
    rows = sums if sums[0].any() else sums[1:]
    first = 11 - len(rows)
    table = pd.DataFrame(
        {
            "decile": np.repeat(np.arange(first, 11), people.shape[1]),
            "age": np.tile(population.columns.astype(str), len(rows)),
            "population": rows[:, :, 0].ravel(),
            "beyond": rows[:, :, 1].ravel(),
        }
    )
    table["share"] = _share(table["beyond"], table["population"])
    method = f"People in areas more than {beyond:g} minutes from the nearest service."
    return _told(table, method, minutes, decile, population)


def equity_table(
    minutes: pd.Series[float],
    population: pd.Series[float],
    decile: pd.Series[float],
    *,
    beyond: float = FAR,
) -> pd.DataFrame:
    """
    Compare travel between the most and the least deprived areas.

    Parameters
    ----------
    minutes, decile, beyond
        As in `people_beyond`.
    population
        People of each area.

    Returns
    -------
    table
        Index ``decile`` from 1 (most deprived) to 10: ``areas``,
        ``population``, ``mean`` and ``median`` minutes of people who reach a
        service, ``beyond`` (people), ``share`` of them. ``attrs``: ``share``
        (of all people), ``beyond``, ``method``, ``cautions``, tags.

    Raises
    ------
    InputError, EmptyError
        As `people_beyond`.

    Examples
    --------
    >>> areas = pd.Index(["a", "b"], name="area_code")
    >>> people, decile = pd.Series([100, 100], areas), pd.Series([1, 10], areas)
    >>> table = equity_table(pd.Series([5.0, 20.0], areas), people, decile)
    >>> table.loc[[1, 10], ["areas", "mean", "share"]]
            areas  mean  share
    decile
    1           1   5.0    0.0
    10          1  20.0    1.0
    """
    people = _people(minutes, population.to_frame("population"))[:, 0]
    group = _deciles(minutes.index, decile)
    away = minutes.to_numpy(dtype=float)
    far, known = ~(away <= beyond), np.isfinite(away)
    reached = np.bincount(group[known], people[known], 11)
    spent = np.bincount(group[known], (people * np.where(known, away, 0))[known], 11)
    columns = {
        "areas": np.bincount(group, minlength=11),
        "population": np.bincount(group, people, 11),
        "mean": _share(spent, reached),
        "median": [_median(away[known & (group == d)], people[known & (group == d)])
                   for d in range(11)],
        "beyond": np.bincount(group[far], people[far], 11),
    }  # fmt: skip
    table = pd.DataFrame(columns, index=pd.RangeIndex(11, name="decile")).iloc[1:]
    table["share"] = _share(table["beyond"], table["population"])
    method = f"Minutes to the nearest service by deprivation decile; far is beyond {beyond:g}."
    told = _told(table, method, minutes, decile, population)
    told.attrs["share"] = float(people[far].sum() / people.sum())
    told.attrs["beyond"] = beyond
    return told


def describe_equity(table: pd.DataFrame, *, what: str = "service") -> str:
    """
    Say in a paragraph who has far to go.

    Parameters
    ----------
    table
        From `equity_table`.
    what
        Name of one of the services.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> areas = pd.Index(["a", "b"], name="area_code")
    >>> people, decile = pd.Series([100, 100], areas), pd.Series([1, 10], areas)
    >>> table = equity_table(pd.Series([5.0, 20.0], areas), people, decile)
    >>> describe_equity(table, what="library")
    '50.0% of residents live more than 15 minutes from the nearest library: 0.0% in the ...'
    """
    text = (
        f"{table.attrs['share']:.1%} of residents live more than {table.attrs['beyond']:g} minutes "
        f"from the nearest {what}"
    )
    fifths = [table.loc[part] for part in ([1, 2], [9, 10])]
    people = [float(part["population"].sum()) for part in fifths]
    if not all(people):
        return f"{text}. Areas of the most and the least deprived fifth are not both here."
    most, least = (
        float(part["beyond"].sum()) / total for part, total in zip(fifths, people, strict=True)
    )
    return (
        f"{text}: {most:.1%} in the most deprived fifth of areas of the nation, {least:.1%} in the "
        "least deprived. Everybody of an area is taken to live at its middle."
    )


def _people(minutes: pd.Series[float], population: pd.DataFrame) -> Floats:
    check_unique(minutes.index, where="minutes")
    check_unique(population.index, where="population")
    absent = minutes.index[~minutes.index.isin(population.index)]
    if len(absent):
        msg = (
            f"{len(absent):,} of {len(minutes):,} areas have no population "
            f"({listed(list(absent))}). Give one for each."
        )
        raise InputError(msg)
    people = population.reindex(minutes.index).to_numpy(dtype=float, na_value=np.nan)
    wrong = (~np.isfinite(people) | (people < 0)).any(axis=1)
    if wrong.any():
        msg = (
            f"{int(wrong.sum()):,} of {len(minutes):,} areas have a population that is missing or "
            f"below zero ({listed(list(minutes.index[wrong]))})."
        )
        raise InputError(msg)
    if not people.sum() > 0:
        msg = f"Population is zero in all {len(minutes):,} areas. Check the column."
        raise EmptyError(msg)
    return np.asarray(people, dtype=np.float64)


def _deciles(index: pd.Index, decile: pd.Series[float]) -> NDArray[np.intp]:
    """Return the decile of each area, 0 where there is none."""
    check_unique(decile.index, where="decile")
    found = decile.reindex(index).to_numpy(dtype="float64", na_value=np.nan)
    wrong = np.isfinite(found) & ~np.isin(found, _GROUPS)
    if wrong.any():
        values = listed(sorted(set(found[wrong].tolist())))
        msg = f"{int(wrong.sum()):,} areas have a decile that is not one of 1 to 10: {values}."
        raise InputError(msg)
    if not np.isfinite(found).any():
        msg = f"None of {len(index):,} areas has a decile. Are codes of the same census year?"
        raise InputError(msg)
    return np.nan_to_num(found).astype(np.intp)


def _told(
    table: pd.DataFrame, method: str, minutes: pd.Series[float], decile: pd.Series[float],
    population: pd.DataFrame | pd.Series[float],
) -> pd.DataFrame:  # fmt: skip
    """Add method, cautions and tags: all columns are as sensitive as what they were made from."""
    lost = int(_deciles(minutes.index, decile).__eq__(0).sum())
    none = int(minutes.isna().sum())
    cautions = ["Everybody of an area is taken to live at its middle."]
    if lost:
        cautions.append(f"{lost:,} areas have no decile.")
    if none:
        cautions.append(f"{none:,} areas reach no service; their people count as beyond.")
    tags = {**column_tags(population), **column_tags(decile)}
    worst = next((t for t in ("special", "personal") if t in tags.values()), "audit_only")
    table.attrs = {
        "method": f"{method} Made with deprivation deciles, tagged audit_only.",
        "cautions": tuple(cautions),
    }
    tag_columns(table, dict.fromkeys(["decile", *map(str, table.columns)], cast("Tag", worst)))
    return table


def _share(part: ArrayLike, whole: ArrayLike) -> Floats:
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    share: Floats = np.full(len(below), np.nan)
    np.divide(above, below, out=share, where=below > 0)
    return share


def _median(values: Floats, weights: Floats) -> float:
    """Return the value below which half of the weight lies."""
    if not weights.sum() > 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    running = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2)])
