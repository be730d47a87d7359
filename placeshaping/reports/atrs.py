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

from placeshaping._core.checks import listed
from placeshaping._core.output import staged_folder
from placeshaping._core.provenance import versions
from placeshaping.pages.report import ReportContent, ReportSection
from placeshaping.pages.report_markdown import markdown_of
from placeshaping.reports.atrs_fields import template_of
from placeshaping.reports.backtest_words import first_sentence, percent
from placeshaping.reports.odt import odt_of
from placeshaping.reports.transparency import TransparencyRecord
from placeshaping.reports.transparency_page import NOT_FOR, burden_sentences

ATRS_VERSION = "3.0"
FILES = ("atrs.md", "atrs.json", "atrs.odt")
NOT_STATED = "Not stated. To be completed by the organisation."


@dataclass(frozen=True)
class Organisation:
    """
    What only the organisation knows; empty where it has not said.

    The names are those of the standard's attributes, but for `organisation`.

    Attributes
    ----------
    organisation, organisation_type, team, senior_responsible_owner
        Who answers for the tool.
    contact_email, website_url, region
        Where to ask, and where it is used.
    function, capability, task, tags
        How the published records are sorted.
    external_supplier_involvement, external_supplier, companies_house_number
        Whether somebody else took part (Yes or No), and who.
    external_supplier_role, procurement_procedure_type, data_access_terms
        On what terms.
    phase, maintenance, frequency_and_scale_of_usage
        How far it is, how it is kept, how often and for how many it is used.
    previous_process, required_training, appeals_and_review
        What was done before, who is trained, and how a decision is questioned.
    source_data_url, data_sharing_agreements, data_access_and_storage
        Of the records.
    impact_assessment
        Which were made, and when.
    """

    organisation: str = ""
    organisation_type: str = ""
    team: str = ""
    senior_responsible_owner: str = ""
    contact_email: str = ""
    website_url: str = ""
    region: str = ""
    function: str = ""
    capability: str = ""
    task: str = ""
    tags: str = ""
    external_supplier_involvement: str = ""
    external_supplier: str = ""
    companies_house_number: str = ""
    external_supplier_role: str = ""
    procurement_procedure_type: str = ""
    data_access_terms: str = ""
    phase: str = ""
    maintenance: str = ""
    frequency_and_scale_of_usage: str = ""
    previous_process: str = ""
    required_training: str = ""
    appeals_and_review: str = ""
    source_data_url: str = ""
    data_sharing_agreements: str = ""
    data_access_and_storage: str = ""
    impact_assessment: str = ""


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
    own["organisation_or_department"] = own["organisation_name"] = own.pop("organisation")
    told = {"standard_version": version, **_of_the_tool(record)}
    answers = {**told, **{key: value for key, value in own.items() if value.strip()}}
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
        "title": facts.title,
        "one_sentence_description": record.lead,
        "date_of_completion": facts.made_on.isoformat(),
        "description": f"{record.lead} Purpose: {facts.purpose}",
        "contact_email": facts.contact,
        "detailed_description": f"{facts.method} {facts.because}",
        "scope": " ".join(NOT_FOR),
        "benefit": facts.purpose,
        "alternatives_considered": (
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
        "human_decisions_and_review": (
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
        *([] if record.audit is None else burden_sentences(record.audit)),
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
            "None enters the model. Deprivation and census composition of areas serve to audit it"
            f"{_audited(record)}."
        ),
        "data_completeness_and_representativeness": (
            f"{percent(facts.unlocated, decimals=1)} of the records have no place and "
            f"{percent(facts.elsewhere, decimals=1)} lie outside the district; what is not "
            "recorded is not in the data."
        ),
        "data_collection": "Recorded by the police in the course of their work.",
        "data_cleaning": f"{facts.precision} Files are known by checksum.",
        "risks_and_mitigations": " ".join(risks),
    }


def _audited(record: TransparencyRecord) -> str:
    """Name the groups of residents that a layer was audited by."""
    kinds = [] if record.audit is None else list(record.audit.burdens)
    return f": this layer by {listed(kinds, most=9)}" if kinds else ""
