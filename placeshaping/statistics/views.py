"""
What a product shows side by side: its periods and its categories, totals first.

Monthly counts by category become a cube of periods, categories and areas. The
first period and the first category are totals, so that a reader meets the
whole before its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed, near_names
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError

By = Literal["all", "year", "quarter", "month"]
Denominator = Literal["residents", "households"]


@dataclass(frozen=True)
class PeriodView:
    """
    A span of months that is shown as one.

    Attributes
    ----------
    label
        As it stands on products: ``"2025"``, ``"2023 to 2025"``, ``"Mar 2025"``.
    first, last
        First day of the first and of the last month.
    months
        Months with data.
    missing
        Months of the span without data, as ``"2024-05"``.
    """

    label: str
    first: pd.Timestamp
    last: pd.Timestamp
    months: int
    missing: tuple[str, ...] = ()

    @property
    def years(self) -> float:
        """Length of the data in years, for rates a year."""
        return self.months / 12


@dataclass(frozen=True)
class CategoryView:
    """
    One or more categories of records that are shown as one.

    Attributes
    ----------
    label
        As it stands on products.
    parts
        The categories of the records that it holds.
    denominator
        What its rate is worked out over; None where there is no rate.
    total
        Whether it holds every category of the records.
    """

    label: str
    parts: tuple[str, ...]
    denominator: Denominator | None = None
    total: bool = False


def make_periods(months: Iterable[pd.Timestamp], *, by: By = "year") -> tuple[PeriodView, ...]:
    """
    Group months into the periods to show: the whole span, then its parts.

    Parameters
    ----------
    months
        The months that have data, as their first days, in any order.
    by
        Length of the parts. Where there would be only one, the whole stands
        alone.

    Returns
    -------
    periods
        The whole span first. Months without data inside it are named.

    Raises
    ------
    EmptyError
        If there are no months.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", "2025-12-01", freq="MS")
    >>> [period.label for period in make_periods(months)]
    ['2024 to 2025', '2024', '2025']
    >>> [period.label for period in make_periods(months[:15], by="year")]
    ['Jan 2024 to Mar 2025', '2024', '2025 (Jan to Mar)']
    """
    present = pd.DatetimeIndex(sorted(set(pd.DatetimeIndex(list(months)))))
    if present.empty:
        msg = "There are no months to show. Check the span and the categories that were asked for."
        raise EmptyError(msg)
    whole = _period(present, present[0], present[-1])
    if by == "all":
        return (whole,)
    frequency = {"year": "Y", "quarter": "Q", "month": "M"}[by]
    parts = present.to_period(frequency)
    if len(parts.unique()) == 1:
        return (whole,)
    made = [whole]
    for part in parts.unique():
        inside = present[parts == part]
        made.append(_period(inside, part.start_time, part.end_time.normalize().replace(day=1)))
    return tuple(made)


def _period(present: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> PeriodView:
    """Describe the months `present`, which are all there are from `first` to `last`."""
    span = pd.date_range(present[0], present[-1], freq="MS")
    missing = tuple(month.strftime("%Y-%m") for month in span.difference(present))
    return PeriodView(_label(present, first, last), present[0], present[-1], len(present), missing)


def _label(present: pd.DatetimeIndex, first: pd.Timestamp, last: pd.Timestamp) -> str:
    start, end = present[0], present[-1]
    if start == end:
        return str(start.strftime("%b %Y"))
    if start.month == 1 and end.month == 12:
        return f"{start.year}" if start.year == end.year else f"{start.year} to {end.year}"
    whole_quarter = (start, end) == (first, last) and len(present) == 3 and start.month % 3 == 1
    if whole_quarter:
        return f"{start.year} Q{start.quarter}"
    if start.year == end.year and first.month == 1 and last.month == 12:
        return f"{start.year} ({start:%b} to {end:%b})"
    return f"{start:%b %Y} to {end:%b %Y}"


HOUSEHOLD_CATEGORIES = ("Burglary",)
"""Categories whose rates are worked out over households where those are known."""


def make_categories(
    categories: Sequence[str],
    *,
    total: str = "All recorded crime",
    groups: Mapping[str, Sequence[str]] | None = None,
    denominators: Sequence[Denominator] = (),
    households: Sequence[str] = HOUSEHOLD_CATEGORIES,
    over: Mapping[str, Denominator | Literal["none"]] | None = None,
) -> tuple[CategoryView, ...]:
    """
    Choose the categories to show: the total, then each one or each group.

    Parameters
    ----------
    categories
        The categories of the records.
    total
        Label of all categories together. With one category alone there is no
        total beside it.
    groups
        Label of a group -> its categories. Categories in no group stand for
        themselves. One group of all categories may bear the label of the
        total, which then stands alone.
    denominators
        What is known of each area. Rates need at least one of them.
    households
        Categories worked out over households.
    over
        Label of a category or group -> its denominator, where another than
        the usual is wanted; ``"none"`` for no rate.

    Returns
    -------
    views
        The total first.

    Raises
    ------
    InputError
        If a group is empty, names a category that the records lack, or bears
        a category's name, or if a category is in two groups: they would no
        longer add up to the total.

    Examples
    --------
    >>> views = make_categories(["Burglary", "Robbery"], denominators=["residents", "households"])
    >>> [(view.label, view.denominator) for view in views]
    [('All recorded crime', 'residents'), ('Burglary', 'households'), ('Robbery', 'residents')]
    """
    known = [str(category) for category in categories]
    groups = {} if groups is None else groups
    for label, parts in groups.items():
        for part in parts:
            if part not in known:
                near = near_names(part, known)
                hint = f"Did you mean {listed(near)}?" if near else f"There are: {listed(known)}."
                msg = f"Group {label!r} holds {part!r}, which the records lack. {hint}"
                raise InputError(msg)

    if empty := [label for label, parts in groups.items() if not parts]:
        msg = f"Group {empty[0]!r} holds no category. Leave it out, or name some."
        raise InputError(msg)
    alone = list(groups) == [total] and set(groups[total]) == set(known)
    if clash := [label for label in groups if label in known or (label == total and not alone)]:
        msg = f"Group {clash[0]!r} bears the name of a category or of the total. Rename it."
        raise InputError(msg)
    members = [part for parts in groups.values() for part in parts]
    twice = sorted({part for part in members if members.count(part) > 1})
    if twice:
        msg = f"{listed(twice)} stands in more than one group. A category is in one group or none."
        raise InputError(msg)

    def denominator(parts: Sequence[str]) -> Denominator | None:
        homes = set(parts) <= set(households) and "households" in denominators
        if homes:
            return "households"
        return "residents" if "residents" in denominators else None

    views = [
        CategoryView(label, tuple(parts), denominator(tuple(parts)))
        for label, parts in groups.items()
    ]
    views += [CategoryView(c, (c,), denominator((c,))) for c in known if c not in members]
    if len(views) == 1:
        chosen = [replace(views[0], total=True)]
    else:
        chosen = [
            CategoryView(total, tuple(known), denominator(tuple(known)), total=True),
            *views,
        ]
    return tuple(_over(chosen, {} if over is None else over, denominators))


def _over(
    views: Sequence[CategoryView],
    over: Mapping[str, Denominator | Literal["none"]],
    known: Sequence[Denominator],
) -> Iterator[CategoryView]:
    """Give views the denominators that were asked for."""
    labels = [view.label for view in views]
    for label, wanted in over.items():
        if label not in labels:
            near = near_names(label, labels)
            hint = f"Did you mean {listed(near)}?" if near else f"There are: {listed(labels)}."
            msg = f"A denominator is given for {label!r}, which is not shown. {hint}"
            raise InputError(msg)
        if wanted != "none" and wanted not in known:
            msg = f"{label!r} is to be worked out over {wanted}, which are not known. Give a file."
            raise InputError(msg)
    for view in views:
        wanted = over.get(view.label, view.denominator or "none")
        yield replace(view, denominator=None if wanted == "none" else wanted)


def tabulate(
    counts: pd.DataFrame,
    *,
    areas: pd.Index,
    periods: Sequence[PeriodView],
    categories: Sequence[CategoryView],
) -> NDArray[np.int64]:
    """
    Add monthly counts up to the periods and categories that are shown.

    Parameters
    ----------
    counts
        Long table with `area_code`, `period` (first day of a month),
        `category` and `count`.
    areas
        Area codes, in the order of the result.
    periods, categories
        What is shown.

    Returns
    -------
    cube
        Array of shape (periods, categories, areas).

    Raises
    ------
    ColumnError
        If a column is missing, a count is negative or not whole, or a period
        is not the first of a month.
    UnmatchedError
        If records are of areas that are not among `areas`.

    Examples
    --------
    >>> january = pd.Timestamp("2025-01-01")
    >>> counts = pd.DataFrame(
    ...     {"area_code": ["a", "b"], "period": january, "category": "Burglary", "count": [2, 0]}
    ... )
    >>> tabulate(
    ...     counts,
    ...     areas=pd.Index(["b", "a"]),
    ...     periods=make_periods([january]),
    ...     categories=make_categories(["Burglary"]),
    ... ).tolist()
    [[[0, 2]]]
    """
    value = check_counts(counts)
    months = pd.DatetimeIndex(sorted(counts["period"].unique()))
    parts = pd.Index(dict.fromkeys(p for view in categories for p in view.parts))
    month = _positions(counts["period"], months)
    part = _positions(counts["category"], parts)
    area = _positions(counts["area_code"], areas)
    strange = (area < 0) & (value > 0)
    if strange.any():
        codes = list(dict.fromkeys(counts.loc[strange, "area_code"].astype(str)))
        msg = (
            f"counts: {int(value[strange].sum()):,} records are of {len(codes):,} areas that the "
            f"ladder lacks ({listed(codes)}). Take areas and counts of the same census year, or "
            "leave those rows out."
        )
        raise UnmatchedError(msg)
    kept = (part >= 0) & (area >= 0)
    shape = (len(months), len(parts), len(areas))
    place = np.ravel_multi_index((month[kept], part[kept], area[kept]), shape)
    size = int(np.prod(shape))
    monthly = np.bincount(place, weights=value[kept], minlength=size).reshape(shape)
    in_period = np.array([(months >= p.first) & (months <= p.last) for p in periods], dtype=float)
    in_category = np.array([[name in view.parts for name in parts] for view in categories])
    cube = np.einsum("pm,ck,mka->pca", in_period, in_category.astype(float), monthly, optimize=True)
    whole: NDArray[np.int64] = np.rint(cube).astype(np.int64)
    return whole


def check_counts(counts: pd.DataFrame) -> NDArray[np.float64]:
    """
    Return the counts as floats, refusing a table that is none of counts by month.

    Parameters
    ----------
    counts
        Long table with `area_code`, `period`, `category` and `count`.

    Returns
    -------
    values
        The column `count`.

    Raises
    ------
    ColumnError
        If a column or a value is missing, a count is negative or not whole,
        or a period is not the first of a month.

    Examples
    --------
    >>> check_counts(
    ...     pd.DataFrame(
    ...         {"area_code": "a", "period": pd.Timestamp("2025-01-01"), "category": "x",
    ...          "count": [2]}
    ...     )
    ... ).tolist()
    [2.0]
    """
    check_columns(counts.columns, ["area_code", "period", "category", "count"], where="counts")
    value = counts["count"].to_numpy(dtype=float, na_value=np.nan)
    if not (np.isfinite(value) & (value >= 0) & (value == np.floor(value))).all():
        msg = "counts: column 'count' holds missing, negative or fractional numbers."
        raise ColumnError(msg)
    for column in ("period", "category", "area_code"):
        if missing := int(counts[column].isna().sum()):
            msg = f"counts: {missing:,} rows have no {column}. Leave them out, or name them."
            raise ColumnError(msg)
    period = pd.DatetimeIndex(counts["period"].unique())
    if (period.day != 1).any():
        msg = (
            f"counts: {int((period.day != 1).sum()):,} periods are not the first day of a month "
            f"({period[period.day != 1][0]:%Y-%m-%d}). Count by month before."
        )
        raise ColumnError(msg)
    return value


def _positions(column: pd.Series[Any], known: pd.Index) -> NDArray[np.intp]:
    """Find each value in an index, by its categories where it has some: they are few."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        among = known.get_indexer(pd.Index(column.cat.categories))
        return np.asarray(among[column.cat.codes.to_numpy()], dtype=np.intp)
    return np.asarray(known.get_indexer(pd.Index(column)), dtype=np.intp)
