"""
What the ledger keeps of an evaluation: the totals that its report tells.

The treated areas, each ring and the comparison areas are known by what they
are made of, before and after, and in each block of the series. A total of
several groups is the sum of rounded numbers, and is known so much the less.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from placeshaping.disclosure.ledger.entry import CELLS, MEMBERS, LedgerEntry
from placeshaping.disclosure.panels import ProtectedPanel
from placeshaping.disclosure.policies import Policy
from placeshaping.shaping.evaluation import Panel

LEVEL = "evaluated"


def entries_of_panel(
    protected: ProtectedPanel,
    roles: pd.Series[str],
    *,
    parts: Mapping[str, Sequence[str]],
    categories: Sequence[str],
    dataset: str,
    title: str,
    made_on: dt.date,
) -> list[LedgerEntry]:
    """
    Say what readers of an evaluation know.

    Parameters
    ----------
    protected
        What the report is worked out from.
    roles
        Of each single area, before areas were put together.
    parts
        Area -> the smallest areas that it is made of; itself where it has none.
    categories
        Counted together.
    dataset
        Name of the records.
    title, made_on
        Of the report.

    Returns
    -------
    entries
        One for all totals of as many groups, since a ledger knows all numbers
        of an entry to within the same error.

    Examples
    --------
    >>> from placeshaping.disclosure.panels import protect_panel
    >>> from placeshaping.disclosure.policies import POLICIES
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "count": [9, 3, 2, 21, 6, 2, 4, 19],
    ...                        "period": ["2024-01-01"] * 4 + ["2024-02-01"] * 4})
    >>> panel = make_panel(counts, treated=["a"], start="2024-02-01")
    >>> protected = protect_panel(panel, policy=POLICIES["councillor"])
    >>> entries = entries_of_panel(protected, panel.roles, parts={}, categories=["Burglary"],
    ...                            dataset="Crime", title="Lights", made_on=dt.date(2024, 3, 1))
    >>> [(entry.policy.rounding, entry.cells["count"].tolist()) for entry in entries]
    [(5, [10, 5]), (9, [25, 25])]
    """
    rows = [*_whole(protected), *([] if protected.blocks is None else _series(protected.blocks))]
    table = pd.DataFrame(rows, columns=["groups", "area_code", "first", "last", "count"])
    category = ", ".join(categories)
    table = table.assign(
        level=LEVEL, category=category, status="shown", threshold=protected.threshold
    ).drop_duplicates(["area_code", "first", "last"])
    made_of = [("category", category, one) for one in categories if len(categories) > 1]
    for area, role in roles.items():
        made_of += [("area", str(role), part) for part in parts.get(str(area), [str(area)])]
    members = pd.DataFrame(made_of, columns=MEMBERS, dtype=str)
    return [
        LedgerEntry(
            dataset,
            title,
            made_on,
            _known_to(protected.policy, int(str(groups))),
            own[CELLS].astype({"count": "Int64"}).reset_index(drop=True),
            members,
        )
        for groups, own in table.groupby("groups")
    ]


def _known_to(policy: Policy, groups: int) -> Policy:
    """Return rules whose rounding is the error of the sum of so many rounded numbers."""
    if groups == 1 or not policy.protects:
        return policy
    rounding = 2 * (policy.rounding // 2 * groups) + 1
    least = -(-policy.threshold // rounding) * rounding  # under which this rounding may stand
    return replace(policy, rounding=rounding, threshold=least)


def _whole(protected: ProtectedPanel) -> Iterator[tuple[int, str, str, str, int]]:
    panel = protected.whole
    eve = panel.start - pd.DateOffset(months=1)
    spans = [(protected.first, eve), (panel.start, protected.last)]
    for role, groups in panel.roles.value_counts(sort=False).items():
        for (first, last), after in zip(spans, (False, True), strict=True):
            total = int(panel.total(str(role), after=after))
            yield int(groups), str(role), f"{first:%Y-%m}", f"{last:%Y-%m}", total


def _series(blocks: Panel) -> Iterator[tuple[int, str, str, str, int]]:
    for role, groups in blocks.roles.value_counts(sort=False).items():
        totals = blocks.of(str(role)).sum(axis=0)
        for first, total in zip(pd.DatetimeIndex(blocks.counts.columns), totals, strict=True):
            last = first + pd.DateOffset(months=blocks.months - 1)
            yield int(groups), str(role), f"{first:%Y-%m}", f"{last:%Y-%m}", int(total)
