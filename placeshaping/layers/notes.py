"""What a product says in words, as keys and values."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from placeshaping.disclosure.classes import class_labels
from placeshaping.disclosure.facts import FACT_COLUMNS
from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import COUNT_EDGES
from placeshaping.hotspots.labels import LabelScheme

Note = tuple[str, str | int]

HOW_TO_READ = (
    "status: shown, hidden (too few to show, or hidden so that another cannot be worked out), or "
    "missing (not known). A count of 0 is a zero that is shown.",
    "count: records in the area, period and category, rounded as stated above.",
    "rate, lower, upper: per 1,000 of the denominator a year, worked out from the count that is "
    "shown, with its 95 % interval (Byar).",
    "rate_smoothed: the same rate drawn towards the average where it rests on few people "
    "(empirical Bayes).",
    "class: 1 to 5, of the number of records: " + "; ".join(class_labels(COUNT_EDGES)) + ".",
    "rank: 1 for the area with most records; areas with equal rounded numbers have the same rank.",
    "cluster: hot_99, hot_95, none, cold_95, cold_99: Gi* with the false discovery rate "
    "controlled; empty where it was not worked out.",
    "imd_decile: tenth of the Index of Multiple Deprivation, 1 = most deprived.",
)
"""What the columns mean."""


def notes_of(release: Release) -> list[Note]:
    """
    Return what a release says of itself, as keys and values.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    notes
        The title; the declaration, key by key; then sentences, under keys
        that may repeat. Only the declaration holds numbers.
    """
    rows = declaration_of(release)
    rows += [("subject", release.subject), ("purpose", release.purpose)]
    rows += [("statement", sentence) for sentence in release.statement]
    rows += [("note", sentence) for sentence in release.notes]
    rows += [("mind", sentence) for sentence in release.cautions]
    rows += [("not for", sentence) for sentence in release.not_for]
    rows += [
        ("denominator", f"{view.label}: {view.denominator or 'none, so no rate'}")
        for view in release.categories
        if not release.found
    ]
    rows.append(("hot spots of", release.hot_spots_of or ""))
    rows += [
        ("source", f"{source.role}: {source.name}, {source.checksum}") for source in release.sources
    ]
    rows.append(("contact", release.contact))
    columns = {str(name) for table in release.tables.values() for name in table.values}
    if release.found:
        rows += [("how to read", f"{k}: {v}.") for k, v in FACT_COLUMNS.items() if k in columns]
        rows.append(("how to read", HOW_TO_READ[-1]))
    else:
        rows += [("how to read", text) for text in HOW_TO_READ if _is_of(text, columns)]
    rows += [("how to read", f"{one.name}: {label_words(one)}") for one in release.labels]
    return [(key, value) for key, value in rows if value != ""]


def label_words(scheme: LabelScheme) -> str:
    """
    Say what the words in a column of labels mean.

    Parameters
    ----------
    scheme
        Of the labels.

    Returns
    -------
    words
        Title and classes; where a label is missing, the number is hidden, or
        none was worked out.
    """
    told = "; ".join(f"{one.value} is {one.label.lower()}" for one in scheme.classes)
    return f"{scheme.title}: {told}; empty where it is hidden or was not worked out"


def _is_of(text: str, columns: Collection[str]) -> bool:
    """Tell whether a sentence explains a column that there is, or none of the tables' own."""
    named = text.partition(":")[0].split(", ")[0]
    return named in columns or named not in ("count", "rate", "rate_smoothed", "class", "rank")


def declaration_of(release: Release) -> list[Note]:
    """
    Return the declaration of a release with its periods and categories, title first.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    notes
        Keys and values, as a checker reads them.
    """
    rows: list[Note] = [("title", release.title)]
    rows += [(k, _value(v)) for k, v in release.declaration.items() if k != "title"]
    return rows + views_of(release)


def views_of(release: Release) -> list[Note]:
    """
    Return the periods and categories of a release as JSON, so that its rates can be checked.

    Parameters
    ----------
    release
        What is published.

    Returns
    -------
    notes
        The keys `periods` and `categories`.
    """
    periods = [
        {
            "label": view.label,
            "first": f"{view.first:%Y-%m}",
            "last": f"{view.last:%Y-%m}",
            "months": view.months,
        }
        for view in release.periods
    ]
    categories = [
        {
            "label": view.label,
            "denominator": view.denominator,
            **({"parts": list(view.parts)} if len(view.parts) > 1 else {}),
        }
        for view in release.categories
    ]
    return [("periods", _value(periods)), ("categories", _value(categories))]


def _value(value: Any) -> str | int:
    """Return numbers as they are, everything else as text; lists as JSON."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, int):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
