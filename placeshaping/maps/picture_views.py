"""What a static picture shows: the class of each area, and the legend, as on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError
from placeshaping.disclosure.release import Release
from placeshaping.disclosure.tables import AreaTable
from placeshaping.hotspots.labels import LabelScheme
from placeshaping.maps.classes import assign_class
from placeshaping.maps.palettes import (
    CLUSTERS,
    HIDDEN_FILL,
    HIDDEN_HATCH,
    MISSING_FILL,
    NONE_FILL,
    label_styles,
    sequential,
)
from placeshaping.maps.payload import count_classes, rate_classes
from placeshaping.maps.words import finding, has_hot_spots, has_labels, words_of
from placeshaping.statistics.views import CategoryView, PeriodView

MEASURES = ("rate", "count", "hotspots", "decile")
"""What a picture can show, beside layers of labels by their names."""

_DECILES = ("1 and 2 (most deprived)", "3 and 4", "5 and 6", "7 and 8", "9 and 10 (least deprived)")
_DECILE_MARKS = ("1-2", "3-4", "5-6", "7-8", "9-10")


@dataclass(frozen=True)
class LegendEntry:
    """
    A class of areas: how it is drawn, what it is called, how many there are.

    Attributes
    ----------
    label
        In words.
    colour
        Ground, as ``#rrggbb``.
    areas
        How many areas there are of it.
    hatch
        Pattern of matplotlib over the ground; empty for none.
    hatch_colour
        Of the pattern.
    mark
        One to three characters that stand for the class where colour cannot.
    """

    label: str
    colour: str
    areas: int
    hatch: str = ""
    hatch_colour: str = HIDDEN_HATCH
    mark: str = ""


@dataclass(frozen=True)
class PictureView:
    """
    One view of a release, as a picture shows it.

    Attributes
    ----------
    title
        What, when and by which areas.
    lead
        A sentence that says what it shows; empty where none was written for
        this view.
    unit
        Of the legend.
    table
        The level that is shown.
    of
        For each area the position of its entry.
    entries
        The legend.
    marked
        Whether the map itself bears the marks, as those of classes of words.
    """

    title: str
    lead: str
    unit: str
    table: AreaTable
    of: NDArray[np.int64]
    entries: tuple[LegendEntry, ...]
    marked: bool = False


def picture_view(
    release: Release,
    *,
    level: str | None = None,
    period: str | None = None,
    category: str | None = None,
    measure: str | None = None,
) -> PictureView:
    """
    Choose a view of a release, and class its areas as the page does.

    Parameters
    ----------
    release
        Protected numbers.
    level, period, category
        Labels of the release; by default the finest level, the whole span and
        the first category.
    measure
        One of `MEASURES`, or the name of a layer of labels; by default the
        rate where it is known, else the count.

    Returns
    -------
    view
        Hidden and missing areas have entries of their own.

    Raises
    ------
    InputError
        If the release has no such level, period, category or measure.
    """
    table = release.tables[_chosen(level, release.levels, "level")]
    label = _chosen(period, [one.label for one in release.periods], "period")
    when = next(one for one in release.periods if one.label == label)
    name = _chosen(category, [one.label for one in release.categories], "category")
    what = next(one for one in release.categories if one.label == name)
    known = [*_known_measures(table, what), *_known_labels(release, table)]
    shown = _chosen(measure, known, "measure")
    status = table.view(period=label, category=name)["status"].astype(str).to_numpy()
    of, labels, colours, marks = _classed(release, table, when, what, shown)
    entries = [
        LegendEntry(text, colour, int((of == place).sum()), mark=mark)
        for place, (text, colour, mark) in enumerate(zip(labels, colours, marks, strict=True))
    ]
    scheme = next((one for one in release.labels if one.name == shown), None)
    if scheme is not None:  # only those classes that some area has
        full = [place for place, entry in enumerate(entries) if entry.areas]
        of = np.where(of < 0, -1, np.searchsorted(full, of))
        entries = [entries[place] for place in full]
    unknown = of < 0
    hidden = unknown & (status == "hidden")
    for where, text, colour, hatch in (
        (hidden, "Hidden to protect people", HIDDEN_FILL, "/////"),
        (unknown & ~hidden, "No data", MISSING_FILL, "..."),
    ):
        if where.any():
            of = np.where(where, len(entries), of)
            entries.append(LegendEntry(text, colour, int(where.sum()), hatch))
    first = (table.level, label, name) == (
        release.levels[0],
        release.periods[0].label,
        release.categories[0].label,
    )
    lead = finding(release)[0] if first and shown in ("rate", "count") else ""
    title, unit = _words(table, when, what, shown, scheme)
    marked = scheme is not None or shown == "hotspots"
    return PictureView(title, lead, unit, table, of, tuple(entries), marked)


def _chosen(wanted: str | None, known: Sequence[str], what: str) -> str:
    if wanted is None:
        return known[0]
    if wanted not in known:
        msg = f"The release has no {what} {wanted!r} to show. It has: {listed(known)}."
        raise InputError(msg)
    return wanted


def _known_measures(table: AreaTable, category: CategoryView) -> list[str]:
    can = {
        "rate": category.denominator is not None and category.denominator in table.areas,
        "hotspots": has_hot_spots(table),
        "count": True,
        "decile": "imd_decile" in table.areas,
    }
    return [one for one in MEASURES if can[one]]


def _known_labels(release: Release, table: AreaTable) -> list[str]:
    return [one.name for one in release.labels if has_labels(table, one.name)]


def _classed(
    release: Release, table: AreaTable, period: PeriodView, category: CategoryView, measure: str
) -> tuple[NDArray[np.int64], list[str], list[str], list[str]]:
    """Return the class of each area (-1 where none is known), and labels, colours and marks."""
    if measure == "decile":
        decile = table.areas["imd_decile"].to_numpy(dtype="float64", na_value=np.nan)
        of = np.where(np.isnan(decile), -1, (decile - 1) // 2).astype(np.int64)
        return of, list(_DECILES), list(sequential(5)[::-1]), list(_DECILE_MARKS)
    view = table.view(period=period.label, category=category.label)
    named = {one.name: one for one in release.labels}
    if measure == "hotspots" or measure in named:
        scheme = named.get(measure)
        styles = label_styles(scheme) if scheme else tuple(CLUSTERS.values())
        order = {style.value: place for place, style in enumerate(styles)}
        values = view[scheme.name if scheme else "cluster"].astype(object)
        codes = [-1 if pd.isna(value) else order.get(str(value), -1) for value in values]
        return (
            np.asarray(codes, dtype=np.int64),
            [style.label for style in styles],
            [style.colour for style in styles],
            [style.mark for style in styles],
        )
    numbers = view[measure].to_numpy(dtype="float64", na_value=np.nan)
    if measure == "rate":
        edges = rate_classes(release).get(category.label, [0.0, 1.0])
    else:
        both = count_classes(release)[table.level][category.label]
        edges = both[0 if period == release.periods[0] else 1]
    zeros = bool((numbers == 0).any())
    of = assign_class(numbers, edges)
    least = release.policy.threshold if measure == "count" else 0
    labels = _edge_labels(edges, zeros=zeros, least=least)
    colours = list(sequential(len(edges) - 1))
    marks = [str(place) for place in range(1, len(edges))]
    if zeros:
        of = np.where(numbers == 0, 0, np.where(of < 0, -1, of + 1))
        return of, ["None recorded", *labels], [NONE_FILL, *colours], ["0", *marks]
    return of, labels, colours, marks


def _edge_labels(edges: Sequence[float], *, zeros: bool, least: int) -> list[str]:
    texts = [f"{edge:,.6g}" for edge in edges]
    last = len(edges) - 2
    labels = [f"{texts[k]} to under {texts[k + 1]}" for k in range(last + 1)]
    labels[0] = f"{'Above 0 to under' if zeros else 'Under'} {texts[1]}"
    if 0 < least < edges[1]:
        labels[0] = f"{least:,} to under {texts[1]}"
    if last > 0:
        labels[last] = f"{texts[last]} or more"
    return labels


def _words(
    table: AreaTable,
    period: PeriodView,
    category: CategoryView,
    measure: str,
    scheme: LabelScheme | None,
) -> tuple[str, str]:
    """Write the title of a view and the unit of its legend."""
    one, what = words_of(table)[0], category.label
    inside = what if what[1:2].isupper() else what[:1].lower() + what[1:]
    if measure == "decile":
        return f"Index of Multiple Deprivation by {one}", "Tenths of all areas in England"
    if scheme is not None:
        of = "" if scheme.of_protected else f" of {inside}"
        return f"{scheme.title}{of}, {period.label}, by {one}", scheme.about
    if measure == "hotspots":
        unit = "Each area with those that touch it, compared with the whole map (Gi*)"
        return f"Hot spots of {inside}, {period.label}, by {one}", unit
    if measure == "rate":
        per = f"per 1,000 {category.denominator} a year"
        return f"{what} {per}, {period.label}, by {one}", f"Records {per}"
    return f"Number of records: {inside}, {period.label}, by {one}", "Number of records"
