"""
Labels of areas: how the result of any method that sorts areas into classes is carried.

A hot-spot category, a quadrant, a cluster or a class of likelihood is a word
for an area. `label_areas` takes what a method returned, `Study.with_labels`
carries it, and `disclosure.release` protects it: the words may leave where the
area's number may, the scores behind them only where a policy lets numbers out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError

Tone = Literal["hot", "cold", "none", "other", "step"]
"""Above or below what was expected, neither, of another kind, or one of a sequence of steps."""

MOST_LABELS = 20
"""Classes that labels may have."""

_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*")
_VALUE = re.compile(r"[a-z]+(?:_[a-z]+)*(?:_9[059])?")
_TAKEN = {
    "area", "area_code", "area_name", "both", "category", "class", "cluster", "count", "decile",
    "hotspots", "level", "lower", "members", "period", "rank", "rate", "status", "upper",
}  # fmt: skip


@dataclass(frozen=True)
class LabelClass:
    """
    One class of areas, in the words of the legend.

    Attributes
    ----------
    value
        As it stands in tables: ``"new_hot_spot"``.
    label
        In plain words: ``"New hot spot"``.
    meaning
        What that means, in a sentence.
    tone
        What the palette follows.
    mark
        One to three characters for the map and the key; nothing relies on
        colour alone.
    """

    value: str
    label: str
    meaning: str
    tone: Tone
    mark: str


@dataclass(frozen=True)
class LabelScheme:
    """
    What a layer of labels is called, and what its classes mean.

    Attributes
    ----------
    name
        Column of tables and name in the page's address: ``"emerging"``.
    title
        Of the layer: ``"Emerging hot spots"``.
    button
        In a word or two.
    about
        What is compared with what, in a sentence for the legend.
    method
        Name, source and parameters of the method, in a sentence.
    classes
        In the order of the legend.
    cautions
        What a reader must know, in sentences.
    of_protected
        Whether they were worked out from numbers that were protected before,
        and not from those as they were.
    """

    name: str
    title: str
    button: str
    about: str
    method: str
    classes: tuple[LabelClass, ...]
    cautions: tuple[str, ...] = ()
    of_protected: bool = False

    def __post_init__(self) -> None:
        """Refuse names that a table or a page has for something else."""
        if not _NAME.fullmatch(self.name) or self.name in _TAKEN:
            msg = (
                f"A layer of labels cannot be named {self.name!r}: take lower-case letters and "
                "underscores, and no name of another column."
            )
            raise InputError(msg)
        values = [one.value for one in self.classes]
        odd = [value for value in values if not _VALUE.fullmatch(value)]
        if odd or len(set(values)) < len(values) or not 1 <= len(values) <= MOST_LABELS:
            msg = (
                f"{self.name}: there are from 1 to {MOST_LABELS} classes, each with a value of its "
                "own in lower-case letters and underscores; no number but a confidence (_95). "
                f"Given: {listed(values, most=MOST_LABELS)}."
            )
            raise InputError(msg)

    @property
    def values(self) -> tuple[str, ...]:
        """The values of its classes, in the order of the legend."""
        return tuple(one.value for one in self.classes)


@dataclass(frozen=True, repr=False)
class AreaLabels:
    """
    Labels of the areas of one or several levels; `label_areas` makes them.

    Attributes
    ----------
    scheme
        What they are called and mean.
    tables
        Level -> table indexed by area code: `label` (categorical, the values
        of the scheme), the scores behind it, and where the labels are of
        several views `category` and `period`.
    """

    scheme: LabelScheme
    tables: Mapping[str, pd.DataFrame]

    def __repr__(self) -> str:
        """Say in a line what it is."""
        return f"<AreaLabels {self.scheme.name!r} of {', '.join(self.tables)}; not protected>"

    def scores(self, level: str) -> tuple[str, ...]:
        """Return the columns of scores of a level."""
        table = self.tables[level]
        return tuple(str(name) for name, kind in table.dtypes.items() if kind.kind == "f")

    def lay_out(
        self,
        level: str,
        *,
        periods: Sequence[str],
        categories: Sequence[str],
        areas: pd.Index,
    ) -> pd.DataFrame:
        """
        Lay the labels of a level out in the order of a study's long table.

        Parameters
        ----------
        level
            One of `tables`.
        periods, categories
            Labels of the views, totals first. Labels without a period are of
            the first, those without a category of the first category.
        areas
            Codes of all areas of the level.

        Returns
        -------
        table
            One row for each period, category and area: a column named after
            the scheme, missing where there is no label, and one for each
            score, such as `emerging_z`.

        Raises
        ------
        UnmatchedError
            If areas, periods or categories are not those of the study.
        InputError
            If an area has two labels in one view.
        """
        table = self.tables[level]
        place = _positions(table, "period", periods, level)
        place = place * len(categories) + _positions(table, "category", categories, level)
        area = areas.get_indexer(table.index)
        if (lost := table.index[area < 0].unique()).size:
            msg = (
                f"{self.scheme.name}: {len(lost):,} areas are not of the level {level} "
                f"({listed(list(lost))}). Label the areas that the study has, after any merging."
            )
            raise UnmatchedError(msg)
        rows = place * len(areas) + area
        if len(np.unique(rows)) < len(rows):
            msg = f"{self.scheme.name}: an area of the level {level} has two labels in one view."
            raise InputError(msg)
        size = len(periods) * len(categories) * len(areas)
        codes = np.full(size, -1, dtype=np.int8)
        codes[rows] = table["label"].cat.codes
        found: dict[str, Any] = {
            self.scheme.name: pd.Categorical.from_codes(
                codes.tolist(), categories=pd.Index(self.scheme.values)
            )
        }
        for score in self.scores(level):
            numbers = np.full(size, np.nan)
            numbers[rows] = table[score]
            found[f"{self.scheme.name}_{score}"] = numbers
        return pd.DataFrame(found)


def label_areas(
    scheme: LabelScheme,
    results: Mapping[str, pd.DataFrame],
    *,
    column: str = "label",
) -> AreaLabels:
    """
    Take the labels out of what a method returned.

    Parameters
    ----------
    scheme
        What the labels are called and mean.
    results
        Level -> result, indexed by area code: a column of labels, scores,
        and, where it is of several views, columns `category` and `period`
        with the labels of a study's views.
    column
        The column of labels.

    Returns
    -------
    labels
        For `Study.with_labels`. Areas without a label are left out.

    Raises
    ------
    ColumnError
        If a result has no such column, or labels that the scheme lacks.

    Examples
    --------
    >>> kinds = (LabelClass("busy", "Busy", "Many visits.", "hot", "B"),)
    >>> scheme = LabelScheme("visits", "Visits", "Visits", "Visits a day.", "Counted.", kinds)
    >>> result = pd.DataFrame({"label": ["busy", None]}, index=["E01000001", "E01000002"])
    >>> label_areas(scheme, {"lsoa": result}).tables["lsoa"]["label"].tolist()
    ['busy']
    """
    tables = {}
    for level, result in results.items():
        check_columns(result.columns, [column], where=f"{scheme.name} of the level {level}")
        given = result[column]
        named = given[given.notna()].astype(str)
        unknown = sorted(set(named) - set(scheme.values))
        if unknown:
            msg = (
                f"{scheme.name}: {len(unknown)} labels are no class of it ({listed(unknown)}). It "
                f"has: {listed(list(scheme.values), most=MOST_LABELS)}."
            )
            raise ColumnError(msg)
        table = result.loc[given.notna().to_numpy()].drop(columns=column)
        words = pd.Categorical(named, categories=pd.Index(scheme.values))
        table.insert(0, "label", pd.Series(words, index=table.index))
        tables[level] = table.set_axis(table.index.astype(str))
    return AreaLabels(scheme, MappingProxyType(tables))


def _positions(
    table: pd.DataFrame, column: str, known: Sequence[str], level: str
) -> NDArray[np.intp]:
    """Return the position of each row's view; the first where the table tells none."""
    if column not in table:
        return np.zeros(len(table), dtype=np.intp)
    found = pd.Index(known).get_indexer(pd.Index(table[column].astype(str)))
    if (found < 0).any():
        strange = list(dict.fromkeys(table.loc[found < 0, column].astype(str)))
        msg = (
            f"Labels of the level {level} are of a {column} that is not shown ({listed(strange)}). "
            f"Shown are: {listed(list(known), most=20)}."
        )
        raise UnmatchedError(msg)
    return np.asarray(found, dtype=np.intp)
