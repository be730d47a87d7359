"""
What each policy demands of a file: the attacker's own copy.

These numbers are written down a second time on purpose. Were they imported
from the layer that protects, a mistake there would pass unseen here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from placeshaping.verify.verdict import Breach


@dataclass(frozen=True)
class Rules:
    """
    What a file is held to.

    Attributes
    ----------
    policy
        Name of the policy.
    threshold
        Counts under this must not stand in the file; 0 for none.
    rounding
        Shown counts are multiples of this.
    zeros_shown
        Whether a count of zero may stand in the file.
    numbers
        Whether scores and p-values may.
    lsoa_or_coarser
        Whether areas finer than an LSOA are refused.
    leaves
        Whether such a file may leave the desk.
    address_needed
        Whether the file must say where the records are published already.

    Examples
    --------
    >>> RULES["public"].smallest_hidden, RULES["councillor"].smallest_hidden
    (0, 1)
    """

    policy: str
    threshold: int
    rounding: int
    zeros_shown: bool
    numbers: bool
    lsoa_or_coarser: bool
    leaves: bool = True
    address_needed: bool = False

    @property
    def protects(self) -> bool:
        """Whether any number is hidden or changed."""
        return self.threshold > 0 or self.rounding > 1

    @property
    def smallest_hidden(self) -> int:
        """The smallest count that a hidden cell may hold."""
        return 1 if self.zeros_shown else 0

    @property
    def half(self) -> int:
        """How far a shown count may lie from the true one."""
        return self.rounding // 2


RULES: dict[str, Rules] = {
    "public": Rules("public", 10, 5, False, False, True),
    "councillor": Rules("councillor", 5, 5, True, False, True),
    "open": Rules("open", 0, 1, True, True, False, address_needed=True),
    "restricted": Rules("restricted", 0, 1, True, True, False, leaves=False),
    "internal": Rules("internal", 0, 1, True, True, False, leaves=False),
}
"""The policies, strictest first."""

_ORDER = list(RULES)
_PLAUSIBLE = re.compile(r"(?i)https?://[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)")


def read_declaration(items: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return a declaration with its numbers, lists and truth values read from text.

    Examples
    --------
    >>> read_declaration({"policy": "public", "threshold": "10", "zeros_shown": "False"})
    {'policy': 'public', 'threshold': 10, 'zeros_shown': False}
    """
    return {str(key): _plain(value) for key, value in items.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.casefold() in ("true", "false"):
        return text.casefold() == "true"
    if text in ("", "None", "null"):
        return None
    try:
        return json.loads(text) if text[:1] in "[{-0123456789" else value
    except ValueError:
        return value


def judge_by(
    declaration: Mapping[str, Any] | None, policy: str | None
) -> tuple[Rules, list[Breach]]:
    """
    Choose what a file is held to, and look for fault in what it declares.

    Parameters
    ----------
    declaration
        What the file says of itself; None where it says nothing.
    policy
        Policy named by whoever asks. Of the two, the stricter counts.

    Returns
    -------
    rules
        The policy's own, tightened where the declaration promises more.
    breaches
        What is wrong with the declaration.

    Examples
    --------
    >>> rules, breaches = judge_by(None, None)
    >>> rules.policy, breaches
    ('public', [])
    >>> judge_by({"policy": "internal"}, None)[1][0].what
    "declares the policy 'internal', under which nothing leaves"
    """
    found: list[Breach] = []
    if not declaration:
        return RULES[policy or "public"], found
    name = declaration.get("policy")
    if not isinstance(name, str) or name not in RULES:
        if name is not None:
            what = f"names the policy {name!r}, which is not known; judged as 'public'"
            found.append(Breach("declaration", what))
        return RULES[policy or "public"], found
    own = RULES[name]
    found += _faults(declaration, own, policy)
    if own.address_needed and not published_at(declaration):
        return RULES[policy or "public"], found
    rules = own if policy is None or _ORDER.index(own.policy) < _ORDER.index(policy) else None
    return _tightened(rules or RULES[str(policy)], declaration), found


def _faults(declaration: Mapping[str, Any], own: Rules, policy: str | None) -> list[Breach]:
    """Say where a declaration is looser than its own policy, or must not leave at all."""
    where, found = "declaration", []
    if not own.leaves and policy != own.policy:
        what = f"declares the policy {own.policy!r}, under which nothing leaves"
        found.append(Breach(where, what, f"name it to accept it: --policy {own.policy}"))
    if own.address_needed and not published_at(declaration):
        what = "declares 'open' without the address where the records are published"
        found.append(Breach(where, what, f"already_published: {published_at(declaration)}"))
    threshold, rounding = declaration.get("threshold"), declaration.get("rounding")
    hides = any(isinstance(n, int) and n > most for n, most in ((threshold, 0), (rounding, 1)))
    if hides and not own.protects:
        what = f"declares the policy {own.policy!r}, which hides nothing, yet that it hides"
        found.append(Breach(where, what, f"threshold {threshold}, rounding {rounding}"))
    if isinstance(threshold, int) and threshold < own.threshold:
        what = f"declares a threshold under that of {own.policy!r}"
        found.append(Breach(where, what, f"{threshold} < {own.threshold}"))
    if isinstance(rounding, int) and rounding < own.rounding:
        what = f"declares a rounding finer than that of {own.policy!r}"
        found.append(Breach(where, what, f"{rounding} < {own.rounding}"))
    if declaration.get("zeros_shown") is True and not own.zeros_shown:
        found.append(Breach(where, f"declares that zero is shown, which {own.policy!r} hides"))
    return found


def published_at(declaration: Mapping[str, Any] | None) -> str | None:
    """
    Return the address that a declaration names as the place where the records are published.

    Examples
    --------
    >>> published_at({"already_published": "https://data.police.uk"})
    'https://data.police.uk'
    >>> published_at({"already_published": "http://x"}) is None
    True
    """
    address = (declaration or {}).get("already_published")
    usable = isinstance(address, str) and _PLAUSIBLE.match(address)
    return str(address) if usable else None


def _tightened(rules: Rules, declaration: Mapping[str, Any]) -> Rules:
    """Hold a file to what it promises, where that is more than its policy demands."""
    if not rules.protects:
        return rules
    threshold, rounding = declaration.get("threshold"), declaration.get("rounding")
    if isinstance(threshold, int) and threshold > rules.threshold:
        rules = replace(rules, threshold=threshold)
    if isinstance(rounding, int) and rounding > rules.rounding:
        rules = replace(rules, rounding=rounding)
    if declaration.get("zeros_shown") is False:
        rules = replace(rules, zeros_shown=False)
    return rules
