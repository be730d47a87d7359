"""How far two classifications of the same areas agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.checks import check_labelled, check_unique
from placeshaping._core.errors import InputError, UnmatchedError

AS_OFFICIAL = 0.6
"""About what two variants of the official classification of output areas agree at."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """
    How far two classifications agree; `compare_segments` makes it.

    Attributes
    ----------
    adjusted_rand
        1 for the same groups, 0 for no more than chance.
    lower, upper
        95 % interval, from a bootstrap of areas.
    areas
        That have both labels.
    table
        Areas by both.
    """

    adjusted_rand: float
    lower: float
    upper: float
    areas: int
    table: pd.DataFrame

    @property
    def sentence(self) -> str:
        """What that is, in words."""
        return (
            f"Adjusted Rand index {self.adjusted_rand:.2f} (95% interval {self.lower:.2f} to "
            f"{self.upper:.2f}; {self.areas:,} areas). 1 is the same groups and 0 what chance "
            f"gives; even two variants of the official classification agree at about "
            f"{AS_OFFICIAL:g} only."
        )


def adjusted_rand(first: ArrayLike, second: ArrayLike) -> float:
    """
    Return the adjusted Rand index of two groupings (Hubert and Arabie 1985).

    Parameters
    ----------
    first, second
        One label a row, of any kind.

    Returns
    -------
    index
        1 for the same groups whatever they are called, 0 on average by chance.

    Raises
    ------
    InputError
        If they are not equally long.

    Examples
    --------
    >>> adjusted_rand(["a", "a", "b", "b"], [2, 2, 1, 1])
    1.0
    """
    codes = [pd.factorize(np.asarray(labels))[0] for labels in (first, second)]
    if len(codes[0]) != len(codes[1]):
        msg = f"{len(codes[0]):,} labels and {len(codes[1]):,} cannot be compared row by row."
        raise InputError(msg)
    return _adjusted_rand(_crossed(codes[0], codes[1]))


def compare_segments(
    first: pd.Series[str], second: pd.Series[str], *, resamples: int = 499, rng: int = 0
) -> Agreement:
    """
    Compare a classification with another one of the same areas.

    Parameters
    ----------
    first, second
        Labels by area code. Areas that lack either are left out.
    resamples
        Of the bootstrap.
    rng
        Its seed.

    Returns
    -------
    agreement
        With its interval and the table of both.

    Raises
    ------
    UnmatchedError
        If fewer than two areas have both.

    Examples
    --------
    >>> areas = ["E01000001", "E01000002", "E01000003", "E01000004"]
    >>> official = pd.Series(["1a", "1a", "2b", "2b"], areas)
    >>> own = pd.Series(["A", "A", "B", "B"], areas)
    >>> compare_segments(own, official).adjusted_rand
    1.0
    """
    for labels, name in ((first, "first"), (second, "second")):
        check_labelled(labels, name=name)
        check_unique(labels.index, where=name)
    both = pd.DataFrame({"first": first, "second": second.reindex(first.index)}).dropna()
    if len(both) < 2:
        msg = (
            f"{len(both)} of {len(first):,} areas have both labels. Compare classifications of "
            "the same areas and the same census year."
        )
        raise UnmatchedError(msg)
    codes = [pd.factorize(both[name].astype(str))[0] for name in both]
    draw = np.random.default_rng(rng)
    drawn = np.empty(resamples)
    for place in range(resamples):
        rows = draw.integers(0, len(both), len(both))
        drawn[place] = _adjusted_rand(_crossed(codes[0][rows], codes[1][rows]))
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    table = pd.crosstab(both["first"].astype(str), both["second"].astype(str))
    return Agreement(_adjusted_rand(table.to_numpy()), float(lower), float(upper), len(both), table)


def _crossed(first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.int64]:
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    flat = np.bincount(first * columns + second, minlength=rows * columns)
    return flat.reshape(rows, columns)


def _adjusted_rand(table: NDArray[np.int64]) -> float:
    pairs, rows, columns = (
        float((n * (n - 1.0) / 2).sum()) for n in (table, table.sum(axis=1), table.sum(axis=0))
    )
    size = float(table.sum())
    expected = rows * columns / max(size * (size - 1) / 2, 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else (pairs - expected) / (most - expected)
