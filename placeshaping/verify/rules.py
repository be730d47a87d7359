"""
What each policy demands of a file: the attacker's own copy.

These numbers are written down a second time on purpose. Were they imported
from the layer that protects, a mistake there would pass unseen here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    method
        How counts are protected: ``"as_is"``, ``"round"``, ``"suppress"``,
        ``"cell_key"`` or ``"additive"``.
    dominance
        Largest share of a value that one contributor may have; None for any.
    counts_shown
        Whether counts may stand in the file at all.
    finest_cell
        Side of the smallest grid cell, metres; None for any.
    sensitive_factor
        What the threshold is multiplied by for `sensitive` categories.
    sensitive
        Categories that the file declares sensitive.
    extra_fields
        Further columns that may leave.
    expiry_needed, purpose_needed
        Whether the file must say until when it may be used, and for what.
    map_shareable
        Whether the file may be a map.
    change
        How far a shown count may lie from the true one, where that is not
        half the rounding.

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
    method: str = "round"
    dominance: float | None = 0.5
    counts_shown: bool = True
    finest_cell: int | None = None
    sensitive_factor: int = 2
    sensitive: tuple[str, ...] = ()
    extra_fields: tuple[str, ...] = ()
    expiry_needed: bool = False
    purpose_needed: bool = False
    map_shareable: bool = True
    change: float | None = None

    @property
    def protects(self) -> bool:
        """Whether any number is hidden or changed."""
        return self.threshold > 0 or self.rounding > 1 or self.method != "as_is"

    @property
    def smallest_hidden(self) -> int:
        """The smallest count that a hidden cell may hold."""
        return 1 if self.zeros_shown else 0

    @property
    def half(self) -> float:
        """How far a shown count may lie from the true one."""
        return self.rounding // 2 if self.change is None else self.change

    @property
    def multiple(self) -> int:
        """What shown counts are multiples of: where they are rounded one by one."""
        return self.rounding if self.method == "round" else 1

    @property
    def sensitive_threshold(self) -> int:
        """
        The threshold of sensitive categories: the least that rounding does not undercut.

        Examples
        --------
        >>> RULES["councillor"].sensitive_threshold, RULES["nhs"].sensitive_threshold
        (10, 18)
        """
        wanted = self.threshold * self.sensitive_factor
        return next(n for n in count(wanted) if self.rounding * round(n / self.rounding) >= wanted)

    def thresholds(self, categories: Iterable[object]) -> NDArray[np.float64]:
        """
        Return the threshold of each of some categories.

        Examples
        --------
        >>> rules = replace(RULES["public"], sensitive=("Robbery",))
        >>> rules.thresholds(["Arson", "Robbery"]).tolist()
        [10.0, 20.0]
        """
        names = pd.Index(list(categories))
        marked = np.asarray(names.isin(self.sensitive))
        return np.where(marked, self.sensitive_threshold, self.threshold).astype(np.float64)

    def least_shown(self, frame: pd.DataFrame, size: int) -> NDArray[np.float64]:
        """
        Return the least count that each row of a table may show.

        Examples
        --------
        >>> rules = replace(RULES["public"], sensitive=("Robbery",))
        >>> rules.least_shown(pd.DataFrame({"category": ["Arson", "Robbery"]}), 2).tolist()
        [10.0, 20.0]
        """
        if self.sensitive and "category" in frame:
            return self.thresholds(frame["category"].astype(str))
        if self.method == "additive":
            return np.full(size, float(max(self.threshold, self.rounding)))
        return np.full(size, float(self.threshold))


FACT_COLUMNS = (
    "minutes", "metres", "nearest", "minutes_before", "metres_before", "nearest_before",
    "per_1000",
)  # fmt: skip
"""Measures that count no records: what a file of facts may hold beside words."""

RULES: dict[str, Rules] = {
    "public": Rules("public", 10, 5, False, False, True),
    "ons-10-5": Rules("ons-10-5", 10, 5, False, False, True),
    "nhs": Rules("nhs", 8, 5, True, False, True),
    "councillor": Rules("councillor", 5, 5, True, False, True),
    "police": Rules(
        "police", 5, 5, True, False, True, counts_shown=False, finest_cell=250,
        expiry_needed=True, purpose_needed=True,
    ),
    "facts": Rules(
        "facts", 0, 1, True, False, True, address_needed=True, method="as_is", dominance=None,
        counts_shown=False, extra_fields=FACT_COLUMNS,
    ),
    "open": Rules(
        "open", 0, 1, True, True, False, address_needed=True, method="as_is", dominance=None
    ),
    "restricted": Rules(
        "restricted", 0, 1, True, True, False, leaves=False, method="as_is", dominance=None,
        expiry_needed=True, purpose_needed=True, map_shareable=False,
    ),
    "internal": Rules(
        "internal", 0, 1, True, True, False, leaves=False, method="as_is", dominance=None
    ),
}  # fmt: skip
"""The policies, strictest first."""

_ORDER = list(RULES)
_PLAUSIBLE = re.compile(r"(?i)https?://[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?::\d+)?(?:[/?#]|$)")
_LARGEST_CHANGE = 5.0
"""How far a cell key changes a count at most, where the file does not say."""


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
        Policy named by whoever asks; a council's own goes by the name that the
        file declares. Of the two, the stricter counts.

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
    asked = policy if policy in RULES else None
    if not declaration:
        return RULES[asked or "public"], found
    name = declaration.get("policy")
    own = RULES.get(name) if isinstance(name, str) else None
    if own is None and isinstance(name, str) and declaration.get("base") in RULES:
        return _own(declaration, name, policy)
    if own is None:
        if name is not None:
            what = f"names the policy {name!r}, which is not known; judged as 'public'"
            found.append(Breach("declaration", what, attack="declaration"))
        return RULES[asked or "public"], found
    found += _faults(declaration, own, policy)
    if own.address_needed and not published_at(declaration):
        return RULES[asked or "public"], found
    first = asked is None or _ORDER.index(own.policy) < _ORDER.index(asked)
    return _tightened(own if first else RULES[str(asked)], declaration), found


def _own(
    declaration: Mapping[str, Any], name: str, policy: str | None
) -> tuple[Rules, list[Breach]]:
    """Judge a file of a council's own policy by the rules that it declares."""
    base = RULES[str(declaration["base"])]
    rules = replace(base, policy=name, **_declared_rules(declaration))
    looser = [key for key, is_looser in LOOSER.items() if is_looser(rules, base)]
    found = []
    if (looser or declaration.get("loosened")) and policy != name:
        what = f"declares the policy {name!r}, which is looser than {base.policy!r}"
        fields = ", ".join(looser or map(str, declaration["loosened"]))
        found.append(
            Breach("declaration", what, f"in {fields}; name it to accept it: --policy {name}",
                   attack="declaration")
        )  # fmt: skip
    if not rules.leaves and policy != name:
        what = f"declares the policy {name!r}, under which nothing leaves"
        found.append(Breach("declaration", what, f"--policy {name}", attack="declaration"))
    if base.address_needed and not published_at(declaration):
        what = f"declares {name!r}, from 'open', without an address where the records are published"
        found.append(Breach("declaration", what, attack="declaration"))
        return RULES["public"], found
    if policy in RULES and _ORDER.index(policy) < _ORDER.index(base.policy):
        return _tightened(RULES[policy], declaration), found
    return _noted(rules, declaration), found


_FIELDS: dict[str, tuple[str, type | tuple[type, ...]]] = {
    "threshold": ("threshold", int),
    "rounding": ("rounding", int),
    "zeros_shown": ("zeros_shown", bool),
    "numbers": ("numbers", bool),
    "method": ("method", str),
    "dominance": ("dominance", (int, float)),
    "counts_shown": ("counts_shown", bool),
    "finest_cell": ("finest_cell", int),
    "sensitive_factor": ("sensitive_factor", int),
    "needs_expiry": ("expiry_needed", bool),
    "needs_purpose": ("purpose_needed", bool),
    "shareable_map": ("map_shareable", bool),
    "leaves": ("leaves", bool),
}
"""Field of a declaration -> the rule that it gives, and its kind."""

LOOSER: dict[str, Callable[[Rules, Rules], bool]] = {
    "threshold": lambda own, base: own.threshold < base.threshold,
    "rounding": lambda own, base: own.rounding < base.rounding,
    "method": lambda own, base: base.method != "as_is" and own.method == "as_is",
    "zeros_shown": lambda own, base: own.zeros_shown and not base.zeros_shown,
    "numbers": lambda own, base: own.numbers and not base.numbers,
    "finest": lambda own, base: base.lsoa_or_coarser and not own.lsoa_or_coarser,
    "dominance": lambda own, base: (own.dominance or 1.0) > (base.dominance or 1.0),
    "counts_shown": lambda own, base: own.counts_shown and not base.counts_shown,
    "finest_cell": lambda own, base: (own.finest_cell or 0) < (base.finest_cell or 0),
    "sensitive_factor": lambda own, base: own.sensitive_factor < base.sensitive_factor,
    "extra_fields": lambda own, base: bool(set(own.extra_fields) - set(base.extra_fields)),
    "needs_expiry": lambda own, base: base.expiry_needed and not own.expiry_needed,
    "needs_purpose": lambda own, base: base.purpose_needed and not own.purpose_needed,
    "shareable_map": lambda own, base: own.map_shareable and not base.map_shareable,
    "leaves": lambda own, base: own.leaves and not base.leaves,
}
"""Field -> whether one policy is looser in it than another."""


def _declared_rules(declaration: Mapping[str, Any]) -> dict[str, Any]:
    """Read the rules that a file of an own policy declares; what is odd is left to its base."""
    given: dict[str, Any] = {}
    for key, (name, kind) in _FIELDS.items():
        value = declaration.get(key)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            given[name] = value
    if any(given.get(key, 1) < 1 for key in ("rounding", "sensitive_factor")):
        given = {k: v for k, v in given.items() if k not in ("rounding", "sensitive_factor")}
    if "finest" in declaration:
        given["lsoa_or_coarser"] = declaration["finest"] not in (None, "oa")
    extra = declaration.get("extra_fields")
    if isinstance(extra, list):
        given["extra_fields"] = tuple(str(field) for field in extra)
    return given


def _faults(declaration: Mapping[str, Any], own: Rules, policy: str | None) -> list[Breach]:
    """Say where a declaration is looser than its own policy, or must not leave at all."""
    return [
        Breach("declaration", what, proof, attack="declaration")
        for what, proof in _odd(declaration, own, policy)
    ]


def _odd(
    declaration: Mapping[str, Any], own: Rules, policy: str | None
) -> Iterator[tuple[str, str]]:
    name = own.policy
    if not own.leaves and policy != name:
        what = f"declares the policy {name!r}, under which nothing leaves"
        yield what, f"name it to accept it: --policy {name}"
    if own.address_needed and not published_at(declaration):
        what = f"declares {name!r} without the address where the records are published"
        yield what, f"already_published: {published_at(declaration)}"
    threshold, rounding = declaration.get("threshold"), declaration.get("rounding")
    hides = any(isinstance(n, int) and n > most for n, most in ((threshold, 0), (rounding, 1)))
    if hides and not own.protects:
        what = f"declares the policy {name!r}, which hides nothing, yet that it hides"
        yield what, f"threshold {threshold}, rounding {rounding}"
    if isinstance(threshold, int) and threshold < own.threshold:
        yield f"declares a threshold under that of {name!r}", f"{threshold} < {own.threshold}"
    if isinstance(rounding, int) and rounding < own.rounding:
        what = f"declares a rounding finer than that of {name!r}"
        yield what, f"{rounding} < {own.rounding}"
    if declaration.get("zeros_shown") is True and not own.zeros_shown:
        yield f"declares that zero is shown, which {name!r} hides", ""
    if declaration.get("counts_shown") is True and not own.counts_shown:
        yield f"declares that counts are shown, which {name!r} does not let out", ""
    least = declaration.get("sensitive_threshold")
    if isinstance(least, int) and least < own.sensitive_threshold:
        what = f"declares a threshold of sensitive categories under that of {name!r}"
        yield what, f"{least} < {own.sensitive_threshold}"


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
    if declaration.get("counts_shown") is False:
        rules = replace(rules, counts_shown=False)
    return _noted(rules, declaration)


def _noted(rules: Rules, declaration: Mapping[str, Any]) -> Rules:
    """Add what a file says of its own categories and of the change that its counts bear."""
    sensitive = declaration.get("sensitive")
    if isinstance(sensitive, list):
        rules = replace(rules, sensitive=tuple(str(name) for name in sensitive))
    change = declaration.get("largest_change")
    if isinstance(change, int | float) and not isinstance(change, bool) and change >= 0:
        return replace(rules, change=max(float(change), rules.half))
    if rules.method == "cell_key":
        return replace(rules, change=_LARGEST_CHANGE)
    return replace(rules, change=np.inf) if rules.method == "additive" else rules
