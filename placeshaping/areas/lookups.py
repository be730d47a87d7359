"""
What lies in what: lookups from small areas to larger ones.

The files of the Office for National Statistics are recognised by their column
names (``LSOA21CD``, ``WD24NM``, ``PFA24CD``, any year), others by the codes
that they hold, and a council's own levels by columns such as ``beat_code`` and
``sector_name``. Several files are chained: LSOA to district in one, district to
police force in the next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_choice, check_columns, check_unique, listed
from placeshaping._core.codes import is_gss, level_of_all, made_for_2021
from placeshaping._core.errors import ColumnError, InputError, UnmatchedError
from placeshaping.areas.lookup_columns import LEVELS, in_order, of_year, recognise
from placeshaping.sources.tabular import read_table

_log = logging.getLogger(__name__)

RECODED = {"E08000016": "E08000038", "E08000019": "E08000039"}
"""Districts that were given a new code for the same area: Barnsley and Sheffield."""

_EITHER = {**RECODED, **{new: old for old, new in RECODED.items()}}
_LSOA_NAME = r"^(.+ \d{3})[A-Z]$"
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
        finest level first; other columns are left out. A council's own levels
        are taken as they are named (``beat_code``, ``sector_name``), those with
        most areas first. A file of LSOAs of both census years keeps
        ``lsoa11_code`` as well, for areas of 2011. ``attrs["vintage"]``: the
        census year of the finest codes, or None.

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
    return recognise(table, where=Path(path).name)


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
    blank = int((changes.isna() | (changes == "")).any(axis=1).sum())
    if blank:
        msg = f"{where}: {blank:,} of {len(changes):,} rows lack a code or the indicator of change."
        raise ColumnError(msg)
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
        every level above the areas' own, finest first. ``attrs["derived_codes"]``
        tells, for each level whose codes are names for want of official ones,
        how many areas have such a code.

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
    check_choice(missing, ["raise", "allow"], name="missing")
    check_unique(areas.index, where="areas")
    finest = str(areas.attrs.get("level") or level_of_all(areas.index))
    given = [_given(lookup, number) for number, lookup in enumerate(lookups, start=1)]
    tables = [of_year(table, census_year_of(areas)) for table in given]
    if finest not in LEVELS:
        tables = [_led_from(table, areas.index, finest) for table in tables]
    found = pd.DataFrame({f"{finest}_code": areas.index.astype("str")}, index=areas.index)
    if "area_name" in areas:
        found[f"{finest}_name"] = areas["area_name"].astype("str")
    found = _chained(found, tables)
    if "msoa_code" not in found and "lsoa_name" in found:
        found = _chained(_with_msoa(found, tables), tables)
    above = _levels_above(found, finest)
    kept = _whole(found, above) if levels is None else _wanted(levels, above)
    if tables and not kept and missing == "raise":
        msg = f"No lookup leads from all {len(areas):,} areas to larger ones. "
        msg += _why(areas, tables, finest)
        raise UnmatchedError(msg)
    above = kept
    for level in above:
        _check_parents(found[f"{level}_code"], level, missing, lambda: _why(areas, tables, finest))
        found[f"{level}_code"] = found[f"{level}_code"].where(found[f"{level}_code"] != _SEVERAL)
        if f"{level}_name" not in found:
            found[f"{level}_name"] = found[f"{level}_code"]
        found[f"{level}_name"] = found[f"{level}_name"].where(found[f"{level}_code"].notna())
    lookup = found[[f"{level}_{part}" for level in above for part in ("code", "name")]]
    lookup.attrs["derived_codes"] = _derived(lookup)
    return lookup


def census_year_of(areas: pd.DataFrame) -> str | None:
    """
    Return the census year of a table by area, as declared or as its codes betray it.

    Parameters
    ----------
    areas
        Indexed by ``area_code``; ``attrs["vintage"]`` is believed.

    Returns
    -------
    year
        ``"2011"``, ``"2021"``, or None where neither tells it.

    Examples
    --------
    >>> census_year_of(pd.DataFrame(index=["E01033769"]))
    '2021'
    """
    declared = areas.attrs.get("vintage")
    if declared is not None:
        return str(declared)
    return "2021" if any(made_for_2021(str(code)) for code in areas.index) else None


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
    known = known.unique()
    written = {own: other for own, other in _EITHER.items() if own not in known and other in known}
    return codes.replace(written) if written else codes.copy()


def other_code(code: str) -> str | None:
    """
    Return the other code of a recoded district, in lower case; None for any other code.

    Examples
    --------
    >>> other_code("E08000038"), other_code("E08000001")
    ('e08000016', None)
    """
    other = _EITHER.get(code.strip().upper())
    return None if other is None else other.casefold()


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
        return recognise(lookup, where=f"Lookup {number}")
    return read_lookup(lookup)


def _led_from(table: pd.DataFrame, codes: pd.Index, finest: str) -> pd.DataFrame:
    """Take the column that holds most of a council's own codes as that of the areas."""
    columns = [column for column in table.columns if column.endswith("_code")]
    held = {column: int(codes.isin(table[column]).sum()) for column in columns}
    best = max(columns, key=lambda column: held[column])
    own = best.removesuffix("_code")
    if own == finest or f"{finest}_code" in table or 2 * held[best] < len(codes):
        return table
    return table.rename(columns={f"{own}_{part}": f"{finest}_{part}" for part in ("code", "name")})


def _levels_above(found: pd.DataFrame, finest: str) -> list[str]:
    codes = [str(c).removesuffix("_code") for c in found.columns if str(c).endswith("_code")]
    return in_order({level: found[f"{level}_code"].nunique() for level in codes if level != finest})


def _whole(found: pd.DataFrame, above: Sequence[str]) -> list[str]:
    """Leave out the levels that nobody asked for, are not official, and do not fit all areas."""
    kept = []
    for level in above:
        codes = found[f"{level}_code"]
        if level in LEVELS or not (codes.isna() | (codes == _SEVERAL)).any():
            kept.append(level)
        else:
            _log.info("The level %r is left out: not every area lies in one of it.", level)
    return kept


def _derived(lookup: pd.DataFrame) -> dict[str, int]:
    """Count, at levels of the census, the areas whose code there is a name."""
    counted = {}
    for level in ("lsoa", "msoa"):
        if f"{level}_code" in lookup:
            codes, names = lookup[f"{level}_code"].dropna(), lookup[f"{level}_name"]
            same = codes[codes == names.loc[codes.index]]
            counted[level] = sum(not is_gss(str(code)) for code in same)
    return {level: count for level, count in counted.items() if count}


def _why(areas: gpd.GeoDataFrame, tables: Sequence[pd.DataFrame], finest: str) -> str:
    """Say why areas may have no parent: of another year, another place, or simply not told."""
    column = f"{finest}_code"
    leading = [table for table in tables if column in table]
    years = {table.attrs.get("vintage") for table in leading} - {None}
    own = census_year_of(areas)
    held = sum(areas.index.isin(pd.concat([t[column] for t in leading]))) if leading else 0
    if not leading:
        return f"No lookup begins at the level of the areas ({finest})."
    if held == len(areas):
        return "The lookup has all of these areas, but does not say it of each."
    if years and own and own not in years:
        return f"The areas are of {own}, the lookup of {' and '.join(sorted(map(str, years)))}."
    if held == 0:
        return "None of the areas is in the lookup: is it of another district, or another year?"
    return (
        f"Only {held:,} of the {len(areas):,} areas are in the lookup: is it of another district, "
        "another year or edition?"
    )


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
    official = [f"{level}_code" for level in LEVELS]
    own = [column for column in found.columns if column.endswith("_code")]
    order = dict.fromkeys([own[0], *official, *own])
    return [column for column in order if column in found and column in table]


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
    told = rows.groupby(key, sort=False).first()  # of each column, the first that is not missing
    told = told.reindex(pd.Index(wanted)).set_axis(found.index)
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


def _check_parents(codes: pd.Series[str], level: str, missing: str, why: Callable[[], str]) -> None:
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
    ways = (
        f"leave the level {level!r} out (levels=, areas.levels in a recipe), or give "
        'missing="allow"'
    )
    if len(several):
        msg = f"{' '.join(told)} Give a best-fit lookup with one row an area, {ways}."
        raise InputError(msg)
    msg = f"{' '.join(told)} {why()} Give a lookup of the same place and census year, {ways}."
    raise UnmatchedError(msg)
