"""What was hidden and why, in sentences that stand on every product."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import LEVEL_SHORT
from placeshaping.disclosure.policies import Policy, policy_named
from placeshaping.statistics.rates import poor_denominator
from placeshaping.statistics.views import PeriodView


def disclosure_statement(
    policy: Policy,
    *,
    facts: Mapping[str, Mapping[str, Any]],
    left_out: Mapping[str, str],
    already_published: str | None,
    audited: str = "",
    sensitive: Sequence[str] = (),
    labels: Sequence[str] = (),
    labels_of_protected: Sequence[str] = (),
    changes: Sequence[str] = (),
    expires: dt.date | None = None,
) -> Iterator[str]:
    """
    Write the disclosure statement of a release.

    Parameters
    ----------
    policy
        The rules that it obeys.
    facts
        Level -> what the protection cost there.
    left_out
        Level -> why it is not shown.
    already_published
        Where the records can be had by anybody.
    audited
        How it was made sure that no sum gives a hidden count back.
    sensitive
        Labels of the categories with the stricter threshold.
    labels
        Titles of the further layers in which areas are classed.
    labels_of_protected
        Titles of those that were worked out from the protected numbers.
    changes
        What was coarsened or merged before, in sentences.
    expires
        Last day on which the product may be used.

    Yields
    ------
    sentence
        One after the other, for print.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> internal = policy_named("internal")
    >>> for sentence in disclosure_statement(
    ...     internal, facts={}, left_out={}, already_published=None
    ... ):
    ...     print(sentence)
    Policy "internal", for the analyst's own desk.
    Internal: not protected, do not share.
    """
    yield from _opening(policy, expires)
    yield from changes
    for level, reason in left_out.items():
        yield f"Level {LEVEL_SHORT.get(level, level)} is left out: {reason}."
    if not policy.protects:
        if already_published:
            yield f"The counts are as published at {already_published}."
        return
    if not policy.counts_shown:
        yield "No counts or rates are shown: areas are classed and ranked by the protected counts."
    told = _METHODS[policy.method].format(
        threshold=policy.threshold,
        rounding=policy.rounding,
        zero="zero is shown" if policy.zeros_shown else "zero is hidden with them",
    )
    yield told if policy.counts_shown else told.partition(" Rates are")[0]
    if sensitive:
        yield (
            f"For {listed(sensitive, most=len(sensitive))} counts under "
            f"{policy.sensitive_threshold} are hidden."
        )
    if labels:
        scores = "with" if policy.numbers else "without"
        yield (
            f"{listed(labels, most=len(labels))}: worked out from the numbers as they were, and "
            f"shown as words {scores} the scores behind them; an area whose number is hidden has "
            "no such word either."
        )
    if labels_of_protected:
        yield (
            f"{listed(labels_of_protected, most=len(labels_of_protected))}: worked out from the "
            "protected numbers, and so from nothing that is hidden."
        )
    if audited:
        yield _AUDITS[audited]
    for level, fact in facts.items():
        yield from _level_sentences(level, fact)


_METHODS = {
    "round": "Counts under {threshold} are hidden ({zero}), and others where a hidden one could be "
    "worked out from them by subtraction; the rest are rounded to {rounding}, each by itself, so "
    "totals do not add up exactly. Rates are worked out from the rounded counts.",
    "suppress": "Counts under {threshold} are hidden ({zero}), and others where a hidden one could "
    "be worked out from them by subtraction; the rest are exact. Rates are worked out from the "
    "counts that are shown.",
    "cell_key": "Every count was changed by a small random amount, the same wherever that count "
    "stands, so totals do not add up exactly; counts under {threshold} are then hidden ({zero}). "
    "Rates are worked out from the changed counts.",
    "additive": "Small counts are rounded to 0 or {rounding} so that totals still add up; no count "
    "between 0 and {rounding} is shown. Rates are worked out from the rounded counts.",
}
_AUDITS = {
    "exact": "What is hidden is the least that keeps every small count from being worked out, "
    "proved for all sums together.",
    "lp": "All sums that a reader can form were solved together, and leave every small count as "
    "uncertain as its mark says.",
    "bounds": "Bounds were carried through all sums that a reader can form until nothing changed; "
    "as far as bounds can tell, every small count is as uncertain as its mark says.",
}


def _opening(policy: Policy, expires: dt.date | None) -> Iterator[str]:
    """Say who it is for, and within what limits."""
    yield f'Policy "{policy.name}", for {policy.audience}.'
    if policy.stamp:
        yield f"{policy.stamp}."
    if expires is not None:
        yield f"To be used until {expires.day} {expires:%B %Y}, and deleted after that."
    if policy.base is not None:
        yield _own_sentence(policy)


def _own_sentence(policy: Policy) -> str:
    """Say what a council's own policy starts from, and where it is looser."""
    base = policy_named(str(policy.base))
    told = [
        f"{name} {getattr(policy, name)} rather than {getattr(base, name)}"
        for name in policy.loosened
    ]
    looser = f"it is looser in: {'; '.join(told)}" if told else "it is nowhere looser"
    return f'It starts from the policy "{base.name}"; {looser}.'


def reading_cautions(period: PeriodView, areas: pd.DataFrame, view: pd.DataFrame) -> Iterator[str]:
    """
    Say what a reader must know before reading the numbers, from what is released alone.

    Parameters
    ----------
    period
        The whole span.
    areas
        The finest areas that are shown, with `area_name` and, where known,
        `residents`.
    view
        Their released numbers over the whole span, by area code.

    Yields
    ------
    sentence
        One for months without records, one for areas whose residents say
        little about how many people are there.

    Examples
    --------
    >>> from placeshaping.statistics.views import make_periods
    >>> codes = pd.Index(["a", "b", "c"], name="area_code")
    >>> areas = pd.DataFrame({"area_name": ["A", "B", "C"], "residents": 1000}, index=codes)
    >>> view = pd.DataFrame({"count": [50, 60, 900]}, index=codes)
    >>> months = pd.date_range("2025-01-01", periods=12, freq="MS")
    >>> [sentence[:30] for sentence in reading_cautions(make_periods(months)[0], areas, view)]
    ['In C the rate is far above the']
    """
    if period.missing:
        yield (
            f"No records were given for {listed(period.missing)}: rates are worked out over the "
            f"{period.months} months that there are."
        )
    if "residents" not in areas or "count" not in view:
        return
    shown = view["count"].notna()
    if not shown.any():
        return
    poor = poor_denominator(
        view.loc[shown, "count"].astype(float), areas.loc[shown, "residents"].astype(float)
    )
    names = areas.loc[poor.index[poor], "area_name"].tolist()
    if names:
        where = f"{len(names)} areas ({listed(names)})" if len(names) > 1 else names[0]
        yield (
            f"In {where} the rate is far above the usual. Often that is because many more people "
            "work, shop or go out there than live there, or because records are put at one "
            "address by default: check before you conclude."
        )


def _level_sentences(level: str, fact: Mapping[str, Any]) -> Iterator[str]:
    """Say what it cost, without telling which numbers are hidden to protect others."""
    name = LEVEL_SHORT.get(level, level)
    yield (
        f"{name}: {fact['hidden']:,} of {fact['cells']:,} numbers are hidden, with "
        f"{_about(fact['share_hidden'])} of the records; in the view that opens first, "
        f"{fact['hidden_when_opened']:,} of {fact['areas']:,} areas."
    )
    if "rank_correlation" in fact:
        yield (
            f"{name}: in that view the order of the areas is nearly kept (rank correlation of true "
            f"and shown counts {fact['rank_correlation']:.2f}), and so is how alike neighbours are "
            f"(Moran's I {fact['moran_released']:.2f}; before, {fact['moran_true']:.2f})."
            if fact["rank_correlation"] >= _NEARLY
            else f"{name}: in that view the order of the areas is changed (rank correlation of "
            f"true and shown counts {fact['rank_correlation']:.2f}); Moran's I is "
            f"{fact['moran_released']:.2f}; before, it was {fact['moran_true']:.2f}."
        )


_NEARLY = 0.95
"""Rank correlation from which an order counts as nearly kept."""


def _about(share: float) -> str:
    if share == 0:
        return "next to none"
    return f"about {share:.0%}" if share >= 0.01 else "under 1%"
