"""
What a map says in words, written from the released numbers.

Plain English, British spelling; an area is named with its figure, its period
and its interval, and never called a problem.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.maps.months import period_words
from placeshaping.statistics.rates import crude_rate, poor_denominator

LEVEL_WORDS: dict[str, tuple[str, str, str]] = {
    "oa": ("output area", "output areas", "Output areas"),
    "lsoa": ("small area (LSOA)", "small areas (LSOAs)", "Small areas"),
    "msoa": ("neighbourhood (MSOA)", "neighbourhoods (MSOAs)", "Neighbourhoods"),
    "ward": ("ward", "wards", "Wards"),
    "district": ("district", "districts", "Districts"),
    "county": ("county", "counties", "Counties"),
    "csp": ("safety partnership", "safety partnerships", "Safety partnerships"),
    "police_force": ("police force area", "police force areas", "Police force areas"),
    "area": ("area", "areas", "Areas"),
    "grid_250": ("cell of 250 m", "cells of 250 m", "Cells"),
    "grid_500": ("cell of 500 m", "cells of 500 m", "Cells"),
    "grid_1000": ("cell of 1 km", "cells of 1 km", "Cells"),
}
"""Level -> one, many, and the label of its button."""

NEVER = ("worst", "best", "problem area", "bad area", "sink", "no-go", "rough", "deprived people")
"""Words that label places; texts that the project writes hold none of them."""

VISITED = (
    "Often that is because many more people work, shop or go out there than live there (a town "
    "centre, a station, a hospital), or because records are put at one address by default: check "
    "before you conclude."
)
"""What may lie behind a rate over residents far above the usual."""

FALSE_ALARMS = (
    "So many areas were tested at once that some would stand out by chance alone: that is allowed "
    "for, and 1 in 20 of those named, or fewer, may be false alarms."
)
"""How sure the hot spots are."""

_MANY_PLACES = 3


def finding(release: Release) -> tuple[str, ...]:
    """
    Say in a few sentences what a release shows.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    sentences
        What, when, where and how many; where the rate was highest and lowest,
        with intervals; how many areas stand out, and how sure that is.
    """
    if release.found:
        return release.found
    return (_lead(release), *_extremes(release), *_hot_spots(release), *_labels(release))


def facts(release: Release) -> tuple[tuple[str, str], ...]:
    """
    Say in pairs of a label and a few words what a reader must see at a glance.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    facts
        When, where, what stands out, and how sure.
    """
    if release.glance:
        return release.glance
    finest = release.tables[release.levels[0]]
    _, many, _ = words_of(finest)
    within = f", in {len(finest.areas):,} {many}" if len(release.levels) > 1 else ""
    if "members" in finest.areas:
        merged = int(finest.areas["members"].notna().sum())
        within += f", {merged:,} of them made of several because little was recorded there"
    found = _hot_and_cold(release)
    told = []
    if found is not None:
        hidden = f", {found.hidden:,} hidden" if found.hidden else ""
        of = release.categories[0].label
        told = [("Hot spots", f"{of}: {found.hot:,} of {found.size:,} {found.many}{hidden}")]
    until = [("Use until", day_words(release.expires))] if release.expires else []
    return (
        *until,
        ("When" if release.policy.counts_shown else "Records of", span_words(release)),
        ("Where", place_words(release) + within),
        *told,
        ("How sure", _sure(release) + protection_words(release)),
    )


def words_heading(release: Release) -> str:
    """
    Head the words of the view that opens without a script, with what they are about.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    heading
        Category, months and level.
    """
    if release.found:
        return "In words"
    one = words_of(release.tables[release.levels[0]])[0]
    return f"In words: {_of(release)}, {span_words(release)}, by {one}"


def protection_words(release: Release) -> str:
    """
    Say in one sentence what was done to small numbers.

    Parameters
    ----------
    release
        Whose policy it is.

    Returns
    -------
    words
        The end of a sentence that has begun, with a full stop.
    """
    return ". Small numbers are hidden, others rounded." if release.policy.protects else "."


def day_words(day: dt.date) -> str:
    """
    Write a day.

    Parameters
    ----------
    day
        Any day.

    Returns
    -------
    words
        As in print.

    Examples
    --------
    >>> day_words(dt.date(2026, 3, 1))
    '1 March 2026'
    """
    return f"{day.day} {day:%B %Y}"


NO_COUNTS = "Classes in words; no numbers are shown"
"""How sure it is, where a policy shows no counts."""


def _sure(release: Release) -> str:
    if not release.policy.counts_shown:
        return NO_COUNTS
    if not has_rates(release):
        return "Counts as recorded"
    table, category = release.tables[release.levels[0]], release.categories[0]
    view = table.view(period=release.periods[0].label, category=category.label)
    half = ((view["upper"] - view["lower"]) / 2).median()
    if pd.isna(half):
        return "Counts as recorded"
    return (
        f"The true yearly rate of a typical {words_of(table)[0]} lies within ±{tenth(half)} per "
        "1,000 (95%)"
    )


def words_of(table: AreaTable) -> tuple[str, str, str]:
    """
    Return a level's name for one area, for many, and for a button.

    Parameters
    ----------
    table
        One level of a release.

    Returns
    -------
    words
        For levels that are not known, the label of the table.
    """
    label = table.short_label
    return LEVEL_WORDS.get(table.level, (label.lower(), f"{label.lower()} areas", label))


def span_words(release: Release) -> str:
    """
    Write the whole span as months: ``"January 2023 to December 2025"``.

    Parameters
    ----------
    release
        Whose first period is the whole span.

    Returns
    -------
    words
        As `months.period_words` writes them.
    """
    return period_words(release.periods[0])


def place_words(release: Release) -> str:
    """
    Name the place by its coarsest areas, as far as they are few.

    Parameters
    ----------
    release
        Whose last level is the coarsest.

    Returns
    -------
    words
        For example ``"Leicester, Blaby and 7 more districts"``.
    """
    table = release.tables[release.levels[-1]]
    names = [str(name) for name in table.areas["area_name"]]
    if len(names) == 1:
        return names[0]
    if len(names) <= _MANY_PLACES:
        return f"{', '.join(names[:-1])} and {names[-1]}"
    if table.level not in ("district", "county", "csp", "police_force"):
        return f"{len(names):,} {words_of(table)[1]}"
    people = table.areas.get("residents")
    if people is not None and people.notna().all():
        names = [names[place] for place in np.argsort(-people.to_numpy(dtype=float), kind="stable")]
    return f"{names[0]}, {names[1]} and {len(names) - 2} more {words_of(table)[1]}"


def _lead(release: Release) -> str:
    if not release.policy.counts_shown:
        told = f"From records of {span_words(release)}."
        return f"{release.purpose.rstrip('.')}. {told}" if release.purpose else told
    count, people, complete = _whole(release)
    rounded = _rounded(count, release.policy.rounding)
    exact = rounded == count and release.policy.rounding == 1
    about_word = "at least" if not complete else "" if exact else "about"
    text = (
        f"{_sentence_case(release.categories[0].label)} in {place_words(release)}, "
        f"{span_words(release)}: {f'{about_word} {rounded:,}'.strip()} records"
    )
    category = release.categories[0]
    if people is None or not complete:
        return f"{text}."
    years = release.periods[0].years
    rate = crude_rate([count], [people * years]).iloc[0]
    return (
        f"{text}, or {tenth(rate['rate'])} per 1,000 {category.denominator} a year "
        f"({interval_words(rate['lower'], rate['upper'])})."
    )


def _whole(release: Release) -> tuple[int, float | None, bool]:
    """Return the count, the people and whether nothing is hidden, from the coarsest level."""
    table = release.tables[release.levels[-1]]
    view = table.view(period=release.periods[0].label, category=release.categories[0].label)
    people = release.categories[0].denominator
    known = people is not None and people in table.areas and table.areas[people].notna().all()
    return (
        int(view["count"].sum()),
        float(table.areas[people].sum()) if known else None,
        bool(view["status"].eq("shown").all()),
    )


def _extremes(release: Release) -> Iterator[str]:
    if not has_rates(release):
        return
    table = release.tables[release.levels[0]]
    category = release.categories[0]
    view = table.view(period=release.periods[0].label, category=category.label)
    known = view[view["rate"].notna()]
    if len(known) < 2 or known["rate"].nunique() < 2:
        return
    ranked = known.sort_values("rate", kind="stable")
    low, high = str(ranked.index[0]), str(ranked.index[-1])
    lowest = _rate_words(ranked.iloc[0])
    highest = _rate_words(ranked.iloc[-1], f" per 1,000 {category.denominator} a year")
    names = table.areas["area_name"]
    zeros = int(known["count"].eq(0).sum())
    least = f" and lowest in {names[low]} ({lowest})"
    if zeros > 1:
        least = f"; none was recorded in {zeros:,} of them"
    text = (
        f"Among the {len(known):,} {words_of(table)[1]} with a rate{_more_hidden(view)}, that of "
        f"{_of(release)} was highest in "
        f"{names[high]} ({highest}){least}; half of them had less than "
        f"{tenth(known['rate'].median())}."
    )
    people = table.areas[category.denominator].astype("Float64").reindex(known.index)
    years = release.periods[0].years
    poor = category.denominator == "residents" and poor_denominator(
        known["count"].astype("float64"), people.astype("float64") * years
    ).get(high)
    yield f"{text} {VISITED}" if poor and not is_cautioned(release) else text


def is_cautioned(release: Release) -> bool:
    """
    Tell whether the cautions of a release say already what may lie behind a rate far above others.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    cautioned
        Then the sentences need not say it again.
    """
    return any(VISITED.rpartition(": ")[2] in caution for caution in release.cautions)


def _hot_spots(release: Release) -> Iterator[str]:
    found = _hot_and_cold(release)
    if found is None:
        return
    stand = "stands out as a hot spot" if found.hot == 1 else "stand out as hot spots"
    less = {0: "none as a cold spot", 1: "1 as a cold spot"}
    cold = less.get(found.cold, f"{found.cold:,} as cold spots")
    hidden = f"; of {found.hidden:,} it is hidden" if found.hidden else ""
    yield (
        f"{found.hot:,} of {found.size:,} {found.many} {stand} of {_of(release)}, where more "
        f"records gather than chance would bring together, and {cold}, where fewer do{hidden}. "
        f"{FALSE_ALARMS}"
    )


def _labels(release: Release) -> Iterator[str]:
    """Say how many areas have which label, at the finest level that has any."""
    for scheme in release.labels:
        for table in release.tables.values():
            if scheme.name not in table.values:
                continue
            view = table.view(period=release.periods[0].label, category=release.categories[0].label)
            known = view[scheme.name].dropna().astype(str).value_counts()
            if known.empty:
                continue
            words = {one.value: one.label for one in scheme.classes}
            told = [f"{words[value]}: {known[value]:,}" for value in words if value in known]
            hidden = int(view["status"].eq("hidden").sum())
            told += [f"hidden: {hidden:,}"] if hidden else []
            finest = table.level == release.levels[0]
            among = "" if finest else f", among {len(view):,} {words_of(table)[1]}"
            yield f"{scheme.title}{among}: {'; '.join(told)}."
            break


class _Spots(NamedTuple):
    many: str
    hot: int
    cold: int
    size: int
    hidden: int


def _hot_and_cold(release: Release) -> _Spots | None:
    """Return the words for many areas, hot and cold ones, and all, at the finest level with any."""
    for table in release.tables.values():
        if not has_hot_spots(table):
            continue
        view = table.view(period=release.periods[0].label, category=release.categories[0].label)
        known = view["cluster"].dropna().astype(str)
        if len(known):
            hot, cold = (int(known.str.startswith(kind).sum()) for kind in ("hot", "cold"))
            hidden = int(view["status"].eq("hidden").sum())
            return _Spots(words_of(table)[1], hot, cold, len(view), hidden)
    return None


def has_hot_spots(table: AreaTable) -> bool:
    """
    Tell whether any area of a table has a hot-spot class that may be shown.

    Parameters
    ----------
    table
        One level of a release.

    Returns
    -------
    has
        False where they were not looked for, or are all hidden.
    """
    return has_labels(table, "cluster")


def has_labels(table: AreaTable, column: str) -> bool:
    """
    Tell whether any area of a table has a label that may be shown.

    Parameters
    ----------
    table
        One level of a release.
    column
        The labels' column.

    Returns
    -------
    has
        False where there are none, or all are hidden.
    """
    return column in table.values and bool(table.values[column].notna().any())


def _more_hidden(view: pd.DataFrame) -> str:
    hidden = int(view["status"].eq("hidden").sum())
    return f" ({hidden:,} more are hidden)" if hidden else ""


def _of(release: Release) -> str:
    """Write the first category inside a sentence: "burglary", but "ASB"."""
    label = release.categories[0].label
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def has_rates(release: Release) -> bool:
    """
    Tell whether a release has rates at its finest level.

    Parameters
    ----------
    release
        Protected numbers.

    Returns
    -------
    has
        Whether its policy shows counts, from which rates are worked out, and
        the denominator of its first category is known there.
    """
    table = release.tables[release.levels[0]]
    people = release.categories[0].denominator
    return release.policy.counts_shown and people is not None and people in table.areas


def _rate_words(row: pd.Series[Any], unit: str = "") -> str:
    return f"{tenth(row['rate'])}{unit}, {interval_words(row['lower'], row['upper'])}"


def interval_words(lower: float, upper: float) -> str:
    """
    Write a 95% interval.

    Parameters
    ----------
    lower, upper
        Its ends.

    Returns
    -------
    words
        With one decimal.

    Examples
    --------
    >>> interval_words(1.25, 1000)
    '95% interval 1.3 to 1,000.0'
    """
    return f"95% interval {tenth(lower)} to {tenth(upper)}"


def tenth(value: float) -> str:
    """
    Write one decimal: half up at the second, then at the first, as the page's script does.

    Parameters
    ----------
    value
        Zero or more.

    Returns
    -------
    words
        With commas between thousands.

    Examples
    --------
    >>> tenth(362.449), tenth(362.4499)
    ('362.5', '362.5')
    """
    return f"{np.floor(np.floor(value * 100 + 0.5) / 10 + 0.5) / 10:,.1f}"


def _rounded(count: int, base: int) -> int:
    """Round to three digits, enough for a sentence, where that leaves multiples of the base."""
    digits = max(len(str(count)) - 3, 0)
    return count if 10**digits % base and digits else int(round(count, -digits))


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def label_words(texts: Sequence[str]) -> list[str]:
    """
    Return the words that label places, as far as some texts hold them.

    Parameters
    ----------
    texts
        Sentences that the project writes.

    Returns
    -------
    found
        Empty for texts that may be printed.

    Examples
    --------
    >>> label_words(["The worst area of all"])
    ['worst']
    """
    said = " ".join(texts).casefold()
    return [word for word in NEVER if word in said.replace("-", " ").split() or f" {word} " in said]
