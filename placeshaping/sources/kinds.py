"""What a file can serve as, told from its names and columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import pandas as pd

from placeshaping._core.codes import level_of
from placeshaping.sources.archives import list_members, looks_zipped
from placeshaping.sources.code_columns import own_code_columns
from placeshaping.sources.deprivation import find_deprivation_columns
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.populations import find_own_codes, find_population_columns
from placeshaping.sources.tabular import read_table

Kind = Literal["police", "services", "boundaries", "deprivation", "population", "lookup", "unknown"]


def kind_of(path: Path) -> Kind:
    """
    Tell what a file can serve as, from its names and columns.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.

    Returns
    -------
    kind
        One of `Kind`.

    Raises
    ------
    FileFormatError, EmptyError
        If it cannot be read as a table.
    """
    packed = path.suffix.casefold() == ".zip" or looks_zipped(path)
    if path.is_dir() or (packed and path.suffix.casefold() not in {".xlsx", ".xlsm"}):
        names = [member.name.casefold() for member in list_members(path)]
        if any(name.endswith("-street.csv") for name in names):
            return "police"
    if path.is_dir():
        return "unknown"
    return _kind_of_table(read_table(path))


def _kind_of_table(table: pd.DataFrame) -> Kind:
    names = [str(name) for name in table.columns]
    folded = {name.strip().casefold() for name in names}
    if {"crime type", "month"} <= folded:
        return "police"
    if any(name.startswith("imd_") for name in find_deprivation_columns(names)) or any(
        name.startswith("uk_imd_") for name in folded
    ):
        return "deprivation"
    roles = guess_columns(table)
    placed = {"longitude", "easting"} & set(roles)
    levels = levels_held(table)
    if "postcode" in roles and levels and table[roles["postcode"]].is_unique and len(levels) > 1:
        return "lookup" if folded & {"pcds", "pcd", "pcd2", "pcd7", "pcd8"} else "services"
    if placed or "postcode" in roles:
        return "services"
    ages = sum(bool(re.fullmatch(r"\d{1,3}\+?", name)) for name in names)
    if levels and (find_population_columns(names) or ages >= 10):
        return "population"
    if levels and not {"date", "count"} & set(roles):
        return "lookup"
    if "date" not in roles and find_population_columns(names) and find_own_codes(table):
        return "population"
    if not {"date", "count"} & set(roles) and leads_on(table):
        return "lookup"
    return "services" if "area_code" in roles and "date" in roles else "unknown"


def levels_held(table: pd.DataFrame) -> dict[str, str]:
    """
    Return the columns of area codes: column to level.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.

    Returns
    -------
    levels
        Column name to level.

    Examples
    --------
    >>> levels_held(pd.DataFrame({"LSOA21CD": ["E01000001"], "MSOA21CD": ["E02000001"]}))
    {'LSOA21CD': 'lsoa', 'MSOA21CD': 'msoa'}
    """
    held = {}
    for name in table.columns:
        known = table[name].dropna().head(1_000).astype("str")
        if known.empty:
            continue
        levels = known.map(level_of)
        top = str(levels.mode().iloc[0])
        if top != "area" and bool((levels == top).mean() >= 0.8):
            held[str(name)] = top
    return held


def leads_on(table: pd.DataFrame) -> bool:
    """
    Tell whether a table leads from a council's own areas to larger ones.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.

    Returns
    -------
    lookup
        Whether it has two or more columns of codes, and one of its own names
        each row.

    Examples
    --------
    >>> leads_on(pd.DataFrame({"beat_code": ["B1", "B2"], "sector_code": ["S1", "S1"]}))
    True
    """
    own = own_code_columns([str(name) for name in table.columns])
    named = any(table[name].notna().all() and table[name].is_unique for name in own)
    return named and len({*own, *levels_held(table)}) > 1
