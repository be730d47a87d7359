"""
Tables of a backtest's report: scores of whole districts, small numbers left out.

Every figure is a sum over the whole study area and over all origins for
reporting, never of a small area or a single period. Where fewer events than
the policy's threshold were caught, or were missed, the number and everything
that is worked out from it are withheld; other numbers are rounded as the
policy rounds counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from placeshaping.disclosure.policies import POLICIES, Policy
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.comparison import Comparison, compare
from placeshaping.likelihood.diagnostics import stability
from placeshaping.likelihood.uncertainty import draw_blocks, pooled_ratio
from placeshaping.likelihood.windows import BINS, CALIBRATION

_OF_CAUGHT = ("hit_rate", "pai", "pei", "lift_vs_baseline", "difference")
_OF_ALL = ("poisson_deviance", "log_score", "brier", "crps", "area_under_hit_rate")

WITHHELD = "withheld"
"""What stands in the column `note` of rows with too few events."""


def policy_of_report(policy: Policy) -> Policy:
    """
    Return the policy whose thresholds govern a report.

    Policies that show no counts at all mean those of small areas. A report
    tells of whole districts, and is held to the thresholds for councillors.

    Parameters
    ----------
    policy
        The one that the patrol layer or the map is made under.

    Returns
    -------
    policy
        One that shows counts.

    Examples
    --------
    >>> policy_of_report(POLICIES["police"]).name, policy_of_report(POLICIES["public"]).name
    ('councillor', 'public')
    """
    return policy if policy.counts_shown else POLICIES["councillor"]


def compare_all(
    backtests: Mapping[str, Backtest], *, level: float = 0.95
) -> dict[str, dict[float, Comparison]]:
    """
    Compare the models of several backtests at every flagged area.

    Parameters
    ----------
    backtests
        Backtest by name of the offence.
    level
        Of the intervals.

    Returns
    -------
    comparisons
        By name, then by share of the area.

    Raises
    ------
    InputError, EmptyError
        As `likelihood.comparison.compare`.
    """
    return {
        name: {share: compare(one, share=share, level=level) for share in one.plan.shares}
        for name, one in backtests.items()
    }


def tabulate_scores(
    comparisons: Mapping[str, Mapping[float, Comparison]], *, policy: Policy
) -> pd.DataFrame:
    """
    Put the scores of all offences, models and flagged areas into one table.

    Parameters
    ----------
    comparisons
        From `compare_all`.
    policy
        Gives the threshold and the rounding; one that shows counts.

    Returns
    -------
    scores
        One row for each ``category``, ``share`` and ``model``: ``baseline``,
        ``chosen``, ``default`` (true for one model each), ``origins``, ``n``,
        ``N``, and with ``_lower`` and ``_upper`` ``hit_rate``, ``pai``,
        ``pei``, ``lift_vs_baseline``, ``difference`` and the proper scores;
        ``p_value``, ``p_holm``; ``note``: ``"withheld"``, or why a model had
        no forecast.
    """
    tables = []
    for category, shares in comparisons.items():
        for share, one in shares.items():
            table = one.table.reset_index()
            table.insert(0, "category", category)
            table.insert(1, "share", share)
            for place, name in enumerate(("baseline", "chosen", "default"), start=3):
                table.insert(place, name, table["model"] == getattr(one, name))
            tables.append(table)
    return _protected(pd.concat(tables, ignore_index=True), policy)


def _protected(table: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    measured = [f"{name}{end}" for name in _OF_CAUGHT for end in ("", "_lower", "_upper")]
    proper = [f"{name}{end}" for name in _OF_ALL for end in ("", "_lower", "_upper")]
    first = ["category", "share", "model", "baseline", "chosen", "default", "origins", "n", "N"]
    columns = [*first, *measured, *proper, "p_value", "p_holm"]
    out = table.reindex(columns=columns).assign(note=table["reason"])
    caught, every = (out[name].astype("float64") for name in ("n", "N"))
    few = (caught < policy.threshold) | (every - caught < policy.threshold)
    out.loc[few, ["n", *measured, "p_value", "p_holm"]] = np.nan
    # a difference from withheld counts would give them back
    without = out["baseline"] & few
    lost = out.set_index(["category", "share"]).index.isin(
        out.loc[without].set_index(["category", "share"]).index
    )
    versus = [c for c in measured if c.startswith(("lift", "difference"))]
    out.loc[lost, [*versus, "p_value", "p_holm"]] = np.nan
    out.loc[few, "note"] = WITHHELD
    out.loc[every < policy.threshold, ["N", *proper]] = np.nan
    for name in ("n", "N"):
        out[name] = round_counts(out[name].astype("float64"), policy)
    return out


def round_counts(counts: pd.Series[float], policy: Policy) -> pd.Series[float]:
    """
    Round as the policy rounds counts, and to whole numbers where it does not.

    Areas are flagged to the exact share, so that a part of one may be: its
    events count in part.

    Parameters
    ----------
    counts
        Events, parts of them among them.
    policy
        Gives the rounding.

    Returns
    -------
    rounded
        Missing ones stay missing.

    Examples
    --------
    >>> round_counts(pd.Series([101.4, 7.8]), POLICIES["public"]).tolist()
    [100.0, 10.0]
    """
    return (counts / policy.rounding).round() * policy.rounding


def tabulate_calibration(
    backtests: Mapping[str, Backtest],
    models: Mapping[str, Iterable[str]],
    *,
    policy: Policy,
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Compare events expected and observed, in groups of units by expected count.

    Tenths of the units in which fewer events were observed than the policy
    shows are put together with the next.

    Parameters
    ----------
    backtests
        Backtest by name of the offence.
    models
        Which models of each.
    policy
        As in `tabulate_scores`.
    level
        Of the intervals.

    Returns
    -------
    calibration
        ``category``, ``model``, ``group`` (such as ``"1 to 3"``; 10 is where
        most is expected), ``expected``, ``observed``, ``ratio``,
        ``ratio_lower``, ``ratio_upper``.
    """
    rows = [
        {"category": name, "model": model, **row}
        for name, one in backtests.items()
        for model in models[name]
        for row in _calibration_rows(one, model, policy, level)
    ]
    names = ["expected", "observed", "ratio", "ratio_lower", "ratio_upper"]
    table = pd.DataFrame(rows, columns=["category", "model", "group", *names])
    table["observed"] = round_counts(table["observed"], policy)
    return table


def _calibration_rows(
    backtest: Backtest, model: str, policy: Policy, level: float
) -> list[dict[str, object]]:
    scores = backtest.scores
    rows = scores[
        (scores["share"] == backtest.plan.shares[0])
        & (scores["model"] == model)
        & (scores["reason"] == "")
    ]
    sums = rows[list(CALIBRATION)].to_numpy(np.float64)
    expected, observed = sums[:, :BINS], sums[:, BINS:]
    samples = draw_blocks(len(rows))
    out: list[dict[str, object]] = []
    for first, last in _groups(observed.sum(axis=0), policy.threshold):
        above, below = (part[:, first:last].sum(axis=1) for part in (expected, observed))
        ratio = pooled_ratio(above, below, samples=samples, level=level)
        out.append(
            {
                "group": str(last) if last - first == 1 else f"{first + 1} to {last}",
                "expected": float(above.sum()),
                "observed": float(below.sum()),
                "ratio": ratio.value,
                "ratio_lower": ratio.lower,
                "ratio_upper": ratio.upper,
            }
        )
    return out


def _groups(observed: np.ndarray, least: int) -> list[tuple[int, int]]:
    """Put neighbouring groups together until each holds enough; none if all of them do not."""
    out: list[tuple[int, int]] = []
    first, held = 0, 0.0
    for place, number in enumerate(observed):
        held += number
        if held >= max(least, 1):
            out.append((first, place + 1))
            first, held = place + 1, 0.0
    if first < len(observed) and out:
        out[-1] = (out[-1][0], len(observed))
    return out


def tabulate_stability(
    backtests: Mapping[str, Backtest], *, share: float, policy: Policy
) -> pd.DataFrame:
    """
    Tell how compact and how lasting each model's flagged area is.

    Parameters
    ----------
    backtests
        Backtest by name of the offence.
    share
        Of the area that is flagged.
    policy
        As in `tabulate_scores`.

    Returns
    -------
    stability
        ``category``, ``model``, ``compactness``, ``turnover``, ``always``,
        ``caught_alone``, ``missed_alone`` (events a period; missing where
        there are too few in all periods together).
    """
    tables = []
    for name, one in backtests.items():
        table = stability(one, share=share).reset_index()
        for column in ("caught_alone", "missed_alone"):
            few = table[column] * len(one.plan.origins) < policy.threshold
            table[column] = table[column].mask(few & (policy.threshold > 0))
        table.insert(0, "category", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
