"""What successive answers give away together: cells of several sizes, days, districts, models."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from shapely import box

from placeshaping.likelihood.baselines import TrailingCounts
from placeshaping.likelihood.history import History, history_of_events
from placeshaping.likelihood.offences import make_target
from placeshaping.likelihood.units import make_cells, make_units
from placeshaping.project.patrol_facts import told_parameters, told_share
from placeshaping.project.patrol_labels import FLOOR, count_nearby, in_bins, steps_of
from placeshaping.project.patrol_protect import tellable

SIDE = 4000
STUDY = gpd.GeoDataFrame(geometry=[box(0, 0, SIDE, SIDE)], crs=27700)
SIZES = (250, 500, 1000)


UNITS = {size: make_units(make_cells(STUDY, size=size)) for size in SIZES}
SMALL = UNITS[250]
INSIDE = {size: units.locate(SMALL.xy[:, 0], SMALL.xy[:, 1]) for size, units in UNITS.items()}
"""Which cell of each size each small one lies in."""

Flags = dict[int, NDArray[np.bool_]]


def place_of(xy: NDArray[np.float64], size: int) -> Any:
    return SimpleNamespace(units=UNITS[size], at=UNITS[size].locate(xy[:, 0], xy[:, 1]))


def told_by(shown: Flags, held: NDArray[np.int64], *, alone: bool) -> Iterator[tuple[Any, ...]]:
    """
    Yield what cells tell: which small cells together hold from how many to how many.

    The attacker knows the rule: a gap has one to four records, or else (unless each size goes by
    itself alone) lies in a larger gap.
    """
    for size in SIZES:
        larger = [one for one in SIZES if one > size]
        for cell in range(len(UNITS[size])):
            inside = INSIDE[size] == cell
            first = int(np.flatnonzero(inside)[0])
            if shown[size][cell]:
                total = held[inside].sum()
                yield inside, min(total, FLOOR), np.inf if total else 0
            elif alone or all(shown[one][INSIDE[one][first]] for one in larger):
                yield inside, 1, FLOOR - 1


def narrowest(shown: Flags, held: NDArray[np.int64], *, alone: bool = False) -> tuple[int, int]:
    """Bound the count of gaps of 250 m by what three sizes tell; return the narrowest span."""
    rows, low, high = zip(*told_by(shown, held, alone=alone), strict=True)
    rule = LinearConstraint(np.array(rows, dtype=float), low, high)
    whole = np.ones(len(SMALL), dtype=int)
    spans = []
    for cell in np.flatnonzero(~shown[250])[:24]:
        goal = (np.arange(len(SMALL)) == cell).astype(float)
        ends = [
            milp(sign * goal, constraints=rule, bounds=Bounds(0, 99), integrality=whole)
            for sign in (1, -1)
        ]
        spans.append((round(ends[0].fun or 0), -round(ends[1].fun or 0)))
    return min(spans, key=lambda span: span[1] - span[0])


def sparse_places(seed: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.vstack([rng.uniform(0, SIDE, (45, 2)), rng.uniform(0, SIDE / 4, (60, 2))])


@pytest.mark.parametrize("seed", range(2))
def test_answers_in_cells_of_three_sizes_leave_each_gap_as_wide_as_its_mark(seed: int) -> None:
    xy = sparse_places(seed)
    places = {size: place_of(xy, size) for size in SIZES}
    held = np.bincount(places[250].at, minlength=len(places[250].units))
    told = {size: tellable(one) for size, one in places.items()}
    least, most = narrowest(told, held)
    assert most - least >= FLOOR - 2


def test_the_attack_by_sizes_breaks_a_floor_that_looks_at_each_size_alone() -> None:
    xy = np.array([[100.0, 100], [100, 400], [400, 100], [400, 400]])  # one in each of four cells
    xy = np.vstack([xy, np.full((9, 2), 900.0)])
    places = {size: place_of(xy, size) for size in SIZES}
    counts = {size: np.bincount(one.at, minlength=len(one.units)) for size, one in places.items()}
    alone = {size: (held == 0) | (held >= FLOOR) for size, held in counts.items()}
    assert narrowest(alone, counts[250], alone=True) == (1, 1)
    told = {size: tellable(one) for size, one in places.items()}
    least, most = narrowest(told, counts[250])
    assert most - least >= FLOOR - 2


def daily(days: int, seed: int, *, rate: float = 0.5) -> History:
    """Return a history of days on nine cells: one block."""
    rng = np.random.default_rng(seed)
    when = pd.Timestamp("2024-03-01") + pd.to_timedelta(
        np.sort(rng.uniform(0, days, rng.poisson(rate * days))), unit="D"
    )
    events = pd.DataFrame({"time": when.floor("s"), "category": "Burglary"})
    events["easting"], events["northing"] = rng.uniform(1, 749, (2, len(events)))
    units = make_units(
        make_cells(gpd.GeoDataFrame(geometry=[box(0, 0, 750, 750)], crs=27700), size=250)
    )
    return history_of_events(
        events, units, target=make_target("Burglary"), step="day", first="2024-03-01",
        cutoff=pd.Timestamp("2024-03-01") + pd.Timedelta(days=days),
    )  # fmt: skip


def pinned(windows: list[tuple[int, int]], classes: list[int], days: int) -> int:
    """Count the days whose number comes back exactly from classes of sums over windows."""
    ends = {0: (0, FLOOR - 1), 1: (FLOOR, 2 * FLOOR - 1), 2: (2 * FLOOR, np.inf)}
    rows = np.zeros((len(windows), days))
    for row, (first, last) in enumerate(windows):
        rows[row, first:last] = 1
    rule = LinearConstraint(rows, *np.array([ends[c] for c in classes]).T)
    exact, whole = 0, np.ones(days, dtype=int)
    for day in range(days):
        goal = np.zeros(days)
        goal[day] = 1
        low, high = (
            milp(sign * goal, constraints=rule, bounds=Bounds(0, 9), integrality=whole)
            for sign in (1, -1)
        )
        exact += bool(low.success and high.success and round(low.fun) == -round(high.fun) > 0)
    return exact


def test_daily_answers_do_not_tell_how_many_were_recorded_on_a_day() -> None:
    days, window = 70, 28
    history = daily(days, seed=2, rate=5 / window)
    series = [history.cut(last) for last in range(35, days + 1)]
    middle = 4  # the block of the middle cell is all nine
    told = [count_nearby(one) for one in series]
    classes = [
        int(np.searchsorted([FLOOR, 2 * FLOOR], one.recent[middle], "right")) for one in told
    ]
    first = pd.Timestamp("2024-03-01")
    starts = [(pd.Timestamp(one.since.removeprefix("since ")) - first).days for one in told]
    windows = [
        (max(start, 0), last) for start, last in zip(starts, range(35, days + 1), strict=True)
    ]
    assert pinned(windows, classes, days) == 0


def test_the_attack_on_days_breaks_windows_that_slide() -> None:
    days, window = 18, 9
    counts = np.arange(days) % 2 == 0  # one record every other day: the sum goes up and down
    sliding = [(last - window, last) for last in range(window, days + 1)]
    fixed = [((last // 5 - 1) * 5, last) for last in range(window, days + 1)]
    exact = [
        pinned(windows, [class_of(counts[first:last].sum()) for first, last in windows], days)
        for windows in (sliding, fixed)
    ]
    assert exact[0] >= 4
    assert exact[1] == 0


def class_of(count: int) -> int:
    return int(np.searchsorted([FLOOR, 2 * FLOOR], count, "right"))


def test_windows_of_reasons_begin_on_the_same_day_for_a_fortnight() -> None:
    history = daily(80, seed=1)
    told = {last: count_nearby(history.cut(last)) for last in range(40, 81)}
    since = [one.since for one in told.values()]
    assert len(set(since)) <= 4
    for before, after in zip(list(told.values()), list(told.values())[1:], strict=False):
        if before.since == after.since:
            assert (after.recent >= before.recent).all()


@pytest.mark.parametrize("model", ["trailing 28 days", "trailing 12 months", "trailing 13 days"])
def test_likelihood_tells_no_more_than_bins_of_five_whatever_it_is_set_beside(model: str) -> None:
    history = daily(400, seed=3, rate=2.0)
    window = model.removeprefix("trailing ")
    expected = TrailingCounts(window).fit(history).forecast(1).expected[:, 0]
    around = expected + history.units.neighbours @ expected
    steps = steps_of(model, history)
    binned = in_bins(around, steps)
    bins = np.unique(np.round(binned * steps / FLOOR - 0.5, 6))
    assert np.allclose(bins, np.round(bins)) or (binned == 0).any()
    whole = np.floor(around * steps / FLOOR)
    for one in np.unique(whole):
        assert len(np.unique(binned[whole == one])) == 1


def test_parameters_do_not_give_the_records_of_a_day_back() -> None:
    exact = [n / (1289 * 1096) for n in range(1753, 1760)]
    told = {told_parameters({"mean": mean}, 1753)["mean"] for mean in exact}
    assert len(told) == 1
    assert told_share(1, 60) == told_share(2, 60)


def test_districts_that_share_a_cell_tell_the_same_of_it() -> None:
    xy = np.random.default_rng(5).uniform(0, SIDE, (900, 2))
    halves = (box(0, 0, 2100, SIDE), box(2100, 0, SIDE, SIDE))  # the line runs through cells
    held = []
    for half in halves:
        units = make_units(make_cells(gpd.GeoDataFrame(geometry=[half], crs=STUDY.crs), size=250))
        at = units.locate(xy[:, 0], xy[:, 1])
        held.append(pd.Series(np.bincount(at[at >= 0], minlength=len(units)), index=units.codes))
    shared = held[0].index.intersection(held[1].index)
    assert len(shared) == SIDE // 250
    whole = pd.Series(
        np.bincount(SMALL.locate(xy[:, 0], xy[:, 1]), minlength=len(SMALL)), index=SMALL.codes
    )
    for one in held:
        pd.testing.assert_series_equal(one[shared], whole[shared])
