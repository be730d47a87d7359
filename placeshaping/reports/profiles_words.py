"""A profile in words: the finding, facts at a glance, strengths beside needs."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.words import uncapitalised
from placeshaping.reports.profiles_indicators import NOTABLE, WITHIN, Comparison, Indicator

if TYPE_CHECKING:
    from placeshaping.reports.profiles import Counted, Profile

MOST_POINTS = 6
"""Strengths, and needs, that are told; the tables hold the rest."""

MOST_PARTS = 2
"""Categories or domains of one kind among them, beside their total."""

HIDDEN = "hidden"

_FIFTH = "live in areas among the most deprived fifth of England"
_SERVICES = "Where more contacts may mean more need or better reach, neither end is called better."


def shown(value: float | None, decimals: int = 1) -> str:
    """
    Write a number as it is printed; hidden ones by their mark.

    Examples
    --------
    >>> shown(1234.56), shown(None), shown(12, 0)
    ('1,234.6', 'hidden', '12')
    """
    return HIDDEN if value is None else f"{value:,.{decimals}f}"


def interval(lower: float | None, upper: float | None, decimals: int = 1) -> str:
    """
    Write an interval; a dash where there is none.

    Examples
    --------
    >>> interval(1.25, 3), interval(None, None)
    ('1.2 to 3.0', '-')
    """
    if lower is None or upper is None:
        return "-"
    return f"{lower:,.{decimals}f} to {upper:,.{decimals}f}"


TOLD = {
    "above": "higher",
    "below": "lower",
    "not sure": "no sure difference",
    "alike": "about the same",
    "unknown": "-",
}
"""What a comparison comes to, in words."""

TURNS = {"up": "up", "down": "down", "no sure change": "no sure change", "the same": "the same"}


def lead_of(profile: Profile) -> str:
    """Say in a sentence or two what stands out first."""
    said = [*_lead_of_counts(profile), *_lead_of_deprivation(profile)]
    if not said:
        people = next((one for one in profile.indicators if one.key == "residents"), None)
        living = f" of {shown(people.value, 0)} residents" if people else ""
        return f"{profile.place.name}: a {profile.place.kind}{living}."
    return f"{'; '.join(said)}."


def _lead_of_counts(profile: Profile) -> Iterator[str]:
    first = profile.counted[0]
    found = next((i for i in profile.of(first.name) if i.label == first.total), None)
    if found is None:
        return
    name = first.name
    main = None if profile.main is None else found.beside(profile.main)
    if found.value is None:
        yield f"{name} is too small a number to show"
    elif main is None or main.value is None:
        yield f"{name}: {shown(found.value)} {found.unit}"
    else:
        told = {"above": "is higher than", "below": "is lower than"}.get(
            main.told, "does not surely differ from that"
        )
        yield f"{name} {told} in {main.place} ({shown(found.value)} against {shown(main.value)} {found.unit})"  # noqa: E501
    if first.turn is not None and first.turn.told in ("up", "down"):
        yield (
            f"it went {first.turn.told} from {shown(first.turn.rate_before)} in "
            f"{first.turn.before} to {shown(first.turn.rate_after)} in {first.turn.after}"
        )


def _lead_of_deprivation(profile: Profile) -> Iterator[str]:
    one = next((i for i in profile.indicators if i.key == "deprivation:imd"), None)
    if one is None or one.value is None:
        return
    main = None if profile.main is None else one.beside(profile.main)
    against = (
        f", {shown(main.value, 0)}% in {main.place}" if main and main.value is not None else ""
    )
    yield f"{shown(one.value, 0)}% of residents {_FIFTH}{against}"


def glance_of(profile: Profile) -> tuple[tuple[str, str], ...]:
    """Return facts that a reader takes in at once."""
    facts: list[tuple[str, str]] = []
    people = {one.key: one for one in profile.of("people")}
    if "residents" in people:
        told = shown(people["residents"].value, 0)
        old = next((i for k, i in people.items() if k.startswith("age ") and _is_old(i)), None)
        young = next((i for k, i in people.items() if k.startswith("age 0")), None)
        ages = [f"{shown(i.value, 0)}% {uncapitalised(i.label)}" for i in (young, old) if i]
        facts.append(("Residents", f"{told}{': ' if ages else ''}{', '.join(ages)}"))
    deprived = next((i for i in profile.indicators if i.key == "deprivation:imd"), None)
    if deprived is not None:
        england = deprived.beside("England")
        than = f" (England {shown(england.value, 0)}%)" if england else ""
        told = f"{shown(deprived.value, 0)}% of residents in the most deprived fifth{than}"
        facts.append(("Deprivation", told))
    facts += [(one.name, _fact_of(profile, one)) for one in profile.counted]
    if profile.hot_spots is not None:
        facts.append(("Hot spots", hot_spot_sentence(profile)))
    facts += [
        (one.label.partition(":")[0], f"{shown(one.value)} minutes on foot to the nearest, on mean")
        for one in profile.of("access")
        if one.key.startswith("minutes:")
    ]
    return tuple(facts)


def _is_old(one: Indicator) -> bool:
    return one.label.endswith(("and over", "+", "plus"))


def _fact_of(profile: Profile, counted: Counted) -> str:
    found = next((i for i in profile.of(counted.name) if i.label == counted.total), None)
    number = counted.number()
    count = HIDDEN if number["status"] != "shown" else f"{int(number['count']):,}"
    rate = "" if found is None or found.value is None else f", {shown(found.value)} {found.unit}"
    return f"{count} in {counted.whole.label}{rate}"


def strengths_and_needs(profile: Profile) -> tuple[list[str], list[str]]:
    """
    Say where a place surely does better than what holds it, and where less well.

    Returns
    -------
    strengths, needs
        Sentences, the largest differences first. Indicators without a better
        end, and differences that may be chance, are in neither.
    """
    found: dict[bool, list[tuple[Indicator, Comparison]]] = {True: [], False: []}
    for one in profile.indicators:
        against = _against(profile, one)
        better = None if against is None else one.better(against)
        if against is not None and better is not None:
            found[better].append((one, against))
    strengths, needs = (
        [_point(profile, one, against) for one, against in _leading(profile, found[better])]
        for better in (True, False)
    )
    return strengths, needs


def _leading(
    profile: Profile, found: list[tuple[Indicator, Comparison]]
) -> list[tuple[Indicator, Comparison]]:
    """Return the largest differences: of each group its total and a few parts, `MOST_POINTS`."""
    totals = {"deprivation:imd", *(f"{c.name}:{c.total}" for c in profile.counted)}
    ordered = sorted(found, key=lambda pair: (pair[0].key not in totals, -_size(*pair)))
    kept: list[tuple[Indicator, Comparison]] = []
    for one, against in ordered:
        parts = sum(other.group == one.group and other.key not in totals for other, _ in kept)
        if one.key in totals or parts < MOST_PARTS:
            kept.append((one, against))
    return kept[:MOST_POINTS]


def _against(profile: Profile, one: Indicator) -> Comparison | None:
    names = [beside.name for beside in profile.beside]
    found = (one.beside(name) for name in (*names, "England"))
    return next((c for c in found if c is not None and c.value is not None), None)


def _size(one: Indicator, against: Comparison) -> float:
    if not one.value or not against.value:
        return 1.0
    return abs(log(one.value / against.value))


def _point(profile: Profile, one: Indicator, against: Comparison) -> str:
    other = shown(against.value, one.decimals)
    if one.group == "deprivation":
        domain = "" if one.key.endswith(":imd") else f" for {uncapitalised(one.label)}"
        return f"{_residents(one)} {_FIFTH}{domain}; {other}% in {against.place}."
    if one.group == "access":
        title = uncapitalised(one.label.partition(":")[0])
        return (
            f"{_residents(one)} have more than {WITHIN:.0f} minutes to walk to the nearest of: "
            f"{title}; {other}% in {against.place}."
        )
    several = len(profile.counted) > 1 and one.label not in {c.total for c in profile.counted}
    head = f"{one.group}, {uncapitalised(one.label)}" if several else one.label
    low = interval(one.lower, one.upper, one.decimals)
    own = shown(one.value, one.decimals)
    return f"{head}: {own} {one.unit} (95% interval {low}); {other} in {against.place}."


def _residents(one: Indicator) -> str:
    """Write a share of residents as the subject of a sentence."""
    if one.value in (0, 100):
        return "All residents" if one.value else "No residents"
    return f"{shown(one.value, one.decimals)}% of residents"


def hot_spot_sentence(profile: Profile) -> str:
    """Say which small areas inside stand out."""
    if profile.hot_spots is None:
        return "Not looked for."
    names, told = profile.hot_spots
    if not told:
        return "Not told for the small areas inside."
    if not names:
        return f"None of the {told:,} small areas inside stands out."
    return f"{len(names):,} of {told:,} small areas inside stand out: {listed(names, most=6)}."


def cautions_of(profile: Profile) -> Iterator[str]:
    """Say what a reader must know before reading the numbers."""
    if profile.crowded:
        yield (
            f"In {listed(profile.crowded, most=6)} far more was recorded than residents explain: "
            "many more people work, shop or go out there than live there. Rates over residents say "
            "little of anybody's risk there, and they raise those of the whole place."
        )


def side_by_side(profile: Profile) -> Iterator[str]:
    """Say what the services' contacts can and cannot tell."""
    yield (
        f"What each service recorded in {profile.place.name}, as far as the records reach. A "
        "contact is not a person: the same person may be in several services, and nobody was "
        "matched across them."
    )
    yield _SERVICES


def method_sentences(profile: Profile) -> Iterator[str]:
    """Say how the numbers came about."""
    yield profile.place.fit.sentence
    if profile.place.level is None:
        errors = [
            f"{one.name} {float(one.number()['standard_error']):,.1f}" for one in profile.counted
        ]
        yield (
            f"Standard error of the counts over the whole span: "
            f"{'; '.join(errors)}. It holds what rounding and hiding may have changed, and where "
            "in a divided area the records lie (taken as spread like its weight; they cluster more "
            "than that, so that the true error is larger). Intervals are widened by it."
        )
    yield (
        "Rates have Byar's 95% intervals. A difference is called higher or lower where the "
        "interval of the difference (Zou and Donner 2008) leaves zero out; of twenty comparisons "
        "without any difference, one is called so by chance."
    )
    yield (
        "Shares of residents come from everybody, not from a sample, and so have no interval; they "
        f"are called different from {NOTABLE:.0f} percentage points on."
    )
    if profile.material.named:
        names = listed(profile.material.named, most=40)
        yield f"Deprivation and census columns that are used: {names}."
    if profile.material.access_method:
        yield profile.material.access_method
