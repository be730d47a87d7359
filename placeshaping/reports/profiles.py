"""
Profiles of areas: who lives there, how they fare beside others, what changed.

A profile is worked out from protected tables and from public facts, never from
records. It is a page, sheets of A4, and a file of plain values with which the
next profile is compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.release import Release
from placeshaping.reports.profiles_indicators import (
    Beside,
    Indicator,
    Known,
    beside_of,
    indicators_of,
    neighbours_at,
)
from placeshaping.reports.profiles_places import Material, Place, number_at, numbers_of, over_time
from placeshaping.statistics.comparators import compare_estimates
from placeshaping.statistics.rates import poor_denominator
from placeshaping.statistics.views import PeriodView

_HALF = 0.5


@dataclass(frozen=True, eq=False)
class Counted:
    """
    What was counted in a place: one service's contacts, or recorded crime.

    Attributes
    ----------
    name
        What it is called.
    release
        Where it is from.
    numbers
        Released numbers of the place, by period and category.
    trend
        Parts of the span with the rates of the place, for a chart.
    turn
        How the last full part compares with the same a year before.
    """

    name: str
    release: Release
    numbers: pd.DataFrame
    trend: pd.DataFrame
    turn: Turn | None

    @property
    def total(self) -> str:
        """Label of everything that was counted."""
        return self.release.categories[0].label

    def number(self, category: str | None = None) -> pd.Series[Any]:
        """Return the numbers of a category, by default of everything, over the whole span."""
        return number_at(self.numbers, self.whole.label, category or self.total)

    @property
    def whole(self) -> PeriodView:
        """The whole span."""
        return self.release.periods[0]


@dataclass(frozen=True)
class Turn:
    """
    How a rate changed from one year to the next.

    Attributes
    ----------
    before, after
        Labels of the two spans.
    rate_before, rate_after
        Per 1,000 a year.
    told
        ``"up"``, ``"down"`` or ``"no sure change"``.
    """

    before: str
    after: str
    rate_before: float
    rate_after: float
    told: str


@dataclass(frozen=True)
class Since:
    """
    An indicator then and now.

    Attributes
    ----------
    label, unit
        Of the indicator.
    before, now
        Its values.
    told
        ``"up"``, ``"down"``, ``"no sure change"`` or ``"the same"``.
    """

    label: str
    unit: str
    before: float
    now: float
    told: str


@dataclass(frozen=True, eq=False)
class Profile:
    """
    A profile of one place, ready to be written.

    Attributes
    ----------
    place
        What it is of.
    material
        What it was worked out from.
    indicators
        All of them, with what they are elsewhere.
    counted
        What was counted, by name.
    beside
        What it is compared with.
    alike
        Names of the nearest statistical neighbours with their distances.
    hot_spots
        Names of the small areas inside that stand out, and of how many that
        could be told; None where no release tells.
    since
        What changed since a former profile, and when that was made.
    made_on
        The day that it bears.
    inside
        Indicators of the areas inside, for a borough: by name.
    crowded
        Names of small areas inside where more is recorded than residents
        explain: town centres.
    """

    place: Place
    material: Material
    indicators: tuple[Indicator, ...]
    counted: tuple[Counted, ...]
    beside: tuple[Beside, ...]
    alike: tuple[tuple[str, float], ...]
    alike_by: str
    hot_spots: tuple[tuple[str, ...], int] | None
    made_on: dt.date
    since: tuple[Since, ...] = ()
    since_when: str | None = None
    inside: Mapping[str, Mapping[str, Indicator]] | None = None
    crowded: tuple[str, ...] = ()

    def of(self, group: str) -> tuple[Indicator, ...]:
        """Return the indicators of a group."""
        return tuple(one for one in self.indicators if one.group == group)

    @property
    def main(self) -> str | None:
        """Name of what it is compared with first; None where there is nothing."""
        return self.beside[0].name if self.beside else None

    @property
    def declaration(self) -> dict[str, Any]:
        """What every file of it says of itself, so that it can be checked."""
        return declare_profile(self)


class ProfileMaker:
    """
    Makes profiles of one borough, and keeps what they share.

    Parameters
    ----------
    material
        Releases and public facts.
    made_on
        The day that profiles bear.

    Raises
    ------
    DisclosureError
        If a policy shows no counts, so that there is nothing to tell.
    """

    def __init__(self, material: Material, *, made_on: dt.date) -> None:
        for name, one in material.releases.items():
            if not one.policy.counts_shown:
                msg = (
                    f"{name}: the policy {one.policy.name!r} shows no counts, and a profile is "
                    "made of them. Take another policy, for example 'councillor'."
                )
                raise DisclosureError(msg)
        self.material, self.made_on = material, made_on
        self._known: Known = {}
        self._alike: dict[str, pd.DataFrame | None] = {}

    def make(self, place: Place, *, former: Mapping[str, Any] | None = None) -> Profile:
        """
        Make the profile of a place.

        Parameters
        ----------
        place
            An area, several together, or a drawn place.
        former
            A former profile of it, as `read_former` returns it.

        Returns
        -------
        profile
            For `page_of`, `write_sheets` and `content_of`.
        """
        material = self.material
        alike = self._alike_at(place)
        beside = beside_of(material, place, alike)
        indicators = indicators_of(material, place, beside, known=self._known)
        counted = tuple(_counted(material, name, place) for name in material.releases)
        profile = Profile(
            place=place,
            material=material,
            indicators=indicators,
            counted=counted,
            beside=tuple(beside),
            alike=_names_alike(material, place, alike),
            alike_by="" if alike is None else str(alike.attrs["method"]),
            hot_spots=_hot_spots(material, place),
            made_on=self.made_on,
            inside=self._inside(place),
            crowded=_crowded(material, place),
        )
        if former is None:
            return profile
        return replace(
            profile, since=_since(indicators, former), since_when=str(former.get("made_on"))
        )

    def _alike_at(self, place: Place) -> pd.DataFrame | None:
        level = place.level
        if level is None or len(place.codes) != 1:
            return None
        if level not in self._alike:
            self._alike[level] = neighbours_at(self.material, level)
        return self._alike[level]

    def _inside(self, place: Place) -> Mapping[str, Mapping[str, Indicator]] | None:
        """Return the wards of a district, or the next finer areas of any larger place."""
        material, level = self.material, place.level
        if level is None or level in ("oa", "lsoa", "msoa", "ward") or len(place.codes) != 1:
            return None
        finer = next((one for one in ("ward", "msoa") if one in material.levels), None)
        if finer is None:
            return None
        codes = material.codes_of(finer).loc[place.fit.weights.index].unique()
        found = {}
        for code in codes:
            one = material.place_of(finer, [str(code)])
            indicators = indicators_of(material, one, [Beside(place.name, place)],
                                       known=self._known)  # fmt: skip
            found[one.name] = {indicator.key: indicator for indicator in indicators}
        return dict(sorted(found.items()))


def make_profile(material: Material, place: Place, *, made_on: dt.date) -> Profile:
    """
    Make the profile of one place.

    Parameters
    ----------
    material
        Releases and public facts.
    place
        What it is of, from `Material.place_of` or drawn.
    made_on
        The day that it bears.

    Returns
    -------
    profile
        For `page_of`, `write_sheets` and `content_of`.

    Raises
    ------
    DisclosureError
        If something else than releases was given, or their policy shows no
        counts.
    """
    return ProfileMaker(material, made_on=made_on).make(place)


def _counted(material: Material, name: str, place: Place) -> Counted:
    release = material.releases[name]
    numbers = numbers_of(material, release, place)
    trend = over_time(numbers, release)
    return Counted(name, release, numbers, trend, _turn(release, trend))


def _turn(release: Release, trend: pd.DataFrame) -> Turn | None:
    """Compare the last of the longest spans with the same span a year before."""
    views = release.periods[1:]
    longest = max((view.months for view in views), default=0)
    for after in reversed(views):
        before = next(
            (
                view
                for view in views
                if view.months == after.months
                and view.first + pd.DateOffset(years=1) == after.first
            ),
            None,
        )
        if after.months < longest or before is None:
            continue
        pair = trend.loc[[before.label, after.label]]
        if pair["rate"].isna().any():
            return None
        estimates = pair[["rate", "lower", "upper"]].astype(float)
        estimates.columns = pd.Index(["value", "lower", "upper"])
        told = _change(estimates.iloc[[1]], estimates.iloc[[0]])
        old, new = (float(rate) for rate in estimates["value"])
        return Turn(before.label, after.label, old, new, told)
    return None


def _change(now: pd.DataFrame, before: pd.DataFrame) -> str:
    found = compare_estimates(now.reset_index(drop=True), before.reset_index(drop=True))
    told = str(found["told"].iloc[0])
    return {"above": "up", "below": "down"}.get(told, "no sure change")


def _names_alike(
    material: Material, place: Place, alike: pd.DataFrame | None
) -> tuple[tuple[str, float], ...]:
    if alike is None or place.level is None:
        return ()
    own = alike[alike["area_code"] == place.codes[0]]
    return tuple(
        (material.name_of(place.level, str(code)), round(float(distance), 2))
        for code, distance in zip(own["neighbour"], own["distance"], strict=True)
    )


def _hot_spots(material: Material, place: Place) -> tuple[tuple[str, ...], int] | None:
    """Name the small areas inside that stand out over the whole span."""
    release = material.main
    table = release.tables[release.levels[0]]
    if "cluster" not in table.values:
        return None
    own = _areas_inside(material, place)
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    labels = view["cluster"].reindex(own).dropna().astype(str)
    hot = labels.index[labels.str.startswith("hot")]
    names = table.areas["area_name"].loc[list(hot)]
    return tuple(sorted(map(str, names))), len(labels)


def _areas_inside(material: Material, place: Place) -> list[str]:
    """Return the finest released areas of which half or more lies in a place."""
    release = material.main
    table = release.tables[release.levels[0]]
    inside = place.fit.weights.index[place.fit.weights >= _HALF].astype(str)
    if release.levels[0] != material.finest:
        return [str(code) for code in material.codes_of(release.levels[0]).loc[inside].unique()]
    members = table.areas.get("members")
    if members is None:
        return [str(code) for code in table.areas.index if code in set(inside)]
    return [
        str(code)
        for code, parts in members.items()
        if set((str(code) if pd.isna(parts) else str(parts)).split()) & set(inside)
    ]


def _crowded(material: Material, place: Place) -> tuple[str, ...]:
    """Name the small areas inside of which residents say little: many more come there."""
    release = material.main
    table = release.tables[release.levels[0]]
    if "residents" not in table.areas:
        return ()
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    known = view["count"].notna() & (view["status"] == "shown")
    people = table.areas["residents"].astype(float)
    poor = poor_denominator(view.loc[known, "count"].astype(float), people[known])
    codes = [code for code in _areas_inside(material, place) if code in poor.index[poor]]
    return tuple(sorted(map(str, table.areas["area_name"].loc[codes])))


def _since(indicators: Sequence[Indicator], former: Mapping[str, Any]) -> tuple[Since, ...]:
    """Compare indicators with those of a former profile."""
    before = {str(one["key"]): one for one in former.get("indicators", [])}
    found = []
    for one in indicators:
        old = before.get(one.key)
        if old is None or old.get("value") is None or one.value is None:
            continue
        then = float(old["value"])
        if one.counted:
            told = "the same" if then == one.value else "up" if one.value > then else "down"
        elif (then, old.get("period")) == (one.value, one.period):
            told = "the same"
        else:
            told = _change(_limits(one.value, one.lower, one.upper),
                           _limits(then, old.get("lower"), old.get("upper")))  # fmt: skip
        found.append(Since(one.label, one.unit, then, one.value, told))
    return tuple(found)


def _limits(value: float, lower: float | None, upper: float | None) -> pd.DataFrame:
    low = value if lower is None else min(lower, value)
    high = value if upper is None else max(upper, value)
    return pd.DataFrame({"value": [value], "lower": [low], "upper": [high]})


def declare_profile(profile: Profile) -> dict[str, Any]:
    """
    Return what the files of a profile say of themselves.

    Beside the release's declaration: that they are a profile, how many people
    rates were worked out over, and how long each span is, so that whoever
    checks them can turn rates back into counts.
    """
    main = profile.material.main
    people = {
        one.key: one.value
        for one in profile.indicators
        if one.key in ("residents",) and one.value is not None
    }
    ground, weights = profile.material.ground, profile.place.fit.weights
    if "households" in ground:
        people["households"] = round(
            float((weights * ground.loc[weights.index, "households"]).sum())
        )
    said = dict(main.declaration)
    said["kind"] = "area profile"
    said["title"] = profile.place.name
    said["people"] = people
    said["years"] = {
        name: round(one.periods[0].years, 6) for name, one in profile.material.releases.items()
    }
    if len(profile.material.releases) > 1:
        said.pop("dataset", None)
        said["datasets"] = list(profile.material.releases)
        marked = [
            f"{name}: {label}"
            for name, one in profile.material.releases.items()
            for label in one.sensitive
        ]
        if marked:
            said["sensitive"] = marked
    return said
