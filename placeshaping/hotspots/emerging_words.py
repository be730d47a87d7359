"""Emerging hot spots in words, for people who are not statisticians."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.words import Names, name_areas, uncapitalised
from placeshaping.hotspots._categories import CATEGORIES

_HOT = "more records gather than chance would bring together"
_COLD = "fewer records gather than chance would leave"

_STORY = {
    "new": "In the latest step, for the first time, {there}; it may not last.",
    "consecutive": "In the last few steps without a break, and never before, {there}.",
    "intensifying": "Nearly always, and now, {there}, and this has grown stronger.",
    "persistent": "Nearly always, and now, {there}, with no sign of a change.",
    "diminishing": "Nearly always, and now, {there}, but this has grown weaker.",
    "sporadic": "Now, and on and off before, {there}.",
    "oscillating": "Now {there}; earlier it was at times the other way round.",
    "historical": "Nearly always {there}, but not in the latest step.",
}

SENTENCES: dict[str, str] = {
    **{
        f"{shape}_{sign}": story.format(there=there)
        for sign, there in (("hot", _HOT), ("cold", _COLD))
        for shape, story in _STORY.items()
    },
    "no_pattern": "Records here show none of these patterns.",
}
"""Category -> what it says, in one sentence."""

_NAMED = 5


def emerging_summary(result: pd.DataFrame) -> pd.DataFrame:
    """
    Count the areas of each category, with one plain sentence of what it means.

    Parameters
    ----------
    result
        From `emerging_hotspots`.

    Returns
    -------
    summary
        Indexed by ``category``, all of `CATEGORIES` in their order:
        ``areas``, ``share`` (of the areas that have a category), ``sentence``.

    Raises
    ------
    ColumnError
        If `result` has no column ``category``.

    Examples
    --------
    >>> labels = pd.Categorical(["new_hot", "no_pattern"], categories=CATEGORIES)
    >>> emerging_summary(pd.DataFrame({"category": labels})).at["new_hot", "sentence"]
    'In the latest step, for the first time, more records gather than chance would bring ...'
    """
    check_columns(result.columns, ["category"], where="result")
    areas = result["category"].value_counts().reindex(pd.Index(CATEGORIES), fill_value=0)
    summary = pd.DataFrame(
        {
            "areas": areas.astype("int64"),
            "share": areas / max(int(areas.sum()), 1),
            "sentence": [SENTENCES[name] for name in CATEGORIES],
        }
    )
    return summary.rename_axis("category")


def emerging_paragraph(
    result: pd.DataFrame, *, what: str = "records", names: Names | None = None
) -> str:
    """
    Write one paragraph of what was found, where, and how sure it is.

    Areas are named with what was found there and not judged. Of a category with
    many areas the ones with the highest (lowest) latest scores are named.

    Parameters
    ----------
    result
        From `emerging_hotspots`.
    what
        What was counted: ``"burglaries"``, ``"shoplifting"``.
    names
        Area code -> name; codes stand where there is none.

    Returns
    -------
    paragraph
        Plain sentences.

    Raises
    ------
    ColumnError
        If `result` lacks a column.

    Examples
    --------
    >>> labels = pd.Categorical(["new_hot", "no_pattern"], categories=CATEGORIES)
    >>> result = pd.DataFrame({"category": labels, "gi_star": [4.0, 0.1]}, index=["a", "b"])
    >>> print(emerging_paragraph(result, names={"a": "Marsh 001A"}))
    Of 2 areas, 1 is a hot spot of records, of whatever kind, and none is a cold spot. New ...
    """
    check_columns(result.columns, ["category", "gi_star"], where="result")
    summary = emerging_summary(result)["areas"]
    hot, cold = (int(summary[summary.index.str.endswith(end)].sum()) for end in ("_hot", "_cold"))
    total = int(summary.sum())
    lead = (
        f"Of {total:,} areas, {_counted(hot, 'hot')} of {uncapitalised(what)}, of whatever kind, "
        f"and {_counted(cold, 'cold')}."
    )
    return " ".join([lead, *_by_category(result, names), *_sure(result)])


def _counted(many: int, kind: str) -> str:
    if many == 0:
        return f"none is a {kind} spot"
    return f"1 is a {kind} spot" if many == 1 else f"{many:,} are {kind} spots"


def _by_category(result: pd.DataFrame, names: Names | None) -> Iterator[str]:
    for name in CATEGORIES[:-1]:
        chosen = result.loc[result["category"] == name, "gi_star"]
        if chosen.empty:
            continue
        shape, sign = name.split("_")
        ordered = chosen.sort_values(ascending=sign == "cold", kind="stable").index
        listing = listed(name_areas(ordered, names), most=_NAMED)
        many = "spot" if len(ordered) == 1 else "spots"
        yield f"{shape.capitalize()} {sign} {many}: {listing}. {SENTENCES[name]}"


def _sure(result: pd.DataFrame) -> Iterator[str]:
    if result.attrs.get("correction", "fdr") == "fdr":
        yield (
            "So many areas and steps were tested at once that some would stand out by chance: "
            "that is allowed for, but a single step may still be a false alarm."
        )
    if gaps := len(result.attrs.get("missing_steps", ())):
        missing = "1 step is" if gaps == 1 else f"{gaps:,} steps are"
        yield f"{missing} missing in the records and counted nowhere."
