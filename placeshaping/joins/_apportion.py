"""The one way in which values move from areas to other areas: pairs, each with a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.columns import column_tags
from placeshaping._core.compiled import compiled
from placeshaping._core.errors import ColumnError, DuplicateError, EmptyError, UnmatchedError

ADDING_UP = ("count", "residents", "households", "population", "expected")
"""Columns that are taken to add up where nothing is said."""

_KEYS = ("period", "category")
_DOUBT = "_se"

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Measures:
    """
    What a table by area holds.

    Attributes
    ----------
    codes
        Area of each row.
    keys
        Columns that tell the rows of one area apart.
    extensive
        Columns that add up.
    intensive
        Columns of which means are taken.
    left_out
        Columns that are neither.
    indexed
        Whether the codes are the index: one row an area.
    """

    codes: pd.Index
    keys: tuple[str, ...]
    extensive: tuple[str, ...]
    intensive: tuple[str, ...]
    left_out: tuple[str, ...]
    indexed: bool


def read_measures(
    table: pd.DataFrame,
    *,
    extensive: Sequence[str] | None,
    intensive: Sequence[str],
    by: Sequence[str] | None,
) -> Measures:
    """
    Tell codes, keys and values of a table apart, refusing to guess what may be added up.

    Raises
    ------
    ColumnError
        If a column is missing, is no number, or nothing says whether it adds up.
    DuplicateError
        If an area stands twice where that has no meaning.
    EmptyError
        If the table has no rows.
    """
    if not len(table):
        msg = "The table has no rows. Check the selection that made it."
        raise EmptyError(msg)
    indexed = "area_code" not in table.columns
    if indexed and table.index.nlevels > 1:
        msg = "The table has an index of several levels. Use table.reset_index()."
        raise ColumnError(msg)
    codes = table.index if indexed else pd.Index(table["area_code"])
    missing = int(np.asarray(codes.isna()).sum())
    if missing:
        msg = f"{missing:,} of {len(table):,} rows have no area code. Leave them out first."
        raise ColumnError(msg)
    keys = tuple(by) if by is not None else tuple(k for k in _KEYS if k in table and not indexed)
    adding, means = _values(table, extensive, tuple(intensive), {"area_code", *keys})
    check_columns(table.columns, [*keys, *adding, *means], where="The table")
    for column in (*adding, *means):
        _check_numbers(table[column], column)
    _check_rows(table, codes, keys, means, indexed=indexed)
    used = {"area_code", *keys, *adding, *means}
    left = tuple(str(c) for c in table.columns if c not in used)
    return Measures(codes.astype("str"), keys, adding, means, left, indexed)


def _values(
    table: pd.DataFrame,
    extensive: Sequence[str] | None,
    intensive: tuple[str, ...],
    others: set[str],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if extensive is not None:
        both = sorted(set(extensive) & set(intensive))
        if both:
            msg = f"{listed(both)}: named as extensive and as intensive. Name each once."
            raise ColumnError(msg)
        adding = tuple(extensive)
    else:
        numeric = [str(c) for c in table.columns if _is_number(table[c]) and c not in others]
        unsaid = [c for c in numeric if c not in (*ADDING_UP, *intensive)]
        if unsaid:
            msg = (
                f"Nothing says whether {listed(unsaid)} may be added up. Name each in extensive "
                "(counts, residents: they add up) or in intensive (rates, scores: means are "
                "taken), or in by where it tells rows apart."
            )
            raise ColumnError(msg)
        adding = tuple(c for c in numeric if c in ADDING_UP and c not in intensive)
    if not adding and not intensive:
        msg = "The table holds no values. Name its columns in extensive or in intensive."
        raise ColumnError(msg)
    return adding, intensive


def _is_number(values: Any) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _check_numbers(values: pd.Series[Any], column: str) -> None:
    if not _is_number(values):
        msg = f"The column {column!r} holds {values.dtype}, not numbers. Convert or leave it out."
        raise ColumnError(msg)


def _check_rows(
    table: pd.DataFrame,
    codes: pd.Index,
    keys: tuple[str, ...],
    intensive: tuple[str, ...],
    *,
    indexed: bool,
) -> None:
    if indexed and not keys:
        check_unique(codes, where="The table")
    elif intensive:
        twice = int(table[list(keys)].assign(area_code=codes).duplicated().sum())
        if twice:
            msg = (
                f"{twice:,} rows repeat an area{' and ' if keys else ''}{listed(list(keys))}, so "
                f"{listed(list(intensive))} is not clear. Name what tells them apart in by."
            )
            raise DuplicateError(msg)


@dataclass(frozen=True)
class _Spread:
    """Each row of a table repeated for each target of its area."""

    row: Rows
    weight: Floats
    cell: Rows
    several: NDArray[np.bool_]
    targets: pd.Index
    group: Rows
    cells: Rows


def apportion(
    table: pd.DataFrame,
    measures: Measures,
    pairs: pd.DataFrame,
    *,
    denominator: pd.Series[Any] | None,
    whole: bool = False,
    doubt: bool = False,
    order: pd.Index | None = None,
) -> pd.DataFrame:
    """
    Move values to other areas.

    Parameters
    ----------
    table, measures
        Values by area, as `read_measures` understood them.
    pairs
        Columns ``source_code``, ``target_code``, ``weight``; each source of the
        table is there, and its weights add up to one (or less, where part of
        it is lost). A target with weight 0 has a row: zero, not missing.
    denominator
        What means are weighted by, one value for each row of the table.
    whole
        Whether values that add up stay whole numbers.
    doubt
        Whether each extensive column gets a standard error beside it.
    order
        Targets in the order that is wanted.

    Returns
    -------
    table
        In the layout of the input, targets in `order`, else that of their sources.
    """
    spread = _spread(measures, table, pairs, order)
    columns: dict[str, Any] = {}
    for column in table.columns:
        if column in measures.extensive:
            values = _floats(table[column])
            columns[column] = _sums(values, spread, table, measures, column=column, whole=whole)
            exact = pd.api.types.is_integer_dtype(table[column]) and not np.isnan(values).any()
            if exact and (whole or (spread.weight == 1).all()):
                columns[column] = np.rint(columns[column]).astype("int64")
            if doubt:
                columns[f"{column}{_DOUBT}"] = _doubt(values, spread)
        elif column in measures.intensive:
            columns[column] = _means(_floats(table[column]), spread, denominator, measures)
    return _laid_out(table, measures, spread, columns)


def _floats(values: pd.Series[Any]) -> Floats:
    numbers: Floats = values.to_numpy(dtype="float64", na_value=np.nan)
    return numbers


def _spread(
    measures: Measures, table: pd.DataFrame, pairs: pd.DataFrame, order: pd.Index | None
) -> _Spread:
    label, sources = pd.factorize(measures.codes)
    pairs = pairs.assign(source=pd.Index(sources).get_indexer(pd.Index(pairs["source_code"])))
    pairs = pairs[pairs["source"] >= 0]
    pairs = pairs.sort_values(["source", "target_code"], kind="stable")
    target, targets = pd.factorize(pairs["target_code"].astype("str"))
    if order is not None:
        target = np.argsort(np.argsort(order.get_indexer(pd.Index(targets))))[target]
        targets = order[order.isin(targets)]
    size = np.bincount(pairs["source"], minlength=len(sources))
    first = np.cumsum(size) - size
    row = np.repeat(np.arange(len(table)), size[label])
    step = np.arange(len(row)) - np.repeat(np.cumsum(size[label]) - size[label], size[label])
    at = first[label[row]] + step
    group = _groups(table, measures.keys)
    cells, cell = np.unique(group[row] * len(targets) + target[at], return_inverse=True)
    return _Spread(
        row=row,
        weight=pairs["weight"].to_numpy(dtype="float64")[at],
        cell=cell,
        several=size[label[row]] > 1,
        targets=pd.Index(targets, name="area_code", dtype="str"),
        group=group,
        cells=cells,
    )


def _groups(table: pd.DataFrame, keys: tuple[str, ...], *, sort: bool = False) -> Rows:
    """Give each combination of keys a number, as they come or as they sort."""
    if not keys:
        return np.zeros(len(table), dtype=np.intp)
    grouped = table.groupby(list(keys), sort=sort, dropna=False, observed=True)
    number: Rows = np.asarray(grouped.ngroup(), dtype=np.intp)
    return number


def _sums(
    values: Floats,
    spread: _Spread,
    table: pd.DataFrame,
    measures: Measures,
    *,
    column: str,
    whole: bool,
) -> Floats:
    parts = values[spread.row] * spread.weight
    if whole:
        if not (np.isfinite(values).all() and (values % 1 == 0).all() and (values >= 0).all()):
            msg = f"whole=True needs whole numbers, and {column!r} holds others or missing ones."
            raise ColumnError(msg)
        parts = _whole_parts(parts, values, spread, table, measures)
    total = np.bincount(spread.cell, weights=parts, minlength=len(spread.cells))
    return np.asarray(total, dtype=np.float64)


def _whole_parts(
    parts: Floats, values: Floats, spread: _Spread, table: pd.DataFrame, measures: Measures
) -> Floats:
    """
    Share whole numbers out as whole numbers.

    Largest remainders, on running totals over the rows of a source: of one
    record a month, rounding each month by itself would give the larger share
    every one of them.
    """
    shared = np.flatnonzero(spread.several)
    if not len(shared):
        return np.rint(parts)
    row = spread.row[shared]
    source = pd.factorize(measures.codes, sort=True)[0]
    keys = sorted(measures.keys, key=lambda key: key == "period")  # each category through time
    time = _groups(table, tuple(keys), sort=True)
    order = shared[np.lexsort((shared, row, values[row], time[row], source[row]))]
    row = spread.row[order]
    parts = np.rint(parts)
    parts[order] = _allot(source[row], row, values[row].astype(np.int64), spread.weight[order])
    return parts


@compiled()
def _allot(source: Rows, row: Rows, total: NDArray[np.int64], weight: Floats) -> Floats:
    """Give each unit of a row to the target that is furthest behind its share."""
    given = np.zeros(len(row))
    start = 0
    behind = np.zeros(1)
    while start < len(row):
        end = start
        while end < len(row) and row[end] == row[start]:
            end += 1
        if start == 0 or source[start] != source[start - 1]:
            behind = np.zeros(end - start)
        behind += weight[start:end] * total[start]
        for _ in range(total[start]):
            most = 0
            for k in range(1, end - start):
                if behind[k] > behind[most] + 1e-9:
                    most = k
            behind[most] -= 1.0
            given[start + most] += 1.0
        start = end
    return given


def _doubt(values: Floats, spread: _Spread) -> Floats:
    """Return the binomial standard error of each cell: every unit falls by the share, alone."""
    variance = values[spread.row] * spread.weight * (1 - spread.weight)
    total = np.bincount(spread.cell, weights=variance, minlength=len(spread.cells))
    doubt: Floats = np.sqrt(np.maximum(total, 0))
    return doubt


def _means(
    values: Floats,
    spread: _Spread,
    denominator: pd.Series[Any] | None,
    measures: Measures,
) -> Floats:
    size = len(spread.cells)
    alone = np.bincount(spread.cell, minlength=size)[spread.cell] == 1
    base = np.full(len(values), np.nan) if denominator is None else _floats(denominator)
    lacking = np.isnan(base[spread.row]) & ~alone
    if lacking.any():
        codes = measures.codes[spread.row[lacking]].unique()
        msg = (
            f"Means of {listed(list(measures.intensive))} need to be weighted, and {len(codes):,} "
            f"areas that are put together have nothing to weight them by ({listed(list(codes))}). "
            "Name a column of the table as denominator, or give a Series by area code."
        )
        raise UnmatchedError(msg)
    weight = np.where(alone, 1.0, base[spread.row] * spread.weight)
    upper = np.bincount(spread.cell, weights=values[spread.row] * weight, minlength=size)
    lower = np.bincount(spread.cell, weights=weight, minlength=size)
    means: Floats = np.divide(upper, lower, out=np.full(size, np.nan), where=lower > 0)
    return means


def _laid_out(
    table: pd.DataFrame, measures: Measures, spread: _Spread, columns: dict[str, Any]
) -> pd.DataFrame:
    group, target = np.divmod(spread.cells, max(len(spread.targets), 1))
    codes = spread.targets[target]
    first = np.unique(spread.group, return_index=True)[1]
    keys = {key: table[key].take(first[group]).array for key in measures.keys}
    if measures.indexed:
        return pd.DataFrame({**keys, **columns}, index=pd.Index(codes, name="area_code"))
    every = {"area_code": codes.array, **keys, **columns}
    given = [str(c) for c in table.columns if c in every]
    beside = {f"{c}{_DOUBT}": c for c in measures.extensive}
    order = [n for c in given for n in (c, f"{c}{_DOUBT}") if n in every]
    return pd.DataFrame(every)[[n for n in order if n in given or beside.get(n) in given]]


def denominator_of(
    table: pd.DataFrame,
    measures: Measures,
    denominator: str | pd.Series[Any] | None,
) -> pd.Series[Any] | None:
    """Return what means are weighted by, one value for each row of the table."""
    if denominator is None:
        return None
    if isinstance(denominator, str):
        check_columns(table.columns, [denominator], where="The table")
        _check_numbers(table[denominator], denominator)
        return table[denominator]
    known = denominator[~denominator.index.duplicated()]
    return known.reindex(measures.codes).set_axis(table.index)


def carry(table: pd.DataFrame, result: pd.DataFrame, report: Any, **attrs: Any) -> pd.DataFrame:
    """Keep attrs and the tags of columns that are left, and add a report of the conversion."""
    tags = column_tags(table)
    kept = {c: tags[c] for c in tags if c in result.columns}
    kept |= {f"{c}{_DOUBT}": tag for c, tag in kept.items() if f"{c}{_DOUBT}" in result.columns}
    done = (*table.attrs.get("conversions", ()), report)
    result.attrs.clear()
    result.attrs.update(table.attrs)
    result.attrs.update(attrs, conversions=done)
    if "column_tags" in table.attrs:
        result.attrs["column_tags"] = kept
    return result
