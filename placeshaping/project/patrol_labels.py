"""What a patrol product says of each cell: words and classes, under the floor of its policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from placeshaping.areas.ladder import make_ladder
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, Tone, label_areas
from placeshaping.hotspots.study import Study, analyse

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from placeshaping.likelihood.history import History
    from placeshaping.project.patrol_place import Place
    from placeshaping.shaping.patrol import PatrolPlan

FLOOR = 5
"""Counts under it are never told apart: that of the policy `police`."""

RATIOS = (3.0, 1.5, 0.75)
"""Times the district's mean from which a neighbourhood is well above, above, about it."""

OUTSIDE = "not_in_a_patrol"

_DAYS = 28
_MONTHS = 3
_YEAR = 365


@dataclass(frozen=True, eq=False)
class Nearby:
    """
    What was recorded of the offences in each cell and those that touch it.

    Attributes
    ----------
    recent, year
        In the last weeks and in the last twelve months.
    span
        The last weeks, in words.
    """

    recent: NDArray[np.int64]
    year: NDArray[np.int64]
    span: str


def count_nearby(history: History) -> Nearby:
    """
    Count what was recorded around each cell, at whatever hour.

    Parameters
    ----------
    history
        Up to the shift.

    Returns
    -------
    nearby
        Sums over each cell and those that touch it.
    """
    days = history.step.unit != "month"
    recent = _recorded(history, days=_DAYS if days else None, months=_MONTHS)
    year = _recorded(history, days=_YEAR if days else None, months=12)
    span = "the last four weeks" if days else "the last three months"
    return Nearby(_around(recent, history), _around(year, history), span)


def _recorded(history: History, *, days: int | None, months: int) -> NDArray[np.float64]:
    if days is None or history.events is None:
        return history.total(months)
    times = history.events["time"]
    late = times >= history.cutoff - pd.Timedelta(days=days)
    units = history.events.loc[late, "unit"].to_numpy()
    return np.bincount(units, minlength=len(history.units)).astype(np.float64)


def _around(values: NDArray[np.float64], history: History) -> NDArray[np.int64]:
    total = values + history.units.neighbours @ values
    return np.asarray(np.rint(total), dtype=np.int64)


def patrol_letters(many: int) -> list[str]:
    """
    Return the letters of patrols.

    Examples
    --------
    >>> patrol_letters(3)
    ['A', 'B', 'C']
    """
    return list(ascii_uppercase[:many])


def name_cells(cells: gpd.GeoDataFrame, plan: PatrolPlan) -> gpd.GeoDataFrame:
    """
    Name each cell by its patrol and the order of visits, "A1"; others by their code.

    Parameters
    ----------
    cells
        The grid.
    plan
        Patrol areas.

    Returns
    -------
    cells
        With `area_name`.
    """
    letters = np.array(patrol_letters(len(plan.patrols)))
    stops = plan.cells
    names = pd.Series(cells.index.astype(str), index=cells.index, dtype=object)
    patrol = stops["patrol"].to_numpy() - 1
    visits = stops["visit"].astype(str).to_numpy()
    names.loc[stops.index] = [f"{letters[p]}{v}" for p, v in zip(patrol, visits, strict=True)]
    named = cells[["geometry"]].assign(area_name=names.astype("str"))
    named.attrs.update(cells.attrs)
    return named


def make_study(place: Place, cells: gpd.GeoDataFrame, *, category: str) -> Study:
    """
    Count all records by cell, as what decides which cells may be told of.

    Parameters
    ----------
    place
        The records.
    cells
        Named cells of its grid, all or some.
    category
        What it is called.

    Returns
    -------
    study
        Of one period and one category.
    """
    events = place.events
    codes = place.units.codes.take(place.at)
    counts = (
        pd.DataFrame({"area_code": codes, "period": events["period"].to_numpy()})
        .value_counts()
        .rename("count")
        .reset_index()
        .assign(category=category)
    )
    counts = counts[counts["area_code"].isin(cells.index)]
    study = analyse(counts, make_ladder(cells), by="all", total=category, hot_spots_of=None)
    first = study.periods[0]
    return replace(study, periods=(replace(first, label=f"records of {first.label}"),))


def patrol_labels(
    study: Study,
    plan: PatrolPlan,
    expected: NDArray[np.float64],
    nearby: Nearby,
    history: History,
    *,
    offences: str,
    method: str,
) -> Study:
    """
    Put the words of a patrol product on the cells of a study.

    Parameters
    ----------
    study
        Of the cells.
    plan
        Patrol areas.
    expected
        What is expected of each unit in the shift.
    nearby
        What was recorded around each.
    history
        Whose units they are.
    offences
        Their names.
    method
        Model and grouping, in sentences.

    Returns
    -------
    study
        With the layers `patrol`, `likelihood` and `nearby`.
    """
    units = history.units
    level = study.ladder.finest
    shown = study.ladder.areas[level].index
    tables = {
        "patrol": _patrols(plan, units.codes),
        "likelihood": _likelihood(expected, nearby, history),
        "nearby": _recent(nearby),
    }
    schemes = (
        _patrol_scheme(len(plan.patrols), method),
        _likelihood_scheme(offences),
        _nearby_scheme(offences, nearby.span),
    )
    found: list[AreaLabels] = []
    for scheme in schemes:
        table = pd.DataFrame({"label": tables[scheme.name]}, index=units.codes).reindex(shown)
        found.append(label_areas(scheme, {level: table}))
    return study.with_labels(*found)


def _patrols(plan: PatrolPlan, codes: pd.Index) -> NDArray[np.object_]:
    letters = [f"patrol_{letter.lower()}" for letter in patrol_letters(len(plan.patrols))]
    own = plan.cells["patrol"].map(lambda number: letters[int(number) - 1])
    return own.reindex(codes).fillna(OUTSIDE).to_numpy(dtype=object)


def _likelihood(
    expected: NDArray[np.float64], nearby: Nearby, history: History
) -> NDArray[np.object_]:
    """Class each cell by what is expected of it and those that touch it, beside the mean."""
    units = history.units
    exposure = units.exposure
    around = expected + units.neighbours @ expected
    room = exposure + units.neighbours @ exposure
    ratio = around / room / (expected.sum() / exposure.sum())
    names = np.array(["well_above", "above", "about", "below"], dtype=object)
    classes = names[np.searchsorted(-np.array(RATIOS), -ratio)]
    return np.where(nearby.year < FLOOR, "few", classes)


def _recent(nearby: Nearby) -> NDArray[np.object_]:
    names = np.array(["fewer_than_five", "five_to_nine", "ten_or_more"], dtype=object)
    return names[np.searchsorted([FLOOR, 2 * FLOOR], nearby.recent, side="right")]


def _patrol_scheme(patrols: int, method: str) -> LabelScheme:
    areas = tuple(
        LabelClass(
            f"patrol_{letter.lower()}",
            f"Patrol {letter}",
            f"Visit {letter}1 first, then {letter}2 and so on.",
            "other",
            letter,
        )
        for letter in patrol_letters(patrols)
    )
    rest = LabelClass(OUTSIDE, "In no patrol area", "Not among the cells of a patrol.", "none", "-")
    return LabelScheme(
        name="patrol",
        title="Patrol areas",
        button="Patrols",
        about="Connected cells for each patrol. Patrol A expects most. The name of a cell tells "
        "patrol and order of visits.",
        method=method,
        classes=(*areas, rest),
    )


def _likelihood_scheme(offences: str) -> LabelScheme:
    high, above, about = RATIOS
    words: tuple[tuple[str, str, str, Tone, str], ...] = (
        ("well_above", "Well above the district", f"{high:g} times its mean or more.", "hot", "++"),
        ("above", "Above the district", f"{above:g} to under {high:g} times its mean.", "hot", "+"),
        ("about", "About as the district", f"{about:g} to under {above:g} times.", "none", "="),
        ("below", "Below the district", f"Under {about:g} times its mean.", "cold", "\u2212"),
        ("few", "Fewer than five nearby in a year", "Too few to be classed.", "none", "\u00b7"),
    )
    return LabelScheme(
        name="likelihood",
        title="Likelihood",
        button="Likelihood",
        about="What is expected in the shift around each cell (it and those that touch it), beside "
        "the mean of the district. Most cells so marked will see nothing.",
        method=f"Likelihood: expected records of {offences} in a cell and those that touch it, per "
        f"area, divided by the mean of the district; fixed edges at {about:g}, {above:g} and "
        f"{high:g} times. Where fewer than five were recorded around it in twelve months, no "
        "class is given.",
        classes=tuple(LabelClass(*one) for one in words),
    )


def _nearby_scheme(offences: str, span: str) -> LabelScheme:
    words: tuple[tuple[str, str, Tone, str], ...] = (
        ("ten_or_more", "At least ten nearby", "hot", "10"),
        ("five_to_nine", "Five to nine nearby", "hot", "5"),
        ("fewer_than_five", "Fewer than five nearby", "none", "\u00b7"),
    )
    return LabelScheme(
        name="nearby",
        title=f"Recorded nearby in {span}",
        button="Recent",
        about=f"Records of {offences} in the cell and those that touch it, in {span}.",
        method=f"Recorded nearby: records of {offences} in a cell and those that touch it in "
        f"{span}, at whatever hour.",
        classes=tuple(
            LabelClass(value, label, f"In the cell and those that touch it, in {span}.", tone, mark)
            for value, label, tone, mark in words
        ),
    )
