"""
Which model to use, and how much better than trailing counts it was.

Models are compared at the same flagged area. Which one to use is chosen on the
first two thirds of the origins and reported on the rest, so that the choice does
not flatter itself; the trailing counts that it has to beat are chosen in the same
way among those in the backtest.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.errors import EmptyError
from placeshaping.likelihood._choosing import (
    TRAILING,
    caught_by_either,
    choose,
    hit_rates,
    rows_at,
)
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.uncertainty import (
    Estimate,
    at_least,
    draw_blocks,
    holm,
    paired_chance,
    pooled_difference,
    pooled_lift,
    pooled_ratio,
    signed_rank,
)
from placeshaping.statistics.rates import wilson_interval

CHOOSING = 2 / 3
"""Share of the origins on which models are chosen."""

PROPER = ("poisson_deviance", "log_score", "brier", "crps", "area_under_hit_rate")


@dataclass(frozen=True, eq=False)
class Comparison:
    """
    Models side by side at one flagged area.

    Attributes
    ----------
    share
        Share of the area that is flagged.
    baseline
        The trailing counts that did best on the origins for choosing.
    chosen
        The model that did best there, the baseline among them.
    default
        What is to be used: the chosen model where it surely beats the
        baseline on the origins for reporting, else the baseline.
    table
        One row a model, on the origins for reporting: ``origins``, ``n``,
        ``N``, and with ``_lower`` and ``_upper``: ``hit_rate``, ``pai``,
        ``pei``, the proper scores, ``lift_vs_baseline``, ``difference`` of hit
        rates; ``p_value`` of Wilcoxon's signed rank test on the hit rates,
        ``p_holm`` corrected for the comparisons; ``hit_rate_choosing`` on the
        origins for choosing; ``reason`` where a model had no forecast.
    periods
        First and last period of the origins for reporting.
    sentence
        Whether the chosen model beats trailing counts, by how much, how surely.
    cautions
        What a reader must know.
    """

    share: float
    baseline: str
    chosen: str
    default: str
    table: pd.DataFrame = field(repr=False)
    periods: tuple[pd.Timestamp, pd.Timestamp]
    sentence: str
    cautions: tuple[str, ...]


def compare(
    backtest: Backtest,
    *,
    share: float = 0.05,
    level: float = 0.95,
    replicates: int = 2000,
    rng: int = 0,
) -> Comparison:
    """
    Compare the models of a backtest with trailing counts at the same flagged area.

    Pooled scores are sums over origins over sums; their intervals, and those
    of differences, come from a circular block bootstrap over the origins, and
    are at least as wide as chance makes them: Wilson's for hit rates, that of
    paired proportions for differences. With fewer than five origins those are
    all there is, and other scores have no interval. A
    model beats the baseline surely where the interval of the difference of hit
    rates lies above zero, Wilcoxon's signed rank test agrees, and no other
    trailing counts of the backtest caught more.

    Parameters
    ----------
    backtest
        From `backtest.backtest`, with trailing counts among the models.
    share
        One of the backtest's shares of the area.
    level
        Of the intervals.
    replicates, rng
        Of the bootstrap.

    Returns
    -------
    comparison
        With one sentence for the top of a report.

    Raises
    ------
    InputError
        If there are no trailing counts among the models, or `share` is not one
        of the backtest's.
    EmptyError
        If fewer than three origins have a forecast.

    Examples
    --------
    >>> from placeshaping.likelihood.comparison import compare
    >>> compare(done, share=0.05).sentence  # doctest: +SKIP
    """
    rows = rows_at(backtest, share)
    periods = np.sort(rows["period"].unique())
    early = periods[: int(np.ceil(len(periods) * CHOOSING))]
    choosing, reporting = (
        rows[rows["period"].isin(part)] for part in (early, periods[len(early) :])
    )
    if reporting.empty:
        msg = f"{len(periods)} origins are too few to choose on some and report on others: give 3."
        raise EmptyError(msg)
    chosen, baseline = choose(choosing)
    samples = draw_blocks(reporting["period"].nunique(), replicates=replicates, rng=rng)
    table = _table(backtest, reporting, baseline, share, samples, level)
    table["hit_rate_choosing"] = hit_rates(choosing).reindex(table.index)
    surely = chosen != baseline and _surely(table, chosen, level)
    span = (pd.Timestamp(periods[len(early)]), pd.Timestamp(periods[-1]))
    return Comparison(
        share=share,
        baseline=baseline,
        chosen=chosen,
        default=chosen if surely else baseline,
        table=table,
        periods=span,
        sentence=_sentence(backtest, table, chosen, baseline, share, level),
        cautions=tuple(_cautions(backtest, table)),
    )


def summarise(backtest: Backtest, *, level: float = 0.95, rng: int = 0) -> pd.DataFrame:
    """
    Compare the models at every flagged area of a backtest, in one table.

    Parameters
    ----------
    backtest
        From `backtest.backtest`.
    level, rng
        As in `compare`.

    Returns
    -------
    table
        The tables of `compare` under each other, with columns ``share``,
        ``model``, ``baseline``, ``chosen`` and ``default`` (the last three
        the same in all rows of a share). ``attrs["sentences"]``: one a share.
    """
    parts, sentences = [], []
    for share in backtest.plan.shares:
        one = compare(backtest, share=share, level=level, rng=rng)
        named = {"baseline": one.baseline, "chosen": one.chosen, "default": one.default}
        parts.append(one.table.reset_index().assign(**named))
        parts[-1].insert(0, "share", share)
        sentences.append(one.sentence)
    table = pd.concat(parts, ignore_index=True)
    table.attrs["sentences"] = tuple(sentences)
    return table


def _table(
    backtest: Backtest,
    rows: pd.DataFrame,
    baseline: str,
    share: float,
    samples: NDArray[np.intp],
    level: float,
) -> pd.DataFrame:
    """Return the pooled scores of each model, and its comparison with the baseline."""
    periods = np.sort(rows["period"].unique())
    base = rows[rows["model"] == baseline].set_index("period").reindex(periods)
    out: dict[str, dict[str, object]] = {}
    for model in backtest.models:
        own = rows[rows["model"] == model].set_index("period").reindex(periods)
        if own["n"].isna().all():
            out[model] = {"origins": 0, "reason": _reason(backtest, model)}
            continue
        discordant = caught_by_either(backtest, model, baseline, share)
        alone, missed = discordant.reindex(own.dropna(subset="n").index).sum()
        out[model] = _pooled(own, base, share, samples, level, (alone, missed)) | {"reason": ""}
    table = pd.DataFrame.from_dict(out, orient="index").rename_axis("model")
    others = table.index != baseline
    table["p_holm"] = np.nan
    if "p_value" in table:
        table.loc[others, "p_holm"] = holm(table.loc[others, "p_value"])
    return table


def _pooled(
    own: pd.DataFrame,
    base: pd.DataFrame,
    share: float,
    samples: NDArray[np.intp],
    level: float,
    chance: tuple[float, float],
) -> dict[str, object]:
    there = (own["n"].notna() & base["n"].notna()).to_numpy()
    if not there.all():  # origins without a forecast count in neither
        own, base = own[there], base[there]
        samples = draw_blocks(len(own), replicates=len(samples))
    n, total, oracle = (own[c].to_numpy(np.float64) for c in ("n", "N", "n_oracle"))
    theirs = base["n"].to_numpy(np.float64)
    hit = pooled_ratio(n, total, samples=samples, level=level)
    wilson = wilson_interval([min(n.sum(), total.sum())], [total.sum()], level=level).iloc[0]
    hit = at_least(hit, wilson["lower"], wilson["upper"])
    gap = pooled_difference(n, theirs, total, samples=samples, level=level)
    gap = at_least(gap, *paired_chance(*chance, float(total.sum()), level=level))
    lift = pooled_lift(n, theirs, samples=samples, level=level)
    plain = max(theirs.sum() / total.sum(), np.finfo(float).tiny)
    best = max(oracle.sum() / total.sum(), np.finfo(float).tiny)
    pei = pooled_ratio(n, oracle, samples=samples, level=level)
    estimates = {
        "hit_rate": hit,
        "pai": Estimate(hit.value / share, hit.lower / share, hit.upper / share),
        "pei": at_least(pei, wilson["lower"] / best, min(wilson["upper"] / best, 1.0)),
        "lift_vs_baseline": at_least(lift, 1 + gap.lower / plain, 1 + gap.upper / plain),
        "difference": gap,
    }
    for name in PROPER:
        values = own[name].to_numpy(np.float64)
        estimates[name] = pooled_ratio(values, np.ones(len(own)), samples=samples, level=level)
    row: dict[str, object] = {"origins": len(own), "n": n.sum(), "N": total.sum()}
    for name, one in estimates.items():
        row |= {name: one.value, f"{name}_lower": one.lower, f"{name}_upper": one.upper}
    row["expected_over_observed"] = float(own["expected"].sum() / total.sum())
    row["p_value"] = signed_rank(own["hit_rate"], base["hit_rate"])
    return row


def _reason(backtest: Backtest, model: str) -> str:
    scores = backtest.scores
    told = scores.loc[(scores["model"] == model) & (scores["reason"] != ""), "reason"]
    return str(told.iloc[-1]) if len(told) else ""


def _sentence(
    backtest: Backtest, table: pd.DataFrame, chosen: str, baseline: str, share: float, level: float
) -> str:
    """Say whether the model beats trailing counts, by how much and how surely."""
    ours, plain = table.loc[chosen], table.loc[baseline]
    target = backtest.history.target.name
    if chosen == baseline:
        return (
            f"No model beats trailing counts for {target}: on the origins for choosing, none "
            f"caught more in {share:.0%} of the area than {baseline}, which on the "
            f"{plain['origins']:.0f} origins kept for reporting caught {plain['n']:,.0f} of "
            f"{plain['N']:,.0f} events ({plain['hit_rate']:.1%}, {level:.0%} interval "
            f"{plain['hit_rate_lower']:.1%} to {plain['hit_rate_upper']:.1%})."
        )
    surely = _surely(table, chosen, level)
    verb = (
        "beats" if surely else "does not surely beat" if ours["difference"] > 0 else "does not beat"
    )
    told = f"{chosen} {verb} {baseline} for {target}"
    return (
        f"{told[0].upper()}{told[1:]}: on the {ours['origins']:.0f} origins kept for reporting it "
        f"caught {ours['hit_rate']:.1%} of {ours['N']:,.0f} events in {share:.0%} of the area "
        f"against {plain['hit_rate']:.1%}, a difference of {100 * ours['difference']:+.1f} points "
        f"({level:.0%} interval {100 * ours['difference_lower']:+.1f} to "
        f"{100 * ours['difference_upper']:+.1f}; p = {ours['p_value']:.2g} by signed "
        f"ranks).{_other(table, chosen)} {'It' if surely else 'Trailing counts'} should be used."
    )


def _other(table: pd.DataFrame, chosen: str) -> str:
    """Name the trailing counts that caught more than the chosen model on the later origins."""
    rates = table.loc[table.index.str.startswith(TRAILING), "hit_rate"].dropna()
    if rates.max() <= float(table["hit_rate"][chosen]):
        return ""
    return f" There {rates.idxmax()} caught {rates.max():.1%}."


def _surely(table: pd.DataFrame, chosen: str, level: float) -> bool:
    """
    Tell whether a model surely beats the baseline.

    The bootstrap alone is too sure of itself with a handful of origins, so
    signed ranks must agree. The model was chosen on other origins, so it is
    one comparison, and its p-value needs no correction. Nor may other trailing
    counts have caught more than the model on the origins for reporting.
    """
    columns = ["difference_lower", "p_value", "hit_rate"]
    lower, p_value, hits = table.loc[[chosen], columns].to_numpy(np.float64)[0]
    plain = table.loc[table.index.str.startswith(TRAILING), "hit_rate"].max()
    return bool(lower > 0 and p_value < 1 - level and hits > plain)


def _cautions(backtest: Backtest, table: pd.DataFrame) -> list[str]:
    told = list(backtest.history.cautions)
    most = int(table["origins"].max())
    if most < 6:
        told.append(
            f"Only {most} origins are left for reporting: signed ranks cannot show a difference at "
            "the 5 % level with fewer than 6."
        )
    for model, row in table.iterrows():
        if row["origins"] == 0:
            told.append(f"{model} has no forecast: {row['reason']}")
        elif row["origins"] < most:
            told.append(f"{model} has a forecast at {row['origins']} of {most} origins only.")
    return told
