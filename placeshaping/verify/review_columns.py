"""Which columns a file may have that declares a ward review."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from placeshaping.verify.contents import Table

ELECTORS = ("electors_now", "electors_forecast")
"""Columns of electors."""

REVIEW_TABLE = re.compile(r"units|present_wards|proposal_[a-z]")
"""Names of the tables of a layer file."""

_SCORES = {
    "over_forecast", "over_now", "largest_forecast", "largest_now", "detached", "doughnuts",
    "split_parish", "split_parish_ward", "split_polling_district", "split_community", "cut_edges",
    "faults", "warnings", "distance", "other",
}  # fmt: skip
_WARDS = {
    "fid", "geom", "geometry", "area_code", "area_name", "id", "name", "version", "councillors",
    "proposal", "wards", "kind", "units", "parts", "doughnut", "compactness", "standing", "status",
    "decile", "parish", "parish_ward", "polling_district", "community", "variance_now",
    "variance_forecast", *ELECTORS,
}  # fmt: skip


def is_review(declaration: Mapping[str, Any] | None) -> bool:
    """
    Tell whether a file declares to hold a ward review.

    Examples
    --------
    >>> is_review({"item": "review"}), is_review(None)
    (True, False)
    """
    return (declaration or {}).get("item") == "review"


def review_columns(declaration: Mapping[str, Any] | None, tables: Iterable[Table]) -> set[str]:
    """
    Return the columns that a file of a ward review may have; none for another file.

    Wards of the units under a proposal stand in columns whose names begin with
    "proposal_" or "present_", and hold letters and numbers of wards alone.

    Examples
    --------
    >>> sorted(review_columns({"item": "records"}, []))
    []
    """
    if not is_review(declaration):
        return set()
    proposals = {
        str(column)
        for table in tables
        for column in table.frame
        if REVIEW_TABLE.fullmatch(str(column)) and _holds_wards(table, column)
    }
    return _SCORES | _WARDS | proposals


def _holds_wards(table: Table, column: object) -> bool:
    values = table.frame[column]
    return values.ndim == 1 and bool(values.dropna().astype(str).str.fullmatch(r"W\d{1,3}").all())
