"""
Areas classed by how far people have to go, and by what a choice of sites changes for them.

The edges are fractions and multiples of the threshold that was asked about,
never of the data: two maps with the same threshold can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placeshaping._core.errors import InputError
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, label_areas

SAME = {"minutes": 1.0, "metres": 80.0}
"""A change of travel under which an area counts as unchanged: a minute on foot."""

_STEPS = (
    ("within_a_third", 0.0, 1 / 3),
    ("within_two_thirds", 1 / 3, 2 / 3),
    ("within", 2 / 3, 1.0),
    ("beyond", 1.0, 2.0),
    ("beyond_twice", 2.0, np.inf),
)
_NOT_REACHED = "not_reached"


def label_travel(
    travel: Mapping[str, pd.Series[float]],
    *,
    threshold: float,
    what: str,
    unit: str = "minutes",
    name: str = "travel",
    title: str | None = None,
    button: str = "Travel",
    method: str = "",
) -> AreaLabels:
    """
    Class areas by travel to the nearest service.

    Parameters
    ----------
    travel
        Level -> travel of each area, missing where nothing is reached.
    threshold
        What counts as far begins above it; classes end at a third, two
        thirds, once and twice of it.
    what
        Name of one of the services.
    unit
        ``"minutes"`` or ``"metres"``.
    name, title, button
        As of `LabelScheme`.
    method
        How travel was measured.

    Returns
    -------
    labels
        Of every area.

    Raises
    ------
    InputError
        If the threshold is not above zero.

    Examples
    --------
    >>> codes = pd.Index(["E01000001", "E01000002"])
    >>> labels = label_travel({"lsoa": pd.Series([4.0, 16.0], codes)}, threshold=15, what="library")
    >>> labels.tables["lsoa"]["label"].tolist()
    ['within_a_third', 'beyond']
    """
    if not threshold > 0:
        msg = f"threshold is {threshold:g}; it must be above zero."
        raise InputError(msg)
    lost = any(bool(values.isna().any()) for values in travel.values())
    scheme = LabelScheme(
        name,
        title or f"{unit.capitalize()} to the nearest {what}",
        button,
        f"{unit.capitalize()} from where people live to the nearest {what}; more than "
        f"{threshold:g} {unit} is far.",
        method,
        tuple(_step_classes(threshold, unit)) + ((_unreached(what),) if lost else ()),
    )
    ends = np.array([end for _, _, end in _STEPS[:-1]]) * threshold
    tables = {level: _labelled(values, ends) for level, values in travel.items()}
    return label_areas(scheme, tables)


def _labelled(values: pd.Series[float], ends: np.ndarray) -> pd.DataFrame:
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    place = np.searchsorted(ends * (1 + 1e-12), np.nan_to_num(numbers))
    words = np.array([value for value, _, _ in _STEPS], dtype=object)[place]
    return pd.DataFrame({"label": np.where(np.isnan(numbers), _NOT_REACHED, words)}, values.index)


def _step_classes(threshold: float, unit: str) -> list[LabelClass]:
    made = []
    for place, (value, low, high) in enumerate(_STEPS):
        first, last = f"{low * threshold:g}", f"{high * threshold:g}"
        label = f"Over {first} to {last} {unit}" if low else f"Up to {last} {unit}"
        if np.isinf(high):
            label = f"Over {first} {unit}"
        meaning = f"Far: more than {threshold:g} {unit}." if low >= 1 else ""
        made.append(LabelClass(value, label, meaning, "step", str(place + 1)))
    return made


def _unreached(what: str) -> LabelClass:
    return LabelClass(
        _NOT_REACHED, f"No {what} reached", "By the ways that are known, none can be reached.",
        "hot", "x",
    )  # fmt: skip


def label_change_in_travel(
    before: Mapping[str, pd.Series[float]],
    after: Mapping[str, pd.Series[float]],
    *,
    unit: str = "minutes",
    large: float | None = None,
    name: str = "change",
) -> AreaLabels:
    """
    Class areas by what a choice of sites changes for them.

    Parameters
    ----------
    before, after
        Level -> travel of each area, missing where nothing is reached.
    unit
        ``"minutes"`` or ``"metres"``.
    large
        A change from which it counts as large; by default five times what
        counts as the same.
    name
        As of `LabelScheme`.

    Returns
    -------
    labels
        Of every area.

    Examples
    --------
    >>> codes = pd.Index(["a", "b"])
    >>> today, then = pd.Series([20.0, 9.0], codes), pd.Series([8.0, 9.5], codes)
    >>> label_change_in_travel({"lsoa": today}, {"lsoa": then}).tables["lsoa"]["label"].tolist()
    ['much_nearer', 'same']
    """
    small = SAME[unit]
    big = 5 * small if large is None else large
    least = "a minute" if unit == "minutes" else f"{small:g} {unit}"
    classes = (
        LabelClass("farther", f"Farther by more than {least}", "", "hot", "+"),
        LabelClass("same", f"The same within {least}", "", "none", "="),
        LabelClass("nearer", f"Nearer by {small:g} to {big:g} {unit}", "", "cold", "\u2212"),
        LabelClass(
            "much_nearer", f"Nearer by more than {big:g} {unit}", "", "cold", "\u2212\u2212"
        ),
    )
    scheme = LabelScheme(
        name,
        "Change of travel",
        "Change",
        "Travel to the nearest site with the proposal, less that of today.",
        "Travel after less travel before; where nothing was reached before and something is now, "
        "much nearer.",
        classes,
    )
    tables = {level: _changed(before[level], values, small, big) for level, values in after.items()}
    return label_areas(scheme, tables)


def _changed(
    before: pd.Series[float], after: pd.Series[float], small: float, big: float
) -> pd.DataFrame:
    was = before.reindex(after.index).to_numpy(dtype="float64", na_value=np.nan)
    now = after.to_numpy(dtype="float64", na_value=np.nan)
    with np.errstate(invalid="ignore"):
        change = np.nan_to_num(now, nan=np.inf) - np.nan_to_num(was, nan=np.inf)
    change = np.nan_to_num(change, nan=0.0, neginf=-np.inf, posinf=np.inf)
    words = np.select(
        [change < -big, change < -small, change <= small],
        ["much_nearer", "nearer", "same"],
        default="farther",
    )
    return pd.DataFrame({"label": words}, after.index)
