"""Counting into the complete product of areas, periods and categories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError


def rows_of(
    codes: pd.Series[str], events: pd.DataFrame, areas: gpd.GeoDataFrame, outside: str
) -> NDArray[np.intp]:
    """Return the row of `areas` for each code; -1 where it has none."""
    check_unique(areas.index, where="areas")
    if not codes.index.equals(events.index):
        msg = (
            f"codes ({len(codes):,} rows) and events ({len(events):,} rows) have different "
            "indexes. Take the codes from place_events(events, areas), unsorted."
        )
        raise InputError(msg)
    label, distinct = pd.factorize(codes)
    rows = np.append(areas.index.get_indexer(pd.Index(distinct)), -1)[label]
    lost = int((rows < 0).sum())
    if lost and outside == "raise":
        msg = (
            f"{lost:,} of {len(events):,} events have no code among the areas. "
            "Pass outside='drop' to leave them out."
        )
        raise UnmatchedError(msg)
    return np.asarray(rows)


def key_of(
    events: pd.DataFrame, column: str, listing: Iterable[Any] | None
) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the number of each event's period or category, and the list of them."""
    check_columns(events.columns, [column], where="The table of events")
    values = events[column]
    missing = int(values.isna().sum())
    if missing:
        msg = f"{missing:,} of {len(events):,} events have no {column}. Leave them out first."
        raise ColumnError(msg)
    if listing is None:
        key, levels = _observed(values)
    else:
        levels = pd.Index(list(listing))
        check_unique(levels, where=f"The list of {column} values", what="of them")
        key = levels.get_indexer(pd.Index(values.astype(levels.dtype)))
        unlisted = int((key < 0).sum())
        if unlisted:
            found = values[key < 0].astype(str).unique()
            msg = (
                f"{unlisted:,} events have a {column} that was not listed "
                f"({listed(list(found))}). List it, or leave those events out first."
            )
            raise InputError(msg)
    if not len(levels):
        msg = f"There is no {column} to count by: the table of events is empty."
        raise EmptyError(msg)
    return np.asarray(key), levels


def _observed(values: pd.Series[Any]) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the values that occur (categories in their order, others sorted), numbered."""
    if not isinstance(values.dtype, pd.CategoricalDtype):
        key, levels = pd.factorize(values, sort=True)
        return key, pd.Index(levels)
    used = np.bincount(values.cat.codes, minlength=len(values.cat.categories)) > 0
    return (np.cumsum(used) - 1)[values.cat.codes], values.cat.categories[used]


def weights_of(events: pd.DataFrame) -> NDArray[np.int64] | None:
    """Return how many events each row stands for, where a column says so."""
    if "count" not in events.columns:
        return None
    column = events["count"]
    if not pd.api.types.is_integer_dtype(column) or column.isna().any() or (column < 0).any():
        msg = "The column 'count' of events must hold whole numbers of zero or more, none missing."
        raise ColumnError(msg)
    return column.to_numpy(dtype=np.int64)


def tally(
    cell: NDArray[np.int64], weights: NDArray[np.int64] | None, size: int
) -> NDArray[np.int64]:
    """Count the events of each cell; doubles hold sums of weights exactly up to 2**53."""
    kept = cell >= 0
    chosen = None if weights is None else weights[kept]
    return np.bincount(cell[kept], weights=chosen, minlength=size).astype(np.int64)


def product(areas: pd.Index, keys: dict[str, pd.Index]) -> pd.DataFrame:
    """
    Return every period, category and area, the area changing fastest.

    Of eighteen million cells each passing array is as large as a column, so
    none is made: codes of areas are repeated by reference where pyarrow holds them.
    """
    sizes = [len(levels) for levels in keys.values()]
    outer = int(np.prod(sizes, initial=1))
    columns: dict[str, Any] = {"area_code": areas.append([areas] * (outer - 1))}
    outer, inner = 1, outer * len(areas)
    for (name, levels), size in zip(keys.items(), sizes, strict=True):
        inner //= size
        if name == "category":
            label = np.arange(size, dtype=np.min_scalar_type(-size)).repeat(inner)
            columns[name] = pd.Categorical.from_codes(np.tile(label, outer), levels)
        else:
            every = levels.repeat(inner)
            columns[name] = every.append([every] * (outer - 1)) if outer > 1 else every
        outer *= size
    return pd.DataFrame(columns, copy=False)
