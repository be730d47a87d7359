"""
Whether a fitted self-exciting process fits.

By the time-rescaling theorem the compensator turns the events of a process into
a Poisson process of rate one (Ogata 1988): its gaps are exponential if the
process is right in time. In space, what was recorded in each cell is held
against what the process expects there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from placeshaping._core.compiled import compiled
from placeshaping.likelihood.point_process import SelfExcitingFit
from placeshaping.likelihood.self_exciting import Grid

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Residuals:
    """
    What a fitted process leaves unexplained.

    Attributes
    ----------
    gaps
        Transformed gaps between events; exponential with mean one where the
        process is right.
    ks_statistic, p_value
        Kolmogorov-Smirnov distance of the gaps from that, and its p-value
        (too high, since parameters were estimated from the same events).
    months
        Index: first day of each month; columns ``observed``, ``expected``,
        ``pearson`` (difference over the root of the expected).
    """

    gaps: Floats
    ks_statistic: float
    p_value: float
    months: pd.DataFrame


def residual_analysis(fit: SelfExcitingFit) -> Residuals:
    """
    Check a process in time.

    Parameters
    ----------
    fit
        A fitted process.

    Returns
    -------
    residuals
        Transformed gaps, their test, and a table by month.
    """
    days = fit.events["day"].to_numpy()
    duration = (fit.end - fit.start) / pd.Timedelta(days=1)
    firsts = pd.date_range(fit.start.normalize().replace(day=1), fit.end, freq="MS")
    since = ((firsts - fit.start) / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
    edges = np.unique(np.append(np.clip(since, 0, duration), duration))
    gaps = np.diff(_compensator(fit, days), prepend=0.0)
    statistic, p_value = stats.kstest(gaps, "expon")
    expected = np.diff(_compensator(fit, edges))
    observed = np.histogram(days, edges)[0]
    months = pd.DataFrame(
        {
            "observed": observed,
            "expected": expected,
            "pearson": (observed - expected) / np.sqrt(expected),
        },
        index=pd.DatetimeIndex(fit.start + pd.to_timedelta(edges[:-1], unit="D"), name="month"),
    )
    return Residuals(gaps, float(statistic), float(p_value), months)


def spatial_residuals(fit: SelfExcitingFit, grid: Grid) -> pd.DataFrame:
    """
    Hold what was recorded in each cell against what the process expects there.

    Parameters
    ----------
    fit
        A fitted process.
    grid
        Squares, in the order of the result.

    Returns
    -------
    residuals
        ``observed``, ``expected``, ``pearson``, one row a cell.
    """
    x, y = fit.events["easting"].to_numpy(), fit.events["northing"].to_numpy()
    duration = (fit.end - fit.start) / pd.Timedelta(days=1)
    left = duration - fit.events["day"].to_numpy()
    season = fit.season_of(np.arange(int(duration)) + 0.5).mean()
    quiet = grid.mean_of(fit.background) * grid.size**2 * duration * season
    excited = grid.excited(x, y, fit.trigger.by(left), fit.trigger)
    expected = quiet + fit.trigger.branching * excited
    row = ((y - grid.south) // grid.size).astype(np.int64)
    column = ((x - grid.west) // grid.size).astype(np.int64)
    cells = grid.position[row, column]
    observed = np.bincount(cells[cells >= 0], minlength=len(grid))
    pearson = (observed - expected) / np.sqrt(np.maximum(expected, 1e-12))
    return pd.DataFrame({"observed": observed, "expected": expected, "pearson": pearson})


def _compensator(fit: SelfExcitingFit, at: Floats) -> Floats:
    """Return how many events the process expects up to each time, from what came before it."""
    whole = np.arange(int(np.ceil(at.max(initial=0))) + 1, dtype=float)
    season = fit.season_of(whole[:-1] + 0.5) if len(whole) > 1 else np.ones(0)
    quiet = np.interp(at, whole, np.concatenate([[0.0], np.cumsum(season)]))
    days, trigger = fit.events["day"].to_numpy(), fit.trigger
    caused = _passed(days, at, trigger.decay, trigger.most_days)
    return np.asarray(fit.background_per_day * quiet + trigger.branching * caused)


@compiled()
def _passed(days: Any, at: Any, decay: float, most: float) -> Any:
    """Add up, for each time, the shares of earlier events' influence that have passed."""
    whole = -np.expm1(-decay * most)
    total = np.zeros(len(at))
    first = 0
    for k in range(len(at)):
        while first < len(days) and days[first] <= at[k] - most:
            first += 1
        passed = float(first)
        j = first
        while j < len(days) and days[j] < at[k]:
            passed += -np.expm1(-decay * (at[k] - days[j])) / whole
            j += 1
        total[k] = passed
    return total
