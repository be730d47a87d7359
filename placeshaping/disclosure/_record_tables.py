"""
Tables that are not of areas, protected: counts of the whole district, and streets.

Each count is hidden or rounded by itself, and no total stands beside them, so
that none comes back by subtraction. What is worked out from counts is worked
out anew from those that are shown, or left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import DisclosureError, HiddenError
from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.policies import Policy
from placeshaping.statistics._counts import poisson_limits

MOST_HIDDEN = 0.30
"""Share of a table's cells that may be hidden."""

EDGES = (10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)
"""Edges of classes of counts; of those not under the threshold, the first four are used."""

_BANDS = ["distance_band", "day_band", "from_m", "to_m", "from_days", "to_days"]
_TESTS = ["p_value", "q_value"]
_MOST_EDGES = 4
_DECIMALS = 2


def least_shown(policy: Policy, *, pairs: bool = False) -> int:
    """
    Return the least count that may be shown; for pairs, the least that needs enough records.

    Five records at one place make ten pairs. So pairs are shown only where
    they cannot come from fewer records than the threshold, and where rounding
    does not bring the number under that.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> [least_shown(POLICIES[name], pairs=True) for name in ("public", "councillor", "internal")]
    [38, 8, 0]
    """
    threshold = policy.threshold
    if not pairs or threshold == 0:
        return threshold
    least = wanted = (threshold - 1) * (threshold - 2) // 2 + 1
    while policy.rounding * round(least / policy.rounding) < wanted:
        least += 1
    return least


def count_edges(least: int) -> tuple[float, ...]:
    """
    Return the edges of the classes of counts, the first not under the least that may be shown.

    Examples
    --------
    >>> count_edges(5), count_edges(38)
    ((10.0, 25.0, 50.0, 100.0), (50.0, 100.0, 250.0, 500.0))
    """
    return tuple(edge for edge in EDGES if edge >= least)[:_MOST_EDGES]


def class_words(least: int) -> str:
    """
    Say what each class of counts is.

    Examples
    --------
    >>> class_words(38)[:36]
    '1 is under 50; 2 is 50 to under 100;'
    """
    labels = class_labels(count_edges(least))
    return "; ".join(f"{n} is {text}" for n, text in enumerate(labels, start=1))


def protected_counts(
    counts: pd.Series[float], policy: Policy, *, least: int
) -> NDArray[np.float64]:
    """
    Hide small counts and round the others, each by itself; hidden ones are NaN.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> counts = pd.Series([0, 3, 12.4, 18])
    >>> protected_counts(counts, POLICIES["councillor"], least=5).tolist()
    [0.0, nan, 10.0, 20.0]
    """
    values = counts.to_numpy(dtype=np.float64, na_value=np.nan)
    rounded = policy.rounding * np.rint(values / policy.rounding)
    shown = rounded if policy.rounding > 1 else values
    zero = (values == 0) & policy.zeros_shown
    hidden = ((values < least) | (shown < least)) & ~zero
    return np.where(hidden, np.nan, shown)


def summary_table(name: str, table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """
    Protect a table of counts of the whole.

    Parameters
    ----------
    name
        ``"near_repeat"``, ``"profile"`` or ``"change"``.
    table
        From the method.
    policy
        Which protects.

    Returns
    -------
    protected
        With a column ``status``; a new index.

    Raises
    ------
    HiddenError
        If more than 30 % of its cells would be hidden.
    DisclosureError
        If the policy's method is not one of hiding and rounding.
    """
    if policy.method not in ("round", "suppress"):
        msg = (
            f"Tables that are not of areas are protected by hiding and rounding; policy "
            f"{policy.name!r} works by {policy.method!r}. Choose 'public' or 'councillor'."
        )
        raise DisclosureError(msg)
    return {"near_repeat": _near_repeat, "profile": _profile, "change": _change}[name](
        table.reset_index(drop=True), policy
    )


def _near_repeat(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    least = least_shown(policy, pairs=True)
    observed = protected_counts(table["observed"], policy, least=least)
    told = "Take wider bands of distance or days, or a longer record."
    made = table[_BANDS].assign(status=_status(observed, told))
    if policy.counts_shown:
        expected = policy.rounding * np.rint(table["expected"] / policy.rounding)
        expected = expected.where(np.isfinite(observed) & ~_beside_hidden(table, observed))
        enough = expected.where(expected >= max(2 * policy.rounding, 1))
        made = made.assign(
            observed=_whole(observed, policy),
            expected=_whole(expected.to_numpy(), policy),
            ratio=(observed / enough).round(1),
        )
    else:
        made = _classed(made, observed, least)
    made["pattern"] = table["pattern"].where(np.isfinite(observed))
    for column in _TESTS if policy.numbers else []:
        made[column] = table[column].where(np.isfinite(observed))
    return made


def _beside_hidden(table: pd.DataFrame, observed: NDArray[np.float64]) -> pd.Series[bool]:
    """
    Tell which cells are of a band of distance or of days in which a cell is hidden.

    Where the bands of days hold the whole record, expected numbers tell how
    many pairs a band of distance has, and a hidden cell of it comes back.
    """
    hidden = pd.Series(~np.isfinite(observed), index=table.index)
    of = (hidden.groupby(table[name], observed=True).transform("any") for name in _BANDS[:2])
    return next(of) | next(of)


def _profile(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    parts = [name for name in ("weekday", "month", "hour") if name in table]
    counts = _two_hidden(protected_counts(table["count"], policy, least=policy.threshold))
    told = "Take fewer rows (by='weekday' or by='hour' alone), or a longer record."
    made = table[[*parts, "hours"]].assign(status=_status(counts, told))
    if not policy.counts_shown:
        return _classed(made, counts, policy.threshold)
    made["count"] = _whole(counts, policy)
    return made.assign(**index_of(counts, table["hours"].to_numpy(dtype=np.float64)))


def _two_hidden(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hide the smallest that is shown where one alone is hidden: maps give the total elsewhere."""
    if np.isnan(counts).sum() != 1:
        return counts
    shown = np.where(counts > 0, counts, np.inf)  # a zero covers nothing
    return np.where(np.arange(len(counts)) == np.argmin(shown), np.nan, counts)


def index_of(
    counts: NDArray[np.float64], hours: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """
    Work out events an hour over the average of the hours that are shown, with its interval.

    Examples
    --------
    >>> index_of(np.array([20.0, 60.0, np.nan]), np.array([10.0, 10.0, 10.0]))["index"]
    array([0.5, 1.5, nan])
    """
    known = np.isfinite(counts)
    total = counts[known].sum()
    usual = hours * total / hours[known].sum() if total else np.full(len(hours), np.nan)
    low, high = poisson_limits(np.where(known, counts, 0.0), level=0.95, exact=False)
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = {"index": counts / usual, "lower": low / usual, "upper": high / usual}
    return {
        name: np.where(known & (hours > 0), np.round(values, _DECIMALS), np.nan)
        for name, values in parts.items()
    }


def _change(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return the counts of both periods, all areas together."""
    counts = whole_change(table)["count"]
    protected = protected_counts(counts, policy, least=policy.threshold)
    made = pd.DataFrame({"period": counts.index})
    made["status"] = _status(protected, "Take longer periods.")
    if not policy.counts_shown:
        return _classed(made, protected, policy.threshold)
    made["count"] = _whole(protected, policy)
    return made


def whole_change(table: pd.DataFrame) -> pd.DataFrame:
    """
    Add the areas of two periods up, where both counts are known.

    Examples
    --------
    >>> whole_change(pd.DataFrame({"before": [3, None, 2], "after": [4, 9, 1]}))["count"].tolist()
    [5.0, 5.0]
    """
    known = table[["before", "after"]].dropna()
    return pd.DataFrame({"count": known.sum().astype(np.float64)})


def street_table(
    segments: pd.DataFrame, policy: Policy, *, street: str | None = None
) -> pd.DataFrame:
    """
    Class streets by their protected counts; where a policy shows no counts, rank them too.

    Parameters
    ----------
    segments
        From `hot_streets`.
    policy
        Which protects.
    street
        Column with the name of the street, which leaves too.

    Returns
    -------
    classed
        In the order of the street file: ``segment`` (its index), ``street``,
        ``length_km``, ``class`` (1 holds everything under the floor),
        ``rank``, and the geometry where there is one.

    Raises
    ------
    ColumnError
        If there is no such column.
    """
    check_columns(segments.columns, [street] if street else [], where="segments")
    least = policy.threshold
    counts = protected_counts(segments["count"], policy, least=least)
    counts = np.where(counts >= least, counts, np.nan)  # a zero is under the floor as well
    made = pd.DataFrame(segments.drop(columns="geometry", errors="ignore")).reset_index(drop=True)
    made = made.assign(segment=segments.index.astype(str))
    named = {"segment": made["segment"], **({"street": made[street]} if street else {})}
    told = pd.DataFrame({**named, "length_km": made["length_km"].round(3)})
    told = _classed(told, counts, least)
    told["class"] = told["class"].fillna(1).astype("int64")
    return told if not policy.counts_shown else told.drop(columns="rank")


def _classed(made: pd.DataFrame, counts: NDArray[np.float64], least: int) -> pd.DataFrame:
    """Put class and rank by the protected counts beside each row; hidden ones have neither."""
    known = np.isfinite(counts)
    place = np.searchsorted(count_edges(least), np.where(known, counts, 0.0), side="right") + 1
    rank = pd.Series(counts).rank(method="min", ascending=False)
    return made.assign(
        **{
            "class": pd.array(np.where(known, place, np.nan), dtype="Int64"),
            "rank": rank.astype("Int64").array,
        }
    )


def _status(counts: NDArray[np.float64], remedy: str) -> NDArray[Any]:
    hidden = ~np.isfinite(counts)
    if hidden.mean() > MOST_HIDDEN:
        msg = (
            f"{int(hidden.sum()):,} of {len(counts):,} cells of the table would be hidden, and at "
            f"most {MOST_HIDDEN:.0%} may be. {remedy}"
        )
        raise HiddenError(msg)
    return np.where(hidden, "hidden", "shown")


def _whole(counts: NDArray[np.float64], policy: Policy) -> Any:
    """Return rounded counts as whole numbers; fractions of events stay where nothing is rounded."""
    fractions = counts[np.isfinite(counts)]
    if policy.rounding > 1 or (fractions == np.rint(fractions)).all():
        return pd.array(counts, dtype="Float64").astype("Int64")
    return np.round(counts, _DECIMALS)
