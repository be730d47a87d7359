"""
A directory of postcodes with the areas that they lie in.

The layout is that of the Postcode Directory of the Office for National
Statistics (ONSPD), as it was up to 2025 (``oa21``, ``oslaua``) and since
(``OA21CD``, ``LAD25CD``); any table with a column of postcodes and some of
codes or coordinates serves.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError
from placeshaping.sources.guesses import guess_columns
from placeshaping.sources.places import locate
from placeshaping.sources.tabular import read_table
from placeshaping.sources.values import to_postcodes

_NAMES = {
    "oa_code": r"oa21(cd)?",
    "lsoa_code": r"lsoa21(cd)?",
    "lsoa11_code": r"lsoa11(cd)?",
    "msoa_code": r"msoa21(cd)?",
    "ward_code": r"osward|wd\d\d(cd)?",
    "county_division_code": r"ced|ced\d\d(cd)?",
    "district_code": r"oslaua|lad\d\d(cd)?",
    "county_code": r"oscty|cty\d\d(cd)?",
    "police_force_code": r"pfa|pfa\d\d(cd)?",
}
_KINDS = r"usertype|usrtypind"
_NO_AREA = re.compile(r"^[A-Z]99999999$")


def read_postcode_directory(postcodes: pd.DataFrame | str | Path) -> pd.DataFrame:
    """
    Read a directory of postcodes with the areas that they lie in.

    Parameters
    ----------
    postcodes
        File (CSV, zipped or not, Parquet, ...) or table in the layout of the
        ONS Postcode Directory, or any with a column of postcodes.

    Returns
    -------
    directory
        Index ``postcode`` (capitals, one space), each once: one in use before
        one that has ended, the latest end before earlier ones. Columns, where
        the file tells them: ``easting`` and ``northing`` (metres, EPSG:27700),
        ``oa_code``, ``lsoa_code`` (2021), ``lsoa11_code``, ``msoa_code``,
        ``ward_code``, ``county_division_code``, ``district_code``,
        ``county_code``, ``police_force_code``; ``ended`` (first day of the month,
        missing while in use), ``large_user``. Codes that stand for "none"
        (``E99999999``) are missing.

    Raises
    ------
    ColumnError
        If there is no column of postcodes, or nothing beside it.

    Examples
    --------
    >>> table = pd.DataFrame({"pcds": ["le1 6xx"], "lsoa21": ["E01033561"], "doterm": ["201512"]})
    >>> directory = read_postcode_directory(table)
    >>> directory.loc["LE1 6XX", "lsoa_code"], directory["ended"].dt.year.item()
    ('E01033561', 2015)
    """
    if isinstance(postcodes, pd.DataFrame):
        where, table = "The postcode directory", postcodes
    else:
        where, table = Path(postcodes).name, read_table(postcodes)
    roles = guess_columns(table)
    if "postcode" not in roles:
        check_columns(table.columns, ["pcds"], where=where)
        roles["postcode"] = "pcds"
    found = _columns(table, roles, where=where)
    if not found:
        msg = (
            f"{where} tells neither coordinates nor areas of its postcodes. It has: "
            f"{listed([str(c) for c in table.columns], most=12)}."
        )
        raise ColumnError(msg)
    index = pd.Index(to_postcodes(table[roles["postcode"]]), name="postcode")
    directory = pd.DataFrame(found).set_axis(index, axis=0)
    directory = directory[directory.index.notna()]
    if "ended" in directory:
        directory = directory.sort_values("ended", ascending=False, na_position="first")
    return directory[~directory.index.duplicated()].sort_index()


def _columns(table: pd.DataFrame, roles: dict[str, str], *, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    plain = table.set_axis([str(c).strip().casefold() for c in table.columns], axis=1)
    east = _named(plain, r"(os)?east1m")
    if east is not None and "easting" not in roles:
        roles["easting"] = str(table.columns[plain.columns.get_loc(east)])
        north = _named(plain, r"(os)?nrth1m|north1m") or ""
        check_columns(plain.columns, [north or "osnrth1m"], where=where)
        roles["northing"] = str(table.columns[plain.columns.get_loc(north)])
    if {"easting", "longitude"} & set(roles):
        places = locate(table, roles, where=where)
        found |= {"easting": places.easting, "northing": places.northing}
    for name, pattern in _NAMES.items():
        column = _named(plain, pattern)
        if column is not None:
            codes = plain[column].astype("str").where(plain[column].notna()).str.strip()
            found[name] = codes.mask(codes.str.fullmatch(_NO_AREA.pattern).eq(True)).array
    ended = _named(plain, "doterm")
    if found and ended is not None:
        text = plain[ended].astype("str").str.extract(r"^(\d{6})", expand=False)
        found["ended"] = pd.to_datetime(text, format="%Y%m", errors="coerce").array
    kind = _named(plain, _KINDS)
    if found and kind is not None:
        found["large_user"] = pd.to_numeric(plain[kind], errors="coerce").eq(1).array
    return found


def _named(table: pd.DataFrame, pattern: str) -> str | None:
    """Return the column of that name, of several the latest year."""
    found = sorted(str(c) for c in table.columns if re.fullmatch(pattern, str(c)))
    return found[-1] if found else None
