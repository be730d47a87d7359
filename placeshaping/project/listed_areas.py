"""What the lookups list, without any outline: all small areas, and those of the places named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from placeshaping._core.errors import InputError, RecipeError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def wholes_within(
    within: Sequence[str], lookups: Sequence[pd.DataFrame]
) -> dict[str | None, pd.DataFrame]:
    """
    Find what lies in the places, with its larger areas, by census year of the codes.

    Raises
    ------
    RecipeError
        If no lookup begins at small areas.
    InputError
        If no year of the lookups knows the places.
    """
    from placeshaping.areas.selection import codes_within

    found: dict[str | None, pd.DataFrame] = {}
    unknown: InputError | None = None
    for year, listing in listed_areas(lookups).items():
        whole = whole_lookup(listing, lookups)
        try:
            found[year] = whole.loc[codes_within(whole, within)]
        except InputError as error:
            unknown = unknown or error
    if unknown is not None and not found:
        raise unknown
    return found


def year_of(areas: gpd.GeoDataFrame, wholes: Mapping[str | None, pd.DataFrame]) -> str | None:
    """Return the census year whose codes the areas have, of those that the lookups begin at."""
    from placeshaping.areas.lookups import census_year_of

    year = census_year_of(areas)
    if year in wholes:
        return year
    return max(wholes, key=lambda one: int(areas.index.isin(wholes[one].index).sum()))


def whole_lookup(areas: gpd.GeoDataFrame, lookups: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Find the larger areas of everything that the lookups know, even if not all have one."""
    from placeshaping.areas.lookups import make_lookup

    return make_lookup(areas, lookups, missing="allow")


def listed_areas(lookups: Sequence[pd.DataFrame]) -> dict[str | None, gpd.GeoDataFrame]:
    """
    List the finest areas that the lookups know, without outlines.

    Returns
    -------
    areas
        By the census year of their codes, each with columns of names and in
        ``attrs`` level and vintage; two years where a lookup leads from both.

    Raises
    ------
    RecipeError
        If no lookup begins at small areas.
    """
    from placeshaping.areas.lookup_columns import of_year

    for lookup in lookups:
        code = str(lookup.columns[0])
        if code not in {"oa_code", "lsoa_code"}:
            continue
        if "lsoa11_code" not in lookup or code == "oa_code":
            return {lookup.attrs.get("vintage"): _listed(lookup)}
        return {year: _listed(of_year(lookup, year)) for year in ("2021", "2011")}
    msg = (
        "areas: 'within' needs a lookup that begins at small areas (LSOA21CD to LAD24CD, for "
        "example). Add it to areas.lookups."
    )
    raise RecipeError(msg)


def _listed(lookup: pd.DataFrame) -> gpd.GeoDataFrame:
    import geopandas as gpd

    code = str(lookup.columns[0])
    level = code.removesuffix("_code")
    unique = lookup[lookup[code].notna()].drop_duplicates(code).set_index(code)
    names = unique.get(f"{level}_name", unique.index.to_series())
    areas = gpd.GeoDataFrame({"area_name": names.astype(str)})
    areas.index.name = "area_code"
    areas.attrs.update(level=level, vintage=lookup.attrs.get("vintage"))
    return areas
