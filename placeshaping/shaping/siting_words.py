"""What a choice of sites does, in words for people who are not statisticians."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placeshaping.shaping._siting_tables import SitingPlan


def describe_siting(plan: SitingPlan, *, what: str = "sites", people: str = "residents") -> str:
    """
    Say in a paragraph what a choice of sites does, and how good it is.

    Parameters
    ----------
    plan
        From `p_median`, `p_centre`, `maximal_covering` or `set_covering`.
    what
        Name of the facilities.
    people
        Name of what demand counts.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> from placeshaping.shaping.siting import p_median
    >>> from placeshaping.shaping.travel import costs_from_table
    >>> areas, places = pd.Index(["a", "b"]), pd.Index(["x"])
    >>> pairs = pd.DataFrame({"origin": ["a", "b"], "service": ["x", "x"], "cost": [4.0, 9.0]})
    >>> costs = costs_from_table(pairs, areas, places)
    >>> plan = p_median(pd.Series(10, index=areas), costs, sites=1)
    >>> describe_siting(plan, what="libraries")
    'With these libraries (1 in all) ... None of as many would do better.'
    """
    after = _state(plan.areas, plan.unit)
    text = (
        f"With these {what} ({len(plan.sites):,} in all) {people} have {after[0]:.1f} {plan.unit} "
        f"to the nearest one on average, and at most {after[1]:.1f}"
    )
    if plan.before is not None:
        before = _state(plan.areas, f"{plan.unit}_before")
        text += f"; today it is {before[0]:.1f} and {before[1]:.1f}"
    text += ". "
    if plan.within is not None:
        share = _share(plan.areas, plan.areas["covered"])
        text += f"{share:.1%} of {people} are within {plan.within:g} {plan.unit}"
        if plan.before is not None:
            text += f", today {_share(plan.areas, plan.areas['covered_before']):.1%}"
        text += ". "
    if plan.proven:
        last = (
            "Fewer would not do." if plan.measure == "sites" else "None of as many would do better."
        )
        return text + last
    return text + f"Another choice could be better by {plan.gap:.1%} at most."


def _state(areas: pd.DataFrame, column: str) -> tuple[float, float]:
    """Return the mean and the largest cost of those with demand who reach a site."""
    used = areas[(areas["demand"] > 0) & areas[column].notna()]
    if not len(used):
        return float("nan"), float("nan")
    return float(np.average(used[column], weights=used["demand"])), float(used[column].max())


def _share(areas: pd.DataFrame, covered: pd.Series[bool]) -> float:
    return float(areas["demand"][covered].sum() / areas["demand"].sum())
