"""Checks of tables of units that a fairness audit is made from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping._core.errors import InputError, UnmatchedError

Floats = NDArray[np.float64]


def check_numbers(table: pd.DataFrame, name: str) -> None:
    """Refuse a table with numbers that are missing or below zero."""
    numbers = table.to_numpy(dtype=float)
    wrong = int((~np.isfinite(numbers) | (numbers < 0)).sum())
    if wrong or not numbers.size:
        msg = f"{name} has {wrong:,} numbers that are missing or below zero. Correct them first."
        raise InputError(msg)


def of_units(table: pd.DataFrame, units: pd.Index, name: str) -> Floats:
    """Return the rows of some units as numbers, in their order; refuse if one lacks."""
    missing = units.difference(table.index)
    if len(missing):
        msg = f"{name} lacks {len(missing):,} of {len(units):,} units ({listed(list(missing))})."
        raise UnmatchedError(msg)
    check_numbers(table.loc[units], name)
    return table.loc[units].to_numpy(dtype=float)
