"""
A patrol layer's record as one of the UK Algorithmic Transparency Recording Standard.

What the tool knows of itself is filled in from the transparency record; what
only the organisation knows comes from it, and stands as missing where it has
not said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import versions
from placeshaping.pages.report import ReportContent, ReportSection
from placeshaping.pages.report_markdown import markdown_of
from placeshaping.reports.atrs_fields import template_of
from placeshaping.reports.backtest_words import first_sentence, percent
from placeshaping.reports.odt import odt_of
from placeshaping.reports.transparency import TransparencyRecord
from placeshaping.reports.transparency_page import NOT_FOR

ATRS_VERSION = "2.1"
FILES = ("atrs.md", "atrs.json", "atrs.odt")
NOT_STATED = "Not stated. To be completed by the organisation."


@dataclass(frozen=True)
class Organisation:
    """
    What only the organisation knows; empty where it has not said.

    Attributes
    ----------
    organisation, team, senior_responsible_owner, contact_email, website
        Who answers for the tool.
    external_supplier, phase, training, appeals, maintenance
        As the fields of the standard.
    previous_process, impact_assessments, data_access, data_sharing
        As the fields of the standard.
    frequency_and_scale
        How often, and for how many patrols.
    """

    organisation: str = ""
    team: str = ""
    senior_responsible_owner: str = ""
    contact_email: str = ""
    website: str = ""
    external_supplier: str = ""
    phase: str = ""
    training: str = ""
    appeals: str = ""
    maintenance: str = ""
    previous_process: str = ""
    impact_assessments: str = ""
    data_access: str = ""
    data_sharing: str = ""
    frequency_and_scale: str = ""


@dataclass(frozen=True)
class AtrsRecord:
    """
    A filled-in record.

    Attributes
    ----------
    version
        Of the standard.
    answers
        By key of the field; empty where nobody has said.
    """

    version: str
    answers: Mapping[str, str]

    @property
    def missing(self) -> tuple[str, ...]:
        """Needed fields without an answer, by number and name."""
        return tuple(
            f"{field.number} {field.name}"
            for section in template_of(self.version).values()
            for field in section
            if field.needed and not self.answers.get(field.key, "").strip()
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return {
            "standard": "Algorithmic Transparency Recording Standard",
            "standard_version": self.version,
            "missing": list(self.missing),
            "sections": {
                section: [
                    {
                        "number": field.number,
                        "attribute": field.key,
                        "name": field.name,
                        "answer": self.answers.get(field.key) or None,
                    }
                    for field in fields_
                ]
                for section, fields_ in template_of(self.version).items()
            },
        }


def make_atrs(
    record: TransparencyRecord,
    organisation: Organisation,
    *,
    version: str = ATRS_VERSION,
) -> AtrsRecord:
    """
    Fill in a record of the standard.

    Parameters
    ----------
    record
        Of the patrol layer.
    organisation
        What only the organisation knows.
    version
        Of the standard.

    Returns
    -------
    atrs
        With `missing`: what the organisation has yet to say.

    Raises
    ------
    InputError
        If there is no template of that version.
    """
    known = {
        key for section in template_of(version).values() for key in (field.key for field in section)
    }
    own = {one.name: getattr(organisation, one.name) for one in fields(organisation)}
    answers = {**_of_the_tool(record), **{key: value for key, value in own.items() if value}}
    return AtrsRecord(version, {key: answers[key] for key in answers if key in known})


def write_atrs(atrs: AtrsRecord, folder: str | Path) -> tuple[Path, ...]:
    """
    Write a record of the standard as Markdown, JSON and OpenDocument text.

    Parameters
    ----------
    atrs
        From `make_atrs`.
    folder
        Where to; files of the same names are replaced, all or none.

    Returns
    -------
    paths
        ``atrs.md``, ``atrs.json``, ``atrs.odt``.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    folder = Path(folder)
    content = _content(atrs)
    with staged_folder(folder) as staged:
        (staged / FILES[0]).write_text(markdown_of(content) + "\n", encoding="utf-8", newline="\n")
        text = json.dumps(atrs.to_dict(), indent=1, ensure_ascii=False)
        (staged / FILES[1]).write_text(text + "\n", encoding="utf-8", newline="\n")
        (staged / FILES[2]).write_bytes(odt_of(content))
    return tuple(folder / name for name in FILES)


def _content(atrs: AtrsRecord) -> ReportContent:
    missing = atrs.missing
    told = (f"{len(missing)} needed fields are yet to be completed: {'; '.join(missing)}.",)
    return ReportContent(
        title=f"Algorithmic transparency record: {atrs.answers['name']}",
        lead=f"Algorithmic Transparency Recording Standard, version {atrs.version}.",
        facts=(),
        cautions=told if missing else (),
        sections=tuple(
            ReportSection(
                section,
                tuple(
                    f"{field.number} {field.name}: {atrs.answers.get(field.key) or NOT_STATED}"
                    for field in fields_
                ),
            )
            for section, fields_ in template_of(atrs.version).items()
        ),
        footer=(),
    )


def _of_the_tool(record: TransparencyRecord) -> dict[str, str]:
    """Answer what the tool knows of itself."""
    return {**_described(record), **_decided(record), **_modelled(record), **_data(record)}


def _described(record: TransparencyRecord) -> dict[str, str]:
    facts = record.facts
    return {
        "name": facts.title,
        "description": f"{record.lead} Purpose: {facts.purpose}",
        "contact_email": facts.contact,
        "detailed_description": f"{facts.method} {facts.because}",
        "scope": " ".join(NOT_FOR),
        "benefit": facts.purpose,
        "alternatives": (
            "Counts of former periods without a model, with which every model is compared in the "
            "same backtest; they are used where no model surely does better."
        ),
    }


def _decided(record: TransparencyRecord) -> dict[str, str]:
    facts = record.facts
    return {
        "process_integration": (
            f"The layer proposes where patrols may go in one shift ({facts.shift}). It starts no "
            "action by itself."
        ),
        "provided_information": (
            f"{facts.cells:,} cells of {facts.cell_size:,} m in {facts.patrols:,} patrol areas, "
            "ranked by class of expected count, with reasons in words; no counts."
        ),
        "human_decisions": (
            f"{facts.decides} decides whether and where to patrol. Planners mark cells as wrong, "
            f"with a reason. {' '.join(record.decision.words)}"
        ),
    }


def _modelled(record: TransparencyRecord) -> dict[str, str]:
    facts = record.facts
    told = "No backtest goes with this layer."
    if record.scores is not None:
        shares = sorted(record.scores["share"].unique(), key=lambda share: abs(share - 0.05))
        told = first_sentence(record.scores, float(shares[0]))
    used = ", ".join(f"{name} {number}" for name, number in versions("placeshaping").items())
    return {
        "system_architecture": (
            "A program on the organisation's own computer reads the records, fits the model, and "
            "writes files. It sends nothing anywhere."
        ),
        "models": facts.model,
        "model_name": facts.model,
        "model_version": used,
        "model_task": "To estimate how many of the offences are recorded in each cell in a shift.",
        "model_input": f"Places and times of records from {facts.records_from} to "
        f"{facts.records_to}. No data about people; columns on people, ethnic composition and "
        "deprivation are refused.",
        "model_output": "An expected count for each cell, shown as a class.",
        "model_architecture": facts.because,
        "model_performance": told,
        "datasets": "; ".join(source.name for source in facts.sources),
        "dataset_purposes": "; ".join(f"{s.name}: {s.role}" for s in facts.sources),
    }


def _data(record: TransparencyRecord) -> dict[str, str]:
    facts = record.facts
    tags = ", ".join(f"{name} ({tag})" for name, tag in facts.offences.items())
    risks = [
        "Patrols find what they look for: offences that patrols discover are refused as a target.",
        *([] if record.audit is None or record.audit.feedback is None
          else [record.audit.feedback.sentence]),
        *([] if record.audit is None else record.audit.screened),
        *(f"The layer is withdrawn when: {one}" for one in record.decision.triggers.words),
        *facts.overrides,
        *facts.privacy,
    ]  # fmt: skip
    return {
        "source_data_name": "; ".join(s.name for s in facts.sources if s.role == "records"),
        "data_modality": "Tabular, with places.",
        "data_description": f"Recorded {tags}. {facts.precision}",
        "data_quantities": f"Records from {facts.records_from} to {facts.records_to}.",
        "sensitive_attributes": (
            "None enters the model. Deprivation and census composition of areas serve to audit it."
        ),
        "data_completeness": (
            f"{percent(facts.unlocated, decimals=1)} of the records have no place and "
            f"{percent(facts.elsewhere, decimals=1)} lie outside the district; what is not "
            "recorded is not in the data."
        ),
        "data_collection": "Recorded by the police in the course of their work.",
        "data_cleaning": f"{facts.precision} Files are known by checksum.",
        "risks": " ".join(risks),
    }
