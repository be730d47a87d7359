"""What a patrol product says of each cell: words and classes, under the floor of its policy."""

from __future__ import annotations

import re
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

_WEEKS = {"same season last year": 4, "ProMap": 8}

RATIOS = (3.0, 1.5, 0.75)
"""Times the district's mean from which a neighbourhood is well above, above, about it."""

OUTSIDE = "not_in_a_patrol"

ANCHOR = pd.Timestamp("2024-01-01")
"""A Monday, from which fortnights are counted."""

_FORTNIGHT = 14
_QUARTER = 3
_YEAR = 4


@dataclass(frozen=True, eq=False)
class Nearby:
    """
    What was recorded of the offences in each cell and those that touch it.

    Attributes
    ----------
    recent, year
        In the last weeks and in the last year or so.
    span
        The last weeks, in words without numbers.
    since, year_since
        When both began, in words.
    """

    recent: NDArray[np.int64]
    year: NDArray[np.int64]
    span: str
    since: str
    year_since: str


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

    Notes
    -----
    Both windows begin on fixed days and grow until the next one: two to four
    weeks (of monthly records three to six months), and twelve to fifteen
    months. Windows that slid from day to day would tell, from many answers, how
    many were recorded on single days: each record enters and leaves them.
    """
    recent, year = first_days(history)
    monthly = _monthly(history)
    return Nearby(
        _around(_recorded(history, recent), history),
        _around(_recorded(history, year), history),
        "in the last three to six months" if monthly else "in the last two to four weeks",
        _since(recent),
        _since(year),
    )


def first_days(history: History) -> tuple[pd.Timestamp, pd.Timestamp]:
    """
    Return the first days of what counts as recent, and as the last year.

    They stay the same for a fortnight (of monthly records a quarter), and for a
    quarter.
    """
    last = history.cutoff - pd.Timedelta(days=1)
    quarter = last.to_period("Q")
    year = (quarter - _YEAR).start_time
    if _monthly(history):
        return (quarter - 1).start_time, year
    since = (last.normalize() - ANCHOR).days // _FORTNIGHT - 1
    return ANCHOR + pd.Timedelta(days=since * _FORTNIGHT), year


def _monthly(history: History) -> bool:
    return history.step.unit == "month" or history.events is None


def _since(day: pd.Timestamp) -> str:
    return f"since {day.day} {day:%B %Y}"


def _recorded(history: History, first: pd.Timestamp) -> NDArray[np.float64]:
    if history.events is None or _monthly(history):
        return history.total(max(int((history.periods >= first).sum()), 1))
    late = history.events["time"] >= first
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
    Tell in which cells five records or more lie: what decides which may be told of.

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
    held = np.bincount(place.at, minlength=len(place.units))
    told = pd.Series(held, index=place.units.codes).reindex(cells.index)
    months = np.sort(place.events["period"].unique())
    # no more than the floor, and of no cell when: ranks and classes of larger numbers, told in
    # cells of several sizes, would bound the small ones between them
    counts = pd.DataFrame(
        {
            "area_code": [*told.index, *[told.index[0]] * len(months)],
            "period": [months[-1]] * len(told) + list(months),
            "category": category,
            "count": [*told.clip(upper=FLOOR), *[0] * len(months)],
        }
    )
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
    model: str,
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
    model
        Name of the model, by which its window is known.
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
        "likelihood": _likelihood(expected, nearby, history, steps_of(model, history)),
        "nearby": _recent(nearby),
    }
    schemes = (
        _patrol_scheme(len(plan.patrols), method),
        _likelihood_scheme(offences, nearby.year_since),
        _nearby_scheme(offences, nearby),
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
    expected: NDArray[np.float64], nearby: Nearby, history: History, steps: int
) -> NDArray[np.object_]:
    """
    Class each cell by what is expected of it and those that touch it, beside the mean.

    What is expected is first brought to bins of five records in the window that the
    model rests on: whatever district, model or day is asked for, no class tells more.
    """
    units = history.units
    exposure = units.exposure
    around = in_bins(expected + units.neighbours @ expected, steps)
    room = exposure + units.neighbours @ exposure
    ratio = around / room / (expected.sum() / exposure.sum())
    names = np.array(["well_above", "above", "about", "below"], dtype=object)
    classes = names[np.searchsorted(-np.array(RATIOS), -ratio)]
    return np.where(nearby.year < FLOOR, "few", classes)


def in_bins(expected: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """
    Bring what is expected of a step to the middle of bins of five in so many steps.

    Examples
    --------
    >>> in_bins(np.array([0.01, 0.02, 0.1]), 365).round(4).tolist()
    [0.0, 0.0205, 0.1027]
    """
    whole = np.floor(expected * steps / FLOOR)
    return np.asarray(np.where(whole > 0, (whole + 0.5) * FLOOR / steps, 0.0))


def steps_of(model: str, history: History) -> int:
    """
    Return how many steps of the history a model's expectation rests on; of most a year.

    Parameters
    ----------
    model
        Its name in a request.
    history
        Of the steps.
    """
    a_year = 12 if history.step.unit == "month" else 365
    if model == "trailing all":
        return history.steps
    if model == "trailing last":
        return 1
    if model in ("same season last year", "ProMap"):
        return min(_WEEKS[model] * 7, a_year) if history.step.unit != "month" else 1
    window = re.fullmatch(r"trailing (\d+) (days|weeks|months)", model)
    if window is None:
        return a_year
    days = int(window[1]) * {"days": 1, "weeks": 7, "months": 365 / 12}[window[2]]
    each = 365 / 12 if history.step.unit == "month" else 1
    return max(round(days / each), 1)


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


def _likelihood_scheme(offences: str, since: str) -> LabelScheme:
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
        f"area, in bins of five records, divided by the mean of the district; fixed edges at "
        f"{about:g}, {above:g} and {high:g} times. Where fewer than five were recorded around it "
        f"{since}, no class is given.",
        classes=tuple(LabelClass(*one) for one in words),
    )


def _nearby_scheme(offences: str, nearby: Nearby) -> LabelScheme:
    span = nearby.span
    words: tuple[tuple[str, str, Tone, str], ...] = (
        ("ten_or_more", "At least ten nearby", "hot", "10"),
        ("five_to_nine", "Five to nine nearby", "hot", "5"),
        ("fewer_than_five", "Fewer than five nearby", "none", "\u00b7"),
    )
    return LabelScheme(
        name="nearby",
        title=f"Recorded nearby {span}",
        button="Recent",
        about=f"Records of {offences} in the cell and those that touch it, {span}.",
        method=f"Recorded nearby: records of {offences} in a cell and those that touch it "
        f"{nearby.since}, at whatever hour.",
        classes=tuple(
            LabelClass(value, label, f"In the cell and those that touch it, {span}.", tone, mark)
            for value, label, tone, mark in words
        ),
    )
