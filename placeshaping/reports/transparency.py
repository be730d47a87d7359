"""
The page that goes with every patrol layer: what it is, how sure, who bears it, who answers.

From one frozen record of facts: HTML, Markdown and JSON. The page names no
cell and no count of a small area.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import SourceFile, versions
from placeshaping.pages.report import render_report
from placeshaping.pages.report_markdown import markdown_of
from placeshaping.reports.backtest_words import day
from placeshaping.reports.layer_audit import Decision, LayerAudit
from placeshaping.reports.transparency_page import NOT_FOR, PACKAGES, record_content

FILES = ("transparency.html", "transparency.md", "transparency.json")


@dataclass(frozen=True)
class LayerFacts:
    """
    What is known of a patrol layer.

    Attributes
    ----------
    title, purpose, decides, contact
        What it is, what for, who answers for it, whom to ask.
    shift
        When it is for, in words.
    offences
        Offence -> how it comes to be recorded.
    overrides
        Sentences about refused offences that somebody signed for.
    model, because, parameters, seed
        The model, why it was taken, what it learned, and the seed.
    method
        How cells became patrol areas.
    records_from, records_to
        First and last day of the records.
    precision
        How exactly places and times are known, in words.
    unlocated, elsewhere
        Shares of the records without a place, and outside the district.
    sources
        Files by checksum.
    cells, patrols, share_of_area, cell_size
        Cells flagged, in how many patrol areas, their share of the district,
        and their side in metres.
    made_on, expires
        Dates.
    policy
        Name of the policy that it is made under.
    privacy
        What was done to protect people, one sentence each.
    cautions, marks
        Sentences; cells that planners have marked as wrong.
    """

    title: str
    purpose: str
    decides: str
    contact: str
    shift: str
    offences: Mapping[str, str]
    overrides: tuple[str, ...]
    model: str
    because: str
    parameters: Mapping[str, float | str]
    seed: int
    method: str
    records_from: str
    records_to: str
    precision: str
    unlocated: float
    elsewhere: float
    sources: tuple[SourceFile, ...]
    cells: int
    patrols: int
    share_of_area: float
    cell_size: int
    made_on: dt.date
    expires: dt.date
    policy: str
    privacy: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TransparencyRecord:
    """
    Everything that the page says.

    Attributes
    ----------
    facts
        Of the layer.
    decision
        Whether it may be used (`layer_audit.decide`).
    audit
        Who bears it; None where nobody can be counted.
    scores
        Rows of `backtest_tables.tabulate_scores` for its offences: protected
        already; None where there was no backtest.
    calibration
        Of `backtest_tables.tabulate_calibration`, or None.
    groups
        Of `backtest_groups.tabulate_groups`, or None.
    """

    facts: LayerFacts
    decision: Decision
    audit: LayerAudit | None = None
    scores: pd.DataFrame | None = field(default=None, repr=False)
    calibration: pd.DataFrame | None = field(default=None, repr=False)
    groups: pd.DataFrame | None = field(default=None, repr=False)

    @property
    def lead(self) -> str:
        """The first sentence."""
        facts = self.facts
        return (
            f"{facts.patrols:,} patrol areas for {facts.shift}, chosen by {facts.model} from "
            f"recorded {' and '.join(facts.offences)}; {facts.decides} decides, and the layer "
            f"expires on {day(facts.expires)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values; numbers to six digits, missing ones None."""
        return {
            "kind": "patrol layer transparency record",
            "version": 1,
            "declaration": _plain(record_content(self).declaration),
            "facts": _plain(dataclasses.asdict(self.facts)),
            "not_for": list(NOT_FOR),
            "decision": {
                "decided_on": self.decision.decided_on.isoformat(),
                "withdrawn_because": list(self.decision.reasons),
                "override": _plain(
                    None
                    if self.decision.override is None
                    else dataclasses.asdict(self.decision.override)
                ),
                "conditions": list(self.decision.triggers.words),
                "unmeasured": list(self.decision.unmeasured),
            },
            "scores": None if self.scores is None else _records(self.scores),
            "calibration": None if self.calibration is None else _records(self.calibration),
            "groups": None if self.groups is None else _records(self.groups),
            "audit": None if self.audit is None else _audit_dict(self.audit),
            "versions": versions(*PACKAGES),
        }


def write_record(record: TransparencyRecord, folder: str | Path) -> tuple[Path, ...]:
    """
    Write the record as a page, as Markdown and as JSON.

    Parameters
    ----------
    record
        What it says.
    folder
        Where to; files of the same names are replaced, all or none.

    Returns
    -------
    paths
        ``transparency.html``, ``.md``, ``.json``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    content = record_content(record)
    texts = (
        render_report(content),
        markdown_of(content),
        json.dumps(record.to_dict(), indent=1, ensure_ascii=False) + "\n",
    )
    with staged_folder(folder) as staged:
        for name, text in zip(FILES, texts, strict=True):
            (staged / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in FILES)


def _audit_dict(audit: LayerAudit) -> dict[str, Any]:
    def urn(feedback: Any) -> Any:
        return None if feedback is None else _plain(dataclasses.asdict(feedback))

    return {
        "burdens": {kind: _records(t.reset_index()) for kind, t in audit.burdens.items()},
        "drifts": {kind: _records(t.round(2).reset_index()) for kind, t in audit.drifts.items()},
        "concentration": _plain(audit.concentration.to_dict()),
        "four_fifths": list(audit.screened),
        "feedback": urn(audit.feedback),
        "feedback_corrected": urn(audit.corrected),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in table.to_dict(orient="records")]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return None if value is None else str(value)
