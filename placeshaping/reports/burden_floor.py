"""
The floor under a burden audit: no group of few residents stands alone, and numbers are rounded.

Groups of few are put together with others, so that nothing is left that a sum
would give back; shares and ratios are worked out from the rounded numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from placeshaping._core.columns import column_tags, tag_columns

FEWEST_RESIDENTS = 20
"""Groups of whom fewer live in the district or in what is flagged, but some, never stand alone."""

ROUNDING = 5
"""Numbers of residents are rounded to it before anything is worked out from them."""

_TWO = 100


def together(residents: pd.Series[float], flagged: pd.Series[float]) -> dict[str, str]:
    """
    Say which groups are put together, because too few residents are in one of them.

    Parameters
    ----------
    residents, flagged
        Residents of each group in all, and in what is flagged; the index
        holds the groups.

    Returns
    -------
    labels
        Group -> its name on products: its own, or those of several joined by
        a plus sign.

    Examples
    --------
    >>> residents = pd.Series({"White": 900.0, "Asian": 400.0, "Mixed": 60.0, "Other": 30.0})
    >>> flagged = pd.Series({"White": 90.0, "Asian": 80.0, "Mixed": 19.0, "Other": 0.0})
    >>> together(residents, flagged)
    {'White': 'White', 'Asian': 'Asian + Mixed', 'Mixed': 'Asian + Mixed', 'Other': 'Other'}
    """
    order = [str(group) for group in residents.index]
    numbers = {g: (float(residents[g]), float(flagged[g])) for g in residents.index}
    held = {group for group, pair in numbers.items() if any(0 < n < FEWEST_RESIDENTS for n in pair)}
    # by residents in all, so that from release to release the same groups go together
    rest = sorted(set(numbers) - held, key=lambda g: (numbers[g][1] == 0, numbers[g]))
    while rest and held and _few(held, numbers):
        held.add(rest.pop(0))
    name = " + ".join(group for group in order if group in held)
    return {group: name if group in held else group for group in order}


def _few(held: set[str], numbers: Mapping[str, tuple[float, float]]) -> bool:
    """Tell whether groups together still hold few residents."""
    sums = np.sum([numbers[group] for group in held], axis=0)
    return len(held) == 1 or bool(((sums > 0) & (sums < FEWEST_RESIDENTS)).any())


def put_together(people: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """
    Add up the columns of groups that are put together.

    Parameters
    ----------
    people
        Indexed by small area, one column a group.
    labels
        From `together`.

    Returns
    -------
    people
        One column a label, in the order of the groups, tagged as they are.

    Examples
    --------
    >>> people = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]})
    >>> put_together(people, {"a": "a + c", "b": "b", "c": "a + c"}).to_dict("list")
    {'a + c': [6, 8], 'b': [3, 4]}
    """
    tags = column_tags(people)
    groups = {label: [g for g in labels if labels[g] == label] for label in labels.values()}
    table = pd.DataFrame({label: people[found].sum(axis=1) for label, found in groups.items()})
    kept = {label: tags[found[0]] for label, found in groups.items() if found[0] in tags}
    tag_columns(table, kept)
    return table


def tell_burden(burden: pd.DataFrame, flagged: pd.Series[float]) -> pd.DataFrame:
    """
    Work a burden out from rounded numbers of residents.

    Parameters
    ----------
    burden
        From `fairness.burden_audit`, of groups that `together` has named.
    flagged
        Residents of each group in what is flagged.

    Returns
    -------
    burden
        With ``residents`` and ``flagged_residents`` rounded; ``share``,
        ``flagged_share`` and ``burden_ratio`` worked out from them; limits of
        intervals to two decimals, outwards, so that each holds its ratio.

    Examples
    --------
    >>> index = pd.Index(["a", "b"], name="group")
    >>> table = pd.DataFrame({"residents": [101.0, 202.0], "share": 0.0, "flagged_share": 0.0,
    ...                       "burden_ratio": 0.0, "lower": [1.234, 0.5], "upper": [1.8, 0.9],
    ...                       "screened": False}, index)
    >>> told = tell_burden(table, pd.Series([51.0, 49.0], index))
    >>> told["burden_ratio"].round(4).tolist()
    [1.5, 0.75]
    """
    told = burden.copy()
    told["residents"] = _rounded(burden["residents"])
    told.insert(1, "flagged_residents", _rounded(flagged.reindex(burden.index)))
    told["share"] = told["residents"] / told["residents"].sum()
    told["flagged_share"] = told["flagged_residents"] / told["flagged_residents"].sum()
    told["burden_ratio"] = told["flagged_share"] / told["share"].where(told["share"] > 0)
    _limit(told, "burden_ratio", "")
    if "per_crime_ratio" in told:
        told["per_crime_ratio"] = told["per_crime_ratio"].round(2)
        _limit(told, "per_crime_ratio", "per_crime_")
    return told


def _rounded(numbers: pd.Series[float]) -> pd.Series[float]:
    return (numbers / ROUNDING).round() * ROUNDING


def _limit(told: pd.DataFrame, ratio: str, prefix: str) -> None:
    """Round the limits of an interval outwards, and let it hold its ratio."""
    lower = np.fmin(told[f"{prefix}lower"], told[ratio]) * _TWO
    upper = np.fmax(told[f"{prefix}upper"], told[ratio]) * _TWO
    told[f"{prefix}lower"] = np.floor(lower.round(6)) / _TWO
    told[f"{prefix}upper"] = np.ceil(upper.round(6)) / _TWO
