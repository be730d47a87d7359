"""
Policies: who will see a product, and what must be hidden from them.

A release is governed by the stricter of two things: how sensitive its input
is, and who its policy is for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import DisclosureError

Sensitivity = Literal["open", "personal", "special"]

_ADDRESS = re.compile(r"https?://[^/\s]+\.[^/\s]+")

SENSITIVITIES: tuple[Sensitivity, ...] = ("open", "personal", "special")


@dataclass(frozen=True)
class Policy:
    """
    The rules that a release obeys.

    Attributes
    ----------
    name
        As a recipe names it.
    audience
        Who may see the product, in words.
    threshold
        Counts under this never leave; 0 hides nothing.
    rounding
        What shown counts are rounded to; 1 leaves them as they are.
    zeros_shown
        Whether an area without records may be shown as such. Where not, zero
        is hidden together with the small counts.
    numbers
        Whether scores and p-values leave as numbers. Where not, statistics
        leave as classes, or are worked out from the protected counts.
    finest
        The finest level that may leave; None for any.
    stamp
        A word printed large on every product, for those that must stay inside.
    """

    name: str
    audience: str
    threshold: int
    rounding: int
    zeros_shown: bool
    numbers: bool
    finest: str | None = None
    stamp: str | None = None

    @property
    def protects(self) -> bool:
        """Whether the policy changes any number."""
        return self.threshold > 0 or self.rounding > 1

    @property
    def smallest_hidden(self) -> int:
        """The smallest count that a hidden cell may hold."""
        return 1 if self.zeros_shown else 0


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(
            "open",
            "anybody; the numbers are published already",
            threshold=0,
            rounding=1,
            zeros_shown=True,
            numbers=True,
        ),
        Policy(
            "public",
            "anybody; for the web",
            threshold=10,
            rounding=5,
            zeros_shown=False,
            numbers=False,
            finest="lsoa",
        ),
        Policy(
            "councillor",
            "elected members; it will be forwarded",
            threshold=5,
            rounding=5,
            zeros_shown=True,
            numbers=False,
            finest="lsoa",
        ),
        Policy(
            "internal",
            "the analyst's own desk",
            threshold=0,
            rounding=1,
            zeros_shown=True,
            numbers=True,
            stamp="Internal: not protected, do not share",
        ),
    )
}
"""The policies by name."""


def policy_named(name: str) -> Policy:
    """
    Return a policy by its name.

    Raises
    ------
    DisclosureError
        If there is no such policy.

    Examples
    --------
    >>> policy_named("councillor").threshold
    5
    """
    if name in POLICIES:
        return POLICIES[name]
    near = near_names(name, POLICIES)
    hint = f" Did you mean {listed(near)}?" if near else ""
    msg = f"There is no policy {name!r}.{hint} There are: {', '.join(POLICIES)}."
    raise DisclosureError(msg)


def known_policy(policy: str | Policy) -> Policy:
    """
    Return a policy given by name or as itself; refuse another under a known name.

    Raises
    ------
    DisclosureError
        If there is no such policy, or its rules are not those of that name.

    Examples
    --------
    >>> loose = Policy("public", "all", 0, 1, zeros_shown=True, numbers=True)
    >>> known_policy(loose)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: The policy given as 'public' has other rules ...
    """
    if isinstance(policy, str):
        return policy_named(policy)
    if policy != policy_named(policy.name):
        msg = (
            f"The policy given as {policy.name!r} has other rules than the policy of that name. "
            f"Name one of: {', '.join(POLICIES)}."
        )
        raise DisclosureError(msg)
    return policy


def check_policy(
    policy: Policy, *, sensitivity: Sensitivity, already_published: str | None = None
) -> None:
    """
    Refuse a policy that is looser than its input allows.

    Parameters
    ----------
    policy
        Who the product is for.
    sensitivity
        How sensitive the records are.
    already_published
        Address at which these very records, at this detail, can be had by
        anybody. Only then may they leave unprotected.

    Raises
    ------
    DisclosureError
        If the policy is `open` and the records are not published already.

    Examples
    --------
    >>> check_policy(policy_named("open"), sensitivity="personal")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: Policy 'open' publishes ...
    """
    if sensitivity not in SENSITIVITIES:
        msg = f"sensitivity is {sensitivity!r}; use one of: {', '.join(SENSITIVITIES)}."
        raise DisclosureError(msg)
    if policy.name != "open":
        return
    if already_published and not _ADDRESS.match(already_published):
        msg = (
            f"already_published = {already_published!r} is no address. Write the page where these "
            "records can be had, as https://..."
        )
        raise DisclosureError(msg)
    if sensitivity != "open" or not already_published:
        msg = (
            "Policy 'open' publishes the counts as they are, which only records that anybody can "
            f"have already may do; these are sensitivity = {sensitivity!r} with "
            f"already_published = {already_published!r}. Name the address where they are "
            "published, or choose the policy 'public', 'councillor' or 'internal'."
        )
        raise DisclosureError(msg)
