"""Indicators of a place: what each measures, which end is better, and what others have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from placeshaping.reports.profiles_places import (
    Material,
    Place,
    mean_of,
    number_at,
    numbers_of,
    share_of,
    sum_of,
)
from placeshaping.sources.deprivation import DOMAINS
from placeshaping.sources.offences import OFFENCE_TAGS
from placeshaping.statistics.comparators import Polarity, compare_estimates, nearest_neighbours

Told = Literal["above", "below", "not sure", "alike", "unknown"]

DOMAIN_NAMES = {
    "imd": "All domains together",
    "income": "Income",
    "employment": "Employment",
    "education": "Education, skills and training",
    "health": "Health and disability",
    "crime": "Crime",
    "housing": "Barriers to housing and services",
    "environment": "Living environment",
}
FIFTH = 2
"""Deciles of the most deprived fifth."""

WITHIN = 15.0
"""Minutes on foot beyond which a service is told as far."""

NOTABLE = 10.0
"""Percentage points from which shares of residents are told as different."""

NEIGHBOURS = 5


@dataclass(frozen=True)
class Comparison:
    """
    An indicator elsewhere.

    Attributes
    ----------
    place
        Name of where: the district, areas alike, England.
    value, lower, upper
        What it is there; None where that is not known.
    told
        Whether the place lies above or below it, or cannot be told apart.
    """

    place: str
    value: float | None
    lower: float | None
    upper: float | None
    told: Told


@dataclass(frozen=True)
class Indicator:
    """
    A number of a place with what is needed to read it.

    Attributes
    ----------
    key
        For comparing one profile with another.
    group
        ``"people"``, ``"deprivation"``, ``"access"``, or what was counted.
    label, unit, period
        In words.
    polarity
        Which end is better.
    value, lower, upper
        None where hidden or not known; without an interval where everybody
        was counted.
    counted
        Whether everybody was counted: such values differ by points, not by
        chance.
    decimals
        To print.
    comparisons
        In the order of the columns of a page.
    """

    key: str
    group: str
    label: str
    unit: str
    period: str
    polarity: Polarity
    value: float | None
    lower: float | None = None
    upper: float | None = None
    counted: bool = True
    decimals: int = 1
    comparisons: tuple[Comparison, ...] = ()

    def beside(self, place: str) -> Comparison | None:
        """Return the comparison with a place."""
        return next((one for one in self.comparisons if one.place == place), None)

    def better(self, comparison: Comparison) -> bool | None:
        """Tell whether the place does better; None where that cannot be said."""
        if self.polarity == "neither" or comparison.told not in ("above", "below"):
            return None
        return (comparison.told == "above") == (self.polarity == "higher")


@dataclass(frozen=True)
class Beside:
    """
    Somewhere to compare with: a larger area that holds the place, or areas alike.

    Attributes
    ----------
    name
        Head of its column.
    place
        What it is made of.
    alike
        Whether these are the nearest statistical neighbours.
    """

    name: str
    place: Place
    alike: bool = False


Known = dict[tuple[str | None, tuple[str, ...]], Mapping[str, Indicator]]


def indicators_of(
    material: Material, place: Place, beside: Sequence[Beside], *, known: Known | None = None
) -> tuple[Indicator, ...]:
    """
    Work out all indicators of a place, and what they are elsewhere.

    Parameters
    ----------
    material
        Releases and public facts.
    place
        What the profile is of.
    beside
        What to compare with.
    known
        Indicators of such places that were worked out before; added to.

    Returns
    -------
    indicators
        People, deprivation, counts by category over the whole span, access.
    """
    known = {} if known is None else known
    elsewhere: dict[str, Mapping[str, Indicator]] = {}
    for one in beside:
        key = (one.place.level, one.place.codes)
        if key not in known:
            known[key] = {i.key: i for i in _measured(material, one.place)}
        elsewhere[one.name] = known[key]
    return tuple(_compared(own, elsewhere, material) for own in _measured(material, place))


def _measured(material: Material, place: Place) -> Iterator[Indicator]:
    yield from _of_people(material, place)
    yield from _of_deprivation(material, place)
    yield from _of_counts(material, place)
    yield from _of_access(material, place)


def _of_people(material: Material, place: Place) -> Iterator[Indicator]:
    ground = material.ground
    if "residents" not in ground:
        return
    people = sum_of(material, place, "residents")
    hectares = float(
        (place.fit.weights * ground.geometry.area.loc[place.fit.weights.index]).sum() / 10_000
    )
    yield _open("residents", "people", "Residents", "people", people, decimals=0)
    if people <= 0:
        return
    yield _open("density", "people", "Residents a hectare", "people", people / hectares)
    if "households" in ground:
        homes = sum_of(material, place, "households")
        size = people / homes if homes else np.nan
        yield _open("household_size", "people", "Residents a household", "people", size, decimals=2)
    for column in ages_in(ground):
        share = 100 * sum_of(material, place, column) / people
        label = f"Aged {column.removeprefix('age ')}"
        yield _open(column, "people", label, "% of residents", share)


def ages_in(ground: pd.DataFrame) -> list[str]:
    """Return the columns that hold residents of an age."""
    return [str(name) for name in ground.columns if str(name).startswith("age ")]


def _of_deprivation(material: Material, place: Place) -> Iterator[Indicator]:
    for domain in DOMAINS:
        column = f"{domain}_decile"
        if column in material.ground:
            share = 100 * share_of(material, place, column, most=FIFTH)
            yield _open(
                f"deprivation:{domain}",
                "deprivation",
                DOMAIN_NAMES[domain],
                "% of residents",
                share,
                polarity="lower",
                decimals=0,
            )


def _of_access(material: Material, place: Place) -> Iterator[Indicator]:
    for name in material.ground.columns:
        if str(name).startswith("minutes "):
            title = str(name).removeprefix("minutes ")
            far = 100 - 100 * share_of(material, place, str(name), most=WITHIN)
            minutes = mean_of(material, place, str(name))
            label = f"{title}: more than {WITHIN:.0f} minutes on foot"
            yield _open(
                f"beyond:{title}", "access", label, "% of residents", far,
                polarity="lower", decimals=0,
            )  # fmt: skip
            label = f"{title}: mean minutes on foot"
            yield _open(f"minutes:{title}", "access", label, "minutes", minutes)


def _of_counts(material: Material, place: Place) -> Iterator[Indicator]:
    for name, release in material.releases.items():
        whole = release.periods[0]
        numbers = numbers_of(material, release, place)
        for view in release.categories:
            row = number_at(numbers, whole.label, view.label)
            if view.denominator is None:
                continue
            value, lower, upper = (_number(row[c]) for c in ("rate", "lower", "upper"))
            yield Indicator(
                key=f"{name}:{view.label}",
                group=name,
                label=view.label,
                unit=f"per 1,000 {view.denominator} a year",
                period=whole.label,
                polarity=_polarity(material, name, view.label, view.parts),
                value=value,
                lower=lower,
                upper=upper,
                counted=False,
            )


def _polarity(material: Material, name: str, category: str, parts: Sequence[str]) -> Polarity:
    """Say which end is better: fewer of what the public reports; else what the recipe says."""
    said = material.polarity.get(category, material.polarity.get(name))
    if said in ("higher", "lower", "neither"):
        return said  # type: ignore[return-value]
    tags = {OFFENCE_TAGS.get(part) for part in parts}
    return "lower" if tags and None not in tags and tags != {"discovered"} else "neither"


def _open(
    key: str,
    group: str,
    label: str,
    unit: str,
    value: float,
    *,
    polarity: Polarity = "neither",
    decimals: int = 1,
) -> Indicator:
    """Describe a value of everybody: no sample, and so no interval."""
    known = None if not np.isfinite(value) else round(float(value), decimals)
    return Indicator(key, group, label, unit, "", polarity, known, decimals=decimals)


def _number(value: object) -> float | None:
    number = float(pd.to_numeric(pd.Series([value]), errors="coerce").astype("Float64")
                   .to_numpy(dtype=float, na_value=np.nan)[0])  # fmt: skip
    return number if np.isfinite(number) else None


def _compared(
    own: Indicator, elsewhere: Mapping[str, Mapping[str, Indicator]], material: Material
) -> Indicator:
    if own.key == "residents":
        return own
    found = []
    for name, there in elsewhere.items():
        other = there.get(own.key)
        if other is not None:
            found.append(_beside(own, name, (other.value, other.lower, other.upper)))
    found += [_beside(own, name, limits) for name, limits in _benchmarks(own, material)]
    return _replaced(own, tuple(found))


def _replaced(own: Indicator, comparisons: tuple[Comparison, ...]) -> Indicator:
    return Indicator(**{**vars(own), "comparisons": comparisons})


Limits = tuple[float | None, float | None, float | None]


def _benchmarks(own: Indicator, material: Material) -> Iterator[tuple[str, Limits]]:
    """Yield what is known of an indicator elsewhere: published figures, and what holds anywhere."""
    table = material.benchmarks
    named: set[str] = set()
    if table is not None:
        wanted = {own.key.casefold(), own.label.casefold()}
        for row in table[table["indicator"].str.casefold().isin(wanted)].itertuples():
            named.add(str(row.place))
            yield str(row.place), (_number(row.value), _number(row.lower), _number(row.upper))
    if own.group == "deprivation" and "England" not in named:
        yield "England", (20.0, None, None)  # a fifth of its areas, by definition


def _beside(own: Indicator, name: str, limits: Limits) -> Comparison:
    value, lower, upper = limits
    return Comparison(name, value, lower, upper, _told(own, limits))


def _told(own: Indicator, limits: Limits) -> Told:
    value, lower, upper = limits
    if own.value is None or value is None:
        return "unknown"
    if own.counted:
        if own.unit != "% of residents":
            return "above" if own.value > value else "below" if own.value < value else "alike"
        if abs(own.value - value) < NOTABLE:
            return "alike"
        return "above" if own.value > value else "below"
    table = compare_estimates(_frame(own.value, own.lower, own.upper), _frame(value, lower, upper))
    told: Told = table["told"].iloc[0]
    return told


def _frame(value: float, lower: float | None, upper: float | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": [value],
            "lower": [value if lower is None else min(lower, value)],
            "upper": [value if upper is None else max(upper, value)],
        }
    )


def beside_of(material: Material, place: Place, alike: pd.DataFrame | None) -> list[Beside]:
    """
    Choose what a place is compared with: what holds it whole, then areas alike.

    Parameters
    ----------
    material
        Where larger areas are known from.
    place
        What the profile is of.
    alike
        Nearest neighbours at its level, from `neighbours_at`; None without.
    """
    found: list[Beside] = []
    own = place.fit.weights.index
    for level in material.levels:
        if level in ("oa", "lsoa", "msoa", "ward") or level == place.level:
            continue
        codes = material.codes_of(level).loc[own].unique()
        if len(codes) == 1 and len(own) < int((material.codes_of(level) == codes[0]).sum()):
            holder = material.place_of(level, [str(codes[0])])
            if holder.name not in [one.name for one in found]:
                found.append(Beside(holder.name, holder))
    if alike is not None and place.level is not None and len(place.codes) == 1:
        near = alike.loc[alike["area_code"] == place.codes[0], "neighbour"].astype(str).tolist()
        if near:
            name = f"{len(near)} areas most alike"
            found.append(Beside(name, material.place_of(place.level, near, name=name), alike=True))
    return found


def neighbours_at(material: Material, level: str, *, most: int = NEIGHBOURS) -> pd.DataFrame | None:
    """
    Find the areas of a level most alike in who lives there and how.

    Outcomes (what was counted, the crime domain) are left out: areas are to be
    alike in what they are, so that how they fare can be compared.

    Returns
    -------
    neighbours
        As of `nearest_neighbours`; None where there are too few areas, or
        nothing is known of them.
    """
    codes = material.codes_of(level)
    names = list(dict.fromkeys(codes))
    if len(names) < most + 2 or "residents" not in material.ground:
        return None
    rows = []
    for code in names:
        place = material.place_of(level, [code])
        own = {i.label: i.value for i in _of_people(material, place) if i.key != "residents"}
        for domain in ("income", "employment", "education", "health", "housing", "environment"):
            if f"{domain}_decile" in material.ground:
                label = f"deprivation ({DOMAIN_NAMES[domain].casefold()}), mean decile"
                own[label] = mean_of(material, place, f"{domain}_decile")
        rows.append(own)
    table = pd.DataFrame(rows, index=pd.Index(names, name="area_code"), dtype=float)
    table = table.dropna(how="any")
    if len(table) < most + 2:
        return None
    return nearest_neighbours(table.rename(columns=str.casefold), most=most)
