"""
Rates as they would be with the same ages: directly and indirectly standardised.

An area of students and an area of pensioners differ in most things that a
council or the NHS counts before anything else is said about them. Both methods
take the difference of ages out (Breslow and Day 1987, chapter 2; technical
guides of the Office for Health Improvement and Disparities).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_labelled, check_result, check_unique, listed, near_names
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping._core.words import in_plural
from placeshaping.statistics._counts import check_level, poisson_limits
from placeshaping.statistics.ages import EUROPEAN_STANDARD

_log = logging.getLogger(__name__)

FEWEST_EVENTS = 10
"""A directly standardised rate of fewer events is not given (Morris et al. 2018)."""


def directly_standardised_rate(
    count: pd.DataFrame,
    population: pd.DataFrame,
    *,
    standard: pd.Series[float] = EUROPEAN_STANDARD,
    per: float = 100_000.0,
    level: float = 0.95,
    fewest: int = FEWEST_EVENTS,
) -> pd.DataFrame:
    """
    Work out the rate that each area would have with the ages of a standard population.

    The interval is Dobson's (Dobson, Kuulasmaa, Eberle and Scherer 1991) about
    Byar's limits of the total (exact ones below ten events), as the Office for
    Health Improvement and Disparities works it out. It holds chance alone.

    Parameters
    ----------
    count
        Events, one row an area and one column an age band.
    population
        People, with the index and the columns of `count` in any order.
    standard
        Standard population by age band; by default the European one of 2013.
    per
        The rate is for this many people.
    level
        Confidence level of the interval.
    fewest
        With fewer events than this in an area the rate is missing: its
        interval would not hold.

    Returns
    -------
    rates
        Index of `count`; columns ``count``, ``population``, ``rate``,
        ``lower``, ``upper``; ``attrs`` hold ``method`` and ``cautions``.

    Raises
    ------
    ColumnError
        If an age band is unknown to the standard, or missing.
    InputError
        If a number is negative or missing, or there are events in an age band
        without people.
    EmptyError
        If there are no areas.

    Examples
    --------
    >>> bands = ["0-64", "65+"]
    >>> count = pd.DataFrame([[20, 40], [5, 2]], index=["a", "b"], columns=bands)
    >>> people = pd.DataFrame([[900, 600], [700, 100]], index=["a", "b"], columns=bands)
    >>> standard = pd.Series([80, 20], bands)
    >>> rates = directly_standardised_rate(count, people, standard=standard, per=1000, fewest=5)
    >>> rates.round(1)
       count  population  rate  lower  upper
    a     60        1500  31.1   22.9   41.1
    b      7         800   9.7    3.7   20.4
    """
    check_level(level)
    events, people = _by_band(count, population, standard)
    share = standard.to_numpy(dtype=float) / standard.sum()
    safe = np.where(people > 0, people, 1)
    empty = (people == 0) & (share > 0)
    rate = (share * events / safe).sum(axis=1)
    variance = (share**2 * events / safe**2).sum(axis=1)
    total = events.sum(axis=1)
    low, high = poisson_limits(total, level=level, exact=False)
    scale = np.sqrt(np.divide(variance, total, out=np.zeros_like(total), where=total > 0))
    given = (total >= max(fewest, 1)) & ~empty.any(axis=1)
    columns = {"rate": rate, "lower": rate + scale * (low - total)}
    columns["upper"] = rate + scale * (high - total)
    result = pd.DataFrame(
        {"count": _whole(total), "population": _whole(people.sum(axis=1))}, index=count.index
    ).assign(**{name: np.where(given, values * per, np.nan) for name, values in columns.items()})
    result.attrs["method"] = (
        f"Directly standardised rate per {per:,.0f} with Dobson's interval (1991) of {level:.0%}."
    )
    result.attrs["cautions"] = tuple(_cautions(total, max(fewest, 1), empty.any(axis=1)))
    for caution in result.attrs["cautions"]:
        _log.warning("%s", caution)
    return result


def indirectly_standardised_ratio(
    count: pd.Series[float],
    population: pd.DataFrame,
    *,
    reference_count: pd.Series[float],
    reference_population: pd.Series[float],
    per: float = 100_000.0,
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Compare what was counted with what the reference's rates by age lead one to expect.

    The ratio holds for small areas, of which events by age are few or unknown.
    Two areas' ratios are each against the reference, and not against each
    other: their ages differ. Byar's interval, exact below ten events.

    Parameters
    ----------
    count
        Events of each area, all ages together.
    population
        People, one row an area and one column an age band.
    reference_count, reference_population
        Events and people of the reference (the county, England) by age band.
    per
        The rates are for this many people.
    level
        Confidence level of the intervals.

    Returns
    -------
    ratios
        Index of `count`; columns ``count``, ``expected``, ``ratio`` (1 = as
        expected), ``ratio_lower``, ``ratio_upper``, and the ratio times the
        crude rate of the reference as ``rate``, ``lower``, ``upper``.

    Raises
    ------
    ColumnError
        If an age band is unknown to the reference, or missing.
    InputError
        If a number is negative or missing, if the reference has events in an
        age band without people, or if there are events where none are expected.
    EmptyError
        If there are no areas.

    Examples
    --------
    >>> bands = ["0-64", "65+"]
    >>> people = pd.DataFrame([[900, 600], [700, 100]], index=["a", "b"], columns=bands)
    >>> indirectly_standardised_ratio(
    ...     pd.Series([60, 7], ["a", "b"]),
    ...     people,
    ...     reference_count=pd.Series([200, 300], bands),
    ...     reference_population=pd.Series([10_000, 5_000], bands),
    ...     per=1000,
    ... )[["count", "expected", "ratio", "ratio_lower", "ratio_upper"]].round(2)
       count  expected  ratio  ratio_lower  ratio_upper
    a     60      54.0   1.11         0.85         1.43
    b      7      20.0   0.35         0.14         0.72
    """
    check_level(level)
    check_labelled(count, name="count")
    reference = pd.DataFrame({"count": reference_count}).T
    base = pd.DataFrame({"count": reference_population}).T
    events, exposed = _by_band(reference, base, reference_population)
    bands = reference_population.index
    _check_bands(population.columns, bands, where="population")
    people = _checked(population[list(bands)], "people")
    rates = events[0] / np.where(exposed[0] > 0, exposed[0], 1)
    expected = pd.Series(people @ rates, population.index).reindex(count.index)
    observed = _checked(count.to_frame("events"), "events")[:, 0]
    wanted = expected.to_numpy()
    if np.isnan(wanted).any():
        lost = count.index[np.isnan(wanted)]
        msg = f"{len(lost):,} areas have no population ({listed(list(lost))}). Give one for each."
        raise InputError(msg)
    if ((wanted == 0) & (observed > 0)).any():
        lost = count.index[(wanted == 0) & (observed > 0)]
        msg = f"{len(lost):,} areas have events where none are expected ({listed(list(lost))})."
        msg = f"{msg} They have nobody of an age at risk: correct the population."
        raise InputError(msg)
    low, high = poisson_limits(observed, level=level, exact=False)
    safe = np.where(wanted > 0, wanted, np.nan)
    crude = float(events.sum() / exposed.sum()) * per
    result = pd.DataFrame({"count": _whole(observed), "expected": wanted}, index=count.index)
    for name, values in (("", observed), ("_lower", low), ("_upper", high)):
        result[f"ratio{name}"] = values / safe
    for name, suffix in (("rate", ""), ("lower", "_lower"), ("upper", "_upper")):
        result[name] = result[f"ratio{suffix}"] * crude
    result.attrs["method"] = (
        f"Indirectly standardised ratio, and rate per {per:,.0f}, with Byar's interval of "
        f"{level:.0%}."
    )
    result.attrs["cautions"] = (
        "Each ratio compares an area with the reference; two areas' ratios are not compared.",
    )
    return result


def describe_ratios(ratios: pd.DataFrame, *, what: str = "events") -> str:
    """
    Say in a paragraph where there is more than the ages of the people explain.

    Parameters
    ----------
    ratios
        From `indirectly_standardised_ratio`.
    what
        What was counted.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> ratios = pd.DataFrame({"ratio": [1.4], "ratio_lower": [1.1], "ratio_upper": [1.8]})
    >>> print(describe_ratios(ratios.assign(count=70, expected=50.0), what="falls"))
    In all 70 falls were counted where 50 would be expected from people's ages. In 1 of 1 areas ...
    """
    check_result(
        ratios,
        made_by="indirectly_standardised_ratio",
        columns=["count", "expected", "ratio_lower", "ratio_upper"],
    )
    more = int((ratios["ratio_lower"] > 1).sum())
    fewer = int((ratios["ratio_upper"] < 1).sum())
    return (
        f"In all {ratios['count'].sum():,.0f} {in_plural(what)} were counted where "
        f"{ratios['expected'].sum():,.0f} would be expected from people's ages. In {more:,} of "
        f"{len(ratios):,} areas there are more than that by more than chance would do in 95 of "
        f"100 cases, and in {fewer:,} fewer; about one area in twenty is there by chance alone. "
        "Each is compared with the whole, and not with the others."
    )


def _cautions(total: NDArray[np.float64], fewest: int, empty: NDArray[np.bool_]) -> Iterator[str]:
    """Say which areas have no directly standardised rate."""
    few = int((total < fewest).sum())
    if few:
        yield (
            f"{few:,} of {len(total):,} areas have fewer than {fewest} events and no directly "
            "standardised rate. Use the indirect method, or larger areas."
        )
    if empty.any():
        yield (
            f"{int(empty.sum()):,} of {len(total):,} areas have nobody in some age band and no "
            "rate. Use wider bands, or larger areas."
        )


def _check_bands(present: pd.Index, known: pd.Index, *, where: str) -> None:
    """Refuse columns that are not the age bands of the standard."""
    for index in (present, known):
        check_unique(index, where=where, what="age bands")
    strange = [str(name) for name in present if name not in known]
    if strange:
        near = near_names(strange[0], [str(name) for name in known])
        hint = f"Did you mean {listed(near)}?" if near else f"It has {listed(list(known), most=3)}."
        msg = (
            f"{where}: {listed(strange)} are no age bands of the standard. {hint} "
            "band_ages() adds single years up."
        )
        raise ColumnError(msg)
    missing = [str(name) for name in known if name not in present]
    if missing:
        msg = f"{where}: the age bands {listed(missing)} of the standard are missing."
        msg = f"{msg} Give zeros where nothing was counted."
        raise ColumnError(msg)


def _by_band(
    count: pd.DataFrame, population: pd.DataFrame, standard: pd.Series[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return events and people in the order of the standard's bands, checked."""
    if count.empty:
        msg = "There are no areas to standardise. Check the selection that made the counts."
        raise EmptyError(msg)
    for table, where in ((count, "count"), (population, "population")):
        check_unique(table.index, where=where)
        _check_bands(table.columns, standard.index, where=where)
    bands = list(standard.index)
    weights = standard.to_numpy(dtype=float)
    if not ((weights >= 0).all() and weights.sum() > 0):
        msg = "The standard population has negative, missing or no people."
        raise InputError(msg)
    events = _checked(count[bands], "events")
    people = _checked(population[bands].reindex(count.index), "people")
    impossible = ((events > 0) & (people == 0)).any(axis=1)
    if impossible.any():
        areas = count.index[impossible]
        msg = f"{len(areas):,} areas have events in an age band without people"
        msg = f"{msg} ({listed(list(areas))}). Correct one or the other."
        raise InputError(msg)
    return events, people


def _checked(table: pd.DataFrame, what: str) -> NDArray[np.float64]:
    try:
        values = table.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = f"The {what} are not all numbers ({error}). Read them with pandas.to_numeric first."
        raise ColumnError(msg) from error
    wrong = ~(np.isfinite(values) & (values >= 0)).all(axis=1)
    if wrong.any():
        msg = (
            f"{int(wrong.sum()):,} areas have missing, negative or infinite numbers of {what} "
            f"({listed(list(table.index[wrong]))}). Correct them, or leave those areas out."
        )
        raise InputError(msg)
    return np.asarray(values, dtype=np.float64)


def _whole(values: NDArray[np.float64]) -> NDArray[np.generic]:
    """Return whole numbers as such; counts shared out between areas stay fractions."""
    whole = (values == np.floor(values)).all()
    return values.astype(np.int64) if whole else values
