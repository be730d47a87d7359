"""Where a model's forecasts were off, and how its flagged areas behave."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError
from placeshaping.likelihood._choosing import caught_by_either, choose, flagged_parts, rows_at
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.stability import turnover
from placeshaping.likelihood.uncertainty import draw_blocks, pooled_ratio
from placeshaping.likelihood.windows import BINS, CALIBRATION, PIT


def calibration(backtest: Backtest, model: str) -> pd.DataFrame:
    """
    Compare events expected and observed, in tenths of the units by expected count.

    Parameters
    ----------
    backtest
        From `backtest.backtest`.
    model
        Name of a model.

    Returns
    -------
    table
        Ten rows, the units of which least is expected first: ``expected`` and
        ``observed`` summed over origins, ``ratio`` of the two with its
        bootstrap interval, and ``pit``: the bar of the PIT histogram (a tenth
        each, were the forecast's distribution right).

    Raises
    ------
    InputError
        If there is no such model.
    """
    rows = rows_at(backtest, backtest.plan.shares[0])
    rows = rows[rows["model"] == model]
    if rows.empty:
        msg = f"There are no forecasts of {model!r}. There are: {listed(sorted(backtest.models))}."
        raise InputError(msg)
    sums = rows[list(CALIBRATION)].to_numpy(np.float64)
    samples = draw_blocks(len(rows))
    ratios = [pooled_ratio(sums[:, i], sums[:, BINS + i], samples=samples) for i in range(BINS)]
    table = pd.DataFrame(
        {"expected": sums[:, :BINS].sum(axis=0), "observed": sums[:, BINS:].sum(axis=0)}
    )
    table[["ratio", "ratio_lower", "ratio_upper"]] = [(r.value, r.lower, r.upper) for r in ratios]
    return table.assign(pit=rows[list(PIT)].mean().to_numpy())


def stability(backtest: Backtest, *, share: float = 0.05) -> pd.DataFrame:
    """
    Tell how compact each model's flagged area is, how it changes, and what it alone catches.

    Parameters
    ----------
    backtest
        From `backtest.backtest`.
    share
        One of the backtest's shares of the area.

    Returns
    -------
    table
        Indexed by ``model``: ``compactness`` (mean over origins), ``turnover``
        (share of the area not flagged at the origin before), ``always`` (share
        of the flagged area that is flagged at every origin), ``caught_alone``
        and ``missed_alone``: events a period that it catches and the best
        trailing counts do not, and the other way round.
    """
    rows = rows_at(backtest, share)
    baseline = choose(rows)[1]
    area = backtest.history.units.area
    out = {}
    for model in rows["model"].unique():
        flagged = list(flagged_parts(backtest, model, share).values())
        changes = [turnover(now, before, area) for before, now in pairwise(flagged)]
        always = np.min(flagged, axis=0)
        alone, missed = caught_by_either(backtest, model, baseline, share).mean()
        out[model] = {
            "compactness": rows.loc[rows["model"] == model, "compactness"].mean(),
            "turnover": np.mean(changes or [np.nan]),
            "always": float((always * area).sum() / (flagged[0] * area).sum()),
            "caught_alone": alone,
            "missed_alone": missed,
        }
    return pd.DataFrame.from_dict(out, orient="index").rename_axis("model")
