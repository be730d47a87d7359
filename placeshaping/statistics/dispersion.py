"""Which areas drive a change: dispersion analysis after Ratcliffe (2010)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import (
    check_choice,
    check_labelled,
    check_result,
    check_unique,
    listed,
)
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import Names, name_areas, uncapitalised
from placeshaping.statistics._counts import aligned

SMALL_NET = 0.2
"""Share of all rises and falls below which a net change says little of its drivers."""


def change_dispersion(
    before: pd.Series[float],
    after: pd.Series[float],
    *,
    direction: Literal["increase", "decrease"] = "increase",
    method: Literal["match", "remove"] = "match",
) -> pd.DataFrame:
    """
    Tell how few areas would undo the change of the whole, and which.

    The areas are taken in the order of their change, largest first, until the
    whole no longer rises. The share of areas that this takes is the offence
    dispersion index: near 0 where a few areas drive the change, up to 1 where
    all do. The areas that rose as well and were not needed, as a share, are
    the non-contributory dispersion index (Ratcliffe 2010, "The spatial
    dependency of crime increase dispersion", Security Journal 23). No test
    stands behind either: chance makes some areas rise in any year.

    Parameters
    ----------
    before, after
        Events of each area in two periods of equal length.
    direction
        Whether a rise or a fall of the whole is looked into.
    method
        ``"match"`` undoes an area's change; ``"remove"`` leaves the area out.

    Returns
    -------
    dispersion
        Index of `before`; columns ``before``, ``after``, ``difference``,
        ``order`` (1 = largest change in `direction`; ties in the order of the
        input), ``remaining`` (change of the whole once this area and those
        before it are undone), ``remaining_percent``, ``contributes``.
        ``attrs``: ``odi``, ``ncdi``, ``contributing``, ``changed`` (areas that
        changed that way), ``change``, ``moved`` (sum of all rises and falls),
        ``percent``, ``method``, ``cautions``. Where the whole
        did not change in `direction`, no area contributes and both indices
        are missing.

    Raises
    ------
    InputError
        If a count is negative or missing, or an area has no counterpart.
    DuplicateError
        If an area stands twice.
    EmptyError
        If there are no areas.

    Examples
    --------
    >>> areas = ["a", "b", "c", "d"]
    >>> before, after = pd.Series([10, 20, 30, 5], areas), pd.Series([40, 25, 20, 9], areas)
    >>> table = change_dispersion(before, after)
    >>> table[["difference", "order", "remaining", "contributes"]]
       difference  order  remaining  contributes
    a          30      1         -1         True
    b           5      2         -6        False
    c         -10      4          0        False
    d           4      3        -10        False
    >>> table.attrs["odi"], table.attrs["ncdi"]
    (0.25, 0.5)
    """
    check_choice(direction, ["increase", "decrease"], name="direction")
    check_choice(method, ["match", "remove"], name="method")
    for series, name in ((before, "before"), (after, "after")):
        check_labelled(series, name=name)
        check_unique(series.index, where=name)
    if not len(before):
        msg = "There are no areas. Check the selection that made the counts."
        raise EmptyError(msg)
    extra = after.index[~after.index.isin(before.index)]
    first, second, index = aligned(before, after, names=("counts", "later counts"))
    if len(extra) or np.isnan(first).any() or np.isnan(second).any():
        lost = [*extra, *index[np.isnan(first) | np.isnan(second)]]
        msg = f"{len(lost):,} areas lack a count in one period ({listed(lost)}). Give both."
        raise InputError(msg)
    sign = 1 if direction == "increase" else -1
    difference = second - first
    order = np.argsort(-sign * difference, kind="stable")
    remaining = difference.sum() - np.cumsum(difference[order])
    left = first.sum() - (np.cumsum(first[order]) if method == "remove" else 0.0)
    start = sign * difference.sum()
    needed = int((sign * remaining > 0).sum()) + 1 if start > 0 else 0
    table = pd.DataFrame(
        {"before": pd.to_numeric(before), "after": pd.to_numeric(after).reindex(index)}, index=index
    )
    table["difference"] = table["after"] - table["before"]
    place = np.empty(len(index), dtype=np.int64)
    place[order] = np.arange(1, len(index) + 1)
    table["order"] = place
    table["remaining"] = remaining[place - 1].astype(table["difference"].dtype)
    percent = np.divide(
        100 * remaining, left, out=np.full(len(index), np.nan), where=np.asarray(left) > 0
    )
    table["remaining_percent"] = percent[place - 1]
    table["contributes"] = place <= needed
    changed = int((sign * difference > 0).sum())
    table.attrs = {
        "odi": needed / len(index) if needed else float("nan"),
        "ncdi": (changed - needed) / len(index) if needed else float("nan"),
        "contributing": needed,
        "changed": changed,
        "change": float(difference.sum()),
        "moved": float(np.abs(difference).sum()),
        "percent": float(100 * difference.sum() / first.sum()) if first.sum() > 0 else float("nan"),
        "direction": direction,
        "cautions": tuple(_cautions(difference)),
        "method": f"Dispersion analysis (Ratcliffe 2010), method {method!r}.",
    }
    return table


def describe_dispersion(
    table: pd.DataFrame,
    *,
    what: str = "recorded crime",
    names: Names | None = None,
    most: int = 5,
) -> str:
    """
    Say in a paragraph whether a few areas drove the change, or all of them.

    Parameters
    ----------
    table
        From `change_dispersion`.
    what
        What was counted.
    names
        Area code -> name; codes stand where there is none.
    most
        How many areas to name.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> areas = ["a", "b", "c", "d"]
    >>> before, after = pd.Series([10, 20, 30, 5], areas), pd.Series([40, 25, 20, 9], areas)
    >>> print(describe_dispersion(change_dispersion(before, after)))
    The rise in recorded crime (29 more, 45 %) comes down to 1 of 4 areas: had it stayed as ...
    """
    check_result(
        table,
        made_by="change_dispersion",
        columns=["contributes", "order"],
        facts=["direction", "contributing", "changed", "change"],
    )
    facts = table.attrs
    rise = facts["direction"] == "increase"
    word, more = ("rise", "more") if rise else ("fall", "fewer")
    if not facts["contributing"]:
        return f"There is no overall {word} in {uncapitalised(what)}, so no area drives one."
    drivers = name_areas(table[table["contributes"]].sort_values("order").index, names)
    few = facts["contributing"]
    share = f", {abs(facts['percent']):.0f} %" if np.isfinite(facts["percent"]) else ""
    it, they = ("it", "It is") if few == 1 else ("they", "They are")
    text = (
        f"The {word} in {uncapitalised(what)} ({abs(facts['change']):,.0f} {more}{share}) comes "
        f"down to {few:,} of {len(table):,} areas: had {it} stayed as before, there would be no "
        f"{word} overall. {they} {listed(drivers, most=most)}. "
    )
    others = facts["changed"] - few
    text += (
        f"{others:,} other areas {'rose' if rise else 'fell'} too, and others made up for them. "
    )
    told = " ".join([*facts["cautions"], ""])
    return text + told + "Some areas rise and some fall by chance in any period."


def _cautions(difference: NDArray[np.float64]) -> Iterator[str]:
    net, moved = abs(float(difference.sum())), float(np.abs(difference).sum())
    if 0 < net < SMALL_NET * moved:
        yield (
            f"The net change is small beside the {moved:,.0f} by which areas went up and down, so "
            "that which of them made it says little."
        )
