"""Words and printed cells of a backtest's report, from its protected table."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from placeshaping.disclosure.policies import Policy
from placeshaping.likelihood.uncertainty import FEWEST_ORIGINS
from placeshaping.reports.backtest_tables import WITHHELD

_NOTHING = "\N{EN DASH}"


def percent(share: float, *, decimals: int = 0) -> str:
    """
    Write a share as a percentage.

    Examples
    --------
    >>> percent(0.05), percent(0.328, decimals=1)
    ('5 %', '32.8 %')
    """
    return f"{100 * share:.{decimals}f} %"


def day(date: dt.date) -> str:
    """
    Write a date out.

    Examples
    --------
    >>> day(dt.date(2026, 2, 3))
    '3 February 2026'
    """
    return f"{date.day} {date:%B %Y}"


def first_sentence(scores: pd.DataFrame, share: float) -> str:
    """
    Say whether a model beats trailing counts, by how much and how surely.

    Parameters
    ----------
    scores
        From `backtest_tables.tabulate_scores`.
    share
        The share of the area that it speaks of.

    Returns
    -------
    sentence
        One, for one offence or several.
    """
    names = list(scores["category"].unique())
    told = [_told(scores, name, share) for name in names]
    if len(names) == 1:
        return f"{told[0][1]}."
    won = [words for surely, words in told if surely]
    lost = [name for name, (surely, _) in zip(names, told, strict=True) if not surely]
    area = f"at {percent(share)} of the area"
    if not won:
        return (
            f"For none of the {len(names)} offences does a model surely beat trailing counts {area}"
            f" ({'; '.join(_shortly(scores, name, share) for name in names)}); the counts are used."
        )
    rest = f"; for {_and(lost)} trailing counts are used" if lost else ""
    return f"For {len(won)} of {len(names)} offences a model surely beats trailing counts: " + (
        f"{'; '.join(won)}{rest}."
    )


def verdict(scores: pd.DataFrame, category: str, share: float) -> tuple[str, str]:
    """
    Tell which model was chosen for an offence, and how it did against trailing counts.

    Parameters
    ----------
    scores, share
        As in `first_sentence`.
    category
        The offence.

    Returns
    -------
    model, words
        For two cells of a table.
    """
    chosen, baseline, _ = _three(scores, category, share)
    if chosen["model"] == baseline["model"]:
        return str(chosen["model"]), "none caught more when models were chosen"
    if not np.isfinite(chosen["difference"]):
        return str(chosen["model"]), "too few events to say"
    return str(chosen["model"]), (
        f"{_points(chosen['difference'])} points {_span(chosen, 'difference', points=True)}"
        f"{_p(chosen)}"
    )


def words_of_scores(scores: pd.DataFrame, share: float, policy: Policy) -> tuple[str, ...]:
    """
    Tell in sentences what the scores of one offence say.

    Parameters
    ----------
    scores
        Rows of one offence.
    share
        As in `first_sentence`.
    policy
        Gives the threshold.

    Returns
    -------
    sentences
        The finding; and which models had no forecast or too few events.
    """
    category = str(scores["category"].iloc[0])
    out = [f"{_told(scores, category, share)[1]}."]
    few = scores.loc[scores["note"] == WITHHELD, ["model", "share"]]
    if len(few):
        out.append(
            f"In {len(few)} rows fewer than {policy.threshold} events were caught or missed; their "
            "scores are withheld."
        )
    lacking = scores[~scores["note"].isin(["", WITHHELD])].drop_duplicates("model")
    out += [f"{row.model} has no forecast: {row.note}" for row in lacking.itertuples()]
    return (*out, *_without_interval(scores))


def _without_interval(scores: pd.DataFrame) -> list[str]:
    """Say which models' deviance has no interval, and why."""
    known = np.isfinite(scores["poisson_deviance"])
    bare = known & ~np.isfinite(scores["poisson_deviance_lower"])
    if not bare.any():
        return []
    few = scores.loc[bare, "origins"].astype(int)
    named = "" if bare.sum() == known.sum() else f" of {_and(list(scores['model'][bare].unique()))}"
    return [
        f"The deviance{named} has no interval: {few.max()} periods are kept for reporting, and a "
        f"bootstrap over fewer than {FEWEST_ORIGINS} says nothing. Take more periods."
    ]


def score_rows(
    scores: pd.DataFrame,
) -> tuple[tuple[str, ...], dict[float, tuple[tuple[str, ...], ...]]]:
    """
    Write the scores of one offence as cells, a table a share of the area.

    Parameters
    ----------
    scores
        Rows of one offence, from `backtest_tables.tabulate_scores`.

    Returns
    -------
    heads, rows
        Rows by share.
    """
    heads = (
        "Model", "n", "N", "Hit rate (interval)", "PAI (interval)", "PEI (interval)",
        "Deviance (interval)", "Lift over trailing counts (interval)", "p", "Periods",
    )  # fmt: skip
    return heads, {
        float(str(share)): tuple(_cells(row) for _, row in rows.iterrows())
        for share, rows in scores.groupby("share", sort=False)
    }


def _cells(row: pd.Series) -> tuple[str, ...]:
    marks = [word for word in ("default", "baseline") if row[word]]
    names = {"default": "to be used", "baseline": "compared with"}
    model = f"{row['model']} ({', '.join(names[m] for m in marks)})" if marks else row["model"]
    return (
        str(model),
        _whole(row["n"]),
        _whole(row["N"]),
        _estimate(row, "hit_rate", "{:.1%}"),
        _estimate(row, "pai", "{:.2f}"),
        _estimate(row, "pei", "{:.2f}"),
        _estimate(row, "poisson_deviance", "{:.4f}"),
        _NOTHING if row["baseline"] else _estimate(row, "lift_vs_baseline", "{:.2f}"),
        f"{row['p_value']:.2g}"
        if np.isfinite(row["p_value"]) and not row["baseline"]
        else _NOTHING,
        _whole(row["origins"]),
    )


def _told(scores: pd.DataFrame, category: str, share: float) -> tuple[bool, str]:
    """Return whether a model surely wins, and the finding without a full stop."""
    chosen, baseline, default = _three(scores, category, share)
    model, area = chosen["model"], f"{percent(share)} of the area"
    theirs, ours = (percent(row["hit_rate"], decimals=1) for row in (baseline, chosen))
    if not np.isfinite(baseline["hit_rate"]) or not np.isfinite(chosen["hit_rate"]):
        return False, (
            f"For {category} too few events lie in {area} to compare models; trailing counts "
            "are used"
        )
    if model == baseline["model"]:
        return False, (
            f"No model beats trailing counts for {category}: none caught more when models were "
            f"chosen, and {model} caught {theirs} of events in {area} "
            f"{_span(baseline, 'hit_rate')} after that"
        )
    surely = bool(default["model"] == model)
    verb = "surely beats" if surely else "does not surely beat"
    if chosen["difference"] <= 0:
        verb = "does not beat"
    return surely, (
        f"{model} {verb} trailing counts for {category}: it caught {ours} of events in {area}, "
        f"{baseline['model']} {theirs}, a difference of {_points(chosen['difference'])} points "
        f"{_span(chosen, 'difference', points=True)}{_p(chosen)}; "
        f"{model if surely else baseline['model']} is used"
    )


def _shortly(scores: pd.DataFrame, category: str, share: float) -> str:
    chosen, baseline, _ = _three(scores, category, share)
    if chosen["model"] == baseline["model"] or not np.isfinite(chosen["difference"]):
        return f"{category}: none better"
    return (
        f"{category}: {_points(chosen['difference'])} points "
        f"{_span(chosen, 'difference', points=True)}"
    )


def _three(scores: pd.DataFrame, category: str, share: float) -> tuple[pd.Series, ...]:
    rows = scores[(scores["category"] == category) & (scores["share"] == share)]
    return tuple(rows[rows[name]].iloc[0] for name in ("chosen", "baseline", "default"))


def _p(row: pd.Series) -> str:
    return f", p = {row['p_value']:.2g}" if np.isfinite(row["p_value"]) else ""


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _span(row: pd.Series, name: str, *, points: bool = False) -> str:
    low, high = row[f"{name}_lower"], row[f"{name}_upper"]
    if not (np.isfinite(low) and np.isfinite(high)):
        return "(no interval)"
    if points:
        return f"(95 % interval {_points(low)} to {_points(high)})"
    return f"(95 % interval {100 * low:.1f} to {percent(high, decimals=1)})"


def _whole(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else _NOTHING


def _estimate(row: pd.Series, name: str, style: str) -> str:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_lower", "_upper"))
    if not np.isfinite(value):
        return _NOTHING
    if not (np.isfinite(low) and np.isfinite(high)):
        return style.format(value)
    return f"{style.format(value)} ({style.format(low)} to {style.format(high)})"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
