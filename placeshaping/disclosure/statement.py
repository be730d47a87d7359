"""What was hidden and why, in sentences that stand on every product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from placeshaping._core.codes import LEVEL_SHORT
from placeshaping.disclosure.policies import Policy


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


def _level_sentence(level: str, fact: Mapping[str, Any]) -> str:
    """Say how much is hidden, without telling which numbers are hidden to protect others."""
    return (
        f"{LEVEL_SHORT.get(level, level)}: {fact['hidden']:,} of {fact['cells']:,} numbers are "
        f"hidden; in the view that opens first, {fact['hidden_when_opened']:,} of "
        f"{fact['areas']:,} areas."
    )
