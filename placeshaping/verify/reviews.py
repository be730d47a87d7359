"""
Files of a ward review: electors of units and wards, and what is worked out from them.

A file declares that it holds one (``item = "review"``). What may stand in it is
listed here; electors are held to the threshold and the rounding, those of a
ward must be the sum of its units' as they are shown, and a variance must follow
from the electors beside it: one that does not tells of others.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from placeshaping._core.checks import listed
from placeshaping.verify.cells import cell_names, check_counts, numbers_of
from placeshaping.verify.contents import Contents
from placeshaping.verify.review_columns import ELECTORS, is_review
from placeshaping.verify.rules import Rules
from placeshaping.verify.verdict import Breach, number_of

_HALF = 5.1e-7
"""Half of the last decimal to which shares are written, and a little for rounding."""


def check_reviews(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Attack the tables of a file that holds a ward review.

    Parameters
    ----------
    contents
        What was read from the file.
    rules
        What it is held to.

    Yields
    ------
    breach
        For each thing that gives electors away.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.contents import Table
    >>> from placeshaping.verify.rules import RULES
    >>> table = Table("units", pd.DataFrame({"area_code": ["a"], "electors_now": [3]}))
    >>> contents = Contents("csv", {"item": "review", "policy": "public"}, [table])
    >>> [breach.what for breach in check_reviews(contents, RULES["public"])]
    ["1 number in 'electors_now' under 10"]
    """
    if not is_review(contents.declaration) or not rules.protects:
        return
    tables = [table for table in contents.tables if table.frame.columns.is_unique]
    units = next((t.frame for t in tables if t.where.casefold() == "units"), None)
    for table in tables:
        for column in ELECTORS:
            if column in table.frame:
                yield from check_counts(table, column, rules)
        if {"councillors", *ELECTORS} <= set(table.frame.columns):
            yield from _variances(table.where, table.frame)
            name = table.where.casefold().replace(" ", "_")
            if units is not None and name in units:
                yield from _sums(table.where, name, table.frame, units)


def _variances(where: str, wards: pd.DataFrame) -> Iterator[Breach]:
    """Look for variances that do not follow from the electors that are shown."""
    seats = numbers_of(wards["councillors"])
    for column in ELECTORS:
        name = column.replace("electors", "variance")
        if name not in wards:
            continue
        electors, given = numbers_of(wards[column]), numbers_of(wards[name])
        fair = seats * electors.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            own = (electors * seats.sum() - fair) / fair
        odd = ~(np.abs(given - own) <= _HALF)
        if odd.any():
            many = number_of(int(odd.sum()), "number")
            what = f"{many} in {name!r} not worked out from the electors that are shown"
            yield Breach(where, what, "; ".join(cell_names(wards, odd)), "review")


def _sums(where: str, name: str, wards: pd.DataFrame, units: pd.DataFrame) -> Iterator[Breach]:
    """Look for wards whose electors are not those of their units together."""
    key = next((one for one in ("area_code", "id") if one in wards), None)
    if key is None:
        return
    for column in ELECTORS:
        if column not in units:
            continue
        shown = pd.Series(numbers_of(units[column])).groupby(units[name].to_numpy()).sum()
        own = shown.reindex(wards[key].astype(str)).to_numpy()
        odd = ~(np.abs(numbers_of(wards[column]) - own) < 0.5)
        if odd.any():
            many = number_of(int(odd.sum()), "ward")
            what = f"{many} whose {column} are not the sum of the units that are shown"
            yield Breach(where, what, listed(cell_names(wards, odd)), "review")
