"""The page of an evaluation's report: what stands where, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from placeshaping.pages.report import ReportContent, ReportFigure, ReportSection, ReportTable
from placeshaping.reports.backtest_words import day
from placeshaping.shaping.displacement import TOGETHER
from placeshaping.shaping.evaluation import TREATED
from placeshaping.shaping.evaluation_words import (
    control_sentences,
    ring_sentences,
    trend_sentences,
)

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.reports.evaluation import EvaluationReport

_NOTHING = "\N{EN DASH}"
_MOST_NAMED = 12

_FOOTER = (
    "An evaluation of this kind shows what went together, not why. Only areas drawn by lot settle "
    "that.",
    "It must not be used to judge any person, household or street.",
)


def declare_evaluation(report: EvaluationReport) -> dict[str, Any]:
    """Return what page and record say of themselves, for those who check them."""
    rules = report.protected.policy
    said = {
        "maker": "placeshaping",
        "item": "records",
        "records": "evaluation",
        "policy": rules.name,
        "base": rules.base,
        "loosened": list(rules.loosened),
        "method": rules.method,
        "threshold": report.protected.threshold,
        "rounding": rules.rounding,
        "zeros_shown": rules.zeros_shown,
        "numbers": True if rules.numbers and rules.protects else None,
        "made_on": report.made_on.isoformat(),
        "already_published": report.already_published,
        "expires": report.expires and report.expires.isoformat(),
        "stamp": rules.stamp,
    }
    return {key: value for key, value in said.items() if value not in (None, [])}


def evaluation_content(
    report: EvaluationReport, pictures: Mapping[str, ReportFigure]
) -> ReportContent:
    """
    Put the page together.

    Parameters
    ----------
    report
        From `evaluation.make_evaluation`.
    pictures
        By file name; those that are there are shown.

    Returns
    -------
    content
        For `pages.report.render_report`.
    """
    panel = report.protected
    sections = [_change(report, pictures)]
    if report.findings.series is not None:
        sections.append(_over_time(report, pictures))
    if report.findings.control is not None:
        sections.append(_controls(report, pictures))
    sections += [_method(report), _origin(report)]
    before, after = panel.months
    return ReportContent(
        title=report.title,
        lead=report.lead,
        facts=(
            ("What was counted", report.what),
            ("Where", _where(report)),
            (
                "When",
                f"{before} months before {_month(panel.whole.start)} and {after} from then on, "
                f"{_month(panel.first)} to {_month(panel.last)}",
            ),
            ("Compared with", f"{panel.areas['comparison']:,} areas in which nothing was done"),
            ("Made on", f"{day(report.made_on)}, for {panel.policy.audience}"),
        ),
        cautions=(*report.findings.cautions, *report.findings.left_out),
        sections=tuple(sections),
        footer=(*_FOOTER, *([f"Questions: {report.contact}"] if report.contact else [])),
        stamp=panel.policy.stamp,
        declaration=declare_evaluation(report),
    )


def _month(when: pd.Timestamp) -> str:
    return f"{when:%B %Y}"


def _where(report: EvaluationReport) -> str:
    names = report.where[:_MOST_NAMED]
    rest = len(report.where) - len(names)
    more = f" and {rest} more" if rest > 0 else ""
    number = len(report.where)
    return f"{number:,} area{'' if number == 1 else 's'}: {', '.join(names)}{more}"


def _change(report: EvaluationReport, pictures: Mapping[str, ReportFigure]) -> ReportSection:
    from placeshaping.reports.evaluation import counts_table

    table = counts_table(report)
    heads = (
        "Areas", "How many", "Records before", "Records after", "Expected", "Fewer or more",
        "Standard error", "95 % interval", "p", "Per cent", "Smallest seen",
    )  # fmt: skip
    rows = tuple(_counted(row) for row in table.to_dict("records"))
    tables = [ReportTable("Weighted displacement difference", heads, rows, words=(7,))]
    quotients = table[table["quotient"].notna()]
    if len(quotients):
        tables.append(
            ReportTable(
                "Weighted displacement quotient",
                ("Ring", "Quotient", "What it says"),
                tuple(
                    (str(name), f"{value:+.2f}", _quotient(float(value)))
                    for name, value in zip(quotients["part"], quotients["quotient"], strict=True)
                ),
                words=(2,),
            )
        )
    if report.findings.difference is not None:
        tables.append(_difference(report.findings.difference))
    return ReportSection(
        "How much changed",
        (
            *ring_sentences(report.findings),
            f"Expected is what was recorded before, changed as in the comparison areas. Over-"
            f"dispersion: {report.findings.displacement.attrs['overdispersion']:.2f} times the "
            "variance of chance alone, by which the intervals are widened. The last column is the "
            "smallest change, in per cent, that would have been seen in four cases out of five.",
        ),
        tables=tuple(tables),
        figures=(pictures["rings.png"],),
    )


def _counted(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """Write a row of the table of counts."""
    first = (str(row["part"]), _number(row["areas"]))
    counts = (_number(row["records_before"]), _number(row["records_after"]))
    if not np.isfinite(row["difference"]):
        return (*first, *counts, *[_NOTHING] * 7)
    return (
        *first,
        *counts,
        _number(row["expected"]),
        f"{row['difference']:+,.0f}",
        _number(row["se"]),
        f"{row['lower']:+,.0f} to {row['upper']:+,.0f}",
        _p(row["p_value"]),
        f"{row['percent']:+.0f} %",
        f"{row['detectable']:.0f} %",
    )


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.2g}"


def _quotient(value: float) -> str:
    if value > 0:
        return "the ring gained too (diffusion of benefit)"
    if value >= -1:
        return "some of what was gained moved to the ring"
    return "more moved to the ring than was gained"


def _difference(table: pd.DataFrame) -> ReportTable:
    row = table.iloc[0]
    interval = f"{_signed(row['percent_lower'])} to {_signed(row['percent_upper'])}"
    cells = (
        "Poisson, areas and periods",
        f"{row['percent']:+.0f} %",
        interval,
        _p(row["p_value"]),
        f"{row['detectable']:.0f} %",
        {
            "cluster": "robust to clustering by area",
            "permutation": "against other sets of areas",
            "together": "against other sets of areas that lie together",
        }.get(str(row["inference"]), str(row["inference"])),
    )
    heads = ("Model", "Per cent", "95 % interval", "p", "Smallest seen", "Inference")
    return ReportTable("Difference in differences", heads, (cells,), words=(2, 5))


def _signed(value: float) -> str:
    return f"{value:+.0f} %" if np.isfinite(value) else "no limit"


def _over_time(report: EvaluationReport, pictures: Mapping[str, ReportFigure]) -> ReportSection:
    series = report.findings.series
    rows = (
        []
        if series is None
        else [
            (
                f"{period:%B %Y}",
                "after" if row["after"] else "before",
                f"{row['ratio']:.2f}",
                f"{row['lower']:.2f} to {row['upper']:.2f}",
            )
            for period, row in series.iterrows()
            if np.isfinite(row["ratio"])
        ]
    )
    heads = ("Period from", "", "Observed over expected", "95 % interval")
    caption = "Treated areas over what the comparison areas would have them be"
    return ReportSection(
        "Over time",
        trend_sentences(report.findings),
        tables=(ReportTable(caption, heads, tuple(rows), words=(1, 3)),),
        figures=(pictures["series.png"],),
        folded=True,
    )


def _controls(report: EvaluationReport, pictures: Mapping[str, ReportFigure]) -> ReportSection:
    control = report.findings.control
    table = None if control is None else control.range
    rows = (
        ()
        if table is None
        else tuple(
            (
                str(row["matched"]),
                f"{row['before']} ({row['periods']})",
                str(row["fit"]),
                "one donor" if row["left_out"] else "none",
                f"{row['percent']:+.0f} %",
                f"{row['error_before']:.2f}",
                f"{row['ratio']:.1f}" if np.isfinite(row["ratio"]) else _NOTHING,
                _p(row["p_value"]),
            )
            for row in table.to_dict("records")
        )
    )
    heads = (
        "Matched", "Time before (periods)", "Fit", "Left out", "Per cent", "Error before",
        "Error after over before", "p",
    )  # fmt: skip
    return ReportSection(
        "Synthetic controls",
        (
            *control_sentences(report.findings),
            "A synthetic control is a weighted mean of other areas that went as the treated ones "
            "did before. One of them proves little: judge by the range.",
        ),
        tables=(ReportTable("Every specification", heads, rows, words=(1, 2, 3)),),
        figures=(pictures["range.png"], pictures["placebos.png"]),
        folded=True,
    )


def _method(report: EvaluationReport) -> ReportSection:
    points = [
        report.findings.displacement.attrs["method"],
        "Weighted displacement quotient: Bowers and Johnson (2003); above 0 the ring gained too, "
        "below 0 it lost. It has no standard error, so read the difference first.",
    ]
    if report.findings.difference is not None:
        points.append(str(report.findings.difference.attrs["method"]))
    if report.findings.series is not None:
        points.append(
            "Time before: chi-squared and drift of the treated share, against other sets of areas "
            "of the same number. The test has little power in short or rare series (Roth 2022)."
        )
    if report.findings.control is not None:
        points.append(report.findings.control.method)
    if TOGETHER in report.findings.displacement.index:
        points.append("Ring 1 is nearest to the treated areas; rings are not compared with.")
    points.append(f"The row {TREATED!r} answers whether it worked; the others where else.")
    return ReportSection("How it was worked out", points=tuple(points))


def _origin(report: EvaluationReport) -> ReportSection:
    rows = tuple((s.name, s.role, s.checksum) for s in report.sources)
    tables = (ReportTable("Files", ("File", "Used as", "Checksum"), rows, words=(1, 2)),)
    purpose = [f"Purpose: {report.purpose}"] if report.purpose else []
    return ReportSection(
        "Where it comes from",
        (*report.protected.statement, *purpose),
        tables=tables if rows else (),
    )
