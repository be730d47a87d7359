"""
What a likelihood model may be asked to estimate: offences by the way they come to be recorded.

Offences that patrols discover are refused, because a model of them sends patrols
to where patrols were; so are mixed ones. Whoever needs one all the same names it,
signs for it and gives a reason, which every product prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from placeshaping._core.checks import listed
from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.sources.offences import OFFENCE_TAGS, OffenceTag, normalise_category, offence_tag

_WHY = {
    "mixed": "it holds incidents that patrols do not prevent or do themselves discover",
    "discovered": "patrols discover it, so that a forecast of it feeds itself",
}

_WORST: tuple[OffenceTag, ...] = ("discovered", "mixed", "reported")


@dataclass(frozen=True)
class Override:
    """
    Somebody's signature under a target that is refused by default.

    Attributes
    ----------
    by
        Name of the person who decided.
    reason
        Why; printed on every product.
    """

    by: str
    reason: str


@dataclass(frozen=True)
class Target:
    """
    The offences whose recorded counts are estimated, together.

    Attributes
    ----------
    categories
        Names of the categories, in the spelling of today.
    tags
        How each comes to be recorded.
    overrides
        By category: who allowed it, and why.
    """

    categories: tuple[str, ...]
    tags: Mapping[str, OffenceTag]
    overrides: Mapping[str, Override] = field(default_factory=dict)

    @property
    def tag(self) -> OffenceTag:
        """The least favourable tag among the categories."""
        return next(tag for tag in _WORST if tag in self.tags.values())

    @property
    def name(self) -> str:
        """The categories in one phrase."""
        return " + ".join(self.categories)

    @property
    def cautions(self) -> tuple[str, ...]:
        """A sentence for each override, to be printed on every product."""
        return tuple(
            f"{category} is {self.tags[category]} and refused as a target by default "
            f"({_WHY[self.tags[category]]}). Allowed by {override.by}: {override.reason}"
            for category, override in self.overrides.items()
        )


def make_target(
    categories: str | Sequence[str],
    *,
    tags: Mapping[str, OffenceTag] | None = None,
    overrides: Mapping[str, Override] | None = None,
) -> Target:
    """
    Check the offences that a model is asked to estimate.

    Parameters
    ----------
    categories
        One category or several, counted together.
    tags
        How categories that are not police.uk's come to be recorded. Those of
        police.uk have their tag already, which this does not change.
    overrides
        For each mixed or discovered category, who allows it and why.

    Returns
    -------
    target
        The categories with their tags.

    Raises
    ------
    InputError
        If a category is mixed or discovered and nobody signed for it, or a
        signature lacks the name or the reason.
    ColumnError
        If a category has no tag.
    EmptyError
        If there is no category.

    Examples
    --------
    >>> make_target("burglary").tag
    'reported'
    >>> make_target("Drugs")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: Drugs is tagged 'discovered': patrols ...
    >>> signed = Override(by="A. Planner", reason="Only to study the method.")
    >>> print(make_target("Drugs", overrides={"Drugs": signed}).cautions[0])
    Drugs is discovered and refused as a target by default (patrols discover it, so that a
    forecast of it feeds itself). Allowed by A. Planner: Only to study the method.
    """
    given = [categories] if isinstance(categories, str) else list(categories)
    names = tuple(dict.fromkeys(normalise_category(name) for name in given))
    if not names:
        msg = "No category is named. Say which offences are to be estimated."
        raise EmptyError(msg)
    own = {normalise_category(name): tag for name, tag in (tags or {}).items()}
    signed = {normalise_category(name): one for name, one in (overrides or {}).items()}
    told = {name: _tag(name, own) for name in names}
    needing = [name for name in names if told[name] != "reported"]
    for name in needing:
        _check_signed(name, told[name], signed.get(name))
    return Target(names, told, {name: signed[name] for name in needing})


def _tag(name: str, own: Mapping[str, OffenceTag]) -> OffenceTag:
    if name in OFFENCE_TAGS or name not in own:
        return offence_tag(name) if name in OFFENCE_TAGS else _untagged(name)
    if own[name] not in _WORST:
        msg = f"{name!r} is tagged {own[name]!r}. Use one of: {listed(sorted(_WORST))}."
        raise ColumnError(msg)
    return own[name]


def _untagged(name: str) -> OffenceTag:
    msg = (
        f"{name!r} is not a category of police.uk. Say how it comes to be recorded, for instance "
        f"tags={{{name!r}: 'reported'}} ('mixed' or 'discovered' where patrols find it)."
    )
    raise ColumnError(msg)


def _check_signed(name: str, tag: OffenceTag, override: Override | None) -> None:
    if override is None:
        msg = (
            f"{name} is tagged {tag!r}: {_WHY[tag]}. It is refused as a target. Whoever needs it "
            f"all the same signs for it: overrides={{{name!r}: Override(by=..., reason=...)}}."
        )
        raise InputError(msg)
    if not override.by.strip() or not override.reason.strip():
        msg = f"The override for {name} needs a name and a reason. Both are printed."
        raise InputError(msg)
