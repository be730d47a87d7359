"""The report on a choice of sites: the change first, the sites, what it means where, how good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeshaping._core.codes import LEVEL_NAMES
from placeshaping.disclosure.records import Records, require_records
from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.about import footer
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.access_page import method_sections, tenth_words
from placeshaping.reports.access_words import people
from placeshaping.reports.siting_words import SitingFacts

if TYPE_CHECKING:
    from placeshaping.areas.ladder import Ladder


def siting_report(
    facts: SitingFacts, released: Release, sites: Records, *, ladder: Ladder
) -> ReportContent:
    """
    Put the report together.

    Parameters
    ----------
    facts
        What is known of the choice.
    released
        What stands on map and layers: the report has its words.
    sites
        The table of sites, as it may leave.
    ladder
        The areas and the levels above them.

    Returns
    -------
    content
        For `pages.report.render_report`; it declares the stricter policy of
        the two, which is that of the sites.

    Raises
    ------
    DisclosureError
        If `released` is no `Release`, or `sites` are no `Records`.
    """
    release = require_release(released, wanted_by="siting_report")
    table = require_records(sites, wanted_by="siting_report")
    return ReportContent(
        title=release.title,
        lead=release.found[0],
        facts=release.glance,
        cautions=release.cautions,
        sections=(
            ReportSection("What was found", points=release.found[1:]),
            ReportSection("The sites", tables=(_sites(facts, table),), sentences=_hidden(table)),
            *_above(facts, ladder),
            *method_sections(release),
        ),
        footer=footer(release),
        stamp=table.policy.stamp,
        declaration=table.declaration,
    )


def _hidden(table: Records) -> tuple[str, ...]:
    return () if table.policy.name == "facts" else table.statement


def _sites(facts: SitingFacts, sites: Records) -> ReportTable:
    table = sites.table
    served = next((name for name in ("residents", "count") if name in table), None)
    heads = {"residents": "Residents", "count": "Records"}
    rows = []
    for row in table.to_dict("records"):
        cells = [str(row["site"]), "today" if row["existing"] else "new", f"{row['areas']:,}"]
        if served is not None:
            number = row[served]
            cells.append("hidden" if pd.isna(number) else f"{int(number):,}")
        cells.append(tenth_words(row["longest"]))
        rows.append(tuple(cells))
    told = ("Site", "Is", "Areas", *([heads[served]] if served else []))
    caption = f"The {facts.services}, and what each would serve"
    return ReportTable(caption, (*told, f"Longest, {facts.unit}"), tuple(rows), words=(1,))


def _above(facts: SitingFacts, ladder: Ladder) -> Iterator[ReportSection]:
    """Tell the mean before and after by the next larger areas of which there are several."""
    level = next((one for one in ladder.levels[1:] if len(ladder.areas[one]) > 1), None)
    if level is None:
        return
    used = facts.areas.reindex(ladder.areas[ladder.finest].index)
    residents = used["residents"].to_numpy(dtype="float64")
    columns = ["before", "after"] if "before" in used else ["after"]
    means = {name: _mean(ladder, level, used[name], residents) for name in columns}
    names = ladder.areas[level]["area_name"].astype(str).to_numpy()
    everybody = ladder.sum_to(level, residents)
    rows = tuple(
        (names[k], people(everybody[k]), *(tenth_words(means[name][k]) for name in columns))
        for k in np.argsort(names, kind="stable")
    )
    what = LEVEL_NAMES.get(level, level)
    heads = {"before": f"Mean {facts.unit} today", "after": f"Mean {facts.unit}, proposed"}
    caption = f"Travel to the nearest {facts.service}, by {what.lower()}, in the order of names"
    table = ReportTable(caption, (what, "Residents", *(heads[name] for name in columns)), rows)
    yield ReportSection(f"By {what.lower()}", tables=(table,))


def _mean(
    ladder: Ladder, level: str, values: pd.Series[float], residents: np.ndarray
) -> np.ndarray:
    away = values.to_numpy(dtype="float64")
    known = np.isfinite(away)
    weight = ladder.sum_to(level, np.where(known, residents, 0.0))
    spent = ladder.sum_to(level, residents * np.nan_to_num(away))
    mean = np.full(len(weight), np.nan)
    np.divide(spent, weight, out=mean, where=weight > 0)
    return mean
