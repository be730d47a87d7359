"""
Tables by area as labels for the map: change, funnels, and what drives a change.

Their numbers stand in no release; their classes do, where the area's own number
may be shown: `Study.with_labels` takes what these functions return.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import InputError
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, Tone, label_areas
from placeshaping.statistics.change import CHANGES
from placeshaping.statistics.funnel import FUNNEL

_CHANGE: tuple[tuple[str, str, str, Tone, str], ...] = (
    ("down_99", "Fell clearly", "Fell by more than chance explains: 1 in 100 such is wrong.",
     "cold", "\u2212\u2212"),
    ("down_95", "Fell", "Fell by more than chance explains: 5 in 100 such are wrong.",
     "cold", "\u2212"),
    ("none", "No clear change", "Chance alone explains the difference.", "none", "·"),
    ("up_95", "Rose", "Rose by more than chance explains: 5 in 100 such are wrong.", "hot", "+"),
    ("up_99", "Rose clearly", "Rose by more than chance explains: 1 in 100 such is wrong.",
     "hot", "++"),
)  # fmt: skip
_FUNNEL: tuple[tuple[str, str, str, Tone, str], ...] = (
    ("far_below", "Far below", "Below what chance does to an area of its size in 499 of 500 cases.",
     "cold", "\u2212\u2212"),
    ("below", "Below", "Below what chance does to an area of its size in 19 of 20 cases.",
     "cold", "\u2212"),
    ("within", "As expected", "Within what chance does to an area of its size.", "none", "·"),
    ("above", "Above", "Above what chance does to an area of its size in 19 of 20 cases.",
     "hot", "+"),
    ("far_above", "Far above", "Above what chance does to an area of its size in 499 of 500 cases.",
     "hot", "++"),
)  # fmt: skip
_DRIVERS: tuple[tuple[str, str, str, Tone, str], ...] = (
    ("drives", "Drives the change", "Among the areas that alone account for the change of the "
     "whole.", "hot", "D"),
    ("follows", "Changed too", "Changed the same way, and others made up for it.", "other", "F"),
    ("other", "Did not", "Did not change that way.", "none", "·"),
)  # fmt: skip

_TARGET = re.compile(r" about [\d.,e+]+ per [\d,]+")
"""The rate of all areas, which with their people gives the number of records."""


def label_change(
    results: Mapping[str, pd.DataFrame], *, before: str = "before", after: str = "after"
) -> AreaLabels:
    """
    Make labels of what changed between two periods.

    Parameters
    ----------
    results
        Level -> table from `change_between`, by area code.
    before, after
        The periods in words, for the legend.

    Returns
    -------
    labels
        For `Study.with_labels`, with the ratio and the q-value as scores.

    Raises
    ------
    ColumnError
        If a table is none of `change_between`.
    InputError
        If there is no table, or tables were made by unlike methods.

    Examples
    --------
    >>> from placeshaping.statistics.change import change_between
    >>> areas = pd.Index(["a", "b"], name="area_code")
    >>> table = change_between(pd.Series([50, 8], areas), pd.Series([90, 6], areas))
    >>> label_change({"lsoa": table}).tables["lsoa"]["label"].tolist()
    ['up_99', 'none']
    """
    method, cautions = _said(results, "change_between", ("change", "ratio", "q_value"))
    scheme = LabelScheme(
        name="change",
        title=f"Change from {before} to {after}",
        button="Change",
        about=f"Whether each area's records changed from {before} to {after} by more than chance "
        "explains, with so many areas looked at.",
        method=method,
        classes=_classes(_CHANGE),
        cautions=cautions,
    )
    known = dict(zip(CHANGES, CHANGES, strict=True))
    return label_areas(
        scheme,
        {
            level: _labelled(table, "change", known, ("ratio", "q_value"))
            for level, table in results.items()
        },
    )


def label_funnel(results: Mapping[str, pd.DataFrame], *, what: str = "rate") -> AreaLabels:
    """
    Make labels of where areas lie in a funnel.

    Parameters
    ----------
    results
        Level -> table from `funnel_limits`, by area code.
    what
        What the rate is of, for the legend.

    Returns
    -------
    labels
        For `Study.with_labels`, with the z-score as a score.

    Raises
    ------
    ColumnError
        If a table is none of `funnel_limits`.
    InputError
        If there is no table, or tables were made by unlike methods.

    Examples
    --------
    >>> from placeshaping.statistics.funnel import funnel_limits
    >>> counts = pd.Series([12, 30, 9, 11], index=list("abcd"))
    >>> table = funnel_limits(counts, pd.Series([1000, 1100, 900, 1050], index=list("abcd")))
    >>> label_funnel({"lsoa": table}).tables["lsoa"]["label"].tolist()
    ['within', 'above', 'within', 'within']
    """
    method, cautions = _said(results, "funnel_limits", ("funnel", "z_score"))
    scheme = LabelScheme(
        name="funnel",
        title=f"Beyond chance: {what}",
        button="Beyond chance",
        about=f"The {what} of each area beside what chance does to an area of its size. Being "
        "outside says that something differs, and not what or whose doing it is.",
        method=method,
        classes=_classes(_FUNNEL),
        cautions=cautions,
    )
    known = dict(zip(FUNNEL, scheme.values, strict=True))
    return label_areas(
        scheme,
        {
            level: _labelled(table, "funnel", known, ("z_score",))
            for level, table in results.items()
        },
    )


def label_dispersion(results: Mapping[str, pd.DataFrame]) -> AreaLabels:
    """
    Make labels of the areas that drive a change.

    Parameters
    ----------
    results
        Level -> table from `change_dispersion`, by area code.

    Returns
    -------
    labels
        For `Study.with_labels`.

    Raises
    ------
    ColumnError
        If a table is none of `change_dispersion`.
    InputError
        If there is no table, or tables were made by unlike methods.

    Examples
    --------
    >>> from placeshaping.statistics.dispersion import change_dispersion
    >>> areas = list("abcd")
    >>> before, after = pd.Series([10, 20, 30, 5], areas), pd.Series([40, 25, 20, 9], areas)
    >>> labels = label_dispersion({"lsoa": change_dispersion(before, after)})
    >>> labels.tables["lsoa"]["label"].tolist()
    ['drives', 'follows', 'other', 'follows']
    """
    method, cautions = _said(results, "change_dispersion", ("contributes", "difference"))
    scheme = LabelScheme(
        name="drivers",
        title="What drives the change",
        button="Drivers",
        about="The areas that rose (or fell) most, until the whole no longer would have; chance "
        "makes some areas rise in any period.",
        method=method,
        classes=_classes(_DRIVERS),
        cautions=cautions,
    )
    return label_areas(scheme, {level: _driving(table) for level, table in results.items()})


def _driving(table: pd.DataFrame) -> pd.DataFrame:
    rise = table.attrs.get("direction", "increase") == "increase"
    same_way = table["difference"] > 0 if rise else table["difference"] < 0
    label = np.where(table["contributes"], "drives", np.where(same_way, "follows", "other"))
    return pd.DataFrame({"label": label}, index=table.index)


def _said(
    results: Mapping[str, pd.DataFrame], made_by: str, columns: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """Return method and cautions, the same for all levels."""
    if not results:
        msg = f"Give a table of {made_by} by level, as {{'lsoa': table}}."
        raise InputError(msg)
    for level, table in results.items():
        check_columns(table.columns, columns, where=f"the table of the level {level}")
    methods = list(
        dict.fromkeys(
            _TARGET.sub("", str(table.attrs.get("method", ""))) for table in results.values()
        )
    )
    if len(methods) > 1:
        msg = f"The tables of {made_by} were made by unlike methods: {listed(methods)}."
        raise InputError(msg)
    told = [
        caution if len(results) == 1 else f"{level}: {caution}"
        for level, table in results.items()
        for caution in table.attrs.get("cautions", ())
    ]
    return methods[0], tuple(told)


def _classes(rows: tuple[tuple[str, str, str, Tone, str], ...]) -> tuple[LabelClass, ...]:
    return tuple(LabelClass(*row) for row in rows)


def _labelled(
    table: pd.DataFrame, column: str, known: Mapping[str, str], scores: tuple[str, ...]
) -> pd.DataFrame:
    words = table[column].astype(object).map(known, na_action="ignore")
    return pd.DataFrame({"label": words, **{name: table[name] for name in scores}})
