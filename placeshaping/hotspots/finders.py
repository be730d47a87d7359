"""
Methods by name, for a study: emerging hot spots, local Moran, clusters, as labels of its areas.

Each is worked out over the whole span, for every category that the study shows,
at every level with at least 30 areas; clusters at the finest alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.progress import track
from placeshaping.areas.neighbours import contiguity
from placeshaping.hotspots._categories import SHAPES
from placeshaping.hotspots.emerging import emerging_hotspots
from placeshaping.hotspots.emerging_words import SENTENCES
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, Tone, label_areas
from placeshaping.hotspots.local_moran import local_moran
from placeshaping.hotspots.scan import scan
from placeshaping.hotspots.study import MINIMUM_AREAS, Study, rate_columns
from placeshaping.statistics.views import make_periods, tabulate

_SIGNS: tuple[Tone, ...] = ("hot", "cold")

EMERGING = LabelScheme(
    name="emerging",
    title="Emerging hot spots",
    button="Emerging",
    about="The records of each area and its neighbours month by month, compared with all areas "
    "and months: where more gather than chance would bring together, and since when.",
    method="",
    classes=(
        *(
            LabelClass(
                f"{shape}_{sign}",
                f"{shape.capitalize()} {sign} spot",
                SENTENCES[f"{shape}_{sign}"].replace("step", "month"),
                sign,
                shape[:1].upper() if sign == "hot" else f"{shape[:1]}\u2212",
            )
            for sign in _SIGNS
            for shape in SHAPES
        ),
        LabelClass(
            "no_pattern",
            "No pattern",
            "None of these patterns: neither hot nor cold for long, nor at the end.",
            "none",
            "\u00b7",
        ),
    ),
)
"""Emerging hot spots: 17 categories, month by month."""

LOCAL_MORAN = LabelScheme(
    name="local_moran",
    title="Alike and unlike neighbours",
    button="Alike or unlike",
    about="Each area compared with the areas that touch it: whether it is like them, or stands "
    "out from them, more than chance would have it.",
    method="",
    classes=(
        LabelClass(
            "high_high",
            "High among high",
            "More than the average, and so have the areas around it.",
            "hot",
            "HH",
        ),
        LabelClass(
            "high_low",
            "High among low",
            "More than the average, while the areas around it have less.",
            "hot",
            "HL",
        ),
        LabelClass(
            "low_high",
            "Low among high",
            "Less than the average, while the areas around it have more.",
            "cold",
            "LH",
        ),
        LabelClass(
            "low_low",
            "Low among low",
            "Less than the average, and so have the areas around it.",
            "cold",
            "LL",
        ),
        LabelClass(
            "none",
            "No clear pattern",
            "Neither like its neighbours nor unlike them beyond chance.",
            "none",
            "\u00b7",
        ),
    ),
)
"""Local Moran: the area's own value beside that of its neighbours."""

SCAN = LabelScheme(
    name="scan",
    title="Clusters",
    button="Clusters",
    about="Circles that hold more records than their people would lead to expect, beyond what "
    "chance brings about anywhere on the map.",
    method="",
    classes=(
        LabelClass(
            "most_likely_high",
            "Most likely cluster",
            "In the circle that stands out most from its surroundings.",
            "hot",
            "1",
        ),
        LabelClass(
            "secondary_high",
            "Further cluster",
            "In another circle that chance hardly brings about.",
            "hot",
            "2",
        ),
        LabelClass(
            "secondary_low",
            "Further cluster of few",
            "In another circle with fewer records than expected.",
            "cold",
            "2\u2212",
        ),
        LabelClass(
            "most_likely_low",
            "Most likely cluster of few",
            "In the circle with fewer records that stands out most.",
            "cold",
            "1\u2212",
        ),
        LabelClass("none", "In no cluster", "In no such circle.", "none", "\u00b7"),
    ),
)
"""Spatial scan statistic: circles with more records than their people explain."""

LARGEST_CLUSTER = 0.1
"""Share of the people that a circle may hold: half of a county is no cluster to go to."""

_TELLING = ("emerging", "_lattice", "local_moran", "scan")
"""Modules that tell what a reader must know."""


def find_labels(name: str, study: Study, counts: pd.DataFrame) -> AreaLabels:
    """
    Label the areas of a study by a method.

    Parameters
    ----------
    name
        One of `FINDERS`.
    study
        Whose areas and categories are labelled.
    counts
        The monthly counts that the study was made from, by `area_code`,
        `period`, `category` and `count`.

    Returns
    -------
    labels
        Of all levels with at least 30 areas; for `Study.with_labels`.

    Raises
    ------
    InputError
        If there is no such method.
    EmptyError
        If no level has so many areas, or there are too few months.

    Examples
    --------
    >>> find_labels("emergin", None, None)
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: There is no method 'emergin'. Did you mean emerging?
    """
    if name not in FINDERS:
        near = near_names(name, list(FINDERS)) or list(FINDERS)
        msg = f"There is no method {name!r}. Did you mean {listed(near)}?"
        raise InputError(msg)
    scheme, find = FINDERS[name]
    levels = [
        level for level in study.ladder.levels if len(study.ladder.areas[level]) >= MINIMUM_AREAS
    ]
    if not levels:
        msg = f"No level has {MINIMUM_AREAS} areas, which {scheme.title.lower()} need."
        raise EmptyError(msg)
    with _told_once():
        results = dict(find(study, counts, levels))
    said = results[levels[0]].attrs
    scheme = replace(scheme, method=said["method"], cautions=tuple(said.get("cautions", ())))
    return label_areas(scheme, results)


class _Once(logging.Filter):
    """Let each message pass once."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        fresh = record.getMessage() not in self._seen
        self._seen.add(record.getMessage())
        return fresh


@contextmanager
def _told_once() -> Iterator[None]:
    """Tell once what a method says of every category and level alike."""
    logs = [logging.getLogger(f"placeshaping.hotspots.{name}") for name in _TELLING]
    once = _Once()
    for log in logs:
        log.addFilter(once)
    try:
        yield
    finally:
        for log in logs:
            log.removeFilter(once)


def _emerging(
    study: Study, counts: pd.DataFrame, levels: list[str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Look at every category of every level month by month."""
    months = make_periods(pd.DatetimeIndex(counts["period"].unique()), by="month")
    steps = months[1:] or months
    finest = study.ladder.finest
    codes = study.ladder.areas[finest].index
    cube = tabulate(counts, areas=codes, periods=steps, categories=study.categories)
    cube = np.where(study.covered[finest], cube, 0)
    columns = pd.DatetimeIndex([step.first for step in steps])
    for level in track(levels, label="Finding emerging hot spots"):
        areas = study.ladder.areas[level]
        covered = study.covered[level]
        known = areas[covered]
        graph = contiguity(known, islands="nearest")
        summed = study.ladder.sum_to(level, cube)[:, :, covered]
        found = []
        for place, view in enumerate(study.categories):
            wide = pd.DataFrame(summed[:, place].T.astype(float), known.index, columns)
            result = emerging_hotspots(wide, graph)
            scores = result[["gi_star", "q_value", "trend_z", "trend_p"]]
            found.append(scores.assign(label=result["category"], category=view.label))
        yield level, _together(found)


def _local_moran(
    study: Study,
    counts: pd.DataFrame,  # noqa: ARG001 - as of all finders
    levels: list[str],
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Look at the whole span, at counts or at smoothed rates as for Gi*."""
    for level in track(levels, label="Comparing areas with their neighbours"):
        areas = study.ladder.areas[level]
        values = np.where(study.covered[level], study.cubes[level], np.nan)
        if study.hot_spots_of == "rate":
            exposures = study.exposures[level]
            values = rate_columns(values, study.periods, study.categories, exposures)[
                "rate_smoothed"
            ]
        names = [view.label for view in study.categories]
        wide = pd.DataFrame(values[0].T, areas.index, names)
        result = local_moran(wide, contiguity(areas, islands="nearest"))
        told = result.rename(columns={"series": "category", "cluster": "label"})
        yield level, told.drop(columns="local_moran")


def _together(found: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the results of the categories together; what was told of the first is kept."""
    told = found[0].attrs
    for one in found:
        one.attrs = {}
    table = pd.concat(found)
    table.attrs = told
    return table


def _scan(
    study: Study,
    counts: pd.DataFrame,  # noqa: ARG001 - as of all finders
    levels: list[str],
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Look at the finest level for circles that hold more than their people explain."""
    level = levels[0]
    if not study.exposures[level]:
        msg = "Clusters are looked for against residents or households. Give a population."
        raise InputError(msg)
    covered = study.covered[level]
    areas = study.ladder.areas[level][covered]
    found = []
    for place, view in enumerate(track(list(study.categories), label="Looking for clusters")):
        exposures = study.exposures[level]
        people = exposures.get(view.denominator or "", next(iter(exposures.values())))[covered]
        cases = pd.Series(study.cubes[level][0, place, covered], areas.index)
        usable = people > 0
        if not cases[usable].sum():
            continue
        result = scan(
            cases[usable],
            areas[usable],
            population=pd.Series(people, areas.index)[usable],
            max_share=LARGEST_CLUSTER,
        ).areas
        told = result[["cluster", "relative_risk", "p_value"]].rename(columns={"cluster": "label"})
        told.attrs = result.attrs
        found.append(told.assign(category=view.label))
    yield level, _together(found)


Finder = Callable[[Study, pd.DataFrame, list[str]], Iterator[tuple[str, pd.DataFrame]]]

FINDERS: dict[str, tuple[LabelScheme, Finder]] = {
    "emerging": (EMERGING, _emerging),
    "local_moran": (LOCAL_MORAN, _local_moran),
    "scan": (SCAN, _scan),
}
"""Name -> what the labels mean, and what finds them."""
