"""What was found about access, in sentences: the finding first, strengths beside needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping.statistics.concentration import ConcentrationIndex

_FARTHEST = 3
_EVEN = 0.02
"""A concentration index nearer to zero than this is told as even."""


@dataclass(frozen=True)
class AccessFacts:
    """
    What is known of access to a service.

    Attributes
    ----------
    service, services
        Name of one of the services, and of several.
    count
        How many services there are.
    unit, threshold
        How travel is measured, and beyond what it is far.
    way
        How people go, in words: ``"on foot, in a straight line"``.
    areas
        Index of areas: ``area_name``, ``residents``, ``travel`` (missing where
        none is reached), ``nearest``, ``beyond`` (residents).
    equity, ages
        Tables by deprivation decile, and by decile and age band; None where
        those are not known.
    concentration
        Of the residents beyond, by deprivation; None where it cannot be told.
    """

    service: str
    services: str
    count: int
    unit: str
    threshold: float
    way: str
    areas: pd.DataFrame
    equity: pd.DataFrame | None = None
    ages: pd.DataFrame | None = None
    concentration: ConcentrationIndex | None = None

    @property
    def residents(self) -> float:
        """Everybody."""
        return float(self.areas["residents"].sum())

    @property
    def beyond(self) -> float:
        """Residents who have farther to go than the threshold."""
        return float(self.areas["beyond"].sum())

    @property
    def far(self) -> str:
        """What beyond means, in words."""
        return f"more than {self.threshold:,g} {self.unit}"


def people(number: float) -> str:
    """
    Write a number of residents with three digits.

    Examples
    --------
    >>> people(18_437), people(0.2), people(83)
    ('18,400', '0', '83')
    """
    whole = round(number)
    digits = max(len(str(whole)) - 3, 0)
    return f"{round(whole, -digits):,}"


def percent(part: float, whole: float) -> str:
    """
    Write a share; none and all only where it is none or all.

    Examples
    --------
    >>> percent(1, 3), percent(0, 3), percent(1, 3000)
    ('33%', 'none', 'under 1%')
    """
    share = part / whole if whole else 0.0
    if share == 0:
        return "none"
    if share < 0.01:
        return "under 1%"
    return "over 99%" if 0.995 <= share < 1 else f"{share:.0%}"


def access_words(facts: AccessFacts) -> tuple[str, ...]:
    """
    Say what was found, the finding first.

    Parameters
    ----------
    facts
        What is known.

    Returns
    -------
    sentences
        For people who are not statisticians.
    """
    told = (
        _beyond(facts), _typical(facts), _deprived(facts), _concentrated(facts), _by_age(facts),
        _farthest(facts), _unreached(facts),
    )  # fmt: skip
    return tuple(sentence for sentence in told if sentence)


def _beyond(facts: AccessFacts) -> str:
    if facts.beyond < 0.5:
        return (
            f"Nobody lives {facts.far} {facts.way} from the nearest {facts.service}: all "
            f"{people(facts.residents)} residents have one nearer."
        )
    return (
        f"{_sentence(percent(facts.beyond, facts.residents))} of residents (about "
        f"{people(facts.beyond)} of {people(facts.residents)}) live {facts.far} {facts.way} from "
        f"the nearest {facts.service}."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _typical(facts: AccessFacts) -> str:
    used = facts.areas[(facts.areas["residents"] > 0) & facts.areas["travel"].notna()]
    if not len(used):
        return ""
    ranked = used.sort_values("travel", kind="stable")
    running = ranked["residents"].cumsum()
    half = ranked["travel"].iloc[int(np.searchsorted(running, running.iloc[-1] / 2))]
    mean = float(np.average(used["travel"], weights=used["residents"]))
    return (
        f"Half of the residents who can reach one have at most {half:,.1f} {facts.unit} to go; the "
        f"mean is {mean:,.1f}."
    )


def _deprived(facts: AccessFacts) -> str:
    if facts.equity is None or facts.beyond < 0.5:
        return ""
    most, least = (facts.equity.loc[part] for part in ([1, 2], [9, 10]))
    if not (most["population"].sum() and least["population"].sum()):
        return "Areas of the most and the least deprived fifth of the country are not both here."
    told = [percent(one["beyond"].sum(), one["population"].sum()) for one in (most, least)]
    return (
        f"In areas of the most deprived fifth of the country {told[0]} of residents live as far "
        f"away as that, in those of the least deprived fifth {told[1]}."
    )


def _concentrated(facts: AccessFacts) -> str:
    found = facts.concentration
    if found is None:
        return ""
    if found.lower <= 0 <= found.upper or abs(found.index) < _EVEN:
        where = "no clear leaning to the more or the less deprived areas"
    elif found.index < 0:
        where = "the long ways fall more on the more deprived areas"
    else:
        where = "the long ways fall more on the less deprived areas"
    return (
        f"Over all tenths of deprivation: {where} (concentration index {found.index:.2f}, 95% "
        f"interval {found.lower:.2f} to {found.upper:.2f}; 0 is even, below 0 falls on the more "
        "deprived)."
    )


def _by_age(facts: AccessFacts) -> str:
    if facts.ages is None or facts.beyond < 0.5:
        return ""
    sums = facts.ages.groupby("age", sort=False, observed=True)[["population", "beyond"]].sum()
    told = [
        f"{percent(beyond, whole)} of those aged {age}"
        for age, whole, beyond in zip(sums.index, sums["population"], sums["beyond"], strict=True)
        if whole > 0
    ]
    return f"By age: {', '.join(told)}." if told else ""


def _farthest(facts: AccessFacts) -> str:
    used = facts.areas[(facts.areas["residents"] > 0) & facts.areas["travel"].notna()]
    ranked = used.sort_values("travel", ascending=False, kind="stable").head(_FARTHEST)
    told = [
        f"{name} ({travel:,.1f} {facts.unit} to {nearest})"
        for name, travel, nearest in zip(
            ranked["area_name"], ranked["travel"], ranked["nearest"], strict=True
        )
    ]
    return f"The longest ways are from {'; '.join(told)}." if told else ""


def _unreached(facts: AccessFacts) -> str:
    lost = facts.areas[facts.areas["travel"].isna()]
    if not len(lost):
        return ""
    return (
        f"From {len(lost):,} areas ({listed(list(lost['area_name']), most=5)}) no {facts.service} "
        f"can be reached by the ways that are known; their {people(lost['residents'].sum())} "
        "residents count as beyond."
    )


def access_glance(facts: AccessFacts, *, where: str) -> tuple[tuple[str, str], ...]:
    """
    Say in pairs of a label and a few words what is to be seen at a glance.

    Parameters
    ----------
    facts
        What is known.
    where
        The place.

    Returns
    -------
    glance
        Beyond, services, how travel is measured, and how sure.
    """
    return (
        ("Beyond", f"{people(facts.beyond)} residents ({percent(facts.beyond, facts.residents)})"),
        (_sentence(facts.services), f"{facts.count:,} in and near the areas"),
        ("Travel", f"{_sentence(facts.unit)} {facts.way}".rstrip(",")),
        ("Place", f"{where}, in {len(facts.areas):,} areas"),
    )


def cautions_of(told: Sequence[str]) -> Iterator[str]:
    """Yield what a reader must know: opening hours, borders, and what the reading told."""
    yield (
        "Opening hours, waiting times, buses, hills and what people prefer are not known here. The "
        "nearest is not always the one that people use."
    )
    yield from dict.fromkeys(told)
