"""
What a model sees: counts by unit and step up to a cutoff, and nothing after it.

A history comes from monthly counts of small areas or from events with times on a
grid. To cut one is to make another that does not hold what came later; a model is
given nothing else, so it cannot look ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_choice, check_columns
from placeshaping._core.errors import EmptyError
from placeshaping.likelihood._records import (
    UntimedRule,
    check_cells,
    check_matched,
    check_resolution,
    in_steps,
    matrix,
    numbers_known,
    of_target,
    placed,
    settled_target,
    timed,
    whole_counts,
)
from placeshaping.likelihood.covariates import check_covariates
from placeshaping.likelihood.offences import Target, make_target
from placeshaping.likelihood.steps import Step, StepUnit, resolution_of
from placeshaping.likelihood.units import Units


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
        return np.asarray(counts)

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
    check_cells(units, "month")
    step = Step("month")
    rows, cautions = of_target(counts, target)
    every = numbers_known(counts["period"], step, cutoff)
    number = step.number(rows["period"])[0]
    keep = number <= every[-1]
    position = units.codes.get_indexer(pd.Index(rows["area_code"]))
    check_matched(rows["area_code"], position)
    value = whole_counts(rows["count"])
    first, span = int(every[0]), int(every[-1] - every[0] + 1)
    history = History(
        units=units,
        step=step,
        first=first,
        counts=matrix(position[keep], number[keep] - first, value[keep], (len(units), span)),
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
    target = settled_target(target, events)
    rows, told = of_target(events, target)
    table, cautions = timed(rows, step, untimed, np.random.default_rng(rng))
    table["unit"] = placed(table, units)
    resolution = resolution_of(table["time"])
    check_resolution(step, resolution)
    check_cells(units, resolution)
    table = table.sort_values("time", kind="stable", ignore_index=True)
    low, span, position, inside = in_steps(table["time"], step, first, cutoff)
    unit = table["unit"].to_numpy()
    counted, beyond = inside & (unit >= 0), inside & (unit < 0)
    ones = np.ones(int(counted.sum()), dtype=np.int64)
    kept = (position >= 0) & (position < span) & (unit >= 0)
    history = History(
        units=units,
        step=step,
        first=low,
        counts=matrix(unit[counted], position[counted], ones, (len(units), span)),
        known=np.ones(span, dtype=bool),
        target=target,
        events=table[kept].reset_index(drop=True),
        outside=np.bincount(position[beyond], minlength=span).astype(np.int64),
        covariates=None if covariates is None else check_covariates(covariates, units.codes),
        cautions=(*target.cautions, *told, *cautions),
    )
    return _not_empty(history)


def _not_empty(history: History) -> History:
    if history.n == 0:
        msg = f"No record of {history.target.name} lies in the units before the cutoff."
        raise EmptyError(msg)
    return history
