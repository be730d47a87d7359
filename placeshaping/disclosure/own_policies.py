"""
Policies that a council writes for itself, in TOML.

Each starts from one of the built-in policies and may be looser only in the
fields that it names, so that nobody loosens a rule unawares.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from placeshaping._core.checks import check_file, listed, near_names
from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.policies import FINENESS, POLICIES, Policy, policy_named

_LOOSER: dict[str, Callable[[Any, Any], bool]] = {
    "threshold": lambda own, base: own < base,
    "rounding": lambda own, base: own < base,
    "zeros_shown": lambda own, base: own and not base,
    "numbers": lambda own, base: own and not base,
    "finest": lambda own, base: (
        base is not None and (own is None or FINENESS.index(own) < FINENESS.index(base))
    ),
    "method": lambda own, base: own == "as_is" and base != "as_is",
    "dominance": lambda own, base: base is not None and (own is None or own > base),
    "counts_shown": lambda own, base: own and not base,
    "finest_cell": lambda own, base: base is not None and (own is None or own < base),
    "sensitive_factor": lambda own, base: own < base,
    "extra_fields": lambda own, base: not set(own) <= set(base),
    "needs_expiry": lambda own, base: base and not own,
    "needs_purpose": lambda own, base: base and not own,
    "shareable_map": lambda own, base: own and not base,
    "leaves": lambda own, base: own and not base,
}
"""Field -> whether one value of it is looser than another."""


def looser_fields(policy: Policy, base: Policy) -> list[str]:
    """
    Return the fields in which a policy is looser than another.

    Examples
    --------
    >>> looser_fields(POLICIES["councillor"], POLICIES["public"])
    ['threshold', 'zeros_shown']
    """
    return [
        name
        for name, looser in _LOOSER.items()
        if looser(getattr(policy, name), getattr(base, name))
    ]


def make_policy(given: Mapping[str, Any], *, where: str = "policy") -> Policy:
    """
    Make a council's own policy from what stands in a recipe or a TOML file.

    Parameters
    ----------
    given
        `name`, `base` (a policy of `POLICIES` that it starts from; by default
        ``"public"``), any field of `Policy`, and `loosen`: the names of the
        fields in which it is meant to be looser than its base.
    where
        What the messages call it.

    Raises
    ------
    DisclosureError
        If a field is unknown, of the wrong kind, looser without being named,
        or named without being looser; or if the rules contradict each other.

    Examples
    --------
    >>> own = make_policy(
    ...     {"name": "kent-members", "base": "councillor", "threshold": 3, "rounding": 3,
    ...      "loosen": ["threshold", "rounding"]}
    ... )
    >>> own.threshold, own.loosened
    (3, ('threshold', 'rounding'))
    >>> make_policy({"name": "kent", "threshold": 5})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: policy: threshold = 5 is looser than in 'public' ...
    """
    rules = dict(given)
    base = _base_of(rules.pop("base", "public"), where)
    loosen = _named_fields(rules.pop("loosen", ()), where)
    _check_name(rules.get("name"), where)
    _check_fields(rules, where)
    if "extra_fields" in rules:
        rules["extra_fields"] = tuple(rules["extra_fields"])
    own = dataclasses.replace(base, **rules, base=base.name, loosened=loosen)
    _check_kept_inside(own, base, where)
    looser = looser_fields(own, base)
    if unnamed := [name for name in looser if name not in loosen]:
        told = ", ".join(f"{name} = {getattr(own, name)!r}" for name in unnamed)
        msg = (
            f"{where}: {told} is looser than in {base.name!r} "
            f"({', '.join(repr(getattr(base, name)) for name in unnamed)}). If that is meant, "
            f"name what you loosen: loosen = {[*loosen, *unnamed]!r}; it is printed on the product."
        )
        raise DisclosureError(msg)
    if idle := [name for name in loosen if name not in looser]:
        msg = f"{where}: loosen names {listed(idle)}, which is not looser than in {base.name!r}."
        raise DisclosureError(msg)
    return own


def _base_of(given: object, where: str) -> Policy:
    if not isinstance(given, str):
        msg = f"{where}: base = {given!r} is of the wrong kind. Write one name: base = 'public'."
        raise DisclosureError(msg)
    return policy_named(given)


def _named_fields(given: object, where: str) -> tuple[str, ...]:
    """Return the fields that `loosen` names, which may be one text."""
    fields = [given] if isinstance(given, str) else given
    if isinstance(fields, list | tuple) and all(isinstance(name, str) for name in fields):
        return tuple(fields)
    msg = (
        f"{where}: loosen = {given!r} is of the wrong kind. Name the fields that are looser than "
        "in the base: loosen = ['threshold']."
    )
    raise DisclosureError(msg)


def _check_name(name: object, where: str) -> None:
    if isinstance(name, str) and name.strip() and name not in POLICIES:
        return
    taken = (
        f"{name!r} is a policy that is there already; "
        if isinstance(name, str) and name in POLICIES
        else ""
    )
    msg = f"{where}: {taken}give it a name of its own: name = 'kent-members'."
    raise DisclosureError(msg)


def _check_kept_inside(own: Policy, base: Policy, where: str) -> None:
    """Refuse other words on products that must stay inside: they are what warns a reader."""
    changed = [name for name in ("stamp", "audience") if getattr(own, name) != getattr(base, name)]
    if changed and not (own.leaves or base.leaves):
        told = ", ".join(f"{name} = {getattr(own, name)!r}" for name in changed)
        msg = (
            f"{where}: {told}, but products under {base.name!r} are not protected and must stay "
            f"inside; they bear {base.stamp!r}, for {base.audience}. Leave {listed(changed)} out, "
            "or start from a policy that protects: base = 'public'."
        )
        raise DisclosureError(msg)


def _check_fields(rules: Mapping[str, Any], where: str) -> None:
    kinds = get_type_hints(Policy)
    for hidden in ("base", "loosened"):
        kinds.pop(hidden)
    for name, value in rules.items():
        if name not in kinds:
            known = ["name", "base", "loosen", *(kind for kind in kinds if kind != "name")]
            near = near_names(name, known)
            hint = f" Did you mean {listed(near)}?" if near else f" There are: {', '.join(known)}."
            msg = f"{where}: there is no rule {name!r}.{hint}"
            raise DisclosureError(msg)
        if not _fits(value, kinds[name]):
            msg = f"{where}: {name} = {value!r} is of the wrong kind; write {_wanted(kinds[name])}."
            raise DisclosureError(msg)


def _wanted(kind: Any) -> str:
    """Say what a field takes, as TOML writes it."""
    if kind is bool:
        return "true or false, without quotes"
    if kind in (int, int | None):
        return "a whole number, without quotes"
    if kind in (float | None,):
        return "a number, without quotes"
    return "a list of texts: ['a', 'b']" if kind == tuple[str, ...] else "a text, in quotes"


def _fits(value: object, kind: Any) -> bool:
    """Tell whether a value read from TOML is of a field's type."""
    if kind is bool:
        return isinstance(value, bool)
    if kind in (int, int | None):
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (float | None,):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == tuple[str, ...]:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def read_policy(path: str | Path) -> Policy:
    """
    Read a council's own policy from a TOML file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DisclosureError
        If it is not TOML, or `make_policy` refuses it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "policy.toml"
    ...     _ = file.write_text("name = 'strict'")
    ...     read_policy(file).base
    'public'
    """
    path = check_file(path)
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path.name} is not a policy in TOML: {error}."
        raise DisclosureError(msg) from error
    return make_policy(given, where=path.name)


def known_policy(policy: str | Policy) -> Policy:
    """
    Return a policy given by name or as itself; refuse another under a known name.

    Raises
    ------
    DisclosureError
        If there is no such policy, its rules are not those of that name, or a
        council's own is looser than its base in a field that it does not name.

    Examples
    --------
    >>> loose = Policy("public", "all", 0, 1, zeros_shown=True, numbers=True, method="as_is")
    >>> known_policy(loose)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: The policy given as 'public' has other rules ...
    """
    if isinstance(policy, str):
        return policy_named(policy)
    if policy.base is None or policy.name in POLICIES:
        if policy != policy_named(policy.name):
            msg = (
                f"The policy given as {policy.name!r} has other rules than the policy of that "
                f"name. Name one of: {', '.join(POLICIES)}; or make your own with make_policy."
            )
            raise DisclosureError(msg)
        return policy
    _check_kept_inside(policy, policy_named(policy.base), f"Policy {policy.name!r}")
    looser = looser_fields(policy, policy_named(policy.base))
    if unnamed := [name for name in looser if name not in policy.loosened]:
        msg = (
            f"Policy {policy.name!r} is looser than {policy.base!r} in {listed(unnamed)}, which "
            "it does not name. Make it with make_policy(..., loosen=[...])."
        )
        raise DisclosureError(msg)
    return policy
