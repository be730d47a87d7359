"""The report of segments: what each group is like, how many there are, and how far they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.words import day_words
from placeshaping.pages.report import (
    ReportContent,
    ReportFigure,
    ReportSection,
    ReportTable,
    render_report,
)

if TYPE_CHECKING:
    from placeshaping.shaping.segment_agreement import Agreement
    from placeshaping.shaping.segment_choice import Steadiness

FOOTER = (
    "A group says what is usual in its areas, and nothing of any person or household in them.",
    "Names and portraits are drafts from the figures. Let people who live there read them.",
)

NOT_FOR = (
    "To judge any person or household by the group of the area they live in.",
    "To withhold a service from a place, or to set a price by it.",
    "To forecast offences or plan patrols: census and deprivation have no place in that.",
)
"""What segments must not be used for."""


@dataclass(frozen=True, eq=False)
class SegmentReport:
    """
    What was found, all worked out from numbers that may leave.

    Attributes
    ----------
    release
        Of the areas with their groups.
    portraits
        From `segment_words.draft_portraits`.
    profile
        From `segments.profile_segments`.
    variables
        Which were used, and why others were not.
    choice
        From `segment_choice.compare_groupings`.
    steadiness
        From `segment_choice.segment_stability`.
    method, explained
        Of the groups.
    cautions
        Sentences to be read before the numbers.
    special
        Words of a variable -> the reason it is used for.
    deciles
        From `segments_by_decile`; None where deprivation is not known.
    agreement, compared_with
        With another classification and its name; None without one.
    units
        Variable -> what stands behind its numbers, where not per cent.
    figure
        Of the choice; None where it could not be drawn.
    """

    release: Release
    portraits: pd.DataFrame
    profile: pd.DataFrame
    variables: pd.DataFrame
    choice: pd.DataFrame
    steadiness: Steadiness
    method: str
    explained: float
    cautions: tuple[str, ...]
    special: dict[str, str]
    deciles: pd.DataFrame | None
    agreement: Agreement | None
    compared_with: str
    units: dict[str, str]
    figure: ReportFigure | None


def segment_page(report: SegmentReport) -> str:
    """
    Render the report as a page that needs nothing but itself.

    Parameters
    ----------
    report
        What was found.

    Returns
    -------
    page
        HTML.

    Raises
    ------
    DisclosureError
        If its release is none.
    """
    release = require_release(report.release, wanted_by="segment_page")
    groups = len(report.portraits)
    return render_report(
        ReportContent(
            title=release.title,
            lead=f"{int(report.portraits['areas'].sum()):,} areas in {groups} groups of areas that "
            f"are alike in {int(report.variables['used'].sum())} ways.",
            facts=(
                ("How far they hold", _holds(report)),
                ("Differences explained", f"{report.explained:.0%} of those between all areas"),
                ("Made on", f"{day_words(release.made_on)}, for {release.policy.audience}"),
                *((("Contact", release.contact),) if release.contact else ()),
            ),
            cautions=(*_special(report), *report.cautions),
            sections=tuple(_sections(report)),
            footer=FOOTER,
            stamp=release.policy.stamp,
            declaration=_declaration(release),
        )
    )


def _declaration(release: Release) -> dict[str, Any]:
    return {**release.declaration, "kind": "report of segments"}


def _holds(report: SegmentReport) -> str:
    one = report.steadiness
    return (
        f"Made anew, they agree with themselves at {one.adjusted_rand:.2f} (95% of the times "
        f"{one.lower:.2f} to {one.upper:.2f}; 1 is the same, 0 is chance)"
    )


def _special(report: SegmentReport) -> Iterator[str]:
    for variable, reason in report.special.items():
        yield f"Of a special category, and used all the same: {variable}. The reason: {reason}"


def _sections(report: SegmentReport) -> Iterator[ReportSection]:
    yield _portraits(report)
    yield _figures(report)
    yield _number(report)
    yield _steady(report)
    if report.deciles is not None:
        yield _audit(report.deciles, report.portraits)
    if report.agreement is not None:
        yield _compared(report.agreement, report.compared_with)
    yield _variables(report)
    yield _origin(report)


def _title(report: SegmentReport, letter: object) -> str:
    return f"{letter}: {report.portraits['name'][str(letter)]}"


def _portraits(report: SegmentReport) -> ReportSection:
    rows = tuple(
        (_title(report, letter), str(row["portrait"]))
        for letter, row in report.portraits.iterrows()
    )
    return ReportSection(
        "The groups",
        ("Drafts from the figures below. A is the group with most areas.",),
        tables=(ReportTable("Names and pen portraits", ("Group", "What is usual"), rows, (1,)),),
    )


def _figures(report: SegmentReport) -> ReportSection:
    letters = tuple(str(letter) for letter in report.portraits.index)
    mean = report.profile.pivot_table(
        index="variable", columns="segment", values="mean", sort=False
    )
    times = report.profile.pivot_table(
        index="variable", columns="segment", values="times", sort=False
    )
    everywhere = report.profile.drop_duplicates("variable").set_index("variable")["everywhere"]
    rows = []
    for name in mean.index:
        unit = report.units.get(str(name), "")
        sign = "" if unit else "%"
        cells = (
            f"{mean.loc[name, one]:.1f}{sign} ({times.loc[name, one]:.1f})"
            if pd.notna(times.loc[name, one])
            else "none"
            for one in letters
        )
        head = f"{name},{unit}" if unit else str(name)
        rows.append((head, f"{everywhere[name]:.1f}{sign}", *cells))
    return ReportSection(
        "Group by group",
        ("In brackets: how many times the average of all areas that is.",),
        tables=(ReportTable("Means", ("Variable", "All areas", *letters), tuple(rows)),),
    )


def _number(report: SegmentReport) -> ReportSection:
    heads = ("Groups", "Explained", "Silhouette", "Gap", "Agreement", "Smallest group, areas")
    rows = tuple(
        (
            str(number),
            f"{row['explained']:.0%}",
            f"{row['silhouette']:.2f}",
            f"{row['gap']:.2f} \u00b1 {row['gap_error']:.2f}",
            f"{row['steadiness']:.2f}",
            f"{row['smallest']:,.0f}",
        )
        for number, row in report.choice.iterrows()
    )
    taken = len(report.portraits)
    by_hand = "" if report.choice.attrs["suggested"] == taken else f" {taken} were asked for."
    return ReportSection(
        "How many groups",
        (
            "No number of groups is given by nature. Suggested are "
            f"{report.choice.attrs['reason']}{by_hand}",
        ),
        tables=(ReportTable("What speaks for each number (k-means)", heads, rows),),
        figures=() if report.figure is None else (report.figure,),
    )


def _steady(report: SegmentReport) -> ReportSection:
    rows = tuple(
        (
            _title(report, letter),
            f"{row['jaccard']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})",
            str(row["steadiness"]),
        )
        for letter, row in report.steadiness.segments.iterrows()
    )
    return ReportSection(
        "How far they hold",
        (
            f"{report.steadiness.method} The figure is the likeness (Jaccard) of a group with the "
            "most similar new one, on average; under 0.6 a group should not be relied on (Hennig "
            "2007).",
        ),
        tables=(
            ReportTable(
                "Steadiness of each group", ("Group", "Likeness (95%)", "In words"), rows, (2,)
            ),
        ),
    )


def _audit(deciles: pd.DataFrame, portraits: pd.DataFrame) -> ReportSection:
    rows = tuple(
        (f"{letter}: {portraits.loc[letter, 'name']}", *(str(n) for n in row))
        for letter, row in zip(deciles.index, deciles.to_numpy().tolist(), strict=True)
    )
    heads = ("Group", *(f"{n}" for n in range(1, 11)))
    return ReportSection(
        "Beside deprivation",
        (
            "Deprivation made no group; it stands here so that anybody can see which groups lie "
            "where. 1 is the most deprived tenth of areas in England.",
        ),
        tables=(ReportTable("Areas of each group by decile of deprivation", heads, rows),),
    )


def _compared(agreement: Agreement, name: str) -> ReportSection:
    table = agreement.table
    rows = tuple(
        (str(letter), *(f"{n:,}" for n in row))
        for letter, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    )
    heads = ("Group", *(str(one) for one in table.columns))
    return ReportSection(
        f"Beside {name}",
        (agreement.sentence,),
        tables=(ReportTable(f"Areas by group and by {name}", heads, rows),),
        folded=len(heads) > 10,
    )


def _variables(report: SegmentReport) -> ReportSection:
    rows = tuple(
        (
            str(name),
            "used" if row["used"] else "not used",
            str(row["reason"]).capitalize() if row["reason"] else "",
            f"{row['mean']:.1f}{report.units.get(str(name), '%')}",
            f"{row['skewness']:.1f}",
            f"{row['nearest']} ({row['correlation']:.2f})" if row["nearest"] else "",
        )
        for name, row in report.variables.iterrows()
    )
    heads = ("Variable", "Taken", "Why not", "Mean of areas", "Skewness", "Most alike")
    return ReportSection(
        "What areas were compared by",
        (report.method,),
        tables=(ReportTable("Variables", heads, rows, (1, 2, 5)),),
    )


def _origin(report: SegmentReport) -> ReportSection:
    release = report.release
    rows = tuple((one.name, one.role, one.checksum) for one in release.sources)
    return ReportSection(
        "Where it comes from, and what it is not for",
        (*release.notes, *release.statement),
        points=release.not_for,
        tables=(ReportTable("Files", ("File", "Used as", "Checksum"), rows, (1, 2)),),
        folded=True,
    )
