"""The report of an index: what it is made of, how far its tenths hold, what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from placeshaping.disclosure.release import Release, require_release
from placeshaping.maps.words import day_words
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable, render_report

FOOTER = (
    "More need on these indicators: that is all a tenth says. It says nothing of any person or "
    "household, and nothing of what the indicators leave out.",
)

NOT_FOR = (
    "To judge any person or household by the tenth of the area they live in.",
    "To withhold a service from a place, or to set a price by it.",
    "To forecast offences or plan patrols: census and deprivation have no place in that.",
    "To follow change: a tenth is a place among the areas of one day, and moves when others do.",
)
"""What an index must not be used for."""

MOST_ROWS = 100
"""Areas that a table of the page lists; the tables beside it have all."""

_FIRM = 0.95
_MUCH, _LITTLE = 0.8, 0.2
_WIDE = 10


@dataclass(frozen=True, eq=False)
class IndexReport:
    """
    What was found, all worked out from numbers that may leave.

    Attributes
    ----------
    release
        Of the areas with their tenths.
    name
        What the index is called.
    found
        Sentences, the finding first.
    tenths, places, indicators, sensitivity, beside, agreement, method, cautions
        As a measured index has them.
    special
        Sentences on indicators of a special category.
    names
        Area code -> name.
    """

    release: Release
    name: str
    found: tuple[str, ...]
    tenths: pd.DataFrame
    places: pd.DataFrame
    indicators: pd.DataFrame
    sensitivity: pd.DataFrame
    beside: pd.DataFrame | None
    agreement: str
    method: tuple[str, ...]
    cautions: tuple[str, ...]
    special: tuple[str, ...]
    names: pd.Series[str]


def index_page(report: IndexReport) -> str:
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
    release = require_release(report.release, wanted_by="index_page")
    domains = report.indicators["domain"].nunique()
    return render_report(
        ReportContent(
            title=release.title,
            lead=f"{report.name}: {len(report.tenths):,} areas in tenths, by "
            f"{len(report.indicators)} indicators in {domains} domains.",
            facts=(
                ("In the same tenth", f"{report.tenths['kept'].mean():.0%} of the weightings"),
                ("Made on", f"{day_words(release.made_on)}, for {release.policy.audience}"),
                *((("Contact", release.contact),) if release.contact else ()),
            ),
            cautions=(*report.special, *report.cautions),
            sections=tuple(_sections(report)),
            footer=FOOTER,
            stamp=release.policy.stamp,
            declaration={**release.declaration, "kind": "report of an index"},
        )
    )


def _sections(report: IndexReport) -> Iterator[ReportSection]:
    yield _finding(report)
    yield _made_of(report)
    yield _weights(report)
    yield _moving(report)
    if report.beside is not None:
        yield _beside(report.beside, report.agreement)
    yield _origin(report)


def _finding(report: IndexReport) -> ReportSection:
    first = report.tenths.index[report.tenths["decile"] == 1]
    listed = sorted(first, key=lambda code: str(report.names[code]))[:MOST_ROWS]
    rows = tuple(
        (
            str(report.names[code]),
            _which(report.places.loc[code], above=True),
            _which(report.places.loc[code], above=False),
        )
        for code in listed
    )
    left = len(first) - len(listed)
    return ReportSection(
        "What was found",
        (
            *report.found,
            "Below stand the indicators in which an area has more need than four in five areas, "
            "and as its strengths those in which four in five have more need than it."
            + (f" {left:,} more areas stand in the tables." if left else ""),
        ),
        tables=(
            ReportTable(
                "Areas of the first tenth, in alphabetical order",
                ("Area", "More need in", "Strengths: less need in"), rows, (1, 2),
            ),
        ),
    )  # fmt: skip


def _which(places: pd.Series[float], *, above: bool) -> str:
    """Name the indicators in which an area has much or little need."""
    chosen = places[places >= _MUCH] if above else places[places <= _LITTLE]
    return "; ".join(str(name) for name in chosen.index) or "none stands out"


def _made_of(report: IndexReport) -> ReportSection:
    rows = tuple(
        (
            str(name),
            str(row["domain"]),
            "higher" if row["more_need"] == "high" else "lower",
            f"{row['weight']:.1%}",
            _values(row),
            "no" if pd.isna(row["shrunk"]) else f"yes; own figures weigh {row['shrunk']:.0%}",
        )
        for name, row in report.indicators.iterrows()
    )
    heads = ("Indicator", "Domain", "More need when", "Weight", "Values", "Drawn to larger area")
    return ReportSection(
        "What it is made of",
        ("A domain's weight is divided equally among its indicators.",),
        tables=(ReportTable("Indicators and weights", heads, rows, (1, 2, 4, 5)),),
    )


def _values(row: pd.Series[float]) -> str:
    """Tell the least, the most and the middle value, to digits that tell areas apart."""
    digits = 1 if row["high"] - row["low"] >= _WIDE else 2
    low, high, middle = (f"{row[name]:,.{digits}f}" for name in ("low", "high", "median"))
    return f"{low} to {high}{row['unit']}, half above {middle}"


def _weights(report: IndexReport) -> ReportSection:
    rows = tuple(
        (
            f"{row['domain']}, a quarter {'more' if row['change'] == 'higher' else 'less'}",
            f"{row['weight']:.1%}",
            f"{row['median_shift']:,.0f}",
            f"{row['largest_shift']:,}",
            f"{row['decile_changed']:.0%}",
            f"{row['worst_decile_changed']:.0%}",
        )
        for _, row in report.sensitivity.iterrows()
    )
    heads = ("Change", "New weight", "Places moved, typically", "At most",
             "Areas in another tenth", "Of the first tenth, leave it")  # fmt: skip
    return ReportSection(
        "If the weights were others",
        (
            "Weights are a judgement. Each was raised and lowered by a quarter of itself, the "
            "others keeping their proportions.",
        ),
        tables=(ReportTable("How ranks move with each weight", heads, rows),),
    )


def _moving(report: IndexReport) -> ReportSection:
    moving = report.tenths[report.tenths["kept"] < _FIRM].sort_values("kept", kind="stable")
    rows = tuple(
        (
            str(report.names[str(code)]),
            f"{row['decile']:.0f}",
            f"{row['lower']:.0f} to {row['upper']:.0f}",
            f"{row['kept']:.0%}",
        )
        for code, row in moving.head(MOST_ROWS).iterrows()
    )
    more = len(moving) - len(rows)
    heads = ("Area", "Tenth", "With other weights (95%)", "In its own tenth")
    return ReportSection(
        "Which areas move",
        (
            f"{len(report.tenths) - len(moving):,} of {len(report.tenths):,} areas stay in their "
            "tenth in at least 95% of the random weightings. The others stand here, those that "
            "move most first." + (f" {more:,} more stand in the tables." if more else ""),
        ),
        tables=(ReportTable("Areas whose tenth hangs on the weights", heads, rows),),
        folded=True,
    )


def _beside(table: pd.DataFrame, sentence: str) -> ReportSection:
    rows = tuple(
        (str(tenth), *(str(n) for n in row))
        for tenth, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    )
    heads = ("Tenth here", *(str(one) for one in table.columns))
    return ReportSection(
        "Beside deprivation",
        (
            sentence,
            "Tenths here are of this place; deciles of deprivation are of England, 1 being the "
            "most deprived. The two measure different things, and neither is the yardstick.",
        ),
        tables=(ReportTable("Areas by tenth here and decile of deprivation", heads, rows),),
    )


def _origin(report: IndexReport) -> ReportSection:
    release = report.release
    rows = tuple((one.name, one.role, one.checksum) for one in release.sources)
    return ReportSection(
        "How it was made, and what it is not for",
        (*release.notes, *release.statement),
        points=release.not_for,
        tables=(ReportTable("Files", ("File", "Used as", "Checksum"), rows, (1, 2)),),
        folded=True,
    )
