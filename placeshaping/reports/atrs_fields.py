"""
Fields of the UK Algorithmic Transparency Recording Standard, by version of the standard.

Numbers, names, attributes and what is needed were compared with the tables that
the Central Digital and Data Office published: v2.1 (January 2023) and v3.0 (March
2024). Where an attribute was renamed from one to the other, that of v3.0 stands in
both. Fields that are filled in on publication (ID, dates of update and archiving)
and the annex are left out. Descriptions are not the standard's.
"""

from __future__ import annotations

from dataclasses import dataclass

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError


@dataclass(frozen=True)
class AtrsField:
    """
    One field of a record.

    Attributes
    ----------
    number
        As the standard numbers it.
    key
        Its attribute in the standard.
    name
        As it stands over the answer.
    needed
        Whether a record is incomplete without it.
    """

    number: str
    key: str
    name: str
    needed: bool = True


def _section(*rows: tuple[str, str, str] | tuple[str, str, str, bool]) -> tuple[AtrsField, ...]:
    return tuple(AtrsField(*row) for row in rows)


_OWNER = _section(
    ("2.1.2", "team", "Team"),
    ("2.1.3", "senior_responsible_owner", "Senior responsible owner"),
    ("2.1.4", "external_supplier_involvement", "External supplier involvement"),
    ("2.1.4.1", "external_supplier", "External supplier", False),
    ("2.1.4.2", "companies_house_number", "Companies House number", False),
    ("2.1.4.3", "external_supplier_role", "External supplier role", False),
    ("2.1.4.4", "procurement_procedure_type", "Procurement procedure type", False),
    ("2.1.4.5", "data_access_terms", "Terms of access to data for the supplier", False),
)
_RATIONALE = _section(
    ("2.2.1", "detailed_description", "Detailed description", False),
    ("2.2.2", "scope", "Scope"),
    ("2.2.3", "benefit", "Benefit"),
    ("2.2.4", "previous_process", "Previous process", False),
    ("2.2.5", "alternatives_considered", "Alternatives considered", False),
)

TEMPLATES: dict[str, dict[str, tuple[AtrsField, ...]]] = {
    "2.1": {
        "Metadata and title information": _section(
            ("0.2", "standard_version", "Standard version"),
            ("0.3", "date_of_completion", "Date of completion"),
            ("0.6", "title", "Title"),
            ("0.7", "organisation_name", "Organisation name"),
            ("0.8", "phase", "Phase"),
            ("0.9", "one_sentence_description", "One sentence description"),
        ),
        "Tier 1: overview": _section(
            ("1.1", "name", "Name"),
            ("1.2", "description", "Description"),
            ("1.3", "website_url", "URL of the website", False),
            ("1.4", "contact_email", "Contact email"),
        ),
        "Tier 2: owner and responsibility": (
            AtrsField("2.1.1", "organisation_or_department", "Organisation/ department"),
            *_OWNER,
        ),
        "Tier 2: detailed description and rationale": _RATIONALE,
        "Tier 2: decision-making process": _section(
            ("2.3.1", "process_integration", "Process integration"),
            ("2.3.2", "provided_information", "Provided information"),
            ("2.3.3", "human_decisions_and_review", "Human decisions and review"),
            ("2.3.4", "required_training", "Required training"),
            ("2.3.5", "appeals_and_review", "Appeals and review", False),
        ),
        "Tier 2: technical specification and data": _section(
            ("2.4.1", "model_architecture", "Method"),
            ("2.4.2", "frequency_and_scale_of_usage", "Frequency and scale of usage"),
            ("2.4.3", "phase", "Phase"),
            ("2.4.4", "maintenance", "Maintenance"),
            ("2.4.5", "model_performance", "Model performance"),
            ("2.4.6", "system_architecture", "System architecture", False),
            ("2.4.7", "source_data_name", "Source data name"),
            ("2.4.8", "data_description", "Source data"),
            ("2.4.9", "source_data_url", "Source data URL", False),
            ("2.4.10", "data_collection", "Data collection"),
            ("2.4.11", "data_cleaning", "Data cleaning", False),
            (
                "2.4.12",
                "data_completeness_and_representativeness",
                "Data completeness and representativeness",
            ),
            ("2.4.13", "data_sharing_agreements", "Data sharing agreements"),
            ("2.4.14", "data_access_and_storage", "Data access and storage"),
        ),
        "Tier 2: risks, mitigations and impact assessments": _section(
            ("2.5.1", "impact_assessment", "Impact assessments"),
            ("2.5.2", "risks_and_mitigations", "Risks"),
        ),
    },
    "3.0": {
        "Metadata and title information": _section(
            ("0.2", "standard_version", "Standard version"),
            ("0.3", "organisation_type", "Organisation type"),
            ("0.4", "function", "Function"),
            ("0.5", "capability", "Capability"),
            ("0.6", "task", "Task"),
            ("0.7", "tags", "Tags"),
            ("0.8", "date_of_completion", "Date of completion"),
            ("0.11", "title", "Title"),
            ("0.12", "organisation_name", "Organisation name"),
            ("0.13", "phase", "Phase"),
            ("0.14", "region", "Region"),
            ("0.15", "one_sentence_description", "One sentence description"),
        ),
        "Tier 1 information": _section(
            ("1.1", "name", "Name"),
            ("1.2", "description", "Description"),
            ("1.3", "website_url", "Website URL"),
            ("1.4", "contact_email", "Contact email"),
        ),
        "Tier 2: owner and responsibility": (
            AtrsField("2.1.1", "organisation_or_department", "Organisation or department"),
            *_OWNER,
        ),
        "Tier 2: description and rationale": _RATIONALE,
        "Tier 2: decision-making process": _section(
            ("2.3.1", "process_integration", "Process integration"),
            ("2.3.2", "provided_information", "Provided information"),
            ("2.3.3", "frequency_and_scale_of_usage", "Frequency and scale of usage"),
            ("2.3.4", "human_decisions_and_review", "Human decisions and review"),
            ("2.3.5", "required_training", "Required training"),
            ("2.3.6", "appeals_and_review", "Appeals and review", False),
        ),
        "Tier 2: tool specification": _section(
            ("2.4.1.1", "system_architecture", "System architecture"),
            ("2.4.1.2", "phase", "Phase"),
            ("2.4.1.3", "maintenance", "Maintenance"),
            ("2.4.1.4", "models", "Models"),
        ),
        "Tier 2: model specification": _section(
            ("2.4.2.1", "model_name", "Model name"),
            ("2.4.2.2", "model_version", "Model version"),
            ("2.4.2.3", "model_task", "Model task"),
            ("2.4.2.4", "model_input", "Model input"),
            ("2.4.2.5", "model_output", "Model output"),
            ("2.4.2.6", "model_architecture", "Model architecture"),
            ("2.4.2.7", "model_performance", "Model performance"),
            ("2.4.2.8", "datasets", "Datasets"),
            ("2.4.2.9", "dataset_purposes", "Dataset purposes"),
        ),
        "Tier 2: data specification": _section(
            ("2.4.3.1", "source_data_name", "Source data name"),
            ("2.4.3.2", "data_modality", "Data modality"),
            ("2.4.3.3", "data_description", "Data description"),
            ("2.4.3.4", "data_quantities", "Data quantities"),
            ("2.4.3.5", "sensitive_attributes", "Sensitive attributes"),
            (
                "2.4.3.6",
                "data_completeness_and_representativeness",
                "Data completeness and representativeness",
            ),
            ("2.4.3.7", "source_data_url", "Source data URL"),
            ("2.4.3.8", "data_collection", "Data collection"),
            ("2.4.3.9", "data_cleaning", "Data cleaning", False),
            ("2.4.3.10", "data_sharing_agreements", "Data sharing agreements"),
            ("2.4.3.11", "data_access_and_storage", "Data access and storage"),
        ),
        "Tier 2: risks, mitigations and impact assessments": _section(
            ("2.5.1", "impact_assessment", "Impact assessment"),
            ("2.5.2", "risks_and_mitigations", "Risks and mitigations"),
        ),
    },
}
"""Sections and their fields, by version of the standard."""


def template_of(version: str) -> dict[str, tuple[AtrsField, ...]]:
    """
    Return the sections of a version of the standard.

    Raises
    ------
    InputError
        If there is no template of that version.

    Examples
    --------
    >>> template_of("3.0")["Tier 1 information"][0].name
    'Name'
    """
    if version not in TEMPLATES:
        msg = f"There is no template of version {version!r}. There are: {listed(list(TEMPLATES))}."
        raise InputError(msg)
    return TEMPLATES[version]
