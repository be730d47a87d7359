"""
Period by period: treated areas over what the comparison areas would have them be.

Before the start the two should go together; the test of that has little power
in short or rare series, and passing it proves nothing about the time after
(Roth 2022).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from placeshaping._core.errors import InputError
from placeshaping.shaping._reassigned import (
    FEWEST_SETS,
    lie_together,
    sets_of,
    sets_together,
    share_as_far,
)
from placeshaping.shaping.displacement import LEVEL, overdispersion, straying
from placeshaping.shaping.evaluation import COMPARISON, TREATED, Floats, Panel

FEWEST_BEFORE = 3
"""Periods before from which on a trend can be looked for."""


def event_study(panel: Panel, *, level: float = LEVEL) -> pd.DataFrame:
    """
    Compare each period with the time before as a whole.

    Parameters
    ----------
    panel
        From `make_panel`, best in blocks of some months (`in_blocks`).
    level
        Of the intervals.

    Returns
    -------
    table
        By ``period``: ``after``, ``observed`` and ``expected`` in the treated
        areas (what they had before, scaled by the comparison areas' period
        over their time before), ``ratio`` of the two with ``lower`` and
        ``upper``; missing where the comparison areas had nothing.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> months = pd.date_range("2024-01-01", periods=4, freq="MS")
    >>> counts = pd.DataFrame({"area_code": np.repeat(["a", "b", "c"], 4),
    ...                        "period": np.tile(months, 3), "count": [50, 52, 51, 25] + [50] * 8})
    >>> panel = make_panel(counts, treated=["a"], start="2024-04-01")
    >>> event_study(panel)["ratio"].round(2).tolist()
    [0.98, 1.02, 1.0, 0.49]
    """
    after = panel.after
    own, others = panel.of(TREATED).sum(axis=0), panel.of(COMPARISON).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, se = _ratios(own, others, ~after)
    spread = overdispersion(panel)
    freedom = spread.freedom if spread.factor > 1 else 1e9
    wider = np.sqrt(spread.factor) * straying(panel, spread, level=level)
    reach = float(stats.t.ppf(0.5 + level / 2, freedom)) * wider * se
    expected = own[~after].sum() * others / others[~after].sum()
    return pd.DataFrame(
        {
            "after": after,
            "observed": own,
            "expected": expected,
            "ratio": ratio,
            "lower": np.maximum(ratio - reach, 0),
            "upper": ratio + reach,
        },
        index=panel.counts.columns.rename("period"),
    )


def _ratios(own: Floats, others: Floats, before: np.ndarray) -> tuple[Floats, Floats]:
    """Return observed over expected and its Poisson standard error; before, both share counts."""
    own_before, others_before = own[before].sum(), others[before].sum()
    expected = own_before * others / others_before
    ratio = own / expected
    level = np.where(ratio > 0, ratio, 1.0)
    shared = np.where(before, -1.0, 1.0)
    variance = np.maximum(own, expected) / expected**2 + level**2 * (
        1 / others + shared * (1 / own_before + 1 / others_before)
    )
    return ratio, np.sqrt(np.maximum(variance, 0))


def pre_trend(
    panel: Panel,
    *,
    draws: int = 1999,
    rng: int | np.random.Generator = 0,
    level: float = LEVEL,
) -> pd.DataFrame:
    """
    Test whether treated and comparison areas went together before the start.

    Two statistics, each compared with what it is for other sets of areas of
    the same number: Pearson's chi-squared over the periods before (any
    difference), and the slope of the treated share (a drift). Sets that lie
    together, where the treated areas do and the panel knows where they are.

    Parameters
    ----------
    panel
        From `make_panel`.
    draws
        Sets of areas.
    rng
        Seed or generator.
    level
        Of the interval of the slope.

    Returns
    -------
    table
        Rows ``together`` and ``drift``; ``statistic`` (chi-squared; per cent a
        year), ``lower`` and ``upper`` (of the drift), ``p_value``.
        ``attrs["periods"]``: how many periods there were.

    Raises
    ------
    InputError
        If there are fewer than three periods before, or fewer than 20 sets.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> months = pd.date_range("2024-01-01", periods=5, freq="MS")
    >>> codes = [f"a{i:02}" for i in range(30)]
    >>> counts = pd.DataFrame({"area_code": np.repeat(codes, 5), "period": np.tile(months, 30),
    ...                        "count": np.arange(150) % 7})
    >>> panel = make_panel(counts, treated=codes[:2], start="2024-05-01")
    >>> bool(pre_trend(panel).loc["together", "p_value"] > 0.05)
    True
    """
    before = ~panel.after
    if before.sum() < FEWEST_BEFORE:
        msg = (
            f"There are {before.sum()} periods before {panel.start.date()}: whether the areas went "
            f"together needs at least {FEWEST_BEFORE}."
        )
        raise InputError(msg)
    counts = np.vstack([panel.of(TREATED)[:, before], panel.of(COMPARISON)[:, before]])
    treated = int((panel.roles == TREATED).sum())
    places = panel.places(TREATED, COMPARISON)
    if places is not None and lie_together(places, treated):
        sets = sets_together(places, treated, most=draws, rng=rng)
    else:
        sets = sets_of(len(counts), treated, most=draws, rng=rng)
    if len(sets) < FEWEST_SETS:
        msg = (
            f"{treated} treated and {len(counts) - treated} comparison areas can be told apart in "
            f"{len(sets)} ways, and {FEWEST_SETS} are needed. Name more comparison areas."
        )
        raise InputError(msg)
    years = _years(panel.counts.columns[before])
    chi, slope = _statistics(counts, sets, years)
    reach = float(np.quantile(np.abs(slope[1:] - np.median(slope)), level))
    table = pd.DataFrame(
        {
            "statistic": [chi[0], 100 * slope[0]],
            "lower": [np.nan, 100 * (slope[0] - reach)],
            "upper": [np.nan, 100 * (slope[0] + reach)],
            "p_value": [float((chi >= chi[0] * (1 - 1e-9)).mean()), share_as_far(slope)],
        },
        index=pd.Index(["together", "drift"], name="test"),
    )
    table.attrs["periods"] = int(before.sum())
    return table


def _years(periods: pd.Index) -> Floats:
    days = (pd.DatetimeIndex(periods) - pd.Timestamp(periods[0])).days
    years: Floats = np.asarray(days, dtype=np.float64) / 365.25
    return years


def _statistics(counts: Floats, sets: Floats, years: Floats) -> tuple[Floats, Floats]:
    """Return chi-squared and slope of every set; both allow for sets of few records."""
    every = counts.sum(axis=0)
    own = sets @ counts
    share = own.sum(axis=1, keepdims=True) / every.sum()
    expected = share * every
    with np.errstate(divide="ignore", invalid="ignore"):
        cells = (own - expected) ** 2 / (expected * (1 - share))
    chi = np.nan_to_num(cells, nan=0.0).sum(axis=1)
    away = years - (years * every).sum() / every.sum()
    per_year = (own - expected) @ away / np.maximum(expected @ away**2, 1e-300)
    return chi, per_year
