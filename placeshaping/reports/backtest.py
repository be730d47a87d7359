"""
The report on a backtest: whether a model beats trailing counts, by how much, how surely.

One page without a script, the same tables as CSV, the figures as PNG, and a
manifest. It holds scores of the whole district alone; see `backtest_tables`
for what is withheld.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.errors import EmptyError
from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import SourceFile, sha256, versions
from placeshaping.disclosure.policies import Policy
from placeshaping.likelihood.backtest import Backtest
from placeshaping.likelihood.comparison import Comparison
from placeshaping.pages.report import ReportFigure, render_report
from placeshaping.reports.backtest_figures import (
    draw_by_area,
    draw_calibration,
    draw_stability,
    said_by_area,
    said_calibration,
    said_stability,
)
from placeshaping.reports.backtest_groups import tabulate_groups
from placeshaping.reports.backtest_page import declare_report, page_content
from placeshaping.reports.backtest_tables import (
    compare_all,
    policy_of_report,
    tabulate_calibration,
    tabulate_scores,
    tabulate_stability,
)
from placeshaping.reports.backtest_words import first_sentence, percent

PACKAGES = ("placeshaping", "numpy", "pandas", "scipy", "scikit-learn", "numba", "matplotlib")

CHOICE = "choice.json"
"""The file that tells a patrol layer which model to use."""

_TABLES = ("scores", "calibration", "stability")

_CHOSEN = {
    "origins", "n", "N", *(
        f"{name}{end}"
        for name in ("hit_rate", "pai", "pei", "poisson_deviance", "lift_vs_baseline", "difference")
        for end in ("", "_lower", "_upper")
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class BacktestReport:
    """
    What a report on backtests is made of.

    Attributes
    ----------
    title
        Heading of the page.
    made_on
        The day that it is made.
    policy
        Gives threshold, rounding and stamp.
    scores, calibration, stability
        See `backtest_tables`.
    groups
        See `backtest_groups`; no rows where nobody said who lives where.
    comparisons
        By offence and share of the area.
    share
        The share of the area that words speak of.
    backtests
        Backtest by name of the offence.
    sources
        Files that it was made from.
    places
        What the places are, in words, such as ``"634 small areas"``.
    already_published
        Where the records are published already; None where they are not.
    expires
        Last day of use, for policies that need one.
    """

    title: str
    made_on: dt.date
    policy: Policy
    scores: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    stability: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    comparisons: Mapping[str, Mapping[float, Comparison]] = field(repr=False)
    share: float
    backtests: Mapping[str, Backtest] = field(repr=False)
    sources: tuple[SourceFile, ...]
    places: str
    already_published: str | None = None
    expires: dt.date | None = None

    @property
    def lead(self) -> str:
        """The first sentence."""
        return first_sentence(self.scores, self.share)

    @property
    def defaults(self) -> dict[str, str]:
        """Model to use, by name of the offence."""
        return {name: shares[self.share].default for name, shares in self.comparisons.items()}


def make_report(
    backtests: Mapping[str, Backtest],
    *,
    title: str,
    made_on: dt.date,
    policy: Policy,
    share: float = 0.05,
    sources: Sequence[SourceFile] = (),
    already_published: str | None = None,
    expires: dt.date | None = None,
    level: float = 0.95,
    residents: Mapping[str, pd.DataFrame] | None = None,
) -> BacktestReport:
    """
    Work out everything that a report on backtests says.

    Parameters
    ----------
    backtests
        Backtest by name of the offence, with trailing counts among the models.
    title
        Heading of the page.
    made_on
        The day that it is made.
    policy
        Who will see it. One that shows no counts is taken for councillors'.
    share
        The share of the area that words speak of; the nearest that was
        flagged is taken.
    sources
        Files that the histories were made from.
    already_published
        Where the records are published already, which policy ``"open"`` needs.
    expires
        Last day of use, for policies that need one.
    level
        Of the intervals.
    residents
        By kind of group (``"deprivation decile"``): residents of each unit,
        tagged ``audit_only``, for the audit of the model that is to be used.

    Returns
    -------
    report
        To be written by `write_report`.

    Raises
    ------
    EmptyError
        If there is no backtest, or one has too few origins.
    InputError
        If one has no trailing counts.
    """
    if not backtests:
        msg = "There is no backtest to report on."
        raise EmptyError(msg)
    governing = policy_of_report(policy)
    one = next(iter(backtests.values()))
    nearest = min(one.plan.shares, key=lambda flagged: abs(flagged - share))
    comparisons = compare_all(backtests, level=level)
    scores = tabulate_scores(comparisons, policy=governing)
    plotted = {
        name: list(dict.fromkeys((shares[nearest].chosen, shares[nearest].baseline)))
        for name, shares in comparisons.items()
    }
    units = one.history.units
    kind = f"cells of {units.cell} m" if units.cell else "small areas"
    return BacktestReport(
        title=title,
        made_on=made_on,
        policy=governing,
        scores=scores,
        calibration=tabulate_calibration(backtests, plotted, policy=governing, level=level),
        stability=tabulate_stability(backtests, share=nearest, policy=governing),
        groups=tabulate_groups(
            backtests, comparisons, residents or {}, share=nearest, policy=governing
        ),
        comparisons=comparisons,
        share=nearest,
        backtests=backtests,
        sources=tuple(sources),
        places=f"{len(units):,} {kind}, {units.area.sum():,.0f} km²",
        already_published=already_published,
        expires=expires,
    )


def write_report(report: BacktestReport, folder: str | Path) -> tuple[Path, ...]:
    """
    Write the page, the tables, the figures and the manifest.

    Parameters
    ----------
    report
        From `make_report`.
    folder
        Where to; files of the same names are replaced, all or none.

    Returns
    -------
    paths
        ``report.html`` first; ``scores.csv``, ``calibration.csv``,
        ``stability.csv``, ``groups.csv`` where it has rows, ``choice.json``
        (see `choices`), figures,
        ``manifest.json``.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    pictures = _pictures(report)
    with staged_folder(folder, remove=["groups.csv"]) as staged:
        page = render_report(page_content(report, pictures))
        (staged / "report.html").write_text(page, encoding="utf-8", newline="\n")
        tables = [*_TABLES, *(["groups"] if len(report.groups) else [])]
        for name in tables:
            table: pd.DataFrame = getattr(report, name)
            table.to_csv(
                staged / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n"
            )
        for name, figure in pictures.items():
            (staged / name).write_bytes(figure.png)
        choice = json.dumps(choices(report), indent=1, ensure_ascii=False)
        (staged / CHOICE).write_text(choice + "\n", encoding="utf-8", newline="\n")
        names = ["report.html", *(f"{name}.csv" for name in tables), CHOICE]
        names += list(pictures)
        manifest = {**_facts(report), "outputs": [_output(staged / name) for name in names]}
        text = json.dumps(manifest, indent=1, ensure_ascii=False)
        (staged / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(folder / name for name in [*names, "manifest.json"])


def choices(report: BacktestReport) -> dict[str, Any]:
    """
    Tell which model a patrol layer should use, and how it did.

    Parameters
    ----------
    report
        From `make_report`.

    Returns
    -------
    choices
        ``model`` and ``sentence`` of the first offence, and under
        ``offences`` for each: ``model``, ``sentence``, ``share``, and the
        protected scores of that model at that share; None where withheld.
    """
    offences = {}
    for name in report.backtests:
        of_one = report.scores[
            (report.scores["category"] == name) & (report.scores["share"] == report.share)
        ]
        row = of_one[of_one["default"]].iloc[0]
        sentence = first_sentence(report.scores[report.scores["category"] == name], report.share)
        offences[name] = {
            "model": str(row["model"]),
            "sentence": sentence,
            "share": report.share,
            "baseline": str(of_one.loc[of_one["baseline"], "model"].iloc[0]),
            **{key: _number(row[key]) for key in of_one.columns if key in _CHOSEN},
        }
    first = next(iter(offences.values()))
    return {"model": first["model"], "sentence": first["sentence"], "offences": offences}


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if pd.notna(value) else None


def _output(path: Path) -> dict[str, Any]:
    return {"name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}


def _facts(report: BacktestReport) -> dict[str, Any]:
    return {
        "declaration": declare_report(report),
        "title": report.title,
        "finding": report.lead,
        "defaults": report.defaults,
        "inputs": [asdict(source) for source in report.sources],
        "versions": versions(*PACKAGES),
        "backtests": {name: _plan(one) for name, one in report.backtests.items()},
    }


def _plan(one: Backtest) -> dict[str, Any]:
    periods = one.periods
    return {
        "offences": {name: str(tag) for name, tag in one.history.target.tags.items()},
        "overrides": {name: asdict(o) for name, o in one.history.target.overrides.items()},
        "step": one.history.step.unit,
        "origins": len(periods),
        "first_origin": str(periods[0].date()),
        "last_origin": str(periods[-1].date()),
        "delay": one.plan.delay,
        "refit_every": one.plan.refit_every,
        "shares": list(one.plan.shares),
        "models": one.models,
    }


def _pictures(report: BacktestReport) -> dict[str, ReportFigure]:
    """Draw the figures of every offence, by file name."""
    out = {}
    for name in report.backtests:
        scores, calibration, stability = (
            table[table["category"] == name]
            for table in (report.scores, report.calibration, report.stability)
        )
        stem = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
        out[f"{stem}_hit_rate.png"] = ReportFigure(
            draw_by_area(scores, measure="hit_rate", title=f"{name}: share of events caught"),
            f"{name}: share of events caught by share of the area flagged, with intervals.",
            said_by_area(scores, measure="hit_rate"),
        )
        out[f"{stem}_pai.png"] = ReportFigure(
            draw_by_area(scores, measure="pai", title=f"{name}: how many times better than chance"),
            f"{name}: predictive accuracy index by share of the area flagged, with intervals.",
            said_by_area(scores, measure="pai"),
        )
        out[f"{stem}_calibration.png"] = ReportFigure(
            draw_calibration(calibration, title=f"{name}: expected and observed"),
            f"{name}: events observed against expected, in groups of places by expected count.",
            said_calibration(calibration),
        )
        out[f"{stem}_stability.png"] = ReportFigure(
            draw_stability(stability, title=f"{name}: how compact and lasting the flagged area is"),
            f"{name}: compactness and turnover of {percent(report.share)} of the area.",
            said_stability(stability),
        )
    return out
