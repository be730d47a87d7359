"""The page beside an inspection list: does the model help, what it rests on, whom it falls on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from placeshaping.pages.report import ReportContent, ReportSection, ReportTable, render_report
from placeshaping.shaping.inspection_audit import coarsen_audit
from placeshaping.shaping.inspection_words import describe_inspections, feature_words
from placeshaping.shaping.targeting_scores import MODEL, describe_targeting, targeting_finding

if TYPE_CHECKING:
    from placeshaping._core.provenance import SourceFile
    from placeshaping.disclosure.policies import Policy
    from placeshaping.shaping.targeting import InspectionModel

_SCHEMES = {"area": "In areas that the model had not seen", "time": "In months to come"}
_FOOTER = (
    "A place on the list is a reason to look, and no finding.",
    "Visits on record were mostly chosen by somebody. Only those drawn by lot tell how common a "
    "fault is where nobody would have looked.",
)


@dataclass(frozen=True, eq=False)
class InspectionReport:
    """
    What stands beside an inspection list.

    Attributes
    ----------
    title, purpose, contact, lawful_basis
        In words.
    policy, made_on, expires
        Who may see it, and until when.
    scores, model, listed
        From `score_targeting`, `fit_inspections` and `make_inspection_list`.
    audit
        From `audit_inspections`; None without deprivation.
    sources
        The input files.
    cautions
        Of this request, to be read before those of the trial.
    """

    title: str
    purpose: str
    contact: str
    lawful_basis: str
    policy: Policy
    made_on: dt.date
    expires: dt.date | None
    scores: pd.DataFrame
    model: InspectionModel
    listed: pd.DataFrame
    audit: pd.DataFrame | None
    sources: Sequence[SourceFile]
    cautions: tuple[str, ...] = ()

    @property
    def lead(self) -> str:
        """The finding, in two sentences."""
        return targeting_finding(self.scores)

    @property
    def declaration(self) -> dict[str, Any]:
        """What the page says of itself, for those who check it."""
        return {
            "maker": "placeshaping",
            "kind": "inspection report",
            "policy": self.policy.name,
            "purpose": self.purpose,
            "made_on": self.made_on.isoformat(),
            "expires": None if self.expires is None else self.expires.isoformat(),
        }


def inspection_page(report: InspectionReport) -> str:
    """
    Render the page.

    Parameters
    ----------
    report
        What it tells.

    Returns
    -------
    page
        HTML, self-contained. It names no property.
    """
    until = report.expires
    facts = [
        ("Purpose", report.purpose),
        (
            "Listed",
            f"{len(report.listed):,} of {report.listed.attrs['properties']:,} properties",
        ),
        (
            "Learned from",
            f"{report.model.visits:,} visits, {report.model.share:.0%} with a finding",
        ),
        ("For", report.policy.audience + (f", until {_day(until)}" if until else "")),
    ]
    if report.lawful_basis:
        facts.append(("Lawful basis", report.lawful_basis))
    sections = [
        ReportSection("The list", (describe_inspections(report.listed),)),
        _scores(report.scores),
        _model(report),
    ]
    if report.audit is not None:
        sections.append(_audit(report.audit))
    sections.append(_origin(report))
    return render_report(
        ReportContent(
            title=f"{report.title}: where to look, and does a model help?",
            lead=report.lead,
            facts=tuple(facts),
            cautions=(*report.cautions, *report.scores.attrs["cautions"]),
            sections=tuple(sections),
            footer=_FOOTER,
            stamp=report.policy.stamp,
            declaration=report.declaration,
        )
    )


def _scores(scores: pd.DataFrame) -> ReportSection:
    heads = ("Order", "Inspections", "Found", "Share", "95 % interval", "Model finds more by")
    tables = []
    for scheme in scores.index.unique("by"):
        table = scores.loc[scheme]
        rows = tuple(
            (
                str(rule), f"{row.inspections:,.0f}", f"{row.found:,.1f}", f"{row.precision:.0%}",
                f"{row.low:.0%} to {row.high:.0%}",
                "" if rule == MODEL
                else f"{row.gain:+.1%} ({row.gain_low:+.1%} to {row.gain_high:+.1%})",
            )
            for rule, row in zip(table.index, table.itertuples(index=False), strict=True)
        )  # fmt: skip
        tables.append(ReportTable(_SCHEMES[str(scheme)], heads, rows))
    return ReportSection(
        "The model beside plain rules",
        (
            describe_targeting(scores),
            str(scores.attrs["method"]),
            "The model that knows the inspector is never used: its line says how much of a score "
            "would be who went, and not what was there.",
        ),
        tables=tuple(tables),
    )


def _model(report: InspectionReport) -> ReportSection:
    model = report.model
    rows = tuple(
        (
            feature_words(name),
            f"{usual:,.4g}" if isinstance(usual, float) else str(usual),
            model.tagged.get(name, "open").replace("_", " "),
        )
        for name, usual in model.usual.items()
    )
    form = "penalised logistic regression" if model.form == "logistic" else "small boosted trees"
    learned = model.loss < model.loss_of_share
    return ReportSection(
        "What the chances rest on",
        (
            f"The form is {form}; chances are calibrated on areas that it had not seen. Its mean "
            f"surprise there is {model.loss:.3f} nats, that of giving every property the same "
            f"chance {model.loss_of_share:.3f}: it has {'' if learned else 'not '}learned "
            "something that holds elsewhere.",
            "Who inspected is not among them.",
        ),
        tables=(ReportTable("Features", ("Feature", "Usual value", "Tag"), rows, words=(1, 2)),),
    )


def _audit(found: pd.DataFrame) -> ReportSection:
    audit = coarsen_audit(found)
    rows = tuple(
        (
            str(decile), f"{row.properties:,}", f"{row.listed:,}", f"{row.per_100:.1f}",
            f"{row.low:.1f} to {row.high:.1f}", f"{row.ratio:.2f}",
            "" if chance != chance else f"{chance:.0%}",  # none of those is listed
        )
        for decile, row, chance in zip(
            audit.index,
            audit.itertuples(index=False),
            audit["chance"].to_numpy(dtype=float),
            strict=True,
        )
    )  # fmt: skip
    heads = (
        "Decile (1 most deprived)", "Properties", "Listed", "Listed of 100", "95 % interval",
        "Times the average", "Mean chance of those listed",
    )  # fmt: skip
    told = (
        "Deciles with few properties, or few of them listed, are told together, so that no row "
        "tells of a single one.",
    )
    return ReportSection(
        "On which areas the list falls",
        (
            *(told if len(audit) < len(found) else ()),
            "Deprivation is used for this audit. Where a decile is listed more often at the same "
            "mean chance, the list follows the chances; where its chances on the list are lower "
            "and few are found there, look at what the model learned from.",
        ),
        tables=(ReportTable("Properties listed in order, by deprivation decile", heads, rows),),
    )


def _origin(report: InspectionReport) -> ReportSection:
    files = tuple(f"{one.role}: {one.name} ({one.checksum})" for one in report.sources)
    contact = (f"Contact: {report.contact}.",) if report.contact else ()
    return ReportSection(
        "Where it comes from", (f"Made on {_day(report.made_on)}.", *contact), points=files
    )


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
