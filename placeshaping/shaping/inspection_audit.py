"""The audit of an inspection list by deprivation decile, and how fine it may be told."""

from __future__ import annotations

from typing import Any

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import UnmatchedError
from placeshaping.statistics.rates import wilson_interval

FEWEST = 5
"""Properties that a row of a page must tell of, listed and not, unless none is listed."""


def decile_of_each(properties: pd.DataFrame, deciles: pd.Series[Any]) -> pd.Series[int]:
    """
    Look up the deprivation decile of each property's area.

    Parameters
    ----------
    properties
        With ``area_code``.
    deciles
        By area code.

    Returns
    -------
    decile
        Index of `properties`.

    Raises
    ------
    UnmatchedError
        If areas have no decile.

    Examples
    --------
    >>> decile_of_each(pd.DataFrame({"area_code": ["x"]}, ["a"]), pd.Series({"x": 3}))["a"]
    np.int64(3)
    """
    decile = properties["area_code"].map(deciles)
    if decile.isna().any():
        lost = properties.loc[decile.isna(), "area_code"].unique()
        msg = f"{len(lost):,} areas have no decile ({listed(list(lost))}). Add them, or recode."
        raise UnmatchedError(msg)
    return decile.astype("int64")


def compare_deciles(audit: pd.DataFrame) -> pd.DataFrame:
    """
    Set the share listed beside its interval and beside that of all.

    Parameters
    ----------
    audit
        ``properties``, ``listed`` and ``chance``, a row a decile.

    Returns
    -------
    compared
        With ``per_100``, ``low`` and ``high`` (Wilson, 95 %) and ``ratio``.

    Examples
    --------
    >>> rows = pd.DataFrame({"properties": [4, 4], "listed": [1, 0], "chance": [0.5, None]})
    >>> compare_deciles(rows)["ratio"].tolist()
    [2.0, 0.0]
    """
    limits = wilson_interval(audit["listed"], audit["properties"])
    overall = audit["listed"].sum() / audit["properties"].sum()
    share = audit["listed"] / audit["properties"]
    return audit.assign(
        per_100=share * 100, low=limits["lower"] * 100, high=limits["upper"] * 100,
        ratio=share / overall,
    )[["properties", "listed", "per_100", "low", "high", "ratio", "chance"]]  # fmt: skip


def coarsen_audit(audit: pd.DataFrame) -> pd.DataFrame:
    """
    Join neighbouring deciles until no row tells of a few properties.

    For a page that names no property: a row with one listed property, or with
    one property alone, tells of that one to whoever knows the place.

    Parameters
    ----------
    audit
        From `audit_inspections`.

    Returns
    -------
    coarser
        The same columns; index ``decile`` in words (``"1"``, ``"8 to 10"``).
        Every row has none or at least five properties listed, and at least
        five that are not. Sums are those of `audit`.

    Raises
    ------
    ColumnError
        If the table is not one of `audit_inspections`.

    Examples
    --------
    >>> audit = pd.DataFrame(
    ...     {"properties": [40, 30, 30], "listed": [9, 5, 1], "chance": [0.5, 0.4, 0.1]},
    ...     index=pd.Index([1, 2, 3], name="decile"),
    ... )
    >>> coarsen_audit(audit)[["properties", "listed", "chance"]]
            properties  listed  chance
    decile
    1               40       9    0.50
    2 to 3          60       6    0.35
    """
    check_columns(audit.columns, ["properties", "listed", "chance"], where="The audit")
    groups: list[list[Any]] = []
    for decile in audit.index:
        if groups and not _enough(audit.loc[groups[-1]]):
            groups[-1].append(decile)
        else:
            groups.append([decile])
    while len(groups) > 1 and not _enough(audit.loc[groups[-1]]):
        last = groups.pop()
        groups[-1] += last
    chances = (audit["chance"] * audit["listed"]).fillna(0)
    rows = [
        {
            "decile": str(one[0]) if len(one) == 1 else f"{one[0]} to {one[-1]}",
            "properties": audit.loc[one, "properties"].sum(),
            "listed": audit.loc[one, "listed"].sum(),
            "chance": chances.loc[one].sum(),
        }
        for one in groups
    ]
    joined = pd.DataFrame(rows).set_index("decile")
    return compare_deciles(
        joined.assign(chance=joined["chance"] / joined["listed"].where(lambda n: n > 0))
    )


def _enough(part: pd.DataFrame) -> bool:
    """Say whether a row of these deciles tells of no few properties."""
    named = int(part["listed"].sum())
    rest = int(part["properties"].sum()) - named
    return (named == 0 or named >= FEWEST) and rest >= FEWEST
