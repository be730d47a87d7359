"""
Measures of areas that count no records: travel times and names, and no counts in their place.

Such a file is let pass with numbers of its own, so whoever wants to carry
counts out would call them minutes. Travel comes with decimals and names have
letters: whole numbers and bare figures are what counts look like.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from placeshaping._core.checks import listed
from placeshaping.verify.cells import numbers_of
from placeshaping.verify.contents import Contents, Table
from placeshaping.verify.rules import FACT_COLUMNS, Rules
from placeshaping.verify.verdict import Breach, number_of

_NAMES = ("nearest", "nearest_before")
_FEWEST = 5


def check_facts(contents: Contents, rules: Rules) -> Iterator[Breach]:
    """
    Look for counts that call themselves travel, where measures may leave and counts may not.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.verify.rules import RULES
    >>> table = Table("lsoa", pd.DataFrame({"minutes": [3, 14, 15, 92, 65]}))
    >>> [one.what for one in check_facts(Contents("csv", tables=[table]), RULES["facts"])]
    ["the column 'minutes' holds whole numbers, which look like counts"]
    """
    if rules.protects or rules.counts_shown:
        return
    for table in contents.tables:
        if not table.written_for_readers and table.frame.columns.is_unique:
            yield from _whole(table)
            yield from _figures(table)


def _whole(table: Table) -> Iterator[Breach]:
    for column in (c for c in FACT_COLUMNS if c in table.frame and c not in _NAMES):
        known = numbers_of(table.frame[column])
        known = known[np.isfinite(known)]
        if len(known) >= _FEWEST and (known == np.rint(known)).all():
            what = f"the column {column!r} holds whole numbers, which look like counts"
            yield Breach(table.where, what, listed([f"{one:g}" for one in known]), "facts")


def _figures(table: Table) -> Iterator[Breach]:
    for column in (c for c in _NAMES if c in table.frame):
        names = table.frame[column].dropna().astype(str)
        bare = names[(names.str.strip() != "") & ~names.str.contains(r"[^\W\d_]{2}")]
        if len(bare):
            what = f"{number_of(len(bare), 'name')} in {column!r} without letters"
            yield Breach(table.where, what, listed(list(bare)), "facts")
