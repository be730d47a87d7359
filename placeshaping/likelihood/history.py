"""
What a model sees: counts by unit and step up to a cutoff, and nothing after it.

A history comes from monthly counts of small areas or from events with times on a
grid. To cut one is to make another that does not hold what came later; a model is
given nothing else, so it cannot look ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_choice, check_columns, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping.likelihood.covariates import check_covariates
from placeshaping.likelihood.offences import Target, make_target
from placeshaping.likelihood.steps import Resolution, Step, StepUnit, resolution_of
from placeshaping.likelihood.units import Units
from placeshaping.sources.offences import normalise_category

FINEST_SNAPPED = 250
"""Side in metres of the smallest cells that monthly, snapped records bear."""

UntimedRule = Literal["raise", "drop", "draw"]


@dataclass(frozen=True, eq=False)
class History:
    """
    Recorded counts of the target up to a cutoff.

    Attributes
    ----------
    units
        The places, in the order of the rows of `counts`.
    step
        The kind of step.
    first
        Number of the first step (`Step.starts` gives its date).
    counts
        Whole numbers, shape (units, steps), sparse by column.
    known
        Which steps have data. Where not, the column of `counts` is empty and
        means nothing.
    target
        The offences, with their tags and overrides.
    events
        Of point events: ``easting``, ``northing`` (metres), ``time`` (local),
        ``unit`` (position), sorted by time. Those outside the shift are kept.
        None where only counts are known.
    outside
        Events of each step that lie in no unit.
    covariates
        Numbers that describe the units, one row each; None without.
    cautions
        What a reader of any product of this history must know.
    """

    units: Units
    step: Step
    first: int
    counts: sparse.csc_array
    known: NDArray[np.bool_]
    target: Target
    events: pd.DataFrame | None = None
    outside: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    covariates: pd.DataFrame | None = None
    cautions: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """How many steps there are, known or not."""
        return len(self.known)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers of the steps."""
        return np.arange(self.first, self.first + self.steps)

    @property
    def periods(self) -> pd.DatetimeIndex:
        """First moments of the steps."""
        return self.step.starts(self.numbers)

    @property
    def cutoff(self) -> pd.Timestamp:
        """The first moment of which nothing is known."""
        return pd.Timestamp(self.step.ends(self.numbers[-1:])[0])

    @property
    def days(self) -> NDArray[np.float64]:
        """Length of each step in days (of a shift: in days of 24 hours)."""
        return self.step.hours(self.numbers) / 24

    def ahead(self, horizon: int) -> NDArray[np.int64]:
        """Return the numbers of the steps that follow."""
        return self.first + self.steps + np.arange(horizon)

    def days_ahead(self, horizon: int) -> NDArray[np.float64]:
        """Return the lengths in days of the steps that follow."""
        return self.step.hours(self.ahead(horizon)) / 24

    @property
    def n(self) -> int:
        """Events in all known steps."""
        return int(self.counts.sum())

    def dense(self, last: int | None = None) -> NDArray[np.float64]:
        """
        Return the counts of the last steps (of all by default); unknown steps are missing.

        Shape (units, steps).
        """
        start = 0 if last is None else max(0, self.steps - last)
        counts = self.counts[:, start:].toarray().astype(np.float64)
        counts[:, ~self.known[start:]] = np.nan
        return counts

    def at(self, position: int) -> NDArray[np.float64]:
        """Return the counts of one step, by its position."""
        counts = self.counts[:, position : position + 1].toarray()
        return np.asarray(counts[:, 0], dtype=np.float64)

    def total(self, last: int | None = None) -> NDArray[np.float64]:
        """Return the counts of the last steps (of all by default) summed over known steps."""
        start = 0 if last is None else max(0, self.steps - last)
        return np.asarray(self.counts[:, start:].sum(axis=1), dtype=np.float64)

    def cut(self, steps: int) -> History:
        """
        Return the history as it was when only its first so many steps were known.

        The result holds copies, so that nothing later can be reached from it.

        Raises
        ------
        EmptyError
            If nothing would be left.
        """
        if not 0 < steps <= self.steps:
            msg = f"A history of {self.steps} steps cannot be cut to {steps}."
            raise EmptyError(msg)
        shorter = replace(
            self,
            counts=self.counts[:, :steps].copy(),
            known=self.known[:steps].copy(),
            outside=self.outside[:steps].copy(),
            events=None,
        )
        if self.events is None:
            return shorter
        held = int(self.events["time"].searchsorted(shorter.cutoff))
        return replace(shorter, events=self.events.iloc[:held].copy(deep=True))

    def until(self, cutoff: str | pd.Timestamp) -> History:
        """
        Return the history as it was at a moment: of the steps that had ended by then.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import box
        >>> from placeshaping.likelihood.units import make_cells, make_units
        >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 1000, 500)], crs=27700)
        >>> events = pd.DataFrame(
        ...     {
        ...         "easting": [10.0, 20.0, 700.0],
        ...         "northing": 10.0,
        ...         "time": pd.to_datetime(["2024-03-01", "2024-03-02", "2024-03-04"]),
        ...         "category": "Burglary",
        ...     }
        ... )
        >>> history = history_of_events(events, make_units(make_cells(study, size=500)))
        >>> history.counts.toarray().tolist(), history.until("2024-03-03").n
        ([[1, 1, 0, 0], [0, 0, 0, 1]], 2)
        """
        ended = int((self.step.ends(self.numbers) <= pd.Timestamp(cutoff)).sum())
        if not ended:
            msg = (
                f"No step had ended by {cutoff}: the first ends {self.step.ends([self.first])[0]}."
            )
            raise EmptyError(msg)
        return self.cut(ended)


def history_of_counts(
    counts: pd.DataFrame,
    units: Units,
    *,
    target: Target | str | Sequence[str],
    cutoff: str | pd.Timestamp | None = None,
    covariates: pd.DataFrame | None = None,
) -> History:
    """
    Make a history from monthly counts, as `joins.points.count_by_area` gives them.

    A month between the first and the last that has no row of any category is
    missing; a unit without a row in a month that is there counts zero.

    Parameters
    ----------
    counts
        Long table: ``area_code``, ``period`` (first of the month), ``category``,
        ``count``.
    units
        The places; cells of monthly records are at least 250 m wide.
    target
        The offences, from `make_target`, or their names.
    cutoff
        Months that end after it are left out. None: all are kept.
    covariates
        Numbers that describe the units; see `check_covariates`.

    Returns
    -------
    history
        Without events.

    Raises
    ------
    ColumnError, UnmatchedError, EmptyError
        If a column is missing, codes are not among the units, or nothing is left.
    InputError
        If the cells are too small, or counts are no whole numbers.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.likelihood.units import make_units
    >>> areas = gpd.GeoDataFrame(
    ...     geometry=[box(0, 0, 900, 900), box(900, 0, 1800, 900)], index=["a", "b"], crs=27700
    ... )
    >>> counts = pd.DataFrame(
    ...     {
    ...         "area_code": ["a", "b"],
    ...         "period": pd.to_datetime(["2024-01-01", "2024-03-01"]),
    ...         "category": "Burglary",
    ...         "count": [2, 1],
    ...     }
    ... )
    >>> history = history_of_counts(counts, make_units(areas), target="Burglary")
    >>> history.known.tolist(), history.dense().tolist()
    ([True, False, True], [[2.0, nan, 0.0], [0.0, nan, 1.0]])
    """
    check_columns(counts.columns, ["area_code", "period", "category", "count"], where="counts")
    target = target if isinstance(target, Target) else make_target(target)
    _check_cells(units, "month")
    step = Step("month")
    rows, cautions = _of_target(counts, target)
    every = _numbers_known(counts["period"], step, cutoff)
    number = step.number(rows["period"])[0]
    keep = number <= every[-1]
    position = units.codes.get_indexer(pd.Index(rows["area_code"]))
    _check_matched(rows["area_code"], position)
    value = _whole_counts(rows["count"])
    first, span = int(every[0]), int(every[-1] - every[0] + 1)
    history = History(
        units=units,
        step=step,
        first=first,
        counts=_matrix(position[keep], number[keep] - first, value[keep], (len(units), span)),
        known=np.isin(np.arange(first, first + span), every),
        target=target,
        outside=np.zeros(span, dtype=np.int64),
        covariates=None if covariates is None else check_covariates(covariates, units.codes),
        cautions=(*target.cautions, *cautions),
    )
    return _not_empty(history)


def history_of_events(
    events: pd.DataFrame,
    units: Units,
    *,
    target: Target | str | Sequence[str] | None = None,
    step: StepUnit | Step = "day",
    first: str | pd.Timestamp | None = None,
    cutoff: str | pd.Timestamp | None = None,
    untimed: UntimedRule = "raise",
    covariates: pd.DataFrame | None = None,
    rng: int | np.random.Generator = 0,
) -> History:
    """
    Make a history from point events with times.

    Parameters
    ----------
    events
        ``easting``, ``northing`` (metres, in the reference system of the units)
        or ``area_code``; ``time`` (local), or ``period`` of monthly records;
        ``category``; optionally ``time_to``, the latest moment of an event
        that happened some time between the two.
    units
        Cells or areas.
    target
        The offences, from `make_target`, or their names; None for all there are.
    step
        ``"day"``, ``"week"``, ``"month"``, or a `Step` with a shift and a zone.
    first
        Earlier steps are left out. None: begins with the first event.
    cutoff
        Steps that end after it are left out. None: ends with the step of the
        last event, taken to be whole.
    untimed
        Events without a time, or with a span longer than a step: refuse, drop,
        or (``"draw"``) draw one moment uniformly from the span from ``time`` to
        ``time_to``, a single draw of the aoristic weights of Ratcliffe (2000),
        which keeps counts whole. Events with neither are dropped then.
    covariates
        Numbers that describe the units; see `check_covariates`.
    rng
        Seed or generator of the draws.

    Returns
    -------
    history
        With `events`. Those in no unit are counted apart, in `outside`.

    Raises
    ------
    ColumnError, EmptyError
        If a column is missing, or nothing is left.
    InputError
        If the step is finer than the times, or cells are under 250 m on
        monthly records, or times are missing and `untimed` is ``"raise"``.

    Examples
    --------
    See `History.until`.
    """
    check_choice(untimed, ["raise", "drop", "draw"], name="untimed")
    step = step if isinstance(step, Step) else Step(step)
    check_columns(events.columns, ["category"], where="events")
    target = _settled_target(target, events)
    rows, told = _of_target(events, target)
    table, cautions = _timed(rows, step, untimed, np.random.default_rng(rng))
    table["unit"] = _placed(table, units)
    resolution = resolution_of(table["time"])
    _check_resolution(step, resolution)
    _check_cells(units, resolution)
    table = table.sort_values("time", kind="stable", ignore_index=True)
    number, inside = step.number(table["time"])
    low = int(step.number([pd.Timestamp(first)])[0][0]) if first is not None else int(number.min())
    high = _last_ended(step, cutoff) if cutoff is not None else int(number.max())
    if high < low:
        msg = f"No {step.unit} lies between the first event and the cutoff {cutoff}."
        raise EmptyError(msg)
    keep = (number >= low) & (number <= high)
    table, number, inside = table[keep], number[keep] - low, inside[keep]
    counted = inside & (table["unit"].to_numpy() >= 0)
    position = table["unit"].to_numpy()[counted]
    span = high - low + 1
    ones = np.ones(int(counted.sum()), dtype=np.int64)
    beyond = inside & (table["unit"].to_numpy() < 0)
    history = History(
        units=units,
        step=step,
        first=low,
        counts=_matrix(position, number[counted], ones, (len(units), span)),
        known=np.ones(span, dtype=bool),
        target=target,
        events=table[table["unit"] >= 0].reset_index(drop=True),
        outside=np.bincount(number[beyond], minlength=span).astype(np.int64),
        covariates=None if covariates is None else check_covariates(covariates, units.codes),
        cautions=(*target.cautions, *told, *cautions),
    )
    return _not_empty(history)


def _settled_target(target: Target | str | Sequence[str] | None, events: pd.DataFrame) -> Target:
    if isinstance(target, Target):
        return target
    return make_target(list(events["category"].unique()) if target is None else target)


def _of_target(table: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of the target's categories, and say which of these have none."""
    names = {name: normalise_category(str(name)) for name in table["category"].unique()}
    ours = [name for name, normal in names.items() if normal in target.categories]
    absent = [name for name in target.categories if name not in set(names.values())]
    told = [f"There are no records of {listed(absent)}."] if absent else []
    rows = table[table["category"].isin(ours)]
    if rows.empty:
        msg = f"There are no records of {target.name}. There are: {listed(sorted(names), most=16)}."
        raise EmptyError(msg)
    return rows, told


def _numbers_known(
    periods: pd.Series[Any], step: Step, cutoff: str | pd.Timestamp | None
) -> NDArray[np.int64]:
    every = np.unique(step.number(periods.drop_duplicates())[0])
    if cutoff is not None:
        every = every[every <= _last_ended(step, cutoff)]
    if not len(every):
        msg = f"No month of the counts ends before the cutoff {cutoff}."
        raise EmptyError(msg)
    return every


def _last_ended(step: Step, cutoff: str | pd.Timestamp) -> int:
    """Return the number of the last step that ends by the cutoff."""
    near = int(step.number([pd.Timestamp(cutoff)])[0][0]) - np.arange(3)
    return int(near[step.ends(near) <= pd.Timestamp(cutoff)].max())


def _check_matched(codes: pd.Series[Any], position: NDArray[np.intp]) -> None:
    lost = codes[position < 0].unique()
    if len(lost):
        msg = (
            f"{len(lost):,} codes of the counts are not among the units ({listed(list(lost))}). "
            "Leave them out, or make the units from the same areas."
        )
        raise UnmatchedError(msg)


def _whole_counts(values: pd.Series[Any]) -> NDArray[np.int64]:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = int((~(numbers >= 0) | (numbers != np.floor(numbers))).sum())
    if wrong:
        msg = f"{wrong:,} of {len(numbers):,} counts are missing, negative or no whole numbers."
        raise InputError(msg)
    return numbers.astype(np.int64)


def _matrix(
    rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csc_array:
    counts = sparse.csc_array((values, (rows, columns)), shape=shape, dtype=np.int64)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def _timed(
    rows: pd.DataFrame, step: Step, untimed: UntimedRule, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Return places and times of the events that have a time, one drawn from its span if asked."""
    column = "time" if "time" in rows else "period"
    check_columns(rows.columns, [column], where="events")
    if not pd.api.types.is_datetime64_any_dtype(rows[column]):
        msg = f"Column {column!r} holds no dates. Use pandas.to_datetime, or read_services."
        raise ColumnError(msg)
    places = [name for name in ("easting", "northing", "area_code") if name in rows]
    table = rows[places].assign(time=_local(rows[column], step))
    start = table["time"]
    end = _local(rows["time_to"], step) if "time_to" in rows else start
    end = end.where(end.notna() & (end >= start), start)
    longest = step.hours([0])[0] if step.unit != "month" else 28 * 24
    vague = start.isna() | (end - start > pd.Timedelta(hours=float(longest)))
    if not vague.any():
        return table, []
    told = (
        f"{int(vague.sum()):,} of {len(rows):,} events have no time, or a span longer than a step"
    )
    if untimed == "raise":
        msg = f"{told}. Pass untimed='drop' to leave them out, or 'draw' to draw from the span."
        raise InputError(msg)
    if untimed == "drop":
        return table[~vague], [f"{told}; they are left out."]
    share = pd.Series(rng.random(len(table)), index=table.index)
    table["time"] = start + ((end - start) * share).where(vague, pd.Timedelta(0))
    gone = int(start.isna().sum())
    drawn = f"{told}; one moment was drawn from each span, and {gone:,} without any were left out."
    return table[table["time"].notna()], [drawn]


def _local(times: pd.Series[Any], step: Step) -> pd.Series[Any]:
    """Return times without a zone: those with one as the clock showed in the step's zone."""
    zone = getattr(times.dtype, "tz", None)
    if zone is None:
        return times
    shown = times if step.zone is None else times.dt.tz_convert(step.zone)
    local: pd.Series[Any] = shown.dt.tz_localize(None)
    return local


def _placed(table: pd.DataFrame, units: Units) -> NDArray[np.intp]:
    if units.cell is None:
        check_columns(table.columns, ["area_code"], where="events")
        return np.asarray(units.codes.get_indexer(pd.Index(table["area_code"])), dtype=np.intp)
    check_columns(table.columns, ["easting", "northing"], where="events")
    return units.locate(table["easting"].to_numpy(float), table["northing"].to_numpy(float))


def _check_resolution(step: Step, resolution: Resolution) -> None:
    needs = "time" if step.shift else step.unit
    fine = {"time": ("time",), "day": ("time", "day"), "week": ("time", "day")}
    if resolution not in fine.get(needs, ("time", "day", "month")):
        msg = (
            f"The times of the events are known to the {resolution} only: a step of one "
            f"{'shift' if step.shift else step.unit} is shorter. Use step='month'."
        )
        raise InputError(msg)


def _check_cells(units: Units, resolution: Resolution) -> None:
    if resolution == "month" and units.cell is not None and units.cell < FINEST_SNAPPED:
        msg = (
            f"Cells of {units.cell} m are finer than monthly records bear: their places are "
            f"snapped to anchor points. Use cells of {FINEST_SNAPPED} m or more, or small areas."
        )
        raise InputError(msg)


def _not_empty(history: History) -> History:
    if history.n == 0:
        msg = f"No record of {history.target.name} lies in the units before the cutoff."
        raise EmptyError(msg)
    return history
