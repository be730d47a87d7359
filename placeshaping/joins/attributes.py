"""Population and deprivation meet areas by code, of the same census year or not at all."""

from __future__ import annotations

import logging
from typing import Literal

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_choice, check_unique, listed
from placeshaping._core.codes import level_of, made_for_2021
from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError, UnmatchedError, VintageError
from placeshaping.areas.lookups import census_year_of

_log = logging.getLogger(__name__)

Missing = Literal["raise", "allow"]

_KEYS = {"population": "another file in [population]", "deprivation": "another deprivation.file"}

_REMEDY = {
    ("population", "2021"): "Use the census of 2021, or mid-year estimates of 2021 or later.",
    ("population", "2011"): "Use mid-year estimates of 2020 or earlier, or boundaries of 2021.",
    ("deprivation", "2021"): "Use the Indices of Deprivation 2025, or boundaries of 2011.",
    ("deprivation", "2011"): "Use the Indices of Deprivation 2019, or boundaries of 2021.",
}


def attach_population(
    areas: gpd.GeoDataFrame, population: pd.DataFrame, *, missing: Missing = "raise"
) -> gpd.GeoDataFrame:
    """
    Give areas their residents, households and the like, by code.

    Parameters
    ----------
    areas
        Areas indexed by ``area_code``.
    population
        Table indexed by ``area_code``, with columns such as ``residents`` and
        ``households``. Rows for other areas are left out.
    missing
        Whether an area without a row is refused or keeps missing values.

    Returns
    -------
    areas
        A copy with the columns of `population`; the tags of both are kept.

    Raises
    ------
    VintageError
        If the codes are of different census years.
    UnmatchedError
        If areas have no row and `missing` is ``"raise"``, or if none has one.
    DuplicateError, ColumnError
        If a code stands twice, a column is in both tables, or the table is not
        indexed by codes.

    Examples
    --------
    >>> code = pd.Index(["E01000001"], name="area_code")
    >>> areas = gpd.GeoDataFrame({"area_name": ["City 001A"]}, index=code)
    >>> population = pd.DataFrame({"residents": [1500]}, index=code)
    >>> attach_population(areas, population)["residents"].tolist()
    [1500]
    """
    return _attach(areas, population, "population", missing)


def attach_deprivation(
    areas: gpd.GeoDataFrame, deprivation: pd.DataFrame, *, missing: Missing = "raise"
) -> gpd.GeoDataFrame:
    """
    Give areas their deprivation ranks, deciles and scores, by code.

    The columns keep their tag ``audit_only``: they never enter a model of
    likelihood or a patrol plan.

    Parameters
    ----------
    areas
        Areas indexed by ``area_code``.
    deprivation
        Table indexed by ``area_code``, with columns such as ``imd_decile``.
        Rows for other areas are left out.
    missing
        Whether an area without a row is refused or keeps missing values.

    Returns
    -------
    areas
        A copy with the columns of `deprivation`; the tags of both are kept.

    Raises
    ------
    VintageError
        If the codes are of different census years: the index of 2019 is of
        LSOAs of 2011, that of 2025 of LSOAs of 2021.
    UnmatchedError
        If areas have no row and `missing` is ``"raise"``, or if none has one.
    DuplicateError, ColumnError
        If a code stands twice, a column is in both tables, or the table is not
        indexed by codes.

    Examples
    --------
    >>> code = pd.Index(["E01000001"], name="area_code")
    >>> areas = gpd.GeoDataFrame({"area_name": ["City 001A"]}, index=code)
    >>> deprivation = pd.DataFrame({"imd_decile": [9]}, index=code)
    >>> attach_deprivation(areas, deprivation)["imd_decile"].tolist()
    [9]
    """
    return _attach(areas, deprivation, "deprivation", missing)


def _attach(
    areas: gpd.GeoDataFrame, table: pd.DataFrame, what: str, missing: Missing
) -> gpd.GeoDataFrame:
    check_choice(missing, ["raise", "allow"], name="missing")
    if not pd.api.types.is_string_dtype(table.index):
        msg = (
            f"The {what} table is indexed by {table.index.dtype}, not by area codes as text. "
            "Use table.set_index('area_code')."
        )
        raise ColumnError(msg)
    check_unique(areas.index, where="areas")
    check_unique(table.index, where=f"The {what} table")
    shared = [str(column) for column in table.columns if column in areas.columns]
    if shared:
        msg = f"areas and {what} both have {listed(shared)}. Drop or rename them in one."
        raise ColumnError(msg)
    absent = areas.index[~areas.index.isin(table.index)]
    _check_vintage(areas, table, absent, what)
    if len(absent):
        _tell_absent(areas, absent, what, missing)
    joined = areas.join(table)
    joined.attrs.update(areas.attrs)
    tag_columns(joined, {**column_tags(areas), **column_tags(table)})
    return joined


def _check_vintage(
    areas: gpd.GeoDataFrame, table: pd.DataFrame, absent: pd.Index, what: str
) -> None:
    """
    Refuse tables of unlike census years.

    Areas that did not change in 2021 kept their code, so years matter only
    where an area is absent from a table that covers its nation. A year that
    is not declared is told from the codes: some were made for 2021, and a
    table or areas without any of them, against one with, is of 2011.
    """
    nations = set(table.index.str[:1])
    told = [str(code) for code in absent if level_of(code) == "lsoa" and code[0] in nations]
    if not told:
        return
    of_areas, of_table = census_year_of(areas), census_year_of(table)
    if of_areas == "2021" and of_table is None and any(made_for_2021(code) for code in told):
        of_table = "2011"
    if of_areas is None and of_table == "2021" and len(absent) < len(areas):
        of_areas = "2011"
    if of_areas is None or of_table is None or of_areas == of_table:
        return
    msg = (
        f"The {what} table is of {of_table}, the areas are of {of_areas}: {len(absent):,} of "
        f"{len(areas):,} areas are not in it ({listed(told)}). {_REMEDY[what, of_areas]}"
    )
    raise VintageError(msg)


def _tell_absent(areas: gpd.GeoDataFrame, absent: pd.Index, what: str, missing: Missing) -> None:
    told = (
        f"{len(absent):,} of {len(areas):,} areas are not in the {what} table "
        f"({listed(list(absent))})."
    )
    if len(absent) == len(areas):
        msg = f"{told} None matches: check that both are of the same level and nation."
        raise UnmatchedError(msg)
    if missing == "raise":
        msg = (
            f"{told} Use a table that has them (in a recipe, {_KEYS[what]}), or give "
            'missing="allow" to keep them empty.'
        )
        raise UnmatchedError(msg)
    _log.warning("%s Their values are missing.", told)
