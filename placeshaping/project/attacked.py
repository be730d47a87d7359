"""What the attack on written products found, as cells that the next turn hides."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.release import Release

Key = tuple[str, str, tuple[int, int] | str]


def hidden_further(
    findings: Sequence[Sequence[Key]], released: Release, hidden: Collection[HiddenCell]
) -> frozenset[HiddenCell]:
    """
    Choose a cell to hide for each count that comes back: the smallest that is shown of its proof.

    Parameters
    ----------
    findings
        For each count that comes back, the published cells that it rests on.
    released
        What was attacked.
    hidden
        Cells that are hidden for that reason already.

    Returns
    -------
    hidden
        Those and the new ones; empty where hiding cells would not help: a
        finding rests on none, or nothing new was found to hide.

    Examples
    --------
    >>> hidden_further([()], None, [])
    frozenset()
    """
    if not all(findings):
        return frozenset()
    shown = _shown(released)
    chosen = set(hidden)
    for keys in findings:
        cells = [(shown[key], key) for key in keys if key in shown]
        if cells:
            chosen.add(min(cells, key=lambda one: one[0])[0][1])
    return frozenset(chosen) if len(chosen) > len(hidden) else frozenset()


def _shown(released: Release) -> dict[Key, tuple[int, HiddenCell]]:
    """Return the cells that are shown and not zero: their counts and what they are called."""
    months = {
        p.label: (p.first.year * 12 + p.first.month - 1, p.last.year * 12 + p.last.month - 1)
        for p in released.periods
    }
    tables = [table.values.assign(level=level) for level, table in released.tables.items()]
    groups = released.deprivation
    if groups is not None:
        codes = groups.name + " " + groups.values[groups.name].astype(str)
        tables.append(groups.values.assign(level=groups.name, area_code=codes))
    found: dict[Key, tuple[int, HiddenCell]] = {}
    for table in tables:
        if "count" not in table:
            continue
        counts = pd.to_numeric(table["count"]).fillna(0).astype(int)
        rows = table[(table["status"] == "shown") & (counts > 0)]
        for level, area, period, category, count in zip(
            rows["level"], rows["area_code"].astype(str), rows["period"].astype(str),
            rows["category"].astype(str), counts[rows.index], strict=True,
        ):  # fmt: skip
            cell = (str(level), area, period, category)
            for when in (period, months[period]):
                found[area, category, when] = (int(count), cell)
    return found
