"""Which columns of a lookup hold levels: by official names, by content, or as they are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from placeshaping._core.checks import listed
from placeshaping._core.codes import level_of_all
from placeshaping._core.errors import ColumnError

LEVELS = (
    "oa", "lsoa", "msoa", "ward", "county_division", "district", "county", "csp", "police_force",
)  # fmt: skip
"""Levels of the official register that a lookup may have, finest first."""

CENSUS = ("oa", "lsoa", "msoa")
"""Levels whose codes are of a census year."""

_PREFIXES = {
    "oa": "oa",
    "lsoa": "lsoa",
    "msoa": "msoa",
    "wd": "ward",
    "ward": "ward",
    "ced": "county_division",
    "county_division": "county_division",
    "lad": "district",
    "district": "district",
    "cty": "county",
    "county": "county",
    "csp": "csp",
    "pfa": "police_force",
    "police_force": "police_force",
}
_COLUMN = re.compile(rf"({'|'.join(_PREFIXES)})(\d\d)?_?(cd|nm|code|name)?", re.IGNORECASE)
_OWN = re.compile(r"([a-z]+(?:_[a-z]+)*)_(code|name)")
_NO_LEVEL = {"geography", "geo", "gss", "ons"}
_AS_WRITTEN = 99  # a column that bears the standard name goes before any year
_SAMPLE = 1000


def recognise(table: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """
    Keep the columns that hold levels, under their own names, the finest first.

    Parameters
    ----------
    table
        The table, as `read_table` gives it.
    where
        Name of the file, for messages.

    Returns
    -------
    lookup
        Columns ``<level>_code`` and ``<level>_name``. Where a level comes in
        several years the latest is taken; of a file that leads from LSOAs of
        2011 and of 2021 to larger areas, ``lsoa11_code`` stays at the end.
        Columns of a council's own levels are taken where they are named so
        (``beat_code``). ``attrs["vintage"]`` is the census year of the finest
        codes where its column states one.

    Raises
    ------
    ColumnError
        If there is no column of codes.

    Examples
    --------
    >>> table = pd.DataFrame({"sector_code": ["S1", "S1"], "beat_code": ["B1", "B2"]})
    >>> recognise(table, where="x.csv").columns.tolist()
    ['beat_code', 'sector_code']
    """
    best: dict[str, tuple[int, str]] = {}
    for column in table.columns:
        name, year = _meaning(table[column], str(column))
        if name and (name not in best or year > best[name][0]):
            best[name] = (year, column)
    sizes = {
        name.removesuffix("_code"): table[column].nunique()
        for name, (_, column) in best.items()
        if name.endswith("_code")
    }
    if not sizes:
        msg = (
            f"{where} holds no area codes that are known. It has: "
            f"{listed([str(column) for column in table.columns], most=12)}. "
            "Columns such as LSOA21CD, WD24CD, LAD24CD are needed, or beat_code and sector_code."
        )
        raise ColumnError(msg)
    levels = in_order(sizes)
    wanted = [f"{level}_{part}" for level in levels for part in ("code", "name")]
    kept = {best[name][1]: name for name in wanted if name in best}
    if len(levels) > 1:
        kept |= _older(table, taken=list(kept))
    lookup = _as_text(table[list(kept)].rename(columns=kept)).drop_duplicates(ignore_index=True)
    year = best[f"{levels[0]}_code"][0]
    stated = {11: "2011", 21: "2021"}.get(year) if levels[0] in CENSUS else None
    lookup.attrs["vintage"] = table.attrs.get("vintage") if year == _AS_WRITTEN else stated
    return lookup


def in_order(sizes: Mapping[str, int]) -> list[str]:
    """
    Order levels, the finest first.

    Parameters
    ----------
    sizes
        Level to the number of its areas. Official levels keep their order; a
        council's own go before the first official one that has fewer areas.

    Returns
    -------
    levels
        The same levels.

    Examples
    --------
    >>> in_order({"district": 2, "beat": 30, "lsoa": 100, "sector": 1})
    ['lsoa', 'beat', 'district', 'sector']
    """
    ordered = [level for level in LEVELS if level in sizes]
    own = sorted((level for level in sizes if level not in LEVELS), key=lambda one: -sizes[one])
    for level in own:
        coarser = (place for place, one in enumerate(ordered) if sizes[one] < sizes[level])
        ordered.insert(next(coarser, len(ordered)), level)
    return ordered


def of_year(lookup: pd.DataFrame, vintage: str | None) -> pd.DataFrame:
    """
    Return a lookup with the LSOAs of one census year, where it has both.

    Parameters
    ----------
    lookup
        As `recognise` gives it.
    vintage
        Census year of the areas that are to be looked up; 2021 where not known.

    Returns
    -------
    lookup
        Without the columns of the other year.

    Examples
    --------
    >>> both = pd.DataFrame({"lsoa_code": ["E01035001"], "lsoa11_code": ["E01000002"]})
    >>> of_year(both, "2011").to_dict("list")
    {'lsoa_code': ['E01000002']}
    """
    older = [column for column in ("lsoa11_code", "lsoa11_name") if column in lookup]
    if not older:
        return lookup
    if vintage != "2011":
        return lookup.drop(columns=older).drop_duplicates(ignore_index=True)
    names = {column: column.replace("11", "") for column in older}
    newer = [column for column in ("lsoa_code", "lsoa_name") if column in lookup]
    chosen = lookup.drop(columns=newer).rename(columns=names).drop_duplicates(ignore_index=True)
    chosen = chosen[[*names.values(), *(c for c in chosen if c not in names.values())]]
    chosen.attrs["vintage"] = "2011"
    return chosen


def _as_text(lookup: pd.DataFrame) -> pd.DataFrame:
    """Return codes and names without blanks around them; missing where they are blank."""
    text = {
        column: lookup[column].astype("str").str.strip().where(lookup[column].notna())
        for column in lookup.columns
    }
    return pd.DataFrame({column: values.mask(values == "") for column, values in text.items()})


def _older(table: pd.DataFrame, *, taken: Iterable[str]) -> dict[str, str]:
    """Return the columns of LSOAs of 2011 in a table that has those of 2021 as well."""
    names = {"LSOA11CD": "lsoa11_code", "LSOA11_CODE": "lsoa11_code",
             "LSOA11NM": "lsoa11_name", "LSOA11_NAME": "lsoa11_name"}  # fmt: skip
    found = {
        column: names[str(column).strip().upper()]
        for column in table.columns
        if str(column).strip().upper() in names and column not in taken
    }
    return found if "lsoa11_code" in found.values() else {}


def _meaning(values: pd.Series[str], column: str) -> tuple[str, int]:
    """Return what a column holds (``"lsoa_code"``) and its year; nothing where that is unclear."""
    match = _COLUMN.fullmatch(column.strip())
    if match:
        part = "name" if (match[3] or "cd").lower() in ("nm", "name") else "code"
        name = f"{_PREFIXES[match[1].lower()]}_{part}"
        return name, _AS_WRITTEN if column == name else int(match[2] or 0)
    own = _OWN.fullmatch(column)
    if own and own[2] == "name":
        return ("" if own[1] in _NO_LEVEL else column), -2
    sample = values.dropna().head(_SAMPLE)
    numbered = own is not None and pd.api.types.is_integer_dtype(sample)
    if not len(sample) or not (numbered or pd.api.types.is_string_dtype(sample)):
        return "", 0
    level = level_of_all(sample.astype("str").str.strip())
    if level != "area":
        return f"{level}_code", -1
    return (column, -2) if own and own[1] not in _NO_LEVEL else ("", 0)
