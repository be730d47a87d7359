"""The page of a transparency record: what stands where, in words and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeshaping._core.provenance import versions
from placeshaping.disclosure.policies import policy_named
from placeshaping.likelihood.fairness import Feedback
from placeshaping.pages.report import ReportContent, ReportSection, ReportTable
from placeshaping.reports.backtest_tables import policy_of_report
from placeshaping.reports.backtest_words import day, percent, score_rows
from placeshaping.reports.layer_audit import DISCOVERED, LayerAudit

if TYPE_CHECKING:
    from placeshaping.reports.transparency import LayerFacts, TransparencyRecord

PACKAGES = ("placeshaping", "numpy", "pandas", "scipy", "scikit-learn", "numba")

_GROUPS = (
    "Groups of residents are for this audit alone: no model has seen them. Hit rates of groups are "
    "worked out from rounded numbers."
)

_NO_DRIFT = 0.005
"""Difference of shares below which a reader sees none."""

NOT_FOR = (
    "It is no ground to stop, search or suspect anybody.",
    "It says nothing about any person, household or address.",
    "It is no evidence, in court or elsewhere.",
    "It tells of recorded crime, which is not all crime.",
)
"""What a layer must not be used for."""


def record_content(record: TransparencyRecord) -> ReportContent:
    """
    Put the page together.

    Parameters
    ----------
    record
        What it says.

    Returns
    -------
    content
        For `pages.report.render_report` and `markdown_of`.

    Notes
    -----
    A policy that shows no counts means those of small areas. The scores are
    of the whole district, and the page declares the policy that governs them.
    """
    facts = record.facts
    return ReportContent(
        title=f"Transparency record: {facts.title}",
        lead=record.lead,
        facts=(
            ("Purpose", facts.purpose),
            ("Who decides", facts.decides),
            ("Expires", day(facts.expires)),
            ("Contact", facts.contact or "none named"),
        ),
        cautions=(*facts.overrides, *facts.cautions),
        sections=(
            ReportSection("What it must not be used for", points=NOT_FOR),
            _what_it_is(facts),
            _how_good(record),
            *_who_bears_it(record.audit),
            _may_it_be_used(record),
            _where_from(facts),
        ),
        footer=(f"Made on {day(facts.made_on)} under the policy {facts.policy!r}.",),
        declaration={
            "maker": "placeshaping",
            "kind": "transparency record",
            "policy": policy_of_report(policy_named(facts.policy)).name,
            "made_on": facts.made_on.isoformat(),
            "expires": facts.expires.isoformat(),
            "purpose": facts.purpose,
        },
    )


def _what_it_is(facts: LayerFacts) -> ReportSection:
    tags = ", ".join(f"{name} ({tag})" for name, tag in facts.offences.items())
    return ReportSection(
        "What it is",
        points=(
            f"Offences, and how they come to be recorded: {tags}.",
            f"{facts.cells:,} cells of {facts.cell_size:,} m, "
            f"{percent(facts.share_of_area, decimals=1)} of the district, in {facts.patrols:,} "
            "patrol areas.",
            facts.because if facts.because.startswith("Model:") else _model_words(facts),
            f"Patrol areas: {facts.method}",
            f"Records of {facts.records_from} to {facts.records_to}. {facts.precision} "
            f"{percent(facts.unlocated, decimals=1)} of the records have no place, "
            f"{percent(facts.elsewhere, decimals=1)} lie outside the district.",
            *(facts.marks or ("No cell of this layer has been marked as wrong by a planner.",)),
            *facts.privacy,
        ),
    )


def _model_words(facts: LayerFacts) -> str:
    return f"Model: {facts.model}. {facts.because}"


def _how_good(record: TransparencyRecord) -> ReportSection:
    heading = "How well it has done"
    if record.scores is None:
        return ReportSection(
            heading,
            ("No backtest goes with this layer: nobody knows how well it would have done.",),
        )
    tables = []
    for name, rows in record.scores.groupby("category", sort=False):
        heads, cells = score_rows(rows)
        tables += [
            ReportTable(f"{name}: {percent(share)} of the area", heads, cells[share])
            for share in cells
        ]
    said = ["Without any model the hit rate is the share of the area, and the PAI is 1."]
    if record.calibration is not None and len(record.calibration):
        said.append(_calibration_words(record.calibration))
    if record.groups is not None and len(record.groups):
        said.append(_GROUPS)
        tables += [
            _groups_table(str(kind), rows)
            for kind, rows in record.groups.groupby("kind", sort=False)
        ]
    return ReportSection(heading, tuple(said), tables=tuple(tables))


def _groups_table(kind: str, groups: pd.DataFrame) -> ReportTable:
    first = groups.iloc[0]
    rows = tuple(
        (_named(kind, row["group"]), *_caught(row), f"{row['burden_ratio']:.2f}")
        for _, row in groups.iterrows()
    )
    return ReportTable(
        f"In the backtest, by {kind}: {first['model']} at {percent(first['share'])} of the area",
        ("Group", "Records (rounded)", "Hit rate (interval)", "Burden"),
        rows,
    )


def _caught(row: pd.Series) -> tuple[str, str]:
    if not np.isfinite(row["hit_rate"]):
        return "withheld", "withheld"
    low, high = percent(row["hit_rate_lower"]), percent(row["hit_rate_upper"])
    return f"{row['N']:,.0f}", f"{percent(row['hit_rate'])} ({low} to {high})"


def _calibration_words(calibration: pd.DataFrame) -> str:
    """Say where a forecast missed most."""
    away = np.log(calibration["ratio"].where(calibration["ratio"] > 0)).abs()
    if away.isna().all():
        return "Calibration could not be judged."
    worst = calibration.loc[away.idxmax()]
    return (
        "In tenths of the places by expected count, it missed most in "
        f"{worst['group']} of 10 ({worst['category']}, {worst['model']}): "
        f"{worst['ratio']:.2f} events expected for one observed."
    )


def _who_bears_it(audit: LayerAudit | None) -> tuple[ReportSection, ...]:
    if audit is None or not audit.burdens:
        words = ("No table of residents was given, so that the burden is not known.",)
        unknown = ReportSection("Who bears it", words)
        return (
            (unknown,) if audit is None or audit.feedback is None else (unknown, _feedback(audit))
        )
    tables = [_burden_table(kind, table) for kind, table in audit.burdens.items()]
    tables += [_drift_table(kind, table) for kind, table in audit.drifts.items()]
    spread = audit.concentration
    kept = spread["kept"]
    touched = f"The patrol areas touch {percent(spread['ever'], decimals=1)} of all small areas."
    concentrated = (
        f"Of all small areas {percent(spread['ever'], decimals=1)} are flagged at least once and "
        f"{percent(spread['always'], decimals=1)} in every release (Gini {spread['gini']:.2f}); "
        f"{percent(kept)} of one release is in the next."
        if np.isfinite(kept)
        else touched
    )
    sections = [
        ReportSection(
            "Who bears it",
            (
                "The burden ratio is a group's share of the residents of what is flagged, over its "
                "share of all residents: 1 is even. It says where people live, not whom patrols "
                "meet, nor why. Groups are for this audit alone: no model and no plan has seen "
                "them. Numbers of residents are rounded before anything is worked out, and groups "
                "of few are put together.",
                concentrated,
            ),
            points=audit.screened,
            tables=tuple(tables),
        )
    ]
    if audit.feedback is not None:
        sections.append(_feedback(audit))
    return tuple(sections)


def burden_sentences(audit: LayerAudit) -> tuple[str, ...]:
    """
    Tell burden and its change in sentences, for a record that holds no tables.

    Parameters
    ----------
    audit
        From `layer_audit.audit_layer`.

    Returns
    -------
    sentences
        One or two for each kind of group.
    """
    told = []
    for kind, table in audit.burdens.items():
        rows = [f"{_named(kind, group)} {_with_interval(row, 'burden_ratio', '')}"
                for group, row in table.iterrows()]  # fmt: skip
        told.append(f"Burden ratio by {kind} (95 % interval): {'; '.join(rows)}.")
        if kind in audit.drifts:
            change = audit.drifts[kind]["change"].dropna()
            rows = [f"{_named(kind, group)} {_ratio(value, sign='+')}"
                    for group, value in change.items()]  # fmt: skip
            told.append(f"Change by {kind} since the first release: {'; '.join(rows)}.")
    return tuple(told)


def _drifts(feedback: Feedback) -> str:
    away = feedback.share - feedback.true_share
    if abs(away) < _NO_DRIFT:
        return "So patrols would not drift from where the incidents are."
    way = "towards" if away > 0 else "away from"
    return f"So patrols would drift {way} the patrol areas by {abs(away):.0%} of their number."


def _feedback(audit: LayerAudit) -> ReportSection:
    shares = ", ".join(f"{tag} {share:.0%}" for tag, share in DISCOVERED.items())
    said = [] if audit.feedback is None else [audit.feedback.sentence, _drifts(audit.feedback)]
    if audit.corrected is not None and audit.feedback != audit.corrected:
        said.append(
            "With incidents that patrols find weighed by how likely a patrol was there, it would "
            f"be {audit.corrected.share:.0%}."
        )
    said.append(
        "The first area is the patrol areas, the second the rest of the district (an urn after "
        f"Ensign and others, 2018). Shares found only by patrols are assumed by tag: {shares}."
    )
    return ReportSection("Feedback", tuple(said))


def _named(kind: str, group: object) -> str:
    """Name a group in words: a table of bare numbers reads like data."""
    bare = all(part.isdigit() for part in str(group).split(" + "))
    return f"{kind.split()[-1]} {group}" if bare else str(group)


def _burden_table(kind: str, table: pd.DataFrame) -> ReportTable:
    per_crime = "per_crime_ratio" in table
    counted = "households" if kind.endswith("households") else "residents"
    heads = ["Group", f"Share of {counted}", f"Share of flagged {counted}", "Burden (interval)"]
    heads += ["Per recorded crime (interval)"] if per_crime else []
    rows = []
    for group, row in table.iterrows():
        cells = [
            _named(kind, group),
            percent(row["share"], decimals=1),
            percent(row["flagged_share"], decimals=1),
            _with_interval(row, "burden_ratio", ""),
        ]
        cells += [_with_interval(row, "per_crime_ratio", "per_crime_")] if per_crime else []
        rows.append(tuple(cells))
    return ReportTable(f"Burden by {kind}", tuple(heads), tuple(rows))


def _drift_table(kind: str, table: pd.DataFrame) -> ReportTable:
    shown = [*table.columns[:-1][-4:], "change"]
    heads = ("Group", *(str(name) for name in shown[:-1]), "Change since the first release")
    rows = tuple(
        (
            _named(kind, group),
            *(_ratio(row[name]) for name in shown[:-1]),
            _ratio(row["change"], sign="+"),
        )
        for group, row in table.iterrows()
    )
    return ReportTable(f"Burden by {kind}, release by release", heads, rows)


def _ratio(value: float, *, sign: str = "") -> str:
    """Write a ratio or its change; of a group that was told together with others, nothing."""
    return f"{round(value, 2) + 0.0:{sign}.2f}" if np.isfinite(value) else "not told alone"


def _with_interval(row: pd.Series, name: str, prefix: str) -> str:
    if not np.isfinite(row[name]):
        return "nobody"
    return f"{row[name]:.2f} ({row[f'{prefix}lower']:.2f} to {row[f'{prefix}upper']:.2f})"


def _may_it_be_used(record: TransparencyRecord) -> ReportSection:
    decision = record.decision
    return ReportSection(
        "Whether it may be used",
        (f"Judged on {day(decision.decided_on)}.", *decision.words),
        points=tuple(f"Withdrawn when: {words}" for words in decision.triggers.words),
    )


def _where_from(facts: LayerFacts) -> ReportSection:
    files = tuple((s.name, s.role, s.checksum) for s in facts.sources)
    learned = tuple(
        (name, f"{value:.4g}" if isinstance(value, float) else str(value))
        for name, value in facts.parameters.items()
    )
    used = tuple(versions(*PACKAGES).items())
    tables = [
        ReportTable("Files", ("File", "Used as", "Checksum"), files, words=(1, 2)),
        ReportTable("Parameters of the model", ("Parameter", "Learned"), learned),
        ReportTable("Versions", ("Package", "Version"), used),
    ]
    return ReportSection(
        "Where it comes from",
        (f"Seed {facts.seed}.",),
        tables=tuple(table for table in tables if table.rows),
    )
