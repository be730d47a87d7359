"""What a map of hot spots shows, in one paragraph for readers who are not statisticians."""

from __future__ import annotations

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import InputError
from placeshaping._core.words import Names, in_plural, name_areas
from placeshaping.hotspots.getis import CLUSTERS
from placeshaping.hotspots.local_moran import QUADRANTS


def describe_clusters(
    result: pd.DataFrame,
    *,
    what: str = "records",
    units: str = "areas",
    names: Names | None = None,
    most: int = 5,
) -> str:
    """
    Say in one paragraph what Gi* or local Moran found.

    Parameters
    ----------
    result
        From `getis_ord`, `local_moran` or `optimised_hotspots`, one series of
        it; with a column ``count`` the share of the records is told too.
    what
        What was counted: "burglaries", "shoplifting".
    units
        What the areas are, in the plural: "cells".
    names
        Area code -> name; codes stand where there is none.
    most
        How many areas to name, those with the most records (without a column
        ``count``: the highest scores) first; 0 for none.

    Returns
    -------
    paragraph
        Plain text.

    Raises
    ------
    ColumnError
        If `result` has no column ``cluster``.
    InputError
        If it holds several series, or labels of another method.

    Examples
    --------
    >>> labels = pd.Categorical(["hot_99", "none", "none"], list(CLUSTERS))
    >>> scores = pd.DataFrame({"gi_star": [4.0, 0.1, -1.0], "cluster": labels}, index=list("abc"))
    >>> print(describe_clusters(scores, what="burglaries"))
    In 1 of 3 areas, with those around it, there are more burglaries than chance would bring
    together: a. ...
    """
    check_columns(result.columns, ["cluster"], where="result")
    if "series" in result and len(result["series"].unique()) > 1:
        msg = "result holds several series. Describe one: result[result['series'] == ...]."
        raise InputError(msg)
    what = in_plural(what)
    kinds = tuple(result["cluster"].cat.categories)
    known = result[result["cluster"].notna()]
    if kinds == CLUSTERS:
        sentences = _of_getis(known, what, units, names, most)
    elif kinds == QUADRANTS:
        sentences = _of_moran(known, what, units, names, most)
    else:
        msg = f"The labels {listed(kinds)} are of another method, which has its own sentences."
        raise InputError(msg)
    if len(known) < len(result):
        lost = len(result) - len(known)
        sentences.append(f"{lost:,} of {len(result):,} {units} could not be judged.")
    return " ".join(sentences)


def _of_getis(
    known: pd.DataFrame, what: str, units: str, names: Names | None, most: int
) -> list[str]:
    label = known["cluster"].astype(str)
    hot = known[label.str.startswith("hot")]
    hot = hot.sort_values("count" if "count" in hot else "gi_star", ascending=False, kind="stable")
    cold = int(label.str.startswith("cold").sum())
    if hot.empty:
        first = (
            f"In none of {len(known):,} {units} are there more {what} than chance would bring "
            "together."
        )
        sentences = [first]
    else:
        around = "it" if len(hot) == 1 else "them"
        sentences = [
            f"In {len(hot):,} of {len(known):,} {units}, with those around {around}, there are "
            f"more {what} than chance would bring together{_named(hot, names, most)}.",
            *_share(hot, known, what),
        ]
    if cold:
        sentences.append(f"In {cold:,} there are fewer than chance would leave.")
    return [*sentences, _sure(len(hot) + cold, units)]


def _of_moran(
    known: pd.DataFrame, what: str, units: str, names: Names | None, most: int
) -> list[str]:
    parts = (
        ("high_high", f"have many {what}, as have the {units} around them"),
        ("low_low", f"have few {what}, as have the {units} around them"),
        ("high_low", f"have many {what} among {units} with few"),
        ("low_high", f"have few {what} among {units} with many"),
    )
    sentences = []
    found = 0
    for label, words in parts:
        areas = known[known["cluster"] == label].sort_values("z_score", key=abs, ascending=False)
        found += len(areas)
        if len(areas):
            told = f"{len(areas):,} of {len(known):,} {units} {words}{_named(areas, names, most)}."
            sentences.append(told)
    if not found:
        sentences.append(
            f"None of {len(known):,} {units} stands out from chance in its {what} and those "
            "around it."
        )
    return [*sentences, _sure(found, units)]


def _named(areas: pd.DataFrame, names: Names | None, most: int) -> str:
    """Return a colon and the names; nothing where none are wanted."""
    if not most:
        return ""
    return f": {listed(name_areas(areas.index, names), most=most)}"


def _share(hot: pd.DataFrame, known: pd.DataFrame, what: str) -> list[str]:
    total = known["count"].sum() if "count" in known else 0
    if not total:
        return []
    held = hot["count"].sum()
    sentences = [f"They hold {held:,.0f} of {total:,.0f} {what} ({held / total:.0%})."]
    quiet = int((hot["count"] < known["count"].mean()).sum())
    if quiet:
        has, they_are, them = ("has", "it is", "it") if quiet == 1 else ("have", "they are", "them")
        sentences.append(
            f"{quiet:,} of them {has} fewer than average: {they_are} named for what lies beside "
            f"{them}."
        )
    return sentences


def _sure(found: int, units: str) -> str:
    if not found:
        return "That does not mean that none exist: few records hide much."
    return (
        f"About one in twenty {units} named on such maps is there by chance. The map says where, "
        "not why, and nothing about the people who live there."
    )
