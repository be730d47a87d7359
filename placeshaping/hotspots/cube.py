"""The space-time cube: counts of areas by step of time, where a missing step stays unknown."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import (
    check_columns,
    check_labelled,
    check_unique,
    listed,
)
from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, InputError
from placeshaping.joins.points import count_by_area

LONGEST_GAP = 1_200
"""More steps than this between the first and the last are taken for mistyped dates."""


def make_cube(
    records: pd.DataFrame,
    *,
    areas: gpd.GeoDataFrame | None = None,
    category: str | None = None,
) -> pd.DataFrame:
    """
    Lay counts out as areas by steps, in the order of time, with gaps left open.

    Parameters
    ----------
    records
        One of: a long table of counts (``area_code``, ``period``, ``count``,
        perhaps ``category``), as `count_by_area` makes it; a wide one, indexed
        by area code with a column for each step; events with a place and a
        ``period``, if `areas` are given.
    areas
        Areas indexed by ``area_code``. Needed for events, which are counted in
        them (those outside are left out); of counts, the areas that the cube
        is to have, in this order.
    category
        Which category to take, where there are several.

    Returns
    -------
    cube
        Floats, indexed by area code; a column for each step, earliest first.
        Steps between the first and the last without any record are missing
        (NaN); dates that all lie on one day of the month are months, unless
        only quarters or years apart. In a long table an area
        without a row in a step that others have was counted as zero.

    Raises
    ------
    DuplicateError
        If an area stands twice, or twice in one step.
    ColumnError
        If a column is missing, or counts are not numbers.
    InputError
        If counts are negative or infinite, there are several categories and
        none is chosen, or steps are not times or whole numbers.
    EmptyError
        If there is nothing to lay out.

    Examples
    --------
    >>> months = pd.to_datetime(["2025-03-01", "2025-01-01", "2025-03-01"])
    >>> counts = pd.DataFrame({"area_code": ["a", "a", "b"], "period": months, "count": [3, 1, 2]})
    >>> make_cube(counts).rename(columns="{:%b}".format)
    period     Jan  Feb  Mar
    area_code
    a          1.0  NaN  3.0
    b          0.0  NaN  2.0
    """
    check_labelled(records, name="records")
    if isinstance(records, pd.Series):
        msg = "records are a Series, one number an area. Give a table with a column for each step."
        raise InputError(msg)
    table = records
    if "period" in table:
        if "area_code" not in table or "count" not in table:
            table = _counted(table, areas, category)
            category = None
        table = _widened(table, category)
    elif category is not None:
        msg = f"category is {category!r}, but a wide table is of one category. Leave it out."
        raise InputError(msg)
    check_unique(table.index, where="records")
    if areas is not None:
        table = _of_areas(table, areas, long="period" in records)
    return _with_gaps(_checked(table))


def _counted(
    events: pd.DataFrame, areas: gpd.GeoDataFrame | None, category: str | None
) -> pd.DataFrame:
    if areas is None:
        msg = (
            "records have a column 'period', but not 'area_code' and 'count' as a table of counts "
            "has. If they are events, give the areas to count them in: areas=..."
        )
        raise InputError(msg)
    periods = sorted(events["period"].dropna().unique())
    if category is not None:
        check_columns(events.columns, ["category"], where="records")
        events = events[events["category"] == category]
        if events.empty:
            msg = f"records hold no event of category {category!r}."
            raise EmptyError(msg)
    return count_by_area(events, areas, by="period", periods=periods, outside="drop")


def _widened(counts: pd.DataFrame, category: str | None) -> pd.DataFrame:
    """
    Turn a long table into areas by steps, areas in the order of their first row.

    Areas and steps are those of all categories: where others were recorded, none was of this one.
    """
    keys = ["area_code", "period"]
    for column in keys:
        if missing := int(counts[column].isna().sum()):
            msg = f"records: {missing:,} rows have no {column}. Leave them out, or name them."
            raise ColumnError(msg)
    codes = pd.Index(counts["area_code"].unique(), name="area_code")
    steps = pd.Index(counts["period"].unique(), name="period")
    if "category" in counts:
        counts = _of_category(counts, category)
    repeated = int(counts.duplicated(keys).sum())
    if repeated:
        msg = (
            f"records: {repeated:,} rows repeat an area and a period. Add them up first: "
            'groupby(["area_code", "period"])["count"].sum().'
        )
        raise DuplicateError(msg)
    if not pd.api.types.is_numeric_dtype(counts["count"]):
        msg = "records: column 'count' holds no numbers."
        raise ColumnError(msg)
    wide = np.zeros((len(codes), len(steps)))
    rows = codes.get_indexer(pd.Index(counts["area_code"]))
    columns = steps.get_indexer(pd.Index(counts["period"]))
    wide[rows, columns] = counts["count"].to_numpy(dtype=float, na_value=np.nan)
    return pd.DataFrame(wide, index=codes, columns=steps)


def _of_category(counts: pd.DataFrame, category: str | None) -> pd.DataFrame:
    known = [str(name) for name in counts["category"].dropna().unique()]
    if category is None and len(known) > 1:
        msg = f"records hold {len(known):,} categories ({listed(known)}). Choose one: category=..."
        raise InputError(msg)
    if category is None:
        return counts
    if category not in known:
        msg = f"records hold no category {category!r}, but {listed(known, most=12)}."
        raise InputError(msg)
    return counts[counts["category"] == category]


def _of_areas(table: pd.DataFrame, areas: gpd.GeoDataFrame, *, long: bool) -> pd.DataFrame:
    check_unique(areas.index, where="areas")
    unknown = table.index.difference(areas.index)
    if len(unknown):
        msg = (
            f"{len(unknown):,} of {len(table):,} areas of records are not in areas "
            f"({listed(list(unknown))}). Give the boundaries that the counts were made with."
        )
        raise InputError(msg)
    return table.reindex(areas.index, fill_value=0.0 if long else np.nan)


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """Return floats, refusing what cannot be a count or a rate."""
    if not table.size:
        msg = f"records hold {len(table):,} areas and {table.shape[1]:,} steps: nothing to lay out."
        raise EmptyError(msg)
    wrong = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if wrong:
        msg = f"Not numbers: {listed(wrong)}. Give an area code as index, a column a step."
        raise ColumnError(msg)
    values = table.to_numpy(dtype="float64", na_value=np.nan)
    bad = int((np.isinf(values) | (values < 0)).sum())
    if bad:
        msg = f"{bad:,} values are negative or infinite. Counts and rates are zero or more."
        raise InputError(msg)
    if np.isnan(values).all():
        msg = "Every value of records is missing: nothing to lay out."
        raise EmptyError(msg)
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def _with_gaps(table: pd.DataFrame) -> pd.DataFrame:
    """Sort the steps and put in those that are missing between the first and the last."""
    place, by_month = _step_numbers(table.columns)
    if len(np.unique(place)) < len(place):
        msg = f"{len(place) - len(np.unique(place)):,} steps stand twice. Add them up first."
        raise DuplicateError(msg)
    order = np.argsort(place)
    ordered = table.iloc[:, order]
    place = place[order] - place.min()
    stride = _stride(place, by_month, isinstance(table.columns, pd.PeriodIndex))
    place //= stride
    count = int(place[-1]) + 1
    if count == len(place):
        return ordered
    if count > LONGEST_GAP:
        msg = (
            f"records hold {len(place):,} steps, but {count:,} lie between {ordered.columns[0]} "
            f"and {ordered.columns[-1]}. Check the dates."
        )
        raise InputError(msg)
    wide = np.full((len(table), count), np.nan)
    wide[:, place] = ordered.to_numpy()
    labels = _labels(ordered.columns, count, stride, by_month)
    return pd.DataFrame(wide, index=table.index, columns=labels)


def _step_numbers(columns: pd.Index) -> tuple[NDArray[np.int64], bool]:
    """Return numbers of steps, and whether they are months: all on one day of the month."""
    if pd.api.types.is_integer_dtype(columns.dtype):
        return columns.to_numpy(dtype=np.int64), False
    if isinstance(columns, pd.PeriodIndex):
        return columns.asi8.copy(), False
    times = _times(columns)
    days = times.normalize()
    if (times.day == times.day[0]).all() and (times == days).all():
        return np.asarray(times.year * 12 + times.month, dtype=np.int64), True
    return np.asarray(days.to_numpy().astype("datetime64[D]").astype(np.int64)), False


def _stride(place: NDArray[np.int64], by_month: bool, named: bool) -> int:
    """Return the length of a step: a year, a quarter or a month, else what divides all."""
    common = int(np.gcd.reduce(place)) or 1
    if named:
        return 1
    return next(months for months in (12, 3, 1) if common % months == 0) if by_month else common


def _times(columns: pd.Index) -> pd.DatetimeIndex:
    try:
        return pd.DatetimeIndex(pd.to_datetime(columns, format="ISO8601"))
    except (ValueError, TypeError) as error:
        msg = (
            f"The columns ({listed(list(columns))}) are neither dates nor whole numbers. Name each "
            "column by its first day, as in 2025-01-01; for one number an area give a Series, as "
            "people['residents']."
        )
        raise InputError(msg) from error


def _labels(known: pd.Index, count: int, stride: int, by_month: bool) -> pd.Index:
    """Name every step, also those that were missing."""
    if pd.api.types.is_integer_dtype(known.dtype):
        return pd.Index(int(known[0]) + stride * np.arange(count), name=known.name)
    if isinstance(known, pd.PeriodIndex):
        return pd.period_range(known[0], periods=count, name=known.name)
    unit = pd.DateOffset(months=stride) if by_month else pd.DateOffset(days=stride)
    return pd.date_range(_times(known)[0], periods=count, freq=unit, name=known.name)
