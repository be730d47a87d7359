"""
Counts by area and period, before and after, of treated and comparison areas: did it work.

`make_panel` checks what an evaluation needs and puts it into one form; the
methods are in `displacement`, `difference` and `synthetic_control`, their
words in `evaluation_words`, and trials that are yet to come in `trial_design`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed, near_names
from placeshaping._core.errors import CRSError, EmptyError, InputError, UnmatchedError
from placeshaping.areas.neighbours import contiguity

Floats = NDArray[np.float64]

TREATED, COMPARISON = "treated", "comparison"

FEWEST_PERIODS = 1
"""Periods that are needed before, and after."""

FEWEST_COMPARISON = 2
"""Comparison areas that are needed: of one alone nothing tells how much chance does."""


@dataclass(frozen=True, eq=False)
class Panel:
    """
    Counts of areas by period, before and after something was done in some of them.

    Attributes
    ----------
    counts
        A row an area, a column a period of equal length, named by its first
        day.
    roles
        By area: ``"treated"``, ``"comparison"``, ``"ring 1"`` and further.
    start
        The first day after.
    months
        Length of a period; 1 unless it was made longer.
    notes
        What was left out on the way, a sentence each.
    centres
        Easting and northing of the middle of each area; None where the areas
        were not given.

    Examples
    --------
    >>> counts = pd.DataFrame({"area_code": ["a", "b", "c"] * 2, "count": [9, 8, 7, 3, 9, 8],
    ...                        "period": ["2024-01-01"] * 3 + ["2024-02-01"] * 3})
    >>> panel = make_panel(counts, treated=["a"], start="2024-02-01")
    >>> panel.total("treated", after=False), panel.total("comparison", after=True)
    (9.0, 17.0)
    """

    counts: pd.DataFrame = field(repr=False)
    roles: pd.Series[str] = field(repr=False)
    start: pd.Timestamp
    months: int = 1
    notes: tuple[str, ...] = ()
    centres: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def after(self) -> NDArray[np.bool_]:
        """Which periods are after."""
        return np.asarray(pd.DatetimeIndex(self.counts.columns) >= self.start)

    @property
    def length(self) -> float:
        """How long the time after is, in lengths of the time before."""
        return float(self.after.sum() / (~self.after).sum())

    @property
    def rings(self) -> list[str]:
        """The rings, nearest first."""
        names = (str(role) for role in self.roles.unique() if str(role).startswith("ring"))
        return sorted(names, key=lambda name: int(name.split()[-1]))

    def of(self, *roles: str) -> Floats:
        """Return the counts of some roles, areas by periods."""
        found: Floats = self.counts[self.roles.isin(roles)].to_numpy(np.float64)
        return found

    def places(self, *roles: str) -> Floats | None:
        """Return the middles of the areas of some roles, in their order; None if not known."""
        if self.centres is None:
            return None
        found = [self.centres[(self.roles == role).to_numpy()] for role in roles]
        out: Floats = pd.concat(found).to_numpy(np.float64)
        return out

    def sums(self, *roles: str) -> tuple[Floats, Floats]:
        """Return what each area of some roles had before, and after."""
        counts = self.of(*roles)
        return counts[:, ~self.after].sum(axis=1), counts[:, self.after].sum(axis=1)

    def total(self, *roles: str, after: bool) -> float:
        """Return what all areas of some roles had together."""
        return float(self.sums(*roles)[int(after)].sum())


def make_panel(
    counts: pd.DataFrame,
    *,
    treated: Iterable[str],
    start: str | pd.Timestamp | pd.Series[pd.Timestamp],
    comparison: Iterable[str] | None = None,
    rings: pd.Series[str] | None = None,
    areas: gpd.GeoDataFrame | None = None,
    before: int | None = None,
    after: int | None = None,
) -> Panel:
    """
    Put counts into the form that an evaluation needs, or say what it lacks.

    Parameters
    ----------
    counts
        Long table with ``area_code``, ``period`` (first day) and ``count``;
        further columns, such as categories, are summed over. Zero is a row.
    treated
        Codes of the areas in which something was done.
    start
        The first day after. One for all areas; days that differ by area are
        refused, because counts before and after of areas that began at
        different times do not compare (Goodman-Bacon 2021). Evaluate each
        start by itself, with the areas that began later left out.
    comparison
        Codes of areas in which nothing was done; by default all that are
        neither treated nor in a ring.
    rings
        Area code -> ``"ring 1"``, ``"ring 2"``: see `rings_around`. Their areas
        are never comparison areas.
    areas
        Outlines of all areas. Areas that lie together rise and fall together:
        where they are known, treated areas that lie together are tested
        against other sets that do.
    before, after
        How many periods to look at before and after; by default all.

    Returns
    -------
    panel
        Areas in the order of their codes.

    Raises
    ------
    UnmatchedError
        If an area is not known; the message offers near ones.
    InputError
        If areas are treated and compared with, counts are missing or below
        zero, there are too few areas or periods, or several starts.
    EmptyError
        If nothing was counted where a method would divide by it.

    Examples
    --------
    >>> counts = pd.DataFrame({"area_code": ["a", "b", "c"], "period": "2024-01-01", "count": 1})
    >>> make_panel(counts, treated=["a"], start="2024-01-01")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: No period lies before 2024-01-01: the counts begin ...
    """
    check_columns(counts.columns, ["area_code", "period", "count"], where="counts")
    wide = _wide(counts)
    first = _one_start(start)
    roles = _roles(wide.index, list(treated), comparison, rings)
    wide = _chosen_periods(wide, first, before, after)
    panel = Panel(
        wide.loc[roles.index],
        roles,
        first,
        notes=_gaps(wide.columns),
        centres=None if areas is None else _centres(areas, roles.index),
    )
    _check_counts(panel)
    return panel


def _wide(counts: pd.DataFrame) -> pd.DataFrame:
    """Return areas by periods; a cell without a row is missing, not zero."""
    if counts.empty:
        msg = "There are no counts to evaluate."
        raise EmptyError(msg)
    keys = [counts["area_code"].astype(str), pd.to_datetime(counts["period"])]
    wide = counts["count"].astype("float64").groupby(keys).sum(min_count=1).unstack()  # noqa: PD010
    lost = int(wide.isna().to_numpy().sum())
    if lost:
        msg = (
            f"{lost:,} of {wide.size:,} counts are missing. Zero is a row with count 0; leave a "
            "period out of all areas where it is not known."
        )
        raise InputError(msg)
    if bool((wide.to_numpy() < 0).any()):
        msg = f"{int((wide.to_numpy() < 0).sum()):,} counts are below zero."
        raise InputError(msg)
    return wide


def _one_start(start: str | pd.Timestamp | pd.Series[pd.Timestamp]) -> pd.Timestamp:
    if isinstance(start, pd.Series):
        days = pd.to_datetime(start).unique()
        if len(days) != 1:
            told = listed([str(pd.Timestamp(day).date()) for day in sorted(days)])
            msg = (
                f"The areas began at {len(days)} different times ({told}). Evaluate each start by "
                "itself, and leave the areas that began at another time out of the comparison."
            )
            raise InputError(msg)
        return pd.Timestamp(str(days[0]))
    try:
        return pd.Timestamp(str(start))
    except ValueError as error:
        msg = f"start is {start!r}. Write the first day after as 2025-01-01."
        raise InputError(msg) from error


def _roles(
    known: pd.Index,
    treated: Sequence[str],
    comparison: Iterable[str] | None,
    rings: pd.Series[str] | None,
) -> pd.Series[str]:
    around = pd.Series(dtype=object) if rings is None else rings.dropna()
    around = around[around.index.isin(known)]
    named = None if comparison is None else [str(code) for code in comparison]
    if not treated:
        msg = "No treated area is named."
        raise InputError(msg)
    check_areas(treated, known, what="treated")
    check_areas(named or [], known, what="comparison")
    inside: list[tuple[str, list[str]]] = [
        ("comparison", named or []),
        ("ring", [str(code) for code in around.index]),
    ]
    for what, members in inside:
        both = sorted(set(treated) & set(members))
        if both:
            msg = f"{len(both):,} areas are treated and {what} areas at once: {listed(both)}."
            raise InputError(msg)
    both = sorted(set(named or []) & set(around.index))
    if both:
        msg = (
            f"{len(both):,} comparison areas lie in a ring around the treated ones: "
            f"{listed(both)}. What was done may have reached them: leave them out, or take fewer "
            "rings."
        )
        raise InputError(msg)
    others = known.difference(pd.Index(treated)).difference(around.index)
    chosen = pd.Index(dict.fromkeys(named)) if named is not None else others
    if len(chosen) < FEWEST_COMPARISON:
        msg = (
            f"There are {len(chosen)} comparison areas; at least {FEWEST_COMPARISON} are needed, "
            "and 20 or more to tell an effect from chance."
        )
        raise InputError(msg)
    roles = pd.concat(
        [
            pd.Series(TREATED, index=pd.Index(dict.fromkeys(treated))),
            pd.Series(COMPARISON, index=chosen),
            around.astype(str),
        ]
    )
    return roles.sort_index().rename_axis("area_code").rename("role")


def check_areas(given: Sequence[str], known: pd.Index, *, what: str) -> None:
    """
    Refuse areas that are not known, and offer near names.

    Raises
    ------
    UnmatchedError
        If any is not known.

    Examples
    --------
    >>> check_areas(["E01000O01"], pd.Index(["E01000001"]), what="treated")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.UnmatchedError: 1 of 1 treated areas is not among ...
    """
    lost = [code for code in given if code not in known]
    if lost:
        near = near_names(lost[0], known)
        hint = f" For {lost[0]}: did you mean {listed(near)}?" if near else ""
        msg = (
            f"{len(lost):,} of {len(given):,} {what} areas {'is' if len(lost) == 1 else 'are'} not "
            f"among the {len(known):,} areas: {listed(lost)}.{hint}"
        )
        raise UnmatchedError(msg)


def _chosen_periods(
    wide: pd.DataFrame, start: pd.Timestamp, before: int | None, after: int | None
) -> pd.DataFrame:
    columns = pd.DatetimeIndex(wide.columns)
    earlier, later = columns[columns < start], columns[columns >= start]
    for side, found, wanted in (("before", earlier, before), ("after", later, after)):
        if len(found) < FEWEST_PERIODS:
            begin = "begin" if side == "before" else "end"
            edge = columns[0] if side == "before" else columns[-1]
            where = "before" if side == "before" else "on or after"
            msg = (
                f"No period lies {where} {start.date()}: the counts {begin} with {edge.date()}. "
                f"At least {FEWEST_PERIODS} is needed, and 12 months on both sides to see an "
                "effect of the usual size."
            )
            raise InputError(msg)
        if wanted is not None and len(found) < wanted:
            msg = f"{wanted} periods {side} {start.date()} are asked for; there are {len(found)}."
            raise InputError(msg)
    first = 0 if before is None else len(earlier) - before
    last = len(later) if after is None else after
    return wide[[*earlier[first:], *later[:last]]]


def _centres(areas: gpd.GeoDataFrame, codes: pd.Index) -> pd.DataFrame:
    check_areas([str(code) for code in codes], areas.index, what="counted")
    middle = shapely.centroid(areas.geometry.loc[codes].to_numpy())
    return pd.DataFrame(
        {"easting": shapely.get_x(middle), "northing": shapely.get_y(middle)}, codes
    )


def _gaps(periods: pd.Index) -> tuple[str, ...]:
    """Tell how many months are missing between the first and the last."""
    stamps = pd.DatetimeIndex(periods)
    if len(stamps) < 3 or not bool((stamps.day == 1).all()):
        return ()
    every = pd.date_range(stamps[0], stamps[-1], freq="MS")
    lost = len(every) - len(stamps)
    if lost <= 0:
        return ()
    return (
        f"{lost} of {len(every)} months are not in the records and were left out; where they are "
        "of another season before than after, that can look like an effect.",
    )


def _check_counts(panel: Panel) -> None:
    for role in (TREATED, COMPARISON):
        if panel.total(role, after=False) == 0:
            msg = (
                f"Nothing was counted in the {role} areas before {panel.start.date()}: there is "
                "nothing to compare with. Name more areas, more periods or more categories."
            )
            raise EmptyError(msg)


def rings_around(
    areas: gpd.GeoDataFrame,
    treated: Iterable[str],
    *,
    steps: int | None = None,
    metres: Sequence[float] | None = None,
) -> pd.Series[str]:
    """
    Find the rings around the treated areas in which crime may go up or down with them.

    Parameters
    ----------
    areas
        Polygons by ``area_code``, in metres.
    treated
        Codes of the treated areas.
    steps
        How many rings of touching areas.
    metres
        Instead, the outer distance of each ring; an area is in the first ring
        whose distance its centre lies within, measured from the outline of
        the treated areas.

    Returns
    -------
    rings
        Area code -> ``"ring 1"`` and so on; missing for treated areas and
        for those beyond. The index is that of `areas`.

    Raises
    ------
    InputError
        If neither or both of `steps` and `metres` are given, or distances do
        not grow.
    UnmatchedError
        If a treated area is not known.
    CRSError
        If `metres` are given and `areas` are in degrees.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 1, 1) for x in range(4)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, index=list("abcd"))
    >>> rings_around(areas, ["a"], steps=2).to_dict()
    {'a': nan, 'b': 'ring 1', 'c': 'ring 2', 'd': nan}
    """
    if (steps is None) == (metres is None):
        msg = "Give rings as a number of steps or as distances in metres, one of the two."
        raise InputError(msg)
    own = pd.Index(list(treated))
    check_areas(list(own), areas.index, what="treated")
    if metres is not None:
        return _rings_of_metres(areas, own, list(metres))
    near = contiguity(areas)
    inside = own
    rings: pd.Series[str] = pd.Series(None, index=areas.index, dtype=object, name="ring")
    for number in range(1, (steps or 0) + 1):
        pairs = near.adjacency[near.adjacency > 0]
        from_inside = pairs.index.get_level_values("focal").isin(inside)
        reached = pairs.index.get_level_values("neighbor")[from_inside].unique()
        new = reached.difference(inside)
        rings = rings.mask(areas.index.isin(new), f"ring {number}")
        inside = inside.union(new)
    return rings


def _rings_of_metres(
    areas: gpd.GeoDataFrame, treated: pd.Index, metres: list[float]
) -> pd.Series[str]:
    if areas.crs is not None and areas.crs.is_geographic:
        msg = "The areas are in degrees: rings of metres need them in EPSG:27700."
        raise CRSError(msg)
    if not metres or metres[0] <= 0 or any(a >= b for a, b in itertools.pairwise(metres)):
        msg = f"The distances of rings must grow and be above 0; they are {listed(metres)}."
        raise InputError(msg)
    whole = shapely.union_all(areas.geometry[areas.index.isin(treated)].to_numpy())
    away = areas.geometry.centroid.distance(whole).to_numpy()
    number = np.searchsorted(metres, away, side="left") + 1
    rings = pd.Series([f"ring {n}" for n in number], index=areas.index, dtype=object, name="ring")
    return rings.mask((number > len(metres)) | areas.index.isin(treated))


def in_blocks(panel: Panel, months: int) -> Panel:
    """
    Put periods together, counted outwards from the start; what is left over is dropped.

    Parameters
    ----------
    panel
        Of monthly counts.
    months
        Length of a block.

    Returns
    -------
    panel
        With a column a block; blocks that lack a month are left out.

    Raises
    ------
    InputError
        If no whole block lies before or after.

    Examples
    --------
    >>> months = pd.date_range("2024-01-01", periods=7, freq="MS")
    >>> counts = pd.DataFrame({"area_code": np.repeat(["a", "b", "c"], 7), "count": 1,
    ...                        "period": np.tile(months, 3)})
    >>> panel = in_blocks(make_panel(counts, treated=["a"], start="2024-05-01"), 3)
    >>> panel.counts.columns.strftime("%Y-%m").tolist(), panel.of("treated").tolist()
    (['2024-02', '2024-05'], [[3.0, 3.0]])
    """
    if months == 1:
        return panel
    stamps = pd.DatetimeIndex(panel.counts.columns)
    away = (stamps.year - panel.start.year) * 12 + stamps.month - panel.start.month
    block = np.asarray(away) // months
    whole = [n for n in np.unique(block) if (block == n).sum() == months]
    if not any(n < 0 for n in whole) or not any(n >= 0 for n in whole):
        msg = (
            f"There are no {months} whole months before and after {panel.start.date()} to put "
            "together."
        )
        raise InputError(msg)
    columns = pd.DatetimeIndex([panel.start + pd.DateOffset(months=int(n * months)) for n in whole])
    counts = np.stack([panel.counts.to_numpy()[:, block == n].sum(axis=1) for n in whole], axis=1)
    table = pd.DataFrame(counts, index=panel.counts.index, columns=columns)
    return replace(panel, counts=table, months=months)
