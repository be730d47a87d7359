"""
Near repeats: whether a record makes another one nearby, soon after, more likely.

The table of Knox (1964) with bands of distance and of days, as for near
repeats of burglary by Townsley, Homel and Chaseling (2003). Pairs of events
are counted by how far apart they are in space and in time, and compared with
what would be if dates had nothing to do with places.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_choice, check_result, check_whole, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import in_plural
from placeshaping.hotspots._event_points import event_days, event_points
from placeshaping.hotspots._near_repeat_table import (
    FEW_EVENTS,
    band_rows,
    method_sentence,
    near_repeat_cautions,
    near_repeat_table,
)
from placeshaping.hotspots._near_repeat_table import PATTERNS as PATTERNS
from placeshaping.hotspots._space_time import (
    BLOCKS,
    ClosePairs,
    Floats,
    Metric,
    Whole,
    expected_pairs,
    find_close,
    permuted_tails,
    ratio_limits,
    seen_pairs,
    time_pairs,
)

_log = logging.getLogger(__name__)

DISTANCES = (0, 100, 200, 300, 400, 500)
"""Edges of the distance bands, metres."""

DAYS = (0, 7, 14, 21, 28, 35)
"""Edges of the time bands, days."""

FEWEST_EVENTS = 5


def knox(
    events: pd.DataFrame,
    *,
    distances: Sequence[float] = DISTANCES,
    days: Sequence[int] = DAYS,
    same_place: bool = True,
    metric: Metric = "euclidean",
    permutations: int = 999,
    alternative: Literal["greater", "two-sided"] = "greater",
    correction: Literal["fdr"] | None = "fdr",
    time: str = "time",
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Count pairs of events by distance and days apart, and compare with chance.

    Bands are half-open: a pair belongs where lower <= value < upper. Days are
    differences of dates. The expected number is the exact mean over all
    permutations of the dates (pairs close in space times pairs close in time,
    over all pairs), not the mean of some. p-values come from permutations of
    the dates among the events.

    Parameters
    ----------
    events
        One row an event: points in a reference system in metres, or columns
        ``easting`` and ``northing``; and a column of dates.
    distances
        Edges of the distance bands, metres, rising from 0.
    days
        Edges of the time bands, whole days, rising.
    same_place
        Whether 0 m is a band of its own, before the others; identical
        coordinates are one place.
    metric
        ``"euclidean"``, or ``"manhattan"`` (across plus along, as streets go).
    permutations
        Number of random permutations, 0 for no p-values.
    alternative
        ``"greater"``: more pairs than chance; ``"two-sided"``: twice the
        smaller tail.
    correction
        ``"fdr"``: Benjamini and Hochberg over the cells of the table; None:
        q-values are the p-values.
    time
        The column of dates.
    rng
        Seed or generator of the permutations.

    Returns
    -------
    table
        One row a cell. ``distance_band``, ``day_band`` (ordered categories,
        labelled as computed), ``from_m``, ``to_m``, ``from_days``,
        ``to_days`` (the last ones excluded), ``observed``, ``expected``,
        ``ratio`` with its 95 % limits ``lower`` and ``upper`` (twenty blocks
        of the area left out in turn), ``p_value``, ``q_value``, ``pattern``
        (one of `PATTERNS`, by the sign and q below 0.05). ``attrs["cautions"]``
        lists what a reader must know, ``attrs["method"]`` says what was done.

    Raises
    ------
    EmptyError
        If there are fewer than five events, or no two of them are close.
    InputError
        If bands do not rise, all events have one date, or places or dates are
        missing.
    CRSError, ColumnError
        If coordinates are degrees, or dates are none.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> places, dates = rng.uniform(400_000, 405_000, (200, 2)), rng.integers(0, 365, 200)
    >>> first = pd.DataFrame(places, columns=["easting", "northing"]).assign(time=dates)
    >>> events = pd.concat([first, first[:30] + [40, 30, 3]])
    >>> table = knox(events, distances=[0, 100, 200], days=[0, 7, 14])
    >>> table.astype(object).loc[2, ["distance_band", "day_band", "observed", "pattern"]].tolist()
    ['over 0 m, under 100 m', '0 to 6 days', 31, 'more']
    """
    _check_options(metric, alternative, permutations)
    xy, dates, limits, steps = _measured(events, distances, days, same_place, time)
    elapsed = dates - dates.min()
    pairs = find_close(xy, elapsed, limits, same_place=same_place, metric=metric)
    if not len(pairs.others):
        msg = f"No two of {len(xy):,} events are within {limits[-1]:g} m. Take larger distances."
        raise EmptyError(msg)
    seen, touched, block = seen_pairs(pairs, elapsed, steps, blocks=min(BLOCKS, len(xy)))
    expected = expected_pairs(pairs.per_band, time_pairs(elapsed, steps), len(xy))
    lower, upper = ratio_limits(pairs, elapsed, steps, seen, touched, block)
    p_values = _p_values(pairs, elapsed, steps, seen, permutations, alternative, rng)
    cells = {"observed": seen, "expected": expected, "lower": lower, "upper": upper}
    table = near_repeat_table(band_rows(limits, steps, same_place), cells, p_values, correction)
    cautions = tuple(near_repeat_cautions(xy, elapsed, table, permutations, correction == "fdr"))
    for caution in cautions:
        _log.warning("%s", caution)
    table.attrs = {
        "cautions": cautions,
        "method": method_sentence(len(xy), metric, permutations, alternative, correction),
        "events": len(xy),
        "pairs": len(pairs.others),
        "metric": metric,
        "same_place": same_place,
        "permutations": permutations,
    }
    return table


def describe_near_repeat(table: pd.DataFrame, *, what: str = "records") -> str:
    """
    Say in one paragraph, for people who are not statisticians, what a table of `knox` shows.

    Parameters
    ----------
    table
        From `knox`, with p-values.
    what
        What was counted: ``"burglaries"``, ``"vehicle crime"``.

    Returns
    -------
    paragraph
        With the strongest cell, how far and how long the effect reaches, and
        what it does not say.

    Raises
    ------
    InputError
        If the table has no p-values.

    Examples
    --------
    >>> spots = {"easting": np.arange(6) % 3 * 1e5, "northing": 0.0, "time": [1, 40, 80, 2, 60, 99]}
    >>> table = knox(pd.DataFrame(spots), days=[0, 7], distances=[0, 100])
    >>> describe_near_repeat(table)
    'In 6 records no band of distance and days holds more pairs than chance would give: ...'
    """
    check_result(table, made_by="knox", columns=["p_value", "pattern"], facts=["events"])
    if table["p_value"].isna().all():
        msg = "The table has no p-values: call knox with permutations=999."
        raise InputError(msg)
    events = f"{table.attrs['events']:,} {in_plural(what)}"
    found = table[table["pattern"] == "more"]
    if found.empty:
        return (
            f"In {events} no band of distance and days holds more pairs than chance would give: "
            "these records show no near repeats. That is no proof that there are none."
        )
    best = found.iloc[int(found["ratio"].argmax())]
    far, long = found["to_m"].max(), int(found["to_days"].max())
    reach = "at the same place" if far == 0 else f"within {far:g} m"
    return (
        f"In {events}, the pairs {_spoken(best)} were {best['ratio']:.1f} times as many as if "
        f"places and dates had nothing to do with each other ({int(best['observed']):,} seen, "
        f"{best['expected']:,.1f} expected; 95% interval {best['lower']:.1f} to "
        f"{best['upper']:.1f} times). Counts above chance were found {reach} and within "
        f"{long:,} days, in {len(found)} of {len(table)} bands. It says when and where another "
        f"was more likely after one, not why, and not by whom."
    )


def _spoken(cell: pd.Series[Any]) -> str:
    """Say which pairs a cell holds."""
    place, near = (
        str(cell["distance_band"]),
        f"{cell['from_m']:g} to under {cell['to_m']:g} m apart",
    )
    if place.endswith("(same place)"):
        near = "at the same place"
    elif place.startswith("over 0 m"):
        near = f"at different places under {cell['to_m']:g} m apart"
    return f"{near}, {cell['day_band']} apart,"


def _check_options(metric: str, alternative: str, permutations: int) -> None:
    check_choice(metric, ("euclidean", "manhattan"), name="metric")
    check_choice(alternative, ("greater", "two-sided"), name="alternative")
    check_whole(permutations, name="permutations", least=0)


def _measured(
    events: pd.DataFrame,
    distances: Sequence[float],
    days: Sequence[int],
    same_place: bool,
    time: str,
) -> tuple[Floats, Whole, Floats, Whole]:
    """Return places, dates, and the edges of the bands of both."""
    xy, dates = event_points(events), event_days(events, time)
    if len(xy) < FEWEST_EVENTS:
        msg = (
            f"A table of pairs needs at least {FEWEST_EVENTS} events, and {FEW_EVENTS} to be "
            f"trusted; given: {len(xy)}."
        )
        raise EmptyError(msg)
    if dates.min() == dates.max():
        msg = f"All {len(xy):,} events have one date: nothing can be told about time."
        raise InputError(msg)
    limits = _edges(distances, name="distances")
    if same_place and limits[0] != 0:
        msg = f"distances begin at {limits[0]:g} m: give 0 first, or same_place=False."
        raise InputError(msg)
    steps = _edges(days, name="days")
    if (steps != np.floor(steps)).any() or steps[-1] > 32_767:
        msg = f"days are {listed(list(days))}: give whole numbers of days, up to 32,767."
        raise InputError(msg)
    return xy, dates, limits, steps.astype(np.int64)


def _edges(given: Sequence[float], *, name: str) -> Floats:
    edges = np.asarray(given, dtype=np.float64)
    rising = edges.ndim == 1 and len(edges) > 1 and np.isfinite(edges).all()
    if not rising or edges[0] < 0 or (np.diff(edges) <= 0).any():
        msg = f"{name} are {given}: give the edges of at least one band, rising from 0 or more."
        raise InputError(msg)
    return edges


def _p_values(
    pairs: ClosePairs,
    days: Whole,
    steps: Whole,
    seen: Whole,
    permutations: int,
    alternative: str,
    rng: int | np.random.Generator,
) -> Floats:
    if not permutations:
        return np.full(seen.shape, np.nan)
    seed = int(np.random.default_rng(rng).integers(1 << 62))
    above, below = permuted_tails(pairs, days, steps, seen, permutations=permutations, seed=seed)
    tail = above if alternative == "greater" else 2 * np.minimum(above, below) + 1
    return np.asarray(np.minimum((tail + 1) / (permutations + 1), 1.0))
