"""
What was known about a property on the day before somebody went there.

A model of inspections learns from visits: what was found, and what the council
could have known beforehand. Everything of the past (visits, findings,
complaints) is therefore counted strictly before the day of the visit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, UnmatchedError

HISTORY = ("visits_before", "found_before", "days_since_visit", "complaints_year", "complaints")
"""Columns that the past gives: visits, findings, days since the last visit, complaints."""

YEAR = np.timedelta64(365, "D")

Days = NDArray[Any]


def inspection_cases(
    visits: pd.DataFrame,
    properties: pd.DataFrame,
    *,
    features: Sequence[str] = (),
    complaints: pd.DataFrame | None = None,
    inspector: str | None = None,
) -> pd.DataFrame:
    """
    Make one row of what was known for each visit, and what it found.

    Parameters
    ----------
    visits
        ``property``, ``date``, ``found`` (whether something was found: true or
        false, 1 or 0), and ``random`` where properties drawn by lot are marked.
    properties
        Index: the property (UPRN, licence number); ``area_code`` and `features`
        as they stood before the visits. A feature of today that a visit itself
        changed (a rating, say) makes every score here look better than it is.
    features
        Columns of `properties` that a model may learn from.
    complaints
        ``property`` and ``date``, where there are any.
    inspector
        Column of `visits` that says who went; it is never a feature, and
        serves to say how much of a score is the inspector's.

    Returns
    -------
    cases
        One row a visit, in their order: ``property``, ``date``, ``found``,
        ``area_code``, ``random``, ``inspector`` (missing where not given), the
        columns of `HISTORY`, and `features`. Tagged ``personal``, features as
        they were tagged. ``attrs["features"]`` names what a model learns from.

    Raises
    ------
    ColumnError
        If a column is missing, dates are no dates, findings neither true nor
        false, or a feature says who inspected.
    UnmatchedError
        If visits are of properties that are not known.
    DuplicateError
        If a property stands twice, or was visited twice on a day.
    EmptyError
        If there are no visits.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-10", "2025-06-10"])
    >>> visits = pd.DataFrame({"property": [1, 1], "date": days, "found": [True, False]})
    >>> homes = pd.DataFrame({"area_code": ["a"], "storeys": [3]}, index=[1])
    >>> inspection_cases(visits, homes, features=["storeys"])[
    ...     ["found", "visits_before", "found_before", "days_since_visit", "storeys"]]
       found  visits_before  found_before  days_since_visit  storeys
    0   True              0             0               NaN        3
    1  False              1             1             151.0        3
    """
    check_columns(visits.columns, ["property", "date", "found"], where="The table of visits")
    _check_inspector(features, inspector)
    _check_properties(properties, features)
    if visits.empty:
        msg = "There are no visits to learn from."
        raise EmptyError(msg)
    table = _plain_visits(visits, inspector)
    _check_known(table["property"], properties.index, what="visits")
    known = history_on(
        table["property"], table["date"], visits=table, complaints=_checked(complaints)
    )
    about = properties.loc[table["property"], ["area_code", *features]].reset_index(drop=True)
    cases = pd.concat([table, known, about], axis=1)
    tags = column_tags(properties)
    tag_columns(cases, dict.fromkeys(cases.columns.difference([*features]), "personal"))
    tag_columns(cases, {name: tags[name] for name in features if name in tags})
    cases.attrs["features"] = (*_history_of(complaints), *features)
    return cases


def standing_on(
    day: pd.Timestamp,
    visits: pd.DataFrame,
    properties: pd.DataFrame,
    *,
    features: Sequence[str] = (),
    complaints: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    Make one row of what is known of each property before a day.

    Parameters
    ----------
    day
        The first day on which the team may go.
    visits, properties, features, complaints
        As for `inspection_cases`.

    Returns
    -------
    standing
        Index of `properties`; ``area_code``, the columns of `HISTORY`, and
        `features`. Tagged ``personal``.

    Raises
    ------
    ColumnError, UnmatchedError, DuplicateError
        As `inspection_cases`.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-10", "2025-06-10"])
    >>> visits = pd.DataFrame({"property": [1, 1], "date": days, "found": [True, False]})
    >>> homes = pd.DataFrame({"area_code": ["a", "a"]}, index=[1, 2])
    >>> standing_on(pd.Timestamp("2025-07-10"), visits, homes)["days_since_visit"].tolist()
    [30.0, nan]
    """
    check_columns(visits.columns, ["property", "date", "found"], where="The table of visits")
    _check_properties(properties, features)
    table = _plain_visits(visits, None)
    _check_known(table["property"], properties.index, what="visits")
    who = pd.Series(properties.index, name="property")
    on = pd.Series(np.full(len(who), np.datetime64(day, "D")), name="date")
    known = history_on(who, on, visits=table, complaints=_checked(complaints))
    standing = pd.concat([properties[["area_code", *features]], known.set_index(who)], axis=1)
    standing = standing[["area_code", *HISTORY, *features]].rename_axis("property")
    tag_columns(standing, dict.fromkeys(["property", *standing.columns], "personal"))
    return standing


def history_on(
    who: pd.Series[Any],
    on: pd.Series[Any],
    *,
    visits: pd.DataFrame,
    complaints: pd.DataFrame | None,
) -> pd.DataFrame:
    """
    Count what had happened at properties before days.

    Parameters
    ----------
    who, on
        Properties, and a day for each.
    visits
        ``property``, ``date``, ``found``.
    complaints
        ``property``, ``date``.

    Returns
    -------
    history
        The columns of `HISTORY`, index 0, 1, 2, ...

    Examples
    --------
    >>> day = pd.to_datetime(["2025-03-01"])
    >>> visits = pd.DataFrame({"property": [7], "date": day, "found": [True]})
    >>> history_on(pd.Series([7]), pd.Series(pd.to_datetime(["2025-03-01"])), visits=visits,
    ...            complaints=None)["visits_before"].tolist()
    [0]
    """
    keys = pd.Index(pd.unique(who))
    asked, days = keys.get_indexer(pd.Index(who)), on.to_numpy(dtype="datetime64[D]")
    been = _Timeline(keys, visits)
    found = _Timeline(keys, visits[visits["found"].astype(bool)])
    told = _Timeline(keys, complaints if complaints is not None else visits.iloc[:0])
    return pd.DataFrame(
        {
            "visits_before": been.before(asked, days),
            "found_before": found.before(asked, days),
            "days_since_visit": been.since(asked, days),
            "complaints_year": told.before(asked, days) - told.before(asked, days - YEAR),
            "complaints": told.before(asked, days),
        }
    )


class _Timeline:
    """Dated events of keys, in an order in which those before a day are counted at once."""

    def __init__(self, keys: pd.Index[Any], table: pd.DataFrame) -> None:
        at = keys.get_indexer(pd.Index(table["property"]))
        days = table["date"].to_numpy(dtype="datetime64[D]").astype(np.int64)
        self._stamps = np.sort(self._stamp(at[at >= 0], days[at >= 0]))
        self._first = np.searchsorted(self._stamps, self._stamp(np.arange(len(keys)), _DAWN))

    @staticmethod
    def _stamp(key: NDArray[Any], day: NDArray[np.int64] | int) -> NDArray[np.int64]:
        return key.astype(np.int64) * _SPAN + day - _DAWN

    def before(self, keys: NDArray[Any], days: Days) -> NDArray[np.int64]:
        """Return how many events of each key lie before a day."""
        stamps = self._stamp(keys, days.astype(np.int64))
        count: NDArray[np.int64] = np.searchsorted(self._stamps, stamps) - self._first[keys]
        return count

    def since(self, keys: NDArray[Any], days: Days) -> NDArray[np.float64]:
        """Return the days since the last event of each key; NaN where there was none."""
        count = self.before(keys, days)
        if not len(self._stamps):
            return np.full(len(keys), np.nan)
        last = self._stamps[np.maximum(self._first[keys] + count - 1, 0)]
        gap = self._stamp(keys, days.astype(np.int64)) - last
        return np.where(count > 0, gap.astype(float), np.nan)


_DAWN = -100_000
"""A day before all others, in days since 1970."""

_SPAN = 1_000_000
"""More days than any record covers."""


def _history_of(complaints: pd.DataFrame | None) -> tuple[str, ...]:
    return HISTORY if complaints is not None else HISTORY[:3]


def _plain_visits(visits: pd.DataFrame, inspector: str | None) -> pd.DataFrame:
    """Return property, date, found, random and inspector of each visit."""
    found = visits["found"]
    if not found.isin([0, 1]).all():
        odd = found[~found.isin([0, 1])]
        msg = (
            f"{len(odd):,} of {len(visits):,} visits found neither true nor false "
            f"({listed(list(odd.unique()))}). Leave out visits where nobody got in, and write the "
            "rest as true and false."
        )
        raise ColumnError(msg)
    if inspector is not None:
        check_columns(visits.columns, [inspector], where="The table of visits")
    table = pd.DataFrame(
        {
            "property": visits["property"].to_numpy(),
            "date": days_of(visits, what="visits").to_numpy(),
            "found": found.astype(bool).to_numpy(),
            "random": visits["random"].astype(bool).to_numpy() if "random" in visits else False,
            "inspector": None if inspector is None else visits[inspector].to_numpy(),
        }
    )
    twice = table.duplicated(["property", "date"])
    if twice.any():
        msg = (
            f"{int(twice.sum()):,} visits are of a property that was visited on the same day "
            f"already ({listed(list(table.loc[twice, 'property'].unique()))}). Keep one row a day, "
            "found where any of them found something."
        )
        raise DuplicateError(msg)
    return table


def days_of(table: pd.DataFrame, *, what: str) -> pd.Series[Any]:
    """
    Return the column ``date`` as days.

    Raises
    ------
    ColumnError
        If it holds anything else.
    """
    days = table["date"]
    if not pd.api.types.is_datetime64_any_dtype(days) or days.isna().any():
        msg = (
            f"The column 'date' of the {what} must hold a date in every row; it is of type "
            f"{days.dtype} and {int(days.isna().sum()):,} are missing. Use pandas.to_datetime."
        )
        raise ColumnError(msg)
    normal: pd.Series[Any] = days.dt.normalize()
    return normal


def _checked(complaints: pd.DataFrame | None) -> pd.DataFrame | None:
    if complaints is None:
        return None
    check_columns(complaints.columns, ["property", "date"], where="The table of complaints")
    days = days_of(complaints, what="complaints")
    return pd.DataFrame({"property": complaints["property"].to_numpy(), "date": days.to_numpy()})


def _check_properties(properties: pd.DataFrame, features: Sequence[str]) -> None:
    where = "The table of properties"
    check_unique(properties.index, where=where, what="properties")
    check_columns(properties.columns, ["area_code", *features], where=where)


def _check_inspector(features: Sequence[str], inspector: str | None) -> None:
    if inspector is not None and inspector in features:
        msg = (
            f"{inspector!r} says who inspected. That is no feature: a list built on it sends "
            "teams to whoever is found strict. Leave it out of features; as inspector=... it is "
            "used to say how much of a score is the inspector's."
        )
        raise ColumnError(msg)


def _check_known(who: pd.Series[Any], known: pd.Index[Any], *, what: str) -> None:
    lost = who[~who.isin(known)]
    if len(lost):
        msg = (
            f"{len(lost):,} {what} are of properties that are not in the table of properties "
            f"({listed(list(lost.unique()))}). Add them, or leave those {what} out."
        )
        raise UnmatchedError(msg)
