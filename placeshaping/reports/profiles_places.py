"""What a profile is worked out from: places as shares of small areas, releases, public facts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from placeshaping._core.codes import LEVEL_NAMES
from placeshaping.disclosure.release import Release, require_release
from placeshaping.shaping.profiles import BestFit, CountRules, weighted_counts
from placeshaping.statistics.rates import crude_rate

_Z = 1.959964
_KINDS = {
    "lsoa": ("small area (LSOA)", "small areas (LSOAs)"),
    "msoa": ("neighbourhood (MSOA)", "neighbourhoods (MSOAs)"),
    "county": ("county", "counties"),
}


@dataclass(frozen=True, eq=False)
class Place:
    """
    What a profile is of.

    Attributes
    ----------
    name
        As it stands in the heading.
    level, codes
        Areas of one level of the releases that it is made of, whole; level is
        None for a place that was drawn.
    fit
        Its share of each of the finest areas.
    """

    name: str
    level: str | None
    codes: tuple[str, ...]
    fit: BestFit

    @property
    def slug(self) -> str:
        """Its name as it stands in the name of a file."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.casefold()).strip("-") or "place"

    @property
    def kind(self) -> str:
        """What it is, in words: ``"ward"``, ``"2 wards together"``."""
        if self.level is None:
            return "place as drawn"
        name = LEVEL_NAMES.get(self.level, self.level).casefold()
        one, several = _KINDS.get(self.level, (name, f"{name}s"))
        return one if len(self.codes) == 1 else f"{len(self.codes)} {several} together"


@dataclass(frozen=True, eq=False)
class Material:
    """
    Everything that profiles of a borough are worked out from.

    Attributes
    ----------
    title
        Of the recipe.
    releases
        Name of what was counted -> protected tables, the first the main one.
    ground
        The finest areas by code: `area_name`, `geometry`, codes and names of
        the levels above (`ward_code`, ...), and of what is public of each
        area `residents`, `households`, ages (`age 0-15`), deciles
        (`income_decile`) and minutes (`minutes Libraries`), as far as known.
    finest
        Level of `ground`.
    polarity
        Name of what was counted, or of a category -> which end is better.
    benchmarks
        Long: `indicator`, `place`, `value` and perhaps `lower`, `upper`.
    named
        Variables of deprivation and census that are used, in words.
    missing
        Section -> what would be needed for it.
    parts
        Output areas, by whose residents drawn places are weighted.
    access_method
        How access was worked out, in a sentence.
    """

    title: str
    releases: Mapping[str, Release]
    ground: gpd.GeoDataFrame
    finest: str
    polarity: Mapping[str, str] = field(default_factory=dict)
    benchmarks: pd.DataFrame | None = None
    named: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    parts: gpd.GeoDataFrame | None = None
    access_method: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no release."""
        for one in self.releases.values():
            require_release(one, wanted_by="make_profile")

    @property
    def main(self) -> Release:
        """The first release, whose words stand on every page."""
        return next(iter(self.releases.values()))

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels that every release shows, finest first."""
        shared = set.intersection(*(set(one.levels) for one in self.releases.values()))
        return tuple(level for level in self.main.levels if level in shared)

    def codes_of(self, level: str) -> pd.Series[Any]:
        """Return the code of the area of a level that holds each finest area."""
        own = self.ground.index if level == self.finest else self.ground[f"{level}_code"]
        return pd.Series(own.astype(str), index=self.ground.index)

    def place_of(self, level: str, codes: Sequence[str], *, name: str | None = None) -> Place:
        """Return the place that areas of a level make up."""
        own = self.codes_of(level)
        inside = own[own.isin(list(codes))]
        weights = pd.Series(1.0, index=inside.index, name="weight")
        names = [self.name_of(level, code) for code in codes]
        label = name or (names[0] if len(names) == 1 else " and ".join(names[:2]))
        if name is None and len(names) > 2:
            label = f"{names[0]} and {len(names) - 1} more"
        return Place(label, level, tuple(codes), BestFit(weights, "whole areas"))

    def name_of(self, level: str, code: str) -> str:
        """Return the name of an area."""
        column = "area_name" if level == self.finest else f"{level}_name"
        if column not in self.ground:
            return code
        found = self.ground.loc[(self.codes_of(level) == code).to_numpy(), column]
        return str(found.iloc[0]) if len(found) else code


def rules_of(release: Release, *, sensitive: bool = False) -> CountRules:
    """Return what sums of a release's counts need to know of its policy."""
    policy = release.policy
    change = policy.rounding // 2 if policy.method == "round" else 0
    change = int(release.declaration.get("largest_change", change))
    if policy.method == "additive":
        change = policy.rounding
    return CountRules(
        threshold=policy.sensitive_threshold if sensitive else policy.threshold,
        rounding=policy.rounding,
        zeros_shown=policy.zeros_shown,
        change=change,
    )


def numbers_of(material: Material, release: Release, place: Place) -> pd.DataFrame:
    """
    Return the released numbers of a place.

    Parameters
    ----------
    material
        Where the release is from.
    release
        One of its releases.
    place
        An area, several, or a drawn place.

    Returns
    -------
    numbers
        Index `period`, `category`; ``status``, ``count``, ``rate``, ``lower``,
        ``upper`` (per 1,000 a year) and, for a sum of several areas,
        ``standard_error`` of the count. Those of one area are as released.
    """
    if place.level is not None and len(place.codes) == 1 and not _is_merged(release, place):
        rows = release.tables[place.level].values
        own = rows[(rows["area_code"].astype(str) == place.codes[0]).to_numpy()]
        table = own[["period", "category", "status", "count", "rate", "lower", "upper"]]
        table = table.astype({"period": str, "category": str, "status": str})
        return table.set_index(["period", "category"]).assign(standard_error=np.nan)
    return _summed(material, release, place)


def number_at(numbers: pd.DataFrame, period: str, category: str) -> pd.Series[Any]:
    """Return the numbers of one period and category."""
    return numbers.loc[[(period, category)]].iloc[0]


def over_time(numbers: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Return the numbers of everything by the parts of the span."""
    total = release.categories[0].label
    parts = [view.label for view in release.periods[1:]]
    rows = numbers.loc[[(part, total) for part in parts]]
    return rows.set_axis(pd.Index(parts, dtype=object), axis="index")


def _summed(material: Material, release: Release, place: Place) -> pd.DataFrame:
    """Add the released counts of several areas up, and work out rates anew."""
    level, weights = _weights_in(material, release, place)
    rows = release.tables[level].values
    rows = rows[rows["area_code"].astype(str).isin(weights.index)]
    counts = rows.astype({"period": str, "category": str, "area_code": str}).pivot_table(
        index="area_code", columns=["period", "category"], values="count",
        aggfunc="first", dropna=False, sort=False,
    )  # fmt: skip
    marked = np.isin(counts.columns.get_level_values("category"), list(release.sensitive))
    parts = [
        weighted_counts(counts.loc[:, chosen], weights, rules=rules_of(release, sensitive=flag))
        for flag, chosen in ((False, ~marked), (True, marked))
        if chosen.any()
    ]
    found = pd.concat(parts).reindex(counts.columns)
    people = {
        name: float((place.fit.weights * material.ground[name]).dropna().sum())
        for name in ("residents", "households")
        if name in material.ground
    }
    years = {period.label: period.years for period in release.periods}
    over = {view.label: view.denominator for view in release.categories}
    exposure = [
        people.get(str(over[category]), np.nan) * years[period] for period, category in found.index
    ]
    rates = crude_rate(found["count"].to_numpy(), np.array(exposure), zero_exposure="missing")
    error = _Z * found["standard_error"].to_numpy() * 1000 / np.array(exposure)
    rate = rates["rate"].to_numpy()
    lower = rate - np.hypot(rate - rates["lower"].to_numpy(), error)
    upper = rate + np.hypot(rates["upper"].to_numpy() - rate, error)
    return pd.DataFrame(
        {
            "status": np.where(found["count"].isna(), "hidden", "shown"),
            "count": found["count"].astype("Float64").astype("Int64"),
            "rate": np.round(rate, 2),
            "lower": np.round(np.maximum(lower, 0), 2),
            "upper": np.round(upper, 2),
            "standard_error": np.round(found["standard_error"].to_numpy(), 1),
        },
        index=found.index,
    )


def _weights_in(material: Material, release: Release, place: Place) -> tuple[str, pd.Series[float]]:
    """Return the level that a place is answered from, and the weights of its areas there."""
    if place.level in release.levels and not _is_merged(release, place):
        return place.level, pd.Series(1.0, index=list(place.codes))
    level = release.levels[0]
    table = release.tables[level].areas
    own = material.codes_of(level) if level != material.finest else _merged_codes(material, table)
    people = material.ground.get("residents")
    size = pd.Series(1.0, index=own.index) if people is None else people.astype(float)
    inside = (place.fit.weights.reindex(own.index).fillna(0.0) * size).groupby(own).sum()
    weights = (inside / size.groupby(own).sum().where(lambda total: total > 0)).fillna(0.0)
    return level, weights[weights > 0].clip(upper=1.0)


def _is_merged(release: Release, place: Place) -> bool:
    """Tell whether areas of a place are shown with others alone, as too little was recorded."""
    if place.level is None or place.level not in release.levels:
        return False
    return not set(place.codes) <= set(release.tables[place.level].areas.index.astype(str))


def shown_with(release: Release, code: str) -> tuple[str, ...]:
    """Return the codes of the areas with which an area is shown as one; empty where by itself."""
    table = release.tables[release.levels[0]].areas
    if "members" not in table or code in table.index:
        return ()
    for members in table["members"].dropna():
        if code in str(members).split():
            return tuple(one for one in str(members).split() if one != code)
    return ()


def _merged_codes(material: Material, table: gpd.GeoDataFrame) -> pd.Series[Any]:
    """Return the released area that holds each finest one: itself, or one made of several."""
    own = material.codes_of(material.finest)
    if "members" not in table:
        return own
    for code, members in table["members"].dropna().items():
        own = own.mask(own.isin(str(members).split()), str(code))
    return own


def share_of(material: Material, place: Place, column: str, *, most: float) -> float:
    """Return the share of a place's residents in areas whose `column` is at most `most`."""
    people, known = _people(material, place, column)
    return float(people[known <= most].sum() / people.sum()) if people.sum() > 0 else np.nan


def mean_of(material: Material, place: Place, column: str) -> float:
    """Return the mean of a column over a place's residents."""
    people, known = _people(material, place, column)
    return float((people * known).sum() / people.sum()) if people.sum() > 0 else np.nan


def _people(
    material: Material, place: Place, column: str
) -> tuple[pd.Series[float], pd.Series[float]]:
    weights = place.fit.weights
    rows = material.ground.loc[weights.index]
    size = rows["residents"].astype(float) if "residents" in rows else 1.0
    people = pd.Series(weights * size, index=weights.index).astype(float)
    known = rows[column].astype(float)
    return people[known.notna()], known[known.notna()]


def sum_of(material: Material, place: Place, column: str) -> float:
    """Return the total of a column over a place."""
    return float((place.fit.weights * material.ground.loc[place.fit.weights.index, column]).sum())
