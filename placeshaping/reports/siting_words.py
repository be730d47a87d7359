"""What a choice of sites does, in sentences: the change first, and always how good it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping.reports.access_words import people, percent
from placeshaping.shaping.siting import SitingPlan
from placeshaping.shaping.siting_words import describe_siting
from placeshaping.shaping.travel_classes import SAME

_MOST_NAMED = 8


@dataclass(frozen=True)
class SitingFacts:
    """
    What is known of a choice of sites.

    Attributes
    ----------
    plan
        The choice.
    service, services
        Name of one of the facilities, and of several.
    threshold
        Travel beyond which one is far.
    areas
        ``area_name``, ``residents``, ``site``, ``after``; where sites are in
        use today ``site_before`` and ``before``.
    decile
        Tenth of deprivation of the areas; None where it is not known.
    existing
        Sites of today.
    people
        What demand counts, in the plural.
    """

    plan: SitingPlan
    service: str
    services: str
    threshold: float
    areas: pd.DataFrame
    decile: pd.Series[float] | None
    existing: tuple[str, ...]
    people: str

    @property
    def unit(self) -> str:
        """How travel is measured."""
        return self.plan.unit

    @property
    def new(self) -> list[str]:
        """Chosen sites that are not in use today."""
        return [str(name) for name in self.plan.sites.index if name not in self.existing]

    @property
    def closed(self) -> list[str]:
        """Sites of today that were not chosen."""
        return [str(name) for name in self.existing if name not in self.plan.sites.index]

    @property
    def good(self) -> str:
        """How good the choice is, in words: the gap, whatever it is."""
        if self.plan.proven:
            return "proved to be the best"
        return f"at most {self.plan.gap:.1%} from the best"


def siting_words(facts: SitingFacts) -> tuple[str, ...]:
    """
    Say what a choice does, the change first.

    Parameters
    ----------
    facts
        What is known.

    Returns
    -------
    sentences
        For people who are not statisticians.
    """
    return tuple(sentence for sentence in _told(facts) if sentence)


def _told(facts: SitingFacts) -> Iterator[str]:
    many = "the places of the records" if facts.people == "records" else facts.people
    yield describe_siting(facts.plan, what=facts.services, people=many)
    new = facts.new
    if new:
        yield f"New: {listed(new, most=_MOST_NAMED)}."
    if facts.closed:
        yield f"In use today and left out: {listed(facts.closed, most=_MOST_NAMED)}."
    yield from _changes(facts)
    yield _far(facts)
    yield from _deprived(facts)
    yield (
        f"How good the choice is: {facts.good} of as many sites among "
        "the candidates, by the measure that was asked for."
    )


def _changes(facts: SitingFacts) -> Iterator[str]:
    if "before" not in facts.areas:
        return
    residents = facts.areas["residents"]
    was, now = facts.areas["before"].fillna(np.inf), facts.areas["after"].fillna(np.inf)
    small = SAME[facts.unit]
    with np.errstate(invalid="ignore"):
        change = (now - was).fillna(0.0)
    nearer, farther = residents[change < -small].sum(), residents[change > small].sum()
    gain = f"About {people(nearer)} residents have" if nearer >= 0.5 else "Nobody has"
    loss = f"about {people(farther)} residents" if farther >= 0.5 else "nobody"
    far = "a minute" if facts.unit == "minutes" else f"{small:g} {facts.unit}"
    yield (
        f"{gain} a {facts.service} nearer than today by more than {far}, and {loss} one farther "
        "away by as much."
    )


def _far(facts: SitingFacts) -> str:
    residents = facts.areas["residents"]
    total = residents.sum()
    after = residents[~(facts.areas["after"] <= facts.threshold)].sum()
    text = (
        f"More than {facts.threshold:g} {facts.unit} from one: {percent(after, total)} of residents"
    )
    if "before" not in facts.areas:
        return f"{text}."
    before = residents[~(facts.areas["before"] <= facts.threshold)].sum()
    return f"{text}, today {percent(before, total)}."


def _deprived(facts: SitingFacts) -> Iterator[str]:
    """Say what changes for the most and the least deprived fifth, side by side."""
    if facts.decile is None:
        return
    for label, tenths in (("most", (1, 2)), ("least", (9, 10))):
        group = facts.areas[facts.decile.reindex(facts.areas.index).isin(tenths).to_numpy()]
        group = group[group["residents"] > 0]
        known = group[group["after"].notna()]
        if not len(known):
            continue
        now = float(np.average(known["after"], weights=known["residents"]))
        text = f"In areas of the {label} deprived fifth of the country the mean is {now:.1f}"
        if "before" in group and group["before"].notna().all():
            was = float(np.average(group["before"], weights=group["residents"]))
            text += f" {facts.unit}, today {was:.1f}."
        else:
            text += f" {facts.unit}."
        yield text


def siting_glance(facts: SitingFacts, *, where: str) -> tuple[tuple[str, str], ...]:
    """Say in pairs of a label and a few words what is to be seen at a glance; the gap is one."""
    sites = f"{len(facts.plan.sites):,} in all"
    if facts.existing:
        sites += f", {len(facts.new):,} of them new"
    return (
        ("Sites", sites),
        ("How good", facts.good),
        ("Chosen for", f"{facts.people}, by {facts.unit} of travel"),
        ("Place", where),
    )


def siting_cautions(facts: SitingFacts) -> tuple[str, ...]:
    """Say what a reader must know."""
    told = [
        "Rents, plots, buses and what people prefer are not known here: the choice is a place to "
        "begin looking, and a site near a chosen one may serve as well.",
        *facts.plan.cautions,
    ]
    if facts.people == "records":
        told.append(
            "Records were protected before the choice was made: small numbers count as half the "
            "threshold, others as rounded."
        )
    return tuple(dict.fromkeys(told))
