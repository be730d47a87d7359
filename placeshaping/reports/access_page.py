"""The report on access: what was found, by deprivation, age and ward, and how it was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeshaping._core.codes import LEVEL_NAMES
from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.about import footer
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.access_words import AccessFacts, people, percent

if TYPE_CHECKING:
    from placeshaping.areas.ladder import Ladder

_MOST_ROWS = 60


def access_report(facts: AccessFacts, released: Release, *, ladder: Ladder) -> ReportContent:
    """
    Put the report together.

    Parameters
    ----------
    facts
        What is known of access.
    released
        What stands on map and layers: the report has its words.
    ladder
        The areas and the levels above them.

    Returns
    -------
    content
        For `pages.report.render_report`.

    Raises
    ------
    DisclosureError
        If `released` is not a `Release`.
    """
    release = require_release(released, wanted_by="access_report")
    return ReportContent(
        title=release.title,
        lead=release.found[0],
        facts=release.glance,
        cautions=release.cautions,
        sections=tuple(_sections(facts, release, ladder)),
        footer=footer(release),
        declaration=release.declaration,
    )


def _sections(facts: AccessFacts, release: Release, ladder: Ladder) -> Iterator[ReportSection]:
    yield ReportSection("What was found", points=release.found[1:])
    if facts.equity is not None:
        yield ReportSection("By deprivation", tables=(_deciles(facts),))
    if facts.ages is not None:
        yield ReportSection("By age", tables=(_ages(facts),))
    above = next((level for level in ladder.levels[1:] if len(ladder.areas[level]) > 1), None)
    if above is not None:
        yield ReportSection(
            f"By {LEVEL_NAMES.get(above, above)}", tables=(_above(facts, ladder, above),)
        )
    yield ReportSection(f"Each {facts.service}", tables=(_served(facts),), folded=True)
    yield from method_sections(release)


def method_sections(release: Release) -> Iterator[ReportSection]:
    """Say how it was worked out, what it must not be used for, and from which files."""
    yield ReportSection("How it was worked out", points=release.notes)
    yield ReportSection("What may leave", points=release.statement)
    yield ReportSection("It must not be used", points=release.not_for)
    told = [f"{one.role}: {one.name}, {one.checksum}" for one in release.sources]
    yield ReportSection("Sources", points=tuple(told))
    if release.contact or release.purpose:
        said = [
            *([f"Purpose: {release.purpose}"] if release.purpose else []),
            *([f"Contact: {release.contact}"] if release.contact else []),
        ]
        yield ReportSection("What it is for", points=tuple(said))


def _heads(facts: AccessFacts) -> tuple[str, ...]:
    return ("Residents", f"Over {facts.threshold:g} {facts.unit}", "Share of residents")


def _deciles(facts: AccessFacts) -> ReportTable:
    table = pd.DataFrame(facts.equity)
    rows = tuple(
        (
            _tenth(int(str(decile))), f"{int(row['areas']):,}", people(row["population"]),
            people(row["beyond"]), percent(row["beyond"], row["population"]),
            tenth_words(row["mean"]), tenth_words(row["median"]),
        )
        for decile, row in table[table["population"] > 0].iterrows()
    )  # fmt: skip
    heads = ("Tenth of deprivation", "Areas", *_heads(facts), "Mean", "Median")
    caption = f"Travel to the nearest {facts.service} in {facts.unit}, by tenth of deprivation"
    return ReportTable(caption, heads, rows)


def _tenth(decile: int) -> str:
    ends = {1: " (most deprived)", 10: " (least deprived)"}
    return f"{decile}{ends.get(decile, '')}"


def tenth_words(value: float) -> str:
    """
    Write travel with one decimal; nothing where none is known.

    Examples
    --------
    >>> tenth_words(4.25), tenth_words(float("nan"))
    ('4.2', 'none reached')
    """
    return "none reached" if pd.isna(value) else f"{value:,.1f}"


def _ages(facts: AccessFacts) -> ReportTable:
    table = pd.DataFrame(facts.ages)
    sums = table.groupby("age", sort=False, observed=True)[["population", "beyond"]].sum()
    rows = tuple(
        (str(age), people(row["population"]), people(row["beyond"]),
         percent(row["beyond"], row["population"]))
        for age, row in sums.iterrows()
    )  # fmt: skip
    return ReportTable(
        f"How far the nearest {facts.service} is, by age", ("Age", *_heads(facts)), rows
    )


def _above(facts: AccessFacts, ladder: Ladder, level: str) -> ReportTable:
    names = ladder.areas[level]["area_name"].astype(str).to_numpy()
    used = facts.areas.reindex(ladder.areas[ladder.finest].index)
    away = used["travel"].to_numpy(dtype="float64")
    residents = used["residents"].to_numpy(dtype="float64")
    reached = ladder.sum_to(level, np.where(np.isfinite(away), residents, 0.0))
    spent = ladder.sum_to(level, residents * np.nan_to_num(away))
    mean = np.divide(spent, reached, out=np.full(len(reached), np.nan), where=reached > 0)
    everybody = ladder.sum_to(level, residents)
    beyond = ladder.sum_to(level, used["beyond"].to_numpy(dtype="float64"))
    rows = tuple(
        (names[k], people(everybody[k]), people(beyond[k]), percent(beyond[k], everybody[k]),
         tenth_words(mean[k]))
        for k in np.argsort(names, kind="stable")
    )  # fmt: skip
    what = LEVEL_NAMES.get(level, level)
    caption = f"Travel to the nearest {facts.service}, by {what.lower()}, in the order of names"
    return ReportTable(caption, (what, *_heads(facts), f"Mean {facts.unit}"), rows)


def _served(facts: AccessFacts) -> ReportTable:
    used = facts.areas.dropna(subset=["nearest"])
    by = used.groupby("nearest", sort=True, observed=True)
    sums = pd.DataFrame({"areas": by.size(), "residents": by["residents"].sum(),
                         "longest": by["travel"].max()})  # fmt: skip
    shown = sums.sort_values("residents", ascending=False, kind="stable").head(_MOST_ROWS)
    rows = tuple(
        (str(name), f"{int(row['areas']):,}", people(row["residents"]), tenth_words(row["longest"]))
        for name, row in shown.iterrows()
    )
    heads = ("Name", "Areas", "Residents", f"Longest, {facts.unit}")
    return ReportTable(f"Areas that have each {facts.service} as their nearest", heads, rows)
