"""The self-exciting point process as a model of the cells of a grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from placeshaping._core.compiled import compiled
from placeshaping._core.errors import InputError
from placeshaping.likelihood._excitation import Trigger
from placeshaping.likelihood.history import History
from placeshaping.likelihood.point_process import (
    FEWEST_EVENTS,
    SelfExcitingFit,
    fit_self_exciting,
)
from placeshaping.likelihood.protocol import Fitted, Forecast, check_enough
from placeshaping.likelihood.units import Units

Floats = NDArray[np.float64]

_A_DAY = pd.Timedelta(days=1)
_MOST_BRANCHING = 0.95  # beyond, the record of a step would have no mean
_LEAST = 1e-9
_SAMPLES = 3  # points along each side of a cell at which its background is read


@dataclass(frozen=True)
class SelfExciting:
    """
    Background plus what recent events set off near by (Mohler et al. 2011).

    For events with exact times on a grid of squares. Monthly, snapped counts
    have no order within a month: `EndemicEpidemic` is the model for those.

    Attributes
    ----------
    last_days
        Days before the cutoff that it is fitted to; None for all.
    most_days, most_metres, least_metres, neighbours, finest
        As in `fit_self_exciting`.

    Examples
    --------
    >>> SelfExciting().name
    'self-exciting'
    """

    last_days: int | None = 1096
    most_days: float = 60.0
    most_metres: float = 1000.0
    least_metres: float = 25.0
    neighbours: int = 10
    finest: float = 75.0

    @property
    def name(self) -> str:
        """As it stands in tables."""
        return "self-exciting"

    def fit(self, history: History, *, warm: Fitted | None = None) -> FittedSelfExciting:
        """
        Fit the process to the events of a history.

        Raises
        ------
        EmptyError
            If there are fewer than 100 events.
        InputError
            If the history holds counts alone, or its units are no squares.
        """
        check_enough(history, self.name, events=FEWEST_EVENTS)
        grid = _grid_of(history.units)
        events = _events_of(history)
        first = pd.Timestamp(history.periods[0])
        if self.last_days is not None:
            first = max(first, history.cutoff - self.last_days * _A_DAY)
        fit = fit_self_exciting(
            events,
            grid.area,
            start=first,
            end=history.cutoff,
            most_days=self.most_days,
            most_metres=self.most_metres,
            least_metres=self.least_metres,
            neighbours=self.neighbours,
            finest=self.finest,
            began_with=warm.fit.trigger if isinstance(warm, FittedSelfExciting) else None,
        )
        background = grid.mean_of(fit.background) * grid.size**2
        return FittedSelfExciting(history, self, fit, grid, background, _clock(history))


@dataclass(frozen=True, eq=False)
class FittedSelfExciting(Fitted):
    """
    A fitted process with the events that it forecasts from.

    Attributes
    ----------
    history
        What is known.
    model
        The options.
    fit
        The process.
    grid
        Places of the cells.
    background
        Expected background events a day in each cell.
    clock
        Rate within the shift over the rate of the whole day; 1 without a shift.
    """

    history: History
    model: SelfExciting
    fit: SelfExcitingFit
    grid: Grid
    background: Floats
    clock: float

    @property
    def parameters(self) -> Mapping[str, float | str]:
        """The four estimates and their standard errors."""
        table = self.fit.parameters
        found: dict[str, float | str] = {}
        for name, estimate in table["estimate"].items():
            found[str(name)] = float(estimate)
        for name, error in table["standard_error"].items():
            found[f"{name}_standard_error"] = float(error)
        return found

    def update(self, history: History) -> Self:
        """Take newer events; background and trigger stay."""
        return replace(self, history=history)

    def forecast(self, horizon: int = 1) -> Forecast:
        """
        Add up background, what recent events set off, and what those set off in turn.

        The last is worked out by the mean number of offspring, step by step,
        which is exact but for the place of an event within its cell.
        """
        history, trigger = self.history, self.fit.trigger
        begin, end = _spans_ahead(history, horizon)
        steps = zip(self._quiet(begin, end, horizon), self._excited(begin, end), strict=True)
        branching = min(trigger.branching, _MOST_BRANCHING)
        within = trigger.by((end - begin) / 2)
        expected: list[Floats] = []
        for step, (quiet, excited) in enumerate(steps):
            caused = sum(
                trigger.branching * _acting(trigger, begin, end, former, step) * self._near(before)
                for former, before in enumerate(expected)
            )
            expected.append((quiet + excited + caused) / (1 - branching * within[step]))
        table = np.maximum(np.column_stack(expected) * self.clock, _LEAST)
        excess = (1 - branching * trigger.by(end - begin)) ** -2 - 1
        return Forecast(
            units=history.units,
            periods=history.step.starts(history.ahead(horizon)),
            expected=table,
            size=table / np.maximum(excess, 1e-9),
            method=(
                f"Self-exciting point process (Mohler et al. 2011) fitted to "
                f"{len(self.fit.events):,} events up to {self.fit.end:%d %B %Y}: each sets off "
                f"{trigger.branching:.2f} others on average, within about "
                f"{1 / trigger.decay:.0f} days and {trigger.spread:.0f} m. Spread of the counts "
                "after Hawkes (1971)."
            ),
            cautions=(*history.cautions, *self.fit.cautions),
        )

    def _quiet(self, begin: Floats, end: Floats, horizon: int) -> Iterator[Floats]:
        """Yield the background of each step in each cell."""
        since = (self.history.cutoff - self.fit.start) / _A_DAY
        season = self.fit.season_of(since + (begin + end) / 2)
        for factor, days in zip(season, self.history.days_ahead(horizon), strict=True):
            yield self.background * factor * days

    def _excited(self, begin: Floats, end: Floats) -> Iterator[Floats]:
        """Yield what the events of the history set off in each step, in each cell."""
        x, y, age = _recent(self.history, self.fit.trigger)
        for first, last in zip(begin, end, strict=True):
            share = self.fit.trigger.by(last + age) - self.fit.trigger.by(first + age)
            yield self.fit.trigger.branching * self.grid.excited(x, y, share, self.fit.trigger)

    def _near(self, expected: Floats) -> Floats:
        return self.grid.blurred(expected, self.fit.trigger)


def _spans_ahead(history: History, horizon: int) -> tuple[Floats, Floats]:
    """Return begin and end of each step, in days after the cutoff."""
    numbers = history.ahead(horizon)
    spans = (history.step.starts(numbers), history.step.ends(numbers))
    begin, end = (((at - history.cutoff) / _A_DAY).to_numpy(dtype=np.float64) for at in spans)
    return begin, end


def _acting(trigger: Trigger, begin: Floats, end: Floats, former: int, step: int) -> float:
    """Return the share of the influence of one step's events that falls into a later step."""
    source = (begin[former] + end[former]) / 2
    passed = trigger.by(np.array([begin[step] - source, end[step] - source]))
    return float(passed[1] - passed[0])


def _events_of(history: History) -> pd.DataFrame:
    if history.events is None:
        msg = (
            "A self-exciting point process needs events with times. This history holds counts: "
            "use EndemicEpidemic, the model for counts."
        )
        raise InputError(msg)
    return history.events


def _recent(history: History, trigger: Trigger) -> tuple[Floats, Floats, Floats]:
    """Return place and age in days, at the cutoff, of the events that still act."""
    events = _events_of(history)
    since = history.cutoff - pd.Timedelta(days=trigger.most_days)
    kept = events[(events["time"] >= since) & (events["time"] < history.cutoff)]
    age = (history.cutoff - pd.DatetimeIndex(kept["time"])) / _A_DAY
    return kept["easting"].to_numpy(float), kept["northing"].to_numpy(float), age.to_numpy(float)


def _clock(history: History) -> float:
    """Return how far the rate within the shift lies above that of the whole day."""
    if history.step.shift is None:
        return 1.0
    _, inside = history.step.number(_events_of(history)["time"])
    length = float(history.step.hours(history.numbers[:1])[0]) / 24
    return max(float(inside.mean()), 1e-6) / length


@dataclass(frozen=True, eq=False)
class Grid:
    """Squares in rows and columns, and where each of them stands in a model's order."""

    west: float
    south: float
    size: float
    position: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def area(self) -> shapely.Geometry:
        """The squares as one outline."""
        x, y = self.west + self.column * self.size, self.south + self.row * self.size
        return shapely.union_all(shapely.box(x, y, x + self.size, y + self.size))

    def mean_of(self, density: Any) -> Floats:
        """Return the mean of a density over each square, from nine points."""
        steps = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * self.size
        x = (self.west + self.column * self.size)[:, None, None] + steps[None, None, :]
        y = (self.south + self.row * self.size)[:, None, None] + steps[None, :, None]
        x, y = np.broadcast_arrays(x, y)
        return np.asarray(density(x, y).mean(axis=(1, 2)))

    def excited(self, x: Floats, y: Floats, weight: Floats, trigger: Trigger) -> Floats:
        """Share Gaussians around points out among the squares, by their exact mass in each."""
        total = np.zeros(len(self))
        reach = min(trigger.most_metres, 5 * trigger.spread)
        place = ((x - self.west) / self.size, (y - self.south) / self.size)
        _share_out(
            *place, weight, self.position, trigger.spread / self.size, reach / self.size, total
        )
        return total

    def blurred(self, expected: Floats, trigger: Trigger) -> Floats:
        """Spread what is expected in each square over the squares near by."""
        flat = np.zeros(self.position.shape)
        flat[self.row, self.column] = expected
        wide = math.sqrt((trigger.spread / self.size) ** 2 + 1 / 12)
        blurred = ndimage.gaussian_filter(flat, wide, mode="constant")
        return np.asarray(blurred[self.row, self.column])


def _grid_of(units: Units) -> Grid:
    if units.cell is None or units.shape != "square":
        msg = (
            "A self-exciting point process needs a grid of squares: make_cells(area, size=250). "
            "For small areas use EndemicEpidemic, the model for counts."
        )
        raise InputError(msg)
    size = float(units.cell)
    corners = units.codes.to_series().str.extract(r"E(-?\d+)N(-?\d+)$").to_numpy(dtype=float)
    west, south = corners.min(axis=0)
    column = np.round((corners[:, 0] - west) / size).astype(np.int64)
    row = np.round((corners[:, 1] - south) / size).astype(np.int64)
    position = np.full((int(row.max()) + 1, int(column.max()) + 1), -1, dtype=np.int64)
    position[row, column] = np.arange(len(units))
    return Grid(float(west), float(south), size, position, row, column)


@compiled()
def _share_out(
    x: Any, y: Any, weight: Any, position: Any, spread: float, reach: float, total: Any
) -> None:
    rows, columns = position.shape
    scale = 1 / (spread * math.sqrt(2.0))
    for i in range(len(weight)):
        low_r, high_r = max(int(y[i] - reach), 0), min(int(y[i] + reach) + 1, rows)
        low_c, high_c = max(int(x[i] - reach), 0), min(int(x[i] + reach) + 1, columns)
        for r in range(low_r, high_r):
            up = 0.5 * (math.erf((r + 1 - y[i]) * scale) - math.erf((r - y[i]) * scale))
            for c in range(low_c, high_c):
                if position[r, c] >= 0:
                    right = 0.5 * (math.erf((c + 1 - x[i]) * scale) - math.erf((c - x[i]) * scale))
                    total[position[r, c]] += weight[i] * up * right
