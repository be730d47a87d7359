"""
Fields of the UK Algorithmic Transparency Recording Standard, by version of the standard.

Tier 1 and section 2.1 were compared with version 2.1 of the standard; the numbers
of sections 2.2 to 2.5 could not be, and are to be compared before a record is
sent. Descriptions are not the standard's: only numbers and names stand here.
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


TEMPLATES: dict[str, dict[str, tuple[AtrsField, ...]]] = {
    "2.1": {
        "Tier 1: overview": _section(
            ("1.1", "name", "Name"),
            ("1.2", "description", "Description"),
            ("1.3", "website", "URL of the website", False),
            ("1.4", "contact_email", "Contact email"),
        ),
        "Tier 2: owner and responsibility": _section(
            ("2.1.1", "organisation", "Organisation or department"),
            ("2.1.2", "team", "Team"),
            ("2.1.3", "senior_responsible_owner", "Senior responsible owner"),
            ("2.1.4", "external_supplier", "External supplier involvement"),
        ),
        "Tier 2: description and rationale": _section(
            ("2.2.1", "detailed_description", "Detailed description"),
            ("2.2.2", "scope", "Scope"),
            ("2.2.3", "benefit", "Benefit"),
            ("2.2.4", "previous_process", "Previous process", False),
            ("2.2.5", "alternatives", "Alternatives considered", False),
        ),
        "Tier 2: decision-making process": _section(
            ("2.3.1", "process_integration", "Process integration"),
            ("2.3.2", "provided_information", "Provided information"),
            ("2.3.3", "frequency_and_scale", "Frequency and scale of usage"),
            ("2.3.4", "human_decisions", "Human decisions and review"),
            ("2.3.5", "training", "Required training"),
            ("2.3.6", "appeals", "Appeals and review"),
        ),
        "Tier 2: tool specification": _section(
            ("2.4.1.1", "system_architecture", "System architecture"),
            ("2.4.1.2", "phase", "Phase"),
            ("2.4.1.3", "maintenance", "Maintenance"),
            ("2.4.1.4", "models", "Models"),
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
            ("2.4.3.6", "data_completeness", "Data completeness and representativeness"),
            ("2.4.3.7", "data_url", "Source data URL", False),
            ("2.4.3.8", "data_collection", "Data collection"),
            ("2.4.3.9", "data_cleaning", "Data cleaning"),
            ("2.4.3.10", "data_sharing", "Data sharing agreements", False),
            ("2.4.3.11", "data_access", "Data access and storage"),
        ),
        "Tier 2: risks, mitigations and impact assessments": _section(
            ("2.5.1", "impact_assessments", "Impact assessments"),
            ("2.5.2", "risks", "Risks and mitigations"),
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
    >>> template_of("2.1")["Tier 1: overview"][0].name
    'Name'
    """
    if version not in TEMPLATES:
        msg = f"There is no template of version {version!r}. There are: {listed(list(TEMPLATES))}."
        raise InputError(msg)
    return TEMPLATES[version]
