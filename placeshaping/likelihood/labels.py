"""Classes of likelihood as labels of areas, for a map beside rates and hot spots."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_unique
from placeshaping._core.errors import ColumnError
from placeshaping.hotspots.labels import AreaLabels, LabelClass, LabelScheme, label_areas

SHARES: Mapping[str, float] = {
    "first_hundredth": 0.01,
    "first_twentieth": 0.05,
    "first_tenth": 0.10,
    "first_fifth": 0.20,
    "rest": 1.0,
}
"""Class -> share of the areas that belong to it or to one before it."""

_WORDS = {
    "first_hundredth": ("First hundredth", "1"),
    "first_twentieth": ("First twentieth", "5"),
    "first_tenth": ("First tenth", "10"),
    "first_fifth": ("First fifth", "20"),
    "rest": ("The rest", "\u00b7"),
}


def likelihood_labels(
    expected: Mapping[str, pd.Series[float]], *, when: str, method: str
) -> AreaLabels:
    """
    Class areas by how many records a model expects next, in fixed shares of all areas.

    The shares are stated before the model is run, so that no edge is a value
    of the data. Areas with equal numbers are of one class, the later one.

    Parameters
    ----------
    expected
        Level -> expected number (or number per area) of each area, indexed by
        area code; areas without one have no class.
    when
        The period that is expected, in words: ``"January 2026"``.
    method
        The model, its source and how well it has done before, in a sentence.

    Returns
    -------
    labels
        For `Study.with_labels`.

    Raises
    ------
    ColumnError
        If something else than numbers is given.

    Examples
    --------
    >>> scores = pd.Series([4.0, 1.0, 0.5, 0.5, 0.1], index=list("abcde"))
    >>> labels = likelihood_labels({"lsoa": scores}, when="January 2026", method="A test.")
    >>> labels.tables["lsoa"]["label"].tolist()
    ['first_fifth', 'rest', 'rest', 'rest', 'rest']
    """
    scheme = LabelScheme(
        name="likelihood",
        title=f"Likelihood in {when}",
        button="Likelihood",
        about=f"The areas in the order of the records that a model expects in {when}. It says "
        "nothing of any person, and most areas so marked will see few records or none.",
        method=method,
        classes=tuple(
            LabelClass(
                value,
                label,
                "All other areas."
                if value == "rest"
                else f"Among the {label.lower()} of the areas, by expected records.",
                "none" if value == "rest" else "hot",
                mark,
            )
            for value, (label, mark) in _WORDS.items()
        ),
    )
    return label_areas(scheme, {level: _classed(scores) for level, scores in expected.items()})


def _classed(scores: pd.Series[float]) -> pd.DataFrame:
    check_unique(scores.index, where="expected")
    if not pd.api.types.is_numeric_dtype(scores):
        msg = "expected holds no numbers. Give the expected number of records of each area."
        raise ColumnError(msg)
    numbers = scores.astype("float64")
    place = numbers.rank(method="max", ascending=False) / max(int(numbers.notna().sum()), 1)
    edges = np.array(list(SHARES.values()))
    of = np.searchsorted(edges, place.to_numpy() - 1e-9)
    names = np.array([*SHARES, "rest"], dtype=object)[of]
    labels = pd.Series(names, index=numbers.index).where(numbers.notna())
    return pd.DataFrame({"label": labels, "expected": numbers})
