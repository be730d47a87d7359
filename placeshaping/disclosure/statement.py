"""What was hidden and why, in sentences that stand on every product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import LEVEL_SHORT
from placeshaping.disclosure.policies import Policy
from placeshaping.statistics.rates import poor_denominator
from placeshaping.statistics.views import PeriodView


def disclosure_statement(
    policy: Policy,
    *,
    facts: Mapping[str, Mapping[str, Any]],
    left_out: Mapping[str, str],
    already_published: str | None,
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
    yield f'Policy "{policy.name}", for {policy.audience}.'
    if policy.stamp:
        yield f"{policy.stamp}."
    for level, reason in left_out.items():
        yield f"Level {LEVEL_SHORT.get(level, level)} is left out: {reason}."
    if not policy.protects:
        if already_published:
            yield f"The counts are as published at {already_published}."
        return
    zero = "zero is shown" if policy.zeros_shown else "zero is hidden with them"
    yield (
        f"Counts under {policy.threshold} are hidden ({zero}), and others where a hidden one "
        "could be worked out from them by subtraction; the rest are rounded to "
        f"{policy.rounding}, each by itself, so totals do not add up exactly. Rates are worked out "
        "from the rounded counts."
    )
    for level, fact in facts.items():
        yield _level_sentence(level, fact)


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
    if "residents" not in areas:
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


def _level_sentence(level: str, fact: Mapping[str, Any]) -> str:
    """Say how much is hidden, without telling which numbers are hidden to protect others."""
    return (
        f"{LEVEL_SHORT.get(level, level)}: {fact['hidden']:,} of {fact['cells']:,} numbers are "
        f"hidden; in the view that opens first, {fact['hidden_when_opened']:,} of "
        f"{fact['areas']:,} areas."
    )
