"""
Cell-key perturbation: each count changed by a little, always by the same.

Every record has a key that looks random but stays the same. The keys of the
records in a cell are added up; the sum, modulo the number of keys, is the
cell's key, and a table says by how much a count with that key changes. The
same records therefore give the same number in every table that they stand in
(Fraser and Wooton 2005; Marley and Leaver 2011), and averaging over tables
wins a reader nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import ColumnError, InputError
from placeshaping.disclosure.secret import Secret

KEYS = 4096
"""Keys that a record may have, 0 to one less."""

MOST_CHANGE = 5
"""By how much a count may be changed, at most, unless the threshold asks for more."""

VARIANCE = 3.0
"""Variance of the change, where the threshold leaves it free."""

_STEEPEST = 50.0
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class NoiseTable:
    """
    By how much a count changes, given its cell key.

    Attributes
    ----------
    changes
        Row `n` - 1 for a count of `n`, one column a key.
    repeats
        Counts beyond the last row use the last `repeats` rows in turn.
    """

    changes: NDArray[np.int64]
    repeats: int = 1

    def __post_init__(self) -> None:
        """Refuse a table that would make a count negative."""
        rows = np.arange(1, len(self.changes) + 1)[:, None]
        if not 1 <= self.repeats <= len(self.changes) or (rows + self.changes < 0).any():
            msg = (
                "The noise table takes more from a count than it is, or repeats more rows than it "
                "has. Give changes of at least minus the count, and 1 row or more to repeat."
            )
            raise InputError(msg)

    @property
    def keys(self) -> int:
        """Number of keys."""
        return int(self.changes.shape[1])

    @property
    def most_change(self) -> int:
        """The largest change, up or down."""
        return int(np.abs(self.changes).max())

    @classmethod
    def from_frame(cls, table: pd.DataFrame, *, repeats: int = 1) -> NoiseTable:
        """
        Read a table with a row for each count and key, as the Office for National Statistics has.

        Parameters
        ----------
        table
            Columns `pcv` (count, 1 to n), `ckey` (0 to the number of keys less
            one) and `pvalue` (change); complete, in any order.
        repeats
            Rows that larger counts use in turn; 250 in the Office's tables.

        Raises
        ------
        ColumnError
            If a column is missing, or a count or key stands not once.
        """
        check_columns(table.columns, ["pcv", "ckey", "pvalue"], where="noise table")
        wide = table.groupby(["pcv", "ckey"])["pvalue"].agg(["size", "first"])
        counts, keys = (wide.index.get_level_values(name) for name in ("pcv", "ckey"))
        size = (int(counts.max()), int(keys.max()) + 1)
        if (wide["size"] > 1).any() or len(wide) != size[0] * size[1] or counts.min() != 1:
            msg = (
                f"noise table: it has {len(table):,} rows for counts of 1 to {size[0]:,} and "
                f"{size[1]:,} keys. Give each pair of 'pcv' and 'ckey' once."
            )
            raise ColumnError(msg)
        return cls(wide["first"].to_numpy(dtype=np.int64).reshape(size), repeats)


def make_noise(
    *,
    least_shown: int,
    most_change: int = MOST_CHANGE,
    variance: float = VARIANCE,
    keys: int = KEYS,
) -> NoiseTable:
    """
    Make the table of largest entropy that changes no count on average.

    No count becomes one from 1 to `least_shown` - 1: small counts become 0 or
    at least `least_shown`. Among the distributions with mean 0 and the given
    variance that of largest entropy leaves a reader most uncertain (Giessing
    2016); where the variance is too small for a count, the least that there
    is is taken.

    Parameters
    ----------
    least_shown
        The smallest count above zero that may come out; 1 for any.
    most_change
        Largest change, up or down; at least `least_shown`.
    variance
        Of the change.
    keys
        Number of keys.

    Returns
    -------
    table
        One row for each count up to where rows are all alike.

    Raises
    ------
    InputError
        If the change or the variance is too small, or there are no keys.

    Examples
    --------
    >>> table = make_noise(least_shown=5)
    >>> sorted({int(2 + change) for change in table.changes[1]})
    [0, 5, 6]
    >>> abs(table.changes.mean(axis=1)).max() < 0.005
    np.True_
    """
    most_change = max(most_change, least_shown)
    if variance <= 0 or keys < 2 or least_shown < 1:
        msg = (
            f"noise: variance = {variance}, keys = {keys} and least_shown = {least_shown}; the "
            "variance is above 0, there are 2 keys or more, and least_shown is 1 or more."
        )
        raise InputError(msg)
    rows = []
    for count in range(1, least_shown + most_change + 1):
        after = np.arange(max(0, count - most_change), count + most_change + 1)
        after = after[(after == 0) | (after >= least_shown)]
        rows.append(_row(after - count, variance, keys))
    return NoiseTable(np.vstack(rows))


def _row(changes: NDArray[np.int64], variance: float, keys: int) -> NDArray[np.int64]:
    """Give each change as many keys as its probability, keeping the mean as near 0 as may be."""
    chances = _largest_entropy(changes.astype(float), variance)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(chances)]) * keys).astype(int)
    edges[-1] = keys
    row = np.empty(keys, dtype=np.int64)
    for change, (start, end) in zip(changes, pairwise(edges), strict=True):
        row[start:end] = change
    return row


def _largest_entropy(changes: NDArray[np.float64], variance: float) -> NDArray[np.float64]:
    """Return the probabilities of largest entropy with mean 0 and at most a variance."""

    def tilted(flat: float) -> NDArray[np.float64]:
        def chances(slope: float) -> NDArray[np.float64]:
            power = slope * changes - flat * changes**2
            weights = np.exp(power - power.max())
            return np.asarray(weights / weights.sum())

        slope = brentq(lambda s: float(chances(s) @ changes), -_STEEPEST, _STEEPEST)
        return chances(slope)

    def spread(flat: float) -> float:
        return float(tilted(flat) @ changes**2)

    if spread(0.0) <= variance:
        return tilted(0.0)
    if spread(1.0) >= variance - _TOLERANCE:
        return tilted(1.0)
    return tilted(brentq(lambda flat: spread(flat) - variance, 0.0, 1.0))


def perturb(
    counts: NDArray[np.int64], keys: NDArray[np.int64], table: NoiseTable
) -> NDArray[np.int64]:
    """
    Change counts by what a table says for their keys.

    Parameters
    ----------
    counts
        Of any shape; 0 stays 0.
    keys
        Sums of the records' keys, of the same shape.
    table
        By how much each changes.

    Returns
    -------
    perturbed
        Of the same shape.

    Examples
    --------
    >>> table = NoiseTable(np.array([[-1, 4], [-2, 3]]))
    >>> perturb(np.array([0, 1, 2, 7]), np.array([5, 4, 3, 8]), table).tolist()
    [0, 0, 5, 5]
    """
    rows = len(table.changes)
    row = np.where(
        counts <= rows,
        counts - 1,
        (counts - 1) % table.repeats + rows - table.repeats,
    )
    change = table.changes[np.maximum(row, 0), keys % table.keys]
    perturbed: NDArray[np.int64] = np.where(counts > 0, counts + change, 0)
    return perturbed


def record_keys(events: pd.DataFrame, secret: Secret, *, keys: int = KEYS) -> NDArray[np.int64]:
    """
    Give each record a key that depends on nothing but itself and the secret.

    A record is known by its place, month and category; of records alike in
    all of these, the first, second and third have keys of their own, so that
    the order of the rows makes no difference to any sum of keys.

    Parameters
    ----------
    events
        Columns `easting`, `northing`, `period`, `category` and, where there
        is one, `area_code`; one row a record.
    secret
        From `read_secret`.
    keys
        Number of keys.

    Returns
    -------
    keys
        Shape (n,), from 0 to `keys` - 1.

    Raises
    ------
    InputError
        If rows stand for several records: they have no keys of their own.

    Examples
    --------
    >>> events = pd.DataFrame(
    ...     {"easting": [1.0, 1.0], "northing": 2.0, "period": pd.Timestamp("2025-01-01"),
    ...      "category": "Burglary"}
    ... )
    >>> given = record_keys(events, Secret(bytes(range(32))))
    >>> len(given), bool(given[0] != given[1])
    (2, True)
    """
    if "count" in events and (events["count"] != 1).any():
        msg = (
            f"{int((events['count'] != 1).sum()):,} rows stand for several records, or none, which "
            "have no keys of their own. Give one row a record, or a policy with method 'round'."
        )
        raise InputError(msg)
    names = ["easting", "northing", "period", "category", "area_code"]
    known = events[[name for name in names if name in events]].reset_index(drop=True)
    for name in ("easting", "northing"):
        known[name] = known[name].round(1)
    alike = known.groupby(list(known.columns), dropna=False, observed=True, sort=False)
    turn = alike.cumcount().to_numpy()
    place, texts = alike.ngroup().to_numpy(), _texts(known)
    first = pd.Series(texts).groupby(place).first().to_numpy()
    pairs, inverse = np.unique(np.column_stack([place, turn]), axis=0, return_inverse=True)
    drawn = [
        int.from_bytes(secret.digest(f"{first[group]}|{one}".encode())[:4], "big") % keys
        for group, one in pairs.tolist()
    ]
    given: NDArray[np.int64] = np.array(drawn, dtype=np.int64)[inverse.ravel()]
    return given


def _texts(known: pd.DataFrame) -> NDArray[np.object_]:
    """Write what a record is known by as one text, the same in every file."""
    text = pd.Series("", index=known.index, dtype=object)
    for name in known:
        column = known[name]
        if name == "period":
            column = column.dt.strftime("%Y-%m")
        text = text + "|" + column.astype(object).where(column.notna(), "").astype(str)
    return np.asarray(text, dtype=object)
