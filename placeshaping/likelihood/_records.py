"""Records into steps and units: the checks and conversions behind a history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError, UnmatchedError
from placeshaping.likelihood.offences import Target, make_target
from placeshaping.likelihood.steps import Resolution, Step
from placeshaping.likelihood.units import Units
from placeshaping.sources.offences import normalise_category

FINEST_SNAPPED = 250
"""Side in metres of the smallest cells that monthly, snapped records bear."""

UntimedRule = Literal["raise", "drop", "draw"]


def settled_target(target: Target | str | Sequence[str] | None, events: pd.DataFrame) -> Target:
    if isinstance(target, Target):
        return target
    return make_target(list(events["category"].unique()) if target is None else target)


def of_target(table: pd.DataFrame, target: Target) -> tuple[pd.DataFrame, list[str]]:
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


def numbers_known(
    periods: pd.Series[Any], step: Step, cutoff: str | pd.Timestamp | None
) -> NDArray[np.int64]:
    every = np.unique(step.number(periods.drop_duplicates())[0])
    if cutoff is not None:
        every = every[every <= last_ended(step, cutoff)]
    if not len(every):
        msg = f"No month of the counts ends before the cutoff {cutoff}."
        raise EmptyError(msg)
    return every


def last_ended(step: Step, cutoff: str | pd.Timestamp) -> int:
    """Return the number of the last step that ends by the cutoff."""
    near = int(step.number([pd.Timestamp(cutoff)])[0][0]) - np.arange(3)
    return int(near[step.ends(near) <= pd.Timestamp(cutoff)].max())


def check_matched(codes: pd.Series[Any], position: NDArray[np.intp]) -> None:
    lost = codes[position < 0].unique()
    if len(lost):
        msg = (
            f"{len(lost):,} codes of the counts are not among the units ({listed(list(lost))}). "
            "Leave them out, or make the units from the same areas."
        )
        raise UnmatchedError(msg)


def whole_counts(values: pd.Series[Any]) -> NDArray[np.int64]:
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = int((~(numbers >= 0) | (numbers != np.floor(numbers))).sum())
    if wrong:
        msg = f"{wrong:,} of {len(numbers):,} counts are missing, negative or no whole numbers."
        raise InputError(msg)
    return numbers.astype(np.int64)


def matrix(
    rows: NDArray[Any], columns: NDArray[Any], values: NDArray[np.int64], shape: tuple[int, int]
) -> sparse.csc_array:
    counts = sparse.csc_array((values, (rows, columns)), shape=shape, dtype=np.int64)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def timed(
    rows: pd.DataFrame, step: Step, untimed: UntimedRule, rng: np.random.Generator
) -> tuple[pd.DataFrame, list[str]]:
    """Return places and times of the events that have a time, one drawn from its span if asked."""
    column = "time" if "time" in rows else "period"
    check_columns(rows.columns, [column], where="events")
    if not pd.api.types.is_datetime64_any_dtype(rows[column]):
        msg = f"Column {column!r} holds no dates. Use pandas.to_datetime, or read_services."
        raise ColumnError(msg)
    places = [name for name in ("easting", "northing", "area_code") if name in rows]
    table = rows[places].assign(time=local(rows[column], step))
    start = table["time"]
    end = local(rows["time_to"], step) if "time_to" in rows else start
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


def local(times: pd.Series[Any], step: Step) -> pd.Series[Any]:
    """Return times without a zone: those with one as the clock showed in the step's zone."""
    zone = getattr(times.dtype, "tz", None)
    if zone is None:
        return times
    shown = times if step.zone is None else times.dt.tz_convert(step.zone)
    local: pd.Series[Any] = shown.dt.tz_localize(None)
    return local


def placed(table: pd.DataFrame, units: Units) -> NDArray[np.intp]:
    if units.cell is None:
        check_columns(table.columns, ["area_code"], where="events")
        return np.asarray(units.codes.get_indexer(pd.Index(table["area_code"])), dtype=np.intp)
    check_columns(table.columns, ["easting", "northing"], where="events")
    return units.locate(table["easting"].to_numpy(float), table["northing"].to_numpy(float))


def check_resolution(step: Step, resolution: Resolution) -> None:
    needs = "time" if step.shift else step.unit
    fine = {"time": ("time",), "day": ("time", "day"), "week": ("time", "day")}
    if resolution not in fine.get(needs, ("time", "day", "month")):
        msg = (
            f"The times of the events are known to the {resolution} only: a step of one "
            f"{'shift' if step.shift else step.unit} is shorter. Use step='month'."
        )
        raise InputError(msg)


def check_cells(units: Units, resolution: Resolution) -> None:
    if resolution == "month" and units.cell is not None and units.cell < FINEST_SNAPPED:
        msg = (
            f"Cells of {units.cell} m are finer than monthly records bear: their places are "
            f"snapped to anchor points. Use cells of {FINEST_SNAPPED} m or more, or small areas."
        )
        raise InputError(msg)


def in_steps(
    times: pd.Series[Any],
    step: Step,
    first: str | pd.Timestamp | None,
    cutoff: str | pd.Timestamp | None,
) -> tuple[int, int, NDArray[np.int64], NDArray[np.bool_]]:
    """Return the first step and how many there are; each time's position, and whether it counts."""
    number, inside = step.number(times)
    low = int(step.number([pd.Timestamp(first)])[0][0]) if first is not None else int(number.min())
    high = last_ended(step, cutoff) if cutoff is not None else int(number.max())
    if high < low:
        msg = f"No {step.unit} lies between the first event and the cutoff {cutoff}."
        raise EmptyError(msg)
    return low, high - low + 1, number - low, inside & (number >= low) & (number <= high)
