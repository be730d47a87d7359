"""Areas that do not nest: each given to the one larger area that holds most of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_columns
from placeshaping._core.errors import ColumnError, EmptyError


@dataclass(frozen=True)
class FitReport:
    """
    How well areas fit the one larger area that they were given to.

    Attributes
    ----------
    areas
        Areas in all.
    several
        Areas of which parts lie in another one too.
    mean_share
        Share of an area's weight that lies in its best fit, mean over all.
    lowest
        The area that fits worst, and its share; None where all fit whole.
    tied
        Areas with two best fits: the code that sorts first was taken.
    weighted_by
        What the parts were weighted by.
    """

    areas: int
    several: int
    mean_share: float
    lowest: tuple[str, float] | None
    tied: tuple[str, ...]
    weighted_by: str


def best_fit(
    parts: pd.DataFrame, *, source: str, target: str, weight: str | None = None
) -> pd.DataFrame:
    """
    Give each area to the larger one that holds most of it.

    Parameters
    ----------
    parts
        A row for each part: output areas with the codes of both levels, or
        pairs of areas with their overlap.
    source, target
        Levels (``"lsoa"``, ``"ward"``), whose columns are ``<level>_code``, or
        names of columns.
    weight
        Column of residents or the like; each part counts as one where not given,
        and where all parts of an area weigh nothing.

    Returns
    -------
    lookup
        A row for each source in the order of their first parts: its code, the
        code of its best fit, and ``share``, the share of its weight in it.
        ``attrs["report"]`` is a `FitReport`.

    Raises
    ------
    ColumnError
        If a column is missing, or holds missing codes, or weights that are no
        numbers of zero or more.
    EmptyError
        If there are no parts.

    Examples
    --------
    >>> parts = pd.DataFrame(
    ...     {"district_code": "E06000058", "csp_code": ["E22000042", "E22000043"], "people": [9, 1]}
    ... )
    >>> best_fit(parts, source="district", target="csp", weight="people")["share"].tolist()
    [0.9]
    """
    names = [_column_of(parts, level) for level in (source, target)]
    if parts.empty:
        msg = "There are no parts. Check the selection that made them."
        raise EmptyError(msg)
    used = parts[names].assign(weight=1.0 if weight is None else _weights(parts, weight))
    missing = int(used.isna().any(axis=1).sum())
    if missing:
        msg = f"{missing:,} of {len(parts):,} parts lack a code or a weight. Leave them out first."
        raise ColumnError(msg)
    ordered = _ordered(used, *names)
    first = ordered.drop_duplicates(names[0]).set_index(names[0])
    best = first.reindex(pd.Index(used[names[0]].unique(), name=names[0])).reset_index()
    second = ordered[ordered.duplicated(names[0])].drop_duplicates(names[0])
    most = first["share"].reindex(pd.Index(second[names[0]])).to_numpy()
    tied = second.loc[second["share"].to_numpy() == most, names[0]]
    fits = pd.DataFrame(best[[*names, "share"]])
    at = int(fits["share"].to_numpy().argmin())
    worst = str(fits[names[0]].iloc[at]), float(fits["share"].iloc[at])
    fits.attrs["report"] = FitReport(
        areas=len(fits),
        several=int((fits["share"] < 1).sum()),
        mean_share=float(fits["share"].mean()),
        lowest=worst if worst[1] < 1 else None,
        tied=tuple(str(code) for code in tied),
        weighted_by=weight or "number of parts",
    )
    return fits


def _ordered(parts: pd.DataFrame, source: str, target: str) -> pd.DataFrame:
    """Return pairs of areas with the share of the source, the greatest first."""
    total = parts.groupby(source)["weight"].transform("sum")
    parts = parts.assign(weight=parts["weight"].where(total > 0, 1.0))
    pairs = parts.groupby([source, target], sort=False)["weight"].sum().reset_index()
    pairs["share"] = pairs["weight"] / pairs.groupby(source)["weight"].transform("sum")
    return pairs.sort_values(["share", target], ascending=[False, True], kind="stable")


def _column_of(table: pd.DataFrame, level: str) -> str:
    if f"{level}_code" in table.columns:
        return f"{level}_code"
    check_columns(table.columns, [level], where="The table of parts")
    return level


def _weights(parts: pd.DataFrame, weight: str) -> pd.Series[Any]:
    check_columns(parts.columns, [weight], where="The table of parts")
    weights = pd.to_numeric(parts[weight], errors="coerce").astype("float64")
    text = int((weights.isna() & parts[weight].notna()).sum())
    if text:
        msg = f"{text:,} values of {weight!r} are no numbers. Correct them."
        raise ColumnError(msg)
    wrong = int(((weights < 0) | np.isinf(weights)).sum())
    if wrong:
        msg = f"{wrong:,} values of {weight!r} are below zero or infinite. Correct them."
        raise ColumnError(msg)
    return weights
