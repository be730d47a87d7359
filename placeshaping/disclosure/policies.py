"""
Policies: who will see a product, and what must be hidden from them.

A release is governed by the stricter of two things: how sensitive its input
is, and who its policy is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import DisclosureError

Method = Literal["as_is", "round", "suppress", "cell_key", "additive"]

FINENESS = ("oa", "lsoa", "msoa", "ward", "district")
"""Levels from the finest to the coarsest."""


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
    method
        How counts are protected: ``"round"`` (threshold, then each count
        rounded by itself), ``"suppress"`` (threshold, then further counts
        hidden until no sum gives one back; the rest exact), ``"cell_key"``
        (each count changed by a random but repeatable amount), ``"additive"``
        (small counts rounded so that totals add up) or ``"as_is"``.
    dominance
        The largest share of a value that one contributor may have, 0 to 1;
        None for no such rule. It governs surfaces and magnitudes.
    counts_shown
        Whether counts and rates leave at all, or classes and ranks alone.
    finest_cell
        Side of the smallest grid cell that may leave, metres; None for any.
    sensitive_factor
        What the threshold is multiplied by for categories marked sensitive.
    extra_fields
        Names of further columns of areas that may leave.
    needs_expiry, needs_purpose
        Whether the product must say until when it may be used, and for what.
    shareable_map
        Whether a map may be made of it that could be passed on.
    leaves
        Whether its products may leave the house at all.
    base, loosened
        Of a council's own policy: the one that it starts from, and the fields
        in which it is looser.

    Examples
    --------
    >>> POLICIES["nhs"].threshold, POLICIES["nhs"].rounding
    (8, 5)
    """

    name: str
    audience: str
    threshold: int
    rounding: int
    zeros_shown: bool
    numbers: bool
    finest: str | None = None
    stamp: str | None = None
    method: Method = "round"
    dominance: float | None = None
    counts_shown: bool = True
    finest_cell: int | None = None
    sensitive_factor: int = 2
    extra_fields: tuple[str, ...] = ()
    needs_expiry: bool = False
    needs_purpose: bool = False
    shareable_map: bool = True
    leaves: bool = True
    base: str | None = None
    loosened: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse rules that contradict each other."""
        if found := _contradictions(self):
            msg = f"Policy {self.name!r} contradicts itself: {'; '.join(found)}."
            raise DisclosureError(msg)

    @property
    def protects(self) -> bool:
        """Whether the policy changes any number."""
        return self.threshold > 0 or self.rounding > 1 or self.method != "as_is"

    @property
    def smallest_hidden(self) -> int:
        """The smallest count that a hidden cell may hold."""
        return 1 if self.zeros_shown else 0

    @property
    def sensitive_threshold(self) -> int:
        """
        The threshold of categories marked sensitive.

        The least at or above the multiple whose rounded value does not fall
        under it.

        Examples
        --------
        >>> POLICIES["councillor"].sensitive_threshold, POLICIES["nhs"].sensitive_threshold
        (10, 18)
        """
        threshold = self.threshold * self.sensitive_factor
        while self.rounding * round(threshold / self.rounding) < threshold:
            threshold += 1
        return threshold

    def lets_out(self, level: str) -> bool:
        """
        Tell whether areas of a level are coarse enough to leave.

        Examples
        --------
        >>> POLICIES["public"].lets_out("oa"), POLICIES["public"].lets_out("lsoa")
        (False, True)
        """
        if self.finest not in FINENESS or level not in FINENESS:
            return True
        return FINENESS.index(level) >= FINENESS.index(self.finest)


def _contradictions(policy: Policy) -> list[str]:
    """Say which rules of a policy cannot hold together."""
    if policy.threshold < 0 or policy.rounding < 1 or policy.sensitive_factor < 1:
        return ["threshold is 0 or more, rounding and sensitive_factor are 1 or more"]
    if policy.method not in get_args(Method):
        return [f"method is {policy.method!r}; there are {', '.join(get_args(Method))}"]
    found = [_METHOD_NEEDS[policy.method]] if _unfit(policy) else []
    least = policy.rounding * round(policy.threshold / policy.rounding)
    if least < policy.threshold:
        found.append(
            f"the smallest count that is shown, {policy.threshold}, is rounded to {least}, which "
            "the threshold hides"
        )
    if policy.dominance is not None and not 0 < policy.dominance <= 1:
        found.append(f"dominance is a share, more than 0 and at most 1, not {policy.dominance}")
    if policy.finest is not None and policy.finest not in FINENESS:
        found.append(f"finest is {policy.finest!r}; there are {', '.join(FINENESS)}")
    return found


_METHOD_NEEDS: dict[Method, str] = {
    "as_is": "method 'as_is' with a threshold or rounding",
    "round": "method 'round' with rounding = 1; use 'suppress'",
    "suppress": "method 'suppress' needs a threshold of 2 or more, and rounding = 1",
    "cell_key": "method 'cell_key' needs rounding = 1",
    "additive": "method 'additive' needs rounding, the base of small counts, of 2 or more, and "
    "zeros_shown: totals that add up give a hidden zero back",
}


def _unfit(policy: Policy) -> bool:
    """Tell whether threshold or rounding do not go with the method."""
    rounds = policy.rounding > 1
    return {
        "as_is": rounds or policy.threshold > 0,
        "round": not rounds,
        "suppress": rounds or policy.threshold < 2,
        "cell_key": rounds,
        "additive": not rounds or not policy.zeros_shown,
    }[policy.method]


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
            method="as_is",
        ),
        Policy(
            "public",
            "anybody; for the web",
            threshold=10,
            rounding=5,
            zeros_shown=False,
            numbers=False,
            finest="lsoa",
            dominance=0.5,
        ),
        Policy(
            "councillor",
            "elected members; it will be forwarded",
            threshold=5,
            rounding=5,
            zeros_shown=True,
            numbers=False,
            finest="lsoa",
            dominance=0.5,
        ),
        Policy(
            "police",
            "officers of a named shift",
            threshold=5,
            rounding=5,
            zeros_shown=True,
            numbers=False,
            counts_shown=False,
            finest="lsoa",
            finest_cell=250,
            dominance=0.5,
            needs_expiry=True,
            needs_purpose=True,
        ),
        Policy(
            "nhs",
            "as the health service's convention allows",
            threshold=8,
            rounding=5,
            zeros_shown=True,
            numbers=False,
            finest="lsoa",
            dominance=0.5,
        ),
        Policy(
            "ons-10-5",
            "as the convention of counts under 10 and multiples of 5 allows",
            threshold=10,
            rounding=5,
            zeros_shown=False,
            numbers=False,
            finest="lsoa",
            dominance=0.5,
        ),
        Policy(
            "restricted",
            "named officers",
            threshold=0,
            rounding=1,
            zeros_shown=True,
            numbers=True,
            method="as_is",
            stamp="Restricted: for named officers only",
            needs_expiry=True,
            needs_purpose=True,
            shareable_map=False,
            leaves=False,
        ),
        Policy(
            "internal",
            "the analyst's own desk",
            threshold=0,
            rounding=1,
            zeros_shown=True,
            numbers=True,
            method="as_is",
            stamp="Internal: not protected, do not share",
            leaves=False,
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
