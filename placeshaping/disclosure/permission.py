"""Whether a policy may be used: how sensitive the records are, and what a product must say."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Literal

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.policies import Policy

Sensitivity = Literal["open", "personal", "special"]

SENSITIVITIES: tuple[Sensitivity, ...] = ("open", "personal", "special")

FLOORS: dict[Sensitivity, int] = {"open": 0, "personal": 5, "special": 10}
"""Smallest threshold of a product that leaves the house, whoever it is for."""

_ADDRESS = re.compile(r"https?://[^/\s]+\.[^/\s]+")


def check_policy(
    policy: Policy,
    *,
    sensitivity: Sensitivity,
    already_published: str | None = None,
    purpose: str = "",
    expires: dt.date | None = None,
    made_on: dt.date | None = None,
) -> None:
    """
    Refuse a policy that is looser than its input allows, or lacks what it needs.

    Parameters
    ----------
    policy
        Who the product is for.
    sensitivity
        How sensitive the records are. A product of personal records that
        leaves the house has a threshold of at least 5, of special ones 10.
    already_published
        Address at which these very records, at this detail, can be had by
        anybody. Only then may they leave unprotected.
    purpose, expires
        What the product is for and until when it may be used; some policies
        need both.
    made_on
        Date that the product bears.

    Raises
    ------
    DisclosureError
        If the policy is `open` and the records are not published already, if
        its threshold is too low for them, or if a purpose or a date is missing.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> check_policy(POLICIES["open"], sensitivity="personal")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: Policy 'open' publishes ...
    """
    if sensitivity not in SENSITIVITIES:
        msg = f"sensitivity is {sensitivity!r}; use one of: {', '.join(SENSITIVITIES)}."
        raise DisclosureError(msg)
    check_terms(policy, purpose, expires, made_on)
    if already_published and not is_address(already_published):
        msg = (
            f"already_published = {already_published!r} is no address. Write the page where these "
            "records can be had, as https://..."
        )
        raise DisclosureError(msg)
    if policy.name == "open" or policy.base == "open":
        if sensitivity != "open" or not already_published:
            msg = (
                f"Policy {policy.name!r} publishes the counts as they are, which only records that "
                "anybody can have already may do; these are sensitivity = "
                f"{sensitivity!r} with already_published = {already_published!r}. Name the address "
                "where they are published, or choose the policy 'public', 'councillor' or "
                "'internal'."
            )
            raise DisclosureError(msg)
        return
    floor = 0 if sensitivity == "open" and already_published else FLOORS[sensitivity]
    if policy.leaves and policy.threshold < floor:
        msg = (
            f"Policy {policy.name!r} hides counts under {policy.threshold}, and records that are "
            f"{sensitivity!r} need a threshold of at least {floor}. Choose 'public', or a policy "
            "of your own with a higher threshold."
        )
        raise DisclosureError(msg)


def is_address(given: str) -> bool:
    """
    Tell whether a text is an address at which anybody can look something up.

    Examples
    --------
    >>> is_address("https://example.org/libraries"), is_address("see intranet")
    (True, False)
    """
    return bool(_ADDRESS.match(given))


def check_terms(
    policy: Policy, purpose: str, expires: dt.date | None, made_on: dt.date | None
) -> None:
    """
    Refuse a product without the purpose or the last day that its policy needs.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> check_terms(POLICIES["public"], "", None, None)
    """
    if policy.needs_purpose and not purpose.strip():
        msg = f"Policy {policy.name!r} needs a purpose, which is printed: purpose = '...'."
        raise DisclosureError(msg)
    if policy.needs_expiry and expires is None:
        msg = (
            f"Policy {policy.name!r} needs the last day on which the product may be used: "
            "expires = 2026-01-31."
        )
        raise DisclosureError(msg)
    if expires is not None and made_on is not None and expires < made_on:
        msg = f"expires = {expires} lies before the product's own date, {made_on}."
        raise DisclosureError(msg)


def governed(policy: Policy, sensitivity: Sensitivity) -> Policy:
    """
    Return the stricter of what the audience and the input demand.

    Records that are special (health, beliefs, ethnicity, convictions) are
    protected with the threshold of sensitive categories throughout, and no
    score of them leaves as a number.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> governed(POLICIES["councillor"], "special").threshold
    10
    >>> governed(POLICIES["councillor"], "personal") is POLICIES["councillor"]
    True
    """
    if sensitivity != "special" or not policy.leaves or policy.threshold == 0:
        return policy
    return dataclasses.replace(policy, threshold=policy.sensitive_threshold, numbers=False)
