"""Categories that hold others: the total, and groups, as far as the numbers tell."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from placeshaping.verify.claims import Claims

_MOST = 40
_CHANCE = -6.0
_FEWEST_ROWS = 3


def category_sets(
    claims: Sequence[Claims], cells: pd.DataFrame, periods: pd.Series
) -> tuple[dict[Hashable, frozenset[Hashable]], dict[Hashable, str], list[str]]:
    """
    Work out which categories hold which.

    What a file says of its categories is believed. Else a category holds
    others where their numbers add up to its own so often, and so closely, that
    chance does not explain it; and the first holds all that are left, as long
    as no number speaks against it.

    Parameters
    ----------
    claims
        What the files say.
    cells
        Their cells, in a row.
    periods
        The period of each cell.

    Returns
    -------
    sets
        Category -> the smallest categories that it is made of.
    levels
        Category -> how far up it stands.
    told
        Groups that were inferred, in words.
    """
    labels = list(dict.fromkeys(cells["category"]))
    sets: dict[Hashable, frozenset[Hashable]] = {label: frozenset([label]) for label in labels}
    parts = {label: held for claim in claims for label, held in claim.parts.items()}
    if parts:
        sets.update({label: frozenset(parts.get(label, (label,))) for label in labels})
        return sets, {label: str(len(sets[label])) for label in labels}, []
    if not 2 < len(labels) <= _MOST:
        return sets, dict.fromkeys(labels, "1"), []
    rows = pd.MultiIndex.from_arrays([cells["area"], periods.map(str)])
    lower, upper = _bounds(cells, rows, cells["category"], labels)
    told: list[str] = []
    groups = _groups(lower, upper)
    for number, held in groups.items():
        sets[labels[number]] = frozenset(labels[part] for part in held)
        told.append(f"{labels[number]} taken for {' + '.join(labels[part] for part in held)}")
    single = [number for number in range(1, len(labels)) if number not in groups]
    if 0 not in groups and len(single) > 1 and _may_hold(lower, upper, 0, single):
        sets[labels[0]] = frozenset(labels[number] for number in single)
    return sets, {label: str(len(sets[label])) for label in labels}, told


def may_be_total(cells: pd.DataFrame, labels: Sequence[str]) -> bool:
    """
    Tell whether the numbers allow that the first of some periods is the sum of the others.

    Examples
    --------
    >>> cells = pd.DataFrame(
    ...     {"area": "a", "category": "All", "period": ["x", "y", "z"],
    ...      "lower": [9.0, 4, 5], "upper": [9.0, 4, 5]}
    ... )
    >>> may_be_total(cells, ["x", "y", "z"]), may_be_total(cells, ["y", "x", "z"])
    (True, False)
    """
    rows = pd.MultiIndex.from_arrays([cells["area"], cells["category"]])
    lower, upper = _bounds(cells, rows, cells["period"], labels)
    return _may_hold(lower, upper, 0, range(1, len(labels)))


def _bounds(
    cells: pd.DataFrame, index: pd.MultiIndex, columns: pd.Series, labels: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the bounds of each label (columns) in every row of an index."""
    number, rows = index.factorize()
    column = pd.Index(labels).get_indexer(pd.Index(columns))
    lower = np.zeros((len(rows), len(labels)))
    upper = np.full((len(rows), len(labels)), np.inf)
    np.maximum.at(lower, (number, column), cells["lower"].to_numpy(float))
    np.minimum.at(upper, (number, column), cells["upper"].to_numpy(float))
    return lower, upper


def _may_hold(
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    total: int,
    parts: Sequence[int],
) -> bool:
    """Tell whether every row allows that one category is the sum of others."""
    low, high = lower[:, list(parts)].sum(axis=1), upper[:, list(parts)].sum(axis=1)
    return bool(((low <= upper[:, total]) & (high >= lower[:, total])).all())


def _groups(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> dict[int, list[int]]:
    """Find the categories that are sums of two or more others, smaller groups first."""
    known = np.asarray(np.isfinite(upper).all(axis=1) & (upper > 0).any(axis=1))
    if known.sum() < _FEWEST_ROWS:
        return {}
    middle = ((lower + upper) / 2)[known]
    size = middle.sum(axis=0)
    found: dict[int, list[int]] = {}
    for total in np.argsort(size, kind="stable"):
        others = [
            n
            for n in range(middle.shape[1])
            if n != total and size[n] <= size[total] and n not in found
        ]
        if len(others) < 2 or len(others) == middle.shape[1] - 1:
            continue
        weight, _ = nnls(middle[:, others], middle[:, total])
        held = [other for other, share in zip(others, weight, strict=True) if share > 0.5]
        if len(held) > 1 and _beyond_chance(lower, upper, known, int(total), held):
            found[int(total)] = held
    return found


def _beyond_chance(
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    known: NDArray[np.bool_],
    total: int,
    held: Sequence[int],
) -> bool:
    """Tell whether a sum holds in every row, and would not by chance."""
    if not _may_hold(lower, upper, total, held):
        return False
    room = (upper[:, held] - lower[:, held]).sum(axis=1)[known]
    room += (upper[:, total] - lower[:, total])[known] + 1
    middle = ((lower + upper) / 2)[known][:, total]
    with np.errstate(divide="ignore"):
        chance = np.log10(np.minimum(room / np.maximum(middle, 1), 1)).sum()
    return bool(chance <= _CHANCE - lower.shape[1] * np.log10(2))
