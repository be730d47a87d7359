"""Area codes that records carry, matched with areas of either census year."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns
from placeshaping._core.codes import level_of, level_of_all, made_for_2021
from placeshaping.areas.lookups import census_year_of

CHANGE_COLUMNS = ("lsoa11_code", "lsoa21_code", "change")
"""Columns of a table of changes, as `areas.lookups.read_changes` gives it."""


@dataclass(frozen=True)
class PublishedCodes:
    """
    Where records belong by the codes that they carry.

    Attributes
    ----------
    position
        Row of `areas` that the record's code means; -1 where it means none.
    unlike
        Whether the code cannot be used because it is of the other census year.
    """

    position: NDArray[np.intp]
    unlike: NDArray[np.bool_]


def match_published(
    codes: pd.Series[str], areas: gpd.GeoDataFrame, *, changes: pd.DataFrame | None = None
) -> PublishedCodes:
    """
    Find the area that each published code means.

    A code that is not among the areas is translated by `changes` where the
    change is one to one (unchanged), or leads to one area alone: merged areas
    from 2011 to 2021, split ones from 2021 back to 2011.

    Parameters
    ----------
    codes
        Published codes, missing where there is none.
    areas
        Areas indexed by code.
    changes
        Table with the columns ``lsoa11_code``, ``lsoa21_code``, ``change``.

    Returns
    -------
    matched
        One value a record, in the order of `codes`.

    Examples
    --------
    >>> areas = gpd.GeoDataFrame(index=["E01000001", "E01000002"])
    >>> match_published(pd.Series(["E01000002", None, "E01000009"]), areas).position.tolist()
    [1, -1, -1]
    """
    label, distinct = pd.factorize(codes)
    distinct = pd.Index(distinct).astype("str")
    vintage = census_year_of(areas)
    position = areas.index.get_indexer(distinct)
    if changes is not None:
        position = np.where(position >= 0, position, _translated(distinct, areas, changes, vintage))
    unlike = _of_other_year(distinct, areas, vintage) & (position < 0)
    # The last entry serves records without a code, whose label is -1.
    return PublishedCodes(
        position=np.append(position, -1)[label],
        unlike=np.append(unlike, False)[label],
    )


def _translated(
    distinct: pd.Index, areas: gpd.GeoDataFrame, changes: pd.DataFrame, vintage: str | None
) -> NDArray[np.intp]:
    """Return the row of `areas` that each code became, -1 where it is not one area alone."""
    check_columns(changes.columns, CHANGE_COLUMNS, where="The table of changes")
    source, target, usable = "lsoa11_code", "lsoa21_code", ["U", "M"]
    if vintage == "2011":
        source, target, usable = target, source, ["U", "S"]
    rows = changes[changes["change"].isin(usable)]
    rows = rows.drop_duplicates([source, target]).drop_duplicates(source, keep=False)
    became = pd.Index(rows[source]).get_indexer(distinct)
    moved = areas.index.get_indexer(pd.Index(rows[target]))
    position: NDArray[np.intp] = np.append(moved, -1)[became]
    return position


def _of_other_year(
    distinct: pd.Index, areas: gpd.GeoDataFrame, vintage: str | None
) -> NDArray[np.bool_]:
    """
    Tell which codes can only be of the other census year.

    A code made for 2021 is certain. That a code is of 2011 alone cannot be
    seen from it; it is taken as such where none of the records' codes was made
    for 2021 while areas were.
    """
    newer = np.array([made_for_2021(str(code)) for code in distinct], dtype=bool)
    if vintage == "2011":
        return newer
    lsoa = np.array([level_of(str(code)) == "lsoa" for code in distinct], dtype=bool)
    recut = any(made_for_2021(str(code)) for code in areas.index)
    if vintage == "2021" and recut and not newer.any():
        return lsoa
    return np.zeros(len(distinct), dtype=bool)


def levels_differ(codes: pd.Series[str], areas: gpd.GeoDataFrame) -> tuple[str, str] | None:
    """
    Return the levels of codes and areas where both are known and unlike.

    Examples
    --------
    >>> levels_differ(pd.Series(["E02000001"]), gpd.GeoDataFrame(index=["E01000001"]))
    ('msoa', 'lsoa')
    """
    of_codes = level_of_all(str(code) for code in codes.dropna().unique())
    of_areas = level_of_all(str(code) for code in areas.index)
    if "area" in (of_codes, of_areas) or of_codes == of_areas:
        return None
    return of_codes, of_areas
