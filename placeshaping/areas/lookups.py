"""
What lies in what: lookups from small areas to larger ones.

The files of the Office for National Statistics are recognised by their column
names (``LSOA21CD``, ``WD24NM``, ``PFA24CD``, any year), others by the codes
that they hold. Several files are chained: LSOA to district in one, district to
police force in the next.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_columns, check_unique, listed
from placeshaping._core.codes import level_of_all
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError
from placeshaping.sources.tabular import read_table

_log = logging.getLogger(__name__)

LEVELS = (
    "oa", "lsoa", "msoa", "ward", "county_division", "district", "county", "csp", "police_force",
)  # fmt: skip
"""Levels that a lookup may have, finest first."""

RECODED = {"E08000016": "E08000038", "E08000019": "E08000039"}
"""Districts that were given a new code for the same area: Barnsley and Sheffield."""

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
_LSOA_NAME = r"^(.+ \d{3})[A-Z]$"
_SAMPLE = 1000
_SEVERAL = "(several)"


def read_lookup(path: str | Path) -> pd.DataFrame:
    r"""
    Read a lookup file, recognising the levels that it holds.

    Parameters
    ----------
    path
        CSV (gzipped or not), XLSX or Parquet with a row for each pair of
        areas. Where a level comes in several years, the latest is taken.

    Returns
    -------
    lookup
        Columns ``<level>_code`` and, where the file has them, ``<level>_name``,
        finest level first; other columns are left out.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ColumnError
        If it holds no level that is known.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lookup.csv"
    ...     _ = path.write_text("LSOA21CD,LAD24CD,LAD24NM\nE01000001,E09000001,City of London\n")
    ...     read_lookup(path).columns.tolist()
    ['lsoa_code', 'district_code', 'district_name']
    """
    table = read_table(path)
    return _recognised(table, where=Path(path).name)


def read_changes(path: str | Path) -> pd.DataFrame:
    r"""
    Read which LSOA of 2011 became which of 2021, and how.

    Parameters
    ----------
    path
        File with the columns ``LSOA11CD``, ``LSOA21CD`` and ``CHNGIND`` (or
        ``CHGIND``): U unchanged, S split, M merged, X irregular.

    Returns
    -------
    changes
        Columns ``lsoa11_code``, ``lsoa21_code``, ``change``.

    Raises
    ------
    ColumnError
        If a column is missing or an indicator is not one of the four.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "changes.csv"
    ...     _ = path.write_text("LSOA11CD,LSOA21CD,CHNGIND\nE01000001,E01000001,U\n")
    ...     read_changes(path).loc[:, "change"].tolist()
    ['U']
    """
    table = read_table(path)
    where = Path(path).name
    folded = table.rename(columns={name: str(name).strip().upper() for name in table.columns})
    folded = folded.rename(columns={"CHGIND": "CHNGIND"})
    check_columns(folded.columns, ["LSOA11CD", "LSOA21CD", "CHNGIND"], where=where)
    changes = pd.DataFrame(
        {
            "lsoa11_code": folded["LSOA11CD"].astype("str").str.strip(),
            "lsoa21_code": folded["LSOA21CD"].astype("str").str.strip(),
            "change": folded["CHNGIND"].astype("str").str.strip().str.upper(),
        }
    )
    unknown = changes.loc[~changes["change"].isin(["U", "S", "M", "X"]), "change"]
    if len(unknown):
        msg = (
            f"{where}: {len(unknown):,} rows have a change indicator other than U, S, M or X "
            f"({listed(sorted(unknown.unique()))}). Check the column CHNGIND."
        )
        raise ColumnError(msg)
    return changes.reset_index(drop=True)


def make_lookup(
    areas: gpd.GeoDataFrame,
    lookups: Sequence[pd.DataFrame | str | Path],
    *,
    levels: Sequence[str] | None = None,
    missing: Literal["raise", "allow"] = "raise",
) -> pd.DataFrame:
    """
    Find the larger areas that each area lies in, chaining lookups.

    Where no lookup leads from LSOA to MSOA, the MSOA is told from the LSOA's
    name (Leicester 002B lies in Leicester 002); its code is then found by name
    in any of the lookups, and is the name itself where none has it.

    Parameters
    ----------
    areas
        Areas indexed by ``area_code``; ``area_name`` is used to find the MSOA.
    lookups
        Files, or tables in the same layouts, in the order in which they are
        to be believed.
    levels
        The levels that are wanted; all that the lookups lead to where not
        given.
    missing
        Whether an area without a parent, or with several at one level, is
        refused or has missing values.

    Returns
    -------
    lookup
        Index of `areas`; columns ``<level>_code`` and ``<level>_name`` for
        every level above the areas' own, finest first.

    Raises
    ------
    UnmatchedError
        If an area has no parent at some level and `missing` is ``"raise"``.
    InputError
        If an area has two parents at a level, or no lookup leads to a level that is wanted.

    Examples
    --------
    >>> code = pd.Index(["E01900001"], name="area_code")
    >>> areas = gpd.GeoDataFrame({"area_name": ["Marsh 001A"]}, index=code)
    >>> to_district = pd.DataFrame({"LSOA21CD": ["E01900001"], "LAD24CD": ["E07900001"]})
    >>> make_lookup(areas, [to_district])[["msoa_code", "district_code"]].iloc[0].tolist()
    ['Marsh 001', 'E07900001']
    """
    check_unique(areas.index, where="areas")
    finest = str(areas.attrs.get("level") or level_of_all(areas.index))
    tables = [_given(lookup, number) for number, lookup in enumerate(lookups, start=1)]
    found = pd.DataFrame({f"{finest}_code": areas.index.astype("str")}, index=areas.index)
    if "area_name" in areas:
        found[f"{finest}_name"] = areas["area_name"].astype("str")
    found = _chained(found, tables)
    if "msoa_code" not in found and "lsoa_name" in found:
        found = _chained(_with_msoa(found, tables), tables)
    above = [level for level in LEVELS if f"{level}_code" in found and level != finest]
    above = above if levels is None else _wanted(levels, above)
    for level in above:
        _check_parents(found[f"{level}_code"], level, missing)
        found[f"{level}_code"] = found[f"{level}_code"].where(found[f"{level}_code"] != _SEVERAL)
        if f"{level}_name" not in found:
            found[f"{level}_name"] = found[f"{level}_code"]
        found[f"{level}_name"] = found[f"{level}_name"].where(found[f"{level}_code"].notna())
    return found[[f"{level}_{part}" for level in above for part in ("code", "name")]]


def recode_as(codes: pd.Series[str], known: pd.Index) -> pd.Series[str]:
    """
    Write the codes of recoded districts as another table writes them.

    Barnsley and Sheffield were given new codes in 2025 for the same areas.

    Parameters
    ----------
    codes
        District codes.
    known
        The codes of the other table.

    Returns
    -------
    codes
        The same, with codes that are not among `known` exchanged for the other
        code of the same area where that one is.

    Examples
    --------
    >>> recode_as(pd.Series(["E08000038", "E06000016"]), pd.Index(["E08000016"])).tolist()
    ['E08000016', 'E06000016']
    """
    both = {**RECODED, **{new: old for old, new in RECODED.items()}}
    known = known.unique()
    written = {own: other for own, other in both.items() if own not in known and other in known}
    return codes.replace(written) if written else codes.copy()


def _wanted(levels: Sequence[str], known: Sequence[str]) -> list[str]:
    unknown = [level for level in levels if level not in known]
    if unknown:
        msg = (
            f"No lookup leads to {listed(unknown)}; they lead to: {listed(list(known), most=8)}. "
            "Give a lookup that has it, or leave that level out."
        )
        raise InputError(msg)
    return [level for level in known if level in levels]


def _given(lookup: pd.DataFrame | str | Path, number: int) -> pd.DataFrame:
    if isinstance(lookup, pd.DataFrame):
        return _recognised(lookup, where=f"Lookup {number}")
    return read_lookup(lookup)


def _recognised(table: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Return the columns that hold levels, under their own names, latest year first."""
    best: dict[str, tuple[int, str]] = {}
    for column in table.columns:
        name, year = _meaning(table[column], str(column))
        if name and (name not in best or year > best[name][0]):
            best[name] = (year, column)
    ordered = [f"{level}_{part}" for level in LEVELS for part in ("code", "name")]
    kept = {best[name][1]: name for name in ordered if name in best}
    if not any(name.endswith("_code") for name in kept.values()):
        msg = (
            f"{where} holds no area codes that are known. It has: "
            f"{listed([str(column) for column in table.columns], most=12)}. "
            "Columns such as LSOA21CD, WD24CD, LAD24CD are needed."
        )
        raise ColumnError(msg)
    return table[list(kept)].rename(columns=kept).drop_duplicates(ignore_index=True)


def _meaning(values: pd.Series[str], column: str) -> tuple[str, int]:
    """Return what a column holds (``"lsoa_code"``) and its year; nothing where that is unclear."""
    match = _COLUMN.fullmatch(column.strip())
    if match:
        part = "name" if (match[3] or "cd").lower() in ("nm", "name") else "code"
        return f"{_PREFIXES[match[1].lower()]}_{part}", int(match[2] or 0)
    sample = values.dropna().head(_SAMPLE)
    if not len(sample) or not pd.api.types.is_string_dtype(sample):
        return "", 0
    level = level_of_all(sample)
    return ("" if level == "area" else f"{level}_code"), -1


def _chained(found: pd.DataFrame, tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add level after level, from what is known to what a table leads on to."""
    waiting = list(tables)
    while True:
        usable = [table for table in waiting if _keys(found, table) and _news(found, table)]
        if not usable:
            return found
        found = _joined(found, usable[0])
        waiting = [table for table in waiting if table is not usable[0]]


def _keys(found: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    columns = [f"{level}_code" for level in LEVELS]
    own = [column for column in found.columns if column.endswith("_code")]
    return [column for column in [*columns, *own] if column in found and column in table]


def _news(found: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are not known, or not of every area."""
    return [c for c in table.columns if c not in found or found[c].isna().any()]


def _joined(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Add what a table tells of the areas; what is known already stays."""
    key, news = _keys(found, table)[0], _news(found, table)
    news = [column for column in news if column != key]
    wanted, known = found[key].replace(RECODED), table[key].replace(RECODED)
    held = pd.Index(wanted.unique()).get_indexer(pd.Index(known)) >= 0
    rows = table.assign(**{key: known})[held][[key, *news]].drop_duplicates()
    for column in [column for column in news if column.endswith("_code")]:
        several = rows.groupby(key)[column].transform("nunique") > 1
        rows[column] = rows[column].mask(several, _SEVERAL)
    rows = rows.drop_duplicates(key)
    told = rows.set_index(key).reindex(pd.Index(wanted)).set_axis(found.index)
    return found.assign(**{c: found[c].fillna(told[c]) if c in found else told[c] for c in news})


def _with_msoa(found: pd.DataFrame, tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Tell the MSOA from the LSOA's name, where the names have the official form."""
    names = found["lsoa_name"].str.extract(_LSOA_NAME, expand=False)
    if names.isna().all():
        return found
    codes = names
    for table in tables:
        if {"msoa_code", "msoa_name"} <= set(table.columns):
            known = table.dropna(subset="msoa_name").drop_duplicates("msoa_name")
            by_name = known.set_index("msoa_name")["msoa_code"]
            codes = names.map(by_name).fillna(codes)
    return found.assign(msoa_code=codes, msoa_name=names)


def _check_parents(codes: pd.Series[str], level: str, missing: str) -> None:
    """Refuse areas with no parent or with several, unless that is allowed."""
    several, lost = codes.index[codes == _SEVERAL], codes.index[codes.isna()]
    told = [
        f"{len(found):,} of {len(codes):,} areas {what} {level} ({listed(list(found))})."
        for found, what in ((several, "lie in more than one"), (lost, "have no"))
        if len(found)
    ]
    if not told:
        return
    if missing == "allow":
        _log.info("%s Their %s is missing.", " ".join(told), level)
        return
    ways = f"leave the level {level!r} out (levels), or pass missing='allow'"
    if len(several):
        msg = f"{' '.join(told)} Give a best-fit lookup with one row an area, {ways}."
        raise InputError(msg)
    msg = f"{' '.join(told)} Give a lookup of the same census year and edition, {ways}."
    raise UnmatchedError(msg)
