"""What a workbook says of itself: first for whoever reads it, last for whatever checks it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import LEVEL_SHORT, is_gss
from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.facts import FACT_COLUMNS
from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import COUNT_EDGES
from placeshaping.layers.notes import declaration_of, label_words
from placeshaping.maps.palettes import CLUSTERS

COLUMNS: Mapping[str, str] = {
    "area_code": "code of the area in the official register, where it has one",
    "area_name": "name of the area",
    "imd_decile": "tenth of the Index of Multiple Deprivation that the area is in, 1 = most "
    "deprived",
    "period": "span of months that the row is of",
    "category": "what is counted; totals come first",
    "members": "codes of the small areas that are shown as one, because too little was recorded in "
    "some of them",
    "status": "shown; hidden: too few to show, or hidden so that another cannot be worked out; "
    "missing: not known. A count of 0 is a zero that is shown",
    "class": "class of the number of records: "
    + "; ".join(f"{n} is {text}" for n, text in enumerate(class_labels(COUNT_EDGES), start=1)),
    "rank": "1 for the area with most records; areas with equal rounded numbers have the same rank",
    "count": "records in the area, period and category, rounded as stated above; empty where it "
    "is hidden or missing",
    "rate": "records per 1,000 of the denominator a year, worked out from the count that is shown",
    "lower": "lower end of the 95 % interval of the rate (Byar)",
    "upper": "upper end of the 95 % interval of the rate (Byar)",
    "rate_smoothed": "the same rate drawn towards the average where it rests on few people "
    "(empirical Bayes)",
    "cluster": "hot and cold spots by Gi* with the false discovery rate controlled: "
    + "; ".join(f"{one.value} is {one.label.lower()}" for one in CLUSTERS.values())
    + "; empty where that was not worked out",
    "gi_star": "score of Gi*: how far the area and its neighbours lie above or below the average",
    "q_value": "p-value of Gi* after the false discovery rate was controlled",
    "areas": "how many areas are in the tenth",
    "exposure": "residents, or households, times years: what the rate is worked out over",
    "slope": "slope index of inequality: rate of the most deprived minus that of the least, per "
    "1,000 a year",
    "slope_lower": "lower end of the 95 % interval of the slope",
    "slope_upper": "upper end of the 95 % interval of the slope",
    "ratio": "relative index of inequality: the same as a ratio",
}
"""What each column of a workbook holds, in words; `column_words` adds those of labels."""

HOW_TO_READ = (
    "Each sheet has a row for each area, period and category. Filter the columns period and "
    "category to one of each before adding anything up: totals and parts stand side by side.",
    "Look at lower and upper before comparing two rates: where the intervals overlap, the "
    "difference may be chance.",
    "Hidden is not zero: a hidden cell is empty and says so in the column status.",
)
"""What to know before using the numbers."""


def column_words(release: Release) -> dict[str, str]:
    """
    Return what each column of a release's tables holds, in words.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    words
        Column -> words: `COLUMNS`, and the further labels of its areas.
    """
    own = dict(FACT_COLUMNS) if release.found else {}
    return {**COLUMNS, **own, **{one.name: label_words(one) for one in release.labels}}


@dataclass(frozen=True)
class Row:
    """
    A row of the notes.

    Attributes
    ----------
    key
        Stands in the first column.
    value
        Stands in the second; empty for a heading.
    """

    key: str
    value: str | int = ""


def notes_of_tables(
    release: Release, columns: Iterable[str], *, shortened: Collection[str] = ()
) -> list[Row]:
    """
    Return the rows of the notes: words first, then columns, then the declaration.

    Parameters
    ----------
    release
        What is published.
    columns
        The columns that stand in any sheet; those that are known are explained.
    shortened
        Short names of the levels of which only the view that opens first is given.

    Returns
    -------
    rows
        The title first; a row without a value is a heading. Only the
        declaration, at the end, holds numbers.
    """
    rows = [Row(release.title), *_words(release, shortened)]
    present = set(columns)
    rows.append(Row("Columns"))
    rows += [Row(name, text) for name, text in column_words(release).items() if name in present]
    rows.append(Row("For checking: what this file declares of itself"))
    rows += [Row(key, value) for key, value in declaration_of(release) if value != ""]
    return rows


def _words(release: Release, shortened: Collection[str]) -> Iterator[Row]:
    yield from _told("Stamp", [release.policy.stamp or ""])
    yield from _told("What it shows", release.found or [_shown(release)])
    yield from _told("Purpose", [release.purpose])
    yield from _told("Period", [] if release.found else _span(release))
    yield from _told("For whom", [f"{release.policy.audience} (policy {release.policy.name})"])
    if not release.found:
        yield from _told("How to read", HOW_TO_READ)
        yield from _told("Rates", _denominators(release))
    yield from _told(
        "Hot spots", [f"of the {release.hot_spots_of}" if release.hot_spots_of else ""]
    )
    for scheme in release.labels:
        yield from _told(scheme.title, (scheme.method, *scheme.cautions))
    for name in shortened:
        text = f"{name}: more rows than a sheet holds; only the view that opens first is given."
        yield Row("Rows left out", text)
    yield from _told("Codes", _codes(release))
    yield from _told("About the records", release.notes)
    yield from _told("What is hidden", release.statement)
    yield from _told("Mind", release.cautions)
    yield from _told("Not for", release.not_for)
    yield from _told(
        "Source", (f"{one.role}: {one.name}, {one.checksum}" for one in release.sources)
    )
    yield from _told("Contact", [release.contact])


def _codes(release: Release) -> Iterator[str]:
    """Say which codes are names, unless the notes of the release say it already."""
    for table in release.tables.values():
        told = derived_codes(table.areas["area_name"], level=table.level)
        if told not in release.notes:
            yield told


def _told(key: str, sentences: Iterable[str]) -> Iterator[Row]:
    yield from (Row(key, sentence) for sentence in sentences if sentence)


def _shown(release: Release) -> str:
    levels = listed([table.label for table in release.tables.values()], most=8)
    categories = listed([view.label for view in release.categories], most=20)
    return f"{release.subject} by area ({levels}): {categories}."


def _span(release: Release) -> Sequence[str]:
    whole = release.periods[0]
    told = [f"{whole.first:%B %Y} to {whole.last:%B %Y}."]
    if whole.missing:
        told.append(f"Without data for {listed(whole.missing, most=12)}.")
    if len(release.periods) > 1:
        labels = [view.label for view in release.periods]
        told.append(f"Given for {listed(labels, most=24)}.")
    return told


def _denominators(release: Release) -> Iterator[str]:
    """Say what rates are of, once for each denominator."""
    by: dict[str | None, list[str]] = {}
    for view in release.categories:
        by.setdefault(view.denominator, []).append(view.label)
    for denominator, labels in by.items():
        of = f"per 1,000 {denominator} a year" if denominator else "no rate, for want of a number"
        yield f"{listed(labels, most=20)}: {of}."


def derived_codes(names: pd.Series[str], *, level: str) -> str:
    """
    Say where the codes of a level are names, told from the names of smaller areas.

    Parameters
    ----------
    names
        Names of the areas of a level, indexed by ``area_code``.
    level
        The level.

    Returns
    -------
    sentence
        Empty where the codes are official, or the areas are a council's own.
        It is the same for all areas and some of them, so that it is told once.

    Examples
    --------
    >>> derived_codes(pd.Series({"Marsh 001": "Marsh 001"}), level="msoa")[:41]
    'Codes of level MSOA that are not official'
    >>> derived_codes(pd.Series({"E02000001": "Marsh 001"}), level="msoa")
    ''
    """
    own = names.index[names.index.astype(str) == names.astype(str).to_numpy()]
    if level != "msoa" or all(is_gss(str(code)) for code in own):
        return ""
    return (
        f"Codes of level {LEVEL_SHORT[level]} that are not official are names, told from the names "
        "of the LSOAs, because no lookup gave the official ones. They match no other table by "
        "code; match those by name."
    )
