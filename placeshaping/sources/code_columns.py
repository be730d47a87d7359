"""Which column of a table holds area codes, and which level and census year its name states."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from placeshaping._core.checks import listed, near_names
from placeshaping._core.codes import Vintage, level_of, made_for_2021
from placeshaping._core.errors import ColumnError, VintageError

if TYPE_CHECKING:
    import pandas as pd

_LEVELS: tuple[tuple[str, str], ...] = (
    (r"oa", "oa"),
    (r"lsoa|dz|datazone|sdz", "lsoa"),
    (r"msoa|iz|intzone", "msoa"),
    (r"wd|ward|wards", "ward"),
    (r"lad|ltla|utla|la|ctyua|lauacd", "district"),
    (r"cty|county", "county"),
    (r"csp", "csp"),
    (r"pfa|policeforce", "police_force"),
)
_CENSUS = {"oa", "lsoa", "msoa"}
_GENERIC = ("area_code", "areacode", "geography_code", "geographycode", "gss_code", "gsscode",
            "ons_code", "geo_code", "geocode", "code")  # fmt: skip
_GENERIC_NAMES = ("area_name", "areaname", "geography_name", "geography", "geo_name", "name",
                  "label", "title")  # fmt: skip


@dataclass(frozen=True)
class CodeColumns:
    """
    Which columns hold the code and the name, and what the code's column says about it.

    Attributes
    ----------
    code, name
        Names of the columns; `name` is ``None`` where there is none.
    level
        The level that the column's name states, or ``None``.
    vintage
        ``"2011"`` or ``"2021"`` where the column's name states it.
    """

    code: str
    name: str | None
    level: str | None
    vintage: str | None


def find_code_columns(
    columns: Sequence[str], *, code: str | None = None, name: str | None = None, where: str
) -> CodeColumns:
    """
    Recognise the columns of code and name; of several levels the finest is taken.

    Failing those that are known, the only one named like ``beat_code`` is taken.

    Parameters
    ----------
    columns
        Names of the columns to use.
    code
        Column of codes; recognised where not given.
    name
        Column of names; recognised where not given.
    where
        Name of the file, for messages.

    Returns
    -------
    columns
        Code, name, level and vintage.

    Raises
    ------
    ColumnError
        If a named column is missing, or none is recognised.

    Examples
    --------
    >>> find_code_columns(["LSOA21CD", "LSOA21NM", "LADCD"], where="x.gpkg")
    CodeColumns(code='LSOA21CD', name='LSOA21NM', level='lsoa', vintage='2021')
    """
    for given in (code, name):
        if given is not None and given not in columns:
            near = near_names(given, columns)
            hint = f"Did you mean {listed(near)}?" if near else f"It has: {listed(columns)}."
            msg = f"{where} has no column {given!r}. {hint}"
            raise ColumnError(msg)
    chosen = code or _find_code(columns)
    if chosen is None:
        own = own_code_columns(columns)
        chosen = own[0] if len(own) == 1 else None
    if chosen is None:
        msg = (
            f"{where}: none of its columns looks like an area code ({listed(columns, most=12)}). "
            "Name it with code= (areas.code in a recipe)."
        )
        raise ColumnError(msg)
    level, year = _read_name(chosen)
    vintage = {"11": "2011", "21": "2021"}.get(year or "")
    if level not in _CENSUS:
        vintage = None
    return CodeColumns(chosen, name or _find_name(chosen, columns), level, vintage)


def own_code_columns(columns: Sequence[str]) -> list[str]:
    """
    Return the columns that are named like a council's own codes.

    Parameters
    ----------
    columns
        Names of columns.

    Returns
    -------
    own
        Those like ``beat_code`` or ``Patrol code``; no postcodes, no official levels.

    Examples
    --------
    >>> own_code_columns(["beat_code", "post_code", "LAD24CD", "gss_code", "beat_name"])
    ['beat_code']
    """
    found = []
    for column in columns:
        plain = re.sub(r"[^a-z0-9]+", "_", column.strip().casefold())
        named = re.fullmatch(r"[a-z]+(_[a-z]+)*_code", plain) and not plain.endswith("post_code")
        if named and plain not in _GENERIC and _read_name(column)[0] is None:
            found.append(column)
    return found


def _read_name(column: str, *, loose: bool = False) -> tuple[str | None, str | None]:
    """Return level and year as a name states them: LSOA21CD, oa_code, LSOA code (2011)."""
    plain = re.sub(r"[^a-z0-9]", "", column.casefold())
    for stem, level in _LEVELS:
        found = re.fullmatch(rf"(?:{stem})(?:20)?(\d\d)?(cd|code)?(?:20)?(\d\d)?", plain)
        if found and (loose or found.group(2)):
            return level, found.group(1) or found.group(3)
    return None, None


def _find_code(columns: Sequence[str]) -> str | None:
    for _, level in _LEVELS:
        for column in columns:
            if _read_name(column)[0] == level:
                return column
    plain = {column.strip().casefold().replace(" ", "_"): column for column in columns}
    for known in _GENERIC:
        if known in plain:
            return plain[known]
    return None


def _find_name(code: str, columns: Sequence[str]) -> str | None:
    plain = {column.strip().casefold().replace(" ", "_"): column for column in columns}
    folded = code.strip().casefold().replace(" ", "_")
    stems = [re.sub(r"cd$", "nm", folded), re.sub(r"code$", "name", folded)]
    stems += [re.sub(r"cd(\d\d)$", r"nm\1", folded)]
    for known in (*(stem for stem in stems if stem != folded), *_GENERIC_NAMES):
        if known in plain and plain[known] != code:
            return plain[known]
    return None


def find_area_column(table: pd.DataFrame, *, code: str | None = None, where: str) -> CodeColumns:
    """
    Recognise the column of area codes of a table by its name, else by what it holds.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.
    code
        Column of codes; recognised where not given.
    where
        Name of the file, for messages.

    Returns
    -------
    columns
        Code, name, level and vintage.

    Raises
    ------
    ColumnError
        If the named column is missing, or none holds area codes.

    Examples
    --------
    >>> import pandas as pd
    >>> find_area_column(pd.DataFrame({"lsoa": ["E01000001"]}), where="x.csv").level
    'lsoa'
    """
    names = [str(name) for name in table.columns]
    if code is None and _find_code(names) is None:
        code = next((name for name in names if _holds_codes(table[name])), None)
    found = find_code_columns(names, code=code, where=where)
    level, year = _read_name(found.code, loose=True)
    vintage = {"11": "2011", "21": "2021"}.get(year or "") if level in _CENSUS else None
    return CodeColumns(found.code, found.name, level, vintage)


def holds_area_codes(table: pd.DataFrame) -> bool:
    """
    Tell whether a table has a column of area codes that is recognised.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.

    Returns
    -------
    known
        Whether one is named so, or holds official codes.

    Examples
    --------
    >>> import pandas as pd
    >>> holds_area_codes(pd.DataFrame({"beat": ["B1"]}))
    False
    """
    names = [str(name) for name in table.columns]
    return _find_code(names) is not None or any(_holds_codes(table[name]) for name in names)


def _holds_codes(values: pd.Series[Any]) -> bool:
    known = values.dropna().head(1_000).astype("str")
    return len(known) > 0 and bool((known.map(level_of) != "area").mean() >= 0.5)


def vintage_of(
    codes: Sequence[str] | pd.Index[Any], columns: CodeColumns, *, where: str
) -> Vintage | None:
    """
    Return the census year of codes, as their column says or as they themselves show.

    Parameters
    ----------
    codes
        Area codes.
    columns
        The columns that were recognised.
    where
        Name of the file, for messages.

    Returns
    -------
    vintage
        ``"2011"``, ``"2021"`` or ``None``.

    Raises
    ------
    VintageError
        If the column says 2011 and codes were made for 2021.

    Examples
    --------
    >>> columns = CodeColumns("LSOA21CD", None, "lsoa", "2021")
    >>> vintage_of(["E01000001"], columns, where="x.csv")
    '2021'
    """
    new = [code for code in codes if made_for_2021(code)]
    if columns.vintage == "2011" and new:
        msg = (
            f"{where}: the column {columns.code} says 2011, but {len(new):,} codes were made for "
            f"2021 ({listed(new)}). Give the file of one census year."
        )
        raise VintageError(msg)
    if columns.vintage is not None:
        return cast("Vintage", columns.vintage)
    return "2021" if new else None
