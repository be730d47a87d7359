"""Rows of a backtest, flags by period, and the model that did best on some origins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError
from placeshaping.likelihood.backtest import Backtest, part_column
from placeshaping.likelihood.stability import caught_by_one

Floats = NDArray[np.float64]

TRAILING = "trailing "
"""How the names of trailing counts begin."""


def caught_by_either(backtest: Backtest, model: str, other: str, share: float) -> pd.DataFrame:
    """Return the events that only one of two models caught, by period: ``alone``, ``missed``."""
    ours, theirs = (flagged_parts(backtest, name, share) for name in (model, other))
    rows = {}
    for period in ours.keys() & theirs.keys():
        y = events_of(backtest, period)
        one, two = ours[period], theirs[period]
        rows[period] = (caught_by_one(y, one, two), caught_by_one(y, two, one))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["alone", "missed"]).sort_index()


def flagged_parts(backtest: Backtest, model: str, share: float) -> dict[pd.Timestamp, Floats]:
    """Return the part of each unit that a model flagged, by period."""
    rows = backtest.flags[backtest.flags["model"] == model]
    out = {}
    for period, group in rows.groupby("period", sort=True):
        part = np.zeros(len(backtest.history.units))
        part[group["unit"].to_numpy()] = group[part_column(share)].to_numpy()
        out[pd.Timestamp(str(period))] = part
    return out


def events_of(backtest: Backtest, period: pd.Timestamp) -> Floats:
    """Return the events of each unit in a period that was forecast."""
    history = backtest.history
    return history.at(int(history.step.number([period])[0][0]) - history.first)


def rows_at(backtest: Backtest, share: float) -> pd.DataFrame:
    if share not in backtest.plan.shares:
        msg = f"share is {share}; the backtest flagged {listed(backtest.plan.shares)}."
        raise InputError(msg)
    scores = backtest.scores
    return scores[(scores["share"] == share) & (scores["reason"] == "")]


def choose(rows: pd.DataFrame) -> tuple[str, str]:
    """Return the model and the trailing counts that caught most, of those with most origins."""
    if not rows["model"].str.startswith(TRAILING).any():
        msg = "There are no trailing counts with a forecast to compare with. Add TrailingCounts()."
        raise InputError(msg)
    origins = rows.groupby("model").size()
    trailing = origins[origins.index.str.startswith(TRAILING)]
    full = origins[origins >= trailing.max()].index
    rates = hit_rates(rows[rows["model"].isin(full)])
    plain = rates[rates.index.str.startswith(TRAILING)]
    best, baseline = str(rates.idxmax()), str(plain.idxmax())
    return (best if rates[best] > rates[baseline] else baseline), baseline


def hit_rates(rows: pd.DataFrame) -> pd.Series[float]:
    sums = rows.groupby("model")[["n", "N"]].sum()
    return sums["n"] / sums["N"]
