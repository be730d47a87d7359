"""Ages: single years added up to the bands of a standard population."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.errors import ColumnError

EUROPEAN_STANDARD = pd.Series(
    np.array([10, 11, 11, 11, 12, 12, 13, 14, 14, 14, 14, 13, 12, 11, 10, 8, 5, 3, 2]) * 500.0,
    index=[*(f"{age}-{age + 4}" for age in range(0, 90, 5)), "90+"],
    name="standard",
)
"""The European standard population of 2013 (Eurostat), 19 age bands, 100,000 people."""

_AGES = re.compile(r"^(?:aged?\s*)?(\d{1,3})(?:\s*(?:-|\u2013|to)\s*(\d{1,3})|\s*(\+|and over))?$")
_HIGHEST = 200


def band_ages(population: pd.DataFrame, *, bands: pd.Index | None = None) -> pd.DataFrame:
    """
    Add single years (or finer bands) of age up to the bands of a standard.

    Parameters
    ----------
    population
        People by area, one column an age or a band: ``"0"``, ``"1"``, ...,
        ``"90+"``, or ``"0-4"``, ``"Aged 5 to 9"``. Columns that are no age
        (a total, a name) must be left out.
    bands
        Names of the bands, like ``"0-4"`` and ``"90+"``; by default those of
        the European standard population.

    Returns
    -------
    banded
        Index of `population`, one column a band.

    Raises
    ------
    ColumnError
        If a column is no age, lies across two bands, or two hold the same age;
        if a band is filled by no column, or in part.

    Examples
    --------
    >>> ages = pd.DataFrame(1, index=["a"], columns=[*map(str, range(90)), "90+"])
    >>> band_ages(ages).loc["a", ["0-4", "85-89", "90+"]].tolist()
    [5, 5, 1]
    """
    names = EUROPEAN_STANDARD.index if bands is None else pd.Index(bands)
    spans = [_span(name) for name in names]
    taken: dict[str, list[object]] = {str(name): [] for name in names}
    filled = np.zeros((len(names), _HIGHEST + 1), dtype=bool)
    for column in population.columns:
        first, last = _span(column)
        inside = [i for i, (low, high) in enumerate(spans) if low <= first and last <= high]
        if not inside:
            msg = f"Age {column!r} lies in none of the bands {listed(list(names))}."
            msg = f"{msg} Give finer ages, or other bands."
            raise ColumnError(msg)
        if filled[inside[0], first : last + 1].any():
            msg = f"Column {column!r} holds ages that another column holds too. Keep one of them."
            raise ColumnError(msg)
        filled[inside[0], first : last + 1] = True
        taken[str(names[inside[0]])].append(column)
    gaps = [
        str(name)
        for i, (name, (low, high)) in enumerate(zip(names, spans, strict=True))
        if not filled[i, low : high + 1].all()
    ]
    if gaps:
        msg = f"No column, or not all of them, for the ages {listed(gaps)}. Complete the table."
        raise ColumnError(msg)
    sums = {name: population[columns].sum(axis=1, skipna=False) for name, columns in taken.items()}
    return pd.DataFrame(sums, index=population.index)


def _span(name: object) -> tuple[int, int]:
    """Read the first and the last year of an age band."""
    found = _AGES.match(str(name).strip().casefold())
    if found is None:
        known = [*EUROPEAN_STANDARD.index[:2], "90+"]
        msg = f"{name!r} is no age or age band. Bands look like {listed(known)}; ages like 7."
        raise ColumnError(msg)
    first = int(found.group(1))
    last = _HIGHEST if found.group(3) else int(found.group(2) or first)
    if not first <= last <= _HIGHEST:
        msg = f"{name!r} ends before it begins, or above {_HIGHEST} years."
        raise ColumnError(msg)
    return first, last
