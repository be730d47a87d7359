"""The page of a backtest's report: what stands where, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from placeshaping.pages.report import ReportContent, ReportFigure, ReportSection, ReportTable
from placeshaping.reports.backtest_words import (
    day,
    percent,
    score_rows,
    verdict,
    words_of_scores,
)

if TYPE_CHECKING:
    from placeshaping.reports.backtest import BacktestReport

_FOOTER = (
    "Recorded crime is what came to the attention of the police and was recorded, not all crime.",
    "Nothing in this report tells of a small area, a single period or a person.",
)


def declare_report(report: BacktestReport) -> dict[str, Any]:
    """Return what page and manifest say of themselves, for those who check them."""
    return {
        "maker": "placeshaping",
        "kind": "backtest report",
        "policy": report.policy.name,
        "made_on": report.made_on.isoformat(),
        "already_published": report.already_published,
        "expires": None if report.expires is None else report.expires.isoformat(),
    }


def page_content(report: BacktestReport, pictures: Mapping[str, ReportFigure]) -> ReportContent:
    """
    Put the page together.

    Parameters
    ----------
    report
        From `backtest.make_report`.
    pictures
        Four figures of each offence, in the order of the offences.

    Returns
    -------
    content
        For `pages.report.render_report`.
    """
    figures = iter(pictures.values())
    offences = [
        _of_offence(report, name, [next(figures) for _ in range(4)]) for name in report.backtests
    ]
    one = next(iter(report.backtests.values()))
    periods = one.periods
    unit = one.history.step.unit
    return ReportContent(
        title=report.title,
        lead=report.lead,
        facts=(
            ("Offences", ", ".join(report.backtests)),
            ("Places", report.places),
            (
                "Tested on",
                f"{len(periods)} {unit}s forecast one by one, {day(periods[0])} to "
                f"{day(periods[-1])}; {one.plan.delay} {unit}s of reporting delay",
            ),
            ("Made on", f"{day(report.made_on)}, for {report.policy.audience}"),
        ),
        cautions=_cautions(report),
        sections=(_found(report), *offences, _method(report), _origin(report)),
        footer=_FOOTER,
        stamp=report.policy.stamp,
        declaration=declare_report(report),
    )


def _cautions(report: BacktestReport) -> tuple[str, ...]:
    """Return what a reader must know, by offence where there are several."""
    told = [
        sentence if len(report.comparisons) == 1 else f"{name}: {sentence}"
        for name, shares in report.comparisons.items()
        for sentence in shares[report.share].cautions
    ]
    return tuple(dict.fromkeys(told))


def _found(report: BacktestReport) -> ReportSection:
    rows = tuple(
        (name, *verdict(report.scores, name, report.share), report.defaults[name])
        for name in report.backtests
    )
    heads = ("Offence", "Best model", "Against trailing counts", "To be used")
    caption = f"Which model to use, at {percent(report.share)} of the area"
    return ReportSection(
        "Which model to use",
        (
            "A model was chosen on the first two thirds of the test periods and judged on the "
            "rest. It is used only where it surely caught more than the best trailing counts: "
            "otherwise the counts are.",
        ),
        tables=(ReportTable(caption, heads, rows, words=(1, 2, 3)),),
    )


def _of_offence(
    report: BacktestReport, name: str, figures: Sequence[ReportFigure]
) -> ReportSection:
    scores = report.scores[report.scores["category"] == name]
    heads, rows = score_rows(scores)
    tables = [
        ReportTable(f"{name}: scores at {percent(share)} of the area", heads, rows[share])
        for share in rows
    ]
    return ReportSection(
        name,
        words_of_scores(scores, report.share, report.policy),
        tables=tuple(tables),
        figures=tuple(figures),
    )


def _method(report: BacktestReport) -> ReportSection:
    floor = report.policy.threshold
    withheld = (
        f"Numbers under {floor} are withheld, with everything worked out from them; others are "
        f"rounded to {report.policy.rounding}."
        if floor
        else "The records are published already, so that no number is withheld."
    )
    return ReportSection(
        "How to read it",
        points=(
            "Hit rate: share of the events of the test periods inside the flagged area.",
            "PAI: hit rate over share of the area; 1 is no better than chance.",
            "PEI: hit rate over that of the best possible choice of places; at most 1.",
            "Deviance (Poisson) and log score judge expected counts, not only their order; a lower "
            "deviance and a higher log score are better.",
            "Intervals: 95 %, from a block bootstrap over test periods, and at least as wide as "
            "chance within them. p: Wilcoxon's signed rank test against the trailing counts.",
            "Compactness: share of the flagged area's neighbours that are flagged too. Changes: "
            "share of the area not flagged in the period before.",
            withheld,
        ),
    )


def _origin(report: BacktestReport) -> ReportSection:
    models = next(iter(report.backtests.values())).models
    tables = [
        ReportTable(
            "Models and their options",
            ("Model", "Options"),
            tuple(models.items()),
            words=(1,),
        )
    ]
    if report.sources:
        rows = tuple((s.name, s.role, s.checksum) for s in report.sources)
        tables.append(ReportTable("Files", ("File", "Used as", "Checksum"), rows, words=(1, 2)))
    return ReportSection("Where it comes from", tables=tuple(tables))
