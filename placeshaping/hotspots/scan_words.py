"""Clusters of a scan in words, for people who are not statisticians."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from placeshaping._core.checks import check_columns
from placeshaping._core.words import Names, in_plural, name_areas

_NEEDED = ("centre", "radius", "areas", "start", "end", "observed", "expected", "p_value")

FAINT = 0.05
"""From this p-value on a cluster is said to be no more than chance may bring."""


def scan_sentences(
    clusters: pd.DataFrame, *, what: str = "records", names: Names | None = None
) -> pd.Series[str]:
    """
    Say of each cluster in a sentence or two where it is, how large, and how sure.

    A place is named with what was found there and not judged.

    Parameters
    ----------
    clusters
        From `scan`.
    what
        What was counted: ``"burglaries"``, ``"shoplifting"``.
    names
        Area code -> name; codes stand where there is none.

    Returns
    -------
    sentences
        Indexed by ``rank``.

    Raises
    ------
    ColumnError
        If `clusters` lacks a column.

    Examples
    --------
    >>> row = {"centre": "a", "radius": 1200.0, "areas": 12, "start": None, "end": None,
    ...        "observed": 107, "expected": 67.5, "p_value": 0.001, "recurrence": float("nan")}
    >>> print(scan_sentences(pd.DataFrame([row], index=[1]), names={"a": "Marsh 001A"}).loc[1])
    Around Marsh 001A (12 areas within 1.2 km): 107 records, where 67.5 were expected. About 1
    in 1,000 maps drawn at random holds one as strong somewhere.
    """
    check_columns(clusters.columns, _NEEDED, where="clusters")
    simulations = clusters.attrs.get("simulations")
    told = name_areas(clusters["centre"], names)
    texts = [
        f"{_where(row, name)}{_when(row)}: {row['observed']:,} {in_plural(what)}, where "
        f"{row['expected']:,.1f} were expected. {_sure(row, simulations)}"
        for name, row in zip(told, clusters.to_dict("records"), strict=True)
    ]
    return pd.Series(texts, index=clusters.index, name="sentence", dtype="str")


def _where(row: Mapping[Any, Any], name: str) -> str:
    if row["areas"] == 1:
        return f"In {name}"
    reach = (
        f"{row['radius'] / 1000:,.1f} km" if row["radius"] >= 1000 else f"{row['radius']:,.0f} m"
    )
    return f"Around {name} ({row['areas']:,} areas within {reach})"


def _when(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["start"]):
        return ""
    start, end = (_label(row[side]) for side in ("start", "end"))
    return f", in {start}" if start == end else f", from {start} to {end}"


def _label(step: Any) -> str:
    if not isinstance(step, pd.Timestamp):
        return str(step)
    return f"{step:%B %Y}" if step.day == 1 else f"{step.day} {step:%B %Y}"


def _sure(row: Mapping[Any, Any], simulations: int | None) -> str:
    p_value = row["p_value"]
    if p_value > FAINT:
        return f"Chance alone often brings as much (p = {p_value:.2f}): nothing follows from it."
    if simulations and p_value * (simulations + 1) < 1.5:
        text = f"None of {simulations:,} maps drawn at random held as strong a cluster anywhere."
    else:
        text = f"About 1 in {1 / p_value:,.0f} maps drawn at random holds one as strong somewhere."
    recurrence = row.get("recurrence")
    if recurrence is None or pd.isna(recurrence):
        return text
    return f"{text} Looking anew at every step, chance brings one in {recurrence:,.0f} steps."
