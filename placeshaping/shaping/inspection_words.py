"""What an inspection list holds, in words that name no property."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from placeshaping._core.checks import check_result

COUNTED = {
    "visits_before": "visits before",
    "found_before": "findings before",
    "days_since_visit": "days since the last visit",
    "complaints_year": "complaints in the last year",
    "complaints": "complaints in all",
}
"""Words for the features that are counted from the record."""


def feature_words(name: str) -> str:
    """
    Say what a feature is, as a reader would.

    Parameters
    ----------
    name
        Column of the table of cases.

    Returns
    -------
    words
        For pages and lists.

    Examples
    --------
    >>> feature_words("complaints_year"), feature_words("last_sold")
    ('complaints in the last year', 'last sold')
    """
    return COUNTED.get(name, name.replace("_", " "))


def describe_inspections(made: pd.DataFrame) -> str:
    """
    Say in a paragraph what a list holds; it names no property.

    Parameters
    ----------
    made
        From `make_inspection_list`.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Raises
    ------
    InputError
        If the table is not one of `make_inspection_list`.

    Examples
    --------
    >>> made = pd.DataFrame({"chosen_by": ["rank", "lot"], "chance": [0.5, 0.1]}, ["a", "b"])
    >>> made.attrs = {"by": "model", "properties": 9, "tagged": {}}
    >>> print(describe_inspections(made))
    2 of 9 properties are listed: 1 in order by the model, and 1 drawn by lot among all. ...
    """
    check_result(
        made,
        made_by="make_inspection_list",
        columns=["chosen_by", "chance"],
        facts=["by", "properties", "tagged"],
    )
    return " ".join(_told(made))


def _told(made: pd.DataFrame) -> Iterator[str]:
    ranked = made[made["chosen_by"].eq("rank")]
    lot = len(made) - len(ranked)
    by = made.attrs["by"]
    order = "by the model" if by == "model" else f"by the rule {by!r}"
    yield (
        f"{len(made):,} of {made.attrs['properties']:,} properties are listed: {len(ranked):,} in "
        f"order {order}, and {lot:,} drawn by lot among all."
    )
    if len(ranked):
        yield (
            f"Among those in order a finding is expected at {ranked['chance'].sum():,.0f} "
            f"({ranked['chance'].mean():.0%})."
        )
    if lot:
        yield "Visit those drawn by lot like the others: they alone show what the list overlooks."
    if made.attrs["tagged"]:
        told = [
            f"{feature_words(name)} ({tag.replace('_', ' ')})"
            for name, tag in made.attrs["tagged"].items()
        ]
        yield f"The chances rest among others on {', '.join(told)}."
    yield "A place on the list is a reason to look, and no finding."
