"""
The report on an evaluation: whether it worked, by how much and how surely.

One page without a script, the figures as PNG, a record as JSON, and a
manifest. Everything is worked out from a `ProtectedPanel`: what the policy
hides never reaches it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import SourceFile, sha256, versions
from placeshaping.disclosure.panels import ProtectedPanel, require_protected
from placeshaping.pages.report import ReportFigure, render_report
from placeshaping.reports.evaluation_figures import (
    draw_placebos,
    draw_range,
    draw_rings,
    draw_series,
    said_placebos,
    said_range,
    said_rings,
    said_series,
)
from placeshaping.reports.evaluation_page import declare_evaluation, evaluation_content
from placeshaping.shaping.displacement import METHOD
from placeshaping.shaping.evaluation_results import Findings, evaluate
from placeshaping.shaping.evaluation_words import describe_evaluation, first_sentence

PACKAGES = ("placeshaping", "numpy", "pandas", "scipy", "matplotlib")

RECORD = "evaluation.json"
"""The file that holds the numbers."""

_COLUMNS = [
    "part", "areas", "records_before", "records_after", "expected", "difference", "se_poisson",
    "se", "interval_from", "interval_to", "p_value", "percent", "percent_from", "percent_to",
    "detectable", "quotient",
]  # fmt: skip
_ENDS = {
    "lower": "interval_from", "upper": "interval_to", "percent_lower": "percent_from",
    "percent_upper": "percent_to",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class EvaluationReport:
    """
    What a report on an evaluation is made of.

    Attributes
    ----------
    title
        Heading of the page.
    what, measure
        What was counted, and what was done, as they stand in a sentence.
    where
        The treated areas, by name.
    made_on, expires
        The day that it is made, and the last day of use.
    protected
        The counts that it rests on.
    findings
        What was worked out from them.
    sources
        Files that it was made from.
    already_published
        Where the records are published already; None where they are not.
    """

    title: str
    what: str
    measure: str
    where: tuple[str, ...]
    made_on: dt.date
    protected: ProtectedPanel
    findings: Findings = field(repr=False)
    sources: tuple[SourceFile, ...] = ()
    already_published: str | None = None
    expires: dt.date | None = None
    purpose: str = ""
    contact: str = ""

    @property
    def lead(self) -> str:
        """The first sentence."""
        return first_sentence(self.findings, what=self.what, measure=self.measure)


def make_evaluation(
    protected: ProtectedPanel,
    *,
    title: str,
    what: str,
    measure: str,
    where: Sequence[str],
    made_on: dt.date,
    synthetic: bool = True,
    rng: int = 0,
    sources: Sequence[SourceFile] = (),
    already_published: str | None = None,
    expires: dt.date | None = None,
    purpose: str = "",
    contact: str = "",
) -> EvaluationReport:
    """
    Work out everything that a report on an evaluation says.

    Parameters
    ----------
    protected
        From `disclosure.panels.protect_panel`.
    title
        Heading of the page.
    what, measure
        What was counted, and what was done, as they stand in a sentence.
    where
        The treated areas, by name.
    made_on
        The day that it is made.
    synthetic
        Whether to look for synthetic controls.
    rng
        Seed of tests that draw.
    sources
        Files that the counts were made from.
    already_published
        Where the records are published already, which policy ``"open"`` needs.
    expires
        Last day of use, for policies that need one.
    purpose, contact
        What it is for, and who answers for it.

    Returns
    -------
    report
        To be written by `write_evaluation`.

    Raises
    ------
    DisclosureError
        If `protected` was not made by `protect_panel`.
    """
    protected = require_protected(protected, wanted_by="make_evaluation")
    findings = evaluate(protected.whole, blocks=protected.blocks, synthetic=synthetic, rng=rng)
    return EvaluationReport(
        title=title,
        what=what,
        measure=measure,
        where=tuple(where),
        made_on=made_on,
        protected=protected,
        findings=findings,
        sources=tuple(sources),
        already_published=already_published,
        expires=expires,
        purpose=purpose,
        contact=contact,
    )


def write_evaluation(report: EvaluationReport, folder: str | Path) -> tuple[Path, ...]:
    """
    Write the page, the record, the figures and the manifest.

    Parameters
    ----------
    report
        From `make_evaluation`.
    folder
        Where to; files of the same names are replaced, all or none.

    Returns
    -------
    paths
        ``report.html`` first; ``evaluation.json``, figures, ``manifest.json``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    pictures = _pictures(report)
    with staged_folder(folder) as staged:
        page = render_report(evaluation_content(report, pictures))
        (staged / "report.html").write_text(page, encoding="utf-8", newline="\n")
        _write(staged / RECORD, record_of(report))
        for name, figure in pictures.items():
            (staged / name).write_bytes(figure.png)
        names = ["report.html", RECORD, *pictures]
        manifest = {
            "declaration": declare_evaluation(report),
            "inputs": [asdict(source) for source in report.sources],
            "versions": versions(*PACKAGES),
            "outputs": [_output(staged / name) for name in names],
        }
        _write(staged / "manifest.json", manifest)
    return tuple(folder / name for name in [*names, "manifest.json"])


def record_of(report: EvaluationReport) -> dict[str, Any]:
    """
    Return the numbers and words of a report as plain values.

    Parameters
    ----------
    report
        From `make_evaluation`.

    Returns
    -------
    record
        ``declaration``; ``finding``, ``paragraph``, ``verdict`` and ``method`` in words; a list
        of rows each for ``displacement``, ``difference``, ``series``,
        ``trend`` and ``specifications``.
    """
    found = report.findings
    panel = report.protected
    record: dict[str, Any] = {
        "declaration": declare_evaluation(report),
        "title": report.title,
        "verdict": found.verdict,
        "finding": report.lead,
        "paragraph": describe_evaluation(found, what=report.what, measure=report.measure),
        "method": METHOD,
        "overdispersion": f"{found.displacement.attrs['overdispersion']:.2f}",
        "period": f"{panel.first:%Y-%m} to {panel.last:%Y-%m}, start {panel.whole.start:%Y-%m}",
        "statement": " ".join(panel.statement),
        "cautions": " ".join(found.cautions),
        "left_out": " ".join(found.left_out),
        "displacement": _rows(counts_table(report).rename(columns=_ENDS)[_COLUMNS]),
    }
    if found.difference is not None:
        rows = found.difference.reset_index().drop(columns=["treated", "comparison"])
        record["difference"] = _rows(rows)
    if found.series is not None:
        series = found.series.reset_index()[["period", "after", "ratio", "lower", "upper"]]
        record["series"] = _rows(series.assign(period=series["period"].dt.strftime("%Y-%m")))
    if found.trend is not None:
        record["trend"] = _rows(found.trend.reset_index())
    if found.control is not None:
        table = found.control.range.drop(columns=["left_out", "effect"])
        left = np.where(found.control.range["left_out"] == "", "none", "one donor")
        record["specifications"] = _rows(table.assign(left_out=left))
    return record


def counts_table(report: EvaluationReport) -> pd.DataFrame:
    """
    Return the table of the weighted displacement difference, with the comparison areas first.

    Parameters
    ----------
    report
        From `make_evaluation`.

    Returns
    -------
    table
        ``part``, ``areas`` (single ones, before they were put together),
        ``records_before``, ``records_after`` and what was worked out from them.
    """
    found = report.findings.displacement
    _, before, after = found.attrs["comparison"]
    table = found.rename(columns={"before": "records_before", "after": "records_after"})
    table.loc["comparison", ["records_before", "records_after"]] = [before, after]
    table = table.loc[["comparison", *found.index]]
    areas = report.protected.areas
    own = {name: areas.get(str(name), 0) for name in table.index}
    together = sum(number for name, number in own.items() if name != "comparison")
    table["areas"] = [own[name] or together for name in table.index]
    return table.rename_axis("part").reset_index()


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as plain values, six figures; what has no value is left out."""
    return [
        {str(key): _plain(value) for key, value in row.items() if pd.notna(value)}
        for row in table.rename(columns=_ENDS).to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else "no limit"
    return int(value) if isinstance(value, int | np.integer) else str(value)


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _output(path: Path) -> dict[str, Any]:
    return {"name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}


def _pictures(report: EvaluationReport) -> dict[str, ReportFigure]:
    """Draw the figures, by file name."""
    found, what = report.findings, report.what
    out = {
        "rings.png": ReportFigure(
            draw_rings(found.displacement, title=f"{what}: difference from the expected"),
            "Difference from what the change of the comparison areas would have left, with 95 % "
            "intervals.",
            said_rings(found.displacement),
        )
    }
    if found.series is not None:
        out["series.png"] = ReportFigure(
            draw_series(found.series, title=f"{what}: treated areas over time"),
            "Observed over expected in the treated areas; 1 is as the comparison areas went. The "
            "dashed line is the start.",
            said_series(found.series),
        )
    if found.control is not None:
        out["range.png"] = ReportFigure(
            draw_range(found.control, title=f"{what}: every specification"),
            "Difference from the synthetic control in each specification.",
            said_range(found.control),
        )
        out["placebos.png"] = ReportFigure(
            draw_placebos(found.control, title=f"{what}: treated areas and placebos"),
            "Gap to the synthetic control of the first specification, and of areas where nothing "
            "was done.",
            said_placebos(found.control),
        )
    return out
