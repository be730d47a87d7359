"""How much of each area of one census year lies in each area of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_unique, listed
from placeshaping._core.codes import Vintage
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError

_PEOPLE = ("residents", "population", "households", "electors", "weight")
_BOTH = {"2011": ("lsoa11_code", "lsoa11cd"), "2021": ("lsoa21_code", "lsoa21cd")}


@dataclass(frozen=True)
class Shares:
    """
    Pairs of areas with the share of the source that each target gets.

    Attributes
    ----------
    pairs
        Columns ``source_code``, ``target_code``, ``weight``, ``irregular``.
        Of an irregular area the best fit has weight 1, the others 0. A part of
        a divided area in which nobody lives has weight 0 as well.
    weighted_by
        In words.
    by_area
        Residents by area code, where the weights tell them.
    """

    pairs: pd.DataFrame
    weighted_by: str
    by_area: pd.Series[Any] | None


def shares_of(
    rows: pd.DataFrame, weights: pd.Series[Any] | pd.DataFrame | str | None, *, to: Vintage
) -> Shares:
    """Return the shares of each source of `rows` (source_code, target_code, change)."""
    by_area, by_pair, words = _understood(weights, to)
    size = rows.groupby("source_code")["target_code"].transform("size")
    several, irregular = size > 1, rows["change"] == "X"
    sharing = several & ~irregular
    if sharing.any() and weights is None:
        codes = list(rows.loc[sharing, "source_code"].unique())
        msg = (
            f"{len(codes):,} areas were divided ({listed(codes)}), and nothing says how to share "
            f"them out. Give weights: residents by LSOA of {to}, a table of output areas with the "
            "codes of both years, or 'equal'."
        )
        raise InputError(msg)
    amount = _amounts(rows, by_area, by_pair)
    if sharing.any() and weights is not None:
        _check_known(rows[sharing], amount[sharing])
    total = amount.groupby(rows["source_code"]).transform("sum")
    share = amount.div(total).where(total > 0, 1 / size)
    weight = share.where(sharing, 1.0)
    best = _best_fits(rows[irregular & several], amount, exact=by_pair is not None)
    weight = weight.mask(irregular & several & ~rows.index.isin(best), 0.0)
    pairs = rows[["source_code", "target_code"]].assign(weight=weight, irregular=irregular)
    return Shares(pairs, words, by_area if by_pair is None else _by_area(by_pair))


def _understood(
    weights: pd.Series[Any] | pd.DataFrame | str | None, to: str
) -> tuple[pd.Series[Any] | None, pd.Series[Any] | None, str]:
    """Return residents by area, or by pair of areas, and words for them."""
    if weights is None or (isinstance(weights, str) and weights == "equal"):
        return None, None, "in equal parts"
    if isinstance(weights, pd.Series):
        check_unique(weights.index, where="weights")
        name = str(weights.name) if weights.name is not None else "residents"
        return _numbers(weights), None, f"by {name}"
    if not isinstance(weights, pd.DataFrame):
        msg = f"weights is {weights!r}. Give residents by area code, or 'equal'."
        raise InputError(msg)
    folded = {str(c).casefold(): c for c in weights.columns}
    both = [next((folded[n] for n in _BOTH[year] if n in folded), None) for year in _BOTH]
    if all(column is not None for column in both):
        return None, _by_pair(weights, [str(c) for c in both], to), _words(weights)
    column = _people(weights)
    if column is None:
        msg = (
            f"weights has none of the columns {listed(_PEOPLE)}. Give a Series of residents by "
            "area code, or a table with such a column."
        )
        raise ColumnError(msg)
    check_unique(weights.index, where="weights")
    return _numbers(weights[column]), None, f"by {column}"


def _numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return weights as doubles, refusing what is no count of people."""
    try:
        numbers: pd.Series[Any] = pd.to_numeric(values).astype("float64")
    except (ValueError, TypeError) as error:
        msg = f"weights hold something that is no number ({error}). Give counts of people."
        raise ColumnError(msg) from error
    wrong = int(((numbers < 0) | np.isinf(numbers)).sum())
    if wrong:
        msg = f"{wrong:,} weights are negative or infinite. Give counts of people."
        raise ColumnError(msg)
    return numbers


def _people(weights: pd.DataFrame) -> str | None:
    return next((c for c in _PEOPLE if c in weights.columns), None)


def _words(weights: pd.DataFrame) -> str:
    column = _people(weights)
    return f"by {column} of output areas" if column else "by number of output areas"


def _by_pair(weights: pd.DataFrame, both: Sequence[str], to: str) -> pd.Series[Any]:
    """Add output areas up to pairs of source and target."""
    column = _people(weights)
    amount = _numbers(weights[column]) if column else pd.Series(1.0, index=weights.index)
    lacking = int(amount.isna().sum())
    if lacking:
        msg = f"{lacking:,} of {len(amount):,} weights are missing. Leave them out or fill them in."
        raise ColumnError(msg)
    source, target = both if to == "2021" else (both[1], both[0])
    total: pd.Series[Any] = amount.groupby([weights[source], weights[target]]).sum()
    return total


def _by_area(by_pair: pd.Series[Any]) -> pd.Series[Any]:
    """Add pairs up to areas of both years."""
    sums = [by_pair.groupby(level=level).sum() for level in (0, 1)]
    every = pd.concat(sums)
    once: pd.Series[Any] = every[~every.index.duplicated()]
    return once


def _amounts(
    rows: pd.DataFrame, by_area: pd.Series[Any] | None, by_pair: pd.Series[Any] | None
) -> pd.Series[Any]:
    """Return what each pair is weighted by; missing where that is not known."""
    if by_pair is not None:
        pairs = pd.MultiIndex.from_frame(rows[["source_code", "target_code"]])
        found = by_pair.reindex(pairs).set_axis(rows.index)
        known = rows["source_code"].isin(by_pair.index.get_level_values(0))
        return found.fillna(0.0).where(known)
    if by_area is not None:
        return by_area.reindex(pd.Index(rows["target_code"])).set_axis(rows.index)
    return pd.Series(1.0, index=rows.index)


def _check_known(rows: pd.DataFrame, amount: pd.Series[Any]) -> None:
    unknown = rows.loc[amount.isna(), "target_code"]
    if len(unknown):
        msg = (
            f"weights lack {len(unknown):,} of {len(rows):,} parts of divided areas "
            f"({listed(sorted(unknown))}). Give residents of the year that is converted to, "
            "or weights='equal'."
        )
        raise UnmatchedError(msg)


def _best_fits(rows: pd.DataFrame, amount: pd.Series[Any], *, exact: bool) -> pd.Index:
    """
    Return the row of each irregular area's best fit.

    Where the overlap is known, the greatest. Else the target to which no other
    area leads: the other one was made mostly from somewhere else. Then the
    larger, then the first code.
    """
    if rows.empty:
        return rows.index
    every = rows.assign(amount=amount.fillna(0.0), sources=_sources(rows, exact=exact))
    order = every.sort_values(
        ["source_code", "sources", "amount", "target_code"], ascending=[True, True, False, True]
    )
    return order.drop_duplicates("source_code").index


def _sources(rows: pd.DataFrame, *, exact: bool) -> np.ndarray[Any, Any]:
    if exact:
        return np.ones(len(rows))
    return np.asarray(rows["sources_of_target"])
